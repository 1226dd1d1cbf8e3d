//! `demo`.

use clap::Args;

const EXAMPLES: &str = "Examples:
  a healthy server
    pgtls-check demo
  a fault, as it is reported
    pgtls-check demo hostname-mismatch
  the same fault for psql or your application
    pgtls-check demo hostname-mismatch --serve";

/// `demo`.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct DemoArgs {
    /// The fault to demonstrate; without it, the server is healthy
    #[arg(value_name = "FAULT")]
    pub fault: Option<String>,
    /// List the faults
    #[arg(long, conflicts_with_all = ["fault", "serve"])]
    pub list: bool,
    /// Keep the server running and print the connection string, for psql or your application
    #[arg(long)]
    pub serve: bool,
}
