//! libpq itself, called: how it reads connection strings, and what it makes of them with environment and service file.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::home::Home;
use super::postgres::Installation;

const SOURCE: &str = include_str!("libpq_oracle.c");

/// Keyword and value of all that is set; `None` where libpq refuses.
pub type Answer = Option<BTreeMap<String, Vec<u8>>>;

/// A program that calls one libpq.
pub struct Libpq {
    version: u8,
    program: PathBuf,
}

/// One question.
pub enum Question {
    /// `PQconninfoParse` of a string.
    Parse(Vec<u8>),
    /// `PQconninfo` of a connection begun with the string in an environment with these variables and no others of `PG*`.
    Connect { conninfo: Vec<u8>, environment: BTreeMap<String, Vec<u8>> },
    /// `PQpass` of such a connection, under that name.
    Password { conninfo: Vec<u8>, environment: BTreeMap<String, Vec<u8>> },
}

impl Libpq {
    /// Builds the program in the directory; the libpq is of version 15 or 18.
    pub fn version(version: u8, home: &Home) -> Libpq {
        if version == 15 {
            assert!(debian_has_libpq(), "libpq.so.5 is missing below /usr/lib: apt-get install libpq5");
        }
        let source = home.write("libpq_oracle.c", SOURCE);
        let program = home.join("libpq_oracle");
        let built = Command::new("gcc")
            .args(["-std=gnu11", "-O1", "-o"])
            .args([&program, &source])
            .arg("-ldl")
            .output()
            .expect("gcc is missing: apt-get install gcc libc6-dev");
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        Libpq { version, program }
    }

    /// The answers to all questions, in their order.
    pub fn ask(&self, home: &Home, questions: &[Question]) -> Vec<Answer> {
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
                | Question::Password { conninfo, environment } => {
                    record(b'x', b"");
                    for (name, value) in environment {
                        record(b'e', &[name.as_bytes(), b"=", value].concat());
                    }
                    let passwords = matches!(question, Question::Password { .. });
                    record(if passwords { b'w' } else { b'c' }, conninfo);
                }
            }
        }
        let mut command = home.command(&self.program);
        if self.version != 15 {
            command.env("LD_LIBRARY_PATH", Installation::of(self.version).libraries());
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
