//! The trust anchors: `sslrootcert`, the default `root.crt`, or the system's (fe-secure-openssl.c, initialize_SSL).

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::blocks::{Found, certificates};
use super::store::hashed_files;
use super::{FileCertificate, FileContent, FileError, RootSource, RootStore, Roots};
use super::{file, store};
use crate::certificate::{Certificate, Facts, altered, pem};
use crate::conninfo::obstacle;
use crate::conninfo::{Environment, Origin, ProgramRoots, RootChoice, Settings, SslMode};
use crate::file::obstacle::{only_one, similar};
use crate::file::unexpanded::Unexpanded;
use crate::order;

/// The roots that are loaded at once, and the directories in which OpenSSL would look for others.
pub(super) fn load(settings: &Settings, environment: &Environment) -> (Roots, Vec<PathBuf>) {
    let off = settings.sslmode == SslMode::Disable;
    if let (ProgramRoots::Text { name, pem }, RootChoice::Default(_), false) =
        (&environment.program.roots, &settings.root, off)
    {
        let name = Path::new(name);
        return (from_bytes(name, pem, RootSource::Text(name.to_owned())), Vec::new());
    }
    if let (ProgramRoots::System(added), RootChoice::Default(_) | RootChoice::System, false) =
        (&environment.program.roots, &settings.root, off)
    {
        let (mut store, directories) = system(environment);
        let added = added.iter().flat_map(|file| found_in(&environment.current_dir.join(file)).certificates);
        store.certificates.extend(added);
        return (Roots::Loaded(store), directories);
    }
    if settings.root == RootChoice::System && settings.sslmode != SslMode::Disable {
        let (store, directories) = system(environment);
        return (Roots::Loaded(store), directories);
    }
    (from_settings(settings, environment), Vec::new())
}

fn from_settings(settings: &Settings, environment: &Environment) -> Roots {
    if settings.sslmode == SslMode::Disable {
        return Roots::None;
    }
    let demanded = settings.sslmode >= SslMode::VerifyCa;
    let place = |path: &Path| environment.current_dir.join(path);
    match &settings.root {
        RootChoice::System => Roots::None,
        RootChoice::Default(None) if demanded => {
            Roots::Missing { path: None, typed: None, obstacle: None, similar: None }
        }
        RootChoice::Default(None) => Roots::None,
        RootChoice::Default(Some(path)) => {
            if file::is_present(&place(path)) {
                from_file(&place(path), RootSource::DefaultFile(path.clone()))
            } else {
                absent(demanded, path, None, environment)
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
                _ => or_default(absent(demanded, path, typed.clone(), environment), settings, environment),
            }
        }
    }
}

/// Where a variable names a file that is not there, libpq's own default may be.
fn or_default(mut roots: Roots, settings: &Settings, environment: &Environment) -> Roots {
    let origin = settings.parameter("sslrootcert").map(|known| &known.origin);
    if let (Roots::Missing { similar, .. }, Some(Origin::Environment(_))) = (&mut roots, origin) {
        let default = || environment.default_file("root.crt").filter(|path| file::is_present(path));
        *similar = similar.take().or_else(default);
    }
    roots
}

/// An absent file stops verify-ca and verify-full; the others go on without verifying.
/// So does one in a directory that this account may not search, which libpq takes for absent.
fn absent(demanded: bool, path: &Path, typed: Option<PathBuf>, environment: &Environment) -> Roots {
    if demanded {
        let variable = |name: &str| environment.variables.get(OsStr::new(name)).cloned();
        missing(path, typed, (environment.home().as_deref(), &variable), &environment.current_dir)
    } else {
        Roots::None
    }
}

/// The home directory and the environment's variables.
type Surroundings<'a> = (Option<&'a Path>, &'a dyn Fn(&str) -> Option<OsString>);

