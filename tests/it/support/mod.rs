//! What the tests stand on: a home directory, certificates, servers, libpq as the oracle, and the program itself.

pub(crate) mod der;
pub(crate) mod differential;
pub(crate) mod home;
pub(crate) mod in_process;
pub(crate) mod intercepting_proxy;
pub(crate) mod libpq;
pub(crate) mod network;
pub(crate) mod odd_pki;
pub(crate) mod parallel;
pub(crate) mod parity;
pub(crate) mod pgbouncer;
pub(crate) mod pki;
pub(crate) mod postgres;
pub(crate) mod psql;
pub(crate) mod random;
pub(crate) mod scripted_server;
pub(crate) mod service;
pub(crate) mod site;
pub(crate) mod tool;
