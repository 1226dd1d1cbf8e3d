//! A ClientHello written by hand (RFC 8446 section 4.1.2, RFC 5246 section 7.4.1.2): it can offer what rustls has not.

use ring::agreement::{ECDH_P256, EphemeralPrivateKey};
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::bytes::vector;
use crate::conninfo::TlsVersion;
use crate::evidence::{HelloOffer, HelloPurpose};

const P256: u16 = 23;
pub(super) const X25519: u16 = 29;

/// SHA-1 with RSA, DSA and ECDSA: TLS 1.0 and 1.1 sign with nothing else.
pub(super) const OLD_SCHEMES: [u16; 2] = [0x0203, 0x0201];

/// TLS_EMPTY_RENEGOTIATION_INFO_SCSV, which OpenSSL before 3.5 sends as the last of the suites in place of an extension.
pub(super) const RENEGOTIATION: u16 = 0x00FF;

/// The record with the ClientHello: but for its lists it is OpenSSL's, extension by extension (statem/extensions.c). It is
/// padded to `offer.size` bytes where it is shorter.
pub(super) fn client_hello(offer: &HelloOffer) -> Vec<u8> {
    let bare = record(&message(offer, None));
    // The padding extension (RFC 7685) has a head of its own.
    match offer.size.checked_sub(bare.len() + 4) {
        Some(padding) if padding > 0 => record(&message(offer, Some(padding))),
        _ => bare,
    }
}

fn record(message: &[u8]) -> Vec<u8> {
    // Version 1.0, as OpenSSL writes it for servers that know no later one.
    [&[22, 3, 1][..], &vector(message, 2)].concat()
}

fn message(offer: &HelloOffer, padding: Option<usize>) -> Vec<u8> {
    let highest = offer.versions.iter().max().copied().unwrap_or(TlsVersion::Tls12);
    let mut body = Vec::with_capacity(512);
    body.extend(number(highest.min(TlsVersion::Tls12)).to_be_bytes());
    body.extend(random());
    // TLS 1.3 in its compatible form has a session (RFC 8446 appendix D.4).
    let session = if highest == TlsVersion::Tls13 { random().to_vec() } else { Vec::new() };
    body.extend(vector(&session, 1));
    body.extend(vector(&numbers(&offer.suites), 2));
    body.extend([1, 0]);
    body.extend(vector(&extensions(offer, highest, padding), 2));
    [&[1][..], &vector(&body, 3)].concat()
}

fn extensions(offer: &HelloOffer, highest: TlsVersion, padding: Option<usize>) -> Vec<u8> {
    let mut all = Vec::new();
    let mut extension = |kind: u16, content: &[u8]| {
        all.extend(kind.to_be_bytes());
        all.extend(vector(content, 2));
    };
    if let Some(name) = &offer.sni {
        extension(0, &vector(&[&[0][..], &vector(name.as_bytes(), 2)].concat(), 2));
    }
    if !offer.suites.contains(&RENEGOTIATION) {
        extension(0xFF01, &[0]);
    }
    // ec_point_formats: uncompressed and both kinds of compressed; session_ticket.
    extension(11, &[3, 0, 1, 2]);
    extension(10, &vector(&numbers(&offer.groups), 2));
    extension(35, &[]);
    if offer.alpn {
        extension(16, &vector(&vector(super::tls::ALPN.as_bytes(), 1), 2));
    }
    // encrypt_then_mac, extended_master_secret.
    extension(22, &[]);
    extension(23, &[]);
    // Before TLS 1.2 it means nothing; where versions are compared, it is to be no other difference.
    if highest >= TlsVersion::Tls12 || offer.purpose == HelloPurpose::Version {
        extension(13, &vector(&numbers(&offer.schemes), 2));
    }
    if highest == TlsVersion::Tls13 {
        let versions: Vec<u16> = offer.versions.iter().rev().map(|version| number(*version)).collect();
        extension(43, &vector(&numbers(&versions), 1));
        extension(45, &[1, 1]);
        extension(51, &vector(&share(offer), 2));
    }
    if let Some(padding) = padding {
        extension(21, &vec![0; padding]);
    }
    all
}

/// A key share for one of the groups. Without one the server has to ask for it: HelloRetryRequest.
fn share(offer: &HelloOffer) -> Vec<u8> {
    let share = |group: u16, key: &[u8]| [&group.to_be_bytes()[..], &vector(key, 2)].concat();
    if !offer.share {
        return Vec::new();
    }
    // Any 32 bytes are a share of X25519; one of P-256 is a point on the curve.
    if offer.groups.contains(&X25519) {
        return share(X25519, &random());
    }
    let key = || {
        let own = EphemeralPrivateKey::generate(&ECDH_P256, &SystemRandom::new()).ok()?;
        own.compute_public_key().ok()
    };
    match key().filter(|_| offer.groups.contains(&P256)) {
        Some(key) => share(P256, key.as_ref()),
        None => Vec::new(),
    }
}

fn numbers(numbers: &[u16]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}

fn number(version: TlsVersion) -> u16 {
    match version {
        TlsVersion::Tls10 => 0x0301,
        TlsVersion::Tls11 => 0x0302,
        TlsVersion::Tls12 => 0x0303,
        TlsVersion::Tls13 => 0x0304,
    }
}

fn random() -> [u8; 32] {
    let mut bytes = [7; 32];
    // It protects nothing here: no key comes of such a hello.
    let _ = SystemRandom::new().fill(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(versions: &[TlsVersion], size: usize) -> HelloOffer {
        HelloOffer {
            purpose: HelloPurpose::Version,
            direct: false,
            versions: versions.to_vec(),
            suites: vec![0x1301, 0xC02F],
            groups: vec![23, 29],
            schemes: vec![0x0403, 0x0804],
            share: true,
            sni: Some("db.example".to_owned()),
            alpn: true,
            size,
        }
    }

    /// rustls reads it as a server.
    #[test]
    fn rustls_understands_it() {
        for versions in [&[TlsVersion::Tls12][..], &[TlsVersion::Tls12, TlsVersion::Tls13]] {
            for size in [0, 600] {
                let mut acceptor = rustls::server::Acceptor::default();
                let hello = client_hello(&offer(versions, size));
                acceptor.read_tls(&mut hello.as_slice()).unwrap();
                let accepted = acceptor.accept().unwrap().expect("a whole hello");
                let hello = accepted.client_hello();
                assert_eq!(hello.server_name(), Some("db.example"));
                assert_eq!(hello.cipher_suites().len(), 2);
            }
        }
    }

    #[test]
    fn it_is_as_long_as_it_is_to_be() {
        for size in [400, 600, 1400, 4000] {
            assert_eq!(client_hello(&offer(&[TlsVersion::Tls13], size)).len(), size);
        }
        assert!(client_hello(&offer(&[TlsVersion::Tls10], 0)).len() < 200);
    }
}
