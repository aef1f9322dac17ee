//! The ancestor's autoscaling policies: to the bit where that is asked for, and mended where it is not.
//!
//! Every mend has a test that shows the defect in the faithful arithmetic first.

use ebbflow::ids::Tag;
use ebbflow::instance::InstanceStatus;
use ebbflow::registry::{Registry, Setting, Settings};
use ebbflow::scaling::damping::Cooldown;
use ebbflow::scaling::metrics::{GatewaySample, Monitor, Sample, Served};
use ebbflow::scaling::policies::ancestor::heteroscale::HeteroScale;
use ebbflow::scaling::policies::ancestor::hpa_gpu::HpaGpu;
use ebbflow::scaling::policies::ancestor::rule::{Action, Metrics, Rested, Rule, Sizes, Verdict};
use ebbflow::scaling::{Counting, Observation};
use ebbflow::scenario::{Scenario, from_yaml};
use ebbflow_actors::SimDuration;
use proptest::prelude::*;
use serde_json::Value;

use crate::support::golden::{RESTS_ON_DEFECTS, cases, name};
use crate::support::policies::{Bench, Second};
use crate::support::scaling::at;

const PROMPT: Option<Tag> = Some(Tag::Prompt);
const TOKEN: Option<Tag> = Some(Tag::Token);
const MIXED: Option<Tag> = Some(Tag::Mixed);
const POLICIES: [&str; 5] = ["heteroscale", "hpa_gpu", "independent_tps", "pure_latency", "latency"];

fn faithful() -> (&'static str, Setting) {
    ("faithful", Setting::Flag(true))
}

fn number(name: &'static str, value: f64) -> (&'static str, Setting) {
    (name, Setting::Number(value))
}

