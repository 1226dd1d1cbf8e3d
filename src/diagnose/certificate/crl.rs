//! CRLs that are missing: which, where they are to be had, where they go.

use std::path::Path;

use super::faults::{first, subject};
use crate::certificate::{Certificate, CrlPointName, GeneralName};
use crate::conninfo::Origin;
use crate::diagnose::code::{Code, Concern, Severity};
use crate::diagnose::rule::Finding;
use crate::diagnose::view::{Reachability, View, path_text, reachability};
use crate::diagnose::{Fix, Note, by_default};
use crate::stage::Stage;
use crate::text;
use crate::trust::{CrlDirectoryState, Revocation};
use crate::verify::Defect;

/// Of an address for a CRL.
const LONGEST_ADDRESS: usize = 300;

/// `crl-missing`.
pub const CRL_MISSING: Code = Code {
    name: "crl-missing",
    severity: Severity::Failure,
    stage: Stage::Certificate,
    title: "CRL checking is on and a CRL is missing",
    short: Some("a CRL is missing"),
    concerns: &[Concern::Revocation],
    retryable: false,
};

pub(super) fn crl_missing(view: &View<'_>) -> Option<Finding> {
    let (defect, _, part) = first(view, |defect| matches!(defect, Defect::CrlMissing { .. }))?;
    let Defect::CrlMissing { issuer, .. } = defect else { return None };
    let issuer = text::printable(issuer);
    let (given, directory) = match &view.trust()?.revocation {
        Revocation::On { lists, directory, .. } => {
            let files = crate::diagnose::view::at_most(5, lists.iter().map(|list| path_text(&list.file)));
            (files, directory.as_ref())
        }
        Revocation::Off | Revocation::Ignored { .. } => (Vec::new(), None),
    };
    let state = directory.map(|directory| {
        let what = match directory.state {
            CrlDirectoryState::Missing => "which does not exist",
            CrlDirectoryState::Silent => "whose file system does not answer",
            CrlDirectoryState::Empty => "which is empty",
            CrlDirectoryState::NotHashed => "whose files are not named by hash, so that OpenSSL finds none",
            CrlDirectoryState::Hashed => "which has no CRL of that issuer",
        };
        (directory, format!("{}, {what}", path_text(&directory.path)))
    });
    let unnamed = unnamed_crl(view);
    let nowhere = state
        .as_ref()
        .filter(|(directory, _)| directory.state == CrlDirectoryState::Missing && given.is_empty());
    let not_hashed = state.as_ref().filter(|(directory, _)| directory.state == CrlDirectoryState::NotHashed);
    let rehash = not_hashed.map(|(directory, _)| {
        Fix::text("name the files by hash").run_words([
            "openssl",
            "rehash",
            &directory.path.to_string_lossy(),
        ])
    });
    let finding = match nowhere {
        Some((directory, _)) => {
            Finding::titled(format!("sslcrldir: there is no directory {}", path_text(&directory.path)))
                .in_short("no CRL directory")
        }
        None => Finding::titled(format!("there is no CRL of {issuer} to check {part}")),
    };
    Some(
        finding
            .because(match unnamed {
                None if nowhere.is_some() => {
                    "sslcrldir turns checking on for the whole chain: libpq needs a CRL of every issuer up to the root, and \
                     rejects the certificate because it finds none"
                }
                Some(_) => {
                    "sslcrl is not set; libpq found a CRL in its default place, which turns checking on for the whole chain: it \
                     then needs a CRL of every issuer up to the root"
                }
                None => {
                    "sslcrl or sslcrldir turns checking on for the whole chain: libpq then needs a CRL of every issuer up to \
                     the root"
                }
            })
            .fact("issuer", issuer)
            .fact("certificate", subject(view, defect))
            .fact("crl_files", given)
            .fact_if("from", unnamed.map(|_| "found by default (sslcrl is not set)"))
            .fact_if("directory", state.as_ref().map(|(_, words)| words.clone()))
            .fixes(rehash)
            // What nobody named is most likely a leftover.
            .fixes(unnamed.map(|_| is_unwanted(view)).into_iter().flatten())
            .fixes(add_crl(view).into_iter().flatten())
            .fixes(unnamed.is_none().then(|| is_unwanted(view)).into_iter().flatten()),
    )
}

