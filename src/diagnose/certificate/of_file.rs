//! A certificate below the root that the path has from the client's own file and not from the server. OpenSSL looks for an
//! issuer in the file before it looks among the certificates sent (`build_chain` in crypto/x509/x509_vfy.c), so that a bad
//! one there is taken even if the server sends a good one: the file is at fault, and nothing on the server mends it.

use crate::certificate::Facts;
use crate::conninfo::Value;
use crate::diagnose::root_file::provider_roots;
use crate::diagnose::view::{View, path_text};
use crate::diagnose::{Fix, Trial};
use crate::text;
use crate::trust::{FileCertificate, RootSource, RootStore, Roots};
use crate::verify::{self, Judgement};

/// The certificate at a place of the path, if it is such a one.
pub(super) fn entry<'a>(view: &View<'a>, at: usize) -> Option<&'a FileCertificate> {
    let link = link(view.judgement()?, at)?;
    view.store()?.certificates.get(link.in_file.filter(|_| link.sent.is_none())?)
}

/// Whether the certificate at a place of the path is such a one.
pub(super) fn holds(judgement: &Judgement, at: usize) -> bool {
    link(judgement, at).is_some_and(|link| link.in_file.is_some() && link.sent.is_none())
}

/// The same of one that the server sends too: mended there alone, the file's would still be taken.
pub(super) fn copy<'a>(view: &View<'a>, at: usize) -> Option<&'a FileCertificate> {
    let link = link(view.judgement()?, at)?;
    view.store()?.certificates.get(link.in_file.filter(|_| link.sent.is_some())?)
}

/// A link below the root and above the server's own certificate.
fn link(judgement: &Judgement, at: usize) -> Option<&verify::Link> {
    let link = judgement.path.get(at).filter(|_| at > 0)?;
    (!link.certificate.facts().is_ok_and(Facts::is_self_signed)).then_some(link)
}

/// `roots.pem, line 26`
pub(super) fn place(entry: &FileCertificate) -> String {
    format!("{}, line {}", path_text(&entry.file), entry.line)
}

/// What the server sends in its place.
pub(super) fn sent_instead(view: &View<'_>, entry: &FileCertificate) -> Option<String> {
    let wrong = entry.certificate.facts().ok()?;
    let sent = view.tls()?.chain.iter().skip(1).filter_map(|certificate| certificate.facts().ok());
    let other = sent.into_iter().find(|facts| {
        facts.subject.canonical == wrong.subject.canonical
            && (facts.not_before..facts.not_after).contains(&view.evidence.judged_at)
    })?;
    Some(format!("another {}, valid until {}", entry.certificate.short_subject(), other.not_after.date()))
}

/// What mends the file.
pub(super) fn mended(view: &View<'_>, entry: &FileCertificate) -> Vec<Fix> {
    let name = entry.certificate.short_subject();
    let file = path_text(&entry.file);
    let quoted = text::shell_quoted(&entry.file.to_string_lossy());
    let is_system = view.store().is_some_and(|store| matches!(store.source, RootSource::System { .. }));
    let remove = format!("sed -i.bak '{},/-----END [A-Z ]*CERTIFICATE-----/d' {quoted}", entry.line);
    let with = |fix: Fix, command: String| match cfg!(windows) || is_system {
        true => fix,
        false => fix.run(command),
    };
    if without(view, entry).is_some_and(|judgement| judgement.accepted) {
        let removed = Fix::text(format!(
            "here, in {file}: remove the certificate of {name} that begins at line {}; the server sends its own",
            entry.line
        ));
        return vec![Fix { tried: Some(Trial::Works), ..with(removed, remove) }];
    }
    let replaced = Fix::text(format!(
        "here, in {file}: put the current certificate of {name} in the place of the one that begins at line {}: get it from that CA, as \
         new-ca.crt",
        entry.line
    ));
    let replaced = with(
        replaced,
        format!(
            "openssl x509 -noout -subject -dates -in new-ca.crt && {remove} && cat new-ca.crt >> {quoted}"
        ),
    );
    view.provider().and_then(|found| provider_roots(found.provider)).into_iter().chain([replaced]).collect()
}

/// The verdict, were the certificate not in the file.
fn without(view: &View<'_>, entry: &FileCertificate) -> Option<Judgement> {
    let store = view.store().filter(|store| store.directories.is_empty())?;
    let rest = store.certificates.iter().filter(|other| other.certificate != entry.certificate);
    let mut trust = view.trust()?.clone();
    trust.roots = Roots::Loaded(RootStore::loaded(store.source.clone(), rest.cloned().collect()));
    let host =
        view.host().map(|host| Value::new(host.name.exposed())).filter(|name| !name.as_bytes().is_empty());
    let chain = &view.tls()?.chain;
    verify::judge_again(view.judgement()?, chain, &trust, host.as_ref(), view.evidence.judged_at, view.mode)
}
