//! Knative's own expectations of its pod autoscaler.

use ebbflow::scaling::policies::kpa::decider::{BurstCapacity, Decider, DeciderRules, Load};
use ebbflow::scaling::policies::kpa::target::{Metric, Target, TargetRules};
use ebbflow::scaling::policies::kpa::windows::{AverageWindow, Averaging, SlidingMax, smoothing_coefficient};
use ebbflow::scaling::policies::kpa::zero::{Activity, Scale, Standing, ZeroRules};
use ebbflow_actors::{SimDuration, SimTime};
use serde_json::Value;

use super::{Verdict, replay};

#[test]
fn the_decider_decides_as_knatives_tests_expect() {
    replay("knative_kpa_decider.json", decider);
}

#[test]
fn the_way_to_zero_is_as_knatives_tests_expect() {
    replay("knative_scale_to_zero.json", scale_to_zero);
}

#[test]
fn targets_and_windows_are_as_knatives_tests_expect() {
    replay("knative_target_and_windows.json", |case| match case["fn"].as_str() {
        Some("resolve_target") => target(case),
        Some("linear_window_average") => window(case, Averaging::Linear),
        Some("weighted_window_average") => window(case, Averaging::WeightedExponential),
        Some("smoothing_coefficient") => {
            let buckets = case["buckets"].as_u64().unwrap() as usize;
            near(smoothing_coefficient(buckets), number(case, "expect").unwrap(), 1e-4)
        }
        Some("sliding_max") => sliding_max(case),
        _ => Verdict::LeftOut("a function that this test does not know"),
    });
}

fn number(of: &Value, key: &str) -> Option<f64> {
    of[key].as_f64()
}

fn count(of: &Value, key: &str) -> u32 {
    number(of, key).unwrap_or(0.0) as u32
}

fn span(seconds: f64) -> SimDuration {
    SimDuration::from_secs_f64(seconds).unwrap()
}

/// Some cases begin before their zero.
fn at(seconds: f64) -> SimTime {
    SimTime::from_secs_f64(1000.0 + seconds).unwrap()
}

fn near(found: f64, expected: f64, tolerance: f64) -> Verdict {
    if (found - expected).abs() <= tolerance { Verdict::Passed } else { Verdict::of(found, expected) }
}

// --- decider

fn rules(spec: &Value) -> DeciderRules {
    let value = number(spec, "target").unwrap();
    DeciderRules {
        target: Target { value, total: number(spec, "total").unwrap_or(value / 0.75) },
        burst_capacity: BurstCapacity::from_number(number(spec, "tbc").unwrap()),
        panic_threshold: number(spec, "panic_threshold").unwrap(),
        max_scale_up_rate: number(spec, "max_up").unwrap(),
        max_scale_down_rate: number(spec, "max_down").unwrap(),
        stable_window: span(number(spec, "stable_window_s").unwrap()),
        scale_down_delay: span(number(spec, "scale_down_delay_s").unwrap_or(0.0)),
        activation_scale: count(spec, "activation_scale"),
        reachable: spec["reachable"].as_bool().unwrap_or(true),
    }
}

fn decider(case: &Value) -> Verdict {
    let mut spec = case["spec"].clone();
    let ready = count(&spec, "start_ready");
    let mut decider = match case["preset"].as_object() {
        Some(_) => {
            let since = number(&case["preset"], "panic_since_s").map(at);
            Decider::resume(rules(&spec), since, count(&case["preset"], "max_panic_pods"))
        }
        None => Decider::new(rules(&spec), at(0.0), ready),
    };
    for (nth, step) in case["steps"].as_array().unwrap().iter().enumerate() {
        for (key, value) in step["update"].as_object().into_iter().flatten() {
            spec[key] = value.clone();
            decider.update(rules(&spec));
        }
        if let Verdict::Failed(why) = decider_step(&mut decider, step) {
            return Verdict::Failed(format!("step {nth}: {why}"));
        }
    }
    decider_end(&decider, case)
}

fn decider_step(decider: &mut Decider, step: &Value) -> Verdict {
    let fails = |(key, value): (&String, &Value)| key.contains("error") && *value != Value::Bool(false);
    let is_broken = step["ready"].is_null() || step.as_object().unwrap().iter().any(fails);
    let load = (!is_broken).then(|| Load {
        ready: count(step, "ready"),
        stable: number(step, "stable").unwrap(),
        panic: number(step, "panic").unwrap(),
    });
    let wish = decider.decide(at(number(step, "t_s").unwrap()), load);
    let is_valid = step["expect_valid"].as_bool().unwrap_or(true);
    let Some(wish) = wish else { return Verdict::of(false, is_valid) };
    if !is_valid || wish.desired != count(step, "expect_desired") {
        return Verdict::Failed(format!("expected {step}, found {wish:?}"));
    }
    if let Some(expected) = number(step, "expect_ebc")
        && (wish.excess_burst_capacity as f64 - expected).abs() > 1.0
    {
        return Verdict::Failed(format!("expected {step}, found {wish:?}"));
    }
    match step.get("expect_panic_since_s") {
        Some(since) => Verdict::of(decider.panic_since(), since.as_f64().map(at)),
        None => Verdict::Passed,
    }
}

