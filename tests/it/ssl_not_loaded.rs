//! `ssl = on` that was not loaded: PostgreSQL goes on without TLS, and only its log has the reason. Each reason is
//! provoked on real servers; the fixes of `server-refused-tls` quote the log's words, and their commands cure what they
//! are for.

use std::time::{Duration, Instant};

use crate::support::home::Home;
use crate::support::pki::{Algorithm, Chain, Draft};
use crate::support::postgres::Postgres;
use crate::support::site::{NAME, OPEN};
use crate::support::tool::{Report, Tool};

/// A reason for which the files are not loaded.
struct Reason {
    /// The log's words, which a fix quotes.
    words: &'static str,
    certificates: String,
    key: String,
    /// What is done to the files then.
    then: &'static str,
    /// Whether a command of the fix cures it.
    cured: bool,
}

fn reasons(chain: &Chain) -> Vec<Reason> {
    let reason = |words, then, cured| Reason {
        words,
        certificates: chain.server_pem(),
        key: chain.leaf.key_pem(),
        then,
        cured,
    };
    let other = Draft::server(NAME, Algorithm::Ecdsa).signed_by(&chain.intermediate);
    vec![
        reason("has group or world access", "chmod 644 server.key", true),
        Reason {
            certificates: chain.intermediate.pem() + &chain.leaf.pem(),
            ..reason("key values mismatch", "", false)
        },
        Reason { key: other.key_pem(), ..reason("key values mismatch", "", false) },
        reason("could not access", "rm server.key", false),
        reason("could not load", "rm server.crt", false),
        Reason { certificates: "not PEM".to_owned(), ..reason("no start line", "", false) },
        reason(
            "requires a passphrase",
            "openssl pkey -in server.key -aes128 -passout pass:quartz -out locked.key && mv locked.key server.key",
            false,
        ),
    ]
}

fn check(home: &Home, server: &Postgres) -> Report {
    let root = home.join("root.pem");
    Tool::at(home).check(&format!(
        "host={NAME} hostaddr=127.0.0.1 port={} dbname=postgres user={OPEN} sslmode=verify-full sslrootcert={}",
        server.port(),
        root.display()
    ))
}

/// Waits for what a reload brings about.
#[track_caller]
fn awaited(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(5);
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn each_reason_is_in_the_log_and_in_a_fix() {
    let chain = Chain::honest(NAME, Algorithm::Ecdsa);
    for version in [15, 18] {
        for reason in reasons(&chain) {
            let home = Home::new();
            home.write("root.pem", chain.root.pem());
            let server = Postgres::version(version).trusted(OPEN).start();
            server.put(&[("server.crt", &reason.certificates), ("server.key", &reason.key)]);
            server.administer(reason.then);
            server.administer("psql -qc 'ALTER SYSTEM SET ssl = on' -c 'SELECT pg_reload_conf()'");
            let quoted = "SSL configuration was not reloaded";
            awaited(reason.words, || server.log().contains(quoted));
            let log = server.log();
            let before = log.split(quoted).next().unwrap();
            let last: Vec<&str> = before.lines().rev().take(3).collect();
            assert!(last.iter().any(|line| line.contains(reason.words)), "{version}: {log}");
            // The setting says otherwise, which is why the log is asked.
            assert_eq!(server.administer("psql -Atqc 'SHOW ssl'").trim(), "on");

            let report = check(&home, &server);
            report.exits(6).diagnosed("server-refused-tls");
            let json = report.json();
            let fixes = json["diagnosis"]["fixes"].as_array().unwrap();
            let says = |words: &str| {
                fixes.iter().find(|fix| fix["text"].as_str().is_some_and(|text| text.contains(words)))
            };
            // The command that finds the reason finds it; the comments between the commands say what each reason needs.
            let commands: Vec<&str> = says(quoted).unwrap()["command"].as_str().unwrap().lines().collect();
            let find = commands[0];
            let is_about = |line: &&str| line.starts_with('#') && line.contains(reason.words);
            let place = commands.iter().position(is_about);
            let place = place.unwrap_or_else(|| panic!("{}: {report}", reason.words));
            let log = home.write("log", server.log());
            let log = std::fs::read_to_string(&log).unwrap();
            server.put(&[("log", &log)]);
            let found = server.administer(&find.replace("LOGFILE", "log"));
            assert!(found.contains(reason.words), "{find}: {found}");
            if reason.cured {
                let command = commands[place + 1];
                // The account need not be called postgres here, and the files are its own.
                server.administer(&command.replace("chown postgres server.key", "true"));
                awaited(command, || check(&home, &server).status == Some(0));
            }
        }
    }
}

#[test]
fn the_comparison_of_keys_shows_whether_they_fit() {
    let chain = Chain::honest(NAME, Algorithm::Ecdsa);
    let home = Home::new();
    home.write("root.pem", chain.root.pem());
    let server = Postgres::version(15).trusted(OPEN).start();
    let json = check(&home, &server).json();
    let fixes = json["diagnosis"]["fixes"].as_array().unwrap();
    let mut commands = fixes.iter().filter_map(|fix| fix["command"].as_str()).flat_map(str::lines);
    commands.find(|line| line.contains("key values mismatch")).unwrap();
    let compare = commands.next().unwrap();
    let keys = |certificates: String| {
        server.put(&[("server.crt", &certificates), ("server.key", &chain.leaf.key_pem())]);
        let printed = server.administer(compare);
        let (first, second) = printed.split_at(printed.len() / 2);
        first == second
    };
    assert!(keys(chain.server_pem()));
    assert!(!keys(chain.intermediate.pem() + &chain.leaf.pem()));
}
