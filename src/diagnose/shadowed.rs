//! Addresses that a network of this machine's own takes for itself: its packets never leave the machine.

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
    let way = view.evidence.way.as_ref()?;
    let row = BRIDGES.iter().find(|(begins, ..)| way.interface.starts_with(begins))?;
    let network = format!("{}/{}", way.network, way.bits);
    Some((text::printable(&way.interface), network, view.address()?, row))
}
