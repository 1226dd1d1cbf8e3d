//! What a server accepts, offer by offer: protocol versions, cipher suites, key-exchange groups, the two ways to begin
//! TLS, and sessions without TLS. Every offer is a connection of its own with a hand-made ClientHello that is never
//! answered past the server's first flight; none carries a credential.
//!
//! Lists are found by elimination: everything is offered, what the server chooses is taken out and the rest offered
//! again, until it refuses. That costs one connection more than there is to find. Suites are asked for in families, side
//! by side. Left out: the order in which the server prefers them, signature schemes, and SSLv3 and before, which no
//! PostgreSQL since 9.4 speaks.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::hello::{OLD_SCHEMES, X25519};
use super::{ask_in_plaintext, look};
use crate::conninfo::{Offered, SslNegotiation, TlsVersion};
use crate::evidence::audit::{Accepts, Audit, Found, STRANGER, Version};
use crate::evidence::{Answer, HelloOffer, HelloPurpose, PlaintextAnswer, Question};
use crate::iana::{GROUPS, SUITES};
use crate::order;

/// Connections at one time: each takes one of the server's until it is closed.
const MOST_AT_ONCE: usize = 6;
/// Connections in all. A server that accepts everything in [`SUITES`] in TLS 1.2 and 1.3 stays below it.
const MOST_CONNECTIONS: usize = 200;
/// One answer takes no longer.
const PATIENCE: Duration = Duration::from_secs(3);

/// Where to ask and how.
#[derive(Clone, Debug)]
pub struct Task {
    /// The server.
    pub address: SocketAddr,
    /// The server name to send.
    pub sni: Option<String>,
    /// How TLS begins in the offers of versions, suites and groups.
    pub negotiation: SslNegotiation,
    /// Whether to ask for a session without TLS: only a server that was verified is told even a made-up user name.
    pub ask_in_plaintext: bool,
    /// The limit of all offers together.
    pub limit: Duration,
}

/// Asks for everything.
pub async fn audit(task: Task) -> Audit {
    let prober = Prober::new(task);
    let ways = [SslNegotiation::Postgres, SslNegotiation::Direct]
        .map(|way| tokio::spawn(way_to_begin(prober.clone(), way)));
    let offered = [TlsVersion::Tls13, TlsVersion::Tls12, TlsVersion::Tls11, TlsVersion::Tls10];
    let asked = offered.map(|version| (version, tokio::spawn(accepts_version(prober.clone(), version))));
    let mut searches = Vec::new();
    let mut newest = None;
    for (version, asked) in asked {
        let accepted = done(asked).await.unwrap_or(Accepts::Unknown);
        let families = if accepted == Accepts::Yes { families(version) } else { Vec::new() };
        if accepted == Accepts::Yes && newest.is_none() {
            newest = Some((version, tokio::spawn(groups(prober.clone(), version))));
        }
        let families: Vec<_> = families
            .into_iter()
            .map(|family| tokio::spawn(suites(prober.clone(), version, family)))
            .collect();
        searches.push((version, accepted, families));
    }
    let mut versions = Vec::new();
    for (version, accepted, families) in searches {
        let mut all = Found { accepted: Vec::new(), complete: true };
        for family in families {
            let found = done(family).await.unwrap_or_default();
            all.accepted.extend(found.accepted);
            all.complete &= found.complete;
        }
        versions.push(Version { version, accepted, suites: in_order(all, SUITES) });
    }
    let groups = match newest {
        Some((version, search)) => Some((version, in_order(done(search).await.unwrap_or_default(), GROUPS))),
        None => None,
    };
    let [ssl_request, direct] = ways;
    let (ssl_request, direct) = (done(ssl_request).await, done(direct).await);
    Audit {
        ssl_request: ssl_request.unwrap_or(Accepts::Unknown),
        direct: direct.unwrap_or(Accepts::Unknown),
        versions,
        groups,
        profile: None,
        // Last: nothing is said in plaintext while TLS is still being asked about.
        plaintext: prober.plaintext().await,
        connections: prober.connections.load(Ordering::Relaxed).min(MOST_CONNECTIONS),
        took: prober.begin.elapsed(),
    }
}

/// The one place that opens connections, and keeps them few.
#[derive(Clone)]
struct Prober {
    task: Arc<Task>,
    begin: Instant,
    slots: Arc<Semaphore>,
    connections: Arc<AtomicUsize>,
}

impl Prober {
    fn new(task: Task) -> Self {
        Self {
            task: Arc::new(task),
            begin: Instant::now(),
            slots: Arc::new(Semaphore::new(MOST_AT_ONCE)),
            connections: Arc::default(),
        }
    }

