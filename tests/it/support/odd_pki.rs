//! Certificates and CRLs of every kind, made at run time: well-formed, odd and broken ones alike.
//!
//! A [`Draft`] is a certificate with all its fields open; signing turns it into an [`Issued`] one. Nothing is checked:
//! what a draft says is what is signed.

use super::der::{
    bits, boolean, element, explicit, generalized_time, implicit, integer, named_bits, null, octets, oid,
    pem, sequence, sequence_of, set, utc_time, utf8,
};
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, Private};
use openssl::rsa::{Padding, Rsa};
use openssl::sign::{RsaPssSaltlen, Signer};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use time::{Duration, OffsetDateTime};

/// A kind of key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Rsa(u32),
    /// An RSA key whose algorithm is id-RSASSA-PSS (RFC 4055), without restrictions.
    RsaPss(u32),
    P256,
    P384,
    P521,
    Secp256k1,
    Ed25519,
    Ed448,
}

/// A private key with its kind.
#[derive(Clone)]
pub struct Key {
    pub kind: Kind,
    pub private: PKey<Private>,
}

impl Key {
    /// The key of this kind and label: the same one for the whole process, since making RSA keys is slow.
    pub fn labelled(kind: Kind, label: &str) -> Key {
        type Cell = Arc<OnceLock<Key>>;
        static KEYS: OnceLock<Mutex<HashMap<(Kind, String), Cell>>> = OnceLock::new();
        let cell: Cell = {
            let mut keys = KEYS.get_or_init(Mutex::default).lock().unwrap();
            Arc::clone(keys.entry((kind, label.to_owned())).or_default())
        };
        cell.get_or_init(|| Key::generate(kind)).clone()
    }

    fn generate(kind: Kind) -> Key {
        let curve = |nid| {
            let group = EcGroup::from_curve_name(nid).unwrap();
            PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
        };
        let private = match kind {
            Kind::Rsa(size) => PKey::from_rsa(Rsa::generate(size).unwrap()).unwrap(),
            Kind::RsaPss(size) => {
                let rsa = Rsa::generate(size).unwrap().private_key_to_der().unwrap();
                let algorithm = sequence(&[&oid("1.2.840.113549.1.1.10")]);
                PKey::private_key_from_der(&sequence(&[&integer(&[0]), &algorithm, &octets(&rsa)])).unwrap()
            }
            Kind::P256 => curve(Nid::X9_62_PRIME256V1),
            Kind::P384 => curve(Nid::SECP384R1),
            Kind::P521 => curve(Nid::SECP521R1),
            Kind::Secp256k1 => curve(Nid::SECP256K1),
            Kind::Ed25519 => PKey::generate_ed25519().unwrap(),
            Kind::Ed448 => PKey::generate_ed448().unwrap(),
        };
        Key { kind, private }
    }

    /// SubjectPublicKeyInfo.
    pub fn public(&self) -> Vec<u8> {
        self.private.public_key_to_der().unwrap()
    }
}

/// A hash to sign with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    Md5,
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

/// How an issuer signs. With an Ed25519 or Ed448 key the hash is passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// PKCS#1 v1.5 or ECDSA, whichever the key is for.
    Usual(Hash),
    /// RSASSA-PSS with a salt as long as the hash.
    Pss(Hash),
}

impl Hash {
    fn digest(self) -> MessageDigest {
        match self {
            Hash::Md5 => MessageDigest::md5(),
            Hash::Sha1 => MessageDigest::sha1(),
            Hash::Sha224 => MessageDigest::sha224(),
            Hash::Sha256 => MessageDigest::sha256(),
            Hash::Sha384 => MessageDigest::sha384(),
            Hash::Sha512 => MessageDigest::sha512(),
        }
    }

    fn oid(self) -> Vec<u8> {
        oid(match self {
            Hash::Md5 => "1.2.840.113549.2.5",
            Hash::Sha1 => "1.3.14.3.2.26",
            Hash::Sha224 => "2.16.840.1.101.3.4.2.4",
            Hash::Sha256 => "2.16.840.1.101.3.4.2.1",
            Hash::Sha384 => "2.16.840.1.101.3.4.2.2",
            Hash::Sha512 => "2.16.840.1.101.3.4.2.3",
        })
    }
}

