//! The main job, whole: a connection string in, a verdict out, against real PostgreSQL servers.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::home::Home;
use crate::support::pgbouncer::PgBouncer;
use crate::support::pki::{Algorithm, Chain, Draft};
use crate::support::postgres::Postgres;
use crate::support::service::free_port;
use crate::support::site::{self, GUARDED, NAME, OPEN, PASSWORD, Site};
use crate::support::tool::{Report, Tool};

/// Checks one connection string without any environment.
fn check(home: &Home, conninfo: &str) -> Report {
    Tool::at(home).check(conninfo)
}

/// A root that signed nothing, as a file.
fn other_root(home: &Home) -> String {
    let root = Draft::authority("another root", Algorithm::Ecdsa).self_signed();
    text(&home.write("other-root.pem", root.pem()))
}

fn text(path: &Path) -> String {
    path.to_str().expect("a path in UTF-8").to_owned()
}

#[test]
fn both_versions_are_verified_with_rsa_and_with_ecdsa_chains() {
    let home = Home::new();
    for version in [15, 18] {
        for algorithm in [Algorithm::Rsa, Algorithm::Ecdsa] {
            let site = Site::shared(version, algorithm);
            let report = check(&home, &site.verify_full(&home, OPEN));
            report.verified();
            for stage in
                ["config", "trust", "dns", "tcp", "negotiate", "tls", "certificate", "auth", "session"]
            {
                if stage != "dns" {
                    report.stage(stage, "ok");
                }
            }
            let roles: Vec<Value> = chain_field(&report, "role");
            assert_eq!(roles, ["leaf", "intermediate", "root"], "{report}");
            assert_eq!(chain_field(&report, "sent"), [true, true, false], "{report}");
            assert_eq!(chain_field(&report, "line"), [Value::Null, Value::Null, Value::from(1)], "{report}");
            assert!(Path::new(report.at("/chain/2/file").as_str().unwrap()).is_file(), "{report}");
            let key = if algorithm == Algorithm::Rsa { "RSA 2048" } else { "EC" };
            assert!(report.at("/chain/0/key").as_str().unwrap().starts_with(key), "{report}");
            let version_told = report.at("/server/version");
            assert!(version_told.as_str().unwrap().starts_with(&version.to_string()), "{report}");
            report.says("/server/ssl_in_backend", true);
        }
    }
}

fn chain_field(report: &Report, name: &str) -> Vec<Value> {
    report.at("/chain").as_array().unwrap().iter().map(|certificate| certificate[name].clone()).collect()
}

#[test]
fn the_right_password_opens_a_session() {
    let home = Home::new();
    for version in [15, 18] {
        let site = Site::shared(version, Algorithm::Rsa);
        let conninfo = format!("{} password='{PASSWORD}'", site.verify_full(&home, GUARDED));
        let report = check(&home, &conninfo);
        report.verified().stage("auth", "ok").stage("session", "ok").conceals(PASSWORD);
    }
}

#[test]
fn a_wrong_password_is_rejected_after_tls_was_verified() {
    let home = Home::new();
    for version in [15, 18] {
        let site = Site::shared(version, Algorithm::Ecdsa);
        let conninfo = site.verify_full(&home, GUARDED);
        let report = Tool::at(&home).env("PGPASSWORD", "not-the-password").check(&conninfo);
        report.exits(9).diagnosed("password-rejected").says("/diagnosis/stage", "auth");
        report.stage("tls", "ok").stage("certificate", "ok").stage("auth", "failed");
        report.conceals("not-the-password");
    }
}

#[test]
fn without_a_password_the_verdict_is_that_of_tls() {
    let home = Home::new();
    for version in [15, 18] {
        let site = Site::shared(version, Algorithm::Rsa);
        let report = check(&home, &site.verify_full(&home, GUARDED));
        report.verified().stage("certificate", "ok").stage("auth", "skipped").says("/warnings", json!([]));
    }
}

