//! How many instances the load calls for: calmly, by a long window, or in panic, by a short one.
//!
//! Panic begins when the short window alone asks for so many times what is ready, and lasts until it has not
//! done so for a stable window; meanwhile the fleet only grows. The threshold is held against *ready*
//! instances, so slow starters prolong the panic that ordered them.

use ebbflow_actors::{SimDuration, SimTime};

use super::target::Target;
use super::windows::SlidingMax;
use crate::scaling::Limiter;

/// Buckets of the window over which a scale-down is delayed.
const DELAY_GRANULARITY: SimDuration = SimDuration::from_secs(1);

/// Spare capacity for bursts below which requests take the way through the buffer.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum BurstCapacity {
    /// Only while nobody serves.
    None,
    /// So many requests.
    Requests(f64),
    /// Never enough: always through the buffer.
    Unlimited,
}

impl BurstCapacity {
    /// As the original writes it: −1 means never enough, 0 none.
    pub fn from_number(number: f64) -> Self {
        if number < 0.0 {
            BurstCapacity::Unlimited
        } else if number == 0.0 {
            BurstCapacity::None
        } else {
            BurstCapacity::Requests(number)
        }
    }
}

/// What the decider goes by.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct DeciderRules {
    /// Load of one instance.
    pub target: Target,
    /// Spare capacity wanted.
    pub burst_capacity: BurstCapacity,
    /// So many times what is ready must be called for to panic.
    pub panic_threshold: f64,
    /// At most so many times what is ready, above 1.
    pub max_scale_up_rate: f64,
    /// At least what is ready divided by this, above 1.
    pub max_scale_down_rate: f64,
    /// How long a panic outlasts its cause.
    pub stable_window: SimDuration,
    /// So long a lower number must have been wanted before it counts.
    pub scale_down_delay: SimDuration,
    /// At least so many as soon as there is any load.
    pub activation_scale: u32,
    /// Whether requests can reach it at all; what nobody can reach shrinks without delay or limit.
    pub reachable: bool,
}

/// What the decider sees. Loads are totals over all instances and what waits for them.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Load {
    /// Instances that serve.
    pub ready: u32,
    /// Averaged over the stable window.
    pub stable: f64,
    /// Averaged over the panic window.
    pub panic: f64,
}

/// What the decider wants.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Wish {
    /// So many instances.
    pub desired: u32,
    /// The number before rounding and limits.
    pub raw: f64,
    /// What kept `desired` from being `raw`, rounded up.
    pub limited_by: Option<Limiter>,
    /// Requests that could come at once beyond what is wanted as spare capacity; below 0, requests go through
    /// the buffer.
    pub excess_burst_capacity: i64,
}

/// Decides, and remembers its panics.
#[derive(Clone, Debug)]
pub struct Decider {
    rules: DeciderRules,
    panic_since: Option<SimTime>,
    /// The most wanted in this panic.
    max_panic_pods: u32,
    delay: Option<SlidingMax>,
}

impl Decider {
    /// Begins `now` with so many ready instances. With more than one it begins in panic: without a history it
    /// must not take away what somebody had reason to start.
    pub fn new(rules: DeciderRules, now: SimTime, ready: u32) -> Self {
        Decider::resume(rules, (ready > 1).then_some(now), ready)
    }

    /// Goes on in the middle of things.
    pub fn resume(rules: DeciderRules, panic_since: Option<SimTime>, max_panic_pods: u32) -> Self {
        let delay = rules.scale_down_delay;
        let delay = (!delay.is_zero()).then(|| SlidingMax::new(delay, DELAY_GRANULARITY));
        Decider { rules, panic_since, max_panic_pods, delay }
    }

    /// Goes by other rules from now on; the delay stays as it was.
    pub fn update(&mut self, rules: DeciderRules) {
        self.rules = rules;
    }

    /// Since when it panics, or last had reason to.
    pub fn panic_since(&self) -> Option<SimTime> {
        self.panic_since
    }

    /// The most wanted in this panic.
    pub fn max_panic_pods(&self) -> u32 {
        self.max_panic_pods
    }

