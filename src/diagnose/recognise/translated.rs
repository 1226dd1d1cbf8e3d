//! Texts in other languages: PostgreSQL's own translations of the server's and libpq's messages.
//!
//! `translations.tsv` has a line an English text, with `*` for its variable parts, and under it a line a language: a tab,
//! the language, a tab, its text. It is made of the message catalogues that PostgreSQL 15 ships (`postgres-15.mo`,
//! `libpq5-15.mo`); a test compares them. Portuguese has none in version 15: its texts are those that users reported.

use std::sync::LazyLock;

use super::{contains, holds, plain};
use crate::packed;

/// The same, made plain once for all messages.
static PLAIN: LazyLock<Vec<(&'static str, String)>> =
    LazyLock::new(|| rows().map(|row| (row.english, plain(row.text))).collect());

/// A text in another language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Row {
    english: &'static str,
    text: &'static str,
}

/// Whether a server's message is this one, in English or in a language that PostgreSQL has it in. `*` stands for its
/// variable parts.
pub(in crate::diagnose) fn is_message(message: &str, pattern: &str) -> bool {
    let message = plain(message);
    contains(&message, pattern) || english(&message).is_some_and(|english| contains(&plain(english), pattern))
}

/// The English for the first translation that is in a plain text.
pub(super) fn english(text: &str) -> Option<&'static str> {
    PLAIN.iter().find(|(_, translation)| holds(text, translation)).map(|(english, _)| *english)
}

fn rows() -> impl Iterator<Item = Row> {
    let mut english = "";
    packed::text("recognise", "translations").lines().filter_map(move |line| {
        let Some(translation) = line.strip_prefix('\t') else {
            english = line;
            return None;
        };
        translation.split_once('\t').map(|(_, text)| Row { english, text })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::recognise::{in_english, recognise};

    #[test]
    fn every_translation_reads_as_its_english() {
        let mut count = 0;
        let mut wrong: Vec<String> = Vec::new();
        for row in rows() {
            let english =
                in_english(&plain(row.english)).unwrap_or_else(|| panic!("{} is not known", row.english));
            let pasted = format!("FATAL: {}", row.text.replace('*', "x1"));
            let known = recognise(&pasted);
            if known.map(|known| known.readings) != Some(english.readings) {
                wrong.push(format!(
                    "{pasted}: {:?} or {}",
                    known.map(|known| known.pattern),
                    english.pattern
                ));
            }
            count += 1;
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert!(count > 700, "{count}");
    }
}
