//! The client's certificate and key: `sslcert`, `sslkey`, `sslpassword`, or the default files
//! (fe-secure-openssl.c, initialize_SSL).

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::PrivateKeyDer;
use rustls::sign::SigningKey;

use super::chain_file::{self, ChainFault};
use super::{ClientCertificate, ClientIdentity, FileError, IdentityError, file, key, p521};
use crate::certificate::{Certificate, Facts};
use crate::conninfo::{Environment, Settings, SslCertMode, SslMode};
use crate::file::obstacle::{only_one, similar};
use crate::file::unexpanded::Unexpanded;

pub(super) fn load(settings: &Settings, environment: &Environment) -> ClientIdentity {
    if settings.sslmode == SslMode::Disable || settings.certificate_mode == SslCertMode::Disable {
        return ClientIdentity::None;
    }
    let place = |keyword, default| {
        settings
            .path(keyword)
            .or_else(|| environment.default_file(default))
            .map(|path| environment.place(path))
    };
    let Some(certificate) = place("sslcert", "postgresql.crt") else { return ClientIdentity::None };
    match crate::file::metadata(&certificate) {
        // Absent, libpq goes on without; the key is not even looked at.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return match settings.path("sslcert") {
                Some(given) => ClientIdentity::Absent {
                    similar: meant(&given, environment)
                        .or_else(|| similar(&certificate))
                        .or_else(|| only_one(&certificate, |bytes| super::holds_certificate(bytes, false))),
                    path: certificate,
                },
                None => ClientIdentity::None,
            };
        }
        Err(error) => {
            let error = FileError::at(&certificate, &error);
            return ClientIdentity::Failed(
                IdentityError::CertificateUnreadable { error, path: certificate },
                None,
            );
        }
        Ok(_) => {}
    }
    match read(settings, environment, &certificate) {
        Ok(identity) => ClientIdentity::Ready(identity),
        Err(error) => {
            let chain = chain_file::read(&certificate, settings.security_level()).ok();
            let leaf = chain.and_then(|chain| chain.into_iter().next());
            ClientIdentity::Failed(error, leaf.map(|entry| Box::new(entry.certificate)))
        }
    }
}

/// The file that is meant by a path with what a shell was to replace, if it exists.
fn meant(given: &Path, environment: &Environment) -> Option<PathBuf> {
    let variable = |name: &str| environment.variables.get(OsStr::new(name)).cloned();
    let path = Unexpanded::of(given.to_str()?)?.expanded(environment.home().as_deref(), variable)?;
    crate::file::is_file(&path).then_some(path)
}

fn read(
    settings: &Settings,
    environment: &Environment,
    path: &Path,
) -> Result<ClientCertificate, IdentityError> {
    let chain = chain_file::read(path, settings.security_level()).map_err(|fault| match fault {
        ChainFault::Unreadable(error) => {
            IdentityError::CertificateUnreadable { path: path.to_owned(), error }
        }
        ChainFault::Invalid(content) => IdentityError::CertificateInvalid { path: path.to_owned(), content },
    })?;
    let chain: Vec<Certificate> = chain.into_iter().map(|entry| entry.certificate).collect();
    let key_path = match settings.path("sslkey") {
        Some(given) if is_engine_reference(&given) => {
            return Err(IdentityError::KeyInEngine { reference: given });
        }
        Some(given) => Some(environment.place(given)),
        None => environment.default_file("postgresql.key"),
    };
    let of_ca = || chain.first().and_then(|first| first.facts().ok()).is_some_and(Facts::is_ca);
    let missing = |key| IdentityError::KeyMissing { certificate: path.to_owned(), key, of_ca: of_ca() };
    let Some(key_path) = key_path else { return Err(missing(None)) };
    match crate::file::metadata(&key_path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(missing(Some(key_path))),
        Err(error) => {
            return Err(IdentityError::KeyUnreadable {
                error: FileError::at(&key_path, &error),
                path: key_path,
            });
        }
        Ok(_) => {}
    }
    check_permissions(&key_path)?;
    let bytes = zeroize::Zeroizing::new(
        file::read(&key_path)
            .map_err(|error| IdentityError::KeyUnreadable { path: key_path.clone(), error })?,
    );
    let pass_phrase = settings.parameter("sslpassword").map(|parameter| parameter.value.exposed());
    let key = key::read(&bytes, pass_phrase)
        .map_err(|problem| IdentityError::KeyInvalid { path: key_path.clone(), problem })?;
    let identity = ClientCertificate {
        chain,
        key: Arc::new(key),
        certificate_file: path.to_owned(),
        key_file: key_path,
        key_is_pem: key::is_pem(&bytes),
    };
    if identity.key_matches() == Some(false) {
        let other = |at: &usize| {
            let chain = identity.chain.get(*at..).unwrap_or_default().to_vec();
            ClientCertificate { chain, ..identity.clone() }.key_matches() == Some(true)
        };
        let place = (1..identity.chain.len()).find(other);
        return Err(IdentityError::KeyMismatch {
            certificate: path.to_owned(),
            key: identity.key_file,
            place,
        });
    }
    Ok(identity)
}

