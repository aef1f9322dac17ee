//! KEDA's executor and fallback against the expectations of their own unit tests.

use ebbflow::scaling::policies::keda::executor::{
    Executor, Fallback, FallbackBehavior, Pause, Poll, ScaledObject,
};
use ebbflow_actors::{SimDuration, SimTime};
use serde_json::Value;

use super::{Verdict, replay};

#[test]
fn keda_steps_from_and_to_zero_as_its_executor() {
    replay("keda_executor.json", |case| match case["fn"].as_str() {
        None => executor(case),
        Some("fallback_metric") => fallback_metric(case),
        Some(_) => Verdict::LeftOut("no such step is known here"),
    });
}

fn number(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|number| u32::try_from(number).ok())
}

fn flag(case: &Value, key: &str) -> bool {
    case[key].as_bool().unwrap_or(false)
}

/// The first of these keys that the case has.
fn first(case: &Value, keys: &[&str]) -> Option<u32> {
    keys.iter().find_map(|key| number(&case[*key]))
}

fn executor(case: &Value) -> Verdict {
    let fallback = first(case, &["fallback_replicas", "fallback"]).map(|instances| Fallback {
        failure_threshold: 3,
        instances,
        behavior: fallback_behavior(case),
    });
    let object = ScaledObject {
        min: number(&case["min"]).unwrap_or(0),
        idle: number(&case["idle"]),
        cooldown: SimDuration::ZERO,
        initial_cooldown: SimDuration::ZERO,
        pause: Pause {
            at: first(case, &["paused_replicas", "paused"]),
            scale_in: flag(case, "pause_scale_in"),
            scale_out: flag(case, "pause_scale_out"),
        },
        force_activation: flag(case, "force_activation"),
        fallback,
    };
    let current = number(&case["current"]).unwrap();
    let poll = Poll { current, active: flag(case, "active"), failed: flag(case, "scaler_error") };
    let now = SimTime::ZERO + SimDuration::from_secs(1000);
    let found = Executor::new(object, SimTime::ZERO).step(now, poll);
    Verdict::of(found.unwrap_or(current), number(&case["expect_replicas"]).unwrap())
}

fn fallback_behavior(case: &Value) -> FallbackBehavior {
    match case["behavior"].as_str().unwrap_or("static") {
        "static" => FallbackBehavior::Static,
        "currentReplicas" => FallbackBehavior::Current,
        "currentReplicasIfHigher" => FallbackBehavior::CurrentIfHigher,
        "currentReplicasIfLower" => FallbackBehavior::CurrentIfLower,
        other => panic!("{other} is no behavior of a fallback"),
    }
}

fn fallback_metric(case: &Value) -> Verdict {
    let fallback = Fallback {
        failure_threshold: number(&case["failure_threshold"]).unwrap(),
        instances: number(&case["fallback_replicas"]).unwrap(),
        behavior: fallback_behavior(case),
    };
    let failures = number(&case["failures_before"]).unwrap() + 1;
    let target_milli = case["target_average_value"].as_i64().unwrap() * 1000;
    let found = fallback.metric(failures, target_milli, number(&case["current"]).unwrap());
    Verdict::of(found, case["expect_metric_value"].as_i64().map(|value| value * 1000))
}
