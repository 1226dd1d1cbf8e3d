//! The rules, by the stage in which an attempt ends, and what they find of one attempt.

use super::code::Code;
use super::driver;
use super::fix::possible;
use super::joined::{with_commas, with_joined_urls};
use super::rule::Rule;
use super::view::{View, path_text};
use super::{
    Diagnosis, Fix, auth, by_default, certificate, config, dns, negotiate, server_files, session, tcp, tls,
    trust,
};
use crate::clients::dialect::{Encryption, Fallback, Typed};
use crate::conninfo::{Endpoint, Origin, SslMode, mask_text};
use crate::evidence::{NegotiateResult, ServerMessage, SessionFailure};
use crate::order;
use crate::provider;
use crate::stage::Stage;
use crate::text;
use crate::trust::ClientIdentity;

/// The rules for an attempt that ended in a stage, in the order in which they are asked. Some codes belong to an earlier
/// stage than the one that brings them to light. The last rule always finds something.
fn of_end(end: Stage) -> &'static [&'static [Rule]] {
    match end {
        Stage::Config => &[config::RULES],
        Stage::Trust => &[server_files::RULES, config::FILES, trust::RULES],
        Stage::Dns => &[dns::RULES],
        Stage::Tcp => &[dns::INSTEAD, tcp::RULES],
        Stage::Negotiate => &[dns::INSTEAD, negotiate::RULES],
        Stage::Tls => &[dns::INSTEAD, negotiate::DIRECT, tls::RULES],
        Stage::Certificate => &[
            dns::INSTEAD,
            config::JUDGED,
            tls::JUDGED,
            certificate::END,
            trust::JUDGED,
            certificate::FAULTS,
            certificate::REST,
        ],
        Stage::Auth | Stage::Session => {
            &[auth::CERTIFICATE, tls::AFTERWARDS, trust::AUTHENTICATED, auth::RULES, session::RULES]
        }
    }
}

/// The codes of all rules, each once, by stage in the order in which they are asked.
pub(super) fn codes() -> Vec<&'static Code> {
    let mut codes: Vec<&'static Code> = Vec::new();
    for rule in Stage::ALL.into_iter().flat_map(of_end).copied().flatten() {
        if !codes.contains(&rule.code) {
            codes.push(rule.code);
        }
    }
    order::by_key(&mut codes, |code| code.stage);
    codes
}

/// The diagnosis of an attempt, unless everything holds.
pub(super) fn judge(view: &View<'_>) -> Option<Diagnosis> {
    let rules = of_end(view.end()?).iter().copied().flatten();
    found(view, rules).next().map(|found| {
        let found = with_joined_urls(with_detour(by_default::with_origin(found, view), view), view);
        let found = with_old_user(with_commas(found, view), view);
        let found = with_public_name(with_unread_line(with_other_system(found, view), view), view);
        with_line_ends(with_hint(with_fall_back(found, view), view), view)
    })
}

/// An address that nobody typed may lead to another server, whose faults these are then.
fn with_detour(mut found: Diagnosis, view: &View<'_>) -> Diagnosis {
    let is_told = found.evidence.iter().any(|(label, _)| *label == "address_from");
    let detour = certificate::detour(view).filter(|detour| detour.is_stray && !is_told);
    if let Some(detour) = detour.filter(|_| found.code.stage >= Stage::Certificate) {
        found.evidence.push(("address_from", detour.words.into()));
        found.fixes.push(Fix {
            text: format!("if that is not the server that is meant: {}", detour.removal.text),
            ..detour.removal
        });
    }
    found
}

/// A user as another service of the provider's wanted it is at fault too, which shows at the login only.
fn with_old_user(mut found: Diagnosis, view: &View<'_>) -> Diagnosis {
    let form = view.provider().and_then(|found| found.provider.user_at_server);
    let (user, host) = (view.user(), view.dns_name().unwrap_or_default().to_ascii_lowercase());
    if let (Some(form), Some((role, server))) = (form, user.rsplit_once('@'))
        && found.code.stage < Stage::Auth
        && found.code.stage != Stage::Dns
        && host.split('.').next() == Some(server.to_ascii_lowercase().as_str())
    {
        found.evidence.push(("old_user", format!("{user}: {form}: {role}").into()));
        let settings = || ("user", role.to_owned());
        for fix in found.fixes.iter_mut().filter(|fix| !fix.settings.is_empty()) {
            fix.text += &format!("; and set user to {}", text::printable(role));
            fix.also_set.push(settings());
        }
        if found.fixes.iter().all(|fix| fix.settings.is_empty()) {
            found.fixes.push(Fix::text("and in any case set user to the role alone").all([settings()]));
        }
    }
    found
}

