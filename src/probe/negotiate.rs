//! SSLRequest and what answers it. Nothing else is sent until the answer is there: PostgreSQL 16 and before would take a
//! ClientHello that comes with it for part of the request (protocol-flow.sgml, SSL Session Encryption).

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::in_flight::in_flight;
use super::tcp::os_failure;
use super::wiretap::Tap;
use crate::evidence::{Closure, InFlight, NegotiateResult};

/// Length 8 and the code 1234,5679 (`NEGOTIATE_SSL_CODE` in pqcomm.h).
pub(super) const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xD2, 0x16, 0x2F];

/// Length 8 and the code 1234,5680 (`NEGOTIATE_GSS_CODE` in pqcomm.h).
pub(super) const GSS_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xD2, 0x16, 0x30];

/// So much of an error is read.
const LONGEST_ERROR: usize = 1024;
/// So much of a foreign protocol's greeting is read.
const LONGEST_GREETING: usize = 256;
/// A greeting or error whose first byte is there has so long for the rest.
const PATIENCE: Duration = Duration::from_millis(300);

/// Asks for TLS.
pub(super) async fn negotiate(tap: &mut Tap<TcpStream>, deadline: Instant) -> NegotiateResult {
    let asking = async {
        tap.write_all(&SSL_REQUEST).await?;
        let mut answer = [0; 1];
        // One byte and no more, so that a read that does not wait finds what else is there already.
        let count = tap.read(&mut answer).await?;
        Ok(answer.first().copied().filter(|_| count == 1))
    };
    match timeout_at(deadline, asking).await {
        Err(_) => NegotiateResult::TimedOut(on_the_way(tap)),
        Ok(Err(error)) => ended(&error).map_or_else(
            || match silence(&error) {
                true => NegotiateResult::TimedOut(on_the_way(tap)),
                false => NegotiateResult::Failed(os_failure(&error)),
            },
            NegotiateResult::Ended,
        ),
        Ok(Ok(None)) => NegotiateResult::Ended(Closure::Closed),
        Ok(Ok(Some(b'S'))) => accepted(tap),
        Ok(Ok(Some(b'N'))) => NegotiateResult::Refused,
        Ok(Ok(Some(b'E'))) => NegotiateResult::Error(rest(tap, b'E', LONGEST_ERROR, deadline).await),
        Ok(Ok(Some(byte))) => NegotiateResult::Foreign(rest(tap, byte, LONGEST_GREETING, deadline).await),
    }
}

/// After `S` the server waits for the ClientHello: whatever is there already is not its own.
fn accepted(tap: &Tap<TcpStream>) -> NegotiateResult {
    let mut bytes = [0; LONGEST_GREETING];
    match tap.with_stream(|stream| stream.try_read(&mut bytes)) {
        // An end that is there already is the handshake's to find, as it would be a moment later.
        Ok(0) => NegotiateResult::Accepted,
        Ok(count) => NegotiateResult::Injected(bytes.get(..count).unwrap_or_default().to_vec()),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => NegotiateResult::Accepted,
        Err(error) => ended(&error)
            .map_or_else(|| NegotiateResult::Failed(os_failure(&error)), |_| NegotiateResult::Accepted),
    }
}

/// The message that begins with `first`: to its end where it tells its length (servers before PostgreSQL 7.4 send text
/// without one), to the end of the connection, or to the limit.
async fn rest(tap: &mut Tap<TcpStream>, first: u8, limit: usize, deadline: Instant) -> Vec<u8> {
    let mut bytes = vec![first];
    let deadline = deadline.min(Instant::now() + PATIENCE);
    let mut buffer = [0; LONGEST_ERROR];
    while bytes.len() < limit && !is_whole_error(&bytes) {
        match timeout_at(deadline, tap.read(&mut buffer)).await {
            Ok(Ok(count @ 1..)) => bytes.extend(buffer.iter().take(count)),
            Ok(Ok(0) | Err(_)) | Err(_) => break,
        }
    }
    bytes.truncate(limit);
    bytes
}

fn is_whole_error(bytes: &[u8]) -> bool {
    let [b'E', a, b, c, d, ..] = bytes else { return false };
    let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
    (5..LONGEST_ERROR).contains(&length) && bytes.len() > length
}

