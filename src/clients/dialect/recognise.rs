//! Which driver's a string is, by its form, once what stood round it is off.
//!
//! Whatever libpq reads stays libpq's: other drivers' forms are looked for in text that libpq refuses, and in hosts that
//! no host can be called.

use std::borrow::Cow;

use super::grammar::pairs::{Prefix, Syntax, keywords};
use super::grammar::url::forgotten_question_mark;
use super::grammar::{Broken, Form, JAVASCRIPT, Pair, Parsed, Part, literal};
use super::placeholder::{bracketed, is_partly_placeholder, is_placeholder};
use super::text::{Text, find, split};
use super::understand::{Found, plain, understand};
use super::wrapping::{self, Layer, Shell, Unwrapped};
use super::{Demand, Dialect, Failure, FaultKind, Hosts, Kind, Place, Reading, Setting, hosts, table};
use super::{calls, documents};
use crate::conninfo;

/// Keys of a whole string among the settings of an object or a call.
const STRING_KEYS: [&str; 8] =
    ["connectionString", "url", "dsn", "DSN", "uri", "conninfo", "connection", "default"];

/// How many layers may stand round a string.
const LAYERS: usize = 6;

/// What a text turned out to be.
#[derive(Debug)]
pub enum Target {
    /// libpq's own.
    Libpq(Taken),
    /// Another driver's.
    Driver(Box<Reading>),
    /// Another driver's, which the driver would refuse or which is not complete.
    Refused(Box<Failure>),
}

/// A string of libpq's, out of what stood round it.
#[derive(Debug)]
pub struct Taken {
    /// The string; `None` if there was none among psql's arguments or variables.
    pub text: Option<Text>,
    /// What stood round it.
    pub layers: Vec<Layer>,
    /// What psql's options said. As in psql, the string counts more.
    pub options: Vec<Setting>,
    /// What was assigned to libpq's variables. It counts less than options and string, and more than the environment.
    pub variables: Vec<Setting>,
    /// Whether it was a host alone that may be another word: no dot, no port.
    pub uncertain: bool,
}

/// Reads a text as the driver that its form tells, or as `wanted`. What nobody recognises is libpq's, for libpq to
/// refuse.
pub fn read(input: &[u8], wanted: Option<&'static Dialect>) -> Target {
    let text = Text::new(input);
    let libpq = || Target::Libpq(Taken::plain(Text::new(input), Vec::new(), Vec::new()));
    let Some(wanted) = wanted else {
        // What libpq reads as it is has nothing round it.
        return Search { original: input, wanted: None }
            .attempt(&text, Vec::new(), Vec::new())
            .unwrap_or_else(libpq);
    };
    if wanted.name == "libpq" {
        return libpq();
    }
    let search = Search { original: input, wanted: Some(wanted) };
    search.attempt(&text, Vec::new(), Vec::new()).unwrap_or_else(|| search.unreadable(&text))
}

/// What placeholders have in them.
const PLACEHOLDERS: &[u8] = b"<{[$%*";

/// Whether a text is a string of libpq's with pairs in it and nothing round it, as most are: [`read`] finds the same, with
/// more trouble.
pub fn is_plain(text: &[u8]) -> bool {
    let is_url = text.windows(3).any(|part| part == b"://");
    let signs = text.iter().filter(|byte| **byte == b'=').count();
    signs > 1
        && !is_url
        && !text.iter().any(|byte| *byte == b';' || PLACEHOLDERS.contains(byte))
        && text.first().is_some_and(u8::is_ascii_alphabetic)
        && text.last().is_some_and(|byte| byte.is_ascii_graphic())
        && conninfo::parse(text).is_ok()
}

/// A URL that more than one driver is asked about.
const LONGEST_URL: usize = 2048;

