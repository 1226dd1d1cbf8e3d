//! What each driver demands: the tables of what was measured, row by row.

use super::{read_as, reading};
use crate::clients::dialect::{Chain, Demand, Encryption, Fallback, Root, Target};

/// A demand in the notation of the tables: encryption, chain, name, roots.
fn short(demand: &Demand) -> String {
    let encryption = match demand.encryption {
        Encryption::Never => return "no".to_owned(),
        Encryption::AfterRefusal => "late",
        Encryption::IfOffered(Fallback::NotOffered) => "try",
        Encryption::IfOffered(Fallback::SessionRefused) => "try+",
        Encryption::IfOffered(Fallback::AnyFailure) => "try++",
        Encryption::Always => "yes",
    };
    let chain = match demand.chain {
        Chain::No => "no",
        Chain::IfRoots => "roots",
        Chain::Yes => "yes",
    };
    let name = if demand.name { "yes" } else { "no" };
    let roots: Vec<&str> = demand
        .roots
        .iter()
        .map(|root| match root {
            Root::Named(_) => "FILE",
            Root::Pinned(_) => "PIN",
            Root::Inline(_) => "PEM",
            Root::Home => "home",
            Root::System => "OS",
            Root::Node => "Node",
            Root::AddedToNode(_) => "FILE+Node",
            Root::Java => "cacerts",
            Root::AddedToSystem(_) => "FILE+OS",
            Root::Program => "?",
        })
        .collect();
    format!("{encryption} {chain} {name} {}", roots.join(",")).trim_end().to_owned()
}

