//! auth and session

use super::bed::*;
use crate::conninfo::{AuthMethod, Origin, Password, Settings, SslMode};
use crate::diagnose::{StageStatus, diagnose};
use crate::evidence::{AuthRequest, ChannelBindingFailure, Closure, Evidence, OsFailure, SessionFailure};
use crate::secret::Secret;
use crate::stage::Stage;

#[test]
fn a_password_asked_for_and_not_given_is_none() {
    let asked = || Evidence::healthy().with_session(SessionFailure::PasswordNeeded);
    let outcome = asked().verified();
    assert!(outcome.warnings.is_empty());
    let auth = outcome.stages.iter().find(|line| line.stage == Stage::Auth).unwrap();
    assert_eq!(auth.status, StageStatus::Skipped);
    assert_eq!(auth.detail, "the server asks for a password, none is given");
    asked()
        .with(|evidence| evidence.scope.require_auth = true)
        .fails("password-required", Stage::Auth)
        .shows("looked_in", "PGPASSWORD")
        .advises("password file");
}

#[test]
fn a_wrong_password_names_user_and_source_and_not_itself() {
    let found = Evidence::healthy()
        .with_settings(|settings| {
            let secret = Secret::new(b"hunter2".to_vec());
            settings.hosts[0].password =
                Some(Password { secret, origin: Origin::PasswordFile("/home/me/.pgpass".into()) });
        })
        .with_error("28P01", "password authentication failed for user \"app\"")
        .fails("password-rejected", Stage::Auth)
        .titled("the password of app is rejected")
        .shows("password_from", "password file /home/me/.pgpass")
        .retryable(false);
    assert!(!format!("{:?}", found.diagnosis).contains("hunter2"));
    Evidence::healthy()
        .with_session(SessionFailure::ScramMismatch("server signature".to_owned()))
        .fails("password-rejected", Stage::Auth)
        .because("proof is wrong");
    // PgBouncer 1.18 (measured).
    Evidence::healthy()
        .with_error("08P01", "SASL authentication failed")
        .fails("password-rejected", Stage::Auth)
        .shows("server_says", "SASL authentication failed");
    Evidence::healthy().with_error("08P01", "bad startup packet").fails("server-error", Stage::Session);
}

#[test]
fn pg_hba_tells_what_the_server_saw() {
    let message =
        r#"no pg_hba.conf entry for host "198.51.100.9", user "app", database "orders", SSL encryption"#;
    Evidence::healthy()
        .with_error("28000", message)
        .fails("hba-rejected", Stage::Auth)
        .shows("client", "198.51.100.9")
        .shows("user", "app")
        .shows("database", "orders")
        .shows("encryption", "SSL encryption")
        .runs("hostssl orders app 198.51.100.9/32 scram-sha-256");
    Evidence::at("x.postgres.database.azure.com", "20.61.7.9")
        .with_error("28000", message)
        .fails("hba-rejected", Stage::Auth)
        .runs("--start-ip-address 198.51.100.9");
    Evidence::healthy()
        .with_error("28000", &message.replace("SSL encryption", "no encryption"))
        .fails("hba-rejected", Stage::Auth)
        .because("a proxy in between ends TLS")
        .advises("server_tls_sslmode");
    // A line for TLS admits nobody who comes without it.
    let terminated = diagnose(
        Evidence::at("db.c1.eu-west-1.rds.amazonaws.com", "20.61.7.9")
            .with_error("28000", &message.replace("SSL encryption", "no encryption")),
    );
    let fixes = format!("{:?}", terminated.diagnosis.unwrap().fixes);
    assert!(!fixes.contains("hostssl") && !fixes.contains("ask for TLS"), "{fixes}");
}

/// Another user, as the connection string has it.
fn user(name: &str) -> impl FnOnce(&mut Settings) {
    let name = name.to_owned();
    move |settings| {
        settings.user = name.as_str().into();
        settings.parameters.retain(|parameter| parameter.keyword != "user");
        settings.parameters.push(parameter("user", &name, Origin::ConnectionString));
    }
}

#[test]
fn roles() {
    Evidence::healthy()
        .with_error("28000", "role \"app\" does not exist")
        .fails("role-missing", Stage::Auth)
        .shows("user", "app")
        .runs("CREATE ROLE app LOGIN;");
    Evidence::at("mydemo.postgres.database.azure.com", "20.61.7.9")
        .with_settings(user("app@mydemo"))
        .with_error("28P01", "password authentication failed for user \"app@mydemo\"")
        .fails("role-missing", Stage::Auth)
        .because("Single Server")
        .sets("user", "app");
    // Elsewhere an @ in a role is nothing odd.
    Evidence::healthy()
        .with_settings(user("app@corp"))
        .with_error("28P01", "password authentication failed for user \"app@corp\"")
        .fails("password-rejected", Stage::Auth);
}

