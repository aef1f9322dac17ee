//! The user's first test group: scaling up creates servers and instances, scaling down drains and
//! removes them; in one step or step by step.

use ebbflow::ids::{InstanceId, ServerId, Tag};
use ebbflow::scaling::{Effect, InstanceConfigs, ScalingError, StatusSummary};
use ebbflow::scenario::{EngineSpec, InstanceConfig, Parallelism};
use ebbflow_actors::SimTime;

use crate::support::run::{application, instance, log_lines};
use crate::support::scaling::{
    assert_all_completed, at, deeds, empty_manager, every_gpu, fleet, lines, lines_about, manager,
    run_soundly,
};
use crate::support::scenarios::{GOOD, scenario};

// --- the state machine: operations and news in, effects out

#[test]
fn a_full_scale_up_makes_a_server_with_one_instance_on_all_its_gpus() {
    let mut manager = manager("{}");
    let (server, instance) =
        manager.scale_up_full(at(10.5), None, Some(Tag::Prompt), Some("dgx-h100")).unwrap();
    assert_eq!((server, instance), (ServerId(4), InstanceId(4)));
    let effects = manager.take_effects();
    assert_eq!(
        lines(&effects),
        ["10.5,scale_up_server,server_4,scaling_up", "10.5,scale_up_start,instance_4,scaling_up"]
    );
    let Some(Effect::StartServer { first: Some(planned), .. }) = effects.last() else {
        panic!("{effects:?}");
    };
    assert_eq!((planned.created, planned.ready_at), (at(10.5), Some(at(20.5))));
    assert_eq!(planned.processors, [0, 1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(planned.tag, Some(Tag::Prompt));
}

#[test]
fn only_an_active_instance_may_be_given_work() {
    let mut manager = manager("{}");
    let all = || (0..6).map(InstanceId);
    let (_, newcomer) = manager.scale_up_full(at(1.0), None, None, None).unwrap();
    manager.scale_down_full(at(1.0), InstanceId(2)).unwrap();
    assert!(!manager.can_schedule_to_instance(newcomer), "it is scaling_up");
    assert!(!manager.can_schedule_to_instance(InstanceId(2)), "it is draining");
    assert!(!manager.can_schedule_to_instance(InstanceId(77)), "it does not exist");
    assert_eq!(manager.get_active_instances(all()), [0, 1, 3].map(InstanceId));
    manager.instance_activated(at(11.0), newcomer);
    manager.instance_drained(at(12.0), InstanceId(2));
    assert_eq!(manager.get_active_instances(all()), [0, 1, 3, 4].map(InstanceId));
}

#[test]
fn a_full_scale_down_drains_removes_the_instance_and_then_its_server() {
    let mut manager = manager("{}");
    manager.scale_down_full(at(100.0), InstanceId(3)).unwrap();
    let effects = manager.take_effects();
    assert_eq!(lines(&effects), ["100,scale_down_start,instance_3,draining"]);
    assert_eq!(deeds(&effects), ["drain instance 3"]);
    manager.instance_drained(at(125.0), InstanceId(3));
    let effects = manager.take_effects();
    assert_eq!(
        lines(&effects),
        ["125,scale_down_complete,instance_3,scaling_down", "125,scale_down_server,server_3,scaling_down"]
    );
    assert_eq!(deeds(&effects), ["remove server 3"]);
    assert_eq!(manager.instance(InstanceId(3)), None);
}

#[test]
fn step_by_step_several_instances_share_a_server() {
    let mut manager = manager("{}");
    let server = manager.scale_up_server(at(1.0), Some("dgx-h100")).unwrap();
    assert_eq!(manager.free_servers().collect::<Vec<_>>(), [server]);
    let left = manager.scale_up_instance(at(2.0), server, None, None, Some(&[0, 1, 2, 3])).unwrap();
    let right = manager.scale_up_instance(at(2.0), server, None, None, Some(&[4, 5, 6, 7])).unwrap();
    assert_eq!(manager.free_servers().count(), 0);
    for instance in [left, right] {
        manager.instance_activated(at(12.0), instance);
        manager.scale_down_instance(at(20.0), instance).unwrap();
        let refused = manager.scale_down_server(at(20.0), server).unwrap_err();
        assert!(matches!(refused, ScalingError::HasInstances { .. }), "{refused}");
        manager.instance_drained(at(21.0), instance);
    }
    manager.take_effects();
    manager.scale_down_server(at(22.0), server).unwrap();
    let effects = manager.take_effects();
    assert_eq!(lines(&effects), ["22,scale_down_server,server_4,scaling_down"]);
    assert_eq!(deeds(&effects), ["remove server 4"]);
}

#[test]
fn a_full_scale_down_leaves_a_server_that_somebody_else_is_on() {
    let mut manager = manager("{}");
    let server = manager.scale_up_server(at(1.0), None).unwrap();
    let halves: [&[u32]; 2] = [&[0, 1, 2, 3], &[4, 5, 6, 7]];
    let [left, right] =
        halves.map(|half| manager.scale_up_instance(at(1.0), server, None, None, Some(half)).unwrap());
    for instance in [left, right] {
        manager.instance_activated(at(11.0), instance);
        manager.scale_down_full(at(12.0), instance).unwrap();
    }
    manager.take_effects();
    manager.instance_drained(at(13.0), left);
    assert_eq!(deeds(&manager.take_effects()), [] as [&str; 0]);
    manager.instance_drained(at(14.0), right);
    assert_eq!(deeds(&manager.take_effects()), ["remove server 4"]);
}

#[test]
fn new_servers_are_made_from_the_saved_configuration() {
    let text = GOOD.replace(
        "- {sku: dgx-h100, count: 4}",
        "- {sku: dgx-a100, count: 0}\n    - {sku: dgx-h100, count: 4}",
    );
    let mut manager = empty_manager(&scenario(&text), every_gpu());
    for (asked, given) in [(None, "dgx-a100"), (Some("dgx-h100"), "dgx-h100"), (Some("A100"), "A100")] {
        manager.scale_up_server(SimTime::ZERO, asked).unwrap();
        let effects = manager.take_effects();
        let Some(Effect::StartServer { sku, first: None, .. }) = effects.last() else {
            panic!("{effects:?}");
        };
        assert_eq!(sku.name, given, "asked for {asked:?}; the first one counts even with 0 servers");
    }
}

#[test]
fn a_new_instance_is_configured_by_its_tag_or_as_asked() {
    let text = GOOD.replace(
        "workload:",
        "start_state:\n  state_type: splitwise\n  prompt: {max_batch_size: 7}\n  token: {max_batch_size: 9}\nworkload:",
    );
    let scenario = scenario(&text);
    let mut manager = empty_manager(&scenario, every_gpu());
    let own = InstanceConfig { engine: EngineSpec::Default, parallelism: Parallelism::tensor(8) };
    let configs = InstanceConfigs::of(&scenario.start_state, scenario.applications[0].id);
    let (prompt, token) = (configs.for_tag(Some(Tag::Prompt)), configs.for_tag(Some(Tag::Token)));
    assert_ne!(prompt, token);
    for (tag, config, expected) in [
        (Some(Tag::Token), None, token),
        (Some(Tag::Prompt), None, prompt),
        (None, None, prompt),
        (Some(Tag::Token), Some(own), own),
    ] {
        manager.scale_up_full(SimTime::ZERO, config, tag, None).unwrap();
        let effects = manager.take_effects();
        let Some(Effect::StartServer { first: Some(planned), .. }) = effects.last() else {
            panic!("{effects:?}");
        };
        assert_eq!(planned.engine, expected.engine, "{tag:?}");
    }
}

#[test]
fn the_status_summary_counts_all_eight_kinds() {
    let mut manager = manager("{server_boot_delay: 5}");
    let (server, newcomer) = manager.scale_up_full(at(0.0), None, None, None).unwrap();
    manager.scale_up_server(at(0.0), None).unwrap();
    manager.server_is_up(server);
    manager.scale_down_full(at(1.0), InstanceId(0)).unwrap();
    manager.scale_down_instance(at(1.0), InstanceId(1)).unwrap();
    let summary = StatusSummary {
        active_instances: 2,
        scaling_up_instances: 1,
        draining_instances: 2,
        active_servers: 5,
        scaling_up_servers: 1,
        pending_server_scale_downs: 1,
        total_servers: 6,
        total_instances: 5,
    };
    assert_eq!(manager.get_status_summary(), summary);
    manager.instance_activated(at(15.0), newcomer);
    assert_eq!(manager.pools()[0].active, 3);
}

// --- whole scenarios

#[test]
fn a_scaled_up_instance_is_active_after_the_delay_and_then_serves() {
    let yaml = fleet("scale_up_delay: 10", 4.0, &["{at: 10.25, scale_up_full: {server_sku: dgx-h100}}"]);
    let results = run_soundly(&yaml);
    let application = application(&results);
    assert_all_completed(application);
    assert_eq!(
        log_lines(application),
        [
            "10.25,scale_up_server,server_4,scaling_up",
            "10.25,scale_up_start,instance_4,scaling_up",
            "20.25,scale_up_complete,instance_4,active"
        ]
    );
    let newcomer = instance(application, 4);
    assert_eq!((newcomer.created, newcomer.active, newcomer.gpus()), (at(10.25), Some(at(20.25)), 8));
    assert!(newcomer.tasks_completed > 10, "{newcomer:?}");
}

#[test]
fn a_server_boots_before_its_instance_starts() {
    let settings = "scale_up_delay: 10, server_boot_delay: 30";
    let results = run_soundly(&fleet(settings, 4.0, &["{at: 5, scale_up_full: {}}"]));
    assert_eq!(
        lines_about(application(&results), "instance_4"),
        ["5,scale_up_start,scaling_up", "45,scale_up_complete,active"]
    );
}

#[test]
fn a_busy_instance_finishes_its_work_and_leaves_at_a_drain_check() {
    let settings = "drain_check_interval: 0.7";
    let results = run_soundly(&fleet(settings, 40.0, &["{at: 30.1, scale_down_full: {instance: 2}}"]));
    let application = application(&results);
    assert_all_completed(application);
    let gone = instance(application, 2).removed.unwrap();
    let checks = (gone - at(30.1)).as_secs_f64() / 0.7;
    assert!(checks >= 1.0 && (checks - checks.round()).abs() < 1e-9, "it left after {checks} intervals");
    let removed = gone.as_secs_f64();
    assert_eq!(
        log_lines(application),
        [
            "30.1,scale_down_start,instance_2,draining".to_owned(),
            format!("{removed},scale_down_complete,instance_2,scaling_down"),
            format!("{removed},scale_down_server,server_2,scaling_down"),
        ]
    );
    assert_eq!(results.servers, [0, 1, 3].map(ServerId));
}

#[test]
fn an_idle_instance_leaves_at_the_first_look() {
    let results = run_soundly(&fleet("", 0.2, &["{at: 13.5, scale_down_full: {instance: 2}}"]));
    let gone = instance(application(&results), 2).removed.unwrap();
    assert!(gone < at(13.51), "{gone}");
}

#[test]
fn steps_up_and_down_by_hand() {
    let results = run_soundly(&fleet(
        "",
        20.0,
        &[
            "{at: 5, scale_up_server: {server_sku: dgx-h100}}",
            "{at: 6, scale_up_instance: {server: 4, processors: [0, 1, 2, 3]}}",
            "{at: 6, scale_up_instance: {server: 4, processors: [4, 5, 6, 7]}}",
            "{at: 40, scale_down_instance: {instances: [4, 5]}}",
            "{at: 50, scale_down_server: {server: 4}}",
        ],
    ));
    let application = application(&results);
    assert_all_completed(application);
    assert_eq!(
        lines_about(application, "server_4"),
        ["5,scale_up_server,scaling_up", "50,scale_down_server,scaling_down"]
    );
    assert_eq!(application.scaling.refused, 0);
    for id in [4, 5] {
        let sharer = instance(application, id);
        assert_eq!((sharer.gpus(), sharer.active), (4, Some(at(16.0))));
        assert!(sharer.tasks_completed > 0 && sharer.removed < Some(at(50.0)), "{sharer:?}");
    }
}

#[test]
fn requests_wait_while_nobody_is_active_and_are_served_as_soon_as_somebody_is() {
    let yaml = fleet("", 4.0, &["{at: 2.5, scale_up_full: {}}"])
        .replace("start_state: baseline", "start_state: unallocated");
    let results = run_soundly(&yaml);
    let application = application(&results);
    assert_all_completed(application);
    let mut early: Vec<_> = application.completed().filter(|request| request.arrival < at(12.5)).collect();
    early.sort_by_key(|request| request.arrival);
    assert!(early.len() > 40);
    for request in &early {
        assert_eq!(request.journal.scheduled, Some(at(12.501)), "{request:?}");
        assert!(request.journal.first_refusal.unwrap() < at(12.5));
    }
    let starts = early.iter().map(|request| request.journal.prefill.unwrap().start);
    assert!(starts.is_sorted(), "first come, first served");
}
