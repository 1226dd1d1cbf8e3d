//! `roots list`: every provider, its roots with dates, and where that was read.

use serde_json::{Value as Json, json};

use super::certificate_fields;
use crate::provider::{BundleRoot, PROVIDERS, Provider, RootStatus, bundle, retirement};
use crate::report::Role;
use crate::report::listing::Listing;
use crate::report::page::Page;
use crate::timestamp::Timestamp;

/// More roots of one kind than this are counted, not listed.
const LISTED: usize = 4;

/// Every provider.
pub struct Providers;

impl Listing for Providers {
    fn page(&self, page: &mut Page) {
        for &provider in PROVIDERS {
            human(page, provider);
        }
        page.part();
        page.line("pgtls-check roots export PROVIDER --output FILE");
    }

    fn fields(&self) -> Vec<(&'static str, Json)> {
        vec![("providers", PROVIDERS.iter().map(|provider| object(provider)).collect())]
    }
}

/// A provider: identifier and name, its roots or where to get them, sources.
fn human(page: &mut Page, provider: &Provider) {
    if provider.sources.is_empty() {
        return;
    }
    page.part();
    let style = page.style();
    let name = style.text(provider.name);
    page.line(&format!("{}  {name}", style.paint(Role::Title, provider.id)));
    match bundle(provider.id) {
        Some(bundle) => {
            for group in groups(&bundle.roots) {
                roots(page, group);
            }
        }
        None => {
            let advice = provider.root_file.unwrap_or("not known");
            page.labelled(COLUMN, "get", Role::Secondary, Role::Plain, advice);
        }
    }
    for source in provider.sources {
        page.labelled(COLUMN, "source", Role::Secondary, Role::Secondary, &source.to_string());
    }
}

const COLUMN: usize = 8;

/// Roots of the same standing that follow each other.
fn groups(roots: &[BundleRoot]) -> impl Iterator<Item = &[BundleRoot]> {
    roots.chunk_by(|one, next| one.status == next.status)
}

fn roots(page: &mut Page, group: &[BundleRoot]) {
    let Some(status) = group.first().map(|entry| entry.status) else { return };
    let remark = match status {
        RootStatus::Now => String::new(),
        status => format!(" · {status}"),
    };
    if group.len() > LISTED {
        let ends = group.iter().filter_map(|entry| entry.root.certificate.readable().not_after);
        let first = ends.clone().min().map(Timestamp::date).unwrap_or_default();
        let last = ends.max().map(Timestamp::date).unwrap_or_default();
        let name = group.first().map(|entry| entry.root.certificate.short_subject()).unwrap_or_default();
        let words = format!("{} like {name} · until {first} to {last}{remark}", group.len());
        page.labelled(COLUMN, "roots", Role::Secondary, Role::Plain, &words);
        return;
    }
    for entry in group {
        let certificate = &entry.root.certificate;
        let until = certificate.readable().not_after.map(Timestamp::date).unwrap_or_default();
        let words = format!("{} · until {until}{remark}", certificate.short_subject());
        page.labelled(COLUMN, "root", Role::Secondary, Role::Plain, &words);
    }
}

fn object(provider: &Provider) -> Json {
    let bundle = bundle(provider.id);
    let entries = bundle.iter().flat_map(|bundle| &bundle.roots);
    let roots: Vec<Json> = entries.map(root).collect();
    json!({
        "id": provider.id,
        "name": provider.name,
        "suffixes": provider.suffixes,
        "ports": provider.ports.iter().map(|port| port.number).collect::<Vec<_>>(),
        "roots": roots,
        "sslrootcert": provider.root_file,
        "sslmode": provider.sslmode,
        "announcements": provider.announcements.iter().map(|announced| json!({
            "date": announced.day, "what": announced.what, "source": announced.source.to_string(),
        })).collect::<Vec<_>>(),
        "gotchas": provider.gotchas,
        "sources": provider.sources.iter().map(|source| source.to_string()).collect::<Vec<_>>(),
        "confidence": provider.confidence.name(),
    })
}

fn root(entry: &BundleRoot) -> Json {
    let mut fields = certificate_fields(&entry.root.certificate);
    let (status, note) = match entry.status {
        RootStatus::Now => ("now", None),
        RootStatus::Announced { from } => ("announced", Some(from)),
        RootStatus::Sometimes { which } => ("sometimes", Some(which)),
        RootStatus::Former { until } => ("former", Some(until)),
    };
    fields.insert("standing".to_owned(), json!(status));
    fields.insert("note".to_owned(), json!(note));
    // Whenever that was: a list has no moment of its own.
    let retired = Timestamp::from_utc(9999, 12, 31, 0, 0, 0)
        .and_then(|at| retirement(&entry.root.certificate, at))
        .map(|retired| retired.since);
    fields.insert("retired".to_owned(), json!(retired));
    Json::Object(fields)
}
