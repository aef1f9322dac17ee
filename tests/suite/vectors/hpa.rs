//! The HPA against the expectations of its own unit tests.

use ebbflow::scaling::damping::{
    Change, Changes, Moves, RateLimit, RatePolicy, Recommendations, Select, Tolerance,
};
use ebbflow::scaling::policies::hpa::behavior::{self, Behavior, Bounds, Limited, Rules};
use ebbflow::scaling::policies::hpa::controller::{Controller, Reconciled, Ruleset, Verdict as Decided};
use ebbflow::scaling::policies::hpa::pods::{
    Groups, Initialisation, Phase, Pod, Readiness, Sample, Samples, Trust,
};
use ebbflow::scaling::policies::hpa::replicas::{self, MetricError, PodMetric, Proposal};
use ebbflow_actors::{SimDuration, SimTime};
use serde_json::Value;

use super::{Verdict, replay};

/// The moment of every case, long after the start, so that ages can be taken off it.
const NOW_S: u64 = 100_000;

fn now() -> SimTime {
    SimTime::ZERO + SimDuration::from_secs(NOW_S)
}

fn ago(seconds: u64) -> SimTime {
    SimTime::ZERO + SimDuration::from_secs(NOW_S - seconds)
}

fn seconds(value: &Value) -> SimDuration {
    SimDuration::from_secs(value.as_u64().unwrap_or(0))
}

