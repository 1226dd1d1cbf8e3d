//! The stream that everything goes through. It counts and remembers, and mends two things that cost a diagnosis: the
//! alert of a server that closes while the client still writes, and flights torn into several packets.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::time::timeout;

use super::{ServerFlight, read_flight};
use crate::probe::verbatim_sni::Placeholder;

/// So much of what comes in is remembered while recording.
const REMEMBERED: usize = 64 * 1024;
/// A handshake may deliver so much; a long chain has some ten thousand bytes.
const HANDSHAKE_ALLOWANCE: usize = 256 * 1024;
/// A polite ending waits so long and reads so much.
const ENDING: Duration = Duration::from_millis(500);
const ENDING_ALLOWANCE: usize = 64 * 1024;

/// A stream whose bytes are recorded. Clones share the stream, so that it can be ended well when somebody else has consumed it.
#[derive(Debug)]
pub(in crate::probe) struct Tap<S>(Arc<Mutex<State<S>>>);

impl<S> Clone for Tap<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

#[derive(Debug)]
struct State<S> {
    stream: S,
    sent: usize,
    received: usize,
    /// How often receiving followed sending.
    turns: usize,
    sending: bool,
    /// What came in since the handshake began, while it lasts.
    recorded: Option<Vec<u8>>,
    /// How much more may come in, where that is bounded.
    allowance: Option<usize>,
    /// How much may come in before the handshake is asked to go on elsewhere.
    held_after: Option<usize>,
    /// The peer takes nothing more; what is written goes nowhere.
    write_closed: bool,
    /// It was a write to which the system told that the connection was reset. It tells so once: reads then find an end.
    reset: bool,
    placeholder: Option<Placeholder>,
    /// The TLS record that comes in, from the handshake on.
    record: Option<Record>,
    /// A record is whole that its reader has not had by itself.
    whole: bool,
}

/// A TLS record on its way: how much of it came, and the header.
#[derive(Debug, Default)]
struct Record {
    came: usize,
    header: [u8; 5],
}

impl Record {
    /// All of it, as far as is known: the header announces the rest.
    fn length(&self) -> usize {
        let [.., high, low] = self.header;
        let announced = if self.came < self.header.len() { 0 } else { u16::from_be_bytes([high, low]) };
        self.header.len() + usize::from(announced)
    }

    /// How much of it may be read at once: the header first.
    fn missing(&self) -> usize {
        self.length() - self.came
    }

    fn take(&mut self, mut bytes: &[u8]) {
        while let Some((first, others)) = bytes.split_first() {
            let count = match self.header.get_mut(self.came) {
                Some(place) => {
                    *place = *first;
                    1
                }
                None => bytes.len().min(self.length() - self.came),
            };
            bytes = bytes.get(count..).unwrap_or(others);
            self.came += count;
            if self.came >= self.header.len() && self.came == self.length() {
                self.came = 0;
            }
        }
    }
}

/// How much went which way since the handshake began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::probe) struct Traffic {
    pub sent: usize,
    pub received: usize,
    /// How often receiving followed sending since the connection began.
    pub turns: usize,
}

impl<S> Tap<S> {
    /// Listens to `stream` from now on.
    pub(crate) fn new(stream: S) -> Self {
        Self(Arc::new(Mutex::new(State {
            stream,
            sent: 0,
            received: 0,
            turns: 0,
            sending: false,
            recorded: None,
            allowance: None,
            held_after: None,
            write_closed: false,
            reset: false,
            placeholder: None,
            record: None,
            whole: false,
        })))
    }

    fn state(&self) -> MutexGuard<'_, State<S>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The stream itself, for what is no reading or writing.
    pub(crate) fn with_stream<R>(&self, ask: impl FnOnce(&S) -> R) -> R {
        ask(&self.state().stream)
    }

    /// The handshake begins: counts from here, remembers what comes in and bounds it. A placeholder is replaced by the
    /// name it stands for on the way out.
    pub(crate) fn begin_handshake(&self, placeholder: Option<Placeholder>) {
        let mut state = self.state();
        state.sent = 0;
        state.received = 0;
        state.recorded = Some(Vec::new());
        state.record = Some(Record::default());
        state.allowance = Some(HANDSHAKE_ALLOWANCE);
        state.placeholder = placeholder;
    }

    /// Of a TLS record of which only a part came: how many bytes of how many, the five of the header where not even that came
    /// whole.
    pub(crate) fn part_of_record(&self) -> Option<(usize, usize)> {
        let state = self.state();
        let record = state.record.as_ref().filter(|record| record.came > 0)?;
        Some((record.came, record.length()))
    }

    /// Reads nothing more, and wakes nobody, once more than `limit` has come in since the handshake began; until
    /// [`Tap::let_through`].
    pub(crate) fn hold_after(&self, limit: usize) {
        self.state().held_after = Some(limit);
    }

