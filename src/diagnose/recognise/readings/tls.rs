//! SSLRequest, GSSENCRequest, the handshake.

use super::{Reading, c, reading};

pub(in super::super) const NO_TLS: &[Reading] = &[reading(
    &[&c::SERVER_REFUSED_TLS],
    "the server declined TLS: ssl is off, or a pooler in front has no client-side TLS",
    "psql reports this only when the server answers N; SHOW ssl on the server, client_tls_sslmode in PgBouncer",
    "on the server: ALTER SYSTEM SET ssl = on; SELECT pg_reload_conf();",
)];

/// Of clients that take every answer but `S` for a no.
pub(in super::super) const NO_TLS_PERHAPS: &[Reading] = &[
    reading(
        &[&c::SERVER_REFUSED_TLS],
        "the server declined TLS: ssl is off, or a pooler in front has no client-side TLS",
        "the first byte of the answer is N",
        "on the server: ALTER SYSTEM SET ssl = on; SELECT pg_reload_conf();",
    ),
    reading(
        &[&c::NOT_POSTGRESQL, &c::SERVER_ERROR_BEFORE_TLS],
        "this client takes every answer but S for a no: another protocol, or PostgreSQL's error before TLS",
        "the first byte is E (an error, such as too many clients) or any other (HTTP begins with H)",
        "here: make sure that host and port are PostgreSQL's",
    ),
    reading(
        &[&c::NEGOTIATION_CLOSED, &c::HBA_REJECTED],
        "the server closed the connection, or rejects a client that continued without TLS",
        "no byte arrives; or the server's log has no pg_hba.conf entry with no encryption",
        "at the provider: allow this client's address",
    ),
];

pub(in super::super) const NOT_POSTGRESQL: &[Reading] = &[reading(
    &[&c::NOT_POSTGRESQL],
    "another protocol answers on that port",
    "the letter is the first byte of the answer: H for HTTP, a digit for SMTP or FTP",
    "here: correct port; if the answer is to GSSAPI, set gssencmode=disable",
)];

pub(in super::super) const ERROR_BEFORE_TLS: &[Reading] = &[reading(
    &[&c::SERVER_ERROR_BEFORE_TLS],
    "PostgreSQL sent an error before TLS, which libpq does not show (CVE-2024-10977)",
    "the server's log has it: too many clients, starting up, shutting down",
    "on the server: look in its log for FATAL at this time",
)];

pub(in super::super) const NO_GOOD_ANSWER: &[Reading] = &[reading(
    &[&c::NOT_POSTGRESQL, &c::SERVER_ERROR_BEFORE_TLS, &c::NEGOTIATION_CLOSED],
    "the answer to SSLRequest is neither S nor N",
    "its first byte: E is PostgreSQL's error before TLS, none is a closed connection, any other is another protocol",
    "here: make sure that host and port are PostgreSQL's",
)];

pub(in super::super) const NOT_TLS: &[Reading] = &[
    reading(
        &[&c::TLS_PROTOCOL_ERROR, &c::DIRECT_TLS_UNSUPPORTED],
        "unencrypted bytes arrived where TLS was expected, also from a server older than 17 under \
         sslnegotiation=direct",
        "the first bytes of the answer are not a TLS record",
        "here: remove sslnegotiation=direct; make sure that no proxy rewrites the connection",
    ),
    reading(
        &[&c::SERVER_REFUSED_TLS],
        "the server declined TLS and this client took its answer for TLS (postgres.js)",
        "psql reports: server does not support SSL, but SSL was required",
        "on the server: ALTER SYSTEM SET ssl = on; SELECT pg_reload_conf();",
    ),
    reading(
        &[&c::NOT_POSTGRESQL],
        "another protocol answers on that port",
        "its first bytes show which",
        "here: correct port",
    ),
];

pub(in super::super) const VERSION: &[Reading] = &[reading(
    &[&c::TLS_VERSION_UNSUPPORTED],
    "client and server have no TLS version in common",
    "the server supports TLS 1.0 or 1.1 only, or the client's and the server's limits exclude each other",
    "on the server: ssl_min_protocol_version = 'TLSv1.2'; here: remove ssl_max_protocol_version, update the client",
)];

/// Cryptographic rules of this machine (FIPS, OpenSSL's configuration) that the server does not meet.
pub(in super::super) const LOCAL_CRYPTO_POLICY: &[Reading] = &[reading(
    &[&c::TLS_NO_SHARED_CIPHER, &c::TLS_VERSION_UNSUPPORTED],
    "this machine's cryptographic policy (FIPS mode) forbids what client and server would use",
    "the same client connects on a machine without FIPS mode",
    "on the server: allow TLS 1.3, or TLS 1.2 with ECDHE and extended master secret",
)];

