//! What is written is read back as the same, and verifies.

use proptest::prelude::*;

use super::{Target, all, read_as, reading};
use crate::clients::dialect::grammar::Form;
use crate::clients::dialect::placeholder::{is_partly_placeholder, is_placeholder};
use crate::clients::dialect::secrets::holds_secret;
use crate::clients::dialect::write::{Entry, Shape, write};
use crate::clients::dialect::{Chain, Dialect, Encryption, Kind, Setting, Trusted};
use crate::conninfo::options::is_secret;

/// Values that an application may have; those that read as placeholders or as the name of a secret are read otherwise by
/// design.
fn value() -> impl Strategy<Value = String> {
    "[ -~äß→]{1,12}".prop_filter("reads as something else", |text| {
        let placeholder = is_placeholder(text.as_bytes()) || is_partly_placeholder(text.as_bytes());
        let plain = !placeholder && !holds_secret(text.as_bytes());
        plain && text.trim() == text && !["true", "false", "null", "True"].contains(&text.as_str())
    })
}

fn host() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z][a-z0-9-]{0,8}(\\.[a-z]{2,5})?",
        Just("10.0.0.1".to_owned()),
        Just("::1".to_owned()),
        "[a-z]{1,5},[a-z]{1,5}\\.example",
    ]
}

