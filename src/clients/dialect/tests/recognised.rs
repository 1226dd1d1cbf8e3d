//! Which driver's a string is, and which settings it has.

use proptest::prelude::*;

use super::{brief, pairs, read_as};

type Options = &'static [(&'static str, &'static str)];

/// Dialect, text, settings of libpq's. Nobody says whose the text is.
const GIVEN: &[(&str, &str, Options)] = &[
    ("libpq", "host=h user=u", &[("", "host=h user=u")]),
    ("libpq", "postgresql://u:p@h/d?sslmode=require", &[("", "postgresql://u:p@h/d?sslmode=require")]),
    // Blanks round a URI are a part of it for libpq.
    ("libpq", "postgresql://h/d?sslmode=require\r", &[("", "postgresql://h/d?sslmode=require\r")]),
    ("libpq", " postgresql://h/d?sslmode=require", &[("", " postgresql://h/d?sslmode=require")]),
    ("libpq", "", &[("", "")]),
    ("libpq", "mydb", &[("host", "mydb")]),
    ("libpq", "db.example", &[("host", "db.example")]),
    ("libpq", "db.example:6432", &[("host", "db.example"), ("port", "6432")]),
    ("libpq", "[::1]:6432", &[("host", "::1"), ("port", "6432")]),
    ("libpq", "::1", &[("host", "::1")]),
    ("libpq", "10.0.0.1", &[("host", "10.0.0.1")]),
    ("libpq", "db.example:x", &[("", "db.example:x")]),
    ("libpq", "u:secret@h", &[("", "u:secret@h")]),
    (
        "jdbc",
        "jdbc:postgresql://h:5433/my%20db?user=a+b&password=x&sslmode=require",
        &[("host", "h"), ("port", "5433"), ("dbname", "my db"), ("user", "a b"), ("password", "x")],
    ),
    ("jdbc", "jdbc:postgresql:mydb", &[("dbname", "mydb")]),
    (
        "jdbc",
        "jdbc:postgresql://a:1,b/d?targetServerType=preferSecondary&PGPORT=7",
        &[("host", "a,b"), ("dbname", "d"), ("target_session_attrs", "prefer-standby"), ("port", "7")],
    ),
    (
        "r2dbc",
        "r2dbc:postgresql://u:p@h:5432/d?sslMode=VERIFY_FULL&connectTimeout=PT5S",
        &[
            ("user", "u"),
            ("password", "p"),
            ("host", "h"),
            ("port", "5432"),
            ("dbname", "d"),
            ("connect_timeout", "5"),
        ],
    ),
    (
        "sqlalchemy",
        "postgresql+psycopg://u:p/w@h:1/d?sslmode=require",
        &[
            ("user", "u"),
            ("password", "p/w"),
            ("host", "h"),
            ("port", "1"),
            ("dbname", "d"),
            ("sslmode", "require"),
        ],
    ),
    ("sqlalchemy+psycopg2", "postgresql+psycopg2://u@h/d", &[("user", "u"), ("host", "h"), ("dbname", "d")]),
    (
        "sqlalchemy+asyncpg",
        "postgresql+asyncpg://u@/d?host=a:1&host=b:2&ssl=require",
        &[("user", "u"), ("dbname", "d"), ("host", "a,b"), ("port", "1,2")],
    ),
    ("sqlalchemy+pg8000", "postgresql+pg8000://u@h/d", &[("user", "u"), ("host", "h"), ("dbname", "d")]),
    (
        "ecto",
        "ecto://u:p@h/d?ssl=true&pool_size=5",
        &[("user", "u"), ("password", "p"), ("host", "h"), ("dbname", "d")],
    ),
    ("pdo", "pgsql:host=h;port=5432;dbname=d", &[("host", "h"), ("port", "5432"), ("dbname", "d")]),
    ("dbi", "dbi:Pg:db=d;host=h", &[("dbname", "d"), ("host", "h")]),
    (
        "django",
        "pgsql://u:p@h/d?sslmode=require",
        &[("user", "u"), ("password", "p"), ("host", "h"), ("dbname", "d"), ("sslmode", "require")],
    ),
    (
        "django",
        "DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql', 'HOST': 'h', 'NAME': 'd', 'USER': 'u', \
         'PASSWORD': 'p', 'OPTIONS': {'sslmode': 'require'}, 'TEST': {'NAME': 'other'}}}",
        &[("host", "h"), ("dbname", "d"), ("user", "u"), ("password", "p"), ("sslmode", "require")],
    ),
    (
        "node-postgres",
        "new Client({host: 'h', user: 'u', password: 'p', database: 'd', port: 5432, ssl: {ca: fs.readFileSync('F')}})",
        &[("host", "h"), ("user", "u"), ("password", "p"), ("dbname", "d"), ("port", "5432")],
    ),
    (
        "node-postgres",
        "{ connectionString: 'postgres://u:p@h/d?sslmode=require', ssl: { rejectUnauthorized: false } }",
        &[("user", "u"), ("password", "p"), ("host", "h"), ("dbname", "d")],
    ),
    ("node-postgres", "postgres://u@h/d?sslmode=no-verify", &[("user", "u"), ("host", "h"), ("dbname", "d")]),
    (
        "postgres.js",
        "const sql = postgres('postgres://u:p@h/d', { ssl: 'require' })",
        &[("user", "u"), ("password", "p"), ("host", "h"), ("dbname", "d")],
    ),
    (
        "prisma",
        "postgresql://u:p@h:5432/d?schema=public&sslaccept=strict&sslcert=ca.pem&connect_timeout=3",
        &[
            ("user", "u"),
            ("password", "p"),
            ("host", "h"),
            ("port", "5432"),
            ("dbname", "d"),
            ("connect_timeout", "3"),
        ],
    ),
    ("pgx", "postgres://u@h/d?pool_max_conns=5", &[("user", "u"), ("host", "h"), ("dbname", "d")]),
    (
        "gorm",
        "host=h user=u dbname=d TimeZone=Europe/Berlin",
        &[("host", "h"), ("user", "u"), ("dbname", "d")],
    ),
    ("lib-pq", "host=h user=u binary_parameters=yes", &[("host", "h"), ("user", "u")]),
    ("sqlx", "postgres://u@h/d?ssl-mode=VERIFY-FULL", &[("user", "u"), ("host", "h"), ("dbname", "d")]),
    (
        "npgsql",
        "Host=h;Port=5433;Database=d;Username=u;Password=p;SSL Mode=Require",
        &[("host", "h"), ("port", "5433"), ("dbname", "d"), ("user", "u"), ("password", "p")],
    ),
    (
        "npgsql",
        "server=a:1,b:2;user id=u;password='x;y'",
        &[("host", "a,b"), ("user", "u"), ("password", "x;y"), ("port", "1,2")],
    ),
    (
        "npgsql",
        "host=h;database=d;username=u;ssl mode=VerifyFull",
        &[("host", "h"), ("dbname", "d"), ("user", "u")],
    ),
    (
        "odbc",
        "Driver={PostgreSQL Unicode};Server=h;Port=5432;Database=d;Uid=u;Pwd=a%20b+c;SSLmode=verify-full;\
         pqopt={sslrootcert='/my ca.pem'}",
        &[
            ("host", "h"),
            ("port", "5432"),
            ("dbname", "d"),
            ("user", "u"),
            ("password", "a b c"),
            ("sslrootcert", "/my ca.pem"),
        ],
    ),
    (
        "rails",
        "production:\n  adapter: postgresql\n  host: h\n  username: u\n  password: p\n  sslmode: require\n",
        &[("host", "h"), ("user", "u"), ("password", "p"), ("sslmode", "require")],
    ),
    (
        "rails",
        "development:\n  adapter: postgresql\n  database: dev\nproduction:\n  adapter: postgresql\n  host: old\n  \
         database: d\n  url: postgres://u:p@h/d2?sslmode=require\n  sslmode: verify-full\n",
        &[("user", "u"), ("password", "p"), ("host", "h"), ("dbname", "d2"), ("sslmode", "require")],
    ),
    // What stands round a string.
    ("libpq", "\u{feff} host=h ", &[("", "host=h")]),
    ("libpq", "'host=h user=u'", &[("", "host=h user=u")]),
    ("libpq", "psql \"host=h sslmode=require\"", &[("", "host=h sslmode=require")]),
    (
        "libpq",
        "$ PGPASSWORD=secret PGSSLMODE=require psql -h h -p 6432 -U u -d d -c 'select 1'",
        &[
            ("host", "h"),
            ("port", "6432"),
            ("user", "u"),
            ("dbname", "d"),
            ("password", "secret"),
            ("sslmode", "require"),
        ],
    ),
    (
        "libpq",
        "psql -hh --port=5 postgresql://x/y -Uu",
        &[("host", "h"), ("port", "5"), ("user", "u"), ("", "postgresql://x/y")],
    ),
    ("libpq", "psql mydb me", &[("dbname", "mydb"), ("user", "me")]),
    ("libpq", "DATABASE_URL=\"postgres://u:p@h/d\" # production", &[("", "postgres://u:p@h/d")]),
    ("libpq", "export X='host=h user=u'", &[("", "host=h user=u")]),
    ("npgsql", "DB_URL = \"Host=h;Username=u\"", &[("host", "h"), ("user", "u")]),
    (
        "libpq",
        "export PGHOST=h\nexport PGUSER=u\nexport PGPORT=5432\nexport PGDATABASE=d\nexport PGPASSWORD=\"{your-password}\"\n",
        &[("host", "h"), ("user", "u"), ("port", "5432"), ("dbname", "d"), ("password", "{your-password}")],
    ),
    (
        "jdbc",
        "spring.datasource.url=jdbc:postgresql://h/d\nspring.datasource.username=u\nspring.datasource.password=p\n",
        &[("host", "h"), ("dbname", "d"), ("user", "u"), ("password", "p")],
    ),
    (
        "npgsql",
        "{\n \"ConnectionStrings\": {\n  \"Default\": \"Host=h;Username=u;Password=p\"\n }\n}",
        &[("host", "h"), ("user", "u"), ("password", "p")],
    ),
    (
        "npgsql",
        "<add name=\"x\" connectionString=\"Host=h;Password=&quot;a;b&quot;;Username=u\" />",
        &[("host", "h"), ("password", "a;b"), ("user", "u")],
    ),
    ("libpq", "$db = pg_connect(\"host=h dbname=d\");", &[("", "host=h dbname=d")]),
    (
        "psycopg",
        "conn = psycopg2.connect(user=\"u\", password=\"p\", host='h', port=5432, database=\"d\")",
        &[("user", "u"), ("password", "p"), ("host", "h"), ("port", "5432"), ("dbname", "d")],
    ),
    ("psycopg", "psycopg.connect('host=h sslmode=require')", &[("host", "h"), ("sslmode", "require")]),
    (
        "pdo",
        "$pdo = new PDO(\"pgsql:host=h;user=no\", 'me', 'pw', [PDO::ATTR_ERRMODE => 1]);",
        &[("host", "h"), ("user", "me"), ("password", "pw")],
    ),
    (
        "jdbc",
        "DriverManager.getConnection(\"jdbc:postgresql://h/d?user=u\", \"other\", \"pw\")",
        &[("host", "h"), ("dbname", "d"), ("user", "u"), ("password", "pw")],
    ),
    (
        "sqlalchemy",
        "engine = create_engine(\"postgresql://u@h/d\", pool_size=5)",
        &[("user", "u"), ("host", "h"), ("dbname", "d")],
    ),
    ("lib-pq", "db, err := sql.Open(\"postgres\", \"host=h user=u\")", &[("host", "h"), ("user", "u")]),
    (
        "gorm",
        "gorm.Open(postgres.Open(dsn: \"host=h user=u\"), &gorm.Config{})",
        &[("host", "h"), ("user", "u")],
    ),
    (
        "ruby-pg",
        "connection = PG::Connection.new(:host => \"h\", user => 'u', database => \"d\")",
        &[("host", "h"), ("user", "u"), ("dbname", "d")],
    ),
    // Quotes, lists and documents round strings of pairs.
    ("npgsql", "'Host=h;Username=u'", &[("host", "h"), ("user", "u")]),
    ("npgsql", "\"Default\": \"Server=h;User Id=u\",", &[("host", "h"), ("user", "u")]),
    ("npgsql", "X: \"Host=h;Username=u\"", &[("host", "h"), ("user", "u")]),
    ("npgsql", "options.UseNpgsql(\"Host=h;Username=u\")", &[("host", "h"), ("user", "u")]),
    ("npgsql", "env:\n  - name: X\n    value: \"Host=h;Username=u\"\n", &[("host", "h"), ("user", "u")]),
    (
        "libpq",
        "services:\n  web:\n    environment:\n      - A=b\n      - DATABASE_URL=postgres://u@h/d\n",
        &[("", "postgres://u@h/d")],
    ),
    ("libpq", "- \"DATABASE_URL=postgres://u@h/d\"", &[("", "postgres://u@h/d")]),
    ("libpq", "\u{201c}host=h user=u\u{201d}", &[("", "host=h user=u")]),
    (
        "jdbc",
        "<url>jdbc:postgresql://h/d?user=u&amp;sslmode=require</url>",
        &[("host", "h"), ("dbname", "d"), ("user", "u")],
    ),
    // Several variables on one line, parts of a connection under names of a program's own, other commands round psql.
    ("libpq", "PGHOST=h PGSSLMODE=require", &[("host", "h"), ("sslmode", "require")]),
    (
        "libpq",
        "DB_CONNECTION=pgsql\nDB_HOST=h\nDB_PORT=1\nDB_DATABASE=d\nDB_USERNAME=u\nDB_PASSWORD=p\nREDIS_HOST=r\n",
        &[("host", "h"), ("port", "1"), ("dbname", "d"), ("user", "u"), ("password", "p")],
    ),
    ("libpq", "sudo -u postgres psql -h h -U u", &[("host", "h"), ("user", "u")]),
    ("libpq", "pg_dump \"host=h sslmode=require\" > dump.sql", &[("", "host=h sslmode=require")]),
    // Objects over several lines, of several databases.
    (
        "django",
        "DATABASES = {\n    'default': {\n        'ENGINE': 'django.db.backends.sqlite3',\n    },\n    'pg': {\n        \
         'ENGINE': 'django.db.backends.postgresql',\n        'HOST': 'h',\n        'NAME': 'd',\n    },\n}\n",
        &[("host", "h"), ("dbname", "d")],
    ),
    (
        "django",
        "DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql', 'OPTIONS': {'service': 's'}}}",
        &[("service", "s")],
    ),
    // What counts in OPTIONS is nothing outside, and the other way round.
    (
        "django",
        "DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql', 'HOST': 'h', 'NAME': 'd', 'PASSWORD': 'p', \
         'host': 'b', 'sslmode': 'verify-full', 'connect_timeout': 3, 'OPTIONS': {'sslcert': 'c'}}}",
        &[("host", "h"), ("dbname", "d"), ("password", "p"), ("sslcert", "c")],
    ),
    (
        "django",
        "'default': {\n  'ENGINE': 'django.db.backends.postgresql', 'HOST': 'h', 'NAME': 'd'\n},",
        &[("host", "h"), ("dbname", "d")],
    ),
    (
        "django",
        "DATABASES = {'default': dj_database_url.config(default='postgres://u@h/d', conn_max_age=600)}",
        &[("user", "u"), ("host", "h"), ("dbname", "d")],
    ),
    (
        "typeorm",
        "{\n  \"type\": \"postgres\",\n  \"host\": \"h\",\n  \"username\": \"u\",\n  \"ssl\": true\n}",
        &[("host", "h"), ("user", "u")],
    ),
    (
        "typeorm",
        "new DataSource({type: 'postgres', url: 'postgres://u@h/d'})",
        &[("user", "u"), ("host", "h"), ("dbname", "d")],
    ),
    (
        "sequelize",
        "new Sequelize('d', 'u', 'p', {host: 'h', dialect: 'postgres'})",
        &[("dbname", "d"), ("user", "u"), ("password", "p"), ("host", "h")],
    ),
    (
        "node-postgres",
        "const knex = require('knex')({client: 'pg', connection: {host: 'h', user: 'u'}})",
        &[("host", "h"), ("user", "u")],
    ),
    (
        "ecto",
        "config :app, App.Repo,\n  username: \"u\",\n  hostname: \"h\",\n  database: \"d\"\n",
        &[("user", "u"), ("host", "h"), ("dbname", "d")],
    ),
    (
        "rails",
        "production:\n  primary:\n    adapter: postgresql\n    host: h\n  replica:\n    adapter: postgresql\n    host: r\n",
        &[("host", "h")],
    ),
    ("rails", "production:\n  url: postgres://u@h/d\n", &[("user", "u"), ("host", "h"), ("dbname", "d")]),
    (
        "rails",
        "ActiveRecord::Base.establish_connection(adapter: 'postgresql', host: 'h', username: 'u')",
        &[("host", "h"), ("user", "u")],
    ),
    // The string stands elsewhere in the code, or its settings do.
    (
        "lib-pq",
        "dsn := \"host=h user=u\"\ndb, err := sql.Open(\"postgres\", dsn)",
        &[("host", "h"), ("user", "u")],
    ),
    (
        "jdbc",
        "p.setProperty(\"user\", \"u\");\nDriverManager.getConnection(\"jdbc:postgresql://h/d\", p);",
        &[("host", "h"), ("dbname", "d"), ("user", "u")],
    ),
    (
        "jdbc",
        "quarkus.datasource.jdbc.url=jdbc:postgresql://h/d\nquarkus.datasource.username=u\n",
        &[("host", "h"), ("dbname", "d"), ("user", "u")],
    ),
    ("tokio-postgres", "tokio_postgres::connect(\"host=h user=u\", NoTls)", &[("host", "h"), ("user", "u")]),
];

