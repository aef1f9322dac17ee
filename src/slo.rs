//! Service level objectives: which latencies are good enough.
//!
//! Written as `ttft.p99<2s, tbt.p99<0.1s`. An objective is met by a run when the statistic named is below
//! its limit. A single request is good when each of its latencies named is below its limit, whatever the
//! statistic; the share of good ones among all that arrived is the attainment.
//!
//! What stands between two output tokens is judged in three ways. `tbt` and `tpot` are means, one a request.
//! `token_gap` (inter-token latency, ITL) is about all gaps of all requests: that many requests were fast does
//! not hide the stalls within them; it is no latency of a request and leaves the attainment alone. `longest_gap`
//! is one a request again: its worst stall. Both gaps are known only of engines that tell them.

mod read;

use std::fmt;

pub use read::{BadObjective, BadSlo};

/// A latency of a request.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum LatencyKind {
    /// Time to first token.
    Ttft,
    /// Time between tokens: (E2E − TTFT) / output tokens.
    Tbt,
    /// Time per output token: (E2E − TTFT) / (output tokens − 1).
    Tpot,
    /// End-to-end response time.
    E2e,
    /// Wait before the prompt was first worked on.
    Queue,
    /// Time between two output tokens, over all such gaps of all requests (ITL).
    TokenGap,
    /// The longest wait of a request between two of its output tokens.
    LongestGap,
}

impl LatencyKind {
    /// How objectives may name them.
    pub fn names() -> impl Iterator<Item = &'static str> {
        KINDS.iter().chain(&ALIASES).map(|(_, name)| *name)
    }

    /// Whether engines have to tell the gaps between tokens.
    pub fn is_of_gaps(self) -> bool {
        matches!(self, LatencyKind::TokenGap | LatencyKind::LongestGap)
    }
}

/// A statistic of a latency.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug)]
pub enum Statistic {
    /// Arithmetic mean.
    Mean,
    /// The quantile from 0 to 1.
    Quantile(f64),
    /// Largest.
    Max,
}

/// A limit on a statistic of a latency.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Objective {
    /// Of which latency.
    pub latency: LatencyKind,
    /// Which statistic.
    pub statistic: Statistic,
    /// Must stay below, in seconds.
    pub limit_s: f64,
}

/// All objectives, at least one.
#[derive(Clone, PartialEq, Debug)]
pub struct Slo(Vec<Objective>);

impl Slo {
    /// The objectives in the order given.
    pub fn objectives(&self) -> &[Objective] {
        &self.0
    }

    /// The limit on a latency, the smallest if there are several.
    pub fn limit_s(&self, latency: LatencyKind) -> Option<f64> {
        let limits = self.0.iter().filter(|objective| objective.latency == latency);
        limits.map(|objective| objective.limit_s).min_by(f64::total_cmp)
    }

    /// Whether a request with these latencies is good. A latency that the request does not have, as TPOT
    /// with a single output token, is no hindrance.
    pub fn is_met_by(&self, latency_s: impl Fn(LatencyKind) -> Option<f64>) -> bool {
        let met = |objective: &Objective| latency_s(objective.latency).is_none_or(|s| s < objective.limit_s);
        self.0.iter().all(met)
    }
}

const KINDS: [(LatencyKind, &str); 7] = [
    (LatencyKind::Ttft, "ttft"),
    (LatencyKind::Tbt, "tbt"),
    (LatencyKind::Tpot, "tpot"),
    (LatencyKind::E2e, "e2e"),
    (LatencyKind::Queue, "queue"),
    (LatencyKind::TokenGap, "token_gap"),
    (LatencyKind::LongestGap, "longest_gap"),
];

/// What others call them.
const ALIASES: [(LatencyKind, &str); 1] = [(LatencyKind::TokenGap, "itl")];

impl fmt::Display for LatencyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = KINDS.iter().find(|(kind, _)| kind == self).map_or("", |(_, name)| name);
        f.write_str(name)
    }
}

impl fmt::Display for Statistic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Statistic::Mean => f.write_str("mean"),
            Statistic::Max => f.write_str("max"),
            // Rounded, for 0.999 × 100 is not 99.9.
            Statistic::Quantile(quantile) => write!(f, "p{}", (quantile * 1e8).round() / 1e6),
        }
    }
}

impl fmt::Display for Objective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}<{}s", self.latency, self.statistic, self.limit_s)
    }
}

impl fmt::Display for Slo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let objectives: Vec<String> = self.0.iter().map(Objective::to_string).collect();
        f.write_str(&objectives.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objectives_are_read_and_written_in_one_form() {
        let slo: Slo = "ttft.p99 < 2s,tbt.p99.9<100ms, E2E.mean<1min,queue.max<5us".parse().unwrap();
        assert_eq!(slo.to_string(), "ttft.p99<2s, tbt.p99.9<0.1s, e2e.mean<60s, queue.max<0.000005s");
        assert_eq!(slo.to_string().parse(), Ok(slo));
    }

    #[test]
    fn the_fields_word_for_gaps_between_tokens_is_understood() {
        let slo: Slo = "itl.p99<50ms, longest_gap.p95<1s".parse().unwrap();
        assert_eq!(slo.to_string(), "token_gap.p99<0.05s, longest_gap.p95<1s");
    }

    #[test]
    fn a_request_is_good_when_all_its_latencies_are_below_their_limits() {
        let slo: Slo = "ttft.p99<2s, tpot.mean<0.1s".parse().unwrap();
        let met = |ttft_s: f64, tpot_s: Option<f64>| {
            slo.is_met_by(|kind| match kind {
                LatencyKind::Ttft => Some(ttft_s),
                LatencyKind::Tpot => tpot_s,
                _ => None,
            })
        };
        assert!(met(1.9, Some(0.05)));
        assert!(met(1.9, None));
        assert!(!met(2.0, Some(0.05)));
        assert!(!met(1.9, Some(0.2)));
    }
}
