//! Several ways to scale the same load, side by side.
//!
//! Every contender is simulated once per seed, each run on one thread and as many at once as there are
//! processors; what is reported does not depend on that. The table is ranked by cost among those that keep the
//! objectives in every run. The oracle is simulated in several ways, and the best of them is its row.

mod figures;
mod oracle;
mod row;
mod text;

use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use ebbflow_actors::Runner;
use serde::Serialize;

use crate::registry::Registry;
use crate::results::{Keep, Report};
use crate::scenario::Scenario;
use crate::simulation::{self, RunOptions, SimulationError};
use crate::workload::{self, WorkloadError};

pub use figures::Figures;
use oracle::Plan;
pub use row::{Mean, Row};
pub use text::table;

/// A way to scale.
#[derive(Clone, Debug)]
pub struct Contender {
    /// As the table names it.
    pub name: String,
    /// What is simulated, once per seed.
    pub scenarios: Vec<Scenario>,
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

/// What came of all contenders.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Comparison {
    /// Runs per contender.
    pub seeds: usize,
    /// What was promised; null without objectives.
    pub slo: Option<String>,
    /// By rank: those that keep the objectives first, the cheaper ones first.
    pub rows: Vec<Row>,
    /// Those that could not be simulated.
    pub left_out: Vec<LeftOut>,
}

/// The contender whose cost the others' gap is measured by.
pub const ORACLE: &str = "oracle";

/// How many runs a comparison of these takes.
pub fn run_count(contenders: &[Contender]) -> usize {
    contenders.iter().map(|contender| contender.scenarios.len() * oracle::plan_count(contender)).sum()
}

/// Simulates all contenders. `done` is told after every run how many are done.
pub fn compare(contenders: &[Contender], registry: &Registry, done: impl Fn(usize) + Sync) -> Comparison {
    let plans: Vec<Vec<Plan>> = contenders.iter().map(oracle::plans).collect();
    let all_plans: Vec<&Plan> = plans.iter().flatten().collect();
    let mut outcomes = simulate_all(&all_plans, registry, &done).into_iter();
    let (mut rows, mut left_out) = (Vec::new(), Vec::new());
    for (contender, plans) in contenders.iter().zip(&plans) {
        match row(&contender.name, plans.iter().zip(outcomes.by_ref())) {
            Ok(row) => rows.extend(row),
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
        rows,
        left_out,
    }
}

/// What came of a plan's runs, in the order of the seeds.
type Outcomes = Vec<Result<Figures, CompareError>>;

/// A contender's row, of the best of its plans. If none could be simulated, why the first could not.
fn row<'p>(
    name: &str,
    outcomes: impl Iterator<Item = (&'p Plan, Outcomes)>,
) -> Result<Option<Row>, CompareError> {
    let (mut rows, mut failure) = (Vec::new(), Ok(()));
    for (plan, outcomes) in outcomes {
        match outcomes.into_iter().collect::<Result<Vec<Figures>, CompareError>>() {
            Ok(figures) => {
                rows.push(Row { load_per_instance: plan.load_per_instance, ..Row::new(name, &figures) });
            }
            Err(error) => failure = failure.and(Err(error)),
        }
    }
    match oracle::best(rows) {
        Some(row) => Ok(Some(row)),
        None => failure.map(|()| None),
    }
}

/// What came of every run, by plan and seed.
fn simulate_all(plans: &[&Plan], registry: &Registry, done: &(impl Fn(usize) + Sync)) -> Vec<Outcomes> {
    let runs: Vec<(usize, &Scenario)> = plans
        .iter()
        .enumerate()
        .flat_map(|(nth, plan)| plan.scenarios.iter().map(move |scenario| (nth, scenario)))
        .collect();
    let (next, finished) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let results = Mutex::new((0..runs.len()).map(|_| None).collect::<Vec<_>>());
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(runs.len());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some((_, scenario)) = runs.get(place) else { return };
                    let outcome = simulate(scenario, registry);
                    let mut results = results.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    results[place] = Some(outcome);
                    drop(results);
                    done(finished.fetch_add(1, Ordering::Relaxed) + 1);
                }
            });
        }
    });
    let mut outcomes: Vec<Outcomes> = plans.iter().map(|_| Vec::new()).collect();
    let results = results.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    for ((nth, _), outcome) in runs.iter().zip(results) {
        outcomes[*nth].extend(outcome);
    }
    outcomes
}

/// One run, of which only figures are kept.
fn simulate(scenario: &Scenario, registry: &Registry) -> Result<Figures, CompareError> {
    let applications: Vec<_> = scenario.applications.iter().map(|application| application.id).collect();
    let workload = workload::open(&scenario.workload, &applications, scenario.seed)?;
    // The fastest for one thread; no figure depends on it.
    let options = RunOptions {
        runner: Runner::Sequential,
        arbiters: NonZeroUsize::new(1),
        watchdog: None,
        ..RunOptions::default()
    };
    let results = simulation::run_keeping(Keep::Figures, scenario, workload, registry, &options)?;
    if let Some(reason) = &results.incomplete {
        return Err(CompareError::Incomplete(reason.to_string()));
    }
    Ok(Figures::of(&Report::new(&results, scenario), &results))
}
