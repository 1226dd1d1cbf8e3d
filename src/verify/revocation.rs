//! Checks a path against CRLs as OpenSSL does with `X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL` and without
//! extended CRL support, which is how libpq asks (`check_revocation` in x509_vfy.c, `initialize_SSL` in
//! fe-secure-openssl.c): every certificate, the root included, needs a list of its issuer. Delta lists pass for whole
//! ones, lists for some reasons only and indirect ones are not looked at.

use super::budget::{Budget, Exceeded, SIGNATURE};
use super::defect::{CrlFault, Defect};
use super::path::Member;
use super::signature::{self, SignatureError};
use super::store::Store;
use crate::certificate::{
    ALL_REASONS, AuthorityKey, CrlFacts, CrlPoint, CrlPointName, CrlScope, Facts, GeneralName,
    RevocationReason, RevokedEntry,
};
use crate::timestamp::Timestamp;
use crate::trust::FileCrl;

/// How well a list fits, from `get_crl_score`; a higher sum wins.
mod score {
    pub(super) const NO_CRITICAL: u16 = 0x100;
    pub(super) const SCOPE: u16 = 0x080;
    pub(super) const TIME: u16 = 0x040;
    pub(super) const ISSUER_NAME: u16 = 0x020;
    pub(super) const ISSUER_CERTIFICATE: u16 = 0x018;
    pub(super) const AUTHORITY_KEY: u16 = 0x004;
    pub(super) const SAME_PATH: u16 = 0x008;
}

/// Checks the whole path.
pub(super) fn check(
    members: &[Member<'_>],
    mut store: Store<'_, FileCrl>,
    now: Timestamp,
    budget: &Budget,
    defects: &mut Vec<Defect>,
) {
    for (at, member) in members.iter().enumerate() {
        let named = store.named(&member.facts.issuer);
        let lists: Vec<&FileCrl> = named.into_iter().map(|(_, list)| list).collect();
        match check_one(members, at, &lists, now, budget) {
            Ok(defect) => defects.extend(defect),
            Err(Exceeded) => return defects.push(Defect::TooMuchWork),
        }
    }
}

/// A list that may serve for a certificate.
struct Candidate<'a> {
    list: &'a FileCrl,
    score: u16,
    reasons: u16,
    issuer: &'a Facts,
}

/// `check_cert`.
fn check_one(
    members: &[Member<'_>],
    at: usize,
    lists: &[&FileCrl],
    now: Timestamp,
    budget: &Budget,
) -> Result<Option<Defect>, Exceeded> {
    let Some(facts) = members.get(at).map(|member| member.facts).filter(|facts| !facts.extensions.proxy)
    else {
        return Ok(None);
    };
    let missing = || Ok(Some(Defect::CrlMissing { at, issuer: facts.issuer.to_string() }));
    let mut covered = 0;
    while covered != ALL_REASONS {
        let Some(best) = best(members, at, lists, covered, now) else { return missing() };
        let list = best.list.clone();
        budget.spend(SIGNATURE)?;
        if let Some(fault) = fault(&best, now) {
            return Ok(Some(Defect::CrlInvalid { at, list, fault }));
        }
        if let Some(entry) = entry(best.list.crl.facts(), facts) {
            return Ok(Some(Defect::Revoked { at, date: entry.date, reason: entry.reason, list }));
        }
        if best.reasons == covered {
            return missing();
        }
        covered = best.reasons;
    }
    Ok(None)
}

/// `get_crl_sk`: the best list, of equals the newest.
fn best<'a>(
    members: &[Member<'a>],
    at: usize,
    lists: &[&'a FileCrl],
    covered: u16,
    now: Timestamp,
) -> Option<Candidate<'a>> {
    let mut best: Option<Candidate<'a>> = None;
    for list in lists {
        let Some(candidate) = candidate(members, at, list, covered, now) else { continue };
        let better = best.as_ref().is_none_or(|best| {
            let newer = list.crl.facts().this_update > best.list.crl.facts().this_update;
            candidate.score > best.score || candidate.score == best.score && newer
        });
        if better {
            best = Some(candidate);
        }
    }
    best
}

/// `get_crl_score`, and `crl_akid_check` within it.
fn candidate<'a>(
    members: &[Member<'a>],
    at: usize,
    list: &'a FileCrl,
    covered: u16,
    now: Timestamp,
) -> Option<Candidate<'a>> {
    let crl = list.crl.facts();
    let facts = members.get(at)?.facts;
    if let Some(scope) = &crl.scope
        && (scope.invalid || scope.indirect || scope.reasons.is_some())
    {
        return None;
    }
    let mut score = score::ISSUER_NAME;
    if !crl.unknown_critical {
        score |= score::NO_CRITICAL;
    }
    if date_fault(crl, now).is_none() {
        score |= score::TIME;
    }
    let next = (at + 1).min(members.len().saturating_sub(1));
    let agrees =
        |issuer: &Facts| crl.authority_key.as_ref().is_none_or(|key: &AuthorityKey| key.agrees(issuer));
    let direct = members.get(next).filter(|member| agrees(member.facts));
    let issuer = if let Some(direct) = direct {
        score |= score::AUTHORITY_KEY | score::ISSUER_CERTIFICATE;
        direct.facts
    } else {
        score |= score::AUTHORITY_KEY | score::SAME_PATH;
        let above = members.iter().skip(next + 1).map(|member| member.facts);
        let mut namesakes = above.filter(|issuer| issuer.subject.canonical == crl.issuer.canonical);
        namesakes.find(|issuer| agrees(issuer))?
    };
    let mut reasons = covered;
    if let Some(new) = scope_covers(facts, crl) {
        if new & !covered == 0 {
            return None;
        }
        reasons |= new;
        score |= score::SCOPE;
    }
    Some(Candidate { list, score, reasons, issuer })
}

