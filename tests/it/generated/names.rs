//! What a name server answers, of every kind, right and wrong: whether a session stands, and with which host of a list,
//! agrees with libpq on the same resolver.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, TcpStream, UdpSocket};
use std::process::Command;
use std::sync::Arc;
use std::thread;

use crate::support::differential::{Situation, assert_agreement};
use crate::support::home::Home;
use crate::support::network::alone;
use crate::support::odd_pki::*;
use crate::support::scripted_server::{ScriptedServer, Tls};

const DOMAIN: &str = "pgtls.test";
const A: u16 = 1;
const CNAME: u16 = 5;
const TXT: u16 = 16;
const AAAA: u16 = 28;

/// A record: its owner, type, class and data.
#[derive(Clone, Debug)]
struct Record(Vec<u8>, u16, u16, Vec<u8>);

/// An answer: what is otherwise than in a good one.
#[derive(Clone, Debug, Default)]
struct Reply {
    code: u8,
    records: Vec<Record>,
    /// Of a query that comes by UDP alone.
    truncated: bool,
    wrong_id: bool,
    /// The bit that makes an answer is missing.
    is_query: bool,
    other_question: bool,
    /// How many more records are announced than there are.
    missing: u16,
    /// Bytes that are left of it.
    cut: Option<usize>,
}

/// The answers to one query, in order; none at all is silence.
type Replies = Vec<Reply>;

/// A name, and what is answered of its addresses of version 4 and 6.
struct Name {
    host: String,
    four: Replies,
    six: Replies,
}

/// A name in the form of a message: labels with their lengths (RFC 1035, 3.1).
fn wire(name: &[u8]) -> Vec<u8> {
    let labels = name.split(|byte| *byte == b'.').filter(|label| !label.is_empty());
    let mut wire: Vec<u8> = labels.flat_map(|label| [&[label.len() as u8], label].concat()).collect();
    wire.push(0);
    wire
}

/// The name that was asked for, by a pointer to the question.
fn asked() -> Vec<u8> {
    vec![0xc0, 12]
}

fn four(address: [u8; 4]) -> Record {
    Record(asked(), A, 1, address.to_vec())
}

fn six(address: Ipv6Addr) -> Record {
    Record(asked(), AAAA, 1, address.octets().to_vec())
}

fn good() -> Replies {
    with(vec![four([127, 0, 0, 1])])
}

fn with(records: Vec<Record>) -> Replies {
    vec![Reply { records, ..Reply::default() }]
}

fn code(code: u8) -> Replies {
    vec![Reply { code, ..Reply::default() }]
}

/// So many aliases of each other, the last of which is at this server, if any is.
fn aliases(count: usize, ends: bool) -> Replies {
    let name = |number: usize| wire(format!("alias{number}.{DOMAIN}").as_bytes());
    let owner = |number: usize| if number == 0 { asked() } else { name(number) };
    let alias = |number: usize| Record(owner(number), CNAME, 1, name(number + 1));
    let end = ends.then(|| Record(owner(count), A, 1, vec![127, 0, 0, 1]));
    with((0..count).map(alias).chain(end).collect())
}

/// An alias with this name, which has an address.
fn alias_named(name: &[u8]) -> Replies {
    let target = wire(name);
    with(vec![Record(asked(), CNAME, 1, target.clone()), Record(target, A, 1, vec![127, 0, 0, 1])])
}

/// A good answer with something in it changed.
fn but(change: impl Fn(&mut Reply)) -> Replies {
    let mut replies = good();
    replies.iter_mut().for_each(change);
    replies
}

