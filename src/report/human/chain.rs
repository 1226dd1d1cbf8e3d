//! With `-v`: the chain from the server's certificate to the root, with its gap if it has one.

use crate::certificate::Certificate;
use crate::conninfo::mask_file_name;
use crate::diagnose::Outcome;
use crate::evidence::TlsRecord;
use crate::report::page::Page;
use crate::report::{Role, subject};
use crate::timestamp::Timestamp;
use crate::trust::{RootSource, Roots};
use crate::verify::{Defect, Link};

/// Ends nearer than this are told in days for every certificate; for the server's own they always are.
const NEAR_DAYS: i64 = 90;
/// No sound path is as long; a message of TLS has room for thousands of certificates of no byte.
const MOST_LISTED: usize = 20;

/// The path as it was built, and below it what was sent for nothing.
pub(super) fn draw(page: &mut Page, outcome: &Outcome) {
    let Some(tls) =
        subject::attempt(outcome).and_then(|attempt| attempt.tls.as_ref()).map(|step| &step.result)
    else {
        return;
    };
    if tls.chain.is_empty() {
        return;
    }
    let path = path(tls);
    let gap = gap(tls);
    page.part();
    heading(page, outcome, tls, &path);
    let last = path.len().saturating_sub(1);
    for (index, link) in path.iter().enumerate().take(MOST_LISTED) {
        let role = match index {
            0 => "leaf",
            _ if link.certificate.is_self_issued() => "root",
            _ => "issuer",
        };
        let joined = page.style().width.is_some() && (index < last || gap.is_some());
        let bar = if joined { "│" } else { "" };
        certificate(page, outcome, link, role, bar, index == 0);
    }
    and_more(page, path.len());
    if let Some(gap) = gap {
        let sign = if page.style().width.is_some() { "╳" } else { "gap" };
        row(page, sign, Role::Error, &gap, Role::Error);
    }
    let used = |place: usize| path.iter().any(|link| link.sent == Some(place));
    let unused: Vec<_> = tls.chain.iter().enumerate().filter(|(place, _)| !used(*place)).collect();
    for (_, extra) in unused.iter().take(MOST_LISTED) {
        name(page, "unused", Role::Secondary, extra);
        row(page, "", Role::Plain, "sent, not part of the path", Role::Secondary);
    }
    and_more(page, unused.len());
}

/// Says how many certificates are not listed.
fn and_more(page: &mut Page, all: usize) {
    if let Some(rest) = all.checked_sub(MOST_LISTED).filter(|rest| *rest > 0) {
        row(page, "", Role::Plain, &format!("and {rest} more"), Role::Secondary);
    }
}

/// The path as judged, or, if it was not judged, the chain as sent.
fn path(tls: &TlsRecord) -> Vec<Link> {
    match &tls.judgement {
        Some(judgement) if !judgement.path.is_empty() => judgement.path.clone(),
        _ => {
            let link = |(place, certificate): (usize, &Certificate)| Link {
                certificate: certificate.clone(),
                sent: Some(place),
                in_file: None,
            };
            tls.chain.iter().enumerate().map(link).collect()
        }
    }
}

/// What is missing at the end of the path.
fn gap(tls: &TlsRecord) -> Option<String> {
    tls.judgement.as_ref()?.defects.iter().find_map(|defect| match defect {
        Defect::IssuerUnknown { last } => {
            let issuer = last.facts().map_or_else(|_| "its issuer".to_owned(), |facts| facts.issuer.short());
            Some(format!("wanted next: {issuer}, sent by nobody, not in file"))
        }
        Defect::FileLacksRoot { anchor } => {
            let issuer =
                anchor.facts().map_or_else(|_| "its issuer".to_owned(), |facts| facts.issuer.short());
            Some(format!("wanted next: {issuer}, the file ends below it"))
        }
        Defect::RootNotInFile { root } => {
            Some(format!("{} was sent and is not in file", root.short_subject()))
        }
        Defect::SelfSignedLeaf => Some("it signed itself and is not in file".to_owned()),
        _ => None,
    })
}

