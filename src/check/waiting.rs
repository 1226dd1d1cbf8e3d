//! The pauses between the tries of `--wait`.

use std::time::{Duration, Instant};

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How long `--wait` goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitLimit {
    /// Without end.
    Endless,
    /// As long as this.
    For(Duration),
}

/// The pauses of one target.
pub(super) struct Waiting {
    limit: Option<WaitLimit>,
    begin: Instant,
    pause: Duration,
}

impl Waiting {
    pub(super) fn new(limit: Option<WaitLimit>) -> Self {
        Self { limit, begin: Instant::now(), pause: FIRST_PAUSE }
    }

    /// Waits for the next round; at once false if there is to be none.
    pub(super) async fn pause(&mut self) -> bool {
        let goes_on = match self.limit {
            None => false,
            Some(WaitLimit::Endless) => true,
            Some(WaitLimit::For(limit)) => self.begin.elapsed() + self.pause < limit,
        };
        if goes_on {
            tokio::time::sleep(self.pause).await;
            self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        }
        goes_on
    }
}
