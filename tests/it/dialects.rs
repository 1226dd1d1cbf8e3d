//! A driver is the judge of its own strings: each installed driver connects with generated strings of its dialect (every
//! mode, with and without roots, to servers with every fault), and the program has to say the same of them: refused,
//! plaintext or TLS.
//!
//! One process a driver and home runs all of its strings (`dialects/drivers`), and one run of the program all of the same.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use serde_json::Value;

use crate::support::home::Home;
use crate::support::pki::{Algorithm, Chain, Draft};
use crate::support::postgres::{Postgres, build_directory};
use crate::support::site::OPEN;
use crate::support::tool::Tool;

/// The servers, by what is wrong with them.
struct Servers {
    root: String,
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
    Servers { root: chain.root.pem(), servers }
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
    for with_roots in [false, true] {
        let home = Home::new();
        let root = home.write("ca.pem", &SERVERS.root);
        if with_roots {
            home.write(".postgresql/root.crt", &SERVERS.root);
        }
        let cases = cases(driver, &root);
        let text: String = cases.iter().map(|(_, text)| format!("{text}\n")).collect();
        home.write("strings", text);
        let expected = by_driver(driver, &home, cases.len());
        let found = by_program(driver, &home, cases.len());
        runs += cases.len();
        for (((server, text), (expected, words)), (found, code)) in cases.iter().zip(&expected).zip(&found) {
            if expected == found {
                continue;
            }
            let known = DIFFERENCES.iter().position(|(dialect, part, of, _)| {
                *dialect == driver.dialect && text.contains(part) && (of.is_empty() || of == server)
            });
            match known {
                Some(known) => drop(used.insert(known)),
                None => differences.push(format!(
                    "{server}, root.crt {with_roots}: {text}\n  driver {expected:?} {words}\n  program {found:?} {code}"
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
}

/// Server and string.
fn cases(driver: &Driver, root: &Path) -> Vec<(&'static str, String)> {
    let mut cases = Vec::new();
    for (server, postgres) in &SERVERS.servers {
        let begin = driver.begin.replace("PORT", &postgres.port().to_string()).replace("USER", OPEN);
        for variant in driver.variants {
            for root in [None, driver.root.map(|name| format!("{name}={}", root.display()))] {
                let parts: Vec<&str> = [Some(*variant).filter(|part| !part.is_empty()), root.as_deref()]
                    .into_iter()
                    .flatten()
                    .collect();
                let mut text = begin.clone();
                for (at, part) in parts.iter().enumerate() {
                    text.push_str(if at == 0 { driver.signs.0 } else { driver.signs.1 });
                    text.push_str(part);
                }
                if !cases.contains(&(*server, text.clone())) {
                    cases.push((*server, text));
                }
            }
        }
    }
    cases
}

/// What the driver makes of the strings.
fn by_driver(driver: &Driver, home: &Home, count: usize) -> Vec<(Result, String)> {
    let output = (driver.program)(home)
        .env("SSL_CERT_FILE", home.join("none"))
        .env("SSL_CERT_DIR", home.join("none"))
        .stdin(Stdio::null())
        .output()
        .expect("the driver's program runs");
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
fn by_program(driver: &Driver, home: &Home, count: usize) -> Vec<(Result, String)> {
    let none = home.join("none");
    let none = none.to_str().expect("a path in UTF-8");
    let output = home
        .command(Tool::PROGRAM)
        .env("SSL_CERT_FILE", none)
        .env("SSL_CERT_DIR", none)
        .args(["--as", driver.dialect, "--no-try", "--jobs", "4", "--format", "json", "--from", "strings"])
        .output()
        .expect("the program runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let reports: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(reports.len(), count, "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    reports.iter().map(|report| (of(report), report["diagnosis"]["code"].to_string())).collect()
}

/// What a report says that the driver does.
fn of(report: &Value) -> Result {
    let stage = report["diagnosis"]["stage"].as_str().unwrap_or_default();
    let refused_before = report["exit_code"] == 2 && report["diagnosis"]["code"] != "tls-not-requested";
    match (report["verdict"].as_str(), report["target"]["sslmode"].as_str()) {
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

fn script(home: &Home, interpreter: &str, name: &str) -> Command {
    command(home, &[interpreter, source(name).to_str().expect("a path in UTF-8")])
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

fn go(home: &Home) -> Command {
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
    command(home, &["./driver"])
}

/// A libpq URL of a dialect.
const fn url(dialect: &'static str, begin: &'static str, program: fn(&Home) -> Command) -> Driver {
    Driver { dialect, begin, signs: ("?", "&"), variants: LIBPQ, root: Some("sslrootcert"), program }
}

#[test]
fn psycopg() {
    agrees(&url("psycopg", "postgresql://USER@localhost:PORT/postgres", |home| python(home, "psycopg")));
}

#[test]
fn psycopg2() {
    let begin = "host=localhost port=PORT dbname=postgres user=USER";
    agrees(&Driver { signs: (" ", " "), ..url("psycopg2", begin, |home| python(home, "psycopg2")) });
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
        ],
        ..url("jdbc", "jdbc:postgresql://localhost:PORT/postgres?user=USER", java)
    });
}

#[test]
fn lib_pq() {
    agrees(&url("lib-pq-1.10", "postgresql://USER@localhost:PORT/postgres", go));
}

#[test]
fn pdo() {
    let begin = "pgsql:host=localhost;port=PORT;dbname=postgres;user=USER";
    agrees(&Driver { signs: (";", ";"), ..url("pdo", begin, |home| script(home, "php", "driver.php")) });
}

#[test]
fn dbd_pg() {
    let begin = "dbi:Pg:host=localhost;port=PORT;dbname=postgres;user=USER";
    agrees(&Driver {
        signs: (";", ";"),
        ..url("dbi", begin, |home| script(home, "/usr/bin/perl", "driver.pl"))
    });
}

#[test]
fn ruby_pg() {
    let begin = "host=localhost port=PORT dbname=postgres user=USER";
    agrees(&Driver {
        signs: (" ", " "),
        ..url("ruby-pg", begin, |home| script(home, "/usr/bin/ruby", "driver.rb"))
    });
}
