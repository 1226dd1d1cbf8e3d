//! Java: pgjdbc, what configures it, and R2DBC.

use super::super::quote::Language;
use super::super::strings::{jdbc, r2dbc};
use super::{
    Basis, Behaviour, Client, DefaultTls, Encrypts, PREFER, Source, SystemRoots, Verifier, WithoutRoot,
};

pub(super) const CLIENTS: &[Client] = &[JDBC, SPRING_BOOT, HIKARI, R2DBC];

const PGJDBC: Behaviour = Behaviour {
    verifier: Verifier::Java,
    without_root: WithoutRoot::DefaultFile,
    system: SystemRoots::Spelled("Java's cacerts, not the system's roots"),
    takes_address: false,
    further: Some(&["sslnegotiation", "channel_binding", "connect_timeout"]),
};

const ROOT_NOTE: &str =
    "no sslrootcert means ~/.postgresql/root.crt, not Java's cacerts; those only with DefaultJavaSSLFactory";
const KEY_NOTE: &str = "a PKCS #12 key needs the alias \"user\"; then sslcert is ignored. PEM keys are taken by newer versions only";

const JDBC: Client = Client {
    name: "jdbc",
    aliases: &["pgjdbc", "java", "postgresql-jdbc"],
    title: "JDBC (pgjdbc)",
    place: "Java",
    language: Language::Java,
    string: Some(jdbc),
    default: PREFER,
    behaviour: PGJDBC,
    notes: &[
        ROOT_NOTE,
        KEY_NOTE,
        "ssl=true means verify-full",
        "the answer to SSLRequest is awaited for sslResponseTimeout, 5 s, at most",
    ],
    source: Source {
        what: "pgjdbc/pgjdbc ssl.md, use.md 2026-07-16; pgjdbc 42.5 run",
        date: "2026-11-23",
        basis: Basis::Measured,
    },
};

const SPRING_BOOT: Client = Client {
    name: "spring-boot",
    aliases: &["spring", "spring boot"],
    title: "Spring Boot",
    place: "application.yaml",
    language: Language::Yaml,
    string: Some(jdbc),
    default: PREFER,
    behaviour: PGJDBC,
    notes: &[ROOT_NOTE, KEY_NOTE],
    source: Source { what: "pgjdbc's rules", date: "", basis: Basis::General },
};

const HIKARI: Client = Client {
    name: "hikari",
    aliases: &["hikaricp"],
    title: "HikariCP",
    place: "Java",
    language: Language::Java,
    string: Some(jdbc),
    default: PREFER,
    behaviour: PGJDBC,
    notes: &["the same can be set by dataSourceProperties: sslmode, sslrootcert", ROOT_NOTE, KEY_NOTE],
    source: Source { what: "pgjdbc's rules", date: "", basis: Basis::General },
};

const R2DBC: Client = Client {
    name: "r2dbc",
    aliases: &["r2dbc-postgresql"],
    title: "R2DBC",
    place: "application.yaml of Spring Boot, or ConnectionFactories.get",
    language: Language::Yaml,
    string: Some(r2dbc),
    default: DefaultTls { mode: "DISABLE", encrypts: Encrypts::No, verifies: "no" },
    behaviour: Behaviour {
        verifier: Verifier::Other,
        without_root: WithoutRoot::Trusts("the JDK's trust store (unverified)"),
        system: SystemRoots::Spelled("the JDK's trust store, not the system's roots (unverified)"),
        takes_address: false,
        further: Some(&["sslnegotiation"]),
    },
    notes: &["ssl=true means VERIFY_FULL", "the root may also be a resource of the class path"],
    source: Source {
        what: "pgjdbc/r2dbc-postgresql README, PostgresqlConnectionConfiguration.java",
        date: "2026-06-22",
        basis: Basis::Read,
    },
};
