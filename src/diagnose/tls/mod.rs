//! The TLS handshake, apart from judging the certificate.

mod client_certificate;

pub use client_certificate::*;

use super::certificate::{host_name_of, named, reissue};
use super::code::{Code, Concern, Severity};
use super::fingerprints::{first_bytes, recognise};
use super::fix::{RELOAD, in_the_log, is_local, log_connections, provider_hints, to_the_server, who_listens};
use super::rule::{Finding, Rule};
use super::said::{Gateway, gateway};
use super::suites::{self, OFFERED};
use super::view::{View, path_text, seconds, shown_value};
use super::{Fix, alerts};
use crate::certificate::{Certificate, GeneralName, KeyKind};
use crate::conninfo::{OpenSslConfig, Origin, Settings, TlsVersion};
use crate::evidence::{
    Answer, Closure, HelloOffer, HelloPurpose, InFlight, Question, SessionFailure, TlsFailure, TlsRecord,
};
use crate::provider::Situation;
use crate::stage::Stage;
use crate::text;
use crate::verify::{CrlFault, Defect, matches_name};

pub(super) const RULES: &[Rule] = &[
    Rule { code: &SNI_UNRECOGNIZED, detect: sni_unrecognized },
    Rule {
        code: &client_certificate::CLIENT_CERT_REQUIRED,
        detect: client_certificate::certificate_required,
    },
    Rule {
        code: &client_certificate::CLIENT_CERT_REJECTED,
        detect: client_certificate::certificate_rejected,
    },
    Rule { code: &ALPN_REJECTED, detect: alpn_rejected },
    Rule { code: &TLS_VERSION_UNSUPPORTED, detect: no_version_left },
    Rule { code: &TLS_VERSION_UNSUPPORTED, detect: version_unsupported },
    Rule { code: &TLS_NO_SHARED_CIPHER, detect: nothing_to_offer },
    Rule { code: &TLS_UNSUPPORTED_HERE, detect: unsupported_here },
    Rule { code: &TLS_NO_SHARED_CIPHER, detect: no_shared_cipher },
    Rule { code: &TLS_TIMEOUT, detect: timeout },
    Rule { code: &TLS_CLOSED, detect: closed },
    Rule { code: &TLS_PROTOCOL_ERROR, detect: protocol_error },
];

/// What a chain shows.
pub(super) const JUDGED: &[Rule] = &[
    Rule { code: &TLS_UNSUPPORTED_HERE, detect: unsupported_here },
    Rule { code: &SNI_UNRECOGNIZED, detect: sni_unrecognized },
];

/// What the server says about certificates and names only after the handshake.
pub(super) const AFTERWARDS: &[Rule] = &[
    Rule {
        code: &client_certificate::CLIENT_CERT_REQUIRED,
        detect: client_certificate::certificate_required,
    },
    Rule {
        code: &client_certificate::CLIENT_CERT_REJECTED,
        detect: client_certificate::certificate_rejected,
    },
    Rule { code: &SNI_UNRECOGNIZED, detect: sni_unrecognized },
    Rule { code: &TLS_VERSION_UNSUPPORTED, detect: version_refused },
];

/// `tls-version-unsupported`.
pub const TLS_VERSION_UNSUPPORTED: Code = Code {
    name: "tls-version-unsupported",
    severity: Severity::Failure,
    stage: Stage::Tls,
    title: "client and server have no TLS version in common",
    short: None,
    concerns: &[],
    retryable: false,
};

/// `tls-no-shared-cipher`.
pub const TLS_NO_SHARED_CIPHER: Code = Code {
    name: "tls-no-shared-cipher",
    severity: Severity::Failure,
    stage: Stage::Tls,
    title: "client and server have no cipher suite, group or signature algorithm in common",
    short: Some("nothing in common"),
    concerns: &[],
    retryable: false,
};

/// `sni-unrecognized`.
pub const SNI_UNRECOGNIZED: Code = Code {
    name: "sni-unrecognized",
    severity: Severity::Failure,
    stage: Stage::Tls,
    title: "the server does not recognise the server name (SNI)",
    short: Some("server name (SNI) not recognised"),
    concerns: &[],
    retryable: false,
};

/// `alpn-rejected`.
pub const ALPN_REJECTED: Code = Code {
    name: "alpn-rejected",
    severity: Severity::Failure,
    stage: Stage::Tls,
    title: "the server rejects the ALPN protocol \"postgresql\"",
    short: Some("ALPN protocol rejected"),
    concerns: &[],
    retryable: false,
};

/// `tls-timeout`.
pub const TLS_TIMEOUT: Code = Code {
    name: "tls-timeout",
    severity: Severity::Failure,
    stage: Stage::Tls,
    title: "the TLS handshake stalled",
    short: Some("silence"),
    concerns: &[Concern::Deadline],
    retryable: true,
};

/// `tls-closed`.
pub const TLS_CLOSED: Code = Code {
    name: "tls-closed",
    severity: Severity::Failure,
    stage: Stage::Tls,
    title: "the connection was closed during the TLS handshake",
    short: None,
    concerns: &[],
    retryable: true,
};

/// `tls-protocol-error`.
pub const TLS_PROTOCOL_ERROR: Code = Code {
    name: "tls-protocol-error",
    severity: Severity::Failure,
    stage: Stage::Tls,
    title: "the server's bytes are not TLS or violate the protocol",
    short: None,
    concerns: &[],
    retryable: false,
};

/// `tls-unsupported-here`.
pub const TLS_UNSUPPORTED_HERE: Code = Code {
    name: "tls-unsupported-here",
    severity: Severity::Failure,
    stage: Stage::Tls,
    title: "the server requires TLS features that pgtls-check does not have",
    short: Some("the server requires TLS features that pgtls-check does not have"),
    concerns: &[],
    retryable: false,
};

/// Second looks with a hello of a purpose, and their answers.
fn looks<'a>(view: &View<'a>, purpose: HelloPurpose) -> impl Iterator<Item = (&'a HelloOffer, &'a Answer)> {
    view.evidence.looks.iter().filter_map(move |look| match &look.question {
        Question::Hello(offer) if offer.purpose == purpose => Some((offer, &look.answer)),
        _ => None,
    })
}

