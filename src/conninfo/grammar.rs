//! What both forms of connection strings have in common: what is read, what is refused, and how an option is stored.

use std::fmt;
use std::ops::Range;

use super::{LibpqVersion, SyntaxError, SyntaxErrorKind, Value, options};

/// A connection string taken apart.
#[derive(Clone, Debug, Default)]
pub struct Parsed {
    /// Keyword and what it is set to, in the order typed. Of several for one keyword the last counts.
    pub assignments: Vec<(&'static str, Assignment)>,
}

impl Parsed {
    /// What a keyword is set to.
    pub fn get(&self, keyword: &str) -> Option<&Assignment> {
        self.assignments.iter().rev().find(|(name, _)| *name == keyword).map(|(_, assignment)| assignment)
    }
}

/// One value of a connection string.
#[derive(Clone)]
pub struct Assignment {
    /// The value as libpq reads it.
    pub value: Value,
    /// Where it stands.
    pub place: Place,
    /// The value as typed, where libpq's escape rule ate backslashes of it.
    pub typed: Option<Vec<u8>>,
    /// Whether the value may hold a piece of a password: in a URI, one with a bare `/` or `@` spills over into host,
    /// port and database.
    pub may_hold_password: bool,
}

impl fmt::Debug for Assignment {
    /// The place only: the value may be a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Assignment").field("place", &self.place).finish_non_exhaustive()
    }
}

impl Assignment {
    pub(super) fn new(value: Vec<u8>, place: Place) -> Self {
        Self { value: Value::new(value), place, typed: None, may_hold_password: false }
    }
}

/// Where a keyword and its value stand in a connection string, in bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The keyword.
    pub keyword: Range<usize>,
    /// The value as typed, quotes and escapes included.
    pub value: Range<usize>,
}

/// The first thing that libpq refuses in a string, with its words as they were typed: there may be a password among them.
pub(super) enum Refused {
    /// It does not parse.
    Syntax(SyntaxError),
    /// A word without `=`.
    MissingEquals {
        /// Where it stands.
        span: Range<usize>,
    },
    /// It names an option that does not exist.
    UnknownOption {
        /// The keyword, decoded.
        keyword: Vec<u8>,
        /// Where it stands.
        span: Range<usize>,
    },
}

impl Refused {
    pub(super) fn syntax(kind: SyntaxErrorKind, span: Range<usize>) -> Self {
        Self::Syntax(SyntaxError { kind, span })
    }
}

/// The options stored so far (fe-connect.c, conninfo_storeval).
pub(super) struct Store {
    pub(super) version: LibpqVersion,
    pub(super) parsed: Parsed,
    /// Whether unknown options are passed over; then all are noted in `scanned`.
    pub(super) unknown_too: bool,
    pub(super) scanned: Vec<(Vec<u8>, Place)>,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            version: LibpqVersion::V18,
            parsed: Parsed::default(),
            unknown_too: false,
            scanned: Vec::new(),
        }
    }
}

impl Store {
    /// Stores a value under a keyword as typed.
    pub(super) fn assign(&mut self, keyword: &[u8], mut assignment: Assignment) -> Result<(), Refused> {
        if self.unknown_too {
            self.scanned.push((keyword.to_vec(), assignment.place));
            return Ok(());
        }
        let mut known = keyword;
        if keyword == b"requiressl" {
            known = b"sslmode";
            let required = assignment.value.as_bytes().starts_with(b"1");
            assignment.value = Value::from(if required { "require" } else { "prefer" });
        }
        match options::find(known).filter(|option| option.since <= self.version) {
            Some(option) => {
                self.parsed.assignments.push((option.keyword, assignment));
                Ok(())
            }
            None => Err(Refused::UnknownOption { keyword: keyword.to_vec(), span: assignment.place.keyword }),
        }
    }

    /// Whether what was stored last is a secret: what cannot be read behind it may belong to it.
    pub(super) fn last_is_secret(&self) -> bool {
        self.parsed.assignments.last().is_some_and(|(keyword, _)| options::is_secret(keyword))
    }

    /// Marks what was stored as possibly holding a piece of a password, where `suspect` says so of keyword and value.
    pub(super) fn suspect(&mut self, suspect: impl Fn(&str, &[u8]) -> bool) {
        for (keyword, assignment) in &mut self.parsed.assignments {
            assignment.may_hold_password |= suspect(keyword, assignment.value.as_bytes());
        }
    }
}
