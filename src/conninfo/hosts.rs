//! The list of hosts: slots, endpoints, ports (fe-connect.c, pqConnectOptions2 and PQconnectPoll).

use std::path::PathBuf;

use super::address::parse_address;
use super::uri::password_in_authority;
use super::validate::{Merged, integer};
use super::{BadPort, ConfigError, Endpoint, Host, ParameterValue, Value, mask};
use crate::text::is_printable;

/// Where libpq looks for a socket when no host is given: compiled in, here as in Debian's, Red Hat's and most other
/// builds. Where there are no sockets it takes `localhost`.
pub(super) const DEFAULT_SOCKET_DIRECTORY: &str =
    if cfg!(target_os = "macos") { "/tmp" } else { "/var/run/postgresql" };

/// libpq's port where a list leaves one empty.
pub(super) const DEFAULT_PORT: &str = "5432";

/// The slots, without passwords. They are counted from `hostaddr` if it is set, else from `host`.
pub(super) fn hosts(merged: &Merged) -> Result<Vec<Host>, Box<ConfigError>> {
    let names = list(merged.text("host"));
    let addresses = list(merged.text("hostaddr"));
    let ports = list(merged.text("port"));
    if !names.is_empty() && !addresses.is_empty() && names.len() != addresses.len() {
        let reason = format!("{} for {}", count(names.len(), "host"), count(addresses.len(), "hostaddr"));
        return Err(merged.contradiction(&["host", "hostaddr"], reason, vec![]));
    }
    let slots = names.len().max(addresses.len()).max(1);
    if ports.len() > 1 && ports.len() != slots {
        let reason = format!("{} for {}", count(ports.len(), "port"), count(slots, "host"));
        let given: Vec<&str> = ["host", "hostaddr", "port"]
            .into_iter()
            .filter(|keyword| merged.get(keyword).is_some())
            .collect();
        return Err(merged.contradiction(&given, reason, vec![]));
    }
    let only_port = if ports.len() == 1 { ports.first() } else { None };
    let ports_are_odd = merged.get("port").is_some_and(|port| port.value.plain().is_none());
    let starts: Vec<usize> = names
        .iter()
        .scan(0, |next, name| {
            let start = *next;
            *next += name.len() + 1;
            Some(start)
        })
        .collect();
    let secrets = mask::places_in_host(merged.text("host"));
    let spilt = merged.value("host").shown() == mask::MASK.as_bytes();
    Ok((0..slots)
        .map(|slot| {
            let name = names.get(slot).copied().unwrap_or_default();
            let place = starts.get(slot).map_or(0..0, |start| *start..start + name.len());
            let address = addresses.get(slot).copied().unwrap_or_default();
            let port_text = only_port.or_else(|| ports.get(slot)).copied().unwrap_or_default();
            let mut endpoint = endpoint(name, address);
            // It may be a URL with a password, or a piece of one: a comma in a password reads as a list.
            let is_piece = mask::covers(&secrets, &place);
            if is_piece && address.is_empty() {
                endpoint = Endpoint::Malformed { meant: None };
            }
            let name = ParameterValue::of("host", Value::new(name), spilt || is_piece);
            // What seems to be meant may be a piece of the password too.
            if let Endpoint::Malformed { meant } = &mut endpoint {
                let shown = String::from_utf8_lossy(name.shown());
                *meant = meant.take().filter(|meant| shown.contains(meant.as_str()));
            }
            Host { name, endpoint, port: port(port_text, ports_are_odd), password: None }
        })
        .collect())
}

/// What ends a run before its first socket: a port that is no number on the first slot that is tried, or no slot with
/// a port and an address that can be. In a shuffled list any slot may come first.
pub(super) fn check(merged: &Merged, hosts: &[Host], shuffled: bool) -> Result<(), Box<ConfigError>> {
    let port = || Err(merged.invalid("port", "a number from 1 to 65535"));
    let mut first_problem = None;
    for host in hosts {
        match (&host.port, &host.endpoint) {
            (Err(BadPort::NotANumber(_)), _) if !shuffled => return port(),
            (Err(_), _) => first_problem = first_problem.or(Some("port")),
            (_, Endpoint::BadAddress) => first_problem = first_problem.or(Some("hostaddr")),
            _ => return Ok(()),
        }
    }
    match first_problem {
        Some("hostaddr") => Err(merged.invalid("hostaddr", "a numeric IPv4 or IPv6 address")),
        _ => port(),
    }
}

