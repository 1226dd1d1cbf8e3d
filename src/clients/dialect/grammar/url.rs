//! Connection URLs. Every driver's parser cuts at other places: which `@` ends the password, whether `#` ends the URL,
//! whether several hosts can be named, what `%` and `+` stand for and where. [`Rules`] has these choices.
//!
//! Followed: the WHATWG URL standard (Node, the `url` crate), Go's net/url, Python's urllib.parse, Ruby's uri, Elixir's
//! URI, java.net.URLDecoder and pgjdbc's and SQLAlchemy's own parsers, each as far as its driver's strings show it.

use std::ops::Range;

use super::super::text::{find, split};
use super::super::{FaultKind, Kind, Place};
use super::{Broken, Pair, Part};

/// Whether some driver has a keyword of a name.
pub(in crate::clients::dialect) type Known = fn(&str) -> bool;

/// How a driver reads URLs.
#[derive(Debug)]
pub(in crate::clients::dialect) struct Rules {
    /// What they begin with, up to the authority.
    pub schemes: &'static [&'static str],
    /// Whether the scheme's case counts.
    pub exact_scheme: bool,
    pub login: Login,
    /// What ends the authority.
    pub authority_ends: &'static [u8],
    /// Whether `#` ends the URL.
    pub fragment: bool,
    /// Whether commas separate hosts.
    pub several_hosts: bool,
    /// User and password.
    pub user: Decode,
    pub host: Decode,
    pub path: Decode,
    pub query: Decode,
    pub path_form: Path,
    /// What a name without `=` in the query is.
    pub bare: Bare,
    /// Whether the query's host, port, user, password and database take the place of the authority's (else the
    /// other way round).
    pub query_wins: bool,
}

/// Where user and password stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::clients::dialect) enum Login {
    /// Nowhere: an `@` belongs to the host.
    Nowhere,
    /// In the authority, up to its first `@`.
    ToFirst,
    /// In the authority, up to its last `@`.
    ToLast,
    /// As SQLAlchemy's expression has it: the user has neither `:` nor `/`, the password goes on to the first `@`
    /// wherever that is.
    Sqlalchemy,
    /// Up to the first `@` of all that follows the scheme.
    Anywhere,
}

/// How escapes are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::clients::dialect) struct Decode {
    pub percent: Percent,
    /// Whether `+` is a blank.
    pub plus: bool,
}

/// What `%` begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::clients::dialect) enum Percent {
    /// Nothing.
    Literal,
    /// A byte, if two hexadecimal digits follow.
    Lenient,
    /// A byte; anything else is an error.
    Strict,
    /// A byte, but not one of `;/?:@&=+$,#` (decodeURI).
    Unreserved,
}

/// What the path may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::clients::dialect) enum Path {
    /// Anything: the database, without the first slash.
    Database,
    /// There must be a slash behind the hosts, and no other (pgjdbc). Without `//` everything is the database.
    Jdbc,
    /// One segment, not empty (Ecto).
    OneSegment,
}

/// What a query's name without `=` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::clients::dialect) enum Bare {
    /// Set to nothing.
    Empty,
    /// Left out.
    Dropped,
    /// An error.
    Refused,
}

pub(in crate::clients::dialect) const LENIENT: Decode = Decode { percent: Percent::Lenient, plus: false };
pub(in crate::clients::dialect) const STRICT: Decode = Decode { percent: Percent::Strict, plus: false };
pub(in crate::clients::dialect) const LITERAL: Decode = Decode { percent: Percent::Literal, plus: false };
/// As forms are encoded.
pub(in crate::clients::dialect) const FORM: Decode = Decode { percent: Percent::Lenient, plus: true };
pub(in crate::clients::dialect) const STRICT_FORM: Decode = Decode { percent: Percent::Strict, plus: true };