#[test]
fn without_a_password_the_server_logs_no_error() {
    let home = Home::new();
    for version in [15, 18] {
        let site = Site::new(version, Algorithm::Ecdsa, |setup| setup);
        check(&home, &site.verify_full(&home, GUARDED)).verified();
        let log = site.server.log();
        assert!(log.contains("connection received: host=127.0.0.1"), "the server saw no connection:\n{log}");
        for trouble in ["FATAL", "ERROR", "could not", "unexpected EOF", "SSL error", "WARNING"] {
            assert!(!log.contains(trouble), "{trouble:?} in the log of PostgreSQL {version}:\n{log}");
        }
    }
}

#[test]
fn with_require_auth_a_missing_password_is_a_failure() {
    let home = Home::new();
    let site = Site::shared(15, Algorithm::Rsa);
    let conninfo = site.verify_full(&home, GUARDED);
    let report = Tool::at(&home).with(["--require-auth"]).check(&conninfo);
    report.exits(9).diagnosed("password-required").stage("certificate", "ok");
    let report = Tool::at(&home).with(["--require-auth"]).env("PGPASSWORD", PASSWORD).check(&conninfo);
    report.verified().stage("session", "ok");
}

#[test]
fn with_tls_only_nothing_is_said_about_the_user() {
    let home = Home::new();
    let site = Site::new(15, Algorithm::Ecdsa, |setup| setup);
    let report = Tool::at(&home).with(["--tls-only"]).check(&site.verify_full(&home, OPEN));
    report.verified().stage("certificate", "ok").stage("auth", "skipped").stage("session", "skipped");
    // The role needs no password: had the server heard of it, it would have let it in and logged that.
    assert!(!site.server.log().contains(OPEN_LET_IN), "the user name left:\n{}", site.server.log());
    check(&home, &site.verify_full(&home, OPEN)).verified();
    assert!(site.server.log().contains(OPEN_LET_IN), "the log does not tell:\n{}", site.server.log());
}

/// What the server logs when the open role comes in (`log_connections`).
const OPEN_LET_IN: &str = "connection authorized: user=open_role";

#[test]
fn nothing_is_said_about_the_user_before_the_server_is_verified() {
    let home = Home::new();
    let site = Site::new(15, Algorithm::Ecdsa, |setup| setup);
    check(&home, &site::verify_full(site.server.port(), &other_root(&home), OPEN)).exits(8);
    check(&home, &(site.verify_full(&home, OPEN) + " host=other.example")).exits(8);
    assert!(!site.server.log().contains(OPEN_LET_IN), "the user name left:\n{}", site.server.log());
}

#[test]
fn another_root_fails_at_the_certificate() {
    let home = Home::new();
    for version in [15, 18] {
        let site = Site::shared(version, Algorithm::Rsa);
        let report = check(&home, &site::verify_full(site.server.port(), &other_root(&home), OPEN));
        report.exits(8).says("/diagnosis/stage", "certificate").says("/verdict", "failed");
        // The server sends its intermediate; its root is in no store and not in the file.
        report.diagnosed("unknown-issuer").stage("tls", "ok").stage("certificate", "failed");
        report.stage("auth", "skipped");
    }
}

#[test]
fn another_name_fails_at_the_certificate() {
    let home = Home::new();
    let site = Site::shared(18, Algorithm::Ecdsa);
    let conninfo = site.verify_full(&home, OPEN) + " host=other.example";
    let report = check(&home, &conninfo);
    report.exits(8).diagnosed("hostname-mismatch").says("/target/host", "other.example");
}

#[test]
fn an_expired_certificate_is_named() {
    let home = Home::new();
    let mut chain = Chain::honest(NAME, Algorithm::Ecdsa);
    chain.leaf = Draft::server(NAME, Algorithm::Ecdsa).days(-90, -1).signed_by(&chain.intermediate);
    let server = Postgres::version(15).tls(&chain).trusted(OPEN).start();
    let root = text(&home.write("root.pem", chain.root.pem()));
    check(&home, &site::verify_full(server.port(), &root, OPEN)).exits(8).diagnosed("certificate-expired");
}

