//! Opens the sockets: resolves, connects, negotiates, shakes hands, starts the session; one file a stage. It never
//! fails: what went wrong is in the [`Evidence`].
//!
//! Hosts and addresses are tried as libpq tries them (`hosts`); one address is `attempt`. After a failure
//! `second_looks` may ask the same address more, without any credential, to turn several possible causes into one.

mod attempt;
pub mod audit;
mod clock;
mod conceal;
mod dns;
mod hello;
mod hosts;
mod hosts_file;
mod in_flight;
mod look;
mod members;
mod name_server;
mod negotiate;
mod observer;
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

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::conninfo::Endpoint;
use crate::evidence::{Attempt, Evidence, HostsLine, NameServer, Resolution, TcpResult};
use crate::plan::Plan;
use crate::provider;
use crate::runtime::in_heap;
use clock::Clock;
pub use conceal::conceal_message;
pub use dns::is_known_host;
pub use hosts::socket_address;
pub use look::look;
pub use members::members;
pub use observer::{Awaited, Observer, Wait};
pub use plaintext::ask_in_plaintext;

/// Probes one target: host by host and address by address, as libpq would go on or stop; then looks further where the
/// plan allows it. Nobody watches.
pub async fn probe(plan: &Plan) -> Evidence {
    let probed = probe_once(plan, &()).await;
    if plan.second_looks { probed.looked_further(plan).await } else { probed.evidence }
}

/// What a probe found, before second looks.
#[derive(Debug)]
pub struct Probed {
    /// The record, without looks.
    pub evidence: Evidence,
    clock: Clock,
    /// When the time of the whole target is over.
    last: Option<Instant>,
    /// The address that was connected to last, and when its time is over.
    failing: Option<(SocketAddr, Instant)>,
}

impl Probed {
    /// What was recorded without a server: there is nobody to be asked more.
    pub fn of(evidence: Evidence) -> Self {
        Self { evidence, clock: Clock::started(Duration::ZERO), last: None, failing: None }
    }

    /// Asks the failing address more, within the time that is left for it.
    pub async fn looked_further(self, plan: &Plan) -> Evidence {
        let Self { mut evidence, clock, last, failing } = self;
        evidence.resolvers = asked_again(plan, evidence.resolvers, &evidence.attempts, last).await;
        if let Some(attempt) = evidence.attempts.last().filter(|attempt| is_doubtful(attempt)) {
            let aliases = evidence.resolvers.iter().flat_map(|server| &server.aliases);
            let aliases: Vec<String> = aliases.chain(&attempt.canonical_name).cloned().collect();
            let line = attempt.address.and_then(|address| hosts_file::line_of_alias(&aliases, address));
            evidence.hosts_line = evidence.hosts_line.or(line);
        }
        if let Some(failing) = failing.filter(|_| second_looks::are_called_for(plan, &evidence.attempts)) {
            evidence.looks =
                in_heap(|| second_looks::take(plan, &evidence.attempts, failing, clock, last)).await;
            evidence.took = clock.elapsed();
        }
        evidence
    }
}

fn is_unresolved(attempt: &Attempt) -> bool {
    let resolution = attempt.dns.as_ref().map(|step| &step.result);
    resolution.is_some_and(|resolution| !matches!(resolution, Resolution::Found(_)))
}

fn found_no_route(attempt: &Attempt) -> bool {
    let tcp = attempt.tcp.as_ref().map(|step| &step.result);
    matches!(tcp, Some(TcpResult::Failed(failure)) if failure.kind == std::io::ErrorKind::NetworkUnreachable)
}

/// Whether the name may be another one than was meant: it became another by a search domain, or an address that a provider's
/// alias led to does not answer, or one in a private network. What a name server has for the name itself tells.
fn is_doubtful(attempt: &Attempt) -> bool {
    let is_private = || match attempt.address {
        Some(IpAddr::V4(address)) => address.is_private(),
        _ => false,
    };
    attempt.session.is_none() && (attempt.canonical_name.is_some() || attempt.tls.is_none() && is_private())
}

