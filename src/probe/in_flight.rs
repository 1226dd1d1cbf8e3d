//! What the kernel knows of a connection that fell silent: bytes not acknowledged, and how often they were sent again.
//! On Linux from `/proc/self/net/tcp` and `tcp6` (proc_net_tcp.txt of the kernel); TCP_INFO itself needs `unsafe`.

use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};
use std::net::SocketAddr;

use crate::evidence::InFlight;

/// A machine with tens of thousands of connections has a long table.
const LONGEST_TABLE: u64 = 8 * 1024 * 1024;

/// The state of the connection between these ends; `None` where the system does not tell.
pub(super) fn in_flight(local: SocketAddr, peer: SocketAddr) -> Option<InFlight> {
    let path = if local.is_ipv4() { "/proc/self/net/tcp" } else { "/proc/self/net/tcp6" };
    let table = BufReader::new(File::open(path).ok()?.take(LONGEST_TABLE));
    let (local, peer) = (written(local), written(peer));
    table.lines().map_while(Result::ok).find_map(|line| row(&line, &local, &peer))
}

/// An end of a connection as the table has it: the address as words in the machine's byte order, then the port.
fn written(end: SocketAddr) -> String {
    let word = |bytes: [u8; 4]| format!("{:08X}", u32::from_ne_bytes(bytes));
    let address = match end {
        SocketAddr::V4(end) => word(end.ip().octets()),
        SocketAddr::V6(end) => {
            let octets = end.ip().octets();
            let (words, _) = octets.as_chunks::<4>();
            words.iter().map(|bytes| word(*bytes)).collect()
        }
    };
    format!("{address}:{:04X}", end.port())
}

fn row(line: &str, local: &str, peer: &str) -> Option<InFlight> {
    let mut fields = line.split_ascii_whitespace().skip(1);
    if fields.next()? != local || fields.next()? != peer {
        return None;
    }
    let (unacknowledged, _) = fields.nth(1)?.split_once(':')?;
    let retransmits = fields.nth(1)?;
    Some(InFlight {
        unacknowledged: u32::from_str_radix(unacknowledged, 16).ok()?,
        retransmits: u32::from_str_radix(retransmits, 16).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_read() {
        let line =
            "  2: 0100007F:1538 0200007F:A1B2 01 000001F4:00000000 01:00000020 00000003  1000        0 1 2";
        let found = row(line, "0100007F:1538", "0200007F:A1B2");
        assert_eq!(found, Some(InFlight { unacknowledged: 500, retransmits: 3 }));
        assert_eq!(row(line, "0100007F:1539", "0200007F:A1B2"), None);
        assert_eq!(row("sl local_address", "a", "b"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn an_open_connection_is_found() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let listener = std::net::TcpListener::bind(address).unwrap();
            let stream = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let found = in_flight(stream.local_addr().unwrap(), stream.peer_addr().unwrap());
            assert_eq!(found, Some(InFlight { unacknowledged: 0, retransmits: 0 }));
        }
    }
}
