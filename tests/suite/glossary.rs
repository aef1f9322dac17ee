//! The glossary names every column and key there is, and none that is not.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::desk::{Desk, code, entries, json, stderr};
use crate::support::repository;

/// Leaves no figure without a value: objectives, prices, drains, refusals, iteration logs.
const SCENARIO: &str = "
cluster: {servers: [{sku: dgx-h100, count: 2}]}
applications:
  - model_architecture: LLaMA
    model_size: 70B
    scheduler: jsq
    scaling_manager: {autoscaling_policy: {threshold: {max_queue_length: 2}}}
start_state: {state_type: baseline, instance: {instance_type: vllm}}
end_time: 60
debug: true
slo: ttft.p99<2s
workload:
  rate: 6
  requests: 100
  synthetic: {prompt: 800, output: 150}
  classes: [{name: chat, tenant: acme, slo: ttft.p99<2s}]
actions:
  - {at: 5, scale_down_full: {instances: [0, 77]}}
";

/// Whose caches move over links.
const LINKED: &str = "
cluster: {servers: [{sku: dgx-h100, count: 2}], network: {}}
applications: [{model_architecture: LLaMA, model_size: 70B, scheduler: kv_jsq}]
start_state: splitwise
workload: {rate: 1, requests: 2, synthetic: {prompt: 800, output: 150}}
";

/// Keys whose insides are named by the data, or explained elsewhere on the page.
const OPAQUE: [&str; 7] =
    ["scenario", "notes", "inputs", "applications", "by_tag", "rejected_by_reason", "unfinished_by_stage"];

type Names = BTreeSet<String>;

/// What the page names, by the file in its headings.
fn page() -> BTreeMap<String, Names> {
    let text = fs::read_to_string(repository().join("docs/glossary.md")).unwrap();
    let mut sections: BTreeMap<String, Names> = BTreeMap::new();
    let mut section = None;
    for line in text.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            section = heading.strip_prefix('`').and_then(|heading| heading.strip_suffix('`'));
            sections.extend(section.map(|file| (file.to_owned(), Names::new())));
        }
        let name = line.strip_prefix("| `").and_then(|rest| rest.split_once("` |"));
        if let (Some(file), Some((name, _))) = (section, name) {
            let names = sections.get_mut(file).expect("a heading comes before its table");
            for name in expanded(name) {
                assert!(names.insert(name.clone()), "{name} is explained twice under {file}");
            }
        }
    }
    sections
}

/// `{a,b}_c` as `a_c` and `b_c`.
fn expanded(name: &str) -> Vec<String> {
    let Some((head, rest)) = name.split_once('{') else { return vec![name.to_owned()] };
    let (choices, tail) = rest.split_once('}').unwrap_or_else(|| panic!("{name} has no end of a brace"));
    let tails = expanded(tail);
    choices
        .split(',')
        .flat_map(|choice| tails.iter().map(move |tail| format!("{head}{choice}{tail}")))
        .collect()
}

/// The columns of every table in a folder, by its path with numbers made general.
fn tables(folder: &Path, inside: &str, found: &mut BTreeMap<String, Names>) {
    for name in entries(folder) {
        let path = folder.join(&name);
        if path.is_dir() {
            let general = if name.parse::<u32>().is_ok() { "{app}" } else { name.as_str() };
            tables(&path, &format!("{inside}{general}/"), found);
        } else if name.ends_with(".csv") {
            let place = if inside.ends_with("{app}/") { "{id}" } else { "{app}" };
            let digits = name.chars().take_while(char::is_ascii_digit).count();
            let general = if digits > 0 { format!("{place}{}", &name[digits..]) } else { name };
            found.insert(format!("{inside}{general}"), columns(&path));
        }
    }
}

fn columns(path: &Path) -> Names {
    let text = fs::read_to_string(path).unwrap();
    text.lines().next().unwrap().split(',').map(str::to_owned).collect()
}

