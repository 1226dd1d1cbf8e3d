//! What is not wrong for libpq and worth knowing. All rules run; a policy of the user may deny what they find.

mod builds;
mod chain;
mod rehearsal;
mod server;
mod settings;

use super::code::Code;
use super::fix::possible;
use super::rule::Finding;
use super::view::View;
use super::{Warning, root_file};

pub use builds::LIBPQ_BUILDS_DIFFER;
pub use chain::*;
pub use rehearsal::*;
pub use server::*;
pub use settings::*;

/// The threshold of the expiry warnings, in days, where `--expires-within` sets none.
pub const EXPIRES_WITHIN: i64 = 30;

/// How a warning is recognised: unlike a diagnosis, several times in one evidence.
struct Rule {
    code: &'static Code,
    detect: fn(&View<'_>) -> Vec<Finding>,
}

/// What is looked for in every check.
const ALWAYS: &[Rule] = &[
    Rule { code: &settings::PASSFILE_IGNORED, detect: settings::passfile_ignored },
    Rule { code: &settings::GSS_ENCRYPTION_FIRST, detect: settings::gss_encryption_first },
    Rule { code: &settings::SSLMODE_NOT_VERIFYING, detect: settings::lowered },
    Rule { code: &settings::BACKSLASH_PATH, detect: settings::backslash_path },
    Rule { code: &settings::CRL_IGNORED, detect: settings::crl_ignored },
    Rule { code: &builds::LIBPQ_BUILDS_DIFFER, detect: builds::libpq_builds_differ },
    Rule { code: &root_file::ROOT_BUNDLE_INCOMPLETE, detect: chain::bundle_incomplete },
];

/// What is looked for only when everything is verified.
const VERIFIED: &[Rule] = &[
    Rule { code: &settings::SSLMODE_NOT_VERIFYING, detect: settings::not_verifying },
    Rule { code: &server::ADDRESS_SILENT, detect: server::address_silent },
    Rule { code: &chain::CERTIFICATE_EXPIRES_SOON, detect: chain::certificate_expires },
    Rule { code: &root_file::ROOT_EXPIRES_SOON, detect: chain::root_expires },
    Rule { code: &root_file::ROOT_RETIRED, detect: chain::root_retired },
    Rule { code: &chain::NO_SUBJECT_ALT_NAME, detect: chain::no_alternative_name },
    Rule { code: &chain::CA_AS_SERVER_CERTIFICATE, detect: chain::ca_as_server },
    Rule { code: &chain::STRICT_CLIENT_REJECTS, detect: chain::strict_rejects },
    Rule { code: &server::TLS12_ONLY, detect: server::tls12_only },
    Rule { code: &server::TLS_TERMINATED_UPSTREAM, detect: server::terminated_upstream },
];

/// What a login shows, verified or not.
const LOGIN: &[Rule] =
    &[Rule { code: &server::CLEAR_TEXT_PASSWORD_REQUESTED, detect: server::clear_text_password }];

/// What an audit saw with connections of its own.
const AUDIT: &[Rule] = &[
    Rule { code: &server::LEGACY_TLS_ACCEPTED, detect: server::legacy_accepted },
    Rule { code: &server::PLAINTEXT_ACCEPTED, detect: server::plaintext_accepted },
    Rule { code: &server::WEAK_CIPHER_ACCEPTED, detect: server::weak_cipher_accepted },
    Rule { code: &server::POLICY_NOT_MET, detect: server::policy_not_met },
];

/// What files show before they are put on a server.
const REHEARSED: &[Rule] = &[
    Rule { code: &rehearsal::CHAIN_ISSUES, detect: rehearsal::chain_issues },
    Rule { code: &rehearsal::CERTIFICATE_NOT_LOADED, detect: rehearsal::not_loaded },
];

/// The codes of all warnings.
pub(super) fn codes() -> impl Iterator<Item = &'static Code> {
    let mut codes: Vec<&'static Code> = Vec::new();
    for rule in [ALWAYS, VERIFIED, REHEARSED, LOGIN, AUDIT].into_iter().flatten() {
        if !codes.contains(&rule.code) {
            codes.push(rule.code);
        }
    }
    codes.into_iter()
}

/// The warnings on a check.
pub(super) fn of_check(view: &View<'_>, verified: bool) -> Vec<Warning> {
    let verified = if verified { VERIFIED } else { &[] };
    [ALWAYS, verified, REHEARSED, LOGIN].into_iter().flat_map(|rules| found(view, rules)).collect()
}

/// The warnings on what an audit saw, if there was one.
pub(super) fn of_audit(view: &View<'_>) -> impl Iterator<Item = Warning> {
    found(view, AUDIT)
}

fn found<'v>(view: &'v View<'_>, rules: &'static [Rule]) -> impl Iterator<Item = Warning> + use<'v> {
    let view = *view;
    rules.iter().flat_map(move |rule| {
        let findings = (rule.detect)(&view).into_iter();
        findings.map(move |finding| {
            let found = finding.warning(rule.code);
            Warning { fixes: possible(&view, found.fixes), ..found }
        })
    })
}
