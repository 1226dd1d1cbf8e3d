//! The messages of PostgreSQL's protocol 3 that a server sends, and the limits of those it reads (manual, chapter
//! "Frontend/Backend Protocol").

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

/// SSLRequest's code.
pub(super) const SSL_REQUEST: u32 = 80_877_103;
/// GSSENCRequest's code.
pub(super) const GSS_REQUEST: u32 = 80_877_104;
/// Longest message taken from a client; PostgreSQL takes start-up packets of 10,000 bytes.
const LONGEST: usize = 65_536;

/// An error that a server reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// `FATAL` or `ERROR`.
    pub(super) severity: &'static str,
    /// Five letters.
    pub(super) sqlstate: &'static str,
    /// In words.
    pub(super) message: String,
    /// The function that reports it, if that is sent.
    pub(super) routine: Option<&'static str>,
}

impl Refusal {
    /// One that ends the connection.
    pub(super) fn fatal(sqlstate: &'static str, message: impl Into<String>) -> Self {
        Self { severity: "FATAL", sqlstate, message: message.into(), routine: None }
    }

    /// The same with the name of the function that reports it.
    pub(super) fn raised_in(self, routine: &'static str) -> Self {
        Self { routine: Some(routine), ..self }
    }

    /// ErrorResponse.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut body = Vec::new();
        let (severity, sqlstate) = (self.severity, self.sqlstate);
        for (kind, text) in [(b'S', severity), (b'V', severity), (b'C', sqlstate), (b'M', &self.message)] {
            body.push(kind);
            body.extend(zero_ended(text));
        }
        if let Some(routine) = self.routine {
            body.push(b'R');
            body.extend(zero_ended(routine));
        }
        body.push(0);
        message(b'E', &body)
    }
}

/// A message: type, length, body.
pub(super) fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap_or(u32::MAX).to_be_bytes();
    std::iter::once(&kind).chain(&length).chain(body).copied().collect()
}

/// An authentication request or its answer: a code and what belongs to it.
pub(super) fn authentication(code: u32, rest: &[u8]) -> Vec<u8> {
    message(b'R', &[&code.to_be_bytes(), rest].concat())
}

/// ParameterStatus.
pub(super) fn parameter(name: &str, value: &str) -> Vec<u8> {
    message(b'S', &[zero_ended(name), zero_ended(value)].concat())
}

/// ReadyForQuery, outside a transaction.
pub(super) fn ready() -> Vec<u8> {
    message(b'Z', b"I")
}

/// The result of a query with one column and one row: RowDescription, DataRow, CommandComplete.
pub(super) fn one_value(column: &str, kind: u32, size: u16, value: &str) -> Vec<u8> {
    let mut description = 1u16.to_be_bytes().to_vec();
    description.extend(zero_ended(column));
    description.extend([0; 6]);
    description.extend(kind.to_be_bytes());
    description.extend(size.to_be_bytes());
    description.extend(u32::MAX.to_be_bytes());
    description.extend([0; 2]);
    let mut row = 1u16.to_be_bytes().to_vec();
    row.extend(u32::try_from(value.len()).unwrap_or(0).to_be_bytes());
    row.extend(value.as_bytes());
    [message(b'T', &description), message(b'D', &row), message(b'C', b"SELECT 1\0")].concat()
}

/// Text with a zero byte after it.
pub(super) fn zero_ended(text: &str) -> Vec<u8> {
    text.bytes().chain([0]).collect()
}

/// Reads a message: its type and body.
pub(super) async fn read(from: &mut (impl AsyncRead + Unpin)) -> io::Result<(u8, Vec<u8>)> {
    let kind = from.read_u8().await?;
    Ok((kind, read_body(from).await?))
}

/// Reads a length, which counts itself, and what follows.
pub(super) async fn read_body(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let first = from.read_u8().await?;
    read_body_after(first, from).await
}

/// As [`read_body`], the first byte of the length having been read.
pub(super) async fn read_body_after(first: u8, from: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let mut rest = [0; 3];
    from.read_exact(&mut rest).await?;
    let [a, b, c] = rest;
    let length = usize::try_from(u32::from_be_bytes([first, a, b, c])).unwrap_or(usize::MAX);
    let length = length
        .checked_sub(4)
        .filter(|length| *length <= LONGEST)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "a message of a bad length"))?;
    let mut body = vec![0; length];
    from.read_exact(&mut body).await?;
    Ok(body)
}
