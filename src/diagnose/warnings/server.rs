//! What the server does with others, or with what comes after TLS.

use crate::conninfo::{AuthMethod, TlsVersion};
use crate::diagnose::Fix;
use crate::diagnose::auth::on_the_server;
use crate::diagnose::auth::tls_behind_the_proxy;
use crate::diagnose::code::{Code, Severity};
use crate::diagnose::fix::RELOAD;
use crate::diagnose::rule::Finding;
use crate::diagnose::token;
use crate::diagnose::view::{View, seconds};
use crate::diagnose::{grades, profiles};
use crate::evidence::TcpResult;
use crate::evidence::audit::{Accepts, Audit};
use crate::stage::Stage;

/// `address-silent`.
pub const ADDRESS_SILENT: Code = Code {
    name: "address-silent",
    severity: Severity::Warning,
    stage: Stage::Tcp,
    title: "an address that was tried first did not respond",
    short: None,
    concerns: &[],
    retryable: false,
};

/// `tls12-only`.
pub const TLS12_ONLY: Code = Code {
    name: "tls12-only",
    severity: Severity::Warning,
    stage: Stage::Tls,
    title: "TLS 1.3 was offered and the server chose 1.2",
    short: None,
    concerns: &[],
    retryable: false,
};

/// `tls-terminated-upstream`.
pub const TLS_TERMINATED_UPSTREAM: Code = Code {
    name: "tls-terminated-upstream",
    severity: Severity::Warning,
    stage: Stage::Session,
    title: "TLS ends at a proxy, not at the server",
    short: None,
    concerns: &[],
    retryable: false,
};

/// `clear-text-password-requested`.
pub const CLEAR_TEXT_PASSWORD_REQUESTED: Code = Code {
    name: "clear-text-password-requested",
    severity: Severity::Warning,
    stage: Stage::Auth,
    title: "the server requested the password in clear text",
    short: None,
    concerns: &[],
    retryable: false,
};

/// `legacy-tls-accepted`.
pub const LEGACY_TLS_ACCEPTED: Code = Code {
    name: "legacy-tls-accepted",
    severity: Severity::Warning,
    stage: Stage::Tls,
    title: "the server accepts TLS 1.0 or 1.1",
    short: None,
    concerns: &[],
    retryable: false,
};

/// `plaintext-accepted`.
pub const PLAINTEXT_ACCEPTED: Code = Code {
    name: "plaintext-accepted",
    severity: Severity::Warning,
    stage: Stage::Negotiate,
    title: "the server accepts connections without TLS",
    short: None,
    concerns: &[],
    retryable: false,
};

/// `weak-cipher-accepted`.
pub const WEAK_CIPHER_ACCEPTED: Code = Code {
    name: "weak-cipher-accepted",
    severity: Severity::Warning,
    stage: Stage::Tls,
    title: "the server accepts weak cipher suites",
    short: None,
    concerns: &[],
    retryable: false,
};

/// `policy-not-met`.
pub const POLICY_NOT_MET: Code = Code {
    name: "policy-not-met",
    severity: Severity::Warning,
    stage: Stage::Tls,
    title: "the server does not meet the policy",
    short: None,
    concerns: &[],
    retryable: false,
};