/// Those who take a URL that begins with `postgresql://` for one of theirs, and what each demands by it; nobody for
/// another text, which is one driver's alone. What a driver refuses is left out.
pub fn readers(text: &[u8]) -> Vec<(&'static Dialect, Demand)> {
    let text = text.trim_ascii();
    // To read what is far longer than any URL in a dozen ways takes its time.
    let is_url = text.starts_with(b"postgresql://") || text.starts_with(b"postgres://");
    if !is_url || text.len() > LONGEST_URL {
        return Vec::new();
    }
    let demand = |dialect: &'static Dialect| match read(text, Some(dialect)) {
        Target::Driver(reading) => Some((dialect, reading.decision.demand)),
        Target::Refused(_) => None,
        Target::Libpq(_) => {
            let psycopg = table::find("psycopg")?;
            let Target::Driver(reading) = read(text, Some(psycopg)) else { return None };
            Some((dialect, reading.decision.demand))
        }
    };
    let takes_urls = |dialect: &&Dialect| {
        dialect.forms.iter().any(|form| match form {
            Form::Url(rules) => rules.scheme(text).is_some(),
            Form::Libpq => true,
            Form::Pairs(_) | Form::Object(_) => false,
        })
    };
    table::all().filter(takes_urls).filter_map(demand).collect()
}

impl Taken {
    fn plain(text: Text, layers: Vec<Layer>, beside: Vec<Pair>) -> Self {
        Self { text: Some(text), layers, options: plain(&beside), variables: Vec::new(), uncertain: false }
    }
}

/// One search for the string in a text.
struct Search<'a> {
    original: &'a [u8],
    /// The driver that is said to read it.
    wanted: Option<&'static Dialect>,
}

