//! The client's certificate and key.

use std::path::Path;

use super::said;
use crate::conninfo::Origin;
use crate::diagnose::certificate::{refused_as_weak, reissue};
use crate::diagnose::code::{Code, Concern, Severity};
use crate::diagnose::fix::there;
use crate::diagnose::root_file::content_for_path;
use crate::diagnose::rule::Finding;
use crate::diagnose::view::{View, path_text};
use crate::diagnose::{Fix, by_default};
use crate::evidence::SessionFailure;
use crate::file::obstacle::Obstacle;
use crate::stage::Stage;
use crate::text;
use crate::trust::{ClientIdentity, FileContent, FileError, IdentityError, KeyProblem, Weakness};

/// `client-cert-missing`.
pub const CLIENT_CERT_MISSING: Code = Code {
    name: "client-cert-missing",
    severity: Severity::Failure,
    stage: Stage::Trust,
    title: "the client certificate file does not exist",
    short: Some("no client certificate"),
    concerns: &[],
    retryable: false,
};

/// `client-key-missing`.
pub const CLIENT_KEY_MISSING: Code = Code {
    name: "client-key-missing",
    severity: Severity::Failure,
    stage: Stage::Trust,
    title: "the client certificate has no private key file",
    short: Some("no private key"),
    concerns: &[Concern::ClientFiles],
    retryable: false,
};

/// `default-files-unreadable`.
pub const DEFAULT_FILES_UNREADABLE: Code = Code {
    name: "default-files-unreadable",
    severity: Severity::Failure,
    stage: Stage::Trust,
    title: "libpq's default files cannot be looked for: permission denied",
    short: Some("home directory: permission denied"),
    concerns: &[],
    retryable: false,
};

/// `client-cert-invalid`.
pub const CLIENT_CERT_INVALID: Code = Code {
    name: "client-cert-invalid",
    severity: Severity::Failure,
    stage: Stage::Trust,
    title: "the client certificate file is not usable",
    short: Some("the client certificate cannot be used"),
    concerns: &[Concern::ClientFiles],
    retryable: false,
};

/// `client-key-invalid`.
pub const CLIENT_KEY_INVALID: Code = Code {
    name: "client-key-invalid",
    severity: Severity::Failure,
    stage: Stage::Trust,
    title: "the client's private key cannot be used",
    short: Some("the private key cannot be used"),
    concerns: &[Concern::ClientFiles],
    retryable: false,
};

/// `client-key-permissions`.
pub const CLIENT_KEY_PERMISSIONS: Code = Code {
    name: "client-key-permissions",
    severity: Severity::Failure,
    stage: Stage::Trust,
    title: "other users can read the client's private key",
    short: Some("others can read the private key"),
    concerns: &[Concern::ClientFiles],
    retryable: false,
};

/// `client-key-mismatch`.
pub const CLIENT_KEY_MISMATCH: Code = Code {
    name: "client-key-mismatch",
    severity: Severity::Failure,
    stage: Stage::Trust,
    title: "the private key does not match the client certificate",
    short: Some("key and client certificate do not belong together"),
    concerns: &[Concern::ClientFiles],
    retryable: false,
};

fn identity_error<'a>(view: &View<'a>) -> Option<&'a IdentityError> {
    match &view.trust()?.client {
        ClientIdentity::Failed(error, _) => Some(error),
        _ => None,
    }
}

/// What of the certificate itself will fail once its key is mended.
pub(super) fn with_leaf(view: &View<'_>, finding: Finding) -> Finding {
    let Some(ClientIdentity::Failed(_, Some(leaf))) = view.trust().map(|trust| &trust.client) else {
        return finding;
    };
    let Ok(facts) = leaf.facts() else { return finding };
    let user = view.user();
    let ca = "ca.crt and ca.key are those of the server's client CA";
    if facts.not_after <= view.evidence.started {
        let text = format!("in any case the certificate has expired: have a new one issued; {ca}");
        return finding
            .fact("expired", facts.not_after.date().to_string())
            .fix(reissue::client(&text, &user));
    }
    let name = text::printable(&facts.subject.common_name().unwrap_or_default());
    if name.is_empty() || name == user || facts.is_ca() {
        return finding;
    }
    let text = format!(
        "two faults, if the server compares names (pg_hba.conf: cert or clientcert=verify-full): the certificate is for {name}, not \
         for {user}; a new key and a certificate with CN={user} mend both; {ca}"
    );
    let finding = finding.fact("certificate_name", name).fact("user", user.clone());
    // No provider signs with a CA of the reader's.
    let other = Fix { on_server: true, ..reissue::client(&text, &user) };
    // One that nobody named is most likely not for this server at all.
    if by_default::is_unnamed(view, "sslcert") { finding.fix(other) } else { finding.second(other) }
}