impl Rules {
    /// The length of the scheme at the beginning of a text.
    pub(in crate::clients::dialect) fn scheme(&self, text: &[u8]) -> Option<usize> {
        let begins = |scheme: &&&str| {
            let start = text.get(..scheme.len()).unwrap_or_default();
            if self.exact_scheme {
                start == scheme.as_bytes()
            } else {
                start.eq_ignore_ascii_case(scheme.as_bytes())
            }
        };
        self.schemes.iter().filter(begins).map(|scheme| scheme.len()).max()
    }
}

/// The parts of a URL, as ranges of it.
#[derive(Debug, Default)]
struct Parts {
    user: Option<Range<usize>>,
    password: Option<Range<usize>>,
    hosts: Range<usize>,
    path: Option<Range<usize>>,
    query: Option<Range<usize>>,
}

/// Takes a URL apart. One whose parameters begin with `&` is read as it is meant.
pub(super) fn parse(text: &[u8], rules: &Rules, known: Known, pairs: &mut Vec<Pair>) -> Result<(), Broken> {
    let start = rules.scheme(text).unwrap_or(0);
    let Some(at) = forgotten_question_mark(text, start, known) else {
        return parse_whole(text, start, rules, known, pairs);
    };
    let mut meant = text.to_vec();
    if let Some(byte) = meant.get_mut(at) {
        *byte = b'?';
    }
    parse_whole(&meant, start, rules, known, pairs)?;
    Err(Broken::new(FaultKind::AmpersandFirst, at..at + 1))
}

/// The `&` behind the path and before a keyword of anybody's, in a URL without any `?`.
pub(in crate::clients::dialect) fn forgotten_question_mark(
    text: &[u8],
    start: usize,
    known: Known,
) -> Option<usize> {
    let rest = text.get(start..).filter(|rest| !rest.contains(&b'?'))?;
    let slashes = if rest.starts_with(b"//") { 2 } else { 0 };
    let path = find(text, b"/", start + slashes);
    let signs = (path..text.len()).filter(|at| text.get(*at) == Some(&b'&'));
    let is_keyword = |at: &usize| {
        let equals = find(text, b"=&", at + 1);
        let name = std::str::from_utf8(text.get(at + 1..equals).unwrap_or_default());
        text.get(equals) == Some(&b'=') && name.is_ok_and(known)
    };
    // Before an @ it belongs to a password.
    let at = signs.into_iter().find(is_keyword)?;
    (!text.get(path..at)?.contains(&b'@')).then_some(at)
}

fn parse_whole(
    text: &[u8],
    start: usize,
    rules: &Rules,
    known: Known,
    pairs: &mut Vec<Pair>,
) -> Result<(), Broken> {
    let parts = parts(text, start, rules)?;
    if let Some(unencoded) = unencoded(text, start, rules, &parts, known) {
        return Err(unencoded);
    }
    let mut url = Url { text, pairs };
    for (name, part) in [("user", &parts.user), ("password", &parts.password)] {
        if let Some(range) = part.as_ref().filter(|range| !range.is_empty()) {
            url.push(name, range.clone(), rules.user)?;
        }
    }
    url.hosts(&parts.hosts, rules)?;
    match &parts.path {
        Some(path) => url.path(path.clone(), rules)?,
        None if rules.path_form == Path::OneSegment => url.path(parts.hosts.end..parts.hosts.end, rules)?,
        None => {}
    }
    if let Some(query) = &parts.query {
        url.query(query.clone(), rules)?;
    }
    Ok(())
}