impl Search<'_> {
    /// Reads a text, or what is inside it; `None` if nothing in it is recognised.
    fn attempt(&self, text: &Text, mut layers: Vec<Layer>, beside: Vec<Pair>) -> Option<Target> {
        if layers.len() > LAYERS {
            return None;
        }
        if let Some(inner) = wrapping::byte_order_mark(text) {
            layers.push(Layer::ByteOrderMark);
            return self.attempt(&inner, layers, beside);
        }
        let whole = text;
        let text = text.trimmed();
        match self.wanted {
            Some(dialect) => {
                if let Some(form) = fitting(dialect, &text) {
                    return Some(self.finish(dialect, form, &text, layers, beside, false));
                }
            }
            None => match recognised(&text) {
                Some(Recognised::As(dialect, form)) => {
                    return Some(self.finish(dialect, form, &text, layers, beside, false));
                }
                Some(Recognised::Other(dialect, what)) => {
                    return Some(self.refused(dialect, &text, layers, FaultKind::OtherProduct(what.into())));
                }
                None if is_libpq(&text) => {
                    // libpq takes what stands round a URI for a part of it.
                    let text = if layers.is_empty() { whole.clone() } else { text };
                    return Some(match has_no_place(&text) {
                        true => self.finish(table::libpq(), Form::Libpq, &text, layers, beside, false),
                        false => Target::Libpq(Taken::plain(text, layers, beside)),
                    });
                }
                None => {
                    if let Some(taken) = host_alone(&text, &layers) {
                        return Some(Target::Libpq(taken));
                    }
                }
            },
        }
        self.unwrapped(&text, &layers)
    }

    /// Takes off what stands round a text and goes on with what is inside.
    fn unwrapped(&self, text: &Text, layers: &[Layer]) -> Option<Target> {
        let is_string = |text: &Text| self.is_string(text);
        let peeled = wrapping::quotes(text)
            .or_else(|| wrapping::psql(text))
            .or_else(|| wrapping::environment(text, &is_string))
            .or_else(|| calls::driver_call(text, &|dialect, inner| self.fits(dialect, inner)))
            .or_else(|| calls::configuration(text))
            .or_else(|| documents::database_yml(text))
            .or_else(|| documents::document(text, &is_string))?;
        let with = |layer: Layer| [layers, &[layer]].concat();
        match peeled {
            Unwrapped::Text(layer, inner) => self.attempt(&inner, with(layer), Vec::new()),
            Unwrapped::With(layer, inner, beside) => self.attempt(&inner, with(layer), beside),
            // Code that does not parse may have cut its string short.
            Unwrapped::For { layer, dialect, beside, broken: Some(broken), .. } => {
                let dialect = self.wanted.or_else(|| table::find(dialect))?;
                Some(self.object(dialect, beside, Some(broken), with(layer)))
            }
            Unwrapped::For { layer, dialect, text, beside, beside_wins, broken: None } => {
                self.of_call(dialect, &text, with(layer), beside, beside_wins)
            }
            Unwrapped::Settings { layer, dialect, pairs, broken } => {
                let dialect = self.wanted.or_else(|| table::find(dialect))?;
                Some(self.object(dialect, pairs, broken, with(layer)))
            }
            Unwrapped::Shell(layer, shell) => self.shell(shell, with(layer)),
        }
    }

    /// The string of a call, whose driver is known by the call.
    fn of_call(
        &self,
        dialect: &str,
        text: &Text,
        layers: Vec<Layer>,
        beside: Vec<Pair>,
        beside_wins: bool,
    ) -> Option<Target> {
        let dialect = self.wanted.or_else(|| table::find(dialect))?;
        let text = text.trimmed();
        // SQLAlchemy's URL names its driver.
        let dialect = match recognised(&text) {
            Some(Recognised::As(other, _))
                if self.wanted.is_none() && other.name.starts_with("sqlalchemy") =>
            {
                other
            }
            _ => dialect,
        };
        if dialect.name == "libpq" {
            return Some(Target::Libpq(Taken::plain(text, layers, beside)));
        }
        Some(match fitting(dialect, &text) {
            Some(form) => self.finish(dialect, form, &text, layers, beside, beside_wins),
            None => Search { wanted: Some(dialect), ..*self }.unreadable(&text),
        })
    }

    fn shell(&self, shell: Shell, layers: Vec<Layer>) -> Option<Target> {
        if let Some(text) = shell.string.as_ref().filter(|text| self.wanted.is_some() || has_no_place(text)) {
            return self.attempt(text, layers, Vec::new());
        }
        Some(Target::Libpq(Taken {
            text: shell.string,
            layers,
            options: plain(&shell.options),
            variables: plain(&shell.variables),
            uncertain: false,
        }))
    }

    /// Whether a text inside another is a connection string.
    fn is_string(&self, text: &Text) -> bool {
        let text = text.trimmed();
        match self.wanted {
            Some(dialect) => fitting(dialect, &text).is_some(),
            None => recognised(&text).is_some() || (has_sign(&text) && is_libpq(&text)),
        }
    }

    /// Whether a text inside another is a string for the driver that a call names.
    fn fits(&self, dialect: &str, text: &Text) -> bool {
        let text = text.trimmed();
        let Some(dialect) = self.wanted.or_else(|| table::find(dialect)) else { return false };
        // SQLAlchemy's URL names its driver.
        let by_itself = || self.wanted.is_none() && recognised(&text).is_some();
        has_sign(&text) && (fitting(dialect, &text).is_some() || by_itself())
    }

    /// A string that none of the wanted driver's forms fits.
    fn unreadable(&self, text: &Text) -> Target {
        let Some(dialect) = self.wanted else {
            return Target::Libpq(Taken::plain(text.clone(), Vec::new(), Vec::new()));
        };
        let expected = dialect.forms.iter().find_map(|form| match form {
            Form::Url(rules) => {
                rules.schemes.first().map(|scheme| format!("a URL that begins with {scheme}"))
            }
            Form::Pairs(rules) => Some(match rules.prefix {
                Prefix::Pdo => "pgsql: and keyword=value, separated by semicolons".to_owned(),
                Prefix::Dbi => "dbi:Pg: and keyword=value, separated by semicolons".to_owned(),
                Prefix::Nothing => "keyword=value".to_owned(),
            }),
            Form::Libpq | Form::Object(_) => None,
        });
        let expected: Cow<'static, str> = expected.map_or("the settings of this driver".into(), Cow::Owned);
        self.refused(dialect, &text.trimmed(), Vec::new(), FaultKind::Syntax(expected))
    }

    /// A text of which nothing is read.
    fn refused(&self, dialect: &'static Dialect, text: &Text, layers: Vec<Layer>, kind: FaultKind) -> Target {
        let broken = Some(Broken::new(kind, 0..text.len()));
        self.understood(Found {
            dialect,
            layers,
            original: self.original,
            text: text.clone(),
            form: Form::Object(&JAVASCRIPT),
            parsed: Parsed { pairs: Vec::new(), broken },
            beside: Vec::new(),
            beside_wins: false,
        })
    }

    /// Takes a string apart by the form that fits it.
    fn finish(
        &self,
        dialect: &'static Dialect,
        form: Form,
        text: &Text,
        layers: Vec<Layer>,
        beside: Vec<Pair>,
        beside_wins: bool,
    ) -> Target {
        let mut parsed = form.parse(text, table::knows);
        if matches!(form, Form::Object(_)) {
            let places = |pair: Pair| Pair {
                place: Place {
                    keyword: text.place(&pair.place.keyword),
                    value: text.place(&pair.place.value),
                },
                ..pair
            };
            let broken = parsed.broken.map(|broken| Broken { place: text.place(&broken.place), ..broken });
            return self.object(dialect, parsed.pairs.into_iter().map(places).collect(), broken, layers);
        }
        if let Form::Pairs(rules) = form
            && rules.syntax == Syntax::Odbc
        {
            hosts::expand(text, &mut parsed.pairs);
        }
        if dialect.hosts != Hosts::Plain {
            hosts::separate(dialect, &mut parsed.pairs);
        }
        self.understood(Found {
            dialect,
            layers,
            original: self.original,
            text: text.clone(),
            form,
            parsed,
            beside,
            beside_wins,
        })
    }

    /// Settings that are an object or arguments; their places are in the original. A connection string among them
    /// counts more than what stands beside it.
    fn object(
        &self,
        dialect: &'static Dialect,
        pairs: Vec<Pair>,
        broken: Option<Broken>,
        layers: Vec<Layer>,
    ) -> Target {
        let is_object = |form: &&Form| matches!(form, Form::Object(_));
        let form = dialect.forms.iter().find(is_object).copied().unwrap_or(Form::Object(&JAVASCRIPT));
        let original = Text::new(self.original);
        let is_string = |pair: &&Pair| {
            let key = pair.name.rsplit('.').next().unwrap_or_default();
            STRING_KEYS.contains(&key) && matches!(pair.kind, Kind::Text | Kind::Code)
        };
        let named = pairs.iter().find(is_string);
        if let (Some(pair), None) = (named.filter(|pair| pair.kind == Kind::Code), &broken) {
            let kind = FaultKind::Computed(pair.name.clone().into());
            let broken = Some(Broken::new(kind, pair.place.value.clone()));
            return self.object(dialect, Vec::new(), broken, layers);
        }
        let inner = named.filter(|pair| pair.kind == Kind::Text).and_then(|pair| {
            let inner = literal::string(&original, pair.place.value.start).map(|(inner, _)| inner);
            let inner = inner.unwrap_or_else(|| original.slice(pair.place.value.clone())).trimmed();
            Some((fitting(dialect, &inner)?, inner, pair.name.clone()))
        });
        if let (Some((form, inner, name)), None) = (inner, &broken) {
            let beside = pairs.into_iter().filter(|pair| pair.name != name).collect();
            return self.finish(dialect, form, &inner, layers, beside, false);
        }
        self.understood(Found {
            dialect,
            layers,
            original: self.original,
            text: original,
            form,
            parsed: Parsed { pairs, broken },
            beside: Vec::new(),
            beside_wins: false,
        })
    }

    fn understood(&self, found: Found<'_>) -> Target {
        match understand(found) {
            Ok(reading) => Target::Driver(Box::new(reading)),
            Err(failure) => Target::Refused(failure),
        }
    }
}

