//! `slo_aware`: llm-d's KEDA recipe on latencies over their objectives.
//!
//! The signal is the larger of the 90th percentiles of TTFT and TPOT, each over its objective, at most 2, over
//! the last minute, averaged over 45 s; idle is 0. Above 0.55 the fleet grows in proportion, with credit for
//! what is starting; below 0.40 it shrinks. The thresholds are that low because the signal lies at 0.2 to 0.45
//! in health and then goes straight up. The HPA that KEDA creates slows it: growth by 100 % or 4 per 60 s after
//! 30 s, one fewer per 120 s after 180 s. From zero a waiting request wakes one.
//!
//! Current are the instances asked for. A prompt pool looks at TTFT only, a token pool at TPOT only. Leaves
//! out: KEDA's polls at zero. Source: llm-d/llm-d, guides/workload-autoscaling.

use std::collections::VecDeque;

use ebbflow_actors::{SimDuration, SimTime};

use super::hpa::behavior::Rules;
use super::hpa::controller::Controller;
use super::hpa::replicas::{MetricError, average_value};
use super::hpa::{SYNC_PERIOD_S, milli, told};
use super::token_aware::{controller, rate};
use crate::ids::Tag;
use crate::registry::{Kind, Parameter, Registry, Settings};
use crate::scaling::damping::Change;
use crate::scaling::{AutoscalingPolicy, Decision, Observation, PolicyContext, PolicyKind, PolicyRefusal};
use crate::slo::{LatencyKind, Statistic};

const SOURCE: &str = "llm-d guide, SLO-aware KEDA recipe";

const PARAMETERS: &[Parameter] = &[
    Parameter::optional("ttft", "objective of the time to first token; else the slo's")
        .unit("s")
        .at_least(1e-6),
    Parameter::optional("tpot", "objective of the time per output token; else the slo's tpot or tbt")
        .unit("s")
        .at_least(1e-6),
    Parameter::number("up", 0.55, "share of the objective above which it grows").at_least(0.01).from(SOURCE),
    Parameter::number("down", 0.4, "share of the objective below which it shrinks")
        .at_least(0.01)
        .from(SOURCE),
    Parameter::seconds("window", 60.0, "of the percentiles").at_least(1.0).from(SOURCE),
    Parameter::seconds("average_over", 45.0, "of the signal").from(SOURCE),
];

pub(super) fn register(registry: &mut Registry) {
    let kind = Kind {
        name: "slo_aware",
        aliases: &["llmd_slo_aware", "slo_saturation"],
        about: "llm-d's KEDA recipe: p90 of TTFT and TPOT over their objectives",
        parameters: PARAMETERS,
    };
    let kind =
        PolicyKind { decision_interval_s: SYNC_PERIOD_S, scrape_interval_s: SYNC_PERIOD_S, ..kind.into() };
    registry.add_policy(kind, |settings, context| Ok(Box::new(SloAware::new(settings, context)?)));
}

/// The signal of a moment from latencies over their objectives: the larger, at most 2; 0 when idle.
pub fn signal(ratios: impl IntoIterator<Item = f64>) -> f64 {
    ratios.into_iter().fold(0.0, f64::max).min(2.0)
}

/// Between which signals a fleet stays as it is.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Band {
    /// Above it, it grows.
    pub up: f64,
    /// Below it, it shrinks.
    pub down: f64,
}

impl Band {
    /// How many of `provisioned` instances, `ready` of which serve, there should be. A bad signal is partly
    /// the fault of those that do not serve yet, which is credited; a good one is not discounted.
    pub fn wanted(&self, signal: f64, provisioned: u32, ready: u32) -> f64 {
        let count = f64::from(provisioned);
        let is_partly_ready = 0 < ready && ready < provisioned;
        let credit = if is_partly_ready { f64::from(ready) / count } else { 1.0 };
        if signal > self.up {
            count + (count * (signal * credit / self.up - 1.0)).ceil()
        } else if signal < self.down {
            count - (count * (1.0 - signal / self.down)).floor()
        } else {
            count
        }
    }
}

#[derive(Debug)]
struct SloAware {
    pool: Option<Tag>,
    /// Latencies that concern the pool, with their objectives in seconds.
    objectives: Vec<(LatencyKind, f64)>,
    band: Band,
    window: SimDuration,
    average_over: SimDuration,
    signals: VecDeque<(SimTime, f64)>,
    controller: Controller,
}

