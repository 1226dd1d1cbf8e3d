//! X.509 certificates decoded into plain facts, for judging and for showing. Tolerant: a certificate too broken to
//! verify still shows what can be read of it.
//!
//! What counts as broken is what OpenSSL cannot read either (RFC 5280, `d2i_X509`): trailing bytes, an empty or padded
//! serial number, text that is none of its string type, and, since no path leads through such a certificate, times that
//! are not spelt `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ`. A serial number may be negative, zero or long, a version may be
//! anything, and a broken extension is a fact of its own ([`Extensions::problems`]).

mod algorithms;
mod crl;
mod der;
mod extensions;
mod kind;
mod names;
pub mod pem;
mod resources;
mod trusted;

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use crate::timestamp::Timestamp;

pub(crate) use algorithms::{EXPLICIT_CURVE, public_key};
pub use algorithms::{Hash, KeyKind, SignatureAlgorithm, SignatureKind};
pub use crl::{ALL_REASONS, Crl, CrlFacts, CrlScope, RevocationReason, RevokedEntry};
pub use extensions::{
    AuthorityKey, BasicConstraints, CrlPoint, CrlPointName, ExtensionProblem, Extensions, KeyUsage,
    NameConstraints, Subtree,
};
pub use kind::DerKind;
pub use names::{Attribute, DistinguishedName, GeneralName};
pub use resources::{AS_NUMBERS, Holding, ROUTING_DOMAINS, Resources};

/// A certificate, presented or read from a file. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Certificate(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    der: Vec<u8>,
    sha256: [u8; 32],
    server_trust: ServerTrust,
    decoded: Result<Facts, (Malformed, Readable)>,
}

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

/// What a certificate says.
#[derive(Clone, Debug)]
pub struct Facts {
    /// 1, 2 or 3, or whatever else it claims to be; negative and huge ones are `u32::MAX`.
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
    /// Whether the algorithm named within differs from the one beside the signature: such a signature is no good.
    pub algorithms_differ: bool,
    /// SAN entries in their order; `None` without the extension.
    pub sans: Option<Vec<GeneralName>>,
    /// The other extensions.
    pub extensions: Extensions,
    inner_algorithm: SignatureAlgorithm,
    key_decodes: OnceLock<bool>,
    signed: Range<usize>,
    signature_value: Vec<u8>,
}

impl Facts {
    /// Whether subject and issuer are the same name.
    pub fn is_self_issued(&self) -> bool {
        self.subject.canonical == self.issuer.canonical
    }

    /// Whether it calls itself its own issuer and nothing in it contradicts: name, key identifier, kind of signature.
    /// The signature itself is not looked at (`EXFLAG_SS` in v3_purp.c).
    pub fn is_self_signed(&self) -> bool {
        self.is_self_issued() && self.names_key_of(self) && self.key_fits(self)
    }

    /// Whether its key may have signed `subject`, going by the algorithm named within `subject`
    /// (`check_sig_alg_match` in v3_purp.c). A key that cannot be decoded has signed nothing.
    pub fn key_fits(&self, subject: &Facts) -> bool {
        subject.inner_algorithm.fits(&self.key) && self.key_decodes()
    }

    /// Whether OpenSSL can decode the public key.
    pub fn key_decodes(&self) -> bool {
        *self.key_decodes.get_or_init(|| algorithms::key_decodes(&self.spki))
    }

    /// Whether its public key is that of this SubjectPublicKeyInfo, however the point of an EC key is written.
    pub fn has_public_key(&self, spki: &[u8]) -> bool {
        let (Ok((kind, bits)), Ok((other_kind, other_bits))) = (public_key(&self.spki), public_key(spki))
        else {
            return false;
        };
        kind == other_kind && (bits == other_bits || algorithms::is_same_point(bits, other_bits))
    }

    /// Whether this certificate's authorityKeyIdentifier agrees with `issuer`, or there is none (`X509_check_akid`).
    pub fn names_key_of(&self, issuer: &Facts) -> bool {
        self.extensions.authority_key.as_ref().is_none_or(|authority| authority.agrees(issuer))
    }

    /// Whether it says that it is a CA: basicConstraints with CA:TRUE.
    pub fn is_ca(&self) -> bool {
        self.extensions.basic_constraints.is_some_and(|constraints| constraints.ca)
    }

    /// The serial number in hexadecimal, as OpenSSL writes it: upper case, a minus sign before a negative one.
    pub fn serial_hex(&self) -> String {
        serial_hex(&self.serial)
    }
}

impl AuthorityKey {
    /// Whether the identifiers given are those of `issuer` (`X509_check_akid`): a key identifier counts only if the
    /// issuer has one too.
    pub fn agrees(&self, issuer: &Facts) -> bool {
        let key = match (&self.key, &issuer.extensions.subject_key) {
            (Some(sought), Some(found)) => sought == found,
            _ => true,
        };
        key && self.serial.as_ref().is_none_or(|serial| *serial == issuer.serial)
            && self.issuer.as_ref().is_none_or(|name| name.canonical == issuer.issuer.canonical)
    }
}

