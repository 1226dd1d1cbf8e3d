//! What libpq refuses of a connection string, of single values and of values together.

use std::ops::Range;
use std::path::PathBuf;

use super::{Origin, Value};

/// A connection string that does not parse, as libpq parses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// What is wrong.
    pub kind: SyntaxErrorKind,
    /// The offending bytes of the string; may be empty at its end.
    pub span: Range<usize>,
}

/// The ways in which a connection string can be malformed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SyntaxErrorKind {
    /// A word without `=`: the word, made of bytes, without what may be a password in it.
    MissingEquals(Value),
    /// A quoted value that does not end.
    UnterminatedQuote,
    /// A zero byte, as such or as `%00`: the strings of libpq cannot hold one.
    NulByte,
    /// In a URI, `[` without `]`.
    UnclosedBracket,
    /// In a URI, `[]`.
    EmptyBrackets,
    /// In a URI, something else than `:`, `/`, `?` or `,` behind `]`.
    TextBehindBracket,
    /// In a URI's query, a name without `=`.
    ParameterWithoutEquals,
    /// In a URI's query, a second `=` in one pair; the span is that `=`.
    ParameterWithTwoEquals,
    /// In a URI, `%` without two hexadecimal digits behind it.
    BadPercentEncoding,
    /// In a URI, a space inside a component (since libpq 18).
    BareSpace,
}

/// A password that libpq does not read as its writer meant it, because it, or the user before it, holds an unencoded `@`,
/// `/` or `?`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unencoded {
    /// Where what must be encoded stands, from the user's or the password's beginning to the password's end.
    pub span: Range<usize>,
    /// The characters to encode.
    pub characters: Vec<char>,
    /// Whether they stand in the user.
    pub in_user: bool,
    /// The URI with the user encoded and without a password.
    pub without_password: Value,
}

/// What is wrong with the configuration. Becomes the evidence of the config stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigError {
    /// The string does not parse.
    Syntax(SyntaxError),
    /// A URI whose password, or user, is not encoded: libpq would take its pieces for a host, a port or a database.
    UnencodedPassword(Unencoded),
    /// A keyword libpq does not know.
    UnknownOption {
        /// The keyword as given.
        keyword: Value,
        /// The nearest known one, if one is near.
        nearest: Option<&'static str>,
        /// Where it came from.
        origin: Origin,
        /// Where in the connection string.
        span: Option<Range<usize>>,
    },
    /// A value libpq refuses.
    InvalidValue {
        /// The keyword.
        keyword: &'static str,
        /// The value (never a secret one).
        value: Value,
        /// What is allowed, in words.
        allowed: String,
        /// Where it came from.
        origin: Origin,
        /// Where in the connection string.
        span: Option<Range<usize>>,
    },
    /// Values that libpq refuses together.
    Contradiction {
        /// The parameters at odds: keyword, value, origin.
        parameters: Vec<(&'static str, Value, Origin)>,
        /// Why they cannot go together.
        reason: String,
        /// The settings that resolve it, as keyword and value.
        remedy: Vec<(&'static str, String)>,
    },
    /// No such service.
    ServiceNotFound {
        /// The section sought.
        name: String,
        /// The files looked in, with what was wrong with each.
        files: Vec<(PathBuf, String)>,
        /// Those of them that exist and cannot be read.
        unreadable: Vec<PathBuf>,
        /// The sections that these files have.
        others: Vec<String>,
        /// The user's file, where PGSERVICEFILE takes its place and it has the section.
        own_file: Option<PathBuf>,
    },
    /// A string of another driver, which that driver refuses: whoever read it says why.
    OtherDriver,
    /// verify-full without a host name.
    HostRequired,
    /// libpq can do it, this tool refuses.
    NotSupported {
        /// The keyword.
        keyword: &'static str,
        /// Its value.
        value: Value,
        /// Why, and what libpq would do.
        reason: String,
    },
}
