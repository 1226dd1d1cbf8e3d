//! Which bytes of a string may not be shown: the values of secrets, and where a string does not parse, all that may be a
//! piece of one.

use std::ops::Range;

use super::table::knows;
use super::{Kind, Setting};
use crate::conninfo::MASK;
use crate::order;

/// Words that tell a secret, in lower case and without separators.
const SECRET_WORDS: [&str; 10] =
    ["password", "passwd", "passwort", "passphrase", "pass", "pwd", "psw", "secret", "token", "sslkeypem"];

/// Whether a name is that of a secret, in anybody's spelling, or nearly so. What names a file of passwords does not.
pub(super) fn sounds_secret(name: &str) -> bool {
    let bare: String =
        name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    let harmless = ["passfile", "sslpasswordcallback", "connectionpasswordprovider"];
    if harmless.contains(&bare.as_str()) {
        return false;
    }
    SECRET_WORDS.iter().any(|word| bare.contains(word))
        || (bare.len() > 5
            && ["password", "sslpassword"].iter().any(|known| crate::text::distance(&bare, known) <= 2))
        || crate::conninfo::options::is_secret(name)
}

/// Whether a value is none that anybody has as a secret: a switch, or the name of a file of certificates.
pub(super) fn is_no_secret(value: &[u8]) -> bool {
    let is = |words: &[&str]| words.iter().any(|word| value.eq_ignore_ascii_case(word.as_bytes()));
    let of_path = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-/".contains(byte);
    let ends = |end: &&str| value.len() > end.len() && value.ends_with(end.as_bytes());
    is(&[
        "true",
        "false",
        "yes",
        "no",
        "on",
        "off",
        "none",
        "null",
        "require",
        "required",
        "verify-ca",
        "verify-full",
    ]) || (value.iter().all(of_path) && [".pem", ".crt", ".cer"].iter().any(ends))
}

/// Whether a name that nobody knows can be shown: it has the characters of a keyword, and is not the name of a secret run
/// together with the secret.
pub(super) fn is_plain_name(name: &str) -> bool {
    let of_keyword = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ');
    let bare: String =
        name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    let whole = bare.len() <= 8 || crate::text::distance(&bare, "password") <= 2;
    name.len() <= 40 && name.chars().all(of_keyword) && (whole || !sounds_secret(name))
}

/// Whether a value has the characters of hosts, addresses, ports or socket directories, separated by commas. A socket may
/// begin with an `@`; elsewhere that is the end of a login.
pub(super) fn is_list_of_hosts(value: &[u8]) -> bool {
    let of_host = |byte: &u8| byte.is_ascii_alphanumeric() || *byte >= 0x80 || b"-._:%/[]~\\".contains(byte);
    let is_host = |host: &[u8]| host.strip_prefix(b"@").unwrap_or(host).iter().all(of_host);
    value.split(|byte| *byte == b',').all(is_host)
}

