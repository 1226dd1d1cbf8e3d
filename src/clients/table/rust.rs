//! Rust.

use super::super::quote::Language;
use super::super::strings::keyword_value;
use super::{
    AS_LIBPQ, Basis, Behaviour, Client, DefaultTls, Encrypts, PREFER, Source, SystemRoots, Verifier,
    WithoutRoot,
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

const TOKIO_POSTGRES: Client = Client {
    name: "tokio-postgres",
    aliases: &["rustls", "rust-postgres", "postgres-rs"],
    title: "tokio-postgres with rustls",
    place: "Rust, in an async function; crates tokio-postgres, tokio-postgres-rustls, rustls",
    language: Language::Rust,
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
    string: None,
    default: CONNECTOR,
    behaviour: RUSTLS,
    notes: &["it takes a ready tokio-postgres client; AsyncPgConnection::establish alone uses NoTls"],
    source: Source { what: "tokio-postgres' rules", date: "", basis: Basis::General },
};
