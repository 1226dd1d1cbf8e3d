//! Private keys as libpq's OpenSSL reads them: PEM in PKCS#8, PKCS#1 or SEC1, encrypted or not, else unencrypted DER.
//!
//! This is the one place where rustls-pemfile is used. The crate is no longer maintained (RUSTSEC-2025-0134; its code
//! lives on in rustls-pki-types as `pem`); it parses only files that the user owns, behind the size limit of
//! `trust::file`, and a move to its successor changes this file alone.

use aes::cipher::{BlockModeDecrypt, KeyIvInit, block_padding::Pkcs7};
use md5::{Digest, Md5};
use pkcs8::der::asn1::AnyRef;
use pkcs8::der::{Decode as _, Encode as _, Reader as _, SliceReader, Tag, Tagged as _};
use pkcs8::{EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef};
use rustls::pki_types::PrivateKeyDer;
use rustls_pemfile::Item;
use zeroize::Zeroizing;

use super::KeyProblem;
use crate::certificate::DerKind;
use crate::certificate::pem::{self, Block};

/// The labels of keys that OpenSSL reads. (An OpenSSH key is none of them.)
const LABELS: [&str; 4] = ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY"];

/// rsaEncryption (RFC 8017).
const RSA_ENCRYPTION: pkcs8::ObjectIdentifier = pkcs8::ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// Reads a key. A pass phrase that is not needed is not used.
pub(super) fn read(bytes: &[u8], pass_phrase: Option<&[u8]>) -> Result<PrivateKeyDer<'static>, KeyProblem> {
    let blocks = pem::blocks(bytes);
    let key = match blocks.iter().find(|block| LABELS.contains(&block.label.as_str())) {
        Some(block) => from_block(bytes, block, pass_phrase.filter(|pass_phrase| !pass_phrase.is_empty()))?,
        // The beginning of a PKCS#12 bundle passes for that of a key.
        None if matches!(DerKind::of(bytes), Some(DerKind::Pkcs12 | DerKind::Certificate)) => {
            return Err(what_else(bytes, &blocks));
        }
        None => PrivateKeyDer::try_from(bytes).map_err(|_| what_else(bytes, &blocks))?.clone_key(),
    };
    if is_whole(&key) { Ok(key) } else { Err(KeyProblem::Damaged) }
}

/// Whether a key stands in a file as PEM: PostgreSQL reads its own in no other form.
pub(super) fn is_pem(bytes: &[u8]) -> bool {
    pem::blocks(bytes).iter().any(|block| LABELS.contains(&block.label.as_str()))
}

/// The public key of an RSA key of any size, as a subjectPublicKeyInfo; `None` of others.
pub(super) fn rsa_public_key(key: &PrivateKeyDer<'_>) -> Option<Vec<u8>> {
    let parts = match key {
        PrivateKeyDer::Pkcs1(key) => key.secret_pkcs1_der(),
        PrivateKeyDer::Pkcs8(key) => {
            let info = PrivateKeyInfoRef::try_from(key.secret_pkcs8_der()).ok()?;
            if info.algorithm.oid != RSA_ENCRYPTION {
                return None;
            }
            info.private_key.as_bytes()
        }
        _ => return None,
    };
    // RSAPrivateKey (RFC 8017, appendix A.1.2): version, modulus, public exponent, and what is secret.
    let sequence = AnyRef::from_der(parts).ok()?;
    let mut reader = SliceReader::new(sequence.value()).ok()?;
    reader.tlv_bytes().ok()?;
    let public = [reader.tlv_bytes().ok()?, reader.tlv_bytes().ok()?].concat();
    let public = AnyRef::new(Tag::Sequence, &public).ok()?.to_der().ok()?;
    Some(
        rustls::sign::public_key_to_spki(&rustls::pki_types::alg_id::RSA_ENCRYPTION, public)
            .as_ref()
            .to_vec(),
    )
}

/// What a file is that has no key which libpq reads.
fn what_else(bytes: &[u8], blocks: &[Block]) -> KeyProblem {
    let has = |label: &str| blocks.iter().any(|block| block.label.ends_with(label));
    if has("OPENSSH PRIVATE KEY") {
        return KeyProblem::OpenSsh;
    }
    if has("CERTIFICATE") {
        return KeyProblem::Certificate;
    }
    match DerKind::of(bytes) {
        Some(DerKind::Pkcs12) => return KeyProblem::Pkcs12,
        Some(DerKind::Certificate) => return KeyProblem::Certificate,
        _ => {}
    }
    if EncryptedPrivateKeyInfoRef::try_from(bytes).is_ok() {
        return KeyProblem::EncryptedDer;
    }
    let is_text = std::str::from_utf8(bytes).is_ok_and(|text| text.contains("PRIVATE KEY"));
    if is_text { KeyProblem::Altered } else { KeyProblem::NotAKey }
}

