//! The ancestor's results, row by row: what it does right, Ebbflow does the same, to a microsecond.
//!
//! Cases are read from `EBBFLOW_GOLDEN`, or from `../shared/golden` beside the checkout; without either
//! the test says so and passes. Scaling operations are recovered from each case's own scaling log.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ebbflow::registry::Registry;
use ebbflow::request::{Fate, Request};
use ebbflow::results::{ApplicationResults, RunResults};
use ebbflow::scenario::{self, Scenario};
use ebbflow::simulation::{self, RunOptions};
use ebbflow::workload;
use ebbflow_actors::Runner;

/// Absolute tolerance, in seconds.
const TOLERANCE_S: f64 = 1e-6;

/// Cases whose ancestor run rests on defects that Ebbflow mends, so that their rows cannot agree:
/// `mixed_pool` there sends work to draining and starting instances, and idle drains leak servers.
const RESTS_ON_DEFECTS: [&str; 2] = ["sc09_policy_heteroscale", "sc09_policy_hpa_gpu"];

fn golden_folder() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/golden");
    let folder = std::env::var_os("EBBFLOW_GOLDEN").map_or(beside, PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: no golden results at {}", folder.display());
    None
}

fn cases() -> Vec<PathBuf> {
    let Some(folder) = golden_folder() else { return Vec::new() };
    let entries = std::fs::read_dir(folder).expect("the golden folder is readable");
    let mut cases: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    cases.retain(|case| case.join("config.yaml").is_file());
    cases.sort();
    cases
}

fn name(case: &Path) -> String {
    case.file_name().unwrap().to_string_lossy().into_owned()
}

type Row = BTreeMap<String, String>;

/// Rows by column name; the ancestor's logs have rows shorter than their header.
fn rows(path: &Path) -> Vec<Row> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_path(path).unwrap();
    let header = reader.headers().unwrap().clone();
    let named = |record: csv::StringRecord| {
        header.iter().zip(&record).map(|(column, value)| (column.to_owned(), value.to_owned())).collect()
    };
    reader.records().map(|record| named(record.unwrap())).collect()
}

fn number(row: &Row, column: &str) -> f64 {
    row[column].parse().unwrap_or_else(|_| panic!("{column} is not a number in {row:?}"))
}

/// The ancestor reuses the numbers of servers that left; ours count up.
fn expected_log(case: &Path) -> Vec<(f64, String, String, String)> {
    let path = case.join("scaling/0.csv");
    if !path.is_file() {
        return Vec::new();
    }
    let start_servers = configured_servers(case);
    let mut renamed: BTreeMap<String, String> = BTreeMap::new();
    let mut next = start_servers;
    let mut log = Vec::new();
    for row in rows(&path) {
        let mut target = row["target"].clone();
        if row["action"] == "scale_up_server" {
            renamed.insert(target.clone(), format!("server_{next}"));
            next += 1;
        }
        if let Some(new) = renamed.get(&target) {
            target = new.clone();
        }
        log.push((number(&row, "time"), row["action"].clone(), target, row["status"].clone()));
    }
    log
}

fn configured_servers(case: &Path) -> u32 {
    let overrides = [format!("trace.path={}", case.join("trace.csv").display())];
    let scenario = scenario::load(&case.join("config.yaml"), &overrides, &Registry::builtin()).unwrap();
    scenario.cluster.servers.iter().map(|group| group.count).sum()
}

/// The GPU of every instance that served, from the names in `request_nodes.csv`.
fn gpus_of_instances(case: &Path) -> BTreeMap<u32, String> {
    let names = rows(&case.join("request_nodes.csv")).into_iter().map(|row| row["runner"].clone());
    names
        .filter_map(|runner| {
            let (gpu, instance) = runner.rsplit_once('_')?;
            Some((instance.parse().ok()?, gpu.to_owned()))
        })
        .collect()
}

