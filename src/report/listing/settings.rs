//! `--show-config`: every effective setting and where it came from; with what is wrong with them, if anything is.

use serde_json::{Value as Json, json};

use super::Listing;
use crate::check::Effective;
use crate::conninfo::Parameter;
use crate::report::lossy;
use crate::report::page::Page;
use crate::report::{human, json, settings};

impl Listing for Effective {
    /// `keyword=value   origin`, a line each.
    fn page(&self, page: &mut Page) {
        for line in settings::lines(page.style(), &self.parameters) {
            page.line(&line);
        }
        if let Some(diagnosis) = &self.diagnosis {
            page.part();
            human::diagnosis::error(page, diagnosis, &[]);
        }
    }

    /// Values are exact, where they are UTF-8: what is not printable is escaped by JSON's own means.
    fn fields(&self) -> Vec<(&'static str, Json)> {
        vec![
            ("diagnosis", self.diagnosis.as_ref().map_or(Json::Null, json::diagnosis)),
            ("parameters", self.parameters.iter().map(parameter).collect()),
        ]
    }
}

fn parameter(parameter: &Parameter) -> Json {
    let value = lossy(parameter.value.shown());
    json!({ "keyword": parameter.keyword, "value": value, "source": parameter.origin.to_string() })
}
