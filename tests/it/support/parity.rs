//! One connection string to psql with libpq 15, to psql with libpq 18 and to the program: how each is run, how its answer
//! is read, and how the answers are held against what is expected and against the differences that are known.

mod reasons;

use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use pgtls_check::diagnose::{Code, catalogue};
use serde_json::Value;

use super::home::Home;
use super::psql::Psql;
use super::tool::Tool;
pub(crate) use reasons::{Reason, reasons_of};
use reasons::{last_attempt, reason_of_psql};

/// The clients that are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Client {
    /// psql on the libpq of its own package.
    Libpq15,
    /// The same psql on the newer library.
    Libpq18,
    /// pgtls-check.
    Program,
}

/// How a connection ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A session over TLS.
    Accepted,
    /// A session in plaintext: not asked for, or the mode passes over this failure of TLS. The program never calls it
    /// verified.
    Plaintext(Reason),
    /// No session.
    Refused(Reason),
    /// What fits nothing above: the text that says so.
    Other(String),
}

/// How a case is expected to end.
pub(crate) struct Expected<'a> {
    pub outcome: &'a Outcome,
    /// The program's diagnosis, where the kind of reason leaves several.
    pub code: Option<&'static Code>,
}

/// How one connection ended.
pub(crate) struct Answer {
    pub outcome: Outcome,
    /// Host and port of the session or of the last attempt.
    pub reached: Option<(String, u16)>,
    /// The version of TLS of the session.
    pub tls: Option<String>,
    /// The exit status.
    pub status: Option<i32>,
    /// The client's own words, for people.
    pub said: String,
}

impl Client {
    pub(crate) const ALL: [Self; 3] = [Self::Libpq15, Self::Libpq18, Self::Program];

    /// Lets this client connect, with `home` as home and working directory and `environment` as all of its `PG*`.
    pub(crate) fn connect(
        self,
        home: &Home,
        conninfo: &str,
        environment: &[(&str, &str)],
        expected: &Expected,
    ) -> Answer {
        match self {
            Self::Libpq15 => psql(Psql::libpq(15), home, conninfo, environment, expected),
            Self::Libpq18 => psql(Psql::libpq(18), home, conninfo, environment, expected),
            Self::Program => program(home, conninfo, environment, expected),
        }
    }
}

fn psql(
    psql: Psql,
    home: &Home,
    conninfo: &str,
    environment: &[(&str, &str)],
    expected: &Expected,
) -> Answer {
    let connection = psql.connect(home, conninfo, environment);
    let said = connection.stderr.trim().replace('\n', " / ");
    let outcome = match (connection.connected, &connection.tls) {
        (true, Some(_)) => Outcome::Accepted,
        // psql does not say why it did without TLS.
        (true, None) => match expected.outcome {
            Outcome::Plaintext(reason) => Outcome::Plaintext(*reason),
            _ => Outcome::Plaintext(Reason::NotRequested),
        },
        (false, _) => reason_of_psql(&said).map_or_else(|| Outcome::Other(said.clone()), Outcome::Refused),
    };
    let reached = if connection.connected { connection.reached } else { last_attempt(&said) };
    Answer { outcome, reached, tls: connection.tls, status: None, said }
}

