//! `kv_jsq`: prefill and decode apart, the fewest requests in each pool.
//!
//! The overlap variant moves caches layer by layer while the prompt is computed; as in the ancestor
//! that is modelled as ten times the bandwidth.

use super::BANDWIDTH;
use crate::registry::{Kind, Parameter, Registry, Settings};
use crate::request::Request;
use crate::scheduler::{
    Fleet, Metric, PolicyTraits, PoolName, Route, RoutingContext, RoutingPolicy, SchedulerContext,
};

const PARAMETERS: &[Parameter] = &[BANDWIDTH.with_default(2000.0)];

pub(super) fn register(registry: &mut Registry) {
    let kind = Kind {
        name: "kv_jsq",
        aliases: &["KVJSQScheduler"],
        about: "prefill and decode apart, the fewest requests in each pool",
        parameters: &[BANDWIDTH],
    };
    registry.add_scheduler(kind, build);
    let kind = Kind {
        name: "overlap_kv_jsq",
        aliases: &["OverlapKVJSQScheduler"],
        about: "as kv_jsq, caches moving while the prompt is computed",
        parameters: PARAMETERS,
    };
    registry.add_scheduler(kind, build);
}

fn build(_: &SchedulerContext, settings: &Settings) -> Box<dyn RoutingPolicy> {
    Box::new(KvShortestQueue { bandwidth_gib_per_s: settings.number("transfer_bandwidth") })
}

#[derive(Debug)]
struct KvShortestQueue {
    bandwidth_gib_per_s: f64,
}

impl RoutingPolicy for KvShortestQueue {
    fn traits(&self) -> PolicyTraits {
        PolicyTraits::split(&[Metric::Residents])
    }

    fn route(&mut self, _: &Request, fleet: &mut Fleet, _: &mut RoutingContext) -> Option<Route> {
        let prefill = fleet.least(PoolName::Prompt, Metric::Residents)?;
        let decode = fleet.least(PoolName::Token, Metric::Residents)?;
        Some(Route::Split { prefill, decode, bandwidth_gib_per_s: self.bandwidth_gib_per_s })
    }
}
