//! The probe against small servers in the same process, each wrong in one way.

mod handshakes;
mod hosts;
mod sessions;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::probe;
use super::testing::*;
use crate::certificate::Certificate;
use crate::conninfo::*;
use crate::evidence::*;
use crate::plan::Plan;
use crate::secret::Secret;
use crate::testing::{Authority, params};
use crate::trust::{FileCertificate, RootSource, RootStore, Roots};

const NAME: &str = "db.example";

/// A server's certificate, which is its own root, and the acceptor that shows it.
struct Pki {
    certificate: Certificate,
    key: rustls::pki_types::PrivateKeyDer<'static>,
}

impl Pki {
    fn new() -> Self {
        Self::named(NAME)
    }

    fn named(name: &str) -> Self {
        let own = Authority::root_with(params(name, false));
        let key = rustls::pki_types::PrivateKeyDer::try_from(own.key_der()).unwrap();
        Self { certificate: own.certificate, key }
    }

    fn acceptor(&self, alpn: &[&str]) -> TlsAcceptor {
        self.acceptor_with(alpn, Vec::new())
    }

    /// One that sends more behind the certificate.
    fn acceptor_with(&self, alpn: &[&str], more: Vec<CertificateDer<'static>>) -> TlsAcceptor {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let own = CertificateDer::from(self.certificate.der().to_vec());
        let chain = std::iter::once(own).chain(more).collect();
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, self.key.clone_key())
            .unwrap();
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        Arc::new(config).into()
    }

    /// A plan that trusts this certificate.
    fn plan(&self, addresses: &[SocketAddr]) -> Plan {
        let mut plan = plan(addresses.iter().map(|address| host_at(NAME, *address)).collect());
        let root =
            FileCertificate { certificate: self.certificate.clone(), file: "root.crt".into(), line: 1 };
        std::sync::Arc::make_mut(&mut plan.trust).roots =
            Roots::Loaded(RootStore::loaded(RootSource::Given("root.crt".into()), vec![root]));
        plan
    }
}

/// Answers SSLRequest with yes.
async fn accept_ssl_request(stream: &mut TcpStream) {
    stream.read_exact(&mut [0; 8]).await.unwrap();
    stream.write_all(b"S").await.unwrap();
}

/// A server that treats every session alike once the client has sent its start-up message.
async fn serve_started<F, Fut>(pki: &Pki, treat: F) -> SocketAddr
where
    F: Fn(TlsStream<TcpStream>) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let acceptor = pki.acceptor(&[]);
    serve(move |mut stream| {
        let (acceptor, treat) = (acceptor.clone(), treat.clone());
        async move {
            accept_ssl_request(&mut stream).await;
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            message(&mut stream, false).await;
            treat(stream).await;
        }
    })
    .await
}

/// Reads one message of the client's: the start-up message, without a type, or one that has a type.
async fn message(stream: &mut TlsStream<TcpStream>, typed: bool) -> Vec<u8> {
    let mut head = vec![0; if typed { 5 } else { 4 }];
    stream.read_exact(&mut head).await.unwrap();
    let length = u32::from_be_bytes(*head.last_chunk().unwrap()) as usize;
    let mut body = vec![0; length - 4];
    stream.read_exact(&mut body).await.unwrap();
    if typed { [head, body].concat() } else { body }
}

/// A message of the server's.
fn said(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind][..], &u32::try_from(body.len() + 4).unwrap().to_be_bytes(), body].concat()
}

fn asked(code: i32, rest: &[u8]) -> Vec<u8> {
    said(b'R', &[&code.to_be_bytes()[..], rest].concat())
}

const READY: &[u8] = b"Z\0\0\0\x05I";

/// How a session with a scripted server went: the evidence, and what the client said after the start-up message.
fn scripted(script: Vec<u8>, change: impl FnOnce(&mut Plan)) -> (Evidence, Vec<u8>) {
    conversed(vec![script], change)
}

/// The same with a server that says the next part after each message of the client's.
fn conversed(script: Vec<Vec<u8>>, change: impl FnOnce(&mut Plan)) -> (Evidence, Vec<u8>) {
    run(async move {
        let pki = Pki::new();
        let acceptor = pki.acceptor(&["postgresql"]);
        let received = Arc::new(Mutex::new(Vec::new()));
        let keep = Arc::clone(&received);
        let address = serve(move |mut stream| {
            let (acceptor, script, keep) = (acceptor.clone(), script.clone(), Arc::clone(&keep));
            async move {
                accept_ssl_request(&mut stream).await;
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let mut rest = Vec::new();
                for (number, part) in script.iter().enumerate() {
                    rest.extend(message(&mut stream, number > 0).await);
                    if number == 0 {
                        rest.clear();
                    }
                    stream.write_all(part).await.unwrap();
                }
                // An ending without close_notify would be an error.
                let ending = stream.read_to_end(&mut rest).await;
                rest.extend(ending.err().map(|error| error.to_string()).unwrap_or_default().bytes());
                *keep.lock().unwrap() = rest;
            }
        })
        .await;
        let mut plan = pki.plan(&[address]);
        change(&mut plan);
        let evidence = probe(&plan).await;
        // The server's task still has to see the end.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        let received = received.lock().unwrap().clone();
        (evidence, received)
    })
}

fn with_password(plan: &mut Plan) {
    let password =
        Password { secret: Secret::new(b"secret".to_vec()), origin: Origin::ConnectionString, lines: None };
    for host in &mut plan.settings.hosts {
        host.password = Some(password.clone());
    }
}

fn last(evidence: &Evidence) -> &Attempt {
    evidence.attempts.last().unwrap()
}

fn tls_failure(evidence: &Evidence) -> &TlsFailure {
    let tls = last(evidence).tls.as_ref().unwrap_or_else(|| panic!("{:#?}", last(evidence)));
    tls.result.failure.as_ref().unwrap()
}

fn session(evidence: &Evidence) -> &SessionRecord {
    let session = last(evidence).session.as_ref();
    &session.unwrap_or_else(|| panic!("{:?}", last(evidence).tls)).result
}

fn session_failure(script: Vec<u8>, change: impl FnOnce(&mut Plan)) -> SessionFailure {
    session(&scripted(script, change).0).failure.clone().expect("a failure")
}
