//! `explain TEXT`: what an error text of some client can stand for, and how to tell which it is.

use serde_json::{Value as Json, json};

use super::Listing;
use crate::conninfo::{mask_argument, mask_text};
use crate::diagnose::recognise::{
    KnownText, Mentioned, Reading, advice, client, filled, filled_fix, mentioned, recognise,
};
use crate::report::Role;
use crate::report::json::shown;
use crate::report::page::Page;
use crate::text::{shell_quoted, truncated};

/// What to check to decide between the readings, where the text does not tell which server it is about.
const ANY_STRING: &str = "\"YOUR CONNECTION STRING\"";

/// More of the text than this is not repeated.
const REPEATED: usize = 200;

/// Wide enough for `decide`.
const COLUMN: usize = 6;

/// A text, and what it can stand for.
pub struct Readings<'a>(pub &'a str);

impl Listing for Readings<'_> {
    /// Most likely first; of a text that is not known, that it is not.
    fn page(&self, page: &mut Page) {
        match recognise(self.0) {
            Some(known) => return known_text(page, &known, self.0),
            None => {
                page.labelled(COLUMN, "text", Role::Secondary, Role::Plain, &repeated(self.0));
                let unknown = "this error text is not known to pgtls-check";
                page.labelled(COLUMN, "", Role::Secondary, Role::Plain, unknown);
            }
        }
        next(page, "run a check to find the cause, with your other settings", self.0);
    }

    /// `answers` is empty for a text that is not known.
    fn fields(&self) -> Vec<(&'static str, Json)> {
        let known = recognise(self.0);
        let said = mentioned(self.0);
        let answer = |reading: &Reading| {
            let [tell, fix] =
                [filled(reading.tell, &said), filled_fix(reading.fix, &said)].map(|text| shown(&text));
            json!({ "codes": names(reading), "what": reading.what, "tell": tell, "fix": fix })
        };
        let readings: Vec<_> = known.iter().flat_map(KnownText::readings).collect();
        let at = advice(&readings, &said).into_iter();
        let answers = readings.iter().map(answer).collect();
        vec![
            ("text", json!(shown(&repeated(self.0)))),
            ("recognised", json!(known.is_some())),
            ("pattern", json!(known.map(|known| known.pattern.trim_start_matches('=')))),
            ("from", json!(known.map(|known| known.by))),
            ("answers", answers),
            ("decide", json!(check(self.0))),
            (
                "at_provider",
                at.flat_map(|(_, advice)| advice)
                    .map(|(text, run)| json!({ "text": shown(text), "command": run }))
                    .collect(),
            ),
            ("client", json!(known.and_then(|known| client(self.0, &known)))),
        ]
    }
}

/// Where a text has several readings, what decides between them comes first.
fn known_text(page: &mut Page, known: &KnownText, given: &str) {
    let said = &mentioned(given);
    let text = known.pattern.trim_start_matches('=').replace('*', "…");
    page.labelled(COLUMN, "text", Role::Secondary, Role::Plain, &text);
    page.labelled(COLUMN, "from", Role::Secondary, Role::Plain, known.by);
    let readings = known.readings();
    let count = readings.len();
    // What no code stands for no check finds.
    let is_found = readings.first().is_some_and(|reading| !reading.codes.is_empty());
    if count > 1 && is_found {
        let words = format!(
            "the text has {count} possible causes, below; this check, run here with your other settings, finds which one it is and how to fix it"
        );
        next(page, &words, given);
    }
    at_provider(page, &readings, said);
    for (index, reading) in readings.iter().enumerate() {
        page.part();
        let number = format!("{}.", index + 1);
        if reading.codes.is_empty() {
            page.labelled(COLUMN, &number, Role::Secondary, Role::Title, reading.what);
        } else {
            page.labelled(COLUMN, &number, Role::Secondary, Role::Title, &names(reading).join(", "));
            page.labelled(COLUMN, "", Role::Plain, Role::Plain, reading.what);
        }
        page.labelled(COLUMN, "tell", Role::Secondary, Role::Plain, &filled(reading.tell, said));
        page.labelled(COLUMN, "fix", Role::Good, Role::Plain, &filled_fix(reading.fix, said));
    }
    page.part();
    if let Some(name) = client(given, known) {
        let words = format!("these settings in {name}'s own spelling");
        command(page, "how", &words, &format!("pgtls-check clients --for {name}"));
    }
    if count == 1 && is_found {
        next(page, "run a check to confirm it, with your other settings", given);
    }
    if let Some(first) = readings.iter().flat_map(|reading| &reading.codes).next() {
        let (head, _) = page.label(COLUMN, "more", Role::Secondary);
        let command = page.style().paint(Role::Command, &format!("pgtls-check explain {first}"));
        page.line(&format!("{head}{command}"));
    }
}

