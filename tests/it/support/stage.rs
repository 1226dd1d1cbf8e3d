//! A server that shakes hands with any certificate chain one likes, speaks just enough of PostgreSQL's protocol to end
//! a session well, and remembers what each client told it and whether that was over TLS.
//!
//! Certificates go out byte for byte and in the order given, leaf first. OpenSSL at security level 0 does the
//! handshake; where it would refuse to load a certificate, rustls, which looks at none of its own.

use super::odd_pki::Key;
use openssl::dh::Dh;
use openssl::ssl::{
    AlpnError, NameType, Ssl, SslContext, SslContextBuilder, SslMethod, SslMode, SslStream, SslVersion,
};
use openssl::x509::X509;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// What one client did.
#[derive(Clone, Debug, Default)]
pub struct Visit {
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
    /// Its StartupMessage without length and protocol version, and whether it came over TLS.
    pub startup: Option<(Vec<u8>, bool)>,
    /// The types of the messages after that.
    pub messages: Vec<u8>,
    /// The bodies of its messages with passwords.
    pub passwords: Vec<Vec<u8>>,
    /// The seconds until its kernel sends a keepalive, where [`Tls::keepalives`] looks for that.
    pub keepalive: Option<u64>,
}

impl Visit {
    /// Whether it told anything that only a verified server may know: user and database, or a password.
    pub fn told_something(&self) -> bool {
        self.startup.is_some() || !self.passwords.is_empty()
    }

