//! Reads DER element by element and knows at which byte something was wrong.
//!
//! Certificates are decoded here and not by a general X.509 library, because what counts as a readable certificate
//! is part of libpq's verdict: OpenSSL is strict in some places and lenient in others (see [`decode`](super)), and of
//! a broken certificate the readable part must still be shown. Lengths need not be minimal, as for OpenSSL; indefinite
//! lengths and tag numbers above 30 are refused.

use std::fmt;

use crate::bytes::Reader;
use crate::text::hex;

/// Why a certificate cannot be decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// What is wrong, in the field's words ("trailing bytes after the certificate", "serial number is empty").
    pub what: String,
    /// The byte offset in the DER, where it is known.
    pub offset: Option<usize>,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.offset {
            Some(offset) => write!(f, "{} (at byte {offset})", self.what),
            None => f.write_str(&self.what),
        }
    }
}

impl std::error::Error for Malformed {}

pub(super) const BOOLEAN: u8 = 0x01;
pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const NULL: u8 = 0x05;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const ENUMERATED: u8 = 0x0a;
pub(super) const UTF8_STRING: u8 = 0x0c;
pub(super) const PRINTABLE_STRING: u8 = 0x13;
pub(super) const T61_STRING: u8 = 0x14;
pub(super) const IA5_STRING: u8 = 0x16;
pub(super) const UTC_TIME: u8 = 0x17;
pub(super) const GENERALIZED_TIME: u8 = 0x18;
pub(super) const VISIBLE_STRING: u8 = 0x1a;
pub(super) const UNIVERSAL_STRING: u8 = 0x1c;
pub(super) const BMP_STRING: u8 = 0x1e;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;

/// The tag byte of a primitive element of the context-specific class.
pub(super) const fn context(number: u8) -> u8 {
    0x80 | number
}

/// The tag byte of a constructed element of the context-specific class.
pub(super) const fn context_constructed(number: u8) -> u8 {
    0xa0 | number
}

/// One element: its tag byte, its content, and both with the header.
#[derive(Clone, Copy, Debug)]
pub(super) struct Element<'a> {
    pub tag: u8,
    pub content: &'a [u8],
    pub whole: &'a [u8],
    /// Where `whole` begins in the outermost bytes.
    pub offset: usize,
}

impl<'a> Element<'a> {
    /// A reader of the elements within.
    pub(super) fn inside(&self) -> Elements<'a> {
        Elements {
            bytes: Reader::new(self.content),
            start: self.offset + (self.whole.len() - self.content.len()),
        }
    }

    /// An error in this element.
    pub(super) fn wrong(&self, what: impl Into<String>) -> Malformed {
        Malformed { what: what.into(), offset: Some(self.offset) }
    }
}

impl Element<'_> {
    fn wrong_tag(&self, wanted: u8, field: &str) -> Malformed {
        self.wrong(format!("{field} is of another type (tag {:02x} instead of {wanted:02x})", self.tag))
    }
}

/// Walks a run of elements.
#[derive(Clone, Debug)]
pub(super) struct Elements<'a> {
    bytes: Reader<'a>,
    /// Where the run begins in the outermost bytes.
    start: usize,
}

