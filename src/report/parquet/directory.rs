//! Which tables there are, and how they appear: written into a hidden folder, then put in place.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{ParquetError, table};
use crate::results::RUN_FILE;

/// The folders whose tables are written.
const FOLDERS: [&str; 4] = ["requests", "detailed", "lifecycle", "scaling"];

/// Writes the tables of a run directory, and names them.
pub fn write(directory: &Path) -> Result<Vec<PathBuf>, ParquetError> {
    if !directory.join(RUN_FILE).is_file() {
        return Err(ParquetError::NotARun(directory.to_owned()));
    }
    let hidden = tempfile::Builder::new().prefix(".ebbflow-").tempdir_in(directory);
    let hidden = hidden.map_err(io_error("write in", directory))?;
    let mut written = Vec::new();
    for folder in FOLDERS {
        for csv in tables(&directory.join(folder))? {
            let parquet = csv.with_extension("parquet");
            let part = hidden.path().join(format!("{folder}-{}", written.len()));
            table::convert(&csv, &part)?;
            written.push((part, parquet));
        }
    }
    written.into_iter().map(put_in_place).collect()
}

fn put_in_place((part, parquet): (PathBuf, PathBuf)) -> Result<PathBuf, ParquetError> {
    fs::rename(part, &parquet).map_err(io_error("create", &parquet))?;
    Ok(parquet)
}

/// The CSV files of a folder by name; none where there is no folder, as a run without rows of requests has
/// no `requests/`.
fn tables(folder: &Path) -> Result<Vec<PathBuf>, ParquetError> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(folder).map_err(io_error("list", folder))?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path()).map_err(io_error("list", folder)));
    let mut paths = paths.collect::<Result<Vec<_>, _>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "csv"));
    paths.sort();
    Ok(paths)
}

pub fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ParquetError {
    let path = path.to_owned();
    move |source| ParquetError::Io { action, path, source }
}