/// What the form of a text tells.
enum Recognised {
    As(&'static Dialect, Form),
    /// Something that looks alike and is another product's.
    Other(&'static Dialect, &'static str),
}

/// The form of a dialect's that fits a text.
fn fitting(dialect: &'static Dialect, text: &Text) -> Option<Form> {
    let bytes = text.bytes();
    dialect.forms.iter().copied().find(|form| match form {
        Form::Url(rules) => rules.scheme(bytes).is_some(),
        Form::Pairs(rules) => {
            let known = |range: &std::ops::Range<usize>| {
                std::str::from_utf8(text.get(range)).is_ok_and(|name| dialect.keyword(name).is_some())
            };
            match rules.prefix {
                Prefix::Nothing => first_keyword(text, rules.syntax).is_some_and(|range| known(&range)),
                prefix => prefix.length(bytes).is_some(),
            }
        }
        Form::Libpq => is_libpq(text) && !text.is_empty(),
        Form::Object(_) => bytes.starts_with(b"{") || bytes.starts_with(b"["),
    })
}

/// Where the first keyword of pairs stands.
fn first_keyword(text: &Text, syntax: Syntax) -> Option<std::ops::Range<usize>> {
    match syntax {
        Syntax::AdoNet | Syntax::Odbc => keywords(text.bytes()).into_iter().next(),
        Syntax::Blanks(_) | Syntax::SemicolonsToo { .. } => {
            let end = find(text.bytes(), b"= \t\r\n", 0);
            Some(0..end)
        }
    }
}

/// Whether libpq would look up a placeholder.
fn has_no_place(text: &Text) -> bool {
    let is_one = |parsed: &conninfo::Parsed, option: &str| {
        parsed.get(option).is_some_and(|given| {
            let value = given.value.as_bytes();
            is_placeholder(value) || is_partly_placeholder(value)
        })
    };
    text.bytes().iter().any(|byte| PLACEHOLDERS.contains(byte))
        && conninfo::parse(text.bytes())
            .is_ok_and(|parsed| is_one(&parsed, "host") || is_one(&parsed, "port"))
}

/// Whether the parameters of a URL of libpq's begin with `&`.
pub fn lacks_question_mark(text: &[u8]) -> bool {
    let schemes = [&b"postgresql:"[..], b"postgres:"];
    let scheme = schemes.into_iter().find(|scheme| text.starts_with(scheme));
    scheme.is_some_and(|scheme| forgotten_question_mark(text, scheme.len(), table::knows).is_some())
}

/// The settings of a string of libpq's that are placeholders: libpq uses them as they are.
pub fn placeholders(input: &[u8]) -> Vec<&'static str> {
    if !input.iter().any(|byte| PLACEHOLDERS.contains(byte)) {
        return Vec::new();
    }
    let Target::Libpq(taken) = read(input, None) else { return Vec::new() };
    let parsed = taken.text.as_ref().and_then(|text| conninfo::parse(text.bytes()).ok());
    let given = parsed.iter().flat_map(|parsed| &parsed.assignments);
    let given = given.map(|(option, assignment)| (*option, assignment.value.as_bytes()));
    let beside = taken.options.iter().chain(&taken.variables);
    let beside = beside.filter_map(|setting| Some((setting.libpq()?, setting.value.expose())));
    let is_one = |(option, value): &(&str, &[u8])| {
        let password = std::str::from_utf8(value).ok().filter(|_| *option == "password");
        is_placeholder(value) && password.and_then(bracketed).is_none()
    };
    given.chain(beside).filter(is_one).map(|(option, _)| option).collect()
}

