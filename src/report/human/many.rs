//! Many targets in short: a line for each that is not well, each cause told once, one last line that counts.

use std::io::{self, Write};
use std::time::Duration;

use super::diagnosis::{DENIED, ERROR, Level, WARNING, fixes, title};
use super::{as_of, sign};
use crate::diagnose::{AsOf, Code, Diagnosis, Fact, Fix, Outcome, StageStatus, Verdict, Warning};
use crate::report::page::{LABELS, Page};
use crate::report::subject::target_name;
use crate::report::{Layout, Reporter, Role, Run, Style, Verbosity};
use crate::text::width;

/// Collects what is worth saying of each target and says it at the end, in the order in which targets came in.
pub(super) struct Many<W> {
    layout: Layout,
    out: W,
    rows: Vec<Row>,
    causes: Vec<Cause>,
    times: Vec<Duration>,
    /// The date of `--as-of`.
    date: Option<String>,
}

struct Row {
    status: StageStatus,
    target: String,
    code: String,
    place: String,
    time: String,
    /// Whether it makes the run fail.
    fails: bool,
}

/// A code, its targets counted; words and remedies are those of the first.
struct Cause {
    level: Level,
    /// The date of `--as-of`, where it comes with that.
    remark: String,
    code: &'static Code,
    title: String,
    fixes: Vec<Fix>,
    targets: usize,
    /// Whether another target has another title under the same code.
    differs: bool,
}

impl<W: Write> Many<W> {
    /// Writes to `out`.
    pub(super) fn new(layout: Layout, out: W) -> Self {
        Self { layout, out, rows: Vec::new(), causes: Vec::new(), times: Vec::new(), date: None }
    }

    fn count(&mut self, (level, remark): (Level, &str), code: &'static Code, title: &str, fixes: &[Fix]) {
        let is_it = |cause: &&mut Cause| cause.code == code && cause.level == level && cause.remark == remark;
        match self.causes.iter_mut().find(is_it) {
            Some(cause) => {
                cause.targets += 1;
                cause.differs |= cause.title != title;
            }
            None => self.causes.push(Cause {
                level,
                remark: remark.to_owned(),
                code,
                title: title.to_owned(),
                fixes: fixes.to_vec(),
                targets: 1,
                differs: false,
            }),
        }
    }
}

impl<W: Write> Reporter for Many<W> {
    fn target(&mut self, outcome: &Outcome) -> io::Result<()> {
        self.times.push(outcome.evidence.took);
        let style = self.layout.style;
        let target = target_name(outcome).unwrap_or_else(|| "(connection string)".to_owned());
        let mut row = |fails, status, code: &str, place: String| {
            self.rows.push(Row::new(style, outcome, &target, (fails, status), code, &place));
        };
        match (outcome.verdict, &outcome.diagnosis) {
            (Verdict::Failed, Some(diagnosis)) => {
                row(true, StageStatus::Failed, diagnosis.code.name, diagnosis.code.stage.name().to_owned());
                self.count_error(diagnosis, "");
            }
            (Verdict::Failed, None) => row(true, StageStatus::Failed, "", String::new()),
            _ => {
                for warning in &outcome.warnings {
                    row(
                        warning.denied,
                        StageStatus::Warning,
                        warning.code.name,
                        days_left(&warning.evidence),
                    );
                }
                let plain = outcome.warnings.is_empty() && outcome.as_of.is_none();
                if plain && self.layout.verbosity == Verbosity::Verbose {
                    row(false, StageStatus::Ok, outcome.verdict.words(), String::new());
                }
                for warning in &outcome.warnings {
                    self.count_warning(warning, "");
                }
            }
        }
        if let Some(then) = &outcome.as_of {
            self.then(outcome, then, &target);
        }
        Ok(())
    }

    fn finish(&mut self, run: &Run) -> io::Result<()> {
        let mut page = Page::new(self.layout.style);
        let quiet = self.layout.verbosity == Verbosity::Quiet;
        let shown = |row: &&Row| !quiet || row.fails;
        rows(&mut page, &self.rows.iter().filter(shown).collect::<Vec<_>>());
        let causes: Vec<&Cause> = self.causes.iter().filter(|c| !quiet || c.level != WARNING).collect();
        if !causes.is_empty() {
            page.part();
        }
        // What failed stands nearest to the last line.
        let (errors, warnings): (Vec<_>, Vec<_>) = causes.into_iter().partition(|cause| cause.level == ERROR);
        for cause in warnings.into_iter().chain(errors) {
            tell(&mut page, cause);
        }
        if !quiet || run.exit_status != 0 {
            if !self.rows.is_empty() {
                page.part();
            }
            last_line(&mut page, run, median(&mut self.times), self.date.as_deref());
        }
        self.out.write_all(page.into_text().as_bytes())?;
        self.out.flush()
    }
}

impl<W: Write> Many<W> {
    fn count_error(&mut self, diagnosis: &Diagnosis, remark: &str) {
        self.count((ERROR, remark), diagnosis.code, &diagnosis.title, &diagnosis.fixes);
    }

    fn count_warning(&mut self, warning: &Warning, remark: &str) {
        let level = if warning.denied { DENIED } else { WARNING };
        self.count((level, remark), warning.code, &warning.title, &warning.fixes);
    }

