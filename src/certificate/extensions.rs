//! The extensions that decide about a path or help to mend it (RFC 5280 section 4.2), as OpenSSL reads them
//! (`ossl_x509v3_cache_extensions` in v3_purp.c).

use super::Malformed;
use super::crl_point::{CrlPoint, crl_point};
use super::der::{self, Element, Elements};
use super::names::{DistinguishedName, GeneralName};
use super::resources::Resources;
use crate::text::hex;

/// What a certificate's extensions say. Those that are absent are `None` or empty.
#[derive(Clone, Debug, Default)]
pub struct Extensions {
    /// basicConstraints.
    pub basic_constraints: Option<BasicConstraints>,
    /// keyUsage.
    pub key_usage: Option<KeyUsage>,
    /// extendedKeyUsage: dotted OIDs.
    pub extended_key_usage: Option<Vec<String>>,
    /// Netscape's certificate type: its first byte.
    pub netscape_type: Option<u8>,
    /// authorityKeyIdentifier.
    pub authority_key: Option<AuthorityKey>,
    /// subjectKeyIdentifier.
    pub subject_key: Option<Vec<u8>>,
    /// subjectAltName.
    pub alternative_names: Option<Vec<GeneralName>>,
    /// nameConstraints.
    pub name_constraints: Option<NameConstraints>,
    /// Where the issuer's certificate can be had: the `caIssuers` URIs of authorityInfoAccess.
    pub issuer_addresses: Vec<String>,
    /// cRLDistributionPoints.
    pub crl_points: Vec<CrlPoint>,
    /// Blocks of addresses (RFC 3779).
    pub ip_resources: Option<Resources>,
    /// Numbers of autonomous systems (RFC 3779).
    pub as_resources: Option<Resources>,
    /// Whether it is a proxy certificate (RFC 3820).
    pub proxy: bool,
    /// Whether there are any extensions.
    pub any: bool,
    /// Those of the known ones that are marked critical, by name.
    pub critical: Vec<&'static str>,
    /// Critical extensions that OpenSSL does not know: dotted OIDs.
    pub unknown_critical: Vec<String>,
    /// Extensions that cannot be read or stand twice; with any of these OpenSSL refuses the certificate in a path.
    pub problems: Vec<ExtensionProblem>,
}

/// An extension that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtensionProblem {
    /// Which: its field name, or the dotted OID.
    pub extension: String,
    /// What is wrong.
    pub error: Malformed,
}

/// basicConstraints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BasicConstraints {
    /// Whether it is a CA.
    pub ca: bool,
    /// How many intermediates may follow.
    pub path_length: Option<u64>,
}

/// keyUsage, as the bits of the first two bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyUsage(u16);

impl KeyUsage {
    const BITS: [(u16, &'static str); 9] = [
        (0x8000, "digitalSignature"),
        (0x4000, "nonRepudiation"),
        (0x2000, "keyEncipherment"),
        (0x1000, "dataEncipherment"),
        (0x0800, "keyAgreement"),
        (0x0400, "keyCertSign"),
        (0x0200, "cRLSign"),
        (0x0100, "encipherOnly"),
        (0x0080, "decipherOnly"),
    ];

    /// Whether the key may sign certificates.
    pub fn signs_certificates(self) -> bool {
        self.0 & 0x0400 != 0
    }

    /// Whether the key may sign CRLs.
    pub fn signs_crls(self) -> bool {
        self.0 & 0x0200 != 0
    }

    /// Whether the key may serve in TLS: digitalSignature, keyEncipherment or keyAgreement (`KU_TLS`).
    pub fn serves_tls(self) -> bool {
        self.0 & (0x8000 | 0x2000 | 0x0800) != 0
    }

    /// Whether the key may be a client's in TLS: digitalSignature or keyAgreement (check_purpose_ssl_client).
    pub fn serves_tls_clients(self) -> bool {
        self.0 & (0x8000 | 0x0800) != 0
    }

    /// The names of the uses, in their order.
    pub fn names(self) -> Vec<&'static str> {
        Self::BITS.iter().filter(|(bit, _)| self.0 & bit != 0).map(|(_, name)| *name).collect()
    }
}

