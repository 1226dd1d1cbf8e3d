//! CRLs: `sslcrl`, `sslcrldir`, the default `root.crl` (fe-secure-openssl.c, initialize_SSL). libpq switches checking
//! on when `X509_STORE_load_locations` succeeds, and says nothing when it does not.

use std::path::{Path, PathBuf};

use super::store::{self, hashed_files};
use super::{CrlDirectory, CrlDirectoryState, FileCertificate, FileCrl, Revocation, Roots};
use super::{blocks, file};
use crate::certificate::pem;
use crate::conninfo::{Environment, Settings, SslMode};

/// What checking there is. Certificates among the lists are loaded into the store of `roots`, and the directory of lists
/// is one more of `directories`, in which OpenSSL looks for certificates too.
pub(super) fn load(
    settings: &Settings,
    environment: &Environment,
    roots: &mut Roots,
    directories: &mut Vec<PathBuf>,
) -> Revocation {
    let given = |keyword| settings.path(keyword);
    // Without a root file libpq does not come to CRLs (measured: any sslmode).
    let store = match roots {
        Roots::Loaded(store) => store,
        Roots::None if settings.sslmode != SslMode::Disable => {
            let why = "there is no root file, and without one libpq reads no CRL".to_owned();
            let ignored = given("sslcrl").or(given("sslcrldir"));
            let ignored = ignored.map(|path| Revocation::Ignored { path, why });
            return ignored.unwrap_or(Revocation::Off);
        }
        Roots::None | Roots::Missing { .. } | Roots::Unreadable { .. } | Roots::Invalid { .. } => {
            return Revocation::Off;
        }
    };
    let (file, directory) = match (given("sslcrl"), given("sslcrldir")) {
        // A default file that is absent was not asked for.
        (None, None) => {
            let default = environment.default_file("root.crl").map(|path| environment.current_dir.join(path));
            (default.filter(|path| file::is_present(path)), None)
        }
        (file, directory) => (file.map(|path| environment.place(path)), directory),
    };

    let mut lists = Vec::new();
    if let Some(path) = &file {
        match from_file(path) {
            Ok((found, certificates)) => {
                lists.extend(found);
                store.certificates.extend(certificates);
            }
            Err(why) => return Revocation::Ignored { path: path.clone(), why },
        }
    } else if directory.is_none() {
        return Revocation::Off;
    }
    let directory = directory.map(|list| {
        let own = store::directories(&list, environment);
        let state = own.iter().map(|directory| directory_state(directory)).max();
        let new: Vec<PathBuf> = own.into_iter().filter(|path| !directories.contains(path)).collect();
        directories.extend(new);
        CrlDirectory { path: list, state: state.unwrap_or(CrlDirectoryState::Missing) }
    });
    let directories = store::look_for_crls(directories, &mut lists);
    Revocation::On { lists, directories, directory }
}

