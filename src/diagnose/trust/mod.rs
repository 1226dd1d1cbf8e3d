//! The files: roots, client certificate and key, CRLs. libpq reads them after the server's `S`; what a chain shows of
//! them (an expired root, an unusable CRL) is judged with it.

mod client;

use std::ops::Range;

use super::Fix;
use super::root_file::{Context, expired, invalid, missing, unreadable};
use super::rule::{Finding, Rule, rule};
use super::view::{View, path_text};
use crate::conninfo::RootChoice;
use crate::text;
use crate::trust::Roots;
use crate::verify::{CrlFault, Defect};

pub(super) use client::{CLIENT_CERT_MISSING, absent_certificate};

/// What libpq refuses on reading, in its order (initialize_SSL in fe-secure-openssl.c).
pub(super) const RULES: &[Rule] = &[
    ROOT_FILE_MISSING,
    ROOT_FILE_UNREADABLE,
    ROOT_FILE_INVALID,
    client::CLIENT_CERT_INVALID,
    client::CLIENT_KEY_MISSING,
    client::CLIENT_KEY_PERMISSIONS,
    client::CLIENT_KEY_MISMATCH,
    client::CLIENT_KEY_INVALID,
];

/// What only a chain shows.
pub(super) const JUDGED: &[Rule] = &[ROOT_EXPIRED, CRL_INVALID];

/// What only the end of authentication shows.
pub(super) const AUTHENTICATED: &[Rule] = &[CLIENT_CERT_MISSING];

rule!(ROOT_FILE_MISSING, "root-file-missing", "the root file does not exist", retryable: false, root_missing);
rule!(
    ROOT_FILE_UNREADABLE, "root-file-unreadable", "the root file cannot be read", retryable: false, root_unreadable
);
rule!(
    ROOT_FILE_INVALID, "root-file-invalid", "the root file holds no certificates that libpq can read",
    retryable: false, root_invalid
);
rule!(ROOT_EXPIRED, "root-expired", "the root in the file has expired", retryable: false, root_expired);
rule!(CRL_INVALID, "crl-invalid", "a CRL that the check needs is no good", retryable: false, crl_invalid);

/// `sslrootcert`, and where it was said.
fn said(view: &View<'_>, keyword: &str) -> String {
    match view.origin(keyword) {
        Some(origin) => format!("{keyword} from {origin}"),
        None => "libpq's default file".to_owned(),
    }
}

/// How the root file came to be looked at.
fn context<'a>(view: &View<'a>) -> Context<'a> {
    let root = view.settings().map(|settings| &settings.root);
    Context {
        from: Some(said(view, "sslrootcert")),
        is_default: matches!(root, Some(RootChoice::Default(_))),
        server: view.server(),
    }
}

fn root_missing(view: &View<'_>) -> Option<Finding> {
    let roots = &view.trust()?.roots;
    let context = context(view);
    let finding = missing(roots, &context)?;
    let mark = match roots {
        Roots::Missing { typed: Some(_), .. } => {
            view.mark(&backslashes(view), "a backslash escapes the next sign")
        }
        _ => {
            let place =
                view.settings().and_then(|settings| settings.parameter("sslrootcert")?.place.as_ref());
            place.and_then(|place| view.mark(std::slice::from_ref(&place.value), "no such file"))
        }
    };
    Some(finding.mark(mark))
}

/// The backslashes of the root file's path that escape another sign, in bytes of the connection string.
fn backslashes(view: &View<'_>) -> Vec<Range<usize>> {
    let place = view.settings().and_then(|settings| settings.parameter("sslrootcert")?.place.clone());
    let (Some(place), Some(input)) = (place, &view.evidence.input) else { return Vec::new() };
    let mut spans = Vec::new();
    let mut at = place.value.start;
    while at < place.value.end {
        if input.expose().get(at) != Some(&b'\\') {
            at += 1;
            continue;
        }
        // A pair stands for one and loses nothing.
        if input.expose().get(at + 1) != Some(&b'\\') {
            spans.push(at..at + 1);
        }
        at += 2;
    }
    spans
}

fn root_unreadable(view: &View<'_>) -> Option<Finding> {
    unreadable(&view.trust()?.roots, &context(view))
}

fn root_invalid(view: &View<'_>) -> Option<Finding> {
    invalid(&view.trust()?.roots, &context(view))
}

fn root_expired(view: &View<'_>) -> Option<Finding> {
    let judgement = view.judgement()?;
    let (_, place) = judgement.defects.iter().find_map(|defect| match defect {
        Defect::Expired { at } => super::certificate::expired_root_of_file(judgement, *at),
        _ => None,
    })?;
    let file = view.store()?.certificates.get(place)?;
    let finding = expired(&[file], view.evidence.judged_at, &view.server())?;
    Some(finding.fixes(super::certificate::clock_fix(view, &judgement.defects)))
}

fn crl_invalid(view: &View<'_>) -> Option<Finding> {
    let judgement = view.judgement()?;
    let (list, fault) = judgement.defects.iter().find_map(|defect| match defect {
        Defect::CrlInvalid { list, fault, .. } => Some((list, fault)),
        _ => None,
    })?;
    let issuer = list.crl.facts().issuer.to_string();
    let path = path_text(&list.file);
    let (what, date) = match fault {
        CrlFault::Expired(date) => (format!("was due for renewal on {}", date.date()), Some(date.date())),
        CrlFault::NotYetValid(date) => (format!("counts only from {} on", date.date()), Some(date.date())),
        CrlFault::BadSignature => ("is not signed with the issuer's key".to_owned(), None),
        CrlFault::UnsupportedHere(what) => {
            (format!("is signed in a way this tool cannot verify ({what})"), None)
        }
        CrlFault::IssuerMayNotSign => ("comes from a CA whose keyUsage lacks cRLSign".to_owned(), None),
        CrlFault::OtherScope => ("covers other certificates (issuingDistributionPoint)".to_owned(), None),
        CrlFault::UnknownCriticalExtension => {
            ("has a critical extension that OpenSSL does not know".to_owned(), None)
        }
    };
    let fix = match fault {
        CrlFault::Expired(_)
        | CrlFault::BadSignature
        | CrlFault::UnknownCriticalExtension
        | CrlFault::OtherScope => {
            Fix::text("fetch the CA's present CRL and put it, as PEM, in the place of the old one")
        }
        CrlFault::NotYetValid(_) => {
            Fix::text("compare this machine's clock with the right time").run("date -u")
        }
        CrlFault::UnsupportedHere(_) => {
            Fix::text("let the CA sign its CRL with SHA-256 and RSA, ECDSA or Ed25519")
        }
        CrlFault::IssuerMayNotSign => {
            Fix::text("let the CA reissue its certificate with cRLSign in keyUsage")
        }
    };
    Some(
        Finding::titled(format!("the CRL of {} {what}", text::printable(&issuer)))
            .because("with CRL checking on, libpq refuses every certificate whose CRL is no good")
            .fact("path", format!("{path}, line {}", list.line))
            .fact("issuer", text::printable(&issuer))
            .fact_if("date", date)
            .fix(fix),
    )
}
