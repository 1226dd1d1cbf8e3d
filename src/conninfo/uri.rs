//! Connection URIs (fe-connect.c, conninfo_uri_parse_options):
//! `postgresql://[user[:password]@][host][:port][,…][/dbname][?keyword=value&…]`.

use std::ops::Range;

use super::grammar::{Assignment, Place, Refused, Store};
use super::{LibpqVersion, SyntaxErrorKind, Unencoded, Value, options};
use crate::bytes::Reader;
use crate::order;

const SCHEMES: [&[u8]; 2] = [b"postgresql://", b"postgres://"];

/// Whether libpq reads a string as a URI: it begins, in lower case and without a space, with one of the schemes.
pub(super) fn is_uri(input: &[u8]) -> bool {
    scheme_length(input).is_some()
}

/// The length of the scheme, slashes included.
pub(super) fn scheme_length(input: &[u8]) -> Option<usize> {
    SCHEMES.iter().find(|scheme| input.starts_with(scheme)).map(|scheme| scheme.len())
}

/// Reads a whole URI into `store`, up to the first thing libpq refuses.
pub(super) fn parse(input: &[u8], store: &mut Store) -> Result<(), Refused> {
    let mut reader = Reader::new(input);
    for _ in 0..scheme_length(input).unwrap_or(0) {
        reader.u8();
    }
    let mut uri = Uri { input, store };
    let rest = input.get(reader.position()..).unwrap_or_default();
    let has_user = rest.iter().find(|byte| matches!(byte, b'@' | b'/')) == Some(&b'@');
    if has_user {
        uri.user_and_password(&mut reader)?;
    }
    uri.hosts_and_ports(&mut reader)?;
    if reader.peek() == Some(b'/') {
        reader.u8();
        let start = reader.position();
        reader.skip_while(|byte| byte != b'?');
        uri.component("dbname", start..reader.position())?;
    }
    uri.suspect_spilt_password();
    if reader.u8().is_some() {
        uri.parameters(&mut reader)?;
    }
    Ok(())
}

struct Uri<'a, 'b> {
    input: &'a [u8],
    store: &'b mut Store,
}

impl Uri<'_, '_> {
    /// `user[:password]@`; the user ends at the first `:`, both end at the first `@`.
    fn user_and_password(&mut self, reader: &mut Reader) -> Result<(), Refused> {
        let start = reader.position();
        reader.skip_while(|byte| byte != b':' && byte != b'@');
        self.component("user", start..reader.position())?;
        if reader.peek() == Some(b':') {
            reader.u8();
            let start = reader.position();
            reader.skip_while(|byte| byte != b'@');
            self.component("password", start..reader.position())?;
        }
        reader.u8();
        Ok(())
    }

    /// `host[:port][,…]`: two lists, joined by commas before anything is decoded.
    fn hosts_and_ports(&mut self, reader: &mut Reader) -> Result<(), Refused> {
        let mut hosts = List::default();
        let mut ports = List::default();
        loop {
            let host = self.host(reader)?;
            hosts.push(self.input, host);
            let at = reader.position();
            if reader.peek() == Some(b':') {
                reader.u8();
                let start = reader.position();
                reader.skip_while(|byte| !matches!(byte, b'/' | b'?' | b','));
                ports.push(self.input, start..reader.position());
            } else {
                ports.push(self.input, at..at);
            }
            if reader.peek() != Some(b',') {
                break;
            }
            reader.u8();
            hosts.text.push(b',');
            ports.text.push(b',');
        }
        for (keyword, list) in [("host", hosts), ("port", ports)] {
            if !list.text.is_empty() {
                self.store(keyword, &list.text, list.place.unwrap_or_default())?;
            }
        }
        Ok(())
    }

