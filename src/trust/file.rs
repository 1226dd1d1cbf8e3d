//! Reading a file as libpq finds it: is it there (`stat`), can it be read, and what is really in it.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use super::{FileContent, FileError};
use crate::certificate::pem::{self, Block};

/// The largest file that is read. The bundle of all public roots has a quarter of a megabyte.
pub const SIZE_LIMIT: u64 = 16 * 1024 * 1024;

impl From<&io::Error> for FileError {
    fn from(error: &io::Error) -> Self {
        Self { kind: error.kind(), text: error.to_string() }
    }
}

/// Whether libpq takes the file for present: `stat()` succeeds, whatever it is (fe-secure-openssl.c).
pub(super) fn is_present(path: &Path) -> bool {
    fs::metadata(path).is_ok()
}

/// The whole content.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    let read = || {
        let mut bytes = Vec::new();
        let size = File::open(path)?.take(SIZE_LIMIT + 1).read_to_end(&mut bytes)? as u64;
        if size > SIZE_LIMIT {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                format!("the file is larger than {SIZE_LIMIT} bytes"),
            ));
        }
        Ok(bytes)
    };
    read().map_err(|error| FileError::from(&error))
}

/// What a file is that holds no certificate in a form that OpenSSL's PEM reader takes.
pub(super) fn content(bytes: &[u8], blocks: &[Block]) -> FileContent {
    if bytes.trim_ascii().is_empty() {
        return FileContent::Empty;
    }
    let has = |ending: &str| blocks.iter().any(|block| block.label.ends_with(ending));
    if has("PKCS7") || has("CMS") {
        return FileContent::Pkcs7;
    }
    if has("CERTIFICATE REQUEST") {
        return FileContent::Csr;
    }
    if has("PRIVATE KEY") {
        return FileContent::PrivateKey;
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return FileContent::Utf16;
    }
    // A pair of ASCII and NUL over and over is UTF-16 without its mark.
    let head = bytes.get(..bytes.len().min(64)).unwrap_or_default();
    if head.len() >= 8 && head.iter().filter(|byte| **byte == 0).count() * 3 > head.len() && head.is_ascii() {
        return FileContent::Utf16;
    }
    let text = bytes.trim_ascii_start();
    if text.first() == Some(&b'<') {
        return FileContent::Html;
    }
    if bytes.first() == Some(&0x30) {
        return der_content(bytes);
    }
    FileContent::NoCertificate
}

/// What a DER SEQUENCE is, by what stands first in it (RFC 5280, 2315, 7292, 5208, 2986).
fn der_content(bytes: &[u8]) -> FileContent {
    use x509_parser::prelude::{FromDer, X509Certificate, X509CertificationRequest};

    const SIGNED_DATA: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
    if X509Certificate::from_der(bytes).is_ok() {
        return FileContent::DerCertificate;
    }
    if X509CertificationRequest::from_der(bytes).is_ok() {
        return FileContent::Csr;
    }
    let head = bytes.get(..bytes.len().min(32)).unwrap_or_default();
    if head.windows(SIGNED_DATA.len()).any(|window| window == SIGNED_DATA) {
        return FileContent::Pkcs7;
    }
    // PFX begins with version 3, PrivateKeyInfo and PKCS#1 with version 0, SEC1 with version 1.
    let inside = match bytes.get(1) {
        Some(short @ 0..=0x7f) => bytes.get(2..).filter(|_| *short > 0),
        Some(long) => bytes.get(2 + usize::from(long & 0x7f)..),
        None => None,
    };
    match inside.and_then(|inside| inside.first_chunk::<3>()) {
        Some([0x02, 0x01, 0x03]) => FileContent::Pkcs12,
        Some([0x02, 0x01, 0x00 | 0x01]) => FileContent::PrivateKey,
        _ => FileContent::NoCertificate,
    }
}

/// A file's blocks and bytes.
pub(super) fn read_blocks(path: &Path) -> Result<(Vec<u8>, Vec<Block>), FileError> {
    let bytes = read(path)?;
    let blocks = pem::blocks(&bytes);
    Ok((bytes, blocks))
}