/// The text of a slot's port, the default for none: what the password file knows it by.
pub(super) fn port_texts(merged: &Merged, slots: usize) -> Vec<Vec<u8>> {
    let ports = list(merged.text("port"));
    let only = if ports.len() == 1 { ports.first() } else { None };
    (0..slots)
        .map(|slot| only.or_else(|| ports.get(slot)).filter(|port| !port.is_empty()))
        .map(|port| port.map_or(DEFAULT_PORT.as_bytes(), |port| port).to_vec())
        .collect()
}

fn count(number: usize, what: &str) -> String {
    match (number, what) {
        (1, _) => format!("1 {what}"),
        (_, "hostaddr") => format!("{number} values of hostaddr"),
        _ => format!("{number} {what}s"),
    }
}

/// The entries of a comma-separated list; none if it is empty.
fn list(text: &[u8]) -> Vec<&[u8]> {
    if text.is_empty() { Vec::new() } else { text.split(|byte| *byte == b',').collect() }
}

fn endpoint(name: &[u8], address: &[u8]) -> Endpoint {
    if !address.is_empty() {
        return match parse_address(address) {
            Some((address, zone)) => Endpoint::Address(address, zone),
            None => Endpoint::BadAddress,
        };
    }
    match name.first() {
        None if cfg!(windows) => Endpoint::Name("localhost".to_owned()),
        None => Endpoint::Socket(PathBuf::from(DEFAULT_SOCKET_DIRECTORY)),
        Some(b'/' | b'@') => Endpoint::Socket(Value::new(name).to_path()),
        Some(_) => match parse_address(name) {
            Some((address, zone)) => Endpoint::Address(address, zone),
            None => host_name(name),
        },
    }
}

/// A name to resolve, unless something stands in it that no host name has: of ASCII letters, digits, `-`, `_` and `.`, of
/// the rest letters and marks (RFC 1123, section 2.1; RFC 5892; the underscore is what people have). Nothing else is ever
/// asked of a resolver or sent as a server's name, since it may be a string of another driver with a password in it.
pub(crate) fn is_possible_name(name: &str) -> bool {
    let fits = |character: char| match character {
        '-' | '_' | '.' => true,
        _ if character.is_ascii() => character.is_ascii_alphanumeric(),
        // Letters of any script and what joins them; no quotes, dashes, symbols and full-width forms of ASCII's signs.
        _ => {
            is_printable(character)
                && !character.is_whitespace()
                && !matches!(u32::from(character), 0x80..=0xBF | 0x2000..=0x2BFF | 0x2E00..=0x2E7F | 0x3000..=0x3004
                    | 0x3008..=0x3020 | 0xFF00..=0xFF0F | 0xFF1A..=0xFF20 | 0xFF3B..=0xFF40 | 0xFF5B..=0xFF65 | 0xFFE0..)
        }
    };
    !name.is_empty() && name.chars().all(fits)
}

fn host_name(name: &[u8]) -> Endpoint {
    match std::str::from_utf8(name) {
        Ok(name) if is_possible_name(name) => Endpoint::Name(name.to_owned()),
        Ok(name) => Endpoint::Malformed { meant: meant(name) },
        Err(_) => Endpoint::Malformed { meant: None },
    }
}

/// The host in something that is more than a host: without scheme, user, path and port.
fn meant(name: &str) -> Option<String> {
    let of_no_name = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '"' | '\'');
    let name = name.trim_matches(of_no_name);
    let name = name.split_once("://").map_or(name, |(_, rest)| rest);
    let name =
        password_in_authority(name.as_bytes()).and_then(|password| name.get(password.end..)).unwrap_or(name);
    let name = name.split(['/', '\\', '?', '#', ';', '&']).next()?;
    let name = name.rsplit_once('@').map_or(name, |(_, host)| host);
    let name = match name.strip_prefix('[') {
        Some(bracketed) => bracketed.split(']').next()?,
        None if name.matches(':').count() == 1 => name.split(':').next()?,
        None => name,
    };
    let is_name = !name.is_empty()
        && name.chars().all(|character| character.is_alphanumeric() || matches!(character, '-' | '.' | '_'));
    (is_name || parse_address(name.as_bytes()).is_some()).then(|| name.to_owned())
}

