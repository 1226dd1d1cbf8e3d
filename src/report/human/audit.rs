//! What a server accepts, as `audit` found it: one fact a line, the names of suites one below the other.

use std::collections::BTreeMap;

use crate::diagnose::Outcome;
use crate::diagnose::grades::{self, Weakness};
use crate::diagnose::profiles;
use crate::evidence::PlaintextAnswer;
use crate::evidence::audit::{Accepts, Audit, Found, STRANGER};
use crate::iana;
use crate::report::Role;
use crate::report::page::Page;

/// Wide enough for `direct TLS`.
const COLUMN: usize = 11;

/// Between the stages and the warnings: versions with how many of their suites are weak, and why; in full each suite with
/// its grade.
pub(super) fn section(page: &mut Page, outcome: &Outcome, audit: &Audit, in_full: bool) {
    page.part();
    entry(page, "SSLRequest", word(audit.ssl_request));
    entry(page, "direct TLS", word(audit.direct));
    for version in &audit.versions {
        let (name, accepted) = (version.version.name(), version.accepted);
        if accepted != Accepts::Yes {
            entry(page, name, word(accepted));
            continue;
        }
        let suites = &version.suites.accepted;
        entry(page, name, &format!("yes, {}", counted(suites)));
        if in_full {
            for suite in suites {
                entry(page, "", &graded(&iana::suite(*suite), &grades::of_suite(*suite)));
            }
        }
        incomplete(page, &version.suites);
    }
    if let Some((version, groups)) = &audit.groups {
        let graded = |group: &u16| graded(&iana::group(*group), &grades::of_group(*group));
        let names: Vec<String> = groups.accepted.iter().map(graded).collect();
        let names = if names.is_empty() { "none found".to_owned() } else { names.join(", ") };
        entry(page, "groups", &format!("{names} ({})", version.name()));
        incomplete(page, groups);
    }
    entry(page, "plaintext", &plaintext(audit));
    entry(page, "connections", &format!("{} (one per offer)", audit.connections));
    if let Some(profile) = audit.profile {
        let leaf = outcome.evidence.attempts.last().and_then(|attempt| attempt.tls.as_ref());
        let leaf = leaf.and_then(|tls| tls.result.chain.first());
        let met = match profiles::violations(audit, profile, leaf).len() {
            0 => "met".to_owned(),
            count => format!("not met, {count} {}", if count == 1 { "violation" } else { "violations" }),
        };
        entry(page, "policy", &format!("{} ({}): {met}", profile.name(), profiles::title(profile)));
    }
}

/// `12 suites: 4 strong, 8 weak (CBC: 4, CBC and SHA-1: 4)`
fn counted(suites: &[u16]) -> String {
    let mut reasons: BTreeMap<Vec<Weakness>, usize> = BTreeMap::new();
    for suite in suites {
        *reasons.entry(grades::of_suite(*suite)).or_default() += 1;
    }
    let strong = reasons.remove(&Vec::new()).unwrap_or(0);
    let total = format!("{} {}", suites.len(), if suites.len() == 1 { "suite" } else { "suites" });
    if reasons.is_empty() {
        return if suites.is_empty() { "no suite found".to_owned() } else { format!("{total}, all strong") };
    }
    let weak: Vec<String> =
        reasons.iter().map(|(reasons, count)| format!("{}: {count}", grades::words(reasons))).collect();
    format!("{total}: {strong} strong, {} weak ({})", suites.len() - strong, weak.join(", "))
}

fn graded(name: &str, weaknesses: &[Weakness]) -> String {
    match weaknesses {
        [] => name.to_owned(),
        _ => format!("{name}  weak: {}", grades::words(weaknesses)),
    }
}

fn entry(page: &mut Page, label: &str, words: &str) {
    page.labelled(COLUMN, label, Role::Secondary, Role::Plain, words);
}

fn incomplete(page: &mut Page, found: &Found) {
    if !found.complete {
        entry(page, "", "the search did not end: there may be more");
    }
}

/// Whether something is accepted, in a word.
pub(super) fn word(accepts: Accepts) -> &'static str {
    match accepts {
        Accepts::Yes => "yes",
        Accepts::No => "no",
        Accepts::Unknown => "no clear answer",
    }
}

/// The answer to the start-up message without TLS, with the server's words.
pub(super) fn plaintext(audit: &Audit) -> String {
    let (user, database) = STRANGER;
    let asked = format!("tried as user {user} on database {database}");
    match &audit.plaintext {
        None => "not asked: the server is not verified, or no time was left".to_owned(),
        Some(PlaintextAnswer::Admitted | PlaintextAnswer::WrongSessionAttrs) => {
            format!("logs in without TLS, {asked}")
        }
        Some(PlaintextAnswer::PasswordRequested) => format!("requests the password without TLS, {asked}"),
        Some(PlaintextAnswer::Ended(_) | PlaintextAnswer::TimedOut | PlaintextAnswer::Failed) => {
            format!("no clear answer, {asked}: the connection ended or was silent")
        }
        Some(PlaintextAnswer::Refused(message)) if audit.logs_in_without_tls() => {
            format!("would log in without TLS, {asked}: \"{}\"", message.message)
        }
        Some(PlaintextAnswer::Refused(message)) => {
            format!("{}, {asked}: \"{}\"", word(audit.plaintext_accepted()), message.message)
        }
    }
}
