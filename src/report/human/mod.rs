//! The report for people: one target in full, or many in short.
//!
//! The answer is the last line and the remedy stands just above it, so that eyes and `tail -1` both end there. Nothing
//! is said by colour or symbol alone.

mod as_of;
mod audit;
mod chain;
pub(crate) mod diagnosis;
mod many;
mod mark;
mod rehearsal;
mod time_line;
mod wire;

use std::io::{self, Write};

use super::page::{Page, Remark, TIME_EDGE, milliseconds, whole_time};
use super::problem::{Problem, problems};
use super::subject::target_name;
use super::{Form, Layout, Reporter, Role, Row, Style, Verbosity};
use crate::check::Run;
use crate::diagnose::{Mark, Note, Outcome, StageReport, StageStatus, Standing, Verdict, Warning};
use crate::stage::Stage;

pub(super) const FORMAT: Row = Row {
    listing: Some(Form::Page),
    endings: &["txt", "log"],
    ..Row::new("human", |layout, out| match layout.many {
        true => Box::new(many::Many::new(layout, out)),
        false => Box::new(Single { layout, out }),
    })
};

/// A problem as a block, for formats that hold it as text.
pub(super) fn block(problem: &Problem<'_>) -> String {
    let mut page = Page::new(Style::document());
    diagnosis::problem(&mut page, problem);
    page.into_text()
}

/// A target's stages and what is worth knowing of it, for formats that hold them as text.
pub(super) fn course(outcome: &Outcome) -> String {
    let mut page = Page::new(Style::document());
    stages(&mut page, outcome);
    for problem in problems(outcome).iter().filter(|problem| !problem.fails()) {
        diagnosis::problem(&mut page, problem);
    }
    page.into_text()
}

/// The place in a connection string at which a problem lies.
pub(super) fn marked(mark: &Mark) -> String {
    let mut page = Page::new(Style::document());
    mark::draw(&mut page, mark);
    page.into_text()
}

/// A run in one line.
pub(super) fn run_line(run: &Run) -> String {
    let mut page = Page::new(Style::document());
    many::last_line(&mut page, run, None, None);
    page.into_text()
}

/// Reports each target in full as it ends.
struct Single<W> {
    layout: Layout,
    out: W,
}

impl<W: Write> Reporter for Single<W> {
    fn target(&mut self, outcome: &Outcome) -> io::Result<()> {
        self.out.write_all(report(outcome, self.layout).as_bytes())
    }

    fn finish(&mut self, run: &Run) -> io::Result<()> {
        let mut page = Page::new(self.layout.style);
        many::removed(&mut page, run);
        self.out.write_all(page.into_text().as_bytes())?;
        self.out.flush()
    }
}

/// A target's whole report.
fn report(outcome: &Outcome, layout: Layout) -> String {
    let mut page = Page::new(layout.style);
    if layout.verbosity != Verbosity::Quiet {
        stages(&mut page, outcome);
        notes(&mut page, &outcome.notes(), layout.verbosity == Verbosity::Verbose);
        if let Some(audit) = &outcome.evidence.audit {
            audit::section(&mut page, outcome, audit, layout.verbosity == Verbosity::Verbose);
        }
        if let Some(rehearsal) = &outcome.evidence.rehearsal {
            rehearsal::section(&mut page, outcome, rehearsal);
        }
        if layout.verbosity == Verbosity::Verbose {
            chain::draw(&mut page, outcome);
            time_line::draw(&mut page, outcome);
            wire::facts(&mut page, outcome);
            wire::second_looks(&mut page, outcome);
            wire::settings(&mut page, outcome);
        }
    }
    let quiet = layout.verbosity == Verbosity::Quiet;
    // What failed comes first: a reader repairs what stands on top.
    if let Some(found) = &outcome.diagnosis {
        page.part();
        diagnosis::error(&mut page, found, &outcome.also);
    }
    for warning in outcome.warnings.iter().filter(|warning| warning.denied.is_some() || !quiet) {
        page.part();
        // A remedy that stands above already is not said twice.
        let above = outcome.diagnosis.as_ref().and_then(|found| found.fixes.first());
        match warning.fixes.first().is_some_and(|fix| above == Some(fix)) {
            true => diagnosis::warning(&mut page, &Warning { fixes: Vec::new(), ..warning.clone() }),
            false => diagnosis::warning(&mut page, warning),
        }
    }
    if !quiet || outcome.exit_status() != 0 {
        if let Some(then) = &outcome.as_of {
            as_of::section(&mut page, then, outcome, layout.verbosity);
        }
        let changes = super::server::changes(outcome);
        let stages_only = layout.verbosity == Verbosity::Normal && outcome.warnings.is_empty();
        if outcome.diagnosis.is_some() || outcome.as_of.is_some() || !stages_only {
            page.part();
        }
        if let Some(changes) = changes {
            let words =
                if changes.is_empty() { "nothing changed with this target" } else { changes.as_str() };
            page.prose("since  ", 7, 7, Role::Plain, words);
        }
        last_line(&mut page, outcome);
    }
    page.into_text()
}

