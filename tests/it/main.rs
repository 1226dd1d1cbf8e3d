//! Integration tests: the program and libpq as people run them, against servers that these tests make.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod chain_parity;
mod support;
