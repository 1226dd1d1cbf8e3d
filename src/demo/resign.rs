//! Certificates signed with hashes that no library of today offers: one signed with SHA-256 is written anew with the
//! other algorithm and signed again. SHA-1 is broken (SHAttered, 2017), and clients are to notice; SHA-224 is sound, and
//! rustls does not know it.

use std::io;

use p256::ecdsa::signature::hazmat::PrehashSigner;
use p256::ecdsa::{DerSignature, SigningKey};
use p256::pkcs8::DecodePrivateKey;
use sha2::Digest as _;

use crate::bytes::Reader;
use crate::certificate::encode::{element, sequence};

/// AlgorithmIdentifier of ecdsa-with-SHA256 (RFC 5758, 3.2).
const SHA256: &[u8] = &[0x30, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];

/// The hash to sign with.
#[derive(Clone, Copy, Debug)]
pub(super) enum Hash {
    Sha1,
    Sha224,
}

impl Hash {
    /// AlgorithmIdentifier of ECDSA with it (RFC 3279, 2.2.3; RFC 5758, 3.2).
    fn algorithm(self) -> &'static [u8] {
        match self {
            Self::Sha1 => &[0x30, 9, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1],
            Self::Sha224 => &[0x30, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 1],
        }
    }

    fn of(self, message: &[u8]) -> Vec<u8> {
        use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
        match self {
            Self::Sha1 => digest(&SHA1_FOR_LEGACY_USE_ONLY, message).as_ref().to_vec(),
            Self::Sha224 => sha2::Sha224::digest(message).to_vec(),
        }
    }
}

const BIT_STRING: u8 = 0x03;

/// Signs a certificate anew with its issuer's P-256 key (PKCS#8 in DER).
pub(super) fn sign(certificate: &[u8], issuer: &[u8], hash: Hash) -> io::Result<Vec<u8>> {
    let unlikely = || io::Error::other("a certificate that is not signed with ECDSA and SHA-256");
    let key = SigningKey::from_pkcs8_der(issuer).map_err(io::Error::other)?;
    // The certificate's own header, then that of the part that is signed, each of four bytes since both are longer
    // than 255; then, behind version and serial number, the algorithm.
    let mut bytes = Reader::new(certificate);
    bytes.take(4).and_then(|_| bytes.take(2)).ok_or_else(unlikely)?;
    let content = bytes.vector(2).ok_or_else(unlikely)?;
    let place = content.windows(SHA256.len()).position(|window| window == SHA256).ok_or_else(unlikely)?;
    let (before, rest) = content.split_at(place);
    let after = rest.get(SHA256.len()..).unwrap_or_default();
    let algorithm = hash.algorithm();
    let signed = sequence(&[before, algorithm, after]);
    let signature: DerSignature = key.sign_prehash(&hash.of(&signed)).map_err(io::Error::other)?;
    Ok(sequence(&[&signed, algorithm, &element(BIT_STRING, &[&[0], signature.as_bytes()])]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::pki::Authority;

    #[test]
    fn openssl_reads_it_and_finds_the_signature_good() {
        let root = Authority::root("root").unwrap();
        let leaf = root.server(&["db.example"]).unwrap();
        let issuer = openssl::x509::X509::from_der(&root.der).unwrap();
        for (hash, nid) in [
            (Hash::Sha1, openssl::nid::Nid::ECDSA_WITH_SHA1),
            (Hash::Sha224, openssl::nid::Nid::ECDSA_WITH_SHA224),
        ] {
            let der = sign(&leaf.der, &root.key_der(), hash).unwrap();
            let certificate = openssl::x509::X509::from_der(&der).unwrap();
            assert_eq!(certificate.signature_algorithm().object().nid(), nid);
            assert!(certificate.verify(&issuer.public_key().unwrap()).unwrap());
        }
    }

    #[test]
    fn what_is_no_certificate_is_refused() {
        let root = Authority::root("root").unwrap();
        for bytes in [&b""[..], &[0x30; 6], &[0x30, 0x82, 0, 9, 0x30, 0x82, 0xff, 0xff, 1]] {
            assert!(sign(bytes, &root.key_der(), Hash::Sha1).is_err());
        }
    }
}
