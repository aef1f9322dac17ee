//! `token_aware`: llm-d's KEDA recipe on tokens.
//!
//! Prefill: the prompt tokens that are still to be computed, over what a replica computes per second at its
//! peak, are seconds of work; so many replicas that each has `threshold` of them. Decode: the sum of the KV
//! caches in use, each to be filled to a share. A pool that does both gets the larger. The HPA that KEDA creates
//! does the rest: its tolerance, at most twice the size per 15 s, and no fewer than were needed in 300 s. The
//! guard against overshoot counts on what is already starting.
//!
//! Current are the instances asked for. Leaves out: prompt tokens of the running batch, which instances do not
//! show; cached prefixes, so that every prompt token counts as uncached; KEDA's own period of polls: what waits at
//! zero is seen at the HPA's.
//!
//! Source: llm-d/llm-d, guides/workload-autoscaling, after TokenScale (arXiv 2512.03416).

use ebbflow_actors::SimDuration;

use super::hpa::behavior::{Behavior, Bounds, Rules};
use super::hpa::controller::{Controller, Ruleset};
use super::hpa::replicas::{MOST_REPLICAS, MetricError, average_value};
use super::hpa::{SYNC_PERIOD_S, milli, told};
use crate::ids::Tag;
use crate::performance::BatchShape;
use crate::registry::{Kind, Parameter, Registry, Settings};
use crate::scaling::damping::{Change, RateLimit, RatePolicy, Select, Tolerance};
use crate::scaling::metrics::Signal;
use crate::scaling::{AutoscalingPolicy, Decision, InstanceCapacity, Observation, PolicyContext, PolicyKind};

const SOURCE: &str = "llm-d guide, keda-epp-token-aware";

const PARAMETERS: &[Parameter] = &[
    Parameter::seconds("threshold", 1.5, "prefill work that a replica should have before it")
        .at_least(0.001)
        .from(SOURCE),
    Parameter::optional("peak_prefill", "prompt tokens a replica computes; else calibrated with one chunk")
        .at_least(0.001)
        .unit("tokens/s"),
    Parameter::number("chunk_tokens", 2048.0, "prompt tokens of an iteration, to calibrate with")
        .at_least(1.0)
        .unit("tokens"),
    Parameter::number("kv_target", 0.8, "share of its KV cache that a replica should use")
        .at_least(0.01)
        .at_most(1.0)
        .from(SOURCE),
    Parameter::flag("overshoot_guard", false, "what is starting already is taken off a growing demand"),
    Parameter::seconds("downscale_stabilization", 300.0, "how long a smaller fleet must have been enough")
        .from(SOURCE),
];

pub(super) fn register(registry: &mut Registry) {
    let kind = Kind {
        name: "token_aware",
        aliases: &["llmd_token_aware", "token_backlog"],
        about: "llm-d's KEDA recipe: seconds of prefill work, and KV caches in use, per replica",
        parameters: PARAMETERS,
    };
    let kind =
        PolicyKind { decision_interval_s: SYNC_PERIOD_S, scrape_interval_s: SYNC_PERIOD_S, ..kind.into() };
    registry.add_policy(kind, |settings, context| Ok(Box::new(TokenAware::new(settings, context))));
}

/// How fast a replica computes prompts at its peak, in tokens per second, > 0.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug)]
pub struct PeakPrefill(pub f64);

impl PeakPrefill {
    /// What the guide measures: a chunk over the time an idle replica takes for it.
    pub fn calibrated(capacity: &InstanceCapacity, chunk_tokens: u64) -> Self {
        let chunk = BatchShape { prompts: 1, prompt_tokens: chunk_tokens, decodes: 0 };
        PeakPrefill(chunk_tokens as f64 / capacity.performance.iteration_s(chunk))
    }

    /// Time to first token of a prompt at an idle replica, in seconds: no threshold can promise less.
    pub fn idle_floor_s(self, uncached_prompt_tokens: f64) -> f64 {
        uncached_prompt_tokens / self.0
    }

    /// Work that may lie before a replica so that such a prompt meets its time to first token on average; for
    /// a tail take 0.6 to 0.7 of it. 0 where even an idle replica is too slow.
    pub fn threshold_s(self, ttft_slo_s: f64, uncached_prompt_tokens: f64) -> f64 {
        (ttft_slo_s - self.idle_floor_s(uncached_prompt_tokens)).max(0.0)
    }

    /// Work of these tokens for one replica, in seconds.
    pub fn work_s(self, tokens: f64) -> f64 {
        tokens / self.0
    }

    /// Replicas that have `threshold_s` of work each.
    pub fn replicas(self, tokens: f64, threshold_s: f64) -> u32 {
        (self.work_s(tokens) / threshold_s).ceil() as u32
    }
}

/// Replicas whose KV caches are filled to `target` each, by the sum of the shares in use.
pub fn decode_replicas(kv_use: f64, target: f64) -> u32 {
    (kv_use / target).ceil() as u32
}

/// The demand in replicas without what is on its way: only more than there are is reduced, and not below.
pub fn without_overshoot(demand: f64, replicas: u32, unavailable: u32) -> f64 {
    let replicas = f64::from(replicas);
    if demand <= replicas { demand } else { (demand - f64::from(unavailable)).max(replicas) }
}

