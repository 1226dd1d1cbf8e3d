//! Poolers, servers and tools with forms.

use super::super::quote::Language;
use super::super::strings::{jdbc, keyword_value, pgbouncer_database, uri};
use super::{
    AS_LIBPQ, Basis, Behaviour, Client, DefaultTls, Encrypts, PREFER, Source, SystemRoots, Verifier,
    WithoutRoot,
};

pub(super) const CLIENTS: &[Client] = &[PGBOUNCER, POSTGREST, HASURA, METABASE, GRAFANA, DBEAVER, PGADMIN];

const PGBOUNCER: Client = Client {
    name: "pgbouncer",
    aliases: &[],
    title: "PgBouncer, towards the server",
    place: "pgbouncer.ini",
    language: Language::Plain,
    string: Some(pgbouncer_database),
    default: PREFER,
    behaviour: Behaviour {
        verifier: Verifier::Other,
        without_root: WithoutRoot::Trusts(
            "Debian's list of public roots, which the snippet names since it must be given a file",
        ),
        system: SystemRoots::NeedsFile,
        takes_address: false,
        further: Some(&[]),
    },
    notes: &[
        "no direct TLS to the server",
        "TLS for its clients is off unless client_tls_sslmode is set: they get N for SSLRequest",
    ],
    source: Source {
        what: "pgbouncer/pgbouncer doc/config.md, NEWS",
        date: "2026-07-10",
        basis: Basis::Read,
    },
};

const POSTGREST: Client = Client {
    name: "postgrest",
    aliases: &[],
    title: "PostgREST",
    place: "postgrest.conf",
    language: Language::Toml,
    string: Some(uri),
    default: PREFER,
    behaviour: AS_LIBPQ,
    notes: &["libpq's environment variables are honoured"],
    source: Source {
        what: "PostgREST/postgrest docs configuration.rst",
        date: "2026-08-21",
        basis: Basis::Read,
    },
};

const HASURA: Client = Client {
    name: "hasura",
    aliases: &[],
    title: "Hasura",
    place: "the environment of the server",
    language: Language::Shell,
    string: Some(uri),
    default: PREFER,
    behaviour: AS_LIBPQ,
    notes: &[],
    source: Source { what: "libpq's rules", date: "", basis: Basis::General },
};

const FORM: DefaultTls =
    DefaultTls { mode: "as the form says", encrypts: Encrypts::Depends, verifies: "as the form says" };

const METABASE: Client = Client {
    name: "metabase",
    aliases: &[],
    title: "Metabase",
    place: "the database's form",
    language: Language::Plain,
    string: Some(jdbc),
    default: FORM,
    behaviour: Behaviour {
        verifier: Verifier::Java,
        without_root: WithoutRoot::DefaultFile,
        system: SystemRoots::Spelled("Java's cacerts, not the system's roots"),
        takes_address: false,
        further: Some(&["sslnegotiation", "channel_binding", "connect_timeout"]),
    },
    notes: &["pgjdbc's rules: `--for jdbc`"],
    source: Source { what: "pgjdbc's rules", date: "", basis: Basis::General },
};

const GRAFANA: Client = Client {
    name: "grafana",
    aliases: &[],
    title: "Grafana",
    place: "provisioning/datasources/postgres.yaml",
    language: Language::Yaml,
    string: Some(place_and_port),
    default: FORM,
    behaviour: Behaviour {
        verifier: Verifier::Go,
        without_root: WithoutRoot::Trusts("the system's roots"),
        system: SystemRoots::Spelled("the system's roots"),
        takes_address: false,
        further: Some(&[]),
    },
    notes: &["the rules of lib/pq or pgx, by its version"],
    source: Source { what: "lib/pq's and pgx's rules", date: "", basis: Basis::General },
};

const DBEAVER: Client = Client {
    name: "dbeaver",
    aliases: &[],
    title: "DBeaver",
    place: "the connection's Main and SSL tabs",
    language: Language::Plain,
    string: Some(jdbc),
    default: FORM,
    behaviour: METABASE.behaviour,
    notes: &["pgjdbc's rules: `--for jdbc`"],
    source: Source { what: "timescale/docs: its tabs", date: "2024-10-23", basis: Basis::Read },
};

const PGADMIN: Client = Client {
    name: "pgadmin",
    aliases: &[],
    title: "pgAdmin",
    place: "the server's Connection and Parameters tabs",
    language: Language::Plain,
    string: Some(keyword_value),
    default: PREFER,
    behaviour: AS_LIBPQ,
    notes: &[],
    source: Source { what: "timescale/docs: its tabs", date: "2024-10-23", basis: Basis::Read },
};

/// `HOST:PORT`
fn place_and_port(connection: &super::super::connection::Connection) -> String {
    format!("{}:{}", super::super::quote::uri_host(&connection.host), connection.port)
}
