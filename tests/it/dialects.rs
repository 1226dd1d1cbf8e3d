//! A driver is the judge of its own strings: each installed driver connects with generated strings of its dialect (every
//! mode, with and without roots, to servers with every fault), and the program has to say the same of them: refused,
//! plaintext or TLS.
//!
//! One process a driver and home runs all of its strings (`dialects/drivers`), and one run of the program all of the same.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use pgtls_check::clients::dialect::{self, Read, Target, Typed};
use pgtls_check::secret::Secret;
use serde_json::Value;

use crate::support::home::Home;
use crate::support::pki::{Algorithm, Chain, Draft};
use crate::support::postgres::{Postgres, build_directory};
use crate::support::site::OPEN;
use crate::support::tool::Tool;
use crate::support::tool::objects;

/// The servers, by what is wrong with them.
struct Servers {
    root: String,
    /// A certificate and key for the client, which nobody asks for.
    client: (String, String),
    servers: Vec<(&'static str, Postgres)>,
}

static SERVERS: LazyLock<Servers> = LazyLock::new(|| {
    let chain = Chain::honest("localhost", Algorithm::Ecdsa);
    let leaf = |draft: Draft| Chain { leaf: draft.signed_by(&chain.intermediate), ..chain.clone() };
    let draft = |name: &str| Draft::server(name, Algorithm::Ecdsa);
    let setup = || Postgres::version(15).trusted(OPEN);
    let tls = |chain: &Chain| setup().tls(chain).start();
    let alone = draft("localhost").self_signed();
    let servers = vec![
        ("right", tls(&chain)),
        ("other name", tls(&leaf(draft("elsewhere.example")))),
        ("other CA", tls(&Chain::honest("localhost", Algorithm::Ecdsa))),
        ("expired", tls(&leaf(draft("localhost").days(-90, -30)))),
        ("CN only", tls(&leaf(Draft { dns: Vec::new(), ..draft("localhost") }))),
        ("self-signed", setup().certificate(alone.pem(), alone.key_pem()).start()),
        ("TLS off", setup().start()),
    ];
    let client = (chain.leaf.pem(), chain.leaf.key_pem());
    Servers { root: chain.root.pem(), client, servers }
});

/// A driver and the strings of its dialect.
struct Driver {
    /// What `--as` takes.
    dialect: &'static str,
    /// The beginning of a string, `PORT` standing for the port.
    begin: &'static str,
    /// What comes before the first and before each further parameter.
    signs: (&'static str, &'static str),
    /// What is said of TLS.
    variants: &'static [&'static str],
    /// How a root file is named, if a string can.
    root: Option<&'static str>,
    /// What stands behind everything: the end of an object.
    end: &'static str,
    /// Variables of further runs.
    environments: &'static [&'static [(&'static str, &'static str)]],
    /// Whether it reads the system's roots where OpenSSL would.
    system: bool,
    /// The program that connects, given a home that has the strings.
    program: fn(&Home) -> Command,
}

/// What came of a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Result {
    Refused,
    Plaintext,
    Tls,
}

const MODE_VARIABLES: &[&[(&str, &str)]] = &[
    &[("PGSSLMODE", "verify-full"), ("PGSSLROOTCERT", "ROOT")],
    &[("PGSSLMODE", "require"), ("PGSSLROOTCERT", "ROOT")],
    &[("PGSSLMODE", "require")],
    &[("PGSSLMODE", "disable")],
    &[("PGSSLMODE", "nonsense")],
];

/// The same, and what a service file says: it counts more than variables and less than the string.
const LIBPQ_VARIABLES: &[&[(&str, &str)]] = &[
    &[("PGSSLMODE", "verify-full"), ("PGSSLROOTCERT", "ROOT")],
    &[("PGSSLMODE", "require"), ("PGSSLROOTCERT", "ROOT")],
    &[("PGSSLMODE", "require")],
    &[("PGSSLMODE", "disable")],
    &[("PGSSLMODE", "nonsense")],
    &[("PGSERVICEFILE", "SERVICES")],
    &[("PGSERVICEFILE", "SERVICES"), ("PGSERVICE", "verifies")],
    &[("PGSERVICEFILE", "SERVICES"), ("PGSERVICE", "requires"), ("PGSSLMODE", "disable")],
    &[
        ("PGSERVICEFILE", "SERVICES"),
        ("PGSERVICE", "off"),
        ("PGSSLMODE", "verify-full"),
        ("PGSSLROOTCERT", "ROOT"),
    ],
    &[("PGSERVICEFILE", "SERVICES"), ("PGSERVICE", "odd")],
    &[("PGSERVICEFILE", "SERVICES"), ("PGSERVICE", "absent")],
];

/// The services of that file.
const SERVICES: &str = "[verifies]\nsslmode=verify-full\nsslrootcert=ROOT\n[requires]\nsslmode=require\n\
                        [off]\nsslmode=disable\n[odd]\nsslmode=nonsense\n[other]\nconnect_timeout=9\n";

const NODE_VARIABLES: &[&[(&str, &str)]] = &[
    &[("NODE_TLS_REJECT_UNAUTHORIZED", "0")],
    &[("NODE_TLS_REJECT_UNAUTHORIZED", "1")],
    &[("NODE_EXTRA_CA_CERTS", "ROOT")],
    &[("PGSSLMODE", "require"), ("NODE_EXTRA_CA_CERTS", "ROOT")],
    &[("PGSSLMODE", "no-verify")],
    &[("PGSSLMODE", "allow")],
    &[("PGSSL", "require")],
    &[("PGSSL", "disable")],
];

const LIBPQ: &[&str] = &[
    "",
    "sslmode=disable",
    "sslmode=allow",
    "sslmode=prefer",
    "sslmode=require",
    "sslmode=verify-ca",
    "sslmode=verify-full",
    "sslmode=REQUIRE",
];

/// And services of a file.
const LIBPQ_AND_SERVICES: &[&str] = &[
    "",
    "sslmode=disable",
    "sslmode=prefer",
    "sslmode=require",
    "sslmode=verify-full",
    "service=verifies",
    "service=requires",
    "service=off",
    "service=other",
];

/// And a word that libpq has in URIs only.
const LIBPQ_AND_SSL: &[&str] = &[
    "",
    "sslmode=disable",
    "sslmode=prefer",
    "sslmode=require",
    "sslmode=verify-ca",
    "sslmode=verify-full",
    "sslmode=REQUIRE",
    "ssl=true",
];

