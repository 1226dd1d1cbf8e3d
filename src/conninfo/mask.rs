//! Connection strings without their secrets, for showing. Works for strings that do not parse, where it masks rather
//! too much: what may be a password, or a piece of one that was typed without the escapes it needs, is not shown.

use std::ops::Range;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::blanks::is_space;
use super::keyword_value::scan;
pub(super) use super::loose::is_harmless_word;
use super::loose::{self, loose_secrets, sounds_secret};
use super::uri::{self, password_in_authority};
use super::{Value, options};
use crate::file;
use crate::file::obstacle::Obstacle;
use crate::order;
use crate::text::{printable, printable_bytes};

/// What stands in place of a secret, whatever its length.
pub const MASK: &str = "********";

/// What is shown in place of a path that is none, but the text of a key or certificate.
pub const CONTENT: &str = "(the text of a PEM file, not a path)";

/// A connection string fit to be shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Masked {
    /// One printable line without secrets.
    pub text: String,
    /// The places asked for, in bytes of `text`. One inside a secret is the whole of what stands for it.
    pub spans: Vec<Range<usize>>,
}

/// Masks the secrets of a string, makes it printable and moves `spans`, places in `input`, along.
pub fn mask(input: &[u8], spans: &[Range<usize>]) -> Masked {
    mask_at(input, with_their_words(input, secrets(input)), spans)
}

/// A secret that an `=` follows goes on behind it, up to the end of its word: `host:port:db:user:pass=word`.
fn with_their_words(input: &[u8], secrets: Vec<Range<usize>>) -> Vec<Range<usize>> {
    let end = |secret: &Range<usize>| {
        let rest = input.get(secret.end..).filter(|rest| !secret.is_empty() && rest.first() == Some(&b'='));
        let length = rest.map(|rest| rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len()));
        secret.end + length.unwrap_or_default()
    };
    secrets.into_iter().map(|secret| secret.start..end(&secret)).collect()
}

/// As [`mask()`], of a string whose secrets are known by their places.
pub fn mask_at(input: &[u8], secrets: Vec<Range<usize>>, spans: &[Range<usize>]) -> Masked {
    let inside = |range: Range<usize>| range.start.min(input.len())..range.end.min(input.len());
    let secrets = merged(secrets.into_iter().map(inside).collect());
    // They are in order, and there may be thousands.
    let next = |at: usize| secrets.get(secrets.partition_point(|secret| secret.end <= at));
    let within = |at: usize| next(at).filter(|secret| secret.start < at);
    let spans: Vec<Range<usize>> = spans
        .iter()
        .map(|span| {
            let start = span.start.min(input.len());
            let end = span.end.clamp(start, input.len());
            within(start).map_or(start, |secret| secret.start)..within(end).map_or(end, |secret| secret.end)
        })
        .collect();
    let mut cuts: Vec<usize> = spans
        .iter()
        .chain(&secrets)
        .flat_map(|range| [range.start, range.end])
        .chain([0, input.len()])
        .collect();
    order::sort(&mut cuts);
    cuts.dedup();
    let mut text = String::new();
    // For each cut, where it is in the text.
    let mut places = Vec::new();
    for (&start, &end) in cuts.iter().zip(cuts.iter().skip(1)) {
        places.push((start, text.len()));
        match next(start).filter(|secret| secret.start <= start) {
            Some(secret) if secret.start == start => text.push_str(MASK),
            Some(_) => {}
            None => text.push_str(&printable_bytes(input.get(start..end).unwrap_or_default())),
        }
    }
    let total = text.len();
    let place = |at: usize| {
        let found = places.get(places.partition_point(|(cut, _)| *cut < at));
        found.map_or(total, |(_, place)| *place)
    };
    let spans = spans.iter().map(|span| place(span.start)..place(span.end)).collect();
    Masked { text, spans }
}

/// A word of a string that did not parse, without what may be a password in it; nothing is left of it where it stands
/// behind a secret to which it may belong.
pub(super) fn value(word: &[u8], behind_secret: bool) -> Value {
    if behind_secret {
        return Value::from(MASK);
    }
    Value::new(without(word, secrets_of_any(word)))
}

/// The secrets of a text that may be a connection string or anything else. A sentence is no connection string, and nothing
/// of it is hidden for want of a sign.
fn secrets_of_any(text: &[u8]) -> Vec<Range<usize>> {
    if is_harmless_word(text) {
        return Vec::new();
    }
    let is_string = uri::scheme_length(text).is_some() || scan(text).1.is_none_or(|unread| unread > 0);
    let mut found = if is_string { secrets(text) } else { Vec::new() };
    found.extend(loose_secrets(text, text.len()));
    found
}

