//! Go: pgx, lib/pq, GORM.

use super::{
    Absent, Backslash, Bare, Case, Chain, Decision, Demand, Dialect, Encryption, Fallback, FaultKind, Form,
    Hosts, Keyword, Keywords, Library, Login, Lookup, PLAIN, Path, Prefix, Repeated, Root, SERVER_SETTINGS,
    STRICT, STRICT_FORM, Surroundings, Syntax, Unknown, Variables, Word, named, own, pairs, same, server,
    spell_libpq, tls, url,
};

pub(super) const DIALECTS: &[&Dialect] = &[&PGX, &PGX_4, &GORM, &LIB_PQ, &LIB_PQ_1_10];

/// net/url, as far as a connection string shows it.
const URL: url::Rules = url::Rules {
    schemes: &["postgres://", "postgresql://"],
    exact_scheme: true,
    login: Login::ToLast,
    authority_ends: b"/?#",
    fragment: true,
    several_hosts: true,
    user: STRICT,
    host: STRICT,
    path: STRICT,
    query: STRICT_FORM,
    path_form: Path::Database,
    bare: Bare::Empty,
    query_wins: true,
};

const PGX_FORMS: &[Form] = &[
    Form::Url(&URL),
    Form::Pairs(&pairs::Rules { prefix: Prefix::Nothing, syntax: Syntax::Blanks(Backslash::BeforeQuotes) }),
];

/// lib/pq takes a list of hosts in its URL for one name.
const LIB_PQ_FORMS: &[Form] = &[
    Form::Url(&url::Rules { several_hosts: false, ..URL }),
    Form::Pairs(&pairs::Rules { prefix: Prefix::Nothing, syntax: Syntax::Blanks(Backslash::Escapes) }),
];

const PGX_SURROUNDINGS: Surroundings = Surroundings {
    variables: Variables::Of(&[
        "host",
        "port",
        "user",
        "password",
        "dbname",
        "passfile",
        "service",
        "sslmode",
        "sslrootcert",
        "sslcert",
        "sslkey",
        "sslsni",
        "sslpassword",
        "sslnegotiation",
        "application_name",
        "connect_timeout",
        "target_session_attrs",
        "options",
    ]),
    user: Absent::AsLibpq,
    database: Absent::AsLibpq,
    host: Absent::AsLibpq,
    passfile: true,
    connect_timeout: 0,
    service_of_string: true,
    of_tls: &[("PGSSLMODE", "sslmode"), ("PGSSLROOTCERT", "sslrootcert")],
};

const PGX_NAMES: &[Keyword] = &[
    same(&["host"]),
    same(&["port"]),
    named(&["dbname", "database"], "dbname"),
    same(&["user"]),
    same(&["password"]),
    same(&["passfile"]),
    same(&["service"]),
    same(&["connect_timeout"]),
    tls(&["sslmode"]),
    tls(&["sslrootcert"]),
    same(&["sslcert"]),
    same(&["sslkey"]),
    same(&["sslpassword"]),
    same(&["sslsni"]),
    same(&["sslnegotiation"]),
    same(&["target_session_attrs"]),
    same(&["krbsrvname"]),
    server("application_name|client_encoding|options"),
    own("servicefile|krbspn|default_query_exec_mode|statement_cache_capacity|statement_cache_mode|\
         description_cache_capacity|prefer_simple_protocol|min_read_buffer_size|pool_max_conns|\
         pool_min_conns|pool_min_idle_conns|pool_max_conn_lifetime|pool_max_conn_lifetime_jitter|\
         pool_max_conn_idle_time|pool_health_check_period"),
];

const PGX_KEYWORDS: Keywords = Keywords {
    known: &[PGX_NAMES, SERVER_SETTINGS],
    case: Case::Exact,
    unknown: Unknown::Sent,
    repeated: Repeated::First,
    ..PLAIN
};

/// pgx 5.
static PGX: Dialect = Dialect {
    name: "pgx",
    aliases: &["pgx-5", "go"],
    title: "pgx",
    releases: "5",
    forms: PGX_FORMS,
    keywords: PGX_KEYWORDS,
    hosts: Hosts::Plain,
    demand: pgx_rules,
    spell: spell_libpq,
    library: Library::Go,
    surroundings: PGX_SURROUNDINGS,
    source: "pgx 5.10 run, 2026-11-29",
};

/// pgx 4: `allow` never uses TLS.
static PGX_4: Dialect = Dialect {
    name: "pgx-4",
    aliases: &["pgx-3"],
    title: "pgx 4",
    releases: "4",
    forms: PGX_FORMS,
    keywords: PGX_KEYWORDS,
    hosts: Hosts::Plain,
    demand: pgx_4_rules,
    spell: spell_libpq,
    library: Library::Go,
    surroundings: PGX_SURROUNDINGS,
    source: "pgx 4.15 run, 2026-11-29",
};

