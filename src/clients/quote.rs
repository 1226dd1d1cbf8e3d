//! Values as literals of programming languages and file formats, so that what is pasted is read back as the same value.
//!
//! What could move a cursor or hide text is escaped in every language that has an escape for it; see
//! [`text::is_printable`].

use std::fmt::Write as _;

use crate::conninfo::write::encoded;
use crate::text::{self, is_printable};

/// How a snippet's language writes text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Python (Language Reference 2.4.1).
    Python,
    /// JavaScript and TypeScript (ECMA-262 12.9.4).
    JavaScript,
    /// Java and Kotlin (JLS 3.10.5).
    Java,
    /// C# (ECMA-334 6.4.5.6), regular literals.
    CSharp,
    /// Go (The Go Programming Language Specification, String literals), interpreted literals.
    Go,
    /// Rust (Reference, String literals).
    Rust,
    /// PHP (Manual, Strings).
    Php,
    /// Perl (perlop, Quote and Quote-like Operators).
    Perl,
    /// Ruby (Language Documentation, literals).
    Ruby,
    /// Elixir (Syntax reference, Strings).
    Elixir,
    /// YAML 1.2 (section 7.3.1), double-quoted scalars.
    Yaml,
    /// TOML 1.0, basic strings.
    Toml,
    /// A shell's words: the running system's.
    Shell,
    /// Text as it is: an ini file's value, a form's field.
    Plain,
}

/// How a character that may not stand as it is in double quotes is escaped.
#[derive(Clone, Copy)]
enum Escape {
    /// `\u{1F600}`
    Braces,
    /// `\x{1F600}`
    PerlBraces,
    /// `\uFFFF`, two of them beyond the basic plane.
    Utf16,
    /// `\uFFFF` or `\UFFFFFFFF`
    Eight,
}

impl Language {
    /// A text as a literal of the language.
    pub fn literal(self, value: &str) -> String {
        match self {
            Self::Python | Self::CSharp | Self::Go | Self::Yaml | Self::Toml => {
                double(value, &[], Escape::Eight)
            }
            Self::Java => double(value, &[], Escape::Utf16),
            Self::JavaScript | Self::Rust => double(value, &[], Escape::Braces),
            Self::Elixir => double(value, &['#'], Escape::Braces),
            Self::Php => single(value).unwrap_or_else(|| double(value, &['$'], Escape::Braces)),
            Self::Ruby => single(value).unwrap_or_else(|| double(value, &['#'], Escape::Braces)),
            Self::Perl => single(value).unwrap_or_else(|| double(value, &['$', '@'], Escape::PerlBraces)),
            // A shell has no escape that all of them know: better a wrong value than a line that hides something.
            Self::Shell => text::printable(&text::shell_quoted(value)),
            Self::Plain => text::printable(value),
        }
    }
}

/// In double quotes, `special` and the usual characters behind backslashes.
fn double(value: &str, special: &[char], escape: Escape) -> String {
    let mut literal = String::from("\"");
    for character in value.chars() {
        match character {
            '"' | '\\' => literal.extend(['\\', character]),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            _ if special.contains(&character) => literal.extend(['\\', character]),
            _ if is_printable(character) => literal.push(character),
            _ => escaped(&mut literal, character, escape),
        }
    }
    literal.push('"');
    literal
}

fn escaped(literal: &mut String, character: char, escape: Escape) {
    let code = u32::from(character);
    // Writing to a String cannot fail.
    let _ = match escape {
        Escape::Braces => write!(literal, "\\u{{{code:x}}}"),
        Escape::PerlBraces => write!(literal, "\\x{{{code:x}}}"),
        Escape::Eight if code > 0xffff => write!(literal, "\\U{code:08x}"),
        Escape::Eight | Escape::Utf16 => {
            character.encode_utf16(&mut [0; 2]).iter().try_for_each(|unit| write!(literal, "\\u{unit:04x}"))
        }
    };
}