pub(in super::super) const HANDSHAKE_FAILURE: &[Reading] = &[
    reading(
        &[&c::CLIENT_CERT_REQUIRED],
        "the server requires a client certificate (TLS 1.2 has no alert of its own for that)",
        "the server requested a certificate in the handshake: cert or clientcert in pg_hba.conf",
        "here: set sslcert and sslkey",
    ),
    reading(
        &[&c::TLS_NO_SHARED_CIPHER, &c::TLS_UNSUPPORTED_HERE],
        "client and server have no cipher suite, group or signature algorithm in common",
        "the alert follows the ClientHello at once",
        "on the server: extend ssl_ciphers or ssl_ecdh_curve",
    ),
    reading(
        &[&c::SNI_UNRECOGNIZED],
        "the server does not recognise the server name (SNI)",
        "another host name, or none, gets further",
        "here: set host to the name under which the server is known",
    ),
];

pub(in super::super) const CERT_REQUIRED: &[Reading] = &[reading(
    &[&c::CLIENT_CERT_REQUIRED],
    "the server requires a client certificate and the client sent none",
    "cert or clientcert in pg_hba.conf; the certificate may be unset, or not from a CA that the server names",
    "here: set sslcert and sslkey, with all intermediates in the file of sslcert",
)];

pub(in super::super) const CERT_REJECTED: &[Reading] = &[reading(
    &[&c::CLIENT_CERT_REJECTED],
    "the server rejected the client certificate",
    "unknown ca: not issued by a CA of the server's ssl_ca_file; expired; unsupported certificate: no clientAuth usage",
    "here: set sslcert and sslkey to a certificate of the server's client CA; on the server: its log has the reason",
)];

pub(in super::super) const CLIENT_CERT_EXPIRED: &[Reading] = &[reading(
    &[&c::CLIENT_CERT_REJECTED],
    "by the server's clock the client certificate, an intermediate in its file, or the server's own client CA or CRL has expired",
    "openssl x509 -noout -enddate -in FILE, for the file of sslcert here, and on the server for those of ssl_ca_file and ssl_crl_file",
    "past here: have the client CA issue a new certificate, and put it into the file of sslcert; past there: on the server, replace that \
     file by the CA's current one, then SELECT pg_reload_conf()",
)];

pub(in super::super) const SNI: &[Reading] = &[reading(
    &[&c::SNI_UNRECOGNIZED, &c::SERVER_ERROR],
    "the server needs its name in the handshake (SNI) and did not get it, or does not recognise it",
    "host is an IP address, sslsni=0, or the client is too old to send the name",
    "here: set host to the server's full name (hostaddr for the address), and remove sslsni=0",
)];

pub(in super::super) const ALPN: &[Reading] = &[reading(
    &[&c::TLS_PROTOCOL_ERROR, &c::DIRECT_TLS_UNSUPPORTED],
    "something in front of the server rejects the protocol name \"postgresql\" (ALPN), which libpq sends since 17",
    "libpq 16 and older send no ALPN and connect",
    "on the proxy in front: add \"postgresql\" to its ALPN list, or switch ALPN off",
)];

pub(in super::super) const CHANNEL_BINDING: &[Reading] = &[reading(
    &[&c::CHANNEL_BINDING_FAILED, &c::TLS_TERMINATED_UPSTREAM],
    "TLS ends at a pooler or proxy before the server, or the server cannot bind",
    "a direct connection to the server works",
    "here: connect directly to the server, or remove channel_binding=require",
)];

pub(in super::super) const INJECTED: &[Reading] = &[reading(
    &[&c::INJECTED_PLAINTEXT],
    "unencrypted bytes followed the server's answer: a broken proxy, or somebody tampers with the connection",
    "psql refuses to continue (CVE-2021-23222)",
    "in between: find the device that adds the bytes; do not connect until then",
)];

pub(in super::super) const NO_ALPN: &[Reading] = &[reading(
    &[&c::DIRECT_TLS_UNSUPPORTED],
    "the server accepted direct TLS without confirming the protocol \"postgresql\" (ALPN)",
    "a proxy that terminates TLS answers instead of PostgreSQL 17 or newer",
    "here: remove sslnegotiation=direct; on the proxy: confirm ALPN postgresql",
)];

pub(in super::super) const GSS_REQUIRED: &[Reading] = &[reading(
    &[&c::OPTION_NOT_SUPPORTED],
    "gssencmode=require, and GSSAPI encryption is not possible: no ticket, or no support on the server or the socket",
    "klist shows whether there is a ticket",
    "here: kinit, or set gssencmode=disable and use TLS",
)];

pub(in super::super) const LOCAL_TLS: &[Reading] = &[reading(
    &[],
    "the client's own TLS library cannot be set up",
    "the words after the colon have the reason; OPENSSL_CONF or a FIPS mode is a common source",
    "here: run with OPENSSL_CONF=/dev/null to see whether the configuration is the cause",
)];

/// What speaks something else to the server's port, as its log has it.
pub(in super::super) const NO_TLS_CLIENT: &[Reading] = &[reading(
    &[],
    "something connects to PostgreSQL's port and then speaks no TLS, as a rule HTTP: a load balancer's health check, a port scanner, a \
     browser; PostgreSQL's own clients are not affected",
    "ALTER SYSTEM SET log_connections = on; SELECT pg_reload_conf(); then the line \"connection received\" before it has the address",
    "on that machine: make the health check one of TCP, or pg_isready; point whatever else it is at its own port",
)];
