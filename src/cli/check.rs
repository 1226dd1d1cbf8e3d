//! The check.

use std::ffi::OsString;
use std::time::Duration;

use clap::Args;

use super::target::{ConnectionArgs, DialectArgs, ExpiryArgs, FleetArgs, PolicyArgs, in_custody, seconds};
use crate::check::WaitLimit;
use crate::secret::Secret;
use crate::timestamp::Timestamp;

/// A check of one or more servers.
#[derive(Debug, Default, Args)]
pub struct CheckArgs {
    /// Connection strings: "host=... sslmode=...", postgresql://..., or those of drivers
    #[arg(value_name = "CONNINFO", value_parser = in_custody())]
    pub conninfo: Vec<Secret>,

    /// Where to, over the string.
    #[command(flatten)]
    pub connection: ConnectionArgs,
    /// Whose strings they are.
    #[command(flatten)]
    pub dialect: DialectArgs,
    /// Ask for a password on the terminal
    #[arg(short = 'W', long, conflicts_with = "no_password", help_heading = "Connection")]
    pub password: bool,

    /// Time limit for each target
    #[arg(long, value_name = "SECS", value_parser = seconds, help_heading = "What to check")]
    pub timeout: Option<Duration>,
    /// Retry temporary failures for up to SECS seconds (no limit if omitted)
    #[arg(long, value_name = "SECS", num_args = 0..=1, require_equals = true, default_missing_value = "inf",
          value_parser = wait_limit, help_heading = "What to check")]
    pub wait: Option<WaitLimit>,
    /// Stop after TLS is verified; send no user, database or password
    #[arg(long, conflicts_with = "require_auth", help_heading = "What to check")]
    pub tls_only: bool,
    /// Succeed only if the session is established
    #[arg(long, help_heading = "What to check")]
    pub require_auth: bool,
    /// Which certificates end soon.
    #[command(flatten)]
    pub expiry: ExpiryArgs,
    /// Also judge the certificates as of this date (2026-12-02 or 2026-12-02T15:04:05Z)
    #[arg(long, value_name = "DATE", help_heading = "What to check")]
    pub as_of: Option<Timestamp>,
    /// Which warnings are failures.
    #[command(flatten)]
    pub policy: PolicyArgs,
    /// Make no further connections, neither to distinguish causes nor to try fixes
    #[arg(long, help_heading = "What to check")]
    pub no_try: bool,
    /// Print the effective settings and where each was set; make no connection
    #[arg(long, help_heading = "What to check")]
    pub show_config: bool,

    /// Write a report to FILE too, in FMT or the format of its ending (.json, .xml: junit, .prom, .csv, .md, .html)
    #[arg(long, value_name = "[FMT=]FILE", help_heading = "Output")]
    pub output: Vec<OsString>,

    /// Check every host and every address of a target by itself
    #[arg(long, conflicts_with = "show_config", help_heading = "Many targets")]
    pub each: bool,
    /// Many of them.
    #[command(flatten)]
    pub fleet: FleetArgs,
}

fn wait_limit(text: &str) -> Result<WaitLimit, String> {
    match text {
        "inf" => Ok(WaitLimit::Endless),
        _ => seconds(text).map(WaitLimit::For),
    }
}
