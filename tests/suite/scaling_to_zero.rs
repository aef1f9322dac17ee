//! Fleets that go to zero and come back: requests wait meanwhile, and none is lost.

use ebbflow::registry::Registry;
use ebbflow::results::{ApplicationResults, RunResults};
use ebbflow::scaling::Limiter;
use ebbflow::simulation::SimulationError;
use ebbflow::workload;

use crate::support::run::{application, request, run_trace, sequential};
use crate::support::scaling::{assert_all_completed, assert_sound};
use crate::support::scenarios::{GOOD, scenario};

/// Eight requests of about 1.1 s within the first 40 s, and one long after.
const EARLY: std::ops::Range<u32> = 0..8;
const LATE_S: f64 = 1000.0;

fn run_with(policy: &str, settings: &str) -> RunResults {
    let yaml = format!(
        "\
cluster: {{servers: [{{sku: dgx-h100, count: 1}}]}}
applications:
  - model_architecture: llama2-70b
    model_size: llama2-70b-fp16
    scheduler: jsq
    scaling_manager: {{scale_up_delay: 20, min_instances: 0, {settings}, autoscaling_policy: {policy}}}
start_state: baseline
performance_model: {{constant: {{prompt_time: 0.1, token_time: 0.01}}}}
"
    );
    let early = EARLY.map(|nth| (f64::from(nth) * 5.0, 20, 101));
    let requests: Vec<_> = early.chain([(LATE_S, 20, 101)]).collect();
    let results = run_trace(&yaml, &requests);
    assert_sound(application(&results), &results);
    assert_all_completed(application(&results));
    results
}

/// When the first fleet was told to go, and when the second one was asked for.
fn gap_s(application: &ApplicationResults) -> (f64, f64) {
    let [first, second] = application.instances.as_slice() else { panic!("{:?}", application.instances) };
    (first.draining.unwrap().as_secs_f64(), second.created.as_secs_f64())
}

fn limiters(application: &ApplicationResults) -> impl Iterator<Item = Limiter> {
    application.decisions.iter().filter_map(|row| row.limited_by)
}

fn late_ttft_s(application: &ApplicationResults) -> f64 {
    request(application, u64::from(EARLY.end)).ttft_s().unwrap()
}

#[test]
fn the_hpa_leaves_for_zero_five_minutes_after_the_load_and_comes_back_with_it() {
    let results = run_with("{hpa: {metrics: [{metric: total_ongoing, target: 4}]}}", "max_instances: 4");
    let application = application(&results);
    let (gone_s, back_s) = gap_s(application);
    assert!((300.0..=360.0).contains(&gone_s), "at {gone_s} s");
    assert!((LATE_S..=LATE_S + 30.0).contains(&back_s), "within a scrape and a sync, but at {back_s} s");
    assert!((20.0..=50.0).contains(&late_ttft_s(application)), "it waits for the start");
    let first = limiters(application).next();
    assert_eq!(first, Some(Limiter::Data), "the first decision comes before the first scrape");
    assert!(limiters(application).any(|limiter| limiter == Limiter::Stabilisation));
}

#[test]
fn keda_leaves_for_zero_after_its_cooldown_and_wakes_the_fleet_at_a_poll() {
    let policy = "{keda: {cooldown_period: 2min, triggers: [{metric: arrivals_per_s, target: 1}]}}";
    let results = run_with(policy, "max_instances: 4");
    let application = application(&results);
    let (gone_s, back_s) = gap_s(application);
    assert!((200.0..=260.0).contains(&gone_s), "at {gone_s} s");
    assert!(
        (LATE_S..=LATE_S + 60.0).contains(&back_s),
        "within a scrape, a sync and a poll, but at {back_s} s"
    );
    assert!(application.decisions.iter().any(|row| row.reason == "KEDA's own step"));
}

#[test]
fn keda_wakes_an_idle_fleet_to_its_smallest_active_size() {
    let policy = "{keda: {idle_instances: 0, active_min_instances: 3, cooldown_period: 60, \
                  triggers: [{metric: total_ongoing, target: 4}]}}";
    let results = run_with(policy, "max_instances: 4");
    let application = application(&results);
    let late = application.instances.iter().filter(|one| one.created.as_secs_f64() > LATE_S);
    assert_eq!(late.count(), 3);
}

#[test]
fn a_pause_keeps_the_fleet() {
    let results = run_with("{keda: {pause_scale_in: true}}", "max_instances: 4");
    assert_eq!(application(&results).scaling.scale_downs, 0);
    let results = run_with("{keda: {paused_instances: 2}}", "max_instances: 4");
    assert_eq!(application(&results).instances.len(), 2);
}

#[test]
fn an_hpa_that_nothing_would_wake_is_refused_with_what_to_do() {
    let yaml = GOOD.replace(
        "scaling_manager: {}",
        "scaling_manager: {min_instances: 0, autoscaling_policy: {hpa: {metrics: [{metric: kv_use}]}}}",
    );
    let error = simulate(&yaml).unwrap_err().to_string();
    assert!(error.contains("min_instances is 0") && error.contains("total_waiting"), "{error}");
}

#[test]
fn an_idle_size_that_the_manager_forbids_is_refused_with_what_to_do() {
    let yaml = GOOD.replace(
        "scaling_manager: {}",
        "scaling_manager: {min_instances: 2, autoscaling_policy: {keda: {idle_instances: 0}}}",
    );
    let error = simulate(&yaml).unwrap_err().to_string();
    assert!(error.contains("active_min_instances"), "{error}");
}

fn simulate(yaml: &str) -> Result<RunResults, SimulationError> {
    let scenario = scenario(yaml);
    let requests = workload::open(&scenario.workload, &[scenario.applications[0].id], scenario.seed).unwrap();
    ebbflow::simulation::run(&scenario, requests, &Registry::builtin(), &sequential())
}
