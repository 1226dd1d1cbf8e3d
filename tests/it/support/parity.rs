//! One connection string to psql with libpq 15, to psql with libpq 18 and to the program: how each is run, how its answer
//! is read, and how the answers are held against what is expected and against the differences that are known.

use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use super::home::Home;
use super::psql::Psql;
use super::tool::Tool;

/// The clients that are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// psql on the libpq of its own package.
    Libpq15,
    /// The same psql on the newer library.
    Libpq18,
    /// pgtls-check.
    Program,
}

/// How a connection ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A session over TLS.
    Accepted,
    /// A session in plaintext: not asked for, or the mode passes over this failure of TLS. The program never calls it
    /// verified.
    Plaintext(Reason),
    /// No session.
    Refused(Reason),
    /// What fits nothing above: the text that says so.
    Other(String),
}

/// The kind of reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The settings.
    Settings,
    /// The root file.
    RootFile,
    /// The client's certificate or key cannot be used.
    ClientFiles,
    /// A host name that does not resolve.
    Dns,
    /// Nobody listens there.
    Tcp,
    /// The server has no TLS.
    NoTls,
    /// The server hangs up where an answer is due.
    Closed,
    /// The server does not answer in time.
    Timeout,
    /// Something else than PostgreSQL answers.
    NotPostgres,
    /// The server answers SSLRequest with an error.
    ErrorBeforeTls,
    /// Bytes in plaintext behind the server's `S`.
    Injected,
    /// The handshake.
    Handshake,
    /// The server cannot begin with TLS.
    DirectTls,
    /// The chain, its signatures, its dates or its revocation.
    Chain,
    /// The names in the certificate.
    Name,
    /// A name in the certificate that cannot be a name.
    BrokenName,
    /// A certificate that cannot be decoded.
    Malformed,
    /// The server wants a certificate of the client, or another one.
    ClientCertificate,
    /// No rule of pg_hba.conf lets this in.
    Hba,
    /// The role.
    Role,
    /// The database.
    Database,
    /// A password is asked for and none is there.
    PasswordMissing,
    /// The password is wrong.
    PasswordRejected,
    /// The way of authentication is one that the client does not take.
    Method,
    /// Channel binding is required and cannot be had.
    ChannelBinding,
    /// `target_session_attrs` is not met.
    Attributes,
    /// Any other error of the server.
    Session,
    /// What psql can and the program cannot: it says so instead of a verdict.
    Unsupported,
    /// TLS was not asked for.
    NotRequested,
}

impl Reason {
    /// Whether a connection that fails for this reason fails before the server is verified.
    pub fn precedes_verification(self) -> bool {
        use Reason::*;
        !matches!(
            self,
            ClientCertificate
                | Hba
                | Role
                | Database
                | PasswordMissing
                | PasswordRejected
                | Method
                | ChannelBinding
                | Attributes
                | Session
        )
    }
}

