//! Many targets in short: a line for each that is not well, each cause told once, one last line that counts.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use super::diagnosis::{fixes, level, title};
use super::{rehearsal, sign};
use crate::certificate::Certificate;
use crate::diagnose::{Fact, Outcome, StageStatus, Standing, Verdict};
use crate::order;
use crate::report::accepted;
use crate::report::causes::{Cause, Causes};
use crate::report::members::Members;
use crate::report::page::{LABELS, Page};
use crate::report::problem::{Problem, Rank, date, problems};
use crate::report::rows::Rows;
use crate::report::server::{Server, root, root_name};
use crate::report::subject::target_name;
use crate::report::{Layout, Reporter, Role, Run, Style, Verbosity};
use crate::text::width;

/// Collects what is worth saying of each target and says it at the end, in the order in which targets came in.
pub(super) struct Many<W> {
    layout: Layout,
    out: W,
    rows: Rows<Row>,
    causes: Causes,
    members: Members,
    /// How long each took, in microseconds.
    times: Vec<u32>,
    /// `-v`: what is to be known of each server.
    servers: Rows<[String; 6]>,
    /// What each server accepts, where an audit asked.
    accepted: Rows<[String; 6]>,
    /// How many servers' chains end at a root.
    roots: InUse,
    /// The date of `--as-of`.
    date: Option<String>,
}

/// How many servers' chains end at a root, by its name.
#[derive(Default)]
struct InUse {
    by_name: BTreeMap<String, usize>,
    /// The root of the server before, which is most often that of the next too.
    last: Option<(Certificate, String)>,
}

impl InUse {
    fn count(&mut self, root: Option<&Certificate>) {
        let Some(root) = root else { return };
        let known = self.last.as_ref().filter(|(last, _)| last == root);
        if let Some(count) = known.and_then(|(_, name)| self.by_name.get_mut(name)) {
            *count += 1;
            return;
        }
        let name = root_name(root);
        if name.is_empty() {
            return;
        }
        *self.by_name.entry(name.clone()).or_insert(0) += 1;
        self.last = Some((root.clone(), name));
    }
}

struct Row {
    status: StageStatus,
    target: String,
    code: String,
    place: String,
    source: String,
    time: String,
    /// Whether it makes the run fail.
    fails: bool,
}

impl<W: Write> Many<W> {
    /// Writes to `out`.
    pub(super) fn new(layout: Layout, out: W) -> Self {
        let causes = Causes::default();
        Self {
            layout,
            out,
            rows: Rows::new(layout),
            causes,
            members: Members::default(),
            times: Vec::new(),
            servers: Rows::new(layout),
            accepted: Rows::new(layout),
            roots: InUse::default(),
            date: None,
        }
    }
}

impl<W> Many<W> {
    /// Whether a target without a problem counts and is not named.
    fn has_nothing_to_say(&self, outcome: &Outcome) -> bool {
        let is_as_before = outcome.changes.as_ref().is_none_or(Vec::is_empty);
        let is_whole = outcome.evidence.member.is_none() && outcome.evidence.audit.is_none();
        is_as_before && is_whole && outcome.as_of.is_none() && self.layout.verbosity != Verbosity::Verbose
    }
}

impl<W: Write> Reporter for Many<W> {
    fn target(&mut self, outcome: &Outcome) -> io::Result<()> {
        self.times.push(u32::try_from(outcome.evidence.took.as_micros()).unwrap_or(u32::MAX));
        self.roots.count(root(outcome));
        let style = self.layout.style;
        let mut problems = problems(outcome);
        if problems.is_empty() && self.has_nothing_to_say(outcome) {
            return Ok(());
        }
        let server = Server::of(outcome);
        let target = target_name(outcome).unwrap_or_else(|| "(connection string)".to_owned());
        self.members.count(outcome, &server);
        if server.changes.as_ref().is_some_and(String::is_empty)
            && self.layout.verbosity != Verbosity::Verbose
        {
            return Ok(());
        }
        // Where it failed, nothing else is worth a line.
        problems.retain(|problem| outcome.verdict != Verdict::Failed || problem.fails());
        for problem in &problems {
            if server.changes.is_none() {
                self.rows.add(&server, Row::of(style, outcome, &target, problem));
            }
            self.causes.count(problem, outcome.source.place, &target);
        }
        if let Some(changes) = server.changes.as_ref().filter(|changes| !changes.is_empty()) {
            self.rows.add(&server, Row::changed(style, outcome, &target, changes));
        } else if problems.is_empty()
            && outcome.as_of.is_none()
            && self.layout.verbosity == Verbosity::Verbose
        {
            let row = Row { code: outcome.verdict.words().to_owned(), ..Row::new(style, outcome, &target) };
            self.rows.add(&server, row);
        }
        if self.layout.verbosity == Verbosity::Verbose {
            self.servers.add(&server, facts(&server));
        }
        if let Some(accepted) = &server.accepted {
            let [versions, suites, groups, plaintext, policy] = accepted.cells().map(or_none);
            self.accepted.add(&server, [server.described(), versions, suites, groups, plaintext, policy]);
        }
        if let Some(then) = &outcome.as_of {
            self.date = Some(date(then));
        }
        Ok(())
    }

