//! `demo`.

use clap::Args;

/// `demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// The fault to stage; without one the server is healthy
    #[arg(value_name = "FAULT")]
    pub fault: Option<String>,
    /// List the faults
    #[arg(long, conflicts_with_all = ["fault", "serve"])]
    pub list: bool,
    /// Keep the server up and print the connection string, for psql or an application of your own
    #[arg(long)]
    pub serve: bool,
}
