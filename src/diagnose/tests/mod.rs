//! Each code on evidence that shows it, beside the case that looks alike and is fine.

mod another_server;
mod certificate;
mod connection;
mod files;
pub(crate) mod fixtures;
mod judged;
mod login;
mod providers;
mod strings;
mod total;
mod warned;
