//! `roots check`: a root file, offline: whether libpq can use it, and what a provider's servers will make of it.
//!
//! Codes and exit statuses are those with which a check of a server would end.

use super::{Streams, meant, usage};
use crate::cli::roots::CheckArgs;
use crate::conninfo::{Environment, mask_argument, mask_file_name};
use crate::diagnose::DeniedBy;
use crate::diagnose::root_file::{Assessment, Purpose, Server};
use crate::provider::{PROVIDERS, Provider, by_host, by_id, near_miss};
use crate::report::Form;
use crate::report::listing::roots::Checked;
use crate::timestamp::Timestamp;
use crate::trust::{SystemStore, read_root_file};

pub(super) fn run(
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
    let system = SystemStore::default();
    let purpose = Purpose {
        server: Server { provider, system_roots: Some(system.get(environment)), ..Server::default() },
        host: args.host.as_deref(),
        expires_within: i64::from(args.expires_within),
    };
    let mut assessment = Assessment::for_purpose(&roots, &mask_file_name(&args.file), purpose, at);
    for warning in &mut assessment.warnings {
        warning.denied = args.strict.then_some(DeniedBy::Strict);
    }
    streams.list(&Checked { file: &args.file, provider, roots: &roots, assessment: &assessment }, form)?;
    Ok(assessment.exit_status())
}

/// Whom the file is for: the provider named, else the host's. Or what is wrong with the options.
fn provider(args: &CheckArgs) -> Result<Option<&'static Provider>, (String, Option<String>)> {
    let of_host = args.host.as_deref().map(|host| (host, by_host(host)));
    if let Some(id) = &args.provider {
        let named = by_id(id).ok_or_else(|| {
            (
                format!(
                    "no provider is called \"{}\"{}",
                    mask_argument(id.as_bytes()),
                    meant(id, PROVIDERS.iter().map(|provider| provider.id))
                ),
                Some("pgtls-check roots list names them".to_owned()),
            )
        })?;
        // Several rows may share a suffix: only a host of somebody else contradicts.
        return match of_host {
            Some((host, Some(other))) if other.id != named.id && !shares_suffix(named, other) => Err((
                format!(
                    "{} is a host of {}, not of {}",
                    mask_argument(host.as_bytes()),
                    other.name,
                    named.name
                ),
                None,
            )),
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
            Err((
                format!("{} is a host of no provider that is known here", mask_argument(host.as_bytes())),
                Some(hint),
            ))
        }
    }
}

fn shares_suffix(one: &Provider, other: &Provider) -> bool {
    one.suffixes.iter().any(|suffix| other.suffixes.contains(suffix))
}
