//! Every way to run a population, and what must be the same in all of them.

use std::fmt::Debug;

use ebbflow_actors::{
    Digest, Ending, Entity, EntityId, Fault, Group, Member, Outcome, RunConfig, RunFailure, Runner,
    SimDuration, SimTime, TickMode, run,
};

/// Sequential, naive, and actors on one to four arbiters, lazy and eager.
pub fn every_way(config: &RunConfig) -> Vec<(String, RunConfig)> {
    let mut ways = vec![
        (String::from("sequential"), config.clone().runner(Runner::Sequential).check_promises(true)),
        (String::from("naive"), config.clone().runner(Runner::Naive)),
    ];
    for arbiters in 1..=4 {
        for ticks in [TickMode::Lazy, TickMode::Eager] {
            let config = config.clone().runner(Runner::Actors).arbiters(arbiters).ticks(ticks);
            ways.push((format!("{arbiters} arbiters, {ticks:?}"), config));
        }
    }
    ways
}

/// Everything about an outcome that no runner may change.
#[derive(PartialEq, Debug)]
pub struct Essence {
    pub digest: Digest,
    pub events: u64,
    pub messages: u64,
    pub ended_at: SimTime,
    pub ending: Ending,
    pub entities: Vec<(EntityId, String)>,
    pub undelivered: Vec<String>,
}

pub fn essence<E: Entity + Debug>(outcome: &Outcome<E>) -> Essence {
    Essence {
        digest: outcome.digest,
        events: outcome.stats.events,
        messages: outcome.stats.messages,
        ended_at: outcome.ended_at,
        ending: outcome.ending,
        entities: outcome.entities.iter().map(|(id, entity)| (*id, format!("{entity:?}"))).collect(),
        undelivered: outcome.undelivered.iter().map(|message| format!("{message:?}")).collect(),
    }
}

/// Runs a population in every way, and returns what all of them agree on.
pub fn agree<E: Entity + Debug>(population: impl Fn() -> Vec<Member<E>>, config: &RunConfig) -> Essence {
    let mut agreed: Option<Essence> = None;
    for (way, config) in every_way(config) {
        let outcome = run(population(), &config).unwrap_or_else(|failure| panic!("{way}: {failure}"));
        let found = essence(&outcome);
        match &agreed {
            Some(agreed) => assert_eq!(*agreed, found, "{way} differs from sequential"),
            None => agreed = Some(found),
        }
    }
    agreed.expect("there is more than one way")
}

/// Runs a population that fails, in the five ways in which failing may differ.
pub fn fail<E: Entity>(
    population: impl Fn() -> Vec<Member<E>>,
    config: &RunConfig,
    check: impl Fn(&str, &Fault, &Outcome<E>),
) {
    let config = config.clone().check_promises(true);
    let actors = config.clone().runner(Runner::Actors).check_promises(false);
    for (way, config) in [
        ("sequential", config.clone().runner(Runner::Sequential)),
        ("naive", config.runner(Runner::Naive)),
        ("1 arbiter", actors.clone()),
        ("3 arbiters", actors.clone().arbiters(3)),
        ("3 arbiters, eager", actors.arbiters(3).ticks(TickMode::Eager).check_promises(true)),
    ] {
        let RunFailure { fault, partial } = match run(population(), &config) {
            Err(failure) => *failure,
            Ok(outcome) => panic!("{way}: no fault, but {outcome:?}"),
        };
        check(way, &fault, &partial);
    }
}

pub fn member<E>(id: u32, entity: E) -> Member<E> {
    Member { id: EntityId(id), group: Group(id), entity }
}

pub fn ms(millis: u64) -> SimDuration {
    SimDuration::from_millis(millis)
}

pub fn at_ms(millis: u64) -> SimTime {
    SimTime::ZERO + ms(millis)
}
