//! Lists of hosts, each of which does one of a few things, under every sslmode: where libpq goes on from one to the next,
//! where it tries the same one again without TLS or with it, and where it stops.

use crate::support::differential::{BUILDS, Known, Situation, assert_agreement};
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

/// A parameter that a server reports.
fn parameter(name: &str, value: &str) -> Vec<u8> {
    message(b'S', format!("{name}\0{value}\0").as_bytes())
}

/// A session with these parameters, and what comes then.
fn session(parameters: &[(&str, &str)], then: impl IntoIterator<Item = Step>) -> Login {
    let parameters = parameters.iter().map(|(name, value)| parameter(name, value));
    let said = [message(b'R', &[0; 4])].into_iter().chain(parameters);
    let said = said.chain([message(b'K', &[0, 0, 0, 1, 7, 7, 7, 7]), message(b'Z', b"I")]);
    script(said.map(Step::Send).chain(then).collect())
}

fn script(steps: Vec<Step>) -> Login {
    Login::Scripts(Box::leak(Box::new([steps])))
}

/// What a server reports of itself: its version, and where it says so whether it is in hot standby and read-only by default.
fn reports(version: &str, standby: Option<&str>, read_only: Option<&str>) -> Login {
    let mut parameters = vec![("server_version", version)];
    parameters.extend(standby.map(|standby| ("in_hot_standby", standby)));
    parameters.extend(read_only.map(|read_only| ("default_transaction_read_only", read_only)));
    session(&parameters, [Step::Serve])
}

/// The rows that answer a question, each with one cell or none.
fn rows(cells: &[Option<&str>]) -> Vec<u8> {
    let column = [b"x\0".as_slice(), &[0; 6], &25u32.to_be_bytes(), &[0xff; 6], &[0, 0]].concat();
    let mut out = message(b'T', &[&[0, 1], column.as_slice()].concat());
    for cell in cells {
        let length = cell.map_or(u32::MAX, |cell| cell.len() as u32).to_be_bytes();
        let cell = [&[0, 1], length.as_slice(), cell.unwrap_or_default().as_bytes()].concat();
        out.extend(message(b'D', &cell));
    }
    out.extend(message(b'C', b"SELECT\0"));
    out.extend(message(b'Z', b"I"));
    out
}

fn error(state: &str) -> Vec<u8> {
    message(b'E', format!("SFATAL\0VFATAL\0C{state}\0Mthe script says so\0\0").as_bytes())
}

/// Servers that report what they are, or have to be asked, or end the session where it has begun.
fn telling() -> Vec<(String, Login)> {
    let mut all: Vec<(String, Login)> = [
        ("is a primary", "17.2", Some("off"), Some("off")),
        ("is a standby", "17.2", Some("on"), Some("off")),
        ("is read-only", "17.2", Some("off"), Some("on")),
        ("is a read-only standby", "17.2", Some("on"), Some("on")),
        ("is a primary by other words", "17.2", Some("perhaps"), Some("ON")),
    ]
    .into_iter()
    .map(|(name, version, standby, read_only)| (name.to_owned(), reports(version, standby, read_only)))
    .collect();
    let answers: [(&str, Vec<u8>); 10] = [
        ("on", rows(&[Some("on")])),
        ("off", rows(&[Some("off")])),
        ("t", rows(&[Some("t")])),
        ("f", rows(&[Some("f")])),
        ("true", rows(&[Some("true")])),
        ("no value", rows(&[None])),
        ("no row", rows(&[])),
        ("two rows", rows(&[Some("on"), Some("on")])),
        ("an error", [error("42883"), message(b'Z', b"I")].concat()),
        ("nothing but that it is ready", [message(b'I', b""), message(b'Z', b"I")].concat()),
    ];
    let known: [(&str, &[(&str, &str)]); 6] = [
        ("17.2", &[("server_version", "17.2")]),
        ("13.9 and read-only", &[("server_version", "13.9"), ("default_transaction_read_only", "on")]),
        ("17.2 and standby", &[("server_version", "17.2"), ("in_hot_standby", "on")]),
        ("8.4.22", &[("server_version", "8.4.22")]),
        ("9.0", &[("server_version", "9.0")]),
        ("nothing", &[]),
    ];
    for (version, parameters) in known {
        for (name, answer) in &answers {
            let steps = [Step::Read, Step::Send(answer.clone()), Step::Serve];
            all.push((format!("reports {version} and answers {name}"), session(parameters, steps)));
        }
    }
    let asked = [("server_version", "17.2")];
    all.push(("hangs up at the question".to_owned(), session(&asked, [Step::Read])));
    // A session that ends with an error at the question is a race of libpq's: it looks for more before it reads the error.
    let twice = [("server_version", "17.2"), ("in_hot_standby", "on"), ("in_hot_standby", "off")];
    all.push((
        "changes its mind".to_owned(),
        session(&[&twice[..], &[("default_transaction_read_only", "off")]].concat(), [Step::Serve]),
    ));
    let also = [("with a question open", error("57P01")), ("as an error", error("42883"))];
    for (name, answer) in also {
        let steps = [Step::Read, Step::Send(answer), Step::Serve];
        all.push((format!("answers {name} and stays"), session(&asked, steps)));
    }
    for state in ["57P03", "3D000", "42704"] {
        let said = [message(b'R', &[0; 4]), parameter("server_version", "17.2"), error(state)];
        let name = format!("lets in and says {state}");
        all.push((name, script(said.into_iter().map(Step::Send).collect())));
    }
    all
}

