//! Reports for machines, read by readers that are not the program's own: a JSON schema's validator, a JUnit parser and
//! xmllint, Python's CSV, promtool, a monitoring plugin's parser, GitHub's Markdown, a browser. One run writes all of them.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use pgtls_check::demo::{Demo, Fault, SeenBy, fault, faults};
use pgtls_check::report::Format;

use crate::support::home::Home;
use crate::support::parallel::{each, expect};
use crate::support::postgres::build_directory;
use crate::support::tool::{Report, Tool};

const FILES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/readers");

/// A program that reads a format; without it the test fails and says what brings it.
fn reader(program: &str, package: &str) -> Command {
    let is_there =
        Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    assert!(is_there.is_ok(), "{program} is missing: `tests/run setup`, or apt-get install {package}");
    Command::new(program)
}

fn python() -> Command {
    let interpreter = build_directory().join("readers-python/bin/python");
    assert!(interpreter.exists(), "the readers of PyPI are missing: `tests/run setup`");
    Command::new(interpreter)
}

fn ended(mut command: Command, input: &[u8]) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the reader starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.to_vec();
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().expect("the reader is ours");
    writer.join().expect("writing");
    output
}

/// What a reader wrote, if it was content.
fn content(command: Command, input: &[u8]) -> Result<String, String> {
    let named = format!("{command:?}");
    let output = ended(command, input);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    expect(output.status.success(), || {
        format!("{named}: {}\n{text}{}", output.status, String::from_utf8_lossy(&output.stderr))
    })?;
    Ok(text)
}

/// The file of a format's report, and its option.
fn file(directory: &Path, name: &str, format: Format) -> (PathBuf, String) {
    let ending = match format {
        Format::Json => "json",
        Format::Junit => "xml",
        Format::Prometheus => "prom",
        Format::Csv => "csv",
        Format::Markdown => "md",
        Format::Html => "html",
        Format::Human | Format::Github | Format::AzurePipelines | Format::Nagios => format.name(),
    };
    let path = directory.join(format!("{name}.{ending}"));
    let option = format!("{}={}", format.name(), path.display());
    (path, option)
}

/// A run that writes reports in all formats, called `name`.
fn reported(home: &Home, name: &str, demo: &Demo, arguments: &[&str]) -> Report {
    let mut tool = Tool::at(home);
    for (variable, value) in demo.variables() {
        tool = tool.env(variable, value.to_str().expect("a path of ours"));
    }
    for &format in Format::ALL {
        tool = tool.with(["--output", &file(home.path(), name, format).1]);
    }
    for argument in arguments {
        tool = tool.with([*argument]);
    }
    tool.with(["--format", "json"]).run()
}

fn read(home: &Home, name: &str, format: Format) -> String {
    fs::read_to_string(file(home.path(), name, format).0).expect("a report")
}

/// All reports of a run are read by their readers.
fn are_read(home: &Home, name: &str, targets: usize) -> Result<(), String> {
    let xml = file(home.path(), name, Format::Junit).0;
    let mut xmllint = reader("xmllint", "libxml2-utils");
    xmllint.args(["--noout", "--nonet", "--relaxng", &format!("{FILES}/junit.rng")]).arg(&xml);
    content(xmllint, b"")?;

    let metrics = read(home, name, Format::Prometheus);
    let mut promtool = reader("promtool", "prometheus");
    promtool.args(["check", "metrics"]);
    let said = content(promtool, metrics.as_bytes())?;
    expect(said.is_empty(), || format!("promtool: {said}"))?;
    expect(!metrics.contains("null") && !metrics.contains("NaN"), || metrics.clone())?;

    let mut markdown = reader("cmark-gfm", "cmark-gfm");
    markdown.args([
        "--extension",
        "table",
        "--extension",
        "autolink",
        "--extension",
        "strikethrough",
        "--to",
        "xml",
    ]);
    let read_back = content(markdown, read(home, name, Format::Markdown).as_bytes())?;
    for foreign in ["<html_block", "<html_inline", "<link", "<image", "<strong", "<emph", "<strikethrough"] {
        expect(!read_back.contains(foreign), || format!("{foreign} in {read_back}"))?;
    }
    expect(read_back.matches("<table_row").count() == targets, || format!("rows of {read_back}"))?;
    expect(read_back.matches("<table_cell").count() == 7 * (targets + 1), || {
        format!("cells of {read_back}")
    })?;

    let nagios = read(home, name, Format::Nagios);
    let mut perl = Command::new("perl");
    perl.args(["-MMonitoring::Plugin::Performance", "-e", PERFORMANCE]);
    let labels =
        content(perl, nagios.as_bytes()).map_err(|why| format!("libmonitoring-plugin-perl: {why}"))?;
    expect(labels.starts_with("time") && nagios.lines().count() == 1, || format!("{labels} of {nagios}"))
}

