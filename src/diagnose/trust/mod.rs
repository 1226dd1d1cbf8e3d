//! The files: roots, client certificate and key, CRLs. libpq reads them after the server's `S`; what a chain shows of
//! them (an expired root, an unusable CRL) is judged with it.

mod client;

use std::ops::Range;

use super::certificate::{at_hand, crl_address, crl_download, crl_is_unwanted};
use super::code::{Code, Concern, Severity};
use super::root_file::{self, Context, expired, invalid, lacks_all, missing, order, unfit, unreadable};
use super::rule::{Finding, Rule};
use super::view::{View, path_text, store_name};
use super::{Diagnosis, Fix, look_alike};
use crate::conninfo::{Origin, RootChoice, SslMode};
use crate::stage::Stage;
use crate::text;
use crate::trust::{FileCrl, RootSource, RootStore, Roots};
use crate::verify::{CrlFault, Defect};

pub use client::*;

/// What libpq refuses on reading, in its order (initialize_SSL in fe-secure-openssl.c).
pub(super) const RULES: &[Rule] = &[
    Rule { code: &root_file::ROOT_FILE_MISSING, detect: root_missing },
    Rule { code: &root_file::ROOT_FILE_UNREADABLE, detect: root_unreadable },
    Rule { code: &root_file::ROOT_FILE_INVALID, detect: root_invalid },
    Rule { code: &client::DEFAULT_FILES_UNREADABLE, detect: client::default_files_unreadable },
    Rule { code: &client::CLIENT_CERT_INVALID, detect: client::certificate_invalid },
    Rule {
        code: &client::CLIENT_KEY_MISSING,
        detect: |view| client::key_missing(view).map(|found| client::with_leaf(view, found)),
    },
    Rule {
        code: &client::CLIENT_KEY_PERMISSIONS,
        detect: |view| client::key_permissions(view).map(|found| client::with_leaf(view, found)),
    },
    Rule {
        code: &client::CLIENT_KEY_MISMATCH,
        detect: |view| client::key_mismatch(view).map(|found| client::with_leaf(view, found)),
    },
    Rule {
        code: &client::CLIENT_KEY_INVALID,
        detect: |view| client::key_invalid(view).map(|found| client::with_leaf(view, found)),
    },
];

/// What only a chain shows.
pub(super) const JUDGED: &[Rule] = &[
    Rule { code: &root_file::ROOT_EXPIRED, detect: root_expired },
    Rule { code: &CRL_INVALID, detect: crl_invalid },
];

/// What only the end of authentication shows.
pub(super) const AUTHENTICATED: &[Rule] =
    &[Rule { code: &client::CLIENT_CERT_MISSING, detect: client::certificate_missing }];

/// `crl-invalid`.
pub const CRL_INVALID: Code = Code {
    name: "crl-invalid",
    severity: Severity::Failure,
    stage: Stage::Trust,
    title: "a required CRL is not valid",
    short: Some("a CRL is invalid"),
    concerns: &[Concern::Revocation],
    retryable: false,
};

/// `sslrootcert`, and where it was said.
fn said(view: &View<'_>, keyword: &str) -> String {
    match view.origin_words(keyword) {
        Some(origin) => format!("{keyword} from {origin}"),
        None => format!("found by default ({keyword} is not set)"),
    }
}

/// How the root file came to be looked at.
fn context<'a>(view: &View<'a>) -> Context<'a> {
    let root = view.settings().map(|settings| &settings.root);
    Context {
        from: Some(said(view, "sslrootcert")),
        variable: client::variable(view, "sslrootcert"),
        is_default: matches!(root, Some(RootChoice::Default(_))),
        by_tool: matches!(view.origin("sslmode"), Some(Origin::ToolDefault(_))),
        quoted: quoted_variables(view),
        server: view.server(),
    }
}

fn root_missing(view: &View<'_>) -> Option<Finding> {
    let roots = &view.trust()?.roots;
    let context = context(view);
    // Who forgot the quotes around a URL has given its first parameter alone.
    let cut = view.evidence.input.as_ref().is_some_and(|input| {
        let text = input.expose();
        context.is_default && text.starts_with(b"postgres") && text.contains(&b'?') && !text.contains(&b'&')
    });
    let mut finding = missing(roots, &context)?;
    if cut {
        finding = finding.first(Fix::text(
            "if the URL has more parameters than these: put it in single quotes, since a shell ends it at the first & outside of quotes",
        ));
    }
    if let Some(path) = view.evidence.typed.as_ref().and_then(|typed| typed.root_ignored()) {
        let fix = Fix::text(format!("give {} the root file in its own words", view.program()));
        finding = finding.first(fix.set("sslrootcert", path));
    }
    let finding = at_hand(view, Some(finding))?;
    if let Some(mended) = look_alike::mended_value(view, &finding, "sslrootcert") {
        return Some(mended);
    }
    let mark = match roots {
        Roots::Missing { typed: Some(_), .. } => {
            view.mark(&backslashes(view), "a backslash escapes the next character")
        }
        _ => {
            let place =
                view.settings().and_then(|settings| settings.parameter("sslrootcert")?.place.as_ref());
            place.and_then(|place| view.mark(std::slice::from_ref(&place.value), "no such file"))
        }
    };
    Some(finding.mark(mark))
}

