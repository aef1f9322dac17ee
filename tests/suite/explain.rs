//! `ebbflow explain`: what it says of a run adds up, follows from the run, and can be said of everything in it.

use std::path::Path;

use ebbflow::ids::RequestId;
use ebbflow::registry::Registry;
use ebbflow::report::FinishedRun;
use ebbflow::report::explain::{Deed, Detail, Explanation, Part, PartKind, Question, RequestStory, explain};
use ebbflow::request::Fate;
use serde_json::Value;

use crate::support::desk::{Desk, code, stderr, stdout};

/// Requests pile up while the fleet grows; a drain is cut short and sends its work back.
const REQUEUE: &str = "
cluster: {servers: [{sku: dgx-h100, count: 1}]}
applications:
  - model_architecture: LLaMA
    model_size: 70B
    scheduler: jsq
    scaling_manager: {scale_up_delay: 10, drain_timeout: 4, min_instances: 0}
slo: ttft.p99<2s, e2e.p99<60s
end_time: 120
debug: true
workload: {rate: 3, requests: 90, synthetic: {prompt: 1500, output: 150}}
actions: [{at: 6, scale_down_full: {instance: 0}}, {at: 8, scale_up_full: {}}, {at: 30, scale_up_full: {}}]
";

/// Prompts and outputs on different instances, and a run that ends too early.
const SPLIT: &str = "
cluster: {servers: [{sku: dgx-h100, count: 4}]}
applications:
  - {model_architecture: LLaMA, model_size: 70B, scheduler: kv_token_jsq, scaling_manager: {}}
start_state:
  state_type: splitwise
  application_id: 0
  split_type: homogeneous
  prompt: {num_instances: 2, tensor_parallelism: 8}
  token: {num_instances: 2, tensor_parallelism: 8}
end_time: 25
workload: {rate: 8, requests: 300, synthetic: {prompt: 1500, output: 120}}
actions: [{at: 10, scale_down_full: {instance: 3}}]
";

/// A policy that starts and drains.
const POLICY: &str = "
cluster: {servers: [{sku: dgx-h100, count: 1}]}
applications:
  - model_architecture: LLaMA
    model_size: 70B
    scheduler: jsq
    scaling_manager:
      scale_up_delay: 5
      max_instances: 4
      autoscaling_policy: {threshold: {max_queue_length: 2, min_utilization: 0.6}}
      decision_interval: 5
      metrics: {scrape_interval: 1}
workload: {requests: 210, rate: [{at: 0, rate: 6}, {at: 30, rate: 0.3}], synthetic: {prompt: 2500, output: 100}}
end_time: 400
";

/// Runs a scenario through the binary and opens what it wrote.
fn run(desk: &Desk, yaml: &str) -> FinishedRun {
    desk.write("s.yaml", yaml);
    let run = desk.ebbflow(&["run", "s.yaml", "--out", "run", "--quiet"]);
    assert!([0, 3].contains(&code(&run)), "{}", stderr(&run));
    open(&desk.path("run"))
}

fn open(directory: &Path) -> FinishedRun {
    FinishedRun::open(directory, &Registry::builtin()).unwrap_or_else(|error| panic!("{error}"))
}

fn story(run: &FinishedRun, id: RequestId) -> RequestStory {
    match explain(run, Question::Request(id), None) {
        Ok(Explanation::Request(story)) => *story,
        other => panic!("request {id}: {other:?}"),
    }
}

fn said(desk: &Desk, arguments: &[&str]) -> String {
    let explained = desk.ebbflow(&[&["explain", "run"], arguments].concat());
    assert_eq!(code(&explained), 0, "{}", stderr(&explained));
    stdout(&explained)
}

#[test]
fn the_parts_of_every_request_add_up_to_its_time_exactly() {
    for yaml in [REQUEUE, SPLIT, POLICY] {
        let desk = Desk::new();
        let run = run(&desk, yaml);
        let requests = &run.results.applications[0].requests;
        assert!(requests.len() > 80);
        for ended in requests {
            let request = &ended.request;
            let story = story(&run, request.id);
            let sum: u64 = story.parts.iter().map(|part| part.span.length().as_nanos()).sum();
            assert_eq!(sum, story.duration.as_nanos(), "request {}", request.id);
            assert!(story.parts.windows(2).all(|pair| pair[0].span.to == pair[1].span.from));
            let told = |part: &Part| {
                part.detail.is_some() || (request.journal.requeued > 0 && part.instance.is_none())
            };
            assert!(story.parts.iter().all(told), "request {}", request.id);
            if ended.fate == Fate::Completed {
                let e2e = request.completion().unwrap() - request.arrival;
                assert_eq!(sum, e2e.as_nanos(), "request {}", request.id);
            }
            let text = Explanation::Request(Box::new(story)).text();
            assert!(text.lines().all(|line| line.chars().count() <= 120), "{text}");
        }
    }
}

