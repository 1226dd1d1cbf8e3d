//! Verifies signatures: those on certificates and CRLs, and those of the handshake.
//!
//! ring does most of it. What OpenSSL can and ring cannot is P-521 and the ECDSA pairs of a curve with another
//! curve's hash; those are left to RustCrypto's curves. What neither can (Ed448, SHA-224, RSA above 8192 bits or a little
//! below 2048 with some hashes, PSS with an unusual salt, other curves) is told apart from a bad signature.

use ring::digest;
use ring::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::{CertificateError, DigitallySignedStruct, PeerIncompatible, PeerMisbehaved, SignatureScheme};

use crate::certificate::{self, Hash, KeyKind, SignatureAlgorithm, bit_length, public_key};

/// Why a signature was not found good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignatureError {
    /// The signature is not the key's, or the key cannot be read.
    Bad,
    /// It cannot be followed here although OpenSSL may be able to: what exactly.
    Unsupported(String),
}

/// Verifies the signature on a certificate or CRL with the issuer's SubjectPublicKeyInfo.
///
/// SHA-1 is verified where it can be, for CRLs and for knowing; whether it is strong enough is asked elsewhere.
///
/// # Errors
/// [`SignatureError`].
pub fn verify(
    spki: &[u8],
    algorithm: SignatureAlgorithm,
    message: &[u8],
    signature: &[u8],
) -> Result<(), SignatureError> {
    #[cfg(test)]
    super::effort::SIGNATURES.with(|count| count.set(count.get() + 1));
    let (key, bits) = public_key(spki).map_err(|_| SignatureError::Bad)?;
    if !algorithm.fits(&key) && !matches!(algorithm, SignatureAlgorithm::Other | SignatureAlgorithm::Dsa(_)) {
        return Err(SignatureError::Bad);
    }
    if let (SignatureAlgorithm::Ecdsa(hash), KeyKind::Ec(curve)) = (algorithm, &key) {
        return ecdsa(curve, hash, bits, message, signature);
    }
    let with = rsa_or_edwards(algorithm, &key)?;
    UnparsedPublicKey::new(with, bits).verify(message, signature).map_err(|_| {
        match unusual_exponent(bits, &key) {
            Some(unusual) => SignatureError::Unsupported(unusual),
            None => SignatureError::Bad,
        }
    })
}

fn rsa_or_edwards(
    algorithm: SignatureAlgorithm,
    key: &KeyKind,
) -> Result<&'static dyn VerificationAlgorithm, SignatureError> {
    let unsupported = |what: String| Err(SignatureError::Unsupported(what));
    // ring counts the bits of a modulus in whole bytes.
    let small = match key {
        KeyKind::Rsa(bits) | KeyKind::RsaPss(bits) if *bits > 8192 => return unsupported(key.to_string()),
        KeyKind::Rsa(bits) | KeyKind::RsaPss(bits) => *bits <= 2040,
        _ => false,
    };
    Ok(match algorithm {
        SignatureAlgorithm::RsaPkcs1(Hash::Sha1) if small => {
            &signature::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY
        }
        SignatureAlgorithm::RsaPkcs1(Hash::Sha256) if small => {
            &signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY
        }
        SignatureAlgorithm::RsaPkcs1(Hash::Sha512) if small => {
            &signature::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY
        }
        SignatureAlgorithm::RsaPkcs1(_) | SignatureAlgorithm::RsaPss { .. } if small => {
            return unsupported(key.to_string());
        }
        SignatureAlgorithm::RsaPkcs1(Hash::Sha1) => &signature::RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
        SignatureAlgorithm::RsaPkcs1(Hash::Sha256) => &signature::RSA_PKCS1_2048_8192_SHA256,
        SignatureAlgorithm::RsaPkcs1(Hash::Sha384) => &signature::RSA_PKCS1_2048_8192_SHA384,
        SignatureAlgorithm::RsaPkcs1(Hash::Sha512) => &signature::RSA_PKCS1_2048_8192_SHA512,
        SignatureAlgorithm::RsaPkcs1(hash) => return unsupported(format!("RSA with {hash}")),
        SignatureAlgorithm::RsaPss { hash, mask_hash, salt } => match (hash, salt) {
            _ if hash != mask_hash => {
                return unsupported(format!("RSA-PSS with {hash}, masked with {mask_hash}"));
            }
            (Hash::Sha256, 32) => &signature::RSA_PSS_2048_8192_SHA256,
            (Hash::Sha384, 48) => &signature::RSA_PSS_2048_8192_SHA384,
            (Hash::Sha512, 64) => &signature::RSA_PSS_2048_8192_SHA512,
            _ => return unsupported(format!("RSA-PSS with {hash} and a salt of {salt} bytes")),
        },
        SignatureAlgorithm::Ed25519 => &signature::ED25519,
        SignatureAlgorithm::Ed448 => return unsupported("Ed448".to_owned()),
        SignatureAlgorithm::Ecdsa(_) | SignatureAlgorithm::Dsa(_) | SignatureAlgorithm::Other => {
            return unsupported(format!("a signature by a key of {key}"));
        }
    })
}

