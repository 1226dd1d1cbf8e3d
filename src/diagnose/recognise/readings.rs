//! The readings that several texts share.

use super::Reading;
use crate::diagnose::{Code, codes as c};

const fn reading(codes: &'static [&'static Code], what: &'static str, tell: &'static str) -> Reading {
    Reading { codes, what, tell }
}

// Chains.

const NO_SUCH_ROOT: Reading = reading(
    &[&c::UNKNOWN_ISSUER, &c::ROOT_NOT_IN_FILE, &c::TLS_INSPECTION, &c::ROOT_KEY_CHANGED],
    "the chain leads to a root that the client was not given",
    "compare the issuer of the last certificate sent with the roots in the file: another name, or the same name with \
     another key; a product's name instead of a provider's is a proxy",
);

const BROKEN_CHAIN: Reading = reading(
    &[&c::INTERMEDIATE_MISSING, &c::SELF_SIGNED, &c::ROOT_FILE_LACKS_ROOT],
    "the chain does not reach a root at all",
    "one certificate is sent: issued by itself it is self-signed, issued by an intermediate that one is missing; an \
     intermediate without its root in the file is refused by libpq too",
);

const DATES: Reading = reading(
    &[&c::CERTIFICATE_EXPIRED, &c::CERTIFICATE_NOT_YET_VALID, &c::ROOT_EXPIRED],
    "a certificate of the path is outside its dates",
    "compare the dates of leaf, intermediates and root with the clock of the client",
);

const OTHER_RULES: Reading = reading(
    &[
        &c::CERTIFICATE_PURPOSE,
        &c::CERTIFICATE_WEAK,
        &c::CRL_MISSING,
        &c::CERTIFICATE_REVOKED,
        &c::CERTIFICATE_NAME_CONSTRAINTS,
        &c::CERTIFICATE_INVALID,
    ],
    "the chain is complete and breaks another rule",
    "look at key sizes, signatures, usages and revocation lists along the path",
);

const NO_ROOT_READ: Reading = reading(
    &[&c::ROOT_FILE_MISSING, &c::ROOT_FILE_INVALID],
    "the client read no root file, or none that holds a certificate, and went on with its own set",
    "look whether the file is there and what is in it: pgtls-check roots show FILE",
);

/// libpq's one sentence.
pub(super) const VERIFY_FAILED: &[Reading] = &[NO_SUCH_ROOT, BROKEN_CHAIN, DATES, OTHER_RULES];

/// No path to a root, in clients that go on without the root file.
pub(super) const NO_PATH: &[Reading] = &[NO_SUCH_ROOT, BROKEN_CHAIN, NO_ROOT_READ];

pub(super) const SELF_SIGNED: &[Reading] = &[reading(
    &[&c::SELF_SIGNED],
    "the server shows a certificate that nobody else signed, and it is not in the root file",
    "subject and issuer of the one certificate sent are the same",
)];

pub(super) const SELF_SIGNED_IN_CHAIN: &[Reading] = &[
    reading(
        &[&c::ROOT_NOT_IN_FILE, &c::UNKNOWN_ISSUER, &c::TLS_INSPECTION],
        "the server sends its root along, and the client was not given it",
        "the last certificate sent is its own issuer: look for its SHA-256 in the file; a product's name is a proxy",
    ),
    NO_ROOT_READ,
];

pub(super) const LACKS_ROOT: &[Reading] = &[
    reading(
        &[&c::ROOT_FILE_LACKS_ROOT],
        "the file holds an intermediate without the root above it",
        "no certificate in the file is its own issuer: pgtls-check roots show FILE",
    ),
    reading(
        &[&c::UNKNOWN_ISSUER, &c::ROOT_NOT_IN_FILE, &c::INTERMEDIATE_MISSING],
        "the chain stops below a root that the client was not given",
        "compare the issuer of the last certificate sent with the roots in the file",
    ),
];

pub(super) const EXPIRED: &[Reading] = &[reading(
    &[&c::CERTIFICATE_EXPIRED, &c::ROOT_EXPIRED],
    "a certificate of the path has ended",
    "compare the dates of leaf, intermediates and root with the client's clock, which may run ahead",
)];

pub(super) const NOT_YET: &[Reading] = &[reading(
    &[&c::CERTIFICATE_NOT_YET_VALID],
    "a certificate of the path does not hold yet",
    "compare its first day with the client's clock, which may run behind",
)];

