//! Python: drivers over libpq, drivers over the `ssl` module, and what is built on them.

use super::super::quote::Language;
use super::super::strings::airflow;
use super::{
    AS_LIBPQ, Basis, Behaviour, Client, DefaultTls, Encrypts, PREFER, Source, SystemRoots, Verifier,
    WithoutRoot,
};

pub(super) const CLIENTS: &[Client] = &[PSYCOPG, PSYCOPG2, ASYNCPG, PG8000, SQLALCHEMY, DJANGO, AIRFLOW, DBT];

/// Wheels have a libpq of their own.
const WHEEL: Behaviour =
    Behaviour { verifier: Verifier::BundledLibpq, system: SystemRoots::Libpq16, ..AS_LIBPQ };

const WHEEL_NOTE: &str = "wheels bring their own libpq and OpenSSL, not the system's";

const PSYCOPG: Client = Client {
    name: "psycopg",
    aliases: &["psycopg3"],
    title: "psycopg 3",
    place: "Python",
    language: Language::Python,
    string: None,
    default: PREFER,
    behaviour: WHEEL,
    notes: &[WHEEL_NOTE, "messages show the resolved address instead of the host name"],
    source: Source {
        what: "psycopg/psycopg 2026-07-20, issue 928; run",
        date: "2026-11-23",
        basis: Basis::Measured,
    },
};

const PSYCOPG2: Client = Client {
    name: "psycopg2",
    aliases: &["psycopg2-binary"],
    title: "psycopg 2",
    place: "Python",
    language: Language::Python,
    string: None,
    default: PREFER,
    behaviour: WHEEL,
    notes: &[WHEEL_NOTE],
    source: Source { what: "psycopg/psycopg; options go to libpq", date: "2026-07-20", basis: Basis::Read },
};

const ASYNCPG: Client = Client {
    name: "asyncpg",
    aliases: &[],
    title: "asyncpg",
    place: "Python, in a coroutine",
    language: Language::Python,
    string: None,
    default: PREFER,
    behaviour: Behaviour {
        verifier: Verifier::Python,
        without_root: WithoutRoot::Trusts(
            "the system's roots (a DSN with sslmode=verify-full instead wants ~/.postgresql/root.crt)",
        ),
        system: SystemRoots::Spelled(
            "OpenSSL's roots as Python finds them; sslrootcert=system in a DSN is taken for a file name",
        ),
        takes_address: false,
        further: Some(&[]),
    },
    notes: &[
        "a DSN works too: ?sslmode=verify-full&sslrootcert=FILE&sslcert=FILE&sslkey=FILE",
        "ssl=True verifies against the system's roots",
    ],
    source: Source {
        what: "MagicStack/asyncpg connect_utils.py 2026-02-27; run on Python 3.11",
        date: "2026-11-23",
        basis: Basis::Measured,
    },
};

const PG8000: Client = Client {
    name: "pg8000",
    aliases: &[],
    title: "pg8000",
    place: "Python",
    language: Language::Python,
    string: None,
    default: DefaultTls {
        mode: "TLS is tried, by general knowledge",
        encrypts: Encrypts::IfOffered,
        verifies: "no",
    },
    behaviour: Behaviour {
        verifier: Verifier::Python,
        without_root: WithoutRoot::Trusts("the system's roots"),
        system: SystemRoots::Spelled("OpenSSL's roots as Python finds them"),
        takes_address: false,
        further: Some(&[]),
    },
    notes: &["it knows no sslmode", "any answer but S to SSLRequest gives the error \"Server refuses SSL\""],
    source: Source { what: "run", date: "2026-11-23", basis: Basis::Measured },
};

const SQLALCHEMY: Client = Client {
    name: "sqlalchemy",
    aliases: &[],
    title: "SQLAlchemy with psycopg",
    place: "Python",
    language: Language::Python,
    string: None,
    default: PREFER,
    behaviour: WHEEL,
    notes: &[
        "the driver decides: with asyncpg give connect_args={\"ssl\": context} and see `--for asyncpg`; its URL refuses sslmode (unverified)",
        WHEEL_NOTE,
    ],
    source: Source { what: "psycopg2 issue 1543; psycopg run", date: "2026-11-23", basis: Basis::Measured },
};

const DJANGO: Client = Client {
    name: "django",
    aliases: &[],
    title: "Django",
    place: "settings.py",
    language: Language::Python,
    string: None,
    default: PREFER,
    behaviour: WHEEL,
    notes: &[WHEEL_NOTE],
    source: Source {
        what: "cal-itp/benefits issue 3599 (on Azure); psycopg's rules",
        date: "",
        basis: Basis::General,
    },
};

const AIRFLOW: Client = Client {
    name: "airflow",
    aliases: &[],
    title: "Apache Airflow",
    place: "the environment of scheduler and workers",
    language: Language::Shell,
    string: Some(airflow),
    default: PREFER,
    behaviour: WHEEL,
    notes: &["the metadata database is given by a SQLAlchemy URL: `--for sqlalchemy`", WHEEL_NOTE],
    source: Source { what: "psycopg 2's rules", date: "", basis: Basis::General },
};

const DBT: Client = Client {
    name: "dbt",
    aliases: &["dbt-postgres"],
    title: "dbt with dbt-postgres",
    place: "profiles.yml",
    language: Language::Yaml,
    string: None,
    default: PREFER,
    behaviour: Behaviour { takes_address: false, further: Some(&[]), ..WHEEL },
    notes: &[WHEEL_NOTE],
    source: Source {
        what: "dbt-labs/dbt-adapters dbt-postgres connections.py",
        date: "2026-08-21",
        basis: Basis::Read,
    },
};