/// Whether a text has what no single word has: a keyword's sign, or a URL's.
fn has_sign(text: &Text) -> bool {
    text.bytes().contains(&b'=') || text.bytes().windows(3).any(|part| part == b"://")
}

/// Whether libpq reads a text, and its host can be one.
fn is_libpq(text: &Text) -> bool {
    conninfo::parse(text.bytes()).is_ok()
}

/// The dialect whose form a text has, other than libpq.
fn recognised(text: &Text) -> Option<Recognised> {
    let bytes = text.bytes();
    let starts = |prefix: &str| {
        bytes.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
    };
    let row = |name: &str| table::find(name);
    let by = |name: &str| {
        let dialect = row(name)?;
        Some(Recognised::As(dialect, fitting(dialect, text)?))
    };
    if starts("jdbc:") {
        return by("jdbc").or_else(|| Some(Recognised::Other(row("jdbc")?, jdbc_product(bytes))));
    }
    if starts("r2dbc:") || starts("r2dbcs:") {
        return by("r2dbc")
            .or_else(|| Some(Recognised::Other(row("r2dbc")?, "an R2DBC URL of another database")));
    }
    if starts("prisma://") || starts("prisma+postgres://") {
        return Some(Recognised::Other(
            row("prisma")?,
            "a URL of Prisma Accelerate: its host is Prisma's proxy, which speaks HTTPS and not PostgreSQL's protocol",
        ));
    }
    if starts("provider=") {
        let what = "a string of OLE DB, which none of the drivers known here reads";
        return Some(Recognised::Other(row("odbc")?, what));
    }
    if starts("postgresql+") || starts("postgres+") {
        let names = ["sqlalchemy", "sqlalchemy+psycopg2", "sqlalchemy+asyncpg", "sqlalchemy+pg8000"];
        return names.into_iter().find_map(by).or_else(|| {
            let what = "a URL of a driver that SQLAlchemy does not have: it knows postgresql+psycopg, +psycopg2, +asyncpg and +pg8000";
            Some(Recognised::Other(row("sqlalchemy")?, what))
        });
    }
    for (scheme, name) in [
        ("ecto://", "ecto"),
        ("pgsql://", "django"),
        ("psql://", "django"),
        ("postgis://", "django"),
        ("timescale://", "django"),
        ("timescalegis://", "django"),
        ("pg://", "node-postgres"),
        ("dbi:pg", "dbi"),
        ("pgsql:", "pdo"),
    ] {
        if starts(scheme) {
            return by(name);
        }
    }
    if starts("postgres://") || starts("postgresql://") {
        return by_parameters(text).and_then(by);
    }
    if bytes.starts_with(b"{") || bytes.starts_with(b"[") {
        return by_keys(text).and_then(by);
    }
    by_pairs(text).and_then(by)
}

