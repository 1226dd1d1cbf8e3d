//! `--each`: every host and every address of a target by itself, so that no bad member hides behind a good one.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::support::home::Home;
use crate::support::network::{alone, relay};
use crate::support::odd_pki::{Key, Kind};
use crate::support::pki::{Algorithm, Chain, Draft};
use crate::support::scripted_server::{Login, ScriptedServer, Tls};
use crate::support::tool::{Report, Tool};

const NAME: &str = "db.example";

/// Servers of one name at 127.0.0.1, 127.0.0.2 and 127.0.0.3, the second one with another name in its certificate.
struct Replicas {
    home: Home,
    servers: Vec<ScriptedServer>,
    conninfo: String,
}

fn serve(chain: &Chain) -> ScriptedServer {
    let der = [&chain.leaf, &chain.intermediate].map(|identity| identity.certificate.to_der().unwrap());
    let key = Key { kind: Kind::P256, private: chain.leaf.key.clone() };
    ScriptedServer::start(&der, &key, &Tls { login: Login::Open, ..Tls::default() })
}

impl Replicas {
    fn new() -> Self {
        let home = Home::new();
        let good = Chain::honest(NAME, Algorithm::Ecdsa);
        let leaf = Draft::server("old.example", Algorithm::Ecdsa).signed_by(&good.intermediate);
        let servers = vec![serve(&good), serve(&Chain { leaf, ..good.clone() }), serve(&good)];
        let port = servers[0].address.port();
        for (last, server) in (2..).zip(&servers[1..]) {
            relay(SocketAddr::from(([127, 0, 0, last], port)), server.address, usize::MAX, Duration::ZERO);
        }
        let root = home.write("root.pem", good.root.pem());
        let hosts = ["127.0.0.1", "127.0.0.2", "127.0.0.3"].map(|address| format!("{address} {NAME}\n"));
        let hosts = home.write("hosts", hosts.concat() + "127.0.0.3 standby.example\n");
        let mount = Command::new("mount").arg("--bind").arg(hosts).arg("/etc/hosts").status();
        assert!(mount.expect("mount").success());
        let root = root.display();
        let conninfo = format!("port={port} user=u dbname=d sslmode=verify-full sslrootcert={root}");
        Self { home, servers, conninfo }
    }

    fn check<const N: usize>(&self, options: [&str; N]) -> Report {
        Tool::at(&self.home).with(["--each", "--no-try"]).with(options).run()
    }

    /// How many connections each of them got since this was last asked.
    fn asked(&self) -> Vec<usize> {
        self.servers.iter().map(|server| server.connections().len()).collect()
    }
}

/// Host, address and code of each object, in the order of hosts and addresses.
fn members(report: &Report) -> Vec<(String, String, Option<String>)> {
    let objects = report.stdout.lines().map(|line| serde_json::from_str(line).unwrap());
    let mut members: Vec<_> = objects
        .map(|object: Value| {
            let text = |value: &Value| value.as_str().map(str::to_owned);
            assert_eq!(object["member"]["address"], object["target"]["address"], "{object}");
            let host = text(&object["target"]["host"]).unwrap();
            (host, text(&object["target"]["address"]).unwrap(), text(&object["diagnosis"]["code"]))
        })
        .collect();
    members.sort();
    members
}

fn expected(rows: &[(&str, &str, Option<&str>)]) -> Vec<(String, String, Option<String>)> {
    rows.iter()
        .map(|(host, address, code)| ((*host).into(), (*address).into(), code.map(Into::into)))
        .collect()
}

