//! The same scenario and seed give the same results to the bit: whoever runs it, on however many arbiters,
//! lazily or eagerly. Compared are the digest over all events and every record of the results.

use std::collections::BTreeSet;

use ebbflow::results::{ApplicationResults, RunResults};
use ebbflow::scenario::Scenario;
use ebbflow::simulation::RunOptions;
use ebbflow_actors::{Runner, TickMode};

use crate::support::generate::scenario_text;
use crate::support::golden::{cases, load, name};
use crate::support::run::{actors, sequential};
use crate::support::run_scenario;
use crate::support::scenarios::{GOOD, scenario};

/// Generated scenarios that are run in every way.
const SCENARIOS: u64 = 20;

/// Golden cases short enough for the naive runner.
const SMALL: usize = 2;

fn naive() -> RunOptions {
    RunOptions { runner: Runner::Naive, ..RunOptions::default() }
}

/// Everything that no way of running may change.
fn assert_same(what: &str, expected: &RunResults, found: &RunResults) {
    assert_eq!(expected.digest, found.digest, "{what}: digest");
    assert_eq!(expected.stats.events, found.stats.events, "{what}: events");
    assert_eq!(expected.stats.messages, found.stats.messages, "{what}: messages");
    assert_eq!((expected.end, expected.arrived), (found.end, found.arrived), "{what}: end and arrivals");
    assert_eq!(expected.servers, found.servers, "{what}: servers");
    assert_eq!(expected.applications.len(), found.applications.len(), "{what}: applications");
    for (expected, found) in expected.applications.iter().zip(&found.applications) {
        assert_same_records(what, expected, found);
    }
}

fn assert_same_records(what: &str, expected: &ApplicationResults, found: &ApplicationResults) {
    assert_eq!(expected.id, found.id, "{what}");
    assert!(expected.requests == found.requests, "{what}: requests differ");
    assert!(expected.iterations == found.iterations, "{what}: iterations differ");
    assert_eq!(expected.instances, found.instances, "{what}: instances");
    assert_eq!(expected.scaling_log, found.scaling_log, "{what}: scaling log");
    assert_eq!(expected.scaling_events, found.scaling_events, "{what}: scaling events");
    assert_eq!(expected.scaling, found.scaling, "{what}: scaling counts");
    assert_eq!(expected.status, found.status, "{what}: status");
    assert_eq!(expected.time, found.time, "{what}: instance time");
}

/// Runs a scenario in all ways: in one loop that also checks promises, as actors on one to four arbiters,
/// lazily and eagerly, and naively if wanted.
fn agree(what: &str, scenario: &Scenario, with_naive: bool) {
    let checked = RunOptions { check_promises: true, ..sequential() };
    let expected = run_scenario(scenario, &checked);
    for arbiters in 1..=4 {
        let [lazy, eager] = [TickMode::Lazy, TickMode::Eager].map(|ticks| {
            let found = run_scenario(scenario, &actors(arbiters, ticks));
            assert_same(&format!("{what}, {arbiters} arbiters, {ticks:?}"), &expected, &found);
            found.stats.envelopes
        });
        assert!(lazy <= eager, "{what}: {lazy} envelopes lazily, {eager} eagerly");
    }
    if with_naive {
        assert_same(&format!("{what}, naive"), &expected, &run_scenario(scenario, &naive()));
    }
}

#[test]
fn golden_cases_give_the_same_results_in_every_way() {
    let mut scenarios: Vec<_> = cases().iter().map(|case| (name(case), load(case))).collect();
    scenarios.sort_by_cached_key(|(_, scenario)| run_scenario(scenario, &sequential()).stats.events);
    for (position, (case, scenario)) in scenarios.iter().enumerate() {
        agree(case, scenario, position < SMALL);
    }
}

#[test]
fn generated_scenarios_give_the_same_results_in_every_way() {
    for seed in 0..SCENARIOS {
        let text = scenario_text(seed);
        agree(&format!("{text}\nscenario {seed}"), &scenario(&text), true);
    }
}

#[test]
fn another_seed_gives_another_digest() {
    let scenario = scenario(GOOD);
    let seeded = |seed| run_scenario(&Scenario { seed, ..scenario.clone() }, &sequential()).digest;
    let digests: BTreeSet<String> = (0..20).map(|seed| seeded(seed).to_string()).collect();
    assert_eq!(digests.len(), 20);
}

#[test]
fn a_debug_log_changes_no_other_record() {
    for seed in 0..SCENARIOS {
        let silent = scenario(&scenario_text(seed));
        let silent = Scenario { debug: false, ..silent };
        let verbose = Scenario { debug: true, ..silent.clone() };
        let [silent, mut verbose] = [&silent, &verbose].map(|scenario| run_scenario(scenario, &sequential()));
        // A row of the log is an event: of a run that is cut short it may be the last one, up to which instances are
        // counted.
        let cut_short = silent.reached_end_time;
        for (silent, verbose) in silent.applications.iter().zip(&mut verbose.applications) {
            verbose.iterations.clear();
            if cut_short {
                verbose.time.clone_from(&silent.time);
            }
            assert_same_records(&format!("scenario {seed}"), silent, verbose);
        }
    }
}
