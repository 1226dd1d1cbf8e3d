//! `sslcert`, `sslkey`, `sslpassword`, `sslcertmode`: the forms of the files, and what servers make of what is sent.

use super::Case;
use super::Reason::*;
use super::files::KEY_PASSWORD;
use super::servers::{PASSWORD, Server};
use pgtls_check::diagnose::codes;

pub(super) fn cases() -> Vec<Case> {
    let mut all = forms_of_certificates();
    all.extend(forms_of_keys());
    all.extend(modes_of_keys());
    all.extend(missing());
    all.extend(verdicts());
    all.extend(certificate_modes());
    all
}

/// The role that certificates log in, with these files. What the files are like is the client's matter alone, so one
/// server is enough.
fn files(title: &str, certificate: &str, key: &str) -> Case {
    Case::at_version(Server::Usual, 18, format!("client certificate: {title}"))
        .with(&format!("user=cert sslcert=FILES/{certificate} sslkey=FILES/{key}"))
}

fn forms_of_certificates() -> Vec<Case> {
    let certificate = |title: &str, file: &str| files(title, file, "cert.key");
    vec![
        certificate("PEM", "cert.crt"),
        certificate("with text around it", "text-around.crt"),
        certificate("with CRLF", "crlf.crt"),
        certificate("its key in the same file", "with-key.crt").with("sslkey=FILES/with-key.crt"),
        certificate("with its CA behind it", "chain.crt"),
        certificate("with CA and root behind it", "chain-and-root.crt"),
        certificate("DER", "der.crt").refused(ClientFiles).code(&codes::CLIENT_CERT_INVALID),
        certificate("an empty file", "empty.crt").refused(ClientFiles).code(&codes::CLIENT_CERT_INVALID),
        certificate("no certificate in it", "garbage.crt")
            .refused(ClientFiles)
            .code(&codes::CLIENT_CERT_INVALID),
        certificate("a directory", "directory").refused(ClientFiles).code(&codes::CLIENT_CERT_INVALID),
        certificate("only a key in it", "cert.key").refused(ClientFiles).code(&codes::CLIENT_CERT_INVALID),
        certificate("its CA before it", "ca-first.crt").refused(ClientFiles),
    ]
}

fn forms_of_keys() -> Vec<Case> {
    let key = |title: &str, file: &str| files(title, "cert.crt", file);
    let rsa = |title: &str, file: &str| files(title, "rsa.crt", file);
    let opened = |case: Case| case.with(&format!("sslpassword='{KEY_PASSWORD}'"));
    vec![
        key("key SEC1", "sec1.key"),
        rsa("key PKCS#1", "pkcs1.key"),
        rsa("key PKCS#8 of RSA", "rsa.key"),
        files("key Ed25519", "ed25519.crt", "ed25519.key"),
        files("key P-384", "p384.crt", "p384.key"),
        key("key PKCS#8 in DER", "pkcs8.der"),
        key("key SEC1 in DER", "sec1.der"),
        rsa("key PKCS#1 in DER", "pkcs1.der"),
        opened(key("key PBES2 with AES", "pbes2-aes.key")),
        opened(key("key PBES2 with triple DES", "pbes2-des3.key")),
        opened(rsa("key PBES2 of RSA", "pbes2-rsa.key")),
        opened(rsa("key in legacy PEM with AES, RSA", "legacy-aes-rsa.key")),
        opened(rsa("key in legacy PEM with triple DES, RSA", "legacy-des3-rsa.key")),
        opened(key("key in legacy PEM with AES, EC", "legacy-aes-ec.key")),
        opened(key("key in legacy PEM with triple DES, EC", "legacy-des3-ec.key")),
        opened(key("key with a needless password", "cert.key")),
        key("key PBES2 without its password", "pbes2-aes.key")
            .refused(ClientFiles)
            .code(&codes::CLIENT_KEY_INVALID),
        key("key PBES2 with a wrong password", "pbes2-aes.key")
            .with("sslpassword=wrong")
            .refused(ClientFiles)
            .code(&codes::CLIENT_KEY_INVALID),
        key("key PBES2 with an empty password", "pbes2-aes.key").with("sslpassword=''").refused(ClientFiles),
        rsa("key in legacy PEM without its password", "legacy-aes-rsa.key")
            .refused(ClientFiles)
            .code(&codes::CLIENT_KEY_INVALID),
        rsa("key in legacy PEM with a wrong password", "legacy-aes-rsa.key")
            .with("sslpassword=wrong")
            .refused(ClientFiles),
        opened(key("key encrypted in DER", "encrypted.der"))
            .refused(ClientFiles)
            .code(&codes::CLIENT_KEY_INVALID),
        key("key of another", "other.key").refused(ClientFiles).code(&codes::CLIENT_KEY_MISMATCH),
        key("key of another kind", "rsa.key").refused(ClientFiles).code(&codes::CLIENT_KEY_MISMATCH),
        key("key in an empty file", "empty.key").refused(ClientFiles).code(&codes::CLIENT_KEY_INVALID),
        key("key that is none", "garbage.key").refused(ClientFiles).code(&codes::CLIENT_KEY_INVALID),
        key("key file with a certificate in it", "cert.crt")
            .refused(ClientFiles)
            .code(&codes::CLIENT_KEY_INVALID),
    ]
}

