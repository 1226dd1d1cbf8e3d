//! Commands that issue a certificate again, with OpenSSL as every server has it (1.1.1 and later, POSIX shell): the names,
//! the usages, the order of the chain, the reload. `tests/it/reissue.rs` runs each as printed and then verifies the server.
//!
//! File names are those of PostgreSQL's manual (section 18.9.5) as far as it has some: `server.crt` and `server.key` of
//! the server, `ca.crt` and `ca.key` of the CA that signs, `root.crt` and `root.key` of the CA above that.

use super::{known, names_of};
use crate::certificate::{Certificate, Facts};
use crate::diagnose::Fix;
use crate::diagnose::view::{View, path_text};
use crate::provider::NamePattern;
use crate::text::{self, posix_quoted};
use crate::trust::FileCertificate;
use crate::verify::is_ip_address;

/// Whether the new certificate is for the same key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::diagnose) enum Key {
    /// It is.
    Kept,
    /// The key is at fault too, or known to others.
    New,
}

/// More names than these are left to the reader.
const MOST_NAMES: usize = 20;
/// As DNS has it (RFC 1035 section 2.3.4).
const LONGEST_NAME: usize = 253;
/// Of a CA's name, in characters.
const LONGEST_TITLE: usize = 60;
pub(super) const RELOAD: &str = "psql -c 'SELECT pg_reload_conf()'";
/// Its console is behind the name that the old certificate lacks.
const RELOAD_POOLER: &str = "\n# they are client_tls_cert_file and client_tls_key_file in pgbouncer.ini:\nsudo systemctl reload pgbouncer";
const LEAF_EXTENSIONS: [&str; 3] = [
    "basicConstraints = critical, CA:FALSE",
    "keyUsage = critical, digitalSignature",
    "authorityKeyIdentifier = keyid",
];
const CA_EXTENSIONS: [&str; 3] = [
    "basicConstraints = critical, CA:TRUE",
    "keyUsage = critical, keyCertSign, cRLSign",
    "authorityKeyIdentifier = keyid",
];

/// Intermediates where it is not known whether the CA is the root: one that is missing fails, a root too many does not.
const MAY_BE_MISSING: usize = 1;

/// Strong enough for security level 3 of OpenSSL, too.
const NEW_KEY: &str = "rsa:3072";

/// The server's files, as the commands name them.
struct Files {
    certificate: String,
    key: String,
    /// What follows once they are in place.
    then: String,
    /// How long the new certificate is valid.
    days: i64,
}

impl Files {
    /// Those of a server that runs have their usual names; those that are rehearsed the ones that were given, and no server
    /// has loaded them yet.
    fn of(view: &View<'_>) -> Self {
        let Some(rehearsal) = view.rehearsal() else {
            let usual = Self { days: days(view, 365), ..Self::usual() };
            return match view.pooler_of_port() {
                Some("PgBouncer") => Self { then: RELOAD_POOLER.to_owned(), ..usual },
                _ => usual,
            };
        };
        let path = |path: &std::path::Path| posix_quoted(&path.to_string_lossy());
        let key = rehearsal.files.key.as_ref().map(|key| path(&key.file));
        Self {
            certificate: path(&rehearsal.files.certificate_file),
            key: key.unwrap_or_else(|| "server.key".to_owned()),
            then: String::new(),
            days: days(view, 365),
        }
    }

    fn usual() -> Self {
        Self {
            days: 365,
            certificate: "server.crt".to_owned(),
            key: "server.key".to_owned(),
            then: format!(" && {RELOAD}"),
        }
    }
}

/// The days for which a new certificate is valid: at least as usual, and beyond the day of `--as-of` and what is demanded.
fn days(view: &View<'_>, usual: i64) -> i64 {
    let ahead = view.evidence.judged_at.days_since(view.evidence.started).max(0);
    let scope = view.evidence.scope;
    let demanded = scope.expires_within.max(scope.fail_within).map_or(0, i64::from);
    let needed = ahead.saturating_add(demanded);
    if needed + 30 > usual { needed + 90 } else { usual }
}

/// Who signs a certificate.
enum Signer {
    /// A CA of the reader's organisation, by its name.
    Own(String),
    /// A public CA.
    Public(String),
    /// A public CA that an ACME client asks, by its organisation.
    Acme(String),
    /// The certificate's own key.
    Itself,
}

/// The server's certificate, issued again with the names it has and another one.
pub(in crate::diagnose) fn server(view: &View<'_>, text: &str, key: Key, also: Option<&str>) -> Fix {
    server_as(view, text, key, &server_names(view, also), also.is_some())
}

