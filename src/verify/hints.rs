//! What helps to explain a judgement: nearest names, the gap in a path, a namesake with another key. Pure look-ups.

use super::{Judgement, Link, is_ip_address};
use crate::certificate::{Certificate, Facts, GeneralName};
use crate::text::distance;
use crate::trust::FileCertificate;

/// Where a path stops short of a root.
#[derive(Clone, Debug)]
pub struct Gap {
    /// The last certificate of the path.
    pub below: Certificate,
    /// The issuer sought, printable.
    pub issuer: String,
    /// Where that issuer's certificate can be had (authorityInfoAccess).
    pub addresses: Vec<String>,
}

/// The gap at the end of the path: `None` when it ends in a self-signed certificate.
pub fn gap(judgement: &Judgement) -> Option<Gap> {
    let below = &judgement.path.last()?.certificate;
    let facts = below.facts().ok().filter(|facts| !facts.is_self_signed())?;
    Some(Gap {
        below: below.clone(),
        issuer: facts.issuer.to_string(),
        addresses: facts.extensions.issuer_addresses.clone(),
    })
}

/// A CA of the file that bears the name of the one sought and has another key.
#[derive(Clone, Debug)]
pub struct Namesake<'a> {
    /// The certificate of the file.
    pub in_file: &'a FileCertificate,
    /// The certificate of that name that the server sent, if it sent one.
    pub sent: Option<Certificate>,
}

/// Looks in the file for a certificate with the name of the root or issuer at which the path failed, and with another
/// key: either the path stops at an issuer of that name, or the signature does not verify with the file's key.
pub fn namesake<'a>(judgement: &Judgement, anchors: &'a [FileCertificate]) -> Option<Namesake<'a>> {
    if let Some(at) = judgement.defects.iter().find_map(|defect| match defect {
        super::Defect::BadSignature { at } => Some(*at),
        _ => None,
    }) {
        let place = judgement.path.get(at + 1)?.in_file?;
        return anchors.get(place).map(|in_file| Namesake { in_file, sent: None });
    }
    let last = judgement.path.last()?;
    if is_anchored(judgement) {
        return None;
    }
    let facts = last.certificate.facts().ok()?;
    let others_key = |candidate: &Facts| candidate.spki != facts.spki || !facts.is_self_signed();
    let in_file = anchors.iter().find(|anchor| {
        let named = anchor.certificate.facts().ok();
        named.is_some_and(|named| named.subject.canonical == facts.issuer.canonical && others_key(named))
    })?;
    Some(Namesake { in_file, sent: facts.is_self_signed().then(|| last.certificate.clone()) })
}

fn is_anchored(judgement: &Judgement) -> bool {
    judgement.path.last().is_some_and(|Link { certificate, in_file, .. }| {
        in_file.is_some() && certificate.facts().is_ok_and(Facts::is_self_signed)
    })
}

/// The certificate's name nearest to `host` by edit distance, case aside: of its names for a name, of its addresses for an
/// address, and of the others only where it has none of those. The common name counts only where there is no other, as it
/// does for every client.
/// `None` when there is no name at all.
pub fn closest_name(facts: &Facts, host: &str) -> Option<String> {
    let sans = facts.sans.as_deref().unwrap_or_default();
    let names = sans.iter().filter_map(|name| match name {
        GeneralName::Dns(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        _ => None,
    });
    let addresses = sans.iter().filter_map(|name| match name {
        GeneralName::Ip(address) => Some(address.to_string()),
        _ => None,
    });
    let (names, addresses): (Vec<_>, Vec<_>) = (names.collect(), addresses.collect());
    let like_it = match (is_ip_address(host.as_bytes()), names.is_empty(), addresses.is_empty()) {
        (true, _, false) | (false, true, _) => addresses,
        (true, _, true) | (false, false, _) => names,
    };
    let mut sans = like_it.into_iter().peekable();
    let common_name = facts.subject.common_name().filter(|_| sans.peek().is_none());
    let wanted = host.to_ascii_lowercase();
    sans.chain(common_name).take(MOST_NAMES).min_by_key(|name| distance(&name.to_ascii_lowercase(), &wanted))
}

/// Certificates with thousands of names exist; nobody reads the nearest of more than these.
const MOST_NAMES: usize = 1000;
