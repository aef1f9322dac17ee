//! `round_robin`: one after the other.

use crate::ids::InstanceId;
use crate::registry::{Kind, Registry};
use crate::request::Request;
use crate::scheduler::pool::Pool;
use crate::scheduler::{Fleet, PolicyTraits, PoolName, Route, RoutingContext, RoutingPolicy};

pub(super) fn register(registry: &mut Registry) {
    let kind = Kind {
        name: "round_robin",
        aliases: &["RoundRobinScheduler"],
        about: "one instance after the other",
        parameters: &[],
    };
    registry.add_scheduler(kind, |_, _| Box::new(RoundRobin { turn: Turn::default() }));
}

#[derive(Debug)]
struct RoundRobin {
    turn: Turn,
}

impl RoutingPolicy for RoundRobin {
    fn traits(&self) -> PolicyTraits {
        PolicyTraits::single(&[])
    }

    fn route(&mut self, _: &Request, fleet: &mut Fleet, _: &mut RoutingContext) -> Option<Route> {
        self.turn.take(fleet.pool(PoolName::All)).map(Route::Together)
    }
}

/// Whose turn it is in a list that may grow and shrink: an index, modulo the current length before
/// and after use, as in splitwise-DRL.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Turn {
    next: usize,
}

impl Turn {
    pub fn take(&mut self, pool: &Pool) -> Option<InstanceId> {
        let turn = self.next.checked_rem(pool.len())?;
        self.next = (turn + 1) % pool.len();
        pool.nth(turn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_survives_that_the_list_shrinks() {
        let mut pool = Pool::of([4, 7, 9].map(InstanceId));
        let mut turn = Turn::default();
        let taken: Vec<_> = (0..4).filter_map(|_| turn.take(&pool)).map(|id| id.0).collect();
        assert_eq!(taken, [4, 7, 9, 4]);
        pool.remove(InstanceId(7));
        pool.remove(InstanceId(9));
        assert_eq!(turn.take(&pool), Some(InstanceId(4)));
        pool.remove(InstanceId(4));
        assert_eq!(turn.take(&pool), None);
    }
}