/// Whether what two purposes' hellos differ in makes the difference: the one was answered with a ServerHello, and the other
/// with none, each every time and more than once. Of a single answer, or the lack of one, nothing follows (the server may
/// be busy, or one of several), nor of an answer that was cut: it may have been any.
fn only_answered(view: &View<'_>, answered: HelloPurpose, unanswered: HelloPurpose) -> bool {
    let without: Vec<_> = looks(view, unanswered).collect();
    always_answered(view, answered) && without.len() > 1 && without.iter().all(|(_, answer)| is_none(answer))
}

/// Whether a hello of this purpose was answered with a ServerHello each time and more than once.
fn always_answered(view: &View<'_>, purpose: HelloPurpose) -> bool {
    let Some((offer, _)) = looks(view, purpose).find(|(_, answer)| is_hello(answer)) else { return false };
    let same = || looks(view, purpose).filter(|(other, _)| *other == offer);
    same().count() > 1 && same().all(|(_, answer)| is_hello(answer))
}

/// Whether one of a purpose's hellos was answered with a ServerHello.
fn answered(view: &View<'_>, purpose: HelloPurpose) -> bool {
    looks(view, purpose).any(|(_, answer)| is_hello(answer))
}

fn is_hello(answer: &Answer) -> bool {
    matches!(answer, Answer::ServerHello { .. })
}

/// Whether nothing of a ServerHello came.
fn is_none(answer: &Answer) -> bool {
    matches!(answer, Answer::Alert(_) | Answer::Ended(_) | Answer::TimedOut)
}

fn versions(versions: &[TlsVersion]) -> String {
    versions.iter().map(|version| version.name()).collect::<Vec<_>>().join(", ")
}

fn sni_words(tls: Option<&TlsRecord>) -> String {
    match tls.and_then(|tls| tls.offer.sni.as_deref()) {
        Some(name) => text::printable(name),
        None => "none".to_owned(),
    }
}

/// Alert unrecognized_name, a handshake that works under another name, another certificate under another name, or a
/// proxy that says it was told none.
fn sni_unrecognized(view: &View<'_>) -> Option<Finding> {
    let tls = view.tls();
    let sent = sni_words(tls);
    let told = || {
        let Some(SessionFailure::Server(message)) = view.session_failure() else { return None };
        gateway(message)
            .is_some_and(|found| found.means == Gateway::NoServerName)
            .then(|| text::printable(&message.message))
    };
    let works_with = || {
        let differs = only_answered(view, HelloPurpose::ServerName, HelloPurpose::Unsupported);
        looks(view, HelloPurpose::ServerName).find(|_| differs).map(|(offer, _)| offer.sni.clone())
    };
    // The alert names the reason, unless the same name is answered, or is without ALPN.
    let named = view.alert() == Some(112)
        && !answered(view, HelloPurpose::Unsupported)
        && (view.direct() || !only_answered(view, HelloPurpose::Alpn, HelloPurpose::Unsupported));
    let (cause, evidence) = if named {
        (
            "the server, or a proxy in front of it, routes by the name in the handshake (SNI) and does not know this one"
                .to_owned(),
            None,
        )
    } else if let Some(with) = works_with() {
        let with = with
            .map_or("without a name".to_owned(), |name| format!("with the name {}", text::printable(&name)));
        ("the handshake continues under another name".to_owned(), Some(("works", with)))
    } else if let Some(other) = other_certificate(view) {
        (
            "the server has a certificate for this host and presents it only if the client sends the name (SNI)".to_owned(),
            Some(("under_the_name", other)),
        )
    } else {
        let message = told()?;
        (
            "a proxy in front of the server routes by the name in the handshake (SNI) and got none"
                .to_owned(),
            Some(("server_says", message)),
        )
    };
    let off = view.settings().is_some_and(|settings| !settings.sni);
    let mut fixes = provider_hints(view, Situation::ServerNameMissing, None);
    if off {
        fixes.insert(0, Fix::text("send the name").set("sslsni", "1"));
    } else if view.dns_name().is_none() {
        fixes.insert(0, Fix::text("set host to the server's name; for an address no name is sent"));
    } else {
        fixes.insert(0, right_name(view));
    }
    let finding = Finding::titled(match sent.as_str() {
        "none" => "the server requires its name in the handshake (SNI), and none was sent".to_owned(),
        sent => format!("the server does not know the name {sent}"),
    });
    let switched_off = off.then(|| view.origin_words("sslsni")).flatten();
    let switched_off = switched_off.map(|origin| format!("sslsni=0, from {origin}"));
    Some(
        finding
            .because(cause)
            .fact("name_sent", sent)
            .fact_if("switched_off_by", switched_off)
            .fact_if_some(evidence)
            .fixes(fixes),
    )
}

/// What host should be, as far as the server shows it to those who name no server.
fn right_name(view: &View<'_>) -> Fix {
    let unnamed = looks(view, HelloPurpose::Unnamed).find_map(|(_, answer)| match answer {
        Answer::ServerHello { leaf: Some(leaf), .. } => host_name_of(leaf),
        _ => None,
    });
    match unnamed {
        Some(name) => Fix::text(format!(
            "correct host, which is the name that is sent: clients that send none get the certificate of {name}; if that is the \
             server you mean, use its name"
        ))
        .set("host", name)
        .by_its_own_word(),
        None => Fix::text(
            "correct host, which is the name that is sent; the server's administrator or its provider's page has the right one",
        ),
    }
}

/// For a certificate that is for another host: the one shown under the host's own name, if it fits.
fn other_certificate(view: &View<'_>) -> Option<String> {
    let host = view.dns_name()?;
    let amiss = view.judgement()?.defects.iter().any(|defect| matches!(defect, Defect::NameMismatch { .. }));
    let fits = |leaf: &Certificate| {
        let facts = leaf.facts().ok();
        let names = facts.and_then(|facts| facts.sans.as_deref()).unwrap_or_default();
        names.iter().any(|name| matches!(name, GeneralName::Dns(name) if matches_name(name, host.as_bytes())))
    };
    let shown = |purpose| {
        looks(view, purpose).find_map(|(offer, answer)| match answer {
            Answer::ServerHello { leaf: Some(leaf), .. } => Some((offer, leaf)),
            _ => None,
        })
    };
    // Told the name, and told none.
    let (offer, named) = shown(HelloPurpose::ServerName).filter(|_| amiss)?;
    let (_, unnamed) = shown(HelloPurpose::Unsupported)?;
    let differs = offer.sni.as_deref() == Some(host.as_str()) && fits(named) && !fits(unnamed);
    differs.then(|| named.short_subject())
}

