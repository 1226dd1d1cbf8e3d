//! auth and session

use super::fixtures::*;
use crate::conninfo::{AuthMethod, Origin, Password, Settings, SslMode};
use crate::diagnose::{StageStatus, codes, diagnose};
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
    assert_eq!(auth.detail, "the server requests a password, none is available");
    asked()
        .with(|evidence| evidence.scope.require_auth = true)
        .fails(&codes::PASSWORD_REQUIRED)
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
        .fails(&codes::PASSWORD_REJECTED)
        .titled("the password of app is rejected")
        .shows("password_from", "password file /home/me/.pgpass")
        .retryable(false);
    assert!(!format!("{:?}", found.diagnosis).contains("hunter2"));
    Evidence::healthy()
        .with_session(SessionFailure::ScramMismatch("server signature".to_owned()))
        .fails(&codes::PASSWORD_REJECTED)
        .because("proof is wrong");
    // PgBouncer 1.18 (measured).
    Evidence::healthy()
        .with_error("08P01", "SASL authentication failed")
        .fails(&codes::PASSWORD_REJECTED)
        .shows("server_says", "SASL authentication failed");
    Evidence::healthy().with_error("08P01", "bad startup packet").fails(&codes::SERVER_ERROR);
}

#[test]
fn pg_hba_tells_what_the_server_saw() {
    let message =
        r#"no pg_hba.conf entry for host "198.51.100.9", user "app", database "orders", SSL encryption"#;
    Evidence::healthy()
        .with_error("28000", message)
        .fails(&codes::HBA_REJECTED)
        .shows("client", "198.51.100.9")
        .shows("user", "app")
        .shows("database", "orders")
        .shows("encryption", "SSL encryption")
        .runs("hostssl orders app 198.51.100.9/32 scram-sha-256");
    Evidence::at("x.postgres.database.azure.com", "20.61.7.9")
        .with_error("28000", message)
        .fails(&codes::HBA_REJECTED)
        .runs("--start-ip-address 198.51.100.9");
    Evidence::healthy()
        .with_error("28000", &message.replace("SSL encryption", "no encryption"))
        .fails(&codes::HBA_REJECTED)
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
        settings.user = crate::conninfo::testing::value("user", &name);
        settings.parameters.retain(|parameter| parameter.keyword != "user");
        settings.parameters.push(parameter("user", &name, Origin::ConnectionString));
    }
}

#[test]
fn roles() {
    Evidence::healthy()
        .with_error("28000", "role \"app\" does not exist")
        .fails(&codes::ROLE_MISSING)
        .shows("user", "app")
        .runs("CREATE ROLE app LOGIN;");
    Evidence::at("mydemo.postgres.database.azure.com", "20.61.7.9")
        .with_settings(user("app@mydemo"))
        .with_error("28P01", "password authentication failed for user \"app@mydemo\"")
        .fails(&codes::ROLE_MISSING)
        .because("Single Server")
        .sets("user", "app");
    // Elsewhere an @ in a role is nothing odd.
    Evidence::healthy()
        .with_settings(user("app@corp"))
        .with_error("28P01", "password authentication failed for user \"app@corp\"")
        .fails(&codes::PASSWORD_REJECTED);
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
        .fails(&codes::AUTH_METHOD_UNSUPPORTED)
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
        .fails(&codes::AUTH_METHOD_UNSUPPORTED)
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
            .fails(&codes::CHANNEL_BINDING_FAILED)
            .because(says);
    }
    Evidence::healthy()
        .with_error("28000", "SCRAM channel binding check failed")
        .fails(&codes::CHANNEL_BINDING_FAILED)
        .advises("past the proxy");
}

#[test]
fn the_session() {
    Evidence::healthy()
        .with_error("3D000", "database \"orders\" does not exist")
        .fails(&codes::DATABASE_MISSING)
        .shows("database", "orders")
        .runs("psql -l");
    Evidence::healthy()
        .with_error("53300", "sorry, too many clients already")
        .fails(&codes::TOO_MANY_CONNECTIONS)
        .shows("limit", "too many clients")
        .retryable(true);
    for sqlstate in ["57P03", "57P01", "57P02"] {
        Evidence::healthy()
            .with_error(sqlstate, "the database system is starting up")
            .fails(&codes::SERVER_STARTING)
            .shows("state", "starting up")
            .retryable(true);
    }
    Evidence::healthy()
        .with_session(SessionFailure::TimedOut)
        .fails(&codes::SESSION_TIMEOUT)
        .shows("last_message", "Z")
        .shows("seconds", "0")
        .retryable(true);
    Evidence::healthy()
        .with_session(SessionFailure::Ended(Closure::Reset))
        .fails(&codes::SESSION_CLOSED)
        .shows("answer", "RST");
    let broken =
        OsFailure { kind: std::io::ErrorKind::BrokenPipe, code: None, text: "Broken pipe".to_owned() };
    Evidence::healthy().with_session(SessionFailure::Failed(broken)).fails(&codes::SESSION_CLOSED);
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
        .fails(&codes::SESSION_READONLY)
        .shows("wanted", "read-write")
        .shows("found", "a standby");
    Evidence::healthy()
        .with_error("XX000", "something\x1b[31m odd")
        .fails(&codes::SERVER_ERROR)
        .shows("sqlstate", "XX000")
        .titled("the server answers: something\\x1b[31m odd");
    Evidence::healthy()
        .with_session(SessionFailure::Protocol("unexpected message X".to_owned()))
        .fails(&codes::SERVER_ERROR)
        .shows("message", "unexpected message X");
}

#[test]
fn without_a_session_only_tls_only_is_content() {
    let none = || Evidence::healthy().with_attempt(|attempt| attempt.session = None);
    none().with(|evidence| evidence.scope.tls_only = true).verified();
    none().fails(&codes::SESSION_TIMEOUT);
}

#[test]
fn after_a_fatal_error_prefer_goes_on_in_plaintext() {
    Evidence::healthy()
        .with_settings(|settings| settings.sslmode = SslMode::Prefer)
        .with_error(
            "28000",
            r#"no pg_hba.conf entry for host "x", user "app", database "orders", SSL encryption"#,
        )
        .fails(&codes::HBA_REJECTED)
        .because("continues without TLS");
}