fn number(value: &Value) -> u32 {
    u32::try_from(value.as_u64().unwrap()).unwrap()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

#[test]
fn pods_are_classed_as_by_the_hpa() {
    replay("hpa_group_pods.json", group_pods);
}

#[test]
fn resource_utilisation_becomes_the_replicas_of_the_hpa() {
    replay("hpa_resource.json", resource);
}

#[test]
fn other_metrics_become_the_replicas_of_the_hpa() {
    replay("hpa_metric_value.json", metric_value);
}

#[test]
fn stabilisation_and_rate_limits_are_those_of_the_hpa() {
    replay("hpa_behavior.json", behaves);
}

#[test]
fn a_reconcile_ends_as_that_of_the_hpa() {
    replay("hpa_controller.json", reconcile);
}

// --- pods

fn phase(pod: &Value) -> Phase {
    match pod["phase"].as_str().unwrap_or("Running") {
        "Pending" => Phase::Pending,
        "Running" => Phase::Running,
        "Failed" | "Succeeded" => Phase::Ended,
        other => panic!("{other} is no phase"),
    }
}

fn initialisation(period_s: u64, delay_s: u64) -> Initialisation {
    Initialisation {
        period: SimDuration::from_secs(period_s),
        readiness_delay: SimDuration::from_secs(delay_s),
    }
}

fn group_pods(case: &Value) -> Verdict {
    let age = |pod: &Value, key: &str| pod[key].as_u64().map(ago);
    let pod = |pod: &Value| Pod {
        name: pod["name"].as_str().unwrap().to_owned(),
        phase: phase(pod),
        deleting: pod["deleting"].as_bool().unwrap_or(false),
        started: age(pod, "start_age_s"),
        readiness: pod["ready"].as_bool().map(|ready| Readiness {
            ready,
            since: age(pod, "ready_transition_age_s").unwrap_or(SimTime::ZERO),
        }),
        request_milli: None,
    };
    let pods: Vec<_> = list(&case["pods"]).iter().map(pod).collect();
    let sampled = list(&case["pods"]).iter().filter(|pod| pod["has_metric"] == true);
    let sample = |pod: &Value| {
        let at = age(pod, "metric_age_s").unwrap_or(now());
        let sample = Sample { milli: 1, at, window: seconds(&pod["metric_window_s"]) };
        (pod["name"].as_str().unwrap().to_owned(), sample)
    };
    let trust = if case["resource"] == "cpu" {
        let period = case["cpu_init_period_s"].as_u64().unwrap();
        Trust::Started(initialisation(period, case["readiness_delay_s"].as_u64().unwrap()))
    } else {
        Trust::Running
    };
    let found = Groups::of(now(), &pods, &sampled.map(sample).collect(), trust);
    let names = |key: &str| list(&case["expect"][key]).iter().map(|name| name.as_str().unwrap().to_owned());
    let expected = Groups {
        ready: case["expect"]["ready_count"].as_u64().unwrap() as usize,
        unready: names("unready").collect(),
        missing: names("missing").collect(),
        ignored: names("ignored").collect(),
    };
    Verdict::of(found, expected)
}

/// A pod of the tables: `start` is `now` (its sample is not to be trusted), `3min_ago` or `long_ago`.
fn table_pod(name: usize, pod: &Value) -> Pod<usize> {
    let started = match pod["start"].as_str().unwrap_or("long_ago") {
        "now" => now(),
        "3min_ago" => ago(180),
        _ => ago(7200),
    };
    let ready = pod["ready"].as_bool().unwrap_or(true);
    let request = pod["request_milli"].as_i64().filter(|&request| request > 0);
    Pod {
        name,
        phase: phase(pod),
        deleting: pod["deleting"].as_bool().unwrap_or(false),
        started: Some(started),
        readiness: Some(Readiness { ready, since: started }),
        request_milli: request,
    }
}

fn table_pods(case: &Value) -> Vec<Pod<usize>> {
    list(&case["pods"]).iter().enumerate().map(|(name, pod)| table_pod(name, pod)).collect()
}

fn samples(milli: impl Iterator<Item = Option<i64>>) -> Samples<usize> {
    let sample = |milli| Sample { milli, at: now(), window: SimDuration::from_secs(60) };
    milli.enumerate().filter_map(|(name, milli)| Some((name, sample(milli?)))).collect()
}

fn tolerance(case: &Value) -> Tolerance {
    Tolerance { down: case["tol_down"].as_f64().unwrap_or(0.1), up: case["tol_up"].as_f64().unwrap_or(0.1) }
}

/// The error that the original words so.
fn worded(text: &str) -> Option<MetricError> {
    const WORDS: [(&str, MetricError); 7] = [
        ("matched known pods", MetricError::NoneMatches),
        ("missing request", MetricError::MissingRequest),
        ("missing pod-level request", MetricError::MissingRequest),
        ("did not receive metrics", MetricError::OnlyUncounted),
        ("no pods returned", MetricError::NoPods),
        ("no metrics returned", MetricError::NoSamples),
        ("unable to get metric", MetricError::NoSamples),
    ];
    WORDS.iter().find(|(words, _)| text.contains(words)).map(|(_, error)| *error)
}

fn judge(case: &Value, found: Result<Proposal, MetricError>) -> Verdict {
    if let Some(text) = case["expect_error"].as_str() {
        let Some(expected) = worded(text) else { return Verdict::Failed(format!("unknown error: {text}")) };
        return Verdict::of(found.map(|proposal| proposal.replicas), Err(expected));
    }
    let Ok(found) = found else { return Verdict::Failed(format!("{found:?}")) };
    let expected = |key: &str, found: i64| case[key].as_i64().unwrap_or(found);
    let raw =
        if case["expect_raw_avg_milli"].is_null() { "expect_usage_milli" } else { "expect_raw_avg_milli" };
    let percent = found.utilisation_pct.map_or(0, i64::from);
    let seen = (i64::from(found.replicas), found.usage_milli, percent);
    let wanted = (
        expected("expect_replicas", -1),
        expected(raw, found.usage_milli),
        expected("expect_utilization_pct", percent),
    );
    Verdict::of(seen, wanted)
}

fn resource(case: &Value) -> Verdict {
    let pods = table_pods(case);
    let usage = list(&case["pods"]).iter().map(|pod| pod["usage_milli"].as_i64());
    let mut samples = samples(usage);
    let note = case["note"].as_str().unwrap_or_default();
    if note.contains("match no pod") || note.contains("matches no known pod") {
        let stranger = Sample { milli: 6400, at: now(), window: SimDuration::from_secs(60) };
        samples.extend([(pods.len(), stranger), (pods.len() + 1, stranger)]);
    }
    let trust = Trust::Started(initialisation(120, 10));
    let metric = PodMetric { now: now(), pods: &pods, samples: &samples, trust };
    judge(case, metric.utilisation(number(&case["current"]), number(&case["target_pct"]), tolerance(case)))
}

fn metric_value(case: &Value) -> Verdict {
    judge(case, proposal(case, &table_pods(case), number(&case["current"]), tolerance(case)))
}

/// What a metric that is no resource asks for.
fn proposal(
    metric: &Value,
    pods: &[Pod<usize>],
    current: u32,
    tolerance: Tolerance,
) -> Result<Proposal, MetricError> {
    let values = || list(&metric["values_milli"]).iter().map(Value::as_i64);
    let target = metric["target_milli"].as_i64().unwrap_or(1);
    let total = replicas::total(values().flatten());
    match metric["kind"].as_str().unwrap() {
        "pods_average_value" => {
            let samples = samples(values());
            let metric = PodMetric { now: now(), pods, samples: &samples, trust: Trust::Running };
            metric.average(current, target, tolerance)
        }
        "object_value" | "external_value" => {
            let serving = pods.iter().filter(|pod| pod.serves()).count() as u32;
            Ok(replicas::value(current, serving, total, target, tolerance))
        }
        "object_average_value" | "external_average_value" => {
            Ok(replicas::average_value(current, total, target, tolerance))
        }
        other => panic!("{other} is no kind of metric"),
    }
}

// --- behavior

fn behaves(case: &Value) -> Verdict {
    match case["fn"].as_str().unwrap() {
        "no_behavior_limits" => {
            let found = behavior::limit(number(&case["current"]), number(&case["desired"]), bounds(case));
            judge_limited(case, found)
        }
        "no_behavior_stabilize" => {
            let mut past = recommendations(case);
            let window = seconds(&case["window_s"]);
            let found = behavior::stabilise(now(), window, number(&case["desired"]), &mut past);
            judge_stabilised(case, found, &past)
        }
        "behavior_stabilize" => {
            let mut behavior = Behavior::defaults(seconds(&case["down_window_s"]));
            behavior.up.stabilisation = seconds(&case["up_window_s"]);
            let mut past = recommendations(case);
            let (current, desired) = (number(&case["current"]), number(&case["desired"]));
            let found = behavior.stabilise(now(), current, desired, &mut past);
            judge_stabilised(case, found, &past)
        }
        "behavior_rate_limit" => {
            let (current, desired) = (number(&case["current"]), number(&case["desired"]));
            judge_limited(case, rules(case).limit(now(), current, desired, &moves(case), bounds(case)))
        }
        "rate_limit_up_only" => {
            let found = rules(case).up.rate.up(now(), number(&case["current"]), &moves(case));
            Verdict::of(found, case["expect_limit"].as_i64().unwrap())
        }
        "rate_limit_down_only" => {
            let found = rules(case).down.rate.down(now(), number(&case["current"]), &moves(case));
            Verdict::of(found, case["expect_limit"].as_i64().unwrap())
        }
        "changes_in_period" => {
            let found = changes(&case["events"]).within(now(), seconds(&case["period_s"]));
            Verdict::of(found, case["expect_sum"].as_i64().unwrap())
        }
        _ => Verdict::LeftOut("no such step is known here"),
    }
}

fn bounds(case: &Value) -> Bounds {
    Bounds { min: number(&case["min"]), max: number(&case["max"]) }
}

fn recommendations(case: &Value) -> Recommendations {
    let recommendation = |entry: &Value| (ago(entry["age_s"].as_u64().unwrap()), number(&entry["value"]));
    list(&case["recommendations"]).iter().map(recommendation).collect()
}

fn changes(events: &Value) -> Changes {
    let change = |event: &Value| (ago(event["age_s"].as_u64().unwrap()), number(&event["change"]));
    list(events).iter().map(change).collect()
}

fn moves(case: &Value) -> Moves {
    Moves { up: changes(&case["up_events"]), down: changes(&case["down_events"]) }
}

fn rules(case: &Value) -> Behavior {
    let defaults = Behavior::defaults(behavior::DOWNSCALE_STABILISATION);
    let rules = |side: &Value, defaults: Rules| {
        if side.is_null() { defaults } else { Rules { rate: rate(side), ..defaults } }
    };
    Behavior { up: rules(&case["scale_up"], defaults.up), down: rules(&case["scale_down"], defaults.down) }
}

fn rate(side: &Value) -> RateLimit {
    let policy = |policy: &Value| {
        let value = number(&policy["value"]);
        let change = match policy["type"].as_str().unwrap() {
            "Pods" => Change::Instances(value),
            "Percent" => Change::Percent(value),
            other => panic!("{other} is no type of policy"),
        };
        RatePolicy { change, period: seconds(&policy["period_s"]) }
    };
    let select = match side["select"].as_str().unwrap_or("Max") {
        "Max" => Select::Max,
        "Min" => Select::Min,
        "Disabled" => Select::Disabled,
        other => panic!("{other} selects nothing"),
    };
    RateLimit { select, policies: list(&side["policies"]).iter().map(policy).collect() }
}

/// The condition that the original reports.
fn condition(limited: Limited) -> &'static str {
    match limited {
        Limited::Not => "DesiredWithinRange",
        Limited::ScaleUpLimit => "ScaleUpLimit",
        Limited::ScaleDownLimit => "ScaleDownLimit",
        Limited::TooMany => "TooManyReplicas",
        Limited::TooFew => "TooFewReplicas",
    }
}

