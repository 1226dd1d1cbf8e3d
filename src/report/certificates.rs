//! Certificates in words: names, keys, numbers. Strings are as the certificate has them, made UTF-8; whoever shows
//! them makes them printable.

use std::fmt::Write as _;

use crate::certificate::{Certificate, DistinguishedName, GeneralName, KeyKind};

/// All attributes in their order: `C=US, O=DigiCert Inc, CN=DigiCert Global Root G2`.
pub fn full_name(name: &DistinguishedName) -> String {
    let attribute = |(kind, value): &(String, Vec<u8>)| format!("{kind}={}", lossy(value));
    name.attributes.iter().map(attribute).collect::<Vec<_>>().join(", ")
}

/// The name people know it by: the common name, else the organisation, else all of it.
pub fn short_name(name: &DistinguishedName) -> String {
    let last = |kind: &str| name.attributes.iter().rev().find(|(attribute, _)| attribute == kind);
    match last("CN").or_else(|| last("O")) {
        Some((_, value)) => lossy(value),
        None if name.attributes.is_empty() => "(no name)".to_owned(),
        None => full_name(name),
    }
}

/// [`short_name`] of the subject, or that there is none to be read.
pub fn short_subject(certificate: &Certificate) -> String {
    match certificate.facts() {
        Ok(facts) => short_name(&facts.subject),
        Err(_) => "(a certificate that cannot be decoded)".to_owned(),
    }
}

/// `DNS:db.example.com`, `IP:192.0.2.1`, as OpenSSL writes them.
pub fn general_name(name: &GeneralName) -> String {
    match name {
        GeneralName::Dns(bytes) => format!("DNS:{}", lossy(bytes)),
        GeneralName::Ip(address) => format!("IP:{address}"),
        GeneralName::BadIp(bytes) => format!("IP:<{}>", hex(bytes)),
        GeneralName::Email(bytes) => format!("email:{}", lossy(bytes)),
        GeneralName::Uri(bytes) => format!("URI:{}", lossy(bytes)),
        GeneralName::Other(tag, bytes) => format!("other[{tag}]:{}", hex(bytes)),
    }
}

/// `RSA 2048`, `EC P-256`.
pub fn key(kind: &KeyKind) -> String {
    match kind {
        KeyKind::Rsa(bits) => format!("RSA {bits}"),
        KeyKind::RsaPss(bits) => format!("RSA-PSS {bits}"),
        KeyKind::Ec(curve) => format!("EC {curve}"),
        KeyKind::Ed25519 => "Ed25519".to_owned(),
        KeyKind::Ed448 => "Ed448".to_owned(),
        KeyKind::Other(oid) => oid.clone(),
    }
}

/// Upper-case hexadecimal digits without separators.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut digits, byte| {
        // Writing to a String cannot fail.
        let _ = write!(digits, "{byte:02X}");
        digits
    })
}

/// Whether a certificate names itself as its issuer.
pub fn is_self_issued(certificate: &Certificate) -> bool {
    certificate.facts().is_ok_and(|facts| facts.subject.canonical == facts.issuer.canonical)
}

/// Bytes as text, U+FFFD for what is not UTF-8.
pub fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
