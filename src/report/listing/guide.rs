//! `guide`: the list of the manual's pages, and a page for the terminal.

use serde_json::{Value as Json, json};

use super::Listing;
use crate::guide::{self, PAGES, Part};
use crate::report::Role;
use crate::report::page::Page;
use crate::text::width;

/// All pages.
pub struct Topics;

/// Wide enough for `google-cloud`.
const COLUMN: usize = 12;

impl Listing for Topics {
    fn page(&self, page: &mut Page) {
        for topic in PAGES {
            let (head, width) = page.label(COLUMN, topic.topic, Role::Command);
            page.prose(&head, width, width, Role::Plain, topic.title());
        }
        page.part();
        let (head, _) = page.label(COLUMN, "more", Role::Secondary);
        let command = page.style().paint(Role::Command, "pgtls-check guide TOPIC");
        page.line(&format!("{head}{command}"));
    }

    fn fields(&self) -> Vec<(&'static str, Json)> {
        let topic = |page: &guide::Page| json!({ "topic": page.topic, "title": page.title() });
        vec![("guides", PAGES.iter().map(topic).collect())]
    }
}

impl Listing for guide::Page {
    fn page(&self, page: &mut Page) {
        let mut head: Vec<&str> = Vec::new();
        for part in self.parts() {
            if !matches!(part, Part::Entry(..) | Part::Row(_)) {
                page.part();
            }
            match part {
                Part::Heading(depth, text) => {
                    let text = if depth == 1 { text.to_uppercase() } else { text.to_owned() };
                    let text = page.clean(&text);
                    let painted = page.style().paint(Role::Title, &text);
                    page.line(&painted);
                }
                Part::Paragraph(text) => prose(page, "", &text),
                Part::Entry(sign, text) => prose(page, &format!("{sign} "), &text),
                Part::Row(cells) => {
                    match head.is_empty() {
                        true => head = cells,
                        false => row(page, &head, &cells),
                    }
                    continue;
                }
                Part::Block(lines) => lines.into_iter().for_each(|line| block_line(page, line)),
            }
            head.clear();
        }
    }

    fn fields(&self) -> Vec<(&'static str, Json)> {
        vec![("guide", json!({ "topic": self.topic, "title": self.title(), "text": self.text() }))]
    }
}

/// Running text behind a sign, without Markdown's own marks.
fn prose(page: &mut Page, sign: &str, text: &str) {
    let indent = width(sign);
    page.prose(sign, indent, indent, Role::Plain, &plain(text));
}

/// A row as text: what it is about, then each cell with what stands above it.
fn row(page: &mut Page, head: &[&str], cells: &[&str]) {
    let described = head.iter().zip(cells).skip(1).filter(|(_, cell)| !cell.is_empty());
    let cells_told: Vec<String> = described
        .map(|(name, cell)| if name.is_empty() { (*cell).to_owned() } else { format!("{name}: {cell}") })
        .collect();
    let first = cells.first().copied().unwrap_or_default();
    prose(page, "- ", &format!("{first} · {}", cells_told.join(" · ")));
}

/// A line of a block: a command, or what it prints.
fn block_line(page: &mut Page, line: &str) {
    let role = if line.starts_with("$ ") || line.starts_with("PS> ") { Role::Command } else { Role::Plain };
    page.verbatim(4, role, line);
}

/// Without the marks of code and emphasis; of a link its text, and where it leads if that is the web.
fn plain(text: &str) -> String {
    let text = text.replace("**", "").replace('`', "");
    let mut plain = String::new();
    let mut rest = text.as_str();
    while let Some((before, words, target, after)) = link(rest) {
        plain.push_str(before);
        plain.push_str(words);
        if target.starts_with("http") {
            plain.push_str(&format!(" ({target})"));
        }
        rest = after;
    }
    plain + rest
}

/// The first `[words](target)`, with what stands before and after it.
fn link(text: &str) -> Option<(&str, &str, &str, &str)> {
    let middle = text.find("](")?;
    let open = text.get(..middle)?.rfind('[')?;
    let close = middle + text.get(middle..)?.find(')')?;
    Some((
        text.get(..open)?,
        text.get(open + 1..middle)?,
        text.get(middle + 2..close)?,
        text.get(close + 1..)?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Form, Style};

    #[test]
    fn pages_have_no_marks_of_markdown_left() {
        for page in PAGES {
            let text = Form::Page.text(page, Style::document());
            let prose = text.lines().filter(|line| !line.starts_with("    "));
            for line in prose {
                let left =
                    ["<!--", "```", "**", "](", "|--", "| -"].into_iter().find(|mark| line.contains(mark));
                assert_eq!(left, None, "{}: {line}", page.topic);
            }
            let object: Json = serde_json::from_str(&Form::Json.text(page, Style::document())).unwrap();
            assert_eq!(object["guide"]["topic"], page.topic);
        }
        let list = Form::Page.text(&Topics, Style::document());
        assert!(PAGES.iter().all(|page| list.contains(page.topic)), "{list}");
    }

    #[test]
    fn links_and_code_become_text() {
        assert_eq!(plain("see [the list](terms.md), `a` and **b**"), "see the list, a and b");
        assert_eq!(plain("[x](https://a.example/) y"), "x (https://a.example/) y");
        assert_eq!(plain("no [link"), "no [link");
    }
}
