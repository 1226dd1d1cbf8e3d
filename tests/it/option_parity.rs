//! Every option of a connection string to psql with libpq 15, to psql with libpq 18 and to the program, against PostgreSQL
//! 15 and 18, PgBouncer, and a server that records what it is told: connected or refused agrees, and so do the kind of
//! reason, the host reached of several, and what arrives there.
//!
//! Each case says what libpq makes of it; [`KNOWN`] lists where a client differs, and why. An entry there that no longer
//! differs fails the suite. Options that libpq 15 does not have yet are marked so in the case and refused by it.

mod authentication;
mod bad_values;
mod beyond_rustls;
mod case;
mod channel_binding;
mod client_certificates;
mod files;
mod hosts;
mod known;
mod modes;
mod passwords;
mod protocol;
mod servers;
mod session_attributes;
mod startup;

use crate::support::home::Home;
use crate::support::parity::{Answer, Client, Expected, Outcome, Reason, assert_all, assert_names, judge};
use crate::support::pgbouncer::PgBouncer;
use crate::support::postgres::Postgres;
use crate::support::scripted_server::{ConnectionRecord, Reply, ScriptedServer};
use case::{Case, NAME, Peer, USUAL};
use files::FILES;
use known::KNOWN;
use socket2::{Domain, Socket, Type};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;

/// A case against one version of PostgreSQL, or without it.
struct Run<'a> {
    label: String,
    case: &'a Case,
    version: u8,
}

#[test]
fn every_option_means_what_libpq_means_by_it() {
    let _removed = files::RemovedOnDrop;
    let cases: Vec<Case> = [
        modes::cases(),
        client_certificates::cases(),
        protocol::cases(),
        authentication::cases(),
        channel_binding::cases(),
        passwords::cases(),
        hosts::cases(),
        session_attributes::cases(),
        startup::cases(),
        bad_values::cases(),
        beyond_rustls::cases(),
    ]
    .into_iter()
    .flatten()
    .collect();
    let names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    assert_names(&names, KNOWN);
    assert!(cases.len() >= 250, "only {} cases", cases.len());
    let unverified = cases.iter().filter(|case| must_learn_nothing(case, &case.expected)).count();
    assert!(unverified >= 30, "only {unverified} cases have a recording server that is not verified");

    let runs: Vec<Run> = cases
        .iter()
        .flat_map(|case| {
            let versions: &[u8] = match case.peers.iter().any(|peer| matches!(peer, Peer::Server(_))) {
                true => &[15, 18],
                false => &[18],
            };
            versions.iter().map(move |&version| Run {
                label: format!("{} | {version}", case.name),
                case,
                version,
            })
        })
        .collect();
    assert_all(&runs, |run| &run.label, run);
}

/// Whether a recording server of this case is not verified when it ends so, and what is told must wait for that.
fn must_learn_nothing(case: &Case, outcome: &Outcome) -> bool {
    let Outcome::Refused(reason) = outcome else { return false };
    case.verifies()
        && case.peers.iter().any(|peer| match peer {
            // One that is silent or closes after its handshake may have been verified.
            Peer::ScriptedServer(tls) => match reason {
                Reason::Timeout | Reason::Closed => !matches!(tls.reply, Reply::Handshake),
                _ => reason.precedes_verification(),
            },
            _ => false,
        })
}

