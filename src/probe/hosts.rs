//! The order of hosts and addresses, and what sends libpq on to the next one (fe-connect.c, PQconnectPoll).

use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::sync::Arc;

use tokio::time::Instant;

use super::attempt::{self, Address};
use super::clock::Clock;
use super::dns::{self, Resolved};
use super::observer::{Awaited, Observer, Wait};
use crate::conninfo::{BadPort, Endpoint, Host, SslMode, TargetSessionAttrs};
use crate::evidence::{
    Attempt, NegotiateResult, PlaintextAnswer, ServerMessage, SessionFailure, Step, TcpResult, TlsFailure,
};
use crate::plan::Plan;
use crate::stage::Stage;

/// What was tried.
#[derive(Debug, Default)]
pub(super) struct Tried {
    pub attempts: Vec<Attempt>,
    /// The last address that was connected to, and when its time is over.
    pub last: Option<(SocketAddr, Instant)>,
}

/// What libpq does after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Stop,
    Address,
    Host,
}

/// Tries hosts and addresses until libpq would stop.
pub(super) async fn try_all(
    plan: &Plan,
    observer: &dyn Observer,
    clock: Clock,
    last: Option<Instant>,
) -> Tried {
    let mut tried = Tried::default();
    // Nothing of TLS is asked for, and nothing is to be seen.
    if plan.settings.sslmode == SslMode::Disable {
        return tried;
    }
    let all = 0..plan.settings.hosts.len();
    let mut order: Vec<usize> =
        all.filter(|index| plan.only.as_ref().is_none_or(|only| only.host == *index)).collect();
    if plan.settings.shuffle_hosts {
        shuffle(&mut order);
    }
    let mut run = Run {
        plan,
        observer,
        trust: Arc::clone(&plan.trust),
        clock,
        last,
        resolved: vec![None; plan.settings.hosts.len()],
        last_host: true,
    };
    // What kind of server is wanted is a choice among the members: by itself each is one.
    let wanted = match &plan.only {
        Some(_) => TargetSessionAttrs::Any,
        None => plan.settings.target_session_attrs,
    };
    let rounds: &[TargetSessionAttrs] = match wanted {
        TargetSessionAttrs::PreferStandby => &[TargetSessionAttrs::PreferStandby, TargetSessionAttrs::Any],
        _ => &[wanted],
    };
    for (round, wanted) in rounds.iter().enumerate() {
        for (position, index) in order.iter().enumerate() {
            run.last_host = round + 1 == rounds.len() && position + 1 == order.len();
            let Some(host) = plan.settings.hosts.get(*index) else { continue };
            if run.host(*index, host, *wanted, &mut tried).await == Next::Stop || run.time_is_over() {
                return tried;
            }
        }
    }
    tried
}

/// What all attempts of a target share.
struct Run<'a> {
    plan: &'a Plan,
    observer: &'a dyn Observer,
    trust: Arc<crate::trust::Trust>,
    clock: Clock,
    last: Option<Instant>,
    /// What was resolved already, by host: a second round does not ask again.
    resolved: Vec<Option<Known>>,
    /// No host follows the one that is tried.
    last_host: bool,
}

#[derive(Clone)]
struct Known {
    step: Step<crate::evidence::Resolution>,
    addresses: Vec<SocketAddr>,
    canonical_name: Option<String>,
}

