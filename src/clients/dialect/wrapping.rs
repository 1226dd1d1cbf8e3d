//! What stands round a connection string where people copy it from: psql's command line, lines of an environment file,
//! quotes, the call of a driver, a document of settings.

use super::grammar::lines::lines;
use super::grammar::literal::{arguments, string};
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
    let mut words = shell::words(&text.slice(prompt..text.len()))?.into_iter().peekable();
    let mut shell = Shell::default();
    while let Some(pair) = words.peek().and_then(assignment) {
        words.next();
        shell.variables.extend(variable(pair));
    }
    let program = words.next()?;
    let name = program.bytes().rsplit(|byte| matches!(byte, b'/' | b'\\')).next().unwrap_or_default();
    if !matches!(name, b"psql" | b"psql.exe" | b"pg_dump" | b"pg_isready") {
        return None;
    }
    let words: Vec<Text> = words.collect();
    psql_arguments(&words, &mut shell);
    Some(Unwrapped::Shell(Layer::Psql, shell))
}

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

/// One line, or several, of `NAME=value`: libpq's variables, or one that has a string.
pub(super) fn environment(text: &Text, is_string: &dyn Fn(&Text) -> bool) -> Option<Unwrapped> {
    let mut shell = Shell::default();
    let mut azure: Vec<Pair> = Vec::new();
    let mut strings = Vec::new();
    for line in text_lines(text) {
        let Some((name, value)) = environment_line(&line) else { continue };
        if let Some(suffix) = name.strip_prefix("AZURE_POSTGRESQL_")
            && let Some(pair) = azure_variable(suffix, &value)
        {
            azure.push(pair);
        } else if let Some(pair) = variable((name.clone(), value.clone())) {
            shell.variables.push(pair);
        } else if is_string(&value) {
            strings.push((name, value));
        }
    }
    if let Some((name, value)) = strings.into_iter().next() {
        return Some(Unwrapped::Text(Layer::Variable(name), value));
    }
    if azure.iter().any(|pair| pair.name == "host") {
        let dialect = if azure.iter().any(|pair| pair.name == "ssl") { "node-postgres" } else { "django" };
        let layer = Layer::Variable("AZURE_POSTGRESQL_HOST".to_owned());
        return Some(Unwrapped::Settings { layer, dialect, pairs: azure, broken: None });
    }
    let place_given =
        shell.variables.iter().any(|pair| matches!(pair.name.as_str(), "host" | "hostaddr" | "service"));
    place_given.then(|| Unwrapped::Shell(Layer::Variable(String::new()), shell))
}

/// All that the lines of an environment file assign, by name.
pub fn assignments(text: &[u8]) -> Vec<(String, Secret)> {
    let lines = text_lines(&Text::new(text));
    let assigned = lines.iter().filter_map(environment_line);
    assigned.map(|(name, value)| (name, Secret::new(value.bytes().to_vec()))).collect()
}

/// The variables of Azure's Service Connector.
fn azure_variable(suffix: &str, value: &Text) -> Option<Pair> {
    let name = match suffix {
        "HOST" => "host",
        "PORT" => "port",
        "NAME" | "DATABASE" => "dbname",
        "USER" => "user",
        "PASSWORD" => "password",
        "SSL" => return Some(Pair { part: Part::Keyword, ..pair("ssl", value) }),
        _ => return None,
    };
    Some(pair(name, value))
}

fn text_lines(text: &Text) -> Vec<Text> {
    let ranges = super::text::split(text.bytes(), 0..text.len(), b'\n');
    ranges.into_iter().map(|range| text.slice(range).trimmed()).collect()
}

/// `export NAME="value" # comment`, as shells and dotenv have it; `set NAME=value` and `$env:NAME = "value"` too.
fn environment_line(line: &Text) -> Option<(String, Text)> {
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

/// A call that takes a connection string or settings.
struct Call {
    /// As it is written, up to the parenthesis.
    name: &'static str,
    /// Whose it is.
    dialect: &'static str,
    /// What its arguments are.
    takes: Takes,
}

/// What the arguments of a call are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    /// The string, then user and password.
    String,
    /// The string behind one other argument.
    Second,
    /// Keyword arguments, or the string.
    Keywords,
    /// An object, or the string.
    Object,
}

