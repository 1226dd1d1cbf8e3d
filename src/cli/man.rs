//! `man`.

use std::path::PathBuf;

use clap::Args;

const EXAMPLES: &str = "Examples:
  read a page
    pgtls-check man roots check | man -l -
  install all pages
    pgtls-check man --directory ~/.local/share/man/man1";

/// `man`.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct ManArgs {
    /// The command whose page to print; without it, the page of pgtls-check itself
    #[arg(value_name = "COMMAND", conflicts_with = "directory")]
    pub command: Vec<String>,
    /// Write the pages of all commands to an existing directory
    #[arg(long, value_name = "DIR")]
    pub directory: Option<PathBuf>,
}
