//! Prisma: from version 7 on over node-postgres, before with an engine of its own.

use super::node::{NODE_KEYWORDS, NODE_SURROUNDINGS, NODE_URL, node_rules, spell_node};
use super::{
    Absent, Bare, Case, Decision, Demand, Dialect, Encryption, FORM, Fallback, Form, Hosts, Keyword,
    Keywords, LENIENT, Library, Login, Lookup, PLAIN, Path, Repeated, Root, Surroundings, Unknown, Variables,
    own, same, tls, url,
};

pub(super) const DIALECTS: &[&Dialect] = &[&PRISMA, &PRISMA_7];

/// Prisma's engine, up to version 6: the words `sslaccept`, `sslidentity` and `sslcert` (which is the root) are its own.
static PRISMA: Dialect = Dialect {
    name: "prisma",
    aliases: &["prisma-6", "prisma-5"],
    title: "Prisma",
    releases: "up to 6",
    forms: &[Form::Url(&url::Rules {
        schemes: &["postgresql://", "postgres://"],
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
        known: &[PRISMA_KEYWORDS],
        case: Case::Exact,
        unknown: Unknown::Ignored,
        repeated: Repeated::Last,
        ..PLAIN
    },
    hosts: Hosts::Plain,
    demand: prisma_rules,
    spell: |_, trusted| Ok(trusted.named(&[("sslmode", "require"), ("sslaccept", "strict")], "sslcert")),
    library: Library::OpenSsl,
    surroundings: Surroundings {
        variables: Variables::Of(&[]),
        user: Absent::AsLibpq,
        database: Absent::Is("postgres"),
        host: Absent::Is("localhost"),
        passfile: false,
        connect_timeout: 5,
        service_of_string: true,
        of_tls: &[],
    },
    source: "prisma/prisma-engines quaint read, 2026-11-29; not run",
};

const PRISMA_KEYWORDS: &[Keyword] = &[
    same(&["host"]),
    tls(&["sslmode"]),
    tls(&["sslaccept"]),
    tls(&["sslcert"]),
    // The client's certificate and key as PKCS #12.
    tls(&["sslidentity"]),
    same(&["sslpassword"]),
    same(&["connect_timeout"]),
    same(&["channel_binding"]),
    same(&["application_name"]),
    same(&["options"]),
    own("schema|connection_limit|pgbouncer|pool_timeout|socket_timeout|statement_cache_size|\
         max_connection_lifetime|max_idle_connection_lifetime|single_use_connections"),
];

/// PostgresNativeUrl::parse_query_params: words that are none of the three modes are `prefer`; `sslaccept` decides whether
/// the certificate counts, and any word but one means that it does.
fn prisma_rules(lookup: &Lookup<'_>) -> Decision {
    let mode = lookup.get("sslmode");
    let accept = lookup.get("sslaccept");
    let encryption = match mode.map_or("prefer", |mode| mode.text) {
        "disable" => return Decision::by(mode.map(|mode| mode.at), Demand::plaintext()),
        "require" => Encryption::Always,
        _ => Encryption::IfOffered(Fallback::NotOffered),
    };
    let unknown = mode.filter(|mode| !matches!(mode.text, "disable" | "prefer" | "require"));
    match accept.filter(|accept| accept.text != "accept_invalid_certs") {
        Some(accept) => {
            let roots = lookup
                .filled("sslcert")
                .map_or_else(|| vec![Root::System], |file| vec![Root::AddedToSystem(file.at)]);
            let demand = Demand { encryption, ..Demand::full(roots) };
            let word = mode.filter(|_| encryption != Encryption::Always).unwrap_or(accept);
            let decision = Decision::by(Some(word.at), demand);
            match unknown {
                Some(mode) => decision.because(format!(
                    "Prisma does not know sslmode={} and takes prefer",
                    super::shown(mode.text)
                )),
                None => decision,
            }
        }
        None => {
            let word = accept.or(mode).map(|word| word.at);
            let decision = Decision::by(word, Demand { encryption, ..Demand::encrypted() });
            match (unknown, accept) {
                (Some(mode), None) => decision.because(format!(
                    "Prisma does not know sslmode={} and takes prefer",
                    super::shown(mode.text)
                )),
                _ => decision.because("without sslaccept=strict Prisma accepts any certificate"),
            }
        }
    }
}

/// Prisma with its adapter for node-postgres, the only way from version 7 on.
static PRISMA_7: Dialect = Dialect {
    name: "prisma-7",
    aliases: &["prisma-adapter-pg"],
    title: "Prisma 7 (node-postgres)",
    releases: "7, and 6 with @prisma/adapter-pg",
    forms: &[NODE_URL],
    keywords: NODE_KEYWORDS,
    hosts: Hosts::Plain,
    demand: node_rules,
    spell: spell_node,
    library: Library::OpenSsl,
    surroundings: NODE_SURROUNDINGS,
    source: "@prisma/adapter-pg 7.10.1 run, 2026-11-29",
};