/// What libpq says for which reason; the first text found counts. Texts of what came first stand first, since libpq
/// tells each attempt.
const TEXTS: &[(&str, Reason)] = &[
    ("does not match host name", Reason::Name),
    ("could not get server's host name", Reason::Name),
    ("contains embedded null", Reason::BrokenName),
    ("contains IP address with invalid length", Reason::BrokenName),
    ("root certificate file", Reason::RootFile),
    ("host name must be specified", Reason::Settings),
    ("certificate verify failed", Reason::Chain),
    ("could not read certificate file", Reason::ClientFiles),
    ("could not load SSL engine", Reason::ClientFiles),
    ("could not open certificate file", Reason::ClientFiles),
    ("certificate present, but not private key file", Reason::ClientFiles),
    ("private key file \"", Reason::ClientFiles),
    ("does not match private key", Reason::ClientFiles),
    ("direct SSL connection was established without ALPN", Reason::DirectTls),
    ("received unencrypted data after SSL response", Reason::Injected),
    ("alert unknown ca", Reason::ClientCertificate),
    ("alert certificate revoked", Reason::ClientCertificate),
    ("alert certificate expired", Reason::ClientCertificate),
    ("alert unsupported certificate", Reason::ClientCertificate),
    ("alert bad certificate", Reason::ClientCertificate),
    ("alert certificate unknown", Reason::ClientCertificate),
    ("requires a valid client certificate", Reason::ClientCertificate),
    ("did not request an SSL certificate", Reason::ClientCertificate),
    ("without a valid SSL certificate", Reason::ClientCertificate),
    ("certificate authentication failed", Reason::ClientCertificate),
    // By clientcert=verify-full, whose name does not match.
    ("\"trust\" authentication failed", Reason::ClientCertificate),
    // libpq shows the first error of OpenSSL's queue. A wrong signature leaves its own before the verdict's, ...
    ("SSL error: EVP lib", Reason::Chain),
    ("SSL error: invalid padding", Reason::Chain),
    ("SSL error: first octet invalid", Reason::Chain),
    ("SSL error: last octet invalid", Reason::Chain),
    ("SSL error: salt length recovery failed", Reason::Chain),
    ("SSL error: data too large for modulus", Reason::Chain),
    // ... a file of the CRL directory without PEM one of the PEM reader (OpenSSL 1.1), ...
    ("SSL error: no start line", Reason::Chain),
    // ... an extension that cannot be decoded or comes twice this one, ...
    ("SSL error: invalid certificate", Reason::Malformed),
    // ... and what is no DER one of the ASN.1 reader.
    ("SSL error: cert length mismatch", Reason::Malformed),
    ("SSL error: header too long", Reason::Malformed),
    ("SSL error: illegal padding", Reason::Malformed),
    ("SSL error: illegal zero content", Reason::Malformed),
    ("SSL error: too long", Reason::Malformed),
    ("SSL error: too small", Reason::Malformed),
    ("SSL error: wrong tag", Reason::Malformed),
    ("SSL error", Reason::Handshake),
    ("SSL SYSCALL error", Reason::Closed),
    ("server does not support SSL", Reason::NoTls),
    ("received invalid response to SSL negotiation", Reason::NotPostgres),
    ("sent an error response during SSL exchange", Reason::ErrorBeforeTls),
    ("no password supplied", Reason::PasswordMissing),
    ("password authentication failed", Reason::PasswordRejected),
    ("SASL authentication failed", Reason::PasswordRejected),
    ("authentication method requirement", Reason::Method),
    ("channel binding", Reason::ChannelBinding),
    ("could not find digest for NID", Reason::ChannelBinding),
    ("GSSAPI continuation error", Reason::Method),
    ("authentication not supported", Reason::Method),
    ("not supported", Reason::Method),
    ("SASL authentication mechanisms are supported", Reason::Method),
    ("requires OAuth authentication", Reason::Method),
    ("pg_hba.conf", Reason::Hba),
    ("too many connections", Reason::Session),
    ("role \"", Reason::Role),
    ("database \"", Reason::Database),
    ("session is read-only", Reason::Attributes),
    ("session is not read-only", Reason::Attributes),
    ("server is in hot standby mode", Reason::Attributes),
    ("server is not in hot standby mode", Reason::Attributes),
    ("could not translate host name", Reason::Dns),
    ("could not parse network address", Reason::Settings),
    ("invalid integer value", Reason::Settings),
    ("invalid port number", Reason::Settings),
    ("setsockopt(", Reason::Settings),
    ("Connection refused", Reason::Tcp),
    ("timeout expired", Reason::Timeout),
    ("FATAL:", Reason::Session),
    ("server only supports protocol version", Reason::Session),
    ("SSL connection has been closed unexpectedly", Reason::Closed),
    ("server closed the connection unexpectedly", Reason::Closed),
    ("Connection reset by peer", Reason::Closed),
    ("invalid", Reason::Settings),
    ("could not match", Reason::Settings),
    ("is greater than", Reason::Settings),
    ("GSSAPI encryption required", Reason::Settings),
    ("definition of service", Reason::Settings),
    ("weak sslmode", Reason::Settings),
    ("is specified more than once", Reason::Settings),
    ("cannot be mixed", Reason::Settings),
    ("missing \"=\"", Reason::Settings),
];

