//! What the tests of this module share: a runtime, small servers, settings.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};

use crate::conninfo::*;
use crate::plan::Plan;
use crate::timestamp::Timestamp;
use crate::trust::{ClientIdentity, Revocation, Roots, Trust};

/// Runs on a runtime like the program's own.
pub(super) fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// A server on a free port of loopback that treats every connection alike, as long as the runtime lives.
pub(super) async fn serve<F, Fut>(treat: F) -> SocketAddr
where
    F: Fn(TcpStream) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(treat(stream));
        }
    });
    address
}

/// A host slot with a name and nothing to connect to.
pub(super) fn host_named(name: &str) -> Host {
    Host {
        name: crate::conninfo::testing::value("host", name),
        endpoint: Endpoint::Name(name.to_owned()),
        port: Ok(5432),
        password: None,
    }
}

/// A host slot for a server of [`serve`], verified under a name.
pub(super) fn host_at(name: &str, address: SocketAddr) -> Host {
    Host { endpoint: Endpoint::Address(address.ip(), None), port: Ok(address.port()), ..host_named(name) }
}

/// verify-full, a user and a database.
pub(super) fn settings() -> Settings {
    Settings {
        hosts: vec![host_named("db.example")],
        user: crate::conninfo::testing::value("user", "u"),
        database: crate::conninfo::testing::value("dbname", "d"),
        connect_timeout: Some(Duration::from_secs(5)),
        ..crate::conninfo::testing::settings()
    }
}

/// A plan for servers of [`serve`], without roots.
pub(super) fn plan(hosts: Vec<Host>) -> Plan {
    let trust = Trust {
        roots: Roots::None,
        revocation: Revocation::Off,
        client: ClientIdentity::None,
        library: Default::default(),
        level: Default::default(),
    };
    Plan {
        only: None,
        settings: Settings { hosts, ..settings() },
        trust: trust.into(),
        started: Timestamp::now(),
        scope: Default::default(),
        total_limit: None,
        second_looks: false,
    }
}
