//! The pages of the manual. People behind a firewall have no browser, so the pages are in the binary; on the web the same
//! files are read as they are.
//!
//! A page is Markdown of few kinds: a title, headings, paragraphs, lists of one level, tables, blocks. A test runs every
//! block of commands that is shown with its output (`tests/it/readme.rs`).

use crate::packed;

/// One page.
#[derive(Debug)]
pub struct Page {
    /// What `guide` takes.
    pub topic: &'static str,
}

/// All pages, in the order of the list. A new one is its file and its line here.
pub static PAGES: &[Page] = &[
    Page { topic: "output" },
    Page { topic: "options" },
    Page { topic: "drivers" },
    Page { topic: "azure" },
    Page { topic: "aws" },
    Page { topic: "google-cloud" },
    Page { topic: "certificates" },
    Page { topic: "terms" },
    Page { topic: "windows" },
    Page { topic: "ci" },
    Page { topic: "kubernetes" },
    Page { topic: "monitoring" },
    Page { topic: "fleets" },
    Page { topic: "audit" },
    Page { topic: "comparison" },
];

/// The page of a topic, whatever the case.
pub fn find(topic: &str) -> Option<&'static Page> {
    PAGES.iter().find(|page| page.topic.eq_ignore_ascii_case(topic))
}

/// The topic nearest to a mistyped one.
pub fn nearest(topic: &str) -> Option<&'static str> {
    crate::text::nearest(topic, PAGES.iter().map(|page| page.topic))
}

impl Page {
    /// Its text.
    pub fn text(&self) -> &'static str {
        packed::text("guide", self.topic)
    }

    /// Its title.
    pub fn title(&self) -> &'static str {
        self.text().lines().next().and_then(|line| line.strip_prefix("# ")).unwrap_or(self.topic)
    }

    /// Its parts in their order.
    pub fn parts(&self) -> Vec<Part> {
        parts(self.text())
    }
}

/// A part of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// A heading and its depth, from 1.
    Heading(usize, &'static str),
    /// Running text.
    Paragraph(String),
    /// One entry of a list: its sign and its text.
    Entry(&'static str, String),
    /// The cells of a table's row; the first row is the head.
    Row(Vec<&'static str>),
    /// Lines as they are: commands and what they print, or a file.
    Block(Vec<&'static str>),
}

/// Takes a page apart. Comments are for those who read the file.
fn parts(text: &'static str) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut lines = text.lines();
    let mut open = false;
    while let Some(line) = lines.next() {
        if line.starts_with("```") {
            parts.push(Part::Block(lines.by_ref().take_while(|line| !line.starts_with("```")).collect()));
        } else if let Some((depth, heading)) = heading(line) {
            parts.push(Part::Heading(depth, heading));
        } else if let Some(cells) = cells(line) {
            let rule = cells.iter().all(|cell| cell.bytes().all(|byte| matches!(byte, b'-' | b':')));
            parts.extend((!rule).then_some(Part::Row(cells)));
        } else if let Some((sign, rest)) = entry(line) {
            parts.push(Part::Entry(sign, rest.to_owned()));
            open = true;
            continue;
        } else if !line.trim().is_empty() && !line.starts_with("<!--") {
            match parts.last_mut().filter(|_| open) {
                Some(Part::Paragraph(text) | Part::Entry(_, text)) => {
                    text.push(' ');
                    text.push_str(line.trim());
                }
                _ => parts.push(Part::Paragraph(line.trim().to_owned())),
            }
            open = true;
            continue;
        }
        open = false;
    }
    parts
}

fn heading(line: &'static str) -> Option<(usize, &'static str)> {
    let depth = line.bytes().take_while(|byte| *byte == b'#').count();
    (depth > 0).then(|| line.get(depth..)?.strip_prefix(' ').map(|heading| (depth, heading)))?
}

/// `- text` or `1. text`.
fn entry(line: &'static str) -> Option<(&'static str, &'static str)> {
    let (sign, rest) = line.split_once(' ')?;
    let number =
        sign.strip_suffix('.').is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    (sign == "-" || number).then_some((sign, rest))
}

fn cells(line: &'static str) -> Option<Vec<&'static str>> {
    let inner = line.strip_prefix('|')?.trim_end().strip_suffix('|')?;
    Some(inner.split('|').map(str::trim).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_file_is_a_page_and_every_page_has_a_title() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide");
        let files: BTreeSet<String> = std::fs::read_dir(folder)
            .unwrap()
            .filter_map(|file| Some(file.ok()?.file_name().to_str()?.strip_suffix(".md")?.to_owned()))
            .collect();
        let topics: BTreeSet<String> = PAGES.iter().map(|page| page.topic.to_owned()).collect();
        assert_eq!(files, topics);
        for page in PAGES {
            assert!(matches!(page.parts().first(), Some(Part::Heading(1, _))), "{}", page.topic);
            assert!(std::ptr::eq(find(page.topic).unwrap(), page));
        }
        assert_eq!(nearest("azur"), Some("azure"));
    }

    #[test]
    fn parts_of_a_page() {
        let text = "# Title\n\nOne\ntwo.\n- a\n  b\n- c\n\n| x | y |\n| --- | --- |\n| 1 | 2 |\n<!-- run -->\n```console\n$ a\nb\n```\nEnd";
        assert_eq!(
            parts(text),
            [
                Part::Heading(1, "Title"),
                Part::Paragraph("One two.".to_owned()),
                Part::Entry("-", "a b".to_owned()),
                Part::Entry("-", "c".to_owned()),
                Part::Row(vec!["x", "y"]),
                Part::Row(vec!["1", "2"]),
                Part::Block(vec!["$ a", "b"]),
                Part::Paragraph("End".to_owned()),
            ]
        );
    }
}