/// Known differences: dialect, part of the string, server, reason. An entry that no longer differs fails.
const DIFFERENCES: &[(&str, &str, &str, &str)] = &[(
    "jdbc",
    "sslmode=verify-full&sslfactory=org.postgresql.ssl.NonValidatingFactory",
    "other name",
    "pgjdbc compares the name and verifies no chain, for which libpq has no sslmode: what is verified is said right, the \
     name is not compared",
)];

/// Runs all strings of a driver and compares.
#[track_caller]
fn agrees(driver: &Driver) {
    let mut differences = Vec::new();
    let mut used: BTreeSet<usize> = BTreeSet::new();
    let mut runs = 0;
    let mut seen: BTreeSet<Result> = BTreeSet::new();
    for surroundings in driver.surroundings() {
        let home = Home::new();
        let root = home.write("ca.pem", &SERVERS.root);
        home.write("services", SERVICES.replace("ROOT", &root.display().to_string()));
        if surroundings.home {
            home.write(".postgresql/root.crt", &SERVERS.root);
        }
        let cases = cases(driver, &surroundings, &root);
        recognised(driver, cases.iter().map(|(_, text)| text.as_str()));
        let text: String = cases.iter().map(|(_, text)| format!("{text}\n")).collect();
        home.write("strings", text);
        let expected = by_driver(driver, surroundings.set(&home, (driver.program)(&home)), cases.len());
        let found = by_program(driver, surroundings.set(&home, home.command(Tool::PROGRAM)), cases.len());
        runs += cases.len();
        seen.extend(expected.iter().map(|(result, _)| *result));
        for (((server, text), (expected, words)), (found, code)) in cases.iter().zip(&expected).zip(&found) {
            if expected == found {
                continue;
            }
            let known = DIFFERENCES.iter().position(|(dialect, part, of, _)| {
                *dialect == driver.dialect && text.contains(part) && (of.is_empty() || of == server)
            });
            match known {
                Some(known) => drop(used.insert(known)),
                None if differences.len() == 40 => {}
                None => differences.push(format!(
                    "{server}, {surroundings:?}: {text:.300}\n  driver {expected:?} {words}\n  program {found:?} {code}"
                )),
            }
        }
    }
    let gone: Vec<_> = DIFFERENCES
        .iter()
        .enumerate()
        .filter(|(at, known)| known.0 == driver.dialect && !used.contains(at))
        .map(|(_, known)| known)
        .collect();
    assert!(
        differences.is_empty() && gone.is_empty(),
        "{}: {} of {runs} differ\n{}\nno longer: {gone:?}",
        driver.dialect,
        differences.len(),
        differences.join("\n")
    );
    // A driver that never gets to a server agrees with everybody.
    let reached = seen.contains(&Result::Tls) && seen.contains(&Result::Refused);
    assert!(reached, "{}: {seen:?}", driver.dialect);
    spelled(driver);
}

/// Those of which no string can say that the server be verified, and where it is said instead.
const NOT_BY_STRING: &[(&str, &str)] = &[
    ("sqlalchemy+pg8000", "connect_args"),
    ("tokio-postgres", "the connector"),
    ("asyncpg", "ssl=ssl.create_default_context() of the call"),
];

/// What the program writes for each string so that its driver verifies does that: it connects to the right server and to
/// no other.
#[track_caller]
fn spelled(driver: &Driver) {
    let call =
        driver.begin.split_once('(').filter(|(before, _)| !before.contains("://")).map(|(name, _)| name);
    if call.is_some_and(|name| name.starts_with("create_")) {
        return;
    }
    let home = Home::new();
    let root = home.write("ca.pem", &SERVERS.root);
    home.write("services", SERVICES.replace("ROOT", &root.display().to_string()));
    home.write(".postgresql/root.crt", &SERVERS.root);
    let strings = Around { home: true, system: driver.system, variables: &[] };
    let mut written: Vec<(&str, String)> = Vec::new();
    for (server, text) in cases(driver, &strings, &root) {
        // Roots that stand in the text stay there, whatever they are.
        let stays = text.contains(&SERVERS.client.0.replace('\n', "\\n"));
        // Nor does a mode find a service that is not there.
        let stays = stays || text.contains("service=absent");
        if !matches!(server, "right" | "other name" | "other CA") || stays {
            continue;
        }
        let dialect = dialect::find(driver.dialect).expect("a dialect");
        let Target::Driver(reading) = dialect::read(text.as_bytes(), Some(dialect)) else { continue };
        let original = Secret::new(text.into_bytes());
        let typed = Typed::new(original, Read::Driver(reading));
        let Some(Ok(verifying)) = typed.verifying() else { continue };
        let verifying = call.map_or(verifying.clone(), |name| format!("{name}({verifying})"));
        if !written.contains(&(server, verifying.clone())) {
            written.push((server, verifying));
        }
    }
    let by_string = !NOT_BY_STRING.iter().any(|(dialect, _)| *dialect == driver.dialect);
    assert!(!written.is_empty() || !by_string, "{}: no string verifies", driver.dialect);
    if written.is_empty() {
        return;
    }
    home.write("strings", written.iter().map(|(_, text)| format!("{text}\n")).collect::<String>());
    let variables = &[("NODE_EXTRA_CA_CERTS", "ROOT"), ("PGSERVICEFILE", "SERVICES")];
    // lib/pq ends at once where it is set.
    let services = written.iter().any(|(_, text)| text.contains("service"));
    let around = Around { variables: if services { variables } else { &variables[..1] }, ..strings };
    let found = by_driver(driver, around.set(&home, (driver.program)(&home)), written.len());
    let said = by_program(driver, around.set(&home, home.command(Tool::PROGRAM)), written.len());
    for (((server, text), (found, words)), (said, code)) in written.iter().zip(&found).zip(&said) {
        let expected = if *server == "right" { Result::Tls } else { Result::Refused };
        assert_eq!(*found, expected, "{}, {server}: {text}\n{words}", driver.dialect);
        assert_eq!(*said, expected, "{}, {server}: {text}\n{code}", driver.dialect);
    }
}

/// Dialects whose strings have no form of their own, and why: libpq reads them, and says of a URL who else would read it.
const AMBIGUOUS: &[(&str, &str)] = &[
    ("psycopg", "libpq's URL, which psycopg hands on as it is"),
    ("psycopg2", "libpq's string, which psycopg hands on as it is"),
    ("ruby-pg", "libpq's string, which pg hands on as it is"),
    ("asyncpg", "libpq's URL with libpq's parameters"),
    ("node-postgres", "libpq's URL unless a parameter is node-postgres' alone"),
    ("knex", "node-postgres' URL"),
    ("typeorm", "node-postgres' URL"),
    ("sequelize", "node-postgres' URL, and an object of the same keys"),
    ("prisma-7", "node-postgres' URL"),
    ("postgres.js", "libpq's URL unless a parameter is another's alone; an object of the same keys"),
    ("lib-pq-1.10", "libpq's URL with libpq's parameters"),
    ("pgx-4", "libpq's URL with libpq's parameters"),
    ("django", "the URL of dj-database-url is libpq's with libpq's parameters"),
    ("rails", "libpq's URL with libpq's parameters"),
    ("tokio-postgres", "libpq's URL with libpq's parameters"),
    ("sqlx", "libpq's URL with libpq's parameters"),
];