fn judge_limited(case: &Value, (replicas, limited): (u32, Limited)) -> Verdict {
    let expected = case["expect_condition"].as_str().unwrap_or(condition(limited));
    Verdict::of((replicas, condition(limited)), (number(&case["expect_replicas"]), expected))
}

fn judge_stabilised(case: &Value, found: u32, past: &Recommendations) -> Verdict {
    let length = case["expect_log_len"].as_u64().map_or(past.len(), |length| length as usize);
    Verdict::of((found, past.len()), (number(&case["expect_replicas"]), length))
}

// --- the controller

fn reconcile(case: &Value) -> Verdict {
    let metrics = list(&case["metrics"]);
    let has_behavior = !case["scale_up"].is_null() || !case["scale_down"].is_null();
    let rules = Ruleset {
        bounds: bounds(case),
        tolerance: 0.1,
        behavior: has_behavior.then(|| rules(case)),
        downscale_stabilisation: behavior::DOWNSCALE_STABILISATION,
        sees_without_pods: metrics.iter().any(sees_without_pods),
    };
    let mut controller = if case["stabilization_disabled"] == true {
        let old = [(SimTime::ZERO, 0)].into_iter().collect();
        Controller::remembering(rules, old, moves(case))
    } else {
        Controller::remembering(rules, Recommendations::default(), moves(case))
    };
    let current = number(&case["current"]);
    let found = controller.reconcile(now(), current, |tolerance| {
        metrics.iter().map(|metric| ask(metric, current, tolerance)).collect()
    });
    let named = condition_of(&found);
    let expected = case["expect_condition"].as_str().or(named);
    Verdict::of((found.replicas, named), (number(&case["expect_replicas"]), expected))
}