/// The AlgorithmIdentifier of a signature by this kind of key.
pub fn signature_algorithm(kind: Kind, scheme: Scheme) -> Vec<u8> {
    match (kind, scheme) {
        (Kind::Ed25519, _) => sequence(&[&oid("1.3.101.112")]),
        (Kind::Ed448, _) => sequence(&[&oid("1.3.101.113")]),
        (Kind::Rsa(_), Scheme::Usual(hash)) => {
            let last = match hash {
                Hash::Md5 => 4,
                Hash::Sha1 => 5,
                Hash::Sha224 => 14,
                Hash::Sha256 => 11,
                Hash::Sha384 => 12,
                Hash::Sha512 => 13,
            };
            sequence(&[&oid(&format!("1.2.840.113549.1.1.{last}")), &null()])
        }
        (Kind::Rsa(_) | Kind::RsaPss(_), Scheme::Pss(hash) | Scheme::Usual(hash)) => {
            let digest = sequence(&[&hash.oid(), &null()]);
            let mask = sequence(&[&oid("1.2.840.113549.1.1.8"), &digest]);
            let salt = integer(&[hash.digest().size() as u8]);
            let parameters =
                sequence(&[&explicit(0, &[&digest]), &explicit(1, &[&mask]), &explicit(2, &[&salt])]);
            sequence(&[&oid("1.2.840.113549.1.1.10"), &parameters])
        }
        (_, Scheme::Usual(hash) | Scheme::Pss(hash)) => sequence(&[&oid(match hash {
            Hash::Md5 => panic!("ECDSA with MD5 has no identifier"),
            Hash::Sha1 => "1.2.840.10045.4.1",
            Hash::Sha224 => "1.2.840.10045.4.3.1",
            Hash::Sha256 => "1.2.840.10045.4.3.2",
            Hash::Sha384 => "1.2.840.10045.4.3.3",
            Hash::Sha512 => "1.2.840.10045.4.3.4",
        })]),
    }
}

fn signature(key: &Key, scheme: Scheme, message: &[u8]) -> Vec<u8> {
    if matches!(key.kind, Kind::Ed25519 | Kind::Ed448) {
        return Signer::new_without_digest(&key.private).unwrap().sign_oneshot_to_vec(message).unwrap();
    }
    let (hash, pss) = match scheme {
        Scheme::Usual(hash) => (hash, key.private.id() == Id::RSA_PSS),
        Scheme::Pss(hash) => (hash, true),
    };
    let mut signer = Signer::new(hash.digest(), &key.private).unwrap();
    if pss {
        signer.set_rsa_padding(Padding::PKCS1_PSS).unwrap();
        signer.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH).unwrap();
        signer.set_rsa_mgf1_md(hash.digest()).unwrap();
    }
    signer.sign_oneshot_to_vec(message).unwrap()
}

