//! The connection string.

use super::{Reading, c, reading};

pub(in super::super) const BAD_VALUE: &[Reading] = &[reading(
    &[&c::CONNINFO_INVALID_VALUE],
    "the option does not accept this value",
    "verify-all, from old Microsoft pages, means verify-full; quotes inside the string count as part of the value",
    "here: correct the value that the text names",
)];

pub(in super::super) const BAD_VALUE_OR_PLAIN: &[Reading] = &[reading(
    &[&c::CONNINFO_INVALID_VALUE],
    "lib/pq does not support this sslmode",
    "it supports disable, require, verify-ca and verify-full",
    "here: write sslmode=verify-full",
)];

pub(in super::super) const UNKNOWN_OPTION: &[Reading] = &[reading(
    &[&c::CONNINFO_UNKNOWN_OPTION],
    "this client does not know the option",
    "a misspelt option, or one of a newer libpq (sslnegotiation exists since 17)",
    "here: correct or remove the option that the text names",
)];

pub(in super::super) const NO_KEYWORD: &[Reading] = &[reading(
    &[&c::CONNINFO_UNKNOWN_OPTION],
    "asyncpg has no such argument, and SQLAlchemy passes it each parameter of the URL as one",
    "the URL begins with postgresql+asyncpg:// and has sslmode, sslrootcert or channel_binding in it",
    "here: remove those parameters from the URL, and pass connect_args=dict(ssl=ssl.create_default_context(cafile=\"ROOT-FILE\")) to \
     create_async_engine (`pgtls-check clients --for asyncpg` writes it)",
)];

pub(in super::super) const SYNTAX: &[Reading] = &[reading(
    &[&c::CONNINFO_SYNTAX],
    "the connection string cannot be parsed",
    "the place that the text names: a quote, an equals sign, a percent sign, an @ in a password",
    "here: quote the value ('…'), or percent-encode it in a URI",
)];

pub(in super::super) const HOST_COUNTS: &[Reading] = &[reading(
    &[&c::CONNINFO_INVALID_VALUE],
    "the lists of host, hostaddr and port have different lengths",
    "one port applies to all hosts; otherwise each host needs its own",
    "here: give as many ports or addresses as hosts",
)];

pub(in super::super) const HOST_NEEDED: &[Reading] = &[reading(
    &[&c::HOST_REQUIRED],
    "there is an address and no name to verify",
    "hostaddr is set and host is not",
    "here: set host to the name in the certificate",
)];

pub(in super::super) const SERVICE: &[Reading] = &[reading(
    &[&c::SERVICE_NOT_FOUND],
    "the service is not defined",
    "the file and the section that the text names",
    "here: add the section to ~/.pg_service.conf, or set PGSERVICEFILE to the file that has it",
)];

pub(in super::super) const SERVICE_FILE: &[Reading] = &[reading(
    &[&c::CONNINFO_SYNTAX, &c::SERVICE_NOT_FOUND],
    "the service file has a line that libpq cannot read",
    "the file and line that the text names",
    "here: correct that line: keyword=value without spaces round the equals sign",
)];

pub(in super::super) const LDAP: &[Reading] = &[reading(
    &[&c::OPTION_NOT_SUPPORTED, &c::SERVICE_NOT_FOUND],
    "the service file refers to an LDAP directory, and the look-up fails",
    "the text names the part of the URL or the answer of the directory",
    "here: correct the ldap:// line of the service file",
)];

pub(in super::super) const NO_TLS_BUILD: &[Reading] = &[reading(
    &[&c::OPTION_NOT_SUPPORTED, &c::CONNINFO_INVALID_VALUE],
    "this libpq was built without TLS or GSSAPI",
    "another build of the client accepts the same string",
    "here: install a client that is built with TLS",
)];

/// A driver without TLS; no code of a check can show it.
pub(in super::super) const DRIVER_WITHOUT_TLS: &[Reading] = &[reading(
    &[],
    "the driver was built without TLS",
    "sqlx and Diesel need a TLS feature at build time",
    "here: build with the feature tls-rustls or tls-native-tls",
)];

/// A connection that several processes write to.
pub(in super::super) const SHARED_CONNECTION: &[Reading] = &[reading(
    &[],
    "probably one connection used by two processes or threads, such as one opened before fork()",
    "it comes from the application's workers, never from a single psql",
    "here: open connections after the fork (one pool in each worker)",
)];

/// A second SSLRequest inside TLS.
pub(in super::super) const REQUEST_TWICE: &[Reading] = &[reading(
    &[],
    "the client sent SSLRequest where the server expected the startup message",
    "TLS was already established by a proxy or tunnel (stunnel) that encrypts the connection itself",
    "here: connect to the tunnel with sslmode=disable, or bypass the tunnel",
)];

/// A start-up message that lacks the user.
pub(in super::super) const NO_USER: &[Reading] = &[reading(
    &[],
    "the client named no user: often a health check that opens the port and sends an incomplete message",
    "the text is in the server's log, with the address of the client",
    "here: set user; a health check: use pg_isready",
)];

/// A line of a pooler's or server's log about a client that left.
pub(in super::super) const CLIENT_LEFT: &[Reading] = &[reading(
    &[],
    "a log line of PgBouncer: a client connected and left without sending anything, as health checks do",
    "(nodb)/(nouser) and the address of a load balancer",
    "nothing to mend, or set log_disconnections=0",
)];

/// Java's property that this mode needs.
pub(in super::super) const JAVA_ALGORITHM: &[Reading] = &[reading(
    &[],
    "an sslmode that the socket factory of this JDBC driver does not combine with its own host name check",
    "the text names sslmode verify-full and the verification algorithm",
    "here: update pgjdbc and remove sslfactory and sslhostnameverifier",
)];

/// Bytes of a pooler's backend.
pub(in super::super) const BACKEND_ANSWER: &[Reading] = &[reading(
    &[],
    "a pooler or proxy shows what its own connection to the server answered (an error instead of a login)",
    "the pooler's log has the server's message",
    "on the pooler: read its log, and correct its own user, password or TLS towards the server",
)];

/// A TLS extension that an old Java refuses.
pub(in super::super) const JAVA_EXTENSION: &[Reading] = &[reading(
    &[],
    "an old Java rejects an extension of the server's certificate request that TLS 1.3 allows",
    "psql connects",
    "here: update Java, or set jdk.tls.client.protocols=TLSv1.2",
)];

pub(in super::super) const NPGSQL_REQUIRE: &[Reading] = &[reading(
    &[&c::SSLMODE_NOT_VERIFYING, &c::CONNINFO_INVALID_VALUE],
    "Npgsql 6 and 7 require an explicit statement that Require verifies nothing",
    "SSL Mode=Require without Trust Server Certificate",
    "here: SSL Mode=VerifyFull;Root Certificate=FILE",
)];

pub(in super::super) const BAD_ADDRESS: &[Reading] = &[reading(
    &[&c::CONNINFO_INVALID_VALUE],
    "hostaddr is not an IP address",
    "hostaddr takes an address only, host takes a name",
    "here: move the name from hostaddr to host",
)];

pub(in super::super) const VERSION_RANGE: &[Reading] = &[reading(
    &[&c::CONNINFO_INVALID_VALUE, &c::TLS_VERSION_UNSUPPORTED],
    "ssl_min_protocol_version and ssl_max_protocol_version exclude each other, or have a value that does not exist",
    "the values are TLSv1, TLSv1.1, TLSv1.2 and TLSv1.3",
    "here: remove both; TLS 1.2 and later is the default",
)];