/// A server, or the proxy before it, that refuses the TLS version in words, when the handshake is over.
fn version_refused(view: &View<'_>) -> Option<Finding> {
    let Some(SessionFailure::Server(message)) = view.session_failure() else { return None };
    gateway(message).filter(|found| found.means == Gateway::TlsTooOld)?;
    let used = view.tls()?.version.map_or("not known", TlsVersion::name);
    let settings = view.settings()?;
    let is_newest = view.tls()?.version == Some(TlsVersion::Tls13);
    let finding = Finding::titled(format!("the server refuses {used}: its minimum TLS version is higher"))
        .because(
            "the handshake succeeded, and then the server, or the proxy in front of it, rejected the connection for its \
             TLS version",
        )
        .fact("used", used)
        .fact("server_says", text::printable(&message.message));
    let finding = match settings.max_tls {
        Some(_) => finding.fix(
            Fix::text("allow this client the newest TLS version").set("ssl_max_protocol_version", "TLSv1.3"),
        ),
        None => finding,
    };
    Some(
        finding
            .fixes(is_newest.then(|| {
                Fix::text(
                    "TLS 1.3 is the newest version: a proxy in between probably uses an older one to the server; raise its \
                     minimum version there",
                )
            }))
            .fix(Fix::text(
                "at the provider: lower the minimum TLS version (ssl_min_protocol_version) to TLSv1.2 at least",
            )),
    )
}

/// OpenSSL's configuration and libpq's options exclude each other: libpq fails before its ClientHello.
fn no_version_left(view: &View<'_>) -> Option<Finding> {
    let settings = view.settings().filter(|_| view.tls().is_some_and(|tls| tls.offer.versions.is_empty()))?;
    let limit = settings.configured_limit()?;
    let file = path_text(&settings.openssl.as_ref()?.file);
    Some(
        Finding::titled("the OpenSSL configuration leaves no TLS version to offer")
            .because(format!("{limit} comes from {file}, and libpq offers TLS 1.2 and later"))
            .fact("offered", "none")
            .fix(Fix::text(format!("remove the line from {file}"))),
    )
}

fn version_unsupported(view: &View<'_>) -> Option<Finding> {
    let tls = view.tls()?;
    let offered = &tls.offer.versions;
    let outside = |version: &TlsVersion| !offered.contains(version);
    let differs = only_answered(view, HelloPurpose::Version, HelloPurpose::Unsupported);
    let looked =
        looks(view, HelloPurpose::Version).filter(|_| differs).find_map(|(_, answer)| match answer {
            Answer::ServerHello { version, .. } if outside(version) => Some(*version),
            _ => None,
        });
    let server = tls.version.filter(outside).or(looked);
    if server.is_none() {
        if differs {
            return Some(newest_rejected(view));
        }
        let is_said = view.alert() == Some(70) && !answered(view, HelloPurpose::Version);
        if !is_said || answered(view, HelloPurpose::Unsupported) || lacks_suites(view) {
            return None;
        }
    }
    let bound = |keyword: &'static str| {
        view.origin_words(keyword)
            .filter(|origin| origin != "libpq's default")
            .map(|origin| format!("{keyword} comes from {origin}"))
    };
    let bounds: Vec<String> =
        ["ssl_min_protocol_version", "ssl_max_protocol_version"].into_iter().filter_map(bound).collect();
    let settings = view.settings()?;
    let configured = settings.openssl.as_ref().zip(settings.configured_limit());
    let configured =
        configured.map(|(config, limit)| format!("{limit} comes from {}", path_text(&config.file)));
    let bounds: Vec<String> = bounds.into_iter().chain(configured).collect();
    let has = match server {
        Some(server) => server.name().to_owned(),
        None => "none of these".to_owned(),
    };
    Some(
        Finding::titled(match server {
            Some(server) => format!("the server supports {} only", server.name()),
            None => "the server supports none of the TLS versions offered".to_owned(),
        })
        .because(if bounds.is_empty() {
            format!("{} offers TLS 1.2 and 1.3; the server allows neither", view.program())
        } else {
            format!("the server's versions are outside those that the settings allow: {}", bounds.join(", "))
        })
        .fact("offered", versions(offered))
        .fact("server_has", has)
        .fact_if("answer", view.alert().map(alerts::name))
        .fixes(version_fixes(settings, server)),
    )
}

/// An offer of TLS 1.3 beside 1.2 is refused, and of 1.2 without 1.3 taken: who does not know a version is to choose an older
/// one (RFC 8446, section 4.2.1).
fn newest_rejected(view: &View<'_>) -> Finding {
    Finding::titled("the server rejects a ClientHello that offers TLS 1.3")
        .because(
            "the server, or a proxy or firewall in front of it, answers the same ClientHello without TLS 1.3; it should choose TLS 1.2 \
             instead",
        )
        .fact("offered", view.tls().map_or_else(String::new, |tls| versions(&tls.offer.versions)))
        .fact("server_has", TlsVersion::Tls12.name())
        .fact_if("answer", view.alert().map(alerts::name))
        .fix(Fix::text("update what ends TLS there: the server's OpenSSL, or the proxy or firewall in front of it"))
        .fix(Fix::text("until then, offer TLS 1.2 alone").set("ssl_max_protocol_version", "TLSv1.2"))
}

/// Whether OpenSSL's configuration leaves a version only suites that are not offered here: this version was not offered.
fn lacks_suites(view: &View<'_>) -> bool {
    let offered = view.settings().and_then(Settings::limiting_config).map(OpenSslConfig::offered);
    offered.is_some_and(|offered| !offered.suites12.iter().any(|suite| suites::has_suite(*suite)))
}

