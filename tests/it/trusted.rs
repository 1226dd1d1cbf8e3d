//! What a server is told before it is trusted: a server that this check refuses, now or under its own name and roots,
//! sees SSLRequest and a ClientHello, and neither user, database, password nor a client certificate.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::support::home::Home;
use crate::support::network::{alone, relay, resolver};
use crate::support::odd_pki::{Key, Kind};
use crate::support::pki::{Algorithm, Chain, Draft};
use crate::support::scripted_server::{ConnectionRecord, Login, ScriptedServer, Tls};
use crate::support::site::{NAME, PASSWORD};
use crate::support::tool::{Report, Tool};

/// A server of this chain that takes any password, and asks for a client certificate.
fn serve(chain: &Chain, login: Login) -> ScriptedServer {
    let der = [&chain.leaf, &chain.intermediate].map(|identity| identity.certificate.to_der().unwrap());
    let key = Key { kind: Kind::P256, private: chain.leaf.key.clone() };
    ScriptedServer::start(&der, &key, &Tls { login, asks_for_certificate: true, ..Tls::default() })
}

/// A chain whose leaf is valid for so many days from now.
fn chain(days: (i64, i64)) -> Chain {
    let root = Draft::authority("the root", Algorithm::Ecdsa).days(-1000, 3650).self_signed();
    let intermediate =
        Draft::authority("the intermediate", Algorithm::Ecdsa).days(-1000, 3650).signed_by(&root);
    let leaf = Draft::server(NAME, Algorithm::Ecdsa).days(days.0, days.1).signed_by(&intermediate);
    Chain { root, intermediate, leaf }
}

/// A home with the chain's root and a client certificate in the default place, and a string that uses all of it.
fn identified(chain: &Chain, server: &ScriptedServer) -> (Home, String) {
    let home = Home::new();
    let root = home.write("root.pem", chain.root.pem());
    let client = Draft::server("me", Algorithm::Ecdsa).self_signed();
    home.write(".postgresql/postgresql.crt", client.pem());
    home.write(".postgresql/postgresql.key", client.key_pem());
    let conninfo = format!(
        "host={NAME} hostaddr=127.0.0.1 port={} user=me dbname=app password={PASSWORD} sslmode=verify-full \
         sslrootcert={}",
        server.address.port(),
        root.display()
    );
    (home, conninfo)
}

/// The day so many days from now.
fn day(days: i64) -> String {
    let now =
        i64::try_from(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs());
    pgtls_check::timestamp::Timestamp::from_unix(now.unwrap() + days * 86_400).unwrap().date()
}

#[track_caller]
fn told_nothing(connections: &[ConnectionRecord]) {
    assert!(!connections.is_empty(), "nobody came");
    for connection in connections {
        assert!(!connection.told_something(), "{connection:?}");
    }
}

fn last_line(report: &Report) -> &str {
    report.stdout.lines().last().unwrap_or_default()
}

#[test]
fn another_date_changes_neither_the_verdict_nor_what_is_sent() {
    let expired = chain((-200, -100));
    let server = serve(&expired, Login::ClearText);
    let (home, conninfo) = identified(&expired, &server);
    let past = day(-150);
    let report = Tool::at(&home).with(["--as-of", &past]).check(&conninfo);
    report.exits(8).diagnosed("certificate-expired");
    report.says("/as_of/verdict", "verified").says("/as_of/exit_code", 0);
    report.says("/as_of/diagnosis", Value::Null).says("/as_of/date", format!("{past}T00:00:00Z"));
    told_nothing(&server.connections());
    let page = Tool::at(&home).with(["--as-of", &past, &conninfo]).run();
    let (start, end) = (format!("failed  {NAME}:"), format!("as of {past}: verified  exit 8"));
    assert!(last_line(&page).starts_with(&start) && last_line(&page).contains(&end), "{page}");
    told_nothing(&server.connections());
}

