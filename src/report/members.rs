//! `--each`: targets of which one member fails and another does not, which a client notices only sometimes.

use std::collections::BTreeMap;

use super::server::Server;
use super::subject;
use crate::diagnose::Outcome;
use crate::order;

/// Failing members that are named.
const MOST_NAMED: usize = 5;

/// The members of the targets of a run.
#[derive(Default)]
pub(super) struct Members(BTreeMap<u32, Count>);

struct Count {
    /// The target as a whole.
    target: String,
    passed: usize,
    /// The failing members, each with why.
    failed: Vec<String>,
}

impl Members {
    /// Counts a member; what is none counts for nothing.
    pub(super) fn count(&mut self, outcome: &Outcome, server: &Server) {
        let Some(hosts) = subject::hosts_of_member(outcome) else { return };
        let count = self.0.entry(server.place.target).or_insert_with(|| Count {
            target: hosts.join(", "),
            passed: 0,
            failed: Vec::new(),
        });
        if server.exit_status == 0 {
            count.passed += 1;
            return;
        }
        let name = server.member.clone().filter(|_| hosts.len() == 1).unwrap_or_else(|| server.name());
        let why = server.failure.as_ref().map(|(code, ..)| format!(" ({code})")).unwrap_or_default();
        count.failed.push(name + &why);
    }

    /// `db.example: fails at 127.0.0.2 (hostname-mismatch), passes at 2 others`. Not yet printable.
    pub(super) fn mixed(&self) -> Vec<String> {
        let mixed = self.0.values().filter(|count| count.passed > 0 && !count.failed.is_empty());
        mixed
            .map(|count| {
                let mut failed = count.failed.clone();
                order::sort(&mut failed);
                let more = failed.len().saturating_sub(MOST_NAMED);
                failed.truncate(MOST_NAMED);
                failed.extend((more > 0).then(|| format!("and {more} more")));
                let others = if count.passed == 1 { "other" } else { "others" };
                let (target, passed) = (&count.target, count.passed);
                format!(
                    "{target}: fails at {}, passes at {passed} {others}: compare what they present",
                    failed.join(", ")
                )
            })
            .collect()
    }
}