/// Where the text names a provider's server: what is particular there, with its commands.
fn at_provider(page: &mut Page, readings: &[Reading], said: &Mentioned) {
    let Some((provider, advice)) = advice(readings, said) else { return };
    page.part();
    for (text, run) in advice {
        command(page, "at", &format!("{}: {text}", provider.name), run.as_deref().unwrap_or_default());
    }
}

fn next(page: &mut Page, words: &str, given: &str) {
    command(page, "next", words, &check(given));
}

/// Words, and a command below them unless it is empty.
fn command(page: &mut Page, label: &str, words: &str, command: &str) {
    let (head, indent) = page.label(COLUMN, label, Role::Good);
    page.prose(&head, indent, indent, Role::Plain, words);
    for line in command.lines() {
        page.verbatim(indent + 2, Role::Command, line);
    }
}

fn names(reading: &Reading) -> Vec<&'static str> {
    reading.codes.iter().map(|code| code.name).collect()
}

/// The check that finds the cause, of the server that the text mentions.
fn check(text: &str) -> String {
    let conninfo = mentioned(text).conninfo().map(|conninfo| shell_quoted(&conninfo));
    // Go's drivers read libpq's strings, and its library refuses more.
    let is_of_go = recognise(text).is_some_and(|known| known.by.starts_with("Go ("));
    let reader = if is_of_go { "--as go " } else { "" };
    format!("pgtls-check {reader}{}", conninfo.as_deref().unwrap_or(ANY_STRING))
}

fn repeated(text: &str) -> String {
    // Line by line before they become one: some secrets are told by their lines.
    let masked = mask_text(text);
    let words: Vec<&str> = masked.split_whitespace().collect();
    truncated(&mask_argument(words.join(" ").as_bytes()), REPEATED)
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
    fn the_check_that_decides_comes_first_then_the_readings_in_their_order() {
        let text = Form::Page.text(&Readings(VERIFY), Style::document());
        let place = |words: &str| text.find(words).unwrap_or_else(|| panic!("no {words:?} in\n{text}"));
        assert!(place("1.  unknown-issuer") < place("2.  intermediate-missing"));
        assert!(
            place("next") < place("1.  unknown-issuer")
                && place("pgtls-check '") < place("certificate-expired")
        );
        assert!(text.ends_with("more  pgtls-check explain unknown-issuer\n"), "{text}");
    }

    #[test]
    fn a_text_never_seen_says_so_and_stays_printable() {
        for unicode in [true, false] {
            let style = Style { unicode, width: Some(80), ..Style::document() };
            let text = Form::Page.text(&Readings("\u{1b}[2Jweird\u{202e} text"), style);
            assert!(text.contains("is not known") && text.contains(ANY_STRING), "{text}");
            assert!(text.chars().all(|c| c == '\n' || crate::text::is_printable(c)), "{text:?}");
        }
        let object: Json = serde_json::from_str(&object("\u{1b}[2Jweird")).unwrap();
        assert_eq!((&object["recognised"], &object["answers"]), (&Json::Bool(false), &json!([])));
    }

    #[test]
    fn the_check_is_of_the_server_that_the_text_mentions() {
        let text = Form::Page.text(&Readings(VERIFY), Style::document());
        assert!(
            text.contains(&format!("pgtls-check {}", shell_quoted("host=h port=5432 sslmode=verify-full"))),
            "{text}"
        );
    }

    #[test]
    fn commands_stand_each_on_its_line() {
        let unreached = "P1001: Can't reach database server at `orders.postgres.database.azure.com:5432`";
        let text = Form::Page.text(&Readings(unreached), Style::document());
        assert!(
            text.lines().any(|line| line.trim_start().starts_with("az postgres flexible-server start ")),
            "{text}"
        );
    }

    #[test]
    fn an_address_is_asked_for_as_one_and_by_who_asked() {
        let given = "x509: cannot validate certificate for 10.9.0.4 because it doesn't contain any IP SANs";
        let text = Form::Page.text(&Readings(given), Style::document());
        let check = format!("pgtls-check --as go {}", shell_quoted("host=10.9.0.4 sslmode=verify-full"));
        assert!(text.contains("subjectAltName=IP:10.9.0.4") && text.contains(&check), "{text}");
    }

    #[test]
    fn each_reading_has_its_fix() {
        let text = Form::Page.text(&Readings(VERIFY), Style::document());
        let count = recognise(VERIFY).unwrap().readings().len();
        assert_eq!(
            text.lines().filter(|line| line.trim_start().starts_with("fix  ")).count(),
            count,
            "{text}"
        );
    }

    #[test]
    fn json_has_the_readings() {
        let object: Json = serde_json::from_str(&object(VERIFY)).unwrap();
        assert_eq!(object["answers"][0]["codes"][0], "unknown-issuer");
        assert!(object["answers"].as_array().unwrap().len() >= 3);
    }
}
