//! The user's third test group: what is missing, impossible or refused. Starts that are cancelled and
//! drains that take long belong to it, too: `scaling_cancelled_starts`, `scaling_long_drains`.

use std::sync::Arc;

use ebbflow::ids::{ApplicationId, InstanceId, ServerId};
use ebbflow::scaling::{ScalingError, ScalingState};

use crate::support::run::{application, log_lines};
use crate::support::scaling::{
    assert_all_completed, at, deeds, empty_manager, events, every_gpu, fleet, manager, run_soundly,
};
use crate::support::scenarios::{GOOD, scenario};

/// Does something that must be refused; nothing may have changed.
fn refused<T: std::fmt::Debug>(
    manager: &mut ScalingState,
    operation: impl FnOnce(&mut ScalingState) -> Result<T, ScalingError>,
) -> ScalingError {
    manager.take_effects();
    let before = (manager.get_status_summary(), manager.counts(), manager.pools());
    let error = operation(manager).unwrap_err();
    assert_eq!((manager.get_status_summary(), manager.counts(), manager.pools()), before, "{error}");
    assert!(manager.take_effects().is_empty(), "{error}");
    error
}

// --- configuration missing, server or instance impossible

#[test]
fn without_any_server_configuration_nothing_can_be_scaled_up() {
    let mut scenario = scenario(GOOD);
    scenario.cluster.servers.clear();
    let mut manager = empty_manager(&scenario, every_gpu());
    let error = refused(&mut manager, |manager| manager.scale_up_full(at(1.0), None, None, None));
    assert!(matches!(error, ScalingError::NoServerConfiguration));
    let error = refused(&mut manager, |manager| manager.scale_up_server(at(1.0), None));
    assert!(error.to_string().contains("`cluster.servers`"), "{error}");
}

#[test]
fn an_unknown_sku_is_refused_and_the_known_ones_are_named() {
    let error =
        refused(&mut manager("{}"), |manager| manager.scale_up_full(at(1.0), None, None, Some("dgx-b300")));
    let text = error.to_string();
    assert!(text.starts_with("server configuration for `dgx-b300` not found"), "{text}");
    assert_eq!(text.matches("dgx-h100,").count(), 1, "each one once: {text}");
}

#[test]
fn where_the_instance_cannot_be_the_server_is_not_made_either() {
    let error = refused(&mut manager("{}"), |manager| {
        manager.scale_up_full(at(1.0), None, None, Some("h100-80gb-x1"))
    });
    assert!(matches!(error, ScalingError::DoesNotFit(_)), "{error}");
}

#[test]
fn processors_must_exist_be_free_and_hold_the_model() {
    let mut manager = manager("{}");
    let server = manager.scale_up_server(at(1.0), None).unwrap();
    manager.scale_up_instance(at(1.0), server, None, None, Some(&[0, 1, 2, 3])).unwrap();
    let mut with = |processors: Option<&[u32]>| {
        refused(&mut manager, |manager| manager.scale_up_instance(at(2.0), server, None, None, processors))
    };
    assert!(matches!(with(Some(&[3, 4])), ScalingError::GpuTaken { gpu: 3, holder: InstanceId(4), .. }));
    assert!(matches!(with(None), ScalingError::GpuTaken { gpu: 0, .. }));
    assert!(matches!(with(Some(&[7, 8])), ScalingError::NoSuchGpu { gpu: 8, gpus: 8, .. }));
    assert!(matches!(with(Some(&[4, 4])), ScalingError::BadProcessors));
    assert!(matches!(with(Some(&[])), ScalingError::BadProcessors));
    assert!(matches!(with(Some(&[4])), ScalingError::GpusTooSmall { gpus: 1, .. }));
}

#[test]
fn a_placement_that_a_server_turns_down_leaves_nothing_behind() {
    let mut manager = manager("{}");
    let server = manager.scale_up_server(at(1.0), None).unwrap();
    let before = manager.get_status_summary();
    let instance = manager.scale_up_instance(at(1.0), server, None, None, None).unwrap();
    manager.take_effects();
    manager.placement_refused(at(1.1), instance, "the GPU fell off the bus");
    assert_eq!(manager.get_status_summary(), before);
    assert_eq!(deeds(&manager.take_effects()), ["tell the scheduler"]);
    assert_eq!(manager.free_servers().collect::<Vec<_>>(), [server]);
    assert!(manager.instance_time(at(9.0)).iter().all(|time| time.instance.scaling_up_s == 0.0));
}

#[test]
fn a_server_of_another_application_is_left_alone() {
    let scenario = scenario(GOOD);
    let mut manager = empty_manager(&scenario, every_gpu());
    let sku = Arc::clone(&scenario.cluster.servers[0].sku);
    manager.adopt_server(ServerId(0), sku, ApplicationId(1));
    for error in [
        refused(&mut manager, |manager| manager.scale_down_server(at(1.0), ServerId(0))),
        refused(&mut manager, |manager| manager.scale_up_instance(at(1.0), ServerId(0), None, None, None)),
    ] {
        assert!(error.to_string().starts_with("server_0 belongs to application 1"), "{error}");
    }
}

// --- unknown, gone, twice

