//! Opens the sockets: resolves, connects, negotiates, shakes hands, starts the session; one file a stage. It never
//! fails: what went wrong is in the [`Evidence`].
//!
//! Hosts and addresses are tried as libpq tries them (`hosts`); one address is `attempt`. After a failure
//! `second_looks` may ask the same address more, without any credential, to turn several possible causes into one.

mod attempt;
mod clock;
mod dns;
mod hello;
mod hosts;
mod in_flight;
mod look;
mod negotiate;
mod plaintext;
mod second_looks;
mod session;
mod tcp;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod tls;
pub mod verbatim_sni;
mod wiretap;

use crate::evidence::{Evidence, Resolution};
use crate::plan::Plan;
use clock::Clock;
pub use look::look;
pub use plaintext::ask_as_stranger;

/// Probes one target: host by host and address by address, as libpq would go on or stop.
pub async fn probe(plan: &Plan) -> Evidence {
    let clock = Clock::started();
    let last = plan.total_limit.map(|limit| Clock::deadline(limit, None));
    let tried = hosts::try_all(plan, clock, last).await;
    let looks = match tried.last {
        Some(failing) if plan.second_looks => {
            second_looks::take(plan, &tried.attempts, failing, clock, last).await
        }
        _ => Vec::new(),
    };
    plan.progress.end();
    let asked_in_vain = tried.attempts.iter().any(|attempt| {
        let resolution = attempt.dns.as_ref().map(|step| &step.result);
        resolution.is_some_and(|resolution| !matches!(resolution, Resolution::Found(_)))
    });
    Evidence {
        started: plan.started,
        judged_at: plan.judged_at,
        input: plan.settings.input.clone(),
        marked: None,
        config: Ok(plan.settings.clone()),
        trust: Some(plan.trust.clone()),
        attempts: tried.attempts,
        looks,
        system_roots: None,
        resolvers: if asked_in_vain { dns::resolvers() } else { Vec::new() },
        scope: plan.scope,
        took: clock.elapsed(),
    }
}
