//! libpq's language: connection strings, environment variables, service file and password file, merged as libpq 15
//! to 18 merge them. Everything is read here; later stages see only [`Settings`].
//!
//! Followed: PostgreSQL's `src/interfaces/libpq/fe-connect.c` and the manual's chapter on libpq ("Connection
//! Strings", "Parameter Key Words", "Environment Variables", "The Password File", "The Connection Service File").
//! Left out: LDAP look-ups in service files.

mod address;
mod environment;
mod hosts;
mod keyword_value;
pub mod mask;
mod merge;
pub mod options;
mod parse;
mod passfile;
mod resolve;
pub mod service;
#[cfg(test)]
pub(crate) mod testing;
mod uri;
mod validate;
pub mod write;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::net::IpAddr;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

pub use address::{inet_aton, parse_address};
pub use mask::{MASK, Masked, mask, mask_text};
pub use parse::{Assignment, ParseFailure, Parsed, Refusal, is_connection_string, parse, parse_as};
pub use resolve::{Failure, resolve};
pub use write::Form;

use crate::secret::Secret;

/// A version of libpq. They differ in the options they know and in how they read spaces in a URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LibpqVersion {
    /// PostgreSQL 15 and before.
    V15,
    /// PostgreSQL 16.
    V16,
    /// PostgreSQL 17.
    V17,
    /// PostgreSQL 18.
    V18,
}

/// A value as libpq has it: bytes, not necessarily UTF-8.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Value(Vec<u8>);

impl Value {
    /// The bytes as a value.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }
}

/// Where a parameter's value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The connection string.
    ConnectionString,
    /// A command-line option such as `-h`.
    Option(&'static str),
    /// An environment variable.
    Environment(&'static str),
    /// A section of a service file.
    Service {
        /// The section.
        name: String,
        /// The file that has it.
        file: PathBuf,
    },
    /// The password file.
    PasswordFile(PathBuf),
    /// libpq's built-in default.
    Default,
    /// This tool's own default, with the reason it differs from libpq's.
    ToolDefault(&'static str),
}

/// One parameter after merging. `Debug` masks secrets.
#[derive(Clone)]
pub struct Parameter {
    /// libpq's keyword.
    pub keyword: &'static str,
    /// The value as libpq reads it. Secret ones (see [`options::is_secret`]) are never rendered; in others, what looks
    /// like a password (a URL as host, say) is masked already.
    pub value: Value,
    /// Where it came from.
    pub origin: Origin,
    /// For values typed in the connection string: where, in bytes of that string.
    pub place: Option<Place>,
}

/// Where a keyword and its value stand in a connection string, in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The keyword.
    pub keyword: Range<usize>,
    /// The value as typed, quotes and escapes included.
    pub value: Range<usize>,
}

impl fmt::Debug for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secret = options::is_secret(self.keyword);
        let value = if secret { MASK.into() } else { String::from_utf8_lossy(self.value.as_bytes()) };
        write!(f, "{}={value:?} ({:?})", self.keyword, self.origin)
    }
}

/// The process's surroundings as a value, so that tests need not change the process. `Debug` tells the variables' names
/// only: there may be secrets among their values.
#[derive(Clone, Default)]
pub struct Environment {
    /// Environment variables.
    pub variables: BTreeMap<OsString, OsString>,
    /// The home directory of the password database, used when `HOME` is unset or empty.
    pub account_home: Option<PathBuf>,
    /// The login name of the effective user: libpq's default for `user`.
    pub login_name: Option<String>,
    /// The directory against which relative paths are read.
    pub current_dir: PathBuf,
    /// Where `pg_service.conf` of the system lies when `PGSYSCONFDIR` is unset.
    pub system_config_dir: PathBuf,
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment").field("variables", &self.variables.keys()).finish_non_exhaustive()
    }
}

