//! What the recording server says and takes down, before TLS and behind it.

use super::handshake::Handshake;
use super::{Behaviour, ConnectionRecord, Login, Reply, Step};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

const SSL_REQUEST: u32 = 80_877_103;
const GSS_REQUEST: u32 = 80_877_104;

/// The addresses of a connection.
#[derive(Clone, Copy)]
pub(super) struct Endpoints {
    client: SocketAddr,
    server: SocketAddr,
}

impl Endpoints {
    /// Those of a connection that the server accepted.
    pub(super) fn of(client: &TcpStream) -> io::Result<Self> {
        Ok(Self { client: client.peer_addr()?, server: client.local_addr()? })
    }
}

/// One connection from its first byte to its end.
pub(super) fn receive(
    mut client: TcpStream,
    handshake: &Handshake,
    behaviour: Behaviour,
    record: &mut ConnectionRecord,
) -> io::Result<()> {
    let ends = Endpoints::of(&client)?;
    client.set_read_timeout(Some(Duration::from_secs(10)))?;
    client.set_nodelay(true)?;
    let mut first = [0];
    if client.peek(&mut first)? == 1 && first[0] == 0x16 {
        record.direct = true;
        return handshake.receive(client, behaviour, record);
    }
    loop {
        let (code, rest) = packet(&mut client)?;
        match code {
            GSS_REQUEST => client.write_all(b"N")?,
            SSL_REQUEST => {
                record.ssl_request = true;
                let first = match behaviour.reply {
                    Reply::Handshake => b"S",
                    Reply::HandshakeAfter(bytes) => bytes,
                    Reply::Plaintext => {
                        client.write_all(b"N")?;
                        continue;
                    }
                    Reply::Bytes(bytes) => {
                        client.write_all(bytes)?;
                        return until_gone(&mut client);
                    }
                    Reply::Close => return Ok(()),
                    Reply::Silence => return until_gone(&mut client),
                };
                client.write_all(first)?;
                return handshake.receive(client, behaviour, record);
            }
            _ => return start_up(&mut client, rest, ends, behaviour, record),
        }
    }
}

/// Reads on until the client is gone.
fn until_gone(stream: &mut impl Read) -> io::Result<()> {
    io::copy(stream, &mut io::sink()).map(drop)
}

/// The seconds until the kernel sends a keepalive for the client's end of a connection (proc_net_tcp: timer 2 with its
/// time left in hundredths).
fn keepalive_of(ends: Endpoints) -> Option<u64> {
    let written = |end: SocketAddr| match end {
        SocketAddr::V4(end) => {
            Some(format!("{:08X}:{:04X}", u32::from_ne_bytes(end.ip().octets()), end.port()))
        }
        SocketAddr::V6(_) => None,
    };
    // Only both ends make out a connection: another one may have the same port.
    let (local, remote) = (written(ends.client)?, written(ends.server)?);
    for _ in 0..200 {
        let table = std::fs::read_to_string("/proc/net/tcp").ok()?;
        let mut lines = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let line = lines.find(|fields| fields[1..3] == [local.as_str(), remote.as_str()]);
        let timer = line.and_then(|fields| fields[5].split_once(':'));
        match timer {
            Some(("00", _)) => return None,
            Some(("02", left)) => return Some(u64::from_str_radix(left, 16).ok()?.div_ceil(100)),
            // Until what it sent is acknowledged, the one timer shown counts for that. And the table is no snapshot:
            // while others come and go, a reader can miss a line.
            _ => std::thread::sleep(Duration::from_millis(5)),
        }
    }
    None
}

/// A packet without a type: its code and the rest.
fn packet(stream: &mut impl Read) -> io::Result<(u32, Vec<u8>)> {
    let mut head = [0; 8];
    stream.read_exact(&mut head)?;
    let length = u32::from_be_bytes(head[..4].try_into().unwrap());
    let code = u32::from_be_bytes(head[4..].try_into().unwrap());
    let Some(length) = length.checked_sub(8).filter(|&length| length < 10_000) else {
        return Err(io::ErrorKind::InvalidData.into());
    };
    let mut rest = vec![0; length as usize];
    stream.read_exact(&mut rest)?;
    Ok((code, rest))
}

pub(super) fn session(
    stream: &mut (impl Read + Write),
    ends: Endpoints,
    behaviour: Behaviour,
    record: &mut ConnectionRecord,
) -> io::Result<()> {
    let (_, startup) = packet(stream)?;
    start_up(stream, startup, ends, behaviour, record)
}

