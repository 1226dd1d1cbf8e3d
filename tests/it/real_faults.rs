//! Faults of honest servers: PostgreSQL 15 and 18 and PgBouncer, set up wrongly or asked wrongly. Each is named with its
//! evidence and a remedy that fits.

use serde_json::Value;

use crate::support::home::Home;
use crate::support::pgbouncer::PgBouncer;
use crate::support::pki::{Algorithm, Chain, Draft};
use crate::support::postgres::Postgres;
use crate::support::site::{self, GUARDED, NAME, OPEN, PASSWORD, Site};
use crate::support::tool::{Report, Tool};

const BOTH: [u8; 2] = [15, 18];

/// A diagnosis to be found: code, stage, exit status.
type Found = (&'static str, &'static str, i32);

/// Asserts a diagnosis, facts of its evidence by label, and words of its first fix.
#[track_caller]
fn says(report: &Report, (code, stage, exit): Found, evidence: &[(&str, &str)], fix: &str) {
    report.exits(exit).diagnosed(code).says("/diagnosis/stage", stage).stage(stage, "failed");
    for (label, value) in evidence {
        let fact = match report.at(&format!("/diagnosis/evidence/{label}")) {
            Value::String(text) => text,
            other => other.to_string(),
        };
        assert!(fact.contains(value), "{label} is {fact:?}, not {value:?}: {report}");
    }
    let first = report.at("/diagnosis/fixes/0").to_string();
    assert!(first.contains(fix), "the first fix is not {fix:?}: {report}");
}

fn check(home: &Home, conninfo: &str) -> Report {
    Tool::at(home).check(conninfo)
}

#[test]
fn a_role_and_a_database_that_are_not_there() {
    let home = Home::new();
    for version in BOTH {
        // Only a role that needs no password comes as far as the look-up of the role.
        let site = Site::new(version, Algorithm::Ecdsa, |setup| setup.hba("hostssl all nobody all trust"));
        let role = check(&home, &site.verify_full(&home, "nobody"));
        let from = ("from", "connection string");
        says(&role, ("role-missing", "auth", 9), &[("user", "nobody"), from], "user=NAME");
        let database = check(&home, &(site.verify_full(&home, OPEN) + " dbname=inventory"));
        let evidence = [("database", "inventory"), from, ("server_says", "does not exist")];
        says(&database, ("database-missing", "session", 9), &evidence, "postgres");
    }
}

#[test]
fn pg_hba_that_rejects_or_has_no_line() {
    let home = Home::new();
    for version in BOTH {
        let site = Site::new(version, Algorithm::Ecdsa, |setup| {
            setup.hba("hostssl all intruder all reject").hba("hostnossl all all all trust")
        });
        let rejected = check(&home, &site.verify_full(&home, "intruder"));
        let evidence = [("client", "127.0.0.1"), ("user", "intruder"), ("database", "postgres")];
        says(&rejected, ("hba-rejected", "auth", 9), &evidence, "before the reject line");
        let v6 = check(&home, &(site.verify_full(&home, "intruder") + " hostaddr=::1"));
        says(&v6, ("hba-rejected", "auth", 9), &[("client", "::1")], "hostssl postgres intruder ::1/128");
    }
}

