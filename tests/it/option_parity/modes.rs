//! All values of `sslmode`, with every kind of root file, before every kind of server.

use super::Outcome::{Accepted, Plaintext, Refused};
use super::Reason::*;
use super::files::ROOT;
use super::servers::Server;
use super::{Case, Outcome, Reason};
use crate::support::scripted_server::{Reply, Tls};
use pgtls_check::diagnose::codes;

const MODES: [&str; 6] = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];

/// The kinds of root file, in the order of the columns below.
const ROOTS: [&str; 7] = [
    "no root file",
    "the default root file",
    "a root file",
    "another root",
    "an empty file",
    "a directory",
    "a missing file",
];

pub(super) fn cases() -> Vec<Case> {
    let mut all = roots();
    all.extend(rules());
    all.extend(names());
    all.extend(answers());
    all.extend(system_roots());
    all.extend(sockets());
    all
}

/// With a root file of this kind.
fn with_root(case: Case, root: &str) -> Case {
    // Of two values the last counts, and an empty one is as good as none.
    let case = case.with("sslrootcert=''");
    match root {
        "no root file" => case,
        "the default root file" => case.file(".postgresql/root.crt", ROOT.pem()),
        "a root file" => case.with("sslrootcert=FILES/root.crt"),
        "another root" => case.with("sslrootcert=FILES/other.crt"),
        "an empty file" => case.with("sslrootcert=FILES/empty.crt"),
        "a directory" => case.with("sslrootcert=FILES/directory"),
        "a missing file" => case.with("sslrootcert=FILES/missing.crt"),
        _ => panic!("{root}"),
    }
}

/// Every mode with every root file, for a role that may come with TLS and without.
fn roots() -> Vec<Case> {
    let plain = Plaintext(NotRequested);
    let table: [[Outcome; 7]; 6] = [
        std::array::from_fn(|_| plain.clone()),
        std::array::from_fn(|_| plain.clone()),
        [Accepted, Accepted, Accepted, Plaintext(Chain), Plaintext(RootFile), Plaintext(RootFile), Accepted],
        [Accepted, Accepted, Accepted, Refused(Chain), Refused(RootFile), Refused(RootFile), Accepted],
        [
            Refused(RootFile),
            Accepted,
            Accepted,
            Refused(Chain),
            Refused(RootFile),
            Refused(RootFile),
            Refused(RootFile),
        ],
        [
            Refused(RootFile),
            Accepted,
            Accepted,
            Refused(Chain),
            Refused(RootFile),
            Refused(RootFile),
            Refused(RootFile),
        ],
    ];
    let mut all = Vec::new();
    for (mode, row) in MODES.iter().zip(table) {
        for (root, outcome) in ROOTS.iter().zip(row) {
            let case =
                Case::at(Server::Usual, format!("{mode} with {root}")).with(&format!("sslmode={mode}"));
            all.push(with_root(case, root).expects(outcome));
        }
    }
    all
}

/// Modes that go on to the other kind of connection, for roles that may come by one of them only.
fn rules() -> Vec<Case> {
    let case = |title: &str, mode: &str, role: &str, root: &str| {
        let case = Case::at(Server::Usual, title).with(&format!("sslmode={mode} user={role}"));
        with_root(case, root)
    };
    vec![
        case("disable where TLS is demanded", "disable", "tls_only", "no root file").refused(Hba),
        case("allow where TLS is demanded", "allow", "tls_only", "no root file"),
        case("allow where TLS is demanded, verified", "allow", "tls_only", "a root file"),
        case("allow where TLS is demanded, another root", "allow", "tls_only", "another root").refused(Chain),
        case("allow where TLS is demanded, an empty root file", "allow", "tls_only", "an empty file")
            .refused(RootFile),
        case("prefer where TLS is demanded", "prefer", "tls_only", "no root file"),
        case("prefer where TLS is demanded, another root", "prefer", "tls_only", "another root")
            .refused(Chain),
        case("prefer where TLS is demanded, an empty root file", "prefer", "tls_only", "an empty file")
            .refused(RootFile),
        case("prefer where plaintext is demanded", "prefer", "plain_only", "no root file").plaintext(Hba),
        case("require where plaintext is demanded", "require", "plain_only", "no root file").refused(Hba),
        case("verify-full where plaintext is demanded", "verify-full", "plain_only", "a root file")
            .refused(Hba),
        case("allow where all is rejected", "allow", "banned", "no root file").refused(Hba),
        case("prefer where all is rejected", "prefer", "banned", "no root file").refused(Hba),
        case("require where all is rejected", "require", "banned", "no root file").refused(Hba),
        case("verify-full where all is rejected", "verify-full", "banned", "a root file")
            .refused(Hba)
            .code(&codes::HBA_REJECTED),
    ]
}

/// A good chain for another name.
fn names() -> Vec<Case> {
    let case = |mode: &str| {
        Case::at(Server::Usual, format!("{mode} for another name"))
            .with(&format!("host=other.example sslmode={mode}"))
    };
    vec![
        case("prefer"),
        case("require"),
        case("verify-ca"),
        case("verify-full").refused(Name).code(&codes::HOSTNAME_MISMATCH),
        Case::at(Server::Usual, "verify-full without a name")
            .with("host=''")
            .refused(Settings)
            .code(&codes::HOST_REQUIRED),
        Case::at(Server::Usual, "verify-ca without a name").with("host='' sslmode=verify-ca"),
        Case::at(Server::Usual, "require without a name").with("host='' sslmode=require"),
        Case::at(Server::Usual, "verify-full by an address").with("host=127.0.0.1"),
    ]
}

