//! When affinity gives way to load: the rule of cache-aware routers.
//!
//! SGLang's and vLLM's routers send everything to the least loaded worker while *any* worker has more than
//! `balance_abs_threshold` requests over the least loaded one and more than `balance_rel_threshold` times as many.
//! Here only the instance that somebody would be sent to is measured so: the others keep their affinity.

use crate::registry::{Parameter, Settings};
use crate::scheduler::{Fleet, Metric, PoolName};

const SOURCE: &str = "SGLang router, vLLM router";

pub(super) const ABSOLUTE: Parameter = Parameter::number(
    "balance_abs_threshold",
    64.0,
    "requests over the least loaded instance that make an instance overloaded",
)
.unit("requests")
.from(SOURCE);

pub(super) const RELATIVE: Parameter = Parameter::number(
    "balance_rel_threshold",
    1.5,
    "times the requests of the least loaded instance that make an instance overloaded; both must be passed",
)
.at_least(1.0)
.from(SOURCE);

/// How much more than the least loaded instance an instance may have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Balance {
    absolute: f64,
    relative: f64,
}

impl Balance {
    pub fn new(settings: &Settings) -> Self {
        Balance { absolute: settings.number(ABSOLUTE.name), relative: settings.number(RELATIVE.name) }
    }

    /// Requests an instance of this pool may have and not be overloaded.
    pub fn most(&self, fleet: &Fleet, pool: PoolName) -> f64 {
        let least = fleet.least(pool, Metric::Residents);
        let least = least.map_or(0, |instance| fleet.load(instance).residents) as f64;
        (least + self.absolute).max(least * self.relative)
    }
}
