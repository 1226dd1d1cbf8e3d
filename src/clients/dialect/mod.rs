//! The connection strings of other drivers: recognised by their form, taken apart as that driver takes them apart, and
//! read for what the driver then demands of the server: encryption, a chain to which roots, the host name.
//!
//! Everything here is pure: no file, variable or socket is looked at. A driver is one row of `table`; a grammar that no
//! other driver has is one file. What is measured and what was read in a driver's source is said in its row.
//!
//! A password never leaves its place: values of secret keywords are [`SettingValue::Secret`], and where a string does not parse,
//! or its parts overlap with what may be a password, [`Failure::secrets`] names the bytes that must not be shown.

mod calls;
mod demand;
mod documents;
mod environment;
mod grammar;
mod hosts;
mod lookup;
mod placeholder;
mod recognise;
mod rewrite;
mod secrets;
mod semicolon;
mod shell;
mod table;
#[cfg(test)]
mod tests;
mod text;
mod typed;
mod understand;
mod verify;
mod wrapping;
mod write;

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

pub use demand::{Chain, Decision, Demand, Encryption, Fallback, Root};
pub use placeholder::bracketed;
pub use recognise::{Taken, Target, is_plain, lacks_question_mark, placeholders, read, readers};
pub use table::{SQL_SERVER, all, find, nearest, owners};
pub use text::Text;
pub use typed::{Read, Typed};
pub use verify::Trusted;
pub use wrapping::{Layer, assignments};
pub use write::NO_SUCH_SETTING;

pub use crate::conninfo::{Library, Place};
use crate::secret::Secret;
use grammar::Form;
use lookup::Lookup;
use verify::Spell;

/// How a driver or framework reads its connection strings.
pub struct Dialect {
    /// What `--as` takes and JSON says.
    pub name: &'static str,
    /// Other names that `--as` takes.
    pub aliases: &'static [&'static str],
    /// Its name in its own spelling.
    pub title: &'static str,
    /// The releases the row describes; older ones that differ are rows of their own.
    pub releases: &'static str,
    /// The forms its strings have.
    forms: &'static [Form],
    /// Its keywords.
    keywords: Keywords,
    /// What its hosts look like.
    hosts: Hosts,
    /// What it demands of the server.
    demand: fn(&Lookup<'_>) -> Decision,
    /// How its strings say that the server be verified.
    spell: Spell,
    /// What it verifies with.
    pub library: Library,
    /// What it takes from elsewhere.
    pub surroundings: Surroundings,
    /// How the facts of the row are known: what was run or read, and when.
    pub source: &'static str,
}

impl fmt::Debug for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dialect({})", self.name)
    }
}

/// The keywords of a dialect.
#[derive(Clone, Copy, Debug)]
struct Keywords {
    known: &'static [&'static [Keyword]],
    case: Case,
    unknown: Unknown,
    repeated: Repeated,
    /// Where in an object the keywords that take part in the demand must stand; elsewhere they are passed over.
    demand_under: Option<&'static str>,
    /// Words of other products that people and portals write, and what they mean. The driver refuses them.
    misnamed: &'static [(&'static str, &'static str)],
}

/// One keyword.
#[derive(Clone, Copy, Debug)]
struct Keyword {
    /// Its names; the first is the one it is called by here.
    names: &'static [&'static str],
    /// Those of many things of one meaning, of which nothing else is said, separated by `|`: a table of texts takes twice the
    /// room.
    others: &'static str,
    meaning: Meaning,
}

impl Keyword {
    /// All its names.
    fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.names.iter().copied().chain(self.others.split('|').filter(|name| !name.is_empty()))
    }
}

/// What a keyword is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// libpq's option of this name, with libpq's values.
    Libpq(&'static str),
    /// libpq's option of this name, its value written in another way.
    Rewritten(&'static str, Rewrite),
    /// It takes part in what is demanded of the server.
    Tls,
    /// A setting of the session, sent to the server.
    Server,
    /// Something of the driver's own that does not concern the connection: pools, statements, types.
    Own,
}

/// How another way of writing a value becomes libpq's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rewrite {
    /// A number of milliseconds; libpq has seconds.
    Milliseconds,
    /// An ISO 8601 duration or a number with its unit; libpq has seconds.
    Duration,
    /// `targetServerType` and its like: `primary`, `preferSecondary`.
    ServerType,
    /// `true` and `false` for `random` and `disable`.
    Balancing,
    /// libpq's word in another case or with other separators: `VerifyFull`, `REQUIRE`, `PreferStandby`.
    Word,
}

