//! The evidence of one attempt as the rules look at it: look-ups only.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::time::Duration;

use super::root_file::Server;
use super::{Mark, Verdict};
use crate::conninfo::{
    self, Endpoint, Form, Host, Origin, ParameterValue, Settings, SslMode, SslNegotiation, Value,
};
use crate::evidence::{
    Answer, Attempt, Evidence, NegotiateResult, Question, Rehearsal, SessionFailure, SessionRecord,
    TcpResult, TlsFailure, TlsRecord,
};
use crate::provider::{self, Detection};
use crate::stage::Stage;
use crate::text;
use crate::trust::{ClientIdentity, RootSource, RootStore, Roots, Trust};
use crate::verify::Judgement;

/// The evidence, one attempt of it, and the sslmode under which it is judged.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub evidence: &'a Evidence,
    pub attempt: Option<&'a Attempt>,
    /// The effective sslmode, or the one that a warning asks about.
    pub mode: SslMode,
}

impl<'a> View<'a> {
    pub(super) fn new(evidence: &'a Evidence, attempt: Option<&'a Attempt>) -> Self {
        let mode = evidence.config.as_ref().map_or(SslMode::VerifyFull, |settings| settings.sslmode);
        Self { evidence, attempt, mode }
    }

    pub(super) fn settings(&self) -> Option<&'a Settings> {
        self.evidence.config.as_ref().ok()
    }

    pub(super) fn trust(&self) -> Option<&'a Trust> {
        self.evidence.trust.as_deref()
    }

    /// The program that connects with the string that was given.
    pub(super) fn program(&self) -> &'static str {
        self.evidence.typed.as_ref().map_or("libpq", |typed| typed.dialect().title)
    }

    /// What was verified of the server, if the check did not fail.
    pub(super) fn level(&self) -> Verdict {
        match self.mode {
            SslMode::VerifyFull => Verdict::Verified,
            SslMode::VerifyCa => Verdict::ChainVerified,
            _ if self.judgement().is_some_and(|judgement| judgement.verifies) => Verdict::ChainVerified,
            _ => Verdict::Encrypted,
        }
    }

    /// How things stand with TLS, for the cause of what failed after it: no more is claimed than was verified.
    pub(super) fn tls_words(&self) -> &'static str {
        match self.level() {
            _ if self.tls().is_none() => "the connection has no TLS",
            Verdict::Verified => "TLS is verified",
            Verdict::ChainVerified => "TLS is up, chain verified, name not verified",
            Verdict::Encrypted | Verdict::Failed => "TLS is up, server not verified",
        }
    }

    /// The roots that libpq would use.
    pub(super) fn store(&self) -> Option<&'a RootStore> {
        match &self.trust()?.roots {
            Roots::Loaded(store) => Some(store),
            _ => None,
        }
    }

    /// The host slot of the attempt, or the first slot where none was tried.
    pub(super) fn host(&self) -> Option<&'a Host> {
        self.settings()?.hosts.get(self.attempt.map_or(0, |attempt| attempt.host))
    }

    /// The name given, printable; else the address or the socket.
    pub(super) fn host_name(&self) -> String {
        let Some(host) = self.host() else { return "the server".to_owned() };
        if !host.name.is_empty() {
            return shown_value(&host.name);
        }
        match (self.address(), &host.endpoint) {
            (Some(address), _) => address.to_string(),
            (None, Endpoint::Name(name)) => text::printable(name),
            (None, Endpoint::Socket(path)) => path_text(path),
            (None, _) => "the server".to_owned(),
        }
    }

    /// The name given, where it is one that could be asked of a resolver and not an address.
    pub(super) fn dns_name(&self) -> Option<String> {
        let host = self.host()?;
        let name = std::str::from_utf8(host.name.plain()?.as_bytes()).ok()?;
        let is_name = conninfo::is_possible_name(name) && name.parse::<IpAddr>().is_err();
        is_name.then(|| name.to_owned())
    }

    pub(super) fn address(&self) -> Option<IpAddr> {
        self.attempt.and_then(|attempt| attempt.address).or(match self.host()?.endpoint {
            Endpoint::Address(address, _) => Some(address),
            _ => None,
        })
    }

    pub(super) fn port(&self) -> u16 {
        self.host().and_then(|host| host.port.as_ref().ok().copied()).unwrap_or(5432)
    }

    /// The pooler that a port is usually of (PgBouncer's config.html, Supabase's documentation).
    pub(super) fn pooler_of_port(&self) -> Option<&'static str> {
        match self.port() {
            6432 => Some("PgBouncer"),
            6543 => Some("a pooler"),
            _ => self.provider().filter(|found| found.is_pooler()).map(|_| "a pooler"),
        }
    }

    /// `10.0.4.5 port 5432`
    pub(super) fn place(&self) -> String {
        let to = self.address().map_or_else(|| self.host_name(), |address| address.to_string());
        format!("{to} port {}", self.port())
    }

    /// Whether TLS begins without SSLRequest.
    pub(super) fn direct(&self) -> bool {
        self.settings().is_some_and(|settings| settings.negotiation == SslNegotiation::Direct)
    }

    pub(super) fn tcp(&self) -> Option<&'a TcpResult> {
        Some(&self.attempt?.tcp.as_ref()?.result)
    }

    pub(super) fn negotiate(&self) -> Option<&'a NegotiateResult> {
        Some(&self.attempt?.negotiate.as_ref()?.result)
    }

    pub(super) fn tls(&self) -> Option<&'a TlsRecord> {
        Some(&self.attempt?.tls.as_ref()?.result)
    }

    pub(super) fn tls_failure(&self) -> Option<&'a TlsFailure> {
        self.tls()?.failure.as_ref()
    }

    pub(super) fn judgement(&self) -> Option<&'a Judgement> {
        self.tls()?.judgement.as_ref()
    }

    pub(super) fn session(&self) -> Option<&'a SessionRecord> {
        Some(&self.attempt?.session.as_ref()?.result)
    }

    pub(super) fn session_failure(&self) -> Option<&'a SessionFailure> {
        self.session()?.failure.as_ref()
    }

    /// The fatal alert that ended the handshake, or came in answer to its last flight.
    pub(super) fn alert(&self) -> Option<u8> {
        match (self.tls_failure(), self.session_failure()) {
            (Some(TlsFailure::AlertReceived(alert)), _) | (_, Some(SessionFailure::AlertReceived(alert))) => {
                Some(*alert)
            }
            _ => None,
        }
    }

    /// The files that were judged in a server's place, if they were.
    pub(super) fn rehearsal(&self) -> Option<&'a Rehearsal> {
        self.evidence.rehearsal.as_ref()
    }

    /// Who runs the server, as far as name, alias, port and chain tell.
    pub(super) fn provider(&self) -> Option<Detection> {
        let chain = self.tls().map(|tls| tls.chain.as_slice()).unwrap_or_default();
        let canonical = self.attempt.and_then(|attempt| attempt.canonical_name.as_deref());
        provider::detect(self.dns_name().as_deref(), canonical, Some(self.port()), chain).or_else(|| {
            // Where no chain tells, a provider's own CA in the root file does.
            let store = self.store().filter(|_| chain.is_empty());
            let of_roots = || match store?.certificates.as_slice() {
                [only] => provider::by_issuer(&only.certificate.facts().ok()?.subject),
                _ => None,
            };
            let provider = self.provider_of_login().or_else(of_roots)?;
            Some(Detection { provider, form: None, port: None })
        })
    }

    /// Who made up the names of user and database, if somebody did.
    pub(super) fn provider_of_login(&self) -> Option<&'static provider::Provider> {
        provider::by_login(&self.dns_name()?, &self.user(), &self.database())
    }

    /// The root file compared with what the host's provider uses; `None` without either, and for the system's store.
    pub(super) fn provider_advice(&self) -> Option<provider::Advice> {
        let (detection, store) = (self.provider()?, self.store()?);
        let is_file = !matches!(store.source, RootSource::System { .. });
        let host = self.dns_name();
        is_file.then(|| provider::advice(detection.provider, host.as_deref(), store, self.evidence.judged_at))
    }

    /// What is known of the server, to tell where its roots can be had.
    pub(super) fn server(&self) -> Server<'a> {
        let unresolved = self.dns_name().filter(|_| self.address().is_none());
        // A name that misses a provider's by a slip is told so.
        let missed = unresolved.as_deref().and_then(provider::near_miss).map(|near| near.provider);
        let is_internal = |name: &str| {
            !name.contains('.') || [".local", ".internal", ".svc"].iter().any(|end| name.ends_with(end))
        };
        Server {
            provider: self.provider().map(|detection| detection.provider).or(missed),
            program: self.program(),
            sslmode: self.mode,
            may_be_public: match self.address() {
                Some(address) => reachability(address) == Reachability::Public,
                None => !unresolved.is_some_and(|name| is_internal(&name)),
            },
            system_roots: self.evidence.system_roots.as_ref(),
        }
    }

    /// Another port of the same address at which SSLRequest was answered with one of these bytes.
    pub(super) fn neighbour(&self, answers: &[u8]) -> Option<u16> {
        let address = self.address()?;
        let looks = self.evidence.looks.iter();
        looks
            .filter(|look| look.address.ip() == address && look.address.port() != self.port())
            .filter(|look| look.question == Question::SslRequest)
            .find(|look| matches!(look.answer, Answer::Byte(byte) if answers.contains(&byte)))
            .map(|look| look.address.port())
    }

    /// Where a parameter's value came from; `None` if libpq would not report it.
    pub(super) fn origin(&self, keyword: &str) -> Option<&'a Origin> {
        self.settings()?.parameter(keyword).map(|parameter| &parameter.origin)
    }

    /// The same in words.
    pub(super) fn origin_words(&self, keyword: &str) -> Option<String> {
        self.origin(keyword).map(|origin| self.phrase(origin))
    }

    /// An origin in words; of a service that nobody typed, which variable names it.
    pub(super) fn phrase(&self, origin: &Origin) -> String {
        match self.service_variable(origin) {
            Some(variable) => format!("{}, which {variable} names", origin.phrase()),
            None => origin.phrase(),
        }
    }

    /// The variable that names the service a value is from.
    pub(super) fn service_variable(&self, origin: &Origin) -> Option<&'static str> {
        match (origin, self.origin("service")?) {
            (Origin::Service { .. }, Origin::Environment(variable)) => Some(variable),
            _ => None,
        }
    }

    pub(super) fn user(&self) -> String {
        self.settings().map(|settings| shown_value(&settings.user)).unwrap_or_default()
    }

    pub(super) fn database(&self) -> String {
        self.settings().map(|settings| shown_value(&settings.database)).unwrap_or_default()
    }

    /// A place of the connection string, underlined; `None` where no string was given.
    pub(super) fn mark(&self, spans: &[std::ops::Range<usize>], label: impl Into<String>) -> Option<Mark> {
        let masked = conninfo::mask(self.evidence.input.as_ref()?.expose(), spans);
        Some(Mark { text: masked.text, spans: masked.spans, label: label.into() })
    }

    /// A command on this target: the words, then its connection string as typed, without secrets, quoted for the shell.
    pub(super) fn command<const N: usize>(&self, words: [&str; N]) -> String {
        self.command_under(words, &[])
    }

    /// The same under other settings.
    pub(super) fn command_under<const N: usize>(
        &self,
        words: [&str; N],
        changes: &[(&str, String)],
    ) -> String {
        let input = self.evidence.input.as_ref().map(|input| input.expose()).unwrap_or_default();
        let parameters = self.settings().map(|settings| settings.parameters.as_slice()).unwrap_or_default();
        let target = conninfo::write::corrected(Form::of(input), parameters, changes);
        let target = Some(text::shell_quoted(&target)).filter(|_| !target.is_empty());
        words.map(str::to_owned).into_iter().chain(target).collect::<Vec<_>>().join(" ")
    }

    /// The stage in which the attempt ended: where libpq stops, or goes on to the next address. `None` when everything
    /// that was to be checked holds. Of the two last stages, which share their failures, it is the first.
    pub(super) fn end(&self) -> Option<Stage> {
        let Some(settings) = self.settings() else { return Some(Stage::Config) };
        let unusable = self.host().is_none_or(|host| {
            host.port.is_err()
                || matches!(
                    host.endpoint,
                    Endpoint::Malformed { .. } | Endpoint::BadAddress | Endpoint::Socket(_)
                )
        });
        if settings.sslmode == SslMode::Disable || unusable || self.admitted_in_plaintext() {
            return Some(Stage::Config);
        }
        if let Some(rehearsal) = self.rehearsal() {
            let are_bad = !rehearsal.files.faults.is_empty() || self.files_are_bad();
            return are_bad
                .then_some(Stage::Trust)
                .or_else(|| self.end_of_handshake())
                .or_else(|| self.end_of_session());
        }
        let Some(attempt) = self.attempt else {
            return Some(if self.files_are_bad() { Stage::Trust } else { Stage::Dns });
        };
        let resolved = match attempt.dns.as_ref().map(|step| &step.result) {
            Some(resolution) => {
                matches!(resolution, crate::evidence::Resolution::Found(found) if !found.is_empty())
            }
            None => self.address().is_some(),
        };
        if !resolved {
            return Some(Stage::Dns);
        }
        if !matches!(self.tcp(), Some(TcpResult::Connected { .. })) {
            return Some(Stage::Tcp);
        }
        if self.ended_in_plaintext() {
            return Some(Stage::Auth);
        }
        if !self.direct() && self.negotiate() != Some(&NegotiateResult::Accepted) {
            return Some(Stage::Negotiate);
        }
        if self.files_are_bad() {
            return Some(Stage::Trust);
        }
        self.end_of_handshake().or_else(|| self.end_of_session())
    }

    fn end_of_handshake(&self) -> Option<Stage> {
        let Some(tls) = self.tls() else { return Some(Stage::Tls) };
        match (&tls.failure, &tls.judgement) {
            (Some(TlsFailure::CertificateRefused), _) => Some(Stage::Certificate),
            (Some(_), _) => Some(Stage::Tls),
            (None, Some(judgement)) => (!judgement.accepted_under(self.mode)).then_some(Stage::Certificate),
            // Nothing passes for verified that nobody judged.
            (None, None) => {
                (self.mode >= SslMode::VerifyCa || self.store().is_some()).then_some(Stage::Certificate)
            }
        }
    }

    fn end_of_session(&self) -> Option<Stage> {
        let failed = match (self.session(), self.session_failure()) {
            (None, _) => !self.evidence.scope.tls_only,
            (Some(_), None) => false,
            (Some(_), Some(SessionFailure::PasswordNeeded)) => self.evidence.scope.require_auth,
            (Some(_), Some(_)) => true,
        };
        failed.then_some(Stage::Auth)
    }

    /// sslmode=allow: the server was silent when asked in plaintext, and nothing else was asked.
    pub(super) fn is_silent_in_plaintext(&self) -> bool {
        let Some(attempt) = self.attempt else { return false };
        match (&attempt.plaintext, &attempt.negotiate) {
            // One wait, told as both.
            (Some(plaintext), Some(silence)) => plaintext.start == silence.start,
            _ => false,
        }
    }

    /// sslmode=allow: the server ended what was asked in plaintext in a way that is final for libpq, and TLS was not tried.
    pub(super) fn ended_in_plaintext(&self) -> bool {
        let asked = self.attempt.is_some_and(|attempt| attempt.plaintext.is_some());
        asked && self.session().is_some() && self.tls().is_none()
    }

    /// sslmode=allow: the server was content with plaintext.
    pub(super) fn admitted_in_plaintext(&self) -> bool {
        let answer = self.attempt.and_then(|attempt| attempt.plaintext.as_ref()).map(|step| &step.result);
        answer.is_some_and(crate::evidence::PlaintextAnswer::goes_on)
    }

    /// Whether libpq would refuse a file once it reads them.
    pub(super) fn files_are_bad(&self) -> bool {
        self.trust().is_some_and(|trust| {
            matches!(trust.roots, Roots::Missing { .. } | Roots::Unreadable { .. } | Roots::Invalid { .. })
                || matches!(trust.client, ClientIdentity::Failed(..))
        })
    }
}

