//! The TCP connection to one address, with the socket options libpq sets (fe-connect.c, connectNoDelay and
//! useKeepalives).

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, timeout_at};

use crate::conninfo::Keepalives;
use crate::evidence::{Families, OsFailure, TcpResult};

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
