//! What comes upon a chain soon, and what others than libpq make of it.

use super::EXPIRES_WITHIN;
use crate::diagnose::certificate::reissue::{self, Key};
use crate::diagnose::code::{Code, Severity};
use crate::diagnose::rule::Finding;
use crate::diagnose::trust::lacks_provider_roots;
use crate::diagnose::view::{View, store_name};
use crate::diagnose::{Fix, root_file};
use crate::order;
use crate::stage::Stage;
use crate::text;
use crate::verify::{StrictReason, StrictRefusal};

/// `certificate-expires-soon`.
pub const CERTIFICATE_EXPIRES_SOON: Code = Code {
    name: "certificate-expires-soon",
    severity: Severity::Warning,
    stage: Stage::Certificate,
    title: "a certificate of the chain expires soon",
    short: None,
    concerns: &[],
    retryable: false,
};

/// `no-subject-alt-name`.
pub const NO_SUBJECT_ALT_NAME: Code = Code {
    name: "no-subject-alt-name",
    severity: Severity::Warning,
    stage: Stage::Certificate,
    title: "the host is not in subjectAltName as strict clients require",
    short: None,
    concerns: &[],
    retryable: false,
};

/// `ca-as-server-certificate`.
pub const CA_AS_SERVER_CERTIFICATE: Code = Code {
    name: "ca-as-server-certificate",
    severity: Severity::Warning,
    stage: Stage::Certificate,
    title: "the server certificate is marked as a CA certificate",
    short: None,
    concerns: &[],
    retryable: false,
};

/// `strict-client-rejects`.
pub const STRICT_CLIENT_REJECTS: Code = Code {
    name: "strict-client-rejects",
    severity: Severity::Warning,
    stage: Stage::Certificate,
    title: "stricter clients reject the chain",
    short: None,
    concerns: &[],
    retryable: false,
};

/// What expires within so many days is told. What is to fail is told in any case.
fn threshold(view: &View<'_>) -> i64 {
    let scope = view.evidence.scope;
    let warned = scope.expires_within.map_or(EXPIRES_WITHIN, i64::from);
    scope.fail_within.map_or(warned, |fails| warned.max(i64::from(fails)))
}

/// The certificates of the path that end within the threshold; of the root, or of the others.
fn ending(view: &View<'_>, root: bool) -> Vec<Finding> {
    let Some(judgement) = view.judgement() else { return Vec::new() };
    let threshold = threshold(view);
    let is_root = |at: usize| {
        at > 0
            && judgement.path.get(at).is_some_and(|link| {
                link.certificate.facts().is_ok_and(crate::certificate::Facts::is_self_signed)
            })
    };
    let members = judgement.path.iter().enumerate().filter(|(at, _)| is_root(*at) == root);
    let mut warnings: Vec<(i64, Finding)> = members
        .filter_map(|(at, link)| {
            let facts = link.certificate.facts().ok()?;
            let days = facts.not_after.days_since(view.evidence.judged_at);
            if days > threshold {
                return None;
            }
            let date = facts.not_after.date();
            let name = link.certificate.short_subject();
            let (what, fix) = match (root, at) {
                (true, _) => (
                    format!("the root {name} expires on {date}"),
                    Fix::text("get the CA's next root and add it to the file before then"),
                ),
                (_, 0) => (
                    format!("the server certificate expires on {date}"),
                    reissue::server(
                        view,
                        &format!(
                            "on the server: renew it for longer than the threshold of {threshold} days (it expires in {}), then reload",
                            facts.not_after.distance(view.evidence.judged_at)
                        ),
                        Key::Kept,
                        None,
                    ),
                ),
                (..) => (
                    format!("the intermediate {name} expires on {date}"),
                    Fix::server(format!(
                        "on the server: get the CA's renewed certificate of {name}, put it in the place of the old one in server.crt, then \
                         reload; if the CA has another intermediate now, have the server certificate reissued by that"
                    ))
                    .run("openssl verify -partial_chain -trusted renewed.crt server.crt\npsql -c 'SELECT pg_reload_conf()'"),
                ),
            };
            let fails = view.evidence.scope.fail_within.map(i64::from).filter(|within| days <= *within);
            let finding = Finding::titled(what)
                .fact("days_left", days)
                .fact("expires", date)
                .fact("threshold", fails.unwrap_or(threshold))
                .fix(fix);
            Some((days, finding))
        })
        .collect();
    order::by_key(&mut warnings, |(days, _)| *days);
    warnings.into_iter().map(|(_, warning)| warning).take(1).collect()
}

pub(super) fn certificate_expires(view: &View<'_>) -> Vec<Finding> {
    ending(view, false)
}

pub(super) fn root_expires(view: &View<'_>) -> Vec<Finding> {
    ending(view, true)
}

/// Told before a server answers, too: what its provider needs is known. Of a chain that is not verified the diagnosis
/// tells more, and a file with none of the roots is told as such.
pub(super) fn bundle_incomplete(view: &View<'_>) -> Vec<Finding> {
    let (Some(advice), Some(store)) = (view.provider_advice(), view.store()) else { return Vec::new() };
    let none_at_all = || lacks_provider_roots(view).is_some();
    if view.judgement().map_or_else(none_at_all, |judgement| !judgement.verifies) {
        return Vec::new();
    }
    root_file::incomplete(&store_name(view), &advice, store).map(Finding::from).into_iter().collect()
}