/// The lists and certificates of a file, or why OpenSSL takes nothing from it.
pub(super) fn from_file(path: &Path) -> Result<(Vec<FileCrl>, Vec<FileCertificate>), String> {
    if crate::file::is_directory(path) {
        return Err("it is a directory".to_owned());
    }
    let bytes = file::read(path).map_err(|error| error.text)?;
    let blocks = pem::blocks(&bytes);
    let found = blocks::certificates(path, &blocks).map_err(|content| content.to_string())?;
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
    let entries = match crate::file::directory(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::TimedOut => return CrlDirectoryState::Silent,
        Err(_) => return CrlDirectoryState::Missing,
    };
    if entries.is_empty() {
        return CrlDirectoryState::Empty;
    }
    if hashed_files(directory, "r", |_| true).is_empty() {
        CrlDirectoryState::NotHashed
    } else {
        CrlDirectoryState::Hashed
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
    use crate::testing::Authority;
    use crate::trust::{RootSource, RootStore};

    /// An empty list of a CA by this name, as PEM, with the hash of the CA's name.
    fn list(name: &str) -> (String, u32) {
        let crl = Authority::root(name).crl(&[], (2040, 1, 1));
        (pem::write("X509 CRL", crl.der()), crl.facts().issuer.hash())
    }

    fn loaded() -> Roots {
        Roots::Loaded(RootStore::loaded(RootSource::DefaultFile("x".into()), Vec::new()))
    }

    fn load_with(home: &Home, parameters: &[(&'static str, &str)]) -> (Revocation, usize) {
        let (mut roots, mut directories) = (loaded(), Vec::new());
        let revocation = load(&settings(parameters), &home.environment, &mut roots, &mut directories);
        let Roots::Loaded(mut store) = roots else { unreachable!("loaded") };
        store::look_for_certificates(&directories, &mut store.certificates);
        (revocation, store.certificates.len())
    }

    /// How many lists are used and what the directory is like.
    fn on(home: &Home, parameters: &[(&'static str, &str)]) -> (usize, Option<CrlDirectoryState>) {
        match load_with(home, parameters).0 {
            Revocation::On { lists, directory, .. } => {
                (lists.len(), directory.map(|directory| directory.state))
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn without_roots_nothing_is_read() {
        let home = Home::new();
        home.write("list.pem", list("CA").0);
        let load = |parameters: &[(&'static str, &str)], roots: &Roots| {
            load(&settings(parameters), &home.environment, &mut roots.clone(), &mut Vec::new())
        };
        for given in [&[("sslcrl", "list.pem")], &[("sslcrldir", "lists")]] {
            let missing =
                load(given, &Roots::Missing { path: None, typed: None, obstacle: None, similar: None });
            assert!(matches!(missing, Revocation::Off), "{missing:?}");
            let ignored = load(given, &Roots::None);
            assert!(matches!(&ignored, Revocation::Ignored { why, .. } if why.contains("no root file")));
        }
        assert!(matches!(load(&[], &Roots::None), Revocation::Off));
    }

    #[test]
    fn the_default_file_counts_only_where_nothing_is_given() {
        let home = Home::new();
        assert!(matches!(load_with(&home, &[]).0, Revocation::Off));
        home.write(".postgresql/root.crl", "");
        assert!(matches!(load_with(&home, &[]).0, Revocation::Ignored { .. }));
        home.write(".postgresql/root.crl", list("CA").0 + &list("other").0);
        assert_eq!(on(&home, &[]), (2, None));
        assert_eq!(on(&home, &[("sslcrl", ""), ("sslcrldir", "")]), (2, None));
        home.write("list.pem", list("CA").0);
        assert_eq!(on(&home, &[("sslcrl", "list.pem")]), (1, None));
        assert_eq!(on(&home, &[("sslcrldir", "nowhere")]), (0, Some(CrlDirectoryState::Missing)));
    }

    #[test]
    fn a_file_that_is_no_good_is_passed_over_in_silence() {
        let home = Home::new();
        let (good, hash) = list("CA");
        let der = openssl::x509::X509Crl::from_pem(good.as_bytes()).unwrap().to_der().unwrap();
        home.write(&format!("lists/{hash:08x}.r0"), &good);
        for (content, why) in [
            (Vec::new(), "it is empty"),
            (der, "it is DER"),
            (b"nothing".to_vec(), "it holds no CRL"),
            ((good.clone() + &block("X509 CRL", &[0x30, 0])).into_bytes(), "the block at line"),
        ] {
            home.write("list.pem", content);
            for parameters in
                [&[("sslcrl", "list.pem")][..], &[("sslcrl", "list.pem"), ("sslcrldir", "lists")]]
            {
                let (revocation, _) = load_with(&home, parameters);
                let Revocation::Ignored { path, why: said } = revocation else { panic!("{revocation:?}") };
                assert_eq!(path, home.path("list.pem"));
                assert!(said.starts_with(why), "{said}");
            }
        }
        for path in ["nowhere", "lists"] {
            let (revocation, _) = load_with(&home, &[("sslcrl", path)]);
            assert!(matches!(revocation, Revocation::Ignored { .. }), "{path}: {revocation:?}");
        }
    }

    #[test]
    fn certificates_among_the_lists_switch_checking_on_and_are_trusted() {
        let home = Home::new();
        home.write("list.pem", pem(&root("one")));
        let (revocation, certificates) = load_with(&home, &[("sslcrl", "list.pem")]);
        assert!(matches!(revocation, Revocation::On { ref lists, .. } if lists.is_empty()), "{revocation:?}");
        assert_eq!(certificates, 1);
    }

    #[test]
    fn a_directory_is_searched_by_hash_and_number() {
        use CrlDirectoryState::{Empty, Hashed, Missing, NotHashed};
        let home = Home::new();
        let state = |parameters: &[(&'static str, &str)]| on(&home, parameters);
        std::fs::create_dir(home.path("lists")).unwrap();
        assert_eq!(state(&[("sslcrldir", "lists")]), (0, Some(Empty)));
        let (text, hash) = list("CA");
        home.write("lists/ca.crl", &text);
        assert_eq!(state(&[("sslcrldir", "lists")]), (0, Some(NotHashed)));
        home.write(&format!("lists/{hash:08x}.r1"), &text);
        assert_eq!(state(&[("sslcrldir", "lists")]), (0, Some(NotHashed)), "numbers begin with 0");
        home.write(&format!("lists/{hash:08x}.r0"), &text);
        home.write(&format!("lists/{hash:08x}.r3"), &text);
        assert_eq!(state(&[("sslcrldir", "lists")]), (2, Some(Hashed)), "and have no gaps");
        // It would be opened for a name that has this hash.
        home.write("lists/01234567.r0", list("of another hash").0);
        assert_eq!(state(&[("sslcrldir", "lists")]), (3, Some(Hashed)));
        let one = root("one");
        home.write(&format!("lists/{:08x}.0", one.subject_name_hash()), pem(&one));
        assert_eq!(load_with(&home, &[("sslcrldir", "lists")]).1, 1);
        let two = std::env::join_paths(["nowhere", "lists"]).unwrap().into_string().unwrap();
        assert_eq!(state(&[("sslcrldir", &two)]), (3, Some(Hashed)));
        home.write("more.pem", list("more").0);
        assert_eq!(state(&[("sslcrl", "more.pem"), ("sslcrldir", "lists")]), (4, Some(Hashed)));
        assert_eq!(state(&[("sslcrldir", "more.pem")]), (0, Some(Missing)));
    }
}
