//! Whoever watches a probe: told what it waits for, while it lasts.

use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::stage::Stage;

/// Is told what a probe waits for.
pub trait Observer: Sync {
    /// A wait begins; it takes the place of the one before.
    fn waits(&self, wait: Wait);

    /// Nothing is waited for any more.
    fn ended(&self);
}

/// Something that takes time.
#[derive(Clone, Debug)]
pub struct Wait {
    /// The stage.
    pub stage: Stage,
    /// For whom.
    pub target: Awaited,
    /// Since when.
    pub since: Instant,
    /// How long at most.
    pub limit: Duration,
}

/// Who is waited for. Words are made where somebody reads them.
#[derive(Clone, Debug)]
pub enum Awaited {
    /// What the system's resolver has for a name.
    Name(String),
    /// A server.
    Server(SocketAddr),
}

impl fmt::Display for Awaited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Server(address) => address.fmt(f),
        }
    }
}

impl Wait {
    /// A wait that begins now.
    pub(super) fn now(stage: Stage, target: Awaited, limit: Duration) -> Self {
        Self { stage, target, since: Instant::now(), limit }
    }
}

/// Nobody.
impl Observer for () {
    fn waits(&self, _: Wait) {}

    fn ended(&self) {}
}
