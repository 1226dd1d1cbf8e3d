//! Chains, dates and names.

use super::{Code, Reading, c, reading};

const NO_SUCH_ROOT: Reading = reading(
    &[&c::UNKNOWN_ISSUER, &c::ROOT_NOT_IN_FILE, &c::TLS_INSPECTION, &c::ROOT_KEY_CHANGED],
    "the chain ends at a root that is not in the client's root file",
    "compare the issuer of the last certificate sent with the roots in the file: another name, or the same name with \
     another key; the name of a security product instead of a CA is a TLS-inspecting proxy",
    "here: set sslrootcert to a file with that root (pgtls-check roots list names the provider bundles)",
);

const BROKEN_CHAIN: Reading = reading(
    &[&c::INTERMEDIATE_MISSING, &c::SELF_SIGNED, &c::ROOT_FILE_LACKS_ROOT],
    "the chain is incomplete and reaches no root at all",
    "the server sends one certificate: if it is its own issuer, it is self-signed; if not, an intermediate is missing; \
     an intermediate in the root file without its root is not enough for libpq",
    "on the server: put the intermediates into server.crt after the server certificate, and reload",
);

const DATES: Reading = reading(
    &[&c::CERTIFICATE_EXPIRED, &c::CERTIFICATE_NOT_YET_VALID, &c::ROOT_EXPIRED],
    "a certificate of the chain has expired or is not yet valid",
    "compare the dates of server certificate, intermediates and root with the client's clock",
    "on the server: renew the expired certificate; here: correct the clock if it is wrong",
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
    "the chain is complete and violates another rule",
    "check key sizes, signatures, key usages and CRLs along the chain",
    "on the server: reissue the certificate that violates the rule",
);

const NO_ROOT_READ: Reading = reading(
    &[&c::ROOT_FILE_MISSING, &c::ROOT_FILE_INVALID],
    "the client read no root file, or one without a certificate, and used its own roots",
    "check that the file exists and what it contains: pgtls-check roots show FILE",
    "here: pass the root file in the way this client reads it (pgtls-check clients shows it for each driver)",
);

/// libpq's one sentence, and its equals in other clients.
pub(in super::super) const VERIFY_FAILED: &[Reading] = &[NO_SUCH_ROOT, BROKEN_CHAIN, DATES, OTHER_RULES];

/// No path to a root, in clients that continue without the root file.
pub(in super::super) const NO_PATH: &[Reading] = &[NO_SUCH_ROOT, BROKEN_CHAIN, NO_ROOT_READ];

pub(in super::super) const SELF_SIGNED: &[Reading] = &[reading(
    &[&c::SELF_SIGNED],
    "the server certificate is self-signed and not in the root file",
    "subject and issuer of the only certificate sent are the same",
    "here: get server.crt from the server's administrator over a trusted channel and set sslrootcert to it",
)];

/// Prisma's parameters are called otherwise.
pub(in super::super) const PRISMAS_ROOTS: &[Reading] = &[reading(
    &[&c::ROOT_NOT_IN_FILE, &c::UNKNOWN_ISSUER, &c::TLS_INSPECTION],
    "the root of the server's chain is not among Prisma's",
    "sslrootcert in the URL has no effect on Prisma: its name for the root file is sslcert",
    "here: in the URL, sslcert=FILE with the root of the server's CA (a relative path counts from the prisma folder), beside \
         sslmode=require&sslaccept=strict",
)];

pub(in super::super) const SELF_SIGNED_IN_CHAIN: &[Reading] = &[
    reading(
        &[&c::ROOT_NOT_IN_FILE, &c::UNKNOWN_ISSUER, &c::TLS_INSPECTION],
        "the server sends its root, and that root is not among the client's",
        "the last certificate sent is its own issuer: look for its SHA-256 in the root file; the name of a security \
         product is a TLS-inspecting proxy",
        "here: set sslrootcert to a file with that root (pgtls-check roots list names the provider bundles)",
    ),
    NO_ROOT_READ,
];

