//! Why a path does not end in a root of the file.

use super::detour::detour;
use super::hidden::hides_the_right_one;
use super::known;
use super::reissue;
use super::stranger::{self, stranger};
use super::{demanded, in_file, otherwise, sent};
use crate::certificate::{Certificate, DistinguishedName};
use crate::diagnose::Fix;
use crate::diagnose::code::{Code, Concern, Severity};
use crate::diagnose::fix::{is_local, manager, provider_hints, who_listens};
use crate::diagnose::root_file::{Anchors, TO_ITS_PATH, get_root, lacks_root, provider_roots, root_sources};
use crate::diagnose::rule::Finding;
use crate::diagnose::view::{Reachability, View, file_name, path_text, reachability, root_file, store_name};
use crate::provider::{Provider, Situation, inspection};
use crate::stage::Stage;
use crate::text;
use crate::trust::{FileCertificate, RootSource};
use crate::verify::hints::{Gap, gap, namesake};
use crate::verify::{Defect, Judgement};

/// `tls-inspection`.
pub const TLS_INSPECTION: Code = Code {
    name: "tls-inspection",
    severity: Severity::Failure,
    stage: Stage::Certificate,
    title: "somebody else answered instead of the provider's server",
    short: None,
    concerns: &[],
    retryable: false,
};

/// `root-key-changed`.
pub const ROOT_KEY_CHANGED: Code = Code {
    name: "root-key-changed",
    severity: Severity::Failure,
    stage: Stage::Certificate,
    title: "the root in the file has a different key",
    short: Some("not signed by the key of the root in the root file"),
    concerns: &[Concern::Roots],
    retryable: false,
};

/// `self-signed`.
pub const SELF_SIGNED: Code = Code {
    name: "self-signed",
    severity: Severity::Failure,
    stage: Stage::Certificate,
    title: "the server certificate is self-signed and not in the root file",
    short: Some("self-signed and not in the root file"),
    concerns: &[Concern::Roots],
    retryable: false,
};

/// `intermediate-missing`.
pub const INTERMEDIATE_MISSING: Code = Code {
    name: "intermediate-missing",
    severity: Severity::Failure,
    stage: Stage::Certificate,
    title: "the server does not send an intermediate certificate",
    short: Some("an intermediate is missing"),
    concerns: &[Concern::Roots],
    retryable: false,
};

/// `unknown-issuer`.
pub const UNKNOWN_ISSUER: Code = Code {
    name: "unknown-issuer",
    severity: Severity::Failure,
    stage: Stage::Certificate,
    title: "the issuer of the certificate is not in the root file",
    short: Some("issuer not in the root file"),
    concerns: &[Concern::Roots],
    retryable: false,
};

/// A defect of the path's end that libpq minds.
fn end_defect<'a>(view: &View<'a>) -> Option<&'a Defect> {
    demanded(view).find(|defect| {
        matches!(
            defect,
            Defect::IssuerUnknown { .. }
                | Defect::SelfSignedLeaf
                | Defect::RootNotInFile { .. }
                | Defect::FileLacksRoot { .. }
        )
    })
}

/// The judgement and the defect of the path's end. A path with a wrong signature in it proves nothing about its end:
/// anybody can put a well-known root behind a certificate of his own.
fn judged<'a>(view: &View<'a>) -> Option<(&'a Judgement, &'a Defect)> {
    let forged = demanded(view).any(|defect| matches!(defect, Defect::BadSignature { .. }));
    if forged { None } else { Some((view.judgement()?, end_defect(view)?)) }
}

/// A certificate that cannot be decoded, or none at all.
pub(super) fn unreadable(view: &View<'_>) -> Option<Finding> {
    match demanded(view).next()? {
        Defect::NoCertificate => Some(
            Finding::titled("the server sent no certificate")
                .because("without a certificate there is nothing to verify")
                .fact("sent", Vec::<String>::new())
                .fix(Fix::server("give the server a certificate: ssl_cert_file and ssl_key_file")),
        ),
        Defect::Malformed { sent: place, error } => {
            let certificate = view.tls().and_then(|tls| tls.chain.get(*place));
            let which = match place {
                0 => "the server certificate".to_owned(),
                place => format!("certificate {} of the chain", place + 1),
            };
            Some(
                Finding::titled(format!("{which} cannot be decoded"))
                    .because(
                        "OpenSSL cannot read it either: its file on the server is malformed, or something in between changes it",
                    )
                    .fact("what", text::printable(&error.to_string()))
                    .fact_if("subject", certificate.map(Certificate::short_subject))
                    .fact_if("sha256", certificate.map(Certificate::fingerprint))
                    .fixes((*place == 0 && view.rehearsal().is_none()).then(|| {
                        Fix::server(
                            "on the server, in the data directory: this prints the SHA-256 of the certificate in its file. Another one than above: an older \
                             file is still loaded (reload), or a proxy in between answers; check from the server itself",
                        )
                        .run("sed '/-END/q' server.crt | grep -v -e -- | base64 -d | sha256sum | tr a-f A-F")
                    }))
                    .fix(reissue::server(
                        view,
                        "on the server, if it is the same: the file is damaged; copy it again from its CA, or reissue it with a current tool, then reload",
                        reissue::Key::Kept,
                        None,
                    )),
            )
        }
        _ => None,
    }
}

