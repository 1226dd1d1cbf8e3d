//! Name resolution.

use super::Fix;
use super::code::{Code, Severity};
use super::fix::provider_hints;
use super::rule::{Finding, Rule};
use super::view::{Reachability, View, reachability};
use crate::evidence::{DnsFailure, NameServer, NameServerAnswer, Resolution};
use crate::provider::{self, FormKind, Provider, Situation};
use crate::stage::Stage;
use crate::text;

pub(super) const RULES: &[Rule] = &[
    Rule { code: &DNS_NOT_FOUND, detect: not_found },
    Rule { code: &DNS_NO_ADDRESS, detect: no_address },
    Rule { code: &DNS_FAILURE, detect: failure },
];

/// `dns-not-found`.
pub const DNS_NOT_FOUND: Code = Code {
    name: "dns-not-found",
    severity: Severity::Failure,
    stage: Stage::Dns,
    title: "the host name does not exist",
    short: Some("no such name"),
    concerns: &[],
    retryable: false,
};

/// `dns-no-address`.
pub const DNS_NO_ADDRESS: Code = Code {
    name: "dns-no-address",
    severity: Severity::Failure,
    stage: Stage::Dns,
    title: "the host name has no usable address",
    short: Some("no address"),
    concerns: &[],
    retryable: false,
};

/// `dns-failure`.
pub const DNS_FAILURE: Code = Code {
    name: "dns-failure",
    severity: Severity::Failure,
    stage: Stage::Dns,
    title: "the name lookup failed",
    short: None,
    concerns: &[],
    retryable: true,
};

fn resolution<'a>(view: &View<'a>) -> Option<&'a Resolution> {
    Some(&view.attempt?.dns.as_ref()?.result)
}

/// getaddrinfo's answer, if it is of this kind.
fn answer(view: &View<'_>, wanted: DnsFailure) -> Option<String> {
    match resolution(view)? {
        Resolution::Failed { kind, code, text } if *kind == wanted => Some(answer_words(*code, text)),
        _ => None,
    }
}

fn answer_words(code: Option<i32>, said: &str) -> String {
    match code {
        Some(code) => format!("{} (getaddrinfo {code})", text::printable(said)),
        None => text::printable(said),
    }
}

/// The name servers asked, where they are known.
fn asked(view: &View<'_>) -> Option<Vec<String>> {
    let resolvers: Vec<String> = view.evidence.resolvers.iter().map(asked_words).collect();
    (!resolvers.is_empty()).then_some(resolvers)
}

/// A name server with what it answered.
fn asked_words(server: &NameServer) -> String {
    let address = text::printable(&server.address);
    let Some(answer) = &server.answer else { return address };
    let said = match answer {
        NameServerAnswer::Records(0) => "no A record".to_owned(),
        NameServerAnswer::Records(1) => "1 record".to_owned(),
        NameServerAnswer::Records(count) => format!("{count} records"),
        NameServerAnswer::NoSuchName => "NXDOMAIN".to_owned(),
        NameServerAnswer::NothingBehindAlias => "NXDOMAIN, behind an alias".to_owned(),
        NameServerAnswer::ServerFailure => "SERVFAIL".to_owned(),
        NameServerAnswer::Refused => "REFUSED".to_owned(),
        NameServerAnswer::Other(code) => format!("response code {code}"),
        NameServerAnswer::Silent => "no response".to_owned(),
        NameServerAnswer::Failed(failure) => text::printable(&failure.text),
    };
    format!("{address}: {said}")
}

/// The name server that gave this answer.
fn answered(view: &View<'_>, wanted: impl Fn(&NameServerAnswer) -> bool) -> Option<String> {
    let servers = view.evidence.resolvers.iter();
    servers
        .filter(|server| server.answer.as_ref().is_some_and(&wanted))
        .map(|server| text::printable(&server.address))
        .next()
}

