//! Untrusted bytes to printable text, display width, wrapping and shell quoting.
//!
//! Whatever a server, a certificate or a file says passes through [`printable`] or [`printable_bytes`] before it is
//! shown. What could move the cursor, recolour the screen, reorder or hide text becomes a visible escape; everything
//! else, backslashes included, stays as it is, so that paths read as they were typed and a second pass changes
//! nothing. The result is for people: it is not meant to be parsed back.

use std::fmt::Write as _;
use std::ops::Range;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// One printable line: control characters as `\n` or `\x1b`, other characters that reorder or hide text as
/// `\u{202e}`.
pub fn printable(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        push_printable(&mut line, character);
    }
    without_commands(line)
}

/// As [`printable`], for bytes that need not be UTF-8: those that are not become `\xff`.
pub fn printable_bytes(bytes: &[u8]) -> String {
    let mut line = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            push_printable(&mut line, character);
        }
        for byte in chunk.invalid() {
            push_byte(&mut line, *byte);
        }
    }
    without_commands(line)
}

/// A line in which a pipeline finds no command to its runner: `##[command]` and `##vso[command]` anywhere (Azure Pipelines,
/// old GitHub Actions), `::command::` at the beginning of a word, for a line may begin there (GitHub Actions). One sign of
/// each is escaped.
fn without_commands(line: String) -> String {
    if !line.contains("##") && !line.contains("::") {
        return line;
    }
    let mut shown = String::with_capacity(line.len());
    let mut rest = line.as_str();
    while let Some(character) = rest.chars().next() {
        let (head, after) = rest.split_at(character.len_utf8());
        let begins_word = shown.chars().next_back().is_none_or(char::is_whitespace);
        if after.starts_with('#') && head == "#" && is_bracketed(after) {
            shown.push_str("\\x23");
        } else if begins_word && head == ":" && is_colon_command(after) {
            shown.push_str("\\x3a");
        } else {
            shown.push_str(head);
        }
        rest = after;
    }
    shown
}

/// `#[`, or `#vso[` and its like.
fn is_bracketed(text: &str) -> bool {
    let text = text.trim_start_matches('#');
    text.trim_start_matches(|c: char| c.is_ascii_alphanumeric()).starts_with('[')
}

/// `:name…::`, where the name is no group of an address (`::1`).
fn is_colon_command(text: &str) -> bool {
    text.strip_prefix(':')
        .is_some_and(|text| text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.contains("::"))
}

/// Whether a character may stand in output as it is.
///
/// Not so: controls (C0, DEL, C1), line and paragraph separators, the bidirectional controls of UAX #9, invisible
/// format characters (zero-width, soft hyphen, word joiners, fillers, tags, variation selectors) and noncharacters.
pub fn is_printable(character: char) -> bool {
    !character.is_control()
        && !matches!(
            u32::from(character),
            0x00AD
                | 0x034F
                | 0x061C
                | 0x115F..=0x1160
                | 0x17B4..=0x17B5
                | 0x180B..=0x180F
                | 0x200B..=0x200F
                | 0x2028..=0x202E
                | 0x2060..=0x206F
                | 0x2800
                | 0x3164
                | 0xFDD0..=0xFDEF
                | 0xFE00..=0xFE0F
                | 0xFEFF
                | 0xFFA0
                | 0xFFF0..=0xFFFB
                | 0x1BCA0..=0x1BCA3
                | 0x1D173..=0x1D17A
                | 0xE0000..=0xE0FFF
        )
        && u32::from(character) & 0xFFFE != 0xFFFE
}

fn push_printable(line: &mut String, character: char) {
    if matches!(character, ' '..='~') || is_printable(character) {
        line.push(character);
        return;
    }
    match character {
        '\n' => line.push_str("\\n"),
        '\r' => line.push_str("\\r"),
        '\t' => line.push_str("\\t"),
        _ => match u8::try_from(u32::from(character)) {
            Ok(byte) if byte < 0x80 => push_byte(line, byte),
            _ => line.extend(character.escape_unicode()),
        },
    }
}

fn push_byte(line: &mut String, byte: u8) {
    // Writing to a String cannot fail.
    let _ = write!(line, "\\x{byte:02x}");
}

/// The lines of a file of whatever bytes, without the line feeds between them: one more than there are of those.
pub fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(bytes);
    std::iter::from_fn(move || {
        let bytes = rest?;
        let (line, behind) = bytes.split_at(place_of(b'\n', bytes).unwrap_or(bytes.len()));
        rest = behind.get(1..);
        Some(line)
    })
}

