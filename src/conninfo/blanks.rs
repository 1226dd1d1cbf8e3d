//! What libpq takes for white space.

/// What C's `isspace` takes for white space in the "C" locale.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}
