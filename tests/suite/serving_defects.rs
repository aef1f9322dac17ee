//! What the ancestor gets wrong while it serves, one test each that its behaviour would fail.
//! (What its ScalingManager gets wrong is in `ancestor_bugs`, its memory deadlock in `memory_pressure`.)

use std::collections::BTreeSet;

use ebbflow::request::Fate;
use ebbflow::results::{ApplicationResults, RunResults};

use crate::support::run;
use crate::support::run::{application, count, fate, instance, request, run_trace};

/// Two H100 servers with an instance each; `more` continues the scenario.
fn fleet(scheduler: &str, start_state: &str, more: &str) -> String {
    format!(
        "cluster: {{servers: [{{sku: dgx-h100, count: 2}}]}}\n\
         dispatch_latency: 1ms\n\
         applications:\n  - {{model_architecture: LLaMA, model_size: 70B, scheduler: {scheduler}}}\n\
         start_state: {start_state}\n{more}\n"
    )
}

const SPLIT: &str = "{state_type: splitwise, prompt: {num_instances: 1}, token: {num_instances: 1}}";

fn all_completed(results: &RunResults) -> &ApplicationResults {
    let application = application(results);
    for ended in &application.requests {
        assert_eq!(ended.fate, Fate::Completed, "request {}", ended.request.id);
    }
    application
}

fn instances_used(application: &ApplicationResults) -> (BTreeSet<u32>, BTreeSet<u32>) {
    let journals = || application.requests.iter().map(|ended| &ended.request.journal);
    let prefills = journals().filter_map(|journal| Some(journal.prefill?.instance.0)).collect();
    let decodes = journals().filter_map(|journal| Some(journal.decode?.instance.0)).collect();
    (prefills, decodes)
}

#[test]
fn a_request_that_arrives_at_time_zero_is_served() {
    let results = run_trace(&fleet("jsq", "baseline", ""), &[(0.0, 100, 5), (0.0, 200, 5), (1.0, 100, 5)]);
    assert_eq!(all_completed(&results).requests.len(), 3);
}

#[test]
fn the_constant_performance_model_works_with_every_engine() {
    for engine in ["vllm", "ORCA", "Splitwise", "DEFAULT"] {
        let start = format!("{{state_type: baseline, instance: {{instance_type: {engine}}}}}");
        let yaml = fleet("jsq", &start, "performance_model: {constant: {prompt_time: 1, token_time: 10}}");
        let results = run_trace(&yaml, &[(0.0, 100, 4)]);
        let request = request(all_completed(&results), 0);
        // To the scheduler and to the instance; then the prompt; then three further tokens.
        assert_eq!(request.ttft_s(), Some(1.002), "{engine}");
        assert_eq!(request.e2e_s(), Some(31.002), "{engine}");
    }
}

#[test]
fn the_default_engine_serves_one_request_after_the_other() {
    let start = "{state_type: baseline, instance: {instance_type: DEFAULT}}";
    let yaml = fleet("jsq", start, "performance_model: {constant: {prompt_time: 1, token_time: 1}}")
        .replace("count: 2", "count: 1");
    let requests: Vec<_> = (0..10).map(|n| (f64::from(n) * 0.3, 100, 1 + n % 3)).collect();
    let results = run_trace(&yaml, &requests);
    let application = all_completed(&results);
    let mut busy: Vec<_> = (0..10)
        .map(|id| {
            let request = request(application, id);
            (request.journal.prefill.unwrap().start, request.completion().unwrap())
        })
        .collect();
    assert!(busy.is_sorted(), "first come, first served: {busy:?}");
    busy.sort_unstable();
    assert!(busy.windows(2).all(|pair| pair[0].1 <= pair[1].0), "one at a time: {busy:?}");
}

#[test]
fn a_request_of_one_token_is_done_with_its_prompt_while_others_decode() {
    for (scheduler, start) in [("jsq", "baseline"), ("kv_jsq", SPLIT), ("mixed_pool", SPLIT)] {
        let mut requests: Vec<_> = (0..60).map(|n| (f64::from(n) * 0.05, 700, 1 + 80 * (n % 2))).collect();
        requests.push((1.0, 20_000, 1));
        let results = run_trace(&fleet(scheduler, start, ""), &requests);
        let application = all_completed(&results);
        for ended in application.requests.iter().filter(|ended| ended.request.output_tokens == 1) {
            let request = &ended.request;
            assert_eq!((request.journal.decode, request.journal.transfer), (None, None), "{scheduler}");
            assert_eq!(request.e2e_s(), request.ttft_s(), "{scheduler}");
        }
    }
}

#[test]
fn the_random_scheduler_draws_from_the_seed_of_the_run() {
    let choices = |seed: u64| {
        let requests: Vec<_> = (0..40).map(|n| (f64::from(n), 100, 2)).collect();
        let results = run_trace(&fleet("random", "baseline", &format!("seed: {seed}")), &requests);
        let application = all_completed(&results);
        let prefill = |id| request(application, id).journal.prefill.unwrap().instance.0;
        (0..40).map(prefill).collect::<Vec<u32>>()
    };
    assert_eq!(choices(1), choices(1));
    assert_ne!(choices(1), choices(2));
    assert_eq!(choices(1).into_iter().collect::<BTreeSet<_>>(), BTreeSet::from([0, 1]));
}

#[test]
fn every_request_is_accounted_for_when_the_run_is_cut_short() {
    let requests: Vec<_> = (0..50).map(|n| (f64::from(n) * 0.1, 1500, 200)).collect();
    let results = run_trace(&fleet("jsq", "baseline", "end_time: 3"), &requests);
    let application = application(&results);
    let completed = count(application, |fate| *fate == Fate::Completed);
    let unfinished = count(application, |fate| matches!(fate, Fate::Unfinished(_)));
    assert!(unfinished > 0);
    assert_eq!(results.arrived as usize, completed + unfinished);
}

