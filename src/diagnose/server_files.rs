//! The files of a server that is still to be: what PostgreSQL itself refuses on reading, in its order (be_tls_init in
//! be-secure-openssl.c). It stops at the first, so that one is the diagnosis and the others stand beside it.

use std::path::Path;

use super::Fix;
use super::certificate::refused_as_weak;
use super::code::{Code, Severity};
use super::root_file::to_pem;
use super::rule::{Finding, Rule};
use super::view::{View, file_name, path_text};
use crate::file::obstacle::{Account, Obstacle};
use crate::stage::Stage;
use crate::text::{self, shell_quoted};
use crate::trust::{FileContent, FileError, KeyProblem, ServerFault, ServerFile, ServerProblem};

/// `server-cert-invalid`.
pub const SERVER_CERT_INVALID: Code = Code {
    name: "server-cert-invalid",
    severity: Severity::Failure,
    stage: Stage::Trust,
    title: "the server certificate file cannot be loaded",
    short: Some("PostgreSQL cannot load the certificate file"),
    concerns: &[],
    retryable: false,
};

/// `server-key-permissions`.
pub const SERVER_KEY_PERMISSIONS: Code = Code {
    name: "server-key-permissions",
    severity: Severity::Failure,
    stage: Stage::Trust,
    title: "owner or mode of the server's private key are not allowed",
    short: Some("PostgreSQL refuses the key's owner or mode"),
    concerns: &[],
    retryable: false,
};

/// `server-key-invalid`.
pub const SERVER_KEY_INVALID: Code = Code {
    name: "server-key-invalid",
    severity: Severity::Failure,
    stage: Stage::Trust,
    title: "the server's private key cannot be loaded",
    short: Some("PostgreSQL cannot load the key"),
    concerns: &[],
    retryable: false,
};

/// `server-key-mismatch`.
pub const SERVER_KEY_MISMATCH: Code = Code {
    name: "server-key-mismatch",
    severity: Severity::Failure,
    stage: Stage::Trust,
    title: "the server's private key does not match its certificate",
    short: Some("key and certificate do not belong together"),
    concerns: &[],
    retryable: false,
};

/// `client-ca-invalid`.
pub const CLIENT_CA_INVALID: Code = Code {
    name: "client-ca-invalid",
    severity: Severity::Failure,
    stage: Stage::Trust,
    title: "the server's file of client CAs cannot be loaded",
    short: Some("PostgreSQL cannot load the client CAs"),
    concerns: &[],
    retryable: false,
};

/// `server-crl-invalid`.
pub const SERVER_CRL_INVALID: Code = Code {
    name: "server-crl-invalid",
    severity: Severity::Failure,
    stage: Stage::Trust,
    title: "the server's CRL file cannot be loaded",
    short: Some("PostgreSQL cannot load the CRLs"),
    concerns: &[],
    retryable: false,
};

/// In PostgreSQL's order.
pub(super) const RULES: &[Rule] = &[
    Rule { code: &SERVER_CERT_INVALID, detect: certificate },
    Rule { code: &SERVER_KEY_PERMISSIONS, detect: key_permissions },
    Rule { code: &SERVER_KEY_INVALID, detect: key },
    Rule { code: &SERVER_KEY_MISMATCH, detect: key_mismatch },
    Rule { code: &CLIENT_CA_INVALID, detect: authorities },
    Rule { code: &SERVER_CRL_INVALID, detect: lists },
];

/// What comes of it, which is the same for all.
const CONSEQUENCE: &str =
    "PostgreSQL does not start with ssl = on then; on a reload it keeps what it has loaded before";

/// The first fault of a file for which something holds.
fn fault<'a>(view: &View<'a>, wanted: impl Fn(&ServerFault) -> bool) -> Option<&'a ServerFault> {
    view.rehearsal()?.files.faults.iter().find(|fault| wanted(fault))
}

