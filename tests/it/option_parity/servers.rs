//! The servers that the cases share. Each is started when a case first asks for it and ends with the test process.

use super::files;
use crate::support::odd_pki::{Hash, Issued, Scheme};
use crate::support::pgbouncer::PgBouncer;
use crate::support::pki::{Chain, Identity};
use crate::support::postgres::{Postgres, Setup};
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, OnceLock};

/// The password of every role that has one.
pub(super) const PASSWORD: &str = "Xylophone-7%quartz";

/// What the servers keep of that password for the role `keyed`, and the keys that prove it.
const VERIFIER: &str = "SCRAM-SHA-256$4096:cGFyaXR5IG9mIHNjcmFtIQ==$vnL9pZjOBsq+94Ys9vRa3ocRqXPs/cT6TKFNMg+IKRw=:\
                        B355SuNPhvMC3vaQXYVii/QZxmg5ggLsl2dQZNJE2wA=";
pub(super) const CLIENT_KEY: &str = "lTv428OgqfSexCVCKXVrp8DAdQBy3Bi/igjLH/4KbpQ=";
pub(super) const SERVER_KEY: &str = "B355SuNPhvMC3vaQXYVii/QZxmg5ggLsl2dQZNJE2wA=";

/// A kind of server. All have the same roles and rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Server {
    /// TLS 1.2 and 1.3 with an ECDSA certificate, and an interest in clients' certificates.
    Usual,
    /// No TLS.
    Plain,
    /// The usual one with TLS 1.2 only and an RSA certificate.
    Tls12,
    /// The usual one with TLS 1.3 only.
    Tls13,
    /// Sessions are read-only unless they say otherwise. It asks for no certificate.
    ReadOnly,
    /// A hot standby. It has the role `postgres` alone.
    Standby,
    /// Its certificate has this signature.
    Signed(Signature),
    /// TLS 1.2 with suites that rustls does not have.
    Cbc,
}

/// The signature on a server's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Signature {
    EcdsaSha384,
    EcdsaSha512,
    PssSha256,
    PssSha384,
    PssSha512,
    Ed25519,
    /// ECDSA on an Ed25519 key.
    EcdsaOnEd25519,
}

impl Server {
    /// The server of this version, started unless it runs.
    pub(super) fn running(self, version: u8) -> &'static Postgres {
        type Cells = Mutex<HashMap<(Server, u8), &'static OnceLock<Postgres>>>;
        static SERVERS: LazyLock<Cells> = LazyLock::new(Cells::default);
        let cell =
            *SERVERS.lock().unwrap().entry((self, version)).or_insert_with(|| Box::leak(Box::default()));
        cell.get_or_init(|| self.setup(version).start())
    }

    fn setup(self, version: u8) -> Setup {
        let shows = |setup: Setup, certificate: &Issued| {
            setup.certificate(certificate.pem(), files::key_pem(certificate))
        };
        let setup = Postgres::version(version)
            .setting("log_error_verbosity", "default")
            .hba("local all all trust")
            .hba("host all postgres all trust");
        match self {
            Self::Standby => shows(setup.standby(), files::server()),
            Self::Plain => with_roles(setup, version),
            Self::Usual => shows(with_client_rules(with_roles(setup, version)), files::server()),
            Self::Tls12 => shows(with_client_rules(with_roles(setup, version)), &files::rsa_server())
                .protocols("TLSv1.2", "TLSv1.2"),
            Self::Tls13 => shows(with_client_rules(with_roles(setup, version)), files::server())
                .protocols("TLSv1.3", "TLSv1.3"),
            Self::ReadOnly => shows(with_roles(setup, version), files::server())
                .setting("default_transaction_read_only", "on"),
            Self::Signed(signature) => shows(with_roles(setup, version), &signature.certificate()),
            Self::Cbc => shows(with_roles(setup, version), &files::rsa_server())
                .protocols("TLSv1.2", "TLSv1.2")
                .ciphers("ECDHE-RSA-AES256-SHA384:AES256-SHA"),
        }
    }
}

