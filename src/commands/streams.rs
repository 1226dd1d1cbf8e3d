//! Standard output and standard error: results go to the one, remarks to the other. A reader who has seen enough and
//! closed the pipe is no failure, and no success either: the exit status stays that of what was found.

use std::io::{self, IsTerminal as _, Write};

use super::Pager;
use crate::check::Run;
use crate::cli::DisplayArgs;
use crate::conninfo::Environment;
use crate::diagnose::Outcome;
use crate::report::{ColorChoice, Form, Layout, Listing, Reporter as _, Reports, Sort, Stream, Style};

/// Where results and remarks go, and how.
pub struct Streams<'a> {
    /// Standard output: results.
    pub out: &'a mut dyn Write,
    /// Standard error: "wrote FILE", wrong options.
    pub notes: &'a mut dyn Write,
    /// How the results may look.
    pub style: Style,
    /// How the remarks may look.
    pub notes_style: Style,
    /// What shows long pages a screen at a time, on a terminal.
    pub pager: Option<Pager>,
}

impl Streams<'_> {
    /// Writes results.
    pub(super) fn print(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }

    /// Writes a listing.
    pub(super) fn list(&mut self, listing: &dyn Listing, form: Form) -> io::Result<()> {
        let text = form.text(listing, self.style);
        let shown = form == Form::Page && self.pager.as_ref().is_some_and(|pager| pager.show(&text));
        if shown { Ok(()) } else { self.print(&text) }
    }

    /// A remark.
    pub(super) fn note(&mut self, text: &str) {
        let _ = writeln!(self.notes, "{text}");
    }

    /// Reports the one target there is and gives its exit status.
    pub(super) fn report_one(&mut self, outcome: &Outcome, display: &DisplayArgs) -> io::Result<u8> {
        let layout = Layout {
            style: self.style,
            verbosity: display.verbosity(),
            many: false,
            limit: None,
            sort: Sort::default(),
        };
        let mut reports = Reports::default();
        reports.add(display.format, layout, &mut *self.out);
        reports.target(outcome)?;
        let run = Run::of(outcome);
        reports.finish(&run)?;
        Ok(reports.exit_status(&run))
    }
}

/// How standard output and standard error may look.
pub(super) fn styles(display: &DisplayArgs, environment: &Environment) -> (Style, Style) {
    let style = |is_terminal: bool| {
        if display.plain {
            return Style::decide(ColorChoice::Never, Stream::Other, &environment.variables);
        }
        let stream = match is_terminal {
            true => Stream::Terminal(terminal_size::terminal_size().map(|(columns, _)| columns.0.into())),
            false => Stream::Other,
        };
        Style::decide(display.color, stream, &environment.variables)
    };
    (style(io::stdout().is_terminal()), style(io::stderr().is_terminal()))
}

/// Standard error. Without a remark nothing is lost: one that nobody can be told changes nothing.
pub(super) struct Remarks;

impl Write for Remarks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = io::stderr().write_all(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Standard output. Once its reader is gone, what is written is nobody's.
pub(super) struct Output {
    read: bool,
}

impl Output {
    pub(super) fn new() -> Self {
        Self { read: true }
    }

    /// What came of writing, unless the reader is gone, with what that counts as.
    fn unless_unread<T>(&mut self, written: io::Result<T>, otherwise: T) -> io::Result<T> {
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.read = false;
                Ok(otherwise)
            }
            written => written,
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = if self.read { io::stdout().write(bytes) } else { Ok(bytes.len()) };
        self.unless_unread(written, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = if self.read { io::stdout().flush() } else { Ok(()) };
        self.unless_unread(flushed, ())
    }
}
