//! A whole run, counted.

use std::time::Duration;

use crate::diagnose::{Outcome, Removed, Standing};
use crate::timestamp::Timestamp;

/// What a run came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// Targets verified, with or without warnings.
    pub verified: usize,
    /// Targets whose chain was verified and whose name was not, because their sslmode asks for no more.
    pub chain_verified: usize,
    /// Targets with TLS of which nothing was verified, because their sslmode asks for no more.
    pub encrypted: usize,
    /// Targets where what the sslmode demands holds, and a policy of the user's is not met.
    pub policy_failed: usize,
    /// Targets failed.
    pub failed: usize,
    /// Targets not finished when Ctrl-C ended the run.
    pub unfinished: usize,
    /// Those among them of which no try had ended: no outcome tells of them.
    pub untold: usize,
    /// Targets with warnings among those that did not fail.
    pub warned: usize,
    /// Targets that are otherwise than in an earlier report, where there is one.
    pub changed: Option<usize>,
    /// Targets of that report that are none of this run.
    pub removed: Vec<Removed>,
    /// Whether files were judged in the place of servers: then nothing was verified, it would be.
    pub rehearsed: bool,
    /// The exit status of the run.
    pub exit_status: u8,
    /// When the first target began.
    pub started: Option<Timestamp>,
    /// From the start of the first target to the end of the last.
    pub elapsed: Duration,
}

impl Run {
    /// The run of one target.
    pub fn of(outcome: &Outcome) -> Self {
        let mut run = Self { elapsed: outcome.evidence.took, ..Self::default() };
        run.count(outcome);
        run
    }

    /// Targets that are over, however they ended.
    pub fn finished(&self) -> usize {
        self.verified + self.chain_verified + self.encrypted + self.policy_failed + self.failed
    }

    /// Whether it was ended before any outcome was there.
    pub fn is_empty(&self) -> bool {
        self.untold > 0 && self.finished() + self.unfinished == self.untold
    }

    /// How many targets count so.
    pub fn counted(&self, standing: Standing) -> usize {
        match standing {
            Standing::Verified => self.verified,
            Standing::ChainVerified => self.chain_verified,
            Standing::Encrypted => self.encrypted,
            Standing::PolicyFailed => self.policy_failed,
            Standing::Failed => self.failed,
        }
    }

    /// Counts an outcome.
    pub fn count(&mut self, outcome: &Outcome) {
        self.rehearsed |= outcome.evidence.rehearsal.is_some();
        self.started = self.started.into_iter().chain([outcome.evidence.started]).min();
        if outcome.is_interrupted() {
            self.unfinished += 1;
            self.exit_status = outcome.exit_status();
            return;
        }
        let standing = outcome.standing();
        match standing {
            Standing::Failed => self.failed += 1,
            Standing::PolicyFailed => self.policy_failed += 1,
            Standing::Encrypted => self.encrypted += 1,
            Standing::ChainVerified => self.chain_verified += 1,
            Standing::Verified => self.verified += 1,
        }
        if !matches!(standing, Standing::Failed | Standing::PolicyFailed) && !outcome.warnings.is_empty() {
            self.warned += 1;
        }
        self.exit_status = higher_exit_status(self.exit_status, outcome.exit_status());
    }
}

/// The exit status of two targets: the lowest that is not 0.
pub fn higher_exit_status(one: u8, other: u8) -> u8 {
    if one == 0 || other == 0 { one.max(other) } else { one.min(other) }
}
