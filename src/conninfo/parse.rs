//! Connection strings of either form, taken apart as `PQconninfoParse` does, with refusals that can be shown.

use std::ops::Range;

use super::grammar::{Parsed, Refused, Store};
use super::{LibpqVersion, SyntaxError, SyntaxErrorKind, Value, keyword_value, mask, uri};

/// Why a string is refused, and what had been read until then.
#[derive(Clone, Debug)]
pub struct ParseFailure {
    /// Why.
    pub refusal: Refusal,
    /// What stood before it.
    pub read: Parsed,
}

/// The first thing libpq refuses in a string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It does not parse.
    Syntax(SyntaxError),
    /// It parses so far and names an option that does not exist.
    UnknownOption {
        /// The keyword, without what may be a password in it.
        keyword: Value,
        /// Where it stands.
        span: Range<usize>,
    },
}

impl Refusal {
    /// The syntax error, if it is one.
    pub fn syntax_error(self) -> Option<SyntaxError> {
        match self {
            Self::Syntax(error) => Some(error),
            Self::UnknownOption { .. } => None,
        }
    }
}

/// Takes a connection string apart as libpq 18 does (`PQconninfoParse`).
///
/// # Errors
/// What libpq refuses, with what was read before it.
pub fn parse(input: &[u8]) -> Result<Parsed, ParseFailure> {
    parse_as(input, LibpqVersion::V18)
}

/// As [`parse`], for another version of libpq.
///
/// # Errors
/// What that libpq refuses, with what was read before it.
pub fn parse_as(input: &[u8], version: LibpqVersion) -> Result<Parsed, ParseFailure> {
    let mut store = Store { version, ..Store::default() };
    let result = match input.iter().position(|byte| *byte == 0) {
        Some(at) => Err(Refused::syntax(SyntaxErrorKind::NulByte, at..at + 1)),
        None if uri::is_uri(input) => uri::parse(input, &mut store),
        None => keyword_value::parse(input, &mut store),
    };
    match result {
        Ok(()) => Ok(store.parsed),
        Err(refused) => {
            // What cannot be read behind a secret may belong to it.
            let behind_secret = store.last_is_secret();
            Err(ParseFailure { refusal: shown(refused, input, behind_secret), read: store.parsed })
        }
    }
}

/// A refusal without what may be a password in its words.
fn shown(refused: Refused, input: &[u8], behind_secret: bool) -> Refusal {
    match refused {
        Refused::Syntax(error) => Refusal::Syntax(error),
        Refused::MissingEquals { span } => {
            let word = input.get(span.clone()).unwrap_or_default();
            let kind = SyntaxErrorKind::MissingEquals(mask::value(word, behind_secret));
            Refusal::Syntax(SyntaxError { kind, span })
        }
        Refused::UnknownOption { keyword, span } => {
            Refusal::UnknownOption { keyword: mask::keyword(&keyword, behind_secret), span }
        }
    }
}

/// Whether text where a database name may stand is a connection string instead, as psql decides about its first
/// argument and `-d` (fe-connect.c, recognized_connection_string).
pub fn is_connection_string(text: &[u8]) -> bool {
    uri::is_uri(text) || text.contains(&b'=')
}
