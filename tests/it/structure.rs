//! Data flows one way, by the text of the sources alone: no module uses one of a layer above its own (the list in
//! `lib.rs`), no modules of one layer and no files of one module use each other in a circle.
//!
//! What a `mod.rs` declares itself belongs to all files of its directory, and it calls them: that it holds them closes
//! no circle. What it only hands on with `use` counts for the file it comes from.

use std::collections::BTreeSet;
use std::path::Path;

use dependencies::{Dependency, Sources};

mod dependencies;
mod functions;

/// Circles that are still there. One that is gone must leave the list.
const KNOWN: &[&[&str]] = &[];

/// The layers of `lib.rs`, lowest first: its modules, block by block.
fn layers(lib: &str) -> Vec<Vec<String>> {
    let mut layers = vec![Vec::new()];
    for line in lib.lines() {
        match line.trim().trim_start_matches("pub ").strip_prefix("mod ") {
            Some(name) => layers.last_mut().unwrap().push(name.trim_end_matches(';').to_owned()),
            None if line.is_empty() => layers.push(Vec::new()),
            None => {}
        }
    }
    layers.retain(|layer| !layer.is_empty());
    layers
}

/// The module of `lib.rs` that a file belongs to.
fn module(file: &str) -> &str {
    file.split('/').next().unwrap_or(file).trim_end_matches(".rs")
}

/// The dependencies between modules, `lib.rs` aside.
fn between_modules(dependencies: &BTreeSet<Dependency>) -> BTreeSet<Dependency> {
    let modules = dependencies.iter().map(|(from, to)| (module(from).to_owned(), module(to).to_owned()));
    modules.filter(|(from, to)| from != to && from != "lib" && to != "lib").collect()
}

/// The dependencies between files of one module, but for those to the `mod.rs` that holds the file.
fn within_modules(dependencies: &BTreeSet<Dependency>) -> BTreeSet<Dependency> {
    let holds = |holder: &str, file: &str| {
        holder
            .strip_suffix("mod.rs")
            .is_some_and(|directory| !directory.is_empty() && file.starts_with(directory))
    };
    dependencies.iter().filter(|(from, to)| module(from) == module(to) && !holds(to, from)).cloned().collect()
}

/// The dependencies from one module to another that stands above it.
fn upward(dependencies: &BTreeSet<Dependency>, layers: &[Vec<String>]) -> Vec<Dependency> {
    let height = |module: &str| {
        let found = layers.iter().position(|layer| layer.iter().any(|name| name == module));
        found.unwrap_or_else(|| panic!("lib.rs does not list {module}"))
    };
    between_modules(dependencies).into_iter().filter(|(from, to)| height(from) < height(to)).collect()
}

/// The circles: everything that reaches itself, grouped by what reaches what.
fn circles(dependencies: &BTreeSet<Dependency>) -> BTreeSet<Vec<String>> {
    let reached = |start: &String| {
        let mut seen = BTreeSet::new();
        let mut open = vec![start];
        while let Some(next) = open.pop() {
            let targets = dependencies.iter().filter(|(from, _)| from == next).map(|(_, to)| to);
            open.extend(targets.filter(|to| seen.insert((*to).clone())));
        }
        seen
    };
    let starts: BTreeSet<&String> = dependencies.iter().map(|(from, _)| from).collect();
    let round = |start: &&String| {
        let from_here = reached(start);
        from_here
            .contains(*start)
            .then(|| from_here.iter().filter(|to| reached(to).contains(*start)).cloned().collect())
    };
    starts.iter().filter_map(round).collect()
}

fn program() -> (BTreeSet<Dependency>, Vec<Vec<String>>) {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let lib = std::fs::read_to_string(source.join("lib.rs")).unwrap();
    (Sources::read(&source).dependencies(), layers(&lib))
}

#[test]
fn no_module_uses_one_above_it() {
    let (dependencies, layers) = program();
    assert!(layers.len() > 6, "{layers:?}");
    assert!(
        between_modules(&dependencies).contains(&("report".to_owned(), "evidence".to_owned())),
        "{dependencies:?}"
    );
    let upward = upward(&dependencies, &layers);
    assert!(upward.is_empty(), "{:?}", culprits(&dependencies, &upward));
}

/// The dependencies between files behind those between modules.
fn culprits<'a>(dependencies: &'a BTreeSet<Dependency>, wrong: &[Dependency]) -> Vec<&'a Dependency> {
    let is_wrong =
        |(from, to): &&Dependency| wrong.contains(&(module(from).to_owned(), module(to).to_owned()));
    dependencies.iter().filter(is_wrong).collect()
}

#[test]
fn nothing_goes_round_in_a_circle() {
    let (dependencies, _) = program();
    let mut found = circles(&between_modules(&dependencies));
    found.extend(circles(&within_modules(&dependencies)));
    let known: BTreeSet<Vec<String>> =
        KNOWN.iter().map(|circle| circle.iter().map(|&name| name.to_owned()).collect()).collect();
    let new: Vec<_> = found.difference(&known).collect();
    let gone: Vec<_> = known.difference(&found).collect();
    assert!(
        new.is_empty() && gone.is_empty(),
        "new: {new:#?}\nno longer there, to be taken off the list: {gone:#?}"
    );
}

/// The most lines of a function, its signature included. Tables are constants and count for nothing.
const MOST_LINES: usize = 80;