/// Whether a name server said that there is no such name, as far as they were asked; without that the resolver's word counts.
fn is_denied(view: &View<'_>) -> bool {
    let mut answers = view.evidence.resolvers.iter().filter_map(|server| server.answer.as_ref()).peekable();
    answers.peek().is_none() || answers.any(|answer| *answer == NameServerAnswer::NoSuchName)
}

/// Cause and remedy where the name servers themselves tell why the lookup failed.
fn told_by_servers(view: &View<'_>, name: &str) -> Option<(String, Fix)> {
    // Of systemd-resolved.
    let is_stub = |server: &str| ["127.0.0.53", "127.0.0.54"].contains(&server);
    if let Some(server) = answered(view, |answer| *answer == NameServerAnswer::Refused)
        .filter(|server| is_stub(server) && !cfg!(windows))
    {
        return Some((
            format!("{server} is the resolver of this machine, which asks others: one of them returned REFUSED"),
            Fix::text(
                "see which name servers it asks, and let it ask one that serves this name (VPN, DHCP settings, /etc/systemd/resolved.conf); \
                 these are the two commands of systemd-resolved",
            )
            .run(format!("resolvectl status\nresolvectl query {}", text::shell_quoted(name))),
        ));
    }
    if let Some(server) = answered(view, |answer| *answer == NameServerAnswer::Refused) {
        return Some((
            format!("the name server {server} returned REFUSED: it does not serve this machine's network, or not this name"),
            Fix::text(format!(
                "allow this machine's network on the name server {server}, or use another one (/etc/resolv.conf, VPN or \
                 DHCP settings); compare with:"
            ))
            .run_words(["nslookup", name, &server]),
        ));
    }
    if let Some(server) = answered(view, |answer| *answer == NameServerAnswer::ServerFailure) {
        return Some((
            format!(
                "the name server {server} returned SERVFAIL: it got no usable answer from the name servers of the \
                 domain, which are down or fail DNSSEC validation"
            ),
            Fix::text("check the domain's own name servers and its DNSSEC records; compare with another name server:")
                .run_words(["nslookup", name, "OTHER-NAME-SERVER"]),
        ));
    }
    let silent =
        |answer: &NameServerAnswer| matches!(answer, NameServerAnswer::Silent | NameServerAnswer::Failed(_));
    let all = view.evidence.resolvers.iter().all(|server| server.answer.as_ref().is_some_and(silent));
    let server = answered(view, silent).filter(|_| all)?;
    Some((
        format!("the name server {server} did not respond: it is down, or packets to its port 53 are dropped or rejected"),
        Fix::text(format!(
            "check the way to the name server {server} (VPN, firewall, UDP port 53), or use another one (/etc/resolv.conf)"
        ))
        .run_words(["nslookup", name, &server]),
    ))
}

/// Where no host of a list has an address, it is no typing error in one of them.
fn spelling(view: &View<'_>, name: &str) -> Fix {
    let attempts = view.evidence.attempts.iter();
    let all: Vec<String> = attempts
        .map(|attempt| View::new(view.evidence, Some(attempt)))
        .filter(|other| other.end() == Some(Stage::Dns))
        .map(|other| other.host_name())
        .collect();
    Fix::text(match all.as_slice() {
        [_, _, ..] => format!(
            "no name of {} resolves: see which name servers this machine asks, and whether they know these names; then check the \
             spelling in host",
            all.join(", ")
        ),
        _ => format!("check the spelling of {name} in host"),
    })
}

/// Asks the resolver again by hand.
fn look_up(name: &str) -> Fix {
    let command = if cfg!(windows) { "Resolve-DnsName" } else { "nslookup" };
    Fix::text("compare the lookup here and on a machine where it works").run_words([command, name])
}

/// A name without its empty parts.
fn collapsed(name: &str) -> String {
    name.split('.').filter(|part| !part.is_empty()).collect::<Vec<_>>().join(".")
}