    /// Counts a connection and gives the time that it may take; `None` where no more may be made.
    fn allowance(&self) -> Option<Duration> {
        let left = self.task.limit.saturating_sub(self.begin.elapsed());
        let counted = || self.connections.fetch_add(1, Ordering::Relaxed) < MOST_CONNECTIONS;
        (!left.is_zero() && counted()).then(|| left.min(PATIENCE))
    }

    async fn ask(&self, question: Question) -> Option<Answer> {
        let _place = self.slots.acquire().await.ok()?;
        let limit = self.allowance()?;
        Some(look(self.task.address, question, self.begin, limit).await.answer)
    }

    /// Offers these suites and groups in one version or several.
    async fn offer(&self, versions: &[TlsVersion], suites: &[u16], groups: &[u16]) -> Option<Answer> {
        let direct = self.task.negotiation == SslNegotiation::Direct;
        self.offer_by(direct, versions, suites, groups).await
    }

    async fn offer_by(
        &self,
        direct: bool,
        versions: &[TlsVersion],
        suites: &[u16],
        groups: &[u16],
    ) -> Option<Answer> {
        let old = versions.iter().any(|version| *version < TlsVersion::Tls12);
        let mut schemes = Offered::default().schemes;
        schemes.extend(OLD_SCHEMES.iter().filter(|_| old));
        let offer = HelloOffer {
            purpose: HelloPurpose::Audit,
            direct,
            versions: versions.to_vec(),
            suites: suites.to_vec(),
            groups: groups.to_vec(),
            schemes,
            share: groups.contains(&X25519),
            sni: self.task.sni.clone(),
            alpn: direct,
            size: 0,
        };
        self.ask(Question::Hello(offer)).await
    }

    async fn plaintext(&self) -> Option<PlaintextAnswer> {
        if !self.task.ask_in_plaintext {
            return None;
        }
        let limit = self.allowance()?;
        Some(ask_in_plaintext(self.task.address, STRANGER, limit).await)
    }
}

/// A task's result; a task that is gone has none.
async fn done<T>(task: JoinHandle<T>) -> Option<T> {
    task.await.ok()
}

async fn way_to_begin(prober: Prober, way: SslNegotiation) -> Accepts {
    if way == SslNegotiation::Postgres {
        return begun(prober.ask(Question::SslRequest).await.as_ref());
    }
    let versions = [TlsVersion::Tls12, TlsVersion::Tls13];
    let suites: Vec<u16> = versions.into_iter().flat_map(families).flatten().collect();
    let groups = group_numbers(TlsVersion::Tls12);
    let direct = || prober.offer_by(true, &versions, &suites, &groups);
    match direct().await {
        // Before PostgreSQL 17 a server takes the ClientHello for a start-up packet of an impossible length and closes. A
        // connection may end by chance too: it is a refusal where SSLRequest is answered in between and the second
        // ClientHello meets the same.
        Some(Answer::Ended(_)) => match (prober.ask(Question::SslRequest).await, direct().await) {
            (Some(Answer::Byte(b'S')), Some(Answer::Ended(_))) => Accepts::No,
            (_, again) => begun(again.as_ref()),
        },
        answer => begun(answer.as_ref()),
    }
}

/// Whether TLS began: an answer says so, never the end of a connection.
fn begun(answer: Option<&Answer>) -> Accepts {
    match answer {
        Some(Answer::Byte(b'S') | Answer::ServerHello { .. }) => Accepts::Yes,
        // An error in PostgreSQL's protocol in place of TLS is a refusal too.
        Some(Answer::Byte(b'N') | Answer::Alert(_) | Answer::Other(_)) => Accepts::No,
        _ => Accepts::Unknown,
    }
}

async fn accepts_version(prober: Prober, version: TlsVersion) -> Accepts {
    let suites: Vec<u16> = families(version).concat();
    match prober.offer(&[version], &suites, &group_numbers(version)).await {
        Some(Answer::ServerHello { version: chosen, .. }) if chosen == version => Accepts::Yes,
        Some(Answer::ServerHello { .. } | Answer::Alert(_)) => Accepts::No,
        _ => Accepts::Unknown,
    }
}

async fn suites(prober: Prober, version: TlsVersion, family: Vec<u16>) -> Found {
    eliminate(family, |left| {
        let prober = prober.clone();
        async move {
            let answer = prober.offer(&[version], &left, &group_numbers(version)).await;
            choice(answer, version, |suite, _| Some(suite))
        }
    })
    .await
}

async fn groups(prober: Prober, version: TlsVersion) -> Found {
    // Suites that need a group: all of TLS 1.3, and those with ECDHE of the others.
    let suites = match version {
        TlsVersion::Tls13 => families(version).concat(),
        _ => families(version).into_iter().next().unwrap_or_default(),
    };
    eliminate(group_numbers(version), |left| {
        let (prober, suites) = (prober.clone(), suites.clone());
        async move {
            let answer = prober.offer(&[version], &suites, &left).await;
            choice(answer, version, |_, group| group)
        }
    })
    .await
}

