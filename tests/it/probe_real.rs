//! The probe against real PostgreSQL servers: what is in the evidence, and what the server saw of it.

use std::time::Duration;

use pgtls_check::conninfo::*;
use pgtls_check::evidence::*;
use pgtls_check::plan::Plan;
use pgtls_check::secret::Secret;
use pgtls_check::timestamp::Timestamp;
use pgtls_check::trust::{self, Trust};

use super::support::home::Home;
use super::support::pki::{Algorithm, Chain, Draft};
use super::support::postgres::Postgres;
use super::support::psql::Psql;
use super::support::service::free_port;
use super::support::site::{GUARDED, NAME, OPEN, PASSWORD, Site};

/// A check still to be made.
struct Check {
    home: Home,
    settings: Settings,
    scope: Scope,
    second_looks: bool,
}

impl Check {
    /// verify-full of a site's server with the root of its chain.
    fn of(site: &Site, user: &str) -> Self {
        Self::with_root(site, user, &site.chain)
    }

    fn with_root(site: &Site, user: &str, chain: &Chain) -> Self {
        let home = Home::new();
        let path = home.write("root.pem", chain.root.pem());
        let string = format!(
            "host={NAME} hostaddr=127.0.0.1 port={} user={user} dbname=postgres sslmode=verify-full sslrootcert={} \
             keepalives_idle=60 keepalives_interval=10 keepalives_count=3 tcp_user_timeout=30000 \
             application_name='probe ü'",
            site.server.port(),
            path.display()
        );
        let settings =
            resolve(Some(string.as_bytes()), &Overrides::default(), &Environment::default()).unwrap();
        Self { home, settings, scope: Scope::default(), second_looks: false }
    }

    fn set(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.settings);
        self
    }

    fn password(self, password: &str) -> Self {
        let password =
            Password { secret: Secret::new(password.into()), origin: Origin::ConnectionString, lines: None };
        self.set(|settings| settings.hosts[0].password = Some(password))
    }

    fn tls_only(mut self) -> Self {
        self.scope.tls_only = true;
        self
    }

    fn looking_twice(mut self) -> Self {
        self.second_looks = true;
        self
    }

    fn run(self) -> Evidence {
        let environment = Environment { current_dir: self.home.path().to_owned(), ..Environment::default() };
        let trust: Trust = trust::load(&self.settings, &environment);
        let now = Timestamp::now();
        let plan = Plan {
            only: None,
            settings: self.settings,
            trust: trust.into(),
            started: now,
            scope: self.scope,
            total_limit: Some(Duration::from_secs(60)),
            second_looks: self.second_looks,
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(pgtls_check::probe::probe(&plan))
    }
}

fn value(keyword: &str, text: &str) -> ParameterValue {
    ParameterValue::of(keyword, text.into(), false)
}

fn host(name: &str, port: u16) -> Host {
    Host {
        name: value("host", name),
        endpoint: Endpoint::Address([127, 0, 0, 1].into(), None),
        port: Ok(port),
        password: None,
    }
}

fn last(evidence: &Evidence) -> &Attempt {
    evidence.attempts.last().expect("an attempt")
}

fn tls(evidence: &Evidence) -> &TlsRecord {
    &last(evidence).tls.as_ref().unwrap_or_else(|| panic!("no handshake: {:#?}", last(evidence))).result
}

fn session(evidence: &Evidence) -> &SessionRecord {
    &last(evidence).session.as_ref().unwrap_or_else(|| panic!("no session: {:#?}", tls(evidence))).result
}

/// The lines of the log that tell of trouble.
fn trouble(site: &Site) -> Vec<String> {
    let log = site.server.log();
    let signs = ["ERROR:", "FATAL:", "could not receive", "could not accept", "unexpected EOF", "SSL error"];
    log.lines().filter(|line| signs.iter().any(|sign| line.contains(sign))).map(str::to_owned).collect()
}

