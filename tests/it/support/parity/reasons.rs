//! Why connections fail: what psql says, and which diagnoses of the program mean the same.

use pgtls_check::diagnose::{Code, codes};

/// The kind of reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The settings.
    Settings,
    /// The root file.
    RootFile,
    /// The client's certificate or key cannot be used.
    ClientFiles,
    /// A host name that does not resolve.
    Dns,
    /// Nobody listens there.
    Tcp,
    /// The server has no TLS.
    NoTls,
    /// The server hangs up where an answer is due.
    Closed,
    /// The server does not answer in time.
    Timeout,
    /// Something else than PostgreSQL answers.
    NotPostgres,
    /// The server answers SSLRequest with an error.
    ErrorBeforeTls,
    /// Bytes in plaintext behind the server's `S`.
    Injected,
    /// The handshake.
    Handshake,
    /// The server cannot begin with TLS.
    DirectTls,
    /// The chain, its signatures, its dates or its revocation.
    Chain,
    /// The names in the certificate.
    Name,
    /// A name in the certificate that cannot be a name.
    BrokenName,
    /// A certificate that cannot be decoded.
    Malformed,
    /// The server wants a certificate of the client, or another one.
    ClientCertificate,
    /// No rule of pg_hba.conf lets this in.
    Hba,
    /// The role.
    Role,
    /// The database.
    Database,
    /// A password is asked for and none is there.
    PasswordMissing,
    /// The password is wrong.
    PasswordRejected,
    /// The way of authentication is one that the client does not take.
    Method,
    /// Channel binding is required and cannot be had.
    ChannelBinding,
    /// `target_session_attrs` is not met.
    Attributes,
    /// Any other error of the server.
    Session,
    /// What psql can and the program cannot: it says so instead of a verdict.
    Unsupported,
    /// TLS was not asked for.
    NotRequested,
}

impl Reason {
    /// Whether a connection that fails for this reason fails before the server is verified.
    pub(crate) fn precedes_verification(self) -> bool {
        use Reason::*;
        !matches!(
            self,
            ClientCertificate
                | Hba
                | Role
                | Database
                | PasswordMissing
                | PasswordRejected
                | Method
                | ChannelBinding
                | Attributes
                | Session
        )
    }
}

