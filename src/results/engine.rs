//! What the engines of instances counted, summed up. Only `vllm` counts.

use std::collections::{BTreeMap, BTreeSet};

use ebbflow_actors::SimDuration;
use serde::Serialize;

use super::{ApplicationResults, InstanceRecord, Latency};
use crate::ids::Tag;
use crate::instance::continuous::{GapHistogram, Statistics};
use crate::slo::Statistic;

/// What the engines of an application counted, in total and per tag.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct EngineReport {
    /// All of them.
    #[serde(flatten)]
    pub all: EngineFigures,
    /// Those of instances by tag; those without one as `untagged`.
    pub by_tag: BTreeMap<&'static str, EngineFigures>,
}

/// What some engines counted.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct EngineFigures {
    /// Time between two output tokens of a request, over all such gaps and not over means of requests. Quantiles
    /// are those of a histogram, exact to 0.8 %; mean and maximum are exact.
    pub token_gap_s: Latency,
    /// How many gaps.
    pub token_gaps: u64,
    /// Iterations.
    pub iterations: u64,
    /// Times a sequence lost its blocks to others and was computed anew.
    pub preemptions: u64,
    /// Tokens of sequences admitted for the first time, for which the prefix cache was asked.
    pub prefix_queried_tokens: u64,
    /// Those of them that it had.
    pub prefix_hit_tokens: u64,
    /// The share that it had, from 0 to 1; null if it was never asked.
    pub prefix_hit_rate: Option<f64>,
}

impl EngineReport {
    /// Sums up the engines of these applications; none if none of them counts.
    pub fn of(applications: &[&ApplicationResults]) -> Option<Self> {
        let tag = |instance: &InstanceRecord| instance.tag.map_or("untagged", Tag::name);
        let all = counted(applications.iter().copied(), |_| true)?;
        let instances = applications.iter().flat_map(|application| &application.instances);
        let tags: BTreeSet<_> = instances.filter(|instance| instance.engine.is_some()).map(tag).collect();
        let of_tag = |name| Some((name, counted(applications.iter().copied(), |one| tag(one) == name)?));
        let by_tag = tags.into_iter().filter_map(of_tag);
        Some(EngineReport {
            all: EngineFigures::of(&all),
            by_tag: by_tag.map(|(name, sum)| (name, EngineFigures::of(&sum))).collect(),
        })
    }
}

impl EngineFigures {
    fn of(counted: &Statistics) -> Self {
        EngineFigures {
            token_gap_s: Latency::from(&counted.gaps),
            token_gaps: counted.gaps.count(),
            iterations: counted.iterations,
            preemptions: counted.preemptions,
            prefix_queried_tokens: counted.prefix_queried_tokens,
            prefix_hit_tokens: counted.prefix_hit_tokens,
            prefix_hit_rate: hit_rate(counted),
        }
    }
}

/// What the engines of such instances counted together; none if none of them counts.
pub fn counted<'r>(
    applications: impl IntoIterator<Item = &'r ApplicationResults>,
    wanted: impl Fn(&InstanceRecord) -> bool,
) -> Option<Statistics> {
    let instances = applications.into_iter().flat_map(|application| &application.instances);
    let mut counted = instances.filter(|one| wanted(one)).filter_map(|one| one.engine.as_deref());
    let mut sum = counted.next()?.clone();
    counted.for_each(|more| sum.merge(more));
    Some(sum)
}

/// A statistic of all gaps between tokens; none without any.
pub fn gap_statistic_s(gaps: &GapHistogram, statistic: Statistic) -> Option<f64> {
    let any = gaps.count() > 0;
    match statistic {
        Statistic::Mean => any.then(|| gaps.sum_ns() as f64 / gaps.count() as f64 * 1e-9),
        Statistic::Quantile(quantile) => gaps.quantile(quantile).map(SimDuration::as_secs_f64),
        Statistic::Max => any.then(|| gaps.max().as_secs_f64()),
    }
}

/// The share of the tokens asked for that the prefix cache had; none if it was never asked.
pub fn hit_rate(statistics: &Statistics) -> Option<f64> {
    let queried = statistics.prefix_queried_tokens;
    (queried > 0).then(|| statistics.prefix_hit_tokens as f64 / queried as f64)
}

impl From<&GapHistogram> for Latency {
    fn from(gaps: &GapHistogram) -> Self {
        let quantile = |q| gap_statistic_s(gaps, Statistic::Quantile(q));
        Latency {
            mean: gap_statistic_s(gaps, Statistic::Mean),
            p50: quantile(0.5),
            p90: quantile(0.9),
            p99: quantile(0.99),
            max: gap_statistic_s(gaps, Statistic::Max),
        }
    }
}
