//! `clients`: the connection just described, spelled for drivers and frameworks, with what each does by default and where
//! it behaves otherwise than libpq for this server.

use super::check::{Setup, check};
use super::{USAGE, report_one};
use crate::cli::DisplayArgs;
use crate::cli::clients::ClientsArgs;
use crate::clients::connection::{Connection, raised_from};
use crate::clients::difference::{Live, Situation};
use crate::clients::table::{self, Client};
use crate::conninfo::{self, Environment, Overrides, Settings, SslMode, Value};
use crate::diagnose::{self, Outcome, Policy};
use crate::evidence::{Evidence, Scope};
use crate::report::clients::Answer;
use crate::report::{self, Format, Style};
use crate::secret::Secret;
use crate::text;
use crate::timestamp::Timestamp;
use crate::trust::{self, SystemStore};

/// Runs `clients` and gives the exit status: that of the live check with `--probe`, else 0.
///
/// # Errors
/// The tool's own trouble.
pub(super) fn run(
    arguments: &ClientsArgs,
    display: &DisplayArgs,
    style: Style,
    environment: &Environment,
) -> anyhow::Result<u8> {
    let clients = match chosen(&arguments.only) {
        Ok(clients) => clients,
        Err(words) => {
            eprintln!("pgtls-check: {words}");
            return Ok(USAGE);
        }
    };
    let input = arguments.conninfo.as_ref().map(|text| Secret::new(text.clone().into_encoded_bytes()));
    let settings =
        match conninfo::resolve(input.as_ref().map(Secret::expose), &Overrides::default(), environment) {
            Ok(settings) => settings,
            Err(failure) => return refused(*failure, display, style),
        };
    let raised_from = raised_from(&settings);
    // From here on as verify-full: so the files are read, and so the server is looked at.
    let settings = Settings { sslmode: SslMode::VerifyFull, ..settings };
    let trust = trust::load(&settings, environment);
    let connection = match Connection::of(&settings, &trust, &environment.current_dir) {
        Ok(connection) => connection,
        Err(why) => {
            eprintln!("pgtls-check: {why}");
            return Ok(USAGE);
        }
    };
    let outcome = if arguments.probe { Some(look(input.as_ref(), environment)?) } else { None };
    let answer = Answer {
        connection: &connection,
        raised_from,
        other_hosts: settings.hosts.len().saturating_sub(1),
        situation: Situation::new(
            &connection,
            &settings,
            &trust,
            outcome.as_ref().and_then(|outcome| Live::of(&outcome.evidence)),
        ),
        outcome: outcome.as_ref(),
        in_full: !arguments.only.is_empty(),
        clients,
    };
    if !display.quiet {
        super::print(&match display.format {
            Format::Json => answer.json(),
            _ => answer.human(style),
        })?;
    }
    Ok(outcome.as_ref().map_or(0, report::exit_status))
}

/// The clients of `--for`, each once and in that order, or all.
fn chosen(names: &[String]) -> Result<Vec<&'static Client>, String> {
    if names.is_empty() {
        return Ok(table::all().collect());
    }
    let mut clients: Vec<&'static Client> = Vec::new();
    for name in names {
        let Some(client) = table::find(name) else {
            let nearest = table::nearest(name).map(|known| format!("; did you mean {known}?"));
            return Err(format!(
                "no client is known as \"{}\"{}",
                text::printable(name),
                nearest.unwrap_or_else(|| "; `pgtls-check clients CONNINFO` lists all".to_owned())
            ));
        };
        if !clients.iter().any(|known| known.name == client.name) {
            clients.push(client);
        }
    }
    Ok(clients)
}

/// A check of the server under verify-full that sends no credential and makes no second look.
fn look(input: Option<&Secret>, environment: &Environment) -> anyhow::Result<Outcome> {
    let raised = ("sslmode", Value::from("verify-full"), "clients");
    let setup = Setup {
        environment: environment.clone(),
        overrides: Overrides { parameters: vec![raised], ..Overrides::default() },
        scope: Scope { tls_only: true, ..Scope::default() },
        may_try: false,
        total_limit: None,
        as_of: None,
        policy: Policy::default(),
        wait: None,
        watched: None,
        system_store: SystemStore::default(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = runtime.block_on(check(&setup, input));
    runtime.shutdown_background();
    Ok(outcome)
}

/// Reports settings that libpq would refuse as a check of them does.
fn refused(failure: conninfo::Failure, display: &DisplayArgs, style: Style) -> anyhow::Result<u8> {
    let now = Timestamp::now();
    let outcome = diagnose::diagnose(Evidence::of_bad_config(now, now, Scope::default(), failure));
    Ok(report_one(&outcome, display, style)?)
}
