//! What a value that libpq refuses probably means: a number with a unit, an address with a part too large, lists of different
//! lengths.

use std::net::Ipv6Addr;
use std::ops::Range;

use super::Fix;
use super::view::shown;
use crate::conninfo::{Origin, Value};

/// The number in a value with a unit, in the unit of its keyword: seconds, and milliseconds for `tcp_user_timeout`
/// (manual, "Parameter Key Words").
pub(super) fn number(keyword: &str, value: &str) -> Option<String> {
    let value = value.trim().to_ascii_lowercase();
    if keyword == "keepalives" {
        return match value.as_str() {
            "yes" | "true" | "on" => Some("1".to_owned()),
            "no" | "false" | "off" => Some("0".to_owned()),
            _ => None,
        };
    }
    let end = value.find(|c: char| !c.is_ascii_digit())?;
    let (digits, unit) = value.split_at_checked(end)?;
    let number: u64 = digits.parse().ok()?;
    let milliseconds = match unit.trim() {
        "ms" | "msec" | "millis" | "milliseconds" => number,
        "s" | "sec" | "secs" | "second" | "seconds" => number.checked_mul(1000)?,
        "m" | "min" | "mins" | "minute" | "minutes" => number.checked_mul(60_000)?,
        _ => return None,
    };
    Some(match keyword {
        "tcp_user_timeout" => milliseconds.to_string(),
        // Libpq waits for at least two seconds anyway.
        _ => milliseconds.div_ceil(1000).to_string(),
    })
}

/// The TLS version that a value names otherwise than libpq: `1.2`, `TLS 1.2`, `TLSv1_2`.
pub(super) fn tls_version(value: &str) -> Option<&'static str> {
    let digits: String = value.chars().filter(char::is_ascii_digit).collect();
    match digits.as_str() {
        "12" => Some("TLSv1.2"),
        "13" => Some("TLSv1.3"),
        _ => None,
    }
}

/// The port in a value with letters that look like digits.
pub(super) fn port(value: &str) -> Option<String> {
    let digits: String = value
        .chars()
        .map(|c| match c {
            'O' | 'o' => '0',
            'l' | 'I' => '1',
            other => other,
        })
        .collect();
    let has_digit = value.contains(|c: char| c.is_ascii_digit());
    digits.parse::<u16>().ok().filter(|port| *port > 0 && has_digit).map(|port| port.to_string())
}

/// An IPv6 address that stands in a URI without its brackets: where, and how it is written.
pub(super) fn address_without_brackets(input: &[u8]) -> Option<(Range<usize>, String)> {
    let input = std::str::from_utf8(input).ok()?;
    let from = input.find("://")? + 3;
    let rest = input.get(from..)?;
    let rest = rest.split(['/', '?']).next()?;
    let start = from + rest.rfind('@').map_or(0, |at| at + 1);
    let host = input.get(start..from + rest.len())?;
    let written = match host.parse::<Ipv6Addr>() {
        // Its last group may be the port.
        Ok(_) if host.matches(':').count() < 7 && !host.ends_with("::") => match host.rsplit_once(':') {
            Some((address, port)) if port == "5432" && address.parse::<Ipv6Addr>().is_ok() => {
                format!("[{address}]:{port}")
            }
            _ => format!("[{host}]"),
        },
        Ok(_) => format!("[{host}]"),
        Err(_) => {
            let (address, port) = host.rsplit_once(':')?;
            address.parse::<Ipv6Addr>().ok()?;
            format!("[{address}]:{}", port.parse::<u16>().ok()?)
        }
    };
    Some((start..from + rest.len(), written))
}

/// What follows in a URI from a `%` that encodes nothing, up to the end of its part, with each such `%` encoded.
pub(super) fn encoded_percents(input: &[u8], at: usize) -> (Range<usize>, String) {
    let rest = input.get(at..).unwrap_or_default();
    let end = rest.iter().position(|byte| matches!(byte, b'@' | b'&')).unwrap_or(rest.len());
    let part = rest.get(..end).unwrap_or_default();
    let mut text = Vec::with_capacity(part.len() + 4);
    for (place, byte) in part.iter().enumerate() {
        text.push(*byte);
        let digits = part.get(place + 1..place + 3).unwrap_or_default();
        if *byte == b'%' && !(digits.len() == 2 && digits.iter().all(u8::is_ascii_hexdigit)) {
            text.extend(b"25");
        }
    }
    (at..at + end, String::from_utf8_lossy(&text).into_owned())
}