/// Somebody else answers: an inspecting product by the name of its CA, or whoever has no certificate of the provider's.
pub(super) fn tls_inspection(view: &View<'_>) -> Option<Finding> {
    let ends = end_defect(view).is_some()
        || demanded(view).any(|defect| matches!(defect, Defect::BadSignature { .. }));
    if !ends {
        return None;
    }
    let host = view.host_name();
    let due = stranger::expected(view)
        .map_or("the server's own CA".to_owned(), |provider| format!("a CA of {}", provider.name));
    // Who inspects TLS issues certificates for the name that was asked for.
    let product = inspector(view);
    let is_for_it =
        !view.judgement()?.defects.iter().any(|defect| matches!(defect, Defect::NameMismatch { .. }));
    let finding = match &product {
        Some((product, name)) => inspected(product, name, &due),
        None => answered_by(&stranger(view)?, is_for_it),
    };
    let exempt = Fix::text(format!(
        "have {host} port {} exempted from TLS inspection by the proxy's administrator; do not add its CA to the root file: it could read every password and row",
        view.port()
    ));
    let zone = view.provider().and_then(|found| found.provider.private_zone());
    let zone = zone.filter(|_| view.address().map(reachability) == Some(Reachability::Private));
    let record = Fix::text(format!(
        "in the DNS{}: correct the record of {host}: it leads to another machine, {}; do not add its certificate to the root file",
        zone.map(|zone| format!(" (the zone {zone} of its private endpoint)")).unwrap_or_default(),
        view.address().map_or_else(|| view.place(), |address| address.to_string())
    ));
    let is_led = view.attempt.is_some_and(|attempt| attempt.dns.is_some()) && !is_local(view);
    let detour = detour(view);
    let detour_words = detour.as_ref().map(|detour| detour.words.clone());
    Some(
        finding
            .fact("expected", due)
            .fact_if("address_from", detour_words)
            .fact("sent", sent(view))
            .fact("in_file", in_file(view))
            .fixes(detour.map(|detour| detour.removal))
            .fixes(is_local(view).then(|| who_listens(view)))
            .fix(if is_for_it || product.is_some() || !is_led { exempt } else { record })
            .fix(Fix::text(format!(
                "run the check from another network to see the certificate that {host} presents there"
            ))),
    )
}

/// A product that is known by the name of its CA.
fn inspected(product: &'static str, ca: &DistinguishedName, due: &str) -> Finding {
    Finding::titled(format!("{product} answers instead of the server"))
        .because(format!(
            "the certificate was issued by {}, where {due} was expected: a proxy in between, or software on this \
             machine, decrypts the connection and encrypts it again",
            ca.short()
        ))
        .fact("issued_by", text::printable(&ca.to_string()))
        .fact("product", product)
}

/// Whoever has no certificate of the provider's.
fn answered_by(stranger: &stranger::Stranger, is_for_it: bool) -> Finding {
    let name = stranger.provider.name;
    let whose = match &stranger.known {
        Some(root) if root.used_by.is_empty() => format!(
            "a root of this machine's store that is not among the public roots known here: probably a company's own CA, \
             which inspects TLS, or a root newer than this program ({})",
            env!("CARGO_PKG_VERSION")
        ),
        Some(root) => format!("a root of {}: another provider's server answers", root.used_by.join(", ")),
        None if !is_for_it => {
            "and is not for the host's name, which the certificate of a TLS-inspecting proxy would be for: another machine has this \
             address, or an impostor"
                .to_owned()
        }
        None => {
            "whatever it calls itself: a TLS-inspecting proxy, another server at this address, or an impostor"
                .to_owned()
        }
    };
    Finding::titled(format!("somebody else answers instead of {name}"))
        .because(format!(
            "servers of {name} have certificates whose chain ends at one of its CAs or at a public root; this one ends at \
             {}, {whose}",
            stranger.issuer
        ))
        .fact("issued_by", text::printable(&stranger.issuer))
}

/// The inspecting product whose CA is in the chain, and that CA's name.
fn inspector(view: &View<'_>) -> Option<(&'static str, DistinguishedName)> {
    let (judgement, _) = judged(view)?;
    let product_of = |certificate: &Certificate| {
        let facts = certificate.facts().ok()?;
        let name =
            [&facts.issuer, &facts.subject].into_iter().find(|name| inspection::product(name).is_some())?;
        Some((inspection::product(name)?, name.clone()))
    };
    let on_path = judgement.path.iter().map(|link| &link.certificate);
    let chain = view.tls().map(|tls| tls.chain.as_slice()).unwrap_or_default();
    on_path.chain(chain).find_map(product_of)
}

