//! `audit`.

use std::ffi::OsString;
use std::time::Duration;

use clap::Args;

use super::target::{ConnectionArgs, DialectArgs, FleetArgs, PolicyArgs, in_custody, seconds};
use crate::evidence::audit::Profile;
use crate::secret::Secret;
use crate::text::nearest;

const AUDIT: &str = "The server is first checked as with --tls-only. Then each offer is tried on its own connection: 20 to 100 connections, at \
     most 6 at a time, all within connect_timeout (10 s if it is not set). They send the server's name, but no user, \
     database or password of yours. If the server was verified, a last connection without TLS requests a session as user \
     \"pgtls-check\" on the database \"postgres\". Most of the connections leave a line in the server's log.";

const EXAMPLES: &str = "Examples:
  what the server accepts, judged
    pgtls-check audit \"sslmode=verify-full host=db.example.com\"
  a fleet, as a table
    pgtls-check audit --policy intermediate --from fleet.txt --output audit.csv
  in CI: fail if it accepts sessions without TLS
    pgtls-check audit --deny plaintext-accepted \"host=db.example.com\"";

/// `audit`.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES, after_help = AUDIT)]
pub struct AuditArgs {
    /// The servers: "host=... sslmode=..." or postgresql://...
    #[arg(value_name = "CONNINFO", value_parser = in_custody())]
    pub conninfo: Vec<Secret>,
    /// Where to, over the string.
    #[command(flatten)]
    pub connection: ConnectionArgs,
    /// Whose strings they are.
    #[command(flatten)]
    pub dialect: DialectArgs,
    /// Time limit for each target
    #[arg(long, value_name = "SECS", value_parser = seconds, help_heading = "What to check")]
    pub timeout: Option<Duration>,
    /// Fail with exit status 10 if a server does not meet this policy (azure, modern, intermediate: Mozilla's, 6.0)
    #[arg(long = "policy", value_name = "NAME", value_parser = profile, help_heading = "What to check")]
    pub profile: Option<Profile>,
    /// Which warnings are failures.
    #[command(flatten)]
    pub policy: PolicyArgs,
    /// Write a report to FILE too, in FMT or the format of its ending (.json, .xml: junit, .prom, .csv, .md, .html)
    #[arg(long, value_name = "[FMT=]FILE", help_heading = "Output")]
    pub output: Vec<OsString>,
    /// Audit every host and every address of a target by itself
    #[arg(long, help_heading = "Many targets")]
    pub each: bool,
    /// Many of them.
    #[command(flatten)]
    pub fleet: FleetArgs,
}

fn profile(name: &str) -> Result<Profile, String> {
    Profile::ALL.into_iter().find(|profile| profile.name() == name).ok_or_else(|| {
        let names = Profile::ALL.map(Profile::name);
        match nearest(name, names) {
            Some(near) => format!("no policy is known by this name; did you mean {near}?"),
            None => format!("no policy is known by this name; known are {}", names.join(", ")),
        }
    })
}
