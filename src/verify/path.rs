//! Builds the path from the leaf to a root as OpenSSL does (`build_chain` in x509_vfy.c, trusted first): for each
//! certificate an issuer is looked for in the root file, then among the certificates sent, and never reconsidered.

use super::Link;
use super::store::Store;
use crate::certificate::{Certificate, Facts, ServerTrust};
use crate::timestamp::Timestamp;
use crate::trust::{FileCertificate, RootStore};

/// OpenSSL's default depth, 100, and one more: a longer path is given up.
const LONGEST: usize = 101;

/// A path and how it ends.
pub(super) struct Path {
    pub links: Vec<Link>,
    pub end: End,
}

/// How a path ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// In a certificate that the file makes a trust anchor.
    Anchored,
    /// In a certificate whose trust settings in the file exclude TLS servers.
    Rejected,
    /// In a self-signed certificate that is not in the file.
    SelfSigned,
    /// In a certificate of the file that is not self-signed and whose issuer the file lacks.
    FileLacksRoot,
    /// With nobody known to have issued the last certificate.
    IssuerUnknown,
    /// Given up for its length.
    TooLong,
}

/// A certificate of the path with what it says.
pub(super) struct Member<'a> {
    pub certificate: &'a Certificate,
    pub facts: &'a Facts,
}

/// What the certificates of a path say. Those that cannot be decoded are no issuers and left out.
pub(super) fn members(links: &[Link]) -> Vec<Member<'_>> {
    let decoded = links.iter().filter_map(|link| Some((&link.certificate, link.certificate.facts().ok()?)));
    decoded.map(|(certificate, facts)| Member { certificate, facts }).collect()
}

/// Whether a certificate is within its dates: from notBefore on, and up to but not including notAfter, since
/// `X509_cmp_time` takes equal for earlier.
pub(super) fn is_current(facts: &Facts, at: Timestamp) -> bool {
    facts.not_before <= at && at < facts.not_after
}

/// Whether `issuer` may have issued `subject`, going by names, key identifiers and kinds of keys; no signature is
/// verified (`ossl_x509_likely_issued`).
pub fn may_have_issued(issuer: &Facts, subject: &Facts) -> bool {
    #[cfg(test)]
    super::effort::CANDIDATES.with(|count| count.set(count.get() + 1));
    subject.issuer.canonical == issuer.subject.canonical
        && subject.names_key_of(issuer)
        && issuer.key_fits(subject)
}

/// Builds the path for the first certificate of `chain`, which has been decoded.
pub(super) fn build(chain: &[Certificate], leaf: &Facts, roots: Option<&RootStore>, at: Timestamp) -> Path {
    let (anchors, directories) =
        roots.map(|roots| (roots.certificates.as_slice(), roots.directories.as_slice())).unwrap_or_default();
    let store = Store::new(anchors, directories);
    let mut builder = Builder { chain, anchors, store, at, links: Vec::new() };
    builder.push_sent(0);
    let end = builder.extend(leaf);
    Path { links: builder.links, end }
}

struct Builder<'a> {
    chain: &'a [Certificate],
    anchors: &'a [FileCertificate],
    store: Store<'a, FileCertificate>,
    at: Timestamp,
    links: Vec<Link>,
}

impl<'a> Builder<'a> {
    fn extend(&mut self, leaf: &'a Facts) -> End {
        let mut current = leaf;
        loop {
            if self.links.len() > LONGEST {
                return End::TooLong;
            }
            let self_signed = current.is_self_signed();
            match self.in_file(current, IssuerExtensions::Readable) {
                // A self-signed certificate sent counts only if it is itself in the file, byte for byte; a namesake
                // that would be its issuer does not vouch for it.
                Some((place, _)) if self_signed => {
                    if self.mark_if_last_is(place) {
                        return self.end_at(place).unwrap_or(End::SelfSigned);
                    }
                    return End::SelfSigned;
                }
                Some((place, anchor)) => return self.extend_in_file(place, anchor),
                None if self_signed => {
                    let broken =
                        self.in_file(current, IssuerExtensions::ReadableOrBroken).map(|(place, _)| place);
                    let listed = broken.filter(|place| self.mark_if_last_is(*place));
                    return listed.and_then(|place| self.end_at(place)).unwrap_or(End::SelfSigned);
                }
                // OpenSSL would choose it before those sent, and fail.
                None if self.has_odd_times_in_file(current) => return End::IssuerUnknown,
                None => {}
            }
            if let Some((place, issuer)) = self.among_sent(current, IssuerExtensions::Readable) {
                self.push_sent(place);
                current = issuer;
            } else if let Some((place, anchor)) = self.in_file(current, IssuerExtensions::ReadableOrBroken) {
                return self.extend_in_file(place, anchor);
            } else if let Some((place, issuer)) = self.among_sent(current, IssuerExtensions::ReadableOrBroken)
            {
                self.push_sent(place);
                current = issuer;
            } else if self.links.last().is_some_and(|link| link.in_file.is_some()) {
                return End::FileLacksRoot;
            } else {
                return End::IssuerUnknown;
            }
        }
    }