/// What libpq says for which reason; the first text found counts. What TLS fails for stands before what plaintext fails
/// for, since libpq tells both.
const TEXTS: &[(&str, Reason)] = &[
    ("does not match host name", Reason::Name),
    ("could not get server's host name", Reason::Name),
    ("contains embedded null", Reason::BrokenName),
    ("contains IP address with invalid length", Reason::BrokenName),
    ("root certificate file", Reason::RootFile),
    ("host name must be specified", Reason::Settings),
    ("certificate verify failed", Reason::Chain),
    ("could not read certificate file", Reason::ClientFiles),
    ("could not load SSL engine", Reason::ClientFiles),
    ("could not open certificate file", Reason::ClientFiles),
    ("certificate present, but not private key file", Reason::ClientFiles),
    ("private key file \"", Reason::ClientFiles),
    ("does not match private key", Reason::ClientFiles),
    ("direct SSL connection was established without ALPN", Reason::DirectTls),
    ("received unencrypted data after SSL response", Reason::Injected),
    ("alert unknown ca", Reason::ClientCertificate),
    ("alert certificate revoked", Reason::ClientCertificate),
    ("alert certificate expired", Reason::ClientCertificate),
    ("alert unsupported certificate", Reason::ClientCertificate),
    ("alert bad certificate", Reason::ClientCertificate),
    ("alert certificate unknown", Reason::ClientCertificate),
    ("requires a valid client certificate", Reason::ClientCertificate),
    ("did not request an SSL certificate", Reason::Method),
    ("without a valid SSL certificate", Reason::ClientCertificate),
    ("certificate authentication failed", Reason::ClientCertificate),
    // By clientcert=verify-full, whose name does not match.
    ("\"trust\" authentication failed", Reason::ClientCertificate),
    // libpq shows the first error of OpenSSL's queue. A wrong signature leaves its own before the verdict's, ...
    ("SSL error: EVP lib", Reason::Chain),
    // A wrong RSA signature is random bytes: which of its parts is wrong differs from one to the next.
    ("SSL error: invalid padding", Reason::Chain),
    ("SSL error: block type is not 01", Reason::Chain),
    ("SSL error: null before block missing", Reason::Chain),
    ("SSL error: data too large for modulus", Reason::Chain),
    ("SSL error: first octet invalid", Reason::Chain),
    ("SSL error: last octet invalid", Reason::Chain),
    ("SSL error: salt length recovery failed", Reason::Chain),
    ("SSL error: data too large for modulus", Reason::Chain),
    // ... a file of the CRL directory without PEM one of the PEM reader (OpenSSL 1.1), ...
    ("SSL error: no start line", Reason::Chain),
    // ... an extension that cannot be decoded or comes twice this one, ...
    ("SSL error: invalid certificate", Reason::Malformed),
    // ... and what is no DER one of the ASN.1 reader.
    ("SSL error: cert length mismatch", Reason::Malformed),
    ("SSL error: header too long", Reason::Malformed),
    ("SSL error: illegal padding", Reason::Malformed),
    ("SSL error: illegal zero content", Reason::Malformed),
    ("SSL error: too long", Reason::Malformed),
    ("SSL error: too small", Reason::Malformed),
    ("SSL error: wrong tag", Reason::Malformed),
    ("SSL error", Reason::Handshake),
    ("SSL SYSCALL error", Reason::Closed),
    ("server does not support SSL", Reason::NoTls),
    ("received invalid response to SSL negotiation", Reason::NotPostgres),
    ("sent an error response during SSL exchange", Reason::ErrorBeforeTls),
    ("no password supplied", Reason::PasswordMissing),
    ("password authentication failed", Reason::PasswordRejected),
    ("SASL authentication failed", Reason::PasswordRejected),
    ("incorrect server signature", Reason::PasswordRejected),
    ("authentication method requirement", Reason::Method),
    ("channel binding", Reason::ChannelBinding),
    ("could not find digest for NID", Reason::ChannelBinding),
    ("GSSAPI continuation error", Reason::Method),
    ("authentication not supported", Reason::Method),
    ("not supported", Reason::Method),
    ("SASL authentication mechanisms are supported", Reason::Method),
    ("requires OAuth authentication", Reason::Method),
    ("pg_hba.conf", Reason::Hba),
    ("too many connections", Reason::Session),
    ("is not permitted to log in", Reason::Session),
    ("is not currently accepting connections", Reason::Session),
    ("role \"", Reason::Role),
    ("database \"", Reason::Database),
    ("session is read-only", Reason::Attributes),
    ("session is not read-only", Reason::Attributes),
    ("server is in hot standby mode", Reason::Attributes),
    ("server is not in hot standby mode", Reason::Attributes),
    ("could not translate host name", Reason::Dns),
    ("could not parse network address", Reason::Settings),
    ("invalid integer value", Reason::Settings),
    ("invalid port number", Reason::Settings),
    ("setsockopt(", Reason::Settings),
    ("Connection refused", Reason::Tcp),
    ("timeout expired", Reason::Timeout),
    ("FATAL:", Reason::Session),
    ("server only supports protocol version", Reason::Session),
    ("SSL connection has been closed unexpectedly", Reason::Closed),
    ("server closed the connection unexpectedly", Reason::Closed),
    ("Connection reset by peer", Reason::Closed),
    ("invalid", Reason::Settings),
    ("could not match", Reason::Settings),
    ("is greater than", Reason::Settings),
    ("GSSAPI encryption required", Reason::Settings),
    ("definition of service", Reason::Settings),
    ("weak sslmode", Reason::Settings),
    ("is specified more than once", Reason::Settings),
    ("cannot be mixed", Reason::Settings),
    ("missing \"=\"", Reason::Settings),
];

/// The reason that a message of psql gives for where it stops. That is all it says of the last address: with TLS first
/// and in plaintext after that, where the mode has both.
pub(super) fn reason_of_psql(said: &str) -> Option<Reason> {
    let attempts: Vec<&str> = said.split(ATTEMPT).collect();
    let port = |attempt: &str| attempt_of(attempt).map(|(_, port)| port);
    let last = port(attempts.last()?);
    let own = attempts.iter().rev().take_while(|attempt| port(attempt) == last).count();
    let said = attempts[attempts.len() - own..].join(ATTEMPT);
    TEXTS.iter().find(|(text, _)| said.contains(text)).map(|(_, reason)| *reason)
}

/// What begins each attempt in what libpq says.
const ATTEMPT: &str = "connection to server at ";

/// Host and port in the last attempt that psql tells of.
pub(super) fn last_attempt(said: &str) -> Option<(String, u16)> {
    attempt_of(said.rsplit_once(ATTEMPT)?.1)
}

/// Host and port of `"host" (address), port 1 failed`.
fn attempt_of(said: &str) -> Option<(String, u16)> {
    let (host, rest) = said.strip_prefix('"')?.split_once('"')?;
    let (_, rest) = rest.split_once("port ")?;
    let (port, _) = rest.split_once(' ')?;
    Some((host.to_owned(), port.parse().ok()?))
}