/// Dialect, what stands behind the host and database, demand; `refused` where the driver refuses.
const URLS: &[(&str, &str, &str)] = &[
    ("psycopg", "", "try++ roots no home"),
    ("psycopg", "?sslmode=allow", "late roots no home"),
    ("psycopg", "?sslmode=require", "yes roots no home"),
    ("psycopg", "?sslmode=require&sslrootcert=F", "yes roots no FILE"),
    ("psycopg", "?sslmode=verify-ca", "yes yes no home"),
    ("psycopg", "?sslmode=verify-full&sslrootcert=F", "yes yes yes FILE"),
    ("psycopg", "?sslrootcert=system", "yes yes yes OS"),
    ("psycopg", "?sslrootcert=system&sslmode=require", "refused"),
    ("psycopg", "?sslmode=REQUIRE", "refused"),
    ("psycopg", "?ssl=true", "yes roots no home"),
    ("jdbc", "", "try+ no no"),
    ("jdbc", "?sslrootcert=F", "try+ no no"),
    ("jdbc", "?ssl=yes", "try+ no no"),
    ("jdbc", "?sslMode=verify-full", "try+ no no"),
    ("jdbc", "?SSLMODE=require", "try+ no no"),
    ("jdbc", "?sslmode=disable&ssl=true", "no"),
    ("jdbc", "?sslmode=allow", "late no no"),
    ("jdbc", "?sslmode=require&sslrootcert=F", "yes no no"),
    ("jdbc", "?sslmode=verify-ca", "yes yes no home"),
    ("jdbc", "?sslmode=VERIFY-FULL&sslrootcert=F", "yes yes yes FILE"),
    ("jdbc", "?ssl", "yes yes yes home"),
    ("jdbc", "?ssl=TRUE", "yes yes yes home"),
    ("jdbc", "?sslmode=verify_full", "refused"),
    ("jdbc", "?sslmode=", "refused"),
    ("jdbc", "?sslmode=require&sslfactory=org.postgresql.ssl.DefaultJavaSSLFactory", "yes yes no cacerts"),
    ("jdbc", "?sslfactory=org.postgresql.ssl.DefaultJavaSSLFactory", "try+ yes no cacerts"),
    (
        "jdbc",
        "?ssl=true&sslfactory=org.postgresql.ssl.DefaultJavaSSLFactory&sslrootcert=F",
        "yes yes yes cacerts",
    ),
    ("jdbc", "?ssl=true&sslfactory=org.postgresql.ssl.NonValidatingFactory", "yes no yes"),
    (
        "jdbc",
        "?sslmode=require&sslfactory=org.postgresql.ssl.SingleCertValidatingFactory&sslfactoryarg=file:F",
        "yes yes no PIN",
    ),
    ("jdbc", "?sslmode=verify-full&sslhostnameverifier=X", "yes yes no home"),
    ("jdbc", "?sslfactory=my.Factory", "refused"),
    ("asyncpg", "", "try+ no no"),
    ("asyncpg", "?sslmode=require", "yes roots no home"),
    ("asyncpg", "?sslmode=verify_full&sslrootcert=F", "yes yes yes FILE"),
    ("asyncpg", "?sslmode=verify-ca", "yes yes no home"),
    ("asyncpg", "?sslmode=Require", "refused"),
    ("sqlalchemy+asyncpg", "?ssl=verify-full", "yes yes yes home"),
    ("sqlalchemy+asyncpg", "?ssl=true", "refused"),
    ("sqlalchemy+asyncpg", "?sslmode=require", "refused"),
    ("sqlalchemy+pg8000", "", "try no no"),
    ("sqlalchemy+pg8000", "?ssl_context=true", "refused"),
    ("django", "?sslmode=require", "yes roots no home"),
    ("django", "?ssl=true", "refused"),
    ("node-postgres", "", "no"),
    ("node-postgres", "?ssl", "no"),
    ("node-postgres", "?ssl=0", "no"),
    ("node-postgres", "?ssl=true&sslmode=disable", "no"),
    ("node-postgres", "?sslmode=disable&sslrootcert=F", "no"),
    ("node-postgres", "?ssl=1", "yes yes yes Node"),
    ("node-postgres", "?sslmode=prefer", "yes yes yes Node"),
    ("node-postgres", "?sslmode=allow", "yes yes yes Node"),
    ("node-postgres", "?sslmode=verify-all", "yes yes yes Node"),
    ("node-postgres", "?sslmode=require&sslrootcert=F", "yes yes yes FILE"),
    ("node-postgres", "?sslrootcert=F", "yes yes yes FILE"),
    ("node-postgres", "?sslmode=no-verify&sslrootcert=F", "yes no no"),
    ("node-postgres", "?ssl=no-verify", "yes no no"),
    ("node-postgres", "?ssl=false", "refused"),
    ("node-postgres", "?uselibpqcompat=true", "no"),
    ("node-postgres", "?uselibpqcompat=true&sslmode=prefer", "yes no no"),
    ("node-postgres", "?uselibpqcompat=true&sslmode=require", "yes no no"),
    ("node-postgres", "?uselibpqcompat=true&sslmode=require&sslrootcert=F", "yes yes no FILE"),
    ("node-postgres", "?uselibpqcompat=true&sslmode=verify-ca", "refused"),
    ("node-postgres", "?uselibpqcompat=true&sslmode=no-verify", "yes yes yes Node"),
    ("postgres.js", "", "no"),
    ("postgres.js", "?sslmode=prefer", "try no no"),
    ("postgres.js", "?sslmode=require", "yes no no"),
    ("postgres.js", "?sslmode=allow", "yes no no"),
    ("postgres.js", "?ssl=disable&sslmode=no-verify", "yes yes yes Node"),
    ("postgres.js", "?ssl=true", "yes yes yes Node"),
    ("postgres.js", "?sslmode=verify-full&sslrootcert=F", "refused"),
    ("prisma", "", "try no no"),
    ("prisma", "?sslmode=verify-full", "try no no"),
    ("prisma", "?sslmode=require", "yes no no"),
    ("prisma", "?sslmode=require&sslaccept=strict", "yes yes yes OS"),
    ("prisma", "?sslmode=require&sslaccept=strict&sslcert=F", "yes yes yes FILE+OS"),
    ("prisma", "?sslaccept=strict", "try yes yes OS"),
    ("prisma", "?sslmode=require&sslaccept=accept_invalid_certs", "yes no no"),
    ("prisma-7", "?sslmode=require&sslaccept=strict&sslcert=F", "yes yes yes Node"),
    ("prisma-7", "", "no"),
    ("r2dbc", "", "no"),
    ("r2dbc", "?ssl=true", "yes yes yes cacerts"),
    ("r2dbc", "?ssl=true&sslMode=require", "yes no no"),
    ("r2dbc", "?sslmode=verify-ca&sslRootCert=F", "yes yes no FILE"),
    ("ecto", "", "no"),
    ("ecto", "?sslmode=verify-full&sslrootcert=F", "no"),
    ("ecto", "?ssl=true", "yes yes yes OS"),
    ("ecto-0.20", "?ssl=true", "yes no no"),
    ("pgx", "", "try+ no no"),
    ("pgx", "?sslmode=allow", "late no no"),
    ("pgx", "?sslmode=require", "yes roots no"),
    ("pgx", "?sslmode=require&sslrootcert=F", "yes roots no FILE"),
    ("pgx", "?sslmode=verify-full", "yes yes yes OS"),
    ("pgx", "?sslmode=disable&sslrootcert=system", "yes yes yes OS"),
    ("pgx", "?sslmode=disable&sslmode=verify-full", "no"),
    ("pgx", "?ssl=true", "refused"),
    ("pgx-4", "?sslmode=allow", "no"),
    ("pgx-4", "", "try no no"),
    ("lib-pq", "", "yes roots no home"),
    ("lib-pq", "?sslmode=prefer&sslrootcert=F", "try++ roots no FILE"),
    ("lib-pq", "?sslmode=verify-full", "yes yes yes home,OS"),
    ("lib-pq", "?sslmode=require&sslrootcert=system", "refused"),
    ("lib-pq-1.10", "", "yes no no"),
    ("lib-pq-1.10", "?sslmode=require&sslrootcert=F", "yes yes yes FILE"),
    ("lib-pq-1.10", "?sslmode=verify-ca", "yes yes yes OS"),
    ("lib-pq-1.10", "?sslmode=prefer", "refused"),
    ("sqlx", "", "try no no"),
    ("sqlx", "?sslmode=allow", "no"),
    ("sqlx", "?sslMode=verify-full", "try no no"),
    ("sqlx", "?sslmode=require&sslrootcert=F", "yes no no"),
    ("sqlx", "?ssl-mode=Verify-CA&ssl-ca=F", "yes yes no FILE+OS"),
    ("tokio-postgres", "", "try yes yes OS"),
    ("tokio-postgres", "?sslmode=require", "yes yes yes OS"),
    ("tokio-postgres", "?sslmode=verify-full", "refused"),
    ("rails", "?ssl=true", "try++ roots no home"),
    ("rails", "?sslmode=verify-full", "yes yes yes home"),
];

