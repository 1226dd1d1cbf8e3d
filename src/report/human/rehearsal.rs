//! What `rehearse` found besides the judgement: key, hosts, dates, what is served now.

use super::chain::end;
use crate::conninfo::mask_file_name;
use crate::diagnose::{Outcome, Verdict};
use crate::evidence::Rehearsal;
use crate::report::Role;
use crate::report::page::Page;
use crate::report::rehearsal::{End, ends, hosts};

/// Wide enough for `not covered`.
const COLUMN: usize = 11;
/// Most dates that are told.
const MOST: usize = 20;

/// Between the stages and the warnings.
pub(super) fn section(page: &mut Page, outcome: &Outcome, rehearsal: &Rehearsal) {
    page.part();
    if let Some(words) = key(rehearsal) {
        entry(page, "key", &words);
    }
    let hosts = hosts(outcome);
    for (label, wanted) in [("covers", true), ("not covered", false)] {
        let names = hosts.iter().filter(|(_, covered)| *covered == wanted).map(|(name, _)| name.as_str());
        let names: Vec<&str> = names.collect();
        if !names.is_empty() {
            entry(page, label, &names.join(", "));
        }
    }
    let ends = ends(outcome, rehearsal);
    for (at, found) in ends.iter().take(MOST).enumerate() {
        entry(page, if at == 0 { "expires" } else { "" }, &dated(outcome, found));
    }
    if ends.len() > MOST {
        entry(page, "", &format!("and {} more", ends.len() - MOST));
    }
    let sent = outcome.evidence.attempts.last().and_then(|attempt| attempt.tls.as_ref());
    if let (Some(served), Some(sent)) = (&rehearsal.served, sent)
        && served.chain == sent.result.chain
    {
        entry(page, "served now", &format!("{} already presents this certificate", served.server));
    }
}

/// The verdict of the last line: nothing was verified yet.
pub(super) fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Verified => "would verify",
        Verdict::ChainVerified => "chain would verify, name not",
        Verdict::Encrypted => "would be encrypted, not verified",
        Verdict::Failed => "would fail",
    }
}

fn entry(page: &mut Page, label: &str, words: &str) {
    page.labelled(COLUMN, label, Role::Secondary, Role::Plain, words);
}

/// `server.key fits, mode 0600, owner user postgres (uid 114)`
fn key(rehearsal: &Rehearsal) -> Option<String> {
    let files = &rehearsal.files;
    let Some(key) = &files.key else { return Some("not checked (--key)".to_owned()) };
    let fits = match key.fits {
        Some(true) => "fits",
        Some(false) => "does not fit",
        None if files.certificates.is_empty() || files.faults.iter().any(|fault| fault.path == key.file) => {
            return None;
        }
        None => "cannot be compared with the certificate here",
    };
    let mut words = format!("{} {fits}", mask_file_name(&key.file));
    if key.is_encrypted {
        words.push_str(", encrypted: a reload needs ssl_passphrase_command_supports_reload = on");
    }
    if let (Some(mode), Some(owner)) = (key.mode, &key.owner) {
        words.push_str(&format!(", mode {mode:04o}, owner {owner}"));
    }
    if files.account.is_none() {
        let group_reads = key.mode.is_none_or(|mode| mode & 0o040 != 0);
        words.push_str(match &key.owner {
            Some(owner) if owner.uid == 0 && group_reads => "; PostgreSQL's account must be in its group (--server-user)",
            Some(owner) if owner.uid == 0 => {
                "; PostgreSQL never runs as root: give the key to its account when you install it (--server-user)"
            }
            _ => "; PostgreSQL must run as that account (--server-user)",
        });
    }
    Some(words)
}

fn dated(outcome: &Outcome, found: &End) -> String {
    let place = found.place.as_ref().map(|(file, line)| format!(" ({}, line {line})", mask_file_name(file)));
    let place = place.unwrap_or_default();
    format!("{}: {} {}{place}", end(found.at, outcome.evidence.judged_at, true), found.what, found.name)
}
