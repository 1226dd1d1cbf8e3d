//! What a server says behind TLS, in every order: each message of the protocol at each place of a start-up, requests for
//! authentication one after another, other lengths and contents, and whole sequences by chance. libpq reads what comes in
//! two ways, before AuthenticationOk (fe-connect.c, CONNECTION_AWAITING_RESPONSE) and behind it (fe-protocol3.c,
//! pqParseInput3).

use crate::support::differential::{BUILDS, Known, Situation, assert_agreement};
use crate::support::home::Home;
use crate::support::odd_pki::*;
use crate::support::random::Random;
use crate::support::scripted_server::{Login, Reply, ScriptedServer, Step, Tls, message};
use std::path::PathBuf;

const HOST: &str = "pgtls.test";

/// A message and its name.
type Named = (&'static str, Vec<u8>);

/// A session: its name, what is asked for beyond the usual, and what the server does.
struct Session {
    name: String,
    settings: &'static str,
    newer: bool,
    script: Vec<Step>,
}

fn ok() -> Vec<u8> {
    request(0, b"")
}

fn request(code: u32, data: &[u8]) -> Vec<u8> {
    message(b'R', &[&code.to_be_bytes(), data].concat())
}

fn parameter() -> Vec<u8> {
    message(b'S', b"server_version\0".iter().chain(b"17.2\0").copied().collect::<Vec<u8>>().as_slice())
}

/// BackendKeyData with a key of so many bytes.
fn key(length: usize) -> Vec<u8> {
    message(b'K', &[&[0, 0, 0x30, 0x39][..], &vec![7; length]].concat())
}

fn ready() -> Vec<u8> {
    message(b'Z', b"I")
}

fn negotiate(version: u32, options: &[&[u8]]) -> Vec<u8> {
    let count = options.len() as u32;
    message(b'v', &[&version.to_be_bytes()[..], &count.to_be_bytes(), &options.concat()].concat())
}

const FIELDS: &[u8] = b"SNOTICE\0VNOTICE\0C00000\0Mhello\0\0";

/// Messages that may come anywhere, and some that may come nowhere.
fn messages() -> Vec<Named> {
    let row =
        [&[0, 1][..], b"a\0", &[0; 6], &23u32.to_be_bytes(), &[0, 4, 0xff, 0xff, 0xff, 0xff, 0, 0]].concat();
    vec![
        ("AuthenticationOk", ok()),
        ("a notice", message(b'N', FIELDS)),
        ("a notice without end", message(b'N', b"SNOTICE\0")),
        ("an empty notice", message(b'N', b"\0")),
        ("a notice without anything", message(b'N', b"")),
        ("a long notice", message(b'N', &[b"M", &[b'x'; 40_000][..], b"\0\0"].concat())),
        ("an error", message(b'E', b"SERROR\0VERROR\0C42000\0Mno\0\0")),
        ("a fatal error", message(b'E', b"SFATAL\0VFATAL\0C53300\0Mno\0\0")),
        ("an error about the application's name", message(b'E', b"SERROR\0VERROR\0C42704\0Mno\0\0")),
        ("an error of the old protocol", b"EFATAL:  no such thing as this here\0".to_vec()),
        ("a parameter", parameter()),
        ("a parameter without value", message(b'S', b"server_version\0")),
        ("a parameter with more behind it", message(b'S', b"a\0b\0c\0")),
        ("a parameter without end", message(b'S', b"a\0b")),
        ("an empty parameter", message(b'S', b"")),
        ("a parameter in other bytes", message(b'S', b"a\xff\0\xfe\0")),
        ("a long parameter", message(b'S', &[b"a\0", &[b'x'; 40_000][..], b"\0"].concat())),
        ("another encoding", message(b'S', b"client_encoding\0NOSUCH\0")),
        ("a key", key(4)),
        ("an empty key", key(0)),
        ("a key of 3 bytes", key(3)),
        ("a key of 5 bytes", key(5)),
        ("a key of 32 bytes", key(32)),
        ("a key of 256 bytes", key(256)),
        ("a key of 257 bytes", key(257)),
        ("a key without process", message(b'K', b"\0\0")),
        ("a notification", message(b'A', b"\0\0\0\x01channel\0payload\0")),
        ("a notification without payload", message(b'A', b"\0\0\0\x01channel\0")),
        ("a notification with more behind it", message(b'A', b"\0\0\0\x01channel\0payload\0x")),
        ("the protocol 3.0 with nothing to refuse", negotiate(0x0003_0000, &[])),
        ("the protocol 3.2", negotiate(0x0003_0002, &[])),
        ("the protocol 3.1", negotiate(0x0003_0001, &[])),
        ("the protocol 2.0", negotiate(0x0002_0000, &[])),
        ("the protocol 3.0 with an option", negotiate(0x0003_0000, &[b"_pq_.x\0"])),
        ("the protocol 3.0 with another option", negotiate(0x0003_0000, &[b"x\0"])),
        ("the protocol cut off", message(b'v', b"\0\x03")),
        ("the protocol and more", message(b'v', &[0, 3, 0, 0, 0, 0, 0, 0, b'N', 0, 0, 0, 4])),
        ("ready in a transaction", message(b'Z', b"T")),
        ("ready in a failed transaction", message(b'Z', b"E")),
        ("ready in another state", message(b'Z', b"x")),
        ("ready without state", message(b'Z', b"")),
        ("ready with more", message(b'Z', b"II")),
        ("a row description", message(b'T', &row)),
        ("a row description without columns", message(b'T', &[0, 0])),
        ("a broken row description", message(b'T', &[0, 3, b'a'])),
        ("a row", message(b'D', &[0, 1, 0, 0, 0, 1, b'x'])),
        ("a completed command", message(b'C', b"SELECT 1\0")),
        ("an empty query", message(b'I', b"")),
        ("a completed parse", message(b'1', b"")),
        ("a completed parse with more", message(b'1', b"x")),
        ("a completed bind", message(b'2', b"")),
        ("a completed close", message(b'3', b"")),
        ("no data", message(b'n', b"")),
        ("a suspended portal", message(b's', b"")),
        ("a description of parameters", message(b't', &[0, 0])),
        ("a result of a function", message(b'V', &[0xff; 4])),
        ("copied data", message(b'd', b"x")),
        ("the end of copied data", message(b'c', b"")),
        ("copying in", message(b'G', &[0, 0, 0])),
        ("copying out", message(b'H', &[0, 0, 0])),
        ("copying both", message(b'W', &[0, 0, 0])),
        ("an unknown message", message(b'x', b"")),
        ("a message of type 0", message(0, b"")),
        ("a length of 3", vec![b'N', 0, 0, 0, 3]),
        ("a length of 0", vec![b'S', 0, 0, 0, 0]),
        ("a negative length", vec![b'S', 0xff, 0xff, 0xff, 0xff]),
        ("a web page", b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
        ("AuthenticationOk with more", request(0, b"more")),
        ("AuthenticationOk with a notice in it", request(0, &message(b'N', FIELDS))),
        ("a request without code", message(b'R', b"")),
        ("a request with half a code", message(b'R', b"\0\0")),
        ("a request too long", request(0, &[0; 1993])),
        ("a request almost too long", request(3, &[0; 1992])),
    ]
}

/// What asks for authentication, and whether the client answers it.
fn requests() -> Vec<(&'static str, Vec<u8>, bool)> {
    vec![
        ("Kerberos 4", request(1, b""), false),
        ("Kerberos 5", request(2, b""), false),
        ("a password", request(3, b""), true),
        ("a password with more", request(3, b"more"), true),
        ("crypt", request(4, b"ab"), false),
        ("MD5", request(5, b"salt"), true),
        ("MD5 without salt", request(5, b""), true),
        ("MD5 with half a salt", request(5, b"sa"), true),
        ("MD5 with more salt", request(5, b"saltsalt"), true),
        ("SCM", request(6, b""), false),
        ("GSS", request(7, b""), false),
        ("GSS continued", request(8, b"x"), false),
        ("SSPI", request(9, b""), false),
        ("SCRAM", request(10, b"SCRAM-SHA-256\0\0"), true),
        ("SCRAM-PLUS", request(10, b"SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0"), true),
        ("SCRAM-PLUS alone", request(10, b"SCRAM-SHA-256-PLUS\0\0"), true),
        ("SCRAM behind others", request(10, b"FOO\0SCRAM-SHA-256\0BAR\0\0"), true),
        ("SCRAM without end", request(10, b"SCRAM-SHA-256\0"), true),
        ("SCRAM with more", request(10, b"SCRAM-SHA-256\0\0more"), true),
        ("an unknown mechanism", request(10, b"FOO\0\0"), false),
        ("no mechanism", request(10, b"\0"), false),
        ("no list of mechanisms", request(10, b""), true),
        ("OAuth", request(10, b"OAUTHBEARER\0\0"), false),
        ("SCRAM continued", request(11, b"r=x,s=eA==,i=1"), false),
        ("SCRAM ended", request(12, b"v=x"), false),
        ("13", request(13, b""), false),
        ("an unknown code", request(99, b""), false),
        ("a negative code", request(u32::MAX, b""), false),
    ]
}

/// The start-up that everything is put into.
fn start_up() -> Vec<Named> {
    vec![("ok", ok()), ("parameter", parameter()), ("key", key(4)), ("ready", ready())]
}

fn sends(messages: impl IntoIterator<Item = Vec<u8>>) -> Vec<Step> {
    messages.into_iter().map(Step::Send).chain([Step::Serve]).collect()
}

/// What comes behind ReadyForQuery: libpq reads what is in the buffer with it, a record of TLS at most, and nothing more.
fn behind() -> Vec<Session> {
    let usual = || [ok(), parameter(), key(4), ready()].concat();
    let mut all = Vec::new();
    for (name, extra) in messages() {
        let together = [usual(), extra.clone()].concat();
        let (begin, end) = together.split_at(together.len() - extra.len().div_ceil(2));
        let ways = [
            ("record", vec![together.clone()]),
            ("next record", vec![usual(), extra.clone()]),
            ("record and before another", vec![together.clone(), key(3)]),
            ("two records", vec![begin.to_vec(), end.to_vec()]),
        ];
        for (way, records) in ways {
            all.push(Session::new(format!("{name} in the {way} of ready"), sends(records)));
        }
        let script = sends([together]);
        all.push(Session::asking(
            format!("{name} in the record of ready, asked"),
            "target_session_attrs=standby",
            script,
        ));
    }
    all
}

/// Messages of every length about which libpq has a rule: 30,000 bytes for types that are never long, its buffer of 16 KiB and
/// what is twice as much and more, for which it reads on (fe-misc.c, pqReadData).
fn long() -> Vec<Session> {
    const LENGTHS: [usize; 9] = [16_384, 29_999, 30_000, 30_001, 32_767, 32_769, 65_537, 131_073, 200_000];
    let mut all = Vec::new();
    for (at, length) in LENGTHS.into_iter().enumerate() {
        // The length that is announced has 4 bytes of its own.
        let of = |kind: u8, begin: &[u8], end: &[u8]| {
            message(kind, &[begin, &vec![b'x'; length - 4 - begin.len() - end.len()], end].concat())
        };
        let kinds = [
            ("a notice", of(b'N', b"M", b"\0\0")),
            ("an error", of(b'E', b"SFATAL\0C53300\0M", b"\0\0")),
            ("a parameter", of(b'S', b"a\0", b"\0")),
            ("a notification", of(b'A', b"\0\0\0\x01c\0", b"\0")),
            ("a row description", of(b'T', b"\0\x01", &[0; 19])),
            ("a row", of(b'D', b"\0\x01", b"")),
            ("copied data", of(b'd', b"", b"")),
            ("a key", of(b'K', b"", b"")),
        ];
        for (kind, (name, extra)) in kinds.into_iter().enumerate() {
            let name = format!("{name} of {length} bytes");
            let all_but = |place: usize| {
                let mut script: Vec<Vec<u8>> = start_up().into_iter().map(|(_, message)| message).collect();
                script.insert(place, extra.clone());
                script
            };
            all.push(Session::new(format!("{name} before ready"), sends(all_but(3))));
            let place = (at + kind) % 3;
            all.push(Session::new(format!("{name} at {place}"), sends(all_but(place))));
            all.push(Session::new(format!("{name} behind ready"), sends([all_but(4).concat()])));
        }
    }
    all
}

fn insertions() -> Vec<Session> {
    let mut all = Vec::new();
    for (name, extra) in messages() {
        for place in 0..=4 {
            let mut script: Vec<Vec<u8>> = start_up().into_iter().map(|(_, message)| message).collect();
            script.insert(place, extra.clone());
            let place = start_up().get(place).map_or("the end", |(name, _)| *name);
            all.push(Session::new(format!("{name} before {place}"), sends(script)));
        }
    }
    all
}

/// Every selection and order of a start-up's messages.
fn orders() -> Vec<Session> {
    let parts = start_up();
    let mut all = Vec::new();
    let mut chosen: Vec<Vec<usize>> = vec![Vec::new()];
    for _ in 0..4 {
        chosen = chosen
            .iter()
            .flat_map(|chosen| {
                (0..4).filter(|part| !chosen.contains(part)).map(|part| [chosen.as_slice(), &[part]].concat())
            })
            .collect();
        for order in &chosen {
            let name: Vec<&str> = order.iter().map(|part| parts[*part].0).collect();
            let script = order.iter().map(|part| parts[*part].1.clone());
            all.push(Session::new(format!("order: {}", name.join(", ")), sends(script)));
        }
    }
    all
}

/// Requests for authentication, one and two of them, and what comes in between.
fn authentications() -> Vec<Session> {
    let mut all = Vec::new();
    let rest = || [ok(), parameter(), key(4), ready()];
    let asking = |asked: &[(&'static str, Vec<u8>, bool)]| {
        let steps = asked.iter().flat_map(|(_, request, answered)| {
            let read = answered.then_some(Step::Read);
            [Some(Step::Send(request.clone())), read].into_iter().flatten()
        });
        steps.collect::<Vec<Step>>()
    };
    for first in requests() {
        for settings in ["", "password=secret"] {
            let answered = first.2 && !settings.is_empty();
            let asked = (first.0, first.1.clone(), answered);
            let how = if settings.is_empty() { "without" } else { "with" };
            let script = [asking(&[asked]), sends(rest())].concat();
            all.push(Session::asking(format!("asked for {} {how} a password", first.0), settings, script));
        }
        for second in requests().into_iter().filter(|(_, _, answered)| *answered && first.2) {
            let name = format!("asked for {} and {}", first.0, second.0);
            let script = [asking(&[first.clone(), second]), sends(rest())].concat();
            all.push(Session::asking(name, "password=secret", script));
        }
        if first.2 {
            for (name, extra) in messages().into_iter().take(12) {
                let script =
                    [asking(std::slice::from_ref(&first)), vec![Step::Send(extra)], sends(rest())].concat();
                all.push(Session::asking(
                    format!("asked for {}, then {name}", first.0),
                    "password=secret",
                    script,
                ));
            }
        }
    }
    all
}

/// What answers a request for a newer protocol.
fn protocols() -> Vec<Session> {
    let mut all = Vec::new();
    let negotiations = messages().into_iter().filter(|(name, _)| name.starts_with("the protocol"));
    for (name, message) in negotiations {
        for (asked, settings) in [
            ("at most 3.2", "max_protocol_version=3.2"),
            ("3.2", "min_protocol_version=3.2 max_protocol_version=3.2"),
        ] {
            for (twice, count) in [("", 1), (" twice", 2)] {
                let script =
                    vec![message.clone(); count].into_iter().chain([ok(), parameter(), key(4), ready()]);
                let session =
                    Session::asking(format!("asked for {asked}: {name}{twice}"), settings, sends(script));
                all.push(Session { newer: true, ..session });
            }
        }
    }
    for length in [0, 3, 4, 5, 32, 256, 257] {
        let session = Session::asking(
            format!("asked for 3.2: a key of {length} bytes"),
            "max_protocol_version=3.2",
            sends([ok(), key(length), ready()]),
        );
        all.push(Session { newer: true, ..session });
        let session = Session::asking(
            format!("asked for 3.2 and got 3.0: a key of {length} bytes"),
            "max_protocol_version=3.2",
            sends([negotiate(0x0003_0000, &[]), ok(), key(length), ready()]),
        );
        all.push(Session { newer: true, ..session });
    }
    all
}

/// Sequences by chance, each with AuthenticationOk and ReadyForQuery somewhere.
fn chances() -> Vec<Session> {
    let mut random = Random::new(0x5e55_1075);
    let messages = messages();
    (0..Random::count(150))
        .map(|number| {
            let mut script = Vec::new();
            let mut names = Vec::new();
            for _ in 0..random.below(3) {
                let (name, message) = &messages[random.below(messages.len())];
                names.push(*name);
                script.push(message.clone());
            }
            if random.chance(30) {
                script.clear();
                names.clear();
            }
            script.push(ok());
            for _ in 0..1 + random.below(4) {
                let (name, message) = &messages[random.below(messages.len())];
                names.push(*name);
                script.push(message.clone());
            }
            script.push(ready());
            Session::new(format!("by chance {number}: {}", names.join(", ")), sends(script))
        })
        .collect()
}

impl Session {
    fn new(name: impl Into<String>, script: Vec<Step>) -> Self {
        Self::asking(name, "", script)
    }

    fn asking(name: impl Into<String>, settings: &'static str, script: Vec<Step>) -> Self {
        Self { name: name.into(), settings, newer: false, script }
    }
}

/// What libpq waits for as long as it takes is bounded here.
const BOUNDED: &str = "the program reads 256 KiB of a start-up at most";

#[test]
fn whatever_a_server_says_is_taken_as_libpq_takes_it() {
    let site = Surroundings::new();
    let notice = message(b'N', &[b"M", &[b'x'; 300_000][..], b"\0\0"].concat());
    let mut bounded = vec![notice];
    bounded.extend(start_up().into_iter().map(|(_, message)| message));
    bounded.swap(0, 1);
    let sessions: Vec<Session> =
        [insertions(), behind(), long(), orders(), authentications(), protocols(), chances()]
            .into_iter()
            .flatten()
            .chain([Session::new(BOUNDED, sends(bounded))])
            .collect();
    let scripted = site.start(&sessions, Reply::Handshake);
    let port = scripted.address.port();
    let situations = site
        .situations(sessions, |_| format!("host={HOST} hostaddr=127.0.0.1 port={port} sslmode=verify-full"));
    assert!(situations.len() >= 500, "only {}", situations.len());
    let known = BUILDS.map(|build| Known { build, reason: BOUNDED, of: |name| name == BOUNDED });
    assert_agreement(&site.home, &situations, &known);
}

/// A session in plaintext that stands is left for the next host, because it is no standby; one that fails is not.
#[test]
fn a_session_in_plaintext_stands_or_fails_as_libpq_has_it() {
    let site = Surroundings::new();
    let parameters = [parameter(), message(b'S', b"in_hot_standby\0on\0")];
    let standby = || {
        let said = [ok()].into_iter().chain(parameters.clone()).chain([key(4), ready()]);
        Session::new("", sends(said))
    };
    let mut sessions: Vec<Session> =
        behind().into_iter().filter(|session| session.name.ends_with(" in the record of ready")).collect();
    sessions.extend(insertions().into_iter().chain(long()).chain(orders()).filter(|session| {
        // Behind ReadyForQuery it is chance what comes in one read.
        !session.name.ends_with("before the end")
    }));
    let others: Vec<Session> = sessions.iter().map(|_| standby()).collect();
    let (plain, encrypted) = (site.start(&sessions, Reply::Plaintext), site.start(&others, Reply::Handshake));
    let ports = format!("{},{}", plain.address.port(), encrypted.address.port());
    let situations = site.situations(sessions, |number| {
        let mode = ["prefer", "allow"][number % 2];
        format!(
            "host={HOST},{HOST} hostaddr=127.0.0.1,127.0.0.1 port={ports} sslmode={mode} target_session_attrs=standby"
        )
    });
    assert!(situations.len() >= 500, "only {}", situations.len());
    assert_agreement(&site.home, &situations, &[]);
}

/// Where the servers are and what is known of them.
struct Surroundings {
    home: Home,
    server: Issued,
    root: PathBuf,
}

impl Surroundings {
    fn new() -> Self {
        let home = Home::new();
        let root = Draft::authority("Session Root").self_signed();
        let server = Draft::server(HOST).signed_by(&root);
        let root = home.write("root.crt", root.pem());
        Self { home, server, root }
    }

    /// A server that plays each of these sessions, by the number that is its database's name.
    fn start(&self, sessions: &[Session], reply: Reply) -> ScriptedServer {
        let scripts: Vec<Vec<Step>> = sessions.iter().map(|session| session.script.clone()).collect();
        let tls = Tls { login: Login::Scripts(Box::leak(scripts.into())), reply, ..Tls::default() };
        ScriptedServer::start(std::slice::from_ref(&self.server.der), &self.server.key, &tls)
    }

    fn situations(&self, sessions: Vec<Session>, place: impl Fn(usize) -> String) -> Vec<Situation> {
        let situation = |(number, session): (usize, Session)| Situation {
            name: session.name,
            conninfo: format!(
                "{} user=u dbname={number} sslrootcert={} connect_timeout=5 {}",
                place(number),
                self.root.display(),
                session.settings
            ),
            environment: Vec::new(),
            newer: session.newer,
        };
        sessions.into_iter().enumerate().map(situation).collect()
    }
}
