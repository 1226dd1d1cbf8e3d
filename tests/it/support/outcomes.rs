//! Outcomes made by hand, always the same: a healthy check and failures that show every part of a report.

use std::net::{IpAddr, SocketAddr};
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use pgtls_check::certificate::{Certificate, GeneralName};
use pgtls_check::conninfo::{
    ChannelBinding, ConfigError, Endpoint, Host, Keepalives, Origin, Parameter, RequireAuth, RootChoice,
    Settings, SslCertMode, SslMode, SslNegotiation, TargetSessionAttrs, TlsVersion, Value,
};
use pgtls_check::diagnose::{
    Code, Diagnosis, Fact, Fix, Mark, Outcome, StageReport, StageStatus, Trial, Verdict, Warning, codes,
};
use pgtls_check::evidence::{
    Attempt, ClientCertificateRecord, Evidence, NegotiateResult, Offer, Resolution, Scope, Step, TcpResult,
    TlsFailure, TlsRecord,
};
use pgtls_check::stage::Stage;
use pgtls_check::timestamp::Timestamp;
use pgtls_check::trust::{ClientIdentity, FileCertificate, Revocation, RootSource, RootStore, Roots, Trust};
use pgtls_check::verify::{Budget, Defect, Judgement, Link};

use super::der::{
    bits, element, explicit, integer, null, octets, oid, sequence, sequence_of, set, utc_time, utf8,
};

const SERVER: &str = "mydemoserver.postgres.database.azure.com";

/// All of them, each with the name of its snapshots.
pub fn all() -> Vec<(&'static str, Outcome)> {
    vec![
        ("healthy", healthy()),
        ("warning", warning()),
        ("warning-denied", warning_denied()),
        ("encrypted-only", encrypted_only()),
        ("hostname-mismatch", hostname_mismatch()),
        ("root-not-in-file", root_not_in_file()),
        ("tcp-timeout", tcp_timeout()),
        ("server-refused-tls", server_refused_tls()),
        ("conninfo-unknown-option", unknown_option()),
        ("root-file-missing", root_file_missing()),
    ]
}

/// A verified server with TLS 1.3 that asks for a password.
pub fn healthy() -> Outcome {
    let attempt = Attempt {
        dns: Some(step(0.1, 1.9, Resolution::Found(vec![address("20.61.7.9")]))),
        tcp: Some(step(2.0, 11.2, TcpResult::Connected { local: socket("192.168.1.20:50412") })),
        negotiate: Some(step(13.2, 11.3, NegotiateResult::Accepted)),
        tls: Some(step(24.5, 12.6, handshake(azure_chain(), accepted_path()))),
        ..untried("20.61.7.9")
    };
    Outcome {
        evidence: evidence(Ok(settings(SERVER, 5432)), Some(azure_trust()), vec![attempt], 37.4),
        verdict: Verdict::Verified,
        diagnosis: None,
        also: Vec::new(),
        warnings: Vec::new(),
        stages: stages(&[
            (Stage::Config, StageStatus::Ok, None, "verify-full"),
            (Stage::Trust, StageStatus::Ok, None, "azure-roots.pem · 3 roots"),
            (Stage::Dns, StageStatus::Ok, Some(1.9), "20.61.7.9"),
            (Stage::Tcp, StageStatus::Ok, Some(11.2), "port 5432"),
            (Stage::Negotiate, StageStatus::Ok, Some(11.3), "TLS offered"),
            (Stage::Tls, StageStatus::Ok, Some(12.6), "TLSv1.3 · AES-256-GCM · secp256r1"),
            (Stage::Certificate, StageStatus::Ok, Some(0.4), "to DigiCert Global Root G2 · 142 days left"),
            (Stage::Auth, StageStatus::Skipped, None, "the server asks for a password, none is given"),
        ]),
        earlier: Vec::new(),
    }
}

/// Verified, and soon no longer.
pub fn warning() -> Outcome {
    let mut outcome = healthy();
    outcome.evidence.config = Ok(settings("db.example.com", 5432));
    replace(
        &mut outcome,
        Stage::Certificate,
        StageStatus::Warning,
        "to DigiCert Global Root G2 · 9 days left",
    );
    outcome.warnings = vec![Warning {
        code: &codes::CERTIFICATE_EXPIRES_SOON,
        title: "the server certificate ends on 2026-12-02".to_owned(),
        evidence: vec![("days_left", Fact::Number(9))],
        fixes: vec![fix("renew it on the server; 9 days are left, the threshold is 30")],
        denied: false,
    }];
    outcome
}