impl Run<'_> {
    fn time_is_over(&self) -> bool {
        self.last.is_some_and(|last| Instant::now() >= last)
    }

    async fn host(
        &mut self,
        index: usize,
        host: &Host,
        wanted: TargetSessionAttrs,
        tried: &mut Tried,
    ) -> Next {
        let nothing = || Attempt::begun(index, self.plan.address_limit());
        let port = match &host.port {
            Ok(port) => *port,
            Err(bad) => {
                tried.attempts.push(nothing());
                return match bad {
                    BadPort::OutOfRange(_) => Next::Host,
                    BadPort::NotANumber(_) => Next::Stop,
                };
            }
        };
        match &host.endpoint {
            Endpoint::Malformed { .. } | Endpoint::BadAddress => {
                tried.attempts.push(nothing());
                Next::Host
            }
            Endpoint::Socket(directory) => {
                tried.attempts.push(nothing());
                let others = self.plan.settings.hosts.len() > 1;
                match others && !socket_answers(directory, port).await {
                    true => Next::Host,
                    false => Next::Stop,
                }
            }
            Endpoint::Address(address, zone) => {
                let address = Address {
                    socket: socket_address(*address, port, *zone),
                    dns: None,
                    canonical_name: None,
                };
                self.addresses(index, host, vec![address], wanted, tried).await
            }
            Endpoint::Name(name) => {
                let known = self.resolve(index, name, port).await;
                if known.addresses.is_empty() {
                    tried.attempts.push(Attempt { dns: Some(known.step), ..nothing() });
                    return Next::Host;
                }
                let addresses = known.addresses.iter().map(|socket| Address {
                    socket: *socket,
                    dns: Some(known.step.clone()),
                    canonical_name: known.canonical_name.clone(),
                });
                self.addresses(index, host, addresses.collect(), wanted, tried).await
            }
        }
    }

    async fn resolve(&mut self, index: usize, name: &str, port: u16) -> Known {
        if let Some(Some(known)) = self.resolved.get(index) {
            return self.in_order(known.clone());
        }
        let looked_up = self.plan.only.as_ref().and_then(|only| only.address.as_ref());
        if let Some(found) = looked_up.filter(|found| found.name == name) {
            let mut address = found.socket;
            address.set_port(port);
            return Known {
                step: found.dns.clone(),
                addresses: vec![address],
                canonical_name: found.canonical_name.clone(),
            };
        }
        let start = self.clock.elapsed();
        let limit =
            Clock::deadline(self.plan.address_limit(), self.last).saturating_duration_since(Instant::now());
        self.observer.waits(Wait::now(Stage::Dns, Awaited::Name(name.to_owned()), limit));
        let Resolved { resolution, addresses, canonical_name } = dns::resolve(name, port, limit).await;
        let known = Known { step: self.clock.step(start, resolution), addresses, canonical_name };
        if let Some(slot) = self.resolved.get_mut(index) {
            *slot = Some(known.clone());
        }
        self.in_order(known)
    }

    /// In the order of this round: libpq shuffles anew in each.
    fn in_order(&self, mut known: Known) -> Known {
        if self.plan.settings.shuffle_hosts {
            shuffle(&mut known.addresses);
        }
        known
    }

    async fn addresses(
        &self,
        index: usize,
        host: &Host,
        addresses: Vec<Address>,
        wanted: TargetSessionAttrs,
        tried: &mut Tried,
    ) -> Next {
        let mut left = addresses.len();
        for address in addresses {
            left -= 1;
            if self.time_is_over() {
                return Next::Stop;
            }
            let deadline = Clock::deadline(self.plan.address_limit(), self.last);
            tried.last = Some((address.socket, deadline));
            let context = attempt::Context {
                plan: self.plan,
                observer: self.observer,
                trust: &self.trust,
                clock: self.clock,
                deadline,
                index,
                host,
                wanted,
                followed: left > 0 || !self.last_host,
            };
            let attempt = context.run(address).await;
            let next = after(&attempt);
            tried.attempts.push(attempt);
            match next {
                Next::Stop | Next::Host => return next,
                Next::Address => {}
            }
        }
        Next::Host
    }
}

