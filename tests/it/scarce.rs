//! Where the system gives next to nothing: no descriptors, no standard error, a host name that is no text. The program
//! may say that it cannot go on; it never breaks off in the middle of its work.

use std::fs;
use std::process::{Command, Output};

use crate::support::home::Home;
use crate::support::network::alone;
use crate::support::tool::Tool;

/// Runs the program from a shell, which prepares what it finds.
fn prepared(home: &Home, preparation: &str, redirection: &str, arguments: &str) -> Output {
    let script = format!("{preparation}; exec '{}' {arguments} {redirection}", Tool::PROGRAM);
    home.command("bash").args(["-c", &script]).output().expect("bash runs")
}

#[track_caller]
fn ended_well(output: &Output, statuses: &[i32]) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!stderr.contains("panicked"), "{stderr}");
    let status = output.status.code().unwrap_or_else(|| panic!("a signal ended it: {stderr}"));
    assert!(statuses.contains(&status), "{status}: {stderr}");
}

#[test]
fn few_descriptors_are_told_and_no_panic() {
    let home = Home::new();
    let target = "'host=127.0.0.1 port=1 sslmode=require'";
    for limit in 5..=16 {
        for arguments in [target.to_owned(), format!("{target} {target} {target}"), "demo".to_owned()] {
            let preparation = format!("mkdir temporary; export TMPDIR=$PWD/temporary; ulimit -n {limit}");
            let output = prepared(&home, &preparation, "", &arguments);
            // Who runs the program may be what cannot be read any more.
            let untold = String::from_utf8_lossy(&output.stdout).contains("too many open files");
            ended_well(&output, if untold { &[2] } else { &[0, 1, 5, 6, 7] });
            fs::remove_dir(home.join("temporary")).expect("a demo leaves nothing behind");
        }
    }
    // With room for one connection it is made.
    let output = prepared(&home, "ulimit -n 12", "", target);
    ended_well(&output, &[5]);
    assert!(String::from_utf8_lossy(&output.stdout).contains("tcp-refused"), "{output:?}");
}

/// As small as a main thread's is on Windows, and that in a build that is not optimized.
#[test]
fn a_small_stack_is_enough() {
    let home = Home::new();
    home.write("root.crt", "no PEM");
    let target = "'host=127.0.0.1 port=1 sslmode=require'";
    for (arguments, status) in [
        (target.to_owned(), 5),
        (format!("{target} {target} {target}"), 5),
        (format!("--each --format json -v {target} 'host=localhost port=1'"), 5),
        ("'jdbc:postgresql://127.0.0.1:1/d?sslmode=require&password=x'".to_owned(), 5),
        (format!("--show-config {target}"), 0),
        (format!("audit {target}"), 5),
        (format!("clients --probe {target}"), 5),
        ("'host=h sslrootcert=root.crt sslmode=verify-full hostaddr=127.0.0.1 port=1'".to_owned(), 5),
        ("demo".to_owned(), 0),
        ("demo root-not-in-file".to_owned(), 8),
        ("demo hostname-mismatch --format html".to_owned(), 8),
        ("explain 'certificate verify failed'".to_owned(), 0),
        ("roots show root.crt".to_owned(), 3),
        ("man".to_owned(), 0),
    ] {
        let output = prepared(&home, "ulimit -s 1024", "", &arguments);
        ended_well(&output, &[status]);
    }
}

#[test]
fn errors_that_nobody_can_be_told_change_no_exit_status() {
    let home = Home::new();
    for redirection in ["2>/dev/full", "2>&-", "2> >(true)", ">&- 2>&-"] {
        for (arguments, status) in [
            ("--no-such-option", 2),
            ("--from no-such-file", 2),
            ("--deny no-such-code host=x", 2),
            ("'host=127.0.0.1 port=1 sslmode=require' --output /no/such/place", 1),
            ("roots show no-such-file", 3),
            ("roots export no-such-provider", 2),
            ("explain no-such-code", 2),
            ("demo no-such-fault", 2),
            ("'host=127.0.0.1 port=1 sslmode=require'", 5),
        ] {
            let output = prepared(&home, ":", redirection, arguments);
            let told = prepared(&home, ":", "", arguments);
            assert_eq!(output.status.code(), told.status.code(), "{arguments} {redirection}");
            ended_well(&output, &[status, 0, 1, 2, 3]);
        }
    }
}

/// Set by the file of hosts; a resolver that answers DNS has no such names.
#[test]
fn a_canonical_name_that_is_no_text_is_left_out() {
    alone("scarce::a_canonical_name_that_is_no_text_is_left_out", || {
        let home = Home::new();
        let hosts = home.write("hosts", b"127.0.0.1 localhost\n127.0.0.1 d\xe9j\xe0 db.example\n");
        let mounted = Command::new("mount").args(["--bind"]).arg(&hosts).arg("/etc/hosts").status();
        assert!(mounted.expect("mount of util-linux").success());
        Tool::at(&home).check("host=db.example port=1 sslmode=require").exits(5).diagnosed("tcp-refused");
    });
}
