//! `rehearse`: a check of files that are not on a server yet.

use std::ffi::OsStr;
use std::path::Path;
use std::pin::pin;
use std::process::{Command, Stdio};
use std::sync::Arc;

use super::check::{SPLIT_STRING, check, is_split};
use super::progress::{Progress, Telling};
use super::targets::targets;
use super::{Streams, Usage, note_visible_password};
use crate::check::{Rehearsed, RunWatcher as _, Setup, block_on, served};
use crate::cli::DisplayArgs;
use crate::cli::rehearse::RehearseArgs;
use crate::conninfo::{self, Environment, Form};
use crate::diagnose::Outcome;
use crate::evidence::{Scope, Served, Source};
use crate::report::target_name;
use crate::secret::Secret;
use crate::trust::{KeyProblem, ServerFiles, ServerPaths, ServerProblem, server_files};

pub(super) fn run(
    arguments: &RehearseArgs,
    display: &DisplayArgs,
    environment: &Environment,
    streams: &mut Streams<'_>,
) -> anyhow::Result<u8> {
    if is_split(&arguments.conninfo, true) {
        return Err(Usage::new(SPLIT_STRING).into());
    }
    let fleet = &arguments.fleet;
    let is_named = fleet.from.is_some() || fleet.all_services || environment.has_variables_of_libpq();
    if arguments.conninfo.is_empty() && arguments.host.is_empty() && !is_named {
        return Err(Usage::new("no client to rehearse for: give connection strings, --host or --from").into());
    }
    note_visible_password(arguments.conninfo.iter().chain(&arguments.against), display, streams);
    let strings = strings(arguments)?;
    let targets = targets(&strings, false, fleet, environment);
    let targets = targets.map_err(|error| Usage::new(format!("{error:#}")))?;
    let mut rehearsed = Rehearsed::new(Arc::new(files(arguments, environment)?), arguments.as_of);
    let live = Setup {
        scope: Scope {
            tls_only: true,
            expires_within: Some(arguments.expiry.expires_within),
            fail_within: arguments.policy.fail_within,
            ..Scope::default()
        },
        may_try: false,
        policy: arguments.policy.policy().map_err(Usage::new)?,
        dialect: arguments.dialect.dialect,
        ..Setup::new(environment.clone())
    };
    if let Some(server) = &arguments.against {
        match asked(&live, server, display, streams)? {
            Ok(found) => rehearsed.served = Some(Arc::new(found)),
            Err(outcome) => return Ok(streams.report_one(&outcome, display)?),
        }
    }
    let setup = Setup { rehearsed: Some(rehearsed), ..live };
    check(setup, targets, (fleet, &arguments.output), display, streams)
}

/// What to rehearse for: the strings as they are, or one for each host.
fn strings(arguments: &RehearseArgs) -> anyhow::Result<Vec<Secret>> {
    if let Some(host) = arguments.host.iter().find(|host| host.as_encoded_bytes().contains(&b'=')) {
        let words = conninfo::mask_argument(host.as_encoded_bytes());
        return Err(Usage(format!("--host takes host names; {words} is a connection string")).into());
    }
    let roots = arguments.roots.as_deref().map(|roots| roots.as_os_str().as_encoded_bytes());
    let string = |host: &OsStr| {
        let given = [("host", host.as_encoded_bytes()), ("sslmode", b"verify-full")];
        let roots = roots.map(|roots| ("sslrootcert", roots));
        Secret::new(conninfo::write::string(Form::KeywordValue, given.into_iter().chain(roots)))
    };
    let hosts = arguments.host.iter().map(|host| string(host));
    Ok(arguments.conninfo.iter().cloned().chain(hosts).collect())
}

/// Reads the files; the command for the pass phrase is run only where the key needs one, as PostgreSQL does.
fn files(arguments: &RehearseArgs, environment: &Environment) -> anyhow::Result<ServerFiles> {
    let mut paths = ServerPaths {
        certificate: arguments.cert.clone(),
        key: arguments.key.clone(),
        authorities: arguments.client_ca.clone(),
        lists: arguments.crl.clone(),
        account: arguments.server_user.clone(),
        pass_phrase: None,
    };
    let found = server_files(&paths, &environment.current_dir);
    let is_locked = |files: &ServerFiles| {
        let missing = ServerProblem::Key(KeyProblem::PassPhraseMissing);
        files.faults.iter().any(|fault| fault.problem == missing)
    };
    match &arguments.passphrase_command {
        Some(command) if is_locked(&found) => {
            paths.pass_phrase = Some(pass_phrase(command, &environment.current_dir)?);
            Ok(server_files(&paths, &environment.current_dir))
        }
        _ => Ok(found),
    }
}

/// What a command prints, up to its first line end, as PostgreSQL takes it (run_ssl_passphrase_command in
/// be-secure-common.c): by the shell, `%p` for the prompt and `%%` for a percent sign.
fn pass_phrase(command: &OsStr, directory: &Path) -> anyhow::Result<Secret> {
    let Some(command) = command.to_str() else {
        return Err(Usage::new("--passphrase-command is not UTF-8").into());
    };
    let parts = command.split("%%").map(|part| part.replace("%p", "'Enter PEM pass phrase:'"));
    let command = parts.collect::<Vec<_>>().join("%");
    let (shell, option) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
    let output = Command::new(shell)
        .args([option, &command])
        .current_dir(directory)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| Usage(format!("--passphrase-command: {error}")))?;
    if !output.status.success() {
        return Err(Usage(format!("--passphrase-command failed: {}", output.status)).into());
    }
    let printed = zeroize::Zeroizing::new(output.stdout);
    let line = printed.split(|byte| *byte == b'\n').next().unwrap_or_default();
    Ok(Secret::new(line.strip_suffix(b"\r").unwrap_or(line).to_vec()))
}

/// What the server of `--against` presents, or why it cannot be seen.
fn asked(
    setup: &Setup,
    server: &Secret,
    display: &DisplayArgs,
    streams: &Streams<'_>,
) -> anyhow::Result<Result<Served, Box<Outcome>>> {
    let telling = Telling {
        style: streams.notes_style,
        total: 1,
        wait: None,
        quiet: display.quiet,
        for_machines: true,
    };
    let progress = Progress::new(telling);
    let watcher = progress.begins(&Source::default());
    let name = |outcome: &Outcome| target_name(outcome).unwrap_or_else(|| "the server".to_owned());
    Ok(block_on(progress.during(pin!(served(setup, Some(server), name, &*watcher))))?)
}
