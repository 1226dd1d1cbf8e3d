//! Evidence made by hand: a healthy check, and what to change in it. Certificates are made at run time and judged by the
//! real verifier at a fixed moment, so that nothing expires.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::certificate::Certificate;
use crate::conninfo::{
    self, ConfigError, Endpoint, Host, Origin, Parameter, RootChoice, Settings, SslMode, TlsVersion, Value,
    testing,
};
use crate::diagnose::{Code, Diagnosis, Fact, Outcome, Verdict, diagnose};
use crate::evidence::{
    Answer, Attempt, AuthRequest, ClientCertificateRecord, Evidence, HelloOffer, HelloPurpose, Look,
    NegotiateResult, Offer, Question, Resolution, Scope, ServerMessage, SessionFailure, SessionRecord, Step,
    TcpResult, TlsFailure, TlsRecord,
};
use crate::secret::Secret;
pub(crate) use crate::testing::{Authority, now, params};
use crate::trust::{ClientIdentity, FileCertificate, Revocation, RootSource, RootStore, Roots, Trust};
use crate::verify::judge;

pub(crate) const HOST: &str = "db.example";
pub(crate) const ROOT_FILE: &str = "/etc/ssl/roots.pem";

/// A root, an intermediate and a server's certificate for [`HOST`].
pub(crate) struct Chain {
    pub root: Authority,
    pub intermediate: Authority,
    pub leaf: Certificate,
}

impl Chain {
    pub(crate) fn honest() -> Self {
        let root = Authority::root("Test Root");
        let intermediate = root.intermediate("Test Middle");
        let leaf = intermediate.server(HOST);
        Self { root, intermediate, leaf }
    }

    pub(crate) fn sent(&self) -> Vec<Certificate> {
        vec![self.leaf.clone(), self.intermediate.certificate.clone()]
    }
}

impl Evidence {
    /// A verified check of [`HOST`] with a session, without any look aside.
    pub(crate) fn healthy() -> Self {
        let chain = Chain::honest();
        Self::of(chain.sent(), &[&chain.root.certificate])
    }

    /// A verified check of another host at an address.
    pub(crate) fn at(host: &str, to: &str) -> Self {
        let chain = Chain::honest();
        let sent = vec![chain.intermediate.server(host), chain.intermediate.certificate.clone()];
        Self::of(sent, &[&chain.root.certificate]).with_host(host, to)
    }

    /// A check of [`HOST`] that is sent a chain and has roots in its file.
    pub(crate) fn of(sent: Vec<Certificate>, roots: &[&Certificate]) -> Self {
        let attempt = Attempt {
            host: 0,
            address: Some(address("203.0.113.7")),
            limit: Duration::from_secs(10),
            dns: Some(step(0.0, 1.9, Resolution::Found(vec![address("203.0.113.7")]))),
            canonical_name: None,
            plaintext: None,
            without_tls: None,
            tcp: Some(step(2.0, 11.2, TcpResult::Connected { local: "192.0.2.20:50412".parse().ok() })),
            negotiate: Some(step(13.2, 11.3, NegotiateResult::Accepted)),
            tls: Some(step(24.5, 12.6, handshake(sent))),
            session: Some(step(37.1, 20.0, established())),
        };
        let mut evidence = Self {
            started: now(),
            judged_at: now(),
            input: None,
            marked: None,
            unmerged: Vec::new(),
            config: Ok(settings()),
            typed: None,
            trust: Some(std::sync::Arc::new(Trust {
                roots: Roots::Loaded(store(roots)),
                revocation: Revocation::Off,
                client: ClientIdentity::None,
                library: Default::default(),
                level: Default::default(),
            })),
            attempts: vec![attempt],
            looks: Vec::new(),
            audit: None,
            rehearsal: None,
            system_roots: None,
            in_directories: Vec::new(),
            root_at_hand: None,
            server_at_hand: None,
            missing_socket: None,
            cloud_run: None,
            namespace: None,
            hosts_line: None,
            container: None,
            resolvers: vec![crate::evidence::NameServer {
                address: "192.0.2.53".to_owned(),
                answer: None,
                alias_of: None,
                aliases: Vec::new(),
            }],
            families: None,
            own_address: None,
            way: None,
            member: None,
            scope: Scope::default(),
            took: Duration::from_millis(58),
        };
        evidence.judge();
        evidence
    }

