//! What to try and with which limits: settings and files turned into a task for [`probe`](crate::probe).

use std::sync::Arc;
use std::time::Duration;

use crate::conninfo::Settings;
use crate::evidence::{Member, Scope};
use crate::timestamp::Timestamp;
use crate::trust::Trust;

/// The limit of one address where `connect_timeout` sets none (libpq would wait for ever).
pub const DEFAULT_ADDRESS_LIMIT: Duration = Duration::from_secs(10);

/// One target, ready to be probed.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The merged settings.
    pub settings: Settings,
    /// What was read from files, in one memory for all targets of a run that read the same.
    pub trust: Arc<Trust>,
    /// Wall-clock time of the start, for which certificates are judged.
    pub started: Timestamp,
    /// How far to go.
    pub scope: Scope,
    /// Whether extra connections may be made after a failure, to tell its causes apart.
    pub second_looks: bool,
    /// `--timeout`: the limit of the whole target.
    pub total_limit: Option<Duration>,
    /// The one host of the list to be tried, and its address; all of them if `None`.
    pub only: Option<Arc<Member>>,
}

impl Plan {
    /// The limit of one address: `connect_timeout`, else [`DEFAULT_ADDRESS_LIMIT`]. Resolving a name has the same.
    pub fn address_limit(&self) -> Duration {
        self.settings.connect_timeout.unwrap_or(DEFAULT_ADDRESS_LIMIT)
    }
}
