//! What is said of the codes in different places agrees: rules, pages, the README's list.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use pgtls_check::diagnose::catalogue::{self, HEADINGS};
use pgtls_check::stage::Stage;

fn top(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The README's list: a line a stage, codes in the order in which they are asked.
fn list() -> String {
    let codes = |stage| {
        let of_stage = catalogue::all().filter(|entry| entry.fails_in() == stage);
        of_stage.map(|entry| format!("`{}`", entry.name)).collect::<Vec<_>>().join(" · ")
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
    let codes: BTreeSet<String> = catalogue::all().map(|entry| entry.name.to_owned()).collect();
    assert_eq!(codes.len(), catalogue::all().count(), "codes are unique");
    let pages = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/diagnose/explain")).unwrap();
    let pages: BTreeSet<String> = pages
        .map(|page| page.unwrap().file_name().into_string().unwrap().trim_end_matches(".md").to_owned())
        .collect();
    assert_eq!(codes, pages);
    for code in catalogue::all() {
        assert!(
            code.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        );
        let page = catalogue::page(code, 80);
        let places: Vec<Option<usize>> = HEADINGS.iter().map(|heading| page.find(heading)).collect();
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "parts of {code}:\n{page}");
    }
}
