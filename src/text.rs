//! Untrusted bytes to printable text, display width, wrapping.
