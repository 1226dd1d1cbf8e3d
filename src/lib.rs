//! Verifies TLS connections to PostgreSQL as libpq would and, when one fails, says why and how to fix it.
//!
//! Data flows one way: [`conninfo`] and [`trust`] read the connection string, the environment and the files; [`plan`]
//! says what to try; [`probe`] alone opens sockets and leaves [`evidence`]; [`audit`] has it ask what else a server accepts; [`verify`] and [`diagnose`] judge it
//! without looking again; [`report`] writes it. A module uses those above it in this list and none below:

pub mod certificate;
pub mod iana;
pub mod secret;
pub mod stage;
pub mod text;
pub mod timestamp;

pub mod conninfo;
pub mod provider;
pub mod trust;

pub mod evidence;
pub mod plan;
pub mod verify;

pub mod demo;
pub mod probe;

pub mod audit;

pub mod diagnose;

pub mod trial;

pub mod report;

pub mod cli;
pub mod commands;
