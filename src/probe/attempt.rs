//! One address: TCP, SSLRequest, handshake, session, with one deadline over all of it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::Instant;

use super::clock::Clock;
use super::observer::{Observer, Wait};
use super::wiretap::Tap;
use super::{negotiate, plaintext, session, tcp, tls};
use crate::conninfo::{Host, SslMode, SslNegotiation, TargetSessionAttrs};
use crate::evidence::{Attempt, NegotiateResult, PlaintextAnswer, Resolution, Step, TcpResult, TlsFailure};
use crate::plan::Plan;
use crate::stage::Stage;
use crate::trust::{ClientIdentity, Roots, Trust};

/// Where to connect, and how that is known.
pub(super) struct Address {
    pub socket: SocketAddr,
    pub dns: Option<Step<Resolution>>,
    pub canonical_name: Option<String>,
}

/// What an attempt needs to know.
pub(super) struct Context<'a> {
    pub plan: &'a Plan,
    pub observer: &'a dyn Observer,
    pub trust: &'a Arc<Trust>,
    pub clock: Clock,
    pub deadline: Instant,
    /// Place in the list of hosts.
    pub index: usize,
    pub host: &'a Host,
    pub wanted: TargetSessionAttrs,
}

/// A host slot that yields no address.
pub(super) fn without_address(host: usize, limit: Duration) -> Attempt {
    Attempt {
        host,
        address: None,
        limit,
        dns: None,
        canonical_name: None,
        plaintext: None,
        tcp: None,
        negotiate: None,
        tls: None,
        session: None,
    }
}

impl Context<'_> {
    /// Goes as far as it gets.
    pub async fn run(&self, address: Address) -> Attempt {
        let mut attempt = Attempt {
            address: Some(address.socket.ip()),
            dns: address.dns,
            canonical_name: address.canonical_name,
            ..without_address(self.index, self.plan.address_limit())
        };
        // --tls-only sends no user name; allow's question in plaintext would.
        let ask_in_plaintext = self.plan.settings.sslmode == SslMode::Allow && !self.plan.scope.tls_only;
        if ask_in_plaintext && self.in_plaintext(address.socket, &mut attempt).await {
            return attempt;
        }
        if let Some(tap) = self.connect(address.socket, &mut attempt).await {
            self.secure(tap, address.socket, &mut attempt).await;
        }
        attempt
    }

    async fn connect(&self, address: SocketAddr, attempt: &mut Attempt) -> Option<Tap<TcpStream>> {
        self.waits(Stage::Tcp, address);
        let start = self.clock.elapsed();
        let (result, stream) =
            match tcp::connect(address, &self.plan.settings.keepalives, self.deadline).await {
                Ok((stream, local)) => (TcpResult::Connected { local }, Some(stream)),
                Err(failure) => (failure, None),
            };
        attempt.tcp = Some(self.clock.step(start, result));
        stream.map(Tap::new)
    }

    /// sslmode=allow asks without TLS first; says whether that is the end.
    async fn in_plaintext(&self, address: SocketAddr, attempt: &mut Attempt) -> bool {
        let Some(tap) = self.connect(address, attempt).await else { return true };
        self.waits(Stage::Negotiate, address);
        let start = self.clock.elapsed();
        let answer = plaintext::ask(&self.plan.settings, tap, self.deadline).await;
        let admitted = answer == PlaintextAnswer::Admitted;
        attempt.plaintext = Some(self.clock.step(start, answer));
        let silent = !admitted && Instant::now() >= self.deadline;
        if silent {
            attempt.negotiate = Some(self.clock.step(start, NegotiateResult::TimedOut(None)));
        }
        admitted || silent
    }

    /// What happens on a connection: TLS, and the session in it.
    async fn secure(&self, mut tap: Tap<TcpStream>, address: SocketAddr, attempt: &mut Attempt) {
        if self.plan.settings.negotiation == SslNegotiation::Postgres {
            self.waits(Stage::Negotiate, address);
            let start = self.clock.elapsed();
            let result = negotiate::negotiate(&mut tap, self.deadline).await;
            let accepted = result == NegotiateResult::Accepted;
            attempt.negotiate = Some(self.clock.step(start, result));
            if !accepted {
                return;
            }
        }
        // libpq reads its files now, and gives up here if one is bad (initialize_SSL).
        if self.files_are_bad() {
            tap.end().await;
            return;
        }
        self.waits(Stage::Tls, address);
        let handshake = tls::handshake(self.plan, self.trust, self.host, tap, self.clock, self.deadline);
        let (step, stream) = handshake.await;
        let tls = attempt.tls.insert(step);
        let Some(stream) = stream else { return };
        if self.plan.scope.tls_only {
            let late = session::end_without_session(stream).await;
            tls.result.failure = late.map(TlsFailure::AlertReceived);
            return;
        }
        self.waits(Stage::Auth, address);
        let session = session::session(
            self.plan,
            self.host,
            &tls.result,
            self.wanted,
            stream,
            self.clock,
            self.deadline,
        );
        attempt.session = Some(session.await);
    }

    /// Tells what is waited for.
    fn waits(&self, stage: Stage, address: SocketAddr) {
        let limit = self.deadline.saturating_duration_since(Instant::now());
        self.observer.waits(Wait::now(stage, address.to_string(), limit));
    }

    fn files_are_bad(&self) -> bool {
        let roots = match &self.trust.roots {
            Roots::Missing { .. } | Roots::Unreadable { .. } | Roots::Invalid { .. } => true,
            Roots::None | Roots::Loaded(_) => false,
        };
        roots || matches!(self.trust.client, ClientIdentity::Failed(_))
    }
}