#[test]
fn a_server_without_tls_is_named() {
    let home = Home::new();
    let root = other_root(&home);
    for version in [15, 18] {
        let server = Postgres::version(version).trusted(OPEN).start();
        let report = check(&home, &site::verify_full(server.port(), &root, OPEN));
        report.exits(6).diagnosed("server-refused-tls").stage("tcp", "ok").stage("negotiate", "failed");
        report.says("/diagnosis/evidence/answered_by", "PostgreSQL");
    }
}

#[test]
fn the_protocol_version_the_server_insists_on_is_met_and_told() {
    let home = Home::new();
    for version in [15, 18] {
        for protocol in ["TLSv1.2", "TLSv1.3"] {
            let site = Site::new(version, Algorithm::Ecdsa, |setup| setup.protocols(protocol, protocol));
            let report = check(&home, &site.verify_full(&home, OPEN));
            report.verified().says("/tls/version", protocol).says("/tls/negotiation", "sslrequest");
        }
    }
}

#[test]
fn a_version_the_settings_exclude_is_a_failure_of_the_handshake() {
    let home = Home::new();
    let site = Site::new(15, Algorithm::Ecdsa, |setup| setup.protocols("TLSv1.2", "TLSv1.2"));
    let conninfo = site.verify_full(&home, OPEN) + " ssl_min_protocol_version=TLSv1.3";
    check(&home, &conninfo).exits(7).diagnosed("tls-version-unsupported");
}

#[test]
fn direct_tls_works_on_18_and_is_refused_by_15() {
    let home = Home::new();
    let site = Site::shared(18, Algorithm::Rsa);
    let report = check(&home, &(site.verify_full(&home, OPEN) + " sslnegotiation=direct"));
    report.verified().says("/tls/negotiation", "direct").says("/tls/alpn", "postgresql");

    let site = Site::shared(15, Algorithm::Rsa);
    let report = check(&home, &(site.verify_full(&home, OPEN) + " sslnegotiation=direct"));
    report.exits(6).diagnosed("direct-tls-unsupported");
}

#[test]
fn ipv4_and_ipv6_are_reached_by_address_and_by_name() {
    let home = Home::new();
    let site = Site::shared(18, Algorithm::Ecdsa);
    let conninfo = site.verify_full(&home, OPEN);
    for address in ["127.0.0.1", "::1"] {
        let report = check(&home, &format!("{conninfo} hostaddr={address}"));
        report.verified().says("/target/address", address).says("/target/host", NAME);
        // The certificate is for the addresses as well.
        let report = check(&home, &format!("{conninfo} host={address} hostaddr=''"));
        report.verified().says("/target/address", address);
    }
}

#[test]
fn a_dead_first_host_is_passed_over() {
    let home = Home::new();
    let site = Site::shared(15, Algorithm::Rsa);
    let conninfo = format!(
        "{} host={NAME},{NAME} hostaddr=127.0.0.1,127.0.0.1 port={},{}",
        site.verify_full(&home, OPEN),
        free_port(),
        site.server.port()
    );
    let report = check(&home, &conninfo);
    report.verified().says("/target/port", site.server.port());
    report.says("/attempts/0/diagnosis/code", "tcp-refused").says("/attempts/1/diagnosis", Value::Null);
}

#[test]
fn a_closed_port_is_named() {
    let home = Home::new();
    let report = check(&home, &site::verify_full(free_port(), &other_root(&home), OPEN));
    report.exits(5).diagnosed("tcp-refused").says("/diagnosis/retryable", true);
}

