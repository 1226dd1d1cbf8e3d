//! Whoever watches a probe: told what it waits for, while it lasts.

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
    /// For whom: a name, or address and port.
    pub target: String,
    /// Since when.
    pub since: Instant,
    /// How long at most.
    pub limit: Duration,
}

impl Wait {
    /// A wait that begins now.
    pub(super) fn now(stage: Stage, target: impl Into<String>, limit: Duration) -> Self {
        Self { stage, target: target.into(), since: Instant::now(), limit }
    }
}

/// Nobody.
impl Observer for () {
    fn waits(&self, _: Wait) {}

    fn ended(&self) {}
}
