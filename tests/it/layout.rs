//! Every staged fault, laid out for terminals of 100, 80 and 40 columns: nothing but what must stay whole to be of use
//! (names, paths, commands, settings) is wider than the terminal.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use pgtls_check::check::Run;
use pgtls_check::conninfo::{self, Overrides};
use pgtls_check::demo::{Demo, Fault, faults};
use pgtls_check::diagnose::{Fact, Fix, Outcome, diagnose};
use pgtls_check::evidence::{Evidence, Scope};
use pgtls_check::plan::Plan;
use pgtls_check::probe::probe;
use pgtls_check::report::{Format, Layout, Sort, Style, Verbosity};
use pgtls_check::secret::Secret;
use pgtls_check::text::{shell_quoted, width};
use pgtls_check::timestamp::Timestamp;
use pgtls_check::trial::{Context, try_fixes};
use pgtls_check::trust::{self, SystemStore};

/// Checks a staged fault within this process.
fn outcome(fault: &Fault) -> Outcome {
    let demo = Demo::start(Some(fault)).expect("the embedded server");
    let input = Secret::new(demo.conninfo().as_bytes().to_vec());
    let (overrides, environment) = (Overrides::default(), demo.environment());
    let scope =
        Scope { require_auth: fault.seen_by == pgtls_check::demo::SeenBy::SessionCheck, ..Scope::default() };
    let now = Timestamp::now();
    let settings = match conninfo::resolve(Some(input.expose()), &overrides, &environment) {
        Ok(settings) => settings,
        Err(failure) => return diagnose(Evidence::of_bad_config(now, scope, *failure)),
    };
    let trust = trust::load(&settings, &environment).into();
    let plan =
        Plan { settings, trust, started: now, scope, second_looks: true, total_limit: None, only: None };
    let context = Context {
        input: Some(&input),
        overrides: &overrides,
        environment: &environment,
        may_connect: true,
        total_limit: None,
        system_store: &SystemStore::default(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async { try_fixes(diagnose(probe(&plan).await), context).await })
}

fn page(outcome: &Outcome, width: usize, unicode: bool) -> String {
    let style = Style { colour: false, unicode, width: Some(width) };
    let mut page = Vec::new();
    let mut reporter = Format::Human.reporter(
        Layout { style, verbosity: Verbosity::Normal, many: false, limit: None, sort: Sort::default() },
        &mut page,
    );
    reporter.target(outcome).and_then(|()| reporter.finish(&Run::default())).expect("memory");
    drop(reporter);
    String::from_utf8(page).expect("UTF-8")
}

/// What is written on a line of its own, however long: commands, settings, list items.
fn whole(outcome: &Outcome) -> BTreeSet<String> {
    let mut whole = BTreeSet::new();
    whole.extend(outcome.diagnosis.iter().map(|found| format!("pgtls-check explain {}", found.code)));
    let mut fix = |fix: &Fix| {
        whole.extend(fix.command.iter().flat_map(|command| command.lines()).map(str::to_owned));
        whole.extend(fix.conninfo.as_deref().map(shell_quoted));
        let settings: Vec<String> =
            fix.settings.iter().map(|(keyword, value)| format!("{keyword}={value}")).collect();
        whole.insert(settings.join(" "));
    };
    let diagnoses = outcome.diagnosis.iter().chain(&outcome.also);
    diagnoses.clone().flat_map(|found| &found.fixes).for_each(&mut fix);
    outcome.warnings.iter().flat_map(|warning| &warning.fixes).for_each(&mut fix);
    let evidence = diagnoses.flat_map(|found| &found.evidence);
    for (_, fact) in evidence.chain(outcome.warnings.iter().flat_map(|warning| &warning.evidence)) {
        if let Fact::List(items) = fact {
            whole.extend(items.iter().cloned());
        }
    }
    whole
}

/// The lines that are too wide without need.
fn too_wide<'p>(outcome: &Outcome, page: &'p str, limit: usize) -> Vec<&'p str> {
    let whole = whole(outcome);
    let must_stay = |line: &str| {
        let content = line.trim_start();
        // A label may stand before what must stay whole.
        let is_whole = whole.iter().any(|piece| !piece.is_empty() && content.ends_with(piece.as_str()));
        // One word, after the label or alone, that no line could hold.
        let indent = width(line) - width(content);
        let word = content.split_whitespace().map(width).max().unwrap_or(0);
        let one_word = indent + word > limit || content.split_whitespace().count() == 1;
        // The last line and the marked string hold names and paths.
        let last =
            ["failed", "verified", "encrypted", "chain verified"].iter().any(|word| line.starts_with(word));
        is_whole || one_word || last || line.starts_with("1 |") || line.starts_with("  |")
    };
    page.lines().filter(|line| width(line) > limit && !must_stay(line)).collect()
}

#[test]
fn every_fault_fits_the_terminal() {
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while let Some(fault) = faults().get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = outcome(fault);
                    for (limit, unicode) in [(100, true), (80, true), (40, true), (40, false)] {
                        let page = page(&outcome, limit, unicode);
                        for line in too_wide(&outcome, &page, limit) {
                            wrong.lock().unwrap().push(format!("{} at {limit}: {line:?}", fault.name));
                        }
                        assert!(unicode || page.is_ascii(), "{}: {page}", fault.name);
                        // Nothing that was found is lost on a narrow terminal.
                        if let Some(diagnosis) = &outcome.diagnosis {
                            let words = page.split_whitespace().collect::<Vec<_>>().join(" ");
                            for fact in ["fix", "why", diagnosis.code.name] {
                                assert!(words.contains(fact), "{fact} of {} at {limit}:\n{page}", fault.name);
                            }
                        }
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} lines:\n{}", wrong.len(), wrong.join("\n"));
}
