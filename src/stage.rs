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
    pub const ALL: [Stage; 9] = [
        Stage::Config,
        Stage::Trust,
        Stage::Dns,
        Stage::Tcp,
        Stage::Negotiate,
        Stage::Tls,
        Stage::Certificate,
        Stage::Auth,
        Stage::Session,
    ];

    /// The name in reports and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Config => "config",
            Stage::Trust => "trust",
            Stage::Dns => "dns",
            Stage::Tcp => "tcp",
            Stage::Negotiate => "negotiate",
            Stage::Tls => "tls",
            Stage::Certificate => "certificate",
            Stage::Auth => "auth",
            Stage::Session => "session",
        }
    }

    /// The exit status of a check that fails in this stage.
    pub fn exit_status(self) -> u8 {
        match self {
            Stage::Config => 2,
            Stage::Trust => 3,
            Stage::Dns => 4,
            Stage::Tcp => 5,
            Stage::Negotiate => 6,
            Stage::Tls => 7,
            Stage::Certificate => 8,
            Stage::Auth | Stage::Session => 9,
        }
    }
}