/// In single quotes, where only the quote and the backslash are special; `None` if something in it needs an escape.
fn single(value: &str) -> Option<String> {
    value.chars().all(is_printable).then(|| format!("'{}'", value.replace('\\', "\\\\").replace('\'', "\\'")))
}

/// A part of a URI, percent-encoded.
pub fn percent(value: &str) -> String {
    String::from_utf8_lossy(&encoded(value.as_bytes())).into_owned()
}

/// A host within a URI: an IPv6 address in brackets.
pub fn uri_host(host: &str) -> String {
    if host.parse::<std::net::Ipv6Addr>().is_ok() { format!("[{host}]") } else { percent(host) }
}

/// A value of an ADO.NET connection string (`DbConnectionStringBuilder.AppendKeyValuePair`): in double quotes, doubled
/// inside, where something in it could be taken for syntax.
pub fn ado_net(value: &str) -> String {
    let plain = |c: char| !c.is_whitespace() && !";'\"=".contains(c);
    if !value.is_empty() && value.chars().all(plain) {
        value.to_owned()
    } else {
        format!("\"{}\"", value.replace('"', "\"\""))
    }
}

/// A value of a `[databases]` entry of PgBouncer (`cstr_get_pair` in loader.c): in single quotes, doubled inside.
pub fn pgbouncer(value: &str) -> String {
    let plain = |c: char| !c.is_whitespace() && c != '\'' && c != '"';
    if !value.is_empty() && value.chars().all(plain) {
        value.to_owned()
    } else {
        format!("'{}'", value.replace('\'', "''"))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    use proptest::prelude::*;

    use super::*;

    const AWKWARD: &[&str] = &[
        "",
        "db.example",
        "/srv/my certs/o'brien \"x\"\\root.pem",
        r"C:\ssl\new\root.pem",
        "$HOME/#{x}/@y/${z}/`w`",
        "tab\there\nline\rend\u{1b}[2J",
        "größe-数据-😀",
        "\u{202e}hidden\u{200b}\u{e0041}",
        "\\",
        "'",
        "\\'",
        "#{\\\"",
    ];

    #[test]
    fn literals() {
        for (language, value, literal) in [
            (Language::Python, r#"a"b\c"#, r#""a\"b\\c""#),
            (Language::Python, "\u{1b}\u{e0041}", r#""\u001b\U000e0041""#),
            (Language::Java, "\u{e0041}", r#""\udb40\udc41""#),
            (Language::Rust, "\u{1b}", r#""\u{1b}""#),
            (Language::Php, r"o'b\$x", r"'o\'b\\$x'"),
            (Language::Php, "$x\u{1b}", r#""\$x\u{1b}""#),
            (Language::Perl, "$x@y\u{1b}", r#""\$x\@y\x{1b}""#),
            (Language::Ruby, "#{x}\u{1b}", r#""\#{x}\u{1b}""#),
            (Language::Elixir, "#{x}", r##""\#{x}""##),
            (Language::Plain, "a b", "a b"),
        ] {
            assert_eq!(language.literal(value), literal, "{language:?}");
        }
    }

    #[test]
    fn other_forms() {
        assert_eq!(percent("a b/ü+%"), "a%20b%2F%C3%BC%2B%25");
        assert_eq!(uri_host("::1"), "[::1]");
        assert_eq!(uri_host("db.example"), "db.example");
        assert_eq!(ado_net("plain/path"), "plain/path");
        assert_eq!(ado_net(r#"a;b "c"=d"#), r#""a;b ""c""=d""#);
        assert_eq!(ado_net(""), "\"\"");
        assert_eq!(pgbouncer("o'b x"), "'o''b x'");
        assert_eq!(pgbouncer("x"), "x");
    }

    #[test]
    fn nothing_unprintable_is_written() {
        use Language::{
            CSharp, Elixir, Go, Java, JavaScript, Perl, Php, Plain, Python, Ruby, Rust, Shell, Toml, Yaml,
        };
        for language in
            [CSharp, Elixir, Go, Java, JavaScript, Perl, Php, Plain, Python, Ruby, Rust, Shell, Toml, Yaml]
        {
            for value in AWKWARD {
                let literal = language.literal(value);
                assert!(literal.chars().all(is_printable), "{language:?} {literal:?}");
            }
        }
    }

    /// The languages read back what was written: each prints the bytes of its literals, in hexadecimal.
    #[test]
    fn interpreters_read_back_what_was_written() {
        type Print = fn(&str) -> String;
        let interpreters: &[(Language, &str, &[&str], Print)] = &[
            (Language::Perl, "perl", &["-Mutf8", "-MEncode", "-"], |literal| {
                format!("print unpack('H*', encode('UTF-8', {literal})), \"\\n\";")
            }),
            (Language::Python, "python3", &["-"], |literal| format!("print({literal}.encode().hex())")),
        ];
        for (language, program, arguments, print) in interpreters {
            let script: String = AWKWARD.iter().map(|value| print(&language.literal(value)) + "\n").collect();
            let child = Command::new(program)
                .args(*arguments)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap_or_else(|error| {
                    panic!("{program}: {error}; install it with: apt-get install {program}")
                });
            child.stdin.as_ref().unwrap().write_all(script.as_bytes()).unwrap();
            let output = child.wait_with_output().unwrap();
            let read: Vec<String> =
                String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
            let wanted: Vec<String> =
                AWKWARD.iter().map(|value| crate::text::hex(value.as_bytes())).collect();
            assert_eq!(read, wanted, "{language:?}");
        }
    }

    /// Reads a literal of the family that writes `\u{…}`: JavaScript, Rust, Elixir.
    fn read_braces(literal: &str) -> Option<String> {
        let inner = literal.strip_prefix('"')?.strip_suffix('"')?;
        let mut value = String::new();
        let mut characters = inner.chars();
        while let Some(character) = characters.next() {
            value.push(match character {
                '"' => return None,
                '\\' => match characters.next()? {
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    'u' => {
                        let code: String = characters.by_ref().skip(1).take_while(|c| *c != '}').collect();
                        char::from_u32(u32::from_str_radix(&code, 16).ok()?)?
                    }
                    other => other,
                },
                other => other,
            });
        }
        Some(value)
    }

    proptest! {
        #![proptest_config(crate::properties::config())]

        /// What Java writes is JSON as well, for which a parser is at hand.
        #[test]
        fn java_literals_parse_as_json(value in any::<String>()) {
            let read: String = serde_json::from_str(&Language::Java.literal(&value)).unwrap();
            prop_assert_eq!(read, value);
        }

        #[test]
        fn literals_with_braces_read_back(value in any::<String>()) {
            for language in [Language::JavaScript, Language::Rust, Language::Elixir] {
                prop_assert_eq!(read_braces(&language.literal(&value)), Some(value.clone()));
            }
        }

        /// Single quotes end where they should: behind an even number of backslashes.
        #[test]
        fn single_quotes_read_back(value in "[a-z'\\\\ $#@]{0,20}") {
            for language in [Language::Php, Language::Perl, Language::Ruby] {
                let literal = language.literal(&value);
                let inner = literal.strip_prefix('\'').unwrap().strip_suffix('\'').unwrap();
                let mut read = String::new();
                let mut characters = inner.chars();
                while let Some(character) = characters.next() {
                    prop_assert_ne!(character, '\'');
                    read.push(if character == '\\' { characters.next().unwrap() } else { character });
                }
                prop_assert_eq!(&read, &value);
            }
        }

        #[test]
        fn percent_encoding_decodes(value in any::<String>()) {
            let encoded = percent(&value);
            prop_assert!(encoded.is_ascii());
            let mut bytes = Vec::new();
            let mut rest = encoded.as_bytes();
            while let Some((&first, after)) = rest.split_first() {
                if first == b'%' {
                    bytes.push(u8::from_str_radix(std::str::from_utf8(&after[..2]).unwrap(), 16).unwrap());
                    rest = &after[2..];
                } else {
                    bytes.push(first);
                    rest = after;
                }
            }
            prop_assert_eq!(String::from_utf8(bytes).unwrap(), value);
        }
    }
}
