//! `explain`.

use clap::Args;

/// `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// A diagnosis code, or an error message of psql or a driver; - reads it from standard input
    #[arg(value_name = "CODE|TEXT")]
    pub topic: Vec<String>,
}