/// A line of the hosts file that was written for this server, and that nobody reads.
fn with_unread_line(mut found: Diagnosis, view: &View<'_>) -> Diagnosis {
    let Some(line) = &view.evidence.hosts_line else { return found };
    let (Some((alias, address)), Some(host)) = (&line.alias, view.dns_name()) else { return found };
    let (alias, place) = (text::printable(alias), format!("{}, line {}", path_text(&line.file), line.line));
    let fact = format!("{place} gives {address} to {alias}, which is not the host that is looked up");
    found.evidence.push(("hosts_file", fact.into()));
    let fix = format!(
        "{place}: add {host} to that line (a client looks up no alias there), or set hostaddr to its address"
    );
    found.fixes.insert(0, Fix::text(fix).set("hostaddr", address.to_string()));
    found
}

/// Where the name alone tells that the server is none of PostgreSQL's, nothing else mends it.
fn with_other_system(mut found: Diagnosis, view: &View<'_>) -> Diagnosis {
    let host = view.dns_name().unwrap_or_default();
    if let Some(system) = provider::system_by_host(&host).filter(|_| found.code.stage <= Stage::Tls) {
        found.evidence.push(("other_system", format!("{host} ends as the names of {system} do").into()));
        found.fixes = vec![Fix::text(format!(
            "set host and port to those of a PostgreSQL server; {system} needs its own client"
        ))];
    }
    found
}

/// A name for its provider's own network leads nowhere outside of it.
fn with_public_name(mut found: Diagnosis, view: &View<'_>) -> Diagnosis {
    if [Stage::Dns, Stage::Tcp].contains(&found.code.stage)
        && let Some(public) = view.dns_name().and_then(|name| provider::public_name(&name))
    {
        let text = "outside of the provider's network: use the public name, and let the server's access rules admit this machine";
        found.fixes.insert(0, Fix::text(text).set("host", public));
    }
    found
}

/// Variables whose values end with `\r` are from a file with the line ends of Windows, which is to be mended first.
fn with_line_ends(mut found: Diagnosis, view: &View<'_>) -> Diagnosis {
    let known = view.settings().map_or(view.evidence.unmerged.as_slice(), |settings| &settings.parameters);
    let variables: Vec<&str> = known
        .iter()
        .filter(|parameter| parameter.value.exposed().ends_with(b"\r"))
        .filter_map(|parameter| match parameter.origin {
            Origin::Environment(variable) => Some(variable),
            _ => None,
        })
        .collect();
    if !variables.is_empty() {
        let (names, end) = (variables.join(", "), if variables.len() > 1 { "all end" } else { "ends" });
        let fix = Fix::text(format!(
            "{names} {end} with \\r: the file that sets them has the line ends of Windows. Take these out (FILE in its place: the .env file or \
             script), and load it again"
        ))
        .run("sed -i 's/\\r$//' FILE");
        match found.code.stage {
            Stage::Config => found.fixes = vec![fix],
            // Not all of them need be at fault.
            _ => found.fixes.insert(0, fix),
        }
    }
    found
}

/// What the server itself advises comes before what is advised here.
fn with_hint(mut found: Diagnosis, view: &View<'_>) -> Diagnosis {
    if let Some(SessionFailure::Server(ServerMessage { hint: Some(hint), .. })) = view.session_failure() {
        let hint = text::truncated(&text::printable(&mask_text(hint)), 300);
        found.fixes.insert(0, Fix::text(format!("the server's own hint: {hint}")));
    }
    found
}

fn found<'r>(
    view: &View<'r>,
    rules: impl Iterator<Item = &'static Rule> + 'r,
) -> impl Iterator<Item = Diagnosis> + 'r {
    let view = *view;
    rules.filter_map(move |rule| {
        let mut found = (rule.detect)(&view)?.diagnosis(rule.code);
        found.fixes = possible(&view, found.fixes)
            .into_iter()
            .map(|fix| {
                fix.in_list(&view).where_it_is_set(&view).at_its_port(&view).beside_the_root_file(&view)
            })
            .collect();
        Some(found)
    })
}

