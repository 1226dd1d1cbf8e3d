//! The files: roots, client certificate and key, CRLs. libpq reads them after the server's `S`; what a chain shows of
//! them (an expired root, an unusable CRL) is judged with it.

mod client;

use std::ops::Range;
use std::path::Path;

use super::Fix;
use super::fix::root_sources;
use super::rule::{Finding, Rule, rule};
use super::view::{View, file_name, path_text};
use crate::conninfo::RootChoice;
use crate::text;
use crate::trust::{FileContent, Roots};
use crate::verify::{CrlFault, Defect};

pub(super) use client::{CLIENT_CERT_MISSING, absent_certificate};

/// What libpq refuses on reading, in its order (initialize_SSL in fe-secure-openssl.c).
pub(super) const RULES: &[Rule] = &[
    ROOT_FILE_MISSING,
    ROOT_FILE_UNREADABLE,
    ROOT_FILE_INVALID,
    client::CLIENT_CERT_INVALID,
    client::CLIENT_KEY_MISSING,
    client::CLIENT_KEY_PERMISSIONS,
    client::CLIENT_KEY_MISMATCH,
    client::CLIENT_KEY_INVALID,
];

/// What only a chain shows.
pub(super) const JUDGED: &[Rule] = &[ROOT_EXPIRED, CRL_INVALID];

/// What only the end of authentication shows.
pub(super) const AUTHENTICATED: &[Rule] = &[CLIENT_CERT_MISSING];

rule!(ROOT_FILE_MISSING, "root-file-missing", "the root file does not exist", retryable: false, root_missing);
rule!(
    ROOT_FILE_UNREADABLE, "root-file-unreadable", "the root file cannot be read", retryable: false, root_unreadable
);
rule!(
    ROOT_FILE_INVALID, "root-file-invalid", "the root file holds no certificates that libpq can read",
    retryable: false, root_invalid
);
rule!(ROOT_EXPIRED, "root-expired", "the root in the file has expired", retryable: false, root_expired);
rule!(CRL_INVALID, "crl-invalid", "a CRL that the check needs is no good", retryable: false, crl_invalid);

/// `sslrootcert`, and where it was said.
fn said(view: &View<'_>, keyword: &str) -> String {
    match view.origin(keyword) {
        Some(origin) => format!("{keyword} from {origin}"),
        None => "libpq's default file".to_owned(),
    }
}

fn root_missing(view: &View<'_>) -> Option<Finding> {
    let Roots::Missing { path, typed } = &view.trust()?.roots else { return None };
    let Some(path) = path else {
        return Some(
            Finding::titled("there is no root file, and no home directory to look for one")
                .because(
                    "sslrootcert is not set, and libpq's default file is in the home directory, which \
                     HOME does not name",
                )
                .fact("looked_for", "~/.postgresql/root.crt")
                .fixes(root_sources(view)),
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
                .fact("from", said(view, "sslrootcert"))
                .mark(view.mark(&backslashes(view), "a backslash escapes the next sign"))
                .fix(Fix::default().set("sslrootcert", typed.replace('\\', "/")))
                .fix(Fix::default().set("sslrootcert", typed)),
        );
    }
    let default = matches!(view.settings().map(|settings| &settings.root), Some(RootChoice::Default(_)));
    let finding = if default {
        Finding::titled(format!("there is no root file {shown}")).because(
            "sslrootcert is not set, and the default file does not exist for this account; without roots \
             nothing can be verified",
        )
    } else {
        Finding::titled(format!("there is no file {shown}")).because(if path.starts_with("~") {
            "libpq does not put the home directory in place of ~"
        } else if path.is_relative() {
            "a relative path is read from the directory the program runs in"
        } else {
            "the path leads nowhere on this machine; in a container or as a service, files of another \
             account or host are not there"
        })
    };
    let mark = view
        .settings()
        .and_then(|settings| settings.parameter("sslrootcert"))
        .and_then(|parameter| parameter.place.as_ref())
        .and_then(|place| view.mark(std::slice::from_ref(&place.value), "no such file"));
    let in_place =
        (!default).then(|| Fix::text("give the whole path of the file that holds the server's roots"));
    Some(
        finding
            .fact("path", shown)
            .fact("from", said(view, "sslrootcert"))
            .mark(mark)
            .fixes(in_place)
            .fixes(root_sources(view)),
    )
}

