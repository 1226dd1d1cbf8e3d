//! `audit`.

use std::ffi::OsString;
use std::time::Duration;

use clap::Args;

use super::target::{ConnectionArgs, PolicyArgs, seconds};

const AUDIT: &str = "The server is checked first as without `audit`, with --tls-only. Then each offer is a connection of its own: 20 to 100 of \
     them, at most 6 at a time, within connect_timeout (10 s where it is not set). None carries a user, database or password \
     of yours, the name of the server alone. When the server was verified, a last one asks in plaintext whether the user \
     \"pgtls-check\" may come in to the database \"postgres\". The server's log gets a line for most of them.";

/// `audit`.
#[derive(Debug, Args)]
#[command(after_help = AUDIT)]
pub struct AuditArgs {
    /// The server: "host=... sslmode=..." or postgresql://...
    #[arg(value_name = "CONNINFO")]
    pub conninfo: Option<OsString>,
    /// Where to, over the string.
    #[command(flatten)]
    pub connection: ConnectionArgs,
    /// Limit for one target in all
    #[arg(long, value_name = "SECS", value_parser = seconds, help_heading = "What to check")]
    pub timeout: Option<Duration>,
    /// Which warnings are failures.
    #[command(flatten)]
    pub policy: PolicyArgs,
}
