//! `clients`: the connection just described, spelled for drivers and frameworks, with what each does by default and where
//! it behaves otherwise than libpq for this server.

use super::{Streams, Usage, note_visible_password};
use crate::check::{Effective, Resolved, Setup, block_on, check, effective, resolved};
use crate::cli::DisplayArgs;
use crate::cli::clients::ClientsArgs;
use crate::clients::connection::{Connection, raised_from};
use crate::clients::difference::Situation;
use crate::clients::table::{self, Client};
use crate::conninfo::{self, Environment, Overrides, Settings, SslMode, Value};
use crate::diagnose::Outcome;
use crate::evidence::Scope;
use crate::report::Form;
use crate::report::listing::clients::Answer;
use crate::report::listing::rewritten::Rewritten;
use crate::secret::Secret;
use crate::trust;

/// The exit status is that of the live check with `--probe`, else 0.
pub(super) fn run(
    arguments: &ClientsArgs,
    display: &DisplayArgs,
    environment: &Environment,
    streams: &mut Streams<'_>,
) -> anyhow::Result<u8> {
    let form = super::listing_form(display)?;
    if let Some(text) = &arguments.from {
        return rewritten(text, arguments, form, display, environment, streams);
    }
    let clients = chosen(&arguments.only)?;
    note_visible_password(&arguments.conninfo, display, streams);
    let input = arguments.conninfo.clone();
    let setup = Setup { dialect: arguments.dialect.dialect, ..Setup::new(environment.clone()) };
    let Resolved { settings, environment: seen, typed } = match block_on(resolved(&setup, input.as_ref()))? {
        Ok(resolved) => resolved,
        Err(outcome) => return Ok(streams.report_one(&outcome, display)?),
    };
    let typed = typed.filter(|typed| typed.reading().is_some());
    let raised_from = if typed.is_some() { None } else { raised_from(&settings) };
    // From here on as verify-full: so the files are read, and so the server is looked at.
    let settings = Settings { sslmode: SslMode::VerifyFull, ..settings };
    let trust = trust::load(&settings, &seen);
    let connection = Connection::of(&settings, &trust, &environment.current_dir).map_err(Usage::new)?;
    let outcome = if arguments.probe { Some(look(input.as_ref(), &setup)?) } else { None };
    let live = outcome.as_ref().and_then(|outcome| outcome.evidence.live());
    let answer = Answer {
        connection: &connection,
        raised_from,
        read_as: typed.as_deref(),
        other_hosts: settings.hosts.len().saturating_sub(1),
        situation: Situation::new(&connection, &settings, &trust, live),
        outcome: outcome.as_ref(),
        in_full: !arguments.only.is_empty(),
        clients,
    };
    if !display.quiet {
        streams.list(&answer, form)?;
    }
    Ok(outcome.as_ref().map_or(0, Outcome::exit_status))
}

/// `--from`: another driver's string beside the one that verifies.
fn rewritten(
    text: &Secret,
    arguments: &ClientsArgs,
    form: Form,
    display: &DisplayArgs,
    environment: &Environment,
    streams: &mut Streams<'_>,
) -> anyhow::Result<u8> {
    note_visible_password([text], display, streams);
    let setup = Setup { dialect: arguments.dialect.dialect, ..Setup::new(environment.clone()) };
    let text = text.clone();
    let found = block_on(effective(&setup, Some(&text)))?;
    let status = found.exit_status();
    let Some(typed) = found.typed.filter(|typed| typed.reading().is_some()) else {
        let Some(diagnosis) = found.diagnosis else {
            let words = "--from is for strings of other drivers; this one is libpq's: give it alone";
            return Err(Usage::new(words).into());
        };
        let refused = Effective { parameters: Vec::new(), diagnosis: Some(diagnosis), typed: None };
        streams.list(&refused, form)?;
        return Ok(status);
    };
    if !display.quiet {
        streams.list(&Rewritten { typed: &typed }, form)?;
    }
    Ok(0)
}

/// The clients of `--for`, each once and in that order, or all.
fn chosen(names: &[String]) -> Result<Vec<&'static Client>, Usage> {
    if names.is_empty() {
        return Ok(table::all().collect());
    }
    let mut clients: Vec<&'static Client> = Vec::new();
    for name in names {
        let Some(client) = table::find(name) else {
            let nearest = table::nearest(name).map(|known| format!("; did you mean {known}?"));
            return Err(Usage(format!(
                "no client is known as \"{}\"{}",
                conninfo::mask_argument(name.as_bytes()),
                nearest.unwrap_or_else(|| "; `pgtls-check clients CONNINFO` lists all".to_owned())
            )));
        };
        if !clients.iter().any(|known| known.name == client.name) {
            clients.push(client);
        }
    }
    Ok(clients)
}

/// A check of the server under verify-full that sends no credential and makes no second look.
fn look(input: Option<&Secret>, given: &Setup) -> anyhow::Result<Outcome> {
    let raised = ("sslmode", Value::from("verify-full"), "clients");
    let setup = Setup {
        overrides: Overrides { parameters: vec![raised], ..Overrides::default() },
        scope: Scope { tls_only: true, ..Scope::default() },
        may_try: false,
        dialect: given.dialect,
        ..Setup::new(given.environment.clone())
    };
    Ok(block_on(check(&setup, input, &()))?)
}