#[test]
fn forms_tell_the_driver() {
    for (dialect, text, options) in GIVEN {
        let found = brief(&read_as(text, None), text.as_bytes());
        assert_eq!((found.dialect, found.options), (*dialect, pairs(options)), "{text}\n{}", found.outcome);
        assert!(matches!(found.outcome.as_str(), "ok" | "libpq"), "{text}\n{}", found.outcome);
    }
}

/// Whom to read as, text, faults.
const FAULTS: &[(Option<&str>, &str, &str)] = &[
    (
        None,
        "jdbc:sqlserver://h",
        "OtherProduct(\"a URL of a driver for SQL Server\") at \"jdbc:sqlserver://h\"",
    ),
    (None, "JDBC:postgresql://h/d", "OtherProduct"),
    (None, "jdbc:postgresql://h", "Syntax(\"a / behind the host"),
    (None, "jdbc:postgresql://app:x@h/db", "LoginInUrl at \"@\""),
    (None, "prisma://h/?api_key=x", "OtherProduct"),
    (
        None,
        "Host=h;Username=u;sslrootcert=F;Encrypt=true",
        "UnknownKeyword { keyword: \"sslrootcert\", nearest: None",
    ),
    (None, "Host=h;Username=u;SSL Mode=verify-full", "InvalidValue(\"SSL Mode\""),
    (
        None,
        "postgresql+asyncpg://u@h/d?sslmode=require&sslrootcert=F",
        "UnknownKeyword { keyword: \"sslmode\"",
    ),
    (None, "jdbc:postgresql://h/d&user=u", "AmpersandFirst at \"&\""),
    (None, "postgresql+foo://h", "OtherProduct"),
    (None, "postgres+asyncpg://h", "OtherProduct"),
    (None, "r2dbc:mysql://h", "OtherProduct"),
    (None, "ecto://u@h/a/b", "Syntax(\"one segment as path"),
    (None, "postgres://u:p#x@h/d?sslaccept=strict", "Unencoded(35) at \"#\""),
    (Some("node-postgres"), "postgres://u:p/x@h/d", "Unencoded(47) at \"/\""),
    (Some("django"), "postgres://u@h/", "Missing(\"dbname\")"),
    (Some("jdbc"), "postgres://h/d", "a URL that begins with jdbc:postgresql:"),
    (Some("node-postgres"), "host=h user=u", "a URL that begins with postgresql://"),
    (Some("tokio-postgres"), "host=h sslmode=verify-full", "InvalidValue(\"sslmode\""),
    (Some("asyncpg"), "postgres://h/d?ssl=true&connect_timeout=3", "UnknownKeyword { keyword: \"ssl\""),
    (None, "Driver={Devart ODBC Driver for PostgreSQL};Server=h", "OtherProduct"),
    (
        None,
        "new Client({host: process.env.PGHOST, user: 'u'})",
        "Computed(\"host\") at \"process.env.PGHOST\"",
    ),
    (
        None,
        "new Pool({connectionString: process.env.DATABASE_URL, ssl: {rejectUnauthorized: false}})",
        "Computed(\"connectionString\")",
    ),
    (None, "postgres(process.env.DATABASE_URL)", "Computed(\"the connection string\")"),
    (None, "production:\n  url: <%= ENV['X'] %>\n", "Computed(\"url\")"),
    (None, "dbi:Pg:dbname=d;host=$host;port=5432", "Placeholder(\"host\")"),
    (None, "jdbc:postgresql://<host>:5432/d", "Placeholder(\"host\") at \"<host>:5432\""),
    (None, "jdbc:postgresql://h/{your_database}", "Placeholder(\"dbname\") at \"{your_database}\""),
];