/// The same, and one warning more, under `--deny certificate-expires-soon`.
pub fn warning_denied() -> Outcome {
    let mut outcome = warning();
    outcome.warnings[0].denied = true;
    outcome.warnings.push(Warning {
        code: &codes::PASSFILE_IGNORED,
        title: "the password file is not used".to_owned(),
        evidence: vec![("file", Fact::Text("/home/me/.pgpass".to_owned()))],
        fixes: vec![fix("take the rights of group and others away")],
        denied: false,
    });
    outcome
}

/// sslmode=require without a root file.
pub fn encrypted_only() -> Outcome {
    let mut outcome = healthy();
    let mut settings = settings("db.example.com", 5432);
    settings.sslmode = SslMode::Require;
    outcome.evidence.config = Ok(settings);
    outcome.evidence.trust =
        Some(Trust { roots: Roots::None, revocation: Revocation::Off, client: ClientIdentity::None });
    replace(&mut outcome, Stage::Config, StageStatus::Warning, "require");
    replace(&mut outcome, Stage::Trust, StageStatus::Skipped, "no root file, nothing is verified");
    replace(&mut outcome, Stage::Certificate, StageStatus::Skipped, "sslmode=require does not verify it");
    outcome.warnings = vec![Warning {
        code: &codes::SSLMODE_NOT_VERIFYING,
        title: "sslmode=require encrypts and verifies nothing".to_owned(),
        evidence: vec![(
            "verify_full",
            Fact::Text("would fail: there is no root file to verify with".to_owned()),
        )],
        fixes: vec![Fix {
            settings: vec![
                ("sslmode", "verify-full".to_owned()),
                ("sslrootcert", "azure-roots.pem".to_owned()),
            ],
            ..fix("verify the server")
        }],
        denied: false,
    }];
    outcome
}

/// A tunnel.
pub fn hostname_mismatch() -> Outcome {
    let names = [SERVER, "*.7c2f91.database.azure.com"];
    let mut judgement = accepted_path();
    judgement.accepted = false;
    judgement.defects = vec![Defect::NameMismatch {
        host: Value::new("localhost"),
        names: names.iter().map(|name| GeneralName::Dns(name.as_bytes().to_vec())).collect(),
        common_name: None,
    }];
    let diagnosis = Diagnosis {
        evidence: vec![
            ("asked_for", Fact::Text("localhost".to_owned())),
            ("issued_to", Fact::List(names.map(str::to_owned).to_vec())),
        ],
        fixes: vec![Fix {
            settings: vec![("host", SERVER.to_owned()), ("hostaddr", "127.0.0.1".to_owned())],
            tried: Some(Trial::Works),
            ..fix("name the server, keep the tunnel")
        }],
        ..found(
            &codes::HOSTNAME_MISMATCH,
            "the certificate is for other names than \"localhost\"",
            "the connection goes through this machine (127.0.0.1), so it most likely is a tunnel; the name to \
             verify is still the server's",
        )
    };
    let attempt = Attempt {
        dns: Some(step(0.1, 0.3, Resolution::Found(vec![address("127.0.0.1")]))),
        tcp: Some(step(0.4, 0.1, TcpResult::Connected { local: socket("127.0.0.1:40112") })),
        negotiate: Some(step(0.5, 14.2, NegotiateResult::Accepted)),
        tls: Some(step(14.7, 26.3, refused(azure_chain(), judgement))),
        ..untried("127.0.0.1")
    };
    let mut outcome = failed(
        diagnosis,
        evidence(Ok(settings("localhost", 15432)), Some(azure_trust()), vec![attempt], 41.0),
        &[
            (Stage::Config, StageStatus::Ok, None, "verify-full"),
            (Stage::Trust, StageStatus::Ok, None, "azure-roots.pem · 3 roots"),
            (Stage::Dns, StageStatus::Ok, Some(0.3), "127.0.0.1"),
            (Stage::Tcp, StageStatus::Ok, Some(0.1), "port 15432"),
            (Stage::Negotiate, StageStatus::Ok, Some(14.2), "TLS offered"),
            (Stage::Tls, StageStatus::Ok, Some(26.3), "TLSv1.3 · AES-256-GCM · secp256r1"),
            (Stage::Certificate, StageStatus::Failed, None, "good, but not for localhost"),
        ],
    );
    outcome.also = vec![Diagnosis {
        fixes: vec![fix("renew it on the server")],
        ..found(&codes::CERTIFICATE_EXPIRED, "the server certificate ended on 2026-11-20", "")
    }];
    outcome
}