/// The operations that led to a scaling log, as a scenario's `actions`.
fn actions(case: &Path) -> String {
    let log = expected_log(case);
    let gpus = gpus_of_instances(case);
    let sku = |instance: &str| {
        let instance: u32 = instance.trim_start_matches("instance_").parse().unwrap();
        match gpus.get(&instance).map(String::as_str) {
            Some("a100-80gb") => "dgx-a100",
            Some("h100-80gb-pcap") => "dgx-h100-pcap",
            _ => "dgx-h100",
        }
    };
    let id = |target: &str| target.rsplit_once('_').unwrap().1.to_owned();
    let mut actions = Vec::new();
    let mut lone_server = None;
    for (position, (time, action, target, _)) in log.iter().enumerate() {
        match action.as_str() {
            "scale_up_server" => match log.get(position + 1) {
                Some((at, next, instance, _)) if at == time && next == "scale_up_start" => {
                    let sku = sku(instance);
                    actions.push(format!("{{at: {time}, scale_up_full: {{server_sku: {sku}}}}}"));
                }
                _ => {
                    actions.push(format!("{{at: {time}, scale_up_server: {{server_sku: dgx-h100}}}}"));
                    lone_server = Some(id(target));
                }
            },
            "scale_up_start" => {
                let full =
                    position > 0 && log[position - 1].0 == *time && log[position - 1].1 == "scale_up_server";
                if let (false, Some(server)) = (full, &lone_server) {
                    actions.push(format!("{{at: {time}, scale_up_instance: {{server: {server}}}}}"));
                }
            }
            "scale_down_start" => {
                let completed = log.iter().position(|(_, action, instance, _)| {
                    action == "scale_down_complete" && instance == target
                });
                let followed =
                    completed.and_then(|completed| log.get(completed + 1).map(|next| (completed, next)));
                let takes_server = followed.is_some_and(|(completed, next)| {
                    next.1 == "scale_down_server" && next.0 == log[completed].0
                });
                let operation = if takes_server { "scale_down_full" } else { "scale_down_instance" };
                actions.push(format!("{{at: {time}, {operation}: {{instance: {}}}}}", id(target)));
            }
            "scale_down_server" => {
                let with_instance = position > 0
                    && log[position - 1].1 == "scale_down_complete"
                    && log[position - 1].0 == *time;
                if !with_instance {
                    actions.push(format!("{{at: {time}, scale_down_server: {{server: {}}}}}", id(target)));
                }
            }
            _ => {}
        }
    }
    actions.iter().map(|action| format!("  - {action}\n")).collect()
}

fn load(case: &Path) -> Scenario {
    let mut text = std::fs::read_to_string(case.join("config.yaml")).unwrap();
    let actions = actions(case);
    if !actions.is_empty() && !RESTS_ON_DEFECTS.contains(&name(case).as_str()) {
        text.push_str("\nactions:\n");
        text.push_str(&actions);
    }
    let overrides = [format!("trace.path={}", case.join("trace.csv").display())];
    let file = case.join("config.yaml").display().to_string();
    scenario::from_yaml(&file, &text, case, &overrides, &Registry::builtin())
        .unwrap_or_else(|problems| panic!("{problems}"))
}

fn run(scenario: &Scenario) -> RunResults {
    let applications: Vec<_> = scenario.applications.iter().map(|application| application.id).collect();
    let workload = workload::open(&scenario.workload, &applications, scenario.seed).unwrap();
    let options = RunOptions { runner: Runner::Sequential, ..RunOptions::default() };
    simulation::run(scenario, workload, &Registry::builtin(), &options).unwrap()
}

/// Collects disagreements instead of stopping at the first.
#[derive(Default)]
struct Comparison {
    compared: usize,
    wrong: Vec<String>,
}

impl Comparison {
    fn close(&mut self, what: impl Fn() -> String, expected: f64, found: f64) {
        self.compared += 1;
        let agree = (expected - found).abs() <= TOLERANCE_S;
        if !agree {
            self.wrong.push(format!("{}: expected {expected}, found {found}", what()));
        }
    }

    fn finish(self, case: &str) {
        let first: Vec<_> = self.wrong.iter().take(8).collect();
        assert!(
            self.wrong.is_empty(),
            "{case}: {} of {} values differ, first: {first:#?}",
            self.wrong.len(),
            self.compared
        );
        println!("{case}: {} values agree", self.compared);
    }
}

fn completed(application: &ApplicationResults) -> BTreeMap<u64, &Request> {
    let completed = application.requests.iter().filter(|ended| ended.fate == Fate::Completed);
    completed.map(|ended| (ended.request.id.0, &*ended.request)).collect()
}

fn compare_requests(case: &Path, application: &ApplicationResults, comparison: &mut Comparison) {
    let found = completed(application);
    let expected = rows(&case.join("detailed/0.csv"));
    assert_eq!(found.len(), expected.len(), "{}: completed requests", name(case));
    for row in expected {
        let id = number(&row, "request_ids") as u64;
        let request = found[&id];
        let pairs = [
            ("response_times", request.e2e_s()),
            ("queue_times", request.queue_s()),
            ("ttft_times", request.ttft_s()),
            ("tbt_times", request.tbt_s()),
            ("nth_token_overheads", request.nth_token_overhead_s()),
        ];
        for (column, value) in pairs {
            comparison.close(|| format!("request {id} {column}"), number(&row, column), value.unwrap());
        }
    }
}

