//! Options whose values are words of libpq's: each value with its word, declared once.

/// A value that libpq has a word for.
pub(super) trait Choice: Copy + 'static {
    /// All of them, in libpq's order.
    const ALL: &'static [Self];
    /// Their words, in the same order.
    const WORDS: &'static [&'static str];

    /// The value of a word, exactly as libpq compares: case counts.
    fn of(word: &[u8]) -> Option<Self> {
        Self::WORDS.iter().zip(Self::ALL).find(|(known, _)| known.as_bytes() == word).map(|(_, value)| *value)
    }
}

macro_rules! choice {
    ($(#[$outer:meta])* pub enum $name:ident { $($(#[$inner:meta])* $value:ident = $word:literal,)* }) => {
        choice! { @values $(#[$outer])* pub enum $name { $($(#[$inner])* $value = $word,)* } }

        impl $name {
            /// libpq's word for it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$value => $word,)*
                }
            }
        }
    };
    ($(#[$outer:meta])* pub(super) enum $name:ident { $($value:ident = $word:literal,)* }) => {
        choice! { @values $(#[$outer])* pub(super) enum $name { $($value = $word,)* } }
    };
    (@values $(#[$outer:meta])* $visibility:vis enum $name:ident { $($(#[$inner:meta])* $value:ident = $word:literal,)* }) => {
        $(#[$outer])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $visibility enum $name {
            $($(#[$inner])* $value,)*
        }

        impl Choice for $name {
            const ALL: &'static [Self] = &[$(Self::$value,)*];
            const WORDS: &'static [&'static str] = &[$($word,)*];
        }
    };
}

choice! {
    /// `sslmode`, in rising order of what it demands.
    pub enum SslMode {
        /// Never TLS.
        Disable = "disable",
        /// Plaintext first, TLS after a refusal.
        Allow = "allow",
        /// TLS first, plaintext after a failure.
        Prefer = "prefer",
        /// TLS, verified only if a root file is present.
        Require = "require",
        /// The chain is verified.
        VerifyCa = "verify-ca",
        /// The chain and the name are verified.
        VerifyFull = "verify-full",
    }
}

choice! {
    /// `sslnegotiation`.
    pub enum SslNegotiation {
        /// SSLRequest first.
        Postgres = "postgres",
        /// TLS at once (PostgreSQL 17).
        Direct = "direct",
    }
}

choice! {
    /// A TLS protocol version that `ssl_min_protocol_version` and `ssl_max_protocol_version` can name, by OpenSSL's
    /// name for it. libpq takes it in any case.
    pub enum TlsVersion {
        /// TLS 1.0
        Tls10 = "TLSv1",
        /// TLS 1.1
        Tls11 = "TLSv1.1",
        /// TLS 1.2
        Tls12 = "TLSv1.2",
        /// TLS 1.3
        Tls13 = "TLSv1.3",
    }
}

choice! {
    /// `channel_binding`.
    pub enum ChannelBinding {
        /// Never.
        Disable = "disable",
        /// When offered.
        Prefer = "prefer",
        /// Or fail.
        Require = "require",
    }
}

choice! {
    /// `sslcertmode` (libpq 16).
    pub enum SslCertMode {
        /// Never read or send a client certificate.
        Disable = "disable",
        /// Send one if there is one and the server asks.
        Allow = "allow",
        /// Fail unless the server asked and one was sent.
        Require = "require",
    }
}

choice! {
    /// `target_session_attrs`.
    pub enum TargetSessionAttrs {
        /// Any server.
        Any = "any",
        /// Not in hot standby and not read-only by default.
        ReadWrite = "read-write",
        /// The opposite of read-write.
        ReadOnly = "read-only",
        /// Not in hot standby.
        Primary = "primary",
        /// In hot standby.
        Standby = "standby",
        /// A standby if one of the hosts is, else any.
        PreferStandby = "prefer-standby",
    }
}

choice! {
    /// An authentication method as `require_auth` names it.
    pub enum AuthMethod {
        /// Clear-text password.
        Password = "password",
        /// MD5 challenge.
        Md5 = "md5",
        /// GSSAPI.
        Gss = "gss",
        /// SSPI.
        Sspi = "sspi",
        /// SCRAM-SHA-256, with or without channel binding.
        ScramSha256 = "scram-sha-256",
        /// OAuth (libpq 18).
        OAuth = "oauth",
        /// No request at all: trust or cert.
        None = "none",
    }
}

choice! {
    /// `gssencmode`.
    pub(super) enum GssEncryption {
        Disable = "disable",
        Prefer = "prefer",
        Require = "require",
    }
}

choice! {
    /// `load_balance_hosts`.
    pub(super) enum LoadBalancing {
        Disable = "disable",
        Random = "random",
    }
}

choice! {
    /// `min_protocol_version` and `max_protocol_version` (libpq 18): PostgreSQL's own protocol.
    pub(super) enum WireProtocol {
        V30 = "3.0",
        V32 = "3.2",
        Latest = "latest",
    }
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

impl SslMode {
    /// The mode that libpq calls so.
    pub fn by_name(word: &str) -> Option<Self> {
        Self::of(word.as_bytes())
    }
}
