//! Which second looks a failure calls for: the fewest that turn its several possible causes into one.
//!
//! A look shows something only beside another one that differs from it in that one thing: one is answered, the other is
//! not, and both so twice. Of a look that changes more, or of an end of the connection alone, nothing follows.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::Instant;

use super::clock::Clock;
use super::hello::{OLD_SCHEMES, RENEGOTIATION, client_hello};
use super::look::look;
use super::tls::{self, sent_name};
use super::wiretap::is_record;
use crate::conninfo::{Host, Notice, Offered, Settings, SslNegotiation, TlsVersion};
use crate::evidence::{
    Answer, Attempt, HelloOffer, HelloPurpose, Look, NegotiateResult, Question, TcpResult, TlsFailure,
    TlsRecord,
};
use crate::plan::Plan;
use crate::verify::Defect;
use crate::verify::signature::supported_schemes;

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

const P256: u16 = 23;
/// Of signature schemes.
const ED448: u16 = 0x0808;
/// Alerts of a server that finds nothing it can take (RFC 8446, section 6.2).
const NOTHING_IN_COMMON: u8 = 40;
const TOO_WEAK: u8 = 71;
/// The alert of a server that has none of the versions offered.
const PROTOCOL_VERSION: u8 = 70;

/// Whether anything is to be looked at: of a handshake that succeeded nothing is, unless libpq would not have begun with it.
pub(super) fn are_called_for(plan: &Plan, attempts: &[Attempt]) -> bool {
    let tls = attempts.last().and_then(|attempt| attempt.tls.as_ref());
    tls.is_none_or(|step| step.result.failure.is_some()) || asks_for_gss(plan)
}

fn asks_for_gss(plan: &Plan) -> bool {
    plan.settings.notices.iter().any(|notice| matches!(notice, Notice::KerberosCredentials { .. }))
}

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
    if asks_for_gss(plan)
        && matches!(attempt.tcp.as_ref().map(|step| &step.result), Some(TcpResult::Connected { .. }))
    {
        looks.ask_together([(address, Question::GssRequest)], PORT_PATIENCE).await;
    }
    if let Some(TcpResult::Failed(failure)) = attempt.tcp.as_ref().map(|step| &step.result) {
        if failure.kind == ErrorKind::ConnectionRefused {
            looks.neighbours(attempt).await;
        }
    } else if let Some(answer) = attempt.negotiate.as_ref().map(|step| &step.result)
        && *answer != NegotiateResult::Accepted
    {
        match answer {
            // Full for a moment, never for this client, or a port that begins with TLS?
            NegotiateResult::Ended(_) => {
                looks
                    .at_once(&Hellos::at_once(&plan.settings, host), attempt, Some(Question::SslRequest))
                    .await;
            }
            // Under sslmode=allow SSLRequest was not sent.
            NegotiateResult::TimedOut(_) if attempt.plaintext.is_none() => {
                looks.at_once(&Hellos::at_once(&plan.settings, host), attempt, None).await;
            }
            // Another service, or a pooler without TLS: PostgreSQL may be next door.
            NegotiateResult::Foreign(bytes) => {
                if is_record(bytes) {
                    looks.at_once(&Hellos::at_once(&plan.settings, host), attempt, None).await;
                }
                looks.neighbours(attempt).await;
            }
            // The server itself, or a pooler before it? Its words for a version that does not exist show it.
            NegotiateResult::Refused => looks.neighbours_and(attempt, Some(Question::UnknownProtocol)).await,
            _ => {}
        }
    } else if let Some(tls) = attempt.tls.as_ref().map(|step| &step.result) {
        let hellos = Hellos {
            settings: &plan.settings,
            host,
            direct: plan.settings.negotiation == SslNegotiation::Direct,
            sni: tls.offer.sni.clone(),
        };
        looks.handshake(&hellos, tls).await;
    }
    looks.taken
}

