//! Python: asyncpg, pg8000, SQLAlchemy over each driver, Django. psycopg is libpq.

use super::{
    Absent, Bare, Case, Chain, DICTIONARY, Decision, Demand, Dialect, Encryption, FORM, Fallback, FaultKind,
    Form, Hosts, Keyword, Keywords, Kind, LENIENT, LIBPQ_KEYWORDS, LIBPQ_SURROUNDINGS, Library, Login,
    Lookup, PLAIN, PYTHON, Path, Repeated, Root, SERVER_SETTINGS, Spelled, Surroundings, Trusted, Unknown,
    Variables, Word, libpq_rules, named, own, same, server, spell_libpq, tls, url,
};

pub(super) const DIALECTS: &[&Dialect] =
    &[&ASYNCPG, &PG8000, &SQLALCHEMY, &SQLALCHEMY_PSYCOPG2, &SQLALCHEMY_ASYNCPG, &SQLALCHEMY_PG8000, &DJANGO];

const ASYNCPG_SURROUNDINGS: Surroundings = Surroundings {
    variables: Variables::Of(&[
        "host",
        "port",
        "user",
        "password",
        "dbname",
        "sslmode",
        "sslrootcert",
        "sslcert",
        "sslkey",
        "sslcrl",
        "sslnegotiation",
        "target_session_attrs",
        "passfile",
        "service",
    ]),
    user: Absent::AsLibpq,
    database: Absent::AsLibpq,
    host: Absent::AsLibpq,
    passfile: true,
    connect_timeout: 60,
    service_of_string: true,
    of_tls: &[("PGSSLMODE", "sslmode"), ("PGSSLROOTCERT", "sslrootcert")],
};

/// asyncpg.
static ASYNCPG: Dialect = Dialect {
    name: "asyncpg",
    aliases: &[],
    title: "asyncpg",
    releases: "0.32",
    forms: &[
        Form::Url(&url::Rules {
            schemes: &["postgresql://", "postgres://"],
            exact_scheme: false,
            login: Login::ToFirst,
            authority_ends: b"/?#",
            fragment: true,
            several_hosts: true,
            user: LENIENT,
            host: LENIENT,
            path: LENIENT,
            query: FORM,
            path_form: Path::Database,
            bare: Bare::Refused,
            query_wins: false,
        }),
        Form::Object(&PYTHON),
    ],
    keywords: Keywords {
        known: &[ASYNCPG_KEYWORDS, SERVER_SETTINGS],
        case: Case::Exact,
        unknown: Unknown::Sent,
        repeated: Repeated::Last,
        ..PLAIN
    },
    hosts: Hosts::WithPorts,
    demand: asyncpg_rules,
    spell: spell_asyncpg,
    library: Library::OpenSsl,
    surroundings: ASYNCPG_SURROUNDINGS,
    source: "asyncpg 0.32.0 run, 2026-11-29",
};

const ASYNCPG_KEYWORDS: &[Keyword] = &[
    same(&["host"]),
    same(&["port"]),
    named(&["database", "dbname"], "dbname"),
    same(&["user"]),
    same(&["password"]),
    same(&["passfile"]),
    same(&["service"]),
    tls(&["sslmode"]),
    tls(&["sslrootcert"]),
    // An argument of connect(); in a DSN it is sent to the server (see asyncpg_rules).
    tls(&["ssl"]),
    tls(&["ssl.cafile"]),
    tls(&["ssl.cadata"]),
    named(&["timeout"], "connect_timeout"),
    same(&["sslcert"]),
    same(&["sslkey"]),
    same(&["sslpassword"]),
    same(&["sslcrl"]),
    same(&["sslnegotiation"]),
    same(&["ssl_min_protocol_version"]),
    same(&["ssl_max_protocol_version"]),
    same(&["target_session_attrs"]),
    same(&["krbsrvname"]),
    same(&["gsslib"]),
    server("application_name|client_encoding|options"),
    own("command_timeout|statement_cache_size|max_cached_statement_lifetime|\
         max_cacheable_statement_size|connection_class|record_class|server_settings|min_size|\
         max_size|loop"),
];

const ASYNCPG_MODES: &str = "disable, allow, prefer, require, verify-ca or verify-full";

