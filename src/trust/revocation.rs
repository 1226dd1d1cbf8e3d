//! CRLs: `sslcrl`, `sslcrldir`, the default `root.crl` (fe-secure-openssl.c, initialize_SSL). libpq switches checking
//! on when `X509_STORE_load_locations` succeeds, and says nothing when it does not.

use std::path::Path;

use super::file;
use super::roots::{self, hashed_files};
use super::{CrlDirectory, CrlDirectoryState, FileCertificate, FileCrl, Revocation, Roots};
use crate::conninfo::{Environment, Settings};

/// What was found: the lists, and certificates that stand among them, which OpenSSL trusts like those of the root file.
pub(super) fn load(
    settings: &Settings,
    environment: &Environment,
    roots: &Roots,
) -> (Revocation, Vec<FileCertificate>) {
    // Without a root file libpq does not come to CRLs (measured: any sslmode).
    let Roots::Loaded(_) = roots else { return (Revocation::Off, Vec::new()) };
    let given = |keyword| settings.path(keyword);
    let (file, directory) = match (given("sslcrl"), given("sslcrldir")) {
        (None, None) => (environment.default_file("root.crl"), None),
        given => given,
    };
    let file = file.map(|path| environment.current_dir.join(path));
    let directories = directory.map(|list| (list.clone(), directories(&list, environment)));

    let mut lists = Vec::new();
    let mut certificates = Vec::new();
    if let Some(path) = &file {
        match from_file(path) {
            Ok(found) => {
                lists.extend(found.0);
                certificates.extend(found.1);
            }
            // A default file that is absent was not asked for.
            Err(why) if given("sslcrl").is_some() || file::is_present(path) => {
                return (Revocation::Ignored { path: path.clone(), why }, Vec::new());
            }
            Err(_) => return (Revocation::Off, Vec::new()),
        }
    } else if directories.is_none() {
        return (Revocation::Off, Vec::new());
    }
    let directory = directories.map(|(given, directories)| {
        let mut state = CrlDirectoryState::Missing;
        for directory in directories {
            state = state.max(directory_state(&directory));
            for path in numbered(&directory, "r") {
                if let Ok((found, _)) = from_file(&path) {
                    lists.extend(found);
                }
            }
            for path in numbered(&directory, "") {
                if let Ok((_, found)) = from_file(&path) {
                    certificates.extend(found);
                }
            }
        }
        CrlDirectory { path: given, state }
    });
    (Revocation::On { lists, directory }, certificates)
}

/// The lists and certificates of a file, or why OpenSSL takes nothing from it.
fn from_file(path: &Path) -> Result<(Vec<FileCrl>, Vec<FileCertificate>), String> {
    if path.is_dir() {
        return Err("it is a directory".to_owned());
    }
    let (bytes, blocks) = file::read_blocks(path).map_err(|error| error.text)?;
    let found = roots::certificates(path, &blocks).map_err(|content| content.to_string())?;
    if found.certificates.is_empty() && found.crls.is_empty() {
        return Err(match bytes.first() {
            Some(0x30) => "it is DER, and libpq reads PEM only".to_owned(),
            None => "it is empty".to_owned(),
            _ => "it holds no CRL".to_owned(),
        });
    }
    let lists =
        found.crls.into_iter().map(|(crl, line)| FileCrl { crl, file: path.to_owned(), line }).collect();
    Ok((lists, found.certificates))
}

/// OpenSSL takes a list of directories, separated as in `PATH` (by_dir.c, add_cert_dir).
fn directories(list: &Path, environment: &Environment) -> Vec<std::path::PathBuf> {
    std::env::split_paths(list.as_os_str())
        .filter(|path| !path.as_os_str().is_empty())
        .map(|path| environment.current_dir.join(path))
        .collect()
}

fn directory_state(directory: &Path) -> CrlDirectoryState {
    let Ok(mut entries) = std::fs::read_dir(directory) else { return CrlDirectoryState::Missing };
    if entries.next().is_none() {
        return CrlDirectoryState::Empty;
    }
    if numbered(directory, "r").is_empty() { CrlDirectoryState::NotHashed } else { CrlDirectoryState::Hashed }
}

/// Hash-named files whose numbers run from 0 without a gap: OpenSSL asks for one after the other (by_dir.c).
fn numbered(directory: &Path, kind: &str) -> Vec<std::path::PathBuf> {
    let files = hashed_files(directory, kind);
    let mut found = Vec::new();
    for path in &files {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let Some((hash, number)) = name.split_once('.') else { continue };
        let Ok(number) = number.trim_start_matches(kind).parse::<usize>() else { continue };
        let follows = (0..number).all(|before| directory.join(format!("{hash}.{kind}{before}")).exists());
        if follows {
            found.push(path.clone());
        }
    }
    found
}
