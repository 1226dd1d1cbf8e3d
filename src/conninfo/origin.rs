//! Where a parameter's value came from.

use std::fmt;
use std::path::PathBuf;

use crate::text;

/// Where a parameter's value came from. Its `Display` is the source as a listing names it (`environment PGHOST`); names and
/// paths in it are as they are, not yet printable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The connection string.
    ConnectionString,
    /// A command-line option such as `-h`.
    Option(&'static str),
    /// An environment variable.
    Environment(&'static str),
    /// A section of a service file.
    Service {
        /// The section.
        name: String,
        /// The file that has it.
        file: PathBuf,
    },
    /// The password file.
    PasswordFile(PathBuf),
    /// libpq's built-in default.
    Default,
    /// This tool's own default, with the reason it differs from libpq's.
    ToolDefault(&'static str),
}

impl Origin {
    /// The origin as the end of a sentence's "from …", printable.
    pub fn phrase(&self) -> String {
        text::printable(&match self {
            Self::ConnectionString => "the connection string".to_owned(),
            Self::Option(option) => format!("option {option}"),
            Self::Environment(variable) => format!("environment variable {variable}"),
            Self::Default => "libpq's default".to_owned(),
            Self::ToolDefault(_) => format!("the {self}"),
            Self::Service { .. } | Self::PasswordFile(_) => self.to_string(),
        })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ConnectionString => f.write_str("connection string"),
            Self::Option(_) => f.write_str("option"),
            Self::Environment(variable) => write!(f, "environment {variable}"),
            Self::Service { name, file } => write!(f, "service {name} in {}", file.display()),
            Self::PasswordFile(file) => write!(f, "password file {}", file.display()),
            Self::Default => f.write_str("default"),
            Self::ToolDefault(reason) => write!(f, "default of pgtls-check, {reason}"),
        }
    }
}