/// An absent certificate stops libpq only under sslcertmode=require, when authentication is complete.
pub(super) fn certificate_missing(view: &View<'_>) -> Option<Finding> {
    if view.session_failure() != Some(&SessionFailure::CertificateModeUnmet) {
        return None;
    }
    if !matches!(view.trust()?.client, ClientIdentity::Absent { .. } | ClientIdentity::None) {
        return None;
    }
    let asked = view.tls().is_some_and(|tls| tls.client_certificate.requested);
    let (why, text) = match asked {
        true => (
            "sslcertmode=require fails where no client certificate was sent",
            "if no client certificate is wanted: send one only where there is one",
        ),
        false => (
            "the server requests no client certificate, and sslcertmode=require fails where none was sent",
            "the server requests no client certificate: send none",
        ),
    };
    let mut allow = Fix::text(text).set("sslcertmode", "allow");
    for keyword in ["sslcert", "sslkey"] {
        if !by_default::is_unnamed(view, keyword) {
            allow = allow.set(keyword, "");
        }
    }
    let (first, last) = if asked { (None, Some(allow)) } else { (Some(allow), None) };
    Some(absent_certificate(view, first).because(why).fixes(last))
}

/// What is to be said of a client certificate that is not there, and what helps first.
pub(in crate::diagnose) fn absent_certificate(view: &View<'_>, first: Option<Fix>) -> Finding {
    let (sought, similar) = match view.trust().map(|trust| &trust.client) {
        Some(ClientIdentity::Absent { path, similar }) => (Some(path.as_path()), similar.as_ref()),
        _ => (None, None),
    };
    let path = sought.map(path_text);
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
        .fixes(first)
        .fixes(similar.map(|similar| there("sslcert", similar, sought)))
        .fix(Fix::text(format!(
            "if there is a client certificate for {}: set sslcert to its file and sslkey to the file of its key, by their absolute paths",
            view.user()
        )))
}

/// No client certificate, and then no key either.
fn without_certificate(view: &View<'_>) -> Fix {
    let fix = by_default::no_client_certificate();
    match by_default::is_unnamed(view, "sslkey") {
        true => fix,
        false => fix.set("sslkey", ""),
    }
}

