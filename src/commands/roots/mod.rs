//! `roots`: looks into a root file, compares it with a provider's roots, writes a provider's bundle or a file as PEM.
//! Connects nowhere.

mod check;
mod convert;
mod export;

use std::io;
use std::path::Path;

use super::write::{Existing, Place};
use super::{Streams, USAGE};
use crate::cli::roots::{RootsAction, RootsArgs};
use crate::conninfo::{Environment, mask_path};
use crate::diagnose::root_file::Assessment;
use crate::report::listing::roots::{Held, Providers};
use crate::report::{Form, Role};
use crate::timestamp::Timestamp;
use crate::trust::contents::{Contents, contents};

/// Runs `roots` and gives the exit status. Certificates are judged for the moment `at`.
///
/// # Errors
/// Output that cannot be written.
pub fn run(
    args: &RootsArgs,
    form: Form,
    environment: &Environment,
    at: Timestamp,
    streams: &mut Streams<'_>,
) -> anyhow::Result<u8> {
    match args.action.as_ref().unwrap_or(&RootsAction::List) {
        RootsAction::List => {
            streams.list(&Providers, form)?;
            Ok(0)
        }
        RootsAction::Show { file } => {
            let Contents { items, roots } = contents(file, &environment.current_dir);
            let assessment = Assessment::of(&roots, at);
            streams.list(&Held { file, items: &items, assessment: &assessment, at }, form)?;
            Ok(assessment.exit_status())
        }
        RootsAction::Check(check) => check::run(check, form, environment, at, streams),
        RootsAction::Export(export) => export::run(export, form, environment, streams),
        RootsAction::Convert(convert) => convert::run(convert, form, environment, at, streams),
    }
}

/// Writes PEM into a file that may exist, or says how to replace it: the exit status where it was not written.
fn written(
    path: &Path,
    force: bool,
    pem: &str,
    environment: &Environment,
    streams: &mut Streams<'_>,
) -> anyhow::Result<Option<u8>> {
    let existing = if force { Existing::Replace } else { Existing::Keep };
    let place = Place::tested(&environment.current_dir.join(path), existing);
    match place.and_then(|place| place.write(pem.as_bytes())) {
        Ok(()) => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let message = format!("{} exists and is left as it is", mask_path(path));
            usage(streams, &message, Some("--force replaces it")).map(Some)
        }
        Err(error) => anyhow::bail!("{} cannot be written: {error}", mask_path(path)),
    }
}

/// A word about wrong options on standard error, with what would be right.
/// The name that a mistyped one is nearest to, as a question; nothing where none is near.
fn meant<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    let nearest = crate::text::nearest(typed, known.iter().copied());
    // The first word of several names says which they are.
    let begins = |name: &&&str| {
        !typed.is_empty() && name.strip_prefix(typed).is_some_and(|rest| rest.starts_with('-'))
    };
    let named: Vec<&str> = match known.iter().filter(begins).copied().collect::<Vec<_>>() {
        several if several.is_empty() => nearest.into_iter().collect(),
        several => several,
    };
    if named.is_empty() { String::new() } else { format!("; did you mean {}?", named.join(" or ")) }
}

fn usage(streams: &mut Streams<'_>, message: &str, hint: Option<&str>) -> anyhow::Result<u8> {
    let style = streams.notes_style;
    writeln!(streams.notes, "{} {}", style.paint(Role::Error, "error:"), style.text(message))?;
    if let Some(hint) = hint {
        writeln!(streams.notes, "  {}", style.text(hint))?;
    }
    Ok(USAGE)
}
