//! GitHub Actions: an annotation a cause, with its targets, and the run in one line. Each is a workflow command
//! (`::error title=…::…`), escaped as the runner reads it back (actions/toolkit, packages/core/src/command.ts).
//!
//! A step shows ten annotations of a kind, hence one a cause. The job's summary, if the runner names a file for it, gets
//! the report in Markdown.

use std::io::{self, Write};

use super::causes::{Cause, Causes};
use super::problem::{Rank, problems};
use super::server::Server;
use super::{Companion, Format, Reporter, Row, human};
use crate::check::Run;
use crate::diagnose::Outcome;

pub(super) const FORMAT: Row = Row {
    // A step's summary of more than 1 MiB is refused.
    companion: Some(Companion {
        variable: "GITHUB_STEP_SUMMARY",
        format: Format::Markdown,
        limit: 1_000_000,
    }),
    ..Row::new("github", |_, out| Box::new(Annotations { out, causes: Causes::default() }))
};

/// Collects causes.
struct Annotations<W> {
    out: W,
    causes: Causes,
}

impl<W: Write> Reporter for Annotations<W> {
    fn target(&mut self, outcome: &Outcome) -> io::Result<()> {
        let server = Server::of(outcome);
        let name = server.described();
        problems(outcome).iter().for_each(|problem| self.causes.count(problem, server.place, &name));
        Ok(())
    }

    fn finish(&mut self, run: &Run) -> io::Result<()> {
        let mut text: String = self.causes.worst_first().into_iter().map(annotation).collect();
        if run.unfinished > 0 {
            text += &format!("::error title=interrupted::{} not finished\n", targets(run.unfinished));
        }
        text += &human::run_line(run);
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }
}

fn annotation(cause: &Cause) -> String {
    let problem = cause.problem();
    let command = if cause.rank == Rank::Warning { "warning" } else { "error" };
    format!(
        "::{command} title={}::{}\n",
        property(&format!("{} {}", problem.name(), whom(cause))),
        data(&message(cause))
    )
}

/// The one target, or how many.
pub(super) fn whom(cause: &Cause) -> String {
    match cause.names().as_slice() {
        [name] if cause.targets == 1 => (*name).to_owned(),
        _ => targets(cause.targets),
    }
}

fn targets(count: usize) -> String {
    if count == 1 { "1 target".to_owned() } else { format!("{count} targets") }
}

/// A cause and its targets, as text of several lines.
pub(super) fn message(cause: &Cause) -> String {
    let mut text = human::block(&cause.problem());
    if cause.targets > 1 {
        let others = cause.unnamed();
        let more = if others > 0 { format!(", and {others} more") } else { String::new() };
        text += &format!("targets{}: {}{more}\n", cause.first_of_them(), cause.names().join(", "));
    }
    text.truncate(text.trim_end().len());
    text
}

/// As the runner reads what stands behind the second `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// As it reads a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
