//! The main job: checks one or more servers and reports each.

use std::ffi::OsString;
use std::io::{BufReader, ErrorKind};
use std::path::Path;
use std::pin::pin;
use std::rc::Rc;

use super::outputs::Outputs;
use super::progress::{Progress, Telling};
use super::targets::targets;
use super::{Streams, Usage, note_visible_password};
use crate::check::{Effective, Given, Setup, block_on, check_all, effective, higher_exit_status};
use crate::cli::check::CheckArgs;
use crate::cli::target::FleetArgs;
use crate::cli::{DisplayArgs, SHORT_USAGE};
use crate::clients::dialect::{self, Target};
use crate::conninfo::{self, Environment, Overrides, Value};
use crate::diagnose::{self, Outcome};
use crate::evidence::Scope;
use crate::file;
use crate::report::since::Since;
use crate::report::{Format, Layout, Reporter as _, Reports};
use crate::secret::Secret;

pub(super) fn run(
    arguments: &CheckArgs,
    display: &DisplayArgs,
    environment: Environment,
    streams: &mut Streams<'_>,
) -> anyhow::Result<u8> {
    if arguments.timeout.is_some() {
        file::limit_waits();
    }
    if is_split(&arguments.conninfo, false) {
        return Err(Usage::new(split(&arguments.conninfo)).into());
    }
    if names_no_server(arguments, display, &environment) {
        streams.note(SHORT_USAGE);
        if let Some(name) = environment.url_variable() {
            streams
                .note(&format!("\n  {name} holds a URL; to check that:\n  {}", diagnose::url_checked(name)));
        }
        return Ok(super::USAGE);
    }
    let policy = arguments.policy.policy().map_err(Usage::new)?;
    let strings = arguments.conninfo.iter().chain(&arguments.connection.dbname);
    note_visible_password(strings, display, streams);
    let is_named = !arguments.connection.overrides().parameters.is_empty();
    let targets = || targets(&arguments.conninfo, is_named, &arguments.fleet, &environment);
    let targets = file::prepared(arguments.timeout, targets);
    let targets = targets.map_err(|error| Usage::new(format!("{error:#}")))?;
    let setup = Setup {
        overrides: overrides(arguments)?,
        scope: Scope {
            tls_only: arguments.tls_only,
            require_auth: arguments.require_auth,
            expires_within: Some(arguments.expiry.expires_within),
            fail_within: arguments.policy.fail_within,
        },
        may_try: !arguments.no_try,
        total_limit: arguments.timeout,
        each: arguments.each,
        as_of: arguments.as_of,
        policy,
        wait: arguments.wait,
        dialect: arguments.dialect.dialect,
        ..Setup::new(environment)
    };
    match arguments.show_config {
        true => show_config(&setup, &targets, display, streams),
        false => check(setup, targets, (&arguments.fleet, &arguments.output), display, streams),
    }
}

/// Whether nothing says what to check: no argument and no variable of libpq's. Programs get the object of their format.
fn names_no_server(arguments: &CheckArgs, display: &DisplayArgs, environment: &Environment) -> bool {
    let has_target = !arguments.conninfo.is_empty()
        || !arguments.connection.overrides().parameters.is_empty()
        || arguments.fleet.from.is_some()
        || arguments.fleet.all_services;
    let is_for_people =
        display.format == Format::Human && !arguments.show_config && arguments.output.is_empty();
    !has_target && is_for_people && !environment.has_variables_of_libpq()
}

/// A string that the shell took apart.
pub(super) const SPLIT_STRING: &str =
    "the connection string is more than one argument: put it in quotes, \"host=... user=...\"";

/// What is wrong with arguments that seem to be one string: its quotes are missing, or a word before it is no subcommand.
pub(super) fn split(arguments: &[Secret]) -> String {
    let word = match arguments {
        [word, string] if conninfo::is_connection_string(string.expose()) => word.expose(),
        _ => b"",
    };
    match word.iter().all(u8::is_ascii_lowercase) && !word.is_empty() {
        true => format!(
            "there is no subcommand \"{}\"; to check a server leave it out: pgtls-check \"host=... user=...\"",
            conninfo::mask_argument(word)
        ),
        false => SPLIT_STRING.to_owned(),
    }
}

/// Whether several arguments are one string without its quotes: one of them is nobody's string and no host, stands as a host
/// beside keywords, or sets keywords and names no server (`strict`: any keywords; else a password). What stands behind such
/// a piece may be the rest of a password, and would pass for a host.
pub(super) fn is_split(arguments: &[Secret], strict: bool) -> bool {
    let has_keywords = arguments.iter().any(|argument| conninfo::is_connection_string(argument.expose()));
    arguments.len() > 1
        && (arguments.iter().any(|argument| is_piece(argument, has_keywords, strict))
            || are_pieces(arguments))
}

/// Whether each argument is one setting, and some of them name the server of the others.
fn are_pieces(arguments: &[Secret]) -> bool {
    let keyword = |argument: &Secret| match conninfo::parse(argument.expose()).ok()?.assignments.as_slice() {
        [(keyword, _)] => Some(*keyword),
        _ => None,
    };
    let keywords: Option<Vec<&str>> = arguments.iter().map(keyword).collect();
    let is_server = |keyword: &&str| matches!(*keyword, "host" | "hostaddr" | "service");
    keywords.is_some_and(|all| all.iter().any(is_server) && !all.iter().all(is_server))
}

