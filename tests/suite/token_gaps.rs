//! Runs are judged by the gaps that readers see between tokens, not only by means of them.

use serde_json::Value;

use crate::support::desk::{Desk, code, json, stderr, stdout};

/// Chats with a long document now and then, whose prompt is computed in one go: everybody else waits for it.
const STALLS: &str = "
cluster: {servers: [{sku: dgx-h100, count: 1}]}
applications: [{model: Llama-3.1-8B, scheduler: jsq}]
start_state: {state_type: baseline, instance: {instance_type: vllm, max_num_batched_tokens: 16384}}
workload:
  rate: 4
  requests: 120
  synthetic: {prompt: 400, output: 200}
  classes:
    - {name: chat, share: 9, slo: longest_gap.p90<20ms}
    - {name: document, prompt: 14000, output: 100, slo: ttft.p99<9s}
";

/// What a run with these objectives says: its exit code and its summary for programs.
fn judged(desk: &Desk, objectives: &str, overrides: &[&str]) -> (i32, Value) {
    let all = ["run", "s.yaml", "--quiet", "--no-files", "--format", "json", "--slo", objectives];
    let run = desk.ebbflow(&[&all, overrides].concat());
    let report = serde_json::from_str(&stdout(&run));
    (code(&run), report.unwrap_or_else(|_| panic!("{}", stderr(&run))))
}

#[test]
fn stalls_that_no_mean_shows_miss_an_objective_on_gaps() {
    let desk = Desk::new();
    desk.write("s.yaml", STALLS);
    let no_classes = ["workload.classes.0.slo=ttft.p99<9s"];
    assert_eq!(judged(&desk, "tbt.p99<20ms, tpot.max<20ms, itl.p50<20ms", &no_classes).0, 0);
    let (missed, report) = judged(&desk, "token_gap.p99.9<20ms, token_gap.max<1s", &no_classes);
    assert_eq!(missed, 3);
    assert_eq!(report["slo"]["objectives"][1]["value_s"], report["engine"]["token_gap_s"]["max"]);
    // No request has a share in the gaps of all.
    assert_eq!(report["slo"]["attainment"], 1.0);
    let (missed, report) = judged(&desk, "longest_gap.p90<20ms", &no_classes);
    assert_eq!(missed, 3);
    assert!(report["slo"]["attainment"].as_f64().unwrap() < 0.9);
    assert_eq!(report["slo"]["objectives"][0]["value_s"], report["longest_gap_s"]["p90"]);
    // Prompts in pieces are what helps.
    let chunked = ["start_state.instance.max_num_batched_tokens=1024", no_classes[0]];
    assert_eq!(judged(&desk, "longest_gap.p90<20ms, token_gap.p99.9<20ms", &chunked).0, 0);
}

#[test]
fn a_class_is_judged_by_the_longest_gaps_of_its_requests() {
    let desk = Desk::new();
    desk.write("s.yaml", STALLS);
    let run = desk.ebbflow(&["run", "s.yaml", "--quiet", "--out", "run"]);
    assert_eq!(code(&run), 3, "{}", stderr(&run));
    let report = json(&desk.path("run/run.json"));
    let chat = &report["classes"][0];
    assert_eq!((&chat["class"], &chat["slo"]["met"]), (&"chat".into(), &false.into()));
    assert_eq!(chat["slo"]["objectives"][0]["value_s"], chat["longest_gap_s"]["p90"]);
    let text = stdout(&desk.ebbflow(&["run", "s.yaml", "--quiet", "--no-files"]));
    assert!(text.contains("longest gap p99") && text.contains("token gap"), "{text}");
    let table = std::fs::read_to_string(desk.path("run/classes.csv")).unwrap();
    assert!(table.lines().next().unwrap().ends_with("longest_gap_s_p99,longest_gap_s_max"), "{table}");
}

#[test]
fn contenders_are_compared_by_gaps_where_engines_tell_them() {
    let desk = Desk::new();
    desk.write("s.yaml", STALLS);
    let compare = ["compare", "s.yaml", "--policies", "none", "--quiet"];
    let told = stdout(&desk.ebbflow(&[&compare[..], &["--json", "told.json"]].concat()));
    assert!(told.contains("gap p99 s"), "{told}");
    assert!(json(&desk.path("told.json"))["rows"][0]["figures"]["longest_gap_p99_s"]["mean"].is_number());
    let silent = ["start_state=orca", "workload.classes.0.slo=ttft.p99<9s"];
    let untold = desk.ebbflow(&[&compare[..], &silent].concat());
    assert_eq!(code(&untold), 0, "{}", stderr(&untold));
    assert!(!stdout(&untold).contains("gap p99 s"), "{}", stdout(&untold));
}

#[test]
fn one_silent_engine_is_enough_to_refuse_an_objective_on_all_gaps() {
    let desk = Desk::new();
    desk.write(
        "s.yaml",
        "
cluster: {servers: [{sku: dgx-h100, count: 1}]}
applications: [{model: Llama-3.1-8B, scheduler: jsq}, {application_id: 1, model: Llama-3.1-8B, scheduler: jsq}]
start_state:
  state_type: packed
  instances:
    - {application: 0, tensor_parallelism: 2, instance_type: vllm}
    - {application: 1, tensor_parallelism: 2, instance_type: ORCA}
workload: {rate: 1, requests: 3, synthetic: {prompt: 100, output: 10}}
",
    );
    let check = |overrides: &[&str]| desk.ebbflow(&[&["check", "s.yaml"], overrides].concat());
    assert_eq!(code(&check(&[])), 0, "{}", stderr(&check(&[])));
    let refused = check(&["slo=ttft.p99<9s, token_gap.p99<1s"]);
    assert_eq!(code(&refused), 2);
    assert!(stderr(&refused).contains("engine `ORCA`"), "{}", stderr(&refused));
    assert!(stderr(&refused).contains("`token_gap`"), "{}", stderr(&refused));
}