fn compare_nodes(case: &Path, application: &ApplicationResults, comparison: &mut Comparison) {
    let found = completed(application);
    for row in rows(&case.join("request_nodes.csv")) {
        let id = number(&row, "request_id") as u64;
        let journal = &found[&id].journal;
        let (leg, has_name) = match row["node_type"].as_str() {
            "PROMPT" => (journal.prefill, true),
            "TOKEN" => (journal.decode, true),
            _ => (journal.transfer, false),
        };
        let leg = leg.unwrap_or_else(|| panic!("request {id} has no {}", row["node_type"]));
        let kind = &row["node_type"];
        comparison.close(
            || format!("request {id} {kind} start"),
            number(&row, "start_timestamp"),
            leg.start.as_secs_f64(),
        );
        let end = leg.end.unwrap().as_secs_f64();
        comparison.close(|| format!("request {id} {kind} end"), number(&row, "completion_timestamp"), end);
        if has_name && application.instance_name(leg.instance) != row["runner"] {
            let found = application.instance_name(leg.instance);
            comparison
                .wrong
                .push(format!("request {id} {kind}: expected on {}, found on {found}", row["runner"]));
        }
    }
}

fn compare_utilisation(case: &Path, results: &RunResults, comparison: &mut Comparison) {
    let application = &results.applications[0];
    let mut expected = Vec::new();
    for row in rows(&case.join("detailed/0_alloc.csv")) {
        expected.push((row["instance_names"].clone(), number(&row, "utilizations")));
    }
    let present = application.instances.iter().filter(|instance| instance.removed.is_none());
    let mut found: Vec<(String, f64)> = present
        .map(|instance| {
            let span = (results.end - instance.created).as_secs_f64();
            (instance.gpu.clone(), instance.busy.as_secs_f64() / span)
        })
        .collect();
    let by_name_and_value = |a: &(String, f64), b: &(String, f64)| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1));
    expected.sort_by(by_name_and_value);
    found.sort_by(by_name_and_value);
    assert_eq!(expected.len(), found.len(), "{}: instances at the end", name(case));
    for ((gpu, expected), (found_gpu, found)) in expected.into_iter().zip(found) {
        assert_eq!(gpu, found_gpu);
        comparison.close(|| format!("utilisation of a {gpu}"), expected, found);
    }
}

fn compare_log(case: &Path, application: &ApplicationResults, comparison: &mut Comparison) {
    let mut expected = expected_log(case);
    let mut found: Vec<_> = application
        .scaling_log
        .iter()
        .map(|line| {
            (line.time.as_secs_f64(), line.action.to_owned(), line.target.clone(), line.status.to_owned())
        })
        .collect();
    // Lines of equal time are compared as a set; a nanosecond is no difference.
    let key = |line: &(f64, String, String, String)| {
        ((line.0 * 1e6).round() as i64, line.1.clone(), line.2.clone(), line.3.clone())
    };
    expected.sort_by_key(key);
    found.sort_by_key(key);
    let words = |lines: &[(f64, String, String, String)]| -> Vec<String> {
        lines.iter().map(|(_, action, target, status)| format!("{action},{target},{status}")).collect()
    };
    assert_eq!(words(&expected), words(&found), "{}: scaling log", name(case));
    for (expected, found) in expected.iter().zip(&found) {
        comparison.close(|| format!("{} of {}", expected.1, expected.2), expected.0, found.0);
    }
}

#[test]
fn every_request_node_instance_and_log_line_agrees_with_the_ancestor() {
    let mut failures = Vec::new();
    for case in cases() {
        if RESTS_ON_DEFECTS.contains(&name(&case).as_str()) {
            println!("{}: not compared, its rows rest on defects of the ancestor", name(&case));
            continue;
        }
        let outcome = std::panic::catch_unwind(|| {
            let results = run(&load(&case));
            assert_eq!(results.incomplete, None);
            let application = &results.applications[0];
            let mut comparison = Comparison::default();
            compare_requests(&case, application, &mut comparison);
            compare_nodes(&case, application, &mut comparison);
            compare_utilisation(&case, &results, &mut comparison);
            compare_log(&case, application, &mut comparison);
            let end = rows(&case.join("simulator.csv")).last().map(|row| number(row, "time")).unwrap();
            comparison.close(|| "end".to_owned(), end, results.end.as_secs_f64());
            comparison.finish(&name(&case));
        });
        if outcome.is_err() {
            failures.push(name(&case));
        }
    }
    assert!(failures.is_empty(), "{failures:?} disagree");
}