fn not_found(view: &View<'_>) -> Option<Finding> {
    let said = answer(view, DnsFailure::NoSuchName)?;
    let name = view.host_name();
    let finding = Finding::titled(format!("cannot resolve host name \"{name}\""))
        .fact("name", name.clone())
        .fact("answer", said)
        .fact_if("asked", asked(view));
    if name.contains("..") && !name.chars().all(|c| c == '.') {
        return Some(
            finding
                .because("two dots stand next to each other; no host name has an empty part")
                .fix(Fix::text(format!("remove one of the two dots: host={}", collapsed(&name))))
                .fix(Fix::text("if the name is another one altogether: set host to that")),
        );
    }
    if let Some(near) = provider::near_miss(&name) {
        return Some(
            finding
                .because(format!(
                    "it ends in {}, and servers of {} end in {}: most likely a typing error",
                    text::printable(&near.typed),
                    near.provider.name,
                    near.suffix
                ))
                .fact("looks_like", near.host.clone())
                .fix(Fix::text("write the provider's suffix as it is").set("host", near.host))
                .fix(look_up(&name)),
        );
    }
    if let Some(detection) = view.provider() {
        return Some(of_provider(view, finding, detection.provider, &name));
    }
    if name == "host.docker.internal" {
        return Some(of_docker(finding));
    }
    if let Some(target) = view.evidence.resolvers.iter().find_map(|server| server.alias_of.as_deref()) {
        return Some(of_alias(finding, &name, target));
    }
    if let Some(found) = of_kubernetes(view, &finding, &name) {
        return Some(found);
    }
    if let Some(server) = knows(view, &name) {
        return Some(of_name_switch(finding, &name, &server.address));
    }
    let ascii = (!name.is_ascii()).then(|| punycode::host(&name));
    if !name.contains('.') {
        let found = match provider::external_name(&name) {
            Some((provider, external)) => of_internal_name(finding, provider, &external),
            None => of_bare_name(view, finding, &name).fix(inside()).fix(spelling(view, &name)),
        };
        return Some(found);
    }
    let cause = match is_denied(view) {
        true => {
            "DNS returned NXDOMAIN: no such name; it is mistyped, or known only to another network's name servers"
        }
        false => {
            "DNS returned no usable address, and not NXDOMAIN either: the aliases (CNAME) of the name lead nowhere or in a circle, or \
             the answer is malformed"
        }
    };
    if let Some(ascii) = ascii {
        return Some(
            finding
                .because("the name has characters outside ASCII, which browsers encode before they ask DNS, and libpq does not")
                .fix(Fix::text("write the name as it is in the DNS and in the certificate").set("host", ascii))
                .fix(look_up(&name)),
        );
    }
    let finding = finding.fix(spelling(view, &name)).fix(look_up(&name));
    Some(match public_server(view) {
        Some(server) => finding
            .because(format!(
                "{cause}. {server} is a public server, which knows no name of a private network"
            ))
            .first(of_private(server)),
        None => finding.because(cause).fix(inside()),
    })
}

fn inside() -> Fix {
    Fix::text(
        "inside a private network, a container network or a VPN: ask from there, or use its name servers",
    )
}

/// Where the name servers that were asked cannot know the name.
fn of_private(server: &str) -> Fix {
    Fix::text(format!(
        "if the name is one of a private network or VPN: let this machine ask that network's name servers in place of {server}, which was \
         set by hand or by another network (resolvectl status, /etc/resolv.conf)"
    ))
}

/// Resolvers for everybody: Cloudflare, Google, Quad9, OpenDNS.
const PUBLIC_SERVERS: [&str; 14] = [
    "1.1.1.1",
    "1.0.0.1",
    "8.8.8.8",
    "8.8.4.4",
    "9.9.9.9",
    "149.112.112.112",
    "208.67.222.222",
    "208.67.220.220",
    "2606:4700:4700::1111",
    "2606:4700:4700::1001",
    "2001:4860:4860::8888",
    "2001:4860:4860::8844",
    "2620:fe::fe",
    "2620:fe::9",
];

