//! `threshold`: the user's first two scenarios. A mean queue length above a limit adds instances; a
//! utilisation below another takes some away.
//!
//! The queue counts requests that wait at the scheduler or at instances, per ready instance; utilisation is
//! the share of time instances had a batch running. Current are those asked for, so an instance that starts
//! is not ordered twice. Leaves out: proportionality; it moves by a fixed number at a time.

use ebbflow_actors::SimDuration;

use crate::ids::Tag;
use crate::registry::{Kind, Parameter, Registry, Settings};
use crate::scaling::damping::Cooldown;
use crate::scaling::metrics::Signal;
use crate::scaling::{AutoscalingPolicy, Decision, Limiter, Observation, PolicyContext, Target};

const PARAMETERS: &[Parameter] = &[
    Parameter::number("max_queue_length", 10.0, "waiting requests per ready instance above which it grows")
        .unit("requests"),
    Parameter::number("min_utilization", 0.2, "share of time busy below which it shrinks").at_most(1.0),
    Parameter::number("scale_up_by", 1.0, "instances added at a time").at_least(1.0),
    Parameter::number("scale_down_by", 1.0, "instances taken away at a time").at_least(1.0),
    Parameter::seconds("window", 30.0, "over which queue and utilisation are averaged"),
    Parameter::seconds("scale_up_cooldown", 30.0, "between two scale-ups"),
    Parameter::seconds("scale_down_cooldown", 60.0, "between two scale-downs"),
];

pub(super) fn register(registry: &mut Registry) {
    let kind = Kind {
        name: "threshold",
        aliases: &["ThresholdPolicy"],
        about: "up above a mean queue length, down below a utilisation",
        parameters: PARAMETERS,
    };
    registry.add_policy(kind, |settings, context| Ok(Box::new(Threshold::new(settings, context))));
}

#[derive(Debug)]
struct Threshold {
    pool: Option<Tag>,
    max_queue_length: f64,
    min_utilization: f64,
    up_by: u32,
    down_by: u32,
    window: SimDuration,
    cooldown: Cooldown,
}

impl Threshold {
    fn new(settings: &Settings, context: &PolicyContext) -> Self {
        let rest = |name| settings.seconds(name);
        Threshold {
            pool: context.pool,
            max_queue_length: settings.number("max_queue_length"),
            min_utilization: settings.number("min_utilization"),
            up_by: settings.count("scale_up_by"),
            down_by: settings.count("scale_down_by"),
            window: settings.seconds("window"),
            cooldown: Cooldown::new(rest("scale_up_cooldown"), rest("scale_down_cooldown")),
        }
    }
}

impl AutoscalingPolicy for Threshold {
    fn decide(&mut self, seen: &Observation<'_>) -> Decision {
        let view = seen.over(self.window);
        let waiting = view.readings(Signal::Waiting, self.pool);
        // What waits at the scheduler waits for whoever computes prompts, and for the first to generate tokens.
        let is_served = self.pool == Some(Tag::Token) && seen.pool(self.pool).active > 0;
        let held = if is_served { Some(0.0) } else { view.waiting() };
        let Some(held) = held else { return Decision::hold("no data yet") };
        let current = seen.pool(self.pool).asked();
        if current == 0 && held > 0.0 {
            return self.grow(
                seen,
                Target::new(self.pool, self.up_by),
                "requests wait, and nobody is there".into(),
            );
        }
        let queue_length = (held + waiting.sum()) / waiting.count().max(1) as f64;
        if queue_length > self.max_queue_length {
            let wish = Target::new(self.pool, current + self.up_by);
            return self.grow(seen, wish, format!("{queue_length:.1} requests wait per instance"));
        }
        match view.readings(Signal::Busy, self.pool).mean() {
            Some(busy) if busy < self.min_utilization => {
                let wish = Target::new(self.pool, current.saturating_sub(self.down_by));
                self.shrink(seen, wish, format!("instances are busy {:.0} % of the time", busy * 100.0))
            }
            _ => Decision::of([Target::new(self.pool, current)], "between the thresholds"),
        }
    }

    fn look_back(&self) -> SimDuration {
        self.window
    }
}

impl Threshold {
    fn grow(&mut self, seen: &Observation<'_>, wish: Target, reason: String) -> Decision {
        if !self.cooldown.may_scale_out(seen.now) {
            return self.rest(seen, wish, reason);
        }
        self.cooldown.scaled_out(seen.now);
        Decision::of([wish.from_raw(f64::from(wish.wanted))], reason)
    }

    fn shrink(&mut self, seen: &Observation<'_>, wish: Target, reason: String) -> Decision {
        if !self.cooldown.may_scale_in(seen.now) {
            return self.rest(seen, wish, reason);
        }
        self.cooldown.scaled_in(seen.now);
        Decision::of([wish.from_raw(f64::from(wish.wanted))], reason)
    }

    fn rest(&self, seen: &Observation<'_>, wish: Target, reason: String) -> Decision {
        let still = Target::new(self.pool, seen.pool(self.pool).asked()).from_raw(f64::from(wish.wanted));
        Decision::of([still.limited_by(Some(Limiter::Cooldown))], reason)
    }
}
