//! Recommendations of the last while: a fleet shrinks only to the largest of them, and grows only to the
//! smallest.

use ebbflow_actors::{SimDuration, SimTime};

/// What was recommended, and when. Slots of forgotten recommendations are used again, so that memory stays
/// bounded by what the longest window holds.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Recommendations(Vec<(SimTime, u32)>);

impl Recommendations {
    /// The largest of `wish` and the recommendations younger than `window`.
    pub fn highest(&self, now: SimTime, window: SimDuration, wish: u32) -> u32 {
        self.younger(now, window).fold(wish, u32::max)
    }

    /// The smallest of `wish` and the recommendations younger than `window`.
    pub fn lowest(&self, now: SimTime, window: SimDuration, wish: u32) -> u32 {
        self.younger(now, window).fold(wish, u32::min)
    }

    /// Remembers a recommendation, in place of one that is as old as `memory` or older if there is any.
    pub fn record(&mut self, now: SimTime, wish: u32, memory: SimDuration) {
        let forgotten = self.0.iter_mut().rev().find(|(at, _)| now.saturating_sub(*at) >= memory);
        match forgotten {
            Some(slot) => *slot = (now, wish),
            None => self.0.push((now, wish)),
        }
    }

    /// How many are kept, the forgotten ones whose slot is free included.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was ever recommended.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn younger(&self, now: SimTime, window: SimDuration) -> impl Iterator<Item = u32> {
        self.0.iter().filter(move |(at, _)| now.saturating_sub(*at) < window).map(|&(_, wish)| wish)
    }
}

impl FromIterator<(SimTime, u32)> for Recommendations {
    fn from_iter<T: IntoIterator<Item = (SimTime, u32)>>(recommendations: T) -> Self {
        Recommendations(recommendations.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: SimDuration = SimDuration::from_secs(60);

    fn at(seconds: u64) -> SimTime {
        SimTime::ZERO + SimDuration::from_secs(seconds)
    }

    #[test]
    fn what_is_as_old_as_the_window_no_longer_counts() {
        let recommendations: Recommendations = [(at(0), 9), (at(30), 5)].into_iter().collect();
        assert_eq!(recommendations.highest(at(59), WINDOW, 3), 9);
        assert_eq!(recommendations.highest(at(60), WINDOW, 3), 5);
        assert_eq!(recommendations.highest(at(90), WINDOW, 3), 3);
        assert_eq!(recommendations.lowest(at(60), WINDOW, 7), 5);
        assert_eq!(recommendations.lowest(at(60), SimDuration::ZERO, 7), 7);
    }

    #[test]
    fn memory_is_bounded_by_the_window() {
        let mut recommendations = Recommendations::default();
        assert!(recommendations.is_empty());
        for second in 0..1000 {
            recommendations.record(at(second * 15), 1, WINDOW);
        }
        assert_eq!(recommendations.len(), 4);
    }
}
