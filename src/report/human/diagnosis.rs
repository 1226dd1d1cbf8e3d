//! A diagnosis or warning as a block: title, place in the string, evidence, why, fixes, where to read more.

use super::mark;
use crate::clients::dialect::NO_SUCH_SETTING;
use crate::conninfo::write::setting;
use crate::diagnose::{Diagnosis, Fact, Fix, Trial, Warning};
use crate::report::Role;
use crate::report::page::{LABELS, Page, REMARK_EDGE, Remark};
use crate::report::problem::{Problem, Rank, Said};
use crate::text::{self, shell_quoted};

/// Remedies that are told of each fault besides the first.
const BESIDE: usize = 3;

/// The diagnosis, and what else is certainly wrong.
pub(crate) fn error(page: &mut Page, diagnosis: &Diagnosis, also: &[Diagnosis]) {
    error_at(page, diagnosis, also, "");
}

/// A problem, whatever it is.
pub(super) fn problem(page: &mut Page, problem: &Problem<'_>) {
    let remark = problem.remark();
    match problem.said {
        Said::Diagnosis(found, also) => error_at(page, found, also, &remark),
        Said::Warning(warning) => warning_at(page, warning, problem.rank, &remark),
        Said::NotJudged => title(page, ERROR, (problem.name(), &remark), problem.title()),
    }
}

fn error_at(page: &mut Page, diagnosis: &Diagnosis, also: &[Diagnosis], remark: &str) {
    let column = label_column(&diagnosis.evidence);
    title(page, ERROR, (diagnosis.code.name, remark), &diagnosis.title);
    if let Some(mark) = &diagnosis.mark {
        mark::draw(page, mark);
    }
    evidence(page, column, &diagnosis.evidence);
    let cause = &diagnosis.cause;
    if !cause.is_empty() {
        page.labelled(column, "why", Role::Secondary, Role::Plain, cause);
    }
    fixes(page, column, &diagnosis.fixes);
    for other in also {
        let (head, indent) = page.label(column, "also", Role::Secondary);
        let held = other.evidence.iter().find_map(|(label, fact)| match fact {
            Fact::List(items) if *label == "in_file" => Some(format!("; in the file: {}", items.join("; "))),
            _ => None,
        });
        let held = held.unwrap_or_default();
        page.prose(&head, indent, indent, Role::Plain, &format!("{}: {}{held}", other.code, other.title));
        for (index, fix) in other.fixes.iter().take(BESIDE).enumerate() {
            let label = if index == 0 { "fix" } else { " or" };
            let head = format!("{:indent$}{}  ", "", page.style().paint(Role::Good, label));
            remedy(page, &head, indent + 5, fix);
        }
    }
    more(page, column, diagnosis);
}

/// A warning; the verdict stands, even where the user's policy denies it.
pub(crate) fn warning(page: &mut Page, warning: &Warning) {
    let rank = warning.denied.map_or(Rank::Warning, Rank::Denied);
    problem(page, &Problem { rank, said: Said::Warning(warning), then: None });
}

fn warning_at(page: &mut Page, warning: &Warning, rank: Rank, remark: &str) {
    let column = label_column(&warning.evidence);
    title(page, level(rank), (warning.code.name, remark), &warning.title);
    if let Some(mark) = &warning.mark {
        mark::draw(page, mark);
    }
    evidence(page, column, &warning.evidence);
    fixes(page, column, &warning.fixes);
}

