//! Command-line types and help text. What the options mean is in `commands`; every option ends up in
//! [`Overrides`](crate::conninfo::Overrides), a limit or a scope, never in something global.

pub mod audit;
pub mod candidates;
pub mod check;
pub mod clients;
pub mod completions;
pub mod demo;
pub mod explain;
pub mod guide;
pub mod man;
pub mod rehearse;
pub mod roots;
pub mod target;

use std::ffi::OsString;

use clap::builder::{PossibleValue, StyledStr};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{ArgAction, ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::conninfo::{MASK, holds_secret, mask_argument, names_secret};
use crate::diagnose::SUBCOMMANDS;
use crate::report::{ColorChoice, Format, Sort, Verbosity};
use crate::secret::Secret;
use crate::text;
use audit::AuditArgs;
use check::CheckArgs;
use clients::ClientsArgs;
use completions::CompletionsArgs;
use demo::DemoArgs;
use explain::ExplainArgs;
use guide::GuideArgs;
use man::ManArgs;
use rehearse::RehearseArgs;
use roots::RootsArgs;

const EXAMPLES: &str = "Examples:
  check one server
    pgtls-check \"sslmode=verify-full sslrootcert=roots.pem host=db.example.com user=me\"
  in CI, many servers: one line per target, exit status 0 if all are verified
    pgtls-check --format json --from targets.txt
  what a diagnosis means and how to fix it
    pgtls-check explain hostname-mismatch";

/// How to begin, for a command line that names no server.
pub const SHORT_USAGE: &str = "usage: pgtls-check [OPTIONS] CONNINFO...
       pgtls-check COMMAND --help

  pgtls-check \"sslmode=verify-full sslrootcert=roots.pem host=db.example.com user=me\"
  pgtls-check demo
  pgtls-check --help
";

/// What a CONNINFO is.
const CONNINFO: &str = "A CONNINFO is \"host=... sslmode=...\" or postgresql://..., read exactly as libpq reads it, with libpq's \
     environment variables, service file, password file and default files; or a driver's (jdbc:..., Host=...;), read as that driver \
     reads it. Without an sslmode, libpq's is checked as verify-full.";

/// The exit statuses of a check.
pub const EXIT_STATUSES: [(u8, &str); 12] = [
    (0, "verified"),
    (1, "internal error"),
    (2, "usage or connection string"),
    (3, "trust or key files"),
    (4, "DNS"),
    (5, "TCP"),
    (6, "negotiation"),
    (7, "TLS handshake"),
    (8, "certificate"),
    (9, "authentication or session"),
    (10, "a requested policy is not met"),
    (130, "interrupted (SIGINT; 129: SIGHUP, 143: SIGTERM)"),
];

/// The exit status of several targets.
pub const EXIT_STATUS_OF_MANY: &str =
    "With several targets: 0 if all are verified, otherwise the lowest non-zero status.";

fn after_help() -> String {
    let statuses = EXIT_STATUSES.map(|(status, meaning)| format!("{status} {meaning}")).join(", ");
    format!("{CONNINFO}\n\nExit status: {statuses}. {EXIT_STATUS_OF_MANY}")
}

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "pgtls-check",
    version,
    about = "Verifies TLS connections to PostgreSQL and, when one fails, says why and how to fix it",
    before_help = EXAMPLES,
    after_help = after_help(),
    disable_help_flag = true,
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
    /// Show what the server accepts: protocol versions, cipher suites, groups, direct TLS, plaintext
    Audit(Box<AuditArgs>),
    /// Tell whether a certificate file, put on a server, would serve clients; offline
    Rehearse(Box<RehearseArgs>),
    /// Show a root file, compare it with a provider's roots, export a provider's roots
    Roots(RootsArgs),
    /// Show how to configure the same verified connection in each driver
    Clients(ClientsArgs),
    /// Explain a diagnosis or an error text; without an argument, list all diagnoses
    Explain(ExplainArgs),
    /// Check an embedded server, healthy or with a fault
    Demo(DemoArgs),
    /// Show a page of the manual; without an argument, list the pages
    Guide(GuideArgs),
    /// Print the completions for a shell
    Completions(CompletionsArgs),
    /// Print the manual page, of pgtls-check or of a command
    Man(ManArgs),
}

