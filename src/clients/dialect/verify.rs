//! How a dialect's string has to be written for its driver to verify chain and name, as far as a string can say that.

use super::Kind;

/// Which roots are to be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trusted<'a> {
    /// Those of a file.
    File(&'a str),
    /// The operating system's, or those that the driver has by itself.
    System,
    /// What the driver takes where nothing is said.
    Default,
}

/// One setting that makes a driver verify.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Spelled {
    /// The keyword; of inner settings with dots.
    pub keyword: &'static str,
    pub value: String,
    /// Whether the value is a file whose content is meant.
    pub kind: Kind,
}

/// The settings that make a driver verify, in a string or (`true`) in an object, or what has to be done in the program or
/// its environment where neither can say it.
pub(super) type Spell = fn(bool, Trusted<'_>) -> Result<Vec<Spelled>, &'static str>;

impl Spelled {
    pub(super) fn new(keyword: &'static str, value: &str) -> Self {
        Self { keyword, value: value.to_owned(), kind: Kind::Text }
    }

    /// The content of a file, as a program reads it.
    pub(super) fn content(keyword: &'static str, path: &str) -> Self {
        Self { keyword, value: path.to_owned(), kind: Kind::Content }
    }
}

impl<'a> Trusted<'a> {
    /// The file.
    pub(super) fn file(self) -> Option<&'a str> {
        match self {
            Trusted::File(path) => Some(path),
            Trusted::System | Trusted::Default => None,
        }
    }

    /// These settings, and the file under a keyword, if it is one.
    pub(super) fn named(self, settings: &[(&'static str, &str)], file: &'static str) -> Vec<Spelled> {
        let settings = settings.iter().map(|(keyword, value)| Spelled::new(keyword, value));
        settings.chain(self.file().map(|path| Spelled::new(file, path))).collect()
    }
}