/// The first of the name servers, where all are public ones.
fn public_server<'a>(view: &View<'a>) -> Option<&'a str> {
    let servers = &view.evidence.resolvers;
    let is_public = |server: &NameServer| PUBLIC_SERVERS.contains(&server.address.as_str());
    servers.first().filter(|_| servers.iter().all(is_public)).map(|server| server.address.as_str())
}

/// An alias whose target is gone.
fn of_alias(finding: Finding, name: &str, target: &str) -> Finding {
    let target = text::printable(target);
    finding
        .because(format!("{name} is an alias (CNAME) of {target}, and that name has no address"))
        .fact("alias_of", target.clone())
        .fix(Fix::text(format!(
            "in the DNS: let the CNAME record of {name} point to the server's current name, or give {target} an address again"
        )))
        .fix(Fix::text("until then, here: set host to the server's current name, if its certificate has that"))
}

/// A name of Kubernetes, by its suffix or by where it was looked up.
fn of_kubernetes(view: &View<'_>, finding: &Finding, name: &str) -> Option<Finding> {
    if let Some(service) = name.strip_suffix(".cluster.local").unwrap_or(name).strip_suffix(".svc") {
        return Some(of_cluster(view, finding.clone(), name, service));
    }
    let own = view.evidence.namespace.as_deref()?;
    match name.split_once('.') {
        None => Some(of_pod(finding.clone(), name, own)),
        // Elsewhere that is a service and its namespace, or a name of no cluster.
        Some((service, namespace)) if !namespace.contains('.') => Some(
            finding
                .clone()
                .because("this is a pod of Kubernetes, where a name of two parts is SERVICE.NAMESPACE, and its cluster has none of this name")
                .fix(services(
                    "list the services, and set host to SERVICE.NAMESPACE.svc",
                    &format!(" | grep -wE {}", text::shell_quoted(&format!("{service}|{namespace}"))),
                ))
                .fix(spelling(view, name)),
        ),
        Some(_) => None,
    }
}

/// A service of Kubernetes, which only the cluster's own DNS knows.
fn of_cluster(view: &View<'_>, finding: Finding, name: &str, service: &str) -> Finding {
    let port = view.port();
    let (service, namespace) = service.rsplit_once('.').unwrap_or((service, "NAMESPACE"));
    let words =
        ["-n", namespace, &format!("service/{service}"), &format!("{port}:{port}")].map(text::shell_quoted);
    let exists = Fix::text("see whether the service exists").run_words([
        "kubectl",
        "-n",
        namespace,
        "get",
        "service",
        service.rsplit('.').next().unwrap_or(service),
    ]);
    if view.evidence.namespace.is_some() {
        return finding
            .because(format!("this is a pod of Kubernetes, whose cluster knows no service {service} in the namespace {namespace}"))
            .fix(exists)
            .fix(services("list the services, and set host to NAME.NAMESPACE.svc", ""));
    }
    finding
        .because("the suffix is that of a Kubernetes cluster: its services resolve in its own pods only")
        .fix(
            Fix::text("outside of the cluster: forward the port, in another terminal, and keep the name for verification")
                .run(format!("kubectl port-forward {}", words.join(" ")))
                .set("host", name)
                .set("hostaddr", "127.0.0.1"),
        )
        .fix(Fix::text("run the check in a pod of the cluster"))
        .fix(Fix { text: format!("inside of a pod: {}", exists.text), ..exists })
}

/// A name without a dot, in a pod.
fn of_pod(finding: Finding, name: &str, own: &str) -> Finding {
    let own = text::printable(own);
    finding
        .because(format!(
            "this is a pod of Kubernetes in the namespace {own} (search in /etc/resolv.conf), where a name without a dot is a service \
             of that namespace, and it has none of this name"
        ))
        .fix(
            services(&format!("a service of another namespace needs that in its name: set host to {name}.NAMESPACE.svc; this shows it, where kubectl works"), &format!(" | grep -w {}", text::shell_quoted(name))),
        )
        .fix(Fix::text(format!("if it belongs into {own}: see whether the service exists")).run_words(["kubectl", "-n", &own, "get", "service", name]))
}

