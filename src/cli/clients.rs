//! `clients`.

use clap::Args;

use super::target::{DialectArgs, in_custody};
use crate::secret::Secret;

const EXAMPLES: &str = "Examples:
  the same verified connection for every driver
    pgtls-check clients \"host=db.example.com sslrootcert=roots.pem\"
  for one of them, in full
    pgtls-check clients --for jdbc \"host=db.example.com\"
  a driver's string as it should be
    pgtls-check clients --from 'jdbc:postgresql://db.example.com/app?sslmode=require'";

/// `clients`.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct ClientsArgs {
    /// "host=... sslmode=..." or postgresql://..., read as libpq reads it, or another driver's string
    #[arg(value_name = "CONNINFO", value_parser = in_custody())]
    pub conninfo: Option<Secret>,
    /// Show another driver's string beside the same string as it verifies chain and name, without secrets
    #[arg(long, value_name = "STRING", value_parser = in_custody(), conflicts_with_all = ["conninfo", "only", "probe"])]
    pub from: Option<Secret>,
    /// Whose strings they are.
    #[command(flatten)]
    pub dialect: DialectArgs,
    /// Show only this client, in full; can be repeated
    #[arg(long = "for", value_name = "NAME")]
    pub only: Vec<String>,
    /// Connect to include differences that depend on the server's certificate; send no user, database or password
    #[arg(long)]
    pub probe: bool,
}
