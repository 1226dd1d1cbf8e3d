//! Go.

use super::super::quote::Language;
use super::super::strings::go;
use super::{
    Basis, Behaviour, Client, DefaultTls, Encrypts, PREFER, Source, SystemRoots, Verifier, WithoutRoot,
};

pub(super) const CLIENTS: &[Client] = &[PGX, GORM, LIB_PQ];

const PGX_RULES: Behaviour = Behaviour {
    verifier: Verifier::Go,
    without_root: WithoutRoot::Trusts("the system's roots"),
    system: SystemRoots::Knows,
    takes_address: false,
    further: Some(&["sslsni", "connect_timeout"]),
};

const PGX: Client = Client {
    name: "pgx",
    aliases: &["go", "golang"],
    title: "Go pgx",
    place: "Go, importing github.com/jackc/pgx/v5",
    language: Language::Go,
    string: Some(go),
    default: PREFER,
    behaviour: PGX_RULES,
    notes: &["prefer falls back to plaintext on some failures", "sslrootcert=system forces verify-full"],
    source: Source {
        what: "jackc/pgx pgconn/config.go 2026-08-22; pgx 4.15 run",
        date: "2026-11-23",
        basis: Basis::Measured,
    },
};

const GORM: Client = Client {
    name: "gorm",
    aliases: &[],
    title: "GORM",
    place: "Go, importing gorm.io/gorm and gorm.io/driver/postgres",
    language: Language::Go,
    string: Some(go),
    default: PREFER,
    behaviour: PGX_RULES,
    notes: &["its driver is pgx"],
    source: Source { what: "jackc/pgx pgconn/config.go", date: "2026-08-22", basis: Basis::Read },
};

const LIB_PQ: Client = Client {
    name: "lib-pq",
    aliases: &["lib/pq", "go-pq"],
    title: "Go lib/pq",
    place: "Go, importing database/sql and _ \"github.com/lib/pq\"",
    language: Language::Go,
    string: Some(go),
    default: DefaultTls {
        mode: "require (prefer from the release after 1.12)",
        encrypts: Encrypts::Always,
        verifies: "no",
    },
    behaviour: Behaviour {
        without_root: WithoutRoot::Trusts(
            "~/.postgresql/root.crt if it is there (1.12 and later), else the system's roots",
        ),
        system: SystemRoots::Spelled("the system's roots; sslrootcert=system itself from 1.12 on"),
        ..PGX_RULES
    },
    notes: &[
        "any answer but S to SSLRequest gives the error \"SSL is not enabled on the server\"",
        "from 1.10.7 on SNI made verify-ca compare names, until that was fixed",
    ],
    source: Source {
        what: "lib/pq ssl.go, CHANGELOG 2026-04-03, issue 1094; lib/pq 1.10.7 run",
        date: "2026-11-23",
        basis: Basis::Measured,
    },
};