/// Where a host may hold secrets, in order: of a call that was pasted in its place (`getConnection("URL", "user",
/// "password")`) all its arguments.
pub(super) fn places_in_host(value: &[u8]) -> Vec<Range<usize>> {
    let mut found = secrets_of_any(value);
    if let Some(open) = value.iter().position(|byte| *byte == b'(')
        && value.iter().skip(open).any(|byte| matches!(byte, b'"' | b'\''))
    {
        found.push(open + 1..value.len());
    }
    merged(found)
}

/// As [`value`], of a host.
pub(super) fn host(value: &[u8]) -> Value {
    Value::new(without(value, places_in_host(value)))
}

/// Whether a place begins within one of these.
pub(super) fn covers(secrets: &[Range<usize>], place: &Range<usize>) -> bool {
    !place.is_empty() && secrets.iter().any(|secret| secret.contains(&place.start))
}

/// Whether what begins at a place of a string is not shown of it.
pub(super) fn hides(input: &[u8], place: &Range<usize>) -> bool {
    covers(&secrets(input), place)
}

/// A text with these parts masked.
fn without(text: &[u8], secrets: Vec<Range<usize>>) -> Vec<u8> {
    let mut shown = Vec::new();
    let mut done = 0;
    for secret in merged(secrets) {
        shown.extend(text.get(done..secret.start).unwrap_or_default());
        shown.extend(MASK.as_bytes());
        done = secret.end;
    }
    shown.extend(text.get(done..).unwrap_or_default());
    shown
}

/// A text without what looks like a secret in it. A server may repeat what was typed in the wrong place.
pub fn mask_text(text: &str) -> String {
    String::from_utf8_lossy(value(text.as_bytes(), false).as_bytes()).into_owned()
}

/// A text without a secret that is known: as it is, in other letters, backwards, as it is written in quotes, or as it is
/// encoded. One that is short or a plain word counts only where nothing of a longer word stands beside it, a word that messages
/// are made of only behind a quote or a sign; else a password `password` would show itself by the gaps it leaves in every sentence.
pub fn mask_known(text: &str, secret: &[u8]) -> String {
    let bytes = secret;
    let secret = String::from_utf8_lossy(bytes);
    let mut text = text.to_owned();
    let backslashed = secret.replace('\\', "\\\\");
    // A number or a word of another's may be what a short one is encoded to.
    let encoded = |text: String| if bytes.len() < 6 { String::new() } else { text };
    let entities =
        secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    for written in [
        backslashed.replace('\'', "\\'"),
        backslashed.replace('"', "\\\""),
        secret.replace('\'', "''"),
        secret.replace('\'', "'\\''"),
        secret.replace('"', "\"\""),
        entities.replace('\'', "&#39;"),
        entities.replace('\'', "&#x27;"),
        percent_encoded(bytes, false),
        percent_encoded(bytes, true),
        percent_encoded(bytes, false).replace("%20", "+"),
        encoded(crate::text::hex(bytes)),
        encoded(STANDARD.encode(bytes)),
        secret.chars().rev().collect(),
        secret.to_lowercase(),
        secret.to_uppercase(),
        secret.into_owned(),
    ] {
        text = replaced(&text, &written, |before, after| told_apart(bytes, before, after));
    }
    without_spaced(text, bytes)
}

/// A text without a secret whose characters stand apart from each other, in quotes or on lines of their own.
fn without_spaced(text: String, secret: &[u8]) -> String {
    const WIDEST_GAP: usize = 6;
    let secret: Vec<char> = String::from_utf8_lossy(secret).chars().collect();
    if secret.len() < 6 {
        return text;
    }
    let chars: Vec<char> = text.chars().collect();
    let end = |start: usize| {
        let mut at = start;
        for (index, wanted) in secret.iter().enumerate() {
            let rest = chars.get(at..)?;
            let differs = |one: &&char| !one.eq_ignore_ascii_case(wanted) && !one.is_alphanumeric();
            let gap = rest.iter().take(WIDEST_GAP).take_while(differs).count();
            let comes = rest.get(gap)?.eq_ignore_ascii_case(wanted);
            if !comes || (gap > 0) != (index > 0) {
                return None;
            }
            at += gap + 1;
        }
        Some(at)
    };
    let (mut shown, mut at) = (String::with_capacity(text.len()), 0);
    while let Some(character) = chars.get(at) {
        if let Some(end) = end(at) {
            shown.push_str(MASK);
            at = end;
        } else {
            shown.push(*character);
            at += 1;
        }
    }
    shown
}

