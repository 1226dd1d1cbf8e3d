//! `roots`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

const EXAMPLES: &str = "Examples:
  what is in a root file, and what libpq makes of it
    pgtls-check roots show root.crt
  whether it is right for a server
    pgtls-check roots check root.crt --host mydb.postgres.database.azure.com
  the roots that a provider's servers need
    pgtls-check roots export azure-flexible --output azure.pem";

const LIST: &str = "Example:
  which providers' roots there are, and when they expire
    pgtls-check roots list";

const SHOW: &str = "Example:
  what is in a root file, and what libpq makes of it
    pgtls-check roots show root.crt";

const CHECK: &str = "Examples:
  whether a root file is right for a server
    pgtls-check roots check root.crt --host mydb.postgres.database.azure.com
  in a job, for all servers of a provider: a root that expires within 90 days is a failure
    pgtls-check roots check root.crt --provider aws-rds --expires-within 90 --strict";

const EXPORT: &str = "Examples:
  the roots that a provider's servers need
    pgtls-check roots export azure-flexible --output azure.pem
  the same again, when they have changed
    pgtls-check roots export azure-flexible --output azure.pem --force";

const CONVERT: &str = "Example:
  a root file that was downloaded as DER, or pasted without its line ends
    pgtls-check roots convert root.cer --output root.pem";

/// Show a root file, compare it with a provider's roots, export a provider's roots, or convert a file to PEM.
#[derive(Clone, Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct RootsArgs {
    /// What to do; without it, list the bundles.
    #[command(subcommand)]
    pub action: Option<RootsAction>,
}

/// What `roots` does.
#[derive(Clone, Debug, Subcommand)]
pub enum RootsAction {
    /// List the bundles that ship with pgtls-check, with dates and sources.
    #[command(before_help = LIST)]
    List,
    /// List what a file contains, and what libpq ignores or rejects in it.
    #[command(before_help = SHOW)]
    Show {
        /// A root file.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Compare a root file with the roots a provider uses now or has announced.
    #[command(before_help = CHECK)]
    Check(CheckArgs),
    /// Export a provider's current roots as a root file.
    #[command(before_help = EXPORT)]
    Export(ExportArgs),
    /// Write the certificates of a file as PEM: of a DER file, UTF-16, or PEM altered by quotes, lost line ends and the like.
    #[command(before_help = CONVERT)]
    Convert(ConvertArgs),
}

/// `roots check`.
#[derive(Clone, Debug, Args)]
pub struct CheckArgs {
    /// A root file.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The server that the file is for; its name determines provider and region.
    #[arg(long, value_name = "HOST")]
    pub host: Option<String>,
    /// The provider that the file is for: an identifier from roots list.
    #[arg(long, value_name = "PROVIDER")]
    pub provider: Option<String>,
    /// Warn about certificates that expire within DAYS days.
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    pub expires_within: u16,
    /// Turn warnings into failures with exit status 10.
    #[arg(long)]
    pub strict: bool,
}

/// `roots export`.
#[derive(Clone, Debug, Args)]
pub struct ExportArgs {
    /// An identifier from roots list.
    #[arg(value_name = "PROVIDER")]
    pub provider: String,
    /// Write to a file instead of standard output.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Replace the file if it exists.
    #[arg(long, requires = "output")]
    pub force: bool,
}

/// `roots convert`.
#[derive(Clone, Debug, Args)]
pub struct ConvertArgs {
    /// The file to read.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Write to a file instead of standard output.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Replace the file if it exists.
    #[arg(long, requires = "output")]
    pub force: bool,
}
