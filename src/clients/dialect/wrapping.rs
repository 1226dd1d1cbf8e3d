//! What stands round a connection string where people copy it from: psql's command line, lines of an environment file,
//! quotes, the call of a driver, a document of settings.

use super::grammar::literal::string;
use super::grammar::{Broken, Pair, Part};
use super::secrets::names_secret;
use super::shell;
use super::text::{Text, find, is_blank, trimmed};
use super::{Kind, Place};
use crate::conninfo::{is_connection_string, options};
use crate::secret::Secret;

/// Something that stood round a string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Layer {
    /// A byte-order mark.
    ByteOrderMark,
    /// One pair of quotes.
    Quotes,
    /// psql's command line.
    Psql,
    /// Variables of an environment file, or of a shell's command line: the name of the one that has the string, or
    /// nothing if they are libpq's own.
    Variable(String),
    /// The call of a driver: the function.
    Call(&'static str),
    /// A document of settings: the key of the string.
    Document(String),
}

/// What is inside.
#[derive(Debug)]
pub(super) enum Unwrapped {
    /// A string.
    Text(Layer, Text),
    /// A string and what stood beside it: user and password of a call's other arguments, of other lines.
    With(Layer, Text, Vec<Pair>),
    /// The driver's settings themselves, and where they stop making sense. Places are in the original.
    Settings { layer: Layer, dialect: &'static str, pairs: Vec<Pair>, broken: Option<Broken> },
    /// A string for a driver that the call names, and whether the other arguments count more than it.
    For {
        layer: Layer,
        dialect: &'static str,
        text: Text,
        beside: Vec<Pair>,
        beside_wins: bool,
        broken: Option<Broken>,
    },
    /// psql's arguments, or variables.
    Shell(Layer, Shell),
}

/// What a shell's line gives psql, or an environment file every libpq program. Places are in the text.
#[derive(Debug, Default)]
pub(super) struct Shell {
    pub string: Option<Text>,
    pub options: Vec<Pair>,
    pub variables: Vec<Pair>,
}

/// Takes off a byte-order mark, if there is one.
pub(super) fn byte_order_mark(text: &Text) -> Option<Text> {
    text.bytes().starts_with(b"\xef\xbb\xbf").then(|| text.slice(3..text.len()))
}

/// Takes off one pair of quotes round all of it.
pub(super) fn quotes(text: &Text) -> Option<Unwrapped> {
    // Word processors have quotes of their own.
    if ["\u{201c}", "\u{2018}"].iter().any(|quote| text.bytes().starts_with(quote.as_bytes()))
        && ["\u{201d}", "\u{2019}"].iter().any(|quote| text.bytes().ends_with(quote.as_bytes()))
    {
        return Some(Unwrapped::Text(Layer::Quotes, text.slice(3..text.len() - 3)));
    }
    let (inner, end) = string(text, 0)?;
    let rest = text.get(&(end..text.len()));
    rest.iter()
        .all(|byte| is_blank(*byte) || matches!(byte, b';' | b','))
        .then_some(Unwrapped::Text(Layer::Quotes, inner))
}

/// psql's command line, with assignments before it and a prompt.
pub(super) fn psql(text: &Text) -> Option<Unwrapped> {
    let bytes = text.bytes();
    let prompt = [&b"$ "[..], b"# ", b"> ", b"% "]
        .iter()
        .find(|prompt| bytes.starts_with(prompt))
        .map_or(0, |p| p.len());
    let words = shell::words(&text.slice(prompt..text.len()))?;
    let mut shell = Shell::default();
    let is_psql = |word: &Text| {
        let name = word.bytes().rsplit(|byte| matches!(byte, b'/' | b'\\')).next().unwrap_or_default();
        matches!(name, b"psql" | b"psql.exe" | b"pg_dump" | b"pg_restore" | b"pg_isready")
    };
    // Before it stand assignments, and what starts it elsewhere: `sudo -u postgres psql`, `kubectl exec pod -- psql`.
    let at = words.iter().position(is_psql)?;
    let (before, behind) = words.split_at_checked(at)?;
    let starts = before.iter().find(|word| assignment(word).is_none());
    if starts.is_some_and(|word| !STARTERS.iter().any(|starter| word.bytes() == starter.as_bytes())) {
        return None;
    }
    shell.variables.extend(before.iter().filter_map(assignment).filter_map(variable));
    psql_arguments(behind.get(1..).unwrap_or_default(), &mut shell);
    Some(Unwrapped::Shell(Layer::Psql, shell))
}

/// Commands that run another one.
const STARTERS: [&str; 8] = ["sudo", "docker", "podman", "kubectl", "oc", "env", "exec", "time"];

/// Options of psql that take a value and say nothing of the connection.
const WITH_VALUE: [&str; 21] = [
    "-c",
    "-f",
    "-v",
    "-P",
    "-F",
    "-R",
    "-T",
    "-L",
    "-o",
    "--command",
    "--file",
    "--set",
    "--variable",
    "--pset",
    "--field-separator",
    "--record-separator",
    "--table-attr",
    "--log-file",
    "--output",
    "-t",
    "--table",
];

fn psql_arguments(words: &[Text], shell: &mut Shell) {
    let mut positional = 0;
    let mut at = 0;
    while let Some(word) = words.get(at) {
        at += 1;
        let Ok(text) = std::str::from_utf8(word.bytes()) else { continue };
        let (name, attached) = match text.split_once('=') {
            Some((name, _)) if name.starts_with("--") => (name, Some(name.len() + 1)),
            _ if text.starts_with('-') && !text.starts_with("--") && text.len() > 2 => {
                (text.get(..2).unwrap_or_default(), Some(2))
            }
            _ => (text, None),
        };
        let keyword = match name {
            "-h" | "--host" => "host",
            "-p" | "--port" => "port",
            "-U" | "--username" => "user",
            "-d" | "--dbname" => "dbname",
            // In psql -t takes no value.
            _ if WITH_VALUE.contains(&name) && name != "-t" => {
                at += usize::from(attached.is_none());
                continue;
            }
            _ if text.starts_with('-') && text.len() > 1 => continue,
            _ => {
                positional += 1;
                match positional {
                    1 => database(word, shell),
                    // Behind a string with a password and a quote astray it is as likely a piece of that.
                    2 if shell.string.as_ref().is_some_and(|string| names_secret(string.bytes())) => {}
                    2 => shell.options.push(pair("user", word)),
                    _ => {}
                }
                continue;
            }
        };
        let value = match attached {
            Some(from) => Some(word.slice(from..word.len())),
            None => {
                at += 1;
                words.get(at - 1).cloned()
            }
        };
        match value {
            Some(value) if keyword == "dbname" => database(&value, shell),
            Some(value) => shell.options.push(pair(keyword, &value)),
            None => {}
        }
    }
}

/// A database, or a connection string in its place.
fn database(word: &Text, shell: &mut Shell) {
    if is_connection_string(word.bytes()) {
        shell.string = Some(word.clone());
    } else {
        shell.options.push(pair("dbname", word));
    }
}

/// A word as a setting. Its places are in the original already.
fn pair(name: &str, value: &Text) -> Pair {
    let place = value.place(&(0..value.len()));
    Pair {
        name: name.to_owned(),
        part: Part::Fixed,
        value: value.bytes().to_vec(),
        kind: Kind::Text,
        place: Place { keyword: place.start..place.start, value: place },
    }
}

/// `NAME=value` as one word.
fn assignment(word: &Text) -> Option<(String, Text)> {
    let equals = find(word.bytes(), b"=", 0);
    let name = std::str::from_utf8(word.bytes().get(..equals)?).ok()?;
    let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    (plain && equals < word.len() && !name.starts_with(|c: char| c.is_ascii_digit()))
        .then(|| (name.to_owned(), word.slice(equals + 1..word.len())))
}

/// What a variable is, if it is one of libpq's.
fn variable((name, value): (String, Text)) -> Option<Pair> {
    let option = options::OPTIONS.iter().find(|option| option.variable == Some(name.as_str()))?;
    Some(pair(option.keyword, &value))
}

/// One line, or several, of `NAME=value`: libpq's variables, parts of a connection, or one that has a string.
pub(super) fn environment(text: &Text, is_string: &dyn Fn(&Text) -> bool) -> Option<Unwrapped> {
    let mut shell = Shell::default();
    let mut parts: Vec<(String, Pair)> = Vec::new();
    let mut strings = Vec::new();
    for (name, value) in text_lines(text).iter().flat_map(environment_line) {
        if let Some(pair) = variable((name.clone(), value.clone())) {
            shell.variables.push(pair);
        } else if is_string(&value) {
            strings.push((name, value));
        } else {
            parts.extend(part(&name, &value));
        }
    }
    if let Some((name, value)) = strings.into_iter().next() {
        return Some(Unwrapped::Text(Layer::Variable(name), value));
    }
    let host = parts.iter().find(|(_, pair)| pair.name == "host").map(|(prefix, _)| prefix.clone());
    if let Some(prefix) = host {
        let of_prefix = parts.into_iter().filter(|(other, _)| *other == prefix);
        let pairs: Vec<Pair> = of_prefix.map(|(_, pair)| pair).collect();
        let layer = Layer::Variable(format!("{prefix}HOST"));
        let dialect = match prefix.as_str() {
            AZURE if pairs.iter().any(|pair| pair.name == "ssl") => "node-postgres",
            AZURE => "django",
            _ => {
                let options = pairs.into_iter().filter(|pair| pair.name != "ssl").collect();
                return Some(Unwrapped::Shell(layer, Shell { options, ..shell }));
            }
        };
        return Some(Unwrapped::Settings { layer, dialect, pairs, broken: None });
    }
    let place_given =
        shell.variables.iter().any(|pair| matches!(pair.name.as_str(), "host" | "hostaddr" | "service"));
    place_given.then(|| Unwrapped::Shell(Layer::Variable(String::new()), shell))
}

/// The prefix of the variables of Azure's Service Connector.
const AZURE: &str = "AZURE_POSTGRESQL_";

/// A variable that has a part of a connection, and what its name begins with: `DB_HOST`, `AZURE_POSTGRESQL_USER`.
fn part(variable: &str, value: &Text) -> Option<(String, Pair)> {
    let (prefix, suffix) = variable.split_at_checked(variable.rfind('_')? + 1)?;
    let has = |words: &[&str]| words.iter().any(|word| prefix.contains(word));
    if !has(&["DB", "PG", "POSTGRES", "DATABASE"]) || has(&["MYSQL", "MONGO", "MARIA", "REDIS"]) {
        return None;
    }
    let name = match suffix {
        "HOST" => "host",
        "PORT" => "port",
        "NAME" | "DATABASE" | "DB" | "DBNAME" => "dbname",
        "USER" | "USERNAME" => "user",
        "PASSWORD" | "PASS" => "password",
        "SSLMODE" => "sslmode",
        "SSL" => return Some((prefix.to_owned(), Pair { part: Part::Keyword, ..pair("ssl", value) })),
        _ => return None,
    };
    Some((prefix.to_owned(), pair(name, value)))
}

/// All that the lines of an environment file assign, by name.
pub fn assignments(text: &[u8]) -> Vec<(String, Secret)> {
    let lines = text_lines(&Text::new(text));
    let assigned = lines.iter().flat_map(environment_line);
    assigned.map(|(name, value)| (name, Secret::new(value.bytes().to_vec()))).collect()
}

fn text_lines(text: &Text) -> Vec<Text> {
    let ranges = super::text::split(text.bytes(), 0..text.len(), b'\n');
    ranges.into_iter().map(|range| text.slice(range).trimmed()).collect()
}

/// What a line assigns: `export NAME="value" # comment`, as shells and dotenv have it; `set NAME=value` and `$env:NAME =
/// "value"`; `- NAME=value` of a list; several at once, as before a command.
fn environment_line(line: &Text) -> Vec<(String, Text)> {
    let item = line.bytes().starts_with(b"- ").then(|| line.slice(2..line.len()).trimmed());
    if let Some(item) = item {
        let quoted = string(&item, 0).filter(|(_, end)| *end == item.len());
        return assigned(&quoted.map_or(item, |(inner, _)| inner)).into_iter().collect();
    }
    let words = shell::words(line).unwrap_or_default();
    let several: Option<Vec<(String, Text)>> = words.iter().map(assignment).collect();
    let is_variable = |(name, _): &(String, Text)| !name.contains(|c: char| c.is_ascii_lowercase());
    match several {
        Some(several) if several.len() > 1 && several.iter().all(is_variable) => several,
        _ => assigned(line).into_iter().collect(),
    }
}

/// The same of one variable.
fn assigned(line: &Text) -> Option<(String, Text)> {
    let bytes = line.bytes();
    let prefix = ["export ", "set ", "setx ", "SET ", "$env:", "ENV "]
        .iter()
        .find(|prefix| bytes.starts_with(prefix.as_bytes()));
    let start = prefix.map_or(0, |prefix| prefix.len());
    let equals = find(bytes, b"=", start);
    let name = trimmed(bytes, start..equals);
    let name =
        std::str::from_utf8(line.get(&name)).ok().filter(|name| !name.is_empty() && equals < line.len())?;
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return None;
    }
    let value = trimmed(bytes, equals + 1..bytes.len());
    match bytes.get(value.start) {
        // Nothing is an escape in single quotes.
        Some(b'\'') => {
            let end = find(bytes, b"'", value.start + 1);
            (end < bytes.len()).then(|| (name.to_owned(), line.slice(value.start + 1..end)))
        }
        Some(b'"' | b'`') => string(line, value.start).map(|(value, _)| (name.to_owned(), value)),
        _ => {
            let comment = |at: &usize| {
                bytes.get(*at) == Some(&b'#')
                    && bytes.get(at.saturating_sub(1)).is_some_and(|byte| is_blank(*byte))
            };
            // In an object a # is text or a comment of the language's.
            let object = matches!(bytes.get(value.start), Some(b'{' | b'['));
            let end = value.clone().skip(1).find(|at| !object && comment(at)).unwrap_or(value.end);
            let value = trimmed(bytes, value.start..end);
            Some((name.to_owned(), line.slice(value)))
        }
    }
}

/// A pair with its places in the original.
pub(super) fn located(text: &Text, pair: &Pair) -> Pair {
    let place = Place { keyword: text.place(&pair.place.keyword), value: text.place(&pair.place.value) };
    Pair { place, ..pair.clone() }
}

pub(super) fn fixed(text: &Text, name: &str, pair: &Pair) -> Pair {
    Pair { name: name.to_owned(), part: Part::Fixed, ..located(text, pair) }
}
