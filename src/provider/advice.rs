//! A root file held against what a provider needs: what is missing now or soon, what was given up.

use super::host::{fits, region};
use super::roots::{is, named};
use super::{ExpectedRoot, Provider, Retirement, RootStatus, has_come, retirement};
use crate::timestamp::Timestamp;
use crate::trust::RootStore;

/// What is to be said of a root file that is used with a provider.
#[derive(Clone, Debug)]
pub struct Advice {
    /// The provider.
    pub provider: &'static Provider,
    /// The roots of the provider that the file has, by common name.
    pub held: Vec<&'static str>,
    /// Those it lacks, in the order of the table.
    pub missing: Vec<MissingRoot>,
    /// Names of roots that the provider needs and this tool cannot tell from others: their certificates do not ship.
    pub unknown: Vec<String>,
    /// Roots in the file that were given up.
    pub retired: Vec<&'static Retirement>,
}

/// A root of a provider that a file lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MissingRoot {
    /// Its common name; with a `*` for the region where no host name tells it.
    pub name: &'static str,
    /// Its SHA-256 in lower-case hexadecimal, unless the name has a `*`.
    pub sha256: Option<&'static str>,
    /// From when on, or for whom, it is needed.
    pub due: Due,
}

/// From when on, or for whom, a root is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Now.
    Now,
    /// From that day on.
    From(&'static str),
    /// For some servers: which.
    Sometimes(&'static str),
}

impl Advice {
    /// The roots whose absence breaks a connection now or on an announced day: what `root-bundle-incomplete` is about.
    pub fn needed(&self) -> impl Iterator<Item = &MissingRoot> {
        self.missing.iter().filter(|root| !matches!(root.due, Due::Sometimes(_)))
    }

    /// Whether of all the provider's roots the file has only such as were given up: what `root-retired` is about before
    /// a chain is seen. Where one is, [`retirement`] of the root it ends at says more.
    pub fn rests_on_retired(&self) -> bool {
        let is_retired = |name: &&str| self.retired.iter().any(|retired| retired.root == *name);
        !self.held.is_empty() && self.held.iter().all(is_retired)
    }
}

/// Holds a root file against what a provider's servers need at a moment. The host name tells the region where roots are
/// by region; without it one region's root is enough. Decodes nothing that is not decoded.
pub fn advice(provider: &'static Provider, host: Option<&str>, store: &RootStore, at: Timestamp) -> Advice {
    let region = host.and_then(|host| region(provider, host));
    let has = |sha256: &str| store.certificates.iter().any(|entry| is(&entry.certificate, sha256));
    let mut advice =
        Advice { provider, held: Vec::new(), missing: Vec::new(), unknown: Vec::new(), retired: Vec::new() };
    for expected in provider.roots {
        let candidates = candidates(expected, region);
        let held = candidates.iter().find(|(_, sha256)| has(sha256));
        let due = match expected.status {
            RootStatus::Now => Due::Now,
            RootStatus::Announced { from } if has_come(from, at) => Due::Now,
            RootStatus::Announced { from } => Due::From(from),
            RootStatus::Sometimes { which } => Due::Sometimes(which),
            RootStatus::Former { .. } => {
                advice.held.extend(held.map(|(name, _)| *name));
                continue;
            }
        };
        match (held, candidates.as_slice()) {
            (Some((name, _)), _) => advice.held.push(name),
            (None, []) => advice.unknown.push(expected.name.replace('*', region.unwrap_or("*"))),
            (None, [(name, sha256)]) => {
                advice.missing.push(MissingRoot { name, sha256: Some(sha256), due });
            }
            (None, _) => advice.missing.push(MissingRoot { name: expected.name, sha256: None, due }),
        }
    }
    let retired = store.certificates.iter().filter_map(|entry| retirement(&entry.certificate, at));
    for retired in retired {
        if !advice.retired.contains(&retired) {
            advice.retired.push(retired);
        }
    }
    advice
}

/// Name and fingerprint of the certificates that an expected root can be.
fn candidates(expected: &ExpectedRoot, region: Option<&str>) -> Vec<(&'static str, &'static str)> {
    match (expected.sha256, region) {
        (Some(sha256), _) => vec![(expected.name, sha256)],
        (None, Some(region)) => {
            let exact = expected.name.replace('*', region);
            named(expected.name).into_iter().filter(|(name, _)| fits(&exact, name)).collect()
        }
        (None, None) => named(expected.name),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::provider::{by_id, known_root};
    use crate::trust::{FileCertificate, RootSource};

    fn store(names: &[&str]) -> RootStore {
        let file = PathBuf::from("roots.pem");
        let entry = |name: &&str| FileCertificate {
            certificate: known_root(name).unwrap_or_else(|| panic!("{name}")).certificate.clone(),
            file: file.clone(),
            line: 1,
        };
        RootStore::loaded(RootSource::Given(file.clone()), names.iter().map(entry).collect())
    }

    fn at(year: i32, month: u8, day: u8) -> Timestamp {
        Timestamp::from_utc(year, month, day, 0, 0, 0).unwrap()
    }

    const G1: &str = "DigiCert Global Root CA";
    const G2: &str = "DigiCert Global Root G2";
    const MICROSOFT: &str = "Microsoft RSA Root Certificate Authority 2017";

    #[test]
    fn the_file_of_the_first_azure_instructions_lacks_both_roots() {
        let azure = by_id("azure-flexible").unwrap();
        let host = Some("x.postgres.database.azure.com");
        let found = advice(azure, host, &store(&[G1]), at(2026, 11, 23));
        let needed: Vec<_> = found.needed().map(|root| (root.name, root.due)).collect();
        assert_eq!(needed, [(G2, Due::Now), (MICROSOFT, Due::Now)]);
        assert_eq!(found.missing[0].sha256.map(|hex| &hex[..8]), Some("cb3ccbb7"));
        assert_eq!(found.retired.iter().map(|retired| retired.root).collect::<Vec<_>>(), [G1]);
        assert!(found.rests_on_retired());
    }

    #[test]
    fn the_recommended_file_is_complete() {
        let azure = by_id("azure-flexible").unwrap();
        let found = advice(azure, None, &store(&[G2, MICROSOFT, G1]), at(2026, 11, 23));
        assert_eq!((found.missing.len(), found.held.len()), (0, 3));
        assert!(!found.rests_on_retired());
        let found = advice(azure, None, &store(&[G2, MICROSOFT]), at(2026, 11, 23));
        assert_eq!(found.needed().count(), 0);
        assert!(matches!(found.missing.as_slice(), [MissingRoot { name: G1, due: Due::Sometimes(_), .. }]));
    }

    #[test]
    fn an_announced_root_is_due_from_its_day_on() {
        let china = by_id("azure-flexible-china").unwrap();
        let due = |moment| {
            let found = advice(china, None, &store(&[MICROSOFT, G1]), moment);
            found.needed().map(|root| (root.name, root.due)).collect::<Vec<_>>()
        };
        assert_eq!(due(at(2026, 3, 8)), [(G2, Due::From("2026-03-09"))]);
        assert_eq!(due(at(2026, 3, 9)), [(G2, Due::Now)]);
    }

    #[test]
    fn regions_have_their_own_roots() {
        let rds = by_id("aws-rds").unwrap();
        let host = |region: &str| format!("db.c1.{region}.rds.amazonaws.com");
        let file = store(&["Amazon RDS eu-west-1 Root CA RSA2048 G1"]);
        let found = advice(rds, Some(&host("eu-west-1")), &file, at(2026, 11, 23));
        assert_eq!((found.needed().count(), found.missing.len()), (0, 2));
        let found = advice(rds, Some(&host("eu-west-2")), &file, at(2026, 11, 23));
        let needed: Vec<_> = found.needed().collect();
        assert_eq!(needed[0].name, "Amazon RDS eu-west-2 Root CA RSA2048 G1");
        assert!(needed[0].sha256.is_some());
        let found = advice(rds, Some(&host("us-gov-west-1")), &file, at(2026, 11, 23));
        assert_eq!((found.missing.len(), found.unknown.len()), (0, 3));
        assert_eq!(found.unknown[0], "Amazon RDS us-gov-west-1 Root CA RSA2048 G1");
        let found = advice(rds, None, &file, at(2026, 11, 23));
        assert_eq!(found.needed().count(), 0);
        let found = advice(rds, None, &store(&[G2]), at(2026, 11, 23));
        assert_eq!(found.needed().map(|root| root.sha256).collect::<Vec<_>>(), [None]);
    }

    #[test]
    fn a_root_that_does_not_ship_is_known_by_its_fingerprint() {
        let found = advice(by_id("supabase").unwrap(), None, &store(&[G2]), at(2026, 11, 23));
        assert_eq!(found.needed().map(|root| root.name).collect::<Vec<_>>(), ["Supabase Root 2021 CA"]);
    }

    #[test]
    fn every_provider_is_content_with_its_own_bundle() {
        for provider in crate::provider::PROVIDERS {
            let Some(bundle) = crate::provider::bundle(provider.id) else { continue };
            let mut file = store(&[]);
            file.certificates.extend(bundle.roots.iter().map(|entry| FileCertificate {
                certificate: entry.root.certificate.clone(),
                file: PathBuf::new(),
                line: 1,
            }));
            let found = advice(provider, None, &file, at(2026, 11, 23));
            assert!(found.missing.is_empty() && found.unknown.is_empty(), "{}: {found:?}", provider.id);
        }
    }
}