pub(super) fn root_key_changed(view: &View<'_>) -> Option<Finding> {
    let judgement = view.judgement()?;
    let wrong_signature = demanded(view).any(|defect| matches!(defect, Defect::BadSignature { .. }));
    if end_defect(view).is_none() && !wrong_signature {
        return None;
    }
    let found = namesake(judgement, &view.store()?.certificates)?;
    let name = found.in_file.certificate.short_subject();
    // The key that signed is told by the certificate sent, by a known root, or not at all.
    let below = judgement
        .path
        .iter()
        .rev()
        .map(|link| &link.certificate)
        .find(|certificate| **certificate != found.in_file.certificate);
    if let Some(hidden) = below.and_then(|below| hides_the_right_one(view, found.in_file, below)) {
        return Some(hidden);
    }
    let known = below.and_then(|below| known::issuer_of(view.evidence.system_roots.as_ref(), below));
    let sent_root = found.sent.as_ref().or(known.as_ref().and_then(|known| known.certificate.as_ref()));
    if wrong_signature && sent_root.is_none() && end_defect(view).is_none() {
        // A wrong signature alone may be a damaged certificate as well as another key.
        let issued = below.and_then(|below| below.facts().ok());
        let identified = issued
            .and_then(|facts| facts.extensions.authority_key.as_ref())
            .is_some_and(|key| key.key.is_some());
        if identified {
            return None;
        }
    }
    let used = used_key(sent_root, below);
    let unidentified =
        found.in_file.certificate.facts().is_ok_and(|facts| facts.extensions.subject_key.is_none());
    Some(
        Finding::titled(format!("the root file has a root named {name}, but the server's chain uses another key"))
            .because(
                "the names are the same, the keys differ: the CA was created again, the file belongs to another server, or somebody imitates the name",
            )
            .fact("name", name)
            .fact("used", used)
            .fact(
                "in_file",
                vec![
                    format!("SHA-256 {}", found.in_file.certificate.fingerprint()),
                    format!("{}, line {}", path_text(&found.in_file.file), found.in_file.line),
                ],
            )
            .fact_if(
                "key_identifiers",
                unidentified.then_some(
                    "none in the file's root: nothing but the signature tells it from others of its name",
                ),
            )
            .fact("sent", sent(view))
            .fix(replaced_root(view, found.in_file, sent_root))
            .fixes(view.provider().and_then(|found| provider_roots(found.provider)))
            .fix(Fix::text(
                "if nobody changed the CA, do not trust this connection: find out who answers",
            )),
    )
}

/// The CA's current certificate in the place of the one in the file.
fn replaced_root(view: &View<'_>, in_file: &FileCertificate, sent: Option<&Certificate>) -> Fix {
    let confirmed = match sent {
        Some(root) => format!(
            "check that its SHA-256 is {} (the server uses that one; the administrator must confirm it)",
            root.fingerprint()
        ),
        None => "confirm its SHA-256 with them over another channel".to_owned(),
    };
    let file = path_text(&in_file.file);
    if view.store().is_some_and(|store| matches!(store.source, RootSource::System { .. })) {
        return Fix::text(format!(
            "get the root certificate of the server's CA from its administrator; {confirmed}; then set sslrootcert to it in the place of \
             system, whose {file} is another CA's of the same name"
        ));
    }
    let (place, put) = reissue::in_its_place(view, in_file, "new-root.crt");
    let which = match view.tls().map_or(&[][..], |tls| &tls.chain) {
        [only] if Some(only) == sent => "the server's new certificate (server.crt)",
        _ => "the CA's current certificate",
    };
    Fix::text(format!(
        "get {which} from the server's administrator, as new-root.crt; {confirmed}; then {place}"
    ))
    .run(format!("{SHOW_NEW_ROOT}{put}"))
}

/// Shows the fingerprint of a root that an administrator sent.
const SHOW_NEW_ROOT: &str = "openssl x509 -noout -fingerprint -sha256 -in new-root.crt";

/// The key that signed, as far as it is known: by the root's certificate, else as the certificate below names it.
fn used_key(root: Option<&Certificate>, below: Option<&Certificate>) -> String {
    if let Some(root) = root {
        return format!("SHA-256 {}", root.fingerprint());
    }
    let key = below.and_then(|below| below.facts().ok()?.extensions.authority_key.as_ref()?.key.clone());
    match key {
        Some(key) => format!("key identifier {}", crate::text::hex(&key).to_uppercase()),
        None => "another key; its certificate was not sent".to_owned(),
    }
}

/// Whether the roots are the system's.
fn is_of_system(view: &View<'_>) -> bool {
    view.store().is_some_and(|store| matches!(store.source, RootSource::System { .. }))
}

