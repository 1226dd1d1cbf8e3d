//! What would verify: the captured chain judged under other roots, at another date, under another name. All of it is
//! evidence beside a diagnosis; nothing is fetched for it.

use super::known::Root;
use crate::conninfo::Value;
use crate::diagnose::view::View;
use crate::provider;
use crate::timestamp::Timestamp;
use crate::verify::{self, Defect, Judgement, StrictReason};

/// The stores that have a known root.
pub(super) fn known_in(root: &Root) -> Vec<String> {
    let bundles = root.used_by.iter().map(|id| format!("the bundle {id} of this tool"));
    let machine = root.on_machine.then(|| "this machine's store".to_owned());
    let public = root.in_public.then(|| "the public roots of Mozilla".to_owned());
    bundles.chain(machine).chain(public).collect()
}

/// For a chain that no known root completes: how many were held against it.
pub(super) fn no_known_root(view: &View<'_>) -> String {
    let bundled = provider::known_count();
    let machine = match &view.evidence.system_roots {
        Some(store) => format!(", {} roots of this machine", store.certificates.len()),
        None => String::new(),
    };
    let public = webpki_roots::TLS_SERVER_ROOTS.len();
    format!("no match among {bundled} provider roots{machine} and {public} roots of Mozilla")
}

/// Whether everything else is well at a moment at which the certificate with the wrong date is good; `None` where
/// another one is then outside its dates, which tells nothing.
pub(super) fn at(view: &View<'_>, moment: Timestamp) -> Option<String> {
    let judgement = judged(view, None, moment)?;
    let date = moment.date();
    let mut demanded =
        judgement.defects.iter().filter(|defect| defect.demanded(view.mode, judgement.verifies));
    if judgement.accepted {
        return Some(format!("nothing else is wrong: on {date} it would have verified"));
    }
    let is_name = |defect: &Defect| matches!(defect, Defect::NameMismatch { .. });
    if judgement.defects.iter().filter(|defect| defect.demanded(view.mode, judgement.verifies)).all(is_name) {
        return Some(format!(
            "a second fault: on {date} it would not have been valid for this host name either"
        ));
    }
    let dates = demanded.any(|defect| matches!(defect, Defect::Expired { .. } | Defect::NotYetValid { .. }));
    (!dates).then(|| format!("a second fault: on {date} something else was wrong with it"))
}

/// Clients that refuse the chain even under a name for which libpq takes it, and why.
pub(super) fn refused_under(view: &View<'_>, name: &str) -> Option<Vec<String>> {
    let judgement = judged(view, Some(name), view.evidence.judged_at)?;
    let refusals: Vec<String> = judgement
        .strict
        .iter()
        .map(|refusal| format!("{}: {}", refusal.clients.join(", "), reason_words(&refusal.reason)))
        .collect();
    (!refusals.is_empty()).then_some(refusals)
}

/// Why a stricter library refuses, in short.
pub(super) fn reason_words(reason: &StrictReason) -> String {
    match reason {
        StrictReason::NoSubjectAltName => "the host is not in subjectAltName".to_owned(),
        StrictReason::CaAsServerCertificate => "a CA certificate as the server's".to_owned(),
        StrictReason::OldVersion(version) => format!("X.509 version {version}"),
        StrictReason::NegativeSerial => "a negative serial number".to_owned(),
        StrictReason::EmptyIssuer => "no issuer name".to_owned(),
        StrictReason::X509Strict { what, .. } => (*what).to_owned(),
        StrictReason::Other(what) => crate::text::printable(what),
    }
}

fn judged(view: &View<'_>, name: Option<&str>, moment: Timestamp) -> Option<Judgement> {
    let given =
        view.host().map(|host| Value::new(host.name.exposed())).filter(|name| !name.as_bytes().is_empty());
    let host = name.map(Value::from).or(given);
    let chain = &view.tls()?.chain;
    verify::judge_again(view.judgement()?, chain, view.trust()?, host.as_ref(), moment, view.mode)
}
