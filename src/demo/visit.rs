//! What clients did, for tests and for whoever wants to know what a client tells a server before it trusts it.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Visits remembered, and messages of each.
const MOST_VISITS: usize = 1000;
/// How long to wait for clients that are about to go.
const PATIENCE: Duration = Duration::from_secs(2);

/// What one client did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Visit {
    /// Everything it sent outside TLS: requests, the ClientHello, a start-up message in plaintext.
    pub clear: Vec<u8>,
    /// Whether it asked for TLS by SSLRequest.
    pub ssl_request: bool,
    /// Whether it began TLS at once.
    pub direct: bool,
    /// The server name of its ClientHello.
    pub server_name: Option<String>,
    /// Whether the handshake was completed.
    pub encrypted: bool,
    /// The fatal alert by which it broke the handshake off: its number (RFC 8446, 6).
    pub alert: Option<u8>,
    /// Its start-up message.
    pub startup: Option<Startup>,
    /// The types of the messages after that, `X` for a polite end.
    pub messages: Vec<u8>,
}

/// A start-up message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Startup {
    /// `user`, `database` and the like, with their values.
    pub parameters: Vec<(String, String)>,
    /// Whether it came over TLS.
    pub encrypted: bool,
}

/// The visit of one connection, being written.
#[derive(Clone, Default)]
pub(super) struct Record(Arc<Mutex<Visit>>);

impl Record {
    pub(super) fn note(&self, change: impl FnOnce(&mut Visit)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// A message after the start-up message.
    pub(super) fn message(&self, kind: u8) {
        self.note(|visit| {
            if visit.messages.len() < MOST_VISITS {
                visit.messages.push(kind);
            }
        });
    }

    /// Whether TLS began at once.
    pub(super) fn is_direct(&self) -> bool {
        self.copy().direct
    }

    fn copy(&self) -> Visit {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// All visits, and how many are still going on.
#[derive(Default)]
pub(super) struct Book {
    visits: Mutex<(VecDeque<Record>, usize)>,
    left: Condvar,
}

impl Book {
    /// A client has come.
    pub(super) fn open(&self) -> Record {
        let record = Record::default();
        let mut visits = self.visits.lock().unwrap_or_else(PoisonError::into_inner);
        if visits.0.len() == MOST_VISITS {
            visits.0.pop_front();
        }
        visits.0.push_back(record.clone());
        visits.1 += 1;
        record
    }

    /// A client has gone.
    pub(super) fn close(&self) {
        self.visits.lock().unwrap_or_else(PoisonError::into_inner).1 -= 1;
        self.left.notify_all();
    }

    /// All visits so far; waits a little for those still going on.
    pub(super) fn visits(&self) -> Vec<Visit> {
        let visits = self.visits.lock().unwrap_or_else(PoisonError::into_inner);
        let (visits, _) = self
            .left
            .wait_timeout_while(visits, PATIENCE, |(_, open)| *open > 0)
            .unwrap_or_else(PoisonError::into_inner);
        visits.0.iter().map(Record::copy).collect()
    }
}
