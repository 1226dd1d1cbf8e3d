//! What OpenSSL refuses besides under X509_V_FLAG_X509_STRICT (`check_extensions` in crypto/x509/x509_vfy.c, 3.0 to 3.5).
//! libpq does not set it; Python does from 3.13 on, in every `ssl.create_default_context()`, with
//! X509_V_FLAG_PARTIAL_CHAIN: a path ends at the first certificate of the root file.

use super::Judgement;
use super::defect::StrictReason;
use super::path::{Member, members};
use super::strict::{StrictRefusal, clients};
use crate::certificate::Facts;

impl Judgement {
    /// Adds what Python refuses in a good chain.
    #[must_use]
    pub fn with_x509_strict(mut self) -> Self {
        if self.chain_is_good() {
            let found = refused(&self);
            self.strict
                .extend(found.into_iter().map(|reason| StrictRefusal { clients: clients(&reason), reason }));
        }
        self
    }
}

/// The first fault of each certificate, in OpenSSL's order.
fn refused(judgement: &Judgement) -> Vec<StrictReason> {
    let members = members(&judgement.path);
    let trusted = judgement.path.iter().position(|link| link.in_file.is_some());
    let count = trusted.map_or(members.len(), |trusted| members.len().min(trusted + 1));
    // A path of one certificate is held to none of this.
    if count < 2 {
        return Vec::new();
    }
    let members = members.iter().take(count).enumerate();
    members
        .filter_map(|(at, member)| {
            let what = fault(member, at + 1 == count)?;
            Some(StrictReason::X509Strict { at, what })
        })
        .collect()
}

/// What is wrong with one certificate, in OpenSSL's words (x509_txt.c).
fn fault(member: &Member<'_>, is_last: bool) -> Option<&'static str> {
    let facts = member.facts;
    let has = &facts.extensions;
    let is_ca = facts.is_ca();
    let signs_certificates = has.key_usage.is_none_or(|usage| usage.signs_certificates());
    let has_path_length = has.basic_constraints.is_some_and(|constraints| constraints.path_length.is_some());
    let is_critical = |name: &str| has.critical.contains(&name);
    let names = facts.sans.as_ref();
    let no_subject = facts.subject.is_empty();
    let signs_crls = has.key_usage.is_none_or(|usage| usage.signs_crls());
    let checks = [
        (has_path_length && !is_ca, "Path length invalid for non-CA cert"),
        (has_path_length && !signs_certificates, "Path length given without key usage keyCertSign"),
        (
            is_ca && has.basic_constraints.is_some() && !is_critical("basicConstraints"),
            "Basic Constraints of CA cert not marked critical",
        ),
        (is_ca && has.key_usage.is_none(), "CA cert does not include key usage extension"),
        (
            !is_ca && has.key_usage.is_some() && signs_certificates,
            "Key usage keyCertSign invalid for non-CA cert",
        ),
        (facts.issuer.is_empty(), "Issuer name empty"),
        (
            no_subject && (is_ca || (has.key_usage.is_some() && signs_crls) || names.is_none()),
            "Subject name empty",
        ),
        (
            no_subject && names.is_some() && !is_critical("subjectAltName"),
            "Subject empty and Subject Alt Name extension not critical",
        ),
        (names.is_some_and(Vec::is_empty), "Empty Subject Alternative Name extension"),
        (is_critical("authorityKeyIdentifier"), "Authority Key Identifier marked critical"),
        (is_critical("subjectKeyIdentifier"), "Subject Key Identifier marked critical"),
    ];
    let found = checks.into_iter().find(|(is_wrong, _)| *is_wrong).map(|(_, what)| what);
    found.or_else(|| by_version(facts, is_ca, is_last))
}

fn by_version(facts: &Facts, is_ca: bool, is_last: bool) -> Option<&'static str> {
    let has = &facts.extensions;
    if facts.version < 3 {
        return has.any.then_some("Using cert extension requires at least X509v3");
    }
    if !is_last && has.authority_key.as_ref().is_none_or(|authority| authority.key.is_none()) {
        return Some("Missing Authority Key Identifier");
    }
    (is_ca && has.subject_key.is_none()).then_some("Missing Subject Key Identifier")
}