/// Settings from command-line options, which beat the connection string: keyword, value, the option (`-h`). Those set
/// to nothing are passed over. A `dbname` (`-d`) may be a connection string; as in psql it beats the other options.
/// `Debug` tells no values: a connection string may hold a password.
#[derive(Clone, Default)]
pub struct Overrides {
    /// In the order given.
    pub parameters: Vec<(&'static str, Value, &'static str)>,
    /// `-w`: never ask for a password. Kept here because it decides what is read.
    pub never_prompt: bool,
}

impl fmt::Debug for Overrides {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let options: Vec<_> = self.parameters.iter().map(|(_, _, option)| option).collect();
        f.debug_struct("Overrides")
            .field("options", &options)
            .field("never_prompt", &self.never_prompt)
            .finish()
    }
}

/// `sslmode`, in rising order of what it demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SslMode {
    /// Never TLS.
    Disable,
    /// Plaintext first, TLS after a refusal.
    Allow,
    /// TLS first, plaintext after a failure.
    Prefer,
    /// TLS, verified only if a root file is present.
    Require,
    /// The chain is verified.
    VerifyCa,
    /// The chain and the name are verified.
    VerifyFull,
}

/// `sslnegotiation`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SslNegotiation {
    /// SSLRequest first.
    Postgres,
    /// TLS at once (PostgreSQL 17).
    Direct,
}

/// A TLS protocol version that `ssl_min_protocol_version` and `ssl_max_protocol_version` can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TlsVersion {
    /// TLS 1.0
    Tls10,
    /// TLS 1.1
    Tls11,
    /// TLS 1.2
    Tls12,
    /// TLS 1.3
    Tls13,
}

/// `channel_binding`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelBinding {
    /// Never.
    Disable,
    /// When offered.
    Prefer,
    /// Or fail.
    Require,
}

/// `sslcertmode` (libpq 16).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SslCertMode {
    /// Never read or send a client certificate.
    Disable,
    /// Send one if there is one and the server asks.
    Allow,
    /// Fail unless the server asked and one was sent.
    Require,
}

/// `target_session_attrs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetSessionAttrs {
    /// Any server.
    Any,
    /// Not in hot standby and not read-only by default.
    ReadWrite,
    /// The opposite of read-write.
    ReadOnly,
    /// Not in hot standby.
    Primary,
    /// In hot standby.
    Standby,
    /// A standby if one of the hosts is, else any.
    PreferStandby,
}

/// An authentication method as `require_auth` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthMethod {
    /// Clear-text password.
    Password,
    /// MD5 challenge.
    Md5,
    /// GSSAPI.
    Gss,
    /// SSPI.
    Sspi,
    /// SCRAM-SHA-256, with or without channel binding.
    ScramSha256,
    /// OAuth (libpq 18).
    OAuth,
    /// No request at all: trust or cert.
    None,
}

/// `require_auth`, parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequireAuth {
    /// Unset or empty: everything goes.
    Any,
    /// Only these.
    Only(Vec<AuthMethod>),
    /// All but these.
    Except(Vec<AuthMethod>),
}

/// Which trust anchors the settings ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RootChoice {
    /// `sslrootcert` names a file.
    File {
        /// The path as libpq reads it.
        path: PathBuf,
        /// The path as typed, where an unquoted or quoted backslash was eaten by libpq's escape rule.
        typed: Option<PathBuf>,
    },
    /// libpq's default file, `~/.postgresql/root.crt`, with nothing said; `None` without a home directory.
    Default(Option<PathBuf>),
    /// `sslrootcert=system`: OpenSSL's default places.
    System,
}

/// A password and where it came from.
#[derive(Clone, Debug)]
pub struct Password {
    /// The password.
    pub secret: Secret,
    /// Its source.
    pub origin: Origin,
}

/// One slot of the host list, in libpq's order.
#[derive(Clone, Debug)]
pub struct Host {
    /// The `host` entry as given, empty if none: the name that is verified, verbatim.
    pub name: Value,
    /// What to connect to.
    pub endpoint: Endpoint,
    /// The port; a bad one fails only when the slot is tried (libpq: PQconnectPoll).
    pub port: Result<u16, BadPort>,
    /// The password for this slot.
    pub password: Option<Password>,
}

