//! `jsq`: the instance with the fewest requests on it.

use crate::registry::{Kind, Registry};
use crate::request::Request;
use crate::scheduler::{Fleet, Metric, PolicyTraits, PoolName, Route, RoutingContext, RoutingPolicy};

pub(super) fn register(registry: &mut Registry) {
    let kind = Kind {
        name: "jsq",
        aliases: &["JSQScheduler"],
        about: "the instance with the fewest requests on it",
        parameters: &[],
    };
    registry.add_scheduler(kind, |_, _| Box::new(ShortestQueue));
}

#[derive(Debug)]
struct ShortestQueue;

impl RoutingPolicy for ShortestQueue {
    fn traits(&self) -> PolicyTraits {
        PolicyTraits::single(&[Metric::Residents])
    }

    fn route(&mut self, _: &Request, fleet: &mut Fleet, _: &mut RoutingContext) -> Option<Route> {
        fleet.least(PoolName::All, Metric::Residents).map(Route::Together)
    }
}
