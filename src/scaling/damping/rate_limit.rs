//! So many instances at a time: limits on how far a fleet may move within a period, after the scaling
//! policies of the Kubernetes HPA.
//!
//! A limit counts from the size at the start of its period, which is the size now without what was added
//! since and with what was taken away. Opposite moves give the budget back.

use ebbflow_actors::{SimDuration, SimTime};

/// How far a fleet may move within a period.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RatePolicy {
    /// How far.
    pub change: Change,
    /// Within which time.
    pub period: SimDuration,
}

/// A distance between two sizes of a fleet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    /// So many instances.
    Instances(u32),
    /// So many percent of the size at the start of the period.
    Percent(u32),
}

/// Which of several rate policies counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Select {
    /// The one that allows the largest change.
    #[default]
    Max,
    /// The one that allows the smallest change.
    Min,
    /// None: no change in this direction.
    Disabled,
}

/// The rate policies of a direction.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RateLimit {
    /// Which of them counts.
    pub select: Select,
    /// All of them.
    pub policies: Vec<RatePolicy>,
}

/// Changes of one direction, as positive numbers, and when they were made.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Changes(Vec<(SimTime, u32)>);

/// What has moved a fleet so far.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Moves {
    /// Scale-ups.
    pub up: Changes,
    /// Scale-downs.
    pub down: Changes,
}

impl Changes {
    /// The sum of the changes younger than `period`.
    pub fn within(&self, now: SimTime, period: SimDuration) -> i64 {
        let younger = self.0.iter().filter(|(at, _)| now.saturating_sub(*at) < period);
        younger.map(|&(_, change)| i64::from(change)).sum()
    }

    /// Remembers a change, in place of one that is as old as `memory` or older if there is any.
    pub fn record(&mut self, now: SimTime, change: u32, memory: SimDuration) {
        let forgotten = self.0.iter_mut().rev().find(|(at, _)| now.saturating_sub(*at) >= memory);
        match forgotten {
            Some(slot) => *slot = (now, change),
            None => self.0.push((now, change)),
        }
    }
}

impl FromIterator<(SimTime, u32)> for Changes {
    fn from_iter<T: IntoIterator<Item = (SimTime, u32)>>(changes: T) -> Self {
        Changes(changes.into_iter().collect())
    }
}

impl Moves {
    /// The size at the start of a period that ends now; of opposite moves in different periods it may be
    /// below zero.
    fn start_of(&self, period: SimDuration, now: SimTime, current: u32) -> i64 {
        i64::from(current) - self.up.within(now, period) + self.down.within(now, period)
    }
}

impl RateLimit {
    /// The largest size allowed now; below `current` while earlier moves have used up more than the budget.
    pub fn up(&self, now: SimTime, current: u32, moves: &Moves) -> i64 {
        let allowed = self.policies.iter().map(|policy| {
            let start = moves.start_of(policy.period, now, current);
            match policy.change {
                Change::Instances(number) => start + i64::from(number),
                // Rounded up, or a small fleet would never grow.
                Change::Percent(percent) => (start as f64 * (1.0 + f64::from(percent) / 100.0)).ceil() as i64,
            }
        });
        let limit = match self.select {
            Select::Max => allowed.max(),
            Select::Min => allowed.min(),
            Select::Disabled => None,
        };
        limit.unwrap_or(i64::from(current))
    }

    /// The smallest size allowed now; above `current` while earlier moves have used up more than the budget.
    pub fn down(&self, now: SimTime, current: u32, moves: &Moves) -> i64 {
        let allowed = self.policies.iter().map(|policy| {
            let start = moves.start_of(policy.period, now, current);
            match policy.change {
                Change::Instances(number) => start - i64::from(number),
                Change::Percent(percent) => (start as f64 * (1.0 - f64::from(percent) / 100.0)) as i64,
            }
        });
        let limit = match self.select {
            Select::Max => allowed.min(),
            Select::Min => allowed.max(),
            Select::Disabled => None,
        };
        limit.unwrap_or(i64::from(current))
    }

    /// The longest period: changes older than it are of no interest.
    pub fn longest_period(&self) -> SimDuration {
        self.policies.iter().map(|policy| policy.period).max().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SimTime {
        SimTime::ZERO + SimDuration::from_secs(seconds)
    }

    fn limit(select: Select, changes: &[Change]) -> RateLimit {
        let policy = |&change| RatePolicy { change, period: SimDuration::from_secs(60) };
        RateLimit { select, policies: changes.iter().map(policy).collect() }
    }

    #[test]
    fn the_largest_the_smallest_or_no_change_is_selected_in_both_directions() {
        let changes = [Change::Instances(3), Change::Percent(50)];
        let none = Moves::default();
        let limits = |select| {
            let limit = limit(select, &changes);
            (limit.up(at(0), 10, &none), limit.down(at(0), 10, &none))
        };
        assert_eq!(limits(Select::Max), (15, 5));
        assert_eq!(limits(Select::Min), (13, 7));
        assert_eq!(limits(Select::Disabled), (10, 10));
    }

    #[test]
    fn percentages_round_towards_the_larger_fleet_upwards_and_towards_zero_downwards() {
        let percent = limit(Select::Max, &[Change::Percent(10)]);
        assert_eq!(percent.up(at(0), 3, &Moves::default()), 4);
        assert_eq!(percent.down(at(0), 3, &Moves::default()), 2);
    }

    #[test]
    fn a_move_uses_the_budget_of_its_period_and_an_opposite_one_gives_it_back() {
        let four = limit(Select::Max, &[Change::Instances(4)]);
        let mut moves = Moves::default();
        moves.up.record(at(10), 4, four.longest_period());
        assert_eq!(four.up(at(20), 14, &moves), 14);
        assert_eq!(four.up(at(70), 14, &moves), 18, "the period has passed");
        moves.down.record(at(30), 2, four.longest_period());
        assert_eq!(four.up(at(40), 12, &moves), 14);
    }
}
