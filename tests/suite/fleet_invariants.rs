//! The fleet stays sound while it scales: instances are on servers that are there, GPUs are held once, memory
//! never overflows, ids are never reused, and the log tells all of it.
//!
//! That memory is never freed twice nor allocated without room is asserted inside the model and checked by
//! these same tests in a debug build.

use std::collections::{BTreeMap, BTreeSet};

use ebbflow::ids::Tag;
use ebbflow::results::{ApplicationResults, InstanceRecord, RunResults, StatusTime, TagTime};
use ebbflow::scenario::Scenario;
use ebbflow_actors::SimTime;
use proptest::prelude::*;

use crate::support::generate::{Sample, samples};
use crate::support::run;
use crate::support::run::{application, instance};

proptest! {
    #![proptest_config(samples())]

    #[test]
    fn the_scaling_log_is_in_order_and_every_end_has_its_beginning(seed: u64) {
        let sample = Sample::run(seed);
        for application in &sample.results.applications {
            check_log(&sample.scenario, application);
        }
    }

    #[test]
    fn ids_count_up_and_are_never_reused(seed: u64) {
        let sample = Sample::run(seed);
        let mut servers: BTreeSet<String> = (0..start_servers(&sample.scenario)).map(server_name).collect();
        for application in &sample.results.applications {
            let ids: Vec<u32> = application.instances.iter().map(|instance| instance.id.0).collect();
            assert!(ids.windows(2).all(|pair| pair[0] < pair[1]), "{ids:?}");
            for (_, server) in events(application, "scale_up_server") {
                assert!(servers.insert(server.to_owned()), "{server} was there before");
            }
            let started: Vec<&str> = events(application, "scale_up_start").map(|(_, id)| id).collect();
            assert!(started.iter().collect::<BTreeSet<_>>().len() == started.len(), "{started:?}");
        }
    }

    #[test]
    fn a_server_that_left_holds_no_instance(seed: u64) {
        let sample = Sample::run(seed);
        for application in &sample.results.applications {
            for (left, server) in events(application, "scale_down_server") {
                for instance in instances_on(&sample.results, server) {
                    let gone = instance.removed.is_some_and(|removed| removed <= left);
                    assert!(gone, "{server} left at {left} with {instance:?}");
                }
            }
        }
    }

    #[test]
    fn when_all_is_done_instances_are_on_servers_that_are_there(seed: u64) {
        let sample = Sample::run(seed);
        if sample.is_cut_short() {
            return Ok(());
        }
        let servers: BTreeSet<u32> = sample.results.servers.iter().map(|server| server.0).collect();
        for application in &sample.results.applications {
            for (_, server) in events(application, "scale_down_server") {
                assert!(!servers.iter().any(|&there| server_name(there) == server), "{server} is still there");
            }
            for instance in application.instances.iter().filter(|instance| instance.removed.is_none()) {
                assert!(servers.contains(&instance.server.0), "{servers:?} without that of {instance:?}");
            }
        }
    }

    #[test]
    fn a_gpu_is_occupied_by_one_instance_at_a_time(seed: u64) {
        let sample = Sample::run(seed);
        let mut stays: BTreeMap<(u32, u32), Vec<(SimTime, SimTime)>> = BTreeMap::new();
        // Of two who asked a shared server for the same GPUs one is refused, unless the run ends before that.
        let on_its_way = |instance: &InstanceRecord| sample.is_cut_short() && instance.active.is_none();
        let all = sample.results.applications.iter().flat_map(|application| &application.instances);
        for instance in all.filter(|instance| !on_its_way(instance)) {
            let size = sku_of(&sample.scenario, instance).gpus;
            for &gpu in &instance.processors {
                assert!(gpu < size, "{instance:?}");
                let until = instance.removed.unwrap_or(SimTime::MAX);
                stays.entry((instance.server.0, gpu)).or_default().push((instance.created, until));
            }
        }
        for ((server, gpu), mut stays) in stays {
            stays.sort_unstable();
            let overlap = stays.windows(2).find(|pair| pair[0].1 > pair[1].0);
            assert_eq!(overlap, None, "GPU {gpu} of server {server}");
        }
    }

    #[test]
    fn instances_use_no_more_memory_than_they_have_and_no_less_than_the_weights(seed: u64) {
        let sample = Sample::run(seed);
        for (application, spec) in sample.results.applications.iter().zip(&sample.scenario.applications) {
            for row in &application.iterations {
                let instance = application.instances.iter().find(|record| record.id == row.instance);
                let instance = instance.expect("iterations happen on instances");
                let memory = sku_of(&sample.scenario, instance).gpu.memory_bytes;
                let capacity = memory * u64::from(instance.gpus());
                let used = row.memory_bytes;
                assert!(spec.model.weights_bytes <= used && used <= capacity, "{row:?} of {capacity}");
            }
        }
    }

    #[test]
    fn instance_seconds_are_the_sum_over_the_scaling_log_and_the_start_state(seed: u64) {
        let sample = Sample::run(seed);
        for application in &sample.results.applications {
            let recomputed = time_from_log(application, sample.results.end);
            assert_eq!(recomputed.len(), application.time.len(), "{:?}", application.time);
            for (recomputed, reported) in recomputed.iter().zip(&application.time) {
                assert!(close(recomputed, reported), "from the log {recomputed:?}, reported {reported:?}");
            }
        }
    }

    #[test]
    fn dates_of_an_instance_follow_each_other(seed: u64) {
        let sample = Sample::run(seed);
        for instance in sample.results.applications.iter().flat_map(|application| &application.instances) {
            let removed = instance.removed.unwrap_or(sample.results.end);
            let began = instance.active.unwrap_or(instance.created);
            assert!(instance.created <= began && began <= removed, "{instance:?}");
            let draining = instance.draining.unwrap_or(removed);
            assert!(instance.created <= draining && draining <= removed, "{instance:?}");
            assert!(instance.busy <= removed - began, "{instance:?}");
        }
    }
}