#[test]
fn who_was_sent_back_by_a_drain_is_told_so_and_waited_for_the_instance_that_was_starting() {
    let desk = Desk::new();
    let run = run(&desk, REQUEUE);
    let requests = &run.results.applications[0].requests;
    let back = requests.iter().find(|ended| ended.request.journal.requeued > 0).unwrap();
    let told = story(&run, back.request.id);
    assert_eq!((told.sent_back.len(), told.sent_back[0].by.as_str()), (1, "instance_0"));
    let wait =
        told.parts.iter().find(|part| part.repeated && part.kind == PartKind::WaitAtScheduler).unwrap();
    let Some(Detail::Scheduler(seen)) = &wait.detail else { panic!("{wait:?}") };
    assert_eq!(seen.active, 0);
    assert_eq!(seen.starting[0].instance.0, 1);
    assert_eq!(seen.starting[0].span.length().as_nanos(), 10_000_000_000);
    // Whoever came while nobody was ACTIVE would have been helped by an earlier start.
    let waited = requests.iter().find(|ended| ended.request.arrival.as_secs_f64() > 11.0).unwrap();
    let text = said(&desk, &["--request", &waited.request.id.to_string()]);
    for part in
        ["no instance was ACTIVE", "starting: 1 (8.000 s to 18.", "start of instance 1", "TTFT", "below 60 s"]
    {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
}

#[test]
fn a_split_request_shows_its_transfer_and_an_unfinished_one_where_it_stood() {
    let desk = Desk::new();
    let run = run(&desk, SPLIT);
    let requests = &run.results.applications[0].requests;
    let split = requests.iter().find(|ended| ended.fate == Fate::Completed).unwrap();
    let told = story(&run, split.request.id);
    let transfer = told.parts.iter().find(|part| part.kind == PartKind::Transfer).unwrap();
    let Some(Detail::Transfer { bytes, gib_per_s }) = transfer.detail else { panic!("{transfer:?}") };
    assert!(bytes > 1_000_000_000 && gib_per_s > 1.0, "{bytes} at {gib_per_s}");
    let stuck = requests.iter().find(|ended| matches!(ended.fate, Fate::Unfinished(_))).unwrap();
    let told = story(&run, stuck.request.id);
    assert_eq!((told.outcome, told.end), ("unfinished", run.results.end));
    assert!(told.reason_or_stage.is_some());
}

#[test]
fn a_decision_names_who_came_of_it_and_how_long_they_took() {
    let desk = Desk::new();
    let run = run(&desk, POLICY);
    let decisions = &run.results.applications[0].decisions;
    let stories = (1..=decisions.len()).map(|number| match explain(&run, Question::Decision(number), None) {
        Ok(Explanation::Decision(story)) => *story,
        other => panic!("{other:?}"),
    });
    let stories: Vec<_> = stories.collect();
    let up = stories.iter().find(|story| story.outcome.starts_with("started")).unwrap();
    assert!(up.inputs.iter().any(|seen| seen.age_s.is_some()), "{up:?}");
    assert_eq!(up.instances[0].deed, Deed::Started);
    assert!((up.instances[0].took_s.unwrap() - 5.0).abs() < 0.1, "{up:?}");
    let down = stories.iter().find(|story| story.outcome.starts_with("drains")).unwrap();
    let drained = &down.instances[0];
    assert_eq!(drained.deed, Deed::Drained);
    let record = run.results.applications[0].instances.iter().find(|one| one.id == drained.instance).unwrap();
    assert_eq!((record.draining, record.removed), (Some(down.time), drained.done));
    let text = said(&desk, &["--decision", &up.decision.to_string()]);
    for part in ["it saw", "it wanted", "because", "ACTIVE at", "minute before", "minute after"] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
    assert!(said(&desk, &["--instance", &drained.instance.to_string()]).contains("of threshold"));
}

#[test]
fn the_request_that_held_up_a_drain_is_the_last_that_was_served_there() {
    for yaml in [REQUEUE, SPLIT] {
        let desk = Desk::new();
        let run = run(&desk, yaml);
        let mut held = 0;
        for record in &run.results.applications[0].instances {
            let Ok(Explanation::Instance(story)) = explain(&run, Question::Instance(record.id), None) else {
                panic!("instance {}", record.id)
            };
            let (Some(hold), Some(draining)) = (story.hold, record.draining) else { continue };
            held += 1;
            let end = record.removed.unwrap_or(run.results.end);
            assert!(draining < hold.until && hold.until <= end, "{hold:?}");
            // The instance looked once a second whether it could leave, and then told the manager.
            let idle = (end - hold.until).as_secs_f64();
            assert!(record.removed.is_none() || idle < 1.1, "{hold:?}, gone {idle} s later");
            // Nobody who was served here and left before the drain was over left later.
            let legs = run.results.applications[0].requests.iter().filter_map(|ended| {
                let leg = ended.request.journal.decode.filter(|leg| leg.instance == record.id)?;
                leg.end.filter(|&left| left <= end)
            });
            assert!(legs.max().is_none_or(|latest| latest <= hold.until), "{hold:?}");
        }
        assert!(held > 0);
    }
}

#[test]
fn without_a_question_it_lists_where_to_begin() {
    let desk = Desk::new();
    let run = run(&desk, POLICY);
    let text = said(&desk, &[]);
    for part in
        ["slowest to begin", "slowest to end", "decisions that acted", "longest drains", "--instance "]
    {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
    let completed = run.results.applications[0].completed();
    let slowest = completed.max_by(|a, b| a.ttft_s().unwrap().total_cmp(&b.ttft_s().unwrap())).unwrap();
    let first = text.lines().nth(1).unwrap();
    assert!(first.trim_start().starts_with(&format!("--request {} ", slowest.id)), "{first}");
}

#[test]
fn json_says_the_same() {
    let desk = Desk::new();
    run(&desk, SPLIT);
    let read = |arguments: &[&str]| -> Value {
        serde_json::from_str(&said(&desk, &[arguments, &["--format", "json"]].concat())).unwrap()
    };
    let told = read(&["--request", "3"]);
    assert_eq!((&told["explains"], &told["request"]), (&"request".into(), &3.into()));
    let parts = told["parts"].as_array().unwrap();
    let sum: u64 = parts.iter().map(|part| part["duration_ns"].as_u64().unwrap()).sum();
    assert_eq!(sum, told["duration_ns"].as_u64().unwrap());
    assert_eq!(parts[0]["kind"], "wait_at_scheduler");
    assert_eq!(read(&["--instance", "3"])["hold"]["doing"], "decode");
    assert_eq!(read(&[])["explains"], "overview");
}

#[test]
fn a_wrong_number_is_refused_with_those_there_are() {
    let desk = Desk::new();
    run(&desk, SPLIT);
    for (arguments, parts) in [
        (&["--request", "1000"][..], ["no request 1000", "from 0 to ", "the nearest are "]),
        (&["--instance", "9"], ["no instance 9", "from 0 to 3", "the nearest are 3, 2, 1"]),
        (&["--decision", "1"], ["no decision 1", "it has no decisions", ""]),
        (&["--request", "1", "--application", "5"], ["no application 5", "the run has 0", ""]),
    ] {
        let refused = desk.ebbflow(&[&["explain", "run"], arguments].concat());
        assert_eq!(code(&refused), 2, "{arguments:?}");
        assert!(parts.iter().all(|part| stderr(&refused).contains(part)), "{}", stderr(&refused));
        assert_eq!(stdout(&refused), "");
    }
    assert_eq!(code(&desk.ebbflow(&["explain", "run", "--request", "1", "--instance", "1"])), 2);
    assert_eq!(code(&desk.ebbflow(&["explain", "nowhere"])), 2);
}

#[test]
fn a_run_without_rows_of_requests_says_so() {
    let desk = Desk::new();
    desk.write("s.yaml", SPLIT);
    assert_eq!(code(&desk.ebbflow(&["run", "s.yaml", "--out", "run", "--results", "summary"])), 0);
    let refused = desk.ebbflow(&["explain", "run", "--request", "1"]);
    assert_eq!(code(&refused), 2);
    assert!(stderr(&refused).contains("--results summary"), "{}", stderr(&refused));
    assert!(said(&desk, &["--instance", "3"]).contains("draining"));
}

#[test]
fn a_directory_whose_trace_is_gone_can_still_be_explained() {
    let desk = Desk::new();
    desk.write(
        "t.csv",
        "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46,374,44\n2023-11-16 18:15:50,396,109\n",
    );
    let made = desk.ebbflow(&["run", "--trace", "t.csv", "--out", "run"]);
    assert_eq!(code(&made), 0, "{}", stderr(&made));
    std::fs::remove_file(desk.path("t.csv")).unwrap();
    assert!(said(&desk, &["--request", "1"]).contains("396 prompt tokens"));
}
