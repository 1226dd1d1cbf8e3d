//! GitHub Actions: an annotation a cause, with its targets, and the run in one line. Each is a workflow command
//! (`::error title=…::…`), escaped as the runner reads it back (actions/toolkit, packages/core/src/command.ts).
//!
//! A step shows ten annotations of a kind, hence one a cause. The job's summary, if the runner names a file for it, gets
//! the report in Markdown.

use super::annotations::{Annotations, message, targets, whom};
use super::causes::Cause;
use super::problem::Rank;
use super::{Companion, Format, Row};

pub(super) const FORMAT: Row = Row {
    // A step's summary of more than 1 MiB is refused.
    companion: Some(Companion {
        variable: "GITHUB_STEP_SUMMARY",
        format: Format::Markdown,
        limit: 1_000_000,
    }),
    ..Row::new("github", |_, out| Box::new(Annotations::new(out, annotation, unfinished)))
};

fn unfinished(count: usize) -> String {
    format!("::error title=interrupted::{} not finished\n", targets(count))
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

/// As the runner reads what stands behind the second `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// As it reads a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
