//! The TCP connection.

use std::net::IpAddr;

use super::certificate::detour;
use super::code::{Code, Concern, Severity};
use super::connect_errors::of_this_machine;
use super::driver;
use super::fix::{LISTENERS, provider_hints};
use super::rule::{Finding, Rule};
use super::view::{Reachability, View, reachability};
use super::way::{neighbour, past_tunnels, shadowed};
use super::{Diagnosis, Fix, Trial};
use crate::evidence::{Container, NameServer, OsFailure, TcpResult};
use crate::provider::{ContentNetwork, Situation, content_network};
use crate::stage::Stage;
use crate::text;

pub(super) const RULES: &[Rule] = &[
    Rule { code: &TCP_REFUSED, detect: refused },
    Rule { code: &TCP_UNREACHABLE, detect: unreachable },
    Rule { code: &TCP_TIMEOUT, detect: timeout },
];

/// `tcp-refused`.
pub const TCP_REFUSED: Code = Code {
    name: "tcp-refused",
    severity: Severity::Failure,
    stage: Stage::Tcp,
    title: "connection refused: nothing is listening on the port",
    short: Some("refused"),
    concerns: &[],
    retryable: true,
};

/// `tcp-unreachable`.
pub const TCP_UNREACHABLE: Code = Code {
    name: "tcp-unreachable",
    severity: Severity::Failure,
    stage: Stage::Tcp,
    title: "no route to host, or a local rule forbids the connection",
    short: Some("no route to host"),
    concerns: &[],
    retryable: true,
};

/// `tcp-timeout`.
pub const TCP_TIMEOUT: Code = Code {
    name: "tcp-timeout",
    severity: Severity::Failure,
    stage: Stage::Tcp,
    title: "connection timed out: the address does not respond",
    short: Some("no answer"),
    concerns: &[Concern::Deadline],
    retryable: true,
};

/// ENFILE and EMFILE, on every Unix.
#[cfg(unix)]
const OUT_OF_FILES: [i32; 2] = [23, 24];
/// WSAEMFILE.
#[cfg(not(unix))]
const OUT_OF_FILES: [i32; 1] = [10024];

fn failed<'a>(view: &View<'a>) -> Option<&'a OsFailure> {
    match view.tcp()? {
        TcpResult::Failed(failure) => Some(failure),
        _ => None,
    }
}

/// An address with what follows from its range.
fn described(view: &View<'_>) -> String {
    let Some(address) = view.address() else { return view.host_name() };
    match reachability(address) {
        Reachability::Loopback => format!("{address}, this machine itself"),
        Reachability::Private => {
            format!("{address}, which only its own network or one joined to it can reach")
        }
        Reachability::Public => format!("{address}, a public address"),
    }
}

fn reached(view: &View<'_>) -> Reachability {
    view.address().map_or(Reachability::Public, reachability)
}

/// What leads to the address in place of DNS: it may be an old one. One of this machine that was typed is a tunnel's.
fn strayed(view: &View<'_>, finding: Finding) -> Finding {
    let is_tunnel = reached(view) == Reachability::Loopback;
    match detour(view).filter(|detour| detour.is_stray || !is_tunnel) {
        Some(detour) => {
            let text = format!("if the server has another address now: {}", detour.removal.text);
            finding.fact("address_from", detour.words).fix(Fix { text, ..detour.removal })
        }
        None => finding,
    }
}

/// The provider's usual port, where another was asked; a pooler's port is open only where the pooler is on.
fn usual_port(view: &View<'_>) -> Vec<Fix> {
    let Some(detection) = view.provider() else { return Vec::new() };
    let Some(usual) = detection.provider.ports.first().filter(|usual| usual.number != view.port()) else {
        return Vec::new();
    };
    let (fix, switch) = match detection.port.filter(|port| port.pooler) {
        Some(pooler) => (
            Fix::text(format!(
                "port {} there is {}: switch it on, or use the server's own port",
                pooler.number, pooler.what
            )),
            provider_hints(view, Situation::PoolerOff, None),
        ),
        None => (Fix::text("use the provider's usual port"), Vec::new()),
    };
    [fix.set("port", usual.number.to_string())].into_iter().chain(switch).collect()
}