pub(super) fn self_signed(view: &View<'_>) -> Option<Finding> {
    let (judgement, Defect::SelfSignedLeaf) = judged(view)? else { return None };
    let leaf = &judgement.path.first()?.certificate;
    let name = leaf.short_subject();
    let host = view
        .dns_name()
        .filter(|host| host.contains('.'))
        .filter(|_| judgement.defects.iter().any(|defect| matches!(defect, Defect::NameMismatch { .. })));
    let copy = Fix::server(
        "copy server.crt from the server itself (ssh, your deployment), compare its SHA-256 with the one above, and set sslrootcert to the copy",
    )
    .run("openssl x509 -noout -fingerprint -sha256 -in server.crt");
    let hints = provider_hints(view, Situation::SelfSigned, None);
    let copy = match manager(view).filter(|_| hints.is_empty()) {
        Some(provider) => copy.or_at_provider(format!(
            "get {} from the provider, and set sslrootcert to that file",
            provider.root_file.unwrap_or("the server's certificate or its CA's")
        )),
        None => copy,
    };
    // It names another host: probably the one that an installation created, and verified by a copy it would still not do.
    let installed = host.as_ref().map(|host| {
        Fix::server(format!(
            "on the server: it probably presents the certificate that its installation created, which is not for {host}; if it has one of the \
             CA in the root file: set ssl_cert_file and ssl_key_file to that, then reload"
        ))
        .run(format!(
            "psql -c 'SHOW ssl_cert_file' -c 'SHOW ssl_key_file'\n\
             psql -c \"ALTER SYSTEM SET ssl_cert_file = 'FILE'\" -c \"ALTER SYSTEM SET ssl_key_file = 'KEY-FILE'\"\n{}",
            reissue::RELOAD
        ))
    });
    let first = if installed.is_some() { installed } else { Some(copy) };
    // A tunnel was meant, and this machine has servers of its own.
    let by_tunnel = host.as_ref().filter(|_| is_local(view)).map(|host| {
        let listens = who_listens(view);
        Fix {
            text: format!(
                "{}: a postgres there is this machine's own, which answers in the place of the tunnel to {host}: start the tunnel on \
                 another port, and set port to that",
                listens.text
            ),
            ..listens
        }
    });
    let is_own = by_tunnel.is_some();
    let of_file = host.as_ref().and_then(|host| reissue::by_authority_of_file(view, host));
    Some(
        Finding::titled("the server certificate is self-signed and not in the root file")
            .because(match is_own {
                true => "the connection goes through this machine, and the certificate is for another name than host: probably a PostgreSQL of \
                         this machine answers, and not the tunnel that was meant",
                false => "no CA vouches for it; only a copy of it, received over a trusted channel, can tell this server from an impostor; do not save what the server just sent: an impostor would send its own",
            })
            .fact("subject", name)
            .fact("sha256", leaf.fingerprint())
            .fact_if("until", leaf.facts().ok().map(|facts| facts.not_after.date()))
            // Of the system's roots nobody reads a list.
            .fact_if("in_file", (!is_of_system(view)).then(|| in_file(view)))
            .fixes(by_tunnel)
            .fixes(first.filter(|_| !is_own))
            .fixes((hints.is_empty() && !is_own).then(|| of_file.unwrap_or_else(|| reissue::by_new_authority_for(
                view,
                "on the server, better: create a CA and issue the server's certificate with it, then reload",
                host.as_deref(),
            ))))
            .fixes(hints),
    )
}

pub(super) fn file_lacks_root(view: &View<'_>) -> Option<Finding> {
    let (judgement, defect) = judged(view)?;
    let (anchor, sent_root) = match defect {
        Defect::FileLacksRoot { anchor } => (anchor, None),
        // The server sends what leads on from the file's certificate: it is no more an anchor for that.
        _ => {
            let anchor = &judgement.path.iter().rev().find(|link| link.in_file.is_some())?.certificate;
            let root = match defect {
                Defect::RootNotInFile { root } => Some(root),
                _ => None,
            };
            (anchor, root)
        }
    };
    // What is sent leads on: the root above that is needed.
    let top = judgement
        .path
        .last()
        .map(|link| &link.certificate)
        .filter(|top| *top != anchor && sent_root.is_none());
    lacks_root(&Anchors(vec![(anchor, sent_root)]), top, view.store()?, &view.server())
}

pub(super) fn root_not_in_file(view: &View<'_>) -> Option<Finding> {
    let (judgement, defect) = judged(view)?;
    let root = match defect {
        Defect::RootNotInFile { root } => known::same(view.evidence.system_roots.as_ref(), root)?,
        Defect::IssuerUnknown { last } => known::issuer_of(view.evidence.system_roots.as_ref(), last)?,
        _ => return None,
    };
    let needed = match &root.certificate {
        Some(certificate) => vec![format!("{}, SHA-256", root.name), certificate.fingerprint()],
        None => vec![root.name.clone()],
    };
    let detection = view.provider().filter(|found| root.used_by.contains(&found.provider.id));
    let program = view.program();
    let cause = match &detection {
        Some(found) => lacking(found.provider, view),
        None if root.is_public() && !root.in_public => {
            format!(
                "the chain leads to a root of this machine's store, but {program} trusts only the root file"
            )
        }
        None if root.is_public() => {
            format!(
                "the chain leads to a public root, but {program} trusts only the root file, not this machine's store"
            )
        }
        None => "the chain leads to a known root that is not in the root file".to_owned(),
    };
    let _ = judgement;
    let fixes = get_root(&view.server(), &root, view.store().map(|store| &store.source));
    Some(
        Finding::titled(format!("{} lacks the server's root", store_name(view)))
            .because(cause)
            .fact("sent", sent(view))
            .fact("needed", needed)
            .fact("known_in", otherwise::known_in(&root))
            .fact("in_file", in_file(view))
            .fixes(fixes),
    )
}