/// The reasons that a diagnosis may stand for.
pub(crate) fn reasons_of(code: &Code) -> &'static [Reason] {
    use Reason::*;
    const REASONS: &[(&[&Code], &[Reason])] = &[
        (
            &[
                &codes::CONNINFO_SYNTAX,
                &codes::CONNINFO_UNKNOWN_OPTION,
                &codes::CONNINFO_INVALID_VALUE,
                &codes::SERVICE_NOT_FOUND,
                &codes::HOST_REQUIRED,
                &codes::OPTION_NOT_SUPPORTED,
            ],
            &[Settings],
        ),
        // Libpq takes it for a name that does not resolve.
        (&[&codes::CONNINFO_HOST_MALFORMED], &[Settings, Dns]),
        (&[&codes::TLS_NOT_REQUESTED], &[NotRequested]),
        (&[&codes::ROOT_FILE_MISSING, &codes::ROOT_FILE_UNREADABLE, &codes::ROOT_FILE_INVALID], &[RootFile]),
        // With sslcertmode=require.
        (&[&codes::CLIENT_CERT_MISSING], &[ClientFiles, ClientCertificate]),
        (
            &[
                &codes::CLIENT_KEY_MISSING,
                &codes::CLIENT_CERT_INVALID,
                &codes::CLIENT_KEY_INVALID,
                &codes::CLIENT_KEY_PERMISSIONS,
                &codes::CLIENT_KEY_MISMATCH,
            ],
            &[ClientFiles],
        ),
        (&[&codes::DNS_NOT_FOUND, &codes::DNS_NO_ADDRESS, &codes::DNS_FAILURE], &[Dns]),
        (&[&codes::TCP_REFUSED], &[Tcp]),
        (
            &[&codes::TCP_TIMEOUT, &codes::NEGOTIATION_TIMEOUT, &codes::TLS_TIMEOUT, &codes::SESSION_TIMEOUT],
            &[Timeout],
        ),
        (&[&codes::SERVER_REFUSED_TLS], &[NoTls]),
        (&[&codes::NEGOTIATION_CLOSED], &[Closed]),
        // A port that speaks TLS at once closes the connection after SSLRequest or does not answer it: libpq sees only that.
        (&[&codes::NOT_POSTGRESQL], &[NotPostgres, Closed, Timeout]),
        (&[&codes::SERVER_ERROR_BEFORE_TLS], &[ErrorBeforeTls]),
        (&[&codes::INJECTED_PLAINTEXT], &[Injected]),
        (&[&codes::DIRECT_TLS_UNSUPPORTED], &[DirectTls, Closed, Handshake]),
        (
            &[&codes::TLS_VERSION_UNSUPPORTED, &codes::TLS_NO_SHARED_CIPHER, &codes::TLS_PROTOCOL_ERROR],
            &[Handshake],
        ),
        (&[&codes::ALPN_REJECTED], &[Handshake, Closed, Timeout]),
        (&[&codes::TLS_CLOSED], &[Handshake, Closed]),
        (&[&codes::SESSION_CLOSED], &[Closed]),
        (
            &[&codes::CLIENT_CERT_REQUIRED, &codes::CLIENT_CERT_REJECTED, &codes::CERTIFICATE_USER_MISMATCH],
            &[ClientCertificate],
        ),
        (&[&codes::TLS_UNSUPPORTED_HERE], &[Unsupported]),
        (&[&codes::HOSTNAME_MISMATCH], &[Name, BrokenName]),
        (&[&codes::CERTIFICATE_INVALID], &[Chain, BrokenName, Malformed]),
        (
            &[
                &codes::UNKNOWN_ISSUER,
                &codes::ROOT_NOT_IN_FILE,
                &codes::INTERMEDIATE_MISSING,
                &codes::SELF_SIGNED,
                &codes::ROOT_KEY_CHANGED,
                &codes::ROOT_FILE_LACKS_ROOT,
                &codes::ROOT_EXPIRED,
                &codes::TLS_INSPECTION,
                &codes::CERTIFICATE_EXPIRED,
                &codes::CERTIFICATE_NOT_YET_VALID,
                &codes::CERTIFICATE_REVOKED,
                &codes::CRL_MISSING,
                &codes::CRL_INVALID,
                &codes::CERTIFICATE_WEAK,
                &codes::CERTIFICATE_PURPOSE,
                &codes::CERTIFICATE_NAME_CONSTRAINTS,
            ],
            &[Chain],
        ),
        (&[&codes::PASSWORD_REQUIRED], &[PasswordMissing]),
        (&[&codes::PASSWORD_REJECTED], &[PasswordRejected]),
        (&[&codes::HBA_REJECTED], &[Hba]),
        (&[&codes::ROLE_MISSING], &[Role]),
        (&[&codes::DATABASE_MISSING], &[Database]),
        (&[&codes::AUTH_METHOD_UNSUPPORTED], &[Method, Unsupported]),
        (&[&codes::CHANNEL_BINDING_FAILED], &[ChannelBinding]),
        (&[&codes::SESSION_READONLY], &[Attributes]),
        (&[&codes::SERVER_STARTING, &codes::TOO_MANY_CONNECTIONS, &codes::SERVER_ERROR], &[Session]),
    ];
    REASONS.iter().find(|(codes, _)| codes.contains(&code)).map_or(&[], |(_, reasons)| reasons)
}