fn port(text: &[u8], suspect: bool) -> Result<u16, BadPort> {
    let text = if text.is_empty() { DEFAULT_PORT.as_bytes() } else { text };
    let shown = || String::from_utf8_lossy(mask::port(text, suspect).as_bytes()).into_owned();
    let number = integer(text).ok_or_else(|| BadPort::NotANumber(shown()))?;
    u16::try_from(number).ok().filter(|port| *port > 0).ok_or_else(|| BadPort::OutOfRange(shown()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints() {
        let name = |name: &str| Endpoint::Name(name.to_owned());
        let malformed = |meant: Option<&str>| Endpoint::Malformed { meant: meant.map(str::to_owned) };
        let address = |text: &str| Endpoint::Address(text.parse().unwrap(), None);
        for (host, hostaddr, expected) in [
            ("db.example", "", name("db.example")),
            ("db.example", "127.0.0.1", address("127.0.0.1")),
            ("https://x", "127.0.0.1", address("127.0.0.1")),
            ("db.example", "localhost", Endpoint::BadAddress),
            ("127.0.0.1", "", address("127.0.0.1")),
            ("127.1", "", address("127.0.0.1")),
            ("::1", "", address("::1")),
            ("", "", Endpoint::Socket(DEFAULT_SOCKET_DIRECTORY.into())),
            ("/tmp", "", Endpoint::Socket("/tmp".into())),
            ("@name", "", Endpoint::Socket("@name".into())),
            ("größe.example", "", name("größe.example")),
            ("host.example;Password=x", "", malformed(Some("host.example"))),
            ("password=x", "", malformed(None)),
            ("“db.example”", "", malformed(None)),
            ("$PGHOST", "", malformed(None)),
            ("\"db.example\"", "", malformed(Some("db.example"))),
            ("'10.0.0.7:6432'", "", malformed(Some("10.0.0.7"))),
            ("数据.example", "", name("数据.example")),
            ("a_b", "", name("a_b")),
            ("db.example.", "", name("db.example.")),
            ("https://db.example", "", malformed(Some("db.example"))),
            ("postgres://u:p@db.example:5432/d", "", malformed(Some("db.example"))),
            ("postgres://u:p@x/y@db.example:5432/d", "", malformed(Some("db.example"))),
            ("db.example:5432", "", malformed(Some("db.example"))),
            ("u@db.example", "", malformed(Some("db.example"))),
            ("db.example/postgres", "", malformed(Some("db.example"))),
            (" db.example", "", malformed(Some("db.example"))),
            ("db example", "", malformed(None)),
            ("[::1]", "", malformed(Some("::1"))),
            ("[::1]:5432", "", malformed(Some("::1"))),
            ("tcp://10.0.0.1", "", malformed(Some("10.0.0.1"))),
            ("://", "", malformed(None)),
        ] {
            assert_eq!(endpoint(host.as_bytes(), hostaddr.as_bytes()), expected, "{host:?} {hostaddr:?}");
        }
        assert_eq!(endpoint(b"\xff", b""), malformed(None));
    }

    #[test]
    fn ports() {
        for (text, expected) in [
            ("5433", Ok(5433)),
            (" 5433\t", Ok(5433)),
            ("+1", Ok(1)),
            ("", Ok(5432)),
            ("65535", Ok(65535)),
            ("0", Err(BadPort::OutOfRange("0".to_owned()))),
            ("65536", Err(BadPort::OutOfRange("65536".to_owned()))),
            ("-1", Err(BadPort::OutOfRange("-1".to_owned()))),
            ("9999999999", Err(BadPort::NotANumber("9999999999".to_owned()))),
            ("http", Err(BadPort::NotANumber("http".to_owned()))),
            ("1 2", Err(BadPort::NotANumber("1 2".to_owned()))),
            (" ", Err(BadPort::NotANumber(" ".to_owned()))),
        ] {
            assert_eq!(port(text.as_bytes(), false), expected, "{text:?}");
        }
    }
}