fn services(text: &str, filter: &str) -> Fix {
    Fix::text(text).run(format!("kubectl get services --all-namespaces{filter}"))
}

/// A name without a dot.
fn of_bare_name(view: &View<'_>, finding: Finding, name: &str) -> Finding {
    let roots = view.store().into_iter().flat_map(|store| &store.certificates);
    let of_provider = provider::by_roots(roots.map(|entry| &entry.certificate)).map(|(provider, suffix)| {
        Fix::text(format!(
            "if it is a server of {}, whose roots the root file has: set host to its full name",
            provider.name
        ))
        .set("host", format!("{name}{suffix}"))
    });
    let lookup = if cfg!(windows) { vec!["nslookup", name] } else { vec!["getent", "hosts", name] };
    let full = format!(
        "set host to the full name, {name}.DOMAIN, which this shows on a machine where {name} works; or add that domain to the search \
         domains here (search in /etc/resolv.conf)"
    );
    finding
        .because(
            "a name without a dot resolves only where it is known: in its own container network, or with the search domain of its own \
             site",
        )
        .fixes(of_provider)
        .fix(Fix::text(full).run_words(lookup))
}

/// A name that a provider's own network alone knows.
fn of_internal_name(finding: Finding, provider: &Provider, external: &str) -> Finding {
    let name = provider.name;
    finding
        .because(format!(
            "servers of {name} have names of this form, which are known in its own network only"
        ))
        .fix(Fix::text(format!(
            "outside of it: take host from the external connection string in {name}'s dashboard: {external}"
        )))
}

/// A name under a provider's suffix, which has servers that are known inside of their networks only.
fn of_provider(view: &View<'_>, finding: Finding, provider: &Provider, name: &str) -> Finding {
    // The user is spelled with the server's name behind it, as a service that is no more wanted it.
    let server = name.split('.').next().unwrap_or_default();
    let is_retired = provider.user_at_server.is_some()
        && view.user().rsplit_once('@').is_some_and(|(_, at)| at.eq_ignore_ascii_case(server));
    let retired = is_retired.then(|| provider_hints(view, Situation::NameRetired, None));
    let mut hints = retired.unwrap_or_default();
    let is_internal = provider.form(name).is_some_and(|form| form.kind == FormKind::Internal);
    if is_internal {
        hints.extend(provider_hints(view, Situation::InternalName, None));
    }
    let zone = provider.private_zone();
    let is_alias = answered(view, |answer| {
        matches!(answer, NameServerAnswer::NothingBehindAlias | NameServerAnswer::Records(1..))
    })
    .is_some();
    let of_name = provider_hints(view, Situation::NameNotFound, None);
    // The public name of a server with private access leads into its zone, which is known inside only.
    if let Some(zone) = zone.filter(|_| is_alias) {
        return of_private_zone(view, finding, zone)
            // That the server exists, the alias shows.
            .fixes(hints)
            .fixes(of_name.into_iter().filter(|hint| hint.command.is_none()))
            .fix(look_up(name));
    }
    hints.extend(of_name);
    let cause = match zone {
        Some(_) => format!(
            "a public server of {} resolves everywhere, unless a private DNS zone of the network hides it; a private one only inside a \
             network linked to its private DNS zone; otherwise the name is mistyped or the server was deleted",
            provider.name
        ),
        None if is_internal => format!(
            "the name is one of a private network at {}: it resolves inside that network only",
            provider.name
        ),
        None => format!(
            "the suffix is that of {}: most likely the first part is mistyped, or the server is gone",
            provider.name
        ),
    };
    let cause = match is_retired {
        true => format!(
            "the user {} is spelled as for Azure's Single Server, which is retired; {cause}",
            view.user()
        ),
        false => cause,
    };
    finding.because(cause).fixes(hints).fix(look_up(name))
}

