//! `adaptive_mixed_pool`: prefill and decode pools whose border follows the latencies seen
//! (splitwise-DRL's AdaptiveMixedPoolScheduler).
//!
//! Latencies are compared as slowdowns: TTFT over that of a lone prompt, TBT over the decode time the
//! reference table gives at the prompt's length (the ancestor's normalisation).

use std::sync::Arc;

use super::BANDWIDTH;
use super::mixed_pool::{PROMPT_MAX, TOKEN_MAX, route, takes_decode, takes_prompt};
use crate::ids::InstanceId;
use crate::performance::{BatchShape, PerformanceModel};
use crate::registry::{Kind, Parameter, Registry};
use crate::request::Request;
use crate::results::percentile;
use crate::scheduler::PoolName::{Prompt, Token};
use crate::scheduler::{
    Completion, Fleet, Metric, PolicyTraits, PoolName, Pooling, Route, RoutingContext, RoutingPolicy,
};

const IMBALANCE: Parameter = Parameter::number(
    "imbalance",
    5.0,
    "ratio of the median slowdowns of TTFT and TBT from which an instance changes pools",
)
.at_least(1.0);

pub(super) fn register(registry: &mut Registry) {
    let kind = Kind {
        name: "adaptive_mixed_pool",
        aliases: &["AdaptiveMixedPoolScheduler", "adaptive_pool"],
        about: "prefill and decode pools whose border follows the latencies seen",
        parameters: &[BANDWIDTH, PROMPT_MAX, TOKEN_MAX, IMBALANCE],
    };
    registry.add_scheduler(kind, |context, settings| {
        Box::new(AdaptiveMixedPool {
            bandwidth_gib_per_s: settings.number("transfer_bandwidth"),
            prompt_max_pending_tokens: settings.number(PROMPT_MAX.name) as i64,
            imbalance: settings.number(IMBALANCE.name),
            baseline: Arc::clone(&context.baseline),
            ttft_slowdowns: Vec::new(),
            tbt_slowdowns: Vec::new(),
        })
    });
}

#[derive(Debug)]
struct AdaptiveMixedPool {
    bandwidth_gib_per_s: f64,
    prompt_max_pending_tokens: i64,
    imbalance: f64,
    baseline: Arc<dyn PerformanceModel>,
    /// Of requests completed since the last one was routed.
    ttft_slowdowns: Vec<f64>,
    tbt_slowdowns: Vec<f64>,
}

/// Which phase is slowed down out of proportion.
enum Imbalance {
    Prefill,
    Decode,
}

impl AdaptiveMixedPool {
    fn take_imbalance(&mut self) -> Option<Imbalance> {
        let median = |slowdowns: &mut Vec<f64>| {
            slowdowns.sort_by(f64::total_cmp);
            let median = (!slowdowns.is_empty()).then(|| percentile(slowdowns, 0.5));
            slowdowns.clear();
            median.filter(|&median| median > 0.0)
        };
        let (ttft, tbt) = (median(&mut self.ttft_slowdowns), median(&mut self.tbt_slowdowns));
        let (ttft, tbt) = (ttft?, tbt?);
        if ttft / tbt > self.imbalance {
            Some(Imbalance::Prefill)
        } else if tbt / ttft > self.imbalance {
            Some(Imbalance::Decode)
        } else {
            None
        }
    }

    /// Where each phase would go by load alone.
    fn by_load(&self, request: &Request, fleet: &Fleet) -> Option<(InstanceId, InstanceId)> {
        let prefill = fleet
            .least(Prompt, Metric::PendingTokens)
            .filter(|&instance| takes_prompt(fleet, instance, request, self.prompt_max_pending_tokens));
        let decode = fleet
            .least(Token, Metric::ReservedBytes)
            .filter(|&instance| takes_decode(fleet, instance, request));
        match (prefill, decode) {
            (Some(prefill), Some(decode)) => Some((prefill, decode)),
            _ => fleet.least_of(&[Prompt, Token], Metric::PendingTokens).map(|any| (any, any)),
        }
    }

    /// Gives the slower phase another instance; false if the pool has none to spare.
    fn shift(fleet: &mut Fleet, from: PoolName, metric: Metric, to: PoolName) -> bool {
        if fleet.pool(from).len() < 2 {
            return false;
        }
        if let Some(instance) = fleet.least(from, metric) {
            fleet.move_to(instance, to);
        }
        true
    }
}

impl RoutingPolicy for AdaptiveMixedPool {
    fn traits(&self) -> PolicyTraits {
        PolicyTraits {
            pooling: Pooling::Split,
            metrics: &[Metric::PendingTokens, Metric::ReservedBytes],
            watches_queues: true,
        }
    }

    fn route(&mut self, request: &Request, fleet: &mut Fleet, _: &mut RoutingContext) -> Option<Route> {
        let (mut prefill, mut decode) = self.by_load(request, fleet)?;
        match self.take_imbalance() {
            Some(Imbalance::Prefill) if !Self::shift(fleet, Token, Metric::ReservedBytes, Prompt) => {
                decode = prefill;
            }
            Some(Imbalance::Decode) if !Self::shift(fleet, Prompt, Metric::PendingTokens, Token) => {
                prefill = decode;
            }
            _ => {}
        }
        Some(route(prefill, decode, self.bandwidth_gib_per_s))
    }

    fn completed(&mut self, completion: &Completion) {
        let prompt_tokens = completion.prompt_tokens;
        let alone =
            BatchShape { prompts: 1, prompt_tokens: u64::from(prompt_tokens), ..BatchShape::default() };
        let decoding = BatchShape { decodes: prompt_tokens, ..BatchShape::default() };
        self.ttft_slowdowns.push(completion.ttft_s / self.baseline.iteration_s(alone));
        self.tbt_slowdowns.push(completion.tbt_s / self.baseline.iteration_s(decoding));
    }
}