/// ring takes public exponents of two to 33 bits; OpenSSL takes longer ones too, up to 64 bits where the modulus has more
/// than 3072 (`rsa_ossl_public_decrypt` in rsa_ossl.c).
fn unusual_exponent(rsa_public_key: &[u8], key: &KeyKind) -> Option<String> {
    if !matches!(key, KeyKind::Rsa(_) | KeyKind::RsaPss(_)) {
        return None;
    }
    let (modulus, exponent) = certificate::rsa_public_key(rsa_public_key).ok()?;
    let (modulus, exponent) = (bit_length(modulus), bit_length(exponent));
    let is_usual = (2..=33).contains(&exponent);
    let is_too_long = modulus > 3072 && exponent > 64;
    (!is_usual && !is_too_long).then(|| format!("{key} with a public exponent of {exponent} bits"))
}

/// ECDSA on any of the three curves with any of the hashes, as OpenSSL accepts it.
fn ecdsa(curve: &str, hash: Hash, point: &[u8], message: &[u8], der: &[u8]) -> Result<(), SignatureError> {
    let with_ring: Option<&'static dyn VerificationAlgorithm> = match (curve, hash) {
        ("P-256", Hash::Sha256) => Some(&signature::ECDSA_P256_SHA256_ASN1),
        ("P-256", Hash::Sha384) => Some(&signature::ECDSA_P256_SHA384_ASN1),
        ("P-384", Hash::Sha256) => Some(&signature::ECDSA_P384_SHA256_ASN1),
        ("P-384", Hash::Sha384) => Some(&signature::ECDSA_P384_SHA384_ASN1),
        _ => None,
    };
    // ring knows uncompressed points only, which begin with 4.
    if let (Some(algorithm), Some(4)) = (with_ring, point.first()) {
        return UnparsedPublicKey::new(algorithm, point)
            .verify(message, der)
            .map_err(|_| SignatureError::Bad);
    }
    let hash = match hash {
        Hash::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        Hash::Sha256 => &digest::SHA256,
        Hash::Sha384 => &digest::SHA384,
        Hash::Sha512 => &digest::SHA512,
        Hash::Md | Hash::Sha224 | Hash::Other => {
            return Err(SignatureError::Unsupported(format!("ECDSA with {hash}")));
        }
    };
    let digest = digest::digest(hash, message);
    let size = match curve {
        "P-256" => 32,
        "P-384" => 48,
        "P-521" => 66,
        other => return Err(SignatureError::Unsupported(format!("an ECDSA key on {other}"))),
    };
    // A digest shorter than the curve's order is a number with leading zeros (SEC 1, 4.1.4); RustCrypto wants at least
    // half of them written.
    let mut number = vec![0; usize::saturating_sub(size, digest.as_ref().len())];
    number.extend_from_slice(digest.as_ref());
    let good = match size {
        32 => p256_accepts(point, &number, der),
        48 => p384_accepts(point, &number, der),
        _ => p521_accepts(point, &number, der),
    };
    good.ok_or(SignatureError::Bad)
}

fn p256_accepts(point: &[u8], prehash: &[u8], der: &[u8]) -> Option<()> {
    use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
    let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(point).ok()?;
    key.verify_prehash(prehash, &p256::ecdsa::Signature::from_der(der).ok()?).ok()
}

fn p384_accepts(point: &[u8], prehash: &[u8], der: &[u8]) -> Option<()> {
    use p384::ecdsa::signature::hazmat::PrehashVerifier as _;
    let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(point).ok()?;
    key.verify_prehash(prehash, &p384::ecdsa::Signature::from_der(der).ok()?).ok()
}

