//! The handshake. rustls makes it, with the chain judged as libpq over OpenSSL would judge it, so that nothing but the
//! handshake leaves for a server that is not verified as the sslmode demands.
//!
//! After SSLRequest tokio-postgres-rustls connects; direct TLS needs a connector of its own, since libpq refuses it
//! unless the server chose the ALPN protocol, and only rustls' connection tells that.

mod client_certificate;
mod failure;
mod p521;
mod server_name;
mod verifier;

use std::future::poll_fn;
use std::io;
use std::sync::{Arc, LazyLock};
use std::task::Poll;

use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, ring};
use rustls::{ClientConfig, SupportedProtocolVersion};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::clock::Clock;
use super::negotiate::on_the_way;
use super::wiretap::{ServerFlight, Tap, Traffic, group_name, suite_name};
use crate::conninfo::{Host, Offered, OpenSslConfig, Settings, SslNegotiation, TlsVersion};
use crate::evidence::{ClientCertificateRecord, Offer, Step, TlsFailure, TlsRecord};
use crate::own_thread;
use crate::plan::Plan;
use crate::trust::Trust;
use crate::verify::LONG;

pub(super) use failure::{alert_of, tls_error};
pub(super) use server_name::sent_name;

/// The ALPN protocol of PostgreSQL (`PG_ALPN_PROTOCOL` in pqcomm.h). libpq 17 and later offer it always.
pub(super) const ALPN: &str = "postgresql";

/// Both halves of a finished connection.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A finished connection, whatever made it.
pub(super) type SecureStream = Box<dyn Stream>;

/// Shakes hands; without a stream the record tells the failure.
pub(super) async fn handshake(
    plan: &Plan,
    trust: &Arc<Trust>,
    host: &Host,
    tap: Tap<TcpStream>,
    clock: Clock,
    deadline: Instant,
) -> (Step<TlsRecord>, Option<SecureStream>) {
    let start = clock.elapsed();
    let settings = &plan.settings;
    let name = server_name::ServerName::for_host(host, settings.sni);
    let versions = versions(settings);
    let offer = Offer {
        versions: versions.iter().map(|(version, _)| *version).collect(),
        sni: name.sent().map(str::to_owned),
        alpn: vec![ALPN.to_owned()],
    };
    if versions.is_empty() {
        let failure = TlsFailure::Unsupported("TLS below version 1.2".to_owned());
        return (clock.step(start, unfinished(offer, failure)), None);
    }
    let limits = settings.limiting_config().map(OpenSslConfig::offered);
    let provider = match limits.as_ref().map(|limits| limited_provider(limits, &versions)).transpose() {
        Ok(provider) => provider,
        Err(what) => return (clock.step(start, unfinished(offer, TlsFailure::Unsupported(what))), None),
    };
    let schemes = limits.as_ref().map(|limits| limits.schemes.as_slice());
    let verifier = verifier::Verifier::new(plan, Arc::clone(trust), host, schemes);
    let chain = verifier.findings();
    let client_schemes = limits.as_ref().map(|limits| limits.client_schemes.as_slice());
    let client = client_certificate::Resolver::new(&trust.client, client_schemes);
    let requested = client.findings();
    let config = match config(&name, provider, &versions, verifier, client) {
        Ok(config) => config,
        Err(error) => {
            let record = unfinished(offer, TlsFailure::Protocol(error.to_string()));
            return (clock.step(start, record), None);
        }
    };

    tap.begin_handshake(name.placeholder().cloned());
    let connecting = connect(config, name, settings.negotiation, tap.clone());
    let outcome = timeout_at(deadline, driven(connecting, &tap, deadline)).await.unwrap_or(None);
    let silent = outcome.is_none().then(|| on_the_way(&tap));
    let (flight, bytes, traffic) = tap.end_handshake();

    let chain = verifier::take(&chain);
    let client = client_certificate::take(&requested);
    let observed = failure::Observed { flight: &flight, bytes: &bytes, chain: &chain };
    let mut alpn = flight.alpn.clone();
    let (stream, failure) = match outcome {
        None => (None, Some(TlsFailure::TimedOut(silent.flatten()))),
        Some(Err(error)) => (None, Some(failure::of(&error, &observed, || on_the_way(&tap)))),
        Some(Ok(Connected { stream, alpn: chosen })) => {
            alpn = chosen.or(alpn);
            let unagreed = settings.negotiation == SslNegotiation::Direct && alpn.as_deref() != Some(ALPN);
            (Some(stream), unagreed.then_some(TlsFailure::NoAlpn))
        }
    };
    let failure = unless_key_unusable(failure, client.unusable_key);
    let record = TlsRecord { alpn, failure, ..recorded(offer, &flight, chain, client.record, &traffic) };
    let step = clock.step(start, record);
    let stream = unless_failed(step.result.failure.as_ref(), stream, tap).await;
    (step, stream)
}

