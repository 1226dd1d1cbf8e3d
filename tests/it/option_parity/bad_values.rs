//! A value that each option does not take: refused before any packet, and named with what it takes.

use super::Case;
use super::Reason::*;
use super::servers::Server;
use pgtls_check::diagnose::codes;

/// Option, bad value, some of what it takes, and whether libpq 15 lacks it.
const TABLE: &[(&str, &str, &[&str], bool)] = &[
    ("sslmode", "bogus", &["sslmode", "bogus", "verify-full", "disable"], false),
    ("sslmode", "Verify-Full", &["sslmode", "Verify-Full", "verify-full"], false),
    ("sslmode", "", &["sslmode", "verify-full"], false),
    ("channel_binding", "maybe", &["channel_binding", "maybe", "prefer", "require"], false),
    ("channel_binding", "", &["channel_binding", "require"], false),
    ("gssencmode", "bogus", &["gssencmode", "bogus", "prefer"], false),
    ("gssencmode", "", &["gssencmode", "prefer"], false),
    (
        "target_session_attrs",
        "write",
        &["target_session_attrs", "write", "read-write", "prefer-standby"],
        false,
    ),
    ("target_session_attrs", "", &["target_session_attrs", "read-write"], false),
    (
        "ssl_min_protocol_version",
        "TLSv1.4",
        &["ssl_min_protocol_version", "TLSv1.4", "TLSv1.2", "TLSv1.3"],
        false,
    ),
    ("ssl_max_protocol_version", "1.2", &["ssl_max_protocol_version", "1.2", "TLSv1.2"], false),
    ("ssl_max_protocol_version", "SSLv3", &["ssl_max_protocol_version", "SSLv3", "TLSv1.2"], false),
    ("ssl_min_protocol_version", "TLSv1.2 ", &["ssl_min_protocol_version", "TLSv1.3"], false),
    ("port", "nonsense", &["port", "nonsense", "65535"], false),
    ("port", "54x", &["port", "54x", "65535"], false),
    ("port", "0", &["port", "0", "65535"], false),
    ("port", "65536", &["port", "65536", "65535"], false),
    ("port", "-1", &["port", "-1", "65535"], false),
    ("port", "99999999999", &["port", "99999999999", "65535"], false),
    ("connect_timeout", "soon", &["connect_timeout", "soon"], false),
    ("connect_timeout", "1.5", &["connect_timeout", "1.5"], false),
    ("connect_timeout", "", &["connect_timeout"], false),
    ("connect_timeout", "99999999999", &["connect_timeout", "99999999999"], false),
    ("keepalives", "yes", &["keepalives", "yes"], false),
    ("keepalives", "", &["keepalives"], false),
    ("keepalives_idle", "x", &["keepalives_idle", "x"], false),
    ("keepalives_interval", "5s", &["keepalives_interval", "5s"], false),
    ("keepalives_count", "three", &["keepalives_count", "three"], false),
    ("tcp_user_timeout", "1e3", &["tcp_user_timeout", "1e3"], false),
    ("hostaddr", "db.example", &["hostaddr", "db.example"], false),
    ("require_auth", "kerberos", &["require_auth", "kerberos", "scram-sha-256"], true),
    ("require_auth", "md5,md5", &["require_auth", "md5"], true),
    ("require_auth", "md5,!password", &["require_auth", "!password"], true),
    ("require_auth", "!md5,password", &["require_auth", "password"], true),
    ("require_auth", "md5,", &["require_auth", "scram-sha-256"], true),
    ("require_auth", "SCRAM-SHA-256", &["require_auth", "SCRAM-SHA-256", "scram-sha-256"], true),
    ("sslcertmode", "maybe", &["sslcertmode", "maybe", "disable", "allow", "require"], true),
    ("sslcertmode", "", &["sslcertmode", "allow"], true),
    ("sslnegotiation", "tls", &["sslnegotiation", "tls", "postgres", "direct"], true),
    ("sslnegotiation", "", &["sslnegotiation", "direct"], true),
    ("load_balance_hosts", "yes", &["load_balance_hosts", "yes", "disable", "random"], true),
    ("load_balance_hosts", "", &["load_balance_hosts", "random"], true),
    ("min_protocol_version", "3.1", &["min_protocol_version", "3.1", "3.0", "3.2"], true),
    ("max_protocol_version", "4", &["max_protocol_version", "4", "3.2", "latest"], true),
    ("scram_client_key", "short", &["scram_client_key"], true),
    ("scram_server_key", "short", &["scram_server_key"], true),
];

pub(super) fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    for (option, value, names, newer) in TABLE {
        // The server would let this in.
        let case = Case::at_version(Server::Usual, 18, format!("bad value: {option}={value:?}"))
            .with(&format!("{option}='{value}'"))
            .refused(Settings)
            .code(&codes::CONNINFO_INVALID_VALUE)
            .names(names);
        all.push(if *newer { case.newer() } else { case });
    }
    for (variable, option, value) in [
        ("PGSSLMODE", "sslmode", "bogus"),
        ("PGSSLMODE", "sslmode", ""),
        ("PGCHANNELBINDING", "channel_binding", "maybe"),
        ("PGTARGETSESSIONATTRS", "target_session_attrs", "write"),
        ("PGCONNECT_TIMEOUT", "connect_timeout", "soon"),
        ("PGPORT", "port", "nonsense"),
    ] {
        all.push(
            Case::at_version(Server::Usual, 18, format!("bad value: {variable}={value:?}"))
                .instead(
                    "host=db.example hostaddr=127.0.0.1 user=open dbname=postgres sslrootcert=FILES/root.crt",
                )
                .with(if option == "port" { "" } else { "port=PORT0" })
                .env(variable, value)
                .refused(Settings)
                .code(&codes::CONNINFO_INVALID_VALUE)
                .names(match option {
                    "sslmode" => &["sslmode", "PGSSLMODE", "verify-full"],
                    "channel_binding" => &["channel_binding", "PGCHANNELBINDING", "maybe"],
                    "target_session_attrs" => &["target_session_attrs", "PGTARGETSESSIONATTRS", "write"],
                    "connect_timeout" => &["connect_timeout", "PGCONNECT_TIMEOUT", "soon"],
                    _ => &["port", "PGPORT", "nonsense"],
                }),
        );
    }
    all.extend([
        Case::at_version(Server::Usual, 18, "bad value: an option that is none")
            .with("sslmod=require")
            .refused(Settings)
            .code(&codes::CONNINFO_UNKNOWN_OPTION)
            .names(&["sslmod", "sslmode"]),
        Case::at_version(Server::Usual, 18, "bad value: an option that is gone")
            .with("tty=x")
            .refused(Settings)
            .code(&codes::CONNINFO_UNKNOWN_OPTION)
            .names(&["tty"]),
        Case::at_version(Server::Usual, 18, "bad value: a service that is not there")
            .with("service=nowhere")
            .refused(Settings)
            .code(&codes::SERVICE_NOT_FOUND)
            .names(&["nowhere"]),
    ]);
    all
}
