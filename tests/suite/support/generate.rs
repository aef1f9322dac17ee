//! Random scenarios with scaling: a seed makes a scenario text, the same one every time.
//!
//! They mix what can meet in a run: all schedulers and engines, every start state, roomy and tight memory,
//! requests of one token and prompts too large for any instance, private links and those of a cluster, operations
//! that succeed and that are refused, and ends in the middle of everything.

use std::fmt::Write;

use ebbflow::registry::Registry;
use ebbflow::results::RunResults;
use ebbflow::scenario::Scenario;
use ebbflow_actors::{CounterRng, EntityId};
use proptest::prelude::ProptestConfig;

use super::run::{run_scenario, sequential};
use super::scenarios::scenario;

/// Servers whose GPUs hold the model and few requests beside it: room for about 7,000 tokens.
const TIGHT: &str = "tight";

/// The networks of some scenarios: as fast as they come, and so slow that caches meet and drains time out.
const NETWORKS: [&str; 2] = ["{}", "{nic: {ethernet: {gb_per_s: 1, latency: 3ms}}, overlap: true}"];

/// The scenario of this seed, as text.
pub fn scenario_text(seed: u64) -> String {
    let mut draw = Draw(CounterRng::new(seed, EntityId(0), 0));
    let mut text = String::new();
    let latency = draw.pick(&["1ns", "1us", "1ms", "1ms", "5ms", "20ms"]);
    let _ = writeln!(text, "seed: {}\ndispatch_latency: {latency}", draw.up_to(1000));
    if draw.one_in(4) {
        let _ = writeln!(text, "end_time: {}", draw.time(40));
    }
    let packed = is_packed(seed);
    let servers = cluster(&mut draw, &mut text, packed);
    // By the seed, so that what is drawn stays what it was.
    if let Some(network) = NETWORKS.get(seed as usize % 5) {
        let _ = writeln!(text, "  network: {network}");
    }
    let applications = applications(&mut draw, &mut text, packed);
    if packed {
        packed_state(&mut draw, &mut text);
    } else {
        start_state(&mut draw, &mut text, servers);
    }
    let performance =
        ["db", "db", "{db: {decode_key: batch_tokens}}", "{constant: {prompt_time: 0.15, token_time: 0.03}}"];
    let _ = writeln!(text, "performance_model: {}", draw.pick(&performance));
    workload(&mut draw, &mut text, &waiting(seed));
    if packed {
        text.push_str("  applications: [{application: 0, share: 2}, {application: 1}]\n");
    }
    actions(&mut draw, &mut text, applications, packed);
    text
}

/// Whether two applications share servers; by the seed for the same reason.
fn is_packed(seed: u64) -> bool {
    seed % 7 == 3
}

/// Draws of a scenario.
struct Draw(CounterRng);

impl Draw {
    fn up_to(&mut self, largest: u64) -> u64 {
        self.0.below(largest + 1)
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.0.below(n) == 0
    }

    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.0.below(choices.len() as u64) as usize]
    }

    /// Seconds above 0, on a grid of 10 ms so that times coincide now and then.
    fn time(&mut self, largest_s: u64) -> f64 {
        (1 + self.0.below(largest_s * 100)) as f64 / 100.0
    }
}

/// How many servers there are. The first one holds a packed start state.
fn cluster(draw: &mut Draw, text: &mut String, packed: bool) -> u64 {
    text.push_str("cluster:\n  skus:\n");
    let _ = writeln!(text, "    - {{name: {TIGHT}, gpu: h100-80gb, gpus: 8, gpu_memory_gib: 18}}");
    text.push_str("  servers:\n");
    let mut servers = 0;
    if packed {
        text.push_str("    - {sku: dgx-h100, count: 1}\n");
        servers += 1;
    }
    for group in 0..=draw.up_to(1) {
        let sku = draw.pick(&["dgx-h100", "dgx-h100", "dgx-a100", "A100", TIGHT, TIGHT]);
        let count = draw.up_to(3) + u64::from(group == 0);
        let _ = writeln!(text, "    - {{sku: {sku}, count: {count}}}");
        servers += count;
    }
    servers
}

