//! What is not wrong for libpq and worth knowing. All rules run; a policy of the user may deny what they find.

use super::judge::judge;
use super::root_file::root_sources;
use super::view::{View, path_text, store_name};
use super::{Fact, Fix, Warning, root_file};
use crate::conninfo::{AuthMethod, Notice, SslMode, TlsVersion};
use crate::provider;
use crate::stage::Stage;
use crate::text;
use crate::trust::{Revocation, RootSource, Roots};
use crate::verify::{StrictReason, StrictRefusal};

/// The threshold of the expiry warnings, in days, where `--expires-within` sets none.
pub const EXPIRES_WITHIN: i64 = 30;

/// A kind of warning: its public code, what it is about, the stage whose line it marks, its page, how it is found.
pub(super) struct Kind {
    pub code: &'static str,
    pub title: &'static str,
    pub stage: Option<Stage>,
    pub page: &'static str,
    find: fn(&View<'_>) -> Vec<Found>,
    /// Whether it is looked for only when everything is verified.
    verified_only: bool,
}

/// A warning without its code.
struct Found {
    title: String,
    evidence: Vec<(&'static str, Fact)>,
    fixes: Vec<Fix>,
}

macro_rules! kind {
    ($code:literal, $stage:expr, $title:literal, verified_only: $verified:literal, $find:expr) => {
        Kind {
            code: $code,
            title: $title,
            stage: $stage,
            page: include_str!(concat!("explain/", $code, ".md")),
            find: $find,
            verified_only: $verified,
        }
    };
}

/// All kinds.
pub(super) const KINDS: &[Kind] = &[
    kind!("passfile-ignored", Some(Stage::Config), "the password file is not used", verified_only: false, passfile_ignored),
    kind!("backslash-path", Some(Stage::Trust), "psql would look for the root file under another path", verified_only: false, backslash_path),
    kind!("crl-ignored", Some(Stage::Trust), "CRLs were asked for and nothing is checked", verified_only: false, crl_ignored),
    kind!("sslmode-not-verifying", Some(Stage::Config), "the sslmode verifies less than verify-full", verified_only: true, not_verifying),
    kind!("certificate-expires-soon", Some(Stage::Certificate), "a certificate of the chain ends soon", verified_only: true, certificate_expires),
    kind!("root-expires-soon", Some(Stage::Certificate), "the root ends soon", verified_only: true, root_expires),
    kind!("root-bundle-incomplete", Some(Stage::Trust), "the file lacks roots that the provider uses or \
         has announced", verified_only: true, bundle_incomplete),
    kind!("root-retired", Some(Stage::Certificate), "the chain relies on a root that was given up", verified_only: true, root_retired),
    kind!("no-subject-alt-name", Some(Stage::Certificate), "the certificate has its name in the common \
         name only", verified_only: true, no_alternative_name),
    kind!("ca-as-server-certificate", Some(Stage::Certificate), "the server certificate says that it is a \
         CA", verified_only: true, ca_as_server),
    kind!("strict-client-rejects", Some(Stage::Certificate), "strict clients refuse what libpq accepts", verified_only: true, strict_rejects),
    kind!("tls12-only", Some(Stage::Tls), "TLS 1.3 was offered and the server chose 1.2", verified_only: true, tls12_only),
    kind!("tls-terminated-upstream", Some(Stage::Session), "a proxy ends TLS before the server", verified_only: true, terminated_upstream),
    kind!("clear-text-password-requested", Some(Stage::Auth), "the server asked for the password itself", verified_only: false, clear_text_password),
    kind!("legacy-tls-accepted", None, "the server accepts TLS 1.0 or 1.1", verified_only: false, found_by_audit),
    kind!("plaintext-accepted", None, "the server accepts connections without TLS", verified_only: false, found_by_audit),
];

/// The stage whose line a warning marks.
pub(super) fn stage(code: &str) -> Option<Stage> {
    KINDS.iter().find(|kind| kind.code == code).and_then(|kind| kind.stage)
}

/// All warnings on the evidence.
pub(super) fn all(view: &View<'_>, verified: bool) -> Vec<Warning> {
    let kinds = KINDS.iter().filter(|kind| verified || !kind.verified_only);
    kinds
        .flat_map(|kind| {
            (kind.find)(view).into_iter().map(|Found { title, evidence, fixes }| Warning {
                code: kind.code,
                title,
                evidence,
                fixes,
                denied: false,
            })
        })
        .collect()
}

/// `audit` finds these with connections of its own: see [`legacy_tls_accepted`], [`plaintext_accepted`].
fn found_by_audit(_: &View<'_>) -> Vec<Found> {
    Vec::new()
}

/// For `audit`: the server agreed to these old versions.
pub fn legacy_tls_accepted(versions: &[TlsVersion]) -> Warning {
    let names: Vec<String> = versions.iter().map(|version| version.name().to_owned()).collect();
    Warning {
        code: "legacy-tls-accepted",
        title: format!("the server accepts {}", names.join(" and ")),
        evidence: vec![("accepted", Fact::List(names))],
        fixes: vec![
            Fix::text("on the server: accept TLS 1.2 and up only (PostgreSQL's default)")
                .run("ALTER SYSTEM SET ssl_min_protocol_version = 'TLSv1.2';  SELECT pg_reload_conf();"),
        ],
        denied: false,
    }
}

/// For `audit`: the server took a start-up message without TLS.
pub fn plaintext_accepted() -> Warning {
    Warning {
        code: "plaintext-accepted",
        title: "the server accepts connections without TLS".to_owned(),
        evidence: vec![("answer", Fact::Text("it asks for a password, or lets in, in plaintext".to_owned()))],
        fixes: vec![
            Fix::text("on the server: write hostssl instead of host in pg_hba.conf, then reload")
                .run(super::fix::RELOAD),
            Fix::text("managed: switch \"require secure transport\" or \"force SSL\" on"),
        ],
        denied: false,
    }
}

fn found(title: impl Into<String>) -> Found {
    Found { title: title.into(), evidence: Vec::new(), fixes: Vec::new() }
}

impl From<Warning> for Found {
    fn from(Warning { title, evidence, fixes, .. }: Warning) -> Self {
        Self { title, evidence, fixes }
    }
}

impl Found {
    fn fact(mut self, label: &'static str, fact: impl Into<Fact>) -> Self {
        self.evidence.push((label, fact.into()));
        self
    }

