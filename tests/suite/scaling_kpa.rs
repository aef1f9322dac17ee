//! Knative's autoscaler, and AIBrix's, at work: to zero and back without losing anybody, panic on a burst,
//! and calm under a constant load.

use ebbflow::results::{ApplicationResults, InstanceRecord};
use proptest::prelude::*;

use crate::support::run::{application, request, run_trace};
use crate::support::scaling::{assert_all_completed, assert_sound, at, fleet, run_soundly, split_fleet};

/// Requests of 20 prompt and `output` tokens: a tenth of a second and 10 ms a token.
fn at_times(times: impl IntoIterator<Item = f64>, output: u32) -> Vec<(f64, u32, u32)> {
    times.into_iter().map(|time| (time, 20, output)).collect()
}

/// The fleet of one server under this policy.
fn one_server(policy: &str, settings: &str) -> String {
    let manager = format!("autoscaling_policy: {policy}, {settings}");
    fleet(&manager, 1.0, &[]).replace("count: 4", "count: 1").replace("actions:", "")
}

fn run_sound_trace(yaml: &str, requests: &[(f64, u32, u32)]) -> ApplicationResults {
    let results = run_trace(yaml, requests);
    let application = application(&results).clone();
    assert_sound(&application, &results);
    assert_all_completed(&application);
    application
}

/// How many instances were asked for and not yet told to go at this time.
fn size(application: &ApplicationResults, time: f64) -> usize {
    let there = |instance: &&InstanceRecord| {
        let end = instance.draining.or(instance.removed);
        instance.created <= at(time) && end.is_none_or(|end| end > at(time))
    };
    application.instances.iter().filter(there).count()
}

fn starts(application: &ApplicationResults) -> Vec<f64> {
    let later = application.instances.iter().map(|instance| instance.created.as_secs_f64());
    later.filter(|created| *created > 0.0).collect()
}

fn drains(application: &ApplicationResults) -> Vec<f64> {
    application.instances.iter().filter_map(|one| one.draining).map(|time| time.as_secs_f64()).collect()
}

#[test]
fn without_load_the_last_instance_goes_and_a_request_brings_one_back() {
    let yaml = one_server("{kpa: {target: 10}}", "min_instances: 0");
    let application = run_sound_trace(&yaml, &at_times([0.5, 3.0, 9.0, 300.25, 301.0], 101));
    let [drained, ..] = drains(&application)[..] else { panic!("nobody goes") };
    assert!((70.0..80.0).contains(&drained), "a stable window after the last request, not at {drained}");
    assert_eq!(size(&application, 200.0), 0);
    let [started] = starts(&application)[..] else { panic!("one comes back") };
    assert!((300.25..305.0).contains(&started), "at the first decision that sees it, not at {started}");
    let waited = request(&application, 3).journal.prefill.unwrap().start;
    assert!(waited >= at(started + 10.0), "it waits for the instance to start");
}

#[test]
fn the_last_instance_stays_as_long_as_the_user_wants() {
    let kept = |policy: &str, settings: &str| {
        let yaml = one_server(policy, settings);
        drains(&run_sound_trace(&yaml, &at_times([0.5, 400.0], 101))).first().copied()
    };
    assert_eq!(kept("{kpa: {target: 10}}", "min_instances: 1"), None);
    assert_eq!(kept("{kpa: {target: 10, scale_to_zero: false}}", "min_instances: 0"), None);
    let retained = kept("{kpa: {target: 10, pod_retention: 120}}", "min_instances: 0").unwrap();
    assert!((180.0..190.0).contains(&retained), "{retained}");
}

#[test]
fn both_pools_go_to_zero_and_come_back() {
    let manager = "autoscaling_policy: {kpa: {target: 10}}, min_instances: 0";
    let yaml = split_fleet(manager, 1.0, &[]).replace("num_instances: 2", "num_instances: 1");
    let application = run_sound_trace(&yaml.replace("actions:", ""), &at_times([0.5, 300.0], 101));
    assert_eq!(size(&application, 200.0), 0);
    assert_eq!(starts(&application).len(), 2, "one to compute prompts and one to generate");
}

