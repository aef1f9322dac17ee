//! The same scenario and seed give the same results to the bit: whoever runs it, on however many arbiters,
//! lazily or eagerly. Compared are the digest over all events and every record of the results.

use ebbflow::results::{ApplicationResults, RunResults};
use ebbflow::scenario::Scenario;
use ebbflow::simulation::RunOptions;
use ebbflow_actors::{Runner, TickMode};

use crate::support::generate::scenario_text;
use crate::support::golden::{cases, load, name};
use crate::support::run::{actors, run_scenario, sequential};
use crate::support::scenarios::scenario;

/// Generated scenarios that are run in every way.
const SCENARIOS: u64 = 20;

/// Golden cases short enough for the naive runner.
const SMALL: usize = 2;

fn naive() -> RunOptions {
    RunOptions { runner: Runner::Naive, ..RunOptions::default() }
}

/// Actors on one to four arbiters, lazy and eager.
fn every_crew() -> Vec<(String, RunOptions)> {
    let ticks = [TickMode::Lazy, TickMode::Eager];
    let crews = (1..=4).flat_map(|arbiters| ticks.map(|ticks| (arbiters, ticks)));
    crews
        .map(|(arbiters, ticks)| (format!("{arbiters} arbiters, {ticks:?}"), actors(arbiters, ticks)))
        .collect()
}

/// Everything that no way of running may change.
fn assert_same(what: &str, expected: &RunResults, found: &RunResults) {
    assert_eq!(expected.digest, found.digest, "{what}: digest");
    assert_eq!(expected.stats.events, found.stats.events, "{what}: events");
    assert_eq!(expected.stats.messages, found.stats.messages, "{what}: messages");
    assert_eq!((expected.end, expected.arrived), (found.end, found.arrived), "{what}: end and arrivals");
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
    assert_eq!(expected.time, found.time, "{what}: instance time");
}

/// Runs a scenario in all ways and returns what they agree on.
fn agree(what: &str, scenario: &Scenario, more: &[(String, RunOptions)]) -> RunResults {
    let checked = RunOptions { check_promises: true, ..sequential() };
    let expected = run_scenario(scenario, &checked);
    let mut envelopes = Vec::new();
    for (way, options) in every_crew().iter().chain(more) {
        let found = run_scenario(scenario, options);
        assert_same(&format!("{what}, {way}"), &expected, &found);
        envelopes.push(found.stats.envelopes);
    }
    for pair in envelopes.chunks_exact(2) {
        assert!(pair[0] <= pair[1], "{what}: {} envelopes lazily, {} eagerly", pair[0], pair[1]);
    }
    expected
}

#[test]
fn golden_cases_give_the_same_results_in_every_way() {
    let mut scenarios: Vec<_> = cases().iter().map(|case| (name(case), load(case))).collect();
    scenarios.sort_by_cached_key(|(_, scenario)| run_scenario(scenario, &sequential()).stats.events);
    for (position, (case, scenario)) in scenarios.iter().enumerate() {
        let naive = ("naive".to_owned(), naive());
        let more = if position < SMALL { vec![naive] } else { Vec::new() };
        agree(case, scenario, &more);
    }
}

#[test]
fn generated_scenarios_give_the_same_results_in_every_way() {
    for seed in 0..SCENARIOS {
        let text = scenario_text(seed);
        let what = format!("scenario {seed}:\n{text}\n");
        agree(&what, &scenario(&text), &[("naive".to_owned(), naive())]);
    }
}

#[test]
fn another_seed_gives_another_digest() {
    for seed in 0..SCENARIOS {
        let scenario = scenario(&scenario_text(seed));
        let other = Scenario { seed: scenario.seed + 1, ..scenario.clone() };
        let digests = [&scenario, &other].map(|scenario| run_scenario(scenario, &sequential()).digest);
        assert_ne!(digests[0], digests[1], "scenario {seed}");
    }
}

#[test]
fn a_debug_log_changes_no_other_record() {
    for seed in 0..SCENARIOS {
        let silent = scenario(&scenario_text(seed));
        let silent = Scenario { debug: false, ..silent };
        let verbose = Scenario { debug: true, ..silent.clone() };
        let [silent, mut verbose] = [&silent, &verbose].map(|scenario| run_scenario(scenario, &sequential()));
        for (silent, verbose) in silent.applications.iter().zip(&mut verbose.applications) {
            verbose.iterations.clear();
            assert_same_records(&format!("scenario {seed}"), silent, verbose);
        }
    }
}
