//! How a command can fail, and the exit code each failure has.

use std::error::Error;
use std::process::ExitCode;

use crate::scenario::ScenarioErrors;

use super::print;

/// The run failed, or the disk did.
pub const FAILED: u8 = 1;
/// The scenario, the trace or the arguments are wrong.
pub const BAD_INPUT: u8 = 2;
/// The run is complete, but an objective is not met.
pub const BREACH: u8 = 3;
/// Ctrl-C, as shells count it: 128 + SIGINT.
pub const INTERRUPTED: u8 = 130;

/// Why a command did not do what it should.
#[derive(Debug)]
pub enum CliError {
    /// Problems in the scenario file.
    Scenario(ScenarioErrors),
    /// Anything else the user has to correct.
    BadInput(Box<dyn Error>),
    /// Anything the user could not know.
    Failed(Box<dyn Error>),
}

impl CliError {
    /// The user has to correct this.
    pub fn bad_input(error: impl Into<Box<dyn Error>>) -> Self {
        CliError::BadInput(error.into())
    }

    /// Something failed.
    pub fn failed(error: impl Into<Box<dyn Error>>) -> Self {
        CliError::Failed(error.into())
    }

    /// Prints the error on stderr and gives the exit code.
    pub fn report(self) -> ExitCode {
        match self {
            CliError::Scenario(errors) => {
                print::stderr(&format!("{:?}", miette::Report::new(errors.report())));
                ExitCode::from(BAD_INPUT)
            }
            CliError::BadInput(error) => {
                print::stderr(&format!("error: {error}"));
                ExitCode::from(BAD_INPUT)
            }
            CliError::Failed(error) => {
                print::stderr(&format!("error: {error}"));
                ExitCode::from(FAILED)
            }
        }
    }
}
