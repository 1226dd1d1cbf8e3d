//! Names, dates and extensions, well-formed or not.

use crate::support::der::{
    boolean, element, explicit, generalized_time, implicit, integer, named_bits, octets, oid, sequence,
    sequence_of, set, utc_time, utf8,
};
use time::{Duration, OffsetDateTime};

/// A Name with one RDN for each attribute type and (already encoded) value.
pub fn name(attributes: &[(&str, Vec<u8>)]) -> Vec<u8> {
    sequence_of(attributes.iter().map(|(kind, value)| set(&[&sequence(&[&oid(kind), value])])))
}

/// Attribute types.
pub const CN: &str = "2.5.4.3";
pub const O: &str = "2.5.4.10";
pub const C: &str = "2.5.4.6";
pub const DC: &str = "0.9.2342.19200300.100.1.25";
pub const EMAIL: &str = "1.2.840.113549.1.9.1";

/// A Name with only a CN, as UTF8String.
pub fn common_name(text: &str) -> Vec<u8> {
    name(&[(CN, utf8(text))])
}

/// A string of any type, for names.
pub fn text(tag: u8, bytes: &[u8]) -> Vec<u8> {
    element(tag, &[bytes])
}

/// ASN.1 tags of the string types that occur in names.
pub const PRINTABLE: u8 = 0x13;
pub const T61: u8 = 0x14;
pub const IA5: u8 = 0x16;
pub const UNIVERSAL: u8 = 0x1c;
pub const BMP: u8 = 0x1e;

/// A point in time so many days from now, as RFC 5280 wants it written.
pub fn days(from_now: i64) -> Vec<u8> {
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
pub struct Extension {
    pub oid: &'static str,
    pub critical: bool,
    pub value: Vec<u8>,
}

impl Extension {
    pub fn new(oid: &'static str, value: Vec<u8>) -> Extension {
        Extension { oid, critical: false, value }
    }

    pub fn critical(mut self) -> Extension {
        self.critical = true;
        self
    }

    pub fn not_critical(mut self) -> Extension {
        self.critical = false;
        self
    }

    pub fn der(&self) -> Vec<u8> {
        let flag = if self.critical { boolean(true) } else { Vec::new() };
        sequence(&[&oid(self.oid), &flag, &octets(&self.value)])
    }
}

/// Extension identifiers.
pub const SUBJECT_KEY_IDENTIFIER: &str = "2.5.29.14";
pub const KEY_USAGE: &str = "2.5.29.15";
pub const SUBJECT_ALT_NAME: &str = "2.5.29.17";
pub const BASIC_CONSTRAINTS: &str = "2.5.29.19";
pub const NAME_CONSTRAINTS: &str = "2.5.29.30";
pub const POLICIES: &str = "2.5.29.32";
pub const AUTHORITY_KEY_IDENTIFIER: &str = "2.5.29.35";
pub const EXTENDED_KEY_USAGE: &str = "2.5.29.37";
pub const NETSCAPE_TYPE: &str = "2.16.840.1.113730.1.1";

/// Bits of KeyUsage (RFC 5280, 4.2.1.3).
pub const DIGITAL_SIGNATURE: u8 = 0;
pub const NON_REPUDIATION: u8 = 1;
pub const KEY_ENCIPHERMENT: u8 = 2;
pub const KEY_AGREEMENT: u8 = 4;
pub const KEY_CERT_SIGN: u8 = 5;
pub const CRL_SIGN: u8 = 6;

/// Purposes of ExtendedKeyUsage.
pub const SERVER_AUTH: &str = "1.3.6.1.5.5.7.3.1";
pub const CLIENT_AUTH: &str = "1.3.6.1.5.5.7.3.2";
pub const ANY_PURPOSE: &str = "2.5.29.37.0";

pub fn key_usage(named: &[u8]) -> Extension {
    Extension::new(KEY_USAGE, named_bits(named)).critical()
}

pub fn basic_constraints(ca: bool, path_length: Option<u8>) -> Extension {
    let flag = if ca { boolean(true) } else { Vec::new() };
    let length = path_length.map(|length| integer(&[length])).unwrap_or_default();
    Extension::new(BASIC_CONSTRAINTS, sequence(&[&flag, &length])).critical()
}

pub fn extended_key_usage(purposes: &[&str]) -> Extension {
    Extension::new(EXTENDED_KEY_USAGE, sequence_of(purposes.iter().map(|purpose| oid(purpose))))
}

pub fn alt_names<T: AsRef<[u8]>>(names: impl IntoIterator<Item = T>) -> Extension {
    Extension::new(SUBJECT_ALT_NAME, sequence_of(names))
}

/// GeneralNames (RFC 5280, 4.2.1.6).
pub fn dns(text: &str) -> Vec<u8> {
    implicit(2, text.as_bytes())
}

pub fn ip(bytes: &[u8]) -> Vec<u8> {
    implicit(7, bytes)
}

pub fn email(text: &str) -> Vec<u8> {
    implicit(1, text.as_bytes())
}

pub fn uri(text: &str) -> Vec<u8> {
    implicit(6, text.as_bytes())
}

pub fn directory(name: &[u8]) -> Vec<u8> {
    explicit(4, &[name])
}

pub fn other_name(text: &str) -> Vec<u8> {
    explicit(0, &[&oid("1.3.6.1.4.1.311.20.2.3"), &explicit(0, &[&utf8(text)])])
}

pub fn registered_id(dotted: &str) -> Vec<u8> {
    let mut id = oid(dotted);
    id[0] = 0x88;
    id
}

/// NameConstraints: the permitted and the excluded subtrees.
pub fn name_constraints(permitted: &[Vec<u8>], excluded: &[Vec<u8>]) -> Extension {
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
pub fn authority(identifier: Option<&[u8]>, issuer_and_serial: Option<(&[u8], &[u8])>) -> Extension {
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