pub(super) const OUTSIDE_DATES: &[Reading] = &[reading(
    &[&c::CERTIFICATE_EXPIRED, &c::CERTIFICATE_NOT_YET_VALID, &c::ROOT_EXPIRED],
    "a certificate of the path is outside its dates",
    "the text goes on with NotAfter (ended) or NotBefore (not yet); compare with the client's clock",
)];

pub(super) const REVOKED: &[Reading] = &[reading(
    &[&c::CERTIFICATE_REVOKED],
    "a revocation list names the certificate",
    "look for its serial number in the list that sslcrl or sslcrldir gives",
)];

pub(super) const CRL: &[Reading] = &[reading(
    &[&c::CRL_MISSING, &c::CRL_INVALID],
    "revocation is checked, and an issuer of the path has no usable list",
    "each issuer needs a list that is current and signed by it; without sslcrl and sslcrldir none is asked for",
)];

pub(super) const WEAK: &[Reading] = &[reading(
    &[&c::CERTIFICATE_WEAK],
    "a key is too short or a signature too old",
    "RSA below 2048 bits, SHA-1 or MD5: see which certificate of the path has it",
)];

pub(super) const ALGORITHM_CONSTRAINTS: &[Reading] = &[reading(
    &[&c::STRICT_CLIENT_REJECTS, &c::CERTIFICATE_WEAK],
    "Java's policy refuses an algorithm in the path, often SHA-1 in the self-signature of an old root",
    "psql connects with the same file: the policy is stricter than libpq; a newer root removes the cause",
)];

pub(super) const PURPOSE: &[Reading] = &[reading(
    &[&c::CERTIFICATE_PURPOSE],
    "a certificate of the path may not be used so",
    "extended key usage without serverAuth, a CA without keyCertSign, or a path longer than allowed",
)];

pub(super) const MALFORMED: &[Reading] = &[reading(
    &[&c::CERTIFICATE_INVALID, &c::CERTIFICATE_WEAK],
    "a certificate cannot be decoded, or a signature in the path is wrong",
    "decode each certificate sent; a proxy that rewrites certificates is a common source",
)];

// Names.

pub(super) const NAME: &[Reading] = &[reading(
    &[&c::HOSTNAME_MISMATCH],
    "the certificate is for other names than the one asked for",
    "compare host= with the certificate's names: an alias, an IP address or a tunnel stands between",
)];

pub(super) const NO_NAMES: &[Reading] = &[
    reading(
        &[&c::NO_SUBJECT_ALT_NAME],
        "the certificate has a common name only; libpq takes it, this client does not",
        "the certificate has no subjectAltName; psql with the same file connects",
    ),
    reading(&[&c::HOSTNAME_MISMATCH], "the name would not fit either", "compare the common name with host="),
];

pub(super) const CA_AS_LEAF: &[Reading] = &[reading(
    &[&c::CA_AS_SERVER_CERTIFICATE],
    "the server shows a CA's certificate as its own; libpq takes it, this client does not",
    "the certificate says CA:TRUE; psql with the same file connects",
)];

pub(super) const STRICT: &[Reading] = &[reading(
    &[&c::STRICT_CLIENT_REJECTS, &c::CERTIFICATE_INVALID],
    "this client asks more of a certificate than libpq does",
    "psql with the same file connects",
)];

// Files.

pub(super) const ROOT_MISSING: &[Reading] = &[reading(
    &[&c::ROOT_FILE_MISSING],
    "the root file is not where it was looked for",
    "the path in the text is the one after libpq's reading: a backslash eaten, another home directory, or the word \
     system with a libpq before 16",
)];

pub(super) const FILE_MISSING: &[Reading] = &[
    reading(
        &[&c::ROOT_FILE_MISSING],
        "the root file is not where it was looked for",
        "the path in the text, or else that of sslrootcert",
    ),
    reading(
        &[&c::CLIENT_CERT_MISSING, &c::CLIENT_KEY_MISSING],
        "the client's certificate or key is not where it was looked for",
        "the path in the text, or else those of sslcert and sslkey",
    ),
];

pub(super) const ROOT_INVALID: &[Reading] = &[reading(
    &[&c::ROOT_FILE_INVALID],
    "the root file is there and holds no certificate in PEM",
    "DER, an HTML page, nothing at all, or one damaged block: pgtls-check roots show FILE",
)];

