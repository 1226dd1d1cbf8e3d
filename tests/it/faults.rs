//! Every fault that the embedded server stages, through the program: the code it is named after, the stage's exit
//! status, evidence, a remedy, in all widths; through psql; and beside what looks like it and is fine. What is expected
//! of each is its row in [`table`].

mod neighbours;
mod psql;
pub(crate) mod table;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use pgtls_check::demo::{Fault, SeenBy, fault, faults};
use pgtls_check::diagnose::{Code, catalogue};
use serde_json::Value;

use crate::support::home::Home;
use crate::support::parallel::{each, expect};
use crate::support::tool::{Report, Tool};
use table::{FixedBy, row, rows};

/// What a check may take when an address is silent: the limit of two seconds that such faults set, one more for second
/// looks, and the rest for a slow machine.
const LONGEST: Duration = Duration::from_secs(7);

/// Codes that no server, file or string on one machine can cause, and the test that stages them beside a neighbour.
const STAGED_ELSEWHERE: [(&str, &str); 13] = [
    ("default-files-unreadable", "tests/it/client_files.rs"),
    ("dns-no-address", "tests/it/network.rs"),
    ("dns-failure", "tests/it/network.rs"),
    // A demand of the command line.
    ("policy-not-met", "tests/it/audit.rs"),
    // A file with a root that its provider has given up; such roots have keys that nobody here has.
    ("root-retired", "src/diagnose/tests/warned.rs"),
    // Files of a server that is still to be.
    ("server-cert-invalid", "tests/it/rehearse.rs"),
    ("server-key-permissions", "tests/it/rehearse.rs"),
    ("server-key-invalid", "tests/it/rehearse.rs"),
    ("server-key-mismatch", "tests/it/rehearse.rs"),
    ("client-ca-invalid", "tests/it/rehearse.rs"),
    ("server-crl-invalid", "tests/it/rehearse.rs"),
    ("chain-issues", "tests/it/rehearse.rs"),
    ("certificate-not-loaded", "tests/it/rehearse.rs"),
];

#[test]
fn each_fault_has_its_row_and_each_row_its_fault() {
    let staged: Vec<&str> = faults().iter().map(|fault| fault.name).collect();
    let expected: Vec<&str> = rows().iter().map(|row| row.fault).collect();
    assert_eq!(staged, expected, "faults in src/demo/faults/, rows in tests/it/faults/table/");
}

#[test]
fn each_code_has_a_fault_and_a_neighbour() {
    let elsewhere = |code: &str| STAGED_ELSEWHERE.iter().find(|(other, _)| *other == code);
    let staged: BTreeSet<&str> = faults().iter().map(|fault| fault.code).collect();
    let beside: BTreeSet<&str> = faults()
        .iter()
        .filter(|fault| !row(fault.name).neighbours.is_empty())
        .map(|fault| fault.code)
        .collect();
    for entry in catalogue::all() {
        let code = entry.name;
        if let Some((_, test)) = elsewhere(code) {
            assert!(!staged.contains(code), "{code} has a demo fault, and is still listed here");
            let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(test);
            let text = std::fs::read_to_string(path).expect("a test's file");
            let value = format!("codes::{}", code.to_uppercase().replace('-', "_"));
            assert!(
                text.contains(&format!("\"{code}\"")) || text.contains(&value),
                "{test} does not stage {code}"
            );
            continue;
        }
        assert!(staged.contains(code), "no demo fault causes {code}");
        assert!(beside.contains(code), "no row of {code} has a neighbour");
        let page = catalogue::page(entry, 80);
        assert!(page.contains(&format!("pgtls-check demo {code}")), "how to see {code}:\n{page}");
    }
    for fault in faults() {
        assert!(catalogue::code(fault.code).is_some(), "{} stages an unknown code", fault.name);
    }
}

fn demo(fault: &Fault, options: &[&str]) -> Report {
    let home = Home::new();
    let begin = Instant::now();
    let mut tool = Tool::at(&home).with(["demo", fault.name]);
    for option in options {
        tool = tool.with([*option]);
    }
    let report = tool.run();
    assert!(begin.elapsed() < LONGEST, "{} took {:?}", fault.name, begin.elapsed());
    report
}

