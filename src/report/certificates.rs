//! Bytes as text.

/// Bytes as text, U+FFFD for what is not UTF-8.
pub fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
