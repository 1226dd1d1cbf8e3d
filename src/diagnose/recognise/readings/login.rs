//! Authentication and session.

use super::{Reading, c, reading};

pub(in super::super) const PASSWORD: &[Reading] = &[
    reading(
        &[&c::PASSWORD_REJECTED],
        "the server rejected the password",
        "the server's log names the line of pg_hba.conf that was used",
        "here: correct the password, or on the server: ALTER ROLE … PASSWORD …",
    ),
    reading(
        &[
            &c::NO_SUBJECT_ALT_NAME,
            &c::CA_AS_SERVER_CERTIFICATE,
            &c::ROOT_FILE_LACKS_ROOT,
            &c::ROOT_FILE_INVALID,
            &c::HOSTNAME_MISMATCH,
        ],
        "if only this client gets that far: it accepts a certificate or root file that others reject",
        "other clients fail before; a check with verify-full lists what strict clients reject",
        "here: run a check with verify-full",
    ),
    reading(
        &[&c::CONNINFO_INVALID_VALUE],
        "if only this client gets that far: it ignores an sslmode that does not exist and may verify nothing",
        "psql rejects the same string",
        "here: write sslmode=verify-full",
    ),
];

pub(in super::super) const PAM: &[Reading] = &[reading(
    &[&c::PASSWORD_REJECTED],
    "the server passed the password on (PAM, LDAP, RADIUS), and it was rejected there",
    "the server's log has the answer of the other service",
    "here: correct the user's password in that service; on the server: check that it reaches the service",
)];

pub(in super::super) const HBA_PLAIN: &[Reading] = &[
    reading(
        &[&c::HBA_REJECTED, &c::TLS_NOT_REQUESTED],
        "the server rejects this client without TLS",
        "the text reports no encryption or SSL off",
        "here: set sslmode=verify-full and sslrootcert; if it is rejected with TLS too, on the server: {hba|a hostssl line} in pg_hba.conf, \
         then SELECT pg_reload_conf();",
    ),
    reading(
        &[&c::PASSWORD_REJECTED, &c::SERVER_REFUSED_TLS],
        "the attempt with TLS failed before, and sslmode=prefer continued without TLS",
        "with sslmode=require only the first failure is shown",
        "here: set sslmode=verify-full and mend what it then reports",
    ),
];

pub(in super::super) const HBA: &[Reading] = &[reading(
    &[&c::HBA_REJECTED],
    "pg_hba.conf has no entry for this address, user, database and encryption together",
    "the text names all four as the server saw them; after SSL encryption a second line with no encryption is only libpq's next attempt: \
     encryption is not the cause then",
    "on the server: add this line to pg_hba.conf, before any that rejects: {hba|hostssl DATABASE USER ADDRESS/32 scram-sha-256}; then \
     SELECT pg_reload_conf(); at a managed server (Azure reports its firewall so): allow {client|the address} in its firewall rules",
)];

pub(in super::super) const IDENT: &[Reading] = &[reading(
    &[&c::CLIENT_CERT_REJECTED, &c::ROLE_MISSING],
    "pg_ident.conf has no line that maps the authenticated name to the requested user",
    "the text names the map and both names",
    "on the server: add a line to pg_ident.conf, then SELECT pg_reload_conf(); here: request the mapped user",
)];

pub(in super::super) const ROLE: &[Reading] = &[reading(
    &[&c::ROLE_MISSING],
    "the role does not exist",
    "user@server is the form of Azure Single Server; poolers need postgres.REF",
    "here: correct user; on the server: CREATE ROLE … LOGIN",
)];

pub(in super::super) const DATABASE: &[Reading] = &[reading(
    &[&c::DATABASE_MISSING],
    "the database does not exist",
    "without dbname, the user's name is used",
    "here: correct dbname; psql -l lists the databases",
)];

pub(in super::super) const DAMAGED: &[Reading] = &[reading(
    &[&c::SERVER_ERROR],
    "the files of the database are missing on the server: a disk that is not mounted, or they were lost",
    "on the server, in the data directory: the path in the text, such as base/16389, is not there; findmnt -T . names the disk",
    "on the server: mount the disk or put the directory back, then restart PostgreSQL; lost: restore a backup. CREATE DATABASE does not help",
)];

