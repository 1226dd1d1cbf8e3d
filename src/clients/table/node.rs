//! Node: two drivers, what is built on them, and Prisma's own engine.

use super::super::quote::Language;
use super::super::strings::prisma;
use super::{Basis, Behaviour, Client, DefaultTls, Encrypts, Source, SystemRoots, Verifier, WithoutRoot};

pub(super) const CLIENTS: &[Client] =
    &[NODE_POSTGRES, POSTGRES_JS, TYPEORM, SEQUELIZE, KNEX, DRIZZLE, PRISMA];

const NO_TLS: DefaultTls =
    DefaultTls { mode: "no ssl", encrypts: Encrypts::No, verifies: "no; yes as soon as ssl is on" };

const NODE: Behaviour = Behaviour {
    verifier: Verifier::Node,
    without_root: WithoutRoot::Trusts("the list of roots built into Node"),
    system: SystemRoots::Spelled(
        "the list of roots built into Node, not the system's (node --use-openssl-ca takes those)",
    ),
    takes_address: true,
    further: Some(&[]),
};

const URL_NOTE: &str = "give the ssl object or a URL with ssl settings, never both: any sslmode or ssl* in the URL replaces the object";

const NODE_POSTGRES: Client = Client {
    name: "node-postgres",
    aliases: &["pg", "node", "node-pg"],
    title: "node-postgres (pg)",
    place: "an ES module",
    language: Language::JavaScript,
    string: None,
    default: NO_TLS,
    behaviour: NODE,
    notes: &[
        URL_NOTE,
        "in a URL prefer, require and verify-ca all mean verify-full until pg 9; uselibpqcompat=true gives them libpq's meaning",
        "unknown modes in a URL, such as verify-all, act as verify-full; no-verify verifies nothing",
        "an empty or DER file as ca is no error and trusts nothing: \"unable to verify the first certificate\"",
        "channel binding only with enableChannelBinding: true",
    ],
    source: Source {
        what: "brianc/node-postgres ssl.mdx, pg-connection-string 2026-08-14; run",
        date: "2026-11-23",
        basis: Basis::Measured,
    },
};

const POSTGRES_JS: Client = Client {
    name: "postgres.js",
    aliases: &["postgresjs", "postgres-js"],
    title: "postgres.js (postgres)",
    place: "an ES module",
    language: Language::JavaScript,
    string: None,
    default: DefaultTls {
        mode: "no ssl",
        encrypts: Encrypts::No,
        verifies: "no; require, allow and prefer neither",
    },
    behaviour: Behaviour { verifier: Verifier::PostgresJs, ..NODE },
    notes: &[
        "a file in ?sslrootcert= is not read but sent to the server as a start-up parameter; ?sslmode=verify-full alone trusts Node's own list",
        "if host is an address, it compares the certificate with \"localhost\"; checkServerIdentity above corrects that",
        "if the server closes the connection after SSLRequest, it keeps waiting, whatever connect_timeout is",
    ],
    source: Source {
        what: "porsager/postgres src/index.js, src/connection.js 2026-04-05; run",
        date: "2026-11-23",
        basis: Basis::Measured,
    },
};

const PG_RULES: Source = Source { what: "node-postgres' rules", date: "", basis: Basis::General };

const TYPEORM: Client = Client {
    name: "typeorm",
    aliases: &[],
    title: "TypeORM",
    place: "the DataSource's options",
    language: Language::JavaScript,
    string: None,
    default: NO_TLS,
    behaviour: NODE,
    notes: &[URL_NOTE],
    source: PG_RULES,
};

const SEQUELIZE: Client = Client {
    name: "sequelize",
    aliases: &[],
    title: "Sequelize",
    place: "the options of new Sequelize",
    language: Language::JavaScript,
    string: None,
    default: NO_TLS,
    behaviour: NODE,
    notes: &[URL_NOTE],
    source: PG_RULES,
};

const KNEX: Client = Client {
    name: "knex",
    aliases: &["knex.js"],
    title: "Knex",
    place: "knexfile.mjs",
    language: Language::JavaScript,
    string: None,
    default: NO_TLS,
    behaviour: NODE,
    notes: &[URL_NOTE],
    source: PG_RULES,
};

const DRIZZLE: Client = Client {
    name: "drizzle",
    aliases: &["drizzle-orm"],
    title: "Drizzle with node-postgres",
    place: "an ES module",
    language: Language::JavaScript,
    string: None,
    default: NO_TLS,
    behaviour: NODE,
    notes: &["over postgres.js that driver's rules hold: `--for postgres.js`", URL_NOTE],
    source: PG_RULES,
};

const PRISMA: Client = Client {
    name: "prisma",
    aliases: &[],
    title: "Prisma, built-in engine",
    place: ".env",
    language: Language::Plain,
    string: Some(prisma),
    default: DefaultTls {
        mode: "prefer, sslaccept=accept_invalid_certs",
        encrypts: Encrypts::IfOffered,
        verifies: "no, not even with sslmode=require",
    },
    behaviour: Behaviour {
        verifier: Verifier::Other,
        without_root: WithoutRoot::Trusts("the system's roots (unverified)"),
        system: SystemRoots::Spelled("the system's roots (unverified)"),
        takes_address: false,
        further: Some(&[]),
    },
    notes: &[
        "sslcert is the root file here, and sslidentity the client's certificate",
        "there is no verify-full: require with sslaccept=strict is it; relative paths start at the prisma folder",
        "with a driver adapter (@prisma/adapter-pg) node-postgres' rules hold: `--for node-postgres`",
    ],
    source: Source { what: "prisma/docs 300-postgresql.mdx", date: "", basis: Basis::Read },
};
