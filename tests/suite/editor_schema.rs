//! The JSON Schema of scenarios says what the reader of scenarios does, and the table of keys.

use std::collections::BTreeSet;
use std::fs;

use ebbflow::registry::Registry;
use ebbflow::schema::KeyTable;
use serde_json::{Value, json};

use crate::support::desk::{Desk, stdout};
use crate::support::repository;
use crate::support::scenarios::read;
use crate::support::schema::{Schema, parse};
use crate::support::shipped::shipped;

/// Between them these have every mapping that a scenario can have.
const EVERYTHING: [&str; 4] = [
    "\
slo: ttft.p99<2s, tbt.p90 < 100ms
cluster:
  servers: [{sku: big, count: 4, limit: 8}, {sku: dgx-h100, count: 4}]
  skus: [{name: big, gpu: h100-80gb, gpus: 8}]
  interconnects: [{link: infiniband, topology: p2p}]
  network:
    nic: {rdma: {gb_per_s: 50, per_server: 8, latency: 10us}}
    intra: {nvlink: {gb_per_s: 400, latency: 5us}}
    overlap: true
    skus: [{sku: big, nic: ethernet, intra: {pcie: {gb_per_s: 20}}}]
applications:
  - model_architecture: LLaMA
    model_size: 70B
    scheduler: {kv_jsq: {transfer_bandwidth: 100}}
    scaling_manager:
      cold_start:
        preset: vllm_a100
        provision: {uniform: {min: 20, max: 1min}}
        image_pull: {lognormal: {median: 10s, sigma: 0.5}}
        weights: {bandwidth: {gb_per_s: 2}}
        warm_up: {formula: {base: 5}}
      metrics: {delay: 500ms}
      autoscaling_policy:
        prompt: kpa
        token: {hpa: {metrics: [{metric: ongoing, target: 40}], behavior: {scale_up: {policies: [{value: 2}]}}}}
      decision_interval: {prompt: 2, token: 15s}
start_state:
  state_type: splitwise_2_2
  prompt: {num_instances: 4, max_batch_size: 64}
  token: {num_instances: 4}
performance_model: {db: {decode_key: batch_size}}
workload:
  synthetic: {prompt: {quantiles: [[0, 10], [100, 4000]]}, output: {lognormal: {mu: 5, sigma: 1, max: 900}}}
  arrivals: {gamma: {shape: 0.5}}
  rate: [{at: 0, rate: 1}, {at: 1min, rate: 0}]
  until: 2min
actions:
  - {at: 1, scale_up_full: {count: 2, tag: prompt}}
  - {at: 2, scale_down_full: {instance: 0}}
  - {at: 3, scale_up_server: {server_sku: dgx-h100}}
  - {at: 4, scale_up_instance: {server: 8, processors: [0, 1]}}
  - {at: 5, scale_down_instance: {instances: [1]}}
  - {at: 6, scale_down_server: {server: 8}, application: 0}
",
    "\
cluster: {servers: [{sku: dgx-a100, count: 2}]}
applications:
  - {model_architecture: llama2-70b, model_size: llama2-70b-fp16, scaling_manager: {}}
start_state: {state_type: orca, instance: {max_batch_size: 8}}
performance_model: {constant: {prompt_time: 0.5}}
workload: {synthetic: {prompt: 100, output: 10}, arrivals: {on_off: {mean_on: 1, mean_off: 2}}, rate: 2, requests: 9}
",
    "\
cluster: {servers: [{sku: dgx-a100, count: 2}]}
applications: [{model_architecture: llama2-70b, model_size: llama2-70b-fp16}]
workload:
  synthetic: {prompt: 100, output: 10}
  sessions:
    turns: {lognormal: {mu: 1, sigma: 1, max: 9}}
    think_time: {lognormal: {median: 2s, sigma: 1, max: 1min}}
    max_context_tokens: 4096
  clients: {count: 3, think_time: {uniform: {min: 1, max: 2}}}
  requests: 9
",
    "\
cluster: {servers: [{sku: dgx-a100, count: 2}]}
applications: [{model_architecture: llama2-70b, model_size: llama2-70b-fp16}]
workload: {preset: azure-conv, clients: {count: 3, think_time: {exponential: {mean: 5s}}}, prefix_groups: {count: 9, tokens: 500, zipf: 1.1}, requests: 9,
  classes: [{name: a, share: 2, priority: -1, tenant: t, slo: ttft.p99<1s, prompt: 5, output: {lognormal: {mu: 1, sigma: 1, max: 9}}}]}
",
];

fn samples() -> Vec<String> {
    let shipped = shipped().into_iter().map(|path| fs::read_to_string(path).unwrap());
    shipped.chain(EVERYTHING.map(str::to_owned)).collect()
}