    /// The same evidence with something changed.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// The same evidence with other settings, judged again.
    pub(crate) fn with_settings(self, change: impl FnOnce(&mut Settings)) -> Self {
        self.with(|evidence| {
            change(evidence.config.as_mut().unwrap());
            evidence.judge();
        })
    }

    /// The same evidence with other files.
    pub(crate) fn with_trust(self, change: impl FnOnce(&mut Trust)) -> Self {
        self.with(|evidence| {
            change(std::sync::Arc::make_mut(evidence.trust.as_mut().unwrap()));
            evidence.judge();
        })
    }

    /// The same evidence with another last attempt.
    pub(crate) fn with_attempt(self, change: impl FnOnce(&mut Attempt)) -> Self {
        self.with(|evidence| change(evidence.attempts.last_mut().unwrap()))
    }

    /// The check ended in TCP.
    pub(crate) fn with_tcp(self, result: TcpResult) -> Self {
        self.with_attempt(|attempt| {
            attempt.tcp = Some(step(2.0, 10_000.0, result));
            (attempt.negotiate, attempt.tls, attempt.session) = (None, None, None);
        })
    }

    /// The check ended in name resolution.
    pub(crate) fn with_dns(self, result: Resolution) -> Self {
        self.with_attempt(|attempt| {
            attempt.dns = Some(step(0.0, 5.0, result));
            attempt.address = None;
            (attempt.tcp, attempt.negotiate, attempt.tls, attempt.session) = (None, None, None, None);
        })
    }

    /// The check ended at the answer to SSLRequest.
    pub(crate) fn with_answer(self, result: NegotiateResult) -> Self {
        self.with_attempt(|attempt| {
            attempt.negotiate = Some(step(13.2, 11.3, result));
            (attempt.tls, attempt.session) = (None, None);
        })
    }

    /// The handshake ended before a certificate was judged.
    pub(crate) fn with_tls(self, failure: TlsFailure) -> Self {
        self.with_attempt(|attempt| {
            let tls = &mut attempt.tls.as_mut().unwrap().result;
            (tls.failure, tls.judgement, tls.version) = (Some(failure), None, None);
            tls.chain.clear();
            attempt.session = None;
        })
    }

    /// The session failed.
    pub(crate) fn with_session(self, failure: SessionFailure) -> Self {
        self.with_attempt(|attempt| {
            let session = &mut attempt.session.as_mut().unwrap().result;
            (session.failure, session.ready, session.authenticated) = (Some(failure), None, None);
        })
    }

    /// The server answered with an error.
    pub(crate) fn with_error(self, sqlstate: &str, message: &str) -> Self {
        self.with_session(SessionFailure::Server(ServerMessage {
            severity: "FATAL".to_owned(),
            sqlstate: sqlstate.to_owned(),
            message: message.to_owned(),
            ..ServerMessage::default()
        }))
    }

    /// Second looks, twice each, of which one kind is answered and the other is not.
    pub(crate) fn with_difference(
        self,
        (answered, answer): (HelloPurpose, Answer),
        (unanswered, refusal): (HelloPurpose, Answer),
        sni: Option<&str>,
    ) -> Self {
        (0..2).fold(self, |evidence, _| {
            evidence.with_look(answered, sni, answer.clone()).with_look(unanswered, None, refusal.clone())
        })
    }

    /// A second look.
    pub(crate) fn with_look(self, purpose: HelloPurpose, sni: Option<&str>, answer: Answer) -> Self {
        self.with(|evidence| {
            let offer = HelloOffer {
                purpose,
                direct: false,
                versions: vec![TlsVersion::Tls12],
                suites: vec![],
                groups: vec![],
                schemes: vec![],
                share: true,
                sni: sni.map(str::to_owned),
                alpn: purpose != HelloPurpose::Alpn,
                size: 200,
            };
            evidence.looks.push(look("203.0.113.7:5432", Question::Hello(offer), answer));
        })
    }

