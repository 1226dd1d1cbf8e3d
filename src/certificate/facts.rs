//! What a certificate says, and how that is read from its DER (RFC 5280 section 4.1).

use std::ops::Range;
use std::sync::OnceLock;

use super::algorithms::{self, KeyKind, SignatureAlgorithm, SignatureKind, public_key};
use super::der;
use super::extensions::{self, AuthorityKey, Extensions};
use super::names::{DistinguishedName, GeneralName};
use super::{Malformed, time};
use crate::text::hex;
use crate::timestamp::Timestamp;

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
    pub(super) signed: Range<usize>,
    pub(super) signature_value: Vec<u8>,
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
    pub fn key_fits(&self, subject: &Self) -> bool {
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

    /// Whether this certificate's key is of the kind of another one (RSA, on a curve, …), which may be of another size or
    /// on another curve.
    pub fn has_key_of_kind(&self, spki: &[u8]) -> bool {
        let both = public_key(&self.spki).ok().zip(public_key(spki).ok());
        both.is_some_and(|((kind, _), (other, _))| {
            std::mem::discriminant(&kind) == std::mem::discriminant(&other)
        })
    }

    /// Whether this certificate's authorityKeyIdentifier agrees with `issuer`, or there is none (`X509_check_akid`).
    pub fn names_key_of(&self, issuer: &Self) -> bool {
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

    /// The same for showing.
    pub(super) fn readable(&self) -> Readable {
        Readable {
            serial: Some(self.serial_hex()),
            subject: Some(self.subject.clone()),
            issuer: Some(self.issuer.clone()),
            not_before: Some(self.not_before),
            not_after: Some(self.not_after),
            key: Some(self.key.clone()),
            signature: Some(self.signature.clone()),
            sans: self.sans.clone().unwrap_or_default(),
            all_but_times: true,
        }
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
    pub(super) all_but_times: bool,
}

/// Decodes a certificate; of one that breaks off, with what could be read of it.
pub(super) fn decode(bytes: &[u8]) -> Result<Facts, (Malformed, Box<Readable>)> {
    facts(bytes, None).map_err(|error| {
        let mut readable = Readable::default();
        // The same error again.
        let _ = facts(bytes, Some(&mut readable));
        (error, Box::new(readable))
    })
}

fn facts(bytes: &[u8], mut readable: Option<&mut Readable>) -> Result<Facts, Malformed> {
    let mut outermost = der::Elements::new(bytes);
    if let Some(beginning) = outermost.cut_off(der::SEQUENCE) {
        let mut inside = beginning.inside();
        // The body may be whole all the same.
        let body = inside.cut_off(der::SEQUENCE).map_or_else(|| inside.expect(der::SEQUENCE, "body"), Ok);
        drop(body.and_then(|body| decode_body(&body, readable.as_deref_mut()).map(drop)));
    }
    let certificate = outermost.expect(der::SEQUENCE, "certificate")?;
    let mut outer = certificate.inside();
    let body = outer.expect(der::SEQUENCE, "certificate's body")?;
    let parts = decode_body(&body, readable.as_deref_mut());
    let outer_algorithm = outer.expect(der::SEQUENCE, "signature algorithm");
    let outer_signature = outer_algorithm.clone().and_then(|element| algorithms::signature(&element));
    if let (Some(readable), Ok(signature)) = (&mut readable, &outer_signature) {
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
    if let Some(readable) = readable {
        readable.all_but_times = true;
    }
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
fn decode_body<'a>(
    body: &der::Element<'a>,
    mut readable: Option<&mut Readable>,
) -> Result<Body<'a>, Malformed> {
    let mut keep = |part: &dyn Fn(&mut Readable)| readable.as_deref_mut().map(part).unwrap_or_default();
    let mut inside = body.inside();
    let version = version(&mut inside)?;
    let serial_element = inside.expect(der::INTEGER, "serial number")?;
    let serial = der::integer(&serial_element, "serial number");
    keep(&|readable| readable.serial = serial.as_ref().ok().map(|serial| serial_hex(serial)));
    let inner_algorithm = inside.expect(der::SEQUENCE, "signature algorithm")?;
    let inner_signature = algorithms::signature(&inner_algorithm);
    let issuer = DistinguishedName::decode(&inside.expect(der::SEQUENCE, "issuer")?);
    keep(&|readable| readable.issuer = issuer.as_ref().ok().cloned());
    let validity = Validity::decode(&inside.expect(der::SEQUENCE, "validity")?);
    keep(&|readable| {
        readable.not_before = validity.not_before.as_ref().ok().copied();
        readable.not_after = validity.not_after.as_ref().ok().copied();
    });
    let subject = DistinguishedName::decode(&inside.expect(der::SEQUENCE, "subject")?);
    keep(&|readable| readable.subject = subject.as_ref().ok().cloned());
    let spki = inside.expect(der::SEQUENCE, "public key")?;
    let key = algorithms::key(&spki).map(|(kind, _)| kind);
    keep(&|readable| readable.key = key.as_ref().ok().cloned());
    for (number, field) in [(1, "issuer's unique identifier"), (2, "subject's unique identifier")] {
        if let Some(identifier) = inside.optional(der::context(number), field)? {
            der::bits(&identifier, field)?;
        }
    }
    let extensions = extensions(&mut inside)?;
    if let Ok(Extensions { alternative_names: Some(names), .. }) = &extensions {
        keep(&|readable| readable.sans.clone_from(names));
    }
    inside.end("certificate's body")?;
    validity.shape?;
    Ok(Body {
        version: version?,
        serial: serial?,
        inner_algorithm: inner_algorithm.whole,
        inner_signature: inner_signature?.algorithm,
        subject: subject?,
        issuer: issuer?,
        not_before: validity.not_before,
        not_after: validity.not_after,
        key: key?,
        spki: spki.whole,
        extensions: extensions?,
    })
}

/// The version as it is called, one more than its number. An element of another form ends the reading, a number that is
/// no good does not.
fn version(inside: &mut der::Elements<'_>) -> Result<Result<u32, Malformed>, Malformed> {
    let Some(tagged) = inside.optional(der::context_constructed(0), "version")? else { return Ok(Ok(1)) };
    let mut inside = tagged.inside();
    let element = inside.expect(der::INTEGER, "version")?;
    inside.end("version")?;
    Ok(der::integer(&element, "version").map(|content| {
        let number = der::small(content).and_then(|number| u32::try_from(number).ok());
        number.map_or(u32::MAX, |number| number.saturating_add(1))
    }))
}

/// Validity: OpenSSL reads a certificate with any two times in it, and refuses a path with times that it cannot read.
struct Validity {
    not_before: Result<Timestamp, Malformed>,
    not_after: Result<Timestamp, Malformed>,
    /// Whether these are two times, whatever they say.
    shape: Result<(), Malformed>,
}

impl Validity {
    fn decode(element: &der::Element<'_>) -> Self {
        let mut inside = element.inside();
        let (before, after) = (inside.any("notBefore"), inside.any("notAfter"));
        let end = inside.end("validity");
        let shape = |before: Result<der::Element<'_>, Malformed>,
                     after: Result<der::Element<'_>, Malformed>| {
            end?;
            time::is_time(&before?, "notBefore")?;
            time::is_time(&after?, "notAfter")
        };
        Self {
            not_before: before.clone().and_then(|element| time::time(&element, "notBefore")),
            not_after: after.clone().and_then(|element| time::time(&element, "notAfter")),
            shape: shape(before, after),
        }
    }
}

/// The extensions. An element of another form ends the reading, frames that are no good do not.
fn extensions(inside: &mut der::Elements<'_>) -> Result<Result<Extensions, Malformed>, Malformed> {
    let Some(tagged) = inside.optional(der::context_constructed(3), "extensions")? else {
        return Ok(Ok(Extensions::default()));
    };
    let mut within = tagged.inside();
    let sequence = within.expect(der::SEQUENCE, "extensions")?;
    within.end("extensions")?;
    Ok(extensions::frames(&sequence).map(|frames| Extensions::read(&frames)))
}

/// The content of an INTEGER in hexadecimal as OpenSSL writes serial numbers: upper case, `-` before negative ones.
fn serial_hex(serial: &[u8]) -> String {
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