    /// Whether so much came that the rest is held back.
    pub(crate) fn holds_back(&self) -> bool {
        self.state().is_held()
    }

    /// Reads on, however much comes.
    pub(crate) fn let_through(&self) {
        self.state().held_after = None;
    }

    /// The handshake is over: what was in the clear of it, its first bytes, and the traffic.
    pub(crate) fn end_handshake(&self) -> (ServerFlight, Vec<u8>, Traffic) {
        let mut state = self.state();
        let bytes = state.recorded.take().unwrap_or_default();
        state.allowance = None;
        state.held_after = None;
        state.placeholder = None;
        let traffic = Traffic { sent: state.sent, received: state.received, turns: state.turns };
        (read_flight(&bytes), bytes, traffic)
    }
}

impl<S> State<S> {
    fn is_held(&self) -> bool {
        self.held_after.is_some_and(|limit| self.received > limit)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Tap<S> {
    /// Ends the connection as a well-behaved peer: says that nothing more comes and reads what is still under way. Just
    /// dropping it makes the kernel answer that with RST, and the server log an error.
    pub(crate) async fn end(mut self) {
        end(&mut self).await;
    }
}

/// [`Tap::end`] for any stream; gives the error that ended the reading.
pub(in crate::probe) async fn end<T: AsyncRead + AsyncWrite + Unpin>(stream: &mut T) -> Option<io::Error> {
    let reading = async {
        // Peers that are gone already are no matter.
        let _ = stream.shutdown().await;
        let mut buffer = [0; 1024];
        let mut read = 0;
        while read < ENDING_ALLOWANCE {
            match stream.read(&mut buffer).await {
                Ok(0) => return None,
                Ok(count) => read += count,
                Err(error) => return Some(error),
            }
        }
        None
    };
    timeout(ENDING, reading).await.ok().flatten()
}

impl<S: AsyncRead + Unpin> AsyncRead for Tap<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut state = self.state();
        if state.allowance == Some(0) {
            return Poll::Ready(Err(io::Error::other("the handshake is longer than 256 KiB")));
        }
        if state.is_held() {
            return Poll::Pending;
        }
        if std::mem::take(&mut state.whole) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        // Behind the handshake one record at a time, as OpenSSL reads.
        let limit = state.record.as_ref().filter(|_| state.recorded.is_none());
        let limit = limit.map_or(usize::MAX, Record::missing).min(buffer.remaining());
        let mut part = ReadBuf::new(buffer.initialize_unfilled_to(limit));
        ready!(Pin::new(&mut state.stream).poll_read(cx, &mut part))?;
        let count = part.filled().len();
        buffer.advance(count);
        let came = buffer.filled().get(before..).unwrap_or_default();
        if came.is_empty() {
            let is_lost = state.reset && buffer.remaining() > 0;
            return Poll::Ready(if is_lost { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(()) });
        }
        state.received += came.len();
        if std::mem::take(&mut state.sending) {
            state.turns += 1;
        }
        if let Some(recorded) = &mut state.recorded {
            let room = REMEMBERED.saturating_sub(recorded.len());
            recorded.extend(came.iter().take(room));
        }
        if let Some(record) = &mut state.record {
            record.take(came);
        }
        state.whole =
            state.recorded.is_none() && state.record.as_ref().is_some_and(|record| record.came == 0);
        state.allowance = state.allowance.map(|allowance| allowance.saturating_sub(came.len()));
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> State<S> {
    /// What came of a write of `length` bytes. A peer that closed while the client's last flight leaves in several
    /// writes may have said why: the rest is taken for sent, and the reads go on to its alert.
    fn wrote(&mut self, outcome: io::Result<usize>, length: usize) -> io::Result<usize> {
        let count = match outcome {
            Err(error)
                if matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset) =>
            {
                self.write_closed = true;
                self.reset |= error.kind() == io::ErrorKind::ConnectionReset;
                length
            }
            outcome => outcome?,
        };
        self.sent += count;
        self.sending = true;
        Ok(count)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tap<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut state = self.state();
        let state = &mut *state;
        if state.write_closed {
            return Poll::Ready(Ok(bytes.len()));
        }
        let outcome = match &state.placeholder {
            None => ready!(Pin::new(&mut state.stream).poll_write(cx, bytes)),
            Some(placeholder) => {
                ready!(Pin::new(&mut state.stream).poll_write(cx, &placeholder.restored(bytes)))
            }
        };
        Poll::Ready(state.wrote(outcome, bytes.len()))
    }

    // The default writes the first slice only, and a flight would leave in several packets.
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut state = self.state();
        let state = &mut *state;
        let length = slices.iter().map(|slice| slice.len()).sum();
        if state.write_closed {
            return Poll::Ready(Ok(length));
        }
        let outcome = match &state.placeholder {
            None => ready!(Pin::new(&mut state.stream).poll_write_vectored(cx, slices)),
            Some(placeholder) => {
                let flight = slices.iter().flat_map(|slice| slice.iter().copied()).collect::<Vec<u8>>();
                ready!(Pin::new(&mut state.stream).poll_write(cx, &placeholder.restored(&flight)))
            }
        };
        Poll::Ready(state.wrote(outcome, length))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.state().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.state().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::testing::run;

    #[test]
    fn a_part_of_a_record_is_counted_however_it_comes() {
        let bytes = [&[22, 3, 3, 0, 2, 1, 2], &[23, 3, 3, 1, 0, 9, 9][..]].concat();
        let parts =
            [1, 2, 3, 4, 5, 6, 0, 1, 2, 3, 4, 5, 6, 7].map(|came| (came, if came < 5 { 5 } else { 7 }));
        for (end, part) in parts.into_iter().enumerate() {
            let expected = match (end, part) {
                (_, (0, _)) => None,
                (11.., (came, _)) => Some((came, 261)),
                (_, part) => Some(part),
            };
            for step in [1, 3, 100] {
                let mut record = Record::default();
                bytes[..=end].chunks(step).for_each(|chunk| record.take(chunk));
                let found = (record.came > 0).then(|| (record.came, record.length()));
                assert_eq!(found, expected, "{end} {step}");
            }
        }
    }

    #[test]
    fn turns_are_counted_however_many_reads_and_writes_a_flight_takes() {
        run(async {
            let (near, mut far) = tokio::io::duplex(1024);
            let mut tap = Tap::new(near);
            for flight in 1..=3 {
                tap.write_all(b"ab").await.unwrap();
                tap.write_all(b"cd").await.unwrap();
                far.write_all(b"efgh").await.unwrap();
                let mut two = [0; 2];
                tap.read_exact(&mut two).await.unwrap();
                tap.read_exact(&mut two).await.unwrap();
                assert_eq!(tap.end_handshake().2.turns, flight);
            }
            let (_, _, traffic) = tap.end_handshake();
            assert_eq!((traffic.sent, traffic.received), (12, 12));
        });
    }

    #[test]
    fn a_handshake_is_remembered_and_bounded() {
        run(async {
            let (near, mut far) = tokio::io::duplex(1 << 20);
            let mut tap = Tap::new(near);
            far.write_all(&vec![7; 2 * HANDSHAKE_ALLOWANCE]).await.unwrap();
            tap.begin_handshake(None);
            let mut all = Vec::new();
            let error = tap.read_to_end(&mut all).await.unwrap_err();
            assert!(error.to_string().contains("256 KiB"));
            let (_, bytes, traffic) = tap.end_handshake();
            assert_eq!(bytes.len(), REMEMBERED);
            assert!(traffic.received >= HANDSHAKE_ALLOWANCE);
        });
    }

    #[test]
    fn what_a_closed_peer_does_not_take_is_no_error_and_its_last_words_are_read() {
        run(async {
            let (near, far) = tokio::io::duplex(1024);
            let mut tap = Tap::new(near);
            drop(far);
            tap.write_all(b"ab").await.unwrap();
            tap.write_all(b"cd").await.unwrap();
            let mut rest = Vec::new();
            assert_eq!(tap.read_to_end(&mut rest).await.unwrap(), 0);
        });
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_reset_that_a_write_heard_of_is_a_reset_for_the_reads() {
        run(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let near = tokio::net::TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let (far, _) = listener.accept().await.unwrap();
            socket2::SockRef::from(&far).set_linger(Some(Duration::ZERO)).unwrap();
            drop(far);
            let mut tap = Tap::new(near);
            tap.write_all(b"ab").await.unwrap();
            let error = tap.read(&mut [0; 8]).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        });
    }

    #[test]
    fn the_true_name_leaves_in_place_of_its_placeholder() {
        run(async {
            let placeholder = Placeholder::of(b"_x.").unwrap();
            let mut hello = b"hello".to_vec();
            hello.extend([0, 0, 0, 8, 0, 6, 0, 0, 3]);
            let rustls::pki_types::ServerName::DnsName(name) = placeholder.server_name() else { panic!() };
            hello.extend(name.as_ref().as_bytes());
            let (near, mut far) = tokio::io::duplex(1024);
            let mut tap = Tap::new(near);
            tap.begin_handshake(Some(placeholder));
            let split = hello.split_at(7);
            let slices = [IoSlice::new(split.0), IoSlice::new(split.1)];
            let wrote = std::future::poll_fn(|cx| Pin::new(&mut tap).poll_write_vectored(cx, &slices)).await;
            assert_eq!(wrote.unwrap(), hello.len());
            let mut got = vec![0; hello.len()];
            far.read_exact(&mut got).await.unwrap();
            assert!(got.ends_with(b"_x."), "{got:?}");
        });
    }
}
