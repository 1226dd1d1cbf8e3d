//! Reports: one file a format. A [`Reporter`] gets each target as it ends and the run at its end, and writes nothing
//! that did not pass through [`text`](crate::text).
//!
//! A new format is one file here and one variant of [`Format`]. What is no report of a check is a [`Listing`], which
//! has forms of its own.

mod accepted;
mod annotations;
mod causes;
mod csv;
mod github;
mod html;
pub(crate) mod human;
pub(crate) mod json;
mod junit;
pub mod listing;
mod markdown;
mod members;
mod nagios;
pub mod page;
mod pipelines;
mod problem;
mod prometheus;
mod rehearsal;
mod rows;
mod server;
mod settings;
pub mod since;
mod style;
mod subject;
#[cfg(test)]
mod tests;

use std::io::{self, Write};

pub use listing::Listing;
pub use page::Page;
pub use style::{ColorChoice, Role, Stream, Style, WIDEST};
pub use subject::{member_name, target_name};

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

    /// The exit status of the run. Most formats leave it as it is; some are read by programs that have their own.
    fn exit_status(&self, run: &Run) -> u8 {
        run.exit_status
    }
}

/// Several reports of one run, each in its form. The first is the one on standard output.
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

    fn exit_status(&self, run: &Run) -> u8 {
        self.0.first().map_or(run.exit_status, |reporter| reporter.exit_status(run))
    }
}

/// Another report beside one on standard output, added to a file that somebody else names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Companion {
    /// The environment variable that names the file.
    pub variable: &'static str,
    /// Its format.
    pub format: Format,
    /// The most bytes that its reader takes.
    pub limit: usize,
}

/// Nothing could be checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// What standard output gets.
    pub line: String,
    /// The exit status.
    pub exit_status: u8,
}

/// What there is to know of a format. It stands beside the reporter that writes it.
struct Row {
    /// Its name on the command line.
    name: &'static str,
    /// As what listings come under this name; `None` of a format for checks alone.
    listing: Option<Form>,
    /// How the names of files end that are written in this format where nothing else is said.
    endings: &'static [&'static str],
    /// Where whoever reads this format wants another report too.
    companion: Option<Companion>,
    /// What is to be done where nothing could be checked, if the reader has ways of its own for that.
    trouble: Option<fn(&str) -> Trouble>,
    /// Begins a report.
    reporter: for<'a> fn(Layout, Box<dyn Write + 'a>) -> Box<dyn Reporter + 'a>,
}

impl Row {
    /// A format for checks alone, without any peculiarity.
    const fn new(
        name: &'static str,
        reporter: for<'a> fn(Layout, Box<dyn Write + 'a>) -> Box<dyn Reporter + 'a>,
    ) -> Self {
        Self { name, listing: None, endings: &[], companion: None, trouble: None, reporter }
    }
}

macro_rules! formats {
    ($($(#[$attribute:meta])* $format:ident = $row:expr,)*) => {
        /// `--format`.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub enum Format {
            $($(#[$attribute])* $format,)*
        }

        impl Format {
            /// All formats, in the order of the help text.
            pub const ALL: &'static [Self] = &[$(Self::$format),*];

            fn row(self) -> &'static Row {
                match self {
                    $(Self::$format => &$row,)*
                }
            }
        }
    };
}

formats! {
    /// For people.
    #[default]
    Human = human::FORMAT,
    /// One object a line, one line a target.
    Json = json::FORMAT,
    /// JUnit's XML, for whatever shows the results of tests.
    Junit = junit::FORMAT,
    /// Annotations of GitHub Actions.
    Github = github::FORMAT,
    /// Issues of Azure Pipelines.
    AzurePipelines = pipelines::FORMAT,
    /// Prometheus' text format, for a file that is scraped.
    Prometheus = prometheus::FORMAT,
    /// The line and exit status of a Nagios plugin.
    Nagios = nagios::FORMAT,
    /// A table as comma-separated values.
    Csv = csv::FORMAT,
    /// A page in GitHub's Markdown.
    Markdown = markdown::FORMAT,
    /// A page on its own.
    Html = html::FORMAT,
}

impl Format {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// As what listings come under this name; `None` of a format for checks alone.
    pub fn listing(self) -> Option<Form> {
        self.row().listing
    }

    /// The format of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|format| format.name() == name)
    }

    /// The format of files whose names end so (`json`, `xml`, …).
    pub fn of_ending(ending: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|format| format.row().endings.contains(&ending))
    }

    /// All endings that tell a format.
    pub fn endings() -> impl Iterator<Item = &'static str> {
        Self::ALL.iter().flat_map(|format| format.row().endings).copied()
    }

    /// Where whoever reads this format wants another report too.
    pub fn companion(self) -> Option<Companion> {
        self.row().companion
    }

    /// What is to be done where nothing could be checked, if this format has ways of its own for that.
    pub fn trouble(self, words: &str) -> Option<Trouble> {
        self.row().trouble.map(|trouble| trouble(words))
    }

    /// A writer of reports in this format.
    pub fn reporter<'a>(self, layout: Layout, out: impl Write + 'a) -> Box<dyn Reporter + 'a> {
        (self.row().reporter)(layout, Box::new(out))
    }
}

/// How a [`Listing`] comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A page for people.
    Page,
    /// An object on a line.
    Json,
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
    /// The most bytes that the reader takes of a document, if there is a limit: then what is well is left out first.
    pub limit: Option<usize>,
    /// The order of the targets.
    pub sort: Sort,
}

/// `--sort`: the order of targets in tables and lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// As they were given.
    #[default]
    Input,
    /// Those first whose path ends first; those without a certificate last.
    Expires,
    /// The worst first.
    Verdict,
}

impl Sort {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Expires, Self::Verdict, Self::Input];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Expires => "expires",
            Self::Verdict => "verdict",
        }
    }
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

/// Bytes as text, U+FFFD for what is not UTF-8.
pub(crate) fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
