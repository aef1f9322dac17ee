//! Results: what a run leaves behind, summed up and written.
//!
//! [`RunResults`] is the run in memory, [`Report`] its summary (`run.json`), [`summary_text`] the same for
//! people, [`write()`] the run directory. A [`RequestWriter`] writes the rows of requests while the run
//! still goes on. Leaves out charts and pages. Every figure is computed from the
//! records alone, exactly: no sketches, no sampling. Seconds throughout, unless a name says otherwise.

mod attainment;
mod classes;
mod columns;
mod cost;
mod directory;
mod energy;
mod engine;
mod files;
mod fleet_chart;
mod format;
mod group;
mod inputs;
mod recorder;
mod records;
mod report;
#[cfg(test)]
mod samples;
mod screen;
mod served;
mod statistics;
pub mod statuses;
mod stream;
mod text;
mod totals;

use std::path::PathBuf;

pub use attainment::{Attainment, Verdict};
pub use classes::{ClassReport, Kind, Kinds, TenantReport};
pub use columns::{COLUMNS, Column, Figures};
pub use cost::{Cost, Split};
pub use directory::{DirectoryError, RUN_FILE, RunDirectory, Staging};
pub use energy::PhaseEnergy;
pub use engine::{EngineFigures, EngineReport};
pub use files::{ReadError, SCENARIO_FILE, WriteError, read, write_all, write_summary};
pub use group::{GroupFigures, Latency, RequestCounts};
pub use inputs::{InputError, InputFile, InputKind, fingerprint};
pub use recorder::{Keep, Ledger, Recorder};
pub use records::*;
pub use report::{ApplicationReport, Report};
pub use screen::Screen;
pub use served::{Served, Tally};
pub use statistics::{Statistics, percentile};
pub use stream::{Feed, RequestWriter};
pub use text::{files_text, summary_text};
pub use totals::{ScalingReport, Shares, StatusSeconds, Totals};

use crate::ids::InstanceId;
use crate::request::{Fate, Request};
use crate::scenario::Scenario;

/// Writes the run directory, completely or not at all, and says where it is.
pub fn write(
    target: &RunDirectory,
    results: &RunResults,
    report: &Report,
    scenario: &Scenario,
) -> Result<PathBuf, DirectoryError> {
    target.publish(|path| write_all(path, results, report, &scenario.resolved, scenario.debug))
}

impl ApplicationResults {
    /// The completed requests in order of completion.
    pub fn completed(&self) -> impl Iterator<Item = &Request> {
        let completed = self.requests.iter().filter(|ended| ended.fate == Fate::Completed);
        completed.map(|ended| ended.request.as_ref())
    }

    /// An instance as result files name it: `{gpu}_{id}`.
    pub fn instance_name(&self, id: InstanceId) -> String {
        match self.instances.binary_search_by_key(&id, |instance| instance.id) {
            Ok(index) => format!("{}_{id}", self.instances[index].gpu),
            Err(_) => format!("instance_{id}"),
        }
    }
}