/// Addresses before the last one that cost the whole connect_timeout.
pub(super) fn address_silent(view: &View<'_>) -> Vec<Finding> {
    let Some((_, earlier)) = view.evidence.attempts.split_last() else { return Vec::new() };
    let silent = earlier.iter().filter_map(|attempt| {
        let tcp = attempt.tcp.as_ref().filter(|step| matches!(step.result, TcpResult::TimedOut))?;
        Some((View::new(view.evidence, Some(attempt)), tcp.took))
    });
    silent
        .map(|(earlier, took)| {
            let place = earlier.place();
            let same_host = view.attempt.map(|attempt| attempt.host) == earlier.attempt.map(|attempt| attempt.host);
            let keyword = if earlier.origin("hostaddr").is_some() { "hostaddr" } else { "host" };
            let from = earlier.origin_words(keyword).unwrap_or_default();
            let remove = match same_host {
                // One name, several addresses.
                true => format!("in the DNS: remove the address of {place} from {}", earlier.host_name()),
                false => format!(
                    "remove {}, {place}, from the hosts of {from}, with its entries in host, hostaddr and port",
                    earlier.host_name()
                ),
            };
            let seconds = i64::try_from(seconds(took)).unwrap_or(i64::MAX);
            Finding::titled(format!("{place} did not respond for {seconds} s before {} was tried", view.place()))
                .fact("silent", place)
                .fact("seconds", seconds)
                .fact("used", view.place())
                .because("every connection waits that long")
                .fix(Fix::text(remove))
                .fix(Fix::text(match same_host {
                    true => "if it should answer: repair the route or firewall to it; until then set a short connect_timeout",
                    false => {
                        "if it should answer: repair the route or firewall to it; until then put the host that responds first, and set \
                         a short connect_timeout"
                    }
                }))
        })
        .collect()
}

pub(super) fn tls12_only(view: &View<'_>) -> Vec<Finding> {
    let Some(tls) = view.tls() else { return Vec::new() };
    if tls.version != Some(TlsVersion::Tls12) || !tls.offer.versions.contains(&TlsVersion::Tls13) {
        return Vec::new();
    }
    vec![
        Finding::titled("TLS 1.3 was offered, the server chose TLS 1.2")
            .fact("version", TlsVersion::Tls12.name())
            .fix(
                Fix::server("TLS 1.2 is still secure; for TLS 1.3, on the server with OpenSSL 1.1.1 or later: set no ssl_max_protocol_version, then reload")
                    .or_at_provider("TLS 1.2 is still secure; for TLS 1.3: see whether the provider has a setting for it")
                    .run("ALTER SYSTEM SET ssl_max_protocol_version = '';\nSELECT pg_reload_conf();"),
            ),
    ]
}

pub(super) fn terminated_upstream(view: &View<'_>) -> Vec<Finding> {
    if view.session().and_then(|session| session.backend_ssl) != Some(false) {
        return Vec::new();
    }
    vec![
        Finding::titled("TLS ends at a proxy: the server itself sees an unencrypted session")
            .fact("backend", "pg_stat_ssl: ssl is off for this session")
            .fix(tls_behind_the_proxy())
            .fix(Fix::text(format!(
                "connect to the server itself: ask its administrator for the host and port behind {}, where the proxy answers",
                view.place()
            ))),
    ]
}

pub(super) fn clear_text_password(view: &View<'_>) -> Vec<Finding> {
    let asked = view.session().is_some_and(|session| {
        session.requested.iter().any(|request| request.method == AuthMethod::Password)
    });
    // A token can be sent in no other way.
    if !asked || token::of(view).is_some() {
        return Vec::new();
    }
    vec![
        Finding::titled("the server requested the password in clear text, inside TLS")
            .fact("method", "password")
            .fix(on_the_server(view, "scram-sha-256"))
            .fix(Fix::text(
                "LDAP, PAM, RADIUS and tokens need it in clear text: then verify-full is what protects it",
            )),
    ]
}

/// `audit`: the server agreed to obsolete versions.
pub(super) fn legacy_accepted(view: &View<'_>) -> Vec<Finding> {
    let versions = view.evidence.audit.as_ref().map(Audit::legacy).unwrap_or_default();
    let names: Vec<String> = versions.iter().map(|version| version.name().to_owned()).collect();
    if names.is_empty() {
        return Vec::new();
    }
    vec![
        Finding::titled(format!("the server accepts {}", names.join(" and "))).fact("accepted", names).fix(
            Fix::server("on the server: accept TLS 1.2 and up only (PostgreSQL's default)")
                .or_at_provider("at the provider: set the minimum TLS version to 1.2, among the server's parameters or settings")
                .run("ALTER SYSTEM SET ssl_min_protocol_version = 'TLSv1.2';\nSELECT pg_reload_conf();"),
        ),
    ]
}

/// Suites that are strong in TLS 1.2, as OpenSSL spells them.
const STRONG: &str = "ECDHE+AESGCM:ECDHE+CHACHA20";
/// Names of one line of evidence.
const MOST_NAMES: usize = 3;