/// What a JDBC URL of another product is.
fn jdbc_product(bytes: &[u8]) -> &'static str {
    let product = bytes.get(5..).unwrap_or_default();
    let product = product.split(|byte| *byte == b':').next().unwrap_or_default().to_ascii_lowercase();
    match product.as_slice() {
        b"postgres" => "no URL of pgjdbc: it begins with jdbc:postgresql:",
        b"postgresql" => "no URL of pgjdbc: it begins with jdbc:postgresql: in lower case",
        b"redshift" => "a URL of Amazon's Redshift driver",
        b"sqlserver" | b"jtds" => "a URL of a driver for SQL Server",
        b"mysql" | b"mariadb" => "a URL of a driver for MySQL or MariaDB",
        b"oracle" => "a URL of a driver for Oracle",
        b"aws-wrapper" => "a URL of Amazon's wrapper: leave out aws-wrapper: for what pgjdbc makes of it",
        _ => "a JDBC URL of another driver than pgjdbc",
    }
}

/// Parameters that only one driver has. All of them are refused by libpq.
const PARAMETERS: &[(&str, &[&str])] = &[
    ("node-postgres", &["uselibpqcompat", "sslmode=no-verify", "ssl=no-verify", "ssl=1", "ssl=0"]),
    (
        "prisma",
        &[
            "sslaccept",
            "sslidentity",
            "schema",
            "connection_limit",
            "pgbouncer",
            "pool_timeout",
            "socket_timeout",
            "statement_cache_size",
        ],
    ),
    ("pgx", &["pool_max_conns", "pool_min_conns", "default_query_exec_mode", "pool_max_conn_lifetime"]),
    ("sqlx", &["ssl-mode", "ssl-root-cert", "ssl-ca", "statement-cache-capacity"]),
];