pub(super) const ROOT_UNREADABLE: &[Reading] = &[
    reading(
        &[&c::ROOT_FILE_INVALID],
        "the root file is there and is not read as PEM",
        "the words behind the path tell: no certificate or crl found, bad base64, no start line",
    ),
    reading(
        &[&c::ROOT_FILE_UNREADABLE],
        "the system does not let the client read it",
        "the words behind the path tell: permission denied, is a directory",
    ),
];

pub(super) const KEY_PERMISSIONS: &[Reading] = &[reading(
    &[&c::CLIENT_KEY_PERMISSIONS],
    "others may read the client's key",
    "ls -l of the key: 0600, or 0640 when root owns it",
)];

pub(super) const KEY_MISSING: &[Reading] = &[reading(
    &[&c::CLIENT_KEY_MISSING],
    "there is a client certificate and no key for it",
    "sslkey, or postgresql.key beside the default certificate",
)];

pub(super) const KEY_MISMATCH: &[Reading] = &[reading(
    &[&c::CLIENT_KEY_MISMATCH],
    "the key is not the one of the certificate",
    "the public keys of both files differ: openssl x509 -pubkey, openssl pkey -pubout",
)];

pub(super) const KEY_INVALID: &[Reading] = &[reading(
    &[&c::CLIENT_KEY_INVALID],
    "the client's key cannot be used",
    "PKCS#8 in DER or PKCS#12 for Java, PEM for libpq; an encrypted one needs sslpassword",
)];

pub(super) const CERT_INVALID: &[Reading] = &[reading(
    &[&c::CLIENT_CERT_INVALID, &c::CLIENT_CERT_MISSING],
    "the client's certificate cannot be read",
    "the words behind the path tell whether it is absent or no certificate in PEM",
)];

// Network.

pub(super) const REFUSED: &[Reading] = &[reading(
    &[&c::TCP_REFUSED],
    "nothing listens at that address and port",
    "another port, a server that is down, or listen_addresses without this address",
)];

pub(super) const TIMED_OUT: &[Reading] = &[
    reading(
        &[&c::TCP_TIMEOUT],
        "the address does not answer: a firewall drops the packets, or there is no route into the network",
        "no TCP connection comes about; with Azure and AWS it is the firewall rule or the security group",
    ),
    reading(
        &[&c::NEGOTIATION_TIMEOUT, &c::TLS_TIMEOUT, &c::SESSION_TIMEOUT],
        "TCP is open and the server falls silent later",
        "a TCP connection comes about: a load balancer without backend, a path MTU, a paused server",
    ),
];

pub(super) const UNREACHABLE: &[Reading] = &[reading(
    &[&c::TCP_UNREACHABLE, &c::DNS_NO_ADDRESS],
    "there is no route to the address",
    "an IPv6 address on a machine without IPv6, or a local firewall: see which address the name leads to",
)];

pub(super) const NO_SUCH_NAME: &[Reading] = &[
    reading(
        &[&c::DNS_NOT_FOUND],
        "the name does not exist where it was asked",
        "a slip in the name, or a private zone that is not linked to the client's network",
    ),
    reading(
        &[&c::CONNINFO_HOST_MALFORMED],
        "the name is no name: part of a password, a port or a scheme is in it",
        "the name in the text has an @, a colon or a slash",
    ),
    reading(
        &[&c::DNS_NO_ADDRESS],
        "the name exists and has no address of the kind asked for",
        "it resolves with another record type",
    ),
];

pub(super) const RESOLVER: &[Reading] = &[reading(
    &[&c::DNS_FAILURE],
    "the resolver gave no answer",
    "other names fail too: resolv.conf, the VPN, the cluster's DNS",
)];

// Before TLS.

pub(super) const NO_TLS: &[Reading] = &[reading(
    &[&c::SERVER_REFUSED_TLS],
    "the server answered N: ssl is off, or the pooler has no TLS towards clients",
    "psql says so only of an N; SHOW ssl on the server, client_tls_sslmode in PgBouncer",
)];

/// Of clients that take every answer but `S` for a no.
pub(super) const NO_TLS_PERHAPS: &[Reading] = &[
    reading(
        &[&c::SERVER_REFUSED_TLS],
        "the server answered N: ssl is off, or the pooler has no TLS towards clients",
        "the first byte of the answer is N",
    ),
    reading(
        &[&c::NOT_POSTGRESQL, &c::SERVER_ERROR_BEFORE_TLS],
        "this client takes every answer but S for a no: another protocol, or PostgreSQL's error before TLS",
        "the first byte is E (an error, such as too many clients) or any other (HTTP begins with H)",
    ),
    reading(
        &[&c::NEGOTIATION_CLOSED, &c::HBA_REJECTED],
        "the server hung up, or refuses plaintext to a client that went on without TLS",
        "no byte comes at all; or the server's log has no pg_hba.conf entry with no encryption",
    ),
];

