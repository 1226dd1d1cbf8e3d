//! The client's certificate and key.

use std::path::Path;

use super::said;
use crate::diagnose::Fix;
use crate::diagnose::code::{Code, Severity};
use crate::diagnose::root_file::content_for_path;
use crate::diagnose::rule::Finding;
use crate::diagnose::view::{View, path_text};
use crate::evidence::SessionFailure;
use crate::stage::Stage;
use crate::text;
use crate::trust::{ClientIdentity, FileContent, IdentityError, KeyProblem};

/// `client-cert-missing`.
pub const CLIENT_CERT_MISSING: Code = Code {
    name: "client-cert-missing",
    severity: Severity::Failure,
    stage: Stage::Trust,
    title: "the client certificate file does not exist",
    short: Some("no client certificate"),
    concerns: &[],
    retryable: false,
    page: include_str!("../explain/client-cert-missing.md"),
};

/// `client-key-missing`.
pub const CLIENT_KEY_MISSING: Code = Code {
    name: "client-key-missing",
    severity: Severity::Failure,
    stage: Stage::Trust,
    title: "the client certificate has no private key file",
    short: Some("no private key"),
    concerns: &[],
    retryable: false,
    page: include_str!("../explain/client-key-missing.md"),
};

/// `client-cert-invalid`.
pub const CLIENT_CERT_INVALID: Code = Code {
    name: "client-cert-invalid",
    severity: Severity::Failure,
    stage: Stage::Trust,
    title: "the client certificate file is not usable",
    short: Some("the client certificate cannot be used"),
    concerns: &[],
    retryable: false,
    page: include_str!("../explain/client-cert-invalid.md"),
};

/// `client-key-invalid`.
pub const CLIENT_KEY_INVALID: Code = Code {
    name: "client-key-invalid",
    severity: Severity::Failure,
    stage: Stage::Trust,
    title: "the client's private key cannot be used",
    short: Some("the private key cannot be used"),
    concerns: &[],
    retryable: false,
    page: include_str!("../explain/client-key-invalid.md"),
};

/// `client-key-permissions`.
pub const CLIENT_KEY_PERMISSIONS: Code = Code {
    name: "client-key-permissions",
    severity: Severity::Failure,
    stage: Stage::Trust,
    title: "other users can read the client's private key",
    short: Some("others can read the private key"),
    concerns: &[],
    retryable: false,
    page: include_str!("../explain/client-key-permissions.md"),
};

/// `client-key-mismatch`.
pub const CLIENT_KEY_MISMATCH: Code = Code {
    name: "client-key-mismatch",
    severity: Severity::Failure,
    stage: Stage::Trust,
    title: "the private key does not match the client certificate",
    short: Some("key and client certificate do not belong together"),
    concerns: &[],
    retryable: false,
    page: include_str!("../explain/client-key-mismatch.md"),
};

fn identity_error<'a>(view: &View<'a>) -> Option<&'a IdentityError> {
    match &view.trust()?.client {
        ClientIdentity::Failed(error) => Some(error),
        _ => None,
    }
}

/// An absent certificate stops libpq only under sslcertmode=require, when authentication is complete.
pub(super) fn certificate_missing(view: &View<'_>) -> Option<Finding> {
    if view.session_failure() != Some(&SessionFailure::CertificateModeUnmet) {
        return None;
    }
    let path = match &view.trust()?.client {
        ClientIdentity::Absent { path } => Some(path_text(path)),
        ClientIdentity::None => None,
        ClientIdentity::Ready(_) | ClientIdentity::Failed(_) => return None,
    };
    Some(
        absent_certificate(view, path)
            .because("sslcertmode=require fails where no client certificate was sent"),
    )
}

/// What is to be said of a client certificate that is not there.
pub(in crate::diagnose) fn absent_certificate(view: &View<'_>, path: Option<String>) -> Finding {
    let title = match &path {
        Some(path) => format!("there is no client certificate {path}"),
        None => "there is no client certificate".to_owned(),
    };
    Finding::titled(title)
        .because(
            "libpq goes on without a certificate when its file does not exist, and does not look at the \
             key either",
        )
        .fact("path", path.unwrap_or_else(|| "~/.postgresql/postgresql.crt".to_owned()))
        .fact("from", said(view, "sslcert"))
        .fix(Fix::text("name the certificate and its key: sslcert=FILE sslkey=FILE"))
}

pub(super) fn key_missing(view: &View<'_>) -> Option<Finding> {
    let IdentityError::KeyMissing { certificate, key } = identity_error(view)? else { return None };
    if let Some(finding) = key.as_deref().and_then(|key| content_for_path("sslkey", key, "client.key")) {
        return Some(finding.fact("certificate", path_text(certificate)).fact("from", said(view, "sslkey")));
    }
    let missing =
        key.as_ref().map_or_else(|| "~/.postgresql/postgresql.key".to_owned(), |key| path_text(key));
    Some(
        Finding::titled(format!("there is no private key {missing}"))
            .because(
                "a client certificate is there, and libpq then needs its key, even where no server asks \
                 for it",
            )
            .fact("certificate", path_text(certificate))
            .fact("key", missing)
            .fact("from", said(view, "sslkey"))
            .fix(Fix::text("name the certificate's key: sslkey=FILE"))
            .fix(Fix::text("use no client certificate (libpq 16 or later)").set("sslcertmode", "disable")),
    )
}

