//! The server: a thread of its own, so that callers may block or not as they like, with a runtime of its own. It takes
//! connections on loopback, follows its [`Script`], and records what each client sent.

use std::io::{self, Cursor};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream as BlockingStream};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use ring::digest;
use rustls::{ServerConfig, ServerConnection};
use socket2::{Domain, SockRef, Socket, Type};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::connection_log::{ConnectionLog, ConnectionRecord, Recorder, Startup};
use super::hello::{self, Hello};
use super::messages::{GSS_REQUEST, Refusal, SSL_REQUEST, read_body, read_body_after};
use super::session::{self, Session};

/// Connections at one time; more are closed at once.
const MOST_CONNECTIONS: usize = 100;
/// Requests before the start-up message: GSSENCRequest, SSLRequest, and as many of strangers.
const MOST_REQUESTS: usize = 4;
/// No connection lasts longer: an application may hold one while somebody looks at it.
const LONGEST_CONNECTION: Duration = Duration::from_secs(3600);
/// How long a client has to close after the server has said its last.
const LINGER: Duration = Duration::from_secs(2);
/// How long it may take to connect to the own port; where it takes longer the queue is full.
const QUEUE_PATIENCE: Duration = Duration::from_millis(100);

/// How the server behaves, step by step.
pub(super) struct Script {
    /// What it says before it is asked.
    pub(super) greeting: &'static [u8],
    /// What the first request meets with.
    pub(super) on_request: OnRequest,
    /// Whether TLS may begin without SSLRequest.
    pub(super) direct: bool,
    /// Whether sessions without TLS are allowed.
    pub(super) plaintext: bool,
    /// What the ClientHello meets with.
    pub(super) on_hello: fn(&Hello) -> OnHello,
    /// The chain, leaf first.
    pub(super) chain: Vec<Vec<u8>>,
    /// For honest handshakes.
    pub(super) tls: Arc<ServerConfig>,
    /// What comes then.
    pub(super) session: Session,
}

/// What SSLRequest, or whatever comes first, meets with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum OnRequest {
    /// `S`, with more bytes after it.
    Accept(&'static [u8]),
    /// `N`.
    Refuse,
    /// An answer that ends the connection.
    Say(Vec<u8>),
    /// Nothing.
    Silence,
    /// FIN.
    Close,
    /// RST.
    Reset,
}

/// What a ClientHello meets with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum OnHello {
    /// A handshake.
    Serve,
    /// A fatal alert.
    Alert(u8),
    /// The first flight of a server of the nineties.
    Tls10,
    /// The first flight of a server that takes a weak suite of TLS 1.2.
    WeakTls12,
    /// The first half of the first flight, and then nothing.
    Half,
    /// Bytes.
    Say(&'static [u8]),
    /// Nothing.
    Silence,
    /// FIN.
    Close,
    /// RST.
    Reset,
}

/// A port of the demo's own on loopback, on which nobody listens yet.
pub(super) struct Port {
    socket: Socket,
    address: SocketAddr,
}

impl Port {
    /// A free one.
    pub(super) fn new() -> io::Result<Self> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
        let address = socket.local_addr()?.as_socket();
        let address = address.ok_or_else(|| io::Error::other("no address of the internet's"))?;
        Ok(Self { socket, address })
    }

    /// Its number.
    pub(super) fn number(&self) -> u16 {
        self.address.port()
    }
}

/// Whether connections come about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Listening {
    /// They are accepted.
    Open,
    /// They are refused: the port is taken and nobody listens on it.
    Refused,
    /// They get no answer: the queue of the listening socket is full, and Linux then drops what comes.
    Unanswered,
}

/// A running server; it stops when dropped.
pub(super) struct Server {
    address: SocketAddr,
    log: Arc<ConnectionLog>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    /// Sockets that only have to be there.
    _held: (Option<Socket>, Vec<BlockingStream>),
}

impl Server {
    /// Begins to serve.
    pub(super) fn start(port: Port, listening: Listening, script: Script) -> io::Result<Self> {
        let Port { socket, address } = port;
        let mut server =
            Self { address, log: Arc::default(), stop: None, thread: None, _held: (None, Vec::new()) };
        match listening {
            Listening::Refused => server._held.0 = Some(socket),
            Listening::Unanswered => {
                socket.listen(0)?;
                server._held = (Some(socket), fill_queue(address)?);
            }
            Listening::Open => {
                socket.listen(128)?;
                socket.set_nonblocking(true)?;
                let runtime = crate::runtime::on_this_thread()?;
                let listener = {
                    let _inside = runtime.enter();
                    tokio::net::TcpListener::from_std(TcpListener::from(socket))?
                };
                let (stop, stopped) = oneshot::channel();
                let log = Arc::clone(&server.log);
                let thread = std::thread::Builder::new().name("demo server".to_owned()).spawn(move || {
                    // Tasks run while the main one waits, and are dropped where they stand when it ends.
                    runtime.spawn(accept(listener, Arc::new(script), log));
                    let _ = runtime.block_on(stopped);
                })?;
                (server.stop, server.thread) = (Some(stop), Some(thread));
            }
        }
        Ok(server)
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// See [`Demo::connections`](super::Demo::connections).
    pub(super) fn connections(&self) -> Vec<ConnectionRecord> {
        self.log.connections()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic there has been reported already.
            let _ = thread.join();
        }
    }
}

