//! The trust anchors: `sslrootcert`, the default `root.crt`, or the system's (fe-secure-openssl.c, initialize_SSL).

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::file;
use super::{FileCertificate, FileContent, RootSource, RootStore, Roots};
use crate::certificate::pem::{self, Block};
use crate::certificate::{Certificate, Crl};
use crate::conninfo::{Environment, RootChoice, Settings, SslMode};

pub(super) fn load(settings: &Settings, environment: &Environment) -> Roots {
    if settings.sslmode == SslMode::Disable {
        return Roots::None;
    }
    let demanded = settings.sslmode >= SslMode::VerifyCa;
    let place = |path: &Path| environment.current_dir.join(path);
    match &settings.root {
        RootChoice::System => system(environment),
        RootChoice::Default(None) => absent(demanded, Roots::Missing { path: None, typed: None }),
        RootChoice::Default(Some(path)) => {
            if file::is_present(&place(path)) {
                from_file(&place(path), RootSource::DefaultFile(path.clone()))
            } else {
                absent(demanded, Roots::Missing { path: Some(path.clone()), typed: None })
            }
        }
        RootChoice::File { path, typed } => {
            if file::is_present(&place(path)) {
                return from_file(&place(path), RootSource::Given(path.clone()));
            }
            match typed {
                Some(typed) if file::is_present(&place(typed)) => from_file(
                    &place(typed),
                    RootSource::GivenAsTyped { typed: typed.clone(), parsed: path.clone() },
                ),
                _ => absent(demanded, Roots::Missing { path: Some(path.clone()), typed: typed.clone() }),
            }
        }
    }
}

/// An absent file stops verify-ca and verify-full; the others go on without verifying.
fn absent(demanded: bool, missing: Roots) -> Roots {
    if demanded { missing } else { Roots::None }
}

/// Reads any file as libpq would read a root file.
pub fn from_file(path: &Path, source: RootSource) -> Roots {
    if path.is_dir() {
        return Roots::Invalid { path: path.to_owned(), content: FileContent::Directory };
    }
    match file::read(path) {
        Ok(bytes) => from_bytes(path, &bytes, source),
        Err(error) => Roots::Unreadable { path: path.to_owned(), error },
    }
}

/// Takes bytes for the content of a root file at `path`.
pub fn from_bytes(path: &Path, bytes: &[u8], source: RootSource) -> Roots {
    let blocks = pem::blocks(bytes);
    match certificates(path, &blocks) {
        Ok(found) if found.certificates.is_empty() && found.crls.is_empty() => {
            Roots::Invalid { path: path.to_owned(), content: file::content(bytes, &blocks) }
        }
        Ok(found) => Roots::Loaded(RootStore { source, certificates: found.certificates }),
        Err(content) => Roots::Invalid { path: path.to_owned(), content },
    }
}

/// What OpenSSL's `X509_load_cert_crl_file` takes from a file.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) certificates: Vec<FileCertificate>,
    pub(super) crls: Vec<(Crl, usize)>,
}

/// Labels under which OpenSSL finds certificates.
pub(super) const CERTIFICATE_LABELS: [&str; 3] = ["CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"];

/// Takes certificates and CRLs from blocks; one bad block of any label spoils them all (pem_info.c).
pub(super) fn certificates(path: &Path, blocks: &[Block]) -> Result<Found, FileContent> {
    let mut found = Found::default();
    for block in blocks {
        let bad = |what: String| FileContent::BadBlock { line: block.line, what };
        let der = block.content.as_ref().map_err(|error| bad(error.to_string()))?;
        let is_certificate = CERTIFICATE_LABELS.contains(&block.label.as_str());
        if !is_certificate && block.label != "X509 CRL" {
            continue;
        }
        if !block.headers.is_empty() {
            return Err(bad("it has header lines".to_owned()));
        }
        if is_certificate {
            let certificate = if block.label == "TRUSTED CERTIFICATE" {
                Certificate::from_trusted_der(der).map_err(|error| bad(error.to_string()))?
            } else {
                Certificate::from_der_prefix(der)
            };
            if let (Err(error), false) = (certificate.facts(), certificate.decodes_but_for_times()) {
                return Err(bad(error.to_string()));
            }
            found.certificates.push(FileCertificate { certificate, file: path.to_owned(), line: block.line });
        } else {
            let crl = Crl::decode(der).map_err(|error| bad(error.to_string()))?;
            found.crls.push((crl, block.line));
        }
    }
    Ok(found)
}

