//! `roots check`: a root file, offline: whether libpq can use it, and what a provider's servers will make of it.
//!
//! Codes and exit statuses are those with which a check of a server would end.

use std::path::Path;

use serde_json::json;

use super::{Opinion, Streams, diagnosis, file_name, usage, write_json};
use crate::certificate::Certificate;
use crate::cli::roots::CheckArgs;
use crate::conninfo::Environment;
use crate::diagnose::{Diagnosis, Fact, Fix, root_file};
use crate::provider::{Provider, advice, by_host, by_id, near_miss};
use crate::report::Format;
use crate::report::human::page::Page;
use crate::report::json::shown;
use crate::stage::Stage;
use crate::text::shell_quoted;
use crate::timestamp::Timestamp;
use crate::trust::contents::Role;
use crate::trust::{FileContent, FileError, RootSource, RootStore, Roots, read_root_file};

pub fn run(
    args: &CheckArgs,
    format: Format,
    environment: &Environment,
    at: Timestamp,
    streams: &mut Streams<'_>,
) -> anyhow::Result<u8> {
    let provider = match provider(args) {
        Ok(provider) => provider,
        Err((message, hint)) => return usage(streams, &message, hint.as_deref()),
    };
    let place = environment.current_dir.join(&args.file);
    let roots = read_root_file(&place, RootSource::Given(args.file.clone()));
    let opinion = opinion(args, provider, &roots, at);
    let held = match &roots {
        Roots::Loaded(store) => store.certificates.iter().map(|entry| &entry.certificate).collect(),
        _ => Vec::new(),
    };
    let judged = provider.filter(|provider| !provider.roots.is_empty());
    match format {
        Format::Human => {
            let mut page = Page::new(streams.style);
            opinion.write(&mut page);
            if let (Some(provider), None, None) = (provider, judged, &opinion.diagnosis) {
                let advice = provider.root_file.unwrap_or("its documents");
                let note =
                    format!("note: which roots {} uses is not known here; it says: {advice}", provider.name);
                page.prose("", 0, 6, crate::report::Role::Plain, &note);
            }
            let words = match (judged, opinion.warnings.is_empty()) {
                (Some(_), true) => "complete",
                (Some(_), false) | (None, _) => "usable",
            };
            let mut subject = vec![file_name(&args.file)];
            subject.extend(provider.map(|provider| format!("for {}", provider.id)));
            opinion.write_last_line(&mut page, words, &subject);
            streams.out.write_all(page.into_text().as_bytes())?;
        }
        Format::Json => {
            let certificates = held.iter().map(|certificate| {
                let mut object = super::json_certificate(certificate);
                object.insert("role".to_owned(), json!(Role::of(certificate).name()));
                serde_json::Value::Object(object)
            });
            let head = [
                ("file", json!(shown(&args.file.to_string_lossy()))),
                ("provider", json!(provider.map(|provider| provider.id))),
                ("judged", json!(judged.is_some())),
                ("certificates", certificates.collect()),
            ];
            write_json(streams.out, head.into_iter().chain(opinion.json()))?;
        }
    }
    Ok(opinion.exit_status())
}

/// Whom the file is for: the provider named, else the host's. Or what is wrong with the options.
fn provider(args: &CheckArgs) -> Result<Option<&'static Provider>, (String, Option<String>)> {
    let of_host = args.host.as_deref().map(|host| (host, by_host(host)));
    if let Some(id) = &args.provider {
        let named = by_id(id).ok_or_else(|| {
            (format!("no provider is called {id:?}"), Some("pgtls-check roots list names them".to_owned()))
        })?;
        // Several rows may share a suffix: only a host of somebody else contradicts.
        return match of_host {
            Some((host, Some(other))) if other.id != named.id && !shares_suffix(named, other) => {
                Err((format!("{host} is a host of {}, not of {}", other.name, named.name), None))
            }
            _ => Ok(Some(named)),
        };
    }
    match of_host {
        None => Ok(None),
        Some((_, Some(provider))) => Ok(Some(provider)),
        Some((host, None)) => {
            let hint = match near_miss(host) {
                Some(near) => format!("is {} meant, of {}?", near.host, near.provider.name),
                None => "name one with --provider, or leave --host out".to_owned(),
            };
            Err((format!("{host} is a host of no provider that is known here"), Some(hint)))
        }
    }
}

fn shares_suffix(one: &Provider, other: &Provider) -> bool {
    one.suffixes.iter().any(|suffix| other.suffixes.contains(suffix))
}

fn opinion(args: &CheckArgs, provider: Option<&'static Provider>, roots: &Roots, at: Timestamp) -> Opinion {
    let Roots::Loaded(store) = roots else {
        return unusable(&args.file, roots).map(Opinion::failed).unwrap_or_default();
    };
    if let Some(diagnosis) = rootless(&args.file, store).or_else(|| expired(&args.file, store, at)) {
        return Opinion::failed(diagnosis);
    }
    let name = file_name(&args.file);
    let certificates = store.certificates.iter().map(|entry| &entry.certificate);
    let mut warnings = Vec::new();
    if let Some(provider) = provider {
        let advice = advice(provider, args.host.as_deref(), &current(store, at), at);
        if let Some(diagnosis) = root_file::lacks_all(&name, &advice, store, at) {
            return Opinion::failed(diagnosis);
        }
        warnings.extend(root_file::incomplete(&name, &advice));
        if advice.rests_on_retired() {
            warnings.extend(root_file::retired(&name, certificates, Some(provider), at));
        }
    } else {
        warnings.extend(root_file::retired(&name, certificates, None, at));
    }
    warnings.extend(root_file::ends_soon(&name, store, at, i64::from(args.expires_within)));
    for warning in &mut warnings {
        warning.denied = args.strict;
    }
    Opinion { diagnosis: None, warnings }
}