    /// One host: what stands in brackets, else what comes before a port, path, query or comma.
    fn host(&self, reader: &mut Reader) -> Result<Range<usize>, Refused> {
        let opening = reader.position();
        if reader.peek() != Some(b'[') {
            reader.skip_while(|byte| !matches!(byte, b':' | b'/' | b'?' | b','));
            return Ok(opening..reader.position());
        }
        reader.u8();
        let start = reader.position();
        reader.skip_while(|byte| byte != b']');
        let end = reader.position();
        if reader.u8().is_none() {
            return Err(Refused::syntax(SyntaxErrorKind::UnclosedBracket, opening..end));
        }
        if start == end {
            return Err(Refused::syntax(SyntaxErrorKind::EmptyBrackets, opening..end + 1));
        }
        if !reader.peek().is_none_or(|byte| matches!(byte, b':' | b'/' | b'?' | b',')) {
            let at = reader.position();
            return Err(Refused::syntax(SyntaxErrorKind::TextBehindBracket, at..at + 1));
        }
        Ok(start..end)
    }

    /// `keyword=value&…`
    fn parameters(&mut self, reader: &mut Reader) -> Result<(), Refused> {
        while reader.peek().is_some() {
            let start = reader.position();
            reader.skip_while(|byte| byte != b'=' && byte != b'&');
            let keyword = start..reader.position();
            if reader.peek() != Some(b'=') {
                return Err(Refused::syntax(SyntaxErrorKind::ParameterWithoutEquals, keyword));
            }
            reader.u8();
            let start = reader.position();
            reader.skip_while(|byte| byte != b'=' && byte != b'&');
            if reader.peek() == Some(b'=') {
                let at = reader.position();
                return Err(Refused::syntax(SyntaxErrorKind::ParameterWithTwoEquals, at..at + 1));
            }
            let value = start..reader.position();
            reader.u8();
            self.parameter(keyword, value)?;
        }
        Ok(())
    }

    fn parameter(&mut self, keyword: Range<usize>, value: Range<usize>) -> Result<(), Refused> {
        let place = Place { keyword: keyword.clone(), value: value.clone() };
        let name = self.decode(self.text(&keyword), keyword.start)?;
        let value = self.decode(self.text(&value), value.start)?;
        // As JDBC has it.
        if name == b"ssl" && value == b"true" {
            return self.store.assign(b"sslmode", Assignment::new(b"require".to_vec(), place));
        }
        self.store.assign(&name, Assignment::new(value, place))
    }

    /// Stores a component unless it is empty: an empty one leaves the word to the environment.
    fn component(&mut self, keyword: &str, span: Range<usize>) -> Result<(), Refused> {
        if span.is_empty() {
            return Ok(());
        }
        let text = self.text(&span).to_vec();
        self.store(keyword, &text, span)
    }

    fn store(&mut self, keyword: &str, text: &[u8], span: Range<usize>) -> Result<(), Refused> {
        let value = self.decode(text, span.start)?;
        let place = Place { keyword: span.start..span.start, value: span };
        self.store.assign(keyword.as_bytes(), Assignment::new(value, place))
    }

    /// What libpq makes of the rest of a password that it ends early: a host, a port, a database.
    fn suspect_spilt_password(&mut self) {
        let authority = self.input.get(scheme_length(self.input).unwrap_or(0)..).unwrap_or_default();
        if unencoded_password(self.input).is_some() {
            self.store.suspect(|keyword, _| matches!(keyword, "host" | "port" | "dbname"));
        } else if password_in_authority(authority).is_none() && !ports_that_are_none(authority).is_empty() {
            self.store.suspect(|keyword, _| keyword == "port");
        }
    }

    fn text(&self, span: &Range<usize>) -> &[u8] {
        self.input.get(span.clone()).unwrap_or_default()
    }