/// Where a host slot leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// A name to resolve (`host` without `hostaddr`).
    Name(String),
    /// A name that no resolver is asked for, since it holds a scheme, a port, `user@`, a path, a space or bytes that
    /// are not text; with the host that was probably meant.
    Malformed {
        /// The corrected host, if one can be told.
        meant: Option<String>,
    },
    /// A numeric address (`hostaddr`, or `host` being a literal) with its IPv6 zone, if any.
    Address(IpAddr, Option<u32>),
    /// `hostaddr` that is no numeric address; the slot fails and the next is tried.
    BadAddress,
    /// A Unix-domain socket: its directory (or `@` name). libpq never uses TLS there.
    Socket(PathBuf),
}

/// A port that libpq refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadPort {
    /// An integer outside 1 to 65535: the slot fails, the next is tried.
    OutOfRange(String),
    /// No integer: the whole connection fails.
    NotANumber(String),
}

/// Everything a check needs to know, merged and valid.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The connection string as given, if one was. Rendered only through [`mask`](mask()).
    pub input: Option<Secret>,
    /// Every parameter libpq would report after merging, in libpq's order.
    pub parameters: Vec<Parameter>,
    /// The host list, never empty.
    pub hosts: Vec<Host>,
    /// The user name.
    pub user: Value,
    /// The database.
    pub database: Value,
    /// The effective sslmode.
    pub sslmode: SslMode,
    /// How TLS begins.
    pub negotiation: SslNegotiation,
    /// Lowest TLS version; libpq's default is 1.2. `None`: no bound (set to the empty string).
    pub min_tls: Option<TlsVersion>,
    /// Highest TLS version, if bounded.
    pub max_tls: Option<TlsVersion>,
    /// Whether SNI is sent (for hosts that are not addresses).
    pub sni: bool,
    /// Trust anchors.
    pub root: RootChoice,
    /// Whether a client certificate is used.
    pub certificate_mode: SslCertMode,
    /// Channel binding.
    pub channel_binding: ChannelBinding,
    /// Allowed authentication methods.
    pub require_auth: RequireAuth,
    /// What kind of server is wanted.
    pub target_session_attrs: TargetSessionAttrs,
    /// Whether hosts and addresses are shuffled (`load_balance_hosts=random`).
    pub shuffle_hosts: bool,
    /// Limit for each address; `None` where libpq waits for ever.
    pub connect_timeout: Option<Duration>,
    /// TCP keepalives and user timeout.
    pub keepalives: Keepalives,
    /// What travels in the start-up message besides user and database (`options`, `application_name`, …).
    pub startup: Vec<(&'static str, Value)>,
    /// What was noticed while reading and does not stop libpq.
    pub notices: Vec<Notice>,
}

/// TCP keepalive settings; `None` leaves the system's default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keepalives {
    /// Whether keepalives are used at all.
    pub enabled: bool,
    /// Idle time before the first probe.
    pub idle: Option<Duration>,
    /// Time between probes.
    pub interval: Option<Duration>,
    /// Probes before giving up.
    pub count: Option<u32>,
    /// `TCP_USER_TIMEOUT`.
    pub user_timeout: Option<Duration>,
}

/// Something odd that libpq passes over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The password file is not used: its mode is too open, or it is no plain file.
    PassfileIgnored {
        /// The file.
        path: PathBuf,
        /// Its permission bits; `None` if it is no plain file.
        mode: Option<u32>,
    },
}

/// A connection string that does not parse, as libpq parses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// What is wrong.
    pub kind: SyntaxErrorKind,
    /// The offending bytes of the string; may be empty at its end.
    pub span: Range<usize>,
}

