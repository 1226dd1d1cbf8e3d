//! Error texts of PostgreSQL clients and the diagnoses they can stand for.
//!
//! A text is compared with those of `texts.tsv` from the top; the first that is in it decides. Case, line breaks and runs of blanks
//! do not count; hosts, ports, users and paths are matched as variable parts. Where libpq reports several attempts, the
//! first one decides, but for a rejection without TLS: that is what `sslmode=prefer` ends with after the cause. Texts in
//! other languages are compared with PostgreSQL's own translations, and a SQLSTATE counts where nothing else is known.
//!
//! One text often has several readings: libpq prints `certificate verify failed` for a dozen of them. Nothing here
//! guesses which one is true; each reading says how to tell it from the others, and a check of the server decides.

mod attempts;
mod mentioned;
mod readings;
mod sqlstate;
pub(super) mod translated;
mod whose;

use super::Code;
use crate::packed;
pub use mentioned::{Mentioned, filled, filled_fix, mentioned};
pub use whose::{advice, client};

/// More of a text than this is not looked at.
const LIMIT: usize = 64 * 1024;

/// An error text that is known.
#[derive(Clone, Copy, Debug)]
pub struct KnownText {
    /// The text, with `*` for its variable parts. It may stand anywhere, unless it begins with `=`: then it is the whole.
    pub pattern: &'static str,
    /// Which clients print it.
    pub by: &'static str,
    /// The name of its [`readings`](Self::readings).
    group: &'static str,
}

impl KnownText {
    /// What it can stand for, most likely first; never empty.
    pub fn readings(&self) -> Vec<Reading> {
        readings::group(self.group)
    }
}

/// One reading of an error text.
#[derive(Debug, PartialEq, Eq)]
pub struct Reading {
    /// The diagnoses of this reading, most likely first; none where a check of the server cannot show it.
    pub codes: Vec<&'static Code>,
    /// What is the case then.
    pub what: &'static str,
    /// How to tell it from the other readings.
    pub tell: &'static str,
    /// What mends it, beginning with where.
    pub fix: &'static str,
}

/// What a text can stand for; `None` for one that is not known.
pub fn recognise(text: &str) -> Option<KnownText> {
    let text = plain(text);
    let cause = attempts::cause(&text);
    in_english(cause)
        .or_else(|| {
            let english = translated::english(cause)?;
            // Its last words, which are a message of their own, tell whether TLS was used.
            let end = if translated::is_unencrypted(cause) { " no encryption" } else { "" };
            in_english(&plain(&format!("{english}{end}")))
        })
        .or_else(|| sqlstate::known(cause))
}

/// All texts that are known, in the order in which they are looked for.
pub fn texts() -> impl Iterator<Item = KnownText> {
    packed::rows("recognise", "texts").map(|[pattern, by, group]| KnownText { pattern, by, group })
}

/// The first of [`texts`] that is in a plain text.
fn in_english(text: &str) -> Option<KnownText> {
    texts().find(|known| contains(text, known.pattern))
}

