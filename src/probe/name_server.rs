//! Asks a name server itself, where the system's resolver failed: getaddrinfo has one code for a name server that refuses,
//! one that fails and one that is silent. One question for an A record by UDP (RFC 1035, 4), one datagram in answer.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::time::timeout;

use super::tcp::os_failure;
use crate::bytes::Reader;
use crate::evidence::{NameServer, NameServerAnswer};

const PORT: u16 = 53;
/// Types of records (RFC 1035, 3.2.2; RFC 3596).
const A: u16 = 1;
const AAAA: u16 = 28;
const CNAME: u16 = 5;
/// A name server that is well answers in less; the resolver's own wait is over already.
const PATIENCE: Duration = Duration::from_secs(1);
/// RFC 1035, 2.3.4: longer answers are cut, which the header survives.
const LONGEST_ANSWER: usize = 512;
/// RFC 1035, 2.3.4.
const LONGEST_LABEL: usize = 63;
const LONGEST_NAME: usize = 253;

/// Asks all of them at once. What is no address (a zone index, say) is not asked.
pub(super) async fn ask_all(servers: Vec<NameServer>, name: &str, limit: Duration) -> Vec<NameServer> {
    let query = query(name, A);
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
        let (answer, aliases) = asked.await.ok().flatten().unzip();
        let (aliases, leads_nowhere) = aliases.unwrap_or_default();
        let alias_of = aliases.last().filter(|_| leads_nowhere).cloned();
        answers.push(NameServer { answer, alias_of, aliases, ..server });
    }
    answers
}

async fn ask(address: IpAddr, query: &[u8], limit: Duration) -> (NameServerAnswer, (Vec<String>, bool)) {
    match timeout(limit, exchange(address, query)).await {
        Err(_) => (NameServerAnswer::Silent, Default::default()),
        Ok(Err(error)) => (NameServerAnswer::Failed(os_failure(&error)), Default::default()),
        Ok(Ok(answer)) => (read(query, &answer).unwrap_or(NameServerAnswer::Silent), aliases(query, &answer)),
    }
}

/// The names that aliases lead to, in the order of the answer, and whether it has no address for the last of them.
fn aliases(query: &[u8], answer: &[u8]) -> (Vec<String>, bool) {
    let records = all_records(query, answer);
    let names =
        records.iter().filter(|(kind, _)| *kind == CNAME).filter_map(|(_, data)| name_in(answer, data));
    (names.collect(), !records.iter().any(|(kind, _)| [A, AAAA].contains(kind)))
}

/// A name in a message, with what its pointers lead to (RFC 1035, 4.1.4).
fn name_in(message: &[u8], data: &[u8]) -> Option<String> {
    let mut name = String::new();
    let mut reader = Reader::new(data);
    // Each step takes a label or follows a pointer; one in a circle ends nowhere.
    for _ in 0..LONGEST_NAME {
        match reader.u8()? {
            0 => return (!name.is_empty()).then_some(name),
            high @ 192.. => {
                let at = usize::from(u16::from_be_bytes([high & 0x3f, reader.u8()?]));
                reader = Reader::new(message.get(at..)?);
            }
            length => {
                let label = reader.take(usize::from(length))?;
                let separator = if name.is_empty() { "" } else { "." };
                name = format!("{name}{separator}{}", String::from_utf8_lossy(label));
            }
        }
    }
    None
}

/// The addresses that the first of the servers to answer has for a name, at most so many: those of IPv4 first. `None` where
/// none answers.
pub(super) async fn addresses(
    servers: &[NameServer],
    name: &str,
    limit: Duration,
    most: usize,
) -> Option<Vec<IpAddr>> {
    for server in servers {
        let Ok(server) = server.address.parse::<IpAddr>() else { continue };
        let mut found = Vec::new();
        let mut answered = false;
        for kind in [A, AAAA] {
            let query = query(name, kind)?;
            let answer = timeout(limit.min(PATIENCE), exchange(server, &query)).await;
            let Ok(Ok(answer)) = answer else { continue };
            answered |= matches!(
                read(&query, &answer),
                Some(
                    NameServerAnswer::Records(_)
                        | NameServerAnswer::NoSuchName
                        | NameServerAnswer::NothingBehindAlias
                )
            );
            found.extend(records(&query, &answer));
        }
        if answered {
            found.truncate(most);
            return Some(found);
        }
    }
    None
}

