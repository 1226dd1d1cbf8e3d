//! One situation: what is connected to, by which string, and what is to come of it.

use super::servers::Server;
use crate::support::parity::{Client, Outcome, Reason};
use crate::support::scripted_server::{ConnectionRecord, Tls};
use pgtls_check::diagnose::Code;

/// The name that the certificates of all servers are for, beside `localhost`, 127.0.0.1 and ::1. Nothing resolves it.
pub(super) const NAME: &str = "db.example";

/// What most cases add to.
pub(super) const USUAL: &str = "host=db.example hostaddr=127.0.0.1 port=PORT0 user=open dbname=postgres sslmode=verify-full \
                     sslrootcert=FILES/root.crt";

/// What a case connects to.
pub(super) enum Peer {
    /// A real server, of version 15 as of version 18.
    Server(Server),
    /// A real server of this version.
    Version(Server, u8),
    /// PgBouncer before a real server of version 18.
    Pooler,
    /// The recording server.
    ScriptedServer(Tls),
    /// A port that nobody listens on.
    Closed,
}

/// One situation and what libpq makes of it.
pub(super) struct Case {
    pub(super) name: String,
    pub(super) peers: Vec<Peer>,
    /// With placeholders: `PORT0`, `PORT1`, … of the peers, `FILES` and `DIR`, the directories of shared and own files,
    /// `SOCKETS`, where the first server has its socket.
    pub(super) conninfo: String,
    pub(super) environment: Vec<(&'static str, String)>,
    pub(super) files: Vec<(&'static str, String, u32)>,
    pub(super) expected: Outcome,
    pub(super) code: Option<&'static Code>,
    /// Libpq 15 does not know an option of it.
    pub(super) newer: bool,
    /// The index of the peer where it ends.
    pub(super) reaches: Option<usize>,
    pub(super) version: Option<&'static str>,
    pub(super) sends: Vec<(&'static str, &'static str)>,
    pub(super) withholds: Vec<&'static str>,
    pub(super) logs: Option<&'static str>,
    pub(super) names: &'static [&'static str],
    pub(super) record: Option<fn(Client, &ConnectionRecord) -> bool>,
}

impl Case {
    fn of(name: impl Into<String>, peer: Peer) -> Self {
        Self {
            name: name.into(),
            peers: vec![peer],
            conninfo: USUAL.to_owned(),
            environment: Vec::new(),
            files: Vec::new(),
            expected: Outcome::Accepted,
            code: None,
            newer: false,
            reaches: None,
            version: None,
            sends: Vec::new(),
            withholds: Vec::new(),
            logs: None,
            names: &[],
            record: None,
        }
    }

    /// To this server of both versions, with everything verified.
    pub(super) fn at(server: Server, name: impl Into<String>) -> Self {
        Self::of(name, Peer::Server(server))
    }

    /// To this server of one version.
    pub(super) fn at_version(server: Server, version: u8, name: impl Into<String>) -> Self {
        Self::of(name, Peer::Version(server, version))
    }

    /// To the pooler.
    pub(super) fn at_pooler(name: impl Into<String>) -> Self {
        Self::of(name, Peer::Pooler)
    }

    /// To a recording server with the usual certificate.
    pub(super) fn on_stage(tls: Tls, name: impl Into<String>) -> Self {
        Self::of(name, Peer::ScriptedServer(tls))
    }

    /// To several, with this string.
    pub(super) fn among<const N: usize>(peers: [Peer; N], conninfo: &str, name: impl Into<String>) -> Self {
        let mut case = Self::of(name, Peer::Closed);
        case.peers = Vec::from(peers);
        case.conninfo = conninfo.to_owned();
        case
    }

    /// With these settings behind the usual ones, which they override.
    pub(super) fn with(mut self, settings: &str) -> Self {
        self.conninfo.push(' ');
        self.conninfo.push_str(settings);
        self
    }

    /// With this string and nothing of the usual one.
    pub(super) fn instead(mut self, conninfo: &str) -> Self {
        self.conninfo = conninfo.to_owned();
        self
    }

    /// With this variable set.
    pub(super) fn env(mut self, name: &'static str, value: &str) -> Self {
        self.environment.push((name, value.to_owned()));
        self
    }

    /// With this file in its home, readable by the owner only. The same placeholders count in it.
    pub(super) fn file(self, path: &'static str, content: impl Into<String>) -> Self {
        self.file_of_mode(path, content, 0o600)
    }

    pub(super) fn file_of_mode(mut self, path: &'static str, content: impl Into<String>, mode: u32) -> Self {
        self.files.push((path, content.into(), mode));
        self
    }

    /// Has an option that libpq 15 does not know.
    pub(super) fn newer(mut self) -> Self {
        self.newer = true;
        self
    }

    pub(super) fn refused(self, reason: Reason) -> Self {
        self.expects(Outcome::Refused(reason))
    }

    pub(super) fn plaintext(self, reason: Reason) -> Self {
        self.expects(Outcome::Plaintext(reason))
    }

    pub(super) fn expects(mut self, outcome: Outcome) -> Self {
        self.expected = outcome;
        self
    }

    /// The program's diagnosis is this one precisely.
    pub(super) fn code(mut self, code: &'static Code) -> Self {
        self.code = Some(code);
        self
    }

    /// It ends at this one of its peers.
    pub(super) fn reaches(mut self, peer: usize) -> Self {
        self.reaches = Some(peer);
        self
    }

    /// The session has this version of TLS.
    pub(super) fn speaks(mut self, version: &'static str) -> Self {
        self.version = Some(version);
        self
    }

    /// The StartupMessage has this parameter.
    pub(super) fn sends(mut self, name: &'static str, value: &'static str) -> Self {
        self.sends.push((name, value));
        self
    }

    /// The StartupMessage lacks this parameter.
    pub(super) fn withholds(mut self, name: &'static str) -> Self {
        self.withholds.push(name);
        self
    }

    /// The server's log has this anew.
    pub(super) fn logs(mut self, text: &'static str) -> Self {
        self.logs = Some(text);
        self
    }

    /// The program exits 2, and its diagnosis holds these texts.
    pub(super) fn names(mut self, texts: &'static [&'static str]) -> Self {
        self.names = texts;
        self
    }

    /// Something that holds for each connection to the scripted server by this client.
    pub(super) fn connections(mut self, holds: fn(Client, &ConnectionRecord) -> bool) -> Self {
        self.record = Some(holds);
        self
    }

    pub(super) fn verifies(&self) -> bool {
        self.conninfo.rsplit_once("sslmode=").is_some_and(|(_, mode)| mode.starts_with("verify-"))
    }
}
