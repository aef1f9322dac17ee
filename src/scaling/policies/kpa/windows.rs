//! Load over time, in buckets of a second or so: two kinds of average, and a maximum.
//!
//! The averages differ from a plain mean in their edges. A short history is divided by its own length, not by
//! the window, so a service that begins under load is seen at once; gaps inside the history count as nothing;
//! the silence since the last write is left out, and one as long as the window ends the history.

use std::collections::VecDeque;

use ebbflow_actors::{SimDuration, SimTime};

/// How the buckets of a window make an average.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Averaging {
    /// All weigh the same.
    Linear,
    /// The newest weighs most: each older one weighs less than the one after it by the same factor.
    WeightedExponential,
}

/// The average of what was recorded in a window.
#[derive(Clone, Debug)]
pub struct AverageWindow {
    averaging: Averaging,
    buckets: Buckets,
}

impl AverageWindow {
    /// Over so long, in buckets of this length; both above zero.
    pub fn new(averaging: Averaging, window: SimDuration, granularity: SimDuration) -> Self {
        AverageWindow { averaging, buckets: Buckets::new(window, granularity) }
    }

    /// Adds to what was recorded for the bucket of this moment; forgets what is too old for the window.
    pub fn record(&mut self, at: SimTime, value: f64) {
        self.buckets.record(at, value);
    }

    /// The average as of `now`; 0 without anything recorded in the window.
    pub fn average(&self, now: SimTime) -> f64 {
        let Some((silent, history)) = self.buckets.recent(now) else { return 0.0 };
        match self.averaging {
            Averaging::Linear => history.linear(silent),
            Averaging::WeightedExponential => history.weighted(silent),
        }
    }

    /// Whether nothing was recorded in the window before `now`.
    pub fn is_empty(&self, now: SimTime) -> bool {
        self.buckets.recent(now).is_none()
    }
}

/// Weight of the newest of so many buckets, such that all weights together are 0.9999, but 0.2 at least.
pub fn smoothing_coefficient(buckets: usize) -> f64 {
    const REST: f64 = 1e-4;
    const LEAST: f64 = 0.2;
    (1.0 - libm::pow(REST, 1.0 / buckets as f64)).max(LEAST)
}

/// So many buckets that cover the window.
fn buckets_in(window: SimDuration, granularity: SimDuration) -> u64 {
    window.as_nanos().div_ceil(granularity.as_nanos()).max(1)
}

fn bucket_of(at: SimTime, granularity: SimDuration) -> u64 {
    at.as_nanos() / granularity.as_nanos()
}

#[derive(Clone, Debug)]
struct Buckets {
    granularity: SimDuration,
    count: u64,
    history: Option<History>,
}

/// Buckets from the first to the last write.
#[derive(Clone, Debug)]
struct History {
    /// Bucket of the first write; it may lie before the window.
    first: u64,
    last: u64,
    /// Sums of the buckets up to `last`, a window of them.
    sums: VecDeque<f64>,
}

impl Buckets {
    fn new(window: SimDuration, granularity: SimDuration) -> Self {
        Buckets { granularity, count: buckets_in(window, granularity), history: None }
    }

    fn record(&mut self, at: SimTime, value: f64) {
        let (bucket, count) = (bucket_of(at, self.granularity), self.count);
        let silence = |history: &History| bucket.saturating_sub(history.last);
        let history = match self.history.take().filter(|history| silence(history) < count) {
            Some(history) => self.history.insert(history),
            None => self.history.insert(History::new(bucket, count)),
        };
        for _ in history.last..bucket {
            history.sums.pop_front();
            history.sums.push_back(0.0);
        }
        history.last = history.last.max(bucket);
        // A late value belongs to its own bucket, if there still is one.
        if let Some(position) = (count - 1).checked_sub(history.last - bucket) {
            history.first = history.first.min(bucket);
            history.sums[position as usize] += value;
        }
    }

    /// The history, and how many buckets ago its last write was, unless that is a window ago.
    fn recent(&self, now: SimTime) -> Option<(usize, &History)> {
        let history = self.history.as_ref()?;
        let silent = bucket_of(now, self.granularity).saturating_sub(history.last);
        (silent < self.count).then_some((silent as usize, history))
    }
}

impl History {
    fn new(bucket: u64, count: u64) -> Self {
        let sums = std::iter::repeat_n(0.0, count as usize).collect();
        History { first: bucket, last: bucket, sums }
    }

    /// The mean of the buckets in the window that ends `silent` buckets after the last write, cut off after
    /// six digits as in the original.
    fn linear(&self, silent: usize) -> f64 {
        const DIGITS: f64 = 1e6;
        let sum: f64 = self.sums.iter().skip(silent).sum();
        let age = self.last - self.first + 1;
        let count = age.min((self.sums.len() - silent) as u64);
        (sum / count as f64 * DIGITS).floor() / DIGITS
    }

    fn weighted(&self, silent: usize) -> f64 {
        let newest = smoothing_coefficient(self.sums.len());
        let mut weight = newest * libm::pow(1.0 - newest, silent as f64);
        let mut average = 0.0;
        for sum in self.sums.iter().skip(silent).rev() {
            average += sum * weight;
            weight *= 1.0 - newest;
        }
        average
    }
}

/// The largest value of a window: what was wanted that recently is not taken away yet.
#[derive(Clone, Debug)]
pub struct SlidingMax {
    granularity: SimDuration,
    count: u64,
    /// Buckets and values, the oldest first; each value is above all that follow.
    maxima: VecDeque<(u64, u32)>,
}

