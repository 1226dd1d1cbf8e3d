//! Judges a presented chain as libpq over OpenSSL would: pure functions of chain, trust anchors, name and time.
//!
//! [`judge`] gives every defect, not the first, and libpq's verdict; [`Judgement::strict`] is a second opinion that can
//! only lead to warnings. The rules are those of OpenSSL 3.0 at security level 2 (Debian's and Ubuntu's libpq),
//! `X509_verify_cert` in crypto/x509/x509_vfy.c, and of libpq 15 to 18 for names.

mod constraints;
mod defect;
pub mod hints;
mod hostname;
mod libpq;
mod path;
mod revocation;
pub mod signature;
mod strict;

use crate::certificate::Certificate;
use crate::conninfo::{SslMode, Value};
use crate::timestamp::Timestamp;
use crate::trust::{Revocation, RootStore, Roots, Trust};

pub use defect::{CrlFault, Defect, Demand, NameFault, NotACa, Presented};
pub use hostname::{is_ip_address, matches_name};
pub use strict::{StrictReason, StrictRefusal};

/// What came of judging a chain.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// Whether libpq accepts: what the mode demands holds.
    pub accepted: bool,
    /// The path from the leaf as far as it could be built.
    pub path: Vec<Link>,
    /// Everything that is wrong, in the order in which OpenSSL and then libpq would come upon it, whether the mode
    /// demands it or not (see [`Defect::demand`]).
    pub defects: Vec<Defect>,
    /// Whether a root file was there to verify against; without one `require` and below verify nothing.
    pub verifies: bool,
    /// What strict clients refuse in this chain although libpq accepts it; empty where libpq refuses the chain.
    pub strict: Vec<StrictRefusal>,
}

/// One certificate of the path.
#[derive(Clone, Debug)]
pub struct Link {
    /// The certificate.
    pub certificate: Certificate,
    /// Its place among the certificates sent (0 is the leaf), if it was sent.
    pub sent: Option<usize>,
    /// Its place in [`RootStore::certificates`], if it is there.
    pub in_file: Option<usize>,
}

impl Judgement {
    /// Whether libpq would accept under another sslmode, everything else being the same.
    pub fn accepted_under(&self, mode: SslMode) -> bool {
        (self.verifies || mode < SslMode::VerifyCa)
            && !self.defects.iter().any(|defect| defect.demanded(mode, self.verifies))
    }

    /// Whether the chain is good, whatever the name.
    pub fn chain_is_good(&self) -> bool {
        self.accepted_under(SslMode::VerifyCa)
    }

    /// The defects of the name.
    pub fn name_defects(&self) -> impl Iterator<Item = &Defect> {
        self.defects.iter().filter(|defect| defect.demand() == Demand::Name)
    }

    /// The defects of the chain, those included that no mode forgives.
    pub fn chain_defects(&self) -> impl Iterator<Item = &Defect> {
        self.defects.iter().filter(|defect| defect.demand() != Demand::Name)
    }
}

/// Judges `chain` (as sent, leaf first) against the trust anchors for `host` (the name to verify, verbatim; `None`
/// when there is none) at a moment, under an sslmode.
///
/// All defects are found whatever the mode; it decides only about [`Judgement::accepted`].
pub fn judge(
    chain: &[Certificate],
    trust: &Trust,
    host: Option<&Value>,
    at: Timestamp,
    mode: SslMode,
) -> Judgement {
    let store = match &trust.roots {
        Roots::Loaded(store) => Some(store),
        Roots::None | Roots::Missing { .. } | Roots::Unreadable { .. } | Roots::Invalid { .. } => None,
    };
    let anchors = store.map(|store: &RootStore| store.certificates.as_slice()).unwrap_or_default();
    // CRLs are read only when a root file was (initialize_SSL in fe-secure-openssl.c).
    let lists = match &trust.revocation {
        Revocation::On { lists, .. } if store.is_some() => Some(lists.as_slice()),
        Revocation::On { .. } | Revocation::Off | Revocation::Ignored { .. } => None,
    };
    let (path, mut defects) = libpq::examine(chain, anchors, lists, at);
    if let Some(facts) = chain.first().and_then(|leaf| leaf.facts().ok()) {
        defects.extend(hostname::defect(facts, host));
    }
    let mut judgement =
        Judgement { accepted: false, path, defects, verifies: store.is_some(), strict: Vec::new() };
    judgement.accepted = judgement.accepted_under(mode);
    if judgement.chain_is_good() {
        judgement.strict = strict::refusals(chain, anchors, host, at, &judgement);
    }
    judgement
}