/// The environment variable that gave a setting.
pub(super) fn variable(view: &View<'_>, keyword: &str) -> Option<&'static str> {
    match view.origin(keyword)? {
        Origin::Environment(name) => Some(name),
        _ => None,
    }
}

pub(super) fn key_missing(view: &View<'_>) -> Option<Finding> {
    let IdentityError::KeyMissing { certificate, key, of_ca } = identity_error(view)? else {
        return None;
    };
    if let Some(finding) =
        key.as_deref().and_then(|key| content_for_path("sslkey", key, "client.key", variable(view, "sslkey")))
    {
        return Some(finding.fact("certificate", path_text(certificate)).fact("from", said(view, "sslkey")));
    }
    let stray = by_default::is_unnamed(view, "sslcert");
    let missing =
        key.as_ref().map_or_else(|| "~/.postgresql/postgresql.key".to_owned(), |key| path_text(key));
    if *of_ca && !stray {
        return Some(authority_for_certificate(view, certificate, &missing));
    }
    Some(
        Finding::titled(format!("there is no private key {missing}"))
            .because(if stray {
                "sslcert is not set; libpq found a client certificate by default and then needs its key, even where no \
                 server asks for it"
            } else {
                "a client certificate is there, and libpq then needs its key, even where no server asks for it"
            })
            .fact("certificate", path_text(certificate))
            .fact("key", missing)
            .fact("from", said(view, "sslkey"))
            .fixes((!stray).then(|| {
                Fix::text(format!("set sslkey to the private key of {}: sslkey=FILE", path_text(certificate)))
            }))
            .fix(without_certificate(view))
            .fixes(stray.then(|| {
                Fix::text(format!("set sslkey to the private key of {}: sslkey=FILE", path_text(certificate)))
            }))
            .fixes(stray.then(|| by_default::move_away(certificate))),
    )
}

/// The root file in the place of a client certificate: Prisma's `sslcert` is the CA's (Prisma's documentation, "PostgreSQL
/// connection URL").
fn authority_for_certificate(view: &View<'_>, certificate: &Path, missing: &str) -> Finding {
    let file = path_text(certificate);
    let typed = view.settings().and_then(|settings| settings.path("sslcert"));
    let path = typed.map_or_else(|| file.clone(), |path| path.to_string_lossy().into_owned());
    Finding::titled(format!("{file} is a CA certificate, and sslcert is for the client's own"))
        .because(
            "libpq wants the private key of whatever sslcert names; a CA certificate belongs in sslrootcert (in Prisma's URLs sslcert \
             is the CA's file)",
        )
        .fact("certificate", file)
        .fact("key", missing.to_owned())
        .fact("from", said(view, "sslcert"))
        .fix(
            Fix::text("if it is the CA of the server: give it as sslrootcert, and no sslcert")
                .set("sslrootcert", path)
                .set("sslcert", ""),
        )
        .fix(without_certificate(view))
}

/// libpq stops where it may not even look whether there is a client certificate (`stat()` fails with EACCES), although
/// none is wanted: HOME of another user, as in containers.
pub(super) fn default_files_unreadable(view: &View<'_>) -> Option<Finding> {
    let IdentityError::CertificateUnreadable { path, error } = identity_error(view)? else { return None };
    if !by_default::is_unnamed(view, "sslcert") {
        return None;
    }
    let Some(Obstacle::NotSearchable(blocked)) = error.obstacle.as_deref() else { return None };
    let home = path.parent().and_then(Path::parent).map(path_text);
    let account = text::printable(&blocked.account.to_string());
    let directory = blocked.path.to_string_lossy();
    Some(
        Finding::titled(format!("{} cannot be searched: permission denied", path_text(&blocked.path)))
            .because(
                "libpq looks for a client certificate in the home directory even if none is wanted, and stops if it may not \
                 look; HOME probably still names the home directory of another user",
            )
            .fact_if("home", home)
            .fact("directory", text::printable(&blocked.to_string()))
            .fact("account", account.clone())
            .fact("looked_for", path_text(path))
            .fix(by_default::no_client_certificate())
            .fix(Fix::text(format!(
                "set HOME to a directory that {account} can search, for example HOME=/tmp (containers: ENV HOME, or the \
                 user's entry in /etc/passwd)"
            )))
            .fix(
                Fix::text("if the files there are meant: let this account search the directory")
                    .run_words(["setfacl", "-m", &format!("u:{}:x", blocked.account.uid), &directory]),
            ),
    )
}

/// Why a file cannot be read, and what helps.
fn unreadable(path: &Path, error: &FileError, is_key: bool) -> (String, Fix) {
    let shown = path.to_string_lossy();
    let why = match error.obstacle.as_deref() {
        Some(found) => text::printable(&found.to_string()),
        None => text::printable(&error.text),
    };
    let fix = match error.obstacle.as_deref() {
        Some(Obstacle::NotSearchable(found)) => {
            Fix::text("let this account search the directory, or copy the file to one that it can search")
                .run_as_owner(
                    found,
                    ["setfacl", "-m", &format!("u:{}:x", found.account.uid), &found.path.to_string_lossy()],
                )
        }
        // A key that its group or others may read is rejected, so that a copy is what is left.
        Some(Obstacle::NotReadable(found)) if is_key => {
            let owner = found.account.uid.to_string();
            Fix::text("give this account a copy of its own, as a user that can read the file")
                .run_words(["install", "-m", "600", "-o", &owner, &shown, &format!("{shown}.{owner}")])
                .set("sslkey", format!("{shown}.{owner}"))
        }
        Some(Obstacle::NotReadable(found)) => {
            Fix::text("let this account read the file; a certificate is no secret")
                .run_as_owner(found, ["chmod", "a+r", &shown])
        }
        _ => Fix::text("look at the file and its disk").run_words(["ls", "-l", &shown]),
    };
    (why, fix)
}

pub(super) fn certificate_invalid(view: &View<'_>) -> Option<Finding> {
    // That is told of the directory.
    if default_files_unreadable(view).is_some() {
        return None;
    }
    let stray = by_default::is_unnamed(view, "sslcert");
    let (path, why, fixes) = match identity_error(view)? {
        IdentityError::CertificateUnreadable { path, error } => {
            let (why, fix) = unreadable(path, error, false);
            (path, why, vec![fix])
        }
        IdentityError::CertificateInvalid { path, content } => {
            (path, text::printable(&content.to_string()), certificate_fixes(view, path, content))
        }
        _ => return None,
    };
    if let IdentityError::CertificateInvalid {
        content: FileContent::TooWeak { is_leaf, weakness, .. }, ..
    } = identity_error(view)?
    {
        return Some(
            too_weak(view, path, *is_leaf, weakness).fact("problem", why).fact("from", said(view, "sslcert")),
        );
    }
    let cause = match stray {
        true => {
            "sslcert is not set; libpq found this file by default and reads it as PEM, the client's certificate first and its \
             chain after it"
        }
        false => "libpq reads PEM there, the client's certificate first and its chain after it",
    };
    Some(
        Finding::titled(format!("the client certificate {} cannot be used", path_text(path)))
            .because(cause)
            .fact("path", path_text(path))
            .fact("problem", why)
            .fact("from", said(view, "sslcert"))
            .fixes(
                stray
                    .then(|| [by_default::no_client_certificate(), by_default::move_away(path)])
                    .into_iter()
                    .flatten(),
            )
            .fixes(fixes)
            .fixes((!stray).then(|| without_certificate(view))),
    )
}

/// A sound certificate that OpenSSL refuses to present.
fn too_weak(view: &View<'_>, path: &Path, is_leaf: bool, weakness: &Weakness) -> Finding {
    let (cause, needed) = refused_as_weak(view.settings(), weakness);
    let (file, user) = (path_text(path), view.user());
    let renewed = match (is_leaf, weakness) {
        (true, Weakness::Key(_)) => reissue::client(
            &format!(
                "at the server's client CA: issue a certificate for a new key ({needed}); ca.crt and ca.key below are that CA's; then here: set \
                 sslcert and sslkey to the two new files"
            ),
            &user,
        ),
        (true, Weakness::Signature(_)) => {
            let key = view.settings().and_then(|settings| settings.path("sslkey"));
            let key = key.map_or("client.key".into(), |key| key.to_string_lossy().into_owned());
            Fix::text(format!(
                "at the server's client CA: issue the certificate again with {needed} (the key can stay); ca.crt and ca.key below are that \
                 CA's; then here: put it into {file}"
            ))
            .run(format!(
                "# here:\nopenssl x509 -x509toreq -in {} -signkey {} -out client.csr\n# at the CA:\n\
                 openssl x509 -req -in client.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 365 -sha256 -out client-new.crt",
                text::shell_quoted(&path.to_string_lossy()),
                text::shell_quoted(&key)
            ))
        }
        (false, _) => Fix::text(format!(
            "here, in {file}: put that CA's current certificate ({needed}) in the place of this one; its administrator has it"
        )),
    };
    let whose = if is_leaf { "the client certificate in" } else { "a CA certificate in" };
    Finding::titled(format!("{whose} {file} is too weak: {}", text::printable(&weakness.to_string())))
        .in_short("the client certificate is too weak")
        .because(cause)
        .fact("path", file)
        .fact("needed", needed)
        .fix(renewed)
        .fix(without_certificate(view))
}

/// What makes a certificate of what the file is.
fn certificate_fixes(view: &View<'_>, path: &Path, content: &FileContent) -> Vec<Fix> {
    let from = path.to_string_lossy().into_owned();
    let is_pem = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("pem"));
    let to = path.with_extension(if is_pem { "converted.pem" } else { "pem" }).to_string_lossy().into_owned();
    let convert = |text: &str| {
        Fix::text(text)
            .run_words(["pgtls-check", "roots", "convert", &from, "--output", &to])
            .set("sslcert", to.clone())
    };
    vec![match content {
        FileContent::DerCertificate if cfg!(windows) => convert("convert it to PEM"),
        FileContent::DerCertificate => Fix::text("convert it to PEM")
            .run_words(["openssl", "x509", "-inform", "DER", "-in", &from, "-out", &to])
            .set("sslcert", to.clone()),
        FileContent::Altered(_) | FileContent::Utf16(_) => convert("write its certificates as PEM"),
        FileContent::Pkcs12 => unpacked(view, path, &to),
        FileContent::PrivateKey => match view.settings().and_then(|settings| settings.path("sslkey")) {
            Some(key) => Fix::text("sslcert names a private key: if the two files are swapped, swap them")
                .set("sslcert", key.to_string_lossy())
                .set("sslkey", from.clone()),
            None => {
                Fix::text("set sslcert to the file with the certificate; this private key goes into sslkey")
            }
        },
        FileContent::Csr => Fix::text(
            "this is a request for a certificate: have it signed by the CA, and set sslcert to what the CA returns",
        ),
        FileContent::PathOfFile(inner) => {
            Fix::text("set sslcert to that file itself").set("sslcert", inner.to_string_lossy())
        }
        FileContent::Directory => {
            Fix::text("set sslcert to the certificate's file, for example sslcert=DIR/client.crt")
        }
        FileContent::BadBlock { line, .. } => {
            Fix::text(format!("copy the certificate again: the block at line {line} is not usable"))
        }
        _ => Fix::text("set sslcert to a PEM file, the client's certificate first and its chain after it"),
    }]
}