/// The server's own port, where the one that was asked is its pooler's.
pub(super) fn past_pooler(view: &View<'_>) -> Option<Fix> {
    let detection = view.provider().filter(|found| found.port.is_some_and(|port| port.pooler))?;
    let own = detection.provider.ports.iter().find(|port| !port.pooler)?;
    Some(Fix::text("go past the pooler: use the server's own port").set("port", own.number.to_string()))
}

/// Whoever names a server and this machine's address beside it has a tunnel to that server; a provider's is never here.
fn behind_tunnel(view: &View<'_>) -> Option<String> {
    let is_far = view.origin("hostaddr").is_some() || view.provider().is_some();
    view.dns_name().filter(|name| name.contains('.') && is_far)
}

/// Where nothing listens: on this machine something has to be started, elsewhere it may listen for itself alone.
fn where_it_listens(view: &View<'_>) -> Vec<Fix> {
    let port = view.port();
    match (reached(view), behind_tunnel(view)) {
        (Reachability::Loopback, Some(server)) => vec![
            Fix::text(format!(
                "start the tunnel to {server} again, in another terminal (BASTION: the machine that it goes through)"
            ))
            .run(format!("ssh -N -L {port}:{server}:5432 BASTION")),
            Fix::text("see on which port of this machine it, or the server itself, listens (neither: start it), and set port to that")
                .run(LISTENERS),
        ],
        (Reachability::Loopback, None) => vec![
            Fix::text(
                "see on which ports of this machine PostgreSQL, a pooler, a tunnel or a container listens, and set port to that",
            )
            .run(LISTENERS),
            Fix::text(format!(
                "if port {port} is not listed: start what it belongs to, one of these (BASTION, SERVER, CONTAINER and SERVICE are \
                 placeholders)"
            ))
            .run(
                [
                    "# PostgreSQL:\nsudo systemctl start postgresql".to_owned(),
                    format!("# a tunnel:\nssh -N -L {port}:SERVER:5432 BASTION"),
                    format!("# a container, which has to publish port {port}:\ndocker start CONTAINER; docker port CONTAINER"),
                    format!("# Kubernetes:\nkubectl port-forward service/SERVICE {port}:5432"),
                ]
                .join("\n"),
            ),
        ],
        _ => vec![
            Fix::server(
                "on the server: see whether PostgreSQL runs and where it listens; if it is not listed it is down: its log says why it \
                 stopped or does not come up; mend that and start it (CONTAINER is a placeholder)",
            )
            .run(
                "sudo ss -ltnp | grep -i postgres\n# a service:\nsudo systemctl status 'postgresql*'; sudo journalctl -n 50 -u 'postgresql*'\n# \
                 a container:\ndocker ps -a; docker logs --tail 50 CONTAINER",
            ),
            Fix::server("on the server, if it is listed with 127.0.0.1 only: let it listen on all addresses, then restart it")
                .run("ALTER SYSTEM SET listen_addresses = '*';\n-- then:\nsudo systemctl restart postgresql"),
            Fix::text("if it is listed with another port: set port to that"),
        ],
    }
}

/// Tries the port alone.
fn try_port(view: &View<'_>, text: &str) -> Fix {
    let to = view.address().map_or_else(|| view.host_name(), |address| address.to_string());
    let port = view.port().to_string();
    if cfg!(windows) {
        Fix::text(text).run_words(["Test-NetConnection", &to, "-Port", &port])
    } else {
        Fix::text(text).run_words(["nc", "-vz", "-w", "5", &to, &port])
    }
}

