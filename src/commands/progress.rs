//! What standard error says while checks go on. On a terminal it is a line that is redrawn in its place and wiped before
//! anything else is written: for what one target waits, or how far many are. Elsewhere it is a line now and then that says
//! how far many are, and one for each change of the cause that `--wait` waits out.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::check::{RunWatcher, WaitLimit, Watcher};
use crate::conninfo::Settings;
use crate::diagnose::{Outcome, Tries, WaitEnd};
use crate::evidence::{Member, Place, Source};
use crate::probe::{Observer, Wait};
use crate::report::{Style, member_name, target_name};
use crate::text::{truncated, width};

/// A check that takes no longer says nothing.
const FIRST_SHOWN: Duration = Duration::from_millis(300);
const REDRAW: Duration = Duration::from_millis(100);
/// Where no line is redrawn, how far a run is is told after so long, then at twice the time, then once in so long.
const FIRST_TOLD: Duration = Duration::from_secs(5);
const TOLD: Duration = Duration::from_secs(60);

/// How standard error tells of a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Telling {
    /// How it may look.
    pub style: Style,
    /// How many targets there are.
    pub total: usize,
    /// `--wait`
    pub wait: Option<WaitLimit>,
    /// Whether nothing is told but on the redrawn line: the report itself says the rest.
    pub quiet: bool,
    /// Whether the report does not say in words how the waiting ended.
    pub for_machines: bool,
}

/// Tells of a run.
#[derive(Clone)]
pub(super) struct Progress {
    state: Arc<Mutex<State>>,
}

struct State {
    telling: Telling,
    /// Whether a line can be redrawn.
    redraws: bool,
    begin: Instant,
    /// Targets that have ended, and how many of them did not succeed.
    ended: usize,
    failed: usize,
    running: BTreeMap<Place, Running>,
    /// What stands on the terminal.
    drawn: String,
}

