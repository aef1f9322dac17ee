//! The files of a run: rows of requests while it goes on, everything else when it has ended.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::results::{self, DirectoryError, Keep, Report, RequestWriter, RunDirectory, RunResults, Staging};
use crate::scenario::Scenario;

use super::exit::CliError;
use super::options::Files;

/// A run directory that is being filled.
pub struct Output {
    staging: Staging,
    writer: Option<RequestWriter>,
}

impl Output {
    /// Opens the directory; nothing is seen of it until it is complete.
    pub fn open(directory: &RunDirectory) -> Result<Self, CliError> {
        Ok(Output { staging: directory.stage().map_err(directory_error)?, writer: None })
    }

    /// What to remove if the process must end at once.
    pub fn hidden(&self) -> &Path {
        self.staging.hidden()
    }

    /// Starts to write, and says what becomes of requests. `interrupt` ends the run when that fails.
    pub fn start(
        &mut self,
        files: Files,
        scenario: &Scenario,
        interrupt: &Arc<AtomicBool>,
    ) -> Result<Keep, CliError> {
        if files == Files::Summary {
            return Ok(Keep::Figures);
        }
        let applications: Vec<_> = scenario.applications.iter().map(|application| application.id).collect();
        let writer = RequestWriter::start(self.staging.path(), &applications, Arc::clone(interrupt));
        let writer = self.writer.insert(writer.map_err(CliError::failed)?);
        Ok(Keep::Rows(writer.feed()))
    }

    /// Writes the rest and puts the directory in place, which is returned.
    pub fn complete(
        self,
        results: &RunResults,
        report: &Report,
        scenario: &Scenario,
    ) -> Result<PathBuf, DirectoryError> {
        self.writer.map_or(Ok(()), RequestWriter::finish)?;
        results::write_summary(self.staging.path(), results, report, &scenario.resolved, scenario.debug)?;
        self.staging.publish()
    }
}

/// The error with its exit code.
pub fn directory_error(error: DirectoryError) -> CliError {
    if error.is_refusal() { CliError::bad_input(error) } else { CliError::failed(error) }
}
