//! The clients that are compared: how each is run and how its answer is read.

use super::{Case, Outcome, Reason};
use crate::support::stage::{Stage, Visit};
use rustls::pki_types::DnsName;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const PSQL: &str = "/usr/lib/postgresql/15/bin/psql";

/// Where `tests/run` puts libpq 18.
fn libpq_18() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("pg18/lib")
}

/// Fails, and says what to do, where something to compare with is missing.
pub fn assert_installed() {
    assert!(Path::new(PSQL).exists(), "{PSQL} is missing: apt-get install postgresql-15");
    let libraries = libpq_18();
    assert!(
        libraries.join("libpq.so.5").exists(),
        "libpq 18 is missing at {}; install it with: tests/run setup",
        libraries.display()
    );
}

/// The clients that are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// psql on the libpq of its own package.
    Libpq15,
    /// The same psql on the newer library.
    Libpq18,
    /// pgtls-check.
    Program,
}

/// How one connection ended.
pub struct Answer {
    pub outcome: Outcome,
    /// What the server saw of it.
    pub visits: Vec<Visit>,
    /// The client's own words, for people.
    pub said: String,
}

impl Client {
    pub const ALL: [Client; 3] = [Client::Libpq15, Client::Libpq18, Client::Program];

    /// Lets this client connect.
    pub fn connect(self, case: &Case, directory: &Path, stage: &Stage) -> Answer {
        let connection = connection_string(case, directory, stage.address.port());
        match self {
            Client::Libpq15 | Client::Libpq18 => self.psql(case, directory, &connection, stage),
            Client::Program => program(case, directory, &connection, stage),
        }
    }

    /// The name that this client asks for in its ClientHello when it connects to `host` (libpq, initialize_SSL).
    pub fn server_name(self, host: &str) -> Option<&str> {
        if host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') || host.contains(':') {
            return None;
        }
        match self {
            Client::Libpq15 | Client::Libpq18 => Some(host),
            // rustls sends only what is a name for DNS, and that without a final dot.
            Client::Program => DnsName::try_from(host).ok().map(|_| host.strip_suffix('.').unwrap_or(host)),
        }
    }

    fn psql(self, case: &Case, directory: &Path, connection: &str, stage: &Stage) -> Answer {
        let mut command = command(PSQL, directory);
        if self == Client::Libpq18 {
            command.env("LD_LIBRARY_PATH", libpq_18());
        }
        let output = command.args(["-X", "-w", "-At", "-c", "select true", connection]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).trim().replace('\n', " / ");
        let visits = stage.visits();
        let outcome = if output.status.success() {
            match visits.iter().rev().find_map(|visit| visit.startup.as_ref()) {
                Some((_, true)) => Outcome::Accepted,
                // psql does not say then why TLS failed.
                _ => match case.expected {
                    Outcome::Plaintext(reason) => Outcome::Plaintext(reason),
                    _ => Outcome::Other("connected in plaintext".to_owned()),
                },
            }
        } else {
            reason_of_psql(&said).map_or_else(|| Outcome::Other(said.clone()), Outcome::Refused)
        };
        Answer { outcome, visits, said }
    }
}

fn connection_string(case: &Case, directory: &Path, port: u16) -> String {
    let mut text =
        format!("hostaddr=127.0.0.1 port={port} user=someone dbname=somewhere sslmode={}", case.mode);
    if let Some(host) = &case.host {
        let quoted = host.replace('\\', "\\\\").replace('\'', "\\'");
        write!(text, " host='{quoted}'").unwrap();
    }
    text + &case.settings.replace("DIR", directory.to_str().unwrap())
}

/// A command without any of this process's environment, at home in the case's directory.
fn command(program: impl AsRef<Path>, directory: &Path) -> Command {
    let mut command = Command::new(program.as_ref());
    command
        .env_clear()
        .env("HOME", directory.join("home"))
        .env("LC_ALL", "C.UTF-8")
        .env("PATH", "/usr/bin:/bin");
    command.current_dir(directory).stdin(Stdio::null());
    command
}

