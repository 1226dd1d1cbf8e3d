//! How output may look: colour, characters and width, decided from the options, the environment and the stream.
//! Nothing is read here; the caller hands in what it knows.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use crate::text;

/// The widest layout: longer lines are hard to read, however wide the terminal.
pub const WIDEST: usize = 100;

/// The width assumed for a terminal that does not tell its own.
const UNKNOWN_WIDTH: usize = 80;

/// `--color`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ColorChoice {
    /// Where the stream and the environment want it.
    #[default]
    Auto,
    /// Yes.
    Always,
    /// No.
    Never,
}

/// The kind of stream that is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// A terminal with so many columns, if it tells.
    Terminal(Option<usize>),
    /// A file or a pipe.
    Other,
}

/// How output may look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether to colour.
    pub colour: bool,
    /// Whether characters beyond ASCII may be written.
    pub unicode: bool,
    /// Columns of the terminal, at most [`WIDEST`]. `None` away from a terminal: no wrapping, no cutting, no columns,
    /// words instead of symbols.
    pub width: Option<usize>,
}

/// What a piece of text is, which decides its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Plain text.
    Plain,
    /// What is well.
    Good,
    /// What failed.
    Error,
    /// The title of what failed.
    Title,
    /// What is worth knowing.
    Warning,
    /// Times, origins, what was skipped.
    Secondary,
    /// What to type.
    Command,
}

impl Style {
    /// Decides for one stream. Variables looked at: `NO_COLOR`, `CLICOLOR_FORCE`, `CLICOLOR`, `TERM`; `LC_ALL`,
    /// `LC_CTYPE`, `LANG`.
    pub fn decide(choice: ColorChoice, stream: Stream, variables: &BTreeMap<OsString, OsString>) -> Self {
        Self {
            colour: colour(choice, stream, variables),
            unicode: is_utf8(variables),
            width: match stream {
                Stream::Terminal(columns) => {
                    Some(columns.filter(|n| *n > 0).unwrap_or(UNKNOWN_WIDTH).min(WIDEST))
                }
                Stream::Other => None,
            },
        }
    }

    /// As written into a file or another document: no colour, no layout.
    pub const fn document() -> Self {
        Self { colour: false, unicode: true, width: None }
    }

    /// Whether `✓` and its like stand for words.
    pub fn symbols(self) -> bool {
        self.unicode && self.width.is_some()
    }

    /// Makes untrusted text printable with the characters that may be written.
    pub fn text(self, untrusted: &str) -> String {
        let printable = text::printable(untrusted);
        if self.unicode { printable } else { ascii(&printable) }
    }

    /// As [`text`](Self::text), for bytes that need not be UTF-8.
    pub fn bytes(self, untrusted: &[u8]) -> String {
        let printable = text::printable_bytes(untrusted);
        if self.unicode { printable } else { ascii(&printable) }
    }

    /// Colours printable text, in the 16 colours of the terminal's own theme.
    pub fn paint(self, role: Role, printable: &str) -> String {
        let code = match role {
            Role::Plain => "",
            Role::Good => "32",
            Role::Error => "31",
            Role::Title => "1",
            Role::Warning => "33",
            Role::Secondary => "2",
            Role::Command => "36",
        };
        if self.colour && !code.is_empty() && !printable.is_empty() {
            format!("\x1b[{code}m{printable}\x1b[0m")
        } else {
            printable.to_owned()
        }
    }
}

/// NO_COLOR: no-color.org. CLICOLOR and CLICOLOR_FORCE: bixense.com/clicolors.
fn colour(choice: ColorChoice, stream: Stream, variables: &BTreeMap<OsString, OsString>) -> bool {
    let variable = |name: &str| variables.get(OsStr::new(name)).filter(|value| !value.is_empty());
    let is = |name: &str, wanted: &str| variable(name).is_some_and(|value| value == wanted);
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto if variable("NO_COLOR").is_some() => false,
        ColorChoice::Auto if variable("CLICOLOR_FORCE").is_some_and(|value| value != "0") => true,
        ColorChoice::Auto => {
            !is("CLICOLOR", "0") && !is("TERM", "dumb") && matches!(stream, Stream::Terminal(_))
        }
    }
}

