//! The same chain, name, root file and CRLs to psql with libpq 15, to psql with libpq 18 and to the program: whether
//! they accept it agrees in every case, and so does the kind of reason where they refuse it.
//!
//! Each case says what libpq 15 on OpenSSL 3 at security level 2 (Debian's and Ubuntu's) makes of it; [`KNOWN`] lists
//! where another client differs, and why. An entry there that no longer differs fails the suite.

mod algorithms;
mod authorities;
mod clients;
mod constraints;
mod known;
mod names;
mod paths;
mod revocation;
mod root_files;
mod servers;

use crate::support::home::Home;
use crate::support::odd_pki::{Draft, Issued, Key};
pub(crate) use crate::support::parity::{Client, Outcome, Reason, reasons_of};
use crate::support::parity::{Expected, assert_all, assert_names, judge};
use crate::support::scripted_server::{ScriptedServer, Tls};
use clients::{connection_string, server_name};
use known::KNOWN;
use pgtls_check::diagnose::Code;

/// The host most cases connect to.
pub(crate) const HOST: &str = "pgtls.test";

/// One situation and what libpq 15 makes of it.
pub(crate) struct Case {
    name: String,
    chain: Vec<Vec<u8>>,
    key: Key,
    tls: Tls,
    host: Option<String>,
    mode: &'static str,
    /// Further settings; `DIR` stands for the case's directory.
    settings: String,
    files: Vec<(String, File)>,
    expected: Outcome,
    /// The program's diagnosis, where the kind of reason leaves several.
    code: Option<&'static Code>,
}

enum File {
    Content(Vec<u8>),
    Directory,
    Link(&'static str),
}

impl Case {
    /// A server that presents this chain, asked for as [`HOST`] under verify-full, without a root file.
    pub(crate) fn new(name: impl Into<String>, chain: &[&Issued]) -> Self {
        Self {
            name: name.into(),
            chain: chain.iter().map(|certificate| certificate.der.clone()).collect(),
            key: chain[0].key.clone(),
            tls: Tls::default(),
            host: Some(HOST.to_owned()),
            mode: "verify-full",
            settings: String::new(),
            files: Vec::new(),
            expected: Outcome::Accepted,
            code: None,
        }
    }

    /// With a root file of these certificates.
    pub(crate) fn root(self, certificates: &[&Issued]) -> Self {
        let text: String = certificates.iter().map(|certificate| certificate.pem()).collect();
        self.root_file(text)
    }

    /// With a root file of this content.
    pub(crate) fn root_file(self, content: impl Into<Vec<u8>>) -> Self {
        self.file("root.crt", content).settings("sslrootcert=DIR/root.crt")
    }

    pub(crate) fn file(mut self, path: impl Into<String>, content: impl Into<Vec<u8>>) -> Self {
        self.files.push((path.into(), File::Content(content.into())));
        self
    }

    pub(crate) fn directory(mut self, path: &str) -> Self {
        self.files.push((path.to_owned(), File::Directory));
        self
    }

    pub(crate) fn link(mut self, path: &str, target: &'static str) -> Self {
        self.files.push((path.to_owned(), File::Link(target)));
        self
    }

    pub(crate) fn settings(mut self, settings: &str) -> Self {
        self.settings.push(' ');
        self.settings.push_str(settings);
        self
    }

    pub(crate) fn host(mut self, host: &str) -> Self {
        self.host = Some(host.to_owned());
        self
    }

    pub(crate) fn no_host(mut self) -> Self {
        self.host = None;
        self
    }

    pub(crate) fn mode(mut self, mode: &'static str) -> Self {
        self.mode = mode;
        self
    }

    pub(crate) fn tls(mut self, tls: Tls) -> Self {
        self.tls = tls;
        self
    }

    /// Presented by a server that does not look at its certificates (they may be no certificates at all).
    pub(crate) fn blind(mut self) -> Self {
        self.tls.blind = true;
        self
    }

    /// With these bytes in the place of the certificate at this index of the chain.
    pub(crate) fn raw(mut self, index: usize, der: Vec<u8>) -> Self {
        self.chain[index] = der;
        self.blind()
    }

    /// From a server that holds this key, which need not be its certificate's.
    pub(crate) fn held_by(mut self, key: Key) -> Self {
        self.key = key;
        self.blind()
    }