/// authorityKeyIdentifier.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct AuthorityKey {
    /// keyIdentifier.
    pub key: Option<Vec<u8>>,
    /// The first directory name of authorityCertIssuer; OpenSSL looks at no other.
    pub issuer: Option<DistinguishedName>,
    /// authorityCertSerialNumber.
    pub serial: Option<Vec<u8>>,
}

/// nameConstraints.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct NameConstraints {
    /// Permitted subtrees.
    pub permitted: Vec<Subtree>,
    /// Excluded subtrees.
    pub excluded: Vec<Subtree>,
}

/// One constraint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subtree {
    /// The base. An iPAddress is [`GeneralName::BadIp`] here, since it carries its mask.
    pub base: GeneralName,
    /// Whether minimum and maximum are at their defaults, as RFC 5280 demands.
    pub whole: bool,
}

impl std::fmt::Display for Subtree {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let GeneralName::BadIp(bytes) = &self.base else { return self.base.fmt(f) };
        let half = |part: &[u8]| match part.len() {
            4 => part.iter().map(u8::to_string).collect::<Vec<_>>().join("."),
            _ => part.chunks(2).map(hex).collect::<Vec<_>>().join(":"),
        };
        match bytes.split_at_checked(bytes.len() / 2) {
            Some((address, mask)) if matches!(bytes.len(), 8 | 32) => {
                write!(f, "IP:{}/{}", half(address), half(mask))
            }
            _ => self.base.fmt(f),
        }
    }
}

/// OpenSSL knows these even when they are critical, and nothing else (`X509_supported_extension`): not even the key
/// identifiers.
const SUPPORTED: [&[u8]; 15] = [
    &[0x60, 0x86, 0x48, 1, 0x86, 0xf8, 0x42, 1, 1],
    &[0x55, 0x1d, 15],
    &[0x55, 0x1d, 17],
    &[0x55, 0x1d, 19],
    &[0x55, 0x1d, 30],
    &[0x55, 0x1d, 31],
    &[0x55, 0x1d, 32],
    &[0x55, 0x1d, 33],
    &[0x55, 0x1d, 36],
    &[0x55, 0x1d, 37],
    &[0x55, 0x1d, 54],
    &[0x2b, 6, 1, 5, 5, 7, 1, 7],
    &[0x2b, 6, 1, 5, 5, 7, 1, 8],
    &[0x2b, 6, 1, 5, 5, 7, 1, 14],
    &[0x2b, 6, 1, 5, 5, 7, 0x30, 1, 5],
];

/// The extensions that are decoded: OID, field name, and whether OpenSSL looks at them for every certificate of a path
/// (and refuses them doubled or broken).
const KNOWN: [(&[u8], &str, bool); 13] = [
    (&[0x55, 0x1d, 19], "basicConstraints", true),
    (&[0x55, 0x1d, 15], "keyUsage", true),
    (&[0x55, 0x1d, 37], "extendedKeyUsage", true),
    (&[0x60, 0x86, 0x48, 1, 0x86, 0xf8, 0x42, 1, 1], "netscapeCertType", true),
    (&[0x55, 0x1d, 35], "authorityKeyIdentifier", true),
    (&[0x55, 0x1d, 14], "subjectKeyIdentifier", true),
    (&[0x55, 0x1d, 17], "subjectAltName", true),
    (&[0x55, 0x1d, 30], "nameConstraints", true),
    (&[0x55, 0x1d, 31], "cRLDistributionPoints", true),
    (&[0x2b, 6, 1, 5, 5, 7, 1, 14], "proxyCertInfo", true),
    (&[0x2b, 6, 1, 5, 5, 7, 1, 7], "ipAddrBlocks", true),
    (&[0x2b, 6, 1, 5, 5, 7, 1, 8], "autonomousSysIds", true),
    (&[0x2b, 6, 1, 5, 5, 7, 1, 1], "authorityInfoAccess", false),
];

/// One extension's frame.
pub(super) struct Extension<'a> {
    pub oid: &'a [u8],
    pub critical: bool,
    pub value: Element<'a>,
}

