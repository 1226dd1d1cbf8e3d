//! Rust: sqlx, tokio-postgres. Diesel is libpq.

use super::{
    Absent, Backslash, Bare, Case, Decision, Demand, Dialect, Encryption, FORM, Fallback, Form, Hosts,
    Keyword, Keywords, LENIENT, Library, Login, Lookup, PLAIN, Path, Prefix, Repeated, Root, Surroundings,
    Syntax, Unknown, Variables, named, own, pairs, same, tls, url,
};

pub(super) const DIALECTS: &[&Dialect] = &[&SQLX, &TOKIO_POSTGRES];

/// sqlx with rustls and the operating system's roots.
static SQLX: Dialect = Dialect {
    name: "sqlx",
    aliases: &["sea-orm"],
    title: "sqlx",
    releases: "0.9 with tls-rustls",
    forms: &[Form::Url(&url::Rules {
        schemes: &["postgres://", "postgresql://"],
        exact_scheme: false,
        login: Login::ToLast,
        authority_ends: b"/?#",
        fragment: true,
        several_hosts: false,
        user: LENIENT,
        host: LENIENT,
        path: LENIENT,
        query: FORM,
        path_form: Path::Database,
        bare: Bare::Empty,
        query_wins: true,
    })],
    keywords: Keywords {
        known: &[SQLX_NAMES],
        case: Case::Exact,
        unknown: Unknown::Ignored,
        repeated: Repeated::Last,
        ..PLAIN
    },
    hosts: Hosts::Plain,
    demand: sqlx_rules,
    spell: |_, trusted| Ok(trusted.named(&[("sslmode", "verify-full")], "sslrootcert")),
    library: Library::Rustls,
    surroundings: Surroundings {
        variables: Variables::Of(&[
            "host",
            "hostaddr",
            "port",
            "user",
            "password",
            "dbname",
            "passfile",
            "sslmode",
            "sslrootcert",
            "sslcert",
            "sslkey",
            "application_name",
            "options",
        ]),
        user: Absent::AsLibpq,
        database: Absent::AsLibpq,
        host: Absent::AsLibpq,
        passfile: true,
        connect_timeout: 0,
        service_of_string: true,
        of_tls: &[("PGSSLMODE", "sslmode"), ("PGSSLROOTCERT", "sslrootcert")],
    },
    source: "sqlx 0.9.0 run, 2026-11-29",
};

const SQLX_NAMES: &[Keyword] = &[
    same(&["host"]),
    // Takes the place of the host, for the name too.
    named(&["hostaddr"], "host"),
    same(&["port"]),
    same(&["dbname"]),
    same(&["user"]),
    same(&["password"]),
    tls(&["sslmode", "ssl-mode"]),
    tls(&["sslrootcert", "ssl-root-cert", "ssl-ca"]),
    named(&["sslcert", "ssl-cert"], "sslcert"),
    named(&["sslkey", "ssl-key"], "sslkey"),
    same(&["application_name"]),
    same(&["options"]),
    own("statement-cache-capacity"),
];

/// maybe_upgrade and PgSslMode::from_str of sqlx-postgres.
fn sqlx_rules(lookup: &Lookup<'_>) -> Decision {
    let mode = lookup.get("sslmode");
    let at = mode.map(|mode| mode.at);
    let file = lookup.filled("sslrootcert");
    let roots = || file.map_or_else(|| vec![Root::System], |file| vec![Root::AddedToSystem(file.at)]);
    let demand = match mode.map_or("prefer", |mode| mode.text).to_ascii_lowercase().as_str() {
        "disable" => Demand::plaintext(),
        "allow" => {
            return Decision::by(at, Demand::plaintext())
                .because("sqlx knows no way from plaintext to TLS: allow is plaintext");
        }
        "prefer" => Demand::if_offered(Fallback::NotOffered),
        "require" => Demand::encrypted(),
        "verify-ca" => Demand::chain(roots()),
        "verify-full" => Demand::full(roots()),
        // PgConnectOptions::new takes the default for a variable that it cannot read.
        _ if mode.is_some_and(|mode| lookup.is_of_variable(mode)) => Demand::if_offered(Fallback::NotOffered),
        _ => return Decision::invalid(at.unwrap_or(0), "sslmode", super::LIBPQ_MODES),
    };
    let decision = Decision::by(at, demand);
    match mode.map(|mode| mode.text.to_ascii_lowercase()).as_deref() {
        Some("require") if file.is_some() => {
            decision.because("sqlx's require verifies nothing, with sslrootcert either")
        }
        _ => decision,
    }
}

