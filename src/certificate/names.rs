//! Distinguished names and general names: as they stand, as OpenSSL compares them, as people read them.

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Malformed;
use super::der::{self, Element, Elements};
use super::encode;
use crate::order;
use crate::text::{self, hex};

/// A distinguished name. Its `Display` is the text of RFC 4514 with blanks after the commas: the most specific
/// attribute first, special characters escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DistinguishedName {
    /// The name's DER.
    pub der: Vec<u8>,
    /// OpenSSL's canonical form, for comparison: case, blanks and string types do not count (`x509_name_canon` in
    /// x_name.c). The outer SEQUENCE header is left out, so that a parent's form is the beginning of its children's.
    pub canonical: Vec<u8>,
    /// Attributes in the order of the certificate.
    pub attributes: Vec<Attribute>,
}

/// One attribute of a distinguished name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// The type: `CN`, `O`, or a dotted OID.
    pub kind: Cow<'static, str>,
    /// The ASN.1 tag byte of the value (UTF8String, BMPString, …).
    pub tag: u8,
    /// The value's bytes as they stand in the certificate.
    pub value: Vec<u8>,
}

impl Attribute {
    /// The value as text, read by its string type; bytes that are no text of that type become U+FFFD.
    pub fn text(&self) -> String {
        match characters(self.tag, &self.value) {
            Some(text) => text.into_owned(),
            None => String::from_utf8_lossy(&self.value).into_owned(),
        }
    }
}

const ATTRIBUTE_NAMES: [(&[u8], &str); 18] = [
    (&[0x55, 4, 3], "CN"),
    (&[0x55, 4, 4], "SN"),
    (&[0x55, 4, 5], "serialNumber"),
    (&[0x55, 4, 6], "C"),
    (&[0x55, 4, 7], "L"),
    (&[0x55, 4, 8], "ST"),
    (&[0x55, 4, 9], "street"),
    (&[0x55, 4, 10], "O"),
    (&[0x55, 4, 11], "OU"),
    (&[0x55, 4, 12], "title"),
    (&[0x55, 4, 17], "postalCode"),
    (&[0x55, 4, 42], "GN"),
    (&[0x55, 4, 46], "dnQualifier"),
    (&[0x55, 4, 65], "pseudonym"),
    (&[0x55, 4, 97], "organizationIdentifier"),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1], "emailAddress"),
    (&[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1], "UID"),
    (&[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25], "DC"),
];

/// Most characters of a name in short.
const LONGEST_SHORT: usize = 200;

impl DistinguishedName {
    /// Decodes a Name that stands alone.
    ///
    /// # Errors
    /// Why it cannot be decoded.
    pub fn from_der(der: &[u8]) -> Result<Self, Malformed> {
        Self::decode(&Elements::new(der).expect(der::SEQUENCE, "name")?)
    }

    /// Decodes a Name. Text that is wrong in its string type is refused, since OpenSSL then refuses the certificate.
    pub(super) fn decode(element: &Element<'_>) -> Result<Self, Malformed> {
        let mut attributes = Vec::new();
        let mut canonical = Vec::with_capacity(element.content.len());
        let mut sets = element.inside();
        while !sets.is_empty() {
            let mut set = sets.expect(der::SET, "relative distinguished name")?.inside();
            let mut encoded = Vec::new();
            while !set.is_empty() {
                let mut pair = set.expect(der::SEQUENCE, "name attribute")?.inside();
                let oid = pair.object_identifier("name attribute type")?;
                let value = pair.any("name attribute value")?;
                if !may_be_attribute(value.tag) {
                    return Err(value.wrong("name attribute is of a type that none can have"));
                }
                der::any_type(&value, "name attribute")?;
                pair.end("name attribute")?;
                encoded.push(canonical_attribute(oid.whole, &value)?);
                attributes.push(Attribute {
                    kind: attribute_name(oid.content),
                    tag: value.tag,
                    value: value.content.to_vec(),
                });
            }
            match encoded.as_mut_slice() {
                [attribute] => encode::write(&mut canonical, der::SET, attribute),
                several => {
                    // A SET OF is sorted in DER.
                    order::sort(several);
                    encode::write(&mut canonical, der::SET, &several.concat());
                }
            }
        }
        Ok(Self { der: element.whole.to_vec(), canonical, attributes })
    }

