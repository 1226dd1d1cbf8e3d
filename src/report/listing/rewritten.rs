//! `clients --from`: another driver's string as it is, in libpq's words, and as it has to be written to verify.

use serde_json::{Value as Json, json};

use super::Listing;
use crate::clients::dialect::Typed;
use crate::diagnose;
use crate::report::page::Page;
use crate::report::{Role, json, settings};

/// What is shown.
pub struct Rewritten<'a> {
    /// What was typed.
    pub typed: &'a Typed,
}

impl Rewritten<'_> {
    fn demands(&self) -> &'static str {
        self.typed.decision().map_or("", |decision| diagnose::demanded(&decision.demand))
    }

    fn given(&self) -> String {
        self.typed.masked(&[]).text
    }
}

impl Listing for Rewritten<'_> {
    fn page(&self, page: &mut Page) {
        settings::read_as(page, self.typed);
        let now = diagnose::demands(self.typed).unwrap_or_default();
        page.line(&page.clean(&format!("now: {now}")));
        page.verbatim(2, Role::Plain, &self.given());
        settings::verifying(page, self.typed, true);
        if let Some(text) = &self.typed.in_libpq {
            page.line("what it says now, for libpq:");
            page.verbatim(2, Role::Plain, text);
        }
        settings::notes(page, self.typed);
    }

    fn fields(&self) -> Vec<(&'static str, Json)> {
        let verifying = self.typed.verifying();
        let text = verifying.as_ref().and_then(|text| text.as_deref().ok());
        let elsewhere = verifying.as_ref().and_then(|text| text.as_ref().err().copied());
        vec![
            ("dialect", json!(self.typed.dialect().name)),
            ("given", json!(json::shown(&self.given()))),
            ("demands", json!(self.demands())),
            ("libpq_conninfo", json!(self.typed.in_libpq.as_deref().map(json::shown))),
            ("verifying_conninfo", json!(text.map(json::shown))),
            ("elsewhere", json!(elsewhere)),
            ("notes", json::notes(&diagnose::notes(self.typed, false))),
        ]
    }
}