/// The name servers, asked for the name that the system could not resolve last, or that led to a place that is not the right one.
async fn asked_again(
    plan: &Plan,
    servers: Vec<NameServer>,
    attempts: &[Attempt],
    last: Option<Instant>,
) -> Vec<NameServer> {
    let doubtful = || attempts.last().filter(|attempt| is_doubtful(attempt));
    let Some(attempt) = attempts.iter().rev().find(|attempt| is_unresolved(attempt)).or_else(doubtful) else {
        return servers;
    };
    let Some(Endpoint::Name(name)) = plan.settings.hosts.get(attempt.host).map(|host| &host.endpoint) else {
        return servers;
    };
    // What others call their servers tells nothing.
    if !is_unresolved(attempt) && provider::by_host(name).is_none() {
        return servers;
    }
    let left = last.map_or(attempt.limit, |last| last.saturating_duration_since(Instant::now()));
    in_heap(|| name_server::ask_all(servers, name, left)).await
}

/// The addresses that DNS has for a host name, at most so many, whatever the hosts file says: `None` where no name server
/// answers.
pub async fn addresses_by_dns(name: &str, limit: Duration, most: usize) -> Option<Vec<IpAddr>> {
    name_server::addresses(&dns::resolvers(), name, limit, most).await
}

/// The line of the hosts file that led to an address, where the server there is not the one that was meant.
fn led_by_hosts_file(plan: &Plan, attempt: &Attempt) -> Option<HostsLine> {
    attempt.dns.as_ref()?;
    // An old address may also answer no more.
    let failed = attempt.session.as_ref().is_some_and(|session| session.result.failure.is_some());
    if let Some(tls) = attempt.tls.as_ref().filter(|_| !failed) {
        tls.result.judgement.as_ref()?.defects.first()?;
    }
    let host = std::str::from_utf8(plan.settings.hosts.get(attempt.host)?.name.plain()?.as_bytes()).ok()?;
    hosts_file::line_of(host, attempt.address?).filter(|_| !hosts_file::is_own_name(host))
}

/// Probes one target without second looks, and tells the observer what it waits for.
pub async fn probe_once(plan: &Plan, observer: &dyn Observer) -> Probed {
    // What was looked up before, for all members of the target, counts for each.
    let looked_up = plan.only.as_ref().and_then(|only| only.address.as_ref());
    let clock = Clock::started(looked_up.map_or(Duration::ZERO, |found| found.dns.took));
    let last = plan.total_limit.map(|limit| Clock::deadline(limit, None));
    let tried = hosts::try_all(plan, observer, clock, last).await;
    observer.ended();
    let asked_in_vain =
        tried.attempts.iter().any(is_unresolved) || tried.attempts.last().is_some_and(is_doubtful);
    let families = tried.attempts.iter().any(found_no_route).then(tcp::families);
    let silent = tried.attempts.last().filter(|attempt| is_doubtful(attempt) && attempt.tcp.is_some());
    let own_address = silent.and_then(|attempt| tcp::own_address(attempt.address?));
    let way = silent.and_then(|attempt| tcp::way(attempt.address?, own_address));
    let hosts_line = tried.attempts.last().and_then(|attempt| led_by_hosts_file(plan, attempt));
    let is_loopback = |attempt: &Attempt| attempt.address.is_some_and(|address| address.is_loopback());
    let refused = tried.attempts.last().filter(|attempt| is_loopback(attempt) && attempt.tcp.is_some());
    let container = refused.and_then(|_| hosts_file::container());
    let (settings, trust) = (plan.settings.clone(), Arc::clone(&plan.trust));
    let mut evidence = Evidence {
        attempts: tried.attempts,
        hosts_line,
        container,
        resolvers: if asked_in_vain { dns::resolvers() } else { Vec::new() },
        namespace: asked_in_vain.then(dns::namespace).flatten(),
        families,
        own_address,
        way,
        member: plan.only.clone(),
        took: clock.elapsed(),
        ..Evidence::of_settings(plan.started, plan.scope, settings, trust)
    };
    conceal::conceal(&mut evidence);
    Probed { evidence, clock, last, failing: tried.last }
}
