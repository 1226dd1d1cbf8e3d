//! libpq and what passes its string on to libpq: psql, psycopg, PHP, Perl, Ruby, Diesel.

use super::{
    Bare, Case, Dialect, FaultKind, Form, Hosts, Keyword, Keywords, LENIENT, LIBPQ_KEYWORDS,
    LIBPQ_SURROUNDINGS, Library, Login, Lookup, PLAIN, PYTHON, Path, Prefix, RUBY, Repeated, Surroundings,
    Syntax, Unknown, libpq_rules, named, own, pairs, spell_libpq, tls, url,
};
use crate::clients::dialect::Decision;

pub(super) const DIALECTS: &[&Dialect] = &[&LIBPQ, &PSYCOPG, &PDO, &DBI, &RUBY_PG, &RAILS, &DIESEL];

const KEYWORDS: Keywords = Keywords {
    known: &[LIBPQ_KEYWORDS],
    case: Case::Exact,
    unknown: Unknown::Refused,
    repeated: Repeated::Last,
    ..PLAIN
};

/// libpq itself. Its strings are read by [`conninfo`](crate::conninfo); this row is for settings that come from what
/// stood round a string.
pub(super) static LIBPQ: Dialect = Dialect {
    name: "libpq",
    aliases: &["psql", "pg_dump", "php-pgsql", "pg_connect"],
    title: "libpq",
    releases: "15 to 18",
    forms: &[Form::Libpq, Form::Object(&PYTHON)],
    keywords: KEYWORDS,
    hosts: Hosts::Plain,
    demand: libpq_rules,
    spell: spell_libpq,
    library: Library::OpenSsl,
    surroundings: LIBPQ_SURROUNDINGS,
    source: "psql 15 and libpq 18 run, 2026-11-29",
};

/// psycopg 2 takes `database` for `dbname` among its arguments.
static PSYCOPG: Dialect = Dialect {
    name: "psycopg",
    aliases: &["psycopg2", "psycopg3", "psycopg2-binary"],
    title: "psycopg",
    releases: "3.3 and 2.9",
    keywords: Keywords { known: &[LIBPQ_KEYWORDS, PSYCOPG_KEYWORDS], ..KEYWORDS },
    source: "psycopg 3.3.9 and psycopg2-binary 2.9.13 run, 2026-11-29",
    ..copy_of_libpq()
};

const PSYCOPG_KEYWORDS: &[Keyword] = &[
    named(&["database"], "dbname"),
    own("dsn|connection_factory|cursor_factory|async|async_|autocommit|row_factory|\
         prepare_threshold|context"),
];

const fn copy_of_libpq() -> Dialect {
    Dialect {
        name: "",
        aliases: &[],
        title: "",
        releases: "",
        forms: &[Form::Libpq, Form::Object(&PYTHON)],
        keywords: KEYWORDS,
        hosts: Hosts::Plain,
        demand: libpq_rules,
        spell: spell_libpq,
        library: Library::OpenSsl,
        surroundings: LIBPQ_SURROUNDINGS,
        source: "",
    }
}

/// PHP's PDO makes a blank of every semicolon, in quotes too; libpq reads the rest.
static PDO: Dialect = Dialect {
    name: "pdo",
    aliases: &["php", "pdo_pgsql", "pdo-pgsql"],
    title: "PHP PDO",
    releases: "8.2",
    forms: &[Form::Pairs(&pairs::Rules {
        prefix: Prefix::Pdo,
        syntax: Syntax::SemicolonsToo { in_quotes: true },
    })],
    source: "PHP 8.2 run, 2026-11-29",
    ..copy_of_libpq()
};

