//! Files that libpq reads and that verify no server: no path can end in them.

use super::twins::{copy_alone, order};
use super::{Server, get_root, in_file, root_sources};
use crate::certificate::{Certificate, DistinguishedName};
use crate::diagnose::Fix;
use crate::diagnose::certificate::{Root, known};
use crate::diagnose::code::{Code, Concern, Severity};
use crate::diagnose::rule::Finding;
use crate::diagnose::view::path_text;
use crate::stage::Stage;
use crate::text;
use crate::timestamp::Timestamp;
use crate::trust::contents::Role;
use crate::trust::{FileCertificate, RootSource, RootStore};

/// Certificates of a file that another CA issued, and the roots above them as far as they are known: `None` for what
/// neither the server sent nor this tool knows.
pub(in crate::diagnose) struct Anchors<'a>(pub Vec<(&'a Certificate, Option<&'a Certificate>)>);

impl<'a> Anchors<'a> {
    /// Those of a file without any self-signed certificate, the issuers within the file left out.
    pub(super) fn without_root(store: &'a RootStore) -> Option<Self> {
        let certificates = || store.certificates.iter().map(|entry| &entry.certificate);
        let ends = |certificate| matches!(Role::of(certificate), Role::Root | Role::SelfSigned);
        if certificates().any(ends) {
            return None;
        }
        let is_in_file = |name: &DistinguishedName| {
            certificates()
                .any(|other| other.facts().is_ok_and(|facts| facts.subject.canonical == name.canonical))
        };
        let mut tops: Vec<&Certificate> = Vec::new();
        for certificate in certificates() {
            let Ok(facts) = certificate.facts() else { continue };
            let same_issuer = |top: &&Certificate| {
                top.facts().is_ok_and(|other| other.issuer.canonical == facts.issuer.canonical)
            };
            if !is_in_file(&facts.issuer) && !tops.iter().any(same_issuer) {
                tops.push(certificate);
            }
        }
        (!tops.is_empty()).then(|| Self(tops.into_iter().map(|top| (top, None)).collect()))
    }
}

/// `root-file-lacks-root`.
pub const ROOT_FILE_LACKS_ROOT: Code = Code {
    name: "root-file-lacks-root",
    severity: Severity::Failure,
    stage: Stage::Certificate,
    title: "the root file contains an intermediate or server certificate without its root",
    short: Some("your file lacks the root"),
    concerns: &[Concern::Roots],
    retryable: false,
};

/// `root-expired`.
pub const ROOT_EXPIRED: Code = Code {
    name: "root-expired",
    severity: Severity::Failure,
    stage: Stage::Trust,
    title: "the root certificate has expired",
    short: Some("the root has expired"),
    concerns: &[Concern::Roots],
    retryable: false,
};

/// What is above a certificate of the file.
struct Above {
    /// Its name and, where it is at hand, its fingerprint.
    needed: String,
    known: Option<Root>,
    fix: Fix,
}

/// `root-file-lacks-root`. `top`: the last certificate of the chain sent, where that leads on from the file's.
pub(in crate::diagnose) fn lacks_root(
    anchors: &Anchors<'_>,
    top: Option<&Certificate>,
    store: &RootStore,
    server: &Server<'_>,
) -> Option<Finding> {
    let (first, _) = anchors.0.first()?;
    if let [(only, _)] = anchors.0.as_slice() {
        let copy =
            order(only, store, "the file does not contain").or_else(|| copy_alone(only, store, server));
        if copy.is_some() {
            return copy;
        }
    }
    let above: Vec<Above> = anchors
        .0
        .iter()
        .filter_map(|(anchor, sent)| above(top.unwrap_or(anchor), *sent, (store, server)))
        .collect();
    let what = if first.facts().ok()?.is_ca() { "intermediate" } else { "server" };
    let title = match above.as_slice() {
        [_] => {
            format!("the file holds the {what} certificate {} without its root", first.short_subject())
        }
        several => format!("the file holds certificates of {} CAs without their roots", several.len()),
    };
    let mut needed: Vec<String> = above.iter().map(|above| above.needed.clone()).collect();
    let finding = Finding::titled(title)
        .because(format!(
            "{} follows every chain to a self-signed root of the file; {}",
            server.program,
            match what {
                "server" =>
                    "a server's own certificate (server.crt) is not its CA's, and vouches for nothing there",
                _ => "an intermediate there vouches for nothing, and changes without notice",
            }
        ))
        .fact("in_file", in_file(store, None));
    let finding = match needed.len() {
        1 => finding.fact("needed", needed.swap_remove(0)),
        _ => finding.fact("needed", needed),
    };
    let is_unknown = above.iter().any(|above| above.known.is_none());
    let mut fixes: Vec<Fix> = Vec::new();
    for above in above {
        let found = match above.known {
            Some(known) => get_root(server, &known, Some(&store.source)),
            None => vec![above.fix],
        };
        fixes.extend(found.into_iter().filter(|fix| !fixes.contains(fix)).collect::<Vec<_>>());
    }
    // Where the server is a provider's, its roots are known.
    if is_unknown && server.provider.is_some() {
        fixes.splice(0..0, root_sources(server).into_iter().take(1));
    }
    Some(finding.fixes(fixes))
}

