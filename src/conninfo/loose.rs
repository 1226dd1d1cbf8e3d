//! What looks like a secret in a text of any kind: a value of another driver, a string that does not parse, what a server
//! says, a word of the command line. Rather too much is taken for one than too little.

use std::ops::Range;

use super::address::parse_address;
use super::blanks::is_space;
use super::options;
use super::uri::{password_in_authority, ports_that_are_none};

/// Words that tell a secret, in lower case.
const SECRET_WORDS: [&[u8]; 19] = [
    b"password",
    b"passwd",
    b"passwort",
    b"passphrase",
    b"pass",
    b"pwd",
    b"psw",
    b"secret",
    b"token",
    b"credential",
    b"client_key",
    b"server_key",
    b"api_key",
    b"apikey",
    b"access_key",
    b"accesskey",
    b"accountkey",
    b"private_key",
    b"x_amz_signature",
];

/// How secrets begin that have no name beside them: PostgreSQL's verifier, JSON web tokens, keys and passwords of Vault, Neon,
/// Aiven, Supabase, PlanetScale, GitHub, GitLab and Docker.
const TOKENS: [&[u8]; 12] = [
    b"SCRAM-SHA-256$",
    b"eyJ",
    b"hvs.",
    b"hvb.",
    b"npg_",
    b"AVNS_",
    b"sbp_",
    b"sb_secret_",
    b"pscale_pw_",
    b"ghp_",
    b"glpat-",
    b"dckr_pat_",
];

/// The fewest characters of one, beginning included.
const SHORTEST_TOKEN: usize = 12;

/// Programs (one without a name: any), their option for a password, and whether it may stand in the next word.
const COMMANDS: [(&[u8], &[u8], bool); 8] = [
    (b"mysql", b"-p", false),
    (b"mysqldump", b"-p", false),
    (b"mariadb", b"-p", false),
    (b"sshpass", b"-p", true),
    // psql's and all of PostgreSQL's, with what belongs behind no -W.
    (b"", b"-W", true),
    (b"curl", b"-u", true),
    (b"curl", b"--user", true),
    (b"login", b"-p", true),
];

/// Names with such a word in them that hold no secret.
const HARMLESS: [&[u8]; 5] = [
    b"pgpassfile",
    b"passfile",
    b"password_encryption",
    b"sslpasswordcallback",
    b"connectionpasswordprovider",
];

/// Whether a name is that of a secret, in libpq's spelling or another's, or nearly so.
pub(super) fn sounds_secret(name: &[u8]) -> bool {
    if let Some(option) = options::find(name) {
        return option.kind.is_secret();
    }
    let lower = name.to_ascii_lowercase();
    let lower: Vec<u8> = lower.into_iter().map(|byte| if byte == b'-' { b'_' } else { byte }).collect();
    if HARMLESS.contains(&lower.as_slice()) {
        return false;
    }
    SECRET_WORDS.iter().any(|word| lower.windows(word.len()).any(|part| part == *word))
        || options::nearest(name).is_some_and(options::is_secret)
}

/// The parts of a text that look like secrets: what names of secrets are set to, passwords of URLs with their scheme and
/// without, lines of password files, keys and certificates as text. From `unread` on, where nothing is known of the text's
/// structure, everything behind such a name.
pub(super) fn loose_secrets(text: &[u8], unread: usize) -> Vec<Range<usize>> {
    if is_harmless_word(text) { Vec::new() } else { searched(text, unread) }
}

/// Whether a text is a short word without any sign that could set off a secret, as most values are.
pub(super) fn is_harmless_word(text: &[u8]) -> bool {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/');
    text.len() < LONG_RUN
        && !text.windows(2).any(|two| two == b"--")
        && text.iter().all(is_part)
        && token(text).is_none()
}

/// The length of a token with which a text begins.
fn token(text: &[u8]) -> Option<usize> {
    let is_md5 = text.starts_with(b"md5");
    if !is_md5 && !TOKENS.iter().any(|beginning| text.starts_with(beginning)) {
        return None;
    }
    let ends = |byte: &u8| is_space(*byte) || b"\"'`,;<>()|&\\@".contains(byte);
    let most = if is_md5 { 36 } else { text.len() };
    let length = text.iter().take(most).take_while(|byte| !ends(byte)).count();
    let is_hash = || length == 35 && text.iter().skip(3).take(32).all(u8::is_ascii_hexdigit);
    (if is_md5 { is_hash() } else { length >= SHORTEST_TOKEN }).then_some(length)
}

/// The second of a line's two strings in quotes, as PgBouncer's userlist.txt has them.
fn of_userlist(line: &[u8]) -> Option<Range<usize>> {
    let parts: Vec<&[u8]> = line.trim_ascii().split(|byte| *byte == b'"').take(6).collect();
    let [b"", _, [b' ' | b'\t', ..], _, b""] = parts.as_slice() else { return None };
    let (at, _) = line.iter().enumerate().filter(|(_, byte)| **byte == b'"').nth(2)?;
    Some(at..line.len())
}

/// Passwords among the arguments of programs that take them there, and what `echo` gives to another program.
fn in_commands(text: &[u8]) -> Vec<Range<usize>> {
    const ECHO: &[u8] = b"echo";
    let mut ranges = Vec::new();
    let mut start = 0;
    for line in text.split(|byte| *byte == b'\n') {
        ranges.extend(of_userlist(line).map(|second| start + second.start..start + second.end));
        let mut programs: Vec<&[u8]> = vec![b""];
        // The option or program that takes the next word.
        let mut taking: Option<&[u8]> = None;
        let mut at = start;
        start += line.len() + 1;
        for word in line.split(|byte| is_space(*byte)) {
            let begin = at;
            at += word.len() + 1;
            let quotes = word.iter().take_while(|byte| b"\"'`[({$,\\".contains(byte)).count();
            let bare = word.get(quotes..).unwrap_or_default();
            let behind = || text.get(at..).unwrap_or_default().trim_ascii_start();
            let options = || COMMANDS.iter().filter(|(program, ..)| programs.contains(program));
            let attached = |option: &[u8]| option.len() == 2 && bare.len() > 2 && bare.starts_with(option);
            let behind_it = bare.iter().rev().take_while(|byte| b"\"',])".contains(byte)).count();
            let option = bare.get(..bare.len() - behind_it).unwrap_or_default();
            let value = match taking.take() {
                Some(ECHO) => behind().starts_with(b"|").then_some((ECHO, begin)),
                Some(option) if !bare.starts_with(b"-") => Some((option, begin)),
                _ if option.len() == 2 => None,
                _ => options().find(|(_, option, _)| attached(option)).map(|row| (row.1, begin + quotes + 2)),
            };
            if let Some((option, from)) = value {
                // curl's is USER:PASSWORD.
                let given = text.get(from..begin + word.len()).unwrap_or_default();
                let colon = given
                    .iter()
                    .position(|byte| *byte == b':')
                    .filter(|_| matches!(option, b"-u" | b"--user"));
                let end = value_end(text, from).max(begin + word.len());
                ranges.push(from + colon.map_or(0, |colon| colon + 1)..end);
                continue;
            }
            let name = option.rsplit(|byte| b"/\"'([".contains(byte)).next().unwrap_or_default();
            taking = match name {
                b"echo" | b"printf" => Some(ECHO),
                _ => options().find(|(_, known, next)| *next && option == *known).map(|row| row.1),
            };
            if !programs.contains(&name) && COMMANDS.iter().any(|(program, ..)| *program == name) {
                programs.push(name);
            }
        }
    }
    ranges
}

