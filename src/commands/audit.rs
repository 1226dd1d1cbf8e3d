//! `audit`: a check of TLS, and what else the server accepts.

use super::progress::{Progress, Telling};
use super::{Streams, Usage, note_visible_password};
use crate::check::{RunWatcher as _, Setup, audited, block_on};
use crate::cli::DisplayArgs;
use crate::cli::audit::AuditArgs;
use crate::conninfo::Environment;
use crate::evidence::Scope;

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
    let target = arguments.conninfo.clone();
    let telling =
        Telling { style: streams.notes_style, total: 1, wait: None, quiet: true, for_machines: false };
    let progress = Progress::new(telling);
    let watcher = progress.begins(0);
    let outcome = block_on(progress.during(audited(&setup, target.as_ref(), &*watcher)))?;
    Ok(streams.report_one(&outcome, display)?)
}
