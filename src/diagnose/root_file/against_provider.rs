//! What a root file lacks or has too much of, held against a provider: pure, from [`Advice`] and the certificates. What
//! is said of a file here is the same with and without a server.

use super::present_roots;
use crate::certificate::Certificate;
use crate::diagnose::code::{Code, Concern, Severity};
use crate::diagnose::rule::Finding;
use crate::diagnose::{Diagnosis, Fact, Fix, Warning};
use crate::provider::{Advice, Due, MissingRoot, Provider, retirement};
use crate::stage::Stage;
use crate::timestamp::Timestamp;
use crate::trust::{RootSource, RootStore};

/// Lists longer than this show nobody anything.
const LISTED: usize = 8;

/// `root-not-in-file`.
pub const ROOT_NOT_IN_FILE: Code = Code {
    name: "root-not-in-file",
    severity: Severity::Failure,
    stage: Stage::Certificate,
    title: "the chain leads to a known root that is not in the root file",
    short: Some("ends at a root that is not in your file"),
    concerns: &[Concern::Roots],
    retryable: false,
};

/// `root-bundle-incomplete`.
pub const ROOT_BUNDLE_INCOMPLETE: Code = Code {
    name: "root-bundle-incomplete",
    severity: Severity::Warning,
    stage: Stage::Trust,
    title: "the root file lacks roots that the provider uses or has announced",
    short: None,
    concerns: &[],
    retryable: false,
};

/// `root-retired`.
pub const ROOT_RETIRED: Code = Code {
    name: "root-retired",
    severity: Severity::Warning,
    stage: Stage::Certificate,
    title: "the chain ends at a retired root",
    short: None,
    concerns: &[],
    retryable: false,
};

/// `root-expires-soon`.
pub const ROOT_EXPIRES_SOON: Code = Code {
    name: "root-expires-soon",
    severity: Severity::Warning,
    stage: Stage::Certificate,
    title: "a certificate in the root file expires soon",
    short: None,
    concerns: &[],
    retryable: false,
};

/// `root-not-in-file`, told before a chain is seen: the file has none of the roots at which the provider's chains end
/// now. `file` is its name for people.
pub fn lacks_all(file: &str, advice: &Advice, store: &RootStore, at: Timestamp) -> Option<Diagnosis> {
    let needed: Vec<&MissingRoot> = advice.missing.iter().filter(|root| root.due == Due::Now).collect();
    let has_one = advice.held.iter().any(|held| {
        let mut roots = advice.provider.roots.iter();
        roots.any(|root| root.is_called(held) && root.status.is_now(at))
    });
    if needed.is_empty() || has_one {
        return None;
    }
    let mut cause = "its servers' chains end at other roots than the file has".to_owned();
    for retired in &advice.retired {
        cause.push_str(&format!("; {retired}"));
    }
    let needed: Vec<String> = needed.into_iter().map(described).collect();
    let finding = Finding::titled(format!("{file} lacks every root that {} uses now", advice.provider.name))
        .because(cause)
        .fact("needed", needed)
        .fact("in_file", in_file(store, Some(at)))
        .fact("source", sources(advice.provider))
        .fixes(present_roots(advice.provider));
    Some(finding.diagnosis(&ROOT_NOT_IN_FILE))
}

/// `root-bundle-incomplete`: the file lacks roots that the provider uses or has announced.
pub fn incomplete(file: &str, advice: &Advice, store: &RootStore) -> Option<Warning> {
    let needed: Vec<String> = advice.needed().map(described).collect();
    if needed.is_empty() {
        return None;
    }
    let changes = advice.provider.announcements.iter();
    let changes: Vec<String> =
        changes.map(|change| format!("{}: {} ({})", change.day, change.what, change.source)).collect();
    let finding =
        Finding::titled(format!("{file} lacks roots that {} uses or has announced", advice.provider.name))
            .fact("missing", needed)
            .fact_if("in_file", store.has_binary.then(|| in_file(store, None)))
            .fact_if("announced", Some(changes.join("; ")).filter(|changes| !changes.is_empty()))
            .fact("source", sources(advice.provider))
            .fixes(store.has_binary.then(|| {
                Fix::text("convert the file in DER first, and join the files again")
                    .run("openssl x509 -inform DER -in ROOT.crt -out ROOT.pem")
            }))
            .fixes(present_roots(advice.provider));
    Some(finding.warning(&ROOT_BUNDLE_INCOMPLETE))
}

/// `root-retired`: what the file rests on was given up by the public stores. `certificates` are those it rests on: the
/// root where a verified path ends, or, without a path, what is in the file.
pub fn retired<'a>(
    file: &str,
    certificates: impl IntoIterator<Item = &'a Certificate>,
    provider: impl FnOnce() -> Option<&'static Provider>,
    at: Timestamp,
) -> Option<Warning> {
    let found = certificates.into_iter().filter_map(|certificate| retirement(certificate, at));
    let mut words: Vec<String> = found.map(ToString::to_string).collect();
    words.dedup();
    if words.is_empty() {
        return None;
    }
    let finding = Finding::titled(format!("{file} contains retired roots"))
        .fact("retired", words)
        .fixes(provider().map(present_roots).unwrap_or_default());
    Some(finding.warning(&ROOT_RETIRED))
}

