//! Versions of TLS and of the protocol, TLS without a request, the server name, GSSAPI.

use super::Reason::*;
use super::servers::Server;
use super::{Case, Client, NAME};
use crate::support::scripted_server::{Reply, Tls};
use openssl::ssl::SslVersion;
use pgtls_check::diagnose::codes;

pub(super) fn cases() -> Vec<Case> {
    let mut all = tls_versions();
    all.extend(direct());
    all.extend(server_name());
    all.extend(gss());
    all.extend(protocol_versions());
    all
}

fn tls_versions() -> Vec<Case> {
    let case =
        |title: &str, server, settings: &str| Case::at(server, format!("TLS bounds: {title}")).with(settings);
    let least = |version: &str| format!("ssl_min_protocol_version={version}");
    let most = |version: &str| format!("ssl_max_protocol_version={version}");
    vec![
        case("none", Server::Usual, "").speaks("TLSv1.3"),
        case("at most 1.2", Server::Usual, &most("TLSv1.2")).speaks("TLSv1.2"),
        case("at least 1.3", Server::Usual, &least("TLSv1.3")).speaks("TLSv1.3"),
        case("exactly 1.2", Server::Usual, &(least("TLSv1.2") + " " + &most("TLSv1.2"))).speaks("TLSv1.2"),
        case("exactly 1.3", Server::Usual, &(least("TLSv1.3") + " " + &most("TLSv1.3"))).speaks("TLSv1.3"),
        case("at least 1.1", Server::Usual, &least("TLSv1.1")).speaks("TLSv1.3"),
        case("at least 1", Server::Usual, &least("TLSv1")).speaks("TLSv1.3"),
        case("in lower case", Server::Usual, &most("tlsv1.2")).speaks("TLSv1.2"),
        case("empty", Server::Usual, "ssl_min_protocol_version='' ssl_max_protocol_version=''")
            .speaks("TLSv1.3"),
        case("by the environment", Server::Usual, "")
            .env("PGSSLMAXPROTOCOLVERSION", "TLSv1.2")
            .speaks("TLSv1.2"),
        case("none, a server of 1.2", Server::Tls12, "").speaks("TLSv1.2"),
        case("none, a server of 1.3", Server::Tls13, "").speaks("TLSv1.3"),
        case("at least 1.3, a server of 1.2", Server::Tls12, &least("TLSv1.3"))
            .refused(Handshake)
            .code(&codes::TLS_VERSION_UNSUPPORTED),
        case("at most 1.2, a server of 1.3", Server::Tls13, &most("TLSv1.2"))
            .refused(Handshake)
            .code(&codes::TLS_VERSION_UNSUPPORTED),
        case("at least 1.3, a server of 1.2, prefer", Server::Tls12, &(least("TLSv1.3") + " sslmode=prefer"))
            .plaintext(Handshake),
        case("least above most", Server::Usual, &(least("TLSv1.3") + " " + &most("TLSv1.2")))
            .refused(Settings),
        case(
            "least above most, sslmode=disable",
            Server::Usual,
            &(least("TLSv1.3") + " " + &most("TLSv1.2")),
        )
        .with("sslmode=disable")
        .refused(Settings),
        case("at most 1.1", Server::Usual, &most("TLSv1.1")).refused(Settings),
        case("at most 1", Server::Usual, &most("TLSv1")).refused(Settings),
        Case::on_stage(
            Tls { minimum: Some(SslVersion::TLS1_1), maximum: Some(SslVersion::TLS1_1), ..Tls::default() },
            "TLS bounds: none, a stage of 1.1",
        )
        .refused(Handshake)
        .code(&codes::TLS_VERSION_UNSUPPORTED),
        Case::on_stage(
            Tls { minimum: Some(SslVersion::TLS1_2), maximum: Some(SslVersion::TLS1_2), ..Tls::default() },
            "TLS bounds: at least 1.3, a stage of 1.2",
        )
        .with("ssl_min_protocol_version=TLSv1.3")
        .refused(Handshake)
        .code(&codes::TLS_VERSION_UNSUPPORTED),
        Case::on_stage(
            Tls { minimum: Some(SslVersion::TLS1_3), ..Tls::default() },
            "TLS bounds: at most 1.2, a stage of 1.3",
        )
        .with("ssl_max_protocol_version=TLSv1.2")
        .refused(Handshake)
        .code(&codes::TLS_VERSION_UNSUPPORTED),
    ]
}