/// A peer that runs.
enum Running {
    Server(&'static Postgres),
    ScriptedServer(ScriptedServer),
    Pooler(&'static PgBouncer),
    /// Bound and not listening, so that nobody else gets the port meanwhile.
    Closed(Socket),
}

impl Running {
    fn port(&self) -> u16 {
        match self {
            Self::Server(server) => server.port(),
            Self::ScriptedServer(scripted) => scripted.address.port(),
            Self::Pooler(pooler) => pooler.port(),
            Self::Closed(socket) => {
                socket.local_addr().unwrap().as_socket().expect("an address of the internet").port()
            }
        }
    }
}

fn closed_port() -> Socket {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
    socket
}

/// Runs one case through all clients; a line for each thing that is not as it should be.
fn run(run: &Run) -> Vec<String> {
    let case = run.case;
    let peers: Vec<Running> = case
        .peers
        .iter()
        .map(|peer| match peer {
            Peer::Server(server) => Running::Server(server.running(run.version)),
            Peer::Version(server, version) => Running::Server(server.running(*version)),
            Peer::Pooler => Running::Pooler(servers::pooler()),
            Peer::ScriptedServer(tls) => {
                let server = files::server();
                Running::ScriptedServer(ScriptedServer::start(
                    std::slice::from_ref(&server.der),
                    &server.key,
                    tls,
                ))
            }
            Peer::Closed => Running::Closed(closed_port()),
        })
        .collect();
    let home = Home::new();
    let expand = |text: &str| {
        let mut text = text.replace("FILES", FILES.path().to_str().unwrap());
        text = text.replace("DIR", home.path().to_str().unwrap());
        for (index, peer) in peers.iter().enumerate() {
            text = text.replace(&format!("PORT{index}"), &peer.port().to_string());
            if let Running::Server(server) = peer {
                text = text.replace("SOCKETS", server.directory().to_str().unwrap());
            }
        }
        text
    };
    for (path, content, mode) in &case.files {
        let path = home.write(path, expand(content));
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(*mode)).unwrap();
    }
    let conninfo = expand(&case.conninfo);
    let environment: Vec<(&str, String)> =
        case.environment.iter().map(|(name, value)| (*name, expand(value))).collect();
    let environment: Vec<(&str, &str)> =
        environment.iter().map(|(name, value)| (*name, value.as_str())).collect();

    let mut failures = Vec::new();
    for client in Client::ALL {
        let foreign = case.newer && client == Client::Libpq15;
        let outcome = if foreign { Outcome::Refused(Reason::Settings) } else { case.expected.clone() };
        let log = |peers: &[Running]| match (case.logs, peers) {
            (Some(text), [Running::Server(server), ..]) => server.log().matches(text).count(),
            _ => 0,
        };
        let before = log(&peers);
        let expected = Expected { outcome: &outcome, code: case.code };
        let answer = client.connect(&home, &conninfo, &environment, &expected);
        let connections: Vec<ConnectionRecord> = peers
            .iter()
            .filter_map(|peer| match peer {
                Running::ScriptedServer(scripted) => Some(scripted.connections()),
                _ => None,
            })
            .flatten()
            .collect();
        let mut found = Vec::new();
        found.extend(judge(client, &case.name, &outcome, &answer, KNOWN));
        if foreign && !answer.said.contains("invalid connection option") {
            found.push(format!("an option that it does not know | {}", answer.said));
        }
        if must_learn_nothing(case, &answer.outcome)
            && connections.iter().any(ConnectionRecord::told_something)
        {
            found.push("nothing told to a server that is not verified | a start-up message".to_owned());
        }
        if !foreign && answer.outcome == outcome {
            if case.logs.is_some() && log(&peers) == before {
                found.push(format!("{:?} in the server's log | it is not there", case.logs));
            }
            check(case, client, &answer, &connections, &peers, &mut found);
        }
        failures.extend(found.into_iter().map(|text| format!("{client:?} | {text}")));
    }
    failures
}

/// What is expected beyond the outcome.
fn check(
    case: &Case,
    client: Client,
    answer: &Answer,
    connections: &[ConnectionRecord],
    peers: &[Running],
    found: &mut Vec<String>,
) {
    if let Some(index) = case.reaches {
        let port = peers[index].port();
        if answer.reached.as_ref().map(|(_, port)| *port) != Some(port) {
            found.push(format!("peer {index} at port {port} | {:?} | {}", answer.reached, answer.said));
        }
    }
    if let Some(version) = case.version
        && answer.tls.as_deref() != Some(version)
    {
        found.push(format!("{version} | {:?}", answer.tls));
    }
    for record in connections.iter().filter(|record| record.startup.is_some()) {
        let parameters = record.parameters();
        let value = |wanted: &str| {
            parameters.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str())
        };
        for (name, wanted) in &case.sends {
            if value(name) != Some(*wanted) {
                found.push(format!("{name}={wanted} sent | {:?}", value(name)));
            }
        }
        for name in &case.withholds {
            if let Some(value) = value(name) {
                found.push(format!("no {name} sent | {value:?}"));
            }
        }
    }
    if (!case.sends.is_empty() || !case.withholds.is_empty())
        && connections.iter().all(|record| record.startup.is_none())
    {
        found.push("a start-up message | none".to_owned());
    }
    if let Some(holds) = case.record {
        if connections.is_empty() {
            found.push("a connection | none".to_owned());
        }
        for record in connections.iter().filter(|record| !holds(client, record)) {
            found.push(format!("another connection | {record:?}"));
        }
    }
    if client == Client::Program && !case.names.is_empty() {
        if answer.status != Some(2) {
            found.push(format!("exit 2 | {:?}", answer.status));
        }
        for text in case.names.iter().filter(|text| !answer.said.contains(**text)) {
            found.push(format!("{text:?} in the diagnosis | {}", answer.said));
        }
    }
}