/// The locale's character set as POSIX finds it (XBD 8.2): the first of three variables that is not empty. Windows
/// has no such variables; its terminals take UTF-8.
fn is_utf8(variables: &BTreeMap<OsString, OsString>) -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .find_map(|name| variables.get(OsStr::new(name)).filter(|value| !value.is_empty()))
        .map(|value| value.to_string_lossy().to_ascii_lowercase());
    match locale {
        Some(locale) => locale.contains("utf-8") || locale.contains("utf8"),
        None => cfg!(windows),
    }
}

/// Replaces the characters of this tool's own layout by ASCII, and others by escapes.
fn ascii(printable: &str) -> String {
    let mut line = String::with_capacity(printable.len());
    let mut characters = printable.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            // "a · b" reads as "a, b".
            ' ' if characters.peek() == Some(&'·') => {
                characters.next();
                line.push(',');
            }
            '·' => line.push(','),
            '…' => line.push_str("..."),
            '█' => line.push('#'),
            '│' => line.push('|'),
            '╳' => line.push('x'),
            '–' | '—' => line.push('-'),
            '“' | '”' => line.push('"'),
            '‘' | '’' => line.push('\''),
            '\u{a0}' => line.push(' '),
            _ if character.is_ascii() => line.push(character),
            _ => line.extend(character.escape_unicode()),
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> BTreeMap<OsString, OsString> {
        pairs.iter().map(|(name, value)| (name.into(), value.into())).collect()
    }

    #[test]
    fn colour_follows_option_then_variables_then_stream() {
        use ColorChoice::{Always, Auto, Never};
        let terminal = Stream::Terminal(Some(80));
        let force = ("CLICOLOR_FORCE", "1");
        for (choice, stream, pairs, wanted) in [
            (Auto, terminal, &[][..], true),
            (Auto, Stream::Other, &[], false),
            (Always, Stream::Other, &[("NO_COLOR", "1"), ("TERM", "dumb")], true),
            (Never, terminal, &[force], false),
            (Auto, terminal, &[("NO_COLOR", "1"), force], false),
            (Auto, terminal, &[("NO_COLOR", "")], true),
            (Auto, Stream::Other, &[force], true),
            (Auto, Stream::Other, &[("CLICOLOR_FORCE", "0")], false),
            (Auto, Stream::Other, &[("CLICOLOR_FORCE", "")], false),
            (Auto, Stream::Other, &[force, ("CLICOLOR", "0")], true),
            (Auto, terminal, &[("CLICOLOR", "0")], false),
            (Auto, terminal, &[("CLICOLOR", "1")], true),
            (Auto, terminal, &[("TERM", "dumb")], false),
            (Auto, terminal, &[("TERM", "xterm-256color")], true),
        ] {
            let style = Style::decide(choice, stream, &variables(pairs));
            assert_eq!(style.colour, wanted, "{choice:?} {stream:?} {pairs:?}");
        }
    }

    #[test]
    fn the_first_locale_variable_that_is_not_empty_decides() {
        for (pairs, wanted) in [
            (&[("LANG", "de_DE.UTF-8")][..], true),
            (&[("LANG", "en_US.utf8")], true),
            (&[("LC_ALL", "C"), ("LANG", "de_DE.UTF-8")], false),
            (&[("LC_ALL", ""), ("LC_CTYPE", "C.UTF-8"), ("LANG", "C")], true),
            (&[("LC_CTYPE", "POSIX"), ("LANG", "de_DE.UTF-8")], false),
            (&[("LANG", "de_DE.ISO-8859-1")], false),
            (&[], cfg!(windows)),
        ] {
            let style = Style::decide(ColorChoice::Auto, Stream::Other, &variables(pairs));
            assert_eq!(style.unicode, wanted, "{pairs:?}");
        }
    }

    #[test]
    fn width_is_the_terminals_and_at_most_100() {
        for (stream, wanted) in [
            (Stream::Terminal(Some(72)), Some(72)),
            (Stream::Terminal(Some(250)), Some(100)),
            (Stream::Terminal(Some(0)), Some(80)),
            (Stream::Terminal(None), Some(80)),
            (Stream::Other, None),
        ] {
            assert_eq!(Style::decide(ColorChoice::Auto, stream, &variables(&[])).width, wanted);
        }
    }

    #[test]
    fn without_utf8_everything_is_ascii() {
        let style = Style { unicode: false, ..Style::document() };
        assert_eq!(style.text("TLSv1.3 · a…b │ ╳ █ – é\u{202e}"), "TLSv1.3, a...b | x # - \\u{e9}\\u{202e}");
    }
}
