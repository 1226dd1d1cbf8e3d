//! Strings of `keyword=value` pairs, one behind the other.
//!
//! Followed: System.Data.Common's DbConnectionStringBuilder (Npgsql), `dconn_get_attributes` of psqlODBC,
//! `pdo_pgsql_handle_factory` of PHP and `pg_db_login6` of DBD::Pg (which make libpq's form of theirs), `parseOpts` of
//! lib/pq, `parseKeywordValueSettings` of pgx and tokio-postgres' `Parser`.

use std::ops::Range;

use super::super::text::{find, is_blank, trimmed};
use super::super::{Kind, Place};
use super::url::{FORM, LITERAL, decoded};
use super::{Broken, Pair, Part};

/// How a driver reads pairs.
#[derive(Debug)]
pub(in crate::clients::dialect) struct Rules {
    /// What the string begins with; empty where it begins with the first keyword.
    pub prefix: Prefix,
    pub syntax: Syntax,
}

/// What stands before the first keyword.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::clients::dialect) enum Prefix {
    Nothing,
    /// `pgsql:`, in this case only.
    Pdo,
    /// `dbi:Pg:`; `dbi` in any case, attributes in parentheses behind `Pg`.
    Dbi,
}

/// How pairs are separated and values quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::clients::dialect) enum Syntax {
    /// ADO.NET: semicolons; blanks round keyword and value are dropped; `"…"` or `'…'` with the quote doubled.
    AdoNet,
    /// ODBC: semicolons, blanks count, `{…}` with `}` doubled.
    Odbc,
    /// libpq's: blanks; `'…'`; a backslash makes the next byte literal.
    Blanks(Backslash),
    /// libpq's, semicolons being blanks: everywhere, or outside of quotes only.
    SemicolonsToo { in_quotes: bool },
}

/// What a backslash does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::clients::dialect) enum Backslash {
    /// It makes the next byte literal.
    Escapes,
    /// Only before another one and before a quote.
    BeforeQuotes,
}

impl Prefix {
    /// Its length at the beginning of a text.
    pub(in crate::clients::dialect) fn length(self, text: &[u8]) -> Option<usize> {
        match self {
            Self::Nothing => Some(0),
            Self::Pdo => text.starts_with(b"pgsql:").then_some(6),
            Self::Dbi => {
                let begins = text.get(..4)?.eq_ignore_ascii_case(b"dbi:") && text.get(4..6)? == b"Pg";
                let end = match text.get(6)? {
                    b':' => 6,
                    b'(' => find(text, b")", 6) + 1,
                    _ => return None,
                };
                (begins && text.get(end) == Some(&b':')).then_some(end + 1)
            }
        }
    }
}

/// Takes a string apart.
pub(in crate::clients::dialect) fn parse(
    text: &[u8],
    rules: &Rules,
    pairs: &mut Vec<Pair>,
) -> Result<(), Broken> {
    let start = rules.prefix.length(text).unwrap_or(0);
    match rules.syntax {
        Syntax::AdoNet => ado_net(text, start, pairs),
        Syntax::Odbc => odbc(text, start, pairs),
        Syntax::Blanks(backslash) => blanks(text, start, backslash, pairs),
        Syntax::SemicolonsToo { in_quotes } => {
            blanks(&without_semicolons(text, start, in_quotes), start, Backslash::Escapes, pairs)
        }
    }
}

fn push(text: &[u8], pairs: &mut Vec<Pair>, name: Vec<u8>, value: Vec<u8>, place: Place) {
    debug_assert!(text.get(place.value.clone()).is_some());
    pairs.push(Pair {
        name: String::from_utf8_lossy(&name).into_owned(),
        part: Part::Keyword,
        value,
        kind: Kind::Text,
        place,
    });
}

const ENDING_QUOTE: &str = "a semicolon behind the quote that ends the value (a quote that belongs to the value: set the whole in the \
                            other kind of quotes)";

