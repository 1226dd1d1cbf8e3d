//! Judges a presented chain as libpq over OpenSSL would: pure functions of chain, trust anchors, name and time.
//!
//! [`judge`] gives every defect, not the first, and libpq's verdict; [`Judgement::strict`] is a second opinion that can
//! only lead to warnings. The rules are those of OpenSSL 3 at security level 2 or the one of its
//! configuration,
//! `X509_verify_cert` in crypto/x509/x509_vfy.c, and of libpq 15 to 18 for names.

mod budget;
mod constraints;
mod defect;
pub mod hints;
mod hostname;
mod libpq;
mod path;
mod purpose;
mod resources;
mod revocation;
pub mod signature;
mod store;
mod strict;
mod x509_strict;

use crate::certificate::Certificate;
use crate::conninfo::{SslMode, Value};
use crate::timestamp::Timestamp;
use crate::trust::{Revocation, RootStore, Roots, Trust};
use store::Store;

pub use budget::Budget;
pub use defect::{CrlFault, Defect, Demand, NameFault, NotACa, Presented, StrictReason};
pub use hostname::{is_ip_address, matches_name};
pub use path::may_have_issued;
use purpose::Purpose;
pub use strict::StrictRefusal;

/// A chain of more bytes than this may take more than some milliseconds to judge.
pub const LONG: usize = 16 * 1024;

/// Whether judging a chain may take long.
pub fn is_long(chain: &[Certificate]) -> bool {
    chain.iter().map(|certificate| certificate.der().len()).sum::<usize>() > LONG
}

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
    /// The work that is left for judging the same chain again.
    pub budget: Budget,
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
    judge_within(Budget::default(), chain, trust, host, at, mode)
}

/// Judges the chain of `first` again: against other anchors, for another name, at another moment or under another mode.
/// All of that together may take no more work than judging one chain may; `None` where it would have taken more.
pub fn judge_again(
    first: &Judgement,
    chain: &[Certificate],
    trust: &Trust,
    host: Option<&Value>,
    at: Timestamp,
    mode: SslMode,
) -> Option<Judgement> {
    let again = judge_within(first.budget.clone(), chain, trust, host, at, mode);
    let whole = !again.defects.iter().any(|defect| matches!(defect, Defect::TooMuchWork));
    whole.then_some(again)
}

fn judge_within(
    budget: Budget,
    chain: &[Certificate],
    trust: &Trust,
    host: Option<&Value>,
    at: Timestamp,
    mode: SslMode,
) -> Judgement {
    let store = roots(trust);
    let (path, mut defects) = examined(&budget, chain, trust, Purpose::Server, at);
    if let Some(facts) = chain.first().and_then(|leaf| leaf.facts().ok()) {
        defects.extend(hostname::defect(facts, host));
    }
    let mut judgement =
        Judgement { accepted: false, path, defects, verifies: store.is_some(), strict: Vec::new(), budget };
    if judgement.chain_is_good() {
        let anchors = store.map(|store: &RootStore| store.certificates.as_slice()).unwrap_or_default();
        judgement.strict = strict::refusals(chain, anchors, host, at, &judgement);
    }
    strict::demanded(&mut judgement, trust.library, host);
    judgement.accepted = judgement.accepted_under(mode);
    judgement
}

fn roots(trust: &Trust) -> Option<&RootStore> {
    match &trust.roots {
        Roots::Loaded(store) => Some(store),
        Roots::None | Roots::Missing { .. } | Roots::Unreadable { .. } | Roots::Invalid { .. } => None,
    }
}

fn examined(
    budget: &Budget,
    chain: &[Certificate],
    trust: &Trust,
    wanted: Purpose,
    at: Timestamp,
) -> (Vec<Link>, Vec<Defect>) {
    let store = roots(trust);
    // CRLs are read only when a root file was (initialize_SSL in fe-secure-openssl.c).
    let lists = match &trust.revocation {
        Revocation::On { lists, directories, .. } if store.is_some() => Some(Store::new(lists, directories)),
        Revocation::On { .. } | Revocation::Off | Revocation::Ignored { .. } => None,
    };
    libpq::examine(chain, store, lists, at, (trust.level, wanted), budget)
}

