//! Words of a POSIX shell's command line (Shell Command Language, section 2.2): quotes and backslashes undone, nothing
//! expanded.

use super::text::{Text, is_blank};

/// The words of a line; `None` if a quote does not end.
pub(super) fn words(text: &Text) -> Option<Vec<Text>> {
    let bytes = text.bytes();
    let mut words = Vec::new();
    let mut word: Option<Text> = None;
    let mut quote = None;
    let mut at = 0;
    while let Some(byte) = bytes.get(at).copied() {
        let next = bytes.get(at + 1).copied();
        match (quote, byte) {
            (None, b'\'' | b'"') => {
                quote = Some(byte);
                word.get_or_insert_default();
            }
            (Some(open), _) if open == byte => quote = None,
            // A line goes on behind a backslash.
            (None, b'\\') if next == Some(b'\n') => at += 1,
            (None, b'\\') => {
                if let Some(next) = next {
                    word.get_or_insert_default().push(next, text, &(at..at + 2));
                    at += 1;
                }
            }
            (Some(b'"'), b'\\') if matches!(next, Some(b'"' | b'\\' | b'$' | b'`')) => {
                word.get_or_insert_default().push(next.unwrap_or(byte), text, &(at..at + 2));
                at += 1;
            }
            (None, _) if is_blank(byte) => words.extend(word.take()),
            (None, b';' | b'&' | b'|') if word.is_none() || byte == b'|' => break,
            // Where its output goes; `<host>` is a placeholder.
            (None, b'>') if word.is_none() => break,
            (None, b'<') if word.is_none() && next == Some(b' ') => break,
            _ => word.get_or_insert_default().push(byte, text, &(at..at + 1)),
        }
        at += 1;
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Option<Vec<String>> {
        let words = words(&Text::new(text.as_bytes()))?;
        Some(words.iter().map(|word| String::from_utf8_lossy(word.bytes()).into_owned()).collect())
    }

    #[test]
    fn words_of_a_line() {
        for (text, expected) in [
            ("", &[][..]),
            ("psql 'a b' \"c\\\"d\" e\\ f", &["psql", "a b", "c\"d", "e f"]),
            ("a=\"b\"'c' d", &["a=bc", "d"]),
            ("a '' b", &["a", "", "b"]),
            ("a \\\n b", &["a", "b"]),
            ("a '$x' | b", &["a", "$x"]),
            ("host=a;b", &["host=a;b"]),
            ("a > b", &["a"]),
            ("a <b> < c", &["a", "<b>"]),
        ] {
            assert_eq!(split(text).unwrap(), expected, "{text}");
        }
        assert_eq!(split("a 'b"), None);
    }

    #[test]
    fn words_know_their_places() {
        let text = Text::new(b"x \"a\\\"b\"");
        let words = words(&text).unwrap();
        assert_eq!(words[1].place(&(0..3)), 3..7);
    }
}
