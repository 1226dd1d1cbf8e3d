//! Reports: one file a format. A [`Reporter`] gets each target as it ends and the run at its end, and writes nothing
//! that did not pass through [`text`](crate::text).
//!
//! A new format is one file here and one variant of [`Format`]. What is no report of a check is a [`Listing`], which
//! has forms of its own.

pub(crate) mod human;
pub(crate) mod json;
pub mod listing;
pub mod page;
mod settings;
mod style;
mod subject;
#[cfg(test)]
mod tests;

use std::io::{self, Write};

pub use listing::Listing;
pub use page::Page;
pub use style::{ColorChoice, Role, Stream, Style, WIDEST};
pub use subject::target_name;

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

/// What there is to know of a format. It stands beside the reporter that writes it.
struct Row {
    /// Its name on the command line.
    name: &'static str,
    /// As what listings come under this name; `None` of a format for checks alone.
    listing: Option<Form>,
    /// Begins a report.
    reporter: for<'a> fn(Layout, Box<dyn Write + 'a>) -> Box<dyn Reporter + 'a>,
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
