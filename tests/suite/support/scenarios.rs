//! Scenario texts, and reading them.

use std::path::Path;

use ebbflow::registry::Registry;
use ebbflow::scenario::{self, Scenario, ScenarioErrors};

/// A scenario with nothing to complain about.
pub const GOOD: &str = "\
cluster:
  servers:
    - {sku: dgx-h100, count: 4}
applications:
  - model_architecture: llama2-70b
    model_size: llama2-70b-fp16
    scheduler: jsq
    scaling_manager: {}
workload: {preset: azure-conv, requests: 10}
";

/// Reads a text as the file `test.yaml`, changed by overrides.
pub fn read(text: &str, overrides: &[&str]) -> Result<Scenario, ScenarioErrors> {
    let overrides: Vec<String> = overrides.iter().map(|given| (*given).to_owned()).collect();
    scenario::from_yaml("test.yaml", text, Path::new(""), &overrides, &Registry::builtin())
}

/// Reads a text that is a scenario.
pub fn scenario(text: &str) -> Scenario {
    read(text, &[]).unwrap_or_else(|problems| panic!("{problems}\nin\n{text}"))
}