/// The root file in titles and causes.
pub(super) fn store_name(view: &View<'_>) -> String {
    match view.store().map(|store| &store.source) {
        Some(RootSource::Given(path) | RootSource::DefaultFile(path) | RootSource::Text(path)) => {
            file_name(path)
        }
        Some(RootSource::GivenAsTyped { typed, .. }) => file_name(typed),
        Some(RootSource::System { .. }) => "the system's store".to_owned(),
        None => "your file".to_owned(),
    }
}

/// The file of roots, where it is one that its reader may change.
pub(super) fn root_file<'a>(view: &View<'a>) -> Option<&'a Path> {
    match view.store().map(|store| &store.source)? {
        RootSource::Given(path) | RootSource::DefaultFile(path) => Some(path),
        RootSource::GivenAsTyped { typed, .. } => Some(typed),
        RootSource::Text(_) | RootSource::System { .. } => None,
    }
}

/// A time waited, to the nearest second: what ends just before its limit reads like the limit.
pub(super) fn seconds(took: Duration) -> u64 {
    took.saturating_add(Duration::from_millis(500)).as_secs()
}

/// A value, printable.
pub(super) fn shown(value: &Value) -> String {
    text::printable_bytes(value.as_bytes())
}

/// What may be shown of a parameter's value, printable.
pub(super) fn shown_value(value: &ParameterValue) -> String {
    text::printable_bytes(value.shown())
}