/// The remedies where the newest version of a server is known to be this, or none that was offered.
fn version_fixes(settings: &Settings, server: Option<TlsVersion>) -> Vec<Fix> {
    let old = server.is_some_and(|version| version < TlsVersion::Tls12);
    let mut fixes = Vec::new();
    let wanted = if settings.min_tls == Some(TlsVersion::Tls13) { "1.3" } else { "1.2" };
    let newest = Fix::server(format!(
        "on the server, if its OpenSSL supports TLS {wanted} (`openssl version`: {} or later) and PostgreSQL is 12 or later:",
        if wanted == "1.3" { "1.1.1" } else { "1.0.1" }
    ))
    .run(
        "ALTER SYSTEM SET ssl_min_protocol_version = 'TLSv1.2';\nALTER SYSTEM SET ssl_max_protocol_version = '';\nSELECT pg_reload_conf();",
    );
    if let Some(max) = settings.max_tls.filter(|max| server.is_none_or(|server| server > *max)) {
        let keyword = "ssl_max_protocol_version";
        let lift = match settings.parameter(keyword).map(|known| &known.origin) {
            Some(Origin::Environment(variable)) => {
                Fix::text(format!("unset {variable}, which limits the client to {}", max.name()))
                    .by_unsetting(&[variable])
            }
            _ => Fix::text(format!("lift the client's own bound, {}", max.name())),
        };
        // An option that is set takes precedence over OpenSSL's configuration.
        fixes.push(lift.set(keyword, if settings.openssl.is_some() { "TLSv1.3" } else { "" }));
    }
    if let Some(config) = settings.openssl.as_ref().filter(|config| !config.without.is_empty()) {
        fixes = vec![Fix::text(format!("remove Protocol from {}", path_text(&config.file)))];
    }
    fixes.push(newest);
    if let (Some(server @ TlsVersion::Tls12), Some(min)) = (server, settings.min_tls)
        && min > server
    {
        let keyword = "ssl_min_protocol_version";
        let back = match settings.parameter(keyword).map(|known| &known.origin) {
            Some(Origin::Environment(variable)) => {
                Fix::text(format!("unset {variable}, which demands {}", min.name())).by_unsetting(&[variable])
            }
            _ => Fix::text("let the client go back to libpq's own bound, TLS 1.2"),
        };
        fixes.push(back.set(keyword, "TLSv1.2"));
    }
    if old {
        fixes.push(Fix::text(
            "update the server's operating system or PostgreSQL: TLS 1.0 and 1.1 are broken (RFC 8996)",
        ));
    }
    fixes
}

/// Where it was seen what psql can do and this tool cannot.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    Chain,
    Handshake,
    Look,
}

/// What psql's OpenSSL can do and this tool cannot: rustls said so, the chain has it, or a second look shows it.
fn unsupported(view: &View<'_>) -> Option<(String, Seen)> {
    if let Some(TlsFailure::Unsupported(what)) = view.tls_failure() {
        return Some((text::printable(what), Seen::Handshake));
    }
    if let Some(judgement) = view.judgement() {
        // psql would stop at any other defect too.
        let demanded =
            || judgement.defects.iter().filter(|defect| defect.demanded(view.mode, judgement.verifies));
        let here = |defect: &Defect| match defect {
            Defect::UnsupportedHere { what, .. } => Some(text::printable(what)),
            Defect::CrlInvalid { fault: CrlFault::UnsupportedHere(what), .. } => {
                Some(format!("a CRL signed with {}", text::printable(what)))
            }
            _ => None,
        };
        let only = demanded().all(|defect| here(defect).is_some());
        return demanded().find_map(here).filter(|_| only).map(|what| (what, Seen::Chain));
    }
    view.tls_failure()?;
    if !only_answered(view, HelloPurpose::Narrowed, HelloPurpose::Own) {
        return None;
    }
    looks(view, HelloPurpose::Unsupported)
        .find_map(|(_, answer)| lacking(answer))
        .map(|what| (what, Seen::Look))
}

/// What of a handshake that psql's offer led to is not offered here: only what the answer shows.
fn lacking(answer: &Answer) -> Option<String> {
    let Answer::ServerHello { version, suite, group, leaf, .. } = answer else { return None };
    let suite = (!suites::has_suite(*suite)).then(|| format!("the suite {}", suites::suite(*suite)));
    let group = group.filter(|group| !suites::has_group(*group)).map(suites::group);
    let group = group.map(|group| format!("the group {group}"));
    let seen: Vec<String> = suite.into_iter().chain(group).collect();
    if !seen.is_empty() {
        return Some(seen.join(" with "));
    }
    // Suite and group are offered here too, so that the signature is what is left. In TLS 1.3 Ed448 is all that OpenSSL
    // offers beyond this. Before TLS 1.3 the certificate is to be seen.
    if *version == TlsVersion::Tls13 {
        return Some("signatures with Ed448".to_owned());
    }
    let key = &leaf.as_ref()?.facts().ok()?.key;
    let here = match key {
        KeyKind::Rsa(bits) => (2048..=8192).contains(bits),
        KeyKind::Ec(curve) => matches!(curve.as_str(), "P-256" | "P-384" | "P-521"),
        KeyKind::Ed25519 => true,
        KeyKind::RsaPss(_) | KeyKind::Ed448 | KeyKind::Other(_) => false,
    };
    (!here).then(|| format!("signatures by a key of {key} in {}", version.name()))
}

