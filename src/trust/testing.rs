//! What the tests of this module share: certificates, settings and an environment below a temporary directory, and
//! OpenSSL's own reading of files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use openssl::asn1::Asn1Time;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private, Public};
use openssl::ssl::{SslContext, SslFiletype, SslMethod};
use openssl::x509::{X509, X509Builder, X509NameBuilder};

use crate::conninfo::{Environment, Origin, Parameter, Settings};

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
            account_home: None,
            login_name: None,
            user_id: None,
            current_dir: directory.path().to_owned(),
            system_config_dir: PathBuf::from("/nonexistent"),
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

/// What a test wants a certificate to be.
pub(super) struct Draft<'a> {
    pub name: &'a str,
    pub key: &'a PKey<Private>,
    /// The public key to put in, if it is not simply that of `key`.
    pub public: Option<PKey<Public>>,
    /// The signer's name and key, if it does not sign itself.
    pub issuer: Option<(&'a str, &'a PKey<Private>)>,
    pub hash: MessageDigest,
    /// 1 or 3.
    pub version: i32,
}

impl<'a> Draft<'a> {
    pub(super) fn new(name: &'a str, key: &'a PKey<Private>) -> Self {
        let hash = match key.id() {
            openssl::pkey::Id::ED25519 => MessageDigest::null(),
            _ => MessageDigest::sha256(),
        };
        Self { name, key, public: None, issuer: None, hash, version: 3 }
    }

    pub(super) fn make(self) -> X509 {
        let name = |text: &str| {
            let mut name = X509NameBuilder::new().unwrap();
            name.append_entry_by_text("CN", text).unwrap();
            name.build()
        };
        let (issuer, issuer_key) = self.issuer.unwrap_or((self.name, self.key));
        let mut draft = X509Builder::new().unwrap();
        draft.set_version(self.version - 1).unwrap();
        draft.set_subject_name(&name(self.name)).unwrap();
        draft.set_issuer_name(&name(issuer)).unwrap();
        match &self.public {
            Some(public) => draft.set_pubkey(public).unwrap(),
            None => draft.set_pubkey(self.key).unwrap(),
        }
        draft.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
        draft.set_not_after(&Asn1Time::days_from_now(30).unwrap()).unwrap();
        draft.sign(issuer_key, self.hash).unwrap();
        draft.build()
    }
}

pub(super) fn ec_key() -> PKey<Private> {
    on_curve(openssl::nid::Nid::X9_62_PRIME256V1)
}

pub(super) fn on_curve(curve: openssl::nid::Nid) -> PKey<Private> {
    let group = openssl::ec::EcGroup::from_curve_name(curve).unwrap();
    PKey::from_ec_key(openssl::ec::EcKey::generate(&group).unwrap()).unwrap()
}

pub(super) fn rsa_key(bits: u32) -> PKey<Private> {
    PKey::from_rsa(openssl::rsa::Rsa::generate(bits).unwrap()).unwrap()
}

/// A self-signed certificate.
pub(super) fn root(name: &str) -> X509 {
    Draft::new(name, &ec_key()).make()
}

pub(super) fn pem(certificate: &X509) -> String {
    String::from_utf8(certificate.to_pem().unwrap()).unwrap()
}

/// A PEM block around these bytes.
pub(super) fn block(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", openssl::base64::encode_block(der))
}

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
