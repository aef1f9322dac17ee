//! The tables below a folder.

use std::path::{Path, PathBuf};

use super::{LookupError, may_be_table};

/// Deeper than any collection of tables lies; a link back to a folder above would have no end.
const DEEPEST: usize = 16;

/// The file itself, or everything below the folder that may be a table, in order of the paths.
pub(super) fn tables(path: &Path) -> Result<Vec<PathBuf>, LookupError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    look_into(path, 0, &mut found)?;
    found.sort();
    Ok(found)
}

fn look_into(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), LookupError> {
    let unreadable = |source| LookupError::Unreadable { path: folder.to_owned(), source };
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_dir() && depth < DEEPEST {
            look_into(&path, depth + 1, found)?;
        } else if path.is_file() && may_be_table(&path) {
            found.push(path);
        }
    }
    Ok(())
}