/// What the server makes of an offer of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    /// It takes this one.
    Takes(u16),
    /// It takes none.
    Refuses,
    /// The answer tells neither.
    Unclear,
}

fn choice(
    answer: Option<Answer>,
    version: TlsVersion,
    chosen: impl Fn(u16, Option<u16>) -> Option<u16>,
) -> Choice {
    match answer {
        Some(Answer::ServerHello { version: spoken, suite, group, .. }) if spoken == version => {
            chosen(suite, group).map_or(Choice::Unclear, Choice::Takes)
        }
        Some(Answer::ServerHello { .. } | Answer::Alert(_)) => Choice::Refuses,
        _ => Choice::Unclear,
    }
}

/// Takes out what is chosen until the rest is refused. A choice that was not offered ends the search too.
async fn eliminate<C: Future<Output = Choice>>(mut left: Vec<u16>, choose: impl Fn(Vec<u16>) -> C) -> Found {
    let mut found = Found::default();
    while !left.is_empty() {
        match choose(left.clone()).await {
            Choice::Takes(chosen) if left.contains(&chosen) => {
                left.retain(|other| *other != chosen);
                found.accepted.push(chosen);
            }
            Choice::Refuses => break,
            Choice::Takes(_) | Choice::Unclear => return found,
        }
    }
    Found { complete: true, ..found }
}

/// The suites that a version can have, in families by how keys are exchanged: ECDHE first.
fn families(version: TlsVersion) -> Vec<Vec<u16>> {
    let numbers = |wanted: &dyn Fn(&str) -> bool| -> Vec<u16> {
        SUITES.iter().filter(|(_, name)| wanted(name)).map(|(number, _)| *number).collect()
    };
    if version == TlsVersion::Tls13 {
        return vec![numbers(&is_tls13)];
    }
    // Before TLS 1.2 there is neither AEAD nor a MAC of the SHA-2 family.
    let fits = |name: &str| {
        !is_tls13(name) && (version == TlsVersion::Tls12 || name.ends_with("_SHA") || name.ends_with("_MD5"))
    };
    let kinds = ["TLS_ECDHE_", "TLS_DHE_", "TLS_RSA_", "TLS_DH_anon_", "TLS_ECDH_anon_"];
    kinds.map(|kind| numbers(&|name| name.starts_with(kind) && fits(name))).to_vec()
}

/// A suite of TLS 1.3 names no key exchange (RFC 8446 appendix B.4).
fn is_tls13(name: &str) -> bool {
    !name.contains("_WITH_")
}

/// The groups that a version can have: finite fields and hybrids begin with TLS 1.3.
fn group_numbers(version: TlsVersion) -> Vec<u16> {
    let fits = |number: &u16| version == TlsVersion::Tls13 || *number < 256;
    GROUPS.iter().map(|(number, _)| *number).filter(fits).collect()
}

