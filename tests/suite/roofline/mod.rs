//! The roofline model is as right as it says, judged by what others measured.
//!
//! Nothing measured is kept here: the tables are read from beside the checkout where they are, and the tests say
//! so and pass where they are not. `cargo test --test suite roofline -- --nocapture` prints every group of
//! measurements with its error, and everything that was left out with the reason.

mod constants;
mod data_parallel;
mod kernels;
mod rows;
mod silicon;
mod throughput;

use std::path::PathBuf;

/// A table of measurements beside the checkout, or nothing and a line that says so.
fn measured(file: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(file);
    if path.is_file() {
        return Some(path);
    }
    println!("skipped: {} is not there", path.display());
    None
}
