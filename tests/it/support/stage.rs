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
                        let _ = receive(client, &accept, &mut visit);
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
        context.set_alpn_select_callback(|_, offered| {
            openssl::ssl::select_next_proto(b"\x0apostgresql", offered).ok_or(AlpnError::NOACK)
        });
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
    fn receive(&self, client: TcpStream, visit: &mut Visit) -> io::Result<()> {
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
                session(&mut stream, visit)?;
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
                session(&mut stream, visit)
            }
        }
    }
}

const SSL_REQUEST: u32 = 80_877_103;
const GSS_REQUEST: u32 = 80_877_104;

/// One connection from its first byte to its end.
fn receive(mut client: TcpStream, handshake: &Handshake, visit: &mut Visit) -> io::Result<()> {
    client.set_read_timeout(Some(Duration::from_secs(10)))?;
    client.set_nodelay(true)?;
    let mut first = [0];
    if client.peek(&mut first)? == 1 && first[0] == 0x16 {
        visit.direct = true;
        return handshake.receive(client, visit);
    }
    loop {
        let (code, rest) = packet(&mut client)?;
        match code {
            GSS_REQUEST => client.write_all(b"N")?,
            SSL_REQUEST => {
                visit.ssl_request = true;
                client.write_all(b"S")?;
                return handshake.receive(client, visit);
            }
            _ => return play(&mut client, rest, visit),
        }
    }
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

fn session(stream: &mut (impl Read + Write), visit: &mut Visit) -> io::Result<()> {
    let (_, startup) = packet(stream)?;
    play(stream, startup, visit)
}

/// The session from the StartupMessage on: everybody is let in, every query has one row.
fn play(stream: &mut (impl Read + Write), startup: Vec<u8>, visit: &mut Visit) -> io::Result<()> {
    visit.startup = Some((startup, visit.encrypted));
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
        let mut kind = [0];
        stream.read_exact(&mut kind)?;
        let mut length = [0; 4];
        stream.read_exact(&mut length)?;
        let length = u32::from_be_bytes(length).saturating_sub(4).min(100_000);
        let mut body = vec![0; length as usize];
        stream.read_exact(&mut body)?;
        visit.messages.push(kind[0]);
        match kind[0] {
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

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind], (body.len() as u32 + 4).to_be_bytes().as_slice(), body].concat()
}
