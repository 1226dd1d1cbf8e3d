//! Command-line types and help text. What the options mean is in `commands`; every option ends up in
//! [`Overrides`], a limit or a scope, never in something global.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::PossibleValue;
use clap::parser::ValueSource;
use clap::{ArgAction, ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::commands::clients::ClientsArgs;
use crate::commands::roots::RootsArgs;
use crate::conninfo::{Overrides, Value};
use crate::diagnose::Policy;
use crate::diagnose::policy::UnknownCode;
use crate::report::{ColorChoice, Format, Verbosity};
use crate::timestamp::Timestamp;

const EXAMPLES: &str = "Examples:
  check one server
    pgtls-check \"sslmode=verify-full sslrootcert=roots.pem host=db.example.com user=me\"
  in CI, many servers: one line a target, exit status 0 when all are well
    pgtls-check --format json --from targets.txt
  what a diagnosis means and how to fix it
    pgtls-check explain hostname-mismatch";

const AFTER: &str = "A CONNINFO is \"host=... sslmode=...\" or postgresql://..., read exactly as libpq reads it, with \
     libpq's environment variables, service file, password file and default files. Where no sslmode is given, \
     verify-full is checked.\n\n\
     Exit status: 0 verified, 1 internal error, 2 usage or connection string, 3 trust or key files, 4 DNS, 5 TCP, \
     6 negotiation, 7 TLS handshake, 8 certificate, 9 authentication or the server said no, 10 a policy asked for is \
     not met, 130 interrupted. Of several targets: 0 when all are verified, else the lowest non-zero status among them.";

const AUDIT: &str = "The server is checked first as without `audit`, with --tls-only. Then each offer is a connection of its own: 20 to 100 of \
     them, at most 6 at a time, within connect_timeout (10 s where it is not set). None carries a user, database or password \
     of yours, the name of the server alone. When the server was verified, a last one asks in plaintext whether the user \
     \"pgtls-check\" may come in to the database \"postgres\". The server's log gets a line for most of them.";

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "pgtls-check",
    version,
    about = "Verifies TLS connections to PostgreSQL and, when one fails, says why and how to fix it",
    before_help = EXAMPLES,
    after_help = AFTER,
    disable_help_flag = true,
    disable_help_subcommand = true,
    max_term_width = 120,
    override_usage = "pgtls-check [OPTIONS] [CONNINFO]...\n       pgtls-check COMMAND --help"
)]
pub struct Cli {
    /// What to do instead of a check.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The check.
    #[command(flatten)]
    pub check: CheckArgs,
    /// How to show it.
    #[command(flatten)]
    pub display: DisplayArgs,
    /// Print this help
    #[arg(long, short = '?', action = ArgAction::Help, global = true, help_heading = "Output")]
    help: Option<bool>,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// What the server accepts: protocol versions, cipher suites, groups, direct TLS, plaintext
    Audit(AuditArgs),
    /// Look into a root file, hold it against a provider, write a provider's bundle
    Roots(RootsArgs),
    /// The same verified connection, spelled for drivers and frameworks
    Clients(ClientsArgs),
    /// A diagnosis in full, or what an error text can stand for; without an argument, the list
    Explain(ExplainArgs),
    /// A check against an embedded server, healthy or with the named fault
    Demo(DemoArgs),
}

/// `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// A diagnosis code, or a line that psql or a driver printed; `-` reads it from standard input
    #[arg(value_name = "CODE|TEXT")]
    pub topic: Vec<String>,
}

/// `demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// The fault to stage; without one the server is healthy
    #[arg(value_name = "FAULT")]
    pub fault: Option<String>,
    /// List the faults
    #[arg(long, conflicts_with_all = ["fault", "serve"])]
    pub list: bool,
    /// Keep the server up and print the connection string, for psql or an application of your own
    #[arg(long)]
    pub serve: bool,
}

/// What overrides the connection string, as in psql.
#[derive(Debug, Args)]
pub struct ConnectionArgs {
    /// As psql: overrides the string
    #[arg(short = 'h', long = "host", value_name = "HOST", help_heading = "Connection")]
    pub host: Option<OsString>,
    /// As psql: overrides the string
    #[arg(short = 'p', long = "port", value_name = "PORT", help_heading = "Connection")]
    pub port: Option<OsString>,
    /// As psql: overrides the string
    #[arg(short = 'U', long = "username", value_name = "USER", help_heading = "Connection")]
    pub user: Option<OsString>,
    /// As psql: a database, or a connection string
    #[arg(short = 'd', long = "dbname", value_name = "DBNAME|CONNINFO", help_heading = "Connection")]
    pub dbname: Option<OsString>,
    /// Never ask for a password
    #[arg(short = 'w', long, help_heading = "Connection")]
    pub no_password: bool,
}