/// The labels of the performance data, each of which has a number.
const PERFORMANCE: &str = r#"
    my ($words, $data) = split /\|/, <STDIN>, 2;
    $words =~ /^PGTLS (OK|WARNING|CRITICAL|UNKNOWN) - \S/ or die "status: $words";
    my @parsed = Monitoring::Plugin::Performance->parse_perfstring($data);
    @parsed == split(" ", $data) or die "read @{[scalar @parsed]} of $data";
    print map { $_->value =~ /^-?[0-9.]+$/ or die $_->label; $_->label . "\n" } @parsed;
"#;

/// JSON, JUnit and CSV of a whole directory.
pub(crate) fn are_read_by_python(directory: &Path) -> String {
    let mut command = python();
    command.arg(format!("{FILES}/read.py"));
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/src/report/schema.json")).arg(directory);
    content(command, b"").unwrap_or_else(|why| panic!("{why}"))
}

#[test]
fn every_fault_is_reported_in_every_format() {
    let home = Home::new();
    each(
        faults(),
        |fault: &Fault| fault.name,
        |fault| {
            let demo = Demo::start(Some(fault)).map_err(|error| error.to_string())?;
            let mut arguments = vec![demo.conninfo()];
            if fault.seen_by == SeenBy::SessionCheck {
                arguments.push("--require-auth");
            }
            let report = reported(&home, fault.name, &demo, &arguments);
            let json = read(&home, fault.name, Format::Json);
            expect(json.lines().count() == 1, || format!("no report: {report}"))?;
            let fails = report.status != Some(0);
            let failing = |what: &str| read(&home, fault.name, Format::Junit).contains(what);
            expect(failing("<failure ") == fails, || read(&home, fault.name, Format::Junit))?;
            for format in [Format::Github, Format::AzurePipelines] {
                let text = read(&home, fault.name, format);
                let error = text.contains("::error title=") || text.contains("task.logissue type=error");
                expect(error == fails, || text.clone())?;
            }
            are_read(&home, fault.name, 1)
        },
    );
    let said = are_read_by_python(home.path());
    assert!(said.contains(&format!("{} reports read", 3 * faults().len())), "{said}");
}

/// What ends a check at many stages, and a server without a fault.
fn fleet() -> Vec<Demo> {
    let faulty = [
        "certificate-expired",
        "hostname-mismatch",
        "server-refused-tls",
        "unknown-issuer",
        "tls12-only",
        "tcp-refused",
        "sslmode-not-verifying",
    ];
    let staged = faulty.iter().map(|name| Demo::start(Some(fault(name).expect("a fault"))).expect("a demo"));
    [Demo::start(None).expect("a demo")].into_iter().chain(staged).collect()
}

