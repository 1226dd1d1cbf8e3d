//! Fleets of a thousand: what they take of time and memory, and that nobody's result depends on another's server.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::home::Home;
use crate::support::network::{alone, filter};
use crate::support::odd_pki::{Key, Kind};
use crate::support::pki::{Algorithm, Chain};
use crate::support::scripted_server::{Login, ScriptedServer, Tls};
use crate::support::tool::Tool;

const NAME: &str = "db.example";

fn serve(chain: &Chain) -> ScriptedServer {
    let der = [&chain.leaf, &chain.intermediate].map(|identity| identity.certificate.to_der().unwrap());
    let key = Key { kind: Kind::P256, private: chain.leaf.key.clone() };
    ScriptedServer::start(&der, &key, &Tls { login: Login::Open, ..Tls::default() })
}

/// A listener that meets each client with this; its thread ends with the process.
fn hostile(answer: fn(&mut std::net::TcpStream) -> std::io::Result<()>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            thread::spawn(move || answer(&mut client));
        }
    });
    port
}

/// Reads SSLRequest and answers `S`.
fn accepts(client: &mut std::net::TcpStream) -> std::io::Result<()> {
    client.read_exact(&mut [0; 8])?;
    client.write_all(b"S")
}

/// Addresses that swallow every packet take what the limit of each and the number at once say, and no more.
#[test]
fn a_thousand_dead_addresses_take_no_longer_than_their_limits() {
    alone("scale::a_thousand_dead_addresses_take_no_longer_than_their_limits", || {
        filter("tcp dport 5432 drop");
        let home = Home::new();
        let lines = (0..1000).map(|n: u32| {
            format!(
                "host=127.0.{}.{} sslmode=require connect_timeout=2 user=u dbname=d\n",
                n / 250,
                1 + n % 250
            )
        });
        let list = home.write("fleet.txt", lines.collect::<String>());
        let begin = Instant::now();
        let report = Tool::at(&home)
            .with(["--jobs", "500", "--format", "json", "--from", list.to_str().unwrap()])
            .run();
        let took = begin.elapsed();
        report.exits(5);
        assert_eq!(report.stdout.matches("\"code\":\"tcp-timeout\"").count() / 2, 1000, "{report}");
        // 2 s each, 500 at once; the rest is for a debug build on a busy machine.
        assert!(took >= Duration::from_secs(4) && took < Duration::from_secs(8), "{took:?}");
    });
}

/// One server of a hundred does its worst: each other has the result that it has alone.
#[test]
fn hostile_servers_change_nobody_elses_result() {
    let home = Home::new();
    let chain = Chain::honest(NAME, Algorithm::Ecdsa);
    let server = serve(&chain);
    let root = home.write("root.pem", chain.root.pem());
    let line = |port: u16, number: usize| {
        format!(
            "host={NAME} hostaddr=127.0.0.1 port={port} user=u{number} dbname=d connect_timeout=10 sslmode=verify-full \
             sslrootcert={}\n",
            root.display()
        )
    };
    let silent = hostile(|client| client.read_to_end(&mut Vec::new()).map(drop));
    let endless = hostile(|client| {
        accepts(client)?;
        loop {
            client.write_all(&[0x16; 16384])?;
        }
    });
    let dripping = hostile(|client| {
        accepts(client)?;
        loop {
            client.write_all(&[0x16])?;
            thread::sleep(Duration::from_millis(50));
        }
    });
    let cut = hostile(accepts);
    let bad = [silent, endless, dripping, cut];
    let mut lines = Vec::new();
    for number in 0..400 {
        lines.push(line(server.address.port(), number));
        if number % 100 == 50 {
            lines.push(line(bad[number / 100], number));
        }
    }
    let list = home.write("fleet.txt", lines.concat());
    let report =
        Tool::at(&home).with(["--jobs", "16", "--format", "json", "--from", list.to_str().unwrap()]).run();
    let objects: Vec<Value> = report.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(objects.len(), 404);
    for object in &objects {
        let is_bad = bad.iter().any(|port| object["target"]["port"] == *port);
        assert_eq!(object["verdict"], if is_bad { "failed" } else { "verified" }, "{object}");
    }
}

/// The largest that a run gets, in MiB.
fn peak(home: &Home, options: &[&str]) -> f64 {
    let mut command = home.command(Tool::PROGRAM);
    let mut child = command.args(options).stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let size = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u32>().ok());
        peak = peak.max(size.unwrap_or(0));
        thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(child.wait().unwrap().code(), Some(0));
    f64::from(peak) / 1024.0
}

/// What a run takes is what the checks take that go on at once, and little for each line of the list.
#[test]
fn a_long_list_needs_little_more_memory_than_a_short_one() {
    let home = Home::new();
    let chain = Chain::honest(NAME, Algorithm::Ecdsa);
    let server = serve(&chain);
    let root = home.write("root.pem", chain.root.pem());
    let port = server.address.port();
    // All lead to one listener, and each asks something else of it.
    let line = |number: usize| {
        format!(
            "host={NAME} hostaddr=127.0.0.1 port={port} user=u dbname=d sslmode=verify-full sslrootcert={} keepalives_idle={}\n",
            root.display(),
            number + 1
        )
    };
    let mut peaks = [100, 1000].map(|count| {
        let list = home.write("fleet.txt", (0..count).map(line).collect::<String>());
        let peak = peak(
            &home,
            &["--tls-only", "--jobs", "16", "--format", "json", "--from", list.to_str().unwrap()],
        );
        assert_eq!(server.connections().len(), count);
        peak
    });
    peaks.sort_by(f64::total_cmp);
    assert!(peaks[0] > 4.0 && peaks[1] - peaks[0] < 3.0, "{peaks:?} MiB");
}
