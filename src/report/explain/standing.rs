//! Where a latency stands among those of the run, and against the objective.

use serde::Serialize;

use super::facts::Facts;
use crate::request::Request;
use crate::results::percentile;
use crate::slo::LatencyKind;

/// A latency of a request beside those of all completed requests of its application.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Standing {
    /// `ttft`, `tbt`, `longest_gap` or `e2e`.
    pub latency: String,
    /// What it was.
    pub value_s: f64,
    /// The share of completed requests that were faster, from 0 to 1.
    pub slower_than: f64,
    /// Median of the run.
    pub p50_s: f64,
    /// 99th percentile of the run.
    pub p99_s: f64,
    /// What the scenario's `slo` allows, the strictest if it says several things.
    pub limit_s: Option<f64>,
    /// Whether it stayed below.
    pub met: Option<bool>,
}

/// A value among others.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Rank {
    /// The share that is smaller.
    pub slower_than: f64,
    /// Their median.
    pub p50_s: f64,
    /// Their 99th percentile.
    pub p99_s: f64,
}

/// Ranks a value; none among none.
pub fn rank(value: f64, mut all: Vec<f64>) -> Option<Rank> {
    if all.is_empty() {
        return None;
    }
    all.sort_unstable_by(f64::total_cmp);
    let smaller = all.partition_point(|other| *other < value);
    let slower_than = smaller as f64 / all.len() as f64;
    Some(Rank { slower_than, p50_s: percentile(&all, 0.5), p99_s: percentile(&all, 0.99) })
}

/// How a latency is taken from a request.
type Measure = fn(&Request) -> Option<f64>;

/// Every latency that the request has.
pub fn standings(facts: &Facts<'_>, request: &Request) -> Vec<Standing> {
    let kinds: [(LatencyKind, Measure); 4] = [
        (LatencyKind::Ttft, Request::ttft_s),
        (LatencyKind::Tbt, Request::tbt_s),
        (LatencyKind::LongestGap, Request::longest_gap_s),
        (LatencyKind::E2e, Request::e2e_s),
    ];
    let standing = |(kind, of): (LatencyKind, Measure)| {
        let value_s = of(request)?;
        let Rank { slower_than, p50_s, p99_s } =
            rank(value_s, facts.application.completed().filter_map(of).collect())?;
        let limit_s = facts.run.scenario.slo.as_ref().and_then(|slo| slo.limit_s(kind));
        let met = limit_s.map(|limit| value_s < limit);
        Some(Standing { latency: kind.to_string(), value_s, slower_than, p50_s, p99_s, limit_s, met })
    };
    kinds.into_iter().filter_map(standing).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rank_counts_only_those_that_were_faster() {
        let found = rank(3.0, vec![5.0, 3.0, 1.0, 2.0, 3.0]).unwrap();
        assert_eq!((found.slower_than, found.p50_s), (0.4, 3.0));
        assert_eq!(rank(1.0, Vec::new()), None);
    }
}
