//! The files of a run directory, one module a file, which knows how it is written and read back.
//!
//! Names and columns of the ancestor's files are the ancestor's (`summary.csv`, `detailed/`,
//! `request_nodes.csv`, `scaling/`, `simulator.csv`, `instances/`); the others are ours. Everything but
//! `run.json` depends on the simulated facts alone: equal digests give equal bytes.

mod alloc;
mod classes;
mod detailed;
mod engines;
mod iterations;
mod journal;
mod lifecycle;
mod links;
mod not_completed;
mod read;
mod request_nodes;
mod requests;
mod rows;
mod scaling;
mod scanner;
mod servers;
mod simulator;
mod summary;
mod table;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::directory::RUN_FILE;
use super::report::Report;
use super::{ApplicationResults, RunResults};

pub use read::{ReadError, read};
pub(super) use requests::RequestFiles;

/// The file that holds the scenario with every default filled in, ready to be run again.
pub const SCENARIO_FILE: &str = "scenario.yaml";

/// A file that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}: {source}", .path.display())]
pub struct WriteError {
    path: PathBuf,
    source: io::Error,
}

impl WriteError {
    /// What happened, and to which file.
    pub fn new(path: &Path, source: io::Error) -> Self {
        WriteError { path: path.to_owned(), source }
    }
}

/// Writes all files of a run, whose requests were kept, into `directory`, which exists and is empty. `scenario` is the resolved
/// scenario text; `debug` asks for the iteration logs.
pub fn write_all(
    directory: &Path,
    results: &RunResults,
    report: &Report,
    scenario: &str,
    debug: bool,
) -> Result<(), WriteError> {
    let applications: Vec<_> = results.applications.iter().map(|application| application.id).collect();
    let mut files = RequestFiles::create(directory, &applications)?;
    let requests = results.applications.iter().flat_map(|application| &application.requests);
    files.write(requests.map(|ended| (ended.request.as_ref(), &ended.fate)))?;
    files.finish()?;
    write_summary(directory, results, report, scenario, debug)
}

/// Writes all files of a run but those with rows for every request.
pub fn write_summary(
    directory: &Path,
    results: &RunResults,
    report: &Report,
    scenario: &str,
    debug: bool,
) -> Result<(), WriteError> {
    for folder in ["detailed", "lifecycle", "scaling"] {
        create_folder(&directory.join(folder))?;
    }
    summary::write(directory, &report.applications)?;
    classes::write(directory, &report.classes)?;
    simulator::write(directory, results.end)?;
    links::write(directory, &results.links)?;
    for application in &results.applications {
        write_application(directory, application, results, debug)?;
    }
    write_text(&directory.join(SCENARIO_FILE), scenario)?;
    write_text(&directory.join(RUN_FILE), &report.to_json())
}

fn write_application(
    directory: &Path,
    application: &ApplicationResults,
    results: &RunResults,
    debug: bool,
) -> Result<(), WriteError> {
    alloc::write(directory, application, results.end)?;
    lifecycle::write(directory, application)?;
    engines::write(directory, application)?;
    servers::write(directory, application)?;
    if application.has_scaling_manager {
        scaling::write(directory, application)?;
    }
    if debug {
        iterations::write(directory, application)?;
    }
    Ok(())
}

fn create_folder(path: &Path) -> Result<(), WriteError> {
    fs::create_dir_all(path).map_err(|source| WriteError::new(path, source))
}

fn write_text(path: &Path, text: &str) -> Result<(), WriteError> {
    let write = || {
        let mut file = fs::File::create(path)?;
        file.write_all(text.as_bytes())?;
        if text.ends_with('\n') { Ok(()) } else { file.write_all(b"\n") }
    };
    write().map_err(|source| WriteError::new(path, source))
}

#[cfg(test)]
mod tests;
