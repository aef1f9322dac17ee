//! What is made of a finished run for people to look at: pages, timelines, explanations.
//!
//! Everything here starts from a [`FinishedRun`], a run directory read back. So what is shown of a run
//! when it ends is what anybody can make of its directory later, and nothing here can touch the model.

mod cause;
pub mod data;
pub mod deltas;
pub mod explain;
pub mod exposition;
mod finished;
pub mod journey;
pub mod kv;
pub mod memory;
pub mod page;
pub mod parquet;
pub mod repeat;
#[cfg(test)]
mod samples;
pub mod series;
mod sketch;
pub mod timeline;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

pub use cause::{Cause, Causes};
pub use finished::{FinishedRun, OpenError};
pub use sketch::Sketch;

/// The page in a run directory.
pub const PAGE_FILE: &str = "report.html";

/// A page that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}: {source}", .path.display())]
pub struct PageError {
    path: PathBuf,
    source: io::Error,
}

/// The page of a run.
pub fn page_of(run: &FinishedRun) -> String {
    let name = run.name();
    page::render(&format!("{name} · Ebbflow"), &data::RunData::of(run).to_json())
}

/// Writes the page of a run.
///
/// # Errors
/// A file that cannot be written.
pub fn write_page(run: &FinishedRun, path: &Path) -> Result<(), PageError> {
    write(path, &page_of(run))
}

/// Writes a page.
///
/// # Errors
/// A file that cannot be written.
pub fn write(path: &Path, page: &str) -> Result<(), PageError> {
    fs::write(path, page).map_err(|source| PageError { path: path.to_owned(), source })
}
