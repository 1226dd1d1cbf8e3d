//! Reads a ClientHello (RFC 8446, 4.1.2; RFC 5246, 7.4.1.2) and makes the answers that no TLS library would give: an
//! alert at once, or the first flight of a server that knows nothing newer than TLS 1.0.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

use crate::bytes::{Reader, vector};

/// Content type of handshake records, and so the first byte of TLS.
pub(super) const HANDSHAKE: u8 = 22;
const ALERT: u8 = 21;
const FATAL: u8 = 2;
const CLIENT_HELLO: u8 = 1;
/// RFC 8446, 5.1: a record's content, and some more that older versions allowed.
const MOST_OF_A_RECORD: usize = 16_384 + 2048;
/// Hellos of real clients have a few hundred bytes; with post-quantum groups some 2000.
const MOST_OF_A_HELLO: usize = 65_536;

/// Alert descriptions (RFC 8446, 6).
pub(super) mod alert {
    pub(in crate::demo) const HANDSHAKE_FAILURE: u8 = 40;
    pub(in crate::demo) const PROTOCOL_VERSION: u8 = 70;
    pub(in crate::demo) const INTERNAL_ERROR: u8 = 80;
    pub(in crate::demo) const UNRECOGNIZED_NAME: u8 = 112;
    pub(in crate::demo) const NO_APPLICATION_PROTOCOL: u8 = 120;
}

/// What a ClientHello offers, as far as the demo minds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Hello {
    /// Protocol versions by their wire numbers: those of supported_versions, else the highest one.
    pub(super) versions: Vec<u16>,
    /// Whether it has supported_versions; without, every version up to the one named is meant.
    pub(super) listed: bool,
    /// Cipher suites.
    pub(super) suites: Vec<u16>,
    /// The server name.
    pub(super) name: Option<String>,
    /// Whether it offers a protocol by ALPN.
    pub(super) alpn: bool,
}

impl Hello {
    /// Whether it offers TLS 1.0.
    pub(super) fn offers_tls10(&self) -> bool {
        self.versions.iter().any(|version| *version == 0x0301 || !self.listed && *version > 0x0301)
    }

    /// Whether it offers TLS 1.2 with none of the suites that the healthy server takes.
    pub(super) fn offers_weak_suites_only(&self) -> bool {
        // The demo's certificate has an ECDSA key: its suites for RSA are of no use.
        let strong = |suite: &u16| matches!(suite, 0x1301..=0x1303 | 0xC02B | 0xC02C | 0xCCA9);
        self.versions.contains(&0x0303) && !self.suites.iter().any(strong)
    }

    /// Whether it offers anything that is not obsolete.
    pub(super) fn offers_tls12(&self) -> bool {
        self.versions.iter().any(|version| *version >= 0x0303)
    }
}

/// Reads the records of a ClientHello, the first byte having been read already; gives them as they came, the byte
/// included, and what they say. `None` where they are no ClientHello.
pub(super) async fn read(
    first: u8,
    from: &mut (impl AsyncRead + Unpin),
) -> io::Result<(Vec<u8>, Option<Hello>)> {
    let mut records = Vec::new();
    let mut message = Vec::new();
    let mut kind = first;
    loop {
        let mut header = [0; 4];
        from.read_exact(&mut header).await?;
        let [major, minor, high, low] = header;
        let length = usize::from(u16::from_be_bytes([high, low]));
        records.extend([kind, major, minor, high, low]);
        if kind != HANDSHAKE || length > MOST_OF_A_RECORD || records.len() + length > MOST_OF_A_HELLO {
            return Ok((records, None));
        }
        let mut content = vec![0; length];
        from.read_exact(&mut content).await?;
        records.extend(&content);
        message.extend(content);
        if let [_, a, b, c, body @ ..] = message.as_slice() {
            let length = u32::from_be_bytes([0, *a, *b, *c]);
            if body.len() >= usize::try_from(length).unwrap_or(usize::MAX) {
                return Ok((records, parse(&message)));
            }
        }
        kind = from.read_u8().await?;
    }
}

/// Decodes the handshake message.
fn parse(message: &[u8]) -> Option<Hello> {
    let mut message = Reader::new(message);
    if message.u8()? != CLIENT_HELLO {
        return None;
    }
    let mut body = Reader::new(message.vector(3)?);
    let highest = body.u16()?;
    body.take(32)?;
    body.vector(1)?;
    let suites = numbers(body.vector(2)?);
    body.vector(1)?;
    let mut hello = Hello { versions: vec![highest], suites, ..Hello::default() };
    let mut extensions = Reader::new(body.vector(2).unwrap_or_default());
    while let Some(kind) = extensions.u16() {
        let mut content = Reader::new(extensions.vector(2)?);
        match kind {
            0 => {
                let mut names = Reader::new(content.vector(2)?);
                if names.u8()? == 0 {
                    hello.name = Some(String::from_utf8_lossy(names.vector(2)?).into_owned());
                }
            }
            16 => hello.alpn = true,
            43 => (hello.versions, hello.listed) = (numbers(content.vector(1)?), true),
            _ => {}
        }
    }
    Some(hello)
}

fn numbers(bytes: &[u8]) -> Vec<u16> {
    bytes.as_chunks::<2>().0.iter().map(|pair| u16::from_be_bytes(*pair)).collect()
}