/// The variables whose values are in quotation marks, which belong to the value.
fn quoted_variables(view: &View<'_>) -> Vec<&'static str> {
    let is_quoted = |value: &[u8]| matches!(value, [b'"', .., b'"'] | [b'\'', .., b'\'']);
    let password = view.host().and_then(|host| host.password.as_ref());
    let password = password.map(|known| (&known.origin, known.secret.expose()));
    let settings = view.settings().into_iter().flat_map(|settings| &settings.parameters);
    let set = settings.map(|known| (&known.origin, known.value.exposed()));
    let mut names = Vec::new();
    for (origin, value) in set.chain(password) {
        if let Origin::Environment(variable) = origin
            && is_quoted(value)
            && !names.contains(variable)
        {
            names.push(*variable);
        }
    }
    names
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

/// A root file with none of the roots that the host's provider uses now: no server of it can be verified.
pub(super) fn lacks_provider_roots(view: &View<'_>) -> Option<Diagnosis> {
    let (advice, store) = (view.provider_advice()?, view.store()?);
    lacks_all(&store_name(view), &advice, store, view.evidence.judged_at)
}

/// A root file in which no path can end, whatever a server sends: all of it has expired, or no root is in it.
pub(super) fn unfit_roots(view: &View<'_>) -> Option<Diagnosis> {
    let verifies = !matches!(view.mode, SslMode::Disable | SslMode::Allow | SslMode::Prefer);
    let is_whole = |store: &&RootStore| {
        store.directories.is_empty() && !matches!(store.source, RootSource::System { .. })
    };
    view.store().filter(is_whole).filter(|_| verifies)?;
    unfit(&view.trust()?.roots, view.evidence.judged_at, &context(view))
}

fn root_unreadable(view: &View<'_>) -> Option<Finding> {
    unreadable(&view.trust()?.roots, &context(view))
}

fn root_invalid(view: &View<'_>) -> Option<Finding> {
    invalid(&view.trust()?.roots, &context(view))
}

fn root_expired(view: &View<'_>) -> Option<Finding> {
    let judgement = view.judgement()?;
    let (at, (_, place)) = judgement.defects.iter().find_map(|defect| match defect {
        Defect::Expired { at } => Some((*at, super::certificate::expired_root_of_file(judgement, *at)?)),
        _ => None,
    })?;
    let file = view.store()?.certificates.get(place)?;
    let below = at.checked_sub(1).and_then(|below| judgement.path.get(below)).map(|link| &link.certificate);
    if let Some(hidden) = below.and_then(|below| super::certificate::hides_the_right_one(view, file, below)) {
        return Some(hidden);
    }
    let copies = judgement.path.iter().filter(|link| link.in_file.is_some()).map(|link| &link.certificate);
    let leads = format!("leads to {}, a root that has expired", file.certificate.short_subject());
    if let Some(found) = copies.into_iter().find_map(|copy| order(copy, view.store()?, &leads)) {
        return Some(found);
    }
    let finding = expired(&[file], view.evidence.judged_at, &view.server())?;
    Some(finding.fixes(super::certificate::clock_fix(view, &judgement.defects)))
}

/// A CRL in the place of one that is no good.
fn current_crl(view: &View<'_>, list: &FileCrl) -> Fix {
    let issued = view.tls().into_iter().flat_map(|tls| &tls.chain).find(|certificate| {
        let issuer = &list.crl.facts().issuer.canonical;
        certificate.facts().is_ok_and(|facts| facts.issuer.canonical == *issuer)
    });
    let address = issued.and_then(crl_address);
    let download = address.as_deref().map(|address| crl_download(address, "ca.crl"));
    let from = match address {
        Some(_) => "download the CA's current CRL as ca.crl (from the address that its certificates give)",
        None => {
            "get the CA's current CRL from its administrator (the certificates give no address) as ca.crl"
        }
    };
    let file = text::shell_quoted(&list.file.to_string_lossy());
    let lines = match cfg!(windows) {
        true => vec!["openssl crl -in ca.crl -out ca-crl.pem".to_owned()],
        false => vec![
            // The old one goes when the new one is at hand.
            format!(
                "openssl crl -in ca.crl -out ca-crl.pem && sed -i.bak '{},/-----END X509 CRL-----/d' {file} && cat ca-crl.pem >> {file}",
                list.line
            ),
        ],
    };
    Fix::text(format!(
        "{from} and put it, as PEM, in the place of the block that begins at line {} of {}; other CRLs in that file stay",
        list.line,
        path_text(&list.file)
    ))
    .run(download.into_iter().chain(lines).collect::<Vec<_>>().join("\n"))
}

fn crl_invalid(view: &View<'_>) -> Option<Finding> {
    let judgement = view.judgement()?;
    let (list, fault) = judgement.defects.iter().find_map(|defect| match defect {
        Defect::CrlInvalid { list, fault, .. } => Some((list, fault)),
        _ => None,
    })?;
    let issuer = list.crl.facts().issuer.to_string();
    let path = path_text(&list.file);
    let mut short = "a CRL is invalid";
    let (what, date) = match fault {
        CrlFault::Expired(date) => {
            short = "a CRL has expired";
            (format!("has expired (next update was due on {})", date.date()), Some(date.date()))
        }
        CrlFault::NotYetValid(date) => (format!("is valid only from {}", date.date()), Some(date.date())),
        CrlFault::BadSignature => ("is not signed with the issuer's key".to_owned(), None),
        CrlFault::UnsupportedHere(what) => {
            (format!("has a signature that pgtls-check cannot verify ({what})"), None)
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
        | CrlFault::OtherScope => current_crl(view, list),
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
            .in_short(short)
            .because("with CRL checking on, libpq rejects every certificate without a valid CRL")
            .fact("path", format!("{path}, line {}", list.line))
            .fact("issuer", text::printable(&issuer))
            .fact_if("due", date)
            .fix(fix)
            .fixes(crl_is_unwanted(view)),
    )
}
