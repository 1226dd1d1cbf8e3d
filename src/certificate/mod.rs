//! X.509 certificates decoded into plain facts, for judging and for showing. Tolerant: a certificate too broken to
//! verify still shows what can be read of it.
//!
//! What counts as broken is what OpenSSL cannot read either (RFC 5280, `d2i_X509`): trailing bytes, an empty or padded
//! serial number, text that is none of its string type, and, since no path leads through such a certificate, times that
//! are not spelt `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ`. A serial number may be negative, zero or long, a version may be
//! anything, and a broken extension is a fact of its own ([`Extensions::problems`]).

mod algorithms;
mod altered;
mod crl;
mod crl_point;
mod der;
pub mod encode;
mod extensions;
mod facts;
mod kind;
mod names;
pub mod pem;
mod resources;
mod time;
mod trusted;

use std::sync::{Arc, OnceLock};

use crate::text::hex;
use crate::timestamp::Timestamp;

pub(crate) use algorithms::{EXPLICIT_CURVE, bit_length, pss_restriction, public_key, rsa_public_key};
pub use algorithms::{Hash, KeyKind, SecurityLevel, SignatureAlgorithm, SignatureKind};
pub use altered::{Alteration, Altered, altered};
pub use crl::{Crl, CrlFacts, CrlScope, RevocationReason, RevokedEntry};
pub use crl_point::{ALL_REASONS, CrlPoint, CrlPointName};
pub use der::Malformed;
pub(crate) use der::first_length;
pub use extensions::{
    AuthorityKey, BasicConstraints, ExtensionProblem, Extensions, KeyUsage, NameConstraints, Subtree,
};
pub use facts::{Facts, Readable};
pub use kind::DerKind;
pub use names::{Attribute, DistinguishedName, GeneralName};
pub use resources::{AS_NUMBERS, Holding, ROUTING_DOMAINS, Resources};

/// A certificate, presented or read from a file. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Certificate(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    der: Vec<u8>,
    sha256: OnceLock<[u8; 32]>,
    server_trust: ServerTrust,
    decoded: Result<Facts, (Malformed, Box<Readable>)>,
    /// The key by which its signature was found good, as the SubjectPublicKeyInfo.
    signer: OnceLock<Vec<u8>>,
}

/// What a file says of a certificate in it, beside the certificate itself: OpenSSL's `TRUSTED CERTIFICATE`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ServerTrust {
    /// Nothing about TLS servers: a self-signed certificate is trusted.
    #[default]
    Unsaid,
    /// Trusted for TLS servers: a path may end in it, self-signed or not.
    Trusted,
    /// Not trusted for TLS servers: excluded, or trusted for other purposes only.
    Rejected,
}

impl Certificate {
    /// Decodes a certificate; one that cannot be decoded keeps its bytes and says why.
    pub fn from_der(der: &[u8]) -> Self {
        Self::with_trust(der, ServerTrust::default())
    }

    /// Decodes what a `TRUSTED CERTIFICATE` block holds: a certificate and, behind it, OpenSSL's trust settings
    /// (`d2i_X509_AUX`).
    ///
    /// # Errors
    /// The settings cannot be decoded.
    pub fn from_trusted_der(bytes: &[u8]) -> Result<Self, Malformed> {
        let (der, rest) = bytes.split_at(der::first_length(bytes));
        let server_trust = if rest.is_empty() { ServerTrust::Unsaid } else { trusted::server_trust(rest)? };
        Ok(Self::with_trust(der, server_trust))
    }

    /// Decodes the certificate that `bytes` begin with; what follows it does not count (`d2i_X509`).
    pub fn from_der_prefix(bytes: &[u8]) -> Self {
        Self::from_der(bytes.split_at(der::first_length(bytes)).0)
    }

    fn with_trust(der: &[u8], server_trust: ServerTrust) -> Self {
        let decoded = facts::decode(der);
        let (sha256, signer) = (OnceLock::new(), OnceLock::new());
        Self(Arc::new(Inner { der: der.to_vec(), sha256, server_trust, decoded, signer }))
    }

    /// The DER as it was received.
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// SHA-256 of the DER.
    pub fn sha256(&self) -> &[u8; 32] {
        self.0.sha256.get_or_init(|| {
            let digest = ring::digest::digest(&ring::digest::SHA256, &self.0.der);
            digest.as_ref().try_into().unwrap_or([0; 32])
        })
    }

