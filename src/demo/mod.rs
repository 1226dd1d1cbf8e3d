//! The embedded server: healthy or with a named fault.