/// Holds a diagnosis or warning against its row.
fn shows(fault: &Fault, found: &Value) -> Result<(), String> {
    let row = row(fault.name);
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n"),
        other => other.to_string(),
    };
    for fact in row.shows.split("; ") {
        let (label, words) = fact.split_once(':').ok_or("a row without labels")?;
        let shown = found["evidence"].get(label).map(text).ok_or_else(|| format!("no {label} in {found}"))?;
        expect(shown.contains(words.trim()), || format!("{label} is {shown:?}, not {words:?}"))?;
    }
    let fixes = found["fixes"].as_array().ok_or("no fixes")?;
    let settings = |fix: &Value| {
        let pairs = fix["settings"].as_object().into_iter().flatten();
        pairs.map(|(keyword, value)| format!("{keyword}={}", text(value))).collect::<Vec<_>>().join(" ")
    };
    let has_fix = fixes.iter().any(|fix| {
        [text(&fix["text"]), text(&fix["command"]), settings(fix)].iter().any(|said| said.contains(row.fix))
    });
    expect(has_fix, || format!("no fix says {:?}: {}", row.fix, found["fixes"]))?;

    // The directory is the demo's own, and gone.
    let same = |typed: &str, found: &str| match typed.split_once("DIR/") {
        // What follows depends on the server's port.
        None if typed.ends_with('…') => found.starts_with(typed.trim_end_matches('…')),
        None => found == typed,
        Some((keyword, file)) => {
            found.starts_with(&format!("{keyword}/")) && found.ends_with(&format!("/{file}"))
        }
    };
    let offers = |wanted: &str, tried: &Value| {
        fixes.iter().any(|fix| fix["tried"] == *tried && same(wanted, &settings(fix)))
    };
    let holds = match row.fixed_by {
        FixedBy::NoSetting => fixes.iter().all(|fix| fix["settings"].is_null() && fix["tried"].is_null()),
        FixedBy::Works(settings) => offers(settings, &Value::from("works")),
        FixedBy::Untried(settings) => offers(settings, &Value::Null),
        FixedBy::Uncovers(settings, next) => {
            offers(settings, &Value::from("fails"))
                && fixes.iter().filter(|fix| fix["tried"] == "fails").all(|fix| {
                    let set = fix["settings"].as_object().into_iter().flatten();
                    let whole = fix["conninfo"].as_str().unwrap_or_default();
                    text(&fix["text"]).contains(&format!("then `{next}` remains ("))
                        && set.map(|(keyword, _)| keyword).all(|keyword| whole.contains(keyword.as_str()))
                        && !whole.contains("password")
                })
        }
    };
    expect(holds, || format!("not {:?}: {}", row.fixed_by, found["fixes"]))
}

/// Faults that a change on the client's side cures: of the string, of a variable, of a file here. Some need what only the
/// user or the CA has, a password or a new root, which no trial can stand in for.
const CURED_HERE: [&str; 47] = [
    "conninfo-syntax",
    "conninfo-unknown-option",
    "conninfo-invalid-value",
    "conninfo-host-malformed",
    "service-not-found",
    "host-required",
    "tls-not-requested",
    "option-not-supported",
    "root-file-missing",
    "root-file-unreadable",
    "root-file-invalid",
    "root-file-html",
    "root-file-truncated",
    "root-expired",
    "client-cert-missing",
    "client-cert-invalid",
    "client-key-missing",
    "client-key-invalid",
    "client-key-encrypted",
    "client-key-permissions",
    "client-key-mismatch",
    "crl-invalid",
    "crl-missing",
    "crl-directory-missing",
    "crl-ignored",
    "dns-not-found",
    "not-postgresql-tls-first",
    "direct-tls-unsupported",
    "tls-version-bounded",
    "client-cert-required",
    "client-cert-rejected",
    "sni-unrecognized",
    "root-not-in-file",
    "hostname-mismatch",
    "hostname-mismatch-address",
    "hostname-mismatch-other-server",
    "password-required",
    "certificate-user-mismatch",
    "database-missing",
    "auth-method-excluded",
    "channel-binding-failed",
    "channel-binding-ed25519",
    "session-readonly",
    "passfile-ignored",
    "backslash-path",
    "gss-encryption-first",
    "libpq-builds-differ",
];

#[test]
fn half_of_what_a_client_can_cure_has_a_fix_that_was_tried_and_works() {
    let works = |name: &&str| {
        let report = demo(fault(name).expect("a fault"), &["--format=json"]).json();
        let warned =
            report["warnings"].as_array().into_iter().flatten().flat_map(|found| found["fixes"].as_array());
        let fixes = report["diagnosis"]["fixes"].as_array().into_iter().chain(warned);
        fixes.flatten().any(|fix| fix["tried"] == "works")
    };
    let (tried, untried): (Vec<&str>, Vec<&str>) = CURED_HERE.iter().copied().partition(works);
    assert!(tried.len() * 2 >= CURED_HERE.len(), "{} of {}: not {untried:?}", tried.len(), CURED_HERE.len());
}

