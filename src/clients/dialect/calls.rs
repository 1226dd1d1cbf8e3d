//! Calls of drivers in code: the string among the arguments, or the settings that the arguments are.

use super::documents::literal;
use super::grammar::literal::{arguments, settings as listed, string};
use super::grammar::{Broken, Pair, Part};
use super::text::{Text, find};
use super::wrapping::{Layer, Unwrapped, fixed, located};
use super::{FaultKind, Kind, Place};

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
    /// The string.
    String,
    /// The string, then user and password.
    Login,
    /// The string behind one other argument.
    Second,
    /// Keyword arguments, or the string.
    Keywords,
    /// The string as a keyword argument, behind the name of a variable.
    Default,
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
    call("new PDO", "pdo", Takes::Login),
    call("create_engine", "sqlalchemy", Takes::String),
    call("create_async_engine", "sqlalchemy+asyncpg", Takes::String),
    call("dj_database_url.parse", "django", Takes::String),
    call("dj_database_url.config", "django", Takes::Keywords),
    call("env.db", "django", Takes::Default),
    call("sql.Open", "lib-pq", Takes::Second),
    call("pgx.Connect", "pgx", Takes::Second),
    call("pgxpool.New", "pgx", Takes::Second),
    call("pgxpool.Connect", "pgx-4", Takes::Second),
    call("pgx.ParseConfig", "pgx", Takes::String),
    call("pgxpool.ParseConfig", "pgx", Takes::String),
    call("postgres.Open", "gorm", Takes::String),
    call("DriverManager.getConnection", "jdbc", Takes::Login),
    call("DBI->connect", "dbi", Takes::Login),
    call("new NpgsqlConnection", "npgsql", Takes::String),
    call("NpgsqlDataSource.Create", "npgsql", Takes::String),
    call("new NpgsqlConnectionStringBuilder", "npgsql", Takes::String),
    call("UseNpgsql", "npgsql", Takes::String),
    call("new pg.Client", "node-postgres", Takes::Object),
    call("new pg.Pool", "node-postgres", Takes::Object),
    call("new Client", "node-postgres", Takes::Object),
    call("new Pool", "node-postgres", Takes::Object),
    call("new Sequelize", "sequelize", Takes::Object),
    call("new DataSource", "typeorm", Takes::Object),
    call("TypeOrmModule.forRoot", "typeorm", Takes::Object),
    call("createConnection", "typeorm", Takes::Object),
    call("require('knex')", "node-postgres", Takes::Object),
    call("knex", "node-postgres", Takes::Object),
    call("pgp", "node-postgres", Takes::Object),
    call("drizzle", "node-postgres", Takes::Object),
    call("postgres", "postgres.js", Takes::Object),
    call("establish_connection", "rails", Takes::Keywords),
    call("Postgrex.start_link", "ecto", Takes::Keywords),
    call("tokio_postgres::connect", "tokio-postgres", Takes::String),
    call("Client::connect", "tokio-postgres", Takes::String),
    call("PgConnectOptions::from_str", "sqlx", Takes::String),
    call("PgPool::connect", "sqlx", Takes::String),
    call("PgConnection::connect", "sqlx", Takes::String),
    call("PgConnection::establish", "diesel", Takes::String),
];

const fn call(name: &'static str, dialect: &'static str, takes: Takes) -> Call {
    Call { name, dialect, takes }
}

