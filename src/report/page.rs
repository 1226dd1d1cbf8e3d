//! The layout of lines: a page is text that grows, line by line, within the style's width.
//!
//! Three layouts, by width: columns (80 and more), the same with times behind the text (60 to 79), labels on lines of
//! their own (below 60). Away from a terminal nothing is wrapped and no blank lines are set.

use crate::report::{Role, Style};
use crate::text::{width, wrap_from};

/// Where the times of the stages end.
pub const TIME_EDGE: usize = 76;
/// Where the remarks beside fixes end.
pub const REMARK_EDGE: usize = 79;
/// The label column of a diagnosis: wide enough for `asked for`.
pub const LABELS: usize = 9;

/// Below this width, times follow the text.
const COLUMNS: usize = 80;
/// Below this width, labels stand on lines of their own.
const NARROW: usize = 60;

/// Text for people that grows line by line.
pub struct Page {
    style: Style,
    text: String,
}

/// A remark that belongs to a piece of prose and stands behind it: its role, its words and where it should end.
#[derive(Clone, Copy)]
pub struct Remark<'a> {
    /// Its role.
    pub role: Role,
    /// Its words.
    pub words: &'a str,
    /// The column where it should end.
    pub edge: usize,
}

impl Page {
    /// An empty page.
    pub fn new(style: Style) -> Self {
        Self { style, text: String::new() }
    }

    /// How it may look.
    pub fn style(&self) -> Style {
        self.style
    }

    /// What was written.
    pub fn into_text(self) -> String {
        self.text
    }

    /// Whether labels stand on lines of their own.
    pub fn is_narrow(&self) -> bool {
        self.style.width.is_some_and(|width| width < NARROW)
    }

    /// Makes untrusted text printable.
    pub fn clean(&self, untrusted: &str) -> String {
        self.style.text(untrusted)
    }

    /// A finished line.
    pub fn line(&mut self, painted: &str) {
        self.text.push_str(painted.trim_end_matches(' '));
        self.text.push('\n');
    }

    /// Several lines of this tool's own, as they are.
    pub fn lines(&mut self, own: &str) {
        for line in own.lines() {
            let line = self.clean(line);
            self.line(&line);
        }
    }

    /// An empty line between parts, on terminals only, and never at the top.
    pub fn part(&mut self) {
        if self.style.width.is_some() && !self.text.is_empty() {
            self.text.push('\n');
        }
    }

    /// Prose behind a head that is already painted; `indent` columns are kept free at the left of further lines.
    pub fn prose(&mut self, head: &str, head_width: usize, indent: usize, role: Role, untrusted: &str) {
        let text = self.clean(untrusted);
        let lines = self.wrapped(&text, head_width, indent);
        self.prose_lines(head, indent, role, &lines, None);
    }

    /// As [`prose`](Self::prose) behind a head as wide as the indent, with a remark at the end: at its edge where there is room, else two columns behind
    /// the text, else on a line of its own.
    pub fn prose_with_remark(
        &mut self,
        head: &str,
        indent: usize,
        (role, untrusted): (Role, &str),
        remark: Remark<'_>,
    ) {
        let text = self.clean(untrusted);
        let lines = self.wrapped(&text, indent, indent);
        let end = indent + lines.last().map_or(0, |line| width(line));
        let remark_width = width(remark.words);
        let painted = self.style.paint(remark.role, remark.words);
        let gap = match self.style.width {
            None => Some(2),
            Some(limit) if limit >= COLUMNS && end + 2 + remark_width <= remark.edge.min(limit) => {
                Some(remark.edge.min(limit) - end - remark_width)
            }
            Some(limit) if end + 2 + remark_width <= limit => Some(2),
            Some(_) => None,
        };
        match gap {
            Some(gap) => {
                self.prose_lines(head, indent, role, &lines, Some(&format!("{:gap$}{painted}", "")));
            }
            None => {
                self.prose_lines(head, indent, role, &lines, None);
                self.line(&format!("{:indent$}{painted}", ""));
            }
        }
    }

    /// A label and prose beside it, or below it where the page is narrow.
    pub fn labelled(&mut self, column: usize, label: &str, label_role: Role, role: Role, untrusted: &str) {
        let (head, head_width) = self.label(column, label, label_role);
        self.prose(&head, head_width, head_width, role, untrusted);
    }

    /// Prepares a label for [`prose`](Self::prose): what stands before the prose, and its width, which is also the
    /// indent. Writes the label where it has a line of its own.
    pub fn label(&mut self, column: usize, label: &str, role: Role) -> (String, usize) {
        let painted = self.style.paint(role, label);
        if self.is_narrow() {
            if !label.is_empty() {
                self.line(&painted);
            }
            return ("  ".to_owned(), 2);
        }
        let pad = column.saturating_sub(width(label));
        (format!("{:pad$}{painted}  ", ""), column.max(width(label)) + 2)
    }

    /// Something to type or to compare: never broken, never cut.
    pub fn verbatim(&mut self, indent: usize, role: Role, untrusted: &str) {
        let painted = self.style.paint(role, &self.clean(untrusted));
        self.line(&format!("{:indent$}{painted}", ""));
    }

    fn wrapped(&self, text: &str, head_width: usize, indent: usize) -> Vec<String> {
        match self.style.width {
            None => vec![text.to_owned()],
            Some(limit) => wrap_from(text, limit.saturating_sub(head_width), limit.saturating_sub(indent)),
        }
    }

    fn prose_lines(&mut self, head: &str, indent: usize, role: Role, lines: &[String], tail: Option<&str>) {
        for (index, line) in lines.iter().enumerate() {
            let painted = self.style.paint(role, line);
            let tail = tail.filter(|_| index + 1 == lines.len()).unwrap_or_default();
            match index {
                0 => self.line(&format!("{head}{painted}{tail}")),
                _ => self.line(&format!("{:indent$}{painted}{tail}", "")),
            }
        }
    }
}

/// `12.6 ms`
pub fn milliseconds(ms: f64) -> String {
    format!("{ms:.1} ms")
}

/// A whole check's time: `37.4 ms`, from a second on without decimals, `10002 ms`.
pub fn whole_time(took: std::time::Duration) -> String {
    let ms = took.as_secs_f64() * 1000.0;
    if ms < 999.95 { milliseconds(ms) } else { format!("{ms:.0} ms") }
}