#[test]
fn unknown_and_departed_instances_and_servers_are_told_apart() {
    let mut manager = manager("{}");
    manager.scale_down_full(at(1.0), InstanceId(3)).unwrap();
    manager.instance_drained(at(2.0), InstanceId(3));
    let down =
        |manager: &mut _, id| refused(manager, |manager| manager.scale_down_full(at(3.0), InstanceId(id)));
    let server =
        |manager: &mut _, id| refused(manager, |manager| manager.scale_down_server(at(3.0), ServerId(id)));
    assert_eq!(down(&mut manager, 3).logged_status(), "scaling_down");
    assert_eq!(down(&mut manager, 4).logged_status(), "unknown");
    assert_eq!(server(&mut manager, 3).logged_status(), "scaling_down");
    assert_eq!(server(&mut manager, 4).logged_status(), "unknown");
    assert_eq!(server(&mut manager, 0).logged_status(), "has_instances");
    let error =
        refused(&mut manager, |manager| manager.scale_up_instance(at(3.0), ServerId(3), None, None, None));
    assert!(matches!(error, ScalingError::ServerGone(ServerId(3))));
}

#[test]
fn a_drain_during_a_drain_is_refused_with_its_status() {
    let mut manager = manager("{}");
    manager.scale_down_instance(at(1.0), InstanceId(0)).unwrap();
    for instance in [InstanceId(0); 2] {
        let error = refused(&mut manager, |manager| manager.scale_down_full(at(2.0), instance));
        assert_eq!(error.logged_status(), "draining");
    }
    manager.instance_drained(at(3.0), InstanceId(0));
    assert_eq!(deeds(&manager.take_effects()), [] as [&str; 0], "the server was not to go");
}

#[test]
fn late_or_repeated_news_changes_nothing() {
    let mut manager = manager("{}");
    manager.scale_down_full(at(1.0), InstanceId(0)).unwrap();
    manager.instance_drained(at(2.0), InstanceId(0));
    manager.take_effects();
    let before = manager.get_status_summary();
    manager.instance_drained(at(3.0), InstanceId(0));
    manager.instance_activated(at(3.0), InstanceId(0));
    manager.instance_activated(at(3.0), InstanceId(99));
    manager.server_is_up(ServerId(0));
    manager.placement_refused(at(3.0), InstanceId(0), "too late");
    assert_eq!(manager.get_status_summary(), before);
    assert!(manager.take_effects().is_empty());
}

#[test]
fn refusals_are_logged_with_the_status_and_explained_elsewhere() {
    let actions = [
        "{at: 5, scale_down_full: {instances: [0, 77]}}",
        "{at: 5, scale_down_full: {instance: 0}}",
        "{at: 6, scale_down_server: {server: 1}}",
        "{at: 6, scale_down_server: {server: 50}}",
        "{at: 30, scale_down_instance: {instance: 0}}",
        "{at: 30, scale_down_server: {server: 0}}",
        "{at: 31, scale_up_instance: {server: 1}}",
    ];
    let results = run_soundly(&fleet("", 4.0, &actions));
    let application = application(&results);
    let invalid: Vec<String> =
        log_lines(application).into_iter().filter(|line| line.contains("invalid")).collect();
    assert_eq!(
        invalid,
        [
            "5,scale_down_invalid,instance_77,unknown",
            "5,scale_down_invalid,instance_0,draining",
            "6,scale_down_server_invalid,server_1,has_instances",
            "6,scale_down_server_invalid,server_50,unknown",
            "30,scale_down_invalid,instance_0,scaling_down",
            "30,scale_down_server_invalid,server_0,scaling_down"
        ]
    );
    assert_eq!(application.scaling.refused, 7);
    let reasons = events(application, "refused");
    assert_eq!(reasons.len(), 7);
    assert_eq!(reasons[6], "scale_up_instance: GPU 0 of server_1 is occupied by instance_1");
}

// --- guards

#[test]
fn the_last_active_instances_stay() {
    let mut manager = manager("{min_instances: 3}");
    manager.scale_down_full(at(1.0), InstanceId(0)).unwrap();
    let error = refused(&mut manager, |manager| manager.scale_down_full(at(1.0), InstanceId(1)));
    assert!(matches!(error, ScalingError::TooFewLeft { minimum: 3, active: 3, .. }), "{error}");
    assert_eq!(error.logged_status(), "active");
}

#[test]
fn instances_and_servers_have_their_maximum() {
    let mut manager = manager("{max_instances: 6, max_servers: 5}");
    let (server, instance) = manager.scale_up_full(at(1.0), None, None, None).unwrap();
    let error = refused(&mut manager, |manager| manager.scale_up_full(at(1.0), None, None, None));
    assert!(matches!(error, ScalingError::TooManyServers(5)), "{error}");
    manager.scale_down_instance(at(1.0), instance).unwrap();
    manager.instance_drained(at(1.1), instance);
    let halves: [&[u32]; 2] = [&[0, 1, 2, 3], &[4, 5]];
    for half in halves {
        manager.scale_up_instance(at(2.0), server, None, None, Some(half)).unwrap();
    }
    let error = refused(&mut manager, |manager| {
        manager.scale_up_instance(at(2.0), server, None, None, Some(&[6, 7]))
    });
    assert!(matches!(error, ScalingError::TooManyInstances(6)), "{error}");
}

#[test]
fn a_fleet_without_minimum_may_shrink_to_nothing_and_come_back() {
    let actions = ["{at: 10, scale_down_full: {instances: [0, 1, 2, 3]}}", "{at: 20, scale_up_full: {}}"];
    let results = run_soundly(&fleet("min_instances: 0", 4.0, &actions));
    assert_all_completed(application(&results));
    assert_eq!(results.servers, [ServerId(4)]);
}
