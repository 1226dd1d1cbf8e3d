//! What files of the system say, kept for a run: it is the same for all targets, and looking for it would be a good part of
//! what a check costs.

use std::sync::OnceLock;

/// What was found once for all who ask in the same surroundings, with the variables that led to it. Surroundings that are made
/// of others are other ones.
pub struct Remembered<K, V>(OnceLock<(K, V)>);

impl<K: Clone + PartialEq, V: Clone> Remembered<K, V> {
    /// What was found before, unless the variables lead elsewhere now.
    pub(super) fn once(&self, variables: K, find: impl Fn() -> V) -> V {
        let (before, found) = self.0.get_or_init(|| (variables.clone(), find()));
        if *before == variables { found.clone() } else { find() }
    }
}

impl<K, V> Default for Remembered<K, V> {
    fn default() -> Self {
        Self(OnceLock::new())
    }
}

impl<K, V> Clone for Remembered<K, V> {
    fn clone(&self) -> Self {
        Self::default()
    }
}
