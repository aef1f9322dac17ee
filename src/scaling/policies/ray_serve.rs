//! `ray_serve`: the replica autoscaler of Ray Serve.
//!
//! Requests at instances and before them, averaged over a look-back, are shared out: so many ongoing requests
//! per instance. A factor per direction stretches or shortens the move, and a direction must persist for a
//! delay before it is followed. Zero is left at once when a request comes, and reached only from one.
//!
//! Who is current depends on the version: the formula divides among the running instances or among those
//! asked for (`current`); delays always compare with those asked for. They were counted in decisions of the
//! control loop once and are timed by the clock today (`delay_by`).
//!
//! Leaves out: custom policies, aggregations other than the mean, the push of a first request's metrics. The
//! original decides every 0.1 s on metrics that are 10 s apart; here it is every second, for between two
//! scrapes a decision can only find a delay over. Source: ray-project/ray, `serve/autoscaling_policy.py`.

use std::cmp::Ordering;

use ebbflow_actors::{SimDuration, SimTime};

use super::no_data::no_data;
use crate::ids::Tag;
use crate::registry::{Kind, Parameter, Registry, Settings};
use crate::scaling::damping::{Patience, Persistence};
use crate::scaling::metrics::Signal;
use crate::scaling::{
    AutoscalingPolicy, Counting, Decision, Limiter, Observation, PolicyContext, PolicyKind, Target,
};

const SOURCE: &str = "Ray Serve 2.5x AutoscalingConfig";

const PARAMETERS: &[Parameter] = &[
    Parameter::number("target_ongoing_requests", 2.0, "requests an instance should have, running or queued")
        .at_least(0.01)
        .unit("requests")
        .from(SOURCE),
    Parameter::seconds("upscale_delay", 30.0, "a wish for more must hold so long").from(SOURCE),
    Parameter::seconds("downscale_delay", 600.0, "a wish for fewer must hold so long").from(SOURCE),
    Parameter::optional("downscale_to_zero_delay", "the same for the last instance; else downscale_delay")
        .unit("s"),
    Parameter::number("upscaling_factor", 1.0, "share of the way up that is gone at once").from(SOURCE),
    Parameter::number("downscaling_factor", 1.0, "share of the way down that is gone at once").from(SOURCE),
    Parameter::seconds("look_back_period", 30.0, "over which requests are averaged").from(SOURCE),
    Parameter::word("current", "running", &["running", "target"], "whom the formula divides the load among"),
    Parameter::word("delay_by", "clock", &["clock", "decisions"], "how delays are measured"),
];

pub(super) fn register(registry: &mut Registry) {
    let kind = Kind {
        name: "ray_serve",
        aliases: &["ray"],
        about: "Ray Serve: so many ongoing requests per instance, once a direction has held for a delay",
        parameters: PARAMETERS,
    };
    let kind = PolicyKind { decision_interval_s: 1.0, scrape_interval_s: 10.0, ..kind.into() };
    registry.add_policy(kind, |settings, context| Ok(Box::new(RayServe::new(settings, context))));
}

/// How much of a move is made at once: one for all of it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Factors {
    /// Of a move up.
    pub up: f64,
    /// Of a move down.
    pub down: f64,
}

impl Factors {
    /// From `current` towards `desired`, rounded up. A move down is one instance at least, or a small factor
    /// would hold it up for ever.
    pub fn scale(&self, current: u32, desired: f64) -> u32 {
        let way = desired - f64::from(current);
        let factor = if way > 0.0 { self.up } else { self.down };
        let scaled = (f64::from(current) + factor * way).ceil().max(0.0) as u32;
        if way < 0.0 && scaled == current { scaled.saturating_sub(1) } else { scaled }
    }
}

/// From requests to instances.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Rules {
    /// Requests an instance should have, > 0.
    pub target_ongoing_requests: f64,
    /// How much of a move is made at once.
    pub factors: Factors,
    /// Fewest instances.
    pub min: u32,
    /// Most instances.
    pub max: u32,
}