/// A public name that leads into a zone which is not seen here: that of the provider's private endpoints, or the server's own,
/// as a server has that was made inside a network.
fn of_private_zone(view: &View<'_>, finding: Finding, of_endpoints: &str) -> Finding {
    let target = view.evidence.resolvers.iter().find_map(|server| server.alias_of.as_deref());
    let target = target.map(text::printable);
    let zone =
        target.as_deref().and_then(|target| target.split_once('.')).map_or(of_endpoints, |(_, zone)| zone);
    let is_endpoint = zone.eq_ignore_ascii_case(of_endpoints);
    let (kind, outside) = match is_endpoint {
        true => (
            "a private endpoint",
            "; where other servers' names resolve here, this server's record is missing in that zone: add it (the private endpoint's DNS \
             zone group does)",
        ),
        false => (
            "private access only (VNet integration)",
            "; it has no public address, and no firewall rule opens it",
        ),
    };
    finding
        .because(format!(
            "the name exists and is an alias (CNAME), and what it leads to has no address here: the server has {kind}, and the \
             zone {zone} is not linked to this machine's network, or has no record of this server"
        ))
        .fact_if("alias_of", target.clone())
        .fact("private_dns_zone", zone)
        .fix(Fix::text(format!(
            "run the client in the server's virtual network, or in one that is linked to its zone {zone} (peering alone is not enough; \
             over a VPN, use that network's DNS){outside}"
        )))
}

/// A name of a provider's that DNS does not have, and that a search domain made another name of, which has an address: of a
/// wildcard mostly.
fn of_search_domain(view: &View<'_>) -> Option<Finding> {
    let name = view.dns_name()?;
    let provider = provider::by_host(&name)?;
    let found = text::printable(view.attempt?.canonical_name.as_deref()?);
    let domain = found.to_ascii_lowercase();
    let domain = domain
        .strip_prefix(&name.trim_end_matches('.').to_ascii_lowercase())?
        .strip_prefix('.')?
        .trim_end_matches('.');
    answered(view, |answer| *answer == NameServerAnswer::NoSuchName)?;
    let address = view.address()?;
    let finding =
        Finding::titled(format!("cannot resolve host name \"{name}\"; {address} is that of {found}"))
            .in_short("no such name; another one by a search domain")
            .fact("name", name.clone())
            .fact_if("asked", asked(view))
            .fact("found_instead", format!("{found}, {address}"));
    Some(of_provider(view, finding, provider, &name).because(format!(
        "{name} itself does not exist in this machine's DNS (NXDOMAIN); with the search domain {domain} of /etc/resolv.conf it becomes \
         {found}, which has an address, mostly of a wildcard record: another machine. A public server of {} resolves everywhere; a \
         private one only inside a network linked to its private DNS zone; otherwise the name is mistyped or the server was deleted",
        provider.name
    )))
}

/// What is asked before the rules of later stages: whether the name is the one that was meant.
pub(super) const INSTEAD: &[Rule] = &[Rule { code: &DNS_NOT_FOUND, detect: of_search_domain }];

/// A name server that has addresses of the name.
fn knows<'a>(view: &View<'a>, name: &str) -> Option<&'a NameServer> {
    let has_records = |server: &&NameServer| {
        matches!(server.answer, Some(NameServerAnswer::Records(1..))) && server.alias_of.is_none()
    };
    // Names in other scripts are asked in another form.
    view.evidence.resolvers.iter().find(has_records).filter(|_| name.is_ascii())
}

/// A name server has the name, and the system's resolver did not give it (nsswitch.conf(5)).
fn of_name_switch(finding: Finding, name: &str, server: &str) -> Finding {
    finding
        .because(format!(
            "the name server {} has the name, but this machine's programs do not get it: the line hosts: of /etc/nsswitch.conf most \
             likely does not list dns",
            text::printable(server)
        ))
        .fix(
            Fix::text("see whether that line lists dns; if it does not, add it; then the last command prints the address")
                .run(format!(
                    "grep '^hosts:' /etc/nsswitch.conf\nsudo sed -i '/^hosts:/s/$/ dns/' /etc/nsswitch.conf\ngetent hosts {}",
                    text::shell_quoted(name)
                )),
        )
        .fix(Fix::text(format!(
            "if it lists dns: the answer of the name server is malformed or its aliases lead in a circle; see what it answers: dig {}",
            text::shell_quoted(name)
        )))
}

