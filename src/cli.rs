//! Command-line types and help text.
