//! `kv_token_jsq`: prefill and decode apart, the fewest tokens pending in each pool.
//!
//! The overlap variant moves caches layer by layer while the prompt is computed; as in the ancestor
//! that is modelled as ten times the bandwidth.
//!
//! The ancestor's scheduler of this name only ever subtracts from its counters, so all load lands on
//! one instance per pool; here the counters are charged as well.

use super::BANDWIDTH;
use super::least::LeastOfEach;
use crate::registry::{Kind, Parameter, Registry, Settings};
use crate::scheduler::{Metric, RoutingPolicy, SchedulerContext};

const PARAMETERS: &[Parameter] = &[BANDWIDTH.with_default(2000.0)];

pub(super) fn register(registry: &mut Registry) {
    let kind = Kind {
        name: "kv_token_jsq",
        aliases: &["KVTokenJSQScheduler"],
        about: "prefill and decode apart, the fewest tokens pending in each pool",
        parameters: &[BANDWIDTH],
    };
    registry.add_scheduler(kind, build);
    let kind = Kind {
        name: "overlap_kv_token_jsq",
        aliases: &["OverlapKVTokenJSQScheduler"],
        about: "as kv_token_jsq, caches moving while the prompt is computed",
        parameters: PARAMETERS,
    };
    registry.add_scheduler(kind, build);
}

fn build(_: &SchedulerContext, settings: &Settings) -> Box<dyn RoutingPolicy> {
    Box::new(LeastOfEach::new(&[Metric::PendingTokens], settings))
}
