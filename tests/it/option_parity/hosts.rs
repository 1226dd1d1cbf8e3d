//! Lists of hosts, addresses and ports: which failures go on to the next and which are final, and where it ends.

use super::Reason::*;
use super::servers::{PASSWORD, Server};
use super::{Case, Peer};
use crate::support::scripted_server::{Login, Reply, Tls};
use pgtls_check::diagnose::codes;

/// The part of the string that all cases here share.
const REST: &str = "user=open dbname=postgres sslmode=verify-full sslrootcert=FILES/root.crt";

pub(super) fn cases() -> Vec<Case> {
    let mut all = going_on();
    all.extend(stopping());
    all.extend(lists());
    all.extend(spellings());
    all.extend(times());
    all
}

/// Two hosts by the same name: the first is this peer, the second the usual server.
fn two(title: &str, first: Peer) -> Case {
    let conninfo =
        "host=db.example,db.example hostaddr=127.0.0.1,127.0.0.1 port=PORT0,PORT1 ".to_owned() + REST;
    Case::among([first, Peer::Server(Server::Usual)], &conninfo, format!("two hosts: {title}"))
}

fn scripted(reply: Reply, login: Login) -> Peer {
    Peer::ScriptedServer(Tls { reply, login, ..Tls::default() })
}

fn going_on() -> Vec<Case> {
    vec![
        two("the first is well", Peer::Server(Server::Tls13)).reaches(0),
        two("the first is closed", Peer::Closed).reaches(1),
        two("the first does not answer SSLRequest", scripted(Reply::Silence, Login::Open))
            .with("connect_timeout=2")
            .reaches(1),
        two("the first does not answer behind TLS", scripted(Reply::Handshake, Login::Silence))
            .with("connect_timeout=2")
            .reaches(1),
        two("the first is starting up", scripted(Reply::Handshake, Login::Fatal("57P03"))).reaches(1),
        two("the first has no name", Peer::Closed)
            .with("host=nowhere.invalid,localhost hostaddr=''")
            .reaches(1),
        two("the first has no valid address", Peer::Closed).with("hostaddr=nonsense,127.0.0.1").reaches(1),
        two("the first has port 0", Peer::Closed).with("port=0,PORT1").reaches(1),
        two("the first has port 65536", Peer::Closed).with("port=65536,PORT1").reaches(1),
        Case::among(
            [Peer::Closed, Peer::Closed, Peer::Server(Server::Usual)],
            &("host=db.example,db.example,db.example hostaddr=127.0.0.1,127.0.0.1,127.0.0.1 \
               port=PORT0,PORT1,PORT2 "
                .to_owned()
                + REST),
            "three hosts: two are closed",
        )
        .reaches(2),
        Case::among(
            [Peer::Closed, Peer::Closed],
            &("host=db.example,db.example hostaddr=127.0.0.1,127.0.0.1 port=PORT0,PORT1 ".to_owned() + REST),
            "two hosts: both are closed",
        )
        .refused(Tcp)
        .reaches(1),
    ]
}