fn from_block(
    bytes: &[u8],
    block: &Block,
    pass_phrase: Option<&[u8]>,
) -> Result<PrivateKeyDer<'static>, KeyProblem> {
    if block.label == "ENCRYPTED PRIVATE KEY" {
        return pkcs8(block, pass_phrase.ok_or(KeyProblem::PassPhraseMissing)?);
    }
    if block.headers.iter().any(|header| header.starts_with("Proc-Type:") && header.contains("ENCRYPTED")) {
        return legacy(block, pass_phrase.ok_or(KeyProblem::PassPhraseMissing)?);
    }
    match rustls_pemfile::read_one_from_slice(bytes_from(bytes, block)) {
        Ok(Some((Item::Pkcs1Key(key), _))) => Ok(key.into()),
        Ok(Some((Item::Pkcs8Key(key), _))) => Ok(key.into()),
        Ok(Some((Item::Sec1Key(key), _))) => Ok(key.into()),
        _ => Err(KeyProblem::Damaged),
    }
}

/// Whether the outermost structure is there as a whole: of a key of a kind that nothing here signs with, no more is
/// looked at.
fn is_whole(key: &PrivateKeyDer<'_>) -> bool {
    match key {
        PrivateKeyDer::Pkcs8(key) => PrivateKeyInfoRef::try_from(key.secret_pkcs8_der()).is_ok(),
        other => AnyRef::from_der(other.secret_der()).is_ok_and(|outermost| outermost.tag() == Tag::Sequence),
    }
}

/// The file from the line on which the block begins.
fn bytes_from<'a>(bytes: &'a [u8], block: &Block) -> &'a [u8] {
    let before: usize =
        bytes.split_inclusive(|byte| *byte == b'\n').take(block.line - 1).map(<[u8]>::len).sum();
    bytes.get(before..).unwrap_or_default()
}

/// PBES2 (RFC 8018).
fn pkcs8(block: &Block, pass_phrase: &[u8]) -> Result<PrivateKeyDer<'static>, KeyProblem> {
    let der = block.content.as_ref().map_err(|_| KeyProblem::Damaged)?;
    let encrypted = EncryptedPrivateKeyInfoRef::try_from(der.as_slice()).map_err(|_| KeyProblem::Damaged)?;
    if encrypted.encryption_algorithm.pbes2().is_none() {
        return Err(KeyProblem::CipherUnknown(encrypted.encryption_algorithm.oid().to_string()));
    }
    let key = encrypted.decrypt(pass_phrase).map_err(|_| KeyProblem::PassPhraseWrong)?;
    PrivateKeyDer::try_from(key.as_bytes())
        .map(|key| key.clone_key())
        .map_err(|_| KeyProblem::PassPhraseWrong)
}

/// `Proc-Type: 4,ENCRYPTED` (RFC 1421 as OpenSSL has it): the key comes from MD5 over pass phrase and the first 8 bytes
/// of the initialisation vector (EVP_BytesToKey), the cipher is in `DEK-Info`.
fn legacy(block: &Block, pass_phrase: &[u8]) -> Result<PrivateKeyDer<'static>, KeyProblem> {
    let content = block.content.as_ref().map_err(|_| KeyProblem::Damaged)?;
    let info = block
        .headers
        .iter()
        .find_map(|header| header.strip_prefix("DEK-Info:"))
        .ok_or(KeyProblem::Damaged)?;
    let (cipher, iv) = info.trim().split_once(',').ok_or(KeyProblem::Damaged)?;
    let iv = hex(iv).ok_or(KeyProblem::Damaged)?;
    let salt = iv.get(..8).ok_or(KeyProblem::Damaged)?;
    let key = |length| derived(pass_phrase, salt, length);
    let wrong = |_| KeyProblem::PassPhraseWrong;
    macro_rules! decrypt {
        ($cipher:ty, $length:expr) => {
            cbc::Decryptor::<$cipher>::new_from_slices(&key($length), &iv)
                .map_err(|_| KeyProblem::Damaged)?
                .decrypt_padded_vec::<Pkcs7>(content)
                .map_err(wrong)?
        };
    }
    let der = Zeroizing::new(match cipher {
        "AES-128-CBC" => decrypt!(aes::Aes128, 16),
        "AES-192-CBC" => decrypt!(aes::Aes192, 24),
        "AES-256-CBC" => decrypt!(aes::Aes256, 32),
        "DES-EDE3-CBC" => decrypt!(des::TdesEde3, 24),
        "DES-CBC" => decrypt!(des::Des, 8),
        other => return Err(KeyProblem::CipherUnknown(other.to_owned())),
    });
    PrivateKeyDer::try_from(der.as_slice())
        .map(|key| key.clone_key())
        .map_err(|_| KeyProblem::PassPhraseWrong)
}

