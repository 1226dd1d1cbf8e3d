//! Reads what a server says of a handshake in the clear: ServerHello, HelloRetryRequest, Certificate and
//! ServerKeyExchange of TLS 1.2, and alerts (RFC 5246 sections 6.2.1 and 7.4, RFC 8446 sections 4.1.3 and 5.1, RFC 8422
//! section 5.4). Takes any bytes: what cannot be read is not there.

use crate::bytes::Reader;
use crate::conninfo::TlsVersion;

/// What the server sent in the clear so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::probe) struct ServerFlight {
    /// The version that ServerHello chose, if it is one of TLS.
    pub version: Option<TlsVersion>,
    /// The cipher suite.
    pub suite: Option<u16>,
    /// The key-exchange group.
    pub group: Option<u16>,
    /// A HelloRetryRequest came.
    pub retry: bool,
    /// The ALPN protocol, in TLS 1.2 and below.
    pub alpn: Option<String>,
    /// An alert in the clear.
    pub alert: Option<u8>,
    /// The server's own certificate, in TLS 1.2 and below.
    pub leaf: Option<Vec<u8>>,
    /// The server's flight is over, or goes on encrypted.
    pub complete: bool,
}

const CHANGE_CIPHER_SPEC: u8 = 20;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const APPLICATION_DATA: u8 = 23;

const SERVER_HELLO: u8 = 2;
const CERTIFICATE: u8 = 11;
const SERVER_KEY_EXCHANGE: u8 = 12;
const SERVER_HELLO_DONE: u8 = 14;

/// SHA-256 of "HelloRetryRequest": the random of a ServerHello that is one (RFC 8446 section 4.1.3).
const RETRY_RANDOM: [u8; 32] = [
    0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C, 0x02, 0x1E, 0x65, 0xB8, 0x91, 0xC2,
    0xA2, 0x11, 0x16, 0x7A, 0xBB, 0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8, 0x33, 0x9C,
];

/// Whether bytes begin as a TLS record does, as far as they go.
pub(in crate::probe) fn is_record(bytes: &[u8]) -> bool {
    matches!(bytes.first(), None | Some(CHANGE_CIPHER_SPEC..=APPLICATION_DATA))
        && matches!(bytes.get(1), None | Some(3))
}

/// Reads a server's side of a handshake from its first byte.
pub(in crate::probe) fn read_flight(bytes: &[u8]) -> ServerFlight {
    let mut flight = ServerFlight::default();
    let mut records = Reader::new(bytes);
    let mut messages = Vec::new();
    while let Some((kind, payload)) = record(&mut records) {
        match kind {
            HANDSHAKE => messages.extend_from_slice(payload),
            ALERT => {
                // Level and description.
                flight.alert = flight.alert.or(payload.get(1).copied());
                break;
            }
            // In TLS 1.3 it means nothing; else what follows is encrypted.
            CHANGE_CIPHER_SPEC => {}
            _ => {
                flight.complete = true;
                break;
            }
        }
    }
    let mut messages = Reader::new(&messages);
    while let Some((kind, body)) = message(&mut messages) {
        match kind {
            SERVER_HELLO => server_hello(&mut flight, body).unwrap_or_default(),
            CERTIFICATE => flight.leaf = flight.leaf.take().or_else(|| leaf(body)),
            SERVER_KEY_EXCHANGE => server_key_exchange(&mut flight, body),
            SERVER_HELLO_DONE => {
                flight.complete = true;
                break;
            }
            _ => {}
        }
    }
    flight
}

fn record<'a>(records: &mut Reader<'a>) -> Option<(u8, &'a [u8])> {
    let kind = records.u8()?;
    let major = records.u8()?;
    records.u8()?;
    let content = records.vector(2)?;
    (major == 3).then_some((kind, content))
}

fn message<'a>(messages: &mut Reader<'a>) -> Option<(u8, &'a [u8])> {
    let kind = messages.u8()?;
    Some((kind, messages.vector(3)?))
}

/// ServerHello, or the HelloRetryRequest that has its form.
fn server_hello(flight: &mut ServerFlight, body: &[u8]) -> Option<()> {
    let mut body = Reader::new(body);
    let mut version = body.u16()?;
    let retry = body.take(32)? == RETRY_RANDOM;
    body.vector(1)?;
    let suite = body.u16()?;
    body.u8()?;
    flight.retry |= retry;
    flight.suite = Some(suite);
    let mut extensions = Reader::new(body.vector(2).unwrap_or_default());
    while let Some((kind, content)) = extension(&mut extensions) {
        let mut content = Reader::new(content);
        match kind {
            // supported_versions
            43 => version = content.u16().unwrap_or(version),
            // key_share: the group, and a key unless this is a retry.
            51 => flight.group = content.u16().or(flight.group),
            // application_layer_protocol_negotiation: a list of one.
            16 => flight.alpn = alpn(&mut content),
            _ => {}
        }
    }
    flight.version = match version {
        0x0301 => Some(TlsVersion::Tls10),
        0x0302 => Some(TlsVersion::Tls11),
        0x0303 => Some(TlsVersion::Tls12),
        0x0304 => Some(TlsVersion::Tls13),
        _ => None,
    };
    Some(())
}