#[test]
fn both_dates_must_hold() {
    let chain = chain((-100, 40));
    let server = serve(&chain, Login::ClearText);
    let (home, conninfo) = identified(&chain, &server);
    let (near, far) = (day(20), day(60));

    let report = Tool::at(&home).with(["--as-of", &near]).check(&conninfo);
    report.verified().says("/as_of/verdict", "verified").stage("session", "ok");
    report
        .says("/as_of/warnings/0/code", "certificate-expires-soon")
        .says("/warnings/0/code", "clear-text-password-requested")
        .says("/warnings/1", Value::Null);
    let denied = Tool::at(&home).with(["--as-of", &near, "--deny=certificate-expires-soon"]).check(&conninfo);
    denied.exits(10).says("/as_of/warnings/0/denied", true).says("/as_of/exit_code", 10);

    let report = Tool::at(&home).with(["--as-of", &far]).check(&conninfo);
    report.exits(8).says("/verdict", "verified").says("/exit_code", 8).says("/diagnosis", Value::Null);
    report.says("/as_of/verdict", "failed").says("/as_of/diagnosis/code", "certificate-expired");
    report.stage("certificate", "ok").stage("session", "ok");
    let days = report.at("/as_of/diagnosis/evidence/days_past").as_i64().expect("a number");
    assert!((19..=20).contains(&days), "{report}");
    for format in ["nagios", "csv"] {
        let line = Tool::at(&home).with(["--as-of", &far, "--format", format, &conninfo]).run();
        assert!(line.stdout.contains(&format!("as of {far}")), "{line}");
    }

    for (date, words, block) in [
        (&near, "verified", "warning[certificate-expires-soon] as of"),
        (&far, "failed, certificate-expired  exit 8", "error[certificate-expired] as of"),
    ] {
        for options in [&[][..], &["-v"]] {
            let mut tool = Tool::at(&home).with(["--as-of", date]);
            for option in options {
                tool = tool.with([*option]);
            }
            let page = tool.with([&conninfo]).run();
            let end = format!("as of {date}: {words}");
            assert!(last_line(&page).starts_with("verified  ") && last_line(&page).contains(&end), "{page}");
            assert!(page.stdout.contains(&format!("{block} {date}: ")), "{page}");
            let picture = format!("as of {date}, judged of the chain");
            assert_eq!(page.stdout.contains(&picture), !options.is_empty(), "{page}");
        }
    }
    // Of many, those count that hold on both dates.
    home.write("targets", format!("{conninfo}\n{conninfo}\n"));
    let many = Tool::at(&home).with(["--as-of", &far, "--from", "targets"]).run();
    many.exits(8);
    let counted = format!("verified 0 of 2, now and as of {far}  failed 2");
    assert!(last_line(&many).starts_with(&counted), "{many}");
    assert!(
        many.stdout.contains(&format!("error[certificate-expired] for 2 targets as of {far}: ")),
        "{many}"
    );
}

#[test]
fn without_a_chain_nothing_is_judged_as_of_another_date() {
    let (chain, home) = (chain((-100, 40)), Home::new());
    let root = home.write("root.pem", chain.root.pem());
    let conninfo = format!(
        "host={NAME} hostaddr=127.0.0.1 port={} sslrootcert={}",
        crate::support::service::free_port(),
        root.display()
    );
    let report = Tool::at(&home).with(["--as-of", "2026-01-01"]).check(&conninfo);
    report.exits(5).diagnosed("tcp-refused");
    report.says("/as_of/verdict", Value::Null).says("/as_of/date", "2026-01-01T00:00:00Z");
    let page = Tool::at(&home).with(["--as-of", "2026-01-01", &conninfo]).run();
    assert!(last_line(&page).contains("as of 2026-01-01: not judged  exit 5"), "{page}");
}

/// Leads to a server, and tells what each connection sent there.
fn recording(server: SocketAddr) -> (u16, Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let (tell, told) = channel();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let (upstream, tell) = (TcpStream::connect(server).expect("the server"), tell.clone());
            let (mut back, mut to_client) = (upstream.try_clone().unwrap(), client.try_clone().unwrap());
            thread::spawn(move || {
                // Either end may go first.
                let _ = std::io::copy(&mut back, &mut to_client);
                let _ = to_client.shutdown(Shutdown::Write);
            });
            thread::spawn(move || {
                let (mut client, mut upstream, mut sent) = (client, upstream, Vec::new());
                let mut part = [0; 4096];
                while let Ok(length @ 1..) = client.read(&mut part) {
                    sent.extend(&part[..length]);
                    if upstream.write_all(&part[..length]).is_err() {
                        break;
                    }
                }
                let _ = upstream.shutdown(Shutdown::Write);
                let _ = tell.send(sent);
            });
        }
    });
    (port, told)
}