/// What can be read of a certificate, whether it decodes as a whole or not: for showing, never for judging.
#[derive(Clone, Debug, Default)]
pub struct Readable {
    /// Serial number in hexadecimal.
    pub serial: Option<String>,
    /// Subject.
    pub subject: Option<DistinguishedName>,
    /// Issuer.
    pub issuer: Option<DistinguishedName>,
    /// First moment of validity.
    pub not_before: Option<Timestamp>,
    /// Last moment of validity.
    pub not_after: Option<Timestamp>,
    /// The key.
    pub key: Option<KeyKind>,
    /// The signature's algorithm.
    pub signature: Option<SignatureKind>,
    /// SAN entries.
    pub sans: Vec<GeneralName>,
    /// Whether nothing but its times keeps it from being decoded.
    all_but_times: bool,
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
        let digest = ring::digest::digest(&ring::digest::SHA256, der);
        let sha256 = digest.as_ref().try_into().unwrap_or([0; 32]);
        let mut readable = Readable::default();
        let decoded = decode(der, &mut readable).map_err(|error| (error, readable));
        Self(Arc::new(Inner { der: der.to_vec(), sha256, server_trust, decoded }))
    }

    /// The DER as it was received.
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// SHA-256 of the DER.
    pub fn sha256(&self) -> &[u8; 32] {
        &self.0.sha256
    }

    /// SHA-256 of the DER in upper-case hexadecimal, as `openssl x509 -fingerprint -sha256` has it but for the colons.
    pub fn fingerprint(&self) -> String {
        hex(&self.0.sha256).to_uppercase()
    }

    /// What people call the subject, printable ([`DistinguishedName::short`]).
    pub fn short_subject(&self) -> String {
        let subject = self.readable().subject;
        subject.map_or_else(|| "(a certificate that cannot be decoded)".to_owned(), |name| name.short())
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
            Ok(facts) => Readable {
                serial: Some(facts.serial_hex()),
                subject: Some(facts.subject.clone()),
                issuer: Some(facts.issuer.clone()),
                not_before: Some(facts.not_before),
                not_after: Some(facts.not_after),
                key: Some(facts.key.clone()),
                signature: Some(facts.signature.clone()),
                sans: facts.sans.clone().unwrap_or_default(),
                all_but_times: true,
            },
            Err((_, readable)) => readable.clone(),
        }
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

/// Decodes a certificate and leaves in `readable` what could be read of one that breaks off.
fn decode(bytes: &[u8], readable: &mut Readable) -> Result<Facts, Malformed> {
    let mut outermost = der::Reader::new(bytes);
    if let Some(beginning) = outermost.cut_off(der::SEQUENCE) {
        let mut inside = beginning.inside();
        // The body may be whole all the same.
        let body = inside.cut_off(der::SEQUENCE).map_or_else(|| inside.expect(der::SEQUENCE, "body"), Ok);
        drop(body.and_then(|body| decode_body(&body, readable).map(drop)));
    }
    let certificate = outermost.expect(der::SEQUENCE, "certificate")?;
    let mut outer = certificate.inside();
    let body = outer.expect(der::SEQUENCE, "certificate's body")?;
    let parts = decode_body(&body, readable);
    let outer_algorithm = outer.expect(der::SEQUENCE, "signature algorithm");
    let outer_signature = outer_algorithm.clone().and_then(|element| algorithms::signature(&element));
    if let Ok(signature) = &outer_signature {
        readable.signature = Some(signature.clone());
    }
    let parts = parts?;
    let value = outer.expect(der::BIT_STRING, "signature")?;
    outer.end("signature")?;
    outermost.end("certificate")?;
    let (signature_value, unused) = der::bits(&value, "signature")?;
    let Body {
        version,
        serial,
        inner_algorithm,
        inner_signature,
        subject,
        issuer,
        not_before,
        not_after,
        key,
        spki,
        extensions,
    } = parts;
    let (signature, outer_algorithm) = (outer_signature?, outer_algorithm?);
    readable.all_but_times = true;
    Ok(Facts {
        version,
        serial: serial.to_vec(),
        subject,
        issuer,
        not_before: not_before?,
        not_after: not_after?,
        key,
        spki: spki.to_vec(),
        signature,
        algorithms_differ: outer_algorithm.whole != inner_algorithm || unused != 0,
        sans: extensions.alternative_names.clone(),
        extensions,
        inner_algorithm: inner_signature,
        key_decodes: OnceLock::new(),
        signed: body.offset..body.offset + body.whole.len(),
        signature_value: signature_value.to_vec(),
    })
}