/// The way there and back is known; an open port answers in two of them.
fn port_patience(attempt: &Attempt) -> Duration {
    let connected = attempt.tcp.as_ref().map(|step| step.took).unwrap_or_default();
    (connected * 4 + PORT_MARGIN).min(PORT_PATIENCE)
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
        self.neighbours_and(attempt, None).await;
    }

    /// The same, and a question to the port itself.
    async fn neighbours_and(&mut self, attempt: &Attempt, question: Option<Question>) {
        let here = self.address;
        let others = NEIGHBOURS.into_iter().filter(|port| *port != here.port());
        let questions = others.map(|port| (SocketAddr::new(here.ip(), port), Question::SslRequest));
        let questions = questions.chain(question.map(|question| (here, question)));
        self.ask_together(questions, port_patience(attempt)).await;
    }

    /// Whether a ClientHello is answered where SSLRequest is not, and whether it is for ALPN that one is not. Beside it
    /// SSLRequest is sent again where its answer may have been chance.
    async fn at_once(&mut self, hellos: &Hellos<'_>, attempt: &Attempt, again: Option<Question>) {
        let all = hellos.all(HelloPurpose::Negotiation);
        let (address, patience) = (self.address, port_patience(attempt));
        let first = again.into_iter().chain([Question::Hello(all.clone())]);
        self.ask_together(first.map(|question| (address, question)), patience).await;
        let goes_on = |look: &Look| matches!(look.answer, Answer::ServerHello { .. } | Answer::Byte(_));
        if self.taken.iter().any(goes_on) {
            return;
        }
        let without = hellos.without_alpn(all.clone());
        self.ask_together([(address, Question::Hello(without.clone()))], patience).await;
        if self.taken.last().is_some_and(goes_on) {
            let again = [all, without].map(|offer| (address, Question::Hello(offer)));
            self.ask_together(again, patience).await;
        }
    }

    /// What a failed handshake leaves open.
    async fn handshake(&mut self, hellos: &Hellos<'_>, tls: &TlsRecord) {
        let unheard = tls.version.is_none();
        // A part of an answer came: it says nothing of what was asked.
        let cut = |failure: &TlsFailure| matches!(failure, TlsFailure::Ended(_)) && tls.bytes_received > 0;
        match &tls.failure {
            Some(failure) if cut(failure) => {}
            Some(TlsFailure::TimedOut(_)) => self.silence(hellos).await,
            Some(TlsFailure::CertificateRefused) => self.other_certificate(hellos, tls).await,
            Some(TlsFailure::NoAlpn | TlsFailure::NotTls(_) | TlsFailure::AlertReceived(120))
                if hellos.direct =>
            {
                self.with_request(hellos).await;
            }
            Some(TlsFailure::Ended(_)) if hellos.direct && unheard => self.with_request(hellos).await,
            // These alerts name their reason; whether it is the only one is left to see.
            Some(TlsFailure::AlertReceived(120)) => {
                let all = hellos.all(HelloPurpose::Unsupported);
                self.compared(&all, [Some(hellos.without_alpn(all.clone()))]).await;
            }
            Some(TlsFailure::AlertReceived(112)) => {
                let all = hellos.all(HelloPurpose::Unsupported);
                if !self.hello(all.clone()).await {
                    let without_alpn = (!hellos.direct).then(|| hellos.without_alpn(all.clone()));
                    self.compared(&all, [hellos.other_name(all.clone()), without_alpn]).await;
                    self.unnamed(hellos).await;
                }
            }
            // A configuration of OpenSSL's may leave a version no suite that this tool has.
            Some(TlsFailure::AlertReceived(PROTOCOL_VERSION))
                if unheard && hellos.settings.limiting_config().is_none() =>
            {
                let all = hellos.all(HelloPurpose::Unsupported);
                if !self.hello(all.clone()).await {
                    self.compared(&all, hellos.other_versions(&all, tls).map(Some)).await;
                }
            }
            Some(failure @ (TlsFailure::AlertReceived(_) | TlsFailure::Ended(_))) if unheard => {
                self.unanswered(hellos, tls).await;
                let is_answered =
                    self.taken.iter().any(|look| matches!(look.answer, Answer::ServerHello { .. }));
                if !is_answered && matches!(failure, TlsFailure::AlertReceived(NOTHING_IN_COMMON | TOO_WEAK))
                {
                    let wide = hellos.everything();
                    if self.hello(wide.clone()).await {
                        self.narrowed(&hellos.all(HelloPurpose::Unsupported), &wide).await;
                    }
                }
            }
            _ => {}
        }
    }

    /// Silence: is it ALPN, or the length of the answer? Hellos that differ in nothing else, all at once, since there is
    /// little time left.
    async fn silence(&mut self, hellos: &Hellos<'_>) {
        // One group, so that the key share alone decides how long the answer is.
        let whole = HelloOffer { groups: vec![P256], ..hellos.all(HelloPurpose::WholeAnswer) };
        let short = HelloOffer { purpose: HelloPurpose::ShortAnswer, share: false, ..padded(&whole) };
        let without = (!hellos.direct).then(|| hellos.without_alpn(whole.clone()));
        let offers = [whole.clone(), short.clone()].into_iter().chain(without.clone());
        let again = [whole, short].into_iter().chain(without);
        let address = self.address;
        self.ask_together(offers.chain(again).map(|offer| (address, Question::Hello(offer))), PATIENCE).await;
    }

    /// A certificate for another host, shown to a client that sent no name: is there another one under the name? In TLS
    /// 1.2 certificates can be seen.
    async fn other_certificate(&mut self, hellos: &Hellos<'_>, tls: &TlsRecord) {
        let for_another = tls.judgement.as_ref().is_some_and(|judgement| {
            judgement.defects.iter().any(|defect| matches!(defect, Defect::NameMismatch { .. }))
        });
        if !for_another || hellos.sni.is_some() {
            return;
        }
        let unnamed = offer(HelloPurpose::Unsupported, &[TlsVersion::Tls12], hellos);
        if let Some(named) = hellos.other_name(unnamed.clone()) {
            self.hello(unnamed).await;
            self.hello(named).await;
        }
    }

    /// The certificate that a client sees which names no server, where the name is not known. In TLS 1.2 it can be seen.
    async fn unnamed(&mut self, hellos: &Hellos<'_>) {
        if hellos.sni.is_some() {
            let unnamed = offer(HelloPurpose::Unnamed, &[TlsVersion::Tls12], hellos);
            self.hello(HelloOffer { sni: None, ..unnamed }).await;
        }
    }

    /// Direct TLS that did not begin: does it after SSLRequest?
    async fn with_request(&mut self, hellos: &Hellos<'_>) {
        self.hello(HelloOffer { direct: false, ..hellos.all(HelloPurpose::Negotiation) }).await;
    }

    /// No ServerHello: is it what psql offers and this tool does not, or one thing that both offer?
    async fn unanswered(&mut self, hellos: &Hellos<'_>, tls: &TlsRecord) {
        let all = hellos.all(HelloPurpose::Unsupported);
        if self.hello(all.clone()).await {
            let own = hellos.own(&all);
            if !self.hello(own.clone()).await {
                self.narrowed(&own, &all).await;
            }
            return;
        }
        let one_thing =
            [hellos.unlimited(all.clone()), (!hellos.direct).then(|| hellos.without_alpn(all.clone()))];
        let variants = one_thing
            .into_iter()
            .chain(hellos.other_versions(&all, tls).map(Some))
            .chain([hellos.other_name(all.clone())]);
        self.compared(&all, variants).await;
    }

    /// `offer` was not answered and a wider one was: is it for what that answer shows to be chosen? That alone is added.
    async fn narrowed(&mut self, offer: &HelloOffer, wide: &HelloOffer) {
        let Some(Answer::ServerHello { version, suite, group, .. }) = self
            .taken
            .iter()
            .rev()
            .map(|look| &look.answer)
            .find(|answer| matches!(answer, Answer::ServerHello { .. }))
        else {
            return;
        };
        let mut narrowed = HelloOffer { purpose: HelloPurpose::Narrowed, ..offer.clone() };
        narrowed.suites.extend(Some(*suite).filter(|suite| !offer.suites.contains(suite)));
        narrowed.groups.extend(group.filter(|group| !offer.groups.contains(group)));
        // Nothing else than what was offered is chosen: the signature is left, of which TLS 1.3 has one that is not offered.
        if narrowed.suites == offer.suites && narrowed.groups == offer.groups {
            match version {
                TlsVersion::Tls13 if wide.purpose == HelloPurpose::Unsupported => {
                    narrowed.schemes.push(ED448)
                }
                _ => narrowed.schemes = wide.schemes.clone(),
            }
        }
        self.compared(offer, [Some(narrowed)]).await;
    }

    /// Finds the first of several hellos, each with one thing changed, that is answered, and asks both again, in the other
    /// order: what was chance is hardly so twice, nor what comes from two servers in turn behind one address.
    async fn compared(&mut self, all: &HelloOffer, variants: impl IntoIterator<Item = Option<HelloOffer>>) {
        for variant in variants.into_iter().flatten() {
            if self.hello(variant.clone()).await {
                self.hello(variant).await;
                self.hello(all.clone()).await;
                return;
            }
        }
    }

    async fn hello(&mut self, offer: HelloOffer) -> bool {
        self.ask(Question::Hello(offer)).await
    }
}

