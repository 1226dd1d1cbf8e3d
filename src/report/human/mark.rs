//! The connection string with the fault underlined. Long strings are cut round the mark, never through it.

use crate::diagnose::Mark;
use crate::report::Role;
use crate::report::page::Page;
use crate::text::{character_width, width, wrap};

/// The string, its marks and the label:
/// ```text
///   |
/// 1 | sslmode=verify-full sslrotcert=roots.pem
///   |                     ^^^^^^^^^^ did you mean `sslrootcert`?
/// ```
pub(super) fn draw(page: &mut Page, mark: &Mark) {
    let pieces = pieces(page, mark);
    let window = window(page, &pieces);
    let mut shown = String::new();
    let mut under = String::new();
    if window.start > 0 {
        shown.push_str(&window.ellipsis);
        under.push_str(&" ".repeat(width(&window.ellipsis)));
    }
    let mut at = 0;
    for piece in &pieces {
        for character in piece.text.chars() {
            if (window.start..window.end).contains(&at) {
                shown.push(character);
                let sign = if piece.marked { '^' } else { ' ' };
                under.extend(std::iter::repeat_n(sign, character_width(character)));
            }
            at += character_width(character);
        }
        if piece.text.is_empty() && piece.marked {
            under.push('^');
        }
    }
    if window.end < at {
        shown.push_str(&window.ellipsis);
    }
    let style = page.style();
    let bar = style.paint(Role::Secondary, "|");
    page.line(&format!("  {bar}"));
    page.line(&format!("{} {bar} {shown}", style.paint(Role::Secondary, "1")));
    label(page, mark, under.trim_end(), &bar);
}

/// The underline with the label behind it, or below where there is no room.
fn label(page: &mut Page, mark: &Mark, under: &str, bar: &str) {
    let style = page.style();
    let label = page.clean(&mark.label);
    let painted = style.paint(Role::Error, under);
    let fits = style.width.is_none_or(|limit| 4 + width(under) + 1 + width(&label) <= limit);
    if label.is_empty() || under.is_empty() || fits {
        page.line(&format!("  {bar} {painted} {}", style.paint(Role::Error, &label)));
        return;
    }
    page.line(&format!("  {bar} {painted}"));
    for line in wrap(&label, style.width.map_or(usize::MAX, |limit| limit.saturating_sub(4))) {
        page.line(&format!("  {bar} {}", style.paint(Role::Error, &line)));
    }
}

struct Piece {
    text: String,
    marked: bool,
}

/// The string in marked and unmarked pieces, each printable on its own, so that escapes do not shift the marks. Spans
/// that do not fit the string are moved to where they do.
fn pieces(page: &Page, mark: &Mark) -> Vec<Piece> {
    let boundary = |wanted: usize| {
        let mut at = wanted.min(mark.text.len());
        while !mark.text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let mut pieces = Vec::new();
    let mut done = 0;
    let mut push = |from: usize, to: usize, marked: bool| {
        let text = page.clean(mark.text.get(from..to).unwrap_or_default());
        pieces.push(Piece { text, marked });
    };
    for span in &mark.spans {
        let start = boundary(span.start).max(done);
        let end = boundary(span.end).max(start);
        push(done, start, false);
        push(start, end, true);
        done = end;
    }
    push(done, mark.text.len(), false);
    pieces
}

struct Window {
    start: usize,
    end: usize,
    ellipsis: String,
}

/// The columns to show: all of them away from a terminal or where they fit, else the marks and as much round them as
/// fits.
fn window(page: &Page, pieces: &[Piece]) -> Window {
    let ellipsis = page.clean("…");
    let total: usize = pieces.iter().map(|piece| width(&piece.text)).sum();
    let whole = Window { start: 0, end: total, ellipsis: ellipsis.clone() };
    let Some(room) = page.style().width.map(|limit| limit.saturating_sub(4)).filter(|room| *room < total)
    else {
        return whole;
    };
    let mut at = 0;
    let mut marked: Option<(usize, usize)> = None;
    for piece in pieces {
        let end = at + width(&piece.text);
        if piece.marked {
            marked = Some((marked.map_or(at, |(start, _)| start), end));
        }
        at = end;
    }
    let (first, last) = marked.unwrap_or((0, 0));
    let context = room.saturating_sub(last - first).saturating_sub(2 * width(&ellipsis));
    // A little before the mark, for the eye; the rest behind it.
    let before = first.min(context / 2);
    let after = (total - last).min(context - before);
    let before = first.min(context - after);
    Window { start: first - before, end: last + after, ellipsis }
}

#[cfg(test)]
mod tests {
    use std::ops::Range;
    use std::slice;

    use proptest::prelude::*;

    use super::*;
    use crate::report::Style;

    fn shown(text: &str, spans: &[Range<usize>], label: &str, width: Option<usize>) -> String {
        let mut page = Page::new(Style { width, ..Style::document() });
        draw(&mut page, &Mark { text: text.to_owned(), spans: spans.to_vec(), label: label.to_owned() });
        page.into_text()
    }

    #[test]
    fn an_empty_place_at_the_end_gets_one_caret() {
        let end = 13..13;
        assert_eq!(
            shown("host='unended", slice::from_ref(&end), "no end", None),
            "  |\n1 | host='unended\n  |              ^ no end\n"
        );
    }

    #[test]
    fn escapes_and_wide_characters_keep_the_marks_in_place() {
        let text = "a=\x1b b=数 c=x";
        let start = text.find("c=").unwrap();
        assert_eq!(
            shown(text, slice::from_ref(&(start..start + 1)), "", None),
            "  |\n1 | a=\\x1b b=数 c=x\n  |             ^\n"
        );
    }

    #[test]
    fn the_mark_is_never_cut_even_where_it_is_wider_than_the_terminal() {
        let text = format!("host=x {} user=y", "k".repeat(60));
        let drawn = shown(&text, slice::from_ref(&(7..67)), "unknown", Some(40));
        assert!(drawn.contains(&format!("…{}…", "k".repeat(60))), "{drawn}");
        assert!(drawn.contains(&"^".repeat(60)), "{drawn}");
    }

    proptest! {
        #![proptest_config(crate::properties::config())]

        #[test]
        fn any_mark_can_be_drawn(
            text in ".{0,120}",
            spans in proptest::collection::vec((0usize..200, 0usize..200), 0..4),
            label in ".{0,30}",
            width in proptest::option::of(1usize..120),
        ) {
            let spans: Vec<Range<usize>> = spans.into_iter().map(|(start, end)| Range { start, end }).collect();
            let drawn = shown(&text, &spans, &label, width);
            prop_assert!(drawn.lines().count() >= 3);
            prop_assert!(drawn.chars().all(|c| c == '\n' || crate::text::is_printable(c)), "{drawn:?}");
        }
    }
}