/// The text of an element of XML whose tag, which ends at `end`, has the name of a secret as its own or in an attribute.
fn in_element(text: &[u8], end: usize) -> Option<Range<usize>> {
    const LONGEST_TAG: usize = 200;
    let before = text.get(end.saturating_sub(LONGEST_TAG)..end)?;
    let tag = before.rsplit(|byte| *byte == b'<').next().filter(|tag| tag.len() < before.len())?;
    let mut words = tag.split(|byte| !is_name(*byte)).filter(|word| !word.is_empty());
    let is_named = |word: &[u8]| matches!(word, b"name" | b"key");
    let is_secret = sounds_secret(words.next()?)
        || words.by_ref().any(is_named) && words.next().is_some_and(sounds_secret);
    if !is_secret || tag.ends_with(b"/") {
        return None;
    }
    let content = text.get(end + 1..)?.split(|byte| *byte == b'<').next()?;
    Some(end + 1..end + 1 + content.len())
}

/// What words set without a sign: `Authorization: Basic VALUE`, `setx NAME VALUE`, `IDENTIFIED BY VALUE`.
fn set_by_words(text: &[u8], before: &[u8], name: &Range<usize>) -> Option<Range<usize>> {
    let follows = |words: &[&[u8]]| words.iter().any(|word| before.eq_ignore_ascii_case(word));
    let own = text.get(name.clone())?;
    let rest = text.get(name.start..)?;
    if follows(&[b"authorization"]) {
        let is_set =
            text.get(..name.start)?.trim_ascii_end().last().is_some_and(|byte| b":=\"'".contains(byte));
        let ends = |byte: &u8| matches!(byte, b'"' | b'\'' | b'\n');
        let length = rest.iter().position(ends).unwrap_or(rest.len());
        return is_set.then_some(name.start..name.start + length);
    }
    // In `set password` the name may be a word of a sentence.
    let is_variable = own.iter().any(|byte| byte.is_ascii_uppercase() || *byte == b'_');
    let is_set = (follows(&[b"setx", b"setenv", b"env"]) || follows(&[b"set"]) && is_variable)
        && sounds_secret(own)
        || follows(&[b"identified"]) && own.eq_ignore_ascii_case(b"by");
    let blanks = text.iter().skip(name.end).take_while(|byte| is_space(**byte)).count();
    let value = name.end + blanks;
    (is_set && blanks > 0).then(|| value..value_end(text, value))
}

/// The most URLs in one word from each of which on all that follows is looked at. Of the others everything up to the last `@`
/// counts as a password, which the first of them already has for one, and each has its port.
const MOST_URLS: usize = 20;

fn searched(text: &[u8], unread: usize) -> Vec<Range<usize>> {
    let mut ranges = bare_logins(text);
    ranges.extend(contents(text));
    ranges.extend(password_file_fields(text));
    ranges.extend(repeated_by_libpq(text));
    ranges.extend(in_commands(text));
    let mut start = 0;
    let mut before: &[u8] = b"";
    // Whether the last thing named, by itself, is a secret: `name: PGPASSWORD`, `variable "db_password" {`.
    let mut names_one = false;
    let (mut bare, mut sentence) = (0..0, 0..0);
    let (mut url_end, mut urls) = (0, 0);
    while start < text.len() {
        let word = text.iter().skip(start).take_while(|byte| is_name(**byte)).count();
        let end = start + word;
        if word == 0 {
            match text.get(start..) {
                Some([b':', b'/', b'/', ..]) => {
                    if start >= url_end {
                        let rest = text.iter().skip(start).take_while(|byte| !is_space(**byte));
                        (url_end, urls) = (start + rest.count(), 0);
                    }
                    urls += 1;
                    ranges.extend(behind_blank(text, start + 3, url_end));
                    match urls {
                        ..MOST_URLS => ranges.extend(in_url(text.get(..url_end).unwrap_or(text), start + 3)),
                        number => {
                            let word = text.get(..url_end).unwrap_or(text);
                            if number == MOST_URLS {
                                let last = word.iter().rposition(|byte| *byte == b'@');
                                ranges.extend(last.map(|last| start + 3..last));
                            }
                            ranges.extend(in_short_url(word, start + 3));
                        }
                    }
                }
                Some([b'>', ..]) => ranges.extend(in_element(text, start)),
                _ => {}
            }
            start += 1;
            continue;
        }
        let name = text.get(start..end).unwrap_or_default();
        if let Some(length) = token(text.get(start..).unwrap_or_default()) {
            ranges.push(start..start + length);
            start += length;
            continue;
        }
        ranges.extend(set_by_words(text, before, &(start..end)));
        before = name;
        // In this order, because each question costs more than the one before, and most words are not set to anything.
        if let Some(value) = value_behind(text, start..end, unread) {
            let is_word = |words: &[&[u8]]| words.iter().any(|word| name.eq_ignore_ascii_case(word));
            if is_word(&[b"name", b"key"]) {
                names_one = sounds_secret(first_name(text, value));
            }
            if sounds_secret(name) || names_one && is_word(&[b"value", b"default"]) {
                let is_sentence =
                    sounds_secret(name) && is_of_words(text.get(end..value).unwrap_or_default());
                let from = behind_bar(text, value);
                let value_end = match value >= unread {
                    true => text.len(),
                    false if is_sentence => sentence_end(text, from, &mut sentence),
                    false => value,
                };
                ranges.push(value..value_end.max(value_end_beside(text, from, &mut bare)));
            }
        } else if matches!(text.get(end..), Some([b'"', b' ', b'{', ..])) {
            names_one = sounds_secret(name);
        }
        if let Some(at) = encoded_assignment(name) {
            ranges.push(start + at..value_end_beside(text, start + at, &mut bare).max(end));
        }
        start = end;
    }
    ranges.retain(|range| !range.is_empty());
    ranges
}

