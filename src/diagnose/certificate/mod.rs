//! The chain and the name: from the defects that judging found to their cause.

pub(in crate::diagnose) mod crl;
mod detour;
mod end;
mod faults;
mod hidden;
pub(super) mod known;
mod name;
mod of_file;
mod otherwise;
pub(super) mod reissue;
mod stranger;

pub(super) use crl::{
    address as crl_address, download as crl_download, is_unwanted as crl_is_unwanted, note_of_addresses,
};
pub(super) use detour::detour;
pub(super) use faults::{begins_later, refused_as_weak};
pub(super) use hidden::hides_the_right_one;
pub(super) use known::Root;
pub(super) use stranger::stranger;

pub use crl::CRL_MISSING;
pub use end::*;
pub use faults::CERTIFICATE_NOT_YET_VALID;
pub use faults::*;
pub use name::*;

use super::driver;
use super::root_file::in_file as certificates_of;
use super::rule::{Finding, Rule};
use super::view::{View, path_text};
use super::{Fix, root_file};
use crate::certificate::{Certificate, GeneralName};
use crate::conninfo::is_possible_name;
use crate::text;
use crate::timestamp::Timestamp;
use crate::verify::{Defect, Judgement, is_ip_address};

/// Why the path does not end in a root of the file, most specific first: at most one of these holds.
pub(super) const END: &[Rule] = &[
    Rule { code: &faults::CERTIFICATE_INVALID, detect: end::unreadable },
    Rule { code: &end::TLS_INSPECTION, detect: end::tls_inspection },
    Rule { code: &end::ROOT_KEY_CHANGED, detect: |view| at_hand(view, end::root_key_changed(view)) },
    Rule { code: &end::SELF_SIGNED, detect: |view| at_hand(view, end::self_signed(view)) },
    Rule { code: &root_file::ROOT_FILE_LACKS_ROOT, detect: |view| at_hand(view, end::file_lacks_root(view)) },
    Rule { code: &root_file::ROOT_NOT_IN_FILE, detect: |view| at_hand(view, end::root_not_in_file(view)) },
    Rule { code: &end::INTERMEDIATE_MISSING, detect: end::intermediate_missing },
    Rule { code: &end::UNKNOWN_ISSUER, detect: |view| at_hand(view, end::unknown_issuer(view)) },
];

/// What else is wrong, the name last, since libpq comes to it last.
pub(super) const FAULTS: &[Rule] = &[
    Rule { code: &faults::CERTIFICATE_INVALID, detect: faults::broken_extension },
    Rule { code: &faults::CERTIFICATE_PURPOSE, detect: faults::purpose },
    Rule { code: &faults::CERTIFICATE_WEAK, detect: faults::weak },
    Rule { code: &faults::CERTIFICATE_NAME_CONSTRAINTS, detect: faults::name_constraints },
    Rule { code: &faults::CERTIFICATE_REVOKED, detect: faults::revoked },
    Rule { code: &crl::CRL_MISSING, detect: crl::crl_missing },
    Rule { code: &faults::CERTIFICATE_EXPIRED, detect: faults::expired },
    Rule { code: &faults::CERTIFICATE_NOT_YET_VALID, detect: faults::not_yet_valid },
    Rule { code: &faults::CERTIFICATE_INVALID, detect: faults::invalid },
    Rule { code: &name::HOSTNAME_MISMATCH, detect: name::hostname_mismatch },
];

/// For what no rule knows: a chain that was refused all the same.
pub(super) const REST: &[Rule] = &[Rule { code: &faults::CERTIFICATE_INVALID, detect: faults::refused }];

/// The day on which what this tool knows was gathered: no right clock reads less.
pub(super) const KNOWLEDGE: (i32, u8, u8) = (2026, 11, 23);

/// The root file that lies at hand and has the root comes in the place of other ways to one.
pub(in crate::diagnose) fn at_hand(view: &View<'_>, found: Option<Finding>) -> Option<Finding> {
    // A directory's file of the right name is told with what hides it.
    let at_hand = view.evidence.root_at_hand.as_ref().filter(|_| view.evidence.in_directories.is_empty());
    // And the file that is meant is mended where a command does it.
    let is_mended = found.as_ref().is_some_and(Finding::converts);
    let Some(found_file) = at_hand.filter(|_| !is_mended) else { return found };
    let (program, path) = (view.program(), path_text(&found_file.path));
    let has = if view.judgement().is_some() { ", which has this root" } else { "" };
    let text = match &found_file.variable {
        Some(variable) if variable != "PGSSLROOTCERT" => {
            format!("{variable} is no variable of libpq's, and names {path}{has}: call it PGSSLROOTCERT")
        }
        Some(variable) => format!("{variable}, which {program} does not use here, names {path}{has}: use it"),
        None => {
            let dropped = driver::object_dropped(view).unwrap_or_default();
            format!("use {path}{has}, if it came to you over a trusted channel{dropped}")
        }
    };
    let fix = Fix::text(text).set("sslrootcert", found_file.path.to_string_lossy());
    Some(found?.instead(fix))
}