fn parts(text: &[u8], start: usize, rules: &Rules) -> Result<Parts, Broken> {
    let end = if rules.fragment { find(text, b"#", start) } else { text.len() };
    let mut parts = Parts::default();
    if rules.path_form == Path::Jdbc {
        return jdbc(text, start);
    }
    let authority = find(text, rules.authority_ends, start).min(end);
    let at = |range: Range<usize>, last: bool| -> Option<usize> {
        let mut found = range.filter(|at| text.get(*at) == Some(&b'@'));
        if last { found.next_back() } else { found.next() }
    };
    let login_end = match rules.login {
        Login::Nowhere => None,
        Login::ToFirst => at(start..authority, false),
        Login::ToLast => at(start..authority, true),
        Login::Anywhere => at(start..end, false),
        Login::Sqlalchemy => {
            let stop = find(text, b":/", start);
            let behind_colon = (text.get(stop) == Some(&b':')).then(|| at(stop..end, false)).flatten();
            behind_colon.or_else(|| at(start..stop, true))
        }
    };
    let mut rest = start;
    if let Some(login_end) = login_end {
        let colon = find(text, b":", start).min(login_end);
        parts.user = Some(start..colon);
        parts.password = (colon < login_end).then(|| colon + 1..login_end);
        rest = login_end + 1;
    }
    let hosts_end = find(text, rules.authority_ends, rest).min(end);
    parts.hosts = rest..hosts_end;
    let path_end = find(text, b"?", hosts_end).min(end);
    parts.path = (text.get(hosts_end) == Some(&b'/')).then(|| hosts_end + 1..path_end);
    parts.query = (path_end < end).then(|| path_end + 1..end);
    Ok(parts)
}

/// pgjdbc's parseURL: the first `?` begins the query, then a slash has to follow the hosts.
fn jdbc(text: &[u8], start: usize) -> Result<Parts, Broken> {
    let query = find(text, b"?", start);
    let mut parts = Parts { query: (query < text.len()).then(|| query + 1..text.len()), ..Parts::default() };
    let server = text.get(start..query).unwrap_or_default();
    parts.hosts = start..start;
    if !server.starts_with(b"//") {
        if server.starts_with(b"/") {
            return Err(Broken::syntax(
                "// and a host, or a database, behind jdbc:postgresql:",
                start..query,
            ));
        }
        parts.path = Some(start..query);
        return Ok(parts);
    }
    if server == b"//" || server == b"///" {
        return Ok(parts);
    }
    let slash = find(text, b"/", start + 2);
    if slash >= query {
        return Err(Broken::syntax("a / behind the host: jdbc:postgresql://HOST/DATABASE", query..query));
    }
    let second = find(text, b"/", slash + 1);
    if second < query {
        // A password before the host has it.
        if let Some(at) = server.iter().rposition(|byte| *byte == b'@') {
            return Err(Broken::new(FaultKind::LoginInUrl, start + at..start + at + 1));
        }
        return Err(Broken::syntax("one / behind the host: a / in the database is %2F", second..second + 1));
    }
    parts.hosts = start + 2..slash;
    parts.path = Some(slash + 1..query);
    Ok(parts)
}

/// Where a password lacks an escape, if one does.
pub(super) fn spilt(text: &[u8], rules: &Rules, known: Known) -> Option<Broken> {
    let start = rules.scheme(text)?;
    unencoded(text, start, rules, &parts(text, start, rules).ok()?, known)
}

/// The password of a URL as people type it goes from the first `:` of the login to the last `@` before the query. Where
/// the driver finds it elsewhere, a character in it lacks its escape, and host, path and query may be pieces of it.
fn unencoded(text: &[u8], start: usize, rules: &Rules, parts: &Parts, known: Known) -> Option<Broken> {
    let typed = password_as_typed(text, start, known)?;
    let read = parts.password.clone().unwrap_or(0..0);
    if read == typed {
        return None;
    }
    let special = |byte: &u8| b"@/?#:[]".contains(byte);
    // The first character behind which the driver looks for something else.
    let cut = if rules.login == Login::Nowhere || parts.password.is_none() {
        typed.clone().find(|at| text.get(*at).is_some_and(special)).unwrap_or(typed.end)
    } else {
        read.end
    };
    let character = text.get(cut).copied().unwrap_or(b'@');
    let kind = match rules.login {
        Login::Nowhere => FaultKind::LoginInUrl,
        _ => FaultKind::Unencoded(character),
    };
    Some(Broken::new(kind, cut..cut + 1))
}