/// The paths of all keys with a value.
fn keys(value: &Value, path: &str, found: &mut Names) {
    let own = path.rsplit('.').next().unwrap_or_default();
    match value {
        Value::Object(object) if !OPAQUE.contains(&own) => {
            let below = |key: &String| if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            object.iter().for_each(|(key, value)| keys(value, &below(key), found));
        }
        Value::Array(array) if !OPAQUE.contains(&own) => {
            array.iter().for_each(|value| keys(value, &format!("{path}[]"), found));
        }
        _ => {
            found.insert(path.to_owned());
        }
    }
}

fn json_keys(value: &Value) -> Names {
    let mut found = Names::new();
    keys(value, "", &mut found);
    found
}

/// Everything that a run and a comparison write.
fn written() -> BTreeMap<String, Names> {
    let desk = Desk::new();
    desk.write("s.yaml", SCENARIO);
    desk.write("linked.yaml", LINKED);
    let mut found = BTreeMap::new();
    for (scenario, folder) in [("linked.yaml", "linked"), ("s.yaml", "run")] {
        let run = desk.ebbflow(&["run", scenario, "--out", folder, "--quiet"]);
        assert_eq!(code(&run), 0, "{}", stderr(&run));
        tables(&desk.path(folder), "", &mut found);
    }
    found.insert("run.json".to_owned(), json_keys(&json(&desk.path("run/run.json"))));
    // The last one is left out: it knows only prompt and token instances.
    let policies = ["--policies", "none,hpa,{heteroscale: {faithful: true}}"];
    let arguments = [&["compare", "s.yaml", "--quiet", "--csv", "c.csv", "--json", "c.json"], &policies[..]];
    let compared = desk.ebbflow(&arguments.concat());
    assert_eq!(code(&compared), 0, "{}", stderr(&compared));
    found.insert("compare --csv".to_owned(), columns(&desk.path("c.csv")));
    found.insert("compare --json".to_owned(), json_keys(&json(&desk.path("c.json"))));
    found
}

#[test]
fn the_glossary_names_what_is_written_and_nothing_else() {
    let (mut named, written) = (page(), written());
    // Null without objectives, or engines that count, else their parts are named.
    for section in ["slo", "engine"] {
        named.get_mut("run.json").unwrap().remove(section);
    }
    // Of a class the parts are those of `slo`.
    let page = named.get_mut("run.json").unwrap();
    let own: Vec<String> =
        page.iter().filter(|key| key.starts_with("slo.")).map(|key| format!("classes[].{key}")).collect();
    page.remove("classes[].slo");
    page.extend(own);
    let files = |all: &BTreeMap<String, Names>| all.keys().cloned().collect::<Names>();
    assert_eq!(
        files(&named),
        files(&written),
        "the headings of docs/glossary.md are not the files there are"
    );
    for (file, names) in &written {
        let missing: Vec<_> = names.difference(&named[file]).collect();
        let gone: Vec<_> = named[file].difference(names).collect();
        assert!(missing.is_empty(), "docs/glossary.md, {file}: not explained: {missing:?}");
        assert!(gone.is_empty(), "docs/glossary.md, {file}: explained, but not written: {gone:?}");
    }
}

#[test]
fn an_application_has_the_keys_of_the_whole_run() {
    let desk = Desk::new();
    desk.write("s.yaml", SCENARIO);
    let run = desk.ebbflow(&["run", "s.yaml", "--out", "run", "--quiet"]);
    assert_eq!(code(&run), 0, "{}", stderr(&run));
    let report = json(&desk.path("run/run.json"));
    let whole = json_keys(&report);
    let mut own = json_keys(&report["applications"][0]);
    assert!(own.remove("application_id"));
    assert!(own.is_subset(&whole), "{:?}", own.difference(&whole).collect::<Vec<_>>());
}

#[test]
fn every_reason_and_stage_is_explained() {
    use ebbflow::request::{Rejection, Stage};

    let text = fs::read_to_string(repository().join("docs/glossary.md")).unwrap();
    let names = Rejection::ALL.map(Rejection::name).into_iter().chain(Stage::ALL.map(Stage::name));
    for name in names {
        assert!(text.contains(&format!("\n| `{name}` |")), "docs/glossary.md does not explain {name}");
    }
}