/// The same with a name in the place of a wrong one.
pub(super) fn server_renamed(view: &View<'_>, text: &str, wrong: &str, right: &str) -> Fix {
    let mut names = server_names(view, Some(right));
    names.retain(|name| name != wrong);
    server_as(view, text, Key::Kept, &names, true)
}

fn server_as(view: &View<'_>, text: &str, key: Key, names: &[String], has_new: bool) -> Fix {
    if let Some(fix) = of_provider(view) {
        return fix;
    }
    let signer = signer(view);
    if let Signer::Acme(organisation) = &signer {
        let due = leaf(view)
            .and_then(|leaf| leaf.facts().ok())
            .is_some_and(|facts| facts.not_after <= view.evidence.judged_at);
        let issue = match (has_new, due && key == Key::Kept) {
            (true, _) => {
                let names: Vec<String> = names.iter().map(|name| posix_quoted(name)).collect();
                format!("certbot certonly --expand -d {}", names.join(" -d "))
            }
            (false, true) => "certbot renew".to_owned(),
            (false, false) => "certbot renew --force-renewal".to_owned(),
        };
        return acme(view, text, organisation, &issue);
    }
    let intermediates = intermediates(view);
    let commands = server_commands(names, key, &signer, intermediates, &Files::of(view));
    match signer {
        Signer::Own(name) => Fix::text(format!(
            "{text}; ca.crt and ca.key below are the files of its CA{}{name}, which the CA's administrator has{}",
            if name.is_empty() { "" } else { ", " },
            if intermediates > 1 { ", and upper-ca.crt the intermediates above that CA" } else { "" }
        )),
        Signer::Public(name) | Signer::Acme(name) => Fix::text(format!("{text}; its CA is {name}")),
        Signer::Itself => {
            Fix::text(format!("{text}; it is self-signed: clients need the new one as their root file"))
        }
    }
    .run(commands)
}

/// The server's certificate, issued by another CA than the one that may not.
pub(in crate::diagnose) fn server_by_another(view: &View<'_>, text: &str) -> Fix {
    if let Some(fix) = of_provider(view) {
        return fix;
    }
    let commands = server_commands(
        &server_names(view, None),
        Key::Kept,
        &Signer::Own(String::new()),
        MAY_BE_MISSING,
        &Files::of(view),
    );
    Fix::text(format!(
        "{text}; ca.crt and ca.key below are that other CA's files, and its root has to be in the root file of the clients"
    ))
    .run(commands)
}

/// The one intermediate of a path, if it is no public CA's: its issuer can be asked for a new certificate.
pub(in crate::diagnose) fn is_own_intermediate(view: &View<'_>, at: usize) -> bool {
    let path = view.judgement().map_or(&[][..], |judgement| &judgement.path);
    at == 1 && path.len() == 3 && !matches!(signer(view), Signer::Public(_) | Signer::Acme(_))
}

/// The certificate of a CA at a place of the path, issued again for the same key and with the same identifier of it, so
/// that what it issued stays valid.
pub(in crate::diagnose) fn authority(view: &View<'_>, at: usize, text: &str) -> Fix {
    if let Some(fix) = of_provider(view) {
        return fix;
    }
    // Its client renews the whole chain.
    if let Some(fix) = installed_by_acme(view, text) {
        return fix;
    }
    let link = view.judgement().and_then(|judgement| judgement.path.get(at));
    let facts = link.and_then(|link| link.certificate.facts().ok());
    let is_root = facts.is_some_and(Facts::is_self_signed);
    let identifier = facts.and_then(|facts| facts.extensions.subject_key.as_deref());
    let identifier = identifier.map_or_else(|| "hash".to_owned(), text::hex);
    let Files { certificate, then, .. } = Files::of(view);
    let extensions =
        CA_EXTENSIONS.into_iter().filter(|extension| !(is_root && extension.starts_with("authority")));
    let extensions = extensions.map(str::to_owned).chain([format!("subjectKeyIdentifier = {identifier}")]);
    if is_root {
        let held = link.and_then(|link| view.store()?.certificates.get(link.in_file?));
        let put = held.map(|held| in_its_place(view, held, "ca-new.crt").1).unwrap_or_default();
        return Fix::text(format!(
            "{text}; ca.crt and ca.key below are this CA's files, ca-new.crt is what every client gets, this one too"
        ))
        .run(format!(
            "{}\nopenssl x509 -in ca.crt -signkey ca.key -clrext -days {} -sha256 -extfile ca.ext -out ca-new.crt{put}",
            file("ca.ext", extensions),
            days(view, 3650)
        ));
    }
    let fix = Fix::text(format!(
        "{text}; ca.crt and ca.key below are this CA's files, root.crt and root.key its issuer's"
    ));
    fix.run(
        [
            file("ca.ext", extensions),
            "openssl x509 -x509toreq -in ca.crt -signkey ca.key -out ca.csr".to_owned(),
            format!(
                "openssl x509 -req -in ca.csr -CA root.crt -CAkey root.key -CAcreateserial -days {} -sha256 -extfile ca.ext -out ca-new.crt",
                days(view, 1825)
            ),
            chain_with_new(view, at, &certificate, &then),
        ]
        .join("\n"),
    )
}

