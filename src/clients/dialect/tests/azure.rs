//! All that the Azure portal's pages offer, as pasted, and with the placeholders filled in.

use super::{brief, pairs, read_as};
use crate::clients::dialect::{Chain, Encryption, Target};

const HOST: &str = "s.postgres.database.azure.com";

/// Tab, text, dialect.
fn tabs() -> impl Iterator<Item = (&'static str, String, &'static str)> {
    const LIST: &str = include_str!("../../../../tests/it/vectors/azure-strings.tsv");
    LIST.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let cells: Vec<&str> = line.split('\t').collect();
        (cells[0], cells[3].replace("\\n", "\n"), cells[1])
    })
}

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
    for (tab, text, dialect) in tabs() {
        let text = filled(&text);
        let target = read_as(&text, None);
        let found = brief(&target, text.as_bytes());
        assert_eq!(found.dialect, dialect, "{tab}: {found:?}");
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
    for (tab, text, dialect) in tabs() {
        let database_filled = text.replace("{your_database}", "app").replace("{ca-cert filename}", "/ca.pem");
        let target = read_as(&database_filled, None);
        match &target {
            Target::Libpq(_) => assert_eq!(dialect, "libpq", "{tab}"),
            Target::Driver(reading) => {
                let password =
                    reading.settings.iter().find(|setting| setting.libpq() == Some("password")).unwrap();
                assert!(!password.counts, "{tab}");
            }
            Target::Refused(failure) => panic!("{tab}: {:?}", failure.faults),
        }
        // The database's placeholder is named.
        if let Target::Refused(failure) = read_as(&text, None) {
            assert!(format!("{:?}", failure.faults).contains("Placeholder("), "{tab}: {failure:?}");
        }
    }
}

#[test]
fn only_nodes_string_verifies() {
    for (tab, text, _) in tabs() {
        let text = filled(&text);
        let Target::Driver(reading) = read_as(&text, None) else { continue };
        let demand = &reading.decision.demand;
        let verifies = demand.encryption == Encryption::Always && demand.chain == Chain::Yes;
        assert_eq!(verifies, matches!(tab, "Node.js" | "Service Connector, Node"), "{tab}");
    }
}
