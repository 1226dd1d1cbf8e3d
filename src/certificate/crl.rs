//! Certificate revocation lists (RFC 5280 section 5), decoded into what OpenSSL looks at.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::crl_point::{CrlPointName, crl_point_name, reason_bits};
use super::der::{self, Element, Elements};
use super::extensions::{AuthorityKey, authority_key, frames};
use super::names::{DistinguishedName, GeneralName};
use super::{Malformed, SignatureKind, algorithms, time};
use crate::timestamp::Timestamp;

/// A revocation list. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Crl(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    der: Vec<u8>,
    facts: CrlFacts,
    signed: Range<usize>,
    signature_value: Vec<u8>,
}

/// What a revocation list says.
#[derive(Clone, Debug)]
pub struct CrlFacts {
    /// Who issued it.
    pub issuer: DistinguishedName,
    /// When it was issued.
    pub this_update: Timestamp,
    /// When the next one is due.
    pub next_update: Option<Timestamp>,
    /// The signature's algorithm.
    pub signature: SignatureKind,
    /// Whether the algorithm named within differs from the one beside the signature.
    pub algorithms_differ: bool,
    /// Entries by serial number.
    pub revoked: HashMap<Vec<u8>, Vec<RevokedEntry>>,
    /// authorityKeyIdentifier.
    pub authority_key: Option<AuthorityKey>,
    /// issuingDistributionPoint.
    pub scope: Option<CrlScope>,
    /// Whether it is a delta list. OpenSSL takes it for a whole one unless told to combine them.
    pub delta: bool,
    /// Whether it, or an entry in it, has a critical extension that OpenSSL does not know.
    pub unknown_critical: bool,
}

/// issuingDistributionPoint: what the list covers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CrlScope {
    /// The distribution point's name.
    pub point: Option<CrlPointName>,
    /// Only certificates of users.
    pub only_users: bool,
    /// Only certificates of CAs.
    pub only_cas: bool,
    /// Only attribute certificates.
    pub only_attributes: bool,
    /// Entries may be of other issuers.
    pub indirect: bool,
    /// Only some reasons, as bits.
    pub reasons: Option<u16>,
    /// Whether the extension cannot be read or contradicts itself.
    pub invalid: bool,
}

/// One revoked certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevokedEntry {
    /// Since when, if that can be read.
    pub date: Option<Timestamp>,
    /// Why, if it says so.
    pub reason: Option<RevocationReason>,
    /// The issuer of the certificate, where it is not the list's (indirect lists).
    pub issuer: Option<Vec<GeneralName>>,
}

/// CRLReason (RFC 5280 section 5.3.1). Its `Display` is the field's name (`keyCompromise`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RevocationReason(pub u64);

impl RevocationReason {
    /// removeFromCRL: the certificate is no longer revoked.
    pub const REMOVE_FROM_CRL: Self = Self(8);
}

impl std::fmt::Display for RevocationReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.0 {
            0 => "unspecified",
            1 => "keyCompromise",
            2 => "cACompromise",
            3 => "affiliationChanged",
            4 => "superseded",
            5 => "cessationOfOperation",
            6 => "certificateHold",
            8 => "removeFromCRL",
            9 => "privilegeWithdrawn",
            10 => "aACompromise",
            other => return write!(f, "reason {other}"),
        })
    }
}

impl Crl {
    /// Decodes a list from its DER.
    ///
    /// # Errors
    /// What is wrong and at which byte, if OpenSSL could not read it either.
    pub fn decode(der: &[u8]) -> Result<Self, Malformed> {
        let mut outer = Elements::new(der).expect(der::SEQUENCE, "CRL")?.inside();
        let list = outer.expect(der::SEQUENCE, "list to be signed")?;
        let outer_algorithm = outer.expect(der::SEQUENCE, "signature algorithm")?;
        let value = outer.expect(der::BIT_STRING, "signature")?;
        outer.end("signature")?;
        let (signature_value, _) = der::bits(&value, "signature")?;

        let mut inside = list.inside();
        if let Some(version) = inside.optional(der::INTEGER, "version")? {
            der::integer(&version, "version")?;
        }
        let inner_algorithm = inside.expect(der::SEQUENCE, "signature algorithm")?;
        algorithms::signature(&inner_algorithm)?;
        let issuer = DistinguishedName::decode(&inside.expect(der::SEQUENCE, "issuer")?)?;
        let this_update = time::time(&inside.any("thisUpdate")?, "thisUpdate")?;
        let next_update = match inside.peek() {
            Some(der::UTC_TIME | der::GENERALIZED_TIME) => {
                Some(time::time(&inside.any("nextUpdate")?, "nextUpdate")?)
            }
            _ => None,
        };
        let mut facts = CrlFacts {
            issuer,
            this_update,
            next_update,
            signature: algorithms::signature(&outer_algorithm)?,
            algorithms_differ: outer_algorithm.whole != inner_algorithm.whole,
            revoked: HashMap::new(),
            authority_key: None,
            scope: None,
            delta: false,
            unknown_critical: false,
        };
        if let Some(entries) = inside.optional(der::SEQUENCE, "revoked certificates")? {
            facts.take_entries(entries.inside())?;
        }
        if let Some(tagged) = inside.optional(der::context_constructed(0), "extensions")? {
            let mut within = tagged.inside();
            facts.take_extensions(&within.expect(der::SEQUENCE, "extensions")?)?;
            within.end("extensions")?;
        }
        inside.end("list to be signed")?;
        Ok(Self(Arc::new(Inner {
            der: der.to_vec(),
            facts,
            signed: list.offset..list.offset + list.whole.len(),
            signature_value: signature_value.to_vec(),
        })))
    }

