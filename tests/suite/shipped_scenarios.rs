//! Every scenario in `configs/` says what it shows, what to look at and how to run it, and its figures are true.

use std::fs;
use std::path::{Path, PathBuf};

use ebbflow::registry::Registry;
use ebbflow::results::Report;
use ebbflow::scenario::{self, Scenario};
use serde_json::Value;

use crate::support::repository;
use crate::support::run::sequential;
use crate::support::run_scenario;
use crate::support::shipped::{in_folder, shipped};

const MODELINE: &str = "# yaml-language-server: $schema=";

/// The head of a file: its comment lines before the first key, without their `# `.
fn head(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().take_while(|line| line.starts_with('#'));
    lines.map(|line| line.trim_start_matches('#').strip_prefix(' ').unwrap_or_default().to_owned()).collect()
}

/// The lines of a section of the head, the first one included.
fn section(head: &[String], name: &str) -> Vec<String> {
    let from = head.iter().skip_while(|line| !line.starts_with(name));
    from.take_while(|line| !line.is_empty()).cloned().collect()
}

/// Keys of run.json with the figure that the head promises, as it is written there.
fn promises(head: &[String]) -> Vec<(String, String)> {
    let lines = section(head, "Look at");
    let promise = |line: &String| {
        let mut words = line.strip_prefix("  ")?.split_whitespace();
        Some((words.next()?.to_owned(), words.next()?.to_owned()))
    };
    lines.iter().skip(1).filter_map(promise).collect()
}

fn load(path: &Path) -> Scenario {
    scenario::load(path, &[], &Registry::builtin()).unwrap_or_else(|problems| panic!("{problems}"))
}

/// Runs it and gives run.json.
fn run_json(path: &Path) -> Value {
    let scenario = load(path);
    let results = run_scenario(&scenario, &sequential());
    serde_json::to_value(Report::new(&results, &scenario)).unwrap()
}

fn find<'v>(report: &'v Value, key: &str) -> &'v Value {
    key.split('.').fold(report, |value, part| match part.parse::<usize>() {
        Ok(index) => &value[index],
        Err(_) => &value[part],
    })
}

#[test]
fn every_scenario_names_the_schema_that_stands_beside_it() {
    assert!(shipped().len() >= 16);
    for path in shipped() {
        let text = fs::read_to_string(&path).unwrap();
        let first = text.lines().next().unwrap_or_default();
        let schema = first.strip_prefix(MODELINE).unwrap_or_else(|| panic!("{}: {first}", path.display()));
        assert!(path.with_file_name(schema).is_file(), "{}: there is no {schema}", path.display());
    }
}

#[test]
fn every_head_says_what_is_shown_what_to_look_at_and_how_to_run_it() {
    for path in in_folder("configs") {
        let (head, name) = (head(&path), path.file_name().unwrap().to_string_lossy().into_owned());
        assert!(head[1].ends_with(['.', ',']) && head[1].len() > 20, "{name}: {}", head[1]);
        assert!(!section(&head, "Shows: ").is_empty(), "{name}");
        assert!(promises(&head).len() >= 3, "{name}: {:?}", promises(&head));
        let run = section(&head, "Run: ebbflow");
        let command = if name == "default.yaml" { "ebbflow" } else { &format!("ebbflow run configs/{name}") };
        assert!(run.first().is_some_and(|line| line.contains(command)), "{name}: {run:?}");
    }
}

#[test]
fn what_the_heads_tell_to_look_at_is_what_a_run_says() {
    for path in in_folder("configs") {
        let report = run_json(&path);
        for (key, written) in promises(&head(&path)) {
            let value = find(&report, &key).as_f64();
            let value = value.unwrap_or_else(|| panic!("{}: run.json has no number {key}", path.display()));
            let digits = written.split_once('.').map_or(0, |(_, digits)| digits.len());
            assert_eq!(format!("{value:.digits$}"), written, "{}: {key}", path.display());
        }
        let requests = &report["requests"];
        assert_eq!(requests["arrived"], requests["completed"], "{}: nobody is lost", path.display());
    }
}

fn burst(name: &str) -> PathBuf {
    repository().join("configs").join(format!("burst-{name}.yaml"))
}

/// The load and the fleet are the same, so that only the policy makes the difference.
#[test]
fn the_bursts_differ_in_their_policy_alone() {
    let bare = |name: &str| {
        let mut scenario = load(&burst(name));
        for manager in scenario.applications.iter_mut().filter_map(|application| application.scaling.as_mut())
        {
            manager.policies.clear();
            // As often as each policy asks for.
            manager.scrape_interval = ebbflow_actors::SimDuration::from_secs(1);
        }
        format!("{:?}", Scenario { name: String::new(), resolved: String::new(), ..scenario })
    };
    assert_eq!(bare("hpa"), bare("kpa"));
    assert_eq!(bare("hpa"), bare("token-aware"));
}

#[test]
fn of_the_bursts_only_knatives_autoscaler_keeps_both_objectives_and_the_token_aware_one_is_cheapest() {
    let [hpa, kpa, tokens] = ["hpa", "kpa", "token-aware"].map(|name| run_json(&burst(name)));
    let met = |report: &Value| report["slo"]["met"].as_bool().unwrap();
    assert_eq!([met(&hpa), met(&kpa), met(&tokens)], [false, true, false]);
    let usd = |report: &Value| find(report, "cost.usd.total").as_f64().unwrap();
    assert!(usd(&tokens) < usd(&kpa) && usd(&kpa) < usd(&hpa));
}

#[test]
fn the_page_beside_the_scenarios_names_each_of_them() {
    let page = fs::read_to_string(repository().join("configs/README.md")).unwrap();
    for path in in_folder("configs") {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        assert!(page.contains(&format!("| [{name}]({name}) |")), "{name}");
    }
}