fn of<'a>(view: &View<'a>, file: ServerFile) -> Option<&'a ServerFault> {
    fault(view, |fault| fault.file == file)
}

/// The finding on a file, with what PostgreSQL's log says of it.
fn finding(fault: &ServerFault, title: String, why: &str, log: &str) -> Finding {
    let cause = if why.is_empty() { CONSEQUENCE.to_owned() } else { format!("{why}; {CONSEQUENCE}") };
    Finding::titled(title)
        .because(cause)
        .fact("setting", fault.file.setting())
        .fact("path", path_text(&fault.path))
        .fact("postgresql_reports", log)
}

/// A file that is not there or not readable: for this account, or for the server's.
fn unreadable(fault: &ServerFault, what: &str, log: &str) -> Option<Finding> {
    let path = path_text(&fault.path);
    let quoted = fault.path.to_string_lossy();
    let (title, why, fix) = match &fault.problem {
        ServerProblem::Unreadable(error) if error.kind == std::io::ErrorKind::NotFound => (
            format!("there is no {what} {path}"),
            obstacle_words(error),
            match crate::file::obstacle::similar(&fault.path) {
                Some(similar) => Fix::text(format!("use {}, which exists", path_text(&similar))),
                None => {
                    Fix::text(format!("name the {what} that is to be {} on the server", fault.file.setting()))
                }
            },
        ),
        ServerProblem::Unreadable(error) => (
            format!("the {what} {path} cannot be read"),
            obstacle_words(error),
            Fix::text("run this as an account that can read the file, such as the server's own")
                .run_words(["ls", "-l", &quoted]),
        ),
        ServerProblem::NotForAccount(obstacle) => {
            let (Obstacle::NotSearchable(found) | Obstacle::NotReadable(found)) = &**obstacle else {
                return None;
            };
            let account = name_of(&found.account);
            let fix = if fault.file == ServerFile::Key {
                Fix::text(format!("let {account} own the key")).run(format!(
                    "chown {account} {key} && chmod 600 {key}",
                    account = shell_quoted(&account),
                    key = shell_quoted(&quoted)
                ))
            } else {
                Fix::text(format!("let {account} read the file; it is no secret")).run_words([
                    "chmod",
                    if matches!(**obstacle, Obstacle::NotSearchable(_)) { "a+x" } else { "a+r" },
                    &found.path.to_string_lossy(),
                ])
            };
            (
                format!("PostgreSQL, as {account}, cannot read the {what} {path}"),
                text::printable(&obstacle.to_string()),
                fix,
            )
        }
        _ => return None,
    };
    Some(finding(fault, title, &why, log).fix(fix))
}

fn obstacle_words(error: &FileError) -> String {
    let obstacle = error.obstacle.as_deref().map(|obstacle| text::printable(&obstacle.to_string()));
    obstacle.unwrap_or_else(|| text::printable(&error.text))
}

fn name_of(account: &Account) -> String {
    account.name.as_deref().map_or_else(|| account.uid.to_string(), text::printable)
}

fn certificate(view: &View<'_>) -> Option<Finding> {
    let fault = of(view, ServerFile::Certificate)?;
    let log = format!("could not load server certificate file \"{}\"", path_text(&fault.path));
    if let Some(found) = unreadable(fault, "certificate file", &log) {
        return Some(found);
    }
    let ServerProblem::Content(content) = &fault.problem else { return None };
    let title = format!("PostgreSQL cannot load {}: {content}", file_name(&fault.path));
    let why = "PostgreSQL reads PEM there, the server's certificate first and the intermediates after it";
    Some(finding(fault, title, why, &log).fix(certificate_fix(&fault.path, content)))
}