/// Why a file without the root that a provider's chain leads to lacks it: the provider's roots that it has instead.
fn lacking(provider: &Provider, view: &View<'_>) -> String {
    let name = provider.name;
    let entries = || view.store().into_iter().flat_map(|store| &store.certificates);
    let held: Vec<String> = entries()
        .map(|entry| entry.certificate.short_subject())
        .filter(|held| provider.roots.iter().any(|root| root.is_called(held)))
        .collect();
    let at = view.evidence.judged_at;
    let in_use =
        |held: &String| provider.roots.iter().any(|root| root.is_called(held) && root.status.is_now(at));
    match held.as_slice() {
        [] => format!("the file has none of the roots of {name}"),
        [only] if !in_use(only) && entries().count() == 1 => {
            format!("{name} has moved to other roots; a file made by older instructions holds only {only}")
        }
        held if held.iter().any(in_use) => format!(
            "servers of {name} end at different roots, by region, age and choice; the file has some of them \
             and not the one this chain leads to"
        ),
        _ => format!(
            "{name} has moved to other roots; the file has some of them and not the one this chain leads to"
        ),
    }
}

/// Names of intermediates that a root's name could be taken for.
const INTERMEDIATES: &[&str] = &["microsoft tls rsa root g2"];

/// Words in the names of intermediates.
const INTERMEDIATE_WORDS: &[&str] = &[
    "intermediate",
    "issuing",
    "subordinate",
    "sub ca",
    "subca",
    "tls ca",
    "ssl ca",
    "server ca",
    "zwischen",
];

/// What speaks for the issuer sought being an intermediate, if anything does.
fn intermediate_by(view: &View<'_>, gap: &Gap) -> Option<String> {
    let facts = gap.below.facts().ok()?;
    let name = facts.issuer.short().to_lowercase();
    if INTERMEDIATES.contains(&name.as_str()) {
        return Some("a known one".to_owned());
    }
    if name.contains("root") {
        return None;
    }
    if INTERMEDIATE_WORDS.iter().any(|word| name.contains(word)) {
        return Some("by its name".to_owned());
    }
    if !gap.addresses.is_empty() {
        return Some("the certificate gives an address for it".to_owned());
    }
    let organisation = |name: &DistinguishedName| name.first("O").map(|attribute| attribute.text());
    let its = organisation(&facts.issuer)?;
    let store = view.store()?;
    let root = store.certificates.iter().find(|entry| {
        entry.certificate.facts().is_ok_and(|root| organisation(&root.subject).as_ref() == Some(&its))
    })?;
    Some(format!("of the same organisation as {} in the file", root.certificate.short_subject()))
}

pub(super) fn intermediate_missing(view: &View<'_>) -> Option<Finding> {
    let (judgement, Defect::IssuerUnknown { last }) = judged(view)? else { return None };
    let gap = gap(judgement)?;
    if of_the_same_name(view, last).is_some() {
        return None;
    }
    if let Some(other) = sent_with_another_key(view, judgement, last) {
        return Some(other);
    }
    let why = intermediate_by(view, &gap)?;
    let issuer = text::printable(&gap.issuer);
    let name = last.facts().ok()?.issuer.short();
    let address = gap
        .addresses
        .iter()
        .find(|address| address.starts_with("http"))
        .map(|address| text::printable(address));
    let rehearsed = view.rehearsal().map(|rehearsal| &rehearsal.files.certificate_file);
    let (title, place) = match rehearsed {
        Some(file) => {
            (format!("{} lacks the intermediate {name}", file_name(file)), "in the certificate file")
        }
        None => (format!("the server does not send the intermediate {name}"), "sent by the server"),
    };
    let is_expired = judgement.defects.iter().any(|defect| matches!(defect, Defect::Expired { at: 0, .. }));
    let whole = "on the server: put the whole chain into the file of ssl_cert_file, fullchain.pem in the place of cert.pem, and reload";
    let by_acme = reissue::installed_by_acme(view, whole);
    let append = match (rehearsed, by_acme) {
        // One file, mended once.
        (None, _) if is_expired => reissue::server(
            view,
            "on the server: reissue its certificate, which has expired too, and put the intermediate (here ca.crt) after it, then reload",
            reissue::Key::Kept,
            None,
        ),
        (Some(file), _) => Fix::text(format!(
            "{}: append the intermediate (from the CA that issued the certificate) after the server's certificate",
            file_name(file)
        ))
        .run(format!("cat intermediate.crt >> {}", text::shell_quoted(&file.to_string_lossy()))),
        (None, Some(fix)) => fix,
        (None, None) => Fix::server(format!(
            "on the server: append the intermediate (from the CA that issued the certificate) to the file of \
             ssl_cert_file{}, then reload",
            strays(view, judgement)
        ))
        .run("cat intermediate.crt >> server.crt && psql -c 'SELECT pg_reload_conf()'"),
    };
    Some(
        Finding::titled(title)
            .because(format!(
                "{name} issued the certificate above it, and is neither {place} nor in the root file; it is an intermediate ({why})"
            ))
            .fact("missing", issuer)
            .fact("sent", sent(view))
            .fact("in_file", in_file(view))
            .fact_if("to_be_had_at", address)
            .fix(append)
            .fixes(rehearsed.is_none().then(|| beside_the_root(view))),
    )
}

