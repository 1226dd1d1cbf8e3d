//! `roots check`: a root file, offline: whether libpq can use it, and what a provider's servers will make of it.
//!
//! Codes and exit statuses are those with which a check of a server would end.

use serde_json::json;

use super::{Opinion, Streams, file_name, usage, write_json};
use crate::certificate::Certificate;
use crate::cli::roots::CheckArgs;
use crate::conninfo::Environment;
use crate::diagnose::root_file::{self, Context, Server};
use crate::provider::{Provider, advice, by_host, by_id, near_miss};
use crate::report::Form;
use crate::report::json::shown;
use crate::report::page::Page;
use crate::timestamp::Timestamp;
use crate::trust::contents::Role;
use crate::trust::{RootStore, Roots, SystemStore, read_root_file};

pub fn run(
    args: &CheckArgs,
    form: Form,
    environment: &Environment,
    at: Timestamp,
    streams: &mut Streams<'_>,
) -> anyhow::Result<u8> {
    let provider = match provider(args) {
        Ok(provider) => provider,
        Err((message, hint)) => return usage(streams, &message, hint.as_deref()),
    };
    let roots = read_root_file(&args.file, &environment.current_dir);
    let opinion = opinion(args, provider, &roots, environment, at);
    let held = match &roots {
        Roots::Loaded(store) => store.certificates.iter().map(|entry| &entry.certificate).collect(),
        _ => Vec::new(),
    };
    let judged = provider.filter(|provider| !provider.roots.is_empty());
    match form {
        Form::Page => {
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
        Form::Json => {
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

fn opinion(
    args: &CheckArgs,
    provider: Option<&'static Provider>,
    roots: &Roots,
    environment: &Environment,
    at: Timestamp,
) -> Opinion {
    let system = SystemStore::default();
    let server = Server { provider, system_roots: Some(system.get(environment)), ..Server::default() };
    let context = Context { server, ..Context::default() };
    if let Some(diagnosis) = root_file::unfit(roots, at, &context) {
        return Opinion::failed(diagnosis);
    }
    let Roots::Loaded(store) = roots else { return Opinion::default() };
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
