//! A session without TLS: sslmode=allow's first question, sslmode=prefer's last one (fe-connect.c). And `audit`'s last
//! question, a start-up message of nobody's.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::session::{PROTOCOL_3_0, error_message, startup_packet};
use crate::evidence::{PlaintextAnswer, SessionFailure, SessionRecord};

/// A longer error is none.
const LONGEST_ERROR: u32 = 16 * 1024;
/// What a session without TLS comes to.
pub(super) fn answer(session: &SessionRecord) -> PlaintextAnswer {
    let asked = !session.requested.is_empty();
    match &session.failure {
        None => PlaintextAnswer::Admitted,
        Some(SessionFailure::WrongSessionAttrs { .. }) => PlaintextAnswer::WrongSessionAttrs,
        Some(SessionFailure::Server(message)) if session.authenticated.is_none() => {
            PlaintextAnswer::Refused(message.clone())
        }
        Some(SessionFailure::Ended(closure)) => PlaintextAnswer::Ended(*closure),
        Some(SessionFailure::TimedOut) => PlaintextAnswer::TimedOut,
        Some(
            SessionFailure::Server(_)
            | SessionFailure::AlertReceived(_)
            | SessionFailure::Tls(_)
            | SessionFailure::ScramMismatch(_)
            | SessionFailure::Protocol(_)
            | SessionFailure::Failed(_),
        ) => PlaintextAnswer::Failed,
        // The server is content with plaintext, whether libpq is or not.
        Some(_) if asked => PlaintextAnswer::PasswordRequested,
        Some(_) => PlaintextAnswer::Admitted,
    }
}

/// Whether the server would talk to this user without TLS, asked on a connection of its own and with an answer within
/// `limit`. Everybody on the way can read it, so user and database must be nobody's. The connection is closed at the
/// first answer, which PostgreSQL does not log where it asked for a password (auth.c).
pub async fn ask_in_plaintext(
    address: SocketAddr,
    (user, database): (&str, &str),
    limit: Duration,
) -> PlaintextAnswer {
    let message =
        startup_packet(PROTOCOL_3_0, [("user", user.as_bytes()), ("database", database.as_bytes())]);
    let asking = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(&message).await?;
        let answer = first_answer(&mut stream).await?;
        // A peer that is gone is no matter.
        let _ = stream.shutdown().await;
        std::io::Result::Ok(answer)
    };
    match timeout(limit, asking).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) | Err(_) => PlaintextAnswer::Failed,
    }
}

/// What the server says to nobody.
async fn first_answer(tap: &mut (impl AsyncRead + Unpin)) -> std::io::Result<PlaintextAnswer> {
    loop {
        let kind = tap.read_u8().await?;
        let length = tap.read_u32().await?;
        if !(4..=LONGEST_ERROR).contains(&length) {
            return Ok(PlaintextAnswer::Failed);
        }
        let mut body = vec![0; length as usize - 4];
        match kind {
            // Let in, or asked for a password: both are libpq's way on. Zero is AuthenticationOk.
            b'R' => {
                tap.read_exact(&mut body).await?;
                return Ok(match body.first_chunk() {
                    Some([0, 0, 0, 0]) => PlaintextAnswer::Admitted,
                    _ => PlaintextAnswer::PasswordRequested,
                });
            }
            b'E' => {
                tap.read_exact(&mut body).await?;
                return Ok(PlaintextAnswer::Refused(error_message(&body)));
            }
            // A notice, or the negotiation of the protocol's version.
            b'N' | b'v' => {
                tap.read_exact(&mut body).await?;
            }
            _ => return Ok(PlaintextAnswer::Failed),
        }
    }
}
