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

/// "no encryption" and "SSL off" in the languages of PostgreSQL 15's catalogue, and in others that users reported.
const UNENCRYPTED: [&str; 16] = [
    "aucun chiffrement",
    "ingen kryptering",
    "keine verschl\u{fc}sselung",
    "nessuna crittografia",
    "sin cifrado",
    "sem criptografia",
    "sans chiffrement",
    "ssl \u{5173}\u{95ed}",
    "\u{65e0}\u{52a0}\u{5bc6}",
    "\u{6ca1}\u{6709}\u{52a0}\u{5bc6}",
    "\u{431}\u{435}\u{437} \u{448}\u{438}\u{444}\u{440}\u{43e}\u{432}\u{430}\u{43d}\u{438}\u{44f}",
    "\u{431}\u{435}\u{437} \u{448}\u{438}\u{444}\u{440}\u{443}\u{432}\u{430}\u{43d}\u{43d}\u{44f}",
    "\u{6697}\u{53f7}\u{5316}\u{306a}\u{3057}",
    "\u{c554}\u{d638}\u{d654} \u{c548}\u{d568}",
    "ssl aus",
    "ssl inactif",
];

/// Whether a plain text in another language says that the client came without TLS.
pub(super) fn is_unencrypted(text: &str) -> bool {
    UNENCRYPTED.iter().any(|words| text.contains(words))
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
            if known.map(|known| known.readings()) != Some(english.readings()) {
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
