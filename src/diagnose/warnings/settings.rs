//! What the settings ask for less than one may think.

use std::path::Path;

use crate::clients::dialect::Typed;
use crate::conninfo::{self, Notice, Place, SslMode};
use crate::diagnose::certificate::{crl, names_of};
use crate::diagnose::code::{Code, Severity};
use crate::diagnose::driver;
use crate::diagnose::passfile::passfile_fixes;
use crate::diagnose::root_file::root_sources;
use crate::diagnose::rule::Finding;
use crate::diagnose::rules::judge;
use crate::diagnose::view::{View, at_most, path_text, shown};
use crate::diagnose::{Fix, Mark};
use crate::evidence::{Answer, Question};
use crate::stage::Stage;
use crate::text;
use crate::trust::{Revocation, RootSource, Roots};
use crate::verify::Defect;

/// `passfile-ignored`.
pub const PASSFILE_IGNORED: Code = Code {
    name: "passfile-ignored",
    severity: Severity::Warning,
    stage: Stage::Config,
    title: "libpq ignores the password file",
    short: None,
    concerns: &[],
    retryable: false,
};

/// `gss-encryption-first`.
pub const GSS_ENCRYPTION_FIRST: Code = Code {
    name: "gss-encryption-first",
    severity: Severity::Warning,
    stage: Stage::Negotiate,
    title: "libpq requests GSSAPI encryption before TLS",
    short: None,
    concerns: &[],
    retryable: false,
};

/// `backslash-path`.
pub const BACKSLASH_PATH: Code = Code {
    name: "backslash-path",
    severity: Severity::Warning,
    stage: Stage::Trust,
    title: "psql would look for the root file at a different path",
    short: None,
    concerns: &[],
    retryable: false,
};

/// `crl-ignored`.
pub const CRL_IGNORED: Code = Code {
    name: "crl-ignored",
    severity: Severity::Warning,
    stage: Stage::Trust,
    title: "a CRL is configured, but revocation is not checked",
    short: None,
    concerns: &[],
    retryable: false,
};

/// `sslmode-not-verifying`.
pub const SSLMODE_NOT_VERIFYING: Code = Code {
    name: "sslmode-not-verifying",
    severity: Severity::Warning,
    stage: Stage::Config,
    title: "the sslmode verifies less than verify-full",
    short: None,
    concerns: &[],
    retryable: false,
};

fn notices<'v>(view: &View<'v>) -> impl Iterator<Item = &'v Notice> {
    view.settings().into_iter().flat_map(|settings| &settings.notices)
}

pub(super) fn passfile_ignored(view: &View<'_>) -> Vec<Finding> {
    notices(view)
        .filter_map(|notice| match notice {
            Notice::PassfileIgnored { path, mode, changeable } => Some((path, mode, *changeable)),
            _ => None,
        })
        .map(|(path, mode, changeable)| {
            let shown = path_text(path);
            match mode {
                Some(mode) => Finding::titled(format!(
                    "libpq ignores the password file {shown}: other users can read it"
                ))
                .fact("file", shown)
                .fact("mode", format!("{mode:04o}"))
                .fixes(passfile_fixes(path, Some(*mode), changeable)),
                None => Finding::titled(format!(
                    "libpq ignores the password file {shown}: it is not a regular file"
                ))
                .fact("file", shown)
                .fixes(passfile_fixes(path, None, changeable)),
            }
        })
        .collect()
}

/// Kerberos credentials that make libpq ask for GSSAPI encryption before TLS. What follows from each answer was measured with
/// libpq 15; later ones end where the server sends an error.
pub(super) fn gss_encryption_first(view: &View<'_>) -> Vec<Finding> {
    let credentials = notices(view).find_map(|notice| match notice {
        Notice::KerberosCredentials { name } => Some(text::printable(name)),
        _ => None,
    });
    let Some(credentials) = credentials else { return Vec::new() };
    let asked = view.evidence.looks.iter().find(|look| look.question == Question::GssRequest);
    let (answer, then) = match asked.map(|look| &look.answer) {
        Some(Answer::Byte(b'N')) => ("declined (N)", "with this server libpq goes on to TLS"),
        Some(Answer::Byte(b'G')) => (
            "accepted (G)",
            "this server accepts: if the credentials are valid for it, the session has no TLS, and neither the \
             sslmode nor the root file counts; if they are not, libpq connects again with TLS",
        ),
        Some(Answer::Byte(b'E')) => {
            ("an error (E)", "libpq 15 connects again with TLS; later releases may report an error instead")
        }
        Some(Answer::Ended(_)) => (
            "connection closed",
            "the listener closes the connection, and libpq fails before TLS: \"server closed the \
             connection unexpectedly\"",
        ),
        Some(Answer::TimedOut) => {
            ("none", "the listener does not respond, and libpq waits until connect_timeout")
        }
        Some(_) => (
            "not a PostgreSQL answer",
            "libpq fails before TLS: \"received invalid response to GSSAPI negotiation\"",
        ),
        None => ("not asked", "a server that accepts gets a session without TLS"),
    };
    vec![
        Finding::titled(GSS_ENCRYPTION_FIRST.title)
            .because(format!(
                "libpq built with GSSAPI finds the Kerberos credentials {credentials} and sends GSSENCRequest before \
                 SSLRequest; {then}; pgtls-check itself connects as with gssencmode=disable"
            ))
            .fact("credentials", credentials)
            .fact("answer_to_gssencrequest", answer)
            .fix(Fix::text("always use TLS").set("gssencmode", "disable")),
    ]
}

