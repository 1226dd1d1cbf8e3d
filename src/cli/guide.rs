//! `guide`.

use clap::Args;

const EXAMPLES: &str = "Examples:
  the pages there are
    pgtls-check guide
  a server at Azure, step by step
    pgtls-check guide azure
  what each driver makes of its connection string
    pgtls-check guide drivers";

/// `guide`.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct GuideArgs {
    /// The page to show; without it, list the pages
    #[arg(value_name = "TOPIC")]
    pub topic: Option<String>,
}
