//! Roots that the public stores have given up. libpq trusts them all the same while they stand in the root file; other
//! clients, and `sslrootcert=system` on newer machines, do not.

use super::Source;
use super::has_come;
use super::roots::is;
use crate::certificate::Certificate;
use crate::timestamp::Timestamp;

/// A root that was given up.
#[derive(Debug, PartialEq, Eq)]
pub struct Retirement {
    /// Its common name.
    pub root: &'static str,
    /// Its SHA-256 in lower-case hexadecimal.
    pub sha256: &'static str,
    /// The day since which it is.
    pub since: &'static str,
    /// What is the case since then, as the end of a sentence that begins with the root's name.
    pub what: &'static str,
    /// Who says so.
    pub source: Source,
}

impl std::fmt::Display for Retirement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}, since {} ({})", self.root, self.what, self.since, self.source)
    }
}

const MEASURED: Source =
    Source { what: "certifi and crate webpki-root-certs 1.0.11 (measured)", date: Some("2026-10-18") };

/// All that are known.
pub static RETIREMENTS: &[Retirement] = &[
    Retirement {
        root: "DigiCert Global Root CA",
        sha256: "4348a0e9444c78cb265e058d5e8944b4d84f9662bd26db257f8934a443c70161",
        since: "2026-04-15",
        what: "is no longer trusted by Mozilla and Chrome",
        source: Source { what: "DigiCert knowledge base, ALERT86", date: Some("2026-04-08") },
    },
    Retirement {
        root: "Baltimore CyberTrust Root",
        sha256: "16af57a9f676b0ab126095aa5ebadef22ab31119d644ac95cd4b93dbf3f26aeb",
        since: "2025-05-12",
        what: "expired and has left the public stores",
        source: MEASURED,
    },
    Retirement {
        root: "GlobalSign Root CA",
        sha256: "ebd41040e4bb3ec742c9e381d31ef2a41a48b6685c96e7cef3c1df6cd4331c99",
        since: "2026-10-18",
        what: "is no longer in Mozilla's set of roots",
        source: MEASURED,
    },
    Retirement {
        root: "GTS Root R2",
        sha256: "8d25cd97229dbf70356bda4eb3cc734031e24cf00fafcfd32dc76eb5841c7ea8",
        since: "2026-10-18",
        what: "is no longer in Mozilla's set of roots",
        source: MEASURED,
    },
];

/// Whether a certificate is a root that was given up by `at`.
pub fn retirement(certificate: &Certificate, at: Timestamp) -> Option<&'static Retirement> {
    let name = certificate.facts().ok()?.subject.common_name()?;
    RETIREMENTS.iter().find(|retired| {
        name == retired.root && has_come(retired.since, at) && is(certificate, retired.sha256)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::known_roots;

    #[test]
    fn the_table_names_certificates_that_ship() {
        let late = Timestamp::from_utc(2027, 1, 1, 0, 0, 0).unwrap();
        for retired in RETIREMENTS {
            let root = known_roots()
                .iter()
                .find(|root| root.certificate.fingerprint().to_lowercase() == retired.sha256)
                .unwrap();
            assert_eq!(
                root.certificate.facts().unwrap().subject.common_name().as_deref(),
                Some(retired.root)
            );
            assert_eq!(retirement(&root.certificate, late), Some(retired));
        }
        let retired = known_roots().iter().filter(|root| retirement(&root.certificate, late).is_some());
        assert_eq!(retired.count(), RETIREMENTS.len());
    }

    #[test]
    fn a_root_is_retired_from_its_day_on() {
        let g1 = crate::provider::known_root("DigiCert Global Root CA").unwrap();
        let before = Timestamp::from_utc(2026, 4, 14, 23, 59, 59).unwrap();
        let from = Timestamp::from_utc(2026, 4, 15, 0, 0, 0).unwrap();
        assert_eq!(retirement(&g1.certificate, before), None);
        assert!(retirement(&g1.certificate, from).is_some());
    }
}
