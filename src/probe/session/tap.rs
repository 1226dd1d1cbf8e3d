//! The stream that tokio-postgres is given: a session that stands. The start-up message goes out as libpq would send it,
//! in place of tokio-postgres' own, and what the server says to it goes to the [`Dialogue`], which answers; tokio-postgres
//! hears of AuthenticationOk, of ReadyForQuery and of what comes then.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, TlsStream};

use super::dialogue::Dialogue;
use crate::evidence::{SessionFailure, SessionRecord};
use crate::probe::tls::SecureStream;
use crate::probe::wiretap;

/// A session's stream; clones share it.
#[derive(Clone)]
pub(super) struct Tap(Arc<Mutex<Shared>>);

struct Shared {
    stream: SecureStream,
    dialogue: Dialogue,
    /// The start-up message, until something is written.
    startup: Option<Vec<u8>>,
    /// What is to go out, and how much of it has.
    out: Vec<u8>,
    written: usize,
    /// How much of the dialogue's session was handed over.
    taken: usize,
}

impl Tap {
    pub(super) fn new(stream: SecureStream, startup: Vec<u8>, dialogue: Dialogue) -> Self {
        let startup = Some(startup);
        Self(Arc::new(Mutex::new(Shared {
            stream,
            dialogue,
            startup,
            out: Vec::new(),
            written: 0,
            taken: 0,
        })))
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why the client ended the session, or the server's error.
    pub(super) fn failure(&self) -> Option<SessionFailure> {
        self.shared().dialogue.failure().cloned()
    }

    /// The parameters the server reported.
    pub(super) fn parameters(&self) -> Vec<(String, String)> {
        self.shared().dialogue.parameters().to_vec()
    }

    /// What was observed, and what came of it.
    pub(super) fn record(&self, failure: Option<SessionFailure>) -> SessionRecord {
        SessionRecord { failure, ..self.shared().dialogue.record().clone() }
    }

    /// Ends the connection politely; gives the error that ended it.
    pub(super) async fn end(mut self) -> Option<io::Error> {
        wiretap::end(&mut Underlying(&mut self)).await
    }
}

impl Shared {
    /// Sends all that is to go out.
    fn poll_out(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.out.append(&mut self.dialogue.answers);
        if self.out.is_empty() {
            return Poll::Ready(Ok(()));
        }
        while let Some(rest) = self.out.get(self.written..).filter(|rest| !rest.is_empty()) {
            match ready!(Pin::new(&mut self.stream).poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => self.written += count,
            }
        }
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        self.out.clear();
        self.written = 0;
        Poll::Ready(Ok(()))
    }
}

impl TlsStream for Tap {
    /// tokio-postgres has nothing to bind: the dialogue answers for it.
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl AsyncRead for Tap {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut shared = self.shared();
        let shared = &mut *shared;
        loop {
            let waiting = shared.dialogue.session.get(shared.taken..).unwrap_or_default();
            if !waiting.is_empty() {
                let part = waiting.get(..buffer.remaining()).unwrap_or(waiting);
                buffer.put_slice(part);
                shared.taken += part.len();
                return Poll::Ready(Ok(()));
            }
            shared.dialogue.session.clear();
            shared.taken = 0;
            if shared.dialogue.failure().is_some() {
                return Poll::Ready(Err(io::Error::other("the session is over")));
            }
            if shared.dialogue.work() {
                // Others, the deadline among them, get their turn before more of it is done.
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            ready!(shared.poll_out(cx))?;
            // As large as a record of TLS.
            let mut bytes = [0; 16_384];
            let mut read = ReadBuf::new(&mut bytes);
            ready!(Pin::new(&mut shared.stream).poll_read(cx, &mut read))?;
            if read.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            shared.dialogue.take(read.filled());
        }
    }
}

impl AsyncWrite for Tap {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut shared = self.shared();
        let shared = &mut *shared;
        if let Some(startup) = shared.startup.take() {
            shared.out = startup;
            // All of what it replaces has gone out, as far as tokio-postgres is concerned.
            return Poll::Ready(Ok(bytes.len()));
        }
        ready!(shared.poll_out(cx))?;
        Pin::new(&mut shared.stream).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut shared = self.shared();
        ready!(shared.poll_out(cx))?;
        Pin::new(&mut shared.stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut shared = self.shared();
        ready!(shared.poll_out(cx))?;
        Pin::new(&mut shared.stream).poll_shutdown(cx)
    }
}

/// The stream below, for the ending.
struct Underlying<'a>(&'a mut Tap);

impl AsyncRead for Underlying<'_> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0.shared().stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Underlying<'_> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0.shared().stream).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0.shared().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0.shared().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;
    use crate::probe::session::dialogue::Credentials;
    use crate::probe::session::policy::Policy;
    use crate::probe::testing::{host_named, run, settings};

    fn tap(stream: SecureStream, startup: &[u8]) -> Tap {
        let settings = settings();
        let host = host_named("db.example");
        let policy = Policy::new(&settings, &host, None, &Default::default());
        let credentials = Credentials::new(&settings, &host, None);
        Tap::new(stream, startup.to_vec(), Dialogue::new(policy, credentials, 0x0003_0000))
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
    fn what_the_dialogue_hands_over_is_read_up_to_its_failure() {
        run(async {
            let (near, mut far) = tokio::io::duplex(1 << 20);
            let ok = b"R\0\0\0\x08\0\0\0\0";
            let ready = [&ok[..], b"Z\0\0\0\x05I"].concat();
            // What comes with it in one read is nobody's.
            far.write_all(&[&ready[..], b"D\0\0\0\x04"].concat()).await.unwrap();
            let mut tap = tap(Box::new(near), b"");
            let mut got = vec![0; ready.len()];
            tap.read_exact(&mut got).await.unwrap();
            assert_eq!(got, ready);
            far.write_all(b"D\0\0\0\x04S\0\0\0\x07\0\0x").await.unwrap();
            let mut got = Vec::new();
            assert!(tap.read_to_end(&mut got).await.is_err());
            assert_eq!(got, b"D\0\0\0\x04");
            assert!(matches!(tap.failure(), Some(SessionFailure::Protocol(_))));
        });
    }
}