/// The addresses in an answer to the query, whatever names lead to them (RFC 1035, 4.1).
fn records(query: &[u8], answer: &[u8]) -> Vec<IpAddr> {
    let mut found = Vec::new();
    for (kind, data) in all_records(query, answer) {
        let v4 = data.first_chunk::<4>().filter(|_| kind == A && data.len() == 4);
        let v6 = data.first_chunk::<16>().filter(|_| kind == AAAA && data.len() == 16);
        found.extend(v4.map(|octets| IpAddr::from(*octets)).or(v6.map(|octets| IpAddr::from(*octets))));
    }
    found
}

/// The records of an answer: type and data.
fn all_records<'a>(query: &[u8], answer: &'a [u8]) -> Vec<(u16, &'a [u8])> {
    let mut reader = Reader::new(answer);
    let Some(count) = reader.take(6).and_then(|_| reader.u16()) else { return Vec::new() };
    // The question comes back as it was.
    if reader.take(query.len().saturating_sub(8)).is_none() {
        return Vec::new();
    }
    (0..count).map_while(|_| record(&mut reader)).collect()
}

/// Type and data of the next record, behind its name: labels up to an empty one or to a pointer.
fn record<'a>(reader: &mut Reader<'a>) -> Option<(u16, &'a [u8])> {
    loop {
        match reader.u8()? {
            0 => break,
            192.. => {
                reader.u8()?;
                break;
            }
            length => reader.take(usize::from(length)).map(drop)?,
        }
    }
    let kind = reader.u16()?;
    reader.take(6)?;
    Some((kind, reader.vector(2)?))
}

/// The socket is connected: no other address can answer, and a closed port is an error.
async fn exchange(address: IpAddr, query: &[u8]) -> io::Result<Vec<u8>> {
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
        if let Some(answer) = buffer.get(..length).filter(|bytes| read(query, bytes).is_some()) {
            return Ok(answer.to_vec());
        }
    }
}

/// Header and question: recursion desired, class IN. `None` for what is no host name.
fn query(name: &str, kind: u16) -> Option<Vec<u8>> {
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
    query.push(0);
    query.extend(kind.to_be_bytes());
    query.extend([0, 1]);
    Some(query)
}

/// What a datagram says: `None` for one that answers something else.
fn read(query: &[u8], answer: &[u8]) -> Option<NameServerAnswer> {
    let [id_high, id_low, flags, code, _, _, records_high, records_low, ..] = answer else { return None };
    let is_answer = flags & 0x80 != 0 && query.starts_with(&[*id_high, *id_low]);
    is_answer.then(|| match code & 0x0f {
        0 => NameServerAnswer::Records(u16::from_be_bytes([*records_high, *records_low])),
        2 => NameServerAnswer::ServerFailure,
        3 if *records_high > 0 || *records_low > 0 => NameServerAnswer::NothingBehindAlias,
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
        let asked = query("db.example.", A).unwrap();
        assert_eq!(asked[2..], *b"\x01\0\0\x01\0\0\0\0\0\0\x02db\x07example\0\0\x01\0\x01");
        for name in ["", ".", "a..b", &"x".repeat(64), &"abc.".repeat(64)] {
            assert_eq!(query(name, A), None, "{name}");
        }
    }

    #[test]
    fn an_answer_is_one_to_the_question() {
        let asked = query("db.example", A).unwrap();
        let answer = |flags: u8, code: u8| {
            let mut answer = asked.clone();
            (answer[2], answer[3], answer[7]) = (flags, code, 2);
            answer
        };
        assert_eq!(read(&asked, &answer(0x81, 0x80)), Some(NameServerAnswer::Records(2)));
        assert_eq!(read(&asked, &answer(0x81, 0x83)), Some(NameServerAnswer::NothingBehindAlias));
        let mut unknown = answer(0x81, 0x83);
        unknown[7] = 0;
        assert_eq!(read(&asked, &unknown), Some(NameServerAnswer::NoSuchName));
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
    #[test]
    fn addresses_are_read_behind_aliases() {
        let asked = query("db.example", A).unwrap();
        let mut answer = asked.clone();
        (answer[2], answer[3], answer[7]) = (0x81, 0x80, 3);
        // db.example is an alias of a.db.example, which has an address of each kind.
        answer.extend(b"\xc0\x0c\0\x05\0\x01\0\0\0\x3c\0\x04\x01a\xc0\x0c");
        answer.extend(b"\x01a\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\xc0\0\x02\x07");
        answer.extend(b"\x01a\xc0\x0c\0\x1c\0\x01\0\0\0\x3c\0\x10\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x09");
        let addresses: [IpAddr; 2] = ["192.0.2.7".parse().unwrap(), "2001:db8::9".parse().unwrap()];
        assert_eq!(records(&asked, &answer), addresses);
        for length in 0..answer.len() {
            assert!(records(&asked, &answer[..length]).len() < 2, "{length}");
        }
    }
}
