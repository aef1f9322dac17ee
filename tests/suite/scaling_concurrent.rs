//! The user's second test group: many instances start and drain at once, each on its own clock.

use std::collections::BTreeSet;

use ebbflow::ids::{InstanceId, Tag};
use ebbflow::scaling::Effect;
use ebbflow_actors::{SimDuration, TickMode};

use crate::support::run::{actors, application, instance, run_with};
use crate::support::scaling::{
    assert_all_completed, at, deeds, fleet, manager, run_soundly, split_fleet, tagged_manager,
};

/// Starts and drains that overlap in every way: together, staggered, and across each other.
const CRISS_CROSS: [&str; 7] = [
    "{at: 5, scale_up_full: {count: 4}}",
    "{at: 5, scale_down_full: {instances: [0, 1]}}",
    "{at: 8.3, scale_up_full: {count: 2}}",
    "{at: 9.9, scale_down_full: {instance: 5}}",
    "{at: 20, scale_down_full: {instances: [2, 3, 4]}}",
    "{at: 20, scale_up_full: {count: 3}}",
    "{at: 35, scale_down_full: {instances: [6, 7, 8, 9]}}",
];

// --- the state machine

#[test]
fn ten_thousand_instances_start_and_drain_at_the_same_moment() {
    const CROWD: u32 = 10_000;
    let mut manager = manager("{min_instances: 4}");
    let crowd: Vec<InstanceId> =
        (0..CROWD).map(|_| manager.scale_up_full(at(1.0), None, None, None).unwrap().1).collect();
    assert_eq!(crowd.iter().collect::<BTreeSet<_>>().len(), CROWD as usize);
    for &instance in &crowd {
        manager.instance_activated(at(11.0), instance);
    }
    for &instance in &crowd {
        manager.scale_down_full(at(12.0), instance).unwrap();
    }
    assert_eq!(manager.get_status_summary().draining_instances, CROWD as usize);
    assert!(manager.scale_down_full(at(12.0), InstanceId(0)).is_err(), "four must stay");
    manager.take_effects();
    for &instance in crowd.iter().rev() {
        manager.instance_drained(at(13.0), instance);
    }
    let removed = manager.take_effects().iter().filter(|e| matches!(e, Effect::RemoveServer(_))).count();
    assert_eq!(removed, CROWD as usize);
    assert_eq!(manager.get_status_summary().total_instances, 4);
}

#[test]
fn operations_on_one_tag_do_not_count_for_another() {
    let (prompt, token) = (Some(Tag::Prompt), Some(Tag::Token));
    let mut manager = tagged_manager("{min_instances: 1}", [prompt, prompt, token, token]);
    for id in [0, 2] {
        manager.scale_down_full(at(1.0), InstanceId(id)).unwrap();
    }
    for id in [1, 3] {
        assert!(manager.scale_down_full(at(1.0), InstanceId(id)).is_err(), "instance {id} is the last");
    }
    manager.take_effects();
    let (_, newcomer) = manager.scale_up_full(at(1.0), None, token, None).unwrap();
    assert!(manager.scale_down_full(at(2.0), InstanceId(3)).is_err(), "one that starts does not count");
    manager.instance_activated(at(11.0), newcomer);
    manager.scale_down_full(at(11.0), InstanceId(3)).unwrap();
    assert!(manager.scale_down_full(at(11.0), InstanceId(1)).is_err());
    assert_eq!(deeds(&manager.take_effects()), ["start server 4 with an instance", "drain instance 3"]);
}

// --- whole scenarios

#[test]
fn every_start_takes_its_own_delay_however_many_overlap() {
    let actions: Vec<String> = (0..20)
        .map(|k| format!("{{at: {}, scale_up_full: {{count: 3}}}}", 5.0 + 0.31 * f64::from(k)))
        .collect();
    let actions: Vec<&str> = actions.iter().map(String::as_str).collect();
    let results = run_soundly(&fleet("scale_up_delay: 7.5", 4.0, &actions));
    let application = application(&results);
    assert_eq!(application.instances.len(), 64);
    for newcomer in &application.instances[4..] {
        let began = 5.0 + 0.31 * f64::from((newcomer.id.0 - 4) / 3);
        assert_eq!(newcomer.created, at(began));
        assert_eq!(newcomer.active, Some(newcomer.created + SimDuration::from_millis(7_500)));
    }
}

#[test]
fn every_drain_is_checked_on_its_own_grid() {
    let actions = [
        "{at: 20.1, scale_down_full: {instance: 0}}",
        "{at: 20.35, scale_down_full: {instance: 1}}",
        "{at: 20.35, scale_down_full: {instance: 2}}",
    ];
    let results = run_soundly(&fleet("", 60.0, &actions));
    let application = application(&results);
    assert_all_completed(application);
    for (id, began) in [(0, 20.1), (1, 20.35), (2, 20.35)] {
        let gone = instance(application, id).removed.unwrap();
        let waited = (gone - at(began)).as_nanos();
        assert!(waited > 0 && waited.is_multiple_of(1_000_000_000), "instance {id} left after {waited} ns");
    }
}

#[test]
fn starts_and_drains_may_cross_without_losing_a_request() {
    for text in [fleet("min_instances: 0", 12.0, &CRISS_CROSS), split_fleet("", 12.0, &CRISS_CROSS)] {
        let results = run_soundly(&text);
        let application = application(&results);
        assert_all_completed(application);
        assert!(application.scaling.scale_ups >= 9 && application.scaling.scale_downs >= 5);
    }
}

#[test]
fn a_fleet_may_be_replaced_entirely_under_load() {
    let actions = [
        "{at: 10, scale_up_full: {count: 4}}",
        "{at: 21, scale_down_full: {instances: [0, 1, 2, 3]}}",
        "{at: 25, scale_up_full: {count: 4}}",
        "{at: 36, scale_down_full: {instances: [4, 5, 6, 7]}}",
    ];
    let results = run_soundly(&fleet("", 12.0, &actions));
    let application = application(&results);
    assert_all_completed(application);
    assert_eq!(application.scaling.refused, 0);
    let stay = application.instances.iter().filter(|one| one.removed.is_none());
    assert_eq!(stay.map(|one| one.id.0).collect::<Vec<_>>(), [8, 9, 10, 11]);
}

#[test]
fn concurrent_scaling_is_the_same_on_any_number_of_arbiters() {
    let yaml = split_fleet("drain_timeout: 0.4, server_boot_delay: 1.5", 30.0, &CRISS_CROSS);
    let alone = run_soundly(&yaml);
    for (arbiters, ticks) in [(1, TickMode::Eager), (2, TickMode::Lazy), (3, TickMode::Eager)] {
        let together = run_with(&yaml, &actors(arbiters, ticks));
        assert_eq!(together.digest, alone.digest, "{arbiters} arbiters, {ticks:?}");
    }
}
