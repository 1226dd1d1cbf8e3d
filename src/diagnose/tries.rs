//! `--wait`: how often a target was tried, how that ended, and what no longer needs to be said then.

use std::time::Duration;

use super::Outcome;

/// The tries of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tries {
    /// How many, at least one.
    pub count: u32,
    /// From the begin of the first to the end of the last, where there was more than one or `--wait` ended otherwise than
    /// by a result; else zero.
    pub waited: Duration,
    /// What ended the waiting, where that was no result.
    pub end: Option<WaitEnd>,
}

/// What ended the waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitEnd {
    /// The limit of `--wait`.
    GaveUp,
    /// Ctrl-C.
    Interrupted,
}

impl Default for Tries {
    fn default() -> Self {
        Self { count: 1, waited: Duration::ZERO, end: None }
    }
}

impl Tries {
    /// `gave up after 20 s, 7 tries`; `None` of a target that was tried once.
    pub fn words(self) -> Option<String> {
        let begin = match self.end {
            Some(WaitEnd::GaveUp) => "gave up after",
            Some(WaitEnd::Interrupted) => "interrupted after",
            None if self.count > 1 => "after",
            None => return None,
        };
        let tries = if self.count == 1 { "1 try".to_owned() } else { format!("{} tries", self.count) };
        Some(format!("{begin} {:.0} s, {tries}", self.waited.as_secs_f64()))
    }
}

impl Outcome {
    /// The outcome of the last of several tries. Whoever has waited needs no advice to wait.
    #[must_use]
    pub fn after(mut self, tries: Tries) -> Self {
        self.tries = tries;
        let is_over = tries.end == Some(WaitEnd::GaveUp) && tries.count > 1;
        if let Some(found) = self.diagnosis.as_mut().filter(|found| is_over && found.advises_waiting) {
            found.cause += &format!(
                "; still so after {:.0} s and {} tries: if a start takes no longer than that here, waiting longer does not help",
                tries.waited.as_secs_f64(),
                tries.count
            );
        }
        for found in self.diagnosis.iter_mut().chain(&mut self.also) {
            found.advises_waiting = false;
            if found.fixes.iter().any(|fix| !fix.waits) {
                found.fixes.retain(|fix| !fix.waits);
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_say_how_long_and_how_often() {
        let tries =
            |count, seconds, end| Tries { count, waited: Duration::from_secs_f64(seconds), end }.words();
        assert_eq!(tries(1, 0.0, None), None);
        assert_eq!(tries(5, 12.2, None).as_deref(), Some("after 12 s, 5 tries"));
        assert_eq!(tries(7, 19.9, Some(WaitEnd::GaveUp)).as_deref(), Some("gave up after 20 s, 7 tries"));
        assert_eq!(tries(1, 2.0, Some(WaitEnd::GaveUp)).as_deref(), Some("gave up after 2 s, 1 try"));
        assert_eq!(
            tries(3, 2.4, Some(WaitEnd::Interrupted)).as_deref(),
            Some("interrupted after 2 s, 3 tries")
        );
    }
}