/// `sslnegotiation`, which came with libpq 17, as the server's side of it did with PostgreSQL 17.
fn direct() -> Vec<Case> {
    let of = |case: Case, settings: &str| case.with("sslnegotiation=direct").with(settings).newer();
    let at = |version, server, title: &str, settings: &str| {
        of(Case::at_version(server, version, format!("direct TLS: {title}")), settings)
    };
    let scripted =
        |tls, title: &str, settings: &str| of(Case::on_stage(tls, format!("direct TLS: {title}")), settings);
    vec![
        at(18, Server::Usual, "verified", ""),
        at(18, Server::Usual, "verify-ca", "sslmode=verify-ca"),
        at(18, Server::Usual, "require", "sslmode=require sslrootcert=''"),
        at(18, Server::Tls12, "TLS 1.2", "").speaks("TLSv1.2"),
        at(18, Server::Usual, "another root", "sslrootcert=FILES/other.crt").refused(Chain),
        at(18, Server::Usual, "another name", "host=other.example").refused(Name),
        at(18, Server::Usual, "prefer", "sslmode=prefer")
            .refused(Settings)
            .code(&codes::CONNINFO_INVALID_VALUE),
        at(18, Server::Usual, "allow", "sslmode=allow")
            .refused(Settings)
            .code(&codes::CONNINFO_INVALID_VALUE),
        at(18, Server::Usual, "disable", "sslmode=disable")
            .refused(Settings)
            .code(&codes::CONNINFO_INVALID_VALUE),
        at(18, Server::Usual, "no sslmode", "")
            .instead("host=db.example hostaddr=127.0.0.1 port=PORT0 user=open dbname=postgres")
            .with("sslnegotiation=direct sslrootcert=FILES/root.crt")
            .refused(Settings)
            .code(&codes::CONNINFO_INVALID_VALUE),
        Case::at_version(Server::Usual, 18, "direct TLS: by the environment and no sslmode")
            .instead("host=db.example hostaddr=127.0.0.1 port=PORT0 user=open dbname=postgres")
            .env("PGSSLNEGOTIATION", "direct")
            .refused(Settings),
        at(15, Server::Usual, "a server too old", "").refused(Closed).code(&codes::DIRECT_TLS_UNSUPPORTED),
        at(15, Server::Plain, "a server too old, without TLS", "").refused(Closed),
        at(18, Server::Plain, "a server without TLS", "").refused(Closed),
        at(18, Server::Usual, "a missing root file", "sslrootcert=FILES/missing.crt").refused(RootFile),
        at(
            18,
            Server::Usual,
            "a client certificate",
            "user=cert sslcert=FILES/cert.crt sslkey=FILES/cert.key",
        ),
        scripted(Tls::default(), "on the scripted server", "")
            .connections(|_, record| record.direct && !record.ssl_request && record.alpn),
        scripted(Tls { without_alpn: true, ..Tls::default() }, "no ALPN", "").refused(DirectTls),
        scripted(
            Tls { without_alpn: true, ..Tls::default() },
            "no ALPN, require",
            "sslmode=require sslrootcert=''",
        )
        .refused(DirectTls),
        scripted(
            Tls { reply: Reply::Plaintext, ..Tls::default() },
            "another root on the scripted server",
            "",
        )
        .with("sslrootcert=FILES/other.crt")
        .refused(Chain),
        scripted(Tls::default(), "without SNI", "sslsni=0")
            .connections(|_, record| record.direct && record.sni.is_none()),
        of(Case::at_pooler("direct TLS: PgBouncer"), "user=scram")
            .refused(Handshake)
            .code(&codes::DIRECT_TLS_UNSUPPORTED),
        Case::at(Server::Usual, "sslnegotiation=postgres").with("sslnegotiation=postgres").newer(),
        Case::on_stage(Tls { without_alpn: true, ..Tls::default() }, "sslnegotiation=postgres, no ALPN")
            .with("sslnegotiation=postgres")
            .newer()
            .connections(|_, record| record.ssl_request && !record.direct),
    ]
}