    fn finish(&mut self, run: &Run) -> io::Result<()> {
        let style = self.layout.style;
        let mut page = Page::new(style);
        let quiet = self.layout.verbosity == Verbosity::Quiet;
        let shown = |row: &&Row| !quiet || row.fails;
        let listed: Vec<&Row> = self.rows.sorted().into_iter().filter(shown).collect();
        let is_empty = listed.is_empty();
        rows(&mut page, &listed);
        let servers = self.servers.sorted();
        if !servers.is_empty() {
            page.part();
            table(&mut page, SERVERS, &servers);
        }
        let accepted = self.accepted.sorted();
        if !quiet && !accepted.is_empty() {
            page.part();
            let [versions, suites, groups, plaintext, policy] = accepted::HEAD;
            table(&mut page, ["server", versions, suites, groups, plaintext, policy], &accepted);
        }
        let mut causes = self.causes.worst_first();
        causes.retain(|cause| !quiet || cause.rank != Rank::Warning);
        if !causes.is_empty() {
            page.part();
        }
        // What failed stands nearest to the last line.
        let (errors, warnings): (Vec<_>, Vec<_>) =
            causes.into_iter().partition(|cause| cause.rank == Rank::Error);
        for cause in warnings.into_iter().rev().chain(errors) {
            tell(&mut page, cause);
        }
        if !quiet || run.exit_status != 0 {
            if !is_empty || !servers.is_empty() || !accepted.is_empty() || !run.removed.is_empty() {
                page.part();
            }
            removed(&mut page, run);
            for words in self.members.mixed() {
                let words = style.text(&words);
                page.prose("sometimes  ", 11, 11, Role::Plain, &words);
            }
            if !quiet {
                roots(&mut page, &self.roots.by_name);
            }
            last_line(&mut page, run, median(&mut self.times), self.date.as_deref());
        }
        self.out.write_all(page.into_text().as_bytes())?;
        self.out.flush()
    }
}

impl Row {
    fn of(style: Style, outcome: &Outcome, target: &str, problem: &Problem<'_>) -> Self {
        let place = problem.date().unwrap_or_else(|| match problem.rank {
            Rank::Error => problem.stage().name().to_owned(),
            Rank::Denied(_) | Rank::Warning => days_left(problem.evidence()),
        });
        let status = if problem.rank == Rank::Error { StageStatus::Failed } else { StageStatus::Warning };
        Self {
            fails: problem.fails(),
            status,
            code: problem.name().to_owned(),
            place: style.text(&place),
            ..Self::new(style, outcome, target)
        }
    }

    /// Of a target that is otherwise than before.
    fn changed(style: Style, outcome: &Outcome, target: &str, changes: &str) -> Self {
        let fails = outcome.exit_status() != 0;
        let status = match (fails, outcome.warnings.is_empty()) {
            (true, _) => StageStatus::Failed,
            (false, true) => StageStatus::Ok,
            (false, false) => StageStatus::Warning,
        };
        Self { fails, status, code: style.text(changes), ..Self::new(style, outcome, target) }
    }

    /// Of a target without a problem.
    fn new(style: Style, outcome: &Outcome, target: &str) -> Self {
        Self {
            fails: false,
            status: StageStatus::Ok,
            target: style.text(target),
            code: String::new(),
            place: String::new(),
            source: style.text(&outcome.source.to_string()),
            time: outcome
                .tries
                .words()
                .unwrap_or_else(|| format!("{:.0} ms", outcome.evidence.took.as_secs_f64() * 1000.0)),
        }
    }
}

