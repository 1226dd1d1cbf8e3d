//! Settings as programs write them: dictionaries, objects, hashes, keyword lists, keyword arguments. One reader for
//! Python, JavaScript, JSON, Ruby, PHP, Perl, Java, C#, Go and Elixir, since what is asked of it is little: names, literal values, and
//! which values are no literals.

use std::ops::Range;

use super::super::text::{Text, is_blank};
use super::super::{Kind, Place};
use super::{Broken, Pair, Part};

/// How deep braces may stand in one another.
const DEPTH: usize = 12;

/// Reads settings: those in the outermost braces, brackets or parentheses, or without any. Names of inner ones are
/// joined with dots; what has no name has its number, beginning with 0.
pub(in crate::clients::dialect) fn settings(text: &Text, pairs: &mut Vec<Pair>) -> Result<(), Broken> {
    let mut reader = Parser { source: text, text: text.bytes(), at: 0, pairs };
    reader.blanks();
    let close = reader.text.get(reader.at).and_then(|byte| closing(*byte));
    if close.is_some() {
        reader.at += 1;
    }
    reader.entries("", close, 0)
}

/// The arguments of a call whose opening parenthesis stands before `at`, and where the closing one is.
pub(in crate::clients::dialect) fn arguments(text: &Text, at: usize) -> (Vec<Pair>, Option<Broken>, usize) {
    let mut pairs = Vec::new();
    let mut reader = Parser { source: text, text: text.bytes(), at, pairs: &mut pairs };
    let result = reader.entries("", Some(b')'), 0);
    let end = reader.at;
    (pairs, result.err(), end)
}

/// Where an object ends that begins with the brace at `at`.
pub(in crate::clients::dialect) fn object_end(text: &Text, at: usize) -> Option<usize> {
    let mut pairs = Vec::new();
    let mut reader = Parser { source: text, text: text.bytes(), at: at + 1, pairs: &mut pairs };
    reader.entries("", Some(b'}'), 0).ok()?;
    Some(reader.at)
}

/// A string literal that begins at `at`: its text, and where it ends.
pub(in crate::clients::dialect) fn string(text: &Text, at: usize) -> Option<(Text, usize)> {
    let bytes = text.bytes();
    let quote = *bytes.get(at).filter(|byte| matches!(byte, b'"' | b'\'' | b'`'))?;
    let verbatim = at > 0 && bytes.get(at - 1) == Some(&b'@');
    let raw = quote == b'`' || (at > 0 && matches!(bytes.get(at - 1), Some(b'r' | b'R')));
    let mut value = Text::default();
    let mut at = at + 1;
    loop {
        let byte = *bytes.get(at)?;
        let next = bytes.get(at + 1).copied();
        match byte {
            _ if byte == quote && verbatim && next == Some(quote) => {
                value.push(byte, text, &(at..at + 2));
                at += 2;
            }
            _ if byte == quote => return Some((value, at + 1)),
            b'\\' if !verbatim && !raw => {
                let escaped = match next? {
                    b'n' => b'\n',
                    b't' => b'\t',
                    b'r' => b'\r',
                    other => other,
                };
                value.push(escaped, text, &(at..at + 2));
                at += 2;
            }
            _ => {
                value.push(byte, text, &(at..at + 1));
                at += 1;
            }
        }
    }
}