impl ConnectionArgs {
    /// What the options set, over the connection string.
    pub fn overrides(&self) -> Overrides {
        let given = [
            ("host", &self.host, "-h"),
            ("port", &self.port, "-p"),
            ("user", &self.user, "-U"),
            ("dbname", &self.dbname, "-d"),
        ];
        let parameters = given
            .into_iter()
            .filter_map(|(keyword, value, option)| {
                let bytes = value.as_ref()?.clone().into_encoded_bytes();
                Some((keyword, Value::new(bytes), option))
            })
            .collect();
        Overrides { parameters, never_prompt: self.no_password }
    }
}

/// Which warnings are failures.
#[derive(Debug, Args)]
pub struct PolicyArgs {
    /// Turn all warnings into failures with exit status 10
    #[arg(long, help_heading = "What to check")]
    pub strict: bool,
    /// Turn these warnings into failures
    #[arg(long, value_name = "CODE", value_delimiter = ',', help_heading = "What to check")]
    pub deny: Vec<String>,
    /// Keep these as warnings
    #[arg(long, value_name = "CODE", value_delimiter = ',', help_heading = "What to check")]
    pub allow: Vec<String>,
}

impl PolicyArgs {
    /// The policy.
    ///
    /// # Errors
    /// The first code that is no warning's.
    pub fn policy(&self) -> Result<Policy, UnknownCode> {
        Policy::new(self.strict, self.deny.clone(), self.allow.clone())
    }
}

/// `audit`.
#[derive(Debug, Args)]
#[command(after_help = AUDIT)]
pub struct AuditArgs {
    /// The server: "host=... sslmode=..." or postgresql://...
    #[arg(value_name = "CONNINFO")]
    pub conninfo: Option<OsString>,
    /// Where to, over the string.
    #[command(flatten)]
    pub connection: ConnectionArgs,
    /// Limit for one target in all
    #[arg(long, value_name = "SECS", value_parser = seconds, help_heading = "What to check")]
    pub timeout: Option<Duration>,
    /// Which warnings are failures.
    #[command(flatten)]
    pub policy: PolicyArgs,
}

/// What to show and how.
#[derive(Debug, Args)]
pub struct DisplayArgs {
    /// The form of the report
    #[arg(long, value_name = "FMT", default_value = "human", global = true, help_heading = "Output")]
    pub format: Format,
    /// When to colour
    #[arg(long, value_name = "WHEN", default_value = "auto", global = true, help_heading = "Output")]
    pub color: ColorChoice,
    /// More: chain, time line, facts of the wire, effective settings
    #[arg(short, long, global = true, conflicts_with = "quiet", help_heading = "Output")]
    pub verbose: bool,
    /// Nothing but the exit status and errors
    #[arg(short, long, global = true, help_heading = "Output")]
    pub quiet: bool,
}

impl DisplayArgs {
    /// `-v` and `-q`.
    pub fn verbosity(&self) -> Verbosity {
        match (self.verbose, self.quiet) {
            (true, _) => Verbosity::Verbose,
            (false, true) => Verbosity::Quiet,
            (false, false) => Verbosity::Normal,
        }
    }
}

/// A check of one or more servers.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Connection strings: "host=... sslmode=..." or postgresql://...
    #[arg(value_name = "CONNINFO")]
    pub conninfo: Vec<OsString>,

    /// Where to, over the string.
    #[command(flatten)]
    pub connection: ConnectionArgs,
    /// Ask for a password on the terminal
    #[arg(short = 'W', long, conflicts_with = "no_password", help_heading = "Connection")]
    pub password: bool,

    /// Limit for one target in all
    #[arg(long, value_name = "SECS", value_parser = seconds, help_heading = "What to check")]
    pub timeout: Option<Duration>,
    /// Try again while the failure is one that waiting can cure, for so many seconds (without a number: for ever)
    #[arg(long, value_name = "SECS", num_args = 0..=1, require_equals = true, default_missing_value = "inf",
          value_parser = patience, help_heading = "What to check")]
    pub wait: Option<Patience>,
    /// Stop when TLS is verified; send no user, database or password
    #[arg(long, conflicts_with = "require_auth", help_heading = "What to check")]
    pub tls_only: bool,
    /// Succeed only when the session is established
    #[arg(long, help_heading = "What to check")]
    pub require_auth: bool,
    /// Threshold of the expiry warnings
    #[arg(long, value_name = "DAYS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(0..=36_500),
          help_heading = "What to check")]
    pub expires_within: u32,
    /// Judge the certificates as if it were that date (2026-12-02, or with a time: 2026-12-02T15:04:05Z)
    #[arg(long, value_name = "DATE", help_heading = "What to check")]
    pub as_of: Option<Timestamp>,
    /// Which warnings are failures.
    #[command(flatten)]
    pub policy: PolicyArgs,
    /// Make no second connection: neither to tell causes apart nor to try fixes
    #[arg(long, help_heading = "What to check")]
    pub no_try: bool,
    /// Print every effective setting and where it came from, connect nowhere
    #[arg(long, help_heading = "What to check")]
    pub show_config: bool,

    /// Write the report there; a summary for people stays on the terminal
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub output: Option<PathBuf>,

    /// Targets from a file, a connection string a line, # comments, - for standard input
    #[arg(long, value_name = "FILE", help_heading = "Many targets")]
    pub from: Option<PathBuf>,
    /// Every section of the service file is a target
    #[arg(long, help_heading = "Many targets")]
    pub all_services: bool,
    /// How many targets at once
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..),
          help_heading = "Many targets")]
    pub jobs: u16,
}