/// GORM hands its string to pgx.
static GORM: Dialect = Dialect {
    name: "gorm",
    aliases: &[],
    title: "GORM (pgx)",
    releases: "its driver on pgx 5",
    forms: PGX_FORMS,
    keywords: PGX_KEYWORDS,
    hosts: Hosts::Plain,
    demand: pgx_rules,
    spell: spell_libpq,
    library: Library::Go,
    surroundings: PGX_SURROUNDINGS,
    source: "go-gorm/postgres read; pgx 5.10 run, 2026-11-29",
};

/// configTLS of pgconn.
fn pgx_rules(lookup: &Lookup<'_>) -> Decision {
    let root = lookup.filled("sslrootcert");
    if let Some(root) = root.filter(|root| root.text == "system") {
        let decision = Decision::by(Some(root.at), Demand::full(vec![Root::System]));
        return match lookup.get("sslmode") {
            Some(mode) if mode.text != "verify-full" => {
                decision.because("sslrootcert=system makes pgx verify fully, whatever sslmode says")
            }
            _ => decision,
        };
    }
    pgx_mode(lookup)
}

fn pgx_mode(lookup: &Lookup<'_>) -> Decision {
    let mode = lookup.get("sslmode");
    let at = mode.map(|mode| mode.at);
    let root = lookup.filled("sslrootcert");
    let roots = root.map_or_else(|| vec![Root::System], |root| vec![Root::Named(root.at)]);
    // A root file makes require verify the chain, as in libpq; the file of the variable does too.
    let if_named = match root {
        Some(root) => vec![Root::Named(root.at)],
        None => Vec::new(),
    };
    let demand = match mode.map_or("prefer", |mode| mode.text) {
        "disable" => Demand::plaintext(),
        "allow" => Demand::after_refusal(),
        "prefer" => Demand::if_offered(Fallback::SessionRefused),
        "require" => {
            Demand { encryption: Encryption::Always, chain: Chain::IfRoots, name: false, roots: if_named }
        }
        "verify-ca" => Demand::chain(roots),
        "verify-full" => Demand::full(roots),
        _ => return Decision::invalid(at.unwrap_or(0), "sslmode", super::LIBPQ_MODES),
    };
    Decision::by(at, demand)
}

fn pgx_4_rules(lookup: &Lookup<'_>) -> Decision {
    match lookup.get("sslmode") {
        Some(mode) if mode.text == "allow" => Decision::by(Some(mode.at), Demand::plaintext())
            .because("pgx 4 knows no way from plaintext to TLS: allow is plaintext"),
        Some(mode) if mode.text == "prefer" => {
            Decision::by(Some(mode.at), Demand::if_offered(Fallback::NotOffered))
        }
        None => Decision::by(None, Demand::if_offered(Fallback::NotOffered)),
        _ => pgx_mode(lookup),
    }
}

const LIB_PQ_NAMES: &[Keyword] = &[
    same(&["host"]),
    same(&["port"]),
    same(&["dbname"]),
    same(&["user"]),
    same(&["password"]),
    same(&["passfile"]),
    same(&["connect_timeout"]),
    tls(&["sslmode"]),
    tls(&["sslrootcert"]),
    same(&["sslcert"]),
    same(&["sslkey"]),
    same(&["sslsni"]),
    same(&["sslpassword"]),
    tls(&["sslinline"]),
    same(&["krbsrvname"]),
    same(&["options"]),
    server("application_name|fallback_application_name|client_encoding"),
    own("binary_parameters|disable_prepared_binary_result|krbspn"),
];

const LIB_PQ_SURROUNDINGS: Surroundings = Surroundings {
    variables: Variables::Of(&[
        "host",
        "port",
        "user",
        "password",
        "dbname",
        "passfile",
        "options",
        "application_name",
        "sslmode",
        "sslcert",
        "sslkey",
        "sslrootcert",
        "sslsni",
        "connect_timeout",
        "client_encoding",
        "target_session_attrs",
        "load_balance_hosts",
        "hostaddr",
    ]),
    user: Absent::AsLibpq,
    database: Absent::AsLibpq,
    host: Absent::Is("localhost"),
    passfile: true,
    connect_timeout: 0,
    service_of_string: true,
    of_tls: &[("PGSSLMODE", "sslmode"), ("PGSSLROOTCERT", "sslrootcert")],
};

/// lib/pq from 1.12 on.
static LIB_PQ: Dialect = Dialect {
    name: "lib-pq",
    aliases: &["lib/pq", "go-pq", "libpq-go"],
    title: "lib/pq",
    releases: "1.12",
    forms: LIB_PQ_FORMS,
    keywords: Keywords {
        known: &[
            LIB_PQ_NAMES,
            SERVER_SETTINGS,
            &[
                same(&["hostaddr"]),
                same(&["service"]),
                same(&["target_session_attrs"]),
                same(&["load_balance_hosts"]),
                same(&["sslnegotiation"]),
                same(&["ssl_min_protocol_version"]),
                same(&["ssl_max_protocol_version"]),
                same(&["min_protocol_version"]),
                same(&["max_protocol_version"]),
            ],
        ],
        case: Case::Exact,
        unknown: Unknown::Sent,
        repeated: Repeated::First,
        ..PLAIN
    },
    hosts: Hosts::Plain,
    demand: lib_pq_rules,
    spell: spell_libpq,
    library: Library::Go,
    surroundings: LIB_PQ_SURROUNDINGS,
    source: "lib/pq 1.12.3 run, 2026-11-29",
};