fn refused(view: &View<'_>) -> Option<Finding> {
    if let Some(failure) = failed(view).filter(|failure| failure.kind == std::io::ErrorKind::ConnectionReset)
    {
        return Some(reset(view, failure));
    }
    let failure = failed(view).filter(|failure| failure.kind == std::io::ErrorKind::ConnectionRefused)?;
    let finding = Finding::titled(format!("{} refuses connections", view.place()))
        .fact("to", described(view))
        .fact("port", i64::from(view.port()))
        .fact("error", text::printable(&failure.text));
    let finding = strayed(view, finding).fixes(driver::host_ignored(view));
    let (host, port) = (view.host_name(), view.port());
    if let Some(other) = view.neighbour(b"SN") {
        return Some(
            finding
                .because(format!(
                    "nothing listens on port {port}; PostgreSQL answers on port {other} of the same address"
                ))
                .fact("listening", format!("port {other}"))
                .fix(Fix::text("use the port on which the server listens").set("port", other.to_string())),
        );
    }
    if let Some((cause, fix)) = answers_for_all(view) {
        return Some(finding.because(cause).fix(fix));
    }
    // A container by its address alone, or its name, may well be the one that is meant.
    let is_far = view.dns_name().is_some_and(|name| name.contains('.'));
    if let Some(found) = shadowed(view, &finding).filter(|_| is_far) {
        return Some(found);
    }
    let cause = match reached(view) {
        Reachability::Loopback => {
            "nothing on this machine listens on that port: the server or tunnel is not running, has \
             another port, or runs in a container that does not publish it"
        }
        _ => {
            "the machine answers and nothing listens on that port for this address: the server is \
             stopped, has another port, or listens on localhost only; a firewall can also answer so"
        }
    };
    if let Some(found) = &view.evidence.container {
        let cause = format!(
            "this is a container, and {} is the container itself: nothing in it listens on that port",
            view.address().map_or(host, |address| address.to_string())
        );
        // What is a service elsewhere is none in a container.
        let inside = where_it_listens(view).into_iter().take(1 + usize::from(behind_tunnel(view).is_some()));
        return Some(finding.because(cause).fixes(usual_port(view)).fixes(around(found)).fixes(inside));
    }
    Some(
        finding
            .because(cause)
            .fixes(usual_port(view))
            .fixes(where_it_listens(view))
            .fix(Fix::text(format!(
                "set host and port to those of the PostgreSQL server (its usual port is 5432); you connected to {host}, port {port}"
            ))),
    )
}

/// Where a server can be that is not in this container; the engine that answers for names most likely runs it, too.
fn around(container: &Container) -> [Fix; 2] {
    let other = Fix::text(
        "a server in another container: set host to its service (under services: in compose.yaml) or container, in one network with this one, and port to its own (5432, whatever is published)",
    );
    let machine = machine_around(container);
    if container.has_names { [other, machine] } else { [machine, other] }
}

/// The machine that a container runs on; the name stays the one that is verified.
fn machine_around(container: &Container) -> Fix {
    let machine = container.machine;
    match container.address {
        Some(address) => Fix::text(format!(
            "a server on the container's host: connect to its address, which is {machine} here (PostgreSQL has to listen there and to \
             admit the container)"
        ))
        .set("hostaddr", address.to_string()),
        None => Fix::text(
            "a server on the container's host: set hostaddr to the address that this shows (or start the container with \
             --network=host)",
        )
        .run(format!("getent hosts {machine}")),
    }
}

/// With direct TLS nothing is asked before it that could be left without an answer.
fn reset(view: &View<'_>, failure: &OsFailure) -> Finding {
    Finding::titled(format!("{} reset the connection as soon as it was made", view.place()))
        .because(
            "something there takes connections and ends them immediately: a load balancer or a container's published port with \
             no server behind it, or a firewall",
        )
        .fact("to", described(view))
        .fact("port", i64::from(view.port()))
        .fact("error", text::printable(&failure.text))
        .fixes(usual_port(view))
        .fixes(where_it_listens(view))
        .fix(Fix::text("see whether the server behind that port runs, and whether this machine's address is allowed there"))
}