fn in_order(mut found: Found, table: &[(u16, &str)]) -> Found {
    order::by_key(&mut found.accepted, |number| table.iter().position(|(known, _)| known == number));
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::{Demo, fault};
    use crate::evidence::{Closure, ServerMessage};

    fn run<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
    }

    fn audited(name: Option<&str>) -> (Audit, Demo) {
        let demo = Demo::start(name.map(|name| fault(name).unwrap())).unwrap();
        let task = Task {
            address: demo.address(),
            sni: Some("db.example".to_owned()),
            negotiation: SslNegotiation::Postgres,
            ask_in_plaintext: true,
            limit: Duration::from_secs(20),
        };
        (run(audit(task)), demo)
    }

    fn accepted(audit: &Audit) -> Vec<(TlsVersion, Accepts)> {
        audit.versions.iter().map(|version| (version.version, version.accepted)).collect()
    }

    /// The healthy server is rustls with ring: all of it is known.
    #[test]
    fn everything_that_rustls_accepts_is_found_and_nothing_else() {
        let (audit, demo) = audited(None);
        use Accepts::{No, Yes};
        use TlsVersion::{Tls10, Tls11, Tls12, Tls13};
        assert_eq!(accepted(&audit), [(Tls13, Yes), (Tls12, Yes), (Tls11, No), (Tls10, No)]);
        assert_eq!((audit.ssl_request, audit.direct), (Yes, Yes));
        let suites: Vec<&Found> = audit.versions.iter().map(|version| &version.suites).collect();
        assert_eq!(suites[0].accepted, [0x1302, 0x1303, 0x1301]);
        // The demo's certificate has an ECDSA key.
        assert_eq!(suites[1].accepted, [0xC02C, 0xCCA9, 0xC02B]);
        assert!(suites.iter().all(|found| found.complete), "{suites:?}");
        let groups = Found { accepted: vec![29, 23, 24], complete: true };
        assert_eq!(audit.groups, Some((Tls13, groups)));
        assert_eq!(audit.plaintext_accepted(), No);
        assert!(audit.legacy().is_empty());
        assert!(audit.connections < 30, "{}", audit.connections);
        assert_eq!(demo.connections().len(), audit.connections);
    }

    #[test]
    fn old_versions_and_plaintext_are_found() {
        let (audit, _) = audited(Some("legacy-tls-accepted"));
        assert_eq!(audit.legacy(), [TlsVersion::Tls10]);
        assert_eq!(audit.versions[3].suites.accepted.len(), 6, "{:?}", audit.versions[3]);
        let (audit, demo) = audited(Some("plaintext-accepted"));
        assert_eq!(audit.plaintext_accepted(), Accepts::Yes);
        let clear = demo.connections().into_iter().flat_map(|record| record.clear).collect::<Vec<u8>>();
        assert!(!clear.windows(8).any(|bytes| bytes == b"demo-pas"), "a password");
        assert!(!clear.windows(10).any(|bytes| bytes == b"user\0demo\0"), "the person's user name");
    }

    #[test]
    fn a_silent_server_ends_the_audit_in_its_time() {
        let demo = Demo::start(fault("tls-timeout")).unwrap();
        let task = Task {
            address: demo.address(),
            sni: None,
            negotiation: SslNegotiation::Postgres,
            ask_in_plaintext: false,
            limit: Duration::from_millis(300),
        };
        let begin = Instant::now();
        let audit = run(audit(task));
        assert!(begin.elapsed() < Duration::from_secs(2));
        assert!(accepted(&audit).iter().all(|(_, accepted)| *accepted == Accepts::Unknown), "{audit:?}");
        assert_eq!((audit.groups, audit.plaintext), (None, None));
    }

    /// A connection that ends says nothing of what was offered on it, unless the contrast is shown.
    #[test]
    fn no_refusal_is_read_from_the_end_of_a_connection() {
        for name in ["tls-closed", "tls-reset"] {
            let (audit, _) = audited(Some(name));
            assert_eq!(audit.ssl_request, Accepts::Yes, "{name}");
            assert!(accepted(&audit).iter().all(|(_, accepts)| *accepts == Accepts::Unknown), "{audit:?}");
        }
        let (audit, _) = audited(Some("negotiation-closed"));
        assert_eq!(audit.ssl_request, Accepts::Unknown);
        let (audit, demo) = audited(Some("direct-tls-unsupported"));
        assert_eq!((audit.ssl_request, audit.direct), (Accepts::Yes, Accepts::No));
        assert_eq!(demo.connections().len(), audit.connections);
        let ended = choice(Some(Answer::Ended(Closure::Closed)), TlsVersion::Tls13, |suite, _| Some(suite));
        assert_eq!(ended, Choice::Unclear);
    }

    #[test]
    fn elimination_ends_with_whatever_a_server_does() {
        let stubborn = run(eliminate(vec![1, 2], |_| async { Choice::Takes(1) }));
        assert_eq!(stubborn, Found { accepted: vec![1], complete: false });
        let all = run(eliminate(vec![1, 2], |left| async move { Choice::Takes(left[left.len() - 1]) }));
        assert_eq!(all, Found { accepted: vec![2, 1], complete: true });
        let none = run(eliminate(vec![1, 2], |_| async { Choice::Refuses }));
        assert_eq!(none, Found { accepted: vec![], complete: true });
        let silent = run(eliminate(vec![1, 2], |_| async { Choice::Unclear }));
        assert_eq!(silent, Found::default());
    }

    #[test]
    fn refusals_of_plaintext_are_told_from_other_errors() {
        let (mut audit, _) = audited(Some("tcp-refused"));
        for (sqlstate, accepts) in
            [("28000", Accepts::No), ("08P01", Accepts::No), ("53300", Accepts::Unknown)]
        {
            let message = ServerMessage { sqlstate: sqlstate.to_owned(), ..ServerMessage::default() };
            audit.plaintext = Some(PlaintextAnswer::Refused(message));
            assert_eq!(audit.plaintext_accepted(), accepts, "{sqlstate}");
        }
    }

    #[test]
    fn every_suite_is_in_one_family() {
        let all: Vec<u16> =
            [TlsVersion::Tls13, TlsVersion::Tls12].into_iter().flat_map(families).flatten().collect();
        assert_eq!(all.len(), SUITES.len());
        assert!(families(TlsVersion::Tls10).concat().iter().all(|number| *number != 0xC02F));
    }
}
