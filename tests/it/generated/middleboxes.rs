//! What stands before a server and refuses some ClientHellos, for one thing in them or none: a claim of what a server lacks
//! or rejects is true of the thing, or is not made.

use std::collections::BTreeMap;
use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use super::offers::client_hello;
use crate::support::home::Home;
use crate::support::libpq::{Build, Libpq};
use crate::support::odd_pki::*;
use crate::support::parallel::each;
use crate::support::random::Random;
use crate::support::scripted_server::{ScriptedServer, Tls};
use crate::support::tool::{Report, Tool};

const HOST: &str = "pgtls.test";
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// A ClientHello as far as filters look at it.
#[derive(Clone, Debug)]
struct Hello {
    length: usize,
    suites: Vec<u16>,
    extensions: Vec<(u16, Vec<u8>)>,
}

impl Hello {
    fn read(record: &[u8]) -> Self {
        let length = |at: usize| usize::from(u16::from_be_bytes([record[at], record[at + 1]]));
        // Record, message, version and random; then the session.
        let mut at = 5 + 4 + 2 + 32;
        at += 1 + usize::from(record[at]);
        let suites = numbers(&record[at + 2..at + 2 + length(at)]);
        at += 2 + length(at);
        at += 1 + usize::from(record[at]) + 2;
        let mut extensions = Vec::new();
        while at < record.len() {
            let size = length(at + 2);
            extensions.push((length(at) as u16, record[at + 4..at + 4 + size].to_vec()));
            at += 4 + size;
        }
        Self { length: record.len(), suites, extensions }
    }

    fn extension(&self, kind: u16) -> Option<&[u8]> {
        self.extensions.iter().find(|(other, _)| *other == kind).map(|(_, content)| content.as_slice())
    }

    fn list(&self, kind: u16) -> Vec<u16> {
        self.extension(kind).map(|content| numbers(&content[2..])).unwrap_or_default()
    }
}

fn numbers(bytes: &[u8]) -> Vec<u16> {
    bytes.chunks_exact(2).map(|two| u16::from_be_bytes([two[0], two[1]])).collect()
}

/// Which hellos are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Filter {
    With(Part),
    Without(Part),
    Longer(usize),
    Shorter(usize),
    /// Those whose turn it is, counted from the first connection.
    Turns(&'static [bool]),
    First(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Extension(u16),
    Suite(u16),
    Group(u16),
    Scheme(u16),
}

impl Part {
    fn is_in(self, hello: &Hello) -> bool {
        match self {
            Self::Extension(kind) => hello.extension(kind).is_some(),
            Self::Suite(suite) => hello.suites.contains(&suite),
            Self::Group(group) => hello.list(10).contains(&group),
            Self::Scheme(scheme) => hello.list(13).contains(&scheme),
        }
    }
}

impl Filter {
    fn refuses(self, hello: &Hello, connection: usize) -> bool {
        match self {
            Self::With(part) => part.is_in(hello),
            Self::Without(part) => !part.is_in(hello),
            Self::Longer(limit) => hello.length > limit,
            Self::Shorter(limit) => hello.length < limit,
            Self::Turns(turns) => turns[connection % turns.len()],
            Self::First(count) => connection < count,
        }
    }

    /// What may be said of it, beside what an alert itself says.
    fn truth(self) -> &'static [&'static str] {
        match self {
            Self::With(Part::Extension(0)) => &["sni-unrecognized"],
            Self::With(Part::Extension(16)) => &["alpn-rejected"],
            // TLS 1.3 and nothing else comes with these.
            Self::With(Part::Extension(43 | 45 | 51) | Part::Suite(0x1301..=0x1303)) => {
                &["tls-version-unsupported"]
            }
            Self::Without(Part::Scheme(0x0808)) => &["tls-unsupported-here"],
            Self::Without(Part::Scheme(_)) => &["tls-no-shared-cipher"],
            _ => &[],
        }
    }
}

/// How it refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    Alert(u8),
    Close,
    Reset,
}

const REFUSALS: [Refusal; 9] = [
    Refusal::Alert(40),
    Refusal::Alert(40),
    Refusal::Alert(47),
    Refusal::Alert(70),
    Refusal::Alert(71),
    Refusal::Alert(112),
    Refusal::Alert(120),
    Refusal::Close,
    Refusal::Reset,
];