impl Diagnosis {
    /// Where a trial found the port or the address that answers, the given one was wrong, and no firewall is suspected.
    pub(crate) fn with_place_that_answers(&mut self) {
        let works = self
            .fixes
            .first()
            .filter(|first| self.code.stage == Stage::Tcp && first.tried == Some(Trial::Works));
        match works.map(|first| first.settings.as_slice()) {
            Some([("port", port)]) => {
                self.cause = format!("the port is wrong: port {port} of the same address answers from here");
                self.fixes.retain(|fix| !fix.admits);
            }
            Some([("hostaddr", value)]) if value.is_empty() => {
                self.cause =
                    "the server has another address now: the one that DNS gives its name answers from here"
                        .to_owned();
                self.fixes.truncate(1);
            }
            _ => {}
        }
    }
}

fn unreachable(view: &View<'_>) -> Option<Finding> {
    let failure = failed(view).filter(|failure| failure.kind != std::io::ErrorKind::TimedOut)?;
    if failure.code.is_some_and(|code| OUT_OF_FILES.contains(&code)) {
        return Some(no_socket(view, failure));
    }
    let is_unscoped = matches!(view.address(), Some(IpAddr::V6(address)) if address.is_unicast_link_local());
    let found = no_family(view, failure);
    if let Some(found) = found.or_else(|| of_this_machine(view, failure).filter(|_| !is_unscoped)) {
        return Some(found);
    }
    let finding = Finding::titled(format!("no route to {}", view.place()))
        .fact("to", described(view))
        .fact("port", i64::from(view.port()))
        .fact("error", text::printable(&failure.text));
    let finding = strayed(view, finding);
    if let Some(found) = shadowed(view, &finding).or_else(|| past_tunnels(view, &finding)) {
        return Some(found);
    }
    let (cause, fixes) = where_the_way_ends(view, failure, is_unscoped);
    Some(finding.because(cause).fixes(provider_hints(view, Situation::Unreachable, None)).fixes(fixes))
}

/// Why nothing gets to the address, and what helps.
fn where_the_way_ends(view: &View<'_>, failure: &OsFailure, is_unscoped: bool) -> (&'static str, Vec<Fix>) {
    let is_v6 = view.address().is_some_and(|address| address.is_ipv6());
    let is_net = failure.kind == std::io::ErrorKind::NetworkUnreachable;
    let has_v6 = view.evidence.families.is_some_and(|families| families.v6);
    let denied = failure.kind == std::io::ErrorKind::PermissionDenied;
    let to = view.address().map_or_else(|| view.host_name(), |address| address.to_string());
    let run_route = |fix: Fix| fix.run_words(["ip", "route", "get", &to]);
    if denied {
        denied_by(failure, (view.port(), is_v6), run_route)
    } else if is_unscoped {
        (
            "the address is link-local: it counts on one interface only, which has to stand behind it (fe80::…%eth0)",
            vec![
                Fix::text(
                    "see on which interface it is: host=ADDRESS%INTERFACE; better use the server's name",
                )
                .run("ip -6 neighbour"),
            ],
        )
    } else if is_v6 && is_net && !has_v6 {
        (
            "the server was asked for over IPv6, and this network most likely has none; a router or a \
             rule can also refuse so",
            vec![
                Fix::text("see whether this machine has a way to IPv6 addresses")
                    .run("ip -6 route show default"),
                Fix::text("use a host name or pooler of the server that has an IPv4 address"),
            ],
        )
    } else if reached(view) == Reachability::Loopback {
        (
            "the address is one of this machine's loopback network (127.0.0.0/8), but no host's: its last one is the broadcast \
             address; so the address itself is wrong",
            vec![Fix::text(match view.origin_words("hostaddr") {
                Some(origin) => format!(
                    "correct hostaddr (from {origin}): a server or tunnel on this machine has 127.0.0.1, any other the address of {}",
                    view.host_name()
                ),
                None => format!(
                    "correct the address of {} in the DNS or the hosts file: a server or tunnel on this machine has 127.0.0.1",
                    view.host_name()
                ),
            })],
        )
    } else {
        (
            if is_net {
                "no route of this machine leads to the address, or a router on the way has none: the VPN is down, or the route is missing"
            } else {
                "the host or a router answered that it cannot be reached: it is off, has another address now, or a firewall, its own or one in between, rejects the connection"
            },
            vec![
                run_route(Fix::text(
                    "see which way the packets would take; if the line names no VPN interface (tun, wg) and the server is behind a VPN: \
                     connect that; \"unreachable\" or \"prohibit\": remove that route",
                )),
                Fix::server(
                    "if the way is right: see whether the host answers at all (ping); if it does, its own firewall or one in between rejects \
                     this port: allow it there (below, firewalld on the server); if not, it is off or has another address now",
                )
                .run(format!("ping -c 1 {to}\nsudo firewall-cmd --permanent --add-port={}/tcp && sudo firewall-cmd --reload", view.port())),
            ],
        )
    }
}

