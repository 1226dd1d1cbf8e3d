//! Hosts and options that a driver writes inside the value of another keyword.

use super::grammar::pairs::{self, Backslash, Prefix, Rules, Syntax};
use super::grammar::{Pair, Part};
use super::text::{Text, split};
use super::{Dialect, Hosts, Kind, Meaning, Place};

/// Takes the ports out of hosts, as libpq has them: two lists. Several hosts of their own become one list.
pub(super) fn separate(dialect: &Dialect, pairs: &mut Vec<Pair>) {
    let is_misnamed = |name: &str| {
        let mut others = dialect.keywords.misnamed.iter();
        others.any(|(word, option)| *option == "host" && word.eq_ignore_ascii_case(name))
    };
    let is_host = |pair: &Pair| {
        let known = dialect.keyword(&pair.name);
        pair.part == Part::Keyword
            && (known.is_some_and(|(keyword, _)| keyword.meaning == Meaning::Libpq("host"))
                || is_misnamed(&pair.name))
    };
    if dialect.hosts == Hosts::Repeated {
        let mut hosts: Vec<Pair> = Vec::new();
        pairs.retain(|pair| {
            if is_host(pair) {
                hosts.push(pair.clone());
            }
            !is_host(pair)
        });
        let mut hosts = hosts.into_iter();
        if let Some(mut first) = hosts.next() {
            for other in hosts {
                first.value.push(b',');
                first.value.extend(&other.value);
                first.place.value.end = other.place.value.end;
            }
            pairs.push(first);
        }
    }
    let mut found = Vec::new();
    for pair in pairs.iter_mut().filter(|pair| is_host(pair)) {
        let (mut hosts, mut ports) = (Vec::new(), Vec::new());
        if let Some((host, port)) = of_sql_server(&pair.value) {
            let sign: &[u8] = if port.is_empty() { b"" } else { b":" };
            pair.value = [host, sign, port].concat();
        }
        for (index, slot) in split(&pair.value, 0..pair.value.len(), b',').into_iter().enumerate() {
            if index > 0 {
                hosts.push(b',');
                ports.push(b',');
            }
            let (host, port) = host_and_port(pair.value.get(slot).unwrap_or_default());
            hosts.extend(host);
            ports.extend(port);
        }
        if ports.iter().any(|byte| *byte != b',') {
            let value = pair.place.value.clone();
            let place = Place { keyword: value.start..value.start, value };
            found.push(Pair {
                name: "port".to_owned(),
                part: Part::Fixed,
                value: ports,
                kind: Kind::Text,
                place,
            });
            pair.value = hosts;
        }
    }
    pairs.extend(found);
}

/// The host and the port of `tcp:HOST,PORT`, as SQL Server's drivers have them; either sign alone is enough. A number is no
/// host that anybody has.
pub(super) fn of_sql_server(value: &[u8]) -> Option<(&[u8], &[u8])> {
    let head = value.get(..4).filter(|head| head.eq_ignore_ascii_case(b"tcp:"));
    let rest = value.get(head.map_or(0, <[u8]>::len)..)?;
    let mut parts = rest.splitn(2, |byte| *byte == b',');
    let (host, port) = (parts.next()?, parts.next());
    let is_port = port.is_none_or(|port| !port.is_empty() && port.iter().all(u8::is_ascii_digit));
    (is_port && !host.is_empty() && (head.is_some() || port.is_some()))
        .then(|| (host, port.unwrap_or_default()))
}

/// A host and the port behind its last colon, if it has one. A path has none, nor has a bare IPv6 address.
fn host_and_port(slot: &[u8]) -> (&[u8], &[u8]) {
    let bracketed = slot.strip_prefix(b"[").and_then(|rest| {
        let close = rest.iter().position(|byte| *byte == b']')?;
        Some((rest.get(..close)?, rest.get(close + 1..)?.strip_prefix(b":").unwrap_or_default()))
    });
    if let Some(found) = bracketed {
        return found;
    }
    let mut colons = slot.iter().enumerate().filter(|(_, byte)| **byte == b':').map(|(at, _)| at);
    match (colons.next(), colons.next()) {
        (Some(colon), None) if !slot.starts_with(b"/") => {
            let (host, port) = slot.split_at(colon);
            let port = port.get(1..).unwrap_or_default();
            if port.iter().all(u8::is_ascii_digit) { (host, port) } else { (slot, &[]) }
        }
        _ => (slot, &[]),
    }
}

/// Takes libpq's options out of psqlODBC's `pqopt`; they are named with it: `pqopt.sslrootcert`.
pub(super) fn expand(text: &Text, pairs: &mut Vec<Pair>) {
    let mut found = Vec::new();
    for pair in pairs.iter().filter(|pair| pair.name.eq_ignore_ascii_case("pqopt")) {
        let range = pair.place.value.clone();
        let braced = text.get(&range).starts_with(b"{");
        let start = range.start + usize::from(braced);
        let inner = text.get(&(start..start + pair.value.len()));
        // Doubled braces would shift the places.
        if inner != pair.value.as_slice() {
            continue;
        }
        let rules = Rules { prefix: Prefix::Nothing, syntax: Syntax::Blanks(Backslash::Escapes) };
        let mut options = Vec::new();
        let _ = pairs::parse(inner, &rules, &mut options);
        let moved = |range: std::ops::Range<usize>| start + range.start..start + range.end;
        found.extend(options.into_iter().map(|option| Pair {
            name: format!("pqopt.{}", option.name),
            place: Place { keyword: moved(option.place.keyword), value: moved(option.place.value) },
            ..option
        }));
    }
    pairs.extend(found);
}