#[test]
fn wrong_passwords_tell_where_they_came_from() {
    let home = Home::new();
    let site = Site::shared(18, Algorithm::Ecdsa);
    let conninfo = site.verify_full(&home, GUARDED);
    let rejected = ("password-rejected", "auth", 9);
    let report = Tool::at(&home).env("PGPASSWORD", "stale").check(&conninfo);
    let from = |place| [("user", GUARDED), ("password_from", place)];
    says(&report, rejected, &from("PGPASSWORD"), "password");
    let file = home.write("passwords", "*:*:*:*:stale\n");
    let report = check(&home, &format!("{conninfo} passfile={}", file.display()));
    says(&report, rejected, &from("passwords"), "password");
    report.conceals("stale");
    // A variable that takes the file's place.
    let beside =
        Tool::at(&home).env("PGPASSWORD", "other").check(&format!("{conninfo} passfile={}", file.display()));
    says(&beside, rejected, &from("PGPASSWORD"), "has another password for this login");
    beside.says("/diagnosis/fixes/0/command", "unset PGPASSWORD").conceals("stale");
    // The neighbour: the right one, from the same file.
    home.write("passwords", format!("*:*:*:*:{PASSWORD}\n"));
    check(&home, &format!("{conninfo} passfile={}", file.display())).verified().stage("session", "ok");
    let asked = Tool::at(&home).with(["--require-auth"]).check(&conninfo);
    says(
        &asked,
        ("password-required", "auth", 9),
        &[("user", GUARDED), ("method", "scram"), ("looked_in", ".pgpass: does not exist")],
        ".pgpass",
    );
    // Each reason for which a password file gives none.
    let port = site.server.port();
    for (content, mode, reason) in [
        (format!("{NAME}:{port}:other:*:x\n"), 0o600, "line 1 differs only in its database"),
        (format!("{NAME}:1:other:*:x\n"), 0o600, "no line for db.example:"),
        (format!("# none\n{NAME}:{port}:*:{GUARDED}:\n"), 0o600, "line 2 matches, and its password is empty"),
        (format!("*:*:*:*:{PASSWORD}\n"), 0o640, "ignored, its mode is 0640"),
        // Two faults are told at once.
        (format!("{NAME}:{port}:other:*:x\n"), 0o644, "0644; and no line for db.example:"),
    ] {
        let file = home.write("passwords", content);
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
        let asked = Tool::at(&home)
            .with(["--require-auth"])
            .check(&format!("{conninfo} passfile={}", file.display()));
        says(&asked, ("password-required", "auth", 9), &[("looked_in", reason)], "passwords");
        asked.conceals(PASSWORD);
    }
}

#[test]
fn a_method_that_require_auth_excludes() {
    let home = Home::new();
    let site = Site::shared(15, Algorithm::Ecdsa);
    let conninfo = site.verify_full(&home, GUARDED) + " require_auth=md5";
    let report = Tool::at(&home).env("PGPASSWORD", PASSWORD).check(&conninfo);
    let evidence = [("method", "scram-sha-256"), ("require_auth", "md5")];
    says(&report, ("auth-method-unsupported", "auth", 9), &evidence, "pg_hba.conf");
    // Debian builds with GSSAPI.
    let site = Site::new(15, Algorithm::Ecdsa, |setup| setup.hba("hostssl all kerberos all gss"));
    let report = check(&home, &site.verify_full(&home, "kerberos"));
    says(&report, ("auth-method-unsupported", "auth", 9), &[("method", "gss")], "--tls-only");
}

#[test]
fn a_server_without_a_free_connection() {
    let home = Home::new();
    for version in BOTH {
        let site = Site::new(version, Algorithm::Ecdsa, |setup| setup);
        site.server.execute(&format!("ALTER ROLE {OPEN} CONNECTION LIMIT 0"));
        let report = check(&home, &site.verify_full(&home, OPEN));
        let full = ("too-many-connections", "session", 9);
        says(
            &report,
            full,
            &[("limit", "too many connections for role")],
            "ALTER ROLE open_role CONNECTION LIMIT",
        );
        report.says("/diagnosis/retryable", true);
    }
}

#[test]
pub(crate) fn a_server_that_is_shutting_down() {
    let home = Home::new();
    let site = Site::new(15, Algorithm::Ecdsa, |setup| setup);
    // The neighbour: the server before that.
    check(&home, &site.verify_full(&home, OPEN)).verified();
    // A smart shutdown waits for the sessions there are and takes no new one.
    let _session = site.server.hold_a_session();
    site.server.shut_down_smartly();
    let report = check(&home, &site.verify_full(&home, OPEN));
    let evidence = [("state", "shutting down"), ("sqlstate", "57P03")];
    says(&report, ("server-starting", "session", 9), &evidence, "pg_isready");
    report.says("/diagnosis/retryable", true);
}

#[test]
fn a_standby_where_a_writable_server_is_wanted() {
    let home = Home::new();
    for version in BOTH {
        let site = Site::new(version, Algorithm::Ecdsa, |setup| setup);
        site.server.execute(&format!("ALTER ROLE {OPEN} SET default_transaction_read_only = on"));
        let conninfo = site.verify_full(&home, OPEN);
        let report = check(&home, &(conninfo.clone() + " target_session_attrs=read-write"));
        let evidence = [("wanted", "read-write"), ("found", "read-only")];
        says(&report, ("session-readonly", "session", 9), &evidence, "default_transaction_read_only");
        check(&home, &(conninfo + " target_session_attrs=any")).verified();
    }
}