    /// What it wants now; nothing without data, which leaves the fleet and the panic as they are.
    pub fn decide(&mut self, now: SimTime, load: Option<Load>) -> Option<Wish> {
        let load = load?;
        let ready = f64::from(load.ready.max(1));
        let (stable_raw, panic_raw) =
            (load.stable / self.rules.target.value, load.panic / self.rules.target.value);
        let (stable, panic) = (self.within_rates(stable_raw, ready), self.within_rates(panic_raw, ready));
        self.update_panic(now, panic_raw.ceil() / ready >= self.rules.panic_threshold);

        let (raw, called_for) = match self.panic_since {
            Some(_) => (stable_raw.max(panic_raw), stable.max(panic)),
            None => (stable_raw, stable),
        };
        let kept = self.never_below_the_panic(called_for);
        let desired = self.delayed(now, kept);
        let limited_by = if desired != kept {
            Some(Limiter::Delay)
        } else if kept != called_for {
            Some(Limiter::Stabilisation)
        } else {
            (f64::from(called_for) != raw.ceil()).then_some(Limiter::RateLimit)
        };
        let excess_burst_capacity = self.excess_burst_capacity(load);
        Some(Wish { desired, raw, limited_by, excess_burst_capacity })
    }

    /// Rounded up, within the rates, and no less than the activation scale if there is any load.
    fn within_rates(&self, raw: f64, ready: f64) -> u32 {
        let most = (self.rules.max_scale_up_rate * ready).ceil();
        let least = if self.rules.reachable { (ready / self.rules.max_scale_down_rate).floor() } else { 0.0 };
        let pods = raw.ceil().max(least).min(most) as u32;
        let activation = if raw.ceil() > 0.0 { self.rules.activation_scale } else { 0 };
        if activation > 1 { pods.max(activation) } else { pods }
    }

    fn update_panic(&mut self, now: SimTime, is_over: bool) {
        if is_over {
            self.panic_since = Some(now);
        } else if self.panic_since.is_some_and(|since| since + self.rules.stable_window < now) {
            self.panic_since = None;
            self.max_panic_pods = 0;
        }
    }

    fn never_below_the_panic(&mut self, pods: u32) -> u32 {
        if self.panic_since.is_none() {
            return pods;
        }
        self.max_panic_pods = self.max_panic_pods.max(pods);
        self.max_panic_pods
    }

    fn delayed(&mut self, now: SimTime, pods: u32) -> u32 {
        match &mut self.delay {
            Some(delay) if self.rules.reachable => delay.record(now, pods),
            _ => pods,
        }
    }