/// What makes a certificate file of what it is.
fn certificate_fix(path: &Path, content: &FileContent) -> Fix {
    let name = file_name(path);
    match content {
        FileContent::Pkcs12 => {
            let [from, chain, key] =
                ["", ".crt", ".key"].map(|end| format!("{}{end}", path.to_string_lossy()));
            Fix::text(format!(
                "take certificate, chain and key out, then rehearse these: --cert {name}.crt --key {name}.key"
            ))
            .run(format!(
                "openssl pkcs12 -in {from} -nokeys -out {chain}\nopenssl pkcs12 -in {from} -nocerts -nodes -out {key} && chmod 600 {key}",
                from = shell_quoted(&from),
                chain = shell_quoted(&chain),
                key = shell_quoted(&key),
            ))
        }
        FileContent::PrivateKey => {
            Fix::text(format!("{name} is a private key: if --cert and --key are swapped, swap them"))
        }
        FileContent::Csr => Fix::text(format!(
            "{name} is a request: have the CA sign it, and name the certificate that the CA returns"
        )),
        FileContent::Directory => Fix::text("name the certificate's file, not its directory"),
        FileContent::TooWeak { is_leaf, weakness, .. } => {
            let (_, needed) = refused_as_weak(None, weakness);
            Fix::text(match is_leaf {
                true => {
                    format!("{name}: have the CA issue the server's certificate again: it needs {needed}")
                }
                false => format!(
                    "{name}: put the CA's current certificate in the place of that one: it needs {needed}"
                ),
            })
        }
        FileContent::BadBlock { line, .. } => {
            Fix::text(format!("{name}: copy the certificate at line {line} again, or reissue it"))
        }
        _ => match to_pem(path, content) {
            Some((text, words, to)) => Fix::text(format!("{text}, then use {}", path_text(&to)))
                .run_words(words.iter().map(String::as_str)),
            None => Fix::text(format!(
                "{name}: put the server's certificate there as PEM, and the intermediates after it"
            )),
        },
    }
}

fn key_permissions(view: &View<'_>) -> Option<Finding> {
    let is_such = |fault: &ServerFault| {
        matches!(fault.problem, ServerProblem::Mode { .. } | ServerProblem::Owner { .. })
    };
    let fault = fault(view, is_such)?;
    let (path, quoted) = (path_text(&fault.path), fault.path.to_string_lossy());
    let name = file_name(&fault.path);
    match &fault.problem {
        ServerProblem::Mode { mode, owned_by_root } => {
            let (most, rule) = match owned_by_root {
                true => {
                    ("640", "root owns the key: root may write it, its group may read it, others nothing")
                }
                false => ("600", "only its owner may read or write the key"),
            };
            let log = format!("private key file \"{path}\" has group or world access");
            Some(
                finding(fault, format!("other users can access the private key {path}"), rule, &log)
                    .fact("mode", format!("{mode:04o}"))
                    .fact("at_most", format!("0{most}"))
                    .fix(
                        Fix::text(format!(
                            "{name}: allow no more than mode 0{most}; root or the account that runs PostgreSQL (postgres, here) has to own it"
                        ))
                        .run(format!("chmod {most} {key} && chown postgres {key}", key = shell_quoted(&quoted))),
                    ),
            )
        }
        ServerProblem::Owner { owner, account } => {
            let log = format!("private key file \"{path}\" must be owned by the database user or root");
            let to = name_of(account);
            let why = format!("PostgreSQL is to run as {to}, and takes only a key that {to} or root owns");
            Some(
                finding(fault, format!("the private key {path} belongs to {}", name_of(owner)), &why, &log)
                    .fact("owner", text::printable(&owner.to_string()))
                    .fact("server_account", text::printable(&account.to_string()))
                    .fix(Fix::text(format!("{name}: let {to} own it")).run(format!(
                        "chown {to} {key} && chmod 600 {key}",
                        to = shell_quoted(&to),
                        key = shell_quoted(&quoted)
                    ))),
            )
        }
        _ => None,
    }
}