/// Where libpq goes from an attempt: on from an address that cannot be connected to or falls silent, on to the next host
/// from a server that cannot serve now or is of the wrong kind; everything else is final.
fn after(attempt: &Attempt) -> Next {
    match attempt.tcp.as_ref().map(|step| &step.result) {
        Some(TcpResult::Connected { local: Some(_) }) => {}
        Some(TcpResult::Connected { local: None } | TcpResult::Failed(_) | TcpResult::TimedOut) => {
            return Next::Address;
        }
        None => return Next::Stop,
    }
    let unencrypted = attempt.without_tls.as_ref().or(attempt.plaintext.as_ref()).map(|step| &step.result);
    match unencrypted {
        None => {}
        Some(PlaintextAnswer::WrongSessionAttrs) => return Next::Host,
        Some(PlaintextAnswer::Refused(message)) if message.cannot_connect_now() => return Next::Host,
        Some(PlaintextAnswer::TimedOut) => return Next::Address,
        // sslmode=allow tried TLS then.
        Some(PlaintextAnswer::Refused(_)) if attempt.without_tls.is_none() => {}
        Some(_) => return Next::Stop,
    }
    match attempt.negotiate.as_ref().map(|step| &step.result) {
        None | Some(NegotiateResult::Accepted) => {}
        Some(NegotiateResult::TimedOut(_)) => return Next::Address,
        Some(_) => return Next::Stop,
    }
    match attempt.tls.as_ref().map(|step| &step.result.failure) {
        Some(None) => {}
        Some(Some(TlsFailure::TimedOut(_))) => return Next::Address,
        Some(Some(_)) | None => return Next::Stop,
    }
    let Some(session) = attempt.session.as_ref().map(|step| &step.result) else { return Next::Stop };
    match &session.failure {
        Some(SessionFailure::TimedOut) => Next::Address,
        Some(SessionFailure::WrongSessionAttrs { .. }) => Next::Host,
        _ if session.refusal().is_some_and(ServerMessage::cannot_connect_now) => Next::Host,
        _ => Next::Stop,
    }
}

/// An address with its port and, for IPv6, its zone.
pub fn socket_address(address: IpAddr, port: u16, zone: Option<u32>) -> SocketAddr {
    match address {
        IpAddr::V4(_) => SocketAddr::new(address, port),
        IpAddr::V6(address) => SocketAddrV6::new(address, port, 0, zone.unwrap_or_default()).into(),
    }
}

/// Whether somebody listens at a Unix-domain socket, so that libpq stays there. It is asked only where another host
/// follows.
#[cfg(unix)]
async fn socket_answers(directory: &std::path::Path, port: u16) -> bool {
    use std::os::unix::ffi::OsStrExt as _;
    let file = format!(".s.PGSQL.{port}");
    // `@` is the abstract namespace (Linux), written without its NUL.
    let path = match directory.as_os_str().as_bytes() {
        [b'@', name @ ..] => [b"\0", name, b"/", file.as_bytes()].concat(),
        _ => directory.join(file).into_os_string().as_bytes().to_vec(),
    };
    let patience = std::time::Duration::from_secs(1);
    let connecting = tokio::net::UnixStream::connect(std::ffi::OsStr::from_bytes(&path));
    matches!(tokio::time::timeout(patience, connecting).await, Ok(Ok(_)))
}

#[cfg(not(unix))]
async fn socket_answers(_: &std::path::Path, _: u16) -> bool {
    false
}

/// Fisher and Yates; which order comes out need not be hard to guess.
fn shuffle<T>(items: &mut [T]) {
    use ring::rand::SecureRandom as _;
    let random = ring::rand::SystemRandom::new();
    for upper in (1..items.len()).rev() {
        let mut bytes = [0; 8];
        if random.fill(&mut bytes).is_err() {
            return;
        }
        let choice = u64::from_ne_bytes(bytes) % (upper as u64 + 1);
        items.swap(upper, usize::try_from(choice).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shuffle_loses_nothing_and_does_shuffle() {
        let sorted: Vec<u32> = (0..50).collect();
        let mut items = sorted.clone();
        shuffle(&mut items);
        assert_ne!(items, sorted, "one in 50! runs");
        items.sort_unstable();
        assert_eq!(items, sorted);
        shuffle::<u32>(&mut []);
    }

    #[test]
    fn ipv6_zones_are_kept() {
        let address = socket_address("fe80::1".parse().unwrap(), 5432, Some(3));
        assert_eq!(address.to_string(), "[fe80::1%3]:5432");
    }
}
