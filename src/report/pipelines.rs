//! Azure Pipelines: a logging command a cause (`##vso[task.logissue type=error;code=…]…`), with its targets, and the run
//! in one line. Escaped as the agent reads it back (azure-pipelines-agent, src/Agent.Sdk/CommandStringConvertor.cs).

use std::io::{self, Write};

use super::causes::{Cause, Causes};
use super::github::{message, whom};
use super::problem::{Rank, problems};
use super::server::Server;
use super::{Reporter, Row, human};
use crate::check::Run;
use crate::diagnose::Outcome;

pub(super) const FORMAT: Row =
    Row::new("azure-pipelines", |_, out| Box::new(Issues { out, causes: Causes::default() }));

/// Collects causes.
struct Issues<W> {
    out: W,
    causes: Causes,
}

impl<W: Write> Reporter for Issues<W> {
    fn target(&mut self, outcome: &Outcome) -> io::Result<()> {
        let server = Server::of(outcome);
        let name = server.described();
        problems(outcome).iter().for_each(|problem| self.causes.count(problem, server.place, &name));
        Ok(())
    }

    fn finish(&mut self, run: &Run) -> io::Result<()> {
        let mut text: String = self.causes.worst_first().into_iter().map(issue).collect();
        if run.unfinished > 0 {
            let words = format!("not finished: {}", run.unfinished);
            text += &format!("##vso[task.logissue type=error;code=interrupted]{words}\n");
        }
        text += &human::run_line(run);
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }
}

fn issue(cause: &Cause) -> String {
    let kind = if cause.rank == Rank::Warning { "warning" } else { "error" };
    let words = format!("{}: {}", whom(cause), message(cause));
    format!("##vso[task.logissue type={kind};code={}]{}\n", property(cause.problem().name()), data(&words))
}

/// As the agent reads what stands behind the bracket.
fn data(text: &str) -> String {
    text.replace('%', "%AZP25").replace('\r', "%0D").replace('\n', "%0A")
}

/// As it reads a property.
fn property(text: &str) -> String {
    data(text).replace(';', "%3B").replace(']', "%5D")
}