fn missing(
    path: &Path,
    typed: Option<PathBuf>,
    (home, variable): Surroundings<'_>,
    directory: &Path,
) -> Roots {
    let place = directory.join(path);
    if let Err(error) = crate::file::metadata(&place)
        && error.kind() == std::io::ErrorKind::PermissionDenied
    {
        return Roots::Unreadable { path: path.to_owned(), error: FileError::at(&place, &error) };
    }
    let written = typed.as_deref().unwrap_or(path).to_str().and_then(Unexpanded::of);
    let meant = written.and_then(|written| written.expanded(home, variable));
    let similar = meant
        .filter(|path| file::is_present(path))
        .or_else(|| of_windows(typed.as_deref().unwrap_or(path), directory))
        .or_else(|| bundles_beside(&place).map(PathBuf::from).find(|path| file::is_present(path)))
        .or_else(|| similar(&place))
        .or_else(|| {
            let only = only_one(&place, |bytes| super::holds_certificate(bytes, true))?;
            // A relative path stays one.
            Some(path.with_file_name(only.file_name()?))
        });
    Roots::Missing { path: Some(path.to_owned()), typed, obstacle: obstacle(&place), similar }
}

/// The file of this system that a path of Windows may mean: what of it is there, from the current directory on.
fn of_windows(path: &Path, directory: &Path) -> Option<PathBuf> {
    let text = path.to_str().filter(|text| !cfg!(windows) && text.contains('\\'))?;
    let parts: Vec<&str> = text.split('\\').filter(|part| !part.is_empty() && !part.ends_with(':')).collect();
    let ends = (0..parts.len()).filter_map(|start| Some(PathBuf::from(parts.get(start..)?.join("/"))));
    ends.into_iter().find(|path| file::is_present(&directory.join(path)))
}

/// A file that somebody named, whatever the sslmode, and its bytes.
pub(super) fn given(path: &Path, directory: &Path) -> (Roots, Vec<u8>) {
    let place = directory.join(path);
    if !file::is_present(&place) {
        let home = std::env::home_dir();
        let variable = |name: &str| std::env::var_os(name);
        return (missing(path, None, (home.as_deref(), &variable), directory), Vec::new());
    }
    with_bytes(&place, RootSource::Given(path.to_owned()))
}

/// Reads any file as libpq would read a root file.
pub(super) fn from_file(path: &Path, source: RootSource) -> Roots {
    with_bytes(path, source).0
}

fn with_bytes(path: &Path, source: RootSource) -> (Roots, Vec<u8>) {
    match file::read(path) {
        Ok(bytes) => (from_bytes(path, &bytes, source), bytes),
        Err(_) if crate::file::is_directory(path) => {
            (Roots::Invalid { path: path.to_owned(), content: FileContent::Directory }, Vec::new())
        }
        Err(error) => (Roots::Unreadable { path: path.to_owned(), error }, Vec::new()),
    }
}

/// Takes bytes for the content of a root file at `path`.
pub(super) fn from_bytes(path: &Path, bytes: &[u8], source: RootSource) -> Roots {
    let blocks = pem::blocks(bytes);
    let content = match certificates(path, &blocks) {
        Ok(found) if found.certificates.is_empty() && found.crls.is_empty() => file::content(bytes, &blocks),
        Ok(found) => {
            let store = RootStore::loaded(source, found.certificates);
            return Roots::Loaded(RootStore {
                behind_mark: pem::begins_behind_mark(bytes),
                has_binary: crate::text::place_of(0, bytes).is_some(),
                ..store
            });
        }
        Err(content) => content,
    };
    let was_altered = matches!(content, FileContent::NoCertificate | FileContent::BadBlock { .. });
    let altered = was_altered.then(|| altered(bytes)).flatten();
    let content = altered.map_or(content, |altered| FileContent::Altered(altered.by));
    Roots::Invalid { path: path.to_owned(), content }
}

/// What a conversion to PEM makes of a file.
pub(super) fn converted(from: &Path, to: &Path) -> Option<Roots> {
    let certificates = roots_first(certificates_in(from).ok()??);
    let placed = |certificate| FileCertificate { certificate, file: to.to_owned(), line: 1 };
    let certificates = certificates.into_iter().map(placed).collect();
    Some(Roots::Loaded(RootStore::loaded(RootSource::Given(to.to_owned()), certificates)))
}

/// The certificates in their order, but those last that another CA issued for the name and key of a self-signed one:
/// OpenSSL takes the first of the two and is to find the end of a chain.
pub(super) fn roots_first(certificates: Vec<Certificate>) -> Vec<Certificate> {
    let is_copy = |certificate: &Certificate| {
        let Ok(facts) = certificate.facts() else { return false };
        let same =
            |other: &Facts| other.spki == facts.spki && other.subject.canonical == facts.subject.canonical;
        let ends =
            |other: &Certificate| other.facts().is_ok_and(|other| other.is_self_signed() && same(other));
        !facts.is_self_signed() && certificates.iter().any(ends)
    };
    let copies: Vec<bool> = certificates.iter().map(is_copy).collect();
    let mut placed: Vec<(bool, Certificate)> = copies.into_iter().zip(certificates).collect();
    order::by_key(&mut placed, |(copy, _)| *copy);
    placed.into_iter().map(|(_, certificate)| certificate).collect()
}

