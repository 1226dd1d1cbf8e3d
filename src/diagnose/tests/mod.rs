//! Each code on evidence that shows it, beside the case that looks alike and is fine.

pub(crate) mod bed;
mod catalogue;
mod certificate;
mod connection;
mod files;
mod judged;
mod login;
mod providers;
mod strings;
mod total;
mod warned;
