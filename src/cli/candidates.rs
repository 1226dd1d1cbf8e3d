//! What a shell offers where an argument takes one of a list of ours. The arguments themselves stay free texts: what is
//! mistyped gets its nearest neighbour from where it is looked up, not a list of 150 codes.

use clap::Command;
use clap::builder::{PossibleValue, PossibleValuesParser};

use crate::clients::dialect;
use crate::clients::table;
use crate::demo;
use crate::diagnose::{Code, SUBCOMMANDS, catalogue};
use crate::guide;
use crate::provider::{self, PROVIDERS};

/// A list: names, and what they mean in a line where that is known.
type Candidates = fn() -> Vec<(&'static str, &'static str)>;

/// The arguments, by command and identifier, and what can stand there.
const CANDIDATES: &[(&[&str], &str, Candidates)] = &[
    (&[], "deny", warnings),
    (&[], "allow", warnings),
    (&[], "dialect", dialects),
    (&["audit"], "deny", warnings),
    (&["audit"], "allow", warnings),
    (&["audit"], "dialect", dialects),
    (&["clients"], "dialect", dialects),
    (&["clients"], "only", clients),
    (&["demo"], "fault", faults),
    (&["explain"], "topic", codes),
    (&["guide"], "topic", guides),
    (&["man"], "command", commands),
    (&["rehearse"], "deny", warnings),
    (&["rehearse"], "allow", warnings),
    (&["rehearse"], "dialect", dialects),
    (&["roots", "check"], "provider", providers),
    (&["roots", "export"], "provider", bundles),
];

/// The definition with the candidates of its arguments: for completions, not for reading a command line.
pub fn with_candidates(definition: Command) -> Command {
    // `-?` is a pattern to fish and stands unquoted in its script.
    let definition = definition.mut_arg("help", |help| help.short(None));
    CANDIDATES.iter().fold(definition, |definition, (path, argument, candidates)| {
        let values = candidates().into_iter().map(|(name, help)| {
            let value = PossibleValue::new(name);
            if help.is_empty() { value } else { value.help(help) }
        });
        offered(definition, path, argument, PossibleValuesParser::new(values))
    })
}

fn offered(definition: Command, path: &[&str], argument: &str, values: PossibleValuesParser) -> Command {
    match path {
        [] => definition.mut_arg(argument, |argument| argument.value_parser(values)),
        [name, below @ ..] => {
            definition.mut_subcommand(name, |command| offered(command, below, argument, values))
        }
    }
}

fn codes() -> Vec<(&'static str, &'static str)> {
    catalogue::all().map(named).collect()
}

fn guides() -> Vec<(&'static str, &'static str)> {
    guide::PAGES.iter().map(|page| (page.topic, page.title())).collect()
}

fn warnings() -> Vec<(&'static str, &'static str)> {
    catalogue::warnings().map(named).collect()
}

fn named(code: &'static Code) -> (&'static str, &'static str) {
    (code.name, code.title)
}

fn faults() -> Vec<(&'static str, &'static str)> {
    demo::faults().iter().map(|fault| (fault.name, fault.about)).collect()
}

fn clients() -> Vec<(&'static str, &'static str)> {
    table::all().map(|client| (client.name, client.title)).collect()
}

fn dialects() -> Vec<(&'static str, &'static str)> {
    dialect::all().map(|dialect| (dialect.name, "")).collect()
}

fn providers() -> Vec<(&'static str, &'static str)> {
    PROVIDERS.iter().map(|provider| (provider.id, provider.name)).collect()
}

fn bundles() -> Vec<(&'static str, &'static str)> {
    let mut listed = providers();
    listed.retain(|(id, _)| provider::bundle(id).is_some());
    listed
}

fn commands() -> Vec<(&'static str, &'static str)> {
    SUBCOMMANDS.iter().map(|name| (*name, "")).collect()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn every_argument_with_candidates_exists() {
        with_candidates(Cli::command()).debug_assert();
    }

    #[test]
    fn every_list_has_names_that_are_found_again() {
        type IsKnown = fn(&str) -> bool;
        let found: [(Candidates, IsKnown); 7] = [
            (codes, |name| catalogue::code(name).is_some()),
            (warnings, |name| catalogue::code(name).is_some()),
            (faults, |name| demo::fault(name).is_some()),
            (clients, |name| table::find(name).is_some()),
            (dialects, |name| dialect::find(name).is_some()),
            (providers, |name| provider::by_id(name).is_some()),
            (bundles, |name| provider::bundle(name).is_some()),
        ];
        for (list, is_known) in found {
            assert!(!list().is_empty());
            assert!(list().into_iter().all(|(name, _)| is_known(name)), "{:?}", list());
        }
    }
}