/// The first names, and how many more there are; `-v` lists all.
fn first_names(names: &[String]) -> String {
    let more = names.len().saturating_sub(MOST_NAMES);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    names.iter().take(MOST_NAMES).cloned().collect::<Vec<_>>().join(", ") + &rest
}

/// `audit`: suites and groups that are weak.
pub(super) fn weak_cipher_accepted(view: &View<'_>) -> Vec<Finding> {
    let weak = view.evidence.audit.as_ref().map(grades::weak).unwrap_or_default();
    if weak.is_empty() {
        return Vec::new();
    }
    let count: usize = weak.iter().map(|(_, names)| names.len()).sum();
    let line = |(reasons, names): &(String, Vec<String>)| format!("{reasons}: {}", first_names(names));
    let what =
        if count == 1 { "a weak cipher suite".to_owned() } else { format!("{count} weak cipher suites") };
    let finding = Finding::titled(format!("the server accepts {what}"))
        .fact("weak", weak.iter().map(line).collect::<Vec<_>>());
    vec![match view.provider() {
        Some(found) => finding.fix(Fix::text(format!(
            "at the provider ({}): choose a minimum TLS version or a cipher policy, if it offers one",
            found.provider.name
        ))),
        None => finding
            .fix(
                Fix::server(
                    "on the server: allow suites with forward secrecy and AEAD only, then reload (all clients with OpenSSL 1.0.1 \
                     or later have them)",
                )
                .run(format!("ALTER SYSTEM SET ssl_ciphers = '{STRONG}';\n{RELOAD}")),
            )
            .fix(Fix::server(format!("in PgBouncer: set client_tls_ciphers = {STRONG} in pgbouncer.ini, then RELOAD"))),
    }]
}

/// `audit --policy`.
pub(super) fn policy_not_met(view: &View<'_>) -> Vec<Finding> {
    let Some(audit) = &view.evidence.audit else { return Vec::new() };
    let Some(profile) = audit.profile else { return Vec::new() };
    let leaf = view.tls().and_then(|tls| tls.chain.first());
    let (suites, mut found) = profiles::violations_by_kind(audit, profile, leaf);
    found.extend(suites.iter().map(|(version, names)| {
        let what = if names.len() == 1 { "suite" } else { "suites" };
        format!("{} {what} of {version}: {}", names.len(), first_names(names))
    }));
    if found.is_empty() {
        return Vec::new();
    }
    let plaintext = audit.plaintext_accepted() == Accepts::Yes;
    let settings = (found.len() > usize::from(plaintext)).then(|| {
        Fix::server("on the server: set what the policy allows, then reload").run(profiles::settings(profile))
    });
    let finding = Finding::titled(format!("the server does not meet the policy {}", profile.name()))
        .fact("policy", profiles::title(profile))
        .fact("not_allowed", found);
    vec![match view.provider() {
        Some(found) => finding.fix(Fix::text(format!(
            "at the provider ({}): choose the minimum TLS version, and require TLS",
            found.provider.name
        ))),
        None => finding.fixes(settings).fixes(plaintext.then(hostssl)),
    }]
}

fn hostssl() -> Fix {
    Fix::server("on the server: write hostssl instead of host in pg_hba.conf, then reload").run(RELOAD)
}

/// `audit`: the server took a start-up message without TLS.
pub(super) fn plaintext_accepted(view: &View<'_>) -> Vec<Finding> {
    if view.evidence.audit.as_ref().map(Audit::plaintext_accepted) != Some(Accepts::Yes) {
        return Vec::new();
    }
    let logs_in = view.evidence.audit.as_ref().is_some_and(Audit::logs_in_without_tls);
    let (title, answer) = match logs_in {
        true => ("the server logs in without TLS", "it logs in without TLS and without a password"),
        false => ("the server requests the password without TLS", "it requests the password without TLS"),
    };
    vec![
        Finding::titled(title)
            .fact("answer", answer)
            .fix(hostssl())
            .fix(Fix::text("managed: switch \"require secure transport\" or \"force SSL\" on")),
    ]
}