/// A path, printable, without a secret that was given in the place of one.
pub(super) fn path_text(path: &Path) -> String {
    conninfo::mask_path(path)
}

/// A path's last part, printable.
pub(super) fn file_name(path: &Path) -> String {
    conninfo::mask_file_name(path)
}

/// Who can reach an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reachability {
    /// Only this machine.
    Loopback,
    /// Only its own network and those joined to it (RFC 1918, 6598, 4193, 3927, 4291).
    Private,
    /// Everybody.
    Public,
}

/// Who can reach an address.
pub(super) fn reachability(address: IpAddr) -> Reachability {
    let v4 = |address: Ipv4Addr| {
        let [first, second, ..] = address.octets();
        if address.is_loopback() || address.is_unspecified() {
            Reachability::Loopback
        } else if address.is_private() || address.is_link_local() || (first == 100 && second & 0xc0 == 64) {
            Reachability::Private
        } else {
            Reachability::Public
        }
    };
    match address {
        IpAddr::V4(address) => v4(address),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(mapped) => v4(mapped),
            None if address.is_loopback() || address.is_unspecified() => Reachability::Loopback,
            None if address.is_unique_local() || address.is_unicast_link_local() => Reachability::Private,
            None => Reachability::Public,
        },
    }
}

/// At most `limit` items, and how many more there are.
pub(super) fn at_most(limit: usize, items: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut items: Vec<String> = items.into_iter().collect();
    let more = items.len().saturating_sub(limit);
    if more > 0 {
        items.truncate(limit);
        items.push(format!("and {more} more"));
    }
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_reaches_an_address() {
        for (address, expected) in [
            ("127.0.0.1", Reachability::Loopback),
            ("::1", Reachability::Loopback),
            ("10.0.4.5", Reachability::Private),
            ("172.31.0.1", Reachability::Private),
            ("172.32.0.1", Reachability::Public),
            ("192.168.1.1", Reachability::Private),
            ("100.64.0.1", Reachability::Private),
            ("100.128.0.1", Reachability::Public),
            ("169.254.1.1", Reachability::Private),
            ("fd00::1", Reachability::Private),
            ("fe80::1", Reachability::Private),
            ("::ffff:10.0.0.1", Reachability::Private),
            ("20.61.7.9", Reachability::Public),
            ("2600::1", Reachability::Public),
        ] {
            assert_eq!(reachability(address.parse().unwrap()), expected, "{address}");
        }
    }

    #[test]
    fn long_lists_are_cut_and_counted() {
        let items = |count: usize| (0..count).map(|item| item.to_string());
        assert_eq!(at_most(2, items(2)), ["0", "1"]);
        assert_eq!(at_most(2, items(4)), ["0", "1", "and 2 more"]);
    }
}