fn stopping() -> Vec<Case> {
    vec![
        two("the first has no TLS", Peer::Server(Server::Plain)).refused(NoTls).reaches(0),
        two("the first has no TLS, prefer", Peer::Server(Server::Plain))
            .with("sslmode=prefer")
            .plaintext(NoTls)
            .reaches(0),
        two("the first has no TLS on a scripted server", scripted(Reply::Plaintext, Login::Open))
            .refused(NoTls)
            .reaches(0),
        two("the first closes", scripted(Reply::Close, Login::Open)).refused(Closed).reaches(0),
        two("the first is no PostgreSQL", scripted(Reply::Bytes(b"HTTP/1.1 400"), Login::Open))
            .refused(NotPostgres)
            .reaches(0),
        two("the first answers with an error", scripted(Reply::Bytes(b"E"), Login::Open))
            .refused(ErrorBeforeTls)
            .reaches(0),
        two("the first is not verified", Peer::Server(Server::Usual))
            .with("sslrootcert=FILES/other.crt")
            .refused(Chain)
            .reaches(0),
        two("the first has another name", scripted(Reply::Handshake, Login::Open))
            .with("host=other.example,db.example")
            .refused(Name)
            .reaches(0),
        two("the first speaks another TLS", Peer::Server(Server::Tls12))
            .with("ssl_min_protocol_version=TLSv1.3")
            .refused(Handshake)
            .reaches(0),
        two("a missing root file", Peer::Server(Server::Usual))
            .with("sslrootcert=FILES/missing.crt")
            .refused(RootFile)
            .reaches(0),
        two("a missing root file behind a closed port", Peer::Closed)
            .with("sslrootcert=FILES/missing.crt")
            .refused(RootFile)
            .reaches(1),
        two("a missing key", Peer::Server(Server::Usual))
            .with("sslcert=FILES/cert.crt sslkey=FILES/missing.key")
            .refused(ClientFiles)
            .reaches(0),
        two("the first rejects the role", Peer::Server(Server::Usual))
            .with("user=banned")
            .refused(Hba)
            .reaches(0),
        two("the first lacks the database", Peer::Server(Server::Usual))
            .with("dbname=nowhere")
            .refused(Database)
            .reaches(0),
        two("the first wants a password", Peer::Server(Server::Usual))
            .with("user=scram")
            .refused(PasswordMissing)
            .reaches(0),
        two("the first wants another password", Peer::Server(Server::Usual))
            .with("user=scram password=wrong")
            .refused(PasswordRejected)
            .reaches(0),
        two("the first is full", scripted(Reply::Handshake, Login::Fatal("53300")))
            .refused(Session)
            .reaches(0),
        two("the first is shutting down", scripted(Reply::Handshake, Login::Fatal("57P01")))
            .refused(Session)
            .reaches(0),
        two("the first ends the session", scripted(Reply::Handshake, Login::Close))
            .refused(Closed)
            .reaches(0),
        two("the first cannot bind the channel", Peer::Server(Server::Usual))
            .with("channel_binding=require")
            .refused(ChannelBinding)
            .reaches(0),
        two("the first has a port that is no number", Peer::Server(Server::Usual))
            .with("port=nonsense,PORT1")
            .refused(Settings),
    ]
}

fn lists() -> Vec<Case> {
    let usual = |title: &str, conninfo: &str| {
        Case::among([Peer::Server(Server::Usual)], conninfo, format!("lists: {title}")).with(REST)
    };
    let passwords = |content: &str| content.replace("SECRET", PASSWORD);
    vec![
        usual("one port for all", "host=localhost,localhost port=PORT0").reaches(0),
        usual("more hosts than ports", "host=localhost,localhost,localhost port=PORT0,PORT0")
            .refused(Settings),
        usual("more ports than hosts", "host=localhost port=PORT0,PORT0").refused(Settings),
        usual("more addresses than hosts", "host=localhost hostaddr=127.0.0.1,127.0.0.1 port=PORT0")
            .refused(Settings),
        usual("more hosts than addresses", "host=localhost,localhost hostaddr=127.0.0.1 port=PORT0")
            .refused(Settings),
        usual("addresses without hosts", "hostaddr=127.0.0.1 port=PORT0")
            .with("sslmode=verify-ca")
            .reaches(0),
        usual("an address left out", "host=localhost,localhost hostaddr=,127.0.0.1 port=PORT0").reaches(0),
        usual("blanks around a port", "host=localhost port=' PORT0 '").reaches(0),
        usual("a URI of two hosts", "")
            .instead(
                "postgresql://open@localhost:PORT0,localhost:PORT0/postgres?sslmode=verify-full\
                 &sslrootcert=FILES/root.crt",
            )
            .reaches(0),
        usual("an IPv6 address in a URI", "")
            .instead("postgresql://open@[::1]:PORT0/postgres?sslmode=verify-full&sslrootcert=FILES/root.crt")
            .reaches(0),
        usual("hosts from the environment", "port=PORT0").env("PGHOST", "localhost,localhost").reaches(0),
        usual("load_balance_hosts=random", "host=localhost,localhost port=PORT0 load_balance_hosts=random")
            .newer(),
        usual("load_balance_hosts=disable", "host=localhost,localhost port=PORT0 load_balance_hosts=disable")
            .newer(),
        two("each has its password", Peer::Closed)
            .with("host=first.example,db.example user=scram")
            .file(".pgpass", passwords("first.example:*:*:*:wrong\ndb.example:*:*:*:SECRET\n"))
            .reaches(1),
        two("each has its password, by the port", Peer::Closed)
            .with("user=scram")
            .file(".pgpass", passwords("*:PORT0:*:*:wrong\n*:PORT1:*:*:SECRET\n"))
            .reaches(1),
        two("the second has the first one's password", Peer::Closed)
            .with("host=first.example,db.example user=scram")
            .file(".pgpass", passwords("first.example:*:*:*:SECRET\ndb.example:*:*:*:wrong\n"))
            .refused(PasswordRejected)
            .reaches(1),
        two("only the first has a password", Peer::Closed)
            .with("host=first.example,db.example user=scram")
            .file(".pgpass", passwords("first.example:*:*:*:SECRET\n"))
            .refused(PasswordMissing)
            .reaches(1),
    ]
}

