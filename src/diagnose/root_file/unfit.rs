//! All that keeps a root file from being of use, told without a server.

use super::Context;
use super::anchors::{Anchors, ROOT_EXPIRED, ROOT_FILE_LACKS_ROOT, Validity, expired, lacks_root, validity};
use super::unusable::{
    ROOT_FILE_INVALID, ROOT_FILE_MISSING, ROOT_FILE_UNREADABLE, invalid, missing, unreadable,
};
use crate::diagnose::Diagnosis;
use crate::diagnose::certificate::{CERTIFICATE_NOT_YET_VALID, begins_later};
use crate::diagnose::rule::Finding;
use crate::timestamp::Timestamp;
use crate::trust::{RootStore, Roots};

/// Why no server can be verified with a file at a moment, as the check of a server ends with it; `None` where a path
/// can end in it.
pub fn unfit(roots: &Roots, at: Timestamp, context: &Context<'_>) -> Option<Diagnosis> {
    match roots {
        Roots::Loaded(store) => useless(store, at, context),
        _ => refused(roots, context),
    }
}

/// A file that libpq refuses to read.
fn refused(roots: &Roots, context: &Context<'_>) -> Option<Diagnosis> {
    [
        (&ROOT_FILE_MISSING, missing as fn(&Roots, &Context<'_>) -> Option<Finding>),
        (&ROOT_FILE_UNREADABLE, unreadable),
        (&ROOT_FILE_INVALID, invalid),
    ]
    .into_iter()
    .find_map(|(code, find)| Some(find(roots, context)?.diagnosis(code)))
}

/// A file that libpq reads and that verifies nothing.
fn useless(store: &RootStore, at: Timestamp, context: &Context<'_>) -> Option<Diagnosis> {
    if let Some(anchors) = Anchors::without_root(store) {
        let found = lacks_root(&anchors, None, store, &context.server)?;
        return Some(found.diagnosis(&ROOT_FILE_LACKS_ROOT));
    }
    match validity(store, at) {
        Validity::Current => None,
        Validity::Expired(roots) => Some(expired(&roots, at, &context.server)?.diagnosis(&ROOT_EXPIRED)),
        Validity::NotYetValid(root) => {
            let name = root.certificate.short_subject();
            let found =
                begins_later(&format!("the root {name}"), name, root.certificate.facts().ok()?, at, at, None);
            Some(found.diagnosis(&CERTIFICATE_NOT_YET_VALID))
        }
    }
}
