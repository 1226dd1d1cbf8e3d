//! The settings of one target, merged and valid: all that later stages see.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::{
    ChannelBinding, Offered, OpenSslConfig, Origin, Parameter, ParameterValue, RequireAuth, SslCertMode,
    SslMode, SslNegotiation, TargetSessionAttrs, TlsVersion, Value,
};
use crate::certificate::SecurityLevel;
use crate::secret::Secret;

/// Everything a check needs to know, merged and valid.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The connection string as given, if one was. Rendered only through [`mask`](super::mask()).
    pub input: Option<Secret>,
    /// Every parameter libpq would report after merging, in libpq's order.
    pub parameters: Vec<Parameter>,
    /// The host list, never empty.
    pub hosts: Vec<Host>,
    /// The user name.
    pub user: ParameterValue,
    /// The database.
    pub database: ParameterValue,
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
    /// What OpenSSL's configuration file sets, if anything. The bounds above are with it.
    pub openssl: Option<OpenSslConfig>,
    /// What was noticed while reading and does not stop libpq.
    pub notices: Vec<Notice>,
}

impl Settings {
    /// A parameter by its keyword, if libpq would report it.
    pub fn parameter(&self, keyword: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|parameter| parameter.keyword == keyword)
    }

    /// The security level at which OpenSSL verifies.
    pub fn security_level(&self) -> SecurityLevel {
        self.openssl.as_ref().and_then(|config| config.level).unwrap_or_default()
    }

    /// What libpq offers of cipher suites, groups and signature schemes.
    pub fn offered(&self) -> Offered {
        self.openssl.as_ref().map_or_else(Offered::default, OpenSslConfig::offered)
    }

    /// OpenSSL's configuration, where it changes what is offered besides versions.
    pub fn limiting_config(&self) -> Option<&OpenSslConfig> {
        self.openssl.as_ref().filter(|config| config.limits_offer())
    }

    /// The lines of OpenSSL's configuration that limit the versions of TLS below what libpq's options allow.
    pub fn configured_limit(&self) -> Option<String> {
        let config = self.openssl.as_ref()?;
        let unset = |keyword| self.parameter(keyword).is_none_or(|given| given.value.is_empty());
        let max = config.max_tls.filter(|max| *max < TlsVersion::Tls13 && unset("ssl_max_protocol_version"));
        let min = config.min_tls.filter(|min| *min > TlsVersion::Tls12 && unset("ssl_min_protocol_version"));
        let off = config.without.iter().filter(|version| **version >= TlsVersion::Tls12);
        let off: Vec<String> = off.map(|version| format!("-{}", version.name())).collect();
        let lines = [
            max.map(|max| format!("MaxProtocol = {}", max.name())),
            min.map(|min| format!("MinProtocol = {}", min.name())),
            (!off.is_empty()).then(|| format!("Protocol = {}", off.join(","))),
        ];
        let lines: Vec<String> = lines.into_iter().flatten().collect();
        (!lines.is_empty()).then(|| lines.join(", "))
    }

    /// A parameter that is a path; an empty one is none.
    pub fn path(&self, keyword: &str) -> Option<PathBuf> {
        let value = &self.parameter(keyword)?.value;
        (!value.is_empty()).then(|| value.to_path())
    }
}

/// One slot of the host list, in libpq's order.
#[derive(Clone, Debug)]
pub struct Host {
    /// The `host` entry as given, empty if none: the name that is verified, verbatim.
    pub name: ParameterValue,
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

/// A password and where it came from.
#[derive(Clone, Debug)]
pub struct Password {
    /// The password.
    pub secret: Secret,
    /// Its source.
    pub origin: Origin,
    /// The line of a password file that counts, and a later one that fits too and has another password.
    pub lines: Option<(usize, Option<usize>)>,
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
        /// Whether this account can change its mode: not so of a file of another account or on a read-only mount.
        changeable: bool,
    },
    /// A password file gives no password for a host, or would give none if libpq did not ignore it.
    PassfileUseless {
        /// The file.
        path: PathBuf,
        /// The host, from 0.
        slot: usize,
        /// Why.
        why: NoPassword,
    },
    /// A password file has another password than the variable that takes its place.
    PasswordBeside {
        /// The file.
        path: PathBuf,
        /// The host, from 0.
        slot: usize,
    },
    /// The password of a line ends at an unescaped colon, with more behind it.
    PasswordCut {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The host whose line it is, from 0.
        slot: usize,
    },
    /// libpq 15 reads options of the connection string with other values than 18, by their keywords: spaces round the parts
    /// of a URI.
    ReadOtherwise {
        /// The keywords, in the order of the string.
        keywords: Vec<&'static str>,
    },
    /// Kerberos credentials are there and gssencmode allows them: libpq asks for GSSAPI encryption before TLS.
    KerberosCredentials {
        /// The cache or keytab, as Kerberos writes it.
        name: String,
    },
}

/// Why a password file gives no password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoPassword {
    /// It does not exist.
    Missing,
    /// It cannot be read: why.
    Unreadable(String),
    /// No line is for this host, port, database and user.
    NoLine {
        /// `host:port:database:user`, as the file would name them.
        wanted: String,
        /// The line that comes nearest, from 1, and the field in which it differs.
        nearest: Option<(usize, &'static str)>,
    },
    /// The line that matches has no password.
    EmptyPassword {
        /// The line, from 1.
        line: usize,
    },
}
