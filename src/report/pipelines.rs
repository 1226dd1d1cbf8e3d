//! Azure Pipelines: a logging command a cause (`##vso[task.logissue type=error;code=…]…`), with its targets, and the run
//! in one line. Escaped as the agent reads it back (azure-pipelines-agent, src/Agent.Sdk/CommandStringConvertor.cs).

use super::Row;
use super::annotations::{Annotations, message, whom};
use super::causes::Cause;
use super::problem::Rank;

pub(super) const FORMAT: Row =
    Row::new("azure-pipelines", |_, out| Box::new(Annotations::new(out, issue, unfinished)));

fn unfinished(count: usize) -> String {
    format!("##vso[task.logissue type=error;code=interrupted]not finished: {count}\n")
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
