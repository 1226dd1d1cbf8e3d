//! Keys, signatures and what a server may insist on in the handshake.

use super::Reason::Handshake;
use super::{Case, changed, on_server};
use crate::support::odd_pki::Hash::{Md5, Sha1, Sha224, Sha256, Sha384, Sha512};
use crate::support::odd_pki::*;
use crate::support::scripted_server::Tls;
use openssl::bn::BigNum;
use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use openssl::ssl::SslVersion;
use pgtls_check::diagnose::codes;

pub(super) fn cases() -> Vec<Case> {
    let mut all = keys();
    all.extend(signatures());
    all.extend(handshakes());
    all
}

/// One kind of key for all three.
fn throughout(kind: Kind, scheme: Scheme) -> Case {
    let key = |draft: Draft, label| draft.key(Key::labelled(kind, label)).scheme(scheme);
    changed(
        format!("{kind:?} throughout, {scheme:?}"),
        |server| key(server, "server"),
        |ca| key(ca, "CA"),
        |root| key(root, "root"),
    )
}

fn keys() -> Vec<Case> {
    let usual = Scheme::Usual;
    let server_key = |kind: Kind| on_server(format!("server key {kind:?}"), |server| server.keyed(kind));
    let ca_key =
        |kind: Kind| changed(format!("CA key {kind:?}"), |server| server, |ca| ca.keyed(kind), |root| root);
    let root_key =
        |kind: Kind| changed(format!("root key {kind:?}"), |server| server, |ca| ca, |root| root.keyed(kind));
    vec![
        throughout(Kind::Rsa(2048), usual(Sha256)).accepted(),
        throughout(Kind::P384, usual(Sha384)).accepted(),
        throughout(Kind::P521, usual(Sha512)).accepted(),
        throughout(Kind::Ed25519, usual(Sha256)).accepted(),
        throughout(Kind::Ed448, usual(Sha256)).accepted(),
        throughout(Kind::RsaPss(2048), Scheme::Pss(Sha256)).accepted(),
        on_server("server key RSA 2048 with exponent 3", |server| {
            let three = BigNum::from_u32(3).unwrap();
            let rsa = Rsa::generate_with_e(2048, &three).unwrap();
            server.key(Key { kind: Kind::Rsa(2048), private: PKey::from_rsa(rsa).unwrap() })
        })
        .accepted(),
        server_key(Kind::Rsa(2048)).accepted(),
        server_key(Kind::Rsa(3072)).accepted(),
        server_key(Kind::Rsa(4096)).accepted(),
        server_key(Kind::RsaPss(2048)).accepted(),
        server_key(Kind::P384).accepted(),
        server_key(Kind::P521).accepted(),
        server_key(Kind::Ed25519).accepted(),
        server_key(Kind::Ed448).accepted(),
        server_key(Kind::Secp256k1).refused(Handshake),
        server_key(Kind::Rsa(1024)).diagnosed(&codes::CERTIFICATE_WEAK),
        server_key(Kind::Rsa(1536)).diagnosed(&codes::CERTIFICATE_WEAK),
        // 112 bits of security, which level 2 asks for, begin at 1963 by OpenSSL 3's formula (SP 800-56B, appendix D).
        server_key(Kind::Rsa(2047)).accepted(),
        server_key(Kind::Rsa(1963)).accepted(),
        server_key(Kind::Rsa(1962)).diagnosed(&codes::CERTIFICATE_WEAK),
        ca_key(Kind::Rsa(2048)).accepted(),
        ca_key(Kind::Rsa(4096)).accepted(),
        ca_key(Kind::P384).accepted(),
        ca_key(Kind::P521).accepted(),
        ca_key(Kind::Secp256k1).accepted(),
        ca_key(Kind::Ed25519).accepted(),
        ca_key(Kind::Rsa(1963)).accepted(),
        ca_key(Kind::Rsa(1962)).diagnosed(&codes::CERTIFICATE_WEAK),
        ca_key(Kind::Rsa(1024)).diagnosed(&codes::CERTIFICATE_WEAK),
        ca_key(Kind::Rsa(1536)).diagnosed(&codes::CERTIFICATE_WEAK),
        root_key(Kind::Rsa(2048)).accepted(),
        root_key(Kind::P521).accepted(),
        root_key(Kind::Ed25519).accepted(),
        root_key(Kind::Rsa(1024)).diagnosed(&codes::CERTIFICATE_WEAK),
        root_key(Kind::Rsa(1536)).diagnosed(&codes::CERTIFICATE_WEAK),
        on_server("server key RSA 1024, nothing verified", |server| server.keyed(Kind::Rsa(1024)))
            .mode("require")
            .settings("sslrootcert=DIR/none.crt")
            .accepted(),
    ]
}