    fn fix(mut self, fix: Fix) -> Self {
        self.fixes.push(fix);
        self
    }

    fn fixes(mut self, fixes: impl IntoIterator<Item = Fix>) -> Self {
        self.fixes.extend(fixes);
        self
    }
}

fn passfile_ignored(view: &View<'_>) -> Vec<Found> {
    let notices = view.settings().map(|settings| settings.notices.as_slice()).unwrap_or_default();
    notices
        .iter()
        .map(|notice| {
            let Notice::PassfileIgnored { path, mode } = notice;
            let shown = path_text(path);
            match mode {
                Some(mode) => found(format!("the password file {shown} is not used: others may read it"))
                    .fact("file", shown)
                    .fact("mode", format!("{mode:04o}"))
                    .fix(Fix::text("let only its owner read it").run_words([
                        "chmod",
                        "600",
                        &path.to_string_lossy(),
                    ])),
                None => found(format!("the password file {shown} is not used: it is no plain file"))
                    .fact("file", shown)
                    .fix(Fix::text("name a plain file in passfile")),
            }
        })
        .collect()
}

fn backslash_path(view: &View<'_>) -> Vec<Found> {
    let Some(RootSource::GivenAsTyped { typed, parsed }) = view.store().map(|store| &store.source) else {
        return Vec::new();
    };
    let given = typed.to_string_lossy().into_owned();
    vec![
        found("psql would look for the root file under another path: it takes each backslash for an escape")
            .fact("given", text::printable(&given))
            .fact("psql_reads", path_text(parsed))
            .fix(Fix::default().set("sslrootcert", given.replace('\\', "/")))
            .fix(Fix::default().set("sslrootcert", given)),
    ]
}

/// Where libpq, without a word, checks less than the CRLs given let one think.
fn crl_ignored(view: &View<'_>) -> Vec<Found> {
    let Some(trust) = view.trust() else { return Vec::new() };
    match &trust.revocation {
        Revocation::Off => Vec::new(),
        Revocation::Ignored { path, why } => {
            let fix = match trust.roots {
                Roots::None => {
                    "name the root file too, in sslrootcert: CRLs count only where a chain is verified"
                }
                _ => "name a file with PEM CRLs of every CA of the chain in sslcrl, or take sslcrl out",
            };
            vec![
                found(format!("no revocation is checked: libpq passes over {}", path_text(path)))
                    .fact("path", path_text(path))
                    .fact("why", text::printable(why))
                    .fix(Fix::text(fix)),
            ]
        }
        // OpenSSL puts delta lists aside only for those that ask for extended CRL support, which libpq does not.
        Revocation::On { lists, .. } => {
            let deltas = lists.iter().filter(|list| list.crl.facts().delta);
            let places = deltas.map(|list| format!("{}, line {}", path_text(&list.file), list.line));
            let places = super::view::at_most(5, places);
            if places.is_empty() {
                return Vec::new();
            }
            vec![
                found("a delta CRL is given, and libpq takes it for a whole one: what was revoked before it passes")
                    .fact("delta_lists", places)
                    .fix(Fix::text("give the CA's complete CRL instead")),
            ]
        }
    }
}

fn not_verifying(view: &View<'_>) -> Vec<Found> {
    if view.mode == SslMode::VerifyFull {
        return Vec::new();
    }
    let mode = view.mode.name();
    let chain = view.judgement().is_some_and(|judgement| judgement.verifies);
    let title = match (view.mode, chain) {
        (SslMode::VerifyCa, _) => format!("sslmode={mode} verifies the chain and compares no name"),
        (_, true) => {
            format!("sslmode={mode} verifies the chain, because a root file is there, and compares no name")
        }
        (SslMode::Prefer | SslMode::Allow, false) => {
            format!("sslmode={mode} verifies nothing and falls back to plaintext")
        }
        (_, false) => format!("sslmode={mode} encrypts and verifies nothing"),
    };
    let full = View { mode: SslMode::VerifyFull, ..*view };
    let would = if !chain {
        "would fail: there is no root file to verify with".to_owned()
    } else {
        match view.judgement().filter(|judgement| !judgement.accepted_under(SslMode::VerifyFull)) {
            None => "would succeed".to_owned(),
            Some(_) => judge(&full).map_or("would fail".to_owned(), |found| {
                format!("would fail: {}, {}", found.code, found.title)
            }),
        }
    };
    let verify = Fix::text("verify the server").set("sslmode", "verify-full");
    let roots = if chain { Vec::new() } else { root_sources(&full.server()) };
    let roots = roots.into_iter().filter(|fix| !fix.settings.is_empty()).take(1);
    let together = roots.map(|mut fix| {
        fix.settings.retain(|(keyword, _)| *keyword != "sslmode");
        fix.settings.insert(0, ("sslmode", "verify-full".to_owned()));
        fix
    });
    let together: Vec<Fix> = together.collect();
    let fixes = if together.is_empty() { vec![verify] } else { together };
    let mut warning = found(title).fact("verify_full", would);
    if let Some(origin) = view.origin("sslmode") {
        warning = warning.fact("from", origin);
    }
    vec![warning.fixes(fixes)]
}

fn threshold(view: &View<'_>) -> i64 {
    view.evidence.scope.expires_within.map_or(EXPIRES_WITHIN, i64::from)
}

/// The certificates of the path that end within the threshold; of the root, or of the others.
fn ending(view: &View<'_>, root: bool) -> Vec<Found> {
    let Some(judgement) = view.judgement() else { return Vec::new() };
    let threshold = threshold(view);
    let is_root = |at: usize| {
        at > 0
            && judgement.path.get(at).is_some_and(|link| {
                link.certificate.facts().is_ok_and(crate::certificate::Facts::is_self_signed)
            })
    };
    let members = judgement.path.iter().enumerate().filter(|(at, _)| is_root(*at) == root);
    let mut warnings: Vec<(i64, Found)> = members
        .filter_map(|(at, link)| {
            let facts = link.certificate.facts().ok()?;
            let days = facts.not_after.days_since(view.evidence.judged_at);
            let date = facts.not_after.date();
            let name = link.certificate.short_subject();
            let (what, fix) = match (root, at) {
                (true, _) => (
                    format!("the root {name} ends on {date}"),
                    Fix::text("get the CA's next root and add it to the file before then"),
                ),
                (_, 0) => (
                    format!("the server certificate ends on {date}"),
                    Fix::text(format!(
                        "renew it on the server; {} left, the threshold is {threshold}",
                        if days == 1 { "1 day is".to_owned() } else { format!("{days} days are") }
                    )),
                ),
                (..) => (
                    format!("the intermediate {name} ends on {date}"),
                    Fix::text("let the server send the CA's next intermediate"),
                ),
            };
            (days <= threshold).then(|| {
                (
                    days,
                    found(what)
                        .fact("days_left", days)
                        .fact("ends", date)
                        .fact("threshold", threshold)
                        .fix(fix),
                )
            })
        })
        .collect();
    warnings.sort_by_key(|(days, _)| *days);
    warnings.into_iter().map(|(_, warning)| warning).take(1).collect()
}

fn certificate_expires(view: &View<'_>) -> Vec<Found> {
    ending(view, false)
}

fn root_expires(view: &View<'_>) -> Vec<Found> {
    ending(view, true)
}

fn bundle_incomplete(view: &View<'_>) -> Vec<Found> {
    let (Some(detection), Some(store)) = (view.provider(), view.store()) else { return Vec::new() };
    if matches!(store.source, RootSource::System { .. }) {
        return Vec::new();
    }
    let at = view.evidence.judged_at;
    let advice = provider::advice(detection.provider, view.dns_name().as_deref(), store, at);
    root_file::incomplete(&store_name(view), &advice).map(Found::from).into_iter().collect()
}

fn root_retired(view: &View<'_>) -> Vec<Found> {
    let anchored = view.judgement().filter(|judgement| judgement.verifies);
    let root = anchored.and_then(|judgement| judgement.path.last()).map(|link| &link.certificate);
    let provider = view.provider().map(|detection| detection.provider);
    let retired = root_file::retired(&store_name(view), root, provider, view.evidence.judged_at);
    retired.map(Found::from).into_iter().collect()
}

fn refusals<'a>(view: &View<'a>) -> impl Iterator<Item = &'a StrictRefusal> {
    view.judgement().into_iter().flat_map(|judgement| &judgement.strict)
}

