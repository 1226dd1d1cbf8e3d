//! A connection string that was typed, changed where it is wrong: whatever is right stays as it was written.

use super::write::{self, Form};
use super::{Assignment, parse};

/// The string with these settings and no others, each keyword once. `None` if it cannot be had by changing what stands
/// in the string, which then has to be written anew.
pub fn mended(text: &[u8], settings: &[(&str, &[u8])]) -> Option<Vec<u8>> {
    let assignments = parse(text).ok()?.assignments;
    let form = Form::of(text);
    let wanted =
        |keyword: &str| settings.iter().find(|(known, _)| *known == keyword).map(|(_, value)| *value);
    let written = |value: &[u8]| match form {
        Form::KeywordValue => write::quoted(value),
        Form::Uri => write::encoded(value),
    };
    // Of several for one keyword the last counts; where that is wrong, the first stays and has the right value.
    let becomes = |at: usize, keyword: &str, found: &Assignment| -> Option<Vec<u8>> {
        let same = || assignments.iter().enumerate().filter(|(_, (known, _))| *known == keyword);
        let value = wanted(keyword)?;
        let (last, (_, counts)) = same().next_back()?;
        let typed = text.get(found.place.value.clone())?;
        if counts.value.as_bytes() == value {
            return (at == last || !found.may_hold_password).then(|| typed.to_vec());
        }
        let (first, _) = same().next()?;
        match found.value.as_bytes() == value {
            _ if at != first => None,
            true => Some(typed.to_vec()),
            false => Some(written(value)),
        }
    };
    let named = |found: &Assignment| !found.place.keyword.is_empty();
    let mut parts: Vec<Vec<u8>> = Vec::new();
    let mut head = match form {
        Form::KeywordValue => Vec::new(),
        Form::Uri => {
            let query = assignments.iter().find(|(_, found)| named(found));
            let end = query.map_or(text.len(), |(_, found)| found.place.keyword.start.saturating_sub(1));
            text.get(..end)?.strip_suffix(b"?").unwrap_or(text.get(..end)?).to_vec()
        }
    };
    // From the end, so that the places before stay.
    for (at, (keyword, found)) in assignments.iter().enumerate().rev().filter(|(_, (_, found))| !named(found))
    {
        let place = found.place.value.clone();
        let (before, after) = (head.get(..place.start)?, head.get(place.end..)?);
        head = match becomes(at, keyword, found) {
            Some(value) => [before, &value, after].concat(),
            None => [before.strip_suffix(b":").unwrap_or(before), after].concat(),
        };
    }
    for (at, (keyword, found)) in assignments.iter().enumerate().filter(|(_, (_, found))| named(found)) {
        if let Some(value) = becomes(at, keyword, found) {
            parts.push([text.get(found.place.keyword.clone())?, b"=", &value].concat());
        }
    }
    for (keyword, value) in settings {
        if !assignments.iter().any(|(known, _)| known == keyword) {
            parts.push([keyword.as_bytes(), b"=", &written(value)].concat());
        }
    }
    let mended = match form {
        Form::KeywordValue => parts.join(&b' '),
        Form::Uri if parts.is_empty() => head,
        Form::Uri => [head, parts.join(&b'&')].join(&b'?'),
    };
    let read = parse(&mended).ok()?;
    let is_wanted = |(keyword, _): &(&str, Assignment)| {
        read.get(keyword).map(|found| found.value.as_bytes()) == wanted(keyword)
    };
    let all = settings.iter().all(|(keyword, _)| read.get(keyword).is_some());
    (all && read.assignments.iter().all(is_wanted)).then_some(mended)
}

/// Where a string takes its own `sslmode=verify-full` back: both places, in the order typed.
pub struct Lowered {
    /// The assignment that does not count.
    pub strict: Assignment,
    /// The one that does (`ssl=true` in a URI means `sslmode=require`; fe-connect.c, conninfo_uri_parse_params).
    pub counts: Assignment,
}

/// A verifying sslmode that a later assignment of the same string replaces by one that verifies less. What stands before
/// an error is looked at too.
pub fn lowered(text: &[u8]) -> Option<Lowered> {
    let read = parse(text).unwrap_or_else(|failure| failure.read);
    let counts = read.get("sslmode")?.clone();
    let rank = |found: &Assignment| match found.value.as_bytes() {
        b"verify-full" => 2,
        b"verify-ca" => 1,
        _ => 0,
    };
    let modes = read.assignments.into_iter().filter(|(keyword, _)| *keyword == "sslmode");
    let (_, strict) = modes.max_by_key(|(_, found)| rank(found))?;
    (rank(&strict) > rank(&counts)).then_some(Lowered { strict, counts })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_right_stays_as_it_was_written() {
        for (typed, settings, expected) in [
            // Nothing changes: nor do the ways of writing.
            (
                "postgres://u@h:1/d?sslrootcert=/x/y.crt&sslmode=verify-full&ssl=true",
                &[
                    ("user", "u"),
                    ("host", "h"),
                    ("port", "1"),
                    ("dbname", "d"),
                    ("sslrootcert", "/x/y.crt"),
                    ("sslmode", "require"),
                ] as &[(&str, &str)],
                Some("postgres://u@h:1/d?sslrootcert=/x/y.crt&sslmode=verify-full&ssl=true"),
            ),
            // The sslmode that counts is wrong: the first stays, and what took it back goes away.
            (
                "postgres://h/d?sslmode=verify-full&ssl=true",
                &[("host", "h"), ("dbname", "d"), ("sslmode", "verify-full")],
                Some("postgres://h/d?sslmode=verify-full"),
            ),
            (
                "host='h'  port = 1 sslmode=require",
                &[("host", "h"), ("port", "2"), ("sslmode", "require")],
                Some("host='h' port=2 sslmode=require"),
            ),
            (
                "postgresql://u:pw@h/d?password=x",
                &[("user", "u"), ("host", "h"), ("dbname", "d")],
                Some("postgresql://u@h/d"),
            ),
            ("password=a host=h password=b", &[("host", "h")], Some("host=h")),
            ("postgresql://a:1,b:2/d", &[("host", "a,c"), ("port", "1,2"), ("dbname", "d")], None),
            // `ssl` takes no mode.
            ("postgresql://h?ssl=true", &[("host", "h"), ("sslmode", "verify-full")], None),
        ] {
            let settings: Vec<(&str, &[u8])> =
                settings.iter().map(|(keyword, value)| (*keyword, value.as_bytes())).collect();
            let mended = mended(typed.as_bytes(), &settings);
            assert_eq!(mended.as_deref().map(String::from_utf8_lossy).as_deref(), expected, "{typed}");
        }
    }

    #[test]
    fn a_later_mode_that_verifies_less_is_seen() {
        for (typed, expected) in [
            ("postgresql://h?sslmode=verify-full&ssl=true", Some(("verify-full", "require"))),
            ("postgresql://h?ssl=true&sslmode=verify-full", None),
            ("sslmode=verify-full sslmode=verify-ca", Some(("verify-full", "verify-ca"))),
            ("sslmode=verify-ca requiressl=1 hsot=h", Some(("verify-ca", "require"))),
            ("sslmode=require sslmode=prefer", None),
        ] {
            let found = lowered(typed.as_bytes());
            let text = |found: &Assignment| String::from_utf8_lossy(found.value.as_bytes()).into_owned();
            let found = found.map(|found| (text(&found.strict), text(&found.counts)));
            let found = found.as_ref().map(|(strict, counts)| (strict.as_str(), counts.as_str()));
            assert_eq!(found, expected, "{typed}");
        }
    }
}
