//! `ray_serve` over a fleet: its delays, and the way to zero and back.

use ebbflow::results::ApplicationResults;
use ebbflow::scaling::{DecisionRow, Limiter};
use ebbflow_actors::SimDuration;

use crate::support::run;
use crate::support::scaling::{assert_all_completed, assert_sound, at};

/// Requests of 1.1 s, by this rate over time, for instances that start within 10 s.
fn scenario(settings: &str, start: &str, rate: &str) -> String {
    format!(
        "\
cluster: {{servers: [{{sku: dgx-h100, count: 2}}]}}
applications:
  - model_architecture: llama2-70b
    model_size: llama2-70b-fp16
    scheduler: jsq
    scaling_manager: {{{settings}}}
start_state: {{state_type: {start}}}
performance_model: {{constant: {{prompt_time: 0.1, token_time: 0.01}}}}
workload:
  synthetic: {{prompt: 20, output: 101}}
  rate: {rate}
  until: 400
"
    )
}

fn served(yaml: &str) -> ApplicationResults {
    let mut results = run(yaml);
    assert_all_completed(&results.applications[0]);
    assert_sound(&results.applications[0], &results);
    results.applications.remove(0)
}

/// Since when the direction of this row had been wished for.
fn wished_since<'r>(rows: &'r [DecisionRow], acted: &DecisionRow) -> &'r DecisionRow {
    let before = rows.iter().rev().filter(|row| row.time < acted.time);
    before.take_while(|row| row.limited_by == Some(Limiter::Delay)).last().expect("it waited")
}

#[test]
fn both_directions_wait_for_their_delay_and_no_longer() {
    let policy = "{ray_serve: {upscale_delay: 30, downscale_delay: 60}}";
    let settings = format!("autoscaling_policy: {policy}, min_instances: 2, max_instances: 12");
    let rate = "[{at: 0, rate: 1}, {at: 60, rate: 12}, {at: 180, rate: 1}]";
    let application = served(&scenario(&settings, "baseline", rate));
    let rows = &application.decisions;
    let started = rows.iter().find(|row| row.outcome.starts_with("started")).expect("it grows");
    assert_eq!(started.time - wished_since(rows, started).time, SimDuration::from_secs(30));
    assert!(started.time > at(90.0) && started.time < at(110.0), "{}", started.time);
    let drained = rows.iter().find(|row| row.outcome.starts_with("drains")).expect("it shrinks");
    assert_eq!(drained.time - wished_since(rows, drained).time, SimDuration::from_secs(60));
    assert!(rows.iter().filter_map(|row| row.wanted).all(|wanted| (2..=12).contains(&wanted)));
}

#[test]
fn counted_delays_are_as_long_as_timed_ones_while_the_loop_is_on_time() {
    let run_with = |delay_by| {
        let policy = format!("{{ray_serve: {{upscale_delay: 20, delay_by: {delay_by}}}}}");
        let settings = format!("autoscaling_policy: {policy}, min_instances: 2, max_instances: 12");
        let rate = "[{at: 0, rate: 1}, {at: 60, rate: 12}]";
        let application = served(&scenario(&settings, "baseline", rate));
        application.decisions.iter().find(|row| row.outcome.starts_with("started")).unwrap().time
    };
    assert_eq!(run_with("clock"), run_with("decisions"));
}

#[test]
fn the_last_instance_goes_after_its_own_delay_and_waiting_requests_bring_one_back() {
    let policy = "{ray_serve: {upscale_delay: 5, downscale_delay: 10, downscale_to_zero_delay: 40}}";
    let settings = format!("autoscaling_policy: {policy}, min_instances: 0, max_instances: 8");
    let rate = "[{at: 0, rate: 4}, {at: 60, rate: 0.001}, {at: 250, rate: 4}]";
    let application = served(&scenario(&settings, "unallocated", rate));
    let rows = &application.decisions;
    let first = rows.iter().find(|row| row.outcome.starts_with("started")).expect("requests wait");
    assert!(first.time <= at(11.0), "at the first scrape and without a delay, at {}", first.time);
    let gone = rows.iter().find(|row| row.wanted == Some(0) && row.outcome.starts_with("drains"));
    let gone = gone.expect("it goes to zero");
    assert_eq!(gone.pool.map(|pool| pool.asked()), Some(1), "only from one");
    assert_eq!(gone.time - wished_since(rows, gone).time, SimDuration::from_secs(40));
    let back = rows.iter().find(|row| row.time > gone.time && row.outcome.starts_with("started"));
    assert!(back.is_some_and(|row| row.pool.is_some_and(|pool| pool.asked() == 0)), "{back:?}");
}
