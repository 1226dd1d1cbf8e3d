//! A small certificate authority: honest chains of a root, an intermediate and a server certificate, made at run time so
//! that nothing in the repository expires. Odd ones are made from the same [`Draft`].

use std::net::IpAddr;

use openssl::asn1::{Asn1Integer, Asn1Time};
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::extension::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName,
    SubjectKeyIdentifier,
};
use openssl::x509::{X509, X509Extension, X509Name, X509NameBuilder};

/// What a key pair is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    /// RSA of 2048 bits.
    Rsa,
    /// ECDSA on P-256.
    Ecdsa,
}

impl Algorithm {
    /// A new key pair.
    pub(crate) fn key(self) -> PKey<Private> {
        match self {
            Self::Rsa => PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap(),
            Self::Ecdsa => {
                let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
                PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
            }
        }
    }
}

/// A certificate and the private key that belongs to it.
#[derive(Clone)]
pub(crate) struct Identity {
    pub certificate: X509,
    pub key: PKey<Private>,
}

impl Identity {
    /// The certificate as PEM.
    pub(crate) fn pem(&self) -> String {
        String::from_utf8(self.certificate.to_pem().unwrap()).unwrap()
    }

    /// The private key as PEM (PKCS #8, not encrypted).
    pub(crate) fn key_pem(&self) -> String {
        String::from_utf8(self.key.private_key_to_pem_pkcs8().unwrap()).unwrap()
    }
}

/// A certificate still to be signed. The constructors fill in what an honest one of the kind has; every part can be
/// changed before [`Draft::signed_by`] or [`Draft::self_signed`] makes it.
pub(crate) struct Draft {
    pub common_name: Option<String>,
    pub dns: Vec<String>,
    pub addresses: Vec<IpAddr>,
    /// Days from now at which the certificate begins and ends; before now is negative.
    pub days: (i64, i64),
    /// `Some` of a CA with its path length constraint, `None` of an end-entity certificate.
    pub authority: Option<Option<u32>>,
    pub digest: MessageDigest,
    pub key: PKey<Private>,
    /// Added after the usual extensions.
    pub extensions: Vec<X509Extension>,
}

impl Draft {
    /// A CA certificate for ten years.
    pub(crate) fn authority(name: &str, algorithm: Algorithm) -> Self {
        Self {
            common_name: Some(name.to_owned()),
            dns: Vec::new(),
            addresses: Vec::new(),
            days: (-1, 3650),
            authority: Some(None),
            digest: MessageDigest::sha256(),
            key: algorithm.key(),
            extensions: Vec::new(),
        }
    }

    /// A server's certificate for 90 days, with `name` as common name and as its only DNS name.
    pub(crate) fn server(name: &str, algorithm: Algorithm) -> Self {
        Self {
            dns: vec![name.to_owned()],
            days: (-1, 90),
            authority: None,
            ..Self::authority(name, algorithm)
        }
    }

    /// The same certificate by another validity, in days from now.
    pub(crate) fn days(self, from: i64, to: i64) -> Self {
        Self { days: (from, to), ..self }
    }

    /// The same certificate signed by itself.
    pub(crate) fn self_signed(self) -> Identity {
        let (name, key) = (self.subject(), self.key.clone());
        self.sign(&name, &key, None)
    }

    /// The same certificate signed by `issuer`.
    pub(crate) fn signed_by(self, issuer: &Identity) -> Identity {
        let name = issuer.certificate.subject_name().to_owned().unwrap();
        self.sign(&name, &issuer.key, Some(&issuer.certificate))
    }

    fn subject(&self) -> X509Name {
        let mut name = X509NameBuilder::new().unwrap();
        if let Some(common_name) = &self.common_name {
            name.append_entry_by_nid(Nid::COMMONNAME, common_name).unwrap();
        }
        name.build()
    }