    /// The first common name, as text. (libpq compares the first one too.)
    pub fn common_name(&self) -> Option<String> {
        self.first("CN").map(Attribute::text)
    }

    /// What people call it, printable: the common name, else the organisation, else the whole name.
    pub fn short(&self) -> String {
        let organisation = || self.first("O").map(Attribute::text);
        let name = self.common_name().or_else(organisation).unwrap_or_else(|| match self.is_empty() {
            true => "(no name)".to_owned(),
            false => self.to_string(),
        });
        text::printable(&text::truncated(&name, LONGEST_SHORT))
    }

    /// The first attribute of a type.
    pub fn first(&self, kind: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.kind == kind)
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.attributes.is_empty()
    }

    /// OpenSSL's hash of the name, by which `c_rehash` names files: the first four bytes of the SHA-1 of the canonical
    /// form, in little-endian order (`X509_NAME_hash_ex`).
    pub fn hash(&self) -> u32 {
        let digest = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, &self.canonical);
        let first = digest.as_ref().iter().take(4).rev();
        first.fold(0, |hash, &byte| hash << 8 | u32::from(byte))
    }
}

impl fmt::Display for DistinguishedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, attribute) in self.attributes.iter().rev().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{}=", attribute.kind)?;
            let text = attribute.text();
            let last = text.chars().count().saturating_sub(1);
            for (index, character) in text.chars().enumerate() {
                match character {
                    ',' | '+' | '"' | '\\' | '<' | '>' | ';' => write!(f, "\\{character}")?,
                    '#' if index == 0 => f.write_str("\\#")?,
                    ' ' if index == 0 || index == last => f.write_str("\\ ")?,
                    control if control.is_ascii_control() => write!(f, "\\{:02X}", u32::from(control))?,
                    other => write!(f, "{other}")?,
                }
            }
        }
        Ok(())
    }
}

fn attribute_name(oid: &[u8]) -> Cow<'static, str> {
    match ATTRIBUTE_NAMES.iter().find(|(known, _)| *known == oid) {
        Some((_, name)) => Cow::Borrowed(name),
        None => Cow::Owned(der::dotted(oid)),
    }
}

/// An attribute with its text in UTF-8, ASCII letters lower, blanks trimmed and collapsed (`asn1_string_canon`). Values
/// that are no text stay as they are.
fn canonical_attribute(oid: &[u8], value: &Element<'_>) -> Result<Vec<u8>, Malformed> {
    let mut pair = Vec::with_capacity(oid.len() + value.whole.len());
    pair.extend_from_slice(oid);
    if is_text(value.tag) {
        let text = characters(value.tag, value.content)
            .ok_or_else(|| value.wrong("name attribute is no text of its string type"))?;
        let blank = |character: char| matches!(character, ' ' | '\t' | '\n' | '\x0b' | '\x0c' | '\r');
        let mut canonical = String::with_capacity(text.len());
        for word in text.split(blank).filter(|word| !word.is_empty()) {
            if !canonical.is_empty() {
                canonical.push(' ');
            }
            canonical.push_str(word);
        }
        canonical.make_ascii_lowercase();
        encode::write(&mut pair, der::UTF8_STRING, canonical.as_bytes());
    } else {
        pair.extend_from_slice(value.whole);
    }
    let mut sequence = Vec::with_capacity(pair.len() + 4);
    encode::write(&mut sequence, der::SEQUENCE, &pair);
    Ok(sequence)
}