impl SloAware {
    fn new(settings: &Settings, context: &PolicyContext) -> Result<Self, PolicyRefusal> {
        let of_slo = |kind| context.slo.as_ref().and_then(|slo| slo.limit_s(kind));
        let ttft_s = settings.optional("ttft").or_else(|| of_slo(LatencyKind::Ttft));
        let tpot_s = settings.optional("tpot").or_else(|| of_slo(LatencyKind::Tpot));
        let tpot_s = tpot_s.or_else(|| of_slo(LatencyKind::Tbt));
        let ttft_s = ttft_s.filter(|_| context.pool != Some(Tag::Token));
        let tpot_s = tpot_s.filter(|_| context.pool != Some(Tag::Prompt));
        let ttft = ttft_s.map(|limit_s| (LatencyKind::Ttft, limit_s));
        let tpot = tpot_s.map(|limit_s| (LatencyKind::Tpot, limit_s));
        let objectives: Vec<_> = ttft.into_iter().chain(tpot).collect();
        if objectives.is_empty() {
            return Err(PolicyRefusal(
                "it needs an objective of TTFT or TPOT for this pool; set `slo: ttft.p90<3s, tpot.p90<100ms` or its \
                 parameters `ttft` and `tpot`"
                    .to_owned(),
            ));
        }
        let rules = |stabilisation_s, period_s, changes: &[Change]| Rules {
            stabilisation: SimDuration::from_secs(stabilisation_s),
            rate: rate(SimDuration::from_secs(period_s), changes),
            tolerance: None,
        };
        let up = rules(30, 60, &[Change::Percent(100), Change::Instances(4)]);
        let down = rules(180, 120, &[Change::Instances(1)]);
        Ok(SloAware {
            pool: context.pool,
            objectives,
            band: Band { up: settings.number("up"), down: settings.number("down") },
            window: settings.seconds("window"),
            average_over: settings.seconds("average_over"),
            signals: VecDeque::new(),
            controller: controller(context, up, down),
        })
    }

    /// The signal averaged over its window; none without metrics.
    fn signal(&mut self, seen: &Observation<'_>) -> Option<f64> {
        seen.age()?;
        let view = seen.over(self.window);
        let ratio = |&(kind, limit_s): &(LatencyKind, f64)| {
            view.latency_s(kind, Statistic::Quantile(0.9)).map(|found_s| found_s / limit_s)
        };
        let now = signal(self.objectives.iter().filter_map(ratio));
        self.signals.push_back((seen.now, now));
        while self.signals.front().is_some_and(|(at, _)| seen.now - *at >= self.average_over)
            && self.signals.len() > 1
        {
            self.signals.pop_front();
        }
        Some(self.signals.iter().map(|(_, signal)| signal).sum::<f64>() / self.signals.len() as f64)
    }
}

impl AutoscalingPolicy for SloAware {
    fn decide(&mut self, seen: &Observation<'_>) -> Decision {
        let pool = seen.pool(self.pool);
        let current = pool.asked();
        let signal = self.signal(seen);
        if current == 0 && seen.waiting().is_some_and(|waiting| waiting > 0.0) {
            // No multiple of none is one: that step is KEDA's, and requests that wait are its trigger.
            return Decision::to(self.pool, 1, "requests wait and nothing serves");
        }
        let band = self.band;
        let reconciled = self.controller.reconcile(seen.now, current, |tolerance| {
            let wanted = signal.map(|signal| band.wanted(signal, current, pool.active));
            let proposal = wanted.map(|wanted| average_value(current, milli(wanted), milli(1.0), tolerance));
            vec![proposal.ok_or(MetricError::NoSamples)]
        });
        let decision = told(self.pool, current, reconciled, &["demand"]);
        match signal {
            Some(signal) => {
                Decision { reason: format!("signal {signal:.2}: {}", decision.reason), ..decision }
            }
            None => decision,
        }
    }

    fn look_back(&self) -> SimDuration {
        self.window
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BAND: Band = Band { up: 0.55, down: 0.4 };

    #[test]
    fn the_worst_latency_counts_up_to_twice_its_objective_and_idle_is_zero() {
        assert_eq!(signal([0.3, 0.7]), 0.7);
        assert_eq!(signal([0.3, 9.0]), 2.0);
        assert_eq!(signal([]), 0.0);
    }

    #[test]
    fn between_the_thresholds_nothing_is_done() {
        assert_eq!(BAND.wanted(0.4, 5, 5), 5.0);
        assert_eq!(BAND.wanted(0.55, 5, 5), 5.0);
    }

    #[test]
    fn growth_is_in_proportion_and_what_is_starting_is_credited() {
        assert_eq!(BAND.wanted(1.1, 4, 4), 8.0);
        assert_eq!(BAND.wanted(1.1, 4, 2), 4.0, "half of them are to blame");
        assert_eq!(BAND.wanted(1.1, 4, 0), 8.0, "without any that serves there is no telling");
    }

    #[test]
    fn shrinking_is_rounded_to_the_safe_side() {
        assert_eq!(BAND.wanted(0.2, 5, 5), 3.0);
        assert_eq!(BAND.wanted(0.2, 5, 3), 3.0, "without credit");
        assert_eq!(BAND.wanted(0.0, 5, 5), 0.0, "bounds keep some");
    }

    proptest! {
        #[test]
        fn a_worse_signal_never_wants_fewer(
            signal in 0.0..2.0_f64, worse in 0.0..1.0_f64, provisioned in 1u32..100,
        ) {
            let worse = (signal + worse).min(2.0);
            let wanted = |signal| BAND.wanted(signal, provisioned, provisioned);
            prop_assert!(wanted(worse) >= wanted(signal));
        }
    }
}
