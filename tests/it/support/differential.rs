//! Generated situations, to the program and to three builds of libpq: whether a session over TLS stands, and at which of
//! the ports, agrees in every one of them. Where builds of libpq part ways the program follows version 18 on OpenSSL 3, and
//! what the others do is listed with the reason; an entry that no longer differs fails.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use super::home::Home;
use super::libpq::{Attempted, Build, Libpq};
use super::tool::Tool;

/// One situation.
pub(crate) struct Situation {
    pub name: String,
    pub conninfo: String,
    pub environment: Vec<(String, String)>,
    /// libpq 15 does not know what it is about.
    pub newer: bool,
}

/// How a connection ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// A session over TLS at this port.
    Session(String),
    /// None: a failure, or a session in plaintext, which the program never takes for a success. The last port tried.
    Nothing(String),
}

/// A difference that is known: which of libpq's builds ends otherwise than the program in which situations, and why.
pub(crate) struct Known {
    pub build: Build,
    pub reason: &'static str,
    pub of: fn(&str) -> bool,
}

/// How the program's check ended, in its own words.
pub(crate) struct Checked {
    pub end: End,
    pub code: Option<String>,
    /// Code and title of each warning.
    pub warnings: Vec<(String, String)>,
    pub said: String,
}

/// All that are compared with.
pub(crate) const BUILDS: [Build; 3] = [Build::Pq15, Build::Pq18OnOpenSsl1, Build::Pq18OnOpenSsl3];

/// Lets every client connect in every situation and fails with a table of all differences. Gives what the program said.
pub(crate) fn assert_agreement(home: &Home, situations: &[Situation], known: &[Known]) -> Vec<Checked> {
    let mut names: Vec<&str> = situations.iter().map(|situation| situation.name.as_str()).collect();
    names.sort_unstable();
    for pair in names.windows(2) {
        assert!(pair[0] != pair[1], "two situations have the name {:?}", pair[0]);
    }
    let (checked, attempted) = std::thread::scope(|scope| {
        let libpqs: Vec<_> =
            BUILDS.map(|build| scope.spawn(move || (build, attempt(home, situations, build)))).into();
        let checked = check(home, situations);
        let attempted: Vec<(Build, Vec<Option<Attempted>>)> =
            libpqs.into_iter().map(|libpq| libpq.join().expect("libpq's answers")).collect();
        (checked, attempted)
    });
    let mut table = String::new();
    let mut count = 0;
    for (build, answers) in &attempted {
        for ((situation, checked), answer) in situations.iter().zip(&checked).zip(answers) {
            let Some(answer) = answer else { continue };
            let end = match answer.connected && answer.tls {
                // libpq 15 keeps spaces of a URI.
                true => End::Session(answer.port.trim().to_owned()),
                false => End::Nothing(answer.port.trim().to_owned()),
            };
            let excuse = known.iter().find(|known| known.build == *build && (known.of)(&situation.name));
            let fault = match (end == checked.end, excuse) {
                (true, Some(excuse)) => format!("differs no more: {}", excuse.reason),
                (false, None) => format!("{end:?} | {:?}", checked.end),
                _ => continue,
            };
            count += 1;
            let plaintext = if answer.connected && !answer.tls { "in plaintext " } else { "" };
            writeln!(
                table,
                "{} | {build:?} | {fault} | {plaintext}{} | {}",
                situation.name, answer.error, checked.said
            )
            .expect("a string takes all");
        }
    }
    assert!(
        count == 0,
        "{count} differences in {} situations:\nsituation | client | it | program\n{table}",
        situations.len()
    );
    for known in known {
        assert!(names.iter().any(|name| (known.of)(name)), "nothing is known by {:?}", known.reason);
    }
    checked
}

fn attempt(home: &Home, situations: &[Situation], build: Build) -> Vec<Option<Attempted>> {
    let libpq = Libpq::of(build, home);
    let mut answers: Vec<Option<Attempted>> = situations.iter().map(|_| None).collect();
    // OpenSSL reads its configuration once a process.
    let mut processes: BTreeMap<Option<&str>, Vec<usize>> = BTreeMap::new();
    for (at, situation) in situations.iter().enumerate() {
        if situation.newer && build == Build::Pq15 {
            continue;
        }
        let configuration = situation.environment.iter().find(|(name, _)| name == "OPENSSL_CONF");
        processes.entry(configuration.map(|(_, value)| value.as_str())).or_default().push(at);
    }
    for places in processes.into_values() {
        let attempts: Vec<_> = places
            .iter()
            .map(|at| (situations[*at].conninfo.clone(), situations[*at].environment.clone()))
            .collect();
        for (at, answer) in places.into_iter().zip(libpq.attempt(home, &attempts)) {
            answers[at] = Some(answer);
        }
    }
    answers
}

fn check(home: &Home, situations: &[Situation]) -> Vec<Checked> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(situation) = situations.get(index) else { return };
                    let checked = check_one(home, situation);
                    done.lock().unwrap().push((index, checked));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, checked)| checked).collect()
}

fn check_one(home: &Home, situation: &Situation) -> Checked {
    let mut tool =
        Tool::at(home).with(["--format", "json", "--no-try", "--require-auth", &situation.conninfo]);
    for (name, value) in &situation.environment {
        tool = tool.env(name, value);
    }
    let run = tool.run();
    let report: Value = serde_json::from_str(run.stdout.trim()).unwrap_or_default();
    let last = report["attempts"].as_array().and_then(|attempts| attempts.last());
    let port = last.and_then(|attempt| attempt["port"].as_u64());
    // A port that is none is null here and 0 there.
    let port = port.unwrap_or_default().to_string();
    let code = report["diagnosis"]["code"].as_str().map(str::to_owned);
    let end = match (run.status, &code) {
        (Some(0), None) => End::Session(port),
        (Some(2..=9), Some(_)) => End::Nothing(port),
        _ => panic!("{}: {run}", situation.name),
    };
    let cause = report["diagnosis"]["cause"].as_str().unwrap_or_default();
    let said = format!("{} {cause}", code.as_deref().unwrap_or("no diagnosis")).replace('\n', " / ");
    let text = |of: &Value| of.as_str().unwrap_or_default().to_owned();
    let warnings = report["warnings"].as_array().into_iter().flatten();
    let warnings = warnings.map(|warning| (text(&warning["code"]), text(&warning["title"]))).collect();
    Checked { end, code, warnings, said }
}
