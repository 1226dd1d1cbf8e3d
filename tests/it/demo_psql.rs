//! The faults of the demo as psql meets them: where libpq refuses, it must be for the reason that the fault is named
//! after, and what is only worth a warning it must accept.

use std::collections::BTreeSet;
use std::thread;

use pgtls_check::demo::{Demo, SeenBy, Visit, fault, faults};

use crate::support::home::Home;
use crate::support::psql::{Connection, Psql};

/// What psql does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Connects,
    /// It fails, and says this.
    Fails(&'static str),
    /// It finds fault with the chain; OpenSSL's alert tells what.
    Alerts(u8),
}

use Answer::{Alerts, Connects, Fails};

// Alerts (RFC 8446, 6.2) as OpenSSL's `x509table` in ssl/statem/statem_lib.c and others choose them.
const BAD_CERTIFICATE: u8 = 42;
const UNSUPPORTED_CERTIFICATE: u8 = 43;
const CERTIFICATE_REVOKED: u8 = 44;
const CERTIFICATE_EXPIRED: u8 = 45;
const CERTIFICATE_UNKNOWN: u8 = 46;
const UNKNOWN_CA: u8 = 48;
const DECRYPT_ERROR: u8 = 51;

/// Each fault and the answer of libpq 15.
const ANSWERS: &[(&str, Answer)] = &[
    ("conninfo-syntax", Fails("unterminated quoted string")),
    ("conninfo-unknown-option", Fails("invalid connection option \"sslrootcrt\"")),
    ("conninfo-invalid-value", Fails("invalid sslmode value: \"verify_full\"")),
    ("conninfo-host-malformed", Fails("could not translate host name \"https://db.example\"")),
    ("service-not-found", Fails("definition of service \"billing\" not found")),
    ("host-required", Fails("host name must be specified for a verified SSL connection")),
    ("tls-not-requested", Connects),
    ("option-not-supported", Fails("GSSAPI")),
    ("root-file-missing", Fails("no-such-root.crt\" does not exist")),
    ("root-file-unreadable", Fails("could not read root certificate file")),
    ("root-file-invalid", Fails("could not read root certificate file")),
    ("root-file-html", Fails("could not read root certificate file")),
    ("root-file-truncated", Fails("could not read root certificate file")),
    ("root-expired", Alerts(CERTIFICATE_EXPIRED)),
    ("client-key-missing", Fails("certificate present, but not private key file")),
    ("client-cert-invalid", Fails("could not read certificate file")),
    ("client-key-invalid", Fails("could not load private key file")),
    ("client-key-encrypted", Fails("could not load private key file")),
    ("client-key-permissions", Fails("has group or world access")),
    ("client-key-mismatch", Fails("key values mismatch")),
    ("crl-invalid", Alerts(CERTIFICATE_EXPIRED)),
    ("dns-not-found", Fails("Name or service not known")),
    ("tcp-timeout", Fails("timeout expired")),
    ("tcp-refused", Fails("Connection refused")),
    ("tcp-unreachable", Fails("Network is unreachable")),
    ("server-refused-tls", Fails("server does not support SSL, but SSL was required")),
    ("negotiation-closed", Fails("server closed the connection unexpectedly")),
    ("negotiation-reset", Fails("server closed the connection unexpectedly")),
    ("negotiation-timeout", Fails("timeout expired")),
    ("not-postgresql", Fails("received invalid response to SSL negotiation: H")),
    // It takes the S of SSH for a yes; then the rest of the banner, or the end, whichever comes first, is no TLS.
    ("not-postgresql-ssh", Fails("failed: SSL ")),
    ("server-error-before-tls", Fails("server sent an error response during SSL exchange")),
    ("injected-plaintext", Fails("received unencrypted data after SSL response")),
    ("tls-version-unsupported", Fails("alert protocol version")),
    ("tls-version-bounded", Fails("alert protocol version")),
    ("tls-no-shared-cipher", Fails("alert handshake failure")),
    ("client-cert-required", Fails("alert certificate required")),
    ("client-cert-rejected", Fails("alert unknown ca")),
    ("sni-unrecognized", Fails("unrecognized name")),
    ("tls-timeout", Fails("timeout expired")),
    ("tls-timeout-halfway", Fails("timeout expired")),
    ("tls-closed", Fails("SSL SYSCALL error: EOF detected")),
    ("tls-reset", Fails("Connection reset by peer")),
    ("tls-protocol-error", Fails("wrong version number")),
    ("tls-internal-error", Fails("alert internal error")),
    ("tls-unsupported-here", Connects),
    ("unknown-issuer", Alerts(UNKNOWN_CA)),
    ("root-not-in-file", Alerts(UNKNOWN_CA)),
    ("intermediate-missing", Alerts(UNKNOWN_CA)),
    ("self-signed", Alerts(UNKNOWN_CA)),
    ("root-key-changed", Alerts(UNKNOWN_CA)),
    ("root-file-lacks-root", Alerts(UNKNOWN_CA)),
    ("tls-inspection", Alerts(UNKNOWN_CA)),
    (
        "hostname-mismatch",
        Fails("server certificate for \"db.example\" does not match host name \"localhost\""),
    ),
    ("hostname-mismatch-address", Fails("does not match host name \"127.0.0.1\"")),
    ("certificate-expired", Alerts(CERTIFICATE_EXPIRED)),
    ("intermediate-expired", Alerts(CERTIFICATE_EXPIRED)),
    ("certificate-not-yet-valid", Alerts(BAD_CERTIFICATE)),
    ("certificate-revoked", Alerts(CERTIFICATE_REVOKED)),
    ("crl-missing", Alerts(UNKNOWN_CA)),
    ("crl-directory-missing", Alerts(UNKNOWN_CA)),
    ("certificate-weak", Alerts(BAD_CERTIFICATE)),
    ("certificate-purpose", Alerts(UNSUPPORTED_CERTIFICATE)),
    ("issuer-no-ca", Alerts(UNKNOWN_CA)),
    ("certificate-name-constraints", Alerts(CERTIFICATE_UNKNOWN)),
    ("certificate-invalid", Alerts(DECRYPT_ERROR)),
    ("certificate-malformed", Alerts(BAD_CERTIFICATE)),
    ("unknown-critical-extension", Alerts(CERTIFICATE_UNKNOWN)),
    ("password-required", Fails("no password supplied")),
    ("password-rejected", Fails("password authentication failed for user \"demo\"")),
    ("hba-rejected", Fails("no pg_hba.conf entry")),
    ("role-missing", Fails("role \"demo\" does not exist")),
    ("auth-method-unsupported", Fails("GSSAPI")),
    ("channel-binding-failed", Fails("channel binding is required, but server did not offer")),
    ("channel-binding-ed25519", Fails("could not find digest for NID")),
    ("database-missing", Fails("database \"inventory\" does not exist")),
    ("too-many-connections", Fails("remaining connection slots are reserved")),
    ("server-starting", Fails("the database system is starting up")),
    ("session-timeout", Fails("timeout expired")),
    ("session-closed", Fails("SSL connection has been closed unexpectedly")),
    ("session-readonly", Fails("session is read-only")),
    ("server-error", Fails("No space left on device")),
    // The warning is for where psql and the tool differ.
    ("backslash-path", Fails("certsroot.crt\" does not exist")),
    ("passfile-ignored", Connects),
    ("crl-ignored", Connects),
    ("plaintext-accepted", Connects),
    ("tls12-only", Connects),
    ("legacy-tls-accepted", Connects),
    ("sslmode-not-verifying", Connects),
    ("certificate-expires-soon", Connects),
    ("root-expires-soon", Connects),
    ("root-bundle-incomplete", Connects),
    ("no-subject-alt-name", Connects),
    ("ca-as-server-certificate", Connects),
    ("strict-client-rejects", Connects),
    ("tls-terminated-upstream", Connects),
    ("clear-text-password-requested", Connects),
];

