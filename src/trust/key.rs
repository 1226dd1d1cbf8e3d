//! Private keys as libpq's OpenSSL reads them: PEM in PKCS#8, PKCS#1 or SEC1, encrypted or not, else unencrypted DER.
//!
//! This is the one place where rustls-pemfile is used. The crate is no longer maintained (RUSTSEC-2025-0134; its code
//! lives on in rustls-pki-types as `pem`); it parses only files that the user owns, behind the size limit of
//! `trust::file`, and a move to its successor changes this file alone.

use aes::cipher::{BlockModeDecrypt, KeyIvInit, block_padding::Pkcs7};
use md5::{Digest, Md5};
use pkcs8::EncryptedPrivateKeyInfoRef;
use rustls::pki_types::PrivateKeyDer;
use rustls_pemfile::Item;
use zeroize::Zeroizing;

use super::KeyProblem;
use crate::certificate::pem::{self, Block};

/// Reads a key. A pass phrase that is not needed is not used.
pub(super) fn read(bytes: &[u8], pass_phrase: Option<&[u8]>) -> Result<PrivateKeyDer<'static>, KeyProblem> {
    let blocks = pem::blocks(bytes);
    let Some(block) = blocks.iter().find(|block| block.label.ends_with("PRIVATE KEY")) else {
        return PrivateKeyDer::try_from(bytes).map(|key| key.clone_key()).map_err(|_| KeyProblem::NotAKey);
    };
    let pass_phrase = pass_phrase.filter(|pass_phrase| !pass_phrase.is_empty());
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