fn decider_end(decider: &Decider, case: &Value) -> Verdict {
    let expected = |key: &str| case[key].as_bool();
    let panics = decider.panic_since().is_some();
    let panic = expected("expect_panic_after").or(expected("expect_start_panic")).unwrap_or(panics);
    let most = number(case, "expect_max_panic_pods").map_or(decider.max_panic_pods(), |pods| pods as u32);
    Verdict::of((panics, decider.max_panic_pods()), (panic, most))
}

// --- scale to zero

/// What the fixture of these cases fixes.
fn zero_rules(case: &Value) -> ZeroRules {
    let seconds = |key: &str, default: f64| span(number(case, key).unwrap_or(default));
    // Said of the revision itself, it goes before what is configured for all.
    let own_retention = case
        .as_object()
        .unwrap()
        .iter()
        .find(|(key, _)| key.starts_with("retention_") && key.as_str() != "retention_cfg_s");
    let own_retention = own_retention.and_then(|(_, value)| value.as_f64()).map(span);
    let deadline = case.as_object().unwrap().iter().find(|(key, _)| key.contains("progress_deadline"));
    let deadline = deadline.and_then(|(_, value)| value.as_f64()).unwrap_or(121.0);
    ZeroRules {
        enabled: case["enable_scale_to_zero"].as_bool().unwrap_or(true),
        stable_window: seconds("pa_window_s", 300.0),
        grace: span(60.0),
        retention: own_retention.unwrap_or(seconds("retention_cfg_s", 0.0)),
        activation_timeout: span(deadline) + ZeroRules::ACTIVATION_BUFFER,
        min: count(case, "min_scale"),
        max: number(case, "max_scale").filter(|most| *most > 0.0).map(|most| most as u32),
        initial_scale: number(case, "initial_scale").map_or(1, |scale| scale as u32),
        reachable: case["reachability"].as_str() != Some("unreachable"),
        always_buffered: number(case, "tbc") == Some(-1.0),
    }
}

fn standing(case: &Value) -> Option<Standing> {
    let activity = match case["pa"].as_str() {
        Some("activating") => Activity::Activating,
        Some("inactive") => Activity::Inactive,
        Some("active") | None => Activity::Active,
        Some(_) => return None,
    };
    let initialized = case.as_object()?.iter().find(|(key, _)| key.contains("initialized"));
    let initialized = initialized.and_then(|(_, value)| value.as_bool());
    Some(Standing {
        activity,
        age: span(number(case, "pa_age_s").unwrap_or(0.0)),
        proxied: number(case, "proxied_for_s").map(span),
        initialized: initialized.unwrap_or(activity == Activity::Active),
    })
}

fn scale_to_zero(case: &Value) -> Verdict {
    let Some(standing) = standing(case) else { return Verdict::LeftOut("a state this test does not know") };
    let desired = u32::try_from(case["scale_to"].as_i64().unwrap()).ok();
    let probe = || match case["probe"].as_str() {
        Some("must_not_be_called") => panic!("{case}"),
        Some("ok" | "true") | None => true,
        Some(_) => false,
    };
    let scale = zero_rules(case).scale(desired, &standing, probe);
    let found = scale.wanted().map_or(-1, i64::from);
    let is_written = matches!(scale, Scale::To(pods) if pods != count(case, "start_replicas"));
    let expected = (case["expect_desired"].as_i64().unwrap(), case["expect_patch"].as_bool().unwrap());
    Verdict::of((found, is_written), expected)
}

// --- targets and windows

fn target(case: &Value) -> Verdict {
    let metric = match case["metric"].as_str() {
        Some("rps") => Metric::RequestsPerS,
        _ => Metric::Concurrency { hard_limit: number(case, "cc").filter(|limit| *limit > 0.0) },
    };
    let rules = TargetRules {
        metric,
        wanted: number(case, "target_annotation"),
        default_concurrency: number(case, "cc_default").unwrap_or(100.0),
        default_requests_per_s: number(case, "rps_default").unwrap_or(200.0),
        utilization: number(case, "util").unwrap(),
    };
    let Target { value, total } = rules.resolve();
    match near(value, number(case, "expect_target").unwrap(), 1e-9) {
        Verdict::Passed => near(total, number(case, "expect_total").unwrap(), 1e-9),
        failed => failed,
    }
}

fn window(case: &Value, averaging: Averaging) -> Verdict {
    let length = |key: &str| span(number(case, key).unwrap());
    let mut window = AverageWindow::new(averaging, length("window_s"), length("granularity_s"));
    for step in case["script"].as_array().unwrap() {
        if let Some([time, value]) = step["record"].as_array().map(Vec::as_slice) {
            window.record(at(time.as_f64().unwrap()), value.as_f64().unwrap());
            continue;
        }
        let Some(time) = number(step, "read") else {
            return Verdict::LeftOut("a step that this test does not know");
        };
        let digits = number(step, "round_digits").unwrap_or(6.0);
        let found = window.average(at(time));
        let verdict = near(found, number(step, "expect").unwrap(), 10_f64.powf(-digits));
        if let Verdict::Failed(why) = verdict {
            return Verdict::Failed(format!("{step}: {why}"));
        }
    }
    Verdict::Passed
}

fn sliding_max(case: &Value) -> Verdict {
    let length = |key: &str| span(number(case, key).unwrap());
    let mut most = SlidingMax::new(length("window_s"), length("granularity_s"));
    let records = case["records"].as_array().unwrap();
    let largest =
        records.iter().map(|record| most.record(at(number(record, "t_s").unwrap()), count(record, "v")));
    Verdict::of(largest.last(), Some(count(case, "expect")))
}
