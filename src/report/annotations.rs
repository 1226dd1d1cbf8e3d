//! What the formats of CI servers have in common: a line a cause, and the run in one line.

use std::io::{self, Write};

use super::causes::{Cause, Causes};
use super::problem::problems;
use super::server::Server;
use super::{Reporter, human};
use crate::check::Run;
use crate::diagnose::Outcome;

/// Collects causes, and writes each in the words of a CI server.
pub(super) struct Annotations<W> {
    out: W,
    causes: Causes,
    line: fn(&Cause) -> String,
    unfinished: fn(usize) -> String,
}

impl<W> Annotations<W> {
    /// `line` is that of a cause, `unfinished` that of targets which an interrupted run has not ended.
    pub(super) fn new(out: W, line: fn(&Cause) -> String, unfinished: fn(usize) -> String) -> Self {
        Self { out, causes: Causes::default(), line, unfinished }
    }
}

impl<W: Write> Reporter for Annotations<W> {
    fn target(&mut self, outcome: &Outcome) -> io::Result<()> {
        let server = Server::of(outcome);
        let name = server.described();
        problems(outcome).iter().for_each(|problem| self.causes.count(problem, server.place, &name));
        Ok(())
    }

    fn finish(&mut self, run: &Run) -> io::Result<()> {
        let mut text: String = self.causes.worst_first().into_iter().map(self.line).collect();
        if run.unfinished > 0 {
            text += &(self.unfinished)(run.unfinished);
        }
        text += &human::run_line(run);
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }
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

/// The one target, or how many.
pub(super) fn whom(cause: &Cause) -> String {
    match cause.names().as_slice() {
        [name] if cause.targets == 1 => (*name).to_owned(),
        _ => targets(cause.targets),
    }
}

/// A number of targets in words.
pub(super) fn targets(count: usize) -> String {
    if count == 1 { "1 target".to_owned() } else { format!("{count} targets") }
}
