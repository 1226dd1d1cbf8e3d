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
use attributes::Attributes;
use dialogue::{Credentials, Dialogue};
use messages::startup_message;
pub(super) use messages::{PROTOCOL_3_0, error_message, startup_packet};
use policy::Policy;
use tap::Tap;

/// The query for the backend's own view is no part of what psql needs; it does not get long.
const QUERY_PATIENCE: Duration = Duration::from_secs(2);
/// The end of a connection comes with the error that announces it.
const END_PATIENCE: Duration = Duration::from_millis(100);
const FAREWELL_PATIENCE: Duration = Duration::from_millis(500);

/// Starts a session and ends it again. Without TLS no credential is sent, whatever the server asks for.
pub(super) async fn session(
    plan: &Plan,
    host: &Host,
    tls: Option<&TlsRecord>,
    wanted: TargetSessionAttrs,
    stream: SecureStream,
    clock: Clock,
    deadline: Instant,
) -> Step<SessionRecord> {
    let start = clock.elapsed();
    let settings = &plan.settings;
    let (policy, credentials) = match tls {
        Some(tls) => (
            Policy::new(settings, host, tls.chain.first(), &tls.client_certificate),
            Credentials::new(settings, host, tls.chain.first()),
        ),
        None => (Policy::without_credentials(settings, host), Credentials::none()),
    };
    let dialogue = Dialogue::new(policy, credentials, messages::protocol(settings));
    let tap = Tap::new(stream, startup_message(settings), dialogue);
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
            let mut attributes = Attributes::reported(&tap.parameters());
            let mut failure = tap.failure();
            if let Some(question) = attributes.question(wanted).filter(|_| failure.is_none()) {
                let answer = timeout_at(deadline, ask(&client, &mut connection, question.text())).await;
                let answer = answer.unwrap_or(Err(SessionFailure::TimedOut));
                failure = answer.and_then(|rows| attributes.learn(question, &rows)).err();
                // Whatever else the server says is no answer.
                if tap.failure().is_some() || matches!(failure, Some(SessionFailure::Protocol(_))) {
                    failure = Some(attributes.unmet());
                }
            }
            let failure = failure.or_else(|| attributes.refused_by(wanted));
            let mut record = tap.record(failure);
            // The question is no part of what psql needs.
            if tls.is_some() && record.failure.is_none() {
                let patience = deadline.min(Instant::now() + QUERY_PATIENCE);
                let answer = timeout_at(patience, ask(&client, &mut connection, attributes::OWN_SSL)).await;
                record.backend_ssl =
                    answer.ok().and_then(Result::ok).and_then(|rows| attributes::truth(&rows));
            }
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

/// Asks one question by the simple protocol: the rows, none where the server answers with an error. A connection that ends
/// with the error is what libpq sees, and no answer (PQconnectPoll reads once more before it looks).
async fn ask(
    client: &Client,
    connection: &mut Connection<Empty, Tap>,
    question: &str,
) -> Result<Vec<SimpleQueryMessage>, SessionFailure> {
    let mut connection = pin!(connection);
    let ended = |end: Result<(), tokio_postgres::Error>| {
        end.err().map_or(SessionFailure::Ended(Closure::Closed), |error| failure(&error))
    };
    let mut asking = pin!(client.simple_query(question));
    // The client only hands the question to the connection, which has to be driven beside it.
    let answer = poll_fn(|cx| {
        let mut answer = asking.as_mut().poll(cx);
        if answer.is_pending() {
            let end = connection.as_mut().poll(cx);
            answer = asking.as_mut().poll(cx);
            if let (Poll::Pending, Poll::Ready(end)) = (&answer, end) {
                return Poll::Ready(Err(ended(end)));
            }
        }
        answer.map(|answer| match answer {
            Ok(rows) => Ok(Some(rows)),
            Err(error) if error.as_db_error().is_some() => Ok(None),
            Err(error) => Err(failure(&error)),
        })
    })
    .await?;
    match answer {
        Some(rows) => Ok(rows),
        None => match timeout(END_PATIENCE, connection).await {
            Ok(end) => Err(ended(end)),
            Err(_) => Ok(Vec::new()),
        },
    }
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
