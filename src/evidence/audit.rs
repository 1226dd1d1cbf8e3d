//! What `audit` saw a server accept, offer by offer.

use std::time::Duration;

use super::{PlaintextAnswer, ServerMessage};
use crate::conninfo::TlsVersion;

/// User and database of the question in plaintext. Everybody on the way can read it, so nothing of the person's is in it:
/// the user is nobody's, the database is one that every cluster has.
pub const STRANGER: (&str, &str) = ("pgtls-check", "postgres");

/// What a server accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audit {
    /// TLS after SSLRequest.
    pub ssl_request: Accepts,
    /// TLS at once (PostgreSQL 17).
    pub direct: Accepts,
    /// The protocol versions, newest first.
    pub versions: Vec<Version>,
    /// The key-exchange groups in the newest version that is accepted.
    pub groups: Option<(TlsVersion, Found)>,
    /// What a start-up message without TLS met with; `None` where it was not sent.
    pub plaintext: Option<PlaintextAnswer>,
    /// The policy that the server is to meet, if one was named.
    pub profile: Option<Profile>,
    /// Connections made.
    pub connections: usize,
    /// Time taken.
    pub took: Duration,
}

/// A policy that a server is to meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// What Azure documents for its servers.
    Azure,
    /// Mozilla's modern profile: TLS 1.3 alone.
    Modern,
    /// Mozilla's intermediate profile: TLS 1.2 with forward secrecy and AEAD, and 1.3.
    Intermediate,
}

impl Profile {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Azure, Self::Modern, Self::Intermediate];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Azure => "azure",
            Self::Modern => "modern",
            Self::Intermediate => "intermediate",
        }
    }
}

/// Whether something is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepts {
    /// It is.
    Yes,
    /// It was refused.
    No,
    /// The answer tells neither: silence, the end of the connection, an error of another kind, the limit.
    Unknown,
}

/// A protocol version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Which.
    pub version: TlsVersion,
    /// Whether it is accepted.
    pub accepted: Accepts,
    /// Its cipher suites, where it is.
    pub suites: Found,
}

/// What elimination found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Numbers, in the order of [`SUITES`](crate::iana::SUITES) or [`GROUPS`](crate::iana::GROUPS).
    pub accepted: Vec<u16>,
    /// Whether the server refused all the rest; otherwise silence, an error or a limit ended the search.
    pub complete: bool,
}

impl Audit {
    /// The accepted versions that are obsolete (RFC 8996), oldest first.
    pub fn legacy(&self) -> Vec<TlsVersion> {
        let old =
            |version: &&Version| version.version < TlsVersion::Tls12 && version.accepted == Accepts::Yes;
        self.versions.iter().rev().filter(old).map(|version| version.version).collect()
    }

    /// Whether it logged a stranger in without TLS; otherwise it requests a password there.
    pub fn logs_in_without_tls(&self) -> bool {
        match &self.plaintext {
            Some(PlaintextAnswer::Admitted) => true,
            Some(PlaintextAnswer::Refused(message)) => is_unknown_role(message),
            _ => false,
        }
    }

    /// Whether the server serves, or would serve after a password, who comes without TLS.
    pub fn plaintext_accepted(&self) -> Accepts {
        match &self.plaintext {
            Some(answer) if answer.goes_on() => Accepts::Yes,
            Some(PlaintextAnswer::Refused(message)) if is_unknown_role(message) => Accepts::Yes,
            // Classes 28 and 08: PostgreSQL's "no pg_hba.conf entry", PgBouncer's "SSL required".
            Some(PlaintextAnswer::Refused(message))
                if message.sqlstate.starts_with("28") || message.sqlstate.starts_with("08") =>
            {
                Accepts::No
            }
            Some(_) | None => Accepts::Unknown,
        }
    }
}

/// Whether the server found nothing wrong but the made-up user: pg_hba.conf let it in (method trust), and only then its role
/// was looked up (InitializeSessionUserId in miscinit.c). Both errors have SQLSTATE 28000; the file's name is in the other
/// one, whatever the language.
fn is_unknown_role(message: &ServerMessage) -> bool {
    message.sqlstate == "28000"
        && message.message.contains(STRANGER.0)
        && !message.message.contains("pg_hba.conf")
}