/// The kinds of answers to a question for an address of version 4, with nothing of version 6.
fn of_version_four() -> Vec<(&'static str, Replies)> {
    let local = four([127, 0, 0, 1]);
    vec![
        ("good", good()),
        ("no such name", code(3)),
        ("failed", code(2)),
        ("refused", code(5)),
        ("not implemented", code(4)),
        ("format", code(1)),
        ("code 9", code(9)),
        ("empty", with(Vec::new())),
        ("silent", Vec::new()),
        ("no such name with an address", but(|reply| reply.code = 3)),
        ("failed with an address", but(|reply| reply.code = 2)),
        ("truncated", but(|reply| reply.truncated = true)),
        ("truncated and empty", vec![Reply { truncated: true, ..Reply::default() }]),
        ("a dead one first", with(vec![four([127, 0, 0, 9]), local.clone()])),
        ("a dead one last", with(vec![local.clone(), four([127, 0, 0, 9])])),
        ("dead ones", with(vec![four([127, 0, 0, 9]), four([127, 0, 0, 8])])),
        ("one address thrice", with(vec![local.clone(), local.clone(), local.clone()])),
        ("any address", with(vec![four([0, 0, 0, 0])])),
        ("the broadcast address", with(vec![four([255, 255, 255, 255])])),
        ("a multicast address", with(vec![four([224, 0, 0, 1])])),
        ("an address without a route", with(vec![four([198, 51, 100, 7]), local.clone()])),
        (
            "30 addresses",
            with((100..129).map(|last| four([127, 0, 1, last])).chain([local.clone()]).collect()),
        ),
        ("an alias", aliases(1, true)),
        ("eight aliases", aliases(8, true)),
        ("thirty aliases", aliases(30, true)),
        ("an alias of nothing", aliases(1, false)),
        ("an alias of itself", with(vec![Record(asked(), CNAME, 1, asked())])),
        ("an alias of itself at an address", with(vec![Record(asked(), CNAME, 1, asked()), local.clone()])),
        ("an alias with a blank", alias_named(b"a b.pgtls.test")),
        ("an alias with a star", alias_named(b"*.pgtls.test")),
        ("an alias with an underscore", alias_named(b"a_b.pgtls.test")),
        ("an alias with a line end", alias_named(b"a\nb.pgtls.test")),
        ("an alias in other bytes", alias_named(b"\xff\xfe.pgtls.test")),
        ("an alias with a dash first", alias_named(b"-a.pgtls.test")),
        ("an alias with a slash", alias_named(b"0/25.pgtls.test")),
        ("an alias with a quote", alias_named(b"a\"b'c.pgtls.test")),
        ("an alias of the root", alias_named(b"")),
        ("another one's address", with(vec![Record(wire(b"other.pgtls.test"), A, 1, vec![127, 0, 0, 1])])),
        ("its name in capitals", with(vec![Record(wire(b"KIND37.PGTLS.TEST"), A, 1, vec![127, 0, 0, 1])])),
        ("a short address", with(vec![Record(asked(), A, 1, vec![127, 0, 1])])),
        ("a long address", with(vec![Record(asked(), A, 1, vec![127, 0, 0, 1, 0])])),
        ("another class", with(vec![Record(asked(), A, 3, vec![127, 0, 0, 1])])),
        ("a text before", with(vec![Record(asked(), TXT, 1, b"\x01x".to_vec()), local.clone()])),
        ("a text alone", with(vec![Record(asked(), TXT, 1, b"\x01x".to_vec())])),
        ("the other version", with(vec![six(Ipv6Addr::LOCALHOST)])),
        ("the wrong id", but(|reply| reply.wrong_id = true)),
        ("no answer", but(|reply| reply.is_query = true)),
        ("another question", but(|reply| reply.other_question = true)),
        ("more announced", but(|reply| reply.missing = 1)),
        ("many more announced", but(|reply| reply.missing = 65_000)),
        ("nothing left", but(|reply| reply.cut = Some(0))),
        ("half a header", but(|reply| reply.cut = Some(5))),
        ("a header alone", but(|reply| reply.cut = Some(12))),
        ("half a question", but(|reply| reply.cut = Some(18))),
        ("a record cut off", but(|reply| reply.cut = Some(45))),
        (
            "the wrong id before",
            [vec![Reply { code: 3, wrong_id: true, ..Reply::default() }], good()].concat(),
        ),
        ("two answers", [code(3), good()].concat()),
    ]
}

