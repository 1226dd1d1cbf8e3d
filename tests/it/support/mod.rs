//! What the tests stand on.

pub mod der;
pub mod odd_pki;
pub mod stage;
