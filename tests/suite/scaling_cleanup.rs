//! The user's fourth test group: what was scaled up and down again leaves nothing behind.

use ebbflow::ids::{InstanceId, ServerId};
use ebbflow::results::RunResults;
use ebbflow::scaling::{ScalingState, StatusSummary};
use ebbflow::simulation::RunOptions;
use ebbflow_actors::Runner;

use crate::support::run::application;
use crate::support::run_with;
use crate::support::scaling::{at, fleet, manager, run_soundly, split_fleet};

/// Four servers, four instances, nothing on the way.
const START: StatusSummary = StatusSummary {
    active_instances: 4,
    scaling_up_instances: 0,
    draining_instances: 0,
    active_servers: 4,
    scaling_up_servers: 0,
    pending_server_scale_downs: 0,
    total_servers: 4,
    total_instances: 4,
};

fn up_and_down(manager: &mut ScalingState) {
    let (_, full) = manager.scale_up_full(at(1.0), None, None, None).unwrap();
    let (_, cancelled) = manager.scale_up_full(at(1.0), None, None, None).unwrap();
    let server = manager.scale_up_server(at(1.0), None).unwrap();
    let half = manager.scale_up_instance(at(1.0), server, None, None, Some(&[4, 5, 6, 7])).unwrap();
    manager.scale_down_full(at(2.0), cancelled).unwrap();
    manager.instance_drained(at(2.5), cancelled);
    for instance in [full, half] {
        manager.instance_activated(at(11.0), instance);
        manager.scale_down_full(at(12.0), instance).unwrap();
        manager.instance_drained(at(13.0), instance);
    }
}

#[test]
fn a_manager_that_took_everything_down_again_is_as_it_was() {
    let mut manager = manager("{}");
    assert_eq!(manager.get_status_summary(), START);
    for _ in 0..3 {
        up_and_down(&mut manager);
        assert_eq!(manager.get_status_summary(), START);
        assert_eq!(manager.free_servers().count(), 0);
    }
    let pools = manager.pools();
    assert_eq!(pools.len(), 1);
    assert_eq!((pools[0].active, pools[0].starting, pools[0].draining), (4, 0, 0));
}

#[test]
fn the_gpus_of_a_departed_instance_are_free_again() {
    let mut manager = manager("{}");
    for _ in 0..3 {
        manager.scale_down_instance(at(1.0), InstanceId(0)).ok();
        manager.instance_drained(at(1.0), InstanceId(0));
        let again = manager.scale_up_instance(at(2.0), ServerId(0), None, None, None).unwrap();
        manager.scale_down_instance(at(3.0), again).unwrap();
        manager.instance_drained(at(4.0), again);
    }
}

fn assert_as_at_the_start(results: &RunResults) {
    let application = application(results);
    assert_eq!(results.servers, [0, 1, 2, 3].map(ServerId), "no server is left over");
    let left = application.instances.iter().filter(|one| one.removed.is_none());
    assert_eq!(left.map(|one| one.id).collect::<Vec<_>>(), [0, 1, 2, 3].map(InstanceId));
    assert_eq!(application.status, Some(START));
    let lines = |action| application.scaling_log.iter().filter(|line| line.action == action).count();
    assert_eq!(lines("scale_up_server"), lines("scale_down_server"));
    assert_eq!(lines("scale_up_start"), lines("scale_down_start"));
    assert_eq!(lines("scale_up_start"), lines("scale_down_complete"));
}

/// Everything that can be scaled up, in several ways, is scaled down again.
const THERE_AND_BACK: [&str; 9] = [
    "{at: 5, scale_up_full: {count: 3}}",
    "{at: 5.5, scale_up_server: {}}",
    "{at: 6, scale_up_instance: {server: 7, processors: [0, 1, 2, 3]}}",
    "{at: 6, scale_up_instance: {server: 7, processors: [4, 5, 6, 7]}}",
    "{at: 7, scale_up_full: {}}",
    "{at: 9, scale_down_full: {instance: 9}}",
    "{at: 9, scale_down_full: {instance: 7}}",
    "{at: 30, scale_down_full: {instances: [4, 5, 6, 8]}}",
    "{at: 45, scale_up_full: {}}",
];

#[test]
fn a_run_that_scales_everything_down_again_ends_as_it_began() {
    let actions: Vec<&str> =
        THERE_AND_BACK.into_iter().chain(["{at: 56, scale_down_full: {instance: 10}}"]).collect();
    for text in [fleet("", 20.0, &actions), split_fleet("min_instances: 0", 20.0, &actions)] {
        assert_as_at_the_start(&run_soundly(&text));
    }
}

#[test]
fn nothing_is_left_over_when_servers_boot_and_drains_expire() {
    let settings = "server_boot_delay: 3, drain_timeout: 0.2";
    let actions: Vec<&str> =
        THERE_AND_BACK.into_iter().chain(["{at: 56, scale_down_full: {instance: 10}}"]).collect();
    assert_as_at_the_start(&run_soundly(&fleet(settings, 20.0, &actions)));
}

#[test]
fn what_still_starts_when_the_run_ends_is_recorded() {
    let yaml =
        fleet("server_boot_delay: 20", 4.0, &["{at: 5, scale_up_full: {}}", "{at: 20, scale_up_full: {}}"]);
    let options = RunOptions { runner: Runner::Sequential, ..RunOptions::default() };
    let results = run_with(&format!("end_time: 30\n{yaml}"), &options);
    let status = application(&results).status.unwrap();
    assert_eq!((status.scaling_up_servers, status.scaling_up_instances), (1, 2));
    let newcomers = &application(&results).instances[4..];
    assert_eq!(newcomers.len(), 2);
    assert!(newcomers.iter().all(|one| one.active.is_none() && one.removed.is_none()));
}
