//! From what the metrics ask for to what is done: stabilisation, rate limits, bounds.
//!
//! Without a `behavior`: the largest recommendation of the stabilisation window, at most twice the fleet
//! or four, within the bounds. With one: each direction has its window and its rate policies, and the window
//! comes first.

use ebbflow_actors::{SimDuration, SimTime};

use crate::scaling::Limiter;
use crate::scaling::damping::{Change, Moves, RateLimit, RatePolicy, Recommendations, Select};

/// Stabilisation of scale-downs, unless a behavior says otherwise. Source: kube-controller-manager,
/// `--horizontal-pod-autoscaler-downscale-stabilization`.
pub const DOWNSCALE_STABILISATION: SimDuration = SimDuration::from_secs(300);
/// Period of the default rate policies. Source: autoscaling/v2 defaults.
const DEFAULT_PERIOD: SimDuration = SimDuration::from_secs(15);

/// How fast each direction may go.
#[derive(Clone, PartialEq, Debug)]
pub struct Behavior {
    /// Growing.
    pub up: Rules,
    /// Shrinking.
    pub down: Rules,
}

/// How fast one direction may go.
#[derive(Clone, PartialEq, Debug)]
pub struct Rules {
    /// Only recommendations that held this long count.
    pub stabilisation: SimDuration,
    /// How many instances at a time.
    pub rate: RateLimit,
    /// Ratios this near to one count as one, instead of the controller's tolerance.
    pub tolerance: Option<f64>,
}

/// The smallest and the largest fleet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
    /// Smallest.
    pub min: u32,
    /// Largest.
    pub max: u32,
}

/// What kept the fleet from the size recommended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Limited {
    /// Nothing.
    Not,
    /// It would grow too fast.
    ScaleUpLimit,
    /// It would shrink too fast.
    ScaleDownLimit,
    /// It would be too large.
    TooMany,
    /// It would be too small.
    TooFew,
}

impl Limited {
    /// As the decision log names it.
    pub const fn limiter(self) -> Option<Limiter> {
        match self {
            Limited::Not => None,
            Limited::ScaleUpLimit | Limited::ScaleDownLimit => Some(Limiter::RateLimit),
            Limited::TooMany | Limited::TooFew => Some(Limiter::Bounds),
        }
    }
}

impl Behavior {
    /// What the API fills in for directions that say nothing; `downscale` stabilises scale-downs.
    pub fn defaults(downscale: SimDuration) -> Self {
        Behavior { up: Rules::up(), down: Rules::down(downscale) }
    }

    /// The recommendation that has held long enough, and remembers this one.
    pub fn stabilise(
        &self,
        now: SimTime,
        current: u32,
        wish: u32,
        recommendations: &mut Recommendations,
    ) -> u32 {
        let (up, down) = (self.up.stabilisation, self.down.stabilisation);
        let at_least = recommendations.lowest(now, up, wish);
        let at_most = recommendations.highest(now, down, wish);
        recommendations.record(now, wish, up.max(down));
        current.max(at_least).min(at_most)
    }

    /// The size allowed now on the way from `current` to `wish`.
    pub fn limit(
        &self,
        now: SimTime,
        current: u32,
        wish: u32,
        moves: &Moves,
        bounds: Bounds,
    ) -> (u32, Limited) {
        if wish > current {
            let fastest = at_least_zero(self.up.rate.up(now, current, moves)).max(current);
            let (most, limited) = smaller(fastest, bounds.max);
            return if wish > most { (most, limited) } else { (wish, Limited::Not) };
        }
        if wish < current {
            let fastest = at_least_zero(self.down.rate.down(now, current, moves)).min(current);
            let (least, limited) = if fastest > bounds.min {
                (fastest, Limited::ScaleDownLimit)
            } else {
                (bounds.min, Limited::TooFew)
            };
            return if wish < least { (least, limited) } else { (wish, Limited::Not) };
        }
        (wish, Limited::Not)
    }

    /// Remembers that the fleet went from one size to another.
    pub fn record(&self, now: SimTime, current: u32, wanted: u32, moves: &mut Moves) {
        if wanted > current {
            moves.up.record(now, wanted - current, self.up.rate.longest_period());
        } else if wanted < current {
            moves.down.record(now, current - wanted, self.down.rate.longest_period());
        }
    }
}

