//! How a run did by its objectives.

use serde::Serialize;

use super::{Latency, Served, Statistics, Tally};
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
    /// Judges the requests of these applications, of which `arrived` arrived.
    pub fn of(slo: &Slo, tallies: &[&Tally], arrived: u64) -> Self {
        let served = || tallies.iter().flat_map(|tally| &tally.served);
        let objectives: Vec<Verdict> =
            slo.objectives().iter().map(|objective| judge(objective, served())).collect();
        let good = served().filter(|request| slo.is_met_by(|kind| request.latency_s(kind))).count();
        Attainment {
            met: objectives.iter().all(|verdict| verdict.met),
            attainment: (arrived > 0).then(|| good as f64 / arrived as f64),
            objectives,
        }
    }
}

fn judge<'a>(objective: &Objective, served: impl Iterator<Item = &'a Served>) -> Verdict {
    let values: Vec<f64> = served.filter_map(|request| request.latency_s(objective.latency)).collect();
    let value_s = statistic(values, objective.statistic);
    Verdict {
        objective: objective.to_string(),
        value_s,
        limit_s: objective.limit_s,
        met: value_s.is_some_and(|value| value < objective.limit_s),
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
    /// A latency in seconds; none for the TPOT of a single token.
    pub fn latency_s(&self, kind: LatencyKind) -> Option<f64> {
        match kind {
            LatencyKind::Queue => Some(self.queue.as_secs_f64()),
            LatencyKind::Ttft => Some(self.ttft.as_secs_f64()),
            LatencyKind::Tbt => Some(self.tbt_s()),
            LatencyKind::Tpot => self.tpot_s(),
            LatencyKind::E2e => Some(self.e2e.as_secs_f64()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    /// TTFT 1.0 and 2.125 s of the two that were served; one was rejected, one is unfinished.
    #[test]
    fn who_was_not_served_did_not_get_what_was_promised() {
        let tally: Tally = samples::results().applications[0].requests.iter().collect();
        let judge = |slo: &str| Attainment::of(&slo.parse().unwrap(), &[&tally], 4);
        let strict = judge("ttft.max<2s");
        assert_eq!((strict.met, strict.attainment), (false, Some(0.25)));
        assert_eq!(strict.objectives[0].value_s, Some(2.125));
        let lax = judge("ttft.mean<2s, e2e.p50<10s");
        assert_eq!((lax.met, lax.attainment), (true, Some(0.25)));
        assert_eq!(judge("ttft.p50<1min").attainment, Some(0.5));
    }

    #[test]
    fn nothing_is_met_where_nothing_was_served() {
        let judged = Attainment::of(&"ttft.p99<2s".parse().unwrap(), &[&Tally::default()], 0);
        assert_eq!((judged.met, judged.attainment, judged.objectives[0].value_s), (false, None, None));
    }
}