/// How long `--wait` goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// Without end.
    Endless,
    /// As long as this.
    For(Duration),
}

impl CheckArgs {
    /// What the options set, over the connection string.
    pub fn overrides(&self) -> Overrides {
        self.connection.overrides()
    }
}

impl Cli {
    /// Reads a command line.
    ///
    /// # Errors
    /// clap's, worded for the terminal: a request for help or the version, or what is wrong.
    pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let mut definition = Self::command();
        let matches = definition.try_get_matches_from_mut(arguments)?;
        if let Some(name) = matches.subcommand_name() {
            refuse_check_options(&mut definition, &matches, name)?;
        }
        Self::from_arg_matches(&matches).map_err(|error| error.format(&mut definition))
    }
}

/// An option of the check beside a subcommand would have no effect, and nobody would notice.
fn refuse_check_options(
    definition: &mut clap::Command,
    matches: &ArgMatches,
    name: &str,
) -> Result<(), clap::Error> {
    let options: Vec<(String, Option<String>)> = definition
        .get_arguments()
        .filter(|option| !option.is_global_set())
        .map(|option| (option.get_id().to_string(), option.get_long().map(|long| format!("--{long}"))))
        .collect();
    for (id, option) in options {
        let given = matches.try_contains_id(&id).is_ok()
            && matches.value_source(&id) == Some(ValueSource::CommandLine);
        if given {
            let option = option.unwrap_or_else(|| "a connection string".to_owned());
            let text = format!(
                "{option} goes with a check, not before `{name}`; options of `{name}` stand behind it\n"
            );
            return Err(definition.error(clap::error::ErrorKind::ArgumentConflict, text));
        }
    }
    Ok(())
}

impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Self] {
        &Format::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()))
    }
}

impl ValueEnum for ColorChoice {
    fn value_variants<'a>() -> &'a [Self] {
        &[ColorChoice::Auto, ColorChoice::Always, ColorChoice::Never]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(match self {
            ColorChoice::Auto => "auto",
            ColorChoice::Always => "always",
            ColorChoice::Never => "never",
        }))
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let wanted = "a number of seconds above 0, such as 30 or 0.5";
    let seconds: f64 = text.parse().map_err(|_| format!("this is not {wanted}"))?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err(format!("this is not {wanted}")),
    }
}

fn patience(text: &str) -> Result<Patience, String> {
    match text {
        "inf" => Ok(Patience::Endless),
        _ => seconds(text).map(Patience::For),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> Result<Cli, clap::Error> {
        Cli::read(std::iter::once("pgtls-check").chain(arguments.iter().copied()).map(Into::into))
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn what_is_no_subcommand_is_a_connection_string() {
        let cli = read(&["host=a", "-v", "host=b"]).unwrap();
        assert!(cli.command.is_none());
        assert_eq!(cli.check.conninfo, ["host=a", "host=b"]);
        assert_eq!(cli.display.verbosity(), Verbosity::Verbose);
        assert!(matches!(read(&["demo"]).unwrap().command, Some(Command::Demo(_))));
    }

    #[test]
    fn short_h_is_the_host_and_a_question_mark_asks_for_help() {
        assert_eq!(read(&["-h", "db"]).unwrap().check.connection.host.as_deref(), Some("db".as_ref()));
        for help in ["-?", "--help"] {
            assert_eq!(read(&[help]).unwrap_err().kind(), clap::error::ErrorKind::DisplayHelp);
        }
    }

    #[test]
    fn wait_has_its_number_behind_an_equals_sign() {
        assert_eq!(read(&["--wait", "host=a"]).unwrap().check.wait, Some(Patience::Endless));
        assert_eq!(
            read(&["--wait=60", "host=a"]).unwrap().check.wait,
            Some(Patience::For(Duration::from_secs(60)))
        );
    }

    #[test]
    fn options_of_a_check_are_refused_before_a_subcommand() {
        assert!(
            read(&["--tls-only", "demo"]).unwrap_err().to_string().contains("--tls-only goes with a check")
        );
        assert!(read(&["--format", "json", "demo"]).is_ok());
        assert!(read(&["demo", "--format", "json"]).is_ok());
    }

    #[test]
    fn a_mistyped_subcommand_finds_its_neighbour_among_those_there_are() {
        let names: Vec<String> =
            Cli::command().get_subcommands().map(|command| command.get_name().to_owned()).collect();
        let mut known = crate::diagnose::SUBCOMMANDS.map(str::to_owned);
        known.sort();
        let mut sorted = names;
        sorted.sort();
        assert_eq!(sorted, known);
    }

    #[test]
    fn seconds_are_positive_numbers() {
        for bad in ["0", "-1", "x", "", "NaN", "inf", "1e30"] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
    }
}