/// The certificates that are valid at a moment: the others verify nothing.
fn current(store: &RootStore, at: Timestamp) -> RootStore {
    let mut store = store.clone();
    store.certificates.retain(|entry| outside(&entry.certificate, at).is_none());
    store
}

/// That a certificate is outside its dates.
pub(super) fn outside(certificate: &Certificate, at: Timestamp) -> Option<String> {
    let facts = certificate.facts().ok()?;
    if facts.not_after < at {
        return Some(format!("expired on {}", facts.not_after.date()));
    }
    (facts.not_before > at).then(|| format!("not valid before {}", facts.not_before.date()))
}

/// `in 142 days`, `3 days ago`.
pub(super) fn in_days(moment: Timestamp, at: Timestamp) -> String {
    let days = if moment < at { at.days_since(moment) } else { moment.days_since(at) };
    let unit = if days == 1 { "day" } else { "days" };
    if moment < at { format!("{days} {unit} ago") } else { format!("{days} {unit} left") }
}

/// Why libpq cannot use the file, if it cannot.
pub(super) fn unusable(file: &Path, roots: &Roots) -> Option<Diagnosis> {
    match roots {
        Roots::Loaded(_) | Roots::None => None,
        Roots::Missing { .. } => Some(missing(file)),
        Roots::Unreadable { error, .. } => Some(unreadable(file, error)),
        Roots::Invalid { content, .. } => Some(invalid(file, content)),
    }
}

fn missing(file: &Path) -> Diagnosis {
    let title = format!("there is no file {}", file.display());
    diagnosis("root-file-missing", Stage::Trust, title, String::new())
}

/// The file cannot be read: absent, or the system refuses.
pub(super) fn unreadable(file: &Path, error: &FileError) -> Diagnosis {
    if error.kind == std::io::ErrorKind::NotFound {
        return missing(file);
    }
    let title = format!("{} cannot be read", file.display());
    diagnosis("root-file-unreadable", Stage::Trust, title, error.text.clone())
}

fn invalid(file: &Path, content: &FileContent) -> Diagnosis {
    let title = format!("libpq does not read {}: {content}", file_name(file));
    if *content == FileContent::Directory {
        return diagnosis("root-file-unreadable", Stage::Trust, title, String::new());
    }
    let cause = "a root file holds certificates in PEM, and one damaged block makes libpq refuse all of it"
        .to_owned();
    let mut found = diagnosis("root-file-invalid", Stage::Trust, title, cause);
    let name = shell_quoted(&file.to_string_lossy());
    let pem = shell_quoted(&file.with_extension("pem").to_string_lossy());
    // With the same name for both, openssl would read the file it has just emptied.
    let pem = if pem == name { shell_quoted(&format!("{}.pem", file.to_string_lossy())) } else { pem };
    let (text, command) = match content {
        FileContent::DerCertificate => {
            ("convert it", Some(format!("openssl x509 -inform DER -in {name} -out {pem}")))
        }
        FileContent::Pkcs7 => {
            ("take the certificates out", Some(format!("openssl pkcs7 -print_certs -in {name} -out {pem}")))
        }
        FileContent::Pkcs12 => (
            "take the CA certificates out",
            Some(format!("openssl pkcs12 -nokeys -cacerts -in {name} -out {pem}")),
        ),
        FileContent::Utf16 => ("convert it", Some(format!("iconv -f UTF-16 -t UTF-8 {name} > {pem}"))),
        FileContent::PrivateKey => ("name the CA's certificate, and keep the key to yourself", None),
        FileContent::Csr => ("name the CA's certificate instead of a request for one", None),
        _ => ("download it again, the certificate itself in PEM", None),
    };
    found.fixes.push(Fix { text: text.to_owned(), command, ..Fix::default() });
    found
}

/// The file has no certificate at which libpq ends a path.
fn rootless(file: &Path, store: &RootStore) -> Option<Diagnosis> {
    let ends = |role: Role| matches!(role, Role::Root | Role::SelfSigned);
    if store.certificates.iter().any(|entry| ends(Role::of(&entry.certificate))) {
        return None;
    }
    let title = format!("{} holds no root", file_name(file));
    let cause =
        "libpq ends a path at a self-signed certificate only, whatever else the file trusts".to_owned();
    let mut found = diagnosis("root-file-lacks-root", Stage::Certificate, title, cause);
    found.evidence.push(("in_file", Fact::List(root_file::in_file(store))));
    let issuers = store.certificates.iter().filter_map(|entry| entry.certificate.facts().ok());
    let mut needed: Vec<String> = issuers.map(|facts| facts.issuer.to_string()).collect();
    needed.dedup();
    found.evidence.push(("needed", Fact::List(needed)));
    found.fixes.push(Fix { text: "add the root above what the file holds".to_owned(), ..Fix::default() });
    Some(found)
}

/// Every root in the file is outside its dates.
fn expired(file: &Path, store: &RootStore, at: Timestamp) -> Option<Diagnosis> {
    if store.certificates.iter().any(|entry| outside(&entry.certificate, at).is_none()) {
        return None;
    }
    let title = format!("every certificate in {} is outside its dates", file_name(file));
    let mut found = diagnosis("root-expired", Stage::Trust, title, String::new());
    let dates = store.certificates.iter().map(|entry| {
        let name = entry.certificate.short_subject();
        format!("{name}, {}", outside(&entry.certificate, at).unwrap_or_default())
    });
    found.evidence.push(("in_file", Fact::List(dates.collect())));
    found.fixes.push(Fix { text: "use a file with the CA's present root".to_owned(), ..Fix::default() });
    Some(found)
}