/// One host in its spellings.
fn spellings() -> Vec<Case> {
    let usual = |title: &str, settings: &str| {
        Case::among([Peer::Server(Server::Usual)], settings, format!("host: {title}"))
            .with("port=PORT0")
            .with(REST)
    };
    vec![
        usual("a name", "host=localhost").reaches(0),
        usual("an IPv4 address", "host=127.0.0.1").reaches(0),
        usual("an IPv6 address", "host=::1").reaches(0),
        usual("an IPv6 address long", "host=0:0:0:0:0:0:0:1").reaches(0),
        usual("an IPv6 address beside a name", "host=db.example hostaddr=::1").reaches(0),
        usual("an IPv4 address short", "host=127.1").reaches(0),
        usual("an IPv6 address in brackets", "host=[::1]").refused(Dns),
        usual("not to be resolved", "host=nowhere.invalid").refused(Dns).code(&codes::DNS_NOT_FOUND),
        usual("with its port", "host=localhost:5432").refused(Dns).code(&codes::CONNINFO_HOST_MALFORMED),
        usual("a URL", "host=https://localhost").refused(Dns).code(&codes::CONNINFO_HOST_MALFORMED),
        usual("a name as hostaddr", "host=localhost hostaddr=localhost").refused(Settings),
        usual("hostaddr of another host", "host=localhost hostaddr=127.0.0.2").refused(Tcp),
        usual("a closed port", "host=localhost").with("port=1").refused(Tcp).code(&codes::TCP_REFUSED),
    ]
}

fn times() -> Vec<Case> {
    let silent = |title: &str, value: &str| {
        Case::on_stage(Tls { reply: Reply::Silence, ..Tls::default() }, format!("connect_timeout: {title}"))
            .with(&format!("connect_timeout={value}"))
    };
    vec![
        silent("2", "2").refused(Timeout),
        silent("1", "1").refused(Timeout),
        silent("blanks around it", "' 1 '").refused(Timeout),
        silent("by the environment", "' 1 '").env("PGCONNECT_TIMEOUT", "nonsense").refused(Timeout),
        Case::at(Server::Usual, "connect_timeout: 0").with("connect_timeout=0"),
        Case::at(Server::Usual, "connect_timeout: negative").with("connect_timeout=-1"),
        Case::at(Server::Usual, "connect_timeout: huge").with("connect_timeout=2147483647"),
    ]
}
