//! Serving: an instance with a full batch, and small scenarios from the first arrival to the results in memory.

use std::num::NonZeroUsize;

use ebbflow::registry::Registry;
use ebbflow::scenario;
use ebbflow::simulation::{self, RunOptions};
use ebbflow::workload;
use ebbflow_actors::Runner;

use super::{Path, Work};

/// Seconds of every iteration of the lone instance.
const ITERATION_S: f64 = 0.03;
/// Mean output of its requests at least, in tokens: one of the prompt, one of a decode.
const SHORTEST: u64 = 2;

pub fn paths() -> Vec<Path> {
    let batches = [(1, 10_000), (8, 5_000), (64, 2_000), (512, 1_000)];
    let mut paths: Vec<_> = batches.map(|(size, requests)| steady("ORCA", size, requests)).into();
    paths.extend([
        steady("Splitwise", 64, 2_000),
        overrun("ORCA", 64, 500),
        overrun("Splitwise", 64, 500),
        scenario("scenario/40 instances, token_jsq", 1_000, Runner::Actors, fleet),
        scenario("scenario/40 instances, token_jsq, sequential runner", 1_000, Runner::Sequential, fleet),
        scenario("scenario/16 + 24 instances, kv_jsq", 1_000, Runner::Actors, split_fleet),
        scenario("scenario/16 + 24 instances, kv_jsq, 40 come and go", 1_000, Runner::Actors, scaled_fleet),
    ]);
    paths
}

/// One instance with just as much to do as its batch holds: in every iteration about one request leaves and one
/// enters, so that no two iterations make one run.
fn steady(engine: &'static str, batch_size: u64, requests: u64) -> Path {
    let name = format!("iteration/{engine}, batch of {batch_size}");
    scenario(name, requests, Runner::Sequential, move |requests| {
        let mean_output = batch_size.max(SHORTEST) as f64;
        lone_instance(engine, batch_size, 0.97 * batch_size as f64 / (mean_output * ITERATION_S), requests)
    })
}

/// The same with all requests at once: most of them wait in its queue most of the time.
fn overrun(engine: &'static str, batch_size: u64, requests: u64) -> Path {
    let name = format!("queue/{engine}, batch of {batch_size}, {requests} waiting and twice as many");
    scenario(name, requests, Runner::Sequential, move |requests| {
        lone_instance(engine, batch_size, 1e6, requests)
    })
}

/// Outputs are as long as the batch is large, give or take a half, but not shorter than two tokens.
fn lone_instance(engine: &str, batch_size: u64, requests_per_s: f64, requests: u64) -> String {
    let output = batch_size.max(SHORTEST);
    let (least, most) = (output / 2, output + output / 2);
    format!(
        "cluster: {{servers: [{{sku: dgx-h100, count: 1}}]}}\n\
         applications: [{{model_architecture: llama-13b, model_size: llama-13b-fp16, scheduler: round_robin}}]\n\
         start_state: {{state_type: baseline, instance: {{instance_type: {engine}, max_batch_size: {batch_size}}}}}\n\
         performance_model: {{constant: {{prompt_time: {ITERATION_S}, token_time: {ITERATION_S}}}}}\n\
         workload:\n\
         \x20 synthetic: {{prompt: 8, output: {{quantiles: [[0, {least}], [50, {output}], [100, {most}]]}}}}\n\
         \x20 arrivals: uniform\n\
         \x20 rate: {requests_per_s}\n\
         \x20 requests: {requests}\n"
    )
}

fn fleet(requests: u64) -> String {
    format!(
        "cluster: {{servers: [{{sku: dgx-h100, count: 40}}]}}\n\
         applications: [{{model_architecture: bloom-176b, model_size: bloom-176b-fp16, scheduler: token_jsq}}]\n\
         start_state: baseline\n\
         workload: {{preset: azure-conv, rate: 80, requests: {requests}}}\n"
    )
}

fn split_fleet(requests: u64) -> String {
    format!(
        "cluster: {{servers: [{{sku: dgx-h100, count: 40}}]}}\n\
         applications:\n\
         \x20 - {{model_architecture: llama2-70b, model_size: llama2-70b-fp16, scheduler: kv_jsq, scaling_manager: {{}}}}\n\
         start_state: {{state_type: splitwise, prompt: {{num_instances: 16}}, token: {{num_instances: 24}}}}\n\
         workload: {{preset: azure-conv, rate: 60, requests: {requests}}}\n"
    )
}

/// As many come and go as there are requests for: every 25 requests one instance starts and one drains.
fn scaled_fleet(requests: u64) -> String {
    let mut text = split_fleet(requests) + "actions:\n";
    for turn in 0..requests / 25 {
        let at = 1.0 + turn as f64 * 25.0 / 60.0;
        let tag = if turn % 40 < 16 { "prompt" } else { "token" };
        text += &format!(" - {{at: {at:.3}, scale_up_full: {{tag: {tag}}}}}\n");
        text += &format!(" - {{at: {:.3}, scale_down_full: {{instance: {turn}}}}}\n", at + 12.0);
    }
    text
}

fn scenario(
    name: impl Into<String>,
    requests: u64,
    runner: Runner,
    text: impl Fn(u64) -> String + 'static,
) -> Path {
    Path::new(name, (requests, "request"), move |requests| simulate(&text(requests), runner))
}

fn simulate(text: &str, runner: Runner) -> Work {
    let registry = Registry::builtin();
    let scenario = scenario::from_yaml("bench", text, "".as_ref(), &[], &registry);
    let scenario = scenario.unwrap_or_else(|problems| panic!("{problems}\nin\n{text}"));
    let applications: Vec<_> = scenario.applications.iter().map(|application| application.id).collect();
    let workload = workload::open(&scenario.workload, &applications, scenario.seed)
        .unwrap_or_else(|problem| panic!("{problem}\nin\n{text}"));
    // Without the watchdog, whose looks would be counted by the wall clock.
    let options =
        RunOptions { runner, arbiters: NonZeroUsize::new(1), watchdog: None, ..RunOptions::default() };
    Box::new(move || {
        let results = simulation::run(&scenario, workload, &registry, &options)
            .unwrap_or_else(|problem| panic!("{problem}\nin\n{}", scenario.resolved));
        assert_eq!(results.incomplete, None, "in\n{}", scenario.resolved);
        Box::new(results)
    })
}
