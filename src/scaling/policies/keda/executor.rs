//! The steps from and to zero or idle, which KEDA takes itself; what it leaves to its HPA is `None` here.

use ebbflow_actors::{SimDuration, SimTime};

/// What a ScaledObject is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ScaledObject {
    /// Smallest active fleet; 0 and 1 differ in whether an inactive one is taken away.
    pub min: u32,
    /// Size of an inactive fleet, below `min`; none: `min`.
    pub idle: Option<u32>,
    /// How long all triggers must be inactive before the fleet becomes inactive.
    pub cooldown: SimDuration,
    /// How long a fleet that was never active stays after the beginning.
    pub initial_cooldown: SimDuration,
    /// What is held fast.
    pub pause: Pause,
    /// Whether the fleet is active whatever the triggers say.
    pub force_activation: bool,
    /// What to do without metrics; none: nothing.
    pub fallback: Option<Fallback>,
}

/// What is held fast.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Pause {
    /// The size of the fleet.
    pub at: Option<u32>,
    /// It does not shrink.
    pub scale_in: bool,
    /// It does not grow.
    pub scale_out: bool,
}

/// What to do when a trigger fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fallback {
    /// So many failures in a row are borne.
    pub failure_threshold: u32,
    /// The size of the fleet for want of a better one.
    pub instances: u32,
    /// How that and the current size are weighed.
    pub behavior: FallbackBehavior,
}

/// Which size a fleet has for want of metrics.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum FallbackBehavior {
    /// The one given.
    #[default]
    Static,
    /// The current one.
    Current,
    /// The current one if it is larger.
    CurrentIfHigher,
    /// The current one if it is smaller.
    CurrentIfLower,
}

/// What a poll has found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Poll {
    /// Instances asked for.
    pub current: u32,
    /// Whether any trigger is active.
    pub active: bool,
    /// Whether any trigger has failed.
    pub failed: bool,
}

/// A ScaledObject with what KEDA remembers of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Executor {
    object: ScaledObject,
    created: SimTime,
    last_active: Option<SimTime>,
}

impl Fallback {
    /// The size of the fleet for want of metrics.
    pub fn size(&self, current: u32) -> u32 {
        match self.behavior {
            FallbackBehavior::Static => self.instances,
            FallbackBehavior::Current => current,
            FallbackBehavior::CurrentIfHigher => current.max(self.instances),
            FallbackBehavior::CurrentIfLower => current.min(self.instances),
        }
    }

    /// The metric that stands in for a failing one with this target for each instance, once `failures` in a row
    /// are too many.
    pub fn metric(&self, failures: u32, target_milli: i64, current: u32) -> Option<i64> {
        let size = i64::from(self.size(current));
        (failures > self.failure_threshold).then(|| target_milli.saturating_mul(size))
    }
}

impl Executor {
    /// Of an object created at this time.
    pub const fn new(object: ScaledObject, created: SimTime) -> Self {
        Executor { object, created, last_active: None }
    }

    /// The size to set after a poll; none: no step of KEDA's own.
    pub fn step(&mut self, now: SimTime, poll: Poll) -> Option<u32> {
        let wanted = match self.object.pause.at {
            Some(size) => Some(size),
            None if poll.active || self.object.force_activation => self.activate(now, poll),
            None => self.deactivate(now, poll),
        };
        wanted.filter(|&wanted| wanted != poll.current)
    }

    fn activate(&mut self, now: SimTime, poll: Poll) -> Option<u32> {
        let ScaledObject { min, idle, pause, .. } = self.object;
        let is_inactive = poll.current == 0 || poll.current < min || idle == Some(poll.current);
        if is_inactive && pause.scale_out {
            return None;
        }
        if is_inactive || !poll.failed {
            self.last_active = Some(now);
        }
        is_inactive.then_some(min.max(1))
    }