fn key(view: &View<'_>) -> Option<Finding> {
    let fault = fault(view, |fault| {
        let is_elsewhere = matches!(
            fault.problem,
            ServerProblem::Mode { .. } | ServerProblem::Owner { .. } | ServerProblem::KeyMismatch { .. }
        );
        fault.file == ServerFile::Key && !is_elsewhere
    })?;
    let path = path_text(&fault.path);
    let load = format!("could not load private key file \"{path}\"");
    let log = match &fault.problem {
        ServerProblem::Unreadable(_) => format!("could not access private key file \"{path}\""),
        ServerProblem::NotAFile => format!("private key file \"{path}\" is not a regular file"),
        ServerProblem::Key(KeyProblem::PassPhraseMissing) => {
            format!("private key file \"{path}\" cannot be reloaded because it requires a passphrase")
        }
        _ => load,
    };
    if let Some(found) = unreadable(fault, "private key", &log) {
        return Some(found);
    }
    let (why, fix) = match &fault.problem {
        ServerProblem::NotAFile => ("it is not a regular file", Fix::text("name the key's own file")),
        ServerProblem::KeyInDer => (
            "it is DER, and PostgreSQL reads its key as PEM only",
            converted("convert it to PEM", &["openssl", "pkey", "-inform", "DER"], &fault.path),
        ),
        ServerProblem::Key(problem) => key_problem(problem, &fault.path),
        _ => return None,
    };
    Some(finding(fault, format!("PostgreSQL cannot load the private key {path}"), why, &log).fix(fix))
}

/// A command that writes the key of a file as PEM beside it.
fn converted(text: &str, words: &[&str], path: &Path) -> Fix {
    let from = path.to_string_lossy();
    let to = format!("{from}.pem");
    let words: Vec<String> = words.iter().map(|word| shell_quoted(word)).collect();
    Fix::text(format!("{text}, then use {}", path_text(Path::new(&to)))).run(format!(
        "{} -in {from} -out {to} && chmod 600 {to}",
        words.join(" "),
        from = shell_quoted(&from),
        to = shell_quoted(&to)
    ))
}

/// Why a key file yields no key to PostgreSQL, and what makes one of it.
fn key_problem(problem: &KeyProblem, path: &Path) -> (&'static str, Fix) {
    let again =
        || Fix::text("copy the key again: its PEM block must be complete, each line a line of its own");
    match problem {
        KeyProblem::PassPhraseMissing => (
            "it is encrypted, and PostgreSQL asks for no pass phrase on a reload unless ssl_passphrase_command is set (with \
             ssl_passphrase_command_supports_reload)",
            converted("decrypt it", &["openssl", "pkey"], path),
        ),
        KeyProblem::PassPhraseWrong => (
            "it is encrypted, and what ssl_passphrase_command prints does not open it",
            Fix::text("try the pass phrase").run_words([
                "openssl",
                "pkey",
                "-noout",
                "-in",
                &path.to_string_lossy(),
            ]),
        ),
        KeyProblem::EncryptedDer => (
            "it is an encrypted key in DER, and PostgreSQL reads its key as PEM only",
            converted("convert it to PEM", &["openssl", "pkey", "-inform", "DER"], path),
        ),
        KeyProblem::Pkcs12 => (
            "it is a PKCS#12 bundle",
            converted("take the key out", &["openssl", "pkcs12", "-nocerts", "-nodes"], path),
        ),
        KeyProblem::OpenSsh => (
            "it is a key in OpenSSH's own format, which OpenSSL does not read",
            Fix::text("create a key with openssl, and have a certificate issued for it"),
        ),
        KeyProblem::Certificate => (
            "it contains a certificate, not a private key",
            Fix::text(
                "name the key that was created together with the certificate's request; if --cert and --key are swapped, swap them",
            ),
        ),
        KeyProblem::Altered => ("it contains the text of a private key whose lines were altered", again()),
        KeyProblem::Damaged => ("it is damaged", again()),
        KeyProblem::NotAKey => (
            "it contains no private key",
            Fix::text("name the key that was created together with the certificate's request"),
        ),
        KeyProblem::CipherUnknown(_) => (
            "it is encrypted in a way that pgtls-check cannot read",
            converted("decrypt it", &["openssl", "pkey"], path),
        ),
    }
}