pub(in super::super) const LACKS_ROOT: &[Reading] = &[
    reading(
        &[&c::ROOT_FILE_LACKS_ROOT],
        "the root file contains an intermediate without its root",
        "no certificate in the file is its own issuer: pgtls-check roots show FILE",
        "here: add the self-signed root of that intermediate to the file",
    ),
    reading(
        &[&c::UNKNOWN_ISSUER, &c::ROOT_NOT_IN_FILE, &c::INTERMEDIATE_MISSING],
        "the chain ends below a root that is not in the root file",
        "compare the issuer of the last certificate sent with the roots in the file",
        "here: set sslrootcert to a file with that root",
    ),
];

/// Codes of a server certificate whose issuer a client does not know.
const NO_ISSUER: &[&Code] =
    &[&c::UNKNOWN_ISSUER, &c::ROOT_NOT_IN_FILE, &c::SELF_SIGNED, &c::TLS_INSPECTION, &c::ROOT_KEY_CHANGED];

const AT_THE_CLIENT: &str = "on the client: give it the root file of the server's CA (sslrootcert), and run a check there; on the server: \
                             intermediates after the certificate in server.crt";

/// What a server writes into its log when a client rejects its certificate and says so: nobody else sends that alert.
pub(in super::super) const CLIENT_REJECTED: &[Reading] = &[reading(
    NO_ISSUER,
    "this line is from the server's log: a client rejected the server's certificate, because its own root file lacks the issuer; the \
     server's ssl_ca_file has no part in it (it is for client certificates)",
    "the client's own error message at that time; which client it is: log_connections = on, and %h in log_line_prefix",
    AT_THE_CLIENT,
)];

/// The same with an alert that leaves the reason open.
pub(in super::super) const CLIENT_REJECTED_SOMEHOW: &[Reading] = &[
    reading(
        NO_ISSUER,
        "this line is from the server's log: a client rejected the server's certificate, mostly because its own root file lacks the \
         issuer; the server's ssl_ca_file has no part in it (it is for client certificates)",
        "the client's own error message at that time; which client it is: log_connections = on, and %h in log_line_prefix",
        AT_THE_CLIENT,
    ),
    DATES,
];

/// The same of dates.
pub(in super::super) const CLIENT_FOUND_EXPIRED: &[Reading] = &[reading(
    &[&c::CERTIFICATE_EXPIRED, &c::ROOT_EXPIRED],
    "this line is from the server's log: a client rejected the server's certificate as expired",
    "the dates of server.crt and its intermediates; if they are good, that client's clock or root file is old",
    "on the server: renew the certificate, then SELECT pg_reload_conf();",
)];

/// What a server writes into its log when a client leaves in the handshake without a word.
pub(in super::super) const CLIENT_LEFT_HANDSHAKE: &[Reading] = &[
    reading(
        &[&c::TLS_CLOSED],
        "this line is from the server's log: somebody opened a connection and left in the handshake without an alert: a health check, a \
         port scan, or a client that gave up",
        "the address in the log (log_connections = on, %h in log_line_prefix) is a load balancer's or monitor's, and the lines come at regular intervals",
        "on the load balancer or monitor: a health check that speaks PostgreSQL (pg_isready); else nothing to mend",
    ),
    reading(
        NO_ISSUER,
        "a client rejected the server's certificate and closed the connection without an alert, as some drivers do",
        "that client's own error message at that time has the reason",
        AT_THE_CLIENT,
    ),
];

