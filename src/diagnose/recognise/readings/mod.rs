//! The readings that several texts share: what a text can stand for, how to tell, and what mends it.

mod certificate;
mod config;
mod files;
mod login;
mod network;
mod tls;

pub(super) use certificate::*;
pub(super) use config::*;
pub(super) use files::*;
pub(super) use login::*;
pub(super) use network::*;
pub(super) use tls::*;

use super::Reading;
use crate::diagnose::{Code, codes as c};

const fn reading(
    codes: &'static [&'static Code],
    what: &'static str,
    tell: &'static str,
    fix: &'static str,
) -> Reading {
    Reading { codes, what, tell, fix }
}