/// The server sends a certificate with the issuer's name whose key did not sign: usually that of before a renewal.
fn sent_with_another_key(view: &View<'_>, judgement: &Judgement, last: &Certificate) -> Option<Finding> {
    let wanted = last.facts().ok()?;
    let chain = &view.tls()?.chain;
    let (place, sent_facts) = chain.iter().enumerate().skip(1).find_map(|(place, sent)| {
        let facts = sent.facts().ok()?;
        let is_off_path = judgement.path.iter().all(|link| link.sent != Some(place));
        (is_off_path && !facts.is_self_signed() && facts.subject.canonical == wanted.issuer.canonical)
            .then_some((place, facts))
    })?;
    let name = wanted.issuer.short();
    let identifier = |key: Option<&[u8]>, otherwise: &str| match key {
        Some(key) => format!("{name}, key identifier {}", text::hex(key).to_uppercase()),
        None => format!("{name}, {otherwise}"),
    };
    let needed = wanted.extensions.authority_key.as_ref().and_then(|key| key.key.as_deref());
    let rehearsed = view.rehearsal().map(|rehearsal| &rehearsal.files.certificate_file);
    let file =
        rehearsed.map_or_else(|| "server.crt".to_owned(), |file| text::shell_quoted(&file.to_string_lossy()));
    let (who, reload) = match rehearsed {
        Some(_) => ("has", String::new()),
        None => ("sends", format!(" && {}", reissue::RELOAD)),
    };
    let place_words = match rehearsed {
        Some(file) => file_name(file),
        None => "on the server, in the file of ssl_cert_file".to_owned(),
    };
    let fix = Fix { on_server: rehearsed.is_none(), ..Fix::default() };
    let fix = Fix {
        text: format!(
            "{place_words}: replace certificate {}, {name}, with the one that issued the certificate above it (from the CA that issued \
         that, as intermediate.crt){}",
            place + 1,
            if rehearsed.is_some() { "" } else { ", then reload" }
        ),
        ..fix
    };
    // With others behind it the file is put together by hand.
    let fix = match chain.len() {
        2 => fix.run(format!(
            "openssl x509 -in {file} -out leaf.crt\ncat leaf.crt intermediate.crt > {file}{reload}"
        )),
        _ => fix,
    };
    let subject = rehearsed.map_or_else(|| "the server".to_owned(), |file| file_name(file));
    Some(
        Finding::titled(format!("{subject} {who} another {name} than the one that issued the certificate"))
            .in_short("an intermediate of the same name with another key")
            .because(format!(
                "both are named {name}, and their keys differ: the CA has renewed this intermediate with a new key, and an old copy was kept"
            ))
            .fact("missing", identifier(needed, "the one whose key signed the certificate"))
            .fact(
                "sent_instead",
                vec![
                    identifier(sent_facts.extensions.subject_key.as_deref(), "with another key"),
                    format!("SHA-256 {}", chain.get(place)?.fingerprint()),
                ],
            )
            .fact("sent", sent(view))
            .fact("in_file", in_file(view))
            .fix(fix)
            .fixes(rehearsed.is_none().then(|| beside_the_root(view))),
    )
}

/// A root of the file that has the common name of the issuer sought and is another CA by the rest of its name: that of
/// another instance or environment.
fn of_the_same_name<'a>(view: &View<'a>, last: &Certificate) -> Option<&'a FileCertificate> {
    let issuer = &last.facts().ok()?.issuer;
    let name = issuer.common_name()?;
    view.store()?.certificates.iter().find(|entry| {
        entry.certificate.facts().is_ok_and(|facts| {
            facts.is_self_signed()
                && facts.subject.common_name().as_ref() == Some(&name)
                && facts.subject.canonical != issuer.canonical
        })
    })
}

