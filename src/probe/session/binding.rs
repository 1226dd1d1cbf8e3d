//! Channel binding of type tls-server-end-point (RFC 5929 section 4): the certificate's hash by the hash of its own
//! signature, MD5 and SHA-1 replaced by SHA-256 (fe-secure-openssl.c, pgtls_get_peer_certificate_hash).

use sha2::{Digest as _, Sha224, Sha384, Sha512};

use crate::certificate::{Certificate, Hash};

/// The binding data for the server's certificate, or the name of the signature algorithm that has no hash.
pub(super) fn of(leaf: Option<&Certificate>) -> Result<Vec<u8>, String> {
    let leaf = leaf.ok_or("no certificate")?;
    let facts = leaf.facts().map_err(|_| "a certificate that cannot be read".to_owned())?;
    match facts.signature.algorithm.hash() {
        Some(Hash::Md | Hash::Sha1 | Hash::Sha256) => Ok(leaf.sha256().to_vec()),
        Some(Hash::Sha224) => Ok(Sha224::digest(leaf.der()).to_vec()),
        Some(Hash::Sha384) => Ok(Sha384::digest(leaf.der()).to_vec()),
        Some(Hash::Sha512) => Ok(Sha512::digest(leaf.der()).to_vec()),
        Some(Hash::Other) | None => Err(facts.signature.name.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Authority, params};

    fn signed_with(algorithm: &'static rcgen::SignatureAlgorithm) -> Certificate {
        let key = rcgen::KeyPair::generate_for(algorithm).unwrap();
        Authority::root_for(key, params("db.example", false)).certificate
    }

    #[test]
    fn the_hash_is_that_of_the_signature() {
        let certificate = signed_with(&rcgen::PKCS_ECDSA_P256_SHA256);
        assert_eq!(of(Some(&certificate)).unwrap(), certificate.sha256());
        let certificate = signed_with(&rcgen::PKCS_ECDSA_P384_SHA384);
        assert_eq!(of(Some(&certificate)).unwrap(), Sha384::digest(certificate.der()).to_vec());
    }

    #[test]
    fn a_signature_without_a_hash_has_no_binding() {
        assert_eq!(of(Some(&signed_with(&rcgen::PKCS_ED25519))), Err("Ed25519".to_owned()));
        assert!(of(None).is_err());
    }
}