/// The call of a driver, anywhere in a text. `fits` tells whether a text is a string of a driver's.
pub(super) fn driver_call(text: &Text, fits: &dyn Fn(&str, &Text) -> bool) -> Option<Unwrapped> {
    let bytes = text.bytes();
    let found = CALLS.iter().filter_map(|call| Some((call, position(bytes, call.name)?)));
    // The longer name where two fit at one place.
    let (call, at) = found.min_by_key(|(call, at)| (*at, std::cmp::Reverse(call.name.len())))?;
    let (mut pairs, broken, _) = arguments(text, at);
    let broken = broken.map(|broken| Broken { place: text.place(&broken.place), ..broken });
    let layer = Layer::Call(call.name);
    let mut dialect = call.dialect;
    let first = if call.takes == Takes::Second { "1" } else { "0" };
    if call.name == "sql.Open" && pairs.first().is_some_and(|pair| pair.value == b"pgx") {
        dialect = "pgx";
    }
    let is_given = |pair: &&Pair| pair.name == first && call.takes != Takes::Default;
    let given = pairs.iter().find(is_given).cloned();
    let is_text = |pair: &&Pair| pair.kind == Kind::Text && !pair.place.value.is_empty();
    let string_at = given.as_ref().filter(is_text);
    // Sequelize takes database, user and password one by one too.
    if string_at
        .is_some_and(|pair| dialect == "sequelize" && !pair.value.windows(3).any(|part| part == b"://"))
    {
        for (pair, name) in pairs.iter_mut().zip(["database", "username", "password"]) {
            // An argument that looks like a name with its value, as a quote in a password makes one, is no name of anything.
            let Place { keyword, value } = &pair.place;
            let start = keyword.start.min(value.start);
            let place = Place { keyword: start..start, value: start..value.end };
            *pair = Pair { name: name.to_owned(), part: Part::Keyword, place, ..pair.clone() };
        }
        return settings(text, call, dialect, "3.", pairs, broken);
    }
    let inner = match (string_at, &given) {
        (Some(pair), _) => Some(string_from(text, pair)?),
        // The string has a name, and stands where that is said.
        (None, Some(pair)) if pair.kind == Kind::Code => {
            let Some(inner) = literal(text, &|inner| fits(dialect, inner)) else {
                let kind = FaultKind::Computed("the connection string".into());
                let broken = Some(Broken::new(kind, text.place(&pair.place.value)));
                return Some(Unwrapped::Settings { layer, dialect, pairs: Vec::new(), broken });
            };
            Some(inner)
        }
        _ => None,
    };
    let Some(inner) = inner else {
        return settings(text, call, dialect, &format!("{first}."), pairs, broken);
    };
    let beside = beside(text, call, &pairs);
    let beside_wins = call.dialect != "jdbc";
    Some(Unwrapped::For { layer, dialect, text: inner, beside, beside_wins, broken })
}

/// What the other arguments say.
fn beside(text: &Text, call: &Call, pairs: &[Pair]) -> Vec<Pair> {
    let mut beside: Vec<Pair> = Vec::new();
    let argument = |number: &str| pairs.iter().find(|pair| pair.name == number);
    let properties = argument("1").filter(|pair| pair.kind == Kind::Code && argument("2").is_none());
    if call.dialect == "jdbc" && properties.is_some() {
        return properties_set(text);
    }
    if call.takes == Takes::Login {
        let login = [("1", "user"), ("2", "password")].into_iter();
        let given = login.filter_map(|(number, name)| Some((argument(number)?, name)));
        let written = given.filter(|(pair, _)| pair.kind != Kind::Object);
        beside.extend(written.map(|(pair, name)| fixed(text, name, pair)));
    }
    // Arrays and objects behind the string are the language's, unless the driver takes its settings there.
    let is_setting = |pair: &&Pair| {
        let outer = pair.name.split('.').next().unwrap_or_default();
        let numbered = outer.parse::<usize>().is_ok();
        pair.name.parse::<usize>().is_err() && (!numbered || call.takes == Takes::Object)
    };
    let named = pairs.iter().filter(is_setting).map(|other| {
        let numbered = other.name.split_once('.').filter(|(outer, _)| outer.parse::<usize>().is_ok());
        let name = numbered.map_or(other.name.as_str(), |(_, inner)| inner).to_owned();
        located(text, &Pair { name, ..other.clone() })
    });
    beside.extend(named);
    beside
}