fn ado_net(text: &[u8], start: usize, pairs: &mut Vec<Pair>) -> Result<(), Broken> {
    let mut at = start;
    loop {
        while text.get(at).is_some_and(|byte| is_blank(*byte) || *byte == b';') {
            at += 1;
        }
        if at >= text.len() {
            return Ok(());
        }
        let begin = at;
        let mut name = Vec::new();
        // A doubled = belongs to the keyword.
        loop {
            match text.get(at) {
                Some(b'=') if text.get(at + 1) == Some(&b'=') => at += 1,
                Some(b'=') => break,
                Some(b';') | None => {
                    let word = trimmed(text, begin..at);
                    return Err(Broken::syntax("keyword=value, separated by semicolons", word));
                }
                Some(_) => {}
            }
            name.extend(text.get(at));
            at += 1;
        }
        let keyword = trimmed(text, begin..at);
        let name = name.get(trimmed(&name, 0..name.len())).unwrap_or_default().to_vec();
        at += 1;
        while text.get(at).is_some_and(|byte| is_blank(*byte)) {
            at += 1;
        }
        let begin = at;
        let value = match text.get(at) {
            Some(quote @ (b'"' | b'\'')) => {
                let (value, end) = doubled(text, at + 1, *quote)
                    .ok_or_else(|| Broken::syntax(ENDING_QUOTE, begin..text.len()))?;
                at = end;
                let rest = trimmed(text, at..find(text, b";", at));
                if !rest.is_empty() {
                    return Err(Broken::syntax(ENDING_QUOTE, rest));
                }
                value
            }
            _ => {
                at = find(text, b";", at);
                text.get(trimmed(text, begin..at)).unwrap_or_default().to_vec()
            }
        };
        let value_at = trimmed(text, begin..at);
        push(text, pairs, name, value, Place { keyword, value: value_at });
        at = find(text, b";", at);
    }
}

/// What stands before a closing byte, which counts as itself where it is doubled, and where it ends.
fn doubled(text: &[u8], start: usize, close: u8) -> Option<(Vec<u8>, usize)> {
    let mut value = Vec::new();
    let mut at = start;
    loop {
        let byte = *text.get(at)?;
        at += 1;
        if byte == close {
            if text.get(at) != Some(&close) {
                return Some((value, at));
            }
            at += 1;
        }
        value.push(byte);
    }
}

fn odbc(text: &[u8], start: usize, pairs: &mut Vec<Pair>) -> Result<(), Broken> {
    let mut at = start;
    while at < text.len() {
        let equals = find(text, b"=;", at);
        if text.get(equals) != Some(&b'=') {
            // What is no pair is passed over.
            at = equals + 1;
            continue;
        }
        let keyword = at..equals;
        let begin = equals + 1;
        let (value, end) = match text.get(begin) {
            Some(b'{') => doubled(text, begin + 1, b'}')
                .ok_or_else(|| Broken::syntax("the } that ends the value", begin..text.len()))?,
            _ => {
                let end = find(text, b";", begin);
                let name = text.get(keyword.clone()).unwrap_or_default();
                let encoded = [&b"pwd"[..], b"password"].iter().any(|known| name.eq_ignore_ascii_case(known));
                // A password without braces is decoded as a form's field is (dlg_specific.c, decode_or_remove_braces).
                let decode = if encoded { FORM } else { LITERAL };
                (decoded(text, &(begin..end), decode)?, end)
            }
        };
        let name = text.get(keyword.clone()).unwrap_or_default().to_vec();
        push(text, pairs, name, value, Place { keyword, value: begin..end });
        at = find(text, b";", end) + 1;
    }
    Ok(())
}