/// Without `--as`, each string is recognised as its driver's by its form, or is one of those that have none. Then the
/// program says what this driver demands, if that is something else.
#[track_caller]
fn recognised<'a>(driver: &Driver, texts: impl Iterator<Item = &'a str>) {
    let dialect = dialect::find(driver.dialect).expect("a dialect");
    let known = AMBIGUOUS.iter().any(|(name, _)| *name == driver.dialect);
    let mut by_itself = 0;
    for text in texts {
        let found = match dialect::read(text.as_bytes(), None) {
            Target::Driver(reading) => reading.dialect,
            Target::Refused(failure) => failure.dialect,
            Target::Libpq(_) => dialect::find("libpq").expect("libpq"),
        };
        if found.name == dialect.name || found.title == dialect.title {
            by_itself += 1;
            continue;
        }
        assert!(known, "{text} is read as {}", found.title);
        let demand = |dialect| match dialect::read(text.as_bytes(), Some(dialect)) {
            Target::Driver(reading) => Some(reading.decision.demand),
            _ => None,
        };
        // What libpq reads as its own is what psycopg reads.
        let psycopg = dialect::find("psycopg").expect("psycopg");
        let (own, libpqs) = (demand(dialect), demand(psycopg));
        let said: Vec<_> =
            dialect::readers(text.as_bytes()).into_iter().map(|(dialect, _)| dialect.name).collect();
        let differs = own.is_some() && own != libpqs && found.name == "libpq";
        assert!(
            !differs || said.contains(&dialect.name),
            "{text}: nothing says that {} differs",
            dialect.title
        );
    }
    assert!(by_itself > 0 || known, "{} is never recognised", driver.dialect);
}

/// What is round a run.
#[derive(Debug)]
struct Around {
    /// Whether ~/.postgresql/root.crt is there.
    home: bool,
    /// Whether the system trusts the CA.
    system: bool,
    variables: &'static [(&'static str, &'static str)],
}

impl Driver {
    fn surroundings(&self) -> Vec<Around> {
        let around = |home, system| Around { home, system, variables: &[] };
        let mut all = vec![around(false, false), around(true, false)];
        all.extend(self.system.then(|| around(false, true)));
        all.extend(self.environments.iter().map(|variables| Around { variables, ..around(false, false) }));
        all
    }
}

impl Around {
    fn set(&self, home: &Home, mut command: Command) -> Command {
        let none = home.join("none");
        let system = if self.system { home.join("ca.pem") } else { none.clone() };
        command.env("SSL_CERT_FILE", system).env("SSL_CERT_DIR", none);
        for (name, value) in self.variables {
            let place = |name: &str| home.join(name).display().to_string();
            command
                .env(name, value.replace("ROOT", &place("ca.pem")).replace("SERVICES", &place("services")));
        }
        command
    }
}

/// Server and string. Variables change what is said of TLS, not what is made of a certificate: three servers tell.
fn cases(driver: &Driver, around: &Around, root: &Path) -> Vec<(&'static str, String)> {
    let by_variables = !around.variables.is_empty();
    let mut cases = Vec::new();
    let tells = |server: &str| !by_variables || matches!(server, "right" | "other CA" | "TLS off");
    for (server, postgres) in SERVERS.servers.iter().filter(|(server, _)| tells(server)) {
        let begin = filled(driver.begin, &[("PORT", &postgres.port().to_string()), ("USER", OPEN)]);
        for variant in driver.variants {
            let variant = &variant
                .replace("QUERY", &percent_encoded(&SERVERS.root))
                .replace("CLIENT-CERT", &percent_encoded(&SERVERS.client.0))
                .replace("CLIENT-KEY", &percent_encoded(&SERVERS.client.1))
                .replace("PEM", &SERVERS.root.replace('\n', "\\n"))
                .replace("ANOTHER", &SERVERS.client.0.replace('\n', "\\n"))
                .replace("ROOT", &root.display().to_string());
            let named = driver.root.filter(|_| !by_variables);
            for root in [None, named.map(|name| format!("{name}={}", root.display()))] {
                let parts: Vec<&str> =
                    [Some(variant.as_str()).filter(|part| !part.is_empty()), root.as_deref()]
                        .into_iter()
                        .flatten()
                        .collect();
                let mut text = begin.clone();
                for (at, part) in parts.iter().enumerate() {
                    text.push_str(if at == 0 { driver.signs.0 } else { driver.signs.1 });
                    text.push_str(part);
                }
                text.push_str(driver.end);
                if !cases.contains(&(*server, text.clone())) {
                    cases.push((*server, text));
                }
            }
        }
    }
    cases
}

/// A text with words replaced: those in angle brackets alone where there are such.
fn filled(text: &str, words: &[(&str, &str)]) -> String {
    words.iter().fold(text.to_owned(), |text, (word, value)| {
        let bracketed = format!("<{word}>");
        if text.contains(&bracketed) { text.replace(&bracketed, value) } else { text.replace(word, value) }
    })
}

fn percent_encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

