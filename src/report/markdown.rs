//! GitHub's Markdown: a table of the targets, then each cause once. What comes from outside stands in code spans and code
//! blocks only, where nothing is read as markup.

use std::io::{self, Write};

use super::accepted;
use super::causes::{Cause, Causes};
use super::members::Members;
use super::problem::{Rank, problems};
use super::rows::Rows;
use super::server::Server;
use super::{Layout, Reporter, Row, human};
use crate::check::Run;
use crate::diagnose::{Outcome, Standing};
use crate::text::printable;

pub(super) const FORMAT: Row = Row {
    endings: &["md", "markdown"],
    ..Row::new("markdown", |layout, out| {
        Box::new(Document {
            out,
            layout,
            rows: Rows::new(layout),
            causes: Causes::default(),
            members: Members::default(),
            changes: Rows::new(layout),
            accepted: Rows::new(layout),
        })
    })
};

/// Collects rows and causes.
struct Document<W> {
    out: W,
    layout: Layout,
    /// A row of the table, and whether it may be left out where there is no room for all.
    rows: Rows<(String, bool)>,
    causes: Causes,
    members: Members,
    /// `--since`: what is otherwise.
    changes: Rows<String>,
    /// What an audit found.
    accepted: Rows<String>,
}

impl<W: Write> Reporter for Document<W> {
    fn target(&mut self, outcome: &Outcome) -> io::Result<()> {
        let server = Server::of(outcome);
        self.members.count(outcome, &server);
        match server.changes.as_deref() {
            None => {}
            Some("") => return Ok(()),
            Some(changes) => {
                self.changes.add(&server, format!("- {}: {}\n", target(&server), code_span(changes)))
            }
        }
        let problems = problems(outcome);
        problems.iter().for_each(|problem| self.causes.count(problem, server.place, &server.described()));
        if let Some(accepted) = &server.accepted {
            let cells = accepted.cells().map(code_span).join(" | ");
            self.accepted.add(&server, format!("| {} | {cells} |\n", code_span(&server.name())));
        }
        self.rows.add(&server, (row(&server), problems.is_empty()));
        Ok(())
    }

    fn finish(&mut self, run: &Run) -> io::Result<()> {
        let mut text = format!("## PostgreSQL TLS: {}\n\n{HEAD}", counts(run));
        let causes: Vec<String> = self.causes.worst_first().into_iter().map(section).collect();
        let changes = changed(&self.changes.sorted(), run);
        let foot = changes + &accepts(&self.accepted.sorted()) + &mixed(&self.members) + &foot(run);
        let rest = causes.iter().map(String::len).sum::<usize>() + foot.len();
        let room =
            self.layout.limit.map(|limit| limit.saturating_sub(text.len() + rest + LEFT_OUT.len() + 20));
        let (rows, left_out) = fitting(&self.rows.sorted(), room);
        text.extend(rows);
        if left_out > 0 {
            text += &format!("\n{left_out} {LEFT_OUT}\n");
        }
        text.extend(causes);
        text += &foot;
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }
}

const HEAD: &str = "| Target | Result | Cause | Expires | Issuer | Root | TLS |\n\
                    | --- | --- | --- | --- | --- | --- | --- |\n";
const LEFT_OUT: &str = "more targets are not listed: the page would be too long to be shown.";

/// The rows that fit into so many bytes: all of them, or else those with problems first, in their order.
fn fitting<'a>(rows: &[&'a (String, bool)], room: Option<usize>) -> (Vec<&'a str>, usize) {
    let mut left = room.unwrap_or(usize::MAX);
    let mut fits = vec![false; rows.len()];
    for well in [false, true] {
        for (&(row, is_well), fits) in rows.iter().zip(&mut fits) {
            if *is_well == well && row.len() <= left {
                left -= row.len();
                *fits = true;
            }
        }
    }
    let kept: Vec<&str> =
        rows.iter().zip(&fits).filter(|(_, fits)| **fits).map(|((row, _), _)| row.as_str()).collect();
    let left_out = rows.len() - kept.len();
    (kept, left_out)
}