fn extension<'a>(extensions: &mut Reader<'a>) -> Option<(u16, &'a [u8])> {
    let kind = extensions.u16()?;
    Some((kind, extensions.vector(2)?))
}

fn alpn(content: &mut Reader<'_>) -> Option<String> {
    content.u16()?;
    Some(String::from_utf8_lossy(content.vector(1)?).into_owned())
}

/// The first certificate of a list of TLS 1.2.
fn leaf(body: &[u8]) -> Option<Vec<u8>> {
    let mut body = Reader::new(body);
    body.number(3)?;
    Some(body.vector(3)?.to_vec())
}

fn server_key_exchange(flight: &mut ServerFlight, body: &[u8]) {
    const NAMED_CURVE: u8 = 3;
    let elliptic = flight.suite.is_some_and(|suite| {
        let name = rustls::CipherSuite::from(suite);
        name.as_str().is_some_and(|name| name.starts_with("TLS_ECDH"))
    });
    let mut body = Reader::new(body);
    if elliptic && body.u8() == Some(NAMED_CURVE) {
        flight.group = body.u16();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::bytes::vector;

    fn record_of(kind: u8, payload: &[u8]) -> Vec<u8> {
        [&[kind, 3, 3][..], &vector(payload, 2)].concat()
    }

    fn message_of(kind: u8, body: &[u8]) -> Vec<u8> {
        [&[kind][..], &vector(body, 3)].concat()
    }

    fn hello(version: u16, random: [u8; 32], suite: u16, extensions: &[(u16, Vec<u8>)]) -> Vec<u8> {
        let mut body = version.to_be_bytes().to_vec();
        body.extend(random);
        body.extend([0]);
        body.extend(suite.to_be_bytes());
        body.push(0);
        let extensions: Vec<u8> = extensions
            .iter()
            .flat_map(|(kind, content)| [&kind.to_be_bytes()[..], &vector(content, 2)].concat())
            .collect();
        body.extend(vector(&extensions, 2));
        message_of(SERVER_HELLO, &body)
    }

    #[test]
    fn tls_1_3_after_a_retry() {
        let version = (43, vec![3, 4]);
        let retry = hello(0x0303, RETRY_RANDOM, 0x1301, &[version.clone(), (51, vec![0, 24])]);
        let real = hello(0x0303, [1; 32], 0x1302, &[version, (51, vec![0, 24, 0, 1, 9])]);
        let first = record_of(HANDSHAKE, &retry);
        let flight = read_flight(&first);
        assert_eq!((flight.retry, flight.group, flight.suite), (true, Some(24), Some(0x1301)));
        let all = [first, record_of(20, &[1]), record_of(HANDSHAKE, &real), record_of(23, &[5; 40])].concat();
        let flight = read_flight(&all);
        assert_eq!(flight.version, Some(TlsVersion::Tls13));
        assert_eq!((flight.retry, flight.group, flight.suite), (true, Some(24), Some(0x1302)));
        assert!(flight.complete);
    }

    #[test]
    fn tls_1_2_with_messages_torn_across_records() {
        let alpn = (16, vector(&vector(b"postgresql", 1), 2));
        let certificate = message_of(CERTIFICATE, &vector(&vector(b"the leaf", 3), 3));
        let exchange = message_of(SERVER_KEY_EXCHANGE, &[3, 0, 23, 1, 2, 3]);
        let messages = [
            hello(0x0303, [0; 32], 0xC02F, &[alpn]),
            certificate,
            exchange,
            message_of(SERVER_HELLO_DONE, &[]),
        ]
        .concat();
        let (one, two) = messages.split_at(60);
        let flight = read_flight(&[record_of(HANDSHAKE, one), record_of(HANDSHAKE, two)].concat());
        assert_eq!(flight.version, Some(TlsVersion::Tls12));
        assert_eq!((flight.suite, flight.group), (Some(0xC02F), Some(23)));
        assert_eq!(flight.alpn.as_deref(), Some("postgresql"));
        assert_eq!(flight.leaf.as_deref(), Some(&b"the leaf"[..]));
        assert!(flight.complete && !flight.retry);
    }

    #[test]
    fn an_alert_instead() {
        assert_eq!(read_flight(&record_of(ALERT, &[2, 70])).alert, Some(70));
    }

    #[test]
    fn records_are_told_from_other_bytes() {
        assert!(is_record(b"") && is_record(&[22]) && is_record(&[21, 3, 1]));
        assert!(!is_record(b"HTTP") && !is_record(b"E\0\0\0") && !is_record(&[22, 9]));
    }

    proptest! {
        #![proptest_config(crate::properties::config())]

        #[test]
        fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            read_flight(&bytes);
        }

        #[test]
        fn any_handshake_is_read(
            kind in 20u8..24,
            messages in proptest::collection::vec((0u8..16, proptest::collection::vec(any::<u8>(), 0..80)), 0..5),
            cut in any::<proptest::sample::Index>(),
        ) {
            let messages: Vec<u8> =
                messages.iter().flat_map(|(kind, body)| message_of(*kind, body)).collect();
            let bytes = record_of(kind, &messages);
            read_flight(&bytes[..cut.index(bytes.len() + 1).min(bytes.len())]);
        }
    }
}
