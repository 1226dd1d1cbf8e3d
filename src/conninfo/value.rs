//! Values as libpq has them.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::path::PathBuf;

use crate::secret::Secret;

/// A value as libpq has it: bytes, not necessarily UTF-8.
/// Clones share its memory.
#[derive(Clone, PartialEq, Eq)]
pub struct Value(Secret);

impl Default for Value {
    fn default() -> Self {
        Self::fixed("")
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Value({:?})", self.as_bytes())
    }
}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Value {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl Value {
    /// The bytes as a value.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Secret::new(bytes.into()))
    }

    /// What stands in the program itself as a value, a default for instance.
    pub fn fixed(text: &'static str) -> Self {
        Self(Secret::fixed(text.as_bytes()))
    }

    /// What is in custody as a value, in the same memory.
    pub fn held(secret: Secret) -> Self {
        Self(secret)
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.expose()
    }

    /// The bytes in custody; nothing of them stays elsewhere.
    pub(super) fn into_secret(self) -> Secret {
        self.0
    }

    /// The bytes as a path of the operating system.
    #[cfg(unix)]
    pub fn to_path(&self) -> PathBuf {
        use std::os::unix::ffi::OsStrExt;
        PathBuf::from(std::ffi::OsStr::from_bytes(self.as_bytes()))
    }

    /// The bytes as a path of the operating system.
    #[cfg(not(unix))]
    pub fn to_path(&self) -> PathBuf {
        PathBuf::from(String::from_utf8_lossy(self.as_bytes()).into_owned())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::new(text.as_bytes())
    }
}
