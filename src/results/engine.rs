//! What the engines of instances counted, summed up. Only `vllm` counts.

use ebbflow_actors::SimDuration;
use serde::Serialize;

use super::{ApplicationResults, Latency};
use crate::instance::continuous::{GapHistogram, Statistics};

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
        let instances = applications.iter().flat_map(|application| &application.instances);
        let mut counted = instances.filter_map(|instance| instance.engine.as_deref());
        let mut sum = counted.next()?.clone();
        counted.for_each(|more| sum.merge(more));
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

/// The share of the tokens asked for that the prefix cache had; none if it was never asked.
pub fn hit_rate(statistics: &Statistics) -> Option<f64> {
    let queried = statistics.prefix_queried_tokens;
    (queried > 0).then(|| statistics.prefix_hit_tokens as f64 / queried as f64)
}

impl From<&GapHistogram> for Latency {
    fn from(gaps: &GapHistogram) -> Self {
        let quantile = |q| gaps.quantile(q).map(SimDuration::as_secs_f64);
        let any = gaps.count() > 0;
        Latency {
            mean: any.then(|| gaps.sum_ns() as f64 / gaps.count() as f64 * 1e-9),
            p50: quantile(0.5),
            p90: quantile(0.9),
            p99: quantile(0.99),
            max: any.then(|| gaps.max().as_secs_f64()),
        }
    }
}
