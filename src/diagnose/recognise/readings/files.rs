//! Files: roots, client certificates, keys, passwords.

use super::{Reading, c, reading};

pub(in super::super) const ROOT_MISSING: &[Reading] = &[reading(
    &[&c::ROOT_FILE_MISSING],
    "the root file does not exist at that path",
    "the path in the text is how the client read it: a backslash removed, another home directory, or \
     sslrootcert=system with a libpq older than 16",
    "here: {roots|set sslrootcert to the absolute path of the file with the server's roots}, or save that file at the path in the text",
)];

pub(in super::super) const FILE_MISSING: &[Reading] = &[
    reading(
        &[&c::ROOT_FILE_MISSING],
        "the root file does not exist at that path",
        "the path in the text, or else that of sslrootcert",
        "here: set sslrootcert to the file's absolute path",
    ),
    reading(
        &[&c::CLIENT_CERT_MISSING, &c::CLIENT_KEY_MISSING],
        "the client's certificate or key does not exist at that path",
        "the path in the text, or else those of sslcert and sslkey",
        "here: set sslcert and sslkey to the files' absolute paths",
    ),
];

pub(in super::super) const ROOT_INVALID: &[Reading] = &[reading(
    &[&c::ROOT_FILE_INVALID],
    "the root file contains no PEM certificate",
    "DER, an HTML page, an empty file or one damaged block: pgtls-check roots show FILE",
    "here: convert or download the file again; roots show prints the command",
)];

/// Java builds a list of trust anchors from a file, or from its own store.
pub(in super::super) const NO_TRUST_ANCHOR: &[Reading] = &[
    reading(
        &[&c::ROOT_FILE_INVALID],
        "the file of sslrootcert contains no PEM certificate",
        "DER, an HTML page, an empty file or one damaged block: pgtls-check roots show FILE",
        "here: convert or download the file again; roots show prints the command",
    ),
    reading(
        &[&c::ROOT_FILE_MISSING],
        "without sslrootcert: Java's own trust store (cacerts) is empty or missing, as in slim images",
        "keytool -list -cacerts prints 0 entries, or that there is no file",
        "here: install ca-certificates-java or take a complete JRE; or set sslrootcert to the file of the server's roots",
    ),
];

/// OpenSSL's own search for the system's roots, which has no file of the user's.
pub(in super::super) const NO_SYSTEM_ROOTS: &[Reading] = &[reading(
    &[&c::ROOT_FILE_MISSING],
    "sslrootcert=system, and OpenSSL cannot load this machine's roots",
    "SSL_CERT_FILE and SSL_CERT_DIR, if set, must name what exists; else openssl version -d shows the directory (an OpenSSL that came \
     with a Python or Node package has another one)",
    "here: install ca-certificates, or set SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt, or sslrootcert to a file",
)];

pub(in super::super) const ROOT_UNREADABLE: &[Reading] = &[
    reading(
        &[&c::ROOT_FILE_INVALID],
        "the root file exists and is not valid PEM",
        "the words after the path: no certificate or crl found, bad base64, no start line",
        "here: convert or download the file again; pgtls-check roots show FILE prints the command",
    ),
    reading(
        &[&c::ROOT_FILE_UNREADABLE],
        "the root file exists and cannot be read",
        "the words after the path: permission denied, is a directory",
        "here: make the file readable for the account that runs the client (ls -l of the file and its directories)",
    ),
];

pub(in super::super) const KEY_PERMISSIONS: &[Reading] = &[reading(
    &[&c::CLIENT_KEY_PERMISSIONS],
    "other users can read the client's private key",
    "ls -l of the key: 0600, or 0640 if root owns it",
    "here: chmod 600 {sslkey|KEY}",
)];

pub(in super::super) const SERVER_KEY_PERMISSIONS: &[Reading] = &[reading(
    &[&c::SERVER_KEY_PERMISSIONS],
    "other users can read the server's private key, or another account owns it: PostgreSQL does not start, or keeps what it had loaded",
    "ls -l of the key: 0600 of the account that runs PostgreSQL, or 0640 of root with a group that this account is in",
    "on the server: chown postgres {sslkey|KEY} && chmod 600 {sslkey|KEY}, then start it (if it runs: SELECT pg_reload_conf();)",
)];

pub(in super::super) const KEY_MISSING: &[Reading] = &[reading(
    &[&c::CLIENT_KEY_MISSING],
    "the client certificate has no private key file",
    "the file of sslkey, or postgresql.key beside the default certificate, does not exist",
    "here: set sslkey to the key's file; a certificate found by default and not wanted: move it away",
)];

pub(in super::super) const KEY_MISMATCH: &[Reading] = &[reading(
    &[&c::CLIENT_KEY_MISMATCH],
    "the private key does not match the client certificate",
    "the public keys differ: openssl x509 -pubkey -noout -in CERT, openssl pkey -pubout -in KEY",
    "here: set sslcert and sslkey to files that belong together",
)];

