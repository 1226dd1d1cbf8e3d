//! Reports as they are written, held against the files in `snapshots/`. `UPDATE_SNAPSHOTS=1` writes those anew; read
//! the difference before it is committed.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use pgtls_check::check::{Effective, Run};
use pgtls_check::diagnose::{Outcome, Verdict};
use pgtls_check::report::{Form, Format, Layout, Style, Verbosity};

use crate::support::outcomes;

const TERMINAL: Style = Style { colour: false, unicode: true, width: Some(80) };

/// Looks: the name in the snapshots, and the style.
fn looks() -> Vec<(&'static str, Style)> {
    let width = |columns| Style { width: Some(columns), ..TERMINAL };
    vec![
        ("100", width(100)),
        ("80", width(80)),
        ("70", width(70)),
        ("40", width(40)),
        ("80 ascii", Style { unicode: false, ..TERMINAL }),
        ("40 ascii", Style { unicode: false, ..width(40) }),
        ("80 colour", Style { colour: true, ..TERMINAL }),
        ("no terminal", Style::document()),
        ("no terminal, ascii", Style { unicode: false, ..Style::document() }),
    ]
}

fn written(format: Format, layout: Layout, outcomes: &[Outcome]) -> String {
    let failed = outcomes.iter().filter(|outcome| outcome.verdict == Verdict::Failed).count();
    let exit_status =
        outcomes.iter().map(Outcome::exit_status).filter(|status| *status != 0).min().unwrap_or(0);
    let run = Run {
        verified: outcomes.len() - failed,
        failed,
        unfinished: 0,
        warned: outcomes.iter().filter(|o| o.verdict == Verdict::Verified && !o.warnings.is_empty()).count(),
        exit_status,
        elapsed: Duration::from_millis(10_100),
    };
    let mut out = Vec::new();
    {
        let mut reporter = format.reporter(layout, &mut out);
        for outcome in outcomes {
            reporter.target(outcome).unwrap();
        }
        reporter.finish(&run).unwrap();
    }
    String::from_utf8(out).unwrap()
}

fn single(style: Style, verbosity: Verbosity, outcome: &Outcome) -> String {
    let layout = Layout { style, verbosity, many: false };
    written(Format::Human, layout, std::slice::from_ref(outcome))
}

/// Compares with a file, or writes it.
fn assert_snapshot(name: &str, actual: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/snapshots").join(name);
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(&path, actual).unwrap();
        return;
    }
    let expected = fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    if expected != actual {
        let line = expected.lines().zip(actual.lines()).position(|(a, b)| a != b).unwrap_or(0);
        panic!(
            "{name} differs from line {} on (UPDATE_SNAPSHOTS=1 accepts this):\n--- expected\n{}\n--- actual\n{}",
            line + 1,
            expected.lines().skip(line).take(20).collect::<Vec<_>>().join("\n"),
            actual.lines().skip(line).take(20).collect::<Vec<_>>().join("\n"),
        );
    }
}

/// Colours as words, so that a snapshot can be read in a terminal.
fn visible(text: &str) -> String {
    text.replace('\x1b', "\\e")
}

#[test]
fn one_target_for_people() {
    for (name, outcome) in outcomes::all() {
        let mut sheet = String::new();
        for (look, style) in looks() {
            sheet += &format!("======== {look}\n{}", visible(&single(style, Verbosity::Normal, &outcome)));
        }
        sheet += &format!("======== 80 -q\n{}", single(TERMINAL, Verbosity::Quiet, &outcome));
        assert_snapshot(&format!("human-{name}.txt"), &sheet);
    }
}

#[test]
fn one_target_in_detail() {
    for (name, outcome) in outcomes::all() {
        let mut sheet = String::new();
        for (look, style) in looks().into_iter().filter(|(look, _)| !look.contains("70")) {
            sheet += &format!("======== {look}\n{}", visible(&single(style, Verbosity::Verbose, &outcome)));
        }
        assert_snapshot(&format!("verbose-{name}.txt"), &sheet);
    }
}