/// The first name at or behind a place, without its quote.
fn first_name(text: &[u8], start: usize) -> &[u8] {
    let rest = text.get(start..).unwrap_or_default();
    let rest = rest.strip_prefix(b"\"").or_else(|| rest.strip_prefix(b"'")).unwrap_or(rest);
    rest.split(|byte| !is_name(*byte)).next().unwrap_or_default()
}

/// Where the lines of a block of YAML begin (`password: |`), on one line or more, else the place itself.
fn behind_bar(text: &[u8], value: usize) -> usize {
    let rest = text.get(value..).unwrap_or_default();
    let is_bar = matches!(rest.first(), Some(b'|' | b'>'));
    let sign = rest.iter().take_while(|byte| b"|>+-0123456789".contains(byte)).count();
    let blanks = rest.iter().skip(sign).take_while(|byte| is_space(**byte)).count();
    if is_bar && blanks > 0 { value + sign + blanks } else { value }
}

/// What libpq's errors repeat of a URI that a password with unencoded signs has broken: what it took for a host with an `@`
/// in it, for a port, for a parameter (fe-connect.c).
fn repeated_by_libpq(text: &[u8]) -> Vec<Range<usize>> {
    const SAID: [&[u8]; 6] = [
        b"host name \"",
        b"integer value \"",
        b"port number: \"",
        b"query parameter: \"",
        b"encoded token: \"",
        b"\"=\" after \"",
    ];
    let mut ranges = Vec::new();
    // One pass over the text: it may be long, and is looked at often.
    for (at, _) in text.iter().enumerate().filter(|(_, byte)| **byte == b'"') {
        let before = text.get(..=at).unwrap_or_default();
        let Some(said) = SAID.iter().find(|said| before.ends_with(said)) else { continue };
        let rest = text.get(at + 1..).unwrap_or_default();
        let quoted = rest.split(|byte| *byte == b'"').next().unwrap_or_default();
        let is_harmless = match *said {
            b"host name \"" => !quoted.contains(&b'@'),
            b"integer value \"" | b"port number: \"" => is_number(quoted),
            _ => options::nearest(quoted).is_some(),
        };
        if !is_harmless {
            ranges.push(at + 1..at + 1 + quoted.len());
        }
    }
    ranges
}

/// What stands in the place of a password behind a URL's `//`.
fn in_url(text: &[u8], start: usize) -> Vec<Range<usize>> {
    let authority = text.get(start..).unwrap_or_default();
    let authority = authority.split(|byte| is_space(*byte)).next().unwrap_or_default();
    let found = match password_in_authority(authority) {
        Some(password) => vec![password],
        None => ports_that_are_none(authority),
    };
    found.into_iter().map(|found| start + found.start..start + found.end).collect()
}

/// The password of a URL with a blank in it, behind which an `@` follows: in the next word; further on in the line where the
/// text begins with the URL, or where its word, which ends at `end`, has neither an `@` nor what may be a port.
fn behind_blank(text: &[u8], start: usize, end: usize) -> Option<Range<usize>> {
    let word = text.get(start..end).filter(|word| !word.starts_with(b"["))?;
    let signs = |byte: &u8| matches!(byte, b':' | b'/' | b'?' | b'@');
    let colon = word.iter().position(signs).filter(|at| word.get(*at) == Some(&b':'))?;
    let behind = word.get(colon + 1..)?;
    let is_whole = text.iter().take_while(|byte| is_name(**byte) || **byte == b'+').count() + 3 == start;
    let is_near = !is_whole && (is_number(behind) || behind.contains(&b'@'));
    let rest = text.get(end + 1..)?;
    let ends = |part: &[u8]| {
        part.starts_with(b"\n")
            || part == b"://"
            || is_near && part.first().is_some_and(|byte| is_space(*byte))
    };
    let length = rest.windows(3).position(ends).unwrap_or(rest.len());
    let at = rest.get(..length)?.iter().rposition(|byte| *byte == b'@')?;
    Some(start + colon + 1..end + 1 + at)
}

/// What stands in the place of a port in a URL whose password is told elsewhere, up to its path.
fn in_short_url(text: &[u8], start: usize) -> Vec<Range<usize>> {
    let rest = text.get(start..).unwrap_or_default();
    let host = rest.split(|byte| matches!(byte, b'/' | b'?')).next().unwrap_or_default();
    // The bracket closes behind the path, if ever.
    let found = match host.starts_with(b"[") && !host.contains(&b']') {
        true => Some(0..rest.len()).into_iter().collect(),
        false if host.contains(&b'@') => Vec::new(),
        false => ports_that_are_none(host),
    };
    found.into_iter().map(|found| start + found.start..start + found.end).collect()
}

/// Where the value of `password%3Dvalue` begins: an assignment within an encoded one.
fn encoded_assignment(name: &[u8]) -> Option<usize> {
    let signs = name.windows(3).enumerate().filter(|(_, part)| part.eq_ignore_ascii_case(b"%3d"));
    let mut begin = 0;
    for (at, _) in signs {
        if sounds_secret(name.get(begin..at)?) {
            return Some(at + 3);
        }
        begin = at + 3;
    }
    None
}

