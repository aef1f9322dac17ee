//! Autoscalers against the expectations of their own authors' tests.
//!
//! The cases lie in the folder that `EBBFLOW_VECTORS` names, or beside the checkout; without them the tests
//! say so and pass. Every case of a file is run, or left out with a printed reason.

mod aibrix;
mod dynamo;
mod hpa;
mod keda;
mod kpa;
mod ray;
mod token_aware;
mod wva;

use std::path::PathBuf;

use serde_json::Value;

/// What became of a case.
pub enum Verdict {
    /// As the original.
    Passed,
    /// Not as the original: what was expected, and what was found.
    Failed(String),
    /// Not run, for this reason.
    LeftOut(&'static str),
}

impl Verdict {
    /// Compares what was found with what the case expects.
    pub fn of<T: PartialEq + std::fmt::Debug>(found: T, expected: T) -> Self {
        if found == expected {
            Verdict::Passed
        } else {
            Verdict::Failed(format!("expected {expected:?}, found {found:?}"))
        }
    }
}

/// Runs every case of a file and prints the tally; fails unless at least 95 % have passed.
pub fn replay(file: &str, run: impl Fn(&Value) -> Verdict) {
    let Some(path) = folder().map(|folder| folder.join(file)).filter(|path| path.is_file()) else {
        println!("{file}: not there; set EBBFLOW_VECTORS to the folder of the vectors");
        return;
    };
    let text = std::fs::read_to_string(&path).unwrap();
    let vectors: Value = serde_json::from_str(&text).unwrap();
    let cases = vectors["cases"].as_array().unwrap();
    let (mut passed, mut failed, mut left_out) = (0, 0, 0);
    for case in cases {
        let id = case["id"].as_str().unwrap();
        match run(case) {
            Verdict::Passed => passed += 1,
            Verdict::Failed(why) => {
                failed += 1;
                println!("{file} {id}: {why}");
            }
            Verdict::LeftOut(reason) => {
                left_out += 1;
                println!("{file} {id}: left out, {reason}");
            }
        }
    }
    println!("{file}: {passed} passed, {failed} failed, {left_out} left out, of {}", cases.len());
    assert!(passed + failed > 0, "{file}: no case was run");
    assert!(f64::from(passed) >= 0.95 * f64::from(passed + failed + left_out), "{file}: see the cases above");
}

fn folder() -> Option<PathBuf> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors");
    let folder = std::env::var_os("EBBFLOW_VECTORS").map_or_else(beside, PathBuf::from);
    folder.is_dir().then_some(folder)
}
