//! The readings that several texts share.

use super::Reading;

const fn reading(codes: &'static [&'static str], what: &'static str, tell: &'static str) -> Reading {
    Reading { codes, what, tell }
}

// Chains.

const NO_SUCH_ROOT: Reading = reading(
    &["unknown-issuer", "root-not-in-file", "tls-inspection", "root-key-changed"],
    "the chain leads to a root that the client was not given",
    "compare the issuer of the last certificate sent with the roots in the file: another name, or the same name with \
     another key; a product's name instead of a provider's is a proxy",
);

const BROKEN_CHAIN: Reading = reading(
    &["intermediate-missing", "self-signed", "root-file-lacks-root"],
    "the chain does not reach a root at all",
    "one certificate is sent: issued by itself it is self-signed, issued by an intermediate that one is missing; an \
     intermediate without its root in the file is refused by libpq too",
);

const DATES: Reading = reading(
    &["certificate-expired", "certificate-not-yet-valid", "root-expired"],
    "a certificate of the path is outside its dates",
    "compare the dates of leaf, intermediates and root with the clock of the client",
);

const OTHER_RULES: Reading = reading(
    &[
        "certificate-purpose",
        "certificate-weak",
        "crl-missing",
        "certificate-revoked",
        "certificate-name-constraints",
        "certificate-invalid",
    ],
    "the chain is complete and breaks another rule",
    "look at key sizes, signatures, usages and revocation lists along the path",
);

const NO_ROOT_READ: Reading = reading(
    &["root-file-missing", "root-file-invalid"],
    "the client read no root file, or none that holds a certificate, and went on with its own set",
    "look whether the file is there and what is in it: pgtls-check roots show FILE",
);

/// libpq's one sentence.
pub const VERIFY_FAILED: &[Reading] = &[NO_SUCH_ROOT, BROKEN_CHAIN, DATES, OTHER_RULES];

/// No path to a root, in clients that go on without the root file.
pub const NO_PATH: &[Reading] = &[NO_SUCH_ROOT, BROKEN_CHAIN, NO_ROOT_READ];

pub const SELF_SIGNED: &[Reading] = &[reading(
    &["self-signed"],
    "the server shows a certificate that nobody else signed, and it is not in the root file",
    "subject and issuer of the one certificate sent are the same",
)];

pub const SELF_SIGNED_IN_CHAIN: &[Reading] = &[
    reading(
        &["root-not-in-file", "unknown-issuer", "tls-inspection"],
        "the server sends its root along, and the client was not given it",
        "the last certificate sent is its own issuer: look for its SHA-256 in the file; a product's name is a proxy",
    ),
    NO_ROOT_READ,
];

pub const LACKS_ROOT: &[Reading] = &[
    reading(
        &["root-file-lacks-root"],
        "the file holds an intermediate without the root above it",
        "no certificate in the file is its own issuer: pgtls-check roots show FILE",
    ),
    reading(
        &["unknown-issuer", "root-not-in-file", "intermediate-missing"],
        "the chain stops below a root that the client was not given",
        "compare the issuer of the last certificate sent with the roots in the file",
    ),
];

pub const EXPIRED: &[Reading] = &[reading(
    &["certificate-expired", "root-expired"],
    "a certificate of the path has ended",
    "compare the dates of leaf, intermediates and root with the client's clock, which may run ahead",
)];

pub const NOT_YET: &[Reading] = &[reading(
    &["certificate-not-yet-valid"],
    "a certificate of the path does not hold yet",
    "compare its first day with the client's clock, which may run behind",
)];

pub const OUTSIDE_DATES: &[Reading] = &[reading(
    &["certificate-expired", "certificate-not-yet-valid", "root-expired"],
    "a certificate of the path is outside its dates",
    "the text goes on with NotAfter (ended) or NotBefore (not yet); compare with the client's clock",
)];

pub const REVOKED: &[Reading] = &[reading(
    &["certificate-revoked"],
    "a revocation list names the certificate",
    "look for its serial number in the list that sslcrl or sslcrldir gives",
)];

pub const CRL: &[Reading] = &[reading(
    &["crl-missing", "crl-invalid"],
    "revocation is checked, and an issuer of the path has no usable list",
    "each issuer needs a list that is current and signed by it; without sslcrl and sslcrldir none is asked for",
)];

pub const WEAK: &[Reading] = &[reading(
    &["certificate-weak"],
    "a key is too short or a signature too old",
    "RSA below 2048 bits, SHA-1 or MD5: see which certificate of the path has it",
)];

