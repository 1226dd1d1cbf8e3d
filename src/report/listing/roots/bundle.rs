//! `roots export` and `roots convert`: certificates as a root file.

use std::path::Path;

use serde_json::{Value as Json, json};

use super::certificate_fields;
use crate::certificate::Certificate;
use crate::conninfo::mask_path;
use crate::provider::Bundle;
use crate::report::listing::Listing;
use crate::report::page::Page;

/// A bundle, printed: for people the file itself.
pub struct Exported<'a> {
    /// The bundle.
    pub bundle: &'a Bundle,
    /// Its text.
    pub pem: &'a str,
}

impl Listing for Exported<'_> {
    fn page(&self, page: &mut Page) {
        page.lines(self.pem);
    }

    fn fields(&self) -> Vec<(&'static str, Json)> {
        fields(self.bundle, ("pem", json!(self.pem)))
    }
}

/// A bundle, written into a file: people are told on standard error alone.
pub struct Written<'a> {
    /// The bundle.
    pub bundle: &'a Bundle,
    /// The file.
    pub path: &'a Path,
}

impl Listing for Written<'_> {
    fn page(&self, _: &mut Page) {}

    fn fields(&self) -> Vec<(&'static str, Json)> {
        fields(self.bundle, ("file", json!(mask_path(self.path))))
    }
}

/// The certificates of a file, converted to PEM: on standard output, or written into a file.
pub struct Converted<'a> {
    /// The certificates.
    pub certificates: &'a [Certificate],
    /// Their PEM, where it is to be shown.
    pub pem: Option<&'a str>,
    /// The file they were written into.
    pub path: Option<&'a Path>,
}

impl Listing for Converted<'_> {
    fn page(&self, page: &mut Page) {
        if let Some(pem) = self.pem {
            page.lines(pem);
        }
    }

    fn fields(&self) -> Vec<(&'static str, Json)> {
        let certificates = self.certificates.iter().map(|known| Json::Object(certificate_fields(known)));
        vec![
            ("certificates", certificates.collect()),
            ("file", json!(self.path.map(mask_path))),
            ("pem", json!(self.pem)),
        ]
    }
}

fn fields(bundle: &Bundle, last: (&'static str, Json)) -> Vec<(&'static str, Json)> {
    let roots = bundle.roots.iter().map(|entry| Json::Object(certificate_fields(&entry.root.certificate)));
    vec![("provider", json!(bundle.provider.id)), ("roots", roots.collect()), last]
}