/// Judges the chain that a client presents, against the client CAs of a server, as PostgreSQL does: it takes no name into
/// account before `pg_hba.conf` (verify_cb and initialize_SSL in be-secure-openssl.c).
pub fn judge_client(chain: &[Certificate], trust: &Trust, at: Timestamp) -> Judgement {
    let budget = Budget::default();
    let (path, defects) = examined(&budget, chain, trust, Purpose::Client, at);
    let verifies = roots(trust).is_some();
    let mut judgement = Judgement { accepted: false, path, defects, verifies, strict: Vec::new(), budget };
    judgement.accepted = judgement.chain_is_good();
    judgement
}

/// Counts what judging does, so that a test can tell how much hostile certificates make it do.
#[cfg(test)]
pub(crate) mod effort {
    use std::cell::Cell;

    thread_local! {
        /// Signatures verified.
        pub static SIGNATURES: Cell<usize> = const { Cell::new(0) };
        /// Certificates looked at as another one's issuer.
        pub static CANDIDATES: Cell<usize> = const { Cell::new(0) };
    }

    /// Both since the last time.
    pub(crate) fn take() -> (usize, usize) {
        (SIGNATURES.take(), CANDIDATES.take())
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, IsCa};

    use super::*;
    use crate::testing::{self, Authority, now};
    use crate::trust::{ClientIdentity, FileCertificate, RootSource};

    const HOST: &str = "db.example";

    /// Without the issuer's key identifier: names alone tell who issued whom.
    fn params(name: &str, ca: bool) -> CertificateParams {
        let mut params = testing::params(name, ca);
        params.use_authority_key_identifier_extension = false;
        params
    }

    /// A hundred CAs, named X and Y by turns, each with a key of its own; every X is issued by the next Y and every Y
    /// by the next X, the last one by the first. Nothing but names tells who issued whom, so that every X may be every
    /// Y's issuer and the other way round.
    struct Namesakes {
        authorities: Vec<Authority>,
        certificates: Vec<Certificate>,
    }

    impl Namesakes {
        fn new() -> Self {
            let name = |at: usize| if at.is_multiple_of(2) { "X" } else { "Y" };
            let authorities: Vec<Authority> =
                (0..100).map(|at| Authority::root_with(params(name(at), true))).collect();
            let certificates =
                (0..100).map(|at| authorities[(at + 1) % 100].cross(&authorities[at])).collect();
            Self { authorities, certificates }
        }

        /// A server's certificate issued by the last Y, which stands behind all others.
        fn leaf(&self) -> Certificate {
            self.authorities[99].issue(params(HOST, false)).certificate
        }
    }

    fn trusting(certificates: impl IntoIterator<Item = Certificate>) -> Trust {
        let file = std::path::PathBuf::from("root.crt");
        let certificates = certificates
            .into_iter()
            .map(|certificate| FileCertificate { certificate, file: file.clone(), line: 1 })
            .collect();
        Trust {
            roots: Roots::Loaded(RootStore::loaded(RootSource::Given(file), certificates)),
            revocation: Revocation::Off,
            client: ClientIdentity::None,
            library: Default::default(),
            level: Default::default(),
        }
    }

    fn judged(chain: &[Certificate], trust: &Trust) -> (Judgement, usize, usize) {
        effort::take();
        let judgement = judge(chain, trust, Some(&Value::new(HOST)), now(), SslMode::VerifyFull);
        let (signatures, candidates) = effort::take();
        (judgement, signatures, candidates)
    }

    /// A link costs one signature, and choosing it a look at each certificate sent and in the file.
    #[test]
    fn a_hundred_namesakes_that_certify_each_other_cost_a_hundred_signatures() {
        let namesakes = Namesakes::new();
        let chain: Vec<Certificate> =
            std::iter::once(namesakes.leaf()).chain(namesakes.certificates.iter().cloned()).collect();
        let root = Authority::root_with(params("Z", true)).certificate;
        for (in_file, trust) in
            [(0, trusting([])), (1, trusting([root])), (100, trusting(namesakes.certificates.clone()))]
        {
            let (judgement, signatures, candidates) = judged(&chain, &trust);
            assert!(!judgement.accepted);
            assert!(judgement.path.len() <= 102, "{} in the path", judgement.path.len());
            assert!(signatures <= 101, "{signatures} signatures with {in_file} in the file");
            assert!(candidates <= 102 * (101 + in_file), "{candidates} looks with {in_file} in the file");
        }
    }