fn modes_of_keys() -> Vec<Case> {
    let mut all = vec![
        files("key by a link", "cert.crt", "link.key"),
        files("key that is a directory", "cert.crt", "directory").refused(ClientFiles),
        files("key that is a device", "cert.crt", "").with("sslkey=/dev/null").refused(ClientFiles),
    ];
    // Of root's files the group may read; the files of these cases belong to whoever runs the tests.
    let by_root = super::FILES.owner() == 0;
    for (mode, fine) in [
        ("400", true),
        ("600", true),
        ("700", true),
        ("640", by_root),
        ("440", by_root),
        ("644", false),
        ("660", false),
        ("604", false),
        ("650", false),
    ] {
        let case = files(&format!("key of mode {mode}"), "cert.crt", &format!("mode-{mode}.key"));
        all.push(if fine { case } else { case.refused(ClientFiles).code(&codes::CLIENT_KEY_PERMISSIONS) });
    }
    if by_root {
        all.push(files("key of another user, mode 600", "cert.crt", "foreign-600.key"));
        all.push(
            files("key of another user, mode 640", "cert.crt", "foreign-640.key")
                .refused(ClientFiles)
                .code(&codes::CLIENT_KEY_PERMISSIONS),
        );
    }
    all
}

fn missing() -> Vec<Case> {
    let certificate = |name: &str| std::fs::read_to_string(super::FILES.join(name)).unwrap();
    let at = |server, title: &str| Case::at(server, format!("client certificate: {title}"));
    vec![
        files("missing, not wanted", "missing.crt", "cert.key").with("user=open"),
        files("missing, not wanted, nor is the key there", "missing.crt", "missing.key").with("user=open"),
        files("missing, below a file", "cert.crt/missing.crt", "cert.key").with("user=open"),
        files("missing, wanted", "missing.crt", "cert.key")
            .refused(ClientCertificate)
            .code(&codes::CLIENT_CERT_REQUIRED),
        files("key missing", "cert.crt", "missing.key").refused(ClientFiles).code(&codes::CLIENT_KEY_MISSING),
        files("key missing, certificate not wanted", "cert.crt", "missing.key")
            .with("user=open")
            .refused(ClientFiles)
            .code(&codes::CLIENT_KEY_MISSING),
        at(Server::ReadOnly, "key missing, certificate not asked for")
            .with("sslcert=FILES/cert.crt sslkey=FILES/missing.key")
            .refused(ClientFiles)
            .code(&codes::CLIENT_KEY_MISSING),
        at(Server::Plain, "key missing, no TLS")
            .with("sslcert=FILES/cert.crt sslkey=FILES/missing.key")
            .refused(NoTls),
        at(Server::Plain, "key missing, no TLS and prefer")
            .with("sslmode=prefer sslcert=FILES/cert.crt sslkey=FILES/missing.key")
            .plaintext(NoTls),
        at(Server::Usual, "key missing and prefer")
            .with("sslmode=prefer sslcert=FILES/cert.crt sslkey=FILES/missing.key")
            .plaintext(ClientFiles),
        at(Server::Usual, "key missing and require")
            .with("sslmode=require sslcert=FILES/cert.crt sslkey=FILES/missing.key")
            .refused(ClientFiles),
        at(Server::Usual, "no sslkey and no default key").with("sslcert=FILES/cert.crt").refused(ClientFiles),
        at(Server::Usual, "default files")
            .with("user=cert")
            .file(".postgresql/postgresql.crt", certificate("cert.crt"))
            .file(".postgresql/postgresql.key", certificate("cert.key")),
        at(Server::Usual, "default certificate without its key")
            .file(".postgresql/postgresql.crt", certificate("cert.crt"))
            .refused(ClientFiles)
            .code(&codes::CLIENT_KEY_MISSING),
        at(Server::Usual, "default key without its certificate")
            .file(".postgresql/postgresql.key", certificate("cert.key")),
        at(Server::Usual, "default certificate with a given key")
            .with("user=cert sslkey=FILES/cert.key")
            .file(".postgresql/postgresql.crt", certificate("cert.crt")),
        at(Server::Usual, "given certificate with the default key")
            .with("user=cert sslcert=FILES/cert.crt")
            .file(".postgresql/postgresql.key", certificate("cert.key")),
        at(Server::Usual, "default key of a bad mode")
            .file(".postgresql/postgresql.crt", certificate("cert.crt"))
            .file_of_mode(".postgresql/postgresql.key", certificate("cert.key"), 0o644)
            .refused(ClientFiles)
            .code(&codes::CLIENT_KEY_PERMISSIONS),
        at(Server::Usual, "by the environment")
            .with("user=cert")
            .env("PGSSLCERT", "FILES/cert.crt")
            .env("PGSSLKEY", "FILES/cert.key"),
        at(Server::Usual, "none by an empty value, default files")
            .with("user=cert sslcert='' sslkey=''")
            .file(".postgresql/postgresql.crt", certificate("cert.crt"))
            .file(".postgresql/postgresql.key", certificate("cert.key")),
        at(Server::Usual, "key by an engine that is none")
            .with("user=cert sslcert=FILES/cert.crt sslkey=nonsense:id")
            .refused(ClientFiles),
    ]
}