/// Whether these bytes are SSLRequest, a ClientHello and what else ends a handshake: at most an empty certificate,
/// Finished and alerts, which no certificate and no login fits into.
fn is_a_handshake_at_most(bytes: &[u8]) -> bool {
    const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];
    let mut rest = bytes.strip_prefix(&SSL_REQUEST[..]).unwrap_or(bytes);
    let (mut hello, mut encrypted) = (true, 0);
    while let [kind, 3, _, high, low, after @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let Some((record, next)) = after.split_at_checked(length) else { return false };
        match (kind, hello) {
            (22, true) if record.first() == Some(&1) => hello = false,
            (20 | 21, false) => {}
            (23, false) => encrypted += length,
            _ => return false,
        }
        rest = next;
    }
    rest.is_empty() && encrypted <= 140
}

/// The trials of a fix verify the server under another name, other roots or no CRL; the check itself did not.
#[test]
fn a_client_certificate_goes_to_no_server_that_the_check_refused() {
    let honest = chain((-100, 40));
    let server = serve(&honest, Login::Open);
    let (home, good) = identified(&honest, &server);
    home.write("other/roots.pem", Draft::authority("another", Algorithm::Ecdsa).self_signed().pem());
    home.write("other/right.pem", honest.root.pem());
    let store = home.join("root.pem");
    for (change, code) in [
        ("host=localhost", "hostname-mismatch"),
        ("host=127.0.0.1 hostaddr=''", "hostname-mismatch"),
        ("host=orders.example", "hostname-mismatch"),
        ("sslrootcert=other/roots.pem", "root-not-in-file"),
        ("sslrootcert=no-such.pem", "root-file-missing"),
        ("sslcrldir=no-such", "crl-missing"),
    ] {
        let (port, sent) = recording(server.address);
        let conninfo = format!("{good} {change} port={port}");
        for command in [&[][..], &["--tls-only"], &["audit"]] {
            let mut tool = Tool::at(&home).env("SSL_CERT_FILE", store.to_str().unwrap());
            for word in command {
                tool = tool.with([*word]);
            }
            let report = tool.check(&conninfo);
            report.diagnosed(code);
            let first = sent.recv_timeout(Duration::from_secs(5)).expect("a connection");
            for bytes in std::iter::once(first).chain(sent.try_iter()) {
                assert!(is_a_handshake_at_most(&bytes), "{change} {command:?} sent {bytes:02x?}");
            }
            let connections = server.connections();
            for connection in &connections {
                assert!(!connection.told_something(), "{change} {command:?}: {connection:?}\n{report}");
            }
            if command.is_empty() && change == "host=localhost" {
                report.says("/diagnosis/fixes/0/tried", "works");
                assert!(
                    connections.iter().any(|connection| connection.encrypted),
                    "the fix was tried: {connections:?}"
                );
            }
        }
    }
    // The neighbour: a server that the check accepts is told.
    Tool::at(&home).check(&good).verified();
    assert!(
        server.connections().iter().any(|connection| connection.certificate && connection.startup.is_some())
    );
    Tool::at(&home).with(["audit"]).check(&good).exits(0);
    assert!(server.connections().iter().any(|connection| connection.certificate));
}

/// orders.example and a second server of the same CA, db1.example, with whom it shares a port: the one at 127.0.0.1, where
/// the resolver has every name, the other at 127.0.0.2.
struct Neighbours {
    home: Home,
    meant: ScriptedServer,
    other: ScriptedServer,
    conninfo: String,
    /// The names that the resolver was asked for.
    asked: Receiver<String>,
}

impl Neighbours {
    fn new() -> Self {
        let root = Draft::authority("the root", Algorithm::Ecdsa).self_signed();
        let serve = |name: &str| {
            let intermediate = Draft::authority("the intermediate", Algorithm::Ecdsa).signed_by(&root);
            let leaf = Draft::server(name, Algorithm::Ecdsa).signed_by(&intermediate);
            self::serve(&Chain { root: root.clone(), intermediate, leaf }, Login::ClearText)
        };
        let (home, meant, other) = (Home::new(), serve("orders.example"), serve("db1.example"));
        let asked = resolver(&home, "timeout:1 attempts:1");
        let at = SocketAddr::from(([127, 0, 0, 2], meant.address.port()));
        relay(at, other.address, usize::MAX, Duration::ZERO);
        let conninfo = format!(
            "host=orders.example port={} user=me dbname=app password={PASSWORD} sslmode=verify-full sslrootcert={}",
            meant.address.port(),
            home.write("root.pem", root.pem()).display()
        );
        Self { home, meant, other, conninfo, asked }
    }