/// What servers answer to SSLRequest.
fn answers() -> Vec<Case> {
    let mut all = Vec::new();
    for (mode, outcome) in MODES.iter().zip([
        Plaintext(NotRequested),
        Plaintext(NotRequested),
        Plaintext(NoTls),
        Refused(NoTls),
        Refused(NoTls),
        Refused(NoTls),
    ]) {
        let case = Case::at(Server::Plain, format!("{mode} before a server without TLS"));
        all.push(case.with(&format!("sslmode={mode}")).expects(outcome.clone()));
        let title = format!("{mode} before a stage without TLS");
        let tls = Tls { reply: Reply::Plaintext, ..Tls::default() };
        all.push(Case::on_stage(tls, title).with(&format!("sslmode={mode}")).expects(outcome));
    }
    // What comes before the root file is looked at is told first.
    for root in ["no root file", "an empty file", "a missing file"] {
        let title = format!("verify-full with {root} before a server without TLS");
        all.push(with_root(Case::at(Server::Plain, title), root).refused(NoTls));
    }
    all.push(
        Case::among(
            [super::Peer::Closed],
            super::USUAL,
            "verify-full with a missing root file before a closed port",
        )
        .with("sslrootcert=FILES/missing.crt")
        .refused(Tcp),
    );
    let odd: [(&str, Reply, Reason); 7] = [
        ("an error", Reply::Bytes(b"E\0\0\0\x10SERROR\0C0\0\0"), ErrorBeforeTls),
        ("an unknown byte", Reply::Bytes(b"X"), NotPostgres),
        ("HTTP", Reply::Bytes(b"HTTP/1.1 400 Bad Request\r\n\r\n"), NotPostgres),
        ("the greeting of MySQL", Reply::Bytes(b"\x4a\0\0\0\x0a8.0.36\0"), NotPostgres),
        ("the end", Reply::Close, Closed),
        ("bytes behind S", Reply::HandshakeAfter(b"Sinjected"), Injected),
        ("nothing", Reply::Silence, Timeout),
    ];
    for mode in ["prefer", "require", "verify-full"] {
        for (title, reply, reason) in odd {
            let tls = Tls { reply, ..Tls::default() };
            let settings = format!("sslmode={mode} connect_timeout=2");
            all.push(
                Case::on_stage(tls, format!("{mode}, answered with {title}")).with(&settings).refused(reason),
            );
        }
    }
    for mode in ["require", "verify-ca", "verify-full"] {
        for (root, reason) in [("another root", Chain), ("an empty file", RootFile)] {
            let case = Case::on_stage(Tls::default(), format!("{mode} on the scripted server with {root}"));
            all.push(with_root(case.with(&format!("sslmode={mode}")), root).refused(reason));
        }
        let case = Case::on_stage(Tls::default(), format!("{mode} on the scripted server with a root file"));
        all.push(case.with(&format!("sslmode={mode}")).sends("user", "open"));
    }
    for mode in ["verify-ca", "verify-full"] {
        for root in ["no root file", "a missing file"] {
            let case = Case::on_stage(Tls::default(), format!("{mode} on the scripted server with {root}"));
            all.push(with_root(case.with(&format!("sslmode={mode}")), root).refused(RootFile));
        }
    }
    all.push(
        Case::on_stage(Tls::default(), "verify-full on the scripted server for another name")
            .with("host=other.example password=unsaid")
            .refused(Name),
    );
    all.push(
        Case::on_stage(Tls::default(), "verify-full on the scripted server without a name")
            .with("host='' password=unsaid")
            .refused(Settings),
    );
    all
}

/// `sslrootcert=system`, which came with libpq 16.
fn system_roots() -> Vec<Case> {
    let case = |title: &str, settings: &str| {
        Case::at(Server::Usual, title).with("sslrootcert=system").with(settings)
    };
    vec![
        case("system roots", "").env("SSL_CERT_FILE", "FILES/root.crt"),
        case("system roots without this root", "").env("SSL_CERT_FILE", "FILES/other.crt").refused(Chain),
        case("system roots for another name", "host=other.example")
            .env("SSL_CERT_FILE", "FILES/root.crt")
            .refused(Name),
        case("system roots under verify-ca", "sslmode=verify-ca")
            .refused(Settings)
            .code(&codes::CONNINFO_INVALID_VALUE),
        case("system roots under require", "sslmode=require")
            .refused(Settings)
            .code(&codes::CONNINFO_INVALID_VALUE),
        case("system roots under disable", "sslmode=disable")
            .refused(Settings)
            .code(&codes::CONNINFO_INVALID_VALUE),
        Case::at(Server::Usual, "system roots and no sslmode")
            .instead(
                "host=db.example hostaddr=127.0.0.1 port=PORT0 user=open dbname=postgres sslrootcert=system",
            )
            .env("SSL_CERT_FILE", "FILES/other.crt")
            .refused(Chain),
        Case::at(Server::Usual, "a root file by SSL_CERT_FILE only")
            .with("sslrootcert=''")
            .env("SSL_CERT_FILE", "FILES/root.crt")
            .refused(RootFile),
    ]
}

/// Unix sockets, where there is no TLS in any mode.
fn sockets() -> Vec<Case> {
    let mut all = Vec::new();
    for mode in ["disable", "prefer", "require", "verify-full"] {
        all.push(
            Case::at(Server::Usual, format!("{mode} on a Unix socket"))
                .instead("host=SOCKETS port=PORT0 user=open dbname=postgres")
                .with(&format!("sslmode={mode}"))
                .plaintext(NotRequested)
                .code(&codes::TLS_NOT_REQUESTED),
        );
    }
    all.push(
        Case::at(Server::Usual, "verify-full by TCP with the name of a directory")
            .with("host=/somewhere")
            .refused(Name),
    );
    all
}