/// What puts a root in the place of one of the client's own root file: in words, and as commands that begin with a new line.
pub(super) fn in_its_place(view: &View<'_>, held: &FileCertificate, new: &str) -> (String, String) {
    let file = path_text(&held.file);
    let quoted = text::shell_quoted(&held.file.to_string_lossy());
    let is_alone = view.store().is_some_and(|store| store.certificates.len() == 1);
    let words = match is_alone {
        true => format!("replace {file} with it"),
        false => {
            format!("put it into {file}, in the place of the certificate that begins at line {}", held.line)
        }
    };
    let command = match (cfg!(windows), is_alone) {
        (true, _) => String::new(),
        (false, true) => format!("\ncp {new} {quoted}"),
        (false, false) => format!(
            "\nsed -i.bak '{},/-----END [A-Z ]*CERTIFICATE-----/d' {quoted} && cat {new} >> {quoted}",
            held.line
        ),
    };
    (words, command)
}

/// Puts a new certificate of a CA into its place in the server's file, among the others of the path that stand there.
fn chain_with_new(view: &View<'_>, at: usize, certificate: &str, then: &str) -> String {
    let path = view.judgement().map_or(&[][..], |judgement| &judgement.path);
    let others =
        path.iter().enumerate().filter(|(place, link)| *place > 0 && *place != at && link.sent.is_some());
    if others.count() == 0 {
        return format!(
            "openssl x509 -in {certificate} -out leaf.crt\ncat leaf.crt ca-new.crt > {certificate}{then}"
        );
    }
    let parts: Vec<String> = path
        .iter()
        .enumerate()
        .filter_map(|(place, link)| match place == at {
            true => Some("ca-new.crt".to_owned()),
            false => Some(format!("part{}.crt", link.sent? + 1)),
        })
        .collect();
    format!(
        "awk '/-BEGIN/ {{n++}} n {{print > (\"part\" n \".crt\")}}' {certificate}\ncat {} > {certificate}{then}",
        parts.join(" ")
    )
}

/// A CA for the server, and a certificate of it for the server.
pub(in crate::diagnose) fn by_new_authority(view: &View<'_>, text: &str) -> Fix {
    by_new_authority_for(view, text, None)
}

/// The same with another name for the server.
pub(in crate::diagnose) fn by_new_authority_for(view: &View<'_>, text: &str, also: Option<&str>) -> Fix {
    if let Some(fix) = of_provider(view) {
        return fix;
    }
    let names = server_names(view, also);
    let create = "openssl req -x509 -newkey rsa:3072 -nodes -keyout ca.key -subj '/CN=PostgreSQL CA' -days 3650 -sha256 \
                  -addext 'keyUsage = critical, keyCertSign, cRLSign' -out ca.crt";
    let issue =
        server_commands(&names, Key::New, &Signer::Own(String::new()), MAY_BE_MISSING, &Files::of(view));
    Fix::text(format!("{text}; then give ca.crt to the clients as their root file"))
        .run(format!("{create}\n{issue}"))
}

/// A certificate of a CA in the client's root file, if one there is somebody's own.
pub(super) fn by_authority_of_file(view: &View<'_>, host: &str) -> Option<Fix> {
    let is_own = |held: &&FileCertificate| {
        let facts = held.certificate.facts();
        facts.is_ok_and(|facts| facts.is_ca() && facts.is_self_signed()) && !is_public(&held.certificate)
    };
    let store = view.store().filter(|_| view.provider().is_none() && is_plain(host))?;
    let root = store.certificates.iter().find(is_own)?.certificate.short_subject();
    let names = [host.to_owned()];
    let commands =
        server_commands(&names, Key::New, &Signer::Own(String::new()), MAY_BE_MISSING, &Files::of(view));
    Some(Fix::text(format!(
        "if it has none: have one issued by {root}, of the clients' root file; ca.crt and ca.key below are that CA's files, which its administrator has"
    )).run(commands))
}

