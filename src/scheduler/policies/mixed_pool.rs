//! `mixed_pool`: prefill and decode pools that lend each other instances under load
//! (the scheduler of the Splitwise paper, as splitwise-sim has it).

use super::BANDWIDTH;
use crate::ids::InstanceId;
use crate::registry::{Kind, Parameter, Registry};
use crate::request::Request;
use crate::scheduler::PoolName::{Mixed, Prompt, Token};
use crate::scheduler::{
    Fleet, Metric, PolicyTraits, PoolName, Pooling, Route, RoutingContext, RoutingPolicy,
};

pub(super) fn register(registry: &mut Registry) {
    let kind = Kind {
        name: "mixed_pool",
        aliases: &["MixedPoolScheduler"],
        about: "prefill and decode pools that lend each other instances under load",
        parameters: &[BANDWIDTH, PROMPT_MAX, TOKEN_MAX],
    };
    registry.add_scheduler(kind, |_, settings| {
        Box::new(MixedPool {
            bandwidth_gib_per_s: settings.number("transfer_bandwidth"),
            prompt_max_pending_tokens: settings.number(PROMPT_MAX.name) as i64,
        })
    });
}

pub(super) const PROMPT_MAX: Parameter = Parameter::number(
    "prompt_max_pending_batch_tokens",
    8192.0,
    "tokens that may be pending on a prefill instance whose queue is not empty",
)
.unit("tokens");

/// Accepted for the ancestor's configurations, which carry it without using it.
pub(super) const TOKEN_MAX: Parameter =
    Parameter::number("token_max_pending_batch_tokens", 2048.0, "not used, as in the ancestor")
        .unit("tokens");

#[derive(Debug)]
struct MixedPool {
    bandwidth_gib_per_s: f64,
    prompt_max_pending_tokens: i64,
}

impl MixedPool {
    /// A decode instance helps out with prefill, or the other way round.
    fn borrow(fleet: &mut Fleet, from: PoolName, metric: Metric) -> Option<InstanceId> {
        let lent = fleet.least(from, metric)?;
        fleet.move_to(lent, Mixed);
        Some(lent)
    }
}

impl RoutingPolicy for MixedPool {
    fn traits(&self) -> PolicyTraits {
        PolicyTraits {
            pooling: Pooling::Mixed,
            metrics: &[Metric::PendingTokens, Metric::ReservedBytes],
            watches_queues: true,
        }
    }

    fn route(&mut self, request: &Request, fleet: &mut Fleet, _: &mut RoutingContext) -> Option<Route> {
        let prefill = [Prompt, Mixed]
            .into_iter()
            .filter_map(|pool| fleet.least(pool, Metric::PendingTokens))
            .find(|&instance| takes_prompt(fleet, instance, request, self.prompt_max_pending_tokens));
        let decode = [Token, Mixed]
            .into_iter()
            .filter_map(|pool| fleet.least(pool, Metric::ReservedBytes))
            .find(|&instance| takes_decode(fleet, instance, request));
        let prefill = prefill.or_else(|| Self::borrow(fleet, Token, Metric::PendingTokens));
        let decode = decode.or_else(|| Self::borrow(fleet, Prompt, Metric::ReservedBytes));
        let (prefill, decode) = match (prefill, decode) {
            (Some(prefill), Some(decode)) => (prefill, decode),
            _ => {
                let any = fleet.least_of(&[Prompt, Mixed, Token], Metric::PendingTokens)?;
                (any, any)
            }
        };
        Some(route(prefill, decode, self.bandwidth_gib_per_s))
    }

    /// A lent instance goes home when it has nothing left to do.
    fn idle(&mut self, instance: InstanceId, fleet: &mut Fleet) {
        if let [home] = fleet.home(instance)
            && *home != Mixed
            && fleet.pool(Mixed).contains(instance)
        {
            fleet.move_to(instance, *home);
        }
    }
}

/// A prefill instance takes a prompt unless others wait there already and it would be too much.
pub(super) fn takes_prompt(fleet: &Fleet, instance: InstanceId, request: &Request, maximum: i64) -> bool {
    let queue_empty = fleet.get(instance).is_some_and(|known| known.queue_empty);
    let pending = fleet.load(instance).pending_tokens + i64::from(request.prompt_tokens);
    queue_empty || pending <= maximum
}

/// A decode instance takes a request if its whole KV cache will fit beside what is promised.
pub(super) fn takes_decode(fleet: &Fleet, instance: InstanceId, request: &Request) -> bool {
    fleet.get(instance).is_some_and(|known| {
        fleet.load(instance).reserved_bytes + fleet.request_bytes(request) < known.capacity_bytes
    })
}

/// One instance serves alone; two need a transfer.
pub(super) fn route(prefill: InstanceId, decode: InstanceId, bandwidth_gib_per_s: f64) -> Route {
    if prefill == decode {
        Route::Together(prefill)
    } else {
        Route::Split { prefill, decode, bandwidth_gib_per_s }
    }
}
