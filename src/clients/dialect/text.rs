//! Text taken out of what was typed. Each byte remembers where it stood, so that what is found in the innermost string
//! of a snippet can be marked in the snippet.

use std::fmt;
use std::ops::Range;

use zeroize::Zeroizing;

/// Bytes and their places in the original. `Debug` tells the length only: there may be a password in it.
#[derive(Clone, Default)]
pub struct Text {
    bytes: Zeroizing<Vec<u8>>,
    /// For each byte the bytes of the original that it stands for: several where it was written as an escape.
    places: Vec<(usize, usize)>,
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text({} bytes)", self.bytes.len())
    }
}

impl Text {
    /// The original itself.
    pub fn new(bytes: &[u8]) -> Self {
        Self {
            bytes: Zeroizing::new(bytes.to_vec()),
            places: (0..bytes.len()).map(|at| (at, at + 1)).collect(),
        }
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many bytes there are.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// A part of it; what lies beyond the end is left out.
    pub fn slice(&self, range: Range<usize>) -> Self {
        Self {
            bytes: Zeroizing::new(self.bytes.get(range.clone()).unwrap_or_default().to_vec()),
            places: self.places.get(range).unwrap_or_default().to_vec(),
        }
    }

    /// The bytes of a part.
    pub fn get(&self, range: &Range<usize>) -> &[u8] {
        self.bytes.get(range.clone()).unwrap_or_default()
    }

    /// Where a part stands in the original. An empty part stands before the byte that follows it.
    pub fn place(&self, range: &Range<usize>) -> Range<usize> {
        let end = self.places.last().map_or(0, |(_, end)| *end);
        let start = self.places.get(range.start).map_or(end, |(start, _)| *start);
        let last = range.end.checked_sub(1).filter(|last| *last >= range.start);
        let end = last.map_or(start, |last| self.places.get(last).map_or(end, |(_, end)| *end));
        start..end.max(start)
    }

    /// Adds a byte that stands for this part of `source`.
    pub fn push(&mut self, byte: u8, source: &Self, range: &Range<usize>) {
        let place = source.place(range);
        self.bytes.push(byte);
        self.places.push((place.start, place.end));
    }

    /// Without blanks at both ends.
    pub fn trimmed(&self) -> Self {
        self.slice(trimmed(&self.bytes, 0..self.bytes.len()))
    }
}

/// A range without the blanks at its ends.
pub(super) fn trimmed(bytes: &[u8], range: Range<usize>) -> Range<usize> {
    let part = bytes.get(range.clone()).unwrap_or_default();
    let before = part.iter().take_while(|byte| is_blank(**byte)).count();
    let after = part.iter().skip(before).rev().take_while(|byte| is_blank(**byte)).count();
    range.start + before..range.start + part.len() - after
}

/// Space, tab, line feed, carriage return, form feed, vertical tab.
pub(super) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

/// The first byte of these from `start` on, or the end.
pub(super) fn find(bytes: &[u8], wanted: &[u8], start: usize) -> usize {
    let rest = bytes.get(start..).unwrap_or_default();
    rest.iter().position(|byte| wanted.contains(byte)).map_or(bytes.len().max(start), |at| at + start)
}

/// The ranges between separators, empty ones too.
pub(super) fn split(bytes: &[u8], range: Range<usize>, separator: u8) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut start = range.start;
    for at in range.clone() {
        if bytes.get(at) == Some(&separator) {
            parts.push(start..at);
            start = at + 1;
        }
    }
    parts.push(start..range.end);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_know_their_places() {
        let original = Text::new(b"x=\"a\\\"b\"");
        let mut inner = Text::default();
        inner.push(b'a', &original, &(3..4));
        inner.push(b'"', &original, &(4..6));
        inner.push(b'b', &original, &(6..7));
        assert_eq!(inner.bytes(), b"a\"b");
        assert_eq!(inner.place(&(0..3)), 3..7);
        assert_eq!(inner.place(&(1..2)), 4..6);
        assert_eq!(inner.slice(1..3).place(&(1..2)), 6..7);
        assert_eq!(inner.place(&(1..1)), 4..4);
        assert_eq!(inner.place(&(3..3)), 7..7);
        assert_eq!(inner.place(&(5..9)), 7..7);
        assert_eq!(Text::default().place(&(0..1)), 0..0);
    }

    #[test]
    fn blanks_are_trimmed() {
        assert_eq!(Text::new(b" \t a b\n").trimmed().bytes(), b"a b");
        assert_eq!(Text::new(b" \n").trimmed().bytes(), b"");
        assert_eq!(split(b"a,,b", 0..4, b','), [0..1, 2..2, 3..4]);
        assert_eq!(find(b"a?b", b"?", 0), 1);
        assert_eq!(find(b"ab", b"?", 1), 2);
    }
}
