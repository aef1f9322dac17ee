//! Workloads that wait for answers, in whole runs: sessions that go on, clients that ask one request at a time.

use std::collections::BTreeMap;

use ebbflow::request::{Fate, Request};
use ebbflow::results::{Report, RunResults};
use ebbflow::simulation;
use ebbflow::{registry::Registry, workload};
use ebbflow_actors::{SimDuration, SimTime};

use crate::support::run::{application, run, sequential};
use crate::support::scenarios::{read, scenario};

const FLEET: &str = "\
cluster: {servers: [{sku: dgx-h100, count: 2}]}
applications: [{model_architecture: LLaMA, model_size: 70B, scheduler: jsq, scaling_manager: {}}]
";

fn of(workload: &str) -> RunResults {
    run(&format!("{FLEET}workload: {workload}\n"))
}

/// All requests, by arrival.
fn requests(results: &RunResults) -> Vec<&Request> {
    let mut all: Vec<&Request> =
        application(results).requests.iter().map(|ended| ended.request.as_ref()).collect();
    all.sort_by_key(|request| (request.arrival, request.id));
    all
}

/// The turns of each session, in order.
fn sessions(results: &RunResults) -> BTreeMap<u64, Vec<&Request>> {
    let mut sessions: BTreeMap<u64, Vec<&Request>> = BTreeMap::new();
    for request in requests(results) {
        sessions.entry(request.attributes().session.unwrap().0).or_default().push(request);
    }
    sessions
}

const SESSIONS: &str = "{synthetic: {prompt: {lognormal: {mu: 5, sigma: 1, max: 900}}, output: 30}, rate: 1, until: 200, \
                        sessions: {turns: {lognormal: {mu: 1, sigma: 0.7, max: 9}}, think_time: 4, max_context_tokens: 1500}}";

#[test]
fn the_next_turn_arrives_when_its_user_has_thought_about_the_answer() {
    let results = of(SESSIONS);
    let sessions = sessions(&results);
    assert!(sessions.values().any(|turns| turns.len() > 3));
    for turns in sessions.values() {
        for pair in turns.windows(2) {
            let (before, after) = (pair[0], pair[1]);
            assert_eq!(after.arrival, before.completion().unwrap() + SimDuration::from_secs(4));
            assert!(after.prompt_tokens > before.prompt_tokens + before.output_tokens);
            let (known, all) = (&before.attributes().prefix, &after.attributes().prefix);
            assert_eq!(known[..], all[..known.len()]);
        }
        assert!(turns.iter().all(|turn| turn.prompt_tokens + turn.output_tokens <= 1500));
    }
}

#[test]
fn clients_have_one_request_on_its_way_each() {
    let results = of("{synthetic: {prompt: 800, output: 40}, clients: 7, requests: 300}");
    let mut changes: Vec<(SimTime, i32)> = Vec::new();
    for request in requests(&results) {
        changes.extend([(request.arrival, 1), (request.completion().unwrap(), -1)]);
    }
    changes.sort_unstable();
    let mut asking = 0;
    let most = changes.iter().map(|(_, change)| {
        asking += change;
        asking
    });
    assert_eq!(most.max(), Some(7));
    assert_eq!(results.arrived, 300);
}

#[test]
fn without_a_pause_a_client_asks_again_as_soon_as_the_answer_can_have_come() {
    let results = of("{synthetic: {prompt: 800, output: 40}, clients: 1, requests: 5}");
    // From the instance to its scheduler, and from there to the client: two messages.
    let latency = SimDuration::from_millis(2);
    for pair in requests(&results).windows(2) {
        assert_eq!(pair[1].arrival, pair[0].completion().unwrap() + latency);
    }
}

#[test]
fn who_was_refused_asks_again_and_a_session_that_was_refused_is_over() {
    // Prompts of 400,000 tokens fit nowhere.
    let prompts = "{quantiles: [[0, 50], [60, 500], [61, 400000], [100, 400000]]}";
    let results = of(&format!("{{synthetic: {{prompt: {prompts}, output: 10}}, clients: 3, requests: 60}}"));
    let refused = application(&results).requests.iter().filter(|ended| ended.fate != Fate::Completed).count();
    assert_eq!(results.arrived, 60);
    assert!(refused > 5);
    let results = of(&format!(
        "{{synthetic: {{prompt: {prompts}, output: 10}}, rate: 2, requests: 90, sessions: {{turns: 5, think_time: 1}}}}"
    ));
    for turns in sessions(&results).values() {
        let refused = turns.iter().position(|turn| turn.completion().is_none());
        assert!(refused.is_none_or(|place| place + 1 == turns.len()));
    }
}