/// A root file made by older instructions.
pub fn root_not_in_file() -> Outcome {
    let issuing = azure_chain().pop().unwrap();
    let path = azure_chain().into_iter().enumerate().map(|(at, c)| link(c, Some(at), None)).collect();
    let judgement =
        Judgement { accepted: false, defects: vec![Defect::IssuerUnknown { last: issuing }], ..judged(path) };
    let diagnosis = Diagnosis {
        evidence: vec![
            ("sent", Fact::List(vec![SERVER.to_owned(), "Microsoft Azure RSA TLS Issuing CA 08".to_owned()])),
            (
                "needed",
                Fact::List(vec![
                    "DigiCert Global Root G2, SHA-256".to_owned(),
                    "CB3CCBB76031E5E0138F8DD39A23F9DE47FFC35E43C1144CEA27D46A5AB1CB5F".to_owned(),
                ]),
            ),
            ("in_file", Fact::Text("DigiCert Global Root CA, until 2031-11-10".to_owned())),
        ],
        fixes: vec![
            Fix {
                command: Some("pgtls-check roots export azure-flexible --output azure-roots.pem".to_owned()),
                settings: vec![("sslrootcert", "azure-roots.pem".to_owned())],
                tried: Some(Trial::Works),
                ..fix("write the provider's present roots and use that file")
            },
            Fix {
                settings: vec![("sslrootcert", "system".to_owned())],
                tried: Some(Trial::Fails),
                ..fix("trust this machine's public roots (libpq 16 or later)")
            },
        ],
        ..found(
            &codes::ROOT_NOT_IN_FILE,
            "DigiCertGlobalRootCA.crt.pem lacks the server's root",
            "Azure has moved to other roots; a file made by older instructions holds only DigiCert Global Root CA",
        )
    };
    let attempt = Attempt {
        dns: Some(step(0.1, 1.9, Resolution::Found(vec![address("20.61.7.9")]))),
        tcp: Some(step(2.0, 11.2, TcpResult::Connected { local: socket("192.168.1.20:50412") })),
        negotiate: Some(step(13.2, 11.3, NegotiateResult::Accepted)),
        tls: Some(step(24.5, 12.4, refused(azure_chain(), judgement))),
        ..untried("20.61.7.9")
    };
    let trust = trust("DigiCertGlobalRootCA.crt.pem", vec![root("DigiCert Global Root CA", 2031)]);
    failed(
        diagnosis,
        evidence(Ok(settings(SERVER, 5432)), Some(trust), vec![attempt], 58.9),
        &[
            (Stage::Config, StageStatus::Ok, None, "verify-full"),
            (Stage::Trust, StageStatus::Ok, None, "DigiCertGlobalRootCA.crt.pem · 1 root"),
            (Stage::Dns, StageStatus::Ok, Some(1.9), "20.61.7.9"),
            (Stage::Tcp, StageStatus::Ok, Some(11.2), "port 5432"),
            (Stage::Negotiate, StageStatus::Ok, Some(11.3), "TLS offered"),
            (Stage::Tls, StageStatus::Ok, Some(12.4), "TLSv1.3 · AES-256-GCM · secp256r1"),
            (Stage::Certificate, StageStatus::Failed, None, "ends at a root that is not in your file"),
        ],
    )
}

