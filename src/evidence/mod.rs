//! The record of a check: everything that was observed, before any opinion. Values only; what failed is recorded
//! where it happened, with the OS error, the alert number, the bytes and the moment.

pub mod audit;
mod member;
mod rehearsal;
mod source;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::certificate::Certificate;
use crate::clients::dialect::Typed;
use crate::clients::difference::Live;
use crate::conninfo::{AuthMethod, ConfigError, Failure, Masked, Parameter, Settings, TlsVersion};
use crate::secret::Secret;
use crate::timestamp::Timestamp;
use crate::trust::{FileCertificate, RootStore, Trust};
use crate::verify::{self, Judgement};

pub use member::{Member, MemberAddress};
pub use rehearsal::{Rehearsal, Served};
pub use source::{Place, Source, SourceKind};

/// All that is known about one target.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// Wall-clock time of the start.
    pub started: Timestamp,
    /// The time for which certificates were judged: `started`, or `--as-of` where the chain was judged again.
    pub judged_at: Timestamp,
    /// The connection string as given, for marking errors; secret until masked.
    pub input: Option<Secret>,
    /// What was typed, where that is another driver's string, or libpq's within other text.
    pub typed: Option<Arc<Typed>>,
    /// The connection string without its secrets, the places marked where the settings are at fault.
    pub marked: Option<Masked>,
    /// The merged settings, or what is wrong with them.
    pub config: Result<Settings, ConfigError>,
    /// The parameters that were read of settings that could not be merged.
    pub unmerged: Vec<Parameter>,
    /// What was read from files; `None` if the settings could not be merged.
    pub trust: Option<Arc<Trust>>,
    /// One entry for each address tried, in order; the last one is where libpq stops.
    pub attempts: Vec<Attempt>,
    /// Extra connections made after a failure to tell its causes apart, in order.
    pub looks: Vec<Look>,
    /// What the server accepts, where `audit` asked.
    pub audit: Option<audit::Audit>,
    /// The files that were judged in a server's place, for `rehearse`: then nothing was sent.
    pub rehearsal: Option<Rehearsal>,
    /// The system's public roots, read only where they help to explain a failed chain.
    pub system_roots: Option<RootStore>,
    /// What directories of roots hold under the names of the path's issuers, read only where a chain was refused: OpenSSL
    /// passes over it where the root file has a certificate of the name.
    pub in_directories: Vec<FileCertificate>,
    /// A file of roots at hand that was not used and would have verified the chain.
    pub root_at_hand: Option<RootAtHand>,
    /// The variable that names a server and that nothing reads, where the settings name none.
    pub server_at_hand: Option<ServerAtHand>,
    /// The Unix-domain socket that the settings name, where it does not exist.
    pub missing_socket: Option<PathBuf>,
    /// The service of Cloud Run that this program runs in.
    pub cloud_run: Option<String>,
    /// The line of the system's hosts file that led to the last address, where the server there may be another one, or that
    /// has another address for an alias.
    pub hosts_line: Option<HostsLine>,
    /// The container that this program runs in, where it asked itself for a server.
    pub container: Option<Container>,
    /// The name servers that the system's resolver asks, where they are known and it failed.
    pub resolvers: Vec<NameServer>,
    /// The namespace of the pod of Kubernetes that this program runs in, where the system's resolver failed.
    pub namespace: Option<String>,
    /// Whether a route leads from this machine over IPv4 and over IPv6, asked where none led to an address.
    pub families: Option<Families>,
    /// The address of this machine from which a route leads to a private address that does not answer.
    pub own_address: Option<IpAddr>,
    /// The route to a private address that could not be connected to.
    pub way: Option<Way>,
    /// `--each`: the one host and address that was to be tried.
    pub member: Option<Arc<Member>>,
    /// What the run was told to do.
    pub scope: Scope,
    /// Time from the start to the end.
    pub took: Duration,
}

impl Evidence {
    /// The evidence of settings that cannot be used: all that there is before a file is read.
    pub fn of_bad_config(started: Timestamp, scope: Scope, failure: Failure) -> Self {
        Self {
            input: failure.input,
            marked: failure.marked,
            unmerged: failure.parameters,
            ..Self::begun(started, scope, Err(failure.error))
        }
    }

