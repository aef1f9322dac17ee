//! Tables of a run directory as [Parquet](https://parquet.apache.org), each beside its CSV.
//!
//! The same rows in the same order under the same column names, with types: seconds, watts and dollars are
//! doubles, ids and counts are 64-bit integers, everything else is text, and what is empty is null. They are
//! `requests/`, `detailed/`, `lifecycle/` and `scaling/`; the other files are sums of these, or the
//! iteration logs of `debug`, for which CSV has to do.
//!
//! The writer comes with the cargo feature `parquet`, for the crates that it needs. This module is there
//! without it and says so.

#[cfg(any(feature = "parquet", test))]
mod columns;
#[cfg(feature = "parquet")]
mod directory;
#[cfg(feature = "parquet")]
mod table;

use std::io;
use std::path::{Path, PathBuf};

/// Tables that could not be written as Parquet.
#[derive(Debug, thiserror::Error)]
pub enum ParquetError {
    /// The feature is off.
    #[error(
        "this ebbflow was built without Parquet; build one with it: cargo build --release --features parquet"
    )]
    NotBuilt,
    /// The directory holds no run.
    #[error("{} is not a run directory (it holds no run.json); name one that `ebbflow run` has written", .0.display())]
    NotARun(PathBuf),
    /// The operating system says no.
    #[error("cannot {action} {}: {source}", .path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which path.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file that is no table.
    #[error("{}: {source}", .path.display())]
    Csv {
        /// The file.
        path: PathBuf,
        /// Where, and what is wrong.
        source: csv::Error,
    },
    /// A table of another version of Ebbflow, or of something else.
    #[error("{}: this version of Ebbflow has no column `{column}`: run the scenario again", .path.display())]
    Column {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
    },
    /// A cell that does not say what it should.
    #[error("{}:{line}: {column} is `{found}`; expected {expected}", .path.display())]
    Cell {
        /// The file.
        path: PathBuf,
        /// Its line.
        line: u64,
        /// The column.
        column: String,
        /// What it says.
        found: String,
        /// What it should say.
        expected: &'static str,
    },
    /// The Parquet writer gave up, most often because the disk did.
    #[error("cannot write {}: {problem}", .path.display())]
    Encode {
        /// The file.
        path: PathBuf,
        /// What it said.
        problem: String,
    },
}

impl ParquetError {
    /// Whether the user's choice of directory or of binary is at fault, rather than the disk.
    pub fn is_refusal(&self) -> bool {
        matches!(self, ParquetError::NotBuilt | ParquetError::NotARun(_))
    }
}

/// Writes the tables of a run directory as Parquet, over those of an earlier call, and names them. All of
/// them appear, or none.
///
/// # Errors
/// The feature is off, the directory is none of a run, or a file cannot be read or written.
#[cfg(feature = "parquet")]
pub fn write(directory: &Path) -> Result<Vec<PathBuf>, ParquetError> {
    directory::write(directory)
}

/// Says that the feature is off.
///
/// # Errors
/// Always: [`ParquetError::NotBuilt`].
#[cfg(not(feature = "parquet"))]
pub fn write(_directory: &Path) -> Result<Vec<PathBuf>, ParquetError> {
    Err(ParquetError::NotBuilt)
}
