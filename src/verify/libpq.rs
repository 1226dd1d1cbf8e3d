//! Everything that OpenSSL, as libpq uses it, refuses in a chain: purpose "SSL server", security level 2, no partial
//! chains, CRL checks of the whole chain where CRLs are given.

use super::budget::{Budget, Exceeded, SIGNATURE};
use super::defect::{Defect, NotACa};
use super::path::{self, End, Path};
use super::signature::{self, SignatureError};
use super::store::Store;
use super::{Link, constraints, resources, revocation};
use crate::certificate::{Certificate, EXPLICIT_CURVE, Facts, Hash, KeyKind};
use crate::timestamp::Timestamp;
use crate::trust::{FileCrl, RootStore};

const SERVER_AUTH: &str = "1.3.6.1.5.5.7.3.1";
/// "Server gated cryptography" of Microsoft and Netscape: OpenSSL takes either for serverAuth (`XKU_SGC`).
const SERVER_GATED: [&str; 2] = ["1.3.6.1.4.1.311.10.3.3", "2.16.840.1.113730.4.1"];
const NETSCAPE_SSL_SERVER: u8 = 0x40;
const NETSCAPE_SSL_CA: u8 = 0x04;
const NETSCAPE_ANY_CA: u8 = 0x07;

/// A certificate of the path with what it says.
pub(super) struct Member<'a> {
    pub certificate: &'a Certificate,
    pub facts: &'a Facts,
}

/// Builds the path and finds all defects but those of the name, in OpenSSL's order: `X509_verify_cert`, `verify_chain`.
/// `lists` is the store of CRLs when checking is on.
pub(super) fn examine(
    chain: &[Certificate],
    roots: Option<&RootStore>,
    lists: Option<Store<'_, FileCrl>>,
    at: Timestamp,
    budget: &Budget,
) -> (Vec<Link>, Vec<Defect>) {
    let mut defects = Vec::new();
    let Some(first) = chain.first() else { return (Vec::new(), vec![Defect::NoCertificate]) };
    for (sent, certificate) in chain.iter().enumerate() {
        // OpenSSL decodes certificates with odd times, and no path leads through them: beside the path they do no harm.
        let harmless = sent > 0 && certificate.decodes_but_for_times();
        if let (Err(error), false) = (certificate.facts(), harmless) {
            defects.push(Defect::Malformed { sent, error: error.clone() });
        }
    }
    let Ok(leaf) = first.facts() else {
        return (vec![Link { certificate: first.clone(), sent: Some(0), in_file: None }], defects);
    };

    let Path { links, end } = path::build(chain, leaf, roots, at);
    let members: Vec<Member<'_>> = links
        .iter()
        .filter_map(|Link { certificate, .. }| Some(Member { certificate, facts: certificate.facts().ok()? }))
        .collect();
    let own_root = members.last().is_some_and(|last| last.facts.is_self_signed());

    defects.extend(weak_key(0, leaf));
    defects.extend(members.last().and_then(|last| end_defect(end, last.certificate, members.len())));
    extensions(&members, &mut defects);
    for (at, member) in members.iter().enumerate() {
        if at > 0 {
            defects.extend(weak_key(at, member.facts));
        }
        if at + 1 < members.len() || !own_root {
            defects.extend(weak_signature(at, member.facts));
        }
    }
    if let (Some(lists), End::Anchored) = (lists, end) {
        revocation::check(&members, lists, at, budget, &mut defects);
    }
    let proved = signatures_and_dates(&members, at, budget, &mut defects);
    // OpenSSL comes here only with a path that holds so far: what forged certificates constrain is no matter.
    if matches!(end, End::Anchored) && proved {
        constraints::check(&members, budget, &mut defects);
        resources::check(&members, &mut defects);
    }
    (links, defects)
}

fn end_defect(end: End, last: &Certificate, length: usize) -> Option<Defect> {
    Some(match end {
        End::Anchored => return None,
        End::Rejected => Defect::RejectedByFile { anchor: last.clone() },
        End::SelfSigned if length == 1 => Defect::SelfSignedLeaf,
        End::SelfSigned => Defect::RootNotInFile { root: last.clone() },
        End::FileLacksRoot => Defect::FileLacksRoot { anchor: last.clone() },
        End::IssuerUnknown => Defect::IssuerUnknown { last: last.clone() },
        End::TooLong => Defect::ChainTooLong,
    })
}

