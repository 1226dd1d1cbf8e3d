//! `--show-config`: every effective setting and where it came from; with what is wrong with them, if anything is.

use serde_json::{Value as Json, json};

use super::Listing;
use crate::check::Effective;
use crate::clients::dialect::Typed;
use crate::conninfo::Parameter;
use crate::diagnose;
use crate::report::lossy;
use crate::report::page::Page;
use crate::report::{human, json, settings};

impl Listing for Effective {
    /// `keyword=value   origin`, a line each.
    fn page(&self, page: &mut Page) {
        if let Some(typed) = &self.typed {
            settings::typed(page, typed);
        }
        for line in settings::lines(page.style(), &self.parameters, self.typed.as_deref()) {
            page.line(&line);
        }
        if let Some(diagnosis) = &self.diagnosis {
            page.part();
            human::diagnosis::error(page, diagnosis, &[]);
        }
    }

    /// Values are exact, where they are UTF-8: what is not printable is escaped by JSON's own means.
    fn fields(&self) -> Vec<(&'static str, Json)> {
        let mut fields = vec![
            ("diagnosis", self.diagnosis.as_ref().map_or(Json::Null, json::diagnosis)),
            (
                "parameters",
                self.parameters.iter().map(|given| parameter(given, self.typed.as_deref())).collect(),
            ),
        ];
        if let Some(typed) = &self.typed {
            let verifying = typed.verifying().and_then(Result::ok);
            fields.push(("dialect", json!(typed.dialect().name)));
            fields.push(("libpq_conninfo", json!(typed.in_libpq.as_deref().map(json::shown))));
            fields.push(("verifying_conninfo", json!(verifying.as_deref().map(json::shown))));
            fields.push(("notes", json::notes(&diagnose::notes(typed, false))));
        }
        fields
    }
}

fn parameter(parameter: &Parameter, typed: Option<&Typed>) -> Json {
    let value = lossy(parameter.value.shown());
    json!({ "keyword": parameter.keyword, "value": value, "source": settings::origin(parameter, typed) })
}