pub(super) fn backslash_path(view: &View<'_>) -> Vec<Finding> {
    let Some(RootSource::GivenAsTyped { typed, parsed }) = view.store().map(|store| &store.source) else {
        return Vec::new();
    };
    let given = typed.to_string_lossy().into_owned();
    vec![
        Finding::titled(
            "psql would look for the root file at another path: a backslash escapes the next character",
        )
        .fact("given", path_text(typed))
        .fact("psql_reads", path_text(parsed))
        .fix(Fix::default().set("sslrootcert", given.replace('\\', "/")))
        .fix(Fix::default().set("sslrootcert", given)),
    ]
}

/// Where libpq, without a word, checks less than the CRLs given let one think.
pub(super) fn crl_ignored(view: &View<'_>) -> Vec<Finding> {
    let Some(trust) = view.trust() else { return Vec::new() };
    match &trust.revocation {
        Revocation::Off => Vec::new(),
        Revocation::Ignored { path, why } => {
            let keyword = match view.settings().and_then(|settings| settings.parameter("sslcrl")) {
                Some(parameter) if !parameter.value.is_empty() => "sslcrl",
                _ => "sslcrldir",
            };
            let from =
                view.origin_words(keyword).map(|origin| format!(" (from {origin})")).unwrap_or_default();
            let fixes = match trust.roots {
                Roots::None => {
                    vec![Fix::text("set sslrootcert too: CRLs are used only when a chain is verified")]
                }
                _ => vec![
                    current_crls(view, keyword, &from),
                    Fix::text(format!("if revocation need not be checked: remove {keyword}{from}"))
                        .set(keyword, ""),
                ],
            };
            vec![
                Finding::titled(format!("revocation is not checked: libpq ignores {}", path_text(path)))
                    .fact("path", path_text(path))
                    .fact("why", text::printable(why))
                    .fixes(fixes),
            ]
        }
        // OpenSSL puts delta lists aside only for those that ask for extended CRL support, which libpq does not.
        Revocation::On { lists, .. } => {
            let deltas = lists.iter().filter(|list| list.crl.facts().delta);
            let places = deltas.map(|list| format!("{}, line {}", path_text(&list.file), list.line));
            let places = at_most(5, places);
            if places.is_empty() {
                return Vec::new();
            }
            vec![
                Finding::titled(
                    "libpq reads the delta CRL as a complete one: certificates revoked before it pass",
                )
                .fact("delta_lists", places)
                .fix(Fix::text("give the CA's complete CRL instead")),
            ]
        }
    }
}

/// The file of a CRL in DER.
fn der_list<'a>(view: &View<'a>) -> Option<&'a Path> {
    match &view.trust()?.revocation {
        Revocation::Ignored { path, why } if why.starts_with("it is DER") => Some(path),
        _ => None,
    }
}

/// The CRLs of the chain as one file, from where its certificates say.
fn current_crls(view: &View<'_>, keyword: &str, from: &str) -> Fix {
    let sent = view.tls().map(|tls| tls.chain.as_slice()).unwrap_or_default();
    let addresses: Vec<String> = sent.iter().filter_map(crl::address).collect();
    let text = format!(
        "to check revocation: set {keyword}{from} to {} with the current CRL of every CA of the chain in PEM",
        if keyword == "sslcrl" { "a file" } else { "a directory made by openssl rehash" },
    );
    if let Some(path) = der_list(view) {
        let pem = format!("{}.pem", path.with_extension("").display());
        return Fix::text(format!(
            "to check revocation: convert that file to PEM, and set {keyword}{from} to it"
        ))
        .run_words(["openssl", "crl", "-inform", "DER", "-in", &path.to_string_lossy(), "-out", &pem])
        .set("sslcrl", pem);
    }
    match addresses.is_empty() || keyword != "sslcrl" {
        true => Fix::text(format!("{text}, which the CA's administrator has")),
        false => Fix::text(format!("{text}; these CRLs are the ones that the certificates name")).run(
            addresses
                .iter()
                .enumerate()
                .map(|(at, address)| {
                    let file = format!("crl-{}", at + 1);
                    format!("{} && openssl crl -in {file} >> crl.pem", crl::download(address, &file))
                })
                .collect::<Vec<_>>()
                .join("\n"),
        ),
    }
}

