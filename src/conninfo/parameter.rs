//! One parameter after merging.

use std::fmt;

use super::grammar::Place;
use super::mask::MASK;
use super::{Origin, Value, options};

/// One parameter after merging. `Debug` masks secrets.
#[derive(Clone)]
pub struct Parameter {
    /// libpq's keyword.
    pub keyword: &'static str,
    /// The value as libpq reads it. Secret ones (see [`options::is_secret`]) are never rendered; in others, what looks
    /// like a password (a URL as host, say) is masked already.
    pub value: Value,
    /// Where it came from.
    pub origin: Origin,
    /// For values typed in the connection string: where, in bytes of that string.
    pub place: Option<Place>,
}

impl fmt::Debug for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secret = options::is_secret(self.keyword);
        let value = if secret { MASK.into() } else { String::from_utf8_lossy(self.value.as_bytes()) };
        write!(f, "{}={value:?} ({:?})", self.keyword, self.origin)
    }
}