/// How an error says that the peer ended the connection, if it does.
pub(super) fn ended(error: &io::Error) -> Option<Closure> {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Some(Closure::Closed),
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe => {
            Some(Closure::Reset)
        }
        _ => None,
    }
}

/// Whether an error is the system's own time-out (TCP_USER_TIMEOUT, keepalives).
pub(super) fn silence(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::TimedOut
}

/// What the system knows of the packets on their way.
pub(super) fn on_the_way(tap: &Tap<TcpStream>) -> Option<InFlight> {
    tap.with_stream(|stream| in_flight(stream.local_addr().ok()?, stream.peer_addr().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::testing::{run, serve};

    /// What a server's answer, sent after SSLRequest came, is taken for.
    fn answered(answer: &'static [u8], keep_open: bool) -> NegotiateResult {
        run(async move {
            let address = serve(move |mut stream| async move {
                let mut request = [0; 8];
                stream.read_exact(&mut request).await.unwrap();
                assert_eq!(request, SSL_REQUEST);
                stream.write_all(answer).await.unwrap();
                if keep_open {
                    let _ = stream.read(&mut request).await;
                }
            })
            .await;
            let mut tap = Tap::new(TcpStream::connect(address).await.unwrap());
            negotiate(&mut tap, Instant::now() + Duration::from_secs(5)).await
        })
    }

    #[test]
    fn yes_no_and_silence() {
        assert_eq!(answered(b"S", true), NegotiateResult::Accepted);
        // However soon the end comes behind it.
        for _ in 0..20 {
            assert_eq!(answered(b"S", false), NegotiateResult::Accepted);
        }
        assert_eq!(answered(b"N", true), NegotiateResult::Refused);
        assert_eq!(answered(b"", false), NegotiateResult::Ended(Closure::Closed));
    }

    #[test]
    fn a_silent_server_is_given_up_at_the_deadline() {
        run(async {
            let address = serve(|mut stream| async move {
                let _ = stream.read_to_end(&mut Vec::new()).await;
            })
            .await;
            let mut tap = Tap::new(TcpStream::connect(address).await.unwrap());
            let result = negotiate(&mut tap, Instant::now() + Duration::from_millis(50)).await;
            let NegotiateResult::TimedOut(in_flight) = result else { panic!("{result:?}") };
            if cfg!(target_os = "linux") {
                assert_eq!(in_flight, Some(InFlight { unacknowledged: 0, retransmits: 0 }));
            }
        });
    }

    #[test]
    fn a_reset_is_no_close() {
        run(async {
            let address = serve(|mut stream| async move {
                stream.read_exact(&mut [0; 8]).await.unwrap();
                socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
            })
            .await;
            let mut tap = Tap::new(TcpStream::connect(address).await.unwrap());
            let result = negotiate(&mut tap, Instant::now() + Duration::from_secs(5)).await;
            assert_eq!(result, NegotiateResult::Ended(Closure::Reset));
        });
    }

    #[test]
    fn bytes_behind_the_yes_are_told() {
        assert_eq!(answered(b"SSH-2.0-x\r\n", true), NegotiateResult::Injected(b"SH-2.0-x\r\n".to_vec()));
    }

    #[test]
    fn errors_are_read_to_their_end_and_greetings_as_far_as_they_come() {
        let error = b"E\0\0\0\x0eSFATAL\0\0more";
        assert_eq!(answered(error, true), NegotiateResult::Error(error.to_vec()));
        let old = b"EFATAL 1: no\n\0";
        assert_eq!(answered(old, false), NegotiateResult::Error(old.to_vec()));
        assert_eq!(answered(&[b'E'; 3000], true), NegotiateResult::Error(vec![b'E'; LONGEST_ERROR]));
        let http = b"HTTP/1.1 400 Bad Request\r\n";
        assert_eq!(answered(http, false), NegotiateResult::Foreign(http.to_vec()));
        assert_eq!(answered(&[b'x'; 3000], true), NegotiateResult::Foreign(vec![b'x'; LONGEST_GREETING]));
    }
}
