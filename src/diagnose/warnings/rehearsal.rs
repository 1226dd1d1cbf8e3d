//! What files show before they are put on a server: a chain that works and is not as it should be, and a running server
//! that does not have it yet.

use crate::certificate::{Certificate, Facts};
use crate::diagnose::Fix;
use crate::diagnose::code::{Code, Severity};
use crate::diagnose::fix::RELOAD;
use crate::diagnose::rule::Finding;
use crate::diagnose::view::{View, file_name, path_text};
use crate::evidence::Rehearsal;
use crate::stage::Stage;
use crate::text;
use crate::trust::FileCertificate;
use crate::verify::may_have_issued;

/// `chain-issues`, as SSL Labs calls them.
pub const CHAIN_ISSUES: Code = Code {
    name: "chain-issues",
    severity: Severity::Warning,
    stage: Stage::Certificate,
    title: "the certificate file has too many, too few or misplaced certificates",
    short: None,
    concerns: &[],
    retryable: false,
};

/// `certificate-not-loaded`.
pub const CERTIFICATE_NOT_LOADED: Code = Code {
    name: "certificate-not-loaded",
    severity: Severity::Warning,
    stage: Stage::Certificate,
    title: "the server still presents another certificate",
    short: None,
    concerns: &[],
    retryable: false,
};

/// What is odd about the chain of `ssl_cert_file`: roots, repetitions, certificates of another chain, the order (RFC 5246
/// section 7.4.2; RFC 8446 section 4.4.2 wants clients to take any), and intermediates that only some clients have.
pub(super) fn chain_issues(view: &View<'_>) -> Vec<Finding> {
    let Some(rehearsal) = view.rehearsal() else { return Vec::new() };
    let files = &rehearsal.files;
    // Until the key fits its first certificate, the order is what is at fault.
    if files.certificates.is_empty() || files.misplaced_leaf().is_some() {
        return Vec::new();
    }
    let name = file_name(&files.certificate_file);
    let found = [
        roots(&files.certificates, &name),
        repeated(&files.certificates, &name),
        strangers(&files.certificates, &name),
        misplaced(&files.certificates, &name),
        elsewhere(view, rehearsal, &name),
        borrowed(view, rehearsal, &name),
    ];
    let path = path_text(&files.certificate_file);
    found.into_iter().flatten().map(|finding| finding.fact("certificate_file", path.clone())).collect()
}

fn facts(entry: &FileCertificate) -> Option<&Facts> {
    entry.certificate.facts().ok()
}

/// Names, and where the certificates stand.
fn listed<'a>(entries: impl IntoIterator<Item = &'a FileCertificate>) -> Option<Vec<String>> {
    let named =
        |entry: &FileCertificate| format!("{}, line {}", entry.certificate.short_subject(), entry.line);
    let names: Vec<String> = entries.into_iter().map(named).collect();
    (!names.is_empty()).then_some(names)
}

fn removal(name: &str, entries: &[String]) -> Fix {
    Fix::text(format!("{name}: remove {}", entries.join("; ")))
}

fn is_root(entry: &FileCertificate) -> bool {
    facts(entry).is_some_and(Facts::is_self_signed)
}

fn roots(all: &[FileCertificate], name: &str) -> Option<Finding> {
    let found = listed(all.iter().skip(1).filter(|entry| is_root(entry)))?;
    let title = format!("{name} contains a root certificate, which clients must have already");
    Some(Finding::titled(title).fact("superfluous", found.clone()).fix(removal(name, &found)))
}

fn repeated(all: &[FileCertificate], name: &str) -> Option<Finding> {
    let again = all
        .iter()
        .enumerate()
        .filter(|(at, entry)| all.iter().take(*at).any(|other| other.certificate == entry.certificate));
    let found = listed(again.map(|(_, entry)| entry))?;
    let title = format!("{name} contains a certificate more than once");
    Some(Finding::titled(title).fact("superfluous", found.clone()).fix(removal(name, &found)))
}

/// Whether one certificate may be the issuer of another.
fn issued(issuer: &FileCertificate, subject: &FileCertificate) -> bool {
    let both = facts(issuer).zip(facts(subject));
    both.is_some_and(|(issuer, subject)| may_have_issued(issuer, subject))
}

fn strangers(all: &[FileCertificate], name: &str) -> Option<Finding> {
    let is_one = |entry: &&FileCertificate| {
        !is_root(entry)
            && !all.iter().any(|other| other.certificate != entry.certificate && issued(entry, other))
    };
    let found = listed(all.iter().skip(1).filter(is_one))?;
    let title = format!("{name} contains a certificate that issued none of the others");
    Some(Finding::titled(title).fact("superfluous", found.clone()).fix(removal(name, &found)))
}

