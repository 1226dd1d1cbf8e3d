//! Which second looks a failure calls for: the fewest that turn its several possible causes into one.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::Instant;

use super::clock::Clock;
use super::look::look;
use super::tls::sent_name;
use crate::conninfo::{Host, Settings, SslNegotiation, TlsVersion};
use crate::evidence::{
    Answer, Attempt, HelloOffer, HelloPurpose, Look, NegotiateResult, Question, TcpResult, TlsFailure,
    TlsRecord,
};
use crate::plan::Plan;
use crate::verify::Defect;

/// Beyond what the failing address has left, looks may take so long in all.
const EXTRA: Duration = Duration::from_secs(1);
/// One look takes no longer.
const PATIENCE: Duration = Duration::from_secs(3);
/// A port that does not answer at once is none that was meant.
const PORT_PATIENCE: Duration = Duration::from_secs(1);
/// What a busy server may take to answer, over the time on the way.
const PORT_MARGIN: Duration = Duration::from_millis(200);

/// Ports of PostgreSQL and its poolers: the default, a second cluster (Debian), PgBouncer, Supabase's pooler.
const NEIGHBOURS: [u16; 4] = [5432, 5433, 6432, 6543];

/// OpenSSL's default cipher suites and groups, in its order: what psql offers.
const SUITES_13: [u16; 3] = [0x1302, 0x1303, 0x1301];
const SUITES_12: [u16; 28] = [
    0xC02C, 0xC030, 0x009F, 0xCCA9, 0xCCA8, 0xCCAA, 0xC02B, 0xC02F, 0x009E, 0xC024, 0xC028, 0x006B, 0xC023,
    0xC027, 0x0067, 0xC00A, 0xC014, 0x0039, 0xC009, 0xC013, 0x0033, 0x009D, 0x009C, 0x003D, 0x003C, 0x0035,
    0x002F, 0x00FF,
];
const GROUPS: [u16; 10] = [29, 23, 30, 25, 24, 256, 257, 258, 259, 260];
const P256: u16 = 23;

/// Takes the looks that the last attempt's failure calls for.
pub(super) async fn take(
    plan: &Plan,
    attempts: &[Attempt],
    (address, deadline): (SocketAddr, Instant),
    clock: Clock,
    last: Option<Instant>,
) -> Vec<Look> {
    let Some(attempt) = attempts.last() else { return Vec::new() };
    let Some(host) = plan.settings.hosts.get(attempt.host) else { return Vec::new() };
    let end = deadline.max(Instant::now()) + EXTRA;
    let mut looks = Looks { address, clock, end: last.map_or(end, |last| end.min(last)), taken: Vec::new() };
    if let Some(TcpResult::Failed(failure)) = attempt.tcp.as_ref().map(|step| &step.result) {
        if failure.kind == ErrorKind::ConnectionRefused {
            looks.neighbours(attempt).await;
        }
    } else if let Some(answer) = attempt.negotiate.as_ref().map(|step| &step.result)
        && *answer != NegotiateResult::Accepted
    {
        match answer {
            // Full for a moment, or never for this client?
            NegotiateResult::Ended(_) => drop(looks.ask(Question::SslRequest).await),
            // Another service, or a pooler without TLS: PostgreSQL may be next door.
            NegotiateResult::Foreign(_) | NegotiateResult::Refused => looks.neighbours(attempt).await,
            _ => {}
        }
    } else if let Some(tls) = attempt.tls.as_ref().map(|step| &step.result) {
        looks.handshake(&plan.settings, host, tls).await;
    }
    looks.taken
}

struct Looks {
    address: SocketAddr,
    clock: Clock,
    end: Instant,
    taken: Vec<Look>,
}

impl Looks {
    /// Asks one question; says whether a ServerHello answered it. Without time left it is not asked.
    async fn ask(&mut self, question: Question) -> bool {
        let limit = PATIENCE.min(self.end.saturating_duration_since(Instant::now()));
        if limit.is_zero() {
            return false;
        }
        let look = look(self.address, question, self.clock.start(), limit).await;
        let answered = matches!(look.answer, Answer::ServerHello { .. });
        self.taken.push(look);
        answered
    }

    /// Asks several questions at once.
    async fn ask_together(
        &mut self,
        questions: impl IntoIterator<Item = (SocketAddr, Question)>,
        limit: Duration,
    ) {
        let limit = limit.min(self.end.saturating_duration_since(Instant::now()));
        let since = self.clock.start();
        let asked: Vec<_> = questions
            .into_iter()
            .map(|(address, question)| tokio::spawn(look(address, question, since, limit)))
            .collect();
        for answer in asked {
            self.taken.extend(answer.await);
        }
    }

    /// Whether PostgreSQL listens at another of its usual ports.
    async fn neighbours(&mut self, attempt: &Attempt) {
        let here = self.address;
        let others = NEIGHBOURS.into_iter().filter(|port| *port != here.port());
        let questions = others.map(|port| (SocketAddr::new(here.ip(), port), Question::SslRequest));
        // The way there and back is known; an open port answers in two of them.
        let connected = attempt.tcp.as_ref().map(|step| step.took).unwrap_or_default();
        let patience = (connected * 4 + PORT_MARGIN).min(PORT_PATIENCE);
        self.ask_together(questions, patience).await;
    }

