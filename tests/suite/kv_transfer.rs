//! KV caches over the links of the cluster: how long they take alone and when they meet, what they hold meanwhile,
//! and that nobody is lost when one is called off.
//!
//! A token of this model has 2,621,440 bytes of cache, and NICs carry 2.62144 GB/s: a second for a thousand tokens.

use ebbflow::request::{Leg, Request};
use ebbflow::results::{LinkRecord, RunResults};

use crate::support::run::{application, instance, request, run_trace};
use crate::support::scaling::{assert_all_completed, at, run_soundly, split_fleet};

const NIC: &str = "nic: {ethernet: {gb_per_s: 2.62144, latency: 0}}";
/// A message between two entities, in seconds.
const MESSAGE_S: f64 = 0.001;

/// So many prompt and token servers, each with one instance on its eight GPUs.
fn fleet(network: &str, prompt: (&str, u32), token: (&str, u32)) -> String {
    let ((prompt_sku, prompts), (token_sku, tokens)) = (prompt, token);
    format!(
        "\
cluster:
  skus: [{{name: tight, gpu: h100-80gb, gpus: 8, gpu_memory_gib: 18}}]
  servers: [{{sku: {prompt_sku}, count: {prompts}}}, {{sku: {token_sku}, count: {tokens}}}]
  network: {{{network}}}
applications: [{{model_architecture: LLaMA, model_size: 70B, scheduler: kv_round_robin}}]
start_state: {{state_type: splitwise, prompt: {{num_instances: {prompts}}}, token: {{num_instances: {tokens}}}}}
performance_model: {{constant: {{prompt_time: 100, token_time: 0.01}}}}
"
    )
}

fn servers(network: &str, prompts: u32, tokens: u32) -> String {
    fleet(network, ("dgx-h100", prompts), ("dgx-h100", tokens))
}

fn completed(results: &RunResults, id: u64) -> &Request {
    assert_all_completed(application(results));
    request(application(results), id)
}

fn transfer(results: &RunResults, id: u64) -> Leg {
    completed(results, id).journal.transfer.unwrap()
}

/// From the reservation of its room to the arrival of a cache, less the message in which it is told to set out.
fn transfer_s(results: &RunResults, id: u64) -> f64 {
    let leg = transfer(results, id);
    (((leg.end.unwrap() - leg.start).as_secs_f64() - MESSAGE_S) * 1e9).round() / 1e9
}

#[test]
fn a_cache_alone_takes_its_bytes_over_the_nic_and_the_latency() {
    assert_eq!(transfer_s(&run_trace(&servers(NIC, 1, 1), &[(0.0, 1000, 5)]), 0), 1.0);
    let late = NIC.replace("latency: 0", "latency: 5ms");
    assert_eq!(transfer_s(&run_trace(&servers(&late, 1, 1), &[(0.0, 1000, 5)]), 0), 1.005);
    let short = NIC.replace("latency: 0", "latency: 100us");
    let results = run_trace(&servers(&short, 1, 1), &[(0.0, 1, 5)]);
    assert_eq!(transfer_s(&results, 0), 0.0011, "a millisecond for its bytes, although the news takes one");
}

#[test]
fn caches_that_meet_on_a_nic_take_as_long_as_both_together() {
    let took = |prompts: u32, tokens: u32, requests: &[(f64, u32, u32)]| {
        let results = run_trace(&servers(NIC, prompts, tokens), requests);
        let last = requests.len() as u64 - 1;
        [transfer_s(&results, last - 1), transfer_s(&results, last)]
    };
    let two = [(0.0, 1000, 5), (0.0, 1000, 5)];
    assert_eq!(took(2, 1, &two), [2.0; 2], "on that of the token server");
    assert_eq!(took(2, 2, &two), [1.0; 2], "not at all");
    // Those that wait for the first are computed together.
    let three = [(0.0, 10, 1), (1.0, 1000, 5), (1.0, 1000, 5)];
    assert_eq!(took(1, 2, &three), [2.0; 2], "on that of the prompt server");
    let results = run_trace(&servers(NIC, 2, 1), &[(0.0, 1000, 5), (0.0, 2000, 5)]);
    assert_eq!(transfer_s(&results, 0), 2.0, "half the NIC each");
    assert_eq!(transfer_s(&results, 1), 3.0, "when the other is there, all of it");
}

