//! Certificates and CRLs of every kind, made at run time: well-formed, odd and broken ones alike.
//!
//! A [`Draft`] is a certificate with all its fields open; signing turns it into an [`Issued`] one. Nothing is checked:
//! what a draft says is what is signed.

mod certificate;
mod crl;
mod extensions;
mod keys;

pub(crate) use certificate::{Draft, Issued};
pub(crate) use crl::{CrlDraft, crl_pem};
pub(crate) use extensions::*;
pub(crate) use keys::{Hash, Key, Kind, Scheme, signature_algorithm};
