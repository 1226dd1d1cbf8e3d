//! Any evidence has an outcome, with nothing unprintable of the peer's in it and no weaker setting among its fixes.

use proptest::prelude::*;

use super::fixtures::*;
use crate::certificate::Certificate;
use crate::conninfo::{AuthMethod, BadPort, Endpoint, RootChoice, SslMode, SslNegotiation, TlsVersion};
use crate::diagnose::{Diagnosis, Fact, Outcome, StageStatus, Verdict, codes, diagnose};
use crate::evidence::*;
use crate::stage::Stage;
use crate::text::is_printable;
use crate::trust::{ClientIdentity, FileContent, FileError, IdentityError, KeyProblem, Roots};

fn text() -> impl Strategy<Value = String> {
    prop_oneof![".{0,30}", Just("\u{1b}[31m\u{202e}x".to_owned()), Just(String::new())]
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..40),
        Just(b"HTTP/1.1 200 OK".to_vec()),
        Just(b"SH-2.0-x".to_vec())
    ]
}

fn os() -> impl Strategy<Value = OsFailure> {
    use std::io::ErrorKind::*;
    (
        prop::sample::select(vec![ConnectionRefused, TimedOut, NetworkUnreachable, PermissionDenied, Other]),
        text(),
    )
        .prop_map(|(kind, text)| OsFailure { kind, code: Some(1), text })
}

fn closure() -> impl Strategy<Value = Closure> {
    prop_oneof![Just(Closure::Closed), Just(Closure::Reset)]
}

fn in_flight() -> impl Strategy<Value = Option<InFlight>> {
    prop::option::of(
        (any::<u32>(), any::<u32>())
            .prop_map(|(unacknowledged, retransmits)| InFlight { unacknowledged, retransmits }),
    )
}

fn resolution() -> impl Strategy<Value = Resolution> {
    let kinds =
        vec![DnsFailure::NoSuchName, DnsFailure::NoAddress, DnsFailure::Temporary, DnsFailure::Permanent];
    prop_oneof![
        Just(Resolution::Found(vec![])),
        Just(Resolution::Found(vec![address("10.0.0.1"), address("203.0.113.7")])),
        (prop::sample::select(kinds), any::<Option<i32>>(), text())
            .prop_map(|(kind, code, text)| Resolution::Failed { kind, code, text }),
        Just(Resolution::TimedOut),
    ]
}

fn tcp() -> impl Strategy<Value = TcpResult> {
    prop_oneof![
        4 => Just(TcpResult::Connected { local: "192.0.2.1:1".parse().ok() }),
        1 => os().prop_map(TcpResult::Failed),
        1 => Just(TcpResult::TimedOut),
    ]
}

fn negotiate() -> impl Strategy<Value = NegotiateResult> {
    prop_oneof![
        6 => Just(NegotiateResult::Accepted),
        1 => Just(NegotiateResult::Refused),
        1 => bytes().prop_map(NegotiateResult::Error),
        1 => bytes().prop_map(NegotiateResult::Injected),
        1 => bytes().prop_map(NegotiateResult::Foreign),
        1 => closure().prop_map(NegotiateResult::Ended),
        1 => in_flight().prop_map(NegotiateResult::TimedOut),
        1 => os().prop_map(NegotiateResult::Failed),
    ]
}

fn tls_failure() -> impl Strategy<Value = Option<TlsFailure>> {
    prop::option::of(prop_oneof![
        Just(TlsFailure::CertificateRefused),
        any::<u8>().prop_map(TlsFailure::AlertReceived),
        closure().prop_map(TlsFailure::Ended),
        in_flight().prop_map(TlsFailure::TimedOut),
        bytes().prop_map(TlsFailure::NotTls),
        Just(TlsFailure::NoAlpn),
        Just(TlsFailure::MessageTooLong),
        text().prop_map(TlsFailure::Protocol),
        text().prop_map(TlsFailure::Unsupported),
        os().prop_map(TlsFailure::Failed),
    ])
}

fn session_failure() -> impl Strategy<Value = Option<SessionFailure>> {
    let states = vec!["28P01", "28000", "3D000", "53300", "57P03", "57P01", "XX000", ""];
    let message = (prop::sample::select(states), text()).prop_map(|(sqlstate, message)| {
        SessionFailure::Server(ServerMessage {
            severity: "FATAL".to_owned(),
            sqlstate: sqlstate.to_owned(),
            detail: Some(message.clone()),
            hint: None,
            message,
        })
    });
    prop::option::of(prop_oneof![
        Just(SessionFailure::PasswordNeeded),
        message,
        any::<u8>().prop_map(SessionFailure::AlertReceived),
        Just(SessionFailure::MethodExcluded),
        Just(SessionFailure::MethodUnsupported),
        text().prop_map(|what| SessionFailure::ChannelBinding(ChannelBindingFailure::NoDigest(what))),
        text().prop_map(SessionFailure::ScramMismatch),
        any::<(Option<bool>, Option<bool>)>()
            .prop_map(|(standby, read_only)| SessionFailure::WrongSessionAttrs { standby, read_only }),
        Just(SessionFailure::CertificateModeUnmet),
        closure().prop_map(SessionFailure::Ended),
        Just(SessionFailure::TimedOut),
        text().prop_map(SessionFailure::Protocol),
        os().prop_map(SessionFailure::Failed),
    ])
}