/// How a title begins.
pub(crate) type Level = (&'static str, Role);

/// Of a diagnosis.
pub(crate) const ERROR: Level = ("error", Role::Error);

/// Of a warning.
pub(crate) const WARNING: Level = ("warning", Role::Warning);

/// How the title of a problem begins. One that a demand of the user's makes a failure is an error; the remark says whose.
pub(super) fn level(rank: Rank) -> Level {
    match rank {
        Rank::Error | Rank::Denied(_) => ERROR,
        Rank::Warning => WARNING,
    }
}

/// `error[code]: title`, or with a count `error[code] for 2 targets: title`.
pub(crate) fn title(page: &mut Page, (level, role): Level, (code, count): (&str, &str), title: &str) {
    let label = format!("{level}[{code}]{count}");
    let head = format!("{}: ", page.style().paint(role, &label));
    page.prose(&head, text::width(&label) + 2, 2, Role::Title, title);
}

/// The remedies, most likely first.
pub(crate) fn fixes(page: &mut Page, column: usize, fixes: &[Fix]) {
    for (index, fix) in fixes.iter().enumerate() {
        let (head, indent) = page.label(column, if index == 0 { "fix" } else { "or" }, Role::Good);
        remedy(page, &head, indent, fix);
    }
}

/// A fix: its text, then what to type, on lines that are never broken. Without a text the first of these stands in
/// its place.
fn remedy(page: &mut Page, head: &str, indent: usize, fix: &Fix) {
    let commands = fix.command.as_ref().map_or(0, |command| command.lines().count());
    let mut lines: Vec<String> =
        fix.command.iter().flat_map(|command| command.lines()).map(str::to_owned).collect();
    if !fix.settings.is_empty() && !fix.by_command {
        let settings: Vec<String> = fix
            .settings
            .iter()
            .filter(|(keyword, value)| !is_left_out(fix, keyword, value) && !is_said_otherwise(fix, keyword))
            .map(|(keyword, value)| setting(keyword, value))
            .collect();
        if !settings.is_empty() {
            lines.push(settings.join(" "));
        }
    }
    if fix.text.is_empty() {
        let page_width = page.style().width;
        let last = lines.len().saturating_sub(1);
        // A remark behind the last line, as far as there is room for it.
        let room = |line: &str, words: &str| {
            let needed = indent + text::width(line) + 2 + text::width(words);
            page_width.is_none_or(|columns| needed <= columns)
        };
        let mut below = trial(fix);
        for (index, line) in lines.iter().enumerate() {
            let line = page.clean(line);
            let beside = below.take_if(|(_, words)| index == last && room(&line, words));
            let remark = beside
                .map_or_else(String::new, |(role, words)| format!("  {}", page.style().paint(role, words)));
            let painted = page.style().paint(Role::Command, &line);
            page.line(&if index == 0 {
                format!("{head}{painted}{remark}")
            } else {
                format!("{:indent$}{painted}{remark}", "")
            });
        }
        if let Some((role, words)) = below {
            page.verbatim(indent, role, words);
        }
        whole(page, indent, fix);
        return;
    }
    match trial(fix) {
        None => page.prose(head, indent, indent, Role::Plain, &fix.text),
        Some((role, words)) => page.prose_with_remark(
            head,
            indent,
            (Role::Plain, &fix.text),
            Remark { role, words, edge: REMARK_EDGE },
        ),
    }
    for (index, line) in lines.iter().enumerate() {
        // What follows a command is no command.
        if index == commands && index > 0 {
            page.prose(
                &" ".repeat(indent),
                indent,
                indent,
                Role::Secondary,
                "then in the connection string:",
            );
        }
        page.verbatim(indent + 2, Role::Command, line);
    }
    whole(page, indent, fix);
    if let Some(then) = &fix.then {
        page.prose(&" ".repeat(indent), indent, indent, Role::Plain, then);
    }
    for line in fix.then_run.iter().flat_map(|commands| commands.lines()) {
        page.verbatim(indent + 2, Role::Command, line);
    }
}

/// Whether a setting is one that the whole string below does without.
fn is_left_out(fix: &Fix, keyword: &str, value: &str) -> bool {
    value.is_empty() && fix.conninfo.as_ref().is_some_and(|whole| !whole.contains(&format!("{keyword}=")))
}

/// Whether a setting of libpq's is not the driver's, which is told of its own below.
fn is_said_otherwise(fix: &Fix, keyword: &str) -> bool {
    matches!(&fix.in_dialect, Some(Err(words)) if words != NO_SUCH_SETTING)
        && ["sslmode", "sslrootcert"].contains(&keyword)
}

/// The corrected connection string, ready to paste.
fn whole(page: &mut Page, indent: usize, fix: &Fix) {
    let mut say = |words: &str| page.prose(&" ".repeat(indent), indent, indent, Role::Secondary, words);
    match &fix.in_dialect {
        Some(Ok(text)) => {
            say("in the driver's own words, without the password:");
            return page.verbatim(indent + 2, Role::Command, text);
        }
        Some(Err(words)) => return say(words),
        None => {}
    }
    if let Some(conninfo) = &fix.conninfo {
        match &fix.in_list {
            Some(line) => {
                say(&format!("{line}, without its password:"));
                page.verbatim(indent + 2, Role::Command, conninfo);
            }
            None => {
                say("the whole string, without its password:");
                page.verbatim(indent + 2, Role::Command, &shell_quoted(conninfo));
            }
        }
    }
}

/// What is remarked on a fix. One that uncovers another fault says so itself: it is no failure.
fn trial(fix: &Fix) -> Option<(Role, &'static str)> {
    match fix.tried? {
        Trial::Works => Some((Role::Good, "(tried: works)")),
        Trial::Fails => None,
    }
}

fn evidence(page: &mut Page, column: usize, facts: &[(&'static str, Fact)]) {
    for (label, fact) in facts {
        let label = label_words(label);
        match fact {
            Fact::Text(text) => page.labelled(column, &label, Role::Secondary, Role::Plain, text),
            Fact::Number(n) => page.labelled(column, &label, Role::Secondary, Role::Plain, &n.to_string()),
            Fact::List(items) if items.is_empty() => {
                page.labelled(column, &label, Role::Secondary, Role::Plain, "none");
            }
            Fact::List(items) => {
                // Lists are of names, addresses, fingerprints, which are never broken.
                for (index, item) in items.iter().enumerate() {
                    let label = if index == 0 { label.as_str() } else { "" };
                    let (head, _) = page.label(column, label, Role::Secondary);
                    let item = page.clean(item);
                    page.line(&format!("{head}{item}"));
                }
            }
        }
    }
}

const WAIT: &str = "until it answers: ";
const WAIT_OPTION: &str = "--wait=60";

fn more(page: &mut Page, column: usize, diagnosis: &Diagnosis) {
    if diagnosis.advises_waiting {
        let (head, _) = page.label(column, "retry", Role::Secondary);
        let option = page.style().paint(Role::Command, WAIT_OPTION);
        page.line(&format!("{head}{WAIT}{option}"));
    }
    let (head, _) = page.label(column, "more", Role::Secondary);
    let explain = page.style().paint(Role::Command, &format!("pgtls-check explain {}", diagnosis.code));
    page.line(&format!("{head}{explain}"));
}

/// The words of a snake_case label.
fn label_words(label: &str) -> String {
    label.replace('_', " ")
}

/// Where labels end: as wide as the widest of this block.
fn label_column(evidence: &[(&'static str, Fact)]) -> usize {
    evidence.iter().map(|(label, _)| text::width(label)).max().unwrap_or(0).max(LABELS)
}