/// PgBouncer's log, of either of its sides.
pub(in super::super) const POOLER_REJECTS: &[Reading] = &[
    reading(
        &[&c::UPSTREAM_FAILED],
        "this line is from PgBouncer's log: PgBouncer rejected the certificate of the PostgreSQL server behind it",
        "the line begins with S- (server side); C- is a client whose certificate PgBouncer rejected, by client_tls_ca_file",
        "on PgBouncer's machine: set server_tls_ca_file in pgbouncer.ini to the root file of the server's CA, check the server from there \
         with sslrootcert set to that file, then RECONNECT on its console",
    ),
    reading(
        &[&c::CLIENT_CERT_REJECTED],
        "PgBouncer rejected a client's certificate",
        "the line begins with C-",
        "on PgBouncer's machine: set client_tls_ca_file to the CA of the client certificates; on the client: a certificate of that CA",
    ),
];

/// The same where the other side rejects PgBouncer's certificate.
pub(in super::super) const POOLER_REJECTED: &[Reading] = &[
    reading(
        NO_ISSUER,
        "this line is from PgBouncer's log: a client rejected PgBouncer's certificate",
        "the line begins with C- (client side)",
        "on the client: give it the root file of the CA of client_tls_cert_file; on PgBouncer's machine: intermediates after the certificate in that file",
    ),
    reading(
        &[&c::UPSTREAM_FAILED],
        "the PostgreSQL server rejected PgBouncer's client certificate",
        "the line begins with S- (server side)",
        "on PgBouncer's machine: set server_tls_cert_file to a certificate of a CA in the server's ssl_ca_file",
    ),
];

pub(in super::super) const EXPIRED: &[Reading] = &[reading(
    &[&c::CERTIFICATE_EXPIRED, &c::ROOT_EXPIRED],
    "a certificate of the chain has expired",
    "compare the dates of server certificate, intermediates and root with the client's clock, which may be fast",
    "on the server: renew the certificate and reload; an expired root: here, replace the root file",
)];

pub(in super::super) const NOT_YET: &[Reading] = &[reading(
    &[&c::CERTIFICATE_NOT_YET_VALID],
    "a certificate of the chain is not yet valid",
    "compare its first day with the client's clock, which may be slow",
    "here: correct the clock (timedatectl); else wait, or reissue the certificate with an earlier start",
)];

pub(in super::super) const OUTSIDE_DATES: &[Reading] = &[reading(
    &[&c::CERTIFICATE_EXPIRED, &c::CERTIFICATE_NOT_YET_VALID, &c::ROOT_EXPIRED],
    "a certificate of the chain has expired or is not yet valid",
    "NotAfter in the text: expired; NotBefore: not yet valid; compare with the client's clock",
    "on the server: renew the certificate; here: correct the clock if it is wrong",
)];

pub(in super::super) const REVOKED: &[Reading] = &[reading(
    &[&c::CERTIFICATE_REVOKED],
    "a CRL lists a certificate of the chain",
    "look for its serial number in the CRL of sslcrl or sslcrldir",
    "on the server: install a new certificate; its key may be compromised",
)];

pub(in super::super) const CRL: &[Reading] = &[reading(
    &[&c::CRL_MISSING, &c::CRL_INVALID, &c::STRICT_CLIENT_REJECTS],
    "revocation is checked, and no usable CRL exists for an issuer of the chain",
    "each issuer needs a current CRL that it signed; libpq asks for none without sslcrl and sslcrldir",
    "here: add the issuer's current CRL to sslcrl, or switch the revocation check of this client off",
)];

pub(in super::super) const WEAK: &[Reading] = &[reading(
    &[&c::CERTIFICATE_WEAK],
    "a key in the chain is too short or a signature algorithm too old",
    "RSA below 2048 bits, SHA-1 or MD5: look at each certificate of the chain",
    "on the server: reissue that certificate with RSA 2048 or P-256 and SHA-256",
)];

pub(in super::super) const ALGORITHM_CONSTRAINTS: &[Reading] = &[reading(
    &[&c::STRICT_CLIENT_REJECTS, &c::CERTIFICATE_WEAK],
    "Java's policy rejects an algorithm in the chain, often SHA-1 in the signature of an old root",
    "psql connects with the same file: the policy is stricter than libpq",
    "here: use a newer root file of the provider; else reissue the certificate with SHA-256",
)];