#[test]
fn a_healthy_server_is_seen_whole() {
    for version in [15, 18] {
        for algorithm in [Algorithm::Rsa, Algorithm::Ecdsa] {
            let site = Site::new(version, algorithm, |setup| setup);
            let evidence = Check::of(&site, OPEN).run();
            let (tls, session) = (tls(&evidence), session(&evidence));
            assert_eq!(tls.failure, None);
            assert_eq!((tls.version, tls.hello_retry), (Some(TlsVersion::Tls13), false));
            assert_eq!(tls.cipher.as_deref(), Some("TLS_AES_256_GCM_SHA384"));
            assert_eq!(tls.group.as_deref(), Some("secp256r1"));
            assert_eq!(tls.offer.sni.as_deref(), Some(NAME));
            assert_eq!(tls.chain.len(), 2);
            assert!(tls.judgement.as_ref().unwrap().accepted);
            // SSLRequest and the handshake; with TCP's own the verdict takes three round trips.
            assert_eq!(tls.flights, 2);
            assert!(tls.bytes_sent > 200 && tls.bytes_received > 1000);
            assert_eq!(session.failure, None);
            assert!(session.authenticated.unwrap() <= session.ready.unwrap());
            assert_eq!(session.requested, []);
            assert!(session.server_version.as_ref().unwrap().starts_with(&version.to_string()));
            assert_eq!(session.backend_ssl, Some(true));
            assert_eq!(last(&evidence).negotiate.as_ref().unwrap().result, NegotiateResult::Accepted);
            assert_eq!(trouble(&site), [""; 0], "{}", site.server.log());
        }
    }
}