/// At most [`LIMIT`] bytes, single blanks, plain quotes.
fn tidied(text: &str) -> String {
    let mut end = text.len().min(LIMIT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let words = text.get(..end).unwrap_or_default().split_whitespace();
    let mut tidied = String::with_capacity(end);
    for word in words {
        if !tidied.is_empty() {
            tidied.push(' ');
        }
        tidied.extend(word.chars().map(|character| match character {
            '\u{201c}' | '\u{201d}' => '"',
            '\u{2018}' | '\u{2019}' => '\'',
            other => other,
        }));
    }
    tidied
}

/// [`tidied`], in lower case.
fn plain(text: &str) -> String {
    tidied(text).to_lowercase()
}

/// Whether the parts of a pattern stand in a plain text one after the other.
fn contains(text: &str, pattern: &str) -> bool {
    holds(text, &plain(pattern))
}

/// As [`contains`], of a pattern that is plain itself.
fn holds(text: &str, pattern: &str) -> bool {
    if let Some(whole) = pattern.strip_prefix('=') {
        return text == whole;
    }
    let mut rest = text;
    for part in pattern.split('*') {
        match rest.find(part).and_then(|place| rest.get(place + part.len()..)) {
            Some(after) => rest = after,
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::diagnose::codes;

    fn found(text: &str) -> Vec<&'static Code> {
        recognise(text).iter().flat_map(KnownText::readings).flat_map(|reading| reading.codes).collect()
    }

    #[test]
    fn case_breaks_and_variable_parts_do_not_matter() {
        for text in [
            "server certificate for \"a\" does not match host name \"b\"",
            "psql: error: SERVER certificate for \u{201c}db.x\u{201d}\n  (and 3 other names)\tdoes not match host name \"10.0.0.1\"",
        ] {
            assert_eq!(found(text).first(), Some(&&codes::HOSTNAME_MISMATCH), "{text}");
        }
    }

    #[test]
    fn prismas_text_is_read_in_its_own_words() {
        let text =
            |what: &str| format!("Error: P1011 Error opening a TLS connection: error:0A000086:x: ({what})");
        for (what, own) in [
            ("self-signed certificate in certificate chain", true),
            ("unable to get local issuer certificate", true),
            ("certificate has expired", false),
        ] {
            let known = recognise(&text(what)).unwrap();
            let fixes = known.readings().iter().any(|reading| reading.fix.contains("sslcert=FILE"));
            assert_eq!(fixes, own, "{what}: {}", known.pattern);
        }
    }

    #[test]
    fn a_text_never_seen_is_not_known() {
        for text in ["", " \n", "syntax error at or near \"selct\"", "hello", "EOF in my head", "*", "="] {
            assert!(recognise(text).is_none(), "{text}");
        }
    }

    /// Process 1 is a container's; accounts count by their numbers there.
    #[test]
    fn what_keeps_a_server_from_starting_is_read_where_it_runs() {
        let fix = |text: &str| recognise(text).unwrap().readings()[0].fix;
        let key = "private key file \"/certs/tls.key\" must be owned by the database user or root";
        assert!(
            fix(&format!("2026-11-30 09:12:44.117 UTC [1] FATAL:  {key}")).contains("sudo chown 999 FILE")
        );
        assert!(fix(&format!("2026-11-30 09:12:44.117 UTC [4711] FATAL:  {key}")).contains("chown postgres"));
        let lock = "FATAL:  lock file \"postmaster.pid\" already exists\nHINT:  Is another postmaster (PID 434) running in data directory \"/x\"?";
        assert!(fix(lock).contains("rm postmaster.pid"));
        let socket = |place: &str| {
            format!(
                "connection to server on socket \"{place}/.s.PGSQL.5433\" failed: No such file or directory"
            )
        };
        assert!(fix(&socket("/tmp")).starts_with("on a Mac: brew"));
        assert!(fix(&socket("/var/run/postgresql")).starts_with("on this machine: start"));
    }

    #[test]
    fn every_text_finds_itself() {
        let mut patterns = BTreeSet::new();
        let mut hidden: Vec<String> = Vec::new();
        for known in texts() {
            assert!(patterns.insert(known.pattern.to_lowercase()), "{} stands twice", known.pattern);
            let example = known.pattern.trim_start_matches('=').replace('*', "x1");
            let found = recognise(&example).unwrap_or_else(|| panic!("{example}"));
            if found.pattern != known.pattern {
                hidden.push(format!("{:?} hides {:?}", found.pattern, known.pattern));
            }
        }
        assert!(hidden.is_empty(), "{}", hidden.join("\n"));
    }

    #[test]
    fn readings_are_worded_and_their_codes_differ() {
        for known in texts() {
            assert!(!known.readings().is_empty() && !known.by.is_empty(), "{}", known.pattern);
            let mut seen = BTreeSet::new();
            for reading in known.readings() {
                for words in [reading.what, reading.tell, reading.fix] {
                    assert!(!words.is_empty() && !words.ends_with('.'), "{}: {words}", known.pattern);
                }
                for code in reading.codes {
                    assert!(seen.insert(code.name), "{}: {code} twice", known.pattern);
                }
            }
        }
    }

    proptest! {
        #![proptest_config(crate::properties::config())]

        #[test]
        fn any_text_is_read(text in any::<String>()) {
            recognise(&text);
        }

        #[test]
        fn whatever_stands_in_the_variable_parts_a_text_is_known(
            part in "[a-z0-9.:/\"'()-]{1,20}",
            known in prop::sample::select(texts().collect::<Vec<_>>()),
        ) {
            let filled = known.pattern.trim_start_matches('=').replace('*', &part);
            prop_assert!(recognise(&filled).is_some());
        }
    }
}
