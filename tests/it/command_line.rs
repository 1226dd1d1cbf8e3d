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
        // Of many targets failures are told as they come; nothing is said of the pipe.
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.lines().all(|line| line.starts_with("failed  ")), "{arguments:?}: {said}");
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

#[test]
fn a_mistyped_name_gets_its_neighbour() {
    let home = Home::new();
    home.write("root.crt", "");
    home.write("fleet.txt", "host=a\n");
    for (arguments, meant) in [
        (&["--format", "jsn", "host=a"][..], "json"),
        (&["--colour", "never", "host=a"], "--color"),
        // Settings of the string that are no options.
        (&["--sslmode=verify-full", "-h", "a"], "sslmode"),
        (&["--root-cert", "root.crt", "host=a"], "sslrootcert"),
        (&["--from", "fleet.tx"], "fleet.txt"),
        (&["--deny", "plaintext-acepted", "host=a"], "plaintext-accepted"),
        (&["--as", "npgsl", "host=a"], "npgsql"),
        (&["explane"], "explain"),
        (&["explain", "hostname-mismach"], "hostname-mismatch"),
        (&["demo", "hostname-mismach"], "hostname-mismatch"),
        (&["clients", "--for", "psycop", "host=a"], "psycopg"),
        (&["roots", "sow", "root.crt"], "show"),
        (&["roots", "export", "azure-flexibel"], "azure-flexible"),
        (&["roots", "check", "root.crt", "--provider", "azure-flexibel"], "azure-flexible"),
        (&["completions", "zhs"], "zsh"),
        (&["man", "explane"], "explain"),
        (&["help", "explane"], "explain"),
    ] {
        let mut command = home.command(Tool::PROGRAM);
        let output = command.args(arguments).stdin(Stdio::null()).output().expect("the program starts");
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        // The word itself and no longer one of which it is the beginning.
        let stands = said
            .split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '.')
            .any(|word| word == meant);
        assert!(stands, "{arguments:?}: {said}");
    }
}

#[test]
fn without_anything_to_check_the_usage_is_shown() {
    let home = Home::new();
    let report = Tool::at(&home).run();
    report.exits(2);
    assert!(report.stdout.is_empty(), "{report}");
    assert!(report.stderr.starts_with("usage: pgtls-check [OPTIONS] CONNINFO...\n"), "{report}");
    assert!(report.stderr.lines().count() < 10, "{report}");
    // A variable with a URL, which libpq does not read, is named with the check of it, which is run as printed.
    let url = |value: &str| Tool::at(&home).env("ORDERS_DB", value);
    assert_eq!(url("https://db.example/").run().stderr, report.stderr);
    let named = url("postgres://app:secret@127.0.0.1:1/shop").run();
    let command = "printenv ORDERS_DB | pgtls-check --from -";
    assert!(named.stderr.ends_with(&format!("  {command}\n")), "{named}");
    named.conceals("secret");
    let text = url("postgres://app@127.0.0.1:1/shop").with(["dbname=shop", "--format", "human"]).run().stdout;
    assert!(
        text.contains(&format!(
            "ORDERS_DB holds a URL, which libpq does not read by itself: check that\n             {command}\n"
        )),
        "{text}"
    );
    // A variable of libpq's, an option of psql's or an empty string says where to go.
    let checked = |tool: Tool| tool.run().stdout.contains("tls-not-requested");
    assert!(checked(Tool::at(&home).env("PGUSER", "me")));
    assert!(checked(Tool::at(&home).with(["-U", "me"])));
    assert!(checked(Tool::at(&home).with([""])));
    assert!(checked(Tool::at(&home).with(["--format", "json"])));
}

#[test]
fn help_of_a_command_is_that_commands_and_has_examples() {
    let home = Home::new();
    for command in ["audit", "roots", "clients", "explain", "demo", "completions", "man"] {
        let help = Tool::at(&home).with(["help", command]).run();
        help.exits(0);
        assert!(help.stdout.starts_with("Examples:\n"), "{help}");
        assert!(help.stdout.contains(&format!("Usage: pgtls-check {command} ")), "{help}");
        assert_eq!(help.stdout, Tool::at(&home).with([command, "--help"]).run().stdout);
    }
}

#[test]
fn plain_output_is_that_of_a_file_on_a_terminal_too() {
    let home = Home::new();
    let on_a_terminal = |options: &str| {
        let program = format!("{} {options} 'host=db.example port=x'", Tool::PROGRAM);
        let output = home
            .command("script")
            .args(["-qec", &program, "/dev/null"])
            .stdin(Stdio::null())
            .output()
            .expect("script starts");
        String::from_utf8_lossy(&output.stdout).replace("\r\n", "\n")
    };
    let filed = Tool::at(&home).with(["host=db.example port=x"]).run().stdout;
    let end = filed.lines().count() - 1;
    let without_times = |text: &str| text.lines().take(end).map(str::to_owned).collect::<Vec<_>>();
    assert!(on_a_terminal("").contains('\u{1b}'));
    assert_eq!(without_times(&on_a_terminal("--plain")), without_times(&filed));
}