/// DBD::Pg knows two more names for `dbname`.
static DBI: Dialect = Dialect {
    name: "dbi",
    aliases: &["dbd-pg", "perl", "dbd::pg"],
    title: "Perl DBD::Pg",
    releases: "3.16",
    forms: &[Form::Pairs(&pairs::Rules {
        prefix: Prefix::Dbi,
        syntax: Syntax::SemicolonsToo { in_quotes: false },
    })],
    keywords: Keywords { known: &[LIBPQ_KEYWORDS, &[named(&["db", "database"], "dbname")]], ..KEYWORDS },
    source: "DBD::Pg 3.16 run, 2026-11-29",
    ..copy_of_libpq()
};

/// The pg gem makes every default of libpq's a setting of the string (PG::Connection.conndefaults_hash): what a service of
/// the string says of TLS no longer counts, what one of PGSERVICE says is among them.
const RUBY_SURROUNDINGS: Surroundings = Surroundings { service_of_string: false, ..LIBPQ_SURROUNDINGS };

/// The pg gem passes hashes and strings on.
static RUBY_PG: Dialect = Dialect {
    name: "ruby-pg",
    aliases: &["ruby", "pg-gem"],
    title: "Ruby pg",
    releases: "1.4",
    forms: &[Form::Libpq, Form::Object(&RUBY)],
    surroundings: RUBY_SURROUNDINGS,
    keywords: Keywords { misnamed: &[("database", "dbname")], ..KEYWORDS },
    source: "pg 1.4.5 run, 2026-11-29; the Azure portal's own snippet has `database`, which libpq does not know",
    ..copy_of_libpq()
};

/// Rails' URL by Ruby's URI; of the query only the user is read, and what libpq does not know is dropped.
static RAILS: Dialect = Dialect {
    name: "rails",
    aliases: &["activerecord", "ruby-on-rails"],
    title: "Ruby on Rails",
    releases: "6.1",
    forms: &[
        Form::Url(&url::Rules {
            schemes: &["postgresql://", "postgres://", "postgis://"],
            exact_scheme: false,
            login: Login::ToLast,
            authority_ends: b"/?#",
            fragment: true,
            several_hosts: false,
            user: LENIENT,
            host: LENIENT,
            path: LENIENT,
            query: super::FORM,
            path_form: Path::Database,
            bare: Bare::Empty,
            query_wins: false,
        }),
        Form::Object(&RUBY),
    ],
    keywords: Keywords {
        known: &[RAILS_KEYWORDS, LIBPQ_KEYWORDS],
        case: Case::Exact,
        unknown: Unknown::Ignored,
        repeated: Repeated::Last,
        ..PLAIN
    },
    hosts: Hosts::Plain,
    surroundings: RUBY_SURROUNDINGS,
    demand: rails_rules,
    source: "ActiveRecord 6.1.7 run, 2026-11-29",
    ..copy_of_libpq()
};

const RAILS_KEYWORDS: &[Keyword] = &[
    named(&["username"], "user"),
    named(&["database"], "dbname"),
    tls(&["variables.sslmode"]),
    own("adapter|pool|encoding|schema_search_path|prepared_statements|advisory_locks|min_messages|\
         insert_returning|checkout_timeout|idle_timeout|reaping_frequency|statement_limit|\
         migrations_paths|replica|reconnect|timeout|url|variables|primary|schema_dump|\
         database_tasks|max_connections|min_connections"),
];

/// libpq's; `sslmode` among the session's variables is an error of the server.
fn rails_rules(lookup: &Lookup<'_>) -> Decision {
    match lookup.get("variables.sslmode") {
        Some(word) => Decision::refused(
            Some(word.at),
            FaultKind::InvalidValue(
                "variables".into(),
                "settings of the session: sslmode belongs beside them".into(),
            ),
        ),
        None => libpq_rules(lookup),
    }
}

/// Diesel's PgConnection is libpq.
static DIESEL: Dialect = Dialect {
    name: "diesel",
    aliases: &[],
    title: "Diesel",
    releases: "2",
    forms: &[Form::Libpq],
    source: "diesel's PgConnection passes its string to libpq (read)",
    ..copy_of_libpq()
};