/// What to show and how.
#[derive(Debug, Default, Args)]
pub struct DisplayArgs {
    /// Format of the report
    #[arg(long, value_name = "FMT", default_value = "human", global = true, help_heading = "Output")]
    pub format: Format,
    /// Short for --format json
    #[arg(long, global = true, conflicts_with = "format", help_heading = "Output")]
    pub json: bool,
    /// When to use colours
    #[arg(long, value_name = "WHEN", default_value = "auto", global = true, help_heading = "Output")]
    pub color: ColorChoice,
    /// No colours, symbols, columns or redrawn lines, as in a file: for screen readers
    #[arg(long, global = true, help_heading = "Output")]
    pub plain: bool,
    /// Also show the chain, timings, protocol details and effective settings
    #[arg(short, long, global = true, conflicts_with = "quiet", help_heading = "Output")]
    pub verbose: bool,
    /// Print errors only
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

impl Cli {
    /// Reads a command line.
    ///
    /// # Errors
    /// clap's, worded for the terminal: a request for help or the version, or what is wrong.
    pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let arguments: Vec<OsString> = arguments.into_iter().collect();
        let mut cli = Self::parsed(&arguments).map_err(|error| fit_to_be_shown(error, &arguments))?;
        if cli.display.json {
            cli.display.format = Format::Json;
        }
        Ok(cli)
    }

    /// The format that a command line names, be the rest of it as it may.
    pub fn format_named(arguments: impl IntoIterator<Item = OsString>) -> Option<Format> {
        let mut named = None;
        let mut follows = false;
        for argument in arguments {
            let Some(argument) = argument.to_str() else { continue };
            if std::mem::replace(&mut follows, argument == "--format") {
                named = Format::named(argument);
            }
            if let Some(name) = argument.strip_prefix("--format=") {
                named = Format::named(name);
            }
            if argument == "--json" {
                named = Some(Format::Json);
            }
        }
        named
    }

    /// What a command line says that has nothing but connection strings and some options without a value. To define all
    /// options takes a tenth of the instructions of a check. `None` for any other.
    fn plain_check(arguments: &[OsString]) -> Option<Self> {
        let mut cli =
            Self { command: None, check: CheckArgs::default(), display: DisplayArgs::default(), help: None };
        for argument in arguments.get(1..)? {
            if !argument.as_encoded_bytes().starts_with(b"-") {
                cli.check.conninfo.push(Secret::new(argument.as_encoded_bytes().to_vec()));
                continue;
            }
            let option = match argument.to_str()? {
                "--tls-only" => &mut cli.check.tls_only,
                "--verbose" | "-v" => &mut cli.display.verbose,
                "--json" => &mut cli.display.json,
                _ => return None,
            };
            // Twice is an error.
            if std::mem::replace(option, true) {
                return None;
            }
        }
        Some(cli)
    }

    /// What a command line says in which no subcommand can be. To define those takes longer than all of a check does until
    /// it connects. `None` for what needs them: to name them in help and in errors.
    fn check_alone(arguments: &[OsString]) -> Option<Result<Self, clap::Error>> {
        let root = clap::Command::new(env!("CARGO_PKG_NAME"))
            .version(env!("CARGO_PKG_VERSION"))
            .disable_help_flag(true);
        let mut definition = DisplayArgs::augment_args(CheckArgs::augment_args(root));
        match definition.try_get_matches_from_mut(arguments) {
            Ok(matches) => {
                let check = CheckArgs::from_arg_matches(&matches).ok()?;
                let display = DisplayArgs::from_arg_matches(&matches).ok()?;
                Some(Ok(Self { command: None, check, display, help: None }))
            }
            Err(answer) => (answer.kind() == ErrorKind::DisplayVersion).then_some(Err(answer)),
        }
    }

    fn parsed(arguments: &[OsString]) -> Result<Self, clap::Error> {
        if !names_subcommand(arguments) {
            if let Some(cli) = Self::plain_check(arguments) {
                return Ok(cli);
            }
            if let Some(read) = Self::check_alone(arguments) {
                return read;
            }
        }
        let mut definition = Self::command();
        let matches = definition.try_get_matches_from_mut(arguments)?;
        if let Some(name) = matches.subcommand_name() {
            refuse_check_options(&mut definition, &matches, name)?;
        }
        Self::from_arg_matches(&matches).map_err(|error| error.format(&mut definition))
    }
}

fn names_subcommand(arguments: &[OsString]) -> bool {
    arguments.iter().any(|argument| SUBCOMMANDS.iter().any(|name| argument == name))
}