/// From the first `:` of the login to the last `@` before what is surely the query, in bytes of the text.
pub(in crate::clients::dialect) fn password_as_typed(
    text: &[u8],
    start: usize,
    known: Known,
) -> Option<Range<usize>> {
    let rest = text.get(start..).unwrap_or_default();
    let after_address =
        if rest.starts_with(b"[") { start + rest.iter().position(|byte| *byte == b']')? } else { start };
    let colon = find(text, b":", after_address);
    let query = (after_address..text.len())
        .find(|at| text.get(*at) == Some(&b'?') && begins_query(text, *at + 1, known));
    let before_query = text.get(..query.unwrap_or(text.len())).unwrap_or_default();
    let at = before_query.iter().rposition(|byte| *byte == b'@').filter(|at| *at >= start)?;
    (colon < at).then_some(colon + 1..at)
}

/// Whether `name=` with the name of some driver's follows, and no `@` behind it that could end a password.
fn begins_query(text: &[u8], start: usize, known: Known) -> bool {
    let end = find(text, b"=&?@", start);
    let name = text.get(start..end).unwrap_or_default();
    if !std::str::from_utf8(name).is_ok_and(known) {
        return false;
    }
    // Names and options may hold an `@`; a mode or a file with one is rather the rest of a password.
    let pairs = split(text, start..text.len(), b'&');
    let suspicious = |pair: &Range<usize>| {
        let value = find(text, b"=", pair.start).min(pair.end);
        let name = text.get(pair.start..value).unwrap_or_default();
        let has_at = text.get(value..pair.end).is_some_and(|value| value.contains(&b'@'));
        has_at && !std::str::from_utf8(name).is_ok_and(may_hold_at)
    };
    !pairs.iter().any(suspicious)
}

/// Whether the values of a keyword of this name may well hold an `@`.
fn may_hold_at(name: &str) -> bool {
    const NAMES: [&str; 9] = [
        "user",
        "username",
        "password",
        "options",
        "application_name",
        "applicationname",
        "fallback_application_name",
        "dbname",
        "search_path",
    ];
    NAMES.iter().any(|known| known.eq_ignore_ascii_case(name))
}

struct Url<'a> {
    text: &'a [u8],
    pairs: &'a mut Vec<Pair>,
}