impl Rules {
    /// Of growing: at once, 4 instances or as many again per 15 s, whichever is more.
    pub fn up() -> Self {
        let policies = [Change::Percent(100), Change::Instances(4)];
        Rules { stabilisation: SimDuration::ZERO, rate: rate(&policies), tolerance: None }
    }

    /// Of shrinking: to the largest recommendation of the window, then as far as it goes.
    pub fn down(stabilisation: SimDuration) -> Self {
        Rules { stabilisation, rate: rate(&[Change::Percent(100)]), tolerance: None }
    }
}

fn rate(changes: &[Change]) -> RateLimit {
    let policy = |&change| RatePolicy { change, period: DEFAULT_PERIOD };
    RateLimit { select: Select::Max, policies: changes.iter().map(policy).collect() }
}

/// Stabilises without a behavior: the largest recommendation of the window, and remembers this one.
pub fn stabilise(now: SimTime, window: SimDuration, wish: u32, recommendations: &mut Recommendations) -> u32 {
    let highest = recommendations.highest(now, window, wish);
    recommendations.record(now, wish, window);
    highest
}

/// Limits without a behavior: twice the fleet or four at a time, and the bounds.
pub fn limit(current: u32, wish: u32, bounds: Bounds) -> (u32, Limited) {
    let (most, limited) = smaller(current.saturating_mul(2).max(4), bounds.max);
    if wish < bounds.min {
        (bounds.min, Limited::TooFew)
    } else if wish > most {
        (most, limited)
    } else {
        (wish, Limited::Not)
    }
}

fn smaller(fastest: u32, max: u32) -> (u32, Limited) {
    if max > fastest { (fastest, Limited::ScaleUpLimit) } else { (max, Limited::TooMany) }
}

fn at_least_zero(replicas: i64) -> u32 {
    u32::try_from(replicas.max(0)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds { min: 1, max: 100 };

    fn at(seconds: u64) -> SimTime {
        SimTime::ZERO + SimDuration::from_secs(seconds)
    }

    #[test]
    fn by_default_a_fleet_doubles_or_grows_by_four_and_shrinks_as_far_as_it_must() {
        let behavior = Behavior::defaults(DOWNSCALE_STABILISATION);
        let limit = |current, wish| behavior.limit(at(0), current, wish, &Moves::default(), BOUNDS);
        assert_eq!(limit(2, 50), (6, Limited::ScaleUpLimit));
        assert_eq!(limit(10, 50), (20, Limited::ScaleUpLimit));
        assert_eq!(limit(60, 500), (100, Limited::TooMany));
        assert_eq!(limit(60, 0), (1, Limited::TooFew));
        assert_eq!(limit(60, 3), (3, Limited::Not));
    }

    #[test]
    fn windows_hold_back_each_direction_by_itself() {
        let mut behavior = Behavior::defaults(SimDuration::from_secs(60));
        behavior.up.stabilisation = SimDuration::from_secs(30);
        let mut past = Recommendations::default();
        let mut ask = |seconds, wish| behavior.stabilise(at(seconds), 5, wish, &mut past);
        assert_eq!(ask(0, 5), 5);
        assert_eq!(ask(15, 9), 5, "5 was enough 15 s ago");
        assert_eq!(ask(30, 8), 8, "8 or more for 30 s");
        assert_eq!(ask(45, 2), 5, "neither up, for 2 is enough now, nor down, for 8 was needed");
        assert_eq!(ask(110, 2), 2);
    }

    #[test]
    fn without_a_behavior_four_is_always_allowed() {
        assert_eq!(limit(1, 50, BOUNDS), (4, Limited::ScaleUpLimit));
        assert_eq!(limit(5, 50, BOUNDS), (10, Limited::ScaleUpLimit));
        assert_eq!(limit(5, 50, Bounds { min: 1, max: 7 }), (7, Limited::TooMany));
        assert_eq!(limit(5, 0, BOUNDS), (1, Limited::TooFew));
    }
}