/// What PostgreSQL writes when it starts or reloads.
pub(in super::super) const SERVER_KEY_MISMATCH: &[Reading] = &[reading(
    &[&c::SERVER_KEY_MISMATCH],
    "the server's private key does not belong to the first certificate of its file: PostgreSQL does not start, or keeps what it had loaded",
    "openssl x509 -noout -pubkey -in server.crt and openssl pkey -pubout -in server.key print the same for a pair",
    "on the server: put the server's own certificate first in the file of ssl_cert_file, or use the key that it was requested with; then start it (if it runs: SELECT pg_reload_conf();)",
)];

pub(in super::super) const SERVER_FILE_MISSING: &[Reading] = &[reading(
    &[&c::SERVER_REFUSED_TLS, &c::SERVER_CERT_INVALID],
    "the server's own certificate or key file is not there: PostgreSQL does not start, or keeps what it had loaded",
    "a path without / is below the data directory: SHOW ssl_cert_file, ssl_key_file, data_directory, or postgresql.conf",
    "on the server: put the file there, or set ssl_cert_file and ssl_key_file to the files that exist; then start it (if it runs: SELECT \
     pg_reload_conf();)",
)];

pub(in super::super) const SERVER_FILE_UNREADABLE: &[Reading] = &[reading(
    &[&c::SERVER_KEY_PERMISSIONS, &c::SERVER_REFUSED_TLS],
    "the account that runs PostgreSQL (postgres) may not read the server's own certificate or key, or enter a directory of its path, as \
     that of /etc/letsencrypt/live and archive: root may",
    "sudo -u postgres head -c1 {serverfile|FILE} shows it; namei -l {serverfile|FILE} shows which directory",
    "on the server: give postgres copies and renew them by a deploy hook (certbot: a script in /etc/letsencrypt/renewal-hooks/deploy): \
     install -o postgres -m 600 privkey.pem DATA/server.key; install -o postgres -m 644 fullchain.pem DATA/server.crt; set ssl_key_file \
     and ssl_cert_file to these, then start it (if it runs: SELECT pg_reload_conf();)",
)];

pub(in super::super) const SERVER_FILE_DAMAGED: &[Reading] = &[reading(
    &[&c::SERVER_CERT_INVALID, &c::SERVER_KEY_INVALID],
    "the server's own certificate or key file is not what OpenSSL can read: PostgreSQL does not start, or keeps what it had loaded",
    "openssl x509 -noout -subject -in {serverfile|FILE}, or openssl pkey -noout -in {serverfile|FILE}, fails the same way",
    "on the server: put the certificate (PEM, the server's own first) into the file of ssl_cert_file and its key (PEM) into that of \
     ssl_key_file; then start it (if it runs: SELECT pg_reload_conf();)",
)];

/// `system` is a word since libpq 16; before, a file.
pub(in super::super) const SYSTEM_TOO_NEW: &[Reading] = &[reading(
    &[&c::ROOT_FILE_MISSING],
    "sslrootcert=system is read as the name of a file: this libpq is older than 16",
    "psql --version",
    "here: update libpq to 16 or later, or set sslrootcert to a file: the system's roots are /etc/ssl/certs/ca-certificates.crt on Debian \
     and Ubuntu, /etc/pki/tls/certs/ca-bundle.crt on Red Hat",
)];

pub(in super::super) const KEY_INVALID: &[Reading] = &[reading(
    &[&c::CLIENT_KEY_INVALID, &c::CLIENT_CERT_INVALID],
    "the client's private key cannot be used",
    "libpq needs PEM, Java PKCS#8 in DER or PKCS#12; an encrypted key needs sslpassword; OpenSSL 3 no longer reads \
     PKCS#12 with RC2 without -legacy",
    "here: convert it: openssl pkey -in KEY -out KEY.pem; from PKCS#12: openssl pkcs12 -legacy -nodes -in FILE",
)];

pub(in super::super) const CERT_INVALID: &[Reading] = &[reading(
    &[&c::CLIENT_CERT_INVALID, &c::CLIENT_CERT_MISSING],
    "the client certificate cannot be read",
    "the words after the path: no such file, permission denied, or not a PEM certificate",
    "here: set sslcert to a readable PEM file; one found by default and not wanted: sslcert=/nonexistent",
)];

pub(in super::super) const PASSFILE: &[Reading] = &[reading(
    &[&c::PASSFILE_IGNORED, &c::PASSWORD_REQUIRED],
    "libpq ignores the password file",
    "other users may read it, or it is no regular file",
    "here: chmod 600 FILE",
)];

pub(in super::super) const HOME_UNKNOWN: &[Reading] = &[reading(
    &[&c::ROOT_FILE_MISSING],
    "libpq does not know the home directory, where the default root file is",
    "HOME is not set and the account has no entry in the password database (common in containers)",
    "here: set HOME, or sslrootcert to the file's absolute path",
)];

pub(in super::super) const NO_LOCAL_USER: &[Reading] = &[reading(
    &[],
    "the account that runs the client has no entry in the password database (common in containers), so that libpq finds no user name",
    "getent passwd $(id -u) prints nothing",
    "here: set user (PGUSER), and HOME",
)];

pub(in super::super) const KEY_LOG: &[Reading] = &[reading(
    &[],
    "a warning about sslkeylogfile, which is for debugging only",
    "libpq 18 writes the session keys to that file",
    "here: remove sslkeylogfile",
)];
