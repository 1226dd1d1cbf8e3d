//! Certificates by the name people know them by. Strings are as the certificate has them, made UTF-8; whoever shows
//! them makes them printable.

use crate::certificate::{Certificate, DistinguishedName};

/// The common name, else the organisation, else the whole name.
pub fn short_name(name: &DistinguishedName) -> String {
    let organisation = || name.first("O").map(|attribute| attribute.text());
    name.common_name().or_else(organisation).unwrap_or_else(|| match name.is_empty() {
        true => "(no name)".to_owned(),
        false => name.to_string(),
    })
}

/// [`short_name`] of the subject, or that there is none to be read.
pub fn short_subject(certificate: &Certificate) -> String {
    match certificate.readable().subject {
        Some(subject) => short_name(&subject),
        None => "(a certificate that cannot be decoded)".to_owned(),
    }
}

/// Whether a certificate names itself as its issuer.
pub fn is_self_issued(certificate: &Certificate) -> bool {
    certificate.facts().is_ok_and(|facts| facts.is_self_issued())
}

/// Bytes as text, U+FFFD for what is not UTF-8.
pub fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