/// A port that answers nothing: the queue of its socket is full.
pub(super) struct Unanswered {
    port: u16,
    _socket: Socket,
    _held: Vec<BlockingStream>,
}

impl Unanswered {
    /// Fills the queue.
    pub(super) fn new(port: Port) -> io::Result<Self> {
        let Port { socket, address } = port;
        socket.listen(0)?;
        let held = fill_queue(address)?;
        Ok(Self { port: address.port(), _socket: socket, _held: held })
    }

    /// Its number.
    pub(super) fn number(&self) -> u16 {
        self.port
    }
}

/// Connects until the queue takes no more.
fn fill_queue(address: SocketAddr) -> io::Result<Vec<BlockingStream>> {
    let mut held = Vec::new();
    while held.len() < 16 {
        match BlockingStream::connect_timeout(&address, QUEUE_PATIENCE) {
            Ok(stream) => held.push(stream),
            Err(error) if error.kind() == io::ErrorKind::TimedOut => return Ok(held),
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other(
        "this system answers connections that nobody accepts; the fault cannot be staged here",
    ))
}

async fn accept(listener: tokio::net::TcpListener, script: Arc<Script>, log: Arc<ConnectionLog>) {
    let room = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, or a client that went at once: the next one may fare better.
            tokio::time::sleep(QUEUE_PATIENCE).await;
            continue;
        };
        let Ok(place) = Arc::clone(&room).try_acquire_owned() else { continue };
        let (log, record) = (Arc::clone(&log), log.open());
        let script = Arc::clone(&script);
        tokio::spawn(async move {
            // How a connection ended is in its record; there is nobody to tell an error.
            let _ = timeout(LONGEST_CONNECTION, converse(stream, &script, &record)).await;
            log.close();
            drop(place);
        });
    }
}

/// One connection from its first byte.
async fn converse(mut stream: TcpStream, script: &Script, record: &Recorder) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.write_all(script.greeting).await?;
    for _ in 0..MOST_REQUESTS {
        let first = stream.read_u8().await?;
        record.note(|entry| entry.clear.push(first));
        if first == hello::HANDSHAKE && script.direct {
            record.note(|entry| entry.direct = true);
            return shake_hands(first, stream, script, record).await;
        }
        if first != 0 {
            // No length that PostgreSQL takes begins so: TLS to a server that does not expect it, or a stranger.
            return match &script.on_request {
                OnRequest::Say(answer) => last_words(stream, answer).await,
                _ => last_words(stream, b"").await,
            };
        }
        let body = read_body_after(first, &mut stream).await?;
        let length = u32::try_from(body.len() + 4).unwrap_or(0).to_be_bytes();
        record.note(|entry| entry.clear.extend(length.iter().skip(1).chain(&body)));
        match body.split_first_chunk::<4>() {
            Some((code, [])) if u32::from_be_bytes(*code) == GSS_REQUEST => stream.write_all(b"N").await?,
            Some((code, [])) if u32::from_be_bytes(*code) == SSL_REQUEST => {
                record.note(|entry| entry.ssl_request = true);
                match &script.on_request {
                    OnRequest::Refuse => stream.write_all(b"N").await?,
                    OnRequest::Accept(more) => {
                        stream.write_all(&[b"S", *more].concat()).await?;
                        let first = stream.read_u8().await?;
                        record.note(|entry| entry.clear.push(first));
                        return shake_hands(first, stream, script, record).await;
                    }
                    OnRequest::Say(answer) => return last_words(stream, answer).await,
                    OnRequest::Silence => return session::wait(&mut stream).await,
                    OnRequest::Close => return Ok(()),
                    OnRequest::Reset => return reset(stream),
                }
            }
            Some(([0, 3, ..], _)) => return plaintext(stream, &body, script, record).await,
            _ => return last_words(stream, &unknown_protocol(&body)).await,
        }
    }
    Ok(())
}

/// PostgreSQL's error for a protocol version other than 3 (ProcessStartupPacket in backend_startup.c).
fn unknown_protocol(body: &[u8]) -> Vec<u8> {
    let part = |at: usize| match body.get(at..at + 2) {
        Some([high, low]) => u16::from_be_bytes([*high, *low]),
        _ => 0,
    };
    let message =
        format!("unsupported frontend protocol {}.{}: server supports 3.0 to 3.2", part(0), part(2));
    Refusal::fatal("0A000", message).raised_in("ProcessStartupPacket").encode()
}