#[test]
fn no_function_is_too_long_to_be_read_at_a_glance() {
    let files = dependencies::files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let all: Vec<functions::Function> =
        files.iter().flat_map(|(name, text)| functions::functions(name, text)).collect();
    assert!(all.len() > 1000, "{} functions", all.len());
    let long: Vec<_> = all.iter().filter(|function| function.lines > MOST_LINES).collect();
    assert!(long.is_empty(), "split what has several ideas: {long:#?}");
}

#[test]
fn functions_are_measured_with_their_signatures() {
    let text = "fn one() {}\nimpl A {\n    async fn two(\n        a: u8,\n    ) -> u8 {\n        a\n    }\n}\n\
                trait T { fn three(); }\nconst F: fn(u8) = f;\n";
    let found: Vec<(String, usize)> =
        functions::functions("a.rs", text).map(|function| (function.name, function.lines)).collect();
    assert_eq!(found, [("a.rs: one".to_owned(), 1), ("a.rs: two".to_owned(), 5)]);
}

#[test]
fn property_tests_keep_the_seeds_of_failures_among_the_tests() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (name, text) in dependencies::files(&root.join("src")) {
        let open = text.matches("proptest! {\n").count();
        let configured = text.matches("properties::config()").count();
        assert_eq!(
            open, configured,
            "{name}: each proptest! begins with #![proptest_config(crate::properties::config())]"
        );
    }
}

/// What the two tests would find in a program of these files.
fn found(files: &[(&str, &str)]) -> (Vec<Dependency>, BTreeSet<Vec<String>>) {
    let lib = "//! A program.\n\npub mod low;\npub mod ground;\n\npub mod high;\n";
    let dependencies = Sources::of(files.iter().copied().chain([("lib.rs", lib)])).dependencies();
    let mut circles_found = circles(&between_modules(&dependencies));
    circles_found.extend(circles(&within_modules(&dependencies)));
    (upward(&dependencies, &layers(lib)), circles_found)
}

#[test]
fn a_planted_dependency_upwards_is_found_however_it_is_written() {
    for text in [
        "use crate::high::Tower;",
        "use crate::{high::{self as up}, ground};",
        "use super::high;",
        "fn f() { crate::high::build() }",
        "fn f() { let _ = vec![super::high::X]; }",
        "mod inner { use super::super::high::Tower; }",
        "use crate::high::*;",
        "#[cfg(test)] mod tests { } use crate::high::Tower;",
        "#[cfg(not(test))] use crate::high::Tower;",
    ] {
        let (upward, circles) =
            found(&[("low.rs", text), ("ground.rs", ""), ("high.rs", "pub struct Tower;")]);
        assert_eq!(upward, [("low".to_owned(), "high".to_owned())], "{text}");
        assert!(circles.is_empty(), "{text}");
    }
    for text in [
        "// use crate::high::Tower;",
        "/// See [`crate::high::Tower`].\nfn f() { println!(\"crate::high::Tower\") }",
        "#[cfg(test)] mod tests { use crate::high::Tower; }",
        "#[cfg(test)] use crate::high::Tower;",
        "struct S { #[cfg(test)] t: crate::high::Tower, u: u8 }",
        "use crate::ground::Tower;",
        "use other::high::Tower;",
    ] {
        let files =
            [("low.rs", text), ("ground.rs", ""), ("high.rs", "pub struct Tower; use crate::low::x;")];
        assert_eq!(found(&files), (vec![], BTreeSet::new()), "{text}");
    }
}

#[test]
fn a_planted_circle_is_found_between_modules_and_between_files() {
    let circle =
        |names: &[&str]| BTreeSet::from([names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>()]);
    let modules = [("low.rs", "use crate::ground::X;"), ("ground.rs", "use crate::low::Y;"), ("high.rs", "")];
    assert_eq!(found(&modules), (vec![], circle(&["ground", "low"])));

    let with = |face: &str, one: &str, other: &str, third: &str| {
        found(&[
            ("low/mod.rs", face),
            ("low/one.rs", one),
            ("low/other.rs", other),
            ("low/third.rs", third),
            ("ground.rs", ""),
            ("high.rs", "use crate::low::one;"),
        ])
        .1
    };
    let face = "mod one; mod other; mod third; pub use one::One; pub use other::{Other as Another}; pub struct Mine;";
    // Straight, round three corners, and through what the mod.rs hands on.
    assert_eq!(
        with(face, "use super::other::x;", "use super::one::y;", ""),
        circle(&["low/one.rs", "low/other.rs"])
    );
    let three = ["use super::other::x;", "use crate::low::third;", "fn f() { super::one::g() }"];
    assert_eq!(
        with(face, three[0], three[1], three[2]),
        circle(&["low/one.rs", "low/other.rs", "low/third.rs"])
    );
    assert_eq!(
        with(face, "use super::Another;", "use super::One;", ""),
        circle(&["low/one.rs", "low/other.rs"])
    );
    // What the mod.rs declares itself is everybody's.
    assert_eq!(
        with(face, "use super::Mine;", "use super::{Mine, One};", "use super::other::z;"),
        BTreeSet::new()
    );
    // A file that its sibling's directory uses, and that uses it, is no holder.
    let files = [
        ("low/mod.rs", "mod one; mod room;"),
        ("low/one.rs", "use super::room::f;"),
        ("low/room/mod.rs", "mod deep;"),
        ("low/room/deep.rs", "use crate::low::one::g; use super::h;"),
        ("ground.rs", ""),
        ("high.rs", ""),
    ];
    assert_eq!(found(&files).1, BTreeSet::new());
    let mut files = files;
    files[2].1 = "mod deep; pub fn f() { deep::x() }";
    assert_eq!(found(&files).1, circle(&["low/one.rs", "low/room/deep.rs", "low/room/mod.rs"]));
}
