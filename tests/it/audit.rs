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
    report.verified().says("/audit/plaintext/accepted", false);
    assert_eq!(warned(&report), ["weak-cipher-accepted"], "{report}");
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

/// The codes of the warnings.
fn warned(report: &Report) -> Vec<String> {
    let json = report.json();
    let warnings = json["warnings"].as_array().expect("warnings").iter();
    warnings.map(|warning| warning["code"].as_str().expect("a code").to_owned()).collect()
}

#[test]
pub(crate) fn weak_suites_are_graded_and_the_fix_leaves_none() {
    let home = Home::new();
    for (version, algorithm) in [(15, Algorithm::Rsa), (18, Algorithm::Ecdsa)] {
        let site = Site::new(version, algorithm, |setup| setup.hba("hostnossl all all all reject"));
        let conninfo = site.verify_full(&home, GUARDED);
        let report = audit(&home, &conninfo);
        assert_eq!(warned(&report), ["weak-cipher-accepted"], "{report}");
        let json = report.json();
        let weak = self::version(&json, "TLSv1.2")["weak"].as_array().unwrap().clone();
        let reasons = |name: &str| {
            let found = weak.iter().find(|suite| suite["name"] == name);
            found.map(|suite| names(&suite["reasons"]).join(", "))
        };
        let family = if algorithm == Algorithm::Rsa { "RSA" } else { "ECDSA" };
        let cbc = format!("TLS_ECDHE_{family}_WITH_AES_128_CBC_SHA");
        assert_eq!(reasons(&cbc).as_deref(), Some("CBC, SHA-1"), "{report}");
        let strong = format!("TLS_ECDHE_{family}_WITH_AES_128_GCM_SHA256");
        assert_eq!(reasons(&strong), None, "{report}");
        if algorithm == Algorithm::Rsa {
            let fixed = reasons("TLS_RSA_WITH_AES_128_GCM_SHA256");
            assert_eq!(fixed.as_deref(), Some("no forward secrecy"), "{report}");
        }
        for command in report.at("/warnings/0/fixes/0/command").as_str().unwrap().lines() {
            site.server.execute(command);
        }
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
        loop {
            let again = audit(&home, &conninfo);
            if warned(&again).is_empty() || std::time::Instant::now() > deadline {
                assert_eq!(warned(&again), [""; 0], "{again}");
                break;
            }
        }
        let listed = Tool::at(&home).with(["audit", "-v", &conninfo]).run();
        assert!(listed.stdout.contains("all strong") && listed.stdout.contains(&strong), "{listed}");
    }
}

#[test]
fn a_policy_that_is_not_met_is_exit_10_and_its_fix_meets_it() {
    let home = Home::new();
    let site = Site::new(15, Algorithm::Ecdsa, |setup| setup.hba("hostnossl all all all reject"));
    let conninfo = site.verify_full(&home, GUARDED);
    let by = |policy: &str| {
        Tool::at(&home).with(["audit", "--policy", policy, "--format", "json", &conninfo]).run()
    };
    by("azure").exits(0).says("/audit/policy/met", true);
    for policy in ["intermediate", "modern"] {
        let report = by(policy);
        report.exits(10).says("/verdict", "verified").says("/audit/policy/met", false);
        let json = report.json();
        let warnings = json["warnings"].as_array().unwrap();
        let found = warnings.iter().find(|warning| warning["code"] == "policy-not-met").unwrap();
        assert_eq!((&found["denied"], &found["denied_by"]), (&Value::from(true), &Value::from("--policy")));
        assert!(!names(&found["evidence"]["not_allowed"]).is_empty(), "{report}");
        // Suites are grouped by version: the list is in the report of -v and in JSON.
        let by_version =
            names(&found["evidence"]["not_allowed"]).iter().any(|line| line.contains(" of TLSv1.2: "));
        assert_eq!(by_version, policy == "intermediate", "{report}");
        for command in found["fixes"][0]["command"].as_str().unwrap().lines() {
            site.server.execute(command);
        }
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
        while by(policy).status != Some(0) {
            assert!(std::time::Instant::now() < deadline, "{}", by(policy));
        }
        let shown = Tool::at(&home).with(["audit", "--policy", policy, &conninfo]).run();
        assert!(shown.stdout.contains("version 6.0): met"), "{shown}");
    }
    // Plaintext is no part of Mozilla's guidelines and of every policy all the same.
    let open = Site::new(15, Algorithm::Ecdsa, |setup| setup.hba("host all all all scram-sha-256"));
    let open = open.verify_full(&home, GUARDED);
    Tool::at(&home).with(["audit", "--policy", "azure", &open]).run().exits(10);
    let mistyped = Tool::at(&home).with(["audit", "--policy", "moderm", &conninfo]).run();
    mistyped.exits(2);
    assert!(mistyped.stderr.contains("did you mean modern?"), "{mistyped}");
}