struct Parser<'a> {
    source: &'a Text,
    text: &'a [u8],
    at: usize,
    pairs: &'a mut Vec<Pair>,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn starts_with(&self, text: &str) -> bool {
        self.text.get(self.at..).is_some_and(|rest| rest.starts_with(text.as_bytes()))
    }

    /// Passes over blanks and comments.
    fn blanks(&mut self) {
        loop {
            while self.peek().is_some_and(is_blank) {
                self.at += 1;
            }
            if self.starts_with("//") || self.starts_with("# ") {
                while self.peek().is_some_and(|byte| byte != b'\n') {
                    self.at += 1;
                }
            } else if self.starts_with("/*") {
                let rest = self.text.get(self.at..).unwrap_or_default();
                let end = rest.windows(2).position(|pair| pair == b"*/").map_or(rest.len(), |at| at + 2);
                self.at += end;
            } else {
                return;
            }
        }
    }

    /// Entries up to the closing byte, which is passed over, or the end.
    fn entries(&mut self, prefix: &str, close: Option<u8>, depth: usize) -> Result<(), Broken> {
        let start = self.at;
        if depth > DEPTH {
            return Err(Broken::syntax("fewer braces in one another", start..self.text.len()));
        }
        let mut number = 0;
        loop {
            self.blanks();
            match self.peek() {
                None if close.is_none() => return Ok(()),
                None => {
                    return Err(Broken::syntax("the closing brace or parenthesis", start..self.text.len()));
                }
                Some(byte) if Some(byte) == close => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b',' | b';') => self.at += 1,
                Some(_) => {
                    let before = self.at;
                    self.entry(prefix, &mut number, close, depth)?;
                    self.separated(close)?;
                    if self.at == before {
                        return Err(Broken::syntax("a name and a value", before..self.text.len()));
                    }
                }
            }
        }
    }

    /// Behind a value there is a separator, a closing byte, a new line or nothing.
    fn separated(&self, close: Option<u8>) -> Result<(), Broken> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let blanks = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let rest = rest.get(blanks..).unwrap_or_default();
        let comment = rest.starts_with(b"//") || rest.starts_with(b"/*") || rest.starts_with(b"# ");
        let next = rest.first().copied();
        let fits = comment || next.is_none_or(|next| b",;\r\n".contains(&next) || Some(next) == close);
        let at = self.at + blanks;
        if fits { Ok(()) } else { Err(Broken::syntax("a comma behind the value", at..at + 1)) }
    }

    fn entry(
        &mut self,
        prefix: &str,
        number: &mut usize,
        close: Option<u8>,
        depth: usize,
    ) -> Result<(), Broken> {
        let start = self.at;
        let (name, keyword) = match self.name() {
            Some((name, range)) => (name, range),
            None => {
                self.at = start;
                *number += 1;
                ((*number - 1).to_string(), start..start)
            }
        };
        let name = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
        self.blanks();
        self.value(name, keyword, close, depth)
    }

    /// A name and the sign behind it.
    fn name(&mut self) -> Option<(String, Range<usize>)> {
        let (name, range) = self.name_alone()?;
        self.blanks();
        let sign = if self.starts_with("=>") {
            2
        } else if self.starts_with("::") || self.starts_with("==") {
            return None;
        } else if matches!(self.peek(), Some(b':' | b'=')) {
            1
        } else {
            return None;
        };
        self.at += sign;
        Some((name, range))
    }

    fn name_alone(&mut self) -> Option<(String, Range<usize>)> {
        let start = self.at;
        if let Some(quote @ (b'"' | b'\'')) = self.peek() {
            let rest = self.text.get(start + 1..)?;
            let length = rest.iter().position(|byte| *byte == quote)?;
            self.at = start + length + 2;
            let name = rest.get(..length)?;
            return Some((String::from_utf8_lossy(name).into_owned(), start..self.at));
        }
        // A symbol of Ruby's, an atom of Elixir's.
        if self.peek() == Some(b':') {
            self.at += 1;
        }
        let begin = self.at;
        while self
            .peek()
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'-'))
        {
            self.at += 1;
        }
        let name = self.text.get(begin..self.at).filter(|name| !name.is_empty())?;
        Some((String::from_utf8_lossy(name).into_owned(), start..self.at))
    }

    fn push(&mut self, name: String, keyword: Range<usize>, value: Vec<u8>, kind: Kind, at: Range<usize>) {
        let place = Place { keyword, value: at };
        self.pairs.push(Pair { name, part: Part::Keyword, value, kind, place });
    }

    fn value(
        &mut self,
        name: String,
        keyword: Range<usize>,
        close: Option<u8>,
        depth: usize,
    ) -> Result<(), Broken> {
        let start = self.at;
        if let Some(inner) = self.peek().filter(|byte| matches!(byte, b'{' | b'[')).and_then(closing) {
            self.at += 1;
            self.push(name.clone(), keyword, Vec::new(), Kind::Object, start..start + 1);
            let before = self.pairs.len();
            self.entries(&name, Some(inner), depth + 1)?;
            self.join_certificates(before);
            return Ok(());
        }
        if let Some(text) = self.strings() {
            self.push(name, keyword, text, Kind::Text, start..self.at);
            return Ok(());
        }
        self.expression(close)?;
        let range = super::super::text::trimmed(self.text, start..self.at);
        let bytes = self.text.get(range.clone()).unwrap_or_default().to_vec();
        if let Some(arguments) = context(&bytes) {
            self.push(name.clone(), keyword, Vec::new(), Kind::Object, range.clone());
            let after = self.at;
            self.at = range.start + arguments;
            self.entries(&name, Some(b')'), depth + 1)?;
            self.at = after;
            return Ok(());
        }
        let (value, kind) = meaning(&bytes);
        self.push(name, keyword, value, kind, range);
        Ok(())
    }

    /// Makes one text of a list of certificates in PEM, which is what they are together: the first pair's.
    fn join_certificates(&mut self, before: usize) {
        let Some([first, others @ ..]) = self.pairs.get_mut(before..) else { return };
        let is_pem = |pair: &Pair| {
            pair.kind == Kind::Text
                && pair.value.trim_ascii_start().starts_with(b"-----BEGIN CERTIFICATE-----")
        };
        if others.is_empty() || !is_pem(first) || !others.iter().all(is_pem) {
            return;
        }
        for other in others {
            first.value.push(b'\n');
            first.value.extend(&other.value);
            first.place.value.end = other.place.value.end;
        }
        self.pairs.truncate(before + 1);
    }

    /// One string literal or several joined by `+` or `.`, if nothing else is in the value.
    fn strings(&mut self) -> Option<Vec<u8>> {
        let start = self.at;
        let mut value = Vec::new();
        loop {
            while self.peek().is_some_and(|byte| b"rRbBuU@".contains(&byte))
                && self.text.get(self.at + 1).is_some_and(|next| b"\"'@".contains(next))
            {
                self.at += 1;
            }
            let literal = string(self.source, self.at);
            let Some((part, end)) = literal else {
                self.at = start;
                return None;
            };
            value.extend(part.bytes());
            self.at = end;
            let after = self.at;
            self.blanks();
            match self.peek() {
                Some(b'+' | b'.') if !self.is_call() => {
                    self.at += 1;
                    self.blanks();
                }
                Some(b'.' | b'+' | b'[' | b'%' | b'|') => {
                    self.at = start;
                    return None;
                }
                _ => {
                    self.at = after;
                    return Some(value);
                }
            }
        }
    }

    /// Whether a method follows the dot: `"…".encode()`.
    fn is_call(&self) -> bool {
        self.peek() == Some(b'.') && self.text.get(self.at + 1).is_some_and(u8::is_ascii_alphabetic)
    }

    /// Passes over an expression, up to the comma or closing byte that ends it.
    fn expression(&mut self, close: Option<u8>) -> Result<(), Broken> {
        let start = self.at;
        let mut open = Vec::new();
        while let Some(byte) = self.peek() {
            match byte {
                b'"' | b'\'' | b'`' => {
                    let Some((_, end)) = string(self.source, self.at) else {
                        return Err(Broken::syntax("the quote that ends the text", self.at..self.text.len()));
                    };
                    self.at = end;
                    continue;
                }
                b'(' | b'[' | b'{' => open.extend(closing(byte)),
                b',' if open.is_empty() => return Ok(()),
                b';' | b'\n' if open.is_empty() && close.is_none() => return Ok(()),
                b')' | b']' | b'}' => {
                    if open.is_empty() {
                        return Ok(());
                    }
                    if open.pop() != Some(byte) {
                        return Err(Broken::syntax("braces that match", start..self.at + 1));
                    }
                }
                _ => {}
            }
            self.at += 1;
        }
        Ok(())
    }
}

