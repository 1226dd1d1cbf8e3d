//! How a snippet of each language is run: what comes before and behind it, and the command.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::home::Home;
use crate::support::postgres::build_directory;

/// The command of each snippet, by its place.
type Commands<'a> = Box<dyn Fn(usize) -> Command + 'a>;

/// Makes programs of the snippets.
pub(super) type Prepare = for<'a> fn(&'a Home, &[String]) -> Commands<'a>;

/// What every program asks once it is connected: the server itself says whether the session is encrypted.
const QUERY: &str = "select ssl::text from pg_stat_ssl where pid = pg_backend_pid()";

/// Longer than any client takes on a busy machine.
const LIMIT: &str = "60";

/// How a program ended.
pub(super) struct Run {
    succeeded: bool,
    output: String,
}

impl Run {
    /// Runs a program with the password, which is also that of the PKCS #12 file, in its environment.
    pub(super) fn of(mut command: Command, password: &str) -> Self {
        let output = command
            .env("PGPASSWORD", password)
            .env("PGSSLPASSWORD", password)
            .stdin(Stdio::null())
            .output()
            .expect("timeout runs");
        let text = [output.stdout, output.stderr].concat();
        Self { succeeded: output.status.success(), output: String::from_utf8_lossy(&text).into_owned() }
    }

    /// It connected over TLS, or refused the certificate and nothing else.
    #[track_caller]
    pub(super) fn came_to(&self, connected: bool, snippet: &str) {
        let Self { succeeded, output } = self;
        let words = output.to_lowercase();
        let as_wished = match connected {
            true => *succeeded && words.lines().any(|line| line.trim() == "true"),
            false => {
                let about_it = ["certificate", "hostname", "host name", "pkix", "altnames"];
                !*succeeded && about_it.iter().any(|word| words.contains(word))
            }
        };
        let wished = if connected { "connect" } else { "refuse the certificate" };
        assert!(
            as_wished,
            "it should {wished} (a client that is missing comes with: tests/run setup)\n{snippet}\n--- output\n{output}"
        );
    }
}

/// A program under a limit, in a home.
fn limited(home: &Home, program: impl AsRef<Path>) -> Command {
    let mut command = home.command("timeout");
    command.args(["--kill-after=1", LIMIT]).arg(program.as_ref());
    command
}

/// Scripts for an interpreter, one for each snippet.
fn scripts<'a>(
    home: &'a Home,
    snippets: &[String],
    name: &str,
    wrap: impl Fn(&str) -> String,
    interpreter: impl AsRef<Path>,
) -> Commands<'a> {
    let scripts: Vec<PathBuf> = snippets
        .iter()
        .enumerate()
        .map(|(index, snippet)| home.write(&name.replace('*', &index.to_string()), wrap(snippet)))
        .collect();
    let interpreter = interpreter.as_ref().to_owned();
    Box::new(move |index| {
        let mut command = limited(home, &interpreter);
        command.arg(&scripts[index]);
        command
    })
}

/// A directory of drivers that `tests/run` installs.
fn installed(name: &str, probe: &str) -> PathBuf {
    let directory = build_directory().join(name);
    let found = directory.join(probe);
    assert!(found.exists(), "{} is missing; install it with: tests/run setup", found.display());
    directory
}

fn shell<'a>(home: &'a Home, snippets: &[String], wrap: impl Fn(&str) -> String) -> Commands<'a> {
    let psql = |snippet: &str| format!("PATH=/usr/lib/postgresql/15/bin:$PATH\n{}\n", wrap(snippet));
    scripts(home, snippets, "snippet-*.sh", psql, "/bin/sh")
}

/// The line of a psql snippet that begins like this, with the query behind it.
fn line(snippet: &str, begin: &str) -> String {
    let line = snippet.lines().find(|line| line.starts_with(begin)).expect("such a line");
    format!("{line} -X -w -A -t -c \"{QUERY}\"")
}

