//! `explain TEXT`: what an error text of some client can stand for, and how to tell which it is.

use serde_json::{Value as Json, json};

use crate::diagnose::recognise::{Reading, recognise};
use crate::report::human::page::Page;
use crate::report::json::{SCHEMA, line, shown};
use crate::report::{Role, Style};
use crate::text::truncated;

/// The check that decides between the readings.
const DECIDE: &str = "pgtls-check \"YOUR CONNECTION STRING\"";

/// More of the text than this is not repeated.
const REPEATED: usize = 200;

/// Wide enough for `decide`.
const COLUMN: usize = 6;

/// The readings of a text for people, most likely first; of a text that is not known, that it is not.
pub fn human(style: Style, text: &str) -> String {
    let mut page = Page::new(style);
    let Some(known) = recognise(text) else {
        page.labelled(COLUMN, "text", Role::Secondary, Role::Plain, &repeated(text));
        page.labelled(COLUMN, "", Role::Secondary, Role::Plain, "no client's error text that is known here");
        decide(&mut page, "a check of the server names what is wrong");
        return page.into_text();
    };
    page.labelled(
        COLUMN,
        "text",
        Role::Secondary,
        Role::Plain,
        &known.pattern.trim_start_matches('=').replace('*', "…"),
    );
    page.labelled(COLUMN, "from", Role::Secondary, Role::Plain, known.by);
    for (index, reading) in known.readings.iter().enumerate() {
        page.part();
        let label = format!("{}.", index + 1);
        page.labelled(COLUMN, &label, Role::Secondary, Role::Title, &reading.codes.join(", "));
        page.labelled(COLUMN, "", Role::Plain, Role::Plain, reading.what);
        page.labelled(COLUMN, "tell", Role::Secondary, Role::Plain, reading.tell);
    }
    page.part();
    match known.readings {
        [Reading { codes: [_], .. }] => decide(&mut page, "a check of the server shows the evidence"),
        _ => decide(&mut page, "a check of the server names the one that is true"),
    }
    let first = known.readings.first().and_then(|reading| reading.codes.first()).unwrap_or(&"");
    let (head, _) = page.label(COLUMN, "more", Role::Secondary);
    let command = style.paint(Role::Command, &format!("pgtls-check explain {first}"));
    page.line(&format!("{head}{command}"));
    page.into_text()
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

/// As [`human`], as one JSON object on one line; `answers` is empty for a text that is not known.
pub fn json(text: &str) -> String {
    let known = recognise(text);
    let answer =
        |reading: &Reading| json!({ "codes": reading.codes, "what": reading.what, "tell": reading.tell });
    let answers: Vec<Json> = known.iter().flat_map(|known| known.readings).map(answer).collect();
    line(&json!({
        "schema": SCHEMA,
        "text": shown(&repeated(text)),
        "recognised": known.is_some(),
        "pattern": known.map(|known| known.pattern.trim_start_matches('=')),
        "from": known.map(|known| known.by),
        "answers": answers,
        "decide": DECIDE,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERIFY: &str = "psql: error: connection to server at \"h\" (10.0.0.1), port 5432 failed: \
                          SSL error: certificate verify failed";

    #[test]
    fn readings_come_in_order_and_end_in_the_check_that_decides() {
        let text = human(Style::document(), VERIFY);
        let place = |words: &str| text.find(words).unwrap_or_else(|| panic!("no {words:?} in\n{text}"));
        assert!(place("1.  unknown-issuer") < place("2.  intermediate-missing"));
        assert!(place("certificate-expired") < place(DECIDE));
        assert!(text.ends_with("more  pgtls-check explain unknown-issuer\n"), "{text}");
    }

    #[test]
    fn a_text_never_seen_says_so_and_stays_printable() {
        for unicode in [true, false] {
            let style = Style { unicode, width: Some(80), ..Style::document() };
            let text = human(style, "\u{1b}[2Jweird\u{202e} text");
            assert!(text.contains("known here") && text.contains(DECIDE), "{text}");
            assert!(text.chars().all(|c| c == '\n' || crate::text::is_printable(c)), "{text:?}");
        }
        let object: Json = serde_json::from_str(&json("\u{1b}[2Jweird")).unwrap();
        assert_eq!((&object["recognised"], &object["answers"]), (&Json::Bool(false), &json!([])));
    }

    #[test]
    fn json_has_the_readings() {
        let object: Json = serde_json::from_str(&json(VERIFY)).unwrap();
        assert_eq!(object["answers"][0]["codes"][0], "unknown-issuer");
        assert!(object["answers"].as_array().unwrap().len() >= 3);
    }
}