/// A private address without a way to it, after another one.
pub fn tcp_timeout() -> Outcome {
    let diagnosis = Diagnosis {
        evidence: vec![
            ("from", Fact::Text("192.168.1.20".to_owned())),
            (
                "to",
                Fact::Text("10.0.4.5, which only its own network or one joined to it can reach".to_owned()),
            ),
        ],
        fixes: vec![
            fix("run the check from a machine in that network, or over its VPN"),
            fix(
                "inside already? let port 5432 out of this subnet and into the server's (network security group, \
                 route table, local firewall)",
            ),
        ],
        ..found(
            &codes::TCP_TIMEOUT,
            "10.0.4.5 port 5432 does not answer",
            "the name leads to a private address: the server has private access, and this machine is most likely \
             outside its virtual network",
        )
    };
    let resolved = || Some(step(0.1, 2.2, Resolution::Found(vec![address("10.0.4.4"), address("10.0.4.5")])));
    let first =
        Attempt { dns: resolved(), tcp: Some(step(2.3, 2000.0, TcpResult::TimedOut)), ..untried("10.0.4.4") };
    let last = Attempt {
        dns: resolved(),
        tcp: Some(step(2002.3, 10000.0, TcpResult::TimedOut)),
        ..untried("10.0.4.5")
    };
    let mut outcome = failed(
        diagnosis,
        evidence(Ok(settings(SERVER, 5432)), Some(azure_trust()), vec![first, last], 12002.0),
        &[
            (Stage::Config, StageStatus::Ok, None, "verify-full"),
            (Stage::Trust, StageStatus::Ok, None, "azure-roots.pem · 3 roots"),
            (Stage::Dns, StageStatus::Ok, Some(2.2), "10.0.4.5, a private address"),
            (Stage::Tcp, StageStatus::Failed, Some(10000.0), "no answer"),
        ],
    );
    outcome.earlier = vec![outcome.diagnosis.clone()];
    outcome
}

/// `N`.
pub fn server_refused_tls() -> Outcome {
    let diagnosis = Diagnosis {
        evidence: vec![("answer", Fact::Text("N, to SSLRequest".to_owned()))],
        fixes: vec![
            Fix {
                command: Some("ALTER SYSTEM SET ssl = on;  SELECT pg_reload_conf();".to_owned()),
                ..fix("on the server, with server.crt and server.key in place:")
            },
            fix("in PgBouncer: client_tls_sslmode, client_tls_cert_file, client_tls_key_file"),
        ],
        ..found(
            &codes::SERVER_REFUSED_TLS,
            "the server does not offer TLS",
            "PostgreSQL says N when ssl is off; so does a pooler without client-side TLS",
        )
    };
    let attempt = Attempt {
        tcp: Some(step(0.2, 0.1, TcpResult::Connected { local: socket("127.0.0.1:40112") })),
        negotiate: Some(step(0.3, 0.2, NegotiateResult::Refused)),
        ..untried("::1")
    };
    failed(
        diagnosis,
        evidence(Ok(settings("::1", 6432)), Some(azure_trust()), vec![attempt], 0.8),
        &[
            (Stage::Config, StageStatus::Ok, None, "verify-full"),
            (Stage::Trust, StageStatus::Ok, None, "azure-roots.pem · 3 roots"),
            (Stage::Tcp, StageStatus::Ok, Some(0.1), "port 6432"),
            (Stage::Negotiate, StageStatus::Failed, Some(0.2), "the server answered N"),
        ],
    )
}

/// A mistyped keyword.
pub fn unknown_option() -> Outcome {
    let text = "sslmode=verify-full sslrotcert=roots.pem host=db.example.com password=**** connect_timeout=10 \
                application_name=nightly dbname=orders";
    let diagnosis = Diagnosis {
        fixes: vec![Fix { settings: vec![("sslrootcert", "roots.pem".to_owned())], ..Fix::default() }],
        mark: Some(mark(text, &["sslrotcert"], "did you mean `sslrootcert`?")),
        ..found(&codes::CONNINFO_UNKNOWN_OPTION, "unknown connection option `sslrotcert`", "")
    };
    let error = ConfigError::UnknownOption {
        keyword: Value::new("sslrotcert"),
        nearest: Some("sslrootcert"),
        origin: Origin::ConnectionString,
        span: Some(20..30),
    };
    failed(
        diagnosis,
        evidence(Err(error), None, Vec::new(), 0.1),
        &[(Stage::Config, StageStatus::Failed, None, "unknown option")],
    )
}

