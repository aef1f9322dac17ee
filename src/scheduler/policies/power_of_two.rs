//! `power_of_two`: of two instances drawn at random, the one with less on it.
//!
//! Nearly as even as looking at all of them, and two routers that know the same do not herd (M. Mitzenmacher, "The
//! Power of Two Choices in Randomized Load Balancing", 2001). Ray Serve and SGLang's router route so. Draws come
//! from the seed of the run; of equals the first drawn wins.

use ebbflow_actors::CounterRng;

use crate::registry::{Kind, Parameter, Registry};
use crate::request::Request;
use crate::scheduler::{Fleet, Metric, PolicyTraits, PoolName, Route, RoutingContext, RoutingPolicy};

const METRIC: Parameter = Parameter::word(
    "metric",
    "requests",
    &["requests", "tokens", "kv"],
    "what is compared: requests on the instance, tokens pending, or the share of KV memory promised",
)
.from("Ray Serve, SGLang router: requests");

pub(super) fn register(registry: &mut Registry) {
    let kind = Kind {
        name: "power_of_two",
        aliases: &["power_of_two_choices", "pow_2"],
        about: "of two instances drawn at random, the one with less on it",
        parameters: &[METRIC],
    };
    registry.add_scheduler(kind, |context, settings| {
        let metric = match settings.text(METRIC.name) {
            "tokens" => Metric::PendingTokens,
            "kv" => Metric::KvShare,
            _ => Metric::Residents,
        };
        Box::new(PowerOfTwo { dice: CounterRng::new(context.seed, context.entity, 0), metric })
    });
}

#[derive(Debug)]
struct PowerOfTwo {
    dice: CounterRng,
    metric: Metric,
}

impl RoutingPolicy for PowerOfTwo {
    fn traits(&self) -> PolicyTraits {
        PolicyTraits::single(&[])
    }

    fn route(&mut self, _: &Request, fleet: &mut Fleet, _: &mut RoutingContext) -> Option<Route> {
        let all = fleet.pool(PoolName::All);
        let count = all.len() as u64;
        if count < 2 {
            return all.nth(0).map(Route::Together);
        }
        let first = self.dice.below(count);
        let other = self.dice.below(count - 1);
        // Any but the first.
        let second = other + u64::from(other >= first);
        let drawn = [first, second].into_iter().filter_map(|position| all.nth(position as usize));
        drawn.min_by_key(|&instance| fleet.value(instance, self.metric)).map(Route::Together)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Desk, GIB, policy, policy_with};

    fn four() -> Vec<(u32, Option<crate::ids::Tag>, u64)> {
        (0..4).map(|number| (number, None, 100 * GIB)).collect()
    }

    #[test]
    fn two_are_always_different_so_the_fullest_is_never_chosen() {
        let mut desk = Desk::new(policy("power_of_two"), &four());
        desk.charge(2, &desk.request(10));
        assert!((0..3).all(|_| desk.serve(desk.request(10)) != 2), "one request is more than none");
        let mut lone = Desk::new(policy("power_of_two"), &four()[..1]);
        assert_eq!((lone.serve(lone.request(10)), lone.serve(lone.request(10))), (0, 0));
        assert_eq!(Desk::new(policy("power_of_two"), &[]).route(desk.request(10)), None);
    }

    #[test]
    fn it_is_far_evener_than_chance() {
        let mut desk = Desk::new(policy("power_of_two"), &four());
        let mut taken = [0u32; 4];
        (0..400).for_each(|_| taken[desk.serve(desk.request(10)) as usize] += 1);
        // A fair draw has a standard deviation of 8.7 requests.
        assert!(taken.iter().all(|count| count.abs_diff(100) <= 3), "{taken:?}");
    }

    #[test]
    fn the_metric_says_what_less_means() {
        // One long prompt against two short ones.
        for (metric, expected) in [("requests", 0), ("tokens", 1), ("kv", 1)] {
            let policy = policy_with("power_of_two", &[("metric", metric.into())]);
            let mut desk = Desk::new(policy, &four()[..2]);
            desk.charge(0, &desk.request(5_000));
            desk.charge(1, &desk.request(10));
            desk.charge(1, &desk.request(10));
            assert_eq!(desk.serve(desk.request(10)), expected, "{metric}");
        }
    }
}
