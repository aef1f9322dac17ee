//! A fleet to scale: as the pure state machine inside a ScalingManager, and as a scenario.

use std::collections::BTreeSet;
use std::sync::Arc;

use ebbflow::ids::{InstanceId, ServerId, Tag};
use ebbflow::performance::{Constant, Timing};
use ebbflow::request::{Fate, Leg, Request};
use ebbflow::results::{ApplicationResults, InstanceRecord, RunResults, TagTime};
use ebbflow::scaling::{Effect, IdBlock, InstanceConfigs, PerformanceOf, ScalingState, time_by_tag};
use ebbflow::scenario::Scenario;
use ebbflow_actors::{SimDuration, SimTime};

use super::run::run;
use super::scenarios::{GOOD, scenario};

/// A time of the run.
pub fn at(seconds: f64) -> SimTime {
    SimTime::from_secs_f64(seconds).unwrap()
}

/// The time a message takes in the fleets of this file.
pub const LATENCY: SimDuration = SimDuration::from_millis(1);

// --- the state machine

/// A manager with these settings over four servers with one untagged instance each, all numbered 0 to 3.
pub fn manager(settings: &str) -> ScalingState {
    tagged_manager(settings, [None; 4])
}

/// The same, the instances with these tags.
pub fn tagged_manager(settings: &str, tags: [Option<Tag>; 4]) -> ScalingState {
    let scenario = scenario(&GOOD.replace("{}", settings));
    let mut state = empty_manager(&scenario, every_gpu());
    let sku = &scenario.cluster.servers[0].sku;
    for (id, tag) in (0..).zip(tags) {
        state.adopt_server(ServerId(id), Arc::clone(sku), scenario.applications[0].id);
        state.adopt_instance(InstanceId(id), ServerId(id), &[0, 1, 2, 3, 4, 5, 6, 7], tag);
    }
    state
}

/// The manager of a scenario's application before it has seen any server; new numbers begin with 4.
pub fn empty_manager(scenario: &Scenario, performance: PerformanceOf) -> ScalingState {
    let application = &scenario.applications[0];
    ScalingState::new(
        application.id,
        application.scaling.clone().unwrap(),
        scenario.cluster.clone(),
        application.model.clone(),
        InstanceConfigs::of(&scenario.start_state, application.id),
        performance,
        (IdBlock::new(4, 0, 1), IdBlock::new(4, 0, 1)),
    )
}

/// A performance model for instances of every kind.
pub fn every_gpu() -> PerformanceOf {
    Arc::new(|_, _| Ok(Timing::of_batches(Arc::new(Constant::new(0.1, 0.01).unwrap()))))
}

/// The log lines among effects, `time,action,target,status`.
pub fn lines(effects: &[Effect]) -> Vec<String> {
    let line = |effect: &Effect| match effect {
        Effect::Log(line) => {
            Some(format!("{},{},{},{}", line.time.as_secs_f64(), line.action, line.target, line.status))
        }
        _ => None,
    };
    effects.iter().filter_map(line).collect()
}

/// The effects that are neither log lines nor notes, by their name.
pub fn deeds(effects: &[Effect]) -> Vec<String> {
    let deed = |effect: &Effect| match effect {
        Effect::Log(_) | Effect::Note(_) => None,
        Effect::StartServer { server, first, .. } => {
            Some(format!("start server {server}{}", if first.is_some() { " with an instance" } else { "" }))
        }
        Effect::Place(planned) => Some(format!("start instance {}", planned.instance)),
        Effect::Drain { instance, .. } => Some(format!("drain instance {instance}")),
        Effect::CancelStart { instance, .. } => Some(format!("cancel instance {instance}")),
        Effect::StartFailed(_) => Some("tell the scheduler".to_owned()),
        Effect::RemoveServer(server) => Some(format!("remove server {server}")),
    };
    effects.iter().filter_map(deed).collect()
}

// --- scenarios

/// Four servers with one instance each, `jsq`, iterations of 100 ms (prompt) and 10 ms (decode), and
/// requests of 20 + 101 tokens (1.1 s of work) at even distances for a minute, on which these operations
/// are performed.
pub fn fleet(settings: &str, rate: f64, actions: &[&str]) -> String {
    let actions: String = actions.iter().map(|action| format!("  - {action}\n")).collect();
    format!(
        "\
cluster: {{servers: [{{sku: dgx-h100, count: 4}}]}}
applications:
  - model_architecture: llama2-70b
    model_size: llama2-70b-fp16
    scheduler: jsq
    scaling_manager: {{{settings}}}
start_state: baseline
performance_model: {{constant: {{prompt_time: 0.1, token_time: 0.01}}}}
workload:
  synthetic: {{prompt: 20, output: 101}}
  arrivals: uniform
  rate: {rate}
  until: 60
actions:
{actions}"
    )
}

