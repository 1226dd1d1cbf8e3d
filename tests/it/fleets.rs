//! Many targets in one run: where each was given, in which order they are told, and that a slow one holds nobody up.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::Stdio;
use std::thread;

use serde_json::Value;

use crate::support::home::Home;
use crate::support::odd_pki::{Key, Kind};
use crate::support::pki::{Algorithm, Chain, Draft};
use crate::support::scripted_server::{Login, ScriptedServer, Tls};
use crate::support::tool::Tool;

/// A server that refuses TLS; its thread ends with the process.
fn refusing() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for client in listener.incoming() {
            let Ok(mut client) = client else { continue };
            let _ = client.read_exact(&mut [0; 8]).and_then(|()| client.write_all(b"N"));
        }
    });
    address
}

fn conninfo(address: SocketAddr, host: &str) -> String {
    format!("host={host} hostaddr=127.0.0.1 port={} user=u dbname=d sslmode=require", address.port())
}

fn json(lines: &str) -> Vec<Value> {
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn hosts(text: &str) -> Vec<usize> {
    ["a.example", "b.example", "c.example"].map(|host| text.find(host).expect(host)).to_vec()
}

#[test]
fn a_slow_first_target_holds_nobody_up_in_json_and_stays_first_where_people_read() {
    let home = Home::new();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let fast = refusing();
    let slow = format!("{} connect_timeout=2", conninfo(silent.local_addr().unwrap(), "a.example"));
    let targets = [slow, conninfo(fast, "b.example"), conninfo(fast, "c.example")];
    let list = home.write("fleet.txt", targets.join("\n"));
    let list = list.to_str().unwrap();
    // The first lines are there while the slow target is still being asked.
    let mut command = home.command(Tool::PROGRAM);
    command.args(["--no-try", "--format", "json", "--from", list]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for _ in 0..2 {
        let line: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        assert_ne!(line["target"]["host"], "a.example", "{line}");
    }
    assert!(child.try_wait().unwrap().is_none());
    let last: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    assert_eq!(last["target"]["host"], "a.example", "{last}");
    assert_eq!(child.wait().unwrap().code(), Some(6));
    // Everything that people read has the order of the list; failures are told on standard error as they come.
    for format in ["human", "csv", "markdown", "html", "junit"] {
        let report = Tool::at(&home).with(["--no-try", "--format", format, "--from", list]).run();
        report.exits(6);
        let order = hosts(&report.stdout);
        assert!(order.is_sorted(), "{report}");
        for line in 1..=3 {
            assert!(report.stdout.contains(&format!("fleet.txt:{line}")), "{report}");
        }
        if format == "human" {
            let order = hosts(&report.stderr);
            assert!(order[0] > order[1] && order[0] > order[2], "{report}");
            assert!(report.stderr.contains("failed  b.example:"), "{report}");
        } else {
            assert_eq!(report.stderr, "", "{report}");
        }
    }
}

#[test]
fn every_target_says_where_it_was_given() {
    let home = Home::new();
    let list = home.write("fleet.txt", "# production\n\nhost=b.invalid port=x\ndb012\n");
    let services = home.write(".pg_service.conf", "# ours\n[orders]\nhost=c.invalid\nport=x\n");
    let report = Tool::at(&home)
        .with(["--no-try", "--format", "json", "--from", list.to_str().unwrap(), "--all-services"])
        .with(["--jobs", "1", "--timeout", "5", "host=a.invalid port=x"])
        .run();
    let sources: Vec<Value> =
        json(&report.stdout).into_iter().map(|report| report["source"].clone()).collect();
    let expected = [
        serde_json::json!({"kind": "argument", "file": null, "line": null, "name": null}),
        serde_json::json!({"kind": "file", "file": list.to_str(), "line": 3, "name": null}),
        serde_json::json!({"kind": "file", "file": list.to_str(), "line": 4, "name": null}),
        serde_json::json!({"kind": "service", "file": services.to_str(), "line": 2, "name": "orders"}),
    ];
    assert_eq!(sources, expected, "{report}");
    // A name alone is a host, whether it resolves or not.
    let bare = &json(&report.stdout)[2];
    assert_eq!(bare["target"]["host"], "db012", "{report}");
    let environment = Tool::at(&home).env("PGHOST", "a.invalid").env("PGPORT", "x");
    let environment = environment.with(["--format", "json"]).run();
    assert_eq!(environment.at("/source/kind"), "environment", "{environment}");
}

/// Where nothing can be redrawn, a line says now and then how far a run is: for people, and not for programs.
/// A line of a list is mended in the list, where a shell's quotes would be part of the string.
#[test]
fn a_corrected_line_of_a_list_is_shown_as_the_list_takes_it() {
    let home = Home::new();
    let list = home.write("targets.txt", "host=127.0.0.1 port=1 user='me and you\n");
    let report = Tool::at(&home).with(["--timeout", "5", "--from", list.to_str().unwrap()]).run();
    let line = format!("{}:1, without its password:\n", list.display());
    let shown = report.stdout.split_once(&line).unwrap_or_else(|| panic!("{report}")).1;
    assert!(shown.trim_start().starts_with("host=127.0.0.1 port=1 user='me and you'"), "{report}");
}

#[test]
fn a_long_run_tells_how_far_it_is_off_terminals_too() {
    let home = Home::new();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let slow = format!("{} connect_timeout=7", conninfo(silent.local_addr().unwrap(), "slow.example"));
    let targets = [conninfo(refusing(), "b.example"), slow, conninfo(refusing(), "c.example")];
    let list = home.write("fleet.txt", targets.join("\n"));
    let list = list.to_str().unwrap();
    let run = |options: &'static [&'static str]| {
        let mut tool = Tool::at(&home).with(["--no-try", "--from", list]);
        for option in options {
            tool = tool.with([*option]);
        }
        thread::scope(|_| tool.run())
    };
    thread::scope(|scope| {
        let told = scope.spawn(|| run(&[]));
        let silent = [&["--format", "json"][..], &["--format", "nagios"], &["-q"]]
            .map(|options| scope.spawn(move || run(options)));
        let told = told.join().unwrap();
        let lines: Vec<&str> = told.stderr.lines().filter(|line| line.starts_with("checking")).collect();
        let seconds = |line: &str| {
            let rest = line.strip_prefix("checking 2 of 3 · 2 failed · oldest slow.example ")?;
            rest.strip_suffix(" s")?.parse::<u32>().ok()
        };
        // It began to be waited for as the run did, or a moment later.
        let [line] = lines[..] else { panic!("{told}") };
        assert!(seconds(line).is_some_and(|seconds| (4..=6).contains(&seconds)), "{told}");
        for report in silent {
            assert_eq!(report.join().unwrap().stderr, "");
        }
    });
}

/// Servers of different ages, in the order of the list, of their ends, and of their verdicts; those without a certificate
/// come last.
#[test]
fn servers_are_sorted_by_when_their_certificates_expire() {
    let home = Home::new();
    let root = Draft::authority("root", Algorithm::Ecdsa).self_signed();
    let file = home.write("root.pem", root.pem());
    let ages = [("year", 365), ("week", 7), ("gone", -2), ("month", 40)];
    let servers = ages.map(|(name, days)| {
        let host = format!("{name}.example");
        let leaf = Draft::server(&host, Algorithm::Ecdsa).days(-100, days).signed_by(&root);
        let key = Key { kind: Kind::P256, private: leaf.key.clone() };
        let server = ScriptedServer::start(&[leaf.certificate.to_der().unwrap()], &key, &Tls::default());
        let line = format!(
            "host={host} hostaddr=127.0.0.1 port={} user=u dbname=d sslmode=verify-full sslrootcert={}",
            server.address.port(),
            file.display()
        );
        (line, server)
    });
    let mut lines: Vec<&str> = servers.iter().map(|(line, _)| line.as_str()).collect();
    let refused = conninfo(refusing(), "none.example");
    lines.insert(1, &refused);
    let list = home.write("fleet.txt", lines.join("\n"));
    let list = list.to_str().unwrap();
    for (order, expected) in [
        ("input", ["year", "none", "week", "gone", "month"]),
        ("expires", ["gone", "week", "month", "year", "none"]),
        ("verdict", ["none", "gone", "year", "week", "month"]),
    ] {
        for form in [&["-v"][..], &["--format", "csv"], &["--format", "markdown"], &["--format", "html"]] {
            let mut tool = Tool::at(&home).with(["--no-try", "--from", list, "--sort", order]);
            for option in form {
                tool = tool.with([*option]);
            }
            let report = tool.run();
            report.exits(6);
            let rows: Vec<&str> = report
                .stdout
                .lines()
                .filter(|line| line.contains("fleet.txt:"))
                .filter(|line| match form {
                    ["-v"] => line.contains("verdict "),
                    [_, "csv"] => true,
                    _ => line.starts_with('|') || line.starts_with("<tr>"),
                })
                .collect();
            let names: Vec<&str> = rows
                .iter()
                .filter_map(|row| {
                    ages.iter()
                        .map(|(name, _)| *name)
                        .chain(["none"])
                        .find(|name| row.contains(&format!("{name}.example")))
                })
                .collect();
            assert_eq!(names, expected, "{order} {form:?}: {report}");
        }
    }
    // Every server has a row with verdict, days, issuer, root and version.
    let verbose = Tool::at(&home).with(["--no-try", "-v", "--from", list]).run();
    for (name, facts) in [
        ("year", "verdict verified, expires in 36? days, issuer root, root root, TLS TLSv1.3"),
        ("week", "verdict verified, expires in ? days, issuer root, root root, TLS TLSv1.3"),
        ("gone", "verdict failed, expires ? days ago, issuer root, root root, TLS TLSv1.3"),
        ("none", "verdict failed, expires -, issuer -, root -, TLS -"),
    ] {
        // A day may end between the start and the check.
        let fits = |line: &str| {
            let rest = facts.split_once('?').map_or((facts, ""), |(before, after)| (before, after));
            line.starts_with(&format!("{name}.example:")) && line.contains(rest.0) && line.ends_with(rest.1)
        };
        assert!(verbose.stdout.lines().any(fits), "{name}: {facts:?} is not in {verbose}");
    }
    assert!(verbose.stdout.contains("roots  root (4 servers)"), "{verbose}");
}

#[test]
fn tables_are_sorted_as_asked() {
    let home = Home::new();
    let fast = refusing();
    let plain = format!("host=a.example hostaddr=127.0.0.1 port={} sslmode=disable", fast.port());
    let list = home.write("fleet.txt", format!("{}\n{plain}\n", conninfo(fast, "b.example")));
    let list = list.to_str().unwrap();
    for order in ["input", "verdict", "expires"] {
        let with = ["--no-try", "--format", "csv", "--sort", order, "--from", list];
        let report = Tool::at(&home).with(with).run();
        let rows: Vec<&str> = report.stdout.lines().skip(1).collect();
        assert_eq!(rows.len(), 2, "{report}");
        assert!(rows[0].contains("b.example"), "{report}");
    }
    let wrong = Tool::at(&home).with(["--sort", "expire", "host=a"]).run();
    wrong.exits(2);
    assert!(wrong.stderr.contains("'expires'"), "{wrong}");
}

/// What asks the same of the same server is asked once, and each target has its own report.
#[test]
fn targets_that_ask_the_same_share_a_connection() {
    let home = Home::new();
    let chain = Chain::honest("db.example", Algorithm::Ecdsa);
    let root = home.write("root.pem", chain.root.pem());
    let der = [&chain.leaf, &chain.intermediate].map(|identity| identity.certificate.to_der().unwrap());
    let key = Key { kind: Kind::P256, private: chain.leaf.key.clone() };
    let server = ScriptedServer::start(&der, &key, &Tls { login: Login::Open, ..Tls::default() });
    let port = server.address.port();
    let conninfo = |host: &str| {
        format!(
            "host={host} hostaddr=127.0.0.1 port={port} sslmode=verify-full sslrootcert={}",
            root.display()
        )
    };
    let (good, bad) = (conninfo("db.example"), conninfo("other.example"));
    let lines = [
        format!("{good} user=a dbname=one password=x"),
        format!("{good} user=b dbname=two"),
        format!("user=b application_name=c {good}"),
        format!(
            "postgresql://d:y@db.example:{port}/three?hostaddr=127.0.0.1&sslmode=verify-full&sslrootcert={}",
            root.display()
        ),
        format!("{bad} user=a"),
        format!("{bad} user=b"),
        // The demand is another one.
        format!("{good} user=a sslmode=verify-ca"),
    ];
    let list = home.write("fleet.txt", lines.join("\n"));
    let list = list.to_str().unwrap();
    let run = |options: &[&str]| {
        let mut tool = Tool::at(&home).with(["--no-try", "--format", "json", "--from", list]);
        for option in options {
            tool = tool.with([*option]);
        }
        let report = tool.run();
        report.exits(8);
        let mut objects = json(&report.stdout);
        objects.sort_by_key(|object| object["source"]["line"].as_u64());
        (objects, server.connections().len())
    };
    let (objects, connections) = run(&["--tls-only"]);
    assert_eq!(connections, 3);
    let (_, apart) = run(&[]);
    assert_eq!(apart, 7, "a session is each target's own");
    let text = |pointer: &str| -> Vec<String> {
        let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        objects.iter().map(|object| text(object.pointer(pointer).unwrap_or(&Value::Null))).collect()
    };
    assert_eq!(text("/target/user"), ["a", "b", "b", "d", "a", "b", "a"]);
    assert_eq!(text("/target/database"), ["one", "two", "b", "three", "a", "b", "a"]);
    let verdicts = ["verified", "verified", "verified", "verified", "failed", "failed", "chain-verified"];
    assert_eq!(text("/verdict"), verdicts);
    assert!(
        objects[5]["chain"][0]["sha256"].is_string() && objects[5]["attempts"][0]["address"] == "127.0.0.1"
    );
    // The whole string under a fix is each target's own.
    let fixes = |target: usize| {
        let mut fixes = objects[target]["diagnosis"]["fixes"].as_array().unwrap().clone();
        fixes.iter_mut().for_each(|fix| fix["conninfo"] = Value::Null);
        fixes
    };
    assert!(!fixes(5).is_empty() && fixes(5) == fixes(4));
}

/// A report that goes to a file is written there as it comes, and stands at its place when the run is over.
#[test]
fn a_report_in_a_file_appears_when_the_run_is_over() {
    let home = Home::new();
    let fast = refusing();
    let lines: String = (0..50).map(|n| format!("{} user=u{n}\n", conninfo(fast, "b.example"))).collect();
    let list = home.write("fleet.txt", lines);
    let output = home.path().join("report.json");
    let report = Tool::at(&home)
        .with(["--no-try", "-q", "--from", list.to_str().unwrap(), "--output", output.to_str().unwrap()])
        .run();
    report.exits(6);
    assert_eq!(json(&std::fs::read_to_string(&output).unwrap()).len(), 50);
    let left: Vec<_> =
        std::fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().ends_with(".part")), "{left:?}");
}
