//! Signing with a client key on P-521, which ring cannot: a key for rustls over RustCrypto's curve.

use std::sync::Arc;

use p521::ecdsa::signature::Signer as _;
use p521::pkcs8::DecodePrivateKey as _;
use rustls::pki_types::{PrivateKeyDer, SubjectPublicKeyInfoDer};
use rustls::sign::{Signer, SigningKey};
use rustls::{SignatureAlgorithm, SignatureScheme};

/// The SubjectPublicKeyInfo of a P-521 key (RFC 5480) up to the point, which is not compressed.
const SPKI_HEADER: [u8; 25] = [
    0x30, 0x81, 0x9b, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b,
    0x81, 0x04, 0x00, 0x23, 0x03, 0x81, 0x86, 0x00,
];

/// The key in the form rustls signs with; `None` if it is no P-521 key in PKCS#8 or SEC 1.
pub(super) fn signing_key(key: &PrivateKeyDer<'_>) -> Option<Arc<dyn SigningKey>> {
    let secret = match key {
        PrivateKeyDer::Pkcs8(key) => p521::SecretKey::from_pkcs8_der(key.secret_pkcs8_der()).ok()?,
        PrivateKeyDer::Sec1(key) => p521::SecretKey::from_sec1_der(key.secret_sec1_der()).ok()?,
        _ => return None,
    };
    Some(Arc::new(Key(Arc::new(p521::ecdsa::SigningKey::from(&secret)))))
}

#[derive(Clone)]
struct Key(Arc<p521::ecdsa::SigningKey>);

/// The key stays out of every report.
impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a P-521 key")
    }
}

impl SigningKey for Key {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        offered
            .contains(&SignatureScheme::ECDSA_NISTP521_SHA512)
            .then(|| Box::new(self.clone()) as Box<dyn Signer>)
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        let point = self.0.verifying_key().to_sec1_point(false);
        Some(SubjectPublicKeyInfoDer::from([&SPKI_HEADER, point.as_bytes()].concat()))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ECDSA
    }
}

impl Signer for Key {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        let signature: p521::ecdsa::Signature =
            self.0.try_sign(message).map_err(|error| rustls::Error::General(error.to_string()))?;
        Ok(signature.to_der().as_bytes().to_vec())
    }

    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::ECDSA_NISTP521_SHA512
    }
}

#[cfg(test)]
mod tests {
    use openssl::ec::{EcGroup, EcKey};
    use openssl::nid::Nid;
    use openssl::pkey::PKey;
    use rustls::pki_types::{PrivatePkcs8KeyDer, PrivateSec1KeyDer};

    use super::*;

    fn pair(curve: Nid) -> EcKey<openssl::pkey::Private> {
        EcKey::generate(&EcGroup::from_curve_name(curve).unwrap()).unwrap()
    }

    #[test]
    fn openssl_takes_its_signatures() {
        let pair = pair(Nid::SECP521R1);
        let private = PKey::from_ec_key(pair.clone()).unwrap();
        let pkcs8 = private.private_key_to_pkcs8().unwrap();
        let sec1 = pair.private_key_to_der().unwrap();
        for key in [
            PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pkcs8)),
            PrivateKeyDer::Sec1(PrivateSec1KeyDer::from(sec1)),
        ] {
            let key = signing_key(&key).unwrap();
            assert_eq!(key.public_key().unwrap().as_ref(), private.public_key_to_der().unwrap());
            assert!(key.choose_scheme(&[SignatureScheme::ECDSA_NISTP256_SHA256]).is_none());
            let signer = key.choose_scheme(&[SignatureScheme::ECDSA_NISTP521_SHA512]).unwrap();
            let signature = signer.sign(b"message").unwrap();
            let hash = openssl::hash::MessageDigest::sha512();
            let mut verifier = openssl::sign::Verifier::new(hash, &private).unwrap();
            assert!(verifier.verify_oneshot(&signature, b"message").unwrap());
            assert_eq!(format!("{key:?}"), "a P-521 key");
        }
    }

    #[test]
    fn other_keys_are_not_taken() {
        let private = PKey::from_ec_key(pair(Nid::SECP384R1)).unwrap();
        let key = PrivatePkcs8KeyDer::from(private.private_key_to_pkcs8().unwrap());
        assert!(signing_key(&PrivateKeyDer::Pkcs8(key)).is_none());
    }
}
