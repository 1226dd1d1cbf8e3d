//! Connection strings of the form `host=… port=…` (fe-connect.c, conninfo_parse).

use super::blanks::is_space;
use super::grammar::{Assignment, Place, Refused, Store};
use super::{SyntaxError, SyntaxErrorKind};
use crate::bytes::Reader;

/// Reads a whole string into `store`, up to the first thing libpq refuses.
pub(super) fn parse(input: &[u8], store: &mut Store) -> Result<(), Refused> {
    let mut reader = Reader::new(input);
    loop {
        reader.skip_while(is_space);
        if reader.peek().is_none() {
            return Ok(());
        }
        let keyword = reader.take_while(|byte| byte != b'=' && !is_space(byte));
        let end = reader.position();
        reader.skip_while(is_space);
        if reader.peek() != Some(b'=') {
            return Err(Refused::MissingEquals { span: end - keyword.len()..end });
        }
        reader.u8();
        reader.skip_while(is_space);
        let start = reader.position();
        let value = if reader.peek() == Some(b'\'') { quoted(&mut reader)? } else { unquoted(&mut reader) };
        let place = Place { keyword: end - keyword.len()..end, value: start..reader.position() };
        store.assign(
            keyword,
            Assignment { typed: as_typed(input, &place), ..Assignment::new(value, place) },
        )?;
    }
}

/// The keywords and places in a keyword/value string, unknown ones too, and where it stops making sense, if it does.
pub(super) fn scan(input: &[u8]) -> (Vec<(Vec<u8>, Place)>, Option<usize>) {
    let mut store = Store { unknown_too: true, ..Store::default() };
    let end = match parse(input, &mut store) {
        Err(Refused::Syntax(SyntaxError { span, .. }) | Refused::MissingEquals { span }) => Some(span.start),
        Ok(()) | Err(Refused::UnknownOption { .. }) => None,
    };
    (store.scanned, end)
}

/// An unquoted value ends at white space; a backslash makes the next byte literal, a final one vanishes.
fn unquoted(reader: &mut Reader) -> Vec<u8> {
    let mut value = Vec::with_capacity(reader.rest().iter().take_while(|byte| !is_space(**byte)).count());
    while let Some(byte) = reader.peek().filter(|byte| !is_space(*byte)) {
        reader.u8();
        match byte {
            b'\\' => value.extend(reader.u8()),
            _ => value.push(byte),
        }
    }
    value
}

/// A quoted value ends at the next quote without a backslash.
fn quoted(reader: &mut Reader) -> Result<Vec<u8>, Refused> {
    let start = reader.position();
    reader.u8();
    let mut value = Vec::new();
    loop {
        match reader.u8() {
            None => {
                return Err(Refused::syntax(SyntaxErrorKind::UnterminatedQuote, start..reader.position()));
            }
            Some(b'\'') => return Ok(value),
            Some(b'\\') => value.extend(reader.u8()),
            Some(byte) => value.push(byte),
        }
    }
}

/// The value between its quotes as it was typed, where the escape rule ate a backslash that was hardly meant to escape
/// anything: one before something else than a backslash, a quote or white space.
fn as_typed(input: &[u8], place: &Place) -> Option<Vec<u8>> {
    let raw = input.get(place.value.clone())?;
    let raw = raw.strip_prefix(b"'").and_then(|raw| raw.strip_suffix(b"'")).unwrap_or(raw);
    let mut eaten = false;
    let mut bytes = raw.iter();
    while let Some(byte) = bytes.next() {
        if *byte == b'\\' {
            eaten |= bytes.next().is_none_or(|next| !matches!(next, b'\\' | b'\'') && !is_space(*next));
        }
    }
    eaten.then(|| raw.to_vec())
}

#[cfg(test)]
mod tests {
    use crate::conninfo::{LibpqVersion, SyntaxErrorKind, Value, parse_as};

    /// Keyword and value of each assignment, in order.
    fn read(input: &str) -> Vec<(String, String)> {
        let parsed = parse_as(input.as_bytes(), LibpqVersion::V18).unwrap();
        parsed
            .assignments
            .iter()
            .map(|(keyword, assignment)| {
                ((*keyword).to_owned(), String::from_utf8_lossy(assignment.value.as_bytes()).into_owned())
            })
            .collect()
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(keyword, value)| ((*keyword).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn values() {
        for (input, expected) in [
            ("", &[][..]),
            (" \t\n\x0b\x0c\r", &[]),
            ("host = a", &[("host", "a")]),
            ("host= port=5", &[("host", "port=5")]),
            ("password=a'b", &[("password", "a'b")]),
            (r"sslrootcert=C:\certs\ca.pem", &[("sslrootcert", "C:certsca.pem")]),
            (r"host=a\ b", &[("host", "a b")]),
            (r"host=a\", &[("host", "a")]),
            ("host='a b'port=5", &[("host", "a b"), ("port", "5")]),
            (r"host='a\'\\b'", &[("host", r"a'\b")]),
            ("host=", &[("host", "")]),
            ("host=''", &[("host", "")]),
            ("sslmode=disable requiressl=1x", &[("sslmode", "disable"), ("sslmode", "require")]),
            ("requiressl=0", &[("sslmode", "prefer")]),
            ("host=a\u{a0}b", &[("host", "a\u{a0}b")]),
            ("dbname=postgresql://x", &[("dbname", "postgresql://x")]),
        ] {
            assert_eq!(read(input), pairs(expected), "{input:?}");
        }
    }

    #[test]
    fn refusals_have_their_place() {
        for (input, kind, span) in [
            ("host", SyntaxErrorKind::MissingEquals(Value::from("host")), 0..4),
            ("port=1 host a=b", SyntaxErrorKind::MissingEquals(Value::from("host")), 7..11),
            ("postgre://h", SyntaxErrorKind::MissingEquals(Value::from("postgre://h")), 0..11),
            ("host='it''s'", SyntaxErrorKind::MissingEquals(Value::from("'s'")), 9..12),
            (r"host='a\'", SyntaxErrorKind::UnterminatedQuote, 5..9),
            ("host='a\\", SyntaxErrorKind::UnterminatedQuote, 5..8),
            // What follows a password with a space may be the rest of it.
            ("password=my secret", SyntaxErrorKind::MissingEquals(Value::from("********")), 12..18),
        ] {
            let refusal = parse_as(input.as_bytes(), LibpqVersion::V18).unwrap_err().refusal;
            assert_eq!(
                refusal.syntax_error().map(|error| (error.kind, error.span)),
                Some((kind, span)),
                "{input:?}"
            );
        }
    }

    #[test]
    fn a_path_is_kept_as_typed_where_its_backslashes_were_eaten() {
        for (input, typed) in [
            (r"sslrootcert=c:\ssl\ca.pem", Some(r"c:\ssl\ca.pem")),
            (r"sslrootcert='c:\ssl dir\ca.pem'", Some(r"c:\ssl dir\ca.pem")),
            (r"sslrootcert=\\server\share\ca.pem", Some(r"\\server\share\ca.pem")),
            (r"sslrootcert=c:\\ssl\\ca.pem", None),
            (r"sslrootcert=my\ ca.pem", None),
            ("sslrootcert=/etc/ca.pem", None),
        ] {
            let parsed = parse_as(input.as_bytes(), LibpqVersion::V18).unwrap();
            let found = parsed.assignments[0].1.typed.clone();
            assert_eq!(found, typed.map(|typed| typed.as_bytes().to_vec()), "{input}");
        }
    }
}