/// A refusal of clap's with what it repeats of the arguments made printable, and masked where it may be a secret: a
/// connection string without its quotes is many arguments.
fn fit_to_be_shown(mut error: clap::Error, arguments: &[OsString]) -> clap::Error {
    suggest_subcommand(&mut error);
    suggest_instead(&mut error, arguments);
    let is_secret =
        matches!(error.get(ContextKind::InvalidArg), Some(ContextValue::String(name)) if names_secret(name));
    let texts: Vec<(ContextKind, String)> = error
        .context()
        .filter_map(|(kind, value)| match (kind, value) {
            (
                ContextKind::InvalidArg
                | ContextKind::InvalidValue
                | ContextKind::InvalidSubcommand
                | ContextKind::TrailingArg,
                ContextValue::String(text),
            ) => Some((kind, text.clone())),
            _ => None,
        })
        .collect();
    // A word behind a password may be the rest of it.
    let names_one = |argument: &OsString| {
        let text = argument.to_string_lossy();
        holds_secret(text.as_bytes()) || names_secret(text.trim_end_matches(['=', ':']))
    };
    let follows = |text: &str| {
        let at = arguments.iter().position(|argument| argument.to_str() == Some(text));
        arguments.iter().take(at.unwrap_or(arguments.len())).skip(1).any(names_one)
    };
    for (kind, text) in texts {
        let shown = match kind {
            ContextKind::InvalidValue if is_secret => MASK.to_owned(),
            _ if !text.starts_with('-') && !text.contains('=') && follows(&text) => MASK.to_owned(),
            _ => mask_argument(text.as_bytes()),
        };
        error.insert(kind, ContextValue::String(shown));
    }
    // clap's advice repeats the argument too. Sound advice is as it was.
    if let Some(ContextValue::StyledStrs(advice)) = error.get(ContextKind::Suggested) {
        let is_sound = |advice: &StyledStr| {
            let text = advice.to_string();
            mask_argument(text.as_bytes()) == text
        };
        let advice = advice.iter().filter(|advice| is_sound(advice)).cloned().collect();
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(advice));
    }
    error
}

/// Adds the neighbour of a mistyped subcommand where clap has none: behind `help`.
fn suggest_subcommand(error: &mut clap::Error) {
    let Some(ContextValue::String(typed)) = error.get(ContextKind::InvalidSubcommand) else { return };
    if let Some(found) = text::nearest(typed, SUBCOMMANDS)
        && error.get(ContextKind::SuggestedSubcommand).is_none()
    {
        error.insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(vec![found.to_owned()]));
    }
}

/// Of an option that is none and has no neighbour: the libpq setting that it names, or the subcommand that was mistyped before
/// it.
fn suggest_instead(error: &mut clap::Error, arguments: &[OsString]) {
    if error.kind() != ErrorKind::UnknownArgument || error.get(ContextKind::SuggestedArg).is_some() {
        return;
    }
    let Some(ContextValue::String(typed)) = error.get(ContextKind::InvalidArg) else { return };
    let plain = |text: &str| text.replace(['-', '_'], "").to_ascii_lowercase();
    let option = plain(typed.split('=').next().unwrap_or_default());
    let is_meant = |keyword: &&str| {
        let keyword = plain(keyword);
        keyword == option || (option.len() > 5 && keyword.ends_with(&option))
    };
    let setting = match option.as_str() {
        "ca" | "cacert" | "cafile" | "sslca" => Some("sslrootcert"),
        _ => crate::conninfo::options::OPTIONS.iter().map(|option| option.keyword).find(is_meant),
    };
    let word = |at: usize| arguments.get(at).and_then(|word| word.to_str());
    if word(1) == Some("clients") && word(2).is_some_and(|name| crate::clients::table::find(name).is_some()) {
        let advice = StyledStr::from("a client is named with --for");
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![advice]));
        return;
    }
    let subcommand = word(1).filter(|first| !first.contains('='));
    let subcommand =
        subcommand.and_then(|first| text::nearest(first, SUBCOMMANDS).filter(|found| *found != first));
    let advice = match (setting, subcommand) {
        (Some(setting), _) => format!("it is a setting of the connection string: {setting}=..."),
        (None, Some(found)) => format!("did you mean the subcommand {found}?"),
        (None, None) => return,
    };
    error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![StyledStr::from(advice)]));
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
            return Err(definition.error(ErrorKind::ArgumentConflict, text));
        }
    }
    Ok(())
}

impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Self] {
        Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()))
    }
}

impl ValueEnum for Sort {
    fn value_variants<'a>() -> &'a [Self] {
        Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()))
    }
}

