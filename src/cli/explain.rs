//! `explain`.

use clap::Args;

/// `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// A diagnosis code, or a line that psql or a driver printed; `-` reads it from standard input
    #[arg(value_name = "CODE|TEXT")]
    pub topic: Vec<String>,
}
