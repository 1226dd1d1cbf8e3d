//! The terms.

use super::Term;

const fn term(names: &'static [&'static str], what: &'static str, so: &'static str) -> Term {
    Term { names, what, so }
}

/// All but the methods of pg_hba.conf.
pub(super) static TERMS: &[Term] = &[
    // sslmode and its values.
    term(
        &["sslmode", "PGSSLMODE"],
        "libpq's option for what a connection must have: disable, allow, prefer (the default), require, verify-ca, verify-full",
        "only verify-full makes sure that the server is the one named in host",
    ),
    term(
        &["disable", "sslmode=disable"],
        "sslmode=disable: never TLS",
        "everything is sent unencrypted, the password's proof included",
    ),
    term(
        &["allow", "sslmode=allow"],
        "sslmode=allow: without TLS first, with TLS only if the server rejects that",
        "the server is not verified, and somebody in between can keep TLS off",
    ),
    term(
        &["prefer", "sslmode=prefer"],
        "sslmode=prefer, the default: TLS first, without TLS if the server declines it",
        "the server is not verified, and somebody in between can keep TLS off",
    ),
    term(
        &["require", "sslmode=require"],
        "sslmode=require: TLS or no connection; the certificate is verified only if the root file exists",
        "without a root file anybody in between can answer; with one it is verify-ca",
    ),
    term(
        &["verify-ca", "sslmode=verify-ca"],
        "sslmode=verify-ca: the chain must end at a root of sslrootcert; the name is not compared",
        "any server with a certificate of that CA is accepted: enough for a private CA, not for a public one",
    ),
    term(
        &["verify-full", "sslmode=verify-full"],
        "sslmode=verify-full: the chain must end at a root of sslrootcert and the certificate must be valid for host",
        "the only mode that makes sure which server it is",
    ),
    term(
        &["verify-all", "sslmode=verify-all"],
        "not an sslmode: a mistake on old pages for verify-full",
        "libpq rejects it; some drivers ignore it and verify nothing",
    ),
    term(
        &["sslrootcert", "PGSSLROOTCERT", "root file", "root.crt"],
        "the PEM file with the roots (CA certificates) that libpq trusts; default ~/.postgresql/root.crt",
        "sslrootcert=system (libpq 16 and later) uses the operating system's roots and demands verify-full",
    ),
    term(
        &["sslrootcert=system", "system"],
        "the operating system's roots instead of a file (libpq 16 and later)",
        "it allows verify-full only; a private CA must be added to the system's roots",
    ),
    term(
        &["sslnegotiation", "sslnegotiation=direct", "direct TLS"],
        "direct TLS: the ClientHello is sent at once, without SSLRequest (PostgreSQL 17 and later)",
        "an older server does not understand it; ALPN postgresql is required",
    ),
    term(
        &["gssencmode", "GSSENCRequest"],
        "whether libpq asks for GSSAPI (Kerberos) encryption before TLS; prefer by default where Kerberos is built in",
        "with a ticket, an accepted request replaces TLS, certificate and all; gssencmode=disable keeps TLS",
    ),
    term(
        &["channel_binding", "channel binding", "SCRAM-SHA-256-PLUS"],
        "the login proves that both ends see the same TLS connection (tls-server-end-point)",
        "it fails where a proxy in between terminates TLS, which is its purpose",
    ),
    term(
        &["target_session_attrs"],
        "which of several hosts libpq accepts: any, read-write, read-only, primary, standby, prefer-standby",
        "libpq connects to each until one matches",
    ),
    // pg_hba.conf.
    term(
        &["pg_hba.conf", "pg_hba", "hba"],
        "the server's list of who may connect from where, how, to what; the first line that matches decides",
        "after a change: SELECT pg_reload_conf(); SELECT * FROM pg_hba_file_rules shows errors in it",
    ),
    term(
        &["host"],
        "in pg_hba.conf, a line for TCP connections with or without TLS; in a connection string, the server's name",
        "it does not require TLS: hostssl does",
    ),
    term(
        &["hostssl"],
        "in pg_hba.conf, a line for TCP connections with TLS only",
        "a client without TLS does not match it and gets \"no pg_hba.conf entry … no encryption\"",
    ),
    term(
        &["hostnossl"],
        "in pg_hba.conf, a line for TCP connections without TLS only",
        "\"hostnossl all all all reject\" as first line keeps everybody without TLS out",
    ),
    term(
        &["hostgssenc", "hostnogssenc"],
        "in pg_hba.conf, a line for connections with (or without) GSSAPI encryption only",
        "gssencmode decides on the client whether it is asked for",
    ),
    term(
        &["local"],
        "in pg_hba.conf, a line for connections through the Unix socket",
        "a Unix socket never has TLS",
    ),
    term(
        &["clientcert", "clientcert=verify-full", "clientcert=verify-ca"],
        "an option in pg_hba.conf: the client must also present a certificate of the server's ssl_ca_file",
        "verify-full also requires its CN to be the user; here: set sslcert and sslkey",
    ),
    term(
        &["pg_ident.conf", "usermap"],
        "the server's map from authenticated names (of a certificate, Kerberos, the system) to database users",
        "a line of pg_hba.conf refers to it with map=NAME",
    ),
    // Certificates.
    term(
        &["SAN", "subjectAltName", "subject alternative name"],
        "the names and addresses in a certificate for which it is valid",
        "host must be one of them; libpq uses the CN only if there is none",
    ),
    term(
        &["CN", "common name"],
        "the name in a certificate's subject; the old place for the host name",
        "libpq still accepts it without a subjectAltName, most other clients do not",
    ),
    term(
        &["root", "root certificate", "trust anchor", "CA certificate"],
        "a self-signed CA certificate that the client trusts; every chain must end at one",
        "it comes from a file on the client (sslrootcert), never from the server",
    ),
    term(
        &["intermediate", "intermediate certificate"],
        "a CA certificate between the root and the server certificate",
        "the server must send it: in server.crt after the server certificate",
    ),
    term(
        &["leaf", "server certificate", "server.crt"],
        "the server's own certificate, the first that it sends",
        "server.crt has it first, then the intermediates",
    ),
    term(
        &["self-signed certificate"],
        "a certificate that is its own issuer",
        "a root is one by nature; a server certificate that is one must itself be in the client's root file",
    ),
    term(
        &["CRL", "certificate revocation list", "sslcrl", "sslcrldir"],
        "a list, signed by a CA, of certificates that it has revoked",
        "libpq checks revocation only with sslcrl or sslcrldir, and then needs a current CRL of every issuer",
    ),
    term(
        &["PEM"],
        "the text form of certificates and keys: base64 between BEGIN and END lines",
        "libpq reads PEM only",
    ),
    term(
        &["DER"],
        "the binary form of certificates and keys, often in .cer or .crt files",
        "convert it for libpq: openssl x509 -inform DER -in FILE -out FILE.pem",
    ),
    term(
        &["PKCS#12", "PFX", "p12"],
        "one encrypted file with key, certificate and chain, as Windows and Java use it",
        "libpq needs PEM: openssl pkcs12 -in FILE -out FILE.pem",
    ),
    // TLS.
    term(
        &["SNI", "server name indication", "sslsni"],
        "the host name that the client sends in the ClientHello, in clear text",
        "proxies and serverless providers route by it; host must be a name, not an address, and sslsni not 0",
    ),
    term(
        &["ALPN"],
        "the protocol name that client and server agree on in the handshake: postgresql",
        "libpq sends it since 17; a proxy that does not know it may reject the connection",
    ),
    term(
        &["SSLRequest"],
        "the first message of a client that wants TLS; the server answers S (yes) or N (no)",
        "any other answer is not PostgreSQL, or an error",
    ),
    term(
        &["mTLS", "mutual TLS", "client certificate"],
        "the server verifies the client by a certificate too",
        "sslcert and sslkey on the client, ssl_ca_file and clientcert or cert on the server",
    ),
    term(
        &["TLS inspection", "SSL inspection"],
        "a proxy that decrypts connections and presents certificates of its own CA",
        "exempt the database from it; trusting its CA means that it reads everything",
    ),
];