/// A client's certificate for a user of the database, for the server's administrator to issue.
pub(in crate::diagnose) fn client(text: &str, user: &str) -> Fix {
    let fix = Fix::text(text);
    if !is_plain(user) {
        return fix;
    }
    let extensions = with_purpose("clientAuth", None);
    // Named after the user: the file in use may be called client.crt.
    let [key, request, certificate] =
        ["key", "csr", "crt"].map(|ending| posix_quoted(&format!("{user}.{ending}")));
    fix.run(
        [
            file("client.ext", extensions),
            format!(
                "openssl req -new -newkey rsa:2048 -nodes -keyout {key} -subj {} -out {request}",
                posix_quoted(&format!("/CN={user}"))
            ),
            format!(
                "openssl x509 -req -in {request} -CA ca.crt -CAkey ca.key -CAcreateserial -days 365 -sha256 -extfile client.ext -out {certificate}"
            ),
        ]
        .join("\n"),
    )
}

/// Whether a root is one of Mozilla's or a provider's, whose key the reader does not have.
fn is_public(root: &Certificate) -> bool {
    known::same(None, root).is_some_and(|root| root.in_public || root.shipped)
}

/// Where a provider runs the server, nobody else can.
pub(super) fn of_provider(view: &View<'_>) -> Option<Fix> {
    let detection = view.provider()?;
    Some(Fix::text(format!(
        "only the provider can replace this certificate: report it to the support of {}",
        detection.provider.name
    )))
}

fn leaf<'a>(view: &View<'a>) -> Option<&'a Certificate> {
    view.tls()?.chain.first()
}

fn signer(view: &View<'_>) -> Signer {
    let Some(leaf) = leaf(view) else { return Signer::Own(String::new()) };
    let Ok(facts) = leaf.facts() else {
        let issuer = leaf.readable().issuer.as_ref().map(|issuer| text::printable(&issuer.short()));
        return Signer::Own(text::truncated(&issuer.unwrap_or_default(), LONGEST_TITLE));
    };
    if facts.is_self_signed() {
        return Signer::Itself;
    }
    if let Some(organisation) = of_acme(facts) {
        return Signer::Acme(organisation);
    }
    let name = text::truncated(&text::printable(&facts.issuer.short()), LONGEST_TITLE);
    let root = view.judgement().and_then(|judgement| judgement.path.last());
    match root.is_some_and(|root| is_public(&root.certificate)) {
        true => Signer::Public(name),
        false => Signer::Own(name),
    }
}

/// The organisation of a CA whose certificates ACME clients fetch and renew: nobody else has its key, and no request is
/// signed by hand.
fn of_acme(facts: &Facts) -> Option<String> {
    let by = |pattern| NamePattern { kind: "O", pattern };
    let known = [by("*Let's Encrypt"), by("ZeroSSL*")].iter().any(|name| name.matches(&facts.issuer));
    let organisation = facts.issuer.attributes.iter().find(|attribute| attribute.kind == "O")?;
    known.then(|| text::truncated(&text::printable(&organisation.text()), LONGEST_TITLE))
}

/// What an ACME client has in its files already, put into the server's.
pub(super) fn installed_by_acme(view: &View<'_>, text: &str) -> Option<Fix> {
    match signer(view) {
        Signer::Acme(organisation) if view.provider().is_none() => Some(acme(view, text, &organisation, "")),
        _ => None,
    }
}

fn acme(view: &View<'_>, text: &str, organisation: &str, issue: &str) -> Fix {
    let skips = if issue == "certbot renew" { " (it skips what is current)" } else { "" };
    Fix::text(format!(
        "{text}; an ACME client renews what {organisation} issues, here certbot{skips}, and what the server reads, here server.crt and \
         server.key, are often copies that nothing renews: the last commands belong into a deploy hook, too \
         (/etc/letsencrypt/renewal-hooks/deploy)"
    ))
    .run(acme_commands(&server_names(view, None), issue, &Files::of(view)))
}

/// Where the server has its files.
const SHOW_FILES: &str = "psql -Atc 'SHOW data_directory' -c 'SHOW ssl_cert_file' -c 'SHOW ssl_key_file'";