fn endpoint() -> impl Strategy<Value = Endpoint> {
    prop_oneof![
        6 => text().prop_map(Endpoint::Name),
        1 => prop::option::of(text()).prop_map(|meant| Endpoint::Malformed { meant }),
        1 => Just(Endpoint::BadAddress),
        1 => Just(Endpoint::Address(address("::1"), None)),
        1 => text().prop_map(|path| Endpoint::Socket(path.into())),
    ]
}

fn roots() -> impl Strategy<Value = Option<Roots>> {
    let error = text().prop_map(|text| FileError { kind: std::io::ErrorKind::Other, text, obstacle: None });
    prop_oneof![
        4 => Just(None),
        1 => Just(Some(Roots::None)),
        1 => (prop::option::of(text()), prop::option::of(text())).prop_map(|(path, typed)| {
            Some(Roots::Missing { path: path.map(Into::into), typed: typed.map(Into::into), obstacle: None, similar: None })
        }),
        1 => (text(), error).prop_map(|(path, error)| Some(Roots::Unreadable { path: path.into(), error })),
        1 => (text(), text()).prop_map(|(path, what)| {
            Some(Roots::Invalid { path: path.into(), content: FileContent::BadBlock { line: 1, what } })
        }),
    ]
}

fn client() -> impl Strategy<Value = ClientIdentity> {
    prop_oneof![
        4 => Just(ClientIdentity::None),
        1 => text().prop_map(|path| ClientIdentity::Absent { path: path.into(), similar: None }),
        1 => text().prop_map(|path| {
            let error = IdentityError::KeyInvalid { path: path.into(), problem: KeyProblem::Damaged };
            ClientIdentity::Failed(error, None)
        }),
    ]
}

fn modes() -> impl Strategy<Value = SslMode> {
    use SslMode::*;
    prop::sample::select(vec![Disable, Allow, Prefer, Require, VerifyCa, VerifyFull])
}

prop_compose! {
    fn evidence()(
        (mode, direct, host, endpoint, bad_port) in (modes(), any::<bool>(), text(), endpoint(), any::<u8>()),
        (roots, client) in (roots(), client()),
        (dns, tcp, negotiate, plaintext) in (prop::option::of(resolution()), prop::option::of(tcp()), prop::option::of(negotiate()), 0u8..6),
        (tls, chain, judged, asked, sent, received) in (tls_failure(), 0usize..5, any::<bool>(), any::<bool>(), any::<bool>(), any::<u16>()),
        (has_tls, has_session, session, requested) in (any::<bool>(), any::<bool>(), session_failure(), text()),
        (tls_only, require_auth, many, look, alert) in (any::<bool>(), any::<bool>(), 0usize..3, text(), any::<u8>()),
    ) -> Evidence {
        let honest = Chain::honest();
        let chain: Vec<Certificate> = match chain {
            0 => vec![],
            1 => vec![Certificate::from_der(b"\x30\x00")],
            2 => vec![honest.leaf.clone()],
            3 => vec![honest.root.certificate.clone()],
            _ => honest.sent(),
        };
        let mut evidence = Evidence::of(chain, &[&honest.root.certificate]).with_settings(|settings| {
            settings.sslmode = mode;
            settings.negotiation = if direct { SslNegotiation::Direct } else { SslNegotiation::Postgres };
            settings.hosts[0].name = crate::conninfo::testing::value("host", &host);
            settings.hosts[0].endpoint = endpoint;
            settings.user = crate::conninfo::testing::value("user", &host);
            settings.root = RootChoice::Default(None);
            if bad_port == 0 {
                settings.hosts[0].port = Err(BadPort::NotANumber(host.clone()));
            }
        }).with_trust(|trust| {
            if let Some(roots) = roots {
                trust.roots = roots;
            }
            trust.client = client;
        });
        evidence.scope = Scope { tls_only, require_auth, expires_within: None, fail_within: None };
        evidence.looks.push(super::fixtures::look("203.0.113.7:5432", Question::SslRequest, Answer::Alert(alert)));
        let healthy = Evidence::healthy().attempts.remove(0);
        let mut evidence = evidence.with_look(HelloPurpose::Unsupported, Some(&look), Answer::Alert(alert));
        let attempt = &mut evidence.attempts[0];
        attempt.dns = dns.map(|result| step(0.0, 1.0, result));
        attempt.tcp = tcp.map(|result| step(0.0, 1.0, result));
        attempt.negotiate = negotiate.map(|result| step(0.0, 1.0, result));
        attempt.plaintext = (plaintext == 0).then(|| step(0.0, 1.0, PlaintextAnswer::Admitted));
        let record = &mut attempt.tls.as_mut().unwrap().result;
        record.failure = tls;
        record.bytes_received = received.into();
        record.client_certificate = ClientCertificateRecord { requested: asked, authorities: vec![look.clone()], sent };
        record.cipher = Some(look.clone());
        record.offer.versions = vec![TlsVersion::Tls12];
        if !judged {
            record.judgement = None;
        }
        attempt.session = healthy.session;
        let record = &mut attempt.session.as_mut().unwrap().result;
        record.failure = session;
        record.server_version = Some(requested.clone());
        record.requested = vec![AuthRequest { method: AuthMethod::ScramSha256, mechanisms: vec![requested], code: 10 }];
        if !has_tls {
            attempt.tls = None;
        }
        if !has_session {
            attempt.session = None;
        }
        let attempt = evidence.attempts.remove(0);
        evidence.attempts = vec![attempt; many];
        evidence
    }
}