/// How a host is written among keywords.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hosts {
    /// Alone, ports being a keyword of their own.
    Plain,
    /// With its port, several separated by commas: `a:1,b:2`.
    WithPorts,
    /// With its port, several as several keywords: `host=a:1&host=b:2`.
    Repeated,
}

/// How keywords are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Case {
    /// Byte by byte.
    Exact,
    /// Whatever the case.
    Any,
    /// Whatever the case and the blanks in them.
    AnyWithoutBlanks,
}

/// What becomes of a keyword the driver does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// The driver passes over it.
    Ignored,
    /// The driver refuses the string.
    Refused,
    /// In an object libpq's options stand under this key, under libpq's names, and what is unknown there is refused; all
    /// other keys are passed over. A string is refused.
    RefusedUnder(&'static str),
    /// The driver sends it to the server as a setting, and the server refuses the session.
    Sent,
}

/// Which of several settings of one keyword counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Repeated {
    First,
    Last,
}

/// What a driver takes from elsewhere where its string says nothing.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings {
    /// The environment variables it reads.
    pub variables: Variables,
    /// The user it logs in as without one.
    pub user: Absent,
    /// The database it asks for without one.
    pub database: Absent,
    /// The host it connects to without one.
    pub host: Absent,
    /// Whether it reads the password file.
    pub passfile: bool,
    /// Its limit for connecting, in seconds, without one; 0: none.
    pub connect_timeout: u32,
    /// Whether a service that the string names decides what it demands; one that PGSERVICE names does for all that read it.
    pub service_of_string: bool,
    /// The variables that take part in what it demands, each with the keyword under which its rules look for it. It
    /// counts less than the same keyword in the string.
    pub of_tls: &'static [(&'static str, &'static str)],
}

/// Which of libpq's variables a driver reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variables {
    /// All, being libpq.
    All,
    /// Those of these options, by libpq's keywords.
    Of(&'static [&'static str]),
}

/// What a driver takes where something is not given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    /// As libpq: the account's name, the user's name, a Unix socket.
    AsLibpq,
    /// This.
    Is(&'static str),
    /// It refuses to connect.
    Refused,
}

/// A connection string as its driver reads it.
#[derive(Debug)]
pub struct Reading {
    /// The driver.
    pub dialect: &'static Dialect,
    /// What stood round it, the outermost first.
    pub layers: Vec<Layer>,
    /// What it says, in the order typed; those taken from what stood round it last.
    pub settings: Vec<Setting>,
    /// What the driver demands of the server.
    pub decision: Decision,
    /// What is worth knowing and stops nobody.
    pub remarks: Vec<Remark>,
    /// The form it has.
    form: Form,
    /// From which setting on they stood round the string.
    beside: usize,
    /// What it begins with, if it is a URL.
    scheme: String,
}

/// A string that its driver refuses, or of which something is missing that only its writer knows.
#[derive(Debug)]
pub struct Failure {
    /// The driver.
    pub dialect: &'static Dialect,
    /// What stood round it.
    pub layers: Vec<Layer>,
    /// What could be read.
    pub settings: Vec<Setting>,
    /// All that is wrong, never empty.
    pub faults: Vec<Fault>,
    /// The bytes of the original that are or may be part of a password.
    pub secrets: Vec<Range<usize>>,
}

/// One setting.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The driver's name for it, as typed if it knows none like it. Parts of a URL's authority and path have libpq's.
    pub keyword: Cow<'static, str>,
    /// The name as typed; empty for parts of a URL, and for what may be a piece of a password.
    pub typed: String,
    /// What it is about; `None` if the driver does not know it.
    pub meaning: Option<Meaning>,
    /// The value as the driver reads it.
    pub value: SettingValue,
    /// What kind of expression it is.
    pub kind: Kind,
    /// Where it stands in the original. Parts of a URL have an empty keyword.
    pub place: Place,
    /// Whether it counts: another of the same meaning may have taken its place.
    pub counts: bool,
    /// The environment variable that says it, if it does not stand in the text; its place is empty then.
    pub variable: Option<&'static str>,
}

/// A value, fit to be shown or not.
#[derive(Clone, PartialEq, Eq)]
pub enum SettingValue {
    /// Anything.
    Plain(Vec<u8>),
    /// A password or the like.
    Secret(Secret),
}

/// What kind of expression a value is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// Text, a number or a word.
    #[default]
    Text,
    /// The content of the file of this name, read by the program: `fs.readFileSync("ca.pem")`.
    Content,
    /// Something of the program that cannot be known here: a variable, a call. The value is empty.
    Code,
    /// Braces with further settings; those are settings of their own, named with a dot. The value is empty.
    Object,
}

