//! Memory runs out, and still every request is served or refused with a reason.
//!
//! In the ancestor an instance that fills with computed prompts, none of which gets the memory of its output,
//! stands still for ever; two instances may also wait for each other's caches.

use ebbflow::request::{Fate, Rejection};
use ebbflow::results::ApplicationResults;
use ebbflow_actors::{CounterRng, EntityId};

use crate::support::run::{application, count, fate, request, run_trace};

/// Servers with room for about 7,000 tokens beside the model.
fn tight(scheduler: &str, start_state: &str, servers: u32) -> String {
    format!(
        "cluster:\n  skus: [{{name: tight, gpu: h100-80gb, gpus: 8, gpu_memory_gib: 18}}]\n  \
         servers: [{{sku: tight, count: {servers}}}]\n\
         applications: [{{model_architecture: LLaMA, model_size: 70B, scheduler: {scheduler}}}]\n\
         start_state: {start_state}\n"
    )
}

/// Whole servers with this engine; its token budget lets all prompts in.
fn engine(name: &str) -> String {
    let budget = if name == "Splitwise" { ", max_batch_tokens: 100000" } else { "" };
    format!("{{state_type: baseline, instance: {{instance_type: {name}{budget}}}}}")
}

fn completed(application: &ApplicationResults) -> usize {
    count(application, |fate| *fate == Fate::Completed)
}

/// A burst of equal requests.
fn burst(requests: u32, prompt: u32, output: u32) -> Vec<(f64, u32, u32)> {
    (0..requests).map(|n| (f64::from(n) * 1e-3, prompt, output)).collect()
}

#[test]
fn an_instance_full_of_computed_prompts_serves_them_all() {
    for engine_name in ["vllm", "Splitwise", "ORCA", "DEFAULT"] {
        for (prompt, output) in [(900, 500), (100, 3000), (3000, 3000), (1, 6000), (7000, 2)] {
            let results = run_trace(&tight("jsq", &engine(engine_name), 1), &burst(40, prompt, output));
            let application = application(&results);
            assert_eq!(completed(application), 40, "{engine_name}: {prompt} and {output} tokens");
        }
    }
}

/// Among them: an early request that does not fit beside the cache of a later one, which waits to decode.
#[test]
fn requests_of_any_lengths_get_by_one_another_in_tight_memory() {
    for seed in 0..300 {
        let mut dice = CounterRng::new(seed, EntityId(0), 0);
        let mut draw = |least: u64, most: u64| (least + dice.below(most - least + 1)) as u32;
        let (size, preemptions) = ([1, 2, 8][draw(0, 2) as usize], draw(0, 5));
        let engine = format!("Splitwise, max_batch_size: {size}, max_preemptions: {preemptions}");
        let start = format!("{{state_type: baseline, instance: {{instance_type: {engine}}}}}");
        let requests: Vec<_> = (0..30)
            .map(|n| {
                let longest = [10, 500, 6000][draw(0, 2) as usize];
                (f64::from(n) * 5e-3, draw(1, longest), draw(1, 400))
            })
            .collect();
        let results = run_trace(&tight("jsq", &start, 1), &requests);
        assert_eq!(completed(application(&results)), requests.len(), "burst {seed}: {engine}, {requests:?}");
    }
}

#[test]
fn breaking_a_standstill_computes_prompts_again_and_says_so() {
    let results = run_trace(&tight("jsq", &engine("Splitwise"), 1), &burst(40, 900, 500));
    let recomputed = application(&results).requests.iter().map(|ended| ended.request.journal.recomputed);
    assert!(recomputed.sum::<u32>() > 0, "the burst was meant to fill the instance");
}

#[test]
fn prefill_and_decode_instances_that_are_both_full_do_not_wait_for_each_other() {
    for scheduler in ["kv_jsq", "kv_token_jsq", "mixed_pool", "adaptive_mixed_pool"] {
        let start = "{state_type: splitwise, prompt: {num_instances: 1}, token: {num_instances: 1}}";
        for (prompt, output) in [(900, 500), (100, 3000), (3000, 3000), (7000, 2)] {
            let results = run_trace(&tight(scheduler, start, 2), &burst(40, prompt, output));
            let application = application(&results);
            assert_eq!(completed(application), 40, "{scheduler}: {prompt} and {output} tokens");
        }
    }
}

#[test]
fn mixed_instances_that_send_each_other_caches_do_not_wait_for_each_other() {
    let mut yaml = tight("kv_round_robin", "unallocated", 4);
    yaml = yaml.replace("kv_round_robin}", "kv_round_robin, scaling_manager: {scale_up_delay: 0.001}}");
    yaml.push_str("actions: [{at: 0, scale_up_full: {count: 3, tag: mixed}}]\n");
    for (prompt, output) in [(900, 500), (3000, 3000)] {
        let results = run_trace(&yaml, &burst(60, prompt, output));
        assert_eq!(completed(application(&results)), 60, "{prompt} and {output} tokens");
    }
}

#[test]
fn a_request_that_fits_no_empty_instance_is_rejected_and_harms_nobody() {
    for (scheduler, start) in [
        ("jsq", "baseline"),
        ("kv_jsq", "{state_type: splitwise, prompt: {num_instances: 1}, token: {num_instances: 1}}"),
    ] {
        let requests = [(0.0, 500, 100), (0.1, 30_000, 10), (0.2, 500, 30_000), (0.3, 500, 100)];
        let results = run_trace(&tight(scheduler, start, 2), &requests);
        let application = application(&results);
        for (id, expected) in [Fate::Completed, TOO_LARGE, TOO_LARGE, Fate::Completed].into_iter().enumerate()
        {
            assert_eq!(fate(application, id as u64), expected, "{scheduler}: request {id}");
        }
    }
}

const TOO_LARGE: Fate = Fate::Rejected(Rejection::TooLarge);

#[test]
fn requests_wait_in_order_of_arrival_until_an_instance_is_active() {
    for scheduler in ["jsq", "random", "kv_jsq", "mixed_pool", "adaptive_mixed_pool"] {
        let mut yaml = tight(scheduler, "unallocated", 0);
        yaml = yaml.replace(&format!("{scheduler}}}"), &format!("{scheduler}, scaling_manager: {{}}}}"));
        yaml.push_str(
            "actions: [{at: 5, scale_up_full: {tag: prompt}}, {at: 7, scale_up_full: {tag: token}}]\n",
        );
        let results = run_trace(&yaml, &burst(20, 300, 30));
        let application = application(&results);
        let journals: Vec<_> = (0..20).map(|id| &request(application, id).journal).collect();
        assert_eq!(completed(application), 20, "{scheduler}");
        assert!(journals.iter().all(|journal| journal.first_refusal.is_some()), "{scheduler}");
        let scheduled: Vec<_> = journals.iter().filter_map(|journal| journal.scheduled).collect();
        assert!(scheduled.is_sorted() && scheduled[0].as_secs_f64() >= 15.0, "{scheduler}: {scheduled:?}");
    }
}
