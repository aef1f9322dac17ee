//! Finished runs for the tests of this room, straight from memory.

use ebbflow_actors::Runner;

use super::FinishedRun;
use crate::registry::Registry;
use crate::scenario;
use crate::simulation::{self, RunOptions};
use crate::workload;

/// The built-in scenario with these overrides.
pub fn run(overrides: &[&str]) -> FinishedRun {
    let overrides: Vec<String> = overrides.iter().map(ToString::to_string).collect();
    let registry = Registry::builtin();
    let scenario = scenario::builtin(&overrides, &registry).unwrap();
    let applications: Vec<_> = scenario.applications.iter().map(|application| application.id).collect();
    let workload = workload::open(&scenario.workload, &applications, scenario.seed).unwrap();
    let options = RunOptions { runner: Runner::Sequential, ..RunOptions::default() };
    let results = simulation::run(&scenario, workload, &registry, &options).unwrap();
    FinishedRun::in_memory(results, &scenario)
}
