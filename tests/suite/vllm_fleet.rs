//! The engine `vllm` inside a fleet: gaps between tokens, prefix caches and priorities, on any number of arbiters.

use std::sync::Arc;

use ebbflow::ids::{ApplicationId, RequestId};
use ebbflow::instance::continuous::Settings;
use ebbflow::registry::Registry;
use ebbflow::request::{Attributes, Fate, Journal, Request};
use ebbflow::results::{ApplicationResults, EngineReport, Report, RunResults};
use ebbflow::scenario::{EngineSpec, StartState};
use ebbflow::simulation::{self, RunOptions};
use ebbflow::workload::{self, Workload};
use ebbflow_actors::{Runner, SimTime, TickMode};

use crate::support::desk::{Desk, code, stderr, stdout};
use crate::support::run::{actors, application, request, run_trace, sequential};
use crate::support::scenarios::scenario;

/// Requests of (seconds, prompt, output) with what they say of themselves.
type Sent = (f64, u32, u32, Attributes);

fn fleet(servers: u32, gib: u32, rest: &str) -> String {
    format!(
        "cluster:\n  skus: [{{name: own, gpu: h100-80gb, gpus: 8, gpu_memory_gib: {gib}}}]\n  \
         servers: [{{sku: own, count: {servers}}}]\n\
         applications: [{{model_architecture: LLaMA, model_size: 70B, scheduler: jsq, scaling_manager: {{}}}}]\n{rest}\n"
    )
}

fn one(engine: &str) -> String {
    format!("start_state: {{state_type: baseline, instance: {{instance_type: vllm{engine}}}}}")
}

fn split() -> &'static str {
    "start_state: {state_type: splitwise, prompt: {instance_type: vllm}, token: {instance_type: vllm}}"
}

fn serve(yaml: &str, sent: &[Sent], options: &RunOptions) -> RunResults {
    let requests: Vec<Request> = (0..)
        .zip(sent)
        .map(|(id, (seconds, prompt_tokens, output_tokens, attributes))| Request {
            id: RequestId(id),
            request_type: 2,
            application: ApplicationId(0),
            arrival: SimTime::from_secs_f64(*seconds).unwrap(),
            batch_size: 1,
            prompt_tokens: *prompt_tokens,
            output_tokens: *output_tokens,
            attributes: Some(Arc::new(attributes.clone())),
            journal: Journal::default(),
        })
        .collect();
    let workload = Workload {
        requests: Box::new(requests.into_iter()),
        expected: None,
        arrivals_end: None,
        conversations: None,
        prefix_block_tokens: 16,
        skipped_rows: 0,
        notes: Vec::new(),
    };
    simulation::run(&scenario(yaml), workload, &Registry::builtin(), options).unwrap()
}

fn named(prefix: impl IntoIterator<Item = u64>) -> Attributes {
    Attributes { prefix: prefix.into_iter().collect(), ..Attributes::NONE }
}

/// Bursts of all lengths.
fn burst(requests: u32) -> Vec<(f64, u32, u32)> {
    (0..requests).map(|n| (f64::from(n / 3) * 0.02, 1 + n * 211 % 3000, 1 + n * 37 % 400)).collect()
}