/// A scenario with one server, whose fleet is scaled as `actions` say.
fn scaled(manager: &str, actions: &str) -> String {
    format!(
        "cluster: {{servers: [{{sku: dgx-h100, count: 1}}]}}\n\
         applications:\n  - model_architecture: LLaMA\n    model_size: 70B\n    scheduler: jsq\n    \
         scaling_manager: {{{manager}}}\n\
         workload: {{synthetic: {{prompt: 500, output: 100}}, rate: 10, requests: 100}}\n\
         actions: [{actions}]\n"
    )
}

#[test]
fn an_instance_that_starts_at_time_zero_without_delay_serves() {
    let results = run(&scaled("scale_up_delay: 0", "{at: 0, scale_up_full: {}}"));
    let added = instance(application(&results), 1);
    assert!(added.active.is_some() && added.tasks_completed > 0, "{added:?}");
    let complete = events(application(&results), "scale_up_complete").map(|(_, target)| target);
    assert_eq!(complete.collect::<Vec<_>>(), ["instance_1"]);
}

#[test]
fn a_start_that_is_cancelled_while_the_server_boots_leaves_its_record() {
    let actions = "{at: 1, scale_up_full: {}}, {at: 3, scale_down_full: {instance: 1}}";
    let results = run(&scaled("server_boot_delay: 5", actions));
    let cancelled = instance(application(&results), 1);
    assert_eq!((cancelled.created.as_secs_f64(), cancelled.active), (1.0, None));
    assert_eq!(cancelled.draining.map(SimTime::as_secs_f64), Some(3.0));
    assert!(cancelled.removed.is_some(), "{cancelled:?}");
}

#[test]
fn a_start_that_is_cancelled_about_when_it_completes_ends_in_a_drain_or_never_was() {
    // ACTIVE at 10 s; news take 20 ms.
    for millis in (9_930..10_070).step_by(5) {
        let at = f64::from(millis) / 1e3;
        let actions =
            format!("{{at: 0, scale_up_full: {{}}}}, {{at: {at}, scale_down_full: {{instance: 1}}}}");
        let results = run(&(scaled("", &actions) + "dispatch_latency: 20ms\n"));
        let gone = instance(application(&results), 1);
        assert!(gone.removed.is_some(), "cancelled at {at}: {gone:?}");
        let left = events(application(&results), "scale_down_server").map(|(_, target)| target);
        assert_eq!(left.collect::<Vec<_>>(), ["server_1"], "cancelled at {at}");
    }
}

#[test]
fn an_instance_on_its_way_to_its_server_when_the_run_ends_has_a_record() {
    for last in ["9.9999", "9.9994", "9.998"] {
        let actions = format!("{{at: {last}, scale_up_full: {{}}}}");
        let yaml = scaled("", &actions) + "end_time: 10\n";
        let coming = run(&yaml);
        assert_eq!(application(&coming).instances.len(), 2, "asked for at {last} s");
    }
}

fn server_name(number: u32) -> String {
    format!("server_{number}")
}

fn start_servers(scenario: &Scenario) -> u32 {
    scenario.cluster.servers.iter().map(|group| group.count).sum()
}