<<<<<<< HEAD
/// The first DER element, without what follows it.
pub(super) fn first_element(der: &[u8]) -> Option<&[u8]> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, header) = match first {
        0..=0x7f => (usize::from(first), 2),
        0x81..=0x84 => {
            let count = usize::from(first & 0x7f);
            let length =
                rest.get(..count)?.iter().fold(0usize, |length, byte| length << 8 | usize::from(*byte));
            (length, 2 + count)
        }
        _ => return None,
    };
    (tag == 0x30).then(|| der.get(..header.checked_add(length)?))?
}

=======
>>>>>>> 84dd02c (Read trust settings of TRUSTED CERTIFICATE, client certificates as OpenSSL takes them, and sign with P-521 keys)
/// Files that OpenSSL builds of common systems read: Debian and Ubuntu, Fedora and Red Hat, Alpine, SUSE, macOS with
/// Homebrew (`openssl version -d` tells the directory; its `cert.pem` and `certs` are the defaults).
const SYSTEM_FILES: &[&str] = &[
    "/usr/lib/ssl/cert.pem",
    "/etc/ssl/cert.pem",
    "/etc/pki/tls/cert.pem",
    "/etc/ssl/certs/ca-certificates.crt",
    "/opt/homebrew/etc/openssl@3/cert.pem",
];

/// Directories with files named by hash.
const SYSTEM_DIRECTORIES: &[&str] =
    &["/usr/lib/ssl/certs", "/etc/ssl/certs", "/etc/pki/tls/certs", "/opt/homebrew/etc/openssl@3/certs"];

/// OpenSSL's default places; `SSL_CERT_FILE` and `SSL_CERT_DIR` replace them, an absent one is no error.
pub(super) fn system(environment: &Environment) -> Roots {
    let variable = |name: &str| environment.variables.get(OsStr::new(name)).map(PathBuf::from);
    let present = |places: &[&str]| places.iter().map(PathBuf::from).find(|place| file::is_present(place));
    let file = variable("SSL_CERT_FILE").or_else(|| present(SYSTEM_FILES));
    let directory = variable("SSL_CERT_DIR").or_else(|| present(SYSTEM_DIRECTORIES));
    let mut certificates = Vec::new();
    // An empty variable names nothing, and the default is not used either.
    if let Some(path) = file.as_ref().filter(|path| !path.as_os_str().is_empty()) {
        certificates.extend(found_in(&environment.current_dir.join(path)).certificates);
    }
    // Debian's bundle and directory hold the same roots: one of them is enough, where nothing was asked for.
    if certificates.is_empty() || variable("SSL_CERT_DIR").is_some() {
        for directory in directory.iter().flat_map(|list| directories(list, environment)) {
            for path in hashed_files(&directory, "") {
                certificates.extend(found_in(&path).certificates);
            }
        }
    }
    Roots::Loaded(RootStore { source: RootSource::System { file, directory }, certificates })
}

/// What OpenSSL takes from a file, nothing if it cannot be read.
fn found_in(path: &Path) -> Found {
    let blocks = file::read(path).map(|bytes| pem::blocks(&bytes)).unwrap_or_default();
    certificates(path, &blocks).unwrap_or_default()
}

/// OpenSSL takes a list of directories, separated as in `PATH` (by_dir.c, add_cert_dir).
pub(super) fn directories(list: &Path, environment: &Environment) -> Vec<PathBuf> {
    std::env::split_paths(list.as_os_str())
        .filter(|path| !path.as_os_str().is_empty())
        .map(|path| environment.current_dir.join(path))
        .collect()
}

/// The files that OpenSSL would come upon in a directory, in order: for each hash (eight hexadecimal digits in lower
/// case), `HASH.KIND0`, `HASH.KIND1`, and so on to the first that is missing (by_dir.c, get_cert_by_subject).
pub(super) fn hashed_files(directory: &Path, kind: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let first = format!(".{kind}0");
    let mut hashes: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|name| name.strip_suffix(&first).map(str::to_owned))
        .filter(|hash| {
            hash.len() == 8 && hash.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
        })
        .collect();
    hashes.sort();
    let numbered = |hash: String| {
        (0..MOST_NAMESAKES)
            .map(move |number| directory.join(format!("{hash}.{kind}{number}")))
            .take_while(|path| path.exists())
    };
    hashes.into_iter().flat_map(numbered).collect()
}

/// Files with one hash that are read at most.
const MOST_NAMESAKES: usize = 1000;