/// A CA whose CRL the path needs and has not.
struct Lacking {
    name: String,
    /// What its CRL is called in the commands.
    file: String,
    /// Where the certificate that it issued says that the CRL is to be had.
    address: Option<String>,
}

fn lacking(view: &View<'_>) -> Vec<Lacking> {
    let judgement = view.judgement();
    let path = judgement.map(|judgement| judgement.path.as_slice()).unwrap_or_default();
    let have: Vec<&[u8]> = match view.trust().map(|trust| &trust.revocation) {
        Some(Revocation::On { lists, .. }) => {
            lists.iter().map(|list| list.crl.facts().issuer.canonical.as_slice()).collect()
        }
        _ => Vec::new(),
    };
    let found: Vec<(&Certificate, &Certificate)> = path
        .iter()
        .zip(path.iter().skip(1))
        .map(|(issued, issuer)| (&issued.certificate, &issuer.certificate))
        .filter(|(_, issuer)| {
            issuer.facts().is_ok_and(|facts| !have.contains(&facts.subject.canonical.as_slice()))
        })
        .collect();
    let file = |index: usize| match found.len() {
        0 | 1 => "ca.crl".to_owned(),
        _ => format!("ca{}.crl", index + 1),
    };
    let mut lacking: Vec<Lacking> = found
        .iter()
        .enumerate()
        .map(|(index, (issued, issuer))| Lacking {
            name: text::printable(&issuer.short_subject()),
            file: file(index),
            address: address(issued),
        })
        .collect();
    if lacking.is_empty() {
        let name = "the CA named above".to_owned();
        lacking.push(Lacking { name, file: file(0), address: None });
    }
    lacking
}

/// Where a certificate says that its issuer's CRL is to be had (RFC 5280, section 4.2.1.13); nothing that could be more than
/// an address in a shell.
pub(in crate::diagnose) fn address(issued: &Certificate) -> Option<String> {
    let points = &issued.facts().ok()?.extensions.crl_points;
    let names = points.iter().filter_map(|point| match point.name.as_ref()? {
        CrlPointName::Full(names) => Some(names),
        CrlPointName::Relative(_) => None,
    });
    names
        .flatten()
        .filter_map(|name| match name {
            GeneralName::Uri(uri) => std::str::from_utf8(uri).ok(),
            _ => None,
        })
        .find(|uri| {
            (uri.starts_with("http://") || uri.starts_with("https://"))
                && uri.len() <= LONGEST_ADDRESS
                && uri.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/?%&=+,@".contains(&byte))
        })
        .map(str::to_owned)
}

/// An address in the server's certificate that not everybody can reach: RFC 1918 and the like, or reserved for
/// documentation (RFC 5737). .NET and Windows fetch what certificates name, each up to a time limit of its own.
pub(in crate::diagnose) fn note_of_addresses(view: &View<'_>) -> Option<Note> {
    let leaf = view.tls()?.chain.first()?;
    let issuer = &leaf.facts().ok()?.extensions.issuer_addresses;
    let is_for_few = |uri: &String| {
        let host = uri.split_once("://").map_or("", |(_, rest)| rest);
        let host = host.split(['/', ':']).next().unwrap_or_default();
        let address = host.parse::<std::net::Ipv4Addr>();
        address
            .is_ok_and(|known| known.is_documentation() || reachability(known.into()) != Reachability::Public)
    };
    let found = issuer.iter().cloned().chain(address(leaf)).find(is_for_few)?;
    Some(Note {
        text: format!(
            "the certificate names {}, which not every network can reach: clients that fetch it (.NET, Windows) may wait for it",
            text::printable(&found)
        ),
        always: true,
    })
}

/// Saves a CRL.
pub(in crate::diagnose) fn download(address: &str, file: &str) -> String {
    format!("curl -fsS -o {file} {}", text::shell_quoted(address))
}

