//! How servers let clients in and what clients accept of it: methods, `require_auth`, refusals.

use super::Reason::*;
use super::servers::{PASSWORD, Server};
use super::{Case, Reason};
use crate::support::scripted_server::{Login, Tls};
use pgtls_check::diagnose::codes;

pub(super) fn cases() -> Vec<Case> {
    let mut all = methods();
    all.extend(required_methods());
    all.extend(refusals());
    all.extend(servers());
    all
}

/// The role for a method, with or without its password.
fn role(title: impl Into<String>, role: &str, password: &str) -> Case {
    Case::at(Server::Usual, title).with(&format!("user={role} password='{password}'"))
}

fn methods() -> Vec<Case> {
    vec![
        role("trust", "open", ""),
        role("trust with a needless password", "open", PASSWORD),
        role("SCRAM", "scram", PASSWORD),
        role("SCRAM without a password", "scram", "")
            .refused(PasswordMissing)
            .code(&codes::PASSWORD_REQUIRED),
        role("SCRAM with a wrong password", "scram", "wrong")
            .refused(PasswordRejected)
            .code(&codes::PASSWORD_REJECTED),
        role("SCRAM for a role without a password", "unarmed", PASSWORD).refused(PasswordRejected),
        role("SCRAM for no role", "nobody_at_all", PASSWORD).refused(PasswordRejected),
        role("SCRAM with an outdated password", "outdated", PASSWORD).refused(PasswordRejected),
        role("SCRAM with a password of many bytes", "unicode", "p\u{e4}ss\u{a0}w\u{f6}rd"),
        // SASLprep turns the no-break space into a space (RFC 4013, 2.1).
        role("SCRAM with a password that SASLprep changes", "unicode", "p\u{e4}ss w\u{f6}rd"),
        role("SCRAM with a password decomposed", "unicode", "pa\u{308}ss wo\u{308}rd"),
        role("SCRAM over plaintext", "scram", PASSWORD).with("sslmode=disable").plaintext(NotRequested),
        role("SCRAM for TLS only", "tls_scram", PASSWORD),
        role("SCRAM for TLS only over plaintext", "tls_scram", PASSWORD).with("sslmode=disable").refused(Hba),
        role("MD5", "md5", PASSWORD),
        role("MD5 without a password", "md5", "").refused(PasswordMissing),
        role("MD5 with a wrong password", "md5", "wrong").refused(PasswordRejected),
        role("method md5 with a SCRAM secret", "md5_scram", PASSWORD),
        role("method md5 with a SCRAM secret and a wrong password", "md5_scram", "wrong")
            .refused(PasswordRejected),
        role("clear text", "clear", PASSWORD),
        role("clear text without a password", "clear", "").refused(PasswordMissing),
        role("clear text with a wrong password", "clear", "wrong").refused(PasswordRejected),
        role("clear text over plaintext", "clear", PASSWORD).with("sslmode=disable").plaintext(NotRequested),
        Case::at_pooler("PgBouncer with SCRAM").with(&format!("user=scram password='{PASSWORD}'")),
        Case::at_pooler("PgBouncer without a password").with("user=scram").refused(PasswordMissing),
        Case::at_pooler("PgBouncer with a wrong password")
            .with("user=scram password=wrong")
            .refused(PasswordRejected),
        Case::at_pooler("PgBouncer with another root")
            .with("user=scram sslrootcert=FILES/other.crt")
            .refused(Chain),
        Case::at_pooler("PgBouncer with another name").with("user=scram host=other.example").refused(Name),
        Case::at_pooler("PgBouncer with prefer")
            .with(&format!("user=scram password='{PASSWORD}' sslmode=prefer sslrootcert=''")),
    ]
}