/// Faults that need an option of later versions, and where libpq 18, built with OpenSSL 1.1 at its level 1 and without
/// Kerberos, gives another answer than libpq 15 with Debian's OpenSSL 3.
const ANSWERS_OF_18: &[(&str, Answer)] = &[
    ("client-cert-missing", Fails("server accepted connection without a valid SSL certificate")),
    ("direct-tls-unsupported", Fails("SSL SYSCALL error: EOF detected")),
    ("auth-method-excluded", Fails("authentication method requirement \"scram-sha-256\" failed")),
    ("root-file-unreadable", Fails("could not read root certificate file")),
    ("certificate-weak", Connects),
    ("certificate-revoked", Alerts(CERTIFICATE_REVOKED)),
    ("tls-unsupported-here", Connects),
    ("tls-version-unsupported", Fails("alert protocol version")),
    ("channel-binding-ed25519", Fails("could not find digest for NID")),
];

/// A visit by psql: what it made of it, and what the server saw.
fn visit(version: u8, name: &str) -> (Connection, Vec<Visit>) {
    let demo = Demo::start(fault(name)).expect("the fault can be staged");
    let home = Home::new();
    let variables: Vec<(&str, &str)> =
        demo.variables().iter().map(|(name, value)| (*name, value.to_str().expect("UTF-8"))).collect();
    let connection = Psql::libpq(version).connect(&home, demo.conninfo(), &variables);
    (connection, demo.visits())
}