/// The driver that a URL's parameters tell.
fn by_parameters(text: &Text) -> Option<&'static str> {
    let bytes = text.bytes();
    let query = find(bytes, b"?", 0) + 1;
    let pairs: Vec<&[u8]> = split(bytes, query.min(bytes.len())..bytes.len(), b'&')
        .into_iter()
        .map(|range| text.get(&range))
        .collect();
    let has = |wanted: &str| {
        pairs.iter().any(|pair| {
            let name = pair.split(|byte| *byte == b'=').next().unwrap_or_default();
            if wanted.contains('=') { *pair == wanted.as_bytes() } else { name == wanted.as_bytes() }
        })
    };
    PARAMETERS.iter().find(|(_, names)| names.iter().any(|name| has(name))).map(|(dialect, _)| *dialect)
}

/// The driver that the keys of an object tell.
fn by_keys(text: &Text) -> Option<&'static str> {
    let mut pairs = Vec::new();
    let _ = literal::settings(text, &mut pairs);
    let has = |key: &str| pairs.iter().any(|pair| pair.name == key);
    let mut engines = pairs.iter().filter(|pair| pair.name.rsplit('.').next() == Some("ENGINE"));
    if let Some(engine) = engines.next() {
        // Of several databases each is an object of its own.
        let engine = String::from_utf8_lossy(&engine.value);
        let is_other = ["sqlite", "mysql", "oracle", "mssql"].iter().any(|other| engine.contains(other));
        return (engines.next().is_none() && !is_other).then_some("django");
    }
    if (has("type") && has("username")) || (has("type") && has("url")) {
        return Some("typeorm");
    }
    if has("dialect") && has("username") {
        return Some("sequelize");
    }
    if has("adapter") {
        return Some("rails");
    }
    if has("hostname") && (has("username") || has("database")) {
        return Some("ecto");
    }
    if has("host") && has("username") && (has("ssl") || has("password")) {
        return Some("postgres.js");
    }
    let place = has("host") || has("connectionString");
    (place && (has("user") || has("ssl") || has("database") || has("password") || has("connectionString")))
        .then_some("node-postgres")
}

/// The driver that the keywords of pairs tell.
fn by_pairs(text: &Text) -> Option<&'static str> {
    let several = text.bytes().contains(&b';');
    let signs = text.bytes().iter().filter(|byte| **byte == b'=').count();
    if several || signs == 1 { by_separated(text, several) } else { by_words(text) }
}

/// The driver of pairs with semicolons between them, or of one pair alone.
fn by_separated(text: &Text, several: bool) -> Option<&'static str> {
    let names: Vec<String> = keywords(text.bytes())
        .iter()
        .map(|range| String::from_utf8_lossy(text.get(range)).into_owned())
        .collect();
    let has = |name: &str| names.iter().any(|known| known.eq_ignore_ascii_case(name));
    if (has("Driver") || has("DSN")) && (several || names.len() == 1) {
        return Some("odbc");
    }
    let npgsql = table::find("npgsql")?;
    let is_known = |name: &String| npgsql.keyword(name).is_some();
    // What stands before the first keyword is no part of such a string.
    let begins = keywords(text.bytes()).first().is_some_and(|range| range.start == 0);
    let first_is_known = || begins && names.first().is_some_and(is_known);
    let known = || names.iter().filter(|name| is_known(name)).count();
    if several && first_is_known() && known() >= 2 && !reads_as_libpq(text) {
        return Some("npgsql");
    }
    // One pair alone, if libpq has no such keyword.
    if names.len() == 1 && !several && first_is_known() && !text.bytes().contains(&b' ') && !is_libpq(text) {
        let host = names
            .first()
            .is_some_and(|name| name.eq_ignore_ascii_case("host") || name.eq_ignore_ascii_case("server"));
        return host.then_some("npgsql");
    }
    by_words(text)
}

