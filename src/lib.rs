//! Checks TLS connections to PostgreSQL as psql or a driver would make them, and tells in one code why one fails.
//!
//! ```
//! use pgtls_check::check::{Setup, check};
//! use pgtls_check::conninfo::Environment;
//! use pgtls_check::runtime;
//! use pgtls_check::secret::Secret;
//!
//! let conninfo = "host=db.example hostaddr=127.0.0.1 port=1 user=me dbname=app \
//!                 sslmode=verify-full sslrootcert=certs/DigiCertGlobalRootG2.crt.pem";
//! let setup = Setup::new(Environment::from_process());
//! let conninfo = Secret::new(conninfo.into());
//! let outcome = runtime::on_this_thread()?.block_on(check(&setup, Some(&conninfo), &()));
//!
//! match &outcome.diagnosis {
//!     None => println!("{}", outcome.verdict_name()),
//!     Some(found) if found.code.name.starts_with("tcp-") => println!("a firewall? {}", found.title),
//!     Some(found) => println!("{}: {}", found.code, found.title),
//! }
//! # assert!(outcome.diagnosis.unwrap().code.name.starts_with("tcp-"));
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! What stays as it is between minor versions is small: [`check::check`], [`check::check_all`], [`check::Setup::new`],
//! [`conninfo::Environment::from_process`], [`diagnose::Outcome`], and the names of the codes, which never change. All else
//! is the program's own and public for its tests; programs in other languages read the JSON (`pgtls-check --format json`),
//! whose schema is promised in the manual.
//!
//! # How it is made
//!
#![doc = include_str!("architecture.md")]

// Each block below is a layer. A module uses those of the layers above it in this list and, of its own, what closes no
// circle; the files of a module likewise (`tests/it/structure.rs` reads this list and compares everything with it).

// Text, numbers, time; X.509 as plain facts.
pub mod bytes;
pub mod certificate;
pub mod file;
pub mod iana;
mod order;
pub mod own_thread;
mod packed;
pub mod runtime;
pub mod secret;
pub mod stage;
pub mod text;
pub mod timestamp;

// What the user, the files and the providers say.
pub mod conninfo;
pub mod provider;
pub mod trust;

// What to try, what was seen, what libpq and other clients make of a chain.
pub mod clients;
pub mod evidence;
pub mod plan;
pub mod verify;

// Sockets.
pub mod demo;
pub mod probe;

// Judgement.
pub mod diagnose;

// The fixes, tried.
pub mod trial;

// The engine: one target, many targets, waiting.
pub mod check;

// Words and formats.
pub mod guide;
pub mod report;

// The command line.
pub mod cli;
pub mod commands;

#[cfg(test)]
extern crate self as pgtls_check;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod testing;