/// The reasons that a diagnosis may stand for.
pub fn reasons_of(code: &str) -> &'static [Reason] {
    use Reason::*;
    match code {
        "conninfo-syntax"
        | "conninfo-unknown-option"
        | "conninfo-invalid-value"
        | "conninfo-host-malformed"
        | "service-not-found"
        | "host-required"
        | "option-not-supported" => &[Settings],
        "tls-not-requested" => &[NotRequested],
        "root-file-missing" | "root-file-unreadable" | "root-file-invalid" => &[RootFile],
        "client-cert-missing"
        | "client-key-missing"
        | "client-cert-invalid"
        | "client-key-invalid"
        | "client-key-permissions"
        | "client-key-mismatch" => &[ClientFiles],
        "dns-not-found" | "dns-no-address" | "dns-failure" => &[Dns],
        "tcp-refused" => &[Tcp],
        "tcp-timeout" | "negotiation-timeout" | "tls-timeout" | "session-timeout" => &[Timeout],
        "server-refused-tls" => &[NoTls],
        "negotiation-closed" => &[Closed],
        "not-postgresql" => &[NotPostgres],
        "server-error-before-tls" => &[ErrorBeforeTls],
        "injected-plaintext" => &[Injected],
        "direct-tls-unsupported" => &[DirectTls, Closed, Handshake],
        "tls-version-unsupported" | "tls-no-shared-cipher" | "tls-protocol-error" => &[Handshake],
        "tls-closed" => &[Handshake, Closed],
        "session-closed" => &[Closed],
        "client-cert-required" | "client-cert-rejected" => &[ClientCertificate],
        "tls-unsupported-here" => &[Unsupported],
        "hostname-mismatch" => &[Name, BrokenName],
        "certificate-invalid" => &[Chain, BrokenName, Malformed],
        "unknown-issuer"
        | "root-not-in-file"
        | "intermediate-missing"
        | "self-signed"
        | "root-key-changed"
        | "root-file-lacks-root"
        | "root-expired"
        | "tls-inspection"
        | "certificate-expired"
        | "certificate-not-yet-valid"
        | "certificate-revoked"
        | "crl-missing"
        | "crl-invalid"
        | "certificate-weak"
        | "certificate-purpose"
        | "certificate-name-constraints" => &[Chain],
        "password-required" => &[PasswordMissing],
        "password-rejected" => &[PasswordRejected],
        "hba-rejected" => &[Hba],
        "role-missing" => &[Role],
        "database-missing" => &[Database],
        "auth-method-unsupported" => &[Method, Unsupported],
        "channel-binding-failed" => &[ChannelBinding],
        "session-readonly" => &[Attributes],
        "server-starting" | "too-many-connections" | "server-error" => &[Session],
        _ => &[],
    }
}

/// How a case is expected to end.
pub struct Expected<'a> {
    pub outcome: &'a Outcome,
    /// The program's diagnosis, where the kind of reason leaves several.
    pub code: Option<&'a str>,
}

/// How one connection ended.
pub struct Answer {
    pub outcome: Outcome,
    /// Host and port of the session or of the last attempt.
    pub reached: Option<(String, u16)>,
    /// The version of TLS of the session.
    pub tls: Option<String>,
    /// The exit status.
    pub status: Option<i32>,
    /// The client's own words, for people.
    pub said: String,
}

impl Client {
    pub const ALL: [Client; 3] = [Client::Libpq15, Client::Libpq18, Client::Program];

    /// Lets this client connect, with `home` as home and working directory and `environment` as all of its `PG*`.
    pub fn connect(
        self,
        home: &Home,
        conninfo: &str,
        environment: &[(&str, &str)],
        expected: &Expected,
    ) -> Answer {
        match self {
            Client::Libpq15 => psql(Psql::libpq(15), home, conninfo, environment, expected),
            Client::Libpq18 => psql(Psql::libpq(18), home, conninfo, environment, expected),
            Client::Program => program(home, conninfo, environment, expected),
        }
    }
}

fn psql(
    psql: Psql,
    home: &Home,
    conninfo: &str,
    environment: &[(&str, &str)],
    expected: &Expected,
) -> Answer {
    let connection = psql.connect(home, conninfo, environment);
    let said = connection.stderr.trim().replace('\n', " / ");
    let outcome = match (connection.connected, &connection.tls) {
        (true, Some(_)) => Outcome::Accepted,
        // psql does not say why it did without TLS.
        (true, None) => match expected.outcome {
            Outcome::Plaintext(reason) => Outcome::Plaintext(*reason),
            _ => Outcome::Plaintext(Reason::NotRequested),
        },
        (false, _) => TEXTS
            .iter()
            .find(|(text, _)| said.contains(text))
            .map_or_else(|| Outcome::Other(said.clone()), |(_, reason)| Outcome::Refused(*reason)),
    };
    let reached = if connection.connected { connection.reached } else { last_attempt(&said) };
    Answer { outcome, reached, tls: connection.tls, status: None, said }
}

/// Host and port in the last `connection to server at "host" (address), port 1 failed`.
fn last_attempt(said: &str) -> Option<(String, u16)> {
    let (_, rest) = said.rsplit_once("connection to server at \"")?;
    let (host, rest) = rest.split_once('"')?;
    let (_, rest) = rest.split_once("port ")?;
    let (port, _) = rest.split_once(' ')?;
    Some((host.to_owned(), port.parse().ok()?))
}

