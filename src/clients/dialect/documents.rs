//! Documents with a string or settings in them: lines of YAML or of a properties file, JSON, XML, code.

use super::Kind;
use super::grammar::Pair;
use super::grammar::lines::lines;
use super::grammar::literal::{object_end, string};
use super::text::{Text, is_blank};
use super::wrapping::{Layer, Unwrapped, fixed, located};

/// A document with a string in it: lines of YAML or of a properties file, JSON, XML; or with an object that has settings.
pub(super) fn document(text: &Text, is_string: &dyn Fn(&Text) -> bool) -> Option<Unwrapped> {
    let pairs = lines(text);
    for pair in &pairs {
        let Some(inner) = scalar(text, pair).filter(is_string) else { continue };
        return Some(Unwrapped::With(
            Layer::Document(pair.name.clone()),
            inner,
            beside(text, &pair.name, &pairs),
        ));
    }
    if let Some((inner, key)) = object(text, is_string) {
        return Some(Unwrapped::Text(Layer::Document(key), inner));
    }
    let text = if text.bytes().contains(&b'<') { without_entities(text) } else { text.clone() };
    let (inner, key) = keyed_literal(&text, is_string).or_else(|| element(&text, is_string))?;
    Some(Unwrapped::Text(Layer::Document(key), inner))
}

/// What other lines say of the same connection: user and password, and properties of the driver's.
fn beside(text: &Text, of: &str, pairs: &[Pair]) -> Vec<Pair> {
    let (parent, _) = of.rsplit_once('.').unwrap_or(("", ""));
    // Quarkus has the URL in a section of its own.
    let above = [".jdbc", ".reactive"].iter().find_map(|section| parent.strip_suffix(section));
    let said = pairs.iter().filter_map(|other| {
        if let Some((section, key)) = other.name.split_once("properties.")
            && section.starts_with(above.unwrap_or(parent))
        {
            return Some(Pair { name: key.to_owned(), ..located(text, other) });
        }
        let (section, key) = other.name.rsplit_once('.').unwrap_or(("", &other.name));
        let name = match key.to_ascii_lowercase().as_str() {
            "username" | "user" => "user",
            "password" => "password",
            _ => return None,
        };
        (section == parent || Some(section) == above).then(|| fixed(text, name, other))
    });
    said.collect()
}

/// How many braces are looked behind for an object.
const MOST_OBJECTS: usize = 40;

/// An object in braces that has a driver's settings: the outermost that has.
fn object(text: &Text, is_string: &dyn Fn(&Text) -> bool) -> Option<(Text, String)> {
    let bytes = text.bytes();
    let opening = (0..bytes.len()).filter(|at| bytes.get(*at) == Some(&b'{')).take(MOST_OBJECTS);
    opening.into_iter().find_map(|at| {
        let inner = text.slice(at..object_end(text, at)?);
        is_string(&inner).then(|| (inner, key_before(bytes, at)))
    })
}

/// A literal in a text that is a string of a driver's.
pub(super) fn literal(text: &Text, is_string: &dyn Fn(&Text) -> bool) -> Option<Text> {
    keyed_literal(text, is_string).map(|(inner, _)| inner)
}

/// The same, and the name before it.
fn keyed_literal(text: &Text, is_string: &dyn Fn(&Text) -> bool) -> Option<(Text, String)> {
    let bytes = text.bytes();
    let mut at = 0;
    while at < bytes.len() {
        let literal = matches!(bytes.get(at), Some(b'"' | b'\'' | b'`')).then(|| string(text, at)).flatten();
        match literal {
            Some((inner, end)) if ends_value(bytes, end) && is_string(&inner) => {
                return Some((inner, key_before(bytes, at)));
            }
            Some((_, end)) => at = end,
            None => at += 1,
        }
    }
    None
}

/// The content of an element of XML's.
fn element(text: &Text, is_string: &dyn Fn(&Text) -> bool) -> Option<(Text, String)> {
    // A tag has few in its attributes.
    const MOST_ENDS: usize = 8;
    let bytes = text.bytes();
    let mut ends = (0..bytes.len()).filter(|at| bytes.get(*at) == Some(&b'>'));
    let (mut end, mut tried) = (0, 0);
    ends.find_map(|at| {
        if at >= end {
            (end, tried) = (super::text::find(bytes, b"<", at), 0);
        }
        tried += 1;
        let may_be_one = end < bytes.len() && tried <= MOST_ENDS;
        let inner = may_be_one.then(|| text.slice(at + 1..end).trimmed())?;
        is_string(&inner).then(|| (inner, key_before(bytes, at)))
    })
}