/// `properties.setProperty("user", "me")`, as Java has it.
fn properties_set(text: &Text) -> Vec<Pair> {
    let mut found = Vec::new();
    let (bytes, name) = (text.bytes(), b".setProperty(");
    for (at, window) in bytes.windows(name.len()).enumerate() {
        if window != name {
            continue;
        }
        if let (Some(key), Some(value)) = {
            let (pairs, ..) = arguments(text, at + name.len());
            let mut pairs = pairs.into_iter();
            (pairs.next(), pairs.next())
        } {
            let name = String::from_utf8_lossy(&key.value).into_owned();
            let place = Place { keyword: key.place.value, value: value.place.value.clone() };
            found.push(located(text, &Pair { name, place, ..value }));
        }
    }
    found
}

/// The configuration of an Ecto repository: `config :app, Repo, hostname: "…"`.
pub(super) fn configuration(text: &Text) -> Option<Unwrapped> {
    const CONFIG: &[u8] = b"config :";
    let at = text.bytes().windows(CONFIG.len()).position(|window| window == CONFIG)?;
    let inner = text.slice(at + CONFIG.len() - 1..text.len());
    let mut pairs = Vec::new();
    let broken = listed(&inner, &mut pairs).err();
    let broken = broken.map(|broken| Broken { place: inner.place(&broken.place), ..broken });
    // The application and the module.
    pairs.retain(|pair| pair.name.parse::<usize>().is_err());
    let is_ours = pairs
        .iter()
        .any(|pair| matches!(pair.name.rsplit('.').next(), Some("hostname" | "url" | "username")));
    let pairs = pairs.iter().map(|pair| {
        let name = pair.name.strip_prefix("2.").unwrap_or(&pair.name).to_owned();
        Pair { name, ..located(&inner, pair) }
    });
    let pairs = pairs.collect();
    is_ours.then_some(Unwrapped::Settings { layer: Layer::Call("config"), dialect: "ecto", pairs, broken })
}

/// Arguments that are the driver's settings.
fn settings(
    text: &Text,
    call: &Call,
    dialect: &'static str,
    prefix: &str,
    pairs: Vec<Pair>,
    broken: Option<Broken>,
) -> Option<Unwrapped> {
    let outer = prefix.trim_end_matches('.');
    let settings: Vec<Pair> = pairs
        .into_iter()
        .filter(|pair| pair.name != outer)
        .map(|pair| Pair { name: pair.name.strip_prefix(prefix).unwrap_or(&pair.name).to_owned(), ..pair })
        .map(|pair| located(text, &pair))
        .collect();
    let any = !settings.is_empty() || broken.is_some();
    any.then_some(Unwrapped::Settings { layer: Layer::Call(call.name), dialect, pairs: settings, broken })
}

/// The literal of a pair as text that remembers its places; where several are joined, only their content.
fn string_from(text: &Text, pair: &Pair) -> Option<Text> {
    let start = find(text.bytes(), b"\"'`", pair.place.value.start);
    let (inner, _) = string(text, start)?;
    if inner.bytes() == pair.value.as_slice() {
        return Some(inner);
    }
    let mut joined = Text::default();
    for byte in &pair.value {
        joined.push(*byte, text, &pair.place.value);
    }
    Some(joined)
}

/// Where the arguments of a call begin: behind `name` and the parenthesis, or the blank that Perl and Ruby allow.
fn position(bytes: &[u8], name: &str) -> Option<usize> {
    let mut from = 0;
    loop {
        let rest = bytes.get(from..)?;
        let at = from + rest.windows(name.len()).position(|window| window == name.as_bytes())?;
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        let end = at + name.len();
        // A method of that name is somebody else's, unless it has a name of its own: `options.UseNpgsql(`.
        let own = name.starts_with(|c: char| c.is_ascii_uppercase()) || name.contains('_');
        let foreign: &[u8] = if own { b"_" } else { b"_.>:" };
        let separated = before.is_none_or(|byte| !byte.is_ascii_alphanumeric() && !foreign.contains(byte));
        if separated && bytes.get(end) == Some(&b'(') {
            return Some(end + 1);
        }
        from = at + 1;
    }
}
