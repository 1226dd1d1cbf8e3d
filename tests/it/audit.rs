//! `audit` on real servers: what it finds is what the server was set to, and nobody's credentials leave for it.

use serde_json::Value;

use crate::support::home::Home;
use crate::support::pki::{Algorithm, Draft};
use crate::support::site::{self, GUARDED, PASSWORD, Site};
use crate::support::tool::{Report, Tool};

fn audit(home: &Home, conninfo: &str) -> Report {
    Tool::at(home).env("PGPASSWORD", PASSWORD).with(["audit", "--format", "json", conninfo]).run()
}

fn names(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

fn version<'a>(json: &'a Value, name: &str) -> &'a Value {
    let all = json["audit"]["versions"].as_array().expect("versions");
    all.iter().find(|version| version["version"] == name).expect("each version has a line")
}

#[test]
pub(crate) fn versions_suites_and_groups_are_those_the_server_was_given() {
    let home = Home::new();
    let site = Site::new(15, Algorithm::Ecdsa, |setup| {
        setup
            .protocols("TLSv1.2", "TLSv1.3")
            .ciphers("ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-SHA")
            .setting("ssl_ecdh_curve", "secp384r1")
            .hba("hostnossl all all all reject")
    });
    let report = audit(&home, &site.verify_full(&home, GUARDED));
    // The neighbour of what an audit warns of: a server that takes neither old versions nor plaintext.
    report.verified().says("/warnings", serde_json::json!([])).says("/audit/plaintext/accepted", false);
    let json = report.json();
    let twelve = version(&json, "TLSv1.2");
    assert_eq!(
        names(&twelve["suites"]),
        ["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"]
    );
    assert_eq!((&twelve["accepted"], &twelve["complete"]), (&Value::Bool(true), &Value::Bool(true)));
    assert_eq!(version(&json, "TLSv1.3")["suites"].as_array().map(Vec::len), Some(3), "{report}");
    for old in ["TLSv1.1", "TLSv1"] {
        assert_eq!(version(&json, old)["accepted"], false, "{report}");
    }
    assert_eq!(names(&json["audit"]["groups"]["accepted"]), ["secp384r1"], "{report}");
    report.says("/audit/sslrequest", true).says("/audit/direct", false);
    assert!(json["audit"]["connections"].as_u64().is_some_and(|count| count < 30), "{report}");
}

#[test]
fn a_stock_server_of_each_version_is_searched_to_the_end() {
    let home = Home::new();
    for (number, direct) in [(15, false), (18, true)] {
        for algorithm in [Algorithm::Rsa, Algorithm::Ecdsa] {
            let site = Site::shared(number, algorithm);
            let report = audit(&home, &site.verify_full(&home, GUARDED));
            report.verified().says("/audit/direct", direct).conceals(PASSWORD);
            let json = report.json();
            for name in ["TLSv1.3", "TLSv1.2"] {
                let found = version(&json, name);
                assert_eq!(found["complete"], true, "{number} {algorithm:?}: {found}");
                assert!(names(&found["suites"]).len() >= 3, "{number} {algorithm:?}: {found}");
            }
            assert_eq!(json["audit"]["groups"]["complete"], true, "{report}");
            assert!(json["audit"]["connections"].as_u64().is_some_and(|count| count < 120), "{report}");
        }
    }
}

#[test]
fn plaintext_is_asked_for_as_nobody_and_can_be_denied() {
    let home = Home::new();
    let site = Site::new(15, Algorithm::Ecdsa, |setup| setup.hba("host all all all scram-sha-256"));
    let conninfo = site.verify_full(&home, GUARDED);
    let report = audit(&home, &conninfo);
    report.verified().says("/warnings/0/code", "plaintext-accepted").says("/audit/plaintext/accepted", true);
    assert!(!site.server.log().contains(GUARDED), "{}", site.server.log());
    let denied = Tool::at(&home).with(["audit", "--deny", "plaintext-accepted", &conninfo]).run();
    denied.exits(10);
    assert!(denied.stdout.contains("error[plaintext-accepted] (by --deny)"), "{denied}");
    let mistyped = Tool::at(&home).with(["audit", "--deny", "plaintext-acepted", &conninfo]).run();
    mistyped.exits(2);
    let misplaced = Tool::at(&home).with(["--strict", "audit", &conninfo]).run();
    misplaced.exits(2);
    assert!(misplaced.stderr.contains("stand behind it"), "{misplaced}");
}

#[test]
fn a_server_that_is_not_verified_is_told_nothing_in_plaintext() {
    let home = Home::new();
    let site = Site::shared(15, Algorithm::Ecdsa);
    let other = Draft::authority("another root", Algorithm::Ecdsa).self_signed();
    let other = home.write("other.pem", other.pem());
    let report = audit(&home, &site::verify_full(site.server.port(), other.to_str().unwrap(), GUARDED));
    report.exits(8).says("/audit/plaintext/asked", false).says("/audit/plaintext/accepted", Value::Null);
    assert_eq!(version(&report.json(), "TLSv1.3")["accepted"], true, "{report}");
}

#[test]
fn nothing_is_asked_where_no_handshake_began() {
    let home = Home::new();
    let report = audit(&home, "host=127.0.0.1 port=1 sslmode=verify-ca sslrootcert=system");
    assert_ne!(report.status, Some(0), "{report}");
    assert_eq!(report.json().get("audit"), None, "{report}");
}
