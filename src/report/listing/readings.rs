//! `explain TEXT`: what an error text of some client can stand for, and how to tell which it is.

use serde_json::{Value as Json, json};

use super::Listing;
use crate::diagnose::recognise::{Reading, recognise};
use crate::report::Role;
use crate::report::json::shown;
use crate::report::page::Page;
use crate::text::truncated;

/// The check that decides between the readings.
const DECIDE: &str = "pgtls-check \"YOUR CONNECTION STRING\"";

/// More of the text than this is not repeated.
const REPEATED: usize = 200;

/// Wide enough for `decide`.
const COLUMN: usize = 6;

/// A text, and what it can stand for.
pub struct Readings<'a>(pub &'a str);

impl Listing for Readings<'_> {
    /// Most likely first; of a text that is not known, that it is not.
    fn page(&self, page: &mut Page) {
        let Some(known) = recognise(self.0) else {
            page.labelled(COLUMN, "text", Role::Secondary, Role::Plain, &repeated(self.0));
            let unknown = "no client's error text that is known here";
            page.labelled(COLUMN, "", Role::Secondary, Role::Plain, unknown);
            decide(page, "a check of the server names what is wrong");
            return;
        };
        let text = known.pattern.trim_start_matches('=').replace('*', "…");
        page.labelled(COLUMN, "text", Role::Secondary, Role::Plain, &text);
        page.labelled(COLUMN, "from", Role::Secondary, Role::Plain, known.by);
        for (index, reading) in known.readings.iter().enumerate() {
            page.part();
            let label = format!("{}.", index + 1);
            page.labelled(COLUMN, &label, Role::Secondary, Role::Title, &names(reading).join(", "));
            page.labelled(COLUMN, "", Role::Plain, Role::Plain, reading.what);
            page.labelled(COLUMN, "tell", Role::Secondary, Role::Plain, reading.tell);
        }
        page.part();
        match known.readings {
            [Reading { codes: [_], .. }] => decide(page, "a check of the server shows the evidence"),
            _ => decide(page, "a check of the server names the one that is true"),
        }
        let first =
            known.readings.first().and_then(|reading| reading.codes.first()).map_or("", |code| code.name);
        let (head, _) = page.label(COLUMN, "more", Role::Secondary);
        let command = page.style().paint(Role::Command, &format!("pgtls-check explain {first}"));
        page.line(&format!("{head}{command}"));
    }

    /// `answers` is empty for a text that is not known.
    fn fields(&self) -> Vec<(&'static str, Json)> {
        let known = recognise(self.0);
        let answer = |reading: &Reading| json!({ "codes": names(reading), "what": reading.what, "tell": reading.tell });
        let answers = known.iter().flat_map(|known| known.readings).map(answer).collect();
        vec![
            ("text", json!(shown(&repeated(self.0)))),
            ("recognised", json!(known.is_some())),
            ("pattern", json!(known.map(|known| known.pattern.trim_start_matches('=')))),
            ("from", json!(known.map(|known| known.by))),
            ("answers", answers),
            ("decide", json!(DECIDE)),
        ]
    }
}

fn names(reading: &Reading) -> Vec<&'static str> {
    reading.codes.iter().map(|code| code.name).collect()
}

fn decide(page: &mut Page, words: &str) {
    let (head, indent) = page.label(COLUMN, "decide", Role::Good);
    page.prose(&head, indent, indent, Role::Plain, words);
    page.verbatim(indent + 2, Role::Command, DECIDE);
}

fn repeated(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    truncated(&words.join(" "), REPEATED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Form, Style};

    const VERIFY: &str = "psql: error: connection to server at \"h\" (10.0.0.1), port 5432 failed: \
                          SSL error: certificate verify failed";

    fn object(text: &str) -> String {
        Form::Json.text(&Readings(text), Style::document())
    }

    #[test]
    fn readings_come_in_order_and_end_in_the_check_that_decides() {
        let text = Form::Page.text(&Readings(VERIFY), Style::document());
        let place = |words: &str| text.find(words).unwrap_or_else(|| panic!("no {words:?} in\n{text}"));
        assert!(place("1.  unknown-issuer") < place("2.  intermediate-missing"));
        assert!(place("certificate-expired") < place(DECIDE));
        assert!(text.ends_with("more  pgtls-check explain unknown-issuer\n"), "{text}");
    }

    #[test]
    fn a_text_never_seen_says_so_and_stays_printable() {
        for unicode in [true, false] {
            let style = Style { unicode, width: Some(80), ..Style::document() };
            let text = Form::Page.text(&Readings("\u{1b}[2Jweird\u{202e} text"), style);
            assert!(text.contains("known here") && text.contains(DECIDE), "{text}");
            assert!(text.chars().all(|c| c == '\n' || crate::text::is_printable(c)), "{text:?}");
        }
        let object: Json = serde_json::from_str(&object("\u{1b}[2Jweird")).unwrap();
        assert_eq!((&object["recognised"], &object["answers"]), (&Json::Bool(false), &json!([])));
    }

    #[test]
    fn json_has_the_readings() {
        let object: Json = serde_json::from_str(&object(VERIFY)).unwrap();
        assert_eq!(object["answers"][0]["codes"][0], "unknown-issuer");
        assert!(object["answers"].as_array().unwrap().len() >= 3);
    }
}
