//! The ancestor's defects in scaling, one test each: every one of them fails on what the ancestor does
//! (splitwise-DRL).

use ebbflow::ids::{InstanceId, ServerId, Tag};
use ebbflow::performance::{LookupKey, splitwise_2023};
use ebbflow::registry::Registry;
use ebbflow::results::StatusTime;
use ebbflow::scaling::ScalingError;
use ebbflow::scenario::{InstanceConfig, Sku};
use ebbflow_actors::SimTime;

use crate::support::run::{application, instance};
use crate::support::scaling::{
    assert_all_completed, at, deeds, empty_manager, events, fleet, lines_about, manager, run_soundly,
    split_fleet, tagged_manager,
};
use crate::support::scenarios::{GOOD, scenario};

// 19
#[test]
fn an_idle_instance_that_is_scaled_down_in_full_takes_its_server_along() {
    let yaml = fleet("", 1.0, &["{at: 80, scale_down_full: {instance: 3}}"]);
    let results = run_soundly(&yaml);
    assert_eq!(results.servers, [0, 1, 2].map(ServerId));
    assert_eq!(application(&results).status.unwrap().pending_server_scale_downs, 0);
}

// 20
#[test]
fn a_refused_full_scale_down_does_not_doom_the_server_later() {
    let mut manager = manager("{min_instances: 4}");
    manager.scale_down_full(at(1.0), InstanceId(0)).unwrap_err();
    assert_eq!(manager.get_status_summary().pending_server_scale_downs, 0);
    let (_, newcomer) = manager.scale_up_full(at(1.0), None, None, None).unwrap();
    manager.instance_activated(at(11.0), newcomer);
    manager.scale_down_instance(at(12.0), InstanceId(0)).unwrap();
    manager.scale_down_full(at(12.0), InstanceId(0)).unwrap_err();
    manager.take_effects();
    manager.instance_drained(at(13.0), InstanceId(0));
    assert_eq!(deeds(&manager.take_effects()), [] as [&str; 0], "server 0 stays");
}

// 21
#[test]
fn an_occupied_server_is_not_removed() {
    let actions = ["{at: 10, scale_down_server: {server: 1}}", "{at: 11, scale_up_instance: {server: 1}}"];
    let results = run_soundly(&fleet("", 4.0, &actions));
    let application = application(&results);
    assert_all_completed(application);
    assert_eq!(lines_about(application, "server_1"), ["10,scale_down_server_invalid,has_instances"]);
    assert_eq!(results.servers.len(), 4);
    assert_eq!(application.instances.len(), 4, "its GPUs are taken, too");
}

// 22
#[test]
fn the_number_of_a_server_or_instance_is_never_given_again() {
    let actions = [
        "{at: 10, scale_down_full: {instance: 3}}",
        "{at: 20, scale_up_full: {}}",
        "{at: 35, scale_down_full: {instance: 4}}",
        "{at: 45, scale_up_full: {}}",
    ];
    let results = run_soundly(&fleet("", 4.0, &actions));
    assert_eq!(results.servers, [0, 1, 2, 5].map(ServerId));
    let ups = application(&results).scaling_log.iter().filter(|line| line.action == "scale_up_server");
    assert_eq!(ups.map(|line| line.target.as_str()).collect::<Vec<_>>(), ["server_4", "server_5"]);
}

// 23, 24
#[test]
fn no_scheduler_sends_work_to_an_instance_that_is_not_active() {
    let actions = [
        "{at: 5, scale_up_full: {count: 2, tag: prompt}}",
        "{at: 5, scale_up_full: {count: 2, tag: token}}",
        "{at: 9, scale_down_full: {instances: [4, 0]}}",
        "{at: 16, scale_down_full: {instances: [2]}}",
        "{at: 16, scale_up_full: {count: 2, tag: token}}",
        "{at: 20, scale_down_full: {instances: [6, 7]}}",
    ];
    for kind in Registry::builtin().schedulers() {
        let text = split_fleet("min_instances: 1", 30.0, &actions)
            .replace("scheduler: kv_jsq", &format!("scheduler: {}", kind.name))
            .replace("until: 60", "until: 30");
        let results = run_soundly(&text);
        let application = application(&results);
        assert_all_completed(application);
        let drained = application.instances.iter().filter(|one| one.removed.is_some()).count();
        assert!(drained >= 5, "{}: {drained} drains ended while load went on", kind.name);
        let helped = application.instances[5..].iter().any(|one| one.tasks_completed > 0);
        assert!(helped, "{}: newcomers serve once they are ACTIVE", kind.name);
        println!("{}: {} requests", kind.name, application.requests.len());
    }
}

