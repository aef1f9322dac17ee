//! `random`: any ACTIVE instance, all equally likely, from the seed of the run.

use ebbflow_actors::CounterRng;

use crate::registry::{Kind, Registry};
use crate::request::Request;
use crate::scheduler::{Fleet, PolicyTraits, PoolName, Route, RoutingContext, RoutingPolicy};

pub(super) fn register(registry: &mut Registry) {
    let kind = Kind {
        name: "random",
        aliases: &["RandomScheduler"],
        about: "any instance, all equally likely",
        parameters: &[],
    };
    registry.add_scheduler(kind, |context, _| {
        Box::new(Random { dice: CounterRng::new(context.seed, context.entity, 0) })
    });
}

#[derive(Debug)]
struct Random {
    dice: CounterRng,
}

impl RoutingPolicy for Random {
    fn traits(&self) -> PolicyTraits {
        PolicyTraits::single(&[])
    }

    fn route(&mut self, _: &Request, fleet: &mut Fleet, _: &mut RoutingContext) -> Option<Route> {
        let all = fleet.pool(PoolName::All);
        if all.is_empty() {
            return None;
        }
        all.nth(self.dice.below(all.len() as u64) as usize).map(Route::Together)
    }
}