impl Signature {
    fn certificate(self) -> Issued {
        match self {
            Self::EcdsaSha384 => files::server_signed(Scheme::Usual(Hash::Sha384)),
            Self::EcdsaSha512 => files::server_signed(Scheme::Usual(Hash::Sha512)),
            Self::PssSha256 => files::server_signed(Scheme::Pss(Hash::Sha256)),
            Self::PssSha384 => files::server_signed(Scheme::Pss(Hash::Sha384)),
            Self::PssSha512 => files::server_signed(Scheme::Pss(Hash::Sha512)),
            Self::Ed25519 => files::server_signed_with_ed25519(),
            Self::EcdsaOnEd25519 => files::ed25519_server(),
        }
    }
}

/// The roles, each named for how it is let in.
fn with_roles(setup: Setup, version: u8) -> Setup {
    let iterations = if version >= 18 { "SET scram_iterations = 200000;" } else { "" };
    let reset = if version >= 18 { "RESET scram_iterations;" } else { "" };
    setup
        .hba("host all open all trust")
        .hba("host all nologin all trust")
        .hba("host all crowded all trust")
        .hba("host all absent all trust")
        .hba("hostssl all tls_only all trust")
        .hba("hostnossl all plain_only all trust")
        .hba("host all banned all reject")
        .hba("host all md5 all md5")
        .hba("host all md5_scram all md5")
        .hba("host all clear all password")
        .hba("hostssl all tls_scram all scram-sha-256")
        .hba("host all tls_only,tls_scram,plain_only all reject")
        .sql(
            "CREATE ROLE open LOGIN; CREATE ROLE nologin; CREATE ROLE crowded LOGIN CONNECTION LIMIT 0; \
             CREATE ROLE tls_only LOGIN; CREATE ROLE plain_only LOGIN; CREATE ROLE banned LOGIN; \
             CREATE ROLE cert LOGIN; CREATE ROLE cert_ca LOGIN; CREATE ROLE cert_full LOGIN; \
             CREATE ROLE unarmed LOGIN; SET client_min_messages = error;",
        )
        .user("scram", PASSWORD)
        .user("tls_scram", PASSWORD)
        .user("cert_scram", PASSWORD)
        .user("md5_scram", PASSWORD)
        .user("clear", PASSWORD)
        .user("unicode", "p\u{e4}ss\u{a0}w\u{f6}rd")
        .sql(&format!("CREATE ROLE outdated LOGIN PASSWORD '{PASSWORD}' VALID UNTIL '2001-01-01';"))
        .sql(&format!("CREATE ROLE keyed LOGIN PASSWORD '{VERIFIER}';"))
        .sql(&format!("{iterations} CREATE ROLE iterated LOGIN PASSWORD '{PASSWORD}'; {reset}"))
        .sql("SET password_encryption = md5;")
        .user("md5", PASSWORD)
}

/// The rules that look at certificates of clients.
fn with_client_rules(setup: Setup) -> Setup {
    setup
        .client_roots(files::CLIENT_ROOT.pem())
        .client_crl(files::client_crls())
        .hba("hostssl all cert all cert")
        .hba("hostssl all cert_ca all trust clientcert=verify-ca")
        .hba("hostssl all cert_full all trust clientcert=verify-full")
        .hba("hostssl all cert_scram all scram-sha-256 clientcert=verify-ca")
}

/// The pooler before the usual server of version 18. It ends TLS itself.
pub(super) fn pooler() -> &'static PgBouncer {
    static POOLER: LazyLock<PgBouncer> = LazyLock::new(|| {
        let identity = |issued: &Issued| Identity::from(issued.clone());
        let root = identity(&files::ROOT);
        let chain = Chain { intermediate: root.clone(), root, leaf: identity(files::server()) };
        PgBouncer::before(Server::Usual.running(18)).tls("allow", &chain).user("scram", PASSWORD).start()
    });
    &POOLER
}
