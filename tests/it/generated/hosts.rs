//! Lists of hosts, each of which does one of a few things, under every sslmode: where libpq goes on from one to the next,
//! where it tries the same one again without TLS or with it, and where it stops.

use crate::support::differential::{Situation, assert_agreement};
use crate::support::home::Home;
use crate::support::odd_pki::*;
use crate::support::random::Random;
use crate::support::scripted_server::{Login, Reply, ScriptedServer, Tls};
use socket2::{Domain, Socket, Type};
use std::net::{Ipv4Addr, SocketAddr};

const HOST: &str = "pgtls.test";
const MODES: [&str; 5] = ["allow", "prefer", "require", "verify-ca", "verify-full"];

/// SQLSTATEs of errors that answer a start-up message: no entry in pg_hba.conf, no such database, too many connections,
/// cannot connect now, shutting down.
const STATES: [&str; 5] = ["28000", "3D000", "53300", "57P03", "57P01"];

/// What a host does.
struct Behaviour {
    name: String,
    tls: Tls,
    /// Whether its certificate is one that is not trusted.
    stranger: bool,
    /// Whether it takes as long as the client lets it.
    slow: bool,
}

fn behaviours() -> Vec<Behaviour> {
    let of = |name: &str, reply, login| Behaviour {
        name: name.to_owned(),
        tls: Tls { reply, login, ..Tls::default() },
        stranger: false,
        slow: false,
    };
    let logins = |say: &str, reply: Reply| {
        let mut all = vec![
            of(&format!("{say} and accepts"), reply, Login::Open),
            of(&format!("{say} and asks for a password"), reply, Login::ClearText),
            of(&format!("{say} and asks for GSS"), reply, Login::Request(7, b"")),
            of(&format!("{say} and hangs up"), reply, Login::Close),
            Behaviour { slow: true, ..of(&format!("{say} and is silent"), reply, Login::Silence) },
        ];
        all.extend(STATES.map(|state| of(&format!("{say} and says {state}"), reply, Login::Fatal(state))));
        all
    };
    let mut all = logins("S", Reply::Handshake);
    all.extend(logins("N", Reply::Plaintext));
    let says = [
        ("accepts", Login::Open),
        ("says 28000", Login::Fatal("28000")),
        ("says 57P03", Login::Fatal("57P03")),
        ("hangs up", Login::Close),
        ("asks for GSS", Login::Request(7, b"")),
    ];
    for (encrypted, login) in says {
        for (plain, plain_login) in says.into_iter().filter(|(plain, _)| *plain != encrypted) {
            let name = format!("S and {encrypted}, but {plain} in plaintext");
            let mut behaviour = of(&name, Reply::Handshake, login);
            behaviour.tls.plain_login = Some(plain_login);
            all.push(behaviour);
        }
    }
    for (say, login) in [("accepts", Login::Open), ("says 57P03", Login::Fatal("57P03"))] {
        let behaviour = of(&format!("S with another root and {say}"), Reply::Handshake, login);
        all.push(Behaviour { stranger: true, ..behaviour });
    }
    all.extend([
        of("hangs up at SSLRequest", Reply::Close, Login::Open),
        of("says E", Reply::Bytes(b"E\0\0\0\x10SERROR\0C0\0\0"), Login::Open),
        of("says X", Reply::Bytes(b"X"), Login::Open),
        of("says S and more", Reply::HandshakeAfter(b"Smore"), Login::Open),
        Behaviour { slow: true, ..of("is silent", Reply::Silence, Login::Silence) },
    ]);
    all
}

/// What runs at a port, or nothing.
struct Host {
    name: String,
    port: u16,
    slow: bool,
}

#[test]
fn of_several_hosts_the_same_is_reached() {
    let home = Home::new();
    let root = Draft::authority("Host Root").self_signed();
    let server = Draft::server(HOST).signed_by(&root);
    let strange = Draft::server(HOST).signed_by(&Draft::authority("Stranger").self_signed());
    let root = home.write("root.crt", root.pem());
    let mut servers = Vec::new();
    let mut hosts = Vec::new();
    for behaviour in behaviours() {
        let certificate = if behaviour.stranger { &strange } else { &server };
        let scripted =
            ScriptedServer::start(std::slice::from_ref(&certificate.der), &certificate.key, &behaviour.tls);
        hosts.push(Host { name: behaviour.name, port: scripted.address.port(), slow: behaviour.slow });
        servers.push(scripted);
    }
    // Bound and not listening.
    let closed = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    closed.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
    let port = closed.local_addr().unwrap().as_socket().unwrap().port();
    hosts.push(Host { name: "is closed".to_owned(), port, slow: false });
    hosts.push(Host { name: "has port 0".to_owned(), port: 0, slow: false });

    let named = |name: &str| hosts.iter().find(|host| host.name == name).expect("such a host");
    let seconds = ["S and accepts", "N and accepts", "N and says 57P03", "S with another root and accepts"];
    let mut situations = Vec::new();
    for mode in MODES {
        for first in &hosts {
            situations.push(situation(mode, &root, &[first]));
            for second in seconds.iter().filter(|second| !first.slow || **second == "S and accepts") {
                if *second != first.name {
                    situations.push(situation(mode, &root, &[first, named(second)]));
                }
            }
        }
    }
    let quick: Vec<&Host> = hosts.iter().filter(|host| !host.slow).collect();
    let mut random = Random::new(0x0004_0575);
    for _ in 0..Random::count(80) {
        let mode = random.pick(&MODES);
        let chosen: Vec<&Host> = (0..3).map(|_| quick[random.below(quick.len())]).collect();
        let new = situation(mode, &root, &chosen);
        if situations.iter().all(|situation| situation.name != new.name) {
            situations.push(new);
        }
    }
    assert!(situations.len() >= 500, "only {}", situations.len());
    assert_agreement(&home, &situations, &[]);
}

fn situation(mode: &str, root: &std::path::Path, hosts: &[&Host]) -> Situation {
    let names: Vec<&str> = hosts.iter().map(|host| host.name.as_str()).collect();
    let ports: Vec<String> = hosts.iter().map(|host| host.port.to_string()).collect();
    let list = |value: &str| vec![value; hosts.len()].join(",");
    let patience = if hosts.iter().any(|host| host.slow) { " connect_timeout=2" } else { "" };
    Situation {
        name: format!("{mode}: {}", names.join(" | ")),
        conninfo: format!(
            "host={} hostaddr={} port={} user=u dbname=d sslmode={mode} sslrootcert={}{patience}",
            list(HOST),
            list("127.0.0.1"),
            ports.join(","),
            root.display()
        ),
        environment: Vec::new(),
        newer: false,
    }
}