/// The fewest characters of a secret that give it away.
const TELLING: usize = 8;

/// A text without the beginning or the end of a secret that is known, as one that is cut short has it: of at least
/// 8 characters or half of it, between a quote and the end of a word, or beside dots or stars. What `shown` knows is
/// shown anyway.
pub fn mask_cut(text: &str, secret: &[u8], shown: impl Fn(&str) -> bool) -> String {
    let secret: Vec<char> = String::from_utf8_lossy(secret).chars().collect();
    let backwards = |chars: &[char]| chars.iter().rev().copied().collect::<Vec<char>>();
    let text: Vec<char> = text.chars().collect();
    let text = without_beginning(&text, &secret, &shown);
    let is_shown = |part: &str| shown(&part.chars().rev().collect::<String>());
    let text = without_beginning(&backwards(&text), &backwards(&secret), &is_shown);
    text.into_iter().rev().collect()
}

fn without_beginning(text: &[char], secret: &[char], shown: &dyn Fn(&str) -> bool) -> Vec<char> {
    let least = secret.len().div_ceil(2).clamp(4, TELLING);
    let is_cut = |behind: &[char]| matches!(behind, ['…' | '*', ..] | ['.', '.', ..]);
    let mut done = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, others)) = rest.split_first() {
        let alike = rest.iter().zip(secret).take_while(|(a, b)| a.eq_ignore_ascii_case(b)).count();
        let (part, behind) = rest.split_at(alike);
        let before: Option<&char> = done.last();
        let begins = before.is_none_or(|before| !before.is_alphanumeric());
        let quoted = before.is_some_and(|before| !before.is_alphanumeric() && !before.is_whitespace());
        let ends = behind.first().is_none_or(|next| !next.is_alphanumeric());
        let told = begins && ends && (quoted || is_cut(behind));
        if alike >= least && told && !shown(&part.iter().collect::<String>()) {
            done.extend(MASK.chars());
            rest = behind;
        } else {
            done.push(*first);
            rest = others;
        }
    }
    done
}

fn percent_encoded(bytes: &[u8], in_lower_case: bool) -> String {
    let one = |byte: &u8| match byte {
        byte if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) => char::from(*byte).to_string(),
        byte if in_lower_case => format!("%{byte:02x}"),
        byte => format!("%{byte:02X}"),
    };
    bytes.iter().map(one).collect()
}

/// As [`mask_known`] for bytes that need not be text, whose lengths count: a secret becomes as many stars as it is long.
pub fn blank_known(bytes: &mut [u8], secret: &[u8]) {
    // A character each, so that places are kept.
    let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    let sought: String = secret.iter().map(|byte| char::from(*byte)).collect();
    let is_told = |before: Option<char>, after: Option<char>| told_apart(secret, before, after);
    let places = if sought.is_empty() { Vec::new() } else { text.match_indices(&sought).collect() };
    let places: Vec<usize> = places
        .into_iter()
        .filter(|(at, found)| {
            let (before, after) = (text.get(..*at), text.get(at + found.len()..));
            is_told(
                before.and_then(|before| before.chars().next_back()),
                after.and_then(|after| after.chars().next()),
            )
        })
        .filter_map(|(at, _)| Some(text.get(..at)?.chars().count()))
        .collect();
    for place in places {
        if let Some(found) = bytes.get_mut(place..place + secret.len()) {
            found.fill(b'*');
        }
    }
}

/// Whether what stands beside a known secret lets it be the secret, and no part of a sentence.
fn told_apart(secret: &[u8], before: Option<char>, after: Option<char>) -> bool {
    let is_word = secret.len() < 12 && secret.iter().all(u8::is_ascii_alphabetic);
    let is_short = String::from_utf8_lossy(secret).chars().count() < 6;
    let beside = |neighbour: Option<char>| neighbour.is_some_and(char::is_alphanumeric);
    let is_part = beside(before) || beside(after);
    let told = before.is_some_and(|before| !before.is_alphanumeric() && !before.is_whitespace());
    !(is_short && is_part) && (!is_word || told || !is_part && !is_usual(secret))
}

