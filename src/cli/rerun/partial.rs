//! A run that ended before its time, against one that did not: every request that the first one completed must
//! have gone the same way in the second. They are compared by their rows in `requests/`.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

/// How far two runs agree.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Agreement {
    /// Requests that the first run completed.
    pub completed: usize,
    /// Those that went another way in the second, by name; the first few.
    pub different: Vec<String>,
    /// How many that are.
    pub different_count: usize,
}

/// The rows cannot be read.
#[derive(Debug, thiserror::Error)]
#[error(
    "the run ended early, so its requests have to be compared one by one, but {} cannot be read: {source} (was it made \
     with --results summary?)",
    path.display()
)]
pub struct NoRows {
    path: PathBuf,
    source: io::Error,
}

/// A cell of the rows of completed requests, and of no others.
const COMPLETED: &str = ",completed,";

/// How many requests are named.
const NAMED: usize = 5;

/// Compares the rows of two run directories.
pub fn compare(first: &Path, second: &Path) -> Result<Agreement, NoRows> {
    let folder = first.join("requests");
    let unreadable = |source| NoRows { path: folder.clone(), source };
    let mut names = fs::read_dir(&folder)
        .and_then(|entries| entries.map(|entry| Ok(entry?.file_name())).collect::<io::Result<Vec<_>>>())
        .map_err(unreadable)?;
    if names.is_empty() {
        return Err(unreadable(io::Error::new(io::ErrorKind::NotFound, "it is empty")));
    }
    names.sort();
    let mut agreement = Agreement::default();
    for name in names {
        let before = read(&folder.join(&name))?;
        let now = read(&second.join("requests").join(&name))?;
        agreement.count(&before, &now);
    }
    Ok(agreement)
}

fn read(path: &Path) -> Result<String, NoRows> {
    fs::read_to_string(path).map_err(|source| NoRows { path: path.to_owned(), source })
}

impl Agreement {
    /// Looks for every row of `before` in `now`; traces may name several requests alike.
    fn count(&mut self, before: &str, now: &str) {
        let mut rows: BTreeMap<&str, usize> = BTreeMap::new();
        for row in now.lines() {
            *rows.entry(row).or_default() += 1;
        }
        for row in before.lines().filter(|row| row.contains(COMPLETED)) {
            self.completed += 1;
            match rows.get_mut(row) {
                Some(count) if *count > 0 => *count -= 1,
                _ => self.differs(row),
            }
        }
    }

    fn differs(&mut self, row: &str) {
        self.different_count += 1;
        if self.different.len() < NAMED {
            self.different.push(row.split(',').next().unwrap_or_default().to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_the_first_must_be_among_those_of_the_second() {
        let mut agreement = Agreement::default();
        let before = "id,outcome,s\n1,completed,5\n2,completed,7\n2,completed,7\n4,unfinished,\n";
        agreement.count(before, "id,outcome,s\n2,completed,7\n1,completed,6\n3,completed,9\n");
        let different = vec!["1".to_owned(), "2".to_owned()];
        assert_eq!(agreement, Agreement { completed: 3, different, different_count: 2 });
    }
}
