//! PEM as OpenSSL reads it (`crypto/pem/pem_lib.c`, `PEM_read_bio`; `crypto/pem/pem_info.c`): which blocks a file
//! holds, on which line each begins, and which of them OpenSSL would refuse.
//!
//! The crate rustls-pemfile is laxer in some ways and stricter in others (it ends at the first bad block without
//! telling its line, and knows no `TRUSTED CERTIFICATE`), so that the verdict on certificate files is made here. Private
//! keys, where libpq's own reader is as lax, are left to it (`trust::key`).

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::text;

/// One `-----BEGIN …-----` block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The label, such as `CERTIFICATE`.
    pub label: String,
    /// The line of its beginning, from 1.
    pub line: usize,
    /// Header lines (RFC 1421), such as `Proc-Type`.
    pub headers: Vec<String>,
    /// Its content, or what is wrong with it.
    pub content: Result<Vec<u8>, BadBlock>,
}

/// Why OpenSSL refuses a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadBlock {
    /// The file ends before the block does.
    CutOff,
    /// The line that ends it has another label.
    OtherEnd,
    /// What stands between is not base64.
    NotBase64,
    /// It holds nothing.
    Empty,
}

impl std::fmt::Display for BadBlock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::CutOff => "it has no end line",
            Self::OtherEnd => "its end line has another label",
            Self::NotBase64 => "its content is not base64",
            Self::Empty => "it is empty",
        })
    }
}

/// OpenSSL ignores the bits behind the last whole byte and insists on the padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

/// The byte-order mark of UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// All blocks of a file, in order. Reading stops behind a block that does not end, as OpenSSL's does.
pub fn blocks(bytes: &[u8]) -> Vec<Block> {
    // OpenSSL 3 skips a byte-order mark; 1.1.1 takes the first line for text and loses its block.
    let bytes = bytes.strip_prefix(MARK).unwrap_or(bytes);
    let mut lines = lines(bytes);
    let mut found = Vec::new();
    while let Some((number, line)) = lines.next() {
        let Some(label) = label(line, b"-----BEGIN ") else { continue };
        let block = block(label, number, &mut lines);
        let ends = block.content != Err(BadBlock::CutOff);
        found.push(block);
        if !ends {
            break;
        }
    }
    found
}

/// Whether a byte-order mark stands before the line that begins a block.
pub fn begins_behind_mark(bytes: &[u8]) -> bool {
    bytes.starts_with(MARK) && blocks(bytes).first().is_some_and(|block| block.line == 1)
}

/// The lines up to the first that begins with a NUL byte, where C's `fgets` finds an empty string and OpenSSL the end.
fn lines(bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let ends = |line: &[u8]| text::place_of(0, line).unwrap_or(line.len());
    text::lines(bytes)
        .take_while(|line| line.first() != Some(&0))
        .map(move |line| line.split_at(ends(line)).0.trim_ascii_end())
        .enumerate()
        .map(|(index, line)| (index + 1, line))
}

/// The label of a line that begins or ends a block. OpenSSL reads 254 bytes at a time, so that a longer line is none
/// (and a file whose lines end in CR alone, being one long line, has no block at all).
fn label<'a>(line: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    if line.len() > 253 {
        return None;
    }
    line.strip_prefix(prefix)?.strip_suffix(b"-----")
}

fn block<'a>(label: &[u8], line: usize, lines: &mut impl Iterator<Item = (usize, &'a [u8])>) -> Block {
    let mut headers = Vec::new();
    let mut text = Vec::new();
    let content = loop {
        let Some((_, line)) = lines.next() else { break Err(BadBlock::CutOff) };
        if let Some(end) = self::label(line, b"-----END ") {
            break if end == label { decoded(&text) } else { Err(BadBlock::OtherEnd) };
        }
        if line.starts_with(b"-----BEGIN ") {
            break Err(BadBlock::OtherEnd);
        }
        if text.is_empty() && line.contains(&b':') {
            headers.push(String::from_utf8_lossy(line).into_owned());
        } else {
            // One word, but for lines that somebody broke.
            line.split(u8::is_ascii_whitespace).for_each(|part| text.extend_from_slice(part));
        }
    };
    Block { label: String::from_utf8_lossy(label).into_owned(), line, headers, content }
}