/// What servers of both versions of TLS make of certificates.
fn verdicts() -> Vec<Case> {
    let mut all = Vec::new();
    for (tls, server) in [("TLS 1.2", Server::Tls12), ("TLS 1.3", Server::Tls13)] {
        let case = |title: &str, role: &str, certificate: &str| {
            let case = Case::at(server, format!("client certificate in {tls}: {title}"));
            let case = case.with(&format!("user={role}"));
            if certificate.is_empty() {
                return case;
            }
            case.with(&format!("sslcert=FILES/{certificate}.crt sslkey=FILES/cert.key"))
        };
        all.extend([
            case("good for cert", "cert", "cert"),
            case("good for clientcert=verify-ca", "cert_ca", "cert"),
            case("another name for clientcert=verify-ca", "cert_ca", "other-name"),
            case("another name for clientcert=verify-full", "cert_full", "other-name")
                .refused(ClientCertificate),
            case("another name for cert", "cert", "other-name").refused(ClientCertificate),
            case("good with a password", "cert_scram", "cert").with(&format!("password='{PASSWORD}'")),
            case("good without the password", "cert_scram", "cert").refused(PasswordMissing),
            case("none for cert", "cert", "").refused(ClientCertificate).code(&codes::CLIENT_CERT_REQUIRED),
            case("none for clientcert=verify-ca", "cert_ca", "")
                .refused(ClientCertificate)
                .code(&codes::CLIENT_CERT_REQUIRED),
            case("none with the password", "cert_scram", "")
                .with(&format!("password='{PASSWORD}'"))
                .refused(ClientCertificate)
                .code(&codes::CLIENT_CERT_REQUIRED),
            case("below a CA, sent", "cert", "chain"),
            case("below a CA, not sent", "cert", "below")
                .refused(ClientCertificate)
                .code(&codes::CLIENT_CERT_REJECTED),
            case("of an unknown root", "cert", "unknown")
                .refused(ClientCertificate)
                .code(&codes::CLIENT_CERT_REJECTED),
            case("of an unknown root, not wanted", "open", "unknown")
                .refused(ClientCertificate)
                .code(&codes::CLIENT_CERT_REJECTED),
            case("self-signed", "cert", "self-signed")
                .refused(ClientCertificate)
                .code(&codes::CLIENT_CERT_REJECTED),
            case("revoked", "cert", "revoked").refused(ClientCertificate).code(&codes::CLIENT_CERT_REJECTED),
            case("expired", "cert", "expired").refused(ClientCertificate).code(&codes::CLIENT_CERT_REJECTED),
            case("for servers only", "cert", "server-only")
                .refused(ClientCertificate)
                .code(&codes::CLIENT_CERT_REJECTED),
            case("version 1", "cert", "version-1"),
            case("without extended key usage", "cert", "no-usage"),
        ]);
    }
    all.push(
        Case::at(Server::ReadOnly, "client certificate of an unknown root, not asked for")
            .with("sslcert=FILES/unknown.crt sslkey=FILES/cert.key"),
    );
    // In TLS 1.3 the alert comes when the handshake is over for the client, too late to fall back.
    let unknown = "sslmode=prefer sslcert=FILES/unknown.crt sslkey=FILES/cert.key";
    all.push(
        Case::at(Server::Tls12, "client certificate in TLS 1.2: of an unknown root, prefer")
            .with(unknown)
            .plaintext(ClientCertificate),
    );
    all.push(
        Case::at(Server::Tls13, "client certificate in TLS 1.3: of an unknown root, prefer")
            .with(unknown)
            .refused(ClientCertificate),
    );
    all
}