/// SSLMode.parse and _parse_connect_dsn_and_args. `word` is what stands for sslmode.
fn asyncpg_mode(word: Option<Word<'_>>, roots: Vec<Root>) -> Decision {
    let at = word.map(|word| word.at);
    let demand = match word.map_or("prefer", |word| word.text).replace('-', "_").as_str() {
        "disable" => Demand::plaintext(),
        "allow" => Demand::after_refusal(),
        "prefer" => Demand::if_offered(Fallback::SessionRefused),
        "require" => Demand { encryption: Encryption::Always, chain: Chain::IfRoots, name: false, roots },
        "verify_ca" => Demand::chain(roots),
        "verify_full" => Demand::full(roots),
        _ => return Decision::invalid(at.unwrap_or(0), "sslmode", ASYNCPG_MODES),
    };
    Decision::by(at, demand)
}

fn asyncpg_roots(lookup: &Lookup<'_>) -> Vec<Root> {
    match lookup.filled("sslrootcert") {
        Some(file) => vec![Root::Named(file.at)],
        None => vec![Root::Home],
    }
}

/// The argument `ssl` counts more than what the DSN says. Each is known in its own place only.
fn asyncpg_rules(lookup: &Lookup<'_>) -> Decision {
    let unknown = |word: Word<'_>, keyword: &str, nearest| {
        let keyword = keyword.to_owned();
        let kind = FaultKind::UnknownKeyword { keyword, nearest: Some(nearest), belongs_to: Vec::new() };
        Decision::refused(Some(word.at), kind)
    };
    if let Some(word) = lookup.get("ssl") {
        if !lookup.is_object() && !lookup.is_beside(word) {
            return unknown(word, "ssl", "sslmode");
        }
        return argument(lookup, word);
    }
    match lookup.get("sslmode") {
        Some(word) if lookup.is_object() && !lookup.is_of_variable(word) => unknown(word, "sslmode", "ssl"),
        mode => asyncpg_mode(mode, asyncpg_roots(lookup)),
    }
}

/// The argument `ssl` of asyncpg.connect(): True, False, a context or a mode.
fn argument(lookup: &Lookup<'_>, word: Word<'_>) -> Decision {
    context(lookup, "ssl", ["ssl.cafile", "ssl.cadata"], false)
        .unwrap_or_else(|| asyncpg_mode(Some(word), asyncpg_roots(lookup)))
}