/// The passwords of `user:password@host`, as a URL reads that has lost its scheme, and of Oracle's `user/password@host`
/// where that is all there is.
fn bare_logins(text: &[u8]) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut start = 0;
    for word in text.split(|byte| is_space(*byte)) {
        // A URL's own login is found elsewhere; one in the value of a parameter is here.
        if word.windows(3).any(|part| part.first() == Some(&b':') && part == b"://") {
            let mut from = start;
            for part in word.split(|byte| matches!(byte, b'=' | b'&' | b'?')) {
                let inside = if part.contains(&b'/') { Vec::new() } else { bare_logins(part) };
                ranges.extend(inside.into_iter().map(|found| from + found.start..from + found.end));
                from += part.len() + 1;
            }
            start += word.len() + 1;
            continue;
        }
        let at = word.iter().rposition(|byte| *byte == b'@').unwrap_or(0);
        let login = word.get(..at).unwrap_or_default();
        // A drive of Windows has one letter before its colon and a slash behind it.
        let is_drive = |colon: usize| {
            matches!(word.get(colon + 1), Some(b'/' | b'\\'))
                && login.iter().take(colon).rev().take_while(|byte| is_name(**byte)).count() == 1
        };
        let colon = login.iter().position(|byte| *byte == b':');
        ranges.extend(login_behind_blank(text, start, word));
        if let Some(colon) = colon.filter(|colon| !is_drive(*colon)) {
            ranges.push(start + colon + 1..start + at);
        } else if let Some(slash) = login.iter().position(|byte| *byte == b'/')
            && colon.is_none()
            && let name = login.iter().take(slash).rev().take_while(|byte| is_name(**byte)).count()
            && name > 0
            && login
                .iter()
                .take(slash - name)
                .next_back()
                .is_none_or(|byte| matches!(byte, b'=' | b'\'' | b'"'))
            && login.get(slash - name) != Some(&b'.')
        {
            ranges.push(start + slash + 1..start + at);
        }
        start += word.len() + 1;
    }
    ranges
}

/// The password of a login with a blank in it: it goes on in the next word, which has an `@`; at the beginning of a text, up to the
/// last.
fn login_behind_blank(text: &[u8], start: usize, word: &[u8]) -> Option<Range<usize>> {
    let colon = word.iter().position(|byte| *byte == b':')?;
    let (before, rest) = (word.get(..colon)?, word.get(colon + 1..)?);
    let name = before.iter().rev().take_while(|byte| is_name(**byte)).count();
    let is_drive = name == 1 && matches!(rest.first(), Some(b'/' | b'\\'));
    let is_login = name > 0 && !is_drive && !rest.is_empty() && !rest.contains(&b':');
    let behind = text.get(start + word.len() + 1..).filter(|_| is_login)?;
    let ends = |byte: &u8| if start == 0 { *byte == b'\n' } else { is_space(*byte) };
    let behind = behind.split(ends).next()?;
    let at = behind.iter().rposition(|byte| *byte == b'@')?;
    Some(start + colon + 1..start + word.len() + 1 + at)
}

/// What stands behind `host:port:`, as in a line of a password file or a login that lost its sign: of a line the last field,
/// whatever signs are in it, else everything but further ports.
fn password_file_fields(text: &[u8]) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    if text.iter().filter(|byte| **byte == b':').count() < 2 {
        return ranges;
    }
    let mut start = 0;
    for line in text.split(|byte| *byte == b'\n') {
        ranges.extend(password_of_line(line).map(|at| start + at..start + line.len()));
        start += line.len() + 1;
    }
    let mut start = 0;
    for word in text.split(|byte| is_space(*byte) || *byte == b'=') {
        let end = start + word.len();
        let begins_line = start == 0 || text.get(start - 1) == Some(&b'\n');
        if let Some(at) = password_of_word(word) {
            let ends = |byte: &u8| if begins_line { *byte == b'\n' } else { is_space(*byte) };
            let more = text.iter().skip(end).take_while(|byte| !ends(byte)).count();
            ranges.push(start + at..end + more);
        } else if let Some(at) = behind_port(word) {
            ranges.push(start + at..end);
        }
        start = end + 1;
    }
    ranges
}

/// Fields of a line of a password file.
const FIELDS: usize = 5;

/// Where the fields begin, as far as a line of a password file has any. An address in brackets is one.
fn fields(text: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let bracket = text.iter().position(|byte| *byte == b']').filter(|_| text.starts_with(b"["));
    let mut at = 0;
    let ends = move |byte: &u8| {
        at += 1;
        *byte == b':' && bracket.is_none_or(|bracket| at > bracket)
    };
    text.splitn(FIELDS, ends).scan(0, |start, field| {
        let at = *start;
        *start += field.len() + 1;
        Some((at, field))
    })
}

fn is_port(field: &[u8]) -> bool {
    field == b"*" || is_number(field) && !field.is_empty()
}

fn is_number(field: &[u8]) -> bool {
    field.iter().all(u8::is_ascii_digit)
}

/// Where the password begins in a line of five fields, blanks among them or not.
fn password_of_line(line: &[u8]) -> Option<usize> {
    let mut fields = fields(line);
    let (_, host) = fields.next()?;
    let (_, port) = fields.next()?;
    let is_line = is_port(port.trim_ascii()) && !host.trim_ascii().iter().any(|byte| is_space(*byte));
    let (password, _) = fields.nth(FIELDS - 3)?;
    // Without a quote before it, it may be a host, a port and whatever.
    let word = line
        .split(|byte| is_space(*byte))
        .next()
        .filter(|word| !word.first().is_some_and(u8::is_ascii_hexdigit));
    (is_line && parse_address(line).is_none() && !word.is_some_and(is_address)).then_some(password)
}

/// Where the password begins in a word that has the fields of a password file's line, or all but one of them: a sign may
/// have been lost or have come to it. Addresses, a fingerprint and a chain of names (`a::b::c`) are no such words.
fn password_of_word(word: &[u8]) -> Option<usize> {
    let fields: Vec<_> = fields(word).collect();
    let (last, before) = fields.split_last().filter(|(_, before)| before.len() + 2 >= FIELDS)?;
    let is_hexadecimal = word.iter().all(|byte| byte.is_ascii_hexdigit() || b":.,[]".contains(byte));
    let empty = before.iter().filter(|(_, field)| field.is_empty()).count();
    // Those of JSON and the like come in pairs.
    let quotes = word.iter().take(last.0).filter(|byte| matches!(byte, b'"' | b'\'')).count();
    let is_line = !is_hexadecimal && empty < 2 && quotes < 2 && !word.windows(3).any(|part| part == b"://");
    (is_line && !is_address(word)).then_some(last.0)
}