/// A start-up message outside TLS.
async fn plaintext(mut stream: TcpStream, body: &[u8], script: &Script, record: &Recorder) -> io::Result<()> {
    let parameters = start(body, false, record);
    if script.plaintext {
        return session::serve(&mut stream, &parameters, &script.session, None, record).await;
    }
    let value =
        |name: &str| parameters.iter().find(|(other, _)| other == name).map_or("", |(_, value)| value);
    let (user, database) = (session::quoted(value("user")), session::quoted(value("database")));
    let refusal = Refusal::fatal(
        "28000",
        format!(
            "no pg_hba.conf entry for host \"127.0.0.1\", user \"{user}\", database \"{database}\", no encryption"
        ),
    );
    last_words(stream, &refusal.encode()).await
}

/// TLS from the ClientHello on, its first byte having been read.
async fn shake_hands(first: u8, mut stream: TcpStream, script: &Script, record: &Recorder) -> io::Result<()> {
    let (records, hello) = hello::read(first, &mut stream).await?;
    record.note(|entry| entry.clear.extend(records.iter().skip(1)));
    let Some(hello) = hello else { return Ok(()) };
    record.note(|entry| entry.server_name.clone_from(&hello.name));
    match (script.on_hello)(&hello) {
        OnHello::Serve => serve(records, stream, script, record).await,
        OnHello::Alert(description) => last_words(stream, &hello::fatal(description)).await,
        OnHello::Tls10 => last_words(stream, &hello::tls10(&hello, &script.chain)).await,
        OnHello::WeakTls12 => last_words(stream, &hello::weak_tls12(&hello, &script.chain)).await,
        OnHello::Say(bytes) => last_words(stream, bytes).await,
        OnHello::Half => {
            stream.write_all(&half_a_flight(&records, &script.tls)?).await?;
            session::wait(&mut stream).await
        }
        OnHello::Silence => session::wait(&mut stream).await,
        OnHello::Close => Ok(()),
        OnHello::Reset => reset(stream),
    }
}

/// An honest handshake, and the session.
async fn serve(records: Vec<u8>, stream: TcpStream, script: &Script, record: &Recorder) -> io::Result<()> {
    let direct = record.is_direct();
    let (read, write) = stream.into_split();
    let replayed = tokio::io::join(Cursor::new(records).chain(read), write);
    let accepted = TlsAcceptor::from(Arc::clone(&script.tls)).accept(replayed).into_fallible().await;
    let mut stream = match accepted {
        Ok(stream) => stream,
        Err((error, mut stream)) => {
            if let Some(rustls::Error::AlertReceived(alert)) =
                error.get_ref().and_then(|inner| inner.downcast_ref())
            {
                record.note(|entry| entry.alert = Some((*alert).into()));
            }
            // The alert is out. Bytes not read would turn the end into a reset, which may overtake it.
            stream.shutdown().await?;
            return linger(&mut stream).await;
        }
    };
    record.note(|entry| entry.encrypted = true);
    if direct && stream.get_ref().1.alpn_protocol().is_none() {
        // As PostgreSQL 17 does (ProcessSSLStartup in backend_startup.c).
        return Ok(());
    }
    let body = read_body(&mut stream).await?;
    let parameters = start(&body, true, record);
    let leaf = script.chain.first().map(|leaf| digest::digest(&digest::SHA256, leaf));
    let end_point = leaf.as_ref().map(AsRef::as_ref);
    session::serve(&mut stream, &parameters, &script.session, end_point, record).await?;
    stream.shutdown().await?;
    linger(&mut stream).await
}

/// Notes a start-up message and gives its parameters.
fn start(body: &[u8], encrypted: bool, record: &Recorder) -> Vec<(String, String)> {
    let words: Vec<String> = body
        .get(4..)
        .unwrap_or_default()
        .split(|byte| *byte == 0)
        .take_while(|word| !word.is_empty())
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect();
    let parameters: Vec<_> =
        words.as_chunks::<2>().0.iter().cloned().map(|[name, value]| (name, value)).collect();
    record.note(|entry| entry.startup = Some(Startup { parameters: parameters.clone(), encrypted }));
    parameters
}

/// What rustls would send first, cut in the middle.
fn half_a_flight(records: &[u8], config: &Arc<ServerConfig>) -> io::Result<Vec<u8>> {
    let mut connection = ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
    let mut rest = records;
    while !rest.is_empty() && connection.read_tls(&mut rest)? > 0 {
        connection.process_new_packets().map_err(io::Error::other)?;
    }
    let mut flight = Vec::new();
    while connection.wants_write() {
        connection.write_tls(&mut flight)?;
    }
    flight.truncate(flight.len() / 2);
    Ok(flight)
}

/// Sends the last bytes of a connection and waits until the client has them.
async fn last_words(mut stream: TcpStream, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    stream.shutdown().await?;
    linger(&mut stream).await
}

async fn linger(stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> io::Result<()> {
    timeout(LINGER, session::wait(stream)).await.unwrap_or(Ok(()))
}

/// Ends a connection by RST.
fn reset(stream: TcpStream) -> io::Result<()> {
    SockRef::from(&stream).set_linger(Some(Duration::ZERO))
}