/// The backslashes of the root file's path that escape another sign, in bytes of the connection string.
fn backslashes(view: &View<'_>) -> Vec<Range<usize>> {
    let place = view.settings().and_then(|settings| settings.parameter("sslrootcert")?.place.clone());
    let (Some(place), Some(input)) = (place, &view.evidence.input) else { return Vec::new() };
    let mut spans = Vec::new();
    let mut at = place.value.start;
    while at < place.value.end {
        if input.expose().get(at) != Some(&b'\\') {
            at += 1;
            continue;
        }
        // A pair stands for one and loses nothing.
        if input.expose().get(at + 1) != Some(&b'\\') {
            spans.push(at..at + 1);
        }
        at += 2;
    }
    spans
}

fn root_unreadable(view: &View<'_>) -> Option<Finding> {
    let (path, error, cause, fix) = match &view.trust()?.roots {
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
                    "the file is there, and the system does not hand out its content",
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
            .fact("from", said(view, "sslrootcert"))
            .fix(fix),
    )
}

fn root_invalid(view: &View<'_>) -> Option<Finding> {
    let Roots::Invalid { path, content } = &view.trust()?.roots else { return None };
    if *content == FileContent::Directory {
        return None;
    }
    let what = text::printable(&content.to_string());
    Some(
        Finding::titled(format!("{} is no file of PEM certificates: {what}", file_name(path)))
            .because(
                "libpq reads PEM blocks (-----BEGIN CERTIFICATE-----), refuses a file with none, and any \
                 file whole for one bad block",
            )
            .fact("path", path_text(path))
            .fact("content", what)
            .fact("from", said(view, "sslrootcert"))
            .fixes(conversions(path, content))
            .fixes(root_sources(view).into_iter().take(1)),
    )
}

/// How to make PEM of what a file is.
fn conversions(path: &Path, content: &FileContent) -> Vec<Fix> {
    let from = path.to_string_lossy().into_owned();
    let is_pem = path.extension().is_some_and(|extension| extension == "pem");
    let to = path.with_extension(if is_pem { "converted.pem" } else { "pem" }).to_string_lossy().into_owned();
    let convert = |text: &str, words: &[&str]| Fix {
        converts: Some(path.to_owned()),
        ..Fix::text(text).run_words(words.iter().copied()).set("sslrootcert", to.clone())
    };
    match content {
        FileContent::DerCertificate => {
            vec![convert(
                "convert it to PEM",
                &["openssl", "x509", "-inform", "DER", "-in", &from, "-out", &to],
            )]
        }
        FileContent::Pkcs7 => vec![
            convert(
                "take the certificates out",
                &["openssl", "pkcs7", "-print_certs", "-in", &from, "-out", &to],
            ),
            convert(
                "the same, where the file is DER",
                &["openssl", "pkcs7", "-inform", "DER", "-print_certs", "-in", &from, "-out", &to],
            ),
        ],
        FileContent::Pkcs12 => vec![convert(
            "take the CA's certificates out",
            &["openssl", "pkcs12", "-in", &from, "-cacerts", "-nokeys", "-out", &to],
        )],
        FileContent::Utf16 if cfg!(windows) => vec![convert(
            "save it as ASCII: Windows PowerShell's > writes UTF-16",
            &["powershell", "-c", "Get-Content", &from, "|", "Set-Content", "-Encoding", "ascii", &to],
        )],
        FileContent::Utf16 => {
            vec![convert(
                "save it as ASCII or UTF-8",
                &["iconv", "-f", "UTF-16", "-t", "UTF-8", "-o", &to, &from],
            )]
        }
        FileContent::PrivateKey => {
            vec![Fix::text(
                "name the file with the CA's certificate in sslrootcert; a private key goes into sslkey, \
                 and only the client's own",
            )]
        }
        FileContent::Csr => vec![Fix::text("use the CA's certificate; this is only a request for one")],
        FileContent::Html => vec![Fix::text(
            "download the file again: what was saved is a web page, mostly of an error or a log-in",
        )],
        FileContent::BadBlock { line, .. } => vec![
            Fix::text(format!(
                "replace or remove the block that begins at line {line}; every block must be whole"
            )),
            Fix::text("download the file again"),
        ],
        FileContent::Empty => vec![Fix::text("download the file again: it is empty")],
        FileContent::Directory | FileContent::NoCertificate => {
            vec![Fix::text("name the file with the CA's certificates in PEM")]
        }
    }
}