/// Paths of all mappings of a value.
fn mappings(value: &Value, path: &[String], found: &mut Vec<Vec<String>>) {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(map) => {
            found.push(path.to_vec());
            map.iter().map(|(key, value)| (key.clone(), value)).collect()
        }
        Value::Array(list) => list.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    for (key, value) in inner {
        mappings(value, &[path, &[key]].concat(), found);
    }
}

/// The same scenario with something else at this path.
fn changed(yaml: &str, path: &[String], value: Value) -> String {
    let mut whole = parse(yaml);
    let mut node = &mut whole;
    for key in path {
        node = match key.parse::<usize>() {
            Ok(at) => &mut node[at],
            Err(_) => &mut node[key],
        };
    }
    *node = value;
    whole.to_string()
}

fn path(keys: &str) -> Vec<String> {
    keys.split('.').map(str::to_owned).collect()
}

/// What the reader of scenarios offers instead of a wrong word or key.
fn offered(help: Option<&str>) -> Option<BTreeSet<String>> {
    let words = help?.split_once("accepted: ")?.1;
    Some(words.split(", ").map(str::to_owned).collect())
}

#[test]
fn the_schema_that_is_shipped_is_the_one_that_is_printed() {
    let printed = stdout(&Desk::new().ebbflow(&["schema"]));
    let shipped = fs::read_to_string(repository().join("configs").join(ebbflow::schema::FILE_NAME)).unwrap();
    assert!(printed == shipped, "cargo run -- schema > configs/scenario.schema.json");
}

#[test]
fn the_schema_takes_every_scenario_that_the_reader_takes() {
    let schema = Schema::of_scenarios();
    for text in samples() {
        assert_eq!(schema.check(&text), Ok(()), "in\n{text}");
        assert!(read(&text, &[]).is_ok(), "{}\nin\n{text}", read(&text, &[]).unwrap_err());
    }
}

#[test]
fn a_key_that_the_reader_does_not_know_is_none_of_the_schema_and_what_it_offers_is() {
    // Read, and so offered, but only of use in the ancestor's own configurations.
    let unofficial = BTreeSet::from(["db_path".to_owned()]);
    let schema = Schema::of_scenarios();
    for text in samples() {
        let mut all = Vec::new();
        mappings(&parse(&text), &[], &mut all);
        for mapping in all {
            let wrong = changed(&text, &[&mapping[..], &["zzz".to_owned()]].concat(), json!(1));
            let shown = mapping.join(".");
            let refused = read(&wrong, &[]).expect_err(&shown);
            assert!(schema.check(&wrong).is_err(), "{shown}.zzz");
            let mut known = refused.problems().iter().filter(|problem| problem.path.ends_with("zzz"));
            if let Some(offered) = known.find_map(|problem| offered(problem.help.as_deref())) {
                let missing: Vec<_> = offered.difference(&schema.keys(&mapping)).cloned().collect();
                assert!(missing.iter().all(|key| unofficial.contains(key)), "{shown}: {missing:?}");
            }
        }
    }
}

#[test]
fn words_of_the_schema_are_those_of_the_reader() {
    let schema = Schema::of_scenarios();
    let words = [
        "cluster.network.nic",
        "cluster.network.intra",
        "applications.0.scheduler",
        "applications.0.model_architecture",
        "applications.0.model_size",
        "applications.0.scaling_manager.victims",
        "applications.0.scaling_manager.drain_timeout_action",
        "applications.0.scaling_manager.autoscaling_policy",
        "applications.0.scaling_manager.cold_start",
        "applications.0.scaling_manager.cold_start.preset",
        "start_state.state_type",
        "start_state.split_type",
        "start_state.prompt.instance_type",
        "performance_model",
        "performance_model.db.decode_key",
        "workload.arrivals",
        "workload.sessions.think_time",
        "workload.clients.think_time",
        "actions.0.scale_up_full.tag",
    ];
    for place in words {
        let text = EVERYTHING[if place.contains("think_time") { 2 } else { 0 }];
        let wrong = if place.contains("think_time") { json!({"zzz": {}}) } else { json!("zzz") };
        assert_same_words(&schema, place, &changed(text, &path(place), wrong));
    }
    let preset = changed(EVERYTHING[0], &path("workload"), json!({"preset": "zzz"}));
    assert_same_words(&schema, "workload.preset", &preset);
}

