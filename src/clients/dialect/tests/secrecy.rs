//! No part of what may be a password is read as anything else, or left to be shown.

use proptest::prelude::*;

use super::{Target, all, read};
use crate::clients::dialect::{Dialect, Read, Setting, SettingValue, Typed};

const SECRET: &str = "Pumpernickel";

/// Strings with `%` where the password stands, and whose they are.
const STRINGS: &[(&str, &str)] = &[
    ("jdbc", "jdbc:postgresql://h:5432/d?user=u&password=%&sslmode=require"),
    ("jdbc", "jdbc:postgresql://u:%@h:5432/d?sslmode=require"),
    ("jdbc", "jdbc:postgresql://h:5432/d&user=u&password=%&sslmode=require"),
    ("jdbc", "DriverManager.getConnection(\"jdbc:postgresql://h/d\", \"u\", \"%\")"),
    ("jdbc", "spring.datasource.url=jdbc:postgresql://h/d\nspring.datasource.password=%\n"),
    ("r2dbc", "r2dbc:postgresql://u:%@h/d?sslMode=require"),
    ("npgsql", "Host=h;Username=u;Password=%;SSL Mode=Require"),
    ("npgsql", "Host=h;Username=u;PWD='%';SSL Mode=Require"),
    ("npgsql", "Server=h;User Id=u;Password=\"%\""),
    ("npgsql-5", "Host=h;Username=u;Password=%"),
    ("odbc", "Driver={PostgreSQL Unicode};Server=h;Uid=u;Pwd=%;SSLmode=require"),
    ("odbc", "Driver={PostgreSQL Unicode};Server=h;Uid=u;Pwd={%};SSLmode=require"),
    ("pdo", "pgsql:host=h;user=u;password=%;dbname=d"),
    ("pdo", "new PDO('pgsql:host=h', 'u', '%')"),
    ("dbi", "dbi:Pg:host=h;user=u;password='%';dbname=d"),
    ("sqlalchemy", "postgresql+psycopg://u:%@h/d?sslmode=require"),
    ("sqlalchemy+asyncpg", "postgresql+asyncpg://u:%@h/d?ssl=require"),
    ("asyncpg", "postgres://u:%@h/d?sslmode=require"),
    ("django", "psql://u:%@h/d?sslmode=require"),
    (
        "django",
        "DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql', 'HOST': 'h', 'NAME': 'd', 'PASSWORD': '%'}}",
    ),
    ("psycopg", "psycopg2.connect(host='h', password='%', user='u')"),
    ("psycopg", "psycopg2.connect(\"host=h password=% user=u\")"),
    ("pg8000", "pg8000.connect(host='h', password='%', user='u')"),
    ("node-postgres", "postgres://u:%@h/d?sslmode=no-verify"),
    ("node-postgres", "new Client({host: 'h', password: '%', ssl: true})"),
    ("node-postgres", "new Client({connectionString: 'postgres://u:%@h/d', ssl: true})"),
    ("sequelize", "new Sequelize('postgres://u:%@h/d', {dialectOptions: {ssl: true}})"),
    ("postgres.js", "postgres({host: 'h', username: 'u', password: '%', ssl: 'require'})"),
    ("prisma", "postgresql://u:%@h/d?schema=public&sslpassword=%"),
    ("ecto", "ecto://u:%@h/d?ssl=true"),
    ("ecto", "[hostname: \"h\", database: \"d\", password: \"%\"]"),
    ("pgx", "postgres://u:%@h/d?pool_max_conns=2"),
    ("gorm", "host=h user=u password=% dbname=d TimeZone=UTC"),
    ("lib-pq", "host=h user=u password='%' dbname=d binary_parameters=yes"),
    ("rails", "production:\n  adapter: postgresql\n  host: h\n  password: %\n"),
    ("sqlx", "postgres://u:%@h/d?ssl-mode=require"),
    ("tokio-postgres", "host=h user=u password=% sslmode=require"),
    ("diesel", "postgres://u:%@h/d"),
    ("npgsql-6", "Host=h;Username=u;Password=%;SSL Mode=Require"),
    ("prisma-7", "postgresql://u:%@h/d?sslmode=require"),
    ("ecto-0.20", "ecto://u:%@h/d?ssl=true"),
    ("pgx-4", "host=h user=u password=% pool_max_conns=2"),
    ("lib-pq-1.10", "postgres://u:%@h/d?binary_parameters=yes"),
    ("sqlalchemy+psycopg2", "postgresql+psycopg2://u:%@h/d?sslmode=require"),
    ("sqlalchemy+pg8000", "postgresql+pg8000://u:%@h/d"),
    ("psycopg2", "host=h password=% user=u sslmode=require"),
    ("ruby-pg", "PG.connect(host: 'h', password: '%', user: 'u')"),
    ("typeorm", "{type: 'postgres', host: 'h', username: 'u', password: '%', ssl: true}"),
    ("sequelize", "new Sequelize('d', 'u', '%', {host: 'h', dialect: 'postgres'})"),
    ("node-postgres", "require('knex')({client: 'pg', connection: 'postgres://u:%@h/d?ssl=true'})"),
    (
        "jdbc",
        "p.setProperty(\"password\", \"%\");\nDriverManager.getConnection(\"jdbc:postgresql://h/d\", p)",
    ),
    ("jdbc", "quarkus.datasource.jdbc.url=jdbc:postgresql://h/d\nquarkus.datasource.password=%\n"),
    ("jdbc", "<url>jdbc:postgresql://h/d?user=u&amp;password=%</url>"),
    ("npgsql", "options.UseNpgsql(\"Host=h;Username=u;Password=%\")"),
    ("npgsql", "env:\n  - name: X\n    value: \"Host=h;Username=u;Password=%\"\n"),
    ("npgsql", "\"X\": \"Host=h;Username=u;Password=%;SSL Mode=Require\""),
    ("libpq", "services:\n  web:\n    environment:\n      - DATABASE_URL=postgres://u:%@h/d\n"),
    (
        "django",
        "DATABASES = {\n  'default': {\n    'ENGINE': 'postgresql',\n    'HOST': 'h',\n    'NAME': 'd',\n    'PASSWORD': '%',\n  }\n}",
    ),
    ("django", "dj_database_url.config(default='postgres://u:%@h/d')"),
    ("lib-pq", "dsn := \"host=h user=u password=%\"\nsql.Open(\"postgres\", dsn)"),
    ("ecto", "config :app, Repo,\n  hostname: \"h\",\n  database: \"d\",\n  password: \"%\"\n"),
    ("rails", "ActiveRecord::Base.establish_connection(adapter: 'postgresql', host: 'h', password: '%')"),
    ("libpq", "DB_HOST=h\nDB_USERNAME=u\nDB_PASSWORD=%\n"),
    ("libpq", "sudo -u postgres env PGPASSWORD=% psql -h h"),
    ("libpq", "\u{201c}host=h password=% user=u\u{201d}"),
    ("libpq", "psql \"host=h password=% user=u\""),
    ("libpq", "PGPASSWORD=% psql -h h"),
    ("libpq", "export PGHOST=h\nexport PGPASSWORD=\"%\""),
];