/// What a dialect's URLs begin with, up to the query.
fn url(dialect: &str) -> &str {
    match dialect {
        "jdbc" => "jdbc:postgresql://h/d",
        "r2dbc" => "r2dbc:postgresql://u@h/d",
        "sqlalchemy+asyncpg" => "postgresql+asyncpg://u@h/d",
        "sqlalchemy+pg8000" => "postgresql+pg8000://u@h/d",
        _ => "postgresql://u@h/d",
    }
}

fn demanded(text: &str, dialect: Option<&str>) -> String {
    match read_as(text, dialect) {
        Target::Driver(reading) => short(&reading.decision.demand),
        Target::Refused(_) => "refused".to_owned(),
        Target::Libpq(_) => "libpq".to_owned(),
    }
}

#[test]
fn urls_demand_what_was_measured() {
    for (dialect, query, demand) in URLS {
        let text = format!("{}{query}", url(dialect));
        assert_eq!(demanded(&text, Some(dialect)), *demand, "{dialect} {query}");
    }
}

/// Texts whose form tells the dialect, or which are read as this one.
const TEXTS: &[(Option<&str>, &str, &str)] = &[
    (None, "Host=h;Username=u", "try+ no no"),
    (None, "Host=h;SSL Mode=Require;Root Certificate=F", "yes no no"),
    (None, "Host=h;SslMode=verifyfull", "yes yes yes home,OS"),
    (None, "Host=h;SSL Mode=VerifyCA;Root Certificate=F;Trust Server Certificate=true", "yes yes no FILE"),
    (None, "Host=h;SSL Mode=Verify Full", "refused"),
    (Some("npgsql-6"), "Host=h;SSL Mode=Require", "refused"),
    (Some("npgsql-6"), "Host=h;SSL Mode=Require;Trust Server Certificate=true", "yes no no"),
    (Some("npgsql-6"), "Host=h;SSL Mode=VerifyFull;Trust Server Certificate=true", "refused"),
    (Some("npgsql-5"), "Host=h", "no"),
    (Some("npgsql-5"), "Host=h;SSL Mode=Prefer", "try yes yes OS"),
    (Some("npgsql-5"), "Host=h;SSL Mode=Require;Root Certificate=F", "yes yes no OS"),
    (Some("npgsql-5"), "Host=h;SSL Mode=Require;Trust Server Certificate=true", "yes no no"),
    (None, "Driver={PostgreSQL Unicode};Server=h", "no"),
    (None, "Driver={PostgreSQL Unicode};Server=h;SSLmode=REQUIRE", "no"),
    (None, "Driver={PostgreSQL Unicode};Server=h;SSLmode = require", "no"),
    (None, "Driver={PostgreSQL Unicode};Server=h;Ssl Mode=VerifyFull", "no"),
    (None, "Driver={PostgreSQL Unicode};Server=h;sslmode=required", "yes roots no home"),
    (None, "Driver={PostgreSQL Unicode};Server=h;CA=vf;pqopt=sslrootcert=F", "yes yes yes FILE"),
    (None, "Driver={PostgreSQL Unicode};Server=h;SSLmode=verify_full", "refused"),
    (None, "Driver={PostgreSQL Unicode};Server=h;pqopt={sslmode=require}", "refused"),
    (None, "pgsql:host=h;sslmode=require", "yes roots no home"),
    (None, "dbi:Pg:host=h", "try++ roots no home"),
    (None, "new Client({host: 'h', ssl: true})", "yes yes yes Node"),
    (None, "new Client({host: 'h', ssl: {}})", "yes yes yes Node"),
    (None, "new Client({host: 'h', ssl: false})", "no"),
    (None, "new Client({host: 'h', user: 'u', sslmode: 'verify-full'})", "no"),
    (None, "new Client({host: 'h', ssl: 'no-verify'})", "yes no no"),
    (
        None,
        "{'ENGINE': 'django.db.backends.postgresql', 'HOST': 'h', 'NAME': 'd', 'sslmode': 'disable'}",
        "try++ roots no home",
    ),
    (
        None,
        "{'ENGINE': 'django.db.backends.postgresql', 'HOST': 'h', 'NAME': 'd', 'OPTIONS': {'HOST': 'h'}}",
        "refused",
    ),
    (None, "new Client({host: 'h', ssl: 'require'})", "refused"),
    (
        None,
        "new Client({host: 'h', ssl: {ca: fs.readFileSync('F'), rejectUnauthorized: false}})",
        "yes no no",
    ),
    (None, "new Client({host: 'h', ssl: {ca: fs.readFileSync('F')}})", "yes yes yes FILE"),
    (None, "new Client({host: 'h', ssl: {ca: [fs.readFileSync('F')]}})", "yes yes yes FILE"),
    (None, "new Client({host: 'h', ssl: {ca: process.env.CA}})", "yes yes yes ?"),
    (
        None,
        "new Client({host: 'h', ssl: {ca: fs.readFileSync('F'), checkServerIdentity: () => undefined}})",
        "yes yes no FILE",
    ),
    (
        None,
        "new Pool({connectionString: 'postgres://h/d?sslmode=disable', ssl: {ca: fs.readFileSync('F')}})",
        "no",
    ),
    (
        None,
        "new Pool({connectionString: 'postgres://h/d?sslmode=require', ssl: {rejectUnauthorized: false}})",
        "yes yes yes Node",
    ),
    (None, "new Pool({connectionString: 'postgres://h/d', ssl: {rejectUnauthorized: false}})", "yes no no"),
    (None, "new Pool({connectionString: 'postgres://h/d', ssl: true})", "yes yes yes Node"),
    (None, "new Sequelize('postgres://h/d', {dialect: 'postgres', ssl: true})", "no"),
    (
        None,
        "new Sequelize('postgres://h/d', {dialect: 'postgres', dialectOptions: {ssl: true}})",
        "yes yes yes Node",
    ),
    (
        None,
        "new Sequelize('postgres://h/d', {dialectOptions: {ssl: {require: true, rejectUnauthorized: false}}})",
        "yes no no",
    ),
    (None, "postgres('postgres://h/d', {ssl: 'require'})", "yes no no"),
    (None, "postgres('postgres://h/d?sslmode=disable', {ssl: true})", "yes yes yes Node"),
    (None, "postgres({host: 'h', ssl: {rejectUnauthorized: false}})", "yes no no"),
    (None, "[hostname: \"h\", database: \"d\", ssl: true]", "yes yes yes OS"),
    (None, "[hostname: \"h\", database: \"d\", ssl: [verify: :verify_none]]", "yes no no"),
    (None, "[hostname: \"h\", database: \"d\", ssl: [cacertfile: \"F\"]]", "yes yes yes FILE"),
    (
        None,
        "[hostname: \"h\", database: \"d\", ssl: [cacertfile: \"F\", server_name_indication: :disable]]",
        "yes yes no FILE",
    ),
    (None, "pg8000.connect(user='u', host='h')", "try no no"),
    (None, "pg8000.connect(user='u', host='h', ssl_context=True)", "yes no no"),
    (
        None,
        "pg8000.connect(user='u', host='h', ssl_context=ssl.create_default_context(cafile='F'))",
        "yes yes yes FILE",
    ),
    (None, "pg8000.connect(user='u', host='h', ssl_context=False)", "no"),
    (None, "host=h user=u TimeZone=UTC sslmode=require", "yes roots no"),
    (None, "production:\n  adapter: postgresql\n  host: h\n  ssl: true", "try++ roots no home"),
    (None, "production:\n  adapter: postgresql\n  host: h\n  variables:\n    sslmode: require", "refused"),
];

