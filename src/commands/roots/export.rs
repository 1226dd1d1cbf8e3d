//! `roots export`: a provider's roots as a root file.

use super::meant;
use super::{Streams, usage, written};
use crate::cli::roots::ExportArgs;
use crate::conninfo::{Environment, mask_argument, mask_path};
use crate::provider::{PROVIDERS, bundle, by_id};
use crate::report::Form;
use crate::report::listing::roots::{Exported, Written};

pub(super) fn run(
    args: &ExportArgs,
    form: Form,
    environment: &Environment,
    streams: &mut Streams<'_>,
) -> anyhow::Result<u8> {
    let Some(bundle) = bundle(&args.provider) else { return unknown(&args.provider, streams) };
    let pem = bundle.to_pem();
    let Some(path) = &args.output else {
        streams.list(&Exported { bundle: &bundle, pem: &pem }, form)?;
        return Ok(0);
    };
    if let Some(status) = written(path, args.force, &pem, environment, streams)? {
        return Ok(status);
    }
    if form == Form::Page {
        let count = match bundle.roots.len() {
            1 => "1 root".to_owned(),
            n => format!("{n} roots"),
        };
        let note = format!("wrote {} · {count}", mask_path(path));
        streams.note(&streams.notes_style.text(&note));
    }
    streams.list(&Written { bundle: &bundle, path }, form)?;
    Ok(0)
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
    usage(
        streams,
        &format!(
            "no provider is called \"{}\"{}",
            mask_argument(id.as_bytes()),
            meant(id, ids.iter().copied())
        ),
        Some(&format!("bundles: {}", ids.join(", "))),
    )
}