    /// The second opinion is asked only about what libpq accepts, and of few certificates: webpki would try them in
    /// every order.
    #[test]
    fn the_second_opinion_is_spared_the_namesakes() {
        let namesakes = Namesakes::new();
        let root = Authority::root_with(params("Z", true));
        let mut chain = vec![namesakes.leaf(), root.cross(&namesakes.authorities[99])];
        chain.extend(namesakes.certificates.iter().cloned());
        let (judgement, signatures, candidates) = judged(&chain, &trusting([root.certificate]));
        assert!(judgement.accepted, "{:?}", judgement.defects);
        assert_eq!((judgement.path.len(), signatures), (3, 2));
        assert!(candidates <= 3 * 102, "{candidates} looks");
        assert_eq!(judgement.strict, []);
        let asked = strict::intermediates(&chain[1..], &judgement);
        assert_eq!((asked.len(), asked[0]), (7, &chain[1]));
    }

    /// A chain of so many CAs below a root, leaf first, and the root; `shape` dresses each certificate.
    fn ladder(rungs: usize, shape: impl Fn(&mut CertificateParams)) -> (Vec<Certificate>, Certificate) {
        let named = |at: usize, ca: bool| match ca {
            true => params(&format!("CA {at}"), true),
            false => params(HOST, false),
        };
        let mut issuer = Authority::root_with(named(0, true));
        let root = issuer.certificate.clone();
        let mut chain = Vec::new();
        for at in 1..=rungs {
            let mut params = named(at, at < rungs);
            shape(&mut params);
            issuer = issuer.issue(params);
            chain.insert(0, issuer.certificate.clone());
        }
        (chain, root)
    }

    fn bytes(chain: &[Certificate]) -> usize {
        chain.iter().map(|certificate| certificate.der().len()).sum()
    }

    fn again(first: &Judgement, chain: &[Certificate], trust: &Trust) -> Option<Judgement> {
        judge_again(first, chain, trust, Some(&Value::new(HOST)), now(), SslMode::VerifyFull)
    }

    /// The most that TLS carries, of e-mail addresses against excluded subtrees: each pair of certificates is within
    /// what OpenSSL compares, all of them together are not.
    #[test]
    fn names_against_constraints_cost_no_more_than_one_chain_may() {
        let (chain, root) = ladder(21, |params| {
            let address = |n: usize| format!("{n}@b");
            params.subject_alt_names.extend(
                (0..150).map(|n| rcgen::SanType::Rfc822Name(address(n).as_str().try_into().unwrap())),
            );
            if matches!(params.is_ca, IsCa::Ca(_)) {
                params.name_constraints = Some(rcgen::NameConstraints {
                    permitted_subtrees: Vec::new(),
                    excluded_subtrees: (0..150)
                        .map(|n| rcgen::GeneralSubtree::Rfc822Name(format!("x{n}@c")))
                        .collect(),
                });
            }
        });
        assert!((50_000..64 * 1024).contains(&bytes(&chain)), "{} bytes", bytes(&chain));
        let trust = trusting([root]);
        let (judgement, ..) = judged(&chain, &trust);
        assert!(!judgement.accepted);
        assert!(matches!(judgement.defects[..], [Defect::TooMuchWork]), "{:?}", judgement.defects);
        let spent = judgement.budget.spent();
        for _ in 0..50 {
            assert!(again(&judgement, &chain, &trust).is_none());
        }
        assert!(judgement.budget.spent() >= spent);
        // Where no anchor is, no constraint is looked at. Of what was verified before nothing is known.
        let chain: Vec<Certificate> = chain.iter().map(|known| Certificate::from_der(known.der())).collect();
        let (judgement, signatures, _) = judged(&chain, &trusting([]));
        assert_eq!(judgement.budget.spent() as usize, signatures * budget::SIGNATURE);
    }

