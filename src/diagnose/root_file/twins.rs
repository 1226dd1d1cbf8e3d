//! A CA's certificate in two forms: self-signed, and cross-signed, which is the same name and key certified by another CA.
//! OpenSSL takes the first certificate of the issuer's name that fits (`X509_STORE_CTX_get1_issuer` in
//! crypto/x509/x509_lu.c) and goes on to that one's issuer, so that which of the two comes first in a file decides.

use std::path::Path;

use super::{Server, get_root};
use crate::certificate::{Certificate, Facts};
use crate::diagnose::Fix;
use crate::diagnose::certificate::known;
use crate::diagnose::rule::Finding;
use crate::diagnose::view::{file_name, path_text};
use crate::trust::{FileCertificate, RootSource, RootStore};

/// What is found where a path goes through a cross-signed copy although the file has the self-signed certificate: `leads`
/// says where the copy leads.
pub(in crate::diagnose) fn order(copy: &Certificate, store: &RootStore, leads: &str) -> Option<Finding> {
    let facts = copy.facts().ok().filter(|facts| !facts.is_self_signed())?;
    let is_twin = |other: &Facts| {
        other.is_self_signed()
            && other.subject.canonical == facts.subject.canonical
            && other.spki == facts.spki
    };
    let entries = store.certificates.as_slice();
    let place = |wanted: &dyn Fn(&FileCertificate) -> bool| entries.iter().position(wanted);
    let first = place(&|entry| entry.certificate == *copy)?;
    let twin = place(&|entry| entry.certificate.facts().is_ok_and(&is_twin)).filter(|twin| *twin > first)?;
    let (first, twin) = (entries.get(first)?, entries.get(twin)?);
    let (name, issuer) = (copy.short_subject(), facts.issuer.short());
    let file = file_name(&first.file);
    let shown = |entry: &FileCertificate, what: String| {
        vec![
            what,
            format!("SHA-256 {}", entry.certificate.fingerprint()),
            format!("{}, line {}", path_text(&entry.file), entry.line),
        ]
    };
    Some(
        Finding::titled(format!("{file}: a cross-signed copy of {name} comes before {name} itself"))
            .in_short(format!("wrong order in {file}"))
            .because(format!(
                "OpenSSL takes the first certificate of that name and key: the copy, issued by {issuer}, which {leads}; the \
                 self-signed one, which would end the chain, comes after it"
            ))
            .fact("first", shown(first, format!("issued by {issuer}")))
            .fact("self_signed", shown(twin, format!("issued by {name} itself")))
            .fixes((!matches!(store.source, RootSource::System { .. })).then(|| reordered(&first.file, &name)))
            .fix(Fix::text(format!(
                "remove the cross-signed copy of {name}, which begins at line {} of {file}",
                first.line
            ))),
    )
}

/// Writes the file with self-signed certificates before their copies.
fn reordered(path: &Path, name: &str) -> Fix {
    let from = path.to_string_lossy().into_owned();
    let to = path.with_extension("ordered.pem").to_string_lossy().into_owned();
    Fix {
        converts: Some(path.to_owned()),
        ..Fix::text(format!(
            "put the self-signed {name} before its cross-signed copy: write the file in that order"
        ))
        .run_words(["pgtls-check", "roots", "convert", &from, "--output", &to])
        .set("sslrootcert", to.clone())
    }
}

/// What is found where the file has a root only as a copy that another CA issued. That it is a root is known, or its name
/// says so.
pub(super) fn copy_alone(copy: &Certificate, store: &RootStore, server: &Server<'_>) -> Option<Finding> {
    let facts = copy.facts().ok().filter(|facts| facts.is_ca())?;
    let (name, issuer) = (copy.short_subject(), facts.issuer.short());
    let known = known::same(server.system_roots, copy).filter(|known| {
        known.certificate.as_ref().is_none_or(|root| root.facts().is_ok_and(Facts::is_self_signed))
    });
    let says_so =
        name.to_lowercase().split(|letter: char| !letter.is_alphanumeric()).any(|word| word == "root");
    if known.is_none() && !says_so {
        return None;
    }
    let needed = known.as_ref().and_then(|known| known.certificate.as_ref());
    let needed = needed.map_or_else(
        || format!("{name}, self-signed"),
        |root| format!("{name}, self-signed, SHA-256 {}", root.fingerprint()),
    );
    let entry = store.certificates.iter().find(|entry| entry.certificate == *copy);
    let place = entry.map(|entry| {
        vec![
            format!("{name}, issued by {issuer}"),
            format!("{}, line {}", path_text(&entry.file), entry.line),
        ]
    });
    let by = if known.is_some() { "a known root" } else { "a root, by its name" };
    let fixes = match &known {
        Some(known) => get_root(server, known, Some(&store.source)),
        None => vec![
            Fix::text(format!(
                "get the self-signed certificate of {name} (same name, same key) from the CA's administrator over a trusted \
                 channel, as new-root.crt: this prints its name twice then; put it into the file, in the place of the copy"
            ))
            .run("openssl x509 -noout -subject -issuer -in new-root.crt"),
        ],
    };
    Some(
        Finding::titled(format!("the root file has {name} only as a cross-signed copy, issued by {issuer}"))
            .in_short("a cross-signed copy instead of the root")
            .because(format!(
                "{name} is {by}; this copy of it has the same key but another issuer, so {} goes on to {issuer}, which \
                 the file does not contain, and accepts only a self-signed certificate as the end of a chain",
                server.program
            ))
            .fact("in_file", place.unwrap_or_else(|| super::in_file(store, None)))
            .fact("needed", needed)
            .fixes(fixes)
            .fix(Fix::text(format!(
                "add the self-signed root certificate of {issuer} too, if servers still depend on it"
            ))),
    )
}
