//! Whether somebody else answers for a known provider's host. A provider's servers show chains that end at its own CAs or
//! at a public root; a name alone is no evidence, since anybody can give a CA any name.

use super::known::{self, Root};
use crate::certificate::{Certificate, Facts};
use crate::diagnose::view::View;
use crate::provider::{self, Provider, Situation, SystemRoots};
use crate::verify::Defect;

/// Somebody who is not the provider of the host.
pub(in crate::diagnose) struct Stranger {
    /// Whose host it is.
    pub provider: &'static Provider,
    /// At whom the chain ends, as far as signatures prove it.
    pub issuer: String,
    /// The provider whose root that is, or whether this machine's store has it.
    pub known: Option<Root>,
}

/// Who answers in place of a known provider; `None` where it is the provider, where the host is nobody's that is known, and
/// where the provider's CAs are not all known.
pub(in crate::diagnose) fn stranger(view: &View<'_>) -> Option<Stranger> {
    // Nobody answered a rehearsal.
    let provider = expected(view).filter(|_| view.rehearsal().is_none())?;
    let judgement = view.judgement()?;
    // Above a signature that does not verify nothing is proved.
    let proved = judgement.defects.iter().find_map(|defect| match defect {
        Defect::BadSignature { at } => Some(*at),
        _ => None,
    });
    let top = match proved {
        Some(at) => judgement.path.get(at),
        None => judgement.path.last(),
    };
    let top = &top?.certificate;
    let facts = top.facts().ok()?;
    let self_signed = proved.is_none() && facts.is_self_signed();
    let machine = view.evidence.system_roots.as_ref();
    let known = if self_signed { known::same(machine, top) } else { known::issuer_of(machine, top) };
    if known.as_ref().is_some_and(|root| is_due(provider, root)) || is_announced(provider, top) {
        return None;
    }
    let own_word = top.is_self_issued() && judgement.path.len() == 1;
    if own_word && provider.hints(Situation::SelfSigned).next().is_some() {
        return None;
    }
    let name = facts.issuer.common_name().unwrap_or_default();
    let closed = known.is_some()
        || is_known_completely(provider, &name, judgement.path.iter().map(|link| &link.certificate));
    closed.then(|| Stranger { provider, issuer: facts.issuer.short(), known })
}

/// The provider that the host's name, or the name behind it, promises.
pub(super) fn expected(view: &View<'_>) -> Option<&'static Provider> {
    let canonical = view.attempt.and_then(|attempt| attempt.canonical_name.as_deref());
    view.dns_name().as_deref().and_then(provider::by_host).or_else(|| provider::by_host(canonical?))
}

/// Whether a provider's chain may end at a root. What only this machine's store has may be a company's own CA.
fn is_due(provider: &Provider, root: &Root) -> bool {
    root.in_public
        || root.used_by.contains(&provider.id)
        || (root.shipped && provider.roots.iter().any(|due| due.is_called(&root.name)))
}

/// Whether a certificate is a root of the provider's that is known by its fingerprint alone.
fn is_announced(provider: &Provider, certificate: &Certificate) -> bool {
    let fingerprint = certificate.fingerprint();
    provider.roots.iter().filter_map(|due| due.sha256).any(|known| known.eq_ignore_ascii_case(&fingerprint))
}

/// Whether every root at which a provider's chain could end is known with its key, as far as the issuer sought is
/// concerned. Where some are known by name only, a chain that bears that name, or one that only the provider's CAs have,
/// proves nothing either way.
fn is_known_completely<'a>(
    provider: &Provider,
    issuer: &str,
    mut path: impl Iterator<Item = &'a Certificate>,
) -> bool {
    let is_at_hand = |due: &provider::ExpectedRoot| match due.name.contains('*') {
        false => provider::known_root(due.name).is_some() || known::is_public(due.name),
        // Regions come and go: one that is not known here may have a root of its own.
        true => !due.is_called(issuer) || provider::known_root(issuer).is_some(),
    };
    if provider.roots.is_empty() {
        return provider.system_roots == SystemRoots::Enough;
    }
    let is_named = |certificate: &Certificate| {
        certificate
            .facts()
            .is_ok_and(|facts: &Facts| provider.chain.iter().any(|own| own.matches(&facts.issuer)))
    };
    provider.roots.iter().all(is_at_hand) || (!provider.chain.is_empty() && !path.any(is_named))
}
