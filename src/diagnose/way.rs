//! How packets leave this machine: not at all, past a VPN, or straight to a neighbour.

use std::net::IpAddr;

use super::Fix;
use super::rule::Finding;
use super::view::View;
use crate::text;

/// Bridges by their names' beginnings, whose they are, and how another range is given to them. The network of Docker's own
/// ones is in the name.
const BRIDGES: &[(&str, &str, &str, &str)] = &[
    (
        "br-",
        "containers (Docker)",
        "give that network of Docker another range (networks: default: ipam: config: - subnet: 192.168.240.0/24 in compose.yaml, or \
         default-address-pools in /etc/docker/daemon.json for all new ones), then make it again",
        "docker network inspect --format '{{.Name}} {{.Labels}}' {id}\n# in its project's directory:\ndocker compose down && docker compose up -d\n\
         # or, if nothing needs it:\ndocker network rm {id}",
    ),
    (
        "docker",
        "containers (Docker)",
        "give Docker's own network another range: \"bip\": \"192.168.240.1/24\" in /etc/docker/daemon.json, then restart it",
        "sudo systemctl restart docker",
    ),
    (
        "podman",
        "containers (Podman)",
        "give Podman's network another range: default_subnet in containers.conf, or make a network of your own anew",
        "podman network ls\npodman network create --subnet 192.168.240.0/24 NAME",
    ),
    (
        "cni-podman",
        "containers (Podman)",
        "make that network of Podman anew with another range",
        "podman network ls\npodman network create --subnet 192.168.240.0/24 NAME",
    ),
    (
        "virbr",
        "virtual machines (libvirt)",
        "give that network of libvirt another range (ip address= and range in it), then start it again",
        "sudo virsh net-list\nsudo virsh net-edit default && sudo virsh net-destroy default && sudo virsh net-start default",
    ),
];

/// The finding, where the way to the server ends in a bridge of this machine.
pub(super) fn shadowed(view: &View<'_>, finding: &Finding) -> Option<Finding> {
    let (interface, network, to, (_, whose, range, command)) = bridge(view)?;
    let id = interface.strip_prefix("br-").unwrap_or_default();
    let other = Fix::text(format!(
        "if the server is another machine (at the other end of a VPN, as a rule): {range}"
    ))
    .run(command.replace("{id}", id));
    let own = Fix::text(format!(
        "if it is one of the {whose} of this machine: see whether it runs and still has the address {to}"
    ));
    Some(
        finding.clone().because(format!(
            "{interface}, a bridge of this machine for its {whose}, has the network {network}, which covers {to}: the packets go there, not out \
             to a server elsewhere or into a VPN"
        ))
        .fact("way", format!("{network} dev {interface}"))
        .fixes(match view.dns_name().is_some_and(|name| name.contains('.')) {
            true => [other, own],
            false => [own, other],
        }),
    )
}

type Bridge = (String, String, IpAddr, &'static (&'static str, &'static str, &'static str, &'static str));

fn bridge(view: &View<'_>) -> Option<Bridge> {
    let route = view.evidence.way.as_ref().map(|way| &way.route).filter(|route| route.gateway.is_none())?;
    let row = BRIDGES.iter().find(|(begins, ..)| route.interface.starts_with(begins))?;
    Some((text::printable(&route.interface), route.to_string(), view.address()?, row))
}

/// The finding, where a VPN is up and the way to the server passes it by.
pub(super) fn past_tunnels(view: &View<'_>, finding: &Finding) -> Option<Finding> {
    let way = view.evidence.way.as_ref()?;
    let (tunnel, to) = (way.tunnels.first()?, view.address()?);
    let name = text::printable(&tunnel.interface);
    let carried: Vec<String> = way.tunnels.iter().take(4).map(ToString::to_string).collect();
    let out = text::printable(&way.route.interface);
    let by =
        way.route.gateway.map_or(out.clone(), |gateway| format!("{gateway}, the default gateway ({out})"));
    Some(
        finding
            .clone()
            .because(format!(
                "a VPN is up ({name}), for {} alone: packets for {to} go to {by}",
                carried.join(", ")
            ))
            .fact("way", format!("{to} via {by}"))
            .fix(
                Fix::text(format!(
                    "if that VPN is to reach {to}: have its administrator add the server's network to its routes (split tunnel; WireGuard: AllowedIPs) and firewall; to try it:"
                ))
                .run(format!("sudo ip route add {to} dev {}", text::shell_quoted(&tunnel.interface))),
            )
            .fix(Fix::text("if another VPN reaches it: connect that one")),
    )
}

/// The finding, where the server is up in this machine's own network.
pub(super) fn neighbour(view: &View<'_>, finding: &Finding) -> Option<Finding> {
    let way = view.evidence.way.as_ref().filter(|way| way.is_known && way.route.gateway.is_none())?;
    let (to, port, network) = (view.address()?, view.port(), &way.route);
    let interface = text::printable(&network.interface);
    Some(
        finding
            .clone()
            .because(format!(
                "{to} is up, in this machine's own network ({network}, {interface}; it answered to ARP): the server's own firewall drops what is for port {port}, or in a cloud a security group"
            ))
            .fact("way", format!("{network} dev {interface}"))
            .fix(
                Fix::server("on the server: allow this network in the firewall that is active there").run(format!(
                    "# ufw:\nsudo ufw allow from {network} to any port {port} proto tcp\n# firewalld:\nsudo firewall-cmd --permanent \
                     --add-rich-rule='rule family=ipv4 source address={network} port port={port} protocol=tcp accept' && sudo firewall-cmd \
                     --reload\n# neither:\nsudo nft list ruleset"
                )),
            )
            .fix(Fix::text(format!(
                "in a cloud: allow port {port} from {network} in the server's security group"
            ))),
    )
}