/// The hellos of one handshake's looks: each differs from another in one thing.
struct Hellos<'a> {
    settings: &'a Settings,
    host: &'a Host,
    direct: bool,
    /// The name that was sent.
    sni: Option<String>,
}

impl<'a> Hellos<'a> {
    /// TLS without SSLRequest, under the name that would have been sent after it.
    fn at_once(settings: &'a Settings, host: &'a Host) -> Self {
        let sni = sent_name(host, settings.sni).map(|name| String::from_utf8_lossy(name).into_owned());
        Self { settings, host, direct: true, sni }
    }

    /// All that psql's OpenSSL offers under these settings.
    fn all(&self, purpose: HelloPurpose) -> HelloOffer {
        offer(purpose, &allowed(self.settings), self)
    }

    /// What of it this tool offers.
    fn own(&self, all: &HelloOffer) -> HelloOffer {
        let provider = tls::provider();
        let suites: Vec<u16> = provider.cipher_suites.iter().map(|suite| suite.suite().into()).collect();
        let groups: Vec<u16> = provider.kx_groups.iter().map(|group| group.name().into()).collect();
        let schemes: Vec<u16> = supported_schemes().into_iter().map(u16::from).collect();
        let of = |all: &[u16], own: &[u16]| all.iter().filter(|one| own.contains(one)).copied().collect();
        HelloOffer {
            purpose: HelloPurpose::Own,
            suites: of(&all.suites, &[&suites[..], &[RENEGOTIATION]].concat()),
            groups: of(&all.groups, &groups),
            schemes: of(&all.schemes, &schemes),
            ..all.clone()
        }
    }