pub(super) fn psql_string<'a>(home: &'a Home, snippets: &[String]) -> Commands<'a> {
    shell(home, snippets, |snippet| line(snippet, "psql 'host="))
}

pub(super) fn psql_uri<'a>(home: &'a Home, snippets: &[String]) -> Commands<'a> {
    shell(home, snippets, |snippet| line(snippet.split_once("URI").expect("the form of a URI").1, "psql "))
}

pub(super) fn psql_environment<'a>(home: &'a Home, snippets: &[String]) -> Commands<'a> {
    shell(home, snippets, |snippet| {
        let variables = snippet.split_once("every libpq program").expect("the variables").1;
        format!("set -a{variables}\n{}", line("psql", "psql"))
    })
}

fn python<'a>(home: &'a Home, snippets: &[String], wrap: impl Fn(&str) -> String) -> Commands<'a> {
    let directory = installed("clients-python", "bin/python");
    scripts(home, snippets, "snippet_*.py", wrap, directory.join("bin/python"))
}

pub(super) fn psycopg<'a>(home: &'a Home, snippets: &[String]) -> Commands<'a> {
    python(home, snippets, |snippet| {
        format!("{snippet}\nprint(connection.execute('{QUERY}').fetchone()[0])\n")
    })
}

pub(super) fn psycopg2<'a>(home: &'a Home, snippets: &[String]) -> Commands<'a> {
    python(home, snippets, |snippet| {
        format!(
            "{snippet}\ncursor = connection.cursor()\ncursor.execute('{QUERY}')\nprint(cursor.fetchone()[0])\n"
        )
    })
}

pub(super) fn pg8000<'a>(home: &'a Home, snippets: &[String]) -> Commands<'a> {
    psycopg2(home, snippets)
}

pub(super) fn asyncpg<'a>(home: &'a Home, snippets: &[String]) -> Commands<'a> {
    python(home, snippets, |snippet| {
        let body: String = snippet.lines().map(|line| format!("    {line}\n")).collect();
        format!(
            "import asyncio\nasync def main():\n{body}    print(await connection.fetchval('{QUERY}'))\n\
             asyncio.run(main())\n"
        )
    })
}

pub(super) fn sqlalchemy<'a>(home: &'a Home, snippets: &[String]) -> Commands<'a> {
    python(home, snippets, |snippet| {
        format!(
            "{snippet}\nfrom sqlalchemy import text\nwith engine.connect() as connection:\n    \
             print(connection.execute(text('{QUERY}'.replace('::text', ''))).scalar())\n"
        )
    })
}

fn node<'a>(home: &'a Home, snippets: &[String], tail: &str) -> Commands<'a> {
    // Imports of ES modules are looked for beside the script and nowhere else.
    let modules = installed("clients-node", "node_modules").join("node_modules");
    std::os::unix::fs::symlink(modules, home.join("node_modules")).expect("a link");
    scripts(home, snippets, "snippet-*.mjs", |snippet| format!("{snippet}\n{tail}\n"), "node")
}

pub(super) fn node_postgres<'a>(home: &'a Home, snippets: &[String]) -> Commands<'a> {
    let tail = format!("console.log((await client.query('{QUERY}')).rows[0].ssl)\nawait client.end()");
    node(home, snippets, &tail)
}

pub(super) fn postgres_js<'a>(home: &'a Home, snippets: &[String]) -> Commands<'a> {
    node(home, snippets, &format!("console.log((await sql`{QUERY}`)[0].ssl)\nawait sql.end()"))
}

pub(super) fn ruby_pg<'a>(home: &'a Home, snippets: &[String]) -> Commands<'a> {
    let wrap = |snippet: &str| format!("{snippet}\nputs connection.exec('{QUERY}')[0]['ssl']\n");
    scripts(home, snippets, "snippet-*.rb", wrap, "/usr/bin/ruby")
}

