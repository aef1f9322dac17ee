//! `ebbflow completions`: what a shell needs to complete commands and options.

use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::Shell;

use super::exit::CliError;
use super::{Cli, print};

/// How to have them, for `--help`.
const HOW: &str = "\
For example:
  bash        ebbflow completions bash > ~/.local/share/bash-completion/completions/ebbflow
  zsh         ebbflow completions zsh > DIR/_ebbflow, where DIR is in $fpath
  fish        ebbflow completions fish > ~/.config/fish/completions/ebbflow.fish
  powershell  ebbflow completions powershell | Out-String | Invoke-Expression";

/// Arguments of `ebbflow completions`.
#[derive(clap::Args, Debug)]
#[command(after_help = HOW)]
pub struct CompletionsArgs {
    /// For which shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the completions.
pub fn completions(arguments: &CompletionsArgs) -> Result<ExitCode, CliError> {
    let mut text = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "ebbflow", &mut text);
    print::stdout(&String::from_utf8_lossy(&text)).map_err(CliError::failed)?;
    Ok(ExitCode::SUCCESS)
}