/// Whether a word is one of those that servers' messages about a login are made of.
fn is_usual(word: &[u8]) -> bool {
    const USUAL: &str = "a access account admin administrator an and any are as at auth authentication available be because by cannot \
        certificate client closed code command connect connected connecting connection connections could credentials data database \
        db denied details does encryption entry error exist exists expired fail failed fatal file for found from given has have host \
        hint id in incorrect invalid is it limit local log login lookup match max method missing must name network no not of off on \
        only or pass password permission permitted please pool pooler port postgres postgresql provided query refused rejected \
        remaining request required reserved role root running scram secret server service session shutting slots specified ssl \
        starting startup superuser sure system tenant test that the this timeout tls to token too try type unable unknown up use \
        user username using valid wait was with wrong you your";
    USUAL.split(' ').any(|usual| word.eq_ignore_ascii_case(usual.as_bytes()))
}

/// A text with the mask in place of what is sought, wherever its neighbours say so.
fn replaced(text: &str, sought: &str, here: impl Fn(Option<char>, Option<char>) -> bool) -> String {
    if sought.is_empty() {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len());
    let mut done = 0;
    // In small letters nothing changes its place.
    for (at, found) in text.to_ascii_lowercase().match_indices(&sought.to_ascii_lowercase()) {
        let (before, after) =
            (text.get(..at).unwrap_or_default(), text.get(at + found.len()..).unwrap_or_default());
        if here(before.chars().next_back(), after.chars().next()) {
            shown.push_str(text.get(done..at).unwrap_or_default());
            shown.push_str(MASK);
            done = at + found.len();
        }
    }
    shown.push_str(text.get(done..).unwrap_or_default());
    shown
}

/// What somebody typed as an argument or pasted, whatever it was meant to be: printable, and without what is a secret in a
/// connection string or looks like one anywhere.
pub fn mask_argument(text: &[u8]) -> String {
    printable(&String::from_utf8_lossy(&without(text, secrets_of_any(text))))
}

/// Whether a connection string holds a secret.
pub fn holds_secret(input: &[u8]) -> bool {
    !secrets(input).iter().all(Range::is_empty)
}

/// Whether a name is that of a secret, in anybody's spelling: an option's, a keyword's, a variable's.
pub fn names_secret(name: &str) -> bool {
    sounds_secret(name.trim_start_matches('-').as_bytes())
}

/// A path, for showing: printable, and no secret that was given in the place of one.
pub fn mask_path(path: &Path) -> String {
    printable(&String::from_utf8_lossy(self::path(path.as_os_str().as_encoded_bytes()).as_bytes()))
}

/// The last part of a path, for showing. What is no path is told by the whole of it.
pub fn mask_file_name(path: &Path) -> String {
    let whole = mask_path(path);
    match path.file_name() {
        Some(name) if !is_content(path) && !whole.contains(MASK) => mask_path(Path::new(name)),
        _ => whole,
    }
}

/// Whether a value is the text of a key or certificate, or its body.
pub(crate) fn holds_content(value: &[u8]) -> bool {
    loose::is_content(value)
}

/// Whether a line of a text is one of a file with a key or certificates.
pub(crate) fn is_line_of_content(line: &[u8]) -> bool {
    loose::is_line_of_content(line)
}

/// Whether somebody gave what a file holds in the place of its path.
pub fn is_content(path: &Path) -> bool {
    loose::is_content(path.as_os_str().as_encoded_bytes())
}

/// What keeps the file at a path from being opened, unless a secret was given in the place of the path: that may have slashes
/// too, and a piece of it would be named.
pub(crate) fn obstacle(path: &Path) -> Option<Obstacle> {
    let is_shown_whole = mask_path(path) == printable_bytes(path.as_os_str().as_encoded_bytes());
    if is_shown_whole { file::obstacle::obstacle(path) } else { None }
}

/// As [`value`], of what should be a path.
pub(super) fn path(value: &[u8]) -> Value {
    if loose::is_content(value) { Value::from(CONTENT) } else { other("", value) }
}

/// As [`value`], of a user: the password of `user:password`.
pub(super) fn user(value: &[u8]) -> Value {
    Value::new(without(value, in_user(value).into_iter().chain(loose_secrets(value, value.len())).collect()))
}

/// As [`value`], of a list of ports: where one is no number, what follows its digits. `suspect`: it may be a password.
pub(super) fn port(value: &[u8], suspect: bool) -> Value {
    let mut found = loose_secrets(value, value.len());
    found.extend(behind_ports(value, suspect));
    Value::new(without(value, found))
}

