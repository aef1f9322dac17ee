//! The life of an instance: SCALING_UP → ACTIVE → DRAINING → SCALING_DOWN (gone).

use ebbflow_actors::{SimDuration, SimTime, TickId};

/// The user's four statuses, as logs and summaries name them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum InstanceStatus {
    /// Starting; takes no work.
    ScalingUp,
    /// Serving.
    Active,
    /// Takes no new work, finishes what it has.
    Draining,
    /// Drained; leaving.
    ScalingDown,
}

impl InstanceStatus {
    /// The word in the scaling log.
    pub const fn name(self) -> &'static str {
        match self {
            InstanceStatus::ScalingUp => "scaling_up",
            InstanceStatus::Active => "active",
            InstanceStatus::Draining => "draining",
            InstanceStatus::ScalingDown => "scaling_down",
        }
    }
}

/// Where an instance stands, with what belongs to that. SCALING_DOWN has no state of its own: the
/// instance leaves in the same moment.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Lifecycle {
    ScalingUp { activation: Option<TickId> },
    Active,
    Draining(Drain),
}

/// A drain in progress.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Drain {
    /// The grid of checks starts here.
    pub since: SimTime,
    /// Requests that were ever assigned to this instance; it must have seen them all.
    pub expected: u64,
    /// Whether the time-out has struck: then nothing is served any more.
    pub expired: bool,
}

impl Drain {
    /// The next check: the first point of the grid `since + k · interval` after `now`.
    pub fn next_check(&self, now: SimTime, interval: SimDuration) -> SimTime {
        let passed = (now - self.since).as_nanos() / interval.as_nanos();
        self.since + interval * (passed + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drain_checks_stay_on_the_grid_that_starts_with_the_drain() {
        let second = SimDuration::from_secs(1);
        let since = SimTime::from_nanos(80_710_000_000);
        let drain = Drain { since, expected: 0, expired: false };
        assert_eq!(drain.next_check(since, second), since + second);
        assert_eq!(drain.next_check(since + SimDuration::from_nanos(2), second), since + second);
        assert_eq!(drain.next_check(since + second, second), since + second * 2);
    }
}