fn root_expired(view: &View<'_>) -> Option<Finding> {
    let judgement = view.judgement()?;
    let (root, place) = judgement.defects.iter().find_map(|defect| match defect {
        Defect::Expired { at } => super::certificate::expired_root_of_file(judgement, *at),
        _ => None,
    })?;
    let facts = root.facts().ok()?;
    let name = root.short_subject();
    let days = view.evidence.judged_at.days_since(facts.not_after);
    let file = view.store()?.certificates.get(place)?;
    Some(
        Finding::titled(format!("the root {name} in your file ended on {}", facts.not_after.date()))
            .because(
                "libpq refuses an expired root like any other certificate, and the file has none that \
                 could take its place",
            )
            .fact("root", name)
            .fact("sha256", root.fingerprint())
            .fact("ended", facts.not_after.date())
            .fact("days_past", days)
            .fact("in_file", format!("{}, line {}", path_text(&file.file), file.line))
            .fixes(root_sources(view))
            .fixes(super::certificate::clock_fix(view, &judgement.defects)),
    )
}

fn crl_invalid(view: &View<'_>) -> Option<Finding> {
    let judgement = view.judgement()?;
    let (list, fault) = judgement.defects.iter().find_map(|defect| match defect {
        Defect::CrlInvalid { list, fault, .. } => Some((list, fault)),
        _ => None,
    })?;
    let issuer = list.crl.facts().issuer.to_string();
    let path = path_text(&list.file);
    let (what, date) = match fault {
        CrlFault::Expired(date) => (format!("was due for renewal on {}", date.date()), Some(date.date())),
        CrlFault::NotYetValid(date) => (format!("counts only from {} on", date.date()), Some(date.date())),
        CrlFault::BadSignature => ("is not signed with the issuer's key".to_owned(), None),
        CrlFault::UnsupportedHere(what) => {
            (format!("is signed in a way this tool cannot verify ({what})"), None)
        }
        CrlFault::IssuerMayNotSign => ("comes from a CA whose keyUsage lacks cRLSign".to_owned(), None),
        CrlFault::OtherScope => ("covers other certificates (issuingDistributionPoint)".to_owned(), None),
        CrlFault::UnknownCriticalExtension => {
            ("has a critical extension that OpenSSL does not know".to_owned(), None)
        }
    };
    let fix = match fault {
        CrlFault::Expired(_)
        | CrlFault::BadSignature
        | CrlFault::UnknownCriticalExtension
        | CrlFault::OtherScope => {
            Fix::text("fetch the CA's present CRL and put it, as PEM, in the place of the old one")
        }
        CrlFault::NotYetValid(_) => {
            Fix::text("compare this machine's clock with the right time").run("date -u")
        }
        CrlFault::UnsupportedHere(_) => {
            Fix::text("let the CA sign its CRL with SHA-256 and RSA, ECDSA or Ed25519")
        }
        CrlFault::IssuerMayNotSign => {
            Fix::text("let the CA reissue its certificate with cRLSign in keyUsage")
        }
    };
    Some(
        Finding::titled(format!("the CRL of {} {what}", text::printable(&issuer)))
            .because("with CRL checking on, libpq refuses every certificate whose CRL is no good")
            .fact("path", format!("{path}, line {}", list.line))
            .fact("issuer", text::printable(&issuer))
            .fact_if("date", date)
            .fix(fix),
    )
}
