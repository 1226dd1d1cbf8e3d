//! `--wait`: how often a server is asked meanwhile; `--jobs`: how many targets there is room for.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::home::Home;
use crate::support::tool::Tool;

/// A server that answers SSLRequest like this and counts; its thread ends with the process.
fn server(answer: impl Fn(usize) -> &'static [u8] + Send + 'static) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    thread::spawn(move || {
        for client in listener.incoming() {
            let Ok(mut client) = client else { continue };
            let before = counted.fetch_add(1, Ordering::SeqCst);
            // A client that is gone is no matter.
            let _ = client.read_exact(&mut [0; 8]).and_then(|()| client.write_all(answer(before)));
        }
    });
    (address, count)
}

fn conninfo(address: SocketAddr) -> String {
    format!("host=127.0.0.1 port={} user=u dbname=d sslmode=require", address.port())
}

#[test]
fn a_server_is_looked_at_closely_when_the_failure_is_new_and_in_the_last_round() {
    let home = Home::new();
    // It closes the connection instead of an answer; the looks are a second SSLRequest and two ClientHellos, one of them
    // without ALPN.
    let (address, count) = server(|_| b"");
    let report = Tool::at(&home).check(&conninfo(address));
    assert_eq!(report.at("/diagnosis/code"), "negotiation-closed", "{report}");
    assert_eq!(report.at("/looks").as_array().map(Vec::len), Some(3), "{report}");
    assert_eq!(count.swap(0, Ordering::SeqCst), 4);
    // Tries begin after 0, 0.5 and 1.5 s and, since the next one would be after 3.5 s, just before the limit.
    let report = Tool::at(&home).with(["--wait=3"]).check(&conninfo(address));
    assert_eq!(report.at("/looks").as_array().map(Vec::len), Some(3), "{report}");
    assert_eq!(count.swap(0, Ordering::SeqCst), 4 + 1 + 1 + 4);
    let report = Tool::at(&home).with(["--wait=3", "--no-try"]).check(&conninfo(address));
    assert_eq!(report.at("/looks").as_array().map(Vec::len), Some(0), "{report}");
    assert_eq!(count.load(Ordering::SeqCst), 4);
}

#[test]
fn waiting_ends_when_the_failure_is_one_that_it_cannot_cure() {
    let home = Home::new();
    let (address, _) = server(|before| if before < 2 { b"" } else { b"N" });
    let report = Tool::at(&home).with(["--wait=60", "--no-try"]).check(&conninfo(address));
    report.exits(6);
    assert_eq!(report.at("/diagnosis/code"), "server-refused-tls", "{report}");
}

/// A port at which nobody listens until somebody binds it.
fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

#[test]
fn the_limit_is_kept_to_the_second_and_the_report_says_so() {
    let home = Home::new();
    let address = free_port();
    for (limit, least) in [("1", 2), ("4", 4)] {
        let begin = Instant::now();
        let report = Tool::at(&home).with([&format!("--wait={limit}")]).with(["-h", "127.0.0.1"]);
        let report = report.check(&conninfo(address));
        let took = begin.elapsed().as_secs_f64();
        let limit: f64 = limit.parse().unwrap();
        report.exits(5).diagnosed("tcp-refused");
        assert!((limit - 0.5..limit + 1.0).contains(&took), "{took} s: {report}");
        let tries = report.at("/tries").as_u64().unwrap();
        assert!((least..=least + 1).contains(&tries), "{report}");
        let waited = report.at("/waited_s").as_f64().unwrap();
        assert!((limit - 0.5..limit + 1.0).contains(&waited), "{report}");
        let lines: Vec<&str> = report.stderr.lines().collect();
        let [waits, gave_up] = lines.as_slice() else { panic!("{report}") };
        assert!(waits.starts_with("waiting for 127.0.0.1:"), "{report}");
        assert!(waits.contains(": tcp-refused: "), "{report}");
        assert!(gave_up.ends_with(&format!(": gave up after {limit} s, {tries} tries")), "{report}");
    }
}

/// A server that never answers takes as long as the limit, not as long as connect_timeout.
#[test]
fn a_try_is_cut_short_at_the_limit() {
    let home = Home::new();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let begin = Instant::now();
    let report = Tool::at(&home).with(["--wait=2"]).check(&conninfo(silent.local_addr().unwrap()));
    assert!(begin.elapsed() < Duration::from_secs(4), "{report}");
    report.exits(6);
    assert_eq!(report.at("/tries"), 1, "{report}");
    let waited = report.at("/waited_s").as_f64().unwrap();
    assert!((1.9..3.0).contains(&waited), "{report}");
    assert!(report.stderr.ends_with(&format!(": gave up after {waited:.0} s, 1 try\n")), "{report}");
}

