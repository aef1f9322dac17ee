//! Levels over time, e.g. how many requests wait, from what adds to them and takes from them.

use ebbflow_actors::{SimDuration, SimTime};

/// Changes of a level, in any order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Deltas(Vec<(SimTime, i64)>);

/// A level from a time on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Level {
    /// From then on.
    pub time: SimTime,
    /// So much.
    pub level: i64,
}

impl Deltas {
    /// So much more from then on, until then; none: for good.
    pub fn add(&mut self, from: SimTime, to: Option<SimTime>, amount: i64) {
        self.0.push((from, amount));
        self.0.extend(to.map(|to| (to, -amount)));
    }

    /// Whether nothing ever changes.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The level after every time at which it changed; before the first it is 0.
    pub fn levels(mut self) -> Vec<Level> {
        self.0.sort_unstable();
        let mut levels: Vec<Level> = Vec::new();
        let mut level = 0;
        for (time, amount) in self.0 {
            level += amount;
            match levels.last_mut() {
                Some(last) if last.time == time => last.level = level,
                _ => levels.push(Level { time, level }),
            }
        }
        let mut before = 0;
        levels.retain(|now| std::mem::replace(&mut before, now.level) != now.level);
        levels
    }
}

/// At most two levels in each stretch of `width`: the highest one and the last one.
pub fn thinned(levels: &[Level], width: SimDuration) -> impl Iterator<Item = Level> {
    let width = width.as_nanos().max(1);
    let stretches = levels.chunk_by(move |a, b| a.time.as_nanos() / width == b.time.as_nanos() / width);
    stretches.flat_map(|stretch| {
        let highest = stretch.iter().rev().max_by_key(|level| level.level).copied();
        let last = stretch.last().copied();
        highest.into_iter().chain(last.filter(|_| last != highest))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SimTime {
        SimTime::from_nanos(seconds * 1_000_000_000)
    }

    fn told(levels: impl IntoIterator<Item = Level>) -> Vec<(u64, i64)> {
        levels.into_iter().map(|level| (level.time.as_nanos() / 1_000_000_000, level.level)).collect()
    }

    #[test]
    fn a_level_is_the_sum_of_all_changes_up_to_then() {
        let mut deltas = Deltas::default();
        deltas.add(at(5), None, 1);
        deltas.add(at(1), Some(at(3)), 2);
        deltas.add(at(3), Some(at(4)), 2);
        assert_eq!(told(deltas.levels()), [(1, 2), (4, 0), (5, 1)]);
    }

    #[test]
    fn a_change_that_takes_no_time_is_none() {
        let mut deltas = Deltas::default();
        deltas.add(at(2), Some(at(2)), 7);
        assert!(deltas.levels().is_empty());
    }

    #[test]
    fn thinning_keeps_peaks_and_the_last_level_of_every_stretch() {
        let levels: Vec<Level> = [(0, 1), (1, 9), (2, 3), (10, 4), (11, 2), (25, 0)]
            .map(|(time, level)| Level { time: at(time), level })
            .into();
        let kept = told(thinned(&levels, SimDuration::from_secs(10)));
        assert_eq!(kept, [(1, 9), (2, 3), (10, 4), (11, 2), (25, 0)]);
        assert_eq!(told(thinned(&levels, SimDuration::ZERO)), told(levels.clone()));
    }
}