/// What strict clients refuse, and who they are.
fn strict(
    view: &View<'_>,
    wanted: fn(&StrictReason) -> bool,
    title: fn(&StrictReason) -> String,
    fix: &str,
) -> Vec<Found> {
    refusals(view)
        .filter(|refusal| wanted(&refusal.reason))
        .map(|refusal| {
            let clients: Vec<String> = refusal.clients.iter().map(|client| (*client).to_owned()).collect();
            found(title(&refusal.reason)).fact("refused_by", clients).fix(Fix::text(fix))
        })
        .collect()
}

fn no_alternative_name(view: &View<'_>) -> Vec<Found> {
    strict(
        view,
        |reason| *reason == StrictReason::NoSubjectAltName,
        |_| {
            "the certificate has its name in the common name only; strict clients look at subjectAltName"
                .to_owned()
        },
        "reissue it with every name in subjectAltName (DNS:… and IP:…)",
    )
}

fn ca_as_server(view: &View<'_>) -> Vec<Found> {
    strict(
        view,
        |reason| *reason == StrictReason::CaAsServerCertificate,
        |_| "the server certificate says that it is a CA; strict clients refuse it".to_owned(),
        "make a CA, issue the server's certificate with it (CA:FALSE), and hand out the CA's certificate",
    )
}

