//! `completions`.

use clap::Args;
use clap_complete::Shell;

const EXAMPLES: &str = "Examples:
  bash, a line of ~/.bashrc
    source <(pgtls-check completions bash)
  zsh, a line of ~/.zshrc behind compinit
    source <(pgtls-check completions zsh)
  fish
    pgtls-check completions fish > ~/.config/fish/completions/pgtls-check.fish
  PowerShell, a line of $PROFILE
    pgtls-check completions powershell | Out-String | Invoke-Expression";

/// `completions`.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}
