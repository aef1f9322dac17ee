//! `kv_jsq`: prefill and decode apart, the fewest requests in each pool.
//!
//! The overlap variant moves caches layer by layer while the prompt is computed; as in the ancestor
//! that is modelled as ten times the bandwidth.

use super::BANDWIDTH;
use super::least::LeastOfEach;
use crate::registry::{Kind, Parameter, Registry, Settings};
use crate::scheduler::{Metric, RoutingPolicy, SchedulerContext};

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
    Box::new(LeastOfEach::new(&[Metric::Residents], settings))
}
