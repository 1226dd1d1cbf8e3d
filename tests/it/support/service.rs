//! A server program that stops when its owner does, however the owner ends.
//!
//! A shell starts the program and then waits for its own standard input to close. The test process holds the other end:
//! it closes when the value is dropped, and the kernel closes it when the process is gone, even by SIGKILL. Statics are
//! never dropped, so servers shared by many tests depend on this.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::home::Home;

/// Starts `"$@"`, ends it with SIGINT (a fast shutdown to PostgreSQL and to PgBouncer) and clears its directory away.
const SUPERVISOR: &str = r#"
log=$1 directory=$2; shift 2
trap : INT TERM HUP
"$@" </dev/null >>"$log" 2>&1 &
cat >/dev/null
kill -INT $! 2>/dev/null
wait
rm -rf "$directory"
"#;

/// How long a server may take to start on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running program, in a directory of its own.
pub(crate) struct Service {
    supervisor: Child,
    log: PathBuf,
    home: Home,
}

/// What the log of a starting program says so far.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Startup {
    Pending,
    Ready,
    Failed,
}

impl Service {
    /// Starts `command` and waits until `startup`, given its directory and log, finds it ready. The error is its log.
    pub(crate) fn start(
        home: Home,
        command: &[String],
        startup: impl Fn(&Home, &str) -> Startup,
    ) -> Result<Self, String> {
        let log = home.write("log", "");
        let supervisor = home
            .command("/bin/sh")
            .args(["-c", SUPERVISOR, "supervisor"])
            .arg(&log)
            .arg(home.path())
            .args(command)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("/bin/sh starts");
        let service = Self { supervisor, log, home };
        let deadline = Instant::now() + PATIENCE;
        loop {
            let log = service.log();
            match startup(&service.home, &log) {
                Startup::Ready => return Ok(service),
                Startup::Pending if Instant::now() < deadline => sleep(Duration::from_millis(10)),
                Startup::Pending | Startup::Failed => return Err(log),
            }
        }
    }

    /// All that the program has written so far.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).expect("the server's log")).into_owned()
    }

    /// The directory the program runs in.
    pub(crate) fn home(&self) -> &Home {
        &self.home
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        drop(self.supervisor.stdin.take());
        // An error would mean that it is gone already, which is all that is wanted.
        let _ = self.supervisor.wait();
    }
}

/// Calls `start` with a free port, again when another process was quicker to take it.
pub(crate) fn on_free_port<T>(start: impl Fn(u16) -> Result<T, String>) -> T {
    let mut log = String::new();
    for _ in 0..5 {
        match start(free_port()) {
            Ok(service) => return service,
            Err(text) => log = text,
        }
        if !log.contains("Address already in use") {
            break;
        }
    }
    panic!("the server did not start; its log:\n{log}");
}

/// A port of 127.0.0.1 that nobody listens on at this moment.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .expect("a free port")
        .port()
}

/// The user a server runs as: both refuse to run as root.
pub(crate) struct ServerUser {
    /// User and group, where it is another than the tests' own.
    other: Option<(u32, u32)>,
}

impl ServerUser {
    /// The tests' own user or, where that is root, `postgres`, else `nobody`.
    pub(crate) fn for_owner_of(home: &Home) -> Self {
        if home.owner() != 0 {
            return Self { other: None };
        }
        let accounts = fs::read_to_string("/etc/passwd").expect("/etc/passwd");
        let ids = |name: &str| {
            let fields: Vec<&str> = accounts
                .lines()
                .map(|line| line.split(':').collect())
                .find(|fields: &Vec<&str>| fields[0] == name)?;
            Some((fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?))
        };
        Self { other: Some(ids("postgres").or_else(|| ids("nobody")).expect("a user postgres or nobody")) }
    }

    /// The words that run `words` as this user.
    pub(crate) fn command<const N: usize>(&self, words: [&str; N]) -> Vec<String> {
        let mut command = Vec::new();
        if let Some((user, group)) = self.other {
            command.extend(
                ["setpriv", &format!("--reuid={user}"), &format!("--regid={group}"), "--clear-groups", "--"]
                    .map(str::to_owned),
            );
        }
        command.extend(words.map(str::to_owned));
        command
    }

    /// Gives the files of `home` to this user.
    pub(crate) fn take(&self, home: &Home) {
        if let Some((user, group)) = self.other {
            let status = Command::new("chown")
                .args(["-R", &format!("{user}:{group}")])
                .arg(home.path())
                .status()
                .expect("chown runs");
            assert!(status.success(), "chown of {}", home.path().display());
        }
    }
}
