//! Reports: one file a format. A [`Reporter`] gets each target as it ends and the run at its end, and writes nothing
//! that did not pass through [`text`](crate::text).
//!
//! A new format is one file here and one variant of [`Format`].

pub mod certificates;
pub mod clients;
pub mod config;
pub(crate) mod human;
pub(crate) mod json;
mod style;
mod subject;

use std::io::{self, Write};
use std::time::Duration;

pub use style::{ColorChoice, Role, Stream, Style, WIDEST};
pub use subject::{Assurance, assurance, exit_status, target_name};

use crate::diagnose::Outcome;

/// Writes a report.
pub trait Reporter {
    /// A target has been checked. Formats that are a document collect it.
    ///
    /// # Errors
    /// What the stream says.
    fn target(&mut self, outcome: &Outcome) -> io::Result<()>;

    /// All targets have been checked: documents and summaries are written.
    ///
    /// # Errors
    /// What the stream says.
    fn finish(&mut self, run: &Run) -> io::Result<()>;
}

/// A whole run, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// Targets verified, with or without warnings.
    pub verified: usize,
    /// Targets failed.
    pub failed: usize,
    /// Targets not finished when Ctrl-C ended the run.
    pub unfinished: usize,
    /// Verified targets with at least one warning.
    pub warned: usize,
    /// The exit status of the run.
    pub exit_status: u8,
    /// From the start of the first target to the end of the last.
    pub elapsed: Duration,
}

/// `--format`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people.
    #[default]
    Human,
    /// One object a line, one line a target.
    Json,
}

impl Format {
    /// All formats, in the order of the help text.
    pub const ALL: [Format; 2] = [Format::Human, Format::Json];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Format::Human => "human",
            Format::Json => "json",
        }
    }

    /// A writer of reports in this format.
    pub fn reporter<'a>(self, layout: Layout, out: impl Write + 'a) -> Box<dyn Reporter + 'a> {
        match self {
            Format::Human if layout.many => Box::new(human::Many::new(layout, out)),
            Format::Human => Box::new(human::Single::new(layout, out)),
            Format::Json => Box::new(json::JsonLines::new(out)),
        }
    }
}

/// What a report for people should look like; formats for machines have no choices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Colour, characters, width.
    pub style: Style,
    /// `-v` and `-q`.
    pub verbosity: Verbosity,
    /// Whether the run has several targets: then only what is not well is listed, and each cause told once.
    pub many: bool,
}

/// How much to tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verbosity {
    /// `-q`: only what failed.
    Quiet,
    /// A good check in ten lines.
    #[default]
    Normal,
    /// `-v`: chain, time line, settings, wire.
    Verbose,
}