fn strict_rejects(view: &View<'_>) -> Vec<Found> {
    strict(
        view,
        |reason| matches!(reason, StrictReason::OldVersion(_) | StrictReason::Other(_)),
        |reason| match reason {
            StrictReason::OldVersion(version) => {
                format!("the server certificate is of X.509 version {version}; strict clients refuse it")
            }
            StrictReason::Other(what) => {
                format!("strict clients refuse the chain: {}", text::printable(what))
            }
            StrictReason::NoSubjectAltName | StrictReason::CaAsServerCertificate => String::new(),
        },
        "reissue the certificate as version 3 with current tools and subjectAltName",
    )
}

fn tls12_only(view: &View<'_>) -> Vec<Found> {
    let Some(tls) = view.tls() else { return Vec::new() };
    if tls.version != Some(TlsVersion::Tls12) || !tls.offer.versions.contains(&TlsVersion::Tls13) {
        return Vec::new();
    }
    vec![
        found("TLS 1.3 was offered, the server chose TLS 1.2").fact("version", TlsVersion::Tls12.name()).fix(
            Fix::text("on the server, with OpenSSL 1.1.1 or later: lift the bound")
                .run("ALTER SYSTEM RESET ssl_max_protocol_version;  SELECT pg_reload_conf();"),
        ),
    ]
}

fn terminated_upstream(view: &View<'_>) -> Vec<Found> {
    if view.session().and_then(|session| session.backend_ssl) != Some(false) {
        return Vec::new();
    }
    vec![
        found("TLS is verified up to a proxy; the server itself sees an unencrypted session")
            .fact("backend", "pg_stat_ssl: ssl is off for this session")
            .fix(Fix::text(
                "let the pooler or proxy use TLS to the server too (PgBouncer: \
                 server_tls_sslmode=verify-full)",
            ))
            .fix(Fix::text("connect to the server itself")),
    ]
}

fn clear_text_password(view: &View<'_>) -> Vec<Found> {
    let asked = view.session().is_some_and(|session| {
        session.requested.iter().any(|request| request.method == AuthMethod::Password)
    });
    if !asked {
        return Vec::new();
    }
    vec![
        found("the server asked for the password itself, in clear text inside TLS")
            .fact("method", "password")
            .fix(
                Fix::text("on the server: scram-sha-256 in pg_hba.conf, and the password set anew")
                    .run("SET password_encryption = 'scram-sha-256';  \\password"),
            )
            .fix(Fix::text(
                "LDAP, PAM, RADIUS or a token cannot do without: then verify-full is what protects it",
            )),
    ]
}