/// The name of a container's host.
fn of_docker(finding: Finding) -> Finding {
    finding
            .because("Docker Desktop knows this name in its containers; Docker on Linux does so only where it is told to, and the host itself never")
            .fix(Fix::text("in the container, on Linux: start it with this option (Compose: extra_hosts: [\"host.docker.internal:host-gateway\"])")
                .run("docker run --add-host=host.docker.internal:host-gateway …"))
            .fix(Fix::text("outside of containers: set host to localhost or to the server's name"))
}

/// The form that DNS has of names in other scripts (RFC 3492; RFC 5891 without its tables). The crate that has it, idna, brings
/// those tables and a dozen crates along, for names that are typed by mistake.
mod punycode {
    /// Each label that needs it, encoded.
    pub(super) fn host(name: &str) -> String {
        let name = name.to_lowercase();
        let label = |label: &str| match label.is_ascii() {
            true => label.to_owned(),
            false => encoded(label).map_or_else(|| label.to_owned(), |text| format!("xn--{text}")),
        };
        name.split('.').map(label).collect::<Vec<_>>().join(".")
    }

    /// `None` where a number would be too large.
    fn encoded(label: &str) -> Option<String> {
        let mut text: String = label.chars().filter(char::is_ascii).collect();
        let basic = u32::try_from(text.len()).ok()?;
        if basic > 0 {
            text.push('-');
        }
        let (mut n, mut delta, mut bias, mut done) = (128u32, 0u32, 72u32, basic);
        while done < u32::try_from(label.chars().count()).ok()? {
            let next = label.chars().map(u32::from).filter(|c| *c >= n).min()?;
            delta = delta.checked_add((next - n).checked_mul(done + 1)?)?;
            n = next;
            for c in label.chars().map(u32::from) {
                if c < n {
                    delta = delta.checked_add(1)?;
                }
                if c != n {
                    continue;
                }
                let mut rest = delta;
                for k in (36u32..).step_by(36) {
                    let limit = k.saturating_sub(bias).clamp(1, 26);
                    if rest < limit {
                        break;
                    }
                    text.push(digit(limit + (rest - limit) % (36 - limit))?);
                    rest = (rest - limit) / (36 - limit);
                }
                text.push(digit(rest)?);
                bias = adapted(delta, done + 1, done == basic);
                (delta, done) = (0, done + 1);
            }
            (delta, n) = (delta.checked_add(1)?, n.checked_add(1)?);
        }
        Some(text)
    }

    fn digit(value: u32) -> Option<char> {
        "abcdefghijklmnopqrstuvwxyz0123456789".chars().nth(usize::try_from(value).ok()?)
    }

    fn adapted(delta: u32, points: u32, first: bool) -> u32 {
        let mut delta = if first { delta / 700 } else { delta / 2 };
        delta += delta / points;
        let mut k = 0;
        while delta > 455 {
            delta /= 35;
            k += 36;
        }
        k + 36 * delta / (delta + 38)
    }

    #[cfg(test)]
    mod tests {
        #[test]
        fn names_of_rfc_3492_and_others() {
            for (name, ascii) in [
                ("b\u{f6}rse.lumen.example", "xn--brse-5qa.lumen.example"),
                ("b\u{fc}cher.example", "xn--bcher-kva.example"),
                (
                    "\u{4ed6}\u{4eec}\u{4e3a}\u{4ec0}\u{4e48}\u{4e0d}\u{8bf4}\u{4e2d}\u{6587}",
                    "xn--ihqwcrb4cv8a8dqg056pqjye",
                ),
                ("plain.example", "plain.example"),
            ] {
                assert_eq!(super::host(name), ascii);
            }
        }
    }
}