impl<'a> Elements<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes: Reader::new(bytes), start: 0 }
    }

    /// The tag byte of the next element, if there is one.
    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.peek()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.rest().is_empty()
    }

    /// An error at the present place.
    pub(super) fn wrong(&self, what: impl Into<String>) -> Malformed {
        Malformed { what: what.into(), offset: Some(self.offset()) }
    }

    /// Where the next element begins in the outermost bytes.
    fn offset(&self) -> usize {
        self.start + self.bytes.position()
    }

    /// The next element, whatever it is. `field` names it in errors.
    pub(super) fn any(&mut self, field: &str) -> Result<Element<'a>, Malformed> {
        let Some(tag) = self.bytes.peek() else { return Err(self.wrong(format!("{field} is missing"))) };
        if tag & 0x1f == 0x1f {
            return Err(self.wrong(format!("{field} has a tag number above 30")));
        }
        let mut ahead = self.bytes.clone();
        let length = length(&mut ahead).ok_or_else(|| self.wrong(format!("{field} has a bad length")))?;
        let Some(content) = ahead.take(length) else {
            let there = ahead.rest().len();
            return Err(self.wrong(format!("{field} is cut off: {length} bytes announced, {there} there")));
        };
        let offset = self.offset();
        let whole = self.bytes.take(ahead.position() - self.bytes.position()).unwrap_or_default();
        Ok(Element { tag, content, whole, offset })
    }

    /// The element that all the rest is the beginning of: one of this tag, cut off.
    pub(super) fn cut_off(&self, tag: u8) -> Option<Element<'a>> {
        let mut ahead = self.bytes.clone();
        let length = length(&mut ahead).filter(|_| self.peek() == Some(tag))?;
        let content = Some(ahead.rest()).filter(|content| content.len() < length)?;
        Some(Element { tag, content, whole: self.bytes.rest(), offset: self.offset() })
    }

    /// The next element, which must have this tag.
    pub(super) fn expect(&mut self, tag: u8, field: &str) -> Result<Element<'a>, Malformed> {
        let before = self.clone();
        let element = self.any(field)?;
        if element.tag == tag {
            return Ok(element);
        }
        *self = before;
        Err(element.wrong_tag(tag, field))
    }

    /// The next element, which must be an OBJECT IDENTIFIER: not empty, its last number whole and none of them padded
    /// (`ossl_c2i_ASN1_OBJECT`).
    pub(super) fn object_identifier(&mut self, field: &str) -> Result<Element<'a>, Malformed> {
        let element = self.expect(OBJECT_IDENTIFIER, field)?;
        if is_object_identifier(element.content) {
            Ok(element)
        } else {
            Err(element.wrong(format!("{field} is no object identifier")))
        }
    }

    /// The next element if it has this tag. The same in pieces (BER) is refused.
    pub(super) fn optional(&mut self, tag: u8, field: &str) -> Result<Option<Element<'a>>, Malformed> {
        match self.peek() {
            Some(next) if next == tag => self.any(field).map(Some),
            Some(next) if next == tag ^ 0x20 => self.expect(tag, field).map(Some),
            _ => Ok(None),
        }
    }

    /// Nothing may follow.
    pub(super) fn end(&self, field: &str) -> Result<(), Malformed> {
        if self.is_empty() { Ok(()) } else { Err(self.wrong(format!("trailing bytes after {field}"))) }
    }
}

/// How many bytes the element takes that `bytes` begin with; all of them if it is cut off or none.
pub(crate) fn first_length(bytes: &[u8]) -> usize {
    Elements::new(bytes).any("element").map_or(bytes.len(), |element| element.whole.len())
}

/// Reads tag byte and length: the size of the content that follows.
fn length(bytes: &mut Reader<'_>) -> Option<usize> {
    bytes.u8()?;
    match bytes.u8()? {
        short @ ..0x80 => Some(short.into()),
        0x80 => None,
        long => bytes.number(usize::from(long & 0x7f)),
    }
}

fn is_object_identifier(content: &[u8]) -> bool {
    let begins =
        |at: usize| at.checked_sub(1).and_then(|before| content.get(before)).is_none_or(|b| b & 0x80 == 0);
    content.last().is_some_and(|last| last & 0x80 == 0)
        && !content.iter().enumerate().any(|(at, byte)| *byte == 0x80 && begins(at))
}

/// Checks an element of any type as OpenSSL checks the primitive types on decoding (`asn1_ex_c2i`). Strings in pieces
/// (BER), which OpenSSL puts together, are refused.
pub(super) fn any_type(element: &Element<'_>, field: &str) -> Result<(), Malformed> {
    let tag = element.tag;
    // Of the universal types, sequences and sets are constructed, and nothing else is.
    if tag & 0xc0 == 0 && (tag & 0x20 != 0) != matches!(tag & 0x1f, 0x10 | 0x11) {
        return Err(element.wrong_tag(tag ^ 0x20, field));
    }
    let good = match tag {
        BOOLEAN => element.content.len() == 1,
        NULL => element.content.is_empty(),
        INTEGER | ENUMERATED => return integer(element, field).map(drop),
        BIT_STRING => return bits(element, field).map(drop),
        OBJECT_IDENTIFIER => is_object_identifier(element.content),
        BMP_STRING => element.content.len().is_multiple_of(2),
        UNIVERSAL_STRING => element.content.len().is_multiple_of(4),
        _ => true,
    };
    if good { Ok(()) } else { Err(element.wrong(format!("{field} has a bad value"))) }
}

