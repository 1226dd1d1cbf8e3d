//! What a server accepts, as `audit` found it: one fact a line, the names of suites one below the other.

use crate::evidence::PlaintextAnswer;
use crate::evidence::audit::{Accepts, Audit, Found, STRANGER};
use crate::iana;
use crate::report::Role;
use crate::report::page::Page;

/// Wide enough for `direct TLS`.
const COLUMN: usize = 11;

/// Between the stages and the warnings.
pub(super) fn section(page: &mut Page, audit: &Audit) {
    page.part();
    entry(page, "SSLRequest", word(audit.ssl_request));
    entry(page, "direct TLS", word(audit.direct));
    for version in &audit.versions {
        let (name, accepted) = (version.version.name(), version.accepted);
        entry(page, name, word(accepted));
        if accepted == Accepts::Yes {
            for suite in &version.suites.accepted {
                entry(page, "", &iana::suite(*suite));
            }
            incomplete(page, &version.suites);
        }
    }
    if let Some((version, groups)) = &audit.groups {
        let names: Vec<String> = groups.accepted.iter().map(|group| iana::group(*group)).collect();
        let names = if names.is_empty() { "none found".to_owned() } else { names.join(", ") };
        entry(page, "groups", &format!("{names} ({})", version.name()));
        incomplete(page, groups);
    }
    entry(page, "plaintext", &plaintext(audit));
    entry(page, "connections", &format!("{} (one per offer)", audit.connections));
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
    let asked = format!("asked as user {user} for database {database}");
    match &audit.plaintext {
        None => "not asked: the server is not verified, or no time was left".to_owned(),
        Some(PlaintextAnswer::Admitted) => format!("yes, {asked}"),
        Some(PlaintextAnswer::Ended(_) | PlaintextAnswer::TimedOut | PlaintextAnswer::Failed) => {
            format!("no clear answer, {asked}: the connection ended or was silent")
        }
        Some(PlaintextAnswer::Refused(message)) => {
            format!("{}, {asked}: \"{}\"", word(audit.plaintext_accepted()), message.message)
        }
    }
}
