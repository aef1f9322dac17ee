//! Ray Serve's `test_autoscaling_policy.py`.

use ebbflow::scaling::damping::Patience;
use ebbflow::scaling::policies::ray_serve::{Delayed, Delays, Factors, Rules};
use ebbflow_actors::{SimDuration, SimTime};
use serde_json::Value;

use super::{Verdict, replay};

#[test]
fn ray_serve_decides_as_its_own_tests_expect() {
    replay("ray_serve.json", run);
}

/// The period of the original's control loop.
const PERIOD_S: f64 = 0.1;

fn run(case: &Value) -> Verdict {
    let small = |name: &str| u32::try_from(case[name].as_u64().unwrap()).unwrap();
    let expected = || ["expect", "expect_target"].iter().find_map(|key| case[key].as_u64()).unwrap() as u32;
    match case["fn"].as_str().unwrap() {
        "apply_scaling_factor" => {
            let desired = case["desired"].as_f64().unwrap();
            Verdict::of(factors(case).scale(small("current"), desired), expected())
        }
        "custom_policy_decision" => {
            let (current, desired) = (small("current"), case["desired"].as_f64().unwrap());
            let wish = rules(case).bounded(factors(case).scale(current, desired));
            Verdict::of(delayed(case).follow(SimTime::ZERO, wish, current), expected())
        }
        "from_zero" => {
            let target = case["target_replicas"].as_u64().unwrap_or(0) as u32;
            Verdict::of(rules(case).from_zero(total(case), target), expected())
        }
        "to_zero_sequence" => {
            Verdict::of(steps_to_zero(case), case["expect_steps_to_zero"].as_u64().unwrap())
        }
        "delayed_startup" => {
            let rules = Rules { target_ongoing_requests: 1.0, factors: FULL, min: 1, max: 200 };
            let wish = rules.desired(total(case), small("running"));
            let delays = Delays { up: SimDuration::ZERO, down: seconds(100_000.0), to_zero: None };
            let mut delayed = Delayed::new(delays, Patience::Clock);
            Verdict::of(delayed.follow(SimTime::ZERO, wish, small("target_replicas")), expected())
        }
        "decision" | "fluctuating" | "bounds_old" | "fractional_down" => {
            Verdict::of(decision(case), expected())
        }
        "smoothing_old" => {
            let (found, range) = (u64::from(decision(case)), &case["expect_range"]);
            let (least, most) = (range[0].as_u64().unwrap(), range[1].as_u64().unwrap());
            if (least..=most).contains(&found) {
                Verdict::Passed
            } else {
                Verdict::Failed(format!("expected {least} to {most}, found {found}"))
            }
        }
        "slow_control_loop" => slow_control_loop(case),
        calls if calls.starts_with("wall_clock") => wall_clock(case),
        _ => Verdict::LeftOut("a function that is not known here"),
    }
}

const FULL: Factors = Factors { up: 1.0, down: 1.0 };

fn total(case: &Value) -> f64 {
    case["total_requests"].as_f64().unwrap()
}

fn seconds(seconds: f64) -> SimDuration {
    SimDuration::from_secs_f64(seconds).unwrap()
}

fn factors(case: &Value) -> Factors {
    let named = |name: &str| case[name].as_f64();
    let both = named("factor").unwrap_or(1.0);
    let applies = |to: &str| case["applies_to"].as_str().is_none_or(|given| given == "both" || given == to);
    let share = |to| if applies(to) { both } else { 1.0 };
    Factors {
        up: named("up_factor").unwrap_or(share("up_only")),
        down: named("down_factor").unwrap_or(share("down_only")),
    }
}

fn rules(case: &Value) -> Rules {
    let bound = |name: &str, default: u32| case[name].as_u64().map_or(default, |bound| bound as u32);
    Rules {
        target_ongoing_requests: case["target_ongoing"].as_f64().unwrap_or(1.0),
        factors: factors(case),
        min: bound("min", 0),
        max: bound("max", u32::MAX),
    }
}

fn delayed(case: &Value) -> Delayed {
    let named = |name: &str| case[name].as_f64();
    let both = named("delay_s").or(named("delays")).unwrap_or(0.0);
    let delays = Delays {
        up: seconds(named("up_delay_s").unwrap_or(both)),
        down: seconds(named("down_delay_s").unwrap_or(both)),
        to_zero: named("to_zero_delay_s").or(named("downscale_to_zero_delay_s")).map(seconds),
    };
    Delayed::new(delays, Patience::Clock)
}

/// One call of the policy.
fn decision(case: &Value) -> u32 {
    let running = case["running"].as_u64().unwrap() as u32;
    let target = case["target_replicas"].as_u64().map_or(running, |target| target as u32);
    let total = case["total_requests"].as_f64();
    let total = total.unwrap_or_else(|| case["load_ratio"].as_f64().unwrap() * f64::from(running));
    let wish = rules(case).desired(total, running);
    delayed(case).follow(SimTime::ZERO, wish, target)
}

fn steps_to_zero(case: &Value) -> u64 {
    let mut current = case["start"].as_u64().unwrap() as u32;
    let (rules, mut delayed) = (rules(case), delayed(case));
    for step in 0..100 {
        if current == 0 {
            return step;
        }
        current = delayed.follow(SimTime::ZERO, rules.desired(total(case), current), current);
    }
    u64::MAX
}

/// Calls at given times with the same wish.
fn wall_clock(case: &Value) -> Verdict {
    let (mut delayed, calls) = (delayed(case), case["calls"].as_array().unwrap());
    let mut target = case["start"].as_u64().unwrap() as u32;
    let desired = case["desired"].as_u64().unwrap() as u32;
    let (mut found, mut expected) = (Vec::new(), Vec::new());
    for call in calls {
        let at = SimTime::ZERO + seconds(call[0].as_f64().unwrap());
        target = delayed.follow(at, desired, target);
        found.push(u64::from(target));
        expected.push(call[1].as_u64().unwrap());
    }
    Verdict::of(found, expected)
}

/// A loop that is called too rarely fires on time by the clock; counting its calls it would not.
fn slow_control_loop(case: &Value) -> Verdict {
    let (period_s, range) = (case["loop_period_s"].as_f64().unwrap(), &case["expect_fire_between_s"]);
    let (least_s, most_s) = (range[0].as_f64().unwrap(), range[1].as_f64().unwrap());
    let delay = seconds(case["delay_s"].as_f64().unwrap());
    let delays = Delays { up: delay, down: delay, to_zero: None };
    let fires_s = |measure| {
        let mut delayed = Delayed::new(delays, measure);
        let times = (0..10_000).map(|call| f64::from(call) * period_s);
        let mut fired = times.filter(|&at_s| delayed.follow(SimTime::ZERO + seconds(at_s), 2, 1) == 2);
        fired.next().unwrap()
    };
    let (clock_s, counter_s) =
        (fires_s(Patience::Clock), fires_s(Patience::Decisions { period: seconds(PERIOD_S) }));
    if (least_s..=most_s).contains(&clock_s) && counter_s > most_s {
        Verdict::Passed
    } else {
        Verdict::Failed(format!("expected {least_s} to {most_s} s, found {clock_s} s and {counter_s} s"))
    }
}
