//! Judges all attempts and puts the outcome together.

use super::rule::Rule;
use super::view::View;
use super::{
    Diagnosis, Outcome, Verdict, auth, certificate, config, dns, negotiate, session, stages, tcp, tls, trust,
    warnings,
};
use crate::conninfo::SslMode;
use crate::evidence::{Evidence, NegotiateResult, SessionFailure};
use crate::stage::Stage;
use crate::trust::ClientIdentity;

/// Judges the evidence. Total: any evidence has an outcome, and a diagnosis unless it is verified.
pub fn diagnose(evidence: Evidence) -> Outcome {
    let attempts: Vec<Option<Diagnosis>> =
        evidence.attempts.iter().map(|attempt| judge(&View::new(&evidence, Some(attempt)))).collect();
    // libpq stops at the last attempt; what it went on from is named beside it.
    let view = View::new(&evidence, evidence.attempts.last());
    let diagnosis = judge(&view).map(|found| after_others(found, &evidence, &attempts));
    let also = diagnosis.as_ref().map(|found| also(&view, found)).unwrap_or_default();
    let warnings = warnings::all(&view, diagnosis.is_none());
    let stages = stages::reports(&view, diagnosis.as_ref(), &also, &warnings);
    let verdict = if diagnosis.is_none() { Verdict::Verified } else { Verdict::Failed };
    Outcome { verdict, diagnosis, also, warnings, stages, attempts, evidence }
}

/// Rules of one stage.
pub(super) type Group = (Stage, &'static [Rule]);

/// The rules for an attempt that ended in a stage, in the order in which they are asked. Some codes belong to an earlier
/// stage than the one that brings them to light.
fn groups(end: Stage) -> &'static [Group] {
    match end {
        Stage::Config => &[(Stage::Config, config::RULES)],
        Stage::Trust => &[(Stage::Config, config::FILES), (Stage::Trust, trust::RULES)],
        Stage::Dns => &[(Stage::Dns, dns::RULES)],
        Stage::Tcp => &[(Stage::Tcp, tcp::RULES)],
        Stage::Negotiate => &[(Stage::Negotiate, negotiate::RULES)],
        Stage::Tls => &[(Stage::Negotiate, negotiate::DIRECT), (Stage::Tls, tls::RULES)],
        Stage::Certificate => &[
            (Stage::Config, config::JUDGED),
            (Stage::Tls, tls::JUDGED),
            (Stage::Certificate, certificate::END),
            (Stage::Trust, trust::JUDGED),
            (Stage::Certificate, certificate::FAULTS),
            (Stage::Certificate, certificate::REST),
        ],
        Stage::Auth | Stage::Session => &[
            (Stage::Tls, tls::AFTERWARDS),
            (Stage::Trust, trust::AUTHENTICATED),
            (Stage::Auth, auth::RULES),
            (Stage::Session, session::RULES),
        ],
    }
}

/// All groups of rules, stage by stage.
pub(super) fn all_groups() -> impl Iterator<Item = Group> {
    Stage::ALL.into_iter().flat_map(|end| groups(end).iter().copied())
}

/// The diagnosis of an attempt, unless everything holds.
pub(super) fn judge(view: &View<'_>) -> Option<Diagnosis> {
    let end = view.end()?;
    let found = groups(end).iter().find_map(|(stage, rules)| detect(view, *stage, rules).next());
    found.map(|found| with_fall_back(found, view))
}

fn detect<'r>(
    view: &View<'r>,
    stage: Stage,
    rules: &'static [Rule],
) -> impl Iterator<Item = Diagnosis> + use<'r> {
    let view = *view;
    rules.iter().filter_map(move |rule| {
        let mut found = (rule.detect)(&view)?.diagnosis(rule, stage);
        found.fixes = found.fixes.into_iter().map(|fix| fix.in_list(&view)).collect();
        Some(found)
    })
}

/// sslmode=prefer goes on in plaintext after a refusal or a failure over TLS, and says nothing; not after an error or
/// silence before TLS (libpq, measured).
fn with_fall_back(mut found: Diagnosis, view: &View<'_>) -> Diagnosis {
    let over_tls = match view.negotiate() {
        Some(NegotiateResult::Refused) => true,
        Some(NegotiateResult::Accepted) => match view.session_failure() {
            None => true,
            Some(SessionFailure::Server(message)) => message.sqlstate != "57P03",
            Some(_) => false,
        },
        _ => false,
    };
    if view.mode == SslMode::Prefer && over_tls && found.stage > Stage::Config {
        if !found.cause.is_empty() {
            found.cause.push_str("; ");
        }
        found.cause.push_str(&format!(
            "with sslmode={} libpq passes this over and goes on in plaintext, unverified and unencrypted",
            view.mode.name()
        ));
    }
    found
}

/// Names the attempts before the last one in its cause.
fn after_others(mut found: Diagnosis, evidence: &Evidence, attempts: &[Option<Diagnosis>]) -> Diagnosis {
    let earlier = evidence.attempts.iter().zip(attempts).take(attempts.len().saturating_sub(1));
    let others: Vec<String> = earlier
        .filter_map(|(attempt, other)| {
            Some(format!("{}: {}", View::new(evidence, Some(attempt)).place(), other.as_ref()?.code))
        })
        .collect();
    if !others.is_empty() {
        let others = super::view::at_most(8, others).join(", ");
        if !found.cause.is_empty() {
            found.cause.push_str("; ");
        }
        found.cause.push_str(&format!("it was the last of several tried, after {others}"));
    }
    found
}

/// What is certainly wrong besides the diagnosis: a file that libpq would come to later, further defects of the chain.
fn also(view: &View<'_>, diagnosis: &Diagnosis) -> Vec<Diagnosis> {
    let mut also: Vec<Diagnosis> = Vec::new();
    if view.files_are_bad() && view.mode != SslMode::Disable {
        also.extend(detect(view, Stage::Trust, trust::RULES));
        also.extend(detect(view, Stage::Config, config::FILES));
    }
    if view.settings().is_some_and(|settings| settings.sslmode != SslMode::Disable)
        && let Some(ClientIdentity::Absent { path }) = view.trust().map(|trust| &trust.client)
    {
        let finding = trust::absent_certificate(view, Some(super::view::path_text(path)));
        also.push(finding.diagnosis(&trust::CLIENT_CERT_MISSING, Stage::Trust));
    }
    if view.end() == Some(Stage::Certificate) {
        also.extend(detect(view, Stage::Trust, trust::JUDGED));
        also.extend(detect(view, Stage::Certificate, certificate::FAULTS));
    }
    let mut seen = vec![diagnosis.code];
    also.retain(|found| {
        let new = !seen.contains(&found.code);
        seen.push(found.code);
        new
    });
    also
}