fn no_address(view: &View<'_>) -> Option<Finding> {
    let empty = matches!(resolution(view), Some(Resolution::Found(found)) if found.is_empty());
    let said = answer(view, DnsFailure::NoAddress).or(empty.then(|| "no addresses".to_owned()))?;
    let name = view.host_name();
    let hints = provider_hints(view, Situation::Unreachable, None);
    // Which routers of homes and small offices do with names that lead into networks such as theirs.
    let router = answered(view, |answer| *answer == NameServerAnswer::Records(0)).filter(|server| {
        server.parse().is_ok_and(|at| reachability(at) == Reachability::Private) && name.contains('.')
    });
    let rebinding = router.map(|server| {
        Fix::text(format!(
            "if the name leads to a private address: the name server {server}, mostly this network's router, may leave such answers out (DNS \
             rebind protection). If another name server has an address, it does: make an exception for {name} in the router's settings, \
             or, until then, set hostaddr to that address"
        ))
        .run_words(["nslookup", &name, "1.1.1.1"])
    });
    Some(
        Finding::titled(format!("the name {name} has no address"))
            .because(
                "the name exists and has neither an A nor an AAAA record, or none of a kind this machine \
                 can use (a server with an IPv6 address only, asked from an IPv4 network)",
            )
            .fact("name", name.clone())
            .fact("answer", said)
            .fact_if("asked", asked(view))
            .fixes(hints)
            .fixes(rebinding)
            .fixes((name.matches('.').count() == 1).then(|| {
                Fix::text(format!("if {name} is only the domain: set host to the server's full name in it, such as db.{name}"))
            }))
            .fix(
                Fix::text("see which records it has; with an AAAA record alone it needs a network with IPv6")
                    .run_words(["nslookup", "-type=AAAA", &name]),
            )
            .fix(Fix::text("in the zone of the name: add an A or AAAA record, if it is the right name")),
    )
}

/// Whatever else kept the name from being resolved.
fn failure(view: &View<'_>) -> Option<Finding> {
    let name = view.host_name();
    let (said, seconds) = match resolution(view) {
        Some(Resolution::Failed { code, text, .. }) => (answer_words(*code, text), None),
        Some(Resolution::TimedOut) => {
            let took = view
                .attempt
                .and_then(|attempt| attempt.dns.as_ref())
                .map(|step| super::view::seconds(step.took));
            ("no answer".to_owned(), took.and_then(|took| i64::try_from(took).ok()))
        }
        Some(Resolution::Found(_)) | None => ("it was not asked in the time there was".to_owned(), None),
    };
    let unset = (view.evidence.resolvers.is_empty() && !cfg!(windows) && seconds.is_none()).then(|| {
        let fix = Fix::text("set the name server of this network: in /etc/resolv.conf, or in what writes that file (DHCP, NetworkManager, cloud-init)");
        (
            "no name server is known here: /etc/resolv.conf names none, is missing, or may not be read by this account".to_owned(),
            fix.run(
                "grep nameserver /etc/resolv.conf\n# Permission denied:\nsudo chmod 644 /etc/resolv.conf\n# no line at all:\necho 'nameserver \
                 ADDRESS' | sudo tee -a /etc/resolv.conf",
            ),
        )
    });
    let told = told_by_servers(view, &name).or(unset);
    let (cause, fix) = told.map_or(
        (
            "the resolver did not report whether the name exists: it cannot be reached, did not respond in time, or \
             failed itself"
                .to_owned(),
            None,
        ),
        |(cause, fix)| (cause, Some(fix)),
    );
    Some(
        Finding::titled(format!("the name {name} could not be looked up"))
            .because(cause)
            .fact("name", name.clone())
            .fact("answer", said)
            .fact_if("seconds", seconds)
            .fact_if("asked", asked(view))
            .fixes(fix)
            .fix(look_up(&name))
            .fix(
                Fix::text(
                    "see whether any name resolves; if none does, mend this machine's network or name \
                     servers",
                )
                .run_words(["nslookup", "example.com"]),
            ),
    )
}