const CALLS: &[Call] = &[
    call("pg_connect", "libpq", Takes::String),
    call("pg_pconnect", "libpq", Takes::String),
    call("PQconnectdb", "libpq", Takes::String),
    call("psycopg2.connect", "psycopg", Takes::Keywords),
    call("psycopg.connect", "psycopg", Takes::Keywords),
    call("AsyncConnection.connect", "psycopg", Takes::Keywords),
    call("asyncpg.connect", "asyncpg", Takes::Keywords),
    call("asyncpg.create_pool", "asyncpg", Takes::Keywords),
    call("pg8000.connect", "pg8000", Takes::Keywords),
    call("pg8000.dbapi.connect", "pg8000", Takes::Keywords),
    call("pg8000.native.Connection", "pg8000", Takes::Keywords),
    call("PG::Connection.new", "ruby-pg", Takes::Keywords),
    call("PG::Connection.open", "ruby-pg", Takes::Keywords),
    call("PG.connect", "ruby-pg", Takes::Keywords),
    call("PGconn.new", "ruby-pg", Takes::Keywords),
    call("new PDO", "pdo", Takes::String),
    call("create_engine", "sqlalchemy", Takes::String),
    call("create_async_engine", "sqlalchemy+asyncpg", Takes::String),
    call("dj_database_url.parse", "django", Takes::String),
    call("sql.Open", "lib-pq", Takes::Second),
    call("pgx.Connect", "pgx", Takes::Second),
    call("pgxpool.New", "pgx", Takes::Second),
    call("pgxpool.Connect", "pgx-4", Takes::Second),
    call("pgx.ParseConfig", "pgx", Takes::String),
    call("postgres.Open", "gorm", Takes::String),
    call("DriverManager.getConnection", "jdbc", Takes::String),
    call("DBI->connect", "dbi", Takes::String),
    call("new NpgsqlConnection", "npgsql", Takes::String),
    call("NpgsqlDataSource.Create", "npgsql", Takes::String),
    call("new NpgsqlConnectionStringBuilder", "npgsql", Takes::String),
    call("UseNpgsql", "npgsql", Takes::String),
    call("new pg.Client", "node-postgres", Takes::Object),
    call("new pg.Pool", "node-postgres", Takes::Object),
    call("new Client", "node-postgres", Takes::Object),
    call("new Pool", "node-postgres", Takes::Object),
    call("new Sequelize", "sequelize", Takes::Object),
    call("postgres", "postgres.js", Takes::Object),
    call("Postgrex.start_link", "ecto", Takes::Keywords),
    call("tokio_postgres::connect", "tokio-postgres", Takes::String),
    call("PgPool::connect", "sqlx", Takes::String),
    call("PgConnection::connect", "sqlx", Takes::String),
    call("PgConnection::establish", "diesel", Takes::String),
];

const fn call(name: &'static str, dialect: &'static str, takes: Takes) -> Call {
    Call { name, dialect, takes }
}

