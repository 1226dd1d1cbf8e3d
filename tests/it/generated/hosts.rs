//! Lists of hosts, each of which does one of a few things, under every sslmode: where libpq goes on from one to the next,
//! where it tries the same one again without TLS or with it, and where it stops.

use crate::support::differential::{Situation, assert_agreement};
use crate::support::home::Home;
use crate::support::odd_pki::*;
use crate::support::random::Random;
use crate::support::scripted_server::{Login, Reply, ScriptedServer, Step, Tls, message};
use socket2::{Domain, Socket, Type};
use std::net::{Ipv4Addr, SocketAddr};

const HOST: &str = "pgtls.test";
const MODES: [&str; 5] = ["allow", "prefer", "require", "verify-ca", "verify-full"];

/// SQLSTATEs of errors that answer a start-up message: no entry in pg_hba.conf, no such database, too many connections,
/// cannot connect now, shutting down.
const STATES: [&str; 5] = ["28000", "3D000", "53300", "57P03", "57P01"];

const ATTRIBUTES: [&str; 6] = ["any", "read-write", "read-only", "primary", "standby", "prefer-standby"];

/// What a server reports of itself: its version, and where it says so whether it is in hot standby and read-only by default.
fn reports(version: &str, standby: Option<&str>, read_only: Option<&str>) -> Login {
    let parameter = |name: &str, value: &str| message(b'S', format!("{name}\0{value}\0").as_bytes());
    let mut script = vec![message(b'R', &[0; 4]), parameter("server_version", version)];
    script.extend(standby.map(|standby| parameter("in_hot_standby", standby)));
    script.extend(read_only.map(|read_only| parameter("default_transaction_read_only", read_only)));
    script.extend([message(b'K', &[0, 0, 0, 1, 7, 7, 7, 7]), message(b'Z', b"I")]);
    let script = script.into_iter().map(Step::Send).chain([Step::Serve]).collect();
    Login::Scripts(Box::leak(Box::new([script])))
}

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
    for (name, version, standby, read_only) in [
        ("is a primary", "17.2", Some("off"), Some("off")),
        ("is a standby", "17.2", Some("on"), Some("off")),
        ("is read-only", "17.2", Some("off"), Some("on")),
        ("is a read-only standby", "17.2", Some("on"), Some("on")),
        ("is a primary by other words", "17.2", Some("perhaps"), Some("ON")),
    ] {
        all.push(of(name, Reply::Handshake, reports(version, standby, read_only)));
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
            situations.push(situation(mode, &root, &[first], ""));
            for second in seconds.iter().filter(|second| !first.slow || **second == "S and accepts") {
                if *second != first.name {
                    situations.push(situation(mode, &root, &[first, named(second)], ""));
                }
            }
        }
    }
    // Of those that report what they are: others libpq asks, and this server gives one answer to every question.
    let reporting = |host: &&Host| host.name.starts_with("is a ") || host.name == "is read-only";
    for (attributes, first) in
        ATTRIBUTES.iter().flat_map(|asked| hosts.iter().map(move |host| (*asked, host)))
    {
        if reporting(&first) {
            situations.push(situation("verify-full", &root, &[first], attributes));
            situations.push(situation(
                "require",
                &root,
                &[first, named("is a standby"), named("is a primary")],
                attributes,
            ));
        }
    }
    let quick: Vec<&Host> = hosts.iter().filter(|host| !host.slow).collect();
    let telling: Vec<&Host> =
        quick.iter().copied().filter(|host| reporting(host) || !host.name.contains("accepts")).collect();
    let mut random = Random::new(0x0004_0575);
    for _ in 0..Random::count(160) {
        let asked = random.chance(50);
        let attributes = if asked { random.pick(&ATTRIBUTES) } else { "" };
        // In plaintext the program looks at no session.
        let mode = if asked { random.pick(&MODES[2..]) } else { random.pick(&MODES) };
        let among = if asked { &telling } else { &quick };
        let chosen: Vec<&Host> = (0..1 + random.below(3)).map(|_| among[random.below(among.len())]).collect();
        let new = situation(mode, &root, &chosen, attributes);
        if situations.iter().all(|situation| situation.name != new.name) {
            situations.push(new);
        }
    }
    assert!(situations.len() >= 500, "only {}", situations.len());
    assert_agreement(&home, &situations, &[]);
}

fn situation(mode: &str, root: &std::path::Path, hosts: &[&Host], attributes: &str) -> Situation {
    let names: Vec<&str> = hosts.iter().map(|host| host.name.as_str()).collect();
    let ports: Vec<String> = hosts.iter().map(|host| host.port.to_string()).collect();
    let list = |value: &str| vec![value; hosts.len()].join(",");
    let patience = if hosts.iter().any(|host| host.slow) { " connect_timeout=2" } else { "" };
    let asked = match attributes {
        "" => String::new(),
        attributes => format!(" target_session_attrs={attributes}"),
    };
    Situation {
        name: format!("{mode} {attributes}: {}", names.join(" | ")),
        conninfo: format!(
            "host={} hostaddr={} port={} user=u dbname=0 sslmode={mode} sslrootcert={}{patience}{asked}",
            list(HOST),
            list("127.0.0.1"),
            ports.join(","),
            root.display()
        ),
        environment: Vec::new(),
        newer: false,
    }
}
