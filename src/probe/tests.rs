//! The probe against small servers in the same process, each wrong in one way.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

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
use crate::trust::{FileCertificate, RootSource, RootStore, Roots};

const NAME: &str = "db.example";

/// A server's certificate, which is its own root, and the acceptor that shows it.
struct Pki {
    certificate: Certificate,
    key: rustls::pki_types::PrivateKeyDer<'static>,
}

impl Pki {
    fn new() -> Self {
        let issued = rcgen::generate_simple_self_signed([NAME.to_owned()]).unwrap();
        Self {
            certificate: Certificate::from_der(issued.cert.der()),
            key: rustls::pki_types::PrivateKeyDer::try_from(issued.signing_key.serialize_der()).unwrap(),
        }
    }

    fn acceptor(&self, alpn: &[&str]) -> TlsAcceptor {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let chain = vec![self.certificate.der().to_vec().into()];
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
        plan.trust.roots = Roots::Loaded(RootStore {
            source: RootSource::Given("root.crt".into()),
            certificates: vec![FileCertificate {
                certificate: self.certificate.clone(),
                file: "root.crt".into(),
                line: 1,
            }],
        });
        plan
    }
}

/// Answers SSLRequest with yes.
async fn say_yes(stream: &mut TcpStream) {
    stream.read_exact(&mut [0; 8]).await.unwrap();
    stream.write_all(b"S").await.unwrap();
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
const FATAL_57P03: &[u8] = b"SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0";

/// How a session with a scripted server went: the evidence, and what the client said after the start-up message.
fn scripted(script: Vec<u8>, change: impl FnOnce(&mut Plan)) -> (Evidence, Vec<u8>) {
    conversed(vec![script], change)
}

/// The same with a server that says the next part after each message of the client's.
fn conversed(script: Vec<Vec<u8>>, change: impl FnOnce(&mut Plan)) -> (Evidence, Vec<u8>) {
    run(async move {
        let pki = Pki::new();
        let acceptor = pki.acceptor(&["postgresql"]);
        let heard = Arc::new(Mutex::new(Vec::new()));
        let keep = Arc::clone(&heard);
        let address = serve(move |mut stream| {
            let (acceptor, script, keep) = (acceptor.clone(), script.clone(), Arc::clone(&keep));
            async move {
                say_yes(&mut stream).await;
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
        let heard = heard.lock().unwrap().clone();
        (evidence, heard)
    })
}

fn with_password(plan: &mut Plan) {
    let password = Password { secret: Secret::new(b"secret".to_vec()), origin: Origin::ConnectionString };
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

/// How a handshake fails with a server that answers the ClientHello with these bytes and goes.
fn answered(answer: &'static [u8]) -> TlsFailure {
    run(async move {
        let address = serve(move |mut stream| async move {
            say_yes(&mut stream).await;
            let _ = stream.read(&mut [0; 2048]).await;
            stream.write_all(answer).await.unwrap();
        })
        .await;
        tls_failure(&probe(&Pki::new().plan(&[address])).await).clone()
    })
}

#[test]
fn handshakes_that_end_early_are_told_apart() {
    assert_eq!(answered(b""), TlsFailure::Ended(Closure::Closed));
    assert_eq!(answered(b"HTTP/1.1 400\r\n"), TlsFailure::NotTls(b"HTTP/1.1 400\r\n".to_vec()));
    assert_eq!(answered(b"E\0\0\0\x08xx"), TlsFailure::NotTls(b"E\0\0\0\x08xx".to_vec()));
    assert_eq!(answered(&[21, 3, 3, 0, 2, 2, 40]), TlsFailure::AlertReceived(40));
    assert!(matches!(answered(&[22, 3, 3, 0, 4, 1, 0, 0, 0]), TlsFailure::Protocol(_)));
}

#[test]
fn a_reset_in_the_handshake_is_no_close() {
    run(async {
        let address = serve(|mut stream| async move {
            say_yes(&mut stream).await;
            let _ = stream.read(&mut [0; 2048]).await;
            socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
        })
        .await;
        let evidence = probe(&Pki::new().plan(&[address])).await;
        assert_eq!(tls_failure(&evidence), &TlsFailure::Ended(Closure::Reset));
    });
}

#[test]
fn silence_in_the_handshake_ends_at_the_deadline_and_goes_on_to_the_next_host() {
    run(async {
        let silent = serve(|mut stream| async move {
            say_yes(&mut stream).await;
            let _ = stream.read_to_end(&mut Vec::new()).await;
        })
        .await;
        let mut plan = Pki::new().plan(&[silent, silent]);
        plan.settings.connect_timeout = Some(Duration::from_millis(200));
        plan.second_looks = true;
        let begin = Instant::now();
        let evidence = probe(&plan).await;
        assert!(begin.elapsed() < Duration::from_millis(2500), "{:?}", begin.elapsed());
        assert_eq!(evidence.attempts.len(), 2);
        for attempt in &evidence.attempts {
            let tls = &attempt.tls.as_ref().unwrap().result;
            assert!(matches!(tls.failure, Some(TlsFailure::TimedOut(_))));
            assert!(tls.bytes_sent > 200 && tls.bytes_received == 0);
        }
        let purposes: Vec<_> = evidence
            .looks
            .iter()
            .map(|look| match &look.question {
                Question::Hello(offer) => (offer.purpose, &look.answer),
                other => panic!("{other:?}"),
            })
            .collect();
        let silence = &Answer::TimedOut;
        assert_eq!(purposes, [(HelloPurpose::SmallHello, silence), (HelloPurpose::ShortAnswer, silence)]);
    });
}

#[test]
fn the_whole_targets_limit_ends_everything() {
    run(async {
        let silent = serve(|mut stream| async move {
            let _ = stream.read_to_end(&mut Vec::new()).await;
        })
        .await;
        let mut plan = Pki::new().plan(&[silent, silent, silent]);
        plan.total_limit = Some(Duration::from_millis(200));
        let begin = Instant::now();
        let evidence = probe(&plan).await;
        assert!(begin.elapsed() < Duration::from_secs(2));
        assert_eq!(evidence.attempts.len(), 1);
        let result = &last(&evidence).negotiate.as_ref().unwrap().result;
        assert!(matches!(result, NegotiateResult::TimedOut(_)));
    });
}

#[test]
fn a_flood_in_the_handshake_is_cut_off() {
    run(async {
        let address = serve(|mut stream| async move {
            say_yes(&mut stream).await;
            let _ = stream.read(&mut [0; 2048]).await;
            // Empty ChangeCipherSpec-like records would be counted by rustls itself; these are of a handshake message
            // that never ends.
            let mut record = vec![22, 3, 3, 0x3F, 0xFF];
            record.extend([2, 0xFF, 0xFF, 0xFF]);
            record.resize(5 + 0x3FFF, 0);
            while stream.write_all(&record).await.is_ok() {}
        })
        .await;
        let evidence = probe(&Pki::new().plan(&[address])).await;
        assert!(matches!(tls_failure(&evidence), TlsFailure::Protocol(_)));
        assert!(last(&evidence).tls.as_ref().unwrap().result.bytes_received <= 300 * 1024);
    });
}

#[test]
fn direct_tls_without_alpn_is_refused_and_nothing_is_sent() {
    run(async {
        let pki = Pki::new();
        let acceptor = pki.acceptor(&[]);
        let heard = Arc::new(Mutex::new(None));
        let keep = Arc::clone(&heard);
        let address = serve(move |stream| {
            let (acceptor, keep) = (acceptor.clone(), Arc::clone(&keep));
            async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let mut rest = Vec::new();
                let _ = stream.read_to_end(&mut rest).await;
                *keep.lock().unwrap() = Some(rest);
            }
        })
        .await;
        let mut plan = pki.plan(&[address]);
        plan.settings.negotiation = SslNegotiation::Direct;
        let evidence = probe(&plan).await;
        assert_eq!(tls_failure(&evidence), &TlsFailure::NoAlpn);
        assert_eq!(heard.lock().unwrap().as_deref(), Some(&b""[..]));
    });
}

#[test]
fn a_session_is_seen_and_ended_well() {
    let script = [
        said(b'N', b"SNOTICE\0VNOTICE\0C00000\0Mhello\0\0"),
        asked(0, b""),
        said(b'S', b"server_version\x0018.4\0"),
        said(b'S', b"odd\0\xff\0"),
        said(b'K', &[0; 36]),
        READY.to_vec(),
    ];
    let answer = [
        said(b'T', &[&[0, 1][..], b"ssl\0", &[0; 18]].concat()),
        said(b'D', &[0, 1, 0, 0, 0, 1, b't']),
        said(b'C', b"SELECT 1\0"),
        READY.to_vec(),
    ];
    let (evidence, heard) = conversed(vec![script.concat(), answer.concat()], |_| {});
    let session = session(&evidence);
    assert_eq!(session.failure, None);
    assert_eq!(session.server_version.as_deref(), Some("18.4"));
    assert_eq!(session.notices[0].message, "hello");
    assert_eq!(session.backend_ssl, Some(true));
    assert_eq!(session.last_message, Some(b'Z'));
    assert!(session.ready.is_some() && session.authenticated.is_some());
    let terminate = b"X\0\0\0\x04";
    assert!(heard.starts_with(b"Q") && heard.ends_with(terminate), "{}", String::from_utf8_lossy(&heard));
}

#[test]
fn no_password_and_methods_that_cannot_be_used_end_politely() {
    for (script, expected) in [
        (asked(3, b""), SessionFailure::PasswordNeeded),
        (asked(5, b"salt"), SessionFailure::PasswordNeeded),
        (asked(10, b"SCRAM-SHA-256\0\0"), SessionFailure::PasswordNeeded),
        (asked(7, b""), SessionFailure::MethodUnsupported),
        (asked(10, b"OAUTHBEARER\0\0"), SessionFailure::MethodUnsupported),
    ] {
        let (evidence, heard) = scripted(script, |_| {});
        assert_eq!(session(&evidence).failure.as_ref(), Some(&expected));
        assert_eq!(session(&evidence).requested.len(), 1);
        assert_eq!(heard, b"", "{}", String::from_utf8_lossy(&heard));
    }
}

#[test]
fn a_password_is_sent_only_where_the_settings_allow_it() {
    let (evidence, heard) = scripted([asked(3, b""), asked(0, b""), READY.to_vec()].concat(), with_password);
    assert!(session(&evidence).authenticated.is_some());
    assert!(heard.starts_with(b"p\0\0\0\x0bsecret\0"), "{heard:?}");
    for change in [
        (|plan| plan.settings.require_auth = RequireAuth::Except(vec![AuthMethod::Password]))
            as fn(&mut Plan),
        |plan| plan.settings.require_auth = RequireAuth::Only(vec![AuthMethod::ScramSha256]),
        |plan| plan.settings.channel_binding = ChannelBinding::Require,
    ] {
        let (evidence, heard) = scripted(asked(3, b""), |plan| {
            with_password(plan);
            change(plan);
        });
        assert!(session(&evidence).failure.is_some());
        assert_eq!(heard, b"");
    }
    let unmet = session_failure([asked(0, b""), READY.to_vec()].concat(), |plan| {
        plan.settings.certificate_mode = SslCertMode::Require;
    });
    assert_eq!(unmet, SessionFailure::CertificateModeUnmet);
}

#[test]
fn scram_that_goes_wrong_is_named() {
    let offer = asked(10, b"SCRAM-SHA-256\0\0");
    let many = asked(11, b"r=x,s=AAAA,i=2000000");
    let failure = session_failure([offer.clone(), many].concat(), with_password);
    assert_eq!(failure, SessionFailure::TooManyIterations(2_000_000));
    // A nonce that does not begin with the client's.
    let stranger = asked(11, b"r=x,s=AAAA,i=4096");
    let failure = session_failure([offer, stranger].concat(), with_password);
    assert!(matches!(failure, SessionFailure::ScramMismatch(_)), "{failure:?}");
}

#[test]
fn what_a_hostile_server_says_is_bounded() {
    let announced = [&b"E"[..], &0x4000_0000_u32.to_be_bytes()].concat();
    assert!(matches!(session_failure(announced, |_| {}), SessionFailure::Protocol(_)));
    let notice = said(b'N', &[&b"M"[..], &[b'x'; 10_000], b"\0\0"].concat());
    let (evidence, _) = scripted(notice.repeat(40), |_| {});
    assert!(matches!(session(&evidence).failure, Some(SessionFailure::Protocol(_))));
    assert!(session(&evidence).notices.len() <= 20);
    assert!(session(&evidence).notices.iter().all(|notice| notice.message.len() <= 4096));
    let garbage = session_failure(said(b'Q', b"?"), |_| {});
    assert!(matches!(garbage, SessionFailure::Protocol(_)), "{garbage:?}");
}

#[test]
fn sessions_that_end_or_fall_silent_are_told_apart() {
    let timeout = |plan: &mut Plan| plan.settings.connect_timeout = Some(Duration::from_millis(300));
    assert_eq!(session_failure(Vec::new(), timeout), SessionFailure::TimedOut);
    let (evidence, _) = scripted(asked(0, b""), timeout);
    assert_eq!(session(&evidence).failure, Some(SessionFailure::TimedOut));
    assert_eq!(session(&evidence).last_message, Some(b'R'));
    run(async {
        let pki = Pki::new();
        let acceptor = pki.acceptor(&[]);
        let address = serve(move |mut stream| {
            let acceptor = acceptor.clone();
            async move {
                say_yes(&mut stream).await;
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                message(&mut stream, false).await;
                stream.shutdown().await.unwrap();
            }
        })
        .await;
        let evidence = probe(&pki.plan(&[address])).await;
        assert_eq!(session(&evidence).failure, Some(SessionFailure::Ended(Closure::Closed)));
    });
}

#[test]
fn target_session_attrs_go_on_to_the_next_host_and_prefer_standby_comes_back() {
    let primary = [
        asked(0, b""),
        said(b'S', b"in_hot_standby\0off\0"),
        said(b'S', b"default_transaction_read_only\0off\0"),
        READY.to_vec(),
    ];
    let primary = vec![primary.concat(), [said(b'C', b"SELECT 0\0"), READY.to_vec()].concat()];
    let wanting = |wanted| move |plan: &mut Plan| plan.settings.target_session_attrs = wanted;
    let (evidence, _) = conversed(primary.clone(), wanting(TargetSessionAttrs::Standby));
    let wrong = SessionFailure::WrongSessionAttrs { standby: Some(false), read_only: Some(false) };
    assert_eq!(session(&evidence).failure, Some(wrong.clone()));
    let (evidence, _) = conversed(primary, wanting(TargetSessionAttrs::PreferStandby));
    assert_eq!(evidence.attempts.len(), 2);
    assert_eq!(evidence.attempts[0].session.as_ref().unwrap().result.failure, Some(wrong));
    assert_eq!(session(&evidence).failure, None);
}

#[test]
fn a_server_that_starts_up_is_left_for_the_next_host() {
    let (evidence, _) = scripted(said(b'E', FATAL_57P03), |plan| {
        let again = plan.settings.hosts[0].clone();
        plan.settings.hosts.push(again);
    });
    assert_eq!(evidence.attempts.len(), 2);
    let Some(SessionFailure::Server(message)) = &session(&evidence).failure else { panic!() };
    assert_eq!(message.sqlstate, "57P03");
    let (evidence, _) = scripted(said(b'E', b"SFATAL\0C28P01\0Mno\0\0"), |plan| {
        let again = plan.settings.hosts[0].clone();
        plan.settings.hosts.push(again);
    });
    assert_eq!(evidence.attempts.len(), 1);
}

#[test]
fn slots_without_an_address_are_passed_over_or_final_as_in_libpq() {
    run(async {
        let refused = serve(|mut stream| async move {
            stream.read_exact(&mut [0; 8]).await.unwrap();
            stream.write_all(b"N").await.unwrap();
        })
        .await;
        let slot = || host_at(NAME, refused);
        let attempts = async |hosts: Vec<Host>| probe(&plan(hosts)).await.attempts;
        let bad = Host { port: Err(BadPort::OutOfRange("0".to_owned())), ..slot() };
        let word = Host { port: Err(BadPort::NotANumber("x".to_owned())), ..slot() };
        let malformed = Host { endpoint: Endpoint::Malformed { meant: None }, ..slot() };
        let no_address = Host { endpoint: Endpoint::BadAddress, ..slot() };
        let nobody = Host { endpoint: Endpoint::Socket("/nonexistent".into()), ..slot() };
        let tried = attempts(vec![bad, malformed, no_address, nobody.clone(), slot(), slot()]).await;
        assert_eq!(tried.len(), 5, "a server without TLS is final");
        assert_eq!(tried.iter().map(|attempt| attempt.host).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
        assert_eq!(tried[4].negotiate.as_ref().unwrap().result, NegotiateResult::Refused);
        assert_eq!(attempts(vec![word, slot()]).await.len(), 1);
        assert_eq!(attempts(vec![nobody]).await.len(), 1);
        let mut plan = plan(vec![slot()]);
        plan.settings.sslmode = SslMode::Disable;
        assert!(probe(&plan).await.attempts.is_empty());
    });
}

#[test]
fn a_unix_socket_where_somebody_listens_is_final() {
    run(async {
        let directory = tempfile::tempdir().unwrap();
        let _listener = tokio::net::UnixListener::bind(directory.path().join(".s.PGSQL.5432")).unwrap();
        let socket = Host { endpoint: Endpoint::Socket(directory.path().into()), ..host_named("") };
        let evidence = probe(&plan(vec![socket, host_named("name.invalid")])).await;
        assert_eq!(evidence.attempts.len(), 1);
    });
}

#[test]
fn a_name_is_resolved_and_its_addresses_tried_in_turn() {
    run(async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let host = Host { port: Ok(port), ..host_named("localhost") };
        let evidence = probe(&plan(vec![host])).await;
        let dns = last(&evidence).dns.as_ref().unwrap();
        let Resolution::Found(found) = &dns.result else { panic!("{dns:?}") };
        assert_eq!(evidence.attempts.len(), found.len());
        for attempt in &evidence.attempts {
            assert!(matches!(attempt.tcp.as_ref().unwrap().result, TcpResult::Failed(_)));
        }
    });
}

#[test]
fn a_name_that_does_not_resolve_names_the_resolvers() {
    let evidence = run(async { probe(&plan(vec![host_named(&"x".repeat(64))])).await });
    let dns = last(&evidence).dns.as_ref().unwrap();
    assert!(matches!(dns.result, Resolution::Failed { .. }));
    assert!(last(&evidence).tcp.is_none());
    assert_eq!(evidence.resolvers, super::dns::resolvers());
}

#[test]
fn a_connection_closed_at_once_is_asked_again() {
    run(async {
        let address = serve(|mut stream| async move {
            stream.read_exact(&mut [0; 8]).await.unwrap();
        })
        .await;
        let mut plan = plan(vec![host_at(NAME, address)]);
        plan.second_looks = true;
        let evidence = probe(&plan).await;
        assert_eq!(
            last(&evidence).negotiate.as_ref().unwrap().result,
            NegotiateResult::Ended(Closure::Closed)
        );
        assert_eq!(evidence.looks.len(), 1);
        assert_eq!(evidence.looks[0].question, Question::SslRequest);
        assert_eq!(evidence.looks[0].answer, Answer::Ended(Closure::Closed));
    });
}

#[test]
fn another_certificate_under_the_name_is_found() {
    run(async {
        let pki = Pki::new();
        let other = rcgen::generate_simple_self_signed(["other.example".to_owned()]).unwrap();
        let other = Pki {
            certificate: Certificate::from_der(other.cert.der()),
            key: rustls::pki_types::PrivateKeyDer::try_from(other.signing_key.serialize_der()).unwrap(),
        };
        let (named, unnamed) = (pki.acceptor(&[]), other.acceptor(&[]));
        let address = serve(move |mut stream| {
            let (named, unnamed) = (named.clone(), unnamed.clone());
            async move {
                say_yes(&mut stream).await;
                let mut hello = [0; 2048];
                let count = stream.peek(&mut hello).await.unwrap();
                let told = hello[..count].windows(NAME.len()).any(|window| window == NAME.as_bytes());
                let acceptor = if told { named } else { unnamed };
                let _ = acceptor.accept(stream).await;
            }
        })
        .await;
        let mut plan = other.plan(&[address]);
        plan.settings.sni = false;
        plan.second_looks = true;
        let evidence = probe(&plan).await;
        assert_eq!(tls_failure(&evidence), &TlsFailure::CertificateRefused);
        let [look] = evidence.looks.as_slice() else { panic!("{:?}", evidence.looks) };
        let Answer::ServerHello { leaf: Some(leaf), .. } = &look.answer else { panic!("{look:?}") };
        assert_eq!(leaf, &pki.certificate);
    });
}

#[test]
fn names_leave_exactly_as_they_were_typed() {
    run(async {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let keep = Arc::clone(&heard);
        let address = serve(move |mut stream| {
            let keep = Arc::clone(&keep);
            async move {
                say_yes(&mut stream).await;
                let mut hello = vec![0; 2048];
                let count = stream.read(&mut hello).await.unwrap();
                hello.truncate(count);
                *keep.lock().unwrap() = hello;
            }
        })
        .await;
        for name in ["DB.Example", "db.example.", "_x", "b\u{f6}se"] {
            let evidence = probe(&plan(vec![host_at(name, address)])).await;
            let record = &last(&evidence).tls.as_ref().unwrap().result;
            assert_eq!(record.offer.sni.as_deref(), Some(name));
            let hello = heard.lock().unwrap().clone();
            assert!(hello.windows(name.len()).any(|window| window == name.as_bytes()), "{name}");
            assert_eq!(record.bytes_sent, hello.len());
        }
    });
}

#[test]
fn sslmode_allow_goes_on_to_tls_after_a_refusal_and_never_after_silence() {
    let allow = |mut plan: Plan| {
        plan.settings.sslmode = SslMode::Allow;
        plan.settings.connect_timeout = Some(Duration::from_millis(300));
        plan
    };
    run(async {
        let silent = serve(|mut stream| async move {
            let _ = stream.read_to_end(&mut Vec::new()).await;
        })
        .await;
        let evidence = probe(&allow(plan(vec![host_at(NAME, silent)]))).await;
        assert!(matches!(last(&evidence).tcp.as_ref().unwrap().result, TcpResult::Connected { .. }));
        let result = &last(&evidence).negotiate.as_ref().unwrap().result;
        assert!(matches!(result, NegotiateResult::TimedOut(_)));

        let refusing = serve(|mut stream| async move {
            let mut message = [0; 8];
            stream.read_exact(&mut message).await.unwrap();
            let answer = match message == super::negotiate::SSL_REQUEST {
                true => b"N".to_vec(),
                false => said(b'E', b"SFATAL\0C28000\0Mno\0\0"),
            };
            stream.write_all(&answer).await.unwrap();
            let _ = stream.read_to_end(&mut Vec::new()).await;
        })
        .await;
        let evidence = probe(&allow(plan(vec![host_at(NAME, refusing)]))).await;
        let answer = &last(&evidence).plaintext.as_ref().unwrap().result;
        assert!(matches!(answer, PlaintextAnswer::Refused(message) if message.sqlstate == "28000"));
        assert_eq!(last(&evidence).negotiate.as_ref().unwrap().result, NegotiateResult::Refused);

        let mut only_tls = allow(plan(vec![host_at(NAME, refusing)]));
        only_tls.scope.tls_only = true;
        assert!(last(&probe(&only_tls).await).plaintext.is_none(), "a user name would have left");
    });
}

#[test]
fn tls_alone_ends_after_the_verdict() {
    let (evidence, heard) = scripted(Vec::new(), |plan| plan.scope.tls_only = true);
    assert_eq!(last(&evidence).tls.as_ref().unwrap().result.failure, None);
    assert!(last(&evidence).session.is_none());
    assert_eq!(heard, b"");
}