/// Whether a word is an address of IPv6 as sentences and lists have it: with quotes, brackets, a mask's length, a port.
fn is_address(word: &[u8]) -> bool {
    let text = String::from_utf8_lossy(word);
    let signs = |c: char| c.is_ascii() && "\"'`()<>[],.;".contains(c) || !c.is_ascii();
    let bare = text.trim_matches(signs);
    let bare = bare
        .rsplit_once("]:")
        .or_else(|| bare.rsplit_once('/'))
        .map_or(bare, |(address, number)| if is_number(number.as_bytes()) { address } else { bare });
    bare.contains(':') && parse_address(bare.as_bytes()).is_some()
}

/// What begins behind the `host:port:` of a word, unless that is further ports.
fn behind_port(word: &[u8]) -> Option<usize> {
    let mut fields = fields(word);
    let (_, host) = fields.next()?;
    let (_, port) = fields.next()?;
    let (behind, field) = fields.next()?;
    let rest: Vec<_> = fields.collect();
    let further = is_number(field) && rest.iter().all(|(_, field)| is_number(field));
    let is_host = !host.is_empty() && !host.iter().all(u8::is_ascii_hexdigit) || host == b"*";
    (is_host && is_port(port) && !further && !is_address(word)).then_some(behind)
}

/// Keys and certificates as text: from `-----BEGIN` to the end of the block's last line, or of the text; and a long run of
/// base64 that begins as their bodies do, or that is as long as a line of theirs and looks as random.
fn contents(text: &[u8]) -> Vec<Range<usize>> {
    const BEGIN: &[u8] = b"----BEGIN";
    const END: &[u8] = b"----END";
    let mut ranges = Vec::new();
    let find = |what: &[u8], from: usize| {
        let rest = text.get(from..).unwrap_or_default();
        let is_it = |part: &[u8]| part.first() == what.first() && part.eq_ignore_ascii_case(what);
        rest.windows(what.len()).position(is_it).map(|at| at + from)
    };
    let mut from = 0;
    while let Some(at) = find(BEGIN, from) {
        let dashes = text.iter().take(at).rev().take_while(|byte| **byte == b'-').count();
        let end = find(END, at).and_then(|end| {
            let label = end + END.len();
            let closing = find(b"----", label)?;
            Some(closing + text.iter().skip(closing).take_while(|byte| **byte == b'-').count())
        });
        let end = end.unwrap_or(text.len());
        ranges.push(at - dashes..end);
        from = end;
    }
    let mut start = 0;
    while start < text.len() {
        let run = text.iter().skip(start).take_while(|byte| is_base64(**byte));
        let length = run.take_while(|byte| **byte != b'=').count();
        // It may stand behind a directory, to which what passed for a relative path was joined.
        let body = (0..(length + 1).saturating_sub(LONG_RUN))
            .filter(|at| *at == 0 || text.get(start + at - 1) == Some(&b'/'))
            .find(|at| {
                let rest = text.get(start + at..start + length).unwrap_or_default();
                is_body(rest) || is_random_line(rest)
            });
        if let Some(at) = body {
            start += at;
            // Its further lines.
            let rest = text.get(start..).unwrap_or_default();
            let body = rest
                .iter()
                .take_while(|byte| is_base64(**byte) || is_space(**byte) || **byte == b'\\')
                .count();
            ranges.push(start..start + body);
            start += body.max(1);
        } else {
            start += length.max(1);
        }
    }
    ranges
}

/// A shorter run of base64 is a name or a path.
const LONG_RUN: usize = 40;

/// The shortest line of base64 that OpenSSL and others fill (RFC 7468).
const LINE: usize = 64;

/// Whether a run of base64 begins with a line of bytes that look random: capitals, small letters and digits alternate there
/// as in no path and no name.
fn is_random_line(run: &[u8]) -> bool {
    let Some(line) = run.get(..LINE) else { return false };
    let class = |byte: &u8| (byte.is_ascii_uppercase(), byte.is_ascii_lowercase(), byte.is_ascii_digit());
    let changes =
        line.iter().zip(line.iter().skip(1)).filter(|(one, next)| class(one) != class(next)).count();
    let has = |kind: fn(&u8) -> bool| line.iter().any(kind);
    // Of random base64 some 65 of 100 pairs differ, of hexadecimal digits half, but those are of one case.
    let mixed = has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_digit);
    mixed && changes * 5 > LINE * 2
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

/// Whether base64 begins as the structures of keys and certificates do (`30 82`, `30 81`, `30 2e`, `30 77`), as OpenSSH's
/// keys, or as `-----BEGI` in base64 once more.
fn is_body(text: &[u8]) -> bool {
    [&b"MII"[..], b"MIG", b"MIH", b"MC4CAQ", b"MHcCAQ", b"MFMCAQ", b"b3BlbnNzaC1r", b"LS0tLS1CRUdJ"]
        .iter()
        .any(|beginning| text.starts_with(beginning))
}

/// Whether a value that should be a path is the text of a key or certificate, or its body.
pub(super) fn is_content(value: &[u8]) -> bool {
    !contents(value).is_empty()
}

/// Whether a line is a piece of a file with a key or certificates: the first line of a block that goes on below, the first
/// of its body, or another one, which is too long for a label of a host's name (RFC 1035, section 2.3.4).
pub(super) fn is_line_of_content(line: &[u8]) -> bool {
    let find = |what: &[u8]| line.windows(what.len()).position(|part| part.eq_ignore_ascii_case(what));
    let begins_block = find(b"----BEGIN ").is_some_and(|_| find(b"----END ").is_none());
    let all_base64 = line.iter().all(|byte| is_base64(*byte));
    begins_block || all_base64 && (line.len() > 63 || is_body(line) && line.len() > LONG_RUN / 2)
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'%')
}

/// Where what the name at `name` is set to begins: behind `=`, `:`, `=>`, in quotes behind the name alone.
fn value_behind(text: &[u8], name: Range<usize>, unread: usize) -> Option<usize> {
    let blanks = |from: usize| from + text.iter().skip(from).take_while(|byte| is_space(**byte)).count();
    let end = name.end;
    // In JSON within a string the quotes have backslashes.
    let quote = end + usize::from(text.get(end) == Some(&b'\\'));
    let quoted_name = matches!(text.get(quote), Some(b'"' | b'\'' | b'`'));
    let begins_call = name.start.checked_sub(2).and_then(|at| text.get(at)) == Some(&b'(');
    let sign = blanks(if quoted_name { quote + 1 } else { end });
    let is_flag = text.get(name.clone()).is_some_and(|name| name.windows(2).any(|two| two == b"--"));
    match text.get(sign) {
        Some(b'=' | b':') => {
            let is_double = matches!(text.get(sign..), Some([_, b'>', ..] | [b':', b'=', ..]));
            Some(blanks(sign + 1 + usize::from(is_double)))
        }
        Some(_) if is_flag && sign > end => Some(sign),
        // `setenv("NAME", "VALUE")`
        Some(b',') if quoted_name && begins_call => {
            Some(blanks(sign + 1)).filter(|value| matches!(text.get(*value), Some(b'"' | b'\'')))
        }
        _ if end >= unread && sign > end => Some(sign),
        Some(b'"' | b'\'') if sign > end && !quoted_name => Some(sign),
        _ => None,
    }
}

