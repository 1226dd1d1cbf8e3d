//! Every code there is, with its stage, its title and its page: what `explain` shows and `--deny` knows. The list is made
//! of the rules themselves.

use std::fmt::Write as _;

use super::code::Code;
use super::{rules, warnings};
use crate::text::nearest;
use crate::text::{width, wrap};

/// The parts of every page, in order.
pub const HEADINGS: [&str; 5] = ["WHAT", "WHY", "HOW TO TELL", "FIX", "SEE IT"];

/// All diagnoses, by stage, in the order in which they are asked, each once.
pub fn diagnoses() -> impl Iterator<Item = &'static Code> {
    rules::codes().into_iter()
}

/// All warnings.
pub fn warnings() -> impl Iterator<Item = &'static Code> {
    warnings::codes()
}

/// Diagnoses, then warnings.
pub fn all() -> impl Iterator<Item = &'static Code> {
    diagnoses().chain(warnings())
}

/// The code of this name.
pub fn code(name: &str) -> Option<&'static Code> {
    all().find(|code| code.name == name)
}

/// The code nearest to a mistyped one.
pub fn nearest_code(name: &str) -> Option<&'static str> {
    nearest(name, all().map(|code| code.name))
}

/// `certificate · exit 8`, or `warning`.
pub fn place(code: &Code) -> String {
    match code.fails_in() {
        Some(stage) => format!("{} · exit {}", stage.name(), stage.exit_status()),
        None => "warning".to_owned(),
    }
}

/// The page of a code, laid out for a width.
pub fn page(code: &Code, columns: usize) -> String {
    let place = place(code);
    let gap = columns.min(76).saturating_sub(width(code.name) + width(&place)).max(2);
    let mut page = format!("{code}{:gap$}{place}\n", "");
    for line in wrap(&code.summary().replace('\n', " "), columns) {
        let _ = writeln!(page, "{line}");
    }
    for (heading, text) in code.parts() {
        let _ = write!(page, "\n{heading}\n{}", laid_out(text, columns));
    }
    page
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
    let widest = all().map(|code| width(code.name)).max().unwrap_or(0);
    let mut list = String::new();
    let mut last = None;
    for code in all() {
        let place = place(code);
        if last.as_ref() != Some(&place) {
            if last.is_some() {
                list.push('\n');
            }
            let _ = writeln!(list, "{place}");
            last = Some(place);
        }
        let _ = writeln!(list, "  {:<widest$}  {}", code.name, code.title);
    }
    list
}