#[test]
fn a_prompt_above_the_token_budget_waits_for_its_turn_and_gets_it() {
    for engine in ["vllm", "ORCA", "Splitwise"] {
        let start = format!("{{state_type: baseline, instance: {{instance_type: {engine}}}}}");
        let yaml = fleet("jsq", &start, "").replace("count: 2", "count: 1");
        let results = run_trace(&yaml, &[(0.0, 100, 300), (1.0, 5000, 10), (1.1, 5000, 10), (1.2, 50, 10)]);
        assert_eq!(all_completed(&results).requests.len(), 4, "{engine}");
    }
}

/// Prompts are computed every 0.15 s, caches move for 0.3 s, five further tokens take 0.15 s: each cache arrives
/// in the very moment in which the decode before it ends.
#[test]
fn a_cache_that_arrives_when_a_run_of_iterations_ends_does_not_prolong_it() {
    let start = "{state_type: splitwise, prompt: {num_instances: 1, instance_type: ORCA, max_batch_size: 1}, \
                 token: {num_instances: 1, instance_type: ORCA}}";
    let more = "performance_model: {constant: {prompt_time: 0.15, token_time: 0.03}}";
    let results = run_trace(&fleet("{kv_jsq: {transfer_bandwidth: 25}}", start, more), &[(0.0, 3072, 6); 10]);
    for ended in &all_completed(&results).requests {
        let decode = ended.request.journal.decode.unwrap();
        let span_s = (decode.end.unwrap() - decode.start).as_secs_f64();
        assert!((span_s - 0.15).abs() < 1e-6, "request {}: {span_s} s", ended.request.id);
    }
}

#[test]
fn kv_token_jsq_spreads_work_over_all_instances() {
    for scheduler in ["kv_token_jsq", "overlap_kv_token_jsq", "kv_jsq", "kv_round_robin", "overlap_kv_jsq"] {
        let start = "{state_type: splitwise, prompt: {num_instances: 3}, token: {num_instances: 3}}";
        let yaml = fleet(scheduler, start, "").replace("count: 2", "count: 6");
        let requests: Vec<_> = (0..200).map(|n| (f64::from(n) * 0.02, 1500, 100)).collect();
        let results = run_trace(&yaml, &requests);
        let (prefills, decodes) = instances_used(all_completed(&results));
        assert_eq!(prefills, BTreeSet::from([0, 1, 2]), "{scheduler}");
        assert_eq!(decodes, BTreeSet::from([3, 4, 5]), "{scheduler}");
    }
}

#[test]
fn the_overlap_schedulers_move_caches_ten_times_as_fast() {
    let transfer_s = |scheduler: &str| {
        let results = run_trace(&fleet(scheduler, SPLIT, ""), &[(0.0, 4000, 10)]);
        let leg = request(all_completed(&results), 0).journal.transfer.unwrap();
        (leg.end.unwrap() - leg.start).as_secs_f64()
    };
    for (plain, overlap) in [("kv_jsq", "overlap_kv_jsq"), ("kv_token_jsq", "overlap_kv_token_jsq")] {
        let (plain, overlap) = (transfer_s(plain), transfer_s(overlap));
        assert!((plain / overlap - 10.0).abs() < 1e-3, "{plain} s, {overlap} s");
    }
}

#[test]
fn instances_that_left_stay_in_the_books() {
    let yaml = "
cluster: {servers: [{sku: dgx-h100, count: 2}]}
applications: [{model_architecture: LLaMA, model_size: 70B, scheduler: jsq, scaling_manager: {}}]
workload: {synthetic: {prompt: 500, output: 50}, rate: 4, requests: 80}
actions:
  - {at: 2, scale_up_full: {count: 2}}
  - {at: 15, scale_down_full: {instances: [0, 2]}}
";
    let results = run(yaml);
    let application = application(&results);
    assert_eq!(application.instances.len(), 4);
    for id in [0, 2] {
        let gone = instance(application, id);
        assert!(
            gone.removed.is_some() && gone.tasks_completed > 0 && gone.busy.as_secs_f64() > 0.0,
            "{gone:?}"
        );
    }
}

#[test]
fn nothing_happens_at_the_end_time_or_after_it() {
    let yaml = fleet("jsq", "baseline", "end_time: 10");
    let results = run_trace(&yaml, &[(9.0, 100, 2), (9.999, 100, 2), (10.0, 100, 2), (11.0, 100, 2)]);
    assert_eq!(results.arrived, 2);
    assert!(results.end.as_secs_f64() < 10.0, "{}", results.end);
    let application = application(&results);
    assert_eq!(fate(application, 0), Fate::Completed);
    assert!(matches!(fate(application, 1), Fate::Unfinished(_)));
}

#[test]
fn an_instance_created_in_the_last_moment_divides_nothing_by_zero() {
    let yaml = "
cluster: {servers: [{sku: dgx-h100, count: 1}]}
applications: [{model_architecture: LLaMA, model_size: 70B, scheduler: jsq, scaling_manager: {}}]
workload: {synthetic: {prompt: 500, output: 5}, rate: 1, requests: 3}
end_time: 20
actions: [{at: 19.999999999, scale_up_full: {}}]
";
    let results = run(yaml);
    let time = application(&results).time[0];
    assert!(time.instance.total_s().is_finite());
    assert!((time.instance.active_s - results.end.as_secs_f64()).abs() < 1e-9, "{time:?}");
}