/// The certificates of a file: of PEM as it is or altered, of UTF-16, of DER.
pub(super) fn certificates_in(path: &Path) -> Result<Option<Vec<Certificate>>, FileError> {
    let bytes = file::read(path)?;
    let bytes = match file::utf16(&bytes) {
        Some(form) => file::decoded(&bytes, form).into_bytes(),
        None => bytes,
    };
    if let Ok(found) = certificates(path, &pem::blocks(&bytes))
        && !found.certificates.is_empty()
    {
        return Ok(Some(found.certificates.into_iter().map(|entry| entry.certificate).collect()));
    }
    if let Some(altered) = altered(&bytes) {
        return Ok(Some(altered.certificates));
    }
    let certificate = Certificate::from_der_prefix(&bytes);
    Ok(certificate.facts().is_ok().then(|| vec![certificate.clone()]))
}

/// Where OpenSSL builds of common systems have their `cert.pem` and `certs` (`openssl version -d`): Debian and Ubuntu,
/// Alpine and SUSE, Fedora and Red Hat; macOS with Homebrew on Apple's and on Intel's processors, with MacPorts.
#[cfg(not(windows))]
const SYSTEM_DIRECTORIES: &[&str] = &[
    "/usr/lib/ssl",
    "/etc/ssl",
    "/etc/pki/tls",
    "/opt/homebrew/etc/openssl@3",
    "/usr/local/etc/openssl@3",
    "/opt/local/libexec/openssl3/etc/openssl",
];
/// As OpenSSL is configured for Windows unless told otherwise (NOTES-WINDOWS.md, "Installation directories"); libpq does
/// not ask the certificate store of Windows (fe-secure-openssl.c, initialize_SSL).
#[cfg(windows)]
const SYSTEM_DIRECTORIES: &[&str] =
    &[r"C:\Program Files\Common Files\SSL", r"C:\Program Files (x86)\Common Files\SSL"];
/// What is read where no build of OpenSSL has left its directory: images with nothing but this bundle in them.
const BUNDLE: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Where the package ca-certificates has that bundle: on Debian, Ubuntu and Alpine, on Fedora and Red Hat, on SUSE.
const BUNDLES: [&str; 4] = [
    BUNDLE,
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
];

/// Whether a path is that of the system's bundle on some system.
pub fn is_bundle(path: &Path) -> bool {
    BUNDLES.iter().any(|bundle| path == Path::new(bundle))
}

/// The other paths of a bundle, if it is one.
fn bundles_beside(path: &Path) -> impl Iterator<Item = &'static str> {
    BUNDLES.into_iter().filter(move |_| is_bundle(path)).filter(move |bundle| path != Path::new(bundle))
}

/// OpenSSL's default places; `SSL_CERT_FILE` and `SSL_CERT_DIR` replace them, an absent one is no error. The directories
/// are still to be looked into.
pub(super) fn system(environment: &Environment) -> (RootStore, Vec<PathBuf>) {
    let variable = |name: &str| environment.variables.get(OsStr::new(name)).map(PathBuf::from);
    let present = |name: &str| {
        SYSTEM_DIRECTORIES
            .iter()
            .map(|place| Path::new(place).join(name))
            .find(|place| file::is_present(place))
    };
    let directory = variable("SSL_CERT_DIR").or_else(|| present("certs"));
    let directories = directory.as_deref().map(|list| store::directories(list, environment));
    let directories = directories.unwrap_or_default();
    let bundle = || {
        let nothing = || directories.iter().all(|directory| hashed_files(directory, "", |_| true).is_empty());
        Some(PathBuf::from(BUNDLE)).filter(|_| variable("SSL_CERT_DIR").is_none() && nothing())
    };
    let file = variable("SSL_CERT_FILE").or_else(|| present("cert.pem")).or_else(bundle);
    // An empty variable names nothing, and the default is not used either.
    let named = |path: &&PathBuf| !path.as_os_str().is_empty();
    let read = |path: &PathBuf| found_in(&environment.current_dir.join(path)).certificates;
    let certificates = file.as_ref().filter(named).map(read).unwrap_or_default();
    (RootStore::loaded(RootSource::System { file, directory }, certificates), directories)
}