/// SEQUENCE { to be signed, algorithm, signature }.
fn seal(body: &[u8], algorithm: &[u8], key: &Key, scheme: Scheme, spoiled: bool) -> Vec<u8> {
    let mut value = signature(key, scheme, body);
    if spoiled {
        let last = value.len() - 1;
        value[last] ^= 1;
    }
    sequence(&[body, algorithm, &bits(&value)])
}

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

    fn der(&self) -> Vec<u8> {
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

/// A certificate before it is signed.
#[derive(Clone)]
pub struct Draft {
    pub key: Key,
    /// 1, 2 or 3.
    pub version: u8,
    /// The content bytes of the serial number.
    pub serial: Vec<u8>,
    pub subject: Vec<u8>,
    /// Name of the issuer; `None`: the issuer's subject.
    pub issuer: Option<Vec<u8>>,
    pub not_before: Vec<u8>,
    pub not_after: Vec<u8>,
    pub extensions: Vec<Extension>,
    /// Whether the subject and authority key identifiers are added when it is signed.
    pub identified: bool,
    /// Encoded issuerUniqueID and subjectUniqueID.
    pub unique_identifiers: Vec<u8>,
    pub scheme: Scheme,
    /// The algorithm inside the signed part, when it is to differ from the one outside.
    pub inner_algorithm: Option<Vec<u8>>,
    pub spoiled: bool,
}

fn next_serial() -> Vec<u8> {
    static NEXT: AtomicU64 = AtomicU64::new(0x1000_0000_0000);
    let bytes = NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    bytes[2..].to_vec()
}

impl Draft {
    /// Version 3, no extension but the key identifiers, a P-256 key of the subject's own, valid for a year.
    pub fn bare(subject: &str) -> Draft {
        Draft {
            key: Key::labelled(Kind::P256, subject),
            version: 3,
            serial: next_serial(),
            subject: common_name(subject),
            issuer: None,
            not_before: days(-2),
            not_after: days(365),
            extensions: Vec::new(),
            identified: true,
            unique_identifiers: Vec::new(),
            scheme: Scheme::Usual(Hash::Sha256),
            inner_algorithm: None,
            spoiled: false,
        }
    }

    /// A CA as RFC 5280 describes it.
    pub fn authority(subject: &str) -> Draft {
        Draft::bare(subject).with(basic_constraints(true, None)).with(key_usage(&[KEY_CERT_SIGN, CRL_SIGN]))
    }

    /// A server's certificate as public CAs make it.
    pub fn server(host: &str) -> Draft {
        Draft::bare(host)
            .with(basic_constraints(false, None))
            .with(key_usage(&[DIGITAL_SIGNATURE, KEY_ENCIPHERMENT]))
            .with(extended_key_usage(&[SERVER_AUTH]))
            .with(alt_names([dns(host)]))
    }

    /// With this extension, in the place of one of the same kind.
    pub fn with(self, extension: Extension) -> Draft {
        self.without(extension.oid).also(extension)
    }

    /// With this extension, beside one of the same kind.
    pub fn also(mut self, extension: Extension) -> Draft {
        self.extensions.push(extension);
        self
    }

    pub fn without(mut self, oid: &str) -> Draft {
        self.extensions.retain(|extension| extension.oid != oid);
        self
    }

    pub fn without_extensions(mut self) -> Draft {
        self.extensions.clear();
        self.unidentified()
    }

    /// Version 1 or 2, and so without extensions.
    pub fn version(mut self, version: u8) -> Draft {
        self.version = version;
        self.without_extensions()
    }

    /// Without key identifiers.
    pub fn unidentified(mut self) -> Draft {
        self.identified = false;
        self
    }

    pub fn keyed(mut self, kind: Kind) -> Draft {
        self.key = Key::labelled(kind, "");
        self
    }

    pub fn key(mut self, key: Key) -> Draft {
        self.key = key;
        self
    }

    pub fn subject(mut self, subject: Vec<u8>) -> Draft {
        self.subject = subject;
        self
    }

    pub fn issuer(mut self, issuer: Vec<u8>) -> Draft {
        self.issuer = Some(issuer);
        self
    }

    pub fn serial(mut self, content: &[u8]) -> Draft {
        self.serial = content.to_vec();
        self
    }

    pub fn valid(mut self, not_before: Vec<u8>, not_after: Vec<u8>) -> Draft {
        (self.not_before, self.not_after) = (not_before, not_after);
        self
    }

    pub fn expired(self) -> Draft {
        self.valid(days(-30), days(-1))
    }

    pub fn future(self) -> Draft {
        self.valid(days(1), days(30))
    }

    /// Its SANs, in place of those it has.
    pub fn names<T: AsRef<[u8]>>(self, names: impl IntoIterator<Item = T>) -> Draft {
        self.with(alt_names(names))
    }

    pub fn scheme(mut self, scheme: Scheme) -> Draft {
        self.scheme = scheme;
        self
    }

    pub fn inner_algorithm(mut self, algorithm: Vec<u8>) -> Draft {
        self.inner_algorithm = Some(algorithm);
        self
    }

    pub fn spoiled(mut self) -> Draft {
        self.spoiled = true;
        self
    }

    pub fn unique_identifiers(mut self) -> Draft {
        self.unique_identifiers = [implicit(1, &[0, 1, 2]), implicit(2, &[0, 3, 4])].concat();
        self
    }

    pub fn self_signed(self) -> Issued {
        let (key, subject) = (self.key.clone(), self.subject.clone());
        let identifier = identifier(&key);
        self.sign(&key, &subject, &identifier)
    }

    pub fn signed_by(self, issuer: &Issued) -> Issued {
        self.sign(&issuer.key, &issuer.subject, &issuer.identifier)
    }

    fn sign(mut self, issuer: &Key, issuer_subject: &[u8], issuer_identifier: &[u8]) -> Issued {
        let own_identifier = self
            .extensions
            .iter()
            .find(|extension| extension.oid == SUBJECT_KEY_IDENTIFIER)
            .map_or_else(|| identifier(&self.key), |extension| extension.value[2..].to_vec());
        if self.identified {
            let has = |draft: &Draft, oid| draft.extensions.iter().any(|extension| extension.oid == oid);
            if !has(&self, AUTHORITY_KEY_IDENTIFIER) {
                self.extensions.push(authority(Some(issuer_identifier), None));
            }
            if !has(&self, SUBJECT_KEY_IDENTIFIER) {
                self.extensions.push(Extension::new(SUBJECT_KEY_IDENTIFIER, octets(&own_identifier)));
            }
        }
        let issuer_name = self.issuer.clone().unwrap_or_else(|| issuer_subject.to_vec());
        let algorithm = signature_algorithm(issuer.kind, self.scheme);
        let version =
            if self.version == 1 { Vec::new() } else { explicit(0, &[&integer(&[self.version - 1])]) };
        let extensions = if self.extensions.is_empty() {
            Vec::new()
        } else {
            explicit(3, &[&sequence_of(self.extensions.iter().map(Extension::der))])
        };
        let body = sequence(&[
            &version,
            &integer(&self.serial),
            self.inner_algorithm.as_ref().unwrap_or(&algorithm),
            &issuer_name,
            &sequence(&[&self.not_before, &self.not_after]),
            &self.subject,
            &self.key.public(),
            &self.unique_identifiers,
            &extensions,
        ]);
        let der = seal(&body, &algorithm, issuer, self.scheme, self.spoiled);
        Issued {
            der,
            key: self.key,
            subject: self.subject,
            issuer: issuer_name,
            serial: self.serial,
            identifier: own_identifier,
        }
    }
}

fn identifier(key: &Key) -> Vec<u8> {
    openssl::sha::sha256(&key.public())[..20].to_vec()
}

/// A signed certificate with the key it is for.
#[derive(Clone)]
pub struct Issued {
    pub der: Vec<u8>,
    pub key: Key,
    pub subject: Vec<u8>,
    pub issuer: Vec<u8>,
    pub serial: Vec<u8>,
    /// Its subject key identifier, written in it or not.
    pub identifier: Vec<u8>,
}

impl Issued {
    pub fn pem(&self) -> String {
        pem("CERTIFICATE", &self.der)
    }

    /// OpenSSL's hash of the subject, the stem of file names in a CRL directory.
    pub fn subject_hash(&self) -> String {
        let parsed = openssl::x509::X509::from_der(&self.der).unwrap();
        format!("{:08x}", parsed.subject_name_hash())
    }
}

/// A CRL before it is signed.
#[derive(Clone)]
pub struct CrlDraft {
    pub revoked: Vec<Vec<u8>>,
    pub number: u8,
    pub this_update: Vec<u8>,
    pub next_update: Option<Vec<u8>>,
    pub scheme: Scheme,
    pub extensions: Vec<Extension>,
    pub entry_extensions: Vec<Extension>,
    pub spoiled: bool,
    pub identified: bool,
}

impl CrlDraft {
    pub fn revoking(certificates: &[&Issued]) -> CrlDraft {
        CrlDraft {
            revoked: certificates.iter().map(|certificate| certificate.serial.clone()).collect(),
            number: 1,
            this_update: days(-2),
            next_update: Some(days(30)),
            scheme: Scheme::Usual(Hash::Sha256),
            extensions: Vec::new(),
            entry_extensions: Vec::new(),
            spoiled: false,
            identified: true,
        }
    }

    pub fn number(mut self, number: u8) -> CrlDraft {
        self.number = number;
        self
    }

    pub fn updates(mut self, this: Vec<u8>, next: Option<Vec<u8>>) -> CrlDraft {
        (self.this_update, self.next_update) = (this, next);
        self
    }

    pub fn scheme(mut self, scheme: Scheme) -> CrlDraft {
        self.scheme = scheme;
        self
    }

    pub fn with(mut self, extension: Extension) -> CrlDraft {
        self.extensions.push(extension);
        self
    }

    pub fn with_entry(mut self, extension: Extension) -> CrlDraft {
        self.entry_extensions.push(extension);
        self
    }

    pub fn unidentified(mut self) -> CrlDraft {
        self.identified = false;
        self
    }

    pub fn spoiled(mut self) -> CrlDraft {
        self.spoiled = true;
        self
    }

    /// The DER of the CRL, signed by this CA.
    pub fn signed_by(self, issuer: &Issued) -> Vec<u8> {
        self.sign(&issuer.key, &issuer.subject, &issuer.identifier)
    }

    /// Signed by any key in any name.
    pub fn sign(mut self, key: &Key, issuer: &[u8], identifier: &[u8]) -> Vec<u8> {
        if self.identified {
            self.extensions.push(authority(Some(identifier), None));
        }
        self.extensions.push(Extension::new("2.5.29.20", integer(&[self.number])));
        let algorithm = signature_algorithm(key.kind, self.scheme);
        let extension_list = |list: &[Extension]| sequence_of(list.iter().map(Extension::der));
        let entries: Vec<Vec<u8>> = self
            .revoked
            .iter()
            .map(|serial| {
                let extensions = if self.entry_extensions.is_empty() {
                    Vec::new()
                } else {
                    extension_list(&self.entry_extensions)
                };
                sequence(&[&integer(serial), &days(-1), &extensions])
            })
            .collect();
        let list = if entries.is_empty() { Vec::new() } else { sequence_of(entries) };
        let body = sequence(&[
            &integer(&[1]),
            &algorithm,
            issuer,
            &self.this_update,
            &self.next_update.unwrap_or_default(),
            &list,
            &explicit(0, &[&extension_list(&self.extensions)]),
        ]);
        seal(&body, &algorithm, key, self.scheme, self.spoiled)
    }
}

/// A CRL as PEM.
pub fn crl_pem(der: &[u8]) -> String {
    pem("X509 CRL", der)
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
