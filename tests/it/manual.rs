//! The manual pages: read by mandoc and by man.

use std::fs;
use std::process::Command;

use crate::support::home::Home;
use crate::support::tool::Tool;

#[test]
fn the_pages_are_sound_and_can_be_read() {
    let home = Home::new();
    let written = Tool::at(&home).with(["man", "--directory", "."]).run();
    written.exits(0);
    let mut pages: Vec<_> = fs::read_dir(home.path())
        .expect("the home")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "1"))
        .collect();
    pages.sort();
    assert!(pages.len() > 10, "{pages:?}");
    // Of style mandoc has its own opinion: lines are longer than 80 bytes, and titles are as the program is called.
    let lint =
        Command::new("mandoc").args(["-T", "lint", "-W", "warning"]).args(&pages).output().expect("mandoc");
    assert!(lint.status.success() && lint.stdout.is_empty(), "{}", String::from_utf8_lossy(&lint.stdout));
    for page in &pages {
        let read = home.command("man").args(["-l", "--warnings"]).arg(page).output().expect("man");
        let text = String::from_utf8_lossy(&read.stdout);
        assert!(read.status.success() && text.contains("SYNOPSIS"), "{page:?}: {text}");
        assert!(read.stderr.is_empty(), "{page:?}: {}", String::from_utf8_lossy(&read.stderr));
    }
}

#[test]
fn a_command_has_its_own_page() {
    let home = Home::new();
    let page = |words: &[&str]| {
        let output = home.command(Tool::PROGRAM).arg("man").args(words).output().expect("the program starts");
        assert!(output.status.success(), "{words:?}");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let whole = page(&[]);
    for status in ["EXIT STATUS", "ENVIRONMENT", "FILES", "EXAMPLES"] {
        assert!(
            whole.contains(&format!(".SH \"{status}\"")) || whole.contains(&format!(".SH {status}")),
            "{status}"
        );
    }
    assert!(page(&["roots", "check"]).contains(r"pgtls\-check roots check"));
    assert!(page(&["audit"]).contains("20 to 100 connections"));
}
