//! Where a target was given.

use std::fmt;
use std::sync::Arc;

/// Where a target was given, and its place among all targets of the run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// Its place in the run.
    pub place: Place,
    /// What it was given by.
    pub kind: SourceKind,
    /// The list or service file; masked and not yet printable.
    pub file: Option<Arc<str>>,
    /// Its line there, from 1.
    pub line: Option<u32>,
    /// The section of the service file.
    pub name: Option<Box<str>>,
}

/// A place among all targets of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// That of the target as it was given, from 0.
    pub target: u32,
    /// That of the member of it, from 0.
    pub member: u32,
}

/// What a target was given by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SourceKind {
    /// The command line.
    #[default]
    Argument,
    /// `--from`
    File,
    /// `--all-services`
    Service,
    /// Environment variables alone.
    Environment,
}

impl SourceKind {
    /// Its name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Argument => "argument",
            Self::File => "file",
            Self::Service => "service",
            Self::Environment => "environment",
        }
    }
}

/// `fleet.txt:17`, `~/.pg_service.conf:3 [orders]`; nothing of what stood on the command line or in variables.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            f.write_str(file)?;
        }
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        match &self.name {
            Some(name) => write!(f, " [{name}]"),
            None => Ok(()),
        }
    }
}
