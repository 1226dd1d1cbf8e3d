//! Sound certificates for the tests that care for no detail of them: a key of its own each, key usages, identifiers and
//! names as public CAs write them. Made by [`odd_pki`](super::odd_pki), which encodes every field itself because the odd
//! and broken ones are such as no library agrees to make.

use std::net::IpAddr;

use openssl::pkey::{PKey, Private};
use openssl::x509::X509;

use super::odd_pki::{
    self, CLIENT_AUTH, DIGITAL_SIGNATURE, Issued, Key, Kind, SERVER_AUTH, basic_constraints, dns,
    extended_key_usage, ip, key_usage,
};

/// What a key pair is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    /// RSA of 2048 bits.
    Rsa,
    /// ECDSA on P-256.
    Ecdsa,
    /// Ed25519.
    Ed25519,
}

impl Algorithm {
    /// A new key pair.
    pub(crate) fn key(self) -> PKey<Private> {
        let kind = match self {
            Self::Rsa => Kind::Rsa(2048),
            Self::Ecdsa => Kind::P256,
            Self::Ed25519 => Kind::Ed25519,
        };
        Key::generate(kind).private
    }
}

/// A certificate and the private key that belongs to it.
#[derive(Clone)]
pub(crate) struct Identity {
    pub certificate: X509,
    pub key: PKey<Private>,
    issued: Issued,
}

impl Identity {
    /// The certificate as PEM.
    pub(crate) fn pem(&self) -> String {
        self.issued.pem()
    }

    /// The private key as PEM (PKCS #8, not encrypted).
    pub(crate) fn key_pem(&self) -> String {
        String::from_utf8(self.key.private_key_to_pem_pkcs8().unwrap()).unwrap()
    }
}

impl From<Issued> for Identity {
    fn from(issued: Issued) -> Self {
        Self { certificate: issued.x509(), key: issued.key.private.clone(), issued }
    }
}

/// A sound certificate still to be signed.
pub(crate) struct Draft {
    pub name: String,
    pub dns: Vec<String>,
    pub addresses: Vec<IpAddr>,
    /// Days from now at which the certificate begins and ends; before now is negative.
    pub days: (i64, i64),
    /// `Some` of a CA with its path length constraint, `None` of an end-entity certificate.
    pub authority: Option<Option<u8>>,
    pub key: PKey<Private>,
}

impl Draft {
    /// A CA certificate for ten years.
    pub(crate) fn authority(name: &str, algorithm: Algorithm) -> Self {
        Self {
            name: name.to_owned(),
            dns: Vec::new(),
            addresses: Vec::new(),
            days: (-1, 3650),
            authority: Some(None),
            key: algorithm.key(),
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
        self.draft().self_signed().into()
    }

    /// The same certificate signed by `issuer`.
    pub(crate) fn signed_by(self, issuer: &Identity) -> Identity {
        self.draft().signed_by(&issuer.issued).into()
    }

    fn draft(self) -> odd_pki::Draft {
        let draft = match self.authority {
            Some(length) => odd_pki::Draft::authority(&self.name).with(basic_constraints(true, length)),
            None => odd_pki::Draft::bare(&self.name)
                .with(basic_constraints(false, None))
                .with(key_usage(&[DIGITAL_SIGNATURE]))
                .with(extended_key_usage(&[SERVER_AUTH, CLIENT_AUTH])),
        };
        let (from, to) = self.days;
        let draft = draft.key(self.key.into()).valid(odd_pki::days(from), odd_pki::days(to));
        let octets = |address: &IpAddr| match address {
            IpAddr::V4(address) => ip(&address.octets()),
            IpAddr::V6(address) => ip(&address.octets()),
        };
        let names = self.dns.iter().map(|name| dns(name)).chain(self.addresses.iter().map(octets));
        let names: Vec<_> = names.collect();
        if names.is_empty() { draft } else { draft.names(names) }
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