#[test]
fn each_fault_is_named_with_evidence_and_remedy() {
    each(
        faults(),
        |fault| fault.name,
        |fault| {
            let report = demo(fault, &["--format", "json"]);
            let json = report.json();
            let code = catalogue::code(fault.code).ok_or("no such code")?;
            let Some(stage) = code.fails_in() else {
                expect(json["verdict"] != "failed" && report.status == Some(0), || {
                    format!("{} with exit {:?}: {}", json["verdict"], report.status, json["diagnosis"])
                })?;
                expect(json["audit"].is_object() == (fault.seen_by == SeenBy::Audit), || {
                    format!("audit: {}", json["audit"])
                })?;
                let warnings = json["warnings"].as_array().into_iter().flatten();
                let warning = warnings.clone().find(|warning| warning["code"] == fault.code);
                return shows(fault, warning.ok_or_else(|| format!("no such warning: {json}"))?);
            };
            let diagnosis = &json["diagnosis"];
            expect(diagnosis["code"] == fault.code, || format!("diagnosed {diagnosis}"))?;
            expect(diagnosis["stage"] == stage.name(), || format!("in stage {}", diagnosis["stage"]))?;
            expect(report.status == Some(i32::from(stage.exit_status())), || {
                format!("exit {:?}", report.status)
            })?;
            let lines = json["stages"].as_array().into_iter().flatten();
            let failed: Vec<&Value> =
                lines.filter(|line| line["status"] == "failed").map(|line| &line["name"]).collect();
            expect(failed.contains(&&Value::from(stage.name())), || format!("failed stages {failed:?}"))?;
            shows(fault, diagnosis)
        },
    );
}

#[test]
fn each_report_for_people_ends_in_its_verdict() {
    each(
        faults(),
        |fault| fault.name,
        |fault| {
            let report = demo(fault, &[]);
            let last = report.stdout.lines().last().unwrap_or_default();
            let code =
                catalogue::code(fault.code).and_then(Code::fails_in).map_or(0, |stage| stage.exit_status());
            expect(report.status == Some(i32::from(code)), || format!("exit {:?}", report.status))?;
            let (level, words) = if code == 0 {
                ("warning", &["verified", "encrypted, not verified", "chain verified, name not"][..])
            } else {
                ("error", &["failed"][..])
            };
            expect(report.stdout.contains(&format!("{level}[{}]", fault.code)), || report.stdout.clone())?;
            expect(words.iter().any(|word| last.starts_with(word)), || format!("last line {last:?}"))
        },
    );
}

#[test]
fn the_list_and_a_mistyped_name() {
    let home = Home::new();
    let list = Tool::at(&home).with(["demo", "--list"]).run();
    list.exits(0);
    for fault in faults() {
        assert!(list.stdout.contains(fault.name) && list.stdout.contains(fault.about), "{}", fault.name);
    }
    let mistyped = Tool::at(&home).with(["demo", "hostname-mismatsch"]).run();
    mistyped.exits(2);
    assert!(mistyped.stderr.contains("did you mean hostname-mismatch?"), "{mistyped}");
}

#[test]
fn the_healthy_server_is_verified() {
    let home = Home::new();
    let report = Tool::at(&home).with(["demo", "--format", "json"]).run();
    report.verified();
    for stage in ["config", "trust", "tcp", "negotiate", "tls", "certificate", "auth", "session"] {
        report.stage(stage, "ok");
    }
}

/// Half of a certificate still has the names, and its fingerprint is what tells it apart.
#[test]
fn a_certificate_too_broken_to_verify_is_shown_as_far_as_it_goes() {
    let fault = fault("certificate-malformed").unwrap();
    let leaf = demo(fault, &["--format", "json"]).json()["chain"][0].clone();
    assert!(leaf["malformed"].as_str().unwrap().contains("cut off"), "{leaf}");
    assert_eq!(leaf["sha256"].as_str().unwrap().len(), 64, "{leaf}");
    assert_eq!((&leaf["role"], &leaf["sent"]), (&Value::from("leaf"), &Value::from(true)), "{leaf}");
    for field in ["subject", "issuer", "serial", "not_after"] {
        assert!(leaf[field].is_string(), "{field}: {leaf}");
    }
    let picture = demo(fault, &["-v"]).stdout;
    assert!(picture.contains("certificate is cut off: ") && picture.contains(" there · sent"), "{picture}");
    assert!(picture.lines().any(|line| line.trim() == "leaf         db.example"), "{picture}");
}