fn closing(byte: u8) -> Option<u8> {
    match byte {
        b'{' => Some(b'}'),
        b'[' => Some(b']'),
        b'(' => Some(b')'),
        _ => None,
    }
}

/// Where the arguments begin of a call that makes a context of Python's ssl module, whose roots they name.
fn context(expression: &[u8]) -> Option<usize> {
    const CALLS: [&[u8]; 2] = [b"ssl.create_default_context(", b"create_default_context("];
    let found = CALLS.iter().find(|call| expression.starts_with(call))?;
    expression.ends_with(b")").then_some(found.len())
}

/// What an expression is, as far as it can be known: words, numbers, the content of a file.
fn meaning(expression: &[u8]) -> (Vec<u8>, Kind) {
    let code = || (Vec::new(), Kind::Code);
    let Ok(text) = std::str::from_utf8(expression) else { return code() };
    let word = text.strip_prefix(':').unwrap_or(text);
    if !word.is_empty() && word.chars().all(|c| c.is_ascii_digit()) {
        return (word.into(), Kind::Text);
    }
    match word {
        "true" | "True" | "TRUE" => return (b"true".to_vec(), Kind::Text),
        "false" | "False" | "FALSE" => return (b"false".to_vec(), Kind::Text),
        "null" | "None" | "nil" | "undefined" => return (b"null".to_vec(), Kind::Text),
        _ => {}
    }
    if text.starts_with(':') && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return (word.into(), Kind::Text);
    }
    const READERS: [&str; 7] = [
        "fs.readFileSync(",
        "readFileSync(",
        "fs.readFile(",
        "open(",
        "File.read(",
        "Path(",
        "pathlib.Path(",
    ];
    let argument = READERS.iter().find_map(|reader| {
        let rest = text.strip_prefix("await ").unwrap_or(text).strip_prefix(reader)?;
        let (path, _) = string(&Text::new(rest.trim_start().as_bytes()), 0)?;
        Some(path.bytes().to_vec())
    });
    argument.map_or_else(code, |path| (path, Kind::Content))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, String, Kind)> {
        let text = Text::new(text.as_bytes());
        let mut pairs = Vec::new();
        settings(&text, &mut pairs).unwrap();
        pairs
            .into_iter()
            .map(|pair| (pair.name, String::from_utf8_lossy(&pair.value).into_owned(), pair.kind))
            .collect()
    }

    fn texts(text: &str) -> Vec<(String, String)> {
        read(text).into_iter().map(|(name, value, _)| (name, value)).collect()
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
    }

    #[test]
    fn objects_of_many_languages() {
        for (text, expected) in [
            ("{host: 'h', port: 5432, ssl: true}", &[("host", "h"), ("port", "5432"), ("ssl", "true")][..]),
            ("{\"host\": \"a\\\"b\", 'x': None}", &[("host", "a\"b"), ("x", "null")]),
            ("host=\"h\", port=5432,", &[("host", "h"), ("port", "5432")]),
            (":host => 'h', user => \"me\", x: 'y'", &[("host", "h"), ("user", "me"), ("x", "y")]),
            (
                "[hostname: \"h\", ssl: [verify: :verify_none]]",
                &[("hostname", "h"), ("ssl", ""), ("ssl.verify", "verify_none")],
            ),
            ("{a: 'b' + 'c', d: r'\\x'}", &[("a", "bc"), ("d", "\\x")]),
            ("{\n  // no\n  a: 1, /* or */ b: 2\n}", &[("a", "1"), ("b", "2")]),
            ("'url', 'me'", &[("0", "url"), ("1", "me")]),
        ] {
            assert_eq!(texts(text), pairs(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_literal() {
        assert_eq!(
            read(
                "{ca: fs.readFileSync(\"a b.pem\").toString(), password: process.env.PW, f: () => undefined}"
            ),
            [
                ("ca".to_owned(), "a b.pem".to_owned(), Kind::Content),
                ("password".to_owned(), String::new(), Kind::Code),
                ("f".to_owned(), String::new(), Kind::Code),
            ]
        );
        assert_eq!(
            read("ssl=ssl.create_default_context(cafile='F'), x='a'.encode()"),
            [
                ("ssl".to_owned(), String::new(), Kind::Object),
                ("ssl.cafile".to_owned(), "F".to_owned(), Kind::Text),
                ("x".to_owned(), String::new(), Kind::Code),
            ]
        );
    }

    #[test]
    fn what_does_not_end_is_refused() {
        for text in ["{a: 'b", "{a: {b: 1}", "{a: (1]}", &"[".repeat(200)] {
            let mut pairs = Vec::new();
            assert!(settings(&Text::new(text.as_bytes()), &mut pairs).is_err(), "{text}");
        }
    }
}