/// What follows the digits of each of a list of ports, where it may be a secret.
fn behind_ports(value: &[u8], suspect: bool) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    for entry in value.split(|byte| *byte == b',') {
        let number = entry
            .iter()
            .take_while(|byte| byte.is_ascii_digit() || is_space(**byte) || matches!(byte, b'+' | b'-'))
            .count();
        if suspect || entry.iter().any(|byte| matches!(byte, b':' | b'=' | b'@' | b';' | b'/')) {
            found.push(start + number..start + entry.len());
        }
        start += entry.len() + 1;
    }
    found
}

/// What follows `5432:` in the value of a keyword that takes neither hosts nor addresses: a piece of what was torn apart.
fn behind_number(keyword: &[u8], value: &[u8]) -> Option<Range<usize>> {
    let quote = usize::from(value.first() == Some(&b'\''));
    let number = quote + value.iter().skip(quote).take_while(|byte| byte.is_ascii_digit()).count();
    let is_piece = number > quote && value.get(number) == Some(&b':') && !keyword.starts_with(b"host");
    is_piece.then_some(number + 1..value.len())
}

/// As [`value`], of a keyword that takes anything else.
pub(super) fn other(keyword: &str, value: &[u8]) -> Value {
    let mut found = secrets_of_any(value);
    found.extend(behind_number(keyword.as_bytes(), value));
    Value::new(without(value, found))
}

/// The name of an unknown option. A name that is almost a known one is no piece of a password, and is what its writer
/// has to see.
pub(super) fn keyword(word: &[u8], behind_secret: bool) -> Value {
    value(word, behind_secret && options::nearest(word).is_none())
}

fn secrets(input: &[u8]) -> Vec<Range<usize>> {
    match uri::scheme_length(input) {
        Some(scheme) => uri_secrets(input, scheme),
        None => keyword_value_secrets(input),
    }
}

fn keyword_value_secrets(input: &[u8]) -> Vec<Range<usize>> {
    let (settings, end) = scan(input);
    let unread = end.unwrap_or(input.len());
    let mut ranges = loose_secrets(input, unread);
    let mut chain = Chain::default();
    for (keyword, place) in &settings {
        ranges.extend(chain.next(keyword, &place.value, place.keyword.start..place.value.end));
        let typed = input.get(place.value.clone()).unwrap_or_default();
        let inside = match keyword.as_slice() {
            b"user" => in_user(typed).into_iter().collect(),
            b"port" => behind_ports(typed, false),
            keyword => behind_number(keyword, typed).into_iter().collect(),
        };
        let start = place.value.start;
        ranges.extend(inside.into_iter().map(|secret| start + secret.start..start + secret.end));
        // A quote that was left open may have swallowed the name of a secret, but not all of its value.
        let value = input.get(place.value.clone()).unwrap_or_default();
        chain.behind_secret |= !loose_secrets(value, value.len()).is_empty();
    }
    if end.is_some() && chain.behind_secret {
        let end = next_option(input, unread);
        let blanks = input.iter().take(end).rev().take_while(|byte| is_space(**byte)).count();
        ranges.push(unread..(end - blanks).max(unread));
    }
    ranges
}

/// The password of a user that is given as `user:password`.
fn in_user(value: &[u8]) -> Option<Range<usize>> {
    let colon = value.iter().position(|byte| *byte == b':')?;
    Some(colon + 1..value.len())
}

/// The password of the authority and those of the query.
fn uri_secrets(input: &[u8], scheme: usize) -> Vec<Range<usize>> {
    let rest = input.get(scheme..).unwrap_or_default();
    let authority =
        password_in_authority(rest).map(|password| password.start + scheme..password.end + scheme);
    let mut ranges: Vec<_> = authority.into_iter().collect();
    if ranges.is_empty() {
        ranges.extend(
            uri::ports_that_are_none(rest).into_iter().map(|port| port.start + scheme..port.end + scheme),
        );
    }
    ranges.extend(loose_secrets(input, input.len()));
    let mut chain = Chain::default();
    let length = |from: usize, ends: &[u8]| {
        let rest = input.get(from..).unwrap_or_default();
        rest.iter().position(|byte| ends.contains(byte)).unwrap_or(rest.len())
    };
    let user = scheme + length(scheme, b"@/?");
    let path = user + length(user, b"/");
    ranges.extend(encoded(input, scheme..user));
    let name = input.get(scheme..user).filter(|name| !name.contains(&b':') && input.get(user) == Some(&b'@'));
    ranges.extend(name.and_then(|name| in_user(&decoded(name))).map(|_| scheme..user));
    ranges.extend(encoded(input, (path + 1).min(input.len())..length(0, b"?").max(path + 1)));
    let mut start = length(0, b"?") + 1;
    while start < input.len() {
        let name_end = start + length(start, b"=&?");
        let name = decoded(input.get(start..name_end).unwrap_or_default());
        // The first `?` may be one in the user's password: then another one begins the query.
        let end = name_end + length(name_end, if sounds_secret(&name) { b"&" } else { b"&?" });
        let value = (name_end + 1).min(end)..end;
        ranges.extend(encoded(input, value.clone()));
        let typed = input.get(value.clone()).unwrap_or_default();
        ranges.extend(behind_number(&name, &decoded(typed)).map(|_| value.clone()));
        let inside = loose_secrets(typed, typed.len()).into_iter();
        ranges.extend(inside.map(|found| value.start + found.start..value.start + found.end));
        ranges.extend(chain.next(&name, &value, start..end));
        start = end + 1;
    }
    ranges
}

