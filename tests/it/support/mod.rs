//! What tests share.

pub mod outcomes;