/// Each certificate is to certify the one before it; what belongs to no chain is told otherwise.
fn misplaced(all: &[FileCertificate], name: &str) -> Option<Finding> {
    let belongs = |entry: &&FileCertificate| {
        all.iter().any(|other| other.certificate != entry.certificate && issued(entry, other))
    };
    let chain: Vec<&FileCertificate> = all.iter().take(1).chain(all.iter().skip(1).filter(belongs)).collect();
    let pairs = chain.iter().zip(chain.iter().skip(1));
    let in_order = pairs.into_iter().all(|(below, above)| {
        issued(above, below)
            || facts(above).zip(facts(below)).is_some_and(|(one, other)| one.subject == other.subject)
    });
    if in_order {
        return None;
    }
    let found = listed(chain)?;
    let fix = "the server's certificate first, then each one's issuer after it";
    let title = format!("the certificates in {name} are not in order: {fix}");
    Some(Finding::titled(title).fact("order", found).fix(Fix::text(format!("{name}: {fix}"))))
}

/// Intermediates that this client has in its root file.
fn elsewhere(view: &View<'_>, rehearsal: &Rehearsal, name: &str) -> Option<Finding> {
    let judgement = view.judgement().filter(|judgement| judgement.chain_is_good())?;
    let above = judgement.path.iter().skip(1).filter(|link| link.sent.is_none());
    let missing: Vec<String> = above
        .filter(|link| !link.certificate.facts().is_ok_and(Facts::is_self_signed))
        .map(|link| link.certificate.short_subject())
        .collect();
    if missing.is_empty() || rehearsal.sent_from_authorities > 0 {
        return None;
    }
    let names = missing.join(", ");
    let title = format!("{name} lacks the intermediate {names}; clients that have only the root would fail");
    let fix = append(rehearsal, name);
    Some(Finding::titled(title).fact("missing", missing).fix(fix))
}

/// Intermediates that OpenSSL takes from `ssl_ca_file`.
fn borrowed(view: &View<'_>, rehearsal: &Rehearsal, name: &str) -> Option<Finding> {
    let sent = view.tls()?.chain.iter().skip(1).take(rehearsal.sent_from_authorities);
    let is_intermediate = |certificate: &&Certificate| !certificate.facts().is_ok_and(Facts::is_self_signed);
    let missing: Vec<String> = sent.filter(is_intermediate).map(Certificate::short_subject).collect();
    if missing.is_empty() {
        return None;
    }
    let title = format!(
        "{name} lacks the intermediate {}; PostgreSQL sends it only because ssl_ca_file has it",
        missing.join(", ")
    );
    Some(Finding::titled(title).fact("missing", missing).fix(append(rehearsal, name)))
}

/// How an intermediate gets into the file.
fn append(rehearsal: &Rehearsal, name: &str) -> Fix {
    let file = text::shell_quoted(&rehearsal.files.certificate_file.to_string_lossy());
    Fix::text(format!("{name}: append the intermediate after the server's certificate"))
        .run(format!("cat intermediate.crt >> {file}"))
}

pub(super) fn not_loaded(view: &View<'_>) -> Vec<Finding> {
    let Some(rehearsal) = view.rehearsal() else { return Vec::new() };
    let sent = view.tls().map(|tls| tls.chain.as_slice()).unwrap_or_default();
    let (Some(served), Some(leaf)) = (&rehearsal.served, sent.first()) else { return Vec::new() };
    if served.chain == sent {
        return Vec::new();
    }
    let Some(present) = served.chain.first() else { return Vec::new() };
    let name = file_name(&rehearsal.files.certificate_file);
    let readable = present.readable();
    let issued = readable.not_before.map(|date| date.date());
    let title = if present == leaf {
        format!("{} presents this certificate with other intermediates than those in {name}", served.server)
    } else {
        format!(
            "new certificate not loaded yet: SHA-256 {} is served by {}{}",
            present.fingerprint(),
            served.server,
            issued.as_deref().map(|date| format!(", issued {date}")).unwrap_or_default()
        )
    };
    let finding = Finding::titled(title)
        .fact("server", text::printable(&served.server))
        .fact("served", served.chain.iter().map(Certificate::short_subject).collect::<Vec<_>>())
        .fact("served_sha256", present.fingerprint())
        .fact_if("served_issued", issued)
        .fact_if("served_expires", readable.not_after.map(|date| date.date()))
        .fact("file_sha256", leaf.fingerprint())
        .fact("file", sent.iter().map(Certificate::short_subject).collect::<Vec<_>>());
    vec![
        finding
            .fix(
                Fix::text(format!(
                    "install {name} and its key as ssl_cert_file and ssl_key_file, then reload"
                ))
                .run(RELOAD),
            )
            .fix(Fix::text(
                "done already? the server's log has the reason: \"SSL configuration was not reloaded\", and the line before it",
            )),
    ]
}
