//! `ebbflow compare`, `ebbflow list`, objectives and costs, as a user meets them.

use serde_json::Value;

use crate::support::desk::{Desk, code, json, stderr, stdout};

/// One instance under a minute of more than it can bear; then rest.
const BURST: &str = "
cluster: {servers: [{sku: dgx-h100, count: 1}]}
applications:
  - model_architecture: llama2-70b
    model_size: llama2-70b-fp16
    scheduler: jsq
    scaling_manager: {scale_up_delay: 5, max_instances: 6}
start_state: baseline
workload: {synthetic: {prompt: 1000, output: 50}, rate: [{at: 0, rate: 30}, {at: 60, rate: 1}], until: 120}
";

fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("burst.yaml", BURST);
    desk
}

fn row<'a>(comparison: &'a Value, name: &str) -> &'a Value {
    let rows = comparison["rows"].as_array().unwrap();
    rows.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("{name} is in {comparison}"))
}

#[test]
fn policies_are_run_over_one_scenario_and_ranked_by_cost_among_those_that_keep_the_objectives() {
    let desk = desk();
    let eager = "{threshold: {max_queue_length: 2, scale_up_cooldown: 5}}";
    let policies = format!("none,{eager}");
    let output = desk.ebbflow(&[
        "compare",
        "burst.yaml",
        "--policies",
        &policies,
        "--slo",
        "ttft.p50<5s",
        "--json",
        "c.json",
        "--csv",
        "c.csv",
    ]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let comparison = json(&desk.path("c.json"));
    assert_eq!(
        comparison["rows"][0]["name"], eager,
        "the dearer one comes first, for it alone keeps the objective"
    );
    assert_eq!(
        (&row(&comparison, "none")["met"], &row(&comparison, eager)["met"]),
        (&false.into(), &true.into())
    );
    let figure =
        |name: &str, figure: &str| row(&comparison, name)["figures"][figure]["mean"].as_f64().unwrap();
    assert!(figure(eager, "usd") > figure("none", "usd"));
    assert!(figure(eager, "attainment") > figure("none", "attainment"));
    assert_eq!((figure("none", "scale_ups"), figure("none", "not_served")), (0.0, 0.0));
    assert!(stdout(&output).lines().any(|line| line.contains("TTFT p99 s")), "{}", stdout(&output));
    let csv = std::fs::read_to_string(desk.path("c.csv")).unwrap();
    assert_eq!(csv.lines().count(), 3, "{csv}");
    assert!(csv.starts_with("policy,kept,attainment,attainment_ci95,"), "{csv}");
}

#[test]
fn a_comparison_is_the_same_whenever_it_is_made() {
    let desk = desk();
    let arguments =
        ["compare", "burst.yaml", "--policies", "none,threshold", "--seeds", "3", "--format", "json", "-q"];
    let (first, second) = (desk.ebbflow(&arguments), desk.ebbflow(&arguments));
    assert_eq!(stdout(&first), stdout(&second));
    let comparison: Value = serde_json::from_str(&stdout(&first)).unwrap();
    let runs = row(&comparison, "threshold")["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 3);
    assert_ne!(runs[0], runs[1], "another seed is another run");
    let mean = &row(&comparison, "threshold")["figures"]["ttft_p99_s"];
    let sum: f64 = runs.iter().map(|run| run["ttft_p99_s"].as_f64().unwrap()).sum();
    assert!((mean["mean"].as_f64().unwrap() - sum / 3.0).abs() < 1e-9);
    assert!(mean["ci95"].as_f64().unwrap() > 0.0);
}

#[test]
fn a_single_run_of_a_policy_has_the_figures_that_run_prints() {
    let desk = desk();
    let policy = "applications.0.scaling_manager.autoscaling_policy=threshold";
    let run = desk.ebbflow(&["run", "burst.yaml", policy, "--no-files", "--format", "json", "-q"]);
    let report: Value = serde_json::from_str(&stdout(&run)).unwrap();
    let compare =
        desk.ebbflow(&["compare", "burst.yaml", "--policies", "threshold", "--format", "json", "-q"]);
    let comparison: Value = serde_json::from_str(&stdout(&compare)).unwrap();
    let figures = &comparison["rows"][0]["runs"][0];
    assert_eq!(figures["ttft_p99_s"], report["ttft_s"]["p99"]);
    assert_eq!(figures["usd"], report["cost"]["usd"]["total"]);
    assert_eq!(figures["scale_ups"].as_f64(), report["scaling"]["scale_ups"].as_f64());
}

#[test]
fn several_scenarios_are_compared_as_they_are() {
    let desk = desk();
    desk.write("two.yaml", &BURST.replace("count: 1}", "count: 2}"));
    let output = desk.ebbflow(&["compare", "burst.yaml", "two.yaml", "--format", "json", "-q"]);
    let comparison: Value = serde_json::from_str(&stdout(&output)).unwrap();
    let hours = |name| row(&comparison, name)["figures"]["gpu_hours"]["mean"].as_f64().unwrap();
    assert!(hours("two.yaml") > 1.2 * hours("burst.yaml"));
}

/// Chats are promised what one server cannot keep; batch work has promises that anybody keeps.
#[test]
fn contenders_are_judged_by_what_was_promised_to_each_class() {
    let desk = Desk::new();
    let classes = "classes: [{name: chat, slo: ttft.p50<5s}, {name: batch, slo: e2e.p99<1000s}]";
    desk.write("burst.yaml", &BURST.replace("workload: {", &format!("workload: {{{classes}, ")));
    let eager = "{threshold: {max_queue_length: 2, scale_up_cooldown: 5}}";
    let policies = format!("none,{eager}");
    let compare = ["compare", "burst.yaml", "-q", "--json", "c.json", "--csv", "c.csv", "--report", "c.html"];
    let output = desk.ebbflow(&[&compare[..], &["--policies", &policies]].concat());
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let comparison = json(&desk.path("c.json"));
    assert_eq!(comparison["rows"][0]["name"], eager, "it alone keeps what was promised");
    assert_eq!(comparison["class_slos"][0]["slo"], "ttft.p50<5s");
    let none = row(&comparison, "none");
    assert_eq!((&none["met"], &none["classes"][1]["met"]), (&false.into(), &true.into()));
    assert_eq!(none["classes"][0]["met"], false);
    assert_eq!(
        none["classes"][0]["figures"]["attainment"]["mean"],
        none["runs"][0]["classes"][0]["attainment"]
    );
    let text = stdout(&output);
    assert!(text.contains("class chat: ttft.p50<5s\n") && text.contains("class batch: "), "{text}");
    let csv = std::fs::read_to_string(desk.path("c.csv")).unwrap();
    let ends: Vec<_> = csv.lines().filter_map(|line| line.rsplit_once(',')).map(|(_, last)| last).collect();
    assert_eq!(ends, ["class", "", "chat", "batch", "", "chat", "batch"]);
    let page = std::fs::read_to_string(desk.path("c.html")).unwrap();
    assert!(page.contains(r#""class":"batch""#));
}

#[test]
fn what_cannot_be_compared_is_said() {
    let desk = desk();
    let refused = |arguments: &[&str]| {
        let output = desk.ebbflow(&[&["compare"], arguments].concat());
        assert_eq!(code(&output), 2, "{arguments:?}");
        stderr(&output)
    };
    assert!(refused(&[]).contains("nothing to compare"));
    assert!(refused(&["burst.yaml", "--policies", "thresold"]).contains("did you mean `threshold`"));
    assert!(
        refused(&["burst.yaml", "--policies", "none", "--slo", "ttft<1s"]).contains("names no statistic")
    );
    assert!(refused(&["burst.yaml", "burst.yaml", "--policies", "none"]).contains("goes with one scenario"));
}

#[test]
fn nobody_keeping_the_objectives_is_a_breach() {
    let desk = desk();
    let strict = ["--slo", "ttft.p99<1ms", "-q"];
    let output = desk.ebbflow(&[&["compare", "burst.yaml", "--policies", "none"], &strict[..]].concat());
    assert_eq!(code(&output), 3);
    let output = desk.ebbflow(&[&["run", "burst.yaml", "--no-files"], &strict[..]].concat());
    assert_eq!(code(&output), 3);
    let text = stdout(&output);
    assert!(text.contains("objective       ✗ ttft.p99<0.001s · "), "{text}");
    let kept = desk.ebbflow(&["run", "burst.yaml", "--no-files", "-q", "--slo", "ttft.p99<10min"]);
    assert_eq!(code(&kept), 0);
    assert!(stdout(&kept).contains("attainment      100.00 %"), "{}", stdout(&kept));
}

/// Eight GPUs from beginning to end: what is not serving is idle, and the rent is the hours.
#[test]
fn a_fixed_fleet_costs_its_time() {
    let desk = desk();
    let output = desk.ebbflow(&["run", "burst.yaml", "--no-files", "--format", "json", "-q"]);
    let report: Value = serde_json::from_str(&stdout(&output)).unwrap();
    let hours = |part: &str| report["cost"]["gpu_hours"][part].as_f64().unwrap();
    let simulated_h = report["simulated_s"].as_f64().unwrap() / 3600.0;
    assert!((hours("total") - 8.0 * simulated_h).abs() < 1e-9);
    assert_eq!((hours("starting"), hours("draining")), (0.0, 0.0));
    assert!(hours("serving") > 0.5 * hours("total"));
    assert!((report["cost"]["usd"]["total"].as_f64().unwrap() - 3.99 * hours("total")).abs() < 1e-9);
}

#[test]
fn lists_tell_every_parameter_with_default_and_unit() {
    let desk = Desk::new();
    let list = |arguments: &[&str]| stdout(&desk.ebbflow(&[&["list"], arguments].concat()));
    let threshold = list(&["policies", "threshold"]);
    assert!(threshold.contains("  window = 30 s: over which"), "{threshold}");
    assert!(!threshold.contains("fixed fleet"), "only the one that was asked for");
    assert!(list(&["schedulers"]).contains("transfer_bandwidth = 200 GiB/s"));
    assert!(list(&["skus", "dgx-h100"]).contains("8 × h100-80gb (80 GiB) · $3.99 per GPU-hour"));
    assert!(list(&["models"]).contains("llama2-70b-fp16\n  model_architecture: llama2-70b"));
    assert!(list(&["presets"]).contains("cold_node_5min\n  cold start"));
    let output = desk.ebbflow(&["list", "policies", "nonsense"]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("there is no `nonsense`; known are "), "{}", stderr(&output));
}