/// Backslashes that libpq ate.
pub fn root_file_missing() -> Outcome {
    let typed = r"c:\ssl\DigiCertGlobalRootCA.crt.pem";
    let parsed = "c:sslDigiCertGlobalRootCA.crt.pem";
    let text = format!("host={SERVER} sslmode=verify-full sslrootcert={typed} dbname=postgres user=myadmin");
    let diagnosis = Diagnosis {
        evidence: vec![("given", Fact::Text(typed.to_owned())), ("read", Fact::Text(parsed.to_owned()))],
        fixes: vec![
            Fix { settings: vec![("sslrootcert", typed.replace('\\', "/"))], ..Fix::default() },
            Fix { settings: vec![("sslrootcert", typed.to_owned())], ..Fix::default() },
        ],
        mark: Some(mark(&text, &[r"\", r"\"], "a backslash escapes the next sign")),
        ..found(&codes::ROOT_FILE_MISSING, &format!("there is no file {parsed}"), "")
    };
    let trust = Trust {
        roots: Roots::Missing { path: Some(PathBuf::from(parsed)), typed: Some(PathBuf::from(typed)) },
        revocation: Revocation::Off,
        client: ClientIdentity::None,
    };
    failed(
        diagnosis,
        evidence(Ok(settings(SERVER, 5432)), Some(trust), Vec::new(), 24.6),
        &[
            (Stage::Config, StageStatus::Ok, None, "verify-full"),
            (Stage::Trust, StageStatus::Failed, None, "no such file"),
        ],
    )
}

/// A copy whose every string from outside holds `poison`.
pub fn poisoned(poison: &str) -> Outcome {
    let bytes = [b"\xff\xc3".as_slice(), poison.as_bytes()].concat();
    let mut outcome = hostname_mismatch();
    let mut settings = settings("localhost", 15432);
    settings.hosts[0].name = Value::new(bytes.clone());
    settings.user = Value::new(bytes.clone());
    settings.database = Value::new(bytes.clone());
    for parameter in settings.parameters.iter_mut().take(2) {
        parameter.value = Value::new(bytes.clone());
    }
    settings.parameters.push(Parameter {
        keyword: "application_name",
        value: Value::new(bytes.clone()),
        origin: Origin::Service { name: poison.to_owned(), file: PathBuf::from(poison) },
        place: None,
    });
    outcome.evidence.config = Ok(settings);
    let diagnosis = outcome.diagnosis.as_mut().unwrap();
    diagnosis.title.push_str(poison);
    diagnosis.cause.push_str(poison);
    diagnosis.evidence.push(("server_says", Fact::Text(poison.to_owned())));
    diagnosis.evidence.push(("names", Fact::List(vec![poison.to_owned(), poison.to_owned()])));
    diagnosis.fixes.push(Fix {
        text: poison.to_owned(),
        command: Some(poison.to_owned()),
        settings: vec![("host", poison.to_owned())],
        tried: Some(Trial::Works),
        conninfo: Some(poison.to_owned()),
        ..Fix::default()
    });
    let text = format!("host={poison} user={poison}");
    let spans = std::iter::once(5..5 + poison.len()).collect();
    diagnosis.mark = Some(Mark { spans, text, label: poison.to_owned() });
    outcome.also = outcome.diagnosis.clone().into_iter().collect();
    outcome.warnings = vec![Warning {
        code: &codes::PASSFILE_IGNORED,
        title: poison.to_owned(),
        evidence: vec![("file", Fact::Text(poison.to_owned()))],
        fixes: outcome.also[0].fixes.clone(),
        denied: true,
    }];
    for stage in &mut outcome.stages {
        stage.detail.push_str(poison);
    }
    let hostile = Paper {
        subject: poison,
        issuer: poison,
        key: OddKey,
        names: vec![element(0x82, &[&bytes]), element(0x86, &[&bytes]), element(0x81, &[&bytes])],
        ..root_paper(poison, 2027)
    }
    .certificate();
    let tls = &mut outcome.evidence.attempts[0].tls.as_mut().unwrap().result;
    tls.chain = vec![hostile.clone(), hostile.clone()];
    tls.judgement = Some(Judgement {
        accepted: false,
        defects: vec![Defect::IssuerUnknown { last: hostile.clone() }],
        ..judged(vec![link(hostile, Some(0), None)])
    });
    tls.alpn = Some(poison.to_owned());
    tls.cipher = Some(poison.to_owned());
    tls.group = Some(poison.to_owned());
    tls.offer = Offer { versions: vec![], sni: Some(poison.to_owned()), alpn: vec![poison.to_owned()] };
    tls.client_certificate =
        ClientCertificateRecord { requested: true, authorities: vec![poison.to_owned()], sent: false };
    let session = pgtls_check::evidence::SessionRecord {
        server_version: Some(poison.to_owned()),
        backend_ssl: Some(true),
        ..Default::default()
    };
    outcome.evidence.attempts[0].session = Some(step(41.0, 1.0, session));
    outcome
}

/// Parameters with every kind of origin, a secret and bytes that are not text.
pub fn parameters() -> Vec<Parameter> {
    let parameter =
        |keyword, value: &[u8], origin| Parameter { keyword, value: Value::new(value), origin, place: None };
    vec![
        parameter("user", b"myadmin", Origin::Option("-U")),
        parameter("password", b"hunter2", Origin::PasswordFile(PathBuf::from("/home/me/.pgpass"))),
        parameter("host", b"db.example.com", Origin::ConnectionString),
        parameter("port", b"5432", Origin::Default),
        parameter("application_name", b"caf\xe9\x1b[2J", Origin::Environment("PGAPPNAME")),
        parameter(
            "sslrootcert",
            b"/etc/ssl/a-directory-with-a-long-name/azure-roots.pem",
            Origin::Service { name: "orders".to_owned(), file: PathBuf::from("/home/me/.pg_service.conf") },
        ),
        parameter("sslmode", b"verify-full", Origin::ToolDefault("libpq's is prefer")),
    ]
}

fn settings(host: &str, port: u16) -> Settings {
    let parameter =
        |keyword, value: &str, origin| Parameter { keyword, value: Value::new(value), origin, place: None };
    Settings {
        input: None,
        parameters: vec![
            parameter("user", "myadmin", Origin::ConnectionString),
            parameter("dbname", "postgres", Origin::ConnectionString),
            parameter("password", "hunter2", Origin::Environment("PGPASSWORD")),
            parameter("host", host, Origin::ConnectionString),
            parameter("port", &port.to_string(), Origin::Default),
            parameter("sslmode", "verify-full", Origin::Environment("PGSSLMODE")),
        ],
        hosts: vec![Host {
            name: Value::new(host),
            endpoint: match host.parse() {
                Ok(address) => Endpoint::Address(address, None),
                Err(_) => Endpoint::Name(host.to_owned()),
            },
            port: Ok(port),
            password: None,
        }],
        user: Value::new("myadmin"),
        database: Value::new("postgres"),
        sslmode: SslMode::VerifyFull,
        negotiation: SslNegotiation::Postgres,
        min_tls: Some(TlsVersion::Tls12),
        max_tls: None,
        sni: true,
        root: RootChoice::File { path: PathBuf::from("azure-roots.pem"), typed: None },
        certificate_mode: SslCertMode::Allow,
        channel_binding: ChannelBinding::Prefer,
        require_auth: RequireAuth::Any,
        target_session_attrs: TargetSessionAttrs::Any,
        shuffle_hosts: false,
        connect_timeout: None,
        keepalives: Keepalives { enabled: true, idle: None, interval: None, count: None, user_timeout: None },
        startup: Vec::new(),
        notices: Vec::new(),
    }
}

fn evidence(
    config: Result<Settings, ConfigError>,
    trust: Option<Trust>,
    attempts: Vec<Attempt>,
    took: f64,
) -> Evidence {
    Evidence {
        started: Timestamp::from_utc(2026, 11, 23, 15, 4, 5).unwrap(),
        judged_at: Timestamp::from_utc(2026, 11, 23, 15, 4, 5).unwrap(),
        input: None,
        marked: None,
        config,
        trust,
        attempts,
        looks: Vec::new(),
        audit: None,
        system_roots: None,
        resolvers: Vec::new(),
        scope: Scope::default(),
        took: milliseconds(took),
    }
}

fn failed(
    diagnosis: Diagnosis,
    evidence: Evidence,
    reached: &[(Stage, StageStatus, Option<f64>, &str)],
) -> Outcome {
    Outcome {
        earlier: vec![None; evidence.attempts.len().saturating_sub(1)],
        evidence,
        verdict: Verdict::Failed,
        diagnosis: Some(diagnosis),
        also: Vec::new(),
        warnings: Vec::new(),
        stages: stages(reached),
    }
}

/// All nine stages: those given, the others skipped.
fn stages(reached: &[(Stage, StageStatus, Option<f64>, &str)]) -> Vec<StageReport> {
    Stage::ALL
        .map(|stage| match reached.iter().find(|(given, ..)| *given == stage) {
            Some((_, status, milliseconds, detail)) => StageReport {
                stage,
                status: *status,
                milliseconds: *milliseconds,
                detail: (*detail).to_owned(),
            },
            None => {
                StageReport { stage, status: StageStatus::Skipped, milliseconds: None, detail: String::new() }
            }
        })
        .to_vec()
}

fn replace(outcome: &mut Outcome, stage: Stage, status: StageStatus, detail: &str) {
    let line = outcome.stages.iter_mut().find(|line| line.stage == stage).unwrap();
    line.status = status;
    line.detail = detail.to_owned();
    if status == StageStatus::Skipped {
        line.milliseconds = None;
    }
}

fn found(code: &'static Code, title: &str, cause: &str) -> Diagnosis {
    Diagnosis {
        code,
        title: title.to_owned(),
        short: title.to_owned(),
        cause: cause.to_owned(),
        after: None,
        evidence: Vec::new(),
        fixes: Vec::new(),
        mark: None,
    }
}

fn fix(text: &str) -> Fix {
    Fix { text: text.to_owned(), ..Fix::default() }
}

/// Marks what is given, each sought behind the one before.
fn mark(text: &str, marked: &[&str], label: &str) -> Mark {
    let mut spans: Vec<Range<usize>> = Vec::new();
    for piece in marked {
        let from = spans.last().map_or(0, |span| span.end);
        let start = from + text[from..].find(piece).unwrap();
        spans.push(start..start + piece.len());
    }
    Mark { text: text.to_owned(), spans, label: label.to_owned() }
}

fn untried(to: &str) -> Attempt {
    Attempt {
        host: 0,
        address: Some(address(to)),
        limit: Duration::from_secs(10),
        dns: None,
        canonical_name: None,
        plaintext: None,
        without_tls: None,
        tcp: None,
        negotiate: None,
        tls: None,
        session: None,
    }
}

fn handshake(chain: Vec<Certificate>, judgement: Judgement) -> TlsRecord {
    TlsRecord {
        offer: Offer {
            versions: vec![TlsVersion::Tls12, TlsVersion::Tls13],
            sni: Some(SERVER.to_owned()),
            alpn: vec!["postgresql".to_owned()],
        },
        version: Some(TlsVersion::Tls13),
        cipher: Some("TLS_AES_256_GCM_SHA384".to_owned()),
        group: Some("secp256r1".to_owned()),
        hello_retry: false,
        alpn: None,
        chain,
        judgement: Some(judgement),
        judging: Some(milliseconds(0.4)),
        client_certificate: ClientCertificateRecord::default(),
        bytes_sent: 412,
        bytes_received: 3877,
        flights: 2,
        failure: None,
    }
}

fn refused(chain: Vec<Certificate>, judgement: Judgement) -> TlsRecord {
    TlsRecord { failure: Some(TlsFailure::CertificateRefused), ..handshake(chain, judgement) }
}

fn azure_chain() -> Vec<Certificate> {
    let issuing = "Microsoft Azure RSA TLS Issuing CA 08";
    let leaf = Paper {
        subject: SERVER,
        issuer: issuing,
        until: "270414235959Z".to_owned(),
        names: vec![
            element(0x82, &[SERVER.as_bytes()]),
            element(0x82, &[b"*.7c2f91.database.azure.com"]),
            element(0x87, &[&[20, 61, 7, 9]]),
        ],
        ..paper((2026, 2027))
    };
    let issuing =
        Paper { subject: issuing, issuer: "DigiCert Global Root G2", key: Rsa(4096), ..paper((2023, 2028)) };
    vec![leaf.certificate(), issuing.certificate()]
}

fn accepted_path() -> Judgement {
    let mut path: Vec<Link> =
        azure_chain().into_iter().enumerate().map(|(at, c)| link(c, Some(at), None)).collect();
    path.push(link(root("DigiCert Global Root G2", 2038), None, Some(1)));
    judged(path)
}

/// A path of which nothing is wrong.
fn judged(path: Vec<Link>) -> Judgement {
    Judgement {
        accepted: true,
        path,
        defects: Vec::new(),
        verifies: true,
        strict: Vec::new(),
        budget: Budget::default(),
    }
}

fn azure_trust() -> Trust {
    trust(
        "azure-roots.pem",
        vec![
            root("DigiCert Global Root CA", 2031),
            root("DigiCert Global Root G2", 2038),
            root("Microsoft RSA Root Certificate Authority 2017", 2042),
        ],
    )
}

fn trust(file: &str, roots: Vec<Certificate>) -> Trust {
    let file = PathBuf::from("/etc/ssl").join(file);
    let certificates = roots
        .into_iter()
        .enumerate()
        .map(|(at, certificate)| FileCertificate { certificate, file: file.clone(), line: 1 + 24 * at })
        .collect();
    Trust {
        roots: Roots::Loaded(RootStore::loaded(RootSource::Given(file), certificates)),
        revocation: Revocation::Off,
        client: ClientIdentity::None,
    }
}

fn root(name: &str, until: i32) -> Certificate {
    root_paper(name, until).certificate()
}

fn root_paper(name: &str, until: i32) -> Paper<'_> {
    Paper { subject: name, issuer: name, ..paper((2013, until)) }
}

fn paper((from, until): (i32, i32)) -> Paper<'static> {
    Paper {
        subject: "",
        issuer: "",
        from: format!("{:02}0115000000Z", from % 100),
        until: format!("{:02}0115120000Z", until % 100),
        key: Rsa(2048),
        names: Vec::new(),
    }
}

/// What a certificate is to say. Its key and signature are made up: nobody verifies it, and it must always be the same.
struct Paper<'a> {
    subject: &'a str,
    issuer: &'a str,
    from: String,
    until: String,
    key: PaperKey,
    /// Encoded entries of subjectAltName.
    names: Vec<Vec<u8>>,
}

