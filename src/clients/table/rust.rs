//! Rust.

use super::super::quote::Language;
use super::super::strings::keyword_value;
use super::{
    AS_LIBPQ, Basis, Behaviour, Client, DefaultTls, Encrypts, LIBPQ_WORDS, PREFER, Source, SystemRoots,
    Verifier, WithoutRoot,
};

pub(super) const CLIENTS: &[Client] = &[TOKIO_POSTGRES, SQLX, DIESEL, DIESEL_ASYNC];

const CONNECTOR: DefaultTls = DefaultTls {
    mode: "prefer; plaintext with NoTls",
    encrypts: Encrypts::Depends,
    verifies: "as the connector",
};

const RUSTLS: Behaviour = Behaviour {
    verifier: Verifier::Webpki,
    without_root: WithoutRoot::Trusts(
        "what the connector is given: here the system's roots (rustls-native-certs)",
    ),
    system: SystemRoots::Spelled("the system's roots, read by rustls-native-certs"),
    takes_address: true,
    further: Some(&[]),
};

const KEY_SETTINGS: &str = "
«if root»roots.add_parsable_certificates(CertificateDer::pem_file_iter(«root»)…)
«if not root»roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs)
";

const TOKIO_POSTGRES: Client = Client {
    name: "tokio-postgres",
    aliases: &["rustls", "rust-postgres", "postgres-rs"],
    title: "tokio-postgres with rustls",
    place: "Rust, in an async function; crates tokio-postgres, tokio-postgres-rustls, rustls",
    language: Language::Rust,
    template: "
use rustls::pki_types::pem::PemObject as _;

let mut roots = rustls::RootCertStore::empty();
«if root»for root in rustls::pki_types::CertificateDer::pem_file_iter(«root»)? {
«if root»    roots.add(root?)?;
«if root»}
«if not root»roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
let tls = rustls::ClientConfig::builder()
    .with_root_certificates(roots)
«if not client»    .with_no_client_auth();
«if client»    .with_client_auth_cert(
«if client»        rustls::pki_types::CertificateDer::pem_file_iter(«certificate»)?.collect::<Result<_, _>>()?,
«if client»        rustls::pki_types::PrivateKeyDer::from_pem_file(«key»)?,
«if client»    )?;
let (client, connection) = tokio_postgres::Config::new()
    .host(«host»)
«if hostaddr»    .hostaddr(«hostaddr».parse()?)
    .port(«port»)
    .dbname(«database»)
    .user(«user»)
    .password(std::env::var(\"PGPASSWORD\").unwrap_or_default())
    .ssl_mode(tokio_postgres::config::SslMode::Require)
    .connect(tokio_postgres_rustls::MakeRustlsConnect::new(tls))
    .await?;
",
    key_settings: KEY_SETTINGS,
    string: None,
    default: CONNECTOR,
    behaviour: RUSTLS,
    notes: &[
        "sslmode=verify-full and sslrootcert in a connection string are errors; with rustls, require is full verification",
        "a host must be given: with hostaddr alone, \"no hostname provided for TLS handshake\"",
        "a server key of Ed25519: tokio-postgres-rustls binds the channel with SHA-512, libpq cannot",
    ],
    source: Source {
        what: "sfackler/rust-postgres 2025-05-19, jbg/tokio-postgres-rustls 2025-10-31; run",
        date: "2026-11-23",
        basis: Basis::Measured,
    },
};

const SQLX: Client = Client {
    name: "sqlx",
    aliases: &[],
    title: "sqlx with rustls",
    place: "Rust, in an async function",
    language: Language::Rust,
    template: "
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgSslMode};

// the password comes from PGPASSWORD
let options = PgConnectOptions::new()
    .host(«host»)
    .port(«port»)
    .database(«database»)
    .username(«user»)
    .ssl_root_cert(«root»)
    .ssl_client_cert(«certificate»)
    .ssl_client_key(«key»)
    .ssl_mode(PgSslMode::VerifyFull);
let pool = PgPoolOptions::new().connect_with(options).await?;
",
    key_settings: "
?sslmode=verify-full
&sslrootcert=«%root»
",
    string: None,
    default: PREFER,
    behaviour: Behaviour {
        verifier: Verifier::WebpkiAndPublicRoots,
        without_root: WithoutRoot::Trusts("the built-in or the system's roots"),
        system: SystemRoots::Spelled("the built-in or the system's roots"),
        takes_address: false,
        further: Some(&[]),
    },
    notes: &["allow means plaintext", "a DER or empty root file is no error: UnknownIssuer comes later"],
    source: Source {
        what: "launchbadge/sqlx tls_rustls.rs, connection/tls.rs 2026-03-27; sqlx 0.9.0 run",
        date: "2026-11-23",
        basis: Basis::Measured,
    },
};

const DIESEL: Client = Client {
    name: "diesel",
    aliases: &[],
    title: "Diesel",
    place: "Rust",
    language: Language::Rust,
    template: "
use diesel::prelude::*;

// the password comes from PGPASSWORD
let connection = PgConnection::establish(
    «string»,
)?;
",
    key_settings: LIBPQ_WORDS,
    string: Some(keyword_value),
    default: PREFER,
    behaviour: AS_LIBPQ,
    notes: &[],
    source: Source { what: "libpq's rules", date: "", basis: Basis::General },
};

const DIESEL_ASYNC: Client = Client {
    name: "diesel-async",
    aliases: &[],
    title: "diesel-async with rustls",
    place: "Rust, in an async function; behind the snippet of `--for tokio-postgres`",
    language: Language::Rust,
    template: "
// `client` and `connection` are those of tokio-postgres, whose TLS this is:
«if root»//     roots from «root»
«if not root»//     roots from rustls_native_certs
//     host «host», port «port», database «database», user «user»
tokio::spawn(connection);
let connection = diesel_async::AsyncPgConnection::try_from(client).await?;
",
    key_settings: KEY_SETTINGS,
    string: None,
    default: CONNECTOR,
    behaviour: RUSTLS,
    notes: &["it takes a ready tokio-postgres client; AsyncPgConnection::establish alone uses NoTls"],
    source: Source { what: "tokio-postgres' rules", date: "", basis: Basis::General },
};
