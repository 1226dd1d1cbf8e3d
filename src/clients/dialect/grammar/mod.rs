//! The grammars of connection strings. Each takes text apart into pairs and says where it stops making sense; what the
//! pairs mean is none of its business.

pub(super) mod lines;
pub(super) mod literal;
pub(super) mod pairs;
pub(super) mod url;

use std::ops::Range;

use super::text::Text;
use super::{FaultKind, Kind, Place};
use crate::clients::quote::Language;
use crate::conninfo::{self, Assignment, Refusal};

/// A form a dialect's strings can have.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form {
    /// A URL.
    Url(&'static url::Rules),
    /// `keyword=value`, one behind the other.
    Pairs(&'static pairs::Rules),
    /// libpq's own, both forms.
    Libpq,
    /// A dictionary, an object, keyword arguments, lines of YAML.
    Object(&'static Look),
}

/// How settings are written in a program.
#[derive(Debug)]
pub(super) struct Look {
    pub language: Language,
    pub open: &'static str,
    pub close: &'static str,
    /// Between name and value.
    pub sign: &'static str,
    /// What stands round inner settings.
    pub inner: (&'static str, &'static str),
    /// Whether names are in quotes.
    pub quoted: bool,
}

/// An object of JavaScript's.
pub(super) const JAVASCRIPT: Look = Look {
    language: Language::JavaScript,
    open: "{ ",
    close: " }",
    sign: ": ",
    inner: ("{ ", " }"),
    quoted: false,
};
/// Arguments of Python's. What stands in another argument is a context of its ssl module.
pub(super) const PYTHON: Look = Look {
    language: Language::Python,
    open: "",
    close: "",
    sign: "=",
    inner: ("ssl.create_default_context(", ")"),
    quoted: false,
};
/// A dictionary of Python's.
pub(super) const DICTIONARY: Look =
    Look { language: Language::Python, open: "{", close: "}", sign: ": ", inner: ("{", "}"), quoted: true };
/// A hash of Ruby's.
pub(super) const RUBY: Look = Look {
    language: Language::Ruby,
    open: "{ ",
    close: " }",
    sign: ": ",
    inner: ("{ ", " }"),
    quoted: false,
};
/// A keyword list of Elixir's.
pub(super) const ELIXIR: Look =
    Look { language: Language::Elixir, open: "[", close: "]", sign: ": ", inner: ("[", "]"), quoted: false };

/// A keyword and its value as found. Its places are in the text that was taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Pair {
    pub name: String,
    pub part: Part,
    pub value: Vec<u8>,
    pub kind: Kind,
    pub place: Place,
}

/// Where a pair stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Part {
    /// In the authority or path of a URL, or taken from what stands round the string: the name is libpq's.
    Fixed,
    /// Among keywords: the name is the driver's.
    #[default]
    Keyword,
}

/// Where a text stops making sense. The place is in the text that was taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Broken {
    pub kind: FaultKind,
    pub place: Range<usize>,
}

impl Broken {
    pub(super) fn new(kind: FaultKind, place: Range<usize>) -> Self {
        Self { kind, place }
    }

    pub(super) fn syntax(expected: &'static str, place: Range<usize>) -> Self {
        Self::new(FaultKind::Syntax(expected.into()), place)
    }
}

/// Pairs found before a text stopped making sense, if it did.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    pub pairs: Vec<Pair>,
    pub broken: Option<Broken>,
}

impl Form {
    /// Takes a text apart. `known` says whether some driver has a keyword of a name: it tells a query from a password.
    pub(super) fn parse(self, text: &Text, known: url::Known) -> Parsed {
        let mut pairs = Vec::new();
        let result = match self {
            Self::Url(rules) => url::parse(text.bytes(), rules, known, &mut pairs),
            Self::Pairs(rules) => pairs::parse(text.bytes(), rules, &mut pairs),
            Self::Libpq => return libpq(text.bytes(), known),
            Self::Object(_) => literal::settings(text, &mut pairs),
        };
        Parsed { pairs, broken: result.err() }
    }
}

/// libpq's reading. Where libpq refuses the string, it is read on as far as its form tells, so that all that is wrong is
/// found at once.
fn libpq(text: &[u8], known: url::Known) -> Parsed {
    if let Some(broken) = url::spilt(text, &URI, known) {
        return Parsed { pairs: Vec::new(), broken: Some(broken) };
    }
    let refusal = match conninfo::parse(text) {
        Ok(read) => {
            return Parsed { pairs: read.assignments.into_iter().map(assigned).collect(), broken: None };
        }
        Err(failure) => failure.refusal,
    };
    let mut pairs = Vec::new();
    let result = if URI.scheme(text).is_some() {
        url::parse(text, &URI, known, &mut pairs)
    } else {
        pairs::parse(text, &WORDS, &mut pairs)
    };
    let broken = match (result, refusal) {
        (Err(broken), _) => Some(broken),
        // It names an option that libpq does not have, as will be seen.
        (Ok(()), Refusal::UnknownOption { .. }) => None,
        (Ok(()), Refusal::Syntax(error)) => Some(Broken::syntax("what libpq reads", error.span)),
    };
    Parsed { pairs, broken }
}

fn assigned((option, assignment): (&'static str, Assignment)) -> Pair {
    let part = if assignment.place.keyword.is_empty() { Part::Fixed } else { Part::Keyword };
    Pair {
        name: option.to_owned(),
        part,
        value: assignment.value.as_bytes().to_vec(),
        kind: Kind::Text,
        place: assignment.place,
    }
}

/// libpq's forms, for strings that libpq refuses.
const URI: url::Rules = url::Rules {
    schemes: &["postgresql://", "postgres://"],
    exact_scheme: true,
    login: url::Login::ToFirst,
    authority_ends: b"/?",
    fragment: false,
    several_hosts: true,
    user: url::STRICT,
    host: url::STRICT,
    path: url::STRICT,
    query: url::STRICT,
    path_form: url::Path::Database,
    bare: url::Bare::Refused,
    query_wins: true,
};

const WORDS: pairs::Rules =
    pairs::Rules { prefix: pairs::Prefix::Nothing, syntax: pairs::Syntax::Blanks(pairs::Backslash::Escapes) };
