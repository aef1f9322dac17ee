//! The ancestor's autoscaling policies in whole runs: what they are known for, and what they do when mended.

use ebbflow::ids::Tag;
use ebbflow::results::RunResults;

use crate::ancestor_policies::{load, policy_cases};
use crate::support::golden::name;
use crate::support::run::{application, sequential};
use crate::support::scaling::{assert_all_completed, assert_sound, split_fleet};
use crate::support::{run, run_scenario};

#[test]
fn the_ancestors_configurations_run_with_their_policy() {
    for case in policy_cases() {
        for given in ["autoscaling_policy.faithful=false", "autoscaling_policy.faithful=true"] {
            let scenario = load(&case, &[given]);
            assert!(
                !scenario.notes.iter().any(|note| note.contains("not simulated")),
                "{:?}",
                scenario.notes
            );
            assert!(
                !scenario.notes.iter().any(|note| note.contains("not a parameter")),
                "{:?}",
                scenario.notes
            );
            let results = run_scenario(&scenario, &sequential());
            let application = application(&results);
            assert!(!application.decisions.is_empty());
            println!("{} {given}: {:?}, {}", name(&case), application.scaling, results.end);
            if given.ends_with("false") {
                assert_all_completed(application);
            }
        }
    }
}

fn decisions_of(results: &RunResults, pool: Tag) -> Vec<u32> {
    let rows = &application(results).decisions;
    let of_pool = rows.iter().filter(|row| row.pool.is_some_and(|known| known.tag == Some(pool)));
    of_pool.filter_map(|row| row.wanted).collect()
}

/// 1.5 requests/s complete as one or two a second: seen over a second, that is half or double the load.
#[test]
fn heteroscale_flaps_with_cooldowns_of_a_second_and_rests_when_mended() {
    let steady = |faithful: bool| {
        let policy = format!(
            "decision_interval: 1, autoscaling_policy: {{heteroscale: {{target_decode_tps_per_instance: 25, \
             pd_ratio: 1.28, split: total, scale_out_threshold: 0.2, scale_in_threshold: 0.2, window: 10, \
             scale_out_cooldown: 1, scale_in_cooldown: 1, faithful: {faithful}}}}}"
        );
        let results = run(&split_fleet(&policy, 1.5, &[]).replace("until: 60", "until: 200"));
        assert_sound(application(&results), &results);
        assert_all_completed(application(&results));
        results
    };
    let (flapping, steady) = (steady(true), steady(false));
    let (flaps, calm) = (application(&flapping).scaling, application(&steady).scaling);
    println!("faithful: {flaps:?}\nmended: {calm:?}");
    assert!(flaps.scale_ups > 20 && flaps.scale_downs > 20, "{flaps:?}");
    assert!(calm.scale_ups <= 4, "{calm:?}");
    assert_eq!(calm.scale_downs, 0, "{calm:?}");
}

/// A model that fills 0.7 of the memory of its GPU, four idle token instances.
fn roomy(policy: &str, rate: f64) -> RunResults {
    run(&format!(
        "\
cluster: {{servers: [{{sku: h100-80gb-x1, count: 5}}]}}
applications:
  - model_architecture: opt-30b
    model_size: opt-30b-fp16
    scheduler: kv_jsq
    scaling_manager: {{max_instances: 5, autoscaling_policy: {{hpa_gpu: {{scale_in_cooldown: 60, {policy}}}}}}}
start_state:
  state_type: splitwise
  prompt: {{num_instances: 1, tensor_parallelism: 1}}
  token: {{num_instances: 4, tensor_parallelism: 1}}
performance_model: {{constant: {{prompt_time: 0.01, token_time: 0.01}}}}
workload:
  synthetic: {{prompt: 20, output: 201}}
  arrivals: uniform
  rate: {rate}
  until: 900
"
    ))
}

#[test]
fn hpa_gpu_never_shrinks_decode_where_weights_or_any_request_count_as_utilisation() {
    let by_memory = roomy("faithful: true", 0.2);
    assert!(decisions_of(&by_memory, Tag::Token).is_empty(), "weights are 0.7 of the memory");
    let by_busy = roomy("decode_signal: busy", 4.0);
    assert!(decisions_of(&by_busy, Tag::Token).iter().all(|&wanted| wanted >= 4), "a request each is enough");
    for (policy, rate) in [("faithful: false", 0.2), ("faithful: false", 4.0)] {
        let mended = roomy(policy, rate);
        assert_all_completed(application(&mended));
        assert_eq!(decisions_of(&mended, Tag::Token).last(), Some(&1), "by KV memory at {rate} requests/s");
    }
}

#[test]
fn the_ancestors_periodic_policy_scales_by_the_clock() {
    let schedule = "[[[0, 0], [0, 1], 3, 4], [[0, 1], [24, 0], 2, 1]]";
    let yaml = split_fleet("scale_up_delay: 5", 2.0, &[]).replace("until: 60", "until: 120");
    let ancestor = format!(
        "dispatch_latency: 1ms\n{yaml}autoscaling: {{enable: true, decision_interval: 10.0}}
autoscaling_policy: {{_target_: autoscaling_policies.PeriodicPolicy, schedule: {schedule}}}
"
    );
    let results = run(&ancestor);
    assert_sound(application(&results), &results);
    assert_all_completed(application(&results));
    assert_eq!(decisions_of(&results, Tag::Prompt), [3, 2]);
    assert_eq!(decisions_of(&results, Tag::Token), [4, 1]);
    let first = &application(&results).decisions[0];
    assert!(first.outcome.starts_with("started"), "{first:?}");
}
