//! What a DER file is, told from the first elements in it.

use super::Certificate;
use super::der::{self, Elements};

/// Kinds of DER that people keep in files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DerKind {
    /// A certificate (RFC 5280).
    Certificate,
    /// A certificate signing request (RFC 2986).
    Request,
    /// PKCS#7 or CMS SignedData (RFC 2315, RFC 5652), which carries certificates.
    SignedData,
    /// PKCS#12 (RFC 7292).
    Pkcs12,
    /// A private key: PKCS#8 (RFC 5208), PKCS#1 (RFC 8017) or SEC 1 (RFC 5915).
    PrivateKey,
}

const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2];

impl DerKind {
    /// Tells the kind; `None` where it is none of them.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        if Certificate::from_der(bytes).decodes_but_for_times() {
            return Some(Self::Certificate);
        }
        let mut inside = Elements::new(bytes).expect(der::SEQUENCE, "file").ok()?.inside();
        let first = inside.any("first element").ok()?;
        match (first.tag, first.content) {
            (der::OBJECT_IDENTIFIER, SIGNED_DATA) => Some(Self::SignedData),
            (der::SEQUENCE, _) => is_request_info(first.inside()).then_some(Self::Request),
            (der::INTEGER, [3]) => Some(Self::Pkcs12),
            (der::INTEGER, [0]) => Some(Self::PrivateKey),
            (der::INTEGER, [1]) if inside.peek() == Some(der::OCTET_STRING) => Some(Self::PrivateKey),
            // OneAsymmetricKey (RFC 5958).
            (der::INTEGER, [1]) if inside.peek() == Some(der::SEQUENCE) => Some(Self::PrivateKey),
            _ => None,
        }
    }
}

/// CertificationRequestInfo: version 0, a name, a public key.
fn is_request_info(mut inside: Elements<'_>) -> bool {
    inside.expect(der::INTEGER, "version").is_ok_and(|version| version.content == [0])
        && inside.expect(der::SEQUENCE, "subject").is_ok()
        && inside.expect(der::SEQUENCE, "public key").is_ok()
}