/// Everything that is not as the table says.
fn differences(version: u8, answers: &[(&str, Answer)]) -> Vec<String> {
    let differs = |name: &str, answer: Answer| {
        let (connection, visits) = visit(version, name);
        let as_expected = match answer {
            Connects => connection.connected,
            Fails(why) => !connection.connected && connection.stderr.contains(why),
            Alerts(alert) => {
                !connection.connected && visits.last().is_some_and(|visit| visit.alert == Some(alert))
            }
        };
        (!as_expected).then(|| format!("{name}: not {answer:?} but {connection:?}, {visits:?}"))
    };
    thread::scope(|scope| {
        let asked: Vec<_> =
            answers.iter().map(|(name, answer)| scope.spawn(move || differs(name, *answer))).collect();
        asked.into_iter().filter_map(|thread| thread.join().expect("a test's thread")).collect()
    })
}

#[test]
fn the_healthy_server_is_verified_and_left_politely() {
    let demo = Demo::start(None).expect("it can be staged");
    let home = Home::new();
    let mut psql = Psql::libpq(15).command(&home);
    psql.envs(demo.variables().iter().map(|(name, value)| (name, value)));
    let query = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    let output = psql.args(["-A", "-t", "-c", query, "-d", demo.conninfo()]).output().expect("psql runs");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(output.stdout, b"t\n");
    let visits = demo.visits();
    let [visit] = visits.as_slice() else { panic!("{visits:?}") };
    assert!(visit.ssl_request && visit.encrypted && !visit.direct, "{visit:?}");
    assert_eq!(visit.server_name.as_deref(), Some("db.example"));
    let startup = visit.startup.as_ref().expect("a start-up message");
    assert!(startup.encrypted && startup.parameters.contains(&("user".into(), "demo".into())), "{visit:?}");
    assert_eq!(visit.messages, b"ppQX");
}

#[test]
fn every_fault_has_an_answer() {
    let staged: BTreeSet<&str> = faults().iter().map(|fault| fault.name).collect();
    let told: BTreeSet<&str> = ANSWERS.iter().chain(ANSWERS_OF_18).map(|(name, _)| *name).collect();
    assert_eq!(staged, told);
}

#[test]
fn libpq_15_meets_each_fault_for_what_it_is() {
    let differences = differences(15, ANSWERS);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn libpq_18_meets_its_faults_for_what_they_are() {
    let differences = differences(18, ANSWERS_OF_18);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn what_only_deserves_a_warning_is_accepted() {
    for fault in faults().iter().filter(|fault| matches!(fault.seen_by, SeenBy::Warning | SeenBy::Audit)) {
        let answer = ANSWERS.iter().find(|(name, _)| *name == fault.name).map(|(_, answer)| *answer);
        assert!(answer == Some(Connects) || fault.name == "backslash-path", "{}", fault.name);
    }
}

#[test]
fn psql_tells_an_unverified_server_nothing() {
    let before_trust = ANSWERS.iter().filter(|(_, answer)| matches!(answer, Alerts(_)));
    for (name, _) in before_trust.chain(ANSWERS.iter().filter(|(name, _)| *name == "hostname-mismatch")) {
        let (_, visits) = visit(15, name);
        assert!(!visits.is_empty(), "{name}");
        for visit in visits {
            assert_eq!((visit.startup, visit.messages), (None, Vec::new()), "{name}");
            assert!(!visit.clear.windows(4).any(|bytes| bytes == b"user"), "{name}");
        }
    }
}