/// The same with two prompt and two token instances under `kv_jsq`.
pub fn split_fleet(settings: &str, rate: f64, actions: &[&str]) -> String {
    let split = "start_state: {state_type: splitwise, prompt: {num_instances: 2}, token: {num_instances: 2}}";
    fleet(settings, rate, actions)
        .replace("start_state: baseline", split)
        .replace("scheduler: jsq", "scheduler: kv_jsq")
}

/// Runs a fleet and checks what must hold whatever was done to it.
pub fn run_soundly(yaml: &str) -> RunResults {
    let results = run(yaml);
    for application in &results.applications {
        assert_sound(application, &results);
    }
    results
}

/// What must hold in every run: nobody is lost, nobody who is not ACTIVE gets work, no GPU is used twice,
/// no number either, and the instance-seconds are those of the records.
pub fn assert_sound(application: &ApplicationResults, results: &RunResults) {
    assert_eq!(application.requests.len() as u64, results.arrived, "requests are accounted for");
    for ended in &application.requests {
        assert_work_only_at_active_instances(application, &ended.request);
    }
    for (position, one) in application.instances.iter().enumerate() {
        assert_eq!(one.id.0 as usize, position, "every instance that ever was has one record");
        let gpus: u32 = contemporaries(application, one).map(|other| other.gpus()).sum();
        assert!(gpus <= 8, "{gpus} GPUs of server {} are in use when instance {} starts", one.server, one.id);
        assert!(one.removed.is_some() || results.servers.contains(&one.server), "{one:?} has no server");
    }
    for action in ["scale_up_server", "scale_up_start", "scale_up_complete", "scale_down_complete"] {
        let targets = application.scaling_log.iter().filter(|line| line.action == action);
        let targets: Vec<&str> = targets.map(|line| line.target.as_str()).collect();
        assert_eq!(targets.iter().collect::<BTreeSet<_>>().len(), targets.len(), "{action} twice of one");
    }
    let recorded = time_by_tag(application.instances.iter().map(InstanceRecord::life), results.end);
    assert_eq!(seconds(&application.time), seconds(&recorded), "instance-seconds of manager and records");
}

/// Instances on the same server at the moment one is created.
fn contemporaries<'a>(
    application: &'a ApplicationResults,
    one: &'a InstanceRecord,
) -> impl Iterator<Item = &'a InstanceRecord> {
    let there = |other: &&InstanceRecord| {
        other.server == one.server
            && other.created <= one.created
            && other.removed.is_none_or(|removed| removed > one.created)
    };
    application.instances.iter().filter(there)
}

fn assert_work_only_at_active_instances(application: &ApplicationResults, request: &Request) {
    let journal = &request.journal;
    let legs = [journal.prefill, journal.decode].into_iter().flatten();
    for Leg { instance, start, .. } in legs {
        let record = &application.instances[instance.0 as usize];
        let active = record.active.unwrap_or_else(|| panic!("{} never was ACTIVE and works", record.id));
        assert!(active <= start, "request {} starts on instance {instance} before it is ACTIVE", request.id);
        assert!(record.removed.is_none_or(|removed| start < removed), "request {} on a ghost", request.id);
        // A requeued request keeps its first legs, but is scheduled anew.
        if let (Some(scheduled), 0) = (journal.scheduled, journal.requeued) {
            let known = if active == SimTime::ZERO { active } else { active + LATENCY };
            assert!(known <= scheduled, "request {} is sent to {instance} before it is ACTIVE", request.id);
            let stop = record.draining.map(|draining| draining.max(known) + LATENCY);
            assert!(
                stop.is_none_or(|stop| scheduled < stop),
                "request {} is sent to draining {record:?}",
                request.id
            );
        }
    }
}

fn seconds(times: &[TagTime]) -> Vec<(Option<Tag>, [f64; 4])> {
    let row = |time: &TagTime| {
        let (one, gpu) = (time.instance, time.gpu);
        (time.tag, [one.scaling_up_s, one.active_s, one.draining_s, gpu.total_s()])
    };
    times.iter().map(row).collect()
}

/// Every request of a run was served in full.
pub fn assert_all_completed(application: &ApplicationResults) {
    let other = application.requests.iter().find(|ended| ended.fate != Fate::Completed);
    assert!(other.is_none(), "{other:?}");
}

/// The log lines about one target.
pub fn lines_about(application: &ApplicationResults, target: &str) -> Vec<String> {
    let lines = application.scaling_log.iter().filter(|line| line.target == target);
    lines.map(|line| format!("{},{},{}", line.time.as_secs_f64(), line.action, line.status)).collect()
}

/// The details of events of one kind, with their targets.
pub fn events(application: &ApplicationResults, event: &str) -> Vec<String> {
    let events = application.scaling_events.iter().filter(|fact| fact.event == event);
    events.map(|fact| format!("{}: {}", fact.target, fact.detail)).collect()
}