/// A fatal alert, in the clear.
pub(super) fn fatal(description: u8) -> Vec<u8> {
    vec![ALERT, 3, 3, 0, 2, FATAL, description]
}

/// What a server that speaks TLS 1.0 and nothing else sends first: ServerHello, its certificates, ServerHelloDone; or
/// handshake_failure where it shares no suite with the client. It cannot finish the handshake.
pub(super) fn tls10(hello: &Hello, chain: &[Vec<u8>]) -> Vec<u8> {
    // ECDHE-ECDSA, ECDHE-RSA, RSA; each with AES-CBC and SHA-1, all that TLS 1.0 has.
    const SUITES: [u16; 6] = [0xc009, 0xc00a, 0xc013, 0xc014, 0x002f, 0x0035];
    first_flight(hello, chain, 1, &SUITES)
}

/// The first flight of a server that takes ECDHE-ECDSA with AES-CBC and SHA-1 in TLS 1.2.
pub(super) fn weak_tls12(hello: &Hello, chain: &[Vec<u8>]) -> Vec<u8> {
    first_flight(hello, chain, 3, &[0xc009, 0xc00a])
}

/// ServerHello, Certificate and ServerHelloDone of the version 3.`minor`, with the first of these suites that is offered.
fn first_flight(hello: &Hello, chain: &[Vec<u8>], minor: u8, suites: &[u16]) -> Vec<u8> {
    let record = |kind, content: &[u8]| record(kind, minor, content);
    let Some(suite) = hello.suites.iter().find(|suite| suites.contains(suite)) else {
        return record(ALERT, &[FATAL, alert::HANDSHAKE_FAILURE]);
    };
    let mut server_hello = vec![3, minor];
    server_hello.extend([0x5a; 32]);
    server_hello.push(0);
    server_hello.extend(suite.to_be_bytes());
    server_hello.push(0);
    let certificates: Vec<u8> = chain.iter().flat_map(|certificate| vector(certificate, 3)).collect();
    let messages = [message(2, &server_hello), message(11, &vector(&certificates, 3)), message(14, &[])];
    record(HANDSHAKE, &messages.concat())
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut message = vec![kind];
    message.extend(vector(body, 3));
    message
}

/// A record of the version 3.`minor`.
fn record(kind: u8, minor: u8, content: &[u8]) -> Vec<u8> {
    [&[kind, 3, minor][..], &vector(content, 2)].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hello_of(version: u16, suites: &[u16], extensions: &[u8]) -> Vec<u8> {
        let mut body = version.to_be_bytes().to_vec();
        body.extend([7; 32]);
        body.push(0);
        body.extend(u16::try_from(suites.len() * 2).unwrap().to_be_bytes());
        body.extend(suites.iter().flat_map(|suite| suite.to_be_bytes()));
        body.extend([1, 0]);
        if !extensions.is_empty() {
            body.extend(u16::try_from(extensions.len()).unwrap().to_be_bytes());
            body.extend(extensions);
        }
        message(CLIENT_HELLO, &body)
    }

    #[test]
    fn a_hello_without_extensions_offers_every_version_up_to_its_own() {
        let hello = parse(&hello_of(0x0303, &[0xc009], &[])).unwrap();
        assert!(hello.offers_tls10() && hello.offers_tls12());
        let hello = parse(&hello_of(0x0301, &[0xc009], &[])).unwrap();
        assert!(hello.offers_tls10() && !hello.offers_tls12());
    }

    #[test]
    fn supported_versions_count_and_the_name_is_read() {
        let versions = [0, 43, 0, 3, 2, 3, 4];
        let name = [0, 0, 0, 9, 0, 7, 0, 0, 4, b'h', b'o', b's', b't'];
        let hello = parse(&hello_of(0x0303, &[0x1301], &[&versions[..], &name[..]].concat())).unwrap();
        assert!(!hello.offers_tls10() && hello.offers_tls12());
        assert_eq!(hello.name.as_deref(), Some("host"));
        assert_eq!(hello.suites, [0x1301]);
    }

    #[test]
    fn an_old_server_names_a_suite_of_the_clients() {
        let hello = parse(&hello_of(0x0301, &[0x0005, 0xc00a], &[])).unwrap();
        let flight = tls10(&hello, &[vec![0x30, 0]]);
        assert_eq!(flight.get(..3), Some(&[HANDSHAKE, 3, 1][..]));
        assert_eq!(flight.get(44..46), Some(&[0xc0, 0x0a][..]));
        let none = parse(&hello_of(0x0301, &[0x0005], &[])).unwrap();
        assert_eq!(tls10(&none, &[]), [ALERT, 3, 1, 0, 2, FATAL, alert::HANDSHAKE_FAILURE]);
    }

    proptest! {
        #![proptest_config(crate::properties::config())]

        #[test]
        fn no_bytes_make_the_reader_panic(bytes: Vec<u8>) {
            let _ = parse(&bytes);
        }

        #[test]
        fn a_hello_in_records_of_any_size_is_read_whole(size in 1usize..80) {
            let whole = hello_of(0x0303, &[0x1301, 0xc02b], &[]);
            let records: Vec<u8> = whole.chunks(size).flat_map(|part| record(HANDSHAKE, 1, part)).collect();
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let mut rest = &records[1..];
            let (raw, hello) = runtime.block_on(read(records[0], &mut rest)).unwrap();
            prop_assert_eq!(raw, records.clone());
            prop_assert_eq!(hello, parse(&whole));
        }
    }
}