// 25
#[test]
fn an_instance_is_not_removed_while_work_for_it_is_on_the_way() {
    // The only prompt runs on instance 0 until 5.1 s; instance 2 has been promised its decode.
    let yaml = split_fleet("", 10.0, &["{at: 0.19, scale_down_full: {instance: 2}}"])
        .replace("prompt_time: 0.1", "prompt_time: 5")
        .replace("until: 60", "until: 0.15");
    let results = run_soundly(&yaml);
    let application = application(&results);
    assert_all_completed(application);
    let decode = application.completed().next().unwrap().journal.decode.unwrap();
    assert_eq!(decode.instance, InstanceId(2));
    assert!(instance(application, 2).removed > decode.end);
    assert!(results.servers.len() == 3);
}

// 26
#[test]
fn a_drain_can_be_bounded() {
    let yaml = |settings| {
        fleet(settings, 2.0, &["{at: 10.1, scale_down_full: {instance: 0}}"])
            .replace("output: 101", "output: 20001")
            .replace("until: 60", "until: 12")
    };
    let drain_s = |settings| {
        let results = run_soundly(&yaml(settings));
        let drained = instance(application(&results), 0);
        (drained.removed.unwrap() - drained.draining.unwrap()).as_secs_f64()
    };
    assert!(drain_s("") > 100.0);
    assert!(drain_s("drain_timeout: 5") < 7.0);
}

// 27
#[test]
fn the_status_summary_includes_the_start_state() {
    let summary = manager("{}").get_status_summary();
    assert_eq!((summary.active_instances, summary.active_servers), (4, 4));
    assert_eq!((summary.total_instances, summary.total_servers), (4, 4));
}

// 29
#[test]
fn a_full_scale_up_is_all_or_nothing() {
    // The built-in table has no figures for this model on this GPU, so the instance step must fail.
    let text = GOOD.replace("- {sku: dgx-h100, count: 4}", "- {sku: dgx-h100, count: 4}\n    - {sku: odd, count: 0}")
        .replace("applications:", "  skus:\n    - {name: odd, gpu: h200-141gb, gpus: 8, gpu_memory_gib: 141, idle_power_w: 1}\napplications:");
    let model = scenario(GOOD).applications[0].model.name.clone();
    let performance = move |sku: &Sku, instance: InstanceConfig| {
        let key = LookupKey::new(&model, &sku.gpu.name, instance.parallelism.tensor);
        let found = splitwise_2023().lookup(&key, ebbflow::performance::DecodeKey::BatchSize)?;
        Ok(ebbflow::performance::Timing::of_batches(std::sync::Arc::new(found)))
    };
    let mut manager = empty_manager(&scenario(&text), std::sync::Arc::new(performance));
    let before = manager.get_status_summary();
    let error = manager.scale_up_full(at(1.0), None, None, Some("odd")).unwrap_err();
    assert!(matches!(error, ScalingError::NoPerformance(_)), "{error}");
    assert_eq!(manager.get_status_summary(), before);
    assert!(manager.take_effects().is_empty(), "no server, no line, no number spent");
    let (server, _) = manager.scale_up_full(at(1.0), None, None, None).unwrap();
    assert_eq!(server, ServerId(4));
}

// 30
#[test]
fn not_everybody_can_be_drained() {
    let yaml = fleet("", 4.0, &["{at: 10, scale_down_full: {instances: [0, 1, 2, 3]}}"]);
    let results = run_soundly(&yaml);
    let application = application(&results);
    assert_all_completed(application);
    assert_eq!(lines_about(application, "instance_3"), ["10,scale_down_invalid,active"]);
    assert!(events(application, "refused")[0].contains("min_instances is 1"));
}

// 33
#[test]
fn whole_server_start_states_work_with_a_manager() {
    for state in ["baseline", "orca"] {
        let yaml =
            fleet("", 4.0, &["{at: 10, scale_up_full: {}}", "{at: 30, scale_down_full: {instance: 0}}"])
                .replace("start_state: baseline", &format!("start_state: {state}"));
        assert_all_completed(application(&run_soundly(&yaml)));
    }
}

// 35
#[test]
fn the_time_of_start_state_instances_counts_from_the_start() {
    let tags = [Some(Tag::Prompt), None, None, None];
    let mut manager = tagged_manager("{min_instances: 0}", tags);
    let prompt = |manager: &ebbflow::scaling::ScalingState, now: SimTime| {
        let times = manager.instance_time(now);
        times.into_iter().find(|time| time.tag == Some(Tag::Prompt)).unwrap()
    };
    assert_eq!(prompt(&manager, at(27.7)).instance.active_s, 27.7);
    manager.scale_down_full(at(30.0), InstanceId(0)).unwrap();
    let draining = StatusTime { scaling_up_s: 0.0, active_s: 30.0, draining_s: 10.0 };
    assert_eq!(prompt(&manager, at(40.0)).instance, draining, "what was ACTIVE time stays ACTIVE time");
    manager.instance_drained(at(42.0), InstanceId(0));
    let gone = StatusTime { draining_s: 12.0, ..draining };
    assert_eq!(prompt(&manager, at(1000.0)).instance, gone, "SCALING_DOWN is free");
    assert_eq!(prompt(&manager, at(1000.0)).gpu.active_s, 240.0);
}
