//! Tries the fixes that change settings, before they are offered: on the chain that was captured where that is enough,
//! else by another connection that ends when TLS is verified and carries no user, database or password.
//!
//! A fix that works says so. One that cures the fault and uncovers another says which. One that changes nothing, or
//! leads to an earlier failure, is not offered. What cannot be tried without a password stays untried.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::conninfo::{self, Environment, Form, Overrides, Settings, Value};
use crate::diagnose::{Diagnosis, Fix, Outcome, Trial, diagnose};
use crate::evidence::{Attempt, Evidence, TlsFailure};
use crate::plan::{Plan, Progress};
use crate::probe::probe;
use crate::provider;
use crate::secret::Secret;
use crate::trust::{self, Roots, Trust};
use crate::verify;

/// More fixes than this are not tried.
const MOST: usize = 6;
/// How much longer than its own limit a failing address may take for the sake of its fixes (README, "Time").
const GRACE: Duration = Duration::from_secs(1);
/// Settings under which the same handshake is only judged differently.
const JUDGED_ONLY: [&str; 4] = ["sslmode", "sslrootcert", "sslcrl", "sslcrldir"];
/// Settings that matter after TLS and cannot be tried without credentials.
const CREDENTIALS: [&str; 4] = ["user", "dbname", "channel_binding", "require_auth"];

/// What a check was made from, and what a trial may do.
#[derive(Clone, Copy)]
pub struct Means<'a> {
    /// The connection string.
    pub input: Option<&'a Secret>,
    /// The options over it.
    pub overrides: &'a Overrides,
    /// The surroundings.
    pub environment: &'a Environment,
    /// Whether another connection may be made.
    pub may_connect: bool,
    /// `--timeout`: the limit of the whole target.
    pub total_limit: Option<Duration>,
}

/// Tries the fixes of a failed check. The time that its address has left, and at most `GRACE` more, is all it takes.
pub async fn try_fixes(mut outcome: Outcome, means: Means<'_>) -> Outcome {
    let Some(mut diagnosis) = outcome.diagnosis.take() else { return outcome };
    let begin = Instant::now();
    let budget = time_left(&outcome.evidence, means.total_limit);
    let mut kept = Vec::new();
    let mut waiting = VecDeque::from(std::mem::take(&mut diagnosis.fixes));
    let mut tries = 0;
    while let Some(mut fix) = waiting.pop_front() {
        let wanted = can_be_tried(&fix) && tries < MOST;
        let left = budget.saturating_sub(begin.elapsed());
        let verdict = if wanted { outcome_with(&outcome.evidence, &fix, means, left).await } else { None };
        tries += usize::from(verdict.is_some());
        match verdict.map(|found| comparison(&diagnosis, found)) {
            None => {}
            Some(Comparison::Cured) => {
                fix.tried = Some(Trial::Works);
                fix.conninfo = corrected(&fix, means);
            }
            Some(Comparison::Another(found)) => {
                fix.tried = Some(Trial::Fails);
                let remedy = if fix.text.is_empty() { "this is cured" } else { &fix.text };
                fix.text = format!("{remedy}; then {}: {}", found.code, found.title);
            }
            Some(Comparison::NoBetter) => continue,
            Some(Comparison::Undecided) => {}
        }
        kept.push(fix);
    }
    // What works stands first, what uncovers another fault last; otherwise the rule's order is kept.
    kept.sort_by_key(|fix| match fix.tried {
        Some(Trial::Works) => 0,
        None => 1,
        Some(Trial::Fails) => 2,
    });
    diagnosis.fixes = kept;
    if let Some(last) = outcome.attempts.last_mut().and_then(Option::as_mut) {
        last.fixes.clone_from(&diagnosis.fixes);
    }
    outcome.evidence.took += begin.elapsed();
    outcome.diagnosis = Some(diagnosis);
    outcome
}

/// Settings can be tried; a command cannot be run to see, and what it would write is known for a bundle only.
fn can_be_tried(fix: &Fix) -> bool {
    !fix.settings.is_empty() && fix.tried.is_none() && (fix.command.is_none() || fix.bundle.is_some())
}

/// What a trial showed.
enum Comparison {
    Cured,
    /// The fault is gone, another one came to light.
    Another(Diagnosis),
    /// The same fault, or one before it.
    NoBetter,
    /// The trial ran out of time.
    Undecided,
}

fn comparison(before: &Diagnosis, after: Option<Diagnosis>) -> Comparison {
    match after {
        None => Comparison::Cured,
        Some(after) if after.code.ends_with("-timeout") && after.code != before.code => Comparison::Undecided,
        Some(after) if after.code == before.code || after.stage < before.stage => Comparison::NoBetter,
        Some(after) => Comparison::Another(after),
    }
}

