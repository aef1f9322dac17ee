//! Logs tell what happens in simulated time, on stderr only, and change nothing.

use serde_json::Value;

use crate::support::desk::{Desk, code, stderr, stdout};

/// A policy decides, a drain times out, an operation is refused.
const BUSY: &str = "
cluster: {servers: [{sku: dgx-h100, count: 2}]}
applications:
  - model_architecture: LLaMA
    model_size: 70B
    scheduler: jsq
    scaling_manager: {drain_timeout: 3, autoscaling_policy: {threshold: {max_queue_length: 2}}}
start_state: baseline
end_time: 60
workload: {rate: 6, requests: 200, synthetic: {prompt: 800, output: 150}}
actions:
  - {at: 5, scale_up_full: {}}
  - {at: 20, scale_down_full: {instances: [0, 77]}}
";

/// The lines of a JSON log.
fn json_log(desk: &Desk, level: &str) -> Vec<Value> {
    let run = desk.ebbflow(&["run", "s.yaml", "--no-files", "--log-format", "json", level]);
    assert_eq!(code(&run), 0, "{}", stderr(&run));
    let lines = stderr(&run);
    lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
        .collect()
}

fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("s.yaml", BUSY);
    desk
}

#[test]
fn every_line_of_a_json_log_parses_and_tells_its_simulated_time() {
    let desk = desk();
    for level in ["-v", "-vvv"] {
        for line in json_log(&desk, level) {
            // Notes on the scenario belong to no moment.
            assert!(line["t_s"].is_number() || line["level"] == "WARN", "{line}");
            assert!(line["message"].is_string(), "{line}");
        }
    }
}

#[test]
fn one_v_tells_of_operations_decisions_drains_and_refusals() {
    let log = json_log(&desk(), "-v");
    let has = |key: &str, value: &str| {
        assert!(log.iter().any(|line| line[key] == value), "nothing has {key} {value}");
    };
    has("message", "the run begins");
    has("message", "the run ended");
    has("action", "scale_up_start");
    has("action", "scale_up_complete");
    has("status", "draining");
    has("event", "refused");
    has("event", "drain_timeout");
    let decision = log.iter().find(|line| line["message"] == "decision").expect("a policy decides");
    for key in ["policy", "active", "inputs", "wanted", "reason", "outcome"] {
        assert!(!decision[key].is_null(), "{key} is missing in {decision}");
    }
    assert!(log.iter().all(|line| line["message"] != "routed"));
}

#[test]
fn more_vs_tell_more() {
    let desk = desk();
    let messages = |level: &str| {
        let mut found: Vec<String> =
            json_log(&desk, level).iter().map(|line| line["message"].as_str().unwrap().to_owned()).collect();
        found.sort();
        found.dedup();
        found
    };
    let (two, three) = (messages("-vv"), messages("-vvv"));
    assert!(["routed", "batch", "ended", "scaling"].iter().all(|what| two.contains(&(*what).to_owned())));
    assert!(!two.contains(&"message".to_owned()) && three.contains(&"message".to_owned()));
}

#[test]
fn logs_change_neither_stdout_nor_the_digest() {
    let desk = desk();
    let summary = |more: &[&str]| {
        let run = desk.ebbflow(&[&["run", "s.yaml", "--no-files"], more].concat());
        assert_eq!(code(&run), 0, "{}", stderr(&run));
        let text = stdout(&run);
        // The line that tells of the wall clock, and what it runs into, differ from run to run.
        let kept = text.lines().filter(|line| !line.contains("wall-clock") && !line.contains("per second"));
        kept.map(str::to_owned).collect::<Vec<_>>()
    };
    let plain = summary(&[]);
    assert!(plain.iter().any(|line| line.starts_with("digest")));
    for more in [&["-v"][..], &["-vvv"], &["-v", "--log-format", "json"]] {
        assert_eq!(summary(more), plain, "{more:?}");
    }
}

#[test]
fn rust_log_chooses_instead() {
    let desk = desk();
    let run = |filter: &str| {
        let mut command = desk.command(&["run", "s.yaml", "--no-files", "--quiet", "-v"]);
        stderr(&command.env("RUST_LOG", filter).output().unwrap())
    };
    assert_eq!(run("off"), "");
    let scaling = run("ebbflow::scaling=info");
    assert!(scaling.contains("decision") && !scaling.contains("the run begins"), "{scaling}");
    assert!(
        run("ebbflow::scheduler=debug").lines().all(|line| line.contains("routed") || line.contains("ended"))
    );
}
