//! Runs of the ancestor, kept as folders of files: what was run, and what came of it.
//!
//! Cases are read from `EBBFLOW_GOLDEN`, or from `../shared/golden` beside the checkout; without either
//! there are none. Scaling operations are recovered from each case's own scaling log.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ebbflow::registry::Registry;
use ebbflow::scenario::{self, Scenario};

use super::reference;

/// Cases whose ancestor run rests on defects that Ebbflow mends, so that their rows cannot agree:
/// `mixed_pool` there sends work to draining and starting instances, and idle drains leak servers.
pub const RESTS_ON_DEFECTS: [&str; 2] = ["sc09_policy_heteroscale", "sc09_policy_hpa_gpu"];

/// The folders of all cases.
pub fn cases() -> Vec<PathBuf> {
    let Some(folder) = reference("golden") else { return Vec::new() };
    let entries = std::fs::read_dir(folder).expect("the golden folder is readable");
    let mut cases: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    cases.retain(|case| case.join("config.yaml").is_file());
    cases.sort();
    cases
}

/// What a case is called.
pub fn name(case: &Path) -> String {
    case.file_name().unwrap().to_string_lossy().into_owned()
}

/// A row of a table by column name.
pub type Row = BTreeMap<String, String>;

/// Rows by column name; the ancestor's logs have rows shorter than their header.
pub fn rows(path: &Path) -> Vec<Row> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_path(path).unwrap();
    let header = reader.headers().unwrap().clone();
    let named = |record: csv::StringRecord| {
        header.iter().zip(&record).map(|(column, value)| (column.to_owned(), value.to_owned())).collect()
    };
    reader.records().map(|record| named(record.unwrap())).collect()
}

/// A cell that is a number.
pub fn number(row: &Row, column: &str) -> f64 {
    row[column].parse().unwrap_or_else(|_| panic!("{column} is not a number in {row:?}"))
}

/// The ancestor reuses the numbers of servers that left; ours count up.
pub fn expected_log(case: &Path) -> Vec<(f64, String, String, String)> {
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

/// The scenario of a case.
pub fn load(case: &Path) -> Scenario {
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
