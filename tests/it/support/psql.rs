//! libpq itself, asked through `psql`: what it makes of a connection string is what the program must make of it.

use std::process::Command;

use super::home::Home;
use super::postgres::Installation;

/// The real binary; `/usr/bin/psql` is Debian's wrapper, which reads settings of its own.
const PROGRAM: &str = "/usr/lib/postgresql/15/bin/psql";

/// `psql` of version 15 with one libpq or another.
#[derive(Clone, Copy)]
pub(crate) struct Psql {
    version: u8,
}

/// What became of one connection.
#[derive(Debug)]
pub(crate) struct Connection {
    pub connected: bool,
    pub stderr: String,
    /// Host and port as `PQhost` and `PQport` tell them once connected.
    pub reached: Option<(String, u16)>,
    /// The version of TLS, where the session has it.
    pub tls: Option<String>,
}

impl Psql {
    /// With libpq of this version, 15 or 18.
    pub(crate) fn libpq(version: u8) -> Self {
        assert!(
            std::path::Path::new(PROGRAM).exists(),
            "{PROGRAM} is missing: apt-get install postgresql-15"
        );
        Self { version }
    }

    /// `psql` as it always runs here: it reads no start-up file and never asks for a password.
    pub(crate) fn command(self, home: &Home) -> Command {
        let mut command = home.command(PROGRAM);
        command.args(["-X", "-w"]);
        if self.version != 15 {
            command.env("LD_LIBRARY_PATH", Installation::of(self.version).libraries());
        }
        command
    }

    /// Connects and runs a query. `environment` is all of `PG*` that libpq sees.
    pub(crate) fn connect(self, home: &Home, conninfo: &str, environment: &[(&str, &str)]) -> Connection {
        let output = self
            .command(home)
            .args(["-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", conninfo])
            .args(["-c", "select 1", "-c", r"\echo :HOST :PORT", "-c", r"\conninfo"])
            .envs(environment.iter().copied())
            .output()
            .expect("psql runs");
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        let reached = stdout.lines().nth(1).and_then(|line| {
            // Both are as they were given, blanks around a port too.
            let (host, port) = line.trim_end().rsplit_once(' ')?;
            Some((host.trim_end().to_owned(), port.parse().ok()?))
        });
        let tls = stdout
            .split_once("SSL connection (protocol: ")
            .and_then(|(_, rest)| Some(rest.split_once(',')?.0.to_owned()));
        Connection {
            connected: output.status.success(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            reached,
            tls,
        }
    }
}