impl ValueEnum for ColorChoice {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Auto, Self::Always, Self::Never]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(match self {
            Self::Auto => "auto",
            Self::Always => "always",
            Self::Never => "never",
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::check::WaitLimit;

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
        let strings: Vec<&[u8]> = cli.check.conninfo.iter().map(Secret::expose).collect();
        assert_eq!(strings, [b"host=a", b"host=b"]);
        assert_eq!(cli.display.verbosity(), Verbosity::Verbose);
        assert!(matches!(read(&["demo"]).unwrap().command, Some(Command::Demo(_))));
    }

    #[test]
    fn a_check_is_read_as_the_whole_command_line_is() {
        let lines: [&[&str]; 5] = [
            &["host=a"],
            &["-v", "--format=json", "host=a", "--", "-b"],
            &["--wait=6", "--deny", "a,b", "-W", "host=a", "--color", "never"],
            &["--from", "list", "--jobs", "3", "-h", "b", "-U", "c", "-d", "host=a"],
            &[],
        ];
        for line in lines {
            let arguments: Vec<OsString> =
                std::iter::once("pgtls-check").chain(line.iter().copied()).map(Into::into).collect();
            let alone = Cli::check_alone(&arguments).expect("no subcommand is in it").unwrap();
            let matches = Cli::command().get_matches_from(&arguments);
            let whole = Cli::from_arg_matches(&matches).unwrap();
            assert_eq!(format!("{alone:?}"), format!("{whole:?}"), "{line:?}");
        }
        for line in [["pgtls-check", "--help"], ["pgtls-check", "--tls-onyl"]] {
            assert!(Cli::check_alone(&line.map(Into::into)).is_none(), "{line:?}");
        }
        assert_eq!(read(&["--version"]).unwrap_err().to_string(), Cli::command().render_version());
    }

    #[test]
    fn a_plain_check_is_read_as_the_whole_command_line_is() {
        let words = ["--tls-only", "-v", "--verbose", "--json", "host=a", "postgresql://b", ""];
        let (mut plain, mut others) = (0, 0);
        let mut lines: Vec<Vec<&str>> = vec![vec![]];
        for _ in 0..3 {
            lines = lines.iter().flat_map(|line| words.map(|word| [&line[..], &[word]].concat())).collect();
            for line in &lines {
                let arguments: Vec<OsString> =
                    std::iter::once(&"pgtls-check").chain(line).map(Into::into).collect();
                let whole = Cli::command().try_get_matches_from(&arguments);
                match (Cli::plain_check(&arguments), whole) {
                    (Some(cli), Ok(whole)) => {
                        let whole = Cli::from_arg_matches(&whole).unwrap();
                        assert_eq!(format!("{cli:?}"), format!("{whole:?}"), "{line:?}");
                        plain += 1;
                    }
                    (None, Err(_)) => others += 1,
                    (cli, whole) => panic!("{line:?}: {cli:?}, {whole:?}"),
                }
            }
        }
        assert!(plain > 100 && others > 50, "{plain} {others}");
        for line in [["pgtls-check", "--format=json"], ["pgtls-check", "-"], ["pgtls-check", "--"]] {
            assert!(Cli::plain_check(&line.map(Into::into)).is_none(), "{line:?}");
        }
        let none = Cli::from_arg_matches(&Cli::command().get_matches_from(["pgtls-check"])).unwrap();
        assert_eq!(format!("{:?}", Cli::plain_check(&["pgtls-check".into()]).unwrap()), format!("{none:?}"));
    }

    #[test]
    fn short_h_is_the_host_and_a_question_mark_asks_for_help() {
        assert_eq!(read(&["-h", "db"]).unwrap().check.connection.host.as_deref(), Some("db".as_ref()));
        for help in ["-?", "--help"] {
            assert_eq!(read(&[help]).unwrap_err().kind(), ErrorKind::DisplayHelp);
        }
    }

    #[test]
    fn wait_has_its_number_behind_an_equals_sign() {
        assert_eq!(read(&["--wait", "host=a"]).unwrap().check.wait, Some(WaitLimit::Endless));
        assert_eq!(
            read(&["--wait=60", "host=a"]).unwrap().check.wait,
            Some(WaitLimit::For(Duration::from_secs(60)))
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
    fn json_is_short_for_a_format() {
        for arguments in
            [&["--json", "host=a"][..], &["host=a", "--json"], &["demo", "--json"], &["--json", "demo"]]
        {
            assert_eq!(read(arguments).unwrap().display.format, Format::Json, "{arguments:?}");
        }
        assert!(read(&["--json", "--format", "csv", "host=a"]).is_err());
    }

    #[test]
    fn each_command_has_an_example() {
        fn look(within: &str, command: &clap::Command) {
            let name = format!("{within} {}", command.get_name());
            let examples = command.get_before_help().map(ToString::to_string).unwrap_or_default();
            assert!(examples.starts_with("Example") && examples.contains(&name), "{name}: {examples}");
            command.get_subcommands().for_each(|inner| look(&name, inner));
        }
        let definition = Cli::command();
        assert!(definition.get_before_help().unwrap().to_string().starts_with("Examples:"));
        definition.get_subcommands().for_each(|command| look("pgtls-check", command));
    }

    #[test]
    fn a_mistyped_subcommand_finds_its_neighbour_among_those_there_are() {
        let mut built = Cli::command();
        built.build();
        let names: Vec<String> =
            built.get_subcommands().map(|command| command.get_name().to_owned()).collect();
        let mut known = crate::diagnose::SUBCOMMANDS.map(str::to_owned);
        known.sort();
        let mut sorted = names;
        sorted.sort();
        assert_eq!(sorted, known);
    }
}