    fn sign(
        self,
        issuer: &X509Name,
        issuer_key: &PKey<Private>,
        issuer_certificate: Option<&X509>,
    ) -> Identity {
        let mut draft = X509::builder().unwrap();
        draft.set_version(2).unwrap();
        draft.set_serial_number(&serial()).unwrap();
        draft.set_subject_name(&self.subject()).unwrap();
        draft.set_issuer_name(issuer).unwrap();
        draft.set_pubkey(&self.key).unwrap();
        draft.set_not_before(&days_from_now(self.days.0)).unwrap();
        draft.set_not_after(&days_from_now(self.days.1)).unwrap();

        let mut constraints = BasicConstraints::new();
        constraints.critical();
        let mut usage = KeyUsage::new();
        usage.critical();
        if let Some(path_length) = self.authority {
            constraints.ca();
            if let Some(length) = path_length {
                constraints.pathlen(length);
            }
            usage.key_cert_sign().crl_sign();
        } else {
            usage.digital_signature();
            draft
                .append_extension(ExtendedKeyUsage::new().server_auth().client_auth().build().unwrap())
                .unwrap();
        }
        draft.append_extension(constraints.build().unwrap()).unwrap();
        draft.append_extension(usage.build().unwrap()).unwrap();

        let context = draft.x509v3_context(issuer_certificate.map(AsRef::as_ref), None);
        let subject_key = SubjectKeyIdentifier::new().build(&context).unwrap();
        draft.append_extension(subject_key).unwrap();
        if issuer_certificate.is_some() {
            let context = draft.x509v3_context(issuer_certificate.map(AsRef::as_ref), None);
            let authority_key = AuthorityKeyIdentifier::new().keyid(true).build(&context).unwrap();
            draft.append_extension(authority_key).unwrap();
        }
        if !self.dns.is_empty() || !self.addresses.is_empty() {
            let mut names = SubjectAlternativeName::new();
            for name in &self.dns {
                names.dns(name);
            }
            for address in &self.addresses {
                names.ip(&address.to_string());
            }
            let context = draft.x509v3_context(issuer_certificate.map(AsRef::as_ref), None);
            let names = names.build(&context).unwrap();
            draft.append_extension(names).unwrap();
        }
        for extension in self.extensions {
            draft.append_extension(extension).unwrap();
        }
        draft.sign(issuer_key, self.digest).unwrap();
        Identity { certificate: draft.build(), key: self.key }
    }
}

/// A root, an intermediate below it and a server certificate below that.
#[derive(Clone)]
pub(crate) struct Chain {
    pub root: Identity,
    pub intermediate: Identity,
    pub leaf: Identity,
}

impl Chain {
    /// A chain of which nothing is wrong, for `name`, 127.0.0.1 and ::1.
    pub(crate) fn honest(name: &str, algorithm: Algorithm) -> Self {
        let root = Draft::authority(&format!("{algorithm:?} test root"), algorithm).self_signed();
        let intermediate = Draft {
            authority: Some(Some(0)),
            ..Draft::authority(&format!("{algorithm:?} test intermediate"), algorithm)
        }
        .signed_by(&root);
        let leaf = Draft {
            addresses: vec!["127.0.0.1".parse().unwrap(), "::1".parse().unwrap()],
            ..Draft::server(name, algorithm)
        }
        .signed_by(&intermediate);
        Self { root, intermediate, leaf }
    }

    /// What the server sends: its certificate, then the intermediate.
    pub(crate) fn server_pem(&self) -> String {
        self.leaf.pem() + &self.intermediate.pem()
    }
}

/// A random serial number of 127 bits.
fn serial() -> Asn1Integer {
    let mut number = BigNum::new().unwrap();
    number.rand(127, MsbOption::ONE, false).unwrap();
    number.to_asn1_integer().unwrap()
}

/// A moment as certificates write it.
fn days_from_now(days: i64) -> Asn1Time {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    Asn1Time::from_unix(i64::try_from(now).unwrap() + days * 86_400).unwrap()
}