/// libpq takes the first address that connects. Where the server there is another one, the next may be the one that was meant.
#[test]
fn another_address_of_the_name_is_tried_where_the_server_at_the_first_is_at_fault() {
    alone("each::another_address_of_the_name_is_tried_where_the_server_at_the_first_is_at_fault", || {
        let home = Home::new();
        let (good, other) = (Chain::honest(NAME, Algorithm::Ecdsa), Chain::honest(NAME, Algorithm::Ecdsa));
        let (stranger, server) = (serve(&other), serve(&good));
        let port = stranger.address.port();
        let meant = SocketAddr::from(([127, 0, 0, 2], port));
        relay(meant, server.address, usize::MAX, Duration::ZERO);
        let hosts = ["127.0.0.1", "127.0.0.2"].map(|address| format!("{address} {NAME}\n"));
        let hosts = home.write("hosts", hosts.concat());
        assert!(Command::new("mount").arg("--bind").arg(hosts).arg("/etc/hosts").status().unwrap().success());
        let root = home.write("root.pem", good.root.pem());
        let conninfo = |more: &str| {
            let root = root.display();
            format!("host={NAME} port={port} user=u dbname=d sslmode=verify-full sslrootcert={root}{more}")
        };
        let report = Tool::at(&home).check(&conninfo(""));
        let first = &report.json()["diagnosis"]["fixes"][0];
        assert_eq!(first["settings"]["hostaddr"], "127.0.0.2", "{report}");
        assert_eq!(first["tried"], "works", "{report}");
        let asked = [stranger.connections(), server.connections()].concat();
        assert!(asked.len() == 2 && asked.iter().all(|one| one.startup.is_none()), "{asked:?}");
        Tool::at(&home).check(&conninfo(" hostaddr=127.0.0.2")).verified();
    });
}

const BY_ITSELF: [(&str, &str, Option<&str>); 3] =
    [(NAME, "127.0.0.1", None), (NAME, "127.0.0.2", Some("hostname-mismatch")), (NAME, "127.0.0.3", None)];