fn above(
    anchor: &Certificate,
    sent: Option<&Certificate>,
    (store, server): (&RootStore, &Server<'_>),
) -> Option<Above> {
    let known = match sent {
        Some(root) => known::same(server.system_roots, root),
        None => known::issuer_of(server.system_roots, anchor),
    };
    let issuer = match sent {
        Some(root) => root.short_subject(),
        None => anchor.facts().ok()?.issuer.short(),
    };
    let sha256 = |certificate: &Certificate| certificate.fingerprint();
    let needed = match (&known, sent) {
        (Some(Root { name, certificate: Some(root), .. }), _) => format!("{name}, SHA-256 {}", sha256(root)),
        (Some(Root { name, .. }), _) => name.clone(),
        (None, Some(root)) => format!("{issuer}, SHA-256 {}", sha256(root)),
        (None, None) => issuer.clone(),
    };
    let fix = Fix::text(format!(
        "get the root certificate {issuer} from that CA's administrator, as new-root.crt, confirm its SHA-256 with them over \
         another channel, and append it to the root file"
    ));
    let file = match &store.source {
        RootSource::Given(path) | RootSource::DefaultFile(path) => Some(path),
        _ => None,
    };
    let fix = match file.filter(|_| !cfg!(windows)) {
        Some(file) => fix.run(format!(
            "openssl x509 -noout -fingerprint -sha256 -in new-root.crt\ncat new-root.crt >> {}",
            text::shell_quoted(&file.to_string_lossy())
        )),
        None => fix,
    };
    Some(Above { needed, known, fix })
}

/// Whether a path can end in a file at a moment.
pub(super) enum Validity<'a> {
    /// At least one of its certificates is valid, or says nothing of its dates.
    Current,
    /// All have expired.
    Expired(Vec<&'a FileCertificate>),
    /// Those that have not expired are not yet valid; the first of them.
    NotYetValid(&'a FileCertificate),
}

pub(super) fn validity(store: &RootStore, at: Timestamp) -> Validity<'_> {
    let mut expired = Vec::new();
    let mut later = None;
    for entry in &store.certificates {
        match entry.certificate.facts() {
            Ok(facts) if facts.not_after < at => expired.push(entry),
            Ok(facts) if facts.not_before > at => later = later.or(Some(entry)),
            Ok(_) | Err(_) => return Validity::Current,
        }
    }
    match later {
        Some(later) => Validity::NotYetValid(later),
        None => Validity::Expired(expired),
    }
}

/// `root-expired`: the roots that could end the path, at least one, have all expired.
pub(in crate::diagnose) fn expired(
    roots: &[&FileCertificate],
    at: Timestamp,
    server: &Server<'_>,
) -> Option<Finding> {
    let place = |root: &FileCertificate| format!("{}, line {}", path_text(&root.file), root.line);
    let ended = |root: &FileCertificate| Some(root.certificate.facts().ok()?.not_after);
    let finding = match roots {
        [] => return None,
        [root] => {
            let ended = ended(root)?;
            let name = root.certificate.short_subject();
            Finding::titled(format!("the root {name} in the root file expired on {}", ended.date()))
                .because(format!(
                    "{} refuses an expired root like any other certificate, and the file has none that \
                     could take its place",
                    server.program
                ))
                .fact("root", name)
                .fact("sha256", root.certificate.fingerprint())
                .fact("expired", ended.date())
                .fact_if("days_past", Some(at.days_since(ended)).filter(|days| *days > 0))
                .fact("in_file", place(root))
        }
        several => {
            let words = several.iter().filter_map(|root| {
                let name = root.certificate.short_subject();
                Some(format!("{name}, expired {}, {}", ended(root)?.date(), place(root)))
            });
            Finding::titled(format!("all {} certificates of the file have expired", several.len()))
                .because(format!("{} refuses an expired root like any other certificate", server.program))
                .fact("in_file", crate::diagnose::view::at_most(8, words))
        }
    };
    Some(finding.fixes(root_sources(server)))
}