/// What `-v` tells of each server: name, verdict, end, issuer, root, protocol version.
fn facts(server: &Server) -> [String; 6] {
    let days = match server.days_left {
        Some(0) => "today".to_owned(),
        Some(1) => "in 1 day".to_owned(),
        Some(-1) => "1 day ago".to_owned(),
        Some(days @ 1..) => format!("in {days} days"),
        Some(days) => format!("{} days ago", -days),
        None => "-".to_owned(),
    };
    [
        server.described(),
        server.standing.words().to_owned(),
        days,
        or_none(&server.issuer),
        or_none(&server.root),
        or_none(server.tls_version),
    ]
}

fn or_none(text: &str) -> String {
    if text.is_empty() { "-".to_owned() } else { text.to_owned() }
}

const SERVERS: [&str; 6] = ["server", "verdict", "expires", "issuer", "root", "TLS"];

/// A table where columns have room, else each server's facts behind each other.
fn table(page: &mut Page, names: [&str; 6], servers: &[&[String; 6]]) {
    let style = page.style();
    let head = names.map(str::to_owned);
    let all: Vec<[String; 6]> = std::iter::once(&head)
        .chain(servers.iter().copied())
        .map(|row| row.each_ref().map(|cell| style.text(cell)))
        .collect();
    let mut widths = [0; 6];
    for row in &all {
        for (widest, cell) in widths.iter_mut().zip(row) {
            *widest = (*widest).max(width(cell));
        }
    }
    let columns = style.width.is_some_and(|limit| widths.iter().sum::<usize>() + 2 * 5 <= limit);
    for (index, row) in all.iter().enumerate() {
        if columns {
            let padded = row
                .iter()
                .zip(widths)
                .map(|(cell, to)| format!("{cell:0$}", to - width(cell) + cell.chars().count()));
            let line = padded.collect::<Vec<_>>().join("  ");
            let role = if index == 0 { Role::Secondary } else { Role::Plain };
            page.line(&style.paint(role, line.trim_end()));
        } else if index > 0 {
            let facts = row.iter().zip(names).skip(1).map(|(cell, name)| format!("{name} {cell}"));
            let [server, ..] = row;
            page.prose("", 0, 2, Role::Plain, &format!("{server}: {}", facts.collect::<Vec<_>>().join(", ")));
        }
    }
}

/// Targets of an earlier report that are none of this run.
pub(super) fn removed(page: &mut Page, run: &Run) {
    let style = page.style();
    for removed in &run.removed {
        let words = style.text(&format!("{} (was {})", removed.name, removed.verdict));
        page.prose("removed  ", 9, 9, Role::Plain, &words);
    }
}

/// The roots at which the chains end, and of how many servers.
fn roots(page: &mut Page, roots: &BTreeMap<String, usize>) {
    let mut roots: Vec<(&String, usize)> = roots.iter().map(|(name, count)| (name, *count)).collect();
    order::by_key(&mut roots, |(_, count)| std::cmp::Reverse(*count));
    let servers = |count| if count == 1 { "1 server".to_owned() } else { format!("{count} servers") };
    let words: Vec<String> =
        roots.into_iter().map(|(name, count)| format!("{name} ({})", servers(count))).collect();
    if !words.is_empty() {
        page.prose("roots  ", 7, 7, Role::Plain, &words.join(", "));
    }
}

/// Columns as wide as their widest entry where that fits, else the entries behind each other.
fn rows(page: &mut Page, rows: &[&Row]) {
    let style = page.style();
    let widest = |column: fn(&Row) -> &str| rows.iter().map(|row| width(column(row))).max().unwrap_or(0);
    let (target, code) = (widest(|row| &row.target), widest(|row| &row.code));
    let (place, time) = (widest(|row| &row.place), widest(|row| &row.time));
    let source = match widest(|row| &row.source) {
        0 => 0,
        source => source + 2,
    };
    let columns = style.width.is_some_and(|limit| {
        width(sign(style, StageStatus::Ok).0) + 1 + target + 2 + code + 2 + place + source + 2 + time <= limit
    });
    let pad = |text: &str, to: usize| format!("{text}{:1$}", "", to.saturating_sub(width(text)));
    for row in rows {
        let (symbol, role) = sign(style, row.status);
        let painted = style.paint(role, symbol);
        if columns {
            let gap = time - width(&row.time);
            let time = style.paint(Role::Secondary, &row.time);
            page.line(&format!(
                "{painted} {}  {}  {}{}  {:gap$}{time}",
                pad(&row.target, target),
                pad(&row.code, code),
                pad(&row.place, place),
                pad(&if source == 0 { String::new() } else { format!("  {}", row.source) }, source),
                ""
            ));
        } else {
            behind_each_other(page, &painted, width(symbol) + 1, row);
        }
    }
}

