//! The plan as the fleet would follow it.

use std::sync::Arc;

use ebbflow_actors::SimTime;
use proptest::prelude::*;

use super::*;
use crate::ids::ApplicationId;
use crate::performance::Constant;
use crate::scaling::metrics::{GatewaySample, Monitor, Sample};
use crate::scaling::{FutureRequest, InstanceCapacity, PoolCount};
use crate::scenario::ModelSpec;

const STARTUP_S: u64 = 12;
const DECISION_INTERVAL_S: u64 = 5;

/// Prompts take 0.5 s, and 100 requests of 100 tokens decode together, in iterations of 20 ms.
fn capacity() -> InstanceCapacity {
    let performance = Arc::new(Constant::new(0.5, 0.02).unwrap());
    InstanceCapacity { gpus: 8, performance, kv_tokens: 10_000 }
}

fn context(requests: Vec<FutureRequest>, pools: &[Option<Tag>], pool: Option<Tag>) -> PolicyContext {
    PolicyContext {
        application: ApplicationId(0),
        pool,
        pools: pools.iter().map(|&tag| PoolCount { active: 2, ..PoolCount::none(tag) }).collect(),
        startup: SimDuration::from_secs(STARTUP_S),
        decision_interval: SimDuration::from_secs(DECISION_INTERVAL_S),
        min_instances: 1,
        max_instances: None,
        slo: None,
        model: ModelSpec {
            name: "m".into(),
            layers: 1,
            hidden_size: 1,
            weights_bytes: 1,
            kv_bytes_per_token: 4,
            known: None,
            roofline: None,
        },
        capacity: capacity(),
        seed: 0,
        foresight: Some(Arc::new(requests)),
    }
}

fn at(seconds: f64) -> SimTime {
    SimTime::from_secs_f64(seconds).unwrap()
}

/// Prompts only, at this rate between two times, in seconds: each of them takes half a second of an instance.
fn prompts(rate: f64, (from_s, until_s): (f64, f64)) -> Vec<FutureRequest> {
    let count = ((until_s - from_s) * rate) as u32;
    let arrival = |nth: u32| at(from_s + f64::from(nth) / rate);
    (0..count)
        .map(|nth| FutureRequest { arrival: arrival(nth), prompt_tokens: 99, output_tokens: 1 })
        .collect()
}

fn oracle(load: f64, context: &PolicyContext) -> Oracle {
    let settings = Settings::defaults(PARAMETERS).with("load_per_instance", load);
    Oracle::new(&settings, context).unwrap()
}

fn wanted(oracle: &mut Oracle, now_s: f64, in_service: u64) -> u32 {
    let mut monitor = Monitor::new(SimDuration::from_secs(60));
    let now = at(now_s);
    monitor.record(Sample::Gateway(GatewaySample { at: now, in_service, ..GatewaySample::default() }));
    oracle.decide(&Observation::new(now, &[], &monitor)).targets[0].wanted
}

/// What is asked for at every decision of the first three minutes.
fn asked(load: f64, context: &PolicyContext) -> Vec<(f64, u32)> {
    let mut oracle = oracle(load, context);
    let times = (1..=180 / DECISION_INTERVAL_S).map(|nth| (nth * DECISION_INTERVAL_S) as f64);
    times.map(|now_s| (now_s, wanted(&mut oracle, now_s, 0))).collect()
}

#[test]
fn a_constant_load_gives_a_constant_fleet() {
    // 6 prompts a second keep three instances busy; of at most 0.6 each that takes five.
    let context = context(prompts(6.0, (0.0, 300.0)), &[None], None);
    assert!(asked(0.6, &context).iter().all(|&(_, wanted)| wanted == 5), "{:?}", asked(0.6, &context));
}

#[test]
fn a_burst_is_met_by_instances_that_are_active_in_time_and_leave_after_it() {
    let mut requests = prompts(1.0, (0.0, 180.0));
    requests.extend(prompts(8.0, (60.0, 90.0)));
    let asked = asked(0.9, &context(requests, &[None], None));
    // Half an instance, and four and a half in the burst.
    let wanted_at = |time_s: f64| asked.iter().rev().find(|(now_s, _)| *now_s <= time_s).unwrap().1;
    assert_eq!(wanted_at(60.0 - STARTUP_S as f64), 5);
    assert_eq!(wanted_at(60.0 - (STARTUP_S + 2 * DECISION_INTERVAL_S) as f64), 1, "not sooner than it must");
    assert_eq!(wanted_at(89.0), 5);
    assert_eq!(wanted_at(96.0), 1);
}

#[test]
fn what_is_needed_again_soon_does_not_leave() {
    let waves = |pause_s: f64| {
        let mut requests = prompts(7.0, (0.0, 60.0));
        requests.extend(prompts(7.0, (60.0 + pause_s, 300.0)));
        asked(0.9, &context(requests, &[None], None))
    };
    assert!(waves(10.0).iter().all(|&(_, wanted)| wanted == 4));
    assert!(waves(60.0).iter().any(|&(_, wanted)| wanted == 1));
}

#[test]
fn without_work_the_smallest_fleet_stays() {
    let context = context(Vec::new(), &[None], None);
    assert!(asked(0.7, &context).iter().all(|&(_, wanted)| wanted == 1));
    let mut oracle = oracle(0.7, &PolicyContext { min_instances: 0, ..context });
    assert_eq!(wanted(&mut oracle, 50.0, 0), 0);
    assert_eq!(wanted(&mut oracle, 50.0, 3), 1, "somebody is still there");
}

#[test]
fn every_pool_carries_its_own_work() {
    // 4 prompts a second keep two instances busy; each then decodes for 30 s, 100 at a time: 1.2 instances.
    let requests: Vec<FutureRequest> = prompts(4.0, (0.0, 300.0))
        .into_iter()
        .map(|one| FutureRequest { output_tokens: 1501, ..one })
        .collect();
    let places = InstanceCapacity { kv_tokens: 160_000, ..capacity() };
    let most = |pools: &[Option<Tag>], pool: Option<Tag>| {
        let context = PolicyContext { capacity: places.clone(), ..context(requests.clone(), pools, pool) };
        asked(1.0, &context).iter().map(|&(_, wanted)| wanted).max().unwrap()
    };
    let (prompt, token, mixed) = (Some(Tag::Prompt), Some(Tag::Token), Some(Tag::Mixed));
    assert_eq!((most(&[prompt, token], prompt), most(&[prompt, token], token)), (2, 2));
    assert_eq!(most(&[None], None), 4);
    assert_eq!(most(&[prompt, token, mixed], mixed), 1);
    assert_eq!(most(&[prompt, mixed], mixed), 2);
}

proptest! {
    #[test]
    fn less_load_per_instance_never_plans_a_smaller_fleet(
        arrivals in prop::collection::vec((0.0..150.0f64, 1u32..2000, 1u32..2000), 0..60),
        low in 0.01..1.0f64,
        high in 0.01..1.0f64,
    ) {
        let request = |&(arrival_s, prompt_tokens, output_tokens): &(f64, u32, u32)| FutureRequest {
            arrival: at(arrival_s), prompt_tokens, output_tokens,
        };
        let context = context(arrivals.iter().map(request).collect(), &[None], None);
        let (low, high) = (low.min(high), low.max(high));
        for (more, fewer) in asked(low, &context).into_iter().zip(asked(high, &context)) {
            prop_assert!(more.1 >= fewer.1, "{more:?} with {low}, {fewer:?} with {high}");
        }
    }
}
