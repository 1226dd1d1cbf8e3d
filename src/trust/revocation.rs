//! CRLs: `sslcrl`, `sslcrldir`, the default `root.crl` (fe-secure-openssl.c, initialize_SSL). libpq switches checking
//! on when `X509_STORE_load_locations` succeeds, and says nothing when it does not.

use std::path::Path;

use super::file;
use super::roots::{self, directories, hashed_files};
use super::{CrlDirectory, CrlDirectoryState, FileCertificate, FileCrl, Revocation, Roots};
use crate::certificate::pem;
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
            for path in hashed_files(&directory, "r") {
                if let Ok((found, _)) = from_file(&path) {
                    lists.extend(found);
                }
            }
            for path in hashed_files(&directory, "") {
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
    let bytes = file::read(path).map_err(|error| error.text)?;
    let blocks = pem::blocks(&bytes);
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

fn directory_state(directory: &Path) -> CrlDirectoryState {
    let Ok(mut entries) = std::fs::read_dir(directory) else { return CrlDirectoryState::Missing };
    if entries.next().is_none() {
        return CrlDirectoryState::Empty;
    }
    if hashed_files(directory, "r").is_empty() {
        CrlDirectoryState::NotHashed
    } else {
        CrlDirectoryState::Hashed
    }
}