/// The call of a driver, anywhere in a text.
pub(super) fn driver_call(text: &Text) -> Option<Unwrapped> {
    let bytes = text.bytes();
    let found = CALLS.iter().filter_map(|call| Some((call, position(bytes, call.name)?)));
    // The longer name where two fit at one place.
    let (call, at) = found.min_by_key(|(call, at)| (*at, std::cmp::Reverse(call.name.len())))?;
    let (pairs, broken, _) = arguments(text, at);
    let layer = Layer::Call(call.name);
    let mut dialect = call.dialect;
    let first = if call.takes == Takes::Second { 1 } else { 0 };
    if call.name == "sql.Open" && pairs.first().is_some_and(|pair| pair.value == b"pgx") {
        dialect = "pgx";
    }
    let string_at = pairs.iter().find(|pair| {
        pair.name == first.to_string() && pair.kind == Kind::Text && !pair.place.value.is_empty()
    });
    if let Some(pair) = string_at {
        let (inner, _) = string_from(text, pair)?;
        let mut beside: Vec<Pair> = pairs
            .iter()
            .filter_map(|other| {
                let name = match other.name.as_str() {
                    "1" if call.takes == Takes::String => "user",
                    "2" if call.takes == Takes::String => "password",
                    _ => return None,
                };
                (other.kind != Kind::Object).then(|| fixed(text, name, other))
            })
            .collect();
        // Arrays and objects behind the string are the language's, unless the driver takes its settings there.
        let is_setting = |pair: &&Pair| {
            let outer = pair.name.split('.').next().unwrap_or_default();
            let numbered = outer.parse::<usize>().is_ok();
            pair.name.parse::<usize>().is_err() && (!numbered || call.takes == Takes::Object)
        };
        beside.extend(pairs.iter().filter(is_setting).map(|other| located(text, other)));
        let beside_wins = call.dialect != "jdbc";
        let broken = broken.map(|broken| Broken { place: text.place(&broken.place), ..broken });
        return Some(Unwrapped::For { layer, dialect, text: inner, beside, beside_wins, broken });
    }
    let prefix = format!("{first}.");
    let settings: Vec<Pair> = pairs
        .into_iter()
        .filter(|pair| pair.name != first.to_string())
        .map(|pair| Pair { name: pair.name.strip_prefix(&prefix).unwrap_or(&pair.name).to_owned(), ..pair })
        .map(|pair| located(text, &pair))
        .collect();
    if settings.is_empty() && broken.is_none() {
        return None;
    }
    let broken = broken.map(|broken| Broken { place: text.place(&broken.place), ..broken });
    Some(Unwrapped::Settings { layer, dialect, pairs: settings, broken })
}

/// The literal of a pair as text that remembers its places; where several are joined, only their content.
fn string_from(text: &Text, pair: &Pair) -> Option<(Text, usize)> {
    let start = find(text.bytes(), b"\"'`", pair.place.value.start);
    let (inner, end) = string(text, start)?;
    if inner.bytes() == pair.value.as_slice() {
        return Some((inner, end));
    }
    let mut joined = Text::default();
    for byte in &pair.value {
        joined.push(*byte, text, &pair.place.value);
    }
    Some((joined, pair.place.value.end))
}

/// A pair with its places in the original.
fn located(text: &Text, pair: &Pair) -> Pair {
    let place = Place { keyword: text.place(&pair.place.keyword), value: text.place(&pair.place.value) };
    Pair { place, ..pair.clone() }
}

fn fixed(text: &Text, name: &str, pair: &Pair) -> Pair {
    Pair { name: name.to_owned(), part: Part::Fixed, ..located(text, pair) }
}

/// Where the arguments of a call begin: behind `name` and the parenthesis, or the blank that Perl and Ruby allow.
fn position(bytes: &[u8], name: &str) -> Option<usize> {
    let mut from = 0;
    loop {
        let rest = bytes.get(from..)?;
        let at = from + rest.windows(name.len()).position(|window| window == name.as_bytes())?;
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        let end = at + name.len();
        let separated = before.is_none_or(|byte| !byte.is_ascii_alphanumeric() && !b"_.>:".contains(byte))
            || (name.starts_with(|c: char| c.is_ascii_lowercase())
                && before == Some(&b'.')
                && name.contains('('));
        if separated && bytes.get(end) == Some(&b'(') {
            return Some(end + 1);
        }
        from = at + 1;
    }
}

/// A document with a string in it: lines of YAML or of a properties file, JSON, XML.
pub(super) fn document(text: &Text, is_string: &dyn Fn(&Text) -> bool) -> Option<Unwrapped> {
    let pairs = lines(text);
    for pair in &pairs {
        let Some(inner) = scalar(text, pair).filter(is_string) else { continue };
        let (parent, _) = pair.name.rsplit_once('.').unwrap_or(("", ""));
        let beside = pairs
            .iter()
            .filter_map(|other| {
                let (other_parent, key) = other.name.rsplit_once('.').unwrap_or(("", &other.name));
                let name = match key.to_ascii_lowercase().as_str() {
                    "username" | "user" => "user",
                    "password" => "password",
                    _ => return None,
                };
                (other_parent == parent).then(|| fixed(text, name, other))
            })
            .collect();
        return Some(Unwrapped::With(Layer::Document(pair.name.clone()), inner, beside));
    }
    let text = if text.bytes().contains(&b'<') { without_entities(text) } else { text.clone() };
    let bytes = text.bytes();
    let mut at = 0;
    while at < bytes.len() {
        let literal = matches!(bytes.get(at), Some(b'"' | b'\'')).then(|| string(&text, at)).flatten();
        match literal {
            Some((inner, end)) if ends_value(bytes, end) && is_string(&inner) => {
                return Some(Unwrapped::Text(Layer::Document(key_before(bytes, at)), inner));
            }
            Some((_, end)) => at = end,
            None => at += 1,
        }
    }
    None
}

