//! `--output [FMT=]FILE`, as often as somebody wants a report: the format said or that of the file's ending, places tested
//! before the first connection, files written when the run is over. Beside them what the reader of standard output wants
//! too: a summary added to a file that the environment names.

use std::ffi::{OsStr, OsString};
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::write::{Existing, Place, Unfinished};
use super::{Streams, Usage};
use crate::check::Run;
use crate::conninfo::{Environment, mask_path};
use crate::file;
use crate::report::{Format, Layout, Reports, Style};
use crate::text::nearest;

/// The reports of a run beside the one on standard output.
pub(super) struct Outputs {
    files: Vec<Output>,
    /// What is added to a file of somebody else's: that file, the format, the most bytes it takes.
    companion: Option<(File, Format, usize, Vec<u8>)>,
}

struct Output {
    path: PathBuf,
    format: Format,
    file: Unfinished,
}

impl Outputs {
    /// Reads what was given and tests the places.
    ///
    /// # Errors
    /// A format that is unknown, a file named twice ([`Usage`]); a place that takes no file.
    pub(super) fn tested(
        given: &[OsString],
        printed: Format,
        environment: &Environment,
        streams: &mut Streams<'_>,
    ) -> anyhow::Result<Self> {
        let mut read: Vec<(Format, PathBuf)> = Vec::new();
        for argument in given {
            let (format, path) = format_and_path(argument, printed)?;
            // A device or pipe can take several reports, a file holds the last one alone.
            if read.iter().any(|(_, other)| *other == path) && !path.starts_with("/dev") {
                return Err(Usage(format!("--output: {} is named twice", mask_path(&path))).into());
            }
            read.push((format, path));
        }
        if !read.is_empty() {
            file::writes_reports();
        }
        let files = read.into_iter().map(|(format, path)| {
            let place = Place::tested(&path, Existing::Replace);
            let file = place.and_then(Place::begin);
            let file = file.map_err(|error| {
                let parent = path.parent().filter(|parent| {
                    let may_be_missing = error.kind() == io::ErrorKind::NotFound;
                    may_be_missing && !parent.as_os_str().is_empty() && !file::exists(parent)
                });
                let make = parent
                    .map(|parent| format!(" (mkdir -p {})", crate::text::shell_quoted(&mask_path(parent))));
                let words = format!("--output {}{}", mask_path(&path), make.unwrap_or_default());
                anyhow::Error::new(error).context(words)
            })?;
            Ok(Output { path, format, file })
        });
        Ok(Self {
            files: files.collect::<anyhow::Result<_>>()?,
            companion: companion(printed, environment, streams),
        })
    }

    /// Adds the reports.
    pub(super) fn add_to<'a>(&'a mut self, reports: &mut Reports<'a>, layout: Layout) {
        let layout = Layout { style: Style::document(), ..layout };
        for output in &mut self.files {
            reports.add(output.format, layout, &mut output.file);
        }
        if let Some((_, format, limit, content)) = &mut self.companion {
            reports.add(*format, Layout { limit: Some(*limit), ..layout }, content);
        }
    }

    /// Writes the files. A run that was ended before any target leaves files as they were.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn write(self, run: &Run, streams: &mut Streams<'_>) -> anyhow::Result<()> {
        let missing = match run.untold {
            0 => String::new(),
            untold => format!(": {untold} of {} not finished", run.finished() + run.unfinished),
        };
        for Output { path, file, .. } in self.files {
            let path = mask_path(&path);
            if run.is_empty() && file.is_file() {
                streams.note(&format!("did not write {path}{missing}"));
                continue;
            }
            file.finish().with_context(|| format!("--output {path}"))?;
            streams.note(&format!("wrote {path}{missing}"));
        }
        if let Some((mut file, _, _, content)) = self.companion {
            file::bounded(move || file.write_all(&content)).context("adding the summary")?;
        }
        Ok(())
    }
}

/// `FMT=FILE`, or a file whose ending says the format. One without an ending (a pipe, a device) gets the format of
/// standard output.
fn format_and_path(argument: &OsStr, printed: Format) -> Result<(Format, PathBuf), Usage> {
    let bytes = argument.as_encoded_bytes();
    let whole = PathBuf::from(argument);
    if let Some(at) = bytes.iter().position(|byte| *byte == b'=') {
        let (name, rest) = bytes.split_at(at);
        let name = String::from_utf8_lossy(name);
        if let Some(format) = Format::named(&name) {
            return Ok((format, path(rest.get(1..).unwrap_or_default())));
        }
        let names = Format::ALL.iter().map(|format| format.name());
        if let Some(format) = nearest(&name, names) {
            return Err(Usage(format!("--output: no format is called {name}; did you mean {format}?")));
        }
    }
    let Some(ending) = whole.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase()) else {
        return Ok((printed, whole));
    };
    Format::of_ending(&ending).map(|format| (format, whole.clone())).ok_or_else(|| {
        let known: Vec<&str> = Format::endings().collect();
        Usage(format!(
            "--output {}: this ending tells no format ({} do); say it, as in {}=FILE",
            mask_path(&whole),
            known.join(", "),
            Format::Json.name()
        ))
    })
}

#[cfg(unix)]
fn path(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt as _;
    Path::new(OsStr::from_bytes(bytes)).to_owned()
}

#[cfg(not(unix))]
fn path(bytes: &[u8]) -> PathBuf {
    Path::new(&*String::from_utf8_lossy(bytes)).to_owned()
}

/// The file that the reader of standard output names for a summary. That it cannot be opened keeps nobody from a check.
fn companion(
    printed: Format,
    environment: &Environment,
    streams: &mut Streams<'_>,
) -> Option<(File, Format, usize, Vec<u8>)> {
    let companion = printed.companion()?;
    let path = environment.variables.get(OsStr::new(companion.variable)).filter(|path| !path.is_empty())?;
    let there = path.clone();
    match file::bounded(move || OpenOptions::new().create(true).append(true).open(there)) {
        Ok(file) => Some((file, companion.format, companion.limit, Vec::new())),
        Err(error) => {
            streams.note(&format!("no summary: {} cannot be opened: {error}", companion.variable));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(argument: &str) -> Result<(Format, PathBuf), String> {
        format_and_path(OsStr::new(argument), Format::Github).map_err(|error| error.to_string())
    }

    #[test]
    fn the_format_is_said_or_that_of_the_ending() {
        for (argument, format, path) in [
            ("report.json", Format::Json, "report.json"),
            ("a/b.XML", Format::Junit, "a/b.XML"),
            ("x.prom", Format::Prometheus, "x.prom"),
            ("x.csv", Format::Csv, "x.csv"),
            ("x.md", Format::Markdown, "x.md"),
            ("x.html", Format::Html, "x.html"),
            ("x.txt", Format::Human, "x.txt"),
            ("json=x.html", Format::Json, "x.html"),
            ("nagios=/dev/stderr", Format::Nagios, "/dev/stderr"),
            ("junit=a=b", Format::Junit, "a=b"),
            ("run=3.json", Format::Json, "run=3.json"),
            ("/dev/stdout", Format::Github, "/dev/stdout"),
        ] {
            assert_eq!(read(argument), Ok((format, path.into())), "{argument}");
        }
        assert!(read("x.yaml").unwrap_err().contains("tells no format"));
        assert!(read("jsno=x").unwrap_err().contains("did you mean json?"));
    }
}