/// ALPN `postgresql` is what the server, mostly a proxy before it, rejects: it says so (alert 120), or answers hellos that
/// differ from those without an answer in nothing but ALPN.
fn alpn_rejected(view: &View<'_>) -> Option<Finding> {
    let failure = view.tls_failure()?;
    if view.direct() || view.tls()?.version.is_some() {
        return None;
    }
    let said = matches!(failure, TlsFailure::AlertReceived(120));
    let with = match failure {
        TlsFailure::TimedOut(_) => HelloPurpose::WholeAnswer,
        _ => HelloPurpose::Unsupported,
    };
    let answers_without = match said {
        true => always_answered(view, HelloPurpose::Alpn),
        false => only_answered(view, HelloPurpose::Alpn, with),
    };
    // The alert names its reason, unless it comes without ALPN too or the same hello is answered.
    let refuted = answered(view, HelloPurpose::Unsupported)
        || looks(view, HelloPurpose::Alpn).any(|(_, answer)| *answer == Answer::Alert(120));
    if !answers_without && !said || said && refuted {
        return None;
    }
    let answer = match failure {
        TlsFailure::AlertReceived(alert) => alerts::name(*alert),
        TlsFailure::TimedOut(_) => "none".to_owned(),
        _ => "the connection was closed".to_owned(),
    };
    let (title, short) = match failure {
        TlsFailure::AlertReceived(_) => (ALPN_REJECTED.title, "ALPN protocol rejected"),
        TlsFailure::TimedOut(_) => {
            ("no response to a handshake with the ALPN protocol \"postgresql\"", "silence with ALPN")
        }
        _ => (
            "the connection is closed on a handshake with the ALPN protocol \"postgresql\"",
            "closed with ALPN",
        ),
    };
    let fix = "on the proxy, load balancer or firewall: add \"postgresql\" to the protocols that it accepts by ALPN, or turn ALPN off for this port";
    Some(
        Finding::titled(title)
            .in_short(short)
            .because(format!(
                "with ALPN a client says in the handshake which protocol it will speak; libpq 17 and later say \"postgresql\" every \
                 time. PostgreSQL accepts or ignores it, so {}",
                match failure {
                    TlsFailure::TimedOut(_) => "a firewall in between drops what it does not know, or a proxy in front is at fault",
                    _ => "a proxy or load balancer in front probably terminates TLS and allows other protocols only",
                }
            ))
            .fact("alpn_offered", "postgresql")
            .fact("answer", answer)
            .fact_if("without_alpn", answers_without.then_some("the server answers"))
            .fact_if("libpq", answers_without.then_some("16 and older work, 17 and later do not"))
            .fix(Fix::text(fix).run(ALPN_SETTINGS))
            .fixes(is_local(view).then(|| who_listens(view)))
            .fix(Fix::text("let the proxy pass TLS through to PostgreSQL"))
            .fixes(answers_without.then(|| Fix::text("until then, here: use a client with libpq 16 or older"))),
    )
}

/// Where proxies have the protocols that they accept by ALPN (nginx 1.21.4 ngx_stream_ssl_module, HAProxy's bind options,
/// Traefik's TLS options, Envoy's CommonTlsContext).
const ALPN_SETTINGS: &str = "# nginx (stream):\nssl_alpn postgresql;\n# HAProxy, in the bind line:\nalpn postgresql\n# \
                             Traefik, in the TLS options:\nalpnProtocols: [postgresql]\n# Envoy, in common_tls_context:\n\
                             alpn_protocols: [postgresql]";

/// rustls takes messages of up to 64 KiB, OpenSSL certificates of up to 100 KiB (`SSL_MAX_CERT_LIST_DEFAULT`).
fn too_long(view: &View<'_>) -> Option<Finding> {
    matches!(view.tls_failure(), Some(TlsFailure::MessageTooLong)).then(|| {
        Finding::titled("the server sends a message of more than 64 KiB, which pgtls-check does not take")
            .because("if it is the one with its certificates, psql takes up to 100 KiB and connects below that, as far as this goes")
            .fact("psql", "connects up to 100 KiB")
            .fix(Fix::server(
                "on the server: send its own certificate and the intermediates alone, with the names that are needed",
            ))
            .fix(check_with_psql(view))
    })
}

fn check_with_psql(view: &View<'_>) -> Fix {
    Fix::text("until then check with psql").run(format!("{} -c 'SELECT 1'", view.command(["psql"])))
}

/// The client's own settings allow nothing that is supported here: no server is at fault.
fn own_limit(view: &View<'_>) -> Option<Finding> {
    let settings =
        view.settings().filter(|settings| settings.max_tls.is_some_and(|most| most < TlsVersion::Tls12))?;
    let value = shown_value(&settings.parameter("ssl_max_protocol_version")?.value);
    let fix = Fix::text("remove that limit; TLS 1.0 and 1.1 are deprecated (RFC 8996)")
        .set("ssl_max_protocol_version", "");
    let fix = match settings.parameter("ssl_min_protocol_version") {
        Some(_) => fix.set("ssl_min_protocol_version", ""),
        None => fix,
    };
    Some(
        Finding::titled(format!("ssl_max_protocol_version={value} allows nothing newer, and pgtls-check has TLS 1.2 and 1.3 alone"))
            .because("most servers refuse such old versions, PostgreSQL's default (ssl_min_protocol_version) among them; then psql fails too")
            .fact("limit", format!("ssl_max_protocol_version={value}"))
            .fact_if("from", view.origin_words("ssl_max_protocol_version"))
            .fact("psql", "was not asked")
            .fix(fix)
            .fix(check_with_psql(view)),
    )
}

fn unsupported_here(view: &View<'_>) -> Option<Finding> {
    if let Some(found) = too_long(view) {
        return Some(found);
    }
    let (what, seen) = unsupported(view)?;
    if let Some(found) = own_limit(view) {
        return Some(found);
    }
    let signed = view.judgement().and_then(|judgement| {
        let here =
            judgement.defects.iter().find(|defect| matches!(defect, Defect::UnsupportedHere { .. }))?;
        here.place().map(|at| (at, named(judgement, at)))
    });
    let place = match (seen, &signed) {
        (Seen::Chain, Some((_, name))) => name.as_str(),
        (Seen::Chain, None) => "the chain",
        (Seen::Handshake, _) => "the handshake",
        (Seen::Look, _) => "the answer to a second ClientHello, with all that psql's OpenSSL offers",
    };
    let title = match seen {
        Seen::Chain => format!("{place} has {what}, which psql can verify and pgtls-check cannot"),
        Seen::Handshake => {
            format!("the connection needs {what}, which psql supports and pgtls-check does not")
        }
        Seen::Look => format!("the server requires {what}, which psql supports and pgtls-check does not"),
    };
    let reissue = match &signed {
        Some((at, name)) if *at > 0 => {
            reissue::authority(view, *at, &format!("have {name} signed again with SHA-256, then reload"))
        }
        signed => {
            let which = if signed.is_some() {
                "reissue the server's certificate"
            } else {
                "if a certificate or CA has an unusual key or signature: reissue it"
            };
            let text = format!("{which} with RSA 2048 to 4096 or ECDSA and SHA-256, then reload");
            reissue::server(view, &text, reissue::Key::New, None)
        }
    };
    let modern = (seen != Seen::Chain).then(|| {
        Fix::server("on the server: allow modern suites and P-256 beside what it has")
            .run("ALTER SYSTEM SET ssl_ciphers = 'HIGH:MEDIUM:+3DES:!aNULL';\nALTER SYSTEM SET ssl_ecdh_curve = 'prime256v1';\nSELECT pg_reload_conf();")
    });
    Some(
        Finding::titled(title)
            .because(
                "psql with OpenSSL continues here; pgtls-check's TLS library omits what is old or rare, so the rest is unknown",
            )
            .fact("server_insists_on", what)
            .fact("seen_in", place)
            .fact("offered_here", OFFERED)
            .fact("psql", "connects, as far as this goes")
            .fixes(modern)
            .fix(reissue)
            .fix(check_with_psql(view)),
    )
}

