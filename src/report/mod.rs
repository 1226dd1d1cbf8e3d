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

pub use style::{ColorChoice, Role, Stream, Style, WIDEST};
pub use subject::{Assurance, assurance, target_name};

use crate::check::Run;
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

/// Several reports of one run, each in its form.
#[derive(Default)]
pub struct Reports<'a>(Vec<Box<dyn Reporter + 'a>>);

impl<'a> Reports<'a> {
    /// One more report.
    pub fn add(&mut self, format: Format, layout: Layout, out: impl Write + 'a) {
        self.0.push(format.reporter(layout, out));
    }
}

impl Reporter for Reports<'_> {
    fn target(&mut self, outcome: &Outcome) -> io::Result<()> {
        self.0.iter_mut().try_for_each(|reporter| reporter.target(outcome))
    }

    fn finish(&mut self, run: &Run) -> io::Result<()> {
        self.0.iter_mut().try_for_each(|reporter| reporter.finish(run))
    }
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