pub const ALGORITHM_CONSTRAINTS: &[Reading] = &[reading(
    &["strict-client-rejects", "certificate-weak"],
    "Java's policy refuses an algorithm in the path, often SHA-1 in the self-signature of an old root",
    "psql connects with the same file: the policy is stricter than libpq; a newer root removes the cause",
)];

pub const PURPOSE: &[Reading] = &[reading(
    &["certificate-purpose"],
    "a certificate of the path may not be used so",
    "extended key usage without serverAuth, a CA without keyCertSign, or a path longer than allowed",
)];

pub const MALFORMED: &[Reading] = &[reading(
    &["certificate-invalid", "certificate-weak"],
    "a certificate cannot be decoded, or a signature in the path is wrong",
    "decode each certificate sent; a proxy that rewrites certificates is a common source",
)];

// Names.

pub const NAME: &[Reading] = &[reading(
    &["hostname-mismatch"],
    "the certificate is for other names than the one asked for",
    "compare host= with the certificate's names: an alias, an IP address or a tunnel stands between",
)];

pub const NO_NAMES: &[Reading] = &[
    reading(
        &["no-subject-alt-name"],
        "the certificate has a common name only; libpq takes it, this client does not",
        "the certificate has no subjectAltName; psql with the same file connects",
    ),
    reading(&["hostname-mismatch"], "the name would not fit either", "compare the common name with host="),
];

pub const CA_AS_LEAF: &[Reading] = &[reading(
    &["ca-as-server-certificate"],
    "the server shows a CA's certificate as its own; libpq takes it, this client does not",
    "the certificate says CA:TRUE; psql with the same file connects",
)];

pub const STRICT: &[Reading] = &[reading(
    &["strict-client-rejects", "certificate-invalid"],
    "this client asks more of a certificate than libpq does",
    "psql with the same file connects",
)];

// Files.

pub const ROOT_MISSING: &[Reading] = &[reading(
    &["root-file-missing"],
    "the root file is not where it was looked for",
    "the path in the text is the one after libpq's reading: a backslash eaten, another home directory, or the word \
     system with a libpq before 16",
)];

pub const FILE_MISSING: &[Reading] = &[
    reading(
        &["root-file-missing"],
        "the root file is not where it was looked for",
        "the path in the text, or else that of sslrootcert",
    ),
    reading(
        &["client-cert-missing", "client-key-missing"],
        "the client's certificate or key is not where it was looked for",
        "the path in the text, or else those of sslcert and sslkey",
    ),
];

pub const ROOT_INVALID: &[Reading] = &[reading(
    &["root-file-invalid"],
    "the root file is there and holds no certificate in PEM",
    "DER, an HTML page, nothing at all, or one damaged block: pgtls-check roots show FILE",
)];

pub const ROOT_UNREADABLE: &[Reading] = &[
    reading(
        &["root-file-invalid"],
        "the root file is there and is not read as PEM",
        "the words behind the path tell: no certificate or crl found, bad base64, no start line",
    ),
    reading(
        &["root-file-unreadable"],
        "the system does not let the client read it",
        "the words behind the path tell: permission denied, is a directory",
    ),
];

pub const KEY_PERMISSIONS: &[Reading] = &[reading(
    &["client-key-permissions"],
    "others may read the client's key",
    "ls -l of the key: 0600, or 0640 when root owns it",
)];

pub const KEY_MISSING: &[Reading] = &[reading(
    &["client-key-missing"],
    "there is a client certificate and no key for it",
    "sslkey, or postgresql.key beside the default certificate",
)];

pub const KEY_MISMATCH: &[Reading] = &[reading(
    &["client-key-mismatch"],
    "the key is not the one of the certificate",
    "the public keys of both files differ: openssl x509 -pubkey, openssl pkey -pubout",
)];

pub const KEY_INVALID: &[Reading] = &[reading(
    &["client-key-invalid"],
    "the client's key cannot be used",
    "PKCS#8 in DER or PKCS#12 for Java, PEM for libpq; an encrypted one needs sslpassword",
)];

pub const CERT_INVALID: &[Reading] = &[reading(
    &["client-cert-invalid", "client-cert-missing"],
    "the client's certificate cannot be read",
    "the words behind the path tell whether it is absent or no certificate in PEM",
)];

// Network.

pub const REFUSED: &[Reading] = &[reading(
    &["tcp-refused"],
    "nothing listens at that address and port",
    "another port, a server that is down, or listen_addresses without this address",
)];