enum PaperKey {
    /// Of so many bits.
    Rsa(usize),
    /// Of an algorithm nobody knows.
    OddKey,
}

use PaperKey::{OddKey, Rsa};

impl Paper<'_> {
    fn certificate(&self) -> Certificate {
        let (algorithm, key) = match self.key {
            Rsa(bits) => {
                // The modulus is positive, and its highest bit is set.
                let modulus = [vec![0], vec![0xc5; bits / 8]].concat();
                (
                    sequence(&[&oid("1.2.840.113549.1.1.1"), &null()]),
                    sequence(&[&integer(&modulus), &integer(&[1, 0, 1])]),
                )
            }
            OddKey => (sequence(&[&oid("1.3.6.1.4.1.99999.1")]), vec![0; 32]),
        };
        let signature = match self.key {
            Rsa(_) => sequence(&[&oid("1.2.840.113549.1.1.11"), &null()]),
            OddKey => sequence(&[&oid("1.3.6.1.4.1.99999.2")]),
        };
        let extensions = if self.names.is_empty() {
            Vec::new()
        } else {
            let names = octets(&sequence_of(&self.names));
            explicit(3, &[&sequence(&[&sequence(&[&oid("2.5.29.17"), &names])])])
        };
        let body = sequence(&[
            &explicit(0, &[&integer(&[2])]),
            &integer(&[0x0a, 0x3f, 0x50]),
            &signature,
            &name(self.issuer),
            &sequence(&[&utc_time(&self.from), &utc_time(&self.until)]),
            &name(self.subject),
            &sequence(&[&algorithm, &bits(&key)]),
            &extensions,
        ]);
        let certificate = Certificate::from_der(&sequence(&[&body, &signature, &bits(&[0x5a; 256])]));
        assert_eq!(certificate.facts().err(), None);
        certificate
    }
}

fn name(common: &str) -> Vec<u8> {
    let attribute = |kind: &str, value: &str| set(&[&sequence(&[&oid(kind), &utf8(value)])]);
    sequence(&[
        &attribute("2.5.4.6", "US"),
        &attribute("2.5.4.10", "Example Corp"),
        &attribute("2.5.4.3", common),
    ])
}

fn link(certificate: Certificate, sent: Option<usize>, in_file: Option<usize>) -> Link {
    Link { certificate, sent, in_file }
}

fn step<T>(start: f64, took: f64, result: T) -> Step<T> {
    Step { start: milliseconds(start), took: milliseconds(took), result }
}

fn milliseconds(ms: f64) -> Duration {
    Duration::from_micros((ms * 1000.0).round() as u64)
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn socket(text: &str) -> SocketAddr {
    text.parse().unwrap()
}