impl SlidingMax {
    /// Over so long, in buckets of this length; both above zero. A value as old as the window is out.
    pub fn new(window: SimDuration, granularity: SimDuration) -> Self {
        SlidingMax { granularity, count: buckets_in(window, granularity), maxima: VecDeque::new() }
    }

    /// Records a value, no earlier than the one before, and tells the largest.
    pub fn record(&mut self, at: SimTime, value: u32) -> u32 {
        let bucket = bucket_of(at, self.granularity);
        while self.maxima.front().is_some_and(|&(old, _)| bucket.saturating_sub(old) >= self.count) {
            self.maxima.pop_front();
        }
        while self.maxima.back().is_some_and(|&(_, smaller)| smaller <= value) {
            self.maxima.pop_back();
        }
        if self.maxima.back().is_none_or(|&(newest, _)| newest != bucket) {
            self.maxima.push_back((bucket, value));
        }
        self.maxima.front().map_or(value, |&(_, most)| most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: SimDuration = SimDuration::from_secs(1);

    fn at(seconds: u64) -> SimTime {
        SimTime::ZERO + SimDuration::from_secs(seconds)
    }

    fn linear(window_s: u64) -> AverageWindow {
        AverageWindow::new(Averaging::Linear, SimDuration::from_secs(window_s), SECOND)
    }

    #[test]
    fn a_short_history_is_divided_by_its_own_length() {
        let mut window = linear(60);
        assert!(window.is_empty(at(10)));
        window.record(at(10), 6.0);
        assert_eq!(window.average(at(10)), 6.0);
        window.record(at(11), 2.0);
        assert_eq!(window.average(at(11)), 4.0);
        window.record(at(13), 4.0);
        assert_eq!(window.average(at(13)), 3.0, "second 12 counts as nothing");
    }

    #[test]
    fn silence_is_left_out_until_it_is_as_long_as_the_window() {
        let mut window = linear(4);
        for (second, value) in [(0, 8.0), (1, 4.0), (2, 4.0), (3, 4.0)] {
            window.record(at(second), value);
        }
        assert_eq!(window.average(at(3)), 5.0);
        assert_eq!(window.average(at(5)), 4.0, "of seconds 2 and 3");
        assert_eq!(window.average(at(7)), 0.0);
        assert!(window.is_empty(at(7)));
        window.record(at(7), 3.0);
        assert_eq!(window.average(at(7)), 3.0, "a new history");
    }

    #[test]
    fn late_values_count_where_they_belong_or_not_at_all() {
        let mut window = linear(4);
        window.record(at(10), 8.0);
        window.record(at(8), 1.0);
        assert_eq!(window.average(at(10)), 3.0, "the history now begins at 8");
        window.record(at(6), 100.0);
        assert_eq!(window.average(at(10)), 3.0);
        window.record(at(10), 3.0);
        assert_eq!(window.average(at(10)), 4.0, "values of one second add up");
    }

    #[test]
    fn the_newest_weighs_most_and_silence_makes_it_fade() {
        let mut window =
            AverageWindow::new(Averaging::WeightedExponential, SimDuration::from_secs(60), SECOND);
        window.record(at(0), 0.0);
        window.record(at(1), 10.0);
        assert!((window.average(at(1)) - 2.0).abs() < 1e-12, "a fifth of the newest");
        assert!((window.average(at(2)) - 1.6).abs() < 1e-12);
        assert_eq!(window.average(at(61)), 0.0);
    }

    #[test]
    fn the_maximum_is_forgotten_after_the_window() {
        let mut most = SlidingMax::new(SimDuration::from_secs(5), SECOND);
        assert_eq!(most.record(at(0), 7), 7);
        assert_eq!(most.record(at(1), 3), 7);
        assert_eq!(most.record(at(1), 4), 7);
        assert_eq!(most.record(at(4), 2), 7);
        assert_eq!(most.record(at(5), 1), 4, "the 7 is as old as the window");
        assert_eq!(most.record(at(20), 0), 0);
    }

    proptest! {
        #[test]
        fn an_average_lies_within_what_was_recorded(
            values in prop::collection::vec(0.0..1000.0_f64, 1..200), window_s in 1..90_u64,
        ) {
            let mut window = linear(window_s);
            let most = values.iter().copied().fold(0.0, f64::max);
            for (second, &value) in (0..).zip(&values) {
                window.record(at(second), value);
                prop_assert!((0.0..=most).contains(&window.average(at(second))));
            }
        }

        #[test]
        fn a_constant_load_averages_to_itself(value in 0..1000_u32, seconds in 1..200_u64, window_s in 1..90_u64) {
            let mut window = linear(window_s);
            for second in 0..seconds {
                window.record(at(second), f64::from(value));
            }
            prop_assert_eq!(window.average(at(seconds - 1)), f64::from(value));
        }

        #[test]
        fn the_sliding_maximum_is_the_maximum_of_the_window(
            values in prop::collection::vec((0..4_u64, 0..50_u32), 1..100), window_s in 1..20_u64,
        ) {
            let mut most = SlidingMax::new(SimDuration::from_secs(window_s), SECOND);
            let mut all: Vec<(u64, u32)> = Vec::new();
            let mut now = 0;
            for (gap, value) in values {
                now += gap;
                all.push((now, value));
                let recent = all.iter().filter(|(then, _)| now - then < window_s);
                prop_assert_eq!(Some(most.record(at(now), value)), recent.map(|&(_, value)| value).max());
            }
        }
    }
}
