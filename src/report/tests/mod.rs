//! Reports as they are written, held against the files in `snapshots/`: a page an outcome, a page a look, a page a
//! format. What holds for every outcome in every look is asserted of all of them instead of being written down.
//!
//! `UPDATE_SNAPSHOTS=1 cargo test --lib report::tests` writes the files anew; read the difference before it is committed.

mod hostile;
mod injection;
pub(crate) mod outcomes;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use super::{Form, Format, Layout, Style, Verbosity};
use crate::check::Effective;
use crate::diagnose::{Outcome, Verdict, diagnose};
use crate::text::{is_printable, width};

/// So many lines of snapshots can be read by a person who accepts a change.
const MOST_LINES: usize = 2_000;

const TERMINAL: Style = Style { colour: false, unicode: true, width: Some(80) };
const NORMAL: Layout = Layout {
    style: TERMINAL,
    verbosity: Verbosity::Normal,
    many: false,
    limit: None,
    sort: super::Sort::Input,
};

/// Looks: the name in the snapshots, and the style.
fn looks() -> Vec<(&'static str, Style)> {
    let width = |columns| Style { width: Some(columns), ..TERMINAL };
    vec![
        ("100", width(100)),
        ("80", width(80)),
        ("70", width(70)),
        ("40", width(40)),
        ("80-ascii", Style { unicode: false, ..TERMINAL }),
        ("40-ascii", Style { unicode: false, ..width(40) }),
        ("80-colour", Style { colour: true, ..TERMINAL }),
        ("pipe", Style::document()),
        ("pipe-ascii", Style { unicode: false, ..Style::document() }),
    ]
}

fn written(format: Format, layout: Layout, outcomes: &[Outcome]) -> String {
    let run = outcomes::run(outcomes);
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
    written(
        Format::Human,
        Layout { style, verbosity, many: false, limit: None, sort: super::Sort::Input },
        std::slice::from_ref(outcome),
    )
}

/// Every snapshot: its file's name and what belongs into it.
fn snapshots() -> Vec<(String, String)> {
    let all = outcomes::all();
    let outcomes: Vec<Outcome> = all.iter().map(|(_, outcome)| outcome.clone()).collect();
    let mut files = Vec::new();
    for (name, outcome) in &all {
        files.push((format!("outcome-{name}.txt"), single(TERMINAL, Verbosity::Verbose, outcome)));
    }
    for (name, style) in looks() {
        let page = single(style, Verbosity::Normal, &outcomes::unknown_issuer());
        files.push((format!("look-{name}.txt"), visible(&page)));
    }
    let many = written(Format::Human, Layout { many: true, ..NORMAL }, &outcomes);
    files.push(("look-many.txt".to_owned(), many));
    for &format in Format::ALL {
        let few = [outcomes::warning_denied(), outcomes::unknown_issuer()];
        let page = laid_out(&written(format, Layout { many: true, ..NORMAL }, &few));
        files.push((format!("format-{}.txt", format.name()), page));
    }
    let parameters = outcomes::healthy().evidence.config.unwrap().parameters;
    let accepted = Effective { parameters: parameters.clone(), diagnosis: None, typed: None };
    let refused = Effective { parameters, diagnosis: outcomes::unknown_option().diagnosis, typed: None };
    let mut sheet = String::new();
    for style in [TERMINAL, Style::document()] {
        sheet += &Form::Page.text(&accepted, style);
        sheet += "========\n";
    }
    sheet += &Form::Page.text(&refused, TERMINAL);
    sheet += "======== json\n";
    sheet += &laid_out(&Form::Json.text(&refused, TERMINAL));
    files.push(("show-config.txt".to_owned(), sheet));
    files
}

/// Colours as words, so that a snapshot can be read in a terminal.
fn visible(text: &str) -> String {
    text.replace('\x1b', "\\e")
}

