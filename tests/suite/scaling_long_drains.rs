//! Edge cases of the user's third test group: instances that cannot be drained soon, because of the work
//! they have, or of work that was promised to them and is still elsewhere.

use ebbflow::ids::InstanceId;
use ebbflow::request::{Fate, Rejection};
use ebbflow::results::RunResults;

use crate::support::run::{application, count, instance};
use crate::support::scaling::{
    assert_all_completed, at, events, fleet, lines_about, run_soundly, split_fleet,
};

// --- drains that cannot end by themselves

/// Two instances; one of them drains with a long queue.
fn stuck_drain(action: &str) -> RunResults {
    let settings = format!("drain_timeout: 3.3, drain_timeout_action: {action}");
    let long = fleet(&settings, 6.0, &["{at: 10.1, scale_down_full: {instance: 0}}"])
        .replace("output: 101", "output: 2001")
        .replace("until: 60", "until: 20");
    run_soundly(&long)
}

#[test]
fn an_expired_drain_sends_its_work_elsewhere() {
    let results = stuck_drain("requeue");
    let application = application(&results);
    assert_all_completed(application);
    let requeued = application.completed().filter(|request| request.journal.requeued > 0).count();
    assert!(requeued > 5);
    assert_eq!(events(application, "request_requeued").len(), requeued);
    let [expiry] = &events(application, "drain_timeout")[..] else { panic!("one drain, one time-out") };
    assert!(expiry.contains(&format!("{requeued} requests are sent back to the scheduler")), "{expiry}");
    assert_eq!(instance(application, 0).removed, Some(at(14.1)), "the first check after 13.4 s");
}

#[test]
fn an_expired_drain_may_give_its_work_up() {
    let results = stuck_drain("abort");
    let application = application(&results);
    let aborted = count(application, |fate| *fate == Fate::Rejected(Rejection::DrainTimeout));
    let completed = count(application, |fate| *fate == Fate::Completed);
    assert!(aborted > 5 && aborted + completed == application.requests.len());
    assert_eq!(events(application, "request_aborted").len(), aborted);
    assert_eq!(instance(application, 0).removed, Some(at(14.1)));
}

#[test]
fn an_expired_drain_waits_for_a_successor_if_there_is_nobody_else() {
    let settings = "min_instances: 0, drain_timeout: 0";
    let actions = ["{at: 10.1, scale_down_full: {instances: [0, 1, 2, 3]}}", "{at: 20, scale_up_full: {}}"];
    let results = run_soundly(&fleet(settings, 12.0, &actions));
    let application = application(&results);
    assert_all_completed(application);
    assert!(application.completed().any(|request| request.journal.requeued > 0));
}

#[test]
fn without_time_limit_an_instance_drains_as_long_as_it_takes() {
    let yaml = fleet("", 2.0, &["{at: 10.1, scale_down_full: {instance: 0}}"])
        .replace("output: 101", "output: 20001")
        .replace("until: 60", "until: 12");
    let results = run_soundly(&yaml);
    assert_all_completed(application(&results));
    assert!(instance(application(&results), 0).removed > Some(at(200.0)));
}

// --- work that was promised but is not there yet

#[test]
fn a_drain_waits_for_prompts_that_are_still_computed_elsewhere() {
    let yaml = split_fleet("", 2.0, &["{at: 2.7, scale_down_full: {instances: [2]}}"])
        .replace("prompt_time: 0.1", "prompt_time: 5")
        .replace("until: 60", "until: 3");
    let results = run_soundly(&yaml);
    let application = application(&results);
    assert_all_completed(application);
    let drained = instance(application, 2);
    let promised = application.completed().filter(|request| {
        request.journal.decode.is_some_and(|leg| leg.instance == drained.id && leg.start > at(5.0))
    });
    assert!(promised.count() >= 1, "its work came long after the drain began");
    assert!(drained.removed > Some(at(6.0)));
}

#[test]
fn a_drain_waits_for_caches_in_flight_on_both_sides() {
    // 20 tokens of 2.6 MB each take 5 s over a link of 0.01 GiB/s.
    let yaml = split_fleet("", 2.0, &["{at: 2.7, scale_down_full: {instances: [0, 2]}}"])
        .replace("scheduler: kv_jsq", "scheduler: {kv_jsq: {transfer_bandwidth: 0.01}}")
        .replace("arrivals: uniform", "arrivals: poisson")
        .replace("until: 60", "until: 2.5");
    let results = run_soundly(&yaml);
    let application = application(&results);
    assert_all_completed(application);
    let mut legs = application.completed().map(|request| request.journal.transfer.unwrap());
    let last = |id: u32, source: bool| {
        let ended = application.completed().filter(move |request| {
            let leg = if source { request.journal.prefill } else { request.journal.transfer };
            leg.unwrap().instance == InstanceId(id)
        });
        ended.map(|request| request.journal.transfer.unwrap().end).max().unwrap()
    };
    assert!(legs.all(|leg| (leg.end.unwrap() - leg.start).as_secs_f64() > 4.0));
    assert!(instance(application, 0).removed > last(0, true), "the source keeps the cache until it is over");
    assert!(instance(application, 2).removed > last(2, false));
}

#[test]
fn an_expired_drain_turns_away_what_still_comes() {
    let settings = "drain_timeout: 0.5";
    let yaml = split_fleet(settings, 2.0, &["{at: 2.7, scale_down_full: {instances: [2]}}"])
        .replace("prompt_time: 0.1", "prompt_time: 5")
        .replace("until: 60", "until: 3");
    let results = run_soundly(&yaml);
    let application = application(&results);
    assert_all_completed(application);
    assert!(application.completed().any(|request| request.journal.requeued > 0));
    assert_eq!(lines_about(application, "instance_2").len(), 2);
}

#[test]
fn a_cache_may_arrive_at_the_very_moment_a_run_ends() {
    // Even arrivals, iterations of 10 ms and equal transfers: somebody arrives just as the others finish.
    let yaml = split_fleet("", 2.0, &[])
        .replace("scheduler: kv_jsq", "scheduler: {kv_jsq: {transfer_bandwidth: 0.01}}")
        .replace("until: 60", "until: 20");
    assert_all_completed(application(&run_soundly(&yaml)));
}