pub(super) fn certificate_invalid(view: &View<'_>) -> Option<Finding> {
    let (path, why, fix) = match identity_error(view)? {
        IdentityError::CertificateUnreadable { path, error } => {
            let fix = Fix::text("let this account read it").run_words(["ls", "-l", &path.to_string_lossy()]);
            (path, text::printable(&error.text), fix)
        }
        IdentityError::CertificateInvalid { path, content } => {
            let from = path.to_string_lossy().into_owned();
            let to = path.with_extension("pem").to_string_lossy().into_owned();
            let fix = match content {
                FileContent::DerCertificate => Fix::text("convert it to PEM")
                    .run_words(["openssl", "x509", "-inform", "DER", "-in", &from, "-out", &to])
                    .set("sslcert", to.clone()),
                FileContent::Pkcs12 => {
                    Fix::text("take certificate and chain out; the key goes into a file of its own")
                        .run_words(["openssl", "pkcs12", "-in", &from, "-nokeys", "-out", &to])
                        .set("sslcert", to.clone())
                }
                _ => Fix::text("give PEM, the client's certificate first and its chain after it"),
            };
            (path, text::printable(&content.to_string()), fix)
        }
        _ => return None,
    };
    Some(
        Finding::titled(format!("the client certificate {} cannot be used", path_text(path)))
            .because("libpq reads PEM there, the client's certificate first and its chain after it")
            .fact("path", path_text(path))
            .fact("problem", why)
            .fact("from", said(view, "sslcert"))
            .fix(fix),
    )
}

pub(super) fn key_invalid(view: &View<'_>) -> Option<Finding> {
    let (path, why, fix) = match identity_error(view)? {
        IdentityError::KeyUnreadable { path, error } => {
            let fix = Fix::text("let this account, and nobody else, read it").run_words([
                "ls",
                "-l",
                &path.to_string_lossy(),
            ]);
            (path, text::printable(&error.text), fix)
        }
        IdentityError::KeyNotAFile { path } => {
            (path, "it is no regular file".to_owned(), Fix::text("name a regular file in sslkey"))
        }
        IdentityError::KeyInvalid { path, problem } => {
            let (why, fix) = key_problem(problem, &path.to_string_lossy());
            (path, why, fix)
        }
        _ => return None,
    };
    Some(
        Finding::titled(format!("the private key {} cannot be used", path_text(path)))
            .because(
                "with a client certificate at hand libpq loads its key before the handshake, and fails without",
            )
            .fact("path", path_text(path))
            .fact("problem", why)
            .fact("from", said(view, "sslkey"))
            .fix(fix),
    )
}

/// Why the key file `from` yields no key, and what to do.
fn key_problem(problem: &KeyProblem, from: &str) -> (String, Fix) {
    match problem {
        KeyProblem::NotAKey => (
            "it holds no private key".to_owned(),
            Fix::text("name the file with the private key, in PEM or unencrypted DER"),
        ),
        KeyProblem::Damaged => {
            ("it is damaged".to_owned(), Fix::text("copy the key again; its PEM block must be whole"))
        }
        KeyProblem::PassPhraseMissing => (
            "it is encrypted, and sslpassword is not given".to_owned(),
            Fix::text("give its pass phrase in sslpassword, from a service file that only you can read"),
        ),
        KeyProblem::PassPhraseWrong => (
            "it is encrypted, and sslpassword does not open it".to_owned(),
            Fix::text("try the pass phrase by hand").run_words(["openssl", "pkey", "-noout", "-in", from]),
        ),
        KeyProblem::CipherUnknown(cipher) => (
            format!("it is encrypted with {}, which this tool cannot read", text::printable(cipher)),
            Fix::text("write it anew with a modern cipher").run_words([
                "openssl",
                "pkcs8",
                "-topk8",
                "-v2",
                "aes-256-cbc",
                "-in",
                from,
                "-out",
                &format!("{from}.new"),
            ]),
        ),
    }
}

pub(super) fn key_permissions(view: &View<'_>) -> Option<Finding> {
    let IdentityError::KeyPermissions { path, mode, owned_by_root } = identity_error(view)? else {
        return None;
    };
    let wanted = if *owned_by_root { "640" } else { "600" };
    let rule = if *owned_by_root {
        "root owns the key: its group may read it, nobody else may"
    } else {
        "only its owner may read the key"
    };
    Some(
        Finding::titled(format!("the private key {} can be read by others", path_text(path)))
            .because(format!("{rule}; libpq refuses it otherwise"))
            .fact("path", path_text(path))
            .fact("mode", format!("{mode:04o}"))
            .fact("at_most", format!("0{wanted}"))
            .fact("from", said(view, "sslkey"))
            .fix(Fix::text("take the permissions away").run_words(["chmod", wanted, &path.to_string_lossy()]))
            .fix(Fix::text(
                "from a Kubernetes secret: set defaultMode: 0600 (0640 with fsGroup), or copy the key in \
                 an init container",
            )),
    )
}

pub(super) fn key_mismatch(view: &View<'_>) -> Option<Finding> {
    let IdentityError::KeyMismatch { certificate, key } = identity_error(view)? else { return None };
    let show = |path: &Path| path_text(path);
    Some(
        Finding::titled("the private key is not the client certificate's")
            .because(
                "their public keys differ: one of the two files belongs to another certificate, mostly an \
                 older one",
            )
            .fact("certificate", show(certificate))
            .fact("key", show(key))
            .fix(Fix::text("find the key whose public half is the certificate's").run_words([
                "openssl",
                "pkey",
                "-pubout",
                "-in",
                &key.to_string_lossy(),
            ]))
            .fix(Fix::text("show the certificate's public key").run_words([
                "openssl",
                "x509",
                "-noout",
                "-pubkey",
                "-in",
                &certificate.to_string_lossy(),
            ])),
    )
}