    /// Percent-decoding (conninfo_uri_decode). Since 18 spaces round a component are dropped and inside one refused.
    /// `offset` is where the text begins in the string.
    fn decode(&self, text: &[u8], offset: usize) -> Result<Vec<u8>, Refused> {
        let strict = self.store.version >= LibpqVersion::V18;
        let mut reader = Reader::new(text);
        if strict {
            reader.skip_while(|byte| byte == b' ');
        }
        let mut value = Vec::with_capacity(text.len());
        while let Some(byte) = reader.peek().filter(|byte| !strict || *byte != b' ') {
            let at = reader.position();
            reader.u8();
            if byte != b'%' {
                value.push(byte);
                continue;
            }
            let digits = reader.u8().zip(reader.u8());
            let span = offset + at..offset + reader.position();
            match digits.and_then(|(high, low)| Some(16 * hex(high)? + hex(low)?)) {
                None => return Err(Refused::syntax(SyntaxErrorKind::BadPercentEncoding, span)),
                Some(0) => return Err(Refused::syntax(SyntaxErrorKind::NulByte, span)),
                Some(byte) => value.push(byte),
            }
        }
        let spaces = reader.position();
        reader.skip_while(|byte| byte == b' ');
        if reader.peek().is_some() {
            let span = offset + spaces..offset + reader.position();
            return Err(Refused::syntax(SyntaxErrorKind::BareSpace, span));
        }
        Ok(value)
    }
}

/// Whether a string is a URI whose password, or the user before it, holds an unencoded `@` or `/`: libpq would take pieces
/// of it for a host, a port or a database.
pub fn has_unencoded_password(input: &[u8]) -> bool {
    unencoded_password(input).is_some()
}

/// Whether a URI holds a password that libpq takes apart: everything from the first `:` of the user's part to the last `@`
/// counts as one, and libpq ends it at the first `@`, or finds none where a `/` stands before that.
pub(super) fn unencoded_password(input: &[u8]) -> Option<Unencoded> {
    let scheme = scheme_length(input)?;
    let authority = input.get(scheme..)?;
    let password = password_in_authority(authority)?;
    let first = authority.iter().position(|byte| matches!(byte, b'@' | b'/'))?;
    if first == password.end {
        return None;
    }
    let in_user = first < password.start;
    let user = authority.get(..password.start - 1)?;
    let wrong = if in_user { 0..password.start - 1 } else { password.clone() };
    let special = |byte: &&u8| matches!(byte, b'@' | b'/' | b'?');
    let mut characters: Vec<char> =
        authority.get(wrong.clone())?.iter().filter(special).map(|byte| char::from(*byte)).collect();
    order::sort(&mut characters);
    characters.dedup();
    let mut without = input.get(..scheme)?.to_vec();
    for byte in user {
        match byte {
            b'@' => without.extend(b"%40"),
            b'/' => without.extend(b"%2F"),
            b'?' => without.extend(b"%3F"),
            _ => without.push(*byte),
        }
    }
    without.extend(authority.get(password.end..)?);
    Some(Unencoded {
        span: scheme + wrong.start..scheme + password.end,
        characters,
        in_user,
        without_password: Value::new(without),
    })
}

/// In what follows a URI's `//`: what stands in the place of a port and is no number, but for the digits it begins with. It
/// is the password of a login without its `@`.
pub(super) fn ports_that_are_none(authority: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    loop {
        let rest = authority.get(at..).unwrap_or_default();
        let address = if rest.starts_with(b"[") { rest.iter().position(|byte| *byte == b']') } else { None };
        let from = address.unwrap_or(0);
        let ends = |byte: &u8| matches!(byte, b'/' | b'?' | b',');
        let end = rest.iter().skip(from).position(ends).map_or(rest.len(), |end| end + from);
        let host = rest.get(..end).unwrap_or_default();
        let behind_login = host.rsplit(|byte| *byte == b'@').next().unwrap_or_default();
        let host = if is_bare_address(behind_login) { &[][..] } else { host };
        if let Some(colon) = host.iter().skip(from).position(|byte| *byte == b':').map(|colon| colon + from) {
            let port = host.get(colon + 1..).unwrap_or_default();
            let digits = port.iter().take_while(|byte| byte.is_ascii_digit()).count();
            // Behind a login no password begins with a port of PostgreSQL's or a pooler's.
            let is_port = host.contains(&b'@')
                && [&b"5432"[..], b"6432"].contains(&port.get(..digits).unwrap_or_default());
            if !is_port {
                found.push(at + colon + 1 + digits..at + end);
            }
        }
        if rest.get(end) != Some(&b',') {
            found.retain(|port| !port.is_empty());
            return found;
        }
        at += end + 1;
    }
}

