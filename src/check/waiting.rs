//! The pauses between the tries of `--wait`, and how long a try may take.

use std::time::{Duration, Instant};

use crate::diagnose::{Tries, WaitEnd};

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A try that begins within the limit may end so much after it.
const GRACE: Duration = Duration::from_millis(200);
/// The last try begins so long before the limit, or twice as long as the one before took.
const SHORTEST_LAST: Duration = Duration::from_millis(200);
const LONGEST_LAST: Duration = Duration::from_secs(1);
/// With less of a pause there is none: what failed just now fails again.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);

/// How long `--wait` goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitLimit {
    /// Without end.
    Endless,
    /// As long as this.
    For(Duration),
}

/// The tries of one target.
pub(super) struct Waiting {
    limit: Option<WaitLimit>,
    begin: Instant,
    pause: Duration,
    count: u32,
}

impl Waiting {
    pub(super) fn new(limit: Option<WaitLimit>) -> Self {
        Self { limit, begin: Instant::now(), pause: FIRST_PAUSE, count: 1 }
    }

    /// How long the try that begins now may take, if the limit says.
    pub(super) fn room(&self) -> Option<Duration> {
        match self.limit? {
            WaitLimit::Endless => None,
            WaitLimit::For(limit) => Some(limit.saturating_sub(self.begin.elapsed()) + GRACE),
        }
    }

    /// The pause before the next try, after one that took so long; `None` if there is to be none.
    pub(super) fn next_pause(&self, took: Duration) -> Option<Duration> {
        self.pause_at(self.begin.elapsed(), took)
    }

    fn pause_at(&self, elapsed: Duration, took: Duration) -> Option<Duration> {
        match self.limit? {
            WaitLimit::Endless => Some(self.pause),
            WaitLimit::For(limit) => {
                let last = (took * 2).clamp(SHORTEST_LAST, LONGEST_LAST);
                let most = limit.checked_sub(elapsed + last)?;
                (most >= SHORTEST_PAUSE).then(|| self.pause.min(most))
            }
        }
    }

    /// Waits for the next try.
    pub(super) async fn wait(&mut self, pause: Duration) {
        tokio::time::sleep(pause).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        self.count = self.count.saturating_add(1);
    }

    /// The tries so far.
    pub(super) fn tries(&self, end: Option<WaitEnd>) -> Tries {
        let waited = if self.count > 1 || end.is_some() { self.begin.elapsed() } else { Duration::ZERO };
        Tries { count: self.count, waited, end }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When tries begin that each take so long, and when the last one is over.
    fn run(limit: u64, took: Duration) -> (Vec<Duration>, Duration) {
        let limit = Duration::from_millis(limit);
        let mut waiting = Waiting::new(Some(WaitLimit::For(limit)));
        let (mut now, mut begins) = (Duration::ZERO, Vec::new());
        loop {
            begins.push(now);
            let room = limit.saturating_sub(now) + GRACE;
            now += took.min(room);
            let Some(pause) = waiting.pause_at(now, took) else { return (begins, now) };
            now += pause;
            waiting.pause = (waiting.pause * 2).min(LONGEST_PAUSE);
        }
    }

    #[test]
    fn the_limit_is_kept_to_the_second_however_long_a_try_takes() {
        for limit in [500, 1000, 2000, 3000, 6000, 20_000, 60_000, 61_300] {
            for took in [0, 1, 30, 200, 900, 1700, 4000, 9999, 10_000, 30_000] {
                let (begins, end) = run(limit, Duration::from_millis(took));
                let off = end.abs_diff(Duration::from_millis(limit));
                assert!(off <= Duration::from_millis(1100), "{limit} {took}: {begins:?} {end:?}");
                assert!(begins.windows(2).all(|pair| pair[1] - pair[0] >= SHORTEST_PAUSE), "{begins:?}");
            }
        }
    }

    #[test]
    fn the_last_try_stands_at_the_end() {
        let (begins, _) = run(6000, Duration::from_millis(1));
        let begins: Vec<u128> = begins.iter().map(Duration::as_millis).collect();
        assert_eq!(begins, [0, 501, 1502, 3503, 5800]);
    }
}