/// The types that an attribute's value may have (`B_ASN1_PRINTABLE` in asn1.h): strings but for a few, BIT STRING,
/// SEQUENCE, and what OpenSSL has no type for.
fn may_be_attribute(tag: u8) -> bool {
    let number = tag & 0x1f;
    tag & 0xc0 == 0 && matches!(number, 3 | 7..=16 | 18..=20 | 22 | 28..=30)
}

fn is_text(tag: u8) -> bool {
    matches!(
        tag,
        der::UTF8_STRING
            | der::PRINTABLE_STRING
            | der::T61_STRING
            | der::IA5_STRING
            | der::VISIBLE_STRING
            | der::UNIVERSAL_STRING
            | der::BMP_STRING
    )
}

/// The characters of a string as `ASN1_STRING_to_UTF8` reads them: T61String and the ASCII types are taken for
/// Latin-1, BMPString knows no surrogates.
fn characters(tag: u8, bytes: &[u8]) -> Option<Cow<'_, str>> {
    match tag {
        der::UTF8_STRING => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
        der::BMP_STRING => {
            let (units, rest) = bytes.as_chunks::<2>();
            let characters = units.iter().map(|unit| char::from_u32(u16::from_be_bytes(*unit).into()));
            rest.is_empty().then(|| characters.collect::<Option<String>>().map(Cow::Owned))?
        }
        der::UNIVERSAL_STRING => {
            let (units, rest) = bytes.as_chunks::<4>();
            let characters = units.iter().map(|unit| char::from_u32(u32::from_be_bytes(*unit)));
            rest.is_empty().then(|| characters.collect::<Option<String>>().map(Cow::Owned))?
        }
        _ if bytes.is_ascii() => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
        _ => Some(bytes.iter().map(|&byte| char::from(byte)).collect()),
    }
}

/// One SAN entry. Its `Display` is `DNS:db.example`, `IP:192.0.2.1`, ….
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GeneralName {
    /// dNSName, bytes verbatim.
    Dns(Vec<u8>),
    /// iPAddress of 4 or 16 bytes.
    Ip(IpAddr),
    /// iPAddress of another length.
    BadIp(Vec<u8>),
    /// rfc822Name.
    Email(Vec<u8>),
    /// uniformResourceIdentifier.
    Uri(Vec<u8>),
    /// directoryName.
    Directory(DistinguishedName),
    /// Anything else: its tag number and bytes.
    Other(u32, Vec<u8>),
}

impl GeneralName {
    pub(super) fn decode(element: &Element<'_>) -> Result<Self, Malformed> {
        let number = element.tag & 0x1f;
        let bytes = || element.content.to_vec();
        // otherName, x400Address, directoryName and ediPartyName are constructed, the rest is not (RFC 5280 4.2.1.6).
        let expected = if matches!(number, 0 | 3 | 4 | 5) {
            der::context_constructed(number)
        } else {
            der::context(number)
        };
        if element.tag != expected || number > 8 {
            return Err(element.wrong("general name is of an unknown type"));
        }
        Ok(match number {
            1 => Self::Email(bytes()),
            2 => Self::Dns(bytes()),
            4 => {
                let mut inside = element.inside();
                let name = DistinguishedName::decode(&inside.expect(der::SEQUENCE, "directory name")?)?;
                inside.end("directory name")?;
                Self::Directory(name)
            }
            6 => Self::Uri(bytes()),
            7 => match address(element.content) {
                Some(address) => Self::Ip(address),
                None => Self::BadIp(bytes()),
            },
            _ => Self::Other(number.into(), bytes()),
        })
    }

    /// Decodes GeneralNames, the elements of which `reader` walks.
    pub(super) fn decode_all(mut reader: Elements<'_>) -> Result<Vec<Self>, Malformed> {
        let mut names = Vec::new();
        while !reader.is_empty() {
            names.push(Self::decode(&reader.any("general name")?)?);
        }
        Ok(names)
    }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(|bytes| Ipv4Addr::from(bytes).into()),
        16 => <[u8; 16]>::try_from(bytes).ok().map(|bytes| Ipv6Addr::from(bytes).into()),
        _ => None,
    }
}