/// What no root file changes: the certificate is for other names.
fn other_name(view: &View<'_>) -> String {
    let defects = view.judgement().map(|judgement| judgement.defects.as_slice()).unwrap_or_default();
    let host = defects.iter().find_map(|defect| match defect {
        Defect::NameMismatch { host, .. } => Some(host),
        _ => None,
    });
    let leaf = view.tls().and_then(|tls| tls.chain.first());
    let Some((host, leaf)) = host.zip(leaf) else { return String::new() };
    let names = at_most(3, names_of(leaf)).join(", ");
    format!(", and the certificate is not valid for \"{}\" either: its names are {names}", shown(host))
}

/// A string that takes its own verify-full back.
pub(super) fn lowered(view: &View<'_>) -> Vec<Finding> {
    let input = view.evidence.input.as_ref().map(|input| input.expose()).unwrap_or_default();
    // A driver reads its string by its own rules.
    let is_drivers = view.evidence.typed.as_deref().is_some_and(|typed| typed.reading().is_some());
    let Some(found) = conninfo::lowered(input).filter(|_| !is_drivers) else {
        return Vec::new();
    };
    // An option or another string may set it again.
    let set = view.settings().and_then(|settings| settings.parameter("sslmode"));
    if set.is_some_and(|set| set.value.exposed() != found.counts.value.as_bytes()) {
        return Vec::new();
    }
    let words = |place: &Place| {
        text::printable_bytes(input.get(place.keyword.start..place.value.end).unwrap_or_default())
    };
    let (strict, counts) = (words(&found.strict.place), words(&found.counts.place));
    let mode = text::printable_bytes(found.counts.value.as_bytes());
    let means = match counts == format!("sslmode={mode}") {
        true => String::new(),
        false => format!(", which means sslmode={mode},"),
    };
    let span = found.counts.place.keyword.start..found.counts.place.value.end;
    let masked = conninfo::mask(input, std::slice::from_ref(&span));
    vec![
        Finding::titled(format!("{counts} takes {strict} back"))
            .because(format!(
                "of several sslmodes in a string the last counts: {counts}{means} stands after {strict}"
            ))
            .mark(Some(Mark {
                text: masked.text,
                spans: masked.spans,
                label: "the last one counts".to_owned(),
            }))
            .fix(Fix::text(format!("remove {counts}, and verify the server")).set("sslmode", "verify-full")),
    ]
}

fn roots_named(file: &str) -> String {
    if file == "system" { "the system's roots".to_owned() } else { text::printable(file) }
}

pub(super) fn not_verifying(view: &View<'_>) -> Vec<Finding> {
    if !lowered(view).is_empty() {
        return Vec::new();
    }
    let typed = view.evidence.typed.as_deref();
    let decision = typed.and_then(Typed::decision);
    // A driver that is content with plaintext where no TLS is offered verifies nothing then.
    if decision.map_or(view.mode == SslMode::VerifyFull, |decision| decision.demand.verifies()) {
        return Vec::new();
    }
    let mode = view.mode.name();
    let chain = view.judgement().is_some_and(|judgement| judgement.verifies);
    let of_driver = typed.and_then(driver::not_verifying);
    let title = match (view.mode, chain) {
        (SslMode::VerifyCa, _) => format!("sslmode={mode} verifies the chain but not the host name"),
        (_, true) => {
            format!("sslmode={mode} verifies the chain, because a root file exists, but not the host name")
        }
        (SslMode::Prefer | SslMode::Allow, false) => {
            format!("sslmode={mode} verifies nothing and falls back to no TLS")
        }
        (_, false) => format!("sslmode={mode} encrypts and verifies nothing"),
    };
    let full = View { mode: SslMode::VerifyFull, ..*view };
    let unused = driver::unused_roots(view).filter(|_| !chain);
    let would = if let Some(file) = unused {
        format!("tried below, with {}", roots_named(file))
    } else if !chain {
        format!("would fail: there is no root file to verify with{}", other_name(view))
    } else {
        match view.judgement().filter(|judgement| !judgement.accepted_under(SslMode::VerifyFull)) {
            None => "would succeed".to_owned(),
            Some(_) => judge(&full).map_or("would fail".to_owned(), |found| {
                format!("would fail: {}, {}", found.code, found.title)
            }),
        }
    };
    let mut verify = Fix::text("verify the server").set("sslmode", "verify-full");
    if let Some(file) = unused {
        verify = verify.set("sslrootcert", file);
    }
    let roots = if chain || unused.is_some() { Vec::new() } else { root_sources(&full.server()) };
    let roots = roots.into_iter().filter(|fix| !fix.settings.is_empty()).take(1);
    let together = roots.map(|mut fix| {
        fix.settings.retain(|(keyword, _)| *keyword != "sslmode");
        fix.settings.insert(0, ("sslmode", "verify-full".to_owned()));
        fix
    });
    let together: Vec<Fix> = together.collect();
    let fixes = if together.is_empty() { vec![verify] } else { together };
    if let Some(finding) = of_driver {
        return vec![finding.fact("verify_full", would).fixes(fixes)];
    }
    let mut warning = Finding::titled(title).fact("verify_full", would);
    if let Some(origin) = view.origin_words("sslmode") {
        warning = warning.fact("from", origin);
    }
    vec![warning.fixes(fixes)]
}
