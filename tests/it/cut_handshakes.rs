//! Handshakes that end at any byte. Where a connection is cut shows nothing of what a server lacks or rejects: whatever is
//! claimed then but the cut itself is wrong.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use pgtls_check::conninfo::{self, Overrides};
use pgtls_check::demo::Demo;
use pgtls_check::diagnose::{Diagnosis, diagnose};
use pgtls_check::evidence::{Evidence, Scope};
use pgtls_check::plan::Plan;
use pgtls_check::probe::probe;
use pgtls_check::secret::Secret;
use pgtls_check::timestamp::Timestamp;
use pgtls_check::trust;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

use crate::support::home::Home;
use crate::support::pki::Algorithm;
use crate::support::site::{self, OPEN, Site};

/// How a connection ends where it is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    Close,
    Reset,
    Silence,
}

/// How much of the server's flight comes through, for each connection in order, the last one for all that follow.
#[derive(Clone, Debug)]
struct Through(Vec<usize>);

impl Through {
    fn of(&self, connection: usize) -> usize {
        self.0.get(connection).or(self.0.last()).copied().unwrap_or(usize::MAX)
    }
}

/// A proxy before a server, which cuts each connection so many bytes after the answer to SSLRequest.
async fn proxy(server: SocketAddr, cut: Cut, through: Through) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let passed = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&passed);
    tokio::spawn(async move {
        let mut connection = 0;
        while let Ok((client, _)) = listener.accept().await {
            let most = through.of(connection);
            connection += 1;
            let count = Arc::clone(&count);
            tokio::spawn(async move {
                let Ok(server) = TcpStream::connect(server).await else { return };
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                let there = tokio::spawn(forward(from_client, to_server));
                let to_client = back(from_server, to_client, most, &count).await;
                if cut == Cut::Silence {
                    // Until the client has had enough.
                    drop(there.await);
                    return;
                }
                there.abort();
                let from_client = there.await.ok();
                if cut == Cut::Reset
                    && let Some(to_client) = &to_client
                {
                    socket2::SockRef::from(to_client.as_ref()).set_linger(Some(Duration::ZERO)).unwrap();
                }
                drop((to_client, from_client));
            });
        }
    });
    (address, passed)
}

async fn forward(mut from: OwnedReadHalf, mut to: OwnedWriteHalf) -> OwnedReadHalf {
    drop(tokio::io::copy(&mut from, &mut to).await);
    from
}

/// The byte that answers SSLRequest, and so many more.
async fn back(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    most: usize,
    passed: &AtomicUsize,
) -> Option<OwnedWriteHalf> {
    let mut left = most.saturating_add(1);
    let mut buffer = [0; 4096];
    while left > 0 {
        let room = left.min(buffer.len());
        let count = from.read(&mut buffer[..room]).await.ok().filter(|count| *count > 0)?;
        to.write_all(&buffer[..count]).await.ok()?;
        left -= count;
        passed.fetch_add(count, Ordering::Relaxed);
    }
    Some(to)
}

/// What to check, over the proxy in place of the server.
struct Target {
    server: SocketAddr,
    conninfo: String,
    environment: conninfo::Environment,
}

impl Target {
    fn postgres(site: &Site, home: &Home, more: &str) -> Self {
        let root = home.write("root.pem", site.chain.root.pem()).to_str().unwrap().to_owned();
        let conninfo = format!("{} {more}", site::verify_full(site.server.port(), &root, OPEN));
        let environment =
            conninfo::Environment { current_dir: home.path().to_owned(), ..conninfo::Environment::default() };
        Self { server: ([127, 0, 0, 1], site.server.port()).into(), conninfo, environment }
    }

    fn demo(demo: &Demo, more: &str) -> Self {
        let server = demo.address();
        let conninfo = format!("{} {more}", demo.conninfo());
        Self { server, conninfo, environment: demo.environment() }
    }

    async fn evidence(&self, cut: Cut, through: Through) -> (Evidence, usize) {
        let (address, passed) = proxy(self.server, cut, through).await;
        let input = Secret::new(format!("{} port={}", self.conninfo, address.port()).into_bytes());
        let mut settings =
            conninfo::resolve(Some(input.expose()), &Overrides::default(), &self.environment).unwrap();
        if cut == Cut::Silence {
            settings.connect_timeout = Some(Duration::from_secs(1));
        }
        let now = Timestamp::now();
        let plan = Plan {
            trust: trust::load(&settings, &self.environment).into(),
            settings,
            started: now,
            scope: Scope { tls_only: true, ..Scope::default() },
            second_looks: true,
            total_limit: None,
            only: None,
        };
        let evidence = probe(&plan).await;
        (evidence, passed.load(Ordering::Relaxed))
    }

    /// How many bytes of the server's a whole handshake has, after the answer to SSLRequest.
    async fn flight(&self) -> usize {
        let (evidence, passed) = self.evidence(Cut::Close, Through(vec![usize::MAX])).await;
        let tls = &evidence.attempts[0].tls.as_ref().unwrap().result;
        assert_eq!(tls.failure, None);
        assert!(tls.bytes_received < passed + 1 && tls.bytes_received > 500);
        tls.bytes_received
    }