/// Where a byte is first, found by what every processor of the kind can do. What this one can do besides is not asked, as
/// `memchr::memchr` would: on a virtual machine that takes longer than to read a root file.
pub fn place_of(byte: u8, bytes: &[u8]) -> Option<usize> {
    #[cfg(target_arch = "aarch64")]
    use memchr::arch::aarch64::neon::memchr::One;
    #[cfg(target_arch = "x86_64")]
    use memchr::arch::x86_64::sse2::memchr::One;
    #[cfg(any(target_arch = "aarch64", target_arch = "x86_64"))]
    if let Some(one) = One::new(byte) {
        return one.find(bytes);
    }
    memchr::arch::all::memchr::One::new(byte).find(bytes)
}

/// Bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or_default();
    let mut digits = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        digits.extend([digit(byte >> 4), digit(byte & 0xf)]);
    }
    digits
}

/// At most `limit` characters of a text, the last one `…` if any were left out.
pub fn truncated(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        None => text.to_owned(),
        Some(_) => text.chars().take(limit.saturating_sub(1)).chain((limit > 0).then_some('…')).collect(),
    }
}

/// The number of terminal columns a text takes. A character that is not printable counts nothing: make the text
/// printable first.
pub fn width(text: &str) -> usize {
    text.width()
}

/// Breaks prose into lines of at most `limit` columns.
///
/// Lines break at spaces only. A word is never broken, however long: names, fingerprints, paths and URLs stay whole
/// and may stand out at the right. Something in `"double quotes"` or `` `backquotes` `` counts as one word as long as
/// it fits on a line. There is always at least one line.
pub fn wrap(text: &str, limit: usize) -> Vec<String> {
    wrap_from(text, limit, limit)
}

