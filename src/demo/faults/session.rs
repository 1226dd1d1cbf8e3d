//! Faults of authentication and of the session.

use super::{Fault, SeenBy, certificate};
use crate::demo::messages::Refusal;
use crate::demo::pki::Authority;
use crate::demo::scenario::{ClientCertificates, Scenario};
use crate::demo::session::{Authentication, OnStartup};

pub(super) const FAULTS: &[Fault] = &[
    Fault::new("password-required", "the server asks for a password, and none is given", |scenario| {
        scenario.unset("password");
        Ok(())
    })
    .seen_by(SeenBy::SessionCheck),
    Fault::new("password-rejected", "the password is wrong", |scenario| {
        scenario.set("password", "not-the-password");
        Ok(())
    }),
    Fault::new(
        "certificate-user-mismatch",
        "the client certificate is issued to another user",
        |scenario| {
            let authority = Authority::root("Demo Client CA")?;
            scenario.identify_by(&authority)?;
            scenario.client_certificates = ClientCertificates::MustShow(authority);
            scenario.set("user", "inventory");
            // As under clientcert=verify-full: the name is compared when the password has been accepted.
            scenario.session.after_password = Some(Refusal::fatal(
                "28P01",
                "password authentication failed for user \"inventory\"",
            ));
            Ok(())
        },
    ),
    Fault::new("hba-rejected", "pg_hba.conf has no line for this client", |scenario| {
        let message = "no pg_hba.conf entry for host \"127.0.0.1\", user \"demo\", database \"postgres\", SSL encryption";
        scenario.session.on_startup = OnStartup::Refuse(Refusal::fatal("28000", message));
        Ok(())
    }),
    Fault::new("hba-rejected", "a line of pg_hba.conf rejects this client", |scenario| {
        let message = "pg_hba.conf rejects connection for host \"127.0.0.1\", user \"demo\", database \"postgres\", SSL encryption";
        scenario.session.on_startup = OnStartup::Refuse(Refusal::fatal("28000", message));
        Ok(())
    })
    .named("hba-reject-line"),
    Fault::new("role-missing", "the server knows no such user", |scenario| {
        scenario.session.authentication = Authentication::Trust;
        refuse(scenario, "28000", "role \"demo\" does not exist")
    }),
    Fault::new("auth-method-unsupported", "the server wants Kerberos", |scenario| {
        scenario.session.authentication = Authentication::Gssapi;
        Ok(())
    }),
    Fault::new("auth-method-unsupported", "the server wants MD5, the client takes SCRAM only", |scenario| {
        scenario.session.authentication = Authentication::Md5;
        scenario.set("require_auth", "scram-sha-256");
        Ok(())
    })
    .named("auth-method-excluded"),
    Fault::new(
        "channel-binding-failed",
        "channel binding is demanded, a proxy ends TLS before the server",
        |scenario| {
            scenario.session.authentication = Authentication::Scram { binds: false };
            scenario.set("channel_binding", "require");
            Ok(())
        },
    ),
    Fault::new(
        "channel-binding-failed",
        "the certificate is signed with Ed25519, which libpq cannot bind to",
        certificate::sign_with_ed25519,
    )
    .named("channel-binding-ed25519"),
    Fault::new("database-missing", "the server has no such database", |scenario| {
        scenario.set("dbname", "inventory");
        refuse(scenario, "3D000", "database \"inventory\" does not exist")
    }),
    Fault::new("too-many-connections", "the server has no connection left", |scenario| {
        refuse(
            scenario,
            "53300",
            "remaining connection slots are reserved for roles with the SUPERUSER attribute",
        )
    }),
    Fault::new("upstream-failed", "a pooler's own connection to its server fails", |scenario| {
        refuse(scenario, "08P01", "server login failed: FATAL password authentication failed for user \"demo\"")
    }),
    Fault::new("server-starting", "the server is still starting", |scenario| {
        let refusal = Refusal::fatal("57P03", "the database system is starting up");
        scenario.session.on_startup = OnStartup::Refuse(refusal);
        Ok(())
    }),
    Fault::new("session-timeout", "the server says nothing to the start-up message", |scenario| {
        scenario.session.on_startup = OnStartup::Silence;
        scenario.set("connect_timeout", "2");
        Ok(())
    }),
    Fault::new("session-closed", "the server closes after the start-up message", |scenario| {
        scenario.session.on_startup = OnStartup::Close;
        Ok(())
    }),
    Fault::new(
        "session-readonly",
        "a server to write to is wanted, this one is in hot standby",
        |scenario| {
            scenario.session.parameters =
                vec![("in_hot_standby", "on"), ("default_transaction_read_only", "on")];
            scenario.set("target_session_attrs", "read-write");
            Ok(())
        },
    ),
    Fault::new("server-error", "the server's disk is full", |scenario| {
        refuse(scenario, "53100", "could not write init file: No space left on device")
    }),
    Fault::new("server-error", "the role may not connect to this database", |scenario| {
        refuse(scenario, "42501", "permission denied for database \"postgres\"")
    })
    .named("no-connect-privilege"),
];

pub(super) const WARNINGS: &[Fault] = &[
    Fault::warning(
        "tls-terminated-upstream",
        "a proxy ends TLS, the server behind it sees none",
        |scenario| {
            scenario.session.authentication = Authentication::Scram { binds: false };
            scenario.session.backend_ssl = false;
            Ok(())
        },
    ),
    Fault::warning("clear-text-password-requested", "the server asks for the password itself", |scenario| {
        scenario.session.authentication = Authentication::ClearText;
        Ok(())
    }),
];

/// The server refuses once it knows the user.
fn refuse(scenario: &mut Scenario, sqlstate: &'static str, message: &str) -> std::io::Result<()> {
    scenario.session.refusal = Some(Refusal::fatal(sqlstate, message));
    Ok(())
}
