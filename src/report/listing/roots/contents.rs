//! `roots show`: what a file really holds, item by item, and what libpq makes of it.

use std::path::Path;

use serde_json::{Value as Json, json};

use super::{blocks, certificate_fields, last_line, verdict};
use crate::certificate::Certificate;
use crate::conninfo::{mask_file_name, mask_path};
use crate::diagnose::root_file::{Assessment, outside};
use crate::provider::{KnownRoot, RootStatus, bundle, known_roots, retirement};
use crate::report::Role as Paint;
use crate::report::json::shown;
use crate::report::listing::Listing;
use crate::report::page::Page;
use crate::timestamp::Timestamp;
use crate::trust::contents::{Item, ItemKind, Role};

/// What a file holds.
pub struct Held<'a> {
    /// The file.
    pub file: &'a Path,
    /// What is in it, in order.
    pub items: &'a [Item],
    /// What libpq makes of it.
    pub assessment: &'a Assessment,
    /// The moment for which certificates are judged.
    pub at: Timestamp,
}

impl Listing for Held<'_> {
    fn page(&self, page: &mut Page) {
        for (index, item) in self.items.iter().enumerate() {
            human(page, self.items, index, item, self.at);
        }
        blocks(self.assessment, page);
        last_line(self.assessment, page, "usable", &[mask_file_name(self.file), count(self.items)]);
    }

    fn fields(&self) -> Vec<(&'static str, Json)> {
        let items = self.items.iter().map(|item| object(self.items, item, self.at)).collect();
        let head = [("file", json!(mask_path(self.file))), ("items", items)];
        head.into_iter().chain(verdict(self.assessment)).collect()
    }
}

fn count(items: &[Item]) -> String {
    let certificates = items.iter().filter(|item| matches!(item.kind, ItemKind::Certificate(..))).count();
    match certificates {
        1 => "1 certificate".to_owned(),
        n => format!("{n} certificates"),
    }
}

/// Wide enough for `self-signed`.
const COLUMN: usize = 12;

fn human(page: &mut Page, items: &[Item], index: usize, item: &Item, at: Timestamp) {
    page.part();
    let (label, role, name, certificate) = match &item.kind {
        ItemKind::Certificate(certificate, role) => {
            (role.name(), Paint::Title, subject(certificate), Some(certificate))
        }
        ItemKind::Ignored(label) => ("ignored", Paint::Warning, label.clone(), None),
        ItemKind::RevocationList => ("crl", Paint::Secondary, "X509 CRL".to_owned(), None),
        ItemKind::Damaged { label, certificate, .. } => {
            let name = certificate.as_ref().map_or_else(|| label.clone(), subject);
            ("damaged", Paint::Error, name, certificate.as_ref())
        }
    };
    page.labelled(COLUMN, label, role, Paint::Plain, &name);
    if let Some(line) = item.line {
        page.labelled(COLUMN, "line", Paint::Secondary, Paint::Plain, &line.to_string());
    }
    if let Some(certificate) = certificate {
        let readable = certificate.readable();
        if let (Some(issuer), false) = (&readable.issuer, readable.issuer == readable.subject) {
            page.labelled(COLUMN, "issuer", Paint::Secondary, Paint::Plain, &issuer.to_string());
        }
        if let (Some(from), Some(until)) = (readable.not_before, readable.not_after) {
            let words = format!("{} to {} · {}", from.date(), until.date(), in_days(until, at));
            page.labelled(COLUMN, "valid", Paint::Secondary, Paint::Plain, &words);
        }
        if let Some(key) = readable.key {
            page.labelled(COLUMN, "key", Paint::Secondary, Paint::Plain, &key.to_string());
        }
        let sha256 = certificate.fingerprint();
        page.labelled(COLUMN, "sha256", Paint::Secondary, Paint::Plain, &sha256);
    }
    for note in notes(items, index, at) {
        page.labelled(COLUMN, "note", Paint::Warning, Paint::Plain, &note);
    }
    if let Some(known) = certificate.and_then(known) {
        let users = match known.used_by.as_slice() {
            [] => "no provider in the table".to_owned(),
            users => users.iter().map(|id| user(id, &known.certificate)).collect::<Vec<_>>().join(", "),
        };
        page.labelled(COLUMN, "used by", Paint::Secondary, Paint::Plain, &users);
    }
}

/// A provider that uses a root, and for what where that is not all or not yet.
fn user(id: &str, root: &Certificate) -> String {
    let bundle = bundle(id);
    let entry =
        bundle.and_then(|bundle| bundle.roots.into_iter().find(|entry| entry.root.certificate == *root));
    match entry.map(|entry| entry.status) {
        Some(status) if status != RootStatus::Now => format!("{id} ({status})"),
        _ => id.to_owned(),
    }
}

