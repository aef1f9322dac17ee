//! What to simulate, as the command line names it: a scenario file or the built-in one, with overrides.

use std::path::{Path, PathBuf};

use crate::registry::Registry;
use crate::scenario::{self, Scenario};
use crate::workload::{self, Workload};

use super::exit::CliError;

/// The positional arguments.
#[derive(clap::Args, Debug)]
pub struct InputArgs {
    /// A scenario file (none: the built-in scenario), and any number of overrides of its keys, e.g.
    /// cluster.servers.0.count=4; what contains `=` is an override
    #[arg(value_name = "SCENARIO.yaml | KEY=VALUE")]
    inputs: Vec<String>,
}

/// A scenario and changes to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Input {
    /// The file; none: the built-in scenario.
    pub scenario: Option<PathBuf>,
    /// `KEY=VALUE`, later ones win.
    pub overrides: Vec<String>,
}

impl InputArgs {
    /// Tells the scenario from the overrides.
    pub fn split(&self) -> Result<Input, CliError> {
        let (overrides, files): (Vec<&String>, Vec<&String>) =
            self.inputs.iter().partition(|input| input.contains('='));
        if let [first, second, ..] = files[..] {
            return Err(CliError::bad_input(format!(
                "`{first}` and `{second}`: only one scenario can be run at a time; an override is written KEY=VALUE"
            )));
        }
        let scenario = files.first().map(PathBuf::from);
        Ok(Input { scenario, overrides: overrides.into_iter().cloned().collect() })
    }
}

impl Input {
    /// Adds the override that makes a trace the workload.
    pub fn replay(&mut self, trace: &Path) {
        // A JSON string is a YAML string, whatever the path contains.
        let quoted = serde_json::Value::from(trace.to_string_lossy()).to_string();
        self.overrides.push(format!("trace={quoted}"));
    }

    /// Loads the scenario.
    pub fn scenario(&self, registry: &Registry) -> Result<Scenario, CliError> {
        let loaded = match &self.scenario {
            Some(path) => scenario::load(path, &self.overrides, registry),
            None => scenario::builtin(&self.overrides, registry),
        };
        loaded.map_err(CliError::Scenario)
    }

    /// Loads the scenario and opens its workload, reporting every problem of the file at once.
    pub fn load(&self, registry: &Registry) -> Result<(Scenario, Workload), CliError> {
        let mut scenario = self.scenario(registry)?;
        let applications: Vec<_> = scenario.applications.iter().map(|application| application.id).collect();
        let workload = workload::open(&scenario.workload, &applications, scenario.seed);
        let workload = workload.map_err(CliError::bad_input)?;
        if workload.skipped_rows > 0 {
            scenario
                .notes
                .push(format!("{} malformed rows of the trace were skipped", workload.skipped_rows));
        }
        Ok((scenario, workload))
    }
}