    pub(crate) fn accepted(self) -> Self {
        self.expects(Outcome::Accepted)
    }

    pub(crate) fn refused(self, reason: Reason) -> Self {
        self.expects(Outcome::Refused(reason))
    }

    /// Refused, and for this reason precisely.
    pub(crate) fn diagnosed(mut self, code: &'static Code) -> Self {
        self.code = Some(code);
        let reason = reasons_of(code)[0];
        self.refused(reason)
    }

    pub(crate) fn expects(mut self, outcome: Outcome) -> Self {
        self.expected = outcome;
        self
    }
}

/// The usual cast: a root, a CA under it, a server under that.
pub(crate) fn usual_root() -> Draft {
    Draft::authority("Parity Root")
}

pub(crate) fn usual_ca() -> Draft {
    Draft::authority("Parity CA")
}

pub(crate) fn usual_server() -> Draft {
    Draft::server(HOST)
}

/// The usual situation with one change each to server, CA and root.
pub(crate) fn changed(
    name: impl Into<String>,
    server: impl FnOnce(Draft) -> Draft,
    ca: impl FnOnce(Draft) -> Draft,
    root: impl FnOnce(Draft) -> Draft,
) -> Case {
    let root = root(usual_root()).self_signed();
    let ca = ca(usual_ca()).signed_by(&root);
    let server = server(usual_server()).signed_by(&ca);
    Case::new(name, &[&server, &ca]).root(&[&root])
}

pub(crate) fn on_server(name: impl Into<String>, change: impl FnOnce(Draft) -> Draft) -> Case {
    changed(name, change, |ca| ca, |root| root)
}

pub(crate) fn on_ca(name: impl Into<String>, change: impl FnOnce(Draft) -> Draft) -> Case {
    changed(name, |server| server, change, |root| root)
}

pub(crate) fn on_root(name: impl Into<String>, change: impl FnOnce(Draft) -> Draft) -> Case {
    changed(name, |server| server, |ca| ca, change)
}

#[test]
fn chains_names_roots_and_crls_are_judged_as_libpq_judges_them() {
    let mut cases = Vec::new();
    cases.extend(servers::cases());
    cases.extend(authorities::cases());
    cases.extend(paths::cases());
    cases.extend(constraints::cases());
    cases.extend(algorithms::cases());
    cases.extend(names::cases());
    cases.extend(root_files::cases());
    cases.extend(revocation::cases());
    let names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    assert_names(&names, KNOWN);
    assert!(cases.len() >= 250, "only {} cases", cases.len());
    assert_all(&cases, |case| &case.name, run);
}

/// Runs one case through all clients; a line for each that did not do what it should.
fn run(case: &Case) -> Vec<String> {
    let home = prepare(case);
    let scripted = ScriptedServer::start(&case.chain, &case.key, &case.tls);
    let conninfo = connection_string(case, home.path(), scripted.address.port());
    let expected = Expected { outcome: &case.expected, code: case.code };
    let mut failures = Vec::new();
    for client in Client::ALL {
        let answer = client.connect(&home, &conninfo, &[], &expected);
        let connections = scripted.connections();
        let mut fails = |text: String| failures.push(format!("{client:?} | {text}"));
        if let Some(text) = judge(client, &case.name, &case.expected, &answer, KNOWN) {
            fails(text);
        }
        if matches!(answer.outcome, Outcome::Refused(_))
            && connections.iter().any(|record| record.startup.is_some())
        {
            fails("nothing told to a server that is refused | a start-up message".to_owned());
        }
        if answer.outcome == Outcome::Accepted {
            for record in &connections {
                let wanted = case.host.as_deref().and_then(|host| server_name(client, host));
                if record.sni.as_deref() != wanted {
                    fails(format!("the server name {wanted:?} | {:?}", record.sni));
                }
                let offers = client != Client::Libpq15;
                if record.alpn != offers {
                    fails(format!("ALPN offered: {offers} | {}", record.alpn));
                }
            }
        }
    }
    failures
}

fn prepare(case: &Case) -> Home {
    let home = Home::new();
    for (path, file) in &case.files {
        match file {
            File::Content(content) => drop(home.write(path, content)),
            File::Directory => std::fs::create_dir_all(home.join(path)).unwrap(),
            File::Link(target) => std::os::unix::fs::symlink(target, home.join(path)).unwrap(),
        }
    }
    home
}
