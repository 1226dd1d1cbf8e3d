//! `channel_binding` with every method and every signature on the server's certificate.

use super::Case;
use super::Reason::*;
use super::servers::{PASSWORD, Server, Signature};
use pgtls_check::diagnose::codes;

pub(super) fn cases() -> Vec<Case> {
    let mut all = methods();
    all.extend(signatures());
    all
}

fn bound(server: Server, title: impl Into<String>, value: &str, role: &str) -> Case {
    Case::at(server, title).with(&format!("user={role} password='{PASSWORD}' channel_binding={value}"))
}

fn methods() -> Vec<Case> {
    let case = |value: &str, role: &str| {
        bound(Server::Usual, format!("channel_binding={value} for {role}"), value, role)
    };
    vec![
        case("disable", "scram"),
        case("prefer", "scram"),
        case("require", "scram"),
        case("require", "md5_scram"),
        case("disable", "md5"),
        case("prefer", "md5"),
        case("require", "md5").refused(ChannelBinding).code(&codes::CHANNEL_BINDING_FAILED),
        case("prefer", "clear"),
        case("require", "clear").refused(ChannelBinding).code(&codes::CHANNEL_BINDING_FAILED),
        case("prefer", "open"),
        case("require", "open").refused(ChannelBinding).code(&codes::CHANNEL_BINDING_FAILED),
        bound(Server::Usual, "channel_binding=require for a certificate", "require", "cert")
            .with("sslcert=FILES/cert.crt sslkey=FILES/cert.key")
            .refused(ChannelBinding),
        bound(Server::Usual, "channel_binding=require without TLS", "require", "scram")
            .with("sslmode=disable")
            .refused(ChannelBinding),
        bound(
            Server::Plain,
            "channel_binding=require and prefer before a server without TLS",
            "require",
            "scram",
        )
        .with("sslmode=prefer")
        .refused(ChannelBinding),
        bound(Server::Usual, "channel_binding=require with a wrong password", "require", "scram")
            .with("password=wrong")
            .refused(PasswordRejected),
        bound(Server::Usual, "channel_binding=require without a password", "require", "scram")
            .with("password=''")
            .refused(PasswordMissing),
        bound(Server::Usual, "channel_binding=require under require", "require", "scram")
            .with("sslmode=require sslrootcert=''"),
        bound(Server::Tls12, "channel_binding=require in TLS 1.2", "require", "scram"),
        bound(Server::Tls13, "channel_binding=require in TLS 1.3", "require", "scram"),
        bound(Server::Usual, "PGCHANNELBINDING=require for md5", "prefer", "md5")
            .instead("host=db.example hostaddr=127.0.0.1 port=PORT0 dbname=postgres sslmode=verify-full")
            .with(&format!("sslrootcert=FILES/root.crt user=md5 password='{PASSWORD}'"))
            .env("PGCHANNELBINDING", "require")
            .refused(ChannelBinding),
        Case::at_pooler("channel_binding=require before PgBouncer")
            .with(&format!("user=scram password='{PASSWORD}' channel_binding=require"))
            .refused(ChannelBinding)
            .code(&codes::CHANNEL_BINDING_FAILED),
        Case::at_pooler("channel_binding=prefer before PgBouncer")
            .with(&format!("user=scram password='{PASSWORD}' channel_binding=prefer")),
    ]
}

/// The hash of the binding is that of the signature (RFC 5929, 4.1), which Ed25519 does not have.
fn signatures() -> Vec<Case> {
    let mut all = Vec::new();
    for (signature, version) in [
        (Signature::EcdsaSha384, 18),
        (Signature::EcdsaSha512, 15),
        (Signature::PssSha256, 18),
        (Signature::PssSha384, 15),
        (Signature::PssSha512, 18),
        (Signature::EcdsaOnEd25519, 18),
        (Signature::Ed25519, 15),
    ] {
        for value in ["disable", "prefer", "require"] {
            let case = Case::at_version(
                Server::Signed(signature),
                version,
                format!("channel_binding={value} with {signature:?}"),
            )
            .with(&format!("user=scram password='{PASSWORD}' channel_binding={value}"));
            all.push(match (signature, value) {
                (Signature::Ed25519, "prefer" | "require") => {
                    case.refused(ChannelBinding).code(&codes::CHANNEL_BINDING_FAILED)
                }
                _ => case,
            });
        }
    }
    all.push(
        Case::at_version(
            Server::Signed(Signature::Ed25519),
            15,
            "no SCRAM with a certificate signed with Ed25519",
        )
        .with("user=open"),
    );
    all.push(
        Case::at_version(
            Server::Signed(Signature::Ed25519),
            15,
            "MD5 with a certificate signed with Ed25519",
        )
        .with(&format!("user=md5 password='{PASSWORD}'")),
    );
    all
}
