//! Certificates signed with SHA-1, which no library of today makes: one signed with SHA-256 is written anew with the
//! other algorithm and signed again. The hash is broken (SHAttered, 2017), and clients are to notice.

use std::io;

use p256::ecdsa::signature::hazmat::PrehashSigner;
use p256::ecdsa::{DerSignature, SigningKey};
use p256::pkcs8::DecodePrivateKey;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

/// AlgorithmIdentifier of ecdsa-with-SHA256 (RFC 5758, 3.2) and of ecdsa-with-SHA1 (RFC 3279, 2.2.3).
const SHA256: &[u8] = &[0x30, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
const SHA1: &[u8] = &[0x30, 9, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1];

const SEQUENCE: u8 = 0x30;
const BIT_STRING: u8 = 0x03;

/// Signs a certificate anew with its issuer's P-256 key (PKCS#8 in DER).
pub(super) fn sign(certificate: &[u8], issuer: &[u8]) -> io::Result<Vec<u8>> {
    let unlikely = || io::Error::other("a certificate that is not signed with ECDSA and SHA-256");
    let key = SigningKey::from_pkcs8_der(issuer).map_err(io::Error::other)?;
    // The certificate's own header, then that of the part that is signed, each of four bytes since both are longer
    // than 255; then, behind version and serial number, the algorithm.
    let (_, body) = certificate.split_first_chunk::<4>().ok_or_else(unlikely)?;
    let ([_, _, high, low], content) = body.split_first_chunk::<4>().ok_or_else(unlikely)?;
    let content = content.get(..usize::from(u16::from_be_bytes([*high, *low]))).ok_or_else(unlikely)?;
    let place = content.windows(SHA256.len()).position(|window| window == SHA256).ok_or_else(unlikely)?;
    let (before, rest) = content.split_at(place);
    let after = rest.get(SHA256.len()..).unwrap_or_default();
    let signed = element(SEQUENCE, &[before, SHA1, after]);
    let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, &signed);
    let signature: DerSignature = key.sign_prehash(hash.as_ref()).map_err(io::Error::other)?;
    Ok(element(SEQUENCE, &[&signed, SHA1, &element(BIT_STRING, &[&[0], signature.as_bytes()])]))
}

/// An element of DER, at most 65,535 bytes long.
fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let [high, low] = u16::try_from(content.len()).unwrap_or(u16::MAX).to_be_bytes();
    let header: &[u8] = match (high, low) {
        (0, ..0x80) => &[tag, low],
        (0, _) => &[tag, 0x81, low],
        _ => &[tag, 0x82, high, low],
    };
    [header, &content].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::pki::Authority;

    #[test]
    fn openssl_reads_it_and_finds_the_signature_good() {
        let root = Authority::root("root").unwrap();
        let leaf = root.server(&["db.example"]).unwrap();
        let der = sign(&leaf.der, &root.key_der()).unwrap();
        let certificate = openssl::x509::X509::from_der(&der).unwrap();
        let issuer = openssl::x509::X509::from_der(&root.der).unwrap();
        assert_eq!(certificate.signature_algorithm().object().nid(), openssl::nid::Nid::ECDSA_WITH_SHA1);
        assert!(certificate.verify(&issuer.public_key().unwrap()).unwrap());
    }

    #[test]
    fn what_is_no_certificate_is_refused() {
        let root = Authority::root("root").unwrap();
        for bytes in [&b""[..], &[0x30; 6], &[0x30, 0x82, 0, 9, 0x30, 0x82, 0xff, 0xff, 1]] {
            assert!(sign(bytes, &root.key_der()).is_err());
        }
    }
}