#[test]
fn a_pooler_is_verified_like_a_server() {
    let home = Home::new();
    let site = Site::shared(15, Algorithm::Rsa);
    let chain = Chain::honest(NAME, Algorithm::Ecdsa);
    let root = text(&home.write("pooler.pem", chain.root.pem()));
    let pooler = PgBouncer::before(&site.server).tls("require", &chain).user(GUARDED, PASSWORD).start();
    let conninfo = site::verify_full(pooler.port(), &root, GUARDED);
    let report = Tool::at(&home).env("PGPASSWORD", PASSWORD).check(&conninfo);
    // The pooler speaks plaintext to the server, and the server's own view of the session tells.
    report.verified().stage("auth", "ok").stage("session", "warning").conceals(PASSWORD);
    report.says("/warnings/0/code", "tls-terminated-upstream").says("/server/ssl_in_backend", false);
    check(&home, &conninfo).verified().stage("auth", "skipped");

    let pooler = PgBouncer::before(&site.server).user(GUARDED, PASSWORD).start();
    let report = check(&home, &site::verify_full(pooler.port(), &root, GUARDED));
    report.exits(6).diagnosed("server-refused-tls").says("/diagnosis/evidence/answered_by", "PgBouncer");
}

#[test]
fn environment_password_file_and_service_lead_to_the_same_check() {
    let home = Home::new();
    let site = Site::shared(15, Algorithm::Ecdsa);
    let port = site.server.port().to_string();
    let root = text(&home.write(".postgresql/root.crt", site.chain.root.pem()));
    home.write(".pgpass", format!("{NAME}:{port}:*:{GUARDED}:{PASSWORD}\n"));
    let report = Tool::at(&home)
        .env("PGHOST", NAME)
        .env("PGHOSTADDR", "127.0.0.1")
        .env("PGPORT", &port)
        .env("PGUSER", GUARDED)
        .env("PGDATABASE", "postgres")
        .with(["--format", "json"])
        .run();
    // No sslmode and no sslrootcert: verify-full with ~/.postgresql/root.crt, and the password file of the home.
    report.verified().says("/target/sslmode", "verify-full").stage("session", "ok").conceals(PASSWORD);

    home.write(
        ".pg_service.conf",
        format!(
            "[bed]\nhost={NAME}\nhostaddr=127.0.0.1\nport={port}\nuser={GUARDED}\ndbname=postgres\n\
             sslmode=verify-ca\nsslrootcert={root}\n"
        ),
    );
    let report = check(&home, "service=bed");
    report.verified().says("/target/sslmode", "verify-ca").stage("session", "ok").conceals(PASSWORD);
}

#[test]
fn every_service_is_a_target() {
    let home = Home::new();
    let site = Site::shared(15, Algorithm::Ecdsa);
    let (port, root) = (site.server.port(), text(&home.write("root.pem", site.chain.root.pem())));
    let section = |name: &str, port: u16| {
        format!(
            "[{name}]\nhost={NAME}\nhostaddr=127.0.0.1\nport={port}\nuser={OPEN}\ndbname=postgres\nsslrootcert={root}\n"
        )
    };
    let none = Tool::at(&home).with(["--all-services"]).run();
    none.exits(2);
    assert!(none.stderr.contains("no service is defined: "), "{none}");
    home.write(".pg_service.conf", section("one of them", port) + &section("dead", free_port()));
    let report = Tool::at(&home).with(["--all-services", "--format", "json"]).run();
    report.exits(5);
    let of = |name: &str| {
        let mut objects = report.objects().into_iter();
        objects.find(|object| object["source"]["name"] == name).expect("the section")
    };
    assert_eq!(of("one of them")["verdict"], "verified", "{report}");
    assert_eq!(of("dead")["diagnosis"]["code"], "tcp-refused", "{report}");
}

#[test]
fn a_uri_says_the_same_as_keywords() {
    let home = Home::new();
    let site = Site::shared(18, Algorithm::Rsa);
    let root = text(&home.write("root.pem", site.chain.root.pem()));
    let uri = format!(
        "postgresql://{GUARDED}:{}@{NAME}:{}/postgres?hostaddr=127.0.0.1&sslmode=verify-full&sslrootcert={root}",
        PASSWORD.replace('%', "%25"),
        site.server.port()
    );
    let report = check(&home, &uri);
    report.verified().stage("session", "ok").conceals(PASSWORD);
}

