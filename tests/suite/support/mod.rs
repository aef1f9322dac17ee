//! What the promises are checked with.

pub mod desk;
pub mod generate;
pub mod golden;
pub mod policies;
pub mod run;
pub mod scaling;
pub mod scenarios;
pub mod schema;
pub mod shipped;

use std::path::{Path, PathBuf};

pub use run::{run, run_scenario, run_with};

/// The folder of the repository.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A folder of reference material beside the checkout (`EBBFLOW_GOLDEN` says where `golden` is instead).
/// Absent: none, and a line that says so.
pub fn reference(name: &str) -> Option<PathBuf> {
    let folder = match std::env::var_os("EBBFLOW_GOLDEN") {
        Some(golden) if name == "golden" => PathBuf::from(golden),
        _ => repository().join("../shared").join(name),
    };
    if !folder.is_dir() {
        println!("skipped: {} is absent", folder.display());
        return None;
    }
    Some(folder)
}
