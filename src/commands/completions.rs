//! `completions`: the script that makes a shell ask this program for candidates, and the answer when it asks. So every
//! shell offers the same names, those of our lists included.

use std::ffi::OsString;
use std::io;

use anyhow::Context as _;
use clap::CommandFactory as _;
use clap_complete::env::Shells;
use clap_complete::{CompleteEnv, Shell};

use super::Streams;
use crate::cli::Cli;
use crate::cli::candidates::with_candidates;
use crate::cli::completions::CompletionsArgs;

/// The variable in which a shell that asks gives its name.
const ASKS: &str = "PGTLS_CHECK_COMPLETE";
const PROGRAM: &str = "pgtls-check";
/// From a directory of `$fpath`, zsh runs the whole file as the function, the first time it is asked.
const AUTOLOADED: &[u8] =
    br#"if [[ $funcstack[1] == _pgtls-check ]]; then _clap_dynamic_completer_pgtls_check "$@"; fi
"#;

pub(super) fn run(arguments: &CompletionsArgs, streams: &mut Streams<'_>) -> anyhow::Result<u8> {
    let name = arguments.shell.to_string();
    let shells = Shells::builtins();
    let shell = shells.completer(&name).context("clap_complete knows no such shell")?;
    let mut script = Vec::new();
    shell.write_registration(ASKS, PROGRAM, PROGRAM, PROGRAM, &mut script)?;
    if arguments.shell == Shell::Zsh {
        script.extend_from_slice(AUTOLOADED);
    }
    streams.out.write_all(&script)?;
    streams.out.flush()?;
    Ok(0)
}

/// Whether a shell asks for candidates.
pub fn is_asked() -> bool {
    std::env::var_os(ASKS).is_some()
}

/// Writes the candidates for the command line of a shell that asks.
///
/// # Errors
/// A shell that is not known, or standard output that cannot be written to.
pub fn answer(arguments: impl IntoIterator<Item = OsString>) -> io::Result<()> {
    let directory = std::env::current_dir().ok();
    let definition = || with_candidates(Cli::command());
    CompleteEnv::with_factory(definition)
        .var(ASKS)
        .try_complete(arguments, directory.as_deref())
        .map_err(|error| io::Error::other(error.to_string()))?;
    Ok(())
}
