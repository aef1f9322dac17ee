//! `session_sticky`: a conversation stays on the instance it began on, where its KV cache is.
//!
//! It moves, for good, to the instance with the fewest requests when its own is gone or
//! [overloaded](super::balance). Requests without a session go to the instance with the fewest requests. Sessions
//! are forgotten in the order of their last request when there are too many. As the session affinity of vLLM's
//! production stack, AIBrix and SGLang's router, which hash the session or remember it; remembering keeps sessions
//! where they are when instances join.

use super::balance::{ABSOLUTE, Balance, RELATIVE};
use crate::ids::{InstanceId, SessionId};
use crate::registry::{Kind, Parameter, Registry};
use crate::request::Request;
use crate::scheduler::recent::Recent;
use crate::scheduler::{Fleet, Metric, PolicyTraits, PoolName, Route, RoutingContext, RoutingPolicy};

const MAX_SESSIONS: Parameter =
    Parameter::number("max_sessions", 100_000.0, "sessions remembered; the one silent longest is forgotten")
        .at_least(1.0)
        .at_most(1e9)
        .unit("sessions");

pub(super) fn register(registry: &mut Registry) {
    let kind = Kind {
        name: "session_sticky",
        aliases: &["session_affinity"],
        about: "a session's requests stay on one instance, unless it is overloaded or gone",
        parameters: &[ABSOLUTE, RELATIVE, MAX_SESSIONS],
    };
    registry.add_scheduler(kind, |_, settings| {
        Box::new(SessionSticky {
            balance: Balance::new(settings),
            homes: Recent::default(),
            most: settings.count(MAX_SESSIONS.name) as usize,
        })
    });
}

#[derive(Debug)]
struct SessionSticky {
    balance: Balance,
    /// Where sessions are; perhaps no longer in the fleet.
    homes: Recent<SessionId, InstanceId>,
    most: usize,
}

impl SessionSticky {
    /// The instance of a session, if it may have one more.
    fn home(&self, session: SessionId, fleet: &Fleet) -> Option<InstanceId> {
        let home = *self.homes.get(&session)?;
        let residents = fleet.get(home)?.load().residents as f64;
        (residents <= self.balance.most(fleet, PoolName::All)).then_some(home)
    }
}

impl RoutingPolicy for SessionSticky {
    fn traits(&self) -> PolicyTraits {
        PolicyTraits::single(&[Metric::Residents])
    }

    fn route(&mut self, request: &Request, fleet: &mut Fleet, _: &mut RoutingContext) -> Option<Route> {
        let least = fleet.least(PoolName::All, Metric::Residents)?;
        let Some(session) = request.attributes().session else { return Some(Route::Together(least)) };
        let home = self.home(session, fleet).unwrap_or(least);
        self.homes.put(session, home);
        if self.homes.len() > self.most {
            self.homes.pop_oldest();
        }
        Some(Route::Together(home))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Desk, GIB, policy, policy_with};

    fn three() -> Vec<(u32, Option<crate::ids::Tag>, u64)> {
        (0..3).map(|number| (number, None, 100 * GIB)).collect()
    }

    #[test]
    fn a_session_stays_and_those_without_one_go_to_the_least_loaded() {
        let mut desk = Desk::new(policy("session_sticky"), &three());
        assert_eq!(desk.serve(desk.in_session(7)), 0);
        assert_eq!(desk.serve(desk.in_session(8)), 1);
        assert!((0..9).all(|_| desk.serve(desk.in_session(7)) == 0));
        assert_eq!((desk.serve(desk.request(10)), desk.serve(desk.request(10))), (2, 1));
    }

    #[test]
    fn an_overloaded_instance_loses_the_session_for_good() {
        let limits = [("balance_abs_threshold", 3.0.into()), ("balance_rel_threshold", 2.0.into())];
        let mut desk = Desk::new(policy_with("session_sticky", &limits), &three());
        let taken: Vec<u32> = (0..7).map(|_| desk.serve(desk.in_session(7))).collect();
        assert_eq!(
            taken,
            [0, 0, 0, 0, 1, 1, 1],
            "three over the least loaded are allowed, and one more comes"
        );
        (0..4).for_each(|_| desk.complete(0, &desk.request(10)));
        assert_eq!(desk.serve(desk.in_session(7)), 1, "it does not go back");
    }

    #[test]
    fn a_drained_instance_loses_its_sessions_and_a_newcomer_takes_none() {
        let mut desk = Desk::new(policy("session_sticky"), &three());
        assert_eq!((desk.serve(desk.in_session(7)), desk.serve(desk.in_session(8))), (0, 1));
        desk.leave(0);
        assert_eq!(desk.serve(desk.in_session(7)), 2);
        desk.join(5);
        assert_eq!((desk.serve(desk.in_session(7)), desk.serve(desk.in_session(8))), (2, 1));
    }

    #[test]
    fn the_session_silent_longest_is_forgotten_when_there_are_too_many() {
        let mut desk = Desk::new(policy_with("session_sticky", &[("max_sessions", 2.0.into())]), &three());
        assert_eq!([1, 2, 1, 3].map(|session| desk.serve(desk.in_session(session))), [0, 1, 0, 2]);
        assert_eq!(desk.serve(desk.in_session(1)), 0, "it spoke after session 2");
        desk.charge(1, &desk.request(10));
        desk.charge(1, &desk.request(10));
        assert_eq!(desk.serve(desk.in_session(2)), 2, "it begins anew where the least is");
    }
}