    /// The parameters of its StartupMessage, in the order sent.
    pub fn parameters(&self) -> Vec<(String, String)> {
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
pub enum Reply {
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
pub enum Login {
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
}

/// What the server does in TLS.
#[derive(Clone, Debug, Default)]
pub struct Tls {
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
    /// Before TLS.
    pub reply: Reply,
    /// Behind TLS.
    pub login: Login,
    /// Look at the timer of the client's kernel once the StartupMessage is there.
    pub keepalives: bool,
}

/// What the server does outside of TLS.
#[derive(Clone, Copy)]
struct Manner {
    reply: Reply,
    login: Login,
    keepalives: bool,
}

#[derive(Default)]
struct Book {
    visits: Vec<Visit>,
    open: usize,
}

struct Shared {
    book: Mutex<Book>,
    changed: Condvar,
    stop: AtomicBool,
}

/// A running server; it ends when dropped.
pub struct Stage {
    /// Where it listens.
    pub address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Stage {
    /// Begins to present this chain with the key of its first certificate.
    pub fn start(chain: &[Vec<u8>], key: &Key, tls: &Tls) -> Stage {
        let accept =
            if tls.blind { Handshake::rustls(chain, key) } else { Handshake::openssl(chain, key, tls) };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            book: Mutex::default(),
            changed: Condvar::new(),
            stop: AtomicBool::new(false),
        });
        let thread = std::thread::spawn({
            let shared = Arc::clone(&shared);
            let manner = Manner { reply: tls.reply, login: tls.login, keepalives: tls.keepalives };
            move || {
                let accept = Arc::new(accept);
                for client in listener.incoming() {
                    if shared.stop.load(Ordering::SeqCst) {
                        return;
                    }
                    let Ok(client) = client else { continue };
                    shared.book.lock().unwrap().open += 1;
                    let (shared, accept) = (Arc::clone(&shared), Arc::clone(&accept));
                    std::thread::spawn(move || {
                        let mut visit = Visit::default();
                        // An error is the end of a visit, however it comes; what was seen until then counts.
                        let _ = receive(client, &accept, manner, &mut visit);
                        let mut book = shared.book.lock().unwrap();
                        book.visits.push(visit);
                        book.open -= 1;
                        shared.changed.notify_all();
                    });
                }
            }
        });
        Stage { address, shared, thread: Some(thread) }
    }

    /// The visits since the last call, once all are over.
    pub fn visits(&self) -> Vec<Visit> {
        let book = self.shared.book.lock().unwrap();
        let (mut book, waited) = self
            .shared
            .changed
            .wait_timeout_while(book, Duration::from_secs(10), |book| book.open > 0)
            .unwrap();
        assert!(!waited.timed_out(), "a client is gone and its connection is not");
        std::mem::take(&mut book.visits)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

enum Handshake {
    OpenSsl(SslContext),
    Rustls(Arc<rustls::ServerConfig>),
}

impl Handshake {
    fn openssl(chain: &[Vec<u8>], key: &Key, tls: &Tls) -> Handshake {
        let mut context = SslContextBuilder::new(SslMethod::tls_server()).unwrap();
        context.set_security_level(0);
        context.set_mode(SslMode::NO_AUTO_CHAIN);
        context.set_min_proto_version(tls.minimum).unwrap();
        context.set_max_proto_version(tls.maximum).unwrap();
        context.set_cipher_list(tls.ciphers.unwrap_or("ALL:@SECLEVEL=0")).unwrap();
        context.set_tmp_dh(&Dh::get_2048_256().unwrap()).unwrap();
        if let Some(groups) = tls.groups {
            context.set_groups_list(groups).unwrap();
        }
        let mut certificates = chain.iter().map(|der| X509::from_der(der).expect("OpenSSL cannot load it"));
        context.set_certificate(&certificates.next().unwrap()).unwrap();
        for certificate in certificates {
            context.add_extra_chain_cert(certificate).unwrap();
        }
        context.set_private_key(&key.private).unwrap();
        if !tls.without_alpn {
            context.set_alpn_select_callback(|_, offered| {
                openssl::ssl::select_next_proto(b"\x0apostgresql", offered).ok_or(AlpnError::NOACK)
            });
        }
        Handshake::OpenSsl(context.build())
    }

    fn rustls(chain: &[Vec<u8>], key: &Key) -> Handshake {
        #[derive(Debug)]
        struct Always(Arc<rustls::sign::CertifiedKey>);
        impl rustls::server::ResolvesServerCert for Always {
            fn resolve(&self, _: rustls::server::ClientHello<'_>) -> Option<Arc<rustls::sign::CertifiedKey>> {
                Some(Arc::clone(&self.0))
            }
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let pkcs8 = key.private.private_key_to_pkcs8().unwrap();
        let signer =
            rustls::crypto::ring::sign::any_supported_type(&PrivateKeyDer::Pkcs8(pkcs8.into())).unwrap();
        let chain = chain.iter().map(|der| CertificateDer::from(der.clone())).collect();
        let certified = Arc::new(rustls::sign::CertifiedKey::new(chain, signer));
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(Always(certified)));
        config.alpn_protocols = vec![b"postgresql".to_vec()];
        Handshake::Rustls(Arc::new(config))
    }

    /// Shakes hands and plays the session over it.
    fn receive(&self, client: TcpStream, manner: Manner, visit: &mut Visit) -> io::Result<()> {
        let peer = client.peer_addr()?;
        match self {
            Handshake::OpenSsl(context) => {
                let mut stream = SslStream::new(Ssl::new(context).unwrap(), client).unwrap();
                let result = stream.accept();
                visit.sni = stream.ssl().servername(NameType::HOST_NAME).map(str::to_owned);
                if let Err(error) = result {
                    visit.handshake_error = Some(error.to_string());
                    return Ok(());
                }
                visit.alpn = stream.ssl().selected_alpn_protocol().is_some();
                visit.encrypted = true;
                session(&mut stream, peer, manner, visit)?;
                stream.shutdown().map(drop).map_err(io::Error::other)
            }
            Handshake::Rustls(config) => {
                let connection =
                    rustls::ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
                let mut stream = rustls::StreamOwned::new(connection, client);
                while stream.conn.is_handshaking() {
                    if let Err(error) = stream.conn.complete_io(&mut stream.sock) {
                        visit.handshake_error = Some(error.to_string());
                        return Ok(());
                    }
                }
                visit.sni = stream.conn.server_name().map(str::to_owned);
                visit.alpn = stream.conn.alpn_protocol().is_some();
                visit.encrypted = true;
                session(&mut stream, peer, manner, visit)
            }
        }
    }
}

const SSL_REQUEST: u32 = 80_877_103;
const GSS_REQUEST: u32 = 80_877_104;

/// One connection from its first byte to its end.
fn receive(
    mut client: TcpStream,
    handshake: &Handshake,
    manner: Manner,
    visit: &mut Visit,
) -> io::Result<()> {
    let peer = client.peer_addr()?;
    client.set_read_timeout(Some(Duration::from_secs(10)))?;
    client.set_nodelay(true)?;
    let mut first = [0];
    if client.peek(&mut first)? == 1 && first[0] == 0x16 {
        visit.direct = true;
        return handshake.receive(client, manner, visit);
    }
    loop {
        let (code, rest) = packet(&mut client)?;
        match code {
            GSS_REQUEST => client.write_all(b"N")?,
            SSL_REQUEST => {
                visit.ssl_request = true;
                let first = match manner.reply {
                    Reply::Handshake => b"S",
                    Reply::HandshakeAfter(bytes) => bytes,
                    Reply::Plaintext => {
                        client.write_all(b"N")?;
                        continue;
                    }
                    Reply::Bytes(bytes) => {
                        client.write_all(bytes)?;
                        return until_gone(&mut client);
                    }
                    Reply::Close => return Ok(()),
                    Reply::Silence => return until_gone(&mut client),
                };
                client.write_all(first)?;
                return handshake.receive(client, manner, visit);
            }
            _ => return play(&mut client, rest, peer, manner, visit),
        }
    }
}

/// Reads on until the client is gone.
fn until_gone(stream: &mut impl Read) -> io::Result<()> {
    io::copy(stream, &mut io::sink()).map(drop)
}

/// The seconds until the kernel sends a keepalive for the client's end of a connection (proc_net_tcp: timer 2 with its
/// time left in hundredths).
fn keepalive_of(client: SocketAddr) -> Option<u64> {
    let SocketAddr::V4(address) = client else { return None };
    let local = format!("{:08X}:{:04X}", u32::from_ne_bytes(address.ip().octets()), address.port());
    for _ in 0..100 {
        let table = std::fs::read_to_string("/proc/net/tcp").ok()?;
        let line = table.lines().find(|line| line.split_whitespace().nth(1) == Some(&local))?;
        let (kind, left) = line.split_whitespace().nth(5)?.split_once(':')?;
        match kind {
            "00" => return None,
            "02" => return Some(u64::from_str_radix(left, 16).ok()?.div_ceil(100)),
            // Until what it sent is acknowledged, the one timer of a connection counts for that.
            _ => std::thread::sleep(Duration::from_millis(5)),
        }
    }
    None
}

/// A packet without a type: its code and the rest.
fn packet(stream: &mut impl Read) -> io::Result<(u32, Vec<u8>)> {
    let mut head = [0; 8];
    stream.read_exact(&mut head)?;
    let length = u32::from_be_bytes(head[..4].try_into().unwrap());
    let code = u32::from_be_bytes(head[4..].try_into().unwrap());
    let Some(length) = length.checked_sub(8).filter(|&length| length < 10_000) else {
        return Err(io::ErrorKind::InvalidData.into());
    };
    let mut rest = vec![0; length as usize];
    stream.read_exact(&mut rest)?;
    Ok((code, rest))
}

fn session(
    stream: &mut (impl Read + Write),
    peer: SocketAddr,
    manner: Manner,
    visit: &mut Visit,
) -> io::Result<()> {
    let (_, startup) = packet(stream)?;
    play(stream, startup, peer, manner, visit)
}

/// The session from the StartupMessage on: whoever is let in gets one row for every query.
fn play(
    stream: &mut (impl Read + Write),
    startup: Vec<u8>,
    peer: SocketAddr,
    manner: Manner,
    visit: &mut Visit,
) -> io::Result<()> {
    visit.startup = Some((startup, visit.encrypted));
    if manner.keepalives {
        visit.keepalive = keepalive_of(peer);
    }
    match manner.login {
        Login::Open => {}
        Login::ClearText => request(stream, 3, &[], visit)?,
        Login::Request(kind, data) => request(stream, kind, data, visit)?,
        Login::Fatal(state) => {
            let fields = format!("SFATAL\0VFATAL\0C{state}\0Mthe stage says so\0\0");
            stream.write_all(&message(b'E', fields.as_bytes()))?;
            return stream.flush();
        }
        Login::Close => return Ok(()),
        Login::Silence => return until_gone(stream),
    }
    let mut out = message(b'R', &0u32.to_be_bytes());
    for (name, value) in [
        ("server_version", "17.2"),
        ("server_encoding", "UTF8"),
        ("client_encoding", "UTF8"),
        ("DateStyle", "ISO, MDY"),
        ("integer_datetimes", "on"),
        ("standard_conforming_strings", "on"),
        ("in_hot_standby", "off"),
        ("default_transaction_read_only", "off"),
    ] {
        out.extend(message(b'S', format!("{name}\0{value}\0").as_bytes()));
    }
    out.extend(message(b'K', &[0, 0, 0x30, 0x39, 1, 2, 3, 4]));
    out.extend(message(b'Z', b"I"));
    stream.write_all(&out)?;
    stream.flush()?;
    loop {
        match next_message(stream, visit)? {
            b'Q' => {
                let column = [
                    b"ssl\0".as_slice(),
                    &[0; 6],
                    &16u32.to_be_bytes(),
                    &[0, 1, 0xff, 0xff, 0xff, 0xff, 0, 0],
                ];
                let value: &[u8] = if visit.encrypted { b"t" } else { b"f" };
                let mut out = message(b'T', &[&[0, 1], column.concat().as_slice()].concat());
                out.extend(message(b'D', &[&[0, 1, 0, 0, 0, 1], value].concat()));
                out.extend(message(b'C', b"SELECT 1\0"));
                out.extend(message(b'Z', b"I"));
                stream.write_all(&out)?;
                stream.flush()?;
            }
            b'X' => return Ok(()),
            _ => {}
        }
    }
}

/// Asks for authentication and takes whatever comes for good.
fn request(stream: &mut (impl Read + Write), kind: u32, data: &[u8], visit: &mut Visit) -> io::Result<()> {
    stream.write_all(&message(b'R', &[&kind.to_be_bytes(), data].concat()))?;
    stream.flush()?;
    next_message(stream, visit).map(drop)
}

/// Takes a message down and gives its type.
fn next_message(stream: &mut impl Read, visit: &mut Visit) -> io::Result<u8> {
    let mut kind = [0];
    stream.read_exact(&mut kind)?;
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length).saturating_sub(4).min(100_000);
    let mut body = vec![0; length as usize];
    stream.read_exact(&mut body)?;
    visit.messages.push(kind[0]);
    if kind[0] == b'p' {
        visit.passwords.push(body);
    }
    Ok(kind[0])
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind], (body.len() as u32 + 4).to_be_bytes().as_slice(), body].concat()
}