/// The ways in which a connection string can be malformed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SyntaxErrorKind {
    /// A word without `=`: the word, made of bytes, without what may be a password in it.
    MissingEquals(Value),
    /// A quoted value that does not end.
    UnterminatedQuote,
    /// A zero byte, as such or as `%00`: the strings of libpq cannot hold one.
    NulByte,
    /// In a URI, `[` without `]`.
    UnclosedBracket,
    /// In a URI, `[]`.
    EmptyBrackets,
    /// In a URI, something else than `:`, `/`, `?` or `,` behind `]`.
    TextBehindBracket,
    /// In a URI's query, a name without `=`.
    ParameterWithoutEquals,
    /// In a URI's query, a second `=` in one pair; the span is that `=`.
    ParameterWithTwoEquals,
    /// In a URI, `%` without two hexadecimal digits behind it.
    BadPercentEncoding,
    /// In a URI, a space inside a component (since libpq 18).
    BareSpace,
}

/// What is wrong with the configuration. Becomes the evidence of the config stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigError {
    /// The string does not parse.
    Syntax(SyntaxError),
    /// A keyword libpq does not know.
    UnknownOption {
        /// The keyword as given.
        keyword: Value,
        /// The nearest known one, if one is near.
        nearest: Option<&'static str>,
        /// Where it came from.
        origin: Origin,
        /// Where in the connection string.
        span: Option<Range<usize>>,
    },
    /// A value libpq refuses.
    InvalidValue {
        /// The keyword.
        keyword: &'static str,
        /// The value (never a secret one).
        value: Value,
        /// What is allowed, in words.
        allowed: String,
        /// Where it came from.
        origin: Origin,
        /// Where in the connection string.
        span: Option<Range<usize>>,
    },
    /// Values that libpq refuses together.
    Contradiction {
        /// The parameters at odds: keyword, value, origin.
        parameters: Vec<(&'static str, Value, Origin)>,
        /// Why they cannot go together.
        reason: String,
        /// The settings that resolve it, as keyword and value.
        remedy: Vec<(&'static str, String)>,
    },
    /// No such service.
    ServiceNotFound {
        /// The section sought.
        name: String,
        /// The files looked in, with what was wrong with each.
        files: Vec<(PathBuf, String)>,
    },
    /// verify-full without a host name.
    HostRequired,
    /// libpq can do it, this tool refuses.
    NotSupported {
        /// The keyword.
        keyword: &'static str,
        /// Its value.
        value: Value,
        /// Why, and what libpq would do.
        reason: String,
    },
}

impl Settings {
    /// A parameter by its keyword, if libpq would report it.
    pub fn parameter(&self, keyword: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|parameter| parameter.keyword == keyword)
    }

    /// The user without secrets, pieces of one that was typed in the wrong place included.
    pub fn shown_user(&self) -> Value {
        self.without_secrets("user", &self.user)
    }

    /// The database without secrets, pieces of one that was typed in the wrong place included.
    pub fn shown_database(&self) -> Value {
        self.without_secrets("dbname", &self.database)
    }

    fn without_secrets(&self, keyword: &str, used: &Value) -> Value {
        // A piece of a password that spilled over is known by where it stood, not by its looks.
        match self.parameter(keyword) {
            Some(parameter) if parameter.value.as_bytes() == MASK.as_bytes() => parameter.value.clone(),
            _ => mask::value(used.as_bytes(), false),
        }
    }

    /// A parameter that is a path; an empty one is none.
    pub fn path(&self, keyword: &str) -> Option<PathBuf> {
        let value = &self.parameter(keyword)?.value;
        (!value.as_bytes().is_empty()).then(|| value.to_path())
    }
}

impl Value {
    /// The bytes as a path of the operating system.
    #[cfg(unix)]
    pub fn to_path(&self) -> PathBuf {
        use std::os::unix::ffi::OsStrExt;
        PathBuf::from(std::ffi::OsStr::from_bytes(&self.0))
    }

    /// The bytes as a path of the operating system.
    #[cfg(not(unix))]
    pub fn to_path(&self) -> PathBuf {
        PathBuf::from(String::from_utf8_lossy(&self.0).into_owned())
    }
}