/// What the driver makes of the strings.
fn by_driver(driver: &Driver, mut command: Command, count: usize) -> Vec<(Result, String)> {
    let output = command.stdin(Stdio::null()).output().expect("the driver's program runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let results: Vec<(Result, String)> = text
        .lines()
        .filter_map(|line| {
            let result = match line.split(' ').next()? {
                "tls" => Result::Tls,
                "plaintext" => Result::Plaintext,
                "refused" => Result::Refused,
                _ => return None,
            };
            Some((result, line.to_owned()))
        })
        .collect();
    assert_eq!(
        results.len(),
        count,
        "{} (what is missing comes with: tests/run setup)\n{text}\n{}",
        driver.dialect,
        String::from_utf8_lossy(&output.stderr)
    );
    results
}

/// What the program says the driver makes of them.
fn by_program(driver: &Driver, mut command: Command, count: usize) -> Vec<(Result, String)> {
    let output = command
        .args(["--as", driver.dialect, "--no-try", "--jobs", "4", "--format", "json", "--from", "strings"])
        .output()
        .expect("the program runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let reports = objects(&text);
    assert_eq!(reports.len(), count, "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    reports.iter().map(|report| (of(report), report["diagnosis"]["code"].to_string())).collect()
}

/// What a report says that the driver does.
fn of(report: &Value) -> Result {
    let stage = report["diagnosis"]["stage"].as_str().unwrap_or_default();
    let refused_before = report["exit_code"] == 2 && report["diagnosis"]["code"] != "tls-not-requested";
    let cause = report["diagnosis"]["cause"].as_str().unwrap_or_default();
    match (report["verdict"].as_str(), report["target"]["sslmode"].as_str()) {
        (Some("failed"), _) if cause.contains("continues without TLS") => Result::Plaintext,
        (Some("verified" | "chain-verified" | "encrypted"), _) => Result::Tls,
        _ if refused_before => Result::Refused,
        // These go on in plaintext, which the program never calls a success.
        (_, Some("disable" | "allow" | "prefer")) => Result::Plaintext,
        (verdict, mode) => {
            assert!(verdict == Some("failed") && !stage.is_empty(), "{mode:?} {report}");
            Result::Refused
        }
    }
}

fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/dialects/drivers").join(name)
}

fn command(home: &Home, words: &[&str]) -> Command {
    let mut command = home.command("timeout");
    command.args(["--kill-after=1", "240"]).args(words).arg("strings");
    command
}

fn script(home: &Home, words: &[&str], name: &str) -> Command {
    let source = source(name);
    let (interpreter, arguments) = words.split_first().expect("an interpreter");
    let words = [&[*interpreter, source.to_str().expect("a path in UTF-8")], arguments].concat();
    command(home, &words)
}

/// The Rust drivers, which are built by `tests/run setup`.
fn rust(home: &Home, driver: &str) -> Command {
    let program = build_directory().join("clients-rust/debug/driver");
    command(home, &[program.to_str().expect("a path in UTF-8"), driver])
}

fn python(home: &Home, driver: &str) -> Command {
    let interpreter = build_directory().join("clients-python/bin/python");
    let interpreter = interpreter.to_str().expect("a path in UTF-8");
    command(home, &[interpreter, source("driver.py").to_str().expect("a path in UTF-8"), driver])
}

fn node(home: &Home, driver: &str) -> Command {
    // Imports of ES modules are looked for beside the script and nowhere else.
    let modules = build_directory().join("clients-node/node_modules");
    std::os::unix::fs::symlink(modules, home.join("node_modules")).expect("a link");
    std::fs::copy(source("driver.mjs"), home.join("driver.mjs")).expect("the script");
    command(home, &["node", "driver.mjs", driver])
}

fn java(home: &Home) -> Command {
    let compiled =
        home.command("javac").args(["-d", "."]).arg(source("Driver.java")).status().expect("javac runs");
    assert!(compiled.success());
    let user_home = format!("-Duser.home={}", home.path().display());
    let options = [
        "java",
        "-XX:TieredStopAtLevel=1",
        "-XX:+UseSerialGC",
        &user_home,
        "-cp",
        ".:/usr/share/java/postgresql.jar",
    ];
    command(home, &[&options[..], &["Driver"]].concat())
}

fn go(home: &Home, driver: &str) -> Command {
    let built = home
        .command("go")
        // Debian's packages are a GOPATH; the cache outlives the test.
        .env("GO111MODULE", "off")
        .env("GOPATH", "/usr/share/gocode")
        .env("GOCACHE", build_directory().join("tmp/go"))
        .args(["build", "-o", "driver"])
        .arg(source("driver.go"))
        .status()
        .expect("go runs");
    assert!(built.success());
    command(home, &["./driver", driver])
}

/// A libpq URL of a dialect.
const fn url(dialect: &'static str, begin: &'static str, program: fn(&Home) -> Command) -> Driver {
    Driver {
        dialect,
        begin,
        signs: ("?", "&"),
        variants: LIBPQ,
        root: Some("sslrootcert"),
        end: "",
        environments: &[],
        system: false,
        program,
    }
}

#[test]
fn psycopg() {
    agrees(&Driver {
        variants: LIBPQ_AND_SERVICES,
        environments: LIBPQ_VARIABLES,
        system: true,
        ..url("psycopg", "postgresql://USER@localhost:PORT/postgres", |home| python(home, "psycopg"))
    });
}

#[test]
fn psycopg2() {
    let begin = "host=localhost port=PORT dbname=postgres user=USER";
    agrees(&Driver {
        signs: (" ", " "),
        variants: LIBPQ_AND_SERVICES,
        environments: LIBPQ_VARIABLES,
        ..url("psycopg2", begin, |home| python(home, "psycopg2"))
    });
}

#[test]
fn sqlalchemy_with_psycopg() {
    let begin = "postgresql+psycopg://USER@localhost:PORT/postgres";
    agrees(&url("sqlalchemy", begin, |home| python(home, "sqlalchemy")));
}

#[test]
fn sqlalchemy_with_psycopg2() {
    let begin = "postgresql+psycopg2://USER@localhost:PORT/postgres";
    agrees(&url("sqlalchemy+psycopg2", begin, |home| python(home, "sqlalchemy")));
}

#[test]
fn sqlalchemy_with_pg8000() {
    agrees(&Driver {
        variants: &["", "sslmode=require", "ssl_context=true"],
        root: None,
        ..url("sqlalchemy+pg8000", "postgresql+pg8000://USER@localhost:PORT/postgres", |home| {
            python(home, "sqlalchemy")
        })
    });
}

#[test]
fn asyncpg() {
    agrees(&Driver {
        variants: &[
            "",
            "sslmode=disable",
            "sslmode=allow",
            "sslmode=prefer",
            "sslmode=require",
            "sslmode=verify-ca",
            "sslmode=verify-full",
            "sslmode=verify_full",
            "sslmode=REQUIRE",
            "ssl=true",
        ],
        environments: MODE_VARIABLES,
        system: true,
        ..url("asyncpg", "postgresql://USER@localhost:PORT/postgres", |home| python(home, "asyncpg"))
    });
}

#[test]
fn node_postgres() {
    agrees(&Driver {
        variants: &[
            "",
            "ssl",
            "ssl=true",
            "ssl=1",
            "ssl=0",
            "ssl=false",
            "ssl=no-verify",
            "sslmode=disable",
            "sslmode=allow",
            "sslmode=prefer",
            "sslmode=require",
            "sslmode=verify-ca",
            "sslmode=verify-full",
            "sslmode=no-verify",
            "sslmode=anything",
            "uselibpqcompat=true",
            "uselibpqcompat=true&sslmode=disable",
            "uselibpqcompat=true&sslmode=prefer",
            "uselibpqcompat=true&sslmode=require",
            "uselibpqcompat=true&sslmode=verify-ca",
            "uselibpqcompat=true&sslmode=verify-full",
            "uselibpqcompat=true&sslmode=no-verify",
        ],
        environments: NODE_VARIABLES,
        ..url("node-postgres", "postgresql://USER@localhost:PORT/postgres", |home| {
            node(home, "node-postgres")
        })
    });
}

#[test]
fn postgres_js() {
    agrees(&Driver {
        variants: &[
            "",
            "sslmode=disable",
            "sslmode=allow",
            "sslmode=prefer",
            "sslmode=require",
            "sslmode=verify-ca",
            "sslmode=verify-full",
            "sslmode=no-verify",
            "ssl=true",
            "ssl=false",
            "ssl=require",
            "ssl=prefer",
        ],
        environments: NODE_VARIABLES,
        ..url("postgres.js", "postgresql://USER@localhost:PORT/postgres", |home| node(home, "postgres.js"))
    });
}

#[test]
fn jdbc() {
    agrees(&Driver {
        signs: ("&", "&"),
        variants: &[
            "",
            "sslmode=disable",
            "sslmode=allow",
            "sslmode=prefer",
            "sslmode=require",
            "sslmode=verify-ca",
            "sslmode=verify-full",
            "sslmode=VERIFY-FULL",
            "sslmode=no-verify",
            "sslMode=verify-full",
            "ssl",
            "ssl=true",
            "ssl=false",
            "ssl=yes",
            "ssl=true&sslmode=require",
            "sslmode=verify-full&sslfactory=org.postgresql.ssl.NonValidatingFactory",
            "sslmode=require&sslfactory=org.postgresql.ssl.NonValidatingFactory",
            "sslmode=verify-full&sslfactory=org.postgresql.ssl.DefaultJavaSSLFactory",
            "sslmode=verify-full&sslfactory=org.postgresql.ssl.SingleCertValidatingFactory&sslfactoryarg=file:ROOT",
            "sslmode=require&sslfactory=org.postgresql.ssl.SingleCertValidatingFactory&sslfactoryarg=file:ROOT",
            "sslmode=verify-full&sslfactory=org.postgresql.ssl.SingleCertValidatingFactory&sslfactoryarg=QUERY",
            "sslfactory=org.postgresql.ssl.SingleCertValidatingFactory&sslfactoryarg=QUERY",
            "sslmode=verify-full&sslfactory=org.postgresql.ssl.SingleCertValidatingFactory&sslfactoryarg=ROOT",
            "sslmode=require&targetServerType=any",
            "sslmode=require&targetServerType=primary",
            "sslmode=require&targetServerType=master",
            "sslmode=require&targetServerType=preferPrimary",
            "sslmode=require&targetServerType=preferMaster",
            "sslmode=require&targetServerType=preferSlave",
            "sslmode=require&targetServerType=read-write",
            "sslmode=require&targetServerType=standby",
        ],
        ..url("jdbc", "jdbc:postgresql://localhost:PORT/postgres?user=USER", java)
    });
}

#[test]
fn lib_pq() {
    agrees(&Driver {
        environments: MODE_VARIABLES,
        variants: &[
            "",
            "sslmode=disable",
            "sslmode=allow",
            "sslmode=prefer",
            "sslmode=require",
            "sslmode=verify-ca",
            "sslmode=verify-full",
            "sslmode=REQUIRE",
            "sslinline=true&sslmode=verify-full&sslrootcert=QUERY",
            "sslinline=true&sslmode=require&sslrootcert=QUERY&sslcert=CLIENT-CERT&sslkey=CLIENT-KEY",
            "sslinline=true&sslmode=verify-full&sslrootcert=QUERY&sslcert=CLIENT-CERT&sslkey=CLIENT-KEY",
            "sslinline=true&sslmode=verify-full&sslcert=CLIENT-CERT&sslkey=CLIENT-KEY",
        ],
        system: true,
        ..url("lib-pq-1.10", "postgresql://USER@localhost:PORT/postgres", |home| go(home, "lib-pq"))
    });
}

#[test]
fn pdo() {
    let begin = "pgsql:host=localhost;port=PORT;dbname=postgres;user=USER";
    agrees(&Driver {
        signs: (";", ";"),
        variants: LIBPQ_AND_SERVICES,
        environments: LIBPQ_VARIABLES,
        ..url("pdo", begin, |home| script(home, &["php"], "driver.php"))
    });
}

#[test]
fn dbd_pg() {
    let begin = "dbi:Pg:host=localhost;port=PORT;dbname=postgres;user=USER";
    agrees(&Driver {
        signs: (";", ";"),
        variants: LIBPQ_AND_SERVICES,
        environments: LIBPQ_VARIABLES,
        ..url("dbi", begin, |home| script(home, &["/usr/bin/perl"], "driver.pl"))
    });
}

#[test]
fn ruby_pg() {
    let begin = "host=localhost port=PORT dbname=postgres user=USER";
    agrees(&Driver {
        signs: (" ", " "),
        variants: LIBPQ_AND_SERVICES,
        environments: LIBPQ_VARIABLES,
        ..url("ruby-pg", begin, |home| script(home, &["/usr/bin/ruby", "ruby-pg"], "driver.rb"))
    });
}

#[test]
fn sqlalchemy_with_asyncpg() {
    agrees(&Driver {
        variants: &[
            "",
            "ssl=disable",
            "ssl=allow",
            "ssl=prefer",
            "ssl=require",
            "ssl=verify-ca",
            "ssl=verify-full",
            "ssl=true",
            "sslmode=require",
        ],
        root: None,
        environments: MODE_VARIABLES,
        ..url("sqlalchemy+asyncpg", "postgresql+asyncpg://USER@localhost:PORT/postgres", |home| {
            python(home, "sqlalchemy_asyncpg")
        })
    });
}

#[test]
fn django() {
    let begin = "postgres://USER@localhost:PORT/postgres";
    agrees(&Driver { variants: LIBPQ_AND_SSL, ..url("django", begin, |home| python(home, "django")) });
}

#[test]
fn django_dictionary() {
    agrees(&Driver {
        signs: (", 'OPTIONS': {", ""),
        variants: &[
            "'sslmode': 'disable'}",
            "'sslmode': 'prefer'}",
            "'sslmode': 'require'}",
            "'sslmode': 'require', 'sslrootcert': 'ROOT'}",
            "'sslmode': 'verify-full', 'sslrootcert': 'ROOT'}",
            "'ssl': True}",
            "'SSLMODE': 'require'}",
            "}, 'sslmode': 'disable'",
            "}, 'SSLMODE': 'verify-full', 'SSLROOTCERT': 'ROOT'",
            "'sslmode': 'require'}, 'host': 'nowhere', 'sslmode': 'disable'",
        ],
        root: None,
        end: "}",
        ..url(
            "django",
            "{'ENGINE': 'django.db.backends.postgresql', 'HOST': 'localhost', 'PORT': '<PORT>', 'NAME': 'postgres', 'USER': '<USER>'",
            |home| python(home, "django"),
        )
    });
}

#[test]
fn odbc() {
    agrees(&Driver {
        signs: (";", ";"),
        variants: &[
            "",
            "SSLmode=disable",
            "SSLmode=allow",
            "SSLmode=prefer",
            "SSLmode=require",
            "SSLmode=verify-ca",
            "SSLmode=verify-full",
            "SSLmode=REQUIRE",
            "sslmode=Verify-Full",
            "SSLmode=r",
            "SSLmode=vf",
            "SSLmode=verify_full",
            "ssl=true",
            "SSLmode=require;pqopt={sslrootcert=ROOT}",
            "SSLmode=verify-ca;pqopt={sslrootcert=ROOT}",
            "SSLmode=verify-full;pqopt={sslrootcert=ROOT}",
            "SSLmode=verify-full;sslrootcert=ROOT",
            "SSLmode=require;pqopt={sslmode=verify-full}",
            "SSLmode=verify-full;pqopt=sslrootcert=ROOT",
            "SSLmode=verify-full;pqopt={sslrootcert='ROOT' application_name='a b'}",
            "SSLmode=require;pqopt={sslrootcert=ROOT sslsni=0}",
            "SSLmode=verify-ca;pqopt={service=verifies}",
            "SSLmode=require;pqopt={service=verifies}",
            "pqopt={service=requires}",
            "SSLmode=verify-full;pqopt={service=absent}",
            "SSLmode=verify-full;pqopt={sslrootcert=ROOT nonsense=1}",
            "SSLmode=verify-full;pqopt={sslrootcert=ROOT host=elsewhere.invalid}",
            "SSLmode=verify-full;pqopt={sslrootcert=ROOT hostaddr=127.0.0.1}",
            "SSLmode=verify-full;pqopt={sslrootcert=ROOT connect_timeout=3}",
            "SSLmode=verify-full;pqopt={sslrootcert=ROOT",
        ],
        root: None,
        environments: LIBPQ_VARIABLES,
        ..url(
            "odbc",
            "Driver={PostgreSQL Unicode};Server=localhost;Port=PORT;Database=postgres;Uid=USER",
            |home| python(home, "odbc"),
        )
    });
}

#[test]
fn rails() {
    let begin = "postgresql://USER@localhost:PORT/postgres";
    agrees(&Driver {
        variants: LIBPQ_AND_SSL,
        environments: MODE_VARIABLES,
        ..url("rails", begin, |home| script(home, &["/usr/bin/ruby", "rails"], "driver.rb"))
    });
}

#[test]
fn pgx() {
    agrees(&Driver {
        environments: LIBPQ_VARIABLES,
        system: true,
        ..url("pgx-4", "postgresql://USER@localhost:PORT/postgres", |home| go(home, "pgx"))
    });
}

#[test]
fn tokio_postgres() {
    agrees(&Driver {
        variants: &["", "sslmode=disable", "sslmode=prefer", "sslmode=require", "sslmode=verify-full"],
        root: None,
        system: true,
        ..url("tokio-postgres", "postgresql://USER@localhost:PORT/postgres", |home| {
            rust(home, "tokio-postgres")
        })
    });
}

#[test]
fn sqlx() {
    agrees(&Driver {
        environments: MODE_VARIABLES,
        system: true,
        ..url("sqlx", "postgresql://USER@localhost:PORT/postgres", |home| rust(home, "sqlx"))
    });
}

/// What is built on node-postgres reads its URLs as that does.
const OF_NODE_POSTGRES: &[&str] = &[
    "",
    "ssl=true",
    "ssl=0",
    "ssl=no-verify",
    "sslmode=disable",
    "sslmode=prefer",
    "sslmode=require",
    "sslmode=verify-full",
    "sslmode=no-verify",
];

#[test]
fn knex() {
    agrees(&Driver {
        variants: OF_NODE_POSTGRES,
        ..url("knex", "postgresql://USER@localhost:PORT/postgres", |home| node(home, "knex"))
    });
}

#[test]
fn typeorm() {
    agrees(&Driver {
        variants: OF_NODE_POSTGRES,
        ..url("typeorm", "postgresql://USER@localhost:PORT/postgres", |home| node(home, "typeorm"))
    });
}

#[test]
fn sequelize() {
    agrees(&Driver {
        variants: OF_NODE_POSTGRES,
        ..url("sequelize", "postgresql://USER@localhost:PORT/postgres", |home| node(home, "sequelize"))
    });
}

#[test]
fn prisma_7() {
    agrees(&Driver {
        variants: OF_NODE_POSTGRES,
        ..url("prisma-7", "postgresql://USER@localhost:PORT/postgres", |home| node(home, "prisma"))
    });
}

const NODE_OBJECTS: &[&str] = &[
    "",
    "ssl: {ca: fs.readFileSync('ROOT'), servername: 'localhost'}",
    "ssl: {ca: 'PEM', minVersion: 'TLSv1.2'}",
    "ssl: false",
    "ssl: true",
    "ssl: {}",
    "ssl: {rejectUnauthorized: false}",
    "ssl: {rejectUnauthorized: true}",
    "ssl: {ca: fs.readFileSync('ROOT')}",
    "ssl: {ca: 'PEM'}",
    "ssl: {ca: \"PEM\", rejectUnauthorized: true}",
    "ssl: {ca: ['PEM']}",
    "ssl: {ca: 'PEM', checkServerIdentity: () => undefined}",
    "ssl: {ca: 'PEM', rejectUnauthorized: false}",
    "ssl: {ca: 'no certificate'}",
    "ssl: {ca: ['ANOTHER', 'PEM']}",
    "ssl: {ca: ['ANOTHER']}",
    "sslmode: 'verify-full'",
];

#[test]
fn node_postgres_object() {
    agrees(&Driver {
        signs: (", ", ", "),
        variants: NODE_OBJECTS,
        root: None,
        end: "}",
        environments: NODE_VARIABLES,
        ..url("node-postgres", "{host: 'localhost', port: PORT, database: 'postgres', user: 'USER'", |home| {
            node(home, "node-postgres")
        })
    });
}

#[test]
fn postgres_js_object() {
    agrees(&Driver {
        signs: (", ", ", "),
        variants: &[
            "",
            "ssl: false",
            "ssl: true",
            "ssl: 'require'",
            "ssl: 'prefer'",
            "ssl: 'verify-full'",
            "ssl: {rejectUnauthorized: false}",
            "ssl: {ca: fs.readFileSync('ROOT')}",
            "ssl: {ca: 'PEM'}",
            "ssl: {ca: \"PEM\", rejectUnauthorized: true}",
        ],
        root: None,
        end: "}",
        environments: NODE_VARIABLES,
        ..url(
            "postgres.js",
            "{host: 'localhost', port: PORT, database: 'postgres', username: 'USER'",
            |home| node(home, "postgres.js"),
        )
    });
}

#[test]
fn typeorm_object() {
    agrees(&Driver {
        signs: (", ", ", "),
        variants: &[
            "ssl: true",
            "ssl: {rejectUnauthorized: false}",
            "ssl: {ca: 'PEM'}",
            "extra: {ssl: {ca: 'PEM'}}",
            "extra: {ssl: {rejectUnauthorized: false}}",
        ],
        root: None,
        end: "}",
        ..url(
            "typeorm",
            "{type: 'postgres', host: 'localhost', port: PORT, database: 'postgres', username: 'USER'",
            |home| node(home, "typeorm"),
        )
    });
}

#[test]
fn sequelize_object() {
    agrees(&Driver {
        signs: (", ", ", "),
        variants: &[
            "",
            "ssl: true",
            "dialectOptions: {ssl: true}",
            "dialectOptions: {ssl: {rejectUnauthorized: false}}",
            "dialectOptions: {ssl: {ca: 'PEM'}}",
            "dialectOptions: {ssl: {require: true, ca: fs.readFileSync('ROOT')}}",
        ],
        root: None,
        end: "}",
        ..url(
            "sequelize",
            "{dialect: 'postgres', host: 'localhost', port: PORT, database: 'postgres', username: 'USER'",
            |home| node(home, "sequelize"),
        )
    });
}

/// Each string of the portal as it is pasted, the placeholders of database and files filled in, that of the password left
/// or filled in: checked, with the verdict that its driver gives.
#[test]
fn strings_of_the_azure_portal() {
    let list = include_str!("vectors/azure-strings.tsv");
    let (_, server) = SERVERS.servers.first().expect("the right server");
    let home = Home::new();
    let ca = home.write("ca.pem", &SERVERS.root);
    let mut checked = 0;
    for line in list.lines().filter(|line| !line.starts_with('#')) {
        let cells: Vec<&str> = line.split('\t').collect();
        let [tab, dialect, kind, text] = cells[..] else { panic!("{line}") };
        for password in ["{your_password}", "p4ss"] {
            let text = text
                .replace("\\n", "\n")
                .replace("s.postgres.database.azure.com", "localhost")
                .replace("{your_database}", "postgres")
                .replace("{your_password}", password)
                .replace("{ca-cert filename}", ca.to_str().expect("a path in UTF-8"))
                .replace("me:", &format!("{OPEN}:"));
            let output = home
                .command(Tool::PROGRAM)
                .env("SSL_CERT_FILE", &ca)
                .args(["--no-try", "--format", "json", "-U", OPEN, "-p", &server.port().to_string(), &text])
                .output()
                .expect("the program runs");
            let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
            assert_eq!(report["dialect"], dialect, "{tab}: {report}");
            let (verdict, code) = (&report["verdict"], &report["diagnosis"]["code"]);
            match kind {
                "verifies" => assert_eq!(verdict, "verified", "{tab}: {report}"),
                "require" => assert_eq!(verdict, "encrypted", "{tab}: {report}"),
                // Of libpq's own string without a mode this program checks verify-full; a driver of Node's uses no TLS.
                _ if dialect == "libpq" => assert_eq!(code, "root-file-missing", "{tab}: {report}"),
                _ if dialect == "node-postgres" => assert_eq!(code, "tls-not-requested", "{tab}: {report}"),
                _ => assert_eq!(verdict, "encrypted", "{tab}: {report}"),
            }
            let shown = format!(
                "{}{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            );
            assert!(!shown.contains("p4ss"), "{tab}: {shown}");
            checked += 1;
        }
    }
    assert!(checked >= 36, "{checked}");
}

/// Strings that verify nothing, with the roots that their driver would verify with: named, in the home, the system's.
const VERIFYING_NOTHING: &[(&str, &str)] = &[
    ("jdbc", "jdbc:postgresql://localhost:PORT/postgres?user=USER&sslmode=require&sslrootcert=ROOT"),
    ("jdbc", "jdbc:postgresql://localhost:PORT/postgres?user=USER&sslMode=verify-full"),
    (
        "npgsql",
        "Host=localhost;Port=PORT;Database=postgres;Username=USER;SSL Mode=Require;Root Certificate=ROOT",
    ),
    ("npgsql", "Host=localhost;Port=PORT;Database=postgres;Username=USER;SSL Mode=Require"),
    ("r2dbc", "r2dbc:postgresql://USER@localhost:PORT/postgres?sslMode=require&sslRootCert=ROOT"),
    ("prisma", "postgresql://USER@localhost:PORT/postgres?sslmode=require&schema=public&sslcert=ROOT"),
    ("sqlx", "postgresql://USER@localhost:PORT/postgres?sslmode=require&sslrootcert=ROOT"),
    ("ecto", "ecto://USER@localhost:PORT/postgres?sslmode=verify-full"),
    (
        "odbc",
        "Driver={PostgreSQL Unicode};Server=localhost;Port=PORT;Database=postgres;Uid=USER;SSLmode=REQUIRE",
    ),
    (
        "node-postgres",
        "new Client({host: 'localhost', port: PORT, database: 'postgres', user: 'USER', \
         ssl: {rejectUnauthorized: false, ca: fs.readFileSync('ROOT')}})",
    ),
    ("node-postgres", "postgresql://USER@localhost:PORT/postgres?sslmode=no-verify"),
];

/// The remedy of such a string is tried, and both its forms verify: the driver's own and libpq's.
#[test]
fn the_remedy_of_a_string_that_verifies_nothing_works() {
    let home = Home::new();
    let ca = home.write("ca.pem", &SERVERS.root);
    home.write(".postgresql/root.crt", &SERVERS.root);
    let (_, right) = &SERVERS.servers[0];
    let run = |dialect: &str, text: &str| -> Value {
        let mut command = home.command(Tool::PROGRAM);
        command.env("SSL_CERT_FILE", &ca).args(["--as", dialect, "--format", "json", text]);
        serde_json::from_slice(&command.output().expect("the program runs").stdout).expect("JSON")
    };
    for (dialect, text) in VERIFYING_NOTHING {
        let text = text
            .replace("PORT", &right.port().to_string())
            .replace("ROOT", &ca.display().to_string())
            .replace("USER", OPEN);
        let report = run(dialect, &text);
        let warnings = report["warnings"].as_array().into_iter().flatten();
        let told = warnings.chain([&report["diagnosis"]]).find(|told| {
            matches!(
                told["code"].as_str(),
                Some("sslmode-not-verifying" | "tls-not-requested" | "tls-not-offered")
            )
        });
        let fix = &told.unwrap_or_else(|| panic!("{text}: {report}"))["fixes"][0];
        assert_eq!(fix["tried"], "works", "{text}: {report}");
        for (dialect, key) in [(*dialect, "conninfo"), ("libpq", "libpq_conninfo")] {
            let mended = fix[key].as_str().unwrap_or_else(|| panic!("{text}: no {key} in {fix}"));
            let again = run(dialect, mended);
            assert_eq!(again["verdict"], "verified", "{text}: {mended}\n{again}");
        }
    }
}

/// The argument of a Python driver that takes a context of the ssl module.
const CONTEXTS: &[&str] = &[
    "",
    "ssl=True",
    "ssl=False",
    "ssl='require'",
    "ssl='prefer'",
    "ssl='verify-full'",
    "ssl=ssl.create_default_context()",
    "ssl=ssl.create_default_context(cafile='ROOT')",
    "ssl=ssl.create_default_context(cadata='PEM')",
    "sslmode='require'",
];

#[test]
fn asyncpg_called() {
    agrees(&Driver {
        signs: (", ", ", "),
        variants: CONTEXTS,
        root: None,
        end: ")",
        environments: MODE_VARIABLES,
        system: true,
        ..url(
            "asyncpg",
            "asyncpg.connect(host='localhost', port=PORT, database='postgres', user='USER'",
            |home| python(home, "asyncpg"),
        )
    });
}

#[test]
fn pg8000_called() {
    agrees(&Driver {
        signs: (", ", ", "),
        variants: &[
            "",
            "ssl_context=True",
            "ssl_context=False",
            "ssl_context=ssl.create_default_context()",
            "ssl_context=ssl.create_default_context(cafile='ROOT')",
            "ssl_context=ssl.create_default_context(cadata='PEM')",
            "sslmode='require'",
        ],
        root: None,
        end: ")",
        system: true,
        ..url(
            "pg8000",
            "pg8000.connect(host='localhost', port=PORT, database='postgres', user='USER'",
            |home| python(home, "pg8000"),
        )
    });
}

#[test]
fn sqlalchemy_called() {
    agrees(&Driver {
        signs: (", connect_args={", ""),
        variants: &[
            "'ssl': True}",
            "'ssl': 'require'}",
            "'ssl': ssl.create_default_context(cafile='ROOT')}",
            "'ssl': ssl.create_default_context(cadata='PEM')}",
        ],
        root: None,
        end: ")",
        ..url(
            "sqlalchemy+asyncpg",
            "create_async_engine('postgresql+asyncpg://USER@localhost:PORT/postgres'",
            |home| python(home, "sqlalchemy_asyncpg"),
        )
    });
    agrees(&Driver {
        signs: (", connect_args={", ""),
        variants: &["'ssl_context': True}", "'ssl_context': ssl.create_default_context(cafile='ROOT')}"],
        root: None,
        end: ")",
        ..url(
            "sqlalchemy+pg8000",
            "create_engine('postgresql+pg8000://USER@localhost:PORT/postgres'",
            |home| python(home, "sqlalchemy"),
        )
    });
}

/// Lines of an environment file beside the one with the string are variables of the program that reads it.
#[test]
fn an_environment_file_says_what_node_trusts() {
    let home = Home::new();
    let root = home.write("ca.pem", &SERVERS.root);
    let (_, right) = &SERVERS.servers[0];
    let url =
        format!("DATABASE_URL=\"postgres://{OPEN}@localhost:{}/postgres?sslmode=verify-full\"", right.port());
    let check = |before: &str, behind: &str| {
        let text = format!("{before}{url}\n{behind}");
        Tool::at(&home).with(["--as", "node-postgres", "--format", "json", &text]).run()
    };
    check("", "").exits(8);
    let trusting = format!("NODE_EXTRA_CA_CERTS={}\n", root.display());
    check(&trusting, "").verified();
    check("", &trusting).verified();
    let careless = check("", "export NODE_TLS_REJECT_UNAUTHORIZED=0\n");
    careless.exits(0).says("/verdict", "encrypted").says("/warnings/0/code", "sslmode-not-verifying");
    check("", "NODE_TLS_REJECT_UNAUTHORIZED=1\n").exits(8);
}

/// Names that the driver does not know are written as it has them, all in one string that it then takes.
#[test]
fn unknown_names_of_a_driver_are_mended_in_its_own_string() {
    let home = Home::new();
    for (typed, expected) in [
        ("postgresql+psycopg2://app@h.example/shop?ssl_ca=k.pem", Some("sslrootcert=k.pem")),
        ("postgresql+psycopg://app@h.example/shop?pool=4&ssl_mode=verify-full", Some("?sslmode=verify-full")),
        (
            "{'ENGINE': 'django.db.backends.postgresql', 'HOST': 'h.example', 'NAME': 'd', 'OPTIONS': {'ssl_ca': 'x.pem'}}",
            Some("\"x.pem\""),
        ),
        // It has no name for that.
        ("postgresql+asyncpg://app@h.example/shop?ssl_ca=k.pem", None),
        // What may be a piece of the password is not shown.
        ("postgresql+psycopg2://app:Zyzzyva@h.example/shop?ssl_ca=Zyzzyva", None),
    ] {
        let report = Tool::at(&home).with(["--no-try"]).check(typed);
        report.exits(2).diagnosed("conninfo-unknown-option").conceals("Zyzzyva");
        let whole = report.at("/diagnosis/fixes/0/conninfo");
        assert_eq!(whole.is_string(), expected.is_some(), "{report}");
        if let (Some(whole), Some(expected)) = (whole.as_str(), expected) {
            assert!(whole.contains(expected) && whole.contains("verify-full"), "{whole}");
            let again = Tool::at(&home).with(["--no-try"]).check(whole);
            again.diagnosed("dns-not-found").says("/dialect", report.at("/dialect"));
        }
    }
}