/// What a program would show of a text and its settings.
fn shown(input: &[u8], settings: &[Setting], secrets: &[std::ops::Range<usize>]) -> String {
    let hidden = |at: &usize| secrets.iter().any(|range| range.contains(at));
    let text: Vec<u8> =
        (0..input.len()).filter(|at| !hidden(at)).filter_map(|at| input.get(at).copied()).collect();
    format!("{}\n{settings:?}", String::from_utf8_lossy(&text))
}

/// Everything that may be shown of a target; nothing for strings that are libpq's, which are masked as such.
fn all_shown(target: &Target, input: &[u8]) -> String {
    match target {
        Target::Driver(reading) => {
            let text = shown(input, &reading.settings, &reading.secrets(input));
            format!("{text}\n{:?} {:?} {:?}", reading.decision, reading.remarks, reading.layers)
        }
        Target::Refused(failure) => {
            let text = shown(input, &failure.settings, &failure.secrets);
            format!("{text}\n{:?} {:?}", failure.faults, failure.layers)
        }
        Target::Libpq(taken) => format!("{:?} {:?} {:?}", taken.options, taken.variables, taken.layers),
    }
}

/// What would be resolved.
fn resolved(target: &Target) -> Vec<u8> {
    let settings: &[Setting] = match target {
        Target::Driver(reading) => &reading.settings,
        Target::Libpq(taken) => &taken.options,
        Target::Refused(_) => &[],
    };
    let hosts = settings.iter().filter(|setting| setting.libpq() == Some("host"));
    hosts.filter_map(|setting| setting.value.plain()).flatten().copied().collect()
}

#[track_caller]
fn conceals(text: &str, dialect: Option<&'static Dialect>, secret: &str) {
    let target = read(text.as_bytes(), dialect);
    // What libpq's refusals name, and each setting as a note quotes it.
    let unknown = crate::conninfo::unknown_keywords(text.as_bytes());
    assert!(!format!("{unknown:?}").contains(secret), "{text}\n{unknown:?}");
    if let Target::Driver(reading) = read(text.as_bytes(), dialect) {
        let original = crate::secret::Secret::new(text.as_bytes().to_vec());
        let typed = Typed::new(original, Read::Driver(reading));
        for setting in typed.reading().into_iter().flat_map(|reading| &reading.settings) {
            let quoted = format!("{} {}", typed.as_typed(setting), setting.typed);
            assert!(!quoted.contains(secret), "{text}\n{quoted}");
        }
    }
    let shown = all_shown(&target, text.as_bytes());
    assert!(!shown.contains(secret), "{text}\n{shown}");
    assert!(!String::from_utf8_lossy(&resolved(&target)).contains(secret), "{text}\n{target:?}");
}