/// What a host does.
struct Behaviour {
    name: String,
    tls: Tls,
    /// Whether its certificate is one that is not trusted.
    stranger: bool,
    /// Whether it takes as long as the client lets it.
    slow: bool,
    /// Whether it tells what kind of server it is.
    tells: bool,
}

fn behaviours() -> Vec<Behaviour> {
    let of = |name: &str, reply, login| Behaviour {
        name: name.to_owned(),
        tls: Tls { reply, login, ..Tls::default() },
        stranger: false,
        slow: false,
        tells: false,
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
    let late = ["28000", "57P03"].map(|state| {
        let said = [message(b'R', &[0; 4]), error(state)];
        script(said.into_iter().map(Step::Send).collect())
    });
    let says =
        says.into_iter().chain(["lets in and says 28000", "lets in and says 57P03"].into_iter().zip(late));
    let says: Vec<(&str, Login)> = says.collect();
    for (encrypted, login) in &says {
        for (plain, plain_login) in says.iter().filter(|(plain, _)| plain != encrypted) {
            let name = format!("S and {encrypted}, but {plain} in plaintext");
            let mut behaviour = of(&name, Reply::Handshake, *login);
            behaviour.tls.plain_login = Some(*plain_login);
            all.push(behaviour);
        }
    }
    for (say, login) in [("accepts", Login::Open), ("says 57P03", Login::Fatal("57P03"))] {
        let behaviour = of(&format!("S with another root and {say}"), Reply::Handshake, login);
        all.push(Behaviour { stranger: true, ..behaviour });
    }
    for (kind, standby) in [("primary", "off"), ("standby", "on")] {
        let known = [
            ("server_version", "17.2"),
            ("in_hot_standby", standby),
            ("default_transaction_read_only", "off"),
        ];
        let Login::Scripts([after]) = session(&known, [Step::Serve]) else { unreachable!("it is a script") };
        let asks = [Step::Send(message(b'R', &[0, 0, 0, 3])), Step::Read];
        let login = script(asks.into_iter().chain(after.iter().cloned()).collect());
        all.push(of(&format!("N, asks for a password and is a {kind}"), Reply::Plaintext, login));
    }
    for (name, login) in telling() {
        let plain = format!("N and {name}");
        all.push(Behaviour { tells: true, ..of(&name, Reply::Handshake, login) });
        all.push(Behaviour { tells: true, ..of(&plain, Reply::Plaintext, login) });
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
    tells: bool,
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
        hosts.push(Host {
            name: behaviour.name,
            port: scripted.address.port(),
            slow: behaviour.slow,
            tells: behaviour.tells,
        });
        servers.push(scripted);
    }
    // Bound and not listening.
    let closed = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    closed.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
    let port = closed.local_addr().unwrap().as_socket().unwrap().port();
    hosts.push(Host { name: "is closed".to_owned(), port, slow: false, tells: false });
    hosts.push(Host { name: "has port 0".to_owned(), port: 0, slow: false, tells: false });

    let named = |name: &str| hosts.iter().find(|host| host.name == name).expect("such a host");
    let seconds = ["S and accepts", "N and accepts", "N and says 57P03", "S with another root and accepts"];
    let mut situations = Vec::new();
    for mode in MODES {
        for first in hosts.iter().filter(|host| !host.tells) {
            situations.push(situation(mode, &root, &[first], ""));
            for second in seconds.iter().filter(|second| !first.slow || **second == "S and accepts") {
                if *second != first.name {
                    situations.push(situation(mode, &root, &[first, named(second)], ""));
                }
            }
        }
    }
    let telling: Vec<&Host> = hosts.iter().filter(|host| host.tells).collect();
    let (standby, primary) = (named("is a standby"), named("is a primary"));
    let mut random = Random::new(0x0004_0575);
    for asked in ATTRIBUTES {
        for first in &telling {
            let mode = random.pick(&MODES);
            let all = if random.chance(50) { vec![*first, standby, primary] } else { vec![*first] };
            situations.push(situation(mode, &root, &all, asked));
        }
    }
    let quick: Vec<&Host> = hosts.iter().filter(|host| !host.slow).collect();
    // Of a host that does not report what it is, and gives every question the same answer.
    let told: Vec<&Host> =
        quick.iter().copied().filter(|host| host.tells || !host.name.contains("accepts")).collect();
    for _ in 0..Random::count(200) {
        let asked = random.chance(50);
        let attributes = if asked { random.pick(&ATTRIBUTES) } else { "" };
        let mode = random.pick(&MODES);
        let among = if asked { &told } else { &quick };
        let chosen: Vec<&Host> = (0..1 + random.below(3)).map(|_| among[random.below(among.len())]).collect();
        let new = situation(mode, &root, &chosen, attributes);
        if situations.iter().all(|situation| situation.name != new.name) {
            situations.push(new);
        }
    }
    // Whatever the order: one that takes the session, among those that libpq leaves for the next.
    let left = ["is closed", "S and says 57P03", "N and says 57P03", "is a standby", "N and is a standby"]
        .map(named);
    for _ in 0..Random::count(30) {
        let mode = random.pick(&["allow", "prefer", "require", "verify-full"]);
        let mut chosen = vec![primary];
        for _ in 0..1 + random.below(4) {
            let other = left[random.below(left.len())];
            // Without TLS where TLS is demanded is the end.
            if matches!(mode, "allow" | "prefer") || !other.name.starts_with("N ") {
                chosen.insert(random.below(chosen.len() + 1), other);
            }
        }
        let asked = random.pick(&["read-write", "primary"]);
        let mut new = situation(mode, &root, &chosen, asked);
        let patience = random.pick(&["", " connect_timeout=0", " connect_timeout=1", " connect_timeout=-1"]);
        new.name = format!("in any order{patience}: {}", new.name);
        new.conninfo.push_str(" load_balance_hosts=random");
        new.conninfo.push_str(patience);
        new.newer = true;
        if situations.iter().all(|situation| situation.name != new.name) {
            situations.push(new);
        }
    }
    assert!(situations.len() >= 500, "only {}", situations.len());
    // Where libpq gives the password away in plaintext and finds that it wants another kind of server, it goes on.
    for (kind, attributes) in
        [("standby", "primary"), ("standby", "read-write"), ("primary", "standby"), ("primary", "read-only")]
    {
        let first = named(&format!("N, asks for a password and is a {kind}"));
        for mode in ["allow", "prefer"] {
            for second in ["is a primary", "is a standby"].map(named) {
                let mut new = situation(mode, &root, &[first, second], attributes);
                new.name = format!("{GIVEN} {}", new.name);
                new.conninfo.push_str(" password=secret");
                situations.push(new);
            }
        }
    }
    let known = BUILDS.map(|build| Known {
        build,
        reason: "no password leaves in plaintext, so that what the server is then stays unknown",
        of: |name| name.starts_with(GIVEN),
    });
    assert_agreement(&home, &situations, &known);
}

/// How the names of situations with a password begin.
const GIVEN: &str = "with a password,";

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
