//! What is said of the codes in different places agrees: rules, pages, the README's list, demo faults, tests.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use pgtls_check::demo::faults;
use pgtls_check::diagnose::catalogue::{self, HEADINGS};
use pgtls_check::stage::Stage;

/// Codes that no server, file or string on one machine can cause, and the test that stages them.
const STAGED_ELSEWHERE: [(&str, &str); 3] = [
    ("dns-no-address", "tests/it/network.rs"),
    ("dns-failure", "tests/it/network.rs"),
    // A file with a root that its provider has given up; such roots have keys that nobody here has.
    ("root-retired", "src/diagnose/tests/warned.rs"),
];

fn top(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The README's list: a line a stage, codes in the order in which they are asked.
fn list() -> String {
    let codes = |stage| {
        let of_stage = catalogue::all().filter(|entry| entry.stage == stage);
        of_stage.map(|entry| format!("`{}`", entry.code)).collect::<Vec<_>>().join(" · ")
    };
    let mut list = "| stage | codes |\n| --- | --- |\n".to_owned();
    for stage in Stage::ALL {
        writeln!(list, "| {}, exit {} | {} |", stage.name(), stage.exit_status(), codes(Some(stage)))
            .unwrap();
    }
    writeln!(list, "| warnings | {} |", codes(None)).unwrap();
    list
}

#[test]
fn the_readme_lists_every_code() {
    let readme = top("README.md");
    let (_, rest) = readme.split_once("<!-- codes -->\n").expect("the list's begin");
    let (shown, _) = rest.split_once("<!-- end of codes -->").expect("the list's end");
    let list = list();
    assert_eq!(
        shown.trim(),
        list.trim(),
        "between <!-- codes --> and <!-- end of codes --> belongs:\n{list}"
    );
}

#[test]
fn each_rule_has_its_page_and_each_page_its_rule() {
    let codes: BTreeSet<String> = catalogue::all().map(|entry| entry.code.to_owned()).collect();
    assert_eq!(codes.len(), catalogue::all().count(), "codes are unique");
    let pages = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/diagnose/explain")).unwrap();
    let pages: BTreeSet<String> = pages
        .map(|page| page.unwrap().file_name().into_string().unwrap().trim_end_matches(".md").to_owned())
        .collect();
    assert_eq!(codes, pages);
    for code in &codes {
        assert!(code.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'));
        let page = catalogue::page(code, 80).unwrap();
        let places: Vec<Option<usize>> = HEADINGS.iter().map(|heading| page.find(heading)).collect();
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "parts of {code}:\n{page}");
    }
}

#[test]
fn each_code_is_staged() {
    let staged: BTreeSet<&str> = faults().iter().map(|fault| fault.code).collect();
    for entry in catalogue::all() {
        let code = entry.code;
        match STAGED_ELSEWHERE.iter().find(|(other, _)| *other == code) {
            Some((_, test)) => {
                assert!(!staged.contains(code), "{code} has a demo fault, and is still listed here");
                assert!(top(test).contains(&format!("\"{code}\"")), "{test} does not stage {code}");
            }
            None => {
                assert!(staged.contains(code), "no demo fault causes {code}");
                let page = catalogue::page(code, 80).unwrap();
                assert!(page.contains(&format!("pgtls-check demo {code}")), "how to see {code}:\n{page}");
            }
        }
    }
    for fault in faults() {
        assert!(
            catalogue::entry(fault.code).is_some(),
            "{} stages an unknown code {}",
            fault.name,
            fault.code
        );
    }
}
