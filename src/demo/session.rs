//! A session as PostgreSQL holds it from the start-up message on, as far as a check goes: authentication, parameters,
//! one kind of query, and a polite end (manual, "Message Flow").

use std::io;

use md5::{Digest, Md5};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::connection_log::Recorder;
use super::messages::{self, Refusal, authentication, message, one_value, parameter, ready, zero_ended};
use super::pki::random;
use super::scram::{self, Exchange, Failure};

/// The version it claims to be.
const VERSION: &str = "18.0 (pgtls-check demo)";
const BOOL: u32 = 16;
const INT4: u32 = 23;

/// How the server behaves once TLS is up.
#[derive(Clone, Debug)]
pub(super) struct Session {
    /// What the start-up message meets with.
    pub(super) on_startup: OnStartup,
    /// The method.
    pub(super) authentication: Authentication,
    /// The password it takes.
    pub(super) password: String,
    /// What ends the login when the password was accepted.
    pub(super) after_password: Option<Refusal>,
    /// What ends the session when the user is known.
    pub(super) refusal: Option<Refusal>,
    /// Parameters it reports besides the version, or in place of the usual ones.
    pub(super) parameters: Vec<(&'static str, &'static str)>,
    /// What `pg_stat_ssl` says of this session.
    pub(super) backend_ssl: bool,
}

/// What the start-up message meets with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum OnStartup {
    /// Authentication begins.
    Authenticate,
    /// An error.
    Refuse(Refusal),
    /// Nothing at all.
    Silence,
    /// The end of the connection.
    Close,
}

/// How the user proves who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Authentication {
    /// Not at all.
    Trust,
    /// By the password itself.
    ClearText,
    /// By MD5 of the password.
    Md5,
    /// By SCRAM-SHA-256; `binds` offers channel binding too.
    Scram { binds: bool },
    /// By Kerberos.
    Gssapi,
}

/// What `pg_stat_ssl` shows as one value.
fn boolean(value: bool) -> &'static str {
    if value { "t" } else { "f" }
}

/// Speaks with a client whose start-up message has these parameters. `end_point` is the channel's binding data.
pub(super) async fn serve(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    parameters: &[(String, String)],
    session: &Session,
    end_point: Option<&[u8]>,
    record: &Recorder,
) -> io::Result<()> {
    match &session.on_startup {
        OnStartup::Authenticate => {}
        OnStartup::Refuse(refusal) => return send(stream, &refusal.encode()).await,
        OnStartup::Silence => return wait(stream).await,
        OnStartup::Close => return Ok(()),
    }
    let user = parameters.iter().find(|(name, _)| name == "user").map_or("", |(_, value)| value.as_str());
    if let Err(refusal) = authenticate(stream, user, session, end_point, record).await? {
        return send(stream, &refusal.encode()).await;
    }
    if let Some(refusal) = &session.after_password {
        return send(stream, &refusal.encode()).await;
    }
    send(stream, &authentication(0, &[])).await?;
    if let Some(refusal) = &session.refusal {
        return send(stream, &refusal.encode()).await;
    }
    send(stream, &opening(session)?).await?;
    queries(stream, session, record).await
}

/// ParameterStatus, BackendKeyData, ReadyForQuery.
fn opening(session: &Session) -> io::Result<Vec<u8>> {
    const USUAL: [(&str, &str); 9] = [
        ("server_version", VERSION),
        ("server_encoding", "UTF8"),
        ("client_encoding", "UTF8"),
        ("DateStyle", "ISO, MDY"),
        ("TimeZone", "UTC"),
        ("integer_datetimes", "on"),
        ("standard_conforming_strings", "on"),
        ("in_hot_standby", "off"),
        ("default_transaction_read_only", "off"),
    ];
    let own = &session.parameters;
    let usual = USUAL.iter().filter(|(name, _)| !own.iter().any(|(other, _)| other == name));
    let mut out: Vec<u8> = usual.chain(own).flat_map(|(name, value)| parameter(name, value)).collect();
    out.extend(message(b'K', &random::<8>()?));
    out.extend(ready());
    Ok(out)
}