impl Rules {
    /// How many should serve `total_requests` where `current` do.
    pub fn desired(&self, total_requests: f64, current: u32) -> u32 {
        self.bounded(self.factors.scale(current, total_requests / self.target_ongoing_requests))
    }

    /// How many there should be where none serves and `target` were asked for: no delay, no bounds.
    pub fn from_zero(&self, total_requests: f64, target: u32) -> u32 {
        if total_requests > 0.0 { target.max(self.factors.up.ceil() as u32) } else { target }
    }

    /// Within the bounds; the upper one wins.
    pub fn bounded(&self, desired: u32) -> u32 {
        desired.max(self.min).min(self.max)
    }
}

/// How long a wish must hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Delays {
    /// For more.
    pub up: SimDuration,
    /// For fewer.
    pub down: SimDuration,
    /// For none where there is one; else as for fewer.
    pub to_zero: Option<SimDuration>,
}

/// Follows wishes that have held long enough.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Delayed {
    delays: Delays,
    persistence: Persistence,
}

impl Delayed {
    /// No wish so far.
    pub const fn new(delays: Delays, measure: Patience) -> Self {
        Delayed { delays, persistence: Persistence::new(measure) }
    }

    /// What becomes of the wish for `desired` instances where `target` were asked for.
    pub fn follow(&mut self, now: SimTime, desired: u32, target: u32) -> u32 {
        let (desired, delay) = match desired.cmp(&target) {
            Ordering::Less if target == 1 => (0, self.delays.to_zero.unwrap_or(self.delays.down)),
            Ordering::Less => (desired.max(1), self.delays.down),
            Ordering::Equal | Ordering::Greater => (desired, self.delays.up),
        };
        if self.persistence.allows(now, desired.cmp(&target), delay) { desired } else { target }
    }
}

#[derive(Debug)]
struct RayServe {
    pool: Option<Tag>,
    rules: Rules,
    delayed: Delayed,
    look_back: SimDuration,
    current: Counting,
}

impl RayServe {
    fn new(settings: &Settings, context: &PolicyContext) -> Self {
        let delays = Delays {
            up: settings.seconds("upscale_delay"),
            down: settings.seconds("downscale_delay"),
            to_zero: settings
                .optional("downscale_to_zero_delay")
                .map(|seconds| SimDuration::from_secs_f64(seconds).unwrap_or(SimDuration::MAX)),
        };
        let measure = match settings.text("delay_by") {
            "decisions" => Patience::Decisions { period: context.decision_interval },
            _ => Patience::Clock,
        };
        RayServe {
            pool: context.pool,
            rules: Rules {
                target_ongoing_requests: settings.number("target_ongoing_requests"),
                factors: Factors {
                    up: settings.number("upscaling_factor"),
                    down: settings.number("downscaling_factor"),
                },
                min: context.min_instances,
                max: context.max_instances.unwrap_or(u32::MAX),
            },
            delayed: Delayed::new(delays, measure),
            look_back: settings.seconds("look_back_period"),
            current: if settings.text("current") == "target" { Counting::Asked } else { Counting::Ready },
        }
    }

    /// Requests at this pool's instances and, where it computes prompts, before them.
    fn total_requests(&self, seen: &Observation<'_>) -> Option<f64> {
        let view = seen.over(self.look_back);
        let queued = if self.pool == Some(Tag::Token) { 0.0 } else { view.waiting()? };
        Some(view.readings(Signal::Ongoing, self.pool).sum() + queued)
    }
}