/// lib/pq as Debian has it.
static LIB_PQ_1_10: Dialect = Dialect {
    name: "lib-pq-1.10",
    aliases: &["lib-pq-1.11"],
    title: "lib/pq 1.10",
    releases: "up to 1.10",
    forms: LIB_PQ_FORMS,
    keywords: Keywords {
        known: &[LIB_PQ_NAMES, SERVER_SETTINGS],
        case: Case::Exact,
        unknown: Unknown::Sent,
        repeated: Repeated::First,
        ..PLAIN
    },
    hosts: Hosts::Plain,
    demand: lib_pq_1_10_rules,
    spell: spell_libpq,
    library: Library::Go,
    surroundings: LIB_PQ_SURROUNDINGS,
    source: "lib/pq 1.10.7 run, 2026-11-29",
};

/// Whether the root is text in the string itself.
fn is_inline(lookup: &Lookup<'_>) -> bool {
    lookup.get("sslinline").is_some_and(|word| word.text == "true")
}

/// Certificates in the string itself: the client's has to be one of them (ssl.go, sslClientCertificates).
fn inline_client(lookup: &Lookup<'_>) -> Option<Decision> {
    let missing = ["sslcert", "sslkey"].into_iter().find(|name| lookup.filled(name).is_none());
    let missing = missing.filter(|_| is_inline(lookup))?;
    let at = lookup.get("sslinline").map(|word| word.at);
    Some(Decision::refused(at, FaultKind::Missing(missing)))
}

/// The root that a string names, or holds.
fn given(lookup: &Lookup<'_>, root: Word<'_>) -> Root {
    if is_inline(lookup) { Root::Inline(root.at) } else { Root::Named(root.at) }
}

fn lib_pq_rules(lookup: &Lookup<'_>) -> Decision {
    if let Some(decision) = inline_client(lookup) {
        return decision;
    }
    let root = lookup.filled("sslrootcert");
    let mode = lookup.get("sslmode");
    if let Some(root) = root.filter(|root| root.text == "system") {
        return match mode {
            Some(mode) if mode.text != "verify-full" => {
                Decision::invalid(mode.at, "sslmode", "verify-full beside sslrootcert=system")
            }
            _ => Decision::by(mode.or(Some(root)).map(|word| word.at), Demand::full(vec![Root::System])),
        };
    }
    let at = mode.map(|mode| mode.at);
    let file = || match root {
        Some(root) => vec![given(lookup, root)],
        None => vec![Root::Home],
    };
    let or_system = || match root {
        Some(root) => vec![given(lookup, root)],
        None => vec![Root::Home, Root::System],
    };
    let if_roots = |encryption| Demand { encryption, chain: Chain::IfRoots, name: false, roots: file() };
    let demand = match mode.map_or("require", |mode| mode.text) {
        "disable" => Demand::plaintext(),
        "allow" => if_roots(Encryption::AfterRefusal),
        "prefer" => if_roots(Encryption::IfOffered(Fallback::AnyFailure)),
        "require" => if_roots(Encryption::Always),
        "verify-ca" => Demand::chain(or_system()),
        "verify-full" => Demand::full(or_system()),
        _ => return Decision::invalid(at.unwrap_or(0), "sslmode", super::LIBPQ_MODES),
    };
    Decision::by(at, demand)
}

/// ssl.go of 1.10.7: since it sends SNI, whatever verifies the chain also checks the name.
fn lib_pq_1_10_rules(lookup: &Lookup<'_>) -> Decision {
    if let Some(decision) = inline_client(lookup) {
        return decision;
    }
    let mode = lookup.get("sslmode");
    let at = mode.map(|mode| mode.at);
    let root = lookup.filled("sslrootcert");
    let roots = || match root {
        Some(root) => vec![given(lookup, root)],
        None => vec![Root::System],
    };
    let demand = match mode.map_or("require", |mode| mode.text) {
        "disable" => Demand::plaintext(),
        "require" => match root.filter(|root| root.text != "system") {
            // It looks for a file of that name, and without one verifies nothing.
            Some(_) if is_inline(lookup) => Demand::encrypted(),
            Some(root) => Demand::full(vec![Root::Named(root.at)]),
            None => Demand::encrypted(),
        },
        "verify-ca" | "verify-full" => Demand::full(roots()),
        _ => {
            return Decision::invalid(
                at.unwrap_or(0),
                "sslmode",
                "disable, require, verify-ca or verify-full",
            );
        }
    };
    Decision::by(at, demand)
}
