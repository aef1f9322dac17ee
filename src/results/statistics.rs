//! Exact statistics of a column of numbers, as the ancestor's summary defines them.
//!
//! Percentiles interpolate linearly between the two nearest of the sorted values (numpy's default:
//! position `(n − 1)·q`), the standard deviation is that of the population, the geometric mean is 0 as
//! soon as one value is 0. Nothing is estimated: the values beside each position are selected out of all,
//! which orders no more of them than it must. Leaves out NaN: the model has none.
//!
//! Source of the rules: the ancestor's summary, `<array>_<statistic>`.

/// What a summary says about one column; there is none of an empty column.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Statistics {
    /// Arithmetic mean.
    pub mean: f64,
    /// Standard deviation of the population (divided by n).
    pub std: f64,
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
    /// 50th percentile.
    pub p50: f64,
    /// 90th percentile.
    pub p90: f64,
    /// 95th percentile.
    pub p95: f64,
    /// 99th percentile.
    pub p99: f64,
    /// 99.9th percentile.
    pub p999: f64,
    /// Geometric mean; 0 if any value is 0.
    pub geomean: f64,
}

impl Statistics {
    /// Names of the statistics in the order of [`Statistics::values`], as summaries print them.
    pub const NAMES: [&'static str; 11] =
        ["mean", "std", "min", "max", "median", "p50", "p90", "p95", "p99", "p999", "geomean"];

    /// Statistics of these values; none if there are none.
    pub fn of(mut values: Vec<f64>) -> Option<Self> {
        if values.is_empty() {
            return None;
        }
        let mean = mean(&values);
        let std = population_std(&values, mean);
        let geomean = geometric_mean(&values);
        let (min, max) = extremes(&values);
        let [p50, p90, p95, p99, p999] = percentiles(&mut values, [0.5, 0.9, 0.95, 0.99, 0.999]);
        Some(Statistics { mean, std, min, max, p50, p90, p95, p99, p999, geomean })
    }

    /// The numbers in the order of [`Statistics::NAMES`].
    pub fn values(&self) -> [f64; 11] {
        let median = self.p50;
        [
            self.mean,
            self.std,
            self.min,
            self.max,
            median,
            self.p50,
            self.p90,
            self.p95,
            self.p99,
            self.p999,
            self.geomean,
        ]
    }
}

/// The value at quantile `q` (0…1) of ascending, non-empty `sorted`, interpolated linearly.
pub fn percentile(sorted: &[f64], q: f64) -> f64 {
    let position = (sorted.len() - 1) as f64 * q;
    let below = position.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    lerp(sorted[below], sorted[above], position - below as f64)
}

/// What [`percentile`] says of the sorted values, for ascending quantiles of non-empty values in any order.
fn percentiles<const N: usize>(values: &mut [f64], quantiles: [f64; N]) -> [f64; N] {
    let last = values.len() - 1;
    let mut from = 0;
    quantiles.map(|q| {
        let position = last as f64 * q;
        let below = position.floor() as usize;
        // All that stands before the previous selection is smaller and need not be looked at again.
        let (_, low, rest) = values[from..].select_nth_unstable_by(below - from, f64::total_cmp);
        let low = *low;
        let high = rest.iter().copied().min_by(f64::total_cmp).unwrap_or(low);
        from = below;
        lerp(low, high, position - below as f64)
    })
}

fn extremes(values: &[f64]) -> (f64, f64) {
    values.iter().fold((values[0], values[0]), |(min, max), value| (min.min(*value), max.max(*value)))
}

/// Linear interpolation that is exact at both ends (numpy's form, so results agree to the last digit).
fn lerp(from: f64, to: f64, share: f64) -> f64 {
    let span = to - from;
    if share < 0.5 { from + span * share } else { to - span * (1.0 - share) }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn population_std(values: &[f64], mean: f64) -> f64 {
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (squares / values.len() as f64).sqrt()
}

fn geometric_mean(values: &[f64]) -> f64 {
    if values.contains(&0.0) {
        return 0.0;
    }
    let logs: f64 = values.iter().map(|value| value.ln()).sum();
    (logs / values.len() as f64).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-12 * b.abs().max(1.0)
    }

    #[test]
    fn an_empty_column_has_no_statistics() {
        assert_eq!(Statistics::of(Vec::new()), None);
    }

    #[test]
    fn a_single_value_is_every_statistic_and_does_not_deviate() {
        let one = Statistics::of(vec![7.0]).unwrap();
        assert_eq!(one.std, 0.0);
        for (name, value) in Statistics::NAMES.iter().zip(one.values()) {
            assert!(*name == "std" || close(value, 7.0), "{name} is {value}");
        }
    }

    #[test]
    fn hand_computed_values_are_met() {
        let four = Statistics::of(vec![8.0, 1.0, 4.0, 2.0]).unwrap();
        assert_eq!(four.mean, 3.75);
        assert!(close(four.std, (115.0f64 / 16.0).sqrt()));
        assert_eq!((four.min, four.max), (1.0, 8.0));
        assert_eq!(four.p50, 3.0);
        assert!(close(four.p90, 4.0 + 4.0 * 0.7));
        assert!(close(four.p95, 4.0 + 4.0 * 0.85));
        assert!(close(four.geomean, 64f64.powf(0.25)));
    }

    #[test]
    fn percentiles_lie_between_the_two_nearest_values() {
        let sorted: Vec<f64> = (0..=1000).map(f64::from).collect();
        assert!(close(percentile(&sorted, 0.999), 999.0));
        assert_eq!(percentile(&sorted, 0.0), 0.0);
        assert_eq!(percentile(&sorted, 1.0), 1000.0);
        assert_eq!(percentile(&[1.0, 2.0], 0.25), 1.25);
    }

    proptest::proptest! {
        #[test]
        fn selecting_finds_what_sorting_finds(values in proptest::collection::vec(0.0..50.0, 1..400)) {
            // Coarse values repeat, as token counts do.
            let mut values: Vec<f64> = values.into_iter().map(|value: f64| (value * 4.0).floor() / 4.0).collect();
            let selected = Statistics::of(values.clone()).unwrap();
            values.sort_unstable_by(f64::total_cmp);
            let sorted = [0.5, 0.9, 0.95, 0.99, 0.999].map(|q| percentile(&values, q));
            let found = [selected.p50, selected.p90, selected.p95, selected.p99, selected.p999];
            proptest::prop_assert_eq!(found.map(f64::to_bits), sorted.map(f64::to_bits));
            proptest::prop_assert_eq!((selected.min, selected.max), (values[0], values[values.len() - 1]));
        }
    }

    #[test]
    fn one_zero_makes_the_geometric_mean_zero() {
        assert_eq!(Statistics::of(vec![3.0, 0.0, 5.0]).unwrap().geomean, 0.0);
    }
}
