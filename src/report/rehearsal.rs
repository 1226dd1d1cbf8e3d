//! What a rehearsal shows besides a check's judgement: which hosts the names cover, and when what expires.

use std::path::{Path, PathBuf};

use super::subject;
use crate::certificate::{Certificate, Facts};
use crate::diagnose::Outcome;
use crate::evidence::Rehearsal;
use crate::order;
use crate::timestamp::Timestamp;
use crate::trust::{ClientIdentity, Revocation};
use crate::verify::Demand;

/// A host of the list, not yet printable, and whether the certificate's names cover it.
pub(super) fn hosts(outcome: &Outcome) -> Vec<(String, bool)> {
    let settings = subject::settings(outcome);
    let slots = settings.map(|settings| settings.hosts.as_slice()).unwrap_or_default();
    let mut found: Vec<(usize, String, bool)> = Vec::new();
    for attempt in &outcome.evidence.attempts {
        // Without a certificate there is no name to compare.
        if attempt.tls.as_ref().is_none_or(|tls| tls.result.chain.is_empty()) {
            continue;
        }
        let judgement = attempt.tls.as_ref().and_then(|tls| tls.result.judgement.as_ref());
        let covered = judgement
            .is_some_and(|judgement| !judgement.defects.iter().any(|defect| defect.demand() == Demand::Name));
        if let Some(host) = slots.get(attempt.host) {
            found.push((attempt.host, subject::host_name(host, Some(attempt)), covered));
        }
    }
    order::by_key(&mut found, |(slot, ..)| *slot);
    found.into_iter().map(|(_, name, covered)| (name, covered)).collect()
}

/// Something that ends.
pub(super) struct End {
    /// What it is, in words.
    pub what: &'static str,
    /// Whose it is; not yet printable.
    pub name: String,
    /// When it ends.
    pub at: Timestamp,
    /// The file that has it, and the line.
    pub place: Option<(PathBuf, usize)>,
}

/// Everything that takes part and ends, the nearest first.
pub(super) fn ends(outcome: &Outcome, rehearsal: &Rehearsal) -> Vec<End> {
    let files = &rehearsal.files;
    let mut found: Vec<End> = Vec::new();
    let mut add = |what, certificate: &Certificate, place: Option<(&Path, usize)>| {
        let Some(at) = certificate.readable().not_after else { return };
        let place = place.map(|(file, line)| (file.to_owned(), line));
        found.push(End { what, name: certificate.short_subject(), at, place });
    };
    for (at, entry) in files.certificates.iter().enumerate() {
        let what = if at == 0 { "server certificate" } else { part(&entry.certificate) };
        add(what, &entry.certificate, Some((&entry.file, entry.line)));
    }
    let attempt = subject::attempt(outcome).and_then(|attempt| attempt.tls.as_ref());
    let path =
        attempt.and_then(|tls| tls.result.judgement.as_ref()).map(|judgement| judgement.path.as_slice());
    for link in path.unwrap_or_default().iter().filter(|link| link.sent.is_none()) {
        let place = link.in_file.and_then(|place| subject::in_file(outcome, place));
        add(
            part(&link.certificate),
            &link.certificate,
            place.map(|entry| (entry.file.as_path(), entry.line)),
        );
    }
    for entry in files.authorities.iter().flat_map(|store| &store.certificates) {
        add("client CA", &entry.certificate, Some((&entry.file, entry.line)));
    }
    if let Some(ClientIdentity::Ready(identity)) = outcome.evidence.trust.as_ref().map(|trust| &trust.client)
        && let Some(leaf) = identity.chain.first()
    {
        add("client certificate", leaf, Some((&identity.certificate_file, 1)));
    }
    if let Revocation::On { lists, .. } = &files.revocation {
        for list in lists {
            let Some(at) = list.crl.facts().next_update else { continue };
            let name = list.crl.facts().issuer.short();
            found.push(End { what: "CRL", name, at, place: Some((list.file.clone(), list.line)) });
        }
    }
    order::by_key(&mut found, |end| end.at);
    found
}

fn part(certificate: &Certificate) -> &'static str {
    if certificate.facts().is_ok_and(Facts::is_self_signed) { "root" } else { "intermediate" }
}
