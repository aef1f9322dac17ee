//! Every autoscaling policy, by its name and with its default parameters, over small random loads: the same run on
//! however many arbiters, bounds that are kept, nobody lost, and an end by itself.

use std::collections::BTreeSet;

use ebbflow::ids::Tag;
use ebbflow::registry::Registry;
use ebbflow::results::{ApplicationResults, InstanceRecord, RunResults};
use ebbflow::simulation::{self, RunOptions, SimulationError};
use ebbflow::workload;
use ebbflow_actors::{SimTime, TickMode};
use proptest::prelude::*;

use crate::support::run::{actors, application, sequential};
use crate::support::scaling::{assert_all_completed, assert_sound};
use crate::support::scenarios::scenario;

/// When the last request may arrive, in seconds.
const UNTIL_S: f64 = 400.0;

/// A fleet under a load that bursts and then all but ends.
#[derive(Clone, Debug)]
struct Load {
    seed: u64,
    /// Instances of each pool at the start.
    start: u32,
    min_instances: u32,
    max_instances: u32,
    scale_up_delay_s: f64,
    burst_s: u32,
    burst_rate: f64,
    rate: f64,
    output_tokens: u32,
}

fn loads() -> impl Strategy<Value = Load> {
    let fleet = (1..=2_u32, 0..=2_u32, 0..5_u32, prop::sample::select(vec![0.0, 2.0, 15.0]));
    let load = (4..12_u32, 5.0..15.0_f64, 0.02..0.2_f64, 2..250_u32);
    (0..1000_u64, fleet, load).prop_map(|(seed, fleet, load)| {
        let (start, least, room, scale_up_delay_s) = fleet;
        let (burst_s, burst_rate, rate, output_tokens) = load;
        let (min_instances, max_instances) = (least.min(start), 2 * start + room);
        Load {
            seed,
            start,
            min_instances,
            max_instances,
            scale_up_delay_s,
            burst_s,
            burst_rate,
            rate,
            output_tokens,
        }
    })
}

impl Load {
    /// As a scenario under this policy, with one pool or with one for prompts and one for tokens.
    fn text(&self, policy: &str, is_split: bool) -> String {
        let Load { seed, start, min_instances, max_instances, scale_up_delay_s, .. } = self;
        let Load { burst_s, burst_rate, rate, output_tokens, .. } = self;
        let (servers, scheduler, start_state) = if is_split {
            let pools = format!("prompt: {{num_instances: {start}}}, token: {{num_instances: {start}}}");
            (2 * start, "kv_jsq", format!("state_type: splitwise, {pools}"))
        } else {
            (*start, "jsq", "state_type: baseline".to_owned())
        };
        format!(
            "\
seed: {seed}
slo: ttft.p90<1s, tbt.p90<100ms
cluster: {{servers: [{{sku: dgx-h100, count: {servers}}}]}}
applications:
  - model_architecture: llama2-70b
    model_size: llama2-70b-fp16
    scheduler: {scheduler}
    scaling_manager:
      scale_up_delay: {scale_up_delay_s}
      min_instances: {min_instances}
      max_instances: {max_instances}
      autoscaling_policy: {policy}
start_state: {{{start_state}}}
workload:
  synthetic: {{prompt: 1000, output: {output_tokens}}}
  rate: [{{at: 0, rate: {rate}}}, {{at: 20, rate: {burst_rate}}}, {{at: {burst_end_s}, rate: {rate}}}]
  until: {UNTIL_S}
",
            burst_end_s = 20 + burst_s
        )
    }
}

/// How a policy is written that goes by its defaults; one without a default timetable gets one.
fn by_default(name: &str, is_split: bool) -> String {
    match (name, is_split) {
        ("scheduled", false) => {
            "{scheduled: {rows: [{at: '0', instances: 1}, {at: 60s, instances: 4}]}}".to_owned()
        }
        ("scheduled", true) => {
            "{scheduled: {rows: [{at: '0', prompt: 1, token: 2}, {at: 60s, prompt: 2, token: 1}]}}".to_owned()
        }
        _ => name.to_owned(),
    }
}