/// The session from the StartupMessage on: whoever is let in gets one row for every query.
fn start_up(
    stream: &mut (impl Read + Write),
    startup: Vec<u8>,
    ends: Endpoints,
    behaviour: Behaviour,
    record: &mut ConnectionRecord,
) -> io::Result<()> {
    record.startup = Some((startup, record.encrypted));
    if behaviour.keepalives {
        record.keepalive = keepalive_of(ends);
    }
    match if record.encrypted { behaviour.login } else { behaviour.plain_login } {
        Login::Open => {}
        Login::ClearText => request(stream, 3, &[], record)?,
        Login::Request(kind, data) => request(stream, kind, data, record)?,
        Login::Fatal(state) => {
            let fields = format!("SFATAL\0VFATAL\0C{state}\0Mthe script says so\0\0");
            stream.write_all(&message(b'E', fields.as_bytes()))?;
            return stream.flush();
        }
        Login::Close => return Ok(()),
        Login::Silence => return until_gone(stream),
        Login::Scripts(scripts) => {
            let parameters = record.parameters();
            let database = parameters.iter().find(|(name, _)| name == "database");
            let number = database.and_then(|(_, value)| value.parse::<usize>().ok());
            let script = number.and_then(|number| scripts.get(number)).ok_or(io::ErrorKind::InvalidData)?;
            return follow(stream, script, record);
        }
    }
    let mut out = message(b'R', &0u32.to_be_bytes());
    for (name, value) in [
        ("server_version", "17.2"),
        ("server_encoding", "UTF8"),
        ("client_encoding", "UTF8"),
        ("DateStyle", "ISO, MDY"),
        ("integer_datetimes", "on"),
        ("standard_conforming_strings", "on"),
        ("in_hot_standby", "off"),
        ("default_transaction_read_only", "off"),
    ] {
        out.extend(message(b'S', format!("{name}\0{value}\0").as_bytes()));
    }
    out.extend(message(b'K', &[0, 0, 0x30, 0x39, 1, 2, 3, 4]));
    out.extend(message(b'Z', b"I"));
    stream.write_all(&out)?;
    stream.flush()?;
    serve(stream, record)
}

fn follow(
    stream: &mut (impl Read + Write),
    script: &[Step],
    record: &mut ConnectionRecord,
) -> io::Result<()> {
    for step in script {
        match step {
            Step::Send(bytes) => {
                stream.write_all(bytes)?;
                stream.flush()?;
            }
            Step::Read => drop(next_message(stream, record)?),
            Step::Serve => return serve(stream, record),
        }
    }
    Ok(())
}

/// Gives one row for every query.
fn serve(stream: &mut (impl Read + Write), record: &mut ConnectionRecord) -> io::Result<()> {
    loop {
        match next_message(stream, record)? {
            b'Q' => {
                let column = [
                    b"ssl\0".as_slice(),
                    &[0; 6],
                    &16u32.to_be_bytes(),
                    &[0, 1, 0xff, 0xff, 0xff, 0xff, 0, 0],
                ];
                let value: &[u8] = if record.encrypted { b"t" } else { b"f" };
                let mut out = message(b'T', &[&[0, 1], column.concat().as_slice()].concat());
                out.extend(message(b'D', &[&[0, 1, 0, 0, 0, 1], value].concat()));
                out.extend(message(b'C', b"SELECT 1\0"));
                out.extend(message(b'Z', b"I"));
                stream.write_all(&out)?;
                stream.flush()?;
            }
            b'X' => return Ok(()),
            _ => {}
        }
    }
}

/// Asks for authentication and takes whatever comes for good.
fn request(
    stream: &mut (impl Read + Write),
    kind: u32,
    data: &[u8],
    record: &mut ConnectionRecord,
) -> io::Result<()> {
    stream.write_all(&message(b'R', &[&kind.to_be_bytes(), data].concat()))?;
    stream.flush()?;
    next_message(stream, record).map(drop)
}

/// Takes a message down and gives its type.
fn next_message(stream: &mut impl Read, record: &mut ConnectionRecord) -> io::Result<u8> {
    let mut kind = [0];
    stream.read_exact(&mut kind)?;
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length).saturating_sub(4).min(100_000);
    let mut body = vec![0; length as usize];
    stream.read_exact(&mut body)?;
    record.messages.push(kind[0]);
    if kind[0] == b'p' {
        record.passwords.push(body);
    }
    Ok(kind[0])
}

/// A message of the protocol.
pub(crate) fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind], (body.len() as u32 + 4).to_be_bytes().as_slice(), body].concat()
}