#[test]
fn methods_that_cannot_be_used() {
    let asks = |method, failure| {
        Evidence::healthy().with_session(failure).with_attempt(|attempt| {
            let request = AuthRequest { method, mechanisms: vec![], code: 7 };
            attempt.session.as_mut().unwrap().result.requested = vec![request];
        })
    };
    asks(AuthMethod::Gss, SessionFailure::MethodUnsupported)
        .fails("auth-method-unsupported", Stage::Auth)
        .shows("method", "gss")
        .runs("--tls-only");
    asks(AuthMethod::Md5, SessionFailure::MethodExcluded)
        .with(|evidence| {
            let settings = evidence.config.as_mut().unwrap();
            settings.parameters.push(parameter(
                "require_auth",
                "scram-sha-256",
                Origin::Environment("PGREQUIREAUTH"),
            ));
        })
        .fails("auth-method-unsupported", Stage::Auth)
        .titled("the server asks for md5, which require_auth excludes")
        .because("PGREQUIREAUTH");
}

#[test]
fn channel_binding() {
    for (failure, says) in [
        (ChannelBindingFailure::NotOffered, "only SCRAM"),
        (ChannelBindingFailure::NoAuthentication, "only SCRAM"),
        (ChannelBindingFailure::NoDigest("Ed25519".to_owned()), "Ed25519"),
        (ChannelBindingFailure::Refused, "proxy ends TLS"),
    ] {
        Evidence::healthy()
            .with_session(SessionFailure::ChannelBinding(failure))
            .fails("channel-binding-failed", Stage::Auth)
            .because(says);
    }
    Evidence::healthy()
        .with_error("28000", "SCRAM channel binding check failed")
        .fails("channel-binding-failed", Stage::Auth)
        .advises("past the proxy");
}

#[test]
fn the_session() {
    Evidence::healthy()
        .with_error("3D000", "database \"orders\" does not exist")
        .fails("database-missing", Stage::Session)
        .shows("database", "orders")
        .runs("psql -l");
    Evidence::healthy()
        .with_error("53300", "sorry, too many clients already")
        .fails("too-many-connections", Stage::Session)
        .shows("limit", "too many clients")
        .retryable(true);
    for sqlstate in ["57P03", "57P01", "57P02"] {
        Evidence::healthy()
            .with_error(sqlstate, "the database system is starting up")
            .fails("server-starting", Stage::Session)
            .shows("state", "starting up")
            .retryable(true);
    }
    Evidence::healthy()
        .with_session(SessionFailure::TimedOut)
        .fails("session-timeout", Stage::Session)
        .shows("last_message", "Z")
        .shows("seconds", "0")
        .retryable(true);
    Evidence::healthy()
        .with_session(SessionFailure::Ended(Closure::Reset))
        .fails("session-closed", Stage::Session)
        .shows("answer", "RST");
    let broken =
        OsFailure { kind: std::io::ErrorKind::BrokenPipe, code: None, text: "Broken pipe".to_owned() };
    Evidence::healthy().with_session(SessionFailure::Failed(broken)).fails("session-closed", Stage::Session);
    Evidence::healthy()
        .with_session(SessionFailure::WrongSessionAttrs { standby: Some(true), read_only: None })
        .with(|evidence| {
            let settings = evidence.config.as_mut().unwrap();
            settings.parameters.push(parameter(
                "target_session_attrs",
                "read-write",
                Origin::ConnectionString,
            ));
        })
        .fails("session-readonly", Stage::Session)
        .shows("wanted", "read-write")
        .shows("found", "a standby");
    Evidence::healthy()
        .with_error("XX000", "something\x1b[31m odd")
        .fails("server-error", Stage::Session)
        .shows("sqlstate", "XX000")
        .titled("the server answers: something\\x1b[31m odd");
    Evidence::healthy()
        .with_session(SessionFailure::Protocol("unexpected message X".to_owned()))
        .fails("server-error", Stage::Session)
        .shows("message", "unexpected message X");
}

#[test]
fn without_a_session_only_tls_only_is_content() {
    let none = || Evidence::healthy().with_attempt(|attempt| attempt.session = None);
    none().with(|evidence| evidence.scope.tls_only = true).verified();
    none().fails("session-timeout", Stage::Session);
}

#[test]
fn after_a_fatal_error_prefer_goes_on_in_plaintext() {
    Evidence::healthy()
        .with_settings(|settings| settings.sslmode = SslMode::Prefer)
        .with_error(
            "28000",
            r#"no pg_hba.conf entry for host "x", user "app", database "orders", SSL encryption"#,
        )
        .fails("hba-rejected", Stage::Auth)
        .because("goes on in plaintext");
}
