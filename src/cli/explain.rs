//! `explain`.

use clap::Args;

const EXAMPLES: &str = "Examples:
  a diagnosis in full
    pgtls-check explain hostname-mismatch
  what an error text of a driver can mean
    pgtls-check explain \"x509: certificate signed by unknown authority\"
  a term, or a line of pg_hba.conf
    pgtls-check explain \"hostssl all all 0.0.0.0/0 scram-sha-256\"";

/// `explain`.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct ExplainArgs {
    /// A diagnosis code, or an error message of psql or a driver; - reads it from standard input
    #[arg(value_name = "CODE|TEXT")]
    pub topic: Vec<String>,
}
