//! The built program, run as a user runs it, and assertions that read like the report of a case.

use std::fmt;
use std::io::Read;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::home::Home;

/// No run may take longer, whatever the server does.
const LIMIT: Duration = Duration::from_secs(60);

/// `pgtls-check`, still to be given its arguments. It sees no `PG*` variable but those set here.
pub(crate) struct Tool {
    command: Command,
}

impl Tool {
    /// The program's path.
    pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_pgtls-check");

    /// With `home` as home and working directory.
    pub(crate) fn at(home: &Home) -> Self {
        Self { command: home.command(Self::PROGRAM) }
    }

    /// Run by a command that was begun elsewhere, in another network for example.
    pub(crate) fn by(home: &Home, begun: Command) -> Self {
        let mut command = home.command(begun.get_program());
        command.args(begun.get_args());
        Self { command }
    }

    /// Adds arguments.
    pub(crate) fn with<const N: usize>(mut self, arguments: [&str; N]) -> Self {
        self.command.args(arguments);
        self
    }

    /// Runs in another directory.
    pub(crate) fn within(mut self, directory: &std::path::Path) -> Self {
        self.command.current_dir(directory);
        self
    }

    /// Sets an environment variable.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Checks one connection string and reads the report as JSON.
    pub(crate) fn check(self, conninfo: &str) -> Report {
        self.with(["--format", "json", conninfo]).run()
    }

    /// Runs the program to its end.
    pub(crate) fn run(mut self) -> Report {
        let arguments = format!("{:?}", self.command.get_args().collect::<Vec<_>>());
        let mut child = self
            .command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let stdout = read_all(child.stdout.take().expect("a pipe"));
        let stderr = read_all(child.stderr.take().expect("a pipe"));
        let deadline = Instant::now() + LIMIT;
        let status = loop {
            if let Some(status) = child.try_wait().expect("the program is ours") {
                break status.code();
            }
            if Instant::now() > deadline {
                child.kill().expect("the program is ours");
                child.wait().expect("the program is ours");
                panic!("{arguments} still runs after {LIMIT:?}");
            }
            thread::sleep(Duration::from_millis(2));
        };
        let stdout = stdout.join().expect("reading its output");
        let stderr = stderr.join().expect("reading its errors");
        Report { arguments, status, stdout, stderr }
    }
}

fn read_all(mut from: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).expect("a readable pipe");
        String::from_utf8(bytes).expect("output is UTF-8")
    })
}

/// How a run ended and all it wrote. Assertions give the report back, so that they can be chained.
pub(crate) struct Report {
    arguments: String,
    /// The exit status; `None` when a signal ended it.
    pub status: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Report {
    #[track_caller]
    pub(crate) fn exits(&self, status: i32) -> &Self {
        assert_eq!(self.status, Some(status), "exit status of {self}");
        self
    }

    /// The check succeeded: exit 0, no diagnosis, and a verdict that claims no more than the sslmode verified.
    #[track_caller]
    pub(crate) fn verified(&self) -> &Self {
        self.exits(0);
        let (verdict, mode) = (self.at("/verdict"), self.at("/target/sslmode"));
        let levels: &[&str] = match mode.as_str() {
            Some("verify-full") => &["verified"],
            Some("verify-ca") => &["chain-verified"],
            _ => &["chain-verified", "encrypted"],
        };
        assert!(levels.iter().any(|level| verdict == *level), "verdict of {self}");
        assert_eq!(self.at("/exit_code"), 0, "exit_code of {self}");
        assert_eq!(self.at("/diagnosis"), Value::Null, "diagnosis of {self}");
        self
    }

    /// The check failed with this diagnosis.
    #[track_caller]
    pub(crate) fn diagnosed(&self, code: &str) -> &Self {
        assert_eq!(self.at("/diagnosis/code"), code, "diagnosis of {self}");
        assert_eq!(self.at("/verdict"), "failed", "verdict of {self}");
        assert_eq!(self.at("/exit_code"), self.status.unwrap_or(-1), "exit_code of {self}");
        self
    }

    /// A field of the JSON report, by its JSON pointer, has this value.
    #[track_caller]
    pub(crate) fn says(&self, pointer: &str, value: impl Into<Value>) -> &Self {
        assert_eq!(self.at(pointer), value.into(), "{pointer} of {self}");
        self
    }

    /// A stage ended as `ok`, `warning`, `failed` or `skipped`.
    #[track_caller]
    pub(crate) fn stage(&self, name: &str, status: &str) -> &Self {
        let stages = self.at("/stages");
        let stage = stages.as_array().and_then(|all| all.iter().find(|stage| stage["name"] == name));
        let stage = stage.unwrap_or_else(|| panic!("no stage {name} in {self}"));
        assert_eq!(stage["status"], status, "stage {name} of {self}");
        self
    }

    /// Nothing it wrote holds `secret`.
    #[track_caller]
    pub(crate) fn conceals(&self, secret: &str) -> &Self {
        for (name, text) in [("standard output", &self.stdout), ("standard error", &self.stderr)] {
            assert!(!text.contains(secret), "{secret:?} is in the {name} of {self}");
        }
        self
    }

    /// A field of the JSON report; null where it is missing.
    #[track_caller]
    pub(crate) fn at(&self, pointer: &str) -> Value {
        self.json().pointer(pointer).cloned().unwrap_or(Value::Null)
    }

    /// The JSON reports of the targets of a file, in its order: they are written as the targets end.
    #[track_caller]
    pub(crate) fn objects(&self) -> Vec<Value> {
        objects(&self.stdout)
    }

    /// The JSON report of the first target.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        let line = self.stdout.lines().next().unwrap_or_default();
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: no JSON from {self}"))
    }
}

/// As [`Report::objects`], of what was printed.
#[track_caller]
pub(crate) fn objects(stdout: &str) -> Vec<Value> {
    let mut objects: Vec<Value> =
        stdout.lines().map(|line| serde_json::from_str(line).expect("an object a line")).collect();
    objects.sort_by_key(|object| object["source"]["line"].as_u64());
    objects
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { arguments, status, stdout, stderr } = self;
        write!(f, "pgtls-check {arguments}\nstatus {status:?}\n--- output\n{stdout}\n--- errors\n{stderr}")
    }
}