/// What OpenSSL takes from a file, nothing if it cannot be read.
fn found_in(path: &Path) -> Found {
    let blocks = file::read(path).map(|bytes| pem::blocks(&bytes)).unwrap_or_default();
    certificates(path, &blocks).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;
    use crate::certificate::Alteration;
    use crate::certificate::ServerTrust;
    use crate::trust::{Pkcs7Form, Utf16Form};

    /// Reads what is written as a root file, and holds the verdict against OpenSSL's.
    fn read(home: &Home, content: impl AsRef<[u8]>) -> Result<RootStore, FileContent> {
        let path = home.write("roots.pem", content);
        let taken = openssl_takes_roots(&path);
        let read = match from_file(&path, RootSource::Given(path.clone())) {
            Roots::Loaded(store) => Ok(store),
            Roots::Invalid { content, .. } => Err(content),
            other => panic!("{other:?}"),
        };
        assert_eq!(read.is_ok(), taken, "OpenSSL differs: {read:?}");
        read
    }

    fn places(store: &RootStore) -> Vec<usize> {
        store.certificates.iter().map(|entry| entry.line).collect()
    }

    #[test]
    fn certificates_are_taken_with_their_lines_whatever_stands_around_them() {
        let home = Home::new();
        let (one, two) = (root("one"), root("two"));
        let key = String::from_utf8(ec_key().private_key_to_pem_pkcs8().unwrap()).unwrap();
        let lines = pem(&one).lines().count();
        let store = read(&home, pem(&one) + &pem(&two)).unwrap();
        assert_eq!(places(&store), [1, 1 + lines]);
        assert_eq!(store.certificates[1].certificate.der(), two.to_der().unwrap());
        for (content, wanted) in [
            (format!("\u{feff}{}", pem(&one)), vec![1]),
            (format!("a note\n\n{}the end", pem(&one)), vec![3]),
            (pem(&one).replace('\n', "\r\n"), vec![1]),
            (pem(&one).trim_end().to_owned(), vec![1]),
            (pem(&one).replace("CERTIFICATE", "X509 CERTIFICATE"), vec![1]),
            (key.clone() + &pem(&one), vec![1 + key.lines().count()]),
            (pem(&one).repeat(2), vec![1, 1 + lines]),
            (block("CERTIFICATE", &[one.to_der().unwrap(), vec![1, 2, 3]].concat()), vec![1]),
            (block("NONSENSE", &[0]) + &pem(&one), vec![4]),
        ] {
            assert_eq!(places(&read(&home, &content).unwrap()), wanted, "{content}");
        }
    }

    #[test]
    fn one_bad_block_spoils_all() {
        let home = Home::new();
        let good = pem(&root("one"));
        let der = root("two").to_der().unwrap();
        let cut = good[..good.len() / 2].to_owned();
        for (bad, what) in [
            (cut, "it has no end line"),
            (good.replacen("MI", "!!", 1), "it is not base64"),
            (block("CERTIFICATE", &der[..der.len() - 9]), "cut off"),
            (block("CERTIFICATE", b""), "empty"),
            (good.replace("END CERTIFICATE", "END X"), "another label"),
            (good.replacen("-----\n", "-----\nComment: mine\n\n", 1), "header lines"),
            (block("X509 CRL", b"\x30\x00"), "missing"),
            (block("TRUSTED CERTIFICATE", &[der.clone(), vec![0x31, 0]].concat()), "of another type"),
        ] {
            let line = 1 + good.lines().count();
            match read(&home, good.clone() + &bad) {
                Err(FileContent::BadBlock { line: found, what: said }) => {
                    assert_eq!(found, line, "{bad}");
                    assert!(said.contains(what) || what == "it is not base64", "{said}");
                }
                other => panic!("{other:?} of {bad}"),
            }
        }
    }

    #[test]
    fn every_other_content_is_named() {
        let home = Home::new();
        let key = ec_key();
        let certificate = draft("one", &key).self_signed().x509();
        let der = certificate.to_der().unwrap();
        let text = pem(&certificate);
        let utf16 = |mark: &[u16]| -> Vec<u8> {
            mark.iter().copied().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
        };
        let mut request = openssl::x509::X509Req::builder().unwrap();
        request.set_pubkey(&key).unwrap();
        request.sign(&key, openssl::hash::MessageDigest::sha256()).unwrap();
        let request = request.build();
        let mut others = openssl::stack::Stack::new().unwrap();
        others.push(certificate.clone()).unwrap();
        let flags = openssl::pkcs7::Pkcs7Flags::empty();
        let bundle = openssl::pkcs7::Pkcs7::sign(&certificate, &key, &others, b"", flags).unwrap();
        let mut pfx = openssl::pkcs12::Pkcs12::builder();
        let pfx = pfx.cert(&certificate).pkey(&key).build2("x").unwrap().to_der().unwrap();
        let ec = key.ec_key().unwrap();
        for (content, wanted) in [
            (b"".to_vec(), FileContent::Empty),
            (b" \r\n\n".to_vec(), FileContent::Empty),
            (der, FileContent::DerCertificate),
            (bundle.to_pem().unwrap(), FileContent::Pkcs7(Pkcs7Form::Pem)),
            (bundle.to_der().unwrap(), FileContent::Pkcs7(Pkcs7Form::Der)),
            (b"\xfe\xed\xfe\xed\0\0\0\x02\0\0\0\x01".to_vec(), FileContent::JavaKeystore),
            (b"\xce\xce\xce\xce\0\0\0\x02\0\0\0\x01".to_vec(), FileContent::JavaKeystore),
            (pfx, FileContent::Pkcs12),
            (key.private_key_to_pem_pkcs8().unwrap(), FileContent::PrivateKey),
            (key.private_key_to_pkcs8().unwrap(), FileContent::PrivateKey),
            (ec.private_key_to_pem().unwrap(), FileContent::PrivateKey),
            (ec.private_key_to_der().unwrap(), FileContent::PrivateKey),
            (
                super::super::testing::key(Kind::Rsa(2048)).rsa().unwrap().private_key_to_der().unwrap(),
                FileContent::PrivateKey,
            ),
            (request.to_pem().unwrap(), FileContent::Csr),
            (request.to_der().unwrap(), FileContent::Csr),
            (b"\n<!DOCTYPE html><html></html>".to_vec(), FileContent::Html),
            ("\u{feff}<html></html>".into(), FileContent::Html),
            (utf16(&[0xfeff]), FileContent::Utf16(Utf16Form::Marked)),
            (utf16(&[]), FileContent::Utf16(Utf16Form::LittleEndian)),
            (b"not a certificate".to_vec(), FileContent::NoCertificate),
            (b"$(DB_CA_PEM)\n".to_vec(), FileContent::Placeholder("$(DB_CA_PEM)".to_owned())),
            (b"\"${db.ca}\"".to_vec(), FileContent::Placeholder("${db.ca}".to_owned())),
            (b"{{ ca_pem }}".to_vec(), FileContent::Placeholder("{{ ca_pem }}".to_owned())),
            (b"$DB_CA".to_vec(), FileContent::Placeholder("$DB_CA".to_owned())),
            // These may be passwords, and what is shown is none.
            (b"$ecret_Word".to_vec(), FileContent::NoCertificate),
            (b"$SECRET".to_vec(), FileContent::NoCertificate),
            (b"%a%b%".to_vec(), FileContent::NoCertificate),
            (
                br#"{"data": "ENC[AES256_GCM,data:x,iv:y]", "sops": {}}"#.to_vec(),
                FileContent::Wrapped(crate::trust::Wrapping::Sops),
            ),
            (
                b"age-encryption.org/v1\n-> X25519 x".to_vec(),
                FileContent::Wrapped(crate::trust::Wrapping::Age),
            ),
            (text.replace("-----", "----").into(), FileContent::Altered(vec![Alteration::Dashes])),
            (text.replace("CERTIFICATE", "CERT").into(), FileContent::NoCertificate),
            (key.public_key_to_der().unwrap(), FileContent::NoCertificate),
            (b"\x30\x03\x02\x01\x07".to_vec(), FileContent::NoCertificate),
        ] {
            let shown = String::from_utf8_lossy(&content).into_owned();
            assert_eq!(read(&home, content).map(|_| ()), Err(wanted), "{shown}");
        }
        let directory = home.path(".postgresql");
        let read = from_file(&directory, RootSource::Given(directory.clone()));
        assert!(matches!(read, Roots::Invalid { content: FileContent::Directory, .. }), "{read:?}");
    }

    #[test]
    fn odd_times_spoil_nothing_but_their_own_certificate() {
        let home = Home::new();
        let mut der = root("odd").to_der().unwrap();
        let at = der.windows(2).position(|window| window == [0x17, 13]).unwrap();
        der[at + 2] = b'x';
        let good = root("good");
        let store = read(&home, block("CERTIFICATE", &der) + &pem(&good)).unwrap();
        assert_eq!(store.certificates.len(), 2);
        assert!(store.certificates[0].certificate.facts().is_err());
    }

    #[test]
    fn trust_settings_are_kept() {
        let home = Home::new();
        let der = root("one").to_der().unwrap();
        let server = [0x30, 12, 0x30, 10, 6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 1];
        let mail = [0x30, 12, 0x30, 10, 6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 4];
        for (settings, wanted) in [
            (&[][..], ServerTrust::Unsaid),
            (&[0x30, 0], ServerTrust::Unsaid),
            (&server, ServerTrust::Trusted),
            (&mail, ServerTrust::Rejected),
        ] {
            let content = block("TRUSTED CERTIFICATE", &[&der, settings].concat());
            let store = read(&home, content).unwrap();
            let certificate = &store.certificates[0].certificate;
            assert_eq!((certificate.der(), certificate.server_trust()), (der.as_slice(), wanted));
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_a_path_of_windows_means_here_is_looked_for() {
        let home = Home::new();
        std::fs::create_dir(home.path("certs")).unwrap();
        home.write("certs/root.pem", "x");
        let directory = home.path("");
        for (typed, found) in [
            (r"C:\app\certs\root.pem", Some("certs/root.pem")),
            (r"certs\root.pem", Some("certs/root.pem")),
            (r"C:\app\certs\other.pem", None),
            ("certs/root.pem", None),
        ] {
            let meant = of_windows(Path::new(typed), &directory);
            assert_eq!(meant.as_deref(), found.map(Path::new), "{typed}");
        }
    }

    #[test]
    fn the_choice_of_the_file_follows_the_mode() {
        let home = Home::new();
        let given = home.write("given.pem", pem(&root("given")));
        let missing = home.path("missing.pem");
        let file = |path: &Path, typed: Option<&Path>| RootChoice::File {
            path: path.to_owned(),
            typed: typed.map(Path::to_owned),
        };
        let load_with = |mode, root: RootChoice| {
            let settings = Settings { sslmode: mode, root, ..settings(&[]) };
            load(&settings, &home.environment).0
        };
        use SslMode::{Disable, Prefer, Require, VerifyCa, VerifyFull};
        for mode in [Prefer, Require, VerifyCa, VerifyFull] {
            let Roots::Loaded(store) = load_with(mode, file(&given, None)) else { panic!("{mode:?}") };
            assert_eq!(store.source, RootSource::Given(given.clone()));
            let Roots::Loaded(store) = load_with(mode, file(Path::new("given.pem"), None)) else {
                panic!("{mode:?}, relative")
            };
            assert_eq!(store.certificates.len(), 1);
            let Roots::Loaded(store) = load_with(mode, RootChoice::Default(Some(given.clone()))) else {
                panic!("{mode:?}, default")
            };
            assert_eq!(store.source, RootSource::DefaultFile(given.clone()));
            let Roots::Loaded(store) = load_with(mode, file(&missing, Some(&given))) else {
                panic!("{mode:?}, as typed")
            };
            assert!(matches!(store.source, RootSource::GivenAsTyped { .. }), "{:?}", store.source);
        }
        for root in
            [file(&missing, None), RootChoice::Default(None), RootChoice::Default(Some(missing.clone()))]
        {
            for mode in [Prefer, Require] {
                assert!(matches!(load_with(mode, root.clone()), Roots::None), "{mode:?} {root:?}");
            }
            for mode in [VerifyCa, VerifyFull] {
                assert!(matches!(load_with(mode, root.clone()), Roots::Missing { .. }), "{mode:?} {root:?}");
            }
        }
        assert!(matches!(load_with(Disable, file(&given, None)), Roots::None));
        let broken = home.write("broken.pem", "");
        assert!(matches!(load_with(Prefer, file(&broken, None)), Roots::Invalid { .. }));
        #[cfg(unix)]
        {
            let dangling = home.path("dangling.pem");
            std::os::unix::fs::symlink("nowhere", &dangling).unwrap();
            assert!(matches!(load_with(VerifyFull, file(&dangling, None)), Roots::Missing { .. }));
        }
    }

    #[test]
    fn the_one_file_of_its_kind_in_the_directory_may_be_meant() {
        let home = Home::new();
        let missing = home.path("pki/ca.crt");
        let key = ec_key();
        home.write("pki/notes.txt", "what lies here");
        home.write("pki/app.key", key.private_key_to_pem_pkcs8().unwrap());
        let only = home.write("pki/company-chain.pem", pem(&root("one")));
        home.write(
            "pki/app-cert.pem",
            draft("app", &key).signed_by(&draft("CA", &ec_key()).self_signed()).pem(),
        );
        let similar = || match absent(true, &missing, None, &home.environment) {
            Roots::Missing { similar, .. } => similar,
            other => panic!("{other:?}"),
        };
        assert_eq!(similar(), Some(only));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |mode| {
                std::fs::set_permissions(home.path("pki"), std::fs::Permissions::from_mode(mode)).unwrap()
            };
            mode(0o777);
            assert_eq!(similar(), None);
            mode(0o755);
        }
        home.write("pki/other.pem", pem(&root("two")));
        assert_eq!(similar(), None);
    }

    #[test]
    fn the_systems_places_are_replaced_by_variables() {
        let names = |environment: &Environment| -> Vec<String> {
            let store = super::super::system_roots(environment);
            let name = |entry: &FileCertificate| entry.certificate.readable().subject?.common_name();
            store.certificates.iter().filter_map(name).collect()
        };
        let home = Home::new();
        let file = home.write("file.pem", pem(&root("in file")));
        let hashed = root("hashed");
        let hash = hashed.subject_name_hash();
        home.write(&format!("certs/{hash:08x}.0"), pem(&hashed));
        home.write(&format!("certs/{hash:08x}.1"), pem(&root("HASHED")));
        home.write(&format!("certs/{hash:08x}.3"), pem(&root(" hashed")));
        home.write(&format!("certs/{hash:08x}.r0"), "");
        home.write("certs/ABCDEF01.0", pem(&root("upper case")));
        home.write("certs/plain.pem", pem(&root("not hashed")));
        home.write("certs/01234567.0", pem(&root("another name's hash")));
        let more = root("more");
        home.write(&format!("more/{:08x}.0", more.subject_name_hash()), pem(&more));
        let list = std::env::join_paths([home.path("certs"), home.path("more")]).unwrap();
        let nowhere = home.path("nowhere");

        let home = home.variable("SSL_CERT_FILE", file).variable("SSL_CERT_DIR", list);
        let mut found = names(&home.environment);
        found.sort();
        // OpenSSL would open a file of another name's hash too, when it looks for that name.
        assert_eq!(found, ["HASHED", "another name's hash", "hashed", "in file", "more"]);

        // What is not there, broken or empty is no error and no reason to look elsewhere.
        let home = home.variable("SSL_CERT_FILE", &nowhere).variable("SSL_CERT_DIR", &nowhere);
        assert_eq!(names(&home.environment), [""; 0]);
        let broken = home.write("broken.pem", "-----BEGIN CERTIFICATE-----\n");
        let home = home.variable("SSL_CERT_FILE", broken).variable("SSL_CERT_DIR", "");
        assert_eq!(names(&home.environment), [""; 0]);
        let home = home.variable("SSL_CERT_FILE", "").variable("SSL_CERT_DIR", "");
        assert_eq!(names(&home.environment), [""; 0]);
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_is_read_and_one_that_stays_silent_does_not_hang() {
        let home = Home::new();
        let pipe = home.path("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        let text = pem(&root("piped"));
        let writer = std::thread::spawn({
            let pipe = pipe.clone();
            move || std::fs::write(pipe, text)
        });
        let Roots::Loaded(store) = from_file(&pipe, RootSource::Given(pipe.clone())) else {
            panic!("not read")
        };
        assert_eq!(store.certificates.len(), 1);
        writer.join().unwrap().unwrap();
    }
}