/// A target that is being checked.
struct Running {
    name: String,
    since: Instant,
    /// What is waited for, and since when something has been.
    wait: Option<(Wait, Instant)>,
    /// The cause of the last try that failed, and the tries so far.
    again: Option<(&'static str, Tries)>,
}

impl Progress {
    pub(super) fn new(telling: Telling) -> Self {
        let redraws = telling.style.width.is_some()
            && io::stderr().is_terminal()
            && std::env::var_os("TERM").is_none_or(|terminal| terminal != "dumb");
        let state = State {
            telling,
            redraws,
            begin: Instant::now(),
            ended: 0,
            failed: 0,
            running: BTreeMap::new(),
            drawn: String::new(),
        };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// Runs checks and redraws the line meanwhile, where there is one.
    pub(super) async fn during<T>(&self, mut checks: Pin<&mut impl Future<Output = T>>) -> T {
        if !self.state().redraws {
            return self.telling(checks).await;
        }
        let mut ticks = tokio::time::interval(REDRAW);
        loop {
            tokio::select! {
                result = checks.as_mut() => {
                    self.wipe();
                    break result;
                }
                _ = ticks.tick() => self.state().redraw(),
            }
        }
    }

    /// Runs checks and tells now and then how far they are.
    async fn telling<T>(&self, mut checks: Pin<&mut impl Future<Output = T>>) -> T {
        let (mut pause, mut told) = (FIRST_TOLD, FIRST_TOLD);
        loop {
            match tokio::time::timeout(pause, checks.as_mut()).await {
                Ok(result) => return result,
                Err(_) => self.state().tell(),
            }
            pause = told.min(TOLD);
            told += pause;
        }
    }

    /// Makes room for what somebody else writes to the terminal.
    pub(super) fn wipe(&self) {
        self.state().draw(String::new());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RunWatcher for Progress {
    fn begins(&self, source: &Source) -> Rc<dyn Watcher> {
        let place = source.place;
        let running = Running { name: String::new(), since: Instant::now(), wait: None, again: None };
        self.state().running.insert(place, running);
        Rc::new(OfTarget { progress: self.clone(), place })
    }

    fn becomes(&self, count: usize) {
        let mut state = self.state();
        state.telling.total = (state.telling.total + count).saturating_sub(1);
    }

    fn ends(&self, outcome: &Outcome) {
        let mut state = self.state();
        state.running.remove(&outcome.source.place);
        state.ended += 1;
        state.failed += usize::from(outcome.exit_status() != 0);
        if outcome.exit_status() != 0 && state.telling.total > 1 && state.tells_failures() {
            let line = failed_line(outcome, state.telling.style);
            state.line(&line);
        }
        let gave_up = matches!(outcome.tries.end, Some(WaitEnd::GaveUp | WaitEnd::Interrupted));
        if let Some(words) = outcome.tries.words().filter(|_| gave_up && state.telling.for_machines) {
            state.line(&format!("{}: {words}", name(outcome)));
        }
    }
}

/// Tells of one target.
struct OfTarget {
    progress: Progress,
    place: Place,
}

impl OfTarget {
    fn change(&self, change: impl FnOnce(&mut Running)) {
        if let Some(running) = self.progress.state().running.get_mut(&self.place) {
            change(running);
        }
    }
}

impl Observer for OfTarget {
    fn waits(&self, wait: Wait) {
        self.change(|running| {
            let since = running.wait.as_ref().map_or(wait.since, |(_, since)| *since);
            running.wait = Some((wait, since));
        });
    }

    fn ended(&self) {
        self.change(|running| running.wait = None);
        let mut state = self.progress.state();
        if state.telling.total == 1 {
            state.draw(String::new());
        }
    }
}

impl Watcher for OfTarget {
    fn resolved(&self, settings: &Settings, member: Option<&Member>) {
        let name = member_name(settings, member).unwrap_or_default();
        self.change(|running| running.name = name);
    }

    fn tries_again(&self, failed: &Outcome, tries: Tries) {
        let Some(diagnosis) = &failed.diagnosis else { return };
        let cause = diagnosis.code.name;
        let mut changed = false;
        self.change(|running| {
            changed = running.again.is_none_or(|(before, _)| before != cause);
            running.again = Some((cause, tries));
        });
        let mut state = self.progress.state();
        if changed && !state.redraws {
            let name = state.telling.style.text(&name(failed));
            let title = state.telling.style.text(&diagnosis.title);
            state.line(&format!("waiting for {name}: {cause}: {title}"));
        }
    }
}

impl State {
    /// Whether failures are told as they come: to people, not to whoever reads a machine's format from both streams.
    fn tells_failures(&self) -> bool {
        self.redraws || !self.telling.for_machines
    }

    /// How far many targets are, on a line that stays.
    fn tell(&mut self) {
        if self.telling.total > 1 && self.tells_failures() {
            let line = self.of_many();
            self.line(&line);
        }
    }

    fn redraw(&mut self) {
        let text = if self.telling.total > 1 { Some(self.of_many()) } else { self.of_one() };
        if let Some(text) = text.filter(|_| self.begin.elapsed() >= FIRST_SHOWN) {
            self.draw(text);
        }
    }

    /// `tcp  10.0.4.5:5432  3 s of 10 s`, or `waiting  db.example.com  tcp-refused  3 tries  4 s of 20 s`
    fn of_one(&self) -> Option<String> {
        let running = self.running.values().next()?;
        if let Some((cause, tries)) = running.again {
            let limit = match self.telling.wait {
                Some(WaitLimit::For(limit)) => format!(" of {:.0} s", limit.as_secs_f64()),
                _ => String::new(),
            };
            let count = if tries.count == 1 { "1 try".to_owned() } else { format!("{} tries", tries.count) };
            let end = format!("  {cause}  {count}  {} s{limit}", self.begin.elapsed().as_secs());
            return Some(self.fitting(&format!("waiting  {}", running.name), &end));
        }
        let (wait, _) = running.wait.as_ref().filter(|(_, since)| since.elapsed() >= FIRST_SHOWN)?;
        let times = format!("  {} s of {} s", wait.since.elapsed().as_secs(), wait.limit.as_secs());
        Some(self.fitting(&format!("{}  {}", wait.stage.name(), wait.target), &times))
    }

    /// `checking 87 of 300 · 4 failed · oldest db012 8 s`
    fn of_many(&self) -> String {
        let failed = if self.failed > 0 { format!(" · {} failed", self.failed) } else { String::new() };
        let counts = format!("checking {} of {}{failed}", self.ended, self.telling.total);
        let oldest = self.running.values().min_by_key(|running| running.since);
        let oldest = oldest.filter(|oldest| oldest.since.elapsed() >= Duration::from_secs(1));
        match oldest {
            Some(oldest) => self.fitting(
                &format!("{counts} · oldest {}", oldest.name),
                &format!(" {} s", oldest.since.elapsed().as_secs()),
            ),
            None => self.fitting(&counts, ""),
        }
    }

    /// What may be long, cut so that what follows has room.
    fn fitting(&self, text: &str, end: &str) -> String {
        let style = self.telling.style;
        // A line that stays is whole.
        let room = if self.redraws { style.width.unwrap_or(80) } else { usize::MAX };
        truncated(&style.text(text), room.saturating_sub(width(end) + 1)) + end
    }

    /// A line that stays.
    fn line(&mut self, text: &str) {
        if !self.telling.quiet {
            self.draw(String::new());
            let _ = writeln!(io::stderr().lock(), "{text}");
        }
    }

    /// Takes the place of what was drawn before. Nobody minds a picture that cannot be drawn.
    fn draw(&mut self, text: String) {
        if self.redraws && self.drawn != text {
            let mut out = io::stderr().lock();
            let _ = write!(out, "\r\x1b[K{text}").and_then(|()| out.flush());
            self.drawn = text;
        }
    }
}

/// `db-044.example.com  root-not-in-file  certificate  58 ms`
fn failed_line(outcome: &Outcome, style: Style) -> String {
    let denied = || outcome.warnings.iter().find(|warning| warning.denied.is_some());
    let code = match &outcome.diagnosis {
        Some(found) => Some(found.code),
        None => denied().map(|warning| warning.code),
    };
    let code = code.map(|code| format!("  {}  {}", code.name, code.stage.name())).unwrap_or_default();
    let source = outcome.source.to_string();
    let source = if source.is_empty() { source } else { format!("  {}", style.text(&source)) };
    let time = format!("{:.0} ms", outcome.evidence.took.as_secs_f64() * 1000.0);
    format!("failed  {}{code}{source}  {time}", style.text(&name(outcome)))
}

fn name(outcome: &Outcome) -> String {
    target_name(outcome).unwrap_or_else(|| "(connection string)".to_owned())
}
