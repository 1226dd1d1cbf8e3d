//! The server over sockets: bytes by hand, and rustls, on what psql does not do.

use super::scenario::Scenario;
use super::session::Authentication;
use super::*;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

const SSL: [u8; 8] = [0, 0, 0, 8, 4, 0xd2, 22, 0x2f];
const GSS: [u8; 8] = [0, 0, 0, 8, 4, 0xd2, 22, 0x30];

fn staged(name: &str) -> Demo {
    Demo::start(Some(fault(name).unwrap())).unwrap()
}

fn connect(demo: &Demo) -> TcpStream {
    let stream = TcpStream::connect(demo.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream
}

/// Sends bytes and reads so many.
fn ask<const N: usize>(stream: &mut (impl Read + Write), bytes: &[u8]) -> [u8; N] {
    stream.write_all(bytes).unwrap();
    let mut answer = [0; N];
    stream.read_exact(&mut answer).unwrap();
    answer
}

/// TLS as the demo's own root vouches for it.
fn encrypt(demo: &Demo, stream: TcpStream, alpn: &[&[u8]]) -> StreamOwned<ClientConnection, TcpStream> {
    let mut roots = RootCertStore::empty();
    let file = demo.directory().join("root.crt");
    roots.add(CertificateDer::from_pem_file(file).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    let name = ServerName::try_from("db.example").unwrap();
    StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), stream)
}

fn startup(parameters: &[u8]) -> Vec<u8> {
    let length = u32::try_from(parameters.len() + 8).unwrap();
    [&length.to_be_bytes(), &[0, 3, 0, 0][..], parameters].concat()
}

/// A ClientHello of this legacy version with one suite and no extensions.
fn old_hello(version: [u8; 2], suite: [u8; 2]) -> Vec<u8> {
    let body = [&version[..], &[9; 32], &[0, 0, 2], &suite, &[1, 0]].concat();
    let length = u8::try_from(body.len()).unwrap();
    [&[22, 3, 1, 0, length + 4, 1, 0, 0, length][..], &body].concat()
}

#[test]
fn gss_encryption_is_declined_and_tls_may_follow() {
    let demo = Demo::start(None).unwrap();
    let mut stream = connect(&demo);
    assert_eq!(ask(&mut stream, &GSS), *b"N");
    assert_eq!(ask(&mut stream, &SSL), *b"S");
    drop(stream);
    let connections = demo.connections();
    assert_eq!(connections.first().map(|entry| entry.clear.as_slice()), Some(&[GSS, SSL].concat()[..]));
}

#[test]
fn direct_tls_needs_the_protocols_name() {
    let demo = Demo::start(None).unwrap();
    let mut with = encrypt(&demo, connect(&demo), &[b"postgresql"]);
    assert_eq!(ask(&mut with, &startup(b"user\0demo\0\0")), *b"R");
    let mut without = encrypt(&demo, connect(&demo), &[]);
    let mut answer = Vec::new();
    let ended =
        without.write_all(&startup(b"user\0demo\0\0")).and_then(|()| without.read_to_end(&mut answer));
    assert!(ended.is_err() || answer.is_empty());
    drop((with, without));
    let connections = demo.connections();
    let seen: Vec<_> = connections.iter().map(|entry| (entry.direct, entry.startup.is_some())).collect();
    assert_eq!(seen, [(true, true), (true, false)]);
}

#[test]
fn plaintext_is_refused_as_pg_hba_would() {
    let demo = Demo::start(None).unwrap();
    let mut stream = connect(&demo);
    stream.write_all(&startup(b"user\0demo\0\0")).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert_eq!(answer.first(), Some(&b'E'));
    assert!(String::from_utf8_lossy(&answer).contains("C28000\0Mno pg_hba.conf entry"));
    let connections = demo.connections();
    let startup = connections.first().and_then(|entry| entry.startup.clone()).unwrap();
    assert_eq!(startup, Startup { parameters: vec![("user".into(), "demo".into())], encrypted: false });
}

#[test]
fn a_server_of_tls_1_0_answers_its_own_version_only() {
    for (name, version, starts) in [
        ("tls-version-unsupported", [3, 1], [22, 3, 1]),
        ("tls-version-unsupported", [3, 3], [22, 3, 1]),
        ("legacy-tls-accepted", [3, 1], [22, 3, 1]),
        ("legacy-tls-accepted", [3, 2], [22, 3, 1]),
    ] {
        let demo = staged(name);
        let mut stream = connect(&demo);
        assert_eq!(ask(&mut stream, &SSL), *b"S");
        assert_eq!(ask(&mut stream, &old_hello(version, [0xc0, 9])), starts, "{name} {version:?}");
    }
}

#[test]
fn half_a_flight_is_less_than_the_whole() {
    let demo = staged("tls-timeout-halfway");
    let mut stream = connect(&demo);
    assert_eq!(ask(&mut stream, &SSL), *b"S");
    stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let mut client = encrypt(&demo, stream, &[]);
    assert!(client.read(&mut [0]).is_err());
    assert!(client.conn.is_handshaking() && client.conn.protocol_version().is_some());
}

fn md5(bytes: &[u8]) -> String {
    let hash = openssl::hash::hash(openssl::hash::MessageDigest::md5(), bytes).unwrap();
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn an_md5_password_is_compared() {
    for (password, answer) in [("demo-password", 0), ("other", b'F')] {
        let mut scenario = Scenario::new().unwrap();
        scenario.session.authentication = Authentication::Md5;
        scenario.session.password = password.to_owned();
        let demo = scenario.open().unwrap();
        let mut stream = connect(&demo);
        assert_eq!(ask(&mut stream, &SSL), *b"S");
        let mut client = encrypt(&demo, stream, &[]);
        let [.., a, b, c, d] = ask::<13>(&mut client, &startup(b"user\0demo\0\0"));
        let inner = md5(b"demo-passworddemo");
        let hash = format!("md5{}", md5(&[inner.as_bytes(), &[a, b, c, d]].concat()));
        let message = messages::message(b'p', format!("{hash}\0").as_bytes());
        let [.., last] = ask::<9>(&mut client, &message);
        assert!(if answer == 0 { last == 0 } else { last != 0 });
    }
}

#[test]
fn the_extended_protocol_is_answered_with_one_error() {
    let mut scenario = Scenario::new().unwrap();
    scenario.session.authentication = Authentication::Trust;
    let demo = scenario.open().unwrap();
    let mut stream = connect(&demo);
    assert_eq!(ask(&mut stream, &SSL), *b"S");
    let mut client = encrypt(&demo, stream, &[]);
    client.write_all(&startup(b"user\0demo\0\0")).unwrap();
    let messages = [&b"P\0\0\0\x04"[..], b"B\0\0\0\x04", b"S\0\0\0\x04", b"X\0\0\0\x04"].concat();
    client.write_all(&messages).unwrap();
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).unwrap();
    let mut kinds = Vec::new();
    let mut rest = answer.as_slice();
    while let [kind, a, b, c, d, ..] = rest {
        kinds.push(*kind);
        rest = &rest[1 + u32::from_be_bytes([*a, *b, *c, *d]) as usize..];
    }
    kinds.retain(|kind| *kind != b'S');
    assert_eq!(kinds, b"RKZEZ");
}

#[test]
fn its_files_go_with_it() {
    let demo = Demo::start(None).unwrap();
    let directory = demo.directory().to_owned();
    assert!(directory.join("root.crt").exists());
    drop(demo);
    assert!(!directory.exists());
}