    /// Goes on with an issuer found in the file: from there on only the file is searched.
    fn extend_in_file(&mut self, place: usize, anchor: &'a Facts) -> End {
        let (mut place, mut current) = (place, anchor);
        loop {
            self.push_file(place);
            if let Some(end) = self.end_at(place) {
                return end;
            }
            if self.links.len() > LONGEST {
                return End::TooLong;
            }
            let Some(next) = self.in_file(current, IssuerExtensions::ReadableOrBroken) else {
                return End::FileLacksRoot;
            };
            (place, current) = next;
        }
    }

    /// Whether the path ends in a certificate of the file, which it does if that is self-signed, unless the file has
    /// trust settings for it (`check_trust` in x509_vfy.c).
    fn end_at(&self, place: usize) -> Option<End> {
        let certificate = &self.anchors.get(place)?.certificate;
        match certificate.server_trust() {
            ServerTrust::Trusted => Some(End::Anchored),
            ServerTrust::Rejected => Some(End::Rejected),
            ServerTrust::Unsaid => {
                certificate.facts().is_ok_and(Facts::is_self_signed).then_some(End::Anchored)
            }
        }
    }

    fn push_sent(&mut self, place: usize) {
        if let Some(certificate) = self.chain.get(place) {
            let in_file = self.anchors.iter().position(|anchor| anchor.certificate == *certificate);
            self.links.push(Link { certificate: certificate.clone(), sent: Some(place), in_file });
        }
    }

    fn push_file(&mut self, place: usize) {
        if let Some(anchor) = self.anchors.get(place) {
            let sent = self.chain.iter().position(|certificate| *certificate == anchor.certificate);
            self.links.push(Link { certificate: anchor.certificate.clone(), sent, in_file: Some(place) });
        }
    }

    /// Whether the certificate chosen in the file is the path's last one.
    fn mark_if_last_is(&mut self, place: usize) -> bool {
        let chosen = self.anchors.get(place).map(|anchor| &anchor.certificate);
        match (self.links.last_mut(), chosen) {
            (Some(last), Some(chosen)) if last.certificate == *chosen => {
                last.in_file = Some(place);
                true
            }
            _ => false,
        }
    }

    /// The file's issuer of a certificate (`X509_STORE_CTX_get1_issuer`).
    fn in_file(&mut self, subject: &Facts, extensions: IssuerExtensions) -> Option<(usize, &'a Facts)> {
        let named = self.store.named(&subject.issuer).into_iter();
        let certificates = named.map(|(place, anchor)| (place, &anchor.certificate));
        choose(certificates, subject, self.at, extensions)
    }

    /// Whether the file has a namesake of the issuer that nothing but its times keeps from being decoded.
    fn has_odd_times_in_file(&mut self, subject: &Facts) -> bool {
        self.store.named(&subject.issuer).iter().any(|(_, anchor)| {
            anchor.certificate.facts().is_err() && anchor.certificate.decodes_but_for_times()
        })
    }

    /// The issuer among the certificates sent that are not yet in the path (`find_issuer`).
    fn among_sent(&self, subject: &Facts, extensions: IssuerExtensions) -> Option<(usize, &'a Facts)> {
        let free = |(_, candidate): &(usize, &Certificate)| {
            !self.links.iter().any(|link| link.certificate == **candidate)
        };
        choose(self.chain.iter().enumerate().filter(free), subject, self.at, extensions)
    }
}

/// Whether an issuer may have broken extensions. It is none for OpenSSL, and taken here when there is no other, so that
/// the defect can be named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum IssuerExtensions {
    Readable,
    ReadableOrBroken,
}

/// The first issuer that is current, else the one that expires last.
fn choose<'a>(
    candidates: impl Iterator<Item = (usize, &'a Certificate)>,
    subject: &Facts,
    at: Timestamp,
    extensions: IssuerExtensions,
) -> Option<(usize, &'a Facts)> {
    let mut best: Option<(usize, &Facts)> = None;
    let mut broken = None;
    for (place, candidate) in candidates {
        let Ok(facts) = candidate.facts() else { continue };
        if !may_have_issued(facts, subject) {
            continue;
        }
        if !facts.extensions.problems.is_empty() {
            broken = broken.or(Some((place, facts)));
            continue;
        }
        if is_current(facts, at) {
            return Some((place, facts));
        }
        if best.is_none_or(|(_, best)| facts.not_after > best.not_after) {
            best = Some((place, facts));
        }
    }
    best.or(broken.filter(|_| extensions == IssuerExtensions::ReadableOrBroken))
}