/// `wrong` has an unknown word at this place: what the reader offers instead are the words of the schema.
fn assert_same_words(schema: &Schema, place: &str, wrong: &str) {
    let refused = read(wrong, &[]).expect_err(place);
    assert!(schema.check(wrong).is_err(), "{place}");
    let expected = refused.problems().iter().find_map(|problem| offered(problem.help.as_deref()));
    let expected = expected.unwrap_or_else(|| panic!("{place}: nothing is offered\n{refused}"));
    let forms = schema.at(&path(place));
    let enums = forms.iter().filter_map(|form| form["enum"].as_array()).flatten();
    let mut known: BTreeSet<String> = enums.map(|word| word.as_str().unwrap().to_owned()).collect();
    // What has settings is a key as well, and may be nothing else.
    known.extend(schema.keys(&path(place)).into_iter().filter(|key| expected.contains(key)));
    if place.ends_with("model_size") {
        // The reader offers those of the architecture.
        known.retain(|size| expected.contains(size));
    }
    assert_eq!(known, expected, "{place}");
}

#[test]
fn what_is_plainly_wrong_is_refused_by_both() {
    let schema = Schema::of_scenarios();
    let wrong = [
        ("seed", json!("many")),
        ("end_time", json!(0)),
        ("end_time", json!("1 fortnight")),
        ("slo", json!("ttft.p99<2")),
        ("cluster.servers", json!([])),
        ("cluster.servers.0.count", json!(-1)),
        ("cluster.skus.0.gpus", json!(0)),
        ("applications.0.scheduler", json!({"jsq": {}, "random": {}})),
        ("applications.0.scaling_manager.scale_up_delay", json!([10])),
        ("applications.0.scaling_manager.autoscaling_policy", json!({"kpa": {"target": "lots"}})),
        ("applications.0.scaling_manager.autoscaling_policy", json!({"prompt": "heteroscale"})),
        ("applications.0.scaling_manager.autoscaling_policy", json!({"kpa": {"metric": "vibes"}})),
        ("workload.rate", json!(0)),
        ("workload.synthetic.prompt", json!(0.5)),
        ("actions.0", json!({"at": 1})),
        ("actions.0.scale_up_full.count", json!(0)),
        ("actions.1", json!({"at": 1, "scale_down_full": {}})),
    ];
    for (place, value) in wrong {
        let text = changed(EVERYTHING[0], &path(place), value.clone());
        assert!(read(&text, &[]).is_err(), "{place}: {value} is read");
        assert!(schema.check(&text).is_err(), "{place}: {value} is taken");
    }
}

#[test]
fn every_name_of_the_registry_is_taken_alone_and_with_parameters() {
    let (schema, registry) = (Schema::of_scenarios(), Registry::builtin());
    let take = |place: &str, name: &str| {
        for value in [json!(name), json!({name: {}}), json!({name: null})] {
            let text = changed(EVERYTHING[1], &path(place), value);
            assert_eq!(schema.check(&text), Ok(()), "{place}: {name}");
        }
    };
    for kind in registry.schedulers() {
        [&[kind.name], kind.aliases]
            .concat()
            .into_iter()
            .for_each(|name| take("applications.0.scheduler", name));
    }
    for kind in registry.policies().map(|known| known.kind) {
        let policy = "applications.0.scaling_manager.autoscaling_policy";
        [&[kind.name], kind.aliases].concat().into_iter().for_each(|name| take(policy, name));
    }
}

/// Keys of the schema, without what the registry brings, with the row of the table that tells of each.
fn documented_paths(schema: &Schema, node: &Value, at: &str, found: &mut BTreeSet<String>) {
    for form in schema.forms(node) {
        if form["items"].is_object() {
            documented_paths(schema, &form["items"], at, found);
        }
        for (key, inner) in form["properties"].as_object().into_iter().flatten() {
            let own = format!("{at}.{key}").trim_start_matches('.').to_owned();
            found.insert(own.clone());
            let of_registry = inner["$ref"].is_string();
            if !of_registry && !own.ends_with("scheduler") && !own.ends_with("autoscaling_policy") {
                documented_paths(schema, inner, &own, found);
            }
        }
    }
}