pub(in super::super) const NO_ROUTE: &[Reading] = &[reading(
    &[&c::UPSTREAM_FAILED],
    "the pooler's own configuration has no route for this user and database; the server behind it was not asked",
    "user and database are not both in the pooler's file: odyssey.conf, pgcat.toml, userlist.txt and pgbouncer.ini, pool_hba.conf",
    "on the pooler's machine: add the user and the database there, and reload the pooler; here: correct user and dbname",
)];

/// Prisma's P1010.
pub(in super::super) const DENIED: &[Reading] = &[
    reading(
        &[&c::HBA_REJECTED],
        "pg_hba.conf of the server has no line for this client, or one that rejects it: by address, user, database or TLS",
        "the server's log has \"no pg_hba.conf entry\"; \"no encryption\" in it: the URL lacks sslmode=require",
        "here: add sslmode=require to the URL; on the server: add a line to pg_hba.conf; at the provider: allow this client's address",
    ),
    reading(
        &[&c::SERVER_ERROR, &c::ROLE_MISSING],
        "the role lacks the privilege CONNECT or is not the one that is meant",
        "psql with the same user, database and host names the reason",
        "on the server: GRANT CONNECT ON DATABASE … TO …",
    ),
];

pub(in super::super) const TENANT: &[Reading] = &[reading(
    &[&c::SERVER_ERROR, &c::ROLE_MISSING],
    "the pooler does not find the project of this user (Supabase)",
    "the user must be postgres.REF and the host that of the project's region",
    "here: copy the connection string from the project's page again",
)];

pub(in super::super) const FULL: &[Reading] = &[reading(
    &[&c::TOO_MANY_CONNECTIONS, &c::SERVER_ERROR_BEFORE_TLS],
    "the server has no free connections",
    "max_connections, or the limit of the role or database",
    "on the server: end idle sessions (pg_stat_activity), or use a pooler",
)];

pub(in super::super) const STARTING: &[Reading] = &[reading(
    &[&c::SERVER_STARTING],
    "the server is starting, stopping or recovering",
    "it passes by itself",
    "here: retry: pgtls-check --wait=60 waits for it",
)];

pub(in super::super) const PASSWORD_NEEDED: &[Reading] = &[reading(
    &[&c::PASSWORD_REQUIRED, &c::PASSFILE_IGNORED],
    "the server requires a password and the client has none",
    "PGPASSWORD, the password file or service has none for this host, port, database and user; libpq ignores a \
     password file that others can read",
    "here: set PGPASSWORD, or add a line to ~/.pgpass and chmod 600 it",
)];

pub(in super::super) const AUTH_METHOD: &[Reading] = &[reading(
    &[&c::AUTH_METHOD_UNSUPPORTED],
    "client and server have no authentication method in common",
    "the text names the method; require_auth may exclude it, an old client may not support SCRAM",
    "here: update the client, or correct require_auth",
)];

/// What an authentication that breaks its protocol shows.
pub(in super::super) const AUTH_PROTOCOL: &[Reading] = &[reading(
    &[&c::AUTH_METHOD_UNSUPPORTED, &c::SERVER_ERROR],
    "the server's authentication messages violate the protocol: a proxy or pooler with an error",
    "a direct connection to the server works",
    "here: connect directly to the server; at the proxy: update it",
)];

/// A server that cannot prove that it knows the password.
pub(in super::super) const SERVER_SIGNATURE: &[Reading] = &[reading(
    &[&c::AUTH_METHOD_UNSUPPORTED],
    "the server did not prove that it knows the password: a proxy or another server answers",
    "SCRAM's server signature is wrong",
    "here: verify the server with sslmode=verify-full before a password is sent",
)];

pub(in super::super) const READ_ONLY: &[Reading] = &[reading(
    &[&c::SESSION_READONLY],
    "no server matches target_session_attrs",
    "the server found is a standby, or read-only, or is not when it should be",
    "here: add the other servers to host, or change target_session_attrs",
)];

/// A protocol violation of whatever answers.
pub(in super::super) const SESSION_PROTOCOL: &[Reading] = &[reading(
    &[&c::SERVER_ERROR, &c::SESSION_CLOSED],
    "whatever answers violates PostgreSQL's protocol after the handshake: a proxy, a pooler, or not PostgreSQL",
    "a direct connection to the server works",
    "here: connect directly to the server; at the proxy: update it",
)];

