//! `dynamo` and `dynamo_load` over fleets of prompt and token instances.

use ebbflow::ids::Tag;
use ebbflow::results::ApplicationResults;
use ebbflow::scaling::Limiter;

use crate::support::run;
use crate::support::scaling::{assert_all_completed, assert_sound, at};

/// Two prompt and two token instances; a prompt takes 0.1 s, an output 1 s.
fn scenario(settings: &str, rate: &str) -> String {
    format!(
        "\
cluster: {{servers: [{{sku: dgx-h100, count: 4}}]}}
applications:
  - model_architecture: llama2-70b
    model_size: llama2-70b-fp16
    scheduler: kv_jsq
    scaling_manager: {{{settings}, max_instances: 16}}
start_state: {{state_type: splitwise, prompt: {{num_instances: 2}}, token: {{num_instances: 2}}}}
performance_model: {{constant: {{prompt_time: 0.1, token_time: 0.01}}}}
workload:
  synthetic: {{prompt: 20, output: 101}}
  rate: {rate}
  until: 240
"
    )
}

fn served(yaml: &str) -> ApplicationResults {
    let mut results = run(yaml);
    assert_all_completed(&results.applications[0]);
    assert_sound(&results.applications[0], &results);
    results.applications.remove(0)
}

/// What was wanted of a pool, and when.
fn wanted(application: &ApplicationResults, tag: Tag) -> Vec<(f64, u32)> {
    let rows = application.decisions.iter().filter(|row| row.limited_by != Some(Limiter::Data));
    let of_pool = rows.filter(|row| row.pool.is_some_and(|pool| pool.tag == Some(tag)));
    of_pool.filter_map(|row| Some((row.time.as_secs_f64(), row.wanted?))).collect()
}

#[test]
fn the_throughput_mode_sizes_each_pool_for_its_tokens() {
    let settings = "autoscaling_policy: dynamo, decision_interval: 30";
    let rate = "[{at: 0, rate: 4}, {at: 60, rate: 25}, {at: 150, rate: 4}]";
    let application = served(&scenario(settings, rate));
    // A prefill instance computes 10 prompts per second, one decode instance is enough for all.
    let prefill = wanted(&application, Tag::Prompt);
    assert_eq!(prefill.first(), Some(&(30.0, 1)), "{prefill:?}");
    assert_eq!(prefill.iter().map(|&(_, wanted)| wanted).max(), Some(3), "{prefill:?}");
    let grown = prefill.iter().find(|&&(_, wanted)| wanted == 3).unwrap();
    assert_eq!(grown.0, 90.0, "at the end of the first interval of 25 requests per second");
    assert!(prefill.iter().any(|&(at_s, wanted)| at_s > 150.0 && wanted == 1), "{prefill:?}");
    assert!(wanted(&application, Tag::Token).iter().all(|&(_, wanted)| wanted == 1));
}

#[test]
fn a_budget_of_gpus_bounds_both_pools_together() {
    let settings = "autoscaling_policy: {dynamo: {max_gpu_budget: 24}}, decision_interval: 30";
    let application = served(&scenario(settings, "[{at: 0, rate: 40}, {at: 100, rate: 4}]"));
    assert!(application.decisions.len() > 2);
    for tag in [Tag::Prompt, Tag::Token] {
        assert!(wanted(&application, tag).iter().all(|&(_, wanted)| wanted <= 2), "three instances in all");
    }
}

#[test]
fn the_load_mode_moves_by_one_and_waits_for_each_move() {
    let settings = "autoscaling_policy: {dynamo_load: {rule: latency}}";
    let application = served(&scenario(settings, "[{at: 0, rate: 2}, {at: 60, rate: 25}]"));
    let acted = application.decisions.iter().filter(|row| row.outcome != "held");
    let mut moves = 0;
    for row in acted {
        let pool = row.pool.unwrap();
        assert!(row.wanted.unwrap().abs_diff(pool.asked()) <= 1, "{row:?}");
        assert_eq!(pool.starting + pool.draining, 0, "{row:?}");
        moves += 1;
    }
    assert!(moves > 0);
}

#[test]
fn both_modes_together_keep_the_floor_of_the_first() {
    let load = "{dynamo_load: {rule: throughput, throughput_floor: true, throughput_interval: 30}}";
    let settings = format!("autoscaling_policy: {load}");
    let application = served(&scenario(&settings, "25"));
    let after = |tag| {
        let all = wanted(&application, tag);
        all.into_iter().filter(|&(at_s, _)| at_s > 35.0).map(|(_, wanted)| wanted).min()
    };
    assert!(after(Tag::Prompt) >= Some(3), "{:?}", wanted(&application, Tag::Prompt));
}

#[test]
fn a_fleet_with_half_a_split_is_refused_with_advice() {
    let yaml = scenario("autoscaling_policy: dynamo", "1")
        .replace("prompt: {num_instances: 2}", "prompt: {num_instances: 0}");
    let read = crate::support::scenarios::read(&yaml, &[]);
    let Ok(scenario) = read else { return };
    let requests =
        ebbflow::workload::open(&scenario.workload, &[scenario.applications[0].id], scenario.seed).unwrap();
    let registry = ebbflow::registry::Registry::builtin();
    let options = crate::support::run::sequential();
    let error = ebbflow::simulation::run(&scenario, requests, &registry, &options).unwrap_err().to_string();
    assert!(error.contains("a prompt and a token pool together"), "{error}");
}

#[test]
fn an_undivided_fleet_gets_the_larger_of_the_two_sizes() {
    let yaml =
        scenario("autoscaling_policy: dynamo, decision_interval: 30", "25").replace("kv_jsq", "jsq").replace(
            "{state_type: splitwise, prompt: {num_instances: 2}, token: {num_instances: 2}}",
            "{state_type: baseline}",
        );
    let application = served(&yaml);
    let first = application.decisions.iter().find(|row| row.limited_by.is_none()).unwrap();
    assert_eq!((first.time, first.wanted), (at(30.0), Some(3)), "{first:?}");
}
