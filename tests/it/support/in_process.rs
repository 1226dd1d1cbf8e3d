//! A run of the program in the process of the test, which many short runs need.

use pgtls_check::cli::Cli;
use pgtls_check::commands::{self, Streams};
use pgtls_check::conninfo::Environment;
use pgtls_check::report::Style;

/// What a run gave and wrote.
pub(crate) struct Run {
    pub result: anyhow::Result<u8>,
    pub out: Vec<u8>,
    pub notes: Vec<u8>,
}

/// Runs the program as with its output in files.
pub(crate) fn run(cli: &Cli, environment: Environment) -> Run {
    let (mut out, mut notes) = (Vec::new(), Vec::new());
    let mut streams = Streams {
        out: &mut out,
        notes: &mut notes,
        style: Style::document(),
        notes_style: Style::document(),
        pager: None,
    };
    let result = commands::run_in(cli, environment, &mut streams);
    Run { result, out, notes }
}
