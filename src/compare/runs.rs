//! Many runs, each on one thread, as many at once as there are processors.

use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use ebbflow_actors::Runner;

use super::{CompareError, Detail, Figures};
use crate::registry::Registry;
use crate::report::{FinishedRun, Sketch};
use crate::results::{Keep, Report};
use crate::scenario::Scenario;
use crate::simulation::{self, RunOptions};
use crate::workload;

/// What is kept of a run.
#[derive(Clone, Debug)]
pub(super) struct Ran {
    pub figures: Figures,
    pub sketch: Option<Sketch>,
}

/// Simulates, and tells after every run how many are done.
pub(super) struct Runs<'r, D> {
    registry: &'r Registry,
    detail: Detail,
    done: D,
    finished: AtomicUsize,
}

impl<'r, D: Fn(usize) + Sync> Runs<'r, D> {
    pub fn new(registry: &'r Registry, detail: Detail, done: D) -> Self {
        Runs { registry, detail, done, finished: AtomicUsize::new(0) }
    }

    /// What came of every group of scenarios, in their order.
    pub fn simulate(&self, groups: &[&[Scenario]]) -> Vec<Result<Vec<Ran>, CompareError>> {
        let runs: Vec<&Scenario> = groups.iter().copied().flatten().collect();
        let next = AtomicUsize::new(0);
        let results = Mutex::new(runs.iter().map(|_| None).collect::<Vec<_>>());
        std::thread::scope(|scope| {
            for _ in 0..threads().min(runs.len()) {
                scope.spawn(|| {
                    loop {
                        let place = next.fetch_add(1, Ordering::Relaxed);
                        let Some(scenario) = runs.get(place) else { return };
                        let outcome = simulate(scenario, self.registry, self.detail);
                        let mut results = results.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                        results[place] = Some(outcome);
                        drop(results);
                        (self.done)(self.finished.fetch_add(1, Ordering::Relaxed) + 1);
                    }
                });
            }
        });
        let results = results.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut results = results.into_iter().flatten();
        // Every one is taken before a failure counts: the next group begins behind them.
        let taken = groups.iter().map(|group| results.by_ref().take(group.len()).collect::<Vec<_>>());
        taken.map(|outcomes| outcomes.into_iter().collect()).collect()
    }
}

/// How many runs there can be at once.
pub(super) fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// One run, of which only figures are kept, and a sketch if wanted.
fn simulate(scenario: &Scenario, registry: &Registry, detail: Detail) -> Result<Ran, CompareError> {
    let applications: Vec<_> = scenario.applications.iter().map(|application| application.id).collect();
    let workload = workload::open(&scenario.workload, &applications, scenario.seed)?;
    // The fastest for one thread; no figure depends on it.
    let options = RunOptions {
        runner: Runner::Sequential,
        arbiters: NonZeroUsize::new(1),
        watchdog: None,
        ..RunOptions::default()
    };
    let keep = match detail {
        Detail::Figures => Keep::Figures,
        Detail::Sketches => Keep::Requests,
    };
    let results = simulation::run_keeping(keep, scenario, workload, registry, &options)?;
    if let Some(reason) = &results.incomplete {
        return Err(CompareError::Incomplete(reason.to_string()));
    }
    let figures = Figures::of(&Report::new(&results, scenario), &results);
    let sketch = (detail == Detail::Sketches).then(|| Sketch::of(&FinishedRun::in_memory(results, scenario)));
    Ok(Ran { figures, sketch })
}