    async fn diagnosed(&self, cut: Cut, through: Through) -> Option<Diagnosis> {
        diagnose(self.evidence(cut, through).await.0).diagnosis
    }
}

/// What is wrong with a diagnosis of a connection that was cut: anything beyond the cut.
fn amiss(found: Option<Diagnosis>, cut: Cut) -> Option<String> {
    let Some(found) = found else { return Some("verified".to_owned()) };
    let codes: &[&str] = match cut {
        // On a busy machine the time may be over before the handshake begins.
        Cut::Silence => &["tls-timeout", "negotiation-timeout"],
        Cut::Close | Cut::Reset => &["tls-closed"],
    };
    let claims = ["server_insists_on", "works", "server_has", "alpn_offered"];
    let claimed = found.evidence.iter().any(|(label, _)| claims.contains(label));
    let blames = cut == Cut::Silence && found.cause.contains("most likely large packets");
    (!codes.contains(&found.code.name) || claimed || blames)
        .then(|| format!("{}: {}: {} {:?}", found.code, found.title, found.cause, found.evidence))
}

/// Checks all cases on one thread, so many at once, and gives their number. `cases` is told the length of the flight.
fn all(target: Target, at_once: usize, cases: impl FnOnce(usize) -> Vec<(Cut, Through)>) -> usize {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
        let flight = target.flight().await;
        let (target, cases) = (Rc::new(target), Rc::new(cases(flight)));
        let (next, wrong) = (Rc::new(Cell::new(0)), Rc::new(RefCell::new(Vec::new())));
        let worker = || {
            let (target, cases) = (Rc::clone(&target), Rc::clone(&cases));
            let (next, wrong) = (Rc::clone(&next), Rc::clone(&wrong));
            async move {
                while let Some((cut, through)) = cases.get(next.replace(next.get() + 1)) {
                    let found = target.diagnosed(*cut, through.clone()).await;
                    let what = amiss(found, *cut).map(|what| format!("{cut:?} {through:?}: {what}"));
                    wrong.borrow_mut().extend(what);
                }
            }
        };
        let workers: Vec<_> = (0..at_once).map(|_| tokio::task::spawn_local(worker())).collect();
        for worker in workers {
            worker.await.unwrap();
        }
        let wrong = wrong.borrow();
        let some = wrong[..wrong.len().min(5)].join("\n");
        assert!(wrong.is_empty(), "{} of {}, flight {flight}: {some}", wrong.len(), cases.len());
        cases.len()
    })
}

const VERSIONS: [&str; 2] = ["ssl_max_protocol_version=TLSv1.2", "ssl_min_protocol_version=TLSv1.3"];
/// Signatures differ in length by a few bytes from handshake to handshake.
const MARGIN: usize = 8;
/// A ServerHello ends before it, so that second looks are taken.
const UNHEARD: usize = 140;

/// PostgreSQL's own flight, closed and reset at every byte: of each connection; of the first one alone, so that second
/// looks go through; of all but the first one, which gets nothing.
#[test]
fn a_connection_cut_at_any_byte_is_closed_and_nothing_else() {
    let site = Site::shared(15, Algorithm::Ecdsa);
    for version in VERSIONS {
        let home = Home::new();
        let count = all(Target::postgres(site, &home, version), 8, |flight| {
            let flight = flight - MARGIN;
            let every = (0..flight).map(|cut| Through(vec![cut]));
            let first = (0..UNHEARD).map(|cut| Through(vec![cut, usize::MAX]));
            let others = (0..flight).step_by(3).map(|cut| Through(vec![0, cut]));
            let alternate = (0..flight).step_by(5).map(|cut| Through([[0, cut]; 4].concat()));
            let all: Vec<_> = every.chain(first).chain(others).chain(alternate).collect();
            let reset = all.iter().step_by(4).cloned().map(|through| (Cut::Reset, through));
            all.iter().cloned().map(|through| (Cut::Close, through)).chain(reset).collect()
        });
        assert!(count > 1000, "{count}");
    }
}

/// The demo's flight, which falls silent. Each demo takes a part of the cases: it serves so many at once.
#[test]
fn a_connection_that_falls_silent_at_any_byte_is_silent_and_nothing_else() {
    let parts = 3;
    std::thread::scope(|scope| {
        for (version, part) in
            VERSIONS.into_iter().flat_map(|version| (0..parts).map(move |part| (version, part)))
        {
            scope.spawn(move || {
                let demo = Demo::start(None).unwrap();
                all(Target::demo(&demo, version), 6, |flight| {
                    let every = (0..UNHEARD).chain((UNHEARD..flight - MARGIN).step_by(23));
                    let first = (0..UNHEARD).step_by(20).map(|cut| Through(vec![cut, usize::MAX]));
                    let all = every.map(|cut| Through(vec![cut])).chain(first);
                    all.map(|through| (Cut::Silence, through)).skip(part).step_by(parts).collect()
                });
            });
        }
    });
}
