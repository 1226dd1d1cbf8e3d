//! What the tests stand on: a home directory, certificates, servers, libpq as the oracle, and the program itself.

pub mod der;
pub mod differential;
pub mod door;
pub mod home;
pub mod libpq;
pub mod network;
pub mod odd_pki;
pub mod parallel;
pub mod parity;
pub mod pgbouncer;
pub mod pki;
pub mod postgres;
pub mod psql;
pub mod random;
pub mod service;
pub mod site;
pub mod stage;
pub mod tool;
