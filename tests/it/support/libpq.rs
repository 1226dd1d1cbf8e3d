//! libpq itself, called: how it reads connection strings, and what it makes of them with environment and service file.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::home::Home;
use super::postgres::Installation;

const SOURCE: &str = include_str!("libpq_oracle.c");

/// Keyword and value of all that is set; `None` where libpq refuses.
pub(crate) type Answer = Option<BTreeMap<String, Vec<u8>>>;

/// The libraries that answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Build {
    /// libpq 15 on OpenSSL 3.0, Debian's.
    Pq15,
    /// libpq 18 on OpenSSL 1.1.1, which comes with the PostgreSQL 18 of these tests.
    Pq18OnOpenSsl1,
    /// libpq 18 on OpenSSL 3.5, which comes with psycopg.
    Pq18OnOpenSsl3,
}

/// A program that calls one libpq.
pub(crate) struct Libpq {
    program: PathBuf,
    /// Where it finds libpq, unless that is the system's.
    libraries: Vec<PathBuf>,
}

/// One question.
pub(crate) enum Question {
    /// `PQconninfoParse` of a string.
    Parse(Vec<u8>),
    /// `PQconninfo` of a connection begun with the string in an environment with these variables and no others of `PG*`.
    Connect { conninfo: Vec<u8>, environment: BTreeMap<String, Vec<u8>> },
    /// `PQpass` of such a connection, under that name.
    Password { conninfo: Vec<u8>, environment: BTreeMap<String, Vec<u8>> },
    /// `PQconnectdb` to its end.
    Attempt { conninfo: Vec<u8>, environment: BTreeMap<String, Vec<u8>> },
}

/// How an attempt ended.
#[derive(Clone, Debug)]
pub(crate) struct Attempted {
    pub connected: bool,
    pub tls: bool,
    /// The last one tried.
    pub port: String,
    pub error: String,
}

impl Libpq {
    /// Builds the program in the directory; the libpq is of version 15 or 18.
    pub(crate) fn version(version: u8, home: &Home) -> Self {
        Self::of(if version == 15 { Build::Pq15 } else { Build::Pq18OnOpenSsl1 }, home)
    }

    /// Builds the program in the directory.
    pub(crate) fn of(build: Build, home: &Home) -> Self {
        let libraries = match build {
            Build::Pq15 => {
                assert!(debian_has_libpq(), "libpq.so.5 is missing below /usr/lib: apt-get install libpq5");
                Vec::new()
            }
            Build::Pq18OnOpenSsl1 => vec![Installation::of(18).libraries()],
            Build::Pq18OnOpenSsl3 => psycopg_libraries(home),
        };
        let source = home.write(&format!("{build:?}.c"), SOURCE);
        let program = home.join(&format!("{build:?}"));
        let built = Command::new("gcc")
            .args(["-std=gnu11", "-O1", "-o"])
            .args([&program, &source])
            .arg("-ldl")
            .output()
            .expect("gcc is missing: apt-get install gcc libc6-dev");
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        Self { program, libraries }
    }

    /// Lets it connect by each string in its environment, one after the other.
    pub(crate) fn attempt(
        &self,
        home: &Home,
        attempts: &[(String, Vec<(String, String)>)],
    ) -> Vec<Attempted> {
        let questions: Vec<Question> = attempts
            .iter()
            .map(|(conninfo, environment)| Question::Attempt {
                conninfo: conninfo.clone().into_bytes(),
                environment: environment
                    .iter()
                    .map(|(name, value)| (name.clone(), value.clone().into_bytes()))
                    .collect(),
            })
            .collect();
        let answers = self.ask(home, &questions).into_iter();
        answers.map(|answer| attempted(&answer.expect("an attempt has an answer"))).collect()
    }

    /// The answers to all questions, in their order.
    pub(crate) fn ask(&self, home: &Home, questions: &[Question]) -> Vec<Answer> {
        let mut input = Vec::new();
        let mut record = |mode: u8, text: &[u8]| {
            input.push(mode);
            input.extend(u32::try_from(text.len()).expect("a short string").to_be_bytes());
            input.extend(text);
        };
        for question in questions {
            match question {
                Question::Parse(text) => record(b'p', text),
                Question::Connect { conninfo, environment }
                | Question::Password { conninfo, environment }
                | Question::Attempt { conninfo, environment } => {
                    record(b'x', b"");
                    for (name, value) in environment {
                        record(b'e', &[name.as_bytes(), b"=", value].concat());
                    }
                    let mode = match question {
                        Question::Password { .. } => b'w',
                        Question::Attempt { .. } => b'a',
                        _ => b'c',
                    };
                    record(mode, conninfo);
                }
            }
        }
        let mut command = home.command(&self.program);
        if !self.libraries.is_empty() {
            command.env("LD_LIBRARY_PATH", std::env::join_paths(&self.libraries).expect("no colon in them"));
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut stdin = child.stdin.take().expect("its standard input");
        // It answers while it reads.
        let writer = std::thread::spawn(move || stdin.write_all(&input));
        let output = child.wait_with_output().expect("it ends");
        writer.join().expect("the writer ends").expect("it reads all");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let answers: Vec<Answer> =
            String::from_utf8(output.stdout).expect("ASCII").lines().map(answer).collect();
        assert_eq!(answers.len(), questions.len());
        answers
    }
}

/// The directories of psycopg's libraries, and one where its libpq has the usual name.
fn psycopg_libraries(home: &Home) -> Vec<PathBuf> {
    let installed = super::postgres::build_directory().join("clients-python/lib/python3.11/site-packages");
    let libraries = installed.join("psycopg_binary.libs");
    let listed = std::fs::read_dir(&libraries).expect("psycopg is missing; install it with: tests/run setup");
    let libpq = listed
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("libpq-")))
        .expect("psycopg's libpq");
    let named = home.join("psycopg");
    std::fs::create_dir_all(&named).expect("a directory");
    let link = named.join("libpq.so.5");
    if !link.exists() {
        std::os::unix::fs::symlink(libpq, &link).expect("a link");
    }
    vec![named, libraries]
}

fn attempted(answer: &BTreeMap<String, Vec<u8>>) -> Attempted {
    let text = |name: &str| String::from_utf8_lossy(answer.get(name).expect("told")).into_owned();
    Attempted {
        connected: text("connected") == "1",
        tls: text("tls") == "1",
        port: text("port"),
        error: text("error").trim().replace('\n', " / "),
    }
}

/// Whether Debian's libpq is there, in the directory of whatever architecture.
fn debian_has_libpq() -> bool {
    let directories = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    directories.map(|entry| entry.path()).any(|directory| directory.join("libpq.so.5").exists())
}

fn answer(line: &str) -> Answer {
    let mut words = line.split(' ');
    if words.next() != Some("ok") {
        return None;
    }
    let byte = |digits: &[u8]| {
        u8::from_str_radix(std::str::from_utf8(digits).expect("ASCII"), 16).expect("hexadecimal digits")
    };
    Some(
        words
            .map(|word| {
                let (keyword, digits) = word.split_once('=').expect("keyword=hex");
                (keyword.to_owned(), digits.as_bytes().chunks(2).map(byte).collect())
            })
            .collect(),
    )
}