#[test]
fn the_strings_are_what_they_are_said_to_be() {
    for (name, text) in STRINGS {
        let text = text.replace('%', SECRET);
        match read(text.as_bytes(), None) {
            Target::Driver(reading) => {
                // A form that is another's too, and older releases, are said by name.
                let ambiguous = [
                    "asyncpg",
                    "psycopg",
                    "psycopg2",
                    "tokio-postgres",
                    "diesel",
                    "npgsql-5",
                    "npgsql-6",
                    "prisma-7",
                    "ecto-0.20",
                    "pgx-4",
                    "lib-pq-1.10",
                ];
                assert!(
                    reading.dialect.name == *name || ambiguous.contains(name),
                    "{text}: {}",
                    reading.dialect.name
                );
                let password = reading
                    .settings
                    .iter()
                    .filter(|setting| matches!(setting.value, SettingValue::Secret(_)));
                assert!(password.count() > 0, "{text}");
            }
            Target::Refused(failure) => assert_eq!(failure.dialect.name, *name, "{text}: {failure:?}"),
            Target::Libpq(_) => {}
        }
        conceals(&text, None, SECRET);
    }
}

#[test]
fn every_dialect_has_a_string() {
    for dialect in all() {
        let has = |name: &str| super::find(name).is_some_and(|found| std::ptr::eq(found, dialect));
        assert!(STRINGS.iter().any(|(name, _)| has(name)), "{}", dialect.name);
    }
}

/// Characters that a password may hold and that mean something to one grammar or another.
const SPECIAL: &str = "[a-z@/?#:;&=%+ '\"{}<>,\\\\|$!*()\\[\\]\\^~-]{0,6}";

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, max_shrink_iters: 200, ..crate::properties::config() })]

    /// A password with any characters in it, as typed by somebody who knows of no escapes.
    #[test]
    fn a_password_typed_as_it_is_stays_secret(
        which in 0..STRINGS.len(),
        before in SPECIAL,
        after in SPECIAL,
    ) {
        let (name, template) = STRINGS[which];
        let text = template.replace('%', &format!("{before}{SECRET}{after}"));
        conceals(&text, None, SECRET);
        conceals(&text, super::find(name).filter(|dialect| dialect.name != "libpq"), SECRET);
    }

    /// The same in strings that were damaged elsewhere, read as any dialect.
    #[test]
    fn a_damaged_string_tells_no_password(
        which in 0..STRINGS.len(),
        dialect in 0..40_usize,
        at in any::<prop::sample::Index>(),
        how in 0..3_u8,
        what in "[a-z@/?#:;&= '\"{},]",
        before in SPECIAL,
    ) {
        let (_, template) = STRINGS[which];
        let mut text: Vec<char> = template.chars().collect();
        let place = at.index(text.len());
        let kept = text[place] == '%';
        match how {
            0 if !kept => { text.remove(place); }
            1 => text.insert(place, what.chars().next().unwrap()),
            _ if !kept => text.truncate(place + 1),
            _ => {}
        }
        let text: String = text.into_iter().collect();
        if !names_its_secret(&text) {
            return Ok(());
        }
        let text = text.replace('%', &format!("{before}{SECRET}"));
        conceals(&text, None, SECRET);
        let dialects: Vec<_> = all().filter(|dialect| dialect.name != "libpq").collect();
        conceals(&text, Some(dialects[dialect % dialects.len()]), SECRET);
    }

    #[test]
    fn nothing_makes_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80), dialect in 0..40_usize) {
        let dialects: Vec<_> = all().collect();
        let _ = read(&bytes, None);
        let _ = read(&bytes, Some(dialects[dialect % dialects.len()]));
    }

    #[test]
    fn no_syntax_makes_the_reader_panic(text in "[a-z:/@?&=;'\"{}()\\[\\]\\\\,. \n#$%<>-]{0,60}", which in 0..STRINGS.len()) {
        let _ = read(text.as_bytes(), None);
        let mixed = format!("{}{text}", STRINGS[which].1);
        let _ = read(mixed.as_bytes(), None);
        let _ = read(mixed.as_bytes(), super::find(STRINGS[which].0));
    }
}

/// Whether the secret still stands where somebody would look for a password.
fn names_its_secret(text: &str) -> bool {
    let Some(at) = text.find('%') else { return false };
    let before = text[..at].trim_end_matches(['\'', '"', '{', ' ', '=', ':', '>']).to_lowercase();
    let login = text[..at].ends_with(':') && text[at..].contains('@') && text.contains("://");
    ["password", "pwd"].iter().any(|word| before.ends_with(word)) && text[..at].contains(['=', ':']) || login
}