fn server_name() -> Vec<Case> {
    let case =
        |title: &str, settings: &str| Case::on_stage(Tls::default(), format!("SNI: {title}")).with(settings);
    vec![
        case("by default", "").connections(|_, record| record.sni.as_deref() == Some(NAME)),
        case("sslsni=1", "sslsni=1").connections(|_, record| record.sni.as_deref() == Some(NAME)),
        case("sslsni=0", "sslsni=0").connections(|_, record| record.sni.is_none()),
        case("sslsni=2", "sslsni=2").connections(|_, record| record.sni.is_none()),
        case("sslsni=01", "sslsni=01").connections(|_, record| record.sni.is_none()),
        case("sslsni empty", "sslsni=''").connections(|_, record| record.sni.is_none()),
        case("PGSSLSNI=0", "").env("PGSSLSNI", "0").connections(|_, record| record.sni.is_none()),
        case("an address", "host=127.0.0.1").connections(|_, record| record.sni.is_none()),
        case("in upper case", "host=DB.Example")
            .connections(|_, record| record.sni.as_deref() == Some("DB.Example")),
        case("under require", "sslmode=require").connections(|_, record| record.sni.as_deref() == Some(NAME)),
        case("without host", "host='' sslmode=require").connections(|_, record| record.sni.is_none()),
        case("ALPN", "").connections(|client, record| record.alpn == (client != Client::Libpq15)),
    ]
}

fn gss() -> Vec<Case> {
    let case = |title: &str, settings: &str| Case::at(Server::Usual, title).with(settings);
    vec![
        case("gssencmode=disable", "gssencmode=disable"),
        case("gssencmode=prefer without a ticket", "gssencmode=prefer"),
        case("gssencmode=require", "gssencmode=require").refused(Settings).code(&codes::OPTION_NOT_SUPPORTED),
        case("gssencmode=require by the environment", "").env("PGGSSENCMODE", "require").refused(Settings),
        case("krbsrvname", "krbsrvname=something"),
        case("gsslib", "gsslib=gssapi"),
        case("gssdelegation", "gssdelegation=1").newer(),
        case("requirepeer by TCP", "requirepeer=nobody"),
        case("sslcompression=1", "sslcompression=1"),
    ]
}

/// The version of PostgreSQL's own protocol, to choose since libpq 18.
fn protocol_versions() -> Vec<Case> {
    let case = |title: &str, version, settings: &str| {
        Case::at_version(Server::Usual, version, format!("protocol: {title}")).with(settings).newer()
    };
    vec![
        case("at most 3.0", 18, "max_protocol_version=3.0"),
        case("at most 3.2", 18, "max_protocol_version=3.2"),
        case("at most the latest", 18, "max_protocol_version=latest"),
        case("at least 3.2", 18, "min_protocol_version=3.2 max_protocol_version=3.2"),
        case("at least 3.0", 18, "min_protocol_version=3.0"),
        case("at most 3.2, a server of 3.0", 15, "max_protocol_version=3.2"),
        case("at least 3.2, a server of 3.0", 15, "min_protocol_version=3.2 max_protocol_version=3.2")
            .refused(Session),
        case("at least 3.2 and no most", 18, "min_protocol_version=3.2"),
        case("least above most", 18, "min_protocol_version=3.2 max_protocol_version=3.0").refused(Settings),
        case("empty least", 18, "min_protocol_version=''").refused(Settings),
        case("at most 3.1", 18, "max_protocol_version=3.1").refused(Settings),
    ]
}