/// So far per period.
pub(super) fn rate(period: SimDuration, changes: &[Change]) -> RateLimit {
    let policies = changes.iter().map(|&change| RatePolicy { change, period }).collect();
    RateLimit { select: Select::Max, policies }
}

/// The HPA that a recipe asks for.
pub(super) fn controller(context: &PolicyContext, up: Rules, down: Rules) -> Controller {
    let max = context.max_instances.unwrap_or(MOST_REPLICAS);
    Controller::new(Ruleset {
        bounds: Bounds { min: context.min_instances, max },
        tolerance: 0.1,
        downscale_stabilisation: down.stabilisation,
        behavior: Some(Behavior { up, down }),
        sees_without_pods: true,
    })
}

#[derive(Debug)]
struct TokenAware {
    pool: Option<Tag>,
    peak: PeakPrefill,
    threshold_s: f64,
    kv_target: f64,
    guards: bool,
    controller: Controller,
}

impl TokenAware {
    fn new(settings: &Settings, context: &PolicyContext) -> Self {
        let calibrate = || {
            let chunk = u64::from(settings.count("chunk_tokens"));
            PeakPrefill::calibrated(&context.capacity, chunk)
        };
        let period = SimDuration::from_secs(15);
        let up = Rules {
            stabilisation: SimDuration::ZERO,
            rate: rate(period, &[Change::Percent(100)]),
            tolerance: None,
        };
        let down = Rules { stabilisation: settings.seconds("downscale_stabilization"), ..up.clone() };
        TokenAware {
            pool: context.pool,
            peak: settings.optional("peak_prefill").map_or_else(calibrate, PeakPrefill),
            threshold_s: settings.number("threshold"),
            kv_target: settings.number("kv_target"),
            guards: settings.flag("overshoot_guard"),
            controller: controller(context, up, down),
        }
    }

    /// Demands in replicas, those that concern the pool.
    fn demands(&self, seen: &Observation<'_>) -> Vec<(&'static str, Result<f64, MetricError>)> {
        let mut demands = Vec::new();
        if self.pool != Some(Tag::Token) {
            let backlog = seen.waiting_prompt_tokens().ok_or(MetricError::NoSamples);
            let backlog =
                backlog.map(|held| held + seen.readings(Signal::WaitingPromptTokens, self.pool).sum());
            demands.push(("prefill", backlog.map(|tokens| self.peak.work_s(tokens) / self.threshold_s)));
        }
        if self.pool != Some(Tag::Prompt) {
            let kv_use = seen.age().ok_or(MetricError::NoSamples);
            let kv_use = kv_use.map(|_| seen.readings(Signal::KvUse, self.pool).sum());
            demands.push(("KV cache", kv_use.map(|kv_use| kv_use / self.kv_target)));
        }
        demands
    }
}

impl AutoscalingPolicy for TokenAware {
    fn decide(&mut self, seen: &Observation<'_>) -> Decision {
        let pool = seen.pool(self.pool);
        let current = pool.asked();
        if current == 0 && seen.waiting().is_some_and(|waiting| waiting > 0.0) {
            return Decision::to(self.pool, 1, "requests wait, and KEDA activates");
        }
        let demands = self.demands(seen);
        let names: Vec<&str> = demands.iter().map(|(name, _)| *name).collect();
        let guards = self.guards;
        let propose = |demand: f64, tolerance: Tolerance| {
            let demand = if guards { without_overshoot(demand, current, pool.starting) } else { demand };
            average_value(current, milli(demand), milli(1.0), tolerance)
        };
        let reconciled = self.controller.reconcile(seen.now, current, |tolerance| {
            demands.into_iter().map(|(_, demand)| demand.map(|demand| propose(demand, tolerance))).collect()
        });
        told(self.pool, current, reconciled, &names)
    }

    fn look_back(&self) -> SimDuration {
        SimDuration::ZERO
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn work_becomes_replicas_and_a_slow_replica_leaves_no_threshold() {
        let peak = PeakPrefill(1000.0);
        assert_eq!(peak.replicas(7500.0, 1.5), 5);
        assert_eq!(peak.replicas(0.0, 1.5), 0);
        assert_eq!(peak.threshold_s(3.0, 1000.0), 2.0);
        assert_eq!(peak.threshold_s(3.0, 4000.0), 0.0);
        assert_eq!((decode_replicas(1.6, 0.8), decode_replicas(1.61, 0.8)), (2, 3));
    }

    #[test]
    fn what_is_starting_is_taken_off_growth_only() {
        assert_eq!(without_overshoot(3.0, 4, 2), 3.0);
        assert_eq!(without_overshoot(9.0, 4, 2), 7.0);
        assert_eq!(without_overshoot(5.0, 4, 2), 4.0, "never below what there is");
    }

    proptest! {
        #[test]
        fn more_work_never_needs_fewer(
            tokens in 0.0..1e7_f64, more in 0.0..1e6_f64, threshold_s in 0.1..10.0_f64,
        ) {
            let peak = PeakPrefill(2696.0);
            prop_assert!(peak.replicas(tokens + more, threshold_s) >= peak.replicas(tokens, threshold_s));
        }
    }
}
