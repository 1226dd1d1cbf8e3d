//! How much work judging one chain may take, its repetitions included: under other roots, at another date, for another
//! name. A chain of 64 KiB, the most that TLS carries, can ask for billions of comparisons; OpenSSL bounds them for each
//! pair of certificates (`NAME_CHECK_MAX`), not for the chain.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// The work of one chain that is left. Clones share it.
///
/// A unit is the comparison of one name with one constraint, a tenth of a microsecond.
#[derive(Clone, Debug)]
pub struct Budget(Arc<AtomicU32>);

/// The work was not done: it would have been more than is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Exceeded;

/// A quarter of a second. The dearest pair of certificates that OpenSSL compares takes two fifths of it, a path of a
/// hundred signatures a fifth.
const WHOLE: u32 = 2_500_000;
/// A signature: half a millisecond with P-521, the slowest that is common.
pub(super) const SIGNATURE: usize = 5_000;

impl Default for Budget {
    /// The work that one chain may take.
    fn default() -> Self {
        Self(Arc::new(AtomicU32::new(WHOLE)))
    }
}

impl Budget {
    /// Takes off what is about to be done. What is too much leaves the rest untouched.
    ///
    /// # Errors
    /// [`Exceeded`]: so much is not left.
    pub(super) fn spend(&self, units: usize) -> Result<(), Exceeded> {
        let units = u32::try_from(units).unwrap_or(u32::MAX);
        let spent = |left: u32| left.checked_sub(units);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, spent).map_or(Err(Exceeded), |_| Ok(()))
    }

    /// What was done so far.
    #[cfg(test)]
    pub(super) fn spent(&self) -> u32 {
        WHOLE - self.0.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_clones_spend_the_same_work() {
        let budget = Budget::default();
        budget.clone().spend(SIGNATURE).unwrap();
        budget.spend(10).unwrap();
        assert_eq!(budget.spent() as usize, SIGNATURE + 10);
        assert_eq!(budget.spend(WHOLE as usize), Err(Exceeded));
        assert_eq!(budget.spend(usize::MAX), Err(Exceeded));
        budget.spend(WHOLE as usize - SIGNATURE - 10).unwrap();
        assert_eq!(budget.spend(1), Err(Exceeded));
    }
}
