//! Start-up, authentication and session on a finished TLS stream. The [`dialogue`] up to ReadyForQuery is libpq's to the
//! letter; then tokio-postgres has the session, over a stream that leads through both: [`tap`].

mod attributes;
mod binding;
mod dialogue;
mod messages;
mod policy;
mod scram;
mod tap;

use std::error::Error as _;
use std::future::{Future, Ready, poll_fn, ready};
use std::io;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::io::Empty;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_postgres::config::{ChannelBinding as Binding, SslMode, SslNegotiation};
use tokio_postgres::tls::TlsConnect;
use tokio_postgres::{Client, Config, Connection, SimpleQueryMessage};

use super::clock::Clock;
use super::negotiate::{ended, silence};
use super::tcp::os_failure;
use super::tls::{SecureStream, alert_of, tls_error};
use super::wiretap;
use crate::conninfo::{Host, TargetSessionAttrs};
use crate::evidence::{Closure, SessionFailure, SessionRecord, Step, TlsRecord};
use crate::plan::Plan;
use dialogue::{Credentials, Dialogue};
pub(super) use messages::{PROTOCOL_3_0, error_message, startup_message, startup_packet};
use policy::Policy;
use tap::Tap;

/// The one query after the session stands is no part of what psql needs; it does not get long.
const QUERY_PATIENCE: Duration = Duration::from_secs(2);
const FAREWELL_PATIENCE: Duration = Duration::from_millis(500);

/// Starts a session and ends it again.
pub(super) async fn session(
    plan: &Plan,
    host: &Host,
    tls: &TlsRecord,
    wanted: TargetSessionAttrs,
    stream: SecureStream,
    clock: Clock,
    deadline: Instant,
) -> Step<SessionRecord> {
    let start = clock.elapsed();
    let policy = Policy::new(&plan.settings, host, tls.chain.first(), &tls.client_certificate);
    let credentials = Credentials::new(&plan.settings, host, tls.chain.first());
    let dialogue = Dialogue::new(policy, credentials, messages::protocol(&plan.settings));
    let tap = Tap::new(stream, startup_message(&plan.settings), dialogue);
    let config = config(plan);
    let starting = config.connect_raw(tokio::io::empty(), Finished(tap.clone()));
    match timeout_at(deadline, starting).await {
        Err(_) => {
            let step = clock.step(start, tap.record(Some(SessionFailure::TimedOut)));
            drop(tap);
            step
        }
        Ok(Err(error)) => {
            let failure = tap.failure().unwrap_or_else(|| failure(&error));
            let mut step = clock.step(start, tap.record(Some(failure)));
            if let Some(alert) = tap.end().await.as_ref().and_then(alert_of)
                && matches!(step.result.failure, Some(SessionFailure::Ended(_)))
            {
                step.result.failure = Some(SessionFailure::AlertReceived(alert));
            }
            step
        }
        Ok(Ok((client, mut connection))) => {
            let query = attributes::query(wanted, &tap.parameters());
            let rows = ask(&client, &mut connection, &query, deadline).await;
            let answer = attributes::Answer::read(&query, &rows, &tap.parameters());
            let mut record = tap.record(answer.refused_by(wanted));
            record.backend_ssl = answer.backend_ssl;
            let step = clock.step(start, record);
            // Without its client the connection says Terminate and close_notify.
            drop(client);
            let _ = timeout(FAREWELL_PATIENCE, connection).await;
            step
        }
    }
}

/// Ends a connection of which no session is wanted; gives the alert that came late, as TLS 1.3 answers a client
/// certificate.
pub(super) async fn end_without_session(mut stream: SecureStream) -> Option<u8> {
    wiretap::end(&mut stream).await.as_ref().and_then(alert_of)
}

/// The start-up message of tokio-postgres is replaced on its way, and it is asked for nothing.
fn config(plan: &Plan) -> Config {
    let mut config = Config::new();
    config
        .user(String::from_utf8_lossy(plan.settings.user.exposed()))
        .ssl_mode(SslMode::Require)
        .ssl_negotiation(SslNegotiation::Direct)
        .channel_binding(Binding::Disable);
    config
}

/// A handshake that is over.
struct Finished(Tap);

impl<S> TlsConnect<S> for Finished {
    type Stream = Tap;
    type Error = io::Error;
    type Future = Ready<io::Result<Tap>>;

    fn connect(self, _: S) -> Self::Future {
        ready(Ok(self.0))
    }
}

/// Asks one question by the simple protocol; no answer is no failure.
async fn ask(
    client: &Client,
    connection: &mut Connection<Empty, Tap>,
    query: &str,
    deadline: Instant,
) -> Vec<SimpleQueryMessage> {
    let mut connection = pin!(connection);
    let mut asking = pin!(client.simple_query(query));
    // The client only hands the question to the connection, which has to be driven beside it.
    let both = poll_fn(|cx| {
        if let Poll::Ready(answer) = asking.as_mut().poll(cx) {
            return Poll::Ready(answer.ok());
        }
        if connection.as_mut().poll(cx).is_ready() {
            return Poll::Ready(None);
        }
        asking.as_mut().poll(cx).map(Result::ok)
    });
    let deadline = deadline.min(Instant::now() + QUERY_PATIENCE);
    timeout_at(deadline, both).await.ok().flatten().unwrap_or_default()
}

/// What an error of tokio-postgres stands for, where the stream does not know better.
fn failure(error: &tokio_postgres::Error) -> SessionFailure {
    let source = error.source();
    if let Some(error) = source.and_then(|source| source.downcast_ref::<io::Error>()) {
        if let Some(alert) = alert_of(error) {
            return SessionFailure::AlertReceived(alert);
        }
        if let Some(error) = tls_error(error) {
            return SessionFailure::Tls(error.to_string());
        }
        if silence(error) {
            return SessionFailure::TimedOut;
        }
        if let Some(closure) = ended(error) {
            return SessionFailure::Ended(closure);
        }
        if error.raw_os_error().is_some() {
            return SessionFailure::Failed(os_failure(error));
        }
    }
    if error.is_closed() {
        return SessionFailure::Ended(Closure::Closed);
    }
    SessionFailure::Protocol(source.map_or_else(|| error.to_string(), |source| format!("{error}: {source}")))
}