/// What the `ssl` argument of a Python driver is, where it is no mode: `True`, `False`, a context.
fn context(
    lookup: &Lookup<'_>,
    name: &'static str,
    [file, text]: [&'static str; 2],
    unverified: bool,
) -> Option<Decision> {
    let word = lookup.get(name)?;
    let demand = match (word.kind, word.text) {
        (Kind::Object, _) => Demand::full(match (lookup.filled(file), lookup.filled(text)) {
            (Some(file), _) if file.kind == Kind::Text => vec![Root::Named(file.at)],
            (None, Some(text)) if text.kind == Kind::Text => vec![Root::Inline(text.at)],
            (None, Some(file)) if file.kind == Kind::Content => vec![Root::Named(file.at)],
            (None, None) => vec![Root::System],
            _ => vec![Root::Program],
        }),
        (Kind::Text, "true") if unverified => Demand::encrypted(),
        (Kind::Text, "true") => Demand::full(vec![Root::System]),
        (Kind::Text, "false") => Demand::plaintext(),
        (Kind::Code | Kind::Content, _) => {
            return Some(Decision::refused(Some(word.at), FaultKind::Computed(name.into())));
        }
        _ => return None,
    };
    let decision = Decision::by(Some(word.at), demand);
    Some(if unverified && word.text == "true" {
        decision.because("ssl_context=True makes a context that accepts any certificate")
    } else {
        decision
    })
}

const PG8000_SURROUNDINGS: Surroundings = Surroundings {
    variables: Variables::Of(&[]),
    user: Absent::Refused,
    database: Absent::AsLibpq,
    host: Absent::Is("localhost"),
    passfile: false,
    connect_timeout: 0,
    service_of_string: true,
    of_tls: &[],
};

/// pg8000: TLS only by argument.
static PG8000: Dialect = Dialect {
    name: "pg8000",
    aliases: &[],
    title: "pg8000",
    releases: "1.31",
    forms: &[Form::Object(&PYTHON)],
    keywords: Keywords {
        known: &[PG8000_KEYWORDS],
        case: Case::Exact,
        unknown: Unknown::Refused,
        repeated: Repeated::Last,
        ..PLAIN
    },
    hosts: Hosts::Plain,
    demand: pg8000_rules,
    spell: spell_pg8000,
    library: Library::OpenSsl,
    surroundings: PG8000_SURROUNDINGS,
    source: "pg8000 1.31.6 run, 2026-11-29",
};

const PG8000_KEYWORDS: &[Keyword] = &[
    same(&["user"]),
    same(&["host"]),
    named(&["database"], "dbname"),
    same(&["port"]),
    same(&["password"]),
    named(&["timeout"], "connect_timeout"),
    same(&["application_name"]),
    same(&["replication"]),
    tls(&["ssl_context"]),
    tls(&["ssl_context.cafile"]),
    tls(&["ssl_context.cadata"]),
    tls(&["ssl_context.0"]),
    own("source_address|unix_sock|tcp_keepalive|startup_params|sock"),
];

fn pg8000_rules(lookup: &Lookup<'_>) -> Decision {
    context(lookup, "ssl_context", ["ssl_context.cafile", "ssl_context.cadata"], true).unwrap_or_else(|| {
        let word = lookup.get("ssl_context").filter(|word| word.text != "null");
        match word {
            Some(word) => Decision::invalid(
                word.at,
                "ssl_context",
                "True, False, None or a context of Python's ssl module",
            ),
            None => Decision::by(None, Demand::if_offered(Fallback::NotOffered)),
        }
    })
}

const SQLALCHEMY_URL: url::Rules = url::Rules {
    schemes: &[],
    exact_scheme: true,
    login: Login::Sqlalchemy,
    authority_ends: b"/?",
    fragment: false,
    several_hosts: false,
    user: LENIENT,
    host: super::LITERAL,
    path: LENIENT,
    query: FORM,
    path_form: Path::Database,
    bare: Bare::Dropped,
    query_wins: true,
};

/// SQLAlchemy 2.1: psycopg 3, which is also what `postgresql://` alone means.
static SQLALCHEMY: Dialect = Dialect {
    name: "sqlalchemy",
    aliases: &["sqlalchemy+psycopg"],
    title: "SQLAlchemy with psycopg",
    releases: "2.1",
    forms: &[Form::Url(&url::Rules {
        schemes: &["postgresql+psycopg://", "postgresql+psycopg_async://", "postgresql://"],
        ..SQLALCHEMY_URL
    })],
    keywords: SQLALCHEMY_KEYWORDS,
    hosts: Hosts::Repeated,
    demand: libpq_rules,
    spell: spell_libpq,
    library: Library::OpenSsl,
    surroundings: LIBPQ_SURROUNDINGS,
    source: "SQLAlchemy 2.1.9 with psycopg 3.3.9 run, 2026-11-29",
};

const SQLALCHEMY_KEYWORDS: Keywords = Keywords {
    known: &[LIBPQ_KEYWORDS],
    case: Case::Exact,
    unknown: Unknown::Refused,
    repeated: Repeated::Last,
    ..PLAIN
};

static SQLALCHEMY_PSYCOPG2: Dialect = Dialect {
    name: "sqlalchemy+psycopg2",
    aliases: &["sqlalchemy+psycopg2cffi"],
    title: "SQLAlchemy with psycopg 2",
    releases: "2.1",
    forms: &[Form::Url(&url::Rules {
        schemes: &[
            "postgresql+psycopg2://",
            "postgresql+psycopg2cffi://",
            "postgresql+aiopg://",
            "postgresql://",
        ],
        ..SQLALCHEMY_URL
    })],
    keywords: SQLALCHEMY_KEYWORDS,
    hosts: Hosts::Repeated,
    demand: libpq_rules,
    spell: spell_libpq,
    library: Library::OpenSsl,
    surroundings: LIBPQ_SURROUNDINGS,
    source: "SQLAlchemy 2.1.9 with psycopg2-binary 2.9.13 run, 2026-11-29",
};

/// The query becomes asyncpg's arguments, which have `ssl` and no `sslmode`.
static SQLALCHEMY_ASYNCPG: Dialect = Dialect {
    name: "sqlalchemy+asyncpg",
    aliases: &[],
    title: "SQLAlchemy with asyncpg",
    releases: "2.1",
    forms: &[Form::Url(&url::Rules { schemes: &["postgresql+asyncpg://"], ..SQLALCHEMY_URL })],
    keywords: Keywords {
        known: &[&[
            same(&["host"]),
            same(&["port"]),
            named(&["database"], "dbname"),
            same(&["user"]),
            same(&["password"]),
            same(&["passfile"]),
            tls(&["ssl"]),
            tls(&["ssl.cafile"]),
            tls(&["ssl.cadata"]),
            named(&["timeout"], "connect_timeout"),
            same(&["target_session_attrs"]),
            same(&["krbsrvname"]),
            same(&["gsslib"]),
            same(&["service"]),
            own("command_timeout|statement_cache_size|prepared_statement_cache_size|\
         prepared_statement_name_func|max_cached_statement_lifetime|max_cacheable_statement_size|\
         direct_tls|server_settings|async_fallback|async_creator_fn"),
        ]],
        case: Case::Exact,
        unknown: Unknown::Refused,
        repeated: Repeated::Last,
        ..PLAIN
    },
    hosts: Hosts::Repeated,
    demand: |lookup| match lookup.get("ssl") {
        Some(word) if lookup.is_beside(word) => argument(lookup, word),
        word => asyncpg_mode(word, asyncpg_roots(lookup)),
    },
    spell: spell_sqlalchemy_asyncpg,
    library: Library::OpenSsl,
    surroundings: Surroundings {
        of_tls: &[("PGSSLMODE", "ssl"), ("PGSSLROOTCERT", "sslrootcert")],
        ..ASYNCPG_SURROUNDINGS
    },
    source: "SQLAlchemy 2.1.9 with asyncpg 0.32.0 run, 2026-11-29",
};

/// A URL cannot tell pg8000 anything of TLS.
static SQLALCHEMY_PG8000: Dialect = Dialect {
    name: "sqlalchemy+pg8000",
    aliases: &[],
    title: "SQLAlchemy with pg8000",
    releases: "2.1",
    forms: &[Form::Url(&url::Rules { schemes: &["postgresql+pg8000://"], ..SQLALCHEMY_URL })],
    keywords: Keywords {
        known: &[PG8000_KEYWORDS],
        case: Case::Exact,
        unknown: Unknown::Refused,
        repeated: Repeated::Last,
        ..PLAIN
    },
    hosts: Hosts::Plain,
    demand: |lookup| match lookup.get("ssl_context") {
        Some(word) if lookup.is_beside(word) => pg8000_rules(lookup),
        Some(word) => {
            Decision::invalid(word.at, "ssl_context", "no text: give connect_args={\"ssl_context\": …}")
        }
        None => Decision::by(None, Demand::if_offered(Fallback::NotOffered))
            .because("a URL cannot tell pg8000 to verify: it takes TLS if offered, unverified"),
    },
    spell: |_, _| {
        Err(
            "give connect_args={\"ssl_context\": ssl.create_default_context(cafile=FILE)}: a URL cannot tell pg8000 of TLS",
        )
    },
    library: Library::OpenSsl,
    surroundings: PG8000_SURROUNDINGS,
    source: "SQLAlchemy 2.1.9 with pg8000 1.31.6 run, 2026-11-29",
};

/// Django's dictionary, and the URLs of dj-database-url and django-environ, over psycopg.
static DJANGO: Dialect = Dialect {
    name: "django",
    aliases: &["dj-database-url", "django-environ"],
    title: "Django",
    releases: "5.2, dj-database-url 3.1",
    forms: &[
        Form::Url(&url::Rules {
            schemes: &[
                "postgres://",
                "postgresql://",
                "pgsql://",
                "psql://",
                "postgis://",
                "timescale://",
                "timescalegis://",
            ],
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
            bare: Bare::Dropped,
            query_wins: true,
        }),
        Form::Object(&DICTIONARY),
    ],
    keywords: Keywords {
        known: &[DJANGO_KEYWORDS, LIBPQ_KEYWORDS],
        case: Case::Exact,
        unknown: Unknown::RefusedUnder("OPTIONS"),
        repeated: Repeated::Last,
        ..PLAIN
    },
    hosts: Hosts::Plain,
    demand: django_rules,
    spell: spell_django,
    library: Library::OpenSsl,
    surroundings: Surroundings { database: Absent::Refused, ..LIBPQ_SURROUNDINGS },
    source: "Django 5.2.19 and dj-database-url 3.1.2 run, 2026-11-29",
};

const DJANGO_KEYWORDS: &[Keyword] = &[
    named(&["HOST"], "host"),
    named(&["PORT"], "port"),
    named(&["NAME"], "dbname"),
    named(&["USER"], "user"),
    named(&["PASSWORD"], "password"),
    own("ENGINE|OPTIONS|TEST|ATOMIC_REQUESTS|AUTOCOMMIT|CONN_MAX_AGE|CONN_HEALTH_CHECKS|TIME_ZONE|\
         DISABLE_SERVER_SIDE_CURSORS|isolation_level|server_side_binding|assume_role|pool|\
         conn_max_age|conn_health_checks|currentSchema"),
];

/// libpq's rules over what stands in OPTIONS (DatabaseWrapper.get_connection_params); a word outside is no word.
fn django_rules(lookup: &Lookup<'_>) -> Decision {
    let decision = libpq_rules(lookup);
    let outside = ["sslmode", "SSLMODE", "sslrootcert", "SSLROOTCERT"]
        .into_iter()
        .find_map(|keyword| lookup.ignored(keyword))
        .filter(|_| lookup.is_object() && lookup.get("sslmode").is_none() && decision.word.is_none());
    match outside {
        Some(word) => {
            Decision { word: Some(word.at), ..decision }.because("outside OPTIONS Django ignores it")
        }
        None => decision,
    }
}

fn spell_asyncpg(in_call: bool, trusted: Trusted<'_>) -> Result<Vec<Spelled>, &'static str> {
    match trusted {
        Trusted::File(path) if in_call => Ok(vec![Spelled::new("ssl.cafile", path)]),
        Trusted::System if in_call => Ok(vec![Spelled::new("ssl", "true")]),
        Trusted::Default if in_call => Ok(vec![Spelled::new("ssl", "verify-full")]),
        Trusted::System => Err("give ssl=ssl.create_default_context(): a DSN cannot name the system's roots"),
        Trusted::File(_) | Trusted::Default => {
            Ok(trusted.named(&[("sslmode", "verify-full")], "sslrootcert"))
        }
    }
}

fn spell_pg8000(_: bool, trusted: Trusted<'_>) -> Result<Vec<Spelled>, &'static str> {
    match trusted.file() {
        Some(path) => Ok(vec![Spelled::new("ssl_context.cafile", path)]),
        None => Err("give ssl_context=ssl.create_default_context(), which trusts the system's roots"),
    }
}

fn spell_sqlalchemy_asyncpg(_: bool, trusted: Trusted<'_>) -> Result<Vec<Spelled>, &'static str> {
    match trusted {
        Trusted::Default => Ok(vec![Spelled::new("ssl", "verify-full")]),
        Trusted::File(_) => {
            Err("write ?ssl=verify-full and name the root file in PGSSLROOTCERT: a URL cannot")
        }
        Trusted::System => Err(
            "give connect_args={\"ssl\": ssl.create_default_context()}: a URL cannot name the system's roots",
        ),
    }
}

fn spell_django(in_object: bool, trusted: Trusted<'_>) -> Result<Vec<Spelled>, &'static str> {
    if !in_object {
        return spell_libpq(in_object, trusted);
    }
    let mut settings = trusted.named(&[("OPTIONS.sslmode", "verify-full")], "OPTIONS.sslrootcert");
    settings.extend((trusted == Trusted::System).then(|| Spelled::new("OPTIONS.sslrootcert", "system")));
    Ok(settings)
}
