//! Reading a file as libpq finds it: is it there (`stat`), can it be read, and what is really in it.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::{FileContent, FileError};
use crate::certificate::DerKind;
use crate::certificate::pem::Block;

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

/// How long to wait for a file that is no regular one: a pipe that nobody writes to never ends.
const PIPE_LIMIT: Duration = Duration::from_secs(5);

/// The whole content.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    let content = match fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() && !metadata.is_dir() => read_in_time(path, PIPE_LIMIT),
        _ => read_whole(path),
    };
    content.map_err(|error| FileError::from(&error))
}

fn read_whole(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let size = File::open(path)?.take(SIZE_LIMIT + 1).read_to_end(&mut bytes)? as u64;
    if size > SIZE_LIMIT {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("the file is larger than {SIZE_LIMIT} bytes"),
        ));
    }
    Ok(bytes)
}

/// Reads on another thread, which is left to itself when the time is over.
pub(super) fn read_in_time(path: &Path, limit: Duration) -> io::Result<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    let path = path.to_owned();
    thread::Builder::new().spawn(move || sender.send(read_whole(&path)))?;
    receiver.recv_timeout(limit).unwrap_or_else(|_| {
        Err(io::Error::new(
            io::ErrorKind::TimedOut,
            format!("nothing came from it within {} s", limit.as_secs()),
        ))
    })
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
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    if text.first() == Some(&b'<') {
        return FileContent::Html;
    }
    match DerKind::of(bytes) {
        Some(DerKind::Certificate) => FileContent::DerCertificate,
        Some(DerKind::Request) => FileContent::Csr,
        Some(DerKind::SignedData) => FileContent::Pkcs7,
        Some(DerKind::Pkcs12) => FileContent::Pkcs12,
        Some(DerKind::PrivateKey) => FileContent::PrivateKey,
        None => FileContent::NoCertificate,
    }
}