pub(super) fn root_retired(view: &View<'_>) -> Vec<Finding> {
    let anchored = view.judgement().filter(|judgement| judgement.verifies);
    let root = anchored.and_then(|judgement| judgement.path.last()).map(|link| &link.certificate);
    let provider = || view.provider().map(|detection| detection.provider);
    let retired = root_file::retired(&store_name(view), root, provider, view.evidence.judged_at);
    retired.map(Finding::from).into_iter().collect()
}

fn refusals<'a>(view: &View<'a>) -> impl Iterator<Item = &'a StrictRefusal> {
    view.judgement().into_iter().flat_map(|judgement| &judgement.strict)
}

/// What strict clients refuse, and who they are.
fn strict(
    view: &View<'_>,
    wanted: fn(&StrictReason) -> bool,
    title: fn(&StrictReason) -> String,
    fix: impl Fn() -> Fix,
) -> Vec<Finding> {
    refusals(view)
        .filter(|refusal| wanted(&refusal.reason))
        .map(|refusal| {
            let clients: Vec<String> = refusal.clients.iter().map(|client| (*client).to_owned()).collect();
            Finding::titled(title(&refusal.reason)).fact("refused_by", clients).fix(fix())
        })
        .collect()
}

pub(super) fn no_alternative_name(view: &View<'_>) -> Vec<Finding> {
    strict(
        view,
        |reason| *reason == StrictReason::NoSubjectAltName,
        |_| {
            "subjectAltName does not have the host as strict clients require: DNS:… for a name, IP:… for an address"
                .to_owned()
        },
        || {
            let text =
                "on the server: reissue it with every name in subjectAltName (DNS:… and IP:…), then reload";
            reissue::server(view, text, Key::Kept, None)
        },
    )
}

pub(super) fn ca_as_server(view: &View<'_>) -> Vec<Finding> {
    strict(
        view,
        |reason| *reason == StrictReason::CaAsServerCertificate,
        |_| "the server certificate is marked as a CA; strict clients reject it".to_owned(),
        || ca_as_server_fix(view),
    )
}

/// A CA's certificate that signed itself cannot be its server's issuer and successor at once.
fn ca_as_server_fix(view: &View<'_>) -> Fix {
    let leaf = view.tls().and_then(|tls| tls.chain.first());
    match leaf.and_then(|leaf| leaf.facts().ok()).is_some_and(crate::certificate::Facts::is_self_signed) {
        true => reissue::by_new_authority(
            view,
            "create a CA and issue the server's certificate with it, then reload",
        ),
        false => {
            reissue::server(view, "on the server: reissue it with CA:FALSE, then reload", Key::Kept, None)
        }
    }
}

/// What OpenSSL's strict mode refuses, certificate by certificate.
fn x509_strict(view: &View<'_>) -> Vec<Finding> {
    let found = refusals(view).filter_map(|refusal| match refusal.reason {
        StrictReason::X509Strict { at, what } => Some((at, what, refusal.clients)),
        _ => None,
    });
    let finding = |(at, what, clients): (usize, &'static str, &[&str])| {
        let link = view.judgement()?.path.get(at)?;
        let name = text::printable(&link.certificate.short_subject());
        let clients: Vec<String> = clients.iter().map(|client| (*client).to_owned()).collect();
        let words = "on the server: reissue it with the extensions of RFC 5280 (authorityKeyIdentifier among them), then reload";
        let fix = match at {
            0 => reissue::server(view, words, Key::Kept, None),
            _ if reissue::is_own_intermediate(view, at) => reissue::authority(
                view,
                at,
                "reissue the intermediate with the extensions of RFC 5280, then reload",
            ),
            _ => Fix::text(format!(
                "have {name} reissued with basicConstraints and keyUsage marked critical, and a subjectKeyIdentifier"
            )),
        };
        Some(
            Finding::titled(format!("strict clients reject {name}: {what}"))
                .fact("refused_by", clients)
                .fact("openssl_says", what)
                .fix(fix),
        )
    };
    found.filter_map(finding).collect()
}

pub(super) fn strict_rejects(view: &View<'_>) -> Vec<Finding> {
    let others = strict(
        view,
        |reason| {
            !matches!(
                reason,
                StrictReason::NoSubjectAltName
                    | StrictReason::CaAsServerCertificate
                    | StrictReason::X509Strict { .. }
            )
        },
        |reason| {
            match reason {
            StrictReason::OldVersion(version) => {
                format!("the server certificate has X.509 version {version}; strict clients reject it")
            }
            StrictReason::NegativeSerial => {
                "a certificate of the chain has a negative serial number; strict clients reject it".to_owned()
            }
            StrictReason::EmptyIssuer => {
                "a certificate of the chain names no issuer; strict clients reject it".to_owned()
            }
            StrictReason::Other(what) if what == "UnsupportedCriticalExtension" => {
                "strict clients reject the chain: a certificate marks an extension critical that they do not support"
                    .to_owned()
            }
            StrictReason::Other(what) => {
                format!("strict clients reject the chain: {}", text::printable(what))
            }
            StrictReason::NoSubjectAltName
            | StrictReason::CaAsServerCertificate
            | StrictReason::X509Strict { .. } => String::new(),
        }
        },
        || {
            let text = "on the server: reissue it as version 3 with subjectAltName, a positive serial number, the name of its issuer and without \
                        unusual critical extensions, then reload; psql \
                        accepts it as it is";
            reissue::server(view, text, Key::Kept, None)
        },
    );
    others.into_iter().chain(x509_strict(view)).collect()
}
