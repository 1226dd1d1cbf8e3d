//! A file with a certificate and its chain, as OpenSSL loads it for whoever is to present it
//! (SSL_CTX_use_certificate_chain_file): libpq its client's, PostgreSQL its own.

use std::path::Path;

use super::{FileCertificate, FileContent, FileError, Weakness, file};
use crate::certificate::{self, Certificate, SecurityLevel, pem};

/// Why OpenSSL loads nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ChainFault {
    /// The file cannot be read.
    Unreadable(FileError),
    /// It holds something else.
    Invalid(FileContent),
}

/// The certificates of a file, its first one the leaf. OpenSSL wants every block of any label to be
/// well-formed, every certificate to be decodable (odd times do not matter), and those with a weak key or signature it
/// refuses at once (SSL_CTX_use_certificate_chain_file in ssl_rsa.c, ssl_security_cert in t1_lib.c).
pub(super) fn read(path: &Path, level: SecurityLevel) -> Result<Vec<FileCertificate>, ChainFault> {
    if crate::file::is_directory(path) {
        return Err(ChainFault::Invalid(FileContent::Directory));
    }
    let bytes = file::read(path).map_err(ChainFault::Unreadable)?;
    let blocks = pem::blocks(&bytes);
    let mut chain = Vec::new();
    for block in &blocks {
        let bad = |what: String| ChainFault::Invalid(FileContent::BadBlock { line: block.line, what });
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
        match fault(&certificate, level) {
            Some(Fault::Damaged(what)) => return Err(bad(what)),
            Some(Fault::Weak(weakness)) => {
                let is_leaf = chain.is_empty();
                return Err(ChainFault::Invalid(FileContent::TooWeak {
                    line: block.line,
                    is_leaf,
                    weakness,
                }));
            }
            None => {}
        }
        chain.push(FileCertificate { certificate, file: path.to_owned(), line: block.line });
    }
    if chain.is_empty() {
        let content = match certificate::altered(&bytes) {
            Some(altered) => FileContent::Altered(altered.by),
            None => file::content(&bytes, &blocks),
        };
        return Err(ChainFault::Invalid(content));
    }
    Ok(chain)
}

/// What keeps a certificate from being loaded.
enum Fault {
    Damaged(String),
    Weak(Weakness),
}

/// What OpenSSL at this level minds about a certificate that is to be sent.
fn fault(certificate: &Certificate, level: SecurityLevel) -> Option<Fault> {
    match certificate.facts() {
        Err(error) => (!certificate.decodes_but_for_times()).then(|| Fault::Damaged(error.to_string())),
        Ok(facts) if !facts.key_decodes() => {
            Some(Fault::Damaged("its public key cannot be decoded".to_owned()))
        }
        Ok(facts) if facts.key.is_weak_at(level) => Some(Fault::Weak(Weakness::Key(facts.key.clone()))),
        Ok(facts) if facts.signature.algorithm.is_weak_at(level) && !facts.is_self_signed() => {
            Some(Fault::Weak(Weakness::Signature(facts.signature.clone())))
        }
        Ok(_) => None,
    }
}