fn p521_accepts(point: &[u8], prehash: &[u8], der: &[u8]) -> Option<()> {
    use p521::ecdsa::signature::hazmat::PrehashVerifier as _;
    let key = p521::ecdsa::VerifyingKey::from_sec1_bytes(point).ok()?;
    key.verify_prehash(prehash, &p521::ecdsa::Signature::from_der(der).ok()?).ok()
}

/// The signature schemes to offer in ClientHello, the ones rustls prefers first. Besides those of the ring provider:
/// P-521, and the RSA-PSS schemes for keys restricted to PSS (TLS 1.3 only; rustls cannot take them in TLS 1.2).
pub fn supported_schemes() -> Vec<SignatureScheme> {
    vec![
        SignatureScheme::ECDSA_NISTP384_SHA384,
        SignatureScheme::ECDSA_NISTP256_SHA256,
        SignatureScheme::ECDSA_NISTP521_SHA512,
        SignatureScheme::ED25519,
        SignatureScheme::RSA_PSS_SHA512,
        SignatureScheme::RSA_PSS_SHA384,
        SignatureScheme::RSA_PSS_SHA256,
        RSA_PSS_PSS_SHA512,
        RSA_PSS_PSS_SHA384,
        RSA_PSS_PSS_SHA256,
        SignatureScheme::RSA_PKCS1_SHA512,
        SignatureScheme::RSA_PKCS1_SHA384,
        SignatureScheme::RSA_PKCS1_SHA256,
    ]
}

/// rsa_pss_pss_sha256 and its sisters (RFC 8446 section 4.2.3): PSS by a key that is restricted to PSS.
const RSA_PSS_PSS_SHA256: SignatureScheme = SignatureScheme::Unknown(0x0809);
const RSA_PSS_PSS_SHA384: SignatureScheme = SignatureScheme::Unknown(0x080a);
const RSA_PSS_PSS_SHA512: SignatureScheme = SignatureScheme::Unknown(0x080b);

/// Verifies the server's CertificateVerify of TLS 1.3 with the leaf's SubjectPublicKeyInfo.
///
/// # Errors
/// A rustls error to fail the handshake with: bad signature, a scheme that TLS 1.3 or the key excludes, or one that
/// cannot be followed here ([`PeerIncompatible::NoSignatureSchemesInCommon`]).
pub fn verify_tls13(
    message: &[u8],
    spki: &[u8],
    dss: &DigitallySignedStruct,
) -> Result<HandshakeSignatureValid, rustls::Error> {
    let curve = match dss.scheme {
        SignatureScheme::ECDSA_NISTP256_SHA256 => Some("P-256"),
        SignatureScheme::ECDSA_NISTP384_SHA384 => Some("P-384"),
        SignatureScheme::ECDSA_NISTP521_SHA512 => Some("P-521"),
        SignatureScheme::RSA_PKCS1_SHA256
        | SignatureScheme::RSA_PKCS1_SHA384
        | SignatureScheme::RSA_PKCS1_SHA512 => {
            return Err(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme.into());
        }
        _ => None,
    };
    let key = key_kind(spki)?;
    // In TLS 1.3 a scheme names the curve too.
    if curve.is_some_and(|curve| key != KeyKind::Ec(curve.to_owned())) {
        return Err(PeerMisbehaved::SignedKxWithWrongAlgorithm.into());
    }
    verify_handshake(message, spki, &key, dss)
}

/// Verifies the signature in the server's ServerKeyExchange of TLS 1.2 with the leaf's SubjectPublicKeyInfo.
///
/// # Errors
/// As [`verify_tls13`].
pub fn verify_tls12(
    message: &[u8],
    spki: &[u8],
    dss: &DigitallySignedStruct,
) -> Result<HandshakeSignatureValid, rustls::Error> {
    verify_handshake(message, spki, &key_kind(spki)?, dss)
}

fn key_kind(spki: &[u8]) -> Result<KeyKind, rustls::Error> {
    match public_key(spki) {
        Ok((key, _)) => Ok(key),
        Err(_) => Err(CertificateError::BadEncoding.into()),
    }
}

