//! Edge cases of the user's third test group: instances and servers that are no longer wanted before they
//! are there, at every moment of their start.

use ebbflow::ids::{ServerId, Tag};
use ebbflow::results::RunResults;

use crate::support::run::{application, instance};
use crate::support::scaling::{
    assert_all_completed, at, deeds, fleet, lines, manager, run_soundly, split_fleet,
};

/// A run in which instance 4 is wanted from 10 s on and no longer from `cancelled` on.
fn cancelled(settings: &str, rate: f64, operation: &str, cancelled: f64) -> RunResults {
    let cancel = format!("{{at: {cancelled}, {operation}: {{instance: 4}}}}");
    run_soundly(&fleet(settings, rate, &["{at: 10, scale_up_full: {}}", &cancel]))
}

fn assert_gone(results: &RunResults, with_server: bool, context: &str) {
    let application = application(results);
    assert_all_completed(application);
    let newcomer = instance(application, 4);
    assert!(newcomer.removed.is_some(), "{context}: {newcomer:?}");
    assert_eq!(results.servers.contains(&ServerId(4)), !with_server, "{context}");
    assert_eq!(application.scaling.refused, 0, "{context}");
    assert_eq!(application.status.unwrap().total_instances, 4, "{context}");
}

#[test]
fn a_start_can_be_cancelled_at_any_time() {
    for time in [10.0, 10.0005, 10.001, 10.002, 10.003, 15.0, 19.9] {
        for (operation, with_server) in [("scale_down_full", true), ("scale_down_instance", false)] {
            let results = cancelled("", 4.0, operation, time);
            assert_gone(&results, with_server, &format!("{operation} at {time}"));
            let newcomer = instance(application(&results), 4);
            assert_eq!((newcomer.active, newcomer.tasks_completed), (None, 0));
            assert_eq!(newcomer.draining, Some(at(time)));
            assert!(newcomer.removed.unwrap() < at(time + 0.01));
        }
    }
}

#[test]
fn a_cancelled_start_has_its_lines_in_the_log() {
    let mut manager = manager("{}");
    let (_, instance) = manager.scale_up_full(at(1.0), None, Some(Tag::Token), None).unwrap();
    manager.scale_down_full(at(1.0), instance).unwrap();
    manager.instance_drained(at(1.5), instance);
    let effects = manager.take_effects();
    assert_eq!(
        lines(&effects),
        [
            "1,scale_up_server,server_4,scaling_up",
            "1,scale_up_start,instance_4,scaling_up",
            "1,scale_down_start,instance_4,draining",
            "1.5,scale_down_complete,instance_4,scaling_down",
            "1.5,scale_down_server,server_4,scaling_down"
        ]
    );
    assert_eq!(
        deeds(&effects),
        ["start server 4 with an instance", "cancel instance 4", "tell the scheduler", "remove server 4"]
    );
}

#[test]
fn a_start_can_be_cancelled_while_its_server_boots() {
    for time in [10.0, 10.0005, 12.0, 14.998, 14.9985, 14.999, 14.9995, 15.0, 15.0005, 15.001, 15.5] {
        let results = cancelled("server_boot_delay: 5", 4.0, "scale_down_full", time);
        assert_gone(&results, true, &format!("cancelled at {time}, booted at 15"));
    }
}

/// Between activation at 20 s and the moment the manager hears of it lies one message.
#[test]
fn a_cancellation_may_race_with_the_activation() {
    let mut was_active = [0, 0];
    for step in -8..=8 {
        for rate in [0.3, 4.0, 60.0] {
            let time = 20.0 + f64::from(step) * 0.0005;
            let results = cancelled("", rate, "scale_down_full", time);
            assert_gone(&results, true, &format!("cancelled at {time}, ACTIVE at 20"));
            let active = instance(application(&results), 4).active;
            was_active[usize::from(active.is_some())] += 1;
        }
    }
    assert!(was_active.iter().all(|&runs| runs > 5), "both outcomes were tried: {was_active:?}");
}

#[test]
fn a_drain_may_race_with_a_start_that_takes_no_time() {
    for step in 0..12 {
        for rate in [0.3, 60.0] {
            let time = 10.0 + f64::from(step) * 0.0005;
            let results = cancelled("scale_up_delay: 0", rate, "scale_down_full", time);
            assert_gone(&results, true, &format!("started at 10, drained at {time}"));
        }
    }
}

#[test]
fn a_server_can_go_while_it_boots() {
    for time in [10.0, 10.5, 14.999, 15.0, 15.0005, 15.001] {
        let down = format!("{{at: {time}, scale_down_server: {{server: 4}}}}");
        let actions = ["{at: 10, scale_up_server: {}}", &down];
        let results = run_soundly(&fleet("server_boot_delay: 5", 4.0, &actions));
        assert_eq!(results.servers.len(), 4, "removed at {time}");
        assert_eq!(application(&results).scaling.refused, 0);
    }
}

#[test]
fn a_scheduler_that_scales_does_not_wait_for_a_cancelled_start() {
    // It wants a third prompt instance at once, and takes no more than three.
    let eager = "{autoscaling: {check_interval: 1, cooldown: 0, scale_up_threshold: 0.01, \
                 scale_down_threshold: 0, prompt_tokens_per_instance: 1, max_prompt_instances: 3, \
                 max_token_instances: 2}}";
    let yaml = split_fleet("", 20.0, &["{at: 5, scale_down_full: {instance: 4}}"])
        .replace("scheduler: kv_jsq", &format!("scheduler: {eager}"));
    let results = run_soundly(&yaml);
    let application = application(&results);
    assert_all_completed(application);
    assert_eq!(instance(application, 4).active, None);
    assert!(instance(application, 5).active.is_some(), "it asked again");
    assert_eq!(application.instances.len(), 6);
}