pub(super) fn pdo<'a>(home: &'a Home, snippets: &[String]) -> Commands<'a> {
    let wrap = |snippet: &str| {
        format!("<?php\n{snippet}\necho $connection->query('{QUERY}')->fetchColumn(), \"\\n\";\n")
    };
    scripts(home, snippets, "snippet-*.php", wrap, "php")
}

pub(super) fn dbd_pg<'a>(home: &'a Home, snippets: &[String]) -> Commands<'a> {
    let wrap = |snippet: &str| {
        format!(
            "use strict; use warnings; use utf8;\n{snippet}\nprint $connection->selectrow_array('{QUERY}'), \"\\n\";\n"
        )
    };
    scripts(home, snippets, "snippet-*.pl", wrap, "/usr/bin/perl")
}

/// A program built once, that takes the number of the snippet.
fn built(home: &Home, program: Vec<PathBuf>) -> Commands<'_> {
    Box::new(move |index| {
        let mut command = limited(home, &program[0]);
        command.args(&program[1..]).arg(index.to_string());
        command
    })
}

fn build(mut command: Command) {
    let output = command.output().expect("a compiler runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} (what is missing comes with: tests/run setup)\n{errors}");
}

/// The snippets as functions, in the syntax of a language: `#` stands for the number, `{}` for the snippet.
fn functions(snippets: &[String], template: &str) -> String {
    let mut text = String::new();
    for (index, snippet) in snippets.iter().enumerate() {
        writeln!(text, "{}", template.replace('#', &index.to_string()).replace("{}", snippet)).unwrap();
    }
    text
}

pub(super) fn jdbc<'a>(home: &'a Home, snippets: &[String]) -> Commands<'a> {
    let jar = PathBuf::from("/usr/share/java/postgresql.jar");
    assert!(jar.exists(), "{} is missing; install it with: tests/run setup", jar.display());
    let cases = functions(
        snippets,
        "static java.sql.Connection snippet#() throws Exception {\n{}\nreturn connection;\n}",
    );
    let arms: String =
        (0..snippets.len()).map(|index| format!("case {index} -> snippet{index}();\n")).collect();
    let source = home.write(
        "Main.java",
        format!(
            "class Main {{\n{cases}\npublic static void main(String[] arguments) throws Exception {{\n\
             var connection = switch (Integer.parseInt(arguments[0])) {{\n{arms}default -> throw new Exception(); }};\n\
             var rows = connection.createStatement().executeQuery(\"{QUERY}\");\nrows.next();\n\
             System.out.println(rows.getString(1));\n}}\n}}\n"
        ),
    );
    let mut compiler = limited(home, "javac");
    compiler.arg(source);
    build(compiler);
    let classes = format!("{}:{}", home.path().display(), jar.display());
    let options = ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", &classes, "Main"];
    built(home, options.map(PathBuf::from).to_vec())
}

pub(super) fn lib_pq<'a>(home: &'a Home, snippets: &[String]) -> Commands<'a> {
    let cases = functions(snippets, "func snippet#() (*sql.DB, error) {\n{}\nreturn db, err\n}");
    let list: String = (0..snippets.len()).map(|index| format!("snippet{index}, ")).collect();
    let source = home.write(
        "main.go",
        format!(
            "package main\nimport (\n\"database/sql\"\n\"fmt\"\n\"os\"\n\"strconv\"\n_ \"github.com/lib/pq\"\n)\n{cases}\n\
             func main() {{\nindex, _ := strconv.Atoi(os.Args[1])\n\
             db, err := []func() (*sql.DB, error){{ {list} }}[index]()\n\
             var ssl string\nif err == nil {{ err = db.QueryRow(\"{QUERY}\").Scan(&ssl) }}\n\
             if err != nil {{ fmt.Println(err); os.Exit(1) }}\nfmt.Println(ssl)\n}}\n"
        ),
    );
    let program = home.join("main");
    let mut compiler = limited(home, "go");
    // Debian's packages are a GOPATH; the cache outlives the test, since building crypto/tls takes longer than it.
    compiler
        .env("GO111MODULE", "off")
        .env("GOPATH", "/usr/share/gocode")
        .env("GOCACHE", build_directory().join("tmp/go"))
        .args(["build", "-o"])
        .args([&program, &source]);
    build(compiler);
    built(home, vec![program])
}

