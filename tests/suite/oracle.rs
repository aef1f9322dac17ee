//! The bound of all policies: what foresight makes of a load, and what slack makes of its cost.

use std::collections::BTreeMap;

use ebbflow::compare::{Comparison, Contender, Detail, ORACLE, Row, compare, run_count, table};
use ebbflow::registry::Registry;
use proptest::prelude::*;

use crate::support::run::{application, run_trace};
use crate::support::scaling::{assert_all_completed, at, fleet, run_soundly};
use crate::support::scenarios::read;

/// One instance at first, for requests of 0.1 s (prompt) and 1 s (decode); starts take 10 s.
fn ramp(rates: &str) -> String {
    fleet("enable_autoscaling: true, victims: youngest", 4.0, &[])
        .replace("count: 4", "count: 1")
        .replace("actions:\n", "")
        .replace("arrivals: uniform", "arrivals: poisson")
        .replace("rate: 4", &format!("rate: {rates}"))
        .replace("until: 60", "until: 120")
}

const RAMP: &str = "[{at: 0, rate: 2}, {at: 30, rate: 12}, {at: 50, rate: 30}, {at: 80, rate: 8}]";

/// These policies over a scenario, with these objectives; each under two seeds.
fn contenders(yaml: &str, policies: &[&str], slo: &str) -> Vec<Contender> {
    let contender = |policy: &&str| {
        let scenario = |seed: u64| {
            let policy = format!("applications.0.scaling_manager.autoscaling_policy={policy}");
            let overrides = [policy.as_str(), &format!("slo={slo}"), &format!("seed={seed}")];
            read(yaml, &overrides).unwrap_or_else(|problems| panic!("{problems}\nin\n{yaml}"))
        };
        Contender { name: (*policy).to_owned(), scenarios: [1, 2].map(scenario).to_vec() }
    };
    policies.iter().map(contender).collect()
}

fn compared(yaml: &str, policies: &[&str], slo: &str) -> Comparison {
    let comparison = compare(&contenders(yaml, policies, slo), &Registry::builtin(), Detail::Figures, |_| {});
    assert!(comparison.left_out.is_empty(), "{:?}", comparison.left_out);
    comparison
}

#[test]
fn of_all_that_keep_the_objectives_the_oracle_costs_least() {
    let yaml = ramp(RAMP).replace("count: 1", "count: 3");
    let comparison = compared(&yaml, &["none", "threshold", ORACLE], "ttft.p99<1s, tbt.p99<0.05s");
    let rows: BTreeMap<&str, &Row> = comparison.rows.iter().map(|row| (row.name.as_str(), row)).collect();
    assert_eq!(rows[ORACLE].met, Some(true), "{}", table(&comparison));
    assert_eq!(comparison.rows[0].name, ORACLE, "{}", table(&comparison));
    assert_eq!(rows[ORACLE].gap_to_oracle, Some(0.0));
    let kept = comparison.rows.iter().filter(|row| row.met == Some(true));
    assert!(kept.clone().count() > 1, "nobody else keeps them:\n{}", table(&comparison));
    assert!(kept.clone().all(|row| row.gap_to_oracle >= Some(0.0)), "{}", table(&comparison));
}

#[test]
fn a_search_says_what_it_took_and_counts_its_runs() {
    let contenders = contenders(&ramp("4"), &["none", ORACLE], "ttft.p99<1s");
    let seen = std::sync::Mutex::new(Vec::new());
    let comparison =
        compare(&contenders, &Registry::builtin(), Detail::Figures, |done| seen.lock().unwrap().push(done));
    let mut seen = seen.into_inner().unwrap();
    seen.sort_unstable();
    assert_eq!(seen, (1..=seen.len()).collect::<Vec<_>>());
    assert!(seen.len() > 6 && seen.len() <= run_count(&contenders), "{} runs", seen.len());
    let oracle = comparison.rows.iter().find(|row| row.name == ORACLE).unwrap();
    let taken = format!("load_per_instance {}", oracle.load_per_instance.unwrap());
    assert!(table(&comparison).contains(&taken), "{}", table(&comparison));
}

#[test]
fn what_a_burst_needs_is_active_when_it_comes() {
    let rates = "[{at: 0, rate: 2}, {at: 60, rate: 20}, {at: 100, rate: 2}]";
    let policy = "{oracle: {load_per_instance: 0.8}}";
    let yaml = ramp(rates).replace("enable_autoscaling: true", &format!("autoscaling_policy: {policy}"));
    let results = run_soundly(&yaml);
    let newcomers: Vec<_> =
        application(&results).instances.iter().filter(|one| one.created > at(0.0)).collect();
    assert!(newcomers.len() >= 2, "the burst needs more than {} instances", 1 + newcomers.len());
    let in_time = newcomers.iter().filter(|one| one.active.unwrap() <= at(60.1));
    assert!(in_time.count() >= 2);
    for newcomer in newcomers {
        assert!(newcomer.active.unwrap() > at(50.0), "too early: {newcomer:?}");
        assert!(newcomer.draining.unwrap() < at(115.0), "too late: {newcomer:?}");
    }
    assert_all_completed(application(&results));
}

#[test]
fn nobody_is_lost_when_a_start_takes_longer_than_foreseen() {
    let settings = "autoscaling_policy: oracle, min_instances: 0, \
                    cold_start: {warm_up: {uniform: {min: 1, max: 79}}}";
    let yaml = ramp("4").replace("enable_autoscaling: true", settings);
    let mut late = 0;
    for seed in 1..=6 {
        let results = run_trace(&format!("{yaml}seed: {seed}\n"), &[(100.0, 20, 101), (100.5, 20, 101)]);
        assert_all_completed(application(&results));
        let newcomer = &application(&results).instances[1];
        late += usize::from(newcomer.active.unwrap() > at(110.0));
    }
    assert!(late > 0, "no start was late");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    /// What cannot be kept costs more than anything.
    #[test]
    fn more_slack_never_costs_more(
        rates in prop::collection::vec(1u32..25, 3),
        tight_s in 0.15..0.8f64,
        slack in 1.0..4.0f64,
        tbt_s in 0.015..0.1f64,
    ) {
        let [first, second, third] = rates[..] else { unreachable!("three were asked for") };
        let rates = format!("[{{at: 0, rate: {first}}}, {{at: 15, rate: {second}}}, {{at: 30, rate: {third}}}]");
        let yaml = ramp(&rates).replace("until: 120", "until: 45");
        let cost = |limit_s: f64| {
            let slo = format!("ttft.p95<{limit_s}s, tbt.p99<{}s", tbt_s * limit_s / tight_s);
            let mut contenders = contenders(&yaml, &[ORACLE], &slo);
            contenders[0].scenarios.truncate(1);
            let row = compare(&contenders, &Registry::builtin(), Detail::Figures, |_| {}).rows.remove(0);
            let usd: f64 = row.runs.iter().map(|run| run.cost()).sum();
            if row.met == Some(true) { usd } else { f64::INFINITY }
        };
        let (tight, lax) = (cost(tight_s), cost(tight_s * slack));
        prop_assert!(lax <= tight, "{lax} with slack, {tight} without");
    }
}