/// TBSCertificate.
struct Body<'a> {
    version: u32,
    serial: &'a [u8],
    inner_algorithm: &'a [u8],
    inner_signature: SignatureAlgorithm,
    subject: DistinguishedName,
    issuer: DistinguishedName,
    not_before: Result<Timestamp, Malformed>,
    not_after: Result<Timestamp, Malformed>,
    key: KeyKind,
    spki: &'a [u8],
    extensions: Extensions,
}

/// Decodes TBSCertificate. A field that is wrong within does not keep those behind it from being read for show.
fn decode_body<'a>(body: &der::Element<'a>, readable: &mut Readable) -> Result<Body<'a>, Malformed> {
    let mut inside = body.inside();
    let version = match inside.optional(der::context_constructed(0), "version")? {
        Some(tagged) => {
            let mut inside = tagged.inside();
            let element = inside.expect(der::INTEGER, "version")?;
            inside.end("version")?;
            der::integer(&element, "version").map(|content| {
                let number = der::small(content).and_then(|number| u32::try_from(number).ok());
                number.map_or(u32::MAX, |number| number.saturating_add(1))
            })
        }
        None => Ok(1),
    };
    let serial_element = inside.expect(der::INTEGER, "serial number")?;
    let serial = der::integer(&serial_element, "serial number");
    readable.serial = serial.as_ref().ok().map(|serial| serial_hex(serial));
    let inner_algorithm = inside.expect(der::SEQUENCE, "signature algorithm")?;
    let inner_signature = algorithms::signature(&inner_algorithm);
    let issuer = DistinguishedName::decode(&inside.expect(der::SEQUENCE, "issuer")?);
    readable.issuer = issuer.as_ref().ok().cloned();
    let mut validity = inside.expect(der::SEQUENCE, "validity")?.inside();
    let (before, after) = (validity.any("notBefore"), validity.any("notAfter"));
    let not_before = before.clone().and_then(|element| extensions::time(&element, "notBefore"));
    readable.not_before = not_before.as_ref().ok().copied();
    let not_after = after.clone().and_then(|element| extensions::time(&element, "notAfter"));
    readable.not_after = not_after.as_ref().ok().copied();
    let after_validity = validity.end("validity");
    let subject = DistinguishedName::decode(&inside.expect(der::SEQUENCE, "subject")?);
    readable.subject = subject.as_ref().ok().cloned();
    let spki = inside.expect(der::SEQUENCE, "public key")?;
    let key = algorithms::key(&spki).map(|(kind, _)| kind);
    readable.key = key.as_ref().ok().cloned();
    for (number, field) in [(1, "issuer's unique identifier"), (2, "subject's unique identifier")] {
        if let Some(identifier) = inside.optional(der::context(number), field)? {
            der::bits(&identifier, field)?;
        }
    }
    let extensions = match inside.optional(der::context_constructed(3), "extensions")? {
        Some(tagged) => {
            let mut within = tagged.inside();
            let sequence = within.expect(der::SEQUENCE, "extensions")?;
            within.end("extensions")?;
            extensions::frames(&sequence).map(|frames| Extensions::read(&frames))
        }
        None => Ok(Extensions::default()),
    };
    if let Ok(Extensions { alternative_names: Some(names), .. }) = &extensions {
        readable.sans.clone_from(names);
    }
    inside.end("certificate's body")?;
    after_validity?;
    extensions::is_time(&before?, "notBefore")?;
    extensions::is_time(&after?, "notAfter")?;
    Ok(Body {
        version: version?,
        serial: serial?,
        inner_algorithm: inner_algorithm.whole,
        inner_signature: inner_signature?.algorithm,
        subject: subject?,
        issuer: issuer?,
        not_before,
        not_after,
        key: key?,
        spki: spki.whole,
        extensions: extensions?,
    })
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The content of an INTEGER in hexadecimal as OpenSSL writes serial numbers: upper case, `-` before negative ones.
pub(crate) fn serial_hex(serial: &[u8]) -> String {
    let negative = serial.first().is_some_and(|first| first & 0x80 != 0);
    let mut magnitude = serial.to_vec();
    if negative {
        let mut carry = true;
        for byte in magnitude.iter_mut().rev() {
            (*byte, carry) = (!*byte).overflowing_add(u8::from(carry));
        }
    }
    let digits = hex(&magnitude).to_ascii_uppercase();
    let digits = match digits.strip_prefix("00") {
        Some(rest) if !rest.is_empty() => rest,
        _ => &digits,
    };
    format!("{}{digits}", if negative { "-" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_one_that_is_cut_off_the_beginning_is_shown() {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(["db.example".to_owned()]).unwrap();
        let der = params.self_signed(&key).unwrap().der().to_vec();
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
