//! The Kubernetes HPA over a simulated fleet: its form in a scenario, its haste and its reluctance.

use ebbflow::results::RunResults;

use crate::support::run::{application, run_trace};
use crate::support::scaling::{assert_all_completed, assert_sound};

const BEHAVIOR: &str = "behavior: {scale_up: {stabilization_window: 0, policies: [{type: pods, value: 1, \
    period: 60}]}, scale_down: {stabilization_window: 1min, select_policy: min, tolerance: 0.2, policies: \
    [{type: percent, value: 50, period: 30}, {type: pods, value: 1, period: 30}]}}";

/// Requests per second of the first two minutes; then there is one every 10 s.
const RATE: u32 = 16;

/// One instance that can bear a fifth of two minutes of load; after them there is next to none, for 13 minutes.
fn rush(policy: &str) -> RunResults {
    let yaml = format!(
        "\
cluster: {{servers: [{{sku: dgx-h100, count: 1}}]}}
applications:
  - model_architecture: llama2-70b
    model_size: llama2-70b-fp16
    scheduler: jsq
    scaling_manager: {{scale_up_delay: 10, max_instances: 8, autoscaling_policy: {{hpa: {{{policy}}}}}}}
start_state: {{state_type: baseline, instance: {{instance_type: ORCA, max_batch_size: 8}}}}
performance_model: {{constant: {{prompt_time: 0.05, token_time: 0.02}}}}
"
    );
    let busy = (0..120 * RATE).map(|nth| f64::from(nth) / f64::from(RATE));
    let quiet = (12..90).map(|nth| f64::from(nth) * 10.0);
    let requests: Vec<_> = busy.chain(quiet).map(|arrival| (arrival, 500, 101)).collect();
    let results = run_trace(&yaml, &requests);
    assert_sound(application(&results), &results);
    assert_all_completed(application(&results));
    results
}

fn first_drain_s(results: &RunResults) -> f64 {
    let drains = application(results).instances.iter().filter_map(|one| one.draining);
    drains.min().unwrap().as_secs_f64()
}

/// Instances asked for within the first two minutes, in seconds.
fn starts_s(results: &RunResults) -> Vec<f64> {
    let created = application(results).instances.iter().map(|one| one.created.as_secs_f64());
    created.filter(|&seconds| seconds > 0.0 && seconds < 120.0).collect()
}

#[test]
fn by_default_it_grows_by_four_at_once_and_shrinks_no_sooner_than_five_minutes_later() {
    let results = rush("metrics: [{metric: total_waiting, target: 5}]");
    let starts = starts_s(&results);
    assert!(starts.len() >= 3 && starts[..3].iter().all(|&start| start == starts[0]), "{starts:?}");
    assert!(first_drain_s(&results) >= 120.0 + 300.0 - 30.0, "at {} s", first_drain_s(&results));
}

#[test]
fn a_behavior_sets_the_pace_of_each_direction() {
    let results = rush(&format!("metrics: [{{metric: total_waiting, target: 5}}], {BEHAVIOR}"));
    let starts = starts_s(&results);
    assert!(starts.len() >= 2 && starts.windows(2).all(|two| two[1] - two[0] >= 60.0), "{starts:?}");
    let drained = first_drain_s(&results);
    assert!((120.0..420.0).contains(&drained), "sooner than by default, but at {drained} s");
}

#[test]
fn metrics_of_instances_and_of_the_fleet_scale_as_well() {
    for metric in [
        "{metric: ongoing, target: 6}",
        "{metric: busy, type: utilization, target: 60, window: 60}",
        "{metric: ttft_p90, type: value, target: 0.5}",
        "{metric: arrivals_per_s, target: 4}",
    ] {
        let results = rush(&format!("metrics: [{metric}, {{metric: waiting, target: 5}}]"));
        let scaling = &application(&results).scaling;
        assert!(scaling.scale_ups > 0 && scaling.scale_downs > 0, "{metric}: {scaling:?}");
    }
}

#[test]
fn a_constant_load_ends_in_a_constant_fleet() {
    let results = rush("metrics: [{metric: arrivals_per_s, target: 4.5}]");
    let (mut ups, mut downs) = (Vec::new(), Vec::new());
    for one in &application(&results).instances {
        ups.push(one.created.as_secs_f64());
        downs.extend(one.draining.map(|at| at.as_secs_f64()));
    }
    assert!(ups.len() == 4 && ups.iter().all(|&up| up <= 45.0), "16 requests/s need four: {ups:?}");
    assert!(downs.len() == 3 && downs.iter().all(|&down| (420.0..520.0).contains(&down)), "{downs:?}");
}