    /// The name in host and what it resolves to, judged again.
    pub(crate) fn with_host(self, host: &str, to: &str) -> Self {
        self.with_settings(|settings| {
            let literal = host.parse().ok();
            settings.hosts[0].name = testing::value("host", host);
            settings.hosts[0].endpoint = match literal {
                Some(address) => Endpoint::Address(address, None),
                None => Endpoint::Name(host.to_owned()),
            };
        })
        .with_attempt(|attempt| {
            attempt.address = Some(address(to));
            attempt.dns =
                attempt.dns.take().map(|step| Step { result: Resolution::Found(vec![address(to)]), ..step });
        })
    }

    /// Judges the chain as the probe does.
    fn judge(&mut self) {
        let (Ok(settings), Some(trust)) = (&self.config, &self.trust) else { return };
        let Some(attempt) = self.attempts.last_mut() else { return };
        let Some(tls) = attempt.tls.as_mut().map(|step| &mut step.result) else { return };
        let host = &Value::new(settings.hosts[attempt.host].name.exposed());
        let judgement = judge(&tls.chain, trust, Some(host), self.judged_at, settings.sslmode);
        if judgement.accepted {
            tls.failure = None;
            attempt.session.get_or_insert_with(|| step(37.1, 20.0, established()));
        } else {
            tls.failure = Some(TlsFailure::CertificateRefused);
            attempt.session = None;
        }
        tls.judgement = Some(judgement);
    }

    /// The outcome, which must be no failure.
    pub(crate) fn verified(self) -> Outcome {
        self.advises_nothing_impossible();
        let mode = self.config.as_ref().unwrap().sslmode;
        let outcome = diagnose(self);
        assert_ne!(outcome.verdict, Verdict::Failed, "{:#?}", outcome.diagnosis);
        assert_eq!(outcome.verdict == Verdict::Verified, mode == SslMode::VerifyFull);
        assert!(outcome.diagnosis.is_none() && outcome.also.is_empty());
        outcome
    }

    /// Where a provider runs the server, nobody is told to do what only its administrator can: whatever is the matter, the
    /// same evidence under the host name of each kind of provider.
    fn advises_nothing_impossible(&self) {
        for host in [
            "mydemo.postgres.database.azure.com",
            "db.c1.eu-west-1.rds.amazonaws.com",
            "p.db.postgresbridge.com",
        ] {
            let mut managed = self.clone();
            let Ok(settings) = &mut managed.config else { return };
            if managed.rehearsal.is_some() {
                return;
            }
            for slot in &mut settings.hosts {
                slot.name = testing::value("host", host);
                if let Endpoint::Name(name) = &mut slot.endpoint {
                    *name = host.to_owned();
                }
            }
            let outcome = diagnose(managed);
            let found = outcome.diagnosis.iter().chain(&outcome.also).chain(outcome.earlier.iter().flatten());
            let fixes = found.flat_map(|found| &found.fixes);
            for fix in fixes.chain(outcome.warnings.iter().flat_map(|warning| &warning.fixes)) {
                let all = format!("{} {}", fix.text, fix.command.as_deref().unwrap_or_default());
                let said = IMPOSSIBLE.iter().find(|words| all.contains(*words));
                assert!(said.is_none() && !fix.on_server, "{host}: {said:?} in {fix:#?}");
            }
        }
    }

    /// The diagnosis, which must be of a code.
    pub(crate) fn fails(self, code: &Code) -> Found {
        self.advises_nothing_impossible();
        let outcome = diagnose(self);
        let diagnosis = outcome.diagnosis.clone().unwrap_or_else(|| panic!("verified, not {code}"));
        assert_eq!(diagnosis.code, code, "{diagnosis:#?}");
        assert_eq!(outcome.verdict, Verdict::Failed);
        Found { outcome, diagnosis }
    }
}