/// The files of a PKCS#12 bundle; the key's too, unless there is one beside it.
fn unpacked(view: &View<'_>, bundle: &Path, certificate: &str) -> Fix {
    let from = bundle.to_string_lossy();
    let quoted = |path: &str| text::shell_quoted(path);
    let chain = format!("openssl pkcs12 -in {} -nokeys -out {}", quoted(&from), quoted(certificate));
    let key = view.settings().and_then(|settings| settings.path("sslkey"));
    // A relative path is one as it was typed.
    let other_key = key.filter(|key| !bundle.ends_with(key.strip_prefix(".").unwrap_or(key)));
    if other_key.is_some() {
        return Fix::text("extract certificate and chain").run(chain).set("sslcert", certificate);
    }
    let is_key = bundle.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("key"));
    let key =
        bundle.with_extension(if is_key { "converted.key" } else { "key" }).to_string_lossy().into_owned();
    let close = if cfg!(windows) { String::new() } else { format!(" && chmod 600 {}", quoted(&key)) };
    let key_command =
        format!("openssl pkcs12 -in {} -nocerts -nodes -out {}{close}", quoted(&from), quoted(&key));
    Fix::text("extract certificate and chain, and the key into a file of its own")
        .run(format!("{chain}\n{key_command}"))
        .set("sslcert", certificate)
        .set("sslkey", key)
}

