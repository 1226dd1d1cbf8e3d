//! All that the Azure portal's pages offer, as pasted, and with the placeholders filled in.

use super::{brief, pairs, read_as};
use crate::clients::dialect::{Chain, Encryption, Target};

const HOST: &str = "s.postgres.database.azure.com";

/// Tab, text, dialect.
const TABS: &[(&str, &str, &str)] = &[
    (
        "ADO.NET",
        "Server=s.postgres.database.azure.com;Database={your_database};Port=5432;User Id=me;Password={your_password};Ssl Mode=Require;",
        "npgsql",
    ),
    (
        "C++",
        "host=s.postgres.database.azure.com port=5432 dbname={your_database} user=me password={your_password} sslmode=require",
        "libpq",
    ),
    (
        "PHP",
        "pg_connect(\"host=s.postgres.database.azure.com port=5432 dbname={your_database} user=me password={your_password}\");",
        "libpq",
    ),
    (
        "JDBC",
        "jdbc:postgresql://s.postgres.database.azure.com:5432/{your_database}?user=me&password={your_password}&sslmode=require",
        "jdbc",
    ),
    (
        "JDBC, Az module",
        "jdbc:postgresql://s.postgres.database.azure.com:5432/{your_database}?user=me&password={your_password}&",
        "jdbc",
    ),
    (
        "Node.js",
        "var conn= new Client({host:'s.postgres.database.azure.com', user:'me', password:'{your_password}', database:'{your_database}', port:5432, ssl:{ca:fs.readFileSync(\"{ca-cert filename}\")}});",
        "node-postgres",
    ),
    (
        "Node.js, older",
        "var client = new pg.Client('postgres://me:{your_password}@s.postgres.database.azure.com:5432/{your_database}');",
        "node-postgres",
    ),
    (
        "psql",
        "psql \"host=s.postgres.database.azure.com port=5432 dbname={your_database} user=me password={your_password} sslmode=require\"",
        "libpq",
    ),
    (
        "psql, az",
        "postgresql://me:{your_password}@s.postgres.database.azure.com/{your_database}?sslmode=require",
        "libpq",
    ),
    (
        "Python",
        "cnx = psycopg2.connect(user=\"me\", password=\"{your_password}\", host=\"s.postgres.database.azure.com\", port=5432, database=\"{your_database}\")",
        "psycopg",
    ),
    (
        "Ruby",
        "connection = PG::Connection.new(user => \"me\", password => \"{your_password}\", database => \"{your_database}\", host => \"s.postgres.database.azure.com\", port => '5432')",
        "ruby-pg",
    ),
    (
        "Web App",
        "Database={your_database}; Data Source=s.postgres.database.azure.com; User Id=me; Password={your_password}",
        "npgsql",
    ),
    (
        "Service Connector",
        "AZURE_POSTGRESQL_CONNECTIONSTRING=Server=s.postgres.database.azure.com;Database={your_database};Port=5432;Ssl Mode=Require;User Id=me;Password={your_password};",
        "npgsql",
    ),
    (
        "Service Connector, Java",
        "AZURE_POSTGRESQL_CONNECTIONSTRING=jdbc:postgresql://s.postgres.database.azure.com:5432/{your_database}?sslmode=require&user=me&password={your_password}",
        "jdbc",
    ),
    (
        "Service Connector, Go",
        "AZURE_POSTGRESQL_CONNECTIONSTRING=\"host=s.postgres.database.azure.com dbname={your_database} sslmode=require user=me password={your_password}\"",
        "libpq",
    ),
    (
        "Service Connector, Django",
        "AZURE_POSTGRESQL_HOST=s.postgres.database.azure.com\nAZURE_POSTGRESQL_NAME={your_database}\nAZURE_POSTGRESQL_USER=me\nAZURE_POSTGRESQL_PASSWORD={your_password}",
        "django",
    ),
    (
        "Service Connector, Node",
        "AZURE_POSTGRESQL_HOST=s.postgres.database.azure.com\nAZURE_POSTGRESQL_DATABASE={your_database}\nAZURE_POSTGRESQL_USER=me\nAZURE_POSTGRESQL_PASSWORD={your_password}\nAZURE_POSTGRESQL_PORT=5432\nAZURE_POSTGRESQL_SSL=true",
        "node-postgres",
    ),
    (
        "Connect from a shell",
        "export PGHOST=s.postgres.database.azure.com\nexport PGUSER=me\nexport PGPORT=5432\nexport PGDATABASE={your_database}\nexport PGPASSWORD=\"{your_password}\"",
        "libpq",
    ),
];

/// Filled in as a reader would.
fn filled(text: &str) -> String {
    text.replace("{your_database}", "app")
        .replace("{your_password}", "p4ss")
        .replace("{ca-cert filename}", "/ca.pem")
}

/// What a libpq string among them says, whatever stood round it.
fn options(target: &Target, text: &str) -> Vec<(String, String)> {
    let mut found = brief(target, text.as_bytes()).options;
    if let Some(at) = found.iter().position(|(name, _)| name.is_empty()) {
        let (_, string) = found.remove(at);
        let parsed = crate::conninfo::parse(string.as_bytes()).unwrap();
        let value = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        found.extend(
            parsed
                .assignments
                .iter()
                .map(|(name, found)| ((*name).to_owned(), value(found.value.as_bytes()))),
        );
    }
    found.retain(|(name, _)| matches!(name.as_str(), "host" | "port" | "dbname" | "user" | "password"));
    found.sort();
    found
}

#[test]
fn every_tab_is_read_with_its_placeholders_filled_in() {
    for (tab, text, dialect) in TABS {
        let text = filled(text);
        let target = read_as(&text, None);
        let found = brief(&target, text.as_bytes());
        assert_eq!(found.dialect, *dialect, "{tab}: {found:?}");
        assert!(matches!(found.outcome.as_str(), "ok" | "libpq"), "{tab}: {}", found.outcome);
        let mut expected = pairs(&[
            ("dbname", "app"),
            ("host", HOST),
            ("password", "p4ss"),
            ("port", "5432"),
            ("user", "me"),
        ]);
        let found = options(&target, &text);
        if !text.contains("5432") {
            expected.retain(|(name, _)| name != "port");
        }
        assert_eq!(found, expected, "{tab}");
    }
}

#[test]
fn a_placeholder_is_never_a_password() {
    for (tab, text, dialect) in TABS {
        let database_filled = text.replace("{your_database}", "app").replace("{ca-cert filename}", "/ca.pem");
        let target = read_as(&database_filled, None);
        match &target {
            Target::Libpq(_) => assert_eq!(*dialect, "libpq", "{tab}"),
            Target::Driver(reading) => {
                let password =
                    reading.settings.iter().find(|setting| setting.libpq() == Some("password")).unwrap();
                assert!(!password.counts, "{tab}");
            }
            Target::Refused(failure) => panic!("{tab}: {:?}", failure.faults),
        }
        // The database's placeholder is named.
        if let Target::Refused(failure) = read_as(text, None) {
            assert!(format!("{:?}", failure.faults).contains("Placeholder("), "{tab}: {failure:?}");
        }
    }
}

#[test]
fn only_nodes_string_verifies() {
    for (tab, text, _) in TABS {
        let text = filled(text);
        let Target::Driver(reading) = read_as(&text, None) else { continue };
        let demand = &reading.decision.demand;
        let verifies = demand.encryption == Encryption::Always && demand.chain == Chain::Yes;
        assert_eq!(verifies, matches!(*tab, "Node.js" | "Service Connector, Node"), "{tab}");
    }
}
