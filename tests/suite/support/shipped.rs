//! The scenarios that come with Ebbflow.

use std::path::PathBuf;

use super::repository;

/// All of them, in `configs/` and `configs/autoscalers/`, sorted.
pub fn shipped() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        ["configs", "configs/autoscalers"].into_iter().flat_map(in_folder).collect();
    files.sort();
    files
}

/// Those in this folder of the repository, sorted.
pub fn in_folder(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(repository().join(folder)).expect("it is part of the repository");
    let paths = entries.map(|entry| entry.expect("it can be listed").path());
    let mut files: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|extension| extension == "yaml")).collect();
    files.sort();
    files
}
