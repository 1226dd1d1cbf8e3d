//! Integration tests.

mod reports;
mod support;
