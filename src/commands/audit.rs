//! `audit`: a check of TLS, and what else the server accepts.

use std::time::Duration;

use super::check::{self, Setup};
use super::{USAGE, error_style, output_style, progress, report_one};
use crate::cli::DisplayArgs;
use crate::cli::audit::AuditArgs;
use crate::conninfo::{Endpoint, Environment};
use crate::diagnose::{Outcome, Verdict, warnings};
use crate::evidence::Scope;
use crate::evidence::audit::Accepts;
use crate::plan::DEFAULT_ADDRESS_LIMIT;
use crate::probe::audit::{self, Task};
use crate::probe::socket_address;
use crate::secret::Secret;
use crate::trust::SystemStore;

pub(super) fn run(
    arguments: &AuditArgs,
    display: &DisplayArgs,
    environment: &Environment,
) -> anyhow::Result<u8> {
    let policy = match arguments.policy.policy() {
        Ok(policy) => policy,
        Err(unknown) => {
            eprintln!("pgtls-check: {unknown}");
            return Ok(USAGE);
        }
    };
    let setup = Setup {
        environment: environment.clone(),
        overrides: arguments.connection.overrides(),
        // No user, database or password is of use for what is asked here.
        scope: Scope { tls_only: true, ..Scope::default() },
        may_try: true,
        total_limit: arguments.timeout,
        as_of: None,
        policy,
        wait: None,
        watched: Some(error_style(display, environment)).filter(|style| progress::is_wanted(*style)),
        system_store: SystemStore::default(),
    };
    let target = arguments.conninfo.as_ref().map(|text| Secret::new(text.clone().into_encoded_bytes()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = runtime.block_on(audited(&setup, target.as_ref()));
    runtime.shutdown_background();
    Ok(report_one(&outcome, display, output_style(display, environment))?)
}

/// Checks the target and, where the handshake began, asks what else the server accepts.
pub(super) async fn audited(setup: &Setup, target: Option<&Secret>) -> Outcome {
    let mut outcome = check::check(setup, target).await;
    let Some(task) = task(&outcome, setup.total_limit) else { return outcome };
    let audit = audit::audit(task).await;
    outcome.evidence.took += audit.took;
    let legacy = audit.legacy();
    if !legacy.is_empty() {
        outcome.warnings.push(warnings::legacy_tls_accepted(&legacy));
    }
    if audit.plaintext_accepted() == Accepts::Yes {
        outcome.warnings.push(warnings::plaintext_accepted());
    }
    outcome.evidence.audit = Some(audit);
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
        ask_in_plaintext: outcome.verdict == Verdict::Verified,
        limit: total.map_or(limit, |total| limit.min(total.saturating_sub(evidence.took))),
    })
}
