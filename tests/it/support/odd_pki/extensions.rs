//! Names, dates and extensions, well-formed or not.

use super::super::der::{
    boolean, element, explicit, generalized_time, implicit, integer, named_bits, octets, oid, sequence,
    sequence_of, set, utc_time, utf8,
};
use time::{Duration, OffsetDateTime};

/// A Name with one RDN for each attribute type and (already encoded) value.
pub(crate) fn name(attributes: &[(&str, Vec<u8>)]) -> Vec<u8> {
    sequence_of(attributes.iter().map(|(kind, value)| set(&[&sequence(&[&oid(kind), value])])))
}

/// Attribute types.
pub(crate) const CN: &str = "2.5.4.3";
pub(crate) const O: &str = "2.5.4.10";
pub(crate) const C: &str = "2.5.4.6";
pub(crate) const DC: &str = "0.9.2342.19200300.100.1.25";
pub(crate) const EMAIL: &str = "1.2.840.113549.1.9.1";

/// A Name with only a CN, as UTF8String.
pub(crate) fn common_name(text: &str) -> Vec<u8> {
    name(&[(CN, utf8(text))])
}

/// A string of any type, for names.
pub(crate) fn text(tag: u8, bytes: &[u8]) -> Vec<u8> {
    element(tag, &[bytes])
}

/// ASN.1 tags of the string types that occur in names.
pub(crate) const PRINTABLE: u8 = 0x13;
pub(crate) const T61: u8 = 0x14;
pub(crate) const IA5: u8 = 0x16;
pub(crate) const UNIVERSAL: u8 = 0x1c;
pub(crate) const BMP: u8 = 0x1e;

/// A point in time so many days from now, as RFC 5280 wants it written.
pub(crate) fn days(from_now: i64) -> Vec<u8> {
    let at = OffsetDateTime::now_utc() + Duration::days(from_now);
    let rest = format!(
        "{:02}{:02}{:02}{:02}{:02}Z",
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute(),
        at.second()
    );
    match at.year() {
        year @ 1950..=2049 => utc_time(&format!("{:02}{rest}", year % 100)),
        year => generalized_time(&format!("{year:04}{rest}")),
    }
}

/// An extension.
#[derive(Clone, Debug)]
pub(crate) struct Extension {
    pub oid: &'static str,
    pub critical: bool,
    pub value: Vec<u8>,
}

impl Extension {
    pub(crate) fn new(oid: &'static str, value: Vec<u8>) -> Self {
        Self { oid, critical: false, value }
    }

    pub(crate) fn critical(mut self) -> Self {
        self.critical = true;
        self
    }

    pub(crate) fn not_critical(mut self) -> Self {
        self.critical = false;
        self
    }

    pub(crate) fn der(&self) -> Vec<u8> {
        let flag = if self.critical { boolean(true) } else { Vec::new() };
        sequence(&[&oid(self.oid), &flag, &octets(&self.value)])
    }
}

/// Extension identifiers.
pub(crate) const SUBJECT_KEY_IDENTIFIER: &str = "2.5.29.14";
pub(crate) const KEY_USAGE: &str = "2.5.29.15";
pub(crate) const SUBJECT_ALT_NAME: &str = "2.5.29.17";
pub(crate) const BASIC_CONSTRAINTS: &str = "2.5.29.19";
pub(crate) const NAME_CONSTRAINTS: &str = "2.5.29.30";
pub(crate) const POLICIES: &str = "2.5.29.32";
pub(crate) const AUTHORITY_KEY_IDENTIFIER: &str = "2.5.29.35";
pub(crate) const EXTENDED_KEY_USAGE: &str = "2.5.29.37";
pub(crate) const NETSCAPE_TYPE: &str = "2.16.840.1.113730.1.1";

/// Bits of KeyUsage (RFC 5280, 4.2.1.3).
pub(crate) const DIGITAL_SIGNATURE: u8 = 0;
pub(crate) const NON_REPUDIATION: u8 = 1;
pub(crate) const KEY_ENCIPHERMENT: u8 = 2;
pub(crate) const KEY_AGREEMENT: u8 = 4;
pub(crate) const KEY_CERT_SIGN: u8 = 5;
pub(crate) const CRL_SIGN: u8 = 6;

/// Purposes of ExtendedKeyUsage.
pub(crate) const SERVER_AUTH: &str = "1.3.6.1.5.5.7.3.1";
pub(crate) const CLIENT_AUTH: &str = "1.3.6.1.5.5.7.3.2";
pub(crate) const ANY_PURPOSE: &str = "2.5.29.37.0";

pub(crate) fn key_usage(named: &[u8]) -> Extension {
    Extension::new(KEY_USAGE, named_bits(named)).critical()
}

pub(crate) fn basic_constraints(ca: bool, path_length: Option<u8>) -> Extension {
    let flag = if ca { boolean(true) } else { Vec::new() };
    let length = path_length.map(|length| integer(&[length])).unwrap_or_default();
    Extension::new(BASIC_CONSTRAINTS, sequence(&[&flag, &length])).critical()
}

pub(crate) fn extended_key_usage(purposes: &[&str]) -> Extension {
    Extension::new(EXTENDED_KEY_USAGE, sequence_of(purposes.iter().map(|purpose| oid(purpose))))
}

pub(crate) fn alt_names<T: AsRef<[u8]>>(names: impl IntoIterator<Item = T>) -> Extension {
    Extension::new(SUBJECT_ALT_NAME, sequence_of(names))
}

/// GeneralNames (RFC 5280, 4.2.1.6).
pub(crate) fn dns(text: &str) -> Vec<u8> {
    implicit(2, text.as_bytes())
}

pub(crate) fn ip(bytes: &[u8]) -> Vec<u8> {
    implicit(7, bytes)
}

pub(crate) fn email(text: &str) -> Vec<u8> {
    implicit(1, text.as_bytes())
}

pub(crate) fn uri(text: &str) -> Vec<u8> {
    implicit(6, text.as_bytes())
}

pub(crate) fn directory(name: &[u8]) -> Vec<u8> {
    explicit(4, &[name])
}

pub(crate) fn other_name(text: &str) -> Vec<u8> {
    explicit(0, &[&oid("1.3.6.1.4.1.311.20.2.3"), &explicit(0, &[&utf8(text)])])
}

pub(crate) fn registered_id(dotted: &str) -> Vec<u8> {
    let mut id = oid(dotted);
    id[0] = 0x88;
    id
}

/// NameConstraints: the permitted and the excluded subtrees.
pub(crate) fn name_constraints(permitted: &[Vec<u8>], excluded: &[Vec<u8>]) -> Extension {
    let trees = |number, names: &[Vec<u8>]| {
        if names.is_empty() {
            return Vec::new();
        }
        let all: Vec<u8> = names.iter().flat_map(|base| sequence(&[base])).collect();
        explicit(number, &[&all])
    };
    let value = sequence(&[&trees(0, permitted), &trees(1, excluded)]);
    Extension::new(NAME_CONSTRAINTS, value).critical()
}

/// AuthorityKeyIdentifier with any of its parts.
pub(crate) fn authority(identifier: Option<&[u8]>, issuer_and_serial: Option<(&[u8], &[u8])>) -> Extension {
    let mut value = Vec::new();
    if let Some(identifier) = identifier {
        value.extend(implicit(0, identifier));
    }
    if let Some((issuer, serial)) = issuer_and_serial {
        value.extend(explicit(1, &[&directory(issuer)]));
        value.extend(implicit(2, serial));
    }
    Extension::new(AUTHORITY_KEY_IDENTIFIER, sequence(&[&value]))
}
