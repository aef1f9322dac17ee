//! `ebbflow report`: makes the page of a finished run.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::registry::Registry;
use crate::report::{self, FinishedRun};

use super::exit::CliError;
use super::print;

/// Arguments of `ebbflow report`.
#[derive(clap::Args, Debug)]
pub struct ReportArgs {
    /// Directories that `ebbflow run` has written
    #[arg(value_name = "DIR", required = true)]
    directories: Vec<PathBuf>,
    /// Write the page here [default: DIR/report.html]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Writes the page of every directory and prints where it is.
pub fn report(arguments: &ReportArgs) -> Result<ExitCode, CliError> {
    if arguments.out.is_some() && arguments.directories.len() > 1 {
        return Err(CliError::bad_input(
            "--out goes with one directory; several keep their pages themselves",
        ));
    }
    for directory in &arguments.directories {
        let run = FinishedRun::open(directory, &Registry::builtin()).map_err(CliError::bad_input)?;
        let place = arguments.out.clone().unwrap_or_else(|| directory.join(report::PAGE_FILE));
        report::write_page(&run, &place).map_err(CliError::failed)?;
        print::stdout(&place.display().to_string()).map_err(CliError::failed)?;
    }
    Ok(ExitCode::SUCCESS)
}
