//! Settings with commas between them, and several URLs in the place of one, joined by a comma or another separator: for libpq all
//! that follows the first `/` is the name of the database, or a part of the password where an `@` follows. It takes one URI with
//! a list of hosts.

use std::ops::Range;

use super::view::View;
use super::{Diagnosis, Fix};
use crate::conninfo::{Host, options};
use crate::secret::Secret;
use crate::stage::Stage;
use crate::text;

const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];

/// What libpq takes instead of joined URLs: what to put in the place of all behind the first one's hosts.
fn list_of_hosts(input: &str) -> Option<(Range<usize>, String)> {
    let begin = |(at, _): (usize, &str)| {
        let (before, rest) = input.split_at_checked(at)?;
        let before = before.strip_suffix("jdbc:").unwrap_or(before);
        let is_one = SCHEMES.iter().any(|scheme| rest.starts_with(scheme))
            && (before.is_empty() || before.ends_with([',', ';', ' ', '|']));
        is_one.then_some(before.len())
    };
    let starts: Vec<usize> = input.match_indices("postgres").filter_map(begin).collect();
    if starts.len() < 2 || starts.first() != Some(&0) {
        return None;
    }
    let ends = starts.iter().skip(1).copied().chain([input.len()]);
    let mut hosts = String::new();
    let (mut end, mut rest) = (0, "");
    let mut query = "";
    for (place, (from, to)) in starts.iter().zip(ends).enumerate() {
        let url = input.get(*from..to)?.trim_end_matches([',', ';', ' ', '|']);
        let authority = from + url.find("://")? + 3;
        let url_end = from + url.len();
        let behind = input.get(authority..url_end)?;
        // All up to the last @ may be a password, with a / or ? in it.
        let from_host = behind.rfind('@').map_or(0, |at| at + 1);
        let length = behind.get(from_host..)?.find(['/', '?']).map_or(behind.len(), |at| from_host + at);
        let host = behind.get(from_host..length)?;
        if !host.chars().all(|c| c.is_ascii_alphanumeric() || ".-_:,[]%".contains(c)) {
            return None;
        }
        let (path, parameters) = match behind.get(length..)?.split_once('?') {
            Some((path, parameters)) => (path, parameters),
            None => (behind.get(length..)?, ""),
        };
        if place == 0 {
            (end, rest) = (authority + length, path);
        } else {
            hosts.push(',');
            hosts.push_str(host);
        }
        // A password there is not repeated.
        if !parameters.is_empty() && !parameters.contains("pass") {
            query = parameters;
        }
    }
    let separator = if query.is_empty() { "" } else { "?" };
    Some((end..input.len(), format!("{hosts}{rest}{separator}{query}")))
}

/// Says so first of all where a check with such a string fails.
pub(super) fn with_joined_urls(mut found: Diagnosis, view: &View<'_>) -> Diagnosis {
    let list = |text: &Secret| std::str::from_utf8(text.expose()).ok().and_then(list_of_hosts);
    let of_libpq = view.evidence.input.as_ref().and_then(list);
    // Another driver's string is not changed byte by byte.
    let may_edit = of_libpq.is_some();
    let typed = || view.evidence.typed.as_ref().and_then(|typed| list(&typed.original));
    let Some((span, new)) = of_libpq.or_else(typed) else { return found };
    let others = text::printable(new.split(['/', '?']).next().unwrap_or_default());
    let what = format!(
        "several URLs are joined in one string, and {} takes one: what follows the first is for it the name of the database, or a part \
         of the password",
        view.program()
    );
    let fix = Fix::text(format!(
        "write one URL with the hosts in a list: behind the first URL's host {others}, then its /database; user and password are those \
         of the first"
    ));
    let is_config = found.code.stage == Stage::Config;
    if is_config {
        found.title = "several URLs are joined in one string".to_owned();
        found.cause = what;
    } else {
        found.cause = format!("{what}; {}", found.cause);
    }
    if is_config || matches!(found.code.stage, Stage::Auth | Stage::Session) {
        found.fixes.clear();
    }
    // Where no host can be reached, a trial would say nothing of it.
    found.fixes.insert(0, if is_config && may_edit { fix.edit(span, new) } else { fix });
    found
}