fn blanks(text: &[u8], start: usize, backslash: Backslash, pairs: &mut Vec<Pair>) -> Result<(), Broken> {
    let skip = |mut at: usize| {
        while text.get(at).is_some_and(|byte| is_blank(*byte)) {
            at += 1;
        }
        at
    };
    let mut at = skip(start);
    while at < text.len() {
        let begin = at;
        while text.get(at).is_some_and(|byte| !is_blank(*byte) && *byte != b'=') {
            at += 1;
        }
        let keyword = begin..at;
        let equals = skip(at);
        if text.get(equals) != Some(&b'=') {
            return Err(Broken::syntax("keyword=value, separated by spaces", keyword));
        }
        let begin = skip(equals + 1);
        let (value, end) = match text.get(begin) {
            Some(b'\'') => quoted(text, begin, backslash)?,
            _ => unquoted(text, begin, backslash),
        };
        let name = text.get(keyword.clone()).unwrap_or_default().to_vec();
        push(text, pairs, name, value, Place { keyword, value: begin..end });
        at = skip(end);
    }
    Ok(())
}

fn quoted(text: &[u8], start: usize, backslash: Backslash) -> Result<(Vec<u8>, usize), Broken> {
    let mut value = Vec::new();
    let mut at = start + 1;
    loop {
        match text.get(at) {
            None => return Err(Broken::syntax("the quote that ends the value", start..text.len())),
            Some(b'\'') => return Ok((value, at + 1)),
            Some(b'\\') => at += escape(text, at, backslash, &mut value),
            Some(byte) => {
                value.push(*byte);
                at += 1;
            }
        }
    }
}

fn unquoted(text: &[u8], start: usize, backslash: Backslash) -> (Vec<u8>, usize) {
    let mut value = Vec::new();
    let mut at = start;
    while let Some(byte) = text.get(at).filter(|byte| !is_blank(**byte)) {
        if *byte == b'\\' {
            at += escape(text, at, backslash, &mut value);
        } else {
            value.push(*byte);
            at += 1;
        }
    }
    (value, at.min(text.len()))
}

/// Stores what a backslash and the byte behind it stand for; gives how many bytes those are.
fn escape(text: &[u8], at: usize, backslash: Backslash, value: &mut Vec<u8>) -> usize {
    let next = text.get(at + 1);
    if backslash == Backslash::BeforeQuotes && !matches!(next, Some(b'\\' | b'\'')) {
        value.push(b'\\');
    }
    value.extend(next);
    2
}

/// The text with blanks for semicolons.
fn without_semicolons(text: &[u8], start: usize, in_quotes: bool) -> Vec<u8> {
    let mut quoted = false;
    let mut bytes = text.to_vec();
    for byte in bytes.iter_mut().skip(start) {
        match byte {
            b'\'' => quoted = !quoted,
            b';' if in_quotes || !quoted => *byte = b' ',
            _ => {}
        }
    }
    bytes
}