/// A block as OpenSSL writes it: base64 in lines of 64 characters.
pub fn write(label: &str, content: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----\n");
    // 48 bytes are 64 characters.
    for line in content.chunks(48) {
        text.push_str(&BASE64.encode(line));
        text.push('\n');
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}

/// Base64 as OpenSSL takes it, without blanks.
pub(super) fn from_base64(text: &[u8]) -> Option<Vec<u8>> {
    BASE64.decode(text).ok()
}

fn decoded(text: &[u8]) -> Result<Vec<u8>, BadBlock> {
    if text.is_empty() {
        return Err(BadBlock::Empty);
    }
    from_base64(text).ok_or(BadBlock::NotBase64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn block_of(text: &str) -> Block {
        let mut all = blocks(text.as_bytes());
        assert_eq!(all.len(), 1, "{text}");
        all.remove(0)
    }

    #[test]
    fn text_around_crlf_blanks_and_long_lines_do_not_matter() {
        for text in [
            "-----BEGIN X-----\nAAEC\n-----END X-----\n",
            "a note\r\n-----BEGIN X-----\r\nAAEC\r\n-----END X-----",
            "-----BEGIN X-----   \nA A\nE\n\nC\n-----END X-----\nmore",
            "\u{feff}-----BEGIN X-----\nAAEC\n-----END X-----\n",
        ] {
            assert_eq!(block_of(text).content, Ok(vec![0, 1, 2]), "{text:?}");
        }
        assert_eq!(block_of("one\ntwo\n-----BEGIN X-----\nAAEC\n-----END X-----").line, 3);
    }

    #[test]
    fn what_openssl_does_not_see_is_not_there() {
        for text in [
            " -----BEGIN X-----\nAAEC\n-----END X-----",
            &format!("-----BEGIN X-----\r{}-----END X-----\r", "AAEC\r".repeat(60)),
            "\0\n-----BEGIN X-----\nAAEC\n-----END X-----",
            "----BEGIN X----\nAAEC\n----END X----",
        ] {
            assert_eq!(blocks(text.as_bytes()), [], "{text:?}");
        }
    }

    #[test]
    fn bad_blocks_are_told_apart() {
        for (text, wrong) in [
            ("-----BEGIN X-----\nAAEC\n", BadBlock::CutOff),
            ("-----BEGIN X-----\nAAEC\n-----END Y-----\n", BadBlock::OtherEnd),
            ("-----BEGIN X-----\nAA*C\n-----END X-----\n", BadBlock::NotBase64),
            ("-----BEGIN X-----\nAAE\n-----END X-----\n", BadBlock::NotBase64),
            ("-----BEGIN X-----\n-----END X-----\n", BadBlock::Empty),
        ] {
            assert_eq!(block_of(text).content, Err(wrong), "{text}");
        }
    }

    #[test]
    fn headers_are_kept() {
        let block =
            block_of("-----BEGIN X-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: A,B\n\nAAEC\n-----END X-----");
        assert_eq!(block.headers, ["Proc-Type: 4,ENCRYPTED", "DEK-Info: A,B"]);
        assert_eq!(block.content, Ok(vec![0, 1, 2]));
    }

    proptest! {
        #![proptest_config(crate::properties::config())]

        #[test]
        fn what_is_written_reads_back(content in proptest::collection::vec(any::<u8>(), 1..200)) {
            let text = write("X", &content);
            prop_assert!(text.lines().all(|line| line.len() <= 64));
            prop_assert_eq!(block_of(&text).content, Ok(content));
        }

        #[test]
        fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let read: usize = blocks(&bytes).iter().filter_map(|block| block.content.as_ref().ok()).map(Vec::len).sum();
            prop_assert!(read <= bytes.len());
        }

        #[test]
        fn any_lines_are_read(lines in proptest::collection::vec(
            prop::sample::select(vec!["-----BEGIN A-----", "-----END A-----", "-----END B-----", "AAEC", "", "x:y", "\0"]), 0..20)
        ) {
            blocks(lines.join("\n").as_bytes());
        }
    }
}