/// A part of a URI that holds a secret behind percent escapes.
fn encoded(input: &[u8], part: Range<usize>) -> Option<Range<usize>> {
    let text = input.get(part.clone()).filter(|text| text.contains(&b'%'))?;
    let plain = decoded(text);
    (!secrets_of_any(&plain).is_empty()).then_some(part)
}

/// Goes from setting to setting: a secret that was typed without its quotes or escapes goes on in what reads as
/// settings that nobody knows.
#[derive(Default)]
struct Chain {
    behind_secret: bool,
}

impl Chain {
    /// What is to be masked of a setting, if anything.
    fn next(&mut self, keyword: &[u8], value: &Range<usize>, whole: Range<usize>) -> Option<Range<usize>> {
        if sounds_secret(keyword) {
            self.behind_secret = true;
            return Some(value.clone());
        }
        self.behind_secret &= options::find(keyword).is_none();
        self.behind_secret.then(|| if options::nearest(keyword).is_some() { value.clone() } else { whole })
    }
}

/// The start of the next `keyword =` with a known keyword, from `start` on; the end of the text if there is none.
fn next_option(text: &[u8], start: usize) -> usize {
    let mut at = start;
    while at < text.len() {
        let word = text.iter().skip(at).take_while(|byte| !is_space(**byte) && **byte != b'=').count();
        let end = at + word;
        let sign = end + text.iter().skip(end).take_while(|byte| is_space(**byte)).count();
        let known = text.get(at..end).is_some_and(|word| options::find(word).is_some());
        if known && text.get(sign) == Some(&b'=') {
            return at;
        }
        at = if sign > end { sign } else { end + 1 };
    }
    text.len()
}