/// How many applications there are; the workload is the first one's.
fn applications(draw: &mut Draw, text: &mut String, packed: bool) -> u64 {
    let count = if draw.one_in(5) || packed { 2 } else { 1 };
    text.push_str("applications:\n");
    for _ in 0..count {
        let registry = Registry::builtin();
        let schedulers: Vec<&str> = registry.schedulers().map(|kind| kind.name).collect();
        let scheduler = match draw.pick(&schedulers) {
            "autoscaling" => {
                "{autoscaling: {check_interval: 7, cooldown: 1, prompt_tokens_per_instance: 2000}}"
            }
            other => other,
        };
        let _ = writeln!(
            text,
            "  - model_architecture: LLaMA\n    model_size: 70B\n    scheduler: {scheduler}\n    scaling_manager:"
        );
        scaling_manager(draw, text);
        if packed {
            let _ = writeln!(text, "      place: {}", draw.pick(&["shared", "new_server"]));
        }
    }
    count
}

fn scaling_manager(draw: &mut Draw, text: &mut String) {
    let _ = writeln!(text, "      scale_up_delay: {}", draw.pick(&[0.0, 0.5, 3.0, 10.0]));
    let _ = writeln!(text, "      drain_check_interval: {}", draw.pick(&[0.05, 0.5, 1.0]));
    let _ = writeln!(text, "      server_boot_delay: {}", draw.pick(&[0.0, 0.0, 2.0, 5.0]));
    let _ = writeln!(text, "      min_instances: {}", draw.up_to(2));
    for (key, smallest) in [("max_instances", 3), ("max_servers", 4)] {
        if draw.one_in(4) {
            let _ = writeln!(text, "      {key}: {}", smallest + draw.up_to(5));
        }
    }
    if draw.one_in(3) {
        let action = draw.pick(&["requeue", "abort"]);
        let timeout = draw.pick(&[0.2, 1.0, 5.0]);
        let _ = writeln!(text, "      drain_timeout: {timeout}\n      drain_timeout_action: {action}");
    }
}

fn start_state(draw: &mut Draw, text: &mut String, servers: u64) {
    let state = draw.pick(&["unallocated", "orca", "baseline", "baseline", "splitwise", "splitwise"]);
    let _ = writeln!(text, "start_state:\n  state_type: {state}");
    let engines = match state {
        "orca" => &["ORCA"][..],
        _ => &["vllm", "vllm", "Splitwise", "Splitwise", "ORCA", "DEFAULT"],
    };
    if state != "splitwise" || servers < 2 {
        if state == "splitwise" {
            text.truncate(text.len() - "splitwise\n".len());
            text.push_str("baseline\n");
        }
        let _ = writeln!(text, "  instance: {{{}}}", instance(draw, engines));
        return;
    }
    let prompts = 1 + draw.up_to(servers - 2);
    let _ = writeln!(text, "  prompt: {{num_instances: {prompts}, {}}}", instance(draw, engines));
    let tokens = servers - prompts;
    let _ = writeln!(text, "  token: {{num_instances: {tokens}, {}}}", instance(draw, engines));
}

/// Two applications on at most eight GPUs.
fn packed_state(draw: &mut Draw, text: &mut String) {
    text.push_str("start_state:\n  state_type: packed\n  instances:\n");
    let first = draw.up_to(1);
    for application in [first, 1 - first] {
        let (count, tag) = (1 + draw.up_to(1), draw.pick(&["", "", "tag: prompt, ", "tag: mixed, "]));
        let instance = instance_on(draw, &["vllm", "vllm", "Splitwise", "ORCA", "DEFAULT"], &[2]);
        let _ = writeln!(text, "    - {{application: {application}, count: {count}, {tag}{instance}}}");
    }
}

