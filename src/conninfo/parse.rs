//! Connection strings of either form, taken apart as `PQconninfoParse` does, with refusals that can be shown.

use std::ops::Range;

use super::grammar::{Assignment, Parsed, Place, Refused, Store};
use super::{LibpqVersion, SyntaxError, SyntaxErrorKind, Value, keyword_value, mask, options, uri};

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

/// All keywords of a string that are no options of libpq's, in the order typed, with their places: libpq names the first
/// of them and stops. Those that may be pieces of a password are left out.
pub fn unknown_keywords(input: &[u8]) -> Vec<(String, Range<usize>)> {
    unknown(input).into_iter().map(|(name, place)| (name, place.keyword)).collect()
}

/// The change of a string that leaves no unknown keyword: those that are near to an option are written as that, the others left
/// out with their values.
pub fn without_unknown(input: &[u8]) -> Option<(Range<usize>, String)> {
    let (is_uri, unknown) = (uri::is_uri(input), unknown(input));
    let begin = unknown.first()?.1.keyword.start;
    let (mut mended, mut at) = (Vec::new(), begin);
    let mut whole = begin..begin;
    for (name, Place { keyword, value }) in unknown {
        let (change, new) = match options::nearest(name.as_bytes()) {
            Some(nearest) => (keyword, nearest),
            None => (with_separator(input, keyword.start..value.end, is_uri), ""),
        };
        if change.start < begin {
            (at, whole.start) = (change.start, change.start);
        }
        mended.extend_from_slice(input.get(at..change.start.max(at))?);
        mended.extend_from_slice(new.as_bytes());
        (at, whole.end) = (change.end, change.end);
    }
    Some((whole, String::from_utf8(mended).ok()?))
}

/// A setting with what separates it from its neighbour: the one before it, or where it is the first the one behind it.
pub(crate) fn with_separator(input: &[u8], setting: Range<usize>, is_uri: bool) -> Range<usize> {
    let separates = |byte: &u8| if is_uri { *byte == b'&' } else { byte.is_ascii_whitespace() };
    let before = input.get(..setting.start).unwrap_or_default();
    let before = before.iter().rev().take_while(|byte| separates(byte)).count();
    let after = input.get(setting.end..).unwrap_or_default();
    let after = after.iter().take_while(|byte| separates(byte)).count();
    let is_first = before == 0;
    setting.start - before..setting.end + if is_first { after } else { 0 }
}

/// The unknown keywords of a string with their places.
fn unknown(input: &[u8]) -> Vec<(String, Place)> {
    let mut store = Store { unknown_too: true, ..Store::default() };
    // What stands before the place where it stops making sense was read.
    let _ = match uri::is_uri(input) {
        true => uri::parse(input, &mut store),
        false => keyword_value::parse(input, &mut store),
    };
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let unknown = |(keyword, place): (Vec<u8>, Place)| {
        let name = String::from_utf8(keyword).ok()?;
        let plain = !name.is_empty() && name.bytes().all(|byte| is_plain(&byte));
        let known = options::find(name.as_bytes()).is_some() || name == "requiressl";
        (plain && !known).then_some((name, place))
    };
    let found: Vec<(String, Place)> = store.scanned.into_iter().filter_map(unknown).collect();
    let spans: Vec<Range<usize>> = found.iter().map(|(_, place)| place.keyword.clone()).collect();
    let masked = mask::mask(input, &spans);
    let shown = |span: &Range<usize>| masked.text.get(span.clone()).unwrap_or_default();
    found
        .into_iter()
        .zip(&masked.spans)
        .filter(|((name, _), span)| shown(span) == name)
        .map(|(found, _)| found)
        .collect()
}

/// A refusal without what may be a password in its words.
fn shown(refused: Refused, input: &[u8], behind_secret: bool) -> Refusal {
    let behind_secret = match &refused {
        Refused::MissingEquals { span } | Refused::UnknownOption { span, .. } => {
            behind_secret || mask::hides(input, span)
        }
        Refused::Syntax(_) => false,
    };
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

/// The keywords that nothing stands behind, each with the one that became its value: libpq skips spaces behind `=`, so that of
/// `password= dbname=d` the password is `dbname=d`.
pub fn swallowed(input: &[u8]) -> Vec<(&'static str, &'static str)> {
    let next = |(keyword, assignment): &(&'static str, Assignment)| {
        let value = &assignment.place.value;
        // A value in quotes begins behind its quote.
        let has_gap = input.get(value.start.checked_sub(1)?)?.is_ascii_whitespace();
        let name = input.get(value.clone())?.split(|byte| *byte == b'=').next()?;
        let is_whole = name.len() == value.len();
        let next =
            options::find(name).filter(|_| has_gap && !is_whole && !assignment.place.keyword.is_empty())?;
        Some((*keyword, next.keyword))
    };
    parse(input).map_or_else(|_| Vec::new(), |parsed| parsed.assignments.iter().filter_map(next).collect())
}

/// Whether text where a database name may stand is a connection string instead, as psql decides about its first
/// argument and `-d` (fe-connect.c, recognized_connection_string).
pub fn is_connection_string(text: &[u8]) -> bool {
    uri::is_uri(text) || text.contains(&b'=')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Wherever they stand, unknown keywords go and what is known stays.
    #[test]
    fn without_its_unknown_keywords_a_string_says_the_same() {
        let settings = ["sslmode=require", "pool=5", "sslca=/a.pem", "zzz=x", "port=5433"];
        for turn in 0..settings.len() * 2 {
            let mut order = settings;
            order.rotate_left(turn % settings.len());
            if turn >= settings.len() {
                order.reverse();
            }
            for typed in [order.join("  "), format!("postgresql://u:a%40b@h/d?{}", order.join("&"))] {
                let (at, new) = without_unknown(typed.as_bytes()).unwrap();
                let mended = format!("{}{new}{}", &typed[..at.start], &typed[at.end..]);
                let parsed = parse(mended.as_bytes()).unwrap_or_else(|_| panic!("{typed}: {mended}"));
                let value = |name: &str| {
                    let found = parsed.assignments.iter().find(|(keyword, _)| *keyword == name);
                    found.map(|(_, assignment)| assignment.value.as_bytes().to_vec())
                };
                for (name, expected) in [("sslmode", "require"), ("sslrootcert", "/a.pem"), ("port", "5433")]
                {
                    assert_eq!(value(name).as_deref(), Some(expected.as_bytes()), "{typed}: {mended}");
                }
                assert!(unknown_keywords(mended.as_bytes()).is_empty(), "{typed}: {mended}");
            }
        }
        assert_eq!(without_unknown(b"port=5432"), None);
    }
}