/// `sslcertmode`, which came with libpq 16.
fn certificate_modes() -> Vec<Case> {
    let case = |mode: &str, title: &str, server, settings: &str| {
        Case::at(server, format!("sslcertmode={mode}, {title}"))
            .with(&format!("sslcertmode={mode} {settings}"))
            .newer()
    };
    let given = "sslcert=FILES/cert.crt sslkey=FILES/cert.key";
    vec![
        case("disable", "wanted", Server::Usual, given).with("user=cert").refused(ClientCertificate),
        case("disable", "not wanted", Server::Usual, given),
        case("disable", "unreadable", Server::Usual, "sslcert=FILES/garbage.crt sslkey=FILES/missing.key"),
        case(
            "disable",
            "of an unknown root",
            Server::Usual,
            "sslcert=FILES/unknown.crt sslkey=FILES/cert.key",
        ),
        case("allow", "wanted", Server::Usual, given).with("user=cert"),
        case("allow", "none", Server::Usual, ""),
        case("allow", "key missing", Server::Usual, "sslcert=FILES/cert.crt sslkey=FILES/missing.key")
            .refused(ClientFiles),
        case("require", "asked for and sent", Server::Usual, given),
        case("require", "asked for and none there", Server::Usual, "").refused(ClientCertificate),
        case("require", "not asked for", Server::ReadOnly, given).refused(Method),
        case("require", "no TLS and prefer", Server::Plain, given).with("sslmode=prefer").refused(Method),
        case("require", "sslmode=disable", Server::Usual, given).with("sslmode=disable").refused(Method),
    ]
}