#[test]
fn within_a_server_the_gpus_are_the_link() {
    let yaml = "
cluster:
  servers: [{sku: dgx-h100, count: 1}]
  network: {nic: {ethernet: {gb_per_s: 0.001}}, intra: {nvlink: {gb_per_s: 0.65536, latency: 0}}}
applications: [{model_architecture: LLaMA, model_size: 70B, scheduler: kv_jsq, scaling_manager: {}}]
start_state: {state_type: unallocated, instance: {tensor_parallelism: 4}}
performance_model: {constant: {prompt_time: 1, token_time: 0.01}}
actions:
  - {at: 0, scale_up_instance: {server: 0, tag: prompt, processors: [0, 1, 2, 3]}}
  - {at: 0, scale_up_instance: {server: 0, tag: token, processors: [4, 5, 6, 7]}}
";
    let results = run_trace(yaml, &[(20.0, 1000, 5)]);
    assert_eq!(transfer_s(&results, 0), 1.0, "four GPUs send, four receive");
    let [LinkRecord { link: "nvlink", direction: "inside", usage, .. }] = results.links[..] else {
        panic!("no NIC was used: {:?}", results.links)
    };
    assert_eq!((usage.bytes, usage.flows), (2_621_440_000, 1));
}

#[test]
fn with_overlap_only_the_last_layer_is_left_when_the_prompt_is_long_in_computing() {
    let network = format!("{NIC}, overlap: true");
    let results = run_trace(&servers(&network, 1, 1), &[(0.0, 1600, 5)]);
    assert_eq!(transfer_s(&results, 0), 0.02, "one of 80 layers of 1.6 s");
    let quick = servers(&network, 1, 1).replace("prompt_time: 100", "prompt_time: 0.8");
    let results = run_trace(&quick, &[(0.0, 1600, 5)]);
    assert_eq!(transfer_s(&results, 0), 0.81, "79 of 80 layers had gone half");
}

#[test]
fn the_source_holds_a_cache_until_it_has_arrived() {
    let yaml = fleet(NIC, ("tight", 1), ("dgx-h100", 1));
    let results = run_trace(&yaml, &[(0.0, 4000, 5), (0.0, 4000, 5)]);
    let (gone, next) = (transfer(&results, 0).end.unwrap(), completed(&results, 1).journal.prefill.unwrap());
    assert_eq!(
        ((next.start - gone).as_secs_f64() * 1e9).round() / 1e9,
        MESSAGE_S,
        "as soon as it hears of it"
    );
}

#[test]
fn the_destination_holds_room_from_the_reservation_and_who_waits_for_it_has_no_head_start() {
    let yaml = fleet(&format!("{NIC}, overlap: true"), ("dgx-h100", 2), ("tight", 1));
    let results = run_trace(&yaml, &[(0.0, 4000, 500), (0.0, 4000, 5)]);
    let (first, second) = (completed(&results, 0), transfer(&results, 1));
    assert_eq!(transfer_s(&results, 0), 0.05);
    assert!(second.start >= first.journal.decode.unwrap().end.unwrap(), "there is room for one");
    assert_eq!(transfer_s(&results, 1), 4.0);
}

#[test]
fn an_expired_drain_calls_off_caches_on_their_way() {
    // 20 tokens take 5 s.
    let yaml = split_fleet("drain_timeout: 0.5", 2.0, &["{at: 2.7, scale_down_full: {instances: [2]}}"])
        .replace("count: 4}]", "count: 4}], network: {nic: {ethernet: {gb_per_s: 0.0104858}}}")
        .replace("until: 60", "until: 3");
    let results = run_soundly(&yaml);
    let application = application(&results);
    assert_all_completed(application);
    assert!(application.completed().any(|request| request.journal.requeued > 0));
    assert_eq!(instance(application, 2).removed, Some(at(3.7)), "it does not wait for what it called off");
    let moved = |direction: &str| {
        let links = results.links.iter().filter(|record| record.direction == direction);
        links.map(|record| record.usage.bytes).sum::<u64>()
    };
    let whole = application.requests.len() as u64 * 20 * 2_621_440;
    assert!(moved("in") > whole && moved("in").abs_diff(moved("out")) < 9, "what had come is in the books");
}

#[test]
fn what_went_over_the_links_adds_up() {
    let requests: Vec<_> = (0..30).map(|n| (f64::from(n), 100 + 10 * n, 20)).collect();
    let results = run_trace(&servers(NIC, 2, 2), &requests);
    assert_all_completed(application(&results));
    let tokens: u64 = requests.iter().map(|(_, prompt, _)| u64::from(*prompt)).sum();
    for direction in ["out", "in"] {
        let links = results.links.iter().filter(|record| record.direction == direction);
        let (bytes, flows) = links.fold((0, 0), |(bytes, flows), LinkRecord { usage, .. }| {
            assert!(usage.busy.as_secs_f64() * usage.bytes_per_s as f64 >= usage.bytes as f64);
            (bytes + usage.bytes, flows + usage.flows)
        });
        assert_eq!((bytes, flows), (tokens * 2_621_440, 30), "{direction}");
    }
}
