//! `clients`.

use std::ffi::OsString;

use clap::Args;

/// `clients`.
#[derive(Debug, Args)]
pub struct ClientsArgs {
    /// "host=... sslmode=..." or postgresql://..., read as libpq reads it
    #[arg(value_name = "CONNINFO")]
    pub conninfo: Option<OsString>,
    /// This client only, in full; can be given several times
    #[arg(long = "for", value_name = "NAME")]
    pub only: Vec<String>,
    /// Look at the server's own chain and tell the differences by it; no user, database or password is sent
    #[arg(long)]
    pub probe: bool,
}
