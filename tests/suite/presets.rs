//! Presets after published traces, in whole runs.

use ebbflow::scenario::WorkloadSource;
use ebbflow::workload::preset_names;

use crate::support::run::{application, run, run_scenario, sequential};
use crate::support::scenarios::scenario;

const FLEET: &str = "\
cluster: {servers: [{sku: dgx-h100, count: 2}]}
applications: [{model_architecture: LLaMA, model_size: 70B, scheduler: jsq, scaling_manager: {}}]
start_state: {state_type: baseline, instance: {instance_type: vllm}}
";

#[test]
fn a_resolved_preset_runs_again_to_the_same_digest() {
    for name in preset_names() {
        let text = format!("{FLEET}workload: {{preset: {name}, requests: 60, rate: 4}}\n");
        let first = scenario(&text);
        let again = scenario(&first.resolved);
        assert_eq!(first.workload, again.workload, "{name}");
        let digest = |scenario| run_scenario(scenario, &sequential()).digest;
        assert_eq!(digest(&first), digest(&again), "{name}");
    }
}

#[test]
fn engines_find_in_their_caches_what_requests_of_a_preset_share() {
    let results = run(&format!("{FLEET}workload: {{preset: mooncake-agent, requests: 300, rate: 1}}\n"));
    let cached = application(&results)
        .requests
        .iter()
        .filter(|ended| ended.request.journal.cached_tokens >= 512)
        .count();
    // Tools alone, 52 % of all, share 2,560 tokens and more; every chat shares 512.
    assert!(cached > 200, "{cached} of 300");
}

#[test]
fn a_number_is_the_mean_of_a_preset_whose_hours_stay_and_a_list_is_the_rate() {
    let rates = |workload: &str| {
        let scenario = scenario(&format!("{FLEET}workload: {workload}\n"));
        let WorkloadSource::Synthetic(spec) = scenario.workload.source else { panic!("it is generated") };
        match spec.arrivals {
            ebbflow::scenario::Arrivals::Gamma { rate, .. } => {
                rate.into_iter().map(|piece| piece.1).collect()
            }
            ebbflow::scenario::Arrivals::Uniform { rate } => vec![rate],
            other => panic!("{other:?}"),
        }
    };
    let hours: Vec<f64> = rates("{preset: azure24-conv, requests: 5, rate: 2}");
    assert_eq!(hours.len(), 169);
    assert!((hours[..168].iter().sum::<f64>() / 168.0 - 2.0).abs() < 1e-9);
    assert_eq!(rates("{preset: azure24-conv, requests: 5, rate: [{at: 0, rate: 2}]}"), [2.0]);
    assert_eq!(rates("{preset: azure24-conv, requests: 5, arrivals: uniform}"), [45.15]);
    assert_eq!(rates("{preset: azure-conv, requests: 5, rate: 2}"), [2.0]);
}

#[test]
fn what_the_workload_says_of_conversations_takes_the_place_of_those_of_a_preset() {
    for named in [
        "sessions: {turns: 2, think_time: 1}",
        "clients: {count: 3, think_time: 1}",
        "prefix_groups: {count: 3, tokens: 512}",
    ] {
        let read = scenario(&format!("{FLEET}workload: {{preset: mooncake-conv, requests: 5, {named}}}\n"));
        let notes = read.notes.join("\n");
        assert!(notes.contains("of the preset mooncake-conv give way"), "{named}: {notes}");
        let WorkloadSource::Synthetic(spec) = read.workload.source else { panic!("it is generated") };
        assert_eq!(spec.preset, None, "{named}");
    }
}