#[test]
pub(crate) fn client_certificates_demanded_missing_and_strange() {
    let home = Home::new();
    let clients = Draft::authority("clients", Algorithm::Ecdsa).self_signed();
    for version in BOTH {
        let site = Site::new(version, Algorithm::Ecdsa, |setup| {
            setup.client_roots(clients.pem()).hba("hostssl all all 127.0.0.1/32 trust clientcert=verify-full")
        });
        let conninfo = site.verify_full(&home, OPEN);
        let files = |name: &str, ca| {
            let client = Draft::server(name, Algorithm::Ecdsa).signed_by(ca);
            let certificate = home.write(&format!("{name}.crt"), client.pem());
            let key = home.write(&format!("{name}.key"), client.key_pem());
            format!("{conninfo} sslcert={} sslkey={}", certificate.display(), key.display())
        };
        let none = check(&home, &conninfo);
        let evidence = [("client_certificate", "none is set"), ("server_accepts", "clients")];
        says(
            &none,
            ("client-cert-required", "tls", 7),
            &evidence,
            "set sslcert to a client certificate issued by",
        );
        let strangers = Draft::authority("strangers", Algorithm::Ecdsa).self_signed();
        let strange = check(&home, &files("stranger", &strangers));
        let evidence = [("answer", "unknown_ca"), ("issuer", "strangers"), ("path", "stranger.crt")];
        says(&strange, ("client-cert-rejected", "tls", 7), &evidence, "issued by CN=clients");
        // Going without one passes TLS here, and pg_hba.conf refuses it: that is not offered as tried.
        let fixes = strange.at("/diagnosis/fixes");
        let without =
            fixes.as_array().unwrap().iter().find(|fix| fix["settings"]["sslcert"] == "/nonexistent");
        assert_eq!(without.expect("to go without")["tried"], Value::Null, "{strange}");
        // The neighbour: a certificate of the right CA in the role's name.
        check(&home, &files(OPEN, &clients)).verified().stage("session", "ok");
    }
}

/// pg_hba.conf compares the certificate's name with the user in three ways, and the server words each by the line's method.
#[test]
pub(crate) fn a_client_certificate_of_another_user() {
    let home = Home::new();
    let clients = Draft::authority("clients", Algorithm::Ecdsa).self_signed();
    for version in BOTH {
        for (method, is_certain) in
            [("cert", true), ("trust", true), ("scram-sha-256", true), ("password", false)]
        {
            let options = if method == "cert" { "" } else { " clientcert=verify-full" };
            let site = Site::new(version, Algorithm::Ecdsa, |setup| {
                setup
                    .client_roots(clients.pem())
                    .hba(&format!("hostssl all all 127.0.0.1/32 {method}{options}"))
            });
            let identified = |name: &str, password: &str| {
                let client = Draft::server(name, Algorithm::Ecdsa).signed_by(&clients);
                let certificate = home.write("client.crt", client.pem());
                let key = home.write("client.key", client.key_pem());
                let files = format!(" sslcert={} sslkey={}", certificate.display(), key.display());
                let conninfo = site.verify_full(&home, GUARDED) + &files;
                Tool::at(&home).env("PGPASSWORD", password).with(["--require-auth"]).check(&conninfo)
            };
            let other = identified("alice", PASSWORD);
            let evidence = [("certificate_name", "alice"), ("user", GUARDED), ("path", "client.crt")];
            let mismatch = ("certificate-user-mismatch", "auth", 9);
            says(&other, mismatch, &evidence, "\"user\":\"alice\"");
            // A map is valid with cert alone.
            let fix = if method == "cert" { "pg_ident.conf" } else { "clientcert=verify-ca" };
            assert!(other.at("/diagnosis/fixes").to_string().contains(fix), "{other}");
            let cause = other.at("/diagnosis/cause").to_string();
            assert_eq!(!cause.contains("one of these"), is_certain, "{method}: {cause}");
            other.conceals(PASSWORD);
            // The neighbours: the right name, and the right name with a wrong password.
            identified(GUARDED, PASSWORD).verified();
            if method == "scram-sha-256" {
                for name in [GUARDED, "alice"] {
                    identified(name, "wrong").diagnosed("password-rejected");
                }
            }
        }
    }
}

