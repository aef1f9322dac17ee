//! A finished run with its scenario, as its directory tells it.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::registry::Registry;
use crate::results::{self, ReadError, Report, RunResults, SCENARIO_FILE};
use crate::scenario::{self, Scenario, ScenarioErrors};

/// A run read back from its directory.
#[derive(Debug)]
pub struct FinishedRun {
    /// Where it was read from; empty if it came from memory.
    pub directory: PathBuf,
    /// `run.json` as it stands.
    pub summary: Value,
    /// What was simulated.
    pub scenario: Scenario,
    /// What came of it, without [`status`](crate::results::ApplicationResults::status).
    pub results: RunResults,
    /// Whether there are rows of requests; a run with `--results summary` keeps none.
    pub has_requests: bool,
}

/// A run directory that cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// One of its tables.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Its scenario, which another version may have written, or policies of another registry.
    #[error("the scenario of the run does not load: {0}")]
    Scenario(#[from] ScenarioErrors),
}

impl FinishedRun {
    /// The scenario's name for people: that of its file without the way there.
    pub fn name(&self) -> &str {
        let name = self.summary["name"].as_str().unwrap_or("a run");
        let file = Path::new(name).file_name().and_then(|file| file.to_str()).unwrap_or(name);
        file.strip_suffix(".yaml").or_else(|| file.strip_suffix(".yml")).unwrap_or(file)
    }

    /// A run straight from memory, with its requests if they were kept.
    pub fn in_memory(results: RunResults, scenario: &Scenario) -> Self {
        let report = Report::new(&results, scenario);
        let has_requests = has_requests(&results);
        let summary = serde_json::to_value(&report).expect("a report holds only strings and numbers");
        let directory = PathBuf::new();
        FinishedRun { directory, summary, scenario: scenario.clone(), results, has_requests }
    }

    /// Opens a run directory whose schedulers and policies are in this registry.
    ///
    /// # Errors
    /// A file that is missing, damaged, or of another version.
    pub fn open(directory: &Path, registry: &Registry) -> Result<Self, OpenError> {
        let (results, summary) = results::read(directory)?;
        let scenario = scenario::load_finished(&directory.join(SCENARIO_FILE), registry)?;
        let has_requests = has_requests(&results);
        Ok(FinishedRun { directory: directory.to_owned(), summary, scenario, results, has_requests })
    }
}

fn has_requests(results: &RunResults) -> bool {
    results.arrived == 0 || results.applications.iter().any(|application| !application.requests.is_empty())
}
