//! One second look: a connection of its own that asks one question and carries no credential.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, timeout_at};

use super::hello::client_hello;
use super::negotiate::{GSS_REQUEST, SSL_REQUEST, ended};
use super::tcp::os_failure;
use super::wiretap::{ServerFlight, is_record, read_flight};
use crate::certificate::Certificate;
use crate::evidence::{Answer, Closure, HelloOffer, Look, Question};

/// So much of an answer is read: a long chain has some ten thousand bytes.
const LONGEST_ANSWER: usize = 64 * 1024;
/// So much of one that is no TLS is kept.
const FIRST_BYTES: usize = 64;
/// So much of a refusal in words.
const LONGEST_REFUSAL: usize = 512;

/// A start-up packet of protocol 9999.0: its length, the version, and nothing of a user.
const UNKNOWN_PROTOCOL: [u8; 8] = [0, 0, 0, 8, 0x27, 0x0F, 0, 0];

/// Asks `question` of `address`, with an answer within `limit`. `since` is the start of the target's check.
pub async fn look(address: SocketAddr, mut question: Question, since: Instant, limit: Duration) -> Look {
    let begin = Instant::now();
    let deadline = begin.checked_add(limit).unwrap_or(begin);
    if let Question::Hello(offer) = &mut question {
        offer.size = client_hello(offer).len();
    }
    let answer = match timeout_at(deadline, ask(address, &question, deadline)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => match ended(&error) {
            Some(closure) => Answer::Ended(closure),
            None if error.kind() == io::ErrorKind::TimedOut => Answer::TimedOut,
            None => Answer::Failed(os_failure(&error)),
        },
        Err(_) => Answer::TimedOut,
    };
    let start = begin.saturating_duration_since(since);
    Look { address, question, start, took: begin.elapsed(), answer }
}

async fn ask(address: SocketAddr, question: &Question, deadline: Instant) -> io::Result<Answer> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_nodelay(true)?;
    let mut stream = socket.connect(address).await?;
    let answer = match question {
        Question::Connect => Answer::Connected,
        Question::SslRequest => byte(&mut stream, &SSL_REQUEST).await?,
        Question::GssRequest => byte(&mut stream, &GSS_REQUEST).await?,
        Question::UnknownProtocol => refusal(&mut stream).await?,
        Question::Hello(offer) if offer.direct => hello(&mut stream, offer, deadline).await?,
        Question::Hello(offer) => match byte(&mut stream, &SSL_REQUEST).await? {
            Answer::Byte(b'S') => hello(&mut stream, offer, deadline).await?,
            other => other,
        },
    };
    // Nothing more comes; a peer that is gone is no matter.
    let _ = stream.shutdown().await;
    Ok(answer)
}

async fn byte(stream: &mut TcpStream, request: &[u8]) -> io::Result<Answer> {
    stream.write_all(request).await?;
    let mut answer = [0; 1];
    if stream.read(&mut answer).await? == 0 {
        return Ok(Answer::Ended(Closure::Closed));
    }
    // More than the byte, without having been asked: another protocol's greeting (SSH's begins with S).
    let mut more = [0; FIRST_BYTES];
    match stream.try_read(&mut more) {
        Ok(count @ 1..) => Ok(Answer::Other(answer.into_iter().chain(more).take(1 + count).collect())),
        _ => Ok(Answer::Byte(u8::from_be_bytes(answer))),
    }
}

/// The words in which a start-up packet is refused, as they came before the connection's end.
async fn refusal(stream: &mut TcpStream) -> io::Result<Answer> {
    stream.write_all(&UNKNOWN_PROTOCOL).await?;
    let mut words = vec![0; LONGEST_REFUSAL];
    let mut count = 0;
    while let Some(rest) = words.get_mut(count..).filter(|rest| !rest.is_empty()) {
        match stream.read(rest).await {
            Ok(0) => break,
            Ok(more) => count += more,
            Err(_) if count > 0 => break,
            Err(error) => return Err(error),
        }
    }
    words.truncate(count);
    Ok(if words.is_empty() { Answer::Ended(Closure::Closed) } else { Answer::Other(words) })
}

async fn hello(stream: &mut TcpStream, offer: &HelloOffer, deadline: Instant) -> io::Result<Answer> {
    stream.write_all(&client_hello(offer)).await?;
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let count = match timeout_at(deadline, stream.read(&mut buffer)).await {
            Ok(Ok(count)) => count,
            // What came before the end counts: a part of an answer is neither an answer nor none.
            Ok(Err(_)) | Err(_) if !bytes.is_empty() => 0,
            Ok(Err(error)) => return Err(error),
            Err(_) => return Ok(Answer::TimedOut),
        };
        bytes.extend(buffer.iter().take(count));
        let flight = read_flight(&bytes);
        let enough = flight.complete || flight.retry || flight.alert.is_some() || !is_record(&bytes);
        if enough || count == 0 || bytes.len() > LONGEST_ANSWER {
            return Ok(answer(flight, &bytes));
        }
    }
}

fn answer(flight: ServerFlight, bytes: &[u8]) -> Answer {
    if let (Some(version), Some(suite)) = (flight.version, flight.suite) {
        let leaf = flight.leaf.as_deref().map(Certificate::from_der);
        return Answer::ServerHello { version, suite, group: flight.group, retry: flight.retry, leaf };
    }
    match flight.alert {
        Some(alert) => Answer::Alert(alert),
        None if bytes.is_empty() => Answer::Ended(Closure::Closed),
        None => Answer::Other(bytes.iter().copied().take(FIRST_BYTES).collect()),
    }
}