pub(super) fn key_invalid(view: &View<'_>) -> Option<Finding> {
    let (path, why, fix) = match identity_error(view)? {
        // The text of a long key is no possible name of a file, and the system says so.
        IdentityError::KeyUnreadable { path, error } => {
            if let Some(finding) = content_for_path("sslkey", path, "client.key", variable(view, "sslkey")) {
                return Some(finding.fact("from", said(view, "sslkey")));
            }
            let (why, fix) = unreadable(path, error, true);
            (path, why, fix)
        }
        IdentityError::KeyNotAFile { path } => {
            (path, "it is not a regular file".to_owned(), Fix::text("set sslkey to a regular file"))
        }
        IdentityError::KeyInvalid { path, problem } => {
            let (why, fix) = key_problem(view, problem, path);
            (path, why, fix)
        }
        _ => return None,
    };
    Some(
        Finding::titled(format!("the private key {} cannot be used", path_text(path)))
            .because("if there is a client certificate, libpq loads its key before the handshake, and fails without it")
            .fact("path", path_text(path))
            .fact("problem", why)
            .fact("from", said(view, "sslkey"))
            .fix(fix)
            .fix(without_certificate(view)),
    )
}

/// Why a key file yields no key, and what makes one of it. Each command was run (`tests/it/client_files.rs`).
fn key_problem(view: &View<'_>, problem: &KeyProblem, path: &Path) -> (String, Fix) {
    let from = path.to_string_lossy().into_owned();
    let to = format!("{from}.pem");
    let written = |text: &str, words: &[&str]| {
        Fix::text(text).run_words(words.iter().copied()).set("sslkey", to.clone())
    };
    let (why, fix) = match problem {
        KeyProblem::NotAKey => (
            "it contains no private key",
            Fix::text("set sslkey to the certificate's private key, a file in PEM or unencrypted DER"),
        ),
        KeyProblem::Altered => (
            "it contains the text of a private key whose lines were altered (line ends, dashes or indentation)",
            Fix::text("copy the key again: each line, BEGIN and END too, must be a line of its own"),
        ),
        KeyProblem::EncryptedDer => (
            "it is an encrypted PKCS#8 key in DER (as JDBC wants it), and libpq decrypts PEM only",
            written(
                "convert it to PEM; it stays encrypted, with sslpassword as its pass phrase",
                &["openssl", "pkey", "-inform", "DER", "-in", &from, "-aes256", "-out", &to],
            ),
        ),
        KeyProblem::Pkcs12 => (
            "it is a PKCS#12 bundle",
            written(
                "extract the key; it stays encrypted, with sslpassword as its pass phrase",
                &["openssl", "pkcs12", "-in", &from, "-nocerts", "-out", &to],
            ),
        ),
        KeyProblem::OpenSsh => (
            "it is a key in OpenSSH's own format, which OpenSSL does not read",
            Fix::text("convert a copy of it to PEM (an Ed25519 key cannot be converted: create a new key and certificate)")
                .run(format!(
                    "cp {from} {to} && ssh-keygen -p -m PKCS8 -N '' -f {to}",
                    from = text::shell_quoted(&from),
                    to = text::shell_quoted(&to)
                ))
                .set("sslkey", to.clone()),
        ),
        KeyProblem::Certificate => (
            "it contains a certificate, not a private key",
            match view.settings().and_then(|settings| settings.path("sslcert")) {
                Some(certificate) if certificate == path => {
                    Fix::text("set sslkey to the private key of this certificate; now sslkey and sslcert name the same file")
                }
                _ => Fix::text("set sslkey to the private key of this certificate: the file that was created together with its request (CSR)"),
            },
        ),
        KeyProblem::Damaged => ("it is damaged", Fix::text("copy the key again; its PEM block must be complete")),
        KeyProblem::PassPhraseMissing => (
            "it is encrypted, and sslpassword is not set",
            Fix::text(
                "put the passphrase, in place of PASSPHRASE, into a service file that only you can read, and add service=client_key \
                 to the connection string",
            )
            .run(if cfg!(windows) {
                "# in %APPDATA%\\postgresql\\.pg_service.conf:\n[client_key]\nsslpassword=PASSPHRASE".to_owned()
            } else {
                "# in ~/.pg_service.conf:\n[client_key]\nsslpassword=PASSPHRASE\n# then:\nchmod 600 ~/.pg_service.conf".to_owned()
            }),
        ),
        KeyProblem::PassPhraseWrong => (
            "it is encrypted, and sslpassword does not open it",
            Fix::text("try the pass phrase").run_words(["openssl", "pkey", "-noout", "-in", &from]),
        ),
        KeyProblem::CipherUnknown(cipher) => {
            let why = format!("it is encrypted with {}, which pgtls-check cannot read", text::printable(cipher));
            let words = ["openssl", "pkcs8", "-topk8", "-v2", "aes-256-cbc", "-in", &from, "-out", &to];
            return (why, written("encrypt it again with a current cipher", &words));
        }
    };
    (why.to_owned(), fix)
}

