//! `explain TERM`: what a word means, and what a line of pg_hba.conf says.

use serde_json::{Value as Json, json};

use super::Listing;
use crate::diagnose::terms::{HbaLine, Term};
use crate::report::Role;
use crate::report::json::shown;
use crate::report::page::Page;

/// Wide enough for `database`.
const COLUMN: usize = 8;

impl Listing for Term {
    fn page(&self, page: &mut Page) {
        page.labelled(COLUMN, "term", Role::Secondary, Role::Title, &self.names.join(", "));
        page.labelled(COLUMN, "what", Role::Secondary, Role::Plain, self.what);
        page.labelled(COLUMN, "so", Role::Secondary, Role::Plain, self.so);
    }

    fn fields(&self) -> Vec<(&'static str, Json)> {
        vec![
            ("term", json!(self.names.first())),
            ("names", json!(self.names)),
            ("what", json!(self.what)),
            ("so", json!(self.so)),
        ]
    }
}

impl Listing for HbaLine<'_> {
    fn page(&self, page: &mut Page) {
        page.labelled(
            COLUMN,
            "line",
            Role::Secondary,
            Role::Plain,
            "of pg_hba.conf; the first line that matches decides",
        );
        for (name, value, meaning) in &self.fields {
            page.labelled(COLUMN, name, Role::Secondary, Role::Plain, &format!("{value}: {meaning}"));
        }
    }

    fn fields(&self) -> Vec<(&'static str, Json)> {
        let field = |(name, value, meaning): &(&str, &str, String)| json!({ "field": name, "value": shown(value), "meaning": shown(meaning) });
        vec![("hba_line", self.fields.iter().map(field).collect())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::terms::{hba_line, term};
    use crate::report::{Form, Style};

    #[test]
    fn a_term_has_what_it_is_and_what_follows() {
        let text = Form::Page.text(&term("hostssl").unwrap(), Style::document());
        assert!(text.contains("with TLS only") && text.contains("no encryption"), "{text}");
        let object: Json =
            serde_json::from_str(&Form::Json.text(&term("Verify-Full").unwrap(), Style::document())).unwrap();
        assert_eq!(object["term"], "verify-full");
    }

    #[test]
    fn a_line_of_pg_hba_conf_has_a_line_a_field() {
        let line = hba_line("hostssl all all 10.0.0.0/8 cert map=m").unwrap();
        let text = Form::Page.text(&line, Style::document());
        assert_eq!(text.lines().count(), 7, "{text}");
        let object: Json = serde_json::from_str(&Form::Json.text(&line, Style::document())).unwrap();
        assert_eq!(object["hba_line"][3]["value"], "10.0.0.0/8");
    }
}
