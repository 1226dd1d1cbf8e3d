//! The program among others: pipes that close, Ctrl-C, arguments of bytes, several strings at once.

use std::ffi::OsStr;
use std::io::Read;
use std::net::TcpListener;
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Stdio};

use crate::support::home::Home;
use crate::support::service::free_port;
use crate::support::tool::Tool;

#[test]
fn a_closed_pipe_does_not_turn_a_failure_into_a_success() {
    let home = Home::new();
    let refused = format!("host=127.0.0.1 port={}", free_port());
    for (status, arguments) in [
        (5, &[refused.as_str()][..]),
        (5, &[&refused, &refused]),
        (5, &["--format", "json", &refused, &refused]),
        (5, &["audit", &refused]),
        (2, &["--show-config", "--format", "json", "host=a port=x"]),
    ] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let mut command = home.command(Tool::PROGRAM);
        command.args(arguments).stdin(Stdio::null()).stdout(writer);
        let output = command.stderr(Stdio::piped()).output().expect("the program starts");
        assert_eq!(output.status.code(), Some(status), "{arguments:?}");
        assert!(output.stderr.is_empty(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn after_ctrl_c_the_last_line_counts_what_was_not_finished() {
    let home = Home::new();
    let silent = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let port = silent.local_addr().expect("its address").port();
    let mut child = home
        .command(Tool::PROGRAM)
        .args(["host=a port=x", &format!("host=db.example hostaddr=127.0.0.1 port={port}")])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let connection = silent.accept().expect("the second target is under way");
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
    assert!(killed.success());
    let mut report = String::new();
    child.stdout.take().expect("a pipe").read_to_string(&mut report).expect("output in UTF-8");
    assert_eq!(child.wait().expect("the program is ours").code(), Some(130), "{report}");
    drop(connection);
    assert!(report.contains("conninfo-invalid-value"), "{report}");
    let last = report.lines().last().unwrap_or_default();
    assert!(last.starts_with("verified 0 of 2  failed 1  not finished 1  "), "{report}");
    assert!(last.contains("  exit 130  "), "{report}");
}

#[test]
fn arguments_are_bytes_as_for_libpq() {
    let home = Home::new();
    let output = home
        .command(Tool::PROGRAM)
        .args(["--show-config", "--format", "json", "-U"])
        .arg(OsStr::from_bytes(b"J\xfcrgen"))
        .arg(OsStr::from_bytes(b"host=a dbname=\xff"))
        .output()
        .expect("the program starts");
    let shown = String::from_utf8(output.stdout).expect("output in UTF-8");
    assert_eq!(output.status.code(), Some(0), "{shown}");
    assert!(shown.contains("\"J\u{fffd}rgen\",\"source\":\"option\""), "{shown}");
    assert!(shown.contains("\"\u{fffd}\",\"source\":\"connection string\""), "{shown}");
}

#[test]
fn the_settings_of_every_string_are_shown() {
    let home = Home::new();
    let report = Tool::at(&home)
        .with(["--show-config", "--format", "json", "host=a", "host=b port=x", "host=c"])
        .run();
    report.exits(2);
    let hosts = ["a", "b", "c"].map(|host| format!(r#"{{"keyword":"host","value":"{host}""#));
    let lines: Vec<&str> = report.stdout.lines().collect();
    assert_eq!(lines.len(), hosts.len(), "{report}");
    assert!(lines.iter().zip(&hosts).all(|(line, host)| line.contains(host.as_str())), "{report}");
}

#[test]
fn a_password_cannot_be_asked_for_without_a_terminal() {
    let home = Home::new();
    // A session of its own has no terminal.
    let output = home
        .command("setsid")
        .args(["--wait", Tool::PROGRAM, "-W", "host=a"])
        .stdin(Stdio::null())
        .output()
        .expect("setsid starts");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("pgtls-check: -W: "));
}