    /// The evidence of settings that can be used, before anything was tried.
    pub fn of_settings(started: Timestamp, scope: Scope, settings: Settings, trust: Arc<Trust>) -> Self {
        let input = settings.input.clone();
        Self { input, trust: Some(trust), ..Self::begun(started, scope, Ok(settings)) }
    }

    fn begun(started: Timestamp, scope: Scope, config: Result<Settings, ConfigError>) -> Self {
        Self {
            started,
            judged_at: started,
            input: None,
            typed: None,
            marked: None,
            config,
            unmerged: Vec::new(),
            trust: None,
            attempts: Vec::new(),
            looks: Vec::new(),
            audit: None,
            rehearsal: None,
            system_roots: None,
            in_directories: Vec::new(),
            root_at_hand: None,
            server_at_hand: None,
            missing_socket: None,
            cloud_run: None,
            hosts_line: None,
            container: None,
            resolvers: Vec::new(),
            namespace: None,
            families: None,
            own_address: None,
            way: None,
            member: None,
            scope,
            took: Duration::ZERO,
        }
    }

    /// The handshake where libpq stops, if a chain was judged there.
    pub fn live(&self) -> Option<Live<'_>> {
        let record = &self.attempts.last()?.tls.as_ref()?.result;
        Some(Live { chain: &record.chain, judgement: record.judgement.as_ref()? })
    }

    /// Whether judging it again may take long ([`verify::is_long`]).
    pub fn is_long(&self) -> bool {
        let chains = self.attempts.iter().filter_map(|attempt| attempt.tls.as_ref());
        chains.into_iter().any(|step| verify::is_long(&step.result.chain))
    }

    /// Whether a chain came, the last time, that is not good.
    pub fn chain_was_refused(&self) -> bool {
        let tls = self.attempts.last().and_then(|attempt| attempt.tls.as_ref());
        let judgement = tls.and_then(|step| step.result.judgement.as_ref());
        judgement.is_some_and(|judgement| judgement.verifies && !judgement.chain_is_good())
    }
}

/// A file of roots that the settings do not name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootAtHand {
    /// The file.
    pub path: PathBuf,
    /// The variable that names it, where the driver does not read that.
    pub variable: Option<String>,
}

/// A server that the settings do not name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerAtHand {
    /// The variable.
    pub variable: String,
    /// Its value, where that is no URL.
    pub host: Option<String>,
}

/// How packets to an address leave this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// The route that they take.
    pub route: Route,
    /// Whether the address answered to ARP: its machine is up, in a network of this one.
    pub is_known: bool,
    /// The networks that tunnels of this machine carry, where the address is in none of them.
    pub tunnels: Vec<Route>,
}

/// A line of the kernel's table of routes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The interface.
    pub interface: String,
    /// The network's first address.
    pub network: Ipv4Addr,
    /// The length of its mask.
    pub bits: u32,
    /// The router, if the network is not the interface's own.
    pub gateway: Option<Ipv4Addr>,
}

impl std::fmt::Display for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.network, self.bits)
    }
}

/// A container, as its engine marks it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// The engine's name for the machine that it runs on.
    pub machine: &'static str,
    /// That machine's address, if the container's hosts file has it.
    pub address: Option<IpAddr>,
    /// Whether the engine answers for the names of its neighbours, as in a network that Compose made.
    pub has_names: bool,
}

/// A name server, and what it answered when it was asked for the name's IPv4 addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameServer {
    /// Its address, as the system's settings write it.
    pub address: String,
    /// Its answer; `None` if it was not asked.
    pub answer: Option<NameServerAnswer>,
    /// The name that the one asked for is an alias of, where that one has no address.
    pub alias_of: Option<String>,
    /// The names that lead from the one asked for to its address, in their order.
    pub aliases: Vec<String>,
}

/// What a name server answers (RFC 1035, 4.1.1: the code of the response).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameServerAnswer {
    /// NOERROR, with so many records.
    Records(u16),
    /// NXDOMAIN.
    NoSuchName,
    /// NXDOMAIN, behind an alias: the name exists, and what it is an alias of does not.
    NothingBehindAlias,
    /// SERVFAIL.
    ServerFailure,
    /// REFUSED.
    Refused,
    /// Another code.
    Other(u8),
    /// Nothing.
    Silent,
    /// The system could not ask it.
    Failed(OsFailure),
}

