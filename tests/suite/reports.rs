//! Every run leaves a page that shows it, in one file, from its files alone. What the page draws is looked at
//! in a browser, by `tests/browser`.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn ebbflow(home: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ebbflow")).current_dir(home).args(arguments).output().unwrap()
}

fn done(home: &Path, arguments: &[&str]) -> String {
    let output = ebbflow(home, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn page(home: &Path, file: &str) -> String {
    std::fs::read_to_string(home.join(file)).unwrap()
}

/// The data a page draws.
fn data(page: &str) -> Value {
    let (_, rest) = page.split_once(r#"id="run-data""#).unwrap();
    let (_, rest) = rest.split_once('>').unwrap();
    serde_json::from_str(rest.split_once("</script>").unwrap().0.trim()).unwrap()
}

#[test]
fn a_run_leaves_a_page_that_can_be_made_again_from_its_directory() {
    let home = tempfile::tempdir().unwrap();
    done(home.path(), &["run", "--quiet", "--out", "run"]);
    let first = page(home.path(), "run/report.html");
    std::fs::remove_file(home.path().join("run/report.html")).unwrap();
    assert_eq!(done(home.path(), &["report", "run"]), "run/report.html\n");
    assert_eq!(page(home.path(), "run/report.html"), first);
    done(home.path(), &["report", "run", "--out", "elsewhere.html"]);
    assert_eq!(page(home.path(), "elsewhere.html"), first);
}

#[test]
fn a_page_has_a_lane_for_every_instance_of_the_log() {
    let home = tempfile::tempdir().unwrap();
    done(home.path(), &["run", "--quiet", "--out", "run"]);
    let data = data(&page(home.path(), "run/report.html"));
    let lanes = data["instances"]["id"].as_array().unwrap().len();
    let logged =
        std::fs::read_to_string(home.path().join("run/lifecycle/0.csv")).unwrap().lines().count() - 1;
    assert_eq!(lanes, logged);
    let digest = done(home.path(), &["run", "--quiet", "--no-files", "--format", "json"]);
    assert_eq!(data["digest"], serde_json::from_str::<Value>(&digest).unwrap()["digest"]);
}

#[test]
fn classes_and_what_engines_counted_are_on_the_page() {
    let home = tempfile::tempdir().unwrap();
    let scenario = "
cluster: {servers: [{sku: dgx-h100, count: 2}]}
applications: [{model: Llama-3.1-8B, scheduler: kv_jsq}]
start_state: splitwise
workload:
  rate: 4
  requests: 20
  synthetic: {prompt: 400, output: 50}
  classes: [{name: chat, slo: longest_gap.p99<9s}, {name: batch}]
";
    std::fs::write(home.path().join("s.yaml"), scenario).unwrap();
    done(home.path(), &["run", "s.yaml", "--quiet", "--out", "run"]);
    let first = page(home.path(), "run/report.html");
    let data = data(&first);
    let classes: Vec<_> = data["classes"].as_array().unwrap().iter().map(|class| &class["class"]).collect();
    assert_eq!(classes, ["chat", "batch"]);
    assert_eq!(data["classes"][0]["slo"]["met"], true);
    assert!(data["totals"]["engine"]["token_gap_s"]["p99"].is_number());
    let pools = data["engines"]["pool"].as_array().unwrap().iter();
    let pools: Vec<_> = pools.map(|pool| &data["pools"][pool.as_u64().unwrap() as usize]).collect();
    assert_eq!(pools, ["prompt", "token"]);
    done(home.path(), &["report", "run"]);
    assert_eq!(page(home.path(), "run/report.html"), first);
}

#[test]
fn no_page_is_made_when_none_is_wanted() {
    let home = tempfile::tempdir().unwrap();
    done(home.path(), &["run", "--quiet", "--out", "run", "--no-report"]);
    assert!(home.path().join("run/run.json").exists());
    assert!(!home.path().join("run/report.html").exists());
}

#[test]
fn a_run_without_rows_of_requests_has_a_page_of_its_fleet() {
    let home = tempfile::tempdir().unwrap();
    done(home.path(), &["run", "--quiet", "--out", "run", "--results", "summary"]);
    let data = data(&page(home.path(), "run/report.html"));
    assert!(data["series"]["waiting"].is_null());
    assert!(!data["series"]["fleet"].as_array().unwrap().is_empty());
    assert_eq!(data["totals"]["requests"]["completed"], 641);
}

#[test]
fn a_page_of_very_many_instances_stays_small_and_says_what_it_leaves_out() {
    let home = tempfile::tempdir().unwrap();
    let scenario = "
cluster: {servers: [{sku: dgx-h100, count: 2}]}
applications: [{model_architecture: LLaMA, model_size: 70B, scheduler: jsq, scaling_manager: {scale_up_delay: 5}}]
start_state: {state_type: orca, instance: {tensor_parallelism: 8}}
workload: {preset: azure-conv, rate: 2, until: 30}
actions:
  - {at: 1, scale_up_full: {count: 12000, server_sku: dgx-h100}}
";
    std::fs::write(home.path().join("s.yaml"), scenario).unwrap();
    done(home.path(), &["run", "s.yaml", "--quiet", "--out", "run"]);
    let page = page(home.path(), "run/report.html");
    assert!(page.len() < 2_000_000, "{} bytes", page.len());
    let data = data(&page);
    assert_eq!(data["instances"]["id"].as_array().unwrap().len(), 10_000);
    assert_eq!(data["instances_total"], 12_002);
}

#[test]
fn what_is_no_run_directory_is_an_error_that_says_so() {
    let home = tempfile::tempdir().unwrap();
    let output = ebbflow(home.path(), &["report", "."]);
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(error.contains("run.json") && error.contains("ebbflow run"), "{error}");
    assert!(!home.path().join("report.html").exists());
}

#[test]
fn a_comparison_has_a_page_with_every_contender() {
    let home = tempfile::tempdir().unwrap();
    let compare =
        ["compare", "--policies", "none,hpa,kpa", "--slo", "ttft.p99<100s", "--quiet", "--report", "c.html"];
    done(home.path(), &compare);
    let data = data(&page(home.path(), "c.html"));
    assert_eq!(data["kind"], "compare");
    let mut labels: Vec<_> = data["rows"].as_array().unwrap().iter().map(|row| &row["label"]).collect();
    labels.sort_by_key(|label| label.to_string());
    assert_eq!(labels, ["hpa", "kpa", "none"]);
    for run in data["runs"].as_array().unwrap() {
        let bins = run["series"]["start_s"].as_array().unwrap().len();
        assert!(bins >= 100);
        for series in ["active", "waiting", "ttft_p99_s", "tbt_p99_s"] {
            assert_eq!(run["series"][series].as_array().unwrap().len(), bins, "{series}");
        }
    }
}