fn program(home: &Home, conninfo: &str, environment: &[(&str, &str)], expected: &Expected) -> Answer {
    // psql ends with a session or it fails, and so must the program here. Second looks and trials are made as for people:
    // they tell what a server insists on, and must tell nothing to one that is refused.
    let mut tool = Tool::at(home).with(["--format", "json", "--require-auth", conninfo]);
    for (name, value) in environment {
        tool = tool.env(name, value);
    }
    let run = tool.run();
    let report: Value = serde_json::from_str(run.stdout.trim()).unwrap_or_default();
    let code = report["diagnosis"]["code"].as_str().map(|name| catalogue::code(name).expect("a code"));
    let outcome = match (report["verdict"].as_str(), code) {
        (Some("verified" | "chain-verified" | "encrypted"), None) if report["tls"].is_object() => {
            Outcome::Accepted
        }
        (Some("failed"), Some(code)) if expected.code.is_some_and(|wanted| wanted != code) => {
            Outcome::Other(code.name.to_owned())
        }
        (Some("failed"), Some(code)) => match expected.outcome {
            Outcome::Plaintext(reason) if reasons_of(code).contains(reason) => Outcome::Plaintext(*reason),
            Outcome::Refused(reason) if reasons_of(code).contains(reason) => Outcome::Refused(*reason),
            _ => reasons_of(code)
                .first()
                .copied()
                .map_or(Outcome::Other(code.name.to_owned()), Outcome::Refused),
        },
        _ => Outcome::Other(format!("exit {:?}, {}", run.status, run.stderr.trim().replace('\n', " / "))),
    };
    let reached = report["attempts"].as_array().and_then(|attempts| attempts.last()).and_then(|attempt| {
        let port = attempt["port"].as_u64().and_then(|port| u16::try_from(port).ok())?;
        Some((attempt["host"].as_str().unwrap_or_default().to_owned(), port))
    });
    let diagnosis = &report["diagnosis"];
    let said = format!(
        "{}: {}: {}",
        code.map_or("no diagnosis", |code| code.name),
        diagnosis["title"].as_str().unwrap_or_default(),
        diagnosis["cause"].as_str().unwrap_or_default()
    );
    Answer {
        outcome,
        reached,
        tls: report["tls"]["version"].as_str().map(str::to_owned),
        status: run.status,
        said: format!("{said} {diagnosis}"),
    }
}

/// A difference that these cases share.
pub(crate) struct Known {
    pub client: Client,
    pub outcome: Outcome,
    pub reason: &'static str,
    pub cases: &'static [&'static str],
}

/// What is wrong with the way this client's connection ended, if anything is.
pub(crate) fn judge(
    client: Client,
    case: &str,
    expected: &Outcome,
    answer: &Answer,
    known: &[Known],
) -> Option<String> {
    let Answer { outcome, said, .. } = answer;
    match known.iter().find(|known| known.client == client && known.cases.contains(&case)) {
        Some(known) if outcome == expected => {
            Some(format!("another outcome, since {} | differs no more", known.reason))
        }
        Some(known) if *outcome != known.outcome => {
            Some(format!("{:?}, since {} | {outcome:?} | {said}", known.outcome, known.reason))
        }
        None if outcome != expected => Some(format!("{expected:?} | {outcome:?} | {said}")),
        _ => None,
    }
}

/// Fails where two cases have one name, or where a known difference is of a case that is not there.
pub(crate) fn assert_names(cases: &[&str], known: &[Known]) {
    let mut names = cases.to_vec();
    names.sort_unstable();
    for pair in names.windows(2) {
        assert!(pair[0] != pair[1], "two cases have the name {:?}", pair[0]);
    }
    for case in known.iter().flat_map(|known| known.cases) {
        assert!(names.binary_search(case).is_ok(), "no case is called {case:?}");
    }
}

/// Runs every case, several at a time. `run` gives a line for each thing that is not as it should be; any line fails the
/// test.
pub(crate) fn assert_all<C: Sync>(
    cases: &[C],
    name: impl Fn(&C) -> &str,
    run: impl Fn(&C) -> Vec<String> + Sync,
) {
    let failures = Mutex::new(Vec::new());
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(case) = cases.get(index) else { return };
                    let found = run(case);
                    failures.lock().unwrap().extend(found.into_iter().map(|line| (index, line)));
                }
            });
        }
    });
    let mut failures = failures.into_inner().unwrap();
    failures.sort_by_key(|(index, _)| *index);
    let mut table = String::new();
    for (index, line) in &failures {
        writeln!(table, "{} | {line}", name(&cases[*index])).unwrap();
    }
    assert!(
        failures.is_empty(),
        "{} differences in {} cases:\ncase | client | expected | was\n{table}",
        failures.len(),
        cases.len()
    );
}
