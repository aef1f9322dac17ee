//! The figures of a group of requests: those of an application, a class, a tenant, or all. What became of them,
//! their tokens, their latencies.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Figures, Statistics, Tally};
use crate::request::Fate;

/// The figures of some of the requests.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct GroupFigures {
    /// What became of them.
    pub requests: RequestCounts,
    /// Prompt tokens of the completed ones.
    pub prompt_tokens: u64,
    /// Output tokens of the completed ones.
    pub output_tokens: u64,
    /// Time to first token.
    pub ttft_s: Latency,
    /// Time between tokens, the ancestor's: (E2E − TTFT) / output tokens.
    pub tbt_s: Latency,
    /// Time per output token, the field's: (E2E − TTFT) / (output tokens − 1).
    pub tpot_s: Latency,
    /// The longest wait of a request between two of its output tokens; null where the engine does not tell.
    pub longest_gap_s: Latency,
    /// End-to-end response time.
    pub e2e_s: Latency,
    /// Wait before the prompt was first worked on.
    pub queue_s: Latency,
}

/// What became of the requests.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct RequestCounts {
    /// All that arrived: the sum of the next three, unless a fault lost track.
    pub arrived: u64,
    /// Served in full.
    pub completed: u64,
    /// Refused or given up.
    pub rejected: u64,
    /// Still somewhere when the run ended.
    pub unfinished: u64,
    /// Rejected ones by reason.
    pub rejected_by_reason: BTreeMap<&'static str, u64>,
    /// Unfinished ones by where they stood.
    pub unfinished_by_stage: BTreeMap<&'static str, u64>,
}

/// How a latency is distributed, in seconds; null without completed requests.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize)]
pub struct Latency {
    /// Arithmetic mean.
    pub mean: Option<f64>,
    /// Median.
    pub p50: Option<f64>,
    /// 90th percentile.
    pub p90: Option<f64>,
    /// 99th percentile.
    pub p99: Option<f64>,
    /// Largest.
    pub max: Option<f64>,
}

impl GroupFigures {
    /// Sums up these requests, whose statistics are these.
    pub(super) fn of<'a>(tallies: impl Iterator<Item = &'a Tally> + Clone, figures: &Figures) -> Self {
        let latency = |column| Latency::from(figures.column(column));
        let served = || tallies.clone().flat_map(|tally| &tally.served);
        GroupFigures {
            requests: tallies.clone().map(|tally| &tally.counts).sum(),
            prompt_tokens: served().map(|request| u64::from(request.prompt_tokens)).sum(),
            output_tokens: served().map(|request| u64::from(request.output_tokens)).sum(),
            ttft_s: latency("ttft_times"),
            tbt_s: latency("tbt_times"),
            tpot_s: Latency::from(figures.tpot_s.as_ref()),
            longest_gap_s: Latency::from(figures.longest_gap_s.as_ref()),
            e2e_s: latency("response_times"),
            queue_s: latency("queue_times"),
        }
    }
}

impl RequestCounts {
    /// Counts a request.
    pub fn note(&mut self, fate: &Fate) {
        self.arrived += 1;
        match fate {
            Fate::Completed => self.completed += 1,
            Fate::Rejected(reason) => {
                self.rejected += 1;
                *self.rejected_by_reason.entry(reason.name()).or_default() += 1;
            }
            Fate::Unfinished(stage) => {
                self.unfinished += 1;
                *self.unfinished_by_stage.entry(stage.name()).or_default() += 1;
            }
        }
    }
}

impl<'a> std::iter::Sum<&'a RequestCounts> for RequestCounts {
    fn sum<I: Iterator<Item = &'a RequestCounts>>(counts: I) -> Self {
        let add = |sum: &mut BTreeMap<&'static str, u64>, more: &BTreeMap<&'static str, u64>| {
            more.iter().for_each(|(why, count)| *sum.entry(why).or_default() += count);
        };
        counts.fold(RequestCounts::default(), |mut sum, counts| {
            sum.arrived += counts.arrived;
            sum.completed += counts.completed;
            sum.rejected += counts.rejected;
            sum.unfinished += counts.unfinished;
            add(&mut sum.rejected_by_reason, &counts.rejected_by_reason);
            add(&mut sum.unfinished_by_stage, &counts.unfinished_by_stage);
            sum
        })
    }
}

impl Latency {
    /// The distribution of these latencies.
    pub fn of(values: Vec<f64>) -> Self {
        Latency::from(Statistics::of(values).as_ref())
    }

    /// Mean, p50, p90, p99, maximum.
    pub fn values(&self) -> [Option<f64>; 5] {
        [self.mean, self.p50, self.p90, self.p99, self.max]
    }
}

impl From<Option<&Statistics>> for Latency {
    fn from(statistics: Option<&Statistics>) -> Self {
        statistics.map_or_else(Latency::default, |statistics| Latency {
            mean: Some(statistics.mean),
            p50: Some(statistics.p50),
            p90: Some(statistics.p90),
            p99: Some(statistics.p99),
            max: Some(statistics.max),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;

    #[test]
    fn requests_are_counted_by_what_became_of_them() {
        let counts = samples::report().totals.figures.requests;
        assert_eq!((counts.arrived, counts.completed, counts.rejected, counts.unfinished), (4, 2, 1, 1));
        assert_eq!(counts.rejected_by_reason["too_large"], 1);
        assert_eq!(counts.unfinished_by_stage["decode"], 1);
    }
}
