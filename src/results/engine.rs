//! What the engines of instances counted, summed up. Only `vllm` counts.

use ebbflow_actors::SimDuration;
use serde::Serialize;

use super::{ApplicationResults, Latency};
use crate::instance::continuous::{GapHistogram, Statistics};
use crate::slo::Statistic;

/// What the engines of an application counted.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct EngineReport {
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
        let sum = counted(applications.iter().copied())?;
        let queried = sum.prefix_queried_tokens;
        Some(EngineReport {
            token_gap_s: Latency::from(&sum.gaps),
            token_gaps: sum.gaps.count(),
            iterations: sum.iterations,
            preemptions: sum.preemptions,
            prefix_queried_tokens: queried,
            prefix_hit_tokens: sum.prefix_hit_tokens,
            prefix_hit_rate: hit_rate(&sum),
        })
    }
}

/// What the engines of these applications counted together; none if none of them counts.
pub fn counted<'r>(applications: impl IntoIterator<Item = &'r ApplicationResults>) -> Option<Statistics> {
    let instances = applications.into_iter().flat_map(|application| &application.instances);
    let mut counted = instances.filter_map(|instance| instance.engine.as_deref());
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