/// Has certbot issue the certificate, and copies its files to the server's.
fn acme_commands(names: &[String], issue: &str, files: &Files) -> String {
    let Files { certificate, key, then, .. } = files;
    // certbot calls its directory by the first name, without the wildcard.
    let lineage = names.first().map_or("NAME", |name| name.trim_start_matches("*."));
    let install = |mode, from: &str, to: &str| {
        format!("install -o postgres -m {mode} /etc/letsencrypt/live/{lineage}/{from}.pem {to}")
    };
    let (key, chain) = (install("600", "privkey", key), install("644", "fullchain", certificate));
    let files = if then.contains("psql") { SHOW_FILES } else { "" };
    let lines = ["certbot certificates", issue, files, &key].into_iter().filter(|line| !line.is_empty());
    let lines: Vec<&str> = lines.collect();
    format!("{}\n{chain}{then}", lines.join("\n"))
}

/// How many certificates stand between the server's and its root.
fn intermediates(view: &View<'_>) -> usize {
    let ends_in_root = |path: &[crate::verify::Link]| {
        path.last().is_some_and(|root| root.certificate.facts().is_ok_and(Facts::is_self_signed))
    };
    match view.judgement().map(|judgement| judgement.path.as_slice()) {
        Some(path) if path.len() > 1 && ends_in_root(path) => path.len() - 2,
        _ => MAY_BE_MISSING,
    }
}

/// The names of the certificate as far as they are plain, the one in `host` first where it is asked for.
fn server_names(view: &View<'_>, also: Option<&str>) -> Vec<String> {
    let mut names = leaf(view).map(names_of).unwrap_or_default();
    names.truncate(MOST_NAMES);
    names.extend(also.map(str::to_owned));
    // A * that is no whole label stands for no name.
    names.retain(|name| is_plain(name) && !name.trim_start_matches("*.").contains('*'));
    if names.is_empty() {
        names.extend(view.dns_name().filter(|name| is_plain(name)));
    }
    let mut unique: Vec<String> = Vec::new();
    for name in names {
        if !unique.contains(&name) {
            unique.push(name);
        }
    }
    if unique.is_empty() { vec!["db.example.com".to_owned()] } else { unique }
}

/// Whether a name means itself in OpenSSL's files and in `-subj`.
fn is_plain(name: &str) -> bool {
    (1..=LONGEST_NAME).contains(&name.len())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || ".-_*:@".contains(c))
}

fn server_commands(
    names: &[String],
    key: Key,
    signer: &Signer,
    intermediates: usize,
    files: &Files,
) -> String {
    let Files { certificate, key: current_key, then, days } = files;
    // Names of their own, whatever the files in use are called.
    let new_key = if current_key == "new.key" { "next.key" } else { "new.key" };
    let own = if certificate == "leaf.crt" { "next.crt" } else { "leaf.crt" };
    let alternative: Vec<String> = names
        .iter()
        .map(|name| format!("{}:{name}", if is_ip_address(name.as_bytes()) { "IP" } else { "DNS" }))
        .collect();
    let alternative = format!("subjectAltName = {}", alternative.join(", "));
    let subject = names.iter().find(|name| !is_ip_address(name.as_bytes())).or(names.first());
    let subject = posix_quoted(&format!("/CN={}", subject.map(String::as_str).unwrap_or_default()));
    let request = match key {
        Key::Kept => format!("openssl req -new -key {current_key} -subj {subject}"),
        Key::New => format!("openssl req -new -newkey {NEW_KEY} -nodes -keyout {new_key} -subj {subject}"),
    };
    let alone = intermediates == 0 || matches!(signer, Signer::Itself);
    let leaf = if alone { certificate } else { own };
    let own_key = if key == Key::New { new_key } else { current_key };
    let sign = |by: &str| {
        format!("openssl x509 -req -in server.csr {by} -days {days} -sha256 -extfile server.ext -out {leaf}")
    };
    let extensions = || file("server.ext", with_purpose("serverAuth", Some(&alternative)));
    let mut commands = match signer {
        Signer::Own(_) => vec![
            extensions(),
            format!("{request} -out server.csr"),
            sign("-CA ca.crt -CAkey ca.key -CAcreateserial"),
        ],
        Signer::Itself => {
            vec![extensions(), format!("{request} -out server.csr"), sign(&format!("-signkey {own_key}"))]
        }
        Signer::Public(name) | Signer::Acme(name) => vec![
            format!("{request} -addext {} -out server.csr", posix_quoted(&alternative)),
            format!("# have {name} sign server.csr; {leaf} is what it returns"),
        ],
    };
    let last = match (alone, intermediates) {
        (true, _) => then.trim_start_matches([' ', '&', '\n']).to_owned(),
        (false, 1) => format!("cat {own} ca.crt > {certificate}{then}"),
        (false, _) => format!("cat {own} ca.crt upper-ca.crt > {certificate}{then}"),
    };
    // The key in use stays until its successor has a certificate.
    if key == Key::New {
        commands.push(format!("chmod 600 {new_key} && mv {new_key} {current_key}"));
    }
    commands.extend(Some(last).filter(|last| !last.is_empty()));
    commands.join("\n")
}

