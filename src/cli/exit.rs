//! How a command can fail, and the exit code each failure has.

use std::error::Error;
use std::process::ExitCode;

use crate::diagnosis::Findings;
use crate::performance::TimingError;
use crate::simulation::SimulationError;

use super::findings::Look;
use super::print;

/// The run failed, or the disk did.
pub const FAILED: u8 = 1;
/// The scenario, the trace or the arguments are wrong.
pub const BAD_INPUT: u8 = 2;
/// The run is complete, but an objective is not met.
pub const BREACH: u8 = 3;
/// Ctrl-C, as shells count it: 128 + SIGINT.
pub const INTERRUPTED: u8 = 130;

impl From<SimulationError> for CliError {
    /// What only shows when the fleet is built is for the user to correct, too.
    fn from(error: SimulationError) -> Self {
        CliError::Findings(match error {
            SimulationError::Performance(TimingError::Lookup(error)) | SimulationError::Table(error) => {
                error.findings()
            }
            SimulationError::Workload(error) => error.findings(),
            other => Findings::general(other.to_string(), None),
        })
    }
}

/// Why a command did not do what it should.
#[derive(Debug)]
pub enum CliError {
    /// What the user has to correct, with its places.
    Findings(Findings),
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
            CliError::Findings(findings) => {
                print::stderr(&Look::of_stderr().render(&findings));
                ExitCode::from(BAD_INPUT)
            }
            CliError::BadInput(error) => {
                CliError::Findings(Findings::general(error.to_string(), None)).report()
            }
            CliError::Failed(error) => {
                print::stderr(&format!("error: {error}"));
                ExitCode::from(FAILED)
            }
        }
    }
}
