//! What to try and with which limits: settings and files turned into a task for [`probe`](crate::probe).

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::conninfo::Settings;
use crate::evidence::Scope;
use crate::stage::Stage;
use crate::timestamp::Timestamp;
use crate::trust::Trust;

/// The limit of one address where `connect_timeout` sets none (libpq would wait for ever).
pub const DEFAULT_ADDRESS_LIMIT: Duration = Duration::from_secs(10);

/// One target, ready to be probed.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The merged settings.
    pub settings: Settings,
    /// What was read from files.
    pub trust: Trust,
    /// Wall-clock time of the start.
    pub started: Timestamp,
    /// The time for which certificates are judged.
    pub judged_at: Timestamp,
    /// How far to go.
    pub scope: Scope,
    /// Whether extra connections may be made after a failure, to tell its causes apart.
    pub second_looks: bool,
    /// `--timeout`: the limit of the whole target.
    pub total_limit: Option<Duration>,
    /// The one host of the list to be tried, by its place; all of them if `None`.
    pub only_host: Option<usize>,
    /// Where the probe tells what it waits for.
    pub progress: Progress,
}

impl Plan {
    /// The limit of one address: `connect_timeout`, else [`DEFAULT_ADDRESS_LIMIT`]. Resolving a name has the same.
    pub fn address_limit(&self) -> Duration {
        self.settings.connect_timeout.unwrap_or(DEFAULT_ADDRESS_LIMIT)
    }
}

/// What a check is waiting for, told while it lasts; cheap to clone, and all clones are the same cell.
#[derive(Clone, Debug, Default)]
pub struct Progress(Rc<RefCell<Option<Wait>>>);

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

impl Progress {
    /// A wait begins and takes the place of the one before.
    pub fn begin(&self, stage: Stage, target: impl Into<String>, limit: Duration) {
        *self.0.borrow_mut() = Some(Wait { stage, target: target.into(), since: Instant::now(), limit });
    }

    /// Nothing is waited for.
    pub fn end(&self) {
        *self.0.borrow_mut() = None;
    }

    /// What is waited for now.
    pub fn now(&self) -> Option<Wait> {
        self.0.borrow().clone()
    }
}