/// It, in front of a server; it ends when dropped.
struct Middlebox {
    address: SocketAddr,
    /// Each hello, and whether it was refused.
    seen: Arc<Mutex<Vec<(Hello, bool)>>>,
    stop: Arc<AtomicBool>,
}

impl Middlebox {
    fn start(server: SocketAddr, filter: Filter, refusal: Refusal) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (seen, stop) = (Arc::<Mutex<Vec<_>>>::default(), Arc::<AtomicBool>::default());
        let (seeing, stopped) = (Arc::clone(&seen), Arc::clone(&stop));
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let seen = Arc::clone(&seeing);
                std::thread::spawn(move || pass(client, server, filter, refusal, &seen));
            }
        });
        Self { address, seen, stop }
    }

    fn hellos(&self) -> Vec<(Hello, bool)> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Middlebox {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

/// One connection: the end of either side is the end of both.
fn pass(
    mut client: TcpStream,
    server: SocketAddr,
    filter: Filter,
    refusal: Refusal,
    seen: &Mutex<Vec<(Hello, bool)>>,
) -> Option<()> {
    let record = client_hello(&client)?;
    let hello = Hello::read(&record);
    let refused = {
        let mut seen = seen.lock().unwrap();
        let refused = filter.refuses(&hello, seen.len());
        seen.push((hello, refused));
        refused
    };
    if refused {
        match refusal {
            Refusal::Alert(alert) => {
                client.write_all(&[21, 3, 3, 0, 2, 2, alert]).ok()?;
                client.shutdown(Shutdown::Write).ok()?;
                // Until the client has read it.
                let _ = client.read(&mut [0; 64]);
            }
            Refusal::Close => {}
            Refusal::Reset => {
                socket2::SockRef::from(&client).set_linger(Some(std::time::Duration::ZERO)).ok()?;
            }
        }
        return None;
    }
    let mut server = TcpStream::connect(server).ok()?;
    server.write_all(&SSL_REQUEST).ok()?;
    server.read_exact(&mut [0]).ok()?;
    server.write_all(&record).ok()?;
    let (mut from, mut to) = (client.try_clone().ok()?, server.try_clone().ok()?);
    let there = std::thread::spawn(move || {
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
    let _ = io::copy(&mut server, &mut client);
    let _ = client.shutdown(Shutdown::Write);
    there.join().ok()
}

/// Filters by all that is in a hello of libpq's or of the program's, by length and by turns.
fn filters(hellos: &[Hello]) -> Vec<Filter> {
    let mut all = Vec::new();
    let mut parts: Vec<Part> = Vec::new();
    for hello in hellos {
        parts.extend(hello.extensions.iter().map(|(kind, _)| Part::Extension(*kind)));
        parts.extend(hello.suites.iter().copied().map(Part::Suite));
        parts.extend(hello.list(10).into_iter().map(Part::Group));
        parts.extend(hello.list(13).into_iter().map(Part::Scheme));
    }
    parts.extend([0x0201, 0x0203].map(Part::Scheme));
    for part in parts {
        for filter in [Filter::With(part), Filter::Without(part)] {
            if !all.contains(&filter) {
                all.push(filter);
            }
        }
    }
    let lengths = || (160..700).step_by(19);
    all.extend(lengths().map(Filter::Longer).chain(lengths().map(Filter::Shorter)));
    all.extend((1..9).map(Filter::First));
    all.extend(TURNS.map(Filter::Turns));
    all
}

/// Two and three servers behind one address, some of which refuse.
const TURNS: [&[bool]; 8] = [
    &[true, false],
    &[false, true],
    &[true, false, false],
    &[false, true, false],
    &[false, false, true],
    &[true, true, false],
    &[true, false, true],
    &[false, true, true],
];

/// Claims, by code and beyond the fact that a handshake ended.
const CLAIMS: [&str; 5] = [
    "alpn-rejected",
    "sni-unrecognized",
    "tls-no-shared-cipher",
    "tls-unsupported-here",
    "tls-version-unsupported",
];

/// What is wrong with a report of a handshake through such a middlebox.
fn amiss(report: &Report, filter: Filter, refusal: Refusal, hellos: &[(Hello, bool)]) -> Option<String> {
    let code = report.at("/diagnosis/code");
    let code = code.as_str().unwrap_or("none");
    if (code == "none") == hellos.first().is_none_or(|(_, refused)| *refused) {
        return Some(format!("{code} of {} hellos", hellos.len()));
    }
    let answered = hellos.iter().any(|(_, refused)| !refused);
    // Alerts that name their reason are a server's word, unless the same hello is answered or another refused likewise.
    let by_alert = match refusal {
        Refusal::Alert(40 | 71) if !answered => "tls-no-shared-cipher",
        Refusal::Alert(70) if !answered => "tls-version-unsupported",
        Refusal::Alert(112) => "sni-unrecognized",
        Refusal::Alert(120) => "alpn-rejected",
        _ => "",
    };
    let insists_on = report.at("/diagnosis/evidence/server_insists_on").to_string();
    let is_named = matches!(filter, Filter::Without(Part::Suite(_) | Part::Group(_)))
        && code == "tls-unsupported-here"
        && !insists_on.contains("Ed448");
    let fits = filter.truth().contains(&code) || code == by_alert || !CLAIMS.contains(&code) || is_named;
    (!fits).then(|| format!("{code}: {}", report.at("/diagnosis/evidence")))
}

#[test]
fn of_a_hello_that_is_refused_only_what_makes_the_difference_is_told() {
    let home = Home::new();
    let root = Draft::authority("Root").self_signed();
    let server = Draft::server(HOST).signed_by(&root);
    let file = home.write("root.crt", root.pem());
    let scripted = ScriptedServer::start(std::slice::from_ref(&server.der), &server.key, &Tls::default());
    let string = |port: u16| {
        format!(
            "host={HOST} hostaddr=127.0.0.1 port={port} user=u dbname=d sslmode=verify-full sslrootcert={} gssencmode=disable",
            file.display()
        )
    };
    let all = Middlebox::start(scripted.address, Filter::First(usize::MAX), Refusal::Alert(40));
    Libpq::of(Build::Pq15, &home).attempt(&home, &[(string(all.address.port()), Vec::new())]);
    let of_libpq = all.hellos();
    Tool::at(&home).check(&string(all.address.port())).diagnosed("tls-no-shared-cipher");
    let hellos: Vec<Hello> = all.hellos().into_iter().map(|(hello, _)| hello).collect();

    // The second look with all that psql offers is OpenSSL's hello, but for ALPN, of which libpq 15 knows nothing.
    let kinds = |hello: &Hello| -> Vec<u16> {
        hello.extensions.iter().map(|(kind, _)| *kind).filter(|kind| *kind != 16).collect()
    };
    let ([(theirs, _)], look) = (of_libpq.as_slice(), &hellos[2]) else { panic!("{of_libpq:?}") };
    assert_eq!(kinds(look), kinds(theirs));
    assert_eq!((&look.suites, look.list(13)), (&theirs.suites, theirs.list(13)));

    let mut random = Random::new(0x0b0c_5e5e);
    let filters = filters(&hellos[..3]);
    let cases: Vec<(String, Filter, Refusal)> = filters
        .into_iter()
        .flat_map(|filter| (0..Random::count(1)).map(move |_| filter))
        .map(|filter| (filter, REFUSALS[random.below(REFUSALS.len())]))
        .map(|(filter, refusal)| (format!("{filter:?} {refusal:?}"), filter, refusal))
        .collect();
    assert!(cases.len() >= 200, "only {}", cases.len());
    let told = Mutex::new(BTreeMap::<String, usize>::new());
    each(
        &cases,
        |(name, ..)| name,
        |(_, filter, refusal)| {
            let middlebox = Middlebox::start(scripted.address, *filter, *refusal);
            let report = Tool::at(&home).check(&string(middlebox.address.port()));
            let code = report.at("/diagnosis/code").as_str().unwrap_or("verified").to_owned();
            *told.lock().unwrap().entry(code).or_default() += 1;
            amiss(&report, *filter, *refusal, &middlebox.hellos()).map_or(Ok(()), Err)
        },
    );
    let told = told.into_inner().unwrap();
    println!("{} cases: {told:?}", cases.len());
    assert!(told.len() > 4, "{told:?}");
}