fn verify_handshake(
    message: &[u8],
    spki: &[u8],
    key: &KeyKind,
    dss: &DigitallySignedStruct,
) -> Result<HandshakeSignatureValid, rustls::Error> {
    let pss = |hash, salt| SignatureAlgorithm::RsaPss { hash, mask_hash: hash, salt };
    let (algorithm, restricted) = match dss.scheme {
        SignatureScheme::RSA_PKCS1_SHA256 => (SignatureAlgorithm::RsaPkcs1(Hash::Sha256), false),
        SignatureScheme::RSA_PKCS1_SHA384 => (SignatureAlgorithm::RsaPkcs1(Hash::Sha384), false),
        SignatureScheme::RSA_PKCS1_SHA512 => (SignatureAlgorithm::RsaPkcs1(Hash::Sha512), false),
        SignatureScheme::RSA_PSS_SHA256 => (pss(Hash::Sha256, 32), false),
        SignatureScheme::RSA_PSS_SHA384 => (pss(Hash::Sha384, 48), false),
        SignatureScheme::RSA_PSS_SHA512 => (pss(Hash::Sha512, 64), false),
        RSA_PSS_PSS_SHA256 => (pss(Hash::Sha256, 32), true),
        RSA_PSS_PSS_SHA384 => (pss(Hash::Sha384, 48), true),
        RSA_PSS_PSS_SHA512 => (pss(Hash::Sha512, 64), true),
        SignatureScheme::ECDSA_NISTP256_SHA256 => (SignatureAlgorithm::Ecdsa(Hash::Sha256), false),
        SignatureScheme::ECDSA_NISTP384_SHA384 => (SignatureAlgorithm::Ecdsa(Hash::Sha384), false),
        SignatureScheme::ECDSA_NISTP521_SHA512 => (SignatureAlgorithm::Ecdsa(Hash::Sha512), false),
        SignatureScheme::ED25519 => (SignatureAlgorithm::Ed25519, false),
        _ => return Err(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme.into()),
    };
    if restricted != matches!(key, KeyKind::RsaPss(_)) || !algorithm.fits(key) {
        return Err(PeerMisbehaved::SignedKxWithWrongAlgorithm.into());
    }
    // OpenSSL masks as the key's parameters say, whatever the scheme says.
    if restricted
        && let SignatureAlgorithm::RsaPss { hash, .. } = algorithm
        && let Some(SignatureAlgorithm::RsaPss { mask_hash, .. }) = certificate::pss_restriction(spki)
        && hash != mask_hash
    {
        return Err(PeerIncompatible::NoSignatureSchemesInCommon.into());
    }
    match verify(spki, algorithm, message, dss.signature()) {
        Ok(()) => Ok(HandshakeSignatureValid::assertion()),
        Err(SignatureError::Bad) => Err(CertificateError::BadSignature.into()),
        Err(SignatureError::Unsupported(_)) => Err(PeerIncompatible::NoSignatureSchemesInCommon.into()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::certificate::encode::{element, sequence};

    fn exponent_of(modulus: &[u8], exponent: &[u8]) -> Option<String> {
        let key = sequence(&[&element(2, &[modulus]), &element(2, &[exponent])]);
        unusual_exponent(&key, &KeyKind::Rsa(bit_length(modulus)))
    }

    #[test]
    fn an_exponent_that_only_openssl_takes_is_told() {
        let modulus = |bytes: usize| [&[0, 0x80][..], &vec![1; bytes - 1]].concat();
        let exponent = |bytes: usize| [&[1][..], &vec![3; bytes - 1]].concat();
        assert_eq!(exponent_of(&modulus(256), &[1, 0, 1]), None);
        assert_eq!(exponent_of(&modulus(256), &[3]), None);
        let told = exponent_of(&modulus(256), &exponent(25)).unwrap();
        assert!(told.ends_with("with a public exponent of 193 bits"), "{told}");
        assert!(exponent_of(&modulus(512), &exponent(8)).is_some());
        // OpenSSL refuses that too.
        assert_eq!(exponent_of(&modulus(512), &exponent(9)), None);
    }

    proptest! {
        #![proptest_config(crate::properties::config())]

        /// Whatever stands in the modulus, it is no exponent.
        #[test]
        fn the_digits_of_a_modulus_are_no_exponent(bytes in prop::collection::vec(any::<u8>(), 255), at in 0_usize..253) {
            let mut modulus = [&[0, 0xC0][..], &bytes].concat();
            let left = u8::try_from(modulus.len() - at - 4 + 5).unwrap_or(0x19);
            modulus[at + 2..at + 4].copy_from_slice(&[2, left]);
            prop_assert_eq!(exponent_of(&modulus, &[1, 0, 1]), None);
        }
    }
}