#[test]
fn passwords_are_used_and_their_refusal_told() {
    for version in [15, 18] {
        let site = Site::new(version, Algorithm::Rsa, |setup| setup);
        let without = Check::of(&site, GUARDED).run();
        assert_eq!(session(&without).failure, Some(SessionFailure::PasswordNeeded));
        let request = &session(&without).requested[0];
        assert_eq!(request.method, AuthMethod::ScramSha256);
        assert_eq!(request.mechanisms, ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"]);
        let bound = |binding| move |settings: &mut Settings| settings.channel_binding = binding;
        for binding in [ChannelBinding::Disable, ChannelBinding::Prefer, ChannelBinding::Require] {
            let evidence = Check::of(&site, GUARDED).password(PASSWORD).set(bound(binding)).run();
            assert_eq!(session(&evidence).failure, None, "{binding:?}");
            assert!(session(&evidence).ready.is_some());
        }
        assert_eq!(trouble(&site), [""; 0]);
        let wrong = Check::of(&site, GUARDED).password("wrong").run();
        let Some(SessionFailure::Server(message)) = &session(&wrong).failure else {
            panic!("{:?}", session(&wrong))
        };
        assert_eq!((message.sqlstate.as_str(), message.severity.as_str()), ("28P01", "FATAL"));
        let open = Check::of(&site, OPEN).set(bound(ChannelBinding::Require)).run();
        assert_eq!(
            session(&open).failure,
            Some(SessionFailure::ChannelBinding(ChannelBindingFailure::NoAuthentication))
        );
        let only = Check::of(&site, GUARDED)
            .set(|settings| settings.require_auth = RequireAuth::Only(vec![AuthMethod::Md5]))
            .run();
        assert_eq!(session(&only).failure, Some(SessionFailure::MethodExcluded));
    }
}

#[test]
fn a_certificate_signed_with_ed25519_has_no_channel_binding() {
    let root = Draft::authority("Ed25519 root", Algorithm::Ed25519).self_signed();
    let leaf = Draft::server(NAME, Algorithm::Rsa).signed_by(&root);
    let chain = Chain { intermediate: root.clone(), root, leaf };
    let server = Postgres::version(15).tls(&chain).user(GUARDED, PASSWORD).start();
    let site = Site { server, chain };
    let bound = |binding| move |settings: &mut Settings| settings.channel_binding = binding;
    for binding in [ChannelBinding::Prefer, ChannelBinding::Require] {
        let evidence = Check::of(&site, GUARDED).password(PASSWORD).set(bound(binding)).run();
        let failure = ChannelBindingFailure::NoDigest("Ed25519".to_owned());
        assert_eq!(session(&evidence).failure, Some(SessionFailure::ChannelBinding(failure)));
    }
    let evidence = Check::of(&site, GUARDED).password(PASSWORD).set(bound(ChannelBinding::Disable)).run();
    assert_eq!(session(&evidence).failure, None);
    // libpq likewise.
    let home = Home::new();
    for (binding, connects) in [("prefer", false), ("disable", true)] {
        let conninfo =
            format!("{} password={PASSWORD} channel_binding={binding}", site.verify_full(&home, GUARDED));
        assert_eq!(Psql::libpq(15).connect(&home, &conninfo, &[]).connected, connects, "{binding}");
    }
}

#[test]
fn a_server_that_is_not_verified_learns_nothing() {
    let site = Site::new(18, Algorithm::Ecdsa, |setup| setup);
    let stranger = Chain::honest(NAME, Algorithm::Ecdsa);
    for other in [
        Check::with_root(&site, GUARDED, &stranger),
        Check::of(&site, GUARDED).set(|settings| settings.hosts[0].name = value("host", "other.example")),
    ] {
        let evidence = other.password(PASSWORD).run();
        assert_eq!(tls(&evidence).failure, Some(TlsFailure::CertificateRefused));
        assert!(!tls(&evidence).judgement.as_ref().unwrap().accepted);
        assert_eq!(tls(&evidence).chain.len(), 2);
        assert!(last(&evidence).session.is_none());
    }
    let log = site.server.log();
    assert!(!log.contains(&format!(" {GUARDED} ")), "{log}");
    assert!(log.contains("alert unknown ca") && !log.contains("could not receive data"), "{log}");
}

#[test]
fn tls_alone_sends_no_user_and_leaves_no_trace() {
    for version in [15, 18] {
        let site = Site::new(version, Algorithm::Rsa, |setup| setup);
        let evidence = Check::of(&site, OPEN).tls_only().run();
        assert_eq!(tls(&evidence).failure, None);
        assert!(last(&evidence).session.is_none());
        assert!(!site.server.log().contains(&format!(" {OPEN} ")), "{}", site.server.log());
        assert_eq!(trouble(&site), [""; 0]);
    }
}

#[test]
fn direct_tls_takes_a_round_trip_less_and_needs_alpn() {
    let direct = |settings: &mut Settings| settings.negotiation = SslNegotiation::Direct;
    let evidence = Check::of(Site::shared(18, Algorithm::Rsa), OPEN).set(direct).run();
    assert_eq!((tls(&evidence).failure.clone(), tls(&evidence).flights), (None, 1));
    assert_eq!(tls(&evidence).alpn.as_deref(), Some("postgresql"));
    assert_eq!(session(&evidence).failure, None);
    assert!(last(&evidence).negotiate.is_none());

    let evidence = Check::of(Site::shared(15, Algorithm::Rsa), OPEN).set(direct).looking_twice().run();
    assert!(matches!(tls(&evidence).failure, Some(TlsFailure::Ended(_))), "{:?}", tls(&evidence));
    let [look] = evidence.looks.as_slice() else { panic!("{:?}", evidence.looks) };
    assert!(matches!(look.answer, Answer::ServerHello { .. }), "{look:?}");
}

#[test]
fn tls_1_2_is_a_round_trip_more() {
    let site = Site::new(15, Algorithm::Rsa, |setup| setup.protocols("TLSv1.2", "TLSv1.2"));
    let evidence = Check::of(&site, OPEN).run();
    let tls = tls(&evidence);
    assert_eq!((tls.version, tls.failure.clone()), (Some(TlsVersion::Tls12), None));
    assert_eq!(tls.cipher.as_deref(), Some("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"));
    assert_eq!((tls.group.as_deref(), tls.flights), (Some("secp256r1"), 3));
    assert_eq!(session(&evidence).failure, None);

    let newer = |settings: &mut Settings| settings.min_tls = Some(TlsVersion::Tls13);
    let evidence = Check::of(&site, OPEN).set(newer).looking_twice().run();
    assert_eq!(self::tls(&evidence).failure, Some(TlsFailure::AlertReceived(70)));
    let found = evidence.looks.iter().find_map(|look| match (&look.question, &look.answer) {
        (Question::Hello(offer), Answer::ServerHello { version, .. }) => Some((offer.purpose, *version)),
        _ => None,
    });
    assert_eq!(found, Some((HelloPurpose::Version, TlsVersion::Tls12)), "{:?}", evidence.looks);
}

/// The answer to all that OpenSSL offers, where what this tool offers of it is refused and what was chosen beside that is not,
/// twice each.
fn beside_own_offer(evidence: &Evidence) -> &Answer {
    let looks: Vec<_> = evidence
        .looks
        .iter()
        .map(|look| match &look.question {
            Question::Hello(offer) => (offer.purpose, &look.answer),
            _ => panic!("{look:?}"),
        })
        .collect();
    let [(HelloPurpose::Unsupported, answer), own, narrowed, again, own_again] = looks[..] else {
        panic!("{looks:?}")
    };
    assert!(matches!(narrowed, (HelloPurpose::Narrowed, Answer::ServerHello { .. })), "{narrowed:?}");
    assert!(matches!(again, (HelloPurpose::Narrowed, Answer::ServerHello { .. })), "{again:?}");
    for own in [own, own_again] {
        assert_eq!(own, (HelloPurpose::Own, &Answer::Alert(40)));
    }
    answer
}

#[test]
fn what_only_openssl_can_is_found_by_a_second_look() {
    let site =
        Site::new(15, Algorithm::Rsa, |setup| setup.protocols("TLSv1.2", "TLSv1.2").ciphers("AES256-SHA256"));
    let evidence = Check::of(&site, OPEN).looking_twice().run();
    assert_eq!(tls(&evidence).failure, Some(TlsFailure::AlertReceived(40)));
    let Answer::ServerHello { version, suite, leaf, .. } = beside_own_offer(&evidence) else { panic!() };
    assert_eq!((*version, *suite), (TlsVersion::Tls12, 0x003D));
    assert_eq!(leaf.as_ref().unwrap().der(), site.chain.leaf.certificate.to_der().unwrap());

    let site = Site::new(18, Algorithm::Rsa, |setup| setup.setting("ssl_groups", "X448"));
    let evidence = Check::of(&site, OPEN).looking_twice().run();
    assert_eq!(tls(&evidence).failure, Some(TlsFailure::AlertReceived(40)));
    let Answer::ServerHello { group, retry, .. } = beside_own_offer(&evidence) else { panic!() };
    assert_eq!((*group, *retry), (Some(30), true));
}

#[test]
fn the_first_host_is_dead_and_the_second_is_reached() {
    let site = Site::shared(15, Algorithm::Ecdsa);
    let dead = free_port();
    let evidence = Check::of(site, OPEN).set(|settings| settings.hosts.insert(0, host(NAME, dead))).run();
    let [first, second] = evidence.attempts.as_slice() else { panic!("{:?}", evidence.attempts) };
    let TcpResult::Failed(failure) = &first.tcp.as_ref().unwrap().result else { panic!("{first:?}") };
    assert_eq!(failure.kind, std::io::ErrorKind::ConnectionRefused);
    assert_eq!((first.host, second.host), (0, 1));
    assert_eq!(session(&evidence).failure, None);
}

#[test]
fn a_closed_port_is_asked_about_its_neighbours() {
    let evidence = Check::of(Site::shared(15, Algorithm::Ecdsa), OPEN)
        .set(|settings| settings.hosts[0] = host(NAME, free_port()))
        .looking_twice()
        .run();
    assert!(!evidence.looks.is_empty());
    assert!(evidence.looks.iter().all(|look| look.question == Question::SslRequest));
}

#[test]
fn tls_off_and_bad_files_end_where_libpq_ends() {
    let site = Site::new(15, Algorithm::Rsa, |setup| setup.setting("ssl", "off"));
    let evidence = Check::of(&site, OPEN).run();
    assert_eq!(last(&evidence).negotiate.as_ref().unwrap().result, NegotiateResult::Refused);
    assert!(last(&evidence).tls.is_none());

    let site = Site::new(15, Algorithm::Rsa, |setup| setup);
    let gone = RootChoice::File { path: "gone.pem".into(), typed: None };
    let evidence = Check::of(&site, OPEN).set(|settings| settings.root = gone).run();
    assert_eq!(last(&evidence).negotiate.as_ref().unwrap().result, NegotiateResult::Accepted);
    assert!(last(&evidence).tls.is_none() && last(&evidence).session.is_none());
}

#[test]
fn allow_asks_in_plaintext_first() {
    let allow = |settings: &mut Settings| settings.sslmode = SslMode::Allow;
    let plaintext = |evidence: &Evidence| last(evidence).plaintext.as_ref().unwrap().result.clone();
    let site = Site::shared(15, Algorithm::Rsa);
    for (user, answer) in [(OPEN, PlaintextAnswer::Admitted), (GUARDED, PlaintextAnswer::PasswordRequested)] {
        let evidence = Check::of(site, user).set(allow).run();
        assert_eq!(plaintext(&evidence), answer);
        assert!(last(&evidence).tls.is_none());
    }
    let site = Site::new(15, Algorithm::Rsa, |setup| setup.hba("hostnossl all all all reject"));
    let evidence = Check::of(&site, OPEN).set(allow).run();
    let PlaintextAnswer::Refused(message) = plaintext(&evidence) else { panic!("{evidence:?}") };
    assert_eq!(message.sqlstate, "28000");
    assert_eq!(session(&evidence).failure, None);
}

#[test]
fn client_certificates_are_sent_when_asked_for() {
    let clients = Chain::honest("client_role", Algorithm::Ecdsa);
    for (version, highest) in [(15, "TLSv1.2"), (15, "TLSv1.3"), (18, "TLSv1.3")] {
        let site = Site::new(version, Algorithm::Rsa, |setup| {
            setup
                .protocols("TLSv1.2", highest)
                .client_roots(clients.root.pem())
                .hba("hostssl all client_role all cert")
                .user("client_role", "unused")
        });
        let with = |check: Check, chain: &Chain| {
            check.home.write("client.crt", chain.server_pem());
            check.home.write("client.key", chain.leaf.key_pem());
            check.set(|settings| {
                for (keyword, file) in [("sslcert", "client.crt"), ("sslkey", "client.key")] {
                    settings.parameters.push(Parameter {
                        keyword,
                        value: value(keyword, file),
                        origin: Origin::ConnectionString,
                        place: None,
                    });
                }
            })
        };
        let evidence = with(Check::of(&site, "client_role"), &clients).run();
        let record = &tls(&evidence).client_certificate;
        assert!(record.requested && record.sent, "{record:?}");
        assert_eq!(record.authorities.len(), 1);
        assert_eq!(session(&evidence).failure, None, "{highest}");

        // Without one, the server says so in the session.
        let evidence = Check::of(&site, "client_role").run();
        let record = &tls(&evidence).client_certificate;
        assert!(record.requested && !record.sent);
        assert!(matches!(session(&evidence).failure, Some(SessionFailure::Server(_))), "{evidence:?}");

        // One of a stranger is refused with an alert: in TLS 1.2 inside the handshake, in 1.3 after it.
        let stranger = Chain::honest("client_role", Algorithm::Ecdsa);
        for tls_only in [false, true] {
            let check = with(Check::of(&site, "client_role"), &stranger);
            let evidence = if tls_only { check.tls_only() } else { check }.run();
            let failure = (&tls(&evidence).failure, last(&evidence).session.as_ref());
            match failure {
                (Some(TlsFailure::AlertReceived(48)), None) if tls_only || highest == "TLSv1.2" => {}
                (None, Some(step)) => {
                    assert_eq!(step.result.failure, Some(SessionFailure::AlertReceived(48)));
                }
                other => panic!("{highest}, {tls_only}: {other:?}"),
            }
        }
    }
}

#[test]
fn the_kind_of_server_is_told() {
    let site = Site::shared(18, Algorithm::Ecdsa);
    let wanting = |wanted| move |settings: &mut Settings| settings.target_session_attrs = wanted;
    for met in [TargetSessionAttrs::Primary, TargetSessionAttrs::ReadWrite, TargetSessionAttrs::PreferStandby]
    {
        let evidence = Check::of(site, OPEN).set(wanting(met)).run();
        assert_eq!(session(&evidence).failure, None, "{met:?}");
    }
    let evidence = Check::of(site, OPEN).set(wanting(TargetSessionAttrs::Standby)).run();
    assert_eq!(
        session(&evidence).failure,
        Some(SessionFailure::WrongSessionAttrs { standby: Some(false), read_only: Some(false) })
    );
}

#[test]
fn names_that_rustls_does_not_write_are_sent_all_the_same() {
    let site = Site::shared(15, Algorithm::Rsa);
    // What no host is called is not sent: it may hold a password.
    for (name, sent) in [("db.example.", true), ("_db", true), ("bö.example", true), ("two words", false)] {
        let evidence = Check::of(site, OPEN)
            .set(|settings| {
                settings.hosts[0].name = value("host", name);
                settings.sslmode = SslMode::VerifyCa;
            })
            .run();
        assert_eq!(tls(&evidence).failure, None, "{name}");
        assert_eq!(tls(&evidence).offer.sni.as_deref(), sent.then_some(name));
        assert_eq!(session(&evidence).failure, None);
    }
}
