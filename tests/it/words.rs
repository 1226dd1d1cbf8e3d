//! The words of everything that a person reads: none of a list of words and phrases that mislead, because they are not
//! the field's own or mean something else to a reader in a hurry (`.github/CONTRIBUTING.md`, "Messages").

use std::fs;
use std::path::{Path, PathBuf};

use pgtls_check::demo::faults;
use pgtls_check::diagnose::recognise::texts;
use pgtls_check::diagnose::{catalogue, terms};

use crate::support::home::Home;
use crate::support::parallel::each;
use crate::support::tool::Tool;

/// What no text contains, and what it says in its place. Each stands between other characters than letters.
const AVOIDED: &[(&str, &str)] = &[
    ("anew", "again"),
    ("for ever", "forever"),
    ("parted by", "separated by"),
    ("on the way", "in between"),
    ("next sign", "next character"),
    ("hold against", "compare with"),
    ("held against", "compared with"),
    ("hold it against", "compare it with"),
    ("holds it against", "compares it with"),
    ("is no good", "is invalid"),
    ("are no good", "are invalid"),
    ("given up", "retired"),
    ("hangs up", "closes the connection"),
    ("hang up", "close the connection"),
    ("falls silent", "stops responding"),
    ("says nothing", "does not respond"),
    ("are well", "succeeded"),
    ("is well", "succeeded"),
    ("all is well", "no problems"),
    ("present root", "current root"),
    ("present roots", "current roots"),
    ("present certificate", "current certificate"),
    ("present CRL", "current CRL"),
    ("nobody in", "not in"),
    ("handed round", "shared"),
    ("is sure that", "(the answer itself: NXDOMAIN)"),
    ("at hand", "available"),
    ("slip of the hand", "typing error"),
    ("takes nothing else", "accepts no other value"),
    ("no way to", "no route to"),
    ("no way there", "no route to host"),
    ("for other names than", "not valid for"),
    ("belong into", "belong in"),
    ("belongs into", "belongs in"),
    ("eats", "removes"),
    ("eaten", "removed"),
    ("let in", "accepted"),
    ("lets in", "accepts"),
    ("whoever listens", "the listener"),
    ("as a role that may", "as a superuser or a role with CREATEROLE"),
    ("begins it anew", "starts a TLS connection of its own"),
    ("stands there", "found"),
    ("with the private key that", "the private key of"),
    ("wait for it", "until it answers"),
    ("one an offer", "one per offer"),
    ("blanks round", "spaces around"),
    ("shut out", "blocked"),
    ("of one's own", "own"),
    ("such a one", "one"),
];

/// The first phrase that a text should not contain.
fn avoided(text: &str) -> Option<(&'static str, &'static str)> {
    let text = text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
    let bounded = |phrase: &str| {
        text.match_indices(&phrase.to_lowercase()).any(|(at, found)| {
            let before = text[..at].chars().next_back();
            let after = text[at + found.len()..].chars().next();
            [before, after].iter().all(|side| side.is_none_or(|side| !side.is_alphanumeric()))
        })
    };
    AVOIDED.iter().copied().find(|(phrase, _)| bounded(phrase))
}

#[track_caller]
fn fine(what: &str, text: &str) {
    for paragraph in text.split("\n\n") {
        if let Some((phrase, better)) = avoided(paragraph) {
            panic!("{what}: {phrase:?} (better: {better:?}) in\n{paragraph}");
        }
    }
}

#[test]
fn a_phrase_is_found_across_lines_and_not_within_a_word() {
    for text in ["libpq waits for ever", "held for\n  ever,", "For ever."] {
        assert_eq!(avoided(text).map(|(phrase, _)| phrase), Some("for ever"), "{text}");
    }
    for text in ["forever", "for everybody", "heats the room", "renew"] {
        assert_eq!(avoided(text), None, "{text}");
    }
}

#[test]
fn every_page_of_the_catalogue_keeps_to_the_words() {
    for code in catalogue::all() {
        fine(code.name, code.title);
        let page = catalogue::page(code, 100);
        fine(code.name, &page);
    }
}

#[test]
fn every_answer_of_explain_keeps_to_the_words() {
    for known in texts() {
        for reading in known.readings() {
            for words in [reading.what, reading.tell, reading.fix] {
                fine(known.pattern, words);
            }
        }
    }
    for term in terms::all() {
        for words in [term.what, term.so] {
            fine(term.names[0], words);
        }
    }
}

/// Diagnosis, warnings, stages and wire facts as a person reads them.
#[test]
fn every_report_of_a_staged_fault_keeps_to_the_words() {
    each(
        faults(),
        |fault| fault.name,
        |fault| {
            let home = Home::new();
            let report = Tool::at(&home).with(["demo", fault.name, "-v"]).run();
            match report.stdout.split("\n").find_map(|line| avoided(line).map(|found| (line, found))) {
                Some((line, (phrase, better))) => Err(format!("{phrase:?} (better: {better:?}) in {line}")),
                None => Ok(()),
            }
        },
    );
}

#[test]
fn every_help_text_keeps_to_the_words() {
    let home = Home::new();
    for command in [
        &["--help"][..],
        &["audit", "--help"],
        &["roots", "--help"],
        &["roots", "list", "--help"],
        &["roots", "show", "--help"],
        &["roots", "check", "--help"],
        &["roots", "export", "--help"],
        &["roots", "convert", "--help"],
        &["clients", "--help"],
        &["explain", "--help"],
        &["demo", "--help"],
        &["guide", "--help"],
    ] {
        let tool = command.iter().fold(Tool::at(&home), |tool, word| tool.with([*word]));
        let report = tool.run();
        report.exits(0);
        fine(&command.join(" "), &report.stdout);
    }
}

fn top(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

#[test]
fn every_guide_keeps_to_the_words() {
    for path in ["README.md", "certs/README.md", "src/architecture.md", ".github/CHANGELOG.md"] {
        fine(path, &fs::read_to_string(top(path)).unwrap());
    }
    let pages = fs::read_dir(top("src/guide")).unwrap().map(|page| page.unwrap().path());
    let pages = pages.filter(|page| page.extension().is_some_and(|end| end == "md"));
    let forms = fs::read_dir(top(".github/ISSUE_TEMPLATE")).unwrap().map(|form| form.unwrap().path());
    for path in pages.chain(forms) {
        fine(&path.display().to_string(), &fs::read_to_string(&path).unwrap());
    }
}
