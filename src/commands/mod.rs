//! What each subcommand does: glue only, one file each. Everything below gets its surroundings handed in; here they are
//! read from the process.

mod audit;
mod check;
mod clients;
pub mod completions;
mod demo;
mod explain;
mod guide;
mod man;
mod outputs;
mod pager;
mod progress;
mod rehearse;
pub mod roots;
mod streams;
mod targets;
pub mod write;

use std::ffi::OsString;
use std::fmt;
use std::io::IsTerminal as _;

use crate::cli::{Cli, Command, DisplayArgs};
use crate::clients::dialect::{self, Target};
use crate::conninfo::{Environment, holds_secret, mask_argument};
use crate::file;
use crate::report::{Form, Format, Trouble};
use crate::secret::Secret;
use crate::timestamp::Timestamp;
pub use pager::Pager;
pub use streams::Streams;
use streams::{Output, Remarks};

/// Exit status of the tool's own trouble.
pub const INTERNAL_ERROR: u8 = 1;
/// Exit status of a command line that cannot be carried out.
pub const USAGE: u8 = 2;

/// Carries out a command line and gives the exit status.
///
/// # Errors
/// The tool's own trouble. What a target did wrong is no error: it is reported and in the exit status.
pub fn run(cli: &Cli) -> anyhow::Result<u8> {
    let environment = Environment::from_process();
    let (style, notes_style) = streams::styles(&cli.display, &environment);
    let pager = if std::io::stdout().is_terminal() { Pager::of(&environment) } else { None };
    let mut streams = Streams { out: &mut Output::new(), notes: &mut Remarks, style, notes_style, pager };
    run_in(cli, environment, &mut streams)
}

/// As [`run`], in surroundings and with streams of the caller's.
///
/// # Errors
/// As [`run`].
pub fn run_in(cli: &Cli, environment: Environment, streams: &mut Streams<'_>) -> anyhow::Result<u8> {
    carried_out(cli, environment, streams).or_else(|error| {
        let words = mask_argument(format!("{error:#}").as_bytes());
        if let Some(trouble) = cli.display.format.trouble(&words) {
            streams.print(&trouble.line)?;
            return Ok(trouble.exit_status);
        }
        match error.downcast::<Usage>() {
            Ok(usage) => {
                streams.note(&format!("pgtls-check: {usage}"));
                Ok(USAGE)
            }
            Err(error) => Err(error),
        }
    })
}

fn carried_out(cli: &Cli, environment: Environment, streams: &mut Streams<'_>) -> anyhow::Result<u8> {
    match &cli.command {
        None => check::run(&cli.check, &cli.display, environment, streams),
        Some(command) => carried_out_by_name(command, &cli.display, &environment, streams),
    }
}

/// Apart from the check: made one function with it, all would need a stack as large as the largest does, which each check
/// would touch.
#[inline(never)]
fn carried_out_by_name(
    command: &Command,
    display: &DisplayArgs,
    environment: &Environment,
    streams: &mut Streams<'_>,
) -> anyhow::Result<u8> {
    // Those have no --timeout: each file has its 10 s.
    if !matches!(command, Command::Audit(_)) {
        file::limit_waits();
    }
    match command {
        Command::Audit(arguments) => audit::run(arguments, display, environment, streams),
        Command::Rehearse(arguments) => rehearse::run(arguments, display, environment, streams),
        Command::Roots(arguments) => {
            roots::run(arguments, listing_form(display)?, environment, Timestamp::now(), streams)
        }
        Command::Clients(arguments) => clients::run(arguments, display, environment, streams),
        Command::Explain(arguments) => explain::run(arguments, display, streams),
        Command::Demo(arguments) => demo::run(arguments, display, streams),
        Command::Guide(arguments) => guide::run(arguments, display, streams),
        Command::Completions(arguments) => completions::run(arguments, streams),
        Command::Man(arguments) => man::run(arguments, streams),
    }
}

/// What is to be done where a command line cannot be read, if the format that it names has ways of its own for that. Help
/// and version are no trouble.
pub fn trouble(answer: &clap::Error, arguments: impl IntoIterator<Item = OsString>) -> Option<Trouble> {
    let words = answer.to_string();
    let words = words.lines().next().unwrap_or_default().trim_start_matches("error: ");
    Cli::format_named(arguments).filter(|_| answer.use_stderr())?.trouble(words)
}

/// A remark where a password stands among the arguments: everybody on the machine can read those. It is for people; what
/// reads a machine's format often gets both streams as one.
fn note_visible_password<'a>(
    strings: impl IntoIterator<Item = &'a Secret>,
    display: &DisplayArgs,
    streams: &mut Streams<'_>,
) {
    let is_visible =
        strings.into_iter().map(Secret::expose).any(|text| holds_secret(text) && !is_placeholder_only(text));
    if is_visible && !display.quiet && display.format == Format::Human {
        streams.note(
            "note: a password in the arguments is visible to other users (ps); set PGPASSWORD or use a password file",
        );
    }
}

/// Whether what stands for the password of another driver's string is a placeholder.
fn is_placeholder_only(text: &[u8]) -> bool {
    let settings = match dialect::read(text, None) {
        Target::Driver(reading) => reading.settings,
        Target::Refused(failure) => failure.settings,
        Target::Libpq(_) => return false,
    };
    let mut secrets = settings.iter().filter(|setting| setting.value.plain().is_none()).peekable();
    secrets.peek().is_some() && secrets.all(|setting| !setting.counts)
}

/// The form of what is no check.
fn listing_form(display: &DisplayArgs) -> Result<Form, Usage> {
    display.format.listing().ok_or_else(|| {
        let names =
            Format::ALL.iter().filter(|format| format.listing().is_some()).map(|format| format.name());
        let names = names.collect::<Vec<_>>().join(" or ");
        Usage(format!("--format {} is for checks; this comes as {names}", display.format.name()))
    })
}

/// Why a command line cannot be carried out.
#[derive(Debug)]
struct Usage(String);

impl Usage {
    fn new(words: impl fmt::Display) -> Self {
        Self(words.to_string())
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}