/// Time and target of the lines with this action.
fn events<'a>(
    application: &'a ApplicationResults,
    action: &'a str,
) -> impl Iterator<Item = (SimTime, &'a str)> {
    let lines = application.scaling_log.iter().filter(move |line| line.action == action);
    lines.map(|line| (line.time, line.target.as_str()))
}

fn instances_on<'a>(results: &'a RunResults, server: &'a str) -> impl Iterator<Item = &'a InstanceRecord> {
    let all = results.applications.iter().flat_map(|application| &application.instances);
    all.filter(move |instance| server_name(instance.server.0) == server)
}

fn sku_of<'a>(scenario: &'a Scenario, instance: &InstanceRecord) -> &'a ebbflow::scenario::Sku {
    let sku = scenario.cluster.catalogue.iter().find(|sku| sku.name == instance.sku);
    sku.expect("records name known SKUs")
}

fn check_log(scenario: &Scenario, application: &ApplicationResults) {
    let log = &application.scaling_log;
    assert!(log.is_sorted_by_key(|line| line.time), "{log:#?}");
    let mut there: BTreeSet<String> = (0..start_servers(scenario)).map(server_name).collect();
    let started: BTreeSet<&str> = events(application, "scale_up_start").map(|(_, target)| target).collect();
    let names = application.instances.iter().map(|instance| format!("instance_{}", instance.id));
    there.extend(names.filter(|name| !started.contains(name.as_str())));
    let mut draining = BTreeSet::new();
    let mut starting = BTreeSet::new();
    for line in log {
        let target = line.target.clone();
        let sound = match line.action {
            "scale_up_server" | "scale_up_start" => {
                starting.insert(target.clone());
                there.insert(target)
            }
            "scale_up_complete" => starting.remove(&target),
            "scale_down_start" => there.contains(&target) && draining.insert(target),
            "scale_down_complete" => draining.contains(&target) && there.remove(&target),
            "scale_down_server" => there.remove(&target),
            "scale_down_invalid" | "scale_down_server_invalid" => true,
            other => panic!("the log has no action {other}"),
        };
        assert!(sound, "{line:?} does not follow from\n{log:#?}");
    }
}

/// The dates of an instance as the log tells them; those of the start state are ACTIVE from time 0.
#[derive(Clone, Copy, Default)]
struct Dates {
    active: Option<SimTime>,
    draining: Option<SimTime>,
    removed: Option<SimTime>,
}

fn time_from_log(application: &ApplicationResults, end: SimTime) -> Vec<TagTime> {
    let date = |action: &str, target: &str| {
        events(application, action).find(|(_, name)| *name == target).map(|(time, _)| time)
    };
    let mut sums: BTreeMap<Option<Tag>, (StatusTime, StatusTime)> = BTreeMap::new();
    for instance in &application.instances {
        let name = format!("instance_{}", instance.id);
        let started = date("scale_up_start", &name);
        let dates = Dates {
            active: started.map_or(Some(SimTime::ZERO), |_| date("scale_up_complete", &name)),
            draining: date("scale_down_start", &name),
            removed: date("scale_down_complete", &name),
        };
        let (instances, gpus) = sums.entry(instance.tag).or_default();
        add(instances, started.unwrap_or(SimTime::ZERO), dates, end, 1.0);
        add(gpus, started.unwrap_or(SimTime::ZERO), dates, end, f64::from(instance.gpus()));
    }
    sums.into_iter().map(|(tag, (instance, gpu))| TagTime { tag, instance, gpu }).collect()
}

fn add(sum: &mut StatusTime, created: SimTime, dates: Dates, end: SimTime, weight: f64) {
    let removed = dates.removed.unwrap_or(end).min(end);
    let draining = dates.draining.unwrap_or(removed);
    let active = dates.active.unwrap_or(draining);
    sum.scaling_up_s += (active - created).as_secs_f64() * weight;
    sum.active_s += (draining - active).as_secs_f64() * weight;
    sum.draining_s += (removed - draining).as_secs_f64() * weight;
}

fn close(one: &TagTime, other: &TagTime) -> bool {
    let near = |a: f64, b: f64| (a - b).abs() < 1e-6;
    let same = |a: &StatusTime, b: &StatusTime| {
        near(a.scaling_up_s, b.scaling_up_s)
            && near(a.active_s, b.active_s)
            && near(a.draining_s, b.draining_s)
    };
    one.tag == other.tag && same(&one.instance, &other.instance) && same(&one.gpu, &other.gpu)
}
