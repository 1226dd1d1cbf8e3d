//! What each subcommand does: glue only, one file each. Everything below gets its surroundings handed in; here they are
//! read from the process.

mod audit;
mod check;
mod clients;
mod demo;
mod descriptors;
mod explain;
mod progress;
pub mod recognise;
pub mod roots;
pub mod write;

use std::io::{self, IsTerminal, Write};

use crate::cli::{Cli, Command, DisplayArgs};
use crate::conninfo::Environment;
use crate::diagnose::Outcome;
use crate::report::{self, Layout, Run, Stream, Style};
use crate::timestamp::Timestamp;

/// Exit status of the tool's own trouble.
pub const INTERNAL_ERROR: u8 = 1;
/// Exit status of a command line that cannot be carried out.
pub const USAGE: u8 = 2;
/// Exit status after Ctrl-C.
pub const INTERRUPTED: u8 = 130;

/// Carries out a command line and gives the exit status.
///
/// # Errors
/// The tool's own trouble. What a target did wrong is no error: it is reported and in the exit status.
pub fn run(cli: &Cli) -> anyhow::Result<u8> {
    let environment = Environment::from_process();
    let style = output_style(&cli.display, &environment);
    match &cli.command {
        None => check::run(&cli.check, &cli.display, &environment),
        Some(Command::Audit(arguments)) => audit::run(arguments, &cli.display, &environment),
        Some(Command::Roots(arguments)) => {
            let mut streams = roots::Streams {
                out: &mut io::stdout().lock(),
                notes: &mut io::stderr().lock(),
                style,
                notes_style: error_style(&cli.display, &environment),
            };
            roots::run(arguments, cli.display.format, &environment, Timestamp::now(), &mut streams)
        }
        Some(Command::Clients(arguments)) => clients::run(arguments, &cli.display, style, &environment),
        Some(Command::Explain(arguments)) => explain::run(arguments, &cli.display, style),
        Some(Command::Demo(arguments)) => demo::run(arguments, &cli.display, &environment),
    }
}

/// How standard output may look.
pub(crate) fn output_style(display: &DisplayArgs, environment: &Environment) -> Style {
    style(display, environment, io::stdout().is_terminal())
}

/// How standard error may look.
fn error_style(display: &DisplayArgs, environment: &Environment) -> Style {
    style(display, environment, io::stderr().is_terminal())
}

fn style(display: &DisplayArgs, environment: &Environment, is_terminal: bool) -> Style {
    let stream = if is_terminal {
        Stream::Terminal(terminal_size::terminal_size().map(|(columns, _)| columns.0.into()))
    } else {
        Stream::Other
    };
    Style::decide(display.color, stream, &environment.variables)
}

/// Writes to standard output.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    unless_unread(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

/// Reports the one target there is and gives its exit status.
fn report_one(outcome: &Outcome, display: &DisplayArgs, style: Style) -> io::Result<u8> {
    let layout = Layout { style, verbosity: display.verbosity(), many: false };
    let run = Run { exit_status: report::exit_status(outcome), ..Run::default() };
    let mut reporter = display.format.reporter(layout, io::stdout().lock());
    unless_unread(reporter.target(outcome).and_then(|()| reporter.finish(&run)))?;
    Ok(run.exit_status)
}

/// A closed pipe is no failure, and no success either: the exit status stays that of what was found.
fn unless_unread(written: io::Result<()>) -> io::Result<()> {
    written.or_else(|error| if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) })
}