pub(super) const NOT_POSTGRESQL: &[Reading] = &[reading(
    &[&c::NOT_POSTGRESQL],
    "another protocol answers on that port",
    "the letter is the first byte: H for HTTP, S of SSH- behind a proxy, a digit for SMTP; GSSAPI: gssencmode=disable",
)];

pub(super) const ERROR_BEFORE_TLS: &[Reading] = &[reading(
    &[&c::SERVER_ERROR_BEFORE_TLS],
    "PostgreSQL sent an error before TLS, which libpq hides since CVE-2024-10977",
    "the server's log has it: too many clients, starting up, shutting down",
)];

pub(super) const NO_GOOD_ANSWER: &[Reading] = &[reading(
    &[&c::NOT_POSTGRESQL, &c::SERVER_ERROR_BEFORE_TLS, &c::NEGOTIATION_CLOSED],
    "the answer to SSLRequest is neither S nor N",
    "its first byte: E is PostgreSQL's error before TLS, none is a closed connection, any other another protocol",
)];

pub(super) const HUNG_UP: &[Reading] = &[
    reading(
        &[&c::NEGOTIATION_CLOSED],
        "the server hung up on SSLRequest: an allow list, a full server, a load balancer without backend",
        "it ends before the first byte of an answer",
    ),
    reading(
        &[&c::TLS_CLOSED, &c::CLIENT_CERT_REQUIRED],
        "the server hung up in the handshake: a middlebox, or it wants a client certificate and says so badly",
        "S came and the end followed; with TLS 1.3 an alert 116 stands in the server's answer",
    ),
    reading(
        &[&c::SESSION_CLOSED],
        "the server hung up after TLS",
        "TLS is up when it ends: the server's log, idle time-outs of load balancers",
    ),
];

pub(super) const HUNG_UP_IN_TLS: &[Reading] = &[
    reading(
        &[&c::TLS_CLOSED],
        "the server, or something on the way, hung up in the handshake",
        "the end follows the ClientHello: a middlebox, a proxy, or see the server's log",
    ),
    reading(
        &[&c::CLIENT_CERT_REQUIRED],
        "the server wants a client certificate; this client shows its alert as an end",
        "the alert behind it is 40 (TLS 1.2) or 116 (TLS 1.3)",
    ),
    reading(
        &[&c::NOT_POSTGRESQL, &c::SERVER_ERROR_BEFORE_TLS, &c::SESSION_CLOSED],
        "what answered was no TLS at all, or it hung up later",
        "the first bytes of the answer, and whether TLS was up when it ended",
    ),
];

pub(super) const HUNG_UP_LATER: &[Reading] = &[
    reading(
        &[&c::SESSION_CLOSED, &c::HBA_REJECTED],
        "the server hung up after the start-up message, or refuses what was asked",
        "the server's log says why: pg_hba.conf, a crash, a limit",
    ),
    reading(
        &[&c::CLIENT_CERT_REQUIRED, &c::CLIENT_CERT_REJECTED],
        "the server wants another client certificate or any at all (TLS 1.3 tells after the handshake)",
        "the alert behind it is 116 or 42 to 48",
    ),
    reading(&[&c::NEGOTIATION_CLOSED, &c::TLS_CLOSED], "it hung up before", "no S, or no ServerHello came"),
];

pub(super) const SILENCE: &[Reading] = &[
    reading(
        &[&c::NEGOTIATION_TIMEOUT, &c::TLS_TIMEOUT],
        "the server falls silent after TCP",
        "no answer to SSLRequest, or none to the ClientHello",
    ),
    reading(
        &[&c::NEGOTIATION_CLOSED],
        "the server hung up and this client goes on waiting",
        "other clients say at once that the connection was closed",
    ),
    reading(&[&c::TCP_TIMEOUT], "the address does not answer", "no TCP connection comes about"),
];

// TLS.

pub(super) const NOT_TLS: &[Reading] = &[
    reading(
        &[&c::TLS_PROTOCOL_ERROR, &c::DIRECT_TLS_UNSUPPORTED],
        "plaintext came where TLS was due, also from a server older than 17 asked with sslnegotiation=direct",
        "the first bytes of the answer are no TLS record",
    ),
    reading(
        &[&c::SERVER_REFUSED_TLS],
        "the server said N and this client took it for TLS (postgres.js)",
        "psql says: server does not support SSL, but SSL was required",
    ),
    reading(&[&c::NOT_POSTGRESQL], "another protocol answers on that port", "its first bytes tell which"),
];

