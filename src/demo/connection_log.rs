//! What clients did, for tests and for whoever wants to know what a client tells a server before it trusts it.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Connections remembered, and messages of each.
const MOST_REMEMBERED: usize = 1000;
/// How long to wait for clients that are about to go.
const CLOSING_TIMEOUT: Duration = Duration::from_secs(2);

/// What one client did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectionRecord {
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

/// The record of one connection, being written.
#[derive(Clone, Default)]
pub(super) struct Recorder(Arc<Mutex<ConnectionRecord>>);

impl Recorder {
    pub(super) fn note(&self, change: impl FnOnce(&mut ConnectionRecord)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// A message after the start-up message.
    pub(super) fn message(&self, kind: u8) {
        self.note(|record| {
            if record.messages.len() < MOST_REMEMBERED {
                record.messages.push(kind);
            }
        });
    }

    /// Whether TLS began at once.
    pub(super) fn is_direct(&self) -> bool {
        self.copy().direct
    }

    fn copy(&self) -> ConnectionRecord {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// All connections, and how many are still open.
#[derive(Default)]
pub(super) struct ConnectionLog {
    connections: Mutex<(VecDeque<Recorder>, usize)>,
    left: Condvar,
}

impl ConnectionLog {
    /// A client has come.
    pub(super) fn open(&self) -> Recorder {
        let record = Recorder::default();
        let mut connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        if connections.0.len() == MOST_REMEMBERED {
            connections.0.pop_front();
        }
        connections.0.push_back(record.clone());
        connections.1 += 1;
        record
    }

    /// A client has gone.
    pub(super) fn close(&self) {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner).1 -= 1;
        self.left.notify_all();
    }

    /// All connections so far; waits a little for those still open.
    pub(super) fn connections(&self) -> Vec<ConnectionRecord> {
        let connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        let (connections, _) = self
            .left
            .wait_timeout_while(connections, CLOSING_TIMEOUT, |(_, open)| *open > 0)
            .unwrap_or_else(PoisonError::into_inner);
        connections.0.iter().map(Recorder::copy).collect()
    }
}