/// `crl_crldp_check`: the reasons for which a list covers a certificate, if it does.
fn scope_covers(facts: &Facts, crl: &CrlFacts) -> Option<u16> {
    let whole = CrlScope::default();
    let scope = crl.scope.as_ref().unwrap_or(&whole);
    if scope.only_attributes || facts.is_ca() && scope.only_users || !facts.is_ca() && scope.only_cas {
        return None;
    }
    for point in &facts.extensions.crl_points {
        let by_issuer = point.issuer.as_ref().is_none_or(|names| {
            names.iter().any(
                |name| matches!(name, GeneralName::Directory(name) if name.canonical == crl.issuer.canonical),
            )
        });
        if by_issuer && same_point(point, scope) {
            return Some(point.reasons.unwrap_or(ALL_REASONS));
        }
    }
    scope.point.is_none().then_some(ALL_REASONS)
}

/// `idp_check_dp`. A name relative to the issuer equals only another relative one.
fn same_point(point: &CrlPoint, scope: &CrlScope) -> bool {
    match (&point.name, &scope.point) {
        (None, _) | (_, None) => true,
        (Some(CrlPointName::Full(names)), Some(CrlPointName::Full(others))) => {
            names.iter().any(|name| others.contains(name))
        }
        (Some(CrlPointName::Relative(name)), Some(CrlPointName::Relative(other))) => name == other,
        _ => false,
    }
}

/// `check_crl`, and the first part of `cert_crl`.
fn fault(candidate: &Candidate<'_>, now: Timestamp) -> Option<CrlFault> {
    let crl = candidate.list.crl.facts();
    if !crl.delta {
        if candidate.issuer.extensions.key_usage.is_some_and(|usage| !usage.signs_crls()) {
            return Some(CrlFault::IssuerMayNotSign);
        }
        if candidate.score & score::SCOPE == 0 {
            return Some(CrlFault::OtherScope);
        }
    }
    if let Some(fault) = date_fault(crl, now) {
        return Some(fault);
    }
    if crl.algorithms_differ {
        return Some(CrlFault::BadSignature);
    }
    let (message, value) = (candidate.list.crl.signed_part(), candidate.list.crl.signature_value());
    match signature::verify(&candidate.issuer.spki, crl.signature.algorithm, message, value) {
        Ok(()) if crl.unknown_critical => Some(CrlFault::UnknownCriticalExtension),
        Ok(()) => None,
        Err(SignatureError::Bad) => Some(CrlFault::BadSignature),
        Err(SignatureError::Unsupported(what)) => Some(CrlFault::UnsupportedHere(what)),
    }
}

/// `check_crl_time`.
fn date_fault(crl: &CrlFacts, now: Timestamp) -> Option<CrlFault> {
    if now < crl.this_update {
        return Some(CrlFault::NotYetValid(crl.this_update));
    }
    crl.next_update.filter(|next| *next <= now).map(CrlFault::Expired)
}

/// The entry for a certificate, unless it takes the certificate off the list (`def_crl_lookup`).
fn entry<'a>(crl: &'a CrlFacts, facts: &Facts) -> Option<&'a RevokedEntry> {
    let entries = crl.revoked.get(&facts.serial)?;
    let entry = entries.iter().find(|entry| match &entry.issuer {
        None => true,
        Some(names) => names.iter().any(
            |name| matches!(name, GeneralName::Directory(name) if name.canonical == facts.issuer.canonical),
        ),
    })?;
    (entry.reason != Some(RevocationReason::REMOVE_FROM_CRL)).then_some(entry)
}