pub const TIMED_OUT: &[Reading] = &[
    reading(
        &["tcp-timeout"],
        "the address does not answer: a firewall drops the packets, or there is no route into the network",
        "no TCP connection comes about; with Azure and AWS it is the firewall rule or the security group",
    ),
    reading(
        &["negotiation-timeout", "tls-timeout", "session-timeout"],
        "TCP is open and the server falls silent later",
        "a TCP connection comes about: a load balancer without backend, a path MTU, a paused server",
    ),
];

pub const UNREACHABLE: &[Reading] = &[reading(
    &["tcp-unreachable", "dns-no-address"],
    "there is no route to the address",
    "an IPv6 address on a machine without IPv6, or a local firewall: see which address the name leads to",
)];

pub const NO_SUCH_NAME: &[Reading] = &[
    reading(
        &["dns-not-found"],
        "the name does not exist where it was asked",
        "a slip in the name, or a private zone that is not linked to the client's network",
    ),
    reading(
        &["conninfo-host-malformed"],
        "the name is no name: part of a password, a port or a scheme is in it",
        "the name in the text has an @, a colon or a slash",
    ),
    reading(
        &["dns-no-address"],
        "the name exists and has no address of the kind asked for",
        "it resolves with another record type",
    ),
];

pub const RESOLVER: &[Reading] = &[reading(
    &["dns-failure"],
    "the resolver gave no answer",
    "other names fail too: resolv.conf, the VPN, the cluster's DNS",
)];

// Before TLS.

pub const NO_TLS: &[Reading] = &[reading(
    &["server-refused-tls"],
    "the server answered N: ssl is off, or the pooler has no TLS towards clients",
    "psql says so only of an N; SHOW ssl on the server, client_tls_sslmode in PgBouncer",
)];

/// Of clients that take every answer but `S` for a no.
pub const NO_TLS_PERHAPS: &[Reading] = &[
    reading(
        &["server-refused-tls"],
        "the server answered N: ssl is off, or the pooler has no TLS towards clients",
        "the first byte of the answer is N",
    ),
    reading(
        &["not-postgresql", "server-error-before-tls"],
        "this client takes every answer but S for a no: another protocol, or PostgreSQL's error before TLS",
        "the first byte is E (an error, such as too many clients) or any other (HTTP begins with H)",
    ),
    reading(
        &["negotiation-closed", "hba-rejected"],
        "the server hung up, or refuses plaintext to a client that went on without TLS",
        "no byte comes at all; or the server's log has no pg_hba.conf entry with no encryption",
    ),
];

pub const NOT_POSTGRESQL: &[Reading] = &[reading(
    &["not-postgresql"],
    "another protocol answers on that port",
    "the letter is the first byte: H for HTTP, S of SSH- behind a proxy, a digit for SMTP; GSSAPI: gssencmode=disable",
)];

pub const ERROR_BEFORE_TLS: &[Reading] = &[reading(
    &["server-error-before-tls"],
    "PostgreSQL sent an error before TLS, which libpq hides since CVE-2024-10977",
    "the server's log has it: too many clients, starting up, shutting down",
)];

pub const NO_GOOD_ANSWER: &[Reading] = &[reading(
    &["not-postgresql", "server-error-before-tls", "negotiation-closed"],
    "the answer to SSLRequest is neither S nor N",
    "its first byte: E is PostgreSQL's error before TLS, none is a closed connection, any other another protocol",
)];

pub const HUNG_UP: &[Reading] = &[
    reading(
        &["negotiation-closed"],
        "the server hung up on SSLRequest: an allow list, a full server, a load balancer without backend",
        "it ends before the first byte of an answer",
    ),
    reading(
        &["tls-closed", "client-cert-required"],
        "the server hung up in the handshake: a middlebox, or it wants a client certificate and says so badly",
        "S came and the end followed; with TLS 1.3 an alert 116 stands in the server's answer",
    ),
    reading(
        &["session-closed"],
        "the server hung up after TLS",
        "TLS is up when it ends: the server's log, idle time-outs of load balancers",
    ),
];

pub const HUNG_UP_IN_TLS: &[Reading] = &[
    reading(
        &["tls-closed"],
        "the server, or something on the way, hung up in the handshake",
        "the end follows the ClientHello: a middlebox, a proxy, or see the server's log",
    ),
    reading(
        &["client-cert-required"],
        "the server wants a client certificate; this client shows its alert as an end",
        "the alert behind it is 40 (TLS 1.2) or 116 (TLS 1.3)",
    ),
    reading(
        &["not-postgresql", "server-error-before-tls", "session-closed"],
        "what answered was no TLS at all, or it hung up later",
        "the first bytes of the answer, and whether TLS was up when it ended",
    ),
];