/// The content of an INTEGER: not empty and not padded (`c2i_ASN1_INTEGER`).
pub(super) fn integer<'a>(element: &Element<'a>, field: &str) -> Result<&'a [u8], Malformed> {
    match element.content {
        [] => Err(element.wrong(format!("{field} is empty"))),
        [0x00, next, ..] if next & 0x80 == 0 => Err(element.wrong(format!("{field} is padded"))),
        [0xff, next, ..] if next & 0x80 != 0 => Err(element.wrong(format!("{field} is padded"))),
        content => Ok(content),
    }
}

/// The value of a small INTEGER or ENUMERATED that is not negative.
pub(super) fn small(content: &[u8]) -> Option<u64> {
    if content.len() > 8 || content.first().is_some_and(|first| first & 0x80 != 0) {
        return None;
    }
    Some(content.iter().fold(0, |value, &byte| value << 8 | u64::from(byte)))
}

/// The bytes of a BIT STRING and how many of its last bits are unused (`c2i_ASN1_BIT_STRING`).
pub(super) fn bits<'a>(element: &Element<'a>, field: &str) -> Result<(&'a [u8], u8), Malformed> {
    match element.content.split_first() {
        Some((&unused, bits)) if unused < 8 && (unused == 0 || !bits.is_empty()) => Ok((bits, unused)),
        Some(_) => Err(element.wrong(format!("{field} has a bad count of unused bits"))),
        None => Err(element.wrong(format!("{field} is empty"))),
    }
}

/// A BOOLEAN: one byte, anything but zero is true, as for OpenSSL.
pub(super) fn boolean(element: &Element<'_>, field: &str) -> Result<bool, Malformed> {
    match element.content {
        [byte] => Ok(*byte != 0),
        _ => Err(element.wrong(format!("{field} is not one byte long"))),
    }
}

/// `1.2.840.113549` for the content of an OBJECT IDENTIFIER; what cannot be written so comes out in hexadecimal.
pub(super) fn dotted(oid: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    let mut arc = 0u64;
    for &byte in oid {
        if arc > u64::MAX >> 7 {
            return hex(oid);
        }
        arc = arc << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 != 0 {
            continue;
        }
        let written = if text.is_empty() {
            let first = (arc / 40).min(2);
            write!(text, "{first}.{}", arc - first * 40)
        } else {
            write!(text, ".{arc}")
        };
        debug_assert!(written.is_ok());
        arc = 0;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn object_identifiers_are_dotted() {
        assert_eq!(dotted(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b]), "1.2.840.113549.1.1.11");
        assert_eq!(dotted(&[0x55, 0x1d, 0x11]), "2.5.29.17");
        assert_eq!(dotted(&[0x88, 0x37]), "2.999");
    }

    #[test]
    fn object_identifiers_are_whole() {
        for (content, good) in [
            (&[0x2a, 0x86, 0x48][..], true),
            (&[0x00], true),
            (&[], false),
            (&[0x2a, 0x86], false),
            (&[0x80, 0x2a], false),
            (&[0x2a, 0x80, 0x01], false),
            (&[0x2a, 0x81, 0x80, 0x01], true),
        ] {
            assert_eq!(is_object_identifier(content), good, "{content:?}");
        }
    }

    #[test]
    fn lengths_may_be_long_but_not_longer_than_the_bytes() {
        assert_eq!(Elements::new(&[4, 0x82, 0, 1, 9]).any("x").unwrap().content, &[9]);
        for bad in
            [&[4u8, 2, 9][..], &[4], &[4, 0x80, 0, 0], &[4, 0x89, 1, 1, 1, 1, 1, 1, 1, 1, 1], &[0x1f, 1, 0]]
        {
            assert!(Elements::new(bad).any("x").is_err(), "{bad:?}");
        }
    }

    #[test]
    fn errors_know_their_byte() {
        let bytes = [0x30, 4, 2, 0, 4, 0];
        let mut inside = Elements::new(&bytes).expect(SEQUENCE, "outer").unwrap().inside();
        let empty = inside.any("serial number").unwrap();
        assert_eq!(integer(&empty, "serial number").unwrap_err().offset, Some(2));
        assert_eq!(inside.expect(INTEGER, "next").unwrap_err().offset, Some(4));
        assert!(inside.expect(OCTET_STRING, "next").is_ok(), "a refused element is not consumed");
    }
}
