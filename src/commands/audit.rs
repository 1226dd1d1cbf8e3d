//! `audit`: a check of TLS, and what else the server accepts.

use super::check::{SPLIT_STRING, is_split};
use super::progress::{Progress, Telling};
use super::{Streams, Usage, note_visible_password};
use crate::check::{RunWatcher as _, Setup, audited, block_on, higher_exit_status};
use crate::cli::DisplayArgs;
use crate::cli::audit::AuditArgs;
use crate::conninfo::Environment;
use crate::evidence::{Scope, Source};
use crate::secret::Secret;

pub(super) fn run(
    arguments: &AuditArgs,
    display: &DisplayArgs,
    environment: &Environment,
    streams: &mut Streams<'_>,
) -> anyhow::Result<u8> {
    let strings = arguments.conninfo.iter().chain(&arguments.connection.dbname);
    note_visible_password(strings, display, streams);
    let setup = Setup {
        overrides: arguments.connection.overrides(),
        // No user, database or password is of use for what is asked here.
        scope: Scope { tls_only: true, fail_within: arguments.policy.fail_within, ..Scope::default() },
        total_limit: arguments.timeout,
        dialect: arguments.dialect.dialect,
        policy: arguments.policy.policy().map_err(Usage::new)?,
        ..Setup::new(environment.clone())
    };
    if is_split(&arguments.conninfo, true) {
        return Err(Usage::new(SPLIT_STRING).into());
    }
    // No string at all: environment or service say where to go.
    let targets: Vec<Option<&Secret>> = match arguments.conninfo.as_slice() {
        [] => vec![None],
        given => given.iter().map(Some).collect(),
    };
    let mut status = 0;
    for target in targets {
        let telling =
            Telling { style: streams.notes_style, total: 1, wait: None, quiet: true, for_machines: false };
        let progress = Progress::new(telling);
        let watcher = progress.begins(&Source::default());
        let outcome = block_on(progress.during(audited(&setup, target, arguments.profile, &*watcher)))?;
        status = higher_exit_status(status, streams.report_one(&outcome, display)?);
    }
    Ok(status)
}