#[test]
fn the_json_report_has_every_field_of_its_schema() {
    let home = Home::new();
    let site = Site::shared(18, Algorithm::Ecdsa);
    let good = check(&home, &site.verify_full(&home, OPEN)).json();
    let bad = check(&home, &site::verify_full(site.server.port(), &other_root(&home), OPEN)).json();
    for report in [&good, &bad] {
        for (pointer, kind) in [
            ("/schema", "number"),
            ("/tool", "string"),
            ("/time", "string"),
            ("/target/host", "string"),
            ("/target/address", "string"),
            ("/target/port", "number"),
            ("/target/database", "string"),
            ("/target/user", "string"),
            ("/target/sslmode", "string"),
            ("/target/provider", "null"),
            ("/verdict", "string"),
            ("/exit_code", "number"),
            ("/also", "array"),
            ("/warnings", "array"),
            ("/stages", "array"),
            ("/attempts/0/host", "string"),
            ("/attempts/0/address", "string"),
            ("/attempts/0/port", "number"),
            ("/tls/version", "string"),
            ("/tls/cipher", "string"),
            ("/tls/group", "string"),
            ("/tls/sni", "string"),
            ("/tls/negotiation", "string"),
            ("/chain/0/subject", "string"),
            ("/chain/0/issuer", "string"),
            ("/chain/0/sans", "array"),
            ("/chain/0/serial", "string"),
            ("/chain/0/not_before", "string"),
            ("/chain/0/not_after", "string"),
            ("/chain/0/key", "string"),
            ("/chain/0/signature", "string"),
            ("/chain/0/sha256", "string"),
            ("/chain/0/sent", "boolean"),
            ("/chain/0/role", "string"),
        ] {
            assert_eq!(kind_of(report, pointer), kind, "{pointer} of {report:#}");
        }
        assert_eq!(report["schema"], 1);
        assert_eq!(report["tool"], format!("pgtls-check {}", env!("CARGO_PKG_VERSION")));
        let names: Vec<&Value> =
            report["stages"].as_array().unwrap().iter().map(|stage| &stage["name"]).collect();
        assert_eq!(
            names,
            ["config", "trust", "dns", "tcp", "negotiate", "tls", "certificate", "auth", "session"],
            "{report:#}"
        );
        for stage in report["stages"].as_array().unwrap() {
            assert!(stage["ms"].is_number() || stage["ms"].is_null(), "{stage}");
            assert!(stage["detail"].is_string(), "{stage}");
        }
    }
    assert_eq!(kind_of(&good, "/diagnosis"), "null");
    assert_eq!(kind_of(&good, "/attempts/0/diagnosis"), "null");
    assert_eq!(kind_of(&good, "/server/version"), "string");
    for (pointer, kind) in [
        ("/diagnosis/code", "string"),
        ("/diagnosis/stage", "string"),
        ("/diagnosis/title", "string"),
        ("/diagnosis/cause", "string"),
        ("/diagnosis/evidence", "object"),
        ("/diagnosis/fixes/0/text", "string"),
        ("/diagnosis/retryable", "boolean"),
        ("/diagnosis/doc", "string"),
        ("/attempts/0/diagnosis/code", "string"),
    ] {
        assert_eq!(kind_of(&bad, pointer), kind, "{pointer} of {bad:#}");
    }
    for field in ["tried", "settings", "command"] {
        assert!(bad["diagnosis"]["fixes"][0].get(field).is_some(), "{field} of {bad:#}");
    }
}

fn kind_of(report: &Value, pointer: &str) -> &'static str {
    match report.pointer(pointer) {
        None => "missing",
        Some(Value::Null) => "null",
        Some(Value::Bool(_)) => "boolean",
        Some(Value::Number(_)) => "number",
        Some(Value::String(_)) => "string",
        Some(Value::Array(_)) => "array",
        Some(Value::Object(_)) => "object",
    }
}
