//! Everything that OpenSSL, as libpq and PostgreSQL use it, refuses in a chain: a purpose, a security level, no partial
//! chains, CRL checks of the whole chain where CRLs are given.

use super::budget::{Budget, Exceeded, SIGNATURE};
use super::defect::Defect;
use super::path::{self, End, Member, Path};
use super::purpose::{self, Purpose};
use super::signature::{self, SignatureError};
use super::store::Store;
use super::{Link, constraints, resources, revocation};
use crate::certificate::{Certificate, Facts, Hash, SecurityLevel};
use crate::timestamp::Timestamp;
use crate::trust::{FileCrl, RootStore};

/// Builds the path and finds all defects but those of the name, in OpenSSL's order: `X509_verify_cert`, `verify_chain`.
/// `lists` is the store of CRLs when checking is on.
pub(super) fn examine(
    chain: &[Certificate],
    roots: Option<&RootStore>,
    lists: Option<Store<'_, FileCrl>>,
    at: Timestamp,
    (level, wanted): (SecurityLevel, Purpose),
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
    let members = path::members(&links);
    let own_root = members.last().is_some_and(|last| last.facts.is_self_signed());

    defects.extend(weak_key(0, leaf, level));
    defects.extend(members.last().and_then(|last| end_defect(end, last.certificate, members.len())));
    purpose::check(&members, wanted, &mut defects);
    for (at, member) in members.iter().enumerate() {
        if at > 0 {
            defects.extend(weak_key(at, member.facts, level));
        }
        if at + 1 < members.len() || !own_root {
            defects.extend(weak_signature(at, member.facts, level));
        }
    }
    if let (Some(lists), End::Anchored) = (lists, end) {
        revocation::check(&members, lists, at, budget, &mut defects);
    }
    let proved = signatures_and_dates(&members, at, level, budget, &mut defects);
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
        End::Rejected => Defect::RejectedByFile,
        End::SelfSigned if length == 1 => Defect::SelfSignedLeaf,
        End::SelfSigned => Defect::RootNotInFile { root: last.clone() },
        End::FileLacksRoot => Defect::FileLacksRoot { anchor: last.clone() },
        End::IssuerUnknown => Defect::IssuerUnknown { last: last.clone() },
        End::TooLong => Defect::ChainTooLong,
    })
}

/// `check_key_level`.
fn weak_key(at: usize, facts: &Facts, level: SecurityLevel) -> Option<Defect> {
    facts.key.is_weak_at(level).then(|| Defect::WeakKey { at, key: facts.key.clone() })
}

/// `check_sig_level`.
fn weak_signature(at: usize, facts: &Facts, level: SecurityLevel) -> Option<Defect> {
    let weak = facts.signature.algorithm.is_weak_at(level);
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
    level: SecurityLevel,
    budget: &Budget,
    defects: &mut Vec<Defect>,
) -> bool {
    let mut proved = true;
    for (place, member) in members.iter().enumerate().rev() {
        if let (Some(issuer), true) = (members.get(place + 1), proved) {
            match signature_defect(place, member, issuer, level, budget) {
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
    issuer: &Member<'_>,
    level: SecurityLevel,
    budget: &Budget,
) -> Result<Option<Defect>, Exceeded> {
    if member.facts.algorithms_differ {
        return Ok(Some(Defect::BadSignature { at }));
    }
    let algorithm = member.facts.signature.algorithm;
    if algorithm.hash() == Some(Hash::Md) && algorithm.is_weak_at(level) {
        return Ok(None);
    }
    budget.spend(SIGNATURE)?;
    // Of servers with one CA between them, its certificate is verified once.
    if member.certificate.is_known_issuer(issuer.certificate) {
        return Ok(None);
    }
    let (message, value) = (member.certificate.signed_part(), member.certificate.signature_value());
    Ok(match signature::verify(&issuer.facts.spki, member.facts.signature.algorithm, message, value) {
        Ok(()) => {
            member.certificate.note_issuer(issuer.certificate);
            None
        }
        Err(SignatureError::Bad) => Some(Defect::BadSignature { at }),
        Err(SignatureError::Unsupported(what)) => Some(Defect::UnsupportedHere { at, what }),
    })
}
