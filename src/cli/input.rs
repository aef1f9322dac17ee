//! What to simulate, as the command line names it: a scenario file or the built-in one, with overrides.

use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::registry::Registry;
use crate::scenario::{self, Scenario};
use crate::slo::{BadSlo, Slo};
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
    /// Overrides that the user wrote as options.
    options: Vec<Written>,
}

/// An override that the user wrote as an option.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Written {
    given: String,
    option: String,
    /// Where its value stands in the option.
    value: Range<usize>,
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
        Ok(Input::new(scenario, overrides.into_iter().cloned().collect()))
    }
}

impl Input {
    /// A scenario file, or the built-in scenario, with overrides.
    pub fn new(scenario: Option<PathBuf>, overrides: Vec<String>) -> Self {
        Input { scenario, overrides, options: Vec::new() }
    }

    /// The same overrides of another scenario.
    pub fn of_file(self, scenario: Option<PathBuf>) -> Self {
        Input { scenario, ..self }
    }

    /// Adds an override that the user wrote as the option `name`, with this value or in a part of it.
    pub fn option(&mut self, given: String, name: &str, value: &str, part: &str) {
        let option = format!("{name} {value}").trim_end().to_owned();
        let begin = option.rfind(part).unwrap_or(0);
        self.overrides.push(given.clone());
        self.options.push(Written { given, value: begin..begin + part.len(), option });
    }

    /// Adds the override that makes a trace the workload.
    pub fn replay(&mut self, trace: &Path) {
        // A JSON string is a YAML string, whatever the path contains.
        let quoted = serde_json::Value::from(trace.to_string_lossy()).to_string();
        let path = trace.to_string_lossy();
        self.option(format!("trace={quoted}"), "--trace", &path, &path);
    }

    /// Adds the override that sets the objectives.
    pub fn aim_at(&mut self, objectives: &str) -> Result<(), CliError> {
        let written = format!("--slo {objectives}");
        let wrong = |error: BadSlo| CliError::Findings(error.findings(&written));
        let slo: Slo = objectives.parse().map_err(wrong)?;
        self.option(format!("slo={slo}"), "--slo", objectives, objectives);
        Ok(())
    }

    /// Loads the scenario.
    pub fn scenario(&self, registry: &Registry) -> Result<Scenario, CliError> {
        let loaded = match &self.scenario {
            Some(path) => scenario::load(path, &self.overrides, registry),
            None => scenario::builtin(&self.overrides, registry),
        };
        loaded.map_err(|mut errors| {
            for Written { given, option, value } in &self.options {
                errors.write_as(given, option, value);
            }
            CliError::Findings(errors.findings())
        })
    }

    /// Loads the scenario and opens its workload, reporting every problem of the file at once.
    pub fn load(&self, registry: &Registry) -> Result<(Scenario, Workload), CliError> {
        let mut scenario = self.scenario(registry)?;
        let applications: Vec<_> = scenario.applications.iter().map(|application| application.id).collect();
        let workload = workload::open(&scenario.workload, &applications, scenario.seed);
        let mut workload = workload.map_err(|error| CliError::Findings(error.findings()))?;
        scenario.notes.append(&mut workload.notes);
        if workload.skipped_rows > 0 {
            scenario
                .notes
                .push(format!("{} malformed rows of the trace were skipped", workload.skipped_rows));
        }
        Ok((scenario, workload))
    }
}