fn derived(pass_phrase: &[u8], salt: &[u8], length: usize) -> Zeroizing<Vec<u8>> {
    let mut key = Zeroizing::new(Vec::new());
    let mut last: Vec<u8> = Vec::new();
    while key.len() < length {
        last =
            Md5::new().chain_update(&last).chain_update(pass_phrase).chain_update(salt).finalize().to_vec();
        key.extend_from_slice(&last);
    }
    key.truncate(length);
    key
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text
        .trim()
        .chars()
        .map(|digit| digit.to_digit(16).map(|digit| digit as u8))
        .collect::<Option<_>>()?;
    digits.chunks(2).map(|pair| Some(pair.first()? << 4 | pair.get(1)?)).collect()
}

#[cfg(test)]
mod tests {
    use cbc::cipher::{BlockModeEncrypt, block_padding::Pkcs7 as Padding};
    use openssl::ec::{EcGroup, EcKey};
    use openssl::nid::Nid;
    use openssl::pkey::{PKey, Private};
    use openssl::rsa::Rsa;
    use openssl::symm::Cipher;
    use proptest::prelude::*;

    use super::*;

    const PASS: &[u8] = b"secret";

    fn rsa() -> Rsa<Private> {
        Rsa::generate(2048).unwrap()
    }

    fn ec(curve: Nid) -> EcKey<Private> {
        EcKey::generate(&EcGroup::from_curve_name(curve).unwrap()).unwrap()
    }

    /// The key read is the one that OpenSSL wrote.
    fn assert_reads(text: &[u8], pass_phrase: Option<&[u8]>, wanted: &PKey<Private>) {
        let key = read(text, pass_phrase).unwrap();
        let read = PKey::private_key_from_der(key.secret_der()).unwrap();
        assert!(read.public_eq(wanted), "{}", String::from_utf8_lossy(text));
    }

    #[test]
    fn plain_keys_of_every_form_are_read() {
        let rsa = rsa();
        let key = PKey::from_rsa(rsa.clone()).unwrap();
        let forms = [
            rsa.private_key_to_pem().unwrap(),
            rsa.private_key_to_der().unwrap(),
            key.private_key_to_pem_pkcs8().unwrap(),
            key.private_key_to_pkcs8().unwrap(),
            [b"a note\n".to_vec(), key.private_key_to_pem_pkcs8().unwrap()].concat(),
        ];
        for form in forms {
            assert_reads(&form, None, &key);
            assert_reads(&form, Some(b"needless"), &key);
        }
        for curve in [Nid::X9_62_PRIME256V1, Nid::SECP384R1, Nid::SECP521R1] {
            let pair = ec(curve);
            let key = PKey::from_ec_key(pair.clone()).unwrap();
            for form in [
                pair.private_key_to_pem().unwrap(),
                pair.private_key_to_der().unwrap(),
                key.private_key_to_pem_pkcs8().unwrap(),
                // As `openssl ecparam -genkey` writes it.
                [
                    b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
                        .to_vec(),
                    pair.private_key_to_pem().unwrap(),
                ]
                .concat(),
            ] {
                assert_reads(&form, None, &key);
            }
        }
        for key in [PKey::generate_ed25519().unwrap(), PKey::generate_ed448().unwrap()] {
            assert_reads(&key.private_key_to_pem_pkcs8().unwrap(), None, &key);
        }
    }

    #[test]
    fn encrypted_pem_is_opened_with_the_pass_phrase_only() {
        let (rsa, pair) = (rsa(), ec(Nid::X9_62_PRIME256V1));
        let rsa_key = PKey::from_rsa(rsa.clone()).unwrap();
        let ec_key = PKey::from_ec_key(pair.clone()).unwrap();
        for cipher in
            [Cipher::aes_128_cbc(), Cipher::aes_192_cbc(), Cipher::aes_256_cbc(), Cipher::des_ede3_cbc()]
        {
            for (text, key) in [
                (rsa_key.private_key_to_pem_pkcs8_passphrase(cipher, PASS).unwrap(), &rsa_key),
                (ec_key.private_key_to_pem_pkcs8_passphrase(cipher, PASS).unwrap(), &ec_key),
                (rsa.private_key_to_pem_passphrase(cipher, PASS).unwrap(), &rsa_key),
                (pair.private_key_to_pem_passphrase(cipher, PASS).unwrap(), &ec_key),
            ] {
                assert_reads(&text, Some(PASS), key);
                for none in [None, Some(&b""[..])] {
                    assert_eq!(read(&text, none), Err(KeyProblem::PassPhraseMissing));
                }
                assert_eq!(read(&text, Some(b"wrong")), Err(KeyProblem::PassPhraseWrong));
            }
        }
    }