/// What differs between the versions.
fn of_both() -> Vec<(&'static str, Replies, Replies)> {
    let sixth = || with(vec![six(Ipv6Addr::LOCALHOST)]);
    let dead = || with(vec![six(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 7))]);
    vec![
        ("both", good(), sixth()),
        ("version 6 alone", with(Vec::new()), sixth()),
        ("version 6 without a route, and 4", good(), dead()),
        ("version 6 without a route", with(Vec::new()), dead()),
        ("version 6, 4 does not exist", code(3), sixth()),
        ("version 6, 4 failed", code(2), sixth()),
        ("version 6, 4 silent", Vec::new(), sixth()),
        ("version 4, 6 does not exist", good(), code(3)),
        ("version 4, 6 failed", good(), code(2)),
        ("version 4, 6 refused", good(), code(5)),
        ("version 4, 6 not implemented", good(), code(4)),
        ("version 4, 6 silent", good(), Vec::new()),
        ("version 4, 6 truncated", good(), vec![Reply { truncated: true, ..Reply::default() }]),
        ("version 4, 6 an alias", good(), aliases(1, false)),
        ("version 4 as 6", with(Vec::new()), with(vec![six(Ipv4Addr::LOCALHOST.to_ipv6_mapped())])),
        ("any address of 6", with(Vec::new()), with(vec![six(Ipv6Addr::UNSPECIFIED)])),
        ("version 4 in the answer for 6", with(Vec::new()), good()),
        ("neither fails nor is", code(2), with(Vec::new())),
        ("neither exists nor fails", code(3), code(2)),
    ]
}

/// Names as people and machines write them; the server knows all of them. A `;` is left out: with one in the host a string is that
/// of another driver.
fn spellings() -> Vec<String> {
    let long = |count: usize| "x".repeat(count);
    let mut all: Vec<String> = [
        "under_score",
        "UPPER",
        "-dash",
        "dash-",
        "two..dots",
        ".dot",
        "a b",
        "tab\tb",
        "b\u{fc}cher",
        "xn--bcher-kva",
        "star*",
        "quote\"",
        "at@x",
        "percent%41",
        "slash/x",
        "colon:x",
        "back\\\\slash",
        "\u{202e}x",
        "0",
        "1.2",
    ]
    .map(|label| format!("{label}.{DOMAIN}"))
    .into();
    all.extend([
        format!("{}.{DOMAIN}", long(63)),
        format!("{}.{DOMAIN}", long(64)),
        format!("end.{DOMAIN}."),
    ]);
    all.push(format!("{}{DOMAIN}", format!("{}.", long(48)).repeat(5)));
    all.extend(
        [
            "127.1",
            "0x7f.1",
            "2130706433",
            "017700000001",
            "127.0.0.1.",
            "1.2.3",
            "256.0.0.1",
            "::1%lo",
            "localhost.",
        ]
        .map(String::from),
    );
    all
}

/// The answer's bytes.
fn message(query: &[u8], reply: &Reply, is_tcp: bool) -> Vec<u8> {
    let end = 12 + query[12..].iter().position(|byte| *byte == 0).expect("a question") + 5;
    let truncated = reply.truncated && !is_tcp;
    let flags = [if reply.is_query { 1 } else { 0x81 } | if truncated { 2 } else { 0 }, 0x80 | reply.code];
    let records: &[Record] = if truncated { &[] } else { &reply.records };
    let count = (records.len() as u16 + reply.missing).to_be_bytes();
    let id = query[1] ^ u8::from(reply.wrong_id);
    let mut out = [&[query[0], id][..], &flags, &[0, 1], &count, &[0; 4], &query[12..end]].concat();
    if reply.other_question {
        out[13] ^= 1;
    }
    for Record(owner, kind, class, data) in records {
        let length = (data.len() as u16).to_be_bytes();
        out.extend(
            [owner, &kind.to_be_bytes()[..], &class.to_be_bytes(), &[0, 0, 0, 60], &length, data].concat(),
        );
    }
    out.truncate(reply.cut.unwrap_or(usize::MAX));
    out
}

/// What is answered to a query.
fn replies<'a>(zone: &'a HashMap<Vec<u8>, (Replies, Replies)>, query: &[u8]) -> &'a [Reply] {
    let Some(end) = query.get(12..).and_then(|rest| rest.iter().position(|byte| *byte == 0)) else {
        return &[];
    };
    let found = zone.get(&query[12..=12 + end].to_ascii_lowercase());
    match (found, query.get(14 + end)) {
        (Some((four, _)), Some(1)) => four,
        (Some((_, six)), Some(28)) => six,
        _ => &[],
    }
}