/// A row where columns have no room: on one line, else the target on one and the rest below it.
fn behind_each_other(page: &mut Page, painted: &str, indent: usize, row: &Row) {
    let rest: Vec<&str> = [&row.code, &row.place, &row.source, &row.time]
        .into_iter()
        .map(String::as_str)
        .filter(|part| !part.is_empty())
        .collect();
    let rest = rest.join("  ");
    let whole = indent + width(&row.target) + 2 + width(&rest);
    if page.style().width.is_none_or(|limit| whole <= limit) {
        page.line(&format!("{painted} {}  {rest}", row.target));
    } else {
        page.line(&format!("{painted} {}", row.target));
        page.line(&format!("{:indent$}{rest}", ""));
    }
}

/// `error[root-not-in-file] for 2 targets: …` and how to mend it.
fn tell(page: &mut Page, cause: &Cause) {
    let problem = cause.problem();
    let count = format!("{}{}", cause.count(), problem.remark());
    let words = format!("{}{}", problem.title(), cause.first_of_them());
    title(page, level(cause.rank), (problem.name(), &count), &words);
    fixes(page, LABELS, problem.fixes());
}

/// `verified 197 of 200  failed 3  warned 1  median 41 ms  exit 5  10.1 s`
pub(super) fn last_line(page: &mut Page, run: &Run, median: Option<Duration>, date: Option<&str>) {
    let style = page.style();
    let role = if run.exit_status == 0 { Role::Good } else { Role::Error };
    let total = run.finished() + run.unfinished;
    let then = date.map(|date| format!(", now and {date}")).unwrap_or_default();
    let words = |standing: Standing| match standing {
        _ if !run.rehearsed => standing.words(),
        Standing::PolicyFailed => standing.words(),
        Standing::Failed => rehearsal::verdict(Verdict::Failed),
        Standing::Encrypted => rehearsal::verdict(Verdict::Encrypted),
        Standing::ChainVerified => rehearsal::verdict(Verdict::ChainVerified),
        Standing::Verified => rehearsal::verdict(Verdict::Verified),
    };
    let verified = words(Standing::Verified);
    let mut parts = vec![style.paint(role, &format!("{verified} {} of {total}{then}", run.verified))];
    for standing in Standing::ALL.into_iter().filter(|standing| *standing != Standing::Verified) {
        let role = match standing {
            Standing::Failed | Standing::PolicyFailed => Role::Error,
            Standing::Encrypted | Standing::ChainVerified | Standing::Verified => Role::Warning,
        };
        match run.counted(standing) {
            0 => {}
            count => parts.push(style.paint(role, &format!("{} {count}", words(standing)))),
        }
    }
    if run.unfinished > 0 {
        parts.push(style.paint(Role::Error, &format!("not finished {}", run.unfinished)));
    }
    if run.warned > 0 {
        parts.push(style.paint(Role::Warning, &format!("warned {}", run.warned)));
    }
    parts.extend(run.changed.map(|changed| format!("changed {changed}")));
    parts.extend(median.map(|median| format!("median {:.0} ms", median.as_secs_f64() * 1000.0)));
    if run.exit_status != 0 {
        parts.push(format!("exit {}", run.exit_status));
    }
    parts.push(format!("{:.1} s", run.elapsed.as_secs_f64()));
    page.line(&parts.join("  "));
}

/// The middle one, of two in the middle the lower.
fn median(times: &mut [u32]) -> Option<Duration> {
    order::sort(times);
    let median = times.get(times.len().checked_sub(1)? / 2).copied()?;
    Some(Duration::from_micros(median.into()))
}

fn days_left(evidence: &[(&'static str, Fact)]) -> String {
    evidence
        .iter()
        .find_map(|(label, fact)| match fact {
            Fact::Number(1) if *label == "days_left" => Some("1 day left".to_owned()),
            Fact::Number(days) if *label == "days_left" => Some(format!("{days} days left")),
            _ => None,
        })
        .unwrap_or_default()
}