/// `name:id` names a key in an OpenSSL engine. On Windows a drive letter (`c:\…`) does not.
fn is_engine_reference(path: &Path) -> bool {
    let text = path.as_os_str().as_encoded_bytes();
    text.contains(&b':') && !(cfg!(windows) && text.get(1) == Some(&b':'))
}

/// libpq's rule: a regular file that root owns may be readable by its group, any other by its owner only.
#[cfg(unix)]
fn check_permissions(path: &Path) -> Result<(), IdentityError> {
    use std::os::unix::fs::MetadataExt;

    let metadata = crate::file::metadata(path).map_err(|error| IdentityError::KeyUnreadable {
        path: path.to_owned(),
        error: FileError::at(path, &error),
    })?;
    if !metadata.is_file() {
        return Err(IdentityError::KeyNotAFile { path: path.to_owned() });
    }
    let mode = metadata.mode() & 0o7777;
    let owned_by_root = metadata.uid() == 0;
    let forbidden = if owned_by_root { 0o037 } else { 0o077 };
    if mode & forbidden != 0 {
        return Err(IdentityError::KeyPermissions { path: path.to_owned(), mode, owned_by_root });
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_permissions(path: &Path) -> Result<(), IdentityError> {
    match path.is_file() {
        true => Ok(()),
        false => Err(IdentityError::KeyNotAFile { path: path.to_owned() }),
    }
}

impl ClientCertificate {
    /// The key in the form rustls signs with; `None` for kinds that neither ring nor RustCrypto's P-521 can use: Ed448,
    /// other curves, RSA above 4096 bits, RSA-PSS.
    pub fn signing_key(&self) -> Option<Arc<dyn SigningKey>> {
        signing_key(&self.key)
    }

    /// Whether key and certificate belong together; `None` where that cannot be told.
    fn key_matches(&self) -> Option<bool> {
        key_fits(&self.key, self.chain.first()?)
    }
}

fn signing_key(key: &PrivateKeyDer<'static>) -> Option<Arc<dyn SigningKey>> {
    rustls::crypto::ring::sign::any_supported_type(key).ok().or_else(|| p521::signing_key(key))
}

/// The public key of a private one, as a subjectPublicKeyInfo; `None` of kinds that nothing here can read.
pub(super) fn public_key(key: &PrivateKeyDer<'static>) -> Option<Vec<u8>> {
    let signing = signing_key(key);
    match signing.as_ref().and_then(|key| key.public_key()) {
        Some(public) => Some(public.as_ref().to_vec()),
        None => key::rsa_public_key(key),
    }
}

/// Whether a key is the one of a certificate; `None` where that cannot be told.
pub(super) fn key_fits(key: &PrivateKeyDer<'static>, certificate: &Certificate) -> Option<bool> {
    Some(certificate.facts().ok()?.has_public_key(&public_key(key)?))
}

/// The key stays out of every report.
impl std::fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientCertificate")
            .field("certificate_file", &self.certificate_file)
            .field("key_file", &self.key_file)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use openssl::pkey::{Id, PKey, Private};
    use std::fs;

    use super::super::testing::*;
    use super::super::{FileContent, KeyProblem};
    use super::*;

    fn pem_key(key: &PKey<Private>) -> Vec<u8> {
        key.private_key_to_pem_pkcs8().unwrap()
    }

    fn load_with(home: &Home, parameters: &[(&'static str, &str)]) -> ClientIdentity {
        load(&settings(parameters), &home.environment)
    }

    fn failure(home: &Home, parameters: &[(&'static str, &str)]) -> IdentityError {
        match load_with(home, parameters) {
            ClientIdentity::Failed(error, _) => error,
            other => panic!("{other:?}"),
        }
    }

    const BOTH: [(&str, &str); 2] = [("sslcert", "client.crt"), ("sslkey", "client.key")];

    #[test]
    fn without_a_certificate_the_key_is_not_looked_at() {
        let home = Home::new();
        home.write(".postgresql/postgresql.key", "nonsense");
        assert!(matches!(load_with(&home, &[]), ClientIdentity::None));
        assert!(matches!(load_with(&home, &[("sslkey", "nowhere")]), ClientIdentity::None));
        home.write("file", "");
        for absent in ["nowhere.crt", "file/client.crt"] {
            let found = load_with(&home, &[("sslcert", absent)]);
            assert!(matches!(found, ClientIdentity::Absent { .. }), "{found:?}");
        }
    }

    #[test]
    fn modes_that_use_no_certificate_read_none() {
        let home = Home::new();
        home.write(".postgresql/postgresql.crt", "nonsense");
        let wanted = settings(&[]);
        for settings in [
            Settings { certificate_mode: SslCertMode::Disable, ..wanted.clone() },
            Settings { sslmode: SslMode::Disable, ..wanted.clone() },
        ] {
            assert!(matches!(load(&settings, &home.environment), ClientIdentity::None));
        }
        assert!(matches!(load(&wanted, &home.environment), ClientIdentity::Failed(..)));
    }

    #[test]
    fn default_files_and_given_ones_are_read() {
        let home = Home::new();
        let key = ec_key();
        let certificate = draft("client", &key).self_signed().pem();
        home.write(".postgresql/postgresql.crt", &certificate);
        let missing = failure(&home, &[]);
        assert!(
            matches!(missing, IdentityError::KeyMissing { key: Some(_), of_ca: false, .. }),
            "{missing:?}"
        );
        home.write(".postgresql/postgresql.key", pem_key(&key));
        assert!(matches!(load_with(&home, &[]), ClientIdentity::Ready(_)));
        home.write("client.crt", &certificate);
        home.write("client.key", pem_key(&key));
        let ClientIdentity::Ready(identity) = load_with(&home, &BOTH) else { panic!("not read") };
        assert_eq!(identity.key_file, home.path("client.key"));
        assert_eq!(identity.chain.len(), 1);
        assert!(!format!("{identity:?}").contains("key:"), "{identity:?}");
        let missing = failure(&home, &[("sslcert", "client.crt"), ("sslkey", "nowhere")]);
        let IdentityError::KeyMissing { key: Some(path), .. } = missing else { panic!("{missing:?}") };
        assert_eq!(path, home.path("nowhere"));
    }

    /// The first certificate in each file is of the key.
    #[test]
    fn certificate_files_are_taken_as_openssl_takes_them() {
        let home = Home::new();
        let (key, ca_key, small) = (ec_key(), ec_key(), key(Kind::Rsa(1024)));
        home.write("client.key", pem_key(&key));
        let ca = draft("CA", &ca_key).self_signed();
        let leaf = || draft("client", &key);
        let good = leaf().signed_by(&ca).pem();
        let der = leaf().signed_by(&ca).der;
        let old = leaf().version(1).signed_by(&ca).pem();
        let sha1 = leaf().scheme(Scheme::Usual(Hash::Sha1));
        let (sha1, sha1_root) = (sha1.clone().signed_by(&ca).pem(), sha1.self_signed().pem());
        let small_ca = draft("small CA", &small).self_signed().pem();
        let mut odd = der.clone();
        let at = odd.windows(2).position(|window| window == [0x17, 13]).unwrap();
        odd[at + 2] = b'x';
        let mut off_curve = der.clone();
        let at = off_curve.windows(4).position(|window| window == [3, 0x42, 0, 4]).unwrap();
        off_curve[at + 10] ^= 1;
        let trusted = |tail: &[u8]| block("TRUSTED CERTIFICATE", &[&der, tail].concat());
        for (name, content, wanted) in [
            ("one", good.clone(), true),
            ("with its chain", good.clone() + &ca.pem(), true),
            ("version 1", old, true),
            ("odd times", block("CERTIFICATE", &odd), true),
            ("odd times in the chain", good.clone() + &block("CERTIFICATE", &odd), true),
            ("its key is not on the curve", block("CERTIFICATE", &off_curve), false),
            ("a key before it", String::from_utf8(pem_key(&key)).unwrap() + &good, true),
            ("text around", format!("a note\n{good}the end"), true),
            ("byte-order mark", format!("\u{feff}{good}"), true),
            ("X509 CERTIFICATE", block("X509 CERTIFICATE", &der), true),
            ("TRUSTED CERTIFICATE", trusted(&[]), true),
            ("TRUSTED CERTIFICATE with settings", trusted(&[0x30, 0]), true),
            ("TRUSTED CERTIFICATE, broken settings", trusted(&[0x31, 0]), false),
            ("TRUSTED CERTIFICATE in the chain", good.clone() + &trusted(&[]), true),
            ("bytes behind it", block("CERTIFICATE", &[&der[..], &[1]].concat()), false),
            (
                "bytes behind one of the chain",
                good.clone() + &block("CERTIFICATE", &[&der[..], &[1]].concat()),
                true,
            ),
            ("a CRL behind it", good.clone() + &block("X509 CRL", &[0x30, 0]), true),
            ("bad base64 behind it", good.clone() + &good.replacen("MI", "!!", 1), false),
            ("bad base64 of another label", good.clone() + "-----BEGIN X-----\n!\n-----END X-----\n", false),
            ("bad base64 before it", "-----BEGIN X-----\n!\n-----END X-----\n".to_owned() + &good, false),
            ("cut off behind it", good.clone() + &good[..good.len() / 2], false),
            ("header lines", good.replacen("-----\n", "-----\nComment: mine\n\n", 1), false),
            ("SHA-1", sha1, false),
            ("SHA-1, self-signed", sha1_root, true),
            ("RSA 1024 in the chain", good.clone() + &small_ca, false),
            ("empty", String::new(), false),
        ] {
            let path = home.write("client.crt", content);
            assert_eq!(openssl_takes_chain(&path), wanted, "OpenSSL: {name}");
            match load_with(&home, &BOTH) {
                ClientIdentity::Ready(_) => assert!(wanted, "{name}"),
                ClientIdentity::Failed(IdentityError::CertificateInvalid { content, .. }, _) => {
                    assert!(!wanted, "{name}: {content}");
                    // What is sound and too weak is told from what is damaged.
                    let is_weak = matches!(content, FileContent::TooWeak { .. });
                    assert_eq!(is_weak, ["SHA-1", "RSA 1024 in the chain"].contains(&name), "{name}");
                }
                other => panic!("{name}: {other:?}"),
            }
        }
        let path = home.write("client.crt", &der);
        assert!(!openssl_takes_chain(&path));
        let error = failure(&home, &BOTH);
        let content = FileContent::DerCertificate;
        assert_eq!(error, IdentityError::CertificateInvalid { path, content });
        std::fs::create_dir(home.path("directory")).unwrap();
        let error = failure(&home, &[("sslcert", "directory")]);
        let content = FileContent::Directory;
        assert_eq!(error, IdentityError::CertificateInvalid { path: home.path("directory"), content });
    }

    #[test]
    fn keys_of_every_kind_are_held_against_their_certificate() {
        let home = Home::new();
        let other = ec_key();
        for (key, signs) in [
            (ec_key(), true),
            (key(Kind::P384), true),
            (key(Kind::P521), true),
            (key(Kind::Secp256k1), false),
            (key(Kind::Rsa(2048)), true),
            (key(Kind::Ed25519), true),
        ] {
            let certificate = home.write("client.crt", draft("client", &key).self_signed().pem());
            let path = home.write("client.key", pem_key(&key));
            assert!(openssl_takes_pair(&certificate, &path), "{:?}", key.id());
            let ClientIdentity::Ready(identity) = load_with(&home, &BOTH) else { panic!("{:?}", key.id()) };
            assert_eq!(identity.signing_key().is_some(), signs, "{:?}", key.id());
            assert!(!signs || identity.key_matches() == Some(true));
            let path = home.write("client.key", pem_key(&other));
            assert!(!openssl_takes_pair(&certificate, &path));
            let error = failure(&home, &BOTH);
            assert!(matches!(error, IdentityError::KeyMismatch { .. }), "{:?}: {error:?}", key.id());
        }
        assert_eq!(other.id(), Id::EC);
    }

    #[test]
    fn a_compressed_point_is_the_same_key() {
        use openssl::bn::BigNumContext;
        use openssl::ec::PointConversionForm;

        let home = Home::new();
        let key = ec_key();
        home.write("client.key", pem_key(&key));
        let pair = key.ec_key().unwrap();
        let mut context = BigNumContext::new().unwrap();
        let form = PointConversionForm::COMPRESSED;
        let point = pair.public_key().to_bytes(pair.group(), form, &mut context).unwrap();
        // The header of an uncompressed P-256 key with its lengths made smaller.
        let mut spki = key.public_key_to_der().unwrap()[..26].to_vec();
        (spki[1], spki[24]) = (57, 34);
        spki.extend(point);
        let compressed = Draft { public: Some(spki), ..draft("client", &key) };
        home.write("client.crt", compressed.self_signed().pem());
        let ClientIdentity::Ready(identity) = load_with(&home, &BOTH) else { panic!("not read") };
        let point = &identity.chain[0].facts().unwrap().spki;
        assert!(point.len() < 70, "the certificate's point is compressed: {}", point.len());
        assert_eq!(identity.key_matches(), Some(true));
    }

    #[test]
    fn key_files_that_cannot_be_used_say_why() {
        let home = Home::new();
        let key = ec_key();
        home.write("client.crt", draft("client", &key).self_signed().pem());
        let cipher = openssl::symm::Cipher::aes_256_cbc();
        home.write("client.key", key.private_key_to_pem_pkcs8_passphrase(cipher, b"right").unwrap());
        let with = |pass: &'static str| [BOTH[0], BOTH[1], ("sslpassword", pass)];
        let problem = |parameters: &[(&'static str, &str)]| match failure(&home, parameters) {
            IdentityError::KeyInvalid { problem, .. } => problem,
            other => panic!("{other:?}"),
        };
        assert_eq!(problem(&BOTH), KeyProblem::PassPhraseMissing);
        assert_eq!(problem(&with("")), KeyProblem::PassPhraseMissing);
        assert_eq!(problem(&with("wrong")), KeyProblem::PassPhraseWrong);
        assert!(matches!(load_with(&home, &with("right")), ClientIdentity::Ready(_)));
        home.write("client.key", key.private_key_to_pkcs8().unwrap());
        assert!(matches!(load_with(&home, &with("needless")), ClientIdentity::Ready(_)));
        home.write("client.key", "nothing");
        assert_eq!(problem(&BOTH), KeyProblem::NotAKey);
        std::fs::create_dir(home.path("directory")).unwrap();
        let error = failure(&home, &[BOTH[0], ("sslkey", "directory")]);
        assert!(matches!(error, IdentityError::KeyNotAFile { .. }), "{error:?}");
        let error = failure(&home, &[BOTH[0], ("sslkey", "client.crt/key")]);
        assert!(matches!(error, IdentityError::KeyUnreadable { .. }), "{error:?}");
    }

    #[test]
    fn a_colon_names_an_engine() {
        let home = Home::new();
        let key = ec_key();
        home.write("client.crt", draft("client", &key).self_signed().pem());
        for reference in ["pkcs11:client", "engine:"] {
            let error = failure(&home, &[BOTH[0], ("sslkey", reference)]);
            assert_eq!(error, IdentityError::KeyInEngine { reference: reference.into() });
        }
        assert_eq!(is_engine_reference(Path::new("c:/client.key")), !cfg!(windows));
        assert!(!is_engine_reference(Path::new("/etc/client.key")));
    }

    #[cfg(unix)]
    #[test]
    fn permissions_follow_the_owner() {
        use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

        let home = Home::new();
        let path = home.write("client.key", "");
        let by_root = fs::metadata(&path).unwrap().uid() == 0;
        // Mode; whether it will do for a file of root's, and for one of anybody else.
        for (mode, of_root, of_others) in [
            (0o600, true, true),
            (0o400, true, true),
            (0o700, true, true),
            (0o640, true, false),
            (0o440, true, false),
            (0o660, false, false),
            (0o650, false, false),
            (0o604, false, false),
            (0o602, false, false),
            (0o601, false, false),
            (0o644, false, false),
        ] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let checked = check_permissions(&path);
            assert_eq!(checked.is_ok(), if by_root { of_root } else { of_others }, "{mode:o}");
            if let Err(error) = checked {
                assert_eq!(
                    error,
                    IdentityError::KeyPermissions { path: path.clone(), mode, owned_by_root: by_root }
                );
            }
        }
        let link = home.path("link.key");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        symlink("client.key", &link).unwrap();
        assert_eq!(check_permissions(&link), Ok(()), "links are followed");
        if by_root && std::os::unix::fs::chown(&path, Some(65534), None).is_ok() {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
            let error = check_permissions(&path).unwrap_err();
            assert!(matches!(error, IdentityError::KeyPermissions { owned_by_root: false, .. }), "{error:?}");
        }
    }
}
