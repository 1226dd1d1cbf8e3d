//! What OpenSSL's reader takes from a file of PEM blocks (`PEM_X509_INFO_read_bio`), and for which it gives up.

use std::path::Path;

use super::{FileCertificate, FileContent};
use crate::certificate::pem::Block;
use crate::certificate::{Certificate, Crl};

/// What OpenSSL's `X509_load_cert_crl_file` takes from a file.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) certificates: Vec<FileCertificate>,
    pub(super) crls: Vec<(Crl, usize)>,
}

/// Labels under which OpenSSL finds certificates.
pub(super) const CERTIFICATE_LABELS: [&str; 3] = ["CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"];

/// What is wanted of a file. Blocks of other labels are passed over, if they are PEM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kinds {
    Certificates,
    Crls,
    Both,
}

/// Takes certificates and CRLs from blocks; one bad block of any label spoils them all (pem_info.c).
pub(super) fn certificates(path: &Path, blocks: &[Block]) -> Result<Found, FileContent> {
    let mut found = Found::default();
    take(path, blocks, Kinds::Both, &mut found)?;
    Ok(found)
}

/// Takes what is wanted from blocks, up to the first bad one of any label.
pub(super) fn take(
    path: &Path,
    blocks: &[Block],
    kinds: Kinds,
    found: &mut Found,
) -> Result<(), FileContent> {
    for block in blocks {
        let bad = |what: String| FileContent::BadBlock { line: block.line, what };
        let der = block.content.as_ref().map_err(|error| bad(error.to_string()))?;
        let is_certificate = kinds != Kinds::Crls && CERTIFICATE_LABELS.contains(&block.label.as_str());
        let is_crl = kinds != Kinds::Certificates && block.label == "X509 CRL";
        if !is_certificate && !is_crl {
            continue;
        }
        if !block.headers.is_empty() {
            return Err(bad("it has header lines".to_owned()));
        }
        if is_certificate {
            let certificate = if block.label == "TRUSTED CERTIFICATE" {
                Certificate::from_trusted_der(der).map_err(|error| bad(error.to_string()))?
            } else {
                Certificate::from_der_prefix(der)
            };
            if let (Err(error), false) = (certificate.facts(), certificate.decodes_but_for_times()) {
                return Err(bad(error.to_string()));
            }
            found.certificates.push(FileCertificate { certificate, file: path.to_owned(), line: block.line });
        } else {
            let crl = Crl::decode(der).map_err(|error| bad(error.to_string()))?;
            found.crls.push((crl, block.line));
        }
    }
    Ok(())
}