/// What kind of reason psql's message gives.
fn reason_of_psql(said: &str) -> Option<Reason> {
    const TEXTS: &[(&str, Reason)] = &[
        ("does not match host name", Reason::Name),
        ("could not get server's host name", Reason::Name),
        ("contains embedded null", Reason::BrokenName),
        ("contains IP address with invalid length", Reason::BrokenName),
        ("root certificate file", Reason::RootFile),
        ("host name must be specified", Reason::Settings),
        ("certificate verify failed", Reason::Chain),
        // libpq shows the first error of OpenSSL's queue. A wrong signature leaves its own before the verdict's, ...
        ("SSL error: EVP lib", Reason::Chain),
        ("SSL error: invalid padding", Reason::Chain),
        ("SSL error: first octet invalid", Reason::Chain),
        ("SSL error: last octet invalid", Reason::Chain),
        ("SSL error: salt length recovery failed", Reason::Chain),
        ("SSL error: data too large for modulus", Reason::Chain),
        // ... a file of the CRL directory without PEM one of the PEM reader (OpenSSL 1.1), ...
        ("SSL error: no start line", Reason::Chain),
        // ... an extension that cannot be decoded or comes twice this one, ...
        ("SSL error: invalid certificate", Reason::Malformed),
        // ... and what is no DER one of the ASN.1 reader.
        ("SSL error: cert length mismatch", Reason::Malformed),
        ("SSL error: header too long", Reason::Malformed),
        ("SSL error: illegal padding", Reason::Malformed),
        ("SSL error: illegal zero content", Reason::Malformed),
        ("SSL error: too long", Reason::Malformed),
        ("SSL error: too small", Reason::Malformed),
        ("SSL error: wrong tag", Reason::Malformed),
        ("SSL error", Reason::Handshake),
    ];
    TEXTS.iter().find(|(text, _)| said.contains(text)).map(|(_, reason)| *reason)
}

fn program(case: &Case, directory: &Path, connection: &str, stage: &Stage) -> Answer {
    let mut command = command(env!("CARGO_BIN_EXE_pgtls-check"), directory);
    let output = command.args(["--format", "json", "--no-try", connection]).output().unwrap();
    let visits = stage.visits();
    let said = String::from_utf8_lossy(&output.stdout);
    let report: serde_json::Value = serde_json::from_str(said.trim()).unwrap_or_default();
    let code = report["diagnosis"]["code"].as_str();
    let said = format!(
        "{}: {}",
        code.unwrap_or("no diagnosis"),
        report["diagnosis"]["cause"].as_str().unwrap_or("")
    );
    let over_tls = visits.iter().any(|visit| matches!(visit.startup, Some((_, true))));
    let outcome = match (report["verdict"].as_str(), code) {
        (Some("verified"), None) if over_tls => Outcome::Accepted,
        (Some("failed"), Some(code)) if case.code.is_some_and(|wanted| wanted != code) => {
            Outcome::Other(code.to_owned())
        }
        (Some("failed"), Some(code)) => match &case.expected {
            Outcome::Plaintext(reason) if reasons_of(code).contains(reason) => Outcome::Plaintext(*reason),
            Outcome::Refused(reason) if reasons_of(code).contains(reason) => Outcome::Refused(*reason),
            _ => reasons_of(code).first().copied().map_or(Outcome::Other(code.to_owned()), Outcome::Refused),
        },
        _ => Outcome::Other(format!(
            "exit {:?}, {}",
            output.status.code(),
            String::from_utf8_lossy(&output.stderr)
        )),
    };
    Answer { outcome, visits, said }
}

/// The kinds of reason that a diagnosis may stand for.
pub fn reasons_of(code: &str) -> &'static [Reason] {
    match code {
        "hostname-mismatch" => &[Reason::Name, Reason::BrokenName],
        "root-file-missing" | "root-file-unreadable" | "root-file-invalid" => &[Reason::RootFile],
        "certificate-invalid" => &[Reason::Chain, Reason::BrokenName, Reason::Malformed],
        "unknown-issuer"
        | "root-not-in-file"
        | "intermediate-missing"
        | "self-signed"
        | "root-key-changed"
        | "root-file-lacks-root"
        | "root-expired"
        | "tls-inspection"
        | "certificate-expired"
        | "certificate-not-yet-valid"
        | "certificate-revoked"
        | "crl-missing"
        | "crl-invalid"
        | "certificate-weak"
        | "certificate-purpose"
        | "certificate-name-constraints" => &[Reason::Chain],
        "tls-version-unsupported" | "tls-no-shared-cipher" | "tls-protocol-error" | "tls-closed" => {
            &[Reason::Handshake]
        }
        "tls-unsupported-here" => &[Reason::Unsupported],
        "host-required" => &[Reason::Settings],
        "tls-not-requested" => &[Reason::NotRequested],
        _ => &[],
    }
}