async fn authenticate(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    user: &str,
    session: &Session,
    end_point: Option<&[u8]>,
    record: &Recorder,
) -> io::Result<Result<(), Refusal>> {
    let wrong =
        || Refusal::fatal("28P01", format!("password authentication failed for user \"{}\"", quoted(user)));
    let expected = match session.authentication {
        Authentication::Trust => return Ok(Ok(())),
        Authentication::ClearText => {
            send(stream, &authentication(3, &[])).await?;
            session.password.clone()
        }
        Authentication::Md5 => {
            let salt: [u8; 4] = random()?;
            send(stream, &authentication(5, &salt)).await?;
            let inner = md5_hex(&[session.password.as_bytes(), user.as_bytes()]);
            format!("md5{}", md5_hex(&[inner.as_bytes(), &salt]))
        }
        Authentication::Scram { binds } => {
            let answer = scram(stream, session, end_point.filter(|_| binds), record).await?;
            return Ok(answer.map_err(|failure| match failure {
                Failure::Password => wrong(),
                Failure::Protocol => Refusal::fatal("08P01", "malformed SCRAM message"),
            }));
        }
        Authentication::Gssapi => {
            send(stream, &authentication(7, &[])).await?;
            read(stream, record).await?;
            return Ok(Err(Refusal::fatal("28000", "GSSAPI authentication failed")));
        }
    };
    let (_, answer) = read(stream, record).await?;
    Ok(if answer == zero_ended(&expected) { Ok(()) } else { Err(wrong()) })
}

async fn scram(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    session: &Session,
    end_point: Option<&[u8]>,
    record: &Recorder,
) -> io::Result<Result<(), Failure>> {
    let plus = end_point.is_some().then_some(scram::PLUS);
    let mechanisms: Vec<u8> =
        plus.into_iter().chain([scram::PLAIN]).flat_map(zero_ended).chain([0]).collect();
    send(stream, &authentication(10, &mechanisms)).await?;
    let (_, initial) = read(stream, record).await?;
    let Some((mechanism, first)) = initial_response(&initial) else { return Ok(Err(Failure::Protocol)) };
    let end_point = end_point.filter(|_| mechanism == scram::PLUS.as_bytes());
    let exchange = match Exchange::begin(first, end_point, random()?, random()?) {
        Ok(exchange) => exchange,
        Err(failure) => return Ok(Err(failure)),
    };
    send(stream, &authentication(11, exchange.challenge.as_bytes())).await?;
    let (_, last) = read(stream, record).await?;
    match exchange.end(&last, &session.password) {
        Ok(proof) => send(stream, &authentication(12, proof.as_bytes())).await.map(Ok),
        Err(failure) => Ok(Err(failure)),
    }
}

/// SASLInitialResponse: the mechanism and the client's first message.
fn initial_response(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = body.iter().position(|byte| *byte == 0)?;
    let (mechanism, rest) = body.split_at_checked(end)?;
    Some((mechanism, rest.get(5..)?))
}

/// Answers queries until the client goes: whether this session is encrypted, and `select 1`; all others are errors.
async fn queries(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    session: &Session,
    record: &Recorder,
) -> io::Result<()> {
    let nothing_here = Refusal {
        severity: "ERROR",
        sqlstate: "0A000",
        message: "this is the demo server of pgtls-check, it has no data".to_owned(),
        routine: None,
    };
    let mut until_sync = false;
    loop {
        let (kind, body) = read(stream, record).await?;
        match kind {
            b'X' => return Ok(()),
            b'S' => {
                until_sync = false;
                send(stream, &ready()).await?;
            }
            b'Q' => {
                let query =
                    String::from_utf8_lossy(&body).trim_matches(['\0', ' ', ';']).to_ascii_lowercase();
                let result = if query.contains("pg_stat_ssl") {
                    one_value("ssl", BOOL, 1, boolean(session.backend_ssl))
                } else if query == "select 1" {
                    one_value("?column?", INT4, 4, "1")
                } else if query.is_empty() {
                    message(b'I', &[])
                } else {
                    nothing_here.encode()
                };
                send(stream, &[result, ready()].concat()).await?;
            }
            // Of the extended protocol's messages the first gets the error; the rest is skipped up to Sync.
            b'P' | b'B' | b'D' | b'E' | b'C' | b'H' if !until_sync => {
                until_sync = true;
                send(stream, &nothing_here.encode()).await?;
            }
            b'P' | b'B' | b'D' | b'E' | b'C' | b'H' => {}
            _ => {
                let refusal = Refusal::fatal("08P01", "unexpected message");
                return send(stream, &refusal.encode()).await;
            }
        }
    }
}

async fn read(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    record: &Recorder,
) -> io::Result<(u8, Vec<u8>)> {
    let (kind, body) = messages::read(stream).await?;
    record.message(kind);
    Ok((kind, body))
}

async fn send(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await
}

/// Says nothing until the client goes.
pub(super) async fn wait(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<()> {
    let mut bytes = [0; 1024];
    while stream.read(&mut bytes).await? > 0 {}
    Ok(())
}

/// A name as PostgreSQL's messages have it, cut to the length that its own names have.
pub(super) fn quoted(name: &str) -> String {
    name.chars().take(63).collect()
}

fn md5_hex(parts: &[&[u8]]) -> String {
    let mut hash = Md5::new();
    parts.iter().for_each(|part| hash.update(part));
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