/// The address families over which a route leads from this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Families {
    /// IPv4.
    pub v4: bool,
    /// IPv6.
    pub v6: bool,
}

/// A line of the system's hosts file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostsLine {
    /// The file.
    pub file: std::path::PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// What the host is an alias of, and its address there, where the line is for that alone: nobody looks it up.
    pub alias: Option<(String, IpAddr)>,
}

/// How far a check was to go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// `--tls-only`
    pub tls_only: bool,
    /// `--require-auth`
    pub require_auth: bool,
    /// `--expires-within`, in days; `None` for the default of the expiry warnings.
    pub expires_within: Option<u32>,
    /// `--fail-within`, in days: what expires within so many fails.
    pub fail_within: Option<u32>,
}

/// When a step began, since the start of the target's check, how long it took, and what came of it.
#[derive(Clone, Debug)]
pub struct Step<T> {
    /// Begin.
    pub start: Duration,
    /// Length.
    pub took: Duration,
    /// What came of it.
    pub result: T,
}

/// One address of a target, or a host slot that yields none.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Place in `Settings::hosts`.
    pub host: usize,
    /// The address, once known.
    pub address: Option<IpAddr>,
    /// The limit that `connect_timeout` sets for this address.
    pub limit: Duration,
    /// Name resolution; shared by the attempts of one host. `None` for literals.
    pub dns: Option<Step<Resolution>>,
    /// The name the resolver found the addresses under (the end of a CNAME chain), where it differs from the host.
    pub canonical_name: Option<String>,
    /// For sslmode=allow: what the server said to a plaintext start-up.
    pub plaintext: Option<Step<PlaintextAnswer>>,
    /// For sslmode=prefer: what the server said when libpq would have gone on without TLS. It is asked only where another
    /// address or host follows, to which the answer may lead.
    pub without_tls: Option<Step<PlaintextAnswer>>,
    /// The TCP connection.
    pub tcp: Option<Step<TcpResult>>,
    /// SSLRequest; `None` for direct TLS.
    pub negotiate: Option<Step<NegotiateResult>>,
    /// The handshake.
    pub tls: Option<Step<TlsRecord>>,
    /// Start-up, authentication and session.
    pub session: Option<Step<SessionRecord>>,
}

impl Attempt {
    /// An attempt of which nothing is known yet but whose it is.
    pub fn begun(host: usize, limit: Duration) -> Self {
        Self {
            host,
            address: None,
            limit,
            dns: None,
            canonical_name: None,
            plaintext: None,
            without_tls: None,
            tcp: None,
            negotiate: None,
            tls: None,
            session: None,
        }
    }
}

/// What the resolver said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// Addresses, in the resolver's order.
    Found(Vec<IpAddr>),
    /// getaddrinfo failed.
    Failed {
        /// What kind of failure getaddrinfo's code is.
        kind: DnsFailure,
        /// getaddrinfo's code (`EAI_…`).
        code: Option<i32>,
        /// The system's text.
        text: String,
    },
    /// No answer in time.
    TimedOut,
}

/// Kinds of resolver failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DnsFailure {
    /// `EAI_NONAME`.
    NoSuchName,
    /// `EAI_NODATA`, `EAI_ADDRFAMILY`: the name exists without A/AAAA.
    NoAddress,
    /// `EAI_AGAIN`: temporary, no answer.
    Temporary,
    /// `EAI_FAIL`, anything else.
    Permanent,
}

/// What came of connecting.
#[derive(Clone, Debug)]
pub enum TcpResult {
    /// Connected.
    Connected {
        /// This end; `None` where the peer had reset the connection before that could be asked for.
        local: Option<SocketAddr>,
    },
    /// The system refused or the peer did.
    Failed(OsFailure),
    /// No answer in time.
    TimedOut,
}

/// An operating-system error, kept as values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OsFailure {
    /// Its kind.
    pub kind: std::io::ErrorKind,
    /// The number (errno).
    pub code: Option<i32>,
    /// The system's text.
    pub text: String,
}