#[test]
fn every_address_of_a_name_is_checked_by_itself() {
    alone("each::every_address_of_a_name_is_checked_by_itself", || {
        let replicas = Replicas::new();
        let conninfo = format!("host={NAME} {}", replicas.conninfo);
        // By default libpq is content with the first address.
        Tool::at(&replicas.home).check(&conninfo).verified();
        assert_eq!(replicas.asked(), [1, 0, 0]);
        let report = replicas.check(["--format", "json", &conninfo]);
        report.exits(8);
        assert_eq!(members(&report), expected(&BY_ITSELF), "{report}");
        assert_eq!(replicas.asked(), [1, 1, 1]);
        // The name led there: no setting is at fault, and nothing of the kind is claimed.
        let failed: Value = report
            .stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .find(|object: &Value| object["verdict"] == "failed")
            .unwrap();
        let causes = failed["diagnosis"].to_string();
        assert!(!causes.contains("hostaddr from"), "{causes}");
        assert_eq!(failed["stages"][2]["name"], "dns");
        assert_eq!(failed["stages"][2]["status"], "ok", "{failed}");

        // In every form each has a name of its own, and why it is only sometimes that a client fails.
        let port = replicas.servers[0].address.port();
        for format in ["human", "markdown", "html"] {
            let report = replicas.check(["--format", format, &conninfo]);
            report.exits(8);
            let name = format!("{NAME}:{port} at 127.0.0.2");
            assert!(report.stdout.contains(&name), "{report}");
            let words = format!("{NAME}: fails at 127.0.0.2 (hostname-mismatch), passes at 2 others");
            assert!(report.stdout.contains(&words), "{report}");
            assert!(report.stdout.contains("verified 2 of 3"), "{report}");
        }
        let verbose = replicas.check(["-v", &conninfo]);
        for last in 1..=3 {
            assert!(verbose.stdout.contains(&format!("{NAME}:{port} at 127.0.0.{last}")), "{verbose}");
        }
        let junit = replicas.check(["--format", "junit", &conninfo]).stdout;
        assert!(junit.contains(r#"tests="3" failures="1""#), "{junit}");
        assert!(junit.contains(&format!(r#"name="{NAME}:{port} at 127.0.0.2""#)), "{junit}");
        let series = replicas.check(["--format", "prometheus", &conninfo]).stdout;
        for (last, value) in [(1, 1), (2, 0), (3, 1)] {
            let labels = format!(r#"{{host="{NAME}",port="{port}",address="127.0.0.{last}"}} {value}"#);
            assert!(series.contains(&format!("pgtls_check_success{labels}")), "{series}");
        }
        let nagios = replicas.check(["--format", "nagios", &conninfo]);
        nagios.exits(2);
        assert!(nagios.stdout.contains("at 127.0.0.2: hostname-mismatch"), "{nagios}");
        let table = replicas.check(["--format", "csv", &conninfo]).stdout;
        let addresses: Vec<&str> = table.lines().skip(1).filter_map(|row| row.split(',').nth(3)).collect();
        assert_eq!(addresses, ["127.0.0.1", "127.0.0.2", "127.0.0.3"]);
        for format in ["github", "azure-pipelines"] {
            let report = replicas.check(["--format", format, &conninfo]);
            assert!(report.stdout.contains("at 127.0.0.2"), "{report}");
        }
    });
}

#[test]
fn every_host_of_a_list_is_checked_by_itself() {
    alone("each::every_host_of_a_list_is_checked_by_itself", || {
        let replicas = Replicas::new();
        let Replicas { home, conninfo, .. } = &replicas;
        let two = format!("host={NAME},{NAME} hostaddr=127.0.0.1,127.0.0.2 {conninfo}");
        let report = replicas.check(["--format", "json", &two]);
        assert_eq!(members(&report), expected(&BY_ITSELF[..2]), "{report}");
        // What kind of server is wanted is a choice among the members: none is at fault for what it is.
        let kind = format!("{two} target_session_attrs=read-write load_balance_hosts=random");
        assert_eq!(members(&replicas.check(["--format", "json", &kind])), expected(&BY_ITSELF[..2]));
        // A fleet: line and place are those of the list, whatever a line turns out to be.
        let missing = format!("host={NAME},none.invalid connect_timeout=5 {conninfo}");
        let list = home.write("fleet.txt", format!("{missing}\nhost=standby.example {conninfo}\n"));
        let list = list.to_str().unwrap();
        let report = replicas.check(["--format", "json", "--from", list]);
        let mut seen: Vec<(u64, u64, String, String)> = report
            .stdout
            .lines()
            .map(|line| {
                let object: Value = serde_json::from_str(line).unwrap();
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                let line = object["source"]["line"].as_u64().unwrap();
                let host = object["member"]["host"].as_u64().unwrap();
                (line, host, text(&object["member"]["address"]), text(&object["diagnosis"]["stage"]))
            })
            .collect();
        seen.sort();
        let row = |line, host, address: &str, stage: &str| (line, host, address.to_owned(), stage.to_owned());
        assert_eq!(
            seen,
            [
                row(1, 1, "127.0.0.1", ""),
                row(1, 1, "127.0.0.2", "certificate"),
                row(1, 1, "127.0.0.3", ""),
                row(1, 2, "", "dns"),
                row(2, 1, "127.0.0.3", "certificate"),
            ],
            "{report}"
        );
        let human = replicas.check(["--from", list]);
        human.exits(4);
        assert!(human.stdout.contains("verified 2 of 5"), "{human}");
        let words = format!("{NAME}, none.invalid: fails at {NAME}");
        assert!(human.stdout.contains(&words), "{human}");
        replicas.asked();
        // Targets that ask the same are asked together, each member once.
        let list = home.write("same.txt", format!("host={NAME} {conninfo}\n").repeat(4));
        let report = replicas.check(["--tls-only", "--format", "json", "--from", list.to_str().unwrap()]);
        assert_eq!(report.stdout.lines().count(), 12, "{report}");
        assert_eq!(replicas.asked(), [1, 1, 1]);
    });
}

/// What cannot be taken apart is checked as it is, once.
#[test]
fn a_target_with_wrong_settings_ends_as_it_does_by_itself() {
    let home = Home::new();
    let wrong = [
        "host=a,b sslmode=foo user=u",
        "host=a,b port=1,2,3 user=u",
        "service=nosuch",
        "host='",
        "user= host=a",
    ];
    for target in wrong {
        let single = Tool::at(&home).with([target]).run();
        for (rows, report) in [
            (1, Tool::at(&home).with(["--each", "--format", "csv", target]).run()),
            (2, Tool::at(&home).with(["--each", "--format", "csv", target, target]).run()),
        ] {
            report.exits(single.status.unwrap());
            assert_eq!(report.stdout.lines().count(), 1 + rows, "{}", report.stdout);
        }
    }
}