/// What on this machine denies a connection: Linux returns EACCES for a route of type `prohibit` (ip-route(8)) and where a
/// security module denies, EPERM where netfilter drops what goes out.
/// Over IPv6 it returns EACCES for what a router or firewall answers, too (ICMPv6 "administratively prohibited").
fn denied_by(
    failure: &OsFailure,
    (port, is_v6): (u16, bool),
    run_route: impl Fn(Fix) -> Fix,
) -> (&'static str, Vec<Fix>) {
    const EPERM: i32 = 1;
    let allow = Fix::text(format!("allow outgoing connections to port {port} on this machine"));
    if !cfg!(target_os = "linux") {
        return (
            "this machine itself forbids the connection: a local firewall, a sandbox or a container's policy",
            vec![allow],
        );
    }
    if failure.code == Some(EPERM) {
        return (
            "this machine itself drops the connection: a firewall rule for outgoing packets, a sandbox or a container's \
             policy",
            vec![Fix { command: Some("sudo nft list ruleset".to_owned()), ..allow }],
        );
    }
    let cause = if is_v6 {
        "a rule forbids the connection (EACCES): a firewall or router on the way rejects it (ICMPv6 \"administratively prohibited\"), \
         or on this machine a routing rule of type prohibit or a security module (SELinux, AppArmor) does"
    } else {
        "this machine itself forbids the connection (EACCES): a routing rule of type prohibit, or a security module \
         (SELinux, AppArmor)"
    };
    (
        cause,
        vec![
            run_route(Fix::text(
                "see whether it is a routing rule (the answer is then Permission denied, and `ip rule` and `ip route show \
                 type prohibit` show it), and remove that",
            )),
            Fix { text: format!("otherwise {}", allow.text), ..allow }.run("ausearch -m avc -ts recent"),
        ],
    )
}