/// Something wrong with a string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What.
    pub kind: FaultKind,
    /// Where in the original; may be empty.
    pub place: Range<usize>,
}

/// The ways in which a string can be wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// It is no string of a PostgreSQL driver: for what it is.
    OtherProduct(Cow<'static, str>),
    /// It does not parse: what the driver expects.
    Syntax(Cow<'static, str>),
    /// The password, or the user's name before it, holds this character without its escape.
    Unencoded(u8),
    /// The parameters of a URL begin with `&`, so that all of them belong to the database's name.
    AmpersandFirst,
    /// The URL has user and password where the driver reads a host.
    LoginInUrl,
    /// A keyword the driver refuses, or has the server refuse.
    UnknownKeyword {
        /// As typed.
        keyword: String,
        /// The nearest one it knows.
        nearest: Option<&'static str>,
        /// Those whose keyword it is.
        belongs_to: Vec<&'static str>,
    },
    /// A value the driver refuses: the keyword and what it takes.
    InvalidValue(Cow<'static, str>, Cow<'static, str>),
    /// The driver does not connect without this.
    Missing(&'static str),
    /// A placeholder that was not filled in: for which keyword.
    Placeholder(Cow<'static, str>),
    /// A value that only the program knows: for which keyword.
    Computed(Cow<'static, str>),
}

/// Something worth knowing about a setting, by its place in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remark {
    /// The driver passes over it.
    Ignored {
        /// Which.
        setting: usize,
        /// The nearest keyword it knows, if it looks mistyped.
        nearest: Option<&'static str>,
        /// Those whose keyword it is.
        belongs_to: Vec<&'static str>,
    },
    /// The driver passes over it, as it does not stand where its kind counts.
    Misplaced {
        /// Which.
        setting: usize,
        /// Under which key of the object it would count.
        key: &'static str,
    },
    /// It does not concern the connection.
    NotOfTheConnection(usize),
    /// Another setting took its place.
    Overridden {
        /// Which.
        setting: usize,
        /// By which.
        by: usize,
    },
    /// It is a placeholder, or text that a program or shell would have replaced: nothing is known of the value.
    Placeholder(usize),
    /// It is sent to the server.
    Sent(usize),
    /// libpq has no such value: nothing is made of it here.
    NotCarried(usize),
    /// The driver has no such keyword and would refuse it; it is read for what it means.
    Misnamed(usize),
}

impl SettingValue {
    /// The bytes, for those that use them.
    pub fn expose(&self) -> &[u8] {
        match self {
            Self::Plain(bytes) => bytes,
            Self::Secret(secret) => secret.expose(),
        }
    }

    /// The bytes if they may be shown.
    pub fn plain(&self) -> Option<&[u8]> {
        match self {
            Self::Plain(bytes) => Some(bytes),
            Self::Secret(_) => None,
        }
    }
}

impl fmt::Debug for SettingValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(bytes) => write!(f, "{:?}", String::from_utf8_lossy(bytes)),
            Self::Secret(secret) => secret.fmt(f),
        }
    }
}

impl Reading {
    /// The setting that counts for a keyword of the driver's.
    pub fn get(&self, keyword: &str) -> Option<&Setting> {
        self.settings.iter().find(|setting| setting.counts && setting.keyword == keyword)
    }

    /// Whether a setting stood round the string, among the arguments of a call or in other lines.
    pub fn is_beside(&self, setting: &Setting) -> bool {
        let beside = self.settings.iter().skip(self.beside);
        setting.variable.is_none() && beside.into_iter().any(|other| std::ptr::eq(other, setting))
    }

    /// The bytes of the original that may not be shown.
    pub fn secrets(&self, original: &[u8]) -> Vec<Range<usize>> {
        secrets::secrets(original, &self.settings, None)
    }

    /// The setting that counts for an option of libpq's.
    pub fn libpq(&self, option: &str) -> Option<&Setting> {
        self.settings.iter().find(|setting| setting.counts && setting.libpq() == Some(option))
    }
}

impl Setting {
    /// Keeps a secret in the memory of the text in which it was typed, where it stands there as it is.
    pub fn keep_in(&mut self, text: &Secret) {
        if let (SettingValue::Secret(secret), None) = (&mut self.value, self.variable)
            && let Some(part) = text.part(self.place.value.clone(), secret.expose())
        {
            *secret = part;
        }
    }

    /// libpq's name for it, if libpq has it.
    pub fn libpq(&self) -> Option<&'static str> {
        match self.meaning? {
            Meaning::Libpq(option) | Meaning::Rewritten(option, _) => Some(option),
            Meaning::Tls | Meaning::Server | Meaning::Own => None,
        }
    }
}