/// As [`wrap`], with only `first` columns left on the first line, which stays empty if no word fits there.
pub fn wrap_from(text: &str, first: usize, limit: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in words(text, limit) {
        let room = if lines.is_empty() { first } else { limit };
        if lines.is_empty() && line.is_empty() && first < limit && width(word) > first {
            lines.push(String::new());
        }
        if !line.is_empty() && width(&line) + 1 + width(word) > room {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

/// The pieces of prose that must not be broken: words, and what stands in quotes if it fits into `limit` columns.
fn words(text: &str, limit: usize) -> Vec<&str> {
    let plain: Vec<Range<usize>> = spans_between_spaces(text);
    let mut words = Vec::new();
    let mut rest = plain.as_slice();
    while let [first, following @ ..] = rest {
        let joined = quoted_run(text, rest)
            .filter(|run| text.get(run.0.clone()).is_some_and(|whole| width(whole) <= limit));
        let (range, after) = joined.unwrap_or((first.clone(), following));
        words.extend(text.get(range));
        rest = after;
    }
    words
}

/// If a quote opens at the first word: the range up to the word in which it closes, and the words after it.
fn quoted_run<'a>(text: &str, words: &'a [Range<usize>]) -> Option<(Range<usize>, &'a [Range<usize>])> {
    let first = words.first()?;
    let opening = text.get(first.clone())?.trim_start_matches('(');
    let quote = opening.chars().next().filter(|c| matches!(c, '"' | '`'))?;
    let mut quotes = 0;
    for (index, word) in words.iter().enumerate() {
        quotes += text.get(word.clone())?.matches(quote).count();
        if quotes % 2 == 0 {
            return Some((first.start..word.end, words.get(index + 1..)?));
        }
    }
    None
}

fn spans_between_spaces(text: &str) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    let mut start = 0;
    for piece in text.split(' ') {
        if !piece.is_empty() {
            spans.push(start..start + piece.len());
        }
        start += piece.len() + 1;
    }
    spans
}

/// Longer texts are cut for comparison; a host name has at most 253 bytes.
const LONGEST_COMPARED: usize = 256;

/// How many characters must be changed, inserted or left out, or swapped with their neighbour, to make one text of the
/// other.
pub fn distance(left: &str, right: &str) -> usize {
    let cut = |text: &'_ str| text.chars().take(LONGEST_COMPARED).collect::<String>();
    strsim::osa_distance(&cut(left), &cut(right))
}

/// The known word nearest to what was typed, if it is near: at most a third of its letters are amiss.
pub fn nearest<'w>(typed: &str, known: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    let typed = typed.to_ascii_lowercase();
    if typed.chars().count() > 60 {
        return None;
    }
    let allowed = |word: &str| (word.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|word| (distance(&typed, &word.to_ascii_lowercase()), word))
        .filter(|(distance, word)| *distance <= allowed(word))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// A word as a POSIX shell reads it (XCU 2.2): bare where nothing in it means anything to a shell, else in single
/// quotes. On Windows see [`windows_quoted`].
pub fn posix_quoted(word: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    if !word.is_empty() && !word.starts_with('=') && word.chars().all(bare) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// A word as both shells of Windows read it, PowerShell and cmd: bare where nothing in it means anything, else in double
/// quotes where no character between them means anything to either of them; what is left is quoted for PowerShell, in
/// single quotes, doubled inside (about_Quoting_Rules; it takes typographic quotes for quotes).
pub fn windows_quoted(word: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || "_+=:./\\-".contains(c);
    if word.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '.') && word.chars().all(bare) {
        return word.to_owned();
    }
    // A backslash before the closing quote would escape it in the C runtime's reading of the command line.
    let plain = |c: char| !c.is_control() && !"\"$`%!\u{201c}\u{201d}\u{201e}".contains(c);
    if word.chars().all(plain) && !word.ends_with('\\') {
        return format!("\"{word}\"");
    }
    let mut quoted = String::from("'");
    for character in word.chars() {
        if "'\u{2018}\u{2019}\u{201a}\u{201b}".contains(character) {
            quoted.push(character);
        }
        quoted.push(character);
    }
    quoted + "'"
}

/// A word quoted for the running system's usual shells: PowerShell and cmd on Windows, a POSIX shell elsewhere.
pub fn shell_quoted(word: &str) -> String {
    if cfg!(windows) { windows_quoted(word) } else { posix_quoted(word) }
}

/// The number of columns of one character; 0 for what is not printable.
pub fn character_width(character: char) -> usize {
    character.width().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(crate::properties::config())]

        #[test]
        fn lines_are_what_stands_between_line_feeds(bytes: Vec<u8>, feeds in prop::collection::vec(0_usize..40, 0..6)) {
            let mut bytes = bytes;
            for at in feeds {
                bytes.insert(at.min(bytes.len()), b'\n');
            }
            prop_assert!(lines(&bytes).eq(bytes.split(|byte| *byte == b'\n')));
        }
    }

    #[test]
    fn escapes_are_visible() {
        for (given, shown) in [
            ("plain text, c:\\ssl\\root.crt", "plain text, c:\\ssl\\root.crt"),
            ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
            ("a\nb\r\tc\0\x7f", "a\\nb\\r\\tc\\x00\\x7f"),
            ("\u{9b}2J", "\\u{9b}2J"),
            ("moc.elpmaxe\u{202e}", "moc.elpmaxe\\u{202e}"),
            ("\u{2066}x\u{2069}\u{200e}\u{61c}", "\\u{2066}x\\u{2069}\\u{200e}\\u{61c}"),
            ("ze\u{200b}ro\u{feff}\u{ad}", "ze\\u{200b}ro\\u{feff}\\u{ad}"),
            ("\u{2028}\u{2029}", "\\u{2028}\\u{2029}"),
            ("tag\u{e0041}", "tag\\u{e0041}"),
            ("Größe 数据库 é", "Größe 数据库 é"),
        ] {
            assert_eq!(printable(given), shown);
            assert_eq!(printable_bytes(given.as_bytes()), shown);
        }
        assert_eq!(printable_bytes(b"HTTP\xff\xc3("), "HTTP\\xff\\xc3(");
    }

    #[test]
    fn truncation_counts_characters() {
        assert_eq!(truncated("größer", 6), "größer");
        assert_eq!(truncated("größer", 4), "grö…");
        assert_eq!(truncated("größer", 1), "…");
        assert_eq!(truncated("größer", 0), "");
        assert_eq!(truncated("", 0), "");
    }

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!(width("数据"), 4);
        assert_eq!(width("e\u{301}"), 1);
        assert_eq!(wrap("数据 数据 数据", 9), ["数据 数据", "数据"]);
    }

    #[test]
    fn long_words_and_short_quotes_stay_whole() {
        assert_eq!(
            wrap("see https://example.com/a-long-path now", 10),
            ["see", "https://example.com/a-long-path", "now"]
        );
        assert_eq!(wrap("asked for \"My Root CA\", but", 16), ["asked for", "\"My Root CA\",", "but"]);
        assert_eq!(wrap("said \"far too long for it\"", 10), ["said \"far", "too long", "for it\""]);
        assert_eq!(wrap("an inch is 1\" wide", 10), ["an inch is", "1\" wide"]);
        assert_eq!(wrap("", 10), [""]);
        assert_eq!(wrap_from("one two three", 4, 9), ["one", "two three"]);
        assert_eq!(wrap_from("seventeen more", 4, 12), ["", "seventeen", "more"]);
    }

    #[test]
    fn distances() {
        for (left, right, edits) in [
            ("", "", 0),
            ("", "host", 4),
            ("host", "", 4),
            ("hots", "host", 1),
            ("sslrotcert", "sslrootcert", 1),
            ("kitten", "sitting", 3),
            ("größe", "grosse", 3),
        ] {
            assert_eq!(distance(left, right), edits, "{left} {right}");
            assert_eq!(distance(right, left), edits, "{right} {left}");
        }
    }

    #[test]
    fn no_command_to_a_pipeline_is_shown() {
        for (text, shown) in [
            ("::error::x", r"\x3a:error::x"),
            ("a ::warning file=b::x", r"a \x3a:warning file=b::x"),
            ("x\n::error::y", r"x\n::error::y"),
            ("##vso[task.setvariable variable=PATH]x", r"\x23#vso[task.setvariable variable=PATH]x"),
            ("a##[error]x", r"a\x23#[error]x"),
            ("::1", "::1"),
            ("add ::1/128, then 2001:db8::7 ::debug::x", r"add ::1/128, then 2001:db8::7 \x3a:debug::x"),
            ("fe80::1 2001:db8::7", "fe80::1 2001:db8::7"),
            ("## title", "## title"),
        ] {
            assert_eq!(printable(text), shown);
            assert_eq!(printable_bytes(text.as_bytes()), shown);
        }
    }

    #[test]
    fn slips_are_found_and_strangers_are_not() {
        let known = ["verify-full", "verify-ca", "require", "demo"];
        assert_eq!(nearest("verify-al", known), Some("verify-ca"));
        assert_eq!(nearest("Verify-Full", known), Some("verify-full"));
        assert_eq!(nearest("dem", known), Some("demo"));
        assert_eq!(nearest("quux", known), None);
        assert_eq!(nearest(&"x".repeat(1000), known), None);
    }

    #[test]
    fn quoting_for_shells() {
        for (word, posix, windows) in [
            ("host=db.example", "host=db.example", "host=db.example"),
            ("", "''", "\"\""),
            ("a b", "'a b'", "\"a b\""),
            ("it's", r"'it'\''s'", "\"it's\""),
            ("say \"it's\"", r#"'say "it'\''s"'"#, "'say \"it''s\"'"),
            ("100%", "100%", "'100%'"),
            (r"c:\my roots\", r"'c:\my roots\'", r"'c:\my roots\'"),
            ("\u{2019}$", "'\u{2019}$'", "'\u{2019}\u{2019}$'"),
            ("$HOME;`x`", "'$HOME;`x`'", "'$HOME;`x`'"),
            ("@args", "@args", "\"@args\""),
        ] {
            assert_eq!(posix_quoted(word), posix);
            assert_eq!(windows_quoted(word), windows);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_posix_shell_reads_back_what_was_quoted() {
        let words =
            ["", "a b", "it's", "$HOME", "`id`", "a\\b", "!x", "*", "~", "\"q\"", "a\nb", "é", "=x", "#"];
        let quoted: Vec<String> = words.iter().map(|word| posix_quoted(word)).collect();
        let script = format!("printf '%s\\0' {}", quoted.join(" "));
        let output = Command::new("sh").args(["-c", &script]).output().unwrap();
        let read: Vec<&[u8]> = output.stdout.split(|byte| *byte == 0).collect();
        let wanted: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).chain([&b""[..]]).collect();
        assert_eq!(read, wanted);
    }

    proptest! {
        #![proptest_config(crate::properties::config())]

        #[test]
        fn nothing_unprintable_comes_out(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in any::<String>()) {
            for shown in [printable_bytes(&bytes), printable(&text)] {
                prop_assert!(shown.chars().all(is_printable), "{shown:?}");
                prop_assert_eq!(&printable(&shown), &shown);
            }
        }

        #[test]
        fn dangerous_characters_never_survive(
            characters in proptest::collection::vec(
                prop_oneof![
                    (0u32..0xA0).prop_map(|c| char::from_u32(c).unwrap()),
                    (0x2000u32..0x2070).prop_map(|c| char::from_u32(c).unwrap()),
                    Just('\u{61c}'), Just('\u{feff}'), Just('\u{ad}'), any::<char>(),
                ], 0..50)
        ) {
            let shown = printable(&characters.iter().collect::<String>());
            let bad = |c: char| c.is_control()
                || ('\u{202a}'..='\u{202e}').contains(&c) || ('\u{2066}'..='\u{2069}').contains(&c)
                || ('\u{200b}'..='\u{200f}').contains(&c) || c == '\u{61c}' || c == '\u{feff}';
            prop_assert!(!shown.chars().any(bad), "{shown:?}");
        }

        #[test]
        fn wrapping_loses_nothing(text in "[a-z\"` é数]{0,80}", limit in 1usize..40) {
            let lines = wrap(&text, limit);
            let joined: Vec<String> = lines.join(" ").split_whitespace().map(str::to_owned).collect();
            let wanted: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
            prop_assert_eq!(joined, wanted);
            for line in lines {
                prop_assert!(width(&line) <= limit || !line.contains(' ') , "{line:?}");
            }
        }
    }
}