/// Whether what follows a literal can follow a value: else a quote in the value ended it too early.
fn ends_value(bytes: &[u8], end: usize) -> bool {
    let rest = bytes.get(end..).unwrap_or_default();
    let next = rest.iter().find(|byte| !matches!(byte, b' ' | b'\t'));
    next.is_none_or(|next| b",;)}]>/\r\n".contains(next))
}

/// The value of a line as text that remembers its places.
fn scalar(text: &Text, pair: &Pair) -> Option<Text> {
    let range = pair.place.value.clone();
    match string(text, range.start) {
        Some((inner, end)) if end == range.end => Some(inner),
        _ => (pair.kind == Kind::Text).then(|| text.slice(range)),
    }
}

/// The name before a string: `"Default": "…"`, `connectionString="…"`.
fn key_before(bytes: &[u8], at: usize) -> String {
    let before = bytes.get(..at).unwrap_or_default();
    let end = before
        .iter()
        .rposition(|byte| !is_blank(*byte) && !matches!(byte, b'=' | b':' | b'"' | b'\''))
        .map_or(0, |at| at + 1);
    let word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let before = bytes.get(..end).unwrap_or_default();
    let start = before.iter().rposition(|byte| !word(byte)).map_or(0, |at| at + 1);
    String::from_utf8_lossy(bytes.get(start..end).unwrap_or_default()).into_owned()
}

/// The text with XML's entities replaced.
fn without_entities(text: &Text) -> Text {
    const ENTITIES: [(&[u8], u8); 5] =
        [(b"&amp;", b'&'), (b"&quot;", b'\''), (b"&apos;", b'\''), (b"&lt;", b'<'), (b"&gt;", b'>')];
    let bytes = text.bytes();
    let mut replaced = Text::default();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let entity =
            ENTITIES.iter().find(|(entity, _)| bytes.get(at..).is_some_and(|rest| rest.starts_with(entity)));
        let (byte, length) = entity.map_or((*byte, 1), |(entity, byte)| (*byte, entity.len()));
        replaced.push(byte, text, &(at..at + length));
        at += length;
    }
    replaced
}

/// The settings of one environment of Rails' database.yml: `production` if there is one, else the last that has an
/// adapter or an URL.
pub(super) fn database_yml(text: &Text) -> Option<Unwrapped> {
    let pairs = lines(text);
    let is_adapter = |pair: &Pair| {
        let (_, key) = pair.name.rsplit_once('.').unwrap_or(("", &pair.name));
        key == "adapter" && matches!(pair.value.as_slice(), b"postgresql" | b"postgis" | b"postgres")
    };
    let mut sections = pairs
        .iter()
        .filter(|pair| is_adapter(pair))
        .map(|pair| pair.name.rsplit_once('.').map_or("", |(parent, _)| parent));
    let section = sections
        .clone()
        .find(|section| *section == "production" || section.ends_with(".production"))
        .or(sections.next_back())?
        .to_owned();
    let prefix = if section.is_empty() { String::new() } else { format!("{section}.") };
    let settings: Vec<Pair> = pairs
        .iter()
        .filter_map(|pair| {
            let name = pair.name.strip_prefix(&prefix)?;
            Some(Pair { name: name.to_owned(), ..located(text, pair) })
        })
        .collect();
    Some(Unwrapped::Settings {
        layer: Layer::Document(section),
        dialect: "rails",
        pairs: settings,
        broken: None,
    })
}
