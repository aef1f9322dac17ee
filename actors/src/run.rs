//! From a population to an outcome.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::config::{Arbiters, Rules, RunConfig, Runner};
use crate::directory::Directory;
use crate::entity::{Entity, EntityId, Group};
use crate::fault::Fault;
use crate::harvest::Harvest;
use crate::host::Host;
use crate::outcome::{Outcome, RunFailure};
use crate::runner::{actors, naive, sequential};
use crate::watch::Watch;

/// Below this many envelopes in a window a second arbiter costs more than it brings.
const ENVELOPES_PER_ARBITER: f64 = 100.0;

/// One entity of the initial population.
#[derive(Clone, Debug)]
pub struct Member<E> {
    /// Its id.
    pub id: EntityId,
    /// With whom it shares an arbiter.
    pub group: Group,
    /// The entity itself.
    pub entity: E,
}

/// Runs a population until nothing is left to do, the time limit, an interrupt or a fault.
///
/// Handlers run on threads of their own; the calling thread waits, and watches over them.
///
/// # Errors
/// A [`RunFailure`] with the [`Fault`] and whatever survived.
pub fn run<E: Entity>(
    population: Vec<Member<E>>,
    config: &RunConfig,
) -> Result<Outcome<E>, Box<RunFailure<E>>> {
    let arbiters = arbiters(&population, config);
    let harvest = match open_directory(&population, config, arbiters) {
        Ok(directory) => carry_out(population, &directory, config),
        Err(problem) => refuse(population, problem),
    };
    match harvest.into_outcome(arbiters) {
        (None, outcome) => Ok(outcome),
        (Some(fault), partial) => Err(Box::new(RunFailure { fault, partial })),
    }
}

fn carry_out<E: Entity>(population: Vec<Member<E>>, directory: &Directory, config: &RunConfig) -> Harvest<E> {
    let rules = Rules::new(config);
    let abort = Arc::new(AtomicBool::new(false));
    let mut watch = Watch::new(config.watchdog, Arc::clone(&abort));
    match config.runner {
        Runner::Actors => actors::spawn(population, directory, &rules, &abort, &mut watch),
        Runner::Sequential => watch.spawn(move |pulse, reporter| {
            reporter.report(sequential::run(population, &rules, &pulse));
        }),
        Runner::Naive => watch.spawn(move |pulse, reporter| {
            naive::run(population, &rules, &pulse, &reporter);
        }),
    }
    watch.gather()
}

fn arbiters<E>(population: &[Member<E>], config: &RunConfig) -> usize {
    match (config.runner, config.arbiters) {
        (Runner::Sequential | Runner::Naive, _) => 1,
        (Runner::Actors, Arbiters::Count(count)) => count.get(),
        (Runner::Actors, Arbiters::Auto { expected_envelopes_per_window }) => {
            let worthwhile = (expected_envelopes_per_window / ENVELOPES_PER_ARBITER) as usize;
            let processors = std::thread::available_parallelism().map_or(1, usize::from);
            let groups: BTreeSet<u32> = population.iter().map(|member| member.group.0).collect();
            worthwhile.min(processors).min(groups.len()).max(1)
        }
    }
}

/// The directory of the initial population, or what is wrong with it or with the configuration.
fn open_directory<E>(
    population: &[Member<E>],
    config: &RunConfig,
    arbiters: usize,
) -> Result<Directory, String> {
    if config.lookahead.is_zero() {
        return Err(String::from(
            "the lookahead is zero; messages between entities must take time: use the shortest real delay",
        ));
    }
    let mut directory = Directory::new(arbiters, config.lookahead);
    for &Member { id, group, .. } in population {
        if id.0 >= EntityId::LIMIT {
            let limit = EntityId::LIMIT;
            return Err(format!(
                "{id} is in the population, but ids index tables and must stay below {limit}; number entities densely"
            ));
        }
        if !directory.settle(id, group) {
            return Err(format!("{id} is in the population twice; give every entity its own id"));
        }
    }
    Ok(directory)
}

/// Hands the population back as it came.
fn refuse<E: Entity>(population: Vec<Member<E>>, problem: String) -> Harvest<E> {
    let mut harvest = Harvest::default();
    harvest.faults.push(Fault::InvalidConfig { problem });
    harvest.hosts = population.into_iter().map(|member| Host::initial(member.id, member.entity)).collect();
    harvest
}