/// A list of them, and of what is no target.
fn list(home: &Home, fleet: &[Demo]) -> (PathBuf, usize) {
    let mut lines: Vec<String> = fleet.iter().map(|demo| demo.conninfo().to_owned()).collect();
    // The same server twice, and names that would be markup.
    lines.push(fleet[0].conninfo().to_owned());
    lines.push("host=db.example sslrotcert=x".to_owned());
    lines.push("host='<b>|`::error::x' hostaddr=127.0.0.1 port=1 sslmode=require".to_owned());
    lines.push("host='=cmd()' port=1 hostaddr=127.0.0.1 dbname='\"},x' sslmode=require".to_owned());
    let path = home.write("fleet.txt", lines.join("\n"));
    (path, lines.len())
}

#[test]
fn a_fleet_is_reported_in_every_format() {
    let home = Home::new();
    let fleet = fleet();
    let (list, targets) = list(&home, &fleet);
    let report = reported(&home, "fleet", &fleet[0], &["--from", list.to_str().unwrap(), "--no-try"]);
    report.exits(2);
    assert_eq!(report.stdout.lines().count(), targets, "{report}");
    are_read(&home, "fleet", targets).unwrap_or_else(|why| panic!("{why}"));
    assert!(are_read_by_python(home.path()).contains("3 reports read"));

    let dom = in_a_browser(&home, &file(home.path(), "fleet", Format::Html).0);
    assert_eq!(dom.matches("<tr>").count(), targets + 1, "{dom}");
    for foreign in ["<script", "<b>", "<img", "src=", "href="] {
        assert!(!dom.contains(foreign), "{foreign} in {dom}");
    }
    assert!(dom.contains("&lt;b&gt;"), "{dom}");
}