#[test]
fn gaps_between_tokens_add_up_to_the_times_of_decoding() {
    for (memory_gib, preempts) in [(80, false), (18, true)] {
        for start in [one(""), one(", max_num_batched_tokens: 256, max_num_seqs: 64"), split().to_owned()] {
            let mut yaml = fleet(2, memory_gib, &start);
            if start == split() {
                yaml = yaml.replace("scheduler: jsq", "scheduler: kv_jsq");
            }
            let results = run_trace(&yaml, &burst(120));
            let report = Report::new(&results, &scenario(&yaml));
            let EngineReport { all: engine, by_tag } = report.totals.engine.expect("vllm counts");
            assert_eq!(
                by_tag.values().map(|pool| pool.token_gaps).sum::<u64>(),
                engine.token_gaps,
                "{start}"
            );
            assert_eq!(by_tag.len(), if start == split() { 2 } else { 1 }, "{start}");
            let served = &application(&results).requests;
            assert!(served.iter().all(|ended| ended.fate == Fate::Completed), "{start}");
            assert!(engine.preemptions == 0 || preempts, "{start}: {} preemptions", engine.preemptions);
            let gaps: u64 = served.iter().map(|ended| u64::from(ended.request.output_tokens) - 1).sum();
            assert_eq!(engine.token_gaps, gaps, "{start}, {memory_gib} GiB");
            let decoding_s: f64 = served
                .iter()
                .filter_map(|ended| {
                    ended.request.tpot_s().map(|tpot| tpot * f64::from(ended.request.output_tokens - 1))
                })
                .sum();
            let mean_s = engine.token_gap_s.mean.unwrap();
            assert!(
                (mean_s * gaps as f64 - decoding_s).abs() < 1e-6 * decoding_s,
                "{start}, {memory_gib} GiB"
            );
            let longest = served.iter().map(|ended| ended.request.journal.longest_gap).max().unwrap();
            assert_eq!(engine.token_gap_s.max, Some(longest.as_secs_f64()), "{start}, {memory_gib} GiB");
        }
    }
}

#[test]
fn a_conversation_finds_what_was_computed_before_it() {
    let yaml = fleet(1, 80, &one(""));
    let sent =
        [(0.0, 3000, 25, named(0..189)), (60.0, 3060, 10, named(0..191)), (60.0, 90, 10, named(200..205))];
    let results = serve(&yaml, &sent, &sequential());
    let cached = |id| request(application(&results), id).journal.cached_tokens;
    // Of 3025 tokens, 189 blocks and one, the last was never fed back to the model.
    assert_eq!([cached(0), cached(1), cached(2)], [0, 3024, 0]);
    let engine = Report::new(&results, &scenario(&yaml)).totals.engine.unwrap().all;
    assert_eq!((engine.prefix_queried_tokens, engine.prefix_hit_tokens), (6150, 3024));
    let without = serve(&fleet(1, 80, &one(", prefix_caching: false")), &sent, &sequential());
    assert_eq!(request(application(&without), 1).journal.cached_tokens, 0);
    let ttft = |results: &RunResults| request(application(results), 1).ttft_s();
    assert!(ttft(&results) < ttft(&without), "less is left to compute");
}

#[test]
fn cached_prefixes_do_not_hold_up_a_drain() {
    let drain = format!("{}\nactions: [{{at: 30, scale_down_full: {{instance: 0}}}}]", one(""));
    let sent: Vec<Sent> = (0..40).map(|n| (f64::from(n), 500, 50, named(0..30))).collect();
    let results = serve(&fleet(2, 80, &drain), &sent, &sequential());
    let served: &ApplicationResults = application(&results);
    assert!(served.requests.iter().all(|ended| ended.fate == Fate::Completed));
    let gone = &served.instances[0];
    assert!(gone.engine.as_ref().unwrap().prefix_hit_tokens > 0, "its cache was used");
    let (draining, removed) = (gone.draining.unwrap(), gone.removed.unwrap());
    let last =
        served.requests.iter().filter(|ended| ended.request.journal.decode.unwrap().instance == gone.id);
    let last = last.filter_map(|ended| ended.request.completion()).max().unwrap();
    assert!(
        removed <= last.max(draining) + (SimTime::from_secs_f64(1.0).unwrap() - SimTime::ZERO),
        "{removed:?} after {last:?}"
    );
}

#[test]
fn the_lower_priority_number_goes_first() {
    let yaml = fleet(1, 80, &one(", max_num_seqs: 1, scheduling_policy: priority"));
    let of = |priority| Attributes { priority, ..Attributes::NONE };
    let sent =
        [(0.0, 900, 50, of(0)), (0.001, 900, 50, of(5)), (0.002, 900, 50, of(-1)), (0.003, 900, 50, of(5))];
    let results = serve(&yaml, &sent, &sequential());
    let mut order: Vec<_> = application(&results).requests.iter().collect();
    order.sort_by_key(|ended| ended.request.journal.prefill.unwrap().start);
    assert_eq!(order.iter().map(|ended| ended.request.id.0).collect::<Vec<_>>(), [0, 2, 1, 3]);
}