/// Takes the frames of Extensions apart. An error here makes the whole certificate or CRL unreadable.
pub(super) fn frames<'a>(extensions: &Element<'a>) -> Result<Vec<Extension<'a>>, Malformed> {
    let mut frames = Vec::new();
    let mut inside = extensions.inside();
    while !inside.is_empty() {
        let mut frame = inside.expect(der::SEQUENCE, "extension")?.inside();
        let oid = frame.object_identifier("extension type")?.content;
        let critical = match frame.optional(der::BOOLEAN, "critical")? {
            Some(element) => der::boolean(&element, "critical")?,
            None => false,
        };
        let value = frame.expect(der::OCTET_STRING, "extension value")?;
        frame.end("extension")?;
        frames.push(Extension { oid, critical, value });
    }
    Ok(frames)
}

impl Extensions {
    /// Reads a certificate's extensions; what is wrong within one is kept in `problems`.
    pub(super) fn read(frames: &[Extension<'_>]) -> Self {
        let mut facts = Self { any: !frames.is_empty(), ..Self::default() };
        for extension in frames.iter().filter(|extension| extension.critical) {
            if !SUPPORTED.contains(&extension.oid) {
                facts.unknown_critical.push(der::dotted(extension.oid));
            }
        }
        for (oid, name, decisive) in KNOWN {
            let mut found = frames.iter().filter(|extension| extension.oid == oid);
            let Some(first) = found.next() else { continue };
            let mut result = facts.take(name, &first.value);
            facts.critical.extend(first.critical.then_some(name));
            if found.next().is_some() {
                result = Err(first.value.wrong(format!("{name} stands there more than once")));
            }
            if let (Err(error), true) = (result, decisive) {
                facts.problems.push(ExtensionProblem { extension: name.to_owned(), error });
            }
        }
        facts
    }

    fn take(&mut self, name: &str, value: &Element<'_>) -> Result<(), Malformed> {
        let mut reader = value.inside();
        let sequence =
            |reader: &mut Elements<'_>| reader.expect(der::SEQUENCE, name).map(|element| element.offset);
        match name {
            "basicConstraints" => self.basic_constraints = Some(basic_constraints(&mut reader)?),
            "keyUsage" => self.key_usage = Some(key_usage(&mut reader)?),
            "extendedKeyUsage" => {
                let mut inside = reader.expect(der::SEQUENCE, name)?.inside();
                let uses = self.extended_key_usage.insert(Vec::new());
                while !inside.is_empty() {
                    uses.push(der::dotted(inside.object_identifier("purpose")?.content));
                }
            }
            "netscapeCertType" => {
                let (bits, _) = der::bits(&reader.expect(der::BIT_STRING, name)?, name)?;
                self.netscape_type = Some(bits.first().copied().unwrap_or(0));
            }
            "authorityKeyIdentifier" => self.authority_key = Some(authority_key(&mut reader)?),
            "subjectKeyIdentifier" => {
                self.subject_key = Some(reader.expect(der::OCTET_STRING, name)?.content.to_vec());
            }
            "subjectAltName" => {
                let names = GeneralName::decode_all(reader.expect(der::SEQUENCE, name)?.inside())?;
                self.alternative_names = Some(names);
            }
            "nameConstraints" => self.name_constraints = Some(name_constraints(&mut reader)?),
            "cRLDistributionPoints" => {
                let mut inside = reader.expect(der::SEQUENCE, name)?.inside();
                while !inside.is_empty() {
                    self.crl_points.push(crl_point(&mut inside.expect(der::SEQUENCE, name)?.inside())?);
                }
            }
            "authorityInfoAccess" => {
                let mut inside = reader.expect(der::SEQUENCE, name)?.inside();
                while !inside.is_empty() {
                    self.issuer_addresses.extend(issuer_address(&mut inside)?);
                }
            }
            "ipAddrBlocks" => self.ip_resources = Some(Resources::addresses(&mut reader)?),
            "autonomousSysIds" => self.as_resources = Some(Resources::systems(&mut reader)?),
            "proxyCertInfo" => {
                self.proxy = true;
                sequence(&mut reader)?;
            }
            _ => {}
        }
        Ok(())
    }
}

fn basic_constraints(reader: &mut Elements<'_>) -> Result<BasicConstraints, Malformed> {
    let mut inside = reader.expect(der::SEQUENCE, "basicConstraints")?.inside();
    let ca = match inside.optional(der::BOOLEAN, "cA")? {
        Some(element) => der::boolean(&element, "cA")?,
        None => false,
    };
    let path_length = match inside.optional(der::INTEGER, "path length")? {
        Some(element) => Some(
            der::small(der::integer(&element, "path length")?)
                .ok_or_else(|| element.wrong("path length is negative or too large"))?,
        ),
        None => None,
    };
    inside.end("basicConstraints")?;
    Ok(BasicConstraints { ca, path_length })
}

fn key_usage(reader: &mut Elements<'_>) -> Result<KeyUsage, Malformed> {
    let element = reader.expect(der::BIT_STRING, "keyUsage")?;
    let (bits, unused) = der::bits(&element, "keyUsage")?;
    let byte = |index: usize| {
        let byte = bits.get(index).copied().unwrap_or(0);
        u16::from(if index + 1 == bits.len() { byte & (0xff << unused) } else { byte })
    };
    let usage = KeyUsage(byte(0) << 8 | byte(1));
    if usage.0 == 0 { Err(element.wrong("keyUsage allows nothing")) } else { Ok(usage) }
}

pub(super) fn authority_key(reader: &mut Elements<'_>) -> Result<AuthorityKey, Malformed> {
    let mut inside = reader.expect(der::SEQUENCE, "authorityKeyIdentifier")?.inside();
    let mut authority = AuthorityKey::default();
    if let Some(key) = inside.optional(der::context(0), "key identifier")? {
        authority.key = Some(key.content.to_vec());
    }
    if let Some(issuer) = inside.optional(der::context_constructed(1), "authority's issuer")? {
        authority.issuer =
            GeneralName::decode_all(issuer.inside())?.into_iter().find_map(|name| match name {
                GeneralName::Directory(name) => Some(name),
                _ => None,
            });
    }
    if let Some(serial) = inside.optional(der::context(2), "authority's serial number")? {
        authority.serial = Some(der::integer(&serial, "authority's serial number")?.to_vec());
    }
    inside.end("authorityKeyIdentifier")?;
    Ok(authority)
}

fn name_constraints(reader: &mut Elements<'_>) -> Result<NameConstraints, Malformed> {
    let mut inside = reader.expect(der::SEQUENCE, "nameConstraints")?.inside();
    let mut constraints = NameConstraints::default();
    if let Some(permitted) = inside.optional(der::context_constructed(0), "permitted subtrees")? {
        constraints.permitted = subtrees(permitted.inside())?;
    }
    if let Some(excluded) = inside.optional(der::context_constructed(1), "excluded subtrees")? {
        constraints.excluded = subtrees(excluded.inside())?;
    }
    inside.end("nameConstraints")?;
    Ok(constraints)
}

fn subtrees(mut reader: Elements<'_>) -> Result<Vec<Subtree>, Malformed> {
    let mut subtrees = Vec::new();
    while !reader.is_empty() {
        let mut inside = reader.expect(der::SEQUENCE, "subtree")?.inside();
        let element = inside.any("subtree's base")?;
        let base = match element.tag {
            tag if tag == der::context(7) => GeneralName::BadIp(element.content.to_vec()),
            _ => GeneralName::decode(&element)?,
        };
        let minimum = inside.optional(der::context(0), "minimum")?;
        let maximum = inside.optional(der::context(1), "maximum")?;
        inside.end("subtree")?;
        let whole = maximum.is_none() && minimum.is_none_or(|minimum| der::small(minimum.content) == Some(0));
        subtrees.push(Subtree { base, whole });
    }
    Ok(subtrees)
}

/// The URI of an AccessDescription for caIssuers.
fn issuer_address(reader: &mut Elements<'_>) -> Result<Option<String>, Malformed> {
    const CA_ISSUERS: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 0x30, 2];
    let mut inside = reader.expect(der::SEQUENCE, "access description")?.inside();
    let method = inside.object_identifier("access method")?;
    let location = GeneralName::decode(&inside.any("access location")?)?;
    Ok(match location {
        GeneralName::Uri(uri) if method.content == CA_ISSUERS => {
            Some(String::from_utf8_lossy(&uri).into_owned())
        }
        _ => None,
    })
}
