//! Settings as lines: `key: value` of YAML and `key=value` of properties files, each line a setting, nested by its
//! indentation. What YAML has beyond that (flow collections, block scalars, several documents) is not read.

use std::ops::Range;

use super::super::text::{Text, find, trimmed};
use super::super::{Kind, Place};
use super::literal::string;
use super::{Pair, Part};

/// Reads lines. Names of nested ones are joined with dots; those of an anchor that is merged (`<<: *default`) are
/// repeated.
pub(in crate::clients::dialect) fn lines(text: &Text) -> Vec<Pair> {
    let bytes = text.bytes();
    let mut pairs: Vec<Pair> = Vec::new();
    // The keys under which the line stands, and their indentation.
    let mut above: Vec<(usize, String)> = Vec::new();
    let mut anchors: Vec<(Vec<u8>, String)> = Vec::new();
    let mut start = 0;
    while start < bytes.len() {
        let end = find(bytes, b"\n", start);
        let line = trimmed(bytes, start..end);
        let indentation = line.start - start;
        start = end + 1;
        let Some((keyword, value)) = key_and_value(bytes, &line) else { continue };
        while above.last().is_some_and(|(other, _)| *other >= indentation) {
            above.pop();
        }
        let key = String::from_utf8_lossy(unquoted(bytes, &keyword)).into_owned();
        let name = match above.last() {
            Some((_, parent)) => format!("{parent}.{key}"),
            None => key.clone(),
        };
        let typed = bytes.get(value.clone()).unwrap_or_default();
        if let Some(anchor) = typed.strip_prefix(b"&") {
            anchors.push((anchor.to_vec(), name.clone()));
        }
        if key == "<<" {
            let parent = above.last().map(|(_, parent)| parent.clone()).unwrap_or_default();
            let source = typed.strip_prefix(b"*").and_then(|wanted| {
                anchors.iter().find(|(anchor, _)| anchor == wanted).map(|(_, name)| format!("{name}."))
            });
            let merged: Vec<Pair> = source
                .map(|source| {
                    let children = pairs.iter().filter_map(|pair| {
                        let rest = pair.name.strip_prefix(&source)?;
                        Some(Pair { name: format!("{parent}.{rest}"), ..pair.clone() })
                    });
                    children.collect()
                })
                .unwrap_or_default();
            pairs.extend(merged);
            continue;
        }
        if value.is_empty() || typed.starts_with(b"&") {
            above.push((indentation, name));
            continue;
        }
        let (value, kind, place) = scalar(text, value);
        pairs.push(Pair { name, part: Part::Keyword, value, kind, place: Place { keyword, value: place } });
    }
    pairs
}

/// Where key and value of a line are. A key has no blanks in it, other than quoted.
fn key_and_value(bytes: &[u8], line: &Range<usize>) -> Option<(Range<usize>, Range<usize>)> {
    let first = *bytes.get(line.start).filter(|_| !line.is_empty())?;
    if matches!(first, b'#' | b'!' | b'-' | b'{' | b'[') {
        return None;
    }
    let key_end = match first {
        b'"' | b'\'' => find(bytes, &[first], line.start + 1) + 1,
        _ => find(bytes, b":= \t", line.start),
    };
    let sign = (key_end..line.end).find(|at| !matches!(bytes.get(*at), Some(b' ' | b'\t')))?;
    let is_pair = match bytes.get(sign)? {
        b'=' => true,
        // YAML wants a blank behind the colon: `http://x` is no pair.
        b':' => bytes.get(sign + 1).is_none_or(|next| matches!(next, b' ' | b'\t' | b'\r' | b'\n')),
        _ => false,
    };
    is_pair.then(|| (line.start..key_end, trimmed(bytes, sign + 1..line.end)))
}

fn unquoted<'a>(bytes: &'a [u8], range: &Range<usize>) -> &'a [u8] {
    let text = bytes.get(range.clone()).unwrap_or_default();
    let quotes: &[_] = &['"', '\''];
    std::str::from_utf8(text).map_or(text, |text| text.trim_matches(quotes).as_bytes())
}

/// A quoted value, or one up to a comment.
fn scalar(text: &Text, range: Range<usize>) -> (Vec<u8>, Kind, Range<usize>) {
    let bytes = text.bytes();
    if let Some((value, end)) = string(text, range.start).filter(|(_, end)| *end <= range.end) {
        return (value.bytes().to_vec(), Kind::Text, range.start..end);
    }
    let comment = |at: &usize| {
        bytes.get(*at) == Some(&b'#') && matches!(bytes.get(at.saturating_sub(1)), Some(b' ' | b'\t'))
    };
    let end = range.clone().find(comment).unwrap_or(range.end);
    let range = trimmed(bytes, range.start..end);
    let value = bytes.get(range.clone()).unwrap_or_default();
    if value.windows(2).any(|pair| pair == b"<%") {
        return (Vec::new(), Kind::Code, range);
    }
    (value.to_vec(), Kind::Text, range)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, String)> {
        let pairs = lines(&Text::new(text.as_bytes())).into_iter();
        pairs.map(|pair| (pair.name, String::from_utf8_lossy(&pair.value).into_owned())).collect()
    }

    #[test]
    fn yaml_and_properties() {
        let expected = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
        };
        assert_eq!(
            read(
                "default: &default\n  adapter: postgresql\n  sslmode: require # no\n\nproduction:\n  <<: *default\n  \
                 host: 'h: x'\n  url: postgres://h/d\n"
            ),
            expected(&[
                ("default.adapter", "postgresql"),
                ("default.sslmode", "require"),
                ("production.adapter", "postgresql"),
                ("production.sslmode", "require"),
                ("production.host", "h: x"),
                ("production.url", "postgres://h/d"),
            ])
        );
        assert_eq!(
            read("spring.datasource.url=jdbc:postgresql://h/d?a=b\n# x=y\nspring.datasource.username = me"),
            expected(&[
                ("spring.datasource.url", "jdbc:postgresql://h/d?a=b"),
                ("spring.datasource.username", "me"),
            ])
        );
        assert_eq!(read("password: <%= ENV['X'] %>"), expected(&[("password", "")]));
        assert_eq!(read("just text\nhttp://x\n- a: b"), expected(&[]));
    }
}
