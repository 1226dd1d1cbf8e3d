//! `roots check`: whether a file serves.

use std::path::Path;

use serde_json::{Value as Json, json};

use super::{blocks, certificate_fields, last_line, verdict};
use crate::conninfo::{mask_file_name, mask_path};
use crate::diagnose::root_file::{Assessment, ROOT_BUNDLE_INCOMPLETE};
use crate::provider::Provider;
use crate::report::Role as Paint;
use crate::report::listing::Listing;
use crate::report::page::Page;
use crate::trust::Roots;
use crate::trust::contents::Role;

/// A root file, held against what a provider needs.
pub struct Checked<'a> {
    /// The file.
    pub file: &'a Path,
    /// Whom it is for.
    pub provider: Option<&'static Provider>,
    /// What it holds.
    pub roots: &'a Roots,
    /// What came of it.
    pub assessment: &'a Assessment,
}

impl Checked<'_> {
    /// Whether it is known which roots the provider uses.
    fn is_judged(&self) -> bool {
        self.provider.is_some_and(|provider| !provider.roots.is_empty())
    }
}

impl Checked<'_> {
    /// Whether servers of the provider fail with it, today or soon.
    fn lacks_roots(&self) -> bool {
        self.assessment.warnings.iter().any(|warning| *warning.code == ROOT_BUNDLE_INCOMPLETE)
    }
}

impl Listing for Checked<'_> {
    fn page(&self, page: &mut Page) {
        blocks(self.assessment, page);
        if let (Some(provider), false, None) = (self.provider, self.is_judged(), &self.assessment.diagnosis) {
            let advice = provider.root_file.unwrap_or("its documents");
            let note =
                format!("note: which roots {} uses is not known here; it says: {advice}", provider.name);
            page.prose("", 0, 6, Paint::Plain, &note);
        }
        let words = match self.is_judged() && self.assessment.warnings.is_empty() {
            true => "complete",
            false => "usable",
        };
        let mut subject = vec![mask_file_name(self.file)];
        let some = if self.lacks_roots() { "some servers of " } else { "" };
        subject.extend(self.provider.map(|provider| format!("for {some}{}", provider.id)));
        last_line(self.assessment, page, words, &subject);
    }

    fn fields(&self) -> Vec<(&'static str, Json)> {
        let held = match self.roots {
            Roots::Loaded(store) => store.certificates.as_slice(),
            _ => &[],
        };
        let certificates = held.iter().map(|entry| {
            let mut object = certificate_fields(&entry.certificate);
            object.insert("role".to_owned(), json!(Role::of(&entry.certificate).name()));
            Json::Object(object)
        });
        let head = [
            ("file", json!(mask_path(self.file))),
            ("provider", json!(self.provider.map(|provider| provider.id))),
            ("judged", json!(self.is_judged())),
            ("certificates", certificates.collect()),
        ];
        head.into_iter().chain(verdict(self.assessment)).collect()
    }
}
