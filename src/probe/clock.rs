//! The time since the start of a target's check.

use std::time::Duration;

use tokio::time::Instant;

use crate::evidence::Step;

/// When the check of a target began.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock(Instant);

impl Clock {
    /// It began so long ago.
    pub(super) fn started(ago: Duration) -> Self {
        let now = Instant::now();
        Self(now.checked_sub(ago).unwrap_or(now))
    }

    /// The start itself.
    pub(super) fn start(self) -> Instant {
        self.0
    }

    /// Time since the start.
    pub(super) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }

    /// What began at `start` and ends now.
    pub(super) fn step<T>(self, start: Duration, result: T) -> Step<T> {
        Step { start, took: self.elapsed().saturating_sub(start), result }
    }

    /// The moment `limit` from now, but none after `last`.
    pub(super) fn deadline(limit: Duration, last: Option<Instant>) -> Instant {
        let now = Instant::now();
        // A limit beyond what an Instant can hold is as good as a year.
        let end = now.checked_add(limit).unwrap_or(now + Duration::from_secs(365 * 24 * 3600));
        last.map_or(end, |last| end.min(last))
    }
}
