//! Schedulers that follow prefix caches, in whole runs: what that saves, and what drains do to it.

use std::collections::BTreeMap;

use ebbflow::ids::InstanceId;
use ebbflow::request::{Fate, Request};
use ebbflow::results::{Report, RunResults};
use ebbflow_actors::TickMode;

use crate::support::run::{actors, application, run, run_with};
use crate::support::scenarios::scenario;

/// Eight instances and conversations of some turns; `actions` happen meanwhile.
fn conversations(scheduler: &str, actions: &str) -> String {
    format!(
        "cluster: {{servers: [{{sku: dgx-h100, count: 8}}]}}\n\
         applications: [{{model_architecture: LLaMA, model_size: 70B, scheduler: {scheduler}, scaling_manager: {{}}}}]\n\
         start_state: {{state_type: baseline, instance: {{instance_type: vllm}}}}\n\
         workload: {{synthetic: {{prompt: {{lognormal: {{mu: 5, sigma: 1, max: 900}}}}, output: 60}}, rate: 3, until: 120, \
         sessions: {{turns: 6, think_time: 5, max_context_tokens: 3000}}}}\n\
         actions: [{actions}]\n"
    )
}

fn requests(results: &RunResults) -> Vec<&Request> {
    let ended = &application(results).requests;
    assert!(ended.iter().all(|ended| ended.fate == Fate::Completed), "somebody was not served");
    let mut requests: Vec<&Request> = ended.iter().map(|ended| ended.request.as_ref()).collect();
    requests.sort_by_key(|request| (request.arrival, request.id));
    requests
}

fn place(request: &Request) -> InstanceId {
    request.journal.prefill.unwrap().instance
}

#[test]
fn follow_ups_find_their_conversation_where_they_are_sent() {
    let hit_rate = |scheduler| {
        let yaml = conversations(scheduler, "");
        let results = run(&yaml);
        assert!(requests(&results).len() > 1_000);
        Report::new(&results, &scenario(&yaml)).totals.engine.unwrap().all.prefix_hit_rate.unwrap()
    };
    let without = hit_rate("jsq");
    assert!(without < 0.3, "{without} by chance");
    for scheduler in ["session_sticky", "prefix_aware"] {
        let with = hit_rate(scheduler);
        assert!(with > 0.65, "{scheduler}: {with}, and {without} by chance");
    }
}

#[test]
fn conversations_leave_a_draining_instance_together_and_every_runner_agrees() {
    let drains = "{at: 40, scale_down_full: {instances: [0, 3]}}, {at: 50, scale_up_full: {count: 1}}";
    for scheduler in ["session_sticky", "prefix_aware", "power_of_two", "least_kv"] {
        let yaml = conversations(scheduler, drains);
        let results = run(&yaml);
        let drained = &application(&results).instances[0];
        let since = drained.draining.unwrap();
        assert!(drained.removed.is_some(), "{scheduler}: the drain ends");
        let mut homes: BTreeMap<u64, Vec<InstanceId>> = BTreeMap::new();
        for request in requests(&results) {
            assert!(place(request) != drained.id || request.arrival <= since, "{scheduler}: {}", request.id);
            homes.entry(request.attributes().session.unwrap().0).or_default().push(place(request));
        }
        if scheduler == "session_sticky" {
            let moves = homes.values().flat_map(|home| home.windows(2)).filter(|pair| pair[0] != pair[1]);
            let all_gone = [InstanceId(0), InstanceId(3)];
            let (gone, others): (Vec<_>, Vec<_>) = moves.partition(|pair| all_gone.contains(&pair[0]));
            assert!(!gone.is_empty() && others.is_empty(), "{gone:?}, {others:?}");
        }
        let again = run_with(&yaml, &actors(3, TickMode::Eager));
        assert_eq!((again.digest, again.arrived), (results.digest, results.arrived), "{scheduler}");
    }
}

#[test]
fn energy_by_phase_adds_up_to_all_energy() {
    let yaml = conversations("prefix_aware", "{at: 40, scale_down_full: {instances: [0]}}");
    let results = run(&yaml);
    let cost = Report::new(&results, &scenario(&yaml)).totals.cost;
    let (all, phases) = (cost.energy_kwh.unwrap(), cost.energy_by_phase_kwh.unwrap());
    let near = |found: f64, expected: f64| (found / expected - 1.0).abs() < 1e-9;
    assert!(near(all.total, phases.prefill + phases.decode + phases.idle + phases.servers));
    assert!(near(all.total, all.serving + all.starting + all.draining + all.idle));
    assert!(phases.decode > phases.prefill && phases.prefill > 0.0);
    for instance in &application(&results).instances {
        let phases = [instance.phases.prefill, instance.phases.decode];
        let iterated = phases[0].time + phases[1].time;
        assert!(iterated <= instance.busy, "{}: {iterated:?} of {:?}", instance.id, instance.busy);
        for phase in phases {
            let watts = phase.energy_j.unwrap() as f64 / phase.time.as_secs_f64() / 8.0;
            assert!((200.0..=700.5).contains(&watts), "{}: {watts} W", instance.id);
        }
    }
}
