//! No request is lost: whatever the fleet does meanwhile, every request that arrives is completed, rejected,
//! or reported as unfinished, exactly once, with a journal that makes sense.

use std::collections::BTreeSet;

use ebbflow::ids::InstanceId;
use ebbflow::request::{Fate, Journal, Leg, Rejection, Request, Stage};
use ebbflow::results::{ApplicationResults, InstanceRecord};
use ebbflow::scenario::{DrainTimeoutAction, Scenario};
use ebbflow_actors::{SimDuration, SimTime};
use proptest::prelude::*;

use crate::support::generate::{Sample, samples};

proptest! {
    #![proptest_config(samples())]

    #[test]
    fn every_request_ends_exactly_once(seed: u64) {
        let sample = Sample::run(seed);
        let ended = sample.results.applications.iter().flat_map(|application| &application.requests);
        let ids: Vec<u64> = ended.map(|ended| ended.request.id.0).collect();
        let distinct: BTreeSet<u64> = ids.iter().copied().collect();
        assert_eq!(ids.len(), distinct.len(), "a request ended twice");
        assert_eq!(ids.len() as u64, sample.results.arrived, "ended, arrived");
    }

    #[test]
    fn journals_are_in_order_and_completed_ones_are_complete(seed: u64) {
        let sample = Sample::run(seed);
        for application in &sample.results.applications {
            for ended in &application.requests {
                check_order(&ended.request);
                if ended.fate == Fate::Completed {
                    check_complete(&ended.request);
                }
            }
        }
    }

    #[test]
    fn work_starts_only_on_instances_that_are_active_and_still_there(seed: u64) {
        let sample = Sample::run(seed);
        for application in &sample.results.applications {
            for ended in &application.requests {
                for leg in legs(&ended.request.journal) {
                    check_leg(leg, record(application, leg.instance), ended.request.id.0);
                }
            }
        }
    }

    #[test]
    fn nothing_is_scheduled_to_an_instance_once_its_drain_is_known(seed: u64) {
        let sample = Sample::run(seed);
        let latency = sample.scenario.dispatch_latency;
        for application in &sample.results.applications {
            for ended in &application.requests {
                check_scheduled_before_drain(application, &ended.request, latency);
            }
        }
    }

    #[test]
    fn without_a_time_out_drained_instances_finish_what_they_had(seed: u64) {
        let sample = Sample::run(seed);
        for (application, spec) in sample.results.applications.iter().zip(&sample.scenario.applications) {
            let scaling = spec.scaling.as_ref().expect("generated applications have one");
            let may_requeue = scaling.drain_timeout.is_some()
                && scaling.drain_timeout_action == DrainTimeoutAction::Requeue;
            let may_abort =
                scaling.drain_timeout.is_some() && scaling.drain_timeout_action == DrainTimeoutAction::Abort;
            for ended in &application.requests {
                let id = ended.request.id;
                assert!(may_requeue || ended.request.journal.requeued == 0, "request {id} was requeued");
                let aborted = ended.fate == Fate::Rejected(Rejection::DrainTimeout);
                assert!(may_abort || !aborted, "request {id} was aborted");
            }
        }
    }

    #[test]
    fn only_requests_that_fit_nowhere_are_too_large(seed: u64) {
        let sample = Sample::run(seed);
        for (application, spec) in sample.results.applications.iter().zip(&sample.scenario.applications) {
            let room = |instance: &InstanceRecord| {
                memory_bytes(&sample.scenario, instance).saturating_sub(spec.model.weights_bytes)
            };
            let least = application.instances.iter().map(room).min().unwrap_or(0);
            for ended in &application.requests {
                if ended.fate == Fate::Rejected(Rejection::TooLarge) {
                    let request = &ended.request;
                    let tokens = u64::from(request.prompt_tokens) + u64::from(request.output_tokens);
                    let bytes = spec.model.kv_bytes(request.batch_size, tokens);
                    assert!(bytes > least, "request {} of {tokens} tokens fits any instance", request.id);
                }
            }
        }
    }

    #[test]
    fn a_run_that_comes_to_rest_leaves_only_what_no_instance_could_serve(seed: u64) {
        let sample = Sample::run(seed);
        if sample.is_cut_short() {
            return Ok(());
        }
        assert!(sample.results.end < sample.scenario.end_time, "it goes on for ever");
        for (application, spec) in sample.results.applications.iter().zip(&sample.scenario.applications) {
            for ended in &application.requests {
                if let Fate::Unfinished(stage) = ended.fate {
                    assert_eq!(stage, Stage::WaitingAtScheduler, "request {}", ended.request.id);
                    let served = can_serve(application, &spec.scheduler.name);
                    assert!(!served, "request {} waits although instances could serve it", ended.request.id);
                }
            }
        }
    }
}

