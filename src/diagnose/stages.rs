//! The nine lines of a report: how each stage ended and what is to be known of it.

use std::time::Duration;

use super::driver;
use super::view::{Reachability, View, file_name, reachability, store_name};
use super::{Diagnosis, StageReport, StageStatus, Warning};
use crate::conninfo::{Origin, SslMode};
use crate::evidence::SessionFailure;
use crate::evidence::{NegotiateResult, Resolution, Step, TcpResult, TlsFailure};
use crate::stage::Stage;
use crate::text;
use crate::trust::{ClientIdentity, Roots, ServerFiles};

/// The stages of the last attempt.
pub(super) fn reports(
    view: &View<'_>,
    diagnosis: Option<&Diagnosis>,
    also: &[Diagnosis],
    warnings: &[Warning],
) -> Vec<StageReport> {
    Stage::ALL
        .into_iter()
        .map(|stage| {
            let failed = diagnosis.filter(|diagnosis| diagnosis.code.stage == stage);
            let beside = also.iter().any(|other| other.code.stage == stage);
            let reached = reached(view, stage);
            let warned = warnings.iter().any(|warning| warning.code.stage == stage);
            let status = match (failed, &reached) {
                (Some(_), _) => StageStatus::Failed,
                // A file at fault shows in its stage, whatever came before it.
                (None, _) if beside && stage == Stage::Trust => StageStatus::Failed,
                (None, None) => StageStatus::Skipped,
                (None, Some(_)) if warned => StageStatus::Warning,
                (None, Some(_)) => StageStatus::Ok,
            };
            let detail = match failed {
                Some(failed) => failed.short.clone(),
                None if beside && stage == Stage::Trust => also
                    .iter()
                    .find(|other| other.code.stage == stage)
                    .map(|other| other.short.clone())
                    .unwrap_or_default(),
                None => reached.clone().unwrap_or_else(|| skip_detail(view, stage)),
            };
            // Judging takes no time worth telling where it fails.
            let timed = reached.is_some() || (failed.is_some() && stage != Stage::Certificate);
            StageReport { stage, status, milliseconds: took(view, stage).filter(|_| timed), detail }
        })
        .collect()
}

fn milliseconds(took: Duration) -> f64 {
    took.as_secs_f64() * 1000.0
}

fn took(view: &View<'_>, stage: Stage) -> Option<f64> {
    fn of<T>(step: &Option<Step<T>>) -> Option<Duration> {
        step.as_ref().map(|step| step.took)
    }
    let attempt = view.attempt?;
    let took = match stage {
        Stage::Config | Stage::Trust => None,
        Stage::Dns => of(&attempt.dns),
        Stage::Tcp => of(&attempt.tcp),
        Stage::Negotiate => of(&attempt.negotiate),
        Stage::Tls => of(&attempt.tls),
        Stage::Certificate => view.tls().and_then(|tls| tls.judging),
        Stage::Auth => {
            let whole = of(&attempt.session);
            view.session().and_then(|session| session.authenticated).or(whole)
        }
        Stage::Session => {
            let session = view.session()?;
            let whole = of(&attempt.session);
            session.authenticated.and_then(|from| session.ready.or(whole)?.checked_sub(from))
        }
    };
    took.map(milliseconds)
}

/// What is to be known of a stage that went well; `None` if it was not reached.
fn reached(view: &View<'_>, stage: Stage) -> Option<String> {
    view.settings()?;
    let is_sent = matches!(stage, Stage::Dns | Stage::Tcp | Stage::Negotiate | Stage::Tls);
    if is_sent && view.rehearsal().is_some() {
        return None;
    }
    match stage {
        Stage::Config => {
            let mode = match view.origin("sslmode") {
                Some(origin @ Origin::ToolDefault(_)) => {
                    format!("{}, {}", view.mode.name(), origin.phrase())
                }
                _ => view.mode.name().to_owned(),
            };
            let words = view.evidence.typed.as_deref().and_then(|typed| driver::read_as(typed, &mode));
            Some(words.unwrap_or(mode))
        }
        Stage::Trust => roots(view),
        Stage::Dns => address(view),
        Stage::Tcp => {
            let Some(TcpResult::Connected { .. }) = view.tcp() else { return None };
            let address = match (&view.attempt?.dns, view.address()) {
                (None, Some(address)) => format!("{address} "),
                _ => String::new(),
            };
            Some(format!("{address}port {}", view.port()))
        }
        Stage::Negotiate if view.direct() => view.tls().map(|_| "TLS at once".to_owned()),
        Stage::Negotiate => {
            (view.negotiate()? == &NegotiateResult::Accepted).then(|| "TLS offered".to_owned())
        }
        Stage::Tls => handshake(view),
        Stage::Certificate => certificate(view),
        Stage::Auth => {
            let session = view.session()?;
            session.authenticated?;
            Some(match session.requested.last() {
                Some(request) => format!("{} as {}", super::auth::method_name(request), view.user()),
                None => format!("no password requested for {}", view.user()),
            })
        }
        Stage::Session => {
            let session = view.session()?;
            session.ready?;
            let version = session
                .server_version
                .as_deref()
                .map(|version| format!("PostgreSQL {}", text::printable(version)));
            Some(version.unwrap_or_else(|| "established".to_owned()))
        }
    }
}