#[test]
fn a_login_without_tls_is_told_from_a_request_for_the_password() {
    let home = Home::new();
    for (method, logs_in, words) in [
        ("trust", true, "the server logs in without TLS"),
        ("scram-sha-256", false, "the server requests the password without TLS"),
        ("md5", false, "the server requests the password without TLS"),
    ] {
        let site =
            Site::new(15, Algorithm::Ecdsa, |setup| setup.hba(&format!("hostnossl all all all {method}")));
        let report = audit(&home, &site.verify_full(&home, GUARDED));
        report.says("/audit/plaintext/accepted", true).says("/audit/plaintext/logs_in", logs_in);
        let json = report.json();
        let warnings = json["warnings"].as_array().unwrap();
        let found = warnings.iter().find(|warning| warning["code"] == "plaintext-accepted").unwrap();
        assert_eq!(found["title"], words, "{report}");
    }
}

#[test]
fn several_servers_are_audited_and_the_worst_is_the_exit_status() {
    let home = Home::new();
    let site = Site::shared(15, Algorithm::Ecdsa);
    let conninfo = site.verify_full(&home, GUARDED);
    let dead = "host=127.0.0.1 port=1 sslmode=require";
    let report = Tool::at(&home).with(["audit", "--format", "json", &conninfo, dead, &conninfo]).run();
    report.exits(5);
    let lines: Vec<Value> =
        report.stdout.lines().map(|line| serde_json::from_str(line).expect("an object a line")).collect();
    let mut audited: Vec<bool> = lines.iter().map(|line| line["audit"].is_object()).collect();
    audited.sort_unstable();
    assert_eq!(audited, [false, true, true]);
    // A string without its quotes is no list of servers.
    let words: Vec<&str> = conninfo.split(' ').collect();
    let split = Tool::at(&home).with(["audit", words[0], words[1], words[2]]).run();
    split.exits(2);
    assert!(split.stderr.contains("put it in quotes"), "{split}");
}

/// A fleet is a table of what each server accepts, in every form that people read, in the order of the list.
#[test]
fn a_fleet_is_audited_as_a_table() {
    let home = Home::new();
    let weak = Site::new(15, Algorithm::Ecdsa, |setup| {
        setup.protocols("TLSv1.2", "TLSv1.2").ciphers("ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-SHA")
    });
    let modern = Site::new(15, Algorithm::Ecdsa, |setup| {
        setup.protocols("TLSv1.3", "TLSv1.3").hba("hostnossl all all all reject")
    });
    let root = home.write("weak.pem", weak.chain.root.pem());
    let weak_line = site::verify_full(weak.server.port(), root.to_str().unwrap(), GUARDED);
    let lines = format!(
        "{weak_line}\n{}\nhost=127.0.0.1 port=1 sslmode=require\n",
        modern.verify_full(&home, GUARDED)
    );
    let list = home.write("fleet.txt", lines);
    let list = list.to_str().unwrap();
    let run = |options: &[&str]| {
        let mut tool = Tool::at(&home).with(["audit", "--policy", "modern", "--from", list]);
        for option in options {
            tool = tool.with([*option]);
        }
        tool.run()
    };
    let (weak_name, modern_name) = (
        format!("{}:{}", site::NAME, weak.server.port()),
        format!("{}:{}", site::NAME, modern.server.port()),
    );
    for format in ["human", "markdown", "html", "csv"] {
        let report = run(&["--format", format]);
        report.exits(5);
        let row_of = |name: &str| {
            let wanted = if format == "csv" { name.replace(':', ",") } else { name.to_owned() };
            let mut rows = report.stdout.lines().filter(|line| line.contains(&wanted));
            rows.next_back().unwrap_or_else(|| panic!("{name} in {report}")).to_owned()
        };
        let row = row_of(&weak_name);
        for words in ["TLSv1.2", "1 of 2 (", "requests the password", "modern: "] {
            let is_there = report.stdout.lines().any(|line| line.contains(words));
            assert!(is_there, "{words:?} is not in {row} of {report}");
        }
        assert!(report.stdout.lines().any(|line| line.contains("modern: met")), "{report}");
        assert!(
            report.stdout.find(&weak_name.replace(':', if format == "csv" { "," } else { ":" }))
                < report.stdout.find(&modern_name.replace(':', if format == "csv" { "," } else { ":" })),
            "{report}"
        );
    }
    let human = run(&[]).stdout;
    assert!(human.contains("for 1 target") && human.contains("error[tcp-refused]"), "{human}");
    // What is a failure in one server's audit is one in the fleet's.
    let file = home.join("audit.json");
    let report = run(&["--deny", "weak-cipher-accepted", "-q", "--output", file.to_str().unwrap()]);
    report.exits(5);
    assert!(report.stdout.contains("weak-cipher-accepted"), "{report}");
    let lines = std::fs::read_to_string(file).unwrap();
    let statuses: Vec<u64> = lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["exit_code"].as_u64().unwrap())
        .collect();
    assert_eq!(statuses.iter().filter(|status| **status == 10).count(), 1, "{statuses:?}");
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
