//! Bins of equal width over a run, and what is gathered in them.

use ebbflow_actors::SimTime;

use super::Values;

/// Bins of equal width from the beginning of a run to its end.
///
/// Instances come and go at moments that fine bins show; of what happens now and then, fine bins show chance. So
/// neighbouring bins form groups over which rates and percentiles are taken: all bins of a group say the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bins {
    count: usize,
    width_ns: u64,
    group: usize,
}

impl Bins {
    /// `count` bins in groups of `group`, both above 0, over a run that ended at `end`; narrower than a nanosecond
    /// they cannot be.
    pub fn over(end: SimTime, count: usize, group: usize) -> Self {
        Bins { count, width_ns: end.as_nanos().div_ceil(count as u64).max(1), group }
    }

    /// How many groups there are.
    pub fn groups(self) -> usize {
        self.count.div_ceil(self.group)
    }

    /// Width of a group, in seconds; the last may be narrower.
    pub fn group_width_s(self) -> f64 {
        self.width_s() * self.group as f64
    }

    /// The group of a moment; the end of the run belongs to the last.
    pub fn group_of(self, time: SimTime) -> usize {
        self.of(time) / self.group
    }

    /// What groups say, bin by bin.
    pub fn spread<T: Copy>(self, of_groups: &[T]) -> Vec<T> {
        (0..self.count).map(|bin| of_groups[bin / self.group]).collect()
    }

    /// Seconds of a group: the last may have fewer bins.
    fn seconds_of(self, group: usize) -> f64 {
        let bins = self.group.min(self.count - group * self.group);
        bins as f64 * self.width_s()
    }

    /// How many there are.
    pub fn count(self) -> usize {
        self.count
    }

    /// Width of each, in seconds.
    pub fn width_s(self) -> f64 {
        self.width_ns as f64 / 1e9
    }

    /// Start of each, in seconds.
    pub fn starts_s(self) -> Values {
        Values::all((0..self.count).map(|place| (place as u64 * self.width_ns) as f64 / 1e9))
    }

    /// The bin of a moment; the end of the run belongs to the last.
    fn of(self, time: SimTime) -> usize {
        ((time.as_nanos() / self.width_ns) as usize).min(self.count - 1)
    }
}

/// Something of which there is more or less at a time: each bin has its mean.
#[derive(Clone, Debug)]
pub struct Level {
    bins: Bins,
    /// What changes at the start of a bin and stays.
    steps: Vec<f64>,
    /// What was there for a part of a bin, times that part in nanoseconds.
    parts: Vec<f64>,
}

impl Level {
    pub fn new(bins: Bins) -> Self {
        Level { bins, steps: vec![0.0; bins.count + 1], parts: vec![0.0; bins.count] }
    }

    /// So much more from one moment to another; nothing if that is not later. Costs the same however long it is.
    pub fn add(&mut self, (from, to): (SimTime, SimTime), amount: f64) {
        if to <= from {
            return;
        }
        let width = self.bins.width_ns;
        let (from, to) = (from.as_nanos(), to.as_nanos().min(width * self.bins.count as u64));
        let (first, last) = ((from / width) as usize, (to / width) as usize);
        if first == last {
            self.parts[first] += amount * (to - from) as f64;
            return;
        }
        self.parts[first] += amount * ((first as u64 + 1) * width - from) as f64;
        self.steps[first + 1] += amount;
        self.steps[last] -= amount;
        if last < self.bins.count {
            self.parts[last] += amount * (to - last as u64 * width) as f64;
        }
    }

    /// The mean of each bin.
    pub fn means(&self) -> Vec<f64> {
        let mut whole = 0.0;
        let mean = |(step, part): (&f64, &f64)| {
            whole += step;
            // Amounts that are no whole numbers leave a rounding error where nothing is left.
            (whole + part / self.bins.width_ns as f64).max(0.0)
        };
        self.steps.iter().zip(&self.parts).map(mean).collect()
    }

    /// The same, to be drawn.
    pub fn values(&self) -> Values {
        Values::all(self.means())
    }
}

/// Something that happens: each group has its rate.
#[derive(Clone, Debug)]
pub struct Rate {
    bins: Bins,
    amounts: Vec<f64>,
}

impl Rate {
    pub fn new(bins: Bins) -> Self {
        Rate { bins, amounts: vec![0.0; bins.groups()] }
    }

    /// So much at a moment.
    pub fn add(&mut self, time: SimTime, amount: f64) {
        self.amounts[self.bins.group_of(time)] += amount;
    }

    /// Per second.
    pub fn values(&self) -> Values {
        let rate = |(group, amount): (usize, &f64)| amount / self.bins.seconds_of(group);
        let rates: Vec<f64> = self.amounts.iter().enumerate().map(rate).collect();
        Values::all(self.bins.spread(&rates))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: f64) -> SimTime {
        SimTime::from_secs_f64(seconds).unwrap()
    }

    #[test]
    fn a_bin_has_the_mean_of_what_was_there() {
        let mut level = Level::new(Bins::over(at(10.0), 5, 1));
        level.add((at(1.0), at(7.0)), 2.0);
        level.add((at(4.5), at(5.5)), 1.0);
        level.add((at(3.0), at(3.0)), 99.0);
        level.add((at(9.0), at(10.0)), 4.0);
        assert_eq!(level.means(), [1.0, 2.0, 2.5, 1.0, 2.0]);
    }

    #[test]
    fn the_end_of_a_run_belongs_to_its_last_bin() {
        let bins = Bins::over(at(10.0), 5, 1);
        assert_eq!((bins.of(at(0.0)), bins.of(at(9.99)), bins.of(at(10.0))), (0, 4, 4));
        assert_eq!(Bins::over(SimTime::ZERO, 5, 1).of(SimTime::ZERO), 0);
    }

    #[test]
    fn a_group_has_one_rate_and_the_last_may_be_shorter() {
        let bins = Bins::over(at(10.0), 5, 2);
        assert_eq!((bins.groups(), bins.group_width_s()), (3, 4.0));
        let mut rate = Rate::new(bins);
        [0.5, 3.0, 9.0].into_iter().for_each(|time| rate.add(at(time), 1.0));
        assert_eq!(rate.values(), Values::all([0.5, 0.5, 0.0, 0.0, 0.5]));
    }

    proptest::proptest! {
        #[test]
        fn the_means_of_all_bins_are_the_time_that_passed(
            spans in proptest::collection::vec((0u64..1000, 0u64..1000, 1u32..5), 0..20),
            end in 1000u64..2000,
            count in 1usize..50,
        ) {
            let bins = Bins::over(SimTime::from_nanos(end), count, 1);
            let mut level = Level::new(bins);
            let mut expected = 0.0;
            for (from, length, amount) in spans {
                let to = (from + length).min(end);
                level.add((SimTime::from_nanos(from), SimTime::from_nanos(to)), f64::from(amount));
                expected += f64::from(amount) * to.saturating_sub(from) as f64;
            }
            let sum: f64 = level.means().iter().sum::<f64>() * bins.width_ns as f64;
            proptest::prop_assert!((sum - expected).abs() < 1e-6, "{} instead of {}", sum, expected);
        }
    }
}
