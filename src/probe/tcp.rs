//! The TCP connection to one address, with the socket options libpq sets (fe-connect.c, connectNoDelay and
//! useKeepalives).

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, timeout_at};

use crate::conninfo::Keepalives;
use crate::evidence::{Families, OsFailure, Route, TcpResult, Way};

/// Whether routes lead from this machine. The addresses are those of documentation (RFC 5737, 3849), which only a default
/// route leads to; connecting a socket for datagrams looks up the route and sends nothing.
pub(super) fn families() -> Families {
    let leads = |own: &str, to: &str| {
        std::net::UdpSocket::bind((own, 0)).and_then(|socket| socket.connect((to, 9))).is_ok()
    };
    Families { v4: leads("0.0.0.0", "192.0.2.1"), v6: leads("::", "2001:db8::1") }
}

/// The address of this machine from which a route leads to another; nothing is sent.
pub(super) fn own_address(to: IpAddr) -> Option<IpAddr> {
    let any = if to.is_ipv4() { IpAddr::V4(Ipv4Addr::UNSPECIFIED) } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = std::net::UdpSocket::bind((any, 0)).ok()?;
    socket.connect((to, 9)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

/// How packets to an address leave this machine, by the kernel's tables (proc(5)); nothing where its other tables, which rules
/// may put before that of routes, have another way.
pub(super) fn way(to: IpAddr, own: Option<IpAddr>) -> Option<Way> {
    let IpAddr::V4(to) = to else { return None };
    let way = way_in(&table("route")?, to, own)?;
    Some(Way { is_known: table("arp").is_some_and(|table| is_known_in(&table, to)), ..way })
}

fn table(name: &str) -> Option<String> {
    use std::io::Read as _;
    let mut table = String::new();
    std::fs::File::open(format!("/proc/net/{name}")).ok()?.take(1 << 20).read_to_string(&mut table).ok()?;
    Some(table)
}

/// The most exact route that covers an address.
fn way_in(table: &str, to: Ipv4Addr, own: Option<IpAddr>) -> Option<Way> {
    let number =
        |text: &str| u32::from_str_radix(text, 16).ok().map(|number| Ipv4Addr::from(number.to_ne_bytes()));
    let routes: Vec<Route> = table
        .lines()
        .skip(1)
        .filter_map(|line| {
            let fields: Vec<&str> = line.split_ascii_whitespace().collect();
            let [interface, network, gateway, _, _, _, _, mask, ..] = fields.as_slice() else { return None };
            let (network, gateway, mask) = (number(network)?, number(gateway)?, number(mask)?);
            let gateway = Some(gateway).filter(|gateway| !gateway.is_unspecified());
            let bits = u32::from(mask).leading_ones();
            Some(Route { interface: (*interface).to_owned(), network, bits, gateway })
        })
        .collect();
    let covers = |route: &&Route, to: Ipv4Addr| {
        let shift = 32 - route.bits;
        u32::from(to).checked_shr(shift) == u32::from(route.network).checked_shr(shift)
    };
    let route = routes.iter().filter(|route| covers(route, to)).max_by_key(|route| route.bits)?.clone();
    let is_own = |known: &Route| match own {
        Some(IpAddr::V4(own)) => known.interface == route.interface && covers(&known, own),
        _ => false,
    };
    let leaves = route.bits == 0 && routes.iter().any(|known| known.bits > 0 && is_own(known));
    let tunnels = routes.iter().filter(|known| leaves && is_tunnel(&known.interface) && known.bits > 0);
    let tunnels = tunnels.filter(|known| known.interface != route.interface).cloned().collect();
    Some(Way { route, is_known: false, tunnels })
}

/// Interfaces of VPNs by their names' beginnings, as OpenVPN, WireGuard, pppd, AnyConnect, GlobalProtect, ZeroTier call them;
/// `tunl0` is Linux's own for IP in IP.
fn is_tunnel(interface: &str) -> bool {
    let begins = ["tun", "tap", "wg", "ppp", "vpn", "cscotun", "gpd", "ipsec", "zt"];
    !interface.starts_with("tunl") && begins.iter().any(|begin| interface.starts_with(begin))
}

/// Whether the table of ARP has a whole entry for an address (flag 2, `ATF_COM`).
fn is_known_in(table: &str, to: Ipv4Addr) -> bool {
    let to = to.to_string();
    table.lines().any(|line| {
        let mut fields = line.split_ascii_whitespace();
        fields.next() == Some(&to) && fields.nth(1) == Some("0x2")
    })
}

/// Connects until the deadline.
pub(super) async fn connect(
    address: SocketAddr,
    keepalives: &Keepalives,
    deadline: Instant,
) -> Result<(TcpStream, SocketAddr), TcpResult> {
    let socket = socket(address, keepalives).map_err(failed)?;
    let stream = match timeout_at(deadline, socket.connect(address)).await {
        Ok(connected) => connected.map_err(failed)?,
        Err(_) => return Err(TcpResult::TimedOut),
    };
    let local = stream.local_addr().map_err(failed)?;
    Ok((stream, local))
}

fn socket(address: SocketAddr, keepalives: &Keepalives) -> io::Result<TcpSocket> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_nodelay(true)?;
    // libpq warns where the system refuses one of these, and goes on.
    let _ = tune(&SockRef::from(&socket), keepalives);
    Ok(socket)
}

fn tune(socket: &SockRef<'_>, keepalives: &Keepalives) -> io::Result<()> {
    if keepalives.enabled {
        socket.set_keepalive(true)?;
        let mut times = TcpKeepalive::new();
        if let Some(idle) = keepalives.idle {
            times = times.with_time(idle);
        }
        if let Some(interval) = keepalives.interval {
            times = times.with_interval(interval);
        }
        #[cfg(unix)]
        if let Some(count) = keepalives.count {
            times = times.with_retries(count);
        }
        let set = keepalives.idle.is_some() || keepalives.interval.is_some() || keepalives.count.is_some();
        if set {
            socket.set_tcp_keepalive(&times)?;
        }
    }
    #[cfg(target_os = "linux")]
    if keepalives.user_timeout.is_some() {
        socket.set_tcp_user_timeout(keepalives.user_timeout)?;
    }
    Ok(())
}

/// An error of connecting; the system's own time-out is silence like ours.
fn failed(error: io::Error) -> TcpResult {
    match error.kind() {
        io::ErrorKind::TimedOut => TcpResult::TimedOut,
        _ => TcpResult::Failed(os_failure(&error)),
    }
}

/// A system's error as values.
pub(super) fn os_failure(error: &io::Error) -> OsFailure {
    OsFailure { kind: error.kind(), code: error.raw_os_error(), text: error.to_string() }
}

#[cfg(test)]
mod route_tests {
    use super::*;

    fn line(interface: &str, network: [u8; 4], gateway: [u8; 4], mask: [u8; 4]) -> String {
        let [network, gateway, mask] =
            [network, gateway, mask].map(|address| format!("{:08X}", u32::from_ne_bytes(address)));
        format!("{interface}\t{network}\t{gateway}\t0001\t0\t0\t0\t{mask}\t0\t0\t0\n")
    }

    fn table(lines: &[String]) -> String {
        format!("Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\n{}", lines.concat())
    }

    const NONE: [u8; 4] = [0; 4];

    #[test]
    fn the_most_exact_route_is_the_way() {
        let table = table(&[
            line("wlan0", NONE, [192, 168, 1, 1], NONE),
            line("tun0", [172, 16, 0, 0], NONE, [255, 240, 0, 0]),
            line("br-1", [172, 18, 0, 0], NONE, [255, 255, 0, 0]),
            line("eth1", [172, 18, 9, 0], [10, 0, 0, 1], [255, 255, 255, 0]),
        ]);
        let way = |to: [u8; 4]| {
            let route = way_in(&table, to.into(), None).unwrap().route;
            (route.to_string(), route.interface, route.gateway.map(|gateway| gateway.octets()))
        };
        assert_eq!(way([172, 18, 4, 20]), ("172.18.0.0/16".to_owned(), "br-1".to_owned(), None));
        assert_eq!(way([172, 20, 4, 20]), ("172.16.0.0/12".to_owned(), "tun0".to_owned(), None));
        assert_eq!(way([172, 18, 9, 20]).2, Some([10, 0, 0, 1]));
        assert_eq!(way([203, 0, 113, 1]).2, Some([192, 168, 1, 1]));
        assert_eq!(way_in("", [172, 18, 4, 20].into(), None), None);
    }

    /// A tunnel counts where the kernel, too, sends from the network of the default route: a whole VPN is often a rule that
    /// this table does not show.
    #[test]
    fn a_tunnel_is_told_that_does_not_carry_the_address() {
        let lines = |tunnel: &str| {
            table(&[
                line("wlan0", NONE, [192, 168, 1, 1], NONE),
                line("wlan0", [192, 168, 1, 0], NONE, [255, 255, 255, 0]),
                line(tunnel, [10, 20, 0, 0], NONE, [255, 255, 0, 0]),
            ])
        };
        let tunnels = |tunnel: &str, to: [u8; 4], own: &str| {
            let way = way_in(&lines(tunnel), to.into(), own.parse().ok()).unwrap();
            way.tunnels.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(tunnels("tun0", [10, 61, 4, 5], "192.168.1.20"), ["10.20.0.0/16"]);
        for (tunnel, to, own) in [
            ("tun0", [10, 20, 4, 5], "192.168.1.20"),
            ("tun0", [10, 61, 4, 5], "10.20.0.2"),
            ("tunl0", [10, 61, 4, 5], "192.168.1.20"),
            ("eth1", [10, 61, 4, 5], "192.168.1.20"),
        ] {
            assert!(tunnels(tunnel, to, own).is_empty(), "{tunnel} {to:?} {own}");
        }
    }

    #[test]
    fn an_address_is_known_once_it_answered() {
        let table = "IP address       HW type     Flags       HW address            Mask     Device\n\
                     10.3.0.20        0x1         0x2         76:0a:55:38:00:41     *        eth0\n\
                     10.3.0.21        0x1         0x0         00:00:00:00:00:00     *        eth0\n";
        let known = [[10, 3, 0, 20], [10, 3, 0, 21], [10, 3, 0, 2]].map(|to| is_known_in(table, to.into()));
        assert_eq!(known, [true, false, false]);
    }
}