/// Text of a server that ended the session.
pub(in super::super) const SHUT_DOWN: &[Reading] = &[reading(
    &[&c::SESSION_CLOSED, &c::SERVER_STARTING],
    "an administrator or a shutdown ended the session",
    "the server's log has who or what",
    "here: connect again",
)];

pub(in super::super) const ROLE_LOGIN: &[Reading] = &[reading(
    &[&c::SERVER_ERROR, &c::ROLE_MISSING],
    "the role exists and has no right to log in",
    "\\du in psql shows \"Cannot login\"",
    "on the server: ALTER ROLE … LOGIN",
)];

pub(in super::super) const DATABASE_CLOSED: &[Reading] = &[reading(
    &[&c::SERVER_ERROR, &c::DATABASE_MISSING],
    "the database exists and does not accept connections (ALLOW_CONNECTIONS is off, as for template0)",
    "SELECT datallowconn FROM pg_database",
    "on the server: ALTER DATABASE … ALLOW_CONNECTIONS true; here: use another dbname",
)];

pub(in super::super) const NO_CONNECT_PRIVILEGE: &[Reading] = &[reading(
    &[&c::SERVER_ERROR, &c::DATABASE_MISSING],
    "the role lacks the CONNECT privilege on the database",
    "\\l in psql shows the privileges",
    "on the server: GRANT CONNECT ON DATABASE … TO …",
)];

/// SQLSTATE 28000 without known words.
pub(in super::super) const NOT_AUTHORISED: &[Reading] = &[reading(
    &[&c::HBA_REJECTED, &c::ROLE_MISSING, &c::CLIENT_CERT_REJECTED],
    "the server does not admit this client: pg_hba.conf, the role, or the certificate",
    "the words beside the SQLSTATE",
    "on the server: its log names the line of pg_hba.conf that was used",
)];

pub(in super::super) const PROTOCOL_VERSION: &[Reading] = &[reading(
    &[&c::SERVER_ERROR],
    "client and server have no version of PostgreSQL's protocol in common",
    "a very old server, or min_protocol_version and max_protocol_version",
    "here: remove min_protocol_version; update the older side",
)];

pub(in super::super) const STARTUP_PARAMETER: &[Reading] = &[reading(
    &[&c::SERVER_ERROR],
    "the pooler does not accept a startup parameter that the client sends",
    "the text names the parameter",
    "on the pooler: add it to ignore_startup_parameters; here: remove it from options",
)];

pub(in super::super) const SSLCERTMODE: &[Reading] = &[reading(
    &[&c::CLIENT_CERT_MISSING, &c::CLIENT_CERT_REQUIRED],
    "sslcertmode=require, and the server did not request a client certificate",
    "no clientcert or cert in pg_hba.conf, or no ssl_ca_file",
    "on the server: set ssl_ca_file and clientcert; here: remove sslcertmode=require",
)];

pub(in super::super) const GSS_FAILS: &[Reading] = &[reading(
    &[&c::OPTION_NOT_SUPPORTED, &c::AUTH_METHOD_UNSUPPORTED],
    "Kerberos fails: no ticket, a wrong service name, or a clock that is off",
    "klist shows the tickets; krbsrvname is the service",
    "here: kinit, or use another authentication method; without Kerberos: gssencmode=disable",
)];

pub(in super::super) const PEER: &[Reading] = &[reading(
    &[&c::OPTION_NOT_SUPPORTED],
    "another system account than requirepeer runs the server at that Unix socket",
    "the text names both accounts",
    "here: correct requirepeer",
)];

/// A pooler that cannot reach or log in to its server.
pub(in super::super) const POOLER_UPSTREAM: &[Reading] = &[reading(
    &[&c::UPSTREAM_FAILED],
    "the connection to the pooler works; the pooler's own connection to the server fails",
    "the pooler's log has the error of its connection",
    "on the pooler: mend the host, TLS or login of its server entry, then reconnect",
)];

pub(in super::super) const TOKEN: &[Reading] = &[reading(
    &[&c::PASSWORD_REJECTED, &c::SERVER_ERROR],
    "the access token used as the password has expired or is for another user or resource",
    "tokens are valid for minutes (AWS: 15) to about an hour (Azure)",
    "here: get a new token (az account get-access-token, aws rds generate-db-auth-token) and connect at once",
)];