fn check_order(request: &Request) {
    let Journal { first_refusal, scheduled, prefill, transfer, decode, requeued, recomputed, .. } =
        &request.journal;
    let mut times = vec![("arrival", request.arrival)];
    // Both are kept from the first time; a requeued request is scheduled again later.
    times.extend(first_refusal.filter(|_| *requeued == 0).map(|time| ("first refusal", time)));
    times.extend(scheduled.filter(|_| *requeued == 0).map(|time| ("scheduled", time)));
    for (name, leg) in [("prefill", prefill), ("transfer", transfer), ("decode", decode)] {
        let Some(leg) = leg else { continue };
        // A cache that was dropped on its way is computed again where it was going.
        if name == "transfer" && *recomputed + *requeued > 0 {
            continue;
        }
        times.push((name, leg.start));
        times.extend(leg.end.map(|end| (name, end)));
    }
    let sorted = times.is_sorted_by_key(|(_, time)| *time);
    assert!(sorted, "request {}: {times:?}", request.id);
}

fn check_complete(request: &Request) {
    let journal = &request.journal;
    let ended = |leg: Option<Leg>| leg.is_some_and(|leg| leg.end.is_some());
    assert!(ended(journal.prefill), "request {}: {journal:?}", request.id);
    let decodes = request.output_tokens > 1;
    assert_eq!(ended(journal.decode), decodes, "request {}: {journal:?}", request.id);
    let times = [request.ttft_s(), request.e2e_s(), request.queue_s(), request.tbt_s()];
    let sound = times.iter().all(|time| time.is_some_and(|time| time >= 0.0));
    assert!(sound, "request {}: {times:?}", request.id);
}

fn legs(journal: &Journal) -> impl Iterator<Item = Leg> {
    [journal.prefill, journal.transfer, journal.decode].into_iter().flatten()
}

fn record(application: &ApplicationResults, id: InstanceId) -> &InstanceRecord {
    let found = application.instances.iter().find(|record| record.id == id);
    found.unwrap_or_else(|| panic!("work on instance {id}, of which there is no record"))
}

fn check_leg(leg: Leg, instance: &InstanceRecord, request: u64) {
    let active = instance.active.unwrap_or_else(|| panic!("request {request} ran on {instance:?}"));
    let removed = instance.removed.unwrap_or(SimTime::MAX);
    assert!(active <= leg.start && leg.start <= removed, "request {request}: {leg:?} on {instance:?}");
}

/// The scheduler learns of a drain one message after it began. When the manager meant to cancel a start and
/// did not know that it was complete, that takes three messages more.
fn check_scheduled_before_drain(application: &ApplicationResults, request: &Request, latency: SimDuration) {
    let journal = &request.journal;
    let (Some(scheduled), 0) = (journal.scheduled, journal.requeued) else { return };
    for leg in legs(journal) {
        let instance = record(application, leg.instance);
        let Some(draining) = instance.draining else { continue };
        let meant_to_cancel = instance.active.is_some_and(|active| active + latency >= draining);
        let known = draining + latency * if meant_to_cancel { 4 } else { 2 };
        assert!(scheduled <= known, "request {}: scheduled at {scheduled} to {instance:?}", request.id);
    }
}

fn memory_bytes(scenario: &Scenario, instance: &InstanceRecord) -> u64 {
    let sku = scenario.cluster.catalogue.iter().find(|sku| sku.name == instance.sku);
    u64::from(instance.gpus()) * sku.expect("records name known SKUs").gpu.memory_bytes
}

/// Whether the instances that are ACTIVE at the end suffice for this scheduler: one that always splits
/// requests needs both halves.
fn can_serve(application: &ApplicationResults, scheduler: &str) -> bool {
    use ebbflow::ids::Tag::{Mixed, Prompt, Token};
    let active = || {
        let is_active = |instance: &&InstanceRecord| instance.active.is_some() && instance.draining.is_none();
        application.instances.iter().filter(is_active)
    };
    let always_splits = scheduler.contains("kv_") || scheduler == "autoscaling";
    if !always_splits {
        return active().count() > 0;
    }
    let prefills = |instance: &InstanceRecord| match instance.tag {
        Some(tag) => tag == Prompt || tag == Mixed,
        None => instance.gpu != "a100-80gb",
    };
    let decodes = |instance: &InstanceRecord| match instance.tag {
        Some(tag) => tag == Token || tag == Mixed,
        None => instance.gpu != "h100-80gb",
    };
    active().any(prefills) && active().any(decodes)
}