#[test]
fn roles_and_databases_that_may_not_be_used() {
    let home = Home::new();
    for version in BOTH {
        let site = Site::new(version, Algorithm::Ecdsa, |setup| {
            setup.hba("hostssl all all all trust").sql("CREATE ROLE idle NOLOGIN;")
        });
        for statement in [
            "CREATE DATABASE closed ALLOW_CONNECTIONS false",
            "CREATE DATABASE guarded",
            "REVOKE CONNECT ON DATABASE guarded FROM PUBLIC",
        ] {
            site.server.execute(statement);
        }
        let error = ("server-error", "session", 9);
        let report = check(&home, &site.verify_full(&home, "idle"));
        says(&report, error, &[("sqlstate", "28000")], "ALTER ROLE idle LOGIN;");
        let report = check(&home, &(site.verify_full(&home, OPEN) + " dbname=guarded"));
        says(&report, error, &[("sqlstate", "42501")], "GRANT CONNECT ON DATABASE guarded TO open_role;");
        let report = check(&home, &(site.verify_full(&home, OPEN) + " dbname=closed"));
        says(&report, error, &[("sqlstate", "55000")], "dbname");
        assert!(report.at("/diagnosis/fixes").to_string().contains("ALLOW_CONNECTIONS true"), "{report}");
    }
}

#[test]
pub(crate) fn a_pooler_whose_server_rejects_it() {
    let home = Home::new();
    let site = Site::shared(15, Algorithm::Ecdsa);
    let chain = Chain::honest(NAME, Algorithm::Ecdsa);
    let root = home.write("pooler.pem", chain.root.pem());
    let pooled = |password| {
        let pooler =
            PgBouncer::before(&site.server).tls("require", &chain).trusted(GUARDED, password).start();
        let report = check(&home, &site::verify_full(pooler.port(), root.to_str().unwrap(), GUARDED));
        (report, pooler)
    };
    let (report, _pooler) = pooled("outdated");
    report.stage("tls", "ok").stage("certificate", "ok");
    let failed = ("upstream-failed", "session", 9);
    says(
        &report,
        failed,
        &[("message_from", "PgBouncer"), ("message", "authentication failed")],
        "auth_file",
    );
    report.says("/diagnosis/retryable", true);
    // The neighbour: the same pooler with the server's password.
    pooled(PASSWORD).0.verified();
}

#[test]
fn tls_off_in_server_and_pooler() {
    let home = Home::new();
    let site = Site::shared(15, Algorithm::Ecdsa);
    let root = home.write("root.pem", site.chain.root.pem());
    let root = root.to_str().unwrap();
    let off = ("server-refused-tls", "negotiate", 6);
    for version in BOTH {
        let server = Postgres::version(version).trusted(OPEN).start();
        let report = check(&home, &site::verify_full(server.port(), root, OPEN));
        says(&report, off, &[("answer", "N"), ("to", "127.0.0.1")], "ALTER SYSTEM SET ssl = on");
    }
    let pooler = PgBouncer::before(&site.server).user(GUARDED, PASSWORD).start();
    let report = check(&home, &site::verify_full(pooler.port(), root, GUARDED));
    says(&report, off, &[("answer", "N")], "ssl");
    let fixes = report.at("/diagnosis/fixes").to_string();
    // On this machine it may stand beside the application: then the way to encrypt is its own.
    assert!(fixes.contains("client_tls_sslmode") && fixes.contains("server_tls_sslmode"), "{report}");
}

#[test]
fn certificates_expired_to_come_and_for_another_name() {
    let home = Home::new();
    let serve = |change: fn(Draft) -> Draft| {
        let mut chain = Chain::honest(NAME, Algorithm::Ecdsa);
        chain.leaf = change(Draft::server(NAME, Algorithm::Ecdsa)).signed_by(&chain.intermediate);
        let server = Postgres::version(18).tls(&chain).trusted(OPEN).start();
        let root = home.write(&format!("{}.pem", server.port()), chain.root.pem());
        (check(&home, &site::verify_full(server.port(), root.to_str().unwrap(), OPEN)), server)
    };
    let (expired, _server) = serve(|draft| draft.days(-90, -35));
    let evidence = [("certificate", NAME), ("days_past", "35")];
    says(&expired, ("certificate-expired", "certificate", 8), &evidence, "pg_reload_conf");
    let (early, _server) = serve(|draft| draft.days(8, 90));
    let evidence = [("certificate", NAME)];
    says(&early, ("certificate-not-yet-valid", "certificate", 8), &evidence, "clock");
    // Eight days and no second less, where certificate and check fall into the same one.
    let ahead = early.at("/diagnosis/evidence/days_ahead");
    assert!(ahead == 7 || ahead == 8, "{early}");
    let (shadowed, _server) = serve(|draft| Draft { dns: vec!["db-7.example".to_owned()], ..draft });
    let evidence = [("expected", NAME), ("certificate_names", "db-7.example"), ("closest", "db-7.example")];
    says(
        &shadowed,
        ("hostname-mismatch", "certificate", 8),
        &evidence,
        "reissue its certificate with DNS:db.example",
    );
    assert!(shadowed.at("/diagnosis/cause").to_string().contains("common name"), "{shadowed}");
    let (other, _server) = serve(|_| Draft::server("db-7.example", Algorithm::Ecdsa));
    let evidence = [("expected", NAME), ("certificate_names", "db-7.example"), ("closest", "db-7.example")];
    says(&other, ("hostname-mismatch", "certificate", 8), &evidence, "let it end at db.example");
}

