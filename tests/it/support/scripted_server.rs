//! A server that shakes hands with any certificate chain one likes, speaks just enough of PostgreSQL's protocol to end
//! a session well, and remembers what each client told it and whether that was over TLS.
//!
//! Certificates go out byte for byte and in the order given, leaf first. OpenSSL at security level 0 does the
//! handshake; where it would refuse to load a certificate, rustls, which looks at none of its own.

mod handshake;
mod session;

use super::odd_pki::Key;
use handshake::Handshake;
use openssl::ssl::SslVersion;
pub(crate) use session::message;
use session::receive;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// What one client did.
#[derive(Clone, Debug, Default)]
pub(crate) struct ConnectionRecord {
    /// Whether it asked for TLS by SSLRequest.
    pub ssl_request: bool,
    /// Whether it began TLS at once.
    pub direct: bool,
    /// Whether the handshake was completed.
    pub encrypted: bool,
    /// Why it was not.
    pub handshake_error: Option<String>,
    /// The name it asked for in the ClientHello.
    pub sni: Option<String>,
    /// Whether it offered the protocol `postgresql` by ALPN.
    pub alpn: bool,
    /// Whether it presented a certificate, in a handshake that was completed or not.
    pub certificate: bool,
    /// Its StartupMessage without length and protocol version, and whether it came over TLS.
    pub startup: Option<(Vec<u8>, bool)>,
    /// The types of the messages after that.
    pub messages: Vec<u8>,
    /// The bodies of its messages with passwords.
    pub passwords: Vec<Vec<u8>>,
    /// The seconds until its kernel sends a keepalive, where [`Tls::keepalives`] looks for that.
    pub keepalive: Option<u64>,
}

impl ConnectionRecord {
    /// Whether it told anything that only a verified server may know: user and database, a password, or who it is.
    pub(crate) fn told_something(&self) -> bool {
        // A packet that ends with its version, as a second look sends, names nobody.
        let named = self.startup.as_ref().is_some_and(|(parameters, _)| !parameters.is_empty());
        named || !self.passwords.is_empty() || self.certificate
    }

    /// The parameters of its StartupMessage, in the order sent.
    pub(crate) fn parameters(&self) -> Vec<(String, String)> {
        let Some((packet, _)) = &self.startup else { return Vec::new() };
        let mut texts =
            packet.split(|&byte| byte == 0).map(|text| String::from_utf8_lossy(text).into_owned());
        let mut parameters = Vec::new();
        while let (Some(name), Some(value)) = (texts.next(), texts.next()) {
            if name.is_empty() {
                break;
            }
            parameters.push((name, value));
        }
        parameters
    }
}

/// The answer to SSLRequest.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Reply {
    /// `S` and a handshake.
    #[default]
    Handshake,
    /// These bytes and then a handshake.
    HandshakeAfter(&'static [u8]),
    /// `N`, and on in plaintext.
    Plaintext,
    /// These bytes, and the connection stays open.
    Bytes(&'static [u8]),
    /// The end of the connection.
    Close,
    /// Nothing.
    Silence,
}

/// The answer to the StartupMessage.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Login {
    /// A session.
    #[default]
    Open,
    /// A session for every password sent in clear text.
    ClearText,
    /// A request for this kind of authentication (AuthenticationRequest of the protocol) with these data behind it.
    Request(u32, &'static [u8]),
    /// An error of this SQLSTATE.
    Fatal(&'static str),
    /// The end of the connection.
    Close,
    /// Nothing.
    Silence,
    /// What the script of this number does, where the number is the name of the database asked for.
    Scripts(&'static [Vec<Step>]),
}

/// A step of a scripted session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// These bytes are sent.
    Send(Vec<u8>),
    /// A message of the client is awaited.
    Read,
    /// Queries are answered until the client leaves.
    Serve,
}

/// What the server does in TLS.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tls {
    pub minimum: Option<SslVersion>,
    pub maximum: Option<SslVersion>,
    /// OpenSSL's cipher list for TLS 1.2 and below.
    pub ciphers: Option<&'static str>,
    /// OpenSSL's list of key-exchange groups.
    pub groups: Option<&'static str>,
    /// Shake hands by rustls, so that no certificate is looked at. The options above have no effect then.
    pub blind: bool,
    /// Choose no protocol by ALPN.
    pub without_alpn: bool,
    /// Ask for a client certificate, and be content with any and with none.
    pub asks_for_certificate: bool,
    /// Before TLS.
    pub reply: Reply,
    /// Behind TLS.
    pub login: Login,
    /// Without TLS, if it is another.
    pub plain_login: Option<Login>,
    /// Look at the timer of the client's kernel once the StartupMessage is there.
    pub keepalives: bool,
}

/// What the server does outside of TLS.
#[derive(Clone, Copy)]
struct Behaviour {
    reply: Reply,
    login: Login,
    plain_login: Login,
    keepalives: bool,
}

#[derive(Default)]
struct ConnectionLog {
    connections: Vec<ConnectionRecord>,
    open: usize,
}

struct Shared {
    log: Mutex<ConnectionLog>,
    changed: Condvar,
    stop: AtomicBool,
}

/// A running server; it ends when dropped.
pub(crate) struct ScriptedServer {
    /// Where it listens.
    pub address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl ScriptedServer {
    /// Begins to present this chain with the key of its first certificate.
    pub(crate) fn start(chain: &[Vec<u8>], key: &Key, tls: &Tls) -> Self {
        let accept =
            if tls.blind { Handshake::rustls(chain, key) } else { Handshake::openssl(chain, key, tls) };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared =
            Arc::new(Shared { log: Mutex::default(), changed: Condvar::new(), stop: AtomicBool::new(false) });
        let thread = std::thread::spawn({
            let shared = Arc::clone(&shared);
            let plain_login = tls.plain_login.unwrap_or(tls.login);
            let behaviour =
                Behaviour { reply: tls.reply, login: tls.login, plain_login, keepalives: tls.keepalives };
            move || {
                let accept = Arc::new(accept);
                for client in listener.incoming() {
                    if shared.stop.load(Ordering::SeqCst) {
                        return;
                    }
                    let Ok(client) = client else { continue };
                    shared.log.lock().unwrap().open += 1;
                    let (shared, accept) = (Arc::clone(&shared), Arc::clone(&accept));
                    std::thread::spawn(move || {
                        let mut record = ConnectionRecord::default();
                        // An error is the end of a connection, however it comes; what was seen until then counts.
                        let _ = receive(client, &accept, behaviour, &mut record);
                        let mut log = shared.log.lock().unwrap();
                        log.connections.push(record);
                        log.open -= 1;
                        shared.changed.notify_all();
                    });
                }
            }
        });
        Self { address, shared, thread: Some(thread) }
    }

    /// The connections since the last call, once all are over.
    pub(crate) fn connections(&self) -> Vec<ConnectionRecord> {
        let log = self.shared.log.lock().unwrap();
        let (mut log, waited) =
            self.shared.changed.wait_timeout_while(log, Duration::from_secs(10), |log| log.open > 0).unwrap();
        assert!(!waited.timed_out(), "a client is gone and its connection is not");
        std::mem::take(&mut log.connections)
    }
}

impl Drop for ScriptedServer {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
