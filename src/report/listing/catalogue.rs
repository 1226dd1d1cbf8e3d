//! `explain`: the list of all codes, and the page of one.

use serde_json::{Map, Value as Json, json};

use super::Listing;
use crate::diagnose::{Code, catalogue};
use crate::report::WIDEST;
use crate::report::page::Page;

/// All codes.
pub struct Codes;

impl Listing for Codes {
    fn page(&self, page: &mut Page) {
        page.lines(&catalogue::list());
    }

    fn fields(&self) -> Vec<(&'static str, Json)> {
        vec![("diagnoses", catalogue::all().map(summary).collect())]
    }
}

impl Listing for Code {
    fn page(&self, page: &mut Page) {
        let text = catalogue::page(self, page.style().width.unwrap_or(WIDEST));
        page.lines(&text);
    }

    fn fields(&self) -> Vec<(&'static str, Json)> {
        let parts: Map<String, Json> = self
            .parts()
            .map(|(heading, text)| (heading.to_lowercase().replace(' ', "_"), json!(text)))
            .collect();
        vec![("diagnosis", summary(self)), ("parts", Json::Object(parts))]
    }
}

fn summary(code: &Code) -> Json {
    let stage = code.fails_in();
    json!({
        "code": code.name,
        "stage": stage.map(|stage| stage.name()),
        "exit_code": stage.map(|stage| stage.exit_status()),
        "title": code.title,
        "summary": code.summary(),
        "retryable": code.retryable,
    })
}