/// One line a stage: those reached, and those not reached for a reason that is not the failure. A string that is at
/// fault has got no further than itself; its diagnosis says all there is.
fn stages(page: &mut Page, outcome: &Outcome) {
    if outcome.stages.iter().any(|line| line.stage == Stage::Config && line.status == StageStatus::Failed) {
        return;
    }
    let mut failed = false;
    for line in &outcome.stages {
        let silent = line.status == StageStatus::Skipped && (failed || line.detail.is_empty());
        if !silent {
            stage(page, line);
        }
        failed |= line.status == StageStatus::Failed;
    }
}

/// What is worth knowing of the string, a line each.
fn notes(page: &mut Page, notes: &[Note], all: bool) {
    for note in notes.iter().filter(|note| all || note.always) {
        let (head, width) = page.label(4, "note", Role::Secondary);
        page.prose(&head, width, width, Role::Secondary, &note.text);
    }
}

fn stage(page: &mut Page, line: &StageReport) {
    let style = page.style();
    let (symbol, role) = sign(style, line.status);
    let skipped = line.status == StageStatus::Skipped;
    let text_role = if skipped { Role::Secondary } else { Role::Plain };
    let name = style.paint(text_role, line.stage.name());
    let symbol_width = crate::text::width(symbol);
    let (head, head_width) = if page.is_narrow() {
        page.line(&format!("{} {name}", style.paint(role, symbol.trim_end())));
        ("  ".to_owned(), 2)
    } else {
        let pad = 13 - line.stage.name().len().min(13);
        (format!("{} {name}{:pad$}", style.paint(role, symbol), ""), symbol_width + 14)
    };
    match line.milliseconds {
        None => page.prose(&head, head_width, head_width, text_role, &line.detail),
        Some(ms) => page.prose_with_remark(
            &head,
            head_width,
            (text_role, &line.detail),
            Remark { role: Role::Secondary, words: &milliseconds(ms), edge: TIME_EDGE },
        ),
    }
}

/// A status as symbol or word.
fn sign(style: Style, status: StageStatus) -> (&'static str, Role) {
    let (symbol, word, role) = match status {
        StageStatus::Ok => ("✓", "ok  ", Role::Good),
        StageStatus::Warning => ("!", "warn", Role::Warning),
        StageStatus::Failed => ("✗", "FAIL", Role::Error),
        StageStatus::Skipped => ("–", "skip", Role::Secondary),
    };
    (if style.symbols() { symbol } else { word }, role)
}

fn verdict_role(verdict: Verdict) -> Role {
    match verdict {
        Verdict::Verified => Role::Good,
        Verdict::ChainVerified | Verdict::Encrypted => Role::Warning,
        Verdict::Failed => Role::Error,
    }
}

/// How TLS itself stands where a policy failed.
fn itself(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Verified => "(TLS itself verified)",
        Verdict::ChainVerified => "(chain verified, name not)",
        Verdict::Encrypted | Verdict::Failed => "(TLS is up, server not verified)",
    }
}

/// The answer.
fn last_line(page: &mut Page, outcome: &Outcome) {
    let style = page.style();
    let verdict = outcome.verdict;
    let denied = outcome.standing() == Standing::PolicyFailed;
    let mut parts = match denied {
        true => vec![style.paint(Role::Error, Standing::PolicyFailed.words())],
        false if outcome.evidence.rehearsal.is_some() => {
            vec![style.paint(verdict_role(verdict), rehearsal::verdict(verdict))]
        }
        false if outcome.is_interrupted() => vec![style.paint(Role::Error, outcome.verdict_name())],
        false => vec![style.paint(verdict_role(verdict), verdict.words())],
    };
    let target = target_name(outcome).map(|name| page.clean(&name));
    let known = target.is_some();
    parts.extend(target);
    if let Some(diagnosis) = &outcome.diagnosis {
        parts.push(diagnosis.code.stage.name().to_owned());
    }
    parts.extend(outcome.as_of.as_ref().map(|then| as_of::words(style, then)));
    let evidence = &outcome.evidence;
    if evidence.rehearsal.is_some() && evidence.judged_at != evidence.started {
        parts.push(format!("as of {}", evidence.judged_at.date()));
    }
    if outcome.exit_status() != 0 {
        let role = if verdict == Verdict::Failed { Role::Plain } else { Role::Error };
        parts.push(style.paint(role, &format!("exit {}", outcome.exit_status())));
    }
    if denied {
        parts.push(style.paint(verdict_role(verdict), itself(verdict)));
    }
    match outcome.warnings.iter().filter(|warning| warning.denied.is_none()).count() {
        0 => {}
        1 => parts.push("1 warning".to_owned()),
        n => parts.push(format!("{n} warnings")),
    }
    match outcome.tries.words() {
        Some(words) => parts.push(words),
        None if known => parts.push(style.paint(Role::Secondary, &whole_time(outcome.evidence.took))),
        None => {}
    }
    page.line(&parts.join("  "));
}
