//! What a server accepts, in a row of a table of many.

use crate::diagnose::grades::{self, Weakness};
use crate::diagnose::{Outcome, profiles};
use crate::evidence::audit::{Accepts, Audit};
use crate::iana;

/// The facts that are compared of several servers, each a cell. Printable.
#[derive(Clone, Debug)]
pub(super) struct Accepted {
    /// `TLSv1.3 TLSv1.2`
    pub versions: String,
    /// `8 of 12 (CBC, SHA-1)`; `none`.
    pub weak_suites: String,
    /// The names of weak groups; `none`.
    pub weak_groups: String,
    /// Whether it serves without TLS.
    pub plaintext: &'static str,
    /// `azure: met`, `modern: 2 violations`; empty where none was named.
    pub policy: String,
}

/// The names of the cells, in the order of [`Accepted::cells`].
pub(super) const HEAD: [&str; 5] = ["accepts", "weak suites", "weak groups", "without TLS", "policy"];

impl Accepted {
    /// The row of an outcome that an audit has made.
    pub(super) fn of(outcome: &Outcome) -> Option<Self> {
        let audit = outcome.evidence.audit.as_ref()?;
        let versions = audit.versions.iter().filter(|version| version.accepted == Accepts::Yes);
        let versions: Vec<&str> = versions.map(|version| version.version.name()).collect();
        let groups = audit.groups.iter().flat_map(|(_, groups)| groups.accepted.iter().copied());
        let groups = groups.filter(|group| !grades::of_group(*group).is_empty()).map(iana::group);
        let groups: Vec<String> = groups.collect();
        Some(Self {
            versions: versions.join(" "),
            weak_suites: weak_suites(audit),
            weak_groups: if groups.is_empty() { "none".to_owned() } else { groups.join(" ") },
            plaintext: match (audit.plaintext_accepted(), &audit.plaintext) {
                (_, None) => "not asked",
                (Accepts::No, _) => "no",
                (Accepts::Yes, _) if audit.logs_in_without_tls() => "logs in",
                (Accepts::Yes, _) => "requests the password",
                (Accepts::Unknown, _) => "no clear answer",
            },
            policy: policy(outcome, audit),
        })
    }

    /// All of it, in order.
    pub(super) fn cells(&self) -> [&str; 5] {
        [&self.versions, &self.weak_suites, &self.weak_groups, self.plaintext, &self.policy]
    }
}

fn weak_suites(audit: &Audit) -> String {
    let suites = audit.versions.iter().flat_map(|version| version.suites.accepted.iter().copied());
    let suites: Vec<u16> = suites.collect();
    let weak = suites.iter().map(|suite| grades::of_suite(*suite)).filter(|reasons| !reasons.is_empty());
    let weak: Vec<Vec<Weakness>> = weak.collect();
    if weak.is_empty() {
        return "none".to_owned();
    }
    let mut reasons: Vec<Weakness> = Vec::new();
    for reason in weak.iter().flatten() {
        if !reasons.contains(reason) {
            reasons.push(*reason);
        }
    }
    let words: Vec<&str> = reasons.iter().map(|reason| reason.words()).collect();
    format!("{} of {} ({})", weak.len(), suites.len(), words.join(", "))
}

fn policy(outcome: &Outcome, audit: &Audit) -> String {
    let Some(profile) = audit.profile else { return String::new() };
    let tls = outcome.evidence.attempts.last().and_then(|attempt| attempt.tls.as_ref());
    let leaf = tls.and_then(|tls| tls.result.chain.first());
    let met = match profiles::violations(audit, profile, leaf).len() {
        0 => "met".to_owned(),
        1 => "1 violation".to_owned(),
        count => format!("{count} violations"),
    };
    format!("{}: {met}", profile.name())
}