/// JSON with a line for each field, and for each object that fits on one.
fn laid_out(text: &str) -> String {
    let line = |line: &str| match serde_json::from_str(line) {
        Ok(value) => json(&value, 0) + "\n",
        Err(_) => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

fn json(value: &serde_json::Value, indent: usize) -> String {
    let whole = value.to_string();
    let inner = " ".repeat(indent + 2);
    let items: Vec<String> = match value {
        _ if indent > 0 && whole.len() <= 110 => return whole,
        serde_json::Value::Array(items) => items.iter().map(|item| json(item, indent + 2)).collect(),
        serde_json::Value::Object(fields) => {
            fields.iter().map(|(name, field)| format!("\"{name}\": {}", json(field, indent + 2))).collect()
        }
        _ => return whole,
    };
    let lines: Vec<String> = items.iter().map(|item| format!("{inner}{item}")).collect();
    let (open, close) = if value.is_array() { ('[', ']') } else { ('{', '}') };
    format!("{open}\n{}\n{}{close}", lines.join(",\n"), " ".repeat(indent))
}

#[test]
fn reports_are_those_in_the_snapshots() {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/report/tests/snapshots");
    let files = snapshots();
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        assert!(std::env::var_os("CI").is_none(), "a person accepts changes, CI does not");
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir(&directory).unwrap();
        for (name, text) in &files {
            fs::write(directory.join(name), text).unwrap();
        }
    }
    let there: BTreeSet<String> = fs::read_dir(&directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let wanted: BTreeSet<String> = files.iter().map(|(name, _)| name.clone()).collect();
    let mut wrong: Vec<String> = there
        .symmetric_difference(&wanted)
        .map(|name| {
            format!(
                "{name}: {}",
                if wanted.contains(name) { "there is no such snapshot" } else { "no test writes it" }
            )
        })
        .collect();
    let mut lines = 0;
    for (name, actual) in files.iter().filter(|(name, _)| there.contains(name)) {
        let expected = fs::read_to_string(directory.join(name)).unwrap().replace("\r\n", "\n");
        lines += expected.lines().count();
        if expected != *actual {
            let line = expected.lines().zip(actual.lines()).position(|(a, b)| a != b).unwrap_or(0);
            let part = |text: &str| text.lines().skip(line).take(12).collect::<Vec<_>>().join("\n");
            wrong.push(format!(
                "{name} differs from line {} on:\n--- expected\n{}\n--- actual\n{}",
                line + 1,
                part(&expected),
                part(actual)
            ));
        }
    }
    assert!(wrong.is_empty(), "UPDATE_SNAPSHOTS=1 accepts all of this:\n{}", wrong.join("\n"));
    assert!(lines <= MOST_LINES, "{lines} lines of snapshots: nobody reads so many");
}

/// Every report of every look over outcomes. Only the report for people has looks.
fn everything(outcomes: &[Outcome]) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for &format in Format::ALL.iter().filter(|format| **format != Format::Human) {
        for many in [false, true] {
            let layout = Layout { style: Style::document(), many, ..NORMAL };
            all.push((format!("{} many={many}", format.name()), written(format, layout, outcomes)));
        }
    }
    for (look, style) in looks() {
        for verbosity in [Verbosity::Normal, Verbosity::Verbose, Verbosity::Quiet] {
            for many in [false, true] {
                let layout = Layout { style, verbosity, many, limit: None, sort: super::Sort::Input };
                let name = format!("human {look} {verbosity:?} many={many}");
                all.push((name, written(Format::Human, layout, outcomes)));
            }
        }
    }
    all
}

#[test]
fn json_is_one_object_a_line() {
    for (name, outcome) in outcomes::all() {
        let line = written(Format::Json, NORMAL, std::slice::from_ref(&outcome));
        assert_eq!(line.matches('\n').count(), 1, "{name}");
        let object: serde_json::Value = serde_json::from_str(&line).unwrap();
        let code = outcome.diagnosis.as_ref().map(|found| serde_json::Value::from(found.code.name));
        assert_eq!(object["diagnosis"]["code"], code.unwrap_or_default(), "{name}");
    }
}

/// The words of a page, without the marked text, which is cut to the width.
fn words(columns: usize, outcome: &Outcome) -> Vec<String> {
    let page = single(Style { width: Some(columns), ..TERMINAL }, Verbosity::Normal, outcome);
    let lines = page.lines().filter(|line| !line.contains('…'));
    lines.flat_map(str::split_whitespace).map(str::to_owned).collect()
}

#[test]
fn colour_adds_nothing_but_colour() {
    for (name, outcome) in outcomes::all() {
        for verbosity in [Verbosity::Normal, Verbosity::Verbose, Verbosity::Quiet] {
            let plain = single(TERMINAL, verbosity, &outcome);
            let coloured = single(Style { colour: true, ..TERMINAL }, verbosity, &outcome);
            assert!(coloured.contains('\x1b') || plain.is_empty(), "{name}");
            assert_eq!(without_colours(&coloured), plain, "{name}");
        }
    }
}

fn without_colours(text: &str) -> String {
    let codes = ["1", "2", "31", "32", "33", "36", "0"];
    codes.iter().fold(text.to_owned(), |text, code| text.replace(&format!("\x1b[{code}m"), ""))
}

#[test]
fn other_widths_say_the_same() {
    for (name, outcome) in outcomes::all() {
        for columns in [70, 79, 90, 100] {
            assert_eq!(words(columns, &outcome), words(80, &outcome), "{name} at {columns}");
        }
    }
}

#[test]
fn ascii_is_ascii_and_says_as_much() {
    for (name, outcome) in outcomes::all() {
        for verbosity in [Verbosity::Normal, Verbosity::Verbose] {
            let unicode = single(TERMINAL, verbosity, &outcome);
            let ascii = single(Style { unicode: false, ..TERMINAL }, verbosity, &outcome);
            assert!(ascii.is_ascii(), "{name}: {ascii}");
            let letters = |text: &str| -> BTreeSet<String> {
                let words = text.split(|sign: char| !sign.is_ascii_alphanumeric());
                words.filter(|word| word.len() > 2).map(str::to_owned).collect()
            };
            assert!(letters(&ascii).is_superset(&letters(&unicode)), "{name}: {ascii}\n{unicode}");
        }
    }
}

/// What a fault has as remedies alone it has beside another one, in the same order.
#[test]
fn a_second_fault_keeps_its_remedies() {
    let alone = outcomes::certificate_expired();
    let mut beside = outcomes::hostname_mismatch();
    beside.also = alone.diagnosis.clone().into_iter().collect();
    let page = words(500, &beside).join(" ");
    let fixes = alone.diagnosis.unwrap().fixes;
    let places = fixes.iter().map(|fix| {
        let text = fix.text.split_whitespace().collect::<Vec<_>>().join(" ");
        page.find(&text).unwrap_or_else(|| panic!("{text} is not in {page}"))
    });
    assert!(fixes.len() > 1 && places.is_sorted(), "{page}");
}

#[test]
fn a_password_is_in_no_report() {
    let outcomes: Vec<Outcome> = outcomes::all().into_iter().map(|(_, outcome)| outcome).collect();
    for (name, report) in everything(&outcomes) {
        assert!(!report.contains("hunter2"), "{name}");
    }
    let parameters = outcomes::healthy().evidence.config.unwrap().parameters;
    assert!(parameters.iter().any(|parameter| parameter.value.exposed() == b"hunter2"), "there is one");
    let settings = Effective { parameters, diagnosis: None, typed: None };
    for form in [Form::Page, Form::Json] {
        assert!(!form.text(&settings, TERMINAL).contains("hunter2"), "{form:?}");
    }
}

#[test]
fn the_last_line_claims_no_more_than_was_verified() {
    use crate::conninfo::SslMode::{Allow, Prefer, Require, VerifyCa, VerifyFull};
    // The healthy outcome has a root file; libpq then verifies the chain whatever the sslmode.
    for (mode, with_roots, without) in [
        (VerifyFull, "verified", "failed"),
        (VerifyCa, "chain verified, name not", "failed"),
        (Require, "chain verified, name not", "encrypted, not verified"),
        (Prefer, "chain verified, name not", "encrypted, not verified"),
        (Allow, "chain verified, name not", "encrypted, not verified"),
    ] {
        for (trust, words) in [(outcomes::healthy(), with_roots), (outcomes::encrypted_only(), without)] {
            let mut evidence = outcomes::healthy().evidence;
            let tls = &mut evidence.attempts[0].tls.as_mut().unwrap().result;
            tls.judgement = trust.evidence.attempts[0].tls.as_ref().unwrap().result.judgement.clone();
            evidence.trust = trust.evidence.trust;
            evidence.config.as_mut().unwrap().sslmode = mode;
            let outcome = diagnose(evidence);
            let report = single(TERMINAL, Verbosity::Normal, &outcome);
            let last = report.lines().last().unwrap();
            assert!(last.starts_with(&format!("{words}  db.example.com  ")), "{mode:?}: {last}");
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
    assert!(quiet.contains("error[certificate-expires-soon] (by --deny): "), "{quiet}");
    assert!(
        quiet.ends_with(
            "\npolicy failed  db.example.com  exit 10  (TLS itself verified)  1 warning  57.2 ms\n"
        ),
        "{quiet}"
    );
    assert!(!quiet.contains("tls12-only"), "{quiet}");
    assert_eq!(single(TERMINAL, Verbosity::Quiet, &outcomes::warning()), "");
}

#[test]
fn only_what_must_not_be_broken_is_wider_than_the_terminal() {
    // Names, suites, paths and commands of the outcomes; the last line, for `tail -1`; a setting and its origin.
    let whole = [
        "*.replica.db.example.com",
        "Example Issuing CA 1",
        "pgtls-check explain ",
        "pgtls-check roots export ",
        "ALTER SYSTEM ",
        "openssl ",
        "psql -",
        "grep -B2 ",
        "chown ",
        "client_tls_",
        "    # ",
        "printf ",
        "host=",
        "sslrootcert=",
        "   environment ",
        "   connection string",
        "   default",
        "TLS_ECDHE_ECDSA_",
        "] (by --",
    ];
    let verdicts = ["verified  ", "failed  ", "policy failed  ", "encrypted, not verified  "];
    for (name, outcome) in outcomes::all() {
        for columns in [40, 59, 60, 79, 80, 100] {
            for verbosity in [Verbosity::Normal, Verbosity::Verbose] {
                for unicode in [false, true] {
                    let style = Style { width: Some(columns), unicode, ..TERMINAL };
                    for line in single(style, verbosity, &outcome).lines() {
                        let may_be_wider = whole.iter().any(|part| line.contains(part))
                            || verdicts.iter().any(|verdict| line.starts_with(verdict))
                            // A fingerprint.
                            || line.split_whitespace().any(|word| word.len() == 64);
                        assert!(width(line) <= columns || may_be_wider, "{name} at {columns}: {line}");
                    }
                }
            }
        }
    }
}