fn key_mismatch(view: &View<'_>) -> Option<Finding> {
    let fault = fault(view, |fault| matches!(fault.problem, ServerProblem::KeyMismatch { .. }))?;
    let ServerProblem::KeyMismatch { fits, other_kind } = fault.problem else { return None };
    let certificates = &view.rehearsal()?.files.certificate_file;
    let (file, key) = (path_text(certificates), path_text(&fault.path));
    // OpenSSL keeps keys of each kind apart.
    let log = match other_kind {
        true => "check of private key failed: no certificate assigned".to_owned(),
        false => format!("could not load private key file \"{key}\": key values mismatch"),
    };
    let quoted = [certificates, &fault.path].map(|path| shell_quoted(&path.to_string_lossy()));
    let [certificate, key_file] = &quoted;
    let found = match fits {
        Some(line) => {
            let why = "the first certificate of the file is taken for the server's own";
            let title = format!("the server's certificate is not the first in {file}");
            finding(fault, title, why, &log).fact("key_fits", format!("{file}, line {line}")).fix(Fix::text(
                format!(
                    "{}: move the certificate at line {line} to the top, the intermediates after it",
                    file_name(certificates)
                ),
            ))
        }
        None => {
            let why = "their public keys differ: one of the two files belongs to another certificate, often an older one";
            finding(fault, format!("the private key {key} is not the key of {file}"), why, &log).fix(
                Fix::text("name the key that the certificate was requested with: these two commands print the same key for it")
                    .run(format!("openssl x509 -noout -pubkey -in {certificate}\nopenssl pkey -pubout -in {key_file}")),
            )
        }
    };
    Some(found.fact("certificate_file", file))
}

fn authorities(view: &View<'_>) -> Option<Finding> {
    let fault = of(view, ServerFile::Authorities)?;
    let log = format!("could not load root certificate file \"{}\"", path_text(&fault.path));
    if let Some(found) = unreadable(fault, "file of client CAs", &log) {
        return Some(found);
    }
    let ServerProblem::Content(content) = &fault.problem else { return None };
    let title = format!("PostgreSQL cannot load {}: {content}", file_name(&fault.path));
    let why = "PostgreSQL reads PEM there, and rejects the whole file if it contains no certificate, or one damaged block";
    let fix = match to_pem(&fault.path, content) {
        Some((text, words, to)) => Fix::text(format!("{text}, then use {}", path_text(&to)))
            .run_words(words.iter().map(String::as_str)),
        None => Fix::text(format!(
            "{}: put the certificates of the CAs there that issue your clients' certificates, as PEM",
            file_name(&fault.path)
        )),
    };
    Some(finding(fault, title, why, &log).fix(fix))
}

fn lists(view: &View<'_>) -> Option<Finding> {
    let fault = of(view, ServerFile::Lists)?;
    let path = path_text(&fault.path);
    let log = format!("could not load SSL certificate revocation list file \"{path}\"");
    if let Some(found) = unreadable(fault, "CRL file", &log) {
        return Some(found);
    }
    let ServerProblem::NoList(why) = &fault.problem else { return None };
    let title = format!("PostgreSQL cannot load {}: {}", file_name(&fault.path), text::printable(why));
    let quoted = fault.path.to_string_lossy();
    let to = format!("{quoted}.pem");
    Some(
        finding(fault, title, "PostgreSQL reads CRLs as PEM there, one of each client CA", &log).fix(
            Fix::text("get the CRL of each client CA and write it as PEM; of one in DER")
                .run_words(["openssl", "crl", "-inform", "DER", "-in", &quoted, "-out", &to]),
        ),
    )
}
