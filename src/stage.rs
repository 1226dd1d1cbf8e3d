//! The nine stages of a check: their order, their names and the exit status of a failure in each.
//! The statuses are public (README, "Exit status"); scripts rely on them.

/// A step on the way to a verified session. The order of the variants is the order in which they happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// The connection string and everything merged into it.
    Config,
    /// The files: roots, CRLs, client certificate and key.
    Trust,
    /// Name resolution.
    Dns,
    /// The TCP connection.
    Tcp,
    /// SSLRequest and its one-byte answer.
    Negotiate,
    /// The TLS handshake, apart from judging the certificate.
    Tls,
    /// The chain and the name.
    Certificate,
    /// Start-up message and authentication.
    Auth,
    /// The session after authentication.
    Session,
}

impl Stage {
    /// All stages, in order.
    pub const ALL: [Self; 9] = [
        Self::Config,
        Self::Trust,
        Self::Dns,
        Self::Tcp,
        Self::Negotiate,
        Self::Tls,
        Self::Certificate,
        Self::Auth,
        Self::Session,
    ];

    /// The name in reports and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Trust => "trust",
            Self::Dns => "dns",
            Self::Tcp => "tcp",
            Self::Negotiate => "negotiate",
            Self::Tls => "tls",
            Self::Certificate => "certificate",
            Self::Auth => "auth",
            Self::Session => "session",
        }
    }

    /// The exit status of a check that fails in this stage.
    pub fn exit_status(self) -> u8 {
        match self {
            Self::Config => 2,
            Self::Trust => 3,
            Self::Dns => 4,
            Self::Tcp => 5,
            Self::Negotiate => 6,
            Self::Tls => 7,
            Self::Certificate => 8,
            Self::Auth | Self::Session => 9,
        }
    }
}