/// The host has addresses of one family, and from here only the other one leads anywhere, or none.
fn no_family(view: &View<'_>, failure: &OsFailure) -> Option<Finding> {
    let families =
        view.evidence.families.filter(|_| failure.kind == std::io::ErrorKind::NetworkUnreachable)?;
    let is_v6 = view.address()?.is_ipv6();
    let (its, other) = if is_v6 { ("IPv6", "IPv4") } else { ("IPv4", "IPv6") };
    let (has_its, has_other) = if is_v6 { (families.v6, families.v4) } else { (families.v4, families.v6) };
    let has_another =
        view.attempt.and_then(|attempt| attempt.dns.as_ref()).is_some_and(|step| match &step.result {
            crate::evidence::Resolution::Found(found) => {
                found.iter().any(|address| address.is_ipv6() != is_v6)
            }
            _ => false,
        });
    if has_its || has_another || reached(view) != Reachability::Public {
        return None;
    }
    let host = view.host_name();
    let (title, cause, fix) = if has_other {
        (
            format!("no {its} route from here, and {host} has {its} addresses only"),
            format!("this machine's network has {other} only: no route leads to an {its} address"),
            match is_v6 {
                true => {
                    "use a host name or pooler of the server that has an IPv4 address, or get IPv6 for this network"
                }
                false => {
                    "give the server an IPv6 address (AAAA record), or connect through NAT64 and DNS64, a proxy or a VPN \
                     with IPv4"
                }
            },
        )
    } else {
        (
            format!("no route to {}: this machine has no network", view.place()),
            "no route leads out of here, over IPv4 or over IPv6".to_owned(),
            "bring up the network interface, its default route or the VPN",
        )
    };
    let route = if is_v6 { "ip -6 route show default" } else { "ip -4 route show default" };
    Some(
        Finding::titled(title)
            .in_short(if has_other { format!("no {its} route") } else { "no route".to_owned() })
            .because(cause)
            .fact("to", described(view))
            .fact("port", i64::from(view.port()))
            .fact("error", text::printable(&failure.text))
            .fixes(provider_hints(view, Situation::Unreachable, None))
            .fix(
                Fix::text(format!(
                    "see whether this machine has a default route for {its}; if it should have one, bring up the network interface or \
                     renew its DHCP lease"
                ))
                .run(route),
            )
            .fix(Fix::text(fix)),
    )
}

/// The limit on open files was reached: that says nothing about the server.
fn no_socket(view: &View<'_>, failure: &OsFailure) -> Finding {
    Finding::titled(format!("no socket is left for a connection to {}", view.place()))
        .in_short("no socket left")
        .because("this machine lets the check open no more files and sockets; the server was not asked")
        .fact("to", view.place())
        .fact("error", text::printable(&failure.text))
        .fix(
            Fix::text("raise the limit on open files, or check fewer targets at once (--jobs)")
                .run("ulimit -n"),
        )
}

fn alias<'a>(view: &View<'a>) -> Option<&'a str> {
    view.attempt.and_then(|attempt| attempt.canonical_name.as_deref())
}