fn sees_without_pods(metric: &Value) -> bool {
    let kind = metric["kind"].as_str().unwrap();
    kind.starts_with("object") || kind.starts_with("external")
}

fn condition_of(found: &Reconciled) -> Option<&'static str> {
    match found.verdict {
        Decided::ScalingDisabled => Some("ScalingDisabled"),
        Decided::Measured { limited, .. } => Some(condition(limited)),
        Decided::OutOfBounds | Decided::Unmeasured(_) => None,
    }
}

/// A metric of a fleet whose pods all run and are ready.
fn ask(metric: &Value, current: u32, tolerance: Tolerance) -> Result<Proposal, MetricError> {
    if metric["error"] == true {
        return Err(MetricError::NoSamples);
    }
    let usage = list(&metric["usage_milli"]);
    let pod = |name| Pod { request_milli: metric["request_milli"].as_i64(), ..table_pod(name, &Value::Null) };
    let pods: Vec<_> = (0..usage.len().max(current as usize)).map(pod).collect();
    if metric["kind"] != "resource_cpu_utilization" {
        return proposal(metric, &pods, current, tolerance);
    }
    let samples = samples(usage.iter().map(Value::as_i64));
    let trust = Trust::Started(initialisation(120, 10));
    let resource = PodMetric { now: now(), pods: &pods, samples: &samples, trust };
    resource.utilisation(current, number(&metric["target_pct"]), tolerance)
}