    fn excess_burst_capacity(&self, load: Load) -> i64 {
        match self.rules.burst_capacity {
            BurstCapacity::Unlimited => -1,
            BurstCapacity::None => 0,
            BurstCapacity::Requests(wanted) => {
                let capacity = f64::from(load.ready) * self.rules.target.total;
                (capacity - wanted - load.panic).floor() as i64
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: u64) -> SimTime {
        SimTime::ZERO + SimDuration::from_secs(seconds)
    }

    /// Four requests an instance.
    fn rules() -> DeciderRules {
        DeciderRules {
            target: Target { value: 4.0, total: 5.0 },
            burst_capacity: BurstCapacity::Requests(3.0),
            panic_threshold: 2.0,
            max_scale_up_rate: 5.0,
            max_scale_down_rate: 2.0,
            stable_window: SimDuration::from_secs(60),
            scale_down_delay: SimDuration::ZERO,
            activation_scale: 1,
            reachable: true,
        }
    }

    fn wish(decider: &mut Decider, now: u64, ready: u32, stable: f64, panic: f64) -> Wish {
        decider.decide(at(now), Some(Load { ready, stable, panic })).unwrap()
    }

    #[test]
    fn calm_load_is_divided_by_the_target_within_the_rates() {
        let mut decider = Decider::new(rules(), at(0), 1);
        let calm = wish(&mut decider, 2, 3, 14.0, 14.0);
        assert_eq!((calm.desired, calm.raw, calm.limited_by), (4, 3.5, None));
        let halved = wish(&mut decider, 4, 9, 4.0, 4.0);
        assert_eq!((halved.desired, halved.limited_by), (4, Some(Limiter::RateLimit)));
        assert_eq!(decider.panic_since(), None);
    }

    #[test]
    fn a_panic_only_grows_and_ends_a_stable_window_after_its_cause() {
        let mut decider = Decider::new(rules(), at(0), 1);
        assert_eq!(wish(&mut decider, 2, 2, 4.0, 16.0).desired, 4);
        assert_eq!(decider.panic_since(), Some(at(2)));
        let kept = wish(&mut decider, 30, 4, 4.0, 4.0);
        assert_eq!((kept.desired, kept.limited_by), (4, Some(Limiter::Stabilisation)));
        assert_eq!(wish(&mut decider, 62, 4, 4.0, 4.0).desired, 4, "the end of the window counts");
        assert_eq!(wish(&mut decider, 64, 4, 4.0, 4.0).desired, 2);
        assert_eq!((decider.panic_since(), decider.max_panic_pods()), (None, 0));
    }

    #[test]
    fn slow_starters_prolong_the_panic_that_ordered_them() {
        let mut decider = Decider::new(rules(), at(0), 1);
        for now in (2..200).step_by(2) {
            wish(&mut decider, now, 1, 8.0, 8.0);
            assert_eq!(decider.panic_since(), Some(at(now)));
        }
    }

    #[test]
    fn the_threshold_is_held_against_what_is_called_for_before_the_rate_limits_it() {
        let slow = DeciderRules { max_scale_up_rate: 1.5, ..rules() };
        let mut decider = Decider::new(slow, at(0), 1);
        assert_eq!(wish(&mut decider, 2, 10, 0.0, 80.0).desired, 15);
        assert_eq!(decider.panic_since(), Some(at(2)));
    }

    #[test]
    fn without_data_nothing_changes() {
        let mut decider = Decider::new(rules(), at(0), 3);
        assert_eq!(decider.decide(at(500), None), None);
        assert_eq!((decider.panic_since(), decider.max_panic_pods()), (Some(at(0)), 3));
    }

    #[test]
    fn a_lower_number_waits_for_the_delay_unless_nobody_can_reach_it() {
        let delay = DeciderRules { scale_down_delay: SimDuration::from_secs(10), ..rules() };
        let mut decider = Decider::new(delay, at(0), 0);
        assert_eq!(wish(&mut decider, 2, 1, 4.0, 4.0).desired, 1);
        let kept = wish(&mut decider, 10, 1, 0.0, 0.0);
        assert_eq!((kept.desired, kept.limited_by), (1, Some(Limiter::Delay)));
        assert_eq!(wish(&mut decider, 12, 1, 0.0, 0.0).desired, 0);
        wish(&mut decider, 13, 1, 4.0, 4.0);
        decider.update(DeciderRules { reachable: false, ..delay });
        assert_eq!(wish(&mut decider, 14, 1, 0.0, 0.0).desired, 0);
    }

    #[test]
    fn any_load_calls_for_the_activation_scale_and_no_load_for_nothing() {
        let mut decider = Decider::new(DeciderRules { activation_scale: 3, ..rules() }, at(0), 0);
        assert_eq!(wish(&mut decider, 2, 0, 0.5, 0.0).desired, 3);
        assert_eq!(wish(&mut decider, 4, 1, 0.0, 0.0).desired, 0);
    }

    #[test]
    fn spare_capacity_is_what_is_ready_less_what_is_there_and_wanted() {
        let excess = |capacity, ready| {
            let number = DeciderRules { burst_capacity: BurstCapacity::from_number(capacity), ..rules() };
            let mut decider = Decider::new(number, at(0), 0);
            wish(&mut decider, 2, ready, 2.5, 2.5).excess_burst_capacity
        };
        assert_eq!(excess(3.0, 2), 4, "10 - 3 - 2.5, rounded down");
        assert_eq!(excess(3.0, 0), -6);
        assert_eq!((excess(0.0, 2), excess(-1.0, 2)), (0, -1));
    }

    proptest! {
        #[test]
        fn wishes_stay_within_the_rates_outside_a_panic(
            loads in prop::collection::vec((0..60_u32, 0.0..300.0_f64, 0.0..300.0_f64), 1..80),
        ) {
            let mut decider = Decider::new(rules(), at(0), 1);
            for (tick, (ready, stable, panic)) in (1..).zip(loads) {
                let wish = wish(&mut decider, 2 * tick, ready, stable, panic);
                let ready = ready.max(1);
                prop_assert!(wish.desired >= ready / 2);
                if decider.panic_since().is_none() {
                    prop_assert!(wish.desired <= 5 * ready);
                } else {
                    prop_assert!(wish.desired <= decider.max_panic_pods());
                }
            }
        }

        #[test]
        fn a_constant_load_ends_in_a_constant_fleet(load in 0.0..200.0_f64, start in 0..60_u32) {
            let mut decider = Decider::new(rules(), at(0), start);
            let mut fleet = start;
            let mut sizes = Vec::new();
            for tick in 1..200 {
                fleet = wish(&mut decider, 2 * tick, fleet, load, load).desired;
                sizes.push(fleet);
            }
            let settled = (load / 4.0).ceil() as u32;
            prop_assert!(sizes[150..].iter().all(|&size| size == settled), "{sizes:?}");
        }
    }
}
