//! Real PostgreSQL servers, versions 15 and 18, each on a free loopback port with a data directory of its own.

use std::fmt::Write as _;
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use super::home::Home;
use super::pki::Chain;
use super::psql::Psql;
use super::service::{ServerUser, Service, Startup, on_free_port};

/// A running server. It stops when the value is dropped or the test process ends.
pub(crate) struct Postgres {
    service: Service,
    port: u16,
}

impl Postgres {
    /// A server of this major version (15 or 18), still to be set up. Untouched it has TLS off, the database `postgres`
    /// and asks everyone who comes by TCP for a SCRAM password.
    pub(crate) fn version(version: u8) -> Setup {
        Setup {
            version,
            settings: String::new(),
            hba: String::new(),
            trusted: String::new(),
            roles: String::new(),
            files: Vec::new(),
        }
    }

    /// The port it listens on, at 127.0.0.1 and at ::1.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The server's log so far.
    pub(crate) fn log(&self) -> String {
        self.service.log()
    }

    /// Runs SQL as the superuser.
    pub(crate) fn execute(&self, sql: &str) {
        let output =
            self.superuser().args(["-q", "-v", "ON_ERROR_STOP=1", "-c", sql]).output().expect("psql runs");
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Puts files into the data directory, readable for the server's account alone.
    pub(crate) fn put(&self, files: &[(&str, &str)]) {
        let home = self.service.home();
        for (name, content) in files {
            let path = home.write(&format!("data/{name}"), content);
            fs::set_permissions(path, PermissionsExt::from_mode(0o600)).expect("chmod");
        }
        Self::account().take(home);
    }

    /// The server's account; its own directory is no longer the tests'.
    fn account() -> ServerUser {
        ServerUser::for_owner_of(&Home::new())
    }

    /// What a command prints that an administrator runs in the data directory, from the server's own account; psql leads to
    /// this server.
    pub(crate) fn administer(&self, command: &str) -> String {
        let home = self.service.home();
        let words = Self::account().command(["sh", "-e", "-c", command]);
        let output = home
            .command(&words[0])
            .args(&words[1..])
            .current_dir(home.join("data"))
            .envs([
                ("PGHOST", home.path()),
                ("PGUSER", Path::new("postgres")),
                ("PGDATABASE", Path::new("postgres")),
            ])
            .env("PGPORT", self.port.to_string())
            .output()
            .expect("sh runs");
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{command}\n{printed}{}", String::from_utf8_lossy(&output.stderr));
        printed
    }

    /// A session that stays; it ends when its input, which is returned, is dropped.
    pub(crate) fn hold_a_session(&self) -> HeldSession {
        let mut child = self
            .superuser()
            .args(["-A", "-t"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("psql runs");
        let mut input = child.stdin.take().expect("a pipe");
        input.write_all(b"select 1;\n").expect("psql reads");
        let mut answer = [0; 2];
        child.stdout.as_mut().expect("a pipe").read_exact(&mut answer).expect("psql answers");
        HeldSession { child, input: Some(input) }
    }

    /// Tells the server to end once the sessions there are have ended, and waits until it knows.
    pub(crate) fn shut_down_smartly(&self) {
        let lock = fs::read_to_string(self.directory().join("data/postmaster.pid")).expect("the lock file");
        let process = lock.lines().next().expect("a line");
        let status = std::process::Command::new("kill").args(["-TERM", process]).status().expect("kill runs");
        assert!(status.success());
        let deadline = Instant::now() + Duration::from_secs(10);
        while !self.log().contains("received smart shutdown request") {
            assert!(Instant::now() < deadline, "no shutdown: {}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn superuser(&self) -> std::process::Command {
        let home = self.service.home();
        let mut command = Psql::libpq(15).command(home);
        command
            .env("PGOPTIONS", "-c default_transaction_read_only=off")
            .args(["-U", "postgres", "-d", "postgres", "-p", &self.port.to_string(), "-h"])
            .arg(home.path());
        command
    }

    /// The directory that holds all of it, its Unix socket too.
    pub(crate) fn directory(&self) -> &Path {
        self.service.home().path()
    }
}

/// A session of the superuser.
pub(crate) struct HeldSession {
    child: Child,
    input: Option<ChildStdin>,
}

impl Drop for HeldSession {
    fn drop(&mut self) {
        drop(self.input.take());
        // psql ends with its input.
        let _ = self.child.wait();
    }
}

/// How a server is to be.
pub(crate) struct Setup {
    version: u8,
    settings: String,
    hba: String,
    trusted: String,
    roles: String,
    files: Vec<(&'static str, String)>,
}

impl Setup {
    /// TLS on, with this chain and its key.
    pub(crate) fn tls(self, chain: &Chain) -> Self {
        self.certificate(chain.server_pem(), chain.leaf.key_pem())
    }

    /// TLS on, with these certificates, the server's first, and this key, both in PEM.
    pub(crate) fn certificate(mut self, certificates: String, key: String) -> Self {
        self.files.push(("server.crt", certificates));
        self.files.push(("server.key", key));
        self.setting("ssl", "on")
    }

    /// TLS from version `from` to version `to`, as PostgreSQL spells them: `TLSv1.2`.
    pub(crate) fn protocols(self, from: &str, to: &str) -> Self {
        self.setting("ssl_min_protocol_version", from).setting("ssl_max_protocol_version", to)
    }

    /// The suites of TLS 1.2, as OpenSSL spells them.
    pub(crate) fn ciphers(self, list: &str) -> Self {
        self.setting("ssl_ciphers", list)
    }

    /// Client certificates are asked for and must lead to a root of `pem`; a line of [`Setup::hba`] may demand one.
    pub(crate) fn client_roots(mut self, pem: String) -> Self {
        self.files.push(("clients.crt", pem));
        self.setting("ssl_ca_file", "clients.crt")
    }

    /// These certificates of clients are revoked: a CRL in PEM for each CA.
    pub(crate) fn client_crl(mut self, pem: String) -> Self {
        self.files.push(("clients.crl", pem));
        self.setting("ssl_crl_file", "clients.crl")
    }

    /// A standby that waits for a primary that never comes. It has the one role `postgres`, since it replays nothing.
    pub(crate) fn standby(mut self) -> Self {
        self.files.push(("standby.signal", String::new()));
        // A standby needs as much as its primary had (Hot Standby, Administrator's Overview).
        self.setting("max_connections", "100")
            .setting("max_wal_senders", "10")
            .setting("wal_level", "replica")
    }

    /// A line of `pg_hba.conf`, in their order and before those of [`Setup::trusted`].
    pub(crate) fn hba(mut self, line: &str) -> Self {
        writeln!(self.hba, "{line}").unwrap();
        self
    }

    /// A role that logs in with this password.
    pub(crate) fn user(mut self, name: &str, password: &str) -> Self {
        writeln!(self.roles, "CREATE ROLE \"{name}\" LOGIN PASSWORD '{}';", password.replace('\'', "''"))
            .unwrap();
        self
    }

    /// Any statements of SQL that the superuser runs, one after the other, once the server is up.
    pub(crate) fn sql(mut self, statements: &str) -> Self {
        writeln!(self.roles, "{statements}").unwrap();
        self
    }

    /// A role that is let in without a password.
    pub(crate) fn trusted(mut self, name: &str) -> Self {
        writeln!(self.roles, "CREATE ROLE \"{name}\" LOGIN;").unwrap();
        writeln!(self.trusted, "host all \"{name}\" all trust").unwrap();
        self
    }

    /// Any other line of `postgresql.conf`.
    pub(crate) fn setting(mut self, name: &str, value: &str) -> Self {
        writeln!(self.settings, "{name} = '{}'", value.replace('\'', "''")).unwrap();
        self
    }

    /// Starts the server and waits until it answers.
    pub(crate) fn start(&self) -> Postgres {
        let server = on_free_port(|port| self.start_on(port).map(|service| Postgres { service, port }));
        if !self.roles.is_empty() {
            server.execute(&self.roles);
        }
        server
    }

    fn start_on(&self, port: u16) -> Result<Service, String> {
        let installation = Installation::of(self.version);
        let home = Home::new();
        let data = home.join("data");
        copy(installation.template(), &data);
        let sockets = home.path().display();
        home.write(
            "data/postgresql.conf",
            format!(
                "listen_addresses = '127.0.0.1,::1'\nport = {port}\nunix_socket_directories = '{sockets}'\n\
                 fsync = off\nmax_connections = 50\nshared_buffers = 8MB\nwal_level = minimal\nmax_wal_senders = 0\n\
                 log_connections = on\nlog_line_prefix = '%m [%p] %u '\nlog_timezone = 'UTC'\n{}",
                self.settings
            ),
        );
        home.write(
            "data/pg_hba.conf",
            format!("local all postgres trust\n{}{}host all all all scram-sha-256\n", self.hba, self.trusted),
        );
        for (name, content) in &self.files {
            home.write(&format!("data/{name}"), content);
        }
        let user = ServerUser::for_owner_of(&home);
        user.take(&home);
        let command =
            user.command([&installation.program("postgres"), "-D", data.to_str().expect("a path in UTF-8")]);
        Service::start(home, &command, |home, log| {
            // A server that finds one of its two addresses taken goes on with the other; "No such file" is setpriv's.
            if ["Address already in use", "FATAL:", "No such file"]
                .iter()
                .any(|trouble| log.contains(trouble))
            {
                return Startup::Failed;
            }
            // The eighth line of the lock file is the postmaster's state (LOCK_FILE_LINE_PM_STATUS in pidfile.h).
            let lock = fs::read_to_string(home.join("data/postmaster.pid")).unwrap_or_default();
            match lock.lines().nth(7).map(str::trim) {
                Some("ready") => Startup::Ready,
                _ => Startup::Pending,
            }
        })
    }
}

/// Where a version of PostgreSQL lies.
pub(crate) struct Installation {
    version: u8,
    directory: PathBuf,
}

impl Installation {
    /// The installation of a major version, 15 of Debian's package or 18 as `tests/run` unpacks it; without it the test
    /// fails and says what brings it.
    pub(crate) fn of(version: u8) -> Self {
        let (directory, remedy) = match version {
            15 => (PathBuf::from("/usr/lib/postgresql/15"), "apt-get install postgresql-15"),
            18 => (build_directory().join("pg18"), "tests/run setup"),
            _ => panic!("the tests have PostgreSQL 15 and 18, not {version}"),
        };
        // The link is followed so that servers need no access to this checkout.
        let directory = directory.canonicalize().unwrap_or(directory);
        assert!(
            directory.join("bin/postgres").exists(),
            "PostgreSQL {version} is missing at {}; install it with: {remedy}",
            directory.display()
        );
        Self { version, directory }
    }

    /// The shared libraries, libpq among them.
    pub(crate) fn libraries(&self) -> PathBuf {
        self.directory.join("lib")
    }

    fn program(&self, name: &str) -> String {
        self.directory.join("bin").join(name).to_str().expect("a path in UTF-8").to_owned()
    }

    /// A fresh data directory of this version to copy from, kept under the build directory.
    fn template(&self) -> &'static Path {
        static POSTGRES_15: LazyLock<PathBuf> = LazyLock::new(|| Installation::of(15).make_template());
        static POSTGRES_18: LazyLock<PathBuf> = LazyLock::new(|| Installation::of(18).make_template());
        if self.version == 15 { &POSTGRES_15 } else { &POSTGRES_18 }
    }

    fn make_template(&self) -> PathBuf {
        let home = Home::new();
        // The files belong to the user that servers run as, which depends on who runs the tests.
        let kept = build_directory().join(format!("tmp/postgres-{}-data-for-{}", self.version, home.owner()));
        if kept.exists() {
            return kept;
        }
        let user = ServerUser::for_owner_of(&home);
        user.take(&home);
        let data = home.join("data");
        let command = user.command([
            &self.program("initdb"),
            "--no-sync",
            "--wal-segsize=1",
            "--encoding=UTF8",
            "--locale=C",
            "--auth=trust",
            "--username=postgres",
            "--pgdata",
            data.to_str().expect("a path in UTF-8"),
        ]);
        let output = home.command(&command[0]).args(&command[1..]).output().expect("initdb runs");
        assert!(output.status.success(), "initdb: {}", String::from_utf8_lossy(&output.stderr));
        // Another process may do the same at this moment: whoever renames first wins, and both directories are alike.
        let built = kept.with_extension(std::process::id().to_string());
        copy(&data, &built);
        if fs::rename(&built, &kept).is_err() {
            fs::remove_dir_all(&built).expect("the second template goes");
        }
        kept
    }
}

/// The directory cargo builds in.
pub(crate) fn build_directory() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("a directory above target/tmp").to_owned()
}

/// Copies a directory with owners and modes.
fn copy(from: &Path, to: &Path) {
    let status = std::process::Command::new("cp")
        .args(["--archive", "--reflink=auto", "--no-target-directory"])
        .args([from, to])
        .stdin(Stdio::null())
        .status()
        .expect("cp runs");
    assert!(status.success(), "cp of {}", from.display());
}