fn check(outcome: &Outcome) {
    assert_eq!(outcome.verdict == Verdict::Failed, outcome.diagnosis.is_some());
    // No text says more of TLS than the sslmode verified.
    let mode = outcome.evidence.config.as_ref().map(|settings| settings.sslmode);
    if mode != Ok(SslMode::VerifyFull) {
        let found = outcome.diagnosis.iter().chain(&outcome.also).chain(outcome.earlier.iter().flatten());
        let texts = found.flat_map(|found| {
            let fixes = found.fixes.iter().filter(|fix| !fix.names("sslmode")).map(|fix| &fix.text);
            [&found.title, &found.cause].into_iter().chain(fixes)
        });
        for text in texts {
            assert!(!text.contains("TLS is verified") && !text.contains("verified TLS"), "{text}");
        }
    }
    if outcome.verdict == Verdict::Verified {
        assert_eq!(
            outcome.evidence.config.as_ref().map(|settings| settings.sslmode),
            Ok(SslMode::VerifyFull)
        );
    }
    assert_eq!(outcome.stages.iter().map(|line| line.stage).collect::<Vec<_>>(), Stage::ALL);
    assert_eq!(outcome.of_attempts().count(), outcome.evidence.attempts.len());
    if let Some(diagnosis) = &outcome.diagnosis {
        let line = outcome.stages.iter().find(|line| line.stage == diagnosis.code.stage).unwrap();
        assert_eq!(line.status, StageStatus::Failed);
        assert!(!diagnosis.title.is_empty() && !diagnosis.fixes.is_empty(), "{diagnosis:#?}");
        assert!(outcome.also.iter().all(|other| other.code != diagnosis.code));
    }
    for diagnosis in outcome.diagnosis.iter().chain(&outcome.also).chain(outcome.earlier.iter().flatten()) {
        printable(diagnosis);
        for (keyword, value) in diagnosis.fixes.iter().flat_map(|fix| &fix.settings) {
            assert!(*keyword != "sslmode" || value == "verify-full", "{diagnosis:#?}");
            assert!(!["password", "sslpassword"].contains(keyword), "{diagnosis:#?}");
        }
    }
}

/// Titles and facts hold nothing unprintable; settings and commands hold exact values, which the reports clean.
fn printable(diagnosis: &Diagnosis) {
    let mut texts = vec![diagnosis.title.clone(), diagnosis.cause.clone()];
    for (label, fact) in &diagnosis.evidence {
        match fact {
            Fact::Text(_) if *label == "given" => {}
            Fact::Text(text) => texts.push(text.clone()),
            Fact::List(items) => texts.extend(items.iter().cloned()),
            Fact::Number(_) => {}
        }
    }
    for text in texts {
        assert!(text.chars().all(is_printable), "{text:?} in {diagnosis:#?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..crate::properties::config() })]

    #[test]
    fn any_evidence_has_an_outcome(evidence in evidence()) {
        check(&diagnose(evidence));
    }
}

#[test]
fn verified_means_that_somebody_judged() {
    let unjudged = Evidence::healthy().with_attempt(|attempt| {
        attempt.tls.as_mut().unwrap().result.judgement = None;
    });
    unjudged.fails(&codes::CERTIFICATE_INVALID);
    Evidence::healthy().with_attempt(|attempt| attempt.tls = None).fails(&codes::TLS_TIMEOUT);
    Evidence::healthy().with_attempt(|attempt| attempt.negotiate = None).fails(&codes::NEGOTIATION_TIMEOUT);
    Evidence::healthy().with_attempt(|attempt| attempt.tcp = None).fails(&codes::TCP_TIMEOUT);
    Evidence::healthy().with(|evidence| evidence.attempts.clear()).fails(&codes::DNS_FAILURE);
}
