//! A certificate with all its fields open, and one that is signed.

use super::super::der::{explicit, implicit, integer, octets, pem, sequence, sequence_of};
use super::extensions::*;
use super::keys::{Hash, Key, Kind, Scheme, seal, signature_algorithm};
use std::sync::atomic::{AtomicU64, Ordering};

/// A certificate before it is signed.
#[derive(Clone)]
pub(crate) struct Draft {
    pub key: Key,
    /// SubjectPublicKeyInfo, where it is not simply that of `key`.
    pub public: Option<Vec<u8>>,
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
    pub(crate) fn bare(subject: &str) -> Self {
        Self {
            key: Key::labelled(Kind::P256, subject),
            public: None,
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
    pub(crate) fn authority(subject: &str) -> Self {
        Self::bare(subject).with(basic_constraints(true, None)).with(key_usage(&[KEY_CERT_SIGN, CRL_SIGN]))
    }

    /// A server's certificate as public CAs make it.
    pub(crate) fn server(host: &str) -> Self {
        Self::bare(host)
            .with(basic_constraints(false, None))
            .with(key_usage(&[DIGITAL_SIGNATURE, KEY_ENCIPHERMENT]))
            .with(extended_key_usage(&[SERVER_AUTH]))
            .with(alt_names([dns(host)]))
    }

    /// With this extension, in the place of one of the same kind.
    pub(crate) fn with(self, extension: Extension) -> Self {
        self.without(extension.oid).also(extension)
    }

    /// With this extension, beside one of the same kind.
    pub(crate) fn also(mut self, extension: Extension) -> Self {
        self.extensions.push(extension);
        self
    }

    pub(crate) fn without(mut self, oid: &str) -> Self {
        self.extensions.retain(|extension| extension.oid != oid);
        self
    }

    pub(crate) fn without_extensions(mut self) -> Self {
        self.extensions.clear();
        self.unidentified()
    }

    /// Version 1 or 2, and so without extensions.
    pub(crate) fn version(mut self, version: u8) -> Self {
        self.version = version;
        self.without_extensions()
    }

    /// Without key identifiers.
    pub(crate) fn unidentified(mut self) -> Self {
        self.identified = false;
        self
    }

    pub(crate) fn keyed(mut self, kind: Kind) -> Self {
        self.key = Key::labelled(kind, "");
        self
    }

    pub(crate) fn key(mut self, key: Key) -> Self {
        self.key = key;
        self
    }

    pub(crate) fn subject(mut self, subject: Vec<u8>) -> Self {
        self.subject = subject;
        self
    }

    pub(crate) fn issuer(mut self, issuer: Vec<u8>) -> Self {
        self.issuer = Some(issuer);
        self
    }

    pub(crate) fn serial(mut self, content: &[u8]) -> Self {
        self.serial = content.to_vec();
        self
    }

    pub(crate) fn valid(mut self, not_before: Vec<u8>, not_after: Vec<u8>) -> Self {
        (self.not_before, self.not_after) = (not_before, not_after);
        self
    }

    pub(crate) fn expired(self) -> Self {
        self.valid(days(-30), days(-1))
    }

    pub(crate) fn future(self) -> Self {
        self.valid(days(1), days(30))
    }

    /// Its SANs, in place of those it has.
    pub(crate) fn names<T: AsRef<[u8]>>(self, names: impl IntoIterator<Item = T>) -> Self {
        self.with(alt_names(names))
    }

    pub(crate) fn scheme(mut self, scheme: Scheme) -> Self {
        self.scheme = scheme;
        self
    }

    pub(crate) fn inner_algorithm(mut self, algorithm: Vec<u8>) -> Self {
        self.inner_algorithm = Some(algorithm);
        self
    }

    pub(crate) fn spoiled(mut self) -> Self {
        self.spoiled = true;
        self
    }

    pub(crate) fn unique_identifiers(mut self) -> Self {
        self.unique_identifiers = [implicit(1, &[0, 1, 2]), implicit(2, &[0, 3, 4])].concat();
        self
    }

    pub(crate) fn self_signed(self) -> Issued {
        let (key, subject) = (self.key.clone(), self.subject.clone());
        let identifier = identifier(&key);
        self.sign(&key, &subject, &identifier)
    }

    pub(crate) fn signed_by(self, issuer: &Issued) -> Issued {
        self.sign(&issuer.key, &issuer.subject, &issuer.identifier)
    }

    fn sign(mut self, issuer: &Key, issuer_subject: &[u8], issuer_identifier: &[u8]) -> Issued {
        let own_identifier = self
            .extensions
            .iter()
            .find(|extension| extension.oid == SUBJECT_KEY_IDENTIFIER)
            .map_or_else(|| identifier(&self.key), |extension| extension.value[2..].to_vec());
        if self.identified {
            let has = |draft: &Self, oid| draft.extensions.iter().any(|extension| extension.oid == oid);
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
            &self.public.unwrap_or_else(|| self.key.public()),
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
pub(crate) struct Issued {
    pub der: Vec<u8>,
    pub key: Key,
    pub subject: Vec<u8>,
    pub issuer: Vec<u8>,
    pub serial: Vec<u8>,
    /// Its subject key identifier, written in it or not.
    pub identifier: Vec<u8>,
}

impl Issued {
    pub(crate) fn pem(&self) -> String {
        pem("CERTIFICATE", &self.der)
    }

    /// As OpenSSL reads it.
    pub(crate) fn x509(&self) -> openssl::x509::X509 {
        openssl::x509::X509::from_der(&self.der).unwrap()
    }

    /// OpenSSL's hash of the subject, the stem of file names in a CRL directory.
    pub(crate) fn subject_hash(&self) -> String {
        format!("{:08x}", self.x509().subject_name_hash())
    }
}