fn program(home: &Home, conninfo: &str, environment: &[(&str, &str)], expected: &Expected) -> Answer {
    // psql ends with a session or it fails, and so must the program here.
    let mut tool = Tool::at(home).with(["--format", "json", "--no-try", "--require-auth", conninfo]);
    for (name, value) in environment {
        tool = tool.env(name, value);
    }
    let run = tool.run();
    let report: Value = serde_json::from_str(run.stdout.trim()).unwrap_or_default();
    let code = report["diagnosis"]["code"].as_str();
    let outcome = match (report["verdict"].as_str(), code) {
        (Some("verified"), None) if report["tls"].is_object() => Outcome::Accepted,
        (Some("failed"), Some(code)) if expected.code.is_some_and(|wanted| wanted != code) => {
            Outcome::Other(code.to_owned())
        }
        (Some("failed"), Some(code)) => match expected.outcome {
            Outcome::Plaintext(reason) if reasons_of(code).contains(reason) => Outcome::Plaintext(*reason),
            Outcome::Refused(reason) if reasons_of(code).contains(reason) => Outcome::Refused(*reason),
            _ => reasons_of(code).first().copied().map_or(Outcome::Other(code.to_owned()), Outcome::Refused),
        },
        _ => Outcome::Other(format!("exit {:?}, {}", run.status, run.stderr.trim().replace('\n', " / "))),
    };
    let reached = report["attempts"].as_array().and_then(|attempts| attempts.last()).and_then(|attempt| {
        let port = attempt["port"].as_u64().and_then(|port| u16::try_from(port).ok())?;
        Some((attempt["host"].as_str()?.to_owned(), port))
    });
    let diagnosis = &report["diagnosis"];
    let said = format!(
        "{}: {}: {}",
        code.unwrap_or("no diagnosis"),
        diagnosis["title"].as_str().unwrap_or_default(),
        diagnosis["cause"].as_str().unwrap_or_default()
    );
    Answer {
        outcome,
        reached,
        tls: report["tls"]["version"].as_str().map(str::to_owned),
        status: run.status,
        said: format!("{said} {diagnosis}"),
    }
}

/// A difference that these cases share.
pub struct Known {
    pub client: Client,
    pub outcome: Outcome,
    pub reason: &'static str,
    pub cases: &'static [&'static str],
}

/// What is wrong with the way this client's connection ended, if anything is.
pub fn judge(
    client: Client,
    case: &str,
    expected: &Outcome,
    answer: &Answer,
    known: &[Known],
) -> Option<String> {
    let Answer { outcome, said, .. } = answer;
    match known.iter().find(|known| known.client == client && known.cases.contains(&case)) {
        Some(known) if outcome == expected => {
            Some(format!("another outcome, since {} | differs no more", known.reason))
        }
        Some(known) if *outcome != known.outcome => {
            Some(format!("{:?}, since {} | {outcome:?} | {said}", known.outcome, known.reason))
        }
        None if outcome != expected => Some(format!("{expected:?} | {outcome:?} | {said}")),
        _ => None,
    }
}

/// Fails where two cases have one name, or where a known difference is of a case that is not there.
pub fn assert_names(cases: &[&str], known: &[Known]) {
    let mut names = cases.to_vec();
    names.sort_unstable();
    for pair in names.windows(2) {
        assert!(pair[0] != pair[1], "two cases have the name {:?}", pair[0]);
    }
    for case in known.iter().flat_map(|known| known.cases) {
        assert!(names.binary_search(case).is_ok(), "no case is called {case:?}");
    }
}

/// Runs every case, several at a time. `run` gives a line for each thing that is not as it should be; any line fails the
/// test.
pub fn assert_all<C: Sync>(cases: &[C], name: impl Fn(&C) -> &str, run: impl Fn(&C) -> Vec<String> + Sync) {
    let failures = Mutex::new(Vec::new());
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(case) = cases.get(index) else { return };
                    let found = run(case);
                    failures.lock().unwrap().extend(found.into_iter().map(|line| (index, line)));
                }
            });
        }
    });
    let mut failures = failures.into_inner().unwrap();
    failures.sort_by_key(|(index, _)| *index);
    let mut table = String::new();
    for (index, line) in &failures {
        writeln!(table, "{} | {line}", name(&cases[*index])).unwrap();
    }
    assert!(
        failures.is_empty(),
        "{} differences in {} cases:\ncase | client | expected | was\n{table}",
        failures.len(),
        cases.len()
    );
}
