//! A check of TLS, and what else the server accepts.

use std::time::Duration;

use super::Setup;
use super::one::check;
use super::watch::Watcher;
use crate::conninfo::Endpoint;
use crate::diagnose::{Outcome, Verdict};
use crate::evidence::PlaintextAnswer;
use crate::evidence::audit::Profile;
use crate::plan::DEFAULT_ADDRESS_LIMIT;
use crate::probe::audit::{Task, audit};
use crate::probe::{conceal_message, socket_address};
use crate::secret::Secret;

/// Checks the target and, where the handshake began, asks what else the server accepts, and whether that meets a policy.
pub async fn audited(
    setup: &Setup,
    target: Option<&Secret>,
    profile: Option<Profile>,
    watcher: &dyn Watcher,
) -> Outcome {
    let outcome = check(setup, target, watcher).await;
    with_audit(setup, outcome, profile).await
}

/// Asks what else a server accepts that was checked.
pub(super) async fn with_audit(setup: &Setup, mut outcome: Outcome, profile: Option<Profile>) -> Outcome {
    let Some(task) = task(&outcome, setup.total_limit) else { return outcome };
    let mut audit = audit(task).await;
    if let (Some(PlaintextAnswer::Refused(message)), Ok(settings)) =
        (&mut audit.plaintext, &outcome.evidence.config)
    {
        conceal_message(message, settings);
    }
    audit.profile = profile;
    outcome.evidence.took += audit.took;
    let mut outcome = outcome.audited(audit);
    setup.policy.apply(&mut outcome);
    outcome
}

/// What to ask and where: the address at which the check ended, if a handshake began there.
fn task(outcome: &Outcome, total: Option<Duration>) -> Option<Task> {
    let evidence = &outcome.evidence;
    let settings = evidence.config.as_ref().ok()?;
    let attempt = evidence.attempts.last()?;
    let tls = &attempt.tls.as_ref()?.result;
    let host = settings.hosts.get(attempt.host)?;
    let port = *host.port.as_ref().ok()?;
    let zone = match host.endpoint {
        Endpoint::Address(_, zone) => zone,
        _ => None,
    };
    let limit = settings.connect_timeout.unwrap_or(DEFAULT_ADDRESS_LIMIT);
    Some(Task {
        address: socket_address(attempt.address?, port, zone),
        sni: tls.offer.sni.clone(),
        negotiation: settings.negotiation,
        ask_in_plaintext: outcome.verdict != Verdict::Failed,
        limit: total.map_or(limit, |total| limit.min(total.saturating_sub(evidence.took))),
    })
}