/// Whether a word in a text is a name for a secret.
pub(super) fn names_secret(text: &[u8]) -> bool {
    let names = text.split(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_' && *byte != b'-');
    names.filter_map(|name| std::str::from_utf8(name).ok()).any(sounds_secret)
}

/// Whether a value is the text of certificates in PEM and nothing else.
pub(super) fn is_certificates(value: &[u8]) -> bool {
    let mut inside = false;
    let mut blocks = 0;
    let lines = value.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    for line in lines {
        let base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
        match (inside, line) {
            (false, b"-----BEGIN CERTIFICATE-----") => inside = true,
            (true, b"-----END CERTIFICATE-----") => {
                inside = false;
                blocks += 1;
            }
            (true, line) if line.iter().all(base64) => {}
            _ => return false,
        }
    }
    !inside && blocks > 0
}

/// Whether a value of another keyword holds what may be a password: the name of a secret and something besides, a login.
pub(super) fn holds_secret(value: &[u8]) -> bool {
    let is_word =
        value.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/'));
    // `user:password@host`, without the scheme of a URL before it.
    let colon = value.iter().position(|byte| *byte == b':');
    let login = colon.is_some_and(|colon| value.iter().skip(colon).any(|byte| *byte == b'@'));
    let number = value.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let is_address = || std::str::from_utf8(value).is_ok_and(|text| text.parse::<std::net::IpAddr>().is_ok());
    let behind_port = number > 0 && colon == Some(number) && !is_address();
    // Oracle's `user/password@host`.
    let slash = value.iter().position(|byte| *byte == b'/').filter(|at| *at > 0 && colon.is_none());
    let behind_user = slash
        .is_some_and(|at| value.first() != Some(&b'.') && value.iter().skip(at).any(|byte| *byte == b'@'));
    login
        || behind_port
        || behind_user
        || (!is_word && names_secret(value))
        || (value.windows(3).any(|part| part == b"://") && !logins(value).is_empty())
}

/// The bytes of the original that may not be shown, in order and apart from each other. `unread` is where the string
/// stops making sense.
///
/// Shown is what was read and is no secret, what stands before all of it, separators, and names of keywords with their
/// sign. Everything else may be a piece of a password: what a driver passes over, what its writer did not escape, what
/// stands behind the place where a string stops making sense.
pub(super) fn secrets(
    original: &[u8],
    settings: &[Setting],
    unread: Option<Range<usize>>,
) -> Vec<Range<usize>> {
    let unread = unread.unwrap_or(original.len()..original.len());
    // What variables say does not stand in the text.
    let settings: Vec<&Setting> = settings.iter().filter(|setting| setting.variable.is_none()).collect();
    let mut shown: Vec<Range<usize>> = Vec::new();
    for setting in settings.iter().filter(|setting| setting.keyword != MASK) {
        shown.push(setting.place.keyword.clone());
        let is_shown = setting.value.plain().is_some()
            && (setting.kind != Kind::Code || is_name_only(original, setting));
        if is_shown {
            shown.push(setting.place.value.clone());
        }
    }
    let first = settings.iter().map(|setting| start(setting)).chain([unread.start]).min().unwrap_or(0);
    shown.push(0..first);
    shown.push(unread.start..unread.start + scheme(original, unread.start));
    shown.retain(|range| range.end <= unread.start.max(first) || range.start == unread.start);
    let shown = merged(shown);
    let mut ranges: Vec<Range<usize>> = Vec::new();
    let mut from = 0;
    for range in shown.iter().chain([&(original.len()..original.len())]) {
        ranges.extend(words(original, from..range.start.max(from)));
        from = range.end.max(from);
    }
    ranges.extend(
        settings
            .iter()
            .filter(|setting| setting.value.plain().is_none())
            .map(|setting| setting.place.value.clone()),
    );
    ranges.extend(logins(original));
    ranges.extend(loose(original));
    merged(ranges)
}

fn start(setting: &Setting) -> usize {
    let place = &setting.place;
    if place.keyword.is_empty() { place.value.start } else { place.keyword.start.min(place.value.start) }
}

/// Whether an expression is a name and nothing else: `process.env.PGHOST`.
fn is_name_only(original: &[u8], setting: &Setting) -> bool {
    let text = original.get(setting.place.value.clone()).unwrap_or_default();
    text.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'))
}

/// The length of a URL's scheme at `at`: `jdbc:sqlserver:`.
fn scheme(original: &[u8], at: usize) -> usize {
    let rest = original.get(at..).unwrap_or_default();
    let length = rest
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b':' | b'-'))
        .count();
    let colon = rest.iter().take(length.min(40)).rposition(|byte| *byte == b':').map_or(0, |colon| colon + 1);
    // Without the slashes it may be a user and a password.
    let is_url = rest.get(colon..).is_some_and(|rest| rest.starts_with(b"//"));
    if is_url { colon } else { 0 }
}

/// The parts of a range that are no separators and no keyword of anybody's with its sign. Neighbours are one.
fn words(original: &[u8], range: Range<usize>) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut at = range.start;
    let mut joined = false;
    while at < range.end {
        let length = word(original, at, range.end);
        if length == 0 {
            at += 1;
            continue;
        }
        let end = at + length;
        let text = std::str::from_utf8(original.get(at..end).unwrap_or_default()).unwrap_or_default();
        // The sign first: to ask all drivers takes long.
        let is_keyword = sign(original, end).is_some() && knows(text);
        match found.last_mut().filter(|_| joined && !is_keyword) {
            Some(last) => last.end = end,
            None if is_keyword => {}
            None => found.push(at..end),
        }
        joined = !is_keyword;
        at = end;
    }
    found
}

/// The length of what is no separator from `at` on.
fn word(original: &[u8], at: usize, end: usize) -> usize {
    let rest = original.get(at..end).unwrap_or_default();
    rest.iter().take_while(|byte| !b" \t\r\n;&?,'\"{}[]()=:/@`<>+.".contains(byte)).count()
}

/// Where the value begins of a name that ends at `end`, if a sign follows: `=`, `:`, `=>`; of a name in quotes, `,` too.
fn sign(original: &[u8], end: usize) -> Option<usize> {
    let quotes = usize::from(matches!(original.get(end), Some(b'"' | b'\'' | b'`')));
    let mut at = blanks(original, end + quotes);
    if !matches!((original.get(at)?, quotes), (b'=' | b':', _) | (b',', 1)) {
        return None;
    }
    at += 1;
    if original.get(at) == Some(&b'>') {
        at += 1;
    }
    Some(blanks(original, at))
}