#[test]
fn an_intermediate_that_is_not_sent() {
    let home = Home::new();
    let chain = Chain::honest(NAME, Algorithm::Rsa);
    // A file with the server's own certificate alone, as most often goes wrong.
    let bare = Chain { intermediate: chain.leaf.clone(), ..chain.clone() };
    let server = Postgres::version(15).tls(&bare).trusted(OPEN).start();
    let root = home.write("root.pem", chain.root.pem());
    let report = check(&home, &site::verify_full(server.port(), root.to_str().unwrap(), OPEN));
    let evidence = [("missing", "Rsa test intermediate"), ("in_file", "Rsa test root")];
    says(&report, ("intermediate-missing", "certificate", 8), &evidence, "ssl_cert_file");
    // libpq takes an intermediate from the file too, beside its root.
    let both = home.write("both.pem", chain.root.pem() + &chain.intermediate.pem());
    check(&home, &site::verify_full(server.port(), both.to_str().unwrap(), OPEN)).verified();
}

#[test]
fn direct_tls_where_the_server_is_too_old() {
    let home = Home::new();
    let site = Site::shared(15, Algorithm::Ecdsa);
    let report = check(&home, &(site.verify_full(&home, OPEN) + " sslnegotiation=direct"));
    let unsupported = ("direct-tls-unsupported", "negotiate", 6);
    says(&report, unsupported, &[("to", "127.0.0.1")], "\"sslnegotiation\":\"postgres\"");
    report.says("/diagnosis/fixes/0/tried", "works");
}

#[test]
fn versions_and_suites_that_do_not_meet() {
    let home = Home::new();
    let site = Site::new(18, Algorithm::Ecdsa, |setup| setup.protocols("TLSv1.3", "TLSv1.3"));
    let conninfo = site.verify_full(&home, OPEN);
    let report = check(&home, &(conninfo.clone() + " ssl_max_protocol_version=TLSv1.2"));
    let evidence = [("offered", "TLSv1.2"), ("server_has", "TLSv1.3")];
    says(&report, ("tls-version-unsupported", "tls", 7), &evidence, "ssl_max_protocol_version");
    check(&home, &conninfo).verified();
    let site = Site::new(15, Algorithm::Rsa, |setup| {
        setup.protocols("TLSv1.2", "TLSv1.2").ciphers("AES256-GCM-SHA384")
    });
    let report = check(&home, &site.verify_full(&home, OPEN));
    // Static RSA: psql connects, the library here has no such suite.
    says(&report, ("tls-unsupported-here", "tls", 7), &[("psql", "connects")], "ssl_ciphers");
}

#[test]
fn a_pooler_whose_server_is_gone() {
    let home = Home::new();
    let upstream = Site::new(15, Algorithm::Ecdsa, |setup| setup);
    let chain = Chain::honest(NAME, Algorithm::Ecdsa);
    let pooler = PgBouncer::before(&upstream.server).tls("require", &chain).trusted(OPEN, PASSWORD).start();
    let root = home.write("pooler.pem", chain.root.pem());
    let conninfo = site::verify_full(pooler.port(), root.to_str().unwrap(), OPEN) + " connect_timeout=3";
    drop(upstream);
    let report = check(&home, &conninfo);
    report.stage("tls", "ok").stage("certificate", "ok");
    says(&report, ("session-timeout", "session", 9), &[("seconds", "3")], "log_connections");
}
