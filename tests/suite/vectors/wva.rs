//! The Workload Variant Autoscaler's tests of its analyzers, optimizer and enforcer.

use ebbflow::scaling::policies::wva::optimizer::{Offer, cost_aware};
use ebbflow::scaling::policies::wva::saturation::{Advice, Load, Thresholds, Variant, analyse, targets};
use ebbflow::scaling::policies::wva::tokens::{
    EngineLimits, Full, Lengths, TokenLoad, absent_capacity, derived_capacity, replica_capacity,
};
use ebbflow::scaling::policies::wva::zero::enforce;
use serde_json::{Map, Value};

use super::{Verdict, replay};

#[test]
fn the_variant_autoscaler_decides_as_its_own_tests_expect() {
    replay("llmd_wva.json", run);
}

fn run(case: &Value) -> Verdict {
    match case["fn"].as_str().unwrap() {
        "saturation" => saturation(case),
        "targets" => {
            let variants: Vec<Variant> = rows(case, "variants").map(variant).collect();
            let found = targets(advice(case), &variants);
            let names: Vec<&str> = variants.iter().map(|variant| variant.name.as_str()).collect();
            Verdict::of(named(&names, &found), expected_targets(case))
        }
        "cost_aware" => {
            let offers: Vec<Offer> = rows(case, "variants").map(offer).collect();
            let found =
                cost_aware(number(case, "required_capacity"), number(case, "spare_capacity"), &offers);
            let names: Vec<&str> = offers.iter().map(|offer| offer.name.as_str()).collect();
            Verdict::of(named(&names, &found), expected_targets(case))
        }
        "per_replica_capacity" => Verdict::of(capacity(case), case["expect"].as_f64()),
        "enforce_zero_policy" => zero_policy(case),
        _ => Verdict::LeftOut("a function that is not known here"),
    }
}

fn number(case: &Value, name: &str) -> f64 {
    case[name].as_f64().unwrap_or_else(|| panic!("no number {name} in {case}"))
}

fn rows<'c>(case: &'c Value, name: &str) -> impl Iterator<Item = &'c Value> {
    case[name].as_array().unwrap().iter()
}

fn named(names: &[&str], targets: &[u32]) -> Map<String, Value> {
    names.iter().zip(targets).map(|(name, &target)| ((*name).to_owned(), target.into())).collect()
}

fn expected_targets(case: &Value) -> Map<String, Value> {
    case["expect_targets"].as_object().unwrap().clone()
}

fn saturation(case: &Value) -> Verdict {
    let config = &case["config"];
    let thresholds = Thresholds {
        kv: number(config, "kv_threshold"),
        queue: number(config, "queue_threshold"),
        kv_spare: number(config, "kv_spare_trigger"),
        queue_spare: number(config, "queue_spare_trigger"),
    };
    let loads: Vec<Load> = rows(case, "replicas")
        .map(|replica| Load { kv: number(replica, "kv"), queue: number(replica, "queue") })
        .collect();
    let found = analyse(&loads, &thresholds);
    let flag = |name: &str, found: bool| case[name].as_bool().is_none_or(|expected| expected == found);
    let count =
        |name: &str, found: usize| case[name].as_u64().is_none_or(|expected| expected == found as u64);
    let share =
        |name: &str, found: f64| case[name].as_f64().is_none_or(|expected| (expected - found).abs() < 1e-9);
    let all = flag("expect_scale_up", found.advice == Advice::Grow)
        && flag("expect_scale_down_safe", found.advice == Advice::ShrinkIsSafe)
        && count("expect_total", found.replicas)
        && count("expect_non_saturated", found.unsaturated)
        && share("expect_avg_spare_kv", found.spare_kv)
        && share("expect_avg_spare_queue", found.spare_queue);
    if all { Verdict::Passed } else { Verdict::Failed(format!("{found:?}")) }
}

fn advice(case: &Value) -> Advice {
    match (case["should_scale_up"].as_bool(), case["scale_down_safe"].as_bool()) {
        (Some(true), _) => Advice::Grow,
        (_, Some(true)) => Advice::ShrinkIsSafe,
        _ => Advice::Stay,
    }
}

fn variant(row: &Value) -> Variant {
    let count = |name| number(row, name) as u32;
    Variant {
        name: row["name"].as_str().unwrap().to_owned(),
        cost: number(row, "cost"),
        current: count("current"),
        with_metrics: count("replicas_with_metrics"),
        pending: row["pending"].as_u64().unwrap_or(0) as u32,
        // 0 means that none was ever wanted.
        desired: Some(count("desired")).filter(|&desired| desired > 0),
    }
}

fn offer(row: &Value) -> Offer {
    Offer {
        name: row["name"].as_str().unwrap().to_owned(),
        cost: number(row, "cost"),
        current: number(row, "current") as u32,
        replica_capacity: number(row, "per_replica_capacity"),
    }
}

fn capacity(case: &Value) -> Option<f64> {
    let lengths = Lengths { input: number(case, "avg_in"), output: number(case, "avg_out") };
    let limits = case["max_batched_tokens"].as_f64().map(|max_batched_tokens| EngineLimits {
        max_batched_tokens,
        max_num_seqs: number(case, "max_num_seqs"),
    });
    let derived = limits.and_then(|limits| derived_capacity(limits, lengths));
    let kv = number(case, "kv_threshold");
    let Some(in_use) = case["tokens_in_use"].as_f64() else {
        let by_memory = case["kv_tokens"].as_f64().map(|tokens| tokens * kv);
        return derived.map(|derived| absent_capacity(derived, by_memory, case["compatible_live"].as_f64()));
    };
    let full = Full { kv, queue: number(case, "queue_threshold") };
    let load = TokenLoad { in_use, kv_tokens: number(case, "kv_tokens"), queue: number(case, "queue") };
    Some(replica_capacity(&load, full, case["history"].as_f64(), derived))
}

fn zero_policy(case: &Value) -> Verdict {
    let asked = case["targets"].as_object().unwrap();
    let names: Vec<&str> = asked.keys().map(String::as_str).collect();
    let targets: Vec<u32> = asked.values().map(|target| target.as_u64().unwrap() as u32).collect();
    let variants: Vec<(&str, f64)> =
        names.iter().map(|name| (*name, case["costs"][name].as_f64().unwrap_or(f64::MAX))).collect();
    let scale_to_zero = case["scale_to_zero"].as_bool().unwrap();
    let found = enforce(&targets, &variants, scale_to_zero, case["requests_in_retention"].as_f64());
    let applied = case["expect_applied"].as_bool().unwrap_or(found.applied);
    Verdict::of((named(&names, &found.targets), found.applied), (expected_targets(case), applied))
}