/// Where the missing CRL goes: into the file that there is, else into the directory.
fn add_crl(view: &View<'_>) -> Option<Vec<Fix>> {
    let Revocation::On { lists, directory, .. } = &view.trust()?.revocation else { return None };
    let lacking = lacking(view);
    let names: Vec<&str> = lacking.iter().map(|one| one.name.as_str()).collect();
    let unknown: Vec<&str> =
        lacking.iter().filter(|one| one.address.is_none()).map(|one| one.name.as_str()).collect();
    let files: Vec<&str> = lacking.iter().map(|one| one.file.as_str()).collect();
    let (what, from) = match (lacking.len(), unknown.len()) {
        (1, 0) => ("CRL", "at the address that the certificate gives".to_owned()),
        (_, 0) => ("CRLs", "at the addresses that the certificates give".to_owned()),
        (1, _) => ("CRL", "from its administrator: the certificate gives no address".to_owned()),
        (all, some) if all == some => {
            ("CRLs", "from their administrators: the certificates give no addresses".to_owned())
        }
        _ => ("CRLs", format!("that of {} from its administrator", unknown.join(" and "))),
    };
    let from =
        format!("get the current {what} of {} ({from}) as {}", names.join(" and "), files.join(" and "));
    let each = if lacking.len() == 1 { "it" } else { "each" };
    let downloads: Vec<String> =
        lacking.iter().filter_map(|one| Some(download(one.address.as_deref()?, &one.file))).collect();
    let typed = |lines: Vec<String>| downloads.iter().cloned().chain(lines).collect::<Vec<_>>().join("\n");
    let quoted = |path: &Path| text::shell_quoted(&path.to_string_lossy());
    let given = lists.first().map(|list| list.file.clone());
    if let Some(file) =
        given.or_else(|| directory.is_none().then(|| view.settings()?.path("sslcrl")).flatten())
    {
        let text = format!("{from}, and append {each}, as PEM, to {} (sslcrl)", path_text(&file));
        let append = lacking.iter().map(|one| format!("openssl crl -in {} >> {}", one.file, quoted(&file)));
        return Some(vec![Fix::text(text).run(typed(append.collect()))]);
    }
    let directory = directory.as_ref()?;
    let mut fixes = Vec::new();
    if directory.state == CrlDirectoryState::Missing {
        fixes.push(Fix::text("set sslcrldir to the directory that has the CRLs: sslcrldir=DIRECTORY"));
    }
    let is_missing = directory.state == CrlDirectoryState::Missing;
    let right = if is_missing { "if the path is right: " } else { "" };
    let create = is_missing.then(|| format!("mkdir -p {}", quoted(&directory.path)));
    let put = lacking.iter().map(|one| {
        let to = directory.path.join(one.file.replace(".crl", ".pem"));
        format!("openssl crl -in {} -out {}", one.file, quoted(&to))
    });
    let rehash = format!("openssl rehash {}", quoted(&directory.path));
    fixes.push(
        Fix::text(format!(
            "{right}{from}, and put {each}, as PEM and named by hash, into the directory of sslcrldir"
        ))
        .run(typed(create.into_iter().chain(put).chain([rehash]).collect())),
    );
    Some(fixes)
}

/// The file of CRLs that nobody named (`~/.postgresql/root.crl`).
fn unnamed_crl<'v>(view: &View<'v>) -> Option<&'v Path> {
    let unnamed = by_default::is_unnamed(view, "sslcrl") && by_default::is_unnamed(view, "sslcrldir");
    match &view.trust()?.revocation {
        Revocation::On { lists, .. } if unnamed => lists.first().map(|list| list.file.as_path()),
        _ => None,
    }
}

/// How revocation is not checked, if that is what is wanted.
pub(in crate::diagnose) fn is_unwanted(view: &View<'_>) -> Vec<Fix> {
    if let Some(file) = unnamed_crl(view) {
        return vec![
            by_default::move_away(file),
            Fix::text(
                "if revocation is not to be checked: set sslcrl to a path where no file is; revoked certificates then pass",
            )
            .set("sslcrl", by_default::NO_FILE),
        ];
    }
    // What a variable or a service file sets is told with its place.
    let is_typed = |origin: &&Origin| !matches!(origin, Origin::Environment(_) | Origin::Service { .. });
    let typed: Vec<&'static str> = ["sslcrl", "sslcrldir"]
        .into_iter()
        .filter(|keyword| view.origin(keyword).filter(is_typed).is_some())
        .collect();
    let Some(origin) = typed.first().and_then(|first| view.origin_words(first)) else { return Vec::new() };
    let text = format!(
        "if revocation is not to be checked: remove {} from {origin}; revoked certificates then pass",
        typed.join(" and ")
    );
    vec![Fix::text(text).all(typed.into_iter().map(|keyword| (keyword, String::new())))]
}
