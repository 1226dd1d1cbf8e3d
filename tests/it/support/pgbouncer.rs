//! PgBouncer in front of a server: the pooler that answers SSLRequest for it.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;

use super::home::Home;
use super::pki::Chain;
use super::postgres::Postgres;
use super::service::{ServerUser, Service, Startup, on_free_port};

const PROGRAM: &str = "/usr/sbin/pgbouncer";

/// A running pooler. It stops when the value is dropped or the test process ends.
pub(crate) struct PgBouncer {
    service: Service,
    port: u16,
}

impl PgBouncer {
    /// A pooler for `server`, still to be set up. Untouched it offers no TLS and knows no user.
    pub(crate) fn before(server: &Postgres) -> Setup {
        let upstream = format!("[databases]\n* = host=127.0.0.1 port={}\n[pgbouncer]\n", server.port());
        Self::configured(upstream)
    }

    /// A pooler whose file begins like this: `[databases]`, then `[pgbouncer]` with settings towards the server.
    pub(crate) fn configured(upstream: String) -> Setup {
        Setup { upstream, tls: None, authentication: "trust", users: String::new() }
    }

    /// The port it listens on, at 127.0.0.1.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The pooler's log so far.
    pub(crate) fn log(&self) -> String {
        self.service.log()
    }
}

/// How a pooler is to be.
pub(crate) struct Setup {
    upstream: String,
    tls: Option<(&'static str, Chain)>,
    authentication: &'static str,
    users: String,
}

impl Setup {
    /// The value of `client_tls_sslmode` (`allow`, `require`, …) and the chain to show.
    pub(crate) fn tls(self, sslmode: &'static str, chain: &Chain) -> Self {
        Self { tls: Some((sslmode, chain.clone())), ..self }
    }

    /// A user that is asked for this password, by SCRAM, and that the pooler logs in with.
    pub(crate) fn user(self, name: &str, password: &str) -> Self {
        Self { authentication: "scram-sha-256", ..self.trusted(name, password) }
    }

    /// A user that is let in without a password, as long as no other is asked for one. The pooler logs in with this.
    pub(crate) fn trusted(mut self, name: &str, password: &str) -> Self {
        writeln!(self.users, "\"{name}\" \"{password}\"").unwrap();
        self
    }

    /// Starts the pooler and waits until it listens.
    pub(crate) fn start(&self) -> PgBouncer {
        assert!(
            Path::new(PROGRAM).exists(),
            "{PROGRAM} is missing; install it with: apt-get install pgbouncer"
        );
        on_free_port(|port| self.start_on(port).map(|service| PgBouncer { service, port }))
    }

    fn start_on(&self, port: u16) -> Result<Service, String> {
        let home = Home::new();
        let directory = home.path().display();
        home.write("users", &self.users);
        let tls = match &self.tls {
            None => "client_tls_sslmode = disable".to_owned(),
            Some((sslmode, chain)) => {
                home.write("server.crt", chain.server_pem());
                home.write("server.key", chain.leaf.key_pem());
                format!(
                    "client_tls_sslmode = {sslmode}\nclient_tls_cert_file = {directory}/server.crt\n\
                     client_tls_key_file = {directory}/server.key"
                )
            }
        };
        let configuration = home.write(
            "pgbouncer.ini",
            format!(
                "{}\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
                 unix_socket_dir =\nauth_type = {}\nauth_file = {directory}/users\n{tls}\n",
                self.upstream, self.authentication
            ),
        );
        let user = ServerUser::for_owner_of(&home);
        user.take(&home);
        let command = user.command([PROGRAM, configuration.to_str().expect("a path in UTF-8")]);
        Service::start(home, &command, |_, log| {
            if log.contains("FATAL") || log.contains("ERROR") {
                Startup::Failed
            } else if log.contains("process up") && TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
                Startup::Ready
            } else {
                Startup::Pending
            }
        })
    }
}