/// The places of what look like the keywords of pairs, whatever else is wrong with a text.
pub(in crate::clients::dialect) fn keywords(text: &[u8]) -> Vec<Range<usize>> {
    let (mut found, mut start) = (Vec::new(), 0);
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'=' => found.push(trimmed(text, start..at)),
            b';' | b'&' | b'?' | b'\'' | b'"' | b'{' | b'}' | b'\n' => start = at + 1,
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, syntax: Syntax) -> Result<Vec<(String, String)>, Broken> {
        read_with(text, Prefix::Nothing, syntax)
    }

    fn read_with(text: &str, prefix: Prefix, syntax: Syntax) -> Result<Vec<(String, String)>, Broken> {
        let mut pairs = Vec::new();
        parse(text.as_bytes(), &Rules { prefix, syntax }, &mut pairs)?;
        Ok(pairs
            .into_iter()
            .map(|pair| (pair.name, String::from_utf8_lossy(&pair.value).into_owned()))
            .collect())
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
    }

    #[test]
    fn ado_net_strings() {
        for (text, expected) in [
            ("", &[][..]),
            (" ; ;", &[]),
            ("Host=h;SSL Mode = Require ;", &[("Host", "h"), ("SSL Mode", "Require")]),
            ("Password=\"a;b=\"\"c'\";X='d\"''e'", &[("Password", "a;b=\"c'"), ("X", "d\"'e")]),
            ("a==b=c=d", &[("a=b", "c=d")]),
            ("Password=;Host=h", &[("Password", ""), ("Host", "h")]),
            ("Password={a};x=b c", &[("Password", "{a}"), ("x", "b c")]),
        ] {
            assert_eq!(read(text, Syntax::AdoNet).unwrap(), pairs(expected), "{text}");
        }
        assert_eq!(read("Host=h;b", Syntax::AdoNet).unwrap_err().place, 7..8);
        assert_eq!(read("a='b;c", Syntax::AdoNet).unwrap_err().place, 2..6);
        assert_eq!(read("a='b' x;c=d", Syntax::AdoNet).unwrap_err().place, 6..7);
    }

    #[test]
    fn odbc_strings() {
        for (text, expected) in [
            (
                "Driver={PostgreSQL Unicode};Server=h;",
                &[("Driver", "PostgreSQL Unicode"), ("Server", "h")][..],
            ),
            ("a = b; c=d;e", &[("a ", " b"), (" c", "d")]),
            ("Pwd={a;}}b};x=y", &[("Pwd", "a;}b"), ("x", "y")]),
            ("pqopt={sslrootcert='a b' x=y};z=", &[("pqopt", "sslrootcert='a b' x=y"), ("z", "")]),
        ] {
            assert_eq!(read(text, Syntax::Odbc).unwrap(), pairs(expected), "{text}");
        }
        assert_eq!(read("Pwd={a;b", Syntax::Odbc).unwrap_err().place, 4..8);
    }

    #[test]
    fn strings_of_libpqs_form() {
        let escapes = Syntax::Blanks(Backslash::Escapes);
        for (text, syntax, expected) in [
            (r"a = b c='d e\'f' g=\h", escapes, &[("a", "b"), ("c", "d e'f"), ("g", "h")][..]),
            (
                r"a=c:\ssl\x b='\'\\n\n'",
                Syntax::Blanks(Backslash::BeforeQuotes),
                &[("a", r"c:\ssl\x"), ("b", r"'\n\n")],
            ),
            ("a=b;c=d", Syntax::SemicolonsToo { in_quotes: true }, &[("a", "b"), ("c", "d")]),
            ("a='b;c';d=e", Syntax::SemicolonsToo { in_quotes: true }, &[("a", "b c"), ("d", "e")]),
            ("a='b;c';d=e", Syntax::SemicolonsToo { in_quotes: false }, &[("a", "b;c"), ("d", "e")]),
        ] {
            assert_eq!(read(text, syntax).unwrap(), pairs(expected), "{text}");
        }
        assert_eq!(read("a=b c", escapes).unwrap_err().place, 4..5);
        assert_eq!(read("a='b", escapes).unwrap_err().place, 2..4);
    }

    #[test]
    fn prefixes() {
        let syntax = Syntax::SemicolonsToo { in_quotes: false };
        assert_eq!(read_with("pgsql:a=b", Prefix::Pdo, syntax).unwrap(), pairs(&[("a", "b")]));
        assert_eq!(
            read_with("DBI:Pg(RaiseError=>1):a=b", Prefix::Dbi, syntax).unwrap(),
            pairs(&[("a", "b")])
        );
        for (text, length) in [
            ("dbi:Pg:x", Some(7)),
            ("dbi:pg:x", None),
            ("dbi:Pg", None),
            ("dbi:Pg(x", None),
            ("dbi:Px:", None),
        ] {
            assert_eq!(Prefix::Dbi.length(text.as_bytes()), length, "{text}");
        }
        assert_eq!(Prefix::Pdo.length(b"PGSQL:"), None);
    }

    #[test]
    fn keywords_are_seen_from_afar() {
        let text = b"Host=h;SSL Mode=x; a = b";
        let found: Vec<&[u8]> = keywords(text).into_iter().map(|range| &text[range]).collect();
        assert_eq!(found, [&b"Host"[..], b"SSL Mode", b"a"]);
    }
}
