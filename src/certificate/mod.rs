//! X.509 certificates decoded into plain facts, for judging and for showing. Tolerant: a certificate too broken to
//! verify still shows what can be read of it.

use std::net::IpAddr;
use std::sync::Arc;

use sha2::Digest as _;

use crate::timestamp::Timestamp;

/// A certificate, presented or read from a file. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Certificate(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    der: Vec<u8>,
    sha256: [u8; 32],
    decoded: Result<Facts, Malformed>,
}

/// Why a certificate cannot be decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// What is wrong, in the field's words ("trailing bytes after the certificate", "serial number is empty").
    pub what: String,
    /// The byte offset in the DER, where it is known.
    pub offset: Option<usize>,
}

/// What a certificate says.
#[derive(Clone, Debug)]
pub struct Facts {
    /// 1, 2 or 3.
    pub version: u32,
    /// Serial number, as the bytes of the INTEGER.
    pub serial: Vec<u8>,
    /// Subject.
    pub subject: DistinguishedName,
    /// Issuer.
    pub issuer: DistinguishedName,
    /// First moment of validity.
    pub not_before: Timestamp,
    /// Last moment of validity.
    pub not_after: Timestamp,
    /// The key, for people: algorithm and size.
    pub key: KeyKind,
    /// SubjectPublicKeyInfo, DER.
    pub spki: Vec<u8>,
    /// The signature's algorithm.
    pub signature: SignatureKind,
    /// SAN entries in their order; `None` without the extension.
    pub sans: Option<Vec<GeneralName>>,
}

/// A distinguished name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DistinguishedName {
    /// The name's DER.
    pub der: Vec<u8>,
    /// OpenSSL's canonical form, for comparison: case, blanks and string types do not count.
    pub canonical: Vec<u8>,
    /// Attribute type (`CN`, `O`, or dotted OID) and value in order, value bytes as they stand in the certificate.
    pub attributes: Vec<(String, Vec<u8>)>,
}

/// One SAN entry.
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
    /// Anything else: its tag number and bytes.
    Other(u32, Vec<u8>),
}

/// A public key's kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// RSA with so many bits.
    Rsa(u32),
    /// An RSA key restricted to PSS, with so many bits.
    RsaPss(u32),
    /// EC on a named curve (`P-256`, `P-384`, `P-521`, else the dotted OID).
    Ec(String),
    /// Ed25519.
    Ed25519,
    /// Ed448.
    Ed448,
    /// Another algorithm, by dotted OID.
    Other(String),
}

/// A signature's algorithm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureKind {
    /// The field's name (`sha256WithRSAEncryption`, `ecdsa-with-SHA384`, `Ed25519`), else the dotted OID.
    pub name: String,
    /// AlgorithmIdentifier, DER.
    pub der: Vec<u8>,
}

impl Certificate {
    /// A certificate from its DER and what was read of it; for evidence that is made by hand.
    pub fn from_parts(der: Vec<u8>, decoded: Result<Facts, Malformed>) -> Self {
        let sha256 = sha2::Sha256::digest(&der).into();
        Self(Arc::new(Inner { der, sha256, decoded }))
    }

    /// The DER as it was received.
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// SHA-256 of the DER.
    pub fn sha256(&self) -> &[u8; 32] {
        &self.0.sha256
    }

    /// What it says, unless it cannot be decoded.
    pub fn facts(&self) -> Result<&Facts, &Malformed> {
        self.0.decoded.as_ref()
    }
}