pub(super) fn tokio_postgres<'a>(home: &'a Home, snippets: &[String]) -> Commands<'a> {
    let cases = functions(
        snippets,
        "async fn snippet#() -> Result<String, Error> {\n{}\ntokio::spawn(connection);\n\
         Ok(client.query_one(QUERY, &[]).await?.get(0))\n}",
    );
    let arms: String =
        (0..snippets.len()).map(|index| format!("\"{index}\" => snippet{index}().await,\n")).collect();
    let source = home.write(
        "main.rs",
        format!(
            "type Error = Box<dyn std::error::Error + Send + Sync>;\nconst QUERY: &str = \"{QUERY}\";\n{cases}\n\
             fn main() -> Result<(), Error> {{\n\
             let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;\n\
             let ssl = runtime.block_on(async {{ match std::env::args().nth(1).unwrap().as_str() {{\n{arms}\
             _ => unreachable!() }} }})?;\nprintln!(\"{{ssl}}\");\nOk(())\n}}\n"
        ),
    );
    let program = home.join("main");
    let mut compiler = Command::new(rust_tool("rustc"));
    compiler
        .current_dir(home.path())
        .args(["--edition", "2024", "-C", "debuginfo=0", "-o"])
        .args([&program, &source]);
    let dependencies =
        Path::new(env!("CARGO_BIN_EXE_pgtls-check")).parent().expect("a directory").join("deps");
    compiler.arg("-L").arg(format!("dependency={}", dependencies.display()));
    for (name, library) in libraries() {
        compiler.arg("--extern").arg(format!("{name}={library}"));
    }
    build(compiler);
    built(home, vec![program])
}

/// The libraries that the tests themselves are linked with: cargo tells where they are and finds nothing to build.
fn libraries() -> Vec<(String, String)> {
    let mut cargo = Command::new(rust_tool("cargo"));
    // What cargo sets for a test makes build scripts run again (ring's watches CARGO_MANIFEST_DIR and others), and the
    // program of the running tests would be replaced under them.
    for (name, _) in std::env::vars_os() {
        let set_for_tests = name.to_str().is_some_and(|name| name.starts_with("CARGO_") || name == "OUT_DIR");
        if set_for_tests && name != "CARGO_HOME" && name != "CARGO_TARGET_DIR" {
            cargo.env_remove(name);
        }
    }
    let output = cargo
        .args(["test", "--no-run", "--offline", "--quiet", "--test", "it", "--message-format=json"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let wanted = ["tokio", "tokio_postgres", "tokio_postgres_rustls", "rustls"];
    let mut found = Vec::new();
    for message in String::from_utf8_lossy(&output.stdout).lines() {
        let message: serde_json::Value = serde_json::from_str(message).expect("JSON");
        let name = message["target"]["name"].as_str().unwrap_or_default();
        if message["reason"] != "compiler-artifact" || !wanted.contains(&name) {
            continue;
        }
        let files = message["filenames"].as_array().expect("a list");
        let library = files.iter().filter_map(|file| file.as_str()).find(|file| file.ends_with(".rlib"));
        found.extend(library.map(|library| (name.to_owned(), library.to_owned())));
    }
    assert_eq!(found.len(), wanted.len(), "{found:?}");
    found
}

/// A program of the toolchain that built the tests.
fn rust_tool(name: &str) -> PathBuf {
    let cargo = std::env::var_os("CARGO").map(PathBuf::from);
    cargo.and_then(|cargo| Some(cargo.parent()?.join(name))).unwrap_or_else(|| name.into())
}
