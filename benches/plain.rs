//! The floor: what a verified connection costs that is asked nothing more, by rustls and tokio alone. One connection, or
//! many in a plain loop, to hold this program's checks against; see `against-psql` and `fleet`.
//!
//! ```text
//! cargo run --release --example plain -- [--user USER] [--spread] NAME ADDRESS PORT ROOTS [COUNT [AT-ONCE]]
//! ```
//!
//! Verifies chain and name of the server at ADDRESS by rustls' own verifier, COUNT times (1), so many at once (64). With a
//! user each connection logs in (password in PGPASSWORD) and asks `pg_stat_ssl`, as a check does; without one it ends
//! where the handshake does. `--spread` takes the next address for each connection: 127.0.0.1, 127.0.0.2, ...
#![allow(clippy::print_stderr, clippy::print_stdout)]

use std::env;
use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const USAGE: &str = "usage: plain [--user USER] [--spread] NAME ADDRESS PORT ROOTS [COUNT [AT-ONCE]]";
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// What all connections share.
struct Task {
    name: String,
    address: IpAddr,
    port: u16,
    roots: String,
    /// Who logs in, if anybody.
    user: Option<String>,
    password: Option<String>,
    spread: bool,
    count: usize,
    at_once: usize,
}

fn main() -> ExitCode {
    let result = Task::read(env::args().skip(1)).and_then(run);
    match result {
        Ok(failed) => ExitCode::from(u8::from(failed > 0)),
        Err(error) => {
            eprintln!("plain: {error}");
            ExitCode::from(2)
        }
    }
}

impl Task {
    fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let (mut user, mut spread, mut given) = (None, false, Vec::new());
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--user" => user = arguments.next(),
                "--spread" => spread = true,
                _ => given.push(argument),
            }
        }
        let mut given = given.into_iter();
        let mut next = || given.next().ok_or(USAGE);
        Ok(Self {
            name: next()?,
            address: next()?.parse()?,
            port: next()?.parse()?,
            roots: next()?,
            user,
            password: env::var("PGPASSWORD").ok(),
            spread,
            count: next().map_or(Ok(1), |count| count.parse())?,
            at_once: next().map_or(Ok(64), |count| count.parse())?,
        })
    }

    /// Where a connection goes.
    fn address(&self, index: usize) -> SocketAddr {
        let address = match (self.address, u32::try_from(index)) {
            (IpAddr::V4(first), Ok(index)) if self.spread => {
                Ipv4Addr::from_bits(first.to_bits().wrapping_add(index)).into()
            }
            (address, _) => address,
        };
        SocketAddr::new(address, self.port)
    }
}

/// Makes all connections; gives how many failed.
fn run(task: Task) -> Result<usize> {
    let config = client(&task.roots)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(all(Arc::new(task), Arc::new(config))))
}

async fn all(task: Arc<Task>, config: Arc<ClientConfig>) -> usize {
    let (mut running, mut next, mut failed) = (JoinSet::new(), 0, 0);
    loop {
        while running.len() < task.at_once && next < task.count {
            running.spawn(one(Arc::clone(&task), Arc::clone(&config), next));
            next += 1;
        }
        match running.join_next().await {
            None => return failed,
            Some(Ok(Ok(()))) => {}
            Some(Ok(Err(error))) => {
                eprintln!("plain: {error}");
                failed += 1;
            }
            Some(Err(_)) => failed += 1,
        }
    }
}

async fn one(task: Arc<Task>, config: Arc<ClientConfig>, index: usize) -> Result<()> {
    let stream = TcpStream::connect(task.address(index)).await?;
    stream.set_nodelay(true)?;
    match &task.user {
        None => secured(&task.name, config, stream).await,
        Some(user) => {
            let mut settings = tokio_postgres::Config::new();
            settings.user(user).dbname("postgres").ssl_mode(SslMode::Require);
            task.password.iter().for_each(|password| {
                settings.password(password);
            });
            let mut connector = MakeRustlsConnect::new((*config).clone());
            let connector = tokio_postgres::tls::MakeTlsConnect::<TcpStream>::make_tls_connect(
                &mut connector,
                &task.name,
            )?;
            let (client, connection) = settings.connect_raw(stream, connector).await?;
            let question = "SELECT ssl FROM pg_catalog.pg_stat_ssl WHERE pid = pg_catalog.pg_backend_pid()";
            let asking = async move { client.simple_query(question).await };
            let (answer, ended) = tokio::join!(asking, connection);
            answer?;
            Ok(ended?)
        }
    }
}

/// SSLRequest, the handshake, and its end.
async fn secured(name: &str, config: Arc<ClientConfig>, mut stream: TcpStream) -> Result<()> {
    stream.write_all(&SSL_REQUEST).await?;
    if stream.read_u8().await? != b'S' {
        return Err("the server declined TLS".into());
    }
    let name = ServerName::try_from(name.to_owned())?;
    let mut stream = tokio_rustls::TlsConnector::from(config).connect(name, stream).await?;
    Ok(stream.shutdown().await?)
}

fn client(roots: &str) -> Result<ClientConfig> {
    let mut store = RootCertStore::empty();
    for root in rustls_pemfile::certs(&mut std::fs::read(roots)?.as_slice()) {
        store.add(root?)?;
    }
    // The groups that a check offers: PostgreSQL up to 17 takes P-256 alone, and another guess is a round trip more.
    let provider = CryptoProvider {
        kx_groups: vec![ring::kx_group::SECP256R1, ring::kx_group::X25519, ring::kx_group::SECP384R1],
        ..ring::default_provider()
    };
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(store)
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    config.alpn_protocols = vec![b"postgresql".to_vec()];
    Ok(config)
}