/// Where a value ends that nobody took apart: at the quote that closes it and what hangs on that, at a blank, at a
/// separator with a keyword of anybody's and its sign behind it.
fn value_end(text: &[u8], start: usize) -> usize {
    value_end_beside(text, start, &mut (0..0))
}

/// The same, of a text in which an end was searched before: from anywhere in `bare`, what it went through without quotes,
/// the end is the same. Names in the values of names would have each search the whole text again.
fn value_end_beside(text: &[u8], start: usize, bare: &mut Range<usize>) -> usize {
    let mut at = start;
    if let Some(quote @ (b'"' | b'\'' | b'`')) = text.get(start) {
        // TOML's and Python's strings of several lines.
        let threefold = [*quote; 3];
        if let Some(rest) = text.get(start..).and_then(|rest| rest.strip_prefix(&threefold)) {
            let length = rest.windows(3).position(|part| part == threefold);
            return length.map_or(text.len(), |length| start + length + 6);
        }
        at += 1;
        loop {
            match text.get(at) {
                None => return text.len(),
                Some(b'\\') => at += 2,
                Some(byte) if byte == quote => break,
                Some(_) => at += 1,
            }
        }
    }
    if !bare.contains(&at) {
        let ends = |(at, byte): (usize, &u8)| {
            is_space(*byte) && !goes_on(text, at)
                || (matches!(byte, b';' | b'&' | b',') && is_assignment(text, at + 1))
        };
        let rest = text.iter().enumerate().skip(at);
        let end = rest.map(|(place, byte)| (place, ends((place, byte)))).find(|(_, ends)| *ends);
        *bare = at..end.map_or(text.len(), |(place, _)| place);
    }
    // A quote that nothing closes may end behind the text.
    bare.end
}

/// Whether a value may be of several words behind what stands between it and its name: a sign and a blank.
fn is_of_words(between: &[u8]) -> bool {
    let sign = between.trim_ascii();
    matches!(sign, b":" | b"=") && between.last().is_some_and(|last| is_space(*last))
}

/// Where such a value ends, of however many words: at the end of its line, or before a keyword
/// of anybody's and its sign.
fn sentence_end(text: &[u8], start: usize, known: &mut Range<usize>) -> usize {
    if known.contains(&start) {
        return known.end;
    }
    let ends = |(at, byte): (usize, &u8)| match byte {
        b'\n' => true,
        b' ' | b'\t' | b',' | b';' | b'&' => is_assignment(text, at + 1),
        _ => false,
    };
    let mut rest = text.iter().enumerate().skip(start);
    *known = start..rest.find(|place| ends(*place)).map_or(text.len(), |(at, _)| at);
    known.end
}

/// Whether a value goes on behind a blank: up to a separator with a keyword behind it.
fn goes_on(text: &[u8], blank: usize) -> bool {
    let rest = text.iter().enumerate().skip(blank).take(64);
    let mut signs = rest.filter(|(at, byte)| match byte {
        b'\n' => true,
        b';' | b'&' | b' ' => is_assignment(text, at + 1),
        _ => false,
    });
    signs.next().is_some_and(|(_, sign)| matches!(sign, b';' | b'&'))
}