#[test]
fn the_table_of_keys_and_the_schema_tell_of_the_same_keys() {
    let (schema, table) = (Schema::of_scenarios(), KeyTable::read());
    let mut paths = BTreeSet::new();
    documented_paths(&schema, &schema.text, "", &mut paths);
    for row in table.rows().iter().filter(|row| !row.path.starts_with("an instance")) {
        assert!(paths.contains(&row.path), "{} is not in the schema", row.path);
    }
    let of_instances = table.rows().iter().filter(|row| row.path.starts_with("an instance"));
    let instance = of_instances.map(|row| format!("{}\n", row.meaning)).collect::<String>();
    let all: String = table.rows().iter().map(|row| format!("{} {}\n", row.path, row.meaning)).collect();
    let leads_to_a_row = |own: &str| table.rows().iter().any(|row| row.path.starts_with(own));
    for own in paths.iter().filter(|own| !leads_to_a_row(own)) {
        let (parent, key) = own.rsplit_once('.').unwrap_or(("", own));
        let rows = table.rows().iter().filter(|row| parent.starts_with(&row.path));
        let told = rows.map(|row| row.meaning.as_str()).collect::<String>();
        // Other names of pools, what the ancestor's traces are named by, and a number written out.
        let is_known = ["prefill", "decode", "mixed", "dir", "filename", "constant"].contains(&key)
            || [told.as_str(), if parent.starts_with("start_state") { &instance } else { "" }]
                .iter()
                .any(|text| has_word(text, key))
            || (["", "trace"].contains(&parent) && has_word(&all, key));
        assert!(is_known, "{own} is in the schema, and src/scenario/keys.md does not tell of it");
    }
}

fn has_word(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|found| found == word)
}

/// Paths and defaults of a node, below `at`, of mappings that `text` has or may have, and whether they are settings of
/// the engine `vllm`.
fn defaults(schema: &Schema, node: &Value, at: &str, found: &mut Vec<(String, Value, bool)>) {
    for form in schema.forms(node) {
        for (key, inner) in form["properties"].as_object().into_iter().flatten() {
            let own = format!("{at}.{key}").trim_start_matches('.').to_owned();
            if let Some(default) = inner.get("default") {
                let of_vllm = inner["description"].as_str().is_some_and(|text| text.starts_with("vllm:"));
                found.push((own.clone(), default.clone(), of_vllm));
            }
            let own = if key == "applications" { "applications.0".to_owned() } else { own };
            let inner = if key == "applications" { &inner["items"] } else { inner };
            if ["scaling_manager", "metrics", "prompt", "token", "instance", "lookup", "db", "constant"]
                .contains(&key.as_str())
                || (at.is_empty() && key != "trace")
            {
                defaults(schema, inner, &own, found);
            }
        }
    }
}

#[test]
fn a_scenario_that_spells_out_a_default_is_the_same_scenario() {
    let schema = Schema::of_scenarios();
    let mut all = Vec::new();
    defaults(&schema, &schema.text, "", &mut all);
    assert!(all.len() > 35, "{all:?}");
    let split = "\
cluster: {servers: [{sku: dgx-a100, count: 2}]}
applications: [{model_architecture: llama2-70b, model_size: llama2-70b-fp16, scaling_manager: {}}]
workload: {preset: azure-conv}
";
    for (key, default, of_vllm) in all {
        // Where a block has a short form, it is there in full.
        let block = match key.split_once('.') {
            Some(("start_state", inner)) if of_vllm && inner.starts_with("instance") => {
                "start_state: {state_type: baseline, instance: {instance_type: vllm}}"
            }
            Some(("start_state", _)) if of_vllm => {
                "start_state: {state_type: splitwise, prompt: {instance_type: vllm}, token: {instance_type: vllm}}"
            }
            Some(("start_state", inner)) if inner.starts_with("instance") => {
                "start_state: {state_type: baseline}"
            }
            Some(("start_state", _)) => "start_state: {state_type: splitwise}",
            Some(("performance_model", inner)) if inner.starts_with("lookup") => {
                "performance_model: {lookup: {}}"
            }
            Some(("performance_model", inner)) if inner.starts_with("db") => "performance_model: {db: {}}",
            Some(("performance_model", _)) => "performance_model: {constant: {}}",
            _ => "",
        };
        let base = format!("{split}{block}\n");
        let given = format!("{key}={default}");
        let plain = read(&base, &[]).unwrap_or_else(|errors| panic!("{errors}"));
        let spelt = read(&base, &[&given]).unwrap_or_else(|errors| panic!("{given}: {errors}"));
        assert_eq!(plain.resolved, spelt.resolved, "{given}");
    }
}

#[test]
fn every_key_is_explained() {
    fn unexplained(node: &Value, at: &str, found: &mut Vec<String>) {
        for (key, inner) in node["properties"].as_object().into_iter().flatten() {
            let is_explained = inner["description"].as_str().is_some_and(|text| text.len() > 3);
            if !is_explained {
                found.push(format!("{at}.{key}"));
            }
        }
        match node {
            Value::Object(map) => {
                map.iter().for_each(|(key, inner)| unexplained(inner, &format!("{at}.{key}"), found));
            }
            Value::Array(list) => list.iter().for_each(|inner| unexplained(inner, at, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    unexplained(&Schema::of_scenarios().text, "", &mut found);
    assert_eq!(found, [] as [String; 0]);
}
