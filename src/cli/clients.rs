//! `clients`.

use std::ffi::OsString;

use clap::Args;

/// `clients`.
#[derive(Debug, Args)]
pub struct ClientsArgs {
    /// "host=... sslmode=..." or postgresql://..., read as libpq reads it
    #[arg(value_name = "CONNINFO")]
    pub conninfo: Option<OsString>,
    /// Show only this client, in full; can be repeated
    #[arg(long = "for", value_name = "NAME")]
    pub only: Vec<String>,
    /// Connect to include differences that depend on the server's certificate; send no user, database or password
    #[arg(long)]
    pub probe: bool,
}