/// tokio-postgres with a connector that verifies, as those of rustls and native-tls do unless told otherwise.
static TOKIO_POSTGRES: Dialect = Dialect {
    name: "tokio-postgres",
    aliases: &["postgres", "rust-postgres", "deadpool-postgres", "bb8-postgres", "diesel-async"],
    title: "tokio-postgres",
    releases: "0.7 with rustls or native-tls",
    forms: &[
        Form::Url(&url::Rules {
            schemes: &["postgres://", "postgresql://"],
            exact_scheme: true,
            login: Login::Anywhere,
            authority_ends: b"/?",
            fragment: false,
            several_hosts: true,
            user: LENIENT,
            host: LENIENT,
            path: LENIENT,
            query: LENIENT,
            path_form: Path::Database,
            bare: Bare::Refused,
            query_wins: true,
        }),
        Form::Pairs(&pairs::Rules { prefix: Prefix::Nothing, syntax: Syntax::Blanks(Backslash::Escapes) }),
    ],
    keywords: Keywords {
        known: &[TOKIO_NAMES],
        case: Case::Exact,
        unknown: Unknown::Refused,
        repeated: Repeated::Last,
        ..PLAIN
    },
    hosts: Hosts::Plain,
    demand: tokio_rules,
    spell: |_, _| {
        Err(
            "sslmode=require; chain and name are verified by the connector of the program (rustls, native-tls)",
        )
    },
    library: Library::Rustls,
    surroundings: Surroundings {
        variables: Variables::Of(&[]),
        user: Absent::AsLibpq,
        database: Absent::AsLibpq,
        host: Absent::Refused,
        passfile: false,
        connect_timeout: 0,
        service_of_string: true,
        of_tls: &[],
    },
    source: "tokio-postgres 0.7.18 run with rustls, 2026-11-29",
};

const TOKIO_NAMES: &[Keyword] = &[
    same(&["host"]),
    same(&["hostaddr"]),
    same(&["port"]),
    same(&["dbname"]),
    same(&["user"]),
    same(&["password"]),
    tls(&["sslmode"]),
    same(&["sslnegotiation"]),
    same(&["connect_timeout"]),
    same(&["tcp_user_timeout"]),
    same(&["keepalives"]),
    same(&["keepalives_idle"]),
    same(&["application_name"]),
    same(&["options"]),
    same(&["channel_binding"]),
    same(&["target_session_attrs"]),
    same(&["load_balance_hosts"]),
    own("keepalives_interval|keepalives_retries"),
];

/// The string says whether there is TLS, the connector whether it verifies.
fn tokio_rules(lookup: &Lookup<'_>) -> Decision {
    let mode = lookup.get("sslmode");
    let at = mode.map(|mode| mode.at);
    let demand = match mode.map_or("prefer", |mode| mode.text) {
        "disable" => Demand::plaintext(),
        "prefer" => Demand {
            encryption: Encryption::IfOffered(Fallback::NotOffered),
            ..Demand::full(vec![Root::System])
        },
        "require" => Demand::full(vec![Root::System]),
        _ => {
            return Decision::invalid(
                at.unwrap_or(0),
                "sslmode",
                "disable, prefer or require; whether the server is verified is said by the connector, not by the string",
            );
        }
    };
    Decision::by(at, demand)
}