/// The mended policy and the faithful one, over the same fleet.
fn both(policy: &str, settings: &[(&'static str, Setting)], fleet: &[(Option<Tag>, u32)]) -> (Bench, Bench) {
    let mended = Bench::new(policy, settings, fleet);
    let settings: Vec<_> = settings.iter().cloned().chain([faithful()]).collect();
    (mended, Bench::new(policy, &settings, fleet))
}

// --- the ancestor's own decisions

pub fn load(case: &std::path::Path, more: &[&str]) -> Scenario {
    let text = std::fs::read_to_string(case.join("config.yaml")).unwrap();
    let trace = format!("trace.path={}", case.join("trace.csv").display());
    let overrides: Vec<String> = more.iter().map(|&given| given.to_owned()).chain([trace]).collect();
    from_yaml("config.yaml", &text, case, &overrides, &Registry::builtin())
        .unwrap_or_else(|problems| panic!("{problems}"))
}

pub fn policy_cases() -> Vec<std::path::PathBuf> {
    cases().into_iter().filter(|case| RESTS_ON_DEFECTS.contains(&name(case).as_str())).collect()
}

fn metrics(seen: &Value) -> (Sizes, Metrics) {
    let number = |key: &str| seen[key].as_f64();
    let count = |key: &str| seen[key].as_u64().unwrap() as u32;
    let sizes = Sizes { prompt: count("current_prompt_instances"), token: count("current_token_instances") };
    let metrics = Metrics {
        decode_tps: number("decode_tps"),
        prefill_tps: number("prefill_tps"),
        prefill_util: number("prefill_gpu_util"),
        decode_util: number("decode_gpu_util"),
        ttft_s: number("ttft"),
        tbt_s: number("tbt"),
    };
    (sizes, metrics)
}

fn replay(rule: &dyn Rule, settings: &Settings, decisions: &[Value]) {
    let mut cooldown =
        Cooldown::new(settings.seconds("scale_out_cooldown"), settings.seconds("scale_in_cooldown"));
    for entry in decisions {
        let now = at(entry["metrics"]["timestamp"].as_f64().unwrap());
        let (sizes, seen) = metrics(&entry["metrics"]);
        let rested = Rested { out: cooldown.may_scale_out(now), into: cooldown.may_scale_in(now) };
        let Verdict { action, sizes, reason } = rule.faithful(sizes, &seen, rested);
        let action = match action {
            Action::Out => {
                cooldown.scaled_out(now);
                "scale_out"
            }
            Action::In => {
                cooldown.scaled_in(now);
                "scale_in"
            }
            Action::Stay => "no_change",
        };
        let target = |key: &str| entry[key].as_u64().unwrap() as u32;
        let expected = (entry["decision"].as_str().unwrap(), target("target_prompt"), target("target_token"));
        assert_eq!((action, sizes.prompt, sizes.token), expected, "at {now}: {entry}");
        assert_eq!(reason, entry["reason"].as_str().unwrap(), "at {now}");
    }
}

#[test]
fn every_decision_of_the_ancestor_is_replayed_exactly() {
    for case in policy_cases() {
        let scenario = load(&case, &[]);
        let policy = &scenario.applications[0].scaling.as_ref().unwrap().policies[0];
        let text = std::fs::read_to_string(case.join("decisions.json")).unwrap();
        let decisions: Vec<Value> = serde_json::from_str(&text).unwrap();
        let rule: Box<dyn Rule> = match policy.name.as_str() {
            "heteroscale" => Box::new(HeteroScale::new(&policy.settings).unwrap()),
            "hpa_gpu" => Box::new(HpaGpu::new(&policy.settings).unwrap()),
            other => panic!("{}: {other}", name(&case)),
        };
        replay(rule.as_ref(), &policy.settings, &decisions);
        println!("{}: {} decisions agree", name(&case), decisions.len());
    }
}

// --- the defects, and their mends

fn idle() -> Second {
    Second { memory: (60, 60), ..Second::default() }
}

fn tokens(per_s: u64) -> Second {
    Second { output_tokens: per_s, tbt_s: Some(0.02), ttft_s: Some(0.1), ..idle() }
}

fn late(per_s: u64, tbt_s: f64) -> Second {
    Second { tbt_s: Some(tbt_s), ..tokens(per_s) }
}

#[test]
fn a_panic_adds_instances_to_small_pools_too() {
    let (mut mended, mut faithful) = both("heteroscale", &[], &[(PROMPT, 2), (TOKEN, 4)]);
    assert_eq!(faithful.pass(60, late(400, 0.09)).wants(), Some((2, 4)), "2.4 and 4.8, cut off");
    assert_eq!(mended.pass(60, late(400, 0.09)).wants(), Some((3, 5)));
}

#[test]
fn a_panic_does_not_hide_what_the_load_needs() {
    let (mut mended, mut faithful) = both("heteroscale", &[], &[(PROMPT, 1), (TOKEN, 1)]);
    assert_eq!(faithful.pass(60, late(900, 0.09)).wants(), Some((1, 1)), "instead of nine");
    assert_eq!(faithful.pass(10, tokens(900)).wants(), None, "and its cooldown is spent");
    assert_eq!(mended.pass(60, late(900, 0.09)).wants(), Some((3, 9)));
}

#[test]
fn an_idle_fleet_keeps_an_instance_for_prompts() {
    for policy in ["heteroscale", "hpa_gpu", "independent_tps"] {
        // Utilisation is 0 only of a model without weights.
        let idle = Second { memory: (0, 0), ..Second::default() };
        let (mut mended, mut faithful) = both(policy, &[], &[(PROMPT, 2), (TOKEN, 3)]);
        assert_eq!(faithful.pass(60, idle).wants(), Some((0, 1)), "{policy}");
        assert_eq!(mended.pass(60, idle).wants(), Some((1, 1)), "{policy}");
    }
}

#[test]
fn a_pool_without_instances_gets_one() {
    for policy in POLICIES {
        let mut mended = Bench::new(policy, &[], &[(PROMPT, 0), (TOKEN, 1)]);
        assert_eq!(mended.pass(60, tokens(50)).wanted(PROMPT), Some(1), "{policy}");
    }
}

#[test]
fn what_is_starting_is_not_ordered_again() {
    let rests = [number("scale_out_cooldown", 1.0)];
    for (policy, second) in [
        ("heteroscale", tokens(2000)),
        ("independent_tps", Second { arrivals: 300, ..tokens(1000) }),
        ("hpa_gpu", Second { memory: (100, 100), busy: (100, 100), ..idle() }),
        ("pure_latency", late(100, 0.09)),
        ("latency", Second { ttft_s: Some(9.0), ..idle() }),
    ] {
        let (mut mended, mut faithful) = both(policy, &rests, &[(PROMPT, 6), (TOKEN, 6)]);
        let first = faithful.pass(60, second).decide();
        let ordered: u32 = first.targets.iter().map(|target| target.wanted.saturating_sub(6)).sum();
        assert!(ordered > 0, "{policy}: {first:?}");
        faithful.add(&[(PROMPT, 30), (TOKEN, 30)], InstanceStatus::ScalingUp);
        let again = faithful.pass(10, second).decide();
        assert_eq!(again.targets, first.targets, "{policy} orders the same once more");
        assert!(again.targets.iter().all(|target| target.counting == Counting::Ready));

        let wanted = mended.pass(60, second).wants().unwrap();
        let starting = [(PROMPT, wanted.0 - 6), (TOKEN, wanted.1 - 6)];
        assert!(starting[0].1 + starting[1].1 > 0, "{policy}: {wanted:?}");
        mended.add(&starting, InstanceStatus::ScalingUp);
        assert_eq!(mended.pass(10, second).wants(), Some(wanted), "{policy} waits for what it ordered");
    }
}

#[test]
fn mixed_and_untagged_instances_count() {
    let (mut mended, mut faithful) =
        both("heteroscale", &[], &[(PROMPT, 2), (TOKEN, 1), (MIXED, 4), (None, 1)]);
    assert_eq!(faithful.pass(60, tokens(600)).wants(), Some((1, 5)), "it sees one token instance");
    assert_eq!(mended.pass(60, tokens(600)).wants(), Some((2, 1)), "six generate tokens");
}

#[test]
fn a_fleet_without_pools_is_sized_as_one_and_faithfully_refused() {
    for policy in POLICIES {
        let mut mended = Bench::new(policy, &[], &[(None, 2)]);
        let second = Second { arrivals: 30, memory: (98, 98), busy: (95, 95), ..late(600, 0.09) };
        let second = Second { ttft_s: Some(9.0), ..second };
        let wanted = mended.pass(60, second).wanted(None);
        assert!(wanted > Some(2), "{policy}: {wanted:?}");
        let refused = std::panic::catch_unwind(|| Bench::new(policy, &[faithful()], &[(None, 2)])).is_err();
        assert!(refused, "{policy}");
    }
}

#[test]
fn only_a_decision_that_changes_something_uses_up_the_cooldown() {
    let (mut mended, mut faithful) = both("heteroscale", &[], &[(PROMPT, 1), (TOKEN, 1)]);
    assert_eq!(faithful.pass(60, idle()).wants(), Some((0, 1)));
    faithful.set_fleet(&[(PROMPT, 1), (TOKEN, 5)], InstanceStatus::Active);
    assert_eq!(faithful.pass(70, idle()).wants(), None, "it rests");
    assert_eq!(mended.pass(60, idle()).wants(), Some((1, 1)), "as it is");
    mended.set_fleet(&[(PROMPT, 1), (TOKEN, 5)], InstanceStatus::Active);
    assert_eq!(mended.pass(70, idle()).wants(), Some((1, 1)), "four go");
}

#[test]
fn no_request_completed_is_not_a_low_latency() {
    let fleet = [(PROMPT, 40), (TOKEN, 40)];
    let (mut mended, mut faithful) = both("latency", &[], &fleet);
    assert_eq!(faithful.pass(60, idle()).wants(), Some((38, 40)));
    assert_eq!(mended.pass(60, idle()).wants(), Some((40, 40)));
}

#[test]
fn small_pools_move_by_one_at_least() {
    for (size, ttft_s, was, is) in [(2, 1.3, 2, 3), (4, 1.15, 4, 5), (10, 0.5, 10, 9), (20, 0.5, 19, 19)] {
        let (mut mended, mut faithful) = both("latency", &[], &[(PROMPT, size), (TOKEN, 2)]);
        let second = Second { ttft_s: Some(ttft_s), tbt_s: Some(0.01), ..idle() };
        assert_eq!(faithful.pass(60, second).wants(), Some((was, 2)), "{size} at {ttft_s} s");
        assert_eq!(mended.pass(60, second).wants(), Some((is, 2)), "{size} at {ttft_s} s");
    }
    let time_between_tokens = [("latency_type", Setting::from("tbt")), number("target_latency", 0.04)];
    let (mut mended, _) = both("latency", &time_between_tokens, &[(PROMPT, 2), (TOKEN, 2)]);
    assert_eq!(mended.pass(60, late(10, 0.09)).wants(), Some((2, 3)), "the token pool's");
}

#[test]
fn the_latency_is_the_percentile_that_was_promised() {
    let (mut mended, mut faithful) = both("pure_latency", &[], &[(PROMPT, 2), (TOKEN, 2)]);
    for bench in [&mut mended, &mut faithful] {
        for _ in 0..10 {
            bench.pass(4, late(10, 0.04)).pass(2, late(10, 0.09));
        }
    }
    assert_eq!(faithful.wants(), None, "the median is as it should be");
    assert_eq!(mended.wants(), Some((4, 4)), "one in three is late");
}

#[test]
fn each_pool_goes_by_its_own_utilisation() {
    let second = Second { memory: (100, 60), busy: (100, 0), ..idle() };
    let settings = [number("target_decode_util", 1.0)];
    let (mut mended, mut faithful) = both("hpa_gpu", &settings, &[(PROMPT, 4), (TOKEN, 4)]);
    assert_eq!(faithful.pass(60, second).wants(), Some((6, 2)), "scaling out, it takes two away");
    assert_eq!(mended.pass(60, second).wants(), Some((6, 1)), "nothing is in the token instances");
    let settings = [number("target_prefill_util", 1.0), number("target_decode_util", 1.0)];
    let second = Second { busy: (100, 0), memory: (100, 60), ..idle() };
    let (mut mended, mut faithful) = both("hpa_gpu", &settings, &[(PROMPT, 4), (TOKEN, 4)]);
    assert_eq!(faithful.pass(60, second).wants(), None, "shrinks both or none");
    assert_eq!(mended.pass(60, second).wants(), Some((4, 1)));
}

#[test]
fn the_slo_violation_rate_counts() {
    let mut monitor = Monitor::new(SimDuration::from_secs(60));
    let served = |ttft_ms| Served {
        at: at(5.0),
        queue: SimDuration::ZERO,
        ttft: SimDuration::from_millis(ttft_ms),
        decode: SimDuration::from_secs(1),
        output_tokens: 10,
    };
    let all = vec![served(100), served(3_000), served(200), served(300)];
    monitor.record(Sample::Gateway(GatewaySample { at: at(10.0), served: all, ..GatewaySample::default() }));
    let slo = "ttft.p99<1s".parse().unwrap();
    let seen = Observation::new(at(10.0), &[], &monitor).with_slo(Some(&slo));
    assert_eq!(seen.since_last().violation_rate(), Some(0.25));
}

// --- whatever they see

fn second() -> impl Strategy<Value = Second> {
    let latency = || prop::option::of(0.0..10.0f64);
    let percent = || (0u64..=100, 0u64..=100);
    (0u64..400, 0u64..5000, latency(), latency(), percent(), percent()).prop_map(
        |(arrivals, output_tokens, ttft_s, tbt_s, memory, busy)| Second {
            arrivals,
            output_tokens,
            tbt_s,
            ttft_s,
            memory,
            busy,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn bounds_are_kept_and_decisions_are_the_same_every_time(
        seconds in prop::collection::vec(second(), 1..12),
        fleet in (2u32..20, 2u32..20),
        faithful in any::<bool>(),
        cooldown in 0.0..40.0f64,
    ) {
        let settings = [
            ("faithful", Setting::Flag(faithful)),
            number("scale_out_cooldown", cooldown),
            number("scale_in_cooldown", cooldown),
            number("min_instances", 2.0),
            number("max_instances", 20.0),
        ];
        let pools = |(prompt, token)| [(PROMPT, prompt), (TOKEN, token)];
        for policy in POLICIES {
            let new = || Bench::new(policy, &settings, &pools(fleet));
            let (mut one, mut other) = (new(), new());
            let mut fleet = fleet;
            for &second in &seconds {
                let decision = one.pass(10, second).decide();
                prop_assert_eq!(&decision, &other.pass(10, second).decide());
                for target in &decision.targets {
                    let least = if faithful && target.tag == PROMPT { 0 } else { 2 };
                    prop_assert!((least..=20).contains(&target.wanted), "{policy}: {target:?}");
                    match target.tag {
                        PROMPT => fleet.0 = target.wanted,
                        _ => fleet.1 = target.wanted,
                    }
                }
                one.set_fleet(&pools(fleet), InstanceStatus::Active);
                other.set_fleet(&pools(fleet), InstanceStatus::Active);
            }
        }
    }
}