/// sslmode=prefer goes on in plaintext after a refusal or a failure over TLS, and says nothing; not after an error or
/// silence before TLS (libpq, measured). Other drivers go on after less.
fn with_fall_back(mut found: Diagnosis, view: &View<'_>) -> Diagnosis {
    let decision = view.evidence.typed.as_deref().and_then(Typed::decision);
    let fallback = match decision.map(|decision| decision.demand.encryption) {
        Some(Encryption::IfOffered(fallback)) => Some(fallback),
        Some(_) => None,
        None => (view.mode == SslMode::Prefer).then_some(Fallback::AnyFailure),
    };
    let goes_on = fallback.is_some_and(|fallback| match view.negotiate() {
        Some(NegotiateResult::Refused) => true,
        Some(NegotiateResult::Accepted) => match view.session_failure() {
            None => fallback == Fallback::AnyFailure,
            Some(SessionFailure::Server(message)) => {
                let is_final =
                    decision.is_none() && view.session().is_some_and(|session| session.refusal().is_none());
                fallback != Fallback::NotOffered && !is_final && !message.cannot_connect_now()
            }
            Some(_) => false,
        },
        _ => false,
    });
    if goes_on && found.code.stage > Stage::Config {
        if !found.cause.is_empty() {
            found.cause.push_str("; ");
        }
        found.cause.push_str(&format!(
            "with {} {} ignores this and continues without TLS, unverified and unencrypted",
            driver::said(view),
            view.program()
        ));
        if view.negotiate() == Some(&NegotiateResult::Refused) {
            found.fixes.push(Fix::text(
                "in any case, in the client: sslmode=verify-full, with which it never continues without TLS",
            ));
        }
    }
    found
}

/// What is certainly wrong besides the diagnosis: a file that libpq would come to later, further defects of the chain, a
/// token that has expired.
pub(super) fn also(view: &View<'_>, diagnosis: &Diagnosis) -> Vec<Diagnosis> {
    let others = |rules: &'static [Rule]| {
        let code = diagnosis.code;
        found(view, rules.iter().filter(move |rule| rule.code != code))
    };
    let mut also: Vec<Diagnosis> = Vec::new();
    // They detect nothing but in a rehearsal.
    also.extend(others(server_files::RULES));
    let is_socket = matches!(view.host().map(|host| &host.endpoint), Some(Endpoint::Socket(_)));
    if view.files_are_bad() && view.mode != SslMode::Disable && !is_socket {
        also.extend(others(trust::RULES));
        also.extend(others(config::FILES));
    }
    if view.settings().is_some_and(|settings| settings.sslmode != SslMode::Disable)
        && let Some(ClientIdentity::Absent { .. }) = view.trust().map(|trust| &trust.client)
    {
        let finding = trust::absent_certificate(view, None);
        also.push(finding.diagnosis(&trust::CLIENT_CERT_MISSING));
    }
    // A rehearsal has a chain whatever is wrong with other files.
    let has_chain = view.tls().is_some_and(|tls| !tls.chain.is_empty()) && view.store().is_some();
    let rehearsed = view.rehearsal().is_some() && has_chain;
    if rehearsed && view.end() != Some(Stage::Certificate) {
        also.extend(others(certificate::END).take(1));
    }
    if view.end() == Some(Stage::Certificate) || rehearsed {
        also.extend(others(trust::JUDGED));
        also.extend(others(certificate::FAULTS));
    }
    // What will be of use to verify a server is known before one answers, and before its chain is whole.
    let is_open = view.judgement().is_none();
    if is_open || diagnosis.code == &certificate::INTERMEDIATE_MISSING {
        let provided = || is_open.then(|| trust::lacks_provider_roots(view)).flatten();
        also.extend(trust::unfit_roots(view).or_else(provided));
    }
    if diagnosis.code.stage < Stage::Auth && diagnosis.code.stage != Stage::Config {
        also.extend(auth::without_asking(view).or_else(|| auth::nearly_in_passfile(view)));
    }
    let mut seen = vec![diagnosis.code];
    also.retain(|found| {
        let new = !seen.contains(&found.code);
        seen.push(found.code);
        new
    });
    also
}