/// Whether what follows a literal can follow a value: else a quote in the value ended it too early.
fn ends_value(bytes: &[u8], end: usize) -> bool {
    let rest = bytes.get(end..).unwrap_or_default();
    let next = rest.iter().find(|byte| !matches!(byte, b' ' | b'\t'));
    next.is_none_or(|next| b",;)}]>/\r\n".contains(next))
}

/// The value of a line as text that remembers its places.
fn scalar(text: &Text, pair: &Pair) -> Option<Text> {
    let range = pair.place.value.clone();
    match string(text, range.start) {
        Some((inner, end)) if end == range.end => Some(inner),
        _ => (pair.kind == Kind::Text).then(|| text.slice(range)),
    }
}

/// The name before a string: `"Default": "…"`, `connectionString="…"`. None behind what may be a password, of which it
/// could be a piece.
fn key_before(bytes: &[u8], at: usize) -> String {
    let before = bytes.get(..at).unwrap_or_default();
    let lower = before.to_ascii_lowercase();
    let holds = |word: &[u8]| lower.windows(word.len()).any(|part| part == word);
    if [&b"pass"[..], b"pwd", b"://"].into_iter().any(holds) {
        return String::new();
    }
    let end = before
        .iter()
        .rposition(|byte| !is_blank(*byte) && !matches!(byte, b'=' | b':' | b'"' | b'\''))
        .map_or(0, |at| at + 1);
    let word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let before = bytes.get(..end).unwrap_or_default();
    let start = before.iter().rposition(|byte| !word(byte)).map_or(0, |at| at + 1);
    String::from_utf8_lossy(bytes.get(start..end).unwrap_or_default()).into_owned()
}

/// The text with XML's entities replaced.
fn without_entities(text: &Text) -> Text {
    const ENTITIES: [(&[u8], u8); 5] =
        [(b"&amp;", b'&'), (b"&quot;", b'\''), (b"&apos;", b'\''), (b"&lt;", b'<'), (b"&gt;", b'>')];
    let bytes = text.bytes();
    let mut replaced = Text::default();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let entity =
            ENTITIES.iter().find(|(entity, _)| bytes.get(at..).is_some_and(|rest| rest.starts_with(entity)));
        let (byte, length) = entity.map_or((*byte, 1), |(entity, byte)| (*byte, entity.len()));
        replaced.push(byte, text, &(at..at + length));
        at += length;
    }
    replaced
}

/// The environments of Rails, the one that counts most first.
const ENVIRONMENTS: [&str; 4] = ["production", "staging", "development", "test"];

/// The settings of one environment of Rails' database.yml: `production` and the first database in it, if there is one, else
/// the last section that has an adapter or a URL.
pub(super) fn database_yml(text: &Text) -> Option<Unwrapped> {
    let pairs = lines(text);
    fn environment(section: &str) -> &str {
        section.split('.').next().unwrap_or_default()
    }
    let section = |pair: &Pair| {
        let (parent, key) = pair.name.rsplit_once('.').unwrap_or(("", &pair.name));
        let is_ours = match key {
            "adapter" => matches!(pair.value.as_slice(), b"postgresql" | b"postgis" | b"postgres"),
            "url" => {
                ENVIRONMENTS.contains(&environment(parent))
                    && (pair.kind == Kind::Code || pair.value.starts_with(b"postgres"))
            }
            _ => false,
        };
        is_ours.then(|| parent.to_owned())
    };
    let sections: Vec<String> = pairs.iter().filter_map(section).collect();
    let production = sections.iter().find(|section| environment(section) == ENVIRONMENTS[0]);
    let section = production.or(sections.last())?.to_owned();
    let prefix = if section.is_empty() { String::new() } else { format!("{section}.") };
    let settings: Vec<Pair> = pairs
        .iter()
        .filter_map(|pair| {
            let name = pair.name.strip_prefix(&prefix)?;
            Some(Pair { name: name.to_owned(), ..located(text, pair) })
        })
        .collect();
    Some(Unwrapped::Settings {
        layer: Layer::Document(section),
        dialect: "rails",
        pairs: settings,
        broken: None,
    })
}
