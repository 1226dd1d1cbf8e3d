//! With `-v`: the facts of the wire, and each setting with its origin.

use std::net::IpAddr;

use crate::conninfo::SslNegotiation;
use crate::diagnose::{Outcome, looks};
use crate::evidence::{TcpResult, TlsRecord};
use crate::report::page::Page;
use crate::report::{Role, settings, subject};

/// What was seen of the connection that no stage line tells.
pub(super) fn facts(page: &mut Page, outcome: &Outcome) {
    // Nothing went over a wire in a rehearsal.
    let is_real = outcome.evidence.rehearsal.is_none();
    let Some(attempt) = subject::attempt(outcome).filter(|_| is_real) else { return };
    let mut facts: Vec<(&str, String)> = Vec::new();
    if let Some(TcpResult::Connected { local: Some(local) }) = attempt.tcp.as_ref().map(|step| &step.result) {
        facts.push(("from", local.to_string()));
    }
    if let (Some(address), Some(Ok(port))) = (attempt.address, subject::host(outcome).map(|host| &host.port))
    {
        facts.push(("to", socket(address, *port)));
    }
    if let Some(tls) = attempt.tls.as_ref().map(|step| &step.result) {
        let direct = subject::settings(outcome).is_some_and(|s| s.negotiation == SslNegotiation::Direct);
        facts.push(("began with", if direct { "TLS at once" } else { "SSLRequest" }.to_owned()));
        tls_facts(tls, &mut facts);
    }
    if let Some(session) = attempt.session.as_ref().map(|step| &step.result) {
        facts.extend(
            session.server_version.clone().map(|version| ("server", format!("PostgreSQL {version}"))),
        );
        facts.extend(session.backend_ssl.map(|encrypted| {
            let words = if encrypted { "the session is encrypted" } else { "the session is not encrypted" };
            ("backend", words.to_owned())
        }));
    }
    if facts.is_empty() {
        return;
    }
    page.part();
    page.line("wire");
    for (name, value) in facts {
        entry(page, name, &value);
    }
}

fn tls_facts(tls: &TlsRecord, facts: &mut Vec<(&str, String)>) {
    let versions: Vec<&str> = tls.offer.versions.iter().map(|version| version.name()).collect();
    facts.push(("offered", versions.join(", ")));
    facts.extend(tls.version.map(|version| ("chosen", version.name().to_owned())));
    facts.extend(tls.cipher.clone().map(|cipher| ("suite", cipher)));
    facts.extend(tls.group.clone().map(|group| ("group", group)));
    if tls.hello_retry {
        facts.push(("retry", "the server asked for another group (HelloRetryRequest)".to_owned()));
    }
    facts.push(("SNI", tls.offer.sni.clone().unwrap_or_else(|| "none sent".to_owned())));
    if !tls.offer.alpn.is_empty() {
        let chosen = tls.alpn.as_ref().map(|chosen| format!(", chosen {chosen}")).unwrap_or_default();
        facts.push(("ALPN", format!("offered {}{chosen}", tls.offer.alpn.join(", "))));
    }
    if tls.client_certificate.requested {
        let sent = if tls.client_certificate.sent { "sent" } else { "not sent" };
        facts.push(("client certificate", format!("asked for, {sent}")));
        for authority in &tls.client_certificate.authorities {
            facts.push(("accepted from", authority.clone()));
        }
    }
    facts.push(("bytes", format!("{} sent, {} received", tls.bytes_sent, tls.bytes_received)));
}

/// The connections that were made after a failure to tell its causes apart.
pub(super) fn second_looks(page: &mut Page, outcome: &Outcome) {
    let looks = &outcome.evidence.looks;
    if looks.is_empty() {
        return;
    }
    page.part();
    page.line("second looks");
    for look in looks {
        let took = look.took.as_secs_f64() * 1000.0;
        let words = format!("{}: {}, {took:.1} ms", looks::asked(look), looks::answer(look));
        entry(page, &look.address.to_string(), &words);
    }
}

/// Each setting and where it came from.
pub(super) fn settings(page: &mut Page, outcome: &Outcome) {
    let Some(settings) = subject::settings(outcome) else { return };
    page.part();
    if let Some(typed) = &outcome.evidence.typed {
        settings::typed(page, typed);
    }
    page.line("settings");
    for line in settings::lines(page.style(), &settings.parameters, outcome.evidence.typed.as_deref()) {
        page.line(&format!("  {line}"));
    }
}

/// An entry of a `-v` part: its name and what is known.
fn entry(page: &mut Page, name: &str, value: &str) {
    let name = format!("{name:<11}");
    let style = page.style();
    if page.is_narrow() {
        page.line(&format!("  {}", style.paint(Role::Secondary, name.trim_end())));
        page.prose("    ", 4, 4, Role::Plain, value);
    } else {
        let head = format!("  {}  ", style.paint(Role::Secondary, &name));
        page.prose(&head, name.len() + 4, 15, Role::Plain, value);
    }
}

fn socket(address: IpAddr, port: u16) -> String {
    std::net::SocketAddr::new(address, port).to_string()
}