/// What is wrong with an address in digits and dots; `None` of what is no attempt at one.
pub(super) fn address_fault(value: &str) -> Option<String> {
    if value.is_empty() || !value.chars().all(|c| c.is_ascii_digit() || c == '.') {
        return None;
    }
    let parts: Vec<&str> = value.split('.').collect();
    if parts.len() != 4 {
        return Some(format!("an IPv4 address has four parts, and \"{value}\" has {}", parts.len()));
    }
    let large = parts.iter().find(|part| part.parse::<u64>().map_or(true, |number| number > 255))?;
    Some(match large.is_empty() {
        true => "one of its four parts is empty".to_owned(),
        false => format!("{large} is above 255, and no part of an IPv4 address is"),
    })
}

/// The remedy of lists whose lengths differ: it names what is missing or too much.
pub(super) fn even_lists(parameters: &[(&'static str, Value, Origin)]) -> Option<Fix> {
    let list = |keyword: &str| -> Vec<String> {
        let found = parameters.iter().find(|(known, ..)| *known == keyword);
        found.map(|(_, value, _)| shown(value).split(',').map(str::to_owned).collect()).unwrap_or_default()
    };
    let (names, addresses, ports) = (list("host"), list("hostaddr"), list("port"));
    let hosts = if names.is_empty() { &addresses } else { &names };
    if ports.is_empty() {
        return match (names.get(addresses.len()..), addresses.get(names.len()..)) {
            (Some(without @ [_, ..]), _) => Some(
                Fix::text(format!(
                    "{} {} no address in hostaddr: add it there, or leave hostaddr out, so that the names are looked up",
                    without.join(" and "),
                    has(without)
                ))
                .set("hostaddr", ""),
            ),
            (_, Some(without @ [_, ..])) => {
                let fix = Fix::text(format!("{} {} no name in host: add it there", without.join(" and "), has(without)));
                Some(match names.as_slice() {
                    [one] => Fix { text: format!("{}; if all have the same", fix.text), ..fix }
                        .set("host", vec![one.as_str(); addresses.len()].join(",")),
                    _ => fix,
                })
            }
            _ => None,
        };
    }
    let first = ports.first()?;
    match (hosts.get(ports.len()..), ports.get(hosts.len()..)) {
        (Some(without @ [_, ..]), _) => {
            let same = ports.iter().all(|port| port == first);
            let text = match same {
                true => "give the port once: it then counts for every host".to_owned(),
                false => format!(
                    "{} {} no port: add it (5432 is PostgreSQL's own)",
                    without.join(" and "),
                    has(without)
                ),
            };
            let added = ports.iter().map(String::as_str).chain(without.iter().map(|_| "5432"));
            let all = if same { first.clone() } else { added.collect::<Vec<_>>().join(",") };
            Some(Fix::text(text).set("port", all))
        }
        (_, Some(without @ [_, ..])) => Some(
            Fix::text(format!(
                "the port {} {} no host: remove it, or name its host",
                without.join(" and "),
                has(without)
            ))
            .set("port", ports.get(..hosts.len())?.join(",")),
        ),
        _ => None,
    }
}

fn has(of: &[String]) -> &'static str {
    if of.len() == 1 { "has" } else { "have" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_that_look_like_digits_are_read_as_those() {
        for (value, port) in [
            ("543O", Some("5430")),
            ("l5432", Some("15432")),
            ("OO", None),
            ("54x2", None),
            ("0O", None),
            ("O99999", None),
        ] {
            assert_eq!(super::port(value).as_deref(), port, "{value}");
        }
    }

    #[test]
    fn an_address_without_its_brackets_is_found_in_a_uri() {
        for (uri, written) in [
            ("postgresql://app@2001:db8::5:5432/d?sslmode=require", Some("[2001:db8::5]:5432")),
            ("postgresql://2001:db8::5/d", Some("[2001:db8::5]")),
            ("postgresql://2001:db8:1:2:3:4:5:6:5433", Some("[2001:db8:1:2:3:4:5:6]:5433")),
            ("postgresql://u:p@::1/d", Some("[::1]")),
            ("postgresql://[::1]:5432/d", None),
            ("postgresql://u:a:b@h:5432/d", None),
            ("postgresql://h:543O/d", None),
            ("host=2001:db8::5 port=x", None),
        ] {
            let found = address_without_brackets(uri.as_bytes());
            assert_eq!(found.as_ref().map(|(_, written)| written.as_str()), written, "{uri}");
            if let Some((span, written)) = found {
                let mended = format!("{}{written}{}", &uri[..span.start], &uri[span.end..]);
                assert!(crate::conninfo::parse(mended.as_bytes()).is_ok(), "{mended}");
            }
        }
    }

    #[test]
    fn a_percent_sign_that_encodes_nothing_is_encoded() {
        for (uri, at, mended) in [
            ("postgresql://u:50%off@h", 17, "postgresql://u:50%25off@h"),
            ("postgresql://u:5%a%20%@h/%zz", 16, "postgresql://u:5%25a%20%25@h/%zz"),
            ("postgresql://h/d?sslrootcert=100%", 32, "postgresql://h/d?sslrootcert=100%25"),
        ] {
            let (span, text) = encoded_percents(uri.as_bytes(), at);
            assert_eq!(format!("{}{text}{}", &uri[..span.start], &uri[span.end..]), mended);
        }
    }

    #[test]
    fn a_number_with_a_unit_is_that_number() {
        for (keyword, value, expected) in [
            ("connect_timeout", "10s", Some("10")),
            ("connect_timeout", "2 min", Some("120")),
            ("connect_timeout", "1500ms", Some("2")),
            ("tcp_user_timeout", "10s", Some("10000")),
            ("tcp_user_timeout", "500 ms", Some("500")),
            ("keepalives_idle", "5minutes", Some("300")),
            ("keepalives", "yes", Some("1")),
            ("connect_timeout", "10", None),
            ("connect_timeout", "soon", None),
            ("connect_timeout", "10 parsecs", None),
            ("connect_timeout", "99999999999999999999s", None),
        ] {
            assert_eq!(number(keyword, value).as_deref(), expected, "{keyword}={value}");
        }
    }

    #[test]
    fn an_impossible_address_says_which_part() {
        assert_eq!(
            address_fault("127.0.0.400").as_deref(),
            Some("400 is above 255, and no part of an IPv4 address is")
        );
        assert_eq!(
            address_fault("10.0.5").as_deref(),
            Some("an IPv4 address has four parts, and \"10.0.5\" has 3")
        );
        for other in ["db.example", "", "203.0.113.7", "2001:db8::7"] {
            assert_eq!(address_fault(other), None, "{other}");
        }
    }

    #[test]
    fn lists_of_different_lengths_name_what_is_missing() {
        for (given, text, settings) in [
            (&[("host", "a,b,c"), ("port", "1,2")][..], "c has no port: add it", vec![("port", "1,2,5432")]),
            (&[("host", "a,b,c"), ("port", "1,1")], "give the port once", vec![("port", "1")]),
            (&[("host", "a,b"), ("port", "1,2,3")], "the port 3 has no host", vec![("port", "1,2")]),
            (
                &[("host", "a,b"), ("hostaddr", "192.0.2.1")],
                "b has no address in hostaddr",
                vec![("hostaddr", "")],
            ),
            (
                &[("host", "a"), ("hostaddr", "192.0.2.1,192.0.2.2")],
                "192.0.2.2 has no name in host",
                vec![("host", "a,a")],
            ),
        ] {
            let parameters: Vec<_> = given
                .iter()
                .map(|(keyword, value)| (*keyword, Value::from(*value), Origin::ConnectionString))
                .collect();
            let fix = even_lists(&parameters).unwrap();
            assert!(fix.text.starts_with(text), "{}", fix.text);
            let expected: Vec<_> =
                settings.into_iter().map(|(keyword, value)| (keyword, value.to_owned())).collect();
            assert_eq!(fix.settings, expected, "{given:?}");
        }
    }

    #[test]
    fn tls_versions_are_known_in_other_spellings() {
        for (value, expected) in [
            ("1.2", Some("TLSv1.2")),
            ("TLS 1.3", Some("TLSv1.3")),
            ("TLSv1_2", Some("TLSv1.2")),
            ("1", None),
        ] {
            assert_eq!(tls_version(value), expected, "{value}");
        }
    }
}
