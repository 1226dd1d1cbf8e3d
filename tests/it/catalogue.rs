//! What is said of the codes in different places agrees: rules, pages, the README's list.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

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

/// Words of the sources that are spelt like a code and mean something else, with the file.
const OTHER_WORDS: &[(&str, &str)] = &[
    // A difference of a client's; these have a list of codes of their own.
    ("clients/difference.rs", "ca-as-server-certificate"),
    // What a certificate of a file is.
    ("trust/contents.rs", "self-signed"),
];

/// The text of a source file without its tests.
fn without_tests(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned()
}

fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "tests" {
            sources(&path, found);
        } else if name.ends_with(".rs") && name != "tests.rs" {
            found.push(path);
        }
    }
}

/// Where a code's name stands as a string: `(file, declared here)`.
fn mentions(code: &str, files: &[(String, String)]) -> Vec<(String, bool)> {
    let name = format!("\"{code}\"");
    let declaration = format!("    name: {name},");
    files
        .iter()
        .flat_map(|(file, text)| {
            let lines = text.lines().filter(|line| line.contains(&name));
            lines.map(|line| (file.clone(), line == declaration)).collect::<Vec<_>>()
        })
        .collect()
}

/// Only a declaration has the name of a code as a string; all else refers to the value. Demo faults are named after it.
#[test]
fn a_code_is_named_once() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    sources(&root, &mut paths);
    let named = |path: PathBuf| {
        let file = path.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
        (file, without_tests(&path))
    };
    let files: Vec<(String, String)> =
        paths.into_iter().map(named).filter(|(file, _)| !file.starts_with("demo/faults/")).collect();
    assert!(files.len() > 100);
    for code in catalogue::all() {
        let mut found = mentions(code.name, &files);
        found.retain(|(file, _)| !OTHER_WORDS.contains(&(file.as_str(), code.name)));
        let declared = found.iter().filter(|(_, declares)| *declares).count();
        assert!(declared == 1 && found.len() == 1, "{code}: declared once and nowhere else, not {found:?}");
    }
    for (file, word) in OTHER_WORDS {
        let text = files.iter().find(|(name, _)| name == file).map_or("", |(_, text)| text.as_str());
        assert!(text.contains(&format!("\"{word}\"")), "{word} no longer stands in {file}");
    }
}