fn blanks(original: &[u8], mut at: usize) -> usize {
    while original.get(at).is_some_and(|byte| matches!(byte, b' ' | b'\t')) {
        at += 1;
    }
    at
}

/// Where the values begin of names of secrets with their sign.
fn named(original: &[u8]) -> Vec<usize> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < original.len() {
        let length = name(original, at);
        let end = at + length.max(1);
        let text = std::str::from_utf8(original.get(at..at + length).unwrap_or_default()).unwrap_or_default();
        if length > 0 && sounds_secret(text) {
            found.extend(sign(original, end));
        }
        at = end;
    }
    found
}

/// Behind the name of a secret, everything up to the next keyword of anybody's with its sign.
fn loose(original: &[u8]) -> Vec<Range<usize>> {
    let (mut found, mut end) = (Vec::new(), 0);
    for start in named(original) {
        // A value within one has the same end.
        if start >= end {
            end = next_keyword(original, start);
            found.extend(words(original, start..end));
        }
    }
    found
}

fn name(original: &[u8], at: usize) -> usize {
    let rest = original.get(at..).unwrap_or_default();
    rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')).count()
}

/// The same of a name that has blanks in it: `Trust Server Certificate`.
fn name_of_words(original: &[u8], at: usize) -> usize {
    let mut end = at + name(original, at);
    loop {
        let next = original.get(end).filter(|byte| **byte == b' ').map_or(0, |_| name(original, end + 1));
        if next == 0 {
            return end - at;
        }
        end += 1 + next;
    }
}

/// The start of the next keyword of anybody's, behind a separator and with its sign; the end if there is none.
fn next_keyword(original: &[u8], start: usize) -> usize {
    let mut at = start;
    while at < original.len() {
        let length = name(original, at);
        if length == 0 {
            at += 1;
            continue;
        }
        let separated =
            at > start && original.get(at - 1).is_some_and(|byte| b" \t\r\n;&?,'\"{[(".contains(byte));
        let is_keyword = |length: usize| {
            let text = original.get(at..at + length).unwrap_or_default();
            sign(original, at + length).is_some() && knows(std::str::from_utf8(text).unwrap_or_default())
        };
        if separated && (is_keyword(length) || is_keyword(name_of_words(original, at))) {
            return at;
        }
        at += length;
    }
    original.len()
}

/// The passwords of URLs, as they are typed.
fn logins(original: &[u8]) -> Vec<Range<usize>> {
    // So many take a look at all that follows them. Of the others everything up to the last `@` counts as a password, which
    // the first of them mostly has for one.
    const MOST_URLS: usize = 20;
    let mut found = Vec::new();
    let starts = original.windows(3).enumerate().filter(|(_, window)| *window == b"://");
    for (number, (at, _)) in starts.enumerate() {
        let rest = original.get(at + 3..).unwrap_or_default();
        match number {
            // The string ends at a quote or blank, unless there is an @ behind it.
            ..MOST_URLS => found.extend(super::grammar::url::password_as_typed(original, at + 3, knows)),
            MOST_URLS => {
                let last = original.iter().rposition(|byte| *byte == b'@');
                found.extend(last.filter(|last| *last > at + 3).map(|last| at + 3..last));
            }
            _ => {}
        }
        // Without any @: what should be a port and is none.
        const LONGEST_ADDRESS: usize = 64;
        let address = rest.iter().take(LONGEST_ADDRESS).position(|byte| *byte == b']');
        let host = address.filter(|_| rest.starts_with(b"[")).unwrap_or(0);
        if let Some(colon) = rest.iter().skip(host).position(|byte| *byte == b':') {
            let start = at + 3 + host + colon + 1;
            let length = original.get(start..).unwrap_or_default();
            let end =
                length.iter().position(|byte| b"/?#,@ \t\r\n'\"".contains(byte)).unwrap_or(length.len());
            let port = original.get(start..start + end).unwrap_or_default();
            if !port.iter().all(u8::is_ascii_digit) {
                found.push(start..start + end);
            }
        }
    }
    found
}

/// In order, without overlaps; touching ones are one.
fn merged(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.retain(|range| range.start < range.end);
    order::by_key(&mut ranges, |range| (range.start, range.end));
    let mut merged: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switches_and_names_of_certificates_are_no_secrets() {
        for (value, is_none) in [
            ("True", true),
            ("require", true),
            ("certs/my-ca.pem", true),
            ("hunter2", false),
            (".pem", false),
            ("a b.pem", false),
            ("p@ss.crt", false),
            ("", false),
        ] {
            assert_eq!(is_no_secret(value.as_bytes()), is_none, "{value}");
        }
    }
}