#[test]
fn whoever_has_waited_is_not_told_to_wait() {
    let home = Home::new();
    let address = free_port();
    let once = Tool::at(&home).with([&conninfo(address)]).run();
    assert!(once.stdout.contains("--wait"), "{once}");
    assert!(!once.stdout.contains("gave up"), "{once}");
    let waited = Tool::at(&home).with(["--wait=1", &conninfo(address)]).run();
    assert!(!waited.stdout.contains("--wait"), "{waited}");
    let last = waited.stdout.lines().last().unwrap_or_default();
    assert!(last.contains("  exit 5  gave up after 1 s, ") && last.ends_with(" tries"), "{waited}");
    // Standard error said for what, and the report says the rest.
    assert_eq!(waited.stderr.lines().count(), 1, "{waited}");
    let quiet = Tool::at(&home).with(["-q", "--wait=1", &conninfo(address)]).run();
    assert_eq!(quiet.stderr, "", "{quiet}");
}

#[test]
fn a_server_that_comes_up_late_is_waited_for() {
    let home = Home::new();
    // It closes the connection twice, and then offers no TLS: no cure for that.
    let address = free_port();
    let late = thread::spawn(move || {
        thread::sleep(Duration::from_millis(1200));
        let listener = TcpListener::bind(address).unwrap();
        for answer in [b"".as_slice(), b"N"] {
            let (mut client, _) = listener.accept().unwrap();
            let _ = client.read_exact(&mut [0; 8]).and_then(|()| client.write_all(answer));
        }
    });
    let report = Tool::at(&home).with(["--wait=30", "--no-try"]).check(&conninfo(address));
    late.join().unwrap();
    report.exits(6).diagnosed("server-refused-tls");
    assert_eq!(report.at("/tries"), 4, "{report}");
    let waited = report.at("/waited_s").as_f64().unwrap();
    assert!(waited > 1.2 && waited < 20.0, "{report}");
    // A line for each change of the cause; what ended it is the report.
    let causes: Vec<&str> =
        report.stderr.lines().map(|line| line.split(": ").nth(1).unwrap_or_default()).collect();
    assert_eq!(causes, ["tcp-refused", "negotiation-closed"], "{report}");
}

#[test]
fn a_result_after_several_tries_says_how_many() {
    let home = Home::new();
    let (address, _) = server(|before| if before < 2 { b"" } else { b"N" });
    let report = Tool::at(&home).with(["--wait", "--no-try", &conninfo(address)]).run();
    let last = report.stdout.lines().last().unwrap_or_default();
    assert!(last.contains("  exit 6  after "), "{report}");
    assert!(last.ends_with(" s, 3 tries"), "{report}");
}

#[cfg(unix)]
#[test]
fn ctrl_c_reports_the_last_cause_of_each_target_that_waits() {
    let home = Home::new();
    let (address, count) = server(|_| b"");
    let other = free_port();
    for targets in [vec![conninfo(address)], vec![conninfo(address), conninfo(other)]] {
        let before = count.load(Ordering::SeqCst);
        let mut command = home.command(Tool::PROGRAM);
        command.args(["--wait", "--no-try", "--format", "json"]).args(&targets);
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = child.spawn().unwrap();
        // The second try follows the end of the first.
        while count.load(Ordering::SeqCst) < before + 2 {
            thread::sleep(Duration::from_millis(10));
        }
        let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
        assert!(killed.success());
        let output = child.wait_with_output().unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(130), "{stdout}");
        let mut reports: Vec<serde_json::Value> =
            stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        // JSON has the order in which targets ended.
        reports.sort_by_key(|report| report["diagnosis"]["code"].as_str().map(str::to_owned));
        assert_eq!(reports.len(), targets.len(), "{stdout}");
        for (report, code) in reports.iter().zip(["negotiation-closed", "tcp-refused"]) {
            assert_eq!(report["verdict"], "interrupted", "{stdout}");
            assert_eq!(report["exit_code"], 130, "{stdout}");
            assert_eq!(report["diagnosis"]["code"], code, "{stdout}");
            assert!(report["tries"].as_u64().unwrap() >= 1, "{stdout}");
        }
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(stderr.matches("interrupted after ").count(), targets.len(), "{stderr}");
    }
}

/// Sockets beyond the limit would fail, and the server would be blamed.
#[cfg(unix)]
#[test]
fn no_more_targets_are_checked_at_once_than_there_are_sockets_for() {
    let home = Home::new();
    let (address, count) = server(|_| b"N");
    // Each asks something else, for its own sake.
    let targets: String =
        (0..300).map(|n| format!("{} application_name=a{n}\n", conninfo(address))).collect();
    let targets = home.write("targets.txt", targets);
    let mut limited = std::process::Command::new("sh");
    limited.args(["-c", "ulimit -n 96 && exec \"$0\" \"$@\"", Tool::PROGRAM]);
    let targets = targets.to_str().unwrap();
    let report = Tool::by(&home, limited)
        .with(["--no-try", "--jobs", "300", "--format", "json", "--from", targets])
        .run();
    report.exits(6);
    let codes: Vec<&str> =
        report.stdout.lines().filter(|line| line.contains("\"server-refused-tls\"")).collect();
    assert_eq!(codes.len(), 300, "{report}");
    assert_eq!(count.load(Ordering::SeqCst), 300);
}
