//! Directories in which OpenSSL looks for certificates and CRLs by name (crypto/x509/by_dir.c, `get_cert_by_subject`):
//! which files it would open for a name, and what it would take from them.

use std::collections::HashSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::blocks::{self, Found, Kinds};
use super::{FileCertificate, FileCrl, RootStore, file};
use crate::certificate::{DistinguishedName, pem};
use crate::conninfo::Environment;
use crate::order;

/// A directory as OpenSSL sees it.
#[derive(Clone, Debug, Default)]
pub struct HashedDirectory {
    /// Its path.
    pub path: PathBuf,
    /// The files it would open, by hash and number.
    pub files: Vec<HashedFile>,
}

/// A file that OpenSSL opens when it looks for a name with this hash.
#[derive(Clone, Debug)]
pub struct HashedFile {
    /// The hash of the name (`X509_NAME_hash`).
    pub hash: u32,
    /// What it would take from the file: places in the list that the directory belongs to. Other names than the one it
    /// looks for may be among them.
    pub entries: Range<usize>,
}

/// Files with one hash that are read at most.
const MOST_NAMESAKES: usize = 1000;

/// OpenSSL takes a list of directories, separated as in `PATH` (`add_cert_dir`); one that comes twice counts once.
pub(super) fn directories(list: &Path, environment: &Environment) -> Vec<PathBuf> {
    let mut seen = HashSet::new();
    std::env::split_paths(list.as_os_str())
        .filter(|path| !path.as_os_str().is_empty() && seen.insert(path.clone()))
        .map(|path| environment.current_dir.join(path))
        .collect()
}

/// Adds what directories hold to the certificates that were loaded. A name that is loaded is never looked for in a
/// directory, so that its files are not even opened.
pub(super) fn look_for_certificates(
    directories: &[PathBuf],
    certificates: &mut Vec<FileCertificate>,
) -> Vec<HashedDirectory> {
    let subject = |entry: &FileCertificate| Some(entry.certificate.readable().subject?.hash());
    let loaded: HashSet<u32> = match directories {
        [] => return Vec::new(),
        _ => certificates.iter().filter_map(subject).collect(),
    };
    let read = |path: &Path| read(path, Kinds::Certificates, |found| found.certificates);
    look_for(directories, "", |hash| !loaded.contains(&hash), certificates, read)
}

/// What the directories of a store hold under these names, whether OpenSSL would open the files or not: where the store has
/// a certificate of the name already, it does not.
pub fn namesakes_in_directories(store: &RootStore, names: &[&DistinguishedName]) -> Vec<FileCertificate> {
    let hashes: HashSet<u32> = names.iter().map(|name| name.hash()).collect();
    let files = store
        .directories
        .iter()
        .flat_map(|directory| hashed_files(&directory.path, "", |hash| hashes.contains(&hash)));
    files.flat_map(|(_, path)| read(&path, Kinds::Certificates, |found| found.certificates).0).collect()
}

/// Adds what directories hold to the CRLs that were loaded. Unlike for certificates, OpenSSL always looks into them.
pub(super) fn look_for_crls(directories: &[PathBuf], lists: &mut Vec<FileCrl>) -> Vec<HashedDirectory> {
    let read = |path: &Path| {
        read(path, Kinds::Crls, |found| {
            let lists = found.crls.into_iter();
            lists.map(|(crl, line)| FileCrl { crl, file: path.to_owned(), line }).collect()
        })
    };
    look_for(directories, "r", |_| true, lists, read)
}

fn look_for<T>(
    directories: &[PathBuf],
    kind: &str,
    wanted: impl Fn(u32) -> bool,
    entries: &mut Vec<T>,
    read: impl Fn(&Path) -> (Vec<T>, bool),
) -> Vec<HashedDirectory> {
    let mut all = Vec::new();
    for directory in directories {
        let mut files: Vec<HashedFile> = Vec::new();
        let mut ended = None;
        for (hash, path) in hashed_files(directory, kind, &wanted) {
            // OpenSSL 3.0 and 1.1.1 open no file behind one that they cannot read (3.5 does).
            if ended == Some(hash) {
                continue;
            }
            let (found, whole) = read(&path);
            if !whole {
                ended = Some(hash);
            }
            let start = entries.len();
            entries.extend(found);
            files.push(HashedFile { hash, entries: start..entries.len() });
        }
        all.push(HashedDirectory { path: directory.clone(), files });
    }
    all
}

/// What OpenSSL takes from a file of a directory, block by block up to the first that it cannot read, and whether that is
/// all. A file without anything counts as one that cannot be read.
fn read<T>(path: &Path, kinds: Kinds, part: impl FnOnce(Found) -> Vec<T>) -> (Vec<T>, bool) {
    let Ok(bytes) = file::read(path) else { return (Vec::new(), false) };
    let mut found = Found::default();
    let fault = blocks::take(path, &pem::blocks(&bytes), kinds, &mut found).is_err();
    let entries = part(found);
    let whole = !fault && !entries.is_empty();
    (entries, whole)
}

/// The files that OpenSSL would come upon in a directory, in order: for each hash (eight hexadecimal digits in lower
/// case) that is wanted, `HASH.KIND0`, `HASH.KIND1`, and so on to the first that is missing. With the hash.
pub(super) fn hashed_files(
    directory: &Path,
    kind: &str,
    wanted: impl Fn(u32) -> bool,
) -> Vec<(u32, PathBuf)> {
    let Ok(entries) = crate::file::directory(directory) else { return Vec::new() };
    let first = format!(".{kind}0");
    let value = |hash: &str| {
        let digits = hash.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
        (digits && hash.len() == 8).then(|| u32::from_str_radix(hash, 16).ok()).flatten()
    };
    let mut hashes: Vec<(u32, String)> = entries
        .into_iter()
        .filter_map(|name| name.into_string().ok())
        .filter_map(|name| Some((value(name.strip_suffix(&first)?)?, name.strip_suffix('0')?.to_owned())))
        .filter(|(hash, _)| wanted(*hash))
        .collect();
    order::sort(&mut hashes);
    let numbered = |(hash, stem): (u32, String)| {
        (0..MOST_NAMESAKES)
            .map(move |number| (hash, directory.join(format!("{stem}{number}"))))
            .take_while(|(_, path)| crate::file::metadata(path).is_ok())
    };
    hashes.into_iter().flat_map(numbered).collect()
}
