//! `token_jsq`: the instance with the fewest tokens pending.

use crate::registry::{Kind, Registry};
use crate::request::Request;
use crate::scheduler::{Fleet, Metric, PolicyTraits, PoolName, Route, RoutingContext, RoutingPolicy};

pub(super) fn register(registry: &mut Registry) {
    let kind = Kind {
        name: "token_jsq",
        aliases: &["TokenJSQScheduler"],
        about: "the instance with the fewest tokens pending",
        parameters: &[],
    };
    registry.add_scheduler(kind, |_, _| Box::new(FewestTokens));
}

#[derive(Debug)]
struct FewestTokens;

impl RoutingPolicy for FewestTokens {
    fn traits(&self) -> PolicyTraits {
        PolicyTraits::single(&[Metric::PendingTokens])
    }

    fn route(&mut self, _: &Request, fleet: &mut Fleet, _: &mut RoutingContext) -> Option<Route> {
        fleet.least(PoolName::All, Metric::PendingTokens).map(Route::Together)
    }
}
