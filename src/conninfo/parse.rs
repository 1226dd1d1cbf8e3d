//! What both forms of connection strings have in common: the result, its refusals, and how an option is stored.

use std::ops::Range;

use super::{LibpqVersion, SyntaxError, SyntaxErrorKind, Value, keyword_value, mask, options, uri};

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

impl std::fmt::Debug for Assignment {
    /// The place only: the value may be a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Assignment").field("place", &self.place).finish_non_exhaustive()
    }
}

impl Assignment {
    pub(super) fn new(value: Vec<u8>, place: Place) -> Self {
        Self { value: Value::new(value), place, typed: None, may_hold_password: false }
    }
}

/// Where a keyword and its value stand in a connection string, in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The keyword.
    pub keyword: Range<usize>,
    /// The value as typed, quotes and escapes included.
    pub value: Range<usize>,
}

/// Why a string is refused, and what had been read until then.
#[derive(Clone, Debug)]
pub struct ParseFailure {
    /// Why.
    pub refusal: Refusal,
    /// What stood before it.
    pub read: Parsed,
}

/// The first thing libpq refuses in a string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It does not parse.
    Syntax(SyntaxError),
    /// It parses so far and names an option that does not exist.
    UnknownOption {
        /// The keyword, without what may be a password in it.
        keyword: Value,
        /// Where it stands.
        span: Range<usize>,
    },
}

impl Refusal {
    pub(super) fn syntax(kind: SyntaxErrorKind, span: Range<usize>) -> Self {
        Refusal::Syntax(SyntaxError { kind, span })
    }

    /// The syntax error, if it is one.
    pub fn syntax_error(self) -> Option<SyntaxError> {
        match self {
            Refusal::Syntax(error) => Some(error),
            Refusal::UnknownOption { .. } => None,
        }
    }
}

/// Takes a connection string apart as libpq 18 does (`PQconninfoParse`).
///
/// # Errors
/// What libpq refuses, with what was read before it.
pub fn parse(input: &[u8]) -> Result<Parsed, ParseFailure> {
    parse_as(input, LibpqVersion::V18)
}

/// As [`parse`], for another version of libpq.
///
/// # Errors
/// What that libpq refuses, with what was read before it.
pub fn parse_as(input: &[u8], version: LibpqVersion) -> Result<Parsed, ParseFailure> {
    let mut store = Store { version, ..Store::default() };
    let result = match input.iter().position(|byte| *byte == 0) {
        Some(at) => Err(Refusal::syntax(SyntaxErrorKind::NulByte, at..at + 1)),
        None if uri::is_uri(input) => uri::parse(input, &mut store),
        None => keyword_value::parse(input, &mut store),
    };
    match result {
        Ok(()) => Ok(store.parsed),
        Err(refusal) => Err(ParseFailure { refusal, read: store.parsed }),
    }
}

/// The keywords and places in a keyword/value string, unknown ones too, and where it stops making sense, if it does.
pub(super) fn skim(input: &[u8]) -> (Vec<(Vec<u8>, Place)>, Option<usize>) {
    let mut store = Store { unknown_too: true, ..Store::default() };
    let end = match keyword_value::parse(input, &mut store) {
        Err(Refusal::Syntax(error)) => Some(error.span.start),
        _ => None,
    };
    (store.skimmed, end)
}

/// Whether text where a database name may stand is a connection string instead, as psql decides about its first
/// argument and `-d` (fe-connect.c, recognized_connection_string).
pub fn is_connection_string(text: &[u8]) -> bool {
    uri::is_uri(text) || text.contains(&b'=')
}

/// The options stored so far (fe-connect.c, conninfo_storeval).
pub(super) struct Store {
    pub(super) version: LibpqVersion,
    parsed: Parsed,
    /// Whether unknown options are passed over; then all are noted in `skimmed`.
    unknown_too: bool,
    skimmed: Vec<(Vec<u8>, Place)>,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            version: LibpqVersion::V18,
            parsed: Parsed::default(),
            unknown_too: false,
            skimmed: Vec::new(),
        }
    }
}

impl Store {
    /// Stores a value under a keyword as typed.
    pub(super) fn assign(&mut self, keyword: &[u8], mut assignment: Assignment) -> Result<(), Refusal> {
        if self.unknown_too {
            self.skimmed.push((keyword.to_vec(), assignment.place));
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
            None => Err(Refusal::UnknownOption {
                keyword: mask::keyword(keyword, self.last_is_secret()),
                span: assignment.place.keyword,
            }),
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

/// Bytes read from left to right.
pub(super) struct Reader<'a> {
    input: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(input: &'a [u8]) -> Self {
        Self { input, position: 0 }
    }

    pub(super) fn position(&self) -> usize {
        self.position
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.input.get(self.position).copied()
    }

    pub(super) fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.position += 1;
        Some(byte)
    }

    pub(super) fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'a [u8] {
        let start = self.position;
        self.skip_while(wanted);
        self.input.get(start..self.position).unwrap_or_default()
    }

    pub(super) fn skip_while(&mut self, wanted: impl Fn(u8) -> bool) {
        while self.peek().is_some_and(&wanted) {
            self.position += 1;
        }
    }
}