#[test]
fn texts_demand_what_was_measured() {
    for (dialect, text, demand) in TEXTS {
        assert_eq!(demanded(text, *dialect), *demand, "{text}");
    }
}

#[test]
fn certificates_of_a_list_are_trusted_together() {
    let pem = |body: &str| format!("-----BEGIN CERTIFICATE-----\\n{body}\\n-----END CERTIFICATE-----");
    let text = format!(
        "new Client({{ host: 'h', user: 'u', ssl: {{ ca: [`{}`, '{}'] }} }})",
        pem("QUE=").replace("\\n", "\n"),
        pem("Qkk=")
    );
    let reading = reading(&text, None);
    let [Root::Inline(at)] = reading.decision.demand.roots[..] else { panic!("{:?}", reading.decision) };
    let value = String::from_utf8_lossy(reading.settings[at].value.expose()).into_owned();
    assert!(value.contains("\nQUE=\n") && value.contains("\nQkk=\n"), "{value}");
}

#[test]
fn the_word_that_decides_is_marked() {
    for (dialect, text, word, why) in [
        (None, "Host=h;SSL Mode=Require", "Require", Some("verifies nothing")),
        (Some("ecto"), "ecto://u@h/d?sslmode=verify-full", "verify-full", Some("does not know sslmode")),
        (
            None,
            "new Client({host: 'h', user: 'u', sslmode: 'verify-full'})",
            "'verify-full'",
            Some("ignored"),
        ),
        (None, "new Client({host: 'h', ssl: {rejectUnauthorized: false}})", "false", Some("any certificate")),
        (
            None,
            "jdbc:postgresql://h/d?ssl=true&sslfactory=org.postgresql.ssl.NonValidatingFactory",
            "org.postgresql.ssl.NonValidatingFactory",
            Some("any certificate"),
        ),
        (None, "Driver={PostgreSQL ANSI};Server=h;SSLmode=Verify-Full", "Verify-Full", Some("first letter")),
        (Some("sqlx"), "postgres://h/d?sslmode=allow", "allow", Some("plaintext")),
        (Some("psycopg"), "postgres://h/d?sslmode=require", "require", None),
    ] {
        let reading = reading(text, dialect);
        let place = reading.settings[reading.decision.word.unwrap()].place.value.clone();
        assert_eq!(&text[place], word, "{text}");
        let found = reading.decision.why.as_deref();
        assert!(why.is_none_or(|why| found.is_some_and(|found| found.contains(why))), "{text}: {found:?}");
    }
}