/// OpenSSL's configuration leaves an empty list: libpq fails before its ClientHello.
fn nothing_to_offer(view: &View<'_>) -> Option<Finding> {
    let config = view.settings()?.limiting_config()?;
    let highest = view.tls()?.offer.versions.last()?;
    let lacking = config.offered().lacks(*highest)?;
    let (file, commands) = (path_text(&config.file), config.limiting_commands().join(", "));
    let version = highest.name();
    Some(
        Finding::titled(format!("the OpenSSL configuration leaves no {lacking} to offer for {version}"))
            .because(format!("{commands} in {file}: libpq fails before it sends a ClientHello"))
            .fact("offered", "none")
            .fix(Fix::text(format!("correct or remove in {file}: {commands}"))),
    )
}

/// What the OpenSSL configuration allows, and not the server's own settings, is what the server accepts nothing of.
fn limited_by_configuration(view: &View<'_>, alert: Option<u8>) -> Option<Finding> {
    let config = view.settings()?.limiting_config()?;
    if !only_answered(view, HelloPurpose::Unlimited, HelloPurpose::Unsupported) {
        return None;
    }
    let (file, commands) = (path_text(&config.file), config.limiting_commands().join(", "));
    Some(
        Finding::titled("the server accepts nothing of what the OpenSSL configuration allows")
            .because(format!(
                "{commands} in {file} limits what libpq offers; the server answers the same ClientHello without these limits"
            ))
            .fact("configuration", file.clone())
            .fact("limited_by", commands.clone())
            .fact_if("answer", alert.map(alerts::name))
            .fix(Fix::text(format!("relax or remove in {file}: {commands}"))),
    )
}

fn no_shared_cipher(view: &View<'_>) -> Option<Finding> {
    view.tls_failure()?;
    let alert = view.alert();
    if let Some(found) = limited_by_configuration(view, alert) {
        return Some(found);
    }
    let alert = alert.filter(|alert| matches!(alert, 40 | 70 | 71))?;
    // An answer to as much or to less says that there is something.
    let others = view.evidence.looks.iter().any(|look| is_hello(&look.answer));
    if others && !only_answered(view, HelloPurpose::Narrowed, HelloPurpose::Unsupported) {
        return None;
    }
    let tls = view.tls()?;
    let limits = view.settings()?.limiting_config();
    let limits = limits
        .map(|config| format!("{} in {}", config.limiting_commands().join(", "), path_text(&config.file)));
    let (accepted, cause, fixes) = nothing_in_common(view);
    let psql = looks(view, HelloPurpose::Unsupported).next().map(|(_, answer)| match answer {
        Answer::Alert(alert) => format!("would fail too: {}", alerts::name(*alert)),
        _ => "a second look with its suites got no handshake either".to_owned(),
    });
    Some(
        Finding::titled("client and server have no cipher suite, group or signature in common")
            .because(match &limits {
                None => cause,
                Some(limits) => format!(
                    "the server accepts nothing of what was offered, and the OpenSSL configuration limits that: {limits}"
                ),
            })
            .fact("answer", alerts::name(alert))
            .fact("offered", OFFERED)
            .fact("versions", versions(&tls.offer.versions))
            .fact_if("psql", psql)
            .fact_if("offered_all", accepted)
            .fixes(fixes)
            .fix(Fix::text("list what the server accepts").run(view.command(["pgtls-check", "audit"]))),
    )
}

const DEFAULT_SUITES: &str = "ALTER SYSTEM SET ssl_ciphers = 'HIGH:MEDIUM:+3DES:!aNULL';";
const DEFAULT_GROUP: &str = "ALTER SYSTEM SET ssl_ecdh_curve = 'prime256v1';";

/// Which of suites, groups and key it is, by what the server makes of an offer of everything: its answer, the cause, the
/// remedies.
fn nothing_in_common(view: &View<'_>) -> (Option<String>, String, Vec<Fix>) {
    let common = looks(view, HelloPurpose::Unsupported).next().map(|(offer, _)| offer);
    let known =
        |number: u16, of: fn(&HelloOffer) -> &[u16]| common.is_some_and(|offer| of(offer).contains(&number));
    let restore = |what: &str, lines: &[&str]| {
        let text = format!("on the server: restore the default {what}, then reload");
        Fix::server(text).run([lines, &[RELOAD]].concat().join("\n"))
    };
    let wide = looks(view, HelloPurpose::Everything).next().map(|(_, answer)| answer);
    if let Some(Answer::ServerHello { suite: number, group: chosen, .. }) = wide {
        if !known(*number, |offer| &offer.suites) {
            let name = suites::suite(*number);
            return (
                Some(format!("the server takes {name}")),
                format!("the server's ssl_ciphers allow no suite that OpenSSL's clients offer, but {name}"),
                vec![restore("suites", &[DEFAULT_SUITES])],
            );
        }
        if let Some(number) = chosen.filter(|number| !known(*number, |offer| &offer.groups)) {
            let name = suites::group(number);
            return (
                Some(format!("the server takes {name}")),
                format!("the server's ssl_ecdh_curve is {name}, a group that OpenSSL's clients do not offer"),
                vec![restore("group", &[DEFAULT_GROUP])],
            );
        }
        return (
            Some("the server takes it".to_owned()),
            "the server takes the suites and groups of this offer, so it is the type of its key or the signature of its certificate \
             that the usual offer excludes"
                .to_owned(),
            vec![Fix::server("on the server: see the type of its key; reissue the certificate for an RSA key of 2048 bits or more, or ECDSA on P-256")
                .run("openssl x509 -noout -text -in server.crt | grep -A1 -E 'Public Key Algorithm|Signature Algorithm'")],
        );
    }
    let accepted = wide.map(|answer| match answer {
        Answer::Alert(alert) => format!("the server takes nothing of it: {}", alerts::name(*alert)),
        _ => "no handshake either".to_owned(),
    });
    let cause = match accepted {
        Some(_) => {
            "the server refuses every cipher suite and group that pgtls-check knows, so it is not this client: probably its ssl_ciphers \
             allow none for the type of its key (ECDHE-RSA suites alone and an ECDSA key, or the other way round)"
        }
        None => {
            "the server accepts nothing of what was offered: its ssl_ciphers, ssl_ecdh_curve or the type of its key exclude it"
        }
    };
    (
        accepted,
        cause.to_owned(),
        vec![
            Fix::server("on the server (over its socket): see the suites, the group and the type of its key; to keep the list of suites, add for an RSA key \
                 (2048 bits or more) ECDHE-RSA-AES256-GCM-SHA384, for an ECDSA key (P-256 or P-384) ECDHE-ECDSA-AES256-GCM-SHA384")
                .run("psql -c 'SHOW ssl_ciphers' -c 'SHOW ssl_ecdh_curve'\nopenssl x509 -noout -text -in server.crt | grep -A1 'Public Key Algorithm'"),
            restore("suites and group", &[DEFAULT_SUITES, DEFAULT_GROUP]),
        ],
    )
}

