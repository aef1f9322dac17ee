//! Builds the entities of a scenario, runs them and gathers what they leave behind.

mod build;
mod harvest;
mod layout;
mod policies;
mod timings;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use ebbflow_actors::{Arbiters, Progress, RunConfig, Runner, TickMode};

use crate::instance::continuous::SettingsError;
use crate::performance::{ConstantError, KnotError, LookupError, TimingError};
use crate::registry::Registry;
use crate::results::{Incomplete, Keep, RunResults};
use crate::scenario::Scenario;
use crate::vitals::Vitals;
use crate::workload::Workload;

/// How to run, as opposed to what: none of it changes a result.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// Which runner.
    pub runner: Runner,
    /// Arbiter threads; none: chosen automatically.
    pub arbiters: Option<NonZeroUsize>,
    /// Lazy or eager ticks.
    pub ticks: TickMode,
    /// Set to stop the run early.
    pub interrupt: Option<Arc<AtomicBool>>,
    /// Filled in while the run goes on.
    pub progress: Option<Arc<Progress>>,
    /// Filled in by entities while the run goes on, if [watched](Vitals::watched).
    pub vitals: Vitals,
    /// Wall-clock time a handler may take before the run is given up.
    pub watchdog: Option<Duration>,
    /// Check after every event that entities keep their promises; slow, for tests.
    pub check_promises: bool,
}

impl Default for RunOptions {
    fn default() -> Self {
        RunOptions {
            runner: Runner::Actors,
            arbiters: None,
            ticks: TickMode::Lazy,
            interrupt: None,
            progress: None,
            vitals: Vitals::default(),
            watchdog: Some(Duration::from_secs(60)),
            check_promises: false,
        }
    }
}

/// A scenario that could not be started.
#[derive(Debug, thiserror::Error)]
pub enum SimulationError {
    /// The performance model has nothing to say about an instance of the scenario.
    #[error(transparent)]
    Performance(#[from] TimingError),
    /// A built-in table has no row for the reference machine.
    #[error(transparent)]
    Table(#[from] LookupError),
    /// The constant performance model was given impossible times.
    #[error(transparent)]
    Constant(#[from] ConstantError),
    /// The settings of an engine do not go together.
    #[error(transparent)]
    Engine(#[from] SettingsError),
    /// The knots of `pwl` are no curve.
    #[error(transparent)]
    Knots(#[from] KnotError),
    /// The model fits neither slice nor server.
    #[error(transparent)]
    DoesNotFit(#[from] crate::cluster::DoesNotFit),
    /// A packed start state asks for more than the servers hold.
    #[error("start_state: {0}; give the cluster more servers, or ask for fewer instances")]
    NoRoom(#[from] crate::cluster::NoRoom),
    /// A packed start state names an application that is not there.
    #[error("start_state: there is no application {0}; name one of `applications`")]
    UnknownApplication(crate::ids::ApplicationId),
    /// A scheduler the registry does not know.
    #[error("scheduler `{0}` is not registered; add it to the registry the scenario is run with")]
    UnknownScheduler(String),
    /// The workload cannot be opened a second time, for a policy that sees the future.
    #[error(transparent)]
    Workload(#[from] crate::workload::WorkloadError),
    /// A policy that cannot govern the fleet of the scenario.
    #[error("autoscaling policy `{policy}` of application {application}: {reason}")]
    PolicyRefused {
        /// Which policy.
        policy: String,
        /// Of which application.
        application: crate::ids::ApplicationId,
        /// Why, and what to do.
        reason: String,
    },
    /// A policy the registry does not know.
    #[error("autoscaling policy `{0}` is not registered; add it to the registry the scenario is run with")]
    UnknownPolicy(String),
    /// A scheduler that splits requests has instances for one half only, and nothing that could add
    /// the other.
    #[error(
        "scheduler `{scheduler}` of application {application} sends prefill and decode to different \
         instances, but the start state has none for {missing} and there is no scaling_manager to add \
         one; use a `splitwise` start_state, or a scheduler such as token_jsq"
    )]
    NoInstancesFor {
        /// Which scheduler.
        scheduler: String,
        /// Of which application.
        application: crate::ids::ApplicationId,
        /// `prefill` or `decode`.
        missing: &'static str,
    },
}

/// Runs a scenario over a workload.
///
/// A run that is interrupted or ends with a fault still returns what was recorded, marked
/// [incomplete](RunResults::incomplete). `wall_s` is left at 0 for the caller to fill in.
///
/// # Errors
/// A scenario that cannot be started: nothing was run then.
pub fn run(
    scenario: &Scenario,
    workload: Workload,
    registry: &Registry,
    options: &RunOptions,
) -> Result<RunResults, SimulationError> {
    run_keeping(Keep::Requests, scenario, workload, registry, options)
}

/// [Runs](run) a scenario, and says what becomes of its requests: unless they are kept, memory grows by the
/// figures of finished requests only, and [`requests`](crate::results::ApplicationResults::requests) are
/// empty.
///
/// # Errors
/// A scenario that cannot be started: nothing was run then.
pub fn run_keeping(
    keep: Keep,
    scenario: &Scenario,
    workload: Workload,
    registry: &Registry,
    options: &RunOptions,
) -> Result<RunResults, SimulationError> {
    let fleet = build::build(scenario, workload, registry, keep.clone(), &options.vitals)?;
    let config = RunConfig {
        seed: scenario.seed,
        lookahead: scenario.dispatch_latency,
        until: Some(scenario.end_time),
        runner: options.runner,
        arbiters: arbiters(options, scenario, fleet.instances),
        ticks: options.ticks,
        watchdog: options.watchdog,
        interrupt: options.interrupt.clone(),
        progress: options.progress.clone(),
        check_promises: options.check_promises,
    };
    let (outcome, fault) = match ebbflow_actors::run(fleet.population, &config) {
        Ok(outcome) => (outcome, None),
        Err(failure) => {
            let failure = *failure;
            (failure.partial, Some(Incomplete::Fault(failure.fault.to_string())))
        }
    };
    Ok(harvest::harvest(scenario, outcome, fault, keep))
}

/// A busy instance has something to do about ten times a second.
const EVENTS_PER_INSTANCE_S: f64 = 10.0;

fn arbiters(options: &RunOptions, scenario: &Scenario, instances: usize) -> Arbiters {
    match options.arbiters {
        Some(count) => Arbiters::Count(count),
        None => Arbiters::Auto {
            expected_envelopes_per_window: instances as f64
                * EVENTS_PER_INSTANCE_S
                * scenario.dispatch_latency.as_secs_f64(),
        },
    }
}
