//! `ebbflow check`: says what a scenario would run, or everything that is wrong with it.

use std::process::ExitCode;

use ebbflow_actors::{Runner, SimTime};

use crate::registry::Registry;
use crate::scenario::Scenario;
use crate::simulation::{self, RunOptions};
use crate::workload::Workload;

use super::describe::describe;
use super::exit::CliError;
use super::input::InputArgs;
use super::{Verbosity, logging, print};

/// Arguments of `ebbflow check`.
#[derive(clap::Args, Debug)]
pub struct CheckArgs {
    #[command(flatten)]
    input: InputArgs,
    #[command(flatten)]
    verbosity: Verbosity,
}

/// Loads the scenario, opens its trace, and prints what it would run.
pub fn check(arguments: &CheckArgs) -> Result<ExitCode, CliError> {
    logging::start(&arguments.verbosity);
    let input = arguments.input.split()?;
    let registry = Registry::builtin();
    let (scenario, workload) = input.load(&registry)?;
    let description = describe(&scenario, &workload);
    build(scenario, workload, &registry)?;
    print::stdout(&description).map_err(CliError::failed)?;
    Ok(ExitCode::SUCCESS)
}

/// Some problems show only when the fleet is built, e.g. a performance table without a row for one of
/// its instances. So it is built, for a run that ends before it begins.
fn build(scenario: Scenario, workload: Workload, registry: &Registry) -> Result<(), CliError> {
    let scenario = Scenario { end_time: SimTime::ZERO, ..scenario };
    let options = RunOptions { runner: Runner::Sequential, ..RunOptions::default() };
    Ok(simulation::run(&scenario, workload, registry, &options).map(drop)?)
}