    /// The same where OpenSSL's configuration sets no lists, if it does.
    fn unlimited(&self, offer: HelloOffer) -> Option<HelloOffer> {
        self.settings.limiting_config()?;
        Some(with_lists(HelloOffer { purpose: HelloPurpose::Unlimited, ..offer }, Offered::default()))
    }

    /// All that is known in the versions that psql would offer.
    fn everything(&self) -> HelloOffer {
        let all = self.all(HelloPurpose::Everything);
        let with_rare = |common: &[u16], known: &[(u16, &str)]| {
            let rare = known.iter().map(|(number, _)| *number).filter(|number| !common.contains(number));
            common.iter().copied().chain(rare).collect()
        };
        let schemes = all.schemes.iter().chain(OLD_SCHEMES.iter().filter(|old| !all.schemes.contains(old)));
        HelloOffer {
            suites: with_rare(&all.suites, crate::iana::SUITES),
            groups: with_rare(&all.groups, crate::iana::GROUPS),
            schemes: schemes.copied().collect(),
            ..all
        }
    }

    /// Hellos with TLS 1.2 where it was offered beside 1.3, with the old versions, and with the newest where that was not
    /// offered.
    fn other_versions(&self, all: &HelloOffer, tls: &TlsRecord) -> impl Iterator<Item = HelloOffer> {
        use TlsVersion::{Tls10, Tls11, Tls12, Tls13};
        let offers = |version| tls.offer.versions.contains(&version);
        let same = |offer| HelloOffer { size: padded(all).size, schemes: all.schemes.clone(), ..offer };
        let of = |versions: &[TlsVersion]| same(offer(HelloPurpose::Version, versions, self));
        let alone = (offers(Tls12) && offers(Tls13)).then(|| of(&[Tls12]));
        let old = if alone.is_some() { of(&[Tls10, Tls11]) } else { of(&[Tls10, Tls11, Tls12]) };
        let newest = (!offers(Tls13)).then(|| of(&[Tls13]));
        alone.into_iter().chain([old]).chain(newest)
    }

    fn without_alpn(&self, offer: HelloOffer) -> HelloOffer {
        HelloOffer { purpose: HelloPurpose::Alpn, alpn: false, ..padded(&offer) }
    }

    /// The same under another name: none where one was sent, the host's where none was.
    fn other_name(&self, offer: HelloOffer) -> Option<HelloOffer> {
        let sni = match self.sni {
            Some(_) => None,
            None => Some(String::from_utf8_lossy(sent_name(self.host, true)?).into_owned()),
        };
        Some(HelloOffer { purpose: HelloPurpose::ServerName, sni, ..padded(&offer) })
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
fn offer(purpose: HelloPurpose, versions: &[TlsVersion], hellos: &Hellos<'_>) -> HelloOffer {
    let bare = HelloOffer {
        purpose,
        direct: hellos.direct,
        versions: versions.to_vec(),
        suites: Vec::new(),
        groups: Vec::new(),
        schemes: Vec::new(),
        share: true,
        sni: hellos.sni.clone(),
        alpn: true,
        size: 0,
    };
    with_lists(bare, hellos.settings.offered())
}

/// The same, so long as it is now whatever is taken out of it: what stands in between may go by a hello's length.
fn padded(offer: &HelloOffer) -> HelloOffer {
    HelloOffer { size: client_hello(offer).len(), ..offer.clone() }
}

/// The hello with the lists that go with its versions.
fn with_lists(hello: HelloOffer, offered: Offered) -> HelloOffer {
    let within = |wanted: fn(TlsVersion) -> bool| hello.versions.iter().any(|version| wanted(*version));
    let mut suites = Vec::new();
    if within(|version| version == TlsVersion::Tls13) {
        suites.extend(offered.suites13);
    }
    if within(|version| version < TlsVersion::Tls13) {
        suites.extend(offered.suites12);
        suites.push(RENEGOTIATION);
    }
    let mut schemes = offered.schemes;
    if within(|version| version < TlsVersion::Tls12) {
        schemes.extend(OLD_SCHEMES);
    }
    HelloOffer { suites, groups: offered.groups, schemes, ..hello }
}
