//! The instance with the least of a metric, of all instances or of each pool: what the queue-length and KV policies
//! share.

use super::BANDWIDTH;
use crate::registry::Settings;
use crate::request::Request;
use crate::scheduler::{Fleet, Metric, PolicyTraits, PoolName, Route, RoutingContext, RoutingPolicy};

/// Prefill and decode together, on the least of all instances.
#[derive(Debug)]
pub(super) struct Least(pub(super) &'static [Metric; 1]);

impl RoutingPolicy for Least {
    fn traits(&self) -> PolicyTraits {
        PolicyTraits::single(self.0)
    }

    fn route(&mut self, _: &Request, fleet: &mut Fleet, _: &mut RoutingContext) -> Option<Route> {
        let [metric] = *self.0;
        fleet.least(PoolName::All, metric).map(Route::Together)
    }
}

/// Prefill and decode apart, on the least of each pool.
#[derive(Debug)]
pub(super) struct LeastOfEach {
    metric: &'static [Metric; 1],
    bandwidth_gib_per_s: f64,
}

impl LeastOfEach {
    pub(super) fn new(metric: &'static [Metric; 1], settings: &Settings) -> Self {
        LeastOfEach { metric, bandwidth_gib_per_s: settings.number(BANDWIDTH.name) }
    }
}

impl RoutingPolicy for LeastOfEach {
    fn traits(&self) -> PolicyTraits {
        PolicyTraits::split(self.metric)
    }

    fn route(&mut self, _: &Request, fleet: &mut Fleet, _: &mut RoutingContext) -> Option<Route> {
        let [metric] = *self.metric;
        let prefill = fleet.least(PoolName::Prompt, metric)?;
        let decode = fleet.least(PoolName::Token, metric)?;
        Some(Route::Split { prefill, decode, bandwidth_gib_per_s: self.bandwidth_gib_per_s })
    }
}