/// What nobody reaches but the provider: the server's files, its shell, its superuser, the pooler's files.
const IMPOSSIBLE: &[&str] = &[
    "pg_hba.conf",
    "pg_ident.conf",
    "pgbouncer.ini",
    "userlist.txt",
    "superuser",
    "ALTER SYSTEM",
    "pg_reload_conf",
    "pg_authid",
    "pg_current_logfile",
    "systemctl status 'postgresql",
    "systemctl start postgresql",
    "journalctl",
    "server.crt",
    "server.key",
    "ssl_cert_file",
    "ssl_key_file",
    "(ssh,",
    "if you run the server",
    "ssh -N -L 5433:localhost",
];

/// A diagnosis under test.
pub(crate) struct Found {
    pub outcome: Outcome,
    pub diagnosis: Diagnosis,
}

impl Found {
    /// The value of a label holds some text.
    pub(crate) fn shows(self, label: &str, part: &str) -> Self {
        let facts: Vec<String> = self
            .diagnosis
            .evidence
            .iter()
            .filter(|(name, _)| *name == label)
            .map(|(_, fact)| match fact {
                Fact::Text(text) => text.clone(),
                Fact::List(items) => items.join("\n"),
                Fact::Number(number) => number.to_string(),
            })
            .collect();
        assert!(
            facts.iter().any(|fact| fact.contains(part)),
            "{label} without {part:?}: {:#?}",
            self.diagnosis
        );
        self
    }

    /// The title is this.
    pub(crate) fn titled(self, title: &str) -> Self {
        assert_eq!(self.diagnosis.title, title);
        self
    }

    /// The title holds some text.
    pub(crate) fn called(self, part: &str) -> Self {
        assert!(self.diagnosis.title.contains(part), "no {part:?} in {:?}", self.diagnosis);
        self
    }

    /// The cause holds some text.
    pub(crate) fn because(self, part: &str) -> Self {
        assert!(self.diagnosis.cause.contains(part), "no {part:?} in {:?}", self.diagnosis);
        self
    }

    /// A fix has this setting.
    pub(crate) fn sets(self, keyword: &str, value: &str) -> Self {
        let has = self
            .diagnosis
            .fixes
            .iter()
            .flat_map(|fix| &fix.settings)
            .any(|(k, v)| *k == keyword && v == value);
        assert!(has, "no {keyword}={value} in {:#?}", self.diagnosis.fixes);
        self
    }

    /// The first fix has this setting.
    pub(crate) fn first_sets(self, keyword: &str, value: &str) -> Self {
        let first = &self.diagnosis.fixes[0];
        assert!(first.settings.iter().any(|(k, v)| *k == keyword && v == value), "{first:#?}");
        self
    }

    /// The first fix leaves this alone.
    pub(crate) fn first_sets_no(self, keyword: &str) -> Self {
        assert!(!self.diagnosis.fixes[0].names(keyword), "{:#?}", self.diagnosis.fixes);
        self
    }

    /// A fix has a command with this part.
    pub(crate) fn runs(self, part: &str) -> Self {
        let has =
            self.diagnosis.fixes.iter().filter_map(|fix| fix.command.as_ref()).any(|c| c.contains(part));
        assert!(has, "no {part:?} in {:#?}", self.diagnosis.fixes);
        self
    }

    /// A fix says this.
    pub(crate) fn advises(self, part: &str) -> Self {
        let has = self.diagnosis.fixes.iter().any(|fix| fix.text.contains(part));
        assert!(has, "no {part:?} in {:#?}", self.diagnosis.fixes);
        self
    }

    /// Waiting can cure it, or not.
    pub(crate) fn retryable(self, wanted: bool) -> Self {
        assert_eq!(self.diagnosis.code.retryable, wanted);
        self
    }

    /// The other things certainly wrong.
    pub(crate) fn also(self, codes: &[&Code]) -> Self {
        let found: Vec<&Code> = self.outcome.also.iter().map(|other| other.code).collect();
        assert_eq!(found, codes);
        self
    }
}