#[test]
fn sessions_prefixes_and_priorities_give_one_digest_however_they_are_run() {
    let yaml = fleet(3, 18, &one(", scheduling_policy: priority, max_num_seqs: 16")).replace(
        "scaling_manager: {}",
        "scaling_manager: {drain_timeout: 2, autoscaling_policy: {threshold: {max_queue_length: 2}}}",
    );
    let sent: Vec<Sent> = (0..90u32)
        .map(|n| {
            let attributes = Attributes {
                priority: (n % 3) as i32,
                ..named((0..u64::from(n % 7) * 8).map(|id| id + u64::from(n % 4) * 100))
            };
            (f64::from(n) * 0.05, 200 + n * 31 % 900, 1 + n * 13 % 200, attributes)
        })
        .collect();
    let expected = serve(&yaml, &sent, &RunOptions { check_promises: true, ..sequential() });
    let naive = RunOptions { runner: Runner::Naive, ..RunOptions::default() };
    for options in [actors(1, TickMode::Lazy), actors(2, TickMode::Lazy), actors(3, TickMode::Eager), naive] {
        let found = serve(&yaml, &sent, &options);
        assert_eq!((expected.digest, expected.end), (found.digest, found.end));
        assert_eq!(expected.applications[0].requests, found.applications[0].requests);
        assert_eq!(expected.applications[0].instances, found.applications[0].instances);
    }
}

#[test]
fn an_explanation_tells_what_the_cache_had_and_how_long_a_token_was_waited_for() {
    let desk = Desk::new();
    let yaml = fleet(1, 80, &one(""));
    desk.write("s.yaml", &format!("{yaml}workload: {{synthetic: {{prompt: 500, output: 50}}, rate: 1, requests: 4, sessions: {{turns: 4, think_time: 1}}}}\n"));
    let run = desk.ebbflow(&["run", "s.yaml", "--out", "run", "--quiet"]);
    assert_eq!(code(&run), 0, "{}", stderr(&run));
    let rows = std::fs::read_to_string(desk.path("run/requests/0.csv")).unwrap();
    let last = rows.lines().last().unwrap().split(',').next().unwrap();
    let told = stdout(&desk.ebbflow(&["explain", "run", "--request", last]));
    assert!(told.contains("prompt tokens were in the prefix cache"), "{told}");
    assert!(told.contains("at most from one output token to the next"), "{told}");
}

/// Two classes on adapters of their own, which have one slot or two.
#[test]
fn requests_wait_for_the_slot_of_their_adapter() {
    let run = |slots: u32| {
        let yaml = fleet(1, 80, &one(&format!(", max_loras: {slots}")));
        let classes = "[{name: a, adapter: 1}, {name: b, adapter: 2}]";
        let synthetic = "{prompt: 400, output: 100}";
        let yaml = format!(
            "{yaml}workload: {{synthetic: {synthetic}, rate: 8, requests: 60, classes: {classes}}}\n"
        );
        crate::support::run::run(&yaml)
    };
    let queued = |results: &RunResults| -> f64 {
        let requests = application(results).requests.iter();
        requests.filter_map(|ended| ended.request.queue_s()).sum()
    };
    let (one, two) = (run(1), run(2));
    assert_eq!([&one, &two].map(|results| application(results).tally.counts.completed), [60, 60]);
    assert!(queued(&one) > 10.0 * queued(&two), "{} against {} s", queued(&one), queued(&two));
}

#[test]
fn settings_that_make_no_engine_are_refused_before_the_run() {
    let mut scenario = scenario(&fleet(1, 80, &one("")));
    let StartState::WholeServers { instance, .. } = &mut scenario.start_state else { panic!("baseline") };
    instance.engine = EngineSpec::Vllm(Settings { max_num_seqs: 0, ..Settings::default() });
    let workload = workload::open(&scenario.workload, &[ApplicationId(0)], 0).unwrap();
    let refused = simulation::run(&scenario, workload, &Registry::builtin(), &sequential()).unwrap_err();
    assert_eq!(refused.to_string(), "max_num_seqs must be at least 1, found 0");
}