/// Whether a keyword of anybody's with its sign begins at `start`.
fn is_assignment(text: &[u8], start: usize) -> bool {
    let rest = text.get(start..).unwrap_or_default();
    let rest = rest.trim_ascii_start();
    let rest = rest.strip_prefix(b"\"").or_else(|| rest.strip_prefix(b"'")).unwrap_or(rest);
    let length = rest.iter().take(40).take_while(|byte| is_name(**byte) || **byte == b' ').count();
    let name = rest.get(..length).unwrap_or_default();
    let behind = rest.get(length..).unwrap_or_default();
    let behind = behind.strip_prefix(b"\"").or_else(|| behind.strip_prefix(b"'")).unwrap_or(behind);
    matches!(behind.first(), Some(b'=' | b':')) && options::is_anybodys(name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{is_harmless_word, searched};
    use crate::conninfo::mask::mask_argument;

    proptest! {
        #![proptest_config(crate::properties::config())]

        #[test]
        fn a_harmless_word_holds_no_secret(
            word in "[a-zA-Z0-9_./ =:@%\"'<>-]{0,12}|(--*BEGIN|MII|password|pwd|[a-z0-9_./-]{1,20}){0,4}",
        ) {
            let word = word.as_bytes();
            for unread in [0, word.len()] {
                prop_assert!(!is_harmless_word(word) || searched(word, unread).is_empty());
            }
        }
    }

    #[test]
    fn of_many_urls_the_last_are_read_as_the_first() {
        for count in [1, 5, 18, 19, 20, 21, 22, 40] {
            let before = "http://h/,".repeat(count);
            for (last, shown) in [
                ("a://h/x?y,b://g/", "a://h/x?y,b://g/"),
                ("a://h:S3cret/", "a://h:********/"),
                ("a://h:1,g:S3cret/", "a://h:1,g:********/"),
                ("a://[::1]:S3cret", "a://[::1]:********"),
            ] {
                let typed = format!("{before}{last} b://h/");
                assert_eq!(mask_argument(typed.as_bytes()), format!("{before}{shown} b://h/"));
            }
            for last in
                ["a://u:S3cret@h/", "a://u:x/S3cret@h/", "a://u@s:x?S3cret@h/", "a://u:x/,b://S3cret@h"]
            {
                let shown = mask_argument(format!("{before}{last}{before}").as_bytes());
                assert!(!shown.contains("S3cret") && shown.contains("@h"), "{shown}");
            }
        }
    }

    #[test]
    fn a_secret_that_is_named_elsewhere_is_told_by_its_name() {
        for (typed, shown) in [
            ("- name: PGPASSWORD\n  value: \"x\"", "- name: PGPASSWORD\\n  value: ********"),
            (
                "{\"name\": \"DB_PASSWORD\", \"value\": \"x y\"}",
                "{\"name\": \"DB_PASSWORD\", \"value\": ********",
            ),
            ("- name: PGHOST\n  value: \"x\"", "- name: PGHOST\\n  value: \"x\""),
            (
                "variable \"db_password\" { default = \"x\" }",
                "variable \"db_password\" { default = ******** }",
            ),
            ("password := \"x\"", "password := ********"),
            ("pg_dump --password x --host h", "pg_dump --password ******** --host h"),
            ("password: |\n  x\nhost: h", "password: ********\\nhost: h"),
            (
                "could not translate host name \"x@h\" to address",
                "could not translate host name \"********\" to address",
            ),
            (
                "could not translate host name \"h.x\" to address",
                "could not translate host name \"h.x\" to address",
            ),
            (
                "invalid integer value \"x@h\" for connection",
                "invalid integer value \"********\" for connection",
            ),
            ("missing \"=\" after \"x\" in", "missing \"=\" after \"********\" in"),
            ("invalid URI query parameter: \"sslmod\"", "invalid URI query parameter: \"sslmod\""),
        ] {
            assert_eq!(mask_argument(typed.as_bytes()), shown, "{typed}");
        }
    }

    /// What holds a password, with `%` in its place.
    const FORMS: &[&str] = &[
        "Authorization: Basic %",
        "curl -H 'Authorization: Bearer %' https://h",
        "{\"Authorization\": \"Bearer %\"}",
        "mysql -u me -p% db",
        "/usr/bin/mariadb -h h -p'%'",
        "sshpass -p % ssh h",
        "sshpass -p% ssh h",
        "subprocess.run([\"sshpass\", \"-p\", \"%\", \"ssh\"])",
        "echo % | psql -h h",
        "echo '%' | sudo -S psql",
        "psql -W % -h h",
        "curl -u me:% https://h",
        "curl -ume:% https://h",
        "curl --user 'me:%' https://h",
        "docker login -u me -p % h",
        "PGPASSWORD=% psql",
        "env PGPASSWORD='%' psql",
        "bash -c 'PGPASSWORD=% psql -h h'",
        "docker run -e POSTGRES_PASSWORD=% postgres",
        "docker run -e \"PGPASSWORD=%\" x",
        "kubectl create secret generic x --from-literal=password=%",
        "kubectl create secret generic x --from-literal=url=postgres://u:%@h/d",
        "helm install --set auth.postgresPassword=%,auth.x=1",
        "aws rds create-db-instance --master-user-password % --engine postgres",
        "az postgres flexible-server create --admin-password % -n x",
        "gcloud sql users set-password u --password=%",
        "set PGPASSWORD=%",
        "setx PGPASSWORD %",
        "setx PGPASSWORD \"%\" /M",
        "setenv PGPASSWORD %",
        "$env:PGPASSWORD = '%'",
        "$env:PGPASSWORD=\"%\"",
        "[Environment]::SetEnvironmentVariable('PGPASSWORD', '%')",
        "<password>%</password>",
        "<password encrypted=\"no\">%</password>",
        "<property name=\"password\" value=\"%\"/>",
        "<property name=\"hibernate.connection.password\">%</property>",
        "<Resource name=\"jdbc/x\" username=\"u\" password=\"%\"/>",
        "[db]\npassword = %\nhost=h",
        "password = \"\"\"%\"\"\"",
        "password = '''\n%'''",
        "password = \"\"\"\n%\n\"\"\"",
        "h:5432:d:u:%",
        "# comment\n*:*:*:u:%",
        "CREATE USER u WITH PASSWORD '%'",
        "ALTER ROLE u ENCRYPTED PASSWORD '%'",
        "CREATE USER u IDENTIFIED BY '%'",
        "alter user u identified by %;",
        "\"me\" \"%\"",
        "{\\\"password\\\": \\\"%\\\"}",
        "AccountName=x;AccountKey=%;EndpointSuffix=y",
        "{\"api-key\": \"%\"}",
        "private-key=%",
        "set PGPASSWORD %",
        "ENV db_pass %",
    ];

    #[test]
    fn no_form_in_any_surroundings_tells_its_password() {
        let all_around = ["%", "\t%", "1. a\n%\nFATAL: no entry", "%\r\nxyz", "\"a\": 1\n%"];
        for (form, around) in FORMS.iter().flat_map(|form| all_around.map(|around| (form, around))) {
            for secret in ["Hx9$kQ2pZ!w", "hunter2Xq", "P@ss:w/rd#7?"] {
                let text = around.replace('%', &form.replace('%', secret));
                let shown = mask_argument(text.as_bytes());
                assert!(!shown.contains(secret), "{text}\n{shown}");
            }
        }
    }

    #[test]
    fn what_is_a_secret_by_itself_is_told_by_its_beginning() {
        let hash = "0123456789abcdef0123456789abcdef";
        for secret in [
            "SCRAM-SHA-256$4096:c2FsdHNhbHRzYWx0$c3RvcmVkc3RvcmVk=:c2VydmVyc2VydmVy=",
            &format!("md5{hash}"),
            "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJo-3_In0.c2lnbmF0dXJl_x",
            "hvs.CAESIJ2nAbCdEf012",
            "npg_Ab3dE5gH7jK9",
            "AVNS_Ab3dE5gH7jK9",
            "sbp_0123456789abcdef",
            "sb_secret_0123456789",
            "pscale_pw_0123456789",
        ] {
            for around in
                ["%", "a % b", "role,'%',x", "value: %\n", "(%)", "\"me\" \"%\"", "host=%", "user=% port=1"]
            {
                let shown = mask_argument(around.replace('%', secret).as_bytes());
                assert!(!shown.contains(secret), "{around} {secret}\n{shown}");
            }
        }
        let signed = format!("h.example:5432/?Action=connect&DBUser=u&X-Amz-Signature={hash}{hash}");
        assert!(!mask_argument(signed.as_bytes()).contains(hash));
    }

    #[test]
    fn what_is_no_secret_stays() {
        for text in [
            "psql -h h -p 5432 -U me app",
            "psql -W -h h",
            "mysql -P 3306 -h h db",
            "docker run -p 5432:5432 postgres",
            "echo \"SELECT 1\" | psql",
            "the basic idea of identified users",
            "authorization failed for the bearer",
            "<name>x</name><key>y</key>",
            "\"a\" \"b\" \"c\"",
            "[\"a\", \"b\"]",
            "md5 is weaker than scram-sha-256",
            "SCRAM-SHA-256 and SCRAM-SHA-256-PLUS",
            "openssl x509 -in server.crt -noout -fingerprint -sha256",
        ] {
            assert_eq!(mask_argument(text.as_bytes()), text);
        }
    }

    #[test]
    fn what_people_paste_tells_no_secret() {
        for (typed, shown) in [
            ("me/x@h:5432/app", "me/********@h:5432/app"),
            ("*:*:*:me:@=x y", "*:********"),
            ("a *:*:*:me:@=x y", "a *:******** y"),
            ("./me/x@h", "./me/x@h"),
            ("db.example:5432:app:me:x", "db.example:5432:app:me:********"),
            ("*:*:*:me:x", "*:*:*:me:********"),
            ("db.example:5432:x", "db.example:5432:********"),
            ("db.example:5432", "db.example:5432"),
            ("2001:db8:0:1:2:3:4:5", "2001:db8:0:1:2:3:4:5"),
            ("[2001:db8::7]:5432", "[2001:db8::7]:5432"),
            ("12:30:45", "12:30:45"),
            ("db.example:543/2:app:me:x", "db.example:543/2:app:me:********"),
            (":*:*:me:x", ":*:*:me:********"),
            ("*:**:me:x", "*:**:me:********"),
            ("db.example5432:app:me:x", "db.example5432:app:me:********"),
            ("db.example:5432: app:me:x y", "db.example:5432: app:me:********"),
            ("db.example:54 32:app:me:x", "db.example:54 32:app:me:********"),
            ("2A:1F:09:CC:D0", "2A:1F:09:CC:D0"),
            ("a::text::name", "a::text::name"),
            (
                "error:0A000086:SSL routines::certificate verify failed",
                "error:0A000086:SSL routines::certificate verify failed",
            ),
            ("fe80::1%eth0", "fe80::1%eth0"),
            ("2001:db8::7,2001:db8::8", "2001:db8::7,2001:db8::8"),
            ("host \"2600:1900:7::3\", user \"u\"", "host \"2600:1900:7::3\", user \"u\""),
            (
                "»2003:7:3::77«, (2a01:4f8:1:2::7). 2001:db8::/64",
                "»2003:7:3::77«, (2a01:4f8:1:2::7). 2001:db8::/64",
            ),
            ("'[2001:9:3::77]:5432' refused", "'[2001:9:3::77]:5432' refused"),
            ("\"2001:9:3::77x\", no", "\"2001:9:3::********"),
            ("[2001:db8::7]:5432:app:me:x", "[2001:db8::7]:5432:app:me:********"),
            ("postgres://me:x", "postgres://me:********"),
            ("postgresql://h:5432", "postgresql://h:5432"),
            ("postgresql://h:5432x/d", "postgresql://h:5432********/d"),
            (
                "{\"host\":\"h\",\"password\":\"x\",\"port\":1}",
                "{\"host\":\"h\",\"password\":********,\"port\":1}",
            ),
            ("'password' => 'x', 'host' => 'h'", "'password' =******** ********"),
            ("ALTER ROLE me PASSWORD 'x y' LOGIN", "ALTER ROLE me PASSWORD ******** LOGIN"),
            ("<password>x y</password>", "<password>********</password>"),
            ("url=host%3Dh%26password%3Dx", "url=host%3Dh%26password%3D********"),
            ("url=password%3D$x;y z", "url=password%3D******** ********"),
            ("set password for user", "set password for user"),
            (
                "password authentication failed for user \"me\"",
                "password authentication failed for user \"me\"",
            ),
            ("-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\nand", "********\\nand"),
            ("sslkey=-----BEGIN EC PRIVATE KEY-----\nx", "sslkey=********"),
            ("MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg\nwxyz", "********"),
            ("user=MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg", "user=********"),
            ("MIGHAgEA", "MIGHAgEA"),
            ("LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCk1JSUV2UUlCQURBTkJn", "********"),
            ("d+W1gx3zT4vGFT00AmiYd2JZXmRuLpk6ijC+kCbnVs4guRIcrRlGbhmebedVzOUn\nAbC", "********"),
            (
                "/srv/pg-1/d+W1gx3zT4vGFT00AmiYd2JZXmRuLpk6ijC+kCbnVs4guRIcrRlGbhmebedVzOUn",
                "/srv/pg-********",
            ),
            (
                "/home/User1/Documents/Projects/Company/Database/Certificates/Root",
                "/home/User1/Documents/Projects/Company/Database/Certificates/Root",
            ),
            (
                "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855",
                "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855",
            ),
            ("PGPASSFILE=/p password_encryption=md5", "PGPASSFILE=/p password_encryption=md5"),
        ] {
            assert_eq!(mask_argument(typed.as_bytes()), shown, "{typed}");
        }
    }

    #[test]
    fn a_secret_with_a_blank_in_it_goes_on_behind_it() {
        for (typed, shown) in [
            ("me:x y@h:5432/app", "me:********@h:5432/app"),
            ("me:@a z@h:5432/app", "me:********@h:5432/app"),
            ("me:x y z@h:5432/app", "me:********@h:5432/app"),
            ("host=me:x y@h", "host=me:********@h"),
            ("at Host=h;Password=x y;Port=1", "at Host=h;Password=********;Port=1"),
            ("at /d?password=x y&a=b, no", "at /d?password=******** y&a=b, no"),
            ("at /d?password=x y&ssl=on, no", "at /d?password=********&ssl=on, no"),
            ("error: me:x y@h no", "error: me:********@h no"),
            ("error: db:5432 is down for me@home", "error: db:5432 is down for me@home"),
            ("postgres://me:x y z@h/d", "postgres://me:********@h/d"),
            (
                "at postgres://a:x@h, postgres://me:x y@h",
                "at postgres://a:********@h, postgres://me:********@h",
            ),
            ("error in postgres://me:12 34@h/d", "error in postgres://me:********@h/d"),
            ("no postgres://h:5432 for me@home", "no postgres://h:5432 for me@home"),
            ("no postgres://h/a:b for me@home", "no postgres://h/a:b for me@home"),
        ] {
            assert_eq!(mask_argument(typed.as_bytes()), shown, "{typed}");
        }
    }
}
