//! How a run did by its objectives.

use serde::Serialize;

use super::engine::gap_statistic_s;
use super::{Latency, Served, Statistics, Tally};
use crate::instance::continuous::GapHistogram;
use crate::slo::{LatencyKind, Objective, Slo, Statistic};

/// A run judged by its objectives.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Attainment {
    /// Each objective, in the order given.
    pub objectives: Vec<Verdict>,
    /// Whether all of them are met.
    pub met: bool,
    /// Share of the requests that arrived which were served within all limits, from 0 to 1; null without
    /// requests.
    pub attainment: Option<f64>,
}

/// How a run did by one objective.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Verdict {
    /// As the user wrote it, e.g. `ttft.p99<2s`.
    pub objective: String,
    /// The statistic in seconds; null without completed requests.
    pub value_s: Option<f64>,
    /// Must stay below, in seconds.
    pub limit_s: f64,
    /// Whether it does. Without completed requests it does not.
    pub met: bool,
}

impl Attainment {
    /// Judges the requests of these applications, of which `arrived` arrived. Gaps between tokens are judged all
    /// together, as far as engines told them.
    pub fn of(slo: &Slo, tallies: &[&Tally], arrived: u64, gaps: Option<&GapHistogram>) -> Self {
        let served = || tallies.iter().flat_map(|tally| &tally.served);
        let value_s = |objective: &Objective| match objective.latency {
            LatencyKind::TokenGap => gap_statistic_s(gaps?, objective.statistic),
            latency => {
                statistic(served().filter_map(|one| one.latency_s(latency)).collect(), objective.statistic)
            }
        };
        let verdict = |objective: &Objective| Verdict::of(objective, value_s(objective));
        let objectives: Vec<Verdict> = slo.objectives().iter().map(verdict).collect();
        let good = served().filter(|request| slo.is_met_by(|kind| request.latency_s(kind))).count();
        Attainment {
            met: objectives.iter().all(|verdict| verdict.met),
            attainment: (arrived > 0).then(|| good as f64 / arrived as f64),
            objectives,
        }
    }
}

impl Verdict {
    fn of(objective: &Objective, value_s: Option<f64>) -> Self {
        Verdict {
            objective: objective.to_string(),
            value_s,
            limit_s: objective.limit_s,
            met: value_s.is_some_and(|value| value < objective.limit_s),
        }
    }
}

/// A statistic of some values; quantiles are interpolated linearly.
fn statistic(mut values: Vec<f64>, statistic: Statistic) -> Option<f64> {
    if let Statistic::Quantile(quantile) = statistic {
        values.sort_unstable_by(f64::total_cmp);
        return (!values.is_empty()).then(|| super::percentile(&values, quantile));
    }
    let Latency { mean, max, .. } = Latency::from(Statistics::of(values).as_ref());
    if statistic == Statistic::Mean { mean } else { max }
}

impl Served {
    /// A latency in seconds; none for the TPOT of a single token, nor for what requests do not have of their own.
    pub fn latency_s(&self, kind: LatencyKind) -> Option<f64> {
        match kind {
            LatencyKind::Queue => Some(self.queue.as_secs_f64()),
            LatencyKind::Ttft => Some(self.ttft.as_secs_f64()),
            LatencyKind::Tbt => Some(self.tbt_s()),
            LatencyKind::Tpot => self.tpot_s(),
            LatencyKind::E2e => Some(self.e2e.as_secs_f64()),
            LatencyKind::TokenGap => None,
            LatencyKind::LongestGap => self.longest_gap_s(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use ebbflow_actors::SimDuration;

    /// TTFT 1.0 and 2.125 s of the two that were served; one was rejected, one is unfinished.
    #[test]
    fn who_was_not_served_did_not_get_what_was_promised() {
        let tally: Tally = samples::results().applications[0].requests.iter().collect();
        let judge = |slo: &str| Attainment::of(&slo.parse().unwrap(), &[&tally], 4, None);
        let strict = judge("ttft.max<2s");
        assert_eq!((strict.met, strict.attainment), (false, Some(0.25)));
        assert_eq!(strict.objectives[0].value_s, Some(2.125));
        let lax = judge("ttft.mean<2s, e2e.p50<10s");
        assert_eq!((lax.met, lax.attainment), (true, Some(0.25)));
        assert_eq!(judge("ttft.p50<1min").attainment, Some(0.5));
    }

    /// Of a hundred gaps two take a second, in one request of two.
    #[test]
    fn all_gaps_are_judged_together_and_the_longest_one_by_request() {
        let mut tally: Tally = samples::results().applications[0].requests.iter().collect();
        tally.served[0].longest_gap = SimDuration::from_secs(1);
        tally.served[1].longest_gap = SimDuration::from_millis(20);
        let mut gaps = GapHistogram::default();
        gaps.record(SimDuration::from_millis(20), 98);
        gaps.record(SimDuration::from_secs(1), 2);
        let judge = |slo: &str| Attainment::of(&slo.parse().unwrap(), &[&tally], 2, Some(&gaps));
        let pooled = judge("token_gap.p98<21ms, token_gap.mean<40ms");
        assert_eq!((pooled.met, pooled.attainment), (true, Some(1.0)));
        assert_eq!(pooled.objectives[1].value_s, Some(0.0396));
        assert!(!judge("token_gap.p99<21ms").met && !judge("token_gap.max<1s").met);
        let own = judge("longest_gap.p50<600ms");
        assert_eq!((own.met, own.attainment, own.objectives[0].value_s), (true, Some(0.5), Some(0.51)));
    }

    #[test]
    fn gaps_that_no_engine_told_keep_nothing() {
        let tally: Tally = samples::results().applications[0].requests.iter().collect();
        for slo in ["token_gap.p99<1s", "longest_gap.p99<1s"] {
            assert!(!Attainment::of(&slo.parse().unwrap(), &[&tally], 4, None).met, "{slo}");
        }
    }

    #[test]
    fn nothing_is_met_where_nothing_was_served() {
        let judged = Attainment::of(&"ttft.p99<2s".parse().unwrap(), &[&Tally::default()], 0, None);
        assert_eq!((judged.met, judged.attainment, judged.objectives[0].value_s), (false, None, None));
    }
}
