//! What libpq's OpenSSL can and rustls cannot: the program says so and never blames the server.

use super::Case;
use super::Reason::*;
use super::servers::{PASSWORD, Server};
use crate::support::scripted_server::Tls;
use openssl::ssl::SslVersion;
use pgtls_check::diagnose::codes;

pub(super) fn cases() -> Vec<Case> {
    let mut all = vec![
        Case::at(Server::Cbc, "beyond rustls: CBC suites of a server").speaks("TLSv1.2"),
        Case::at(Server::Cbc, "beyond rustls: CBC suites of a server, require")
            .with("sslmode=require sslrootcert=''"),
        Case::at(Server::Cbc, "beyond rustls: CBC suites of a server, prefer")
            .with("sslmode=prefer sslrootcert=''"),
        Case::at(Server::Cbc, "beyond rustls: CBC suites of a server, TLS 1.3 wanted")
            .with("ssl_min_protocol_version=TLSv1.3")
            .refused(Handshake)
            .code(&codes::TLS_VERSION_UNSUPPORTED),
        Case::at(Server::Cbc, "beyond rustls: CBC suites of a server, another root")
            .with("sslrootcert=FILES/other.crt")
            .refused(Chain),
        Case::at_version(Server::Usual, 18, "beyond rustls: 200000 iterations of SCRAM")
            .with(&format!("user=iterated password='{PASSWORD}'")),
        Case::at_version(Server::Usual, 18, "beyond rustls: 200000 iterations of SCRAM, a wrong password")
            .with("user=iterated password=wrong")
            .refused(PasswordRejected),
        Case::at_version(Server::Usual, 15, "beyond rustls: 4096 iterations of SCRAM")
            .with(&format!("user=iterated password='{PASSWORD}'")),
    ];
    for (title, ciphers, groups) in [
        ("ECDHE-ECDSA with CBC", Some("ECDHE-ECDSA-AES256-SHA384"), None),
        ("ECDHE-ECDSA with CBC and SHA-1", Some("ECDHE-ECDSA-AES128-SHA"), None),
        ("P-521 only", Some("ECDHE-ECDSA-AES256-GCM-SHA384"), Some("P-521")),
    ] {
        let maximum = Some(SslVersion::TLS1_2);
        let tls = Tls { ciphers, groups, maximum, ..Tls::default() };
        all.push(Case::on_stage(tls, format!("beyond rustls: {title}")).speaks("TLSv1.2"));
    }
    // OpenSSL does not offer these unless asked to, so psql fails as well.
    let tls =
        Tls { ciphers: Some("ECDHE-ECDSA-AES128-CCM"), maximum: Some(SslVersion::TLS1_2), ..Tls::default() };
    all.push(Case::on_stage(tls, "beyond both: ECDHE-ECDSA with CCM").refused(Handshake));
    for group in ["P-521", "X448"] {
        let tls = Tls { groups: Some(group), minimum: Some(SslVersion::TLS1_3), ..Tls::default() };
        all.push(Case::on_stage(tls, format!("beyond rustls: {group} only in TLS 1.3")).speaks("TLSv1.3"));
    }
    all
}
