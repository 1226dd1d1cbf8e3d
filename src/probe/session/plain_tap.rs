//! The stream that tokio-postgres is given. It reads along and
//! - sends the start-up message that libpq would send in place of tokio-postgres' own,
//! - stops where libpq would refuse to answer ([`Policy`]), before any password is used,
//! - bounds what the server may say: tokio-postgres would store a message of any length,
//! - keeps from tokio-postgres what it does not expect and libpq takes (notices before authentication, keys of protocol
//!   3.2),
//! - knows the channel binding, and when what came.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;
use tokio_postgres::tls::{ChannelBinding, TlsStream};

use super::messages::{error_message, iterations, parameter};
use super::policy::{self, Policy, code};
use crate::evidence::{SessionFailure, SessionRecord};
use crate::probe::tls::SecureStream;
use crate::probe::wiretap;

/// All that the server says in a session is bounded by this; a healthy one says less than 2 KiB.
const ALLOWANCE: usize = 256 * 1024;
/// More notices than this are not kept.
const MOST_NOTICES: usize = 20;

/// A session's stream; clones share it.
#[derive(Clone)]
pub(super) struct PlainTap(Arc<Mutex<Talk>>);

struct Talk {
    stream: SecureStream,
    startup: Startup,
    /// What came and is not yet a whole message.
    incoming: Vec<u8>,
    /// Whole messages for tokio-postgres, and how much of them it has.
    outgoing: Vec<u8>,
    taken: usize,
    /// How much more the server may say.
    allowance: usize,
    binding: Option<Vec<u8>>,
    policy: Policy,
    began: Instant,
    record: SessionRecord,
    parameters: Vec<(String, String)>,
}

/// What is to go out in place of the first thing that tokio-postgres writes.
enum Startup {
    Pending { message: Vec<u8>, written: usize },
    Sent,
}

impl PlainTap {
    pub fn new(stream: SecureStream, startup: Vec<u8>, policy: Policy, binding: Option<Vec<u8>>) -> Self {
        Self(Arc::new(Mutex::new(Talk {
            stream,
            startup: Startup::Pending { message: startup, written: 0 },
            incoming: Vec::new(),
            outgoing: Vec::new(),
            taken: 0,
            allowance: ALLOWANCE,
            binding,
            policy,
            began: Instant::now(),
            record: SessionRecord::default(),
            parameters: Vec::new(),
        })))
    }

    fn talk(&self) -> MutexGuard<'_, Talk> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why the stream itself ended the session, or the server's error.
    pub fn failure(&self) -> Option<SessionFailure> {
        self.talk().record.failure.clone()
    }

    /// The parameters the server reported.
    pub fn parameters(&self) -> Vec<(String, String)> {
        self.talk().parameters.clone()
    }

    /// What was observed, and what came of it.
    pub fn record(&self, failure: Option<SessionFailure>) -> SessionRecord {
        SessionRecord { failure, ..self.talk().record.clone() }
    }

    /// Ends the connection politely; gives the error that ended it.
    pub async fn end(mut self) -> Option<io::Error> {
        // What still comes is for nobody.
        self.talk().allowance = usize::MAX;
        wiretap::end(&mut Rest(&mut self)).await
    }
}

impl Talk {
    /// Takes whole messages from what came.
    fn digest(&mut self) {
        let mut incoming = std::mem::take(&mut self.incoming);
        let mut used = 0;
        while self.record.failure.is_none() {
            let rest = incoming.get(used..).unwrap_or_default();
            let Some((header, after)) = rest.split_first_chunk::<5>() else { break };
            let [kind, length @ ..] = *header;
            let length = u32::from_be_bytes(length) as usize;
            if !(4..=ALLOWANCE).contains(&length) {
                let what = format!("a message of type {kind:#04x} that announces {length} bytes");
                self.record.failure = Some(SessionFailure::Protocol(what));
                break;
            }
            let Some(body) = after.get(..length - 4) else { break };
            if self.message(kind, body) {
                self.outgoing.extend_from_slice(header);
                self.outgoing.extend_from_slice(body);
            }
            used += length + 1;
        }
        incoming.drain(..used);
        self.incoming = incoming;
    }

    /// Notes a message; says whether tokio-postgres is to get it.
    fn message(&mut self, kind: u8, body: &[u8]) -> bool {
        let since = self.began.elapsed();
        let standing = self.record.ready.is_some();
        self.record.last_message = Some(kind);
        match kind {
            b'R' if self.record.authenticated.is_none() => {
                if let Err(failure) = self.authentication(body) {
                    self.record.failure = Some(failure);
                }
            }
            b'E' if !standing => self.record.failure = Some(SessionFailure::Server(error_message(body))),
            b'N' => {
                if !standing && self.record.notices.len() < MOST_NOTICES {
                    self.record.notices.push(error_message(body));
                }
                return false;
            }
            b'S' => {
                let Some((name, value)) = parameter(body) else { return true };
                if name == "server_version" {
                    self.record.server_version = Some(value.clone());
                }
                self.parameters.push((name, value));
                // Values that are not UTF-8 would be an error for tokio-postgres, which needs none of them.
                return false;
            }
            b'K' => return false,
            b'v' => {
                if self.policy.newer_protocol_required {
                    let what = "the server speaks no protocol newer than 3.0".to_owned();
                    self.record.failure = Some(SessionFailure::Protocol(what));
                }
                return false;
            }
            b'Z' if !standing => self.record.ready = Some(since),
            _ => {}
        }
        self.record.failure.is_none()
    }

