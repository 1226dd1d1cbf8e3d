//! Files that libpq refuses on reading (initialize_SSL in fe-secure-openssl.c): not there, not readable, not PEM.

use std::path::Path;

use super::conversion::conversions;
use super::{Context, root_sources};
use crate::diagnose::Fix;
use crate::diagnose::code::{Code, Concern, Severity};
use crate::diagnose::rule::Finding;
use crate::diagnose::view::{file_name, path_text};
use crate::stage::Stage;
use crate::text;
use crate::trust::{FileContent, Roots};

/// `root-file-missing`.
pub const ROOT_FILE_MISSING: Code = Code {
    name: "root-file-missing",
    severity: Severity::Failure,
    stage: Stage::Trust,
    title: "the root file does not exist",
    short: Some("no such file"),
    concerns: &[Concern::Roots],
    retryable: false,
    page: include_str!("../explain/root-file-missing.md"),
};

/// `root-file-unreadable`.
pub const ROOT_FILE_UNREADABLE: Code = Code {
    name: "root-file-unreadable",
    severity: Severity::Failure,
    stage: Stage::Trust,
    title: "the root file cannot be read",
    short: Some("the root file cannot be read"),
    concerns: &[Concern::Roots],
    retryable: false,
    page: include_str!("../explain/root-file-unreadable.md"),
};

/// `root-file-invalid`.
pub const ROOT_FILE_INVALID: Code = Code {
    name: "root-file-invalid",
    severity: Severity::Failure,
    stage: Stage::Trust,
    title: "the root file is not a PEM file that libpq can read",
    short: Some("not a valid PEM file"),
    concerns: &[Concern::Roots],
    retryable: false,
    page: include_str!("../explain/root-file-invalid.md"),
};

/// `root-file-missing`.
pub(in crate::diagnose) fn missing(roots: &Roots, context: &Context<'_>) -> Option<Finding> {
    let Roots::Missing { path, typed } = roots else { return None };
    let Some(path) = path else {
        return Some(
            Finding::titled("there is no root file, and no home directory to look for one")
                .because(
                    "sslrootcert is not set, and libpq's default file is in the home directory, which \
                     HOME does not name",
                )
                .fact("looked_for", "~/.postgresql/root.crt")
                .fixes(root_sources(&context.server)),
        );
    };
    let shown = path_text(path);
    if let Some(typed) = typed {
        let typed = typed.to_string_lossy().into_owned();
        return Some(
            Finding::titled(format!("there is no file {shown}"))
                .because(
                    "in a connection string a backslash makes the next sign literal and is itself left out",
                )
                .fact("given", typed.clone())
                .fact("read", shown)
                .fact_if("from", context.from.clone())
                .fix(Fix::default().set("sslrootcert", typed.replace('\\', "/")))
                .fix(Fix::default().set("sslrootcert", typed)),
        );
    }
    let finding = if context.is_default {
        Finding::titled(format!("there is no root file {shown}")).because(
            "sslrootcert is not set, and the default file does not exist for this account; without roots \
             nothing can be verified",
        )
    } else {
        Finding::titled(format!("there is no file {shown}")).because(absent(path))
    };
    let in_place = (!context.is_default)
        .then(|| Fix::text("give the whole path of the file that holds the server's roots"));
    Some(
        finding
            .fact("path", shown)
            .fact_if("from", context.from.clone())
            .fixes(in_place)
            .fixes(root_sources(&context.server)),
    )
}

/// Why a path that somebody gave may lead nowhere.
fn absent(path: &Path) -> &'static str {
    if path.starts_with("~") {
        "libpq does not put the home directory in place of ~"
    } else if path.is_relative() {
        "a relative path is read from the directory the program runs in"
    } else {
        "the path leads nowhere on this machine; in a container or as a service, files of another account \
         or host are not there"
    }
}

/// `root-file-unreadable`.
pub(in crate::diagnose) fn unreadable(roots: &Roots, context: &Context<'_>) -> Option<Finding> {
    let (path, error, cause, fix) = match roots {
        Roots::Unreadable { path, error } => {
            let shown = path.to_string_lossy();
            let (cause, fix) = match error.kind {
                std::io::ErrorKind::PermissionDenied => (
                    "the account that runs this may not read the file, or not enter a directory above it",
                    Fix::text(
                        "let this account read the file and enter its directories; a root is no secret",
                    )
                    .run_words(["chmod", "a+r", &shown]),
                ),
                _ => (
                    "the file exists but cannot be read",
                    Fix::text("look at the file and its disk").run_words(["ls", "-l", &shown]),
                ),
            };
            (path, text::printable(&error.text), cause, fix)
        }
        Roots::Invalid { path, content: FileContent::Directory } => {
            let fix = Fix::text("name the file in it that holds the server's root");
            let cause = "sslrootcert takes one file of PEM certificates; libpq reads no directory of them, not even \
                         a hashed one";
            (path, "it is a directory".to_owned(), cause, fix)
        }
        _ => return None,
    };
    Some(
        Finding::titled(format!("the root file {} cannot be read", path_text(path)))
            .because(cause)
            .fact("path", path_text(path))
            .fact("error", error)
            .fact_if("from", context.from.clone())
            .fix(fix),
    )
}

/// `root-file-invalid`.
pub(in crate::diagnose) fn invalid(roots: &Roots, context: &Context<'_>) -> Option<Finding> {
    let Roots::Invalid { path, content } = roots else { return None };
    if *content == FileContent::Directory {
        return None;
    }
    let what = text::printable(&content.to_string());
    Some(
        Finding::titled(format!("{} is not a valid PEM file: {what}", file_name(path)))
            .because(
                "libpq reads PEM blocks (-----BEGIN CERTIFICATE----- at the beginning of a line); it rejects the \
                 whole file if it contains none, or one damaged block",
            )
            .fact("path", path_text(path))
            .fact("content", what)
            .fact_if("from", context.from.clone())
            .fixes(conversions(path, content))
            .fixes(root_sources(&context.server).into_iter().take(1)),
    )
}