/// The issuer sought has a namesake in the file, by the common name.
fn another_of_that_name(view: &View<'_>, last: &Certificate) -> Option<Finding> {
    let held = of_the_same_name(view, last)?;
    let (issuer, subject) = (&last.facts().ok()?.issuer, &held.certificate.facts().ok()?.subject);
    let name = issuer.short();
    let whole = |name: &DistinguishedName| text::printable(&name.to_string());
    let sources = view.provider().map(|_| root_sources(&view.server())).unwrap_or_default();
    let is_provided = !sources.is_empty();
    let place = path_text(&held.file);
    Some(
        Finding::titled(format!("{} has another CA named {name} than the one that issued the certificate", store_name(view)))
            .in_short("issuer not in the root file")
            .because(
                "the two have the same common name and differ in the rest of their names: the file belongs to another server, instance or \
                 environment, or the CA was created again",
            )
            .fact("sought", whole(issuer))
            .fact("in_file", vec![whole(subject), format!("{place}, line {}", held.line)])
            .fact("sent", sent(view))
            .fixes(sources)
            .fixes((!is_provided).then(|| missing_root(view, &[whole(issuer)])))
            .fix(Fix::text(format!(
                "if {place} is of the server that you mean: host, hostaddr or port lead to another one; correct them"
            ))),
    )
}

/// Says of certificates that are sent beside the path that they are of no use.
fn strays(view: &View<'_>, judgement: &Judgement) -> String {
    let chain = view.tls().map_or(&[][..], |tls| tls.chain.as_slice());
    let used = |place: usize| judgement.path.iter().any(|link| link.sent == Some(place));
    let unused: Vec<String> = chain
        .iter()
        .enumerate()
        .filter(|(place, _)| !used(*place))
        .map(|(_, certificate)| certificate.short_subject())
        .take(3)
        .collect();
    match unused.as_slice() {
        [] => String::new(),
        all => format!(" (and remove {}, which issued nothing here)", all.join(" and ")),
    }
}

/// A stopgap on the client: libpq takes an intermediate from the root file too.
fn beside_the_root(view: &View<'_>) -> Fix {
    let fix = Fix::text(
        "until then, here: append the intermediate to the root file (and replace it there whenever the CA does)",
    );
    match root_file(view) {
        Some(file) if !cfg!(windows) => {
            fix.run(format!("cat intermediate.crt >> {}", text::shell_quoted(&file.to_string_lossy())))
        }
        _ => fix,
    }
}

const OF_KUBERNETES: &str =
    "the file has the CA of the Kubernetes API, which issues no certificate of PostgreSQL";

/// Kubernetes mounts the CA of its own API into every pod, where nobody can write.
fn is_of_kubernetes(view: &View<'_>) -> bool {
    root_file(view).is_some_and(|file| file.ends_with("kubernetes.io/serviceaccount/ca.crt"))
}

/// The root of a server in Kubernetes, from the secret of the operator that made it. CloudNativePG calls its CA after the
/// cluster, with the namespace as its unit (pkg/certs, CreateRootCA), and the secret CLUSTER-ca.
fn root_of_operator(view: &View<'_>, sought: &str) -> Fix {
    let facts = end_defect(view).and_then(|defect| match defect {
        Defect::IssuerUnknown { last } | Defect::FileLacksRoot { anchor: last } => {
            Some(&last.facts().ok()?.issuer)
        }
        Defect::RootNotInFile { root } => Some(&root.facts().ok()?.subject),
        _ => None,
    });
    let of = |kind| facts.and_then(|name| name.first(kind)).map(|attribute| attribute.text());
    let host = view.dns_name().unwrap_or_default();
    let namespace = of("OU").or_else(|| host.split('.').nth(1).map(str::to_owned));
    let secret = of("OU").and(of("CN")).map(|cluster| format!("{cluster}-ca"));
    let quoted = |value: Option<String>, place: &str| {
        value.map_or(place.to_owned(), |value| text::shell_quoted(&value))
    };
    let namespace = quoted(namespace, "NAMESPACE");
    let list = if secret.is_none() { format!("kubectl -n {namespace} get secrets\n") } else { String::new() };
    Fix::text(format!(
        "leave that file as it is, and take the root of this CA ({sought}) from the secret of the operator that runs PostgreSQL, as new-root.crt, \
         mount that secret into the pod, and {TO_ITS_PATH}"
    ))
    .run(format!(
        "{list}kubectl -n {namespace} get secret {} -o 'jsonpath={{.data.ca\\.crt}}' | base64 -d > new-root.crt",
        quoted(secret, "SECRET")
    ))
}