    fn authentication(&mut self, body: &[u8]) -> Result<(), SessionFailure> {
        let short = || SessionFailure::Protocol("an authentication request without a code".to_owned());
        let (code, rest) = body.split_first_chunk::<4>().ok_or_else(short)?;
        match i32::from_be_bytes(*code) {
            code::OK => {
                self.policy.done()?;
                self.record.authenticated = Some(self.began.elapsed());
                Ok(())
            }
            code::SASL_CONTINUE => self.policy.iterate(iterations(rest)),
            code::SASL_FINAL => Ok(()),
            other => {
                let request = policy::request(other, rest);
                let answer = self.policy.answer(&request);
                self.record.requested.push(request);
                answer
            }
        }
    }

    /// Reads on until there is something to hand over.
    fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut bytes = [0; 4096];
        let mut buffer = ReadBuf::new(&mut bytes);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer))?;
        let came = buffer.filled();
        match self.allowance.checked_sub(came.len()) {
            Some(rest) => self.allowance = rest,
            None => {
                let what = "more than 256 KiB of messages".to_owned();
                self.record.failure = Some(SessionFailure::Protocol(what));
            }
        }
        self.incoming.extend_from_slice(came);
        Poll::Ready(Ok(came.len()))
    }
}

impl TlsStream for PlainTap {
    fn channel_binding(&self) -> ChannelBinding {
        match &self.talk().binding {
            Some(digest) => ChannelBinding::tls_server_end_point(digest.clone()),
            None => ChannelBinding::none(),
        }
    }
}

impl AsyncRead for PlainTap {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut talk = self.talk();
        let talk = &mut *talk;
        loop {
            let waiting = talk.outgoing.get(talk.taken..).unwrap_or_default();
            if !waiting.is_empty() {
                let part = waiting.get(..buffer.remaining()).unwrap_or(waiting);
                buffer.put_slice(part);
                talk.taken += part.len();
                return Poll::Ready(Ok(()));
            }
            talk.outgoing.clear();
            talk.taken = 0;
            if talk.record.failure.is_some() {
                return Poll::Ready(Err(io::Error::other("the session is over")));
            }
            if ready!(talk.poll_more(cx))? == 0 {
                return Poll::Ready(Ok(()));
            }
            talk.digest();
        }
    }
}

impl AsyncWrite for PlainTap {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut talk = self.talk();
        let talk = &mut *talk;
        while let Startup::Pending { message, written } = &mut talk.startup {
            let rest = message.get(*written..).unwrap_or_default();
            if rest.is_empty() {
                talk.startup = Startup::Sent;
                // All of what it replaces has gone out, as far as tokio-postgres is concerned.
                return Poll::Ready(Ok(bytes.len()));
            }
            match ready!(Pin::new(&mut talk.stream).poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => *written += count,
            }
        }
        Pin::new(&mut talk.stream).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.talk().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.talk().stream).poll_shutdown(cx)
    }
}

/// The stream below, for the ending.
struct Rest<'a>(&'a mut PlainTap);

impl AsyncRead for Rest<'_> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0.talk().stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Rest<'_> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0.talk().stream).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0.talk().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0.talk().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;
    use crate::probe::testing::{host_named, run, settings};

    fn tap(stream: SecureStream, startup: &[u8]) -> PlainTap {
        let policy = Policy::new(&settings(), &host_named("db.example"), None, &Default::default());
        PlainTap::new(stream, startup.to_vec(), policy, None)
    }

    /// What tokio-postgres gets of what a server says, and why it ends.
    fn handed_over(said: &[u8]) -> (Vec<u8>, Option<SessionFailure>) {
        run(async {
            let (near, mut far) = tokio::io::duplex(1 << 20);
            far.write_all(said).await.unwrap();
            drop(far);
            let mut tap = tap(Box::new(near), b"");
            let mut got = Vec::new();
            let _ = tap.read_to_end(&mut got).await;
            (got, tap.failure())
        })
    }

    #[test]
    fn the_first_thing_written_is_replaced() {
        run(async {
            // So small that it takes several writes.
            let (near, mut far) = tokio::io::duplex(5);
            let mut tap = tap(Box::new(near), b"the real start-up");
            let reading = tokio::spawn(async move {
                let mut got = Vec::new();
                far.read_to_end(&mut got).await.unwrap();
                got
            });
            tap.write_all(b"tokio-postgres' own").await.unwrap();
            tap.write_all(b", then the rest").await.unwrap();
            tap.shutdown().await.unwrap();
            drop(tap);
            assert_eq!(reading.await.unwrap(), b"the real start-up, then the rest");
        });
    }

    #[test]
    fn messages_are_handed_over_whole_and_some_not_at_all() {
        let ok = b"R\0\0\0\x08\0\0\0\0";
        let said = [&b"N\0\0\0\x05\0"[..], ok, b"K\0\0\0\x04", b"Z\0\0\0\x05I", b"Z\0\0"].concat();
        assert_eq!(handed_over(&said), ([&ok[..], b"Z\0\0\0\x05I"].concat(), None));
        let (got, failure) = handed_over(b"E\0\0\0\x0bMno\0\0\0\0");
        assert!(got.is_empty() && matches!(failure, Some(SessionFailure::Server(_))));
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken(
            said in proptest::collection::vec(
                (proptest::sample::select(&b"RENSKvZX"[..]), proptest::collection::vec(any::<u8>(), 0..40)), 0..8),
            rest in proptest::collection::vec(any::<u8>(), 0..20),
        ) {
            let mut bytes = Vec::new();
            for (kind, body) in said {
                bytes.push(kind);
                bytes.extend(u32::try_from(body.len() + 4).unwrap().to_be_bytes());
                bytes.extend(body);
            }
            bytes.extend(rest);
            prop_assert!(handed_over(&bytes).0.len() <= bytes.len());
        }
    }
}
