//! Gaps between output tokens (TBT): an exact count per narrow bin, exact sum and maximum.
//!
//! A bin is 1/128 of its power of two wide, so a quantile is known to better than 0.8 %, gaps below 256 ns exactly.
//! Bins do not depend on the data: histograms of instances or runs are merged by adding counts. A stretch of
//! iterations is entered bin by bin, not gap by gap.

use ebbflow_actors::SimDuration;

use super::stretch::Stretch;

/// Mantissa bits of a bin.
const BITS: u32 = 7;

/// How often which gap occurred.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct GapHistogram {
    counts: Vec<u64>,
    count: u64,
    sum_ns: u128,
    max_ns: u64,
}

impl GapHistogram {
    /// Adds `times` gaps of this length.
    pub fn record(&mut self, gap: SimDuration, times: u64) {
        let ns = gap.as_nanos();
        self.add(bin(ns), times, ns, u128::from(ns) * u128::from(times));
    }

    /// Adds `sequences` gaps of each of the first `iterations` of a stretch.
    pub fn record_stretch(&mut self, stretch: &Stretch, iterations: u64, sequences: u64) {
        if sequences == 0 {
            return;
        }
        let mut recorded = 0;
        while recorded < iterations {
            let bin = bin(stretch.nth_ns(recorded));
            let end = stretch.not_longer_than(last_of(bin)).min(iterations);
            self.add(bin, (end - recorded) * sequences, stretch.nth_ns(end - 1), 0);
            recorded = end;
        }
        let elapsed = stretch.boundary(iterations) - stretch.start();
        self.sum_ns += u128::from(elapsed.as_nanos()) * u128::from(sequences);
    }

    /// Takes back `times` gaps of zero length that were recorded too many.
    pub(super) fn retract_zeros(&mut self, times: u64) {
        if let Some(zeros) = self.counts.first_mut() {
            let times = times.min(*zeros);
            *zeros -= times;
            self.count -= times;
        }
    }

    fn add(&mut self, bin: usize, times: u64, max_ns: u64, sum_ns: u128) {
        if times == 0 {
            return;
        }
        if bin >= self.counts.len() {
            self.counts.resize(bin + 1, 0);
        }
        self.counts[bin] += times;
        self.count += times;
        self.sum_ns += sum_ns;
        self.max_ns = self.max_ns.max(max_ns);
    }

    /// Adds everything another histogram holds.
    pub fn merge(&mut self, other: &GapHistogram) {
        if other.counts.len() > self.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        for (own, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *own += theirs;
        }
        self.count += other.count;
        self.sum_ns += other.sum_ns;
        self.max_ns = self.max_ns.max(other.max_ns);
    }

    /// How many gaps.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Σ gaps in nanoseconds, exactly.
    pub fn sum_ns(&self) -> u128 {
        self.sum_ns
    }

    /// The longest gap, exactly.
    pub fn max(&self) -> SimDuration {
        SimDuration::from_nanos(self.max_ns)
    }

    /// The gap that a share `quantile` (0 to 1) of all gaps does not exceed, to the end of its bin; none without
    /// gaps.
    pub fn quantile(&self, quantile: f64) -> Option<SimDuration> {
        let rank = ((quantile.clamp(0.0, 1.0) * self.count as f64).ceil() as u64).max(1);
        let mut below = 0;
        let bin = self.counts.iter().position(|&count| {
            below += count;
            below >= rank
        })?;
        Some(SimDuration::from_nanos(last_of(bin).min(self.max_ns)))
    }
}

fn bin(ns: u64) -> usize {
    let shift = (u64::BITS - ns.leading_zeros()).saturating_sub(BITS + 1);
    ((u64::from(shift) << BITS) + (ns >> shift)) as usize
}

/// The longest gap in a bin.
fn last_of(bin: usize) -> u64 {
    let shift = (bin >> BITS).saturating_sub(1) as u32;
    let mantissa = bin as u64 - (u64::from(shift) << BITS);
    (((u128::from(mantissa) + 1) << shift) - 1).try_into().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ebbflow_actors::SimTime;
    use proptest::prelude::*;

    #[test]
    fn bins_follow_each_other_without_holes() {
        for ns in (0..70_000).chain([u64::MAX - 1, u64::MAX]) {
            let bin = bin(ns);
            assert!(ns <= last_of(bin), "{ns}");
            assert!(bin == 0 || ns > last_of(bin - 1), "{ns}");
        }
    }

    #[test]
    fn a_bin_is_less_than_a_hundredth_wide() {
        let bin = bin(30_000_000);
        let width = last_of(bin) - last_of(bin - 1);
        assert!((width as f64) < 30_000_000.0 / 120.0, "{width}");
    }

    #[test]
    fn quantiles_come_from_the_counts() {
        let mut gaps = GapHistogram::default();
        assert_eq!(gaps.quantile(0.5), None);
        gaps.record(SimDuration::from_nanos(10), 98);
        gaps.record(SimDuration::from_nanos(200), 2);
        assert_eq!(gaps.quantile(0.5).map(SimDuration::as_nanos), Some(10));
        assert_eq!(gaps.quantile(0.99).map(SimDuration::as_nanos), Some(200));
        assert_eq!((gaps.count(), gaps.sum_ns()), (100, 1380));
    }

    proptest! {
        #[test]
        fn a_stretch_is_recorded_like_its_iterations_one_by_one(
            first in 1_000_000u128..1 << 36, growth in 0u128..1 << 30, iterations in 1u64..200,
            part in 0u64..200, sequences in 0u64..5
        ) {
            let stretch = Stretch::new(SimTime::ZERO, first, growth, 1_000_000, iterations);
            let part = part.min(iterations);
            let mut at_once = GapHistogram::default();
            at_once.record_stretch(&stretch, part, sequences);
            let mut one_by_one = GapHistogram::default();
            for nth in 0..part {
                one_by_one.record(SimDuration::from_nanos(stretch.nth_ns(nth)), sequences);
            }
            prop_assert_eq!(at_once, one_by_one);
        }

        #[test]
        fn merged_histograms_are_the_histogram_of_all(gaps in prop::collection::vec(0u64..1 << 30, 0..60)) {
            let histogram = |gaps: &[u64]| {
                let mut histogram = GapHistogram::default();
                gaps.iter().for_each(|&gap| histogram.record(SimDuration::from_nanos(gap), 1));
                histogram
            };
            let (left, right) = gaps.split_at(gaps.len() / 3);
            let mut merged = histogram(left);
            merged.merge(&histogram(right));
            prop_assert_eq!(merged, histogram(&gaps));
        }
    }
}