    #[test]
    fn a_hundred_signatures_are_verified_and_not_a_hundred_times() {
        let (chain, root) = ladder(100, |_| {});
        let trust = trusting([root]);
        let (judgement, signatures, _) = judged(&chain, &trust);
        assert!(judgement.accepted, "{:?}", judgement.defects);
        assert_eq!(signatures, 100);
        effort::take();
        let repeated = (0..50).filter_map(|_| again(&judgement, &chain, &trust)).count();
        assert!((1..50).contains(&repeated), "{repeated} repetitions");
        let (signatures, _) = effort::take();
        assert!(signatures <= 500, "{signatures} signatures");
    }

    /// Whoever has no certificate of the CA costs one signature, whatever is below it.
    #[test]
    fn below_a_wrong_signature_nothing_is_verified() {
        let (chain, _) = ladder(50, |params| {
            params.name_constraints = matches!(params.is_ca, IsCa::Ca(_)).then(|| rcgen::NameConstraints {
                permitted_subtrees: Vec::new(),
                excluded_subtrees: vec![rcgen::GeneralSubtree::DnsName(HOST.to_owned())],
            });
        });
        let (_, other) = ladder(1, |_| {});
        let (judgement, signatures, _) = judged(&chain, &trusting([other]));
        assert!(
            matches!(judgement.defects[..], [Defect::BadSignature { at: 49 }]),
            "{:?}",
            judgement.defects
        );
        assert_eq!(signatures, 1);
    }

    /// Trust settings for TLS servers: `trusted` or excluded, as OpenSSL appends them to a certificate.
    fn with_settings(der: &[u8], trusted: bool) -> Certificate {
        let list = if trusted { 0x30 } else { 0xa0 };
        let settings = [0x30, 12, list, 10, 6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 1];
        Certificate::from_trusted_der(&[der, &settings].concat()).unwrap()
    }

    #[test]
    fn trust_settings_of_the_file_decide_where_a_path_ends() {
        let root = Authority::root_with(params("Root", true));
        let ca = root.issue(params("CA", true));
        let leaf = ca.issue(params(HOST, false)).certificate;
        let (root, ca) = (root.certificate, ca.certificate);
        let chain = [leaf, ca.clone()];
        let verdict = |file: &[Certificate]| judged(&chain, &trusting(file.iter().cloned())).0;
        assert!(verdict(std::slice::from_ref(&root)).accepted);
        assert!(verdict(&[with_settings(root.der(), true)]).accepted);
        // Trusted by name, an intermediate needs no root.
        let judgement = verdict(&[with_settings(ca.der(), true)]);
        assert!(judgement.accepted && judgement.path.len() == 2, "{:?}", judgement.defects);
        let lacking = verdict(std::slice::from_ref(&ca)).defects;
        assert!(matches!(lacking[..], [Defect::FileLacksRoot { .. }]), "{lacking:?}");
        for file in
            [vec![with_settings(root.der(), false)], vec![with_settings(ca.der(), false), root.clone()]]
        {
            let defects = verdict(&file).defects;
            assert!(matches!(defects[..], [Defect::RejectedByFile]), "{defects:?}");
        }
    }

    #[test]
    fn odd_times_beside_the_path_do_no_harm() {
        let root = Authority::root_with(params("Root", true));
        let leaf = root.issue(params(HOST, false)).certificate;
        let mut odd = root.certificate.der().to_vec();
        let at = odd.windows(2).position(|window| window == [0x17, 13]).unwrap();
        odd[at + 2] = b'x';
        let chain = [leaf.clone(), Certificate::from_der(&odd)];
        let trust = trusting([Certificate::from_der(&odd), root.certificate.clone()]);
        let (judgement, ..) = judged(&chain, &trust);
        assert!(judgement.accepted, "{:?}", judgement.defects);
        // In the file alone it is chosen before any that is sent.
        let (judgement, ..) = judged(&chain, &trusting([Certificate::from_der(&odd)]));
        assert!(!judgement.accepted);
        let other = Authority::root_with(params("Other", true));
        let chain = [leaf, other.cross(&root)];
        let other = other.certificate;
        assert!(judged(&chain, &trusting([other.clone()])).0.accepted);
        assert!(!judged(&chain, &trusting([other, Certificate::from_der(&odd)])).0.accepted);
    }
}
