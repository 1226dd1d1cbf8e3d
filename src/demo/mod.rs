//! The embedded server: PostgreSQL's protocol over TLS on a free port of loopback, with certificates made when it
//! starts; healthy, or with one named fault. `pgtls-check demo` shows it, and tests stage their cases with it.
//!
//! [`faults`] is the table of what can be staged. Everything a fault needs lies in one temporary directory, which is
//! also the home directory of the [`Environment`] to check it in: no file of the user's is read or written. A server
//! that real libraries would refuse to be (TLS 1.0, silence in the middle of a handshake) answers with bytes made by
//! hand; all else is an honest handshake by rustls. Left out: everything of PostgreSQL past the first query.

mod connection_log;
mod directory;
mod faults;
mod hello;
mod messages;
pub(crate) mod pki;
mod resign;
mod scenario;
mod scram;
mod server;
mod session;

use std::ffi::OsString;
use std::io;
use std::net::SocketAddr;
use std::path::Path;

use crate::conninfo::{Environment, LoginName};

pub use connection_log::{ConnectionRecord, Startup};
pub use faults::{Fault, SeenBy, fault, faults};

use directory::Directory;
use scenario::Scenario;
use server::Server;

/// A staged case: a server, unless the case is that there is none, its files, and how to connect to it. All of it goes
/// when the value is dropped.
pub struct Demo {
    conninfo: String,
    variables: Vec<(&'static str, OsString)>,
    // Dropped in this order: nobody is served from a directory that is gone.
    server: Server,
    _silent: Option<server::Unanswered>,
    directory: Directory,
}

impl Demo {
    /// Stages a fault, or the healthy server. Fails only where the system gives no port, thread or directory.
    pub fn start(fault: Option<&Fault>) -> io::Result<Self> {
        let mut scenario = Scenario::new()?;
        if let Some(fault) = fault {
            (fault.stage)(&mut scenario)?;
        }
        scenario.open()
    }

    /// The connection string that runs into the fault.
    pub fn conninfo(&self) -> &str {
        &self.conninfo
    }

    /// The variables that belong to the connection string; nothing else of the process's environment does.
    pub fn variables(&self) -> &[(&'static str, OsString)] {
        &self.variables
    }

    /// The surroundings to check the connection string in: [`Demo::variables`], the demo's directory as home and
    /// working directory.
    pub fn environment(&self) -> Environment {
        let variables = self.variables.iter().map(|(name, value)| (OsString::from(name), value.clone()));
        Environment {
            variables: variables.collect(),
            beside: Vec::new(),
            account_home: Some(self.directory().to_owned()),
            login_name: LoginName::Known(scenario::USER.to_owned()),
            user_id: None,
            current_dir: self.directory().to_owned(),
            secrets: Default::default(),
            system_config_dir: self.directory().to_owned(),
            program: Default::default(),
            openssl: Default::default(),
            kerberos: Default::default(),
        }
    }

    /// Where the server listens, or where none does if that is the fault.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The directory with its files.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// What each client sent, in the order in which they came; the last thousand of them. Waits a little for those
    /// still connected, so that a client that has just gone is seen to have gone.
    pub fn connections(&self) -> Vec<ConnectionRecord> {
        self.server.connections()
    }
}

#[cfg(test)]
mod tests;