impl AutoscalingPolicy for RayServe {
    fn decide(&mut self, seen: &Observation<'_>) -> Decision {
        let total = self.total_requests(seen).filter(|_| seen.age().is_some());
        let Some(total) = total else { return no_data(seen, &[self.pool], "no metrics yet") };
        let pool = seen.pool(self.pool);
        let target = pool.asked();
        let raw = total / self.rules.target_ongoing_requests;
        let current = pool.counted(self.current);
        if current == 0 {
            let wanted = self.rules.from_zero(total, target);
            let reason = format!("{total:.1} requests and no instance that serves");
            return Decision::of([Target::new(self.pool, wanted).from_raw(raw)], reason);
        }
        let desired = self.rules.desired(total, current);
        let wanted = self.delayed.follow(seen.now, desired, target);
        let limiter = if wanted != desired {
            Some(Limiter::Delay)
        } else {
            let unbounded = self.rules.factors.scale(current, raw);
            (unbounded != desired).then_some(Limiter::Bounds)
        };
        let reason = format!("{total:.1} ongoing requests for {current} instances");
        Decision::of([Target::new(self.pool, wanted).from_raw(raw).limited_by(limiter)], reason)
    }

    fn look_back(&self) -> SimDuration {
        self.look_back
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FULL: Factors = Factors { up: 1.0, down: 1.0 };

    fn at(seconds: u64) -> SimTime {
        SimTime::ZERO + SimDuration::from_secs(seconds)
    }

    #[test]
    fn a_small_factor_slows_a_shrinking_fleet_but_never_stops_it() {
        let factors = Factors { up: 1.0, down: 0.1 };
        let mut current = 4;
        for left in [3, 2, 1, 0] {
            current = factors.scale(current, 0.0);
            assert_eq!(current, left);
        }
    }

    #[test]
    fn without_instances_any_request_asks_for_the_factor_rounded_up_and_none_asks_for_nothing() {
        let rules =
            |up| Rules { target_ongoing_requests: 2.0, factors: Factors { up, ..FULL }, min: 0, max: 1 };
        assert_eq!(rules(0.5).from_zero(0.1, 0), 1);
        assert_eq!(rules(3.5).from_zero(9.0, 0), 4, "bounds wait for the next decision");
        assert_eq!(rules(1.0).from_zero(9.0, 6), 6, "what was asked for stays so");
        assert_eq!(rules(9.0).from_zero(0.0, 0), 0);
    }

    #[test]
    fn none_is_left_only_where_one_was_and_after_a_delay_of_its_own() {
        let second = SimDuration::from_secs(1);
        let delays = Delays { up: second, down: second, to_zero: Some(second * 5) };
        let mut delayed = Delayed::new(delays, Patience::Clock);
        assert_eq!(delayed.follow(at(0), 0, 3), 3);
        assert_eq!(delayed.follow(at(1), 0, 3), 1);
        assert_eq!(delayed.follow(at(2), 0, 1), 1);
        assert_eq!(delayed.follow(at(6), 0, 1), 1);
        assert_eq!(delayed.follow(at(7), 0, 1), 0);
    }

    proptest! {
        #[test]
        fn wishes_are_within_bounds_and_on_the_right_side(
            total in 0.0..1e6_f64, current in 1u32..500, up in 0.0..3.0_f64, down in 0.0..1.0_f64,
            min in 0u32..5, more in 0u32..1000,
        ) {
            let rules = Rules {
                target_ongoing_requests: 2.0,
                factors: Factors { up, down },
                min,
                max: min + more,
            };
            let desired = rules.desired(total, current);
            prop_assert!(rules.min <= desired && desired <= rules.max);
            let scaled = rules.factors.scale(current, total / 2.0);
            prop_assert_eq!(scaled < current, total / 2.0 < f64::from(current));
        }

        #[test]
        fn a_steady_wish_is_followed_once_the_delay_is_over(
            delay_s in 0u64..60, target in 1u32..50, desired in 1u32..50,
        ) {
            let delay = SimDuration::from_secs(delay_s);
            let mut delayed =
                Delayed::new(Delays { up: delay, down: delay, to_zero: None }, Patience::Clock);
            for second in 0..delay_s {
                prop_assert_eq!(delayed.follow(at(second), desired, target), target);
            }
            prop_assert_eq!(delayed.follow(at(delay_s), desired, target), desired);
        }
    }
}