fn network_of_content(view: &View<'_>) -> Option<&'static ContentNetwork> {
    content_network(view.address()?, alias(view))
}

/// Silence of a content network.
fn not_forwarded(view: &View<'_>, finding: Finding, network: &ContentNetwork) -> Finding {
    let hints = provider_hints(view, Situation::WebAddress, None);
    finding
        .in_short(format!("{} does not forward this port", network.name))
        .because(format!(
            "the address belongs to {}, a content delivery network (CDN), which answers for web sites and does not forward \
             port {}",
            network.name,
            view.port()
        ))
        .fact(
            "network",
            match network.source {
                "" => format!("{}, by the alias {}", network.name, text::printable(alias(view).unwrap_or_default())),
                source => format!("{}, by {source} of {}", network.name, network.as_of),
            },
        )
        // Waiting changes nothing about it.
        .answered(true)
        .fixes(match hints.is_empty() {
            true => vec![Fix::text(format!(
                "in the DNS: {}, so that the name leads to the server itself, or use a name or address of the server's own, which \
                 has to answer (in place of SERVER)",
                network.bypass
            ))
            .run(if cfg!(windows) {
                format!("Test-NetConnection SERVER -Port {}", view.port())
            } else {
                format!("nc -vz -w 5 SERVER {}", view.port())
            })],
            // The record is the provider's.
            false => hints,
        })
}

/// Silence, and whatever else kept the connection from being made.
fn timeout(view: &View<'_>) -> Option<Finding> {
    let waited =
        view.attempt.and_then(|attempt| attempt.tcp.as_ref()).map(|step| super::view::seconds(step.took));
    let finding = Finding::titled(format!("{} does not answer", view.place()))
        .fact("to", described(view))
        .fact("port", i64::from(view.port()))
        .fact_if("seconds", waited.and_then(|seconds| i64::try_from(seconds).ok()));
    let finding = strayed(view, finding);
    if let Some(network) = network_of_content(view) {
        return Some(not_forwarded(view, finding, network));
    }
    Some(match reached(view) {
        Reachability::Private => silent_private(view, finding),
        Reachability::Loopback => silent_loopback(view, finding),
        Reachability::Public => silent_public(view, finding),
    })
}

/// A name server that gave its own address for a provider's server: no provider has one there.
fn answers_for_all(view: &View<'_>) -> Option<(String, Fix)> {
    let to = view.address().filter(|address| reachability(*address) == Reachability::Private)?;
    let (name, provider) = (view.dns_name()?, view.provider()?.provider);
    view.evidence.resolvers.iter().find(|server| server.address.parse() == Ok(to))?;
    Some((
        format!(
            "{to} is this machine's name server, which gave its own address for {name}, a server of {}: it answers so for all names until \
             somebody signs in (a captive portal, as in a hotel or train), or as a filter",
            provider.name
        ),
        Fix::text(
            "open any page with http:// (not https://) in a browser, and sign in to this network; or use another network, or a VPN; then \
             the name leads to another address",
        )
        .run_words([if cfg!(windows) { "Resolve-DnsName" } else { "nslookup" }, &name]),
    ))
}

fn silent_private(view: &View<'_>, finding: Finding) -> Finding {
    if let Some((cause, fix)) = answers_for_all(view) {
        return finding.because(cause).fix(fix);
    }
    if let Some(found) = shadowed(view, &finding) {
        return found;
    }
    if let Some(found) = past_tunnels(view, &finding) {
        return found.fixes(provider_hints(view, Situation::NoAnswerPrivate, None)).fixes(usual_port(view));
    }
    if let Some(found) = neighbour(view, &finding).filter(|_| view.provider().is_none()) {
        return found;
    }
    let port = view.port();
    // The bridge that every Docker daemon makes for itself (docs.docker.com, "Bridge network driver").
    if let Some(IpAddr::V4(address)) = view.address()
        && address.octets().starts_with(&[172, 17])
    {
        return finding
            .because("172.17.0.0/16 is Docker's default network: each machine with Docker has its own, and no other machine reaches it")
            .fix(
                Fix::text(
                    "on the machine with the container: publish its port, and set host to that machine's name; a container that runs \
                     without has to be made again",
                )
                .run(format!("docker port CONTAINER\ndocker run -p {port}:5432 …")),
            )
            .fix(Fix::text("on that machine itself: see whether the container runs and has this address").run("docker ps; docker network inspect bridge"));
    }
    let outside = provider_hints(view, Situation::NoAnswerOutside, None);
    let is_near = !outside.is_empty() && is_near(view);
    let outside = match view.evidence.own_address {
        Some(_) if !is_near => outside,
        _ => Vec::new(),
    };
    let elsewhere = (!is_near && outside.is_empty()).then(|| {
        Fix::text("if this machine is outside: run the check from a machine in that network, or over its VPN")
    });
    finding
        .because(if is_near {
            "the name leads to a private address, as it does inside the server's network, where this machine seems to be: most likely a \
             security group or firewall drops the packets, or the server is stopped"
        } else if view.dns_name().is_some() {
            "the name leads to a private address: this machine is outside its network, or a firewall or security group in between drops the \
             packets"
        } else {
            "the address is private: this machine is outside its network, or a firewall in between drops the packets"
        })
        .fixes(outside)
        .fixes(provider_hints(view, Situation::NoAnswerPrivate, None))
        .fixes(usual_port(view))
        .fixes(elsewhere)
        .fix(try_port(
            view,
            &format!(
                "if it is inside: let port {port} out of this subnet and into the server's (local firewall, security group, route table); from \
                 another machine there:"
            ),
        ))
}

/// Whether this machine seems to be in the server's network at a provider: its address or its name server is of the same 16
/// bits, the most that a network has there, or the name server is the one that VPCs have at 169.254.169.253.
fn is_near(view: &View<'_>) -> bool {
    let two = |address: IpAddr| match address {
        IpAddr::V4(address) => address.octets().first_chunk::<2>().copied(),
        IpAddr::V6(_) => None,
    };
    let its = view.address().and_then(two);
    let is_shared = |address: IpAddr| its.is_some() && two(address) == its;
    let is_of_network = |server: &NameServer| match server.address.parse::<IpAddr>() {
        Ok(address) => is_shared(address) || address == IpAddr::from([169, 254, 169, 253]),
        Err(_) => false,
    };
    view.evidence.own_address.is_some_and(is_shared) || view.evidence.resolvers.iter().any(is_of_network)
}

fn silent_loopback(view: &View<'_>, finding: Finding) -> Finding {
    finding
        .because(
            "a connection to this machine itself is dropped: by a local firewall, or the listener's \
                 queue is full",
        )
        .fix(
            Fix::text(
                "see whether the listener's queue is full: if Recv-Q is greater than Send-Q, it is; then restart the program that is \
                 named there",
            )
            .run(format!("sudo ss -ltnp 'sport = :{}'", view.port())),
        )
        .fix(
            Fix::text(format!(
                "if Recv-Q is not greater: a local firewall drops the packets; find its rule and allow port {}",
                view.port()
            ))
            .run("sudo nft list ruleset"),
        )
}

fn silent_public(view: &View<'_>, finding: Finding) -> Finding {
    let port = view.port();
    let admits = |fix| Fix { admits: true, ..fix };
    let mut hints = provider_hints(view, Situation::NoAnswer, None);
    let zone = view.provider().and_then(|found| found.provider.private_zone());
    // The public name leads through the zone of private endpoints where the server has one: inside of its network that zone
    // has the private address, and the public one may be closed to everybody.
    let private = zone.filter(|zone| {
        let through = |name: &String| name.to_ascii_lowercase().trim_end_matches('.').ends_with(zone);
        view.evidence.resolvers.iter().flat_map(|server| &server.aliases).any(through)
            || alias(view).is_some_and(|name| through(&name.to_owned()))
    });
    let unseen = provider_hints(view, Situation::PrivateZoneUnseen, None);
    let private = private.filter(|_| !unseen.is_empty());
    if private.is_some() {
        hints.splice(0..0, unseen);
    }
    let decides = if hints.is_empty() {
        "allow this machine's public address in the server's firewall; a machine that is allowed already decides:"
    } else {
        "see whether it is the firewall: on a machine that it allows already, this connects"
    };
    let finding = match private {
        Some(zone) => finding.because(format!(
            "the name is an alias in {zone}, so the server has a private endpoint, and DNS gives its public address here: this machine's \
             name servers do not see the private zone. The public address answers nobody if public access is off, and else only whom \
             its firewall allows"
        )),
        None => finding.because(
            "most likely a firewall drops the connection: the server's allow list lacks this \
                 machine's public address, or this network lets the port out to nobody; a wrong port or a \
                 stopped server can look the same",
        ),
    };
    finding
        .fixes(hints.into_iter().map(admits))
        .fixes(usual_port(view))
        .fix(admits(try_port(view, decides)))
        .fix(
            Fix::text(format!("does this network let port {port} out? another network (a phone's hotspot) or another server on that port decides"))
                .run(if cfg!(windows) {
                    format!("Test-NetConnection OTHER-SERVER -Port {port}")
                } else {
                    format!("nc -vz -w 5 OTHER-SERVER {port}")
                }),
        )
        .fix(Fix::text(format!(
            "check the port, {port}, and that the server is running, where it is managed"
        )))
}
