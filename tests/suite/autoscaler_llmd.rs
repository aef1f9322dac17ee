//! llm-d's autoscalers over a fleet, and what they have in common with the others: no data, no decision.

use ebbflow::results::RunResults;
use ebbflow::scaling::Limiter;

use crate::support::run;
use crate::support::scaling::{assert_all_completed, assert_sound};

/// Two instances of small batches under a load that climbs to a peak they cannot bear and falls again.
fn ramp(settings: &str) -> RunResults {
    let results = run(&format!(
        "\
cluster: {{servers: [{{sku: dgx-h100, count: 2}}]}}
applications:
  - model_architecture: llama2-70b
    model_size: llama2-70b-fp16
    scheduler: jsq
    scaling_manager: {{{settings}, max_instances: 8}}
start_state: {{state_type: baseline, instance: {{instance_type: ORCA, max_batch_size: 8}}}}
performance_model: {{constant: {{prompt_time: 0.1, token_time: 0.01}}}}
slo: ttft.p90<3s, tpot.p90<100ms
workload:
  synthetic: {{prompt: 500, output: 101}}
  rate: [{{at: 0, rate: 1}}, {{at: 60, rate: 20}}, {{at: 160, rate: 1}}]
  until: 500
"
    ));
    assert_all_completed(&results.applications[0]);
    assert_sound(&results.applications[0], &results);
    results
}

#[test]
fn wva_grows_by_one_when_queues_fill_and_shrinks_when_that_is_safe() {
    let results = ramp("autoscaling_policy: wva");
    let application = &results.applications[0];
    let scaling = application.scaling;
    assert!(scaling.scale_ups >= 2 && scaling.scale_downs >= 2, "{scaling:?}");
    for row in application.decisions.iter().filter(|row| row.outcome != "held") {
        let pool = row.pool.unwrap();
        assert_eq!(row.wanted.unwrap().abs_diff(pool.asked()), 1, "{row:?}");
        assert_eq!(pool.starting, 0, "never while one starts: {row:?}");
    }
}

#[test]
fn wva_by_tokens_orders_all_it_needs_at_once() {
    let results = ramp("autoscaling_policy: {wva: {analyzer: tokens}}");
    let application = &results.applications[0];
    let scaling = application.scaling;
    assert!(scaling.scale_ups >= 2 && scaling.scale_downs >= 2, "{scaling:?}");
    let most = application.decisions.iter().filter_map(|row| row.wanted).max();
    assert!(most <= Some(8), "{most:?}");
}

/// In an elastic fleet with prompts of 500 tokens in 0.1 s, so that 7500 tokens are 1.5 s of work.
#[test]
fn token_aware_follows_the_backlog_and_shrinks_only_after_its_window() {
    let results = ramp("autoscaling_policy: {token_aware: {peak_prefill: 5000}}");
    let application = &results.applications[0];
    let scaling = application.scaling;
    assert!(scaling.scale_ups >= 2 && scaling.scale_downs >= 1, "{scaling:?}");
    let acted: Vec<_> = application.decisions.iter().filter(|row| row.outcome != "held").collect();
    for row in &acted {
        assert!(row.wanted.unwrap() <= 2 * row.pool.unwrap().asked(), "at most twice as many: {row:?}");
    }
    let last_up = acted.iter().rfind(|row| row.outcome.starts_with("started")).unwrap();
    let first_down = acted.iter().find(|row| row.outcome.starts_with("drains")).unwrap();
    assert!(first_down.time.as_secs_f64() - last_up.time.as_secs_f64() > 200.0, "{first_down:?}");
}

#[test]
fn slo_aware_grows_when_latencies_near_their_objectives_and_shrinks_one_at_a_time() {
    let results = ramp("autoscaling_policy: slo_aware");
    let application = &results.applications[0];
    let scaling = application.scaling;
    assert!(scaling.scale_ups >= 1 && scaling.scale_downs >= 1, "{scaling:?}");
    for row in application.decisions.iter().filter(|row| row.outcome.starts_with("drains")) {
        assert_eq!(row.wanted.unwrap() + 1, row.pool.unwrap().asked(), "{row:?}");
    }
}

#[test]
fn without_samples_nothing_is_done_and_the_log_says_why() {
    for policy in POLICIES {
        let settings = format!("autoscaling_policy: {policy}, metrics: {{scrape_interval: 100000}}");
        let results = ramp(&settings);
        let application = &results.applications[0];
        let scaling = application.scaling;
        assert_eq!((scaling.scale_ups, scaling.scale_downs), (0, 0), "{policy}: {scaling:?}");
        let rows = &application.decisions;
        assert!(!rows.is_empty(), "{policy}");
        assert!(rows.iter().all(|row| row.limited_by == Some(Limiter::Data)), "{policy}: {rows:?}");
    }
}

#[test]
fn the_same_seed_gives_the_same_decisions() {
    for policy in POLICIES {
        let settings = format!("autoscaling_policy: {policy}");
        let (one, other) = (ramp(&settings), ramp(&settings));
        assert_eq!(one.applications[0].decisions, other.applications[0].decisions, "{policy}");
    }
}

const POLICIES: [&str; 7] =
    ["token_aware", "slo_aware", "ray_serve", "dynamo", "dynamo_load", "wva", "{wva: {analyzer: tokens}}"];