fn is_piece(argument: &Secret, beside_keywords: bool, strict: bool) -> bool {
    let text = argument.expose();
    let read = conninfo::parse(text).unwrap_or_else(|failure| failure.read).assignments;
    let names_a_server = read.iter().any(|(keyword, _)| matches!(*keyword, "host" | "hostaddr" | "service"));
    match dialect::read(text, None) {
        _ if names_a_server || text.is_empty() => false,
        _ if !read.is_empty() => strict || conninfo::holds_secret(text),
        Target::Driver(_) | Target::Refused(_) => false,
        // A host alone has no text of its own.
        Target::Libpq(taken) if taken.text.is_none() => beside_keywords,
        Target::Libpq(_) => {
            let schemes: [&[u8]; 2] = [b"postgres://", b"postgresql://"];
            !schemes.iter().any(|scheme| text.starts_with(scheme))
        }
    }
}

/// What is set over every string: the options, and the password that `-W` asks for.
fn overrides(arguments: &CheckArgs) -> anyhow::Result<Overrides> {
    let mut overrides = arguments.connection.overrides();
    if arguments.password && !arguments.show_config {
        let password = rpassword::prompt_password("Password: ")
            .map_err(|error| Usage(format!("-W: no password was read from the terminal: {error}")))?;
        overrides.parameters.push(("password", Value::new(password), "-W"));
    }
    Ok(overrides)
}

/// Checks all targets and reports them as they end: to standard output, and to the files of `--output`, which are
/// written when the run is over.
pub(super) fn check(
    setup: Setup,
    targets: Vec<Given>,
    (fleet, files): (&FleetArgs, &[OsString]),
    display: &DisplayArgs,
    streams: &mut Streams<'_>,
) -> anyhow::Result<u8> {
    let (many, jobs) = (targets.len() > 1 || setup.each, usize::from(fleet.jobs));
    let layout =
        Layout { style: streams.style, verbosity: display.verbosity(), many, limit: None, sort: fleet.sort };
    let limit = setup.total_limit;
    let mut since = file::prepared(limit, || fleet.since.as_deref().map(since).transpose())?;
    // Before the first connection: nothing is checked in vain.
    let outputs = || Outputs::tested(files, display.format, &setup.environment, streams);
    let mut outputs = file::prepared(limit, outputs)?;
    let mut reports = Reports::default();
    reports.add(display.format, layout, &mut *streams.out);
    outputs.add_to(&mut reports, layout);
    let progress = Progress::new(Telling {
        style: streams.notes_style,
        total: targets.len(),
        wait: setup.wait,
        quiet: display.quiet,
        for_machines: display.format != Format::Human,
    });
    let mut changed = 0;
    let mut run = {
        let mut report = |outcome: &mut Outcome| {
            progress.wipe();
            outcome.changes = since.as_mut().map(|since| since.changes(outcome));
            changed += usize::from(outcome.changes.as_ref().is_some_and(|changes| !changes.is_empty()));
            reports.target(outcome)
        };
        let checks = pin!(check_all(Rc::new(setup), targets, jobs, &progress, &mut report));
        block_on(progress.during(checks))??
    };
    if let Some(since) = since {
        // What was not finished is not gone.
        run.removed = if run.unfinished == 0 { since.removed() } else { Vec::new() };
        run.changed = Some(changed + run.removed.len());
    }
    reports.finish(&run)?;
    let status = reports.exit_status(&run);
    drop(reports);
    file::prepared(limit, || outputs.write(&run, streams))?;
    Ok(status)
}

/// The earlier report to compare with.
fn since(path: &Path) -> anyhow::Result<Since> {
    let since = match file::open(path) {
        Ok(file) => Since::read(BufReader::new(file)),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Err(format!("{error}; omit --since in the first run"))
        }
        Err(error) => Err(error.to_string()),
    };
    since.map_err(|words| Usage::new(format!("--since {}: {words}", conninfo::mask_path(path))).into())
}

/// `--show-config`: the settings and where they came from; what a run would refuse before its first socket is told.
fn show_config(
    setup: &Setup,
    targets: &[Given],
    display: &DisplayArgs,
    streams: &mut Streams<'_>,
) -> anyhow::Result<u8> {
    let form = super::listing_form(display)?;
    let found = block_on(async {
        let mut found: Vec<Effective> = Vec::new();
        for target in targets {
            found.push(effective(setup, target.text.as_ref()).await);
        }
        found
    })?;
    streams.print(&form.texts(&found, streams.style))?;
    Ok(found.iter().map(Effective::exit_status).fold(0, higher_exit_status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_string_in_many_arguments_is_told_from_many_strings() {
        for (arguments, split) in [
            (&["host=h", "user=u", "sslmode=verify-full"][..], true),
            (&["user=u", "service=s"], true),
            (&["host=a", "host=b"], false),
            (&["host=a user=u", "host=b user=u"], false),
            (&["postgresql://a/d", "postgresql://b/d"], false),
            (&["user=a", "user=b"], false),
            (&["a.example", "b.example"], false),
            (&["host=h"], false),
        ] {
            let secrets: Vec<Secret> =
                arguments.iter().map(|text| Secret::new(text.as_bytes().to_vec())).collect();
            assert_eq!(is_split(&secrets, false), split, "{arguments:?}");
        }
    }
}
