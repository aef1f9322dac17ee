//! Several ways to scale the same load, side by side.
//!
//! Every contender is simulated once per seed, each run on one thread and as many at once as there are
//! processors; what is reported does not depend on that. The table is ranked by cost among those that keep the
//! objectives in every run. The oracle is a search over several.

mod figures;
mod oracle;
mod page;
mod row;
mod runs;
mod text;

use serde::Serialize;

use crate::registry::Registry;
use crate::scenario::Scenario;
use crate::simulation::SimulationError;
use crate::workload::WorkloadError;

pub use figures::{ClassFigures, Figures, RequestFigures};
pub use page::page;
pub use row::{ClassRow, Mean, Row};
use runs::Runs;
pub use text::table;

/// A way to scale.
#[derive(Clone, Debug)]
pub struct Contender {
    /// As the table names it.
    pub name: String,
    /// What is simulated, once per seed.
    pub scenarios: Vec<Scenario>,
}

/// What is kept of the runs of a comparison.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Detail {
    /// Their figures.
    Figures,
    /// Also how they went over time, for [`Row::sketch`]: a run keeps its requests in memory until it is drawn.
    Sketches,
}

/// A contender that could not be simulated.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// Its workload cannot be opened.
    #[error(transparent)]
    Workload(#[from] WorkloadError),
    /// It cannot be started.
    #[error(transparent)]
    Simulation(#[from] SimulationError),
    /// It ended with a fault.
    #[error("the run ended early: {0}")]
    Incomplete(String),
}

/// A contender that is not in the table.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct LeftOut {
    /// Which.
    pub name: String,
    /// Why.
    pub reason: String,
}

/// What was promised to a class of requests.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ClassSlo {
    /// Its name.
    pub class: String,
    /// Its objectives.
    pub slo: String,
}

/// What came of all contenders.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Comparison {
    /// Runs per contender.
    pub seeds: usize,
    /// What was promised; null without objectives.
    pub slo: Option<String>,
    /// What was promised to each class that was promised something.
    pub class_slos: Vec<ClassSlo>,
    /// By rank: those that keep the objectives first, the cheaper ones first.
    pub rows: Vec<Row>,
    /// Those that could not be simulated.
    pub left_out: Vec<LeftOut>,
}

/// The contender whose cost the others' gap is measured by.
pub const ORACLE: &str = "oracle";

/// How many runs a comparison of these takes at most.
pub fn run_count(contenders: &[Contender]) -> usize {
    contenders.iter().map(|contender| contender.scenarios.len() * oracle::plan_count(contender)).sum()
}

/// Simulates all contenders. `done` is told after every run how many are done.
pub fn compare(
    contenders: &[Contender],
    registry: &Registry,
    detail: Detail,
    done: impl Fn(usize) + Sync,
) -> Comparison {
    let runs = Runs::new(registry, detail, done);
    let (searched, plain): (Vec<_>, Vec<_>) = contenders.iter().partition(|one| oracle::plan_count(one) > 1);
    let scenarios: Vec<&[Scenario]> = plain.iter().map(|one| one.scenarios.as_slice()).collect();
    let ran = runs.simulate(&scenarios).into_iter();
    let mut outcomes: Vec<_> = plain
        .iter()
        .zip(ran)
        .map(|(one, ran)| (*one, ran.map(|runs| Row::of_runs(&one.name, runs))))
        .collect();
    outcomes.extend(searched.into_iter().map(|one| (one, oracle::search(one, &runs))));
    let (mut rows, mut left_out) = (Vec::new(), Vec::new());
    for (contender, outcome) in outcomes {
        match outcome {
            Ok(row) => rows.push(row),
            Err(error) => {
                left_out.push(LeftOut { name: contender.name.clone(), reason: error.to_string() });
            }
        }
    }
    Row::measure_gaps(&mut rows);
    rows.sort_by(Row::rank);
    let first = contenders.first().and_then(|contender| contender.scenarios.first());
    Comparison {
        seeds: contenders.iter().map(|contender| contender.scenarios.len()).max().unwrap_or(0),
        slo: first.and_then(|scenario| scenario.slo.as_ref()).map(ToString::to_string),
        class_slos: first.map(class_slos).unwrap_or_default(),
        rows,
        left_out,
    }
}

fn class_slos(scenario: &Scenario) -> Vec<ClassSlo> {
    let promised = scenario.workload.classes.iter().filter_map(|class| Some((class, class.slo.as_ref()?)));
    promised.map(|(class, slo)| ClassSlo { class: class.name.clone(), slo: slo.to_string() }).collect()
}