    /// The check names what leads to the other server, and tells neither who comes.
    #[track_caller]
    fn led_astray(&self, tool: Tool, conninfo: &str, words: &[&str]) -> Report {
        let report = tool.check(conninfo);
        report.diagnosed("hostname-mismatch");
        // Where the address was set stands in the row of the address.
        let cause = format!("{} {}", report.at("/diagnosis/cause"), report.at("/diagnosis/evidence"));
        for word in words {
            assert!(cause.contains(word), "{word:?} is not in {cause}");
        }
        let first = report.at("/diagnosis/fixes/0").to_string();
        assert!(!first.contains("db1.example"), "the other server's word comes first: {report}");
        for fix in report.at("/diagnosis/fixes").as_array().expect("fixes") {
            let claimed = fix["settings"]["host"] == "db1.example";
            assert!(!claimed || fix["tried"].is_null(), "it would verify whoever answers: {report}");
        }
        told_nothing(&self.other.connections());
        for connection in self.meant.connections() {
            assert!(!connection.told_something(), "a trial tells nobody: {connection:?}");
        }
        report
    }
}

#[test]
fn what_leads_to_another_server_is_the_cause_and_its_removal_the_first_fix() {
    alone("trusted::what_leads_to_another_server_is_the_cause_and_its_removal_the_first_fix", || {
        let neighbours = Neighbours::new();
        let Neighbours { home, meant, conninfo, .. } = &neighbours;
        let port = meant.address.port();
        let leads = format!("127.0.0.2:{port} leads to db1.example, not to orders.example");
        let service = home.write("service.conf", "[orders]\nhostaddr=127.0.0.2\n");
        let typed = format!("{conninfo} hostaddr=127.0.0.2");
        let by_service = format!("{conninfo} service=orders");
        let file = service.to_str().unwrap();
        for (variable, conninfo, origin, fix) in [
            (
                Some(("PGHOSTADDR", "127.0.0.2")),
                conninfo,
                "environment variable PGHOSTADDR",
                "unset PGHOSTADDR",
            ),
            (None, &typed, "the connection string", "remove hostaddr from the connection string"),
            (Some(("PGSERVICEFILE", file)), &by_service, file, "remove hostaddr from [orders]"),
        ] {
            let tool = || match variable {
                Some((name, value)) => Tool::at(home).env(name, value),
                None => Tool::at(home),
            };
            let report = neighbours.led_astray(tool(), conninfo, &[&leads, origin]);
            let first = report.at("/diagnosis/fixes/0");
            assert_eq!(
                (&first["tried"], &first["settings"]["hostaddr"]),
                (&"works".into(), &"".into()),
                "{report}"
            );
            assert!(first["text"].to_string().contains(fix), "{report}");
            // A string for this environment, or the command that mends the environment.
            match first["conninfo"].as_str() {
                Some(cured) => {
                    tool().check(&format!("{cured} password={PASSWORD}")).verified();
                }
                None => {
                    assert_eq!(first["command"], "unset PGHOSTADDR", "{report}");
                    Tool::at(home).check(conninfo).verified();
                }
            }
            meant.connections();
        }
        // The neighbour: the name alone leads to the right server.
        Tool::at(home).check(conninfo).verified();
        meant.connections();

        // Without a resolver that knows the name, removing hostaddr is no remedy: the tunnel is.
        let unknown = conninfo.replace("orders.example", "none.example") + " hostaddr=127.0.0.2";
        let words = format!("127.0.0.2:{port} leads to db1.example, not to none.example");
        let report = neighbours.led_astray(Tool::at(home), &unknown, &[&words]);
        let first = report.at("/diagnosis/fixes/0/text").to_string();
        assert!(first.contains("let it end at none.example"), "{report}");

        // The hosts file.
        let hosts = home.write("hosts", "127.0.0.1 localhost\n\n127.0.0.2 db orders.example # moved\n");
        let mount = Command::new("mount").arg("--bind").arg(hosts).arg("/etc/hosts").status();
        assert!(mount.expect("mount").success());
        let report = neighbours.led_astray(Tool::at(home), conninfo, &[&leads, "/etc/hosts, line 3"]);
        let first = report.at("/diagnosis/fixes/0/text").to_string();
        assert!(first.contains("/etc/hosts, line 3: remove orders.example"), "{report}");
        // Without that line DNS is asked, and there the right server is.
        report.says("/diagnosis/fixes/0/tried", "works");
        let untried = Tool::at(home).with(["--no-try"]).check(conninfo);
        assert!(untried.at("/diagnosis/fixes/0/tried").is_null(), "{untried}");
        for name in neighbours.asked.try_iter() {
            assert!(["orders.example", "none.example"].contains(&name.as_str()), "{name:?} was asked for");
        }
        // Where DNS has no such name, or the other server's address, the line is not what to remove.
        let hosts = home.write("hosts", "127.0.0.2 none.example orders.example\n");
        let mount = Command::new("mount").arg("--bind").arg(hosts).arg("/etc/hosts").status();
        assert!(mount.expect("mount").success());
        let unknown = conninfo.replace("orders.example", "none.example");
        let words = format!("127.0.0.2:{port} leads to db1.example, not to none.example");
        let report = neighbours.led_astray(Tool::at(home), &unknown, &[&words, "/etc/hosts, line 1"]);
        assert!(!report.at("/diagnosis/fixes").to_string().contains("so that DNS says"), "{report}");

        // DNS itself, a slip of the hand, and this machine's own name for a tunnel.
        for host in ["other.example", "db2.example"] {
            let at = conninfo.replace("orders.example", host);
            let report = Tool::at(home).check(
                &at.replace(&format!("port={port}"), &format!("port={}", neighbours.other.address.port())),
            );
            report.diagnosed("hostname-mismatch");
            assert!(!report.at("/diagnosis/fixes/0").to_string().contains("\"host\":\"db1"), "{report}");
            told_nothing(&neighbours.other.connections());
        }
        let tunnel = conninfo.replace("orders.example", "localhost") + " hostaddr=127.0.0.2";
        let report = Tool::at(home).check(&tunnel);
        report.diagnosed("hostname-mismatch").says("/diagnosis/fixes/0/settings/host", "db1.example");
        report.says("/diagnosis/fixes/0/tried", "works");
        told_nothing(&neighbours.other.connections());
    });
}

