//! One parameter after merging, and what may be shown of its value.

use std::fmt;
use std::path::PathBuf;

use super::grammar::Place;
use super::mask::{self, MASK};
use super::options::{self, Kind};
use super::{Origin, Value};
use crate::secret::Secret;

/// One parameter after merging. `Debug` masks secrets.
#[derive(Clone)]
pub struct Parameter {
    /// libpq's keyword.
    pub keyword: &'static str,
    /// The value as libpq reads it.
    pub value: ParameterValue,
    /// Where it came from.
    pub origin: Origin,
    /// For values typed in the connection string: where, in bytes of that string.
    pub place: Option<Place>,
}

impl fmt::Debug for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={:?} ({:?})", self.keyword, self.value, self.origin)
    }
}

/// A value, told apart by what may be shown of it. It has neither `Display` nor bytes as such: whoever uses it says
/// [`exposed`](Self::exposed), whoever shows it [`shown`](Self::shown).
#[derive(Clone, PartialEq, Eq)]
pub enum ParameterValue {
    /// Nothing in it is secret.
    Plain(Value),
    /// A password, a pass phrase, a key.
    Secret(Secret),
    /// A value of another kind with what may be a secret in it: a URL as host, a string of another driver behind `;`, the
    /// text of a key in place of its path.
    Mixed {
        /// The value.
        whole: Secret,
        /// What may be shown of it.
        shown: Value,
    },
}

impl ParameterValue {
    /// The value of a keyword. `suspect`: it may hold a piece of a password that spilled over from another part of a URI.
    pub fn of(keyword: &str, value: Value, suspect: bool) -> Self {
        let option = options::find(keyword.as_bytes());
        if option.is_some_and(|option| option.kind.is_secret()) {
            return Self::Secret(value.into_secret());
        }
        let bytes = value.as_bytes();
        let is_harmless = match keyword {
            "port" => bytes.iter().all(u8::is_ascii_digit),
            "user" => mask::is_harmless_word(bytes) && !bytes.contains(&b'/'),
            _ => mask::is_harmless_word(bytes),
        };
        if is_harmless && !suspect {
            return Self::Plain(value);
        }
        let shown = match keyword {
            "port" => mask::port(value.as_bytes(), suspect),
            _ if suspect => Value::from(MASK),
            "user" => mask::user(value.as_bytes()),
            "host" => mask::host(value.as_bytes()),
            _ if option.is_some_and(|option| option.kind == Kind::Path) => mask::path(value.as_bytes()),
            _ => mask::other(keyword, value.as_bytes()),
        };
        Self::with(value, shown)
    }

    /// A value and what may be shown of it.
    pub(super) fn with(value: Value, shown: Value) -> Self {
        match shown == value {
            true => Self::Plain(value),
            false => Self::Mixed { whole: value.into_secret(), shown },
        }
    }

    /// The same value in the memory of the string that it stands in.
    pub(super) fn in_memory_of(self, shared: Secret) -> Self {
        match self {
            Self::Plain(value) => Self::Plain(value),
            Self::Secret(_) => Self::Secret(shared),
            Self::Mixed { shown, .. } => Self::Mixed { whole: shared, shown },
        }
    }

    /// The value as libpq reads it, for whoever uses it.
    pub fn exposed(&self) -> &[u8] {
        match self {
            Self::Plain(value) => value.as_bytes(),
            Self::Secret(secret) | Self::Mixed { whole: secret, .. } => secret.expose(),
        }
    }

    /// What may be shown of it.
    pub fn shown(&self) -> &[u8] {
        match self {
            Self::Plain(value) | Self::Mixed { shown: value, .. } => value.as_bytes(),
            Self::Secret(_) => MASK.as_bytes(),
        }
    }

    /// The value in custody, for whoever keeps it.
    pub(super) fn secret(&self) -> Secret {
        match self {
            Self::Plain(value) => value.clone().into_secret(),
            Self::Secret(secret) | Self::Mixed { whole: secret, .. } => secret.clone(),
        }
    }

    /// The value, if nothing in it is secret.
    pub fn plain(&self) -> Option<&Value> {
        match self {
            Self::Plain(value) => Some(value),
            Self::Secret(_) | Self::Mixed { .. } => None,
        }
    }

    /// Whether it is set to nothing.
    pub fn is_empty(&self) -> bool {
        self.exposed().is_empty()
    }

    /// The value as a path of the operating system, for whoever opens it.
    pub fn to_path(&self) -> PathBuf {
        Value::new(self.exposed()).to_path()
    }
}

impl Default for ParameterValue {
    fn default() -> Self {
        Self::Plain(Value::default())
    }
}

impl fmt::Debug for ParameterValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(self.shown()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_shown_is_in_the_type() {
        for (keyword, value, shown) in [
            ("password", "x", MASK),
            ("scram_client_key", "x", MASK),
            ("host", "db.example", "db.example"),
            ("host", "postgres://u:x@h", "postgres://u:********@h"),
            ("dbname", "app;Password=x;Port=1", "app;Password=********"),
            ("user", "me", "me"),
            ("user", "me:x", "me:********"),
            ("port", "5432", "5432"),
            ("port", "5432,5433", "5432,5433"),
            ("port", "5432:x", "5432********"),
            ("port", "http", "http"),
            ("sslkey", "/home/me/client.key", "/home/me/client.key"),
            ("sslkey", "-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n", mask::CONTENT),
            ("sslkey", "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg", mask::CONTENT),
            ("sslrootcert", "/x;password=y", "/x;password=********"),
            ("passfile", "/home/me/.pgpass", "/home/me/.pgpass"),
        ] {
            let value = ParameterValue::of(keyword, Value::from(value), false);
            assert_eq!(String::from_utf8_lossy(value.shown()), shown, "{keyword}");
            assert!(!format!("{value:?}").contains('x') || value.plain().is_some() || shown.contains('x'));
        }
        let spilt = ParameterValue::of("dbname", Value::from("x"), true);
        assert_eq!((spilt.exposed(), spilt.shown()), (&b"x"[..], MASK.as_bytes()));
        let port = ParameterValue::of("port", Value::from("54x"), true);
        assert_eq!(port.shown(), b"54********");
    }
}