/// A name with its percent escapes undone, wrong ones left as they are.
fn decoded(name: &[u8]) -> Vec<u8> {
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let mut bytes = Vec::new();
    let mut rest = name;
    while let Some((first, after)) = rest.split_first() {
        let escape = digit(after.first()).zip(digit(after.get(1))).filter(|_| *first == b'%');
        match escape.and_then(|(high, low)| u8::try_from(16 * high + low).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    bytes
}

/// In order, without overlaps; touching ones are one.
fn merged(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.retain(|range| !range.is_empty());
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
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn secrets_are_masked() {
        for (typed, shown) in [
            ("host=a password=secret user=b", "host=a password=******** user=b"),
            ("password = 'a b' user=b", "password = ******** user=b"),
            ("password=", "password="),
            ("sslpassword=x passfile=/p sslkey=k", "sslpassword=******** passfile=/p sslkey=k"),
            (
                "oauth_client_secret=x scram_client_key=y",
                "oauth_client_secret=******** scram_client_key=********",
            ),
            // Unknown names, other clients' spellings, things typed in the wrong place.
            ("pasword=x host=a", "pasword=******** host=a"),
            ("Server=a;Pwd=x;Port=1", "Server=a;Pwd=********;Port=1"),
            ("host=postgres://u:x@h/d", "host=postgres://u:********@h/d"),
            ("postgre://u:x@h/d", "postgre://u:********@h/d"),
            ("u:x@h:5432/d", "u:********@h:5432/d"),
            ("host=a,u:x@h port=1", "host=a,u:********@h port=1"),
            ("user=me@server host=h:5432", "user=me@server host=h:5432"),
            (r"sslrootcert=C:/Users/me@home/r.crt", r"sslrootcert=C:/Users/me@home/r.crt"),
            ("jdbc:postgresql://h/d?user=u&password=x", "jdbc:postgresql://h/d?user=u&password=********"),
            ("options='-c my.password=x'", "options='-c my.password=********"),
            // Strings that do not parse.
            ("host=a password='x", "host=a password=********"),
            ("host=a password x y", "host=a password ********"),
            ("dbname='open password=x user=y", "dbname='open password=********"),
            ("password=my own words host=a", "password=******** ******** host=a"),
            ("password=a b=c host=a", "password=******** ******** host=a"),
            ("password=a sslrotcert=c host=a", "password=******** sslrotcert=******** host=a"),
            // URIs.
            ("postgresql://u:x@h/d", "postgresql://u:********@h/d"),
            ("postgresql://u:x@y@h/d", "postgresql://u:********@h/d"),
            ("postgresql://u:x/y@h/d", "postgresql://u:********@h/d"),
            ("postgresql://u:x?y@h/d", "postgresql://u:********@h/d"),
            ("postgresql://u:x/y?z@h/d", "postgresql://u:********@h/d"),
            ("postgresql://u@server:x@h/d", "postgresql://u@server:********@h/d"),
            ("postgresql://u:x@[::1/d", "postgresql://u:********@[::1/d"),
            ("postgresql://u:x%zz@h/d", "postgresql://u:********@h/d"),
            ("postgresql://h:5432/d?user=a@b", "postgresql://h:5432/d?user=a@b"),
            ("postgresql://[::1]:5432/d", "postgresql://[::1]:5432/d"),
            ("postgresql://h?p%61ssword=x&user=u", "postgresql://h?p%61ssword=********&user=u"),
            ("postgresql://h?sslmode=me%3Ax%40h&port=1", "postgresql://h?sslmode=********&port=1"),
            ("postgresql://me%3Ax@h/d", "postgresql://********@h/d"),
            ("postgresql://h/me%3Ax%40h?port=1", "postgresql://h/********?port=1"),
            ("postgresql://h/a%20b?sslrootcert=%2Fetc%2Fa", "postgresql://h/a%20b?sslrootcert=%2Fetc%2Fa"),
            ("dbname='me/x@h'", "dbname='me/********@h'"),
            ("postgresql://h?password=x&y&sslmode", "postgresql://h?password=********"),
            ("postgresql://h?password=x&y=z&port=1", "postgresql://h?password=********&port=1"),
            // Printable.
            ("host=\x1b[31m", "host=\\x1b[31m"),
        ] {
            assert_eq!(mask(typed.as_bytes(), &[]).text, shown, "{typed}");
        }
        assert_eq!(mask(b"host=\xff", &[]).text, "host=\\xff");
    }

    #[test]
    fn a_known_password_is_taken_out_of_what_others_say() {
        for (secret, said, shown) in [
            ("hunter2", "bad password \"hunter2\" for me", "bad password \"********\" for me"),
            ("it's", "bad: 'it\\'s', 'it''s', it's", "bad: '********', '********', ********"),
            ("x", "bad password \"x\", expected 0x", "bad password \"********\", expected 0x"),
            (
                "password",
                "password authentication failed, given (password)",
                "password authentication failed, given (********)",
            ),
            ("Pumper", "no, it is not Pumper: pumper", "no, it is not ********: ********"),
            ("hunt", "the hunted hunt.", "the hunted ********."),
            ("", "nothing", "nothing"),
            (
                "a b/c<d\"e",
                "a%20b%2fc%3Cd, a%20b%2Fc%3Cd%22e, a+b%2Fc%3Cd%22e",
                "a%20b%2fc%3Cd, ********, ********",
            ),
            (
                "a b/c<d\"e",
                "a b/c&lt;d&quot;e, a b/c<d\\\"e, 6120622f633c642265",
                "********, ********, ********",
            ),
            ("hunter2", "aHVudGVyMg== 68756e74657232 %68", "******** ******** %68"),
            ("x", "78 eA==", "78 eA=="),
            (
                "hunTer2",
                "no HUNTER2, hunter2, Hunter2 or 2reTnuh",
                "no ********, ********, ******** or ********",
            ),
            ("hunter2", "no h u n t e r 2, 'H','u','n','t','e','r','2'.", "no ********, '********'."),
            ("hunter2", "[\"h\", \"u\", \"n\", \"t\", \"e\", \"r\", \"2\"]", "[\"********\"]"),
            ("hunter2", "h\nu\nn\nt\ne\nr\n2\n", "********\n"),
            ("hunter2", "h u n t e r s 2", "h u n t e r s 2"),
            ("Übermut1", "\"ÜBERMUT1\" \"übermut1\"", "\"********\" \"********\""),
        ] {
            assert_eq!(mask_known(said, secret.as_bytes()), shown, "{secret}");
        }
    }

    #[test]
    fn a_known_password_that_is_cut_short_is_taken_out() {
        for (secret, said, shown) in [
            ("hunter2", "bad password 'hunt…'", "bad password '********…'"),
            ("hunter2", "bad password hunt... or \"HUNTE\"", "bad password ********... or \"********\""),
            ("hunter2", "bad password '***ter2', ...nter2", "bad password '***********', ...********"),
            ("correct horse battery", "bad \"correct h\"", "bad \"********\""),
            ("correct horse battery", "it is correct h", "it is correct h"),
            ("hunter2", "the hunted hunt.", "the hunted hunt."),
            ("postgres123", "no entry for user \"postgres\"", "no entry for user \"postgres\""),
            ("hunter2", "'hun'", "'hun'"),
            ("", "...", "..."),
        ] {
            assert_eq!(
                mask_cut(said, secret.as_bytes(), |part| part == "postgres"),
                shown,
                "{secret} {said}"
            );
        }
    }

    #[test]
    fn a_known_secret_is_taken_out_of_bytes_that_keep_their_places() {
        for (said, secret, shown) in [
            (&b"E\xff\0bad \"open1sesame\"\0"[..], &b"open1sesame"[..], &b"E\xff\0bad \"***********\"\0"[..]),
            (b"\xe9open1sesame\xe9open1sesame", b"open1sesame", b"\xe9***********\xe9***********"),
            (b"no \xfcber", b"\xfcber-all", b"no \xfcber"),
            (b"caches", b"ache", b"caches"),
            (b"the password is", b"password", b"the password is"),
            (b"open1", b"", b"open1"),
        ] {
            let mut bytes = said.to_vec();
            blank_known(&mut bytes, secret);
            assert_eq!(bytes, shown, "{}", String::from_utf8_lossy(secret));
        }
    }

    #[test]
    fn marks_move_along() {
        let typed = b"password=x \x1bhost=a sslmode=maybe";
        let at = typed.windows(5).position(|part| part == b"maybe").unwrap();
        let masked = mask(typed, &[at..at + 5, 9..10, 0..8]);
        let shown: Vec<&str> = masked.spans.iter().map(|span| &masked.text[span.clone()]).collect();
        assert_eq!(shown, ["maybe", "********", "password"]);
        let masked = mask(b"postgresql://u:x/y@h", &[15..16, 17..18]);
        assert!(masked.spans.iter().all(|span| &masked.text[span.clone()] == MASK));
        assert_eq!(mask(b"host", &[4..4, 9..12]).spans, [4..4, 4..4]);
    }

    proptest! {
        #![proptest_config(crate::properties::config())]

        #[test]
        fn anything_can_be_masked(
            input in proptest::collection::vec(any::<u8>(), 0..60),
            spans in proptest::collection::vec((0usize..80, 0usize..80), 0..4),
        ) {
            let spans: Vec<Range<usize>> = spans.into_iter().map(|(start, end)| Range { start, end }).collect();
            let masked = mask(&input, &spans);
            prop_assert!(masked.text.chars().all(crate::text::is_printable));
            for span in &masked.spans {
                prop_assert!(masked.text.get(span.clone()).is_some());
            }
        }

        #[test]
        fn a_password_never_shows(
            before in "(host=a |user='b c' |port=x |nonsense=1 |host |dbname=')?",
            quoted in "[A-Za-z0-9 @/:?&=%#]{0,12}",
            after in "( sslmode=q| dbname='| host| nonsense=1)?",
        ) {
            let secret = "Pumpernickel-4711";
            for typed in [
                format!("{before}password={secret}{after}"),
                format!("{before}password='{quoted}{secret}{quoted}'{after}"),
                format!("{before}password = {secret}{after}"),
            ] {
                prop_assert!(!mask(typed.as_bytes(), &[]).text.contains(secret), "{typed}");
            }
            let pieces = quoted.replace(' ', "");
            for typed in [
                format!("postgresql://u:{pieces}{secret}{pieces}@h/d{after}"),
                format!("postgresql://u:{pieces}{secret}@h:1/d?password={secret}&{after}"),
                format!("postgresql://h:x/d?sslpassword={secret}{after}"),
            ] {
                prop_assert!(!mask(typed.as_bytes(), &[]).text.contains(secret), "{typed}");
            }
        }
    }
}
