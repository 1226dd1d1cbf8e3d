//! A monitoring plugin's line and exit status (monitoring-plugins.org, development guidelines): 0 verified, 1 with
//! warnings, 2 failed, 3 where the program could not look, for want of a usable command line, connection string or file.

use std::io::{self, Write};

use super::problem::{Rank, problems};
use super::server::Server;
use super::{Reporter, Row, Trouble};
use crate::check::Run;
use crate::diagnose::Outcome;
use crate::diagnose::warnings::EXPIRES_WITHIN;
use crate::evidence::{Place, Scope};
use crate::order;
use crate::stage::Stage;
use crate::text;

pub(super) const FORMAT: Row = Row {
    trouble: Some(|words| Trouble {
        line: line(State::Unknown, words, ""),
        exit_status: State::Unknown.exit_status(),
    }),
    ..Row::new("nagios", |_, out| Box::new(Plugin::new(out)))
};

/// The most targets that the line names, and the most characters of it: agents cut at 1024 bytes (NRPE 2).
const MOST_NAMED: usize = 5;
const LONGEST: usize = 700;

/// How a service is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    #[default]
    Ok,
    Warning,
    /// Nothing is known: worse than a warning, and no failure of the server's.
    Unknown,
    Critical,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Warning => "WARNING",
            Self::Critical => "CRITICAL",
            Self::Unknown => "UNKNOWN",
        }
    }

    fn exit_status(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Warning => 1,
            Self::Critical => 2,
            Self::Unknown => 3,
        }
    }
}

/// Collects what the line says.
struct Plugin<W> {
    out: W,
    state: State,
    /// What is said of targets that are not well: state, name, words.
    said: Vec<((State, Place), String, String)>,
    unwell: usize,
    /// The first target's name and verdict.
    first: Option<(String, &'static str)>,
    days: Option<i64>,
    scope: Scope,
}

impl<W: Write> Reporter for Plugin<W> {
    fn target(&mut self, outcome: &Outcome) -> io::Result<()> {
        let server = Server::of(outcome);
        let problems = problems(outcome);
        let state = problems.iter().map(|problem| match (problem.rank, problem.stage()) {
            (Rank::Error, Stage::Config | Stage::Trust) => State::Unknown,
            (Rank::Error | Rank::Denied(_), _) => State::Critical,
            (Rank::Warning, _) => State::Warning,
        });
        let state = state.max().unwrap_or_default();
        self.state = self.state.max(state);
        self.scope = outcome.evidence.scope;
        self.days = self.days.into_iter().chain(server.days_left).min();
        self.first.get_or_insert_with(|| (server.name(), server.standing.words()));
        if state == State::Ok {
            return Ok(());
        }
        self.unwell += 1;
        // The worst are named, the first of them.
        let worst = problems.iter().find(|problem| problem.fails()).or(problems.first());
        let words = worst.map(|problem| format!("{}, {}", problem.name(), problem.dated_title()));
        self.said.push(((state, server.place), server.name(), words.unwrap_or_default()));
        order::by_key(&mut self.said, |((state, place), ..)| (std::cmp::Reverse(*state), *place));
        self.said.truncate(MOST_NAMED);
        Ok(())
    }

    fn finish(&mut self, run: &Run) -> io::Result<()> {
        let text = line(self.final_state(run), &self.words(run), &self.measured(run));
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }

    fn exit_status(&self, run: &Run) -> u8 {
        self.final_state(run).exit_status()
    }
}

impl<W> Plugin<W> {
    fn new(out: W) -> Self {
        let (state, scope) = (State::default(), Scope::default());
        Self { out, state, said: Vec::new(), unwell: 0, first: None, days: None, scope }
    }

    fn final_state(&self, run: &Run) -> State {
        let interrupted = run.exit_status > 128 || run.unfinished > 0;
        if interrupted { self.state.max(State::Unknown) } else { self.state }
    }

    fn words(&self, run: &Run) -> String {
        let total = run.finished() + run.unfinished;
        match (&self.first, self.said.as_slice()) {
            (_, [(_, name, words)]) if total == 1 => format!("{name}: {words}"),
            (Some((name, words)), []) if total == 1 => format!("{name}: {words}"),
            (_, said) => {
                let mut parts = vec![format!("{} of {total} verified", run.verified)];
                parts.extend(said.iter().map(|(_, name, words)| {
                    format!("{name}: {}", words.split_once(", ").map_or(words.as_str(), |(code, _)| code))
                }));
                let others = self.unwell.saturating_sub(said.len());
                parts.extend((others > 0).then(|| format!("and {others} more")));
                parts.join("; ")
            }
        }
    }

    /// The performance data: how long it took, and the days that the first certificate to expire has left.
    fn measured(&self, run: &Run) -> String {
        let mut data = vec![format!("time={:.3}s;;;0", run.elapsed.as_secs_f64())];
        let warned = self.scope.expires_within.map_or(EXPIRES_WITHIN, i64::from);
        let fails = self.scope.fail_within.map(|days| days.to_string()).unwrap_or_default();
        data.extend(self.days.map(|days| format!("days={days};{warned};{fails}")));
        let total = run.finished() + run.unfinished;
        if total > 1 {
            data.push(format!("verified={};;;0;{total}", run.verified));
            data.push(format!("failed={};;;0;{total}", run.failed + run.policy_failed));
        }
        data.join(" ")
    }
}

/// One line. A bar parts the words from the data, so that there is none in the words.
fn line(state: State, words: &str, data: &str) -> String {
    let words = text::printable(&text::truncated(words, LONGEST)).replace('|', "\\x7c");
    let bar = if data.is_empty() { "" } else { " | " };
    format!("PGTLS {} - {words}{bar}{data}\n", state.name())
}