    fn deactivate(&mut self, now: SimTime, poll: Poll) -> Option<u32> {
        let ScaledObject { min, idle, pause, fallback, .. } = self.object;
        let Poll { current, failed, .. } = poll;
        if failed {
            return fallback.map(|fallback| fallback.size(current));
        }
        let inactive = idle.unwrap_or(min);
        if current > inactive && (idle.is_some() || min == 0) {
            return (!pause.scale_in && self.has_cooled_down(now)).then_some(inactive);
        }
        (current < min && idle.is_none() && !pause.scale_out).then_some(min)
    }

    fn has_cooled_down(&self, now: SimTime) -> bool {
        match self.last_active {
            Some(active) => now > active + self.object.cooldown,
            None => now > self.created + self.object.initial_cooldown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OBJECT: ScaledObject = ScaledObject {
        min: 0,
        idle: None,
        cooldown: SimDuration::from_secs(300),
        initial_cooldown: SimDuration::ZERO,
        pause: Pause { at: None, scale_in: false, scale_out: false },
        force_activation: false,
        fallback: None,
    };
    const QUIET: Poll = Poll { current: 3, active: false, failed: false };
    const BUSY: Poll = Poll { current: 3, active: true, failed: false };

    fn at(seconds: u64) -> SimTime {
        SimTime::ZERO + SimDuration::from_secs(seconds)
    }

    #[test]
    fn the_cooldown_begins_with_the_last_active_poll_and_must_be_over() {
        let mut executor = Executor::new(OBJECT, at(0));
        assert_eq!(executor.step(at(30), BUSY), None);
        assert_eq!(executor.step(at(330), QUIET), None);
        assert_eq!(executor.step(at(331), QUIET), Some(0));
    }

    #[test]
    fn a_fleet_that_was_never_active_goes_after_the_initial_cooldown() {
        let object = ScaledObject { initial_cooldown: SimDuration::from_secs(60), ..OBJECT };
        let mut executor = Executor::new(object, at(0));
        assert_eq!(executor.step(at(60), QUIET), None);
        assert_eq!(executor.step(at(61), QUIET), Some(0));
    }

    #[test]
    fn from_zero_it_goes_to_the_smallest_active_fleet_or_one() {
        let step = |min, current| {
            let mut executor = Executor::new(ScaledObject { min, ..OBJECT }, at(0));
            executor.step(at(30), Poll { current, ..BUSY })
        };
        assert_eq!(step(0, 0), Some(1));
        assert_eq!(step(4, 0), Some(4));
        assert_eq!(step(4, 2), Some(4));
        assert_eq!(step(4, 4), None, "above it the HPA decides");
    }

    #[test]
    fn a_failing_trigger_changes_nothing_unless_there_is_a_fallback() {
        let fallback = Fallback { failure_threshold: 3, instances: 5, behavior: FallbackBehavior::Static };
        let step = |fallback| {
            let mut executor = Executor::new(ScaledObject { fallback, ..OBJECT }, at(0));
            executor.step(at(30), Poll { failed: true, ..QUIET })
        };
        assert_eq!(step(None), None);
        assert_eq!(step(Some(fallback)), Some(5));
        let sizes = |behavior| {
            let fallback = Fallback { behavior, ..fallback };
            (fallback.size(3), fallback.size(8))
        };
        assert_eq!(sizes(FallbackBehavior::Static), (5, 5));
        assert_eq!(sizes(FallbackBehavior::Current), (3, 8));
        assert_eq!(sizes(FallbackBehavior::CurrentIfHigher), (5, 8));
        assert_eq!(sizes(FallbackBehavior::CurrentIfLower), (3, 5));
        assert_eq!(fallback.metric(3, 10_000, 8), None);
        assert_eq!(fallback.metric(4, 10_000, 8), Some(50_000));
    }

    #[test]
    fn a_pause_holds_a_size_or_a_direction() {
        let step = |pause, poll| Executor::new(ScaledObject { pause, ..OBJECT }, at(0)).step(at(30), poll);
        assert_eq!(step(Pause { at: Some(7), ..Pause::default() }, QUIET), Some(7));
        assert_eq!(step(Pause { scale_in: true, ..Pause::default() }, QUIET), None);
        let zero = Poll { current: 0, ..BUSY };
        assert_eq!(step(Pause { scale_out: true, ..Pause::default() }, zero), None);
    }
}