pub(super) const VERSION: &[Reading] = &[reading(
    &[&c::TLS_VERSION_UNSUPPORTED],
    "server and client share no TLS version",
    "the server speaks TLS 1.0 or 1.1 only, or the limits of both sides exclude each other",
)];

pub(super) const HANDSHAKE_FAILURE: &[Reading] = &[
    reading(
        &[&c::CLIENT_CERT_REQUIRED],
        "the server wants a client certificate (TLS 1.2 has no alert of its own for that)",
        "the server asked for a certificate in the handshake: pg_hba.conf says cert or clientcert",
    ),
    reading(
        &[&c::TLS_NO_SHARED_CIPHER, &c::TLS_UNSUPPORTED_HERE],
        "no cipher suite, group or signature in common",
        "it ends at once after the ClientHello",
    ),
    reading(
        &[&c::SNI_UNRECOGNIZED],
        "the server does not know the name it was told",
        "another host name, or none, gets further",
    ),
];

pub(super) const CERT_REQUIRED: &[Reading] = &[reading(
    &[&c::CLIENT_CERT_REQUIRED],
    "the server demands a client certificate and none, or none it trusts, was sent",
    "pg_hba.conf says cert or clientcert; sslcert and sslkey are to be set, with the whole chain in the file",
)];

pub(super) const CERT_REJECTED: &[Reading] = &[reading(
    &[&c::CLIENT_CERT_REJECTED],
    "the server does not take the client certificate that was sent",
    "unknown ca: another CA than the server's ssl_ca_file; expired; unsupported: no clientAuth usage",
)];

pub(super) const SNI: &[Reading] = &[reading(
    &[&c::SNI_UNRECOGNIZED, &c::SERVER_ERROR],
    "the server wants to be told its name in the handshake and was not, or does not know it",
    "host= is an IP address, sslsni=0, or the client is too old to send the name",
)];

pub(super) const CHANNEL_BINDING: &[Reading] = &[reading(
    &[&c::CHANNEL_BINDING_FAILED],
    "something between client and server ends TLS, or the server cannot bind",
    "straight to the server it works: a pooler or proxy stands between",
)];

// Authentication and session.

pub(super) const PASSWORD: &[Reading] = &[
    reading(
        &[&c::PASSWORD_REJECTED],
        "TLS is up and the password is wrong",
        "the server's log names the line of pg_hba.conf",
    ),
    reading(
        &[
            &c::NO_SUBJECT_ALT_NAME,
            &c::CA_AS_SERVER_CERTIFICATE,
            &c::ROOT_FILE_LACKS_ROOT,
            &c::ROOT_FILE_INVALID,
            &c::HOSTNAME_MISMATCH,
        ],
        "besides: this client took a certificate or root file that another one refuses, and so came to the password",
        "other clients fail before; a check with verify-full tells what strict clients would refuse",
    ),
    reading(
        &[&c::CONNINFO_INVALID_VALUE],
        "besides: this client passes over an sslmode that does not exist (verify-all) and may verify nothing",
        "psql refuses the same string",
    ),
];

pub(super) const PASSWORD_THEN_PLAIN: &[Reading] = &[
    reading(
        &[&c::PASSWORD_REJECTED],
        "the password is wrong; prefer then tried without TLS, which pg_hba.conf refuses",
        "with sslmode=require the second line is gone",
    ),
    reading(
        &[&c::HBA_REJECTED],
        "the server admits no plaintext",
        "the second line says no encryption or SSL off",
    ),
];

pub(super) const HBA_PLAIN: &[Reading] = &[
    reading(
        &[&c::HBA_REJECTED],
        "the server refuses this client without TLS",
        "the text says no encryption: ask for TLS with sslmode=verify-full",
    ),
    reading(
        &[&c::PASSWORD_REJECTED, &c::SERVER_REFUSED_TLS],
        "the attempt over TLS failed before, and prefer went on in plaintext",
        "with sslmode=require the first failure shows",
    ),
];

pub(super) const HBA: &[Reading] = &[reading(
    &[&c::HBA_REJECTED],
    "the server admits no such client: address, user, database and encryption together",
    "the text names all four as the server saw them; the address is the one to allow",
)];