/// The driver that one of the words tells, of pairs with blanks between them.
fn by_words(text: &Text) -> Option<&'static str> {
    let words: Vec<&[u8]> = text.bytes().split(u8::is_ascii_whitespace).collect();
    let begins = |name: &str| words.iter().any(|word| word.starts_with(name.as_bytes()));
    let kind = [
        ("TimeZone=", "gorm"),
        ("binary_parameters=", "lib-pq"),
        ("sslinline=", "lib-pq"),
        ("pool_max_conns=", "pgx"),
    ];
    let found = kind.into_iter().find(|(name, _)| begins(name))?;
    let host = ["host=", "dbname=", "user="].into_iter().any(begins);
    // In quotes it may be a part of a value of libpq's.
    (host && !is_libpq(text)).then_some(found.1)
}

/// Whether libpq reads pairs with semicolons in them without taking them for a host that can be none.
fn reads_as_libpq(text: &Text) -> bool {
    conninfo::parse(text.bytes())
        .is_ok_and(|parsed| parsed.get("host").is_none_or(|host| !host.value.as_bytes().contains(&b';')))
}

/// HOST, HOST:PORT, [ADDRESS] or [ADDRESS]:PORT alone.
fn host_alone(text: &Text, layers: &[Layer]) -> Option<Taken> {
    let bytes = text.bytes();
    let whole = std::str::from_utf8(bytes).ok()?;
    let (host, port) = match whole.strip_prefix('[') {
        Some(rest) => {
            let close = rest.find(']')?;
            rest.get(..close)?.parse::<std::net::Ipv6Addr>().ok()?;
            let port = match rest.get(close + 1..)? {
                "" => None,
                port => Some(close + 3..close + 3 + port.strip_prefix(':')?.len()),
            };
            (1..close + 1, port)
        }
        None if whole.parse::<std::net::Ipv6Addr>().is_ok() => (0..bytes.len(), None),
        None => match whole.split_once(':') {
            Some((host, _)) => (0..host.len(), Some(host.len() + 1..bytes.len())),
            None => (0..bytes.len(), None),
        },
    };
    let name = whole.get(host.clone())?;
    let valid = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '%');
    let begins = name.starts_with(char::is_alphanumeric) || name.starts_with("::");
    if name.is_empty() || !begins || !name.chars().all(valid) || (name.contains('%') && !name.contains(':')) {
        return None;
    }
    if let Some(port) = &port {
        let digits = whole.get(port.clone())?;
        if digits.is_empty() || digits.len() > 5 || !digits.chars().all(|c| c.is_ascii_digit()) {
            return None;
        }
    }
    let uncertain = port.is_none() && !name.contains(['.', ':']) && name != "localhost";
    let pair = |name: &str, range: std::ops::Range<usize>| {
        let place = text.place(&range);
        Pair {
            name: name.to_owned(),
            part: Part::Fixed,
            value: text.get(&range).to_vec(),
            kind: Kind::Text,
            place: Place { keyword: place.start..place.start, value: place },
        }
    };
    let mut options = vec![pair("host", host)];
    options.extend(port.map(|port| pair("port", port)));
    Some(Taken {
        text: None,
        layers: layers.to_vec(),
        options: plain(&options),
        variables: Vec::new(),
        uncertain,
    })
}
