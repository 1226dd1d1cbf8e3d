//! The TCP connection to one address, with the socket options libpq sets (fe-connect.c, connectNoDelay and
//! useKeepalives).

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, timeout_at};

use crate::conninfo::Keepalives;
use crate::evidence::{Families, OsFailure, TcpResult, Way};

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

/// The network of this machine's that takes an address for its own, by the kernel's table of routes (proc(5)).
pub(super) fn way(to: IpAddr) -> Option<Way> {
    use std::io::Read as _;
    let mut table = String::new();
    std::fs::File::open("/proc/net/route").ok()?.take(1 << 20).read_to_string(&mut table).ok()?;
    let IpAddr::V4(to) = to else { return None };
    way_in(&table, to)
}

/// The most exact route that covers an address; nothing where that has a gateway.
fn way_in(table: &str, to: Ipv4Addr) -> Option<Way> {
    let number =
        |text: &str| u32::from_str_radix(text, 16).ok().map(|number| Ipv4Addr::from(number.to_ne_bytes()));
    let routes = table.lines().skip(1).filter_map(|line| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let [interface, network, gateway, _, _, _, _, mask, ..] = fields.as_slice() else { return None };
        let (network, gateway, mask) = (number(network)?, number(gateway)?, number(mask)?);
        let bits = u32::from(mask).leading_ones();
        let covers = u32::from(to) & u32::from(mask) == u32::from(network);
        covers.then(|| (gateway, Way { interface: (*interface).to_owned(), network, bits }))
    });
    let (gateway, way) = routes.max_by_key(|(_, way)| way.bits)?;
    gateway.is_unspecified().then_some(way)
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

    #[test]
    fn the_most_exact_route_without_a_gateway_is_the_way() {
        let number = |address: [u8; 4]| format!("{:08X}", u32::from_ne_bytes(address));
        let line = |interface: &str, network, gateway, mask| {
            let (network, gateway, mask) = (number(network), number(gateway), number(mask));
            format!("{interface}\t{network}\t{gateway}\t0001\t0\t0\t0\t{mask}\t0\t0\t0\n")
        };
        let table = [
            "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
                .to_owned(),
            line("wlan0", [0, 0, 0, 0], [192, 168, 1, 1], [0, 0, 0, 0]),
            line("tun0", [172, 16, 0, 0], [0, 0, 0, 0], [255, 240, 0, 0]),
            line("br-1", [172, 18, 0, 0], [0, 0, 0, 0], [255, 255, 0, 0]),
            line("eth1", [172, 18, 9, 0], [10, 0, 0, 1], [255, 255, 255, 0]),
        ]
        .concat();
        let way = |to: [u8; 4]| {
            way_in(&table, to.into()).map(|way| (way.interface, way.network.to_string(), way.bits))
        };
        assert_eq!(way([172, 18, 4, 20]), Some(("br-1".to_owned(), "172.18.0.0".to_owned(), 16)));
        assert_eq!(way([172, 20, 4, 20]), Some(("tun0".to_owned(), "172.16.0.0".to_owned(), 12)));
        // Through a gateway it leads out of here.
        assert_eq!(way([172, 18, 9, 20]), None);
        assert_eq!(way([203, 0, 113, 1]), None);
        assert_eq!(way_in("", [172, 18, 4, 20].into()), None);
    }
}