pub const HUNG_UP_LATER: &[Reading] = &[
    reading(
        &["session-closed", "hba-rejected"],
        "the server hung up after the start-up message, or refuses what was asked",
        "the server's log says why: pg_hba.conf, a crash, a limit",
    ),
    reading(
        &["client-cert-required", "client-cert-rejected"],
        "the server wants another client certificate or any at all (TLS 1.3 tells after the handshake)",
        "the alert behind it is 116 or 42 to 48",
    ),
    reading(&["negotiation-closed", "tls-closed"], "it hung up before", "no S, or no ServerHello came"),
];

pub const SILENCE: &[Reading] = &[
    reading(
        &["negotiation-timeout", "tls-timeout"],
        "the server falls silent after TCP",
        "no answer to SSLRequest, or none to the ClientHello",
    ),
    reading(
        &["negotiation-closed"],
        "the server hung up and this client goes on waiting",
        "other clients say at once that the connection was closed",
    ),
    reading(&["tcp-timeout"], "the address does not answer", "no TCP connection comes about"),
];

// TLS.

pub const NOT_TLS: &[Reading] = &[
    reading(
        &["tls-protocol-error", "direct-tls-unsupported"],
        "plaintext came where TLS was due, also from a server older than 17 asked with sslnegotiation=direct",
        "the first bytes of the answer are no TLS record",
    ),
    reading(
        &["server-refused-tls"],
        "the server said N and this client took it for TLS (postgres.js)",
        "psql says: server does not support SSL, but SSL was required",
    ),
    reading(&["not-postgresql"], "another protocol answers on that port", "its first bytes tell which"),
];

pub const VERSION: &[Reading] = &[reading(
    &["tls-version-unsupported"],
    "server and client share no TLS version",
    "the server speaks TLS 1.0 or 1.1 only, or the limits of both sides exclude each other",
)];

pub const HANDSHAKE_FAILURE: &[Reading] = &[
    reading(
        &["client-cert-required"],
        "the server wants a client certificate (TLS 1.2 has no alert of its own for that)",
        "the server asked for a certificate in the handshake: pg_hba.conf says cert or clientcert",
    ),
    reading(
        &["tls-no-shared-cipher", "tls-unsupported-here"],
        "no cipher suite, group or signature in common",
        "it ends at once after the ClientHello",
    ),
    reading(
        &["sni-unrecognized"],
        "the server does not know the name it was told",
        "another host name, or none, gets further",
    ),
];

pub const CERT_REQUIRED: &[Reading] = &[reading(
    &["client-cert-required"],
    "the server demands a client certificate and none, or none it trusts, was sent",
    "pg_hba.conf says cert or clientcert; sslcert and sslkey are to be set, with the whole chain in the file",
)];

pub const CERT_REJECTED: &[Reading] = &[reading(
    &["client-cert-rejected"],
    "the server does not take the client certificate that was sent",
    "unknown ca: another CA than the server's ssl_ca_file; expired; unsupported: no clientAuth usage",
)];

pub const SNI: &[Reading] = &[reading(
    &["sni-unrecognized", "server-error"],
    "the server wants to be told its name in the handshake and was not, or does not know it",
    "host= is an IP address, sslsni=0, or the client is too old to send the name",
)];

pub const CHANNEL_BINDING: &[Reading] = &[reading(
    &["channel-binding-failed"],
    "something between client and server ends TLS, or the server cannot bind",
    "straight to the server it works: a pooler or proxy stands between",
)];

// Authentication and session.

pub const PASSWORD: &[Reading] = &[
    reading(
        &["password-rejected"],
        "TLS is up and the password is wrong",
        "the server's log names the line of pg_hba.conf",
    ),
    reading(
        &[
            "no-subject-alt-name",
            "ca-as-server-certificate",
            "root-file-lacks-root",
            "root-file-invalid",
            "hostname-mismatch",
        ],
        "besides: this client took a certificate or root file that another one refuses, and so came to the password",
        "other clients fail before; a check with verify-full tells what strict clients would refuse",
    ),
    reading(
        &["conninfo-invalid-value"],
        "besides: this client passes over an sslmode that does not exist (verify-all) and may verify nothing",
        "psql refuses the same string",
    ),
];

pub const PASSWORD_THEN_PLAIN: &[Reading] = &[
    reading(
        &["password-rejected"],
        "the password is wrong; prefer then tried without TLS, which pg_hba.conf refuses",
        "with sslmode=require the second line is gone",
    ),
    reading(
        &["hba-rejected"],
        "the server admits no plaintext",
        "the second line says no encryption or SSL off",
    ),
];

