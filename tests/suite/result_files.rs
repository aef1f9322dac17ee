//! The files of one run agree with one another: every figure is told once by the records, and sums of
//! rows are the totals of `run.json`.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// A split fleet under load that grows, shrinks and refuses.
const SCENARIO: &str = "
cluster: {servers: [{sku: dgx-h100, count: 4}]}
applications:
  - application_id: 0
    model_architecture: LLaMA
    model_size: 70B
    scheduler: kv_jsq
    scaling_manager: {scale_up_delay: 5.0, drain_check_interval: 0.5}
start_state:
  state_type: splitwise
  application_id: 0
  split_type: homogeneous
  prompt: {num_instances: 2, tensor_parallelism: 8}
  token: {num_instances: 2, tensor_parallelism: 8}
end_time: 200
debug: true
workload:
  rate: 6
  requests: 300
  synthetic: {prompt: {lognormal: {mu: 6.5, sigma: 1.0, max: 4000}}, output: {lognormal: {mu: 4.5, sigma: 1.0, max: 800}}}
actions:
  - {at: 5.25, scale_up_full: {count: 2, tag: token, server_sku: dgx-h100}}
  - {at: 20, scale_down_full: {instances: [0, 2]}}
  - {at: 21, scale_down_full: {instance: 1}}
  - {at: 22, scale_down_full: {instance: 99}}
";

type Row = BTreeMap<String, String>;

/// A run directory of the scenario, read back.
struct Run {
    home: tempfile::TempDir,
    report: Value,
}

impl Run {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("s.yaml"), SCENARIO).unwrap();
        let run = Command::new(env!("CARGO_BIN_EXE_ebbflow"))
            .current_dir(home.path())
            .args(["run", "s.yaml", "--out", "run", "--quiet", "--format", "json"])
            .output()
            .unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        let report = serde_json::from_slice(&run.stdout).unwrap();
        Run { home, report }
    }

    fn rows(&self, file: &str) -> Vec<Row> {
        let path = self.home.path().join("run").join(file);
        let mut reader = csv::Reader::from_path(&path).unwrap();
        let names: Vec<String> = reader.headers().unwrap().iter().map(String::from).collect();
        let rows = reader.records().map(Result::unwrap);
        rows.map(|row| names.iter().cloned().zip(row.iter().map(String::from)).collect()).collect()
    }
}

fn number(row: &Row, column: &str) -> f64 {
    row[column].parse().unwrap_or_else(|_| panic!("{column} is {:?}", row[column]))
}

fn assert_close(a: f64, b: f64, what: &str) {
    assert!((a - b).abs() <= 1e-6 * b.abs().max(1.0), "{what}: {a} is not {b}");
}

#[test]
fn every_request_is_in_exactly_one_file() {
    let run = Run::new();
    let (completed, rest) = (run.rows("detailed/0.csv"), run.rows("not_completed.csv"));
    let mut ids: Vec<u64> = completed
        .iter()
        .map(|row| number(row, "request_ids") as u64)
        .chain(rest.iter().map(|row| number(row, "request_id") as u64))
        .collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), completed.len() + rest.len(), "a request is listed twice");
    assert_eq!(run.report["requests"]["arrived"], ids.len());
    assert_eq!(run.report["requests"]["completed"], completed.len());
}

#[test]
fn latencies_are_the_spans_between_the_tasks_of_a_request() {
    let run = Run::new();
    let mut tasks: BTreeMap<(String, String), Row> = BTreeMap::new();
    for row in run.rows("request_nodes.csv") {
        tasks.insert((row["request_id"].clone(), row["node_type"].clone()), row);
    }
    let completed = run.rows("detailed/0.csv");
    assert!(!completed.is_empty());
    for request in completed {
        let id = &request["request_ids"];
        let prompt = &tasks[&(id.clone(), "PROMPT".to_owned())];
        let arrival = number(prompt, "start_timestamp") - number(&request, "queue_times");
        let ttft = number(prompt, "completion_timestamp") - arrival;
        assert_close(ttft, number(&request, "ttft_times"), "TTFT");
        let last = tasks.get(&(id.clone(), "TOKEN".to_owned())).unwrap_or(prompt);
        let response = number(last, "completion_timestamp") - arrival;
        assert_close(response, number(&request, "response_times"), "E2E");
        let tbt = (response - ttft) / number(&request, "token_sizes");
        assert_close(tbt, number(&request, "tbt_times"), "TBT");
    }
}

