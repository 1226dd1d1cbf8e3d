//! Characters that look like another one, or like none, as texts have them that were copied from a document or a chat: libpq
//! takes them for a part of a word.

use super::Fix;
use super::rule::Finding;
use super::view::View;
use crate::conninfo::{self, Form};

/// What is typed in the place of such a character.
fn plain(character: char) -> Option<&'static str> {
    match character {
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' => Some(""),
        '\u{2010}'..='\u{2015}' | '\u{2212}' => Some("-"),
        '\u{2018}'..='\u{201f}' => Some("'"),
        _ if character.is_whitespace() && !character.is_ascii() => Some(" "),
        _ => None,
    }
}

/// What was found where such a character is at fault: the character, and the string without any.
pub(super) fn mended(view: &View<'_>, finding: &Finding, at_fault: &[u8]) -> Option<Finding> {
    let at_fault = String::from_utf8_lossy(at_fault);
    let (found, like) = at_fault.chars().find_map(|found| Some((found, plain(found)?)))?;
    let name = format!("U+{:04X}", u32::from(found));
    let looks = match like {
        "" => "is invisible",
        " " => "looks like a space",
        "-" => "looks like a hyphen",
        _ => "looks like an apostrophe",
    };
    let finding = finding.clone().because(format!(
        "the character {name} in it {looks}, and libpq takes it for a letter: documents, chats and web pages put it there"
    ));
    let typed = view.evidence.input.as_ref().and_then(|input| retyped(input.expose()));
    let fix = Fix::text("write it in plain ASCII");
    Some(match typed {
        Some((places, whole, text)) => finding.mark(view.mark(&places, name)).only(fix.edit(whole, text)),
        None => finding.only(fix),
    })
}

/// The same for the value of a keyword.
pub(super) fn mended_value(view: &View<'_>, finding: &Finding, keyword: &str) -> Option<Finding> {
    mended(view, finding, view.settings()?.parameter(keyword)?.value.exposed())
}

type Range = std::ops::Range<usize>;

/// Where such characters stand outside of passwords, and what takes the place of all from the first to the last.
fn retyped(input: &[u8]) -> Option<(Vec<Range>, Range, String)> {
    let text = std::str::from_utf8(input).ok()?;
    let is_uri = Form::of(input) == Form::Uri;
    let read = conninfo::parse(input).unwrap_or_else(|failure| failure.read).assignments;
    let is_secret = |at: usize| {
        let mut holding = read.iter().filter(|(_, found)| found.place.value.contains(&at));
        holding.any(|(keyword, found)| found.may_hold_password || conninfo::options::is_secret(keyword))
    };
    let odd = text.char_indices().filter(|(at, found)| plain(*found).is_some() && !is_secret(*at));
    let places: Vec<_> = odd.map(|(at, found)| at..at + found.len_utf8()).collect();
    let whole = places.first()?.start..places.last()?.end;
    let begin = whole.start;
    let changed = text.get(whole.clone())?.char_indices().fold(String::new(), |mut new, (at, found)| {
        match plain(found).filter(|_| !is_secret(begin + at)) {
            Some(" ") if is_uri => {}
            Some(plain) => new.push_str(plain),
            None => new.push(found),
        }
        new
    });
    Some((places, whole, changed))
}
