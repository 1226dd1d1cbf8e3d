//! Keys and signatures of every kind, weak ones too.

use super::super::der::{bits, explicit, integer, null, octets, oid, sequence};
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, Private};
use openssl::rsa::{Padding, Rsa};
use openssl::sign::{RsaPssSaltlen, Signer};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

/// A kind of key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
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
pub(crate) struct Key {
    pub kind: Kind,
    pub private: PKey<Private>,
}

impl Key {
    /// The key of this kind and label: the same one for the whole process, since making RSA keys is slow.
    pub(crate) fn labelled(kind: Kind, label: &str) -> Self {
        type Cell = Arc<OnceLock<Key>>;
        static KEYS: OnceLock<Mutex<HashMap<(Kind, String), Cell>>> = OnceLock::new();
        let cell: Cell = {
            let mut keys = KEYS.get_or_init(Mutex::default).lock().unwrap();
            Arc::clone(keys.entry((kind, label.to_owned())).or_default())
        };
        cell.get_or_init(|| Self::generate(kind)).clone()
    }

    /// A new key.
    pub(crate) fn generate(kind: Kind) -> Self {
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
        Self { kind, private }
    }

    /// SubjectPublicKeyInfo.
    pub(crate) fn public(&self) -> Vec<u8> {
        self.private.public_key_to_der().unwrap()
    }
}

impl From<PKey<Private>> for Key {
    fn from(private: PKey<Private>) -> Self {
        let kind = match private.id() {
            Id::RSA => Kind::Rsa(private.bits()),
            Id::RSA_PSS => Kind::RsaPss(private.bits()),
            Id::ED25519 => Kind::Ed25519,
            Id::ED448 => Kind::Ed448,
            _ => match private.ec_key().unwrap().group().curve_name() {
                Some(Nid::X9_62_PRIME256V1) => Kind::P256,
                Some(Nid::SECP384R1) => Kind::P384,
                Some(Nid::SECP521R1) => Kind::P521,
                Some(Nid::SECP256K1) => Kind::Secp256k1,
                other => panic!("no kind of key for {other:?}"),
            },
        };
        Self { kind, private }
    }
}

/// A hash to sign with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hash {
    Md5,
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

/// How an issuer signs. With an Ed25519 or Ed448 key the hash is passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// PKCS#1 v1.5 or ECDSA, whichever the key is for.
    Usual(Hash),
    /// RSASSA-PSS with a salt as long as the hash.
    Pss(Hash),
}

impl Hash {
    fn digest(self) -> MessageDigest {
        match self {
            Self::Md5 => MessageDigest::md5(),
            Self::Sha1 => MessageDigest::sha1(),
            Self::Sha224 => MessageDigest::sha224(),
            Self::Sha256 => MessageDigest::sha256(),
            Self::Sha384 => MessageDigest::sha384(),
            Self::Sha512 => MessageDigest::sha512(),
        }
    }

    fn oid(self) -> Vec<u8> {
        oid(match self {
            Self::Md5 => "1.2.840.113549.2.5",
            Self::Sha1 => "1.3.14.3.2.26",
            Self::Sha224 => "2.16.840.1.101.3.4.2.4",
            Self::Sha256 => "2.16.840.1.101.3.4.2.1",
            Self::Sha384 => "2.16.840.1.101.3.4.2.2",
            Self::Sha512 => "2.16.840.1.101.3.4.2.3",
        })
    }
}

/// The AlgorithmIdentifier of a signature by this kind of key.
pub(crate) fn signature_algorithm(kind: Kind, scheme: Scheme) -> Vec<u8> {
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
pub(super) fn seal(body: &[u8], algorithm: &[u8], key: &Key, scheme: Scheme, spoiled: bool) -> Vec<u8> {
    let mut value = signature(key, scheme, body);
    if spoiled {
        let last = value.len() - 1;
        value[last] ^= 1;
    }
    sequence(&[body, algorithm, &bits(&value)])
}
