//! One address: TCP, SSLRequest, handshake, session, with one deadline over all of it.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio::time::Instant;

use super::clock::Clock;
use super::observer::{Awaited, Observer, Wait};
use super::wiretap::Tap;
use super::{negotiate, plaintext, session, tcp, tls};
use crate::conninfo::{Host, SslMode, SslNegotiation, TargetSessionAttrs};
use crate::evidence::{
    Attempt, Closure, NegotiateResult, PlaintextAnswer, Resolution, SessionRecord, Step, TcpResult,
    TlsFailure,
};
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
    /// Whether libpq could go on from here to another address or host.
    pub followed: bool,
}

impl Context<'_> {
    /// Goes as far as it gets.
    pub(super) async fn run(&self, address: Address) -> Attempt {
        let mut attempt = Attempt {
            address: Some(address.socket.ip()),
            dns: address.dns,
            canonical_name: address.canonical_name,
            ..Attempt::begun(self.index, self.plan.address_limit())
        };
        // --tls-only sends no user name; allow's question in plaintext would.
        let ask_in_plaintext = self.plan.settings.sslmode == SslMode::Allow && !self.plan.scope.tls_only;
        if ask_in_plaintext && self.in_plaintext(address.socket, &mut attempt).await {
            return attempt;
        }
        if let Some(tap) = self.connect(address.socket, &mut attempt).await {
            self.secure(tap, address.socket, &mut attempt).await;
        }
        if attempt.without_tls.is_none() && self.may_do_without_tls() && failed_in_tls(&attempt) {
            self.without_tls(address.socket, &mut attempt).await;
        }
        attempt
    }

    /// Whether libpq goes on without TLS where there is none. What comes of that matters only where something follows: by
    /// itself it is no success.
    fn may_do_without_tls(&self) -> bool {
        self.plan.settings.sslmode == SslMode::Prefer && self.followed && !self.plan.scope.tls_only
    }

    /// Begins a session without TLS and ends it again: what it comes to, and its record. No credential leaves: a request
    /// for one is the end.
    async fn unencrypted(&self, tap: Tap<TcpStream>) -> (PlaintextAnswer, Step<SessionRecord>) {
        let stream = Box::new(tap);
        let session =
            session::session(self.plan, self.host, None, self.wanted, stream, self.clock, self.deadline);
        let session = session.await;
        (plaintext::answer(&session.result), session)
    }

    /// Asks without TLS, on a connection of its own.
    async fn without_tls(&self, address: SocketAddr, attempt: &mut Attempt) {
        let start = self.clock.elapsed();
        let stream = tcp::connect(address, &self.plan.settings.keepalives, self.deadline).await;
        let answer = match stream {
            Ok((stream, _)) => self.unencrypted(Tap::new(stream)).await.0,
            Err(TcpResult::TimedOut) => PlaintextAnswer::TimedOut,
            Err(_) => PlaintextAnswer::Failed,
        };
        attempt.without_tls = Some(self.clock.step(start, answer));
    }

    async fn connect(&self, address: SocketAddr, attempt: &mut Attempt) -> Option<Tap<TcpStream>> {
        self.waits(Stage::Tcp, address);
        let start = self.clock.elapsed();
        let (result, stream) = match tcp::connect(address, &self.plan.settings.keepalives, self.deadline)
            .await
        {
            Ok((stream, local)) => (TcpResult::Connected { local: Some(local) }, Some(stream)),
            // This peer took the connection and then reset it; a refusal is another error. Whether the system tells it
            // now or in place of the first answer is a race.
            Err(TcpResult::Failed(failure)) if failure.kind == ErrorKind::ConnectionReset && self.asks() => {
                attempt.negotiate = Some(self.clock.step(start, NegotiateResult::Ended(Closure::Reset)));
                (TcpResult::Connected { local: None }, None)
            }
            Err(failure) => (failure, None),
        };
        attempt.tcp = Some(self.clock.step(start, result));
        stream.map(Tap::new)
    }

    /// Whether SSLRequest comes before TLS.
    fn asks(&self) -> bool {
        self.plan.settings.negotiation == SslNegotiation::Postgres
    }

    /// sslmode=allow asks without TLS first; says whether that is the end.
    async fn in_plaintext(&self, address: SocketAddr, attempt: &mut Attempt) -> bool {
        let Some(tap) = self.connect(address, attempt).await else { return true };
        self.waits(Stage::Negotiate, address);
        let start = self.clock.elapsed();
        let (answer, session) = self.unencrypted(tap).await;
        let admitted = answer.goes_on();
        // These are final, and TLS is not even tried.
        let ended = match &answer {
            PlaintextAnswer::Refused(message) => message.cannot_connect_now(),
            PlaintextAnswer::Ended(_) | PlaintextAnswer::Failed => true,
            _ => false,
        };
        attempt.session = ended.then_some(session);
        attempt.plaintext = Some(self.clock.step(start, answer));
        let silent = !admitted && Instant::now() >= self.deadline;
        if silent {
            attempt.negotiate = Some(self.clock.step(start, NegotiateResult::TimedOut(None)));
        }
        admitted || silent || ended
    }

    /// What happens on a connection: TLS, and the session in it.
    async fn secure(&self, mut tap: Tap<TcpStream>, address: SocketAddr, attempt: &mut Attempt) {
        if self.asks() {
            self.waits(Stage::Negotiate, address);
            let start = self.clock.elapsed();
            let result = negotiate::negotiate(&mut tap, self.deadline).await;
            let refused = result == NegotiateResult::Refused;
            let accepted = result == NegotiateResult::Accepted;
            attempt.negotiate = Some(self.clock.step(start, result));
            if refused && self.may_do_without_tls() {
                let start = self.clock.elapsed();
                let (answer, _) = self.unencrypted(tap).await;
                attempt.without_tls = Some(self.clock.step(start, answer));
                return;
            }
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
        let wire = tap.clone();
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
            Some(&tls.result),
            self.wanted,
            stream,
            self.clock,
            self.deadline,
        );
        let mut session = session.await;
        session.result.part_of_record = wire.part_of_record();
        attempt.session = Some(session);
    }

    /// Tells what is waited for.
    fn waits(&self, stage: Stage, address: SocketAddr) {
        let limit = self.deadline.saturating_duration_since(Instant::now());
        self.observer.waits(Wait::now(stage, Awaited::Server(address), limit));
    }

    fn files_are_bad(&self) -> bool {
        let roots = match &self.trust.roots {
            Roots::Missing { .. } | Roots::Unreadable { .. } | Roots::Invalid { .. } => true,
            Roots::None | Roots::Loaded(_) => false,
        };
        roots || matches!(self.trust.client, ClientIdentity::Failed(..))
    }
}

/// Whether TLS was agreed on and did not lead to a session, for a reason that libpq passes over under prefer
/// (`ENCRYPTION_NEGOTIATION_FAILED`, `CONNECTION_FAILED`): whatever fails in the handshake, the client's own files among
/// it, and an error that answers the start-up message. Silence is none.
fn failed_in_tls(attempt: &Attempt) -> bool {
    if attempt.negotiate.as_ref().is_none_or(|step| step.result != NegotiateResult::Accepted) {
        return false;
    }
    match attempt.tls.as_ref().map(|step| &step.result.failure) {
        None => true,
        Some(Some(failure)) => !matches!(failure, TlsFailure::TimedOut(_)),
        Some(None) => {
            let refusal = attempt.session.as_ref().and_then(|step| step.result.refusal());
            refusal.is_some_and(|message| !message.cannot_connect_now())
        }
    }
}
