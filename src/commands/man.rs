//! `man`: manual pages for man(1), one a command, made of the definition of the command line.

use std::io;

use anyhow::Context as _;
use clap::CommandFactory as _;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, italic, roman};

use super::{Streams, Usage};
use crate::cli::man::ManArgs;
use crate::cli::{Cli, EXIT_STATUS_OF_MANY, EXIT_STATUSES};
use crate::conninfo::{mask_argument, mask_path};
use crate::text;

/// When what the pages say changed last.
const DATE: &str = "2026-11-29";

const DESCRIPTION: &str = "pgtls-check reads a connection string as psql does, connects, and reports whether the server was \
     verified as the sslmode demands. If it was not, the report names the cause, shows the evidence and offers a fix that \
     never lowers the verification. Results go to standard output, remarks to standard error; no password is ever shown.";

/// Variables and what they do.
const ENVIRONMENT: [(&str, &str); 5] = [
    (
        "PGHOST, PGPORT, PGUSER, PGSSLMODE, PGSSLROOTCERT, ...",
        "All variables of libpq, as psql reads them. They count where the connection string and the service say nothing.",
    ),
    (
        "SSL_CERT_FILE, SSL_CERT_DIR",
        "The system's roots for sslrootcert=system, in place of the directories that OpenSSL was built with.",
    ),
    ("NO_COLOR, CLICOLOR, CLICOLOR_FORCE, TERM", "Whether to use colours, unless --color says so."),
    ("LC_ALL, LC_CTYPE, LANG", "Characters beyond ASCII are written in a UTF-8 locale only."),
    ("APPDATA", "On Windows, where the directory postgresql with the files below is looked for."),
];

/// Files and what they are; on Windows under `%APPDATA%\postgresql` (fe-connect.c, pqGetHomeDirectory).
const FILES: [(&str, &str); 6] = [
    ("~/.postgresql/root.crt", "The root certificates, unless sslrootcert names others."),
    ("~/.postgresql/postgresql.crt, ~/.postgresql/postgresql.key", "The client certificate and its key."),
    ("~/.postgresql/root.crl", "The certificate revocation list."),
    ("~/.pg_service.conf", "Services: named sets of connection parameters."),
    ("~/.pgpass", "Passwords; ignored if others may read it."),
    (
        "%APPDATA%\\postgresql",
        "On Windows, the directory of these files: root.crt, postgresql.crt, postgresql.key, root.crl, .pg_service.conf, pgpass.conf.",
    ),
];

pub(super) fn run(arguments: &ManArgs, streams: &mut Streams<'_>) -> anyhow::Result<u8> {
    let mut definition = Cli::command().disable_help_subcommand(true);
    definition.build();
    let definition = with_values_in_words(definition);
    if let Some(directory) = &arguments.directory {
        for command in family(&definition) {
            let path = directory.join(format!("{}.1", name(command)));
            std::fs::write(&path, page(command)?).with_context(|| mask_path(&path))?;
        }
        return Ok(0);
    }
    let command = named(&definition, &arguments.command)?;
    streams.out.write_all(&page(command)?)?;
    streams.out.flush()?;
    Ok(0)
}

/// The definition with the possible values of an argument in its help. clap_mangen's list of them makes man and mandoc
/// warn of paragraphs without text.
fn with_values_in_words(definition: clap::Command) -> clap::Command {
    let definition = definition.mut_args(|argument| {
        let values = argument.get_possible_values();
        if values.is_empty() || argument.get_help().is_none() || !argument.get_action().takes_values() {
            return argument;
        }
        let values = values.iter().map(|value| value.get_name()).collect::<Vec<_>>().join(", ");
        let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
        argument.help(format!("{help}: {values}")).hide_possible_values(true)
    });
    let names: Vec<String> = definition.get_subcommands().map(|below| below.get_name().to_owned()).collect();
    names
        .into_iter()
        .fold(definition, |definition, name| definition.mut_subcommand(name, with_values_in_words))
}

/// A command and those below it.
fn family(command: &clap::Command) -> Vec<&clap::Command> {
    std::iter::once(command).chain(command.get_subcommands().flat_map(family)).collect()
}

