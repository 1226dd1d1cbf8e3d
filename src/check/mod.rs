//! The engine: checks one target or many, waits and tries again, keeps the order of results and counts them.
//!
//! It prints nothing and reads nothing of the command line: whoever calls it says what holds for all targets
//! ([`Setup`]), gets each [`Outcome`](crate::diagnose::Outcome) as it ends, and may watch what is waited for.

mod as_of;
mod at_hand;
mod audited;
mod descriptors;
mod group;
mod many;
mod one;
mod rehearsed;
mod run;
mod signals;
mod target;
mod waiting;
mod watch;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::clients::dialect::Dialect;
use crate::conninfo::{Environment, Overrides};
use crate::diagnose::Policy;
use crate::evidence::audit::Profile;
use crate::evidence::{Member, Scope, Source};
use crate::runtime;
use crate::secret::Secret;
use crate::timestamp::Timestamp;
use crate::trust::{KeptTrust, SystemStore};

pub use audited::audited;
pub use many::check_all;
pub use one::{Effective, Resolved, check, effective, resolved};
pub use rehearsed::{Rehearsed, served};
pub use run::{Run, higher_exit_status};
pub use signals::{Signals, outlive_signals};
pub use waiting::WaitLimit;
pub use watch::{RunWatcher, Watcher};

/// A target as it was given.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// Its connection string; without one, environment or service say where to go.
    pub text: Option<Secret>,
    /// Where it stood.
    pub source: Source,
    /// The one host and address of it that is meant; all of them if `None`.
    pub member: Option<Arc<Member>>,
}

/// What an audit compares a server with.
#[derive(Clone, Copy, Debug, Default)]
pub struct AuditPolicy {
    /// The policy that the server is to meet, if one was named.
    pub profile: Option<Profile>,
}

/// What is the same for all targets of a run.
#[derive(Debug)]
pub struct Setup {
    /// The surroundings.
    pub environment: Environment,
    /// What is set over every connection string.
    pub overrides: Overrides,
    /// How far to go.
    pub scope: Scope,
    /// Whether further connections may be made after a failure.
    pub may_try: bool,
    /// `--timeout`: the limit of one target in all.
    pub total_limit: Option<Duration>,
    /// `--each`: whether every host and address of a target is one of its own, in a run of many.
    pub each: bool,
    /// `audit`: whether to ask what else each server accepts, in a run of many.
    pub audit: Option<AuditPolicy>,
    /// `--as-of`: another date for which the recorded chain is judged as well.
    pub as_of: Option<Timestamp>,
    /// Which warnings are failures.
    pub policy: Policy,
    /// `--wait`: how long to try again.
    pub wait: Option<WaitLimit>,
    /// `--as`: the driver that reads the strings; `None` where their form says it.
    pub dialect: Option<&'static Dialect>,
    /// What stands in for every server: then nothing is sent, and no name is resolved.
    pub rehearsed: Option<Rehearsed>,
    /// The system's trust store, read once for all targets.
    pub system_store: SystemStore,
    /// What was read of files, for all targets that name the same; while one waits, a file may change.
    pub kept_trust: KeptTrust,
}

impl Setup {
    /// A check in these surroundings without any option.
    pub fn new(environment: Environment) -> Self {
        Self {
            environment,
            overrides: Overrides::default(),
            scope: Scope::default(),
            may_try: true,
            total_limit: None,
            each: false,
            audit: None,
            as_of: None,
            policy: Policy::default(),
            wait: None,
            dialect: None,
            rehearsed: None,
            system_store: SystemStore::default(),
            kept_trust: KeptTrust::default(),
        }
    }
}

/// Runs checks to their end on this thread. A look-up that hangs in the system's resolver has a thread of its own, which
/// nobody waits for.
///
/// # Errors
/// The system gives no means to wait for sockets.
pub fn block_on<T>(checks: impl Future<Output = T>) -> io::Result<T> {
    let runtime = runtime::on_this_thread()?;
    // Where it is: handed on by value it would be on the stack several times.
    let checks = std::pin::pin!(checks);
    let result = tokio::task::LocalSet::new().block_on(&runtime, checks);
    runtime.shutdown_background();
    Ok(result)
}