/// The address that was used, and of how many.
fn address(view: &View<'_>) -> Option<String> {
    match &view.attempt?.dns.as_ref()?.result {
        Resolution::Found(found) => {
            let address = view.address().or(found.first().copied())?;
            let kind = match reachability(address) {
                Reachability::Private => ", a private address",
                Reachability::Loopback | Reachability::Public => "",
            };
            let place = found.iter().position(|other| *other == address);
            let count = match (found.len(), place) {
                (2.., Some(place)) => format!(" · {} of {}", place + 1, found.len()),
                _ => String::new(),
            };
            Some(format!("{address}{kind}{count}"))
        }
        Resolution::Failed { .. } | Resolution::TimedOut => None,
    }
}

/// Version, cipher suite and group of a handshake that came to its end.
fn handshake(view: &View<'_>) -> Option<String> {
    let tls = view.tls()?;
    let good = matches!(tls.failure, None | Some(TlsFailure::CertificateRefused));
    let parts = [
        tls.version.map(|version| version.name().to_owned()),
        tls.cipher.as_deref().map(suite_name),
        tls.group.as_deref().map(text::printable),
    ];
    good.then(|| parts.into_iter().flatten().collect::<Vec<_>>().join(" · "))
}

/// The root file and what is in it.
fn roots(view: &View<'_>) -> Option<String> {
    let trust = view.trust()?;
    let Roots::Loaded(store) = &trust.roots else { return None };
    if matches!(trust.client, ClientIdentity::Failed(..)) {
        return None;
    }
    let server = match view.rehearsal() {
        Some(rehearsal) if !rehearsal.files.faults.is_empty() => return None,
        Some(rehearsal) => format!("{}; ", server_files(&rehearsal.files)),
        None => String::new(),
    };
    let file = store_name(view);
    let roots = match store.certificates.len() {
        1 => "1 root".to_owned(),
        count => format!("{count} roots"),
    };
    let client = match &trust.client {
        ClientIdentity::Ready(_) => " · client certificate",
        _ => "",
    };
    let assumed = view.evidence.typed.as_deref().and_then(driver::assumed);
    let assumed = assumed.map(|words| format!(" · {words}")).unwrap_or_default();
    Some(format!("{server}{file} · {roots}{client}{assumed}"))
}

/// The files of a server that is still to be.
fn server_files(files: &ServerFiles) -> String {
    let counted = |count: usize, one: &str, many: &str| match count {
        1 => format!("1 {one}"),
        _ => format!("{count} {many}"),
    };
    let mut words = format!(
        "{} · {}",
        file_name(&files.certificate_file),
        counted(files.certificates.len(), "certificate", "certificates")
    );
    if files.key.as_ref().is_some_and(|key| key.fits == Some(true)) {
        words.push_str(" · key fits");
    }
    if let Some(store) = &files.authorities {
        words.push_str(" · ");
        words.push_str(&counted(store.certificates.len(), "client CA", "client CAs"));
    }
    words
}

fn certificate(view: &View<'_>) -> Option<String> {
    let judgement = view.judgement().filter(|judgement| judgement.accepted)?;
    if view.mode < SslMode::VerifyCa && !judgement.verifies {
        return None;
    }
    let ends = judgement
        .path
        .iter()
        .filter_map(|link| link.certificate.facts().ok())
        .map(|facts| facts.not_after)
        .min()?;
    let days = ends.days_since(view.evidence.judged_at);
    let root = judgement.path.last().map(|link| link.certificate.short_subject()).unwrap_or_default();
    let root = if judgement.path.len() > 1 { format!("to {root}") } else { "itself in your file".to_owned() };
    Some(format!("{root} · {} left", if days == 1 { "1 day".to_owned() } else { format!("{days} days") }))
}

/// `TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384` and `TLS_AES_256_GCM_SHA384` as `AES-256-GCM`.
fn suite_name(suite: &str) -> String {
    let name =
        suite.split_once("_WITH_").map_or_else(|| suite.trim_start_matches("TLS_"), |(_, cipher)| cipher);
    let name = name.rsplit_once("_SHA").map_or(name, |(cipher, _)| cipher);
    text::printable(&name.replace("_POLY1305", "-Poly1305").replace("CHACHA20", "ChaCha20").replace('_', "-"))
}

/// Why a stage was not reached, where it is not the failure before it.
fn skip_detail(view: &View<'_>, stage: Stage) -> String {
    if view.settings().is_none() {
        return String::new();
    }
    match stage {
        Stage::Trust => match view.trust().map(|trust| &trust.roots) {
            Some(Roots::None) if view.mode > SslMode::Disable => {
                "no root file, nothing is verified".to_owned()
            }
            _ => String::new(),
        },
        Stage::Certificate if view.judgement().is_some_and(|judgement| judgement.accepted) => {
            format!("{} does not verify it", driver::said(view))
        }
        Stage::Auth if view.session_failure() == Some(&SessionFailure::PasswordNeeded) => {
            let why = super::auth::useless_passfile(view).map(|why| format!(": {why}")).unwrap_or_default();
            format!("the server requests a password, none is available{why}")
        }
        Stage::Auth
            if view.evidence.scope.tls_only
                && view.rehearsal().is_none()
                && view.tls().is_some_and(|tls| tls.failure.is_none()) =>
        {
            "not asked for (--tls-only)".to_owned()
        }
        _ => String::new(),
    }
}