fn timeout(view: &View<'_>) -> Option<Finding> {
    let in_flight = match view.tls_failure() {
        Some(TlsFailure::TimedOut(in_flight)) => *in_flight,
        None => None,
        Some(_) => return None,
    };
    let step = view.attempt.and_then(|attempt| attempt.tls.as_ref());
    let (sent, received) = view.tls().map_or((0, 0), |tls| (tls.bytes_sent, tls.bytes_received));
    let retried = |answer: &Answer| matches!(answer, Answer::ServerHello { retry: true, .. });
    let short = only_answered(view, HelloPurpose::ShortAnswer, HelloPurpose::WholeAnswer)
        && looks(view, HelloPurpose::ShortAnswer).all(|(_, answer)| retried(answer));
    let lost = matches!(in_flight, Some(InFlight { unacknowledged: 1.., .. }));
    let (cause, fixes) = silence(view, received, short, lost);
    let state = in_flight.map(|in_flight| match in_flight {
        InFlight { unacknowledged: 0, .. } => "0 bytes: everything sent was acknowledged".to_owned(),
        InFlight { unacknowledged, retransmits } => {
            format!("{unacknowledged} bytes not acknowledged, sent again {retransmits} times")
        }
    });
    Some(
        Finding::titled(match received {
            0 => "no response to the ClientHello".to_owned(),
            _ => "the handshake stalled half-way".to_owned(),
        })
        .because(cause)
        .fact("bytes_sent", i64::try_from(sent).unwrap_or(i64::MAX))
        .fact("bytes_received", i64::try_from(received).unwrap_or(i64::MAX))
        .fact_if("unacknowledged", state)
        .fact_if("seconds", step.and_then(|step| i64::try_from(seconds(step.took)).ok()))
        .fixes(fixes),
    )
}

/// The cause of a silence after `received` bytes, and its remedies. `short`: only a short answer came in a second look;
/// `lost`: bytes of this side are not acknowledged.
fn silence(view: &View<'_>, received: usize, short: bool, lost: bool) -> (&'static str, Vec<Fix>) {
    let others = || answered(view, HelloPurpose::WholeAnswer) || answered(view, HelloPurpose::Alpn);
    if received == 0 && !short && !lost && others() {
        let cause = "other ClientHellos were answered (-v lists them): one of several servers behind the address is silent, or \
                     something in between drops some";
        return (cause, vec![in_the_servers_log(received)]);
    }
    let mtu_fix = || {
        let to = view.address().map_or_else(|| view.host_name(), |address| address.to_string());
        Fix::text("see whether packets of 1,400 bytes come through, from here and from the server's side: no answer means that they do not")
            .run_words(["ping", "-M", "do", "-s", "1400", &to])
    };
    let vpn = || {
        Fix::text(
            "if they do not: lower the MTU of the VPN or tunnel, or let ICMP \"fragmentation needed\" through the \
             firewalls in between",
        )
    };
    let inspection =
        || Fix::text("exempt the address from TLS inspection on the firewall or proxy in between");
    if is_local(view) && !lost && !short {
        let cause = match received {
            0 => {
                "the ClientHello went out and nothing came back: the server's process hangs, or the program that listens here, a \
                  tunnel or a container's proxy, has lost its other end"
            }
            _ => {
                "a part of the answer came and the rest did not: a tunnel or container's proxy that listens here lost it, or the \
                  server's process stopped half-way"
            }
        };
        return (cause, vec![who_listens(view), in_the_servers_log(received)]);
    }
    if received == 0 && short {
        (
            "a second look that asks for a short answer got it, and one that differs only in asking for a \
             long one got none: probably large packets from the server are lost in between (path MTU: a \
             VPN or tunnel with smaller packets and no ICMP to say so); otherwise the server hangs when it signs",
            vec![mtu_fix(), vpn()],
        )
    } else if received > 0 {
        (
            "a part of the answer came and the rest did not: the server, or a proxy before it, stopped half-way, or large packets are lost in between (path MTU); what was seen does not tell which",
            vec![in_the_servers_log(received), mtu_fix(), vpn()],
        )
    } else if lost {
        (
            "this side's packets are no longer acknowledged: probably the ClientHello is lost in between, on a path with smaller packets (path MTU) or in a firewall that drops TLS",
            vec![mtu_fix(), vpn(), inspection()],
        )
    } else {
        (
            "the ClientHello went out and nothing came back: a firewall or inspecting proxy holds it back, the server's process hangs, or the answer, larger than one packet, is lost in between (path MTU)",
            vec![in_the_servers_log(received), inspection(), mtu_fix()],
        )
    }
}

/// What the server's log shows of a handshake that fell silent after `received` bytes.
fn in_the_servers_log(received: usize) -> Fix {
    match received {
        0 => log_connections(
            "if it is missing, the connection does not reach the server: what is in between holds it; if it is there, the server's \
             process hangs or its answer is lost",
        ),
        _ => in_the_log(
            "\"could not accept SSL connection\": if it is there, the server stopped, and the rest of the line is its reason; if not, \
             what is in between lost the rest",
        ),
    }
}

