//! The faults of the demo as psql meets them: where libpq refuses, it must be for the reason that the fault is named
//! after, and what is only worth a warning it must accept.

use pgtls_check::demo::{ConnectionRecord, Demo, SeenBy, fault};

use super::table::{Answer, Row, row, rows};
use crate::support::home::Home;
use crate::support::parallel::{each, expect};
use crate::support::psql::{Connection, Psql};

/// A connection by psql: what it made of it, and what the server saw.
fn connect(version: u8, row: &Row) -> (Connection, Vec<ConnectionRecord>) {
    let demo = Demo::start(fault(row.fault)).expect("the fault can be staged");
    let home = Home::new();
    let variables: Vec<(&str, &str)> =
        demo.variables().iter().map(|(name, value)| (*name, value.to_str().expect("UTF-8"))).collect();
    let connection = Psql::libpq(version).connect(&home, demo.conninfo(), &variables);
    (connection, demo.connections())
}

/// Holds libpq of this version to the answers of all rows.
fn answers(version: u8) {
    each(
        &rows(),
        |row| row.fault,
        |row| {
            let (connection, connections) = connect(version, row);
            let answer = row.psql.of(version);
            let as_expected = match answer {
                Answer::Connects => connection.connected,
                Answer::Fails(why) => !connection.connected && connection.stderr.contains(why),
                Answer::Alerts(alert) => {
                    !connection.connected
                        && connections.last().is_some_and(|record| record.alert == Some(alert))
                }
                Answer::Differs(..) => false,
            };
            expect(as_expected, || format!("not {answer:?} but {connection:?}, {connections:?}"))
        },
    );
}

#[test]
fn libpq_15_meets_each_fault_for_what_it_is() {
    answers(15);
}

#[test]
fn libpq_18_meets_each_fault_for_what_it_is() {
    answers(18);
}

#[test]
fn what_only_deserves_a_warning_is_accepted() {
    let warned = |row: &&Row| {
        let seen_by = fault(row.fault).map(|fault| fault.seen_by);
        matches!(seen_by, Some(SeenBy::Warning | SeenBy::Audit))
    };
    for row in rows().into_iter().filter(warned) {
        let accepted = [15, 18].iter().all(|version| matches!(row.psql.of(*version), Answer::Connects));
        assert!(accepted || row.fault == "backslash-path", "{}", row.fault);
    }
}

#[test]
fn psql_tells_an_unverified_server_nothing() {
    let before_trust = rows().into_iter().filter(|row| matches!(row.psql.of(15), Answer::Alerts(_)));
    let unverified: Vec<&Row> = before_trust.chain([row("hostname-mismatch")]).collect();
    each(
        &unverified,
        |row| row.fault,
        |row| {
            let (_, connections) = connect(15, row);
            expect(!connections.is_empty(), || "no connection".to_owned())?;
            for record in connections {
                let told = record.startup.is_some()
                    || !record.messages.is_empty()
                    || record.clear.windows(4).any(|bytes| bytes == b"user");
                expect(!told, || format!("{record:?}"))?;
            }
            Ok(())
        },
    );
}

#[test]
fn the_healthy_server_is_verified_and_left_politely() {
    let demo = Demo::start(None).expect("it can be staged");
    let home = Home::new();
    let mut psql = Psql::libpq(15).command(&home);
    psql.envs(demo.variables().iter().map(|(name, value)| (name, value)));
    let query = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    let output = psql.args(["-A", "-t", "-c", query, "-d", demo.conninfo()]).output().expect("psql runs");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(output.stdout, b"t\n");
    let connections = demo.connections();
    let [record] = connections.as_slice() else { panic!("{connections:?}") };
    assert!(record.ssl_request && record.encrypted && !record.direct, "{record:?}");
    assert_eq!(record.server_name.as_deref(), Some("db.example"));
    let startup = record.startup.as_ref().expect("a start-up message");
    assert!(startup.encrypted && startup.parameters.contains(&("user".into(), "demo".into())), "{record:?}");
    assert_eq!(record.messages, b"ppQX");
}
