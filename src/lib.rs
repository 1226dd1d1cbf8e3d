#![doc = include_str!("architecture.md")]

// Each block below is a layer. A module uses those of the layers above it in this list and, of its own, what closes no
// circle; the files of a module likewise (`tests/it/structure.rs` reads this list and compares everything with it).

// Text, numbers, time; X.509 as plain facts.
pub mod bytes;
pub mod certificate;
pub mod file;
pub mod iana;
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
