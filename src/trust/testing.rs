//! What the tests of this module share: settings and an environment below a temporary directory, and OpenSSL's own reading
//! of files. The certificates that `crate::testing` makes, by the library that the program has, are sound ones with keys
//! on P-256; what is read here is of every version, kind of key and digest, also such as that library refuses to make. So
//! they come from the maker of odd ones that the tests in `tests/it` have.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use openssl::pkey::{PKey, Private};
use openssl::ssl::{SslContext, SslFiletype, SslMethod};
use openssl::x509::X509;

pub(super) use self::odd_pki::{Draft, Hash, Kind, Scheme};
use crate::conninfo::{Environment, LoginName, Origin, Parameter, Settings};

#[path = "../../tests/it/support/der.rs"]
#[allow(dead_code, reason = "the tests in tests/it use the rest")]
mod der;
#[path = "../../tests/it/support/odd_pki/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the tests in tests/it use the rest")]
mod odd_pki;

/// A home directory, gone when it is dropped.
pub(super) struct Home {
    pub directory: tempfile::TempDir,
    pub environment: Environment,
}

impl Home {
    pub(super) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join(".postgresql")).unwrap();
        let environment = Environment {
            variables: BTreeMap::from([("HOME".into(), directory.path().into())]),
            beside: Vec::new(),
            account_home: None,
            login_name: LoginName::Unknown,
            user_id: None,
            current_dir: directory.path().to_owned(),
            secrets: Default::default(),
            system_config_dir: PathBuf::from("/nonexistent"),
            program: Default::default(),
            openssl: Default::default(),
            kerberos: Default::default(),
        };
        Self { directory, environment }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a file that only its owner may read.
    pub(super) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        #[cfg(unix)]
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        path
    }

    pub(super) fn variable(mut self, name: &str, value: impl Into<std::ffi::OsString>) -> Self {
        self.environment.variables.insert(name.into(), value.into());
        self
    }
}

/// Settings under verify-full with these parameters.
pub(super) fn settings(parameters: &[(&'static str, &str)]) -> Settings {
    let parameter = |(keyword, value): &(&'static str, &str)| Parameter {
        keyword,
        value: crate::conninfo::testing::value(keyword, value),
        origin: Origin::ConnectionString,
        place: None,
    };
    Settings {
        parameters: parameters.iter().map(parameter).collect(),
        ..crate::conninfo::testing::settings()
    }
}

/// A certificate of this name for this key, without extensions.
pub(super) fn draft(name: &str, key: &PKey<Private>) -> Draft {
    Draft::bare(name).without_extensions().key(key.clone().into())
}

pub(super) fn ec_key() -> PKey<Private> {
    key(Kind::P256)
}

/// A new key.
pub(super) fn key(kind: Kind) -> PKey<Private> {
    odd_pki::Key::generate(kind).private
}

/// A self-signed certificate.
pub(super) fn root(name: &str) -> X509 {
    draft(name, &ec_key()).self_signed().x509()
}

pub(super) fn pem(certificate: &X509) -> String {
    String::from_utf8(certificate.to_pem().unwrap()).unwrap()
}

/// A PEM block around these bytes.
pub(super) use self::der::pem as block;

/// Whether OpenSSL takes a root file (`SSL_CTX_load_verify_locations`, as libpq calls it).
pub(super) fn openssl_takes_roots(path: &Path) -> bool {
    SslContext::builder(SslMethod::tls()).unwrap().set_ca_file(path).is_ok()
}

/// Whether OpenSSL takes a client's certificate file (`SSL_CTX_use_certificate_chain_file`).
pub(super) fn openssl_takes_chain(path: &Path) -> bool {
    SslContext::builder(SslMethod::tls()).unwrap().set_certificate_chain_file(path).is_ok()
}

/// Whether OpenSSL takes certificate and key together, as libpq does it: the key as PEM, else as DER.
pub(super) fn openssl_takes_pair(certificate: &Path, key: &Path) -> bool {
    let mut context = SslContext::builder(SslMethod::tls()).unwrap();
    context.set_certificate_chain_file(certificate).unwrap();
    let read = context
        .set_private_key_file(key, SslFiletype::PEM)
        .or_else(|_| context.set_private_key_file(key, SslFiletype::ASN1));
    read.is_ok() && context.check_private_key().is_ok()
}