#[test]
fn a_drain_that_sends_requests_back_ends_none_of_them() {
    let text = format!(
        "{FLEET}workload: {{synthetic: {{prompt: 800, output: 400}}, clients: 30, requests: 200}}\n\
         actions: [{{at: 5, scale_down_full: {{instance: 0}}}}]\n"
    )
    .replace("scaling_manager: {}", "scaling_manager: {drain_timeout: 1, drain_timeout_action: requeue}");
    let results = run(&text);
    let requeued = application(&results).requests.iter().filter(|ended| ended.request.journal.requeued > 0);
    assert!(requeued.count() > 0);
    assert_eq!(results.arrived, 200);
    assert!(application(&results).requests.iter().all(|ended| ended.fate == Fate::Completed));
}

#[test]
fn a_resolved_scenario_says_who_waits() {
    for workload in [
        SESSIONS,
        "{preset: azure-conv, requests: 9, clients: {count: 4, think_time: {exponential: {mean: 2}}}}",
    ] {
        let first = scenario(&format!("{FLEET}workload: {workload}\n"));
        let again = scenario(&first.resolved);
        assert_eq!(first.workload, again.workload);
        assert_eq!(first.resolved, again.resolved);
    }
}

#[test]
fn each_class_is_counted_judged_and_added_up_by_tenant() {
    let text = format!(
        "{FLEET}workload:\n  {{synthetic: {{prompt: 300, output: 20}}, rate: 20, requests: 400, classes: [\
         {{name: chat, share: 3, tenant: acme, slo: ttft.p99<5s}}, {{name: batch, priority: 9, tenant: acme, output: 60}}, \
         {{name: rare, share: 0.001, slo: e2e.mean<1ms}}]}}\n"
    );
    let (scenario, results) = (scenario(&text), run(&text));
    let report = Report::new(&results, &scenario);
    let names: Vec<&str> = report.classes.iter().map(|class| class.class.as_str()).collect();
    assert_eq!(names, ["chat", "batch", "rare"]);
    let arrived: u64 = report.classes.iter().map(|class| class.figures.requests.arrived).sum();
    assert_eq!(arrived, 400);
    let [chat, batch, rare] = &report.classes[..] else { panic!("there are three") };
    assert!((250..350).contains(&chat.figures.requests.arrived));
    assert_eq!(batch.figures.output_tokens, 60 * batch.figures.requests.completed);
    assert_eq!((batch.priority, &batch.slo), (9, &None));
    let judged = chat.slo.as_ref().unwrap();
    assert_eq!((judged.met, judged.attainment), (true, Some(1.0)));
    assert!(!rare.slo.as_ref().unwrap().met && !report.keeps_objectives());
    let [acme] = &report.tenants[..] else { panic!("there is one tenant") };
    let both = chat.figures.requests.completed + batch.figures.requests.completed;
    assert_eq!((acme.tenant.as_str(), acme.figures.requests.completed), ("acme", both));
    assert!(report.totals.figures.ttft_s.max >= acme.figures.ttft_s.max);
}

#[test]
fn classes_change_no_length_and_no_arrival_but_their_own() {
    let plain =
        "{synthetic: {prompt: {lognormal: {mu: 5, sigma: 1, max: 900}}, output: 30}, rate: 5, requests: 50";
    let lengths = |results: &RunResults| -> Vec<_> {
        requests(results).iter().map(|request| (request.arrival, request.prompt_tokens)).collect()
    };
    let classes = ", classes: [{name: a}, {name: b, output: 7}]}";
    assert_eq!(lengths(&of(&format!("{plain}}}"))), lengths(&of(&format!("{plain}{classes}"))));
}

#[test]
fn a_policy_that_sees_the_future_is_refused_where_there_is_none() {
    let text = format!("{FLEET}workload: {SESSIONS}\n")
        .replace("scaling_manager: {}", "scaling_manager: {autoscaling_policy: oracle}");
    let scenario = read(&text, &[]).unwrap();
    let workload = workload::open(&scenario.workload, &[scenario.applications[0].id], 0).unwrap();
    let refused = simulation::run(&scenario, workload, &Registry::builtin(), &sequential()).unwrap_err();
    assert!(refused.to_string().contains("depend on answers that nobody knows yet"), "{refused}");
}
