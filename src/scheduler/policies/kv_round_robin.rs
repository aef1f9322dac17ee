//! `kv_round_robin`: prefill and decode apart, each pool in turn.

use super::BANDWIDTH;
use super::round_robin::Turn;
use crate::registry::{Kind, Parameter, Registry, Settings};
use crate::request::Request;
use crate::scheduler::{Fleet, PolicyTraits, PoolName, Route, RoutingContext, RoutingPolicy};

const PARAMETERS: &[Parameter] = &[BANDWIDTH.with_default(12.5)];

pub(super) fn register(registry: &mut Registry) {
    let kind = Kind {
        name: "kv_round_robin",
        aliases: &["KVRoundRobinScheduler"],
        about: "prefill and decode apart, each pool in turn",
        parameters: &[BANDWIDTH],
    };
    registry.add_scheduler(kind, build);
    let kind = Kind {
        name: "kv_round_robin_ethernet",
        aliases: &[],
        about: "as kv_round_robin over 100 Gbit Ethernet",
        parameters: PARAMETERS,
    };
    registry.add_scheduler(kind, build);
}

fn build(_: &crate::scheduler::SchedulerContext, settings: &Settings) -> Box<dyn RoutingPolicy> {
    Box::new(KvRoundRobin {
        prefill: Turn::default(),
        decode: Turn::default(),
        bandwidth_gib_per_s: settings.number("transfer_bandwidth"),
    })
}

#[derive(Debug)]
struct KvRoundRobin {
    prefill: Turn,
    decode: Turn,
    bandwidth_gib_per_s: f64,
}

impl RoutingPolicy for KvRoundRobin {
    fn traits(&self) -> PolicyTraits {
        PolicyTraits::split(&[])
    }

    fn route(&mut self, _: &Request, fleet: &mut Fleet, _: &mut RoutingContext) -> Option<Route> {
        let (prompt, token) = (fleet.pool(PoolName::Prompt), fleet.pool(PoolName::Token));
        if prompt.is_empty() || token.is_empty() {
            return None;
        }
        let prefill = self.prefill.take(prompt)?;
        let decode = self.decode.take(token)?;
        Some(Route::Split { prefill, decode, bandwidth_gib_per_s: self.bandwidth_gib_per_s })
    }
}
