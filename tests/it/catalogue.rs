//! The codes and what is said of them in different places: rules, pages, the manual's list, the changelog's of each
//! release.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use pgtls_check::diagnose::catalogue::{self, HEADINGS};
use pgtls_check::diagnose::codes;
use pgtls_check::stage::Stage;
use pgtls_check::text::width;

fn top(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The manual's list: a line a stage, codes in the order in which they are asked.
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
fn the_manual_lists_every_code() {
    let page = top("src/guide/output.md");
    let (_, rest) = page.split_once("<!-- codes -->\n").expect("the list's begin");
    let (shown, _) = rest.split_once("<!-- end of codes -->").expect("the list's end");
    let list = list();
    assert_eq!(
        shown.trim(),
        list.trim(),
        "between <!-- codes --> and <!-- end of codes --> belongs:\n{list}"
    );
}

/// The codes of a table: stage, name.
fn listed(table: &str) -> impl Iterator<Item = (&str, &str)> {
    table.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" | ")).flat_map(|(stage, codes)| {
        let names = codes.split('`').skip(1).step_by(2);
        names.map(move |name| (stage, name))
    })
}

/// Those of a release that `--wait` tries again, from the line below its table.
fn retried(release: &str) -> BTreeSet<&str> {
    let line = release.lines().find(|line| line.starts_with("Those that `--wait` tries again"));
    let (_, names) = line.and_then(|line| line.split_once("): ")).expect("the line of what is tried again");
    names.split('`').skip(1).step_by(2).collect()
}

/// A code that was released is public for ever: it keeps its name, its stage, and with that its exit status, and whether
/// `--wait` tries it again. The codes of a release are listed with it, so that a new code is no entry more until then.
#[test]
fn released_codes_stay() {
    let changelog = top(".github/CHANGELOG.md");
    let mut releases: Vec<&str> = changelog.split("\n## ").skip(1).collect();
    assert!(releases.remove(0).starts_with("Unreleased\n"));
    let current = format!("{}\n", env!("CARGO_PKG_VERSION"));
    assert!(releases.first().is_some_and(|release| release.starts_with(&current)), "{current} is not on top");
    for release in releases {
        let (version, _) = release.split_once('\n').unwrap();
        let retried = retried(release);
        let mut names = BTreeSet::new();
        for (stage, name) in listed(release) {
            let code = catalogue::code(name).unwrap_or_else(|| panic!("{name} of {version} is gone"));
            let now = code.fails_in().map_or("warnings", Stage::name);
            assert_eq!(now, stage, "{name} of {version}");
            assert_eq!(code.retryable, retried.contains(name), "{name} of {version}, tried again");
            names.insert(name);
        }
        assert!(names.len() > 80, "{version} lists {} codes: add the README's table", names.len());
        assert!(retried.is_subset(&names), "{version}: {retried:?}");
    }
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

#[test]
fn titles_keep_to_the_house_style() {
    for entry in catalogue::all() {
        let first = entry.title.chars().next().unwrap();
        assert!(!entry.title.ends_with('.') && !entry.title.contains('!'), "{}", entry.title);
        let named = ["CRL", "TLS", "CRLs", "psql", "SSL"].iter().any(|name| entry.title.starts_with(name));
        assert!(first.is_lowercase() || named, "{}", entry.title);
    }
}

#[test]
fn every_page_has_its_parts() {
    for entry in catalogue::all() {
        assert!(entry.summary().ends_with('.'), "{}", entry.name);
        let headings: Vec<&str> = entry.parts().map(|(heading, _)| heading).collect();
        assert_eq!(headings, HEADINGS, "{}", entry.name);
        for (heading, text) in entry.parts() {
            assert!(text.len() > 8, "{} {heading}", entry.name);
        }
        let (_, fix) = entry.parts().find(|(heading, _)| *heading == "FIX").unwrap();
        assert!(fix.starts_with("1. "), "{}", entry.name);
    }
}

#[test]
fn no_page_lowers_verification() {
    for entry in catalogue::all() {
        let (_, fix) = entry.parts().find(|(heading, _)| *heading == "FIX").unwrap();
        for weaker in ["sslmode=require\n", "sslmode=prefer\n", "sslmode=disable", "sslmode=allow"] {
            assert!(!fix.contains(weaker), "{} {weaker}", entry.name);
        }
    }
}

#[test]
fn pages_are_laid_out_for_any_width() {
    let page = catalogue::page(&codes::HOSTNAME_MISMATCH, 80);
    assert!(page.starts_with("hostname-mismatch"), "{page}");
    assert!(page.lines().next().unwrap().ends_with("certificate · exit 8"), "{page}");
    assert!(
        page.contains("\nWHAT\n") && page.contains("\nSEE IT\n      pgtls-check demo hostname-mismatch\n"),
        "{page}"
    );
    for entry in catalogue::all() {
        for columns in [20, 60, 80, 100] {
            for line in catalogue::page(entry, columns).lines() {
                let typed = line.starts_with("    ") || !line.trim().contains(' ');
                let heads = line.starts_with(entry.name);
                assert!(
                    width(line) <= columns || typed || heads || line.trim().split(' ').count() <= 3,
                    "{line:?}"
                );
            }
        }
    }
    assert!(catalogue::code("no-such-code").is_none());
}

#[test]
fn a_mistyped_code_gets_its_neighbour() {
    assert_eq!(catalogue::nearest_code("hostname-mismach"), Some(codes::HOSTNAME_MISMATCH.name));
    assert_eq!(catalogue::nearest_code("zzz"), None);
    assert_eq!(catalogue::code("tcp-timeout"), Some(&codes::TCP_TIMEOUT));
}

#[test]
fn the_list_names_every_code_once() {
    let list = catalogue::list();
    for entry in catalogue::all() {
        let lines = list.lines().filter(|line| line.split_whitespace().next() == Some(entry.name));
        assert_eq!(lines.count(), 1, "{}", entry.name);
    }
    assert_eq!(
        catalogue::diagnoses()
            .map(|entry| entry.stage)
            .collect::<Vec<_>>()
            .windows(2)
            .filter(|pair| pair[0] > pair[1])
            .count(),
        0
    );
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