pub const HBA_PLAIN: &[Reading] = &[
    reading(
        &["hba-rejected"],
        "the server refuses this client without TLS",
        "the text says no encryption: ask for TLS with sslmode=verify-full",
    ),
    reading(
        &["password-rejected", "server-refused-tls"],
        "the attempt over TLS failed before, and prefer went on in plaintext",
        "with sslmode=require the first failure shows",
    ),
];

pub const HBA: &[Reading] = &[reading(
    &["hba-rejected"],
    "the server admits no such client: address, user, database and encryption together",
    "the text names all four as the server saw them; the address is the one to allow",
)];

pub const NEON_INSECURE: &[Reading] = &[reading(
    &["hba-rejected", "tls-not-requested"],
    "the server refuses plaintext",
    "sslmode is disable, or prefer went on without TLS",
)];

pub const ROLE: &[Reading] = &[reading(
    &["role-missing"],
    "the server has no such role",
    "user@server is Azure Single Server's spelling; poolers want postgres.REF",
)];

pub const DATABASE: &[Reading] = &[reading(
    &["database-missing"],
    "the server has no such database",
    "without dbname the user's name is taken",
)];

pub const TENANT: &[Reading] = &[reading(
    &["server-error", "role-missing"],
    "the pooler finds no project for this user (Supabase)",
    "the user has to be postgres.REF, the host that of the project's region",
)];

pub const FULL: &[Reading] = &[reading(
    &["too-many-connections", "server-error-before-tls"],
    "the server has no connection to give",
    "max_connections, or the role's or database's limit; a pooler helps",
)];

pub const STARTING: &[Reading] =
    &[reading(&["server-starting"], "the server starts, stops or recovers", "it passes: --wait")];

pub const PASSWORD_NEEDED: &[Reading] = &[reading(
    &["password-required"],
    "the server asks for a password and none was given",
    "PGPASSWORD, a password file or service; a password file with open permissions is passed over",
)];

pub const AUTH_METHOD: &[Reading] = &[reading(
    &["auth-method-unsupported"],
    "client and server share no way to authenticate",
    "the text names the method; require_auth may exclude it, an old client may lack SCRAM",
)];

pub const READ_ONLY: &[Reading] = &[reading(
    &["session-readonly"],
    "no server is what target_session_attrs asks for",
    "the server found is a standby, or read-only",
)];

// The connection string.

pub const BAD_VALUE: &[Reading] = &[reading(
    &["conninfo-invalid-value"],
    "a value that the option does not have",
    "verify-all, from Microsoft's pages, means verify-full; quotes inside the string count as part of the value",
)];

pub const BAD_VALUE_OR_PLAIN: &[Reading] = &[
    reading(
        &["conninfo-invalid-value"],
        "lib/pq does not know this sslmode",
        "it knows disable, require, verify-ca and verify-full",
    ),
    reading(
        &["hba-rejected", "server-refused-tls"],
        "besides: with libpq, prefer and allow would go on in plaintext here",
        "psql with the same string tells what becomes of it",
    ),
];

pub const UNKNOWN_OPTION: &[Reading] = &[reading(
    &["conninfo-unknown-option"],
    "an option that this client does not know",
    "a slip, or an option of a newer libpq (sslnegotiation is of 17)",
)];

pub const SYNTAX: &[Reading] = &[reading(
    &["conninfo-syntax"],
    "the connection string does not parse",
    "the place the text names: a quote, an equals sign, a percent sign, an @ in a password",
)];

pub const HOST_NEEDED: &[Reading] = &[reading(
    &["host-required"],
    "there is an address and no name to verify",
    "hostaddr is given and host is not",
)];

pub const SERVICE: &[Reading] = &[reading(
    &["service-not-found"],
    "there is no such service",
    "the file and the section that the text names",
)];

pub const NO_TLS_BUILD: &[Reading] = &[reading(
    &["option-not-supported", "conninfo-invalid-value"],
    "this libpq was built without TLS",
    "another build of the client takes the same string",
)];

pub const NPGSQL_REQUIRE: &[Reading] = &[reading(
    &["sslmode-not-verifying", "conninfo-invalid-value"],
    "Npgsql 6 and 7 want it said that Require verifies nothing",
    "SSL Mode=VerifyFull with Root Certificate=FILE verifies",
)];

pub const SOCKET: &[Reading] = &[reading(
    &["tls-not-requested"],
    "libpq goes to a Unix socket, where there is never TLS",
    "host= is empty or a directory",
)];