    /// OpenSSL 3 has DES in its legacy provider only, so that the test encrypts by itself.
    #[test]
    fn des_is_read() {
        let rsa = rsa();
        let iv = [1u8, 2, 3, 4, 5, 6, 7, 0xab];
        let cipher = cbc::Encryptor::<des::Des>::new_from_slices(&derived(PASS, &iv, 8), &iv).unwrap();
        let text = cipher.encrypt_padded_vec::<Padding>(&rsa.private_key_to_der().unwrap());
        let text = format!(
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: DES-CBC,01020304050607AB\n\n{}\n\
             -----END RSA PRIVATE KEY-----\n",
            openssl::base64::encode_block(&text)
        );
        assert_reads(text.as_bytes(), Some(PASS), &PKey::from_rsa(rsa).unwrap());
        let other = text.replace("DES-CBC", "CAMELLIA-128-CBC");
        let unknown = KeyProblem::CipherUnknown("CAMELLIA-128-CBC".to_owned());
        assert_eq!(read(other.as_bytes(), Some(PASS)), Err(unknown));
        for damaged in
            [text.replace("DEK-Info", "Dek"), text.replace(",01", ",0"), text.replace(",0102", ",0x02")]
        {
            assert!(read(damaged.as_bytes(), Some(PASS)).is_err(), "{damaged}");
        }
    }

    #[test]
    fn what_is_no_key_is_told_apart() {
        let key = PKey::from_rsa(rsa()).unwrap();
        let text = String::from_utf8(key.private_key_to_pem_pkcs8().unwrap()).unwrap();
        let encrypted = key.private_key_to_pkcs8_passphrase(Cipher::aes_256_cbc(), PASS).unwrap();
        let der = key.private_key_to_pkcs8().unwrap();
        for (content, problem) in [
            (b"".to_vec(), KeyProblem::NotAKey),
            (b"a note".to_vec(), KeyProblem::NotAKey),
            (key.public_key_to_pem().unwrap(), KeyProblem::NotAKey),
            (key.public_key_to_der().unwrap(), KeyProblem::NotAKey),
            (text.replace("PRIVATE", "OPENSSH PRIVATE").into_bytes(), KeyProblem::OpenSsh),
            // libpq does not decrypt DER.
            (encrypted, KeyProblem::EncryptedDer),
            (text.replace('\n', "\\n").into_bytes(), KeyProblem::Altered),
            (text.replace("-----", "\u{2014}").into_bytes(), KeyProblem::Altered),
            (text.replace('M', "*").into_bytes(), KeyProblem::Damaged),
            (text.as_bytes()[..text.len() / 2].to_vec(), KeyProblem::Damaged),
            (der[..der.len() / 2].to_vec(), KeyProblem::Damaged),
        ] {
            let shown = String::from_utf8_lossy(&content).into_owned();
            assert_eq!(read(&content, Some(PASS)).map(|_| ()), Err(problem), "{shown}");
        }
    }

    proptest! {
        #![proptest_config(crate::properties::config())]

        #[test]
        fn any_damage_is_only_an_error(at in 0usize..1700, byte in any::<u8>()) {
            static KEYS: std::sync::OnceLock<[Vec<u8>; 3]> = std::sync::OnceLock::new();
            let keys = KEYS.get_or_init(|| {
                let (rsa, cipher) = (rsa(), Cipher::aes_128_cbc());
                let key = PKey::from_rsa(rsa.clone()).unwrap();
                [
                    rsa.private_key_to_pem_passphrase(cipher, PASS).unwrap(),
                    key.private_key_to_pem_pkcs8().unwrap(),
                    key.private_key_to_pkcs8().unwrap(),
                ]
            });
            for key in keys {
                let mut damaged = key.clone();
                if let Some(place) = damaged.get_mut(at) {
                    *place = byte;
                }
                drop(read(&damaged, Some(PASS)));
            }
        }
    }
}
