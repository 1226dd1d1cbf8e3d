//! Values that must never be shown: passwords and pass phrases.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

/// Secret bytes. There is no `Display`; `Debug` prints stars. Clones share one memory, which is wiped when the last of
/// them is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<Zeroizing<Vec<u8>>>);

impl Secret {
    /// Takes the bytes into custody.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Zeroizing::new(bytes)))
    }

    /// The bytes themselves, for the one place that sends or uses them.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("********")
    }
}
