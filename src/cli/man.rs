//! `ebbflow man`: manual pages, one for the command and one for each subcommand.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::CommandFactory;

use super::exit::CliError;
use super::{Cli, print};

/// Arguments of `ebbflow man`.
#[derive(clap::Args, Debug)]
pub struct ManArgs {
    /// Write all pages into this folder (without it: the page of `ebbflow` on stdout, for `man -l -`)
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Prints or writes the pages.
pub fn man(arguments: &ManArgs) -> Result<ExitCode, CliError> {
    match &arguments.out {
        Some(folder) => write(folder).map_err(|error| {
            CliError::failed(format!("the pages cannot be written to {}: {error}", folder.display()))
        })?,
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(command()).render(&mut page).map_err(CliError::failed)?;
            print::stdout(&String::from_utf8_lossy(&page)).map_err(CliError::failed)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The command; nobody looks for a page of `ebbflow help`.
fn command() -> clap::Command {
    Cli::command().disable_help_subcommand(true)
}

fn write(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    clap_mangen::generate_to(command(), folder)
}