#[test]
fn a_burst_is_met_in_panic_and_the_fleet_shrinks_only_after_it() {
    let steady = at_times((0..15).map(|nth| f64::from(nth) * 20.0 + 0.5), 1901);
    let burst = at_times((0..40).map(|_| 60.5), 1901);
    let mut requests = [steady, burst].concat();
    requests.sort_by(|a, b| a.0.total_cmp(&b.0));
    let yaml = one_server("{kpa: {target: 4, target_utilization: 1}}", "min_instances: 1");
    let application = run_sound_trace(&yaml, &requests);

    let first = starts(&application)[0];
    assert!((60.5..65.0).contains(&first), "seconds after the burst, not at {first}");
    assert!(size(&application, 70.0) >= 10, "41 requests, 4 each, while the stable window knows of few");
    let panic = application.decisions.iter().find(|row| row.reason.starts_with("panic"));
    assert!(panic.is_some_and(|row| (60.5..65.0).contains(&row.time.as_secs_f64())), "{panic:?}");
    let shrinks = drains(&application)[0];
    let calm = application.instances[1].active.unwrap().as_secs_f64() + 60.0;
    assert!(shrinks >= calm - 4.0, "a stable window after the threshold was last crossed, not at {shrinks}");
    assert_eq!(size(&application, 280.0), 1);
}

#[test]
fn a_constant_load_ends_in_a_constant_fleet() {
    // 11 requests of 1.1 s a second: twelve to fifteen at once, as their prompts get into each other's way.
    let ongoing = |target: f64| format!("metrics: [{{metric: ongoing, target: {target}}}]");
    let windows = "stable_window: 60, panic_window: 20";
    for (policy, expected) in [
        ("{kpa: {target: 6, target_utilization: 1}}".to_owned(), 3),
        (format!("{{aibrix_apa: {{{}, scale_down_cooldown: 30}}}}", ongoing(3.6)), 4),
        (
            format!(
                "{{aibrix_apa: {{algorithm: kpa, {}, {windows}, scale_down_cooldown: 30}}}}",
                ongoing(6.0)
            ),
            3,
        ),
    ] {
        let yaml = one_server(&policy, "min_instances: 1").replace("rate: 1", "rate: 11");
        let results = run_soundly(&yaml.replace("until: 60", "until: 600"));
        let application = application(&results);
        assert_all_completed(application);
        assert_eq!(size(application, 590.0), expected, "{policy}");
        let changes = [starts(application), drains(application)].concat();
        assert!(changes.iter().all(|time| *time < 200.0), "{policy}: {changes:?}");
    }
}

const POLICIES: [&str; 6] = [
    "{kpa: {target: 3, stable_window: 20}}",
    "{kpa: {metric: rps, target: 1, averaging: weighted_exponential, scale_down_delay: 10}}",
    "{aibrix_apa: {metrics: [{metric: ongoing, target: 3}, {metric: busy, target: 0.7}]}}",
    "{aibrix_apa: {faithful: true, scale_down_cooldown: 20, metrics: [{metric: ongoing, target: 3}]}}",
    "{aibrix_apa: {algorithm: kpa, scale_to_zero: true, metrics: [{metric: ongoing, target: 3}]}}",
    "{aibrix_apa: {algorithm: kpa, faithful: true, metrics: [{metric: ongoing, target: 3}]}}",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn bounds_are_kept_and_the_same_is_decided_again(
        gaps in prop::collection::vec((0.0..6.0_f64, 1..900_u32), 1..60),
    ) {
        let mut now = 0.0;
        let arrive = |(gap, output): (f64, u32)| {
            now += gap;
            (now, 20, output)
        };
        let requests: Vec<(f64, u32, u32)> = gaps.into_iter().map(arrive).collect();
        for policy in POLICIES {
            let yaml = one_server(policy, "min_instances: 0, max_instances: 5");
            let first = run_sound_trace(&yaml, &requests);
            for change in [starts(&first), drains(&first)].concat() {
                prop_assert!(size(&first, change) <= 5, "{}", policy);
            }
            let second = run_sound_trace(&yaml, &requests);
            prop_assert_eq!(&first.decisions, &second.decisions);
        }
    }
}

#[test]
fn without_its_guard_aibrix_orders_the_same_capacity_again_while_it_starts() {
    let peak = |guard: bool| {
        let metrics = "metrics: [{metric: ongoing, target: 4}]";
        let policy = format!("{{aibrix_apa: {{{metrics}, pending_guard: {guard}}}}}");
        let yaml = one_server(&policy, "scale_up_delay: 50, max_instances: 64");
        let requests = at_times((0..100).map(|nth| f64::from(nth) * 2.0), 1901);
        let application = run_sound_trace(&yaml, &requests);
        application.instances.len()
    };
    let (guarded, unguarded) = (peak(true), peak(false));
    assert!(guarded <= 4, "9.5 requests at once, 4 each, after one step of two: {guarded}");
    assert!(unguarded >= 2 * guarded, "{unguarded} against {guarded}");
}
