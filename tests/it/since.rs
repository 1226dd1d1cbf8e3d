//! `--since`: what is otherwise than in an earlier report.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use serde_json::{Value, json};

use crate::support::home::Home;
use crate::support::odd_pki::{Key, Kind};
use crate::support::pki::{Algorithm, Chain};
use crate::support::scripted_server::{Login, ScriptedServer, Tls};
use crate::support::tool::{Report, Tool};

/// A fleet: four names of one good server, and one that refuses TLS.
struct Fleet {
    home: Home,
    list: String,
    _server: ScriptedServer,
}

impl Fleet {
    fn new() -> Self {
        let home = Home::new();
        let chain = Chain::honest("*.db.example", Algorithm::Ecdsa);
        let der = [&chain.leaf, &chain.intermediate].map(|identity| identity.certificate.to_der().unwrap());
        let key = Key { kind: Kind::P256, private: chain.leaf.key.clone() };
        let server = ScriptedServer::start(&der, &key, &Tls { login: Login::Open, ..Tls::default() });
        let refusing = TcpListener::bind("127.0.0.1:0").unwrap();
        let refused = refusing.local_addr().unwrap().port();
        thread::spawn(move || {
            for mut client in refusing.incoming().flatten() {
                let _ = client.read_exact(&mut [0; 8]).and_then(|()| client.write_all(b"N"));
            }
        });
        let root = home.write("root.pem", chain.root.pem());
        let line = |host: &str, port: u16| {
            format!(
                "host={host}.db.example hostaddr=127.0.0.1 port={port} user=u dbname=d sslmode=verify-full sslrootcert={}\n",
                root.display()
            )
        };
        let good = ["a", "b", "c", "d"].map(|host| line(host, server.address.port()));
        let list = home.write("fleet.txt", good.concat() + &line("e", refused));
        let list = list.to_str().unwrap().to_owned();
        Self { home, list, _server: server }
    }

    fn run<const N: usize>(&self, options: [&str; N]) -> Report {
        Tool::at(&self.home).with(["--no-try", "--from", &self.list]).with(options).run()
    }

    /// The report of a run before, with its objects as told, host by host.
    fn earlier(&self, change: impl Fn(&str, &mut Value)) -> String {
        let report = self.run(["--format", "json"]);
        let lines = report.stdout.lines().map(|line| {
            let mut object: Value = serde_json::from_str(line).unwrap();
            let host = object["target"]["host"].as_str().unwrap().to_owned();
            change(&host, &mut object);
            format!("{object}\n")
        });
        let path = self.home.write("earlier.json", lines.collect::<String>());
        path.to_str().unwrap().to_owned()
    }
}

/// As if it had been another target.
fn renamed(object: &mut Value, host: &str) {
    let port = object["target"]["port"].clone();
    object["target"]["host"] = host.into();
    object["target"]["endpoint"] = format!("{host}:{port}").into();
}

fn changes(report: &Report) -> Vec<(String, Vec<String>)> {
    let objects = report.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut changes: Vec<_> = objects
        .filter(|object| object.get("removed").is_none())
        .map(|object| {
            let names = object["since"].as_array().unwrap().iter();
            let names = names.map(|change| change["change"].as_str().unwrap().to_owned()).collect();
            (object["target"]["host"].as_str().unwrap().to_owned(), names)
        })
        .collect();
    changes.sort();
    changes
}