/// Runs a text; none: its policy does not govern such a fleet.
fn run(text: &str, options: &RunOptions) -> Option<RunResults> {
    let scenario = scenario(text);
    let requests = workload::open(&scenario.workload, &[scenario.applications[0].id], scenario.seed).unwrap();
    match simulation::run(&scenario, requests, &Registry::builtin(), options) {
        Ok(results) => Some(results),
        Err(SimulationError::PolicyRefused { reason, .. }) => {
            println!("refused: {reason}\nof\n{text}");
            None
        }
        Err(error) => panic!("{error}\nin\n{text}"),
    }
}

/// Runs a load under every policy and checks each run; gives the names of those that govern such a fleet.
fn check_all(load: &Load, is_split: bool) -> BTreeSet<&'static str> {
    let names: Vec<&str> = Registry::builtin().policies().map(|known| known.kind.name).collect();
    let governs = |name: &&str| {
        let text = load.text(&by_default(name, is_split), is_split);
        let Some(results) = run(&text, &sequential()) else { return false };
        let twin = run(&text, &actors(2, TickMode::Lazy)).expect("it was not refused before");
        assert_eq!(results.digest, twin.digest, "two arbiters give another digest\n{text}");
        check(load, &results, &text);
        true
    };
    names.into_iter().filter(governs).collect()
}

fn check(load: &Load, results: &RunResults, text: &str) {
    assert_eq!(results.incomplete, None, "{text}");
    assert!(results.end.as_secs_f64() < UNTIL_S + 300.0, "it goes on until {}\n{text}", results.end);
    let application = application(results);
    let counts = &application.tally.counts;
    assert_eq!(results.arrived, counts.completed + counts.rejected + counts.unfinished, "{text}");
    assert_sound(application, results);
    assert_all_completed(application);
    check_bounds(load, application, text);
}

/// Sizes change when an instance is created, becomes ACTIVE, drains or goes.
fn check_bounds(load: &Load, application: &ApplicationResults, text: &str) {
    let dates = |one: &InstanceRecord| [Some(one.created), one.active, one.draining, one.removed];
    let changes: BTreeSet<SimTime> = application.instances.iter().flat_map(dates).flatten().collect();
    for now in changes {
        let exist = application.instances.iter().filter(|one| exists(one, now)).count();
        assert!(exist <= load.max_instances as usize, "{exist} exist at {now}\n{text}");
        let pools: BTreeSet<Option<Tag>> = application.instances.iter().map(|one| one.tag).collect();
        for pool in pools {
            let active = application.instances.iter().filter(|one| one.tag == pool && is_active(one, now));
            let active = active.count();
            assert!(active >= load.min_instances as usize, "{active} of {pool:?} ACTIVE at {now}\n{text}");
        }
    }
}

fn exists(instance: &InstanceRecord, now: SimTime) -> bool {
    instance.created <= now && instance.removed.is_none_or(|removed| removed > now)
}

fn is_active(instance: &InstanceRecord, now: SimTime) -> bool {
    let end = instance.draining.or(instance.removed);
    instance.active.is_some_and(|active| active <= now) && end.is_none_or(|end| end > now)
}

/// A few: what differs from policy to policy shows in one run.
fn few() -> ProptestConfig {
    let given = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    ProptestConfig {
        cases: given.unwrap_or(2),
        failure_persistence: None,
        max_shrink_iters: 0,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(few())]

    #[test]
    fn policies_over_one_pool_are_deterministic_keep_bounds_lose_nobody_and_end(load in loads()) {
        check_all(&load, false);
    }

    #[test]
    fn policies_over_two_pools_are_deterministic_keep_bounds_lose_nobody_and_end(load in loads()) {
        check_all(&load, true);
    }
}

/// Instances go after the burst, and a request every 15 s or so brings them back.
#[test]
fn every_policy_governs_one_kind_of_fleet_at_least_and_comes_back_from_zero() {
    let load = Load {
        seed: 82,
        start: 1,
        min_instances: 0,
        max_instances: 4,
        scale_up_delay_s: 2.0,
        burst_s: 9,
        burst_rate: 18.0,
        rate: 0.07,
        output_tokens: 348,
    };
    let governing = &check_all(&load, false) | &check_all(&load, true);
    let all: BTreeSet<&str> = Registry::builtin().policies().map(|known| known.kind.name).collect();
    assert_eq!(governing, all);
}