/// What was seen of a handshake, without what came of it.
fn recorded(
    offer: Offer,
    flight: &ServerFlight,
    chain: verifier::Findings,
    client_certificate: ClientCertificateRecord,
    traffic: &Traffic,
) -> TlsRecord {
    TlsRecord {
        offer,
        version: flight.version,
        cipher: flight.suite.map(suite_name),
        group: flight.group.map(group_name),
        hello_retry: flight.retry,
        alpn: None,
        chain: chain.chain,
        judgement: chain.judgement,
        judging: chain.judging,
        client_certificate,
        bytes_sent: traffic.sent,
        bytes_received: traffic.received,
        flights: traffic.turns,
        failure: None,
    }
}

/// What failed, or that a key signs nothing here, which would have made psql's handshake another one.
fn unless_key_unusable(failure: Option<TlsFailure>, key: Option<String>) -> Option<TlsFailure> {
    match key {
        Some(key) if !matches!(failure, Some(TlsFailure::CertificateRefused | TlsFailure::TimedOut(_))) => {
            Some(TlsFailure::Unsupported(format!("a signature by the client's key, {key}")))
        }
        _ => failure,
    }
}

/// The stream of a handshake that succeeded; that of one that failed is ended well.
async fn unless_failed(
    failure: Option<&TlsFailure>,
    stream: Option<SecureStream>,
    tap: Tap<TcpStream>,
) -> Option<SecureStream> {
    match (failure, stream) {
        (None, stream) => return stream,
        (Some(_), Some(mut stream)) => {
            super::wiretap::end(&mut stream).await;
        }
        (Some(TlsFailure::TimedOut(_) | TlsFailure::Ended(_)), None) => {}
        // rustls has sent its alert; the server is to find it.
        (Some(_), None) => tap.end().await,
    }
    None
}

fn unfinished(offer: Offer, failure: TlsFailure) -> TlsRecord {
    TlsRecord {
        offer,
        version: None,
        cipher: None,
        group: None,
        hello_retry: false,
        alpn: None,
        chain: Vec::new(),
        judgement: None,
        judging: None,
        client_certificate: Default::default(),
        bytes_sent: 0,
        bytes_received: 0,
        flights: 0,
        failure: Some(failure),
    }
}

/// Those that rustls has, lowest first.
const VERSIONS: [(TlsVersion, &SupportedProtocolVersion); 2] =
    [(TlsVersion::Tls12, &rustls::version::TLS12), (TlsVersion::Tls13, &rustls::version::TLS13)];

/// The versions that the settings allow and rustls has, lowest first. Without a lower bound OpenSSL's own applies, which
/// is 1.2 where the security level is 2.
fn versions(settings: &Settings) -> Vec<(TlsVersion, &'static SupportedProtocolVersion)> {
    VERSIONS
        .into_iter()
        .filter(|(version, _)| {
            settings.min_tls.is_none_or(|min| *version >= min)
                && settings.max_tls.is_none_or(|max| *version <= max)
        })
        .collect()
}

/// The suites and groups that are offered.
pub(super) fn provider() -> CryptoProvider {
    // P-256 first: PostgreSQL up to 17 takes no other group by default, and each wrong guess is a round trip.
    CryptoProvider {
        kx_groups: vec![
            ring::kx_group::SECP256R1,
            ring::kx_group::X25519,
            ring::kx_group::SECP384R1,
            &p521::P521,
        ],
        ..ring::default_provider()
    }
}

