//! Every fault that the embedded server stages, through the program: the code it is named after, the stage's exit
//! status, evidence, a remedy, in all widths.

use std::time::{Duration, Instant};

use pgtls_check::demo::{Fault, SeenBy, faults};
use pgtls_check::diagnose::catalogue;
use serde_json::Value;

use crate::support::home::Home;
use crate::support::tool::{Report, Tool};

/// What a check may take when an address is silent: the limit of two seconds that such faults set, one more for second
/// looks, and the rest for a slow machine.
const LONGEST: Duration = Duration::from_secs(7);

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

/// Runs a check of each fault on four threads and gathers what is wrong.
fn each(check: impl Fn(&Fault) -> Result<(), String> + Sync) {
    let next = std::sync::atomic::AtomicUsize::new(0);
    let wrong = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(fault) = faults().get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
                {
                    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(fault)));
                    let result = caught.unwrap_or_else(|_| Err("it panicked".to_owned()));
                    if let Err(why) = result {
                        wrong.lock().unwrap().push(format!("{}: {why}", fault.name));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} of {} faults:\n{}", wrong.len(), faults().len(), wrong.join("\n"));
}

fn expect(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise()) }
}

/// What each report must show, by the fault's name: evidence by label, and words of a fix.
const SHOWN: &str = include_str!("vectors/demo-faults.tsv");

/// Holds a diagnosis or warning against its row of [`SHOWN`].
fn shows(fault: &Fault, found: &Value) -> Result<(), String> {
    let mut rows = SHOWN.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let row = rows.find(|row| row[0] == fault.name).ok_or("no row in vectors/demo-faults.tsv")?;
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n"),
        other => other.to_string(),
    };
    for fact in row[1].split("; ") {
        let (label, words) = fact.split_once(':').ok_or("a row without labels")?;
        let shown = found["evidence"].get(label).map(text).ok_or_else(|| format!("no {label} in {found}"))?;
        expect(shown.contains(words.trim()), || format!("{label} is {shown:?}, not {words:?}"))?;
    }
    let fixes = found["fixes"].as_array().ok_or("no fixes")?;
    let has_fix = fixes.iter().any(|fix| {
        let settings = fix["settings"].as_object().into_iter().flatten();
        let settings: Vec<String> =
            settings.map(|(keyword, value)| format!("{keyword}={}", text(value))).collect();
        [text(&fix["text"]), text(&fix["command"]), settings.join(" ")]
            .iter()
            .any(|said| said.contains(row[2]))
    });
    expect(has_fix, || format!("no fix says {:?}: {}", row[2], found["fixes"]))
}

#[test]
fn each_fault_is_named_with_evidence_and_remedy() {
    each(|fault| {
        let report = demo(fault, &["--format", "json"]);
        let json = report.json();
        let entry = catalogue::entry(fault.code).ok_or("no such code")?;
        let Some(stage) = entry.stage else {
            expect(json["verdict"] == "verified" && report.status == Some(0), || {
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
    });
}

#[test]
fn each_report_for_people_ends_in_its_verdict() {
    each(|fault| {
        let report = demo(fault, &[]);
        let last = report.stdout.lines().last().unwrap_or_default();
        let code =
            catalogue::entry(fault.code).and_then(|entry| entry.stage).map_or(0, |stage| stage.exit_status());
        expect(report.status == Some(i32::from(code)), || format!("exit {:?}", report.status))?;
        let (level, words) = if code == 0 {
            ("warning", &["verified", "encrypted, not verified", "chain verified, name not"][..])
        } else {
            ("error", &["failed"][..])
        };
        expect(report.stdout.contains(&format!("{level}[{}]", fault.code)), || report.stdout.clone())?;
        expect(words.iter().any(|word| last.starts_with(word)), || format!("last line {last:?}"))
    });
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
    let fault = faults().iter().find(|fault| fault.name == "certificate-malformed").unwrap();
    let leaf = demo(fault, &["--format", "json"]).json()["chain"][0].clone();
    assert!(leaf["malformed"].as_str().unwrap().contains("cut off"), "{leaf}");
    assert_eq!(leaf["sha256"].as_str().unwrap().len(), 64, "{leaf}");
    assert_eq!((&leaf["role"], &leaf["sent"]), (&Value::from("leaf"), &Value::from(true)), "{leaf}");
    for field in ["subject", "issuer", "serial", "not_after"] {
        assert!(leaf[field].is_string(), "{field}: {leaf}");
    }
    let picture = demo(fault, &["-v"]).stdout;
    assert!(picture.contains("certificate is cut off · sent"), "{picture}");
    assert!(picture.lines().any(|line| line.trim() == "leaf         db.example"), "{picture}");
}