fn instance(draw: &mut Draw, engines: &[&str]) -> String {
    instance_on(draw, engines, &[2, 4, 8, 8])
}

fn instance_on(draw: &mut Draw, engines: &[&str], gpus: &[u32]) -> String {
    let engine = draw.pick(engines);
    let mut text = format!("instance_type: {engine}, tensor_parallelism: {}", draw.pick(gpus));
    if engine == "vllm" {
        vllm(draw, &mut text);
        return text;
    }
    if engine != "DEFAULT" {
        let _ = write!(text, ", max_batch_size: {}", draw.pick(&[1, 2, 16, 512]));
    }
    if engine == "Splitwise" {
        let tokens = draw.pick(&[300, 2048, 2048, 8192]);
        let _ = write!(text, ", max_batch_tokens: {tokens}, max_preemptions: {}", draw.up_to(5));
    }
    text
}

/// Without chunks no prompt may be longer than the budget, or it is refused for that.
fn vllm(draw: &mut Draw, text: &mut String) {
    let (tokens, chunked) = draw.pick(&[(64, true), (2048, true), (8192, true), (40_000, false)]);
    let (sequences, drafts) = (draw.pick(&[1, 2, 16]), draw.pick(&[0, 0, 1, 3]));
    let _ = write!(
        text,
        ", max_num_batched_tokens: {tokens}, chunked_prefill: {chunked}, max_num_seqs: {sequences}"
    );
    let _ =
        write!(text, ", prefix_caching: {}, watermark_blocks: {}", draw.one_in(2), draw.pick(&[0, 0, 10]));
    if drafts > 0 {
        let acceptance = draw.pick(&[0.0, 0.6, 1.0]);
        let _ = write!(text, ", speculation: {{draft_tokens: {drafts}, acceptance: {acceptance}}}");
    }
    if draw.one_in(3) {
        let _ = write!(text, ", long_prefill_token_threshold: 32, scheduling_policy: priority");
    }
}

/// Who waits for answers, if anybody does. Drawn apart from the rest, which is as it was before anybody did.
fn waiting(seed: u64) -> String {
    let mut draw = Draw(CounterRng::new(seed, EntityId(0), 1));
    let mut text = String::new();
    let think = ["0", "0", "1.5", "{exponential: {mean: 3}}", "{lognormal: {median: 2, sigma: 1, max: 20}}"];
    if draw.one_in(3) {
        let turns = draw.pick(&["2", "{lognormal: {mu: 1.0, sigma: 0.8, max: 12}}"]);
        let limit = draw.pick(&["", ", max_context_tokens: 900", ", max_context_tokens: 6000"]);
        let think = draw.pick(&think);
        let _ = writeln!(text, "  sessions: {{turns: {turns}, think_time: {think}{limit}}}");
    }
    if draw.one_in(3) {
        let (count, think) = (1 + draw.up_to(40), draw.pick(&think));
        let _ = writeln!(text, "  clients: {{count: {count}, think_time: {think}}}");
    }
    if draw.one_in(3) {
        let (count, zipf) = (1 + draw.up_to(9), draw.pick(&["0", "1.2"]));
        let _ = writeln!(text, "  prefix_groups: {{count: {count}, tokens: 300, zipf: {zipf}}}");
    }
    if draw.one_in(4) {
        text.push_str(
            "  classes: [{name: a, share: 3, slo: ttft.p99<1s}, {name: b, priority: 2, tenant: t, output: 90}]\n",
        );
    }
    text
}