#[test]
fn what_a_driver_refuses_is_refused_at_its_place() {
    for (dialect, text, expected) in FAULTS {
        let found = brief(&read_as(text, *dialect), text.as_bytes());
        assert!(found.outcome.contains(expected), "{text}\n{found:?}");
    }
}

#[test]
fn libpq_turns_it_off() {
    for text in ["jdbc:postgresql://h/d", "db.example:5432", "psql 'host=h'"] {
        let found = brief(&read_as(text, Some("libpq")), text.as_bytes());
        assert_eq!((found.dialect, found.options), ("libpq", pairs(&[("", text)])));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..crate::properties::config() })]

    /// What is plainly libpq's is read so with more trouble too.
    #[test]
    fn what_is_plain_has_nothing_round_it(
        parts in prop::collection::vec(prop::sample::select(PARTS), 1..5),
        between in prop::sample::select(vec![" ", "  ", "\n", ";", "; ", "&", ""]),
    ) {
        let text = parts.join(between);
        if super::super::is_plain(text.as_bytes()) {
            let super::Target::Libpq(taken) = super::read(text.as_bytes(), None) else {
                panic!("another driver's: {text}");
            };
            prop_assert!(taken.layers.is_empty() && taken.options.is_empty() && taken.variables.is_empty());
            prop_assert!(taken.text.is_some_and(|inner| inner.bytes() == text.as_bytes()), "{}", text);
        }
    }
}

/// Pieces of strings of libpq's, of other drivers' and of what stands round them.
const PARTS: &[&str] = &[
    "host=h",
    "host = h",
    "hostaddr=10.0.0.1",
    "port=5432",
    "user=u",
    "user='u x'",
    "dbname=d",
    "password='a;b=c'",
    "sslmode=verify-full",
    "sslrootcert=/a/b.pem",
    "application_name=x",
    "options='-c TimeZone=UTC'",
    "TimeZone=UTC",
    "Host=h",
    "Server=h",
    "Database=d",
    "SSL Mode=Require",
    "Username=u",
    "pgsql:host=h",
    "dbi:Pg:dbname=d",
    "Driver={PostgreSQL}",
    "DSN=x",
    "psql",
    "$ psql",
    "export DATABASE_URL=host=h",
    "DATABASE_URL='host=h user=u'",
    "\"host=h",
    "user=u\"",
    "postgresql://h/d",
    "jdbc:postgresql:d",
    "host=jdbc:postgresql://h/d",
    "sslinline=true",
    "pool_max_conns=3",
    "binary_parameters=yes",
    "host=h;port=1",
    "{",
    "}",
    "\u{feff}host=h",
    "db.example",
    "db.example:1",
];