/// How a peer ended the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closure {
    /// FIN.
    Closed,
    /// RST.
    Reset,
}

/// What answered SSLRequest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NegotiateResult {
    /// `S`.
    Accepted,
    /// `N`.
    Refused,
    /// `E`: an error message, unauthenticated, as far as it was read (at most 1 KiB).
    Error(Vec<u8>),
    /// Bytes followed `S` before TLS began.
    Injected(Vec<u8>),
    /// Some other byte; the first bytes, at most 256.
    Foreign(Vec<u8>),
    /// The connection ended.
    Ended(Closure),
    /// Silence; what the system knows of the packets on their way.
    TimedOut(Option<InFlight>),
    /// Another error of the system.
    Failed(OsFailure),
}

/// What the system tells of a connection that went silent (on Linux, from `/proc/self/net/tcp`: TCP_INFO itself needs
/// `unsafe`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InFlight {
    /// Bytes sent that the peer has not acknowledged.
    pub unacknowledged: u32,
    /// Retransmissions of them so far.
    pub retransmits: u32,
}

/// What became of a start-up message in plaintext.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlaintextAnswer {
    /// The server lets the client in unencrypted.
    Admitted,
    /// It does, and is not what target_session_attrs asks for: libpq goes on to the next host.
    WrongSessionAttrs,
    /// It requests a password, or another proof, unencrypted.
    PasswordRequested,
    /// An ErrorResponse: `allow` tries TLS next, unless the server cannot take connections now.
    Refused(ServerMessage),
    /// The connection ended.
    Ended(Closure),
    /// Silence.
    TimedOut,
    /// It failed otherwise.
    Failed,
}

impl PlaintextAnswer {
    /// Whether the server is content with plaintext.
    pub fn goes_on(&self) -> bool {
        matches!(self, Self::Admitted | Self::WrongSessionAttrs | Self::PasswordRequested)
    }
}

/// The handshake, as far as it came.
#[derive(Clone, Debug)]
pub struct TlsRecord {
    /// What was offered.
    pub offer: Offer,
    /// What the server chose: version, as far as ServerHello arrived.
    pub version: Option<TlsVersion>,
    /// IANA name of the suite (`TLS_AES_256_GCM_SHA384`).
    pub cipher: Option<String>,
    /// The key-exchange group (`secp256r1`).
    pub group: Option<String>,
    /// Whether a HelloRetryRequest came.
    pub hello_retry: bool,
    /// ALPN chosen; `None` where none was chosen or it cannot be seen.
    pub alpn: Option<String>,
    /// The chain as sent, leaf first.
    pub chain: Vec<Certificate>,
    /// The verdict on it.
    pub judgement: Option<Judgement>,
    /// How long judging took.
    pub judging: Option<Duration>,
    /// Whether the server asked for a client certificate, and what came of it.
    pub client_certificate: ClientCertificateRecord,
    /// Bytes sent since the ClientHello began, that included.
    pub bytes_sent: usize,
    /// Bytes received since then.
    pub bytes_received: usize,
    /// Round trips to the verdict, counted on the wire: the number of times the direction turned from sending to
    /// receiving since the TCP handshake.
    pub flights: usize,
    /// What ended it, unless it succeeded.
    pub failure: Option<TlsFailure>,
}

/// What the ClientHello offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Protocol versions, lowest first.
    pub versions: Vec<TlsVersion>,
    /// The server name sent.
    pub sni: Option<String>,
    /// ALPN protocols offered.
    pub alpn: Vec<String>,
}

/// The client certificate's part in the handshake.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientCertificateRecord {
    /// Whether the server asked.
    pub requested: bool,
    /// The CAs the server named, as printable distinguished names.
    pub authorities: Vec<String>,
    /// Whether one was sent.
    pub sent: bool,
}

