//! Every code there is, with its stage, its title and its page: what `explain` shows and `--deny` knows. The list is made
//! of the rules themselves.

use std::fmt::Write as _;

use super::judge::all_groups;
use super::warnings;
use crate::stage::Stage;
use crate::text::nearest;
use crate::text::{width, wrap};

/// A code.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The public code.
    pub code: &'static str,
    /// The stage of a diagnosis; `None` of a warning.
    pub stage: Option<Stage>,
    /// What it is about.
    pub title: &'static str,
    /// Whether waiting can cure it.
    pub retryable: bool,
    /// The page as it was written: a sentence, then parts under [`HEADINGS`], each begun by a line `## HEADING`.
    source: &'static str,
}

/// The parts of every page, in order.
pub const HEADINGS: [&str; 5] = ["WHAT", "WHY", "HOW TO TELL", "FIX", "SEE IT"];

/// All diagnoses, by stage, in the order in which they are asked, each once.
pub fn diagnoses() -> impl Iterator<Item = Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for (stage, rules) in all_groups() {
        for rule in rules {
            if !entries.iter().any(|entry| entry.code == rule.code) {
                let (code, title, retryable, source) = (rule.code, rule.title, rule.retryable, rule.page);
                entries.push(Entry { code, stage: Some(stage), title, retryable, source });
            }
        }
    }
    entries.sort_by_key(|entry| entry.stage);
    entries.into_iter()
}

/// All warnings.
pub fn warnings() -> impl Iterator<Item = Entry> {
    warnings::KINDS.iter().map(|kind| Entry {
        code: kind.code,
        stage: None,
        title: kind.title,
        retryable: false,
        source: kind.page,
    })
}

/// Diagnoses, then warnings.
pub fn all() -> impl Iterator<Item = Entry> {
    diagnoses().chain(warnings())
}

/// The entry of a code.
pub fn entry(code: &str) -> Option<Entry> {
    all().find(|entry| entry.code == code)
}

/// The code nearest to a mistyped one.
pub fn nearest_code(code: &str) -> Option<&'static str> {
    nearest(code, all().map(|entry| entry.code))
}

/// The page of a code, laid out for a width.
pub fn page(code: &str, columns: usize) -> Option<String> {
    entry(code).map(|entry| entry.page(columns))
}

impl Entry {
    /// `certificate · exit 8`, or `warning`.
    pub fn place(&self) -> String {
        match self.stage {
            Some(stage) => format!("{} · exit {}", stage.name(), stage.exit_status()),
            None => "warning".to_owned(),
        }
    }

    /// The sentence at the top of the page.
    pub fn summary(&self) -> &'static str {
        self.source.split("\n\n").next().unwrap_or_default().trim()
    }

    /// The parts of the page: heading and text.
    pub fn parts(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.source
            .split("\n## ")
            .skip(1)
            .filter_map(|part| part.split_once('\n'))
            .map(|(head, text)| (head.trim(), text.trim_matches('\n')))
    }

    /// The page, laid out for a width.
    pub fn page(&self, columns: usize) -> String {
        let place = self.place();
        let gap = columns.min(76).saturating_sub(width(self.code) + width(&place)).max(2);
        let mut page = format!("{}{:gap$}{place}\n", self.code, "");
        for line in wrap(&self.summary().replace('\n', " "), columns) {
            let _ = writeln!(page, "{line}");
        }
        for (heading, text) in self.parts() {
            let _ = write!(page, "\n{heading}\n{}", laid_out(text, columns));
        }
        page
    }
}

/// Paragraphs wrapped; lines of a list keep their sign, what is indented by four is never broken.
fn laid_out(text: &str, columns: usize) -> String {
    let mut out = String::new();
    let mut paragraph = String::new();
    let flush = |paragraph: &mut String, out: &mut String| {
        if paragraph.is_empty() {
            return;
        }
        let sign = paragraph
            .split_once(' ')
            .filter(|(sign, _)| *sign == "-" || sign.trim_end_matches('.').parse::<u8>().is_ok());
        let (head, rest) =
            sign.map_or((String::new(), paragraph.as_str()), |(sign, rest)| (format!("{sign} "), rest));
        let indent = width(&head) + 2;
        for (index, line) in wrap(rest, columns.saturating_sub(indent)).iter().enumerate() {
            let head = if index == 0 { head.as_str() } else { "" };
            let _ = writeln!(out, "  {head:<pad$}{line}", pad = indent - 2);
        }
        paragraph.clear();
    };
    for line in text.lines() {
        let is_item = line.starts_with("- ")
            || line.split_once(". ").is_some_and(|(number, _)| number.parse::<u8>().is_ok());
        if line.is_empty() || line.starts_with("    ") || is_item {
            flush(&mut paragraph, &mut out);
        }
        if line.starts_with("    ") {
            let _ = writeln!(out, "  {line}");
        } else if !line.is_empty() {
            if !paragraph.is_empty() {
                paragraph.push(' ');
            }
            paragraph.push_str(line.trim());
        }
    }
    flush(&mut paragraph, &mut out);
    out
}

/// All codes by stage, a line each.
pub fn list() -> String {
    let widest = all().map(|entry| width(entry.code)).max().unwrap_or(0);
    let mut list = String::new();
    let mut last = None;
    for entry in all() {
        let place = entry.place();
        if last.as_ref() != Some(&place) {
            if last.is_some() {
                list.push('\n');
            }
            let _ = writeln!(list, "{place}");
            last = Some(place);
        }
        let _ = writeln!(list, "  {:<widest$}  {}", entry.code, entry.title);
    }
    list
}
