//! `audit`: a check of TLS, and what else the server accepts.

use super::check::{SPLIT_STRING, check, is_split};
use super::targets::targets;
use super::{Streams, Usage, note_visible_password};
use crate::check::{AuditPolicy, Setup};
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
    if arguments.timeout.is_some() {
        crate::file::limit_waits();
    }
    let strings = arguments.conninfo.iter().chain(&arguments.connection.dbname);
    note_visible_password(strings, display, streams);
    if is_split(&arguments.conninfo, true) {
        return Err(Usage::new(SPLIT_STRING).into());
    }
    let setup = Setup {
        overrides: arguments.connection.overrides(),
        // No user, database or password is of use for what is asked here.
        scope: Scope { tls_only: true, fail_within: arguments.policy.fail_within, ..Scope::default() },
        total_limit: arguments.timeout,
        each: arguments.each,
        audit: Some(AuditPolicy { profile: arguments.profile }),
        dialect: arguments.dialect.dialect,
        policy: arguments.policy.policy().map_err(Usage::new)?,
        ..Setup::new(environment.clone())
    };
    let is_named = !arguments.connection.overrides().parameters.is_empty();
    let targets = || targets(&arguments.conninfo, is_named, &arguments.fleet, environment);
    let targets = crate::file::prepared(arguments.timeout, targets);
    let targets = targets.map_err(|error| Usage::new(format!("{error:#}")))?;
    check(setup, targets, (&arguments.fleet, &arguments.output), display, streams)
}