fn closed(view: &View<'_>) -> Option<Finding> {
    let (short, how) = match view.tls_failure()? {
        TlsFailure::Ended(Closure::Closed) => ("closed", "closed (FIN)".to_owned()),
        TlsFailure::Ended(Closure::Reset) => ("reset", "reset (RST)".to_owned()),
        TlsFailure::Failed(failure) => ("closed", text::printable(&failure.text)),
        _ => return None,
    };
    let tls = view.tls()?;
    let asked = tls.client_certificate.requested && !tls.client_certificate.sent;
    let again = same_answered(view).map(|words| format!("the connection ended at the ClientHello, {words}"));
    let cause = if asked {
        "the server requested a client certificate, got none and closed the connection; or its process died"
    } else if let Some(again) = again.as_deref().filter(|_| tls.bytes_received == 0) {
        again
    } else if tls.bytes_received == 0 && view.direct() {
        "the server, or a firewall or proxy that inspects TLS, closes the connection when it sees the first message of TLS (ClientHello); with sslnegotiation=direct a PostgreSQL server before 17 does so too"
    } else if tls.bytes_received == 0 {
        "the server, or a firewall or proxy that inspects TLS, closes the connection when it sees the first message of TLS (ClientHello); a server whose certificate or key cannot be loaded does so too"
    } else {
        "the connection ended half-way through the handshake: the server's process failed, or something in between closed it"
    };
    Some(
        Finding::titled(match tls.bytes_received {
            0 => format!("the connection was {short} at the beginning of the TLS handshake"),
            _ => format!("the connection was {short} during the TLS handshake"),
        })
            .in_short(short)
            .because(cause)
            .fact("answer", how)
            .fact("bytes_sent", i64::try_from(tls.bytes_sent).unwrap_or(i64::MAX))
            .fact("bytes_received", i64::try_from(tls.bytes_received).unwrap_or(i64::MAX))
            .fact_if("asked_again", closed_again(view))
            .fact("to", view.place())
            .answered(tls.bytes_received == 0)
            .fix(in_the_log("\"could not accept SSL connection\" or \"could not load\": such a line has the server's own reason"))
            .fix(match is_local(view) {
                true => who_listens(view),
                false => Fix::text(
                    "if its log has no such line: a firewall, proxy or load balancer in between closed the connection; exempt it from TLS inspection there, or check from another network",
                ),
            }),
    )
}

/// What became of the same question in other forms.
fn closed_again(view: &View<'_>) -> Option<&'static str> {
    let answers = || view.evidence.looks.iter().filter(|look| matches!(look.question, Question::Hello(_)));
    let is_closed = answers().all(|look| matches!(look.answer, Answer::Ended(_)));
    (is_closed && answers().count() > 1).then_some(
        "closed each time, with older TLS versions, without ALPN and under another server name too",
    )
}

/// Whatever else ended the handshake.
fn protocol_error(view: &View<'_>) -> Option<Finding> {
    let finding = |title: &str| Finding::titled(title).fact("to", view.place());
    Some(match view.tls_failure() {
        Some(TlsFailure::NotTls(bytes)) => {
            let name = recognise(bytes).map_or("something else", |found| found.name);
            finding(&format!("the answer is {name}, not TLS"))
                .because(
                    match (is_local(view), name) {
                        (_, "HTTP") => "TLS was accepted and then answered in HTTP: a proxy or gateway for web sites forwards this port and \
                                        could not talk to what is behind it; it has to forward plain TCP",
                        (true, _) => "TLS was accepted and then something else was sent: the program that listens here is faulty, or sends \
                                      unencrypted bytes instead of TLS",
                        _ => "the server accepted TLS and then sent something else: a proxy, a broken server, or unencrypted bytes \
                              instead of TLS",
                    },
                )
                .fact("first_bytes", first_bytes(bytes))
                .fix(match is_local(view) {
                    true => who_listens(view),
                    false => Fix::text(format!(
                        "something between this machine and PostgreSQL answers in {name}: look in the log of the proxy or gateway in \
                         front of it first, or bypass it (connect from the server's own network)"
                    )),
                })
                .fix(to_the_server(view))
        }
        Some(TlsFailure::AlertReceived(alert)) => {
            finding(&format!("the server ends the handshake with {}", alerts::name(*alert)))
                .because(match same_answered(view) {
                    Some(words) => format!("{}; {words}", alerts::meaning(*alert)),
                    None => alerts::meaning(*alert).to_owned(),
                })
                .fact("alert", alerts::name(*alert))
                .fix(in_the_log("\"could not accept SSL connection\": the rest of that line is the reason; if there is no such line, a proxy or load balancer in front of the server answered: look in its log"))
                .fix(Fix::text("list what the server accepts").run(view.command(["pgtls-check", "audit"])))
        }
        Some(TlsFailure::Protocol(what)) => finding("the server's handshake violates the TLS protocol")
            .because("either the server's TLS is faulty, or something in between changes it")
            .fact("what", text::printable(what))
            .fix(Fix::text(
                "check from another network; if it is the same there: update the server's OpenSSL or the proxy in front of it",
            )),
        _ => finding("the handshake was not completed")
            .because("no certificate was seen and no error was reported")
            .fix(Fix::text("try again, and look for \"could not accept SSL connection\" in the server's log at this time: the rest of the line is the reason")),
    })
}

/// That it is not for what was offered, where a second look shows as much.
fn same_answered(view: &View<'_>) -> Option<&'static str> {
    if answered(view, HelloPurpose::Own) {
        Some(
            "but a second ClientHello with the same offer was answered: one of several servers behind the address refuses it, or \
             something in between does",
        )
    } else if view.evidence.looks.iter().any(|look| is_hello(&look.answer)) {
        Some(
            "but other ClientHellos were answered (-v lists them): one of several servers behind the address refuses it, or \
             something in between does",
        )
    } else {
        None
    }
}

impl Finding {
    /// A labelled value, if there is one.
    fn fact_if_some(self, fact: Option<(&'static str, String)>) -> Self {
        match fact {
            Some((label, value)) => self.fact(label, value),
            None => self,
        }
    }
}