/// What of it OpenSSL's configuration lets libpq offer.
///
/// # Errors
/// What is needed and missing here.
fn limited_provider(
    limits: &Offered,
    versions: &[(TlsVersion, &'static SupportedProtocolVersion)],
) -> Result<CryptoProvider, String> {
    let mut provider = provider();
    let highest = versions.last().map_or(TlsVersion::Tls13, |(version, _)| *version);
    if let Some(lacking) = limits.lacks(highest) {
        return Err(format!("a {lacking} to offer"));
    }
    let (suites, groups) = match highest {
        TlsVersion::Tls13 => (&limits.suites13, &limits.groups),
        _ => (&limits.suites12, &limits.groups),
    };
    let allowed = |suite: u16| limits.suites12.contains(&suite) || limits.suites13.contains(&suite);
    provider.cipher_suites.retain(|suite| allowed(suite.suite().into()));
    provider.kx_groups.retain(|group| groups.contains(&group.name().into()));
    let has = |number: &u16| provider.cipher_suites.iter().any(|suite| u16::from(suite.suite()) == *number);
    if !suites.iter().any(has) {
        let names: Vec<String> = suites.iter().map(|number| suite_name(*number)).collect();
        return Err(format!("one of the suites {}", names.join(", ")));
    }
    if provider.kx_groups.is_empty() {
        let names: Vec<String> = groups.iter().map(|number| group_name(*number)).collect();
        return Err(format!("one of the groups {}", names.join(", ")));
    }
    Ok(provider)
}

fn config(
    name: &server_name::ServerName,
    provider: Option<CryptoProvider>,
    versions: &[(TlsVersion, &'static SupportedProtocolVersion)],
    verifier: verifier::Verifier,
    client: client_certificate::Resolver,
) -> Result<ClientConfig, rustls::Error> {
    let mut config = match (name.placeholder(), provider) {
        (None, None) if versions.len() == VERSIONS.len() => match &*USUAL {
            Ok(usual) => usual.clone(),
            Err(error) => return Err(error.clone()),
        },
        (None, provider) => without_verifier(provider.unwrap_or_else(self::provider), versions)?,
        (Some(placeholder), provider) => {
            let provider = provider.unwrap_or_else(self::provider);
            without_verifier(placeholder.provider(&provider), versions)?
        }
    };
    config.dangerous().set_certificate_verifier(Arc::new(verifier));
    config.client_auth_cert_resolver = Arc::new(client);
    config.enable_sni = name.sent().is_some();
    Ok(config)
}

/// What is the same for all handshakes that nothing limits, made once.
static USUAL: LazyLock<Result<ClientConfig, rustls::Error>> =
    LazyLock::new(|| without_verifier(provider(), &VERSIONS));

/// Accepts nobody: each handshake has its own verifier.
fn without_verifier(
    provider: CryptoProvider,
    versions: &[(TlsVersion, &'static SupportedProtocolVersion)],
) -> Result<ClientConfig, rustls::Error> {
    let versions: Vec<_> = versions.iter().map(|(_, version)| *version).collect();
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&versions)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier::Nobody))
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    config.alpn_protocols = vec![ALPN.as_bytes().to_vec()];
    Ok(config)
}

/// Drives a handshake to its end; `None` when the time is over. rustls has the chain judged while it reads it: one so
/// large that judging takes long is read, judged and answered on a thread of its own.
async fn driven<F>(connecting: F, tap: &Tap<TcpStream>, deadline: Instant) -> Option<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    tap.hold_after(LONG);
    let mut connecting = Box::pin(connecting);
    let here = poll_fn(|context| match connecting.as_mut().poll(context) {
        Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
        Poll::Pending if tap.holds_back() => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    });
    if let Some(outcome) = here.await {
        return Some(outcome);
    }
    tap.let_through();
    own_thread::driven(timeout_at(deadline, connecting)).await.ok()
}

struct Connected {
    stream: SecureStream,
    /// Where it can be seen.
    alpn: Option<String>,
}

async fn connect(
    config: ClientConfig,
    name: server_name::ServerName,
    negotiation: SslNegotiation,
    tap: Tap<TcpStream>,
) -> io::Result<Connected> {
    match negotiation {
        SslNegotiation::Postgres => {
            let mut maker = MakeRustlsConnect::new(config);
            let connector: <MakeRustlsConnect as MakeTlsConnect<Tap<TcpStream>>>::TlsConnect =
                MakeTlsConnect::<Tap<TcpStream>>::make_tls_connect(&mut maker, &name.for_rustls())
                    .map_err(io::Error::other)?;
            let stream = connector.connect(tap).await?;
            Ok(Connected { stream: Box::new(stream), alpn: None })
        }
        SslNegotiation::Direct => {
            let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
            let name =
                rustls::pki_types::ServerName::try_from(name.for_rustls()).map_err(io::Error::other)?;
            let stream = connector.connect(name, tap).await?;
            let alpn = stream.get_ref().1.alpn_protocol();
            let alpn = alpn.map(|chosen| String::from_utf8_lossy(chosen).into_owned());
            Ok(Connected { stream: Box::new(stream), alpn })
        }
    }
}