fn heading(page: &mut Page, outcome: &Outcome, tls: &TlsRecord, path: &[Link]) {
    let from_file = path.iter().filter(|link| link.sent.is_none()).count();
    let would = if outcome.evidence.rehearsal.is_some() { "to be " } else { "" };
    let mut words = format!("{} {would}sent by the server", tls.chain.len());
    if from_file > 0 {
        words.push_str(&format!(", {from_file} from {}", source_name(outcome)));
    }
    if page.is_narrow() {
        page.line("chain");
        page.prose("  ", 2, 2, Role::Plain, &words);
    } else {
        page.prose("chain          ", 15, 15, Role::Plain, &words);
    }
}

fn certificate(page: &mut Page, outcome: &Outcome, link: &Link, role: &str, bar: &str, is_leaf: bool) {
    name(page, role, Role::Plain, &link.certificate);
    let place = match (link.sent, link.in_file) {
        (Some(_), None) => "sent".to_owned(),
        (Some(_), Some(place)) => format!("sent, and in {}", place_in_file(outcome, place)),
        (None, Some(place)) => place_in_file(outcome, place),
        (None, None) => "neither sent nor in file".to_owned(),
    };
    // Of one too broken to be judged, what can be read is shown all the same.
    let readable = link.certificate.readable();
    let end = readable.not_after.map(|end_of| end(end_of, outcome.evidence.judged_at, is_leaf));
    let broken = link.certificate.facts().err().map(|error| error.what.clone());
    let key = readable.key.map(|key| key.to_string());
    let facts: Vec<String> = [key, end, broken, Some(place)].into_iter().flatten().collect();
    row(page, bar, Role::Secondary, &facts.join(" · "), Role::Secondary);
}

/// `until 2027-04-14 (142 days)`, `ended 2025-01-01 (3 days ago)`.
pub(super) fn end(not_after: Timestamp, at: Timestamp, always: bool) -> String {
    let days = not_after.days_since(at);
    let unit = |days: i64| if days == 1 { "day" } else { "days" };
    if not_after < at {
        let past = at.days_since(not_after);
        return format!("expired {} ({past} {} ago)", not_after.date(), unit(past));
    }
    if always || days <= NEAR_DAYS {
        return format!("until {} ({days} {})", not_after.date(), unit(days));
    }
    format!("until {}", not_after.date())
}

/// `azure-roots.pem, line 25`
fn place_in_file(outcome: &Outcome, place: usize) -> String {
    match subject::in_file(outcome, place) {
        Some(entry) => format!("{}, line {}", mask_file_name(&entry.file), entry.line),
        None => "your file".to_owned(),
    }
}

fn source_name(outcome: &Outcome) -> String {
    let Some(Roots::Loaded(store)) = outcome.evidence.trust.as_ref().map(|trust| &trust.roots) else {
        return "your file".to_owned();
    };
    match &store.source {
        RootSource::Given(path) | RootSource::DefaultFile(path) | RootSource::Text(path) => {
            mask_file_name(path)
        }
        RootSource::GivenAsTyped { typed, .. } => mask_file_name(typed),
        RootSource::System { .. } => "this machine's roots".to_owned(),
    }
}
/// A certificate's name, which is never broken.
fn name(page: &mut Page, label: &str, role: Role, certificate: &Certificate) {
    let (head, _) = head(page, label, role);
    let name = page.clean(&certificate.short_subject());
    page.line(&format!("{head}{name}"));
}

/// What is to be said of it.
fn row(page: &mut Page, label: &str, label_role: Role, words: &str, role: Role) {
    let (head, width) = head(page, label, label_role);
    page.prose(&head, width, width, role, words);
}

/// `  leaf         `, or below 60 columns with less room; and its width.
fn head(page: &Page, label: &str, role: Role) -> (String, usize) {
    let column = if page.is_narrow() { 6 } else { 11 };
    let label = page.clean(label);
    let pad = column - crate::text::width(&label).min(column);
    (format!("  {}{:pad$}  ", page.style().paint(role, &label), ""), column + 4)
}