/// `root-expires-soon`: certificates of the file end within a number of days, or have ended.
pub fn ends_soon(file: &str, store: &RootStore, at: Timestamp, days: i64) -> Option<Warning> {
    let near = store.certificates.iter().filter_map(|entry| {
        let until = entry.certificate.facts().ok()?.not_after;
        let left = until.days_since(at);
        (until <= at.plus_days(days)).then(|| {
            let words = if until < at { "expired".to_owned() } else { format!("{left} days left") };
            format!("{}, {}, {words}", name(&entry.certificate), until.date())
        })
    });
    let near: Vec<String> = near.collect();
    if near.is_empty() {
        return None;
    }
    let title = format!("certificates in {file} expire within {days} days or have expired");
    Some(Finding::titled(title).fact("expires", near).warning(&ROOT_EXPIRES_SOON))
}

/// What no program reads in a file of PEM.
const PASSED_OVER: &str = "binary data, which is passed over: probably a certificate in DER, to be converted before files are joined";

/// The certificates of a file by name and end, the first few of them; `at`: as of when one has expired.
pub fn in_file(store: &RootStore, at: Option<Timestamp>) -> Vec<String> {
    let words = store.certificates.iter().take(LISTED).map(|entry| {
        let until = entry.certificate.readable().not_after;
        let verb = if until.is_some() && until < at { "expired" } else { "until" };
        format!("{}, {verb} {}", name(&entry.certificate), until.map(Timestamp::date).unwrap_or_default())
    });
    if store.certificates.is_empty() && !matches!(store.source, RootSource::System { .. }) {
        return vec!["no certificate (only CRLs)".to_owned()];
    }
    let more = store.certificates.len().checked_sub(LISTED).filter(|more| *more > 0);
    let binary = store.has_binary.then(|| PASSED_OVER.to_owned());
    words.chain(more.map(|more| format!("and {more} more"))).chain(binary).collect()
}

fn described(root: &MissingRoot) -> String {
    let sha256 = root.sha256.map(|hex| format!(", SHA-256 {}", hex.to_ascii_uppercase())).unwrap_or_default();
    let due = match root.due {
        Due::Now => String::new(),
        Due::From(day) => format!(", from {day} on"),
        Due::Sometimes(which) => format!(", for {which}"),
    };
    format!("{}{sha256}{due}", root.name)
}

fn name(certificate: &Certificate) -> String {
    match certificate.readable().subject {
        Some(subject) => subject.common_name().unwrap_or_else(|| subject.to_string()),
        None => "(no name can be read)".to_owned(),
    }
}

fn sources(provider: &Provider) -> Fact {
    Fact::List(provider.sources.iter().take(2).map(ToString::to_string).collect())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::provider::{advice, by_id, known_root};
    use crate::trust::{FileCertificate, RootSource};

    fn store(names: &[&str]) -> RootStore {
        let entry = |name: &&str| FileCertificate {
            certificate: known_root(name).unwrap().certificate.clone(),
            file: PathBuf::from("roots.pem"),
            line: 1,
        };
        let source = RootSource::Given(PathBuf::from("roots.pem"));
        RootStore::loaded(source, names.iter().map(entry).collect())
    }

    fn at(year: i32, month: u8) -> Timestamp {
        Timestamp::from_utc(year, month, 1, 0, 0, 0).unwrap()
    }

    const G1: &str = "DigiCert Global Root CA";
    const G2: &str = "DigiCert Global Root G2";

    #[test]
    fn one_present_root_is_enough_to_be_incomplete_instead_of_wrong() {
        let azure = by_id("azure-flexible").unwrap();
        let (at, old, new) = (at(2026, 11), store(&[G1]), store(&[G2]));
        let wrong = lacks_all("f", &advice(azure, None, &old, at), &old, at).unwrap();
        assert_eq!(wrong.code, &ROOT_NOT_IN_FILE);
        assert_eq!(wrong.fixes[0].settings, [("sslrootcert", "azure-roots.pem".to_owned())]);
        let advice = advice(azure, None, &new, at);
        assert!(lacks_all("f", &advice, &new, at).is_none());
        assert_eq!(incomplete("f", &advice, &new).unwrap().code, &ROOT_BUNDLE_INCOMPLETE);
        // What was joined with cat and is in DER is said, and is not merely missing.
        let joined = RootStore { has_binary: true, ..new.clone() };
        let found = incomplete("f", &advice, &joined).unwrap();
        assert!(found.fixes[0].text.starts_with("convert the file in DER"), "{found:?}");
        assert!(in_file(&joined, None).last().unwrap().contains("binary data"));
    }

    #[test]
    fn a_root_counts_as_given_up_from_its_day_on() {
        let file = store(&[G1]);
        let certificates = || file.certificates.iter().map(|entry| &entry.certificate);
        assert!(retired("f", certificates(), || None, at(2026, 4)).is_none());
        assert_eq!(retired("f", certificates(), || None, at(2026, 5)).unwrap().code, &ROOT_RETIRED);
    }

    #[test]
    fn an_end_within_the_threshold_is_told() {
        assert!(ends_soon("f", &store(&[G1]), at(2031, 10), 30).is_none());
        let soon = ends_soon("f", &store(&[G1, G2]), at(2031, 11), 30).unwrap();
        assert_eq!(soon.evidence, [("expires", Fact::List(vec![format!("{G1}, 2031-11-10, 9 days left")]))]);
    }
}