/// `verified 197 of 200, failed 3`
pub(super) fn counts(run: &Run) -> String {
    let total = run.finished() + run.unfinished;
    let mut parts = vec![format!("verified {} of {total}", run.verified)];
    for standing in Standing::ALL.into_iter().filter(|standing| *standing != Standing::Verified) {
        let count = run.counted(standing);
        parts.extend((count > 0).then(|| format!("{} {count}", standing.words())));
    }
    parts.extend((run.unfinished > 0).then(|| format!("not finished {}", run.unfinished)));
    parts.extend(run.changed.map(|changed| format!("changed {changed}")));
    parts.join("; ")
}

fn row(server: &Server) -> String {
    let sign = match server.standing {
        Standing::Verified => "✓",
        Standing::ChainVerified | Standing::Encrypted => "!",
        Standing::PolicyFailed | Standing::Failed => "✗",
    };
    let cause = match &server.failure {
        Some((code, ..)) => code_span(code),
        None => server.warnings.iter().map(|(code, _)| code_span(code)).collect::<Vec<_>>().join(" "),
    };
    format!(
        "| {} | {sign} {} | {cause} | {} | {} | {} | {} |\n",
        target(server),
        server.standing.words(),
        server.expires(),
        code_span(&server.issuer),
        code_span(&server.root),
        server.tls_version
    )
}

/// The name, and where it was given, if that is a file.
fn target(server: &Server) -> String {
    let source = Some(code_span(&server.source)).filter(|source| !source.is_empty());
    code_span(&server.name()) + &source.map(|source| format!(" {source}")).unwrap_or_default()
}

fn section(cause: &Cause) -> String {
    let problem = cause.problem();
    let kind = if cause.rank == Rank::Warning { "warning" } else { "error" };
    let mut text = format!(
        "\n### {kind} {}{}{}{}\n\n",
        code_span(problem.name()),
        cause.count(),
        problem.remark(),
        cause.first_of_them()
    );
    let mut names: Vec<String> = cause.names().into_iter().map(code_span).collect();
    names.extend((cause.unnamed() > 0).then(|| format!("and {} more", cause.unnamed())));
    text += &names.join(", ");
    let block = human::block(&problem);
    let fence = "`".repeat(longest_run(&block).max(2) + 1);
    text + &format!("\n\n{fence}text\n{block}{fence}\n")
}

/// What is otherwise than in an earlier report.
fn changed(changes: &[&String], run: &Run) -> String {
    let mut lines: String = changes.iter().map(|line| line.as_str()).collect();
    for removed in &run.removed {
        let (name, verdict) = (code_span(&printable(&removed.name)), code_span(&printable(&removed.verdict)));
        lines += &format!("- removed: {name} (was {verdict})\n");
    }
    if lines.is_empty() { lines } else { format!("\n### changed\n\n{lines}") }
}

/// What an audit found each server to accept.
fn accepts(rows: &[&String]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let rule = "| --- ".repeat(1 + accepted::HEAD.len());
    let rows: String = rows.iter().map(|row| row.as_str()).collect();
    format!("\n### what the servers accept\n\n| Target | {} |\n{rule}|\n{rows}", accepted::HEAD.join(" | "))
}

/// Targets that fail only sometimes.
fn mixed(members: &Members) -> String {
    let lines: String =
        members.mixed().iter().map(|words| format!("- {}\n", code_span(&printable(words)))).collect();
    if lines.is_empty() { lines } else { format!("\n### only sometimes\n\n{lines}") }
}

fn foot(run: &Run) -> String {
    let begun = run.started.map(|started| format!("{started}, ")).unwrap_or_default();
    let time = format!("{:.1} s", run.elapsed.as_secs_f64());
    format!("\n{begun}{time}, exit status {}\n", run.exit_status)
}

/// Text in a code span, in a table as well: a bar would end the cell there, even in code.
fn code_span(printable: &str) -> String {
    if printable.is_empty() {
        return String::new();
    }
    let text = printable.replace('|', "\\x7c");
    let quotes = "`".repeat(longest_run(&text) + 1);
    let pad = if text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) { " " } else { "" };
    format!("{quotes}{pad}{text}{pad}{quotes}")
}

/// The longest run of backquotes: what encloses it has to be longer.
fn longest_run(text: &str) -> usize {
    text.split(|character| character != '`').map(str::len).max().unwrap_or(0)
}
