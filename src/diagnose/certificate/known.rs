//! Which known root signed a certificate: among those that ship, this machine's and the public ones. A name alone is no
//! evidence; the signature is verified with the root's key.

use rustls::pki_types::TrustAnchor;

use crate::certificate::encode::sequence;
use crate::certificate::{Certificate, DistinguishedName, Facts};
use crate::provider::{self, KnownRoot};
use crate::trust::RootStore;
use crate::verify::signature;

/// A root that is known to be the one sought.
pub(in crate::diagnose) struct Root {
    /// Its certificate, where it is at hand.
    pub certificate: Option<Certificate>,
    /// Its short name.
    pub name: String,
    /// Whether it ships.
    pub shipped: bool,
    /// The providers that use it, by identifier, if it ships.
    pub used_by: Vec<&'static str>,
    /// Whether this machine's store has it.
    pub on_machine: bool,
    /// Whether it is among Mozilla's public roots.
    pub in_public: bool,
}

impl Root {
    /// Whether this machine or the public stores have it.
    pub(crate) fn is_public(&self) -> bool {
        self.on_machine || self.in_public
    }
}

/// The known root that is `certificate` itself or another form of it: same name, same key.
pub(in crate::diagnose) fn same(on_machine: Option<&RootStore>, certificate: &Certificate) -> Option<Root> {
    let facts = certificate.facts().ok()?;
    let is_it =
        |other: &Facts| other.spki == facts.spki && other.subject.canonical == facts.subject.canonical;
    find(on_machine, &facts.subject, is_it, |anchor| {
        subject_of(anchor) == facts.subject.der && spki_of(anchor) == facts.spki
    })
}

/// The known root whose key verifies the signature on `below`.
pub(in crate::diagnose) fn issuer_of(on_machine: Option<&RootStore>, below: &Certificate) -> Option<Root> {
    let facts = below.facts().ok()?;
    let verifies = |spki: &[u8]| {
        signature::verify(spki, facts.signature.algorithm, below.signed_part(), below.signature_value())
            .is_ok()
    };
    find(
        on_machine,
        &facts.issuer,
        |root| root.subject.canonical == facts.issuer.canonical && verifies(&root.spki),
        |anchor| subject_of(anchor) == facts.issuer.der && verifies(&spki_of(anchor)),
    )
}

/// Whether Mozilla's public roots have one of this common name.
pub(super) fn is_public(common_name: &str) -> bool {
    webpki_roots::TLS_SERVER_ROOTS.iter().any(|anchor| {
        let subject = DistinguishedName::from_der(&subject_of(anchor)).ok();
        subject.and_then(|subject| subject.common_name()).as_deref() == Some(common_name)
    })
}

/// The known root of a name that fits.
fn find(
    on_machine: Option<&RootStore>,
    name: &DistinguishedName,
    certificate: impl Fn(&Facts) -> bool,
    anchor: impl Fn(&TrustAnchor<'_>) -> bool,
) -> Option<Root> {
    let fits = |root: &Certificate| root.facts().is_ok_and(&certificate);
    let on_machine = on_machine
        .and_then(|store| store.certificates.iter().map(|entry| &entry.certificate).find(|root| fits(root)));
    let in_public = webpki_roots::TLS_SERVER_ROOTS.iter().find(|public| anchor(public));
    let named = |root: &Certificate, shipped, used_by: Vec<&'static str>| Root {
        shipped,
        name: root.short_subject(),
        certificate: Some(root.clone()),
        used_by,
        on_machine: on_machine.is_some(),
        in_public: in_public.is_some(),
    };
    let may_ship = name.common_name().is_some_and(|name| provider::is_known_name(&name));
    let shipped = may_ship.then(provider::known_roots).unwrap_or_default();
    if let Some(KnownRoot { certificate, used_by, .. }) = shipped.iter().find(|root| fits(&root.certificate))
    {
        return Some(named(certificate, true, used_by.to_vec()));
    }
    if let Some(root) = on_machine {
        return Some(named(root, false, Vec::new()));
    }
    let name = DistinguishedName::from_der(&subject_of(in_public?)).ok()?;
    Some(Root {
        certificate: None,
        shipped: false,
        name: name.short(),
        used_by: Vec::new(),
        on_machine: false,
        in_public: true,
    })
}

/// The anchor's subject with the SEQUENCE that webpki leaves out.
fn subject_of(anchor: &TrustAnchor<'_>) -> Vec<u8> {
    sequence(&[anchor.subject.as_ref()])
}

/// The anchor's SubjectPublicKeyInfo with the SEQUENCE that webpki leaves out.
fn spki_of(anchor: &TrustAnchor<'_>) -> Vec<u8> {
    sequence(&[anchor.subject_public_key_info.as_ref()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_anchors_can_be_read_and_compared() {
        for anchor in webpki_roots::TLS_SERVER_ROOTS {
            assert!(DistinguishedName::from_der(&subject_of(anchor)).is_ok());
            assert!(crate::certificate::public_key(&spki_of(anchor)).is_ok());
        }
        let shipped = provider::known_roots();
        let isrg = webpki_roots::TLS_SERVER_ROOTS.iter().find(|anchor| {
            shipped
                .iter()
                .filter_map(|root| root.certificate.facts().ok())
                .any(|facts| subject_of(anchor) == facts.subject.der && spki_of(anchor) == facts.spki)
        });
        assert!(isrg.is_some());
    }
}
