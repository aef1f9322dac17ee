//! A stretch: iterations of an unchanging batch, one event.
//!
//! The nth iteration takes `first + n·growth`, rounded to a nanosecond each, exactly as if it were alone. The end
//! of the stretch, and the iteration in progress at any moment, follow from a floor sum without looking at the
//! iterations in between.

use ebbflow_actors::{SimDuration, SimTime};

use super::floor_sum::floor_sum;

/// Iterations whose times are an arithmetic sequence.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stretch {
    start: SimTime,
    /// Time of the first iteration, in units.
    first: u128,
    /// What every iteration takes more than the one before it.
    growth: u128,
    /// Units in a nanosecond.
    unit: u128,
    iterations: u64,
    end: SimTime,
}

impl Stretch {
    /// `iterations` ≥ 1 iterations from `start` on, `first` ≥ `unit` ≥ 1.
    pub fn new(start: SimTime, first: u128, growth: u128, unit: u128, iterations: u64) -> Self {
        let mut stretch = Stretch { start, first, growth, unit, iterations, end: start };
        stretch.end = stretch.boundary(iterations);
        stretch
    }

    /// One iteration of this length.
    pub fn single(start: SimTime, length: SimDuration) -> Self {
        Stretch::new(start, u128::from(length.as_nanos().max(1)), 0, 1, 1)
    }

    /// When it began.
    pub fn start(&self) -> SimTime {
        self.start
    }

    /// When its last iteration ends.
    pub fn end(&self) -> SimTime {
        self.end
    }

    /// How many iterations.
    pub fn iterations(&self) -> u64 {
        self.iterations
    }

    /// When the first `iterations` are over.
    pub fn boundary(&self, iterations: u64) -> SimTime {
        let ns = floor_sum(iterations, self.unit, self.growth, self.first + self.unit / 2);
        self.start + SimDuration::from_nanos(u64::try_from(ns).unwrap_or(u64::MAX))
    }

    /// Nanoseconds of an iteration, counted from 0.
    pub fn nth_ns(&self, nth: u64) -> u64 {
        let rounded = (self.first + self.growth * u128::from(nth) + self.unit / 2) / self.unit;
        u64::try_from(rounded).unwrap_or(u64::MAX)
    }

    /// How many of the first iterations take at most `ns` nanoseconds.
    pub fn not_longer_than(&self, ns: u64) -> u64 {
        let beyond = (u128::from(ns) + 1) * self.unit;
        match beyond.checked_sub(self.first + self.unit / 2) {
            None | Some(0) => 0,
            Some(_) if self.growth == 0 => self.iterations,
            Some(room) => u64::try_from(room.div_ceil(self.growth)).unwrap_or(u64::MAX).min(self.iterations),
        }
    }

    /// Iterations that are over at `now`.
    pub fn done_by(&self, now: SimTime) -> u64 {
        if now >= self.end {
            return self.iterations;
        }
        let guess = self.estimate(now).min(self.iterations - 1);
        let (mut done, mut beyond) = (0, self.iterations);
        // One look before and one behind the guess nearly always settle it; the rest is bisection.
        for middle in [guess, guess + 1] {
            match self.boundary(middle) <= now {
                true => done = done.max(middle),
                false => beyond = beyond.min(middle),
            }
        }
        while done + 1 < beyond {
            let middle = done + (beyond - done) / 2;
            match self.boundary(middle) <= now {
                true => done = middle,
                false => beyond = middle,
            }
        }
        done
    }

    /// Where the parabola of elapsed time passes `now`; a guess, nothing depends on its digits.
    fn estimate(&self, now: SimTime) -> u64 {
        let elapsed = (now - self.start).as_nanos() as f64 * self.unit as f64;
        let (half_growth, first) = (self.growth as f64 / 2.0, self.first as f64);
        (2.0 * elapsed / (first + (first * first + 4.0 * half_growth * elapsed).sqrt())) as u64
    }

    /// The same without its first `done` iterations, fewer than there are.
    pub fn after(&self, done: u64) -> Self {
        Stretch {
            start: self.boundary(done),
            first: self.first + self.growth * u128::from(done),
            iterations: self.iterations - done,
            ..*self
        }
    }

    /// The same with at most so many iterations.
    pub fn at_most(&self, iterations: u64) -> Self {
        if iterations >= self.iterations {
            return *self;
        }
        Stretch { iterations, end: self.boundary(iterations), ..*self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ns(nanos: u64) -> SimTime {
        SimTime::from_nanos(nanos)
    }

    proptest! {
        #[test]
        fn a_stretch_ends_when_its_iterations_one_by_one_do(
            first in 1_000_000u128..1 << 34, growth in 0u128..1 << 22, iterations in 1u64..300
        ) {
            let stretch = Stretch::new(ns(17), first, growth, 1_000_000, iterations);
            let mut now = ns(17);
            for nth in 0..iterations {
                prop_assert_eq!(stretch.boundary(nth), now);
                now += SimDuration::from_nanos(stretch.nth_ns(nth));
            }
            prop_assert_eq!(stretch.end(), now);
        }

        #[test]
        fn what_is_done_by_a_moment_has_ended_and_the_next_has_not(
            first in 1_000_000u128..1 << 24, growth in 0u128..1 << 22, iterations in 1u64..300, at in 0u64..1 << 14
        ) {
            let stretch = Stretch::new(SimTime::ZERO, first, growth, 1_000_000, iterations);
            let done = stretch.done_by(ns(at));
            prop_assert!(stretch.boundary(done) <= ns(at));
            prop_assert!(done == iterations || stretch.boundary(done + 1) > ns(at));
        }

        #[test]
        fn a_stretch_in_two_pieces_is_the_same_stretch(
            first in 1_000_000u128..1 << 34, growth in 0u128..1 << 22, iterations in 2u64..300, cut in 1u64..300
        ) {
            let stretch = Stretch::new(ns(5), first, growth, 1_000_000, iterations);
            let cut = cut % (iterations - 1) + 1;
            let rest = stretch.after(cut);
            prop_assert_eq!(stretch.at_most(cut).end(), rest.start());
            prop_assert_eq!(rest.end(), rest.boundary(rest.iterations()));
            prop_assert_eq!(rest.end(), stretch.end());
        }

        #[test]
        fn iterations_up_to_a_length_are_counted(
            first in 1_000_000u128..1 << 24, growth in 0u128..1 << 20, iterations in 1u64..300, length in 1u64..400
        ) {
            let stretch = Stretch::new(ns(0), first, growth, 1_000_000, iterations);
            let one_by_one = (0..iterations).filter(|&nth| stretch.nth_ns(nth) <= length).count();
            prop_assert_eq!(stretch.not_longer_than(length), one_by_one as u64);
        }
    }
}