/// An IPv6 address without its brackets, with a port or none.
fn is_bare_address(host: &[u8]) -> bool {
    let Ok(host) = std::str::from_utf8(host) else { return false };
    let is_address = |text: &str| text.parse::<std::net::Ipv6Addr>().is_ok();
    let with_port = |(address, port): (&str, &str)| is_address(address) && port.parse::<u16>().is_ok();
    is_address(host) || host.rsplit_once(':').is_some_and(with_port)
}

/// The password in what follows a URI's `//`, in bytes of it: from the first `:` to the last `@` before the query,
/// since people type passwords with bare `/`, `@` and `?`, and user names with an `@`.
pub(super) fn password_in_authority(authority: &[u8]) -> Option<Range<usize>> {
    let position = |wanted: &[u8], from: usize| {
        authority.iter().skip(from).position(|byte| wanted.contains(byte)).map(|at| at + from)
    };
    // An IPv6 address has colons of its own.
    let after_address = if authority.starts_with(b"[") { position(b"]", 0)? } else { 0 };
    let colon = position(b":", after_address)?;
    // A query begins behind the user and password, as libpq finds them, and with an option.
    let user_end = position(b"@/", 0).filter(|at| authority.get(*at) == Some(&b'@')).unwrap_or(0);
    let is_query = |at: &usize| {
        let name = authority.get(at + 1..).and_then(|rest| rest.split(|byte| *byte == b'=').next());
        name.is_some_and(|name| options::find(name).is_some() || name == b"ssl")
    };
    let query = position(b"?", user_end).filter(is_query).unwrap_or(authority.len());
    let at = authority.iter().take(query).rposition(|byte| *byte == b'@')?;
    (colon < at).then_some(colon + 1..at)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// A list of the authority, joined by commas, and from where to where it reaches.
#[derive(Default)]
struct List {
    text: Vec<u8>,
    place: Option<Range<usize>>,
}

impl List {
    fn push(&mut self, input: &[u8], span: Range<usize>) {
        self.text.extend(input.get(span.clone()).unwrap_or_default());
        if !span.is_empty() || self.place.is_none() {
            let first =
                self.place.take().filter(|place| !place.is_empty()).map_or(span.start, |place| place.start);
            self.place = Some(first..span.end);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::conninfo::LibpqVersion::{V15, V18};
    use crate::conninfo::{Parsed, SyntaxErrorKind, parse_as};

    fn pairs(parsed: &Parsed) -> Vec<(&str, String)> {
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        parsed.assignments.iter().map(|(keyword, found)| (*keyword, text(found.value.as_bytes()))).collect()
    }

    #[test]
    fn components() {
        for (input, expected) in [
            ("postgresql://", &[][..]),
            ("postgres://:@:/?", &[]),
            (
                "postgresql://u:p@h:1/d",
                &[("user", "u"), ("password", "p"), ("host", "h"), ("port", "1"), ("dbname", "d")],
            ),
            ("postgresql://u:p@q@h", &[("user", "u"), ("password", "p"), ("host", "q@h")]),
            ("postgresql://u:p/w@h", &[("host", "u"), ("port", "p"), ("dbname", "w@h")]),
            ("postgresql://u:a:b@", &[("user", "u"), ("password", "a:b")]),
            ("postgresql://[::1]:2,b", &[("host", "::1,b"), ("port", "2,")]),
            ("postgresql://h:5:6", &[("host", "h"), ("port", "5:6")]),
            ("postgresql://a,b:1", &[("host", "a,b"), ("port", ",1")]),
            ("postgresql:///a/b?", &[("dbname", "a/b")]),
            ("postgresql://h/d#f", &[("host", "h"), ("dbname", "d#f")]),
            ("postgresql://%2Fsock/%64", &[("host", "/sock"), ("dbname", "d")]),
            ("postgresql://?host=/s&port=1&", &[("host", "/s"), ("port", "1")]),
            ("postgresql://?ssl=true", &[("sslmode", "require")]),
            ("postgresql://?requiressl=1", &[("sslmode", "require")]),
            ("postgresql://?user=a+b;c", &[("user", "a+b;c")]),
        ] {
            for version in [V15, V18] {
                let parsed = parse_as(input.as_bytes(), version).unwrap();
                let expected: Vec<_> =
                    expected.iter().map(|(keyword, value)| (*keyword, (*value).to_owned())).collect();
                assert_eq!(pairs(&parsed), expected, "{input}");
            }
        }
    }

    #[test]
    fn refusals_have_their_place() {
        use SyntaxErrorKind::*;
        for (input, kind, span) in [
            ("postgresql://[::1", UnclosedBracket, 13..17),
            ("postgresql://[]", EmptyBrackets, 13..15),
            ("postgresql://[::1]z", TextBehindBracket, 18..19),
            ("postgresql://h?k", ParameterWithoutEquals, 15..16),
            ("postgresql://h?&", ParameterWithoutEquals, 15..15),
            ("postgresql://h?port=b=c", ParameterWithTwoEquals, 21..22),
            ("postgresql://u:x%zz@h", BadPercentEncoding, 16..19),
            ("postgresql://h/d%4", BadPercentEncoding, 16..18),
            ("postgresql://h/%00", NulByte, 15..18),
            ("postgresql://h/a b", BareSpace, 16..17),
        ] {
            let refusal = parse_as(input.as_bytes(), V18).unwrap_err().refusal;
            assert_eq!(
                refusal.syntax_error().map(|error| (error.kind, error.span)),
                Some((kind, span)),
                "{input}"
            );
        }
    }

    #[test]
    fn spaces_by_version() {
        let uri = b"postgresql:// u @ h /d ?port= 1 ";
        let values = |version| {
            pairs(&parse_as(uri, version).unwrap()).into_iter().map(|(_, value)| value).collect::<Vec<_>>()
        };
        assert_eq!(values(V15), [" u ", " h ", "d ", " 1 "]);
        assert_eq!(values(V18), ["u", "h", "d", "1"]);
    }

    #[test]
    fn unknown_options_by_version() {
        let uri = b"postgresql://h?sslnegotiation=direct";
        assert!(parse_as(uri, V15).is_err());
        assert!(parse_as(uri, V18).is_ok());
        assert!(parse_as(b"postgresql://h?ssl=false", V18).is_err());
    }

    #[test]
    fn a_password_that_spills_over_is_suspected() {
        for (uri, suspects) in [
            ("postgresql://u:p/w@h/d", &["host", "port", "dbname"][..]),
            ("postgresql://u:p@w@h:1/d", &["host", "port", "dbname"]),
            ("postgresql://u@server:p@h/d", &["host", "port", "dbname"]),
            ("postgresql://u:p@h/d@e", &["host", "dbname"]),
            ("postgresql://u:p", &["port"]),
            ("postgresql://h:5432", &[]),
            ("postgresql://h:5432/d?user=a@b", &[]),
        ] {
            let parsed = parse_as(uri.as_bytes(), V18).unwrap();
            let found: Vec<_> =
                parsed.assignments.iter().filter(|(_, a)| a.may_hold_password).map(|(k, _)| *k).collect();
            assert_eq!(found, suspects, "{uri}");
        }
    }
}