fn subject(certificate: &Certificate) -> String {
    certificate.readable().subject.map_or_else(|| "(no name can be read)".to_owned(), |name| name.to_string())
}

fn known(certificate: &Certificate) -> Option<&'static KnownRoot> {
    known_roots().iter().find(|root| root.certificate == *certificate)
}

/// What to know of an item: what libpq does with it, and what will go wrong.
fn notes(items: &[Item], index: usize, at: Timestamp) -> Vec<String> {
    let Some(item) = items.get(index) else { return Vec::new() };
    let mut notes = Vec::new();
    match &item.kind {
        ItemKind::Certificate(certificate, role) => {
            let twin = items.iter().take(index).find(|other| same(other, certificate));
            if let Some(line) = twin.and_then(|twin| twin.line) {
                notes.push(format!("the same certificate as at line {line}"));
            }
            notes.extend(outside(certificate, at));
            notes.extend(of_role(items, certificate, *role));
            if let Some(retired) = retirement(certificate, at) {
                notes.push(retired.to_string());
            }
        }
        ItemKind::Ignored(label) if label.ends_with("PRIVATE KEY") => {
            notes.push("libpq ignores it; do not keep a private key in a file you share".to_owned());
        }
        ItemKind::Ignored(_) => notes.push("libpq ignores it".to_owned()),
        ItemKind::RevocationList => {
            notes.push(
                "libpq reads it and uses it only where sslcrl or sslcrldir turn revocation on".to_owned(),
            );
        }
        ItemKind::Damaged { what, .. } => {
            notes.push(format!("{what}; for this block libpq refuses the whole file"));
        }
    }
    notes
}

fn same(item: &Item, certificate: &Certificate) -> bool {
    matches!(&item.kind, ItemKind::Certificate(other, _) if other == certificate)
}

fn of_role(items: &[Item], certificate: &Certificate, role: Role) -> Option<String> {
    let issuer = &certificate.facts().ok()?.issuer;
    let is_there = items.iter().any(|item| match &item.kind {
        ItemKind::Certificate(other, _) => {
            other.facts().is_ok_and(|facts| facts.subject.canonical == issuer.canonical)
        }
        _ => false,
    });
    match role {
        Role::Root => None,
        Role::Intermediate | Role::Leaf if !is_there => {
            let needed = issuer.short();
            Some(format!("no root: libpq trusts it only together with {needed}, which is not in this file"))
        }
        Role::Intermediate => Some("no root: libpq goes on from it to its root".to_owned()),
        Role::SelfSigned => Some(
            "not a CA certificate: it verifies only the server that presents this very certificate"
                .to_owned(),
        ),
        Role::Leaf => Some("not a CA certificate: libpq cannot use it as a trust anchor".to_owned()),
    }
}

fn object(items: &[Item], item: &Item, at: Timestamp) -> Json {
    let index = items.iter().position(|other| std::ptr::eq(other, item)).unwrap_or_default();
    let (kind, certificate, role) = match &item.kind {
        ItemKind::Certificate(certificate, role) => ("certificate", Some(certificate), Some(role.name())),
        ItemKind::Ignored(_) => ("ignored", None, None),
        ItemKind::RevocationList => ("crl", None, None),
        ItemKind::Damaged { certificate, .. } => ("damaged", certificate.as_ref(), None),
    };
    let mut object = certificate.map(certificate_fields).unwrap_or_default();
    object.insert("kind".to_owned(), json!(kind));
    object.insert("line".to_owned(), json!(item.line));
    object.insert("role".to_owned(), json!(role));
    if let ItemKind::Ignored(label) | ItemKind::Damaged { label, .. } = &item.kind {
        object.insert("label".to_owned(), json!(shown(label)));
    }
    let notes: Vec<String> = notes(items, index, at).iter().map(|note| shown(note)).collect();
    object.insert("notes".to_owned(), json!(notes));
    let users = certificate.and_then(known).map(|known| known.used_by.clone());
    object.insert("used_by".to_owned(), json!(users));
    Json::Object(object)
}

/// `in 142 days`, `3 days ago`.
fn in_days(moment: Timestamp, at: Timestamp) -> String {
    let days = if moment < at { at.days_since(moment) } else { moment.days_since(at) };
    let unit = if days == 1 { "day" } else { "days" };
    if moment < at { format!("{days} {unit} ago") } else { format!("{days} {unit} left") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_that_needs_a_root_for_some_of_its_servers_is_named_with_them() {
        let azure = bundle("azure-flexible").unwrap();
        for entry in &azure.roots {
            let words = user("azure-flexible", &entry.root.certificate);
            match entry.status {
                RootStatus::Now => assert_eq!(words, "azure-flexible"),
                status => assert_eq!(words, format!("azure-flexible ({status})")),
            }
        }
        assert!(azure.roots.iter().any(|entry| entry.status != RootStatus::Now));
    }
}