/// Why a handshake failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TlsFailure {
    /// The own verifier refused the chain: see the judgement.
    CertificateRefused,
    /// The server sent a fatal alert (its number).
    AlertReceived(u8),
    /// The connection ended.
    Ended(Closure),
    /// No answer in time; what the system knows of the packets on their way.
    TimedOut(Option<InFlight>),
    /// What came is no TLS record: its first bytes, at most 256.
    NotTls(Vec<u8>),
    /// Direct TLS, and the server did not choose ALPN `postgresql`.
    NoAlpn,
    /// The server's handshake broke the protocol: rustls' words.
    Protocol(String),
    /// A signature, key or parameter that rustls cannot handle although OpenSSL might: what.
    Unsupported(String),
    /// A message, mostly that with the certificates, is longer than the 64 KiB that rustls takes.
    MessageTooLong,
    /// Another error of the system.
    Failed(OsFailure),
}

/// Start-up, authentication, session.
#[derive(Clone, Debug, Default)]
pub struct SessionRecord {
    /// What the server asked for, in order.
    pub requested: Vec<AuthRequest>,
    /// Whether SCRAM was completed: the server accepted the password.
    pub password_accepted: bool,
    /// When AuthenticationOk came, since the start of the step.
    pub authenticated: Option<Duration>,
    /// When ReadyForQuery came, since the start of the step.
    pub ready: Option<Duration>,
    /// `server_version`.
    pub server_version: Option<String>,
    /// Whether the backend itself says that the session is encrypted (`pg_stat_ssl`).
    pub backend_ssl: Option<bool>,
    /// The type byte of the last message that came.
    pub last_message: Option<u8>,
    /// Of a message of which only a part came: its type byte, and how many bytes of it came.
    pub incomplete: Option<(u8, usize)>,
    /// Of a TLS record of which only a part came at the end: how many bytes, of how many with its header.
    pub part_of_record: Option<(usize, usize)>,
    /// Notices that came before ReadyForQuery.
    pub notices: Vec<ServerMessage>,
    /// What ended it, unless it succeeded.
    pub failure: Option<SessionFailure>,
}

impl SessionRecord {
    /// The error in place of a login. Behind AuthenticationOk any error is final for libpq.
    pub fn refusal(&self) -> Option<&ServerMessage> {
        match &self.failure {
            Some(SessionFailure::Server(message)) if self.authenticated.is_none() => Some(message),
            _ => None,
        }
    }
}

/// An authentication request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthRequest {
    /// The method.
    pub method: AuthMethod,
    /// SASL mechanisms offered.
    pub mechanisms: Vec<String>,
    /// The code of the request, for methods that have no name here.
    pub code: i32,
}

/// An ErrorResponse or NoticeResponse; bytes as sent, lossily UTF-8, not yet made printable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerMessage {
    /// `FATAL`, `ERROR`, … (not localised, where the server says so).
    pub severity: String,
    /// Five letters.
    pub sqlstate: String,
    /// The message.
    pub message: String,
    /// Detail.
    pub detail: Option<String>,
    /// Hint.
    pub hint: Option<String>,
}

impl ServerMessage {
    /// Whether the server says that it cannot take connections now (SQLSTATE 57P03): libpq then goes on to the next host.
    pub fn cannot_connect_now(&self) -> bool {
        self.sqlstate == "57P03"
    }
}

/// Why no session was established.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionFailure {
    /// The server asks for a password and none is given.
    PasswordNeeded,
    /// ErrorResponse.
    Server(ServerMessage),
    /// A TLS alert after the handshake (TLS 1.3 answers a client certificate so).
    AlertReceived(u8),
    /// After the handshake the server's TLS broke its protocol: what.
    Tls(String),
    /// `require_auth` excludes what the server asks.
    MethodExcluded,
    /// A method this tool cannot do.
    MethodUnsupported,
    /// channel_binding=require cannot be met: why.
    ChannelBinding(ChannelBindingFailure),
    /// The server's SCRAM signature or nonce is wrong.
    ScramMismatch(String),
    /// target_session_attrs is not met: what the server is.
    WrongSessionAttrs {
        /// The server is in hot standby.
        standby: Option<bool>,
        /// `default_transaction_read_only`.
        read_only: Option<bool>,
    },
    /// sslcertmode=require, and the server did not ask for a certificate, or none was sent.
    CertificateModeUnmet,
    /// The connection ended.
    Ended(Closure),
    /// Silence.
    TimedOut,
    /// The server's messages broke the protocol: what.
    Protocol(String),
    /// Another error of the system.
    Failed(OsFailure),
}