/// Whatever the CA calls itself, and wherever its certificate lies on this machine.
#[test]
fn nobody_is_told_to_trust_who_answers_in_place_of_a_provider() {
    const HOST: &str = "demo.postgres.database.azure.com";
    let other = Draft::authority("another", Algorithm::Ecdsa).self_signed();
    for name in ["Corporate Root CA", "DigiCert Global Root G2", "Microsoft Azure RSA TLS Issuing CA 08"] {
        let root = Draft::authority(name, Algorithm::Ecdsa).self_signed();
        let intermediate = Draft::authority("Issuing CA 1", Algorithm::Ecdsa).signed_by(&root);
        let leaf = Draft::server(HOST, Algorithm::Ecdsa).signed_by(&intermediate);
        let chain = Chain { root, intermediate, leaf };
        let server = serve(&chain, Login::ClearText);
        let (home, conninfo) = identified(&chain, &server);
        // The CA lies in the machine's store, beside the file, and in libpq's default place.
        let store = home.write("store.pem", chain.root.pem());
        home.write("files/corporate.pem", chain.root.pem());
        home.write(".postgresql/root.crt", chain.root.pem());
        home.write("files/roots.pem", other.pem());
        let conninfo = conninfo.replace(NAME, HOST);
        for (file, code) in [("files/roots.pem", "tls-inspection"), ("files/none.pem", "root-file-missing")] {
            let tool = Tool::at(&home).env("SSL_CERT_FILE", store.to_str().unwrap());
            let report = tool.check(&format!("{conninfo} sslrootcert={file}"));
            report.diagnosed(code);
            for fix in report.at("/diagnosis/fixes").as_array().expect("fixes") {
                let text = fix["text"].to_string();
                let bad =
                    ["corporate.pem", "root.crt", "ssl_cert_file", "get the root", "intermediate after"];
                assert!(!bad.iter().any(|words| text.contains(words)), "{name}: {fix} in {report}");
                assert_ne!(fix["tried"], "works", "{name}: {fix} in {report}");
            }
            told_nothing(&server.connections());
        }
    }
}