pub(super) fn key_permissions(view: &View<'_>) -> Option<Finding> {
    let IdentityError::KeyPermissions { path, mode, owned_by_root } = identity_error(view)? else {
        return None;
    };
    let wanted = if *owned_by_root { "640" } else { "600" };
    let rule = if *owned_by_root {
        "root owns the key: only root and the file's group may read it"
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
            .fix(match std::fs::read_link(path).is_ok_and(|target| target.starts_with("..data")) {
                true => Fix::text(
                    "it is a file of a Kubernetes volume, which is read-only in the pod: set its mode in the pod's spec, with the group of \
                     the account that runs the client, and restart the pod",
                )
                .run("securityContext: { fsGroup: GID }\nvolumes:\n  - secret: { secretName: SECRET, defaultMode: 0640 }"),
                false => Fix::text(match *owned_by_root {
                    true => "allow only root and its group to read the key",
                    false => "allow only the owner to read the key",
                })
                .run_words(["chmod", wanted, &path.to_string_lossy()]),
            })
            // The group alone may read it, as it may if root is the owner.
            .fixes((!*owned_by_root && mode & 0o037 == 0 && !cfg!(windows)).then(|| {
                let key = text::shell_quoted(&path.to_string_lossy());
                Fix::text("if the group has to read it too: let root own it, with mode 0640").run(format!("sudo chown root {key} && sudo chmod 640 {key}"))
            }))
            .fix(without_certificate(view)),
    )
}