/// `require_auth`, which came with libpq 16.
fn required_methods() -> Vec<Case> {
    const FINE: Option<Reason> = None;
    /// Roles and why they are refused.
    type Roles = &'static [(&'static str, Option<Reason>)];
    let table: &[(&str, Roles)] = &[
        (
            "scram-sha-256",
            &[("scram", FINE), ("md5", Some(Method)), ("clear", Some(Method)), ("open", Some(Method))],
        ),
        ("md5", &[("scram", Some(Method)), ("md5", FINE), ("md5_scram", Some(Method))]),
        ("password", &[("clear", FINE), ("scram", Some(Method))]),
        ("none", &[("open", FINE), ("scram", Some(Method)), ("clear", Some(Method))]),
        ("password,md5", &[("md5", FINE), ("clear", FINE), ("scram", Some(Method))]),
        ("none,scram-sha-256", &[("open", FINE), ("scram", FINE), ("md5", Some(Method))]),
        ("!password", &[("clear", Some(Method)), ("scram", FINE), ("open", FINE)]),
        ("!md5,!password", &[("md5", Some(Method)), ("scram", FINE)]),
        ("!none", &[("open", Some(Method)), ("scram", FINE)]),
        ("gss", &[("scram", Some(Method)), ("open", Some(Method))]),
        // It is a list of nothing: whoever asks for something is refused.
        ("", &[("open", FINE), ("scram", Some(Method)), ("md5", Some(Method)), ("clear", Some(Method))]),
    ];
    let mut all = Vec::new();
    for (value, roles) in table {
        for (name, reason) in *roles {
            let case = role(format!("require_auth={value} for {name}"), name, PASSWORD)
                .with(&format!("require_auth='{value}'"))
                .newer();
            all.push(match reason {
                Some(reason) => case.refused(*reason),
                None => case,
            });
        }
    }
    let certificate = "user=cert sslcert=FILES/cert.crt sslkey=FILES/cert.key";
    all.extend([
        Case::at(Server::Usual, "require_auth=none for cert")
            .with(certificate)
            .with("require_auth=none")
            .newer(),
        Case::at(Server::Usual, "require_auth=scram-sha-256 for cert")
            .with(certificate)
            .with("require_auth=scram-sha-256")
            .newer()
            .refused(Method),
        role("PGREQUIREAUTH=!md5 for md5", "md5", PASSWORD).env("PGREQUIREAUTH", "!md5").refused(Method),
        Case::on_stage(
            Tls { login: Login::ClearText, ..Tls::default() },
            "require_auth=scram-sha-256 on a scripted server that asks for clear text",
        )
        .with("require_auth=scram-sha-256 password=unsaid")
        .newer()
        .refused(Method)
        .connections(|_, record| record.passwords.is_empty()),
    ]);
    all
}

fn refusals() -> Vec<Case> {
    vec![
        role("a role that is not there", "absent", "").refused(Role).code(&codes::ROLE_MISSING),
        role("a role that may not log in", "nologin", "").refused(Session),
        role("a role without free connections", "crowded", "")
            .refused(Session)
            .code(&codes::TOO_MANY_CONNECTIONS),
        role("a database that is not there", "open", "")
            .with("dbname=nowhere")
            .refused(Database)
            .code(&codes::DATABASE_MISSING),
        role("a database that takes no connections", "open", "").with("dbname=template0").refused(Session),
        role("a rejected role", "banned", "").refused(Hba).code(&codes::HBA_REJECTED),
        role("options that the server does not know", "open", "")
            .with("options='-c nonsense=1'")
            .refused(Session),
        role("options of a bad value", "open", "").with("options='-c geqo=maybe'").refused(Session),
        role("replication where there is none", "open", "").with("replication=true").refused(Session),
    ]
}

/// What no server of ours does.
fn servers() -> Vec<Case> {
    let case = |title: &str, login| {
        Case::on_stage(Tls { login, ..Tls::default() }, format!("login: {title}"))
            .with("password=said connect_timeout=2")
    };
    vec![
        case("clear text", Login::ClearText).connections(|_, record| record.passwords == [b"said\0"]),
        case("clear text, another root", Login::ClearText)
            .with("sslrootcert=FILES/other.crt")
            .refused(Chain)
            .connections(|_, record| record.passwords.is_empty()),
        case("Kerberos 5", Login::Request(2, b"")).refused(Method),
        case("GSSAPI", Login::Request(7, b"")).refused(Method),
        case("SSPI", Login::Request(9, b"")).refused(Method),
        case("an unknown kind", Login::Request(99, b"")).refused(Method),
        case("SASL of an unknown kind", Login::Request(10, b"NONSENSE\0\0")).refused(Method),
        case("OAuth", Login::Request(10, b"OAUTHBEARER\0\0")).refused(Method),
        case("starting up", Login::Fatal("57P03")).refused(Session).code(&codes::SERVER_STARTING),
        case("too many", Login::Fatal("53300")).refused(Session).code(&codes::TOO_MANY_CONNECTIONS),
        case("shutting down", Login::Fatal("57P01")).refused(Session).code(&codes::SERVER_STARTING),
        case("any other error", Login::Fatal("XX000")).refused(Session).code(&codes::SERVER_ERROR),
        case("the end", Login::Close).refused(Closed).code(&codes::SESSION_CLOSED),
        case("silence", Login::Silence).refused(Timeout).code(&codes::SESSION_TIMEOUT),
    ]
}