#[test]
fn many_targets_for_people() {
    let outcomes: Vec<Outcome> = outcomes::all().into_iter().map(|(_, outcome)| outcome).collect();
    let outcomes = [outcomes.clone(), vec![outcomes::tcp_timeout(), outcomes::healthy()]].concat();
    let mut sheet = String::new();
    for (look, style) in looks() {
        for verbosity in [Verbosity::Normal, Verbosity::Verbose, Verbosity::Quiet] {
            let layout = Layout { style, verbosity, many: true };
            sheet += &format!(
                "======== {look} {verbosity:?}\n{}",
                visible(&written(Format::Human, layout, &outcomes))
            );
        }
    }
    let layout = Layout { style: TERMINAL, verbosity: Verbosity::Normal, many: true };
    let well = written(Format::Human, layout, &[outcomes::healthy(), outcomes::healthy()]);
    sheet += &format!("======== 80 all well\n{well}");
    assert_snapshot("many.txt", &sheet);
}

#[test]
fn json_for_machines() {
    let layout = Layout { style: TERMINAL, verbosity: Verbosity::Normal, many: false };
    let mut sheet = String::new();
    for (name, outcome) in outcomes::all() {
        let line = written(Format::Json, layout, std::slice::from_ref(&outcome));
        assert_eq!(line.matches('\n').count(), 1, "one object a line");
        let object: serde_json::Value = serde_json::from_str(&line).unwrap();
        sheet += &format!("======== {name}\n{object:#}\n");
    }
    assert_snapshot("json.txt", &sheet);
}

#[test]
fn settings_and_their_origins() {
    let diagnosis = outcomes::unknown_option().diagnosis;
    let accepted = Effective { parameters: outcomes::parameters(), diagnosis: None };
    let refused = Effective { parameters: outcomes::parameters(), diagnosis: diagnosis.clone() };
    let nothing = Effective { parameters: Vec::new(), diagnosis };
    let mut sheet = String::new();
    for (look, style) in looks() {
        sheet += &format!("======== {look}\n{}", visible(&Form::Page.text(&accepted, style)));
    }
    sheet += &format!("======== 80, refused\n{}", Form::Page.text(&refused, TERMINAL));
    sheet += &format!("======== json\n{}", Form::Json.text(&accepted, TERMINAL));
    sheet += &format!("======== json, refused\n{}", Form::Json.text(&nothing, TERMINAL));
    assert!(!sheet.contains("hunter2"));
    assert_snapshot("show-config.txt", &sheet);
}

/// Every report of every look over outcomes.
fn everything(outcomes: &[Outcome]) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for (look, style) in looks() {
        for verbosity in [Verbosity::Normal, Verbosity::Verbose, Verbosity::Quiet] {
            for many in [false, true] {
                for &format in Format::ALL {
                    let layout = Layout { style, verbosity, many };
                    let name = format!("{} {look} {verbosity:?} many={many}", format.name());
                    all.push((name, written(format, layout, outcomes)));
                }
            }
        }
    }
    all
}

/// What a hostile server, certificate or file would like to smuggle onto a terminal or into a log.
const POISON: &str = "\x1b]0;owned\x07\x1b[2J\r\nverified  db.example.com\u{9b}31m\u{202e}\u{2066}\u{200b}\u{feff}\u{85}\x7f\0";

#[test]
fn nothing_from_outside_reaches_the_reader_raw() {
    let hostile = [outcomes::poisoned(POISON)];
    for (name, report) in everything(&hostile) {
        // What this tool itself writes: line feeds, and colours where they are on.
        let report = if name.contains("colour") {
            ["1", "2", "31", "32", "33", "36", "0"]
                .iter()
                .fold(report, |text, code| text.replace(&format!("\x1b[{code}m"), ""))
        } else {
            report
        };
        for character in report.chars().filter(|character| *character != '\n') {
            assert!(pgtls_check::text::is_printable(character), "{name}: {character:?} in {report}");
        }
        assert!(!report.lines().any(|line| line.starts_with("verified  db.example.com")), "{name}: {report}");
        if name.contains("ascii") && name.starts_with("human") {
            assert!(report.is_ascii(), "{name}: {report}");
        }
        if name.starts_with("json") {
            assert_eq!(report.lines().count(), 1, "{name}");
            let object: serde_json::Value = serde_json::from_str(&report).unwrap();
            assert_printable(&object);
        }
    }
}

#[test]
fn json_shows_bytes_that_are_not_text_as_u_fffd() {
    let layout = Layout { style: TERMINAL, verbosity: Verbosity::Normal, many: false };
    let line = written(Format::Json, layout, &[outcomes::poisoned("x")]);
    let object: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(object["target"]["user"], "\u{fffd}\u{fffd}x");
    assert_eq!(object["chain"][0]["sans"][0], "DNS:\u{fffd}\u{fffd}x");
}