pub(super) fn key_mismatch(view: &View<'_>) -> Option<Finding> {
    let IdentityError::KeyMismatch { certificate, key, place } = identity_error(view)? else { return None };
    let show = |path: &Path| path_text(path);
    if let Some(place) = place.filter(|_| !cfg!(windows)) {
        let number = place + 1;
        let file = text::shell_quoted(&certificate.to_string_lossy());
        return Some(
            Finding::titled(format!("the client's own certificate is number {number} in {}, and has to be the first", show(certificate)))
                .because("the private key is that of the certificate there; libpq takes the first one, and the others for its chain")
                .fact("certificate", show(certificate))
                .fact("key", show(key))
                .fix(Fix::text("put it first, in front of its intermediates").run(format!(
                    "awk '/BEGIN CERT/{{n++}} n=={number}' {file} > ordered.crt && awk '/BEGIN CERT/{{n++}} n!={number}' {file} >> ordered.crt\n\
                     cat ordered.crt > {file}"
                ))),
        );
    }
    Some(
        Finding::titled("the private key is not the client certificate's")
            .because(
                "their public keys differ: one of the two files belongs to another certificate, often an \
                 older one",
            )
            .fact("certificate", show(certificate))
            .fact("key", show(key))
            .fix(
                Fix::text(if cfg!(windows) {
                    "set sslkey to the key of this certificate; if it is lost, have a new certificate issued"
                } else {
                    "set sslkey to the key of this certificate (this looks for it on the whole machine); if it is lost, have a new \
                     certificate issued"
                })
                .run(search(certificate, key)),
            )
            .fix(without_certificate(view)),
    )
}

/// Looks for the key of a certificate on the machine: beside the files named a trial has looked (`trial::candidates`).
fn search(certificate: &Path, key: &Path) -> String {
    let certificate_words = text::shell_quoted(&certificate.to_string_lossy());
    let public = format!("openssl x509 -noout -pubkey -in {certificate_words}");
    if cfg!(windows) {
        let key = text::shell_quoted(&key.to_string_lossy());
        return format!("{public}\nopenssl pkey -pubout -in {key}");
    }
    format!(
        "wanted=$({public})\n\
         sudo find / -xdev -type f -size -64k \\( -name '*.key' -o -name '*.pem' \\) 2>/dev/null | while read -r key; do [ \"$(sudo openssl pkey -inform PEM -pubout -passin pass: -in \"$key\" 2>/dev/null)\" = \"$wanted\" ] && echo \"sslkey=$key\"; done"
    )
}
