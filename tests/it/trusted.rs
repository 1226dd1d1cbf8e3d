//! What a server is told before it is trusted: a server that this check refuses, now or under its own name and roots,
//! sees SSLRequest and a ClientHello, and neither user, database, password nor a client certificate.

use serde_json::Value;

use crate::support::home::Home;
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
        let conninfo = format!("{good} {change}");
        for command in [&[][..], &["--tls-only"], &["audit"]] {
            let mut tool = Tool::at(&home).env("SSL_CERT_FILE", store.to_str().unwrap());
            for word in command {
                tool = tool.with([*word]);
            }
            let report = tool.check(&conninfo);
            report.diagnosed(code);
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
