//! Who follows a run while it goes on: what is waited for, what is tried again, what has ended.

use std::rc::Rc;

use crate::conninfo::Settings;
use crate::diagnose::{Outcome, Tries};
use crate::evidence::{Member, Source};
use crate::probe::Observer;

/// Follows one target.
pub trait Watcher: Observer {
    /// Where it leads is known, and the one member of it that is meant.
    fn resolved(&self, _settings: &Settings, _member: Option<&Member>) {}

    /// A try failed with what waiting may cure; another one follows.
    fn tries_again(&self, _failed: &Outcome, _tries: Tries) {}
}

impl Watcher for () {}

/// Follows all targets of a run.
pub trait RunWatcher {
    /// A target begins.
    fn begins(&self, source: &Source) -> Rc<dyn Watcher>;

    /// A target turned out to be so many.
    fn becomes(&self, count: usize);

    /// One has ended. Its watcher hears no more.
    fn ends(&self, outcome: &Outcome);
}

impl RunWatcher for () {
    fn begins(&self, _: &Source) -> Rc<dyn Watcher> {
        Rc::new(())
    }

    fn becomes(&self, _: usize) {}

    fn ends(&self, _: &Outcome) {}
}