pub(super) const NEON_INSECURE: &[Reading] = &[reading(
    &[&c::HBA_REJECTED, &c::TLS_NOT_REQUESTED],
    "the server refuses plaintext",
    "sslmode is disable, or prefer went on without TLS",
)];

pub(super) const ROLE: &[Reading] = &[reading(
    &[&c::ROLE_MISSING],
    "the server has no such role",
    "user@server is Azure Single Server's spelling; poolers want postgres.REF",
)];

pub(super) const DATABASE: &[Reading] = &[reading(
    &[&c::DATABASE_MISSING],
    "the server has no such database",
    "without dbname the user's name is taken",
)];

pub(super) const TENANT: &[Reading] = &[reading(
    &[&c::SERVER_ERROR, &c::ROLE_MISSING],
    "the pooler finds no project for this user (Supabase)",
    "the user has to be postgres.REF, the host that of the project's region",
)];

pub(super) const FULL: &[Reading] = &[reading(
    &[&c::TOO_MANY_CONNECTIONS, &c::SERVER_ERROR_BEFORE_TLS],
    "the server has no connection to give",
    "max_connections, or the role's or database's limit; a pooler helps",
)];

pub(super) const STARTING: &[Reading] =
    &[reading(&[&c::SERVER_STARTING], "the server starts, stops or recovers", "it passes: --wait")];

pub(super) const PASSWORD_NEEDED: &[Reading] = &[reading(
    &[&c::PASSWORD_REQUIRED],
    "the server asks for a password and none was given",
    "PGPASSWORD, a password file or service; a password file with open permissions is passed over",
)];

pub(super) const AUTH_METHOD: &[Reading] = &[reading(
    &[&c::AUTH_METHOD_UNSUPPORTED],
    "client and server share no way to authenticate",
    "the text names the method; require_auth may exclude it, an old client may lack SCRAM",
)];

pub(super) const READ_ONLY: &[Reading] = &[reading(
    &[&c::SESSION_READONLY],
    "no server is what target_session_attrs asks for",
    "the server found is a standby, or read-only",
)];

// The connection string.

pub(super) const BAD_VALUE: &[Reading] = &[reading(
    &[&c::CONNINFO_INVALID_VALUE],
    "a value that the option does not have",
    "verify-all, from Microsoft's pages, means verify-full; quotes inside the string count as part of the value",
)];

pub(super) const BAD_VALUE_OR_PLAIN: &[Reading] = &[
    reading(
        &[&c::CONNINFO_INVALID_VALUE],
        "lib/pq does not know this sslmode",
        "it knows disable, require, verify-ca and verify-full",
    ),
    reading(
        &[&c::HBA_REJECTED, &c::SERVER_REFUSED_TLS],
        "besides: with libpq, prefer and allow would go on in plaintext here",
        "psql with the same string tells what becomes of it",
    ),
];

pub(super) const UNKNOWN_OPTION: &[Reading] = &[reading(
    &[&c::CONNINFO_UNKNOWN_OPTION],
    "an option that this client does not know",
    "a slip, or an option of a newer libpq (sslnegotiation is of 17)",
)];

pub(super) const SYNTAX: &[Reading] = &[reading(
    &[&c::CONNINFO_SYNTAX],
    "the connection string does not parse",
    "the place the text names: a quote, an equals sign, a percent sign, an @ in a password",
)];

pub(super) const HOST_NEEDED: &[Reading] = &[reading(
    &[&c::HOST_REQUIRED],
    "there is an address and no name to verify",
    "hostaddr is given and host is not",
)];

pub(super) const SERVICE: &[Reading] = &[reading(
    &[&c::SERVICE_NOT_FOUND],
    "there is no such service",
    "the file and the section that the text names",
)];

pub(super) const NO_TLS_BUILD: &[Reading] = &[reading(
    &[&c::OPTION_NOT_SUPPORTED, &c::CONNINFO_INVALID_VALUE],
    "this libpq was built without TLS",
    "another build of the client takes the same string",
)];

pub(super) const NPGSQL_REQUIRE: &[Reading] = &[reading(
    &[&c::SSLMODE_NOT_VERIFYING, &c::CONNINFO_INVALID_VALUE],
    "Npgsql 6 and 7 want it said that Require verifies nothing",
    "SSL Mode=VerifyFull with Root Certificate=FILE verifies",
)];

pub(super) const SOCKET: &[Reading] = &[reading(
    &[&c::TLS_NOT_REQUESTED],
    "libpq goes to a Unix socket, where there is never TLS",
    "host= is empty or a directory",
)];