impl fmt::Display for GeneralName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(bytes) => write!(f, "DNS:{}", String::from_utf8_lossy(bytes)),
            Self::Ip(address) => write!(f, "IP:{address}"),
            Self::BadIp(bytes) => write!(f, "IP:invalid ({} bytes: {})", bytes.len(), hex(bytes)),
            Self::Email(bytes) => write!(f, "email:{}", String::from_utf8_lossy(bytes)),
            Self::Uri(bytes) => write!(f, "URI:{}", String::from_utf8_lossy(bytes)),
            Self::Directory(name) => write!(f, "DirName:{name}"),
            Self::Other(0, bytes) => write!(f, "othername:{}", hex(bytes)),
            Self::Other(8, bytes) => write!(f, "Registered ID:{}", der::dotted(bytes)),
            Self::Other(tag, bytes) => write!(f, "name of type {tag}:{}", hex(bytes)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::encode::{element, sequence};

    fn name(parts: &[(&[u8], u8, &[u8])]) -> DistinguishedName {
        let pair = |(oid, tag, value): &(&[u8], u8, &[u8])| {
            let pair = sequence(&[&element(der::OBJECT_IDENTIFIER, &[oid]), &element(*tag, &[value])]);
            element(der::SET, &[&pair])
        };
        let der = sequence(&[&parts.iter().flat_map(pair).collect::<Vec<u8>>()]);
        DistinguishedName::decode(&Elements::new(&der).any("name").unwrap()).unwrap()
    }

    const CN: &[u8] = &[0x55, 4, 3];
    const O: &[u8] = &[0x55, 4, 10];

    #[test]
    fn case_blanks_and_string_types_do_not_count() {
        let plain = name(&[(CN, der::UTF8_STRING, b"example root")]);
        for (tag, value) in [
            (der::PRINTABLE_STRING, &b"Example Root"[..]),
            (der::IA5_STRING, b"  EXAMPLE \t root "),
            (der::T61_STRING, b"example root"),
            (der::BMP_STRING, b"\0E\0x\0a\0m\0p\0l\0e\0 \0r\0o\0o\0t"),
        ] {
            assert_eq!(name(&[(CN, tag, value)]).canonical, plain.canonical, "{value:?}");
        }
        assert_ne!(name(&[(CN, der::UTF8_STRING, b"exampleroot")]).canonical, plain.canonical);
        assert_ne!(name(&[(O, der::UTF8_STRING, b"example root")]).canonical, plain.canonical);
    }

    #[test]
    fn only_ascii_letters_are_folded() {
        let upper = name(&[(CN, der::UTF8_STRING, "Ä".as_bytes())]);
        assert_ne!(upper.canonical, name(&[(CN, der::UTF8_STRING, "ä".as_bytes())]).canonical);
        assert_eq!(upper.canonical, name(&[(CN, der::T61_STRING, &[0xc4])]).canonical);
    }

    #[test]
    fn names_are_written_most_specific_first_and_escaped() {
        let name = name(&[(O, der::UTF8_STRING, b"A, B\x07"), (CN, der::UTF8_STRING, b" #db ")]);
        assert_eq!(name.to_string(), "CN=\\ #db\\ , O=A\\, B\\07");
        assert_eq!(name.common_name().unwrap(), " #db ");
    }

    #[test]
    fn the_hash_is_that_of_openssl() {
        // `openssl x509 -subject_hash` of a certificate with this subject (ISRG Root X1).
        let name = name(&[
            (&[0x55, 4, 6], der::PRINTABLE_STRING, b"US"),
            (O, der::PRINTABLE_STRING, b"Internet Security Research Group"),
            (CN, der::PRINTABLE_STRING, b"ISRG Root X1"),
        ]);
        assert_eq!(format!("{:08x}", name.hash()), "4042bcee");
    }
}