    async fn handshake(&mut self, settings: &Settings, host: &Host, tls: &TlsRecord) {
        let direct = settings.negotiation == SslNegotiation::Direct;
        let hello = |purpose, versions: &[TlsVersion]| HelloOffer {
            direct,
            sni: tls.offer.sni.clone(),
            ..offer(purpose, versions)
        };
        let Some(failure) = &tls.failure else { return };
        let unanswered = tls.version.is_none();
        match failure {
            TlsFailure::TimedOut(_) => {
                let small = HelloOffer {
                    suites: vec![0x1301, 0xC02F, 0xC02B],
                    groups: vec![P256],
                    ..hello(HelloPurpose::SmallHello, &[TlsVersion::Tls12])
                };
                // No share comes with it, so that a short HelloRetryRequest is the answer.
                let short = HelloOffer {
                    groups: vec![P256],
                    ..hello(HelloPurpose::ShortAnswer, &[TlsVersion::Tls12, TlsVersion::Tls13])
                };
                let questions = [small, short].map(|offer| (self.address, Question::Hello(offer)));
                self.ask_together(questions, PATIENCE).await;
            }
            TlsFailure::CertificateRefused => {
                let other_name = tls.judgement.as_ref().is_some_and(|judgement| {
                    judgement.defects.iter().any(|defect| matches!(defect, Defect::NameMismatch { .. }))
                });
                if other_name
                    && tls.offer.sni.is_none()
                    && let Some(name) = sent_name(host, true)
                {
                    // In TLS 1.2 the certificate can be seen.
                    let offer = HelloOffer {
                        sni: Some(String::from_utf8_lossy(name).into_owned()),
                        ..hello(HelloPurpose::ServerName, &[TlsVersion::Tls12])
                    };
                    self.ask(Question::Hello(offer)).await;
                }
            }
            TlsFailure::NoAlpn | TlsFailure::NotTls(_) | TlsFailure::AlertReceived(120) if direct => {
                self.with_request(hello(HelloPurpose::Negotiation, &MODERN)).await;
            }
            TlsFailure::Ended(_) if direct && unanswered => {
                self.with_request(hello(HelloPurpose::Negotiation, &MODERN)).await;
            }
            TlsFailure::AlertReceived(112) => self.other_name(host, tls, hello).await,
            TlsFailure::AlertReceived(_) | TlsFailure::Ended(_) if unanswered => {
                if self.ask(Question::Hello(hello(HelloPurpose::Unsupported, &allowed(settings)))).await {
                    return;
                }
                let old = [TlsVersion::Tls10, TlsVersion::Tls11, TlsVersion::Tls12];
                if self.ask(Question::Hello(hello(HelloPurpose::Version, &old))).await {
                    return;
                }
                let newest = [TlsVersion::Tls13];
                if !tls.offer.versions.contains(&TlsVersion::Tls13)
                    && self.ask(Question::Hello(hello(HelloPurpose::Version, &newest))).await
                {
                    return;
                }
                self.other_name(host, tls, hello).await;
            }
            _ => {}
        }
    }

    /// Whether TLS begins after SSLRequest, where it did not begin at once.
    async fn with_request(&mut self, offer: HelloOffer) {
        self.ask(Question::Hello(HelloOffer { direct: false, ..offer })).await;
    }

    /// Whether another name makes the difference: none where one was sent, the host's where none was.
    async fn other_name(
        &mut self,
        host: &Host,
        tls: &TlsRecord,
        hello: impl Fn(HelloPurpose, &[TlsVersion]) -> HelloOffer,
    ) {
        let sni = match tls.offer.sni {
            Some(_) => None,
            None => match sent_name(host, true) {
                Some(name) => Some(String::from_utf8_lossy(name).into_owned()),
                None => return,
            },
        };
        self.ask(Question::Hello(HelloOffer { sni, ..hello(HelloPurpose::ServerName, &MODERN) })).await;
    }
}

const MODERN: [TlsVersion; 2] = [TlsVersion::Tls12, TlsVersion::Tls13];

/// The versions that psql would offer at security level 2.
fn allowed(settings: &Settings) -> Vec<TlsVersion> {
    let within = |version: &TlsVersion| {
        settings.min_tls.is_none_or(|min| *version >= min)
            && settings.max_tls.is_none_or(|max| *version <= max)
    };
    MODERN.into_iter().filter(within).collect()
}

/// Everything that OpenSSL offers in these versions.
fn offer(purpose: HelloPurpose, versions: &[TlsVersion]) -> HelloOffer {
    let (new, old) =
        (versions.contains(&TlsVersion::Tls13), versions.iter().any(|version| *version < TlsVersion::Tls13));
    let suites = SUITES_13.iter().filter(|_| new).chain(SUITES_12.iter().filter(|_| old));
    HelloOffer {
        purpose,
        direct: false,
        versions: versions.to_vec(),
        suites: suites.copied().collect(),
        groups: GROUPS.to_vec(),
        sni: None,
        size: 0,
    }
}
