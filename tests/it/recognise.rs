//! `explain TEXT`: every error text that was measured or reported finds its diagnosis.

mod libpq_messages;
mod translations;

use pgtls_check::diagnose::recognise::{KnownText, filled_fix, mentioned, recognise};
use serde_json::Value as Json;

use crate::support::home::Home;
use crate::support::tool::Tool;

/// The measured texts: scenario, client, text, diagnosis.
const MEASURED: &str = include_str!("vectors/driver-errors.json");

/// Texts of users' reports: text, diagnosis, source.
const REPORTED: &str = include_str!("vectors/symptom-texts.tsv");

/// Whether a diagnosis is in one of the first three readings.
fn offers(known: &KnownText, code: &str) -> bool {
    known.readings().iter().take(3).any(|reading| reading.codes.iter().any(|other| other.name == code))
}

#[test]
fn every_measured_text_finds_its_diagnosis_among_the_first_three_readings() {
    let data: Json = serde_json::from_str(MEASURED).unwrap();
    let entries = data["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 362);
    let mut missed = Vec::new();
    for entry in entries {
        let text = entry["text"].as_str().unwrap();
        // "hba-rejected (sslmode=prefer, plaintext)"
        let code = entry["diagnosis"].as_str().unwrap().split(' ').next().unwrap();
        match recognise(text) {
            Some(known) if offers(&known, code) => {}
            Some(known) => missed.push(format!("{code}: {text}\n    is taken for {}", known.pattern)),
            None => missed.push(format!("{code}: {text}\n    is not known")),
        }
    }
    assert!(missed.is_empty(), "{} missed:\n{}", missed.len(), missed.join("\n"));
}

#[test]
fn every_reported_text_finds_its_diagnosis() {
    let rows: Vec<_> = REPORTED.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(rows.len() >= 60);
    for row in rows {
        let fields: Vec<&str> = row.split('\t').collect();
        let [text, code, _source] = fields.as_slice() else { panic!("{row}") };
        let known = recognise(text).unwrap_or_else(|| panic!("{text} is not known"));
        assert!(offers(&known, code), "{code}: {text}\n    is taken for {}", known.pattern);
    }
}

#[test]
fn a_text_with_one_cause_has_one_answer_first() {
    for (text, code) in [
        (
            "psql: error: connection to server at \"h\" (10.0.0.1), port 5432 failed: server certificate for \"a\" does not match host name \"b\"",
            "hostname-mismatch",
        ),
        (
            "org.postgresql.util.PSQLException: The hostname db.x could not be verified by hostnameverifier PgjdbcHostnameVerifier.",
            "hostname-mismatch",
        ),
        (
            "invalid peer certificate: certificate expired: verification time 1 (UNIX), but certificate is not valid after 0",
            "certificate-expired",
        ),
        ("DEPTH_ZERO_SELF_SIGNED_CERT Error: self-signed certificate", "self-signed"),
        ("connect ECONNREFUSED 10.0.0.1:5432", "tcp-refused"),
        ("SELF_SIGNED_CERT_IN_CHAIN", "root-not-in-file"),
        ("CERT_HAS_EXPIRED", "certificate-expired"),
        ("ERR_TLS_CERT_ALTNAME_INVALID", "hostname-mismatch"),
        ("failed: SSL connection has been closed unexpectedly", "session-closed"),
        ("FATAL: password authentication failed for user \"app\"", "password-rejected"),
    ] {
        assert_eq!(recognise(text).unwrap().readings()[0].codes[0].name, code, "{text}");
    }
}

/// The step that ends it, in the first reading with what the text mentions.
#[test]
fn a_text_leads_to_the_step_that_mends_it() {
    for (text, step) in [
        ("FATAL:  Peer authentication failed for user \"app\"", "sudo -u app psql"),
        ("DETAIL:  User \"app\" has no password assigned.", "ALTER ROLE"),
        (
            "FATAL: password authentication failed for user \"app\" DETAIL: Role \"app\" does not exist.",
            "CREATE ROLE",
        ),
        ("FATAL: password authentication failed for user \"app\"", "docker exec -it CONTAINER psql -U app"),
        ("client password must be a string", "dotenv"),
        (
            "$ docker compose exec store psql -U postgres -l\npsql: error: connection to server on socket \"/var/run/postgresql/.s.PGSQL.5432\" failed: FATAL:  role \"postgres\" does not exist",
            "docker compose exec store sh -c 'psql -U \"$POSTGRES_USER\"",
        ),
        ("psql: error: FATAL:  role \"postgres\" does not exist", "compose exec SERVICE"),
        (
            "store-db-1  | 2026-11-30 07:00:10.1 UTC [77] FATAL:  role \"root\" does not exist",
            "pg_isready -U",
        ),
        ("ERROR: 08P01: client sent partial pkt in startup phase", "port=5432 for this user"),
        (
            "ActiveRecord::ConnectionNotEstablished (connection to server at \"h\", port 5432 failed: fe_sendauth: no password supplied)",
            "set it where the application runs",
        ),
        (
            "SQLSTATE[08006] [7] connection to server at \"h\", port 5432 failed: fe_sendauth: no password supplied (Connection: pgsql)",
            "config:clear",
        ),
        ("No password has been provided but the backend requires one (in MD5)", "EnvironmentFile="),
        ("psql: error: fe_sendauth: no password supplied", "set PGPASSWORD"),
        // PgBouncer's own side, of which its log tells.
        ("WARNING DNS lookup failed: db1.internl: result=0", "correct host= of that line of [databases]"),
        ("LOG S-0x55d2: d/u@10.9.0.7:5432 closing because: connect failed (age=0s)", "host= and port="),
        (
            "WARNING server login failed: FATAL password authentication failed for user \"app\"",
            "userlist.txt (auth_file)",
        ),
        ("error: prepared statement \"s1\" already exists", "prepareThreshold=0"),
        ("FATAL: This IP address 192.0.2.9 is not allowed to connect to this endpoint.", "add 192.0.2.9"),
        ("FATAL:  terminating connection due to idle-session timeout", "maxLifetime"),
        ("FATAL: query_wait_timeout", "default_pool_size"),
        ("ERROR: no such database: store", "under [databases]"),
        (
            "Npgsql.NpgsqlException: Exception while reading from stream ---> Timeout during reading attempt at Npgsql.NpgsqlCommand.ExecuteReader",
            "Command Timeout=120",
        ),
        (
            "database files are incompatible with server DETAIL: The data directory was initialized by PostgreSQL version 14, which is not compatible with this version 17.2.",
            "image postgres:14)",
        ),
        // For localhost ::1 is tried, too, where there is no IPv6: that tells nothing of the server.
        (
            "connection to server at \"localhost\" (::1), port 5432 failed: Cannot assign requested address connection to server at \"localhost\" (127.0.0.1), port 5432 failed: Connection refused",
            "from a container: set host",
        ),
        (
            "[Errno 111] Connect call failed ('127.0.0.1', 5432), [Errno 99] Cannot assign requested address",
            "from a container: set host",
        ),
        // Of a session, not of a connection that was being made.
        (
            "psycopg2.OperationalError: server closed the connection unexpectedly This probably means the server terminated abnormally",
            "pool_pre_ping=True",
        ),
        (
            "connection to server at \"h\", port 5432 failed: server closed the connection unexpectedly",
            "at the provider: allow",
        ),
        ("(psycopg2.OperationalError) SSL connection has been closed unexpectedly", "pool_pre_ping=True"),
        ("FATAL: certificate authentication failed for user \"app\"", "a certificate of app"),
        ("FATAL: server login failed: wrong password type", "SCRAM-SHA-256$"),
        ("psql: error: FATAL:  SASL authentication failed", "userlist.txt"),
        ("FATAL:  PAM authentication failed for user \"app\"", "--username app"),
        ("could not translate host name \"pw@db\" to address: x", "%40"),
        ("could not translate host name \"localhost \" to address: x", "remove blanks"),
        ("could not translate host name \"host.docker.internal\" to address: x", "host-gateway"),
        ("getaddrinfo ENOTFOUND base { hostname: 'base' }", "postgresql://USER:PASSWORD@HOST"),
        ("Could not read SSL key file client.key.", "-outform DER"),
        ("FATAL:  private key file \"/s/tls.key\" has group or world access", "securityContext.fsGroup"),
        (
            "WARNING: password file \"/s/pgpass\" has group or world access fe_sendauth: no password supplied",
            "install -m 600 /s/pgpass",
        ),
        (
            "Hostname/IP does not match certificate's altnames: IP: 10.9.0.4 is not in the cert's list: ",
            "subjectAltName=IP:10.9.0.4",
        ),
        (
            "certificate verify failed: IP address mismatch, certificate is not valid for '10.9.0.4'. (_ssl.c:1000)",
            "subjectAltName=IP:10.9.0.4",
        ),
        ("No subject alternative names matching IP address 10.9.0.4 found", "subjectAltName=IP:10.9.0.4"),
        ("ERROR: SSL required", "sslmode=verify-full"),
        ("server requires encryption", "sslmode=verify-full"),
        ("LOG:  could not accept SSL connection: unsupported protocol", "on the client: update"),
        ("LOG:  invalid length of startup packet", "pg_isready"),
        // Newer libpq reports a handshake behind "failed:", and a session without it.
        ("psycopg2.OperationalError: SSL SYSCALL error: EOF detected", "pool_pre_ping=True"),
        (
            "connection to server at \"h\", port 5432 failed: SSL SYSCALL error: EOF detected",
            "the reason in its log",
        ),
        ("failed to connect to instance: Dial error: dial tcp 10.0.0.5:3307: i/o timeout", "--private-ip"),
        ("timeout exceeded when trying to connect", "let this client's address through"),
        ("QueuePool limit of size 5 overflow 10 reached", "give each connection back"),
        ("invalid peer certificate: Other(UnsupportedCertVersion)", "-extfile"),
        (
            "connection to server at \"x.postgres.database.azure.com\", port 5432 failed: SSL error: certificate verify failed",
            "roots export azure-flexible",
        ),
        (
            "server certificate for \"db.example\" (and 1 other name) does not match host name \"h\"",
            "set host to db.example",
        ),
    ] {
        let known = recognise(text).unwrap_or_else(|| panic!("{text} is not known"));
        let fix = filled_fix(known.readings()[0].fix, &mentioned(text));
        assert!(fix.contains(step), "{text}\n    {fix}");
    }
}

/// Where several readings share a text, the step is in one of them.
#[test]
fn what_was_idle_or_a_service_is_among_the_readings() {
    for (text, step) in [
        ("Error: read ECONNRESET", "keepAlive: true"),
        ("SSL SYSCALL error: EOF detected", "pool_pre_ping=True"),
        (
            "could not translate host name \"db\" to address: Temporary failure in name resolution",
            "name in the Compose file",
        ),
        ("getaddrinfo EAI_AGAIN db", "name in the Compose file"),
        ("timeout exceeded when trying to connect", "client.release()"),
        ("PAM authentication failed", "/etc/pam.d"),
        ("SQLSTATE[HY000]: General error: 7 SSL error: unexpected eof while reading", "pool_pre_ping=True"),
        ("An I/O error occurred while sending to the backend.", "maxLifetime"),
        ("PG::ConnectionBad: PQconsumeInput() SSL SYSCALL error: EOF detected", "keepalives_idle"),
    ] {
        let readings = recognise(text).unwrap().readings();
        assert!(readings.iter().any(|reading| reading.fix.contains(step)), "{text}");
    }
}

/// Below the readings, for a client that spells settings otherwise; above them, what the provider advises.
#[test]
fn a_text_of_a_driver_and_of_a_providers_server_has_a_line_of_each() {
    let home = Home::new();
    for (text, lines) in [
        (
            "Error: self-signed certificate in certificate chain at TLSSocket.onConnectSecure",
            &["pgtls-check clients --for node-postgres"][..],
        ),
        (
            "Can't reach database server at `db.abc.supabase.co:5432`",
            &["at  Supabase: ", "host=db.abc.supabase.co port=5432"],
        ),
        (
            "Hostname/IP does not match certificate's altnames: Host: localhost. is not in the cert's altnames: DNS:db.example",
            &["set host to db.example", "\"YOUR CONNECTION STRING\""],
        ),
    ] {
        let report = Tool::at(&home).with(["explain", text]).run();
        report.exits(0);
        assert!(lines.iter().all(|line| report.stdout.contains(line)), "{report}");
    }
}

#[test]
fn a_single_word_is_a_code_a_text_or_a_slip() {
    let home = Home::new();
    let explain = |word| Tool::at(&home).with(["explain", word]).run();
    let text = explain("UNABLE_TO_VERIFY_LEAF_SIGNATURE");
    text.exits(0);
    assert!(text.stdout.contains("intermediate-missing"), "{text}");
    let slip = explain("hostname-mismatsch");
    slip.exits(2);
    assert!(slip.stderr.contains("did you mean hostname-mismatch?"), "{slip}");
}

#[test]
fn terms_and_lines_of_pg_hba_conf_are_explained() {
    let home = Home::new();
    for (topic, expected) in [
        ("verify-full", "makes sure which server it is"),
        ("hostssl", "with TLS only"),
        ("hostssl all all 0.0.0.0/0 scram-sha-256", "every IPv4 address"),
        ("subject alternative name", "names and addresses in a certificate"),
    ] {
        let report = Tool::at(&home).with(["explain", topic]).run();
        report.exits(0);
        assert!(report.stdout.contains(expected), "{report}");
    }
}

#[test]
fn the_proposed_check_names_the_server_of_the_text() {
    let home = Home::new();
    let text = "psql: error: connection to server at \"db.example\" (192.0.2.7), port 6432 failed: FATAL:  password \
                authentication failed for user \"app\"";
    let report = Tool::at(&home).with(["explain", text]).run();
    report.exits(0);
    assert!(report.stdout.contains("host=db.example port=6432 user=app sslmode=verify-full"), "{report}");
}