/// Ways in which channel binding fails in the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChannelBindingFailure {
    /// Required, and the server asks for a method without it.
    NotOffered,
    /// Required, and the server asked for nothing.
    NoAuthentication,
    /// The certificate's signature algorithm has no hash (Ed25519, Ed448): libpq fails.
    NoDigest(String),
    /// The server refused the binding data: something between ends TLS.
    Refused,
}

/// An extra connection, made without any credential after a failure, to turn several possible causes into one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// Where to.
    pub address: SocketAddr,
    /// What was asked.
    pub question: Question,
    /// Begin, since the start of the target's check.
    pub start: Duration,
    /// Length.
    pub took: Duration,
    /// What came of it.
    pub answer: Answer,
}

/// What a second look asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// A ClientHello written by hand, after SSLRequest unless `direct`.
    Hello(HelloOffer),
    /// SSLRequest and nothing else.
    SslRequest,
    /// GSSENCRequest and nothing else.
    GssRequest,
    /// A start-up packet of a protocol version that does not exist. It names no user, and whoever reads it refuses it in
    /// words of its own.
    UnknownProtocol,
    /// A TCP connection and nothing else.
    Connect,
}

/// What a hand-made ClientHello offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HelloOffer {
    /// What the look is to find out.
    pub purpose: HelloPurpose,
    /// TLS at once, without SSLRequest.
    pub direct: bool,
    /// Protocol versions, lowest first.
    pub versions: Vec<TlsVersion>,
    /// Cipher suites, by their IANA numbers.
    pub suites: Vec<u16>,
    /// Key-exchange groups, by their IANA numbers.
    pub groups: Vec<u16>,
    /// Signature schemes, by their IANA numbers.
    pub schemes: Vec<u16>,
    /// Whether a key share comes with it where TLS 1.3 is offered: X25519's, else P-256's, as far as these groups are
    /// offered.
    pub share: bool,
    /// The server name.
    pub sni: Option<String>,
    /// Whether ALPN offers `postgresql`.
    pub alpn: bool,
    /// Bytes of the whole hello, padding included.
    pub size: usize,
}

/// Why a hello was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HelloPurpose {
    /// Which protocol version the server takes.
    Version,
    /// All that psql's OpenSSL offers, with what rustls cannot: suites of CBC, DHE and static RSA, the group X448, Ed448.
    Unsupported,
    /// The part of that which rustls offers.
    Own,
    /// An offer that is refused, and of a wider one that is answered what the answer shows beyond it.
    Narrowed,
    /// Whether the limits of OpenSSL's configuration make the difference: its default suites, groups and signature schemes.
    Unlimited,
    /// Whether the server name makes the difference.
    ServerName,
    /// Which certificate is shown to a client that names no server.
    Unnamed,
    /// All that is known, weak suites, rare groups and old signatures too: what is the server's to choose.
    Everything,
    /// Whether ALPN makes the difference: none is offered.
    Alpn,
    /// Whether an answer with the server's whole flight comes.
    WholeAnswer,
    /// Whether a short answer comes: no key share is sent, so that TLS 1.3 answers with HelloRetryRequest.
    ShortAnswer,
    /// Whether the other way to begin TLS works.
    Negotiation,
    /// What the server accepts (`audit`).
    Audit,
}

/// What came of a second look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A ServerHello (or HelloRetryRequest): version, suite and group chosen, IANA numbers.
    ServerHello {
        /// Version.
        version: TlsVersion,
        /// Suite.
        suite: u16,
        /// Group, where it is told.
        group: Option<u16>,
        /// Whether it is a HelloRetryRequest.
        retry: bool,
        /// The leaf that the server sent in the clear (TLS 1.2 and below).
        leaf: Option<Certificate>,
    },
    /// A TLS alert: its number.
    Alert(u8),
    /// The byte that answered SSLRequest.
    Byte(u8),
    /// Connected, where nothing more was asked.
    Connected,
    /// The connection ended.
    Ended(Closure),
    /// The system refused or the peer did.
    Failed(OsFailure),
    /// Anything else: its first bytes, at most 64.
    Other(Vec<u8>),
    /// Silence.
    TimedOut,
}