fn with_purpose(purpose: &str, alternative: Option<&str>) -> Vec<String> {
    let purpose = format!("extendedKeyUsage = {purpose}");
    LEAF_EXTENSIONS
        .into_iter()
        .map(str::to_owned)
        .chain([purpose])
        .chain(alternative.map(str::to_owned))
        .collect()
}

/// Writes a file of extensions, one a line.
fn file(name: &str, lines: impl IntoIterator<Item = String>) -> String {
    let words: Vec<String> = lines.into_iter().map(|line| posix_quoted(&line)).collect();
    format!("printf '%s\\n' {} > {name}", words.join(" "))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// Runs lines of a shell; gives what they print.
    fn run(directory: &std::path::Path, lines: &str) -> String {
        let done = Command::new("sh").args(["-ec", lines]).current_dir(directory).output().unwrap();
        assert!(done.status.success(), "{lines}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    }

    #[cfg(unix)]
    #[test]
    fn what_an_acme_client_renewed_is_copied_to_the_server() {
        let directory = tempfile::tempdir().unwrap();
        run(
            directory.path(),
            "mkdir live && echo new > live/fullchain.pem && echo key > live/privkey.pem && echo old > server.crt",
        );
        let names = ["*.db.example.com", "db.example.com"].map(str::to_owned);
        let commands = acme_commands(&names, "certbot renew", &Files::usual());
        let here = commands.replace("/etc/letsencrypt/live/db.example.com", "live");
        let stand_ins = "certbot() { :; }; psql() { :; }; install() { shift 4; cp \"$@\"; }\n";
        assert_eq!(
            run(directory.path(), &format!("{stand_ins}{here}\ncat server.crt server.key")),
            "new\nkey\n"
        );
    }

    /// Nobody here has the key of a public CA: another one stands for it, which takes the names from the request as public
    /// CAs do. Needs openssl.
    #[cfg(unix)]
    #[test]
    fn a_public_ca_gets_a_request_with_every_name() {
        let names = ["db.example.com", "*.db.example.com", "203.0.113.7"].map(str::to_owned);
        for (key, intermediates) in [(Key::Kept, 1), (Key::New, 1), (Key::Kept, 0)] {
            let directory = tempfile::tempdir().unwrap();
            let ca = "openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -subj /CN=Public -days 30 -out ca.crt \
                      -addext 'keyUsage = critical, keyCertSign'\nopenssl genpkey -algorithm EC -pkeyopt \
                      ec_paramgen_curve:P-256 -out server.key\necho true > psql && chmod +x psql";
            run(directory.path(), ca);
            let signer = Signer::Public("Public".to_owned());
            let commands = server_commands(&names, key, &signer, intermediates, &Files::usual());
            let leaf = if intermediates == 0 { "server.crt" } else { "leaf.crt" };
            let sign = format!(
                "openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -copy_extensions copy -days 30 -out {leaf}"
            );
            let asks = |line: &&str| line.starts_with("# have Public sign server.csr");
            assert_eq!(commands.lines().filter(asks).count(), 1, "{commands}");
            let lines: Vec<&str> =
                commands.lines().map(|line| if asks(&line) { sign.as_str() } else { line }).collect();
            run(directory.path(), &format!("PATH=.:$PATH\n{}", lines.join("\n")));
            let said = run(
                directory.path(),
                "openssl verify -CAfile ca.crt server.crt && openssl x509 -noout -ext subjectAltName -in server.crt\n\
                 openssl x509 -noout -pubkey -in server.crt > a && openssl pkey -pubout -in server.key > b && cmp a b",
            );
            for name in ["server.crt: OK", "DNS:db.example.com", "DNS:*.db.example.com", "203.0.113.7"] {
                assert!(said.contains(name), "{name} in {said}");
            }
        }
    }
}