fn named<'a>(definition: &'a clap::Command, words: &[String]) -> Result<&'a clap::Command, Usage> {
    words.iter().try_fold(definition, |command, word| {
        command.find_subcommand(word).ok_or_else(|| {
            let names = command.get_subcommands().map(clap::Command::get_name);
            let nearest = text::nearest(word, names).map(|name| format!("; did you mean {name}?"));
            let word = mask_argument(word.as_bytes());
            Usage(format!("there is no command \"{word}\"{}", nearest.unwrap_or_default()))
        })
    })
}

fn name(command: &clap::Command) -> &str {
    command.get_display_name().unwrap_or_else(|| command.get_name())
}

fn page(command: &clap::Command) -> io::Result<Vec<u8>> {
    let version = format!("pgtls-check {}", env!("CARGO_PKG_VERSION"));
    let is_whole = command.get_name() == name(command);
    let man = Man::new(command.clone()).date(DATE).source(version).manual("pgtls-check");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    let mut roff = Roff::new();
    description(&mut roff, command, is_whole);
    roff.to_writer(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    let mut roff = Roff::new();
    if is_whole {
        exit_status(&mut roff);
        list(&mut roff, "ENVIRONMENT", &ENVIRONMENT);
        list(&mut roff, "FILES", &FILES);
    }
    examples(&mut roff, command);
    see_also(&mut roff, command, is_whole);
    roff.to_writer(&mut page)?;
    Ok(page)
}

/// What it does, and what stands behind the options in the help, but for the exit statuses, which have a section.
fn description(roff: &mut Roff, command: &clap::Command, is_whole: bool) {
    roff.control("SH", ["DESCRIPTION"]);
    let about = command.get_about().map(|about| format!("{about}.")).unwrap_or_default();
    roff.text([roman(if is_whole { DESCRIPTION.to_owned() } else { about })]);
    let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    for paragraph in after.split("\n\n").filter(|text| !text.is_empty() && !text.starts_with("Exit status")) {
        roff.control("PP", []);
        roff.text([roman(paragraph)]);
    }
}

fn exit_status(roff: &mut Roff) {
    roff.control("SH", ["EXIT STATUS"]);
    for (status, meaning) in EXIT_STATUSES {
        roff.control("TP", []);
        roff.text([bold(status.to_string())]);
        roff.text([roman(meaning)]);
    }
    roff.control("PP", []);
    roff.text([roman(EXIT_STATUS_OF_MANY)]);
}

fn list(roff: &mut Roff, heading: &str, entries: &[(&str, &str)]) {
    roff.control("SH", [heading]);
    for (term, text) in entries {
        roff.control("TP", []);
        roff.text([italic(*term)]);
        roff.text([roman(*text)]);
    }
}

/// The examples of the help: a line that says what, and below it the command, further in.
fn examples(roff: &mut Roff, command: &clap::Command) {
    let examples = command.get_before_help().map(ToString::to_string).unwrap_or_default();
    let mut lines = examples.lines().skip(1).peekable();
    if lines.peek().is_some() {
        roff.control("SH", ["EXAMPLES"]);
    }
    for (number, line) in lines.enumerate() {
        match line.strip_prefix("    ") {
            Some(typed) => {
                roff.control("RS", ["4"]);
                roff.control("nf", []);
                roff.text([bold(typed)]);
                roff.control("fi", []);
                roff.control("RE", []);
            }
            None => {
                if number > 0 {
                    roff.control("PP", []);
                }
                roff.text([roman(line.trim())]);
            }
        }
    }
}

fn see_also(roff: &mut Roff, command: &clap::Command, is_whole: bool) {
    roff.control("SH", ["SEE ALSO"]);
    let parent = name(command).strip_suffix(command.get_name()).map(|name| name.trim_end_matches('-'));
    match parent.filter(|_| !is_whole) {
        Some(parent) => roff.text([bold(parent), roman("(1)")]),
        None => roff.text([bold("psql"), roman("(1), "), bold("openssl"), roman("(1)")]),
    };
}
