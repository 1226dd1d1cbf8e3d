//! `demo`.

use clap::Args;

/// `demo`.
#[derive(Debug, Args)]
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