fn workload(draw: &mut Draw, text: &mut String, waiting: &str) {
    let lengths = [
        "1",
        "40",
        "{lognormal: {mu: 4.0, sigma: 1.0, max: 500}}",
        "{quantiles: [[0, 1], [30, 1], [100, 400]]}",
    ];
    let prompts = [
        "1",
        "900",
        "{lognormal: {mu: 6.0, sigma: 1.2, max: 6000}}",
        "{quantiles: [[0, 10], [90, 3000], [100, 30000]]}",
    ];
    let arrivals = ["poisson", "uniform", "gamma: {shape: 0.5}", "on_off: {mean_on: 2, mean_off: 3}"];
    let (prompt, output) = (draw.pick(&prompts), draw.pick(&lengths));
    let arrivals = match draw.pick(&arrivals) {
        settings if settings.contains(':') => format!("{{{settings}}}"),
        name => name.to_owned(),
    };
    let (rate, requests) = (draw.pick(&[1.0, 6.0, 25.0, 200.0]), 5 + draw.up_to(120));
    let process = match waiting.contains("clients") {
        true => String::new(),
        false => format!("  arrivals: {arrivals}\n  rate: {rate}\n"),
    };
    let _ = writeln!(
        text,
        "workload:\n  synthetic: {{prompt: {prompt}, output: {output}}}\n{process}{waiting}  requests: {requests}\n  \
         until: 60"
    );
}

fn actions(draw: &mut Draw, text: &mut String, applications: u64, packed: bool) {
    text.push_str("actions:\n");
    for _ in 0..=draw.up_to(14) {
        let application = draw.up_to(applications - 1);
        let at = if draw.one_in(3) { draw.pick(&[0.0, 5.0, 10.0]) } else { draw.time(40) };
        let _ = writeln!(text, "  - {{at: {at}, application: {application}, {}}}", operation(draw, packed));
    }
}

fn operation(draw: &mut Draw, packed: bool) -> String {
    let tag = draw.pick(&["", "tag: prompt", "tag: token", "tag: mixed"]);
    let sku = draw.pick(&["", "server_sku: dgx-h100", "server_sku: dgx-a100", "server_sku: tight"]);
    let listed = |settings: &[&str]| {
        let given: Vec<&str> = settings.iter().copied().filter(|setting| !setting.is_empty()).collect();
        given.join(", ")
    };
    let (first, server) = (draw.up_to(6), draw.up_to(6));
    let (processors, server) = if packed {
        // Where both are, and often the same GPUs.
        (draw.pick(&["", "", "processors: [4, 5]", "processors: [6, 7]", "processors: [0, 1]"]), server / 3)
    } else {
        (draw.pick(&["", "processors: [0, 1, 2, 3]", "processors: [4, 5, 6, 7]"]), server)
    };
    match draw.up_to(8) {
        0 | 1 => {
            let count = format!("count: {}", 1 + draw.up_to(2));
            format!("scale_up_full: {{{}}}", listed(&[&count, tag, sku]))
        }
        2 | 3 => format!("scale_down_full: {{instances: [{first}, {}]}}", first + 1),
        4 => format!("scale_up_server: {{{sku}}}"),
        5 => format!("scale_up_instance: {{{}}}", listed(&[&format!("server: {server}"), tag, processors])),
        6 | 7 => format!("scale_down_instance: {{instance: {first}}}"),
        _ => format!("scale_down_server: {{server: {server}}}"),
    }
}

/// How often a property is tried: `PROPTEST_CASES` says otherwise.
pub fn samples() -> ProptestConfig {
    let given = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    ProptestConfig { cases: given.unwrap_or(150), failure_persistence: None, ..ProptestConfig::default() }
}

/// A generated scenario that was run in one loop with iteration logs. Prints its text if a check fails.
pub struct Sample {
    text: String,
    /// What was run.
    pub scenario: Scenario,
    /// What came of it.
    pub results: RunResults,
}

impl Sample {
    /// Runs the scenario of this seed.
    pub fn run(seed: u64) -> Sample {
        let text = scenario_text(seed);
        let scenario = Scenario { debug: true, ..scenario(&text) };
        let results = run_scenario(&scenario, &sequential());
        Sample { text, scenario, results }
    }

    /// Whether it has an `end_time`; otherwise it runs until nothing is left to happen.
    pub fn is_cut_short(&self) -> bool {
        self.text.contains("end_time")
    }
}

impl Drop for Sample {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("the scenario was\n{}", self.text);
        }
    }
}
