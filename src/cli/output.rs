//! The files of a run: rows of requests while it goes on, everything else when it has ended.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::registry::Registry;
use crate::report::{FinishedRun, PAGE_FILE, write_page};
use crate::results::{self, DirectoryError, Keep, Report, RequestWriter, RunDirectory, RunResults, Staging};
use crate::scenario::Scenario;

use super::exit::CliError;
use super::options::Files;
use super::print;

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

    /// Writes the rest, with a page if there is a registry to open the run with, and puts the directory in
    /// place, which is returned.
    pub fn complete(
        self,
        results: &RunResults,
        report: &Report,
        scenario: &Scenario,
        page: Option<&Registry>,
    ) -> Result<PathBuf, DirectoryError> {
        self.writer.map_or(Ok(()), RequestWriter::finish)?;
        results::write_summary(self.staging.path(), results, report, &scenario.resolved, scenario.debug)?;
        if let Some(registry) = page {
            draw(self.staging.path(), registry);
        }
        self.staging.publish()
    }
}

/// Makes the page. A run is worth keeping without one.
fn draw(directory: &Path, registry: &Registry) {
    let page = directory.join(PAGE_FILE);
    let drawn = FinishedRun::open(directory, registry)
        .map_err(|error| error.to_string())
        .and_then(|run| write_page(&run, &page).map_err(|error| error.to_string()));
    if let Err(error) = drawn {
        let _ = std::fs::remove_file(page);
        print::stderr(&format!("note: there is no {PAGE_FILE}: {error}"));
    }
}

/// The error with its exit code.
pub fn directory_error(error: DirectoryError) -> CliError {
    if error.is_refusal() { CliError::bad_input(error) } else { CliError::failed(error) }
}