    /// SHA-256 of the DER in upper-case hexadecimal, as `openssl x509 -fingerprint -sha256` has it but for the colons.
    pub fn fingerprint(&self) -> String {
        hex(self.sha256()).to_uppercase()
    }

    /// What people call the subject, printable ([`DistinguishedName::short`]).
    pub fn short_subject(&self) -> String {
        let subject = match &self.0.decoded {
            Ok(facts) => Some(&facts.subject),
            Err((_, readable)) => readable.subject.as_ref(),
        };
        subject.map_or_else(|| "(a certificate that cannot be decoded)".to_owned(), |name| name.short())
    }

    /// The issuer, as far as it can be read.
    pub fn issuer(&self) -> Option<&DistinguishedName> {
        match &self.0.decoded {
            Ok(facts) => Some(&facts.issuer),
            Err((_, readable)) => readable.issuer.as_ref(),
        }
    }

    /// Its end, as far as it can be read.
    pub fn not_after(&self) -> Option<Timestamp> {
        match &self.0.decoded {
            Ok(facts) => Some(facts.not_after),
            Err((_, readable)) => readable.not_after,
        }
    }

    /// Whether it names itself as its issuer; one that cannot be decoded does not.
    pub fn is_self_issued(&self) -> bool {
        self.facts().is_ok_and(Facts::is_self_issued)
    }

    /// What it says, unless it cannot be decoded.
    ///
    /// # Errors
    /// Why it cannot be decoded.
    pub fn facts(&self) -> Result<&Facts, &Malformed> {
        self.0.decoded.as_ref().map_err(|(error, _)| error)
    }

    /// Whether OpenSSL decodes it: it does even where the times are not what they should be; only a path through such a
    /// certificate fails.
    pub fn decodes_but_for_times(&self) -> bool {
        self.0.decoded.as_ref().map_or_else(|(_, readable)| readable.all_but_times, |_| true)
    }

    /// What the file it was read from says of it.
    pub fn server_trust(&self) -> ServerTrust {
        self.0.server_trust
    }

    /// What can be read of it, decoded as a whole or not: for showing.
    pub fn readable(&self) -> Readable {
        match &self.0.decoded {
            Ok(facts) => facts.readable(),
            Err((_, readable)) => (**readable).clone(),
        }
    }

    /// Notes that its signature was verified with this one's key, for whoever comes upon the two again.
    pub fn note_issuer(&self, issuer: &Self) {
        if let Ok(facts) = issuer.facts() {
            let _ = self.0.signer.set(facts.spki.clone());
        }
    }

    /// Whether its signature is known to be good by this one's key.
    pub fn is_known_issuer(&self, issuer: &Self) -> bool {
        let key = issuer.facts().ok().map(|facts| &facts.spki);
        key.is_some() && self.0.signer.get() == key
    }

    /// The bytes under the signature; empty if it cannot be decoded.
    pub fn signed_part(&self) -> &[u8] {
        let range = self.facts().map(|facts| facts.signed.clone()).unwrap_or_default();
        self.0.der.get(range).unwrap_or_default()
    }

    /// The signature itself; empty if it cannot be decoded.
    pub fn signature_value(&self) -> &[u8] {
        self.facts().map(|facts| facts.signature_value.as_slice()).unwrap_or_default()
    }
}

/// The same certificate is the same bytes.
impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.der == other.0.der
    }
}

impl Eq for Certificate {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Authority, params};

    #[test]
    fn of_one_that_is_cut_off_the_beginning_is_shown() {
        let own = Authority::root_with(params("db.example", false));
        let der = own.certificate.der().to_vec();
        let whole = Certificate::from_der(&der).readable();
        let mut shown = 0;
        for length in 0..der.len() {
            let certificate = Certificate::from_der(&der[..length]);
            assert!(certificate.facts().is_err() && !certificate.decodes_but_for_times());
            let readable = certificate.readable();
            let fields = [
                readable.serial.is_some(),
                readable.issuer.is_some(),
                readable.not_after.is_some(),
                readable.subject.is_some(),
                readable.key.is_some(),
                !readable.sans.is_empty(),
            ];
            let now = fields.iter().filter(|field| **field).count();
            assert!(now >= shown && fields.is_sorted_by(|a, b| a >= b), "{length}: {fields:?}");
            shown = now;
        }
        assert_eq!(shown, 6);
        // All but the last byte: it breaks off in the signature.
        let readable = Certificate::from_der(&der[..der.len() - 1]).readable();
        assert_eq!((readable.subject, readable.sans), (whole.subject, whole.sans));
    }
}