/// Settings with commas between them, as a function has its arguments, are with libpq one long list of hosts.
pub(super) fn with_commas(mut found: Diagnosis, view: &View<'_>) -> Diagnosis {
    let is_setting = |host: &Host| host.name.exposed().contains(&b'=');
    if !view.settings().is_some_and(|settings| settings.hosts.iter().any(is_setting)) {
        return found;
    }
    let input = view.evidence.input.as_ref().and_then(|input| std::str::from_utf8(input.expose()).ok());
    let Some((input, new)) = input.and_then(|input| Some((input, spaced(input)?))) else { return found };
    let what = format!(
        "the settings have commas between them: for {} all that follows host= is a list of hosts",
        view.program()
    );
    if found.code.stage == Stage::Config {
        found.cause = what;
        found.fixes.clear();
    } else {
        found.cause = format!("{what}; {}", found.cause);
    }
    found
        .fixes
        .insert(0, Fix::text("write spaces between the settings, no commas").edit(0..input.len(), new));
    found
}

/// A string with a space in the place of each comma in front of a setting.
fn spaced(input: &str) -> Option<String> {
    let mut parts = input.split(',');
    let mut spaced = parts.next()?.to_owned();
    let mut changed = false;
    for part in parts {
        let keyword = part.split_once('=').map(|(keyword, _)| keyword.trim());
        let is_setting = keyword.is_some_and(|keyword| options::find(keyword.as_bytes()).is_some());
        changed |= is_setting;
        spaced.push(if is_setting { ' ' } else { ',' });
        spaced.push_str(part);
    }
    changed.then_some(spaced)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_between_settings_become_spaces() {
        for (input, expected) in [
            ("host=a,dbname=d, user=u", Some("host=a dbname=d  user=u")),
            ("host=a,b,port=1,2,dbname=d", Some("host=a,b port=1,2 dbname=d")),
            ("host=a,b port=1,2", None),
            ("host=a,colour=red", None),
        ] {
            assert_eq!(spaced(input).as_deref(), expected, "{input}");
        }
    }

    #[test]
    fn joined_urls_become_a_list_of_hosts() {
        let mended = |input: &str| {
            let (span, new) = list_of_hosts(input)?;
            Some(format!("{}{new}", &input[..span.start]))
        };
        for (input, expected) in [
            ("postgres://a/db,postgres://b/db", "postgres://a,b/db"),
            ("postgres://u:p@a:1/db, postgresql://u:p@b:2/db", "postgres://u:p@a:1,b:2/db"),
            (
                "postgres://a/db?sslmode=require;postgres://b/db?sslmode=verify-full",
                "postgres://a,b/db?sslmode=verify-full",
            ),
            ("postgresql://a postgresql://b postgresql://c/x", "postgresql://a,b,c"),
            ("postgres://a/db,postgres://b/db?password=secret", "postgres://a,b/db"),
            ("postgres://a/db,postgres://u:pa/ss?w@b/db", "postgres://a,b/db"),
            ("postgres://u:pa/ss@a/db,postgres://b/db", "postgres://u:pa/ss@a,b/db"),
            (
                "jdbc:postgresql://a/db,jdbc:postgresql://b:5433/db?ssl=true",
                "jdbc:postgresql://a,b:5433/db?ssl=true",
            ),
        ] {
            assert_eq!(mended(input).as_deref(), Some(expected), "{input}");
        }
        for input in
            ["postgres://a,b/db", "postgres://a/postgres", "host=a,b", "postgres://a/db?x=postgres://b", ""]
        {
            assert_eq!(mended(input), None, "{input}");
        }
    }
}
