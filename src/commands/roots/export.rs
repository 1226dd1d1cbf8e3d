//! `roots export`: a provider's roots as a root file.

use std::io;

use serde_json::{Value as Json, json};

use super::{Streams, usage, write_json};
use crate::cli::roots::ExportArgs;
use crate::commands::write::{Existing, atomically};
use crate::conninfo::Environment;
use crate::provider::{Bundle, PROVIDERS, bundle, by_id};
use crate::report::Form;
use crate::report::json::shown;

pub fn run(
    args: &ExportArgs,
    form: Form,
    environment: &Environment,
    streams: &mut Streams<'_>,
) -> anyhow::Result<u8> {
    let Some(bundle) = bundle(&args.provider) else { return unknown(&args.provider, streams) };
    let text = bundle.to_pem();
    let Some(path) = &args.output else {
        match form {
            Form::Page => streams.out.write_all(text.as_bytes())?,
            Form::Json => write_json(streams.out, summary(&bundle, ("pem", json!(text))))?,
        }
        return Ok(0);
    };
    let existing = if args.force { Existing::Replace } else { Existing::Keep };
    match atomically(&environment.current_dir.join(path), text.as_bytes(), existing) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let message = format!("{} exists and is left as it is", path.display());
            return usage(streams, &message, Some("--force replaces it"));
        }
        Err(error) => anyhow::bail!("{} cannot be written: {error}", path.display()),
    }
    match form {
        Form::Page => {
            let count = match bundle.roots.len() {
                1 => "1 root".to_owned(),
                n => format!("{n} roots"),
            };
            let note = format!("wrote {} · {count}", path.display());
            writeln!(streams.notes, "{}", streams.notes_style.text(&note))?;
        }
        Form::Json => {
            let file = ("file", json!(shown(&path.to_string_lossy())));
            write_json(streams.out, summary(&bundle, file))?;
        }
    }
    Ok(0)
}

fn summary(bundle: &Bundle, last: (&'static str, Json)) -> impl IntoIterator<Item = (&'static str, Json)> {
    let roots =
        bundle.roots.iter().map(|entry| Json::Object(super::json_certificate(&entry.root.certificate)));
    [("provider", json!(bundle.provider.id)), ("roots", roots.collect()), last]
}

/// There is no such bundle: what the provider's own way is, or which bundles there are.
fn unknown(id: &str, streams: &mut Streams<'_>) -> anyhow::Result<u8> {
    if let Some(provider) = by_id(id) {
        let message = format!("no roots of {} ship with this tool", provider.name);
        let hint = provider.root_file.map(|advice| format!("use {advice}"));
        return usage(streams, &message, hint.as_deref());
    }
    let ids: Vec<&str> =
        PROVIDERS.iter().map(|provider| provider.id).filter(|id| bundle(id).is_some()).collect();
    usage(streams, &format!("no provider is called {id:?}"), Some(&format!("bundles: {}", ids.join(", "))))
}