/// Decoded strings are as printable as the line itself.
fn assert_printable(value: &serde_json::Value) {
    match value {
        serde_json::Value::String(text) => {
            assert!(text.chars().all(pgtls_check::text::is_printable), "{text:?}");
        }
        serde_json::Value::Array(items) => items.iter().for_each(assert_printable),
        serde_json::Value::Object(fields) => fields.values().for_each(assert_printable),
        _ => {}
    }
}

#[test]
fn a_password_is_in_no_report() {
    let outcomes: Vec<Outcome> = outcomes::all().into_iter().map(|(_, outcome)| outcome).collect();
    for (name, report) in everything(&outcomes) {
        assert!(!report.contains("hunter2"), "{name}");
    }
}

#[test]
fn the_last_line_claims_no_more_than_was_verified() {
    use pgtls_check::conninfo::SslMode::{Allow, Prefer, Require, VerifyCa, VerifyFull};
    // The healthy fixture has a root file; libpq then verifies the chain whatever the sslmode.
    for (mode, with_roots, without) in [
        (VerifyFull, "verified", "verified"),
        (VerifyCa, "chain verified, name not", "chain verified, name not"),
        (Require, "chain verified, name not", "encrypted, not verified"),
        (Prefer, "chain verified, name not", "encrypted, not verified"),
        (Allow, "chain verified, name not", "encrypted, not verified"),
    ] {
        for (trust, words) in [(outcomes::healthy(), with_roots), (outcomes::encrypted_only(), without)] {
            let mut outcome = outcomes::healthy();
            outcome.evidence.trust = trust.evidence.trust;
            outcome.evidence.config.as_mut().unwrap().sslmode = mode;
            let report = single(TERMINAL, Verbosity::Normal, &outcome);
            let last = report.lines().last().unwrap();
            assert_eq!(
                last,
                format!("{words}  mydemoserver.postgres.database.azure.com  37.4 ms"),
                "{mode:?}"
            );
        }
    }
}

#[test]
fn a_denied_warning_keeps_the_verdict_and_changes_the_exit_status() {
    assert_eq!(outcomes::warning().exit_status(), 0);
    let outcome = outcomes::warning_denied();
    assert_eq!(outcome.verdict, Verdict::Verified);
    assert_eq!(outcome.exit_status(), 10);
    let quiet = single(TERMINAL, Verbosity::Quiet, &outcome);
    assert!(quiet.contains("denied[certificate-expires-soon]: "), "{quiet}");
    assert!(!quiet.contains("passfile-ignored"), "{quiet}");
    assert_eq!(single(TERMINAL, Verbosity::Quiet, &outcomes::warning()), "");
}

#[test]
fn only_what_must_not_be_broken_is_wider_than_the_terminal() {
    // Names, fingerprints, paths and commands of the fixtures; the last line, for `tail -1`; a setting and its origin.
    let whole = [
        "mydemoserver.postgres.database.azure.com",
        "DigiCertGlobalRootCA.crt.pem",
        "CB3CCBB76031E5E0138F8DD39A23F9DE47FFC35E43C1144CEA27D46A5AB1CB5F",
        "Microsoft Azure RSA TLS Issuing CA 08",
        "pgtls-check explain ",
        "pgtls-check roots export ",
        "ALTER SYSTEM SET ",
        "sslmode=verify-full sslrootcert=",
        "   environment ",
        "   connection string",
    ];
    let verdicts = ["verified  ", "failed  ", "encrypted, not verified  "];
    for (name, outcome) in outcomes::all() {
        for columns in [40, 59, 60, 79, 80, 100] {
            for verbosity in [Verbosity::Normal, Verbosity::Verbose] {
                for unicode in [false, true] {
                    let style = Style { width: Some(columns), unicode, ..TERMINAL };
                    for line in single(style, verbosity, &outcome).lines() {
                        let may_be_wider = whole.iter().any(|part| line.contains(part))
                            || verdicts.iter().any(|verdict| line.starts_with(verdict));
                        let width = pgtls_check::text::width(line);
                        assert!(width <= columns || may_be_wider, "{name} at {columns}: {line}");
                    }
                }
            }
        }
    }
}