    /// The DER as it was read.
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// What it says.
    pub fn facts(&self) -> &CrlFacts {
        &self.0.facts
    }

    /// The bytes under the signature.
    pub fn signed_part(&self) -> &[u8] {
        self.0.der.get(self.0.signed.clone()).unwrap_or_default()
    }

    /// The signature itself.
    pub fn signature_value(&self) -> &[u8] {
        &self.0.signature_value
    }
}

impl CrlFacts {
    fn take_entries(&mut self, mut entries: Elements<'_>) -> Result<(), Malformed> {
        // In an indirect list an entry without an issuer has that of the entry before it (`crl_set_issuers`).
        let mut issuer = None;
        while !entries.is_empty() {
            let mut inside = entries.expect(der::SEQUENCE, "revoked certificate")?.inside();
            let serial = inside.expect(der::INTEGER, "serial number")?;
            let serial = der::integer(&serial, "serial number")?.to_vec();
            let date = inside.any("revocation date")?;
            time::is_time(&date, "revocation date")?;
            let date = time::time(&date, "revocation date").ok();
            let mut reason = None;
            if let Some(sequence) = inside.optional(der::SEQUENCE, "entry extensions")? {
                for extension in frames(&sequence)? {
                    match extension.oid {
                        [0x55, 0x1d, 21] => reason = entry_reason(&extension.value),
                        [0x55, 0x1d, 29] => issuer = entry_issuer(&extension.value).ok(),
                        _ => self.unknown_critical |= extension.critical,
                    }
                    self.unknown_critical |= extension.critical && extension.oid == [0x55, 0x1d, 21];
                }
            }
            inside.end("revoked certificate")?;
            self.revoked.entry(serial).or_default().push(RevokedEntry {
                date,
                reason,
                issuer: issuer.clone(),
            });
        }
        Ok(())
    }

    fn take_extensions(&mut self, sequence: &Element<'_>) -> Result<(), Malformed> {
        for extension in frames(sequence)? {
            match extension.oid {
                [0x55, 0x1d, 28] => {
                    let scope = scope(&mut extension.value.inside());
                    self.scope = Some(scope.unwrap_or(CrlScope { invalid: true, ..CrlScope::default() }));
                }
                [0x55, 0x1d, 35] => {
                    self.authority_key = authority_key(&mut extension.value.inside()).ok();
                }
                [0x55, 0x1d, 27] => self.delta = true,
                _ => self.unknown_critical |= extension.critical,
            }
        }
        Ok(())
    }
}

fn entry_reason(value: &Element<'_>) -> Option<RevocationReason> {
    let reason = value.inside().expect(der::ENUMERATED, "reason").ok()?;
    der::small(reason.content).map(RevocationReason)
}

fn entry_issuer(value: &Element<'_>) -> Result<Vec<GeneralName>, Malformed> {
    GeneralName::decode_all(value.inside().expect(der::SEQUENCE, "certificate issuer")?.inside())
}

/// IssuingDistributionPoint, judged as `setup_idp` in x_crl.c does.
fn scope(reader: &mut Elements<'_>) -> Result<CrlScope, Malformed> {
    let mut inside = reader.expect(der::SEQUENCE, "issuingDistributionPoint")?.inside();
    let mut scope = CrlScope::default();
    if let Some(point) = inside.optional(der::context_constructed(0), "distribution point")? {
        scope.point = Some(crl_point_name(&point)?);
    }
    let flag = |inside: &mut Elements<'_>, number| match inside.optional(der::context(number), "flag") {
        Ok(Some(element)) => der::boolean(&element, "flag"),
        Ok(None) => Ok(false),
        Err(error) => Err(error),
    };
    scope.only_users = flag(&mut inside, 1)?;
    scope.only_cas = flag(&mut inside, 2)?;
    if let Some(reasons) = inside.optional(der::context(3), "reasons")? {
        scope.reasons = Some(reason_bits(&reasons)?);
    }
    scope.indirect = flag(&mut inside, 4)?;
    scope.only_attributes = flag(&mut inside, 5)?;
    inside.end("issuingDistributionPoint")?;
    let exclusive = [scope.only_users, scope.only_cas, scope.only_attributes];
    scope.invalid = exclusive.iter().filter(|set| **set).count() > 1;
    Ok(scope)
}