/// The methods of pg_hba.conf.
pub(super) static METHODS: &[Term] = &[
    term(
        &["trust"],
        "lets everybody in whom the line matches, without a password",
        "never for addresses that others can use",
    ),
    term(
        &["reject"],
        "rejects everybody whom the line matches",
        "a line that should allow must stand before it",
    ),
    term(
        &["scram-sha-256"],
        "a password, proved without sending it (SCRAM)",
        "clients older than libpq 10 do not support it; the password must be stored as SCRAM",
    ),
    term(
        &["md5"],
        "a password, proved with MD5, or with SCRAM where it is stored so",
        "deprecated: use scram-sha-256",
    ),
    term(
        &["password"],
        "a password, sent in clear text",
        "only inside TLS with verify-full, else anybody in between reads it",
    ),
    term(
        &["cert"],
        "a client certificate whose CN is the user (or is mapped to it)",
        "only on hostssl lines; here: set sslcert and sslkey",
    ),
    term(
        &["peer"],
        "the account of the operating system, through the Unix socket",
        "not for TCP connections",
    ),
    term(
        &["ident"],
        "the account that the client's ident service names",
        "rarely what is meant for TCP: use scram-sha-256",
    ),
    term(&["gss"], "Kerberos through GSSAPI", "the client needs a ticket (kinit)"),
    term(&["sspi"], "Windows' own login", "for a Windows server"),
    term(
        &["ldap"],
        "a password, which the server checks in an LDAP directory",
        "the client sends it in clear text: only inside TLS",
    ),
    term(
        &["radius"],
        "a password, which the server checks with RADIUS",
        "the client sends it in clear text: only inside TLS",
    ),
    term(
        &["pam"],
        "a password, which the server checks with PAM",
        "the client sends it in clear text: only inside TLS",
    ),
    term(&["bsd"], "a password, which the server checks with BSD Authentication", "only on OpenBSD"),
    term(
        &["oauth"],
        "an OAuth bearer token (PostgreSQL 18 and later)",
        "the client needs libpq 18 with libpq-oauth",
    ),
];