/// The defects that libpq minds under the mode, in the order in which it comes upon them.
fn demanded<'a>(view: &View<'a>) -> impl Iterator<Item = &'a Defect> {
    let mode = view.mode;
    let judgement = view.judgement();
    judgement.into_iter().flat_map(move |judgement| {
        judgement.defects.iter().filter(move |defect| defect.demanded(mode, judgement.verifies))
    })
}

/// A certificate of the path, with the words for its part.
fn member(judgement: &Judgement, at: usize) -> Option<(&Certificate, &'static str)> {
    let link = judgement.path.get(at)?;
    let self_signed = link.certificate.facts().is_ok_and(crate::certificate::Facts::is_self_signed);
    let part = match at {
        0 => "the server certificate",
        _ if self_signed => "the root",
        _ => "the intermediate",
    };
    Some((&link.certificate, part))
}

/// The certificate at a place of the path and its place in the root file, where it is the root at the path's end: that
/// it has expired is the file's fault (`root-expired`).
pub(super) fn expired_root_of_file(judgement: &Judgement, at: usize) -> Option<(&Certificate, usize)> {
    let link = judgement.path.get(at).filter(|_| at > 0 && at + 1 == judgement.path.len())?;
    Some((&link.certificate, link.in_file?))
}

/// `the intermediate Example CA`; the server certificate goes without its name.
pub(super) fn named(judgement: &Judgement, at: usize) -> String {
    match member(judgement, at) {
        Some((_, part)) if at == 0 => part.to_owned(),
        Some((certificate, part)) => {
            let whose = if of_file::holds(judgement, at) { " of the root file" } else { "" };
            format!("{part} {}{whose}", certificate.short_subject())
        }
        None => "a certificate".to_owned(),
    }
}

/// The first of its names that can stand in `host` as it is: neither a wildcard nor an address.
pub(super) fn host_name_of(certificate: &Certificate) -> Option<String> {
    names_of(certificate).into_iter().find(|name| is_possible_name(name) && !is_ip_address(name.as_bytes()))
}

/// The names a certificate is for: its DNS names and addresses, else its common name.
pub(super) fn names_of(certificate: &Certificate) -> Vec<String> {
    let readable = certificate.readable();
    let names: Vec<String> = readable
        .sans
        .iter()
        .filter_map(|name| match name {
            GeneralName::Dns(name) => Some(text::printable_bytes(name)),
            GeneralName::Ip(address) => Some(address.to_string()),
            _ => None,
        })
        .collect();
    if names.is_empty() {
        readable
            .subject
            .and_then(|subject| subject.common_name())
            .map(|name| text::printable(&name))
            .into_iter()
            .collect()
    } else {
        names
    }
}

/// The chain as sent, by short names.
fn sent(view: &View<'_>) -> Vec<String> {
    let chain = view.tls().map(|tls| tls.chain.as_slice()).unwrap_or_default();
    super::view::at_most(10, chain.iter().map(Certificate::short_subject))
}

/// The certificates of the root file.
fn in_file(view: &View<'_>) -> Vec<String> {
    view.store().map(|store| certificates_of(store, Some(view.evidence.judged_at))).unwrap_or_default()
}

/// Whether the local clock is most likely wrong: it reads less than this tool's knowledge, or all certificates of a path
/// of several are off in the same direction. Not asked under `--as-of`.
pub(super) fn clock_is_wrong(view: &View<'_>, defects: &[Defect]) -> bool {
    let now = view.evidence.judged_at;
    if now != view.evidence.started {
        return false;
    }
    let (year, month, day) = KNOWLEDGE;
    let early = Timestamp::from_utc(year, month, day, 0, 0, 0).is_some_and(|day| now < day.plus_days(-1));
    let length = view.judgement().map_or(0, |judgement| judgement.path.len());
    let count = |wanted: fn(&Defect) -> bool| defects.iter().filter(|defect| wanted(defect)).count();
    let future = count(|defect| matches!(defect, Defect::NotYetValid { .. }));
    let past = count(|defect| matches!(defect, Defect::Expired { .. }));
    early || (length > 1 && (future.max(past) == length)) || future > 1
}

/// Compares the local clock with the right time, where it is most likely wrong.
pub(super) fn clock_fix(view: &View<'_>, defects: &[Defect]) -> Option<Fix> {
    clock_is_wrong(view, defects).then(|| {
        let command =
            if cfg!(windows) { "w32tm /query /status" } else { "timedatectl\ntimedatectl set-ntp true" };
        Fix::text(format!("correct this machine's clock: it reads {}", view.evidence.started)).run(command)
    })
}