pub(in super::super) const PURPOSE: &[Reading] = &[reading(
    &[&c::CERTIFICATE_PURPOSE],
    "a certificate of the chain is used for a purpose it does not allow",
    "an extended key usage without serverAuth, a CA without keyCertSign, or a path longer than allowed",
    "on the server: reissue the certificate with extendedKeyUsage=serverAuth, the CA with keyUsage=keyCertSign",
)];

pub(in super::super) const MALFORMED: &[Reading] = &[reading(
    &[&c::CERTIFICATE_INVALID, &c::CERTIFICATE_WEAK, &c::STRICT_CLIENT_REJECTS],
    "a certificate of the chain is malformed, or one of its signatures is invalid",
    "decode each certificate sent; a proxy that rewrites certificates is a common source",
    "on the server: reissue the certificate with a current CA tool",
)];

/// A signature that the issuer's key does not confirm.
pub(in super::super) const BAD_SIGNATURE: &[Reading] = &[reading(
    &[&c::ROOT_KEY_CHANGED, &c::CERTIFICATE_INVALID],
    "a signature in the chain does not fit the issuer's key",
    "the root file has a CA of the right name and another key: compare the key identifiers",
    "here: get the CA's current root certificate and set sslrootcert to it",
)];

pub(in super::super) const NAME: &[Reading] = &[WRONG_NAME];

/// Both are wrong: each has to be mended.
pub(in super::super) const NAME_AND_CHAIN: &[Reading] = &[ONE_OF_TWO, NO_SUCH_ROOT, BROKEN_CHAIN];

const ONE_OF_TWO: Reading = Reading {
    what: "two faults: the certificate is not valid for the host name, and besides its chain leads to no root of the client (2 or 3)",
    ..WRONG_NAME
};

const WRONG_NAME: Reading = reading(
    &[&c::HOSTNAME_MISMATCH],
    "the certificate is not valid for the host name",
    "compare host= with the names in the certificate: an alias, an IP address or a tunnel in between",
    "here: set host to {certified|a name in the certificate}; with a tunnel, also hostaddr to its address; or, if host is right, on the \
     server: reissue the certificate with that name as a subjectAltName",
);

pub(in super::super) const NO_NAMES: &[Reading] = &[
    reading(
        &[&c::NO_SUBJECT_ALT_NAME],
        "the certificate has only a common name; libpq accepts it, this client does not",
        "the certificate has no subjectAltName; psql connects with the same file",
        "on the server: reissue the certificate with the host name as a subjectAltName",
    ),
    reading(
        &[&c::HOSTNAME_MISMATCH],
        "the common name is not the host name either",
        "compare the common name with host=",
        "here: set host to the name in the certificate",
    ),
];

pub(in super::super) const CA_AS_LEAF: &[Reading] = &[reading(
    &[&c::CA_AS_SERVER_CERTIFICATE],
    "the server certificate is marked as a CA; libpq accepts it, this client does not",
    "the certificate has CA:TRUE; psql connects with the same file",
    "on the server: issue a separate server certificate with CA:FALSE from that CA",
)];

pub(in super::super) const STRICT: &[Reading] = &[reading(
    &[&c::STRICT_CLIENT_REJECTS, &c::CERTIFICATE_INVALID],
    "this client requires more of a certificate than libpq does",
    "psql connects with the same file; pgtls-check -v lists what stricter clients reject",
    "on the server: reissue the certificate according to RFC 5280",
)];

/// A client that does not verify what its mode promises, and says so.
pub(in super::super) const ALIASED_MODES: &[Reading] = &[reading(
    &[&c::SSLMODE_NOT_VERIFYING],
    "a warning of node-postgres, not an error: it verifies under prefer and require, where libpq does not",
    "the next version of the driver changes this",
    "here: write sslmode=verify-full, or uselibpqcompat=true for libpq's meaning",
)];
