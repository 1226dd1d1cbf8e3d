//! Faults of the handshake.

use super::*;

pub(super) const FAILURES: &[Row] = &[
    Row {
        fault: "tls-version-unsupported",
        shows: "offered: TLSv1.2, TLSv1.3; server_has: TLSv1; answer: protocol_version (70)",
        fix: "ALTER SYSTEM SET ssl_min_protocol_version",
        fixed_by: NoSetting,
        psql: Fails("alert protocol version"),
        neighbours: &[Settings(
            "bounds that leave one version",
            "ssl_min_protocol_version=TLSv1.3 ssl_max_protocol_version=TLSv1.3",
        )],
    },
    Row {
        fault: "tls-version-bounded",
        shows: "offered: TLSv1.3; server_has: TLSv1.2; answer: protocol_version (70)",
        fix: "ssl_min_protocol_version=TLSv1.2",
        fixed_by: Works("ssl_min_protocol_version=TLSv1.2"),
        psql: Fails("alert protocol version"),
        neighbours: &[],
    },
    Row {
        fault: "tls-no-shared-cipher",
        shows: "answer: handshake_failure (40); offered: AES-GCM and ChaCha20-Poly1305 with ECDHE over P-256; versions: TLSv1.2, TLSv1.3; psql: would fail too",
        fix: "ALTER SYSTEM SET ssl_ciphers = 'HIGH:MEDIUM:+3DES:!aNULL';",
        fixed_by: NoSetting,
        psql: Fails("alert handshake failure"),
        neighbours: &[Chain("one suite of TLS 1.2", |certificates| {
            let tls = Tls { maximum: Some(SslVersion::TLS1_2), ..Tls::default() };
            let tls = Tls { ciphers: Some("ECDHE-ECDSA-CHACHA20-POLY1305"), ..tls };
            Staged { tls, ..certificates.staged(&[&certificates.plain, &certificates.ca]) }
        })],
    },
    Row {
        fault: "client-cert-required",
        shows: "answer: certificate_required (116); client_certificate: none is set, and ~/.postgresql/postgresql.crt; server_accepts: CN=Demo Client CA, O=pgtls-check demo",
        fix: "set sslcert to a client certificate issued by",
        fixed_by: NoSetting,
        psql: Fails("alert certificate required"),
        neighbours: &[Test(real_faults::client_certificates_demanded_missing_and_strange)],
    },
    Row {
        fault: "client-cert-rejected",
        shows: "answer: unknown_ca (48); certificate: demo; issuer: CN=Stranger's CA, O=pgtls-check demo; expires:; path: client.crt; server_accepts: CN=Demo Client CA, O=pgtls-check demo",
        fix: "use a client certificate issued by CN=Demo Client CA",
        fixed_by: NoSetting,
        psql: Fails("alert unknown ca"),
        neighbours: &[Test(real_faults::client_certificates_demanded_missing_and_strange)],
    },
    Row {
        fault: "sni-unrecognized",
        shows: "name_sent: old-name.example",
        fix: "clients that send none get the certificate of db.example",
        fixed_by: Untried("host=db.example"),
        psql: Fails("unrecognized name"),
        neighbours: &[Settings("no name sent to a server that wants none", "sslsni=0")],
    },
    Row {
        fault: "alpn-rejected",
        shows: "alpn_offered: postgresql; answer: no_application_protocol (120)",
        fix: "add \"postgresql\" to the protocols that it accepts by ALPN",
        fixed_by: NoSetting,
        psql: Differs(&Connects, &Fails("no application protocol")),
        neighbours: &[Settings("a server that knows ALPN", "")],
    },
    Row {
        fault: "alpn-closed",
        shows: "alpn_offered: postgresql; answer: the connection was closed; without_alpn: the server answers",
        fix: "add \"postgresql\" to the protocols that it accepts by ALPN",
        fixed_by: NoSetting,
        psql: Differs(&Connects, &Fails("SSL SYSCALL error: EOF detected")),
        neighbours: &[Settings("a server that knows ALPN", "")],
    },
    Row {
        fault: "alpn-silence",
        shows: "alpn_offered: postgresql; answer: none; without_alpn: the server answers",
        fix: "add \"postgresql\" to the protocols that it accepts by ALPN",
        fixed_by: NoSetting,
        psql: Differs(&Connects, &Fails("timeout expired")),
        neighbours: &[Settings("a server that knows ALPN", "")],
    },
    Row {
        fault: "tls-timeout",
        shows: "bytes_sent:; bytes_received: 0; unacknowledged: 0 bytes; seconds:",
        fix: "see which program listens on port",
        fixed_by: NoSetting,
        psql: Fails("timeout expired"),
        neighbours: &[Test(neighbours::servers_that_are_slow_and_answer)],
    },
    Row {
        fault: "tls-timeout-halfway",
        shows: "bytes_sent:; bytes_received:; unacknowledged: 0 bytes; seconds:",
        fix: "the server stopped, and the rest of the line",
        fixed_by: NoSetting,
        psql: Fails("timeout expired"),
        neighbours: &[],
    },
    Row {
        fault: "tls-closed",
        shows: "answer: closed (FIN); bytes_sent:; bytes_received: 0; to: 127.",
        fix: "such a line has the server's own reason",
        fixed_by: NoSetting,
        psql: Fails("SSL SYSCALL error: EOF detected"),
        neighbours: &[Test(neighbours::servers_that_are_slow_and_answer)],
    },
    Row {
        fault: "tls-reset",
        shows: "answer: reset (RST); bytes_sent:; bytes_received: 0; to: 127.",
        fix: "such a line has the server's own reason",
        fixed_by: NoSetting,
        psql: Fails("Connection reset by peer"),
        neighbours: &[],
    },
    Row {
        fault: "tls-protocol-error",
        shows: r#"to: 127.; first_bytes: "HTTP/1.1 502 Bad Gateway\r\nConnection: close"#,
        fix: "set host and port to those of the PostgreSQL server",
        fixed_by: NoSetting,
        psql: Fails("wrong version number"),
        neighbours: &[Test(neighbours::servers_that_are_slow_and_answer)],
    },
    Row {
        fault: "tls-internal-error",
        shows: "to: 127.; alert: internal_error (80)",
        fix: "the rest of that line is the reason",
        fixed_by: NoSetting,
        psql: Fails("alert internal error"),
        neighbours: &[],
    },
    Row {
        fault: "tls-unsupported-here",
        shows: "server_insists_on: ECDSA with SHA-224; offered_here: ECDSA, RSA and Ed25519; psql: connects, as far as this goes",
        fix: "reissue the server's certificate with RSA 2048",
        fixed_by: NoSetting,
        psql: Connects,
        neighbours: &[Chain("groups that few offer", |certificates| {
            let tls = Tls { groups: Some("P-521:P-384"), ..Tls::default() };
            Staged { tls, ..certificates.staged(&[&certificates.plain, &certificates.ca]) }
        })],
    },
];

pub(super) const WARNINGS: &[Row] = &[
    Row {
        fault: "tls12-only",
        shows: "version: TLSv1.2",
        fix: "ALTER SYSTEM SET ssl_max_protocol_version = ''",
        fixed_by: NoSetting,
        psql: Connects,
        neighbours: &[Settings("a client that offers no more", "ssl_max_protocol_version=TLSv1.2")],
    },
    Row {
        fault: "weak-cipher-accepted",
        shows: "weak: CBC and SHA-1: TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
        fix: "ALTER SYSTEM SET ssl_ciphers",
        fixed_by: NoSetting,
        psql: Connects,
        neighbours: &[Test(audit::weak_suites_are_graded_and_the_fix_leaves_none)],
    },
    Row {
        fault: "legacy-tls-accepted",
        shows: "accepted: TLSv1",
        fix: "ALTER SYSTEM SET ssl_min_protocol_version",
        fixed_by: NoSetting,
        psql: Connects,
        neighbours: &[Test(audit::versions_suites_and_groups_are_those_the_server_was_given)],
    },
];
