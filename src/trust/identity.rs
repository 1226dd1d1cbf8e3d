//! The client's certificate and key: `sslcert`, `sslkey`, `sslpassword`, or the default files
//! (fe-secure-openssl.c, initialize_SSL).

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use rustls::sign::SigningKey;

use super::{ClientCertificate, ClientIdentity, FileContent, IdentityError, file, key, p521};
use crate::certificate::Certificate;
use crate::certificate::pem;
use crate::conninfo::{Environment, Settings, SslCertMode, SslMode};

pub(super) fn load(settings: &Settings, environment: &Environment) -> ClientIdentity {
    if settings.sslmode == SslMode::Disable || settings.certificate_mode == SslCertMode::Disable {
        return ClientIdentity::None;
    }
    let place = |keyword, default| {
        settings
            .path(keyword)
            .or_else(|| environment.default_file(default))
            .map(|path| environment.current_dir.join(path))
    };
    let Some(certificate) = place("sslcert", "postgresql.crt") else { return ClientIdentity::None };
    match fs::metadata(&certificate) {
        // Absent, libpq goes on without; the key is not even looked at.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return match settings.path("sslcert") {
                Some(_) => ClientIdentity::Absent { path: certificate },
                None => ClientIdentity::None,
            };
        }
        Err(error) => {
            return ClientIdentity::Failed(IdentityError::CertificateUnreadable {
                path: certificate,
                error: (&error).into(),
            });
        }
        Ok(_) => {}
    }
    match read(settings, environment, &certificate) {
        Ok(identity) => ClientIdentity::Ready(identity),
        Err(error) => ClientIdentity::Failed(error),
    }
}

fn read(
    settings: &Settings,
    environment: &Environment,
    path: &Path,
) -> Result<ClientCertificate, IdentityError> {
    let chain = chain(path)?;
    let key_path = match settings.path("sslkey") {
        Some(given) if is_engine_reference(&given) => {
            return Err(IdentityError::KeyInEngine { reference: given });
        }
        Some(given) => Some(environment.current_dir.join(given)),
        None => environment.default_file("postgresql.key"),
    };
    let missing = |key| IdentityError::KeyMissing { certificate: path.to_owned(), key };
    let Some(key_path) = key_path else { return Err(missing(None)) };
    match fs::metadata(&key_path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(missing(Some(key_path))),
        Err(error) => return Err(IdentityError::KeyUnreadable { path: key_path, error: (&error).into() }),
        Ok(_) => {}
    }
    check_permissions(&key_path)?;
    let bytes = zeroize::Zeroizing::new(
        file::read(&key_path)
            .map_err(|error| IdentityError::KeyUnreadable { path: key_path.clone(), error })?,
    );
    let pass_phrase = settings.parameter("sslpassword").map(|parameter| parameter.value.as_bytes());
    let key = key::read(&bytes, pass_phrase)
        .map_err(|problem| IdentityError::KeyInvalid { path: key_path.clone(), problem })?;
    let identity = ClientCertificate {
        chain,
        key: Arc::new(key),
        certificate_file: path.to_owned(),
        key_file: key_path,
    };
    if identity.key_matches() == Some(false) {
        return Err(IdentityError::KeyMismatch { certificate: path.to_owned(), key: identity.key_file });
    }
    Ok(identity)
}

/// The file's first certificate is the client's, the others its chain. OpenSSL wants every block of any label to be
/// well-formed, every certificate to be decodable (odd times do not matter), and those with a weak key or signature it
/// refuses at once (SSL_CTX_use_certificate_chain_file in ssl_rsa.c, ssl_security_cert in t1_lib.c).
fn chain(path: &Path) -> Result<Vec<Certificate>, IdentityError> {
    let bytes = file::read(path)
        .map_err(|error| IdentityError::CertificateUnreadable { path: path.to_owned(), error })?;
    let blocks = pem::blocks(&bytes);
    let mut chain = Vec::new();
    for block in &blocks {
        let bad = |what: String| IdentityError::CertificateInvalid {
            path: path.to_owned(),
            content: FileContent::BadBlock { line: block.line, what },
        };
        let der = block.content.as_ref().map_err(|error| bad(error.to_string()))?;
        let certificate = match (block.label.as_str(), chain.is_empty()) {
            ("CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE", true) => {
                Certificate::from_trusted_der(der).map_err(|error| bad(error.to_string()))?
            }
            ("CERTIFICATE" | "X509 CERTIFICATE", false) => Certificate::from_der_prefix(der),
            _ => continue,
        };
        if !block.headers.is_empty() {
            return Err(bad("it has header lines".to_owned()));
        }
        if let Some(fault) = fault(&certificate) {
            return Err(bad(fault));
        }
        chain.push(certificate);
    }
    if chain.is_empty() {
        return Err(IdentityError::CertificateInvalid {
            path: path.to_owned(),
            content: file::content(&bytes, &blocks),
        });
    }
    Ok(chain)
}

/// What OpenSSL at level 2 minds about a certificate that a client is to send.
fn fault(certificate: &Certificate) -> Option<String> {
    match certificate.facts() {
        Err(error) => (!certificate.decodes_but_for_times()).then(|| error.to_string()),
        Ok(facts) if !facts.key_decodes() => Some("its public key cannot be decoded".to_owned()),
        Ok(facts) if facts.key.is_weak() => Some(format!("its key ({}) is too small", facts.key)),
        Ok(facts) if facts.signature.algorithm.is_weak() && !facts.is_self_signed() => {
            Some(format!("its signature ({}) is too weak", facts.signature))
        }
        Ok(_) => None,
    }
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

    let metadata = fs::metadata(path)
        .map_err(|error| IdentityError::KeyUnreadable { path: path.to_owned(), error: (&error).into() })?;
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
        rustls::crypto::ring::sign::any_supported_type(&self.key)
            .ok()
            .or_else(|| p521::signing_key(&self.key))
    }

    /// Whether key and certificate belong together; `None` where that cannot be told.
    fn key_matches(&self) -> Option<bool> {
        let key = self.signing_key()?;
        let public = key.public_key()?;
        Some(self.chain.first()?.facts().ok()?.has_public_key(public.as_ref()))
    }
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