    /// What comes with the date of `--as-of`. Where the check failed, that is said, and its cause first of all.
    fn then(&mut self, now: &Outcome, then: &AsOf, target: &str) {
        let (style, date) = (self.layout.style, as_of::date(then));
        let remark = format!(" {date}");
        let mut row = |fails, status, code: &str| {
            self.rows.push(Row::new(style, now, target, (fails, status), code, &date));
        };
        let failed = now.verdict == Verdict::Failed;
        match then.judged.as_ref().map(|judged| judged.diagnosis.as_ref()) {
            _ if failed => {}
            None => row(true, StageStatus::Failed, "not judged"),
            Some(Some(found)) => {
                row(true, StageStatus::Failed, found.code.name);
                self.count_error(found, &remark);
            }
            Some(None) => {
                for warning in then.warnings(&now.warnings) {
                    row(warning.denied, StageStatus::Warning, warning.code.name);
                }
                for warning in then.warnings(&now.warnings) {
                    self.count_warning(warning, &remark);
                }
            }
        }
        self.date = Some(date);
    }
}

impl Row {
    fn new(
        style: Style,
        outcome: &Outcome,
        target: &str,
        (fails, status): (bool, StageStatus),
        code: &str,
        place: &str,
    ) -> Self {
        Self {
            fails,
            status,
            target: style.text(target),
            code: code.to_owned(),
            place: style.text(place),
            time: format!("{:.0} ms", outcome.evidence.took.as_secs_f64() * 1000.0),
        }
    }
}

/// Columns as wide as their widest entry where that fits, else the entries behind each other.
fn rows(page: &mut Page, rows: &[&Row]) {
    let style = page.style();
    let widest = |column: fn(&Row) -> &str| rows.iter().map(|row| width(column(row))).max().unwrap_or(0);
    let (target, code) = (widest(|row| &row.target), widest(|row| &row.code));
    let (place, time) = (widest(|row| &row.place), widest(|row| &row.time));
    let columns = style.width.is_some_and(|limit| {
        width(sign(style, StageStatus::Ok).0) + 1 + target + 2 + code + 2 + place + 2 + time <= limit
    });
    let pad = |text: &str, to: usize| format!("{text}{:1$}", "", to.saturating_sub(width(text)));
    for row in rows {
        let (symbol, role) = sign(style, row.status);
        let painted = style.paint(role, symbol);
        if columns {
            let gap = time - width(&row.time);
            let time = style.paint(Role::Secondary, &row.time);
            page.line(&format!(
                "{painted} {}  {}  {}  {:gap$}{time}",
                pad(&row.target, target),
                pad(&row.code, code),
                pad(&row.place, place),
                ""
            ));
        } else {
            behind_each_other(page, &painted, width(symbol) + 1, row);
        }
    }
}

/// A row where columns have no room: on one line, else the target on one and the rest below it.
fn behind_each_other(page: &mut Page, painted: &str, indent: usize, row: &Row) {
    let rest: Vec<&str> = [&row.code, &row.place, &row.time]
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
    let targets =
        if cause.targets == 1 { "1 target".to_owned() } else { format!("{} targets", cause.targets) };
    let first = if cause.differs { " (the first of them)" } else { "" };
    let count = format!(" for {targets}{}", cause.remark);
    title(page, cause.level, (cause.code.name, &count), &format!("{}{first}", cause.title));
    fixes(page, LABELS, &cause.fixes);
}

/// `verified 197 of 200  failed 3  warned 1  median 41 ms  exit 5  10.1 s`
fn last_line(page: &mut Page, run: &Run, median: Option<Duration>, date: Option<&str>) {
    let style = page.style();
    let role = if run.exit_status == 0 { Role::Good } else { Role::Error };
    let total = run.finished() + run.unfinished;
    let then = date.map(|date| format!(", now and {date}")).unwrap_or_default();
    let mut parts = vec![style.paint(role, &format!("verified {} of {total}{then}", run.verified))];
    for (count, level) in [(run.chain_verified, Verdict::ChainVerified), (run.encrypted, Verdict::Encrypted)]
    {
        if count > 0 {
            parts.push(style.paint(Role::Warning, &format!("{} {count}", level.words())));
        }
    }
    if run.failed > 0 {
        parts.push(style.paint(Role::Error, &format!("failed {}", run.failed)));
    }
    if run.unfinished > 0 {
        parts.push(style.paint(Role::Error, &format!("not finished {}", run.unfinished)));
    }
    if run.warned > 0 {
        parts.push(style.paint(Role::Warning, &format!("warned {}", run.warned)));
    }
    parts.extend(median.map(|median| format!("median {:.0} ms", median.as_secs_f64() * 1000.0)));
    if run.exit_status != 0 {
        parts.push(format!("exit {}", run.exit_status));
    }
    parts.push(format!("{:.1} s", run.elapsed.as_secs_f64()));
    page.line(&parts.join("  "));
}

/// The middle one, of two in the middle the lower.
fn median(times: &mut [Duration]) -> Option<Duration> {
    times.sort_unstable();
    times.get(times.len().checked_sub(1)? / 2).copied()
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