/// A configuration that could not be merged.
pub(crate) fn misconfigured(input: &str, error: ConfigError) -> Evidence {
    Evidence::healthy().with(|evidence| {
        let spans = match &error {
            ConfigError::Syntax(error) => vec![error.span.clone()],
            ConfigError::UnknownOption { span, .. } | ConfigError::InvalidValue { span, .. } => {
                span.iter().cloned().collect()
            }
            _ => Vec::new(),
        };
        evidence.marked = Some(conninfo::mask(input.as_bytes(), &spans));
        evidence.input = Some(Secret::new(input.as_bytes().to_vec()));
        evidence.config = Err(error);
        evidence.trust = None;
        evidence.attempts.clear();
    })
}

pub(crate) fn look(to: &str, question: Question, answer: Answer) -> Look {
    let socket: SocketAddr = to.parse().unwrap();
    Look { address: socket, question, start: Duration::ZERO, took: Duration::from_millis(5), answer }
}

pub(crate) fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

pub(crate) fn step<T>(start: f64, took: f64, result: T) -> Step<T> {
    let time = |ms: f64| Duration::from_secs_f64(ms / 1000.0);
    Step { start: time(start), took: time(took), result }
}

pub(crate) fn store(roots: &[&Certificate]) -> RootStore {
    let path = PathBuf::from(ROOT_FILE);
    let certificates = roots
        .iter()
        .enumerate()
        .map(|(at, root)| FileCertificate {
            certificate: (*root).clone(),
            file: path.clone(),
            line: 1 + 25 * at,
        })
        .collect();
    RootStore::loaded(RootSource::Given(path), certificates)
}

pub(crate) fn parameter(keyword: &'static str, value: &str, origin: Origin) -> Parameter {
    Parameter { keyword, value: testing::value(keyword, value), origin, place: None }
}

fn settings() -> Settings {
    Settings {
        parameters: vec![
            parameter("user", "app", Origin::ConnectionString),
            parameter("dbname", "orders", Origin::ConnectionString),
            parameter("host", HOST, Origin::ConnectionString),
            parameter("port", "5432", Origin::Default),
            parameter("sslmode", "verify-full", Origin::Environment("PGSSLMODE")),
            parameter("sslrootcert", ROOT_FILE, Origin::ConnectionString),
        ],
        hosts: vec![Host {
            name: testing::value("host", HOST),
            endpoint: Endpoint::Name(HOST.to_owned()),
            port: Ok(5432),
            password: None,
        }],
        user: testing::value("user", "app"),
        database: testing::value("dbname", "orders"),
        root: RootChoice::File { path: PathBuf::from(ROOT_FILE), typed: None },
        ..crate::conninfo::testing::settings()
    }
}

fn handshake(chain: Vec<Certificate>) -> TlsRecord {
    TlsRecord {
        offer: Offer {
            versions: vec![TlsVersion::Tls12, TlsVersion::Tls13],
            sni: Some(HOST.to_owned()),
            alpn: vec!["postgresql".to_owned()],
        },
        version: Some(TlsVersion::Tls13),
        cipher: Some("TLS_AES_256_GCM_SHA384".to_owned()),
        group: Some("secp256r1".to_owned()),
        hello_retry: false,
        alpn: None,
        chain,
        judgement: None,
        judging: Some(Duration::from_micros(400)),
        client_certificate: ClientCertificateRecord::default(),
        bytes_sent: 412,
        bytes_received: 3877,
        flights: 2,
        failure: None,
    }
}

fn established() -> SessionRecord {
    use crate::conninfo::AuthMethod;
    SessionRecord {
        requested: vec![AuthRequest {
            method: AuthMethod::ScramSha256,
            mechanisms: vec!["SCRAM-SHA-256".to_owned()],
            code: 10,
        }],
        password_accepted: false,
        authenticated: Some(Duration::from_millis(15)),
        ready: Some(Duration::from_millis(19)),
        server_version: Some("18.4".to_owned()),
        backend_ssl: Some(true),
        last_message: Some(b'Z'),
        incomplete: None,
        part_of_record: None,
        notices: Vec::new(),
        failure: None,
    }
}