#[test]
fn the_summary_sums_up_the_detailed_rows_and_agrees_with_the_report() {
    let run = Run::new();
    let summary = run.rows("summary.csv").remove(0);
    let rows = run.rows("detailed/0.csv");
    for (column, key) in [
        ("response_times", "e2e_s"),
        ("ttft_times", "ttft_s"),
        ("tbt_times", "tbt_s"),
        ("queue_times", "queue_s"),
    ] {
        let mean = rows.iter().map(|row| number(row, column)).sum::<f64>() / rows.len() as f64;
        assert_close(number(&summary, &format!("{column}_mean")), mean, column);
        for statistic in ["mean", "p50", "p90", "p99", "max"] {
            let reported = run.report[key][statistic].as_f64().unwrap();
            assert_close(number(&summary, &format!("{column}_{statistic}")), reported, column);
        }
    }
}

#[test]
fn the_lives_of_instances_add_up_to_the_reported_instance_time() {
    let run = Run::new();
    let end = run.report["simulated_s"].as_f64().unwrap();
    let (mut active, mut total, mut gpus) = (0.0, 0.0, 0.0);
    for life in run.rows("lifecycle/0.csv") {
        let time = |column: &str| life[column].parse::<f64>().ok();
        let left = time("removed_s").unwrap_or(end);
        let span = left - number(&life, "created_s");
        total += span;
        gpus += span * number(&life, "gpus");
        active += time("active_s").map_or(0.0, |from| time("draining_s").unwrap_or(left) - from);
    }
    let reported = |of: &str, key: &str| run.report[of][key].as_f64().unwrap();
    assert_close(reported("instance_seconds", "total"), total, "instance-seconds");
    assert_close(reported("instance_seconds", "active"), active, "active instance-seconds");
    assert_close(reported("gpu_seconds", "total"), gpus, "GPU-seconds");
}

#[test]
fn the_scaling_log_and_the_lives_of_instances_tell_the_same_times() {
    let run = Run::new();
    let lives = run.rows("lifecycle/0.csv");
    let log = run.rows("scaling/0.csv");
    let column = BTreeMap::from([
        ("scale_up_start", "created_s"),
        ("scale_up_complete", "active_s"),
        ("scale_down_start", "draining_s"),
        ("scale_down_complete", "removed_s"),
    ]);
    let mut compared = 0;
    for line in &log {
        let (Some(column), Some(id)) =
            (column.get(line["action"].as_str()), line["target"].strip_prefix("instance_"))
        else {
            continue;
        };
        let life = lives.iter().find(|life| life["id"] == id).unwrap();
        assert_close(number(line, "time"), number(life, column), &line["action"]);
        compared += 1;
    }
    assert!(compared >= 6, "{compared} of {} lines compared", log.len());
    let times: Vec<f64> = log.iter().map(|line| number(line, "time")).collect();
    assert!(times.is_sorted(), "{times:?}");
    let count = |action: &str| log.iter().filter(|line| line["action"] == action).count();
    assert_eq!(run.report["scaling"]["scale_ups"], count("scale_up_start"));
    assert_eq!(run.report["scaling"]["scale_downs"], count("scale_down_start"));
}

#[test]
fn what_was_refused_is_counted_and_explained() {
    let run = Run::new();
    let events = run.rows("scaling/0_events.csv");
    let refused: Vec<&Row> = events.iter().filter(|row| row["event"] == "refused").collect();
    assert!(!refused.is_empty(), "instance 99 does not exist");
    assert_eq!(run.report["scaling"]["refused"], refused.len());
    assert!(refused.iter().all(|row| !row["detail"].is_empty()));
}

#[test]
fn utilisation_is_busy_time_over_existence() {
    let run = Run::new();
    let end = run.report["simulated_s"].as_f64().unwrap();
    let (lives, alloc) = (run.rows("lifecycle/0.csv"), run.rows("detailed/0_alloc.csv"));
    assert_eq!(lives.len(), alloc.len());
    for (life, alloc) in lives.iter().zip(&alloc) {
        let left = life["removed_s"].parse().unwrap_or(end);
        let expected = number(life, "busy_s") / (left - number(life, "created_s"));
        assert_close(number(alloc, "utilizations"), expected, "utilisation");
        assert_eq!(life["gpu"], alloc["instance_names"]);
    }
}

#[test]
fn every_instance_has_an_iteration_log_in_order_with_debug() {
    let run = Run::new();
    let mut iterations = 0;
    for life in run.rows("lifecycle/0.csv") {
        let log = run.rows(&format!("instances/0/{}.csv", life["id"]));
        let starts: Vec<f64> = log.iter().map(|row| number(row, "iteration_start")).collect();
        assert!(starts.is_sorted());
        iterations += log.len();
    }
    assert!(iterations > 0);
}

#[test]
fn the_resolved_scenario_runs_again_to_the_same_digest() {
    let run = Run::new();
    let again = Command::new(env!("CARGO_BIN_EXE_ebbflow"))
        .current_dir(run.home.path())
        .args(["run", "run/scenario.yaml", "--quiet", "--no-files", "--format", "json"])
        .output()
        .unwrap();
    assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stderr));
    let report: Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!(report["digest"], run.report["digest"]);
    assert!(Path::new(&run.home.path().join("run/run.json")).is_file());
}