impl Url<'_> {
    fn bytes(&self, range: &Range<usize>) -> &[u8] {
        self.text.get(range.clone()).unwrap_or_default()
    }

    fn push(&mut self, name: &str, range: Range<usize>, decode: Decode) -> Result<(), Broken> {
        let value = decoded(self.text, &range, decode)?;
        self.store(name, value, range);
        Ok(())
    }

    fn store(&mut self, name: &str, value: Vec<u8>, range: Range<usize>) {
        self.pairs.push(Pair {
            name: name.to_owned(),
            part: Part::Fixed,
            value,
            kind: Kind::Text,
            place: Place { keyword: range.start..range.start, value: range },
        });
    }

    /// Hosts and ports as two lists, as libpq has them.
    fn hosts(&mut self, range: &Range<usize>, rules: &Rules) -> Result<(), Broken> {
        if range.is_empty() {
            return Ok(());
        }
        let slots = split(self.text, range.clone(), b',');
        if slots.len() > 1 && !rules.several_hosts {
            let why = "one host: this driver looks up the whole list as one name";
            return Err(Broken::new(FaultKind::InvalidValue("host".into(), why.into()), range.clone()));
        }
        let (mut hosts, mut ports) = (Vec::new(), Vec::new());
        for (index, slot) in slots.iter().enumerate() {
            if index > 0 {
                hosts.push(b',');
                ports.push(b',');
            }
            let (host, port) = self.host_and_port(slot)?;
            hosts.extend(decoded(self.text, &host, rules.host)?);
            ports.extend(port.as_ref().map(|port| self.bytes(port)).unwrap_or_default());
        }
        let nothing = |list: &[u8]| list.iter().all(|byte| *byte == b',');
        if !nothing(&hosts) {
            self.store("host", hosts, range.clone());
        }
        if !nothing(&ports) {
            self.store("port", ports, ports_place(self.text, &slots));
        }
        Ok(())
    }

    fn host_and_port(&self, slot: &Range<usize>) -> Result<(Range<usize>, Option<Range<usize>>), Broken> {
        let bytes = self.bytes(slot);
        let (host, rest) = if bytes.starts_with(b"[") {
            let close = find(self.text, b"]", slot.start);
            if close >= slot.end {
                return Err(Broken::syntax("] behind an IPv6 address", slot.clone()));
            }
            (slot.start + 1..close, close + 1)
        } else {
            let colon = bytes.iter().rposition(|byte| *byte == b':').map_or(slot.end, |at| slot.start + at);
            (slot.start..colon, colon)
        };
        if rest == slot.end {
            return Ok((host, None));
        }
        let port = rest + 1..slot.end;
        let digits = self.bytes(&port).iter().all(u8::is_ascii_digit);
        // Nothing behind the colon is rather a password that begins with a slash.
        if self.text.get(rest) != Some(&b':') || !digits || port.is_empty() {
            return Err(Broken::new(
                FaultKind::InvalidValue("port".into(), "a number".into()),
                rest..slot.end,
            ));
        }
        Ok((host, Some(port)))
    }

    fn path(&mut self, path: Range<usize>, rules: &Rules) -> Result<(), Broken> {
        if rules.path_form == Path::OneSegment && (path.is_empty() || self.bytes(&path).contains(&b'/')) {
            return Err(Broken::syntax("one segment as path: the database", path));
        }
        if path.is_empty() {
            return Ok(());
        }
        self.push("dbname", path, rules.path)
    }

    fn query(&mut self, query: Range<usize>, rules: &Rules) -> Result<(), Broken> {
        for pair in split(self.text, query, b'&') {
            if pair.is_empty() {
                continue;
            }
            let equals = find(self.text, b"=", pair.start).min(pair.end);
            if equals == pair.end {
                match rules.bare {
                    Bare::Dropped => continue,
                    Bare::Refused => return Err(Broken::syntax("= behind the name of a parameter", pair)),
                    Bare::Empty => {}
                }
            }
            let keyword = pair.start..equals;
            let value = (equals + 1).min(pair.end)..pair.end;
            // pgjdbc does not decode names, the others do; none of their keywords has an escape in it.
            let name = decoded(self.text, &keyword, rules.query)?;
            self.pairs.push(Pair {
                name: String::from_utf8_lossy(&name).into_owned(),
                part: Part::Keyword,
                value: decoded(self.text, &value, rules.query)?,
                kind: Kind::Text,
                place: Place { keyword, value },
            });
        }
        Ok(())
    }
}

/// From the first port to the last.
fn ports_place(text: &[u8], slots: &[Range<usize>]) -> Range<usize> {
    let port = |slot: &Range<usize>| {
        let bytes = text.get(slot.clone()).unwrap_or_default();
        let colon = bytes.iter().rposition(|byte| *byte == b':')?;
        let bracket = bytes.iter().rposition(|byte| *byte == b']').unwrap_or(0);
        (colon >= bracket && colon + 1 < bytes.len()).then(|| slot.start + colon + 1..slot.end)
    };
    let mut ports = slots.iter().filter_map(port);
    let first = ports.next().unwrap_or(0..0);
    let last = ports.next_back().unwrap_or(first.clone());
    first.start..last.end
}