/// The document as a browser has it, without scripts or network.
fn in_a_browser(home: &Home, page: &Path) -> String {
    let mut chromium = reader("chromium", "chromium");
    chromium.args(["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]);
    chromium.arg(format!("--user-data-dir={}", home.join("browser").display()));
    chromium.env("HOME", home.path()).arg(format!("file://{}", page.display()));
    content(chromium, b"").unwrap_or_else(|why| panic!("{why}"))
}

/// The samples of metrics whose names begin so, without their values.
fn series(metrics: &str, name: &str) -> BTreeSet<String> {
    let samples = metrics.lines().filter(|line| line.starts_with(name));
    samples.filter_map(|line| Some(line.rsplit_once(' ')?.0.to_owned())).collect()
}

#[test]
fn metrics_survive_failure_and_keep_their_labels() {
    let home = Home::new();
    let metrics = |conninfo: &str| {
        let report = Tool::at(&home).with(["--format", "prometheus", "--no-try", conninfo]).run();
        report.stdout
    };
    // Chains that are expired or not trusted still have their dates.
    for name in ["certificate-expired", "unknown-issuer", "hostname-mismatch"] {
        let demo = Demo::start(Some(fault(name).unwrap())).unwrap();
        let metrics = metrics(demo.conninfo());
        for metric in [
            "pgtls_check_path_not_after_timestamp_seconds{",
            "pgtls_check_certificate_not_after_timestamp_seconds{",
        ] {
            assert_eq!(series(&metrics, metric).len(), 1, "{name}: {metrics}");
        }
        assert_eq!(series(&metrics, "pgtls_check_diagnosis_info{").len(), 1, "{metrics}");
    }
    // A server that goes down, and one of two that answers in turn, are the same series as before.
    let (up, other) = (Demo::start(None).unwrap(), Demo::start(None).unwrap());
    let (up_port, other_port) = (up.address().port(), other.address().port());
    let single = up.conninfo().to_owned();
    let both = single.replace("hostaddr=127.0.0.1", "hostaddr=127.0.0.1,127.0.0.1");
    let both = both.replace("host=db.example ", "host=db.example,db.example ");
    let both = both.replace(&format!("port={up_port}"), &format!("port={up_port},{other_port}"));
    let before = [metrics(&single), metrics(&both)];
    drop(up);
    let after = [metrics(&single), metrics(&both)];
    for name in ["pgtls_check_verified", "pgtls_check_success", "pgtls_check_verdict", "pgtls_check_duration"]
    {
        for (before, after) in before.iter().zip(&after) {
            assert_eq!(series(before, name), series(after, name));
            assert!(!series(before, name).is_empty());
        }
    }
    assert!(
        after[0].contains("pgtls_check_diagnosis_info{") && !after[0].contains("not_after"),
        "{}",
        after[0]
    );
    // Where a string is at fault, the series is still that of its host.
    let broken = metrics(&format!("{single} sslrotcert=x"));
    assert_eq!(series(&broken, "pgtls_check_verified"), series(&before[0], "pgtls_check_verified"));
}

#[test]
fn a_plugin_has_the_exit_statuses_of_its_world() {
    let home = Home::new();
    let run = |arguments: &[&str], demo: Option<&Demo>| {
        let mut tool = Tool::at(&home).with(["--format", "nagios"]);
        for argument in arguments {
            tool = tool.with([*argument]);
        }
        if let Some(demo) = demo {
            tool = tool.with([demo.conninfo()]);
        }
        tool.run()
    };
    let healthy = Demo::start(None).unwrap();
    let expired = Demo::start(Some(fault("certificate-expired").unwrap())).unwrap();
    let warned = Demo::start(Some(fault("certificate-expires-soon").unwrap())).unwrap();
    let no_root = format!("{} sslrootcert=/none", healthy.conninfo());
    for (arguments, demo, status, word) in [
        (&[][..], Some(&healthy), 0, "OK"),
        (&[], Some(&warned), 1, "WARNING"),
        (&["--fail-within", "20"], Some(&warned), 2, "CRITICAL"),
        (&["--strict"], Some(&warned), 2, "CRITICAL"),
        (&[], Some(&expired), 2, "CRITICAL"),
        (&["sslrotcert=x"], None, 3, "UNKNOWN"),
        (&[no_root.as_str()], None, 3, "UNKNOWN"),
        (&["--no-such-option"], Some(&healthy), 3, "UNKNOWN"),
        (&["--deny", "no-such-code"], Some(&healthy), 3, "UNKNOWN"),
        (&["--output", "/none/report.json"], Some(&healthy), 3, "UNKNOWN"),
    ] {
        let report = run(arguments, demo);
        report.exits(status);
        assert!(report.stdout.starts_with(&format!("PGTLS {word} - ")), "{report}");
        assert_eq!(report.stdout.lines().count(), 1, "{report}");
    }
    run(&["--help"], None).exits(0);
}

#[test]
fn a_level_or_threshold_that_is_not_met_is_a_policy_that_failed() {
    let home = Home::new();
    let (healthy, warned) =
        (Demo::start(None).unwrap(), Demo::start(Some(fault("certificate-expires-soon").unwrap())).unwrap());
    let check = |options: &[&str], conninfo: &str| {
        let run = |format: &[&str]| {
            let mut tool = Tool::at(&home);
            for argument in options.iter().chain(format) {
                tool = tool.with([*argument]);
            }
            tool.with([conninfo]).run()
        };
        (run(&["--format", "json"]), run(&[]))
    };
    let under = |mode: &str| healthy.conninfo().replace("sslmode=verify-full", &format!("sslmode={mode}"));
    for (options, conninfo, verdict, by, words) in [
        (
            &["--require-level", "verified"][..],
            under("verify-ca"),
            "chain-verified",
            "--require-level",
            "chain verified, name not",
        ),
        (
            &["--require-level=verified"],
            under("require"),
            "chain-verified",
            "--require-level",
            "chain verified, name not",
        ),
        (
            &["--fail-within", "40"],
            warned.conninfo().to_owned(),
            "verified",
            "--fail-within",
            "TLS itself verified",
        ),
        (
            &["--deny", "certificate-expires-soon"],
            warned.conninfo().to_owned(),
            "verified",
            "--deny",
            "TLS itself verified",
        ),
    ] {
        let (json, human) = check(options, &conninfo);
        json.exits(10)
            .says("/verdict", verdict)
            .says("/exit_code", 10)
            .says("/diagnosis", serde_json::Value::Null);
        let warnings = json.at("/warnings");
        let denied: Vec<_> =
            warnings.as_array().unwrap().iter().filter(|warning| warning["denied"] == true).collect();
        assert!(denied.iter().all(|warning| warning["denied_by"] == by) && denied.len() == 1, "{json}");
        let last = human.stdout.lines().last().unwrap_or_default().to_owned();
        assert!(
            last.starts_with("policy failed  ") && last.contains("  exit 10  ") && last.contains(words),
            "{human}"
        );
        assert!(human.stdout.contains(&format!(" (by {by}): ")), "{human}");
    }
    for options in [
        &["--require-level", "verified"][..],
        &["--require-level", "chain-verified"],
        &["--fail-within", "7"],
    ] {
        check(options, healthy.conninfo()).0.exits(0);
    }
    check(&["--require-level", "chain-verified"], &under("verify-ca")).0.exits(0);
    check(&["--require-level", "sure"], healthy.conninfo()).0.exits(2);
}

#[test]
fn several_reports_come_of_one_run_and_standard_output_stays() {
    let (home, demo) = (Home::new(), Demo::start(None).unwrap());
    let report = Tool::at(&home)
        .with(["--output", "a.json", "--output", "b.xml", "--output", "csv=c", "--output", "html=d.txt"])
        .with([demo.conninfo()])
        .run();
    report.exits(0);
    assert!(report.stdout.lines().last().unwrap().starts_with("verified  "), "{report}");
    for (name, begin) in
        [("a.json", "{\"schema\":1"), ("b.xml", "<?xml"), ("c", "time,host"), ("d.txt", "<!DOCTYPE html>")]
    {
        assert!(fs::read_to_string(home.join(name)).unwrap().starts_with(begin), "{name}");
    }
    let connections = demo.connections().len();
    for refused in ["x.yaml", "jsno=x", "none/x.json"] {
        let report =
            Tool::at(&home).with(["--output", "ok.json", "--output", refused, demo.conninfo()]).run();
        assert!(matches!(report.status, Some(1 | 2)) && !report.stderr.is_empty(), "{report}");
        assert!(!home.join("ok.json").exists(), "{report}");
    }
    Tool::at(&home).with(["--output", "x.json", "--output", "csv=x.json", demo.conninfo()]).run().exits(2);
    assert_eq!(demo.connections().len(), connections, "nothing was connected in vain");
}

#[test]
fn the_summary_of_a_step_is_added_to_its_file() {
    let (home, demo) = (Home::new(), Demo::start(Some(fault("hostname-mismatch").unwrap())).unwrap());
    let summary = home.write("summary.md", "of another tool\n");
    let run = |summary: &Path, format: &str| {
        let tool = Tool::at(&home).env("GITHUB_STEP_SUMMARY", summary.to_str().unwrap());
        tool.with(["--format", format, "--no-try", demo.conninfo()]).run()
    };
    let report = run(&summary, "github");
    report.exits(8);
    assert!(report.stdout.starts_with("::error title=hostname-mismatch localhost%3A"), "{report}");
    let written = fs::read_to_string(&summary).unwrap();
    assert!(
        written.starts_with("of another tool\n## PostgreSQL TLS: verified 0 of 1; failed 1\n"),
        "{written}"
    );
    run(&summary, "json").exits(8);
    assert_eq!(fs::read_to_string(&summary).unwrap(), written, "only GitHub's format has a summary");
    let report = run(&home.join("none/summary.md"), "github");
    report.exits(8);
    assert!(report.stderr.contains("GITHUB_STEP_SUMMARY"), "{report}");
}