/// Answers by UDP and TCP in the place of the machine's resolver.
fn serve(home: &Home, names: &[Name]) {
    let settings = home.write("resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n");
    let mounted = Command::new("mount").arg("--bind").arg(settings).arg("/etc/resolv.conf").status();
    assert!(mounted.expect("mount runs").success());
    let zone: HashMap<Vec<u8>, (Replies, Replies)> = names
        .iter()
        .map(|name| (wire(name.host.as_bytes()).to_ascii_lowercase(), (name.four.clone(), name.six.clone())))
        .collect();
    let zone = Arc::new(zone);
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 53)).expect("port 53");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 53)).expect("port 53");
    let by_udp = Arc::clone(&zone);
    thread::spawn(move || {
        let mut query = [0; 1500];
        while let Ok((length, client)) = socket.recv_from(&mut query) {
            for reply in replies(&by_udp, &query[..length]) {
                let _ = socket.send_to(&message(&query[..length], reply, false), client);
            }
        }
    });
    thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let _ = by_tcp(&zone, &mut client);
        }
    });
}

fn by_tcp(zone: &HashMap<Vec<u8>, (Replies, Replies)>, client: &mut TcpStream) -> std::io::Result<()> {
    client.set_read_timeout(Some(std::time::Duration::from_secs(1)))?;
    let mut length = [0; 2];
    while client.read_exact(&mut length).is_ok() {
        let mut query = vec![0; u16::from_be_bytes(length).into()];
        client.read_exact(&mut query)?;
        for reply in replies(zone, &query) {
            let answer = message(&query, reply, true);
            client.write_all(&[&(answer.len() as u16).to_be_bytes()[..], &answer].concat())?;
        }
    }
    Ok(())
}

fn names() -> Vec<(String, Name)> {
    let empty = || with(Vec::new());
    let four = of_version_four().into_iter().map(|(kind, four)| (kind, four, empty()));
    let mut all: Vec<(String, Name)> = four
        .chain(of_both())
        .enumerate()
        .map(|(number, (kind, four, six))| {
            (kind.to_owned(), Name { host: format!("kind{number}.{DOMAIN}"), four, six })
        })
        .collect();
    all.extend(
        spellings().into_iter().map(|host| (format!("{host:?}"), Name { host, four: good(), six: empty() })),
    );
    all
}

#[test]
fn whatever_a_name_server_answers_is_taken_as_libpq_takes_it() {
    alone("generated::names::whatever_a_name_server_answers_is_taken_as_libpq_takes_it", || {
        let home = Home::new();
        let root = Draft::authority("Name Root").self_signed();
        let server = Draft::server(DOMAIN).signed_by(&root);
        let root = home.write("root.crt", root.pem());
        let start = || ScriptedServer::start(std::slice::from_ref(&server.der), &server.key, &Tls::default());
        let (first, second) = (start(), start());
        let ports = [&first, &second].map(|server| server.address.port());
        let names = names();
        let mut situations = Vec::new();
        for (kind, name) in &names {
            let host = name.host.replace('\\', "\\\\").replace('\'', "\\'");
            let settings =
                format!("sslmode=verify-ca sslrootcert={} user=u dbname=d connect_timeout=5", root.display());
            let mut add = |kind: String, hosts: String| {
                situations.push(Situation {
                    name: kind,
                    conninfo: format!("{hosts} {settings}"),
                    environment: Vec::new(),
                    newer: false,
                });
            };
            add(kind.clone(), format!("host='{host}' port={}", ports[0]));
            let [one, other] = ports;
            add(
                format!("{kind}, and another host"),
                format!("host='{host},kind0.{DOMAIN}' port={one},{other}"),
            );
        }
        let names: Vec<Name> = names.into_iter().map(|(_, name)| name).collect();
        serve(&home, &names);
        assert!(situations.len() >= 150, "only {}", situations.len());
        assert_agreement(&home, &situations, &[]);
    });
}