/// The settings of libpq's that count, by name.
fn options(settings: &[Setting]) -> Vec<(&'static str, String)> {
    let mut found: Vec<(&'static str, String)> = settings
        .iter()
        .filter(|setting| setting.counts)
        .filter_map(|setting| {
            let value = setting.libpq_value()?;
            Some((setting.libpq()?, String::from_utf8_lossy(&value).into_owned()))
        })
        .filter(|(name, _)| matches!(*name, "host" | "port" | "dbname" | "user" | "password"))
        .collect();
    found.sort_unstable();
    found
}

/// The forms of a dialect in which strings are written.
fn shapes(dialect: &'static Dialect) -> Vec<Shape<'static>> {
    let forms = dialect.forms.iter();
    forms
        .flat_map(|form| match form {
            Form::Libpq => {
                vec![Shape { form: *form, scheme: "" }, Shape { form: *form, scheme: "postgresql://" }]
            }
            _ => vec![Shape { form: *form, scheme: "" }],
        })
        .collect()
}

/// As a call or a document has it, where the form is not a string.
fn embedded(dialect: &Dialect, shape: Shape<'_>, text: &str) -> String {
    match (shape.form, dialect.name) {
        (Form::Object(_), "django") => format!("DATABASES = {{'default': {text}}}"),
        (Form::Object(_), "psycopg" | "libpq") => format!("psycopg2.connect({text})"),
        (Form::Object(_), "asyncpg") => format!("asyncpg.connect({text})"),
        (Form::Object(_), "pg8000") => format!("pg8000.connect({text})"),
        _ => text.to_owned(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..crate::properties::config() })]

    #[test]
    fn what_is_written_is_read_back(
        host in host(),
        port in prop::option::of(1..u16::MAX),
        values in prop::collection::vec(value(), 3),
        with_password in any::<bool>(),
    ) {
        let password = with_password.then_some(values[2].as_str());
        reads_back(&host, port, &values[0], &values[1], password);
    }
}

/// Writes settings in every dialect and form, and reads them again.
fn reads_back(host: &str, port: Option<u16>, database: &str, user: &str, password: Option<&str>) {
    for dialect in all().filter(|dialect| dialect.name != "libpq") {
        for shape in shapes(dialect) {
            let hosts = host.split(',').count();
            let ports = port.map(|port| vec![port.to_string(); hosts].join(","));
            let mut entries = vec![("host", host), ("dbname", database), ("user", user)];
            entries.extend(ports.as_deref().map(|port| ("port", port)));
            entries.extend(password.map(|password| ("password", password)));
            let written: Vec<Entry<'_>> = entries
                .iter()
                .map(|(name, value)| Entry { name, value: value.as_bytes(), kind: Kind::Text })
                .collect();
            let Some(text) = write(dialect, shape, &written) else { continue };
            let text = embedded(dialect, shape, &String::from_utf8(text).unwrap());
            let mut expected: Vec<(&str, String)> =
                entries.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
            expected.sort_unstable();
            match read_as(&text, Some(dialect.name)) {
                Target::Driver(reading) => {
                    assert_eq!(options(&reading.settings), expected, "{} {text}", dialect.name);
                }
                other => panic!("{} {text}\n{other:?}", dialect.name),
            }
        }
    }
}

/// Values that are easily taken for something else: numbers with a sign, blanks, escapes, words of the languages.
#[test]
fn odd_values_are_read_back() {
    let values = [
        "+0",
        "+1",
        "-1",
        "0",
        "007",
        "1e5",
        "0x1",
        "1.5",
        "+",
        "a+b",
        "a b",
        "%41",
        "%",
        "\\",
        "'",
        "\"",
        "''",
        "a;b",
        "a=b",
        "=",
        ";",
        "&",
        "?",
        "#",
        "@",
        ":",
        "/",
        "None",
        "nil",
        "undefined",
        "[",
        "]",
        "}",
        "~",
        "null ,",
    ];
    let values = values.into_iter().filter(|text| !is_placeholder(text.as_bytes()));
    for value in values {
        reads_back("db.example", Some(5433), value, value, Some(value));
        reads_back("db.example", None, "app", value, None);
    }
}

#[test]
fn every_dialect_can_be_written() {
    let entries = [("host", "db.example"), ("port", "5433"), ("dbname", "app"), ("user", "me")]
        .map(|(name, value)| Entry { name, value: value.as_bytes(), kind: Kind::Text });
    for dialect in all() {
        for shape in shapes(dialect) {
            let text = write(dialect, shape, &entries).unwrap_or_else(|| panic!("{}", dialect.name));
            assert!(String::from_utf8(text).unwrap().contains("db.example"), "{}", dialect.name);
        }
    }
}

/// Dialect, string, roots, the string that verifies; or what is to be done elsewhere.
const CORRECTED: &[(Option<&str>, &str, Trusted<'_>, &str)] = &[
    (
        None,
        "jdbc:postgresql://h:5433/d?user=u&password=x&sslmode=require&ssl=true&ApplicationName=a",
        Trusted::File("/r.pem"),
        "jdbc:postgresql://h:5433/d?user=u&ApplicationName=a&sslmode=verify-full&sslrootcert=%2Fr.pem",
    ),
    (
        None,
        "jdbc:postgresql://h/d?sslfactory=org.postgresql.ssl.NonValidatingFactory",
        Trusted::System,
        "jdbc:postgresql://h/d?sslmode=verify-full&sslfactory=org.postgresql.ssl.DefaultJavaSSLFactory",
    ),
    (
        None,
        "Host=h;Username=u;Password='x;y';SSL Mode=Require;Trust Server Certificate=true;Pooling=false",
        Trusted::File("/my r.pem"),
        "Host=h;Username=u;Pooling=false;SSL Mode=VerifyFull;Root Certificate=\"/my r.pem\"",
    ),
    (
        None,
        "Driver={PostgreSQL Unicode};Server=h;Uid=u;Pwd=x;SSLmode=REQUIRE;pqopt={sslrootcert=/old}",
        Trusted::File("/r.pem"),
        "Driver={PostgreSQL Unicode};Server=h;Uid=u;SSLmode=verify-full;pqopt={sslrootcert=/r.pem}",
    ),
    (
        None,
        "postgresql://u:p@h/d?schema=public&sslmode=verify-full",
        Trusted::File("/r.pem"),
        "postgresql://u@h/d?schema=public&sslmode=require&sslaccept=strict&sslcert=%2Fr.pem",
    ),
    (
        None,
        "new Client({host: 'h', user: 'u', password: 'p', port: 5432, ssl: {rejectUnauthorized: false}})",
        Trusted::File("/r.pem"),
        "{ host: \"h\", user: \"u\", port: 5432, ssl: { ca: fs.readFileSync(\"/r.pem\").toString() } }",
    ),
    (
        None,
        "{'ENGINE': 'django.db.backends.postgresql', 'HOST': 'h', 'NAME': 'd', 'OPTIONS': {'sslmode': 'require'}}",
        Trusted::System,
        "{\"ENGINE\": \"django.db.backends.postgresql\", \"HOST\": \"h\", \"NAME\": \"d\", \"OPTIONS\": {\"sslmode\": \"verify-full\", \"sslrootcert\": \"system\"}}",
    ),
    (
        None,
        "{'ENGINE': 'django.db.backends.postgresql', 'HOST': 'h', 'NAME': 'd', 'SSLMODE': 'require', 'sslrootcert': '/r.pem'}",
        Trusted::File("/r.pem"),
        "{\"ENGINE\": \"django.db.backends.postgresql\", \"HOST\": \"h\", \"NAME\": \"d\", \"OPTIONS\": {\"sslmode\": \"verify-full\", \"sslrootcert\": \"/r.pem\"}}",
    ),
    // Where a key and a certificate stay, the switch is theirs.
    (
        None,
        "new Client({host: 'h', ssl: {rejectUnauthorized: false, key: fs.readFileSync('k'), cert: fs.readFileSync('c')}})",
        Trusted::System,
        "{ host: \"h\", ssl: { key: fs.readFileSync(\"k\").toString(), cert: fs.readFileSync(\"c\").toString() } }",
    ),
    (
        None,
        "new Client({ssl: {key: fs.readFileSync('k')}, host: 'h'})",
        Trusted::File("/r.pem"),
        "{ ssl: { key: fs.readFileSync(\"k\").toString(), ca: fs.readFileSync(\"/r.pem\").toString() }, host: \"h\" }",
    ),
    // What stands beside the string stays beside it.
    (
        None,
        "new Pool({connectionString: 'postgres://u:p@h/d', max: 5, ssl: {rejectUnauthorized: false}})",
        Trusted::System,
        "postgres://u@h/d?sslmode=verify-full",
    ),
    (
        None,
        "production:\n  adapter: postgresql\n  host: h\n  database: d\n  username: u\n  sslmode: require\n",
        Trusted::File("/r.pem"),
        "{ adapter: 'postgresql', host: 'h', database: 'd', username: 'u', sslmode: 'verify-full', sslrootcert: '/r.pem' }",
    ),
    (
        None,
        "host=h user=u dbname=d sslmode=disable TimeZone=UTC",
        Trusted::System,
        "host=h user=u dbname=d TimeZone=UTC sslmode=verify-full sslrootcert=system",
    ),
    (None, "ecto://u:p@h/d?sslmode=verify-full", Trusted::System, "ecto://u@h/d?ssl=true"),
    (
        None,
        "ecto://u:p@h/d?sslmode=verify-full",
        Trusted::File("/r.pem"),
        "configure ssl: [cacertfile: FILE] beside the URL: a URL cannot name a root file for Ecto",
    ),
    (
        None,
        "[hostname: \"h\", database: \"d\", ssl: true]",
        Trusted::File("/r.pem"),
        "[hostname: \"h\", database: \"d\", ssl: [cacertfile: \"/r.pem\"]]",
    ),
    (
        Some("psycopg"),
        "postgresql://u:p@h/d?sslmode=prefer",
        Trusted::System,
        "postgresql://u@h/d?sslmode=verify-full&sslrootcert=system",
    ),
    (
        None,
        "pgsql:host=h;sslmode=require",
        Trusted::File("/r.pem"),
        "pgsql:host=h;sslmode=verify-full;sslrootcert=/r.pem",
    ),
    (
        None,
        "postgresql+asyncpg://u@h/d?ssl=require",
        Trusted::File("/r.pem"),
        "write ?ssl=verify-full and name the root file in PGSSLROOTCERT: a URL cannot",
    ),
    (
        None,
        "r2dbc:postgresql://u:p@h/d",
        Trusted::File("/r.pem"),
        "r2dbc:postgresql://u@h/d?sslMode=VERIFY_FULL&sslRootCert=%2Fr.pem",
    ),
];

#[test]
fn corrected_strings_verify_and_hold_no_password() {
    for (dialect, text, trusted, expected) in CORRECTED {
        let reading = reading(text, *dialect);
        let corrected = match reading.corrected(&[], Some(*trusted)) {
            Ok(text) => text,
            Err(elsewhere) => {
                assert_eq!(elsewhere, *expected, "{text}");
                continue;
            }
        };
        let corrected = String::from_utf8(corrected).unwrap();
        assert_eq!(corrected, *expected, "{text}");
        let again = super::reading(&corrected, Some(reading.dialect.name));
        let demand = &again.decision.demand;
        assert!(demand.verifies(), "{corrected}: {demand:?}");
    }
}

#[test]
fn a_root_file_is_told_where_none_is_named_and_one_that_is_passed_over_is_found() {
    let typed = |text: &str| {
        let read = crate::clients::dialect::Read::Driver(reading(text, None));
        crate::clients::dialect::Typed::new(crate::secret::Secret::new(text.as_bytes().to_vec()), read)
    };
    for (text, wanted) in [
        ("postgres://u@h.example/d?sslmode=no-verify", Some("sslmode=verify-full&sslrootcert=own.pem")),
        ("Host=h.example;Username=u", Some("SSL Mode=VerifyFull;Root Certificate=own.pem")),
        ("Host=h.example;Username=u;Root Certificate=a.pem", None),
        ("Host=h.postgres.database.azure.com;Username=u", None),
    ] {
        let told = typed(text).verifying_by("own.pem");
        match wanted {
            Some(wanted) => {
                assert!(told.as_ref().is_some_and(|told| told.contains(wanted)), "{text}: {told:?}")
            }
            None => assert_eq!(told, None, "{text}"),
        }
    }
    let odbc = "Driver={PostgreSQL Unicode};Server=h.example;Uid=u;SSLmode=verify-full;";
    assert_eq!(typed(&format!("{odbc}sslrootcert=/a/r.pem")).root_ignored(), Some("/a/r.pem"));
    assert_eq!(typed(&format!("{odbc}pqopt={{sslrootcert=/a/r.pem}}")).root_ignored(), None);
}

/// Whatever a dialect spells, its own rules find chain and name verified in it.
#[test]
fn what_is_spelled_is_what_the_driver_takes_for_verified() {
    for dialect in all() {
        for shape in shapes(dialect) {
            let in_object = matches!(shape.form, Form::Object(_));
            for trusted in [Trusted::File("/r.pem"), Trusted::System, Trusted::Default] {
                let Ok(spelled) = (dialect.spell)(in_object, trusted) else { continue };
                let mut entries = vec![
                    Entry { name: "host", value: b"h", kind: Kind::Text },
                    Entry { name: "user", value: b"u", kind: Kind::Text },
                    Entry { name: "dbname", value: b"d", kind: Kind::Text },
                ];
                entries.extend(spelled.iter().map(|spelled| Entry {
                    name: spelled.keyword,
                    value: spelled.value.as_bytes(),
                    kind: spelled.kind,
                }));
                let text = String::from_utf8(write(dialect, shape, &entries).unwrap()).unwrap();
                let text = embedded(dialect, shape, &text);
                let name = if dialect.name == "libpq" { "psycopg" } else { dialect.name };
                let reading = reading(&text, Some(name));
                let demand = &reading.decision.demand;
                assert_eq!(
                    (demand.encryption, demand.chain, demand.name),
                    (Encryption::Always, Chain::Yes, true),
                    "{name} {text}"
                );
                assert!(!reading.settings.iter().any(|setting| setting.meaning.is_none()), "{name} {text}");
                assert!(!reading.settings.iter().any(|setting| is_secret(&setting.keyword)), "{name} {text}");
            }
        }
    }
}

/// Values as the portal has them.
#[test]
fn other_settings_can_be_changed_too() {
    let reading = reading("Host=old;Port=5432;Username=u;SSL Mode=VerifyFull", None);
    let text = reading.corrected(&[("host", b"new"), ("dbname", b"app")], None).unwrap();
    assert_eq!(
        String::from_utf8(text).unwrap(),
        "Host=new;Port=5432;Username=u;SSL Mode=VerifyFull;Database=app"
    );
    assert!(reading.corrected(&[("hostaddr", b"10.0.0.1")], None).is_err());
}

/// A framework's settings stay in the object that they stand in, and new ones go there.
#[test]
fn settings_stay_in_their_object() {
    for (text, change, expected) in [
        (
            "{'ENGINE': 'django.db.backends.postgresql', 'HOST': 'h:5432', 'NAME': 'd', 'OPTIONS': {'sslmode': 'verify-full'}}",
            ("host", "h"),
            "{\"ENGINE\": \"django.db.backends.postgresql\", \"HOST\": \"h\", \"NAME\": \"d\", \"OPTIONS\": {\"sslmode\": \"verify-full\"}}",
        ),
        (
            "{'ENGINE': 'django.db.backends.postgresql', 'HOST': 'h', 'NAME': 'd', 'OPTIONS': {'sslmode': 'verify-full'}}",
            ("sslrootcert", "/r.pem"),
            "{\"ENGINE\": \"django.db.backends.postgresql\", \"HOST\": \"h\", \"NAME\": \"d\", \"OPTIONS\": {\"sslmode\": \"verify-full\", \
             \"sslrootcert\": \"/r.pem\"}}",
        ),
        (
            "new Sequelize({dialect: 'postgres', host: 'h:5432', dialectOptions: {ssl: {rejectUnauthorized: true}}})",
            ("host", "h"),
            "{ dialect: \"postgres\", host: \"h\", dialectOptions: { ssl: { rejectUnauthorized: true } } }",
        ),
    ] {
        let corrected = reading(text, None).corrected(&[(change.0, change.1.as_bytes())], None).unwrap();
        assert_eq!(String::from_utf8(corrected).unwrap(), expected);
    }
}
