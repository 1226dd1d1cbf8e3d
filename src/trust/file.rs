//! Reading a file as libpq finds it: is it there (`stat`), can it be read, and what is really in it.

use std::io;
use std::path::{Path, PathBuf};

use super::{FileContent, FileError, Pkcs7Form, Utf16Form, Wrapping};
use crate::certificate::DerKind;
use crate::certificate::pem::Block;
use crate::conninfo::obstacle;
use crate::file;

/// The largest file that is read. The bundle of all public roots has a quarter of a megabyte.
pub(super) const SIZE_LIMIT: u64 = 16 * 1024 * 1024;

impl FileError {
    /// What the system says of a file, and what is in the way.
    pub(super) fn at(path: &Path, error: &io::Error) -> Self {
        Self { kind: error.kind(), text: error.to_string(), obstacle: obstacle(path).map(Box::new) }
    }
}

/// Whether libpq takes the file for present: `stat()` succeeds, whatever it is (fe-secure-openssl.c).
pub(super) fn is_present(path: &Path) -> bool {
    match file::metadata(path) {
        Ok(_) => true,
        // Reading it tells.
        Err(error) => error.kind() == io::ErrorKind::TimedOut,
    }
}

/// The whole content.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    file::read(path, SIZE_LIMIT).map_err(|error| FileError::at(path, &error))
}

/// What a file is that holds no certificate in a form that OpenSSL's PEM reader takes.
pub(super) fn content(bytes: &[u8], blocks: &[Block]) -> FileContent {
    if bytes.trim_ascii().is_empty() {
        return FileContent::Empty;
    }
    let has = |ending: &str| blocks.iter().any(|block| block.label.ends_with(ending));
    // OpenSSL's reader of PKCS#7 takes these labels and not CMS (pem_lib.c, check_pem).
    if has("PKCS7") || has("PKCS #7 SIGNED DATA") {
        return FileContent::Pkcs7(Pkcs7Form::Pem);
    }
    if has("CMS") {
        return FileContent::Pkcs7(Pkcs7Form::PemCms);
    }
    if has("CERTIFICATE REQUEST") {
        return FileContent::Csr;
    }
    if has("PRIVATE KEY") {
        return FileContent::PrivateKey;
    }
    // FEEDFEED of JKS, CECECECE of JCEKS (sun.security.provider.JavaKeyStore).
    if bytes.starts_with(b"\xfe\xed\xfe\xed") || bytes.starts_with(b"\xce\xce\xce\xce") {
        return FileContent::JavaKeystore;
    }
    if let Some(form) = utf16(bytes) {
        return FileContent::Utf16(form);
    }
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    if text.first() == Some(&b'<') {
        return FileContent::Html;
    }
    match DerKind::of(bytes) {
        Some(DerKind::Certificate) => FileContent::DerCertificate,
        Some(DerKind::Request) => FileContent::Csr,
        Some(DerKind::SignedData) => FileContent::Pkcs7(Pkcs7Form::Der),
        Some(DerKind::Pkcs12) => FileContent::Pkcs12,
        Some(DerKind::PrivateKey) => FileContent::PrivateKey,
        None => match placeholder(text)
            .map(FileContent::Placeholder)
            .or_else(|| Wrapping::of(text).map(FileContent::Wrapped))
        {
            Some(found) => found,
            None => path_of_file(bytes).map_or(FileContent::NoCertificate, FileContent::PathOfFile),
        },
    }
}

/// The variable that is all of a file: `$(NAME)` of Azure Pipelines and make, `${NAME}` and `$NAME` of shells, `%NAME%` of cmd,
/// `{{ NAME }}` of templates, `#{NAME}#` of token replacers. It is going to be shown: what may be a password is none.
fn placeholder(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?.trim();
    let text = text.strip_prefix(['"', '\'']).map_or(text, |text| text.trim_end_matches(['"', '\'']));
    let enclosed = [
        ("$(", ")"),
        ("${{", "}}"),
        ("${", "}"),
        ("{{", "}}"),
        ("#{", "}#"),
        ("#{", "}"),
        ("%", "%"),
        ("__", "__"),
    ];
    let inside =
        enclosed.into_iter().find_map(|(before, after)| text.strip_prefix(before)?.strip_suffix(after));
    let is_name = |name: &str, upper: bool| {
        let fits = |c: char| {
            c == '_'
                || c.is_ascii_digit()
                || if upper { c.is_ascii_uppercase() } else { c.is_ascii_alphabetic() || "-.".contains(c) }
        };
        (1..=60).contains(&name.len())
            && !name.starts_with(|c: char| c.is_ascii_digit())
            && name.chars().all(fits)
    };
    let is_one = match inside {
        Some(name) => is_name(name.trim(), false),
        None => text.strip_prefix('$').is_some_and(|name| name.contains('_') && is_name(name, true)),
    };
    is_one.then(|| text.to_owned())
}

/// The path that a file holds in the place of content: on its only line, perhaps quoted, or in what a shell or curl would
/// have replaced with the content (`$(cat FILE)`, `@FILE`). It is going to be shown: what may be anything, a password or the
/// body of a key among them, is no path.
fn path_of_file(bytes: &[u8]) -> Option<PathBuf> {
    let text = std::str::from_utf8(bytes).ok()?.trim();
    let unwrapped =
        [("\"", "\""), ("'", "'"), ("$(cat ", ")"), ("$(<", ")"), ("`cat ", "`"), ("file://", ""), ("@", "")]
            .into_iter()
            .fold(text, |text, (before, after)| {
                let inside = text.strip_prefix(before).and_then(|text| text.strip_suffix(after));
                inside.unwrap_or(text).trim()
            });
    let is_path = [".pem", ".crt", ".cer", ".cert", ".ca", ".der", ".bundle", ".ca-bundle", ".p7b", ".txt"]
        .iter()
        .any(|end| unwrapped.to_ascii_lowercase().ends_with(end))
        || unwrapped != text && text.starts_with(['$', '`']) && unwrapped.contains(['/', '\\']);
    let is_plain =
        unwrapped.len() <= 1024 && unwrapped.chars().all(|c| crate::text::is_printable(c) && c != ' ');
    let path = PathBuf::from(unwrapped);
    (is_path && is_plain && crate::conninfo::mask_path(&path) == unwrapped).then_some(path)
}

/// Whether bytes are UTF-16: they begin with its mark, or are ASCII beside NUL over and over.
pub(super) fn utf16(bytes: &[u8]) -> Option<Utf16Form> {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Some(Utf16Form::Marked);
    }
    let head = bytes.get(..bytes.len().min(64)).unwrap_or_default();
    let zeros = |parity: usize| head.iter().skip(parity).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    if head.len() < 8 || !head.is_ascii() || (even + odd) * 3 <= head.len() {
        return None;
    }
    Some(if odd >= even { Utf16Form::LittleEndian } else { Utf16Form::BigEndian })
}

/// UTF-16 as text.
pub(super) fn decoded(bytes: &[u8], form: Utf16Form) -> String {
    let (text, is_little) = match (form, bytes) {
        (Utf16Form::Marked, [0xff, 0xfe, text @ ..]) => (text, true),
        (Utf16Form::Marked, [0xfe, 0xff, text @ ..]) => (text, false),
        (form, text) => (text, form != Utf16Form::BigEndian),
    };
    let order = if is_little { u16::from_le_bytes } else { u16::from_be_bytes };
    let units: Vec<u16> =
        text.chunks_exact(2).filter_map(|pair| Some(order(pair.try_into().ok()?))).collect();
    String::from_utf16_lossy(&units)
}
