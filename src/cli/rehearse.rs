//! `rehearse`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use clap::builder::TypedValueParser as _;

use super::target::{DialectArgs, ExpiryArgs, FleetArgs, PolicyArgs, in_custody};
use crate::file::account::Reader;
use crate::secret::Secret;
use crate::timestamp::Timestamp;

const REHEARSE: &str = "Nothing is sent and no name is resolved, except with --against. The chain in --cert is judged as a check judges one \
     that a server sends: for each connection string, with its roots, its sslmode and each of its hosts. Before that come \
     PostgreSQL's own demands: PEM, the server's certificate first, the key its own, owner and mode of the key, no pass phrase \
     without ssl_passphrase_command. If --client-ca is given, the client certificate of each string is judged as the server \
     would judge it.";

const EXAMPLES: &str = "Examples:
  before the reload: would these files serve this client?
    pgtls-check rehearse --cert server.crt --key server.key \"sslmode=verify-full sslrootcert=root.crt host=db.example.com\"
  which names a certificate covers, without a connection string
    pgtls-check rehearse --cert server.crt --key server.key --roots root.crt --host db.example.com db.internal
  after the reload: is the new certificate the one that is served?
    pgtls-check rehearse --cert server.crt --against host=db.example.com --deny certificate-not-loaded --from clients.txt";

/// `rehearse`.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES, after_help = REHEARSE)]
pub struct RehearseArgs {
    /// The clients: "host=... sslmode=..." or postgresql://...
    #[arg(value_name = "CONNINFO", value_parser = in_custody())]
    pub conninfo: Vec<Secret>,

    /// Server certificate and intermediates (ssl_cert_file)
    #[arg(long, value_name = "FILE", help_heading = "Server files")]
    pub cert: PathBuf,
    /// Private key (ssl_key_file); without it, the key is not checked
    #[arg(long, value_name = "FILE", help_heading = "Server files")]
    pub key: Option<PathBuf>,
    /// CAs of client certificates (ssl_ca_file)
    #[arg(long, value_name = "FILE", help_heading = "Server files")]
    pub client_ca: Option<PathBuf>,
    /// Their revocation lists (ssl_crl_file)
    #[arg(long, value_name = "FILE", help_heading = "Server files")]
    pub crl: Option<PathBuf>,
    /// Account that PostgreSQL runs as; without it, the owner of the key
    #[arg(long, value_name = "ACCOUNT", value_parser = account(), help_heading = "Server files")]
    pub server_user: Option<Reader>,
    /// Command that prints the pass phrase of the key (ssl_passphrase_command); it is run
    #[arg(long, value_name = "COMMAND", requires = "key", help_heading = "Server files")]
    pub passphrase_command: Option<OsString>,

    /// Hosts to be verified with verify-full, instead of connection strings
    #[arg(long, value_name = "NAME", num_args = 1.., conflicts_with = "conninfo", help_heading = "Clients")]
    pub host: Vec<OsString>,
    /// Their root file
    #[arg(long, value_name = "FILE", requires = "host", help_heading = "Clients")]
    pub roots: Option<PathBuf>,
    /// Whose strings they are.
    #[command(flatten)]
    pub dialect: DialectArgs,

    /// Compare with the certificate that this server presents now
    #[arg(long, value_name = "CONNINFO", value_parser = in_custody(), help_heading = "What to check")]
    pub against: Option<Secret>,
    /// Which certificates end soon.
    #[command(flatten)]
    pub expiry: ExpiryArgs,
    /// Judge as of this date instead of now (2026-12-02 or 2026-12-02T15:04:05Z)
    #[arg(long, value_name = "DATE", help_heading = "What to check")]
    pub as_of: Option<Timestamp>,
    /// Which warnings are failures.
    #[command(flatten)]
    pub policy: PolicyArgs,

    /// Write a report to FILE too, in FMT or the format of its ending (.json, .xml: junit, .prom, .csv, .md, .html)
    #[arg(long, value_name = "[FMT=]FILE", help_heading = "Output")]
    pub output: Vec<OsString>,

    /// Many of them.
    #[command(flatten)]
    pub fleet: FleetArgs,
}

/// An account of this machine.
fn account() -> impl clap::builder::TypedValueParser<Value = Reader> {
    clap::builder::NonEmptyStringValueParser::new()
        .try_map(|name| Reader::named(&name).ok_or("this machine has no such account"))
}