/// `check_extensions`: critical extensions, CA rules, purpose and path length, from the leaf upwards.
fn extensions(members: &[Member<'_>], defects: &mut Vec<Defect>) {
    let mut intermediates = 0;
    for (at, Member { facts, .. }) in members.iter().enumerate() {
        let extensions = &facts.extensions;
        for problem in &extensions.problems {
            defects.push(Defect::InvalidExtension { at, problem: problem.clone() });
        }
        for oid in &extensions.unknown_critical {
            defects.push(Defect::UnknownCriticalExtension { at, oid: oid.clone() });
        }
        if extensions.proxy {
            defects.push(Defect::ProxyCertificate { at });
        }
        if at > 0 {
            let is_root = at + 1 == members.len();
            defects.extend(not_a_ca(facts, is_root).map(|why| Defect::NotACa { at, why }));
        }
        if members.len() > 1 && facts.key == KeyKind::Ec(EXPLICIT_CURVE.to_owned()) {
            defects.push(Defect::ExplicitCurve { at });
        }
        purpose(at, facts, defects);
        let limit = extensions.basic_constraints.and_then(|constraints| constraints.path_length);
        if let Some(limit) = limit.filter(|limit| at > 1 && intermediates > *limit) {
            defects.push(Defect::PathLengthExceeded { at, limit, found: intermediates });
        }
        if at > 0 && !facts.is_self_issued() {
            intermediates += 1;
        }
    }
}

/// `check_ca`, and what `check_extensions` makes of its answer: an intermediate needs basicConstraints; the end of the
/// path may instead be of version 1, or have keyUsage with keyCertSign, or be a CA of Netscape's.
fn not_a_ca(facts: &Facts, is_root: bool) -> Option<NotACa> {
    let extensions = &facts.extensions;
    if let Some(usage) = extensions.key_usage.filter(|usage| !usage.signs_certificates()) {
        return Some(NotACa::KeyUsage(usage.names()));
    }
    if let Some(constraints) = extensions.basic_constraints {
        return (!constraints.ca).then_some(NotACa::SaysNot);
    }
    let version_1 = facts.version == 1 && facts.is_self_signed();
    let netscape = extensions.netscape_type.is_some_and(|kind| kind & NETSCAPE_ANY_CA != 0);
    let stands_in = version_1 || extensions.key_usage.is_some() || netscape;
    if is_root && stands_in { None } else { Some(NotACa::NoBasicConstraints) }
}

/// `check_purpose_ssl_server`.
fn purpose(at: usize, facts: &Facts, defects: &mut Vec<Defect>) {
    let extensions = &facts.extensions;
    if let Some(purposes) = &extensions.extended_key_usage {
        let serves = |purpose: &String| purpose == SERVER_AUTH || SERVER_GATED.contains(&purpose.as_str());
        if !purposes.iter().any(serves) {
            defects.push(Defect::PurposeExcludesServer { at, purposes: purposes.clone() });
        }
    }
    if at == 0 {
        if extensions.netscape_type.is_some_and(|kind| kind & NETSCAPE_SSL_SERVER == 0) {
            defects.push(Defect::NetscapeTypeExcludesServer { at });
        }
        if let Some(usage) = extensions.key_usage.filter(|usage| !usage.serves_tls()) {
            defects.push(Defect::KeyUsageExcludesServer { at, uses: usage.names() });
        }
        return;
    }
    // Netscape's type is looked at above the leaf only when nothing else makes it a CA (`check_ssl_ca`).
    let only_netscape = extensions.basic_constraints.is_none()
        && extensions.key_usage.is_none()
        && !(facts.version == 1 && facts.is_self_signed());
    if only_netscape
        && extensions
            .netscape_type
            .is_some_and(|kind| kind & NETSCAPE_ANY_CA != 0 && kind & NETSCAPE_SSL_CA == 0)
    {
        defects.push(Defect::NetscapeTypeExcludesServer { at });
    }
}

/// `check_key_level`.
fn weak_key(at: usize, facts: &Facts) -> Option<Defect> {
    facts.key.is_weak().then(|| Defect::WeakKey { at, key: facts.key.clone() })
}

/// `check_sig_level`.
fn weak_signature(at: usize, facts: &Facts) -> Option<Defect> {
    let weak = facts.signature.algorithm.is_weak();
    weak.then(|| Defect::WeakSignature { at, algorithm: facts.signature.clone() })
}

fn date_defect(place: usize, facts: &Facts, at: Timestamp) -> Option<Defect> {
    if at < facts.not_before {
        Some(Defect::NotYetValid { at: place })
    } else if path::is_current(facts, at) {
        None
    } else {
        Some(Defect::Expired { at: place })
    }
}

/// `internal_verify`, from the root down: whether no signature is wrong. Below a wrong one none is verified, as nothing
/// there is the issuer's. It is asked of paths without an anchor too, since what is said of their end rests on it:
/// anybody can put a well-known root behind a certificate of his own.
fn signatures_and_dates(
    members: &[Member<'_>],
    at: Timestamp,
    budget: &Budget,
    defects: &mut Vec<Defect>,
) -> bool {
    let mut proved = true;
    for (place, member) in members.iter().enumerate().rev() {
        if let (Some(issuer), true) = (members.get(place + 1), proved) {
            match signature_defect(place, member, issuer.facts, budget) {
                Ok(None) => {}
                Ok(Some(defect)) => {
                    proved = !matches!(defect, Defect::BadSignature { .. });
                    defects.push(defect);
                }
                Err(Exceeded) => {
                    proved = false;
                    defects.push(Defect::TooMuchWork);
                }
            }
        }
        defects.extend(date_defect(place, member.facts, at));
    }
    proved
}

/// A signature too weak is told as such and not verified, since MD5 could not be.
fn signature_defect(
    at: usize,
    member: &Member<'_>,
    issuer: &Facts,
    budget: &Budget,
) -> Result<Option<Defect>, Exceeded> {
    if member.facts.algorithms_differ {
        return Ok(Some(Defect::BadSignature { at }));
    }
    if member.facts.signature.algorithm.hash() == Some(Hash::Md) {
        return Ok(None);
    }
    budget.spend(SIGNATURE)?;
    let (message, value) = (member.certificate.signed_part(), member.certificate.signature_value());
    Ok(match signature::verify(&issuer.spki, member.facts.signature.algorithm, message, value) {
        Ok(()) => None,
        Err(SignatureError::Bad) => Some(Defect::BadSignature { at }),
        Err(SignatureError::Unsupported(what)) => Some(Defect::UnsupportedHere { at, what }),
    })
}
