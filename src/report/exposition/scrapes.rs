//! When something is scraped: at the multiples of an interval while it is there, and in its last moment.

use ebbflow_actors::{SimDuration, SimTime};

/// The times of scrapes, by index.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Scrapes {
    interval_ns: u64,
    /// The first multiple of the interval.
    first: u64,
    /// How many multiples come before the last moment.
    before: u64,
    last: SimTime,
}

impl Scrapes {
    /// Those of something that is there from `from` to `last`.
    pub fn new(from: SimTime, last: SimTime, interval: SimDuration) -> Self {
        let interval_ns = interval.as_nanos();
        let first = from.as_nanos().div_ceil(interval_ns);
        let before = last.as_nanos().div_ceil(interval_ns).saturating_sub(first);
        Scrapes { interval_ns, first, before, last }
    }

    /// How many there are; one at least.
    pub fn count(&self) -> u64 {
        self.before + 1
    }

    /// When one of them is.
    pub fn time(&self, index: u64) -> SimTime {
        if index < self.before {
            SimTime::from_nanos((self.first + index) * self.interval_ns)
        } else {
            self.last
        }
    }

    /// The first one that sees what happens at this time; what happens after the last one counts there.
    pub fn index(&self, time: SimTime) -> u64 {
        time.as_nanos().div_ceil(self.interval_ns).saturating_sub(self.first).min(self.before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SimTime {
        SimTime::from_nanos(seconds * 1_000_000_000)
    }

    fn scrapes(from: u64, last: u64) -> Scrapes {
        Scrapes::new(at(from), at(last), SimDuration::from_secs(10))
    }

    fn times(scrapes: &Scrapes) -> Vec<u64> {
        (0..scrapes.count()).map(|index| scrapes.time(index).as_nanos() / 1_000_000_000).collect()
    }

    #[test]
    fn scrapes_are_on_the_grid_and_one_is_in_the_last_moment() {
        assert_eq!(times(&scrapes(0, 25)), [0, 10, 20, 25]);
        assert_eq!(times(&scrapes(10, 30)), [10, 20, 30]);
        assert_eq!(times(&scrapes(11, 19)), [19]);
        assert_eq!(times(&scrapes(0, 0)), [0]);
    }

    #[test]
    fn a_scrape_sees_what_happened_up_to_its_time() {
        let scrapes = scrapes(15, 45);
        assert_eq!(times(&scrapes), [20, 30, 40, 45]);
        let seen: Vec<u64> = [3, 15, 20, 21, 30, 41, 45, 99].map(|time| scrapes.index(at(time))).into();
        assert_eq!(seen, [0, 0, 0, 1, 1, 3, 3, 3]);
    }
}