/// A part with its escapes undone.
pub(super) fn decoded(text: &[u8], range: &Range<usize>, decode: Decode) -> Result<Vec<u8>, Broken> {
    let bytes = text.get(range.clone()).unwrap_or_default();
    let mut value = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let escape = || {
            let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
            u8::try_from(16 * digit(at + 1)? + digit(at + 2)?).ok()
        };
        match (byte, decode.percent) {
            (b'%', Percent::Literal) => value.push(b'%'),
            (b'%', percent) => match escape() {
                Some(decoded) if percent != Percent::Unreserved || !b";/?:@&=+$,#".contains(&decoded) => {
                    value.push(decoded);
                    at += 2;
                }
                None if percent == Percent::Strict => {
                    let place = range.start + at..(range.start + at + 3).min(range.end);
                    return Err(Broken::syntax(
                        "two hexadecimal digits behind %, and %25 for % itself",
                        place,
                    ));
                }
                _ => value.push(b'%'),
            },
            (b'+', _) if decode.plus => value.push(b' '),
            _ => value.push(*byte),
        }
        at += 1;
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(in crate::clients::dialect) const PLAIN: Rules = Rules {
        schemes: &["postgres://", "postgresql://"],
        exact_scheme: false,
        login: Login::ToLast,
        authority_ends: b"/?#",
        fragment: true,
        several_hosts: true,
        user: LENIENT,
        host: LENIENT,
        path: LENIENT,
        query: FORM,
        path_form: Path::Database,
        bare: Bare::Empty,
        query_wins: true,
    };

    fn read(text: &str, rules: &Rules) -> Result<Vec<(String, String)>, Broken> {
        let mut pairs = Vec::new();
        parse(text.as_bytes(), rules, |name| matches!(name, "user" | "sslmode" | "a"), &mut pairs)?;
        for pair in &pairs {
            let decodes = pair.name == "port" || pair.value.len() <= pair.place.value.len();
            assert!(decodes, "{text}: {pair:?}");
        }
        Ok(pairs
            .into_iter()
            .map(|pair| (pair.name, String::from_utf8_lossy(&pair.value).into_owned()))
            .collect())
    }

    #[test]
    fn parts_of_a_url() {
        for (text, expected) in [
            ("postgres://", &[][..]),
            (
                "POSTGRESQL://u:p@h:1/d?a=b+c&d",
                &[
                    ("user", "u"),
                    ("password", "p"),
                    ("host", "h"),
                    ("port", "1"),
                    ("dbname", "d"),
                    ("a", "b c"),
                    ("d", ""),
                ],
            ),
            ("postgres://u%40x:p@ss@h", &[("user", "u@x"), ("password", "p@ss"), ("host", "h")]),
            ("postgres://u@server:p@h", &[("user", "u@server"), ("password", "p"), ("host", "h")]),
            ("postgres://[::1]:2,b/", &[("host", "::1,b"), ("port", "2,")]),
            ("postgres://a,b:3/x/y#z", &[("host", "a,b"), ("port", ",3"), ("dbname", "x/y")]),
            ("postgres:///d?host=/s", &[("dbname", "d"), ("host", "/s")]),
            ("postgres://h/d?user=a@b", &[("host", "h"), ("dbname", "d"), ("user", "a@b")]),
        ] {
            let expected: Vec<_> = expected.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
            assert_eq!(read(text, &PLAIN).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn a_password_that_lacks_an_escape_is_found_out() {
        for (text, character) in [
            ("postgres://u:p/x@h/d", b'/'),
            ("postgres://u:p#x@h/d", b'#'),
            ("postgres://u:p?x@h/d", b'?'),
            ("postgres://u:p?sslmode=x@h/d", b'?'),
            ("postgres://u:p@x/y@h/d", b'@'),
            ("postgres://u:5432/p@h/d?sslmode=require", b'/'),
        ] {
            let broken = read(text, &PLAIN).unwrap_err();
            assert_eq!(broken.kind, FaultKind::Unencoded(character), "{text}");
            assert_eq!(text.as_bytes()[broken.place.start], character, "{text}");
        }
        let broken = read("postgres://u:secret/d", &PLAIN).unwrap_err();
        assert_eq!(broken.kind, FaultKind::InvalidValue("port".into(), "a number".into()));
    }

    #[test]
    fn escapes() {
        let decode = |text: &str, how| {
            decoded(text.as_bytes(), &(0..text.len()), how).map(|v| String::from_utf8(v).unwrap())
        };
        assert_eq!(decode("a%20b+c%zz%4", LENIENT).unwrap(), "a b+c%zz%4");
        assert_eq!(decode("a+b", FORM).unwrap(), "a b");
        assert_eq!(decode("%41", LITERAL).unwrap(), "%41");
        assert_eq!(decode("a%zz", STRICT).unwrap_err().place, 1..4);
        let unreserved = Decode { percent: Percent::Unreserved, plus: false };
        assert_eq!(decode("a%2fb%20c", unreserved).unwrap(), "a%2fb c");
    }
}