/// What the check would have found under a fix: `None` if that was not tried, `Some(None)` if all is well.
async fn outcome_with(
    evidence: &Evidence,
    fix: &Fix,
    means: Means<'_>,
    left: Duration,
) -> Option<Option<Diagnosis>> {
    if fix.settings.iter().any(|(keyword, _)| CREDENTIALS.contains(keyword)) {
        return None;
    }
    let settings = match conninfo::resolve(
        means.input.map(Secret::expose),
        &with_settings(means.overrides, fix),
        means.environment,
    ) {
        Ok(settings) => settings,
        Err(failure) => {
            let refused =
                Evidence::of_bad_config(evidence.started, evidence.judged_at, evidence.scope, *failure);
            return Some(diagnose(refused).diagnosis);
        }
    };
    let trust = trust_with(fix, &settings, means.environment)?;
    let judged_only = fix.settings.iter().all(|(keyword, _)| JUDGED_ONLY.contains(keyword));
    if judged_only && let Some(found) = judged_again(evidence, &settings, &trust) {
        return Some(found);
    }
    if !means.may_connect || left.is_zero() {
        return None;
    }
    let mut scope = evidence.scope;
    scope.tls_only = true;
    scope.require_auth = false;
    let plan = Plan {
        settings,
        trust,
        started: evidence.started,
        judged_at: evidence.judged_at,
        scope,
        second_looks: false,
        total_limit: Some(left),
        progress: Progress::default(),
    };
    let outcome = diagnose(probe(&plan).await);
    // A server that asks for a client certificate may demand one of this user (pg_hba.conf), which no trial tells it.
    if outcome.diagnosis.is_none() && takes_certificate_away(fix) && certificate_asked(&outcome.evidence) {
        return None;
    }
    Some(outcome.diagnosis)
}

fn takes_certificate_away(fix: &Fix) -> bool {
    fix.settings.iter().any(|(keyword, value)| *keyword == "sslcertmode" && value == "disable")
}

fn certificate_asked(evidence: &Evidence) -> bool {
    let tls = evidence.attempts.last().and_then(|attempt| attempt.tls.as_ref());
    tls.is_none_or(|step| step.result.client_certificate.requested)
}

fn with_settings(overrides: &Overrides, fix: &Fix) -> Overrides {
    let mut overrides = overrides.clone();
    for (keyword, value) in &fix.settings {
        overrides.parameters.retain(|(given, ..)| given != keyword);
        overrides.parameters.push((keyword, Value::from(value.as_str()), "fix"));
    }
    overrides
}

/// The files under the new settings; the roots that the fix's command would write count as written.
fn trust_with(fix: &Fix, settings: &Settings, environment: &Environment) -> Option<Trust> {
    let mut trust = trust::load(settings, environment);
    if let Some(id) = fix.bundle {
        let path = settings.path("sslrootcert")?;
        trust.roots = Roots::Loaded(provider::bundle(id)?.store(&path));
    }
    Some(trust)
}

/// Judges the captured chain under other settings; `None` if no chain was captured.
fn judged_again(evidence: &Evidence, settings: &Settings, trust: &Trust) -> Option<Option<Diagnosis>> {
    let mut evidence = evidence.clone();
    let attempt = evidence.attempts.last_mut()?;
    let host = settings.hosts.get(attempt.host)?.name.clone();
    let tls = &mut attempt.tls.as_mut()?.result;
    if tls.chain.is_empty() {
        return None;
    }
    let host = Some(&host).filter(|host| !host.as_bytes().is_empty());
    let judgement = verify::judge(&tls.chain, trust, host, evidence.judged_at, settings.sslmode);
    match (judgement.accepted, &tls.failure) {
        (true, Some(TlsFailure::CertificateRefused)) => tls.failure = None,
        (false, _) => tls.failure = Some(TlsFailure::CertificateRefused),
        (true, _) => {}
    }
    tls.judgement = Some(judgement);
    attempt.session = None;
    evidence.scope.tls_only = true;
    evidence.scope.require_auth = false;
    evidence.trust = Some(trust.clone());
    evidence.config = Ok(settings.clone());
    Some(diagnose(evidence).diagnosis)
}

/// The whole connection string under the fix, without any secret, in the form that was given.
fn corrected(fix: &Fix, means: Means<'_>) -> Option<String> {
    let input = means.input.map(Secret::expose).unwrap_or_default();
    let parsed = conninfo::parse(input).ok()?;
    let mut settings: Vec<(&str, Vec<u8>)> = Vec::new();
    let mut set = |keyword, value: &[u8]| {
        settings.retain(|(given, _)| *given != keyword);
        settings.push((keyword, value.to_vec()));
    };
    for (keyword, assignment) in &parsed.assignments {
        set(*keyword, assignment.value.as_bytes());
    }
    for (keyword, value, _) in &means.overrides.parameters {
        set(*keyword, value.as_bytes());
    }
    for (keyword, value) in &fix.settings {
        set(*keyword, value.as_bytes());
    }
    settings.retain(|(keyword, _)| !conninfo::options::is_secret(keyword));
    let pairs = settings.iter().map(|(keyword, value)| (*keyword, value.as_slice()));
    String::from_utf8(conninfo::write::string(Form::of(input), pairs)).ok()
}

/// The time that trials may take.
fn time_left(evidence: &Evidence, total: Option<Duration>) -> Duration {
    let Some(attempt) = evidence.attempts.last() else { return GRACE };
    let used = evidence.took.saturating_sub(start(attempt));
    let left = (attempt.limit + GRACE).saturating_sub(used);
    total.map_or(left, |total| left.min(total.saturating_sub(evidence.took)))
}

/// When an attempt began.
fn start(attempt: &Attempt) -> Duration {
    let steps = [
        attempt.plaintext.as_ref().map(|step| step.start),
        attempt.tcp.as_ref().map(|step| step.start),
        attempt.negotiate.as_ref().map(|step| step.start),
    ];
    steps.into_iter().flatten().min().unwrap_or_default()
}