#[test]
fn a_run_says_what_is_otherwise_than_in_the_one_before() {
    let fleet = Fleet::new();
    let earlier = fleet.earlier(|host, object| match host {
        "a.db.example" => {
            object["exit_code"] = 5.into();
            object["verdict"] = "failed".into();
            object["diagnosis"] = json!({ "code": "tcp-refused" });
        }
        "b.db.example" => {
            object["chain"][0]["sha256"] = "AB".repeat(32).into();
            object["chain"][0]["not_after"] = "2020-01-01T00:00:00Z".into();
            object["warnings"] = json!([{ "code": "certificate-expires-soon" }]);
        }
        "c.db.example" => renamed(object, "gone.example"),
        "e.db.example" => {
            object["exit_code"] = 0.into();
            object["verdict"] = "verified".into();
            object["diagnosis"] = Value::Null;
        }
        _ => {}
    });
    let report = fleet.run(["--since", &earlier, "--format", "json"]);
    report.exits(6);
    let expected: Vec<(String, Vec<String>)> = [
        ("a.db.example", &["cured"][..]),
        ("b.db.example", &["certificate", "expires", "warning"]),
        ("c.db.example", &["added"]),
        ("d.db.example", &[]),
        ("e.db.example", &["failed"]),
    ]
    .map(|(host, changes)| (host.to_owned(), changes.iter().map(|&change| change.to_owned()).collect()))
    .to_vec();
    assert_eq!(changes(&report), expected, "{report}");
    let last: Value = serde_json::from_str(report.stdout.lines().last().unwrap()).unwrap();
    assert_eq!(last["removed"][0]["verdict"], "verified", "{report}");
    assert!(last["removed"][0]["name"].as_str().unwrap().starts_with("gone.example:"), "{report}");
    // The report is good for the next run: then nothing is otherwise.
    let next = fleet.home.write("next.json", &report.stdout);
    let again = fleet.run(["--since", next.to_str().unwrap(), "--format", "json"]);
    assert!(changes(&again).iter().all(|(_, changes)| changes.is_empty()), "{again}");

    let human = fleet.run(["--since", &earlier]);
    human.exits(6);
    for words in [
        "cured: verified (was tcp-refused)",
        "other certificate; expires ",
        "(was 2020-01-01); warning gone: certificate-expires-soon",
        "new target",
        "newly failed: server-refused-tls (was verified)",
        "removed  gone.example:",
        "error[server-refused-tls] for 1 target",
        "verified 4 of 5",
        "changed 5",
    ] {
        assert!(human.stdout.contains(words), "{words:?} is not in {human}");
    }
    assert!(!human.stdout.contains("d.db.example"), "{human}");
    for format in ["markdown", "html"] {
        let page = fleet.run(["--since", &earlier, "--format", format]);
        for words in
            ["cured: verified (was tcp-refused)", "new target", "newly failed", "gone.example", "removed"]
        {
            assert!(page.stdout.contains(words), "{words:?} is not in {page}");
        }
        assert!(!page.stdout.contains("d.db.example"), "{page}");
    }
    let table = fleet.run(["--since", &earlier, "--format", "csv"]);
    assert!(table.stdout.lines().next().unwrap().contains(",changes,"), "{table}");
    assert!(table.stdout.contains("newly failed"), "{table}");
    // A report that a signal cut short does not make those new that it lacks.
    let objects = report.stdout.lines().filter(|line| !line.contains("b.db.example"));
    let cut = objects.chain([r#"{"schema": 1, "tool": "pgtls-check 0.1.0", "unfinished": 1}"#]);
    let cut = fleet.home.write("cut.json", cut.collect::<Vec<_>>().join("\n"));
    let after = fleet.run(["--since", cut.to_str().unwrap(), "--format", "json"]);
    assert!(changes(&after).iter().all(|(_, changes)| changes.is_empty()), "{after}");
    // Nothing is otherwise: nothing is listed.
    let quiet = fleet.run(["--since", next.to_str().unwrap()]);
    assert!(quiet.stdout.starts_with("roots") && quiet.stdout.contains("changed 0"), "{quiet}");
}

#[test]
fn one_target_is_compared_too() {
    let fleet = Fleet::new();
    let earlier = fleet.earlier(|host, object| {
        if host == "a.db.example" {
            object["chain"][0]["sha256"] = "AB".repeat(32).into();
        }
    });
    let list = std::fs::read_to_string(&fleet.list).unwrap();
    let first = list.lines().next().unwrap();
    let report = Tool::at(&fleet.home).with(["--since", &earlier, first]).run();
    report.exits(0);
    assert!(report.stdout.contains("since  other certificate"), "{report}");
    // The others are gone, and that is said here too.
    let gone: Vec<&str> = report.stdout.lines().filter(|line| line.starts_with("removed  ")).collect();
    assert_eq!(gone.len(), 4, "{report}");
}

#[test]
fn what_is_no_earlier_report_is_refused_before_the_first_connection() {
    let fleet = Fleet::new();
    for (content, words) in [
        ("", "no target is in it"),
        ("verified  db.example\n", "line 1 is not JSON"),
        ("{\"a\": 1}\n", "line 1 is not written by pgtls-check"),
        (
            "{\"schema\": 1, \"tool\": \"pgtls-check 0.1.0\", \"parameters\": []}",
            "line 1 is not the report of a check",
        ),
    ] {
        let path = fleet.home.write("other.json", content);
        let report = fleet.run(["--since", path.to_str().unwrap()]);
        report.exits(2);
        assert!(report.stderr.contains(words) && report.stderr.contains("--since "), "{report}");
        assert_eq!(report.stdout, "");
    }
    let report = fleet.run(["--since", "missing.json"]);
    report.exits(2);
    assert!(report.stderr.contains("--since missing.json: "), "{report}");
}
