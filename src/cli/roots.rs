//! `roots`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Look into a root file, hold it against what a provider needs, or write a provider's bundle.
#[derive(Clone, Debug, Args)]
pub struct RootsArgs {
    /// What to do; without it, the bundles are listed.
    #[command(subcommand)]
    pub action: Option<RootsAction>,
}

/// What `roots` does.
#[derive(Clone, Debug, Subcommand)]
pub enum RootsAction {
    /// List the bundles that ship with this tool, with dates and sources.
    List,
    /// List what a file really holds, and what libpq will ignore or refuse in it.
    Show {
        /// A root file.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Hold a root file against what a provider needs now and has announced.
    Check(CheckArgs),
    /// Write a provider's roots as a root file.
    Export(ExportArgs),
}

/// `roots check`.
#[derive(Clone, Debug, Args)]
pub struct CheckArgs {
    /// A root file.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The server the file is for; its name tells the provider and the region.
    #[arg(long, value_name = "HOST")]
    pub host: Option<String>,
    /// The provider the file is for: an identifier from `roots list`.
    #[arg(long, value_name = "PROVIDER")]
    pub provider: Option<String>,
    /// Threshold of the expiry warnings.
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    pub expires_within: u16,
    /// Turn warnings into failures with exit 10.
    #[arg(long)]
    pub strict: bool,
}

/// `roots export`.
#[derive(Clone, Debug, Args)]
pub struct ExportArgs {
    /// An identifier from `roots list`.
    #[arg(value_name = "PROVIDER")]
    pub provider: String,
    /// Write to a file instead of standard output.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Replace the file if it exists.
    #[arg(long, requires = "output")]
    pub force: bool,
}
