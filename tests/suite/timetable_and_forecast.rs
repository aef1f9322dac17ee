//! The policies that do not wait for the load: `scheduled` knows the clock, `predictive` draws it on.

use ebbflow::ids::Tag;
use ebbflow::request::Request;
use ebbflow::results::{ApplicationResults, Latency, RunResults};

use crate::support::run;
use crate::support::run::application;
use crate::support::scaling::{assert_all_completed, assert_sound, fleet, split_fleet};
use crate::support::scenarios::scenario;

fn wanted(results: &RunResults, pool: Option<Tag>) -> Vec<(f64, u32)> {
    let rows = &application(results).decisions;
    let of_pool = rows.iter().filter(|row| row.pool.is_some_and(|known| known.tag == pool));
    of_pool.filter_map(|row| Some((row.time.as_secs_f64(), row.wanted?))).collect()
}

#[test]
fn a_timetable_sizes_the_fleet() {
    let rows = "[{at: 0, instances: 4}, {at: 30s, instances: 7}, {at: 1min, instances: 3}]";
    let policy =
        format!("decision_interval: 5, autoscaling_policy: {{scheduled: {{period: 100, rows: {rows}}}}}");
    let results = run(&fleet(&policy, 4.0, &[]).replace("until: 60", "until: 140"));
    assert_sound(application(&results), &results);
    assert_all_completed(application(&results));
    assert_eq!(wanted(&results, None), [(5.0, 4), (30.0, 7), (60.0, 3), (100.0, 4), (130.0, 7)]);
}

#[test]
fn a_timetable_may_act_ahead_of_a_slow_start() {
    let rows = "[{at: 00:00, prompt: 2, token: 2}, {at: 00:01, prompt: 2, token: 5}]";
    let policy = format!(
        "scale_up_delay: 20, decision_interval: 10, autoscaling_policy: {{scheduled: {{ahead: 20, rows: {rows}}}}}"
    );
    let results = run(&split_fleet(&policy, 4.0, &[]).replace("until: 60", "until: 90"));
    assert_eq!(wanted(&results, Some(Tag::Token)), [(10.0, 2), (40.0, 5)]);
    let ready = application(&results).instances.iter().filter_map(|instance| instance.active);
    assert_eq!(ready.map(|active| active.as_secs_f64()).fold(0.0, f64::max), 60.0, "in time");
}

#[test]
fn a_timetable_for_pools_that_are_not_there_is_refused() {
    let policy = "autoscaling_policy: {scheduled: {rows: [{at: 0, prompt: 4}]}}";
    let scenario = scenario(&fleet(policy, 4.0, &[]));
    let registry = ebbflow::registry::Registry::builtin();
    let requests = ebbflow::workload::open(&scenario.workload, &[scenario.applications[0].id], 0).unwrap();
    let options = crate::support::run::sequential();
    let error = ebbflow::simulation::run(&scenario, requests, &registry, &options).unwrap_err().to_string();
    assert!(error.contains("`prompt`") && error.contains("`instances`"), "{error}");
}

/// A load that climbs for two minutes and a half, in instances that serve about 4.4 requests/s each.
fn ramp(policy: &str) -> RunResults {
    let climb: String =
        (0..15).map(|rung| format!("{{at: {}, rate: {}}}, ", 10 * rung, 2 + 2 * rung)).collect();
    let yaml = format!(
        "\
cluster: {{servers: [{{sku: dgx-h100, count: 2}}]}}
applications:
  - model_architecture: llama2-70b
    model_size: llama2-70b-fp16
    scheduler: jsq
    scaling_manager: {{scale_up_delay: 20, decision_interval: 5, max_instances: 20{policy}}}
start_state: {{state_type: baseline, instance: {{instance_type: ORCA, max_batch_size: 8}}}}
performance_model: {{constant: {{prompt_time: 0.1, token_time: 0.01}}}}
workload:
  synthetic: {{prompt: 500, output: 101}}
  rate: [{climb}{{at: 180, rate: 4}}]
  until: 300
"
    );
    let results = run(&yaml);
    assert_sound(application(&results), &results);
    assert_all_completed(application(&results));
    results
}

fn ttft_p90(application: &ApplicationResults) -> f64 {
    Latency::of(application.completed().filter_map(Request::ttft_s).collect()).p90.unwrap()
}

#[test]
fn looking_ahead_beats_looking_and_both_beat_a_fixed_fleet() {
    let given = "requests_per_s_per_instance: 4, scale_up_threshold: 1";
    let by = |method: &str| {
        ramp(&format!(
            ", autoscaling_policy: {{predictive: {{{given}, predictor: {{method: {method}, history: 30}}}}}}"
        ))
    };
    let (fixed, reactive, ahead) = (ramp(""), by("last_value"), by("linear_trend"));
    let p90 = [&fixed, &reactive, &ahead].map(|results| ttft_p90(application(results)));
    println!("p90 of TTFT: fixed, last value, linear trend: {p90:?}");
    assert!(p90[2] < 0.8 * p90[1] && p90[1] < p90[0], "{p90:?}");
    for scaled in [&reactive, &ahead] {
        let counts = application(scaled).scaling;
        assert!(counts.scale_ups >= 3 && counts.scale_downs >= 3, "{counts:?}");
    }
}

#[test]
fn capacity_is_estimated_when_it_is_not_given() {
    let results = ramp(", autoscaling_policy: {predictive: {max_batch_size: 8}}");
    // 0.1 s a prompt and 100 × 0.01 s ÷ 8 of decodes: 4.44 requests/s, of which 0.7 count.
    let rows = &application(&results).decisions;
    assert!(rows.iter().any(|row| row.reason.ends_with("3.11 an instance")), "{:?}", rows.last());
    assert!(application(&results).scaling.scale_ups >= 3);
}

#[test]
fn every_predictor_may_be_named_and_keeps_the_fleet_within_its_bounds() {
    for method in ["last_value", "moving_average", "linear_trend", "holt_winters", "ar", "seasonal"] {
        let predictor = format!("{{method: {method}, season: 60, history: 60}}");
        let results = ramp(&format!(", autoscaling_policy: {{predictive: {{predictor: {predictor}}}}}"));
        let sizes = wanted(&results, None);
        assert!(
            !sizes.is_empty() && sizes.iter().all(|(_, size)| (1..=20).contains(size)),
            "{method}: {sizes:?}"
        );
    }
}
