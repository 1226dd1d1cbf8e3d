//! Asks a name server itself, where the system's resolver failed: getaddrinfo has one code for a name server that refuses,
//! one that fails and one that is silent. One question for an A record by UDP (RFC 1035, 4), one datagram in answer.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::time::timeout;

use super::tcp::os_failure;
use crate::evidence::{NameServer, NameServerAnswer};

const PORT: u16 = 53;
/// A name server that is well answers in less; the resolver's own wait is over already.
const PATIENCE: Duration = Duration::from_secs(1);
/// RFC 1035, 2.3.4: longer answers are cut, which the header survives.
const LONGEST_ANSWER: usize = 512;
/// RFC 1035, 2.3.4.
const LONGEST_LABEL: usize = 63;
const LONGEST_NAME: usize = 253;

/// Asks all of them at once. What is no address (a zone index, say) is not asked.
pub(super) async fn ask_all(servers: Vec<NameServer>, name: &str, limit: Duration) -> Vec<NameServer> {
    let query = query(name);
    let asked: Vec<_> = servers
        .iter()
        .map(|server| {
            let (address, query) = (server.address.parse::<IpAddr>().ok(), query.clone());
            tokio::spawn(async move {
                match (address, query) {
                    (Some(address), Some(query)) => Some(ask(address, &query, limit.min(PATIENCE)).await),
                    _ => None,
                }
            })
        })
        .collect();
    let mut answers = Vec::new();
    for (server, asked) in servers.into_iter().zip(asked) {
        answers.push(NameServer { answer: asked.await.ok().flatten(), ..server });
    }
    answers
}

async fn ask(address: IpAddr, query: &[u8], limit: Duration) -> NameServerAnswer {
    match timeout(limit, exchange(address, query)).await {
        Err(_) => NameServerAnswer::Silent,
        Ok(Err(error)) => NameServerAnswer::Failed(os_failure(&error)),
        Ok(Ok(answer)) => answer,
    }
}

/// The socket is connected: no other address can answer, and a closed port is an error.
async fn exchange(address: IpAddr, query: &[u8]) -> io::Result<NameServerAnswer> {
    let own: IpAddr = match address {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind(SocketAddr::new(own, 0)).await?;
    socket.connect(SocketAddr::new(address, PORT)).await?;
    socket.send(query).await?;
    let mut buffer = [0; LONGEST_ANSWER];
    loop {
        let length = socket.recv(&mut buffer).await?;
        if let Some(answer) = buffer.get(..length).and_then(|bytes| read(query, bytes)) {
            return Ok(answer);
        }
    }
}

/// Header and question: recursion desired, class IN, type A. `None` for what is no host name.
fn query(name: &str) -> Option<Vec<u8>> {
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.is_empty() || name.len() > LONGEST_NAME {
        return None;
    }
    let mut id = [0; 2];
    ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut id).ok()?;
    let mut query = id.to_vec();
    query.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.split('.') {
        let length = u8::try_from(label.len())
            .ok()
            .filter(|length| (1..=LONGEST_LABEL).contains(&usize::from(*length)))?;
        query.push(length);
        query.extend(label.bytes());
    }
    query.extend([0, 0, 1, 0, 1]);
    Some(query)
}

/// What a datagram says: `None` for one that answers something else.
fn read(query: &[u8], answer: &[u8]) -> Option<NameServerAnswer> {
    let [id_high, id_low, flags, code, _, _, records_high, records_low, ..] = answer else { return None };
    let is_answer = flags & 0x80 != 0 && query.starts_with(&[*id_high, *id_low]);
    is_answer.then(|| match code & 0x0f {
        0 => NameServerAnswer::Records(u16::from_be_bytes([*records_high, *records_low])),
        2 => NameServerAnswer::ServerFailure,
        3 => NameServerAnswer::NoSuchName,
        5 => NameServerAnswer::Refused,
        other => NameServerAnswer::Other(other),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_host_names_make_a_query() {
        let asked = query("db.example.").unwrap();
        assert_eq!(asked[2..], *b"\x01\0\0\x01\0\0\0\0\0\0\x02db\x07example\0\0\x01\0\x01");
        for name in ["", ".", "a..b", &"x".repeat(64), &"abc.".repeat(64)] {
            assert_eq!(query(name), None, "{name}");
        }
    }

    #[test]
    fn an_answer_is_one_to_the_question() {
        let asked = query("db.example").unwrap();
        let answer = |flags: u8, code: u8| {
            let mut answer = asked.clone();
            (answer[2], answer[3], answer[7]) = (flags, code, 2);
            answer
        };
        assert_eq!(read(&asked, &answer(0x81, 0x80)), Some(NameServerAnswer::Records(2)));
        assert_eq!(read(&asked, &answer(0x81, 0x83)), Some(NameServerAnswer::NoSuchName));
        assert_eq!(read(&asked, &answer(0x81, 2)), Some(NameServerAnswer::ServerFailure));
        assert_eq!(read(&asked, &answer(0x81, 5)), Some(NameServerAnswer::Refused));
        assert_eq!(read(&asked, &answer(0x81, 4)), Some(NameServerAnswer::Other(4)));
        // The question itself, another one's answer, and a few bytes.
        assert_eq!(read(&asked, &asked), None);
        let mut other = answer(0x81, 3);
        other[0] ^= 1;
        assert_eq!(read(&asked, &other), None);
        assert_eq!(read(&asked, &asked[..7]), None);
    }
}
