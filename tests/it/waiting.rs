//! `--wait`: how often a server is asked meanwhile; `--jobs`: how many targets there is room for.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

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
    // Rounds begin after 0, 0.5 and 1.5 s; the next one would be after 3.5 s.
    let report = Tool::at(&home).with(["--wait=3"]).check(&conninfo(address));
    assert_eq!(report.at("/looks").as_array().map(Vec::len), Some(3), "{report}");
    assert_eq!(count.swap(0, Ordering::SeqCst), 4 + 1 + 4);
    let report = Tool::at(&home).with(["--wait=3", "--no-try"]).check(&conninfo(address));
    assert_eq!(report.at("/looks").as_array().map(Vec::len), Some(0), "{report}");
    assert_eq!(count.load(Ordering::SeqCst), 3);
}

#[test]
fn waiting_ends_when_the_failure_is_one_that_it_cannot_cure() {
    let home = Home::new();
    let (address, _) = server(|before| if before < 2 { b"" } else { b"N" });
    let report = Tool::at(&home).with(["--wait=60", "--no-try"]).check(&conninfo(address));
    report.exits(6);
    assert_eq!(report.at("/diagnosis/code"), "server-refused-tls", "{report}");
}

/// Sockets beyond the limit would fail, and the server would be blamed.
#[cfg(unix)]
#[test]
fn no_more_targets_are_checked_at_once_than_there_are_sockets_for() {
    let home = Home::new();
    let (address, count) = server(|_| b"N");
    let targets = home.write("targets.txt", format!("{}\n", conninfo(address)).repeat(300));
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