fn signatures() -> Vec<Case> {
    // The server's certificate signed by a CA of this kind in this way.
    let signed = |kind: Kind, scheme: Scheme| {
        changed(
            format!("server signed by {kind:?} with {scheme:?}"),
            |server| server.scheme(scheme),
            |ca| ca.keyed(kind),
            |root| root,
        )
    };
    // The CA's certificate signed by a root of this kind in this way.
    let ca_signed = |kind: Kind, scheme: Scheme| {
        changed(
            format!("CA signed by {kind:?} with {scheme:?}"),
            |server| server,
            |ca| ca.scheme(scheme),
            |root| root.keyed(kind),
        )
    };
    // The same with a wrong signature.
    let spoiled = |kind: Kind, scheme: Scheme| {
        changed(
            format!("server signed wrongly by {kind:?} with {scheme:?}"),
            |server| server.scheme(scheme).spoiled(),
            |ca| ca.keyed(kind),
            |root| root,
        )
    };
    let (usual, pss) = (Scheme::Usual, Scheme::Pss);
    let mut all: Vec<Case> = Vec::new();
    for kind in [Kind::P256, Kind::P384, Kind::P521, Kind::Rsa(2048)] {
        for hash in [Sha224, Sha256, Sha384, Sha512] {
            all.push(signed(kind, usual(hash)).accepted());
        }
        all.push(signed(kind, usual(Sha1)).diagnosed(&codes::CERTIFICATE_WEAK));
        all.push(ca_signed(kind, usual(Sha512)).accepted());
        all.push(ca_signed(kind, usual(Sha1)).diagnosed(&codes::CERTIFICATE_WEAK));
    }
    for hash in [Sha256, Sha384, Sha512] {
        all.push(signed(Kind::Rsa(2048), pss(hash)).accepted());
        all.push(ca_signed(Kind::Rsa(2048), pss(hash)).accepted());
    }
    all.extend([
        signed(Kind::Rsa(4096), usual(Sha512)).accepted(),
        signed(Kind::Rsa(2048), usual(Md5)).diagnosed(&codes::CERTIFICATE_WEAK),
        ca_signed(Kind::Rsa(2048), usual(Md5)).diagnosed(&codes::CERTIFICATE_WEAK),
        signed(Kind::Rsa(2048), pss(Sha1)).diagnosed(&codes::CERTIFICATE_WEAK),
        signed(Kind::Rsa(2048), pss(Sha224)).accepted(),
        signed(Kind::RsaPss(2048), pss(Sha256)).accepted(),
        signed(Kind::RsaPss(2048), pss(Sha384)).accepted(),
        spoiled(Kind::Rsa(2048), usual(Sha256)).diagnosed(&codes::CERTIFICATE_INVALID),
        spoiled(Kind::Rsa(2048), pss(Sha256)).diagnosed(&codes::CERTIFICATE_INVALID),
        spoiled(Kind::P384, usual(Sha384)).diagnosed(&codes::CERTIFICATE_INVALID),
        spoiled(Kind::P521, usual(Sha512)).diagnosed(&codes::CERTIFICATE_INVALID),
        spoiled(Kind::Ed25519, usual(Sha256)).diagnosed(&codes::CERTIFICATE_INVALID),
        signed(Kind::Ed25519, usual(Sha256)).accepted(),
        signed(Kind::Ed448, usual(Sha256)).accepted(),
        signed(Kind::Secp256k1, usual(Sha256)).accepted(),
    ]);
    all
}

fn handshakes() -> Vec<Case> {
    let insisting = |name: &str, kind: Kind, tls: Tls| {
        on_server(format!("handshake with {name} only, {kind:?}"), |server| server.keyed(kind)).tls(tls)
    };
    let only = |version: SslVersion| Tls { minimum: Some(version), maximum: Some(version), ..Tls::default() };
    let suite = |ciphers: &'static str| Tls { ciphers: Some(ciphers), ..only(SslVersion::TLS1_2) };
    let group = |groups: &'static str| Tls { groups: Some(groups), ..Tls::default() };
    let rsa = Kind::Rsa(2048);
    let mut all = vec![
        insisting("TLS 1.3", Kind::P256, only(SslVersion::TLS1_3)).accepted(),
        insisting("TLS 1.2", Kind::P256, only(SslVersion::TLS1_2)).accepted(),
        insisting("TLS 1.2", rsa, only(SslVersion::TLS1_2)).accepted(),
        insisting("TLS 1.2", Kind::P384, only(SslVersion::TLS1_2)).accepted(),
        insisting("TLS 1.2", Kind::P521, only(SslVersion::TLS1_2)).accepted(),
        insisting("TLS 1.2", Kind::Ed25519, only(SslVersion::TLS1_2)).accepted(),
        insisting("TLS 1.2", Kind::Ed448, only(SslVersion::TLS1_2)).accepted(),
        insisting("TLS 1.2", Kind::RsaPss(2048), only(SslVersion::TLS1_2)).accepted(),
        insisting("TLS 1.2", Kind::Secp256k1, only(SslVersion::TLS1_2)).refused(Handshake),
        insisting("TLS 1.1", rsa, only(SslVersion::TLS1_1)).refused(Handshake),
        insisting("TLS 1.0", rsa, only(SslVersion::TLS1)).refused(Handshake),
        insisting("TLS 1.1, refused certificate", rsa, only(SslVersion::TLS1_1))
            .root(&[&super::usual_root().key(Key::labelled(Kind::P256, "another")).self_signed()])
            .refused(Handshake),
    ];
    for (suite_name, accepted) in [
        ("ECDHE-RSA-AES256-GCM-SHA384", true),
        ("ECDHE-RSA-AES128-GCM-SHA256", true),
        ("ECDHE-RSA-CHACHA20-POLY1305", true),
        ("ECDHE-RSA-AES256-SHA384", true),
        ("ECDHE-RSA-AES128-SHA", true),
        ("DHE-RSA-AES256-GCM-SHA384", true),
        ("AES128-GCM-SHA256", true),
        ("AES256-SHA", true),
        ("ECDHE-RSA-CAMELLIA256-SHA384", false),
        ("CAMELLIA128-SHA", false),
    ] {
        let case = insisting(suite_name, rsa, suite(suite_name));
        all.push(if accepted { case.accepted() } else { case.refused(Handshake) });
    }
    for (group_name, accepted) in [
        ("P-256", true),
        ("P-384", true),
        ("P-521", true),
        ("X25519", true),
        ("X448", true),
        ("brainpoolP256r1", false),
        ("secp256k1", false),
    ] {
        let case = insisting(group_name, rsa, group(group_name));
        all.push(if accepted { case.accepted() } else { case.refused(Handshake) });
    }
    all
}
