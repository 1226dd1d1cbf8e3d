//! Drivers, frameworks and tools that connect to PostgreSQL: how a verified connection is spelled for each, what each does
//! by default, and where it behaves otherwise than libpq.
//!
//! How a client reads its own connection strings, and what it then demands, is in [`dialect`].
//!
//! Facts about clients are rows of [`table`]; [`snippet`] writes, [`difference`] judges, both without looking at anything
//! but values. Whatever the sslmode, what is spelled is verify-full.

pub mod connection;
pub mod dialect;
pub mod difference;
pub mod quote;
pub mod snippet;
pub mod strings;
pub mod table;
#[cfg(test)]
pub(crate) mod testing;