/// Sends for the root that is sought, to where the roots in use are.
fn missing_root(view: &View<'_>, sought: &[String]) -> Fix {
    if is_of_kubernetes(view) {
        return root_of_operator(view, sought.first().map_or("the CA above", String::as_str));
    }
    let is_system = is_of_system(view);
    let missing_root = Fix::text(format!(
        "get the root certificate of this CA ({}) from the server's administrator, as new-root.crt, confirm its SHA-256 with \
         them over another channel, and {}",
        sought.first().map_or("the CA above", String::as_str),
        match is_system {
            true => TO_ITS_PATH.to_owned(),
            false => format!("append it to {}", store_name(view)),
        }
    ));
    let missing_root = match root_file(view).filter(|_| !cfg!(windows)) {
        Some(file) => {
            let file = text::shell_quoted(&file.to_string_lossy());
            missing_root.run(format!("{SHOW_NEW_ROOT}\ncat new-root.crt >> {file}"))
        }
        None => missing_root,
    };
    match view.rehearsal() {
        Some(_) => Fix {
            text: format!(
                "before the new certificate is installed, on every client: {}",
                missing_root.text.replace("the server's administrator", "that CA's administrator")
            ),
            ..missing_root
        },
        None => missing_root,
    }
}

/// The file that stands for the system's store by `SSL_CERT_FILE`: OpenSSL's own lie below /etc and /usr.
fn of_variable<'a>(view: &View<'a>) -> Option<&'a std::path::Path> {
    let RootSource::System { file: Some(file), .. } = &view.store()?.source else { return None };
    let is_own = ["/etc", "/usr", "/var", "/opt/homebrew", "/opt/local", "/System"]
        .iter()
        .any(|own| file.starts_with(own));
    (!is_own && !file.as_os_str().is_empty() && !cfg!(windows)).then_some(file)
}

/// Whatever else keeps the path from a root of the file.
pub(super) fn unknown_issuer(view: &View<'_>) -> Option<Finding> {
    let (_, defect) = judged(view)?;
    if let Defect::IssuerUnknown { last } = defect
        && let Some(found) = another_of_that_name(view, last)
    {
        return Some(found);
    }
    let is_system = matches!(view.store()?.source, RootSource::System { .. });
    let (title, sought, cause) = match defect {
        Defect::RootNotInFile { root } => (
            format!("the chain ends at {}, which is not in the root file", root.short_subject()),
            vec![
                text::printable(&root.facts().ok()?.subject.to_string()),
                format!("SHA-256 {}", root.fingerprint()),
            ],
            "the server sent its whole chain, and its root is not a known one: a private CA, or somebody who imitates one",
        ),
        Defect::IssuerUnknown { last } | Defect::FileLacksRoot { anchor: last } => {
            let facts = last.facts().ok()?;
            (
                match is_system {
                    true => {
                        format!("the system's store does not contain the issuer of {}", last.short_subject())
                    }
                    false => {
                        format!("your root file does not contain the issuer of {}", last.short_subject())
                    }
                },
                vec![text::printable(&facts.issuer.to_string())],
                if facts.issuer.short().to_lowercase().contains("root") {
                    match is_system {
                        true => "by its name, that issuer is a root of a private CA",
                        false => "by its name, that issuer is a root, and your root file lacks it",
                    }
                } else {
                    "either that issuer is a root that your root file lacks, or an intermediate that the server has to send; its certificate alone does not show which"
                },
            )
        }
        _ => return None,
    };
    let missing_root = missing_root(view, &sought);
    let of_kubernetes = is_of_kubernetes(view);
    let is_whole = matches!(defect, Defect::RootNotInFile { .. }) || of_kubernetes;
    let cause = if of_kubernetes { OF_KUBERNETES } else { cause };
    let rehearsed = view.rehearsal().map(|rehearsal| &rehearsal.files.certificate_file);
    let by_provider = root_sources(&view.server());
    let is_known = view.provider().is_some();
    Some(
        Finding::titled(title)
            .because(cause)
            .fact("sought", sought)
            .fact("sent", sent(view))
            // Of the system's roots their number says enough.
            .fact_if("in_file", (!is_system).then(|| in_file(view)))
            .fact("known_roots", otherwise::no_known_root(view))
            .fact_if("system_store", of_variable(view).map(path_text))
            .fixes(of_variable(view).map(|_| {
                Fix::text("here: SSL_CERT_FILE is set, and OpenSSL reads its file in the place of the system's own store: unset it")
                .by_unsetting(&["SSL_CERT_FILE"])
            }))
            .fixes(is_known.then_some(by_provider).into_iter().flatten())
            .fix(missing_root)
            .fixes(rehearsed.map(|_| Fix::text("have the certificate issued by the CA that the clients trust already")))
            .fixes((!is_whole).then(|| match rehearsed {
                Some(file) => Fix::text(format!(
                    "{}: if that CA is an intermediate, append its certificate after the server's",
                    file_name(file)
                ))
                .run(format!("cat intermediate.crt >> {}", text::shell_quoted(&file.to_string_lossy()))),
                None => Fix::server(
                    "on the server, if that CA is an intermediate: ssl_cert_file must contain the server's certificate and every \
                     intermediate after it; list them",
                )
                .run("openssl crl2pkcs7 -nocrl -certfile server.crt | openssl pkcs7 -print_certs -noout"),
            }))
            .fixes(is_local(view).then(|| who_listens(view))),
    )
}
